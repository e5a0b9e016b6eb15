//! Whether an order can be what was meant (H-08, H-31): against the sender's words as they were
//! read (O-05), against the form of the medicine (O-01), and against the resident's other orders
//! (O-08). What differs is never decided here: a person corrects it, or says why.

mod unusual;

pub use unusual::{Unusual, unusual};

use crate::ids::OrderId;
use crate::medicine::Medicine;
use crate::order::{AsRead, Content, Dose, Prn};
use crate::picture::{OrderHistory, ResidentPicture, VersionView};
use crate::quantity::{Amount, Unit};
use crate::schedule::{Days, Schedule};
use crate::time::{Minutes, Timestamp};
use crate::words;
use std::collections::BTreeSet;

/// Returns where an order differs from what the words beside it were read as, in words; empty when
/// it does not, or when nothing was read.
#[must_use]
pub fn differences(content: &Content, reading: &AsRead) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(dose) = &reading.dose
        && !same_dose(dose, &content.dose, &content.medicine)
    {
        found.push(said(&words::dose(dose), &words::dose(&content.dose)));
    }
    if let Some(schedule) = &reading.schedule {
        let (read, here) = (Rhythm::of(schedule), Rhythm::of(&content.schedule));
        if read.is_same(&here) {
            found.extend(limits(schedule, content.prn()));
        } else {
            found.push(said(&read.in_words(), &here.in_words()));
        }
    }
    found
}

fn said(read: &str, here: &str) -> String {
    format!("the words say {read}, and this order says {here}")
}

fn limits(read: &Schedule, here: Option<&Prn>) -> Vec<String> {
    let (Schedule::WhenRequired(read), Some(here)) = (read, here) else { return Vec::new() };
    let mut found = Vec::new();
    if let Some((read, here)) = read.max_24h.value().zip(here.max_24h.value())
        && read != here
    {
        let most = |amount: &Amount| format!("at most {} in 24 hours", words::amount_words(amount));
        found.push(said(&most(read), &most(here)));
    }
    if let Some((read, here)) = read.min_interval.value().zip(here.min_interval.value())
        && read != here
    {
        let gap = |length: Minutes| format!("at least {} between doses", words::length(length));
        found.push(said(&gap(*read), &gap(*here)));
    }
    found
}

fn same_dose(read: &Dose, here: &Dose, medicine: &Medicine) -> bool {
    let same = |a: Amount, b: Amount| {
        a == b || in_micrograms(&a, medicine).zip(in_micrograms(&b, medicine)).is_some_and(same_two)
    };
    same(read.least(), here.least()) && same(read.most(), here.most())
}

fn same_two((a, b): (rust_decimal::Decimal, rust_decimal::Decimal)) -> bool {
    a == b
}

/// An amount as a mass, so that "10 mg" and "2 tablets" of 5 mg are one dose. `None` when it is no
/// mass and the medicine does not say what a piece holds.
fn in_micrograms(amount: &Amount, medicine: &Medicine) -> Option<rust_decimal::Decimal> {
    if let Some(factor) = factor(amount.unit.as_str()) {
        return amount.value.decimal().checked_mul(factor);
    }
    let [only] = medicine.ingredients.as_slice() else { return None };
    let (each, per) = (only.amount.as_ref()?, only.per.as_ref()?);
    let one = each.value.decimal().checked_mul(factor(each.unit.as_str())?)?;
    (*per == amount.unit).then(|| amount.value.decimal().checked_mul(one)).flatten()
}

/// How many micrograms one of a unit of mass is; `None` for any other unit.
fn factor(unit: &str) -> Option<rust_decimal::Decimal> {
    match unit {
        "microgram" => Some(rust_decimal::Decimal::ONE),
        "mg" => Some(rust_decimal::Decimal::from(1_000)),
        "g" => Some(rust_decimal::Decimal::from(1_000_000)),
        _ => None,
    }
}

/// How often, without the times of the day: those are the home's to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rhythm {
    WhenRequired,
    Once,
    /// So many times on each day that is due.
    Days {
        /// Every so many days.
        every: u32,
        /// On these weekdays only; `None` where they are counted from a date.
        on: Option<Days>,
        /// How often on such a day.
        times: usize,
    },
    /// Every so many hours, where that is no whole part or number of days.
    Hours(u16),
}

