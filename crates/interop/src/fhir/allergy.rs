//! `AllergyIntolerance`, and the `List` that says whether there are any.

use super::at::At;
use super::concept;
use super::medicine;
use super::person::People;
use super::proposal::{AllergyState, ProposedAllergies, ProposedAllergy, Skipped};
use super::record::Record;

/// Codes of a list of current allergies: SNOMED CT (GP Connect, UK Core) and LOINC.
const CURRENT_LIST: &[&str] = &["886921000000105", "48765-2"];
/// Code of GP Connect's list of ended allergies.
const ENDED_LIST: &str = "1103671000000101";

/// Findings that no allergy, or no drug allergy, is known: SNOMED CT.
const NONE_KNOWN: &[&str] = &["716186003", "160244002", "409137002"];

/// Reads the allergies of everybody in the file.
pub(crate) fn read(record: &mut Record<'_>, people: &mut People) {
    let mut skipped = Vec::new();
    for number in 0..record.resources.len() {
        match record.at(number).kind() {
            "AllergyIntolerance" => read_one(record, people, number, &mut skipped),
            "List" => read_list(record, people, number),
            _ => {}
        }
    }
    record.skip(skipped);
    for resident in &mut people.residents {
        settle(&mut resident.allergies);
    }
}

fn read_one(record: &Record<'_>, people: &mut People, number: usize, skipped: &mut Vec<Skipped>) {
    let at = record.at(number);
    let clinical = concept::word(at, "clinicalStatus");
    let verification = concept::word(at, "verificationStatus");
    if verification == Some("entered-in-error") || clinical == Some("entered-in-error") {
        let why = "the sender says it was entered in error";
        skipped.push(Skipped::new(&at.path, "AllergyIntolerance", why));
        return;
    }
    let ended_by_list = record.resources[number]
        .container
        .is_some_and(|container| list_kind(record.at(container)) == Some(ListKind::Ended));
    let is_apart = ended_by_list
        || matches!(clinical, Some("resolved" | "inactive"))
        || verification == Some("refuted");
    let allergy = allergy(at, clinical, verification);
    let owner = people.owner(record, number);
    let allergies = &mut people.residents[owner].allergies;
    match none_known(&allergy) {
        Finding::Allergy if is_apart => allergies.apart.push(allergy),
        Finding::Allergy => allergies.listed.push(allergy),
        Finding::NoneKnown if is_apart => {
            at.note("", "says that no allergy is known, but no longer holds");
        }
        Finding::NoneKnown => {
            let AllergyState::NoneKnown { .. } = allergies.state else {
                let state =
                    AllergyState::NoneKnown { as_sent: allergy.substance, on: allergy.recorded };
                allergies.state = state;
                return;
            };
        }
        Finding::NoneOfOneKind => {
            let said = format!("says only `{}`; other allergies are not asked", allergy.substance);
            at.note("code", said);
        }
    }
}

enum Finding {
    Allergy,
    /// No allergy, or no drug allergy, is known.
    NoneKnown,
    /// None of one other kind is known, such as food.
    NoneOfOneKind,
}

fn none_known(allergy: &ProposedAllergy) -> Finding {
    if allergy.codes.iter().any(|code| NONE_KNOWN.contains(&code.code.as_str())) {
        return Finding::NoneKnown;
    }
    let words = allergy.substance.to_lowercase();
    if !(words.starts_with("no known") || words.starts_with("nil known")) {
        return Finding::Allergy;
    }
    let rest = words.trim_start_matches("no known").trim_start_matches("nil known").trim();
    let general = ["allergy", "allergies", "drug allerg", "medicine allerg", "medication allerg"];
    if rest.is_empty() || general.iter().any(|start| rest.starts_with(start)) {
        Finding::NoneKnown
    } else {
        Finding::NoneOfOneKind
    }
}

const READ: &[&str] = &[
    "resourceType",
    "id",
    "identifier",
    "clinicalStatus",
    "verificationStatus",
    "type",
    "category",
    "criticality",
    "code",
    "patient",
    "note",
    "reaction",
    "assertedDate",
    "recordedDate",
];

fn allergy(at: &At<'_>, clinical: Option<&str>, verification: Option<&str>) -> ProposedAllergy {
    let code = at.get("code");
    let codes = code.as_ref().map(concept::codes).unwrap_or_default();
    let substance = code.as_ref().and_then(concept::words).unwrap_or_default();
    if substance.is_empty() {
        at.note("code", "an allergy without a substance; ask what it is");
    }
    let owned = |text: &str| text.to_owned();
    ProposedAllergy {
        place: at.path.clone(),
        identifiers: concept::identifiers(at),
        degraded: codes.iter().any(medicine::is_degraded),
        substance,
        codes,
        kind: concept::word(at, "type").map(owned),
        categories: at.texts("category").into_iter().map(owned).collect(),
        criticality: at.text("criticality").map(owned),
        clinical_status: clinical.map(owned),
        verification: verification.map(owned),
        reactions: at.each("reaction").iter().filter_map(reaction).collect(),
        notes: concept::notes(at),
        recorded: at.date("recordedDate").or_else(|| at.date("assertedDate")),
        ended: ended(at),
        kept: at.rest(READ),
    }
}

