//! The wire format: what was written is read back, and nothing else is.

use proptest::prelude::*;
use store::entry::{DeviceId, EntryId, Hash, LogId, LogKey};
use store::heads::Head;
use sync::frame::{
    Direction, ENTRIES_MAX, Entries, FRAME_BYTES_MAX, Frame, FrameFault, Hello, KnownAddress, Line,
    Point, RangeEnd, Refused, Want,
};

use crate::shelf::{HOME, chain, write};

fn head() -> impl Strategy<Value = Head> {
    (0..u64::MAX, any::<[u8; 32]>())
        .prop_map(|(sequence, hash)| Head { sequence, hash: Hash(hash) })
}

fn point() -> impl Strategy<Value = Point> {
    (0..u64::MAX, any::<[u8; 16]>())
        .prop_map(|(sequence, entry)| Point { sequence, entry: EntryId(entry) })
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let heads = prop::collection::btree_set(head(), 1..4);
    prop::collection::btree_map(any::<[u8; 32]>(), heads, 0..20).prop_map(|logs| {
        let line = |(log, heads): (_, std::collections::BTreeSet<Head>)| {
            let anchor = heads.first().map_or(0, |head| head.sequence);
            Line { log: LogId(log), anchor, heads: heads.into_iter().collect() }
        };
        logs.into_iter().map(line).collect()
    })
}

fn entries() -> impl Strategy<Value = Frame> {
    (0..30_u8, 0..25_usize, any::<u32>(), any::<bool>()).prop_map(|(seed, from, want, last)| {
        let log = chain(&LogKey::from_seed(&[seed; 32]), 30);
        let mut entries = Entries::new(want, log[from].range_start());
        assert!(log[from..].iter().all(|entry| entries.push(entry)));
        entries.last = last;
        Frame::Entries(entries)
    })
}

fn asking() -> impl Strategy<Value = Frame> {
    let log = any::<[u8; 32]>().prop_map(LogId);
    let want = (1..u32::MAX, log.clone(), prop::option::of(0..50_u64), any::<u32>(), head());
    prop_oneof![
        want.prop_map(|(id, log, after, budget, head)| {
            let sequence = head.sequence.max(51);
            Frame::Want(Want {
                id,
                log,
                after: after.map(|sequence| Point { sequence, entry: EntryId([3; 16]) }),
                up_to: Head { sequence, ..head },
                budget,
                direction: if budget % 2 == 0 { Direction::Up } else { Direction::Down },
            })
        }),
        (any::<u32>(), log, prop::collection::btree_set(0..900_u64, 1..64)).prop_map(
            |(question, log, sequences)| Frame::HashAt {
                question,
                log,
                head: Head { sequence: 900, hash: Hash([2; 32]) },
                sequences: sequences.into_iter().collect(),
            }
        ),
        (any::<u32>(), prop::collection::btree_map(0..900_u64, any::<[u8; 16]>(), 0..64)).prop_map(
            |(question, points)| Frame::HashesAt {
                question,
                points: points
                    .into_iter()
                    .map(|(sequence, entry)| Point { sequence, entry: EntryId(entry) })
                    .collect(),
            }
        ),
    ]
}

fn reserved() -> impl Strategy<Value = Frame> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    let known = (any::<[u8; 32]>(), any::<std::net::IpAddr>(), any::<u16>()).prop_map(
        |(device, ip, port)| KnownAddress { device: DeviceId(device), address: (ip, port).into() },
    );
    prop_oneof![
        (any::<[u8; 32]>(), point(), any::<u32>())
            .prop_map(|(log, below, budget)| { Frame::History { log: LogId(log), below, budget } }),
        bytes(512).prop_map(Frame::Lease),
        (any::<[u8; 32]>(), any::<u64>())
            .prop_map(|(hash, offset)| Frame::BlobWant { hash, offset }),
        (any::<[u8; 32]>(), any::<u64>(), bytes(2000))
            .prop_map(|(hash, offset, bytes)| { Frame::BlobPart { hash, offset, bytes } }),
        prop::collection::vec(known, 0..20).prop_map(Frame::Addresses),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    let reason =
        prop::sample::select(vec![RangeEnd::NotOnBranch, RangeEnd::NotHeld, RangeEnd::Later]);
    let why = prop::sample::select(vec![
        Refused::NotEnrolled,
        Refused::OutOfChain,
        Refused::Unsound,
        Refused::NotSaved,
    ]);
    prop_oneof![
        (any::<[u8; 16]>(), any::<[u8; 32]>(), any::<i64>()).prop_map(|(home, heads, wall_ms)| {
            Frame::Hello(Hello { protocol_min: 1, protocol_max: 3, home, heads, wall_ms })
        }),
        (any::<bool>(), any::<bool>(), lines()).prop_map(|(first, last, lines)| Frame::Heads {
            first,
            last,
            lines
        }),
        Just(Frame::HeadsWanted),
        asking(),
        entries(),
        (any::<u32>(), reason).prop_map(|(want, why)| Frame::RangeEnd { want, why }),
        lines().prop_map(Frame::Receipt),
        (any::<[u8; 32]>(), why).prop_map(|(log, why)| Frame::Refused { log: LogId(log), why }),
        (any::<i64>(), any::<[u8; 32]>())
            .prop_map(|(wall_ms, heads)| Frame::Clock { wall_ms, heads }),
        reserved(),
    ]
}

