//! Every resource of a file with its path, and the references between them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::at::{At, Notices};
use super::proposal::Skipped;
use super::refused::{Place, Why};
use super::tree::Fault;

/// One resource of the file.
pub(crate) struct Resource<'a> {
    pub(crate) at: At<'a>,
    /// The bundle it stands in.
    scope: usize,
    full_url: Option<&'a str>,
    /// The resource that contains it, if it stands in `contained`.
    pub(crate) container: Option<usize>,
}

/// A bundle: references are looked up in it and then in the bundle around it.
struct Scope<'a> {
    around: Option<usize>,
    /// The event of a message (`MessageHeader.eventCoding.code`).
    event: Option<&'a str>,
}

/// The most rows and the most warnings that are listed of one file.
pub(crate) const ROWS_MAX: usize = 10_000;

/// All resources of a file, in its order.
pub(crate) struct Record<'a> {
    pub(crate) resources: Vec<Resource<'a>>,
    scopes: Vec<Scope<'a>>,
    /// (scope, address) to resource.
    index: BTreeMap<(usize, String), usize>,
    skipped: Vec<Skipped>,
}

impl<'a> Record<'a> {
    /// Gathers the resources below the root of a file.
    pub(crate) fn gather(
        root: &'a Map<String, Value>,
        root_place: &Place,
        notices: &'a Notices,
    ) -> Result<Self, Fault> {
        let kind = root.get("resourceType").and_then(Value::as_str);
        let Some(kind) = kind else {
            let found = "no `resourceType` (FHIR JSON) or FHIR root element (XML)".to_owned();
            return Err((root_place.clone(), Why::NotFhir { expected: EXPECTED, found }));
        };
        if !KINDS.contains(&kind) {
            let found = format!("`{}`", super::at::shortened(kind));
            return Err((root_place.clone(), Why::NotFhir { expected: EXPECTED, found }));
        }
        let at = At::new(root, kind.to_owned(), notices);
        if kind == "OperationOutcome" {
            return Err((root_place.clone(), Why::SenderFailed { said: said_by(&at) }));
        }
        let mut record = Self {
            resources: Vec::new(),
            scopes: vec![Scope { around: None, event: None }],
            index: BTreeMap::new(),
            skipped: Vec::new(),
        };
        record.take(at, 0, None, notices);
        for resource in &record.resources {
            if let Some(element) = release_five(&resource.at) {
                let place = Place::Path(resource.at.path_of(&element));
                return Err((place, Why::ReleaseFive { element }));
            }
        }
        Ok(record)
    }

    fn take(&mut self, at: At<'a>, scope: usize, full_url: Option<&'a str>, notices: &'a Notices) {
        match at.kind() {
            "Bundle" => self.take_bundle(&at, scope, notices),
            "Parameters" => {
                for parameter in at.each("parameter") {
                    self.take_parameter(&parameter, scope, notices);
                }
            }
            "MessageHeader" => {
                let event = at.get("eventCoding").or_else(|| at.get("event"));
                self.scopes[scope].event = event.and_then(|event| event.text("code"));
                self.add(at, scope, full_url, None);
            }
            _ => {
                let contained = at.each("contained");
                let container = self.add(at, scope, full_url, None);
                for inner in contained {
                    if inner.kind().is_empty() {
                        let why = "a contained resource without `resourceType`";
                        self.skip([Skipped::new(&inner.path, "contained", why)]);
                    } else {
                        self.add(inner, scope, None, Some(container));
                    }
                }
            }
        }
    }

