//! Doses that fell due before an order was checked (S-09, W-11): nobody could give them (O-02), and
//! none of them vanishes. They stand on the chart as not checked, and the last of them is asked
//! for: "first dose now", while enough time is left to the next one (W-11, D-07).

use crate::due::recorded_for;
use crate::fact::Recording;
use crate::order::Content;
use crate::picture::{OrderHistory, ResidentPicture, VersionView};
use crate::rules::{self, Taken};
use crate::schedule::{self, Slot};
use crate::settings::Settings;
use crate::time::{DAY, Minutes, Timestamp};
use chrono::NaiveDate;

/// The instants before which a version could not be given, although its doses fell due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waited {
    /// Its start, or the end of the version before it.
    pub begins: Timestamp,
    /// From when on what fell due was this home's to give. An order that began more than a day
    /// before it was written here has been running elsewhere: what fell due before it was written
    /// is history, and was given or not given there.
    ///
    /// It hangs on the writer's wall clock, as the check does. That is tolerable: it chooses words
    /// ("give it" or "ask whether it was given elsewhere") and the boxes of the chart, never
    /// whether a dose may be given, and a clock in doubt writes no order at all (T-06).
    pub ours: Timestamp,
    /// When the version before it, whose first dose may still be open, came into force: what fell
    /// due from then on stood in that one. `None` where no version lay in wait before it.
    pub carried: Option<Timestamp>,
}

impl Waited {
    /// Returns the span of an order that starts at `start`, was first written here at `written`,
    /// and of which earlier versions were in force until `covered`.
    #[must_use]
    pub fn of(start: Timestamp, written: Timestamp, covered: Option<Timestamp>) -> Self {
        let begins = covered.map_or(start, |covered| covered.max(start));
        let new_here = start >= written.minus(DAY);
        Self { begins, ours: if new_here { begins } else { begins.max(written) }, carried: None }
    }

    /// Returns the span of a version that takes over from one which came into force at `from` and
    /// had waited: an order that is changed before its first dose still begins with one (W-11).
    #[must_use]
    pub fn carried_on(self, from: Timestamp) -> Self {
        Self { carried: self.carried.or(Some(from)), ..self }
    }
}

/// What fell due of one order before it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unoffered {
    /// The doses that nobody could offer, in order of due time.
    pub slots: Vec<Slot>,
    /// The last of them where it may be wanted now; `None` where the next one is due already, or
    /// where it is answered.
    pub first: Option<FirstDose>,
    /// Whether nothing is to be done about the last of them, which would be wanted now: somebody
    /// recorded it, or took a later dose (D-06).
    pub answered: bool,
    /// The next dose of the order; `None` when there is none.
    pub next: Option<Slot>,
}

/// The dose that an order begins with, when it fell due before the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstDose {
    /// The dose. Its window is late until [`FirstDose::until`].
    pub slot: Slot,
    /// From when on it can be given: the check.
    pub from: Timestamp,
    /// Until when it can be given, not included: while half of the usual spacing is left to the
    /// next one, and the shortest gap (W-11, D-07), or until two days after its own time for a
    /// weekly dose (W-11). `None` when nothing follows it. It may lie before the check: then it was
    /// never to be given.
    pub until: Option<Timestamp>,
    /// The dose after it; `None` when there is none.
    pub next: Option<Slot>,
    /// Whether it was this home's to give. Of one that was not somebody asks whether it was given
    /// elsewhere.
    pub ours: bool,
    /// Whether its own window was still open at the check.
    pub open_at_check: bool,
    /// What is left at least to the next one's time when it is given.
    room: Minutes,
    /// What the record makes lie between it and the next; `None` for nothing.
    gap: Option<Minutes>,
}

impl FirstDose {
    /// Whether it may be given at `at`, as far as its time goes.
    #[must_use]
    pub fn is_open_at(&self, at: Timestamp) -> bool {
        at >= self.from && self.until.is_none_or(|until| at < until)
    }

    /// Whether it stands on the round while it may be given.
    #[must_use]
    pub const fn is_listed(&self) -> bool {
        self.ours || self.open_at_check
    }

    /// Returns the next dose where one taken at `at` leaves too little time before it: less than
    /// half of the usual spacing, or less than the shortest gap (W-11, D-07).
    #[must_use]
    pub fn too_near(&self, at: Timestamp) -> Option<&Slot> {
        self.next.as_ref().filter(|next| at.plus(self.room) > next.due)
    }

