//! The home as a whole: devices, network, people and one clock, all from one seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use mar::command::{Ask, AskHome, Command};
use mar::fact::{Actor, DeviceKeys, DeviceRole};
use mar::ids::{AdministrationId, CommandId, DeviceId, EntryId, HomeId, LogId};
use mar::time::Timestamp;
use store::backend::faults::{Fault, Operation};
use store::heads::Heads;
use store::record::{Around, Batch, Founded, SubmitFault};

use crate::chance::Chance;
use crate::checks::{Broken, Outcome};
use crate::device::Device;
use crate::lan::Connection;
use crate::ledger::{Given, Ledger, Revocation};
use crate::people::{self, Asked};
use crate::tally::Tally;
use crate::teeth::Plant;

/// Saturday 21 November 2026, 09:00 in London.
const START: i64 = 1_795_251_600_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const YEAR: i64 = 365 * 24 * HOUR;
/// So many of the last steps are told when a run fails.
const STEPS_TOLD: usize = 40;

/// How wild a run is: drawn from the seed, so that runs differ in kind and not only in detail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranges {
    /// The most steps that a frame is on its way.
    pub(crate) delay: u64,
    /// Weights of what may happen in a step.
    network: usize,
    power: usize,
    disk: usize,
    clock: usize,
    past: usize,
    members: usize,
}

impl Ranges {
    /// Everything happens: a planted bug shows soon.
    const WILD: Self =
        Self { delay: 3, network: 6, power: 8, disk: 0, clock: 1, past: 3, members: 4 };

    fn draw(chance: &mut Chance) -> Self {
        let mut weight = |most: usize| if chance.one_in(3) { 0 } else { 1 + chance.below(most) };
        let (network, power, disk) = (weight(10), weight(5), weight(4));
        let (clock, past, members) = (weight(3), weight(2), weight(4));
        let delay = *chance.pick(&[0, 3, 10, 40]).unwrap();
        Self { delay, network, power, disk, clock, past, members }
    }
}

/// A home being played through.
pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) ranges: Ranges,
    /// The true time in milliseconds since 1970.
    pub(crate) time: i64,
    pub(crate) step: u64,
    pub(crate) devices: Vec<Device>,
    pub(crate) lan: BTreeMap<u64, Connection>,
    pub(crate) next_connection: u64,
    /// From whom to whom nothing gets through.
    pub(crate) blocked: BTreeSet<(usize, usize)>,
    pub(crate) ledger: Ledger,
    pub(crate) forks_told: BTreeSet<LogId>,
    pub(crate) tally: Tally,
    pub(crate) plant: Option<Plant>,
    commands: u64,
    last_steps: VecDeque<String>,
}

/// Homes with 2 to 6 devices that were set up once and are copied for each run.
static SET_UP: Mutex<BTreeMap<usize, Arc<Vec<Device>>>> = Mutex::new(BTreeMap::new());

fn set_up(devices: usize) -> Arc<Vec<Device>> {
    let mut known = SET_UP.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Arc::clone(known.entry(devices).or_insert_with(|| Arc::new(World::founded(devices))))
}

impl World {
    /// A home of several devices that hold the same, drawn from a seed.
    pub(crate) fn new(seed: u64, plant: Option<Plant>) -> Self {
        let mut chance = Chance::new(seed);
        let ranges = match plant {
            None => Ranges::draw(&mut chance),
            Some(_) => Ranges::WILD,
        };
        let count = 2 + chance.below(5);
        let set_up = set_up(count);
        let time = START + HOUR;
        let devices = set_up.iter().map(|d| d.copy(&mut chance, Timestamp(time))).collect();
        let mut world = Self::empty(chance, ranges, devices, plant);
        world.time = time;
        // The set-up asked under the first ids.
        world.commands = 1_000;
        for device in 0..count {
            world.know_what_is_held(device);
            if plant == Some(Plant::DiskThatLies) {
                world.devices[device]
                    .place
                    .seam()
                    .plan(|step| (step.operation == Operation::Sync).then_some(Fault::Lost));
            }
        }
        world.note(format!("{count} devices, {ranges:?}"));
        world
    }

    /// Most devices begin the day connected.
    pub(crate) fn begin(&mut self) -> Outcome<()> {
        for a in 0..self.devices.len() {
            for b in 0..a {
                if !self.chance.one_in(3) {
                    self.connect(a, b)?;
                }
            }
        }
        Ok(())
    }

    fn empty(chance: Chance, ranges: Ranges, devices: Vec<Device>, plant: Option<Plant>) -> Self {
        Self {
            chance,
            ranges,
            time: START,
            step: 0,
            devices,
            lan: BTreeMap::new(),
            next_connection: 0,
            blocked: BTreeSet::new(),
            ledger: Ledger::default(),
            forks_told: BTreeSet::new(),
            tally: Tally::default(),
            plant,
            commands: 0,
            last_steps: VecDeque::new(),
        }
    }

