//! What is due, late or unrecorded: functions of (picture, now), never stored (D-04).

mod withheld;

pub use withheld::withheld;

use crate::fact::Recording;
use crate::first::{self, FirstDose};
use crate::ids::{AdministrationId, OrderId, ResidentId, VersionId};
use crate::order::Version;
use crate::outcome::{Known, Outcome};
use crate::picture::{
    Administration, HomePicture, OrderHistory, ResidentPicture, VersionView, slots_of,
};
use crate::resident::Whereabouts;
use crate::rules::{self, PastMost};
use crate::schedule::{self, Slot, SlotId, SlotKey};
use crate::settings::Settings;
use crate::time::Timestamp;
use chrono::NaiveDate;
use std::collections::BTreeMap;

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
    /// The first dose of its order, which fell due before the check and is wanted now (W-11); `None`
    /// for every other.
    pub first: Option<FirstDose>,
    /// When the first dose of its order was taken, where that was too near before this one: ask the
    /// prescriber or pharmacist before it is given (D-07). `None` for every other.
    pub near: Option<Timestamp>,
    /// What an ingredient would come to with this dose, where that is past its most: ask the
    /// prescriber or pharmacist before it is given (P-04, W-01). `None` for what goes past nothing
    /// or may not be given now.
    pub past_most: Option<PastMost>,
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
    /// Every dose of the course was given (W-11).
    CourseDone,
    /// The order was not checked yet, so that nobody could give it (O-02, S-09).
    NotChecked,
    /// The order was stopped: in [`withheld`] only.
    Stopped,
    /// The order still waits for its check: in [`withheld`] only.
    WaitsForCheck,
}

impl Suspension {
    /// Returns the outcome whose letters stand in the box; `None` for a box that is ruled off.
    #[must_use]
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Held => Some(Outcome::Held),
            Self::Hospital => Some(Outcome::Hospital),
            Self::Leave => Some(Outcome::Leave),
            Self::Gone
            | Self::CourseDone
            | Self::NotChecked
            | Self::Stopped
            | Self::WaitsForCheck => None,
        }
    }

    /// Whether it may be over when a later dose falls due: then its letters stand in no box to come
    ///
    #[must_use]
    pub const fn may_end(self) -> bool {
        match self {
            Self::Held | Self::Hospital | Self::Leave => true,
            Self::Gone
            | Self::CourseDone
            | Self::NotChecked
            | Self::Stopped
            | Self::WaitsForCheck => false,
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
    let recordings = Recordings::of(resident);
    for history in resident.orders.values() {
        let versions = history.versions();
        let day = Day { resident, history, held: history.held_spans(), taken: &taken, now };
        for view in &versions {
            let start = found.len();
            for slot in slots_of(std::slice::from_ref(view), &settings, (from, to)) {
                let recorded = recordings.for_slot(slot.order, &slot.id);
                found.push(day.regular(view, slot, recorded));
            }
            if view.waited.is_some() && found[start..].iter().any(Due::is_to_come) {
                let crowded = first::crowded(resident, view, &settings);
                for due in found[start..].iter_mut().filter(|due| due.is_to_come()) {
                    let near = crowded.as_ref().filter(|(next, _)| next.id == due.slot.id);
                    due.near = near.map(|(_, last)| *last);
                }
            }
            let Some((waited, begins)) = view.waited.zip(view.from) else { continue };
            let span = (from.max(waited.begins), to.min(begins));
            let slots = schedule::slots(view.version, &settings, span.0, span.1);
            let first = (!slots.is_empty()).then(|| first::first_dose(view, &settings)).flatten();
            for slot in slots {
                let recorded = recordings.for_slot(slot.order, &slot.id);
                let asked = first.as_ref().is_some_and(|f| f.slot.id == slot.id && f.is_listed());
                let listed = match waited.carried {
                    Some(_) => asked && takes_over(&mut found, view, &slot, &recorded),
                    None => slot.due >= waited.ours || asked || !recorded.is_empty(),
                };
                if listed {
                    found.push(day.unchecked(view, (slot, first.clone()), recorded));
                }
            }
        }
    }
    for due in found.iter_mut().filter(|due| due.is_to_come()) {
        due.past_most = rules::past_most(&due.version.content, &due.slot, &taken, now);
    }
    found.sort_by(|a, b| (a.slot.due, &a.slot.id).cmp(&(b.slot.due, &b.slot.id)));
    found
}

/// Whether the first dose of a changed order stands in this version. Where the version before has
/// it on record it stays there; else it leaves that one, so that it is listed once.
fn takes_over(
    found: &mut Vec<Due<'_>>,
    view: &VersionView<'_>,
    slot: &Slot,
    recorded: &[&Administration],
) -> bool {
    let of_this = |s: &SlotId| s.version == view.version.id;
    let elsewhere = recorded
        .iter()
        .filter_map(|a| a.record())
        .any(|(_, o)| o.slot.as_ref().is_some_and(|slot| !of_this(slot)));
    if !elsewhere {
        let place = SlotPlace::of(slot.order, &slot.id);
        found.retain(|due| SlotPlace::of(due.slot.order, &due.slot.id) != place);
    }
    !elsewhere
}

impl<'p> Due<'p> {
    /// Returns the administrations of this slot of which something was taken, in order of true time.
    pub fn taken(&self) -> impl Iterator<Item = &'p Administration> {
        let taken = |a: &Administration| a.effective().is_some_and(|r| r.outcome.is_taken());
        self.recorded.iter().copied().filter(move |a| taken(a))
    }

    /// Whether more than one administration of this slot is held to have been taken (Y-03).
    #[must_use]
    pub fn is_possible_double_dose(&self) -> bool {
        self.taken().nth(1).is_some()
    }

    /// Whether nobody recorded it and it may still be given.
    fn is_to_come(&self) -> bool {
        self.suspended.is_none()
            && matches!(self.state, DueState::NotDue | DueState::Due | DueState::Late)
    }
}

