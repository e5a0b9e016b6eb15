//! The home, its staff, devices and logs, folded.

use super::{Recorded, Standing, Writes, counting, heads};
use crate::fact::{
    DeviceKeys, DeviceRole, Enrolled, Fact, Founding, HomeFact, LogStart, MembershipFact, Revoked,
    SealedSecret,
};
use crate::ids::{DeviceId, EntryId, LogId, StaffId};
use crate::settings::Settings;
use crate::staff::{Employment, Staff};
use crate::time::Timestamp;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The home as the entries held tell it.
#[derive(Debug, Clone, Default)]
pub struct HomePicture {
    /// The founding; `None` until it is held.
    founded: Option<Arc<Recorded>>,
    settings: Writes,
    staff: BTreeMap<StaffId, StaffRecord>,
    devices: BTreeMap<DeviceId, DeviceRecord>,
    logs: BTreeMap<LogId, (LogStart, Arc<Recorded>)>,
    secrets: Writes,
    typed_times: Writes,
    /// Membership and home entries of kinds that are not known here.
    unknown: Writes,
}

/// One member of staff, with all that was ever written of them.
#[derive(Debug, Clone, Default)]
pub struct StaffRecord {
    /// What was written, by entry.
    pub writes: Writes,
    /// PIN verifiers, by entry.
    pub pins: Writes,
}

/// One device of the home.
#[derive(Debug, Clone, Default)]
pub struct DeviceRecord {
    /// Its enrolments, or the founding.
    pub enrolled: Writes,
    /// Its revocations.
    pub revoked: Writes,
    /// When it was parked and came back.
    pub parked: Writes,
    /// What it can read.
    pub reads: Writes,
}

impl StaffRecord {
    /// Returns what is known of them now; on a conflict the last write, and whoever is suspended in
    /// one of the conflicting writes is suspended: the safe side.
    #[must_use]
    pub fn current(&self) -> Option<&Staff> {
        let heads = heads(self.writes.values());
        let suspended = heads.iter().rev().find_map(|w| {
            details(w).filter(|d| matches!(d.standing, Employment::Suspended { .. }))
        });
        suspended.or_else(|| heads.last().and_then(|w| details(w)))
    }

    /// Returns the entry acted under now; `None` when nothing is in force.
    #[must_use]
    pub fn authority(&self) -> Option<EntryId> {
        let heads = heads(self.writes.values());
        let suspended = heads.iter().rev().find(|w| {
            details(w).is_some_and(|d| matches!(d.standing, Employment::Suspended { .. }))
        });
        suspended.or(heads.last()).map(|w| w.id)
    }

    /// Returns the heads that a new write of them should name.
    #[must_use]
    pub fn heads(&self) -> Vec<EntryId> {
        heads(self.writes.values()).iter().map(|w| w.id).collect()
    }

    /// Returns the PIN verifier in force: its generation and sealed bytes.
    #[must_use]
    pub fn pin(&self) -> Option<(u32, &[u8])> {
        counting(&self.pins).last().and_then(|w| {
            if let Fact::Home(HomeFact::PinSet { generation, sealed, .. }) = &w.fact {
                Some((*generation, sealed.as_slice()))
            } else {
                None
            }
        })
    }
}

/// Orders entries of which only one can hold: the earliest in its log, then by stamp and id.
fn place(entry: &Recorded) -> (u64, crate::picture::Stamp, EntryId) {
    (entry.stamp.sequence, entry.stamp, entry.id)
}

/// Returns the staff details an entry writes; `None` for any other entry.
#[must_use]
fn details(entry: &Recorded) -> Option<&Staff> {
    if let Fact::Home(HomeFact::StaffWritten { details, .. }) = &entry.fact {
        Some(details)
    } else {
        None
    }
}

/// Returns the secret an entry seals; `None` for any other entry.
fn sealed(entry: &Arc<Recorded>) -> Option<&SealedSecret> {
    if let Fact::Membership(MembershipFact::SecretSealed(secret)) = &entry.fact {
        Some(secret)
    } else {
        None
    }
}