    /// Returns from when on the next dose can be given after this one at `at`: its own time, or
    /// later where a gap holds it back (a weekly one given late, W-11). `None` when there is none.
    #[must_use]
    pub fn next_from(&self, at: Timestamp) -> Option<Timestamp> {
        let next = self.next.as_ref()?;
        Some(self.gap.map_or(next.due, |gap| next.due.max(at.plus(gap))))
    }

    /// Returns the time between a dose given at `at` and the next one's due time; `None` when there
    /// is none.
    #[must_use]
    pub fn spacing(&self, at: Timestamp) -> Option<Minutes> {
        let next = self.next.as_ref()?;
        let minutes = next.due.0.saturating_sub(at.0).max(0) / 60_000;
        u32::try_from(minutes).ok().map(Minutes)
    }
}

/// Returns what fell due of a version before it was checked, or until `now` while it waits for its
/// check; `None` when nothing did.
pub fn unoffered<'s>(
    resident: &ResidentPicture,
    view: &VersionView<'_>,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    now: Timestamp,
) -> Option<Unoffered> {
    let waited = view.waited?;
    let until = view.from.unwrap_or(now);
    let since = if waited.carried.is_some() { until } else { waited.ours };
    let slots = schedule::slots(view.version, settings, since, until);
    let first = first_dose(view, settings);
    if slots.is_empty() && first.is_none() {
        return None;
    }
    let next = next_from(view, settings, until);
    let answered = first.as_ref().is_some_and(|first| is_answered(resident, first));
    let first = first.filter(|_| !answered);
    Some(Unoffered { slots, first, answered, next })
}

/// Returns the dose that a version in force begins with, when it fell due before the check and the
/// next one was not due then; `None` otherwise.
pub fn first_dose<'s>(
    view: &VersionView<'_>,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
) -> Option<FirstDose> {
    let (waited, from) = (view.waited?, view.from?);
    let mut slot = last_before(view, settings, waited.begins, from)?;
    if waited.carried.is_some_and(|carried| slot.due >= carried) {
        return None;
    }
    let next = next_from(view, settings, from);
    if next.as_ref().is_some_and(|next| next.window.from <= from) {
        return None;
    }
    let content = &view.version.content;
    let weekly = rules::is_weekly(&content.schedule);
    let room = room(content, &slot, next.as_ref());
    let gap = [rules::min_gap(content), weekly.then_some(rules::WEEKLY_GAP)];
    let just_after = |at: Timestamp| Timestamp(at.0.saturating_add(1));
    let too_late = weekly.then(|| just_after(slot.due.plus(rules::WEEKLY_LATE)));
    let too_near = next.as_ref().map(|next| just_after(next.due.minus(room)));
    let ends = [next.as_ref().map(|next| next.window.from), view.to, too_late, too_near];
    let open_at_check = from <= slot.window.to;
    let until = ends.into_iter().flatten().min();
    let last = until.map_or(Timestamp(i64::MAX), |until| Timestamp(until.0.saturating_sub(1)));
    slot.window.unrecorded_after = slot.window.unrecorded_after.max(last);
    let ours = slot.due >= waited.ours;
    let gap = gap.into_iter().flatten().max();
    Some(FirstDose { slot, from, until, next, ours, open_at_check, room, gap })
}

/// What is left at least between a first dose and the next one's time: half of what usually lies
/// between the two, and never less than the order's shortest gap (W-11, D-07). Nobody is told to
/// give yesterday's daily dose shortly before today's.
fn room(content: &Content, slot: &Slot, next: Option<&Slot>) -> Minutes {
    let usual = next.map_or(0, |next| next.due.0.saturating_sub(slot.due.0).max(0) / 60_000);
    let half = Minutes(u32::try_from(usual).unwrap_or(u32::MAX).div_ceil(2));
    rules::min_gap(content).map_or(half, |gap| half.max(gap))
}