fn reaction(at: &At<'_>) -> Option<String> {
    let mut words: Vec<String> =
        at.each("manifestation").iter().filter_map(concept::words).collect();
    words.extend(at.text("description").map(str::to_owned));
    words.extend(at.text("severity").map(str::to_owned));
    if let Some(substance) = at.get("substance").as_ref().and_then(concept::words) {
        words.push(format!("to {substance}"));
    }
    words.extend(concept::notes(at));
    (!words.is_empty()).then(|| words.join(", "))
}

/// When and why it ended. GP Connect `Extension-CareConnect-GPC-AllergyIntoleranceEnd-1`, UK Core
/// `Extension-UKCore-AllergyIntoleranceEnd`.
fn ended(at: &At<'_>) -> Option<String> {
    let end = at.extension("AllergyIntoleranceEnd")?;
    let date = end.extension("endDate").and_then(|e| e.text("valueDateTime").map(str::to_owned));
    let why = end.extension("reasonEnded").and_then(|e| e.text("valueString").map(str::to_owned));
    concept::joined(date, why)
}

#[derive(PartialEq, Eq)]
enum ListKind {
    Current,
    Ended,
}

/// Returns whether a resource is a list of allergies, current or ended.
pub(crate) fn is_list(at: &At<'_>) -> bool {
    list_kind(at).is_some()
}

fn list_kind(at: &At<'_>) -> Option<ListKind> {
    if at.kind() != "List" {
        return None;
    }
    let code = concept::word(at, "code").unwrap_or_default();
    let title = at.text("title").unwrap_or_default().to_lowercase();
    if code == ENDED_LIST
        || title.starts_with("ended allerg")
        || title.starts_with("resolved allerg")
    {
        Some(ListKind::Ended)
    } else if CURRENT_LIST.contains(&code) {
        Some(ListKind::Current)
    } else {
        None
    }
}

fn read_list(record: &Record<'_>, people: &mut People, number: usize) {
    let at = record.at(number);
    let Some(kind) = list_kind(at) else { return };
    for entry in at.each("entry") {
        let Some(item) = entry.get("item") else {
            continue;
        };
        let reference = item.text("reference").unwrap_or_default();
        if record.resolve(number, reference).is_none() {
            let named = super::at::shortened(item.text("display").unwrap_or(reference));
            item.note("", format!("the list names an allergy that is not in this file: `{named}`"));
        }
    }
    warn_of_gaps(at);
    if kind == ListKind::Ended || at.text("status").is_some_and(|status| status != "current") {
        return;
    }
    let owner = people.owner(record, number);
    let allergies = &mut people.residents[owner].allergies;
    let none_known = matches!(allergies.state, AllergyState::NoneKnown { .. });
    if none_known || !at.each("entry").is_empty() {
        return;
    }
    let reason = at.get("emptyReason");
    let words = reason.as_ref().and_then(concept::words);
    allergies.state = match concept::word(at, "emptyReason") {
        Some("nilknown" | "nil-known") => {
            AllergyState::NoneKnown { as_sent: words.unwrap_or_default(), on: at.date("date") }
        }
        Some("notasked" | "not-asked") => AllergyState::NotAsked,
        Some(_) => AllergyState::NotRecorded { as_sent: words.unwrap_or_default() },
        None => {
            AllergyState::NotRecorded { as_sent: "the list is empty, without a reason".to_owned() }
        }
    };
    if !allergies.listed.is_empty() {
        at.note("emptyReason", "the list is empty, but the file holds allergies");
    }
}

/// Notes what the sender says is missing from a list: a record in transit, confidential items.
pub(crate) fn warn_of_gaps(at: &At<'_>) {
    for warning in at.extensions("ListWarningCode") {
        if let Some(code) = warning.text("valueCode") {
            at.note("extension", format!("the sender warns that the list has gaps: {code}"));
        }
    }
    for (i, note) in concept::notes(at).iter().enumerate() {
        at.note(&format!("note[{i}]"), note.as_str());
    }
}

/// Decides what the findings, the lists and the allergies of a person come to.
fn settle(allergies: &mut ProposedAllergies) {
    if !allergies.listed.is_empty() {
        allergies.state = AllergyState::Listed;
    }
}