    fn founded(count: usize) -> Vec<Device> {
        let mut chance = Chance::new(count as u64);
        let founded = Founded {
            home: HomeId([9; 32]),
            name: "Willow House".to_owned(),
            practice: true,
            device_name: "Office PC".to_owned(),
            recovery_recipient: "age1recovery".to_owned(),
        };
        let office = Device::founding(&mut chance, Timestamp(START), &founded);
        let ranges =
            Ranges { delay: 0, network: 0, power: 0, disk: 0, clock: 0, past: 0, members: 0 };
        let mut world = Self::empty(chance, ranges, vec![office], None);
        for (actor, ask) in people::set_up(Timestamp(START)) {
            world.time += MINUTE / 2;
            let asked = Asked { actor, witness: None, ask };
            let answers = world.submit(0, vec![asked]).unwrap().answers;
            assert!(answers[0].is_ok(), "{:?}", answers[0]);
        }
        for at in 1..count {
            // The last of many devices is a box that only listens.
            let role = if at == 4 { DeviceRole::Observer } else { DeviceRole::Member };
            world.enrol(0, role).unwrap();
            world.connect(0, at).unwrap();
            world.settle().unwrap();
        }
        for device in &mut world.devices {
            device.record_mut().make_durable().unwrap();
            device.sponsor = None;
        }
        world.devices
    }

    /// Notes everything that a device holds as written by the home.
    fn know_what_is_held(&mut self, device: usize) {
        for entry in crate::checks::all_entries(self.devices[device].record()) {
            self.ledger.written.insert(entry.id());
        }
    }

    pub(crate) fn note(&mut self, what: String) {
        if self.last_steps.len() == STEPS_TOLD {
            self.last_steps.pop_front();
        }
        self.last_steps.push_back(format!("{:>5}: {what}", self.step));
    }

    /// The last steps, for a run that failed.
    pub(crate) fn story(&self) -> String {
        self.last_steps.iter().map(|step| format!("{step}\n")).collect()
    }

    pub(crate) fn is_out(&self, device: usize) -> bool {
        self.ledger.revocations.iter().any(|revocation| revocation.device == device)
    }

    /// The devices that the home counts on in the end: enrolled, not put out. One that was let in
    /// by a device that was put out before anybody else heard of it is nobody's.
    pub(crate) fn active(&self) -> Vec<usize> {
        let all = || (0..self.devices.len()).filter(|at| !self.is_out(*at));
        let mut active: BTreeSet<usize> =
            all().filter(|at| self.devices[*at].sponsor.is_none()).collect();
        loop {
            let known = |at: &usize| {
                let sponsor = self.devices[*at].sponsor;
                sponsor.is_some_and(|by| active.contains(&by))
                    || active.iter().any(|by| self.serves(*by, *at) && self.serves(*at, *by))
            };
            let more: Vec<usize> = all().filter(|at| !active.contains(at) && known(at)).collect();
            if more.is_empty() {
                return active.into_iter().collect();
            }
            active.extend(more);
        }
    }

    pub(crate) fn any_device(&mut self) -> usize {
        self.chance.below(self.devices.len())
    }

    pub(crate) fn any_that_is_on(&mut self) -> Option<usize> {
        let on: Vec<usize> = (0..self.devices.len()).filter(|d| self.devices[*d].is_on()).collect();
        self.chance.pick(&on).copied()
    }

    pub(crate) fn any_end(&mut self) -> Option<(u64, usize)> {
        let ends = self.ends();
        self.chance.pick(&ends).copied()
    }

    /// Something happens.
    pub(crate) fn happen(&mut self) -> Outcome<()> {
        self.step += 1;
        self.tally.steps += 1;
        self.time += self.chance.between(0, 2 * MINUTE);
        if self.chance.one_in(60) {
            self.time += self.chance.between(HOUR, 5 * HOUR);
        }
        let r = self.ranges;
        let weights = [14, 30, 20, 3, 6, r.network, r.power, r.disk, r.clock, r.past, r.members];
        let mut left = self.chance.below(weights.iter().sum());
        let mut which = 0;
        while left >= weights[which] {
            left -= weights[which];
            which += 1;
        }
        match which {
            0 => self.somebody_asks(),
            1 => self.some_frames(),
            2 => self.some_work(),
            3 => match self.any_that_is_on() {
                Some(device) => self.tick(device),
                None => Ok(()),
            },
            4 => self.some_connection(),
            5 => self.trouble_on_the_network(),
            6 => self.trouble_with_the_power(),
            7 => self.trouble_with_a_disk(),
            8 => self.trouble_with_a_clock(),
            9 => self.somebody_turns_back_time(),
            _ => self.members_change(),
        }
    }

