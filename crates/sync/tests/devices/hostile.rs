//! A device that is enrolled and means harm, or is broken: nothing it sends gets in, brings the
//! session down, makes it ask for ever, or stops what is honest.

use proptest::prelude::*;
use store::entry::{EntryId, Hash, HomeId, LogKey, RangeStart, Sealed};
use store::heads::{Head, Heads};
use sync::frame::{Direction, Entries, Frame, FrameFault, Line, Point, RangeEnd, Refused, Want};
use sync::session::{CloseReason, Effect, Input, Notice, Session};

use crate::shelf::{HOME, Home, chain, head_of, write};

/// A session that has said hello, and the peer's answer that lets it go on.
fn open(mine: &Heads) -> Session {
    let mut session = Session::new(HOME);
    let effects = session.handle(Input::Started { heads: mine.clone(), own_log: None, wall_ms: 0 });
    let Some(Effect::Send(hello)) = effects.first() else { panic!("a hello comes first") };
    session.handle(Input::Frame(hello.clone()));
    session
}

fn line(head: Head, log: store::entry::LogId) -> Line {
    Line { log, anchor: 0, heads: vec![head] }
}

fn feed(session: &mut Session, frame: &Frame) -> Vec<Effect> {
    session.handle(Input::Frame(frame.encode()))
}

fn closed(effects: &[Effect]) -> Option<&CloseReason> {
    effects.iter().find_map(|effect| match effect {
        Effect::Close(reason) => Some(reason),
        _ => None,
    })
}

fn sent(effects: &[Effect]) -> Vec<Frame> {
    let frames = effects.iter().filter_map(|effect| match effect {
        Effect::Send(bytes) => Frame::decode(bytes).unwrap(),
        _ => None,
    });
    frames.collect()
}

fn admits(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Admit { .. })).count()
}

/// Announces `head`, and returns the request that follows.
fn wanted(session: &mut Session, log: &[Sealed]) -> Want {
    let last = log.last().unwrap();
    let effects = feed(session, &Frame::Receipt(vec![line(head_of(last), last.log())]));
    let want = sent(&effects).into_iter().find_map(|frame| match frame {
        Frame::Want(want) => Some(want),
        _ => None,
    });
    want.expect("what is missing is asked for")
}

fn answer(want: u32, start: RangeStart, entries: &[Sealed]) -> Frame {
    let mut frame = Entries::new(want, start);
    assert!(entries.iter().all(|entry| frame.push(entry)));
    frame.last = true;
    Frame::Entries(frame)
}

#[track_caller]
fn refused(effects: &[Effect], log: &[Sealed], why: Refused) {
    assert_eq!(admits(effects), 0, "nothing of it gets to the disk");
    let log = log[0].log();
    assert!(sent(effects).contains(&Frame::Refused { log, why }));
}

fn log_of(entries: usize) -> Vec<Sealed> {
    chain(&LogKey::from_seed(&[9; 32]), entries)
}

#[test]
fn bytes_that_are_no_frame_end_the_connection() {
    let mut session = open(&Heads::default());
    let effects = session.handle(Input::Frame(vec![4, 1, 2]));
    assert_eq!(closed(&effects), Some(&CloseReason::Malformed(FrameFault::Length)));
    let after = feed(&mut session, &Frame::HeadsWanted);
    assert!(after.is_empty(), "nothing is done after the end");
    let mut session = open(&Heads::default());
    let effects = session.handle(Input::Frame(vec![17; 300_000]));
    assert_eq!(closed(&effects), Some(&CloseReason::Malformed(FrameFault::TooLong(300_000))));
}

#[test]
fn a_device_that_does_not_say_hello_is_left() {
    let mut session = Session::new(HOME);
    session.handle(Input::Started { heads: Heads::default(), own_log: None, wall_ms: 0 });
    let effects = feed(&mut session, &Frame::HeadsWanted);
    assert_eq!(closed(&effects), Some(&CloseReason::NoHello));
}

