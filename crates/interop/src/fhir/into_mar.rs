//! From what was sent to the types of the record: what a person is asked to confirm.

use chrono::NaiveTime;
use mar::medicine::{CdCategory, Medicine};
use mar::order::{Grade, Proposal};
use mar::resident::{Allergies, Allergy, AllergyKind, ExternalId, Identity};
use mar::settings::Round;
use mar::time::{Timestamp, Tz, at_civil};

use super::medicine;
use super::proposal::{
    AllergyState, Flag, ProposedAllergy, ProposedOrder, ProposedResident, SentDate, SentNhsNumber,
};
use crate::dose_syntax::Start;

impl ProposedResident {
    /// Returns who the resident is, as far as the file says. Room and unit are the home's to add.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let name = self.names.first().cloned().unwrap_or_default();
        // A name that was sent in one piece is not cut up by guess.
        let whole =
            if name.given.is_empty() { name.text.unwrap_or_default() } else { String::new() };
        let family = if name.family.is_empty() { whole } else { name.family };
        let mut identity = Identity::named(&family, &name.given);
        identity.title = (!name.title.is_empty()).then_some(name.title);
        identity.born = self.born.as_ref().and_then(|born| born.day);
        match &self.nhs_number {
            SentNhsNumber::Missing => {}
            SentNhsNumber::Valid(number) => identity.nhs_number = Some(*number),
            SentNhsNumber::Doubtful { as_sent, fault } => {
                identity.no_nhs_number = Some(format!("sent as `{as_sent}`: {fault}"));
            }
        }
        identity.gp = self.gp.clone().unwrap_or_default();
        identity.pharmacy = self.pharmacy.clone().unwrap_or_default();
        identity.external.clone_from(&self.identifiers);
        identity
    }

    /// Returns what the file says of allergies. What was not recorded is *not asked*: the
    /// home asks, and never shows it as "none".
    #[must_use]
    pub fn known_allergies(&self) -> Allergies {
        match &self.allergies.state {
            AllergyState::Listed => {
                Allergies::Recorded(self.allergies.listed.iter().map(allergy).collect())
            }
            AllergyState::NoneKnown { as_sent, on } => Allergies::NoneKnown {
                by: format!("imported: {as_sent}"),
                on: on.as_ref().and_then(|date| date.day),
            },
            AllergyState::NotRecorded { .. }
            | AllergyState::NotAsked
            | AllergyState::NothingSent => Allergies::NotAsked,
        }
    }
}

fn allergy(sent: &ProposedAllergy) -> Allergy {
    let words: Vec<&str> = sent.reactions.iter().chain(&sent.notes).map(String::as_str).collect();
    let code = sent.codes.iter().find(|code| medicine::is_snomed(code) && !sent.degraded);
    Allergy {
        substance: sent.substance.clone(),
        code: code.map(|code| code.code.clone()),
        reaction: (!words.is_empty()).then(|| words.join("; ")),
        kind: match sent.kind.as_deref() {
            Some("allergy") => Some(AllergyKind::Allergy),
            Some("intolerance") => Some(AllergyKind::Intolerance),
            Some(_) | None => None,
        },
    }
}

impl ProposedOrder {
    /// Returns the proposal that a person confirms. `rounds` are the home's; `start` is from when
    /// on the home would give it.
    #[must_use]
    pub fn proposal(&self, rounds: &[Round], zone: Tz, start: &Start) -> Proposal {
        let grade = self.grade();
        let name = &self.medicine.name;
        // A step of several, or words that something contradicts, is no order by itself.
        let reading = match self.dosages.as_slice() {
            [dosage] if grade != Grade::Refused => dosage.reading.as_ref(),
            _ => None,
        };
        let at = |date: &SentDate| {
            let midnight = |day| at_civil(zone, day, NaiveTime::MIN);
            Timestamp::from_rfc3339(&date.as_sent).or_else(|| date.day.map(midnight))
        };
        let words = self.dosages.iter().map(|dosage| dosage.words());
        Proposal {
            medicine: self.ordered_medicine(),
            words: words.chain(self.other_directions.iter().cloned()).collect(),
            grade,
            remarks: self.remarks(),
            dose: reading.and_then(|reading| reading.dose_for(name)),
            schedule: reading.and_then(|reading| reading.schedule_for(rounds, start, name)),
            route: self.dosages.iter().find_map(|dosage| dosage.route.clone()),
            start: self.start.as_ref().and_then(at),
            last_issued: self.last_issue.as_ref().and_then(at),
            external: self.external(),
        }
    }

