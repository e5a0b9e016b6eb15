//! One entry: the frozen outer envelope, its signature, its hash and the chain of its log.
//!
//! All integers are big-endian, in this order:
//!
//! ```text
//! offset  bytes  field
//!      0      1  format
//!      1     32  log id: the log's Ed25519 public key
//!     33      8  sequence, from 0
//!     41     32  hash of the log's previous entry, zero at sequence 0
//!     73      8  hybrid clock: 48 bits of milliseconds, 16 bits of counter
//!     81      8  wall clock in milliseconds since 1970, as the device's clock stood
//!     89      2  offset of that wall clock from UTC, in minutes
//!     91      1  class: 1 membership, 2 home and staff, 3 care, 4 other; top bit: clinical
//!     92      2  kind
//!     94      2  kind version
//!     96     16  subject: a resident, or zero
//!    112      2  length of the payload
//!    114      -  payload
//!      -     64  signature over domain, home id and all of the above
//! ```
//!
//! A device that does not know a class or a kind keeps the entry and passes it on: neither is ever
//! malformed. Entries are signed and hashed as the bytes they are, never decoded and encoded again.

mod range;

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
pub use mar::ids::{DeviceId, EntryId, HomeId, LogId};

use crate::clock::HybridClock;
pub use range::{RangeFault, RangeStart};

/// The format byte of entries and of the store's files. Until the first release it rises whenever
/// the bytes change, and stores of an older development format are refused.
pub const FORMAT: u8 = 3;

/// The most bytes that one entry may have, signature included.
pub const ENTRY_BYTES_MAX: usize = 16 * 1024;

/// The most bytes that a payload may have.
pub const PAYLOAD_BYTES_MAX: usize = ENTRY_BYTES_MAX - HEADER - SIGNATURE;

const HEADER: usize = 114;
const SIGNATURE: usize = 64;
/// Where log id, sequence and previous hash stand: what a range names once and a short form lacks.
const CHAIN: std::ops::Range<usize> = 1..73;
/// Where the subject stands.
const SUBJECT: std::ops::Range<usize> = 96..112;
const DOMAIN: &[u8] = b"medround entry signature 1";
const HASH_CONTEXT: &str = "medround entry hash 1";

/// The full BLAKE3 hash of an entry, signature included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What stands in place of a previous hash in a log's first entry.
    pub const ZERO: Self = Self([0; 32]);

    /// Returns the entry's short name: the first 16 bytes.
    pub fn id(&self) -> EntryId {
        let mut id = [0; 16];
        id.copy_from_slice(&self.0[..16]);
        EntryId(id)
    }

    fn of(bytes: &[u8]) -> Self {
        Self(blake3::derive_key(HASH_CONTEXT, bytes))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0[..8] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("…")
    }
}

/// What an entry is about, readable without knowing its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u8);

impl Class {
    /// Logs, devices and secrets of the home.
    pub const MEMBERSHIP: Self = Self(1);
    /// The home's settings and its staff.
    pub const HOME: Self = Self(2);
    /// Care of a resident. A fact that bears on giving also has the clinical bit.
    pub const CARE: Self = Self(3);
    /// Everything else: access, prints, imports.
    pub const OTHER: Self = Self(4);

    const CLINICAL_BIT: u8 = 0x80;

    /// Returns this class with its clinical bit set.
    #[must_use]
    pub fn clinical(self) -> Self {
        Self(self.0 | Self::CLINICAL_BIT)
    }

    /// Returns whether a device that does not know the kind must stop giving for the subject.
    pub fn is_clinical(self) -> bool {
        self.0 & Self::CLINICAL_BIT != 0
    }

    /// Returns the class without its clinical bit.
    #[must_use]
    pub fn plain(self) -> Self {
        Self(self.0 & !Self::CLINICAL_BIT)
    }
}

