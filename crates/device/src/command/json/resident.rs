//! A resident as JSON.

use super::Misfit;
use mar::resident::{Allergies, Allergy, AllergyKind, ExternalId, Identity, NhsNumber};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A resident's identity and allergies as `resident add` takes them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidentShape {
    family: String,
    #[serde(default)]
    given: String,
    known_as: Option<String>,
    title: Option<String>,
    dob: Option<String>,
    nhs_number: Option<String>,
    no_nhs_number: Option<String>,
    #[serde(default)]
    room: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    gp: String,
    #[serde(default)]
    pharmacy: String,
    #[serde(default)]
    how_i_take: String,
    thickener: Option<String>,
    #[serde(default)]
    external: Vec<ExternalShape>,
    allergies: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalShape {
    system: String,
    value: String,
}

impl ResidentShape {
    /// Returns the shape of a resident.
    #[must_use]
    pub fn of(identity: &Identity, allergies: &Allergies) -> Self {
        Self {
            family: identity.family.clone(),
            given: identity.given.clone(),
            known_as: identity.known_as.clone(),
            title: identity.title.clone(),
            dob: identity.born.map(|born| born.to_string()),
            nhs_number: identity.nhs_number.map(|number| number.to_string()),
            no_nhs_number: identity.no_nhs_number.clone(),
            room: identity.room.clone(),
            unit: identity.unit.clone(),
            gp: identity.gp.clone(),
            pharmacy: identity.pharmacy.clone(),
            how_i_take: identity.how_i_take.clone(),
            thickener: identity.thickener.clone(),
            external: identity
                .external
                .iter()
                .map(|e| ExternalShape { system: e.system.clone(), value: e.value.clone() })
                .collect(),
            allergies: Some(allergies_to_json(allergies)),
        }
    }

    /// Returns the identity.
    ///
    /// # Errors
    /// With the field that does not fit.
    pub fn identity(&self) -> Result<Identity, Misfit> {
        let some = |text: &Option<String>| text.clone().filter(|t| !t.trim().is_empty());
        let born = some(&self.dob)
            .map(|text| {
                text.parse().map_err(|_| Misfit::new("dob", "a date was expected: 1938-04-12"))
            })
            .transpose()?;
        let nhs_number = some(&self.nhs_number)
            .map(|text| text.parse::<NhsNumber>().map_err(|f| Misfit::new("nhs_number", f)))
            .transpose()?;
        Ok(Identity {
            family: self.family.trim().to_owned(),
            given: self.given.trim().to_owned(),
            known_as: some(&self.known_as),
            title: some(&self.title),
            born,
            nhs_number,
            no_nhs_number: some(&self.no_nhs_number),
            room: self.room.clone(),
            unit: self.unit.clone(),
            gp: self.gp.clone(),
            pharmacy: self.pharmacy.clone(),
            how_i_take: self.how_i_take.clone(),
            thickener: some(&self.thickener),
            external: self
                .external
                .iter()
                .map(|e| ExternalId { system: e.system.clone(), value: e.value.clone() })
                .collect(),
        })
    }