    fn take_bundle(&mut self, bundle: &At<'a>, around: usize, notices: &'a Notices) {
        self.scopes.push(Scope { around: Some(around), event: None });
        let scope = self.scopes.len() - 1;
        let entries: &[Value] = match bundle.body.get("entry") {
            None | Some(Value::Null) => &[],
            Some(Value::Array(entries)) => entries,
            Some(other) => std::slice::from_ref(other),
        };
        for (i, entry) in entries.iter().enumerate() {
            let path = format!("{}.entry[{i}]", bundle.path);
            let Some(entry) = entry.as_object() else {
                self.skip([Skipped::new(&path, "entry", "an entry is a group of elements")]);
                continue;
            };
            let deleted = entry
                .get("request")
                .and_then(|request| request.get("method"))
                .and_then(Value::as_str)
                == Some("DELETE");
            let resource = entry.get("resource").and_then(Value::as_object);
            let path = format!("{path}.resource");
            match resource {
                _ if deleted => {
                    let why = "the sender asks for something to be deleted; nothing ever is";
                    self.skip([Skipped::new(&path, "entry", why)]);
                }
                Some(body) if body.get("resourceType").is_some_and(Value::is_string) => {
                    let full_url = entry.get("fullUrl").and_then(Value::as_str);
                    self.take(At::new(body, path, notices), scope, full_url, notices);
                }
                Some(_) => {
                    let why = "expected a resource with `resourceType`";
                    self.skip([Skipped::new(&path, "entry", why)]);
                }
                None => {
                    let why = "an entry without a resource";
                    self.skip([Skipped::new(&path, "entry", why)]);
                }
            }
        }
    }

    fn take_parameter(&mut self, parameter: &At<'a>, scope: usize, notices: &'a Notices) {
        if let Some(resource) = parameter.get("resource") {
            self.take(resource, scope, None, notices);
        }
        for part in parameter.each("part") {
            self.take_parameter(&part, scope, notices);
        }
    }

    fn add(
        &mut self,
        at: At<'a>,
        scope: usize,
        full_url: Option<&'a str>,
        container: Option<usize>,
    ) -> usize {
        let number = self.resources.len();
        let id = at.body.get("id").and_then(Value::as_str);
        let mut addresses = Vec::new();
        match (container, id) {
            (Some(container), Some(id)) => addresses.push(format!("{container}#{id}")),
            (None, Some(id)) => addresses.push(format!("{}/{id}", at.kind())),
            (_, None) => {}
        }
        addresses.extend(full_url.map(plain_address));
        for address in addresses {
            let earlier = *self.index.entry((scope, address)).or_insert(number);
            if earlier != number && self.resources[earlier].at.body != at.body {
                let earlier = &self.resources[earlier].at.path;
                at.note("id", format!("`{earlier}` has the same id; references mean that one"));
            }
        }
        self.resources.push(Resource { at, scope, full_url, container });
        number
    }

    /// Returns the resource that `reference`, written in the resource `from`, points to.
    pub(crate) fn resolve(&self, from: usize, reference: &str) -> Option<usize> {
        let here = &self.resources[from];
        if let Some(id) = reference.strip_prefix('#') {
            let container = here.container.unwrap_or(from);
            let key = (here.scope, format!("{container}#{id}"));
            return self.index.get(&key).copied();
        }
        let address = plain_address(reference);
        let mut scope = Some(here.scope);
        while let Some(number) = scope {
            if let Some(found) = self.index.get(&(number, address.clone())) {
                return Some(*found);
            }
            let tail = typed_tail(&address).filter(|_| address.contains("://"));
            if let Some(tail) = tail
                && let Some(&found) = self.index.get(&(number, tail.to_owned()))
                && self.resources[found].full_url.is_none()
            {
                return Some(found);
            }
            scope = self.scopes[number].around;
        }
        None
    }

    /// Adds rows for what was not taken, up to a number that a person can still look through.
    pub(crate) fn skip(&mut self, rows: impl IntoIterator<Item = Skipped>) {
        let room = ROWS_MAX.saturating_sub(self.skipped.len());
        self.skipped.extend(rows.into_iter().take(room));
    }

    /// Returns the rows for what was not taken, saying so where there were more.
    pub(crate) fn into_skipped(self) -> Vec<Skipped> {
        let mut rows = self.skipped;
        if rows.len() >= ROWS_MAX {
            let why = format!("only the first {ROWS_MAX} rows are listed");
            rows.push(Skipped::new("", "further entries", &why));
        }
        rows
    }

