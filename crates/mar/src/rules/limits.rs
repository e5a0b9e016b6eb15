//! The limits of when-required and regular doses.

use super::{PARACETAMOL_GAP, PARACETAMOL_MG_24H, Taken, WEEKLY_GAP, ingredient_mg, share_limits};
use crate::ids::OrderId;
use crate::order::{Content, Prn};
use crate::quantity::{Amount, Quantity};
use crate::schedule::{Days, Schedule};
use crate::time::{DAY, Minutes, Timestamp};

/// What keeps a dose from being given at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// Too soon after the last dose, or too close before one that was given later (P-02, W-01).
    Interval {
        /// The dose it is too close to.
        last: Timestamp,
        /// What must lie between.
        interval: Minutes,
        /// From when it is allowed.
        earliest: Timestamp,
    },
    /// More than the most in 24 hours by amount (P-03).
    Amount {
        /// The most.
        most: Amount,
        /// What was taken already in the 24 hours.
        taken: Amount,
        /// From when the amount fits; `None` when it never does (more than the most at once).
        earliest: Option<Timestamp>,
    },
    /// More than the most of an ingredient in 24 hours, across all products (P-04).
    Ingredient {
        /// Which.
        name: String,
        /// The most in mg.
        most_mg: Quantity,
        /// What was taken already, in mg.
        taken_mg: Quantity,
        /// From when the amount fits; `None` when it never does.
        earliest: Option<Timestamp>,
    },
    /// More at once than is prescribed (S-08).
    Dose {
        /// The most that is prescribed each time.
        most: Amount,
        /// What was given.
        given: Amount,
    },
}

/// The ingredients with a limit of their own across products: name and most in mg (P-04).
const INGREDIENT_LIMITS: [(&str, u32); 1] = [("paracetamol", PARACETAMOL_MG_24H)];