impl DeviceRecord {
    /// Returns its keys and role; `None` when it is no device of the home.
    #[must_use]
    pub fn enrolment(&self) -> Option<(&DeviceKeys, DeviceRole)> {
        counting(&self.enrolled).last().and_then(|w| {
            if let Fact::Membership(MembershipFact::DeviceEnrolled(Enrolled { keys, role })) =
                &w.fact
            {
                Some((keys, *role))
            } else if let Fact::Membership(MembershipFact::HomeFounded(founding)) = &w.fact {
                Some((&founding.device, DeviceRole::Member))
            } else {
                None
            }
        })
    }

    /// Returns the entry under which the device itself acts.
    #[must_use]
    pub fn authority(&self) -> Option<EntryId> {
        counting(&self.enrolled).last().map(|w| w.id)
    }

    /// Whether it is enrolled and not revoked. A revocation is final: a device that was put out
    /// comes back with a new identity.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.enrolment().is_some() && counting(&self.revoked).is_empty()
    }

    /// Returns its revocations that count.
    pub fn revocations(&self) -> impl Iterator<Item = (&Arc<Recorded>, &Revoked)> {
        self.revoked.values().filter(|w| w.standing.counts()).filter_map(|w| {
            if let Fact::Membership(MembershipFact::DeviceRevoked(revoked)) = &w.fact {
                Some((w, revoked))
            } else {
                None
            }
        })
    }

    /// Whether it ended cleanly and has not come back (W-16).
    #[must_use]
    pub fn is_parked(&self) -> bool {
        counting(&self.parked).last().is_some_and(|w| {
            matches!(&w.fact, Fact::Membership(MembershipFact::DeviceParked { parked: true, .. }))
        })
    }
}

impl HomePicture {
    pub(super) fn apply(&mut self, entry: &Arc<Recorded>) {
        match &entry.fact {
            Fact::Membership(fact) => self.apply_membership(entry, fact),
            Fact::Home(HomeFact::SettingsSet(_)) => {
                self.settings.insert(entry.id, entry.clone());
            }
            Fact::Home(HomeFact::StaffWritten { staff, .. }) => {
                self.staff.entry(*staff).or_default().writes.insert(entry.id, entry.clone());
            }
            Fact::Home(HomeFact::PinSet { staff, .. }) => {
                self.staff.entry(*staff).or_default().pins.insert(entry.id, entry.clone());
            }
            Fact::Home(HomeFact::TimeTyped { .. }) => {
                self.typed_times.insert(entry.id, entry.clone());
            }
            // A fact about a resident with no subject is malformed in substance: kept, not used.
            Fact::Unknown
            | Fact::Resident(_)
            | Fact::Order(_)
            | Fact::Dose(_)
            | Fact::FollowUp(_)
            | Fact::Access(_) => {
                self.unknown.insert(entry.id, entry.clone());
            }
        }
    }

    fn apply_membership(&mut self, entry: &Arc<Recorded>, fact: &MembershipFact) {
        let own = |id: DeviceId,
                   devices: &mut BTreeMap<DeviceId, DeviceRecord>,
                   pick: fn(&mut DeviceRecord) -> &mut Writes| {
            pick(devices.entry(id).or_default()).insert(entry.id, entry.clone());
        };
        match fact {
            MembershipFact::LogStarted(start) => {
                // A log has one start; of two branches both devices take the same one.
                let held = self.logs.get(&entry.stamp.log);
                if held.is_none_or(|(_, h)| place(entry) <= place(h)) {
                    self.logs.insert(entry.stamp.log, (start.clone(), entry.clone()));
                }
            }
            MembershipFact::HomeFounded(founding) => {
                // A home is founded once; `store` lets no other founding come this far.
                if self.founded.as_ref().is_none_or(|h| place(entry) <= place(h)) {
                    self.founded = Some(entry.clone());
                }
                own(founding.device.device, &mut self.devices, |d| &mut d.enrolled);
            }
            MembershipFact::DeviceEnrolled(enrolled) => {
                own(enrolled.keys.device, &mut self.devices, |d| &mut d.enrolled);
            }
            MembershipFact::DeviceRevoked(revoked) => {
                own(revoked.device, &mut self.devices, |d| &mut d.revoked)
            }
            MembershipFact::DeviceParked { device, .. } => {
                own(*device, &mut self.devices, |d| &mut d.parked)
            }
            MembershipFact::DeviceReads { device, .. } => {
                own(*device, &mut self.devices, |d| &mut d.reads)
            }
            MembershipFact::SecretSealed(_) => {
                self.secrets.insert(entry.id, entry.clone());
            }
        }
    }

