//! The shapes of residents, orders and settings as JSON, in and out.
//!
//! What `list` and `show` give can be read back. Unknown fields are an error that names them: a
//! field that is silently left out could be a dose.

mod amount;
mod order;
mod resident;
mod schedule;
mod settings;

pub use amount::{amount, dose, read_amount};
pub use order::{OrderShape, content_to_json, medicine_to_json};
pub use resident::{ResidentShape, allergies_to_json, read_allergies};
pub use schedule::{read_schedule, schedule_to_json};
pub use settings::{SettingsShape, settings_to_json};

use super::{Fault, Given};
use mar::time::Tz;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The largest JSON object that is read: no order and no resident needs more.
const BYTES_MAX: usize = 256 * 1024;

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct Misfit {
    /// The field, such as `schedule.times[1]`.
    pub path: String,
    /// What was expected.
    pub what: String,
}

impl Misfit {
    /// A value that does not fit.
    pub(super) fn new(path: impl Into<String>, what: impl ToString) -> Self {
        Self { path: path.into(), what: what.to_string() }
    }
}

/// Where a shape is read: civil times are the home's.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The home's zone.
    pub zone: Tz,
    /// The home's date.
    pub today: chrono::NaiveDate,
}

/// Reads a file as one JSON object.
///
/// # Errors
/// With line and column, and what was expected.
pub fn object(given: &Given) -> Result<Value, Fault> {
    let bytes = given.contents.as_bytes();
    if bytes.len() > BYTES_MAX {
        let what = format!("has {} bytes; at most {BYTES_MAX} are read", bytes.len());
        return Err(Fault::unreadable(&given.name, what));
    }
    let value: Value =
        serde_json::from_slice(bytes).map_err(|fault| unreadable(&given.name, &fault))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Fault::unreadable(
            &given.name,
            "line 1, column 1: one group of fields was expected: {…}",
        ))
    }
}

/// Reads a file as a shape.
///
/// # Errors
/// With line and column, and what was expected; unknown fields are named.
pub fn read<T: DeserializeOwned>(given: &Given) -> Result<T, Fault> {
    object(given)?;
    serde_json::from_slice(given.contents.as_bytes())
        .map_err(|fault| unreadable(&given.name, &fault))
}

/// Reads a value that was put together from what is known and from a file.
///
/// # Errors
/// With what was expected; unknown fields are named.
pub fn read_value<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|fault| unreadable(name, &fault))
}

fn unreadable(name: &str, fault: &serde_json::Error) -> Fault {
    Fault::unreadable(name, interop::json::fault_in_words(fault))
}

/// Reads a part of a shape.
pub(super) fn part<T: DeserializeOwned>(path: &str, value: &Value) -> Result<T, Misfit> {
    T::deserialize(value).map_err(|e| Misfit::new(path, interop::json::fault_in_words(&e)))
}

/// What every answer may say of itself.
const OF_THE_ANSWER: [&str; 2] = ["clock", "needs_update"];

/// Takes out what `list` and `show` add and nobody can set, so that what they give can be changed
/// and given back.
#[must_use]
pub fn without(mut value: Value, shown_only: &[&str]) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|name, _| {
            !shown_only.contains(&name.as_str()) && !OF_THE_ANSWER.contains(&name.as_str())
        });
    }
    value
}

/// Lays the fields of a file over what is known: objects field by field, anything else as a whole.
/// A schedule of another kind takes the place of the one before.
#[must_use]
pub fn over(base: Value, top: &Value) -> Value {
    let (Value::Object(mut fields), Value::Object(new)) = (base, top) else {
        return top.clone();
    };
    let other_kind = fields.get("kind").zip(new.get("kind")).is_some_and(|(a, b)| a != b);
    let range = |one: &Map<String, Value>, other: &Map<String, Value>| {
        one.contains_key("from") && other.contains_key("value")
    };
    if other_kind || range(new, &fields) || range(&fields, new) {
        return top.clone();
    }
    for (name, value) in new {
        let before = fields.get(name).cloned().unwrap_or(Value::Null);
        fields.insert(name.clone(), over(before, value));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Contents;
    use serde_json::json;

    fn given(text: &str) -> Given {
        Given { name: "order.json".into(), contents: Contents::Text(text.into()) }
    }

    #[test]
    fn what_is_no_object_is_named_with_its_place() {
        for (text, expected) in [
            ("", "order.json: line 1, column 0: the text ends in the middle: is the file whole?"),
            ("[1]", "order.json: line 1, column 1: one group of fields was expected: {…}"),
            (
                "{\"a\": 1,\n  oops}",
                "order.json: line 2, column 3: a name in quotes was expected here",
            ),
        ] {
            let fault = object(&given(text)).unwrap_err();
            assert_eq!(fault.to_string(), expected);
            assert_eq!(fault.exit_code(), 4);
        }
        let huge = format!("{{\"a\": \"{}\"}}", "x".repeat(BYTES_MAX));
        assert_eq!(object(&given(&huge)).unwrap_err().exit_code(), 4);
    }

    #[test]
    fn what_only_show_gives_can_be_given_back() {
        let shown = json!({"id": "x", "family": "Shaw", "clock": {}, "needs_update": true});
        assert_eq!(without(shown, &["id"]), json!({"family": "Shaw"}));
    }

    #[test]
    fn a_file_is_laid_over_what_is_known_field_by_field() {
        let base = json!({"route": "oral", "medicine": {"name": "A", "form": "tablet"}});
        let top = json!({"medicine": {"form": "capsule"}, "indication": "pain"});
        let expected = json!({
            "route": "oral", "medicine": {"name": "A", "form": "capsule"}, "indication": "pain"
        });
        assert_eq!(over(base, &top), expected);
        let times = json!({"kind": "times", "times": ["08:00"]});
        let prn = json!({"kind": "prn", "min_interval_minutes": 240});
        assert_eq!(over(times, &prn), prn);
        let fixed = json!({"value": "1", "unit": "tablet"});
        let range = json!({"from": "1", "to": "2", "unit": "tablet"});
        assert_eq!(over(fixed.clone(), &range), range);
        assert_eq!(over(range, &fixed), fixed);
    }
}
