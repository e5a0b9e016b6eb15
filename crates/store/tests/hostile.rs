//! What a device of the home that means harm can write: it is kept or left, and nothing that
//! anybody else does is stopped by it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod home;

use home::{Device, MANAGER, missing};
use mar::command::{Ask, AskHome};
use mar::fact::Actor;
use store::clock::HybridClock;
use store::entry::{Class, Draft, Hash, Sealed};
use store::record::{HEADS_OF_DEVICE_MAX, NotTaken};

/// An entry in the device's own log, signed with its own key, that says what nobody would.
fn forged(device: &Device, sequence: u64, previous: Hash) -> Sealed {
    said(device, sequence, previous, &[1])
}

fn said(device: &Device, sequence: u64, previous: Hash, payload: &[u8]) -> Sealed {
    let draft = Draft {
        sequence,
        previous,
        clock: HybridClock::default().tick(device.now.0),
        wall_ms: device.now.0,
        offset_minutes: 0,
        class: Class::OTHER,
        kind: 60_000,
        kind_version: 1,
        subject: None,
        payload: payload.to_vec(),
    };
    draft.seal(&device.record.keys().log_key(), &device.record.pinned().home).unwrap()
}

/// Bug: one entry of a device that means harm made every other device read-only.
/// Cause: the door compared 16 bytes of the previous hash and the log all 32; that the log then
/// took nothing was taken for a disk that fails, twice.
/// Fix: the door compares the whole hash, and leaves the entry.
#[test]
fn an_entry_that_names_half_of_its_predecessor_stops_nobody_from_recording() {
    let mut office = Device::set_up();
    let mut trolley = office.join();
    trolley.give().unwrap();
    office.take_from(&trolley);
    let head = trolley.record.heads().get(&trolley.record.own_log()).unwrap().latest().unwrap();
    let mut previous = head.hash;
    previous.0[31] ^= 1;
    let entry = forged(&trolley, head.sequence + 1, previous);
    let admission = office.record.admit(office.now, &[entry]).unwrap();
    assert!(admission.added.is_empty());
    assert_eq!(admission.not_taken.len(), 1);
    assert_eq!(office.record.fault(), None);
    office.give().unwrap();
}

/// Bug: an entry that names an entry of another log as the one before it made the device that took
/// both in read-only.
/// Cause: of the entries that come together the door knew sequence and id and not the log.
/// Fix: it knows the log, too.
#[test]
fn an_entry_that_follows_one_of_another_log_stops_nobody_from_recording() {
    let mut office = Device::set_up();
    let mut devices = [office.join(), office.join()];
    for device in &mut devices {
        device.give().unwrap();
        office.take_from(device);
    }
    // The door goes through what comes log by log.
    devices.sort_by_key(|device| device.record.own_log());
    let [first, second] = &devices;
    let head = first.record.heads().get(&first.record.own_log()).unwrap().latest().unwrap();
    let honest = forged(first, head.sequence + 1, head.hash);
    let stray = forged(second, head.sequence + 2, honest.hash());
    let admission = office.record.admit(office.now, &[honest.clone(), stray]).unwrap();
    assert_eq!(admission.added, [honest]);
    assert_eq!(admission.not_taken.len(), 1);
    assert_eq!(office.record.fault(), None);
    office.give().unwrap();
}

/// Bug: a device that means harm could fill the home with branches until honest devices gave each
/// other up for naming too much, for good.
/// Cause: every log and every branch was taken in, however many.
/// Fix: a device has so many heads and no more; what goes on from one is taken in as before.
#[test]
fn a_device_that_branches_without_end_leaves_room_for_the_others() {
    let mut office = Device::set_up();
    let (mut trolley, mut lounge) = (office.join(), office.join());
    trolley.give().unwrap();
    office.take_from(&trolley);
    let log = trolley.record.own_log();
    let head = trolley.record.heads().get(&log).unwrap().latest().unwrap();
    let branches: Vec<Sealed> = (0..HEADS_OF_DEVICE_MAX + 10)
        .map(|number| said(&trolley, head.sequence + 1, head.hash, &number.to_be_bytes()))
        .collect();
    let heads = |office: &Device| office.record.heads().get(&log).unwrap().heads().len();
    // The last few come by themselves, as they would in the end.
    let (most, few) = branches.split_at(HEADS_OF_DEVICE_MAX - 5);
    office.record.admit(office.now, most).unwrap();
    assert_eq!(heads(&office), HEADS_OF_DEVICE_MAX - 5);
    let admission = office.record.admit(office.now, few).unwrap();
    assert_eq!(admission.not_taken.len(), 10);
    assert!(admission.not_taken.iter().all(|(_, why)| *why == NotTaken::NoRoom));
    assert_eq!(heads(&office), HEADS_OF_DEVICE_MAX);
    assert_eq!(office.record.set_aside(), 0);
    // No new log of its own either; but its branches go on, and another device's log begins.
    let on = said(&trolley, head.sequence + 2, most[0].hash(), &[1]);
    let mut another = trolley;
    another.record.reincarnate().unwrap();
    another.give().unwrap();
    let new: Vec<Sealed> = missing(&another.record, office.record.heads())
        .into_iter()
        .filter(|entry| entry.log() == another.record.own_log())
        .collect();
    assert!(office.record.admit(office.now, &new).unwrap().added.is_empty());
    assert_eq!(office.record.admit(office.now, std::slice::from_ref(&on)).unwrap().added, [on]);
    lounge.give().unwrap();
    assert_eq!(office.take_from(&lounge).added.len(), 2);
}

