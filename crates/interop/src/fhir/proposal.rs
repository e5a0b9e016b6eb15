//! What a file proposes. Nothing here is in the record: a person confirms each proposal and a
//! second person checks it (O-02, W-09).

use chrono::NaiveDate;
use mar::resident::{ExternalId, NhsNumber, NhsNumberFault};
use serde_json::Value;

use super::tree::Syntax;

/// What one file proposes, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// What the file is written in.
    pub syntax: Syntax,
    /// The FHIR release it looks like; a file may hold both layouts and both are read.
    pub release: Release,
    /// Everybody the file says something about.
    pub residents: Vec<ProposedResident>,
    /// What was not taken.
    pub skipped: Vec<Skipped>,
    /// What a person should know about what was taken.
    pub warnings: Vec<Notice>,
}

impl Import {
    /// Returns how many orders are proposed, whatever their status.
    #[must_use]
    pub fn order_count(&self) -> usize {
        self.residents.iter().map(|resident| resident.orders.len()).sum()
    }

    /// Returns how many allergies are proposed, ended ones included.
    #[must_use]
    pub fn allergy_count(&self) -> usize {
        let count = |resident: &ProposedResident| {
            resident.allergies.listed.len() + resident.allergies.apart.len()
        };
        self.residents.iter().map(count).sum()
    }
}

/// The FHIR release whose layout a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// STU3: GP Connect.
    Stu3,
    /// R4: UK Core, EPS.
    R4,
}

/// One part of a file that was not taken. Shown to the person who imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it stands, such as `Bundle.entry[3].resource`.
    pub place: String,
    /// What it is.
    pub what: String,
    /// Why it was not taken, in words.
    pub why: String,
}

/// Something a person should know about what was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Where it stands.
    pub place: String,
    /// What it is, in words.
    pub text: String,
}

impl Skipped {
    pub(crate) fn new(place: &str, what: &str, why: &str) -> Self {
        Self { place: place.to_owned(), what: what.to_owned(), why: why.to_owned() }
    }
}

/// A date as it was sent: a day, a month, a year or an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentDate {
    /// The sender's text.
    pub as_sent: String,
    /// The day, as written there and not moved to another zone; `None` when the text names none.
    pub day: Option<NaiveDate>,
}

/// A person the file says something about.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedResident {
    /// Where the person stands in the file.
    pub place: String,
    /// Whether the file holds the person, or only names them (`subject`).
    pub in_file: bool,
    /// The sender's identifiers for the person. By these, importing again finds the same resident;
    /// a name and a date of birth are still confirmed by a person.
    pub identifiers: Vec<ExternalId>,
    /// Names, the one to use first. FHIR `Patient.name`.
    pub names: Vec<SentName>,
    /// `Patient.birthDate`; `None` when not sent.
    pub born: Option<SentDate>,
    /// The NHS number.
    pub nhs_number: SentNhsNumber,
    /// `Patient.gender`, the sender's word.
    pub gender: Option<String>,
    /// `Patient.address`, each in one line.
    pub addresses: Vec<String>,
    /// `Patient.telecom`, values only.
    pub telephones: Vec<String>,
    /// GP and practice in words. FHIR `Patient.generalPractitioner`, `.managingOrganization`.
    pub gp: Option<String>,
    /// The nominated pharmacy in words.
    pub pharmacy: Option<String>,
    /// Whether the person has died.
    pub deceased: Deceased,
    /// What is said of allergies.
    pub allergies: ProposedAllergies,
    /// Medicines, each once.
    pub orders: Vec<ProposedOrder>,
    /// Elements of `Patient` that are not read, kept for export.
    pub kept: Value,
}

impl ProposedResident {
    /// Returns the medicines the sender calls current.
    pub fn active(&self) -> impl Iterator<Item = &ProposedOrder> {
        self.orders.iter().filter(|order| order.status == Status::Active)
    }

    /// Returns the name to show; `None` when the file names nobody.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.names.first().map(SentName::in_words)
    }
}

/// A name as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentName {
    /// `official`, `usual`, `old` …; `None` when not said.
    pub usage: Option<String>,
    /// The whole name as the sender writes it; `None` when only its parts were sent.
    pub text: Option<String>,
    /// The family name; empty when not sent.
    pub family: String,
    /// The given names, with a space between; empty when not sent.
    pub given: String,
    /// Mrs, Mr, Dr …; empty when not sent.
    pub title: String,
}

