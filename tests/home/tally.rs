//! How much happened: a run that tried nothing proves nothing.

use std::fmt;
use std::ops::AddAssign;

macro_rules! tally {
    ($($name:ident: $words:literal),* $(,)?) => {
        /// Counts of what happened.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub(crate) struct Tally {
            $(pub(crate) $name: usize,)*
        }

        impl Tally {
            /// Every count with its words.
            pub(crate) fn lines(&self) -> Vec<(&'static str, usize)> {
                vec![$(($words, self.$name)),*]
            }
        }

        impl AddAssign for Tally {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

tally! {
    schedules: "schedules",
    steps: "steps",
    entries: "entries",
    saved: "commands saved",
    refused: "commands refused",
    not_saved: "told NOT SAVED",
    admitted: "entries admitted from peers",
    receipts: "receipts",
    frames: "frames",
    connections: "connections",
    doubled: "second connections of a pair",
    cuts: "connections cut",
    closed: "connections closed by a session",
    partitions: "partitions",
    flips: "flipped bytes",
    crashes: "power cuts",
    crashes_inside: "power cuts while writing",
    disk_faults: "disk faults",
    clocks_set: "clocks set wrong or right",
    restored: "earlier states put back",
    reincarnations: "new logs begun on a peer's word",
    forks: "forked logs",
    views_deleted: "views deleted",
    enrolled: "devices enrolled",
    revoked: "devices put out",
    cut_off: "doses written after that",
    doubles: "double doses raised",
    breaches: "intervals breached and raised",
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        let words: Vec<String> =
            lines.iter().map(|(words, count)| format!("{count} {words}")).collect();
        f.write_str(&words.join(", "))
    }
}
