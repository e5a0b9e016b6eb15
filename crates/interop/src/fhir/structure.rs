//! The coded part of a `Dosage`, STU3 and R4, as [`StructuredDosage`].

use std::str::FromStr;

use chrono::Weekday;
use mar::schedule::TimeOfDay;
use rust_decimal::Decimal;

use super::at::At;
use super::concept;
use crate::dose_syntax::{
    AsNeeded, DoseQuantity, PeriodUnit, Ratio, StructuredBounds, StructuredDosage, StructuredDose,
    When,
};

/// Elements of a dosage that are words, or say nothing of dose and time.
const WORDS: &[&str] = &[
    "id",
    "extension",
    "sequence",
    "text",
    "patientInstruction",
    "additionalInstruction",
    "method",
];

/// Returns what a dosage codes; `None` when it has words only.
pub(crate) fn read(at: &At<'_>) -> Option<StructuredDosage> {
    let mut dosage = StructuredDosage::default();
    let mut coded = false;
    for name in at.body.keys().map(String::as_str) {
        if WORDS.contains(&name) || name.starts_with('_') || !at.has(name) {
            continue;
        }
        coded |= !matches!(name, "route" | "site");
        read_element(at, name, &mut dosage);
    }
    coded.then_some(dosage)
}

fn read_element(at: &At<'_>, name: &str, dosage: &mut StructuredDosage) {
    let understood = match name {
        "timing" => at.get(name).is_some_and(|timing| read_timing(&timing, dosage)),
        "asNeededBoolean" => match at.boolean(name) {
            Some(true) => {
                dosage.as_needed.get_or_insert(AsNeeded { reason: None });
                true
            }
            needed => needed.is_some(),
        },
        "asNeededCodeableConcept" => {
            let reason = at.get(name).as_ref().and_then(concept::words);
            dosage.as_needed = Some(AsNeeded { reason });
            true
        }
        "route" => {
            dosage.route = at.get(name).as_ref().and_then(concept::words);
            dosage.route.is_some()
        }
        "site" => {
            dosage.site = at.get(name).as_ref().and_then(concept::words);
            dosage.site.is_some()
        }
        "maxDosePerPeriod" => {
            let ratios = at.each(name);
            dosage.max_per_period = ratios.first().and_then(ratio);
            dosage.max_per_period.is_some() && ratios.len() == 1
        }
        "doseAndRate" => {
            let parts = at.each(name);
            parts.len() == 1
                && parts[0]
                    .body
                    .keys()
                    .all(|part| part == "type" || read_dose(&parts[0], part, dosage))
        }
        _ => read_dose(at, name, dosage),
    };
    if !understood {
        dosage.unread.push(at.path_of(name));
    }
}

/// Reads a dose or rate, which STU3 has on the dosage and R4 in `doseAndRate`.
fn read_dose(at: &At<'_>, name: &str, dosage: &mut StructuredDosage) -> bool {
    if name.starts_with("rate") {
        dosage.rate = true;
        return true;
    }
    let dose = match name {
        "doseQuantity" => at.get(name).as_ref().and_then(quantity).map(StructuredDose::Quantity),
        "doseRange" => at.get(name).and_then(|range| {
            let end = |side: &str| range.get(side).as_ref().map(quantity);
            let (low, high) = (end("low"), end("high"));
            // An end that stands there and is not understood must not look like a missing one.
            let bad = [&low, &high].into_iter().any(|end| matches!(end, Some(None)));
            let range = StructuredDose::Range { low: low.flatten(), high: high.flatten() };
            (!bad).then_some(range)
        }),
        _ => None,
    };
    let understood = dose.is_some() && dosage.dose.is_none();
    dosage.dose = dosage.dose.take().or(dose);
    understood
}

/// Returns a quantity; `None` when its number is none, or it is only a limit (`comparator`).
fn quantity(at: &At<'_>) -> Option<DoseQuantity> {
    if at.has("comparator") {
        return None;
    }
    let unit = at.text("unit").or_else(|| at.text("code")).map(str::to_owned);
    Some(DoseQuantity { value: Some(decimal(at, "value")?), unit })
}

fn decimal(at: &At<'_>, name: &str) -> Option<Decimal> {
    Decimal::from_str(&at.number(name)?).ok()
}

fn whole(at: &At<'_>, name: &str) -> Option<u32> {
    at.number(name)?.parse().ok()
}

fn ratio(at: &At<'_>) -> Option<Ratio> {
    let (top, bottom) = (at.get("numerator")?, at.get("denominator")?);
    let period = Some(decimal(&bottom, "value")?);
    Some(Ratio { most: quantity(&top)?, period, period_unit: Some(period_unit(&bottom)?) })
}

/// Returns the unit of time of a quantity; `None` where code and word are not the same unit, such
/// as the code `m`, a metre, beside the word "month".
fn period_unit(at: &At<'_>) -> Option<PeriodUnit> {
    let read = |name: &str| at.text(name).map(PeriodUnit::parse);
    match (read("code"), read("unit")) {
        (Some(code), Some(word)) if word.is_some() && code != word => None,
        (Some(code), _) => code,
        (None, word) => word?,
    }
}

fn read_timing(timing: &At<'_>, dosage: &mut StructuredDosage) -> bool {
    dosage.events = timing.texts("event").len();
    let only_words =
        |name: &&str| matches!(*name, "id" | "extension" | "event" | "repeat" | "code");
    if !timing.body.keys().map(String::as_str).all(|name| only_words(&name)) {
        return false;
    }
    let Some(repeat) = timing.get("repeat") else {
        // A code such as "BD" says the same as a repeat; alone it is not read.
        return !timing.has("code") && dosage.events > 0;
    };
    let names = repeat.body.keys().map(String::as_str).filter(|name| repeat.has(name));
    for name in names {
        if !read_repeat(&repeat, name, dosage) {
            dosage.unread.push(repeat.path_of(name));
        }
    }
    true
}

