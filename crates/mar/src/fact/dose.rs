//! Facts about doses: popped, recorded, effect, correction.

use crate::ids::{AdministrationId, DeviceId, OrderId, StaffId, VersionId};
use crate::outcome::{Effect, Outcome};
use crate::quantity::Amount;
use crate::schedule::SlotId;
use crate::time::Timestamp;

/// Facts about doses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoseFact {
    /// A medicine was popped into the pot with its card on screen (W-03).
    Popped(Popped),
    /// An outcome was recorded.
    Recorded(OutcomeRecorded),
    /// What a when-required dose did (P-07).
    Effect(EffectRecorded),
    /// A record was wrong; the original stays (D-13).
    Corrected(Corrected),
}

impl DoseFact {
    /// Returns the instant under whose month the fact is filed: the true time of the dose, and for
    /// what comes later to a dose the same instant, so that all of one dose lies together.
    #[must_use]
    pub const fn filed_under(&self) -> Timestamp {
        match self {
            Self::Popped(popped) => popped.at,
            Self::Recorded(recorded) => recorded.recording.given_at,
            Self::Effect(effect) => effect.of.filed_under,
            Self::Corrected(corrected) => corrected.of.filed_under,
        }
    }

    /// Returns the order it is about.
    #[must_use]
    pub const fn order(&self) -> OrderId {
        match self {
            Self::Popped(popped) => popped.order,
            Self::Recorded(recorded) => recorded.order,
            Self::Effect(effect) => effect.of.order,
            Self::Corrected(corrected) => corrected.of.order,
        }
    }
}

/// A medicine in the pot; nothing is given until its outcome is recorded (D-02, W-03).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Popped {
    /// The order.
    pub order: OrderId,
    /// The slot; `None` for a when-required dose.
    pub slot: Option<SlotId>,
    /// How much was popped.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
}

/// One recorded outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRecorded {
    /// This administration.
    pub administration: AdministrationId,
    /// The order.
    pub order: OrderId,
    /// The version of it that was followed.
    pub version: VersionId,
    /// The slot; `None` for a when-required or other dose outside slots.
    pub slot: Option<SlotId>,
    /// What was recorded.
    pub recording: Recording,
    /// The when-required part; `None` for a regular dose.
    pub prn: Option<PrnNote>,
    /// Devices unheard at the time and what was asked (W-16); `None` when all were heard.
    pub gap: Option<Gap>,
    /// Safety prompts that were shown (W-12).
    pub prompts: Vec<Prompt>,
    /// Recorded although the slot has a dose already, or a limit stood in the way: it had really
    /// been given (D-06, H-01). Why stands in the recording's timing reason.
    pub second_dose_really: bool,
}

/// What was told about a dose: what a correction replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// What became of it.
    pub outcome: Outcome,
    /// How much was taken; `None` where nothing was.
    pub amount: Option<Amount>,
    /// The true time.
    pub given_at: Timestamp,
    /// Why, where the outcome asks for it; empty for none.
    pub reason: String,
    /// Readings taken before it (D-11).
    pub readings: Vec<Reading>,
    /// The site, for patches and injections; `None` for none.
    pub site: Option<u8>,
    /// Who gave it, when that is not the actor (D-12, D-14); `None` when it is.
    pub given_by: Option<StaffId>,
    /// The visiting professional who gave it (D-15).
    pub professional: Option<Professional>,
    /// Why it was entered late, early, out of its window or although a rule stood in the way; empty
    /// when it was not.
    pub timing_reason: String,
}

/// A reading before a dose: `pulse` 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What was read.
    pub name: String,
    /// The value in words with its unit.
    pub value: String,
}

/// A visiting professional (D-15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Professional {
    /// Name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Organisation.
    pub organisation: String,
}

/// What belongs to a when-required dose (P-07).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrnNote {
    /// The symptom or reason it was given for.
    pub reason: String,
    /// The score, where the protocol has one; `None` for none.
    pub score: Option<u8>,
    /// Whether the resident asked; `false` means that staff saw the need.
    pub asked: bool,
    /// What was tried first; empty for nothing.
    pub tried_first: String,
}

/// The gap in what was heard, and what was done about it (Y-06, W-16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Counted devices that were not heard.
    pub unheard: Vec<DeviceId>,
    /// Who or what was asked, in the giver's words.
    pub answer: String,
    /// What was demanded.
    pub check: Check,
}

/// What W-16 demands of a dose while a counted device is unheard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// One question: an in-window dose.
    Question,
    /// A named check with a second person: when-required, controlled, out of window.
    Named(SecondPerson),
}

/// The second person of a named check (W-16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondPerson {
    /// A signed-in colleague.
    Colleague(StaffId),
    /// Nobody else on shift: the giver's own statement, reviewed next morning.
    OwnStatement,
}

/// A safety prompt and what the person did with it (W-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Which prompt, by its stable name: `thickener`, `similar-name`, `old-patch-off`.
    pub what: String,
    /// What was done.
    pub answer: PromptAnswer,
}

/// What became of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptAnswer {
    /// It was on the screen.
    Shown,
    /// The person confirmed it.
    Confirmed,
    /// The person went past it.
    Skipped,
}

/// Names an administration together with where it is filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdministrationRef {
    /// Which.
    pub administration: AdministrationId,
    /// Its order.
    pub order: OrderId,
    /// The true time of its first record: it is filed under that month.
    pub filed_under: Timestamp,
}

/// What a when-required dose did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectRecorded {
    /// Of which dose.
    pub of: AdministrationRef,
    /// What it did.
    pub effect: Effect,
    /// When it was looked for.
    pub at: Timestamp,
    /// More words; may be empty.
    pub note: String,
}

/// A correction (D-13): the original stays, struck through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// Of which dose.
    pub of: AdministrationRef,
    /// What is true instead; `None` when there was no such dose at all.
    pub instead: Option<Recording>,
    /// Why.
    pub reason: String,
}