    /// Returns the numbers of the resources of one kind, contained ones left out.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<usize> {
        let is_that = |number: &usize| {
            let resource = &self.resources[*number];
            resource.container.is_none() && resource.at.kind() == kind
        };
        (0..self.resources.len()).filter(is_that).collect()
    }

    /// Returns the event of the message that a resource stands in.
    pub(crate) fn event(&self, number: usize) -> Option<&'a str> {
        self.scopes[self.resources[number].scope].event
    }

    pub(crate) fn at(&self, number: usize) -> &At<'a> {
        &self.resources[number].at
    }
}

/// Takes off a version, and writes a UUID in small letters, as some senders mix both.
fn plain_address(address: &str) -> String {
    let address = address.split("/_history/").next().unwrap_or(address);
    if address.len() > 9
        && address.get(..9).is_some_and(|urn| urn.eq_ignore_ascii_case("urn:uuid:"))
    {
        return address.to_lowercase();
    }
    address.to_owned()
}

/// Returns `Medication/1` of `https://server/fhir/Medication/1`.
fn typed_tail(address: &str) -> Option<&str> {
    let id = address.rfind('/')?;
    let kind = address[..id].rfind('/')? + 1;
    address[kind..].starts_with(|c: char| c.is_ascii_uppercase()).then_some(&address[kind..])
}

/// Returns the element that only FHIR R5 writes in this shape.
fn release_five(at: &At<'_>) -> Option<String> {
    let is_medicine = matches!(
        at.kind(),
        "MedicationRequest"
            | "MedicationStatement"
            | "MedicationDispense"
            | "MedicationAdministration"
    );
    if !is_medicine {
        return None;
    }
    if at.body.get("medication").is_some_and(Value::is_object) {
        return Some("medication".to_owned());
    }
    for list in ["dosageInstruction", "dosage"] {
        let Some(Value::Array(dosages)) = at.body.get(list) else {
            continue;
        };
        for (i, dosage) in dosages.iter().enumerate() {
            let only_five =
                ["asNeeded", "asNeededFor"].into_iter().find(|n| dosage.get(n).is_some());
            if let Some(name) = only_five {
                return Some(format!("{list}[{i}].{name}"));
            }
        }
    }
    None
}

fn said_by(outcome: &At<'_>) -> String {
    let words = outcome.each("issue").into_iter().filter_map(|issue| {
        let details = issue.get("details").and_then(|details| details.text("text"));
        issue.text("diagnostics").or(details).or_else(|| issue.text("code")).map(str::to_owned)
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "no reason given".to_owned() } else { words.join("; ") }
}

const EXPECTED: &str = "a FHIR resource: a Bundle, or one such as Patient, AllergyIntolerance, \
     MedicationStatement, MedicationRequest or MedicationDispense";

/// The resource types of FHIR STU3 and R4 that a GP, hospital or pharmacy system sends.
pub(crate) const KINDS: &[&str] = &[
    "Account",
    "AllergyIntolerance",
    "Appointment",
    "Basic",
    "Binary",
    "BodySite",
    "BodyStructure",
    "Bundle",
    "CarePlan",
    "CareTeam",
    "Claim",
    "ClaimResponse",
    "ClinicalImpression",
    "Communication",
    "CommunicationRequest",
    "Composition",
    "Condition",
    "Consent",
    "Coverage",
    "DetectedIssue",
    "Device",
    "DeviceRequest",
    "DeviceUseStatement",
    "DiagnosticReport",
    "DocumentManifest",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "Group",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "ImmunizationRecommendation",
    "List",
    "Location",
    "Media",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "MessageHeader",
    "NutritionOrder",
    "Observation",
    "OperationOutcome",
    "Organization",
    "Parameters",
    "Patient",
    "Person",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "ProcedureRequest",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "ReferralRequest",
    "RelatedPerson",
    "RequestGroup",
    "RiskAssessment",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Specimen",
    "Substance",
    "SupplyDelivery",
    "SupplyRequest",
    "Task",
    "VisionPrescription",
];
