//! What comes into a session, and what it asks for and tells.

use store::entry::{LogId, Sealed};
use store::heads::{Head, Heads};

use crate::frame::{FrameFault, KnownAddress, PROTOCOL, Point, Refused};

/// Names a piece of work that was handed out, in the input that brings it back.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

/// Something happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The connection stands. Comes first, and once.
    Started {
        /// The heads of what is on the disk.
        heads: Heads,
        /// The log that this device writes now, if it has one.
        own_log: Option<LogId>,
        /// The wall clock in milliseconds since 1970.
        wall_ms: i64,
    },
    /// A frame arrived.
    Frame(Vec<u8>),
    /// Entries that were handed over are on the disk: the fsync has returned.
    Admitted {
        /// Which.
        ticket: Ticket,
        /// The heads now, at least of the logs that were touched.
        heads: Heads,
    },
    /// Entries that were handed over were not taken in.
    AdmitRefused {
        /// Which.
        ticket: Ticket,
        /// Why.
        why: Refused,
    },
    /// The answer to a read.
    ReadDone {
        /// Which.
        ticket: Ticket,
        /// What was found.
        found: Found,
    },
    /// Entries came onto the disk otherwise: written here, or brought by another peer.
    Committed {
        /// The entries, those of one log in order. May be left out where they are too many to
        /// bring: the peer then learns of them by their heads.
        entries: Vec<Sealed>,
        /// The heads now, at least of the logs that were touched.
        heads: Heads,
    },
    /// A device was enrolled: ask again for what belonged to nobody.
    MembershipChanged,
    /// This device writes another log from now on.
    OwnLog(LogId),
    /// Something that devices tell each other and that is not the record.
    Tell(Telling),
    /// About once a second.
    Tick {
        /// The wall clock in milliseconds since 1970.
        wall_ms: i64,
    },
}

/// What devices tell each other beside the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Telling {
    /// Where other devices were last reached.
    Addresses(Vec<KnownAddress>),
    /// Who is preparing which dose, at most 512 bytes. More is dropped: a lease is advisory.
    Lease(Vec<u8>),
}

/// Something is to be done.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Send this frame.
    Send(Vec<u8>),
    /// Put these entries of one log on the disk. Their chain holds, and the last one's signature;
    /// entries that are held already are not an error. Answer with [`Input::Admitted`] after the
    /// fsync, or with [`Input::AdmitRefused`].
    Admit {
        /// Names the answer.
        ticket: Ticket,
        /// The log of all of them.
        log: LogId,
        /// Consecutive entries.
        entries: Vec<Sealed>,
    },
    /// Look this up and answer with [`Input::ReadDone`].
    Read {
        /// Names the answer.
        ticket: Ticket,
        /// What to look up.
        read: Read,
    },
    /// End the connection.
    Close(CloseReason),
    /// Take note.
    Notice(Notice),
}

/// Something to look up in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Entries of one branch in order. Answered by [`Found::Range`], [`Found::NotOnBranch`] or
    /// [`Found::NotHeld`].
    Range {
        /// The log.
        log: LogId,
        /// The entry after which to begin; `None` begins at the anchor.
        after: Option<Point>,
        /// The end of the branch; nothing beyond it is wanted.
        up_to: Head,
        /// The most bytes of entries to bring, though always at least one entry.
        bytes_max: usize,
    },
    /// Which of these entries are held, on any branch. Answered by [`Found::Held`].
    Held {
        /// The log.
        log: LogId,
        /// The entries.
        points: Vec<Point>,
    },
    /// Which entries stand at these sequences on the branch that ends in `head`. Answered by
    /// [`Found::Points`] or [`Found::NotHeld`].
    Points {
        /// The log.
        log: LogId,
        /// The end of the branch.
        head: Head,
        /// The sequences, rising; none is beyond the head.
        sequences: Vec<u64>,
    },
}

/// What a read found.
#[derive(Debug, Clone)]
pub enum Found {
    /// Entries that follow each other, the first right after where the read began.
    Range(Vec<Sealed>),
    /// The entry to begin after is not an ancestor of the end.
    NotOnBranch,
    /// The end of the branch is not held.
    NotHeld,
    /// Whether each point is held, in the order asked.
    Held(Vec<bool>),
    /// The entries at the sequences that were asked for, in order, without those below the anchor.
    Points(Vec<Point>),
    /// The store cannot be read now.
    Unavailable,
}

/// Something that whoever runs the session should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Both devices hold the same entries, as of now. Said again with each sign of life.
    InSync {
        /// The hash over all heads.
        heads: [u8; 32],
    },
    /// The devices do not hold the same. Said when it changes and with each sign of life.
    Apart(Apart),
    /// The peer has these heads on its disk, after its own fsync. Only the logs that changed.
    PeerHolds(Heads),
    /// The peer's wall clock as it stood when it sent, in milliseconds since 1970.
    PeerClock {
        /// The reading.
        wall_ms: i64,
    },
    /// The peer holds an entry of this device's own log that is not here: this device was restored
    /// or copied. Compare with the store as it is now before acting on it.
    PeerHoldsMoreOfMyLog(Head),
    /// A log has more than one branch.
    Forked(LogId),
    /// Entries of this log were not taken in here, and are not asked for again for now.
    Stopped {
        /// The log.
        log: LogId,
        /// Why.
        why: Refused,
    },
    /// The peer did not take in entries of this log.
    PeerRefused {
        /// The log.
        log: LogId,
        /// Why.
        why: Refused,
    },
    /// The peer tells where other devices were last reached.
    Addresses(Vec<KnownAddress>),
    /// The peer tells who is preparing which dose.
    Lease(Vec<u8>),
}

/// How far two devices are apart, by the sequences of their heads. Where a log is forked the
/// numbers are the least that they can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apart {
    /// Entries that the peer has and that are missing here; 0 says that this device holds all
    /// that the peer had when it last spoke.
    pub behind: u64,
    /// Entries that are held here and that the peer has not receipted.
    pub ahead: u64,
    /// Logs of which entries were not taken in here.
    pub stopped: Vec<LogId>,
}

/// Why a session ends the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// Bytes that are no frame.
    #[error("the device sent bytes that are no frame: {0}")]
    Malformed(#[from] FrameFault),
    /// A frame before the hello.
    #[error("the device did not begin with a hello")]
    NoHello,
    /// No protocol that both speak.
    #[error(
        "the device speaks protocols {theirs_min} to {theirs_max} and this one {PROTOCOL}; \
         update the older one"
    )]
    Protocol {
        /// The oldest protocol that the peer speaks.
        theirs_min: u16,
        /// The newest protocol that the peer speaks.
        theirs_max: u16,
    },
    /// A device of another home.
    #[error("the device belongs to another home")]
    OtherHome,
    /// The peer asked for more at once than the protocol allows.
    #[error("the device asked for too much at once")]
    TooManyWants,
    /// The peer sent more than was asked for.
    #[error("the device sent more than was asked for")]
    TooMuchSent,
    /// The peer names more logs than any home has.
    #[error("the device names too many logs")]
    TooManyLogs,
}

impl CloseReason {
    /// Returns the number under which the connection is closed.
    pub fn code(&self) -> u32 {
        match self {
            Self::Malformed(_) => 460,
            Self::NoHello => 461,
            Self::Protocol { .. } => 462,
            Self::OtherHome => 463,
            Self::TooManyWants => 464,
            Self::TooMuchSent => 465,
            Self::TooManyLogs => 466,
        }
    }
}
