//! A disk in memory that can lose power: what was not synced may then be there, be missing, or be
//! there in part.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SECTOR: usize = 512;

#[derive(Debug, Clone)]
enum Pending {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

#[derive(Debug, Default)]
struct Content {
    live: Vec<u8>,
    safe: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Debug, Default)]
struct Folder {
    names: BTreeMap<String, MemoryFile>,
    safe_names: BTreeMap<String, MemoryFile>,
}

/// A folder of files in memory. Clones are the same folder.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    folder: Arc<Mutex<Folder>>,
    locked: Arc<AtomicBool>,
}

impl MemoryDisk {
    /// Returns the disk as the next start would find it if the power went now.
    ///
    /// `choose(n)` returns a number below `n` and is asked for everything that chance decides:
    /// whether names not yet synced are there, which writes not yet synced are, and how much of
    /// each. `|_| 0` loses everything that was not synced.
    #[must_use]
    pub fn power_cut(&self, choose: &mut dyn FnMut(usize) -> usize) -> Self {
        let folder = self.folder();
        let names = if choose(2) == 0 { &folder.safe_names } else { &folder.names };
        let names: BTreeMap<String, MemoryFile> =
            names.iter().map(|(name, file)| (name.clone(), file.power_cut(choose))).collect();
        let after = Folder { safe_names: names.clone(), names };
        Self { folder: Arc::new(Mutex::new(after)), locked: Arc::default() }
    }

    /// Changes the bytes of a file as a fault of the medium would: at once, safe and unseen.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(file) = self.open(name) {
            let mut content = file.content();
            change(&mut content.live);
            content.safe = content.live.clone();
            content.pending.clear();
        }
    }

    /// Returns a copy that shares nothing: what a backup of the folder would hold.
    #[must_use]
    pub fn copy(&self) -> Self {
        let folder = self.folder();
        let names: BTreeMap<String, MemoryFile> =
            folder.names.iter().map(|(name, file)| (name.clone(), file.copy())).collect();
        let after = Folder { safe_names: names.clone(), names };
        Self { folder: Arc::new(Mutex::new(after)), locked: Arc::default() }
    }

    /// Removes a file at once and for good, as a person with a file manager would.
    pub fn delete(&self, name: &str) {
        let mut folder = self.folder();
        folder.names.remove(name);
        folder.safe_names.remove(name);
    }

    pub(super) fn lock(&self) -> Option<MemoryLock> {
        let taken = self.locked.swap(true, Ordering::SeqCst);
        (!taken).then(|| MemoryLock(Arc::clone(&self.locked)))
    }

    pub(super) fn open(&self, name: &str) -> Option<MemoryFile> {
        self.folder().names.get(name).cloned()
    }

    pub(super) fn create(&self, name: &str) -> MemoryFile {
        let file = MemoryFile::default();
        self.folder().names.insert(name.to_owned(), file.clone());
        file
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        let mut folder = self.folder();
        if let Some(file) = folder.names.remove(from) {
            folder.names.insert(to.to_owned(), file);
        }
    }

    pub(super) fn remove(&self, name: &str) {
        self.folder().names.remove(name);
    }

    pub(super) fn sync_folder(&self) {
        let mut folder = self.folder();
        folder.safe_names = folder.names.clone();
    }

    fn folder(&self) -> MutexGuard<'_, Folder> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held while a folder in memory is open.
#[derive(Debug)]
pub(super) struct MemoryLock(Arc<AtomicBool>);

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// One file in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryFile(Arc<Mutex<Content>>);

impl MemoryFile {
    pub(super) fn len(&self) -> u64 {
        self.content().live.len() as u64
    }

    pub(super) fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let content = self.content();
        let at = usize::try_from(at).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = at.checked_add(out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(content.live.get(at..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    pub(super) fn write(&self, at: u64, data: &[u8]) {
        let mut content = self.content();
        apply(&mut content.live, at, data);
        content.pending.push(Pending::Write(at, data.to_vec()));
    }

    pub(super) fn set_len(&self, len: u64) {
        let mut content = self.content();
        resize(&mut content.live, len);
        content.pending.push(Pending::SetLen(len));
    }

    pub(super) fn sync(&self) {
        let mut content = self.content();
        for pending in std::mem::take(&mut content.pending) {
            match pending {
                Pending::Write(at, data) => apply(&mut content.safe, at, &data),
                Pending::SetLen(len) => resize(&mut content.safe, len),
            }
        }
    }

    /// Forgets what was waiting for a sync, and goes on showing it: what systems do when a sync
    /// fails.
    pub(super) fn lose_unsynced(&self) {
        self.content().pending.clear();
    }

    fn power_cut(&self, choose: &mut dyn FnMut(usize) -> usize) -> Self {
        let content = self.content();
        let mut after = content.safe.clone();
        for pending in &content.pending {
            match pending {
                Pending::SetLen(len) if choose(2) == 1 => resize(&mut after, *len),
                Pending::SetLen(_) => {}
                Pending::Write(at, data) => match choose(4) {
                    0 => {}
                    1 => apply(&mut after, *at, &data[..torn(data.len(), choose)]),
                    _ => apply(&mut after, *at, data),
                },
            }
        }
        Self(Arc::new(Mutex::new(Content {
            live: after.clone(),
            safe: after,
            pending: Vec::new(),
        })))
    }

    fn copy(&self) -> Self {
        let live = self.content().live.clone();
        Self(Arc::new(Mutex::new(Content { safe: live.clone(), live, pending: Vec::new() })))
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how much of a torn write is there: whole sectors, or any byte of a short one, which is
/// redb's own header.
fn torn(length: usize, choose: &mut dyn FnMut(usize) -> usize) -> usize {
    if length < SECTOR { choose(length + 1) } else { choose(length / SECTOR + 1) * SECTOR }
}

fn apply(bytes: &mut Vec<u8>, at: u64, data: &[u8]) {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let end = at.saturating_add(data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(data);
}

fn resize(bytes: &mut Vec<u8>, len: u64) {
    bytes.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
}
