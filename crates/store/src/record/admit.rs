//! The door for what other devices wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mar::fact::{Fact, LogStart, MembershipFact};
use mar::ids::{DeviceId, EntryId, LogId};
use mar::time::Timestamp;

use super::{NotSaved, Record};
use crate::codec;
use crate::entry::Sealed;
use crate::fold::Changes;
use crate::heads::Head;
use crate::keys::certificate_holds;
use crate::log::{LogRead, ToAppend};
use crate::tables::{DiskFault, entry_key};

/// The most entries that are set aside at one time.
const ASIDE_MAX: usize = 4096;
/// The most entries that are put on the disk in one commit. Each commit copies nearly every page of
/// the tables whose keys are hashes, so few large ones are cheaper than many small ones.
const COMMIT_MAX: usize = 8192;

/// The most heads of one device, over all of its logs and their branches. It stays far below what
/// two devices name to each other before they give up, which is 65,536 logs, and is more than an
/// honest device comes to that is put back to an old state every day for eleven years: nothing that
/// one records is ever left outside.
pub const HEADS_OF_DEVICE_MAX: usize = 4096;

/// What became of entries that came from another device.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// Those that are new here and on the disk now, in the order of their logs.
    pub added: Vec<Sealed>,
    /// How many were held already.
    pub known: usize,
    /// Those that were not taken in, and why.
    pub not_taken: Vec<(EntryId, NotTaken)>,
    /// What changed in the picture.
    pub changes: Changes,
    /// Whether devices were enrolled or put out: ask peers again for what belonged to nobody.
    pub membership: bool,
}

/// Why an entry was not taken in. It is never for clinical reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Its log belongs to no device of the home, as far as is known here. It is set aside and tried
    /// again when a device is enrolled.
    #[error("its log belongs to no device of this home yet")]
    NotEnrolled,
    /// The entry before it is not held. It is set aside.
    #[error("the entry before it is not here yet")]
    NoPredecessor,
    /// The log does not begin with the start that a device of the home vouches for.
    #[error("its log does not begin as a device's log does")]
    NoStart,
    /// There is no room: to set it aside, and it comes again when the peer is asked again; or for
    /// one more log or branch of a device that has [`HEADS_OF_DEVICE_MAX`].
    #[error("there is no room for it: its device is not known yet, or has far too many logs")]
    NoRoom,
}

/// What an entry's log allows.
enum Place {
    Known,
    Append,
    Aside(NotTaken),
    Refuse(NotTaken),
}

impl Record {
    /// Takes in entries of other devices, of any logs and in any order, and answers when they are
    /// safe. Entries of logs that are not enrolled, and those whose predecessor is missing, are set
    /// aside and tried again by themselves.
    ///
    /// # Errors
    ///
    /// Returns [`NotSaved`] if the disk failed; nothing of the entries may be acknowledged then.
    pub fn admit(&mut self, now: Timestamp, entries: &[Sealed]) -> Result<Admission, NotSaved> {
        let pool: BTreeMap<[u8; 56], Sealed> =
            entries.iter().map(|entry| (key_of(entry), entry.clone())).collect();
        let offered: BTreeSet<[u8; 56]> = pool.keys().copied().collect();
        let kept = self.aside.clone();
        let mut admission = Admission::default();
        match self.admit_all(now, pool, &mut admission) {
            Ok(waiting) => self.set_aside_all(waiting, &offered, &mut admission),
            Err(fault) => {
                self.aside = kept;
                return Err(fault);
            }
        }
        if !kept.keys().eq(self.aside.keys()) {
            let entries: Vec<Sealed> = self.aside.values().cloned().collect();
            if let Err(fault) = self.shared.local.set_aside(&entries) {
                tracing::warn!(%fault, "entries set aside are kept in memory only");
            }
        }
        if !admission.added.is_empty() {
            self.after_foreign(&admission);
        }
        Ok(admission)
    }

    /// Goes through the pool until nothing more can be taken in. Returns what waits.
    fn admit_all(
        &mut self,
        now: Timestamp,
        mut pool: BTreeMap<[u8; 56], Sealed>,
        admission: &mut Admission,
    ) -> Result<BTreeMap<[u8; 56], (Sealed, NotTaken)>, NotSaved> {
        let retried = self.aside_that_may_go(&pool);
        pool.extend(retried);
        loop {
            let added = admission.added.len();
            let waiting = self.admit_once(now, pool, admission)?;
            if admission.added.len() == added {
                return Ok(waiting);
            }
            pool = waiting.into_iter().map(|(key, (entry, _))| (key, entry)).collect();
            if admission.membership {
                pool.extend(std::mem::take(&mut self.aside));
            }
        }
    }

    pub(super) fn with_aside(mut self, entries: Vec<Sealed>) -> Self {
        self.aside = entries.into_iter().map(|entry| (key_of(&entry), entry)).collect();
        self
    }