#[test]
fn a_device_of_another_home_or_of_another_time_is_left_with_a_sentence() {
    let mut theirs = Session::new(HomeId([8; 32]));
    let started = Input::Started { heads: Heads::default(), own_log: None, wall_ms: 0 };
    let hello = sent(&theirs.handle(started.clone())).remove(0);
    let mut session = Session::new(HOME);
    session.handle(started.clone());
    assert_eq!(closed(&feed(&mut session, &hello)), Some(&CloseReason::OtherHome));

    let mut session = Session::new(HOME);
    let Frame::Hello(mut hello) = sent(&session.handle(started)).remove(0) else { panic!() };
    (hello.protocol_min, hello.protocol_max) = (2, 9);
    let effects = feed(&mut session, &Frame::Hello(hello));
    let reason = closed(&effects).unwrap();
    assert_eq!(reason, &CloseReason::Protocol { theirs_min: 2, theirs_max: 9 });
    assert!(reason.to_string().contains("update the older one"));
}

#[test]
fn a_forged_entry_does_not_get_to_the_disk_and_its_log_is_not_asked_for_again() {
    let log = log_of(3);
    // The same chain, whose last entry another key has signed.
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log);
    let mut frame = answer(want.id, log[0].range_start(), &log).encode();
    let end = frame.len() - 1;
    frame[end] ^= 1;
    let effects = session.handle(Input::Frame(frame));
    refused(&effects, &log, Refused::Unsound);
    let again = session.handle(Input::Tick { wall_ms: 0 });
    assert!(sent(&again).iter().all(|frame| matches!(frame, Frame::Clock { .. })));
}

#[test]
fn a_changed_entry_inside_a_range_breaks_the_signature_after_it() {
    let log = log_of(30);
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log);
    let mut frame = answer(want.id, log[0].range_start(), &log).encode();
    frame[400] ^= 1;
    let effects = session.handle(Input::Frame(frame));
    refused(&effects, &log, Refused::Unsound);
}

#[test]
fn entries_signed_for_another_home_are_refused() {
    let draft = |home: &HomeId| {
        let mut bytes = write(&LogKey::from_seed(&[9; 32]), None, 1, vec![1]).bytes().to_vec();
        let length = bytes.len() - 64;
        let message = [&b"medround entry signature 1"[..], &home.0, &bytes[..length]].concat();
        let signature = LogKey::from_seed(&[9; 32]).sign(&message);
        bytes[length..].copy_from_slice(&signature);
        bytes
    };
    assert!(Sealed::verify(&draft(&HOME), &HOME).is_ok(), "the test signs as an entry is signed");
    let foreign = Sealed::verify(&draft(&HomeId([8; 32])), &HomeId([8; 32])).unwrap();
    let mut session = open(&Heads::default());
    let log = [foreign];
    let want = wanted(&mut session, &log);
    let effects = feed(&mut session, &answer(want.id, log[0].range_start(), &log));
    refused(&effects, &log, Refused::Unsound);
}

#[test]
fn a_gap_is_refused_though_every_signature_holds() {
    let log = log_of(10);
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log);
    let effects = feed(&mut session, &answer(want.id, log[4].range_start(), &log[4..]));
    refused(&effects, &log, Refused::Unsound);
}

#[test]
fn a_range_transplanted_into_another_log_is_refused() {
    let log = log_of(4);
    let other = chain(&LogKey::from_seed(&[8; 32]), 4);
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log);
    // Said to be the log that was asked for: the signatures are another key's.
    let effects = feed(&mut session, &answer(want.id, log[0].range_start(), &other));
    refused(&effects, &log, Refused::Unsound);
    // Said to be what it is: nobody asked for that.
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log);
    let effects = feed(&mut session, &answer(want.id, other[0].range_start(), &other));
    refused(&effects, &log, Refused::Unsound);
}

#[test]
fn a_chain_that_does_not_lead_to_the_promised_head_is_refused() {
    let log = log_of(4);
    let mut branch = log[..3].to_vec();
    branch.push(write(&LogKey::from_seed(&[9; 32]), branch.last(), 1, vec![99]));
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log);
    let effects = feed(&mut session, &answer(want.id, log[0].range_start(), &branch));
    refused(&effects, &log, Refused::Unsound);
}

