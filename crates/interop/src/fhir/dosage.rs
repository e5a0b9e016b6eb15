//! `Dosage`: the sender's words, and the coded dose beside them.

use serde_json::Value;

use super::at::At;
use super::concept;
use super::structure;
use crate::dose_syntax::{self, Conflict, Reading, StructuredDosage};

/// One dosage of an order as it was sent. The words are the instruction; codes are a proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedDosage {
    /// Where it stands in the file.
    pub place: String,
    /// `Dosage.sequence`: steps with different numbers follow each other. `None` when not sent.
    pub sequence: Option<String>,
    /// `Dosage.text`, verbatim. `None` when not sent.
    pub text: Option<String>,
    /// `Dosage.patientInstruction`, verbatim: it may hold the time of day.
    pub patient_instruction: Option<String>,
    /// `Dosage.additionalInstruction`, each in words.
    pub additional: Vec<String>,
    /// `Dosage.route` in words.
    pub route: Option<String>,
    /// `Dosage.site` in words.
    pub site: Option<String>,
    /// `Dosage.method` in words.
    pub method: Option<String>,
    /// What was read for this medicine from the words, or from the codes where there are no words;
    /// `None` without both.
    pub reading: Option<Reading>,
    /// The coded dose and times; `None` when only words were sent.
    pub structured: Option<StructuredDosage>,
    /// Where the words and the codes do not mean the same.
    pub conflicts: Vec<Conflict>,
    /// The rest of the dosage as it was sent: timing, dose, limits, extensions.
    pub kept: Value,
}

impl ProposedDosage {
    /// Returns all the sender's words of this dosage: they are read together, because an
    /// instruction to the patient can change the time of day.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = String::new();
        let parts = self.text.iter().chain(&self.patient_instruction).chain(&self.additional);
        for part in parts.map(|part| part.trim()) {
            if part.is_empty() || part == words {
                continue;
            }
            if words.ends_with(|c: char| c.is_alphanumeric() || c == ')') {
                words.push('.');
            }
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(part);
        }
        words
    }

    /// Reads the words for a medicine and compares them with the codes.
    pub(crate) fn understand(&mut self, medicine: &str) {
        let words = self.words();
        let Some(structured) = &self.structured else {
            self.reading = (!words.is_empty()).then(|| dose_syntax::read_for(&words, medicine));
            return;
        };
        // Without words the codes are all there is.
        let reading = if words.is_empty() {
            structured.reading().checked_against(medicine)
        } else {
            dose_syntax::read_for(&words, medicine)
        };
        self.conflicts = dose_syntax::compare(&reading, structured, medicine);
        self.reading = Some(reading);
    }
}

/// Returns the words of all parts of a direction.
pub(crate) fn words(dosages: &[ProposedDosage]) -> String {
    let words: Vec<String> = dosages.iter().map(ProposedDosage::words).collect();
    words.join("; ")
}

/// Reads the dosages in the list `name` of a resource, in the order of their `sequence`.
pub(crate) fn read(at: &At<'_>, name: &str) -> Vec<ProposedDosage> {
    let mut dosages: Vec<_> = at.each(name).iter().map(one).collect();
    let step = |d: &ProposedDosage| d.sequence.as_deref().and_then(|s| s.parse::<u32>().ok());
    dosages.sort_by_key(|dosage| step(dosage).unwrap_or_default());
    dosages
}

const READ: &[&str] =
    &["sequence", "text", "patientInstruction", "additionalInstruction", "route", "site", "method"];

fn one(at: &At<'_>) -> ProposedDosage {
    let words = |name: &str| at.get(name).as_ref().and_then(concept::words);
    ProposedDosage {
        place: at.path.clone(),
        sequence: at.number("sequence"),
        text: at.text("text").map(str::to_owned),
        patient_instruction: at.text("patientInstruction").map(str::to_owned),
        additional: at.each("additionalInstruction").iter().filter_map(concept::words).collect(),
        route: words("route"),
        site: words("site"),
        method: words("method"),
        reading: None,
        structured: structure::read(at),
        conflicts: Vec::new(),
        kept: at.rest(READ),
    }
}