    /// Takes out of what is set aside the entries of the logs that are offered now.
    fn aside_that_may_go(
        &mut self,
        pool: &BTreeMap<[u8; 56], Sealed>,
    ) -> BTreeMap<[u8; 56], Sealed> {
        let logs: BTreeSet<&[u8]> = pool.keys().map(|key| &key[..32]).collect();
        let (go, stay) = std::mem::take(&mut self.aside)
            .into_iter()
            .partition(|(key, _)| logs.contains(&key[..32]));
        self.aside = stay;
        go
    }

    /// Goes through the pool once, log by log and in order of sequence. Returns what waits.
    fn admit_once(
        &mut self,
        now: Timestamp,
        pool: BTreeMap<[u8; 56], Sealed>,
        admission: &mut Admission,
    ) -> Result<BTreeMap<[u8; 56], (Sealed, NotTaken)>, NotSaved> {
        let mut waiting = BTreeMap::new();
        let mut batch: Vec<ToAppend> = Vec::new();
        let shared = Arc::clone(&self.shared);
        let placed = shared.with(|stores| self.places(&stores.log.read()?, pool));
        for (key, entry, place) in placed.map_err(|fault| NotSaved { why: fault.to_string() })? {
            match place {
                Place::Known => admission.known += 1,
                Place::Append => batch.push(to_append(entry)),
                Place::Aside(why) => drop(waiting.insert(key, (entry, why))),
                Place::Refuse(why) => admission.not_taken.push((entry.id(), why)),
            }
        }
        for chunk in batch.chunks(COMMIT_MAX) {
            self.take_batch(now, chunk, admission)?;
        }
        Ok(waiting)
    }

    fn places(
        &self,
        log: &LogRead,
        pool: BTreeMap<[u8; 56], Sealed>,
    ) -> Result<Vec<Placed>, DiskFault> {
        let founding = self.founding_log(&pool);
        let mut coming = Coming::default();
        let mut placed = Vec::with_capacity(pool.len());
        for (key, entry) in pool {
            let place = match self.place(log, &entry, founding, &coming.entries)? {
                Place::Append if !coming.take(self, &entry) => Place::Refuse(NotTaken::NoRoom),
                place @ (Place::Known | Place::Append | Place::Aside(_) | Place::Refuse(_)) => {
                    place
                }
            };
            placed.push((key, entry, place));
        }
        if !coming.flooding.is_empty() {
            tracing::warn!(devices = ?coming.flooding, "more logs and branches than are kept");
        }
        Ok(placed)
    }

    fn take_batch(
        &mut self,
        now: Timestamp,
        batch: &[ToAppend],
        admission: &mut Admission,
    ) -> Result<(), NotSaved> {
        self.commit(batch, now)?;
        let entries: Vec<Sealed> = batch.iter().map(|append| append.entry.clone()).collect();
        let changes = self.show(&entries, now);
        admission.changes.home |= changes.home;
        admission.changes.residents.extend(changes.residents);
        admission.membership |= entries.iter().any(Sealed::is_membership);
        admission.added.extend(entries);
        Ok(())
    }

    fn place(
        &self,
        log: &LogRead,
        entry: &Sealed,
        founding: Option<LogId>,
        coming: &BTreeSet<(LogId, Head)>,
    ) -> Result<Place, DiskFault> {
        let before = entry.sequence().checked_sub(1);
        let before = before.map(|sequence| Head { sequence, hash: entry.previous() });
        // What follows an entry that is only coming cannot be here.
        if before.is_some_and(|before| coming.contains(&(entry.log(), before))) {
            return Ok(Place::Append);
        }
        if log.place(&entry.id())?.is_some() {
            return Ok(Place::Known);
        }
        if let Some(before) = before {
            return Ok(if self.holds(log, &entry.log(), &before)? {
                Place::Append
            } else if self.heads.get(&entry.log()).is_none() {
                Place::Aside(NotTaken::NotEnrolled)
            } else {
                Place::Aside(NotTaken::NoPredecessor)
            });
        }
        let Some(start) = start_of(entry) else { return Ok(Place::Refuse(NotTaken::NoStart)) };
        if !certificate_holds(&self.shared.pinned.home, &entry.log(), &start) {
            return Ok(Place::Refuse(NotTaken::NoStart));
        }
        let devices = self.folded.picture.home.devices();
        let enrolled = founding == Some(entry.log())
            || devices.get(&start.device).is_some_and(|device| !device.enrolled.is_empty());
        Ok(if enrolled { Place::Append } else { Place::Aside(NotTaken::NotEnrolled) })
    }

