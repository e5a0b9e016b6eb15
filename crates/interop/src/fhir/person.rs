//! `Patient`, and people whom a file only names.

use std::collections::BTreeMap;

use mar::resident::{ExternalId, NhsNumber};
use serde_json::Value;

use super::at::At;
use super::concept;
use super::proposal::{
    AllergyState, Deceased, ProposedAllergies, ProposedResident, SentDate, SentName, SentNhsNumber,
};
use super::record::Record;

/// Addresses of the NHS number's name space: the FHIR ones and the older object identifier.
const NHS_NUMBER: &[&str] = &["/nhs-number", "2.16.840.1.113883.2.1.4.1"];

/// The people of a file. Each resource is one person's, named by `subject` or `patient`.
pub(crate) struct People {
    pub(crate) residents: Vec<ProposedResident>,
    by_resource: BTreeMap<usize, usize>,
    /// `None` where two people of the file have the identifier: it names neither.
    by_identifier: BTreeMap<ExternalId, Option<usize>>,
    by_words: BTreeMap<String, usize>,
}

impl People {
    pub(crate) fn read(record: &Record<'_>) -> Self {
        let mut people = Self {
            residents: Vec::new(),
            by_resource: BTreeMap::new(),
            by_identifier: BTreeMap::new(),
            by_words: BTreeMap::new(),
        };
        for number in record.of_kind("Patient") {
            people.add(record, number);
        }
        people
    }

    fn add(&mut self, record: &Record<'_>, number: usize) -> usize {
        let resident = patient(record, number);
        // The same person again, as in a bundle of several messages. An identifier alone does not
        // say so, nor does a name alone: `UNKNOWN` is sent for many.
        let told = !resident.names.is_empty() && resident.born.is_some();
        let same = |&place: &usize| {
            let other = &self.residents[place];
            (&other.identifiers, &other.names, &other.born)
                == (&resident.identifiers, &resident.names, &resident.born)
        };
        let earlier = || (0..self.residents.len()).find(same);
        let mut ids = resident.identifiers.iter().filter(|id| tells_apart(id));
        let known = ids.any(|id| self.by_identifier.contains_key(id));
        let place = (told && known).then(earlier).flatten().unwrap_or(self.residents.len());
        if place == self.residents.len() {
            for identifier in resident.identifiers.iter().filter(|id| tells_apart(id)) {
                let held = self.by_identifier.entry(identifier.clone()).or_insert(Some(place));
                // It names neither of two people who have it.
                *held = held.filter(|held| *held == place);
            }
            self.residents.push(resident);
        }
        self.by_resource.insert(number, place);
        place
    }

    /// Returns whose the resource `number` is, making a person of whom the file only names.
    pub(crate) fn owner(&mut self, record: &Record<'_>, number: usize) -> usize {
        let at = record.at(number);
        let subject = at.get("subject").or_else(|| at.get("patient"));
        // A contained resource that names nobody belongs to the person of what contains it.
        let Some(subject) = subject else {
            return match record.resources[number].container {
                Some(container) => self.owner(record, container),
                None => {
                    at.note("subject", "does not say whose it is");
                    self.only_named(at, "", None, None)
                }
            };
        };
        let reference = subject.text("reference").unwrap_or_default();
        if let Some(found) = record.resolve(number, reference)
            && record.at(found).kind() == "Patient"
        {
            return match self.by_resource.get(&found) {
                Some(place) => *place,
                None => self.add(record, found),
            };
        }
        let identifier = subject.get("identifier").and_then(|identifier| {
            let value = identifier.text("value")?.to_owned();
            let system = identifier.text("system").unwrap_or_default().to_owned();
            Some(ExternalId { system, value })
        });
        let display = subject.text("display");
        let named = identifier.as_ref().and_then(|id| self.by_identifier.get(id).copied()?);
        if let Some(place) = named {
            return place;
        }
        self.only_named(&subject, reference, identifier, display)
    }

    fn only_named(
        &mut self,
        at: &At<'_>,
        reference: &str,
        identifier: Option<ExternalId>,
        display: Option<&str>,
    ) -> usize {
        let (system, value) = identifier
            .as_ref()
            .map_or(("", reference), |id| (id.system.as_str(), id.value.as_str()));
        let words = format!("{system}|{value}|{}", display.unwrap_or_default());
        if let Some(place) = self.by_words.get(&words) {
            return *place;
        }
        let mut resident = nobody(&at.path);
        resident.nhs_number = nhs_number(identifier.as_slice());
        resident.identifiers = match identifier {
            Some(identifier) => vec![identifier],
            None if reference.is_empty() => Vec::new(),
            None => {
                vec![ExternalId { system: "reference".to_owned(), value: reference.to_owned() }]
            }
        };
        let named =
            |display: &str| SentName { text: Some(display.to_owned()), ..SentName::default() };
        resident.names = display.map(named).into_iter().collect();
        at.note("", "the person is not in this file; choose who it is");
        self.residents.push(resident);
        self.by_words.insert(words, self.residents.len() - 1);
        self.residents.len() - 1
    }
}