    fn some_frames(&mut self) -> Outcome<()> {
        for _ in 0..1 + self.chance.below(6) {
            if let Some((connection, side)) = self.any_end() {
                self.deliver(connection, side, false)?;
            }
        }
        Ok(())
    }

    fn some_work(&mut self) -> Outcome<()> {
        for _ in 0..1 + self.chance.below(3) {
            if let Some((connection, side)) = self.any_end() {
                self.work(connection, side)?;
            }
        }
        Ok(())
    }

    fn some_connection(&mut self) -> Outcome<()> {
        let (a, b) = (self.any_device(), self.any_device());
        let twice = self.lan.values().any(|c| c.ends.iter().all(|e| [a, b].contains(&e.device)));
        if twice && !self.chance.one_in(3) {
            return Ok(());
        }
        if self.connect(a, b)? {
            self.tally.connections += 1;
            self.tally.doubled += usize::from(twice);
            self.note(format!("{a} and {b} connect{}", if twice { " once more" } else { "" }));
        }
        Ok(())
    }

    fn members_change(&mut self) -> Outcome<()> {
        let Some(by) = self.any_that_is_on() else { return Ok(()) };
        if self.is_out(by)
            || self.devices[by].faulty
            || self.devices[by].role == DeviceRole::Observer
        {
            return Ok(());
        }
        if self.chance.one_in(2) && self.devices.len() < 7 {
            let role =
                if self.chance.one_in(4) { DeviceRole::Observer } else { DeviceRole::Member };
            if self.enrol(by, role)? {
                self.tally.enrolled += 1;
                let new = self.devices.len() - 1;
                self.note(format!("{by} lets {new} in as {role:?}"));
                self.connect(by, new)?;
            }
            return Ok(());
        }
        let device = self.any_device();
        let others = self.ledger.revocations.iter().any(|r| r.device != device);
        // Who was put out and who did it do not change places, or it would be hard to say who is
        // right.
        let writers = self.ledger.revocations.iter().any(|r| r.by == device);
        if device == by || others || writers || self.active().len() < 3 {
            return Ok(());
        }
        self.revoke(by, device)
    }

    /// A manager at a device puts another one out.
    pub(crate) fn revoke(&mut self, by: usize, device: usize) -> Outcome<()> {
        let record = self.devices[by].record();
        let logs = record.picture().home.logs();
        let last_valid: Vec<(LogId, u64, [u8; 32])> = logs
            .iter()
            .filter(|(_, (start, _))| start.device == self.devices[device].id)
            .filter_map(|(log, _)| {
                let head = record.heads().get(log)?.latest()?;
                Some((*log, head.sequence, head.hash.0))
            })
            .collect();
        let ask = Ask::Home(AskHome::RevokeDevice {
            device: self.devices[device].id,
            last_valid: last_valid.clone(),
            reason: "lost on the bus".to_owned(),
        });
        let asked = Asked { actor: Actor::Staff(people::MANAGER), witness: None, ask };
        let batch = self.submit(by, vec![asked])?;
        if let Ok(saved) = &batch.answers[0] {
            self.tally.revoked += 1;
            self.note(format!("{by} puts {device} out"));
            let entry = saved.entries[0];
            let last_valid = last_valid.into_iter().map(|(log, at, hash)| (log, (at, hash)));
            let last_valid = last_valid.collect();
            self.ledger.revocations.push(Revocation { device, by, entry, last_valid });
        }
        Ok(())
    }

    /// Enrols a new device and begins its record. Returns whether it was.
    pub(crate) fn enrol(&mut self, by: usize, role: DeviceRole) -> Outcome<bool> {
        let mut device = Device::joining(&mut self.chance, role, by);
        let keys = DeviceKeys {
            device: device.id,
            recipient: device.keys().recipient(),
            name: format!("Tablet {}", self.devices.len()),
        };
        let ask = Ask::Home(AskHome::EnrolDevice { keys, role });
        let asked = Asked { actor: Actor::Staff(people::MANAGER), witness: None, ask };
        let batch = self.submit(by, vec![asked])?;
        if batch.answers[0].is_err() {
            return Ok(false);
        }
        let pinned = self.devices[by].record().pinned();
        device.join(&mut self.chance, Timestamp(self.time), &pinned);
        self.devices.push(device);
        Ok(true)
    }

    fn somebody_asks(&mut self) -> Outcome<()> {
        match self.any_that_is_on() {
            Some(device) => self.somebody_asks_at(device),
            None => Ok(()),
        }
    }