/// Why bytes are not an entry of this home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Longer than [`ENTRY_BYTES_MAX`].
    #[error("the entry is {0} bytes long; at most 16384 are allowed")]
    TooLong(usize),
    /// Shorter or longer than its own length field says.
    #[error("the entry's length does not fit its content")]
    Length,
    /// Written in a format that this program does not read.
    #[error("the entry has format {0}, which this version of Medround does not read")]
    Format(u8),
    /// The hybrid clock lies after the year 2100, where no honest device can bring it.
    #[error("the entry's hybrid clock lies after the year 2100")]
    Clock,
    /// A clinical entry has to name the resident it is about.
    #[error("the entry is clinical and names no resident")]
    NoSubject,
    /// The first entry has no previous hash, and every later one has.
    #[error("the entry's previous hash does not fit its sequence")]
    Previous,
    /// The sequence is beyond what a log can reach.
    #[error("the entry's sequence is beyond the end of any log")]
    Sequence,
    /// The signature is not that of the log's key over this entry in this home.
    #[error("the entry's signature does not hold in this home")]
    Signature,
}

/// Signs the entries of one log. A device has one for each of its incarnations.
pub struct LogKey(SigningKey);

impl LogKey {
    /// Returns the key grown from 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Returns the log that this key signs: its public half.
    pub fn log(&self) -> LogId {
        LogId(self.0.verifying_key().to_bytes())
    }

    /// Returns the signature of this key over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey of {:?}", self.log())
    }
}

/// An entry that is not signed yet. Nothing but [`Draft::seal`] makes use of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Position in the log, from 0.
    pub sequence: u64,
    /// Hash of the log's previous entry; [`Hash::ZERO`] at sequence 0.
    pub previous: Hash,
    /// Orders the entry among those of all logs.
    pub clock: HybridClock,
    /// The device's wall clock, in milliseconds since 1970.
    pub wall_ms: i64,
    /// Offset of the wall clock from UTC, in minutes.
    pub offset_minutes: i16,
    /// What the entry is about.
    pub class: Class,
    /// What the payload says.
    pub kind: u16,
    /// Which shape the payload has.
    pub kind_version: u16,
    /// The resident the entry is about; `None` if it is about nobody.
    pub subject: Option<[u8; 16]>,
    /// The payload's bytes, at most [`PAYLOAD_BYTES_MAX`].
    pub payload: Vec<u8>,
}

impl Draft {
    /// Signs the draft for one home.
    ///
    /// # Errors
    ///
    /// Returns the fault that would make a peer refuse the entry: a payload that is too long, a
    /// clinical class without a subject, a previous hash that does not fit the sequence.
    pub fn seal(self, key: &LogKey, home: &HomeId) -> Result<Sealed, EntryFault> {
        let total = HEADER + self.payload.len() + SIGNATURE;
        if total > ENTRY_BYTES_MAX {
            return Err(EntryFault::TooLong(total));
        }
        let length = u16::try_from(self.payload.len()).map_err(|_| EntryFault::TooLong(total))?;
        let mut bytes = Vec::with_capacity(total);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&key.log().0);
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.previous.0);
        bytes.extend_from_slice(&self.clock.to_bits().to_be_bytes());
        bytes.extend_from_slice(&self.wall_ms.to_be_bytes());
        bytes.extend_from_slice(&self.offset_minutes.to_be_bytes());
        bytes.push(self.class.0);
        bytes.extend_from_slice(&self.kind.to_be_bytes());
        bytes.extend_from_slice(&self.kind_version.to_be_bytes());
        bytes.extend_from_slice(&self.subject.unwrap_or_default());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        let signature = key.sign(&signed_message(home, &bytes));
        bytes.extend_from_slice(&signature);
        check_shape(&bytes)?;
        Ok(Sealed::new(bytes.into(), true))
    }
}

/// A signed entry. There is no way to one but to sign it or to have its signature checked, so a
/// function that takes a `Sealed` need not check again.
#[derive(Clone)]
pub struct Sealed {
    bytes: Arc<[u8]>,
    hash: Hash,
    audited: bool,
}

impl Sealed {
    fn new(bytes: Arc<[u8]>, audited: bool) -> Self {
        let hash = Hash::of(&bytes);
        Self { bytes, hash, audited }
    }

