//! (Picture, Command, now) in; facts or a refusal out. Nothing else decides.

mod back;
mod dose;
mod follow_up;
mod home;
mod order;
mod resident;

use crate::clock::{ClockLevel, ClockStanding};
use crate::command::{Ask, AskDose, Command};
use crate::fact::{Actor, BASE_MAX, Draft, Fact, Kind, Made, MembershipFact};
use crate::ids::{DeviceId, EntryId, LogId, ResidentId, StaffId};
use crate::order::Version;
use crate::picture::{Picture, ResidentPicture};
use crate::refusal::{EntryRefusal, Missing, Refusal, WhoRefusal};
use crate::settings::Settings;
use crate::staff::{Act, Employment, Staff};
use crate::time::{Minutes, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is not in the record and yet needed to decide.
pub struct Context<'c> {
    /// The time, read once at the edge.
    pub now: Timestamp,
    /// The device that decides.
    pub device: DeviceId,
    /// The devices heard just now; the others that count are *unheard* (W-16).
    pub heard: &'c BTreeSet<DeviceId>,
    /// The devices that were heard to run since they ended cleanly, though they have not said so: they
    /// count again.
    pub awake: &'c BTreeSet<DeviceId>,
    /// When each device was last heard, by this device's clock; missing means never.
    pub last_heard: &'c BTreeMap<DeviceId, Timestamp>,
    /// Whether the device's clock can be believed (T-07).
    pub clock: &'c ClockStanding,
    /// How far each log is held here.
    pub held: &'c [(LogId, u64)],
    /// Random bytes for new ids.
    pub fresh: &'c mut dyn FnMut() -> [u8; 16],
}

/// A device counts as active for W-08 when it was heard within this.
pub const ACTIVE_WITHIN: Minutes = Minutes(14 * 24 * 60);

/// Decides a command.
///
/// # Errors
/// With the reason, as data with its rule's number. Nothing was written then.
pub fn decide(
    picture: &Picture,
    command: &Command,
    context: &mut Context<'_>,
) -> Result<Vec<Draft>, Refusal> {
    if picture.home.founding().is_none() {
        return Err(Missing::Home.into());
    }
    let mut decision = Decision { picture, command, context };
    decision.device_may()?;
    for text in command.texts() {
        text.check().map_err(EntryRefusal::from)?;
    }
    decision.clock_may()?;
    let drafts = match &command.ask {
        Ask::Home(ask) => decision.home(ask)?,
        Ask::Resident(id, ask) => decision.resident(*id, ask)?,
        Ask::Order(id, ask) => decision.order(*id, ask)?,
        Ask::Dose(id, ask) => decision.dose(*id, ask)?,
    };
    decision.readable_by_all(&drafts)?;
    Ok(drafts)
}

/// One command under decision.
struct Decision<'d, 'c, 'x> {
    picture: &'d Picture,
    command: &'d Command,
    context: &'x mut Context<'c>,
}

impl<'d> Decision<'d, '_, '_> {
    const fn now(&self) -> Timestamp {
        self.context.now
    }

    fn fresh(&mut self) -> [u8; 16] {
        (self.context.fresh)()
    }