/// Bug: a revocation under another class put its device out and left its connections open.
/// Cause: the door went by the class in the envelope, and the fold by the kind.
/// Fix: the kind decides at the door, too.
#[test]
fn a_revocation_under_another_class_is_one_for_the_connections_too() {
    let mut office = Device::set_up();
    let (mut trolley, lounge) = (office.join(), office.join());
    trolley.take_from(&office);
    let device = lounge.record.device();
    let revoke = AskHome::RevokeDevice { device, last_valid: vec![], reason: "lost".to_owned() };
    let command = trolley.command(Actor::Staff(MANAGER), Ask::Home(revoke));
    let written = trolley.submit_all(&[command]).entries;
    let [start, honest] = &written[..] else { panic!("a start and a revocation") };
    let draft = Draft {
        sequence: 1,
        previous: start.hash(),
        clock: honest.clock(),
        wall_ms: honest.wall_ms(),
        offset_minutes: 0,
        class: Class::OTHER,
        kind: honest.kind(),
        kind_version: 1,
        subject: None,
        payload: honest.payload().to_vec(),
    };
    let home = office.record.pinned().home;
    let other = draft.seal(&trolley.record.keys().log_key(), &home).unwrap();
    office.record.admit(office.now, std::slice::from_ref(start)).unwrap();
    let admission = office.record.admit(office.now, &[other]).unwrap();
    assert!(!office.record.picture().home.devices()[&device].is_active());
    assert!(admission.membership);
}

/// Bug: one entry with junk for a signature inside a range kept all others, of every log, from
/// being checked, so that they were never passed on.
/// Cause: the audit gave up at the first that failed and began with it again the next time.
/// Fix: it names it, marks those that hold and goes on behind it.
#[test]
fn junk_for_a_signature_inside_a_range_does_not_keep_others_from_being_checked() {
    let mut office = Device::set_up();
    let (trolley, mut lounge) = (office.join(), office.join());
    for _ in 0..3 {
        lounge.give().unwrap();
    }
    let home = office.record.pinned().home;
    let head = trolley.record.heads().get(&trolley.record.own_log());
    assert!(head.is_none(), "its log begins below");
    // The trolley's log: a good start, an entry with junk for a signature, and one that vouches.
    let mut trolley = trolley;
    trolley.give().unwrap();
    let head = trolley.record.heads().get(&trolley.record.own_log()).unwrap().latest().unwrap();
    let good = forged(&trolley, head.sequence + 1, head.hash);
    let mut short = good.short();
    let last = short.len() - 1;
    short[last] ^= 1;
    let start = good.range_start();
    let mut whole = good.bytes().to_vec();
    let end = whole.len() - 1;
    whole[end] ^= 1;
    let junk_hash = Hash(blake3::derive_key("medround entry hash 1", &whole));
    let vouching = forged(&trolley, head.sequence + 2, junk_hash);
    let range = Sealed::verify_range(&start, [&short[..], &vouching.short()], &home).unwrap();
    office.take_from(&trolley);
    office.record.admit(office.now, &range).unwrap();
    // The lounge's doses come as one range, of which only the last was checked.
    let doses: Vec<Sealed> = missing(&lounge.record, office.record.heads());
    let shorts: Vec<Vec<u8>> = doses.iter().map(Sealed::short).collect();
    let shorts = shorts.iter().map(Vec::as_slice);
    let range = Sealed::verify_range(&doses[0].range_start(), shorts, &home).unwrap();
    office.record.admit(office.now, &range).unwrap();
    while office.record.audit(2).unwrap() == 2 {}
    let reader = office.record.reader();
    for dose in doses {
        assert!(reader.entry(&dose.id()).unwrap().unwrap().is_audited());
    }
}

/// Bug: an order whose content could not be read was missing from every answer, and `verify` said
/// that there was no fault.
/// Cause: it looked at signatures, chains and views, and the views left it out as well.
/// Fix: a known kind that cannot be read is a fault, and no damage of the file.
#[test]
fn a_known_kind_that_cannot_be_read_is_a_fault_and_no_damage() {
    let mut office = Device::set_up();
    let mut trolley = office.join();
    trolley.give().unwrap();
    office.take_from(&trolley);
    let written = |kind, sequence, previous| {
        let draft = Draft {
            sequence,
            previous,
            clock: HybridClock::default().tick(trolley.now.0),
            wall_ms: trolley.now.0,
            offset_minutes: 0,
            class: Class::CARE.clinical(),
            kind,
            kind_version: 1,
            subject: Some(home::GLADYS.0),
            payload: vec![1, 2, 3],
        };
        draft.seal(&trolley.record.keys().log_key(), &trolley.record.pinned().home).unwrap()
    };
    let head = trolley.record.heads().get(&trolley.record.own_log()).unwrap().latest().unwrap();
    let tomorrow = written(700, head.sequence + 1, head.hash);
    office.record.admit(office.now, std::slice::from_ref(&tomorrow)).unwrap();
    let verified = office.record.reader().verify();
    assert!(verified.is_clean(), "a kind of tomorrow is no fault: {:?}", verified.faults);
    let order = written(61, head.sequence + 2, tomorrow.hash());
    office.record.admit(office.now, &[order]).unwrap();
    let verified = office.record.reader().verify();
    let [fault] = &verified.faults[..] else { panic!("one fault: {:?}", verified.faults) };
    assert_eq!(
        (fault.log, fault.sequence),
        (Some(trolley.record.own_log()), Some(head.sequence + 2))
    );
    assert!(fault.what.contains("cannot be read"), "{}", fault.what);
    assert_eq!(office.record.reader().damage(), None);
    office.give().unwrap();
}
