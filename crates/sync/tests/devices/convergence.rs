//! Any order, any cut, any repeat of frames, any fork: every device ends with the same entries.
//!
//! While the home runs, the harness checks every frame that is sent: what it says is on the
//! sender's disk is there, so no receipt goes out before its fsync.

use proptest::prelude::*;
use store::entry::LogKey;
use store::heads::Head;
use sync::frame::Refused;
use sync::session::{Input, Notice, PUSHED_BYTES_MAX};

use crate::shelf::{ENROLS, Home, chain, write};

#[derive(Debug, Clone, Copy)]
enum Step {
    Write(usize),
    WriteOver(usize, usize),
    Deliver(usize),
    DeliverTwice(usize),
    Work(usize),
    Cut(usize),
    Connect(usize),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    let any = 0..1000_usize;
    prop_oneof![
        6 => any.clone().prop_map(Step::Write),
        1 => (any.clone(), any.clone()).prop_map(|(device, at)| Step::WriteOver(device, at)),
        16 => any.clone().prop_map(Step::Deliver),
        2 => any.clone().prop_map(Step::DeliverTwice),
        12 => any.clone().prop_map(Step::Work),
        1 => any.clone().prop_map(Step::Cut),
        3 => any.prop_map(Step::Connect),
        1 => Just(Step::Tick),
    ]
}

fn links(devices: usize) -> Vec<(usize, usize)> {
    (0..devices).flat_map(|a| (a + 1..devices).map(move |b| (a, b))).collect()
}

fn act(home: &mut Home, step: Step) {
    let devices = home.devices.len();
    let links = links(devices);
    let link = |at: usize| links[at % links.len()];
    let end = |at: usize| {
        let (a, b) = links[at / 2 % links.len()];
        if at.is_multiple_of(2) { (a, b) } else { (b, a) }
    };
    match step {
        Step::Write(at) => {
            home.write(at % devices);
        }
        Step::WriteOver(device, at) => home.write_over(device % devices, at),
        Step::Deliver(at) => {
            home.deliver(end(at).0, end(at).1, 1);
        }
        Step::DeliverTwice(at) => {
            home.deliver(end(at).0, end(at).1, 2);
        }
        Step::Work(at) => {
            home.work(end(at).0, end(at).1);
        }
        Step::Cut(at) => home.cut(link(at).0, link(at).1),
        Step::Connect(at) => home.connect(link(at).0, link(at).1),
        Step::Tick => home.tick(),
    }
}

/// Everybody is connected to the next, or to everybody.
fn heal(home: &mut Home, mesh: bool) {
    for (a, b) in links(home.devices.len()) {
        home.cut(a, b);
        if mesh || b == a + 1 {
            home.connect(a, b);
        }
    }
    home.settle();
    for _ in 0..3 {
        home.tick();
        home.settle();
    }
}

proptest! {

    #[test]
    fn devices_that_meet_again_hold_the_same_whatever_happened_before(
        devices in 2..5_usize,
        steps in prop::collection::vec(step(), 0..160),
        mesh in any::<bool>(),
    ) {
        let mut home = Home::new(devices);
        for step in steps {
            act(&mut home, step);
        }
        heal(&mut home, mesh);
        home.assert_level();
    }

    #[test]
    fn what_is_written_while_devices_greet_each_other_is_not_lost_sight_of(
        devices in 2..4_usize,
        before in prop::collection::vec(step(), 0..40),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut home = Home::new(devices);
        for step in before {
            act(&mut home, step);
        }
        for (a, b) in links(devices) {
            home.connect(a, b);
        }
        // From here on no connection is cut, and no sign of life helps.
        for step in steps {
            if !matches!(step, Step::Cut(_) | Step::Connect(_) | Step::Tick) {
                act(&mut home, step);
            }
        }
        home.settle();
        home.assert_level();
    }

    #[test]
    fn a_log_that_is_enrolled_late_arrives_in_full_in_the_end(
        devices in 2..5_usize,
        steps in prop::collection::vec(step(), 0..120),
        enrolled_at in prop::collection::vec(0..120_usize, 3),
    ) {
        let mut home = Home::new(devices);
        let founder = home.devices[0].key.log();
        for device in &mut home.devices {
            device.shelf.enrolled = [founder, device.key.log()].into();
        }
        let steps: Vec<Step> = steps;
        for at in 0..120 {
            for device in 1..devices {
                if enrolled_at[device - 1] == at {
                    let log = home.devices[device].key.log();
                    home.write_kind(0, ENROLS, log.0.to_vec());
                }
            }
            if let Some(step) = steps.get(at) {
                act(&mut home, *step);
            }
        }
        heal(&mut home, false);
        home.assert_level();
    }
}