impl Rhythm {
    fn of(schedule: &Schedule) -> Self {
        let on_days = |every: u32, days: Days, times: usize| {
            let all = days == Days::ALL;
            let every = if all && every == 7 { 1 } else { every };
            Self::Days { every, on: (!all).then_some(days), times }
        };
        match schedule {
            Schedule::Times { times, days } => {
                on_days(7, *days, times.iter().collect::<BTreeSet<_>>().len())
            }
            Schedule::Rounds { rounds, days } => {
                on_days(7, *days, rounds.iter().collect::<BTreeSet<_>>().len())
            }
            Schedule::EveryDays { n, times, .. } => {
                Self::Days { every: u32::from(*n), on: None, times: times.len() }
            }
            Schedule::EveryWeeks { n, days, times, .. } => {
                on_days(u32::from(*n) * 7, *days, times.len())
            }
            Schedule::EveryHours { n, .. } if *n > 0 && 24 % n == 0 => {
                Self::Days { every: 1, on: None, times: usize::from(24 / n) }
            }
            Schedule::EveryHours { n, .. } if *n > 0 && n % 24 == 0 => {
                Self::Days { every: u32::from(n / 24), on: None, times: 1 }
            }
            Schedule::EveryHours { n, .. } => Self::Hours(*n),
            Schedule::Once { .. } => Self::Once,
            Schedule::WhenRequired(_) => Self::WhenRequired,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let (
            Self::Days { every: a, on: on_a, times: n },
            Self::Days { every: b, on: on_b, times: m },
        ) = (self, other)
        else {
            return self == other;
        };
        let on = match (on_a, on_b) {
            (Some(a), Some(b)) => a == b,
            // "Every seven days" and "on Monday" are both once a week.
            (Some(days), None) | (None, Some(days)) => days.iter().count() == 1,
            (None, None) => true,
        };
        a == b && n == m && on
    }

    fn in_words(&self) -> String {
        match self {
            Self::WhenRequired => "when required".to_owned(),
            Self::Once => "once only".to_owned(),
            Self::Hours(n) => format!("every {n} hours"),
            Self::Days { every, on, times } => {
                let often = match times {
                    1 => "once".to_owned(),
                    2 => "twice".to_owned(),
                    n => format!("{n} times"),
                };
                match (every, on) {
                    (1, _) => format!("{often} a day"),
                    (7, None) => format!("{often}, every 7 days"),
                    (7, Some(days)) => format!("{often} {}", words::days(*days)),
                    (n, Some(days)) => format!("{often} {}, every {n} days", words::days(*days)),
                    (n, None) => format!("{often}, every {n} days"),
                }
            }
        }
    }
}

/// Units that no tablet or capsule is counted in.
const NEVER_SOLID: &[&str] = &[
    "ml",
    "l",
    "puff",
    "drop",
    "spray",
    "patch",
    "suppository",
    "pessary",
    "application",
    "enema",
    "spoonful",
    "nebule",
    "ampoule",
];
/// Units that nothing liquid or soft is counted in.
const NEVER_MEASURED: &[&str] =
    &["tablet", "capsule", "caplet", "lozenge", "patch", "suppository", "pessary"];
/// Units that no patch is counted in.
const NEVER_PATCH: &[&str] = &[
    "tablet",
    "capsule",
    "caplet",
    "lozenge",
    "ml",
    "l",
    "puff",
    "drop",
    "spray",
    "suppository",
    "pessary",
    "sachet",
    "spoonful",
];

/// Words of a form, and the units that it is surely not counted in. For the clinical lead: confirm
/// with a pharmacist. A form that names two of them (tablets for oral suspension) is not judged.
const FORMS: &[(&[&str], &[&str])] = &[
    (&["tablet", "tablets", "capsule", "capsules", "caplet", "caplets"], NEVER_SOLID),
    (&["patch", "patches"], NEVER_PATCH),
    (
        &[
            "solution",
            "suspension",
            "syrup",
            "liquid",
            "elixir",
            "linctus",
            "cream",
            "ointment",
            "gel",
            "lotion",
            "drops",
            "emulsion",
            "mouthwash",
            "shampoo",
            "injection",
            "infusion",
        ],
        NEVER_MEASURED,
    ),
];

/// Forms that are dissolved or taken in part of a liquid, so that either unit may be right.
const EITHER: &[&str] = &["soluble", "dispersible", "effervescent", "orodispersible", "inhalation"];

/// Whether a medicine of this form can be counted in this unit. Only what is sure is `false`: an
/// unknown form or unit can.
#[must_use]
pub fn unit_fits(medicine: &Medicine, unit: &Unit) -> bool {
    // A mass of tablets can be counted out only where it is said what one holds.
    if factor(unit.as_str()).is_some() && is_solid(medicine) {
        return !unusual::masses(medicine).is_empty();
    }
    never(medicine).is_none_or(|never| !never.contains(&unit.as_str()))
}

/// Whether it is surely a tablet or a capsule.
fn is_solid(medicine: &Medicine) -> bool {
    never(medicine).is_some_and(|never| never == NEVER_SOLID)
}

/// The units that a medicine is surely not counted in; `None` where its form is not known.
fn never(medicine: &Medicine) -> Option<&'static [&'static str]> {
    let form = medicine.form.as_deref().filter(|form| !form.trim().is_empty());
    let text = form.unwrap_or(&medicine.name).to_lowercase();
    let tokens: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    if EITHER.iter().any(|word| tokens.contains(word)) {
        return None;
    }
    let mut kinds = FORMS.iter().filter(|(names, _)| names.iter().any(|n| tokens.contains(n)));
    match (kinds.next(), kinds.next()) {
        (Some((_, never)), None) => Some(never),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

/// Whether two medicines are the same or share an ingredient (O-08): by code, by ingredient, or,
/// where nobody wrote those, by the name before its strength.
#[must_use]
pub fn same_medicine(a: &Medicine, b: &Medicine) -> bool {
    let code = |m: &Medicine| m.dmd.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let coded = |m: &Medicine| -> BTreeSet<String> {
        m.ingredients.iter().filter_map(|i| i.code.clone()).collect()
    };
    let same_code = !code(a).is_empty() && code(a) == code(b);
    let (of_a, of_b) = (names(a), names(b));
    same_code
        || coded(a).intersection(&coded(b)).next().is_some()
        || of_a.iter().any(|x| of_b.iter().any(|y| begins(x, y) || begins(y, x)))
}

/// Whether a name begins with all the words of another: "levothyroxine sodium" is levothyroxine.
fn begins(name: &str, with: &str) -> bool {
    name.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Forms that end a name which tells no strength.
const ENDS: &[&str] = &["oral", "eye", "ear", "nasal", "powder", "granules", "sachets", "sachet"];

/// The ingredients, and the name before its strength, in lower case.
fn names(medicine: &Medicine) -> Vec<String> {
    let lower = medicine.name.to_lowercase();
    let ends = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit() || c == '(')
            || ENDS.contains(&word)
            || FORMS.iter().any(|(names, _)| names.contains(&word))
    };
    let head: Vec<&str> = lower.split_whitespace().take_while(|word| !ends(word)).collect();
    let ingredients = medicine.ingredients.iter().map(|i| i.name.trim().to_lowercase());
    let all = ingredients.chain([head.join(" ").trim_end_matches(',').to_owned()]);
    all.filter(|name| name.len() > 2).collect()
}

/// Returns the other orders of the resident that have the same medicine at the same time and that
/// nobody said to be intended beside this one (O-08): active, held or waiting for their check.
#[must_use]
pub fn twins<'p>(
    resident: &'p ResidentPicture,
    order: OrderId,
    content: &Content,
    now: Timestamp,
) -> Vec<&'p OrderHistory> {
    let others = resident.orders.values().filter(|history| history.id != order);
    let open = others.filter(|h| h.stopped_at().is_none_or(|at| at > now));
    open.filter(|history| {
        let versions = history.versions();
        let last = versions.iter().rfind(|v| !v.rejected).map(|v| v.version.id);
        let stands = |v: &&VersionView<'_>| match v.from {
            Some(_) => v.to.is_none_or(|to| to > now),
            None => !v.rejected && last == Some(v.version.id),
        };
        let same = |v: &VersionView<'_>| {
            let other = &v.version.content;
            same_medicine(&content.medicine, &other.medicine)
                && ends_after(content.stop, other.start)
                && ends_after(v.to.or(other.stop), content.start)
        };
        versions.iter().filter(stands).any(same) && !intended(resident, order, history.id)
    })
    .collect()
}