    /// Whether an entry about the home is held that this program cannot read, and that may change
    /// what is shown of residents (Y-11). One that is outside the record stops nothing.
    #[must_use]
    pub fn needs_update(&self) -> bool {
        self.unread().next().is_some()
    }

    /// Returns the home's entries that this program cannot read and that are part of the record.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &Arc<Recorded>> {
        self.unknown.values().filter(|w| {
            w.fact == Fact::Unknown && w.kind.is_missed() && w.standing != Standing::Quarantined
        })
    }

    /// Returns the founding; `None` until it is held.
    #[must_use]
    pub fn founding(&self) -> Option<&Founding> {
        self.founded.as_ref().and_then(|w| {
            if let Fact::Membership(MembershipFact::HomeFounded(founding)) = &w.fact {
                Some(founding)
            } else {
                None
            }
        })
    }

    /// Returns the founding's entry.
    #[must_use]
    pub fn founding_entry(&self) -> Option<&Arc<Recorded>> {
        self.founded.as_ref()
    }

    /// Whether this is a practice home: PRACTICE is drawn from this and from nothing else.
    #[must_use]
    pub fn is_practice(&self) -> bool {
        self.founding().is_some_and(|f| f.practice)
    }

    /// Returns the settings in force on a civil date: of those that count and start on or before
    /// it, the one with the latest start, then the latest written. Before all of them, the first.
    #[must_use]
    pub fn settings_on(&self, date: NaiveDate) -> Option<&Settings> {
        let all = || {
            self.settings.values().filter(|w| w.standing.counts()).filter_map(|w| {
                if let Fact::Home(HomeFact::SettingsSet(settings)) = &w.fact {
                    Some((settings.from, w.stamp, settings))
                } else {
                    None
                }
            })
        };
        let held =
            all().filter(|(from, ..)| *from <= date).max_by_key(|(from, stamp, _)| (*from, *stamp));
        held.or_else(|| all().min_by_key(|(from, stamp, _)| (*from, *stamp))).map(|(.., s)| s)
    }

    /// Returns the staff, by id.
    #[must_use]
    pub fn staff(&self) -> &BTreeMap<StaffId, StaffRecord> {
        &self.staff
    }

    /// Returns one member of staff as known now.
    #[must_use]
    pub fn person(&self, id: StaffId) -> Option<&Staff> {
        self.staff.get(&id).and_then(StaffRecord::current)
    }

    /// Returns the active member of staff with these initials, without regard to case, or this id.
    #[must_use]
    pub fn find_staff(&self, text: &str) -> Option<StaffId> {
        if let Ok(id) = text.parse() {
            return self.staff.contains_key(&id).then_some(id);
        }
        let fits = |record: &StaffRecord| {
            record.current().is_some_and(|s| {
                s.initials.eq_ignore_ascii_case(text) && s.standing == Employment::Active
            })
        };
        let mut found = self.staff.iter().filter(|(_, r)| fits(r)).map(|(id, _)| *id);
        // Two people with the same initials wrote apart: ask for the id.
        found.next().filter(|_| found.next().is_none())
    }

    /// Returns the devices, by id.
    #[must_use]
    pub fn devices(&self) -> &BTreeMap<DeviceId, DeviceRecord> {
        &self.devices
    }

    /// Returns the name of a device, or its id where it has none.
    #[must_use]
    pub fn device_name(&self, id: DeviceId) -> String {
        let name =
            self.devices.get(&id).and_then(|d| d.enrolment().map(|(keys, _)| keys.name.clone()));
        name.unwrap_or_else(|| id.to_string())
    }

    /// Returns by how many enrolments a device is away from the founding: 0 for the device that
    /// founded the home, 1 for those it enrolled. Of several ways the shortest counts, whatever
    /// became of the enrolments, so that it is the same while they are being judged. `None` when no
    /// way is held.
    #[must_use]
    pub fn steps_from_founding(&self, device: DeviceId) -> Option<u32> {
        let founding = self.founding()?.device.device;
        let mut reached = BTreeSet::from([device]);
        let mut ring = reached.clone();
        for steps in 0.. {
            if ring.contains(&founding) {
                return Some(steps);
            }
            let records = ring.iter().filter_map(|id| self.devices.get(id));
            let enrollers = records.flat_map(|record| record.enrolled.values());
            ring = enrollers.filter_map(|w| self.owner(w.stamp.log)).collect();
            ring.retain(|id| reached.insert(*id));
            if ring.is_empty() {
                return None;
            }
        }
        None
    }

    /// Returns the logs and whose they are.
    #[must_use]
    pub fn logs(&self) -> &BTreeMap<LogId, (LogStart, Arc<Recorded>)> {
        &self.logs
    }

    /// Returns the device whose log this is.
    #[must_use]
    pub fn owner(&self, log: LogId) -> Option<DeviceId> {
        self.logs.get(&log).map(|(start, _)| start.device)
    }

    /// Returns the times that people typed on the home's devices, in order, as far as they count:
    /// the entry, what its device showed, and what was typed.
    pub fn typed_times(&self) -> impl Iterator<Item = (&Arc<Recorded>, Timestamp, Timestamp)> {
        counting(&self.typed_times).into_iter().filter_map(|w| {
            if let Fact::Home(HomeFact::TimeTyped { showed, typed }) = &w.fact {
                Some((w, *showed, *typed))
            } else {
                None
            }
        })
    }

    /// Returns the home's sealed secrets that count, oldest generation first.
    #[must_use]
    pub fn secrets(&self) -> Vec<&SealedSecret> {
        let mut found: Vec<_> = counting(&self.secrets).into_iter().filter_map(sealed).collect();
        found.sort_by_key(|s| s.generation);
        found
    }

    /// Returns the sealed secrets that may be put to new use, the best last: those of the latest
    /// generation, and of these what its maker sealed after what was passed on to a device that
    /// joined. None of a device that was put out since, for it knows them, also where another
    /// device passed them on; and none beyond [`Self::last_generation`].
    #[must_use]
    pub fn secrets_to_use(&self) -> Vec<&SealedSecret> {
        let in_order = 1..=self.last_generation();
        let active = |w: &Recorded| {
            w.device.and_then(|d| self.devices.get(&d)).is_some_and(DeviceRecord::is_active)
        };
        // Whoever makes a secret seals it to itself too; whoever passes one on, to the joiner only.
        let is_made = |w: &Recorded, secret: &SealedSecret| {
            secret.sealed.iter().any(|(device, _)| w.device == Some(*device))
        };
        let mut found: Vec<(bool, &SealedSecret)> = counting(&self.secrets)
            .into_iter()
            .filter(|w| active(w))
            .filter_map(|w| sealed(w).map(|secret| (is_made(w, secret), secret)))
            .filter(|(_, secret)| in_order.contains(&secret.generation))
            .collect();
        let made: BTreeSet<u32> =
            found.iter().filter(|(made, _)| *made).map(|(_, s)| s.generation).collect();
        found.retain(|(_, secret)| made.contains(&secret.generation));
        found.sort_by_key(|(made, secret)| (secret.generation, *made));
        found.into_iter().map(|(_, secret)| secret).collect()
    }

    /// Returns the last generation of the home's secret to which each number leads from 1 on,
    /// whatever became of those that sealed it; 0 when there is none. A number beyond a gap is no
    /// generation: a device that is put out could leave one that is never surpassed.
    #[must_use]
    pub fn last_generation(&self) -> u32 {
        let held = self.secrets.values().filter_map(sealed).map(|secret| secret.generation);
        held.collect::<BTreeSet<u32>>().into_iter().fold(0, |last, generation| {
            if last.checked_add(1) == Some(generation) { generation } else { last }
        })
    }

    /// Returns every entry that can be acted under, counting or not: staff and enrolment facts, and
    /// the founding.
    pub fn authorities(&self) -> impl Iterator<Item = &Arc<Recorded>> {
        let staff = self.staff.values().flat_map(|s| s.writes.values());
        staff.chain(self.devices.values().flat_map(|d| d.enrolled.values()))
    }

    /// Returns the entry with this id if it is one that can be acted under: a staff or enrolment
    /// fact, or the founding.
    #[must_use]
    pub fn authority(&self, id: EntryId) -> Option<&Arc<Recorded>> {
        let staff = self.staff.values().find_map(|s| s.writes.get(&id));
        staff.or_else(|| self.devices.values().find_map(|d| d.enrolled.get(&id)))
    }
}
