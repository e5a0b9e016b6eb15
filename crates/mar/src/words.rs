//! Directions in plain words, generated from the structure (O-05, O-06): no Latin, no
//! abbreviations, leading zero always, trailing zero never.

use crate::order::{Content, Dose, Prn};
use crate::quantity::{Amount, Quantity, Unit};
use crate::schedule::{Days, Schedule, TimeOfDay};
use crate::settings::Settings;
use crate::time::Minutes;

/// Returns the directions of an order as a person reads them:
/// `Take ONE tablet by mouth at 08:00 and 20:00. With food.`
#[must_use]
pub fn directions(content: &Content, settings: &Settings) -> String {
    let (verb, how) = route_words(&content.route);
    let mut text = format!("{verb} {}", dose(&content.dose));
    if !how.is_empty() {
        text.push(' ');
        text.push_str(how);
    }
    let when = when(&content.schedule, settings);
    if !when.is_empty() {
        text.push(' ');
        text.push_str(&when);
    }
    text.push('.');
    if let Some(prn) = content.prn() {
        text.push(' ');
        text.push_str(&limits(prn));
    }
    let extra =
        [content.indication.as_deref().map(|i| format!("For {i}")), content.instruction.clone()];
    for sentence in extra.into_iter().flatten() {
        let sentence = sentence.trim().trim_end_matches('.').to_owned();
        if !sentence.is_empty() {
            text.push(' ');
            text.push_str(&upper_first(&sentence));
            text.push('.');
        }
    }
    text
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn route_words(route: &str) -> (&'static str, &str) {
    match route.trim().to_lowercase().as_str() {
        "oral" | "by mouth" => ("Take", "by mouth"),
        "topical" | "cutaneous" | "to the skin" => ("Apply", "to the skin"),
        "transdermal" => ("Apply", "to the skin"),
        "inhalation" | "inhaled" => ("Inhale", ""),
        "subcutaneous" => ("Inject", "under the skin"),
        "intramuscular" => ("Inject", "into the muscle"),
        "ocular" | "eye" => ("Put", "in the eye"),
        "nasal" => ("Use", "in the nose"),
        "rectal" => ("Give", "into the back passage"),
        "sublingual" => ("Use", "under the tongue"),
        "buccal" => ("Give", "inside the cheek"),
        _ => ("Give", route.trim()),
    }
}

const NUMBERS: [&str; 13] = [
    "ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN",
    "ELEVEN", "TWELVE",
];

/// Small whole numbers in capital words, everything else in digits: `TWO tablets`, `2.5 ml`.
fn number(quantity: Quantity) -> String {
    use rust_decimal::prelude::ToPrimitive;
    let whole =
        quantity.decimal().fract().is_zero().then(|| quantity.decimal().to_usize()).flatten();
    whole
        .and_then(|n| NUMBERS.get(n))
        .map_or_else(|| quantity.to_string(), |word| (*word).to_owned())
}

/// Returns a number with its thousands apart: `4,000`, `0.5`.
#[must_use]
pub fn grouped(quantity: Quantity) -> String {
    let text = quantity.to_string();
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// Returns a dose in words: `TWO tablets`, `ONE or TWO tablets`, `2.5 to 5 ml`.
#[must_use]
pub fn dose(dose: &Dose) -> String {
    match dose {
        Dose::Fixed(amount) => amount_words(amount),
        Dose::Range { from, to, unit } => {
            let between = if to.decimal() - from.decimal() == rust_decimal::Decimal::ONE {
                "or"
            } else {
                "to"
            };
            // Both ends in words or both in digits: "2.5 to FIVE" is misread.
            let whole = from.decimal().fract().is_zero() && to.decimal().fract().is_zero();
            let end = |q: Quantity| {
                if whole && !is_measure(unit) { number(q) } else { q.to_string() }
            };
            format!("{} {between} {} {}", end(*from), end(*to), unit.beside(*to))
        }
    }
}

/// Returns an amount in words: `TWO tablets`. Measures stay in digits: `10 ml`.
#[must_use]
pub fn amount_words(amount: &Amount) -> String {
    let number =
        if is_measure(&amount.unit) { amount.value.to_string() } else { number(amount.value) };
    format!("{number} {}", amount.unit.beside(amount.value))
}

/// Whether a unit measures and does not count pieces: its amounts stay in digits.
fn is_measure(unit: &Unit) -> bool {
    matches!(unit.as_str(), "ml" | "mg" | "g" | "l" | "microgram" | "unit")
}

/// Returns a length of time in words: `4 hours`, `90 minutes`.
#[must_use]
pub fn length(length: Minutes) -> String {
    let plural = |n: u32, word: &str| {
        if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
    };
    if length.0 >= 60 && length.0.is_multiple_of(60) {
        plural(length.0 / 60, "hour")
    } else {
        plural(length.0, "minute")
    }
}

/// Returns how far apart two doses lie, in words: `6 days and 20 hours`, `7 hours and 5 minutes`.
/// Minutes are left out where there are days.
#[must_use]
pub fn apart(length: Minutes) -> String {
    let plural = |n: u32, word: &str| {
        let s = if n == 1 { "" } else { "s" };
        (n > 0).then(|| format!("{n} {word}{s}"))
    };
    let (days, hours, minutes) = (length.0 / 1_440, length.0 / 60 % 24, length.0 % 60);
    let minutes = if days > 0 { None } else { plural(minutes, "minute") };
    let parts: Vec<String> =
        [plural(days, "day"), plural(hours, "hour"), minutes].into_iter().flatten().collect();
    if parts.is_empty() { "no time".to_owned() } else { list(&parts) }
}

/// Joins texts as a sentence does: `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn times(times: &[TimeOfDay]) -> String {
    format!("at {}", list(&times.iter().map(ToString::to_string).collect::<Vec<_>>()))
}

const DAY_NAMES: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Returns weekdays in words: `on Monday and Thursday`; empty for every day.
#[must_use]
pub fn days(days: Days) -> String {
    if days == Days::ALL {
        return String::new();
    }
    let names: Vec<String> =
        days.iter().map(|(d, _)| DAY_NAMES[d.num_days_from_monday() as usize].to_owned()).collect();
    format!("on {}", list(&names))
}

fn join(parts: [String; 2]) -> String {
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
}

fn when(schedule: &Schedule, settings: &Settings) -> String {
    match schedule {
        Schedule::Times { times: at, days: on } => join([times(at), days(*on)]),
        Schedule::Rounds { rounds, days: on } => {
            let name = |id: &String| {
                settings.round(id).map_or_else(|| id.clone(), |r| r.name.to_lowercase())
            };
            let names: Vec<String> = rounds.iter().map(name).collect();
            join([
                format!("in the {} round{}", list(&names), if names.len() == 1 { "" } else { "s" }),
                days(*on),
            ])
        }
        Schedule::EveryDays { n, anchor, times: at } => {
            let every = match n {
                1 => "every day".to_owned(),
                2 => format!("every other day, counted from {}", date(*anchor)),
                _ => format!("every {n} days, counted from {}", date(*anchor)),
            };
            join([every, times(at)])
        }
        Schedule::EveryWeeks { n, days: on, times: at, .. } => {
            let every = if *n == 1 { "every week".to_owned() } else { format!("every {n} weeks") };
            join([join([every, days(*on)]), times(at)])
        }
        Schedule::EveryHours { n, .. } => format!("every {}", length(Minutes(u32::from(*n) * 60))),
        Schedule::Once { at } => {
            let civil = at.civil(settings.zone);
            format!("once, on {} at {}", date(civil.date()), civil.format("%H:%M"))
        }
        Schedule::WhenRequired(_) => "when required".to_owned(),
    }
}

/// Returns a date as it is shown everywhere (T-05): `Sat 21 Nov 2026`.
#[must_use]
pub fn date(date: chrono::NaiveDate) -> String {
    date.format("%a %-d %b %Y").to_string()
}

/// Returns the limits of a when-required order: `At least 4 hours between doses. No more than EIGHT
/// tablets in 24 hours.`
#[must_use]
pub fn limits(prn: &Prn) -> String {
    let interval = match prn.min_interval.value() {
        Some(interval) => format!("At least {} between doses.", length(*interval)),
        None => "Shortest time between doses: not stated.".to_owned(),
    };
    let most = match prn.max_24h.value() {
        Some(amount) => format!(" No more than {} in 24 hours.", amount_words(amount)),
        None => " Most in 24 hours: not stated.".to_owned(),
    };
    interval + &most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_in_time_is_told_in_days_or_hours() {
        let words = |minutes| apart(Minutes(minutes));
        assert_eq!(words(9_851), "6 days and 20 hours");
        assert_eq!(words(425), "7 hours and 5 minutes");
        assert_eq!(words(1_440), "1 day");
        assert_eq!(words(61), "1 hour and 1 minute");
        assert_eq!(words(0), "no time");
    }

    #[test]
    fn both_ends_of_a_range_are_words_or_both_are_digits() {
        #[track_caller]
        fn check(from: &str, to: &str, unit: &str, expected: &str) {
            let read = |text: &str| text.parse().expect("a quantity");
            let range = Dose::Range { from: read(from), to: read(to), unit: Unit::new(unit) };
            assert_eq!(dose(&range), expected);
        }
        check("1", "2", "tablet", "ONE or TWO tablets");
        check("2.5", "5", "ml", "2.5 to 5 ml");
        check("5", "10", "ml", "5 to 10 ml");
        check("0.5", "1", "tablet", "0.5 to 1 tablet");
    }
}