    /// Returns how far the directions may be taken over: the worst of all that bears on them.
    #[must_use]
    pub fn grade(&self) -> Grade {
        let hard = [
            Flag::DirectionsDiffer,
            Flag::WordsAndCodesDisagree,
            Flag::MeaningMayChange,
            Flag::NoDirections,
        ];
        if self.dosages.len() != 1 || hard.iter().any(|flag| self.flags.contains(flag)) {
            return Grade::Refused;
        }
        let read = self.dosages[0].reading.as_ref().map_or(Grade::Refused, |reading| reading.grade);
        let soft = [Flag::HasNotes, Flag::LabelDiffers, Flag::CodesOnly, Flag::CodesNotRead];
        if soft.iter().any(|flag| self.flags.contains(flag)) {
            read.max(Grade::Partial)
        } else {
            read
        }
    }

    /// Returns what a person should look at, in sentences.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> =
            self.flags.iter().map(|flag| flag.in_words().to_owned()).collect();
        if self.dosages.len() > 1 {
            let count = self.dosages.len();
            remarks.push(format!("the directions have {count} parts: write an order for each"));
        }
        for dosage in &self.dosages {
            let why = dosage.reading.iter().flat_map(|reading| &reading.why);
            remarks.extend(why.map(ToString::to_string));
            remarks.extend(dosage.conflicts.iter().map(ToString::to_string));
        }
        remarks.extend(self.labels.iter().map(|label| format!("the label says: {label}")));
        remarks.extend(self.notes.iter().map(|note| format!("the sender's note: {note}")));
        remarks
    }

    /// Returns the identifiers by which importing again finds this order, its [`key`] first.
    ///
    /// [`key`]: Self::key
    #[must_use]
    pub fn external(&self) -> Vec<ExternalId> {
        let own = ExternalId { system: "medround-import-key".to_owned(), value: self.key.clone() };
        let sent = self.identifiers.iter().map(|(_, identifier)| identifier.clone());
        std::iter::once(own).chain(sent).collect()
    }

    /// The medicine with its code only where the code can be trusted to name it. Its ingredients
    /// and its controlled-drug category are not sent: who confirms it takes them from dm+d.
    fn ordered_medicine(&self) -> Medicine {
        let doubtful = [Flag::CodeInvalid, Flag::NameAndCodeDisagree, Flag::Degraded];
        let trusted = !doubtful.iter().any(|flag| self.flags.contains(flag));
        let code = medicine::product_code(&self.medicine).filter(|_| trusted);
        Medicine {
            name: self.medicine.name.clone(),
            form: self.medicine.form.clone(),
            strength: None,
            dmd: code.map(str::to_owned),
            release: None,
            ingredients: Vec::new(),
            // Not sent, so not known: never none.
            cd: CdCategory::Unknown,
        }
    }
}

impl Flag {
    /// Returns the flag as a sentence for the person who confirms.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Unnamed => "the sender names no medicine",
            Self::Degraded => "the code names no product: it was lost in a transfer",
            Self::Uncoded => "no dm+d code, so nothing is checked automatically",
            Self::CodeInvalid => "a code of the medicine has a wrong check digit",
            Self::NameAndCodeDisagree => "the names of the medicine differ in drug or strength",
            Self::NotAMedicine => "it may be an appliance or a dressing and no medicine",
            Self::NoDirections => "the sender gives no directions",
            Self::CodesOnly => "the sender gives codes and no words",
            Self::CodesNotRead => "a part of the coded dose was not understood",
            Self::HasNotes => "read the sender's notes with the directions",
            Self::LabelDiffers => "the label has other words: do they mean the same?",
            Self::DirectionsDiffer => "the sender gives different directions in two places",
            Self::WordsAndCodesDisagree => "the words and the coded dose do not say the same",
            Self::MeaningMayChange => "the sender adds something that may change the meaning",
            Self::StatusUnclear => "the sender does not say whether it is in use",
            Self::StatusesDiffer => "the sender's statement and plan have different statuses",
            Self::EndPassed => "it is called active, but its end has passed",
            Self::OldStart => "it started more than a year ago",
            Self::NoRecentIssue => "it was not issued in the last twelve weeks",
            Self::Acute => "it is a short course",
            Self::SameMedicineTwice => "another active order has the same medicine",
            Self::IssueOnly => "only an issue of it was sent, not the order itself",
            Self::PersonNotInFile => "the person is not in the file",
        }
    }
}
