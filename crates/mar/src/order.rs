//! Orders: the prescribed medicine and dose, in versions; what the sender wrote; what was supplied.

use crate::ids::{OrderId, SupplyId, VersionId};
use crate::medicine::Medicine;
use crate::quantity::{Amount, Quantity, Unit};
use crate::resident::ExternalId;
use crate::schedule::Schedule;
use crate::time::{Minutes, Timestamp};

/// What an order says, all of it: a change of any part is a new version (O-03).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What is given.
    pub medicine: Medicine,
    /// By which route, in words: `oral`.
    pub route: String,
    /// How much each time.
    pub dose: Dose,
    /// What it is for; required when it is given when required (O-01).
    pub indication: Option<String>,
    /// Food or special instruction in words; `None` is "none stated".
    pub instruction: Option<String>,
    /// When.
    pub schedule: Schedule,
    /// From when on; slots before it do not exist (S-09).
    pub start: Timestamp,
    /// Until when; `None` is "until stopped".
    pub stop: Option<Timestamp>,
    /// How many doses the course has; it ends on the count (W-11). `None` for no course.
    pub course_doses: Option<u32>,
    /// Where it was taken from.
    pub source: Source,
    /// The words of the label or of the sender, verbatim (O-05).
    pub label: Option<String>,
    /// The shortest gap between two doses of a regular order (W-01, D-07). `None` for none stated.
    pub min_gap: Option<Minutes>,
    /// Flags that change how it is given.
    pub flags: Flags,
    /// The group whose limits this order shares; `None` is "by ingredient" (design, section 3).
    pub limit_group: Option<String>,
}

impl Content {
    /// Returns the when-required part; `None` for a regular order.
    #[must_use]
    pub const fn prn(&self) -> Option<&Prn> {
        match &self.schedule {
            Schedule::WhenRequired(prn) => Some(prn),
            Schedule::Times { .. }
            | Schedule::Rounds { .. }
            | Schedule::EveryDays { .. }
            | Schedule::EveryWeeks { .. }
            | Schedule::EveryHours { .. }
            | Schedule::Once { .. } => None,
        }
    }
}

/// Flags of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Given within 30 minutes of its time (W-02, X-08).
    pub time_critical: bool,
    /// A rescue medicine: nothing holds it up (W-05).
    pub rescue: bool,
    /// A cream or the like, which topical carers may record.
    pub topical: bool,
    /// An anticoagulant.
    pub anticoagulant: bool,
    /// An insulin.
    pub insulin: bool,
}

/// How much is given each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dose {
    /// Always this.
    Fixed(Amount),
    /// Between these, both included; what was given is recorded (S-08).
    Range {
        /// The least.
        from: Quantity,
        /// The most.
        to: Quantity,
        /// The unit of both.
        unit: Unit,
    },
}

impl Dose {
    /// Returns the unit.
    #[must_use]
    pub const fn unit(&self) -> &Unit {
        match self {
            Self::Fixed(amount) => &amount.unit,
            Self::Range { unit, .. } => unit,
        }
    }

    /// Returns the largest amount that is as prescribed.
    #[must_use]
    pub fn most(&self) -> Amount {
        match self {
            Self::Fixed(amount) => amount.clone(),
            Self::Range { to, unit, .. } => Amount { value: *to, unit: unit.clone() },
        }
    }

    /// Returns the smallest amount that is as prescribed.
    #[must_use]
    pub fn least(&self) -> Amount {
        match self {
            Self::Fixed(amount) => amount.clone(),
            Self::Range { from, unit, .. } => Amount { value: *from, unit: unit.clone() },
        }
    }
}

/// Where an order was taken from (O-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The pharmacy's label.
    Label,
    /// A discharge letter.
    DischargeLetter,
    /// A prescriber's message or prescription.
    PrescriberMessage,
    /// The GP's record, by import.
    GpRecord,
    /// A clinician's spoken instruction (W-06).
    Spoken,
}

/// What is stated about a limit of a when-required order (W-06).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stated<T> {
    /// The prescriber stated it.
    As(T),
    /// Nobody stated it; who was asked and when, in words.
    NotStated {
        /// "asked on …".
        asked: String,
    },
}

impl<T> Stated<T> {
    /// Returns what was stated; `None` when nobody did.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::As(value) => Some(value),
            Self::NotStated { .. } => None,
        }
    }
}

/// The limits and the protocol of a when-required order (P-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prn {
    /// The shortest time between two doses.
    pub min_interval: Stated<Minutes>,
    /// The most in any rolling 24 hours, as an amount and never as a count (P-03).
    pub max_24h: Stated<Amount>,
    /// How to use it.
    pub protocol: Protocol,
}

