//! Why the record would not accept a command. Nothing was written.
//!
//! The text is plain English. `Display` is for the logs, with times in UTC; [`Refusal::words`] is what
//! a person reads, with times in the home's zone. The window words the same variants itself.

mod dose;
mod entry;
mod missing;
mod order;
mod who;

pub use dose::DoseRefusal;
pub use entry::EntryRefusal;
pub use missing::Missing;
pub use order::{OrderRefusal, PageLine};
pub use who::WhoRefusal;

use crate::clock::ClockRefusal;
use crate::ids::DeviceId;
use crate::outcome::Known;
use crate::rules::Limit;
use crate::time::{Timestamp, Tz};

/// Why the record would not accept a command, by what it was about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Who asked.
    #[error(transparent)]
    Who(#[from] WhoRefusal),
    /// What is not there.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A resident, staff or settings entry that cannot be right.
    #[error(transparent)]
    Entry(#[from] EntryRefusal),
    /// An order.
    #[error(transparent)]
    Order(#[from] OrderRefusal),
    /// A dose.
    #[error(transparent)]
    Dose(#[from] DoseRefusal),
    /// The device's clock.
    #[error(transparent)]
    Clock(#[from] ClockRefusal),
}

impl Refusal {
    /// Returns the number of the rule that refuses.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Who(who) => who.rule(),
            Self::Missing(_) => "U-01",
            Self::Entry(entry) => entry.rule(),
            Self::Order(order) => order.rule(),
            Self::Dose(dose) => dose.rule(),
            Self::Clock(clock) => clock.rule,
        }
    }

    /// Returns from when the same command would be accepted; `None` when time does not help.
    #[must_use]
    pub const fn earliest(&self) -> Option<Timestamp> {
        match self {
            Self::Dose(DoseRefusal::Limit(Limit::Interval { earliest, .. })) => Some(*earliest),
            Self::Dose(DoseRefusal::Limit(
                Limit::Amount { earliest, .. } | Limit::Ingredient { earliest, .. },
            )) => *earliest,
            Self::Dose(DoseRefusal::NotYet { outcome, from })
                if matches!(outcome.known(), Known::AtTheOffer) =>
            {
                Some(*from)
            }
            Self::Who(_)
            | Self::Missing(_)
            | Self::Entry(_)
            | Self::Order(_)
            | Self::Dose(_)
            | Self::Clock(_) => None,
        }
    }

    /// Returns what a person reads, with times in the home's zone.
    #[must_use]
    pub fn words(&self, zone: Tz) -> String {
        match self {
            Self::Dose(dose) => dose.words(zone),
            Self::Who(_) | Self::Missing(_) | Self::Entry(_) | Self::Order(_) | Self::Clock(_) => {
                self.to_string()
            }
        }
    }

    /// Returns the lines of a page that cannot be checked; empty for other refusals.
    #[must_use]
    pub fn page_lines(&self) -> &[PageLine] {
        let Self::Order(OrderRefusal::Page { lines, .. }) = self else { return &[] };
        lines
    }

    /// Returns the unheard devices that the person is asked about (W-16); empty for other refusals.
    #[must_use]
    pub fn unheard(&self) -> &[DeviceId] {
        let Self::Dose(DoseRefusal::Unheard { devices, .. }) = self else { return &[] };
        devices
    }
}

/// A time as a person reads it: `Sun 22 Nov 2026 08:40 GMT`.
pub(crate) fn moment(at: Timestamp, zone: Tz) -> String {
    let local = at.utc().with_timezone(&zone);
    format!("{} {}", crate::words::date(local.date_naive()), local.format("%H:%M %Z"))
}