    /// Takes in bytes from a peer or a file: shape and signature are checked.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the bytes. Nothing is repaired or clamped.
    pub fn verify(bytes: &[u8], home: &HomeId) -> Result<Self, EntryFault> {
        check_shape(bytes)?;
        check_signature(bytes, home)?;
        Ok(Self::new(bytes.into(), true))
    }

    /// Reads back what this store wrote. The caller compares the hash with the key it looked up;
    /// `audited` is what the store remembers of the signature.
    ///
    /// # Errors
    ///
    /// Returns the fault if the bytes no longer have the shape of an entry.
    pub(crate) fn from_disk(bytes: &[u8], audited: bool) -> Result<Self, EntryFault> {
        check_shape(bytes)?;
        Ok(Self::new(bytes.into(), audited))
    }

    /// Checks the entry's own signature, if that was not done yet.
    ///
    /// # Errors
    ///
    /// Returns [`EntryFault::Signature`] if it does not hold.
    pub fn audit(&mut self, home: &HomeId) -> Result<(), EntryFault> {
        if !self.audited {
            check_signature(&self.bytes, home)?;
            self.audited = true;
        }
        Ok(())
    }

    /// Returns whether the entry's own signature was checked. One that came inside a range is not
    /// yet, and must not be the last of a range that is passed on.
    pub fn is_audited(&self) -> bool {
        self.audited
    }

    /// Returns the exact bytes that were signed, with their signature.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the hash over all bytes, signature included.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Returns the entry's name: the first 16 bytes of its hash.
    pub fn id(&self) -> EntryId {
        self.hash.id()
    }

    /// Returns the log that the entry belongs to.
    pub fn log(&self) -> LogId {
        LogId(self.array(1))
    }

    /// Returns the entry's position in its log, from 0.
    pub fn sequence(&self) -> u64 {
        u64::from_be_bytes(self.array(33))
    }

    /// Returns the hash of the log's previous entry, [`Hash::ZERO`] for the first.
    pub fn previous(&self) -> Hash {
        Hash(self.array(41))
    }

    /// Returns the reading that orders the entry.
    pub fn clock(&self) -> HybridClock {
        HybridClock::from_bits(u64::from_be_bytes(self.array(73))).unwrap_or(HybridClock::LATEST)
    }

    /// Returns the writing device's wall clock, in milliseconds since 1970.
    pub fn wall_ms(&self) -> i64 {
        i64::from_be_bytes(self.array(81))
    }

    /// Returns the offset of that wall clock from UTC, in minutes.
    pub fn offset_minutes(&self) -> i16 {
        i16::from_be_bytes(self.array(89))
    }

    /// Returns what the entry is about.
    pub fn class(&self) -> Class {
        Class(self.bytes[91])
    }

    /// Returns whether the entry bears on giving medicines to its subject.
    pub fn is_clinical(&self) -> bool {
        self.class().is_clinical()
    }

    /// Returns what the payload says.
    pub fn kind(&self) -> u16 {
        u16::from_be_bytes(self.array(92))
    }

    /// Returns whether it speaks of logs, devices or secrets of the home. As for the fold the kind
    /// decides: a writer can name any class.
    #[must_use]
    pub fn is_membership(&self) -> bool {
        mar::fact::KINDS.iter().any(|(kind, _)| {
            kind.number == self.kind() && Class(kind.class).plain() == Class::MEMBERSHIP
        })
    }

    /// Returns which shape the payload has.
    pub fn kind_version(&self) -> u16 {
        u16::from_be_bytes(self.array(94))
    }

    /// Returns the resident the entry is about, or `None` if it is about nobody.
    pub fn subject(&self) -> Option<[u8; 16]> {
        let subject = self.array(96);
        (subject != [0; 16]).then_some(subject)
    }

    /// Returns whether the bytes of an entry name no resident, without a look at the rest of them.
    pub(crate) fn is_about_nobody(bytes: &[u8]) -> bool {
        bytes.get(SUBJECT).is_none_or(|subject| subject == [0; 16])
    }

    /// Returns the payload's bytes.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[HEADER..self.bytes.len() - SIGNATURE]
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        array(&self.bytes, at)
    }
}