    /// The settings in force now.
    fn settings(&self) -> Result<&'d Settings, Refusal> {
        let today = self.now().utc().date_naive();
        let home = &self.picture.home;
        let first = home.settings_on(today).ok_or(Missing::Home)?;
        Ok(home.settings_on(self.now().civil(first.zone).date()).unwrap_or(first))
    }

    fn device_may(&self) -> Result<(), Refusal> {
        let Some(device) = self.picture.home.devices().get(&self.context.device) else {
            return Err(Missing::Home.into());
        };
        if device.enrolment().is_none() {
            return Err(Missing::Home.into());
        }
        if !device.is_active() {
            return Err(WhoRefusal::Revoked.into());
        }
        Ok(())
    }

    fn clock_may(&self) -> Result<(), Refusal> {
        if self.is_rescue() {
            return Ok(());
        }
        let zone = self.settings().map_or(chrono_tz::Europe::London, |settings| settings.zone);
        self.context.clock.may_record(&self.command.ask, &self.picture.home, zone)
    }

    /// Whether a dose of a rescue medicine is told: no clock holds it up (W-05).
    fn is_rescue(&self) -> bool {
        let Ask::Dose(resident, ask) = &self.command.ask else { return false };
        let Some(resident) = self.picture.resident(*resident) else { return false };
        let rescue = |version: &Version| version.content.flags.rescue;
        match ask {
            AskDose::Prn { order, .. } => {
                let history = resident.orders.get(order);
                history.and_then(|history| history.best_version(self.now())).is_some_and(rescue)
            }
            AskDose::Pop { slot, .. } | AskDose::Record { slot, .. } => {
                let mut orders = resident.orders.values();
                orders.any(|order| order.version(slot.version).is_some_and(|v| rescue(v.version)))
            }
            AskDose::NoteEffect { .. } | AskDose::Correct { .. } => false,
        }
    }

    /// Whether the clock is so wrong that the times of what is recorded are not to be believed.
    fn clock_is_red(&self) -> bool {
        self.context.clock.level() == ClockLevel::Red
    }

    fn is_observer(&self) -> bool {
        let device = self.picture.home.devices().get(&self.context.device);
        device
            .and_then(|d| d.enrolment())
            .is_some_and(|(_, role)| role == crate::fact::DeviceRole::Observer)
    }

    /// The person who asks, if they may do `act`; with the fact they act under.
    fn person(&self, act: Act) -> Result<(StaffId, &'d Staff, EntryId), Refusal> {
        let Actor::Staff(id) = self.command.actor else {
            return Err(WhoRefusal::NeedsPerson.into());
        };
        if self.is_observer() && act != Act::Read && act != Act::Print {
            return Err(WhoRefusal::Observer.into());
        }
        let (staff, authority) = self.active(id)?;
        if !staff.role.may(act) {
            return Err(WhoRefusal::Role { role: staff.role, act }.into());
        }
        Ok((id, staff, authority))
    }

    fn active(&self, id: StaffId) -> Result<(&'d Staff, EntryId), Refusal> {
        let record = self.picture.home.staff().get(&id).ok_or(Missing::Staff)?;
        let staff = record.current().ok_or(Missing::Staff)?;
        if staff.standing != Employment::Active {
            return Err(WhoRefusal::NotActive.into());
        }
        Ok((staff, record.authority().ok_or(Missing::Staff)?))
    }

    /// The witness of the command with the fact they act under; `None` when none was named.
    fn witness(&self) -> Result<Option<(StaffId, EntryId)>, Refusal> {
        let Some(id) = self.command.witness else {
            return Ok(None);
        };
        if self.command.actor == Actor::Staff(id) {
            return Err(WhoRefusal::WitnessIsActor.into());
        }
        let (_, authority) = self.active(id)?;
        Ok(Some((id, authority)))
    }

    fn may_witness(&self, id: StaffId) -> bool {
        self.active(id).is_ok_and(|(staff, _)| staff.may_witness)
    }

    /// What every fact of this command begins with. `base` is cut to the newest that fit.
    fn made(&self, authority: EntryId, base: Vec<EntryId>) -> Result<Made, Refusal> {
        let mut base = base;
        base.dedup();
        let surplus = base.len().saturating_sub(BASE_MAX);
        base.drain(..surplus);
        Ok(Made {
            command: self.command.id,
            actor: self.command.actor,
            authority,
            witness: self.witness()?,
            base,
        })
    }

    /// What the device itself acts under.
    fn device_authority(&self) -> Result<EntryId, Refusal> {
        let device = self.picture.home.devices().get(&self.context.device);
        Ok(device.and_then(|d| d.authority()).ok_or(Missing::Home)?)
    }

    fn resident_picture(&self, id: ResidentId) -> Result<&'d Arc<ResidentPicture>, Refusal> {
        Ok(self.picture.resident(id).ok_or(Missing::Resident(id))?)
    }

    /// A clinical kind is written only when every active device can read it (W-08). Active:
    /// enrolled, not revoked, no observer, heard within 14 days.
    fn readable_by_all(&self, drafts: &[Draft]) -> Result<(), Refusal> {
        let clinical: BTreeSet<u16> = drafts
            .iter()
            .filter_map(|d| d.fact.kind())
            .filter(|kind| kind.class & crate::fact::CLINICAL != 0)
            .map(|kind: Kind| kind.number)
            .collect();
        if clinical.is_empty() {
            return Ok(());
        }
        for (id, device) in self.picture.home.devices() {
            let observer = device
                .enrolment()
                .is_none_or(|(_, role)| role == crate::fact::DeviceRole::Observer);
            let heard = self
                .context
                .last_heard
                .get(id)
                .is_some_and(|at| *at >= self.now().minus(ACTIVE_WITHIN));
            if *id == self.context.device || observer || !device.is_active() || !heard {
                continue;
            }
            // A device that has not said anything yet was enrolled by a program of today.
            let Some(reads) = reads_of(device) else {
                continue;
            };
            if clinical.iter().any(|number| !reads.contains(number)) {
                return Err(WhoRefusal::PeersNeedUpdate(self.picture.home.device_name(*id)).into());
            }
        }
        Ok(())
    }

    fn unheard(&self) -> Vec<DeviceId> {
        to_ask_for(self.picture, self.context.device, self.context.heard, self.context.awake)
    }
}

