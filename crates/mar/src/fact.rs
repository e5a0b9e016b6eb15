//! What the record may say. Facts are closed and versioned; each is one entry's payload.
//!
//! A fact from a command begins with [`Made`]: who, under what authority, seen what. What a device
//! writes by itself (its log's start, the founding) has none.

mod dose;
mod membership;

pub use dose::{
    AdministrationRef, Check, Corrected, DoseFact, EffectRecorded, Gap, OutcomeRecorded, Popped,
    PrnNote, Professional, Prompt, PromptAnswer, Reading, Recording, SecondPerson,
};
pub use membership::{
    Accepts, DeviceKeys, DeviceRole, EarlierHead, Enrolled, Founding, LogStart, MembershipFact,
    Revoked, SealedSecret,
};

use crate::ids::{CommandId, EntryId, FollowUpId, LogId, OrderId, ResidentId, StaffId, VersionId};
use crate::order::{Proposal, Supply, Version};
use crate::resident::{Allergies, Identity, Status};
use crate::settings::Settings;
use crate::staff::{Act, Staff};
use crate::time::{Period, Timestamp};

/// Frozen: what every fact from a command begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The command; a retry of it gets the first answer.
    pub command: CommandId,
    /// Who did it.
    pub actor: Actor,
    /// The staff or enrolment fact acted under: it names the role.
    pub authority: EntryId,
    /// The witness and the staff fact the witness acted under; `None` without a witness.
    pub witness: Option<(StaffId, EntryId)>,
    /// The heads of the thing changed that the writer saw, at most [`BASE_MAX`].
    pub base: Vec<EntryId>,
}

/// At most this many heads are named (design, section 3).
pub const BASE_MAX: usize = 16;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A member of staff who was signed in.
    Staff(StaffId),
    /// The device itself, unattended.
    Device,
}

/// One fact, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Logs, devices and the home's secrets.
    Membership(MembershipFact),
    /// The home and its staff.
    Home(HomeFact),
    /// One resident's identity, allergies and whereabouts.
    Resident(ResidentFact),
    /// One resident's orders and supplies.
    Order(OrderFact),
    /// One resident's doses.
    Dose(DoseFact),
    /// Follow-ups on one resident.
    FollowUp(FollowUpFact),
    /// Who saw, printed and exported.
    Access(Access),
    /// A kind this program does not know: kept, passed on and acknowledged. A clinical one stops
    /// giving for its resident.
    Unknown,
}

/// Facts about the home and its staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HomeFact {
    /// The settings from a date on.
    SettingsSet(Settings),
    /// A member of staff was added or changed.
    StaffWritten {
        /// Who.
        staff: StaffId,
        /// What is now known of them.
        details: Staff,
        /// How far each log was held when this was written: what is later in a log did not know
        /// of it, unless its own chain shows otherwise. At most one place per log.
        seen: Vec<(LogId, u64)>,
    },
    /// A new PIN verifier, sealed under a numbered secret of the home.
    PinSet {
        /// Whose.
        staff: StaffId,
        /// Which generation of the home's secret seals it.
        generation: u32,
        /// The sealed verifier; only `store` opens it.
        sealed: Vec<u8>,
    },
    /// A person typed the time on the device that writes this, with a watch in hand (W-08): what is
    /// recorded there afterwards rests on it.
    TimeTyped {
        /// What the device showed.
        showed: Timestamp,
        /// What was typed.
        typed: Timestamp,
    },
}

/// Facts about who a resident is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResidentFact {
    /// Admitted, or identity changed; the whole identity each time.
    IdentityWritten(Identity),
    /// The allergies are now these.
    AllergiesWritten(Allergies),
    /// Somewhere else from an instant on.
    StatusChanged(Status),
}

