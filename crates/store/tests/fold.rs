//! Any order, duplication and batching of the same entries gives the same views; so does making
//! them again from the log.
//!
//! The histories are wilder than any home: facts of every kind by anybody under any authority, on
//! devices that are enrolled, observing, put out, or unknown, with clocks years apart, forks, kinds
//! of tomorrow, and payloads that cannot be read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod home;

use std::collections::{BTreeMap, BTreeSet};

use home::chance::{Chance, seed};
use home::facts::{self, World};
use home::{START, founded, shown};
use mar::command::{Ask, AskHome, Command};
use mar::fact::{DeviceKeys, DeviceRole, Fact, HomeFact, KINDS, Kind, MembershipFact};
use mar::ids::{EntryId, LogId, ResidentId};
use mar::picture::Standing;
use mar::settings::Settings;
use mar::staff::{Employment, Role, Staff};
use mar::time::Timestamp;
use store::backend::Disk;
use store::backend::memory::MemoryDisk;
use store::clock::HybridClock;
use store::codec::encode;
use store::entry::{Class, Draft, Hash, HomeId, Sealed};
use store::keys::{Keys, StateFile};
use store::record::{Around, Opening, Record};

/// A day on which all that happened lies behind.
const NOW: Timestamp = Timestamp(START.0 + 6 * 86_400_000);

fn opening(disk: &MemoryDisk) -> Opening {
    let keys = Keys::generate().unwrap();
    Opening { disk: Disk::memory(disk), keys, state: StateFile::nowhere() }
}

/// How many histories one run looks at, if there is time.
const HISTORIES: u64 = 30;

/// One device that writes, and where its log stands; after a fork in more than one place.
struct Pen {
    keys: Keys,
    ends: Vec<(u64, Hash)>,
    clock: HybridClock,
}

struct History {
    entries: Vec<Sealed>,
    record: Record,
    kinds: BTreeSet<u16>,
    forked: bool,
}

impl Pen {
    fn new() -> Self {
        let clock = HybridClock::default();
        Self { keys: Keys::generate().unwrap(), ends: Vec::new(), clock }
    }

    fn log(&self) -> LogId {
        self.keys.log_key().log()
    }

    fn write(&mut self, c: &mut Chance, parts: Parts) -> Sealed {
        let fork = self.ends.len() > 1 && c.once_in(80);
        let at = if fork { c.below(self.ends.len()) } else { self.ends.len().saturating_sub(1) };
        let (sequence, previous) =
            self.ends.get(at).map_or((0, Hash::ZERO), |(sequence, hash)| (sequence + 1, *hash));
        // Clocks are up to years apart, and each goes on from the latest it wrote.
        let years = i64::try_from(c.below(5)).unwrap() - 2;
        self.clock = self.clock.tick(START.0 + years * 365 * 86_400_000);
        let draft = Draft {
            sequence,
            previous,
            clock: self.clock,
            wall_ms: facts::instant(c).0,
            offset_minutes: 0,
            class: Class(parts.kind.class),
            kind: parts.kind.number,
            kind_version: parts.version,
            subject: parts.subject.map(|subject| subject.0),
            payload: parts.payload,
        };
        let sealed = draft.seal(&self.keys.log_key(), &founded().home).unwrap();
        if fork {
            self.ends.truncate(at + 1);
        }
        self.ends.push((sequence, sealed.hash()));
        sealed
    }
}

struct Parts {
    kind: Kind,
    version: u16,
    subject: Option<ResidentId>,
    payload: Vec<u8>,
}

fn parts(fact: &Fact, made: Option<&mar::fact::Made>, subject: Option<ResidentId>) -> Parts {
    let encoded = encode(made, fact).unwrap();
    Parts {
        kind: Kind { class: encoded.class, number: encoded.kind },
        version: encoded.version,
        subject,
        payload: encoded.payload,
    }
}