fn read_repeat(repeat: &At<'_>, name: &str, dosage: &mut StructuredDosage) -> bool {
    fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
        *place = value;
        place.is_some()
    }
    match name {
        "id" | "extension" => true,
        "frequency" => set(&mut dosage.frequency, whole(repeat, name)),
        "frequencyMax" => set(&mut dosage.frequency_max, whole(repeat, name)),
        "period" => set(&mut dosage.period, decimal(repeat, name)),
        "periodMax" => set(&mut dosage.period_max, decimal(repeat, name)),
        "periodUnit" => {
            let unit = repeat.text(name).and_then(PeriodUnit::parse);
            set(&mut dosage.period_unit, unit)
        }
        "count" => set(&mut dosage.count, whole(repeat, name)),
        "offset" => set(&mut dosage.offset_minutes, whole(repeat, name)),
        "when" => all(repeat, name, &mut dosage.when, When::parse),
        "timeOfDay" => all(repeat, name, &mut dosage.time_of_day, time),
        "dayOfWeek" => all(repeat, name, &mut dosage.day_of_week, weekday),
        "boundsDuration" | "boundsRange" | "boundsPeriod" => {
            let bounds = repeat.get(name).and_then(|bounds| read_bounds(name, &bounds));
            set(&mut dosage.bounds, bounds)
        }
        // How long one dose takes, and counts and limits that no order here has.
        _ => false,
    }
}

/// Reads a list of which every member must be known.
fn all<T>(at: &At<'_>, name: &str, place: &mut Vec<T>, read: fn(&str) -> Option<T>) -> bool {
    let sent = at.texts(name);
    place.extend(sent.iter().filter_map(|text| read(text)));
    !sent.is_empty() && place.len() == sent.len()
}

fn time(text: &str) -> Option<TimeOfDay> {
    let mut parts = text.split(':');
    let (hour, minute) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    TimeOfDay::new(hour, minute)
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "mon" => Weekday::Mon,
        "tue" => Weekday::Tue,
        "wed" => Weekday::Wed,
        "thu" => Weekday::Thu,
        "fri" => Weekday::Fri,
        "sat" => Weekday::Sat,
        "sun" => Weekday::Sun,
        _ => return None,
    })
}

fn read_bounds(name: &str, at: &At<'_>) -> Option<StructuredBounds> {
    match name {
        "boundsDuration" => {
            Some(StructuredBounds::Duration(decimal(at, "value")?, period_unit(at)?))
        }
        "boundsRange" => {
            let high = at.get("high")?;
            let low = match at.get("low") {
                Some(low) => Some(decimal(&low, "value")?),
                None => None,
            };
            Some(StructuredBounds::Range(low, decimal(&high, "value")?, period_unit(&high)?))
        }
        _ => {
            let day = |name: &str| at.date(name).and_then(|date| date.day);
            Some(StructuredBounds::Period(day("start"), day("end")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::at::Notices;
    use super::*;
    use serde_json::Value;

    fn read_text(json: &str) -> Option<StructuredDosage> {
        let value: Value = serde_json::from_str(json).expect("json");
        let notices = Notices::default();
        read(&At::new(value.as_object().expect("a dosage"), "Dosage".to_owned(), &notices))
    }

    #[test]
    fn a_dosage_of_words_alone_has_no_structure() {
        assert_eq!(
            read_text(r#"{"text": "One each day", "patientInstruction": "at night"}"#),
            None
        );
    }

    #[test]
    fn the_layouts_of_stu3_and_r4_say_the_same() {
        let timing = r#""timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}"#;
        let dose = r#""doseQuantity": {"value": 0.5, "unit": "tablet"}"#;
        let stu3 = read_text(&format!("{{{timing}, {dose}}}"));
        let r4 = read_text(&format!("{{{timing}, \"doseAndRate\": [{{{dose}}}]}}"));
        assert_eq!(stu3, r4);
        let stu3 = stu3.expect("a structure");
        assert_eq!(stu3.frequency, Some(2));
        assert_eq!(stu3.period_unit, Some(PeriodUnit::Day));
        assert_eq!(stu3.unread, Vec::<String>::new());
    }

    #[track_caller]
    fn unread(json: &str, paths: &[&str]) {
        assert_eq!(read_text(json).expect("a structure").unread, paths);
    }

    #[test]
    fn what_is_not_understood_is_named_and_never_dropped() {
        unread(
            r#"{"timing": {"repeat": {"duration": 3, "period": "often", "periodUnit": "m"}}}"#,
            &[
                "Dosage.timing.repeat.duration",
                "Dosage.timing.repeat.period",
                "Dosage.timing.repeat.periodUnit",
            ],
        );
        unread(r#"{"timing": {"code": {"text": "BD"}}}"#, &["Dosage.timing"]);
        unread(r#"{"maxDosePerLifetime": {"value": 1}}"#, &["Dosage.maxDosePerLifetime"]);
        unread(r#"{"doseQuantity": {"value": 1, "comparator": "<"}}"#, &["Dosage.doseQuantity"]);
        unread(r#"{"doseAndRate": [{"doseRange": {"low": {}}}]}"#, &["Dosage.doseAndRate"]);
        unread(r#"{"modifierExtension": [{"url": "x"}]}"#, &["Dosage.modifierExtension"]);
        let metre = r#"{"value": 3, "unit": "month", "code": "m"}"#;
        unread(
            &format!(r#"{{"timing": {{"repeat": {{"boundsDuration": {metre}}}}}}}"#),
            &["Dosage.timing.repeat.boundsDuration"],
        );
    }
}
