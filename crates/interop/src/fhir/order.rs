//! Medicines: `MedicationStatement`, `MedicationRequest`, `MedicationDispense`.
//!
//! A GP record says one medicine 1 + 1 + N times: a statement, the plan it is based on, and every
//! issue of it. It is proposed once, by its statement; without one by its plan or request;
//! without those by a dispensing. Nothing is ever joined by its drug code.

mod gather;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::at::At;
use super::concept;
use super::dosage::{self, ProposedDosage};
use super::flags;
use super::medicine;
use super::person::People;
use super::proposal::{
    Course, Flag, Notice, Origin, ProposedMedicine, ProposedOrder, SentDate, Status,
};
use super::record::Record;
use gather::{History, Sayings};

/// Reads the medicines of everybody in the file. `today` decides what is old.
pub(crate) fn read(record: &mut Record<'_>, people: &mut People, today: NaiveDate) {
    let mut skipped = Vec::new();
    let gathered = gather::gather(record, people, &mut skipped);
    for (&number, sayings) in &gathered.medicines {
        let owner = people.owner(record, number);
        let mut history = sayings.plan.and_then(|plan| gathered.histories.get(&plan).cloned());
        if let Some(dispense) = sayings.dispense {
            history.get_or_insert_default().add(start(record.at(dispense)));
        }
        let order = order(record, *sayings, history.unwrap_or_default());
        people.residents[owner].orders.push(order);
    }
    record.skip(skipped);
    for resident in &mut people.residents {
        flags::set(resident, today);
    }
}

fn order(record: &Record<'_>, sayings: Sayings, history: History) -> ProposedOrder {
    let Sayings { statement, plan, dispense } = sayings;
    let main = statement.or(dispense).or(plan);
    let main = main.expect("gather makes no entry without a resource");
    let at = record.at(main);
    let plan_at = plan.map(|plan| record.at(plan));
    let (status, status_as_sent) = status(at);
    // Whichever says something first is taken: the statement, then the plan.
    let said: Vec<usize> = [statement, plan, dispense].into_iter().flatten().collect();
    let words = directions(record, &said);
    let issued = statement.and_then(|number| {
        record.at(number).extension("MedicationStatementLastIssueDate")?.date("valueDateTime")
    });
    let last_issue = issued.into_iter().chain(history.last).max_by_key(|date| date.day);
    let mut order = ProposedOrder {
        place: at.path.clone(),
        key: String::new(),
        identifiers: Vec::new(),
        origin: origin(at, history.count),
        based_on_missing: gather::is_based_on(at) && plan.is_none_or(|plan| plan == main),
        medicine: first_named(record, &said),
        dosages: words.dosages,
        other_directions: words.others,
        labels: Vec::new(),
        notes: Vec::new(),
        status,
        status_as_sent: status_as_sent.to_owned(),
        plan_status: plan_at.filter(|_| statement.is_some()).map(|plan| self::status(plan).0),
        course: said.iter().find_map(|&n| course(record.at(n))).unwrap_or(Course::NotSaid),
        start: said.iter().find_map(|&n| start(record.at(n))),
        end: said.iter().find_map(|&n| end(record.at(n))),
        last_issue,
        issues: history.count,
        review: plan_at.and_then(review),
        prescriber: said.iter().find_map(|&n| prescriber(record, n)),
        quantity: said.iter().find_map(|&n| quantity(record.at(n))),
        reasons: said.iter().flat_map(|&n| reasons(record, n)).collect(),
        flags: Vec::new(),
        kept: kept(record, &said),
    };
    for dosage in &mut order.dosages {
        dosage.understand(&order.medicine.name);
    }
    let own = dosage::words(&order.dosages);
    let differs = |label: &String| !label.is_empty() && *label != own;
    order.labels = history.labels.into_iter().filter(differs).collect();
    add_words(&mut order, record, &said);
    order.key = key(&order);
    order
}

fn add_words(order: &mut ProposedOrder, record: &Record<'_>, said: &[usize]) {
    let mut seen = BTreeSet::new();
    for &number in said {
        let at = record.at(number);
        let named = origin(at, 0);
        let ids = concept::identifiers(at).into_iter().map(|id| (named, id));
        order.identifiers.extend(ids);
        let notes = concept::notes(at).into_iter().filter(|note| seen.insert(note.clone()));
        order.notes.extend(notes);
        if at.has("modifierExtension") {
            order.flags.push(Flag::MeaningMayChange);
        }
    }
}