/// Returns the counted devices that are unheard, about which a giver on `own` asks (W-16): their
/// role can give and they did not end cleanly. A device that observes or is parked does not count; one
/// of those that are `awake` was heard to run since it was parked, and counts.
///
/// A parked device that wakes without hearing anybody cannot know who else woke: it asks for
/// all of them, parked or not.
#[must_use]
pub fn to_ask_for(
    picture: &Picture,
    own: DeviceId,
    heard: &BTreeSet<DeviceId>,
    awake: &BTreeSet<DeviceId>,
) -> Vec<DeviceId> {
    let home = &picture.home;
    let woke_alone = heard.is_empty()
        && home.devices().get(&own).is_some_and(crate::picture::DeviceRecord::is_parked);
    members(picture, own)
        .filter(|id| (woke_alone || counts(picture, id, awake)) && !heard.contains(id))
        .collect()
}

/// Returns the devices other than `own` that count for "not heard" warnings (W-16), those that are
/// `awake` although they are parked among them.
pub fn counted_devices(
    picture: &Picture,
    own: DeviceId,
    awake: &BTreeSet<DeviceId>,
) -> impl Iterator<Item = DeviceId> {
    members(picture, own).filter(|id| counts(picture, id, awake))
}

fn counts(picture: &Picture, id: &DeviceId, awake: &BTreeSet<DeviceId>) -> bool {
    let record = picture.home.devices().get(id);
    record.is_some_and(|device| !device.is_parked() || awake.contains(id))
}

/// Returns the active devices other than `own` whose role can give, parked or not.
pub fn members(picture: &Picture, own: DeviceId) -> impl Iterator<Item = DeviceId> {
    picture.home.devices().iter().filter_map(move |(id, device)| {
        let member =
            device.enrolment().is_some_and(|(_, role)| role == crate::fact::DeviceRole::Member);
        (*id != own && member && device.is_active()).then_some(*id)
    })
}

fn reads_of(device: &crate::picture::DeviceRecord) -> Option<BTreeSet<u16>> {
    crate::picture::counting(&device.reads).last().and_then(|w| {
        if let Fact::Membership(MembershipFact::DeviceReads { accepts, .. }) = &w.fact {
            Some(accepts.iter().map(|a| a.kind).collect())
        } else {
            None
        }
    })
}

/// Returns an error when a text that must be there is blank.
fn named(text: &str, what: &'static str) -> Result<(), Refusal> {
    if text.trim().is_empty() { Err(EntryRefusal::Blank(what).into()) } else { Ok(()) }
}
