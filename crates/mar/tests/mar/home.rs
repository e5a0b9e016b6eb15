//! A home in memory: devices with logs that are cut off and heal, staff, residents and orders.
//! What `store` does on the disk is done here on maps, with made-up hashes for real ones.

use chrono::NaiveDateTime;
use mar::clock::ClockStanding;
use mar::command::{Ask, AskHome, AskOrder, AskResident, Command};
use mar::decide::{Context, decide};
use mar::fact::{
    Actor, DeviceKeys, DeviceRole, DoseFact, Draft, Fact, Founding, Kind, LogStart, Made,
    MembershipFact, SealedSecret,
};
use mar::ids::{
    AdministrationId, CommandId, DeviceId, EntryId, HomeId, LogId, OrderId, ResidentId, StaffId,
};
use mar::order::Content;
use mar::picture::{Picture, Recorded, ResidentPicture, Stamp, Standing};
use mar::refusal::Refusal;
use mar::resident::Identity;
use mar::settings::Settings;
use mar::staff::{Employment, Role, Staff};
use mar::standing::{judge, reopened};
use mar::time::{Period, Timestamp, at_civil};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The zone of the home in these tests.
pub(crate) const ZONE: mar::time::Tz = chrono_tz::Europe::London;

/// Reads `2026-11-21T08:00` as London's civil time.
#[track_caller]
pub(crate) fn at(text: &str) -> Timestamp {
    if let Some(instant) = Timestamp::from_rfc3339(&text.replace('Z', ":00Z")) {
        return instant;
    }
    let civil = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").expect("a civil time");
    at_civil(ZONE, civil.date(), civil.time())
}

/// Scatters a number over 32 bytes, as a hash would.
pub(crate) fn scattered(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut state = number;
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&next(&mut state).to_be_bytes());
    }
    bytes
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn id16(number: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&scattered(number)[..16]);
    id
}

/// Everything one device holds, judged and folded as `store` does it.
#[derive(Default, Clone)]
pub(crate) struct Held {
    pub(crate) picture: Picture,
    entries: BTreeMap<EntryId, Arc<Recorded>>,
}

impl Held {
    /// Takes in entries in the order given, judging again what they open. Twice changes nothing.
    pub(crate) fn take(&mut self, batch: &[Arc<Recorded>]) {
        let new: Vec<_> =
            batch.iter().filter(|e| !self.entries.contains_key(&e.id)).cloned().collect();
        for entry in &new {
            self.entries.insert(entry.id, entry.clone());
        }
        let changed = if new.iter().any(|e| is_home(e)) { self.settle(&new) } else { Vec::new() };
        let mut open: BTreeMap<LogId, u64> = BTreeMap::new();
        let mut unknown = false;
        for entry in &changed {
            let again = reopened(&self.picture.home, entry);
            unknown |= again.unknown;
            for (log, from) in again.logs {
                let known = open.entry(log).or_insert(from);
                *known = (*known).min(from);
            }
        }
        let is_new: BTreeSet<EntryId> = new.iter().map(|e| e.id).collect();
        let due: Vec<_> = self
            .entries
            .values()
            .filter(|e| !is_home(e))
            .filter(|e| {
                is_new.contains(&e.id)
                    || (unknown && e.standing == Standing::Unknown)
                    || open.get(&e.stamp.log).is_some_and(|from| e.stamp.sequence >= *from)
            })
            .cloned()
            .collect();
        for entry in due {
            self.put(self.judged(&entry));
        }
    }

    fn put(&mut self, entry: Recorded) {
        let entry = Arc::new(entry);
        self.entries.insert(entry.id, entry.clone());
        self.picture.apply(&entry);
    }

    fn judged(&self, entry: &Recorded) -> Recorded {
        let device = self.picture.home.owner(entry.stamp.log);
        let entry = Recorded { device, ..entry.clone() };
        Recorded { standing: judge(&self.picture.home, &entry), ..entry }
    }

    /// Judges the home's entries together, always from the same start: as if all were in force.
    fn settle(&mut self, new: &[Arc<Recorded>]) -> Vec<Arc<Recorded>> {
        let before: BTreeMap<EntryId, Standing> =
            self.home_entries().map(|e| (e.id, e.standing)).collect();
        let mut home: Vec<Recorded> = self
            .home_entries()
            .map(|e| Recorded { standing: Standing::InForce, ..(**e).clone() })
            .collect();
        for round in 0.. {
            assert!(round < 64, "the home's entries never settle");
            let mut picture = Picture::default();
            for entry in &home {
                picture.apply(&Arc::new(entry.clone()));
            }
            self.picture.home = picture.home;
            let judged: Vec<Recorded> = home.iter().map(|e| self.judged(e)).collect();
            if judged == home {
                break;
            }
            home = judged;
        }
        let is_new: BTreeSet<EntryId> = new.iter().map(|e| e.id).collect();
        let mut changed = Vec::new();
        for entry in home.into_iter().map(Arc::new) {
            let was = before.get(&entry.id).filter(|_| !is_new.contains(&entry.id));
            if was != Some(&entry.standing) {
                changed.push(entry.clone());
            }
            self.entries.insert(entry.id, entry);
        }
        changed
    }