/// A when-required protocol (P-01). Empty texts are shown as "not stated".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protocol {
    /// What it is for.
    pub what_for: String,
    /// Signs to look for, also in people who cannot say.
    pub signs: String,
    /// Whether the person can ask; `None` when nobody said.
    pub can_ask: Option<bool>,
    /// How to choose within a range.
    pub choose: String,
    /// What it should do.
    pub expected_effect: String,
    /// When to look for the effect, in minutes after the dose; `None` is the home's default (60, P-07).
    pub check_after: Option<Minutes>,
    /// What to try first.
    pub try_first: String,
    /// When to call the prescriber.
    pub call_prescriber_when: String,
    /// When it is reviewed, in words or as a date.
    pub review: String,
}

/// A when-required effect is looked for after this long unless the protocol says otherwise (P-07).
pub const EFFECT_CHECK_DEFAULT: Minutes = Minutes(60);

/// One version of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The order.
    pub order: OrderId,
    /// This version of it.
    pub id: VersionId,
    /// What it says.
    pub content: Content,
    /// What the directions reader made of the sender's words and what the writer ticked:
    /// `None` when no sender's words stand beside ours (O-05).
    pub same_meaning: Option<SameMeaning>,
    /// What was decided with the prescriber about an allergy that matches, in words: a standing
    /// notice from then on (O-09, W-08). `None` for none.
    pub allergy_decided: Option<String>,
    /// Why the same medicine is meant to stand in other orders too (O-08); `None` for none.
    pub intended: Option<Intended>,
}

/// The same medicine in several orders of one resident, and why that is meant (O-08).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intended {
    /// The other orders.
    pub with: Vec<OrderId>,
    /// Why, in the writer's words.
    pub reason: String,
}

/// What directions in words were read as. Parts that were not read are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AsRead {
    /// How much each time.
    pub dose: Option<Dose>,
    /// When.
    pub schedule: Option<Schedule>,
}

/// The writer's answer to "do label and directions mean the same?" (O-05, W-09).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SameMeaning {
    /// They do.
    Same,
    /// They differ, and how, in the writer's words.
    Differs(String),
}

/// An imported order before anybody confirmed it (design, section 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The medicine as sent.
    pub medicine: Medicine,
    /// The sender's words for the directions, verbatim, one line each.
    pub words: Vec<String>,
    /// What the reader made of them: `clear`, `partial` or `refused`, with its reasons.
    pub grade: Grade,
    /// Why it is not clear, and what a person should look at, in words.
    pub remarks: Vec<String>,
    /// The dose that was read; `None` when none was.
    pub dose: Option<Dose>,
    /// The schedule that was read; `None` when none was.
    pub schedule: Option<Schedule>,
    /// Route in the sender's words; `None` when not told.
    pub route: Option<String>,
    /// Start as sent; `None` when not told.
    pub start: Option<Timestamp>,
    /// When it was last issued; `None` when not told.
    pub last_issued: Option<Timestamp>,
    /// The sender's identifiers: importing again finds the same order by them.
    pub external: Vec<ExternalId>,
}

impl Proposal {
    /// Returns what was read from the sender's words.
    #[must_use]
    pub fn reading(&self) -> AsRead {
        AsRead { dose: self.dose.clone(), schedule: self.schedule.clone() }
    }
}

/// How far the directions were understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// All words were understood and nothing contradicts.
    Clear,
    /// Something was understood and something was not.
    Partial,
    /// Nothing may be proposed.
    Refused,
}

/// What the pharmacy supplied under an order (W-10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    /// This supply.
    pub id: SupplyId,
    /// The order it hangs under.
    pub order: OrderId,
    /// The product as on the pack: brand and strength.
    pub product: String,
    /// Its dm+d code; `None` when not known.
    pub dmd: Option<String>,
    /// The pack in words: `box of 28`, `pod`.
    pub pack: String,
    /// How much came; `None` when uncounted.
    pub quantity: Option<Amount>,
    /// The "looks different" notice; empty for none.
    pub notice: String,
    /// When it came.
    pub received: Timestamp,
}

/// The states of an order as the command line and the screens name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Imported; nobody confirmed it.
    Proposal,
    /// Written by one person; waits for another's check (O-02).
    AwaitingSecondCheck,
    /// May be given.
    Active,
    /// Held on advice (O-12).
    Held,
    /// Stopped (O-11).
    Stopped,
    /// A proposal or draft that was turned down.
    Rejected,
}

impl State {
    /// Returns the state's word on the command line: `awaiting-second-check`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proposal => "proposal",
            Self::AwaitingSecondCheck => "awaiting-second-check",
            Self::Active => "active",
            Self::Held => "held",
            Self::Stopped => "stopped",
            Self::Rejected => "rejected",
        }
    }

    /// Returns the state as a person reads it: "awaiting its second check".
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Proposal => "imported, not confirmed",
            Self::AwaitingSecondCheck => "awaiting its second check",
            Self::Active => "active",
            Self::Held => "held",
            Self::Stopped => "stopped",
            Self::Rejected => "turned down",
        }
    }
}
