//! How much was taken (D-03, S-08, S-12).

use super::happened::Happened;
use crate::command::Told;
use crate::order::Dose;
use crate::outcome::Outcome;
use crate::quantity::Amount;
use crate::refusal::{DoseRefusal, Refusal};
use crate::rules::Limit;
use rust_decimal::Decimal;

/// The steps in which pieces are counted, with their names.
const STEPS: [(Decimal, &str); 3] = [
    (Decimal::ONE, "whole ones"),
    (Decimal::from_parts(5, 0, 0, false, 1), "halves"),
    (Decimal::from_parts(25, 0, 0, false, 2), "quarters"),
];

/// Returns the amount that was taken: the dose where nobody says otherwise. `None` where nothing
/// was. More than the dose passes only for what has happened.
pub(super) fn taken(
    dose: &Dose,
    told: &Told,
    happened: &mut Happened<'_>,
) -> Result<Option<Amount>, Refusal> {
    let Some(given) = &told.amount else {
        return if told.outcome.is_taken() { untold(dose, told.outcome) } else { Ok(None) };
    };
    if !told.outcome.is_taken() {
        return wrong(format!(
            "nothing was taken with the outcome {}: leave --amount out",
            told.outcome.word()
        ));
    }
    if given.unit != *dose.unit() {
        return wrong(format!(
            "the dose is counted in {}, not in {}",
            dose.unit().as_str(),
            given.unit.as_str()
        ));
    }
    let (least, most) = (dose.least(), dose.most());
    if told.outcome == Outcome::PartGiven {
        if given.value.is_zero() || given.value >= most.value {
            return wrong(format!("a part is more than nothing and less than {most}"));
        }
        counted_in(given, STEPS[2])?;
    } else if given.value > most.value {
        let limit = Limit::Dose { most, given: given.clone() };
        happened.pass(Err(DoseRefusal::Limit(limit).into()))?;
        counted_in(given, STEPS[2])?;
    } else if given.value < least.value {
        return wrong(format!(
            "{given} is less than the prescribed dose, {}: if the rest was not taken, it is \
             part-given",
            crate::words::dose(dose)
        ));
    } else if let Some(step) = step(dose) {
        counted_in(given, step)?;
    }
    Ok(Some(given.clone()))
}

/// The amount where nobody told one.
fn untold(dose: &Dose, outcome: Outcome) -> Result<Option<Amount>, Refusal> {
    if outcome == Outcome::PartGiven {
        return wrong(format!("say with --amount how much of {} was taken", dose.most()));
    }
    match dose {
        Dose::Range { .. } => {
            wrong(format!("say with --amount how much was given: {}", crate::words::dose(dose)))
        }
        Dose::Fixed(amount) => Ok(Some(amount.clone())),
    }
}

/// The step in which the order itself counts its pieces: `1 or 2 tablets` is never one and a half
/// (S-12). `None` for what is measured.
fn step(dose: &Dose) -> Option<(Decimal, &'static str)> {
    let ends = [dose.least().value, dose.most().value];
    STEPS.into_iter().find(|(step, _)| ends.iter().all(|end| (end.decimal() % step).is_zero()))
}

fn counted_in(given: &Amount, (step, name): (Decimal, &'static str)) -> Result<(), Refusal> {
    if !given.unit.is_a_piece() || (given.value.decimal() % step).is_zero() {
        return Ok(());
    }
    Err(DoseRefusal::Amount(format!("{given} cannot be given: these are counted in {name}")).into())
}

fn wrong<T>(words: String) -> Result<T, Refusal> {
    Err(DoseRefusal::Amount(words).into())
}
