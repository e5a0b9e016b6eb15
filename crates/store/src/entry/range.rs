//! Entries that follow each other in one log, without what the chain repeats.

use super::{CHAIN, ENTRY_BYTES_MAX, EntryFault, Hash, HomeId, LogId, Sealed, check_shape};

impl Sealed {
    /// Takes in consecutive entries of one log, given without what the chain repeats.
    ///
    /// `shorts` are [`Sealed::short`] forms in order. Each entry's previous hash is the hash of
    /// the one before, so the last signature, which is checked, vouches for the whole range; the
    /// signatures inside are checked later, and until then [`Sealed::is_audited`] says `false`.
    ///
    /// # Errors
    ///
    /// Returns the position in `shorts` of the entry at fault, and its fault.
    pub fn verify_range<'a>(
        start: &RangeStart,
        shorts: impl IntoIterator<Item = &'a [u8]>,
        home: &HomeId,
    ) -> Result<Vec<Self>, RangeFault> {
        let mut range: Vec<Self> = Vec::new();
        let mut next = *start;
        for (position, short) in shorts.into_iter().enumerate() {
            let at = |fault| RangeFault { position, fault };
            let bytes = next.complete(short).map_err(at)?;
            check_shape(&bytes).map_err(at)?;
            let entry = Self::new(bytes.into(), false);
            next = RangeStart {
                log: next.log,
                sequence: next.sequence.checked_add(1).ok_or(at(EntryFault::Sequence))?,
                previous: entry.hash,
            };
            range.push(entry);
        }
        if let Some(position) = range.len().checked_sub(1) {
            let last = &mut range[position];
            last.audit(home).map_err(|fault| RangeFault { position, fault })?;
        }
        Ok(range)
    }

    /// Returns the bytes without log id, sequence and previous hash, which a range names once.
    pub fn short(&self) -> Vec<u8> {
        let mut short = Vec::with_capacity(self.bytes.len() - CHAIN.len());
        short.extend_from_slice(&self.bytes[..CHAIN.start]);
        short.extend_from_slice(&self.bytes[CHAIN.end..]);
        short
    }

    /// Returns where a range that begins with this entry starts.
    pub fn range_start(&self) -> RangeStart {
        RangeStart { log: self.log(), sequence: self.sequence(), previous: self.previous() }
    }
}

/// Where a range of one log begins: what its first entry's envelope says of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeStart {
    /// The log of every entry in the range.
    pub log: LogId,
    /// The first entry's sequence.
    pub sequence: u64,
    /// The first entry's previous hash.
    pub previous: Hash,
}

impl RangeStart {
    fn complete(&self, short: &[u8]) -> Result<Vec<u8>, EntryFault> {
        let total = short.len() + CHAIN.len();
        if total > ENTRY_BYTES_MAX {
            return Err(EntryFault::TooLong(total));
        }
        let (format, rest) = short.split_first().ok_or(EntryFault::Length)?;
        let mut bytes = Vec::with_capacity(total);
        bytes.push(*format);
        bytes.extend_from_slice(&self.log.0);
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.previous.0);
        bytes.extend_from_slice(rest);
        Ok(bytes)
    }
}

/// Which entry of a range is at fault, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {position} of the range: {fault}")]
pub struct RangeFault {
    /// Position in the range, from 0.
    pub position: usize,
    /// What is wrong with it.
    pub fault: EntryFault,
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HOME, draft, key, log_of};
    use super::*;

    #[test]
    fn a_range_is_taken_in_by_its_chain_and_audited_behind() {
        let log = log_of(5);
        let shorts: Vec<_> = log[1..].iter().map(Sealed::short).collect();
        let start = log[1].range_start();
        let mut range =
            Sealed::verify_range(&start, shorts.iter().map(Vec::as_slice), &HOME).unwrap();
        assert_eq!(range, log[1..]);
        assert_eq!(range.iter().filter(|entry| entry.is_audited()).count(), 1);
        assert!(range[3].is_audited());
        for entry in &mut range {
            entry.audit(&HOME).unwrap();
            assert!(entry.is_audited());
        }
    }

    #[test]
    fn a_range_with_one_changed_entry_is_refused() {
        let log = log_of(5);
        for changed in 0..5 {
            let mut shorts: Vec<_> = log.iter().map(Sealed::short).collect();
            shorts[changed][114 - 72] ^= 1;
            let shorts = shorts.iter().map(Vec::as_slice);
            let fault = Sealed::verify_range(&log[0].range_start(), shorts, &HOME).unwrap_err();
            assert_eq!(fault, RangeFault { position: 4, fault: EntryFault::Signature });
        }
    }

    #[test]
    fn junk_for_a_signature_inside_a_range_is_found_by_the_audit() {
        let log = log_of(1);
        let mut bytes = log[0].bytes().to_vec();
        let end = bytes.len() - 1;
        bytes[end] ^= 1;
        let junk = Sealed::from_disk(&bytes, false).unwrap();
        let next = draft(1, junk.hash()).seal(&key(), &HOME).unwrap();
        let shorts = [junk.short(), next.short()];
        let shorts = shorts.iter().map(Vec::as_slice);
        let mut range = Sealed::verify_range(&junk.range_start(), shorts, &HOME).unwrap();
        assert_eq!(range[0].audit(&HOME), Err(EntryFault::Signature));
    }
}
