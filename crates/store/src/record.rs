//! The record of the home on this device, with its two doors.
//!
//! [`Record::submit`] takes what people here ask: the rules may refuse it. [`Record::admit`] takes
//! what another device wrote: it has happened, so it is refused only when it is not an entry of
//! this home. Both answer after the fsync that makes the entries safe, and not before.
//!
//! There is one [`Record`] for a folder, and it is the only writer. Any number of [`Reader`]s look
//! at what it last published.

mod admit;
mod open;
mod pages;
mod reader;
mod submit;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use mar::ids::{DeviceId, EntryId, LogId};
use mar::picture::Picture;
use mar::time::{Month, Timestamp};

pub use admit::{Admission, HEADS_OF_DEVICE_MAX, NotTaken};
pub use open::{Founded, Opening, RecordFault};
pub use reader::{Range, Reader};
pub use submit::{Answer, Around, Batch, Saved, SubmitFault};

use crate::backend::{Disk, FileKind, FolderLock, OpenFault};
use crate::clock::HybridClock;
use crate::entry::{Hash, Sealed};
use crate::fold::{Changes, Folded};
use crate::heads::Heads;
use crate::keys::{HighWater, Keys, StateFile};
use crate::local::{Damage, Local};
use crate::log::{Log, Pinned, ToAppend};
use crate::tables::{self, DiskFault};
use crate::views::Views;

/// Nothing was written, and what was typed must be kept and shown: NOT SAVED.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("NOT SAVED: {why}. Keep what was typed, write it on paper, and see to this device")]
pub struct NotSaved {
    /// What the disk said.
    pub why: String,
}

/// What readers look at.
#[derive(Debug, Clone)]
pub struct Published {
    /// The home and its residents.
    pub picture: Picture,
    /// The entries held.
    pub heads: Heads,
    /// The hash over all views: equal on devices that show the same home.
    pub state: [u8; 32],
    /// The first month of which doses are in the picture; earlier ones are read on demand.
    pub from: Month,
}

/// The two databases that follow each other.
#[derive(Debug)]
struct Stores {
    log: Log,
    views: Views,
}

/// What the one writer and all readers share.
#[derive(Debug)]
struct Shared {
    pinned: Pinned,
    /// `None` after a fault of the disk from which the store did not come back.
    stores: RwLock<Option<Stores>>,
    published: RwLock<Published>,
    local: Local,
    /// What is known to be wrong with the files; kept in `local`, too.
    damage: Mutex<Option<Damage>>,
    /// Whether a page of the log was found damaged: no entry need show it.
    pages_damaged: AtomicBool,
    /// Whether nothing may be written to the log, because one is damaged that is no entry's.
    log_unsound: AtomicBool,
    /// Where the files are, to look at their pages.
    disk: Disk,
    /// Given back with the last reader: no file of the folder is open twice.
    _lock: FolderLock,
}

impl Shared {
    /// Calls `read` with the databases; they are not closed or opened again meanwhile.
    fn with<T>(&self, read: impl FnOnce(&Stores) -> Result<T, DiskFault>) -> Result<T, DiskFault> {
        let stores = self.stores.read().unwrap_or_else(PoisonError::into_inner);
        let stores = stores.as_ref().ok_or(DiskFault::Closed)?;
        tables::guarded(|| read(stores)).inspect_err(|fault| {
            if let Some(damage) = Damage::of(fault) {
                self.know(damage);
            }
        })
    }

    /// Closes the databases; a log that is damaged is let go.
    fn close(&self, stores: Option<Stores>) {
        let Some(Stores { log, views }) = stores else { return };
        drop(views);
        if self.pages_damaged.load(Ordering::SeqCst) {
            log.let_go();
        }
    }

    fn damage(&self) -> MutexGuard<'_, Option<Damage>> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that the record is damaged: first of all what is wrong with the log.
    fn know(&self, damage: Damage) {
        let mut known = self.damage();
        let better = known.as_ref().is_none_or(|known| {
            known.file != Some(FileKind::Log) && damage.file != known.file && damage.file.is_some()
        });
        if better {
            if let Err(fault) = self.local.set_damage(Some(&damage)) {
                tracing::warn!(%fault, "that the record is damaged was not kept");
            }
            *known = Some(damage);
        }
    }

    /// Forgets it: every entry was looked at, and nothing is wrong. The pages are looked at again at
    /// the next start.
    fn is_whole(&self) {
        if !self.pages_damaged.load(Ordering::SeqCst)
            && self.damage().take().is_some()
            && let Err(fault) = self.local.set_damage(None)
        {
            tracing::warn!(%fault, "that the record is whole was not kept");
        }
    }
}

/// The record of the home, and its only writer.
#[derive(Debug)]
pub struct Record {
    disk: Disk,
    keys: Keys,
    state: StateFile,
    shared: Arc<Shared>,
    folded: Folded,
    heads: Heads,
    /// The latest reading of the hybrid clock that was written or seen.
    clock: HybridClock,
    fresh: Fresh,
    /// Entries of logs that are not enrolled, or whose predecessor is not here.
    aside: BTreeMap<[u8; 56], Sealed>,
    /// Up to which entry signatures were checked in this pass; `None` before a pass.
    audited_to: Option<[u8; 56]>,
    /// Why the record is read-only; `None` while it is not.
    fault: Option<NotSaved>,
}

