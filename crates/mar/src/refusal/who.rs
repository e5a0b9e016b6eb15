//! Refused because of who asked, or on which device.

use crate::staff::{Act, Role};

/// Refused because of who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhoRefusal {
    /// The role does not have the right.
    #[error("a {role} may not {}: ask somebody who may", act.words())]
    Role {
        /// Of the person.
        role: Role,
        /// What was asked.
        act: Act,
    },
    /// The person is not known or not active.
    #[error("this person is not active in this home: a manager can add or reinstate them")]
    NotActive,
    /// Only a member of staff may do it.
    #[error("this needs a person: say who with --as")]
    NeedsPerson,
    /// The witness lacks the competence.
    #[error("this person may not witness: ask somebody who is trained to")]
    MayNotWitness,
    /// The witness is the giver.
    #[error("the witness must be somebody else than the giver")]
    WitnessIsActor,
    /// This device may not record.
    #[error("this device only observes: record on a device that is a member")]
    Observer,
    /// This device was put out of the home.
    #[error(
        "this device was taken out of the home: nothing can be recorded on it. Record on another device, or on paper. To use this one again, a manager invites it, and it joins anew in an empty folder"
    )]
    Revoked,
    /// A newer program wrote something here that this one cannot read.
    #[error(
        "update this device: a newer one has written about this resident what this one cannot read. Reading and printing still work"
    )]
    NeedsUpdate,
    /// Not every active device can read what this would write.
    #[error("not every device of the home can read this yet: update {0} first")]
    PeersNeedUpdate(String),
}

impl WhoRefusal {
    pub(super) const fn rule(&self) -> &'static str {
        match self {
            Self::Role { .. } | Self::NeedsPerson | Self::Observer => "U-01",
            Self::NotActive => "W-07",
            Self::MayNotWitness => "W-13",
            Self::WitnessIsActor => "U-03",
            Self::Revoked => "Y-07",
            Self::NeedsUpdate => "Y-11",
            Self::PeersNeedUpdate(_) => "W-08",
        }
    }
}