    /// Returns the allergies; `None` when nothing is said of them.
    ///
    /// # Errors
    /// With the field that does not fit.
    pub fn allergies(&self) -> Result<Option<Allergies>, Misfit> {
        self.allergies.as_ref().map(read_allergies).transpose()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllergiesShape {
    state: String,
    list: Option<Vec<AllergyShape>>,
    by: Option<String>,
    on: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllergyShape {
    substance: String,
    reaction: Option<String>,
    code: Option<String>,
    kind: Option<String>,
}

/// Reads what is known of allergies.
///
/// # Errors
/// With the field that does not fit.
pub fn read_allergies(value: &Value) -> Result<Allergies, Misfit> {
    let shape: AllergiesShape = super::part("allergies", value)?;
    let alone = |fits: bool, what: &str| {
        if fits { Ok(()) } else { Err(Misfit::new("allergies", what)) }
    };
    match shape.state.as_str() {
        "recorded" => {
            alone(shape.by.is_none() && shape.on.is_none(), "`recorded` has a `list` only")?;
            let list = shape.list.unwrap_or_default().into_iter().enumerate();
            Ok(Allergies::Recorded(list.map(read_allergy).collect::<Result<_, _>>()?))
        }
        "none-known" => {
            alone(shape.list.is_none(), "`none-known` has no `list`")?;
            let on = shape.on.map(|text| {
                text.parse().map_err(|_| Misfit::new("allergies.on", "a date was expected"))
            });
            Ok(Allergies::NoneKnown { by: shape.by.unwrap_or_default(), on: on.transpose()? })
        }
        "not-asked" => {
            alone(shape.list.is_none() && shape.by.is_none(), "`not-asked` stands alone")?;
            Ok(Allergies::NotAsked)
        }
        other => Err(Misfit::new(
            "allergies.state",
            format!("`{other}`: recorded, none-known or not-asked was expected"),
        )),
    }
}

fn read_allergy((at, shape): (usize, AllergyShape)) -> Result<Allergy, Misfit> {
    let kind = match shape.kind.as_deref() {
        None => None,
        Some("allergy") => Some(AllergyKind::Allergy),
        Some("intolerance") => Some(AllergyKind::Intolerance),
        Some(other) => {
            let what = format!("`{other}`: allergy or intolerance was expected");
            return Err(Misfit::new(format!("allergies.list[{at}].kind"), what));
        }
    };
    let reaction = shape.reaction.filter(|r| !r.trim().is_empty());
    Ok(Allergy { substance: shape.substance, code: shape.code, reaction, kind })
}

/// Returns what is known of allergies as JSON.
#[must_use]
pub fn allergies_to_json(allergies: &Allergies) -> Value {
    match allergies {
        Allergies::Recorded(list) => {
            let list: Vec<Value> = list.iter().map(allergy_to_json).collect();
            json!({ "state": "recorded", "list": list })
        }
        Allergies::NoneKnown { by, on } => {
            let mut shape = json!({ "state": "none-known", "by": by });
            if let Some(on) = on {
                shape["on"] = json!(on.to_string());
            }
            shape
        }
        Allergies::NotAsked => json!({ "state": "not-asked" }),
    }
}

fn allergy_to_json(allergy: &Allergy) -> Value {
    let mut shape = json!({ "substance": allergy.substance, "reaction": allergy.reaction });
    if let Some(code) = &allergy.code {
        shape["code"] = json!(code);
    }
    match allergy.kind {
        Some(AllergyKind::Allergy) => shape["kind"] = json!("allergy"),
        Some(AllergyKind::Intolerance) => shape["kind"] = json!("intolerance"),
        None => {}
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the command line's manual.
    fn gladys() -> Value {
        json!({
            "family": "Shaw", "given": "Gladys", "known_as": "Glad", "title": "Mrs",
            "dob": "1938-04-12", "nhs_number": "943 476 5919", "room": "12", "unit": "Willow",
            "gp": "Dr Patel, Bay Surgery, 01202 000000", "pharmacy": "Quay Pharmacy",
            "how_i_take": "one at a time with water",
            "allergies": {
                "state": "recorded", "list": [{"substance": "penicillin", "reaction": "rash"}]
            }
        })
    }

    #[test]
    fn a_resident_reads_back_from_what_show_gives() {
        let shape: ResidentShape = serde_json::from_value(gladys()).unwrap();
        let identity = shape.identity().unwrap();
        let allergies = shape.allergies().unwrap().unwrap();
        let shown = serde_json::to_value(ResidentShape::of(&identity, &allergies)).unwrap();
        for (field, value) in gladys().as_object().unwrap() {
            assert_eq!(shown.get(field), Some(value), "{field}");
        }
        let again: ResidentShape = serde_json::from_value(shown).unwrap();
        assert_eq!(again.identity().unwrap(), identity);
        assert_eq!(again.allergies().unwrap(), Some(allergies));
    }

    #[test]
    fn every_state_of_allergies_reads_back() {
        for value in [
            json!({"state": "not-asked"}),
            json!({"state": "none-known", "by": "her daughter"}),
            json!({"state": "none-known", "by": "Dr Patel", "on": "2026-01-02"}),
            json!({"state": "recorded", "list": [
                {"substance": "codeine", "reaction": null, "kind": "intolerance"},
                {"substance": "latex", "reaction": "wheeze", "code": "111088007", "kind": "allergy"},
            ]}),
        ] {
            assert_eq!(allergies_to_json(&read_allergies(&value).unwrap()), value);
        }
    }

    #[test]
    fn a_field_that_is_not_known_or_does_not_fit_is_named() {
        #[track_caller]
        fn check(field: &str, value: Value, expected: &str) {
            let mut shape = gladys();
            shape[field] = value;
            let read = crate::command::json::read_value::<ResidentShape>("the file", shape)
                .map_err(|e| e.to_string())
                .and_then(|s| s.identity().map(|_| s).map_err(|m| m.to_string()))
                .and_then(|s| s.allergies().map_err(|m| m.to_string()));
            let words = read.unwrap_err();
            assert!(words.contains(expected), "{words}");
        }
        check("colour", json!("blue"), "no field `colour`");
        check("dob", json!("12/04/1938"), "dob");
        check("nhs_number", json!("943 476 5918"), "nhs_number");
        check("allergies", json!({"state": "none"}), "allergies.state");
        check("allergies", json!({"state": "not-asked", "list": []}), "stands alone");
        check("allergies", json!({"state": "recorded", "lists": []}), "no field `lists`");
    }
}