impl SentName {
    /// Returns the name in the order it is spoken: title, given, family.
    #[must_use]
    pub fn in_words(&self) -> String {
        let parts: Vec<&str> = [&self.title, &self.given, &self.family]
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        if parts.is_empty() { self.text.clone().unwrap_or_default() } else { parts.join(" ") }
    }
}

/// An NHS number as it was sent: a wrong one is shown and never rejects the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentNhsNumber {
    /// None was sent.
    Missing,
    /// Its check digit is right.
    Valid(NhsNumber),
    /// It is not an NHS number.
    Doubtful {
        /// What was sent.
        as_sent: String,
        /// What is wrong with it.
        fault: NhsNumberFault,
    },
}

/// Whether the person has died. FHIR `Patient.deceased[x]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deceased {
    /// The sender does not say.
    NotSaid,
    /// The sender says the person lives.
    No,
    /// The person has died.
    Yes(Option<SentDate>),
}

/// What a file says of one person's allergies.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedAllergies {
    /// What it comes to.
    pub state: AllergyState,
    /// Allergies that hold.
    pub listed: Vec<ProposedAllergy>,
    /// Ended, resolved or refuted ones: shown apart, never as a current allergy.
    pub apart: Vec<ProposedAllergy>,
}

/// "None known", "not recorded" and "not asked" are three different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllergyState {
    /// At least one is listed.
    Listed,
    /// Somebody recorded that none is known; the sender's words, such as "No known drug allergy".
    NoneKnown {
        /// The sender's words.
        as_sent: String,
        /// When it was recorded; `None` when not said.
        on: Option<SentDate>,
    },
    /// The sender's list is there and has no content; why, in the sender's words.
    NotRecorded {
        /// The sender's words.
        as_sent: String,
    },
    /// The sender says that nobody asked.
    NotAsked,
    /// The file has neither allergies nor a list of them.
    NothingSent,
}

/// One allergy or intolerance as it was sent. FHIR `AllergyIntolerance`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedAllergy {
    /// Where it stands in the file.
    pub place: String,
    /// The sender's identifiers.
    pub identifiers: Vec<ExternalId>,
    /// The substance or finding as sent (`code`); empty when the sender named none.
    pub substance: String,
    /// Its codes.
    pub codes: Vec<Code>,
    /// The code says only that something was lost in a transfer; the words are all there is.
    pub degraded: bool,
    /// `allergy` or `intolerance`; `None` when not said.
    pub kind: Option<String>,
    /// `medication`, `food`, `environment`, `biologic`.
    pub categories: Vec<String>,
    /// `low`, `high`, `unable-to-assess`; `None` when not said.
    pub criticality: Option<String>,
    /// `active`, `inactive`, `resolved`; `None` when not said.
    pub clinical_status: Option<String>,
    /// `unconfirmed`, `confirmed`, `refuted`; `None` when not said.
    pub verification: Option<String>,
    /// What happened, with its severity; empty when not said, which is shown.
    pub reactions: Vec<String>,
    /// The sender's notes, verbatim.
    pub notes: Vec<String>,
    /// `assertedDate` or `recordedDate`.
    pub recorded: Option<SentDate>,
    /// When and why it ended.
    pub ended: Option<String>,
    /// Elements that are not read, kept for export.
    pub kept: Value,
}

/// A code with the name the sender gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The code system's address; empty when not sent.
    pub system: String,
    /// The code; empty when not sent.
    pub code: String,
    /// The sender's name for it; `None` when not sent.
    pub display: Option<String>,
}

