//! A coded dosage of a published example, from JSON.

use interop::dose_syntax::{
    AsNeeded, DoseQuantity, PeriodUnit, Ratio, StructuredBounds, StructuredDosage, StructuredDose,
    When,
};
use mar::schedule::TimeOfDay;
use rust_decimal::Decimal;
use serde_json::Value;
use std::str::FromStr;

/// Reads a `Dosage`, R4 or R5; what is not understood makes it unread.
pub(crate) fn dosage(value: &Value) -> StructuredDosage {
    let mut dosage = repeat(&value["timing"]["repeat"]);
    dosage.events = value["timing"]["event"].as_array().map_or(0, Vec::len);
    let parts = value["doseAndRate"].as_array().map_or(&[][..], Vec::as_slice);
    for part in parts {
        dosage.rate |= part.as_object().is_some_and(|p| p.keys().any(|k| k.starts_with("rate")));
        let range = &part["doseRange"];
        if part.get("doseQuantity").is_some() {
            dosage.dose = Some(StructuredDose::Quantity(quantity(&part["doseQuantity"])));
        } else if range.is_object() {
            let end = |name: &str| range.get(name).map(quantity);
            dosage.dose = Some(StructuredDose::Range { low: end("low"), high: end("high") });
        }
    }
    if parts.len() > 1 {
        dosage.unread.push("doseAndRate".to_owned());
    }
    let reason = |value: &Value| {
        let concept = value.get(0).unwrap_or(value);
        let display = concept["coding"][0]["display"].as_str().or(concept["text"].as_str());
        AsNeeded { reason: display.map(str::to_owned) }
    };
    for name in ["asNeededCodeableConcept", "asNeededFor"] {
        if let Some(value) = value.get(name) {
            dosage.as_needed = Some(reason(value));
            if value["coding"].as_array().is_some_and(Vec::is_empty) {
                dosage.unread.push(name.to_owned());
            }
        }
    }
    if value["asNeededBoolean"] == Value::Bool(true) {
        dosage.as_needed = Some(AsNeeded { reason: None });
    }
    let most = &value["maxDosePerPeriod"];
    let most = most.get(0).unwrap_or(most);
    if most.is_object() {
        let below = &most["denominator"];
        dosage.max_per_period = Some(Ratio {
            most: quantity(&most["numerator"]),
            period: decimal(&below["value"]),
            period_unit: period_unit(below),
        });
    }
    let words = |name: &str| value[name]["coding"][0]["display"].as_str().map(str::to_owned);
    dosage.route = words("route");
    dosage.site = words("site");
    dosage
}

/// Reads `Timing.repeat`.
pub(crate) fn repeat(value: &Value) -> StructuredDosage {
    let whole = |name: &str| value[name].as_u64().and_then(|n| u32::try_from(n).ok());
    let mut dosage = StructuredDosage {
        frequency: whole("frequency"),
        frequency_max: whole("frequencyMax"),
        period: decimal(&value["period"]),
        period_max: decimal(&value["periodMax"]),
        period_unit: value["periodUnit"].as_str().and_then(PeriodUnit::parse),
        offset_minutes: whole("offset"),
        count: whole("count"),
        ..StructuredDosage::default()
    };
    for code in texts(&value["when"]) {
        match When::parse(code) {
            Some(when) => dosage.when.push(when),
            None => dosage.unread.push(format!("when {code}")),
        }
    }
    for time in texts(&value["timeOfDay"]) {
        dosage.time_of_day.extend(time.get(..5).and_then(|t| t.parse::<TimeOfDay>().ok()));
    }
    for day in texts(&value["dayOfWeek"]) {
        match day.parse() {
            Ok(day) => dosage.day_of_week.push(day),
            Err(_) => dosage.unread.push(format!("dayOfWeek {day}")),
        }
    }
    for name in ["duration", "durationMax", "countMax"] {
        if value.get(name).is_some() {
            dosage.unread.push(name.to_owned());
        }
    }
    dosage.bounds = bounds(value, &mut dosage.unread);
    dosage
}

fn bounds(value: &Value, unread: &mut Vec<String>) -> Option<StructuredBounds> {
    let mut some = |name: &str, bounds: Option<StructuredBounds>| {
        if bounds.is_none() {
            unread.push(name.to_owned());
        }
        bounds
    };
    if let Some(duration) = value.get("boundsDuration") {
        let length = decimal(&duration["value"]).zip(period_unit(duration));
        return some("boundsDuration", length.map(|(n, u)| StructuredBounds::Duration(n, u)));
    }
    if let Some(range) = value.get("boundsRange") {
        let high = decimal(&range["high"]["value"]).zip(period_unit(&range["high"]));
        let low = decimal(&range["low"]["value"]);
        let whole = high.map(|(high, unit)| StructuredBounds::Range(low, high, unit));
        return some("boundsRange", whole);
    }
    let period = value.get("boundsPeriod")?;
    let day = |name: &str| period[name].as_str().and_then(|d| d.get(..10)?.parse().ok());
    Some(StructuredBounds::Period(day("start"), day("end")))
}

/// Reads a `Quantity`.
pub(crate) fn quantity(value: &Value) -> DoseQuantity {
    let unit = value["unit"].as_str().or(value["code"].as_str()).map(str::to_owned);
    DoseQuantity { value: decimal(&value["value"]), unit }
}

fn period_unit(value: &Value) -> Option<PeriodUnit> {
    let word = value["code"].as_str().or(value["unit"].as_str())?;
    PeriodUnit::parse(word)
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_number().and_then(|n| Decimal::from_str(&n.to_string()).ok())
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str).collect()
}