/// Writes a history that holds every kind at least once.
fn history(c: &mut Chance) -> History {
    let disk = MemoryDisk::default();
    let founder = opening(&disk);
    let mut world = facts::world(c);
    let (home, staff) = (founded(), world.staff.clone());
    let mut record =
        Record::found(founder, NOW, &home, |founding| setup(founding, &staff)).unwrap();
    let mut pens: Vec<Pen> = (0..4).map(|_| Pen::new()).collect();
    // Two members, an observer, and one that belongs to no home.
    let roles = [DeviceRole::Member, DeviceRole::Member, DeviceRole::Observer];
    for (number, (pen, role)) in pens.iter().zip(roles).enumerate() {
        enrol(&mut record, staff[0], pen, role, u8::try_from(number).unwrap());
    }
    let first = home::missing(&record, &store::heads::Heads::default());
    world.devices = pens.iter().map(|pen| pen.keys.device()).collect();
    world.devices.push(record.device());
    world.logs = pens.iter().map(Pen::log).collect();
    world.logs.push(record.own_log());
    world.entries = first.iter().map(Sealed::id).collect();
    let acted_under = |entry: &&Sealed| matches!(entry.kind(), 2 | 3 | 21);
    world.authorities = first.iter().filter(acted_under).map(Sealed::id).collect();
    let written = first.iter().filter(|entry| entry.kind() == 21).map(Sealed::id);
    world.acting = staff.iter().copied().zip(written).collect();

    let mut entries = first;
    let mut kinds: BTreeSet<u16> = entries.iter().map(Sealed::kind).collect();
    for pen in &mut pens {
        let start = pen.keys.start_log(&home.home, None);
        let fact = Fact::Membership(MembershipFact::LogStarted(start));
        entries.push(pen.write(c, parts(&fact, None, None)));
    }
    let mut order: Vec<u16> = KINDS.iter().map(|(kind, _)| kind.number).collect();
    order.extend((0..50).map(|_| c.of(&KINDS).0.number));
    for number in c.shuffled(order) {
        let pen = if c.once_in(12) { 3 } else { c.below(3) };
        let kind = KINDS.iter().find(|(kind, _)| kind.number == number).unwrap().0;
        let entry = write_fact(c, &mut pens[pen], &world, kind);
        if matches!(kind.number, 3 | 21) {
            world.authorities.push(entry.id());
        }
        world.entries.push(entry.id());
        kinds.insert(entry.kind());
        entries.push(entry);
    }
    let forked = forks(&entries);
    History { entries, record, kinds, forked }
}

fn enrol(record: &mut Record, manager: mar::ids::StaffId, pen: &Pen, role: DeviceRole, number: u8) {
    let keys = DeviceKeys {
        device: pen.keys.device(),
        recipient: pen.keys.recipient(),
        name: format!("device {number}"),
    };
    let command = Command {
        id: mar::ids::CommandId([200 + number; 16]),
        actor: mar::fact::Actor::Staff(manager),
        witness: None,
        ask: Ask::Home(AskHome::EnrolDevice { keys, role }),
    };
    let heard = BTreeSet::new();
    let around = Around {
        now: START,
        heard: &heard,
        awake: &std::collections::BTreeSet::new(),
        last_heard: &BTreeMap::new(),
        clock: &mar::clock::ClockStanding::default(),
    };
    record.submit(&around, &[command]).answers.remove(0).unwrap();
}

fn setup(founding: EntryId, staff: &[mar::ids::StaffId]) -> Vec<mar::fact::Draft> {
    let draft = |fact: HomeFact, number: u8| mar::fact::Draft {
        subject: None,
        made: Some(mar::fact::Made {
            command: mar::ids::CommandId([number; 16]),
            actor: mar::fact::Actor::Device,
            authority: founding,
            witness: None,
            base: Vec::new(),
        }),
        fact: Fact::Home(fact),
    };
    let mut drafts = vec![draft(
        HomeFact::SettingsSet(Settings::new("Willow House", START.utc().date_naive())),
        1,
    )];
    for (number, (id, role)) in
        staff.iter().zip([Role::Manager, Role::Nurse, Role::Carer]).enumerate()
    {
        let details = Staff {
            name: format!("person {number}"),
            initials: format!("P{number}"),
            role,
            may_witness: true,
            standing: Employment::Active,
        };
        let written = HomeFact::StaffWritten { staff: *id, details, seen: Vec::new() };
        drafts.push(draft(written, u8::try_from(number).unwrap() + 2));
    }
    drafts
}

