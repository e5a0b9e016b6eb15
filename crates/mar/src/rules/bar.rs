//! What keeps a when-required order from being given now, whatever its limits say.

use crate::ids::OrderId;
use crate::order::State;
use crate::picture::{OrderHistory, ResidentPicture};
use crate::resident::Whereabouts;
use crate::time::Timestamp;

/// What keeps an order from being given, besides its limits. A card or a sheet that says "may be
/// given" of such an order would have it prepared, and the refusal would come too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// Something was written for the resident that cannot be read here (Y-11).
    Unread,
    /// The resident is not in the home.
    Away(Whereabouts),
    /// The order is not in force (O-02, O-11).
    Order(State),
    /// Every dose of the course was given.
    CourseDone,
}

impl Bar {
    /// Returns why, as the end of a sentence: "the resident is in hospital".
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Unread => "something written for this resident cannot be read here",
            Self::Away(Whereabouts::Present) => "the resident is in the home",
            Self::Away(Whereabouts::DayLeave | Whereabouts::OvernightLeave) => {
                "the resident is on leave"
            }
            Self::Away(Whereabouts::Hospital) => "the resident is in hospital",
            Self::Away(Whereabouts::Discharged) => "the resident has left the home",
            Self::Away(Whereabouts::Deceased) => "the resident has died",
            Self::Order(State::Proposal) => "this order is imported and nobody confirmed it",
            Self::Order(State::AwaitingSecondCheck) => "this order is awaiting its second check",
            Self::Order(State::Active) => "this order is not in force at this time",
            Self::Order(State::Held) => "this order is held",
            Self::Order(State::Stopped) => "this order is stopped",
            Self::Order(State::Rejected) => "this order was turned down",
            Self::CourseDone => "every dose of the course was given",
        }
    }
}

/// Returns what keeps an order from being given at `now`, besides its limits; `None` for nothing. A
/// rescue medicine waits for no hold, no absence and no update (W-05).
#[must_use]
pub fn barred(resident: &ResidentPicture, order: OrderId, now: Timestamp) -> Option<Bar> {
    let history = resident.orders.get(&order)?;
    let content = &history.best_version(now)?.content;
    let rescue = content.flags.rescue;
    if resident.needs_update() && !rescue {
        return Some(Bar::Unread);
    }
    let whereabouts = resident.whereabouts(now);
    let away = match whereabouts {
        Whereabouts::Present => false,
        Whereabouts::DayLeave | Whereabouts::OvernightLeave | Whereabouts::Hospital => !rescue,
        Whereabouts::Discharged | Whereabouts::Deceased => true,
    };
    if away {
        return Some(Bar::Away(whereabouts));
    }
    if let Some(state) = out_of_force(history, now, rescue) {
        return Some(Bar::Order(state));
    }
    let ended = content.course_doses.and_then(|doses| resident.course_ended(order, doses));
    ended.is_some().then_some(Bar::CourseDone)
}

fn out_of_force(history: &OrderHistory, now: Timestamp, rescue: bool) -> Option<State> {
    if history.stopped_at().is_some_and(|stopped| now >= stopped) {
        return Some(State::Stopped);
    }
    if history.hold().is_some() && !rescue {
        return Some(State::Held);
    }
    history.version_at(now).is_none().then(|| history.state(now))
}
