//! Staff, their roles, and the one table of who may do what.
//!
//! The table is read by `submit`, by the fold (for what another device wrote) and by the screens.

use std::fmt;

/// A member of staff as the record knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Name in full.
    pub name: String,
    /// Initials as they stand on the chart; unique among active staff and never a printed code (W-23).
    pub initials: String,
    /// What they are.
    pub role: Role,
    /// A competence of its own, held by trained carers too (W-13).
    pub may_witness: bool,
    /// Whether they may act now.
    pub standing: Employment,
}

/// Whether a member of staff may act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Employment {
    /// May act.
    Active,
    /// A manager suspended them, with the reason.
    Suspended {
        /// Why.
        reason: String,
    },
}

/// The roles of the home (U-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A carer who applies creams only.
    CarerTopical,
    /// A carer who gives medicines.
    Carer,
    /// A senior carer.
    Senior,
    /// A nurse.
    Nurse,
    /// Deputy or registered manager.
    Manager,
    /// A visiting pharmacist or GP: reads.
    Professional,
    /// An inspector: reads.
    Inspector,
    /// Looks after the devices; no clinical rights.
    Administrator,
}

/// Every role, in the order of the enum.
pub const ROLES: [Role; 8] = [
    Role::CarerTopical,
    Role::Carer,
    Role::Senior,
    Role::Nurse,
    Role::Manager,
    Role::Professional,
    Role::Inspector,
    Role::Administrator,
];

impl Role {
    /// Returns the role's word on the command line: `carer-topical`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CarerTopical => "carer-topical",
            Self::Carer => "carer",
            Self::Senior => "senior",
            Self::Nurse => "nurse",
            Self::Manager => "manager",
            Self::Professional => "professional",
            Self::Inspector => "inspector",
            Self::Administrator => "administrator",
        }
    }

    /// Returns the role of a word; `None` for any other text.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        ROLES.into_iter().find(|r| r.word() == word)
    }

    /// Whether this role may do `act`: the role × act table.
    #[must_use]
    pub fn may(self, act: Act) -> bool {
        use Role::{
            Administrator, Carer, CarerTopical, Inspector, Manager, Nurse, Professional, Senior,
        };
        let allowed: &[Self] = match act {
            Act::Read => &ROLES,
            Act::GiveTopical => &[CarerTopical, Carer, Senior, Nurse, Manager],
            Act::Give | Act::Witness | Act::NoteEffect => &[Carer, Senior, Nurse, Manager],
            Act::WriteOrder | Act::CheckOrder | Act::StopOrder => &[Senior, Nurse, Manager],
            Act::KeepResident => &[Senior, Nurse, Manager],
            Act::FollowUp => &[Carer, Senior, Nurse, Manager],
            Act::KeepStaff => &[Manager],
            Act::KeepHome | Act::KeepDevices => &[Manager, Administrator],
            Act::Print => &[Carer, Senior, Nurse, Manager, Professional, Inspector],
        };
        allowed.contains(&self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a person does, as far as roles are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// See a resident's record.
    Read,
    /// Apply a cream, ointment or the like.
    GiveTopical,
    /// Prepare, give, refuse, correct: any outcome of a dose.
    Give,
    /// Witness a controlled drug; needs the competence as well (W-13).
    Witness,
    /// Note the effect of a when-required dose.
    NoteEffect,
    /// Write an order, confirm an imported proposal, change, hold, resume or reject one.
    WriteOrder,
    /// The second person's check of an order or of a resident's page.
    CheckOrder,
    /// Stop an order.
    StopOrder,
    /// Admit a resident, change identity, allergies or whereabouts.
    KeepResident,
    /// Open, answer and close follow-ups.
    FollowUp,
    /// Add, change, suspend staff; reset a PIN.
    KeepStaff,
    /// The home's settings.
    KeepHome,
    /// Invite, revoke and park devices.
    KeepDevices,
    /// Print.
    Print,
}

/// Every act, for tables on screen and in tests.
pub const ACTS: [Act; 14] = [
    Act::Read,
    Act::GiveTopical,
    Act::Give,
    Act::Witness,
    Act::NoteEffect,
    Act::WriteOrder,
    Act::CheckOrder,
    Act::StopOrder,
    Act::KeepResident,
    Act::FollowUp,
    Act::KeepStaff,
    Act::KeepHome,
    Act::KeepDevices,
    Act::Print,
];

impl Act {
    /// Returns what the person would have done, in words after "may not".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Read => "see a resident's record",
            Self::GiveTopical => "record creams",
            Self::Give => "record medicines",
            Self::Witness => "witness",
            Self::NoteEffect => "note the effect of a dose",
            Self::WriteOrder => "write or change an order",
            Self::CheckOrder => "check an order as the second person",
            Self::StopOrder => "stop or hold an order",
            Self::KeepResident => "admit or change a resident",
            Self::FollowUp => "keep follow-ups",
            Self::KeepStaff => "add or change staff",
            Self::KeepHome => "change the home's settings",
            Self::KeepDevices => "add or remove devices",
            Self::Print => "print",
        }
    }

    /// Whether an out-of-role act still counts and is only flagged: a dose that was given has
    /// happened, whoever gave it; an order or membership act has no effect (design, section 3).
    #[must_use]
    pub const fn has_happened(self) -> bool {
        matches!(
            self,
            Self::Give
                | Self::GiveTopical
                | Self::Witness
                | Self::NoteEffect
                | Self::FollowUp
                | Self::Read
                | Self::Print
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_without_clinical_rights_can_record_nothing_clinical() {
        for role in [Role::Professional, Role::Inspector, Role::Administrator] {
            for act in [
                Act::Give,
                Act::GiveTopical,
                Act::Witness,
                Act::WriteOrder,
                Act::CheckOrder,
                Act::KeepResident,
            ] {
                assert!(!role.may(act), "{role} may {}", act.words());
            }
        }
    }

    #[test]
    fn a_carer_gives_and_cannot_write_orders() {
        assert!(Role::Carer.may(Act::Give));
        assert!(!Role::Carer.may(Act::WriteOrder));
        assert!(!Role::CarerTopical.may(Act::Give));
        assert!(Role::CarerTopical.may(Act::GiveTopical));
    }

    #[test]
    fn every_role_reads_back_from_its_word() {
        for role in ROLES {
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
    }
}
