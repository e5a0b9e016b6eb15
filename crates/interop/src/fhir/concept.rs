//! Codes, identifiers and the names of people and practices, as words.

use std::collections::BTreeSet;

use mar::resident::ExternalId;

use super::at::At;
use super::proposal::{Code, SentName};
use super::record::Record;

/// Returns the codes of a CodeableConcept, in the sender's order.
pub(crate) fn codes(concept: &At<'_>) -> Vec<Code> {
    let code = |coding: At<'_>| Code {
        system: coding.text("system").unwrap_or_default().to_owned(),
        code: coding.text("code").unwrap_or_default().to_owned(),
        display: coding.text("display").map(str::to_owned),
    };
    concept.each("coding").into_iter().map(code).collect()
}

/// Returns the words of a CodeableConcept: its text, else the name the user chose, else the first.
pub(crate) fn words(concept: &At<'_>) -> Option<String> {
    if let Some(text) = concept.text("text") {
        return Some(text.to_owned());
    }
    let codings = concept.each("coding");
    let chosen = codings.iter().find(|coding| coding.boolean("userSelected") == Some(true));
    chosen
        .into_iter()
        .chain(&codings)
        .find_map(|coding| coding.text("display"))
        .or_else(|| codings.iter().find_map(|coding| coding.text("code")))
        .map(str::to_owned)
}

/// Returns the first code of the CodeableConcept `name`, or its text where STU3 sends plain text.
pub(crate) fn word<'a>(at: &At<'a>, name: &str) -> Option<&'a str> {
    if at.body.get(name).is_some_and(serde_json::Value::is_string) {
        return at.text(name);
    }
    let concept = at.get(name)?;
    let code = concept.each("coding").into_iter().find_map(|coding| coding.text("code"));
    code.or_else(|| concept.text("text"))
}

/// Returns the identifiers of a resource; where it has none, its id within the sender's system.
pub(crate) fn identifiers(at: &At<'_>) -> Vec<ExternalId> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for identifier in at.each("identifier") {
        let Some(value) = identifier.text("value") else {
            continue;
        };
        let system = identifier.text("system").unwrap_or_default().to_owned();
        let one = ExternalId { system, value: value.to_owned() };
        if seen.insert(one.clone()) {
            found.push(one);
        }
    }
    if found.is_empty()
        && let Some(id) = at.text("id")
    {
        found.push(ExternalId { system: at.kind().to_owned(), value: id.to_owned() });
    }
    found
}

/// Returns the names of a Patient or Practitioner, in the sender's order.
pub(crate) fn names(at: &At<'_>) -> Vec<SentName> {
    let read = |name: At<'_>| SentName {
        usage: name.text("use").map(str::to_owned),
        text: name.text("text").map(str::to_owned),
        // A list of family names is how FHIR before STU3 wrote it.
        family: name.texts("family").join(" "),
        given: name.texts("given").join(" "),
        title: name.texts("prefix").join(" "),
    };
    let named = |name: &SentName| !name.in_words().is_empty();
    at.each("name").into_iter().map(read).filter(named).collect()
}

/// Returns in words who a reference means: a name with the practice, else what the reference says.
pub(crate) fn who(record: &Record<'_>, from: usize, reference: &At<'_>) -> Option<String> {
    let resolved = reference.text("reference").and_then(|r| record.resolve(from, r));
    let in_file = resolved.and_then(|number| {
        let at = record.at(number);
        match at.kind() {
            "PractitionerRole" => {
                let person = at.get("practitioner").and_then(|r| direct(record, number, &r));
                let place = at.get("organization").and_then(|r| direct(record, number, &r));
                joined(person, place)
            }
            _ => direct(record, number, reference),
        }
    });
    in_file.or_else(|| said(reference))
}

/// Returns the name of the resource a reference points to, without going further.
fn direct(record: &Record<'_>, from: usize, reference: &At<'_>) -> Option<String> {
    let resolved = reference.text("reference").and_then(|r| record.resolve(from, r));
    let named = resolved.and_then(|number| {
        let at = record.at(number);
        match at.kind() {
            "Practitioner" | "Patient" | "RelatedPerson" => {
                names(at).first().map(SentName::in_words)
            }
            "Organization" | "HealthcareService" | "Location" => at.text("name").map(str::to_owned),
            _ => None,
        }
    });
    named.or_else(|| said(reference))
}

/// Returns what a reference itself says: its display, or a code of a practice or prescriber.
fn said(reference: &At<'_>) -> Option<String> {
    let display = reference.text("display").map(str::to_owned);
    let identifier =
        || reference.get("identifier").and_then(|i| i.text("value").map(str::to_owned));
    display.or_else(identifier)
}

pub(crate) fn joined(one: Option<String>, two: Option<String>) -> Option<String> {
    match (one, two) {
        (Some(one), Some(two)) if one != two => Some(format!("{one}, {two}")),
        (Some(one), _) => Some(one),
        (None, two) => two,
    }
}

/// Returns the texts of the notes, verbatim.
pub(crate) fn notes(at: &At<'_>) -> Vec<String> {
    at.each("note").iter().filter_map(|note| note.text("text")).map(str::to_owned).collect()
}