fn nobody(place: &str) -> ProposedResident {
    ProposedResident {
        place: place.to_owned(),
        in_file: false,
        identifiers: Vec::new(),
        names: Vec::new(),
        born: None,
        nhs_number: SentNhsNumber::Missing,
        gender: None,
        addresses: Vec::new(),
        telephones: Vec::new(),
        gp: None,
        pharmacy: None,
        deceased: Deceased::NotSaid,
        allergies: ProposedAllergies {
            state: AllergyState::NothingSent,
            listed: Vec::new(),
            apart: Vec::new(),
        },
        orders: Vec::new(),
        kept: Value::Null,
    }
}

fn patient(record: &Record<'_>, number: usize) -> ProposedResident {
    let at = record.at(number);
    let mut resident = nobody(&at.path);
    resident.in_file = true;
    resident.identifiers = concept::identifiers(at);
    resident.names = concept::names(at);
    // The name in use first: a former or maiden name must not head a chart.
    resident.names.sort_by_key(|name| match name.usage.as_deref() {
        Some("usual") => 0,
        Some("official") => 1,
        Some("old" | "maiden") => 3,
        Some(_) | None => 2,
    });
    resident.born = born(at);
    resident.nhs_number = nhs_number(&resident.identifiers);
    resident.gender = at.text("gender").map(str::to_owned);
    resident.addresses = at.each("address").iter().filter_map(address).collect();
    resident.telephones = telephones(at);
    resident.gp = gp(record, number);
    resident.pharmacy = pharmacy(record, number);
    resident.deceased = deceased(at);
    resident.kept = at.rest(READ);
    if resident.names.is_empty() {
        at.note("name", "no name was sent");
    }
    if resident.born.is_none() {
        at.note("birthDate", "no date of birth was sent");
    }
    if let SentNhsNumber::Doubtful { as_sent, fault } = &resident.nhs_number {
        at.note("identifier", format!("`{}`: {fault}", super::at::shortened(as_sent)));
    }
    if matches!(resident.deceased, Deceased::Yes(_)) {
        at.note("deceased", "the sender says that the person has died");
    }
    if at.boolean("active") == Some(false) {
        at.note("active", "the sender no longer uses this record of the person");
    }
    resident
}

const READ: &[&str] = &[
    "resourceType",
    "id",
    "identifier",
    "name",
    "birthDate",
    "gender",
    "address",
    "telecom",
    "generalPractitioner",
    "deceasedBoolean",
    "deceasedDateTime",
];

fn born(at: &At<'_>) -> Option<SentDate> {
    if let Some(date) = at.date("birthDate") {
        return Some(date);
    }
    // Some senders give only the time of birth, as an extension on the missing date.
    let time = at.get("_birthDate")?.extension("birthTime")?.date("valueDateTime")?;
    at.note("birthDate", "taken from the time of birth");
    Some(time)
}

/// Whether an identifier stands where senders put the NHS number, whatever its value is: it may be
/// `UNKNOWN`. Only a valid number says anything of who somebody is.
#[must_use]
pub fn is_nhs_number(identifier: &ExternalId) -> bool {
    let system = identifier.system.trim().to_lowercase();
    NHS_NUMBER.iter().any(|end| system.ends_with(end))
}

/// Whether an identifier can tell a person from another: what is no valid NHS number cannot.
fn tells_apart(identifier: &ExternalId) -> bool {
    !is_nhs_number(identifier) || identifier.value.parse::<NhsNumber>().is_ok()
}

fn nhs_number(identifiers: &[ExternalId]) -> SentNhsNumber {
    match identifiers.iter().find(|id| is_nhs_number(id)) {
        None => SentNhsNumber::Missing,
        Some(id) => match id.value.parse() {
            Ok(number) => SentNhsNumber::Valid(number),
            Err(fault) => SentNhsNumber::Doubtful { as_sent: id.value.clone(), fault },
        },
    }
}

fn address(at: &At<'_>) -> Option<String> {
    let mut parts = at.texts("line");
    parts.extend(["city", "district", "postalCode"].into_iter().filter_map(|name| at.text(name)));
    let joined = parts.join(", ");
    if joined.is_empty() { at.text("text").map(str::to_owned) } else { Some(joined) }
}

fn telephones(at: &At<'_>) -> Vec<String> {
    let telecoms = at.each("telecom");
    telecoms.iter().filter_map(|telecom| telecom.text("value")).map(str::to_owned).collect()
}

fn gp(record: &Record<'_>, number: usize) -> Option<String> {
    let at = record.at(number);
    let mut found: Option<String> = None;
    let practice = at.get("managingOrganization");
    for reference in at.each("generalPractitioner").iter().chain(&practice) {
        found = concept::joined(found, concept::who(record, number, reference));
    }
    found
}

fn pharmacy(record: &Record<'_>, number: usize) -> Option<String> {
    let at = record.at(number);
    let nominated = ["NominatedPharmacy", "PreferredDispenserOrganization"];
    nominated.into_iter().find_map(|name| {
        let reference = at.extension(name)?.get("valueReference")?;
        concept::who(record, number, &reference)
    })
}

fn deceased(at: &At<'_>) -> Deceased {
    if at.has("deceasedDateTime") {
        return Deceased::Yes(at.date("deceasedDateTime"));
    }
    match at.boolean("deceasedBoolean") {
        Some(true) => Deceased::Yes(None),
        Some(false) => Deceased::No,
        None => Deceased::NotSaid,
    }
}
