//! The bytes of each kind and version decode for ever, and mean what they meant.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod home;

use std::collections::BTreeSet;
use std::fmt::Write;

use home::chance::{Chance, seed};
use home::facts::{self, World};
use mar::fact::{Fact, KINDS, Made};
use mar::ids::{DeviceId, EntryId, LogId};
use store::codec::{CodecFault, READS, decode, encode};
use store::entry::FORMAT;

/// Several samples of each kind, always the same, so that every shape a kind can have is there.
const SAMPLES: usize = 6;

fn whole_world(c: &mut Chance) -> World {
    let mut world = facts::world(c);
    world.devices = vec![DeviceId(c.bytes()), DeviceId(c.bytes())];
    world.logs = vec![LogId(c.bytes())];
    world.entries = vec![EntryId(c.bytes()), EntryId(c.bytes())];
    world.authorities = vec![EntryId(c.bytes())];
    world
}

fn sample(kind: u16, number: usize) -> (Option<Made>, Fact) {
    let mut c = Chance(u64::from(kind) << 16 | number as u64);
    let world = whole_world(&mut c);
    let made = (kind > 2).then(|| facts::made(&mut c, &world));
    (made, facts::fact(kind, &mut c, &world))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn every_kind_that_can_be_written_can_be_read() {
    let read: BTreeSet<u16> = READS.iter().map(|(kind, _)| *kind).collect();
    let written: BTreeSet<u16> = KINDS.iter().map(|(kind, _)| kind.number).collect();
    assert_eq!(read, written);
}

/// The format, and how many lines of the golden file from its beginning have this hash. While the
/// format is one of development, lines may be changed: then `FORMAT` is raised with them, so that a
/// file of before is refused by a sentence and not read for what it does not say. Lines that are
/// added belong to the same format; their number and the hash follow here.
const PINNED: (u8, usize, &str) =
    (3, 348, "e3484c80aad042286e6a36affeb69467990570331da1edf6494da7048396480e");

/// Bug: the bytes of an order changed, and a device of before read them for something else.
/// Cause: the golden lines were changed, and the format stayed what it was.
/// Fix: lines and format are pinned together.
#[test]
fn golden_lines_change_only_together_with_the_format() {
    let golden = include_str!("golden/payloads.txt");
    let (format, lines, hash) = PINNED;
    let pinned: String = golden.lines().take(lines).flat_map(|line| [line, "\n"]).collect();
    let found = blake3::hash(&[&[FORMAT], pinned.as_bytes()].concat()).to_hex();
    assert_eq!(FORMAT, format, "the format was raised: pin format, lines and {found}");
    assert_eq!(found.as_str(), hash, "a golden line was changed: raise FORMAT in entry.rs");
    assert_eq!(golden.lines().count(), lines, "lines were added: pin their number and hash");
}

/// Each sample is two lines: kind, version and bytes; then what they mean. With
/// `MEDROUND_WRITE_GOLDEN` set, samples are added of kinds and versions that have none yet; those
/// that are there stay, but for a format that is raised (`PINNED`).
#[test]
fn the_bytes_of_every_kind_and_version_decode_to_what_they_meant() {
    let mut golden = include_str!("golden/payloads.txt").to_owned();
    let seen: BTreeSet<(u16, u16)> =
        golden.lines().step_by(2).map(|line| (field(line, 0), field(line, 1))).collect();
    if std::env::var_os("MEDROUND_WRITE_GOLDEN").is_some() {
        for (kind, version) in READS.iter().filter(|read| !seen.contains(read)) {
            for number in 0..SAMPLES {
                let (made, fact) = sample(*kind, number);
                let encoded = encode(made.as_ref(), &fact).unwrap();
                let bytes = hex(&encoded.payload);
                writeln!(golden, "{kind} {version} {bytes}\n{made:?} {fact:?}").unwrap();
            }
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/payloads.txt");
        std::fs::write(path, &golden).unwrap();
        return;
    }
    assert_eq!(seen, READS.into_iter().collect());
    let lines: Vec<&str> = golden.lines().collect();
    for pair in lines.chunks(2) {
        let (kind, version) = (field(pair[0], 0), field(pair[0], 1));
        let bytes = unhex(pair[0].split(' ').nth(2).unwrap());
        let read = decode(kind, version, &bytes)
            .unwrap_or_else(|fault| panic!("kind {kind}, version {version}: {fault}"));
        assert_eq!(format!("{:?} {:?}", read.made, read.fact), pair[1], "kind {kind}");
        let again = encode(read.made.as_ref(), &read.fact).unwrap();
        if again.version == version {
            assert_eq!(again.payload, bytes, "kind {kind} is written otherwise than before");
        }
    }
}

fn field(line: &str, at: usize) -> u16 {
    line.split(' ').nth(at).unwrap().parse().unwrap()
}

#[test]
fn random_facts_of_every_kind_come_back_from_their_bytes() {
    let mut c = Chance(seed());
    for _ in 0..60 {
        let world = whole_world(&mut c);
        for (kind, version) in READS {
            let made = (kind > 2).then(|| facts::made(&mut c, &world));
            let fact = facts::fact(kind, &mut c, &world);
            let encoded = encode(made.as_ref(), &fact).unwrap();
            assert_eq!((encoded.kind, encoded.version), (kind, version));
            let read = decode(kind, version, &encoded.payload).unwrap();
            assert_eq!((read.made, read.fact), (made, fact));
            let longer = [&encoded.payload[..], &[0]].concat();
            let malformed = CodecFault::Malformed { kind, version };
            assert_eq!(decode(kind, version, &longer).unwrap_err(), malformed);
        }
    }
}

#[test]
fn bytes_that_are_no_payload_are_refused_and_nothing_stops() {
    let mut c = Chance(seed());
    for _ in 0..20_000 {
        let (kind, version) = c.of(&READS);
        let number = c.below(SAMPLES);
        let (made, fact) = sample(kind, number);
        let mut bytes = encode(made.as_ref(), &fact).unwrap().payload;
        for _ in 0..1 + c.below(3) {
            let at = c.below(bytes.len());
            match c.below(3) {
                0 => bytes[at] = c.bytes::<1>()[0],
                1 => bytes.truncate(at),
                _ => bytes.insert(at, 0xfd),
            }
            if bytes.is_empty() {
                break;
            }
        }
        // What still decodes must come out the same again.
        if let Ok(read) = decode(kind, version, &bytes)
            && let Ok(again) = encode(read.made.as_ref(), &read.fact)
        {
            let twice = decode(kind, version, &again.payload).unwrap();
            assert_eq!((twice.made, twice.fact), (read.made, read.fact));
        }
    }
}

#[test]
fn a_kind_or_version_of_tomorrow_is_unknown_and_not_malformed() {
    assert_eq!(decode(81, 2, &[1, 2]), Err(CodecFault::Unknown { kind: 81, version: 2 }));
    assert_eq!(decode(999, 1, &[]), Err(CodecFault::Unknown { kind: 999, version: 1 }));
}
