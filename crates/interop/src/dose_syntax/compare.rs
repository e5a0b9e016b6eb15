//! Words against structure: where a sender's text and codes say different things.

use super::medicine;
use super::reading::{
    Bounds, Ceiling, HowMuch, Moment, OnDays, ReadDose, ReadSchedule, Reading, Times,
};
use super::structured::{StructuredBounds, StructuredDosage};
use mar::quantity::{Quantity, Unit};
use rust_decimal::Decimal;

/// What differs. The words always stand beside the structure; which is meant, a person says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// How much each time.
    #[error("the words say {words} each time, the structure {structure}")]
    Dose {
        /// As the words say it.
        words: String,
        /// As the structure says it.
        structure: String,
    },
    /// Of what.
    #[error("the words say {words}, the structure {structure}: they are not the same unit")]
    Unit {
        /// As the words say it.
        words: String,
        /// As the structure says it.
        structure: String,
    },
    /// How often, or on which days.
    #[error("the words say {words}, the structure {structure}")]
    Frequency {
        /// As the words say it.
        words: String,
        /// As the structure says it.
        structure: String,
    },
    /// Regular or when required.
    #[error("the words say {words}, the structure {structure}")]
    AsNeeded {
        /// As the words say it.
        words: &'static str,
        /// As the structure says it.
        structure: &'static str,
    },
    /// For how long.
    #[error("the words say {words}, the structure {structure}")]
    Duration {
        /// As the words say it.
        words: String,
        /// As the structure says it.
        structure: String,
    },
    /// The most in 24 hours.
    #[error("the words say at most {words}, the structure {structure}")]
    Maximum {
        /// As the words say it.
        words: String,
        /// As the structure says it.
        structure: String,
    },
    /// Left and right.
    #[error("the words say {words}, the structure {structure}")]
    Site {
        /// As the words say it.
        words: String,
        /// As the structure says it.
        structure: String,
    },
    /// By which route.
    #[error("the words say {words}, the structure {structure}")]
    Route {
        /// As the words say it.
        words: &'static str,
        /// As the structure says it.
        structure: &'static str,
    },
}

/// Returns all that the words and the structure of one dosage say differently.
///
/// What only one of them says is no conflict, with two exceptions: when required on one side only,
/// and a duration in the words that the structure lacks, since an order made of the structure
/// would go on. `medicine` is the product's name: its strength makes "2 tablets" and "10 mg"
/// comparable. A refused text is compared only in what it says without doubt.
#[must_use]
pub fn compare(words: &Reading, structure: &StructuredDosage, medicine: &str) -> Vec<Conflict> {
    let coded = structure.reading();
    let mut found = Vec::new();
    found.extend(dose(words, &coded, medicine));
    found.extend(frequency(words, &coded));
    found.extend(as_needed(words, &coded));
    found.extend(duration(words, &coded, structure));
    found.extend(maximum(words, &coded, medicine));
    found.extend(site(words, &coded));
    if let Some((words, structure)) = words.route.zip(coded.route)
        && words != structure
    {
        found.push(Conflict::Route { words, structure });
    }
    found
}

fn dose(words: &Reading, coded: &Reading, medicine: &str) -> Option<Conflict> {
    let amount = |reading: &Reading| match &reading.dose {
        Some(ReadDose::Amount { how_much, unit }) => Some((*how_much, unit.clone())),
        Some(ReadDose::Application) | None => None,
    };
    let (said, said_unit) = amount(words)?;
    let (meant, meant_unit) = amount(coded)?;
    let shown =
        |reading: &Reading| reading.dose.as_ref().map(ToString::to_string).unwrap_or_default();
    let (words, structure) = (shown(words), shown(coded));
    let one = said_unit.or_else(|| medicine::piece(medicine));
    // "One" of an unknown form can't be measured against anything.
    let (one, two) = one.zip(meant_unit)?;
    match measured_alike(said, &one, meant, &two, medicine) {
        Measured::Same => None,
        Measured::Differently => Some(Conflict::Dose { words, structure }),
        Measured::OtherUnit => Some(Conflict::Unit { words, structure }),
        Measured::Unknown => None,
    }
}

enum Measured {
    Same,
    Differently,
    OtherUnit,
    /// "2 tablets" and "10 mg" of a medicine with no known strength.
    Unknown,
}

