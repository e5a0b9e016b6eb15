//! Refused because of what is not there.

use crate::ids::{OrderId, ResidentId};

/// Refused because what was named is not in the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No such resident.
    #[error("there is no resident {0}")]
    Resident(ResidentId),
    /// No such order.
    #[error("there is no order {0}")]
    Order(OrderId),
    /// No such slot.
    #[error("there is no such dose due: take the slot from `medroundctl due`")]
    Slot,
    /// No such administration.
    #[error("there is no such administration: take its id from `medroundctl chart RESIDENT`")]
    Administration,
    /// No such member of staff.
    #[error("there is no such member of staff")]
    Staff,
    /// No such device.
    #[error("there is no such device")]
    Device,
    /// No such follow-up.
    #[error("there is no such follow-up")]
    FollowUp,
    /// The home is not founded here yet.
    #[error(
        "this device does not hold its home yet: let it reach another device of the home first"
    )]
    Home,
}
