//! One file as redb reads and writes it: behind our own header, and past the seam.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use redb::StorageBackend;

use super::faults::Operation;
use super::memory::MemoryFile;
use super::{Disk, FileKind, PHYSICAL_HEADER};

const PAGE: u64 = 4096;

#[derive(Debug)]
pub(super) enum Medium {
    File(Arc<File>),
    Memory(MemoryFile),
}

/// What redb reads and writes one file through.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(super) kind: FileKind,
    medium: Medium,
    disk: Disk,
    unsynced: Mutex<BTreeSet<u64>>,
}

impl Backend {
    pub(super) fn new(kind: FileKind, medium: Medium, disk: Disk) -> Self {
        Self { kind, medium, disk, unsynced: Mutex::default() }
    }

    pub(super) fn physical_len(&self) -> io::Result<u64> {
        match &self.medium {
            Medium::File(file) => Ok(file.metadata()?.len()),
            Medium::Memory(file) => Ok(file.len()),
        }
    }

    pub(super) fn set_physical_len(&self, len: u64) -> io::Result<()> {
        self.disk.seam.before(self.kind, Operation::SetLength)?.carry_out(|_| match &self.medium {
            Medium::File(file) => file.set_len(len),
            Medium::Memory(file) => {
                file.set_len(len);
                Ok(())
            }
        })
    }

    pub(super) fn read_physical(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.seam.before(self.kind, Operation::Read)?.plain()?;
        match &self.medium {
            Medium::File(file) => read_exact_at(file, at, out),
            Medium::Memory(file) => file.read(at, out),
        }
    }

    pub(super) fn write_physical(&self, at: u64, data: &[u8]) -> io::Result<()> {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        unsynced.extend((at / PAGE)..=((at + data.len() as u64).saturating_sub(1) / PAGE));
        drop(unsynced);
        self.disk.seam.before(self.kind, Operation::Write)?.carry_out(|torn| {
            let data = &data[..torn.unwrap_or(data.len()).min(data.len())];
            match &self.medium {
                Medium::File(file) => write_all_at(file, at, data),
                Medium::Memory(file) => {
                    file.write(at, data);
                    Ok(())
                }
            }
        })
    }

    fn sync(&self) -> io::Result<()> {
        let step = self.disk.seam.before(self.kind, Operation::Sync);
        if let (Err(_), Medium::Memory(file)) = (&step, &self.medium) {
            file.lose_unsynced();
        }
        step?.carry_out(|_| match &self.medium {
            Medium::File(file) => file.sync_data(),
            Medium::Memory(file) => {
                file.sync();
                Ok(())
            }
        })
    }

    /// Writes again what was written before a sync that failed.
    ///
    /// After a failed sync the system may go on showing pages that it will never write: reading
    /// them back would then call saved what a power cut loses. Written again they are either on
    /// the disk after the next sync, or that fails too and the store becomes read-only.
    pub(super) fn rewrite_suspect(&self) -> io::Result<()> {
        let pages = {
            let mut suspect = self.disk.suspect.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = suspect.iter().filter(|(kind, _)| *kind == self.kind);
            let pages: BTreeSet<u64> = mine.flat_map(|(_, pages)| pages.iter().copied()).collect();
            suspect.retain(|(kind, _)| *kind != self.kind);
            pages
        };
        if pages.is_empty() {
            return Ok(());
        }
        let rewritten = pages.iter().try_for_each(|page| self.rewrite(page * PAGE));
        rewritten.and_then(|()| self.sync_data()).inspect_err(|_| self.suspect(pages))
    }

    fn rewrite(&self, at: u64) -> io::Result<()> {
        let there = self.physical_len()?.saturating_sub(at).min(PAGE);
        let mut page = vec![0; usize::try_from(there).unwrap_or(0)];
        if page.is_empty() {
            return Ok(());
        }
        self.read_physical(at, &mut page)?;
        self.write_physical(at, &page)
    }

    fn suspect(&self, pages: BTreeSet<u64>) {
        let mut suspect = self.disk.suspect.lock().unwrap_or_else(PoisonError::into_inner);
        suspect.push((self.kind, pages));
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.physical_len()?.saturating_sub(PHYSICAL_HEADER))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_physical(PHYSICAL_HEADER + offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.set_physical_len(PHYSICAL_HEADER + len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let pages =
            std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        self.sync().inspect_err(|_| self.suspect(pages))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.write_physical(PHYSICAL_HEADER + offset, data)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, at: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(unix)]
fn write_all_at(file: &File, at: u64, data: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, data, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut at: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                at += read as u64;
                out = &mut out[read..];
            }
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, mut at: u64, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, data, at)?;
        at += written as u64;
        data = &data[written..];
    }
    Ok(())
}
