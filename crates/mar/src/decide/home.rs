//! Decisions about the home, its staff and devices.

use super::{Decision, named};
use crate::command::AskHome;
use crate::fact::{
    Accepts, Actor, DeviceKeys, DeviceRole, Draft, Enrolled, Fact, HomeFact, KINDS, Made,
    MembershipFact, Revoked,
};
use crate::ids::{DeviceId, LogId, StaffId};
use crate::outcome::{NOT_CHECKED, OUTCOMES};
use crate::picture::{OrderHistory, VersionView};
use crate::refusal::{EntryRefusal, Missing, Refusal};
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::staff::{Act, Employment, Role, Staff};

impl Decision<'_, '_, '_> {
    pub(super) fn home(&mut self, ask: &AskHome) -> Result<Vec<Draft>, Refusal> {
        let (made, fact) = match ask {
            AskHome::SetSettings(settings) => self.set_settings(settings)?,
            AskHome::WriteStaff { staff, details } => self.write_staff(*staff, details)?,
            AskHome::SetPin { staff, generation, sealed } => {
                self.set_pin(*staff, *generation, sealed)?
            }
            AskHome::EnrolDevice { keys, role } => self.enrol(keys, *role)?,
            AskHome::RevokeDevice { device, last_valid, reason } => {
                self.revoke(*device, last_valid, reason)?
            }
            AskHome::SealSecret(secret) => {
                let authority = self.keeper(Act::KeepDevices)?;
                (
                    self.made(authority, Vec::new())?,
                    Fact::Membership(MembershipFact::SecretSealed(secret.clone())),
                )
            }
            AskHome::Park { parked } => {
                let fact =
                    MembershipFact::DeviceParked { device: self.context.device, parked: *parked };
                (self.made(self.device_authority()?, Vec::new())?, Fact::Membership(fact))
            }
            AskHome::TypeTime { showed, typed } => {
                let (_, _, authority) = self.person(Act::Read)?;
                let fact = HomeFact::TimeTyped { showed: *showed, typed: *typed };
                (self.made(authority, Vec::new())?, Fact::Home(fact))
            }
            AskHome::TellReads { program } => {
                let accepts = KINDS
                    .iter()
                    .map(|(kind, _)| Accepts { kind: kind.number, version: 1 })
                    .collect();
                let device = self.context.device;
                let fact =
                    MembershipFact::DeviceReads { device, program: program.clone(), accepts };
                (self.made(self.device_authority()?, Vec::new())?, Fact::Membership(fact))
            }
        };
        Ok(vec![Draft { subject: None, made: Some(made), fact }])
    }

    fn set_pin(
        &self,
        staff: StaffId,
        generation: u32,
        sealed: &[u8],
    ) -> Result<(Made, Fact), Refusal> {
        // A person may set their own PIN; anybody else's takes a manager (U-04).
        let own = self.command.actor == Actor::Staff(staff);
        let authority = if own { self.active(staff)?.1 } else { self.keeper(Act::KeepStaff)? };
        self.picture.home.staff().get(&staff).ok_or(Missing::Staff)?;
        let fact = HomeFact::PinSet { staff, generation, sealed: sealed.to_vec() };
        Ok((self.made(authority, Vec::new())?, Fact::Home(fact)))
    }

    fn enrol(&self, keys: &DeviceKeys, role: DeviceRole) -> Result<(Made, Fact), Refusal> {
        let (_, _, authority) = self.person(Act::KeepDevices)?;
        named(&keys.name, "name for the device")?;
        let known = self.picture.home.devices().get(&keys.device);
        if known.is_some_and(|d| !d.is_active() && d.enrolment().is_some()) {
            return Err(EntryRefusal::Device(
                "this device was taken out of the home: it has to be set up anew",
            )
            .into());
        }
        let fact = MembershipFact::DeviceEnrolled(Enrolled { keys: keys.clone(), role });
        Ok((self.made(authority, Vec::new())?, Fact::Membership(fact)))
    }

    /// The authority of a person with this right; or, while there is no staff at all, of the
    /// founding device (set-up).
    fn keeper(&self, act: Act) -> Result<crate::ids::EntryId, Refusal> {
        let nobody_yet = self.picture.home.staff().is_empty();
        if nobody_yet && self.command.actor == Actor::Device {
            return self.device_authority();
        }
        Ok(self.person(act)?.2)
    }

    fn set_settings(&self, settings: &Settings) -> Result<(Made, Fact), Refusal> {
        let authority = self.keeper(Act::KeepHome)?;
        if let Some(fault) = settings.fault() {
            return Err(EntryRefusal::Settings(fault).into());
        }
        self.letters_are_nobody(settings)?;
        if let Some(words) = self.lost_round(settings) {
            return Err(EntryRefusal::Settings(words).into());
        }
        Ok((self.made(authority, Vec::new())?, Fact::Home(HomeFact::SettingsSet(settings.clone()))))
    }

    /// On paper a code must never be read as a person, whichever of the two came first (W-23).
    fn letters_are_nobody(&self, settings: &Settings) -> Result<(), Refusal> {
        let staff = self.picture.home.staff();
        let active = || {
            let current = staff.values().filter_map(|r| r.current());
            current.filter(|s| s.standing == Employment::Active)
        };
        for outcome in OUTCOMES {
            let letters = settings.letter(outcome);
            let theirs = active().find(|s| s.initials.eq_ignore_ascii_case(letters));
            if let Some(staff) = theirs {
                let (letters, whose) = (letters.to_owned(), staff.name.clone());
                return Err(EntryRefusal::Letters { letters, outcome, whose }.into());
            }
        }
        Ok(())
    }

    /// An order in a round that is no more would be due never: the round stays until the order is
    /// changed or stopped. `None` when nothing is lost.
    fn lost_round(&self, settings: &Settings) -> Option<String> {
        let open =
            |view: &VersionView<'_>| !view.rejected && view.to.is_none_or(|to| to > self.now());
        let here = self.picture.residents.values().filter(|r| r.is_here(self.now()));
        let stopped = |h: &OrderHistory| h.stopped_at().is_some_and(|at| at <= self.now());
        for history in here.flat_map(|r| r.orders.values()).filter(|h| !stopped(h)) {
            for view in history.versions().iter().filter(|view| open(view)) {
                let Schedule::Rounds { rounds, .. } = &view.version.content.schedule else {
                    continue;
                };
                if let Some(lost) = rounds.iter().find(|id| settings.round(id).is_none()) {
                    return Some(format!(
                        "{} is due in the round {lost}: change or stop it before the round goes",
                        view.version.content.medicine.name
                    ));
                }
            }
        }
        None
    }

    fn write_staff(&self, id: StaffId, details: &Staff) -> Result<(Made, Fact), Refusal> {
        let authority = self.keeper(Act::KeepStaff)?;
        named(&details.name, "name")?;
        named(&details.initials, "set of initials")?;
        let home = &self.picture.home;
        let others = || {
            home.staff()
                .iter()
                .filter(move |(other, _)| **other != id)
                .filter_map(|(_, r)| r.current())
        };
        let active = |s: &&Staff| s.standing == Employment::Active;
        let same_initials = |s: &Staff| s.initials.eq_ignore_ascii_case(&details.initials);
        // On paper a code must never be read as a person (W-23).
        let settings = self.settings().ok();
        let is_code = OUTCOMES.iter().any(|o| {
            let letter = settings.map_or(o.letter(), |s| s.letter(*o));
            letter.eq_ignore_ascii_case(&details.initials)
        }) || NOT_CHECKED.eq_ignore_ascii_case(&details.initials);
        if details.standing == Employment::Active
            && (is_code || others().filter(active).any(same_initials))
        {
            return Err(EntryRefusal::Initials(details.initials.clone()).into());
        }
        let manages = |s: &Staff| s.role == Role::Manager && s.standing == Employment::Active;
        let was_manager = home.person(id).is_some_and(manages);
        if was_manager && !manages(details) && !others().any(manages) {
            return Err(EntryRefusal::LastManager.into());
        }
        let base =
            home.staff().get(&id).map(crate::picture::StaffRecord::heads).unwrap_or_default();
        let seen = self.context.held.to_vec();
        let fact = HomeFact::StaffWritten { staff: id, details: details.clone(), seen };
        Ok((self.made(authority, base)?, Fact::Home(fact)))
    }

    fn revoke(
        &self,
        device: DeviceId,
        last_valid: &[(LogId, u64, [u8; 32])],
        reason: &str,
    ) -> Result<(Made, Fact), Refusal> {
        let authority = self.keeper(Act::KeepDevices)?;
        named(reason, "reason")?;
        let record = self.picture.home.devices().get(&device).ok_or(Missing::Device)?;
        if device == self.context.device {
            return Err(EntryRefusal::Device(
                "a device cannot take itself out: do it on another one",
            )
            .into());
        }
        if !record.is_active() {
            return Err(EntryRefusal::Device("this device was taken out already").into());
        }
        let fact = Revoked {
            device,
            last_valid: last_valid.to_vec(),
            reason: reason.to_owned(),
            at: self.now(),
        };
        let base = record.enrolled.keys().copied().collect();
        Ok((self.made(authority, base)?, Fact::Membership(MembershipFact::DeviceRevoked(fact))))
    }
}
