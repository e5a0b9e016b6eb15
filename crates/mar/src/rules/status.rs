//! What is shown before a when-required dose is prepared (P-05).

use super::limits::{allows, least_left};
use super::{Taken, min_gap, share_limits};
use crate::ids::{AdministrationId, OrderId};
use crate::order::{Content, Prn};
use crate::quantity::{Amount, Quantity};
use crate::time::{DAY, Minutes, Timestamp};
use std::collections::BTreeMap;

/// What is shown before a when-required dose is prepared (P-05).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrnStatus {
    /// The last dose, of any order that shares the limits; `None` for never.
    pub last: Option<LastGiven>,
    /// From when the smallest dose is allowed; `None` means now. Beyond any time when it never is.
    pub earliest_next: Option<Timestamp>,
    /// How much may still be taken now under every total of 24 hours (P-03, P-04), in the unit of
    /// the dose: more is refused. `None` when no total holds.
    pub left_24h: Option<Amount>,
    /// How many doses were given in the last seven days, of this order and of every other that
    /// shares its limits: the same doses as [`PrnStatus::last`] looks at.
    pub given_7d: usize,
    /// The part of them that was given from other orders, for each of those.
    pub others_7d: BTreeMap<OrderId, usize>,
    /// The count of a rescue medicine; `None` for any other.
    pub rescue: Option<RescueCount>,
}

/// The dose that was given last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastGiven {
    /// Which: it tells who gave it.
    pub administration: AdministrationId,
    /// Its order.
    pub order: OrderId,
    /// Whether that is another order, which shares the limits.
    pub of_another: bool,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount: Amount,
}

/// What was given of a rescue medicine: a card, and never a block (W-05).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescueCount {
    /// How much in the last 24 hours.
    pub given: Amount,
    /// The most that was stated; `None` when nobody did.
    pub most: Option<Amount>,
}

impl RescueCount {
    /// Returns what the card says: `2 of 3 given, then 999 (sprays, last 24 hours)` (W-05).
    #[must_use]
    pub fn in_words(&self) -> String {
        let Some(most) = &self.most else {
            return format!("{} given in the last 24 hours; the most is not stated", self.given);
        };
        let then =
            if self.given.value < most.value { "given, then 999" } else { "given: call 999" };
        let unit = most.unit.beside(Quantity::whole(2));
        format!("{} of {} {then} ({unit}, last 24 hours)", self.given.value, most.value)
    }
}

/// Returns what is shown before a when-required dose is prepared (P-05).
#[must_use]
pub fn prn_status(
    order: (OrderId, &Content),
    prn: &Prn,
    taken: &[Taken<'_>],
    now: Timestamp,
) -> PrnStatus {
    let group = || taken.iter().filter(|t| share_limits(order, (t.order, t.content)));
    // What is recorded a little after `now` was given: another device's clock may be ahead (T-02).
    let last = group().max_by_key(|t| t.at);
    let least = order.1.dose.least();
    let mut candidates = vec![now];
    candidates.extend(taken.iter().map(|t| t.counts_at.plus(DAY)));
    if let Some(interval) = prn.min_interval.value().copied().or_else(|| min_gap(order.1)) {
        candidates.extend(group().map(|t| t.at.plus(interval)));
    }
    candidates.retain(|t| *t >= now);
    candidates.sort();
    let open = |t: &Timestamp| allows(order, prn, taken, &least, *t).is_ok();
    let earliest = candidates.into_iter().find(open).unwrap_or(Timestamp(i64::MAX));
    let week = Minutes(7 * 24 * 60);
    let of_week = || group().filter(|t| t.at > now.minus(week));
    let mut others_7d = BTreeMap::new();
    for other in of_week().filter(|t| t.order != order.0) {
        *others_7d.entry(other.order).or_default() += 1;
    }
    PrnStatus {
        last: last.map(|t| LastGiven {
            administration: t.administration,
            order: t.order,
            of_another: t.order != order.0,
            at: t.at,
            amount: t.amount.clone(),
        }),
        // Nothing holds a rescue medicine up (W-05), and no card may say so.
        earliest_next: (earliest > now && !order.1.flags.rescue).then_some(earliest),
        left_24h: least_left(order, prn, taken, now),
        given_7d: of_week().count(),
        others_7d,
        rescue: order
            .1
            .flags
            .rescue
            .then(|| rescue_count(order, prn, taken, (now.minus(DAY), Timestamp(i64::MAX)))),
    }
}

/// Returns what was given of a rescue order after `after` and until `until`, its own unit only. Where
/// it is asked for now there is no `until`: a dose of a device whose clock is ahead counts.
#[must_use]
pub fn rescue_count(
    (order, content): (OrderId, &Content),
    prn: &Prn,
    taken: &[Taken<'_>],
    (after, until): (Timestamp, Timestamp),
) -> RescueCount {
    let most = prn.max_24h.value().cloned();
    let unit = most.as_ref().map_or(content.dose.unit(), |most| &most.unit).clone();
    let value = taken
        .iter()
        .filter(|t| t.order == order && t.amount.unit == unit)
        .filter(|t| t.at > after && t.at <= until)
        .fold(Quantity::ZERO, |sum, t| sum.plus(t.amount.value));
    RescueCount { given: Amount { value, unit }, most }
}
