//! Which entries a device holds, said in a few bytes per log.

use std::collections::BTreeMap;

use crate::entry::{Hash, LogId, Sealed};

/// The most bytes that [`Heads::decode`] reads: what fits a frame beside the rest of a hello.
pub const HEADS_BYTES_MAX: usize = 224 * 1024;

const HASH_CONTEXT: &str = "medround heads hash 1";

/// An entry without a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Head {
    /// Its position in the log.
    pub sequence: u64,
    /// Its full hash.
    pub hash: Hash,
}

/// What is held of one log: gapless from `anchor` to each head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogHeads {
    anchor: u64,
    heads: Vec<Head>,
}

impl LogHeads {
    /// Returns the sequence of the earliest entry held: 0, or that of a signed snapshot.
    pub fn anchor(&self) -> u64 {
        self.anchor
    }

    /// Returns the heads, sorted. One that has more than one was forked.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Returns the head with the greatest sequence, or `None` if nothing is held.
    pub fn latest(&self) -> Option<Head> {
        self.heads.last().copied()
    }

    /// Returns whether two entries of this log claim the same predecessor.
    pub fn is_forked(&self) -> bool {
        self.heads.len() > 1
    }
}

/// Returned when bytes are not the heads of a home's logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadsFault {
    /// More bytes than [`HEADS_BYTES_MAX`].
    #[error("the list of heads is too long")]
    TooLong,
    /// The bytes end early, or go on after the end.
    #[error("the list of heads does not have the length it says")]
    Length,
    /// Logs or heads are not in order, or a log has no head or one below its anchor.
    #[error("the list of heads is not in order")]
    Order,
}

/// For every log held, its anchor and its heads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heads {
    logs: BTreeMap<LogId, LogHeads>,
}

impl Heads {
    /// Returns what is held of `log`, or `None` if nothing is.
    pub fn get(&self, log: &LogId) -> Option<&LogHeads> {
        self.logs.get(log)
    }

    /// Returns every log with what is held of it, in order of log id.
    pub fn iter(&self) -> impl Iterator<Item = (&LogId, &LogHeads)> {
        self.logs.iter()
    }

    /// Returns how many logs are held.
    pub fn len(&self) -> usize {
        self.logs.len()
    }

    /// Returns whether no log is held.
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// Adds one head to a log. A log that was not held begins at `anchor`; one that was keeps the
    /// lower of its anchor and `anchor`.
    pub fn insert(&mut self, log: LogId, anchor: u64, head: Head) {
        let held = self.logs.entry(log).or_insert(LogHeads { anchor, heads: Vec::new() });
        held.anchor = held.anchor.min(anchor);
        if let Err(at) = held.heads.binary_search(&head) {
            held.heads.insert(at, head);
        }
    }

    /// Forgets a log.
    pub fn remove(&mut self, log: &LogId) {
        self.logs.remove(log);
    }

    /// Moves the heads over an entry that was just appended above them: it becomes a head, and
    /// its predecessor is one no longer. Where the predecessor already had a successor the log is
    /// forked from now on.
    pub fn extend(&mut self, entry: &Sealed) {
        if let (Some(held), Some(sequence)) =
            (self.logs.get_mut(&entry.log()), entry.sequence().checked_sub(1))
        {
            let before = Head { sequence, hash: entry.previous() };
            held.heads.retain(|head| *head != before);
        }
        let anchor = entry.sequence();
        self.insert(entry.log(), anchor, Head { sequence: anchor, hash: entry.hash() });
    }

    /// Returns the hash that decides whether two devices are in sync: over the logs and their
    /// heads, without anchors, since history below an anchor may follow later.
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(HASH_CONTEXT);
        for (log, held) in &self.logs {
            hasher.update(&log.0);
            hasher.update(&(held.heads.len() as u64).to_be_bytes());
            for head in &held.heads {
                hasher.update(&head.sequence.to_be_bytes());
                hasher.update(&head.hash.0);
            }
        }
        *hasher.finalize().as_bytes()
    }

    /// Returns the heads as bytes, big-endian: count of logs u16, then for each log its id,
    /// anchor u64, count of heads u16, and for each head sequence u64 and hash.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 + self.logs.len() * 82);
        bytes.extend_from_slice(&count(self.logs.len()));
        for (log, held) in self.logs.iter().take(usize::from(u16::MAX)) {
            bytes.extend_from_slice(&log.0);
            bytes.extend_from_slice(&held.anchor.to_be_bytes());
            bytes.extend_from_slice(&count(held.heads.len()));
            for head in held.heads.iter().take(usize::from(u16::MAX)) {
                bytes.extend_from_slice(&head.sequence.to_be_bytes());
                bytes.extend_from_slice(&head.hash.0);
            }
        }
        bytes
    }

    /// Reads what [`Heads::encode`] wrote. Every list of heads has exactly one encoding.
    ///
    /// # Errors
    ///
    /// Returns why the bytes are not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeadsFault> {
        if bytes.len() > HEADS_BYTES_MAX {
            return Err(HeadsFault::TooLong);
        }
        let mut rest = bytes;
        let mut heads = Self::default();
        for _ in 0..u16::from_be_bytes(take(&mut rest)?) {
            let log = LogId(take(&mut rest)?);
            if heads.logs.last_key_value().is_some_and(|(last, _)| *last >= log) {
                return Err(HeadsFault::Order);
            }
            let held = decode_log(&mut rest)?;
            heads.logs.insert(log, held);
        }
        if rest.is_empty() { Ok(heads) } else { Err(HeadsFault::Length) }
    }
}

