//! Which statement, plan, issues and dispensings say the same medicine.

use std::collections::{BTreeMap, BTreeSet};

use super::start;
use crate::fhir::person::People;
use crate::fhir::proposal::{SentDate, Skipped};
use crate::fhir::record::Record;

/// The resources that say one medicine.
#[derive(Clone, Copy, Default)]
pub(super) struct Sayings {
    pub(super) statement: Option<usize>,
    /// The plan, or the request that all others are based on.
    pub(super) plan: Option<usize>,
    /// A dispensing that no request in the file stands behind.
    pub(super) dispense: Option<usize>,
}

/// The requests based on a plan and the dispensings of it: how often and when it was issued.
#[derive(Clone, Default)]
pub(super) struct History {
    pub(super) count: usize,
    pub(super) last: Option<SentDate>,
}

impl History {
    pub(super) fn add(&mut self, date: Option<SentDate>) {
        self.count += 1;
        if date.as_ref().map(|date| date.day) > self.last.as_ref().map(|date| date.day) {
            self.last = date;
        }
    }
}

/// What says each medicine, by the resource that proposes it, and the history of each plan.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) medicines: BTreeMap<usize, Sayings>,
    pub(super) histories: BTreeMap<usize, History>,
}

/// Gathers what says each medicine, and notes in `skipped` what is not to be read.
pub(super) fn gather(
    record: &Record<'_>,
    people: &mut People,
    skipped: &mut Vec<Skipped>,
) -> Gathered {
    let mut gathered = Gathered::default();
    for number in taken(record, "MedicationRequest", skipped) {
        let plan = plan_of(record, number);
        let history = gathered.histories.entry(plan).or_default();
        if plan != number {
            history.add(start(record.at(number)));
        }
    }
    for number in taken(record, "MedicationDispense", skipped) {
        let prescription = prescriptions(record, number).into_iter().next();
        let plan = prescription.map(|request| plan_of(record, request));
        match plan.and_then(|plan| gathered.histories.get_mut(&plan)) {
            Some(history) => history.add(start(record.at(number))),
            None => {
                let sayings = Sayings {
                    plan,
                    dispense: Some(number),
                    ..Sayings::default()
                };
                gathered.medicines.insert(number, sayings);
            }
        }
    }
    let mut with_statements = BTreeSet::new();
    let mut claimed = BTreeSet::new();
    for number in taken(record, "MedicationStatement", skipped) {
        with_statements.insert(people.owner(record, number));
        let plan = based_on(record, number)
            .first()
            .map(|plan| plan_of(record, *plan));
        claimed.extend(plan);
        let sayings = Sayings {
            statement: Some(number),
            plan,
            ..Sayings::default()
        };
        gathered.medicines.insert(number, sayings);
    }
    for &plan in gathered
        .histories
        .keys()
        .filter(|plan| !claimed.contains(plan))
    {
        let at = record.at(plan);
        if at.has("basedOn") && with_statements.contains(&people.owner(record, plan)) {
            let why = "an issue of a plan that is not in the file; the record's own statements \
                       say what is current";
            skipped.push(Skipped::new(&at.path, at.kind(), why));
            continue;
        }
        let sayings = Sayings {
            plan: Some(plan),
            ..Sayings::default()
        };
        gathered.medicines.insert(plan, sayings);
    }
    gathered
}

/// Returns the resources of one kind that are to be read, and says of the others why not.
fn taken(record: &Record<'_>, kind: &str, skipped: &mut Vec<Skipped>) -> Vec<usize> {
    let mut taken = Vec::new();
    for number in record.of_kind(kind) {
        let at = record.at(number);
        let why = if at.text("status") == Some("entered-in-error") {
            "the sender says it was entered in error"
        } else if at.boolean("doNotPerform") == Some(true) {
            "the sender asks that this is not given: read it, and decide with the prescriber"
        } else if record.event(number) == Some("prescription-order-response") {
            "an answer about a prescription, not a prescription"
        } else {
            taken.push(number);
            continue;
        };
        skipped.push(Skipped::new(&at.path, kind, why));
    }
    taken
}

/// Returns the requests that a statement or request says it is based on.
pub(super) fn based_on(record: &Record<'_>, number: usize) -> Vec<usize> {
    let at = record.at(number);
    let references = at.each("basedOn").into_iter().chain(at.each("derivedFrom"));
    let found = references.filter_map(|r| record.resolve(number, r.text("reference")?));
    found
        .filter(|&found| record.at(found).kind() == "MedicationRequest")
        .collect()
}

fn prescriptions(record: &Record<'_>, number: usize) -> Vec<usize> {
    let references = record.at(number).each("authorizingPrescription");
    let found = references
        .iter()
        .filter_map(|r| record.resolve(number, r.text("reference")?));
    found
        .filter(|&found| record.at(found).kind() == "MedicationRequest")
        .collect()
}

/// Follows `basedOn` to the request that is based on no other.
fn plan_of(record: &Record<'_>, request: usize) -> usize {
    /// Real records have two steps: an issue, its plan, and the plan that was replaced.
    const STEPS_MAX: usize = 20;
    let mut plan = request;
    for _ in 0..STEPS_MAX {
        match based_on(record, plan).first() {
            Some(next) => plan = *next,
            None => return plan,
        }
    }
    record.at(request).note(
        "basedOn",
        "the requests are based on each other without end",
    );
    request
}
