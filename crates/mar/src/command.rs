//! What a person may ask of the record.

mod texts;

use crate::fact::{
    AccessKind, Actor, Contact, DeviceKeys, DeviceRole, PrnNote, Professional, Prompt, Reading,
    SealedSecret,
};
use crate::ids::{
    AdministrationId, CommandId, DeviceId, FollowUpId, LogId, OrderId, ResidentId, StaffId,
    VersionId,
};
use crate::order::{AsRead, Content, Proposal, SameMeaning, Supply};
use crate::outcome::{Effect, Outcome};
use crate::quantity::Amount;
use crate::resident::{Allergies, Identity, Status};
use crate::schedule::SlotId;
use crate::settings::Settings;
use crate::staff::Staff;
use crate::time::{Month, Timestamp};

/// One thing asked of the record. It carries an id: a retry returns the first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The command.
    pub id: CommandId,
    /// Who asks.
    pub actor: Actor,
    /// The witness who entered their own secret on this device; `None` for none.
    pub witness: Option<StaffId>,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Of the home.
    Home(AskHome),
    /// About a resident.
    Resident(ResidentId, AskResident),
    /// About a resident's order.
    Order(ResidentId, AskOrder),
    /// About a resident's dose.
    Dose(ResidentId, AskDose),
}

/// Asked of the home, its staff and devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskHome {
    /// New settings from a date on.
    SetSettings(Settings),
    /// Add a member of staff or write what is now known of one.
    WriteStaff {
        /// Who.
        staff: StaffId,
        /// What is now known.
        details: Staff,
    },
    /// Set a PIN: the verifier was made and sealed by `store`.
    SetPin {
        /// Whose.
        staff: StaffId,
        /// The generation of the secret that seals it.
        generation: u32,
        /// The sealed verifier.
        sealed: Vec<u8>,
    },
    /// Make a device one of the home's.
    EnrolDevice {
        /// The device.
        keys: DeviceKeys,
        /// What it may do.
        role: DeviceRole,
    },
    /// Put a device out.
    RevokeDevice {
        /// Which.
        device: DeviceId,
        /// The last valid entry of each of its logs, as held here.
        last_valid: Vec<(LogId, u64, [u8; 32])>,
        /// Why.
        reason: String,
    },
    /// A new generation of the home's secrets.
    SealSecret(SealedSecret),
    /// This device ends cleanly, or comes back from it (W-16).
    Park {
        /// Whether it is parked from here on.
        parked: bool,
    },
    /// A person says what their watch shows, which this device goes by (W-08).
    TypeTime {
        /// What the device showed.
        showed: Timestamp,
        /// What was typed.
        typed: Timestamp,
    },
    /// This device says what it can read.
    TellReads {
        /// The program's version.
        program: String,
    },
}

/// Asked about a resident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskResident {
    /// Admit, or change the identity.
    WriteIdentity(Identity),
    /// Write the allergies.
    WriteAllergies(Allergies),
    /// Somewhere else from an instant on.
    ChangeStatus(Status),
    /// Check all orders on the page that wait for it, a tick each, one signature (W-09).
    CheckPage(Vec<(OrderId, VersionId)>),
    /// Somebody saw, printed or exported the record.
    NoteAccess {
        /// What was done.
        what: AccessKind,
        /// The session: the same one is noted once.
        session: CommandId,
    },
    /// Open a follow-up (W-12).
    OpenFollowUp {
        /// What is to be done.
        what: String,
        /// The order it is about.
        order: Option<OrderId>,
        /// Who owns it.
        owner: Option<StaffId>,
    },
    /// Somebody took it on or was contacted (W-12).
    ContinueFollowUp {
        /// Which.
        follow_up: FollowUpId,
        /// The new owner; `None` leaves it.
        owner: Option<StaffId>,
        /// Who was contacted.
        contact: Option<Contact>,
        /// The advice.
        advice: String,
        /// The order that came of it.
        resulting_order: Option<OrderId>,
    },
    /// Close a follow-up.
    CloseFollowUp {
        /// Which.
        follow_up: FollowUpId,
        /// What became of it.
        outcome: String,
        /// What was changed.
        corrective_action: String,
    },
}

/// Asked about a resident's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskOrder {
    /// Keep an imported proposal.
    Propose {
        /// The order it will be.
        order: OrderId,
        /// What was sent.
        proposal: Proposal,
    },
    /// Write an order, a new version of one, or confirm a proposal.
    Write {
        /// The order: a new id for a new one.
        order: OrderId,
        /// What it says.
        content: Content,
        /// Whether the words beside it mean the same (O-05).
        same_meaning: Option<SameMeaning>,
        /// The allergy match that was decided with the prescriber, in words (W-08); `None` for none.
        allergy_decided: Option<String>,
        /// Why the same medicine stands in another order too (O-08); `None` when nobody said.
        intended: Option<String>,
        /// What the label's words were read as; `None` when nobody read them.
        label_read: Option<AsRead>,
    },
    /// The second person's check.
    Check {
        /// The order.
        order: OrderId,
        /// The version that was compared; `None` for the one that waits.
        version: Option<VersionId>,
    },
    /// Activate with nobody else there (W-09).
    ActivateAlone {
        /// The order.
        order: OrderId,
        /// Why.
        reason: String,
    },
    /// Turn down a proposal or an unchecked version.
    Reject {
        /// The order.
        order: OrderId,
        /// The version; `None` for the proposal or the one that waits.
        version: Option<VersionId>,
        /// Why.
        reason: String,
    },
    /// Hold on advice.
    Hold {
        /// The order.
        order: OrderId,
        /// Why and on whose advice.
        reason: String,
        /// When it is looked at again.
        review: Option<Timestamp>,
    },
    /// Give again.
    Resume {
        /// The order.
        order: OrderId,
        /// Why.
        reason: String,
    },
    /// Stop.
    Stop {
        /// The order.
        order: OrderId,
        /// From when.
        at: Timestamp,
        /// Who authorised it.
        authorised_by: String,
        /// Why.
        reason: String,
    },
    /// Book in a supply.
    Supply(Supply),
}

