//! Resources that are no person, allergy or medicine: said to be there, and why not taken.

use std::collections::BTreeMap;

use serde_json::Value;

use super::at::At;
use super::concept;
use super::proposal::{Release, Skipped};
use super::record::{KINDS, Record};

/// Kinds that are read, or looked up for the name of a prescriber, practice or medicine.
const READ: &[&str] = &[
    "AllergyIntolerance",
    "HealthcareService",
    "List",
    "Location",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "MessageHeader",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
];

/// Returns a row for each kind of resource that is not taken, at its first place.
pub(crate) fn read(record: &Record<'_>) -> Vec<Skipped> {
    let mut rows: Vec<(&str, String, usize)> = Vec::new();
    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    // A file of one resource that only others refer to proposes nothing, and says so.
    let alone = record.resources.first().is_some_and(|only| only.at.path == only.at.kind());
    let outer = record.resources.iter().filter(|resource| resource.container.is_none());
    for resource in outer {
        let at = &resource.at;
        let kind = at.kind();
        if kind == "Flag" {
            say_flag(at);
        }
        let proposes_nothing = matches!(
            kind,
            "HealthcareService" | "List" | "Location" | "Medication" | "Organization"
        ) || kind.starts_with("Practitioner");
        let proposes_nothing = proposes_nothing && !super::allergy::is_list(at);
        if READ.contains(&kind) && !(alone && proposes_nothing) {
            continue;
        }
        let row = *by_kind.entry(kind).or_insert_with(|| {
            rows.push((kind, at.path.clone(), 0));
            rows.len() - 1
        });
        rows[row].2 += 1;
    }
    rows.into_iter().map(|(kind, place, count)| row(kind, &place, count)).collect()
}

fn row(kind: &str, place: &str, count: usize) -> Skipped {
    let why = match kind {
        "MedicationAdministration" => "a record of a dose given elsewhere, not an order",
        "Flag" => "a flag is shown as a warning and not taken",
        "OperationOutcome" => "a message of the sender about the answer",
        _ if !KINDS.contains(&kind) => "not a resource type of FHIR STU3 or R4",
        _ => "holds no person, allergy or medicine of a resident",
    };
    let what = super::at::shortened(kind);
    let what = if count == 1 { what } else { format!("{what} ({count} of them)") };
    Skipped::new(place, &what, why)
}

/// A flag can say what no allergy says ("severe peanut allergy"), so its words are passed on.
fn say_flag(at: &At<'_>) {
    if let Some(words) = at.get("code").as_ref().and_then(concept::words) {
        at.note("", format!("the sender's flag: {words}"));
    }
}

/// Returns the release whose layout the resources have. Elements of both are read in any file.
pub(crate) fn release(record: &Record<'_>) -> Release {
    let is_stu3 = |at: &At<'_>| {
        let profiles = at.body.get("meta").and_then(|meta| meta.get("profile"));
        let profiles = profiles.and_then(Value::as_array).into_iter().flatten();
        let mut profiles = profiles.filter_map(Value::as_str);
        profiles.any(|profile| profile.contains("/STU3/"))
            || at.body.get("taken").is_some()
            || at.body.get("assertedDate").is_some()
            || at.body.get("clinicalStatus").is_some_and(Value::is_string)
            || at.body.get("requester").is_some_and(|requester| requester.get("agent").is_some())
    };
    let any = record.resources.iter().any(|resource| is_stu3(&resource.at));
    if any { Release::Stu3 } else { Release::R4 }
}