#[test]
fn a_sequence_at_the_end_of_all_numbers_is_refused() {
    let log = log_of(1);
    let far = Head { sequence: u64::MAX, hash: Hash([1; 32]) };
    let mut session = open(&Heads::default());
    let effects = feed(&mut session, &Frame::Receipt(vec![line(far, log[0].log())]));
    assert_eq!(closed(&effects), Some(&CloseReason::Malformed(FrameFault::Value)));
    // One below is allowed to be said, and leads nowhere.
    let far = Head { sequence: u64::MAX - 1, hash: Hash([1; 32]) };
    let mut session = open(&Heads::default());
    let effects = feed(&mut session, &Frame::Receipt(vec![line(far, log[0].log())]));
    assert!(closed(&effects).is_none());
    let start = RangeStart { sequence: u64::MAX - 1, ..log[0].range_start() };
    let mut frame = Entries::new(0, start);
    assert!(frame.push(&log[0]));
    let effects = feed(&mut session, &Frame::Entries(frame));
    assert_eq!(admits(&effects), 0);
}

#[test]
fn a_range_that_is_complete_and_not_said_to_be_leaves_the_log_open_for_more() {
    let log = log_of(6);
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log[..5]);
    let mut frame = Entries::new(want.id, log[0].range_start());
    assert!(log[..5].iter().all(|entry| frame.push(entry)));
    assert_eq!(admits(&feed(&mut session, &Frame::Entries(frame))), 1);
    let pushed = answer(0, log[5].range_start(), &log[5..]);
    assert_eq!(admits(&feed(&mut session, &pushed)), 1);
}

#[test]
fn a_repeated_answer_is_taken_in_once() {
    let log = log_of(5);
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log);
    let frame = answer(want.id, log[0].range_start(), &log);
    assert_eq!(admits(&feed(&mut session, &frame)), 1);
    assert_eq!(admits(&feed(&mut session, &frame)), 0);
    // The same bytes as a push are known not to follow, and nothing is asked again either.
    let mut pushed = Entries::new(0, log[0].range_start());
    assert!(log.iter().all(|entry| pushed.push(entry)));
    let effects = feed(&mut session, &Frame::Entries(pushed));
    assert_eq!((admits(&effects), sent(&effects).len()), (0, 0));
}

#[test]
fn a_peer_that_asks_for_too_much_at_once_is_left() {
    let log = log_of(2);
    let mut session = open(&Heads::default());
    let want = |id| {
        Frame::Want(Want {
            id,
            log: log[0].log(),
            after: None,
            up_to: head_of(&log[1]),
            budget: u32::MAX,
            direction: Direction::Up,
        })
    };
    let reads: usize = (1..=8)
        .map(|id| {
            let effects = feed(&mut session, &want(id));
            effects.iter().filter(|effect| matches!(effect, Effect::Read { .. })).count()
        })
        .sum();
    assert_eq!(reads, 1, "one read at a time");
    assert_eq!(closed(&feed(&mut session, &want(9))), Some(&CloseReason::TooManyWants));
}

#[test]
fn a_peer_that_sends_more_than_was_asked_for_is_left() {
    let key = LogKey::from_seed(&[9; 32]);
    let mut log: Vec<Sealed> = Vec::new();
    for _ in 0..130 {
        let entry = write(&key, log.last(), 1, vec![0; 16_000]);
        log.push(entry);
    }
    let mut session = open(&Heads::default());
    let want = wanted(&mut session, &log);
    let mut rest = log.as_slice();
    let mut last = Vec::new();
    while let Some(first) = rest.first() {
        let mut frame = Entries::new(want.id, first.range_start());
        let fits = rest.iter().take_while(|entry| frame.push(entry)).count();
        rest = &rest[fits..];
        last = feed(&mut session, &Frame::Entries(frame));
        if closed(&last).is_some() {
            break;
        }
    }
    assert_eq!(closed(&last), Some(&CloseReason::TooMuchSent));
}

