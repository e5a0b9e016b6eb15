//! What a person reads of a clock in doubt, with what to do.

use super::{ClockDoubt, ClockLevel, ClockStanding};
use crate::picture::HomePicture;
use crate::time::{Timestamp, Tz};

impl ClockDoubt {
    fn words(&self, home: &HomePicture, zone: Tz) -> String {
        match self {
            Self::Year(at) => {
                format!("this device's clock stands at {}, which cannot be right", day(*at, zone))
            }
            Self::BehindItself { by_ms } => format!(
                "this device's clock stands {} before what was last recorded on it",
                span(*by_ms)
            ),
            Self::BehindEntries { device, by_ms, unexplained: true } => format!(
                "this device's clock stands {} before what {} recorded last",
                span(*by_ms),
                home.device_name(*device)
            ),
            Self::BehindEntries { device, by_ms, unexplained: false } => format!(
                "what {} recorded last is dated {} after this device's clock: see whether the clock \
                 of {0} is right",
                home.device_name(*device),
                span(*by_ms)
            ),
            Self::Set { by_ms, .. } => format!(
                "this device's clock was set {} by {}",
                if *by_ms < 0 { "back" } else { "forward" },
                span(*by_ms)
            ),
            Self::LongAgo { last, .. } => format!(
                "by its own clock this device was last right on {}, a long time ago",
                day(*last, zone)
            ),
            // Where the system keeps no clock of its own, the program alone was started anew.
            Self::Off { by_ms } => format!(
                "by its own clock this device was last sure of the time {} before it was started, \
                 and nothing else says what time it is",
                span(*by_ms)
            ),
            Self::Outlier { by_ms } => format!(
                "this device's clock is {} {} the home's other clocks",
                span(*by_ms),
                side(*by_ms)
            ),
            Self::Split { device, by_ms, .. } => format!(
                "this device's clock is {} {} that of {}, and no other clock says which is right",
                span(*by_ms),
                side(*by_ms),
                home.device_name(*device)
            ),
            Self::Other { device, by_ms } => format!(
                "the clock of {} is {} {} this one: set the clock of {0}",
                home.device_name(*device),
                span(*by_ms),
                side(*by_ms)
            ),
        }
    }
}

impl ClockStanding {
    /// Whether all that is said against this clock is that nothing was sure of it for long.
    fn is_only_long(&self) -> bool {
        self.doubts.iter().all(|doubt| match doubt {
            ClockDoubt::LongAgo { .. }
            | ClockDoubt::Off { .. }
            | ClockDoubt::BehindEntries { unexplained: false, .. }
            | ClockDoubt::Other { .. } => true,
            ClockDoubt::Year(_)
            | ClockDoubt::BehindItself { .. }
            | ClockDoubt::BehindEntries { unexplained: true, .. }
            | ClockDoubt::Set { .. }
            | ClockDoubt::Outlier { .. }
            | ClockDoubt::Split { .. } => false,
        })
    }

    /// Returns what a person reads, with what to do; `None` while there is no doubt.
    #[must_use]
    pub fn words(&self, home: &HomePicture, zone: Tz) -> Option<String> {
        let said: Vec<String> = self.doubts.iter().map(|doubt| doubt.words(home, zone)).collect();
        if said.is_empty() {
            return None;
        }
        let what = capital(&said.join("; "));
        // Where the day is in doubt too, a time of day alone is not taken.
        let time = if self.day_holds() { "08:03" } else { "2026-11-21T08:03" };
        let then = match (self.level(), self.is_right()) {
            (ClockLevel::Red, _) => format!(
                " Due times and intervals shown here may be wrong, and nothing about residents is \
                 recorded here until the clock is right: set date and time, or type what your \
                 watch shows (medroundctl clock TIME --as INITIALS, with TIME as in {time}). \
                 Meanwhile use another device, or paper. A rescue medicine is given at once all \
                 the same, and recorded afterwards."
            ),
            // A clock that somebody sets is doubted for that: only a person or another one can say.
            (ClockLevel::Amber | ClockLevel::Right, false) if self.is_only_long() => format!(
                " Due times and intervals shown here may be wrong: look at a watch, then say what \
                 it shows (medroundctl clock TIME --as INITIALS, with TIME as in {time}), or \
                 connect this device with another one. Recording goes on meanwhile."
            ),
            (ClockLevel::Amber | ClockLevel::Right, false) => format!(
                " Due times and intervals shown here may be wrong: look at a watch, then set date \
                 and time, or say what the watch shows (medroundctl clock TIME --as INITIALS, \
                 with TIME as in {time}). Recording goes on meanwhile."
            ),
            (ClockLevel::Amber | ClockLevel::Right, true) => String::new(),
        };
        Some(format!("{what}.{then}"))
    }
}

pub(super) fn side(by_ms: i64) -> &'static str {
    if by_ms < 0 { "behind" } else { "ahead of" }
}

/// A length of time for a person: the two largest units are enough.
pub(super) fn span(by_ms: i64) -> String {
    let minutes = by_ms.unsigned_abs().saturating_add(30_000) / 60_000;
    let plural = |n: u64, word: &str| {
        if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
    };
    match (minutes / 1440, minutes / 60, minutes % 60) {
        (0, 0, minutes) => plural(minutes, "minute"),
        (0, hours, 0) => plural(hours, "hour"),
        (0, hours, minutes) => {
            format!("{} {}", plural(hours, "hour"), plural(minutes, "minute"))
        }
        (days, _, _) => plural(days, "day"),
    }
}

fn day(at: Timestamp, zone: Tz) -> String {
    let civil = at.civil(zone);
    format!("{} {}", crate::words::date(civil.date()), civil.format("%H:%M"))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