impl Record {
    /// Returns a reader: cheap to clone, to be used from any thread.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// Returns the picture as of the last commit.
    pub fn picture(&self) -> &Picture {
        &self.folded.picture
    }

    /// Returns which entries are held.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Returns the home and the hash of its founding entry.
    pub fn pinned(&self) -> Pinned {
        self.shared.pinned
    }

    /// Returns this device's keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Returns this device's identity.
    pub fn device(&self) -> DeviceId {
        self.keys.device()
    }

    /// Returns the log that this device writes. It may have no entry yet.
    pub fn own_log(&self) -> LogId {
        self.keys.log_key().log()
    }

    /// Returns what belongs to this device alone.
    pub fn local(&self) -> &Local {
        &self.shared.local
    }

    /// Returns why nothing can be saved; `None` while everything can.
    pub fn fault(&self) -> Option<&NotSaved> {
        self.fault.as_ref()
    }

    /// Returns how many entries are set aside.
    pub fn set_aside(&self) -> usize {
        self.aside.len()
    }

    /// Begins a new log of this device before anything more is written: a peer holds entries of
    /// the present one that are not here, so this folder is a copy of an earlier state.
    ///
    /// # Errors
    ///
    /// Returns [`KeyFault`](crate::keys::KeyFault) if the new key could not be made or kept.
    pub fn reincarnate(&mut self) -> Result<(), crate::keys::KeyFault> {
        self.keys.reincarnate()
    }

    /// Makes the views and this device's own file safe. Call it every few seconds and before the
    /// end: what is not safe is folded again at the next start.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the disk failed; no entry is lost by it.
    pub fn make_durable(&mut self) -> Result<(), DiskFault> {
        self.shared.with(|stores| stores.views.make_durable())?;
        self.shared.local.make_durable()
    }

    /// Tries to open the files again after a fault.
    ///
    /// # Errors
    ///
    /// Returns why nothing can be saved still.
    pub fn try_again(&mut self, now: Timestamp) -> Result<(), NotSaved> {
        self.reopen(now).map_err(|fault| self.stop(&fault.to_string()))?;
        self.fault = None;
        Ok(())
    }

    /// Checks the signatures of up to `most` entries that came inside ranges, and returns of how
    /// many; fewer than `most` ends a pass. One whose own signature is junk stays held, since a
    /// later one of its log vouches for it, and is not passed on as the end of a range.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if they could not be read, or that they hold could not be kept.
    pub fn audit(&mut self, most: usize) -> Result<usize, DiskFault> {
        let home = self.shared.pinned.home;
        if self.shared.log_unsound.load(Ordering::SeqCst) {
            return Ok(0);
        }
        let from = self.audited_to.take();
        let (looked_at, last) = self.shared.with(|stores| {
            let entries = stores.log.read()?.unaudited(from.as_ref(), most)?;
            let looked_at = entries.len();
            let key =
                |entry: &Sealed| tables::entry_key(&entry.log(), entry.sequence(), &entry.id());
            let last = entries.last().map(key);
            let (hold, junk): (Vec<Sealed>, Vec<Sealed>) =
                entries.into_iter().partition(|entry| entry.clone().audit(&home).is_ok());
            for entry in junk {
                let (log, sequence) = (entry.log(), entry.sequence());
                tracing::error!(%log, sequence, "an entry inside a range has junk for a signature");
            }
            if !hold.is_empty() {
                let write = stores.log.write()?;
                write.audited(&hold)?;
                write.commit()?;
            }
            Ok((looked_at, last))
        })?;
        self.audited_to = last.filter(|_| looked_at == most);
        Ok(looked_at)
    }

    /// Moves the months in memory on with the time. Call it now and then, at least daily.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the views could not be read.
    pub fn move_on(&mut self, now: Timestamp) -> Result<bool, DiskFault> {
        let folded = &mut self.folded;
        let moved = self.shared.with(|stores| folded.move_on(&stores.views.read()?, now))?;
        if moved {
            self.publish()?;
        }
        Ok(moved)
    }

    /// Puts entries on the disk. After `Ok` they are safe; after `Err` none of them counts, and
    /// the record is read-only.
    ///
    /// A disk that fails once is opened again and asked whether the entries are there; where they
    /// are not, they are written once more.
    fn commit(&mut self, entries: &[ToAppend], now: Timestamp) -> Result<(), NotSaved> {
        if self.shared.log_unsound.load(Ordering::SeqCst) {
            return Err(self.stop(pages::UNSOUND));
        }
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let Some(last) = entries.last() else { return Ok(()) };
        let last = last.entry.id();
        let Err(first) = self.append(entries) else { return Ok(()) };
        tracing::warn!(fault = %first, "a commit failed; the store is opened again");
        if let Err(fault) = self.reopen(now) {
            return Err(self.stop(&fault.to_string()));
        }
        match self.shared.with(|stores| stores.log.read()?.entry(&last)) {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => {}
            Err(fault) => return Err(self.stop(&fault.to_string())),
        }
        let Err(second) = self.append(entries) else { return Ok(()) };
        tracing::error!(fault = %second, "a commit failed twice; nothing is saved from here on");
        // Opened again for reading only, so that it still shows and prints. What the second
        // attempt left behind decides whether it counts after all.
        if self.reopen(now).is_ok()
            && let Ok(Some(_)) = self.shared.with(|stores| stores.log.read()?.entry(&last))
        {
            self.stop(&second.to_string());
            return Ok(());
        }
        Err(self.stop(&second.to_string()))
    }

