//! What the merged record finds of each dose: derived anew from what is held, so that it is the same
//! on every device and stays as long as the dose stands (Y-03, Y-09, A-02).

use super::{BreachKind, Taken, breaches, double_doses};
use crate::ids::AdministrationId;
use crate::outcome::{Outcome, Practice};
use crate::picture::ResidentPicture;
use std::collections::{BTreeMap, BTreeSet};

/// Something that a dose should not have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// Another dose of its slot is held to have been taken (Y-03).
    DoubleDose,
    /// Too soon after another (Y-09).
    TooSoon,
    /// Too much in 24 hours (Y-09).
    TooMuch,
    /// More at once than is prescribed (S-08).
    AboveDose,
    /// More of a rescue medicine than its most in 24 hours (W-05).
    RescueOver,
    /// Its order was stopped at that time (A-02, Y-02).
    AfterStop,
    /// Its order was held at that time (O-12, Y-02: a hold beats a dose).
    WhileHeld,
    /// The resident was recorded as out of the home at that time (R-05, Y-02).
    WhileAway,
}

impl Finding {
    /// Returns the finding's word on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DoubleDose => "possible-double-dose",
            Self::TooSoon => "too-soon",
            Self::TooMuch => "too-much",
            Self::AboveDose => "above-the-dose",
            Self::RescueOver => "rescue-over-most",
            Self::AfterStop => "after-the-stop",
            Self::WhileHeld => "while-held",
            Self::WhileAway => "while-away",
        }
    }

    /// Returns what stands beside the dose on a chart.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::DoubleDose => "POSSIBLE DOUBLE DOSE",
            Self::TooSoon => "TOO SOON AFTER ANOTHER DOSE",
            Self::TooMuch => "MORE THAN THE MOST IN 24 HOURS",
            Self::AboveDose => "MORE THAN THE PRESCRIBED DOSE",
            Self::RescueOver => "MORE THAN THE MOST: 999",
            Self::AfterStop => "GIVEN AFTER THE STOP",
            Self::WhileHeld => "GIVEN WHILE THE ORDER WAS HELD",
            Self::WhileAway => "GIVEN WHILE RECORDED AWAY",
        }
    }
}

impl From<BreachKind> for Finding {
    fn from(kind: BreachKind) -> Self {
        match kind {
            BreachKind::Interval => Self::TooSoon,
            BreachKind::Total => Self::TooMuch,
            BreachKind::Dose => Self::AboveDose,
            BreachKind::Rescue => Self::RescueOver,
        }
    }
}

/// Returns what is found of each dose of a resident that was taken; a dose with nothing found is not
/// in it. `taken` is everything that was taken, by true time.
#[must_use]
pub fn findings(
    resident: &ResidentPicture,
    taken: &[Taken<'_>],
) -> BTreeMap<AdministrationId, BTreeSet<Finding>> {
    let mut found: BTreeMap<AdministrationId, BTreeSet<Finding>> = BTreeMap::new();
    let mut note = |id, finding| {
        found.entry(id).or_default().insert(finding);
    };
    for doses in double_doses(resident).into_values() {
        doses.into_iter().for_each(|id| note(id, Finding::DoubleDose));
    }
    for breach in breaches(taken) {
        note(breach.administration, breach.kind.into());
    }
    for id in after_stop(resident, taken) {
        note(id, Finding::AfterStop);
    }
    for id in while_held(resident, taken) {
        note(id, Finding::WhileHeld);
    }
    for id in while_away(resident, taken) {
        note(id, Finding::WhileAway);
    }
    found
}

/// The doses that were taken when their order was stopped, whether or not the giver could know: the
/// stop may have been written on a device that was not heard, or later.
fn after_stop(resident: &ResidentPicture, taken: &[Taken<'_>]) -> Vec<AdministrationId> {
    let orders = resident.orders.values();
    let stops: BTreeMap<_, _> = orders.filter_map(|o| Some((o.id, o.stopped_at()?))).collect();
    let after = |dose: &&Taken<'_>| stops.get(&dose.order).is_some_and(|stop| dose.at >= *stop);
    taken.iter().filter(after).map(|dose| dose.administration).collect()
}

/// The doses that were given here when the resident was recorded as out of the home: one of the two
/// is wrong, and where it is the dose, somebody else may have had it. What was given elsewhere is no
/// such dose (W-01).
fn while_away(resident: &ResidentPicture, taken: &[Taken<'_>]) -> Vec<AdministrationId> {
    let away = |dose: &&Taken<'_>| !resident.whereabouts(dose.at).is_present();
    let found = taken.iter().filter(away).filter(|dose| given_here(resident, dose));
    found.map(|dose| dose.administration).collect()
}

/// The doses that were given here while their order was held, whether or not the giver could know. A
/// rescue medicine does not wait for a hold (W-05), and what was given elsewhere was not given from
/// here (W-01).
fn while_held(resident: &ResidentPicture, taken: &[Taken<'_>]) -> Vec<AdministrationId> {
    let orders = resident.orders.values();
    let spans: BTreeMap<_, _> = orders.map(|o| (o.id, o.held_spans())).collect();
    let held = |dose: &&Taken<'_>| {
        let mut of_order = spans.get(&dose.order).into_iter().flatten();
        of_order.any(|(from, to)| dose.at >= *from && to.is_none_or(|to| dose.at < to))
    };
    let may_not = taken.iter().filter(|dose| !dose.content.flags.rescue).filter(held);
    let found = may_not.filter(|dose| given_here(resident, dose));
    found.map(|dose| dose.administration).collect()
}

fn given_here(resident: &ResidentPicture, dose: &Taken<'_>) -> bool {
    let told = resident.administration(dose.administration).and_then(|a| a.effective());
    told.is_some_and(|told| told.outcome != Outcome::Practice(Practice::GivenElsewhere))
}
