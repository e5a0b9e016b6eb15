//! Reading and writing the parts of a frame.

use std::ops::RangeInclusive;

use super::FrameFault;

/// What is left of a frame's body.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], FrameFault> {
        let (part, rest) = self.0.split_first_chunk::<N>().ok_or(FrameFault::Length)?;
        self.0 = rest;
        Ok(*part)
    }

    pub(super) fn slice(&mut self, length: usize) -> Result<&'a [u8], FrameFault> {
        let (part, rest) = self.0.split_at_checked(length).ok_or(FrameFault::Length)?;
        self.0 = rest;
        Ok(part)
    }

    pub(super) fn u8(&mut self) -> Result<u8, FrameFault> {
        self.take().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, FrameFault> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, FrameFault> {
        self.take().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, FrameFault> {
        self.take().map(u64::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, FrameFault> {
        self.take().map(i64::from_be_bytes)
    }

    /// Reads a count and refuses one outside `allowed`.
    pub(super) fn count(&mut self, allowed: RangeInclusive<usize>) -> Result<usize, FrameFault> {
        let count = usize::from(self.u16()?);
        if allowed.contains(&count) { Ok(count) } else { Err(FrameFault::Count) }
    }

    pub(super) fn skip_rest(&mut self) {
        self.0 = &[];
    }

    pub(super) fn end(&self) -> Result<(), FrameFault> {
        if self.0.is_empty() { Ok(()) } else { Err(FrameFault::Length) }
    }
}

/// Writes a count. Every list is bounded far below what it can say where the list is made.
pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).expect("lists in frames are bounded when they are made");
    out.extend(count.to_be_bytes());
}
