//! The limits of when-required and regular doses.

use super::{PARACETAMOL_GAP, PARACETAMOL_MG_24H, Taken, WEEKLY_GAP, ingredient_mg, share_limits};
use crate::due::SlotPlace;
use crate::ids::{AdministrationId, OrderId};
use crate::order::{Content, Prn};
use crate::quantity::{Amount, Quantity};
use crate::schedule::{Days, Schedule, Slot};
use crate::time::{DAY, Minutes, Timestamp};
use std::collections::BTreeSet;

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
    totals_allow(order, prn, taken, amount, at)
}

/// Whether a dose keeps the 24-hour totals alone: what is left of them is [`PrnStatus::left_24h`].
///
/// # Errors
/// With the limit that forbids it.
pub(super) fn totals_allow(
    order: (OrderId, &Content),
    prn: &Prn,
    taken: &[Taken<'_>],
    amount: &Amount,
    at: Timestamp,
) -> Result<(), Limit> {
    ceilings(order, prn, taken).iter().try_for_each(|ceiling| ceiling.allows(order.1, amount, at))
}

/// Whether a regular dose that counts at `at` keeps the totals of its ingredients beside what was
/// given when required or more than once. It is given all the same (W-01); that it goes past them is
/// told (P-04, Y-09). What regular doses come to by themselves was looked at when their orders were
/// activated, and is not told again on the day of 23 hours.
///
/// # Errors
/// With the limit that it goes past.
pub(super) fn ingredients_allow(dose: &Regular<'_>, taken: &[Taken<'_>]) -> Result<(), Limit> {
    let Regular { content, amount, at, place } = dose;
    of_ingredients(content, taken)
        .filter(|ceiling| {
            let mut places: BTreeSet<SlotPlace<'_>> = place.iter().cloned().collect();
            let mut within = taken
                .iter()
                .filter(|t| t.counts_at > at.minus(DAY))
                .filter(|t| ceiling.counted(t.content, &t.amount).is_some());
            // A dose outside slots is one that no activation counted; so is a second one of a slot.
            within.any(|t| t.slot.is_none_or(|slot| !places.insert(SlotPlace::of(t.order, slot))))
        })
        .try_for_each(|ceiling| ceiling.allows(content, amount, *at))
}

/// A regular dose, as the totals of its ingredients look at it.
pub(super) struct Regular<'d> {
    pub(super) content: &'d Content,
    pub(super) amount: &'d Amount,
    /// When it counts: its slot's time, or its own outside the window (W-01).
    pub(super) at: Timestamp,
    /// Its slot; `None` for a dose outside slots.
    pub(super) place: Option<SlotPlace<'d>>,
}

impl<'d> Regular<'d> {
    pub(super) fn of(dose: &'d Taken<'_>) -> Self {
        let place = dose.slot.map(|slot| SlotPlace::of(dose.order, slot));
        Self { content: dose.content, amount: &dose.amount, at: dose.counts_at, place }
    }
}

/// What an ingredient comes to in 24 hours with one more dose, where that is past its most (P-04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMost {
    /// Which.
    pub ingredient: String,
    /// What it comes to with the dose, in mg.
    pub mg: Quantity,
    /// The most, in mg.
    pub most_mg: Quantity,
}

impl PastMost {
    /// Returns it in words: `with this dose 5,000 mg of paracetamol in 24 hours (the most is 4,000
    /// mg)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Self { ingredient, mg, most_mg } = self;
        let (mg, most) = (crate::words::grouped(*mg), crate::words::grouped(*most_mg));
        format!("with this dose {mg} mg of {ingredient} in 24 hours (the most is {most} mg)")
    }
}

/// Returns what the most of an ingredient a regular dose goes past; `None` where it keeps them all.
fn past(dose: &Regular<'_>, taken: &[Taken<'_>]) -> Option<PastMost> {
    match ingredients_allow(dose, taken).err()? {
        Limit::Ingredient { name, most_mg, taken_mg, .. } => {
            let own = ingredient_mg(dose.content, &name, dose.amount)?;
            Some(PastMost { ingredient: name, mg: taken_mg.plus(own), most_mg })
        }
        Limit::Interval { .. } | Limit::Amount { .. } | Limit::Dose { .. } => None,
    }
}

