//! One order through its versions, checks, holds and stop.

use super::{Recorded, Writes, counting, heads, heads_within};
use crate::fact::{Fact, OrderFact};
use crate::first::Waited;
use crate::ids::{EntryId, OrderId, StaffId, VersionId};
use crate::order::{Proposal, State, Supply, Version};
use crate::schedule::{self, Slot};
use crate::settings::Settings;
use crate::time::Timestamp;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All that was ever written of one order.
#[derive(Debug, Clone)]
pub struct OrderHistory {
    /// The order.
    pub id: OrderId,
    entries: Writes,
}

/// One version of an order, with what became of it.
#[derive(Debug, Clone)]
pub struct VersionView<'p> {
    /// What it says.
    pub version: &'p Version,
    /// The entry that wrote it.
    pub written: &'p Arc<Recorded>,
    /// The second person's check; `None` until there is one.
    pub checked: Option<&'p Arc<Recorded>>,
    /// The activation by one person alone; `None` when it was not needed.
    pub alone: Option<&'p Arc<Recorded>>,
    /// Whether it was turned down.
    pub rejected: bool,
    /// Whether another version was written apart from it: two drafts that need a person (Y-01).
    pub conflict: bool,
    /// From when it is in force; `None` while it is not active.
    pub from: Option<Timestamp>,
    /// When the next version, the stop or its own end takes over; `None` for "until stopped".
    pub to: Option<Timestamp>,
    /// Since when its doses fell due while nothing could be given from it; `None` when they did not.
    pub waited: Option<Waited>,
}

impl OrderHistory {
    /// An order of which nothing is held yet.
    #[must_use]
    pub const fn new(id: OrderId) -> Self {
        Self { id, entries: Writes::new() }
    }

    pub(super) fn apply(&mut self, entry: &Arc<Recorded>) {
        self.entries.insert(entry.id, entry.clone());
    }