    fn home_entries(&self) -> impl Iterator<Item = &Arc<Recorded>> {
        self.entries.values().filter(|e| is_home(e))
    }

    /// Every entry with its standing, in the order of their ids.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Recorded>> {
        self.entries.values()
    }

    /// Returns how an entry stands here.
    #[track_caller]
    pub(crate) fn standing(&self, id: EntryId) -> Standing {
        self.entries.get(&id).expect("an entry that is held").standing
    }

    fn places(&self) -> Vec<(LogId, u64)> {
        let mut places: BTreeMap<LogId, u64> = BTreeMap::new();
        for entry in self.entries.values() {
            let place = places.entry(entry.stamp.log).or_default();
            *place = (*place).max(entry.stamp.sequence);
        }
        places.into_iter().collect()
    }
}

fn is_home(entry: &Recorded) -> bool {
    entry.subject.is_none() && entry.fact.period() == Period::Lifelong
}

/// One device of the home.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) log: LogId,
    next: u64,
    clock: u64,
    /// How far its wall clock is ahead, in milliseconds.
    pub(crate) ahead: i64,
    /// Whether it hears nobody.
    pub(crate) apart: bool,
    pub(crate) held: Held,
}

/// The home. Staff are named by their initials.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) now: Timestamp,
    pub(crate) devices: Vec<Device>,
    pub(crate) staff: BTreeMap<&'static str, StaffId>,
    /// The second person who stands beside whoever asks.
    pub(crate) witness: Option<&'static str>,
    /// How the clock of whichever device is asked stands.
    pub(crate) clock: ClockStanding,
    counter: u64,
}

/// The staff every home here has: initials, role, whether they may witness.
pub(crate) const STAFF: [(&str, Role, bool); 9] = [
    ("MM", Role::Manager, true),
    ("NU", Role::Nurse, true),
    ("SC", Role::Senior, true),
    ("CA", Role::Carer, false),
    ("CB", Role::Carer, true),
    ("CT", Role::CarerTopical, false),
    ("PX", Role::Professional, false),
    ("IX", Role::Inspector, false),
    ("AX", Role::Administrator, false),
];

impl Home {
    /// Founds a home with one device and the staff of [`STAFF`].
    pub(crate) fn founded(now: &str) -> Self {
        Self::founded_with(now, |_| {})
    }

    /// The same with settings changed before they are written.
    pub(crate) fn founded_with(now: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let mut home = Self {
            now: at(now),
            devices: Vec::new(),
            staff: BTreeMap::new(),
            witness: None,
            clock: ClockStanding::default(),
            counter: 1,
        };
        home.add_device();
        let device = home.keys(0);
        home.write(
            0,
            None,
            None,
            Fact::Membership(MembershipFact::HomeFounded(Founding {
                home: HomeId(scattered(7)),
                name: "Willow House".into(),
                practice: true,
                device,
                recovery_recipient: "age1".into(),
            })),
        );
        let mut settings =
            Settings::new("Willow House", home.now.minus(mar::time::DAY).civil(ZONE).date());
        change(&mut settings);
        home.ask_as(0, Actor::Device, Ask::Home(AskHome::SetSettings(settings))).expect("settings");
        for (initials, role, may_witness) in STAFF {
            let id = StaffId(id16(home.count()));
            let details = Staff {
                name: format!("{initials} Person"),
                initials: initials.into(),
                role,
                may_witness,
                standing: Employment::Active,
            };
            let actor = home.staff.get("MM").map_or(Actor::Device, |id| Actor::Staff(*id));
            let ask = Ask::Home(AskHome::WriteStaff { staff: id, details });
            home.ask_as(0, actor, ask).expect("staff");
            home.staff.insert(initials, id);
        }
        let sealed = vec![(home.devices[0].id, vec![1])];
        let secret = SealedSecret { generation: 1, sealed, recovery: vec![1], because: None };
        home.ask(0, "MM", Ask::Home(AskHome::SealSecret(secret))).expect("a secret");
        home
    }

    pub(crate) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn keys(&self, device: usize) -> DeviceKeys {
        DeviceKeys {
            device: self.devices[device].id,
            recipient: format!("age{device}"),
            name: format!("Device {device}"),
        }
    }