fn origin(at: &At<'_>, issues: usize) -> Origin {
    match at.kind() {
        "MedicationStatement" => Origin::Statement,
        "MedicationDispense" => Origin::Dispense,
        _ if at.text("intent") == Some("plan") || issues > 0 => Origin::Plan,
        _ => Origin::Request,
    }
}

/// The name by which importing again finds the same order. The sender's own identifier comes
/// first; without any, what was sent itself.
fn key(order: &ProposedOrder) -> String {
    if let Some((_, id)) = order.identifiers.first() {
        return format!("{}|{}", id.system, id.value);
    }
    let words = dosage::words(&order.dosages);
    let start = order.start.as_ref().map_or("", |start| start.as_sent.as_str());
    format!("as sent|{}|{}|{start}", order.medicine.name, words)
}

fn first_named(record: &Record<'_>, said: &[usize]) -> ProposedMedicine {
    let read = said.iter().map(|&number| medicine::read(record, number));
    let mut named: Vec<_> = read.collect();
    let at =
        named.iter().position(|medicine| !medicine.name.is_empty() || !medicine.codes.is_empty());
    at.map(|at| named.swap_remove(at)).unwrap_or_default()
}

struct Directions {
    dosages: Vec<ProposedDosage>,
    /// Directions elsewhere that are not the same.
    others: Vec<String>,
}

/// Returns the directions of the first resource that has any, and those of the others where they
/// differ: a statement and its plan can say different doses, and neither may be lost.
fn directions(record: &Record<'_>, said: &[usize]) -> Directions {
    let mut directions = Directions { dosages: Vec::new(), others: Vec::new() };
    for &number in said {
        let at = record.at(number);
        let list = if at.kind() == "MedicationStatement" { "dosage" } else { "dosageInstruction" };
        let dosages = dosage::read(at, list);
        let words = dosage::words(&dosages);
        if directions.dosages.is_empty() {
            directions.dosages = dosages;
        } else if !words.is_empty()
            && words != dosage::words(&directions.dosages)
            && !directions.others.contains(&words)
        {
            directions.others.push(words);
        }
    }
    directions
}

/// Returns the status of a resource with the sender's word for it.
fn status<'a>(at: &At<'a>) -> (Status, &'a str) {
    let word = at.text("status").unwrap_or_default();
    if at.text("taken") == Some("n") {
        return (Status::NotTaken, word);
    }
    if at.kind() == "MedicationDispense" {
        let status = match word {
            "cancelled" | "declined" => Status::Cancelled,
            "stopped" => Status::Stopped,
            "on-hold" => Status::OnHold,
            "" => Status::Unknown,
            _ => Status::Dispensed,
        };
        return (status, word);
    }
    let status = match word {
        "active" if matches!(at.text("intent"), Some("proposal" | "option")) => Status::NotYet,
        "active" => Status::Active,
        "on-hold" | "suspended" => Status::OnHold,
        "completed" => Status::Completed,
        "stopped" => Status::Stopped,
        "cancelled" => Status::Cancelled,
        "draft" | "intended" => Status::NotYet,
        "not-taken" => Status::NotTaken,
        _ => Status::Unknown,
    };
    (status, word)
}

/// GP Connect `Extension-CareConnect-GPC-PrescriptionType-1`; R4 `courseOfTherapyType`.
fn course(at: &At<'_>) -> Option<Course> {
    let gp_connect = at
        .extension("CareConnect-GPC-PrescriptionType")
        .and_then(|extension| concept::word(&extension, "valueCodeableConcept"));
    let word = gp_connect.or_else(|| concept::word(at, "courseOfTherapyType"))?;
    Some(match word {
        "acute" => Course::Acute,
        "repeat" | "continuous" => Course::Repeat,
        // The second spelling is a common mistake of senders.
        "repeat-dispensing"
        | "continuous-repeat-dispensing"
        | "continuous-repeating-dispensing" => Course::RepeatDispensing,
        other => Course::Other(other.to_owned()),
    })
}

fn validity<'a>(at: &At<'a>) -> Option<At<'a>> {
    at.get("dispenseRequest")?.get("validityPeriod")
}