/// Whether a dose of a when-required order may be given at `at` (P-02 to P-04).
///
/// `taken` are all doses of the resident. Doses given after `at` (an entry made late) are looked at
/// as well: the dose must fit between its neighbours.
///
/// # Errors
/// With the limit that forbids it.
pub fn allows(
    order: (OrderId, &Content),
    prn: &Prn,
    taken: &[Taken<'_>],
    amount: &Amount,
    at: Timestamp,
) -> Result<(), Limit> {
    let group: Vec<&Taken<'_>> =
        taken.iter().filter(|t| share_limits(order, (t.order, t.content))).collect();
    // Where nobody stated an interval, a gap that the ingredient asks for still holds (W-06, P-04).
    if let Some(interval) = prn.min_interval.value().copied().or_else(|| min_gap(order.1)) {
        apart(&group, interval, at)?;
    }
    if let Some(most) = prn.max_24h.value() {
        let same_unit: Vec<(Timestamp, Quantity)> = group
            .iter()
            .filter(|t| {
                t.amount.unit == most.unit && (t.order == order.0 || order.1.limit_group.is_some())
            })
            .map(|t| (t.counts_at, t.amount.value))
            .collect();
        if amount.unit == most.unit {
            fits(&same_unit, amount.value, most.value, at).map_err(|(so_far, earliest)| {
                Limit::Amount {
                    most: most.clone(),
                    taken: Amount { value: so_far, unit: most.unit.clone() },
                    earliest,
                }
            })?;
        }
    }
    for (name, most_mg) in INGREDIENT_LIMITS {
        let Some(proposed) = ingredient_mg(order.1, name, amount) else {
            continue;
        };
        let all: Vec<(Timestamp, Quantity)> = taken
            .iter()
            .filter_map(|t| ingredient_mg(t.content, name, &t.amount).map(|mg| (t.counts_at, mg)))
            .collect();
        let most_mg = Quantity::whole(most_mg);
        fits(&all, proposed, most_mg, at).map_err(|(taken_mg, earliest)| Limit::Ingredient {
            name: name.to_owned(),
            most_mg,
            taken_mg,
            earliest,
        })?;
    }
    Ok(())
}

/// Equality passes (P-02).
fn apart(group: &[&Taken<'_>], interval: Minutes, at: Timestamp) -> Result<(), Limit> {
    let before = group.iter().map(|t| t.at).filter(|t| *t <= at).max();
    let after = group.iter().map(|t| t.at).filter(|t| *t > at).min();
    let too_close =
        |last: Timestamp, earliest: Timestamp| Err(Limit::Interval { last, interval, earliest });
    if let Some(last) = before.filter(|last| at < last.plus(interval)) {
        return too_close(last, earliest_gap(group, interval, at));
    }
    if let Some(next) = after.filter(|next| *next < at.plus(interval)) {
        return too_close(next, earliest_gap(group, interval, at));
    }
    Ok(())
}

fn earliest_gap(group: &[&Taken<'_>], interval: Minutes, at: Timestamp) -> Timestamp {
    let ends = group.iter().map(|t| t.at.plus(interval)).filter(|end| *end >= at);
    let fits = |end: &Timestamp| {
        group.iter().all(|t| *end >= t.at.plus(interval) || t.at >= end.plus(interval))
    };
    ends.filter(fits).min().unwrap_or(at)
}

/// Whether `amount` at `at` keeps every 24 hours that hold it within `most`. The span is
/// (end - 24 h, end]: a dose exactly 24 hours ago no longer counts (P-03).
///
/// On failure: what is taken already in the fullest such span, and from when the amount fits.
fn fits(
    doses: &[(Timestamp, Quantity)],
    amount: Quantity,
    most: Quantity,
    at: Timestamp,
) -> Result<(), (Quantity, Option<Timestamp>)> {
    let within = |end: Timestamp| {
        doses
            .iter()
            .filter(|(t, _)| *t > end.minus(DAY) && *t <= end)
            .fold(Quantity::ZERO, |sum, (_, q)| sum.plus(*q))
    };
    let fullest = |from: Timestamp| {
        let ends = doses.iter().map(|(t, _)| *t).filter(|t| *t > from && *t < from.plus(DAY));
        ends.chain([from]).map(within).max().unwrap_or(Quantity::ZERO)
    };
    let so_far = fullest(at);
    if so_far.plus(amount) <= most {
        return Ok(());
    }
    let mut candidates: Vec<Timestamp> =
        doses.iter().map(|(t, _)| t.plus(DAY)).filter(|t| *t > at).collect();
    candidates.sort();
    let earliest = candidates.into_iter().find(|t| fullest(*t).plus(amount) <= most);
    Err((so_far, earliest))
}

/// Returns the shortest gap between two doses of a regular order: its own, else four hours for
/// whatever holds paracetamol (W-01, D-07). `None` for none.
#[must_use]
pub fn min_gap(content: &Content) -> Option<Minutes> {
    content.min_gap.or_else(|| content.medicine.contains("paracetamol").then_some(PARACETAMOL_GAP))
}

/// Whether the minimum gap lets a regular dose be given at `at`: the only limit that can stop one
/// (W-01).
///
/// # Errors
/// With the limit that forbids it.
pub fn gap_allows(
    order: (OrderId, &Content),
    taken: &[Taken<'_>],
    at: Timestamp,
) -> Result<(), Limit> {
    let Some(gap) = min_gap(order.1) else {
        return Ok(());
    };
    let group: Vec<&Taken<'_>> =
        taken.iter().filter(|t| share_limits(order, (t.order, t.content))).collect();
    apart(&group, gap, at)
}

/// Whether a weekly dose may be given at `at`: not within six days of the last (W-11).
///
/// # Errors
/// With the limit that forbids it.
pub fn weekly_allows(
    order: (OrderId, &Content),
    taken: &[Taken<'_>],
    at: Timestamp,
) -> Result<(), Limit> {
    if !is_weekly(&order.1.schedule) {
        return Ok(());
    }
    let own: Vec<&Taken<'_>> = taken.iter().filter(|t| t.order == order.0).collect();
    apart(&own, WEEKLY_GAP, at)
}

/// Whether a schedule is due at most once a week, on one weekday.
#[must_use]
pub(crate) fn is_weekly(schedule: &Schedule) -> bool {
    let one_day = |days: Days| days.iter().count() == 1;
    match schedule {
        Schedule::EveryWeeks { days, times, .. } | Schedule::Times { days, times } => {
            one_day(*days) && times.len() <= 1
        }
        Schedule::Rounds { days, rounds } => one_day(*days) && rounds.len() <= 1,
        Schedule::EveryDays { n, times, .. } => *n >= 7 && times.len() <= 1,
        Schedule::EveryHours { n, .. } => *n >= 168,
        Schedule::Once { .. } | Schedule::WhenRequired(_) => false,
    }
}

/// What is shown before a when-required dose is prepared (P-05).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrnStatus {
    /// When and how much was given last, of any order that shares the limits; `None` for never.
    pub last: Option<(Timestamp, Amount)>,
    /// From when the smallest dose is allowed; `None` means now. Beyond any time when it never is.
    pub earliest_next: Option<Timestamp>,
    /// How much is left in the 24 hours up to now; `None` when no most was stated.
    pub left_24h: Option<Amount>,
    /// How many doses of this order were given in the last seven days.
    pub given_7d: usize,
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
    let last = group().filter(|t| t.at <= now).max_by_key(|t| t.at);
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
    let left_24h = prn.max_24h.value().map(|most| {
        let used = group()
            .filter(|t| {
                t.amount.unit == most.unit && (t.order == order.0 || order.1.limit_group.is_some())
            })
            .filter(|t| t.counts_at > now.minus(DAY) && t.counts_at <= now)
            .fold(Quantity::ZERO, |sum, t| sum.plus(t.amount.value));
        Amount { value: most.value.less(used), unit: most.unit.clone() }
    });
    let week = Minutes(7 * 24 * 60);
    PrnStatus {
        last: last.map(|t| (t.at, t.amount.clone())),
        // Nothing holds a rescue medicine up (W-05), and no card may say so.
        earliest_next: (earliest > now && !order.1.flags.rescue).then_some(earliest),
        left_24h,
        given_7d: taken
            .iter()
            .filter(|t| t.order == order.0 && t.at > now.minus(week) && t.at <= now)
            .count(),
    }
}
