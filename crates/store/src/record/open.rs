//! Founding a home, joining one, and opening it again.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use mar::fact::{DeviceKeys, Draft, EarlierHead, Fact, Founding, MembershipFact};
use mar::ids::{EntryId, HomeId, LogId};
use mar::picture::{HomePicture, Picture};
use mar::time::Timestamp;

use super::pages::{self, entries_are_whole, look_at_start};
use super::{Cursor, Fresh, NotSaved, Published, Record, Shared, Stores};
use crate::backend::memory::MemoryDisk;
use crate::backend::{Disk, FileKind, OpenFault};
use crate::clock::HybridClock;
use crate::codec::{self, CodecFault};
use crate::entry::{self, Class, EntryFault, Hash, LogKey, Sealed};
use crate::fold::Folded;
use crate::heads::Heads;
use crate::keys::{HighWater, KeyFault, Keys, StateFile};
use crate::local::{Damage, Local};
use crate::log::{Log, LogRead, Pinned};
use crate::tables::{self, DiskFault};
use crate::views::Views;

/// What a record is opened with.
#[derive(Debug)]
pub struct Opening {
    /// Where its files are.
    pub disk: Disk,
    /// This device's keys.
    pub keys: Keys,
    /// The small file outside the data folder.
    pub state: StateFile,
}

/// What a new home is founded with.
#[derive(Debug, Clone)]
pub struct Founded {
    /// The home: 32 random bytes.
    pub home: HomeId,
    /// Its name.
    pub name: String,
    /// Whether it is a practice home.
    pub practice: bool,
    /// The name of this first device.
    pub device_name: String,
    /// The recipient of the recovery key.
    pub recovery_recipient: String,
}