/// Two devices, the first with a log of this many entries.
fn ahead(entries: usize) -> Home {
    let mut home = Home::new(2);
    let log = chain(&home.devices[0].key, entries);
    home.devices[0].shelf.admit(&log).unwrap();
    home
}

#[test]
fn two_devices_that_hold_the_same_are_in_sync_after_one_round_trip_and_200_bytes() {
    let mut home = ahead(50);
    home.connect(0, 1);
    home.settle();
    home.connect(0, 1);
    assert!(home.deliver(0, 1, 1) && home.deliver(1, 0, 1));
    home.assert_level();
    assert_eq!(home.settle(), 0, "nothing more was to be said");
    for (here, there) in [(0, 1), (1, 0)] {
        let sent = home.end(here, there).sent;
        assert!(sent < 200, "{sent} bytes were sent");
    }
}

#[test]
fn an_entry_reaches_a_level_peer_in_one_frame_and_the_receipt_comes_after_the_fsync() {
    let mut home = ahead(3);
    home.connect(0, 1);
    home.settle();
    let entry = home.write(0);
    assert!(home.deliver(1, 0, 1), "the entry was pushed");
    let counted = |home: &Home| {
        home.end(0, 1).notices.iter().any(|notice| match notice {
            Notice::PeerHolds(heads) => heads.get(&entry.log()).is_some_and(|held| {
                held.heads().contains(&Head { sequence: 3, hash: entry.hash() })
            }),
            _ => false,
        })
    };
    assert!(!home.deliver(0, 1, 1), "no receipt before the fsync");
    assert!(!counted(&home));
    assert!(home.work(1, 0), "the fsync");
    assert!(home.deliver(0, 1, 1), "the receipt");
    assert!(counted(&home));
    home.assert_level();
}

#[test]
fn a_long_log_crosses_in_bounded_pieces() {
    let mut home = ahead(12_000);
    home.connect(0, 1);
    home.settle();
    home.assert_level();
    assert_eq!(home.devices[1].shelf.count(), 12_000);
}

#[test]
fn a_device_whose_disk_is_slow_is_not_sent_more_than_it_can_keep() {
    let mut home = Home::new(2);
    let big: Vec<_> = (0..1500).map(|_| vec![5; 16_000]).collect();
    let mut log = Vec::new();
    for payload in big {
        let entry = write(&home.devices[0].key, log.last(), 1, payload);
        log.push(entry);
    }
    home.devices[0].shelf.admit(&log).unwrap();
    home.connect(0, 1);
    // The second device's disk does not answer at all.
    while home.deliver(0, 1, 1) | home.deliver(1, 0, 1) | home.work(0, 1) {}
    let sent = home.end(0, 1).sent;
    assert!(sent > 4 << 20, "{sent} bytes were sent");
    assert!(sent <= (8 << 20) + 4096, "{sent} bytes were sent");
    home.settle();
    home.assert_level();
}

#[test]
fn a_peer_that_gives_no_receipts_is_told_heads_instead_of_entries() {
    let mut home = ahead(1);
    home.connect(0, 1);
    home.settle();
    let before = home.end(0, 1).sent;
    for _ in 0..200 {
        home.write_kind(0, 1, vec![1; 15_000]);
    }
    let sent = home.end(0, 1).sent - before;
    assert!(sent < PUSHED_BYTES_MAX + 200 * 128, "{sent} bytes were sent");
    home.settle();
    home.assert_level();
}

#[test]
fn both_branches_of_a_log_that_was_forked_long_ago_end_up_on_both_devices() {
    let mut home = ahead(5_000);
    let log = home.devices[0].shelf.all(&home.devices[0].key.log());
    let key = &home.devices[0].key;
    // The second device holds another end of the same log, from entry 1,234 on.
    let mut other = log[..1_235].to_vec();
    for at in 0..700_u32 {
        let entry = write(key, other.last(), 2, at.to_be_bytes().to_vec());
        other.push(entry);
    }
    home.devices[1].shelf.admit(&other).unwrap();
    home.connect(0, 1);
    home.settle();
    home.assert_level();
    assert_eq!(home.devices[0].shelf.count(), 5_700);
    for (here, there) in [(0, 1), (1, 0)] {
        assert!(home.end(here, there).notices.contains(&Notice::Forked(log[0].log())));
    }
    // The first device learns that there is more of its own log than it wrote.
    let restored = |notice: &Notice| matches!(notice, Notice::PeerHoldsMoreOfMyLog(_));
    assert!(home.end(0, 1).notices.iter().any(restored));
    assert!(!home.end(1, 0).notices.iter().any(restored));
}

