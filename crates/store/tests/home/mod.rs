//! A small home for the tests of the store: a manager, a nurse, a resident with a medicine to be
//! given when required, and as many devices as a test wants.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses a part of it"
)]

pub mod chance;
pub mod facts;
pub mod medicine;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Command, Told};
use mar::fact::{Actor, DeviceKeys, DeviceRole};
use mar::ids::{CommandId, DeviceId, HomeId, OrderId, ResidentId, StaffId};
use mar::order::{Content, Flags};
use mar::outcome::Outcome;
use mar::resident::{Allergies, Identity};
use mar::settings::Settings;
use mar::staff::{Employment, Role, Staff};
use mar::time::Timestamp;
use store::backend::Disk;
use store::backend::memory::MemoryDisk;
use store::entry::Sealed;
use store::heads::Heads;
use store::keys::{Keys, StateFile};
use store::record::{Admission, Answer, Around, Batch, Founded, Opening, Range, Record};
use tempfile::TempDir;

/// Saturday 21 November 2026, 09:00 in London.
pub const START: Timestamp = Timestamp(1_795_251_600_000);

pub const MANAGER: StaffId = StaffId([1; 16]);
pub const NURSE: StaffId = StaffId([2; 16]);
pub const SENIOR: StaffId = StaffId([3; 16]);
pub const GLADYS: ResidentId = ResidentId([10; 16]);
pub const PARACETAMOL: OrderId = OrderId([20; 16]);

/// One device of the home, with its disk in memory and its keys in a folder of its own.
pub struct Device {
    pub disk: MemoryDisk,
    pub place: Disk,
    pub record: Record,
    pub keys: TempDir,
    pub now: Timestamp,
    commands: u64,
}

pub fn opening(disk: &Disk, keys: &Path) -> Opening {
    let path = keys.join("keys");
    let keys_of_device =
        if path.exists() { Keys::load(&path).unwrap() } else { Keys::create(&path).unwrap() };
    let state = StateFile::at(keys.join("state").join("high-water"));
    Opening { disk: disk.clone(), keys: keys_of_device, state }
}

/// A look at a copy of a disk that changes neither the keys nor the state file.
pub fn look(disk: &MemoryDisk, keys: &Path) -> Opening {
    let keys = Keys::load(&keys.join("keys")).unwrap().unkept();
    Opening { disk: Disk::memory(disk), keys, state: StateFile::nowhere() }
}

pub fn founded() -> Founded {
    Founded {
        home: HomeId([9; 32]),
        name: "Willow House".to_owned(),
        practice: true,
        device_name: "Office PC".to_owned(),
        recovery_recipient: "age1recovery".to_owned(),
    }
}

impl Device {
    /// The first device, with nothing but the founding.
    pub fn founding() -> Self {
        let disk = MemoryDisk::default();
        Self::founding_on(disk.clone(), Disk::memory(&disk))
    }

    fn founding_on(disk: MemoryDisk, place: Disk) -> Self {
        let keys = TempDir::new().unwrap();
        let record =
            Record::found(opening(&place, keys.path()), START, &founded(), |_| Vec::new()).unwrap();
        Self { disk, place, record, keys, now: START, commands: 0 }
    }

    /// The first device of a home with staff, a resident and an order in force.
    pub fn set_up() -> Self {
        Self::founding().with_staff()
    }

    /// The same with its files in a folder.
    pub fn set_up_in(folder: &Path) -> Self {
        Self::founding_on(MemoryDisk::default(), Disk::folder(folder)).with_staff()
    }

    fn with_staff(self) -> Self {
        let mut device = self;
        let settings = Settings::new("Willow House", START.utc().date_naive());
        device.ask(Actor::Device, Ask::Home(AskHome::SetSettings(settings)));
        device.write_staff(Actor::Device, MANAGER, "Mary Manager", "MM", Role::Manager);
        let manager = Actor::Staff(MANAGER);
        device.write_staff(manager, NURSE, "Ned Nurse", "NN", Role::Nurse);
        device.write_staff(manager, SENIOR, "Sue Senior", "SS", Role::Senior);
        device.admit_resident(GLADYS, "Shaw", "Gladys");
        device.prescribe(GLADYS, PARACETAMOL, "Paracetamol 500 mg tablets");
        device
    }

