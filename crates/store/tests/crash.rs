//! Power cuts and failing disks: what was answered as saved is there afterwards, whole batches or
//! nothing, and the store opens.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod home;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use home::chance::{Chance, seed};
use home::{Device, GLADYS, NURSE, PARACETAMOL, START, dose, look, opening};
use mar::fact::Actor;
use mar::ids::EntryId;
use store::backend::faults::{Fault, Operation};
use store::backend::memory::MemoryDisk;
use store::backend::{Disk, FileKind};
use store::record::{Around, Record, SubmitFault};
use tempfile::TempDir;

/// What has been answered, and which batches are being written.
#[derive(Default)]
struct Told {
    saved: Vec<EntryId>,
    batches: Vec<BTreeSet<EntryId>>,
}

/// Opens what a power cut left and compares it with what was told.
fn check_image(image: &MemoryDisk, keys: &TempDir, told: &Told, depth: usize, chance: &mut Chance) {
    let opening = look(image, keys.path());
    let place = opening.disk.clone();
    if depth > 0 {
        // The power goes again while the store is being opened.
        let cut_at = place.seam().steps() + 1 + chance.below(60) as u64;
        let second: Arc<Mutex<Option<MemoryDisk>>> = Arc::default();
        let (into, disk, seed) = (Arc::clone(&second), image.clone(), chance.0);
        let mut inner = Chance(seed);
        place.seam().plan(move |step| {
            let mut second = into.lock().unwrap();
            if step.number >= cut_at && step.operation.changes() && second.is_none() {
                *second = Some(disk.power_cut(&mut |n| inner.below(n)));
            }
            None
        });
        drop(Record::open(opening, START));
        let second = second.lock().unwrap().take();
        if let Some(second) = second {
            check_image(&second, keys, told, depth - 1, chance);
        }
        return;
    }
    let record = match Record::open(opening, START) {
        Ok(record) => record,
        Err(fault) => panic!("the store does not open after a power cut: {fault}"),
    };
    let reader = record.reader();
    for id in &told.saved {
        assert!(reader.entry(id).unwrap().is_some(), "an answered dose is lost: {id}");
    }
    for batch in &told.batches {
        let there = batch.iter().filter(|id| reader.entry(id).unwrap().is_some()).count();
        assert!(there == 0 || there == batch.len(), "half a batch is there");
    }
    if chance.below(4) == 0 {
        let found = reader.verify();
        assert!(found.is_clean(), "{:?}", found.faults);
    }
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_answered() {
    let mut chance = Chance(seed());
    let began = Instant::now();
    let mut images = 0;
    let mut round = 0;
    let seconds = std::env::var("MEDROUND_CRASH_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = began + Duration::from_secs(seconds.unwrap_or(15));
    while Instant::now() < end {
        round += 1;
        images += cut_through_a_morning(&mut chance, round, end);
    }
    println!("{images} images in {:?}", began.elapsed());
    assert!(images >= 200, "only {images} images");
}

/// Records doses alone and in batches, with growth and with views made safe between; cuts the
/// power at some of all the operations on the disk. Returns how many cuts were looked at.
fn cut_through_a_morning(chance: &mut Chance, round: usize, end: Instant) -> usize {
    let mut device = Device::set_up();
    let told: Arc<Mutex<Told>> = Arc::default();
    let images: Arc<Mutex<Vec<(MemoryDisk, usize)>>> = Arc::default();
    let (into, disk, now) = (Arc::clone(&images), device.disk.clone(), Arc::clone(&told));
    let mut inner = Chance(chance.0 ^ round as u64);
    device.place.seam().plan(move |step| {
        let often = if step.operation == Operation::Sync { 1 } else { 6 };
        if step.operation.changes() && inner.below(often) == 0 {
            let answered = now.lock().unwrap().saved.len();
            let image = disk.power_cut(&mut |n| inner.below(n));
            into.lock().unwrap().push((image, answered));
        }
        None
    });
    let mut looked_at = 0;
    for turn in 0..12 {
        if Instant::now() > end {
            break;
        }
        let waiting = if turn % 3 == 0 { 1 + chance.below(20) } else { 1 };
        let commands: Vec<_> = (0..waiting)
            .map(|_| device.command(Actor::Staff(NURSE), dose(GLADYS, PARACETAMOL)))
            .collect();
        let batch = device.submit_all(&commands);
        let ids: BTreeSet<EntryId> = batch.entries.iter().map(|entry| entry.id()).collect();
        assert!(batch.answers.iter().all(Result::is_ok));
        if turn % 5 == 4 {
            device.record.make_durable().unwrap();
        }
        // The batch's ids are known only now: cuts inside it are looked at with them.
        told.lock().unwrap().batches.push(ids.clone());
        let taken = std::mem::take(&mut *images.lock().unwrap());
        for (image, answered) in taken {
            let known = {
                let told = told.lock().unwrap();
                Told { saved: told.saved[..answered].to_vec(), batches: told.batches.clone() }
            };
            let depth = chance.below(8) / 6 + chance.below(8) / 7;
            check_image(&image, &device.keys, &known, depth, chance);
            looked_at += 1;
        }
        told.lock().unwrap().saved.extend(ids);
    }
    device.place.seam().heal();
    looked_at
}

#[test]
fn a_power_cut_while_a_home_is_set_up_leaves_a_home_or_none() {
    let mut chance = Chance(seed());
    for _ in 0..40 {
        let disk = MemoryDisk::default();
        let place = Disk::memory(&disk);
        let images: Arc<Mutex<Vec<MemoryDisk>>> = Arc::default();
        let (into, of) = (Arc::clone(&images), disk.clone());
        let mut inner = Chance(chance.0 ^ 5);
        chance.below(2);
        place.seam().plan(move |step| {
            if step.operation.changes() {
                into.lock().unwrap().push(of.power_cut(&mut |n| inner.below(n)));
            }
            None
        });
        let keys = TempDir::new().unwrap();
        let founded = home::founded();
        let record =
            Record::found(opening(&place, keys.path()), START, &founded, |_| Vec::new()).unwrap();
        drop(record);
        let some = std::mem::take(&mut *images.lock().unwrap());
        for image in some.iter().filter(|_| chance.below(6) == 0) {
            match Record::open(look(image, keys.path()), START) {
                Ok(record) => assert!(record.reader().verify().is_clean()),
                Err(fault) => {
                    assert!(fault.to_string().contains("there is no home"), "{fault}");
                    Record::found(look(image, keys.path()), START, &founded, |_| Vec::new())
                        .unwrap();
                }
            }
        }
    }
}

/// What a morning with a failing disk came to.
#[derive(Default)]
struct Morning {
    saved: Vec<EntryId>,
    not_saved: usize,
    steps: u64,
}

/// Records eight doses on a copy of a prepared home while `plan` makes the disk fail.
fn morning(
    prepared: &Device,
    plan: impl FnMut(u64) -> Option<Fault> + Send + 'static,
) -> (Morning, MemoryDisk, TempDir) {
    let disk = prepared.disk.copy();
    let keys = TempDir::new().unwrap();
    for file in ["keys", "state/high-water"] {
        std::fs::create_dir_all(keys.path().join("state")).unwrap();
        std::fs::copy(prepared.keys.path().join(file), keys.path().join(file)).unwrap();
    }
    let place = Disk::memory(&disk);
    let mut record = Record::open(opening(&place, keys.path()), START).unwrap();
    let first = place.seam().steps();
    let mut plan = plan;
    place.seam().plan(move |step| plan(step.number - first));
    let mut morning = Morning::default();
    let heard = record.picture().home.devices().keys().copied().collect();
    for count in 0..8_u8 {
        let around = Around {
            now: mar::time::Timestamp(START.0 + 3_600_000 + i64::from(count) * 60_000),
            heard: &heard,
            awake: &std::collections::BTreeSet::new(),
            last_heard: &BTreeMap::new(),
            clock: &mar::clock::ClockStanding::default(),
        };
        let command = mar::command::Command {
            id: mar::ids::CommandId([count + 100; 16]),
            actor: Actor::Staff(NURSE),
            witness: None,
            ask: dose(GLADYS, PARACETAMOL),
        };
        match record.submit(&around, &[command]).answers.remove(0) {
            Ok(saved) => morning.saved.extend(saved.entries),
            Err(SubmitFault::NotSaved(fault)) => {
                assert!(fault.to_string().starts_with("NOT SAVED"));
                assert!(record.fault().is_some());
                morning.not_saved += 1;
            }
            Err(other) => panic!("neither saved nor NOT SAVED: {other}"),
        }
        // Whatever happens, the charts are there to be looked at and printed.
        assert!(record.reader().published().picture.residents.contains_key(&GLADYS));
        if count == 5
            && let Err(fault) = record.make_durable()
        {
            assert!(!fault.to_string().is_empty());
        }
    }
    morning.steps = place.seam().steps() - first;
    place.seam().heal();
    drop(record);
    (morning, disk, keys)
}

fn check_morning(morning: &Morning, disk: &MemoryDisk, keys: &TempDir, what: &str) {
    for image in [disk.power_cut(&mut |_| 0), disk.copy()] {
        let record = Record::open(look(&image, keys.path()), START)
            .unwrap_or_else(|fault| panic!("{what}: does not open: {fault}"));
        for id in &morning.saved {
            let there = record.reader().entry(id).unwrap().is_some();
            assert!(there, "{what}: an answered dose is lost");
        }
        let found = record.reader().verify();
        assert!(found.is_clean(), "{what}: {:?}", found.faults);
    }
}

#[test]
fn a_disk_that_fails_once_at_any_operation_costs_nothing() {
    let prepared = Device::set_up();
    for (name, fault) in [
        ("an error", Fault::Fails(ErrorKind::Other)),
        ("a full disk", Fault::Fails(ErrorKind::StorageFull)),
        ("an error after it was done", Fault::FailsAfter(ErrorKind::Other)),
        ("a torn write", Fault::Torn(700, ErrorKind::Other)),
    ] {
        let mut at = 1;
        loop {
            let (morning, disk, keys) =
                morning(&prepared, move |step| (step == at).then_some(fault));
            let what = format!("{name} at operation {at}");
            check_morning(&morning, &disk, &keys, &what);
            // The second try succeeds, so the carer never hears of the first.
            assert_eq!((morning.not_saved, morning.saved.len()), (0, 8), "{what}");
            if morning.steps < at {
                break;
            }
            at += 1;
        }
        println!("{name}: {at} runs");
        assert!(at > 20, "only {at} operations were tried");
    }
}

#[test]
fn a_disk_that_goes_on_failing_says_not_saved_and_loses_nothing_that_was_answered() {
    let prepared = Device::set_up();
    for (name, fault) in [
        ("errors", Fault::Fails(ErrorKind::Other)),
        ("a full disk", Fault::Fails(ErrorKind::StorageFull)),
        ("errors after it was done", Fault::FailsAfter(ErrorKind::Other)),
    ] {
        let mut at = 1;
        loop {
            let (morning, disk, keys) =
                morning(&prepared, move |step| (step >= at).then_some(fault));
            let what = format!("{name} from operation {at} on");
            check_morning(&morning, &disk, &keys, &what);
            assert_eq!(morning.saved.len() + morning.not_saved, 8, "{what}");
            if morning.steps < at {
                assert_eq!(morning.not_saved, 0, "{what}");
                break;
            }
            at += 1;
        }
        println!("{name}: {at} runs");
    }
}

#[test]
fn after_a_full_disk_was_given_room_the_record_can_be_written_again() {
    let mut device = Device::set_up();
    device.place.seam().plan(|step| {
        (step.operation.changes() && step.file == FileKind::Log)
            .then_some(Fault::Fails(ErrorKind::StorageFull))
    });
    let Err(SubmitFault::NotSaved(fault)) = device.give() else { panic!("saved on a full disk") };
    assert!(fault.to_string().contains("NOT SAVED"));
    assert!(device.give().is_err());
    device.place.seam().heal();
    device.record.try_again(device.now).unwrap();
    device.give().unwrap();
    assert_eq!(device.record.picture().residents[&GLADYS].administrations.len(), 1);
}

#[test]
fn a_sync_that_failed_and_lied_is_found_out() {
    // The sync fails, the system forgets the pages and goes on showing them. Reading back alone
    // would call the dose saved; a power cut right after the answer must not lose it.
    for lies in 1..=3 {
        let mut device = Device::set_up();
        let mut syncs = 0;
        device.place.seam().plan(move |step| {
            syncs += u64::from(step.operation == Operation::Sync);
            let lie = step.operation == Operation::Sync && syncs == lies;
            lie.then_some(Fault::Fails(ErrorKind::Other))
        });
        let saved = device.give().unwrap();
        let image = device.disk.power_cut(&mut |_| 0);
        let record = Record::open(look(&image, device.keys.path()), device.now).unwrap();
        let there = record.reader().entry(&saved.entries[0]).unwrap();
        assert!(there.is_some(), "the dose is lost after the {lies}. sync lied");
    }
}
