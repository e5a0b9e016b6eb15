//! Frozen: what every payload from a command begins with.

use mar::fact::{Actor, BASE_MAX, Made};
use mar::ids::{CommandId, EntryId, StaffId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct Made1 {
    command: [u8; 16],
    actor: Actor1,
    authority: [u8; 16],
    witness: Option<Witness1>,
    base: Vec<[u8; 16]>,
}

#[derive(Serialize, Deserialize)]
enum Actor1 {
    Staff([u8; 16]),
    Device,
}

#[derive(Serialize, Deserialize)]
struct Witness1 {
    staff: [u8; 16],
    authority: [u8; 16],
}

impl Made1 {
    pub(super) fn of(made: &Made) -> Self {
        Self {
            command: made.command.0,
            actor: match made.actor {
                Actor::Staff(staff) => Actor1::Staff(staff.0),
                Actor::Device => Actor1::Device,
            },
            authority: made.authority.0,
            witness: made
                .witness
                .map(|(staff, authority)| Witness1 { staff: staff.0, authority: authority.0 }),
            base: made.base.iter().map(|id| id.0).collect(),
        }
    }

    pub(super) fn command(&self) -> CommandId {
        CommandId(self.command)
    }

    pub(super) fn read(self) -> Option<Made> {
        if self.base.len() > BASE_MAX {
            return None;
        }
        Some(Made {
            command: CommandId(self.command),
            actor: match self.actor {
                Actor1::Staff(staff) => Actor::Staff(StaffId(staff)),
                Actor1::Device => Actor::Device,
            },
            authority: EntryId(self.authority),
            witness: self
                .witness
                .map(|witness| (StaffId(witness.staff), EntryId(witness.authority))),
            base: self.base.into_iter().map(EntryId).collect(),
        })
    }
}