    /// Returns every entry about the order.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Recorded>> {
        self.entries.values()
    }

    fn facts(&self) -> Vec<(&Arc<Recorded>, &OrderFact)> {
        counting(&self.entries)
            .into_iter()
            .filter_map(|w| if let Fact::Order(fact) = &w.fact { Some((w, fact)) } else { None })
            .collect()
    }

    /// Returns the imported proposal; `None` for an order written by hand. When the sender sent a
    /// changed one, the last.
    #[must_use]
    pub fn proposal(&self) -> Option<&Proposal> {
        self.facts().into_iter().rev().find_map(|(_, f)| {
            if let OrderFact::Proposed { proposal, .. } = f { Some(proposal) } else { None }
        })
    }

    /// Returns the supplies under the order, oldest first (W-10).
    #[must_use]
    pub fn supplies(&self) -> Vec<&Supply> {
        self.facts()
            .into_iter()
            .filter_map(
                |(_, f)| {
                    if let OrderFact::Supplied(supply) = f { Some(supply) } else { None }
                },
            )
            .collect()
    }

    /// Returns the versions in the order in which they were written.
    #[must_use]
    pub fn versions(&self) -> Vec<VersionView<'_>> {
        let facts = self.facts();
        let mut views: Vec<VersionView<'_>> = facts
            .iter()
            .filter_map(|(w, f)| {
                if let OrderFact::Written(version) = f { Some((*w, version)) } else { None }
            })
            .map(|(written, version)| view(&facts, written, version))
            .collect();
        mark_conflicts(&self.entries, &mut views);
        let stopped = self.stopped_at();
        set_spans(&mut views, stopped);
        self.set_waited(&mut views);
        views
    }

    /// Gives each version that stands the span in which it could not be given although its doses
    /// fell due: from its start, or the end of the version before it, to its check.
    fn set_waited(&self, views: &mut [VersionView<'_>]) {
        let first = self
            .facts()
            .into_iter()
            .filter(|(_, f)| matches!(f, OrderFact::Proposed { .. } | OrderFact::Written(_)));
        let Some(written) = first.map(|(w, _)| w.wall).min() else { return };
        let mut covered: Option<Timestamp> = None;
        let mut before: Option<(Waited, Timestamp, Option<Timestamp>)> = None;
        for view in views.iter_mut().filter(|v| !v.rejected && !v.conflict) {
            let waited = Waited::of(view.version.content.start, written, covered);
            if view.from.is_none_or(|from| waited.begins < from) {
                view.waited = Some(waited);
            } else if let Some((waited, from, to)) = before
                && to == view.from
            {
                view.waited = Some(waited.carried_on(from));
            }
            if let Some(from) = view.from {
                before = view.waited.map(|waited| (waited, from, view.to));
            }
            match (view.from, view.to) {
                (Some(_), Some(to)) => covered = covered.max(Some(to)),
                // What goes on until it is stopped leaves nothing unoffered after it.
                (Some(_), None) => covered = Some(Timestamp(i64::MAX)),
                (None, _) => {}
            }
        }
    }

    /// Whether a version with this id was ever written of this order.
    #[must_use]
    pub fn has_version(&self, id: VersionId) -> bool {
        self.entries.values().any(|w| written(w).is_some_and(|version| version.id == id))
    }

    /// Returns every version that was ever written, by its id, whether it counts or not: a dose
    /// that was taken from it was taken all the same.
    #[must_use]
    pub fn all_written(&self) -> BTreeMap<VersionId, &Version> {
        self.entries
            .values()
            .filter_map(|w| written(w).map(|version| (version.id, version)))
            .collect()
    }

    /// Returns a version with this id even where its entry does not count; then it was never in
    /// force. It is for showing what was recorded from it.
    #[must_use]
    pub fn version_as_written(&self, id: VersionId) -> Option<VersionView<'_>> {
        self.version(id).or_else(|| {
            let of_id = |w: &&Arc<Recorded>| written(w).is_some_and(|v| v.id == id);
            let written_by = self.entries.values().filter(of_id).min_by_key(|w| (w.stamp, w.id))?;
            Some(view(&[], written_by, written(written_by)?))
        })
    }

    /// Returns the instant from which the order is stopped: the earliest of all stops, since a stop
    /// beats a change and a change beats going on (Y-02). A stop is final: what comes after is a
    /// new order.
    #[must_use]
    pub fn stopped_at(&self) -> Option<Timestamp> {
        self.stop().map(|(at, ..)| at)
    }

    /// Returns the stop that holds: when, its entry, who authorised it and why.
    #[must_use]
    pub fn stop(&self) -> Option<(Timestamp, &Arc<Recorded>, &str, &str)> {
        self.facts()
            .into_iter()
            .filter_map(|(w, f)| {
                if let OrderFact::Stopped { at, authorised_by, reason, .. } = f {
                    Some((*at, w, authorised_by.as_str(), reason.as_str()))
                } else {
                    None
                }
            })
            .min_by_key(|(at, w, ..)| (*at, w.stamp))
    }

    fn holds(&self) -> impl Iterator<Item = &Arc<Recorded>> {
        self.entries.values().filter(|w| {
            matches!(&w.fact, Fact::Order(OrderFact::Held { .. } | OrderFact::Resumed { .. }))
        })
    }

    /// Returns the hold in force: its entry and its reason. A hold beats a concurrent resume (Y-02).
    #[must_use]
    pub fn hold(&self) -> Option<(&Arc<Recorded>, &str)> {
        let holds: Vec<_> = self.holds().collect();
        heads_within(&self.entries, &holds).into_iter().rev().find_map(|w| {
            if let Fact::Order(OrderFact::Held { reason, .. }) = &w.fact {
                Some((w, reason.as_str()))
            } else {
                None
            }
        })
    }

    /// Returns when the hold in force is to be looked at again, the earliest where there are several;
    /// `None` for no hold, and where nobody said when (O-12).
    #[must_use]
    pub fn hold_review(&self) -> Option<Timestamp> {
        let holds: Vec<_> = self.holds().collect();
        let in_force = heads_within(&self.entries, &holds).into_iter();
        let reviews = in_force.filter_map(|w| match &w.fact {
            Fact::Order(OrderFact::Held { review, .. }) => *review,
            Fact::Order(_)
            | Fact::Membership(_)
            | Fact::Home(_)
            | Fact::Resident(_)
            | Fact::Dose(_)
            | Fact::FollowUp(_)
            | Fact::Access(_)
            | Fact::Unknown => None,
        });
        reviews.min()
    }

    /// Returns the half-open spans in which the order was held; the end is `None` while it is.
    #[must_use]
    pub fn held_spans(&self) -> Vec<(Timestamp, Option<Timestamp>)> {
        let mut changes: Vec<_> = self.holds().filter(|w| w.standing.counts()).collect();
        // Which came first is told by what its writer saw, never by a wall clock: a device whose
        // clock is behind must not hold for ever what it gave free.
        changes.sort_by_key(|w| (w.stamp, w.id));
        let mut spans: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        for change in changes {
            let holds = matches!(&change.fact, Fact::Order(OrderFact::Held { .. }));
            match (holds, spans.last_mut()) {
                (true, None | Some((_, Some(_)))) => spans.push((change.wall, None)),
                (false, Some((from, end @ None))) => *end = Some(change.wall.max(*from)),
                (true, Some((_, None))) | (false, None | Some((_, Some(_)))) => {}
            }
        }
        match (self.hold(), spans.last_mut()) {
            // A hold that was concurrent with the resume is still in force.
            (Some(_), Some((_, end @ Some(_)))) => *end = None,
            (None, Some((from, end @ None))) => *end = Some(*from),
            (Some(_), Some((_, None)) | None) | (None, Some((_, Some(_))) | None) => {}
        }
        spans
    }

    /// Returns the order's state at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        if self.stopped_at().is_some_and(|at| at <= now) {
            return State::Stopped;
        }
        let versions = self.versions();
        let in_force = || versions.iter().filter(|v| v.from.is_some());
        let waits = |v: &VersionView<'_>| v.from.is_none() && !v.rejected;
        // An order whose last version reached its own end can be given no more.
        if in_force().next().is_some()
            && in_force().all(|v| v.to.is_some_and(|to| to <= now))
            && !versions.last().is_some_and(waits)
        {
            return State::Stopped;
        }
        if in_force().next().is_some() {
            return if self.hold().is_some() { State::Held } else { State::Active };
        }
        if versions.iter().any(|v| !v.rejected) {
            return State::AwaitingSecondCheck;
        }
        let turned_down =
            self.facts().into_iter().any(|(_, f)| matches!(f, OrderFact::Rejected { .. }));
        if turned_down { State::Rejected } else { State::Proposal }
    }

    /// Returns the version to be followed at `at`: active, not superseded, not stopped.
    #[must_use]
    pub fn version_at(&self, at: Timestamp) -> Option<&Version> {
        self.versions()
            .into_iter()
            .find(|v| v.from.is_some_and(|from| from <= at) && v.to.is_none_or(|to| at < to))
            .map(|v| v.version)
    }

    /// Returns the version with this id.
    #[must_use]
    pub fn version(&self, id: VersionId) -> Option<VersionView<'_>> {
        self.versions().into_iter().find(|v| v.version.id == id)
    }

    /// Returns the version that describes the order best: the one in force at `now`, else the
    /// last one that was in force, else the last one written.
    #[must_use]
    pub fn best_version(&self, now: Timestamp) -> Option<&Version> {
        if let Some(version) = self.version_at(now) {
            return Some(version);
        }
        let versions = self.versions();
        let active = versions.iter().rev().find(|v| v.from.is_some());
        active
            .or_else(|| versions.iter().rfind(|v| !v.rejected))
            .or(versions.last())
            .map(|v| v.version)
    }

    /// Returns the version that a dose of `at` was given from: the one in force, else the last that
    /// was before, else the first that came into force after it, else the last one written. `None`
    /// for an order of which no version was written.
    #[must_use]
    pub fn version_about(&self, at: Timestamp) -> Option<VersionView<'_>> {
        let mut versions = self.versions();
        let begun = versions.iter().rposition(|v| v.from.is_some_and(|from| from <= at));
        let later = || versions.iter().position(|v| v.from.is_some());
        let written = || versions.iter().rposition(|v| !v.rejected);
        let found = begun.or_else(later).or_else(written);
        found.or(versions.len().checked_sub(1)).map(|place| versions.swap_remove(place))
    }

    /// Returns the slots due in the half-open span `[from, to)` over all versions in force.
    pub fn slots<'s>(
        &self,
        settings: &dyn Fn(NaiveDate) -> &'s Settings,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<Slot> {
        slots_of(&self.versions(), settings, (from, to))
    }

    /// Returns the heads that a new entry about the order should name.
    #[must_use]
    pub fn heads(&self) -> Vec<EntryId> {
        heads(self.entries.values()).iter().map(|w| w.id).collect()
    }

    /// Whether versions were written apart and a person has to decide (Y-01).
    #[must_use]
    pub fn has_conflict(&self) -> bool {
        self.versions().iter().any(|v| v.conflict)
    }
}