/// Facts about orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderFact {
    /// Imported; waits for a first person (W-09).
    Proposed {
        /// The order it will be.
        order: OrderId,
        /// What was sent and what was read.
        proposal: Proposal,
    },
    /// A version was written, by hand or by confirming a proposal; waits for its check.
    Written(Version),
    /// A second person compared a version with its source (O-02).
    Checked {
        /// The order.
        order: OrderId,
        /// The version checked.
        version: VersionId,
    },
    /// Activated by one person alone; the check is owed (O-02, W-09).
    ActivatedAlone {
        /// The order.
        order: OrderId,
        /// The version.
        version: VersionId,
        /// Why nobody else could check.
        reason: String,
    },
    /// A proposal or an unchecked version was turned down.
    Rejected {
        /// The order.
        order: OrderId,
        /// The version; `None` for a proposal.
        version: Option<VersionId>,
        /// Why.
        reason: String,
    },
    /// Held on advice (O-12).
    Held {
        /// The order.
        order: OrderId,
        /// Why and on whose advice.
        reason: String,
        /// When it is looked at again; `None` when nobody said.
        review: Option<Timestamp>,
    },
    /// Given again.
    Resumed {
        /// The order.
        order: OrderId,
        /// Why.
        reason: String,
    },
    /// Stopped from an instant on (O-11).
    Stopped {
        /// The order.
        order: OrderId,
        /// From when.
        at: Timestamp,
        /// Who authorised it, in words.
        authorised_by: String,
        /// Why.
        reason: String,
    },
    /// Something was supplied under the order (W-10).
    Supplied(Supply),
}

impl OrderFact {
    /// Returns the order it is about.
    #[must_use]
    pub const fn order(&self) -> OrderId {
        match self {
            Self::Written(version) => version.order,
            Self::Supplied(supply) => supply.order,
            Self::Proposed { order, .. }
            | Self::Checked { order, .. }
            | Self::ActivatedAlone { order, .. }
            | Self::Rejected { order, .. }
            | Self::Held { order, .. }
            | Self::Resumed { order, .. }
            | Self::Stopped { order, .. } => *order,
        }
    }
}

/// How the words of a follow-up begin that the record opened as an incident (D-06, H-01).
pub const INCIDENT: &str = "incident: ";

/// How the words of a follow-up begin that was opened with "not known, handed to …" (W-04, D-16).
pub const FIND_OUT: &str = "find out what became of ";

/// How the words of a follow-up begin that was opened when a resident came back.
pub const BACK: &str = "back from ";

/// Facts about follow-ups (W-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowUpFact {
    /// Something is to be done, and by whom.
    Opened {
        /// The follow-up.
        follow_up: FollowUpId,
        /// What.
        what: String,
        /// The order it is about; `None` for the resident as such.
        order: Option<OrderId>,
        /// Who owns it; `None` until somebody takes it.
        owner: Option<StaffId>,
    },
    /// Somebody was contacted, or took it on.
    Continued {
        /// The follow-up.
        follow_up: FollowUpId,
        /// The new owner; `None` leaves it.
        owner: Option<StaffId>,
        /// Who was contacted; `None` when nobody was.
        contact: Option<Contact>,
        /// The advice, in words; may be empty.
        advice: String,
        /// The order that came of it.
        resulting_order: Option<OrderId>,
    },
    /// Done.
    Closed {
        /// The follow-up.
        follow_up: FollowUpId,
        /// What became of it.
        outcome: String,
        /// What was changed so that it does not happen again; may be empty.
        corrective_action: String,
    },
}

impl FollowUpFact {
    /// Returns the follow-up it is about.
    #[must_use]
    pub const fn follow_up(&self) -> FollowUpId {
        match self {
            Self::Opened { follow_up, .. }
            | Self::Continued { follow_up, .. }
            | Self::Closed { follow_up, .. } => *follow_up,
        }
    }
}

/// Who was contacted (W-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Organisation.
    pub organisation: String,
    /// When.
    pub at: Timestamp,
}

/// One line of the access log: one per person, resident and session (K6, E-03).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What was done.
    pub what: AccessKind,
    /// The session, so that looking twice is one line.
    pub session: CommandId,
    /// When.
    pub at: Timestamp,
}