    /// One to three things are asked at a device, together.
    pub(crate) fn somebody_asks_at(&mut self, device: usize) -> Outcome<()> {
        let now = self.devices[device].now(self.time);
        let mut asked = Vec::new();
        for _ in 0..1 + self.chance.below(3) / 2 {
            let picture = self.devices[device].record().picture();
            asked.extend(people::draw(&mut self.chance, picture, now));
        }
        if !asked.is_empty() {
            self.submit(device, asked)?;
        }
        Ok(())
    }

    /// Puts commands to a device's record, and tells what became of them.
    pub(crate) fn submit(&mut self, device: usize, asked: Vec<Asked>) -> Outcome<Batch> {
        let mut commands = Vec::new();
        for Asked { actor, witness, ask } in asked {
            self.commands += 1;
            let mut id = [0xc0; 16];
            id[..8].copy_from_slice(&self.commands.to_be_bytes());
            commands.push(Command { id: CommandId(id), actor, witness, ask });
        }
        let heard: BTreeSet<DeviceId> = self
            .ends_of(device)
            .into_iter()
            .map(|(c, side)| self.devices[self.lan[&c].ends[1 - side].device].id)
            .collect();
        let now = self.devices[device].now(self.time);
        let last_heard: BTreeMap<DeviceId, Timestamp> = heard.iter().map(|id| (*id, now)).collect();
        let clock = mar::clock::ClockStanding::default();
        let awake = BTreeSet::new();
        let around =
            Around { now, heard: &heard, last_heard: &last_heard, awake: &awake, clock: &clock };
        let batch = self.devices[device].record_mut().submit(&around, &commands);
        if self.plant != Some(Plant::UnknownHand) {
            self.ledger.written.extend(batch.entries.iter().map(|entry| entry.id()));
        }
        // A correction may be there though nobody could be told of it.
        self.ledger.corrected.extend(commands.iter().filter_map(corrected));
        for answer in &batch.answers {
            match answer {
                Ok(saved) => {
                    self.tally.saved += 1;
                    self.told_saved(device, &saved.entries)?;
                }
                Err(SubmitFault::Refused(_) | SubmitFault::TooLong(_)) => self.tally.refused += 1,
                Err(SubmitFault::NotSaved(_)) => {
                    self.tally.not_saved += 1;
                    self.devices[device].doubtful = true;
                }
            }
        }
        self.tally.entries += batch.entries.len();
        self.announce(device, &batch.entries, None)?;
        let membership = store::entry::Class::MEMBERSHIP;
        if batch.entries.iter().any(|entry| entry.class().plain() == membership) {
            self.membership_changed(device)?;
        }
        self.look_at_own_log(device)?;
        Ok(batch)
    }

    /// A person is told that something is saved: from here on it is never gone.
    fn told_saved(&mut self, device: usize, entries: &[EntryId]) -> Outcome<()> {
        let reader = self.devices[device].record().reader();
        for entry in entries {
            let recorded = match reader.recorded(entry) {
                Ok(Some(recorded)) => recorded,
                Ok(None) => {
                    let what = format!("device {device} saved {entry}, and does not hold it");
                    return Err(Broken::of(2, what));
                }
                // Its disk fails; whether it is there is looked at once it works again.
                Err(_) => continue,
            };
            self.ledger.save(device, &recorded);
            if let Some(given) = Given::of(&recorded) {
                self.ledger.given.push(given);
            }
        }
        Ok(())
    }

    /// A peer says that it has these heads on its disk: it must be true, and it is a receipt for
    /// what this device wrote.
    pub(crate) fn receipt(&mut self, here: usize, there: usize, heads: &Heads) -> Outcome<()> {
        let peer = self.devices[there].record().reader();
        for (log, held) in heads.iter() {
            let points: Vec<(u64, EntryId)> =
                held.heads().iter().map(|head| (head.sequence, head.hash.id())).collect();
            if let Ok(answer) = peer.held(log, &points)
                && answer.contains(&false)
            {
                let what = format!("{there} gave {here} a receipt for what it does not hold");
                return Err(Broken::of(3, what));
            }
        }
        let own = self.devices[here].record().reader();
        for saved in &mut self.ledger.saved {
            let Some(held) = heads.get(&saved.log) else { continue };
            if saved.holders.contains(&there) {
                continue;
            }
            let below = |sequence: u64| saved.sequence <= sequence;
            for head in held.heads().iter().filter(|head| below(head.sequence)) {
                let points = own.points(&saved.log, head, &[saved.sequence]);
                let point = points.ok().flatten().and_then(|points| points.first().copied());
                if point == Some((saved.sequence, saved.entry)) {
                    saved.holders.insert(there);
                    self.tally.receipts += 1;
                    break;
                }
            }
        }
        Ok(())
    }
}

fn corrected(command: &Command) -> Option<AdministrationId> {
    if let Ask::Dose(_, mar::command::AskDose::Correct { administration, .. }) = &command.ask {
        Some(*administration)
    } else {
        None
    }
}