    /// Whether an entry is held, by its log, its place and its whole hash.
    fn holds(&self, log: &LogRead, of: &LogId, head: &Head) -> Result<bool, DiskFault> {
        if self.heads.get(of).is_some_and(|held| held.heads().contains(head)) {
            return Ok(true);
        }
        let held = log.entry(&head.hash.id())?;
        Ok(held.is_some_and(|held| {
            (held.log(), held.sequence(), held.hash()) == (*of, head.sequence, head.hash)
        }))
    }

    /// Returns how many heads a device has over all of its logs.
    fn heads_of(&self, device: DeviceId) -> usize {
        let logs = self.folded.picture.home.logs().iter();
        let own = logs.filter(|(_, (start, _))| start.device == device);
        own.filter_map(|(log, _)| self.heads.get(log)).map(|held| held.heads().len()).sum()
    }

    /// Returns the log whose second entry is the founding that was handed over at pairing.
    fn founding_log(&self, pool: &BTreeMap<[u8; 56], Sealed>) -> Option<LogId> {
        let founding = self.shared.pinned.founding;
        pool.values().find(|entry| entry.hash() == founding).map(Sealed::log)
    }

    fn set_aside_all(
        &mut self,
        waiting: BTreeMap<[u8; 56], (Sealed, NotTaken)>,
        offered: &BTreeSet<[u8; 56]>,
        admission: &mut Admission,
    ) {
        for (key, (entry, why)) in waiting {
            let room = self.aside.len() < ASIDE_MAX;
            if offered.contains(&key) {
                let why = if room { why } else { NotTaken::NoRoom };
                admission.not_taken.push((entry.id(), why));
            }
            if room {
                self.aside.insert(key, entry);
            }
        }
    }

    /// A branch of this device's own log that it did not write means that a copy of it is about.
    fn after_foreign(&mut self, admission: &Admission) {
        let own = self.own_log();
        if admission.added.iter().any(|entry| entry.log() == own) {
            match self.keys.reincarnate() {
                Ok(()) => {
                    tracing::warn!("another copy wrote to this device's log; a new one begins")
                }
                Err(fault) => drop(self.stop(&fault.to_string())),
            }
        }
    }
}

/// What is to be appended in one go.
#[derive(Default)]
struct Coming {
    entries: BTreeSet<(LogId, Head)>,
    /// Those that were heads and are followed now: what follows them next is a branch.
    followed: BTreeSet<(LogId, Head)>,
    /// Whose the logs are that begin.
    owners: BTreeMap<LogId, DeviceId>,
    /// How many heads a device will have.
    heads: BTreeMap<DeviceId, usize>,
    /// Devices that have no room for more.
    flooding: BTreeSet<DeviceId>,
}

impl Coming {
    /// Notes an entry that has a place. Returns whether its device has room for it: what goes on
    /// from a head always has.
    fn take(&mut self, record: &Record, entry: &Sealed) -> bool {
        let log = entry.log();
        let before = entry.sequence().checked_sub(1);
        let goes_on = before.is_some_and(|sequence| {
            let before = (log, Head { sequence, hash: entry.previous() });
            let held = record.heads.get(&log);
            let is_head = self.entries.contains(&before)
                || held.is_some_and(|held| held.heads().contains(&before.1));
            is_head && self.followed.insert(before)
        });
        if !goes_on && !self.has_room(record, entry) {
            return false;
        }
        self.entries.insert((log, Head { sequence: entry.sequence(), hash: entry.hash() }))
    }

    /// Counts one more head of the entry's device, if it may have one.
    fn has_room(&mut self, record: &Record, entry: &Sealed) -> bool {
        let log = entry.log();
        let starts = start_of(entry).filter(|_| entry.sequence() == 0).map(|start| start.device);
        let known = self.owners.get(&log).copied();
        let owner = starts.or(known).or_else(|| record.folded.picture.home.owner(log));
        let Some(device) = owner else { return true };
        let heads = self.heads.entry(device).or_insert_with(|| record.heads_of(device));
        if *heads >= HEADS_OF_DEVICE_MAX {
            self.flooding.insert(device);
            return false;
        }
        *heads += 1;
        self.owners.entry(log).or_insert(device);
        true
    }
}

type Placed = ([u8; 56], Sealed, Place);

fn to_append(entry: Sealed) -> ToAppend {
    let command = codec::command(entry.kind(), entry.kind_version(), entry.payload());
    ToAppend { entry, command }
}

fn key_of(entry: &Sealed) -> [u8; 56] {
    entry_key(&entry.log(), entry.sequence(), &entry.id())
}

fn start_of(entry: &Sealed) -> Option<LogStart> {
    let decoded = codec::decode(entry.kind(), entry.kind_version(), entry.payload()).ok()?;
    if let Fact::Membership(MembershipFact::LogStarted(start)) = decoded.fact {
        Some(start)
    } else {
        None
    }
}