fn write_fact(c: &mut Chance, pen: &mut Pen, world: &World, kind: Kind) -> Sealed {
    let residents = [ResidentId([7; 16]), ResidentId([8; 16])];
    let about_one = kind.number >= 40;
    let subject = about_one.then(|| c.of(&residents));
    if c.once_in(25) {
        // A kind of tomorrow, or bytes that are none of today's.
        let kind = if c.once_in(2) { Kind { number: 5_000, ..kind } } else { kind };
        let payload = c.bytes::<9>().to_vec();
        return pen.write(c, Parts { kind, version: 1, subject, payload });
    }
    let fact = facts::fact(kind.number, c, world);
    let made = (kind.number > 2).then(|| facts::made(c, world));
    pen.write(c, parts(&fact, made.as_ref(), subject))
}

fn forks(entries: &[Sealed]) -> bool {
    let places: BTreeSet<_> = entries.iter().map(|entry| (entry.log(), entry.sequence())).collect();
    places.len() < entries.len()
}

/// Lets a new device take the entries in: in another order, some of them twice, in batches.
fn taken_in(c: &mut Chance, history: &History) -> Record {
    let disk = MemoryDisk::default();
    let mut record = Record::join(opening(&disk), NOW, &history.record.pinned()).unwrap();
    let mut entries = history.entries.clone();
    for _ in 0..c.below(10) {
        let again = c.of(&history.entries);
        entries.push(again);
    }
    let mut entries = c.shuffled(entries);
    while !entries.is_empty() {
        let batch: Vec<Sealed> = entries.drain(..(1 + c.below(12)).min(entries.len())).collect();
        record.admit(NOW, &batch).unwrap();
        if c.once_in(10) {
            record = reopened(record, &disk, c.once_in(2));
        }
    }
    record
}

fn reopened(record: Record, disk: &MemoryDisk, without_views: bool) -> Record {
    drop(record);
    if without_views {
        disk.delete("views.redb");
    }
    Record::open(opening(disk), NOW).unwrap()
}

#[test]
fn any_order_duplication_and_batching_of_the_same_entries_shows_the_same_home() {
    let seed = seed();
    let mut kinds: BTreeSet<u16> = BTreeSet::new();
    let mut standings: BTreeMap<Standing, usize> = BTreeMap::new();
    let mut forked = 0;
    let began = std::time::Instant::now();
    let mut histories = 0_u64;
    while histories < HISTORIES && began.elapsed() < std::time::Duration::from_secs(25) {
        histories += 1;
        let mut c = Chance(seed.wrapping_add(histories << 32));
        let history = history(&mut c);
        kinds.extend(&history.kinds);
        forked += usize::from(history.forked);
        let first = taken_in(&mut c, &history);
        let mut found = first.reader().verify();
        // What was written so that nobody can read it is told, and nothing else is.
        found.faults.retain(|fault| !fault.what.ends_with("cannot be read"));
        assert!(found.is_clean(), "history {histories}: {:?}", found.faults);
        for resident in first.picture().residents.values() {
            for recorded in resident.in_doubt() {
                *standings.entry(recorded.standing).or_default() += 1;
            }
        }
        for _ in 0..3 {
            let other = taken_in(&mut c, &history);
            assert_eq!(first.heads().hash(), other.heads().hash(), "history {histories}");
            assert_eq!(first.set_aside(), other.set_aside(), "history {histories}");
            assert_eq!(
                first.reader().published().state,
                other.reader().published().state,
                "history {histories}"
            );
            assert_same(&shown(&first), &shown(&other), histories);
        }
    }
    let missing: Vec<_> = KINDS.iter().filter(|(kind, _)| !kinds.contains(&kind.number)).collect();
    assert!(missing.is_empty(), "no history holds {missing:?}");
    assert!(forked > 0, "no history holds a fork");
    for standing in [Standing::NeedsReview, Standing::Quarantined, Standing::Unknown] {
        assert!(standings.contains_key(&standing), "nothing came out as {standing:?}");
    }
    println!("{histories} histories, {forked} with forks, in doubt: {standings:?}");
}

/// Compares two long texts and shows only where they part.
fn assert_same(left: &str, right: &str, history: u64) {
    let parted = left.lines().zip(right.lines()).enumerate().find(|(_, (a, b))| a != b);
    if let Some((line, (a, b))) = parted {
        panic!("history {history}, line {line}:\n{a}\n{b}");
    }
    assert_eq!(left.len(), right.len(), "history {history}");
}

#[test]
fn a_home_id_is_part_of_every_signature() {
    let mut c = Chance(1);
    let history = history(&mut c);
    let other = HomeId([0; 32]);
    assert!(history.entries.iter().all(|entry| Sealed::verify(entry.bytes(), &other).is_err()));
}