fn measured_alike(
    said: HowMuch,
    one: &Unit,
    meant: HowMuch,
    two: &Unit,
    medicine: &str,
) -> Measured {
    let verdict = |same: bool| if same { Measured::Same } else { Measured::Differently };
    if one == two {
        return verdict(said == meant);
    }
    let strength = medicine::strength(medicine);
    let mass = |how_much: HowMuch, unit: &Unit| {
        let factor = micrograms(unit.as_str()).or_else(|| {
            let (value, of) = strength?;
            let piece = medicine::piece(medicine).is_some_and(|piece| piece == *unit);
            micrograms(of).filter(|_| piece).and_then(|factor| value.checked_mul(factor))
        })?;
        ends(how_much, factor)
    };
    if let Some((one, two)) = mass(said, one).zip(mass(meant, two)) {
        return verdict(one == two);
    }
    let is_mass = |unit: &Unit| micrograms(unit.as_str()).is_some();
    // A cream's "1 application" is no unit to compare with, and a mass needs a strength.
    let open = is_mass(one) || is_mass(two) || *two == Unit::new("application");
    if open { Measured::Unknown } else { Measured::OtherUnit }
}

fn micrograms(unit: &str) -> Option<Decimal> {
    match unit {
        "microgram" => Some(Decimal::ONE),
        "mg" => Some(Decimal::from(1_000)),
        "g" => Some(Decimal::from(1_000_000)),
        _ => None,
    }
}

fn ends(how_much: HowMuch, factor: Decimal) -> Option<(Option<Decimal>, Decimal)> {
    let times = |q: Quantity| q.decimal().checked_mul(factor).map(|product| product.normalize());
    Some(match how_much {
        HowMuch::Exactly(one) => (Some(times(one)?), times(one)?),
        HowMuch::Between(low, high) => (Some(times(low)?), times(high)?),
        HowMuch::UpTo(most) => (None, times(most)?),
    })
}

fn frequency(words: &Reading, coded: &Reading) -> Option<Conflict> {
    let (said, meant) = words.schedule.as_ref().zip(coded.schedule.as_ref())?;
    let required = words.as_needed.is_some() && coded.as_needed.is_some();
    let same = same_days(&said.days, &meant.days) && same_times(said, meant, required);
    (!same).then(|| Conflict::Frequency { words: said.to_string(), structure: meant.to_string() })
}

fn same_days(one: &OnDays, two: &OnDays) -> bool {
    let in_days = |days: &OnDays| match days {
        OnDays::Every => Some(1),
        OnDays::EveryDays(n) => Some(u32::from(*n)),
        OnDays::EveryWeeks(n) => Some(u32::from(*n) * 7),
        OnDays::Weekdays(days) if days.len() == 7 => Some(1),
        OnDays::Weekdays(_)
        | OnDays::DaysAWeek(_)
        | OnDays::EveryMonths(_)
        | OnDays::Cycle { .. }
        | OnDays::Once => None,
    };
    match (one, two) {
        (OnDays::Weekdays(days), OnDays::EveryWeeks(1))
        | (OnDays::EveryWeeks(1), OnDays::Weekdays(days)) => days.len() == 1,
        (OnDays::Weekdays(days), OnDays::DaysAWeek(n))
        | (OnDays::DaysAWeek(n), OnDays::Weekdays(days)) => days.len() == usize::from(*n),
        // A structure has no way to say the days off.
        (OnDays::Cycle { .. }, OnDays::Every) | (OnDays::Every, OnDays::Cycle { .. }) => true,
        _ => one == two || in_days(one).zip(in_days(two)).is_some_and(|(one, two)| one == two),
    }
}

fn same_times(one: &ReadSchedule, two: &ReadSchedule, required: bool) -> bool {
    if one.times == two.times {
        return true;
    }
    match (&one.times, &two.times) {
        (Times::At(one), Times::At(two)) => same_moments(one, two),
        (Times::At(moments), Times::ADay(n)) | (Times::ADay(n), Times::At(moments)) => {
            moments.len() == usize::from(*n)
        }
        (Times::EveryHours(h, None), Times::ADay(n))
        | (Times::ADay(n), Times::EveryHours(h, None)) => h.checked_mul(*n) == Some(24),
        // "Up to four times a day when required" is coded as four times a day, when required.
        (Times::UpTo(one), Times::ADay(two)) | (Times::ADay(one), Times::UpTo(two)) => {
            required && one == two
        }
        _ => false,
    }
}