/// Returns the next dose of a version with the time of the first one, where that was taken too near
/// before it: told as given elsewhere, or given all the same (D-07). `None` where nothing is near.
#[must_use]
pub fn crowded<'s>(
    resident: &ResidentPicture,
    view: &VersionView<'_>,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
) -> Option<(Slot, Timestamp)> {
    let first = first_dose(view, settings)?;
    let recorded = recorded_for(resident, &first.slot.id);
    let taken = recorded.iter().filter_map(|a| a.effective()).filter(|r| r.outcome.is_taken());
    let last = taken.map(|r| r.given_at).max()?;
    Some((first.too_near(last)?.clone(), last))
}

/// Whether a version is the one that is followed at an instant.
fn is_in_force(view: &VersionView<'_>, at: Timestamp) -> bool {
    view.from.is_some_and(|from| from <= at) && view.to.is_none_or(|to| at < to)
}

/// The same for the version that is followed now, while nobody recorded the next dose and its time
/// has not passed.
#[must_use]
pub fn next_in_doubt<'s>(
    resident: &ResidentPicture,
    history: &OrderHistory,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    now: Timestamp,
) -> Option<(Slot, Timestamp)> {
    if history.hold().is_some() || history.stopped_at().is_some_and(|at| at <= now) {
        return None;
    }
    let versions = history.versions();
    let view = versions.iter().find(|view| is_in_force(view, now))?;
    let (next, last) = crowded(resident, view, settings)?;
    let open = now <= next.window.unrecorded_after && recorded_for(resident, &next.id).is_empty();
    open.then_some((next, last))
}

/// Returns the first dose of an order that somebody still has to answer for: nobody recorded it or a
/// later dose, and the next one has not taken its place. Of one that was not this home's to give it
/// is asked whether it was given elsewhere, until the next one's window opens.
#[must_use]
pub fn unanswered<'s>(
    resident: &ResidentPicture,
    history: &OrderHistory,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    now: Timestamp,
) -> Option<FirstDose> {
    if history.hold().is_some() || history.stopped_at().is_some_and(|at| at <= now) {
        return None;
    }
    let versions = history.versions();
    let first = first_dose(versions.iter().find(|view| is_in_force(view, now))?, settings)?;
    let passed = first.next.as_ref().is_some_and(|next| {
        if first.ours { now > next.window.unrecorded_after } else { now >= next.window.from }
    });
    let away = !resident.whereabouts(first.slot.due).is_present();
    (!passed && !away && !is_answered(resident, &first)).then_some(first)
}

/// Whether somebody recorded a first dose or one after the check, or a dose of the order was taken
/// since the first one fell due.
fn is_answered(resident: &ResidentPicture, first: &FirstDose) -> bool {
    !recorded_for(resident, &first.slot.id).is_empty()
        || resident.administrations.values().any(|a| {
            let since = |r: &Recording| {
                r.given_at >= first.from || (r.outcome.is_taken() && r.given_at >= first.slot.due)
            };
            a.record().is_some_and(|(_, o)| o.order == first.slot.order)
                && a.effective().is_some_and(since)
        })
}

/// Whether another dose of the order was taken since the first one fell due: then that one was the
/// first.
#[must_use]
pub(crate) fn overtaken(first: &FirstDose, taken: &[Taken<'_>]) -> bool {
    taken.iter().any(|t| {
        t.order == first.slot.order && t.slot != Some(&first.slot.id) && t.at >= first.slot.due
    })
}

/// Schedules are looked through in steps that grow, so that a yearly one is found too.
const STEPS: [u32; 6] = [2, 8, 32, 128, 512, 2_048];

fn last_before<'s>(
    view: &VersionView<'_>,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    begins: Timestamp,
    before: Timestamp,
) -> Option<Slot> {
    let mut until = before;
    for days in STEPS {
        let from = before.minus(Minutes(days * 24 * 60)).max(begins);
        if let Some(last) = schedule::slots(view.version, settings, from, until).pop() {
            return Some(last);
        }
        if from <= begins {
            return None;
        }
        until = from;
    }
    None
}

fn next_from<'s>(
    view: &VersionView<'_>,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    from: Timestamp,
) -> Option<Slot> {
    let ends = view.to.unwrap_or(Timestamp(i64::MAX));
    let mut begin = from;
    for days in STEPS {
        let until = from.plus(Minutes(days * 24 * 60)).min(ends);
        let found = schedule::slots(view.version, settings, begin, until);
        if let Some(next) = found.into_iter().next() {
            return Some(next);
        }
        if until >= ends {
            return None;
        }
        begin = until;
    }
    None
}
