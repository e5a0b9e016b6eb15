//! What stands on a MAR chart, as plain data.
//!
//! Everything here is already decided: what is due, what counts, which letter stands for what,
//! which words name a dose. `print` places it on paper and works nothing out; dates are the only
//! thing it words, because T-05 fixes how they look on everything printed.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// One resident's MAR chart for one cycle (C1, C2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarSheet {
    /// The home, printed on every page.
    pub home: Home,
    /// Whose chart it is, printed on every page.
    pub resident: Resident,
    /// The days across the grid.
    pub cycle: Cycle,
    /// Which sheet this is, and what it knew when it was printed.
    pub provenance: Provenance,
    /// The key at the foot of each page, in the order in which it is printed.
    pub codes: Vec<CodeKey>,
    /// The medicines, in the order of the chart. Order versions are blocks of their own.
    pub blocks: Vec<Block>,
    /// Orders that nobody has confirmed or checked: printed apart, without a box to sign (W-22).
    pub waiting: Vec<WaitingOrder>,
    /// Changes to orders in this cycle, oldest first.
    pub changes: Vec<Change>,
    /// Everybody whose initials stand on the chart.
    pub signatures: Vec<Signatory>,
}

/// The home as every page names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The home's own name.
    pub name: String,
    /// Unit or floor; `None` when the home has none.
    pub unit: Option<String>,
    /// A practice home: PRACTICE is printed large on every page.
    pub practice: bool,
    /// Whom to call about a late or missed dose; `None` when the home has not said.
    pub late_dose_number: Option<String>,
    /// Whom to call out of hours; `None` when the home has not said.
    pub out_of_hours_number: Option<String>,
}

/// The resident as every page from which a dose is given or signed shows him (R-02, W-25, W-27).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Family name.
    pub surname: String,
    /// Given names.
    pub forenames: String,
    /// What the resident is called, where it differs.
    pub known_as: Option<String>,
    /// Mr, Mrs, Dr …
    pub title: Option<String>,
    /// Date of birth; `None` prints NOT RECORDED.
    pub born: Option<NaiveDate>,
    /// Age in years on the day of printing.
    pub age: Option<u16>,
    /// NHS number grouped 3-3-4; `None` prints NOT RECORDED.
    pub nhs_number: Option<String>,
    /// Room; `None` prints NOT RECORDED.
    pub room: Option<String>,
    /// The photograph, or that there is none.
    pub photograph: Photograph,
    /// What says that something written for the resident cannot be read, and so is missing from
    /// this paper: a black bar on every page; `None` when everything could be read (Y-11).
    pub unread: Option<String>,
    /// The similar-name notice in full.
    pub similar_name: Option<String>,
    /// Allergies, never blank.
    pub allergies: Allergies,
    /// Thickener level and how the resident swallows (W-27).
    pub swallowing: Option<String>,
    /// How medicines are taken.
    pub how_taken: Option<String>,
    /// The home's own sign for a covert plan; never the word itself (W-24).
    pub covert_symbol: Option<String>,
    /// Self-administration level.
    pub self_administration: Option<String>,
    /// Some medicine of this resident is time-critical.
    pub time_critical: bool,
    /// Weight with its unit and date, where the dose depends on it or the resident is frail.
    pub weight: Option<String>,
    /// GP's name, practice and telephone.
    pub gp: Option<String>,
    /// Supplying pharmacy and telephone.
    pub pharmacy: Option<String>,
}

/// A resident's photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Photograph {
    /// None is on record; the box says so.
    None,
    /// A JPEG file, baseline or progressive, grey or colour.
    Jpeg {
        /// The whole file.
        bytes: Vec<u8>,
        /// When it was taken.
        taken: NaiveDate,
    },
}

/// What is known of allergies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allergies {
    /// Not yet asked: prints ALLERGIES NOT RECORDED – CHECK BEFORE GIVING.
    NotRecorded,
    /// Asked, and there are none.
    NoneKnown {
        /// Who established it.
        by: String,
        /// When.
        on: NaiveDate,
    },
    /// What the resident reacts to.
    Recorded(Vec<Allergy>),
}

/// One allergy or intolerance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allergy {
    /// What it is to.
    pub substance: String,
    /// The kind of reaction; `None` prints "reaction not recorded".
    pub reaction: Option<String>,
    /// "allergy", "intolerance" (W-08); printed as given.
    pub kind: Option<String>,
}