/// Clock times and parts of the day are the same where they are as many; two clock times or two
/// parts of the day must be the same themselves.
fn same_moments(one: &[Moment], two: &[Moment]) -> bool {
    let clocks = |moments: &[Moment]| moments.iter().all(|m| matches!(m, Moment::Clock(_)));
    let comparable = clocks(one) == clocks(two);
    one.len() == two.len() && (!comparable || one.iter().all(|moment| two.contains(moment)))
}

fn as_needed(words: &Reading, coded: &Reading) -> Option<Conflict> {
    let said = |reading: &Reading| reading.as_needed.is_some();
    let told = |reading: &Reading| reading.schedule.is_some() || said(reading);
    let word = |reading: &Reading| if said(reading) { "when required" } else { "regularly" };
    (told(words) && told(coded) && said(words) != said(coded))
        .then(|| Conflict::AsNeeded { words: word(words), structure: word(coded) })
}

fn duration(words: &Reading, coded: &Reading, structure: &StructuredDosage) -> Option<Conflict> {
    let said = words.bounds.filter(|bounds| *bounds != Bounds::UntilFinished)?;
    let conflict = |structure: String| Conflict::Duration { words: said.to_string(), structure };
    if let Some(StructuredBounds::Period(start, end)) = structure.bounds {
        let inclusive = start.zip(end).map(|(start, end)| (end - start).num_days() + 1)?;
        let (least, most) = in_days(said)?;
        // Both ways of counting the last day are in use.
        let fits = [inclusive, inclusive - 1].iter().any(|days| (least..=most).contains(days));
        return (!fits).then(|| conflict(format!("{inclusive} days")));
    }
    match coded.bounds {
        Some(meant) if in_days(said) == in_days(meant) => None,
        Some(meant) => Some(conflict(meant.to_string())),
        None if coded.schedule.is_some() => Some(conflict("no end".to_owned())),
        None => None,
    }
}

/// The fewest and the most days; a month is counted as 28 to 31.
fn in_days(bounds: Bounds) -> Option<(i64, i64)> {
    let Bounds::For { least, most, span, .. } = bounds else { return None };
    let longest = if span == super::reading::Span::Month { 31 } else { span.days() };
    let first = i64::from(least) * i64::from(span.days());
    Some((first, i64::from(most.unwrap_or(least)) * i64::from(longest)))
}

fn maximum(words: &Reading, coded: &Reading, medicine: &str) -> Option<Conflict> {
    let (said, meant) = words.max_24h.as_ref().zip(coded.max_24h.as_ref())?;
    let conflict =
        || Some(Conflict::Maximum { words: said.to_string(), structure: meant.to_string() });
    match (said, meant) {
        (Ceiling::Amount(said, one), Ceiling::Amount(meant, two)) => {
            let of_dose = |reading: &Reading| match &reading.dose {
                Some(ReadDose::Amount { unit, .. }) => unit.clone(),
                Some(ReadDose::Application) | None => None,
            };
            let piece = || medicine::piece(medicine);
            let one = one.clone().or_else(|| of_dose(words)).or_else(piece);
            let two = two.clone().or_else(|| of_dose(coded)).or_else(piece);
            let (one, two) = one.zip(two)?;
            let (said, meant) = (HowMuch::Exactly(*said), HowMuch::Exactly(*meant));
            match measured_alike(said, &one, meant, &two, medicine) {
                Measured::Same | Measured::Unknown => None,
                Measured::Differently | Measured::OtherUnit => conflict(),
            }
        }
        (Ceiling::Doses(said), Ceiling::Doses(meant)) if said != meant => conflict(),
        (Ceiling::Doses(_), _) | (_, Ceiling::Doses(_)) => None,
    }
}

fn site(words: &Reading, coded: &Reading) -> Option<Conflict> {
    let (said, meant) = words.site.as_ref().zip(coded.site.as_ref())?;
    let side = |text: &str| {
        let lower = text.to_lowercase();
        ["left", "right", "both", "each"].into_iter().find(|side| lower.contains(side)).map(
            |side| {
                if side == "each" { "both" } else { side }
            },
        )
    };
    let (one, two) = side(&said.words).zip(side(&meant.words))?;
    (one != two)
        .then(|| Conflict::Site { words: said.words.clone(), structure: meant.words.clone() })
}
