//! Orders that wait for a person: nothing may be given from them, and nothing that shows what a
//! resident takes may keep silent about them (O-02). A page without them would say "takes nothing".

use crate::fact::{Fact, OrderFact};
use crate::ids::OrderId;
use crate::medicine::Medicine;
use crate::order::{Proposal, Version};
use crate::picture::{OrderHistory, Recorded, ResidentPicture, VersionView};
use crate::time::Timestamp;
use std::sync::Arc;

/// One order, or one new version of an order, that waits.
#[derive(Debug, Clone)]
pub struct Waiting<'p> {
    /// The order.
    pub order: OrderId,
    /// The version that somebody wrote; `None` for an imported proposal that nobody confirmed.
    pub version: Option<&'p Version>,
    /// The imported proposal; `None` for an order written by hand.
    pub proposal: Option<&'p Proposal>,
    /// What is missing.
    pub step: Step,
    /// Since when it waits: when it was sent or written, by the wall clock of that device.
    pub since: Timestamp,
    /// The entry that waits.
    pub written: &'p Arc<Recorded>,
    /// Whether an earlier version of the order goes on being given until then.
    pub meanwhile: bool,
}

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A first person's confirmation; a second person's check comes after it.
    Confirm,
    /// A second person's check.
    SecondCheck,
    /// Two versions were written apart: somebody has to reject one (Y-01).
    Decide,
}

impl Step {
    /// Returns the step's word on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::SecondCheck => "second-check",
            Self::Decide => "decide",
        }
    }

    /// Returns what is missing, as a person reads it.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Confirm => "one person’s confirmation, then another’s check",
            Self::SecondCheck => "another person’s check",
            Self::Decide => "two versions were written apart: reject one, check the other",
        }
    }
}

impl<'p> Waiting<'p> {
    /// Returns the medicine: as it was written up, else as it was sent.
    #[must_use]
    pub fn medicine(&self) -> Option<&'p Medicine> {
        let written = self.version.map(|v| &v.content.medicine);
        written.or_else(|| self.proposal.map(|p| &p.medicine))
    }

    /// Returns the words of the label or of the sender, verbatim, one line each; empty when there
    /// are none.
    #[must_use]
    pub fn sent_words(&self) -> Vec<&'p str> {
        let label = self.version.and_then(|v| v.content.label.as_deref());
        let sent = self.proposal.into_iter().flat_map(|p| p.words.iter().map(String::as_str));
        let words = |text: &&str| !text.trim().is_empty();
        match label.filter(words) {
            Some(label) => vec![label],
            None => sent.filter(words).collect(),
        }
    }
}

/// Returns what waits of a resident's orders at `now`, the oldest first.
#[must_use]
pub fn waiting(resident: &ResidentPicture, now: Timestamp) -> Vec<Waiting<'_>> {
    let mut found: Vec<Waiting<'_>> =
        resident.orders.values().flat_map(|history| of_order(history, now)).collect();
    found.sort_by_key(|w| (w.since, w.order, w.written.stamp));
    found
}

fn of_order(history: &OrderHistory, now: Timestamp) -> Vec<Waiting<'_>> {
    // A stop is final, and what was turned down waits for nobody.
    let versions = history.versions();
    let stopped = history.stopped_at().is_some_and(|at| at <= now);
    if stopped || (turned_down(history) && versions.iter().all(|v| v.rejected)) {
        return Vec::new();
    }
    let proposal = history.proposal();
    let in_force = |v: &VersionView<'_>| {
        v.from.is_some_and(|from| from <= now) && v.to.is_none_or(|to| now < to)
    };
    let meanwhile = versions.iter().any(in_force);
    let mut found: Vec<Waiting<'_>> = versions
        .iter()
        .filter_map(|view| {
            let step = if view.conflict { Step::Decide } else { Step::SecondCheck };
            waits(view, &versions).then_some(Waiting {
                order: history.id,
                version: Some(view.version),
                proposal,
                step,
                since: view.written.wall,
                written: view.written,
                meanwhile,
            })
        })
        .collect();
    if let Some((written, proposal)) = unconfirmed(history) {
        found.push(Waiting {
            order: history.id,
            version: None,
            proposal: Some(proposal),
            step: Step::Confirm,
            since: written.wall,
            written,
            meanwhile,
        });
    }
    found
}

fn turned_down(history: &OrderHistory) -> bool {
    let rejects = |e: &Recorded| matches!(&e.fact, Fact::Order(OrderFact::Rejected { .. }));
    history.entries().any(|e| e.standing.counts() && rejects(e))
}

/// Whether a version can still come into force by a person's act. One that a later version took
/// over cannot.
fn waits(view: &VersionView<'_>, all: &[VersionView<'_>]) -> bool {
    if view.rejected {
        return false;
    }
    let later = all.iter().rfind(|v| !v.rejected).map(|v| v.version.id);
    let last = later == Some(view.version.id);
    view.conflict || (view.checked.is_none() && view.alone.is_none() && last)
}

/// The proposal of which nobody has written an order yet. A sender who changes an order that was
/// confirmed already makes such a one too: nobody has looked at the change.
fn unconfirmed(history: &OrderHistory) -> Option<(&Arc<Recorded>, &Proposal)> {
    let mut proposed = None;
    let mut entries: Vec<&Arc<Recorded>> =
        history.entries().filter(|e| e.standing.counts()).collect();
    entries.sort_by_key(|e| (e.stamp, e.id));
    for entry in entries {
        let Fact::Order(fact) = &entry.fact else { continue };
        match fact {
            OrderFact::Proposed { proposal, .. } => proposed = Some((entry, proposal)),
            OrderFact::Written(_) | OrderFact::Rejected { .. } => proposed = None,
            OrderFact::Checked { .. }
            | OrderFact::ActivatedAlone { .. }
            | OrderFact::Held { .. }
            | OrderFact::Resumed { .. }
            | OrderFact::Stopped { .. }
            | OrderFact::Supplied(_) => {}
        }
    }
    proposed
}