/// One medicine, once, however many statements, plans and issues say it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedOrder {
    /// Where it stands in the file.
    pub place: String,
    /// The name by which importing again finds the same medicine: from the sender's identifiers,
    /// never from a drug code. Unique within the resident of a file. Senders do use one
    /// identifier for two prescriptions, so the same key with other content is a change to be
    /// shown, and never "nothing new".
    pub key: String,
    /// All the sender's identifiers, and what each names.
    pub identifiers: Vec<(Origin, ExternalId)>,
    /// What kind of resource proposes it.
    pub origin: Origin,
    /// It says that it is based on another that is not in the file.
    pub based_on_missing: bool,
    /// What is given.
    pub medicine: ProposedMedicine,
    /// How it is given, a step or a part each. Empty when the sender gave no directions.
    pub dosages: Vec<super::dosage::ProposedDosage>,
    /// Directions of the plan that differ from those of the statement, verbatim.
    pub other_directions: Vec<String>,
    /// Directions of its dispensings where they are in other words: what the label says.
    pub labels: Vec<String>,
    /// Notes of the sender, verbatim, in the order of the file and each once.
    pub notes: Vec<String>,
    /// The sender's status.
    pub status: Status,
    /// The sender's word for it; empty when none was sent.
    pub status_as_sent: String,
    /// The status of the plan that a statement is based on; `None` without both.
    pub plan_status: Option<Status>,
    /// Acute, repeat or repeat dispensing.
    pub course: Course,
    /// From when on.
    pub start: Option<SentDate>,
    /// Until when; `None` is "not said".
    pub end: Option<SentDate>,
    /// When it was last issued.
    pub last_issue: Option<SentDate>,
    /// How many issues and dispensings the file holds.
    pub issues: usize,
    /// When the prescriber's authorisation ends and it is to be reviewed.
    pub review: Option<SentDate>,
    /// Who prescribed it, in words.
    pub prescriber: Option<String>,
    /// The quantity of one issue in words: `28 tablet`.
    pub quantity: Option<String>,
    /// What it is for, in the sender's words.
    pub reasons: Vec<String>,
    /// What a person must look at before confirming, in the order of [`Flag`].
    pub flags: Vec<Flag>,
    /// Elements that are not read, by resource, kept for export.
    pub kept: Value,
}

/// The kind of resource that something comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// `MedicationStatement`.
    Statement,
    /// `MedicationRequest` with intent `plan`, or the one that others are based on.
    Plan,
    /// Another `MedicationRequest`.
    Request,
    /// `MedicationDispense`.
    Dispense,
}

/// A medicine as it was sent. Matching it to dm+d is for a person (O-01, O-13).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProposedMedicine {
    /// The name to show, verbatim; empty when the sender named none.
    pub name: String,
    /// All codes and their names, verbatim and in order.
    pub codes: Vec<Code>,
    /// The code names no product: it says that one was lost in a transfer, or just "medicine".
    pub degraded: bool,
    /// The dose form in words; `None` when not sent.
    pub form: Option<String>,
    /// Ingredients in words, with their strength; empty when not sent.
    pub ingredients: Vec<String>,
}

/// What the sender says of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Active,
    /// Interrupted.
    OnHold,
    /// Came to its end.
    Completed,
    /// Stopped before its end.
    Stopped,
    /// Withdrawn.
    Cancelled,
    /// Not yet in use: a draft or an intention.
    NotYet,
    /// The sender says it is not taken.
    NotTaken,
    /// All that is said is that it was dispensed.
    Dispensed,
    /// Not said, or a word that is not known here.
    Unknown,
}

/// What kind of course it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// A short course.
    Acute,
    /// On repeat.
    Repeat,
    /// Repeat dispensing.
    RepeatDispensing,
    /// Another word of the sender's.
    Other(String),
    /// Not said.
    NotSaid,
}

/// What a person must look at before confirming an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// The sender named no medicine.
    Unnamed,
    /// The code names no product.
    Degraded,
    /// No SNOMED CT or dm+d code: no automatic checks (O-13).
    Uncoded,
    /// A code fails its own check digit.
    CodeInvalid,
    /// Two names of the same medicine differ in drug or strength.
    NameAndCodeDisagree,
    /// It looks like a dressing, a test strip or an appliance.
    NotAMedicine,
    /// No directions.
    NoDirections,
    /// A coded dose, and no words to show beside it.
    CodesOnly,
    /// A part of the coded dose is not understood.
    CodesNotRead,
    /// The sender's notes must be read with the directions.
    HasNotes,
    /// The label of a dispensing has other words: do they mean the same (W-09)?
    LabelDiffers,
    /// Statement and plan give different directions.
    DirectionsDiffer,
    /// The words and the coded dose do not mean the same.
    WordsAndCodesDisagree,
    /// An extension that may change the meaning is not understood (`modifierExtension`).
    MeaningMayChange,
    /// The status is missing or not known.
    StatusUnclear,
    /// Statement and plan have different statuses.
    StatusesDiffer,
    /// Active, and its end lies before the day of the import.
    EndPassed,
    /// Active, started more than a year before, and not a repeat that is still issued.
    OldStart,
    /// Active, and not issued within twelve weeks, or never.
    NoRecentIssue,
    /// Active, though a short course.
    Acute,
    /// Another active medicine of this person has the same name or code.
    SameMedicineTwice,
    /// Only an issue or a dispensing is in the file, not the order itself.
    IssueOnly,
    /// The person is not in the file.
    PersonNotInFile,
}