#[test]
fn a_restored_device_hears_of_its_own_lost_entries_with_the_first_heads() {
    let mut home = ahead(10);
    let log = home.devices[0].shelf.all(&home.devices[0].key.log());
    home.devices[1].shelf.admit(&log).unwrap();
    let lost = write(&home.devices[0].key, log.last(), 1, vec![1]);
    home.devices[1].shelf.admit(std::slice::from_ref(&lost)).unwrap();
    home.connect(0, 1);
    home.settle();
    let head = Head { sequence: 10, hash: lost.hash() };
    assert!(home.end(0, 1).notices.contains(&Notice::PeerHoldsMoreOfMyLog(head)));
    home.assert_level();
}

#[test]
fn entries_of_a_log_that_is_not_enrolled_are_refused_once_and_not_asked_for_again() {
    let mut home = ahead(40);
    let stranger = home.devices[0].key.log();
    let own = home.devices[1].key.log();
    home.devices[1].shelf.enrolled.insert(own);
    home.connect(0, 1);
    home.settle();
    for _ in 0..5 {
        let sent = home.end(0, 1).sent;
        home.tick();
        home.settle();
        assert!(home.end(0, 1).sent - sent < 100, "entries were sent again");
    }
    let why = Refused::NotEnrolled;
    let stopped = home.end(1, 0).notices.iter();
    let stopped = stopped.filter(|said| **said == Notice::Stopped { log: stranger, why }).count();
    assert_eq!(stopped, 1);
    assert!(home.end(0, 1).notices.contains(&Notice::PeerRefused { log: stranger, why }));
    let Some(Notice::Apart(apart)) = home.end(1, 0).level() else { panic!("not in sync") };
    assert_eq!((apart.behind, apart.stopped.as_slice()), (40, &[stranger][..]));
    // Once its device is enrolled the log comes over.
    home.devices[1].shelf.enrolled.insert(stranger);
    home.feed(1, 0, Input::MembershipChanged);
    home.settle();
    home.assert_level();
}

#[test]
fn a_disk_that_was_full_is_tried_again_and_nothing_is_receipted_meanwhile() {
    let mut home = ahead(5);
    home.connect(0, 1);
    loop {
        home.deliver(0, 1, 1);
        home.deliver(1, 0, 1);
        home.work(0, 1);
        let end = home.devices[1].ends.get_mut(&0).unwrap();
        if let Some(crate::shelf::Job::Admit(ticket, _)) = end.jobs.pop_front() {
            home.feed(1, 0, Input::AdmitRefused { ticket, why: Refused::NotSaved });
            break;
        }
    }
    home.settle();
    assert_eq!(home.devices[1].shelf.count(), 0);
    home.tick();
    home.settle();
    home.assert_level();
}

#[test]
fn a_device_that_has_all_of_the_peer_s_says_so_though_the_peer_lacks_some() {
    let mut home = ahead(5);
    home.connect(0, 1);
    // Up to the heads: the peer has not fetched anything yet.
    for _ in 0..2 {
        home.deliver(0, 1, 1);
        home.deliver(1, 0, 1);
    }
    let Some(Notice::Apart(apart)) = home.end(0, 1).level() else { panic!("not in sync yet") };
    assert_eq!((apart.behind, apart.ahead), (0, 5));
    let Some(Notice::Apart(apart)) = home.end(1, 0).level() else { panic!("not in sync yet") };
    assert_eq!((apart.behind, apart.ahead), (5, 0));
}

#[test]
fn entries_are_pushed_only_to_a_peer_that_stands_right_before_them() {
    let mut home = ahead(30);
    let log = home.devices[0].shelf.all(&home.devices[0].key.log());
    home.devices[1].shelf.admit(&log[..10]).unwrap();
    home.connect(0, 1);
    home.deliver(0, 1, 1);
    home.deliver(1, 0, 1);
    home.deliver(0, 1, 1);
    home.deliver(1, 0, 1);
    let before = home.end(0, 1).sent;
    home.write_kind(0, 1, vec![1; 4_000]);
    let sent = home.end(0, 1).sent - before;
    assert!(sent < 200, "the peer is 20 entries behind and is told the heads: {sent} bytes");
    home.settle();
    home.assert_level();
}

#[test]
fn a_commit_of_two_logs_is_told_in_full() {
    let mut home = ahead(1);
    home.connect(0, 1);
    home.settle();
    let other = chain(&LogKey::from_seed(&[77; 32]), 3);
    let first = &mut home.devices[0];
    let own = write(&first.key, first.shelf.all(&first.key.log()).last(), 1, vec![1]);
    first.shelf.admit(&other).unwrap();
    first.shelf.admit(std::slice::from_ref(&own)).unwrap();
    let (entries, heads) = ([vec![own], other].concat(), first.shelf.heads.clone());
    home.feed(0, 1, Input::Committed { entries, heads });
    home.settle();
    home.assert_level();
    assert_eq!(home.devices[1].shelf.count(), 5);
}
