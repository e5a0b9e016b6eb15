//! Which statement, plan, issues and dispensings say the same medicine.

use std::collections::{BTreeMap, BTreeSet};

use super::start;
use crate::fhir::at::At;
use crate::fhir::dosage;
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
    /// The directions of dispensings: what the label says.
    pub(super) labels: BTreeSet<String>,
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
    let requests = taken(record, "MedicationRequest", skipped);
    let mut links = Links { record, people, requests: requests.iter().copied().collect() };
    for &number in &requests {
        let plan = links.plan_of(number);
        let history = gathered.histories.entry(plan).or_default();
        if plan != number {
            history.add(start(record.at(number)));
        }
    }
    for number in taken(record, "MedicationDispense", skipped) {
        let plan = links.plan_behind(number, "authorizingPrescription");
        match plan.and_then(|plan| gathered.histories.get_mut(&plan)) {
            Some(history) => {
                history.add(start(record.at(number)));
                let label = dosage::words(&dosage::read(record.at(number), "dosageInstruction"));
                history.labels.insert(label);
            }
            None => {
                let sayings = Sayings { plan, dispense: Some(number), ..Sayings::default() };
                gathered.medicines.insert(number, sayings);
            }
        }
    }
    let mut with_statements = BTreeSet::new();
    let mut claimed = BTreeSet::new();
    for number in taken(record, "MedicationStatement", skipped) {
        with_statements.insert(links.people.owner(record, number));
        let plan = links.plan_behind(number, "basedOn");
        let plan = plan.or_else(|| links.plan_behind(number, "derivedFrom"));
        claimed.extend(plan);
        let sayings = Sayings { statement: Some(number), plan, ..Sayings::default() };
        gathered.medicines.insert(number, sayings);
    }
    for &plan in gathered.histories.keys().filter(|plan| !claimed.contains(plan)) {
        let at = record.at(plan);
        if is_based_on(at) && with_statements.contains(&links.people.owner(record, plan)) {
            let why = "an issue of a plan that is not in the file; the record's own statements \
                       say what is current";
            skipped.push(Skipped::new(&at.path, at.kind(), why));
            continue;
        }
        let sayings = Sayings { plan: Some(plan), ..Sayings::default() };
        gathered.medicines.insert(plan, sayings);
    }
    gathered
}

/// Returns whether a resource refers to one that it is based on. EPS writes the number of repeats
/// on a reference that refers to nothing.
pub(super) fn is_based_on(at: &At<'_>) -> bool {
    at.each("basedOn").iter().any(|reference| reference.has("reference"))
}

/// The references from statements and dispensings to requests, and between requests.
struct Links<'r, 'a> {
    record: &'r Record<'a>,
    people: &'r mut People,
    /// The requests that are read.
    requests: BTreeSet<usize>,
}

impl Links<'_, '_> {
    /// Follows `basedOn` to the request that is based on no other.
    fn plan_of(&mut self, request: usize) -> usize {
        /// Real records have two steps: an issue, its plan, and the plan that was replaced.
        const STEPS_MAX: usize = 20;
        let mut plan = request;
        for _ in 0..STEPS_MAX {
            match self.request(plan, "basedOn") {
                Some(next) => plan = next,
                None => return plan,
            }
        }
        let at = self.record.at(request);
        at.note("basedOn", "the requests are based on each other without end");
        request
    }

    fn plan_behind(&mut self, number: usize, name: &str) -> Option<usize> {
        self.request(number, name).map(|request| self.plan_of(request))
    }

    /// Returns the first request that the references `name` of a resource lead to.
    fn request(&mut self, number: usize, name: &str) -> Option<usize> {
        for reference in self.record.at(number).each(name) {
            let found = reference.text("reference").and_then(|r| self.record.resolve(number, r));
            let Some(found) = found else { continue };
            if self.record.resources[found].container == Some(number) {
                return Some(found);
            }
            if !self.requests.contains(&found) {
                continue;
            }
            // A plan of somebody else must lend neither its words nor its dates.
            if self.people.owner(self.record, number) == self.people.owner(self.record, found) {
                return Some(found);
            }
            reference.note("", "refers to an order of another person; it was not followed");
        }
        None
    }
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
