//! Whether a device's clock can be believed (T-07 and T-08, with W-08).
//!
//! With no internet nobody tells a home the time. What can be asked are the clocks of the other
//! devices that count, of which the middle one is the reference; the device's own earlier times; a
//! clock of the machine that runs since it was started and that nobody can set; and a person with a
//! watch. What another device wrote later than this clock shows is a doubt as well, until a third clock
//! or a person explains it: one faulty device must not put every other in the wrong.

mod judging;
mod words;

pub use judging::{believable, judge_clock, may_move, may_type, nearest, others_doubt};

use crate::command::{Ask, AskOrder, AskResident};
use crate::fact::{Fact, HomeFact, OrderFact, ResidentFact};
use crate::ids::DeviceId;
use crate::picture::HomePicture;
use crate::refusal::Refusal;
use crate::time::{DAY, Timestamp, Tz};
use std::collections::BTreeMap;

/// Clocks that differ by more than this are told to people, in milliseconds (T-07).
pub const CLOCK_AMBER_MS: i64 = 60_000;
/// With a clock that is off by more than this nothing is recorded, in milliseconds (T-07).
pub const CLOCK_RED_MS: i64 = 5 * 60_000;
/// How much a clock is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockLevel {
    /// Nothing speaks against it.
    Right,
    /// Somebody should look; recording goes on.
    Amber,
    /// Nothing about residents is recorded until it is put right (T-07).
    Red,
}

impl ClockLevel {
    /// Returns the level's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

/// What can be asked about a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockEvidence {
    /// The clock as it stands.
    pub now: Timestamp,
    /// Where it would stand if nobody had set it since it was last right, by the clock that nobody
    /// can set; `None` where the machine was started anew since, or nothing is known.
    pub carried: Option<Timestamp>,
    /// What it showed when this device first looked at it since the machine was started, and where
    /// it would stand if nobody had set it since; `None` where it was red then, or nothing is known.
    pub started: Option<Started>,
    /// The last time at which nothing spoke against it; `None` where none is known.
    pub last_right: Option<Timestamp>,
    /// What it showed when this device last wrote something; `None` where it wrote nothing.
    pub own_last: Option<Timestamp>,
    /// By how many milliseconds the clock of each device that counts is ahead of this one.
    pub peers: BTreeMap<DeviceId, i64>,
    /// What the clock of each device that can give showed when it last wrote something people go by
    /// that is held here.
    pub written: BTreeMap<DeviceId, Timestamp>,
    /// A person typed the time, and the clock was not set since.
    pub typed: bool,
    /// The clock that nobody can set may have stood still while the machine slept, so that a step
    /// forward may be sleep.
    pub sleeps: bool,
}

/// The first reading of a clock since the machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// What it showed.
    pub showed: Timestamp,
    /// Where it would stand now if nobody had set it since, by the clock that nobody can set.
    pub carried: Timestamp,
}

/// Something that speaks against a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockDoubt {
    /// It stands in a year that cannot be.
    Year(Timestamp),
    /// It stands before what this device wrote, or showed, earlier (T-08).
    BehindItself {
        /// By how many milliseconds.
        by_ms: i64,
    },
    /// It stands before what another device wrote, whose entries are held here (T-07).
    BehindEntries {
        /// The device whose last entry lies furthest ahead.
        device: DeviceId,
        /// By how many milliseconds.
        by_ms: i64,
        /// Whether nothing says that it is that device's clock that was wrong: no third clock and no
        /// person.
        unexplained: bool,
    },
    /// It was set since it was last right: forward, or back if less than zero (R12).
    Set {
        /// By how many milliseconds.
        by_ms: i64,
        /// Whether it may have been sleep as well.
        or_slept: bool,
    },
    /// By its own account it was last right long ago.
    LongAgo {
        /// When that was.
        last: Timestamp,
        /// Whether it is so long ago that the year must be wrong.
        too_long: bool,
    },
    /// The machine was started anew, and by its own clock that was unusually long after this device
    /// was last sure of the time: a clock that was set forward meanwhile looks the same (R12).
    Off {
        /// How long after it the machine was started, in milliseconds.
        by_ms: i64,
    },
    /// The home's other clocks agree on another time (T-07).
    Outlier {
        /// By how many milliseconds this one is ahead of them; less than zero is behind.
        by_ms: i64,
    },
    /// The clocks differ, and none of them has a majority (T-07).
    Split {
        /// The other device that differs most.
        device: DeviceId,
        /// By how many milliseconds this one is ahead of it.
        by_ms: i64,
    },
    /// This clock is right, and another device's is not (T-07).
    Other {
        /// Which.
        device: DeviceId,
        /// By how many milliseconds it is ahead of this one.
        by_ms: i64,
    },
}