/// Two entries are the same when their hashes are.
impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Sealed {}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("log", &self.log())
            .field("sequence", &self.sequence())
            .field("hash", &self.hash)
            .field("class", &self.class())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

fn check_shape(bytes: &[u8]) -> Result<(), EntryFault> {
    if bytes.len() > ENTRY_BYTES_MAX {
        return Err(EntryFault::TooLong(bytes.len()));
    }
    match bytes.first() {
        None => return Err(EntryFault::Length),
        Some(&FORMAT) => {}
        Some(&other) => return Err(EntryFault::Format(other)),
    }
    if bytes.len() < HEADER + SIGNATURE {
        return Err(EntryFault::Length);
    }
    let payload = usize::from(u16::from_be_bytes(array(bytes, 112)));
    if bytes.len() != HEADER + payload + SIGNATURE {
        return Err(EntryFault::Length);
    }
    if HybridClock::from_bits(u64::from_be_bytes(array(bytes, 73))).is_none() {
        return Err(EntryFault::Clock);
    }
    if Class(bytes[91]).is_clinical() && array::<16>(bytes, 96) == [0; 16] {
        return Err(EntryFault::NoSubject);
    }
    let sequence = u64::from_be_bytes(array(bytes, 33));
    if sequence == u64::MAX {
        return Err(EntryFault::Sequence);
    }
    if (sequence == 0) != (array::<32>(bytes, 41) == Hash::ZERO.0) {
        return Err(EntryFault::Previous);
    }
    Ok(())
}

fn check_signature(bytes: &[u8], home: &HomeId) -> Result<(), EntryFault> {
    let (signed, signature) = bytes.split_at(bytes.len() - SIGNATURE);
    let key = VerifyingKey::from_bytes(&array(bytes, 1)).map_err(|_| EntryFault::Signature)?;
    let signature = Signature::from_slice(signature).map_err(|_| EntryFault::Signature)?;
    key.verify_strict(&signed_message(home, signed), &signature).map_err(|_| EntryFault::Signature)
}