/// What was done with a resident's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessKind {
    /// Seen on a screen or a terminal.
    Seen,
    /// Printed.
    Printed,
    /// Exported.
    Exported,
}

/// A kind of fact: its number is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// 1 membership, 2 home and staff, 3 care, 4 other; the top bit says clinical.
    pub class: u8,
    /// The kind within all classes.
    pub number: u16,
}

/// The class bit of a clinical fact.
pub const CLINICAL: u8 = 0x80;
const MEMBERSHIP: u8 = 1;
const HOME: u8 = 2;
const CARE: u8 = 3 | CLINICAL;
const OTHER: u8 = 4;

/// Every kind of fact with the name it has in messages and tests. Numbers are never used again.
pub const KINDS: [(Kind, &str); 29] = [
    (Kind { class: MEMBERSHIP, number: 1 }, "log started"),
    (Kind { class: MEMBERSHIP, number: 2 }, "home founded"),
    (Kind { class: MEMBERSHIP, number: 3 }, "device enrolled"),
    (Kind { class: MEMBERSHIP, number: 4 }, "device revoked"),
    (Kind { class: MEMBERSHIP, number: 5 }, "device parked"),
    (Kind { class: MEMBERSHIP, number: 6 }, "home secret sealed"),
    (Kind { class: MEMBERSHIP, number: 7 }, "device reads"),
    (Kind { class: HOME, number: 20 }, "settings set"),
    (Kind { class: HOME, number: 21 }, "staff written"),
    (Kind { class: HOME, number: 22 }, "PIN set"),
    (Kind { class: HOME, number: 23 }, "time typed"),
    (Kind { class: CARE, number: 40 }, "identity written"),
    (Kind { class: CARE, number: 41 }, "allergies written"),
    (Kind { class: CARE, number: 42 }, "status changed"),
    (Kind { class: CARE, number: 60 }, "order proposed"),
    (Kind { class: CARE, number: 61 }, "order written"),
    (Kind { class: CARE, number: 62 }, "order checked"),
    (Kind { class: CARE, number: 63 }, "order activated alone"),
    (Kind { class: CARE, number: 64 }, "order rejected"),
    (Kind { class: CARE, number: 65 }, "order held"),
    (Kind { class: CARE, number: 66 }, "order resumed"),
    (Kind { class: CARE, number: 67 }, "order stopped"),
    (Kind { class: CARE, number: 68 }, "supply received"),
    (Kind { class: CARE, number: 80 }, "dose popped"),
    (Kind { class: CARE, number: 81 }, "outcome recorded"),
    (Kind { class: CARE, number: 82 }, "effect recorded"),
    (Kind { class: CARE, number: 83 }, "administration corrected"),
    (Kind { class: CARE, number: 100 }, "follow-up"),
    (Kind { class: OTHER, number: 120 }, "access"),
];

impl Kind {
    /// Whether what cannot be read of this kind may be missing from what is shown of residents: all
    /// but the access log, what classes to come call other, and the start of a log or of a home,
    /// which every program knows and which no peer can hide behind.
    #[must_use]
    pub const fn is_missed(self) -> bool {
        self.class & CLINICAL != 0
            || self.class == HOME
            || (self.class == MEMBERSHIP && self.number > 2)
    }
}