fn start(at: &At<'_>) -> Option<SentDate> {
    let effective = at.get("effectivePeriod").and_then(|period| period.date("start"));
    effective
        .or_else(|| at.date("effectiveDateTime"))
        .or_else(|| validity(at)?.date("start"))
        .or_else(|| at.date("authoredOn"))
        .or_else(|| at.date("whenHandedOver"))
        .or_else(|| at.date("whenPrepared"))
}

/// In GP Connect a plan's validity is the time of the treatment; elsewhere it is only the time
/// in which the prescription may be dispensed.
fn end(at: &At<'_>) -> Option<SentDate> {
    if let Some(period) = at.get("effectivePeriod") {
        return period.date("end");
    }
    let profiles = at.get("meta").map(|meta| meta.texts("profile")).unwrap_or_default();
    let is_plan = at.text("intent") == Some("plan");
    if is_plan && profiles.iter().any(|profile| profile.contains("CareConnect-GPC-")) {
        return validity(at)?.date("end");
    }
    None
}

fn review(at: &At<'_>) -> Option<SentDate> {
    at.extension("MedicationRepeatInformation")?
        .extension("authorisationExpiryDate")?
        .date("valueDateTime")
}

/// STU3 `requester.agent`, R4 `requester`, else who recorded it.
fn prescriber(record: &Record<'_>, number: usize) -> Option<String> {
    let at = record.at(number);
    let requester = at.get("requester")?;
    let words = match requester.get("agent") {
        Some(agent) => {
            let practice = requester.get("onBehalfOf");
            let practice = practice.and_then(|r| concept::who(record, number, &r));
            concept::joined(concept::who(record, number, &agent), practice)
        }
        None => concept::who(record, number, &requester),
    };
    words.or_else(|| concept::who(record, number, &at.get("recorder")?))
}

fn quantity(at: &At<'_>) -> Option<String> {
    let requested = at.get("dispenseRequest").and_then(|request| request.get("quantity"));
    medicine::quantity(&requested.or_else(|| at.get("quantity"))?)
}

fn reasons(record: &Record<'_>, number: usize) -> Vec<String> {
    let at = record.at(number);
    let mut reasons: Vec<String> =
        at.each("reasonCode").iter().filter_map(concept::words).collect();
    for reference in at.each("reasonReference") {
        let found = reference.text("reference").and_then(|r| record.resolve(number, r));
        let code = found.and_then(|found| record.at(found).get("code"));
        let display = || reference.text("display").map(str::to_owned);
        reasons.extend(code.as_ref().and_then(concept::words).or_else(display));
    }
    reasons
}

const READ: &[&str] = &[
    "resourceType",
    "id",
    "identifier",
    "status",
    "subject",
    "medicationCodeableConcept",
    "medicationReference",
    "dosage",
    "dosageInstruction",
    "note",
    "contained",
    "effectivePeriod",
    "effectiveDateTime",
    "reasonCode",
];

fn kept(record: &Record<'_>, said: &[usize]) -> Value {
    let mut kept = Map::new();
    for &number in said {
        let at = record.at(number);
        kept.insert(at.kind().to_owned(), at.rest(READ));
    }
    Value::Object(kept)
}

/// Notes what the sender's own list of medicines says: gaps, and medicines that are not sent.
pub(crate) fn read_lists(record: &Record<'_>) -> Vec<Notice> {
    /// GP Connect's list "Medications and medical devices": SNOMED CT.
    const MEDICINES: &str = "933361000000108";
    let mut notices = Vec::new();
    for number in record.of_kind("List") {
        let at = record.at(number);
        if concept::word(at, "code") != Some(MEDICINES) {
            continue;
        }
        super::allergy::warn_of_gaps(at);
        for entry in at.each("entry") {
            let Some(item) = entry.get("item") else {
                continue;
            };
            let reference = item.text("reference").unwrap_or_default();
            if record.resolve(number, reference).is_none() {
                let named = super::at::shortened(item.text("display").unwrap_or(reference));
                let text = format!("the list names a medicine that is not in this file: `{named}`");
                notices.push(Notice { place: item.path.clone(), text });
            }
        }
        if let Some(reason) = at.get("emptyReason").as_ref().and_then(concept::words) {
            let text = format!("the sender's list of medicines is empty: {reason}");
            notices.push(Notice { place: at.path_of("emptyReason"), text });
        }
    }
    notices
}