/// What the doses of one order have in common.
struct Day<'p, 'd> {
    resident: &'p ResidentPicture,
    history: &'p OrderHistory,
    held: Vec<(Timestamp, Option<Timestamp>)>,
    taken: &'d [rules::Taken<'p>],
    now: Timestamp,
}

impl<'p> Day<'p, '_> {
    fn regular(
        &self,
        view: &VersionView<'p>,
        slot: Slot,
        recorded: Vec<&'p Administration>,
    ) -> Due<'p> {
        let course = view.version.content.course_doses;
        let ended = course.and_then(|doses| self.resident.course_ended(self.history.id, doses));
        let done = ended.is_some_and(|at| slot.due > at && recorded.is_empty());
        let suspended = suspension(self.resident, &self.held, &slot)
            .or_else(|| done.then_some(Suspension::CourseDone));
        let mut due = Due {
            resident: self.resident.id,
            state: DueState::NotDue,
            version: view.version,
            suspended,
            recorded,
            not_before: None,
            first: None,
            near: None,
            past_most: None,
            slot,
        };
        due.state = state(&due, self.now);
        if matches!(due.state, DueState::NotDue | DueState::Due | DueState::Late) {
            due.not_before = not_before(&due, self.taken);
        }
        due
    }

    /// A dose that nobody is to give: nothing is expected of it, and it may have been recorded.
    fn withheld(
        &self,
        view: &VersionView<'p>,
        slot: Slot,
        recorded: Vec<&'p Administration>,
    ) -> Due<'p> {
        let mut due = self.regular(view, slot, recorded);
        if due.recorded.is_empty() {
            due.state = DueState::NotDue;
        }
        due.not_before = None;
        due
    }

    /// A dose that fell due before the check: nothing was expected of it, and the last one is asked
    /// for while there is time before the next (S-09, W-11).
    fn unchecked(
        &self,
        view: &VersionView<'p>,
        (slot, first): (Slot, Option<FirstDose>),
        recorded: Vec<&'p Administration>,
    ) -> Due<'p> {
        let open = first.filter(|first| {
            let wanted = first.is_listed() && first.slot.id == slot.id && recorded.is_empty();
            wanted && first.is_open_at(self.now) && !first::overtaken(first, self.taken)
        });
        let slot = open.as_ref().map_or(slot, |first| first.slot.clone());
        let mut due = self.regular(view, slot, recorded);
        // Where a dose of another order holds it back until it is too near the next, it is not
        // offered at all.
        let from = due.not_before;
        let in_time = |f: &FirstDose| from.is_none_or(|at| f.is_open_at(at.max(f.from)));
        due.first = open.filter(|first| due.suspended.is_none() && in_time(first));
        if due.first.is_none() && due.suspended.is_none() && due.recorded.is_empty() {
            due.suspended = Some(Suspension::NotChecked);
            due.state = DueState::NotDue;
            due.not_before = None;
        }
        due
    }
}

/// Where a slot lies in its order. The same clock time or round on the same day is the same place
/// in every version: a dose taken early, before the version changed, is not due a second time.
/// Intervals are counted anew by each version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SlotPlace<'s> {
    order: OrderId,
    date: NaiveDate,
    key: &'s SlotKey,
    counted_by: Option<VersionId>,
}

