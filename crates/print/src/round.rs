//! What stands on a round list, as plain data.

use chrono::NaiveDate;

use crate::sheet::{CodeKey, Home, Provenance, Resident};

/// One round of one day, residents in the order of the trolley.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundSheet {
    /// The home, printed on every page.
    pub home: Home,
    /// The round's name: "Morning round".
    pub round: String,
    /// The day of the round.
    pub date: NaiveDate,
    /// From when until its cut-off: "07:00 to 10:30".
    pub window: String,
    /// Which sheet this is, and what it knew when it was printed.
    pub provenance: Provenance,
    /// The key at the foot of each page.
    pub codes: Vec<CodeKey>,
    /// Who has doses due, in the order of the trolley.
    pub residents: Vec<RoundResident>,
}

/// One resident's part of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundResident {
    /// The resident as every such page shows him.
    pub resident: Resident,
    /// What is due. Time-critical doses are printed first, otherwise in this order.
    pub doses: Vec<RoundDose>,
    /// Medicines given when required, each with last given and earliest next (P-08).
    pub when_required: Vec<String>,
    /// Orders that nobody has confirmed or checked: rows with nothing to sign, after the doses.
    pub waiting: Vec<RoundWaiting>,
    /// Doses of this round that are not to be given, because the order is held or the resident is
    /// away: rows with nothing to sign, after the doses.
    pub withheld: Vec<RoundWithheld>,
}

/// A dose of this round that is not to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundWithheld {
    /// When it would be due: "08:00".
    pub due: String,
    /// Name, form and strength.
    pub medicine: String,
    /// Why: "HELD", "IN HOSPITAL".
    pub why: String,
}

/// An order from which nothing may be given yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundWaiting {
    /// Name, form and strength.
    pub medicine: String,
    /// Since when it waits and what is missing, in words.
    pub words: String,
}

/// One dose due in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundDose {
    /// When it is due: "08:00".
    pub due: String,
    /// Its own window: "07:30 to 08:30".
    pub window: Option<String>,
    /// Name, form and strength.
    pub medicine: String,
    /// The amount with its unit: "TWO tablets".
    pub amount: String,
    /// Our directions in words, route and warnings included.
    pub directions: String,
    /// Printed before all others, with its own mark.
    pub time_critical: bool,
    /// `CD`, `WEEKLY – SUNDAY`, …; TIME-CRITICAL is added by itself.
    pub tags: Vec<String>,
    /// No automatic checks are made for it (O-13).
    pub no_automatic_checks: bool,
    /// The second person signs too.
    pub second_signature: bool,
    /// The amount given is written with the dose.
    pub amount_per_dose: bool,
}