fn decode_log(rest: &mut &[u8]) -> Result<LogHeads, HeadsFault> {
    let anchor = u64::from_be_bytes(take(rest)?);
    let mut heads: Vec<Head> = Vec::new();
    for _ in 0..u16::from_be_bytes(take(rest)?) {
        let sequence = u64::from_be_bytes(take(rest)?);
        let head = Head { sequence, hash: Hash(take(rest)?) };
        if sequence < anchor || heads.last().is_some_and(|last| *last >= head) {
            return Err(HeadsFault::Order);
        }
        heads.push(head);
    }
    if heads.is_empty() { Err(HeadsFault::Order) } else { Ok(LogHeads { anchor, heads }) }
}

fn count(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], HeadsFault> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(HeadsFault::Length)?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HybridClock;
    use crate::entry::{Class, Draft, HomeId, LogKey};

    fn entry(seed: u8, sequence: u64, previous: Hash, payload: u8) -> Sealed {
        let draft = Draft {
            sequence,
            previous,
            clock: HybridClock::default(),
            wall_ms: 0,
            offset_minutes: 0,
            class: Class::OTHER,
            kind: 1,
            kind_version: 1,
            subject: None,
            payload: vec![payload],
        };
        draft.seal(&LogKey::from_seed(&[seed; 32]), &HomeId([1; 32])).unwrap()
    }

    #[test]
    fn a_log_has_one_head_until_it_is_forked() {
        let first = entry(1, 0, Hash::ZERO, 0);
        let second = entry(1, 1, first.hash(), 0);
        let branch = entry(1, 1, first.hash(), 1);
        let mut heads = Heads::default();
        heads.extend(&first);
        heads.extend(&second);
        let held = heads.get(&first.log()).unwrap();
        assert_eq!(held.heads(), [Head { sequence: 1, hash: second.hash() }]);
        assert!(!held.is_forked());

        heads.extend(&branch);
        let held = heads.get(&first.log()).unwrap();
        assert!(held.is_forked());
        assert_eq!((held.heads().len(), held.anchor()), (2, 0));
    }

    #[test]
    fn two_devices_that_took_in_the_same_entries_in_another_order_are_in_sync() {
        let a = entry(1, 0, Hash::ZERO, 0);
        let b = entry(2, 0, Hash::ZERO, 0);
        let (left, right) = (entry(1, 1, a.hash(), 0), entry(1, 1, a.hash(), 1));
        let mut here = Heads::default();
        let mut there = Heads::default();
        for entry in [&a, &b, &left] {
            here.extend(entry);
        }
        for entry in [&b, &a, &right] {
            there.extend(entry);
        }
        assert_ne!(here.hash(), there.hash());
        here.extend(&right);
        there.extend(&left);
        assert_eq!(here, there);
        assert_eq!(here.hash(), there.hash());
    }

    #[test]
    fn heads_come_back_from_their_bytes_and_nothing_else_does() {
        let first = entry(1, 0, Hash::ZERO, 0);
        let mut heads = Heads::default();
        heads.extend(&first);
        heads.extend(&entry(1, 1, first.hash(), 0));
        heads.extend(&entry(1, 1, first.hash(), 1));
        heads.extend(&entry(2, 0, Hash::ZERO, 0));
        let bytes = heads.encode();
        assert_eq!(Heads::decode(&bytes), Ok(heads));
        for length in 0..bytes.len() {
            assert!(Heads::decode(&bytes[..length]).is_err());
        }
        assert_eq!(Heads::decode(&[&bytes[..], &[0]].concat()), Err(HeadsFault::Length));
        assert_eq!(Heads::decode(&vec![0; HEADS_BYTES_MAX + 1]), Err(HeadsFault::TooLong));
    }

    #[test]
    fn heads_out_of_order_or_below_their_anchor_are_refused() {
        let log = [1; 32];
        let head = |sequence: u64| [&sequence.to_be_bytes()[..], &[5; 32]].concat();
        let list = |anchor: u64, heads: &[Vec<u8>]| {
            let count = u16::try_from(heads.len()).unwrap().to_be_bytes();
            let fixed = [&[0, 1], &log[..], &anchor.to_be_bytes(), &count].concat();
            Heads::decode(&[fixed, heads.concat()].concat())
        };
        assert!(list(3, &[head(3), head(4)]).is_ok());
        assert_eq!(list(3, &[head(4), head(3)]), Err(HeadsFault::Order));
        assert_eq!(list(3, &[head(4), head(4)]), Err(HeadsFault::Order));
        assert_eq!(list(3, &[head(2)]), Err(HeadsFault::Order));
        assert_eq!(list(3, &[]), Err(HeadsFault::Order));
    }
}