impl ClockDoubt {
    const fn level(&self) -> ClockLevel {
        match self {
            Self::Year(_)
            | Self::BehindItself { .. }
            | Self::BehindEntries { unexplained: true, .. }
            | Self::LongAgo { too_long: true, .. } => ClockLevel::Red,
            Self::Outlier { by_ms }
            | Self::Split { by_ms, .. }
            | Self::Set { by_ms, or_slept: false } => {
                if by_ms.unsigned_abs() > CLOCK_RED_MS.unsigned_abs() {
                    ClockLevel::Red
                } else {
                    ClockLevel::Amber
                }
            }
            // Most computers that were off for long were off; and recording goes on (W-08).
            Self::Off { .. }
            | Self::Set { or_slept: true, .. }
            | Self::LongAgo { too_long: false, .. }
            | Self::BehindEntries { unexplained: false, .. }
            | Self::Other { .. } => ClockLevel::Amber,
        }
    }

    /// Whether what is worked out with this clock may be wrong by more than five minutes.
    const fn spoils_times(&self) -> bool {
        match self {
            Self::Other { .. } => false,
            Self::BehindEntries { unexplained, .. } => *unexplained,
            Self::Set { by_ms, .. } | Self::Outlier { by_ms } | Self::Split { by_ms, .. } => {
                by_ms.unsigned_abs() > CLOCK_RED_MS.unsigned_abs()
            }
            Self::Year(_) | Self::BehindItself { .. } | Self::LongAgo { .. } | Self::Off { .. } => {
                true
            }
        }
    }

    /// Returns the number of the rule that it falls under.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::BehindItself { .. } => "T-08",
            Self::Year(_)
            | Self::Set { .. }
            | Self::LongAgo { .. }
            | Self::Off { .. }
            | Self::Outlier { .. }
            | Self::Split { .. }
            | Self::BehindEntries { .. }
            | Self::Other { .. } => "T-07",
        }
    }
}

/// How a clock stands. Without doubts it is right as far as anybody can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClockStanding {
    /// What speaks against it, or against another device's clock.
    pub doubts: Vec<ClockDoubt>,
    /// Whether another clock says the same time.
    pub vouched: bool,
}

/// Nothing about residents is recorded with this clock (T-07, T-08).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct ClockRefusal {
    /// The rule's number.
    pub rule: &'static str,
    /// In words, with what to do.
    pub words: String,
}

impl ClockStanding {
    /// Returns how much the clock is to be believed.
    #[must_use]
    pub fn level(&self) -> ClockLevel {
        self.doubts.iter().map(ClockDoubt::level).max().unwrap_or(ClockLevel::Right)
    }

    /// Whether times that are worked out with this clock may be shown as they are: when a dose is
    /// due, and whether a when-required dose may be given now.
    #[must_use]
    pub fn times_hold(&self) -> bool {
        !self.doubts.iter().any(ClockDoubt::spoils_times)
    }