/// Returns whether a strict Ed25519 signature holds.
pub(crate) fn signature_holds(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

fn signed_message(home: &HomeId, envelope: &[u8]) -> Vec<u8> {
    [DOMAIN, &home.0, envelope].concat()
}

/// Returns the `N` bytes at `at`. Every caller has checked that the bytes hold a whole header.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const HOME: HomeId = HomeId([7; 32]);

    pub(super) fn draft(sequence: u64, previous: Hash) -> Draft {
        Draft {
            sequence,
            previous,
            clock: HybridClock::default().tick(1_795_251_600_000),
            wall_ms: 1_795_251_600_000,
            offset_minutes: 60,
            class: Class::CARE.clinical(),
            kind: 513,
            kind_version: 1,
            subject: Some([9; 16]),
            payload: vec![1, 2, 3],
        }
    }

    pub(super) fn key() -> LogKey {
        LogKey::from_seed(&[3; 32])
    }

    pub(super) fn log_of(entries: u64) -> Vec<Sealed> {
        let mut previous = Hash::ZERO;
        (0..entries)
            .map(|sequence| {
                let sealed = draft(sequence, previous).seal(&key(), &HOME).unwrap();
                previous = sealed.hash();
                sealed
            })
            .collect()
    }

    /// Signs whatever stands in the bytes, as a hostile member could.
    fn resign(mut bytes: Vec<u8>) -> Vec<u8> {
        let signed = bytes.len() - SIGNATURE;
        let signature = key().sign(&signed_message(&HOME, &bytes[..signed]));
        bytes[signed..].copy_from_slice(&signature);
        bytes
    }

    #[test]
    fn an_entry_reads_back_what_was_sealed() {
        let sealed = log_of(1).remove(0);
        let read = Sealed::verify(sealed.bytes(), &HOME).unwrap();
        assert_eq!(read, sealed);
        assert_eq!(read.log(), key().log());
        assert_eq!((read.sequence(), read.previous()), (0, Hash::ZERO));
        assert_eq!((read.wall_ms(), read.offset_minutes()), (1_795_251_600_000, 60));
        assert_eq!((read.kind(), read.kind_version()), (513, 1));
        assert_eq!((read.subject(), read.payload()), (Some([9; 16]), &[1, 2, 3][..]));
        assert!(read.is_clinical() && read.class().plain() == Class::CARE);
        assert_eq!(read.id().0, read.hash().0[..16]);
    }

    /// The envelope is frozen: but for the format byte these bytes must come out the same for ever.
    #[test]
    fn the_envelope_s_layout_never_changes() {
        let sealed = log_of(2).remove(1);
        let bytes = sealed.bytes();
        assert_eq!(bytes.len(), 114 + 3 + 64);
        assert_eq!(bytes[0], FORMAT);
        assert_eq!(bytes[33..41], [0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(bytes[91..96], [0x83, 2, 1, 0, 1]);
        assert_eq!(bytes[112..117], [0, 3, 1, 2, 3]);
        let hash: String = sealed.hash().0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "f10f2047b42a2d44ab65db1aed075dabc6546c2879ea7018aa4dda3c0fa80317");
    }

    #[test]
    fn any_flipped_byte_is_refused() {
        let sealed = log_of(2).remove(1);
        for at in 0..sealed.bytes().len() {
            let mut bytes = sealed.bytes().to_vec();
            bytes[at] ^= 0x10;
            assert!(Sealed::verify(&bytes, &HOME).is_err(), "byte {at}");
        }
    }

    #[test]
    fn any_cut_or_lengthened_entry_is_refused() {
        let sealed = log_of(1).remove(0);
        for length in 0..sealed.bytes().len() {
            assert!(Sealed::verify(&sealed.bytes()[..length], &HOME).is_err());
        }
        let longer = [sealed.bytes(), &[0]].concat();
        assert_eq!(Sealed::verify(&longer, &HOME), Err(EntryFault::Length));
    }

    #[test]
    fn an_entry_of_another_home_is_refused() {
        let sealed = log_of(1).remove(0);
        let other = HomeId([8; 32]);
        assert_eq!(Sealed::verify(sealed.bytes(), &other), Err(EntryFault::Signature));
    }

    #[test]
    fn a_class_or_kind_that_nobody_knows_yet_is_never_malformed() {
        for class in 0..=255 {
            let mut draft = draft(0, Hash::ZERO);
            draft.class = Class(class);
            draft.kind = 60_000;
            draft.kind_version = 9;
            let sealed = draft.seal(&key(), &HOME).unwrap();
            assert!(Sealed::verify(sealed.bytes(), &HOME).is_ok());
        }
    }

    #[test]
    fn what_no_honest_device_writes_is_malformed_even_when_signed() {
        let good = log_of(2).remove(1).bytes().to_vec();
        let check = |change: &dyn Fn(&mut Vec<u8>), fault| {
            let mut bytes = good.clone();
            change(&mut bytes);
            assert_eq!(Sealed::verify(&resign(bytes), &HOME), Err(fault));
        };
        let late = (HybridClock::LATEST.to_bits() + 1).to_be_bytes();
        check(&|bytes| bytes[73..81].copy_from_slice(&late), EntryFault::Clock);
        check(&|bytes| bytes[96..112].fill(0), EntryFault::NoSubject);
        check(&|bytes| bytes[41..73].fill(0), EntryFault::Previous);
        check(&|bytes| bytes[33..41].fill(0), EntryFault::Previous);
        check(&|bytes| bytes[33..41].fill(0xff), EntryFault::Sequence);
        check(&|bytes| bytes[0] = FORMAT + 1, EntryFault::Format(FORMAT + 1));
        check(&|bytes| bytes.resize(ENTRY_BYTES_MAX + 1, 0), EntryFault::TooLong(16_385));
    }

    #[test]
    fn the_longest_payload_fits_and_one_byte_more_does_not() {
        let mut longest = draft(0, Hash::ZERO);
        longest.payload = vec![0; PAYLOAD_BYTES_MAX];
        assert!(longest.clone().seal(&key(), &HOME).is_ok());
        longest.payload.push(0);
        assert_eq!(longest.seal(&key(), &HOME), Err(EntryFault::TooLong(16_385)));
    }
}