    fn add_device(&mut self) -> usize {
        let number = self.devices.len();
        let device = Device {
            id: DeviceId(scattered(1_000_000 + number as u64)),
            log: LogId(scattered(2_000_000 + number as u64)),
            next: 0,
            clock: 0,
            ahead: 0,
            apart: false,
            held: Held::default(),
        };
        let start =
            LogStart { device: device.id, incarnation: 0, earlier: None, certificate: [0; 64] };
        self.devices.push(device);
        self.write(number, None, None, Fact::Membership(MembershipFact::LogStarted(start)));
        number
    }

    /// Enrols one more device, which then holds everything.
    pub(crate) fn enrol(&mut self, role: DeviceRole) -> usize {
        self.enrol_by(0, role)
    }

    /// The same on a device that is named.
    pub(crate) fn enrol_by(&mut self, by: usize, role: DeviceRole) -> usize {
        let number = self.add_device();
        let keys = self.keys(number);
        self.ask(by, "MM", Ask::Home(AskHome::EnrolDevice { keys, role })).expect("an enrolment");
        let all: Vec<_> = self.devices[0].held.all().cloned().collect();
        self.devices[number].held.take(&all);
        self.spread();
        number
    }

    /// Writes a fact into a device's log without asking any rule, and shows it to those it hears.
    pub(crate) fn write(
        &mut self,
        device: usize,
        made: Option<Made>,
        subject: Option<ResidentId>,
        fact: Fact,
    ) -> Arc<Recorded> {
        let kind = fact.kind().unwrap_or(Kind { class: 3 | mar::fact::CLINICAL, number: 999 });
        self.write_kind(device, kind, Draft { subject, made, fact })
    }

    /// The same with a kind that is named: for kinds that are not known here.
    pub(crate) fn write_kind(&mut self, device: usize, kind: Kind, draft: Draft) -> Arc<Recorded> {
        let number = self.count();
        let wall = Timestamp(self.now.0 + self.devices[device].ahead);
        let writer = &mut self.devices[device];
        let millis = u64::try_from(wall.0).expect("a time after 1970") << 16;
        writer.clock = millis.max(writer.clock + 1);
        let stamp = Stamp { clock: writer.clock, log: writer.log, sequence: writer.next };
        writer.next += 1;
        let entry = Arc::new(Recorded {
            id: EntryId::of_hash(&scattered(number)),
            stamp,
            device: None,
            wall,
            kind,
            kind_version: 1,
            subject: draft.subject,
            made: draft.made,
            fact: draft.fact,
            standing: Standing::Unknown,
        });
        writer.held.take(std::slice::from_ref(&entry));
        self.spread();
        entry
    }

    /// Copies what each device that is not apart holds to all the others that are not.
    pub(crate) fn spread(&mut self) {
        let linked: Vec<usize> =
            (0..self.devices.len()).filter(|d| !self.devices[*d].apart).collect();
        let mut all: BTreeMap<EntryId, Arc<Recorded>> = BTreeMap::new();
        for device in &linked {
            all.extend(self.devices[*device].held.entries.clone());
        }
        for device in linked {
            let missing: Vec<_> = all
                .values()
                .filter(|e| !self.devices[device].held.entries.contains_key(&e.id))
                .cloned()
                .collect();
            let device = &mut self.devices[device];
            // An honest clock is never behind what it has seen.
            let seen = missing.iter().map(|e| e.stamp.clock).max().unwrap_or(0);
            device.clock = device.clock.max(seen);
            device.held.take(&missing);
        }
    }

    /// Cuts every device off.
    pub(crate) fn cut(&mut self) {
        self.devices.iter_mut().for_each(|d| d.apart = true);
    }

    /// Brings all together again.
    pub(crate) fn heal(&mut self) {
        self.devices.iter_mut().for_each(|d| d.apart = false);
        self.spread();
    }

    /// Asks as a member of staff on a device.
    pub(crate) fn ask(
        &mut self,
        device: usize,
        by: &str,
        ask: Ask,
    ) -> Result<Vec<Arc<Recorded>>, Refusal> {
        let actor = Actor::Staff(self.person(by));
        self.ask_as(device, actor, ask)
    }

    /// Decides on the device's own picture and writes what comes of it.
    pub(crate) fn ask_as(
        &mut self,
        device: usize,
        actor: Actor,
        ask: Ask,
    ) -> Result<Vec<Arc<Recorded>>, Refusal> {
        let drafts = self.decide(device, actor, ask)?;
        Ok(drafts
            .into_iter()
            .map(|d| {
                let kind = d.fact.kind().expect("a known kind");
                self.write_kind(device, kind, d)
            })
            .collect())
    }

