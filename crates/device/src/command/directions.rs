//! `directions read`: directions in words, read into a dose and a schedule.

use super::json::{amount, dose as dose_to_json, schedule_to_json};
use super::session::Session;
use super::{Fault, Given, Output};
use chrono::NaiveDate;
use interop::dose_syntax::{AsNeeded, Ceiling, HowMuch, ReadDose, Reading, Start, read, read_for};
use mar::order::Flags;
use mar::quantity::Amount;
use mar::settings::Settings;
use mar::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DirectionsRequest {
    /// A line of free text each.
    pub lines: Given,
    /// The medicine they are for, which says what "one" is; `None` when not known.
    pub medicine: Option<String>,
}

/// More lines than this are not read at once.
const LINES_MAX: usize = 100_000;

/// Reads the lines with the home's rounds.
///
/// # Errors
/// When the input is no text.
pub fn run(
    session: &Session<'_>,
    request: &DirectionsRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    read_lines(request, &session.settings(), session.now, out)
}

/// Reads the lines without a home: with the rounds that a new home has. Returns the exit code.
pub fn run_without_home(request: &DirectionsRequest, now: Timestamp, out: &mut Output<'_>) -> u8 {
    let settings = Settings::new("-", NaiveDate::default());
    match read_lines(request, &settings, now, out) {
        Ok(()) => 0,
        Err(fault) => super::session::tell(&fault, out),
    }
}

fn read_lines(
    request: &DirectionsRequest,
    settings: &Settings,
    now: Timestamp,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let text = std::str::from_utf8(request.lines.contents.as_bytes()).map_err(|e| {
        let what = format!("byte {}: this is not UTF-8 text", e.valid_up_to());
        Fault::unreadable(&request.lines.name, what)
    })?;
    if text.lines().nth(LINES_MAX).is_some() {
        let what = format!("at most {LINES_MAX} lines are read at once");
        return Err(Fault::unreadable(&request.lines.name, what));
    }
    let start = Start { date: now.civil(settings.zone).date(), at: now };
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let medicine = request.medicine.as_deref();
        let reading = medicine.map_or_else(|| read(line), |m| read_for(line, m));
        out.json_line(&to_json(&reading, settings, &start, medicine.unwrap_or_default()));
        if !out.is_heard() {
            break;
        }
    }
    Ok(())
}

fn to_json(reading: &Reading, settings: &Settings, start: &Start, medicine: &str) -> Value {
    let schedule = reading.schedule_for(&settings.rounds, start, medicine);
    let flags = Flags::default();
    let mut extra = reading.extra.clone();
    if let Some(site) = &reading.site {
        extra.push(site.words.clone());
    }
    if let Some(bounds) = &reading.bounds {
        extra.push(bounds.to_string());
    }
    json!({
        "text": reading.text,
        "grade": super::order::grade_word(reading.grade),
        "dose": dose(reading, medicine),
        "schedule": schedule.as_ref().map(|s| schedule_to_json(s, flags, settings.zone)),
        "as_needed": reading.as_needed.as_ref().map(as_needed),
        "max_24h": reading.max_24h.as_ref().map(ceiling),
        "min_interval_minutes": reading.min_interval.map(|m| m.0),
        "route": reading.route,
        "frequency": reading.schedule.as_ref().map(ToString::to_string),
        "extra": extra,
        "remainder": reading.remainder,
        "why": reading.why.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// The dose as an order would have it; where the medicine is not named, as the words say it.
fn dose(reading: &Reading, medicine: &str) -> Value {
    if let Some(dose) = reading.dose_for(medicine) {
        return dose_to_json(&dose);
    }
    match &reading.dose {
        Some(ReadDose::Amount { how_much, unit }) => {
            let unit = unit.as_ref().map(|u| u.as_str().to_owned());
            match how_much {
                HowMuch::Exactly(value) => json!({ "value": value.to_string(), "unit": unit }),
                HowMuch::Between(from, to) => {
                    json!({ "from": from.to_string(), "to": to.to_string(), "unit": unit })
                }
                HowMuch::UpTo(most) => json!({ "up_to": most.to_string(), "unit": unit }),
            }
        }
        Some(ReadDose::Application) => json!({ "value": "1", "unit": "application" }),
        None => Value::Null,
    }
}

fn as_needed(required: &AsNeeded) -> Value {
    json!({ "reason": required.reason })
}

fn ceiling(ceiling: &Ceiling) -> Value {
    match ceiling {
        Ceiling::Amount(value, Some(unit)) => amount(&Amount { value: *value, unit: unit.clone() }),
        Ceiling::Amount(value, None) => json!({ "value": value.to_string(), "unit": null }),
        Ceiling::Doses(n) => json!({ "doses": n }),
    }
}