/// Why a record could not be founded, joined or opened.
#[derive(Debug, thiserror::Error)]
pub enum RecordFault {
    /// A file or the folder.
    #[error(transparent)]
    Open(#[from] OpenFault),
    /// This device's keys.
    #[error(transparent)]
    Keys(#[from] KeyFault),
    /// The founding says more than entries hold.
    #[error("the home could not be founded: {0}")]
    Codec(#[from] CodecFault),
    /// An entry of the founding is not well formed.
    #[error("the home could not be founded: {0}")]
    Entry(#[from] EntryFault),
}

impl Record {
    /// Founds a home: the log's start, the founding, and what `setup` adds, in one commit. `setup`
    /// is given the founding entry, under which the device acts.
    ///
    /// # Errors
    ///
    /// Returns [`OpenFault::HomeExists`] where there is a home, [`OpenFault::LogGone`] where one
    /// was, and any other fault of disk or
    /// keys. Nothing is there after an error.
    pub fn found(
        opening: Opening,
        now: Timestamp,
        founded: &Founded,
        setup: impl FnOnce(EntryId) -> Vec<Draft>,
    ) -> Result<Self, RecordFault> {
        let mut opening = opening;
        let lock = opening.disk.lock()?;
        must_be_free(&opening.disk)?;
        let keys = &opening.keys;
        let key = keys.log_key();
        let writer = Writer { key: &key, home: founded.home, now, offset_minutes: 0 };
        let mut cursor = Cursor::start(HybridClock::default());
        let start = MembershipFact::LogStarted(keys.start_log(&founded.home, None));
        let mut entries = vec![writer.seal(&mut cursor, &unattended(start))?];
        let founding = MembershipFact::HomeFounded(Founding {
            home: founded.home,
            name: founded.name.clone(),
            practice: founded.practice,
            device: DeviceKeys {
                device: keys.device(),
                recipient: keys.recipient(),
                name: founded.device_name.clone(),
            },
            recovery_recipient: founded.recovery_recipient.clone(),
        });
        let founding = writer.seal(&mut cursor, &unattended(founding))?;
        let pinned = Pinned { home: founded.home, founding: founding.hash() };
        entries.push(founding.clone());
        for draft in setup(founding.id()) {
            entries.push(writer.seal(&mut cursor, &draft)?);
        }
        let (incarnation, last) = (keys.incarnation(), cursor.sequence - 1);
        let mut fresh = Fresh::new(&mut opening.keys)?;
        Log::create(&opening.disk, fresh.next(), &pinned, &entries)?;
        // Before the first look at it: what an earlier home left there is not this one's.
        let water = HighWater { incarnation, sequence: last, hash: cursor.previous };
        if let Err(fault) = opening.state.write(&water) {
            tracing::warn!(%fault, "the state file could not be written");
        }
        Self::start(opening, now, lock, fresh)
    }

    /// Begins an empty copy of a home that this device was made a member of. `pinned` was handed
    /// over at pairing; the entries follow through [`Record::admit`].
    ///
    /// # Errors
    ///
    /// Returns [`OpenFault::HomeExists`] where there is a home, [`OpenFault::LogGone`] where one
    /// was, and any other fault of disk or
    /// keys.
    pub fn join(opening: Opening, now: Timestamp, pinned: &Pinned) -> Result<Self, RecordFault> {
        let lock = opening.disk.lock()?;
        must_be_free(&opening.disk)?;
        let mut opening = opening;
        let mut fresh = Fresh::new(&mut opening.keys)?;
        Log::create(&opening.disk, fresh.next(), pinned, &[])?;
        Self::start(opening, now, lock, fresh)
    }

    /// Opens the record that is in the folder. Views that are missing, damaged or of another fold
    /// are made again from the log.
    ///
    /// # Errors
    ///
    /// Returns why the log or the keys could not be read, with a sentence that says what to do.
    pub fn open(opening: Opening, now: Timestamp) -> Result<Self, RecordFault> {
        if !opening.disk.exists(FileKind::Log) {
            return Err(opening.disk.without_log().into());
        }
        let lock = opening.disk.lock()?;
        let mut opening = opening;
        let fresh = Fresh::new(&mut opening.keys)?;
        Self::start(opening, now, lock, fresh)
    }

    fn start(
        opening: Opening,
        now: Timestamp,
        lock: crate::backend::FolderLock,
        mut fresh: Fresh,
    ) -> Result<Self, RecordFault> {
        let Opening { disk, mut keys, state } = opening;
        let in_log = |fault| tables::open_fault(&disk, FileKind::Log, fault);
        let local = Local::open_or_in_memory(&disk, fresh.next())?;
        let pages_damaged = look_at_start(&disk, &local, now);
        let damage = settle_damage(&disk, &local);
        let (stores, folded, heads, pinned) = stores(&disk, now, fresh.next())?;
        let log_unsound = pages_damaged && entries_are_whole(&disk);
        let looked = tables::guarded(|| {
            let read = stores.log.read()?;
            let stale = is_copy(&read, &heads, &keys, state.read().as_ref())?;
            Ok((latest_clock(&read, &heads)?, stale))
        });
        let (clock, stale) = match looked {
            Ok(looked) => looked,
            Err(fault) => {
                stores.log.let_go();
                return Err(in_log(fault).into());
            }
        };
        if stale {
            let least = next_incarnation(&folded.picture.home, &keys, state.read().as_ref());
            keys.reincarnate_at(least)?;
            tracing::info!(incarnation = keys.incarnation(), "a new log of this device begins");
        }
        let aside = local
            .aside(&pinned.home)
            .map_err(|fault| tables::open_fault(&disk, FileKind::Local, fault))?;
        let published = Published {
            picture: Picture::default(),
            heads: Heads::default(),
            state: [0; 32],
            from: folded.from,
        };
        let shared = Shared {
            pinned,
            stores: RwLock::new(Some(stores)),
            published: RwLock::new(published),
            local,
            damage: Mutex::new(damage),
            pages_damaged: AtomicBool::new(pages_damaged),
            log_unsound: AtomicBool::new(log_unsound),
            disk: disk.clone(),
            _lock: lock,
        };
        let fault = log_unsound.then(|| NotSaved { why: pages::UNSOUND.to_owned() });
        let record = Self {
            disk,
            keys,
            state,
            shared: Arc::new(shared),
            folded,
            heads,
            clock,
            fresh,
            aside: BTreeMap::new(),
            audited_to: None,
            fault,
        }
        .with_aside(aside);
        record
            .publish()
            .map_err(|fault| tables::open_fault(&record.disk, FileKind::Views, fault))?;
        Ok(record)
    }
}

/// A record is begun only where none was: what is left of one is no place for another.
fn must_be_free(disk: &Disk) -> Result<(), OpenFault> {
    if disk.exists(FileKind::Log) {
        return Err(OpenFault::HomeExists { folder: disk.name() });
    }
    let left = disk.without_log();
    if matches!(left, OpenFault::NoHome { .. }) { Ok(()) } else { Err(left) }
}

/// Looks into damage that was met before, and returns what is still known of it. Views are made
/// again from a log that is whole; a log that is not is opened as far as it can be read, and what
/// is wrong with it stands until everything was looked at and found well.
fn settle_damage(disk: &Disk, local: &Local) -> Option<Damage> {
    let damage = local.damage().unwrap_or_else(|fault| {
        tracing::warn!(%fault, "what was noticed before could not be read");
        None
    })?;
    if damage.file == Some(FileKind::Log) {
        return Some(damage);
    }
    let whole = Log::open(disk).map_err(|fault| fault.to_string()).and_then(|log| {
        tables::guarded(|| log.read()?.look_through()).map_err(|fault| fault.to_string())
    });
    let (settled, kept) = match whole {
        Ok(()) => match disk.remove(FileKind::Views) {
            Ok(()) => (None, local.set_damage(None)),
            Err(fault) => {
                tracing::warn!(%fault, "damaged views were not removed");
                return Some(damage);
            }
        },
        Err(what) => {
            let in_log = Damage { file: Some(FileKind::Log), what };
            let kept = local.set_damage(Some(&in_log));
            (Some(in_log), kept)
        }
    };
    if let Err(fault) = kept {
        tracing::warn!(%fault, "what became of the damage was not kept");
    }
    settled
}

/// Opens log and views, and folds what the views lack.
pub(super) fn stores(
    disk: &Disk,
    now: Timestamp,
    id: [u8; 16],
) -> Result<(Stores, Folded, Heads, Pinned), OpenFault> {
    let log = Log::open(disk)?;
    let in_log = |fault| tables::open_fault(disk, FileKind::Log, fault);
    let read = tables::guarded(|| {
        let read = log.read()?;
        let (heads, pinned) = (read.heads()?, read.pinned()?);
        Ok((read, heads, pinned))
    });
    let (read, heads, pinned) = match read {
        Ok(read) => read,
        Err(fault) => {
            log.let_go();
            return Err(in_log(fault));
        }
    };
    let opened = Views::open(disk).and_then(|views| {
        let Some(views) = views else { return Ok(None) };
        let folded = tables::guarded(|| match follows(&read, &views)? {
            true => Folded::load(pinned, &read, &views, now).map(Some),
            false => Ok(None),
        });
        let folded = folded.map_err(|fault| tables::open_fault(disk, FileKind::Views, fault))?;
        Ok(folded.map(|folded| (views, folded)))
    });
    let (views, folded) = match opened {
        Ok(Some(opened)) => opened,
        Ok(None) => new_views(disk, pinned, &read, (now, id))?,
        Err(fault) => {
            tracing::warn!(%fault, "the views are made again from the log");
            new_views(disk, pinned, &read, (now, id))?
        }
    };
    drop(read);
    Ok((Stores { log, views }, folded, heads, pinned))
}

/// Whether the log holds at its place the last entry that the views stand for.
fn follows(log: &LogRead, views: &Views) -> Result<bool, DiskFault> {
    let stands_for = views.read()?.stands_for()?;
    Ok(stands_for.arrival == 0
        || log.arrival(stands_for.arrival)?.is_some_and(|key| key == stands_for.key))
}

fn new_views(
    disk: &Disk,
    pinned: Pinned,
    log: &LogRead,
    (now, id): (Timestamp, [u8; 16]),
) -> Result<(Views, Folded), OpenFault> {
    let made = disk.remove(FileKind::Views).and_then(|()| {
        let views = Views::create(disk, id)?;
        let folded = tables::guarded(|| Folded::load(pinned, log, &views, now))
            .map_err(|fault| tables::open_fault(disk, FileKind::Views, fault))?;
        Ok((views, folded))
    });
    match made {
        Ok(made) => Ok(made),
        Err(fault) => {
            // A disk that is full must not take the residents' charts off the screen.
            tracing::warn!(%fault, "the views are kept in memory");
            let memory = Disk::memory(&MemoryDisk::default());
            let views = Views::create(&memory, id)?;
            let folded = tables::guarded(|| Folded::load(pinned, log, &views, now))
                .map_err(|fault| tables::open_fault(disk, FileKind::Log, fault))?;
            Ok((views, folded))
        }
    }
}

/// The clock never runs back within a log, so its heads hold the latest reading.
fn latest_clock(log: &LogRead, heads: &Heads) -> Result<HybridClock, DiskFault> {
    let mut clock = HybridClock::default();
    for (_, held) in heads.iter() {
        for head in held.heads() {
            if let Some(entry) = log.entry(&head.hash.id())? {
                clock = clock.observe(entry.clock());
            }
        }
    }
    Ok(clock)
}

/// Whether this folder is a copy of an earlier state of itself, so that a new log must begin.
fn is_copy(
    log: &LogRead,
    heads: &Heads,
    keys: &Keys,
    water: Option<&HighWater>,
) -> Result<bool, DiskFault> {
    let own = keys.log_key().log();
    let held = heads.get(&own);
    let Some(water) = water else { return Ok(held.is_some()) };
    let Some(latest) = held.and_then(|held| held.latest()) else {
        // Nothing of this log is here: it must not have been written elsewhere either.
        return Ok(water.incarnation >= keys.incarnation());
    };
    if held.is_some_and(|held| held.is_forked())
        || water.incarnation != keys.incarnation()
        || water.sequence > latest.sequence
    {
        return Ok(true);
    }
    let place = log.place(&water.hash.id())?;
    Ok(place != Some((own, water.sequence)))
}

fn next_incarnation(home: &HomePicture, keys: &Keys, water: Option<&HighWater>) -> u32 {
    let known = home.logs().values().filter(|(start, _)| start.device == keys.device());
    known
        .map(|(start, _)| start.incarnation)
        .chain(water.map(|water| water.incarnation))
        .chain([keys.incarnation()])
        .max()
        .unwrap_or(0)
        .saturating_add(1)
}

/// Returns where the device's log before this one stood, as far as is known here.
pub(super) fn earlier_head(home: &HomePicture, heads: &Heads, keys: &Keys) -> Option<EarlierHead> {
    let own = |(log, (start, _)): (&LogId, &(mar::fact::LogStart, _))| {
        (start.device == keys.device()).then_some((start.incarnation, *log))
    };
    let (_, log) = home.logs().iter().filter_map(own).max()?;
    let head = heads.get(&log)?.latest()?;
    Some(EarlierHead { log, sequence: head.sequence, hash: head.hash.0 })
}

/// A draft of what a device writes by itself.
pub(super) fn unattended(fact: MembershipFact) -> Draft {
    Draft { subject: None, made: None, fact: Fact::Membership(fact) }
}

impl Cursor {
    pub(super) fn start(clock: HybridClock) -> Self {
        Self { sequence: 0, previous: Hash::ZERO, clock }
    }
}

/// Seals drafts one after the other into one log.
pub(super) struct Writer<'w> {
    pub(super) key: &'w LogKey,
    pub(super) home: HomeId,
    pub(super) now: Timestamp,
    pub(super) offset_minutes: i16,
}

impl Writer<'_> {
    /// Seals one draft and moves the cursor on; after an error it stands where it stood.
    pub(super) fn seal(&self, cursor: &mut Cursor, draft: &Draft) -> Result<Sealed, RecordFault> {
        let encoded = codec::encode(draft.made.as_ref(), &draft.fact)?;
        let clock = cursor.clock.tick(self.now.0);
        let sealed = entry::Draft {
            sequence: cursor.sequence,
            previous: cursor.previous,
            clock,
            wall_ms: self.now.0,
            offset_minutes: self.offset_minutes,
            class: Class(encoded.class),
            kind: encoded.kind,
            kind_version: encoded.version,
            subject: draft.subject.map(|subject| subject.0),
            payload: encoded.payload,
        }
        .seal(self.key, &self.home)?;
        *cursor = Cursor { sequence: cursor.sequence + 1, previous: sealed.hash(), clock };
        Ok(sealed)
    }
}