/// Asked about a dose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskDose {
    /// Pop a due medicine into the pot (W-03).
    Pop {
        /// The slot.
        slot: SlotId,
        /// How much; `None` is the dose.
        amount: Option<Amount>,
    },
    /// Record what became of a due dose.
    Record {
        /// The slot.
        slot: SlotId,
        /// What was told.
        told: Told,
    },
    /// Give a when-required dose, or record that it was offered.
    Prn {
        /// The order.
        order: OrderId,
        /// What was told.
        told: Told,
        /// What belongs to a when-required dose.
        note: PrnNote,
    },
    /// Note what a when-required dose did.
    NoteEffect {
        /// Which dose.
        administration: AdministrationId,
        /// What it did.
        effect: Effect,
        /// More words.
        note: String,
    },
    /// Correct a record.
    Correct {
        /// Which.
        administration: AdministrationId,
        /// What is true instead; `None` when there was no such dose.
        instead: Option<Told>,
        /// Why.
        reason: String,
        /// The statement that nobody else is on shift (W-13).
        alone: bool,
    },
}

/// What a person tells of a dose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What became of it.
    pub outcome: Outcome,
    /// How much; `None` is the dose where it is fixed and something was taken.
    pub amount: Option<Amount>,
    /// The true time; `None` is now.
    pub given_at: Option<Timestamp>,
    /// The reason that the outcome or the timing asks for.
    pub reason: String,
    /// Readings taken before.
    pub readings: Vec<Reading>,
    /// The site.
    pub site: Option<u8>,
    /// Who gave it, when that is not the actor.
    pub given_by: Option<StaffId>,
    /// The visiting professional who gave it.
    pub professional: Option<Professional>,
    /// Who or what was asked while a counted device is unheard (W-16).
    pub checked: Option<String>,
    /// The giver's statement that nobody else is on shift (W-13, W-16).
    pub alone: bool,
    /// Safety prompts shown (W-12).
    pub prompts: Vec<Prompt>,
    /// Who finds out what became of it, where that is not known (W-04); `None` for other outcomes.
    pub handed_to: Option<StaffId>,
    /// Why it was given although a rule stands in the way, of a dose that has been given already
    /// (D-06, H-01); `None` for every other. It lets nobody give one now (P-06).
    pub already_given: Option<String>,
}

impl Told {
    /// An outcome with nothing else told.
    #[must_use]
    pub const fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            amount: None,
            given_at: None,
            reason: String::new(),
            readings: Vec::new(),
            site: None,
            given_by: None,
            professional: None,
            checked: None,
            alone: false,
            prompts: Vec::new(),
            handed_to: None,
            already_given: None,
        }
    }
}

/// Which older months of which resident a command needs loaded before it is decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The resident; `None` when nothing of a resident is needed.
    pub resident: Option<ResidentId>,
    /// The first month, with all that follow.
    pub from: Option<Month>,
}

impl Command {
    /// Returns what has to be loaded before the command is decided. Months from the earliest time
    /// it speaks of, less the longest span a rule looks back (W-11: six days; P-03: one day).
    #[must_use]
    pub fn needs(&self, now: Timestamp) -> Needs {
        let look_back = crate::time::Minutes(8 * 24 * 60);
        let month = |at: Timestamp| Some(at.minus(look_back).month());
        match &self.ask {
            Ask::Home(_) => Needs::default(),
            Ask::Resident(id, _) | Ask::Order(id, _) => Needs { resident: Some(*id), from: None },
            Ask::Dose(id, dose) => {
                let from = match dose {
                    AskDose::Pop { slot, .. } => month(slot_day(slot)),
                    AskDose::Record { slot, told, .. } => {
                        month(told.given_at.unwrap_or(now).min(slot_day(slot)))
                    }
                    AskDose::Prn { told, .. } => month(told.given_at.unwrap_or(now)),
                    AskDose::NoteEffect { .. } => month(now),
                    AskDose::Correct { instead, .. } => {
                        month(instead.as_ref().and_then(|t| t.given_at).unwrap_or(now))
                    }
                };
                Needs { resident: Some(*id), from }
            }
        }
    }
}

fn slot_day(slot: &SlotId) -> Timestamp {
    slot.date.and_time(chrono::NaiveTime::MIN).and_utc().into()
}
