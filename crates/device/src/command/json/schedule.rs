//! Schedules as JSON, by kind.

use super::{Misfit, Place, amount, part, read_amount};
use crate::command::session::read_instant;
use chrono::NaiveDate;
use mar::order::{Flags, Prn, Protocol, Stated};
use mar::refusal::OrderRefusal;
use mar::schedule::{Days, Schedule, TimeOfDay, WEEKDAYS};
use mar::time::{Minutes, Timestamp, Tz};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Why a schedule was not read.
#[derive(Debug)]
pub enum ScheduleFault {
    /// It does not fit.
    Misfit(Misfit),
    /// It is of a kind that cannot be scheduled yet.
    NotYet(OrderRefusal),
}

impl From<Misfit> for ScheduleFault {
    fn from(misfit: Misfit) -> Self {
        Self::Misfit(misfit)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimesShape {
    #[serde(rename = "kind")]
    _kind: String,
    times: Vec<String>,
    days: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundsShape {
    #[serde(rename = "kind")]
    _kind: String,
    rounds: Vec<String>,
    days: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EveryShape {
    #[serde(rename = "kind")]
    _kind: String,
    n: u16,
    unit: String,
    anchor: String,
    times: Option<Vec<String>>,
    days: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnceShape {
    #[serde(rename = "kind")]
    _kind: String,
    at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrnShape {
    #[serde(rename = "kind")]
    _kind: String,
    min_interval_minutes: Option<Value>,
    max_24h: Option<Value>,
    #[serde(default)]
    rescue: bool,
    protocol: Option<ProtocolShape>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProtocolShape {
    r#for: String,
    signs: String,
    can_ask: Option<bool>,
    choose: String,
    expected_effect: String,
    check_after_minutes: Option<u32>,
    try_first: String,
    call_prescriber_when: String,
    review: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotStatedShape {
    not_stated: String,
}

/// Reads a schedule. The second part says whether it is a rescue medicine (W-05).
///
/// # Errors
/// With the field that does not fit, or the kind that cannot be scheduled yet.
pub fn read_schedule(value: &Value, place: Place) -> Result<(Schedule, bool), ScheduleFault> {
    let kind = value.get("kind").and_then(Value::as_str).ok_or_else(|| {
        Misfit::new("schedule.kind", "a kind was expected: times, rounds, every, once or prn")
    })?;
    let schedule = match kind {
        "times" => {
            let shape: TimesShape = part("schedule", value)?;
            Schedule::Times { times: times(&shape.times)?, days: days(shape.days.as_deref())? }
        }
        "rounds" => {
            let shape: RoundsShape = part("schedule", value)?;
            Schedule::Rounds { rounds: shape.rounds, days: days(shape.days.as_deref())? }
        }
        "every" => every(&part("schedule", value)?, place)?,
        "once" => {
            let shape: OnceShape = part("schedule", value)?;
            Schedule::Once { at: instant("schedule.at", &shape.at, place)? }
        }
        "prn" => {
            let shape: PrnShape = part("schedule", value)?;
            return Ok((Schedule::WhenRequired(prn(&shape)?), shape.rescue));
        }
        "monthly" => return Err(not_yet("a day of the month")),
        "cycle" => return Err(not_yet("days on and days off")),
        "taper" => return Err(not_yet("a dose that changes in steps")),
        "external" => return Err(not_yet("doses that come as dated instructions")),
        other => {
            let what =
                format!("`{other}` is no kind: times, rounds, every, once or prn was expected");
            return Err(Misfit::new("schedule.kind", what).into());
        }
    };
    Ok((schedule, false))
}

const fn not_yet(what: &'static str) -> ScheduleFault {
    ScheduleFault::NotYet(OrderRefusal::NotYet(what))
}

fn every(shape: &EveryShape, place: Place) -> Result<Schedule, ScheduleFault> {
    let none = |present: bool, field: &str| {
        if present {
            let path = format!("schedule.{field}");
            Err(Misfit::new(path, format!("not used with every {}", shape.unit)))
        } else {
            Ok(())
        }
    };
    let at = || {
        let texts = shape.times.as_deref().unwrap_or_default();
        if texts.is_empty() {
            return Err(Misfit::new("schedule.times", "at least one time was expected: 08:00"));
        }
        times(texts)
    };
    let date = || {
        shape
            .anchor
            .parse::<NaiveDate>()
            .map_err(|_| Misfit::new("schedule.anchor", "a date was expected: 2026-11-21"))
    };
    if shape.n == 0 {
        return Err(Misfit::new("schedule.n", "1 or more was expected").into());
    }
    match shape.unit.as_str() {
        "hour" => {
            none(shape.times.is_some(), "times")?;
            none(shape.days.is_some(), "days")?;
            let anchor = instant("schedule.anchor", &shape.anchor, place)?;
            Ok(Schedule::EveryHours { n: shape.n, anchor })
        }
        "day" => {
            none(shape.days.is_some(), "days")?;
            Ok(Schedule::EveryDays { n: shape.n, anchor: date()?, times: at()? })
        }
        "week" => {
            let on = days(shape.days.as_deref())?;
            Ok(Schedule::EveryWeeks { n: shape.n, anchor: date()?, days: on, times: at()? })
        }
        "month" => Err(not_yet("every month")),
        other => {
            let what = format!("`{other}`: hour, day or week was expected");
            Err(Misfit::new("schedule.unit", what).into())
        }
    }
}

fn prn(shape: &PrnShape) -> Result<Prn, Misfit> {
    let min_interval = stated("min_interval_minutes", shape.min_interval_minutes.as_ref(), |v| {
        let minutes = v.as_u64().and_then(|n| u32::try_from(n).ok());
        minutes.map(Minutes).ok_or_else(|| {
            let what = r#"a whole number of minutes was expected, or {"not_stated": "asked on …"}"#;
            Misfit::new("schedule.min_interval_minutes", what)
        })
    })?;
    let max_24h =
        stated("max_24h", shape.max_24h.as_ref(), |v| read_amount("schedule.max_24h", v))?;
    let default = ProtocolShape::default();
    let said = shape.protocol.as_ref().unwrap_or(&default);
    let protocol = Protocol {
        what_for: said.r#for.clone(),
        signs: said.signs.clone(),
        can_ask: said.can_ask,
        choose: said.choose.clone(),
        expected_effect: said.expected_effect.clone(),
        check_after: said.check_after_minutes.map(Minutes),
        try_first: said.try_first.clone(),
        call_prescriber_when: said.call_prescriber_when.clone(),
        review: said.review.clone(),
    };
    Ok(Prn { min_interval, max_24h, protocol })
}

/// A limit, or that nobody stated it. Where it is missing the record asks for it (P-01).
fn stated<T>(
    field: &str,
    value: Option<&Value>,
    read: impl Fn(&Value) -> Result<T, Misfit>,
) -> Result<Stated<T>, Misfit> {
    match value {
        None | Some(Value::Null) => Ok(Stated::NotStated { asked: String::new() }),
        Some(value) if value.get("not_stated").is_some() => {
            let shape: NotStatedShape = part(&format!("schedule.{field}"), value)?;
            Ok(Stated::NotStated { asked: shape.not_stated })
        }
        Some(value) => read(value).map(Stated::As),
    }
}

fn times(texts: &[String]) -> Result<Vec<TimeOfDay>, Misfit> {
    let mut found: Vec<TimeOfDay> = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let path = || format!("schedule.times[{at}]");
        let time: TimeOfDay = text.parse().map_err(|fault| Misfit::new(path(), fault))?;
        if found.contains(&time) {
            return Err(Misfit::new(path(), format!("{time} stands there twice")));
        }
        found.push(time);
    }
    found.sort_unstable();
    Ok(found)
}

fn days(words: Option<&[String]>) -> Result<Days, Misfit> {
    let Some(words) = words else { return Ok(Days::ALL) };
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let day = WEEKDAYS.iter().find(|(_, name)| name == word);
        let (day, _) = day.ok_or_else(|| {
            let what = format!("`{word}`: mon, tue, wed, thu, fri, sat or sun was expected");
            Misfit::new(format!("schedule.days[{at}]"), what)
        })?;
        found.push(*day);
    }
    if found.is_empty() {
        return Err(Misfit::new("schedule.days", "at least one day was expected, or no `days`"));
    }
    Ok(Days::of(&found))
}

pub(super) fn instant(path: &str, text: &str, place: Place) -> Result<Timestamp, Misfit> {
    read_instant(text, place.zone, place.today).ok_or_else(|| {
        Misfit::new(path, format!("`{text}`: a time was expected: 2026-11-21T08:00:00+00:00"))
    })
}

/// Returns a schedule as JSON.
#[must_use]
pub fn schedule_to_json(schedule: &Schedule, flags: Flags, zone: Tz) -> Value {
    match schedule {
        Schedule::Times { times, days } => {
            with_days(json!({ "kind": "times", "times": texts(times) }), *days)
        }
        Schedule::Rounds { rounds, days } => {
            with_days(json!({ "kind": "rounds", "rounds": rounds }), *days)
        }
        Schedule::EveryDays { n, anchor, times } => json!({
            "kind": "every", "n": n, "unit": "day", "anchor": anchor.to_string(),
            "times": texts(times),
        }),
        Schedule::EveryWeeks { n, anchor, days, times } => with_days(
            json!({
                "kind": "every", "n": n, "unit": "week", "anchor": anchor.to_string(),
                "times": texts(times),
            }),
            *days,
        ),
        Schedule::EveryHours { n, anchor } => {
            json!({ "kind": "every", "n": n, "unit": "hour", "anchor": anchor.rfc3339(zone) })
        }
        Schedule::Once { at } => json!({ "kind": "once", "at": at.rfc3339(zone) }),
        Schedule::WhenRequired(prn) => prn_to_json(prn, flags.rescue),
    }
}

fn texts(times: &[TimeOfDay]) -> Vec<String> {
    times.iter().map(ToString::to_string).collect()
}

fn with_days(mut shape: Value, days: Days) -> Value {
    if days != Days::ALL {
        shape["days"] = json!(days.iter().map(|(_, word)| word).collect::<Vec<_>>());
    }
    shape
}

fn prn_to_json(prn: &Prn, rescue: bool) -> Value {
    let not_stated = |asked: &str| json!({ "not_stated": asked });
    let interval = match &prn.min_interval {
        Stated::As(Minutes(minutes)) => json!(minutes),
        Stated::NotStated { asked } => not_stated(asked),
    };
    let most = match &prn.max_24h {
        Stated::As(most) => amount(most),
        Stated::NotStated { asked } => not_stated(asked),
    };
    let said = &prn.protocol;
    let mut protocol = Map::new();
    let mut text = |field: &str, words: &str| {
        if !words.is_empty() {
            protocol.insert(field.to_owned(), json!(words));
        }
    };
    text("for", &said.what_for);
    text("signs", &said.signs);
    text("choose", &said.choose);
    text("expected_effect", &said.expected_effect);
    text("try_first", &said.try_first);
    text("call_prescriber_when", &said.call_prescriber_when);
    text("review", &said.review);
    if let Some(can_ask) = said.can_ask {
        protocol.insert("can_ask".to_owned(), json!(can_ask));
    }
    if let Some(Minutes(after)) = said.check_after {
        protocol.insert("check_after_minutes".to_owned(), json!(after));
    }
    json!({
        "kind": "prn", "min_interval_minutes": interval, "max_24h": most, "rescue": rescue,
        "protocol": protocol,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        let settings = mar::settings::Settings::new("-", NaiveDate::default());
        Place { zone: settings.zone, today: "2026-11-21".parse().unwrap() }
    }

    fn read(value: &Value) -> Result<(Schedule, bool), String> {
        read_schedule(value, place()).map_err(|fault| match fault {
            ScheduleFault::Misfit(misfit) => misfit.to_string(),
            ScheduleFault::NotYet(refusal) => refusal.to_string(),
        })
    }

    #[test]
    fn every_kind_of_schedule_reads_back_from_its_own_shape() {
        for value in [
            json!({"kind": "times", "times": ["08:00", "22:00"]}),
            json!({"kind": "times", "times": ["08:00"], "days": ["mon", "thu"]}),
            json!({"kind": "rounds", "rounds": ["morning", "tea"]}),
            json!({"kind": "every", "n": 72, "unit": "hour", "anchor": "2026-11-21T10:00:00+00:00"}),
            json!({"kind": "every", "n": 2, "unit": "day", "anchor": "2026-11-21", "times": ["08:00"]}),
            json!({"kind": "every", "n": 1, "unit": "week", "anchor": "2026-11-21",
                   "times": ["08:00"], "days": ["sun"]}),
            json!({"kind": "once", "at": "2026-11-21T10:00:00+00:00"}),
            json!({"kind": "prn", "min_interval_minutes": 240,
                   "max_24h": {"value": "8", "unit": "tablet"}, "rescue": false,
                   "protocol": {"for": "pain", "can_ask": true, "check_after_minutes": 60}}),
            json!({"kind": "prn", "min_interval_minutes": {"not_stated": "asked on 1 Nov"},
                   "max_24h": {"not_stated": "asked on 1 Nov"}, "rescue": true, "protocol": {}}),
        ] {
            let (schedule, rescue) = read(&value).unwrap();
            let flags = Flags { rescue, ..Flags::default() };
            let shown = schedule_to_json(&schedule, flags, place().zone);
            assert_eq!(shown.as_object().map(sorted), value.as_object().map(sorted));
        }
    }

    fn sorted(fields: &Map<String, Value>) -> Vec<(String, String)> {
        let mut all: Vec<_> = fields
            .iter()
            .map(|(k, v)| match v {
                Value::Object(inner) => (k.clone(), format!("{:?}", sorted(inner))),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => (k.clone(), v.to_string()),
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn times_are_put_in_order_and_never_twice() {
        let (schedule, _) = read(&json!({"kind": "times", "times": ["22:00", "08:00"]})).unwrap();
        let Schedule::Times { times, .. } = schedule else { panic!("{schedule:?}") };
        assert_eq!(texts(&times), ["08:00", "22:00"]);
        let twice = read(&json!({"kind": "times", "times": ["08:00", "08:00"]})).unwrap_err();
        assert!(twice.contains("schedule.times[1]"), "{twice}");
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_path() {
        #[track_caller]
        fn check(value: Value, expected: &str) {
            let words = read(&value).unwrap_err();
            assert!(words.contains(expected), "{words}");
        }
        check(json!({"times": ["08:00"]}), "schedule.kind");
        check(json!({"kind": "often"}), "`often` is no kind");
        check(json!({"kind": "times", "times": ["8"]}), "schedule.times[0]");
        check(json!({"kind": "times", "times": ["08:00"], "rounds": []}), "no field `rounds`");
        check(json!({"kind": "times", "times": ["08:00"], "days": ["monday"]}), "schedule.days[0]");
        check(
            json!({"kind": "every", "n": 0, "unit": "day", "anchor": "2026-11-21",
                     "times": ["08:00"]}),
            "schedule.n",
        );
        check(
            json!({"kind": "every", "n": 8, "unit": "hour", "anchor": "2026-11-21T08:00:00Z",
                     "times": ["08:00"]}),
            "schedule.times",
        );
        check(
            json!({"kind": "every", "n": 1, "unit": "fortnight", "anchor": "2026-11-21"}),
            "schedule.unit",
        );
        check(json!({"kind": "prn", "min_interval_minutes": "4 hours"}), "min_interval_minutes");
        check(json!({"kind": "prn", "max_24h": {"value": 8, "unit": "tablet"}}), "max_24h");
    }

    #[test]
    fn kinds_that_cannot_be_scheduled_yet_say_so() {
        for value in [
            json!({"kind": "monthly", "day": 31, "times": ["08:00"]}),
            json!({"kind": "cycle", "on": 21, "off": 7, "anchor": "2026-11-21", "times": ["08:00"]}),
            json!({"kind": "taper", "steps": []}),
            json!({"kind": "external", "what": "warfarin", "times": ["18:00"]}),
            json!({"kind": "every", "n": 1, "unit": "month", "anchor": "2026-11-21"}),
        ] {
            let words = read(&value).unwrap_err();
            assert!(words.starts_with("this program cannot schedule"), "{words}");
        }
    }
}