/// Returns the slots due in the half-open span over those of the versions that are in force.
pub(crate) fn slots_of<'s>(
    versions: &[VersionView<'_>],
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    (from, to): (Timestamp, Timestamp),
) -> Vec<Slot> {
    let mut found = Vec::new();
    for view in versions {
        let Some(begins) = view.from else { continue };
        let until = view.to.map_or(to, |end| end.min(to));
        found.extend(schedule::slots(view.version, settings, from.max(begins), until));
    }
    found.sort_by(|a, b| (a.due, &a.id).cmp(&(b.due, &b.id)));
    found
}

fn written(entry: &Recorded) -> Option<&Version> {
    if let Fact::Order(OrderFact::Written(version)) = &entry.fact { Some(version) } else { None }
}

fn view<'p>(
    facts: &[(&'p Arc<Recorded>, &'p OrderFact)],
    written: &'p Arc<Recorded>,
    version: &'p Version,
) -> VersionView<'p> {
    let of_this = |id: &VersionId| *id == version.id;
    let writer: Option<StaffId> = written.staff();
    // Self-check is impossible, also across two devices (O-02): the fold asks again.
    let checked = facts.iter().find_map(|(w, f)| match f {
        OrderFact::Checked { version, .. }
            if of_this(version) && w.staff().is_some() && w.staff() != writer =>
        {
            Some(*w)
        }
        OrderFact::Checked { .. }
        | OrderFact::Proposed { .. }
        | OrderFact::Written(_)
        | OrderFact::ActivatedAlone { .. }
        | OrderFact::Rejected { .. }
        | OrderFact::Held { .. }
        | OrderFact::Resumed { .. }
        | OrderFact::Stopped { .. }
        | OrderFact::Supplied(_) => None,
    });
    let alone = facts
        .iter()
        .find(|(_, f)| matches!(f, OrderFact::ActivatedAlone { version, .. } if of_this(version)))
        .map(|(w, _)| *w);
    let rejected = facts
        .iter()
        .any(|(_, f)| matches!(f, OrderFact::Rejected { version: Some(v), .. } if of_this(v)));
    VersionView {
        version,
        written,
        checked,
        alone,
        rejected,
        conflict: false,
        from: None,
        to: None,
        waited: None,
    }
}