#[test]
fn a_peer_that_pushes_without_end_is_left_before_the_memory_is_full() {
    let key = LogKey::from_seed(&[9; 32]);
    let mut session = open(&Heads::default());
    let mut before: Option<Sealed> = None;
    for pushed in 0.. {
        let mut frame: Option<Entries> = None;
        loop {
            let entry = write(&key, before.as_ref(), 1, vec![0; 16_000]);
            let frame = frame.get_or_insert_with(|| Entries::new(0, entry.range_start()));
            if !frame.push(&entry) {
                break;
            }
            before = Some(entry);
        }
        let effects = feed(&mut session, &Frame::Entries(frame.unwrap()));
        if closed(&effects).is_some() {
            assert_eq!(closed(&effects), Some(&CloseReason::TooMuchSent));
            assert!(pushed > 40, "{pushed} frames of 256 KiB are within the limit");
            return;
        }
        assert!(pushed < 70, "the limit is 16 MiB");
    }
}

#[test]
fn a_peer_that_answers_every_range_with_nonsense_is_not_asked_for_ever() {
    let log = log_of(50);
    let mut mine = Heads::default();
    log[..20].iter().for_each(|entry| mine.extend(entry));
    let mut session = open(&mine);
    let mut effects =
        feed(&mut session, &Frame::Receipt(vec![line(head_of(&log[49]), log[0].log())]));
    let mut rounds = 0;
    loop {
        let mut next = Vec::new();
        for effect in effects {
            next.extend(match effect {
                Effect::Send(bytes) => match Frame::decode(&bytes).unwrap().unwrap() {
                    Frame::Want(want) => feed(
                        &mut session,
                        &Frame::RangeEnd { want: want.id, why: RangeEnd::NotOnBranch },
                    ),
                    Frame::HashAt { question, sequences, .. } => {
                        let entry = EntryId([7; 16]);
                        let point = |sequence| Point { sequence, entry };
                        let points = sequences.into_iter().map(point).collect();
                        feed(&mut session, &Frame::HashesAt { question, points })
                    }
                    _ => Vec::new(),
                },
                Effect::Read { ticket, read: sync::session::Read::Held { points, .. } } => {
                    let held = points.iter().map(|point| point.sequence < 10).collect();
                    let found = sync::session::Found::Held(held);
                    session.handle(Input::ReadDone { ticket, found })
                }
                _ => Vec::new(),
            });
        }
        if next.is_empty() {
            break;
        }
        effects = next;
        rounds += 1;
        assert!(rounds < 60, "the session goes on for ever");
    }
    assert!(rounds > 3);
}

#[test]
fn a_bad_log_does_not_keep_the_others_from_crossing() {
    let mut home = Home::new(2);
    for _ in 0..20 {
        home.write(0);
    }
    home.connect(0, 1);
    home.settle();
    let bad = log_of(3);
    let mut frame = answer(0, bad[0].range_start(), &bad).encode();
    let end = frame.len() - 1;
    frame[end] ^= 1;
    home.feed(1, 0, Input::Frame(frame));
    let why = Refused::Unsound;
    assert!(home.end(1, 0).notices.contains(&Notice::Stopped { log: bad[0].log(), why }));
    home.write(0);
    home.settle();
    home.assert_level();
}

proptest! {

    #[test]
    fn no_bytes_bring_a_session_down(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20),
        kinds in prop::collection::vec(1..21_u8, 20),
    ) {
        let mut session = open(&Heads::default());
        for (frame, kind) in frames.into_iter().zip(kinds) {
            let bytes = [vec![kind], frame].concat();
            let effects = session.handle(Input::Frame(bytes));
            prop_assert_eq!(admits(&effects), 0);
        }
    }

    #[test]
    fn changed_frames_of_an_honest_exchange_bring_no_session_down_and_no_entry_in(
        changes in prop::collection::vec((0..60_usize, any::<usize>(), any::<u8>()), 1..12),
    ) {
        let mut home = Home::new(2);
        for at in 0..30 {
            home.write(at % 2);
        }
        home.connect(0, 1);
        for step in 0..400 {
            for (here, there) in [(0, 1), (1, 0)] {
                home.work(here, there);
                if let Some(end) = home.devices[here].ends.get_mut(&there)
                    && let Some(frame) = end.inbox.front_mut()
                {
                    for (_, at, byte) in changes.iter().filter(|(when, _, _)| *when == step) {
                        let at = at % frame.len();
                        frame[at] = *byte;
                    }
                }
                // A device that lies is believed about itself: only what gets in is looked at.
                home.deliver_lies(here, there);
            }
        }
        for device in &home.devices {
            prop_assert!(device.shelf.count() <= 30);
        }
        home.connect(0, 1);
        home.settle();
        home.assert_level();
    }
}