proptest! {
    #[test]
    fn every_frame_reads_back_from_its_bytes(frame in frame()) {
        let bytes = frame.encode();
        prop_assert!(bytes.len() <= FRAME_BYTES_MAX);
        prop_assert_eq!(Frame::decode(&bytes), Ok(Some(frame)));
    }

    #[test]
    fn a_frame_that_is_cut_short_or_goes_on_is_refused(frame in frame(), cut in any::<usize>()) {
        let mut bytes = frame.encode();
        let at = cut % bytes.len();
        prop_assert!(Frame::decode(&bytes[..at]).is_err());
        bytes.push(0);
        // A hello may say more in a later protocol.
        if !matches!(frame, Frame::Hello(_)) {
            prop_assert!(Frame::decode(&bytes).is_err());
        }
    }

    #[test]
    fn a_frame_has_one_encoding_however_its_bytes_are_changed(
        frame in frame(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = frame.encode();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        match Frame::decode(&bytes) {
            Ok(Some(Frame::Hello(hello))) => {
                prop_assert!(bytes.starts_with(&Frame::Hello(hello).encode()));
            }
            Ok(Some(read)) => prop_assert_eq!(read.encode(), bytes),
            Ok(None) | Err(_) => {}
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(Some(frame)) = Frame::decode(&bytes) {
            prop_assert!(frame.encode().len() <= bytes.len());
        }
    }
}

#[test]
fn limits_are_kept_and_not_clamped_to() {
    let too_long = vec![17; FRAME_BYTES_MAX + 1];
    assert_eq!(Frame::decode(&too_long), Err(FrameFault::TooLong(FRAME_BYTES_MAX + 1)));
    assert_eq!(Frame::decode(&[]), Err(FrameFault::Length));

    // One entry more than a frame may carry, though the bytes would fit.
    let key = LogKey::from_seed(&[1; 32]);
    let entry = write(&key, None, 1, Vec::new());
    let mut frame = Entries::new(9, entry.range_start());
    while frame.push(&entry) {}
    assert!(frame.len() < ENTRIES_MAX, "bytes end before the count does");
    let mut bytes = Frame::Entries(frame).encode();
    assert!(bytes.len() <= FRAME_BYTES_MAX);
    bytes[46..48].copy_from_slice(&4097_u16.to_be_bytes());
    assert_eq!(Frame::decode(&bytes), Err(FrameFault::Count));

    // An entry that says it is longer than any may be.
    let mut bytes = Frame::Entries(one(&entry)).encode();
    bytes[48..50].copy_from_slice(&u16::MAX.to_be_bytes());
    assert_eq!(Frame::decode(&bytes), Err(FrameFault::Entry));
}

fn one(entry: &store::entry::Sealed) -> Entries {
    let mut entries = Entries::new(1, entry.range_start());
    assert!(entries.push(entry));
    entries
}

#[test]
fn a_type_that_is_not_known_is_skipped() {
    assert_eq!(Frame::decode(&[200, 1, 2, 3]), Ok(None));
    assert_eq!(Frame::decode(&[15]), Ok(None));
}

#[test]
fn the_bytes_of_protocol_1_stay_as_they_are() {
    let hello = Frame::Hello(Hello {
        protocol_min: 1,
        protocol_max: 1,
        home: [2; 16],
        heads: [3; 32],
        wall_ms: 4,
    });
    let mut bytes = vec![1, 0, 1, 0, 1];
    bytes.extend([2; 16]);
    bytes.extend([3; 32]);
    bytes.extend(4_i64.to_be_bytes());
    assert_eq!(hello.encode(), bytes);

    let entry = write(&LogKey::from_seed(&[1; 32]), None, 1, vec![9]);
    let bytes = Frame::Entries(one(&entry)).encode();
    assert_eq!(bytes[..6], [5, 0, 0, 0, 1, 0]);
    assert_eq!(bytes[6..38], entry.log().0);
    assert_eq!(bytes[38..50], [&[0; 8][..], &[0, 1], &[0, 107]].concat());
    assert_eq!(bytes[50..], entry.short());
    assert_eq!(HOME.0, [7; 32]);
}
