//! What two people did while apart, found over the merged record (Y-03, Y-09).

use super::limits::{Regular, ingredients_allow, totals_allow};
use super::{Limit, Taken, allows, gap_allows, look_back, weekly_allows};
use crate::due::SlotPlace;
use crate::fact::Recording;
use crate::ids::{AdministrationId, OrderId};
use crate::picture::ResidentPicture;
use crate::schedule::SlotId;
use std::collections::BTreeMap;

/// A dose that the merged record shows to have been too soon or too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The later dose.
    pub administration: AdministrationId,
    /// Its order.
    pub order: OrderId,
    /// Which limit.
    pub kind: BreachKind,
    /// The limit with its numbers.
    pub limit: Limit,
}

/// Which limit a dose broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BreachKind {
    /// Too soon after another.
    Interval,
    /// Too much in 24 hours.
    Total,
    /// More at once than is prescribed (S-08).
    Dose,
    /// More of a rescue medicine than its most in 24 hours: never refused, always told (W-05).
    Rescue,
}

/// Returns every dose that breaks its interval or its 24-hour total given what was taken before it,
/// or that is more at once than its order prescribes.
/// A dose that was entered as "given elsewhere" or corrected counts like any other (W-01).
#[must_use]
pub fn breaches(taken: &[Taken<'_>]) -> Vec<Breach> {
    let mut found = Vec::new();
    for (at, dose) in taken.iter().enumerate() {
        let since = dose.at.minus(look_back(dose.content));
        let earlier = &taken[taken[..at].partition_point(|t| t.at < since)..at];
        let order = (dose.order, dose.content);
        let rescue = dose.content.flags.rescue;
        let broken = match dose.content.prn() {
            // Nothing holds a rescue medicine up, and one that went past its most is told (W-05).
            Some(prn) if rescue => totals_allow(order, prn, earlier, &dose.amount, dose.at),
            None if rescue => Ok(()),
            Some(prn) => allows(order, prn, earlier, &dose.amount, dose.at),
            None => gap_allows(order, earlier, dose.at)
                .and_then(|()| weekly_allows(order, earlier, dose.at))
                .and_then(|()| ingredients_allow(&Regular::of(dose), earlier)),
        };
        for limit in broken.err().into_iter().chain(above_the_dose(dose)) {
            let kind = match limit {
                Limit::Interval { .. } => BreachKind::Interval,
                Limit::Amount { .. } | Limit::Ingredient { .. } | Limit::Dose { .. } if rescue => {
                    BreachKind::Rescue
                }
                Limit::Amount { .. } | Limit::Ingredient { .. } => BreachKind::Total,
                Limit::Dose { .. } => BreachKind::Dose,
            };
            let Taken { administration, order, .. } = *dose;
            found.push(Breach { administration, order, kind, limit });
        }
    }
    found
}

fn above_the_dose(dose: &Taken<'_>) -> Option<Limit> {
    let (most, given) = (dose.content.dose.most(), &dose.amount);
    let above = given.unit == most.unit && given.value > most.value;
    above.then(|| Limit::Dose { most, given: given.clone() })
}

/// Returns the slots of which more than one administration is held to have been taken: POSSIBLE
/// DOUBLE DOSE, with all of them (Y-03). The same time of the same order in two versions is one
/// slot here: one device may not have had the new version yet (H-07).
#[must_use]
pub fn double_doses(resident: &ResidentPicture) -> BTreeMap<SlotId, Vec<AdministrationId>> {
    let mut by_place: BTreeMap<SlotPlace<'_>, Vec<(&SlotId, AdministrationId)>> = BTreeMap::new();
    for administration in resident.administrations.values() {
        let Some((_, record)) = administration.record() else {
            continue;
        };
        let taken = |r: &Recording| r.outcome.is_taken();
        if let (Some(slot), Some(true)) = (&record.slot, administration.effective().map(taken)) {
            let doses = by_place.entry(SlotPlace::of(record.order, slot)).or_default();
            doses.push((slot, record.administration));
        }
    }
    by_place
        .into_values()
        .filter(|doses| doses.len() > 1)
        .filter_map(|doses| {
            let slot = doses.iter().map(|(slot, _)| *slot).max()?.clone();
            Some((slot, doses.into_iter().map(|(_, id)| id).collect()))
        })
        .collect()
}
