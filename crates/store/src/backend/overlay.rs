//! A look at a file that leaves it as it is: what is written goes to memory alone.
//!
//! redb checks the sums of its pages only together with a repair, which may go back to the commit
//! before the last one. Nothing here may do that to a record, so it repairs what nobody keeps.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::Backend;

const BLOCK: u64 = 4096;

/// A file with what was written over it.
#[derive(Debug)]
pub(crate) struct Overlay {
    beneath: Backend,
    /// Whether whoever looks is to give up.
    stop: Arc<AtomicBool>,
    over: Mutex<Over>,
}

#[derive(Debug)]
struct Over {
    length: u64,
    /// Bytes of the file beneath that still show: what was cut off once is not seen again.
    shows: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub(crate) fn on(beneath: Backend, stop: Arc<AtomicBool>) -> io::Result<Self> {
        let length = beneath.len()?;
        let over = Mutex::new(Over { length, shows: length, blocks: BTreeMap::new() });
        Ok(Self { beneath, stop, over })
    }

    fn over(&self) -> MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Over {
    /// Returns a block as it is now.
    fn block(&self, beneath: &Backend, number: u64) -> io::Result<Vec<u8>> {
        if let Some(block) = self.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = vec![0; usize::try_from(BLOCK).unwrap_or_default()];
        let there = self.shows.saturating_sub(number * BLOCK).min(BLOCK);
        let there = usize::try_from(there).unwrap_or_default();
        if there > 0 {
            beneath.read(number * BLOCK, &mut block[..there])?;
        }
        Ok(block)
    }
}

/// Calls `each` with the number of every block that a stretch touches, where it begins in the
/// block, and which bytes of the stretch lie there.
fn each_block(
    offset: u64,
    length: usize,
    mut each: impl FnMut(u64, usize, std::ops::Range<usize>) -> io::Result<()>,
) -> io::Result<()> {
    let mut done = 0;
    while done < length {
        let at = offset + done as u64;
        let within = usize::try_from(at % BLOCK).unwrap_or_default();
        let bytes = (usize::try_from(BLOCK).unwrap_or_default() - within).min(length - done);
        each(at / BLOCK, within, done..done + bytes)?;
        done += bytes;
    }
    Ok(())
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.over().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody waits for it any more"));
        }
        let over = self.over();
        if offset.saturating_add(out.len() as u64) > over.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if over.blocks.is_empty() && over.shows == over.length {
            drop(over);
            return self.beneath.read(offset, out);
        }
        let length = out.len();
        each_block(offset, length, |number, within, bytes| {
            let block = over.block(&self.beneath, number)?;
            let wanted = bytes.len();
            out[bytes].copy_from_slice(&block[within..within + wanted]);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut over = self.over();
        over.length = len;
        over.shows = over.shows.min(len);
        over.blocks.retain(|number, _| number * BLOCK < len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut over = self.over();
        each_block(offset, data.len(), |number, within, bytes| {
            let mut block = over.block(&self.beneath, number)?;
            block[within..within + bytes.len()].copy_from_slice(&data[bytes]);
            over.blocks.insert(number, block);
            Ok(())
        })
    }
}
