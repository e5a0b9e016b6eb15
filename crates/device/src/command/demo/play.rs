//! A device with a story's clock, and the people who act on it.

use crate::command::Fault;
use crate::{Clock, Device, Saved};
use mar::command::{Ask, AskDose, Command};
use mar::fact::Actor;
use mar::ids::{CommandId, ResidentId, StaffId};
use mar::time::{Timestamp, Tz};

/// A device of the practice home, with the clock that the story is told by.
pub(super) struct Play {
    pub(super) device: Device,
    pub(super) clock: Clock,
    pub(super) zone: Tz,
    /// In the order of [`super::people::STAFF`].
    pub(super) staff: Vec<StaffId>,
    /// In the order of [`super::people::RESIDENTS`].
    pub(super) residents: Vec<ResidentId>,
}

impl Play {
    pub(super) fn new(device: Device, clock: Clock, zone: Tz, manager: StaffId) -> Self {
        Self { device, clock, zone, staff: vec![manager], residents: Vec::new() }
    }

    /// The same story on another device.
    pub(super) fn on(&self, device: Device) -> Self {
        Self {
            device,
            clock: self.clock.clone(),
            zone: self.zone,
            staff: self.staff.clone(),
            residents: self.residents.clone(),
        }
    }

    fn worker(&self, at: usize) -> Actor {
        self.staff.get(at).map_or(Actor::Device, |id| Actor::Staff(*id))
    }

    pub(super) fn nurse(&self) -> Actor {
        self.worker(1)
    }

    pub(super) fn senior(&self) -> Actor {
        self.worker(2)
    }

    /// Who goes round at this hour: the nurse in the morning, a carer later, the senior at night.
    pub(super) fn on_duty(&self, at: Timestamp) -> Actor {
        use chrono::Timelike;
        match at.civil(self.zone).hour() {
            0..12 => self.nurse(),
            12..17 => self.worker(3),
            _ => self.senior(),
        }
    }

    /// Who else may witness then.
    pub(super) fn witness(&self, giver: Actor) -> Option<StaffId> {
        let others = [2, 3].into_iter().filter_map(|at| self.staff.get(at).copied());
        others.into_iter().find(|id| giver != Actor::Staff(*id))
    }

    /// Puts things to the record, all or none.
    pub(super) fn ask_all(&self, actor: Actor, asks: Vec<Ask>) -> Result<Vec<Saved>, Fault> {
        let fresh = || CommandId(self.device.fresh());
        let command = |ask| Command { id: fresh(), actor, witness: None, ask };
        Ok(self.device.submit_all(asks.into_iter().map(command).collect())?)
    }

    /// Puts one dose to the record, with a witness or without.
    pub(super) fn dose(
        &self,
        actor: Actor,
        witness: Option<StaffId>,
        resident: ResidentId,
        ask: AskDose,
    ) -> Result<Saved, Fault> {
        let id = CommandId(self.device.fresh());
        let command = Command { id, actor, witness, ask: Ask::Dose(resident, ask) };
        Ok(self.device.submit(command)?)
    }
}