    /// Decides, and writes nothing.
    pub(crate) fn decide(
        &mut self,
        device: usize,
        actor: Actor,
        ask: Ask,
    ) -> Result<Vec<Draft>, Refusal> {
        let command = Command {
            id: CommandId(id16(self.count())),
            actor,
            witness: self.witness.map(|w| self.person(w)),
            ask,
        };
        let own = &self.devices[device];
        let heard: BTreeSet<DeviceId> = self
            .devices
            .iter()
            .filter(|d| d.id != own.id && !d.apart && !own.apart)
            .map(|d| d.id)
            .collect();
        let last_heard: BTreeMap<DeviceId, Timestamp> =
            self.devices.iter().map(|d| (d.id, self.now)).collect();
        let held = own.held.places();
        let mut counter = self.counter;
        let mut fresh = || {
            counter += 1;
            id16(counter)
        };
        let mut context = Context {
            now: Timestamp(self.now.0.saturating_add(own.ahead)),
            device: own.id,
            heard: &heard,
            awake: &BTreeSet::new(),
            last_heard: &last_heard,
            clock: &self.clock,
            held: &held,
            fresh: &mut fresh,
        };
        let drafts = decide(&own.held.picture, &command, &mut context);
        self.counter = counter;
        drafts
    }

    #[track_caller]
    pub(crate) fn person(&self, initials: &str) -> StaffId {
        *self.staff.get(initials).expect("initials of this home's staff")
    }

    pub(crate) fn picture(&self, device: usize) -> &Picture {
        &self.devices[device].held.picture
    }

    #[track_caller]
    pub(crate) fn resident(&self, device: usize, id: ResidentId) -> &Arc<ResidentPicture> {
        self.picture(device).residents.get(&id).expect("a resident")
    }

    /// Admits a resident.
    pub(crate) fn admit(&mut self, family: &str, given: &str) -> ResidentId {
        let id = ResidentId(id16(self.count()));
        let ask = AskResident::WriteIdentity(Identity::named(family, given));
        self.ask(0, "MM", Ask::Resident(id, ask)).expect("an admission");
        id
    }

    /// Writes an order and has it checked: it is in force from now on.
    #[track_caller]
    pub(crate) fn order(&mut self, resident: ResidentId, content: Content) -> OrderId {
        let order = self.drafted(resident, content).expect("an order that can be written");
        let ask = AskOrder::Check { order, version: None };
        self.ask(0, "SC", Ask::Order(resident, ask)).expect("a check");
        order
    }

    /// Writes an order that waits for its check.
    pub(crate) fn drafted(
        &mut self,
        resident: ResidentId,
        content: Content,
    ) -> Result<OrderId, Refusal> {
        let order = OrderId(id16(self.count()));
        self.rewritten(0, resident, order, content).map(|_| order)
    }

    /// Writes a new version of an order, by the nurse.
    pub(crate) fn rewritten(
        &mut self,
        device: usize,
        resident: ResidentId,
        order: OrderId,
        content: Content,
    ) -> Result<Vec<Arc<Recorded>>, Refusal> {
        let ask = AskOrder::Write {
            order,
            content,
            same_meaning: None,
            allergy_decided: None,
            intended: Some("both are meant".into()),
            label_read: None,
        };
        self.ask(device, "NU", Ask::Order(resident, ask))
    }

    /// Takes a person out of work, or back, as the manager on a device.
    #[track_caller]
    pub(crate) fn employ(&mut self, device: usize, who: &str, standing: Employment) {
        let staff = self.person(who);
        let known = self.picture(device).home.person(staff).expect("a known person");
        let details = Staff { standing, ..known.clone() };
        let ask = Ask::Home(AskHome::WriteStaff { staff, details });
        self.ask(device, "MM", ask).expect("a change of employment");
    }

    /// Puts a device out on another, as far as its log is held there.
    #[track_caller]
    pub(crate) fn revoke(&mut self, on: usize, device: usize) {
        let held = &self.devices[on].held;
        let log = self.devices[device].log;
        let last = held.all().filter(|e| e.stamp.log == log).max_by_key(|e| e.stamp.sequence);
        let last = last.map(|e| {
            let mut hash = [0; 32];
            hash[..16].copy_from_slice(&e.id.0);
            (log, e.stamp.sequence, hash)
        });
        let ask = AskHome::RevokeDevice {
            device: self.devices[device].id,
            last_valid: last.into_iter().collect(),
            reason: "lost".into(),
        };
        self.ask(on, "MM", Ask::Home(ask)).expect("a revocation");
    }
}

/// The administration that an entry recorded.
#[track_caller]
pub(crate) fn administration(entries: &[Arc<Recorded>]) -> AdministrationId {
    let Some(Fact::Dose(DoseFact::Recorded(recorded))) = entries.first().map(|e| &e.fact) else {
        panic!("no outcome: {entries:?}");
    };
    recorded.administration
}