/// Versions that are both heads were written apart: two drafts that need a person (Y-01). A later
/// version that saw both, or turning one down, resolves it.
fn mark_conflicts(all: &Writes, views: &mut [VersionView<'_>]) {
    let standing: Vec<&Arc<Recorded>> =
        views.iter().filter(|v| !v.rejected).map(|v| v.written).collect();
    let heads: BTreeSet<EntryId> = heads_within(all, &standing).iter().map(|w| w.id).collect();
    if heads.len() > 1 {
        for view in views {
            view.conflict = heads.contains(&view.written.id);
        }
    }
}

/// Gives each active version its span: from its start, but never before it was activated; until the
/// next active one begins, the order is stopped, or its own end (O-03).
fn set_spans(views: &mut [VersionView<'_>], stopped: Option<Timestamp>) {
    let mut next: Option<Timestamp> = None;
    for view in views.iter_mut().rev() {
        if view.rejected || view.conflict {
            continue;
        }
        let Some(activated) = earliest_of(view.checked, view.alone) else {
            continue;
        };
        let from = view.version.content.start.max(activated);
        let ends = [next, stopped, view.version.content.stop];
        let to = ends.into_iter().flatten().min();
        // A version that the next one overtook before it began was never in force.
        if to.is_none_or(|to| from < to) {
            view.from = Some(from);
            view.to = to;
            next = Some(from);
        }
    }
}

fn earliest_of(a: Option<&Arc<Recorded>>, b: Option<&Arc<Recorded>>) -> Option<Timestamp> {
    [a, b].into_iter().flatten().map(|w| w.wall).min()
}
