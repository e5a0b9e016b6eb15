//! FHIR records of GPs, hospitals and pharmacies, read into proposals.
//!
//! Read are GP Connect structured records (STU3) and UK Core, EPS and other R4 resources, in
//! JSON and in XML; R5 is refused. A file is read whole or not at all. What a file says but is
//! not taken stands in [`Import::skipped`]; what a person should know in [`Import::warnings`].
//!
//! What is proposed keeps the sender's words and identifiers. Nothing is guessed: a missing name,
//! person or dose stays missing and is flagged, and no two medicines are joined by their code.
//!
//! FHIR's names (Patient, MedicationStatement) stop here; outside it is residents and orders.

mod allergy;
mod at;
mod concept;
mod dosage;
mod flags;
mod into_mar;
mod letters;
mod medicine;
mod order;
mod others;
mod person;
mod proposal;
mod record;
mod refused;
mod structure;
mod tree;
mod xml;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::Value;

pub use dosage::ProposedDosage;
pub use person::is_nhs_number;
pub use proposal::{
    AllergyState, Code, Course, Deceased, Flag, Import, Notice, Origin, ProposedAllergies,
    ProposedAllergy, ProposedMedicine, ProposedOrder, ProposedResident, Release, SentDate,
    SentName, SentNhsNumber, Skipped, Status,
};
pub use refused::{Place, Refused, Why};
pub use tree::{BYTES_MAX, DEPTH_MAX, ELEMENTS_MAX, Syntax};

/// Returns what the file proposes. `file` is its name in messages; `today` decides what is old.
///
/// The same bytes on the same day give the same proposals in the same order.
///
/// # Errors
/// When the file is not well-formed, too large, or not a FHIR STU3 or R4 resource. Nothing of it
/// is taken then.
pub fn read(file: &str, bytes: &[u8], today: NaiveDate) -> Result<Import, Refused> {
    let refuse = |(place, why)| Refused { file: file.to_owned(), place, why };
    let mut tree = tree::read(bytes).map_err(refuse)?;
    let notices = at::Notices::default();
    letters::clean(&mut tree.root, &notices);
    let Value::Object(root) = &tree.root else {
        let expected = "one FHIR resource";
        let found = "another value".to_owned();
        return Err(refuse((tree.root_place, Why::NotFhir { expected, found })));
    };
    let mut record = record::Record::gather(root, &tree.root_place, &notices).map_err(refuse)?;
    let mut people = person::People::read(&record);
    allergy::read(&mut record, &mut people);
    order::read(&mut record, &mut people, today);
    let listed = order::read_lists(&record);
    let others = others::read(&record);
    record.skip(others);
    let release = others::release(&record);
    let skipped = record.into_skipped();
    let mut warnings = notices.into_inner();
    warnings.extend(listed);
    let mut seen = BTreeSet::new();
    warnings.retain(|warning| seen.insert((warning.place.clone(), warning.text.clone())));
    Ok(Import { syntax: tree.syntax, release, residents: people.residents, skipped, warnings })
}
