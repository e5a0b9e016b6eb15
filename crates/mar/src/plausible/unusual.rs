//! What no label is needed for to be asked about: amounts far beyond one dose (S-08), more doses a
//! day than there are hours, and a controlled drug that is stated as none (C-02).

use super::{factor, in_micrograms, is_solid};
use crate::medicine::{CdCategory, Medicine};
use crate::order::{Content, SameMeaning};
use crate::quantity::{Amount, Quantity};
use crate::schedule::Schedule;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// The most of one dose that is taken without a question, by unit: ours, so that a strength or a
/// pack size typed as the dose is asked about. For the clinical lead: confirm with a pharmacist.
const MOST_AT_ONCE: &[(&str, u32)] = &[
    ("tablet", 9),
    ("capsule", 9),
    ("caplet", 9),
    ("sachet", 9),
    ("lozenge", 9),
    ("patch", 2),
    ("suppository", 2),
    ("pessary", 2),
    ("enema", 2),
    ("nebule", 4),
    ("ampoule", 4),
    ("injection", 4),
    ("bottle", 4),
    ("carton", 4),
    ("spoonful", 4),
    ("ml", 50),
    ("unit", 100),
    ("puff", 20),
    ("spray", 20),
    ("drop", 20),
];
/// The most doses of a day that are taken without a question. For the clinical lead.
const MOST_A_DAY: u32 = 24;

/// Something that is hardly ever meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusual {
    /// The rule that asks.
    pub rule: &'static str,
    /// What it is, in words.
    pub words: String,
    /// What a reason has to name to speak of this: `125 tablets`, `0000`.
    pub named: String,
}

/// Returns what is asked about in an order and what its writer did not name in the words on how it
/// differs: a reason for one thing never covers another.
#[must_use]
pub fn unusual(content: &Content, said: Option<&SameMeaning>) -> Vec<Unusual> {
    let plain = |text: &str| {
        format!(" {} ", text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let said = match said {
        Some(SameMeaning::Differs(how)) => plain(how),
        Some(SameMeaning::Same) | None => String::new(),
    };
    let asked = [at_once(content), a_day(content), understated(&content.medicine)];
    asked.into_iter().flatten().filter(|asked| !names(&said, &plain(&asked.named))).collect()
}

/// Whether the words hold the name by itself: "125 tablets" does not stand in "1125 tablets".
fn names(said: &str, name: &str) -> bool {
    let name = name.trim();
    said.match_indices(name).any(|(at, _)| {
        let before = said[..at].chars().next_back();
        let after = said[at + name.len()..].chars().next();
        let beside =
            |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == ',');
        let ends = after.is_none_or(|c| !c.is_alphanumeric());
        !beside(before) && ends
    })
}

fn at_once(content: &Content) -> Option<Unusual> {
    let dose = content.dose.most();
    let thousand = Decimal::from(1_000);
    let (value, unit) = match dose.unit.as_str() {
        "l" => (dose.value.decimal().checked_mul(thousand)?, "ml"),
        mass if factor(mass).is_some() => (pieces(&content.medicine, &dose)?, "tablet"),
        unit => (dose.value.decimal(), unit),
    };
    let (_, most) = MOST_AT_ONCE.iter().find(|(of, _)| *of == unit)?;
    if value <= Decimal::from(*most) {
        return None;
    }
    let ceiling = Amount::new(Quantity::whole(*most), unit);
    let words = if factor(dose.unit.as_str()).is_some() {
        let pieces = value.round_dp(1).normalize();
        format!(
            "{dose} each time is {pieces} tablets or capsules of this strength: more than {most} is asked about"
        )
    } else {
        format!("{dose} each time: more than {ceiling} is asked about")
    };
    Some(Unusual { rule: "S-08", words, named: dose.to_string() })
}

/// How many pieces a mass of a tablet or capsule is; `None` where nobody can say.
fn pieces(medicine: &Medicine, dose: &Amount) -> Option<Decimal> {
    if !is_solid(medicine) {
        return None;
    }
    let [one] = masses(medicine)[..] else { return None };
    in_micrograms(dose, medicine)?.checked_div(one)
}

/// The masses that one piece of a medicine is said to hold, in micrograms: of its ingredients, else
/// in its strength, else in its name. Several for a medicine with several ingredients.
pub(super) fn masses(medicine: &Medicine) -> Vec<Decimal> {
    let of_ingredient = |i: &crate::medicine::Ingredient| {
        let each = i.amount.as_ref()?;
        each.value.decimal().checked_mul(factor(each.unit.as_str())?)
    };
    let held: Vec<Decimal> = medicine.ingredients.iter().filter_map(of_ingredient).collect();
    if !held.is_empty() {
        return held;
    }
    let stated = masses_in(medicine.strength.as_deref().unwrap_or_default());
    if stated.is_empty() { masses_in(&medicine.name) } else { stated }
}

fn masses_in(text: &str) -> Vec<Decimal> {
    let mut found = Vec::new();
    let text = text.to_lowercase();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[at..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let word: String = after.trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
        let unit = crate::quantity::Unit::new(&word);
        if let (Ok(number), Some(factor)) = (number.parse::<Quantity>(), factor(unit.as_str())) {
            found.extend(number.decimal().checked_mul(factor).filter(|m| !m.is_zero()));
        }
        rest = after;
    }
    found
}

fn a_day(content: &Content) -> Option<Unusual> {
    let times = match &content.schedule {
        Schedule::Times { times, .. }
        | Schedule::EveryDays { times, .. }
        | Schedule::EveryWeeks { times, .. } => {
            Decimal::from(times.iter().collect::<BTreeSet<_>>().len())
        }
        Schedule::WhenRequired(prn) => {
            let most = prn.max_24h.value()?;
            most.value.decimal().checked_div(content.dose.least().value.decimal())?.floor()
        }
        Schedule::Rounds { .. } | Schedule::EveryHours { .. } | Schedule::Once { .. } => {
            return None;
        }
    };
    let named = format!("{} doses", times.normalize());
    (times > Decimal::from(MOST_A_DAY)).then(|| Unusual {
        rule: "S-08",
        words: format!("{named} in a day: more than {MOST_A_DAY} doses is asked about"),
        named,
    })
}

fn understated(medicine: &Medicine) -> Option<Unusual> {
    // What nobody stated is asked for by itself (O-01).
    let listed = medicine.understated().filter(|_| medicine.cd != CdCategory::Unknown)?;
    let (name, is, stated) = (listed.name, listed.category, medicine.cd);
    Some(Unusual {
        rule: "C-02",
        words: format!(
            "{name} is a controlled drug, cd_category {}, and this order says {}",
            is.in_words(),
            stated.in_words()
        ),
        named: stated.to_string(),
    })
}