    /// Whether the same is said of it, by the same devices, whatever the number of minutes: it need
    /// not be told again.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let of = |doubt: &ClockDoubt| match doubt {
            ClockDoubt::Split { device, .. }
            | ClockDoubt::BehindEntries { device, .. }
            | ClockDoubt::Other { device, .. } => Some(*device),
            ClockDoubt::Year(_)
            | ClockDoubt::BehindItself { .. }
            | ClockDoubt::Set { .. }
            | ClockDoubt::LongAgo { .. }
            | ClockDoubt::Off { .. }
            | ClockDoubt::Outlier { .. } => None,
        };
        let like = |(a, b): (&ClockDoubt, &ClockDoubt)| {
            std::mem::discriminant(a) == std::mem::discriminant(b)
                && (a.level(), of(a)) == (b.level(), of(b))
        };
        self.doubts.len() == other.doubts.len() && self.doubts.iter().zip(&other.doubts).all(like)
    }

    /// Whether nothing speaks against this device's own clock.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.doubts.iter().all(|doubt| {
            matches!(
                doubt,
                ClockDoubt::Other { .. } | ClockDoubt::BehindEntries { unexplained: false, .. }
            )
        })
    }

    /// Whether the date at least is right.
    #[must_use]
    pub fn day_holds(&self) -> bool {
        let half_a_day = u64::from(DAY.0) * 30_000;
        self.doubts.iter().all(|doubt| match doubt {
            ClockDoubt::Year(_) | ClockDoubt::LongAgo { .. } => false,
            ClockDoubt::BehindItself { by_ms }
            | ClockDoubt::BehindEntries { by_ms, unexplained: true, .. }
            | ClockDoubt::Set { by_ms, .. }
            | ClockDoubt::Off { by_ms }
            | ClockDoubt::Outlier { by_ms }
            | ClockDoubt::Split { by_ms, .. } => by_ms.unsigned_abs() < half_a_day,
            ClockDoubt::BehindEntries { unexplained: false, .. } | ClockDoubt::Other { .. } => true,
        })
    }

    /// Whether nobody can go by the date at all: what is due, and what waits, cannot be said then.
    #[must_use]
    pub fn day_is_lost(&self) -> bool {
        self.level() == ClockLevel::Red && !self.day_holds()
    }

    /// Returns the earliest time that it may be, where this clock, which shows `now`, is ahead;
    /// `now` where it is not. `None` where that cannot be said.
    #[must_use]
    pub fn earliest(&self, now: Timestamp) -> Option<Timestamp> {
        self.doubts.iter().try_fold(now, |earliest, doubt| {
            let at = match doubt {
                ClockDoubt::Year(_) => return None,
                ClockDoubt::LongAgo { last, .. } => *last,
                // A clock that was ahead when the machine was started may have been set besides.
                ClockDoubt::Set { by_ms, .. }
                | ClockDoubt::Off { by_ms }
                | ClockDoubt::Outlier { by_ms }
                | ClockDoubt::Split { by_ms, .. } => {
                    Timestamp(earliest.0.saturating_sub((*by_ms).max(0)))
                }
                ClockDoubt::BehindItself { .. }
                | ClockDoubt::BehindEntries { .. }
                | ClockDoubt::Other { .. } => now,
            };
            Some(earliest.min(at))
        })
    }

    /// Returns the latest time that it may be as far as is known, where this clock, which shows `now`,
    /// is behind; `now` where it is not.
    #[must_use]
    pub fn latest(&self, now: Timestamp) -> Timestamp {
        let behind = |doubt: &ClockDoubt| match doubt {
            ClockDoubt::BehindItself { by_ms }
            | ClockDoubt::BehindEntries { by_ms, unexplained: true, .. } => *by_ms,
            ClockDoubt::Set { by_ms, .. }
            | ClockDoubt::Outlier { by_ms }
            | ClockDoubt::Split { by_ms, .. } => by_ms.saturating_neg(),
            ClockDoubt::Year(_)
            | ClockDoubt::LongAgo { .. }
            | ClockDoubt::Off { .. }
            | ClockDoubt::BehindEntries { unexplained: false, .. }
            | ClockDoubt::Other { .. } => 0,
        };
        let by_ms = self.doubts.iter().map(behind).max().unwrap_or(0).max(0);
        Timestamp(now.0.saturating_add(by_ms))
    }

    /// Says whether something may be recorded with this clock (T-07). What makes the home safer
    /// always may: a stop and a hold (W-06).
    ///
    /// # Errors
    ///
    /// Returns the rule and what to do.
    pub fn may_record(&self, ask: &Ask, home: &HomePicture, zone: Tz) -> Result<(), Refusal> {
        let worst = self.doubts.iter().find(|doubt| doubt.level() == ClockLevel::Red);
        let safe = matches!(ask, Ask::Order(_, AskOrder::Stop { .. } | AskOrder::Hold { .. }));
        match (worst, self.words(home, zone)) {
            (Some(doubt), Some(words)) if needs_the_time(ask) && !safe => {
                Err(ClockRefusal { rule: doubt.rule(), words }.into())
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }
}

/// Whether the time matters of what is asked, so that it takes a clock that is right. Who somebody
/// is and what they are allergic to can always be said, and a look at a chart is always noted.
#[must_use]
pub const fn needs_the_time(ask: &Ask) -> bool {
    match ask {
        Ask::Home(_)
        | Ask::Resident(
            _,
            AskResident::NoteAccess { .. }
            | AskResident::WriteIdentity(_)
            | AskResident::WriteAllergies(_),
        ) => false,
        Ask::Resident(
            _,
            AskResident::ChangeStatus(_)
            | AskResident::CheckPage(_)
            | AskResident::OpenFollowUp { .. }
            | AskResident::ContinueFollowUp { .. }
            | AskResident::CloseFollowUp { .. },
        )
        | Ask::Order(..)
        | Ask::Dose(..) => true,
    }
}

/// Whether a fact is written only by a clock that is not red, or says the time that a person typed:
/// what [`needs_the_time`] asks of commands, but for a stop and a hold, which wait for none (W-06).
#[must_use]
pub const fn tells_the_time(fact: &Fact) -> bool {
    match fact {
        Fact::Home(HomeFact::TimeTyped { .. })
        | Fact::Resident(ResidentFact::StatusChanged(_))
        | Fact::Dose(_)
        | Fact::FollowUp(_) => true,
        Fact::Order(fact) => !matches!(fact, OrderFact::Held { .. } | OrderFact::Stopped { .. }),
        Fact::Home(
            HomeFact::SettingsSet(_) | HomeFact::StaffWritten { .. } | HomeFact::PinSet { .. },
        )
        | Fact::Resident(ResidentFact::IdentityWritten(_) | ResidentFact::AllergiesWritten(_))
        | Fact::Membership(_)
        | Fact::Access(_)
        | Fact::Unknown => false,
    }
}