fn log_id(number: u32) -> store::entry::LogId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    store::entry::LogId(id)
}

/// Bug: a device that named two logs that end beyond all measure brought the session down.
/// Cause: how far the devices are apart was added up without regard to the end of all numbers.
/// Fix: the sum stays at its end.
#[test]
fn heads_at_the_end_of_all_numbers_bring_no_session_down() {
    let mut session = open(&Heads::default());
    let far = Head { sequence: u64::MAX - 1, hash: Hash([1; 32]) };
    let lines = (1..=3).map(|log| line(far, log_id(log))).collect();
    let effects = feed(&mut session, &Frame::Receipt(lines));
    let behind = effects.iter().find_map(|effect| match effect {
        Effect::Notice(Notice::Apart(apart)) => Some(apart.behind),
        _ => None,
    });
    assert_eq!(behind, Some(u64::MAX));
}

/// Bug: a device that refused logs nobody has filled the memory.
/// Cause: every refused log was noted, held or not.
/// Fix: only a log of which something is held here can have been refused.
#[test]
fn a_peer_that_refuses_logs_that_nobody_has_fills_nothing() {
    let log = log_of(2);
    let mut mine = Heads::default();
    log.iter().for_each(|entry| mine.extend(entry));
    let mut session = open(&mine);
    for number in 0..100 {
        let frame = Frame::Refused { log: log_id(number), why: Refused::Unsound };
        assert!(feed(&mut session, &frame).is_empty());
    }
    let frame = Frame::Refused { log: log[0].log(), why: Refused::NotSaved };
    assert_eq!(feed(&mut session, &frame).len(), 1, "one that is held is told");
}

/// Bug: a device could name 65,536 logs with 1,024 heads each: 2.6 GB.
/// Cause: logs were counted and heads were not.
/// Fix: all heads of a peer are counted.
#[test]
fn a_peer_that_names_heads_without_end_is_left_before_the_memory_is_full() {
    let mut session = open(&Heads::default());
    for number in 0..1_000 {
        let head = |sequence| Head { sequence, hash: Hash([7; 32]) };
        let heads = (0..1_024).map(head).collect();
        let lines = vec![Line { log: log_id(number), anchor: 0, heads }];
        let effects = feed(&mut session, &Frame::Receipt(lines));
        if closed(&effects).is_some() {
            assert_eq!(closed(&effects), Some(&CloseReason::TooManyLogs));
            assert!((200..300).contains(&number), "after {number} logs");
            return;
        }
    }
    panic!("nothing was counted");
}

/// Bug: a connection that was made while this device was busy writing ended with "did not begin
/// with a hello".
/// Cause: the peer's hello was dropped when it came before the heads on the disk here.
/// Fix: it is kept until they come.
#[test]
fn a_hello_that_comes_before_this_device_is_ready_is_answered() {
    let started = || Input::Started { heads: Heads::default(), own_log: None, wall_ms: 0 };
    let hello = |effects: &[Effect]| match effects.first() {
        Some(Effect::Send(hello)) => hello.clone(),
        _ => panic!("a hello comes first"),
    };
    let (mut quick, mut slow) = (Session::new(HOME), Session::new(HOME));
    let early = hello(&quick.handle(started()));
    assert!(slow.handle(Input::Frame(early)).is_empty());
    let effects = slow.handle(started());
    assert!(effects.iter().any(|e| matches!(e, Effect::Notice(Notice::InSync { .. }))));
    let effects = quick.handle(Input::Frame(hello(&effects)));
    assert!(effects.iter().any(|e| matches!(e, Effect::Notice(Notice::InSync { .. }))));
}