/// The days of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle {
    /// The first day.
    pub start: NaiveDate,
    /// How many days: 28 on a MAR; 1 to 28 can be printed.
    pub days: u8,
}

/// A moment as a person in the home saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    /// The home's civil date.
    pub date: NaiveDate,
    /// The home's civil time.
    pub time: NaiveTime,
    /// `GMT` or `BST` (F-02, T-04).
    pub zone: String,
}

/// Which sheet this is and what stands behind it (F-02).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The sheet's own id, typed or scanned when it is entered later (F-05).
    pub sheet_id: String,
    /// The sheet this one replaces.
    pub replaces: Option<String>,
    /// Fingerprint of the log heads, as it is printed.
    pub fingerprint: String,
    /// When it was printed.
    pub printed_at: LocalTime,
    /// The same moment in UTC; it becomes the file's creation date.
    pub printed_utc: NaiveDateTime,
    /// Until when the data is complete; `None` prints NOT KNOWN.
    pub complete_to: Option<LocalTime>,
    /// Devices that were not heard, each with since when.
    pub unheard: Vec<String>,
    /// What says that something written for the whole home cannot be read: a black bar on every
    /// page; `None` when everything could be read (Y-11).
    pub unread: Option<String>,
    /// What speaks against the clock of the device that printed it, in words; `None` for nothing.
    pub clock_doubt: Option<String>,
}

/// One entry of the key of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeKey {
    /// The home's letters.
    pub code: String,
    /// The home's words.
    pub words: String,
}

/// One medicine on the chart: one version of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Name, form and strength.
    pub medicine: String,
    /// The brand, where it matters.
    pub brand: Option<String>,
    /// Our directions in words (O-05, O-06).
    pub directions: String,
    /// The sender's words beside ours.
    pub sender_words: Option<SenderWords>,
    /// Route in words.
    pub route: Option<String>,
    /// What it is for.
    pub indication: Option<String>,
    /// Label warnings.
    pub warnings: Vec<String>,
    /// `TIME-CRITICAL`, `WEEKLY – SUNDAY`, `CD`, `PRN`, … in the order to print.
    pub tags: Vec<String>,
    /// No automatic checks are made for it, because it has no code (O-13).
    pub no_automatic_checks: bool,
    /// First day.
    pub start: NaiveDate,
    /// Last day, if one is set.
    pub stop: Option<NaiveDate>,
    /// Review due.
    pub review: Option<NaiveDate>,
    /// Course and other facts for the person who gives: "day 4 of 7, 9 doses left" (O-14).
    pub notes: Vec<String>,
    /// Who prescribed it and what the order was taken from.
    pub source: String,
    /// The version of the order.
    pub version: u32,
    /// Who wrote the order up; `None` leaves a line to fill in.
    pub written_by: Option<String>,
    /// Who checked it; `None` leaves a line to fill in, "check owed" (O-02, W-09).
    pub checked_by: Option<String>,
    /// How it is supplied (pod, box) and what is owing (W-24).
    pub supply: Option<String>,
    /// What the block is now.
    pub standing: BlockStanding,
    /// The second person signs too: cells are split for two signatures (W-23).
    pub second_signature: bool,
    /// The amount is written with each dose: cells are split, amount over initials.
    pub amount_per_dose: bool,
    /// Balance carried forward, as printed; `None` leaves the box empty.
    pub carried_forward: Option<String>,
    /// The doses.
    pub doses: Doses,
    /// Everything told about these doses that a cell cannot hold, oldest first.
    pub records: Vec<Record>,
}

/// An order, or a new version of one, from which nothing may be given yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingOrder {
    /// Name, form and strength.
    pub medicine: String,
    /// The sender's words, unchanged, one paragraph each; empty when there are none.
    pub sent: Vec<String>,
    /// Our directions in words; `None` while nobody has written any.
    pub directions: Option<String>,
    /// Since when it waits, and who wrote it: "Sat 21 Nov 2026 08:00, written by KB".
    pub since: String,
    /// What is missing, in words.
    pub missing: String,
    /// An earlier version is given as the chart says until then.
    pub meanwhile: bool,
}

/// The directions as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderWords {
    /// Whose words they are: "Label", "GP record".
    pub from: String,
    /// The words, unchanged.
    pub words: String,
}