/// Returns what a dose of a slot, given at `at`, would go past beside what was taken: it is told
/// before it is given, and refused to nobody (W-01, P-04). `None` where it goes past nothing.
#[must_use]
pub fn past_most(
    content: &Content,
    slot: &Slot,
    taken: &[Taken<'_>],
    at: Timestamp,
) -> Option<PastMost> {
    let in_time = at <= slot.window.to;
    let amount = content.dose.most();
    let place = Some(SlotPlace::of(slot.order, &slot.id));
    let at = if in_time { slot.due } else { at };
    past(&Regular { content, amount: &amount, at, place }, taken)
}

/// Returns what a regular dose that was taken went past, beside what was taken before it; `None`
/// where it went past nothing (W-01, P-04).
#[must_use]
pub fn went_past(taken: &[Taken<'_>], dose: AdministrationId) -> Option<PastMost> {
    let at = taken.iter().position(|t| t.administration == dose)?;
    let (dose, earlier) = (&taken[at], &taken[..at]);
    let regular = dose.content.prn().is_none() && !dose.content.flags.rescue;
    if regular { past(&Regular::of(dose), earlier) } else { None }
}

/// One total of 24 hours with what was taken under it. What may be given and what is left are both
/// told from these, so that no card says one thing and the refusal another (P-03 to P-05).
struct Ceiling {
    /// The most, in the unit in which it counts.
    most: Amount,
    /// The ingredient that it counts over all products; `None` for the order's own amount.
    ingredient: Option<&'static str>,
    doses: Vec<(Timestamp, Quantity)>,
}

fn ceilings(order: (OrderId, &Content), prn: &Prn, taken: &[Taken<'_>]) -> Vec<Ceiling> {
    let mut found = Vec::new();
    if let Some(most) = prn.max_24h.value() {
        let mut own = Ceiling { most: most.clone(), ingredient: None, doses: Vec::new() };
        own.doses = taken
            .iter()
            .filter(|t| t.order == order.0 || order.1.limit_group.is_some())
            .filter(|t| share_limits(order, (t.order, t.content)))
            .filter_map(|t| Some((t.counts_at, own.counted(t.content, &t.amount)?)))
            .collect();
        found.push(own);
    }
    found.extend(of_ingredients(order.1, taken));
    found
}

/// The totals of the ingredients in a medicine, over all products (P-04).
fn of_ingredients(content: &Content, taken: &[Taken<'_>]) -> impl Iterator<Item = Ceiling> {
    INGREDIENT_LIMITS.into_iter().filter(|(name, _)| content.medicine.contains(name)).map(
        |(name, most_mg)| {
            let most = Amount::new(Quantity::whole(most_mg), "mg");
            let mut all = Ceiling { most, ingredient: Some(name), doses: Vec::new() };
            all.doses = taken
                .iter()
                .filter_map(|t| Some((t.counts_at, all.counted(t.content, &t.amount)?)))
                .collect();
            all
        },
    )
}

impl Ceiling {
    /// Returns what an amount of a medicine comes to under this ceiling; `None` when nobody can say.
    fn counted(&self, content: &Content, amount: &Amount) -> Option<Quantity> {
        match self.ingredient {
            Some(name) => ingredient_mg(content, name, amount),
            None if amount.unit == self.most.unit => Some(amount.value),
            None => only_ingredient_mg(content, amount).filter(|_| self.most.unit.as_str() == "mg"),
        }
    }

    fn allows(&self, content: &Content, amount: &Amount, at: Timestamp) -> Result<(), Limit> {
        let Some(proposed) = self.counted(content, amount) else { return Ok(()) };
        fits(&self.doses, proposed, self.most.value, at)
            .map_err(|(so_far, earliest)| self.limit(so_far, earliest))
    }

    /// Returns what is left at `at`, in the unit of the order's dose and never too much; in the
    /// ceiling's own unit where it does not count in the dose's.
    fn left(&self, content: &Content, at: Timestamp) -> Amount {
        let left = self.most.value.less(fullest(&self.doses, at));
        let unit = content.dose.unit();
        let one = Amount { value: Quantity::whole(1), unit: unit.clone() };
        let each = self.counted(content, &one).filter(|each| !each.is_zero());
        let Some(each) = each else {
            return Amount { value: left, unit: self.most.unit.clone() };
        };
        let whole = (left.decimal() / each.decimal())
            .round_dp_with_strategy(3, rust_decimal::RoundingStrategy::ToZero);
        let value = Quantity::new(whole).unwrap_or(Quantity::ZERO);
        Amount { value, unit: unit.clone() }
    }

    fn limit(&self, so_far: Quantity, earliest: Option<Timestamp>) -> Limit {
        match self.ingredient {
            Some(name) => Limit::Ingredient {
                name: name.to_owned(),
                most_mg: self.most.value,
                taken_mg: so_far,
                earliest,
            },
            None => Limit::Amount {
                most: self.most.clone(),
                taken: Amount { value: so_far, unit: self.most.unit.clone() },
                earliest,
            },
        }
    }
}

/// The mg in an amount of a medicine with one ingredient; `None` for a medicine with several.
fn only_ingredient_mg(content: &Content, amount: &Amount) -> Option<Quantity> {
    let [only] = content.medicine.ingredients.as_slice() else {
        return None;
    };
    ingredient_mg(content, &only.name, amount)
}

/// Returns what may still be taken at `at` under every total: the least that any of them leaves.
/// `None` when there is none.
pub(super) fn least_left(
    order: (OrderId, &Content),
    prn: &Prn,
    taken: &[Taken<'_>],
    at: Timestamp,
) -> Option<Amount> {
    let all = ceilings(order, prn, taken);
    // The order's own comes first; what counts in another unit cannot be compared with it.
    all.iter()
        .map(|ceiling| ceiling.left(order.1, at))
        .reduce(|a, b| if a.unit == b.unit && b.value < a.value { b } else { a })
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
    let so_far = fullest(doses, at);
    if so_far.plus(amount) <= most {
        return Ok(());
    }
    let mut candidates: Vec<Timestamp> =
        doses.iter().map(|(t, _)| t.plus(DAY)).filter(|t| *t > at).collect();
    candidates.sort();
    let earliest = candidates.into_iter().find(|t| fullest(doses, *t).plus(amount) <= most);
    Err((so_far, earliest))
}

/// Returns what is taken in the fullest 24 hours that hold `from`.
fn fullest(doses: &[(Timestamp, Quantity)], from: Timestamp) -> Quantity {
    let within = |end: Timestamp| {
        doses
            .iter()
            .filter(|(t, _)| *t > end.minus(DAY) && *t <= end)
            .fold(Quantity::ZERO, |sum, (_, q)| sum.plus(*q))
    };
    let ends = doses.iter().map(|(t, _)| *t).filter(|t| *t > from && *t < from.plus(DAY));
    ends.chain([from]).map(within).max().unwrap_or(Quantity::ZERO)
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