fn ends_after(end: Option<Timestamp>, start: Timestamp) -> bool {
    end.is_none_or(|end| end > start)
}

/// Whether somebody said that these two orders are meant to stand together.
fn intended(resident: &ResidentPicture, a: OrderId, b: OrderId) -> bool {
    let says = |one: OrderId, other: OrderId| {
        let history = resident.orders.get(&one);
        history.is_some_and(|history| {
            history
                .versions()
                .iter()
                .filter(|v| !v.rejected)
                .any(|v| v.version.intended.as_ref().is_some_and(|i| i.with.contains(&other)))
        })
    };
    says(a, b) || says(b, a)
}

/// Returns the pairs of orders in force at `now` that hold the same medicine, which nobody said to
/// be intended: two people checked them apart (O-08, Y-01).
#[must_use]
pub fn doubled(resident: &ResidentPicture, now: Timestamp) -> Vec<(OrderId, OrderId, Timestamp)> {
    let in_force: Vec<(&OrderHistory, &Content, Timestamp)> = resident
        .orders
        .values()
        .filter_map(|history| {
            let version = history.version_at(now)?;
            let from = history.version(version.id)?.from?;
            Some((history, &version.content, from))
        })
        .collect();
    let mut found = Vec::new();
    for (at, (a, of_a, from_a)) in in_force.iter().enumerate() {
        for (b, of_b, from_b) in &in_force[at + 1..] {
            let overlap = ends_after(of_a.stop, of_b.start) && ends_after(of_b.stop, of_a.start);
            let same = overlap && same_medicine(&of_a.medicine, &of_b.medicine);
            if same && !intended(resident, a.id, b.id) {
                found.push((a.id, b.id, (*from_a).max(*from_b)));
            }
        }
    }
    found
}