impl<'s> SlotPlace<'s> {
    pub(crate) fn of(order: OrderId, slot: &'s SlotId) -> Self {
        let counted_by = matches!(slot.key, SlotKey::Interval(_)).then_some(slot.version);
        Self { order, date: slot.date, key: &slot.key, counted_by }
    }
}

/// The effective administrations of a resident by the place of their slot.
struct Recordings<'p>(BTreeMap<SlotPlace<'p>, Vec<&'p Administration>>);

impl<'p> Recordings<'p> {
    fn of(resident: &'p ResidentPicture) -> Self {
        let mut found: BTreeMap<SlotPlace<'p>, Vec<&'p Administration>> = BTreeMap::new();
        for administration in resident.administrations.values() {
            let slot = administration.record().and_then(|(_, o)| Some((o.order, o.slot.as_ref()?)));
            if let Some((order, slot)) = slot.filter(|_| administration.effective().is_some()) {
                found.entry(SlotPlace::of(order, slot)).or_default().push(administration);
            }
        }
        Self(found)
    }

    fn for_slot(&self, order: OrderId, slot: &SlotId) -> Vec<&'p Administration> {
        let here = self.0.get(&SlotPlace::of(order, slot)).map_or(&[][..], Vec::as_slice);
        of_slot(here.iter().copied(), slot)
    }
}

/// Of the administrations at a slot's place those that are this slot's: its own, and what was taken
/// from another version of the order. In order of true time.
fn of_slot<'p>(
    here: impl Iterator<Item = &'p Administration>,
    slot: &SlotId,
) -> Vec<&'p Administration> {
    let own = |a: &&Administration| a.record().is_some_and(|(_, o)| o.slot.as_ref() == Some(slot));
    let taken = |a: &&Administration| a.effective().is_some_and(|r| r.outcome.is_taken());
    let mut found: Vec<_> = here.filter(|a| own(a) || taken(a)).collect();
    found.sort_by_key(|a| (a.effective().map(|r| r.given_at), a.id()));
    found
}

/// Returns the effective administrations of a slot, in order of true time, with what was taken at
/// the same time of the same order from another version of it. Most slots have one.
#[must_use]
pub fn recorded_for<'p>(resident: &'p ResidentPicture, slot: &SlotId) -> Vec<&'p Administration> {
    let Some(order) = resident.orders.values().find(|h| h.has_version(slot.version)) else {
        return Vec::new();
    };
    let place = SlotPlace::of(order.id, slot);
    let here = resident.administrations.values().filter(|a| {
        a.record().is_some_and(|(_, o)| {
            o.slot.as_ref().is_some_and(|s| SlotPlace::of(o.order, s) == place)
        }) && a.effective().is_some()
    });
    of_slot(here, slot)
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
    let shown = shown(&due.recorded).and_then(|a| a.effective());
    if let Some(recording) = shown.filter(|r| !no_longer_so(due, r)) {
        return if recording.outcome == Outcome::OnPaper {
            DueState::OnPaper
        } else {
            DueState::Recorded
        };
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

/// Away or held was recorded ahead, and when the dose is due the resident is here after all, or the
/// order is given again: the dose is due (R-05, O-12).
fn no_longer_so(due: &Due<'_>, recording: &Recording) -> bool {
    let by_the_record = matches!(recording.outcome.known(), Known::WhileAway | Known::WhileHeld);
    by_the_record && recording.given_at < due.slot.window.from && due.suspended.is_none()
}

fn suspension(
    resident: &ResidentPicture,
    held: &[(Timestamp, Option<Timestamp>)],
    slot: &Slot,
) -> Option<Suspension> {
    match resident.whereabouts(slot.due) {
        Whereabouts::Hospital => return Some(Suspension::Hospital),
        Whereabouts::DayLeave | Whereabouts::OvernightLeave => return Some(Suspension::Leave),
        Whereabouts::Discharged | Whereabouts::Deceased => return Some(Suspension::Gone),
        Whereabouts::Present => {}
    }
    let held = held.iter().any(|(from, to)| slot.due >= *from && to.is_none_or(|to| slot.due < to));
    held.then_some(Suspension::Held)
}

fn not_before(due: &Due<'_>, taken: &[rules::Taken<'_>]) -> Option<Timestamp> {
    let order = (due.version.order, &due.version.content);
    let gap = rules::gap_allows(order, taken, due.slot.due);
    match gap.and_then(|()| rules::weekly_allows(order, taken, due.slot.due)) {
        Err(rules::Limit::Interval { earliest, .. }) => {
            Some(earliest).filter(|at| *at > due.slot.due)
        }
        Ok(())
        | Err(
            rules::Limit::Amount { .. }
            | rules::Limit::Ingredient { .. }
            | rules::Limit::Dose { .. },
        ) => None,
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