/// What an order version is at the time of printing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockStanding {
    /// In force.
    Active,
    /// Not to be given until somebody says so; the words say since when, by whom and why.
    Held(String),
    /// Nothing is given here while the resident is away: where, and since when in words.
    Away {
        /// Where: "IN HOSPITAL".
        whereabouts: String,
        /// Since when, and what else holds.
        words: String,
    },
    /// Replaced by a later version: ruled through, the words say by which and when.
    Superseded(String),
    /// Ended: ruled through, the words say when and by whom.
    Stopped(String),
}

/// The doses of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doses {
    /// At set times: one row a time.
    Scheduled(Vec<Row>),
    /// When required: one line a dose.
    WhenRequired(WhenRequired),
}

/// One time of day across the cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `08:00`, or the round's name and time.
    pub time: String,
    /// The amount at this time, where it differs between rows.
    pub amount: Option<String>,
    /// One cell a day, as many as the cycle has days.
    pub cells: Vec<Cell>,
}

/// One box of the grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing is due on this day: hatched.
    NotDue,
    /// The order had not begun: `X` (S-09).
    BeforeStart,
    /// The order had ended: ruled through.
    AfterEnd,
    /// Held: `/`.
    Held,
    /// Due: an empty box to sign.
    Due,
    /// Due, past its time, and nobody told what became of it: an empty box, ringed (D-03).
    Unrecorded,
    /// To be signed on another sheet, whose id is printed over the hatching (W-22).
    SignOn(String),
    /// What was told, at least one mark; more where two people told different things.
    Told(Vec<Mark>),
}

/// What stands in a box for one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark {
    /// The printed code, ringed (W-23); `None` for a dose given.
    pub code: Option<String>,
    /// Initials of the person who gave it.
    pub initials: Option<String>,
    /// Initials of the second person.
    pub witness: Option<String>,
    /// The amount given, where it is recorded with each dose.
    pub amount: Option<String>,
    /// Number of the note overleaf: a reason, a late entry, a correction, a conflict.
    pub note: Option<u32>,
}

/// A medicine given when required (C3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhenRequired {
    /// Least gap and most in 24 hours, in words, one a line.
    pub limits: Vec<String>,
    /// The rest of the protocol: signs to look for, how to choose the amount, when to call (P-01).
    pub protocol: Vec<String>,
    /// Last given, earliest next, left in 24 hours: as of the time of printing, one a line.
    pub at_printing: Vec<String>,
    /// The doses, oldest first.
    pub lines: Vec<PrnLine>,
}

/// One dose given, offered or refused when required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrnLine {
    /// The day.
    pub date: NaiveDate,
    /// The true time.
    pub time: NaiveTime,
    /// What was given, with its unit.
    pub amount: Option<String>,
    /// The printed code, ringed; `None` for a dose given.
    pub code: Option<String>,
    /// The reason or symptom, with its score, and what was tried first.
    pub reason: Option<String>,
    /// Initials.
    pub by: Option<String>,
    /// Initials of the second person.
    pub witness: Option<String>,
    /// Earliest next dose after this one.
    pub next_allowed: Option<String>,
    /// When the effect was looked at and what it was.
    pub effect: Option<String>,
    /// Number of the note overleaf.
    pub note: Option<u32>,
    /// Corrected since: ruled through.
    pub struck: bool,
}

/// One row overleaf (C2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The number printed in the cell or line it belongs to.
    pub note: Option<u32>,
    /// The day of the dose.
    pub date: NaiveDate,
    /// The slot's time, the true time, or both.
    pub time: String,
    /// The amount with its unit.
    pub dose: Option<String>,
    /// The printed code, ringed; `None` for a dose given.
    pub code: Option<String>,
    /// The words for the outcome.
    pub outcome: String,
    /// The reason given and what was done.
    pub reason: Option<String>,
    /// "LATE ENTRY, typed 14:20", "CORRECTED", "TWO DOSES": printed bold before the reason.
    pub badges: Vec<String>,
    /// Who gave or recorded it.
    pub by: Option<String>,
    /// The second person.
    pub witness: Option<String>,
    /// No longer counts: ruled through (D-13).
    pub struck: bool,
}

/// One line of the changes log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: LocalTime,
    /// What changed, naming the medicine.
    pub what: String,
    /// Who authorised it.
    pub authorised_by: Option<String>,
    /// Who wrote it.
    pub written_by: Option<String>,
    /// Who checked it; `None` leaves a box to sign.
    pub checked_by: Option<String>,
}

/// One person whose initials stand on the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatory {
    /// Full name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Initials as printed in the cells.
    pub initials: String,
}