impl Fact {
    /// Returns the fact's kind; `None` for an unknown one, whose kind stands in its envelope only.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        let (class, number) = match self {
            Self::Membership(fact) => (MEMBERSHIP, fact.number()),
            Self::Home(HomeFact::SettingsSet(_)) => (HOME, 20),
            Self::Home(HomeFact::StaffWritten { .. }) => (HOME, 21),
            Self::Home(HomeFact::PinSet { .. }) => (HOME, 22),
            Self::Home(HomeFact::TimeTyped { .. }) => (HOME, 23),
            Self::Resident(ResidentFact::IdentityWritten(_)) => (CARE, 40),
            Self::Resident(ResidentFact::AllergiesWritten(_)) => (CARE, 41),
            Self::Resident(ResidentFact::StatusChanged(_)) => (CARE, 42),
            Self::Order(OrderFact::Proposed { .. }) => (CARE, 60),
            Self::Order(OrderFact::Written(_)) => (CARE, 61),
            Self::Order(OrderFact::Checked { .. }) => (CARE, 62),
            Self::Order(OrderFact::ActivatedAlone { .. }) => (CARE, 63),
            Self::Order(OrderFact::Rejected { .. }) => (CARE, 64),
            Self::Order(OrderFact::Held { .. }) => (CARE, 65),
            Self::Order(OrderFact::Resumed { .. }) => (CARE, 66),
            Self::Order(OrderFact::Stopped { .. }) => (CARE, 67),
            Self::Order(OrderFact::Supplied(_)) => (CARE, 68),
            Self::Dose(DoseFact::Popped(_)) => (CARE, 80),
            Self::Dose(DoseFact::Recorded(_)) => (CARE, 81),
            Self::Dose(DoseFact::Effect(_)) => (CARE, 82),
            Self::Dose(DoseFact::Corrected(_)) => (CARE, 83),
            Self::FollowUp(_) => (CARE, 100),
            Self::Access(_) => (OTHER, 120),
            Self::Unknown => return None,
        };
        Some(Kind { class, number })
    }

    /// Returns which stored view of its subject the fact belongs to: the month of its true time
    /// for doses and access, for ever for everything else.
    #[must_use]
    pub fn period(&self) -> Period {
        match self {
            Self::Dose(fact) => Period::Month(fact.filed_under().month()),
            Self::Access(access) => Period::Month(access.at.month()),
            Self::Membership(_)
            | Self::Home(_)
            | Self::Resident(_)
            | Self::Order(_)
            | Self::FollowUp(_)
            | Self::Unknown => Period::Lifelong,
        }
    }

    /// Returns the act whose right the actor needed; `None` where no role is asked (what a device
    /// writes by itself).
    #[must_use]
    pub const fn act(&self) -> Option<Act> {
        match self {
            Self::Membership(fact) => fact.act(),
            Self::Home(HomeFact::SettingsSet(_)) => Some(Act::KeepHome),
            Self::Home(HomeFact::StaffWritten { .. } | HomeFact::PinSet { .. }) => {
                Some(Act::KeepStaff)
            }
            // Any member of staff may (W-08); whoever is suspended may not read either.
            Self::Home(HomeFact::TimeTyped { .. }) => Some(Act::Read),
            Self::Resident(_) => Some(Act::KeepResident),
            Self::Order(OrderFact::Checked { .. }) => Some(Act::CheckOrder),
            // Whoever may stop an order may hold it, and whoever gives books in what came.
            Self::Order(OrderFact::Stopped { .. } | OrderFact::Held { .. }) => Some(Act::StopOrder),
            Self::Order(OrderFact::Supplied(_)) => Some(Act::Give),
            Self::Order(
                OrderFact::Proposed { .. }
                | OrderFact::Written(_)
                | OrderFact::ActivatedAlone { .. }
                | OrderFact::Rejected { .. }
                | OrderFact::Resumed { .. },
            ) => Some(Act::WriteOrder),
            Self::Dose(DoseFact::Effect(_)) => Some(Act::NoteEffect),
            Self::Dose(_) => Some(Act::GiveTopical),
            Self::FollowUp(_) => Some(Act::FollowUp),
            Self::Access(_) => Some(Act::Read),
            Self::Unknown => None,
        }
    }
}

/// A fact that was decided on and waits to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The resident it is about; `None` for the home.
    pub subject: Option<ResidentId>,
    /// Who made it; `None` for what a device writes by itself.
    pub made: Option<Made>,
    /// What it says.
    pub fact: Fact,
}
