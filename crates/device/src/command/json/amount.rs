//! Amounts: `{"value": "1.5", "unit": "tablet"}`, the value as a decimal string.

use super::Misfit;
use mar::order::Dose;
use mar::quantity::{Amount, Quantity, Unit};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoseShape {
    value: Option<String>,
    from: Option<String>,
    to: Option<String>,
    unit: String,
}

/// Returns an amount as JSON.
#[must_use]
pub fn amount(amount: &Amount) -> Value {
    json!({ "value": amount.value.to_string(), "unit": amount.unit.as_str() })
}

/// Returns a dose as JSON: an amount, or a range.
#[must_use]
pub fn dose(dose: &Dose) -> Value {
    match dose {
        Dose::Fixed(fixed) => amount(fixed),
        Dose::Range { from, to, unit } => {
            json!({ "from": from.to_string(), "to": to.to_string(), "unit": unit.as_str() })
        }
    }
}

/// Reads a dose.
pub(super) fn read_dose(value: &Value) -> Result<Dose, Misfit> {
    let shape: DoseShape = super::part("dose", value)?;
    let unit = read_unit("dose.unit", &shape.unit)?;
    let number =
        |path: &str, text: &str| text.parse::<Quantity>().map_err(|fault| Misfit::new(path, fault));
    match (&shape.value, &shape.from, &shape.to) {
        (Some(value), None, None) => {
            Ok(Dose::Fixed(Amount { value: number("dose.value", value)?, unit }))
        }
        (None, Some(from), Some(to)) => {
            Ok(Dose::Range { from: number("dose.from", from)?, to: number("dose.to", to)?, unit })
        }
        (Some(_), _, _) | (None, _, _) => Err(Misfit::new(
            "dose",
            r#"expected {"value": "2", "unit": "tablet"} or {"from": "1", "to": "2", "unit": "tablet"}"#,
        )),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountShape {
    value: String,
    unit: String,
}

/// Reads an amount that stands at `path`.
///
/// # Errors
/// With the path and what was expected.
pub fn read_amount(path: &str, value: &Value) -> Result<Amount, Misfit> {
    let shape: AmountShape = super::part(path, value)?;
    let unit = read_unit(&format!("{path}.unit"), &shape.unit)?;
    let value = shape.value.parse().map_err(|fault| Misfit::new(format!("{path}.value"), fault))?;
    Ok(Amount { value, unit })
}

fn read_unit(path: &str, text: &str) -> Result<Unit, Misfit> {
    if text.trim().is_empty() {
        return Err(Misfit::new(path, "a unit is needed, such as tablet or ml"));
    }
    Ok(Unit::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dose_reads_back_from_its_own_shape() {
        for value in [
            json!({"value": "1.5", "unit": "tablet"}),
            json!({"from": "1", "to": "2", "unit": "tablet"}),
        ] {
            assert_eq!(dose(&read_dose(&value).unwrap()), value);
        }
    }

    #[test]
    fn a_dose_that_is_no_decimal_string_is_refused_with_its_path() {
        #[track_caller]
        fn check(value: Value, path: &str) {
            assert_eq!(read_dose(&value).unwrap_err().path, path, "{value}");
        }
        check(json!({"value": 2, "unit": "tablet"}), "dose");
        check(json!({"value": "two", "unit": "tablet"}), "dose.value");
        check(json!({"value": "-1", "unit": "tablet"}), "dose.value");
        check(json!({"from": "1", "to": "x", "unit": "tablet"}), "dose.to");
        check(json!({"value": "1", "from": "1", "to": "2", "unit": "tablet"}), "dose");
        check(json!({"value": "1", "unit": " "}), "dose.unit");
        check(json!({"value": "1", "unit": "tablet", "colour": "red"}), "dose");
    }
}