    pub fn write_staff(&mut self, by: Actor, id: StaffId, name: &str, initials: &str, role: Role) {
        let details = Staff {
            name: name.to_owned(),
            initials: initials.to_owned(),
            role,
            may_witness: role != Role::CarerTopical,
            standing: Employment::Active,
        };
        self.ask(by, Ask::Home(AskHome::WriteStaff { staff: id, details }));
    }

    pub fn admit_resident(&mut self, id: ResidentId, family: &str, given: &str) {
        let nurse = Actor::Staff(NURSE);
        let mut identity = Identity::named(family, given);
        identity.born = chrono_date(1938, 4, 12);
        identity.no_nhs_number = Some("not known yet".to_owned());
        self.ask(nurse, Ask::Resident(id, AskResident::WriteIdentity(identity)));
        let none = Allergies::NoneKnown { by: "the daughter".to_owned(), on: None };
        self.ask(nurse, Ask::Resident(id, AskResident::WriteAllergies(none)));
    }

    pub fn prescribe(&mut self, resident: ResidentId, order: OrderId, name: &str) {
        let nurse = Actor::Staff(NURSE);
        let write = AskOrder::Write {
            order,
            content: when_required(name, self.now),
            same_meaning: None,
            allergy_decided: None,
            intended: Some("both are meant".into()),
            label_read: None,
        };
        self.ask(nurse, Ask::Order(resident, write));
        let check = AskOrder::Check { order, version: None };
        self.ask(Actor::Staff(SENIOR), Ask::Order(resident, check));
    }

    /// Gives one dose and says what became of it. Each takes a minute.
    pub fn give(&mut self) -> Answer {
        let ask = dose(GLADYS, PARACETAMOL);
        self.submit(Actor::Staff(NURSE), ask)
    }

    pub fn submit(&mut self, actor: Actor, ask: Ask) -> Answer {
        let command = self.command(actor, ask);
        self.submit_all(&[command]).answers.remove(0)
    }

    /// Asks something that must be saved.
    #[track_caller]
    pub fn ask(&mut self, actor: Actor, ask: Ask) {
        if let Err(fault) = self.submit(actor, ask.clone()) {
            panic!("{fault}: {ask:?}");
        }
    }