    fn append(&self, entries: &[ToAppend]) -> Result<(), DiskFault> {
        let appended = self.shared.with(|stores| {
            let write = stores.log.write()?;
            write.append(entries)?;
            write.commit()
        });
        appended.inspect_err(|fault| {
            if let Some(damage) = Damage::of(fault) {
                self.shared.know(Damage { file: Some(FileKind::Log), ..damage });
            }
        })
    }

    /// Folds entries that are on the disk and shows them. A fault here costs no entry: the views
    /// are read again from the disk, or made again.
    fn show(&mut self, entries: &[Sealed], now: Timestamp) -> Changes {
        for entry in entries {
            self.clock = self.clock.observe(entry.clock());
        }
        let folded = &mut self.folded;
        let shown = self.shared.with(|stores| {
            let log = stores.log.read()?;
            let mut changes = folded.take_in(&log, &stores.views, entries)?;
            // New settings may begin the cycle, and so the months in memory, on another day.
            if folded.move_on(&stores.views.read()?, now)? {
                changes.residents.extend(folded.picture.residents.keys());
            }
            Ok((changes, log.heads_of(&self.heads, entries)?))
        });
        match shown.and_then(|(changes, heads)| {
            self.heads = heads;
            self.publish()?;
            Ok(changes)
        }) {
            Ok(changes) => changes,
            Err(fault) => {
                tracing::warn!(%fault, "the views are opened again");
                let residents = self.folded.picture.residents.keys().copied().collect();
                if let Err(fault) = self.reopen(now) {
                    self.stop(&fault.to_string());
                }
                Changes { home: true, residents }
            }
        }
    }

    fn publish(&self) -> Result<(), DiskFault> {
        let state = self.shared.with(|stores| stores.views.read()?.state())?;
        let published = Published {
            picture: self.folded.picture.clone(),
            heads: self.heads.clone(),
            state,
            from: self.folded.from,
        };
        *self.shared.published.write().unwrap_or_else(PoisonError::into_inner) = published;
        Ok(())
    }

    /// Drops the databases and the picture, and opens them again.
    fn reopen(&mut self, now: Timestamp) -> Result<(), OpenFault> {
        {
            let mut stores = self.shared.stores.write().unwrap_or_else(PoisonError::into_inner);
            // Both are closed before either is opened: a database is never open twice.
            self.shared.close(stores.take());
            let id = self.fresh.next();
            let (opened, folded, heads, _) = open::stores(&self.disk, now, id)?;
            *stores = Some(opened);
            self.folded = folded;
            self.heads = heads;
        }
        self.publish().map_err(|fault| tables::open_fault(&self.disk, FileKind::Views, fault))
    }

    fn stop(&mut self, why: &str) -> NotSaved {
        let fault = NotSaved { why: why.to_owned() };
        self.fault = Some(fault.clone());
        fault
    }

    /// Says outside the data folder how far this device's log goes.
    fn note_high_water(&self) {
        let Some(head) = self.heads.get(&self.own_log()).and_then(|held| held.latest()) else {
            return;
        };
        let water = HighWater {
            incarnation: self.keys.incarnation(),
            sequence: head.sequence,
            hash: head.hash,
        };
        if let Err(fault) = self.state.write(&water) {
            tracing::warn!(%fault, "the state file could not be written; the next start begins a new log");
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Err(fault) = self.make_durable() {
            tracing::warn!(%fault, "the views could not be made safe; they are folded again");
        }
        // Readers that are still about find the store closed.
        let mut stores = self.shared.stores.write().unwrap_or_else(PoisonError::into_inner);
        self.shared.close(stores.take());
    }
}

/// Where the next entry of this device goes.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    sequence: u64,
    previous: Hash,
    clock: HybridClock,
}

/// Ids that nobody can guess, without asking the operating system for each.
#[derive(Debug)]
struct Fresh {
    seed: zeroize::Zeroizing<[u8; 32]>,
    count: u64,
}

impl Fresh {
    fn new(keys: &mut Keys) -> Result<Self, crate::keys::KeyFault> {
        Ok(Self { seed: keys.draw()?, count: 0 })
    }

    fn next(&mut self) -> [u8; 16] {
        self.count += 1;
        let mut hasher = blake3::Hasher::new_keyed(&self.seed);
        hasher.update(&self.count.to_be_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        id
    }
}

/// Returns the id of an entry on its way.
fn id_of(entry: &ToAppend) -> EntryId {
    entry.entry.id()
}
