//! Which elements of FHIR are lists, numbers, or true and false.
//!
//! For the resources that are read. An element in no table is a list only where it repeats.

use serde_json::{Number, Value};

/// Returns the value of a primitive: a number, true or false, or text.
pub(super) fn primitive(above: &str, name: &str, text: String) -> Value {
    if BOOLEANS.contains(&name) {
        match text.as_str() {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            _ => {}
        }
    }
    let is_number = NUMBERS.contains(&name) || (name == "value" && QUANTITIES.contains(&above));
    if is_number && let Ok(number) = serde_json::from_str::<Number>(&text) {
        return Value::Number(number);
    }
    Value::String(text)
}

/// Returns whether the element `name` below `above` is a list in JSON, even if it stands alone.
pub(super) fn is_list(above: &str, name: &str) -> bool {
    let in_resource = above.starts_with(|c: char| c.is_ascii_uppercase());
    match name {
        "identifier" => in_resource && above != "Bundle",
        "name" => matches!(above, "Patient" | "Practitioner" | "RelatedPerson"),
        "address" => matches!(above, "Patient" | "Practitioner" | "RelatedPerson" | "Organization"),
        "code" | "location" => above == "PractitionerRole",
        "category" => {
            matches!(above, "MedicationRequest" | "AllergyIntolerance" | "Condition" | "Flag")
        }
        "dosage" | "statusReason" => above == "MedicationStatement",
        "partOf" => in_resource && !matches!(above, "Organization" | "Location"),
        "performer" => matches!(above, "MedicationDispense" | "MedicationAdministration"),
        "type" => matches!(above, "Organization" | "Location"),
        _ => LISTS.contains(&name),
    }
}

const LISTS: &[&str] = &[
    "additionalInstruction",
    "alias",
    "authorizingPrescription",
    "basedOn",
    "coding",
    "communication",
    "contact",
    "contained",
    "dayOfWeek",
    "derivedFrom",
    "detectedIssue",
    "doseAndRate",
    "dosageInstruction",
    "entry",
    "event",
    "eventHistory",
    "extension",
    "generalPractitioner",
    "given",
    "ingredient",
    "issue",
    "line",
    "link",
    "manifestation",
    "modifierExtension",
    "note",
    "parameter",
    "part",
    "photo",
    "prefix",
    "profile",
    "qualification",
    "reaction",
    "reasonCode",
    "reasonReference",
    "receiver",
    "security",
    "specialty",
    "suffix",
    "supportingInformation",
    "tag",
    "telecom",
    "timeOfDay",
    "when",
];

const BOOLEANS: &[&str] = &[
    "active",
    "allowedBoolean",
    "asNeededBoolean",
    "deceasedBoolean",
    "deleted",
    "doNotPerform",
    "multipleBirthBoolean",
    "preferred",
    "reportedBoolean",
    "userSelected",
    "valueBoolean",
    "wasSubstituted",
];

const NUMBERS: &[&str] = &[
    "count",
    "countMax",
    "duration",
    "durationMax",
    "frequency",
    "frequencyMax",
    "multipleBirthInteger",
    "numberOfRepeatsAllowed",
    "offset",
    "period",
    "periodMax",
    "rank",
    "sequence",
    "total",
    "valueDecimal",
    "valueInteger",
    "valuePositiveInt",
    "valueUnsignedInt",
];

/// Elements that are a Quantity or one of its kinds, so that their `value` is a number.
const QUANTITIES: &[&str] = &[
    "amount",
    "boundsDuration",
    "daysSupply",
    "denominator",
    "dispenseInterval",
    "doseQuantity",
    "dose",
    "duration",
    "expectedSupplyDuration",
    "high",
    "low",
    "maxDosePerAdministration",
    "maxDosePerLifetime",
    "numerator",
    "quantity",
    "rateQuantity",
    "valueDuration",
    "valueQuantity",
];