    pub fn command(&mut self, actor: Actor, ask: Ask) -> Command {
        self.commands += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.record.device().0[..8]);
        id[8..].copy_from_slice(&self.commands.to_be_bytes());
        Command { id: CommandId(id), actor, witness: None, ask }
    }

    /// Carries commands out together, with every other device heard.
    pub fn submit_all(&mut self, commands: &[Command]) -> Batch {
        self.now = Timestamp(self.now.0 + 60_000);
        let heard: BTreeSet<DeviceId> =
            self.record.picture().home.devices().keys().copied().collect();
        let around = Around {
            now: self.now,
            heard: &heard,
            awake: &std::collections::BTreeSet::new(),
            last_heard: &BTreeMap::new(),
            clock: &mar::clock::ClockStanding::default(),
        };
        self.record.submit(&around, commands)
    }

    /// Enrols a new device and lets it take in everything.
    pub fn join(&mut self) -> Self {
        self.join_as(DeviceRole::Member)
    }

    pub fn join_as(&mut self, role: DeviceRole) -> Self {
        let (disk, keys) = (MemoryDisk::default(), TempDir::new().unwrap());
        let place = Disk::memory(&disk);
        let opening = opening(&place, keys.path());
        let enrol = AskHome::EnrolDevice {
            keys: DeviceKeys {
                device: opening.keys.device(),
                recipient: opening.keys.recipient(),
                name: "Trolley 1".to_owned(),
            },
            role,
        };
        self.ask(Actor::Staff(MANAGER), Ask::Home(enrol));
        let record = Record::join(opening, self.now, &self.record.pinned()).unwrap();
        let mut joined = Self { disk, place, record, keys, now: self.now, commands: 0 };
        joined.take_from(self);
        joined
    }

    /// Copies every entry that the other device holds and this one lacks.
    pub fn take_from(&mut self, other: &Self) -> Admission {
        let entries = missing(&other.record, self.record.heads());
        self.record.admit(self.now, &entries).unwrap()
    }

    /// Closes the record and opens it again from the same disk.
    pub fn reopen(mut self) -> Self {
        let place = Disk::memory(&self.disk);
        let (disk, keys, now, commands) = (self.disk.clone(), self.keys, self.now, self.commands);
        self.record.make_durable().unwrap();
        drop(self.record);
        let record = Record::open(opening(&place, keys.path()), now).unwrap();
        Self { disk, place, record, keys, now, commands }
    }

    /// Closes the record, lets something happen to its files, and opens it again.
    pub fn reopen_after(mut self, happens: impl FnOnce(&MemoryDisk)) -> Self {
        let (disk, keys, now, commands) = (self.disk.clone(), self.keys, self.now, self.commands);
        self.record.make_durable().unwrap();
        drop(self.record);
        happens(&disk);
        let place = Disk::memory(&disk);
        let record = Record::open(opening(&place, keys.path()), now).unwrap();
        Self { disk, place, record, keys, now, commands }
    }

    /// A second machine that runs a full copy of this one: data, keys and state file.
    pub fn clone_of_the_machine(&self) -> Self {
        let (disk, keys) = (self.disk.copy(), TempDir::new().unwrap());
        std::fs::create_dir_all(keys.path().join("state")).unwrap();
        for file in ["keys", "state/high-water"] {
            std::fs::copy(self.keys.path().join(file), keys.path().join(file)).unwrap();
        }
        let place = Disk::memory(&disk);
        let record = Record::open(opening(&place, keys.path()), self.now).unwrap();
        Self { disk, place, record, keys, now: self.now, commands: 1_000_000 }
    }

    /// A device that joined when only the founding and the first entries were known: it holds what
    /// `office` held before any device was enrolled.
    pub fn knows_only_the_beginning(office: &Self, entries: u64) -> Self {
        let (disk, keys) = (MemoryDisk::default(), TempDir::new().unwrap());
        let place = Disk::memory(&disk);
        let opening = opening(&place, keys.path());
        let record = Record::join(opening, office.now, &office.record.pinned()).unwrap();
        let mut early = Self { disk, place, record, keys, now: office.now, commands: 0 };
        let mut known = missing(&office.record, &Heads::default());
        known.retain(|entry| entry.sequence() < entries);
        early.record.admit(early.now, &known).unwrap();
        early
    }

    pub fn state(&self) -> [u8; 32] {
        self.record.reader().published().state
    }

    /// Everything that is shown of the home, as text: equal on devices that show the same.
    pub fn shown(&self) -> String {
        shown(&self.record)
    }
}

pub fn shown(record: &Record) -> String {
    let picture = record.picture();
    format!("{:#?}\n{:#?}", picture.home, picture.residents)
}

/// Entries of one record that another with these heads lacks, as a peer would send them.
pub fn missing(record: &Record, heads: &Heads) -> Vec<Sealed> {
    let reader = record.reader();
    let mut entries = Vec::new();
    for (log, held) in record.heads().iter() {
        for head in held.heads() {
            let known = heads.get(log).is_some_and(|known| known.heads().contains(head));
            if known {
                continue;
            }
            let mut after = None;
            loop {
                match reader.range(log, after, head, 64 * 1024).unwrap() {
                    Range::Entries(range) if range.is_empty() => break,
                    Range::Entries(range) => {
                        after = range.last().map(|entry| (entry.sequence(), entry.id()));
                        entries.extend(range);
                    }
                    Range::NotOnBranch | Range::NotHeld => panic!("a head that is held"),
                }
            }
        }
    }
    entries
}

pub fn dose(resident: ResidentId, order: OrderId) -> Ask {
    let note = medicine::headache(Some(4));
    Ask::Dose(resident, AskDose::Prn { order, told: Told::of(Outcome::Given), note })
}

/// A medicine without limits, so that a test can give as many doses as it needs.
pub fn when_required(name: &str, start: Timestamp) -> Content {
    medicine::when_required(name, start, Flags { rescue: true, ..Flags::default() })
}

fn chrono_date(year: i32, month: u32, day: u32) -> Option<chrono::NaiveDate> {
    chrono::NaiveDate::from_ymd_opt(year, month, day)
}
