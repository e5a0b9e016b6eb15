//! What is due, late or unrecorded: functions of (picture, now), never stored (D-04).

use crate::ids::{AdministrationId, ResidentId};
use crate::order::Version;
use crate::outcome::Outcome;
use crate::picture::{Administration, HomePicture, OrderHistory, ResidentPicture};
use crate::resident::Whereabouts;
use crate::rules;
use crate::schedule::{Slot, SlotId};
use crate::settings::Settings;
use crate::time::Timestamp;
use chrono::NaiveDate;

/// One due dose with what became of it.
#[derive(Debug, Clone)]
pub struct Due<'p> {
    /// The resident.
    pub resident: ResidentId,
    /// The slot.
    pub slot: Slot,
    /// The version that it is due from.
    pub version: &'p Version,
    /// Its state at the time asked.
    pub state: DueState,
    /// Why nothing is expected of it; `None` when something is.
    pub suspended: Option<Suspension>,
    /// The administrations recorded for it that are effective, in order of true time.
    pub recorded: Vec<&'p Administration>,
    /// From when the minimum gap lets it be given, where that is later than its due time (W-02).
    pub not_before: Option<Timestamp>,
}

/// The states of a due dose, in the words of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueState {
    /// Its window is not open.
    NotDue,
    /// Its window is open.
    Due,
    /// Its window has closed; it may still be given with a reason.
    Late,
    /// Nobody recorded it: not known, and never "not given" (D-04).
    Unrecorded,
    /// It has an outcome.
    Recorded,
    /// It stands on a paper sheet.
    OnPaper,
}

impl DueState {
    /// Returns the state's word on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotDue => "not-due",
            Self::Due => "due",
            Self::Late => "late",
            Self::Unrecorded => "unrecorded",
            Self::Recorded => "recorded",
            Self::OnPaper => "on-paper",
        }
    }
}

/// Why nothing is expected of a slot (R-05, O-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspension {
    /// The order was held.
    Held,
    /// The resident was in hospital.
    Hospital,
    /// The resident was on leave.
    Leave,
    /// The resident had left or died.
    Gone,
}

impl Suspension {
    /// Returns the outcome whose letters stand in the box; `None` for a box that is ruled off.
    #[must_use]
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Held => Some(Outcome::Held),
            Self::Hospital => Some(Outcome::Hospital),
            Self::Leave => Some(Outcome::Leave),
            Self::Gone => None,
        }
    }
}

/// Returns the doses of a resident that are due in the half-open span `[from, to)`, in order of due
/// time, with their state at `now`.
#[must_use]
pub fn due<'p>(
    home: &HomePicture,
    resident: &'p ResidentPicture,
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> Vec<Due<'p>> {
    let fallback = Settings::new("-", NaiveDate::default());
    let settings = rules::by_date(home, &fallback);
    let taken = rules::taken(home, resident, from.minus(rules::LOOK_BACK));
    let mut found = Vec::new();
    for history in resident.orders.values() {
        for slot in history.slots(&settings, from, to) {
            let Some(view) = history.version(slot.id.version) else {
                continue;
            };
            let recorded = recorded_for(resident, &slot.id);
            let suspended = suspension(resident, history, &slot);
            let mut due = Due {
                resident: resident.id,
                state: DueState::NotDue,
                version: view.version,
                suspended,
                recorded,
                not_before: None,
                slot,
            };
            due.state = state(&due, now);
            if matches!(due.state, DueState::NotDue | DueState::Due | DueState::Late) {
                due.not_before = not_before(&due, &taken);
            }
            found.push(due);
        }
    }
    found.sort_by(|a, b| (a.slot.due, &a.slot.id).cmp(&(b.slot.due, &b.slot.id)));
    found
}

/// Returns the effective administrations of a slot, in order of true time. Most slots have one.
#[must_use]
pub fn recorded_for<'p>(resident: &'p ResidentPicture, slot: &SlotId) -> Vec<&'p Administration> {
    let mut found: Vec<&Administration> = resident
        .administrations
        .values()
        .filter(|a| {
            a.record().is_some_and(|(_, o)| o.slot.as_ref() == Some(slot))
                && a.effective().is_some()
        })
        .collect();
    found.sort_by_key(|a| (a.effective().map(|r| r.given_at), a.id()));
    found
}

/// Returns the one of a slot's administrations that stands in its box: the first that was taken,
/// else the last recorded. The others are shown as its history, and more than one taken is a
/// possible double dose.
#[must_use]
pub fn shown<'p>(recorded: &[&'p Administration]) -> Option<&'p Administration> {
    let taken = |a: &&&Administration| a.effective().is_some_and(|r| r.outcome.is_taken());
    recorded.iter().find(taken).or(recorded.last()).copied()
}

fn state(due: &Due<'_>, now: Timestamp) -> DueState {
    if let Some(outcome) = shown(&due.recorded).and_then(|a| a.effective()).map(|r| r.outcome) {
        return if outcome == Outcome::OnPaper { DueState::OnPaper } else { DueState::Recorded };
    }
    let window = due.slot.window;
    if due.suspended.is_some() || now < window.from {
        DueState::NotDue
    } else if now <= window.to {
        DueState::Due
    } else if now <= window.unrecorded_after {
        DueState::Late
    } else {
        DueState::Unrecorded
    }
}

fn suspension(
    resident: &ResidentPicture,
    history: &OrderHistory,
    slot: &Slot,
) -> Option<Suspension> {
    match resident.whereabouts(slot.due) {
        Whereabouts::Hospital => return Some(Suspension::Hospital),
        Whereabouts::DayLeave | Whereabouts::OvernightLeave => return Some(Suspension::Leave),
        Whereabouts::Discharged | Whereabouts::Deceased => return Some(Suspension::Gone),
        Whereabouts::Present => {}
    }
    let held = history
        .held_spans()
        .iter()
        .any(|(from, to)| slot.due >= *from && to.is_none_or(|to| slot.due < to));
    held.then_some(Suspension::Held)
}

fn not_before(due: &Due<'_>, taken: &[rules::Taken<'_>]) -> Option<Timestamp> {
    let order = (due.version.order, &due.version.content);
    match rules::gap_allows(order, taken, due.slot.due) {
        Err(rules::Limit::Interval { earliest, .. }) => {
            Some(earliest).filter(|at| *at > due.slot.due)
        }
        Ok(()) | Err(rules::Limit::Amount { .. } | rules::Limit::Ingredient { .. }) => None,
    }
}

/// Returns the administrations outside slots (when required and the like) whose true time lies in
/// the half-open span, in order.
#[must_use]
pub fn unscheduled(
    resident: &ResidentPicture,
    from: Timestamp,
    to: Timestamp,
) -> Vec<(AdministrationId, &Administration)> {
    let mut found: Vec<_> = resident
        .administrations
        .iter()
        .filter(|(_, a)| {
            let outside = a.record().is_some_and(|(_, o)| o.slot.is_none());
            outside && a.effective().is_some_and(|r| r.given_at >= from && r.given_at < to)
        })
        .map(|(id, a)| (*id, a))
        .collect();
    found.sort_by_key(|(id, a)| (a.effective().map(|r| r.given_at), *id));
    found
}
