//! The log of entries on disk: appending, and reading back by position, id, log and arrival.

use std::ops::Bound;

use mar::ids::CommandId;
use redb::{Durability, ReadTransaction, ReadableTable, WriteTransaction};

use crate::backend::{Disk, FileKind, OpenFault};
use crate::entry::{EntryId, Hash, HomeId, LogId, Sealed};
use crate::heads::{Head, Heads};
use crate::tables::{
    self, ARRIVALS, COMMANDS, DiskFault, ENTRIES, HEADS, IDS, LOGS, PINNED, UNAUDITED, entry_key,
    head_key, number, position_key, split_entry_key, split_head_key,
};

/// What was settled when this copy of the record was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned {
    /// The home.
    pub home: HomeId,
    /// The full hash of its founding entry: the only root of authority.
    pub founding: Hash,
}

/// What became of an entry that was offered to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is in the log from now on.
    New,
    /// It was there already.
    Known,
    /// The entry that it follows is not there.
    NoPredecessor,
}

/// The file `log.redb`.
#[derive(Debug)]
pub(crate) struct Log {
    db: tables::Open,
}

impl Log {
    /// Makes the file with its first entries, whole or not at all.
    pub(crate) fn create(
        disk: &Disk,
        id: [u8; 16],
        pinned: &Pinned,
        entries: &[Sealed],
    ) -> Result<(), OpenFault> {
        tables::create(disk, FileKind::Log, id, |transaction| {
            let mut table = transaction.open_table(PINNED)?;
            table.insert(&b"home"[..], &pinned.home.0[..])?;
            table.insert(&b"founding"[..], &pinned.founding.0[..])?;
            for entry in entries {
                append(transaction, entry, None)?;
            }
            Ok(())
        })
    }

    pub(crate) fn open(disk: &Disk) -> Result<Self, OpenFault> {
        Ok(Self { db: tables::open(disk, FileKind::Log)? })
    }

    pub(crate) fn read(&self) -> Result<LogRead, DiskFault> {
        Ok(LogRead(self.db.begin_read()?))
    }

    /// Begins the one transaction that appends. What it commits is on the disk when it returns.
    pub(crate) fn write(&self) -> Result<LogWrite, DiskFault> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        // Two-phase: recovery after a power cut never reads a page that may be torn.
        transaction.set_quick_repair(true);
        Ok(LogWrite(transaction))
    }
}

/// The log as it stood at one moment.
pub(crate) struct LogRead(ReadTransaction);

impl LogRead {
    pub(crate) fn pinned(&self) -> Result<Pinned, DiskFault> {
        let table = tables::read(&self.0, PINNED)?;
        let value = |key: &[u8]| -> Result<[u8; 32], DiskFault> {
            let damaged = DiskFault::Row { table: "pinned-1" };
            match table.get(key)? {
                Some(value) => value.value().try_into().map_err(|_| damaged),
                None => Err(damaged),
            }
        };
        Ok(Pinned { home: HomeId(value(b"home")?), founding: Hash(value(b"founding")?) })
    }

    pub(crate) fn heads(&self) -> Result<Heads, DiskFault> {
        let logs = tables::read(&self.0, LOGS)?;
        let mut heads = Heads::default();
        for row in tables::read(&self.0, HEADS)?.iter()? {
            let row = row?;
            let damaged = || DiskFault::Row { table: "heads-1" };
            let (log, sequence, hash) = split_head_key(row.0.value()).ok_or_else(damaged)?;
            let anchor = logs.get(&log.0[..])?.ok_or_else(damaged)?;
            heads.insert(log, number(anchor.value(), "logs-1")?, Head { sequence, hash });
        }
        Ok(heads)
    }

    /// Returns the entry with this id, or `None` if it is not held.
    pub(crate) fn entry(&self, id: &EntryId) -> Result<Option<Sealed>, DiskFault> {
        let Some((log, sequence)) = self.place(id)? else {
            return Ok(None);
        };
        self.at(&entry_key(&log, sequence, id))
    }

    /// Returns where the entry with this id stands.
    pub(crate) fn place(&self, id: &EntryId) -> Result<Option<(LogId, u64)>, DiskFault> {
        let table = tables::read(&self.0, IDS)?;
        let Some(place) = table.get(&id.0[..])? else {
            return Ok(None);
        };
        let key = [place.value(), &id.0].concat();
        let (log, sequence, _) = split_entry_key(&key).ok_or(DiskFault::Row { table: "ids-1" })?;
        Ok(Some((log, sequence)))
    }

    fn at(&self, key: &[u8; 56]) -> Result<Option<Sealed>, DiskFault> {
        let table = tables::read(&self.0, ENTRIES)?;
        let Some(value) = table.get(&key[..])? else {
            return Ok(None);
        };
        let audited = tables::read(&self.0, UNAUDITED)?.get(&key[..])?.is_none();
        sealed(key, value.value(), audited).map(Some)
    }

    /// Returns the keys of one log from `first` to `last` inclusive, in order.
    fn keys(&self, log: &LogId, first: u64, last: u64) -> Result<Keys, DiskFault> {
        let table = tables::read(&self.0, ENTRIES)?;
        let (low, high) = (position_key(log, first, 0), position_key(log, last, 0xff));
        let mut keys = Vec::new();
        for row in table.range::<&[u8]>(&low[..]..=&high[..])? {
            let row = row?;
            let key: [u8; 56] =
                row.0.value().try_into().map_err(|_| DiskFault::Row { table: "entries-1" })?;
            keys.push(key);
        }
        Ok(keys)
    }

    /// Returns entries of one log in order, from `first` and on the branch that ends in `head`,
    /// about `bytes_max` bytes of them but at least one, and none after the last whose own
    /// signature was checked.
    pub(crate) fn range(
        &self,
        log: &LogId,
        first: u64,
        head: &Head,
        bytes_max: usize,
    ) -> Result<Vec<Sealed>, DiskFault> {
        let fork = match self.heads()?.get(log) {
            Some(held) if held.is_forked() => self.first_fork(log, held.anchor())?,
            Some(_) | None => None,
        };
        // Below the first fork there is one way, however long: only above it the branch is walked.
        let one_way = match fork {
            None => Some(head.sequence),
            Some(fork) if first < fork => Some(head.sequence.min(fork - 1)),
            Some(_) => None,
        };
        if let Some(last) = one_way {
            let entries = may_be_passed_on(self.straight(log, first, last, bytes_max)?, bytes_max);
            if fork.is_none() || !entries.is_empty() {
                return Ok(entries);
            }
        }
        Ok(may_be_passed_on(self.branch(log, first, head)?, bytes_max))
    }

    fn straight(
        &self,
        log: &LogId,
        first: u64,
        last: u64,
        bytes_max: usize,
    ) -> Result<Vec<Sealed>, DiskFault> {
        let table = tables::read(&self.0, ENTRIES)?;
        let unaudited = tables::read(&self.0, UNAUDITED)?;
        let (low, high) = (position_key(log, first, 0), position_key(log, last, 0xff));
        let mut entries = Vec::new();
        let mut bytes = 0;
        for row in table.range::<&[u8]>(&low[..]..=&high[..])? {
            let row = row?;
            let audited = unaudited.get(row.0.value())?.is_none();
            let entry = sealed(row.0.value(), row.1.value(), audited)?;
            bytes += entry.bytes().len();
            entries.push(entry);
            if bytes > bytes_max {
                break;
            }
        }
        Ok(entries)
    }

    /// Returns the branch of a forked log that ends in `head`, found from its end.
    fn branch(&self, log: &LogId, first: u64, head: &Head) -> Result<Vec<Sealed>, DiskFault> {
        let mut entries = Vec::new();
        let mut next = *head;
        while let Some(entry) = self.at(&entry_key(log, next.sequence, &next.hash.id()))? {
            let before = entry.sequence().checked_sub(1);
            let previous = entry.previous();
            entries.push(entry);
            match before {
                Some(sequence) if sequence >= first => next = Head { sequence, hash: previous },
                Some(_) | None => break,
            }
        }
        entries.reverse();
        Ok(entries)
    }

    /// Calls `each` with the entries of one log from a sequence on, in order, branches side by side,
    /// holding about `at_once` of them in memory.
    pub(crate) fn each(
        &self,
        log: &LogId,
        from: u64,
        at_once: usize,
        mut each: impl FnMut(Sealed) -> Result<(), DiskFault>,
    ) -> Result<(), DiskFault> {
        let step = at_once as u64;
        let mut first = from;
        loop {
            let last = first.saturating_add(step - 1);
            let entries = self.straight(log, first, last, usize::MAX)?;
            if entries.is_empty() {
                return Ok(());
            }
            entries.into_iter().try_for_each(&mut each)?;
            first = last.saturating_add(1);
        }
    }

    /// Returns how many entries of one log stand at this sequence: more than one after a fork.
    pub(crate) fn at_sequence(&self, log: &LogId, sequence: u64) -> Result<usize, DiskFault> {
        Ok(self.keys(log, sequence, sequence)?.len())
    }

    /// Returns the first sequence at which one log has more than one entry.
    pub(crate) fn first_fork(&self, log: &LogId, from: u64) -> Result<Option<u64>, DiskFault> {
        let table = tables::read(&self.0, ENTRIES)?;
        let (low, high) = (position_key(log, from, 0), position_key(log, u64::MAX, 0xff));
        let mut last = None;
        for row in table.range::<&[u8]>(&low[..]..=&high[..])? {
            let row = row?;
            let sequence = split_entry_key(row.0.value()).map(|(_, sequence, _)| sequence);
            if sequence.is_some() && sequence == last {
                return Ok(sequence);
            }
            last = sequence;
        }
        Ok(None)
    }

    /// Returns the entries at these rising sequences on the branch that ends in `head`, which is
    /// held.
    pub(crate) fn on_branch(
        &self,
        log: &LogId,
        head: &Head,
        sequences: &[u64],
    ) -> Result<Vec<(u64, EntryId)>, DiskFault> {
        let mut found = Vec::with_capacity(sequences.len());
        let first = sequences.first().copied().unwrap_or(head.sequence);
        let fork = match self.heads()?.get(log) {
            Some(held) if held.is_forked() => self.first_fork(log, held.anchor())?,
            Some(_) | None => None,
        };
        // Below the first fork every sequence has one entry; above it the branch is walked.
        let walked = match fork {
            Some(fork) if head.sequence >= fork => self.branch(log, first.max(fork), head)?,
            Some(_) | None => Vec::new(),
        };
        for sequence in sequences {
            let from_walk = walked.iter().find(|entry| entry.sequence() == *sequence);
            let id = match (from_walk, fork) {
                (Some(entry), _) => Some(entry.id()),
                (None, Some(fork)) if *sequence >= fork => None,
                (None, _) => self
                    .keys(log, *sequence, *sequence)?
                    .first()
                    .and_then(|key| split_entry_key(key))
                    .map(|(_, _, id)| id),
            };
            found.extend(id.map(|id| (*sequence, id)));
        }
        Ok(found)
    }

    /// Returns `heads` as they are after these entries were appended: read again for the logs they
    /// belong to.
    pub(crate) fn heads_of(&self, heads: &Heads, entries: &[Sealed]) -> Result<Heads, DiskFault> {
        let mut heads = heads.clone();
        let logs: std::collections::BTreeSet<LogId> = entries.iter().map(Sealed::log).collect();
        for log in logs {
            heads.remove(&log);
            self.read_heads(&log, &mut heads)?;
        }
        Ok(heads)
    }

    fn read_heads(&self, log: &LogId, heads: &mut Heads) -> Result<(), DiskFault> {
        let damaged = || DiskFault::Row { table: "heads-1" };
        let anchors = tables::read(&self.0, LOGS)?;
        let table = tables::read(&self.0, HEADS)?;
        let (low, high) =
            (head_key(log, 0, &Hash::ZERO), head_key(log, u64::MAX, &Hash([0xff; 32])));
        for row in table.range::<&[u8]>(&low[..]..=&high[..])? {
            let row = row?;
            let (log, sequence, hash) = split_head_key(row.0.value()).ok_or_else(damaged)?;
            let anchor = anchors.get(&log.0[..])?.ok_or_else(damaged)?;
            heads.insert(log, number(anchor.value(), "logs-1")?, Head { sequence, hash });
        }
        Ok(())
    }

    /// Calls `each` with the key and the bytes of every entry, unchecked.
    pub(crate) fn raw(&self, mut each: impl FnMut(&[u8], &[u8])) -> Result<(), DiskFault> {
        for row in tables::read(&self.0, ENTRIES)?.iter()? {
            let row = row?;
            each(row.0.value(), row.1.value());
        }
        Ok(())
    }

    /// Calls `each` with every entry that is what was written; the others are passed over.
    pub(crate) fn raw_entries(&self, mut each: impl FnMut(&Sealed)) -> Result<(), DiskFault> {
        self.raw(|key, bytes| {
            if let Ok(entry) = sealed(key, bytes, true) {
                each(&entry);
            }
        })
    }

    /// Returns how many entries are held.
    pub(crate) fn count(&self) -> Result<u64, DiskFault> {
        use redb::ReadableTableMetadata;
        Ok(tables::read(&self.0, ENTRIES)?.len()?)
    }

    /// Returns the number of the latest arrival, 0 if there is none.
    pub(crate) fn last_arrival(&self) -> Result<u64, DiskFault> {
        last_arrival(&tables::read(&self.0, ARRIVALS)?)
    }

    /// Returns the key of the entry that arrived at this number.
    pub(crate) fn arrival(&self, number: u64) -> Result<Option<Vec<u8>>, DiskFault> {
        let table = tables::read(&self.0, ARRIVALS)?;
        Ok(table.get(&number.to_be_bytes()[..])?.map(|key| key.value().to_vec()))
    }

    /// Returns up to `most` entries that arrived after `after`, each with its number, in order.
    pub(crate) fn arrivals(
        &self,
        after: u64,
        most: usize,
    ) -> Result<Vec<(u64, Sealed)>, DiskFault> {
        let table = tables::read(&self.0, ARRIVALS)?;
        let from = after.to_be_bytes();
        let range = (Bound::Excluded(&from[..]), Bound::Unbounded);
        let mut entries = Vec::new();
        for row in table.range::<&[u8]>(range)?.take(most) {
            let row = row?;
            let damaged = || DiskFault::Row { table: "arrivals-1" };
            let key: [u8; 56] = row.1.value().try_into().map_err(|_| damaged())?;
            let entry = self.at(&key)?.ok_or_else(damaged)?;
            entries.push((number(row.0.value(), "arrivals-1")?, entry));
        }
        Ok(entries)
    }

    /// Returns the entries that a command made, in the order in which it made them.
    pub(crate) fn command(&self, command: &CommandId) -> Result<Vec<EntryId>, DiskFault> {
        command_entries(&tables::read(&self.0, COMMANDS)?, command)
    }

    /// Returns up to `most` entries whose own signature was not checked yet, after this key.
    pub(crate) fn unaudited(
        &self,
        after: Option<&[u8; 56]>,
        most: usize,
    ) -> Result<Vec<Sealed>, DiskFault> {
        let entries = tables::read(&self.0, ENTRIES)?;
        let mut unaudited = Vec::new();
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(&key[..]));
        let rest = (from, Bound::Unbounded);
        for row in tables::read(&self.0, UNAUDITED)?.range::<&[u8]>(rest)?.take(most) {
            let key = row?;
            let damaged = DiskFault::Row { table: "unaudited-1" };
            let value = entries.get(key.0.value())?.ok_or(damaged)?;
            unaudited.push(sealed(key.0.value(), value.value(), false)?);
        }
        Ok(unaudited)
    }
}

type Keys = Vec<[u8; 56]>;

/// Returns the first of these entries, about `bytes_max` bytes of them but at least one, and none
/// after the last whose own signature was checked.
fn may_be_passed_on(mut entries: Vec<Sealed>, bytes_max: usize) -> Vec<Sealed> {
    let mut bytes = 0;
    let mut enough = 0;
    for entry in &entries {
        bytes += entry.bytes().len();
        if bytes > bytes_max && enough > 0 {
            break;
        }
        enough += 1;
    }
    entries.truncate(enough);
    while entries.last().is_some_and(|entry| !entry.is_audited()) {
        entries.pop();
    }
    entries
}

/// The one transaction that appends to the log. Dropped without a commit it leaves no trace.
pub(crate) struct LogWrite(WriteTransaction);

impl LogWrite {
    /// Appends an entry after its predecessor. A second successor of the same entry is a fork and
    /// is kept like the first. `command` is the one that made it.
    pub(crate) fn append(
        &self,
        entry: &Sealed,
        command: Option<CommandId>,
    ) -> Result<Appended, DiskFault> {
        append(&self.0, entry, command)
    }

    /// Remembers that these entries' own signatures were checked.
    pub(crate) fn audited(&self, entries: &[Sealed]) -> Result<(), DiskFault> {
        let mut table = self.0.open_table(UNAUDITED)?;
        for entry in entries {
            let key = entry_key(&entry.log(), entry.sequence(), &entry.id());
            table.remove(&key[..])?;
        }
        Ok(())
    }

    /// Makes everything appended safe. When it returns `Ok`, it is.
    pub(crate) fn commit(self) -> Result<(), DiskFault> {
        Ok(self.0.commit()?)
    }
}

fn append(
    transaction: &WriteTransaction,
    entry: &Sealed,
    command: Option<CommandId>,
) -> Result<Appended, DiskFault> {
    let (log, sequence, id) = (entry.log(), entry.sequence(), entry.id());
    let key = entry_key(&log, sequence, &id);
    let mut entries = transaction.open_table(ENTRIES)?;
    if entries.get(&key[..])?.is_some() {
        return Ok(Appended::Known);
    }
    if let Some(before) = sequence.checked_sub(1) {
        let previous = entry_key(&log, before, &entry.previous().id());
        let Some(held) = entries.get(&previous[..])? else {
            return Ok(Appended::NoPredecessor);
        };
        if sealed(&previous, held.value(), true)?.hash() != entry.previous() {
            return Ok(Appended::NoPredecessor);
        }
        drop(held);
        let head = head_key(&log, before, &entry.previous());
        transaction.open_table(HEADS)?.remove(&head[..])?;
    } else if transaction.open_table(LOGS)?.get(&log.0[..])?.is_none() {
        transaction.open_table(LOGS)?.insert(&log.0[..], &0_u64.to_be_bytes()[..])?;
    }
    entries.insert(&key[..], entry.bytes())?;
    let head = head_key(&log, sequence, &entry.hash());
    transaction.open_table(HEADS)?.insert(&head[..], &[][..])?;
    transaction.open_table(IDS)?.insert(&id.0[..], &key[..40])?;
    let mut arrivals = transaction.open_table(ARRIVALS)?;
    let number = last_arrival(&arrivals)? + 1;
    arrivals.insert(&number.to_be_bytes()[..], &key[..])?;
    if let Some(command) = command {
        let row = [command.0, id.0].concat();
        transaction.open_table(COMMANDS)?.insert(&row[..], &sequence.to_be_bytes()[..])?;
    }
    if !entry.is_audited() {
        transaction.open_table(UNAUDITED)?.insert(&key[..], &[][..])?;
    }
    Ok(Appended::New)
}

fn last_arrival(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<u64, DiskFault> {
    match table.last()? {
        Some((key, _)) => number(key.value(), "arrivals-1"),
        None => Ok(0),
    }
}

fn command_entries(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    command: &CommandId,
) -> Result<Vec<EntryId>, DiskFault> {
    let (low, high) = ([command.0, [0; 16]].concat(), [command.0, [0xff; 16]].concat());
    let mut found = Vec::new();
    for row in table.range::<&[u8]>(&low[..]..=&high[..])? {
        let row = row?;
        let damaged = || DiskFault::Row { table: "commands-1" };
        let id: [u8; 16] = row.0.value()[16..].try_into().map_err(|_| damaged())?;
        found.push((number(row.1.value(), "commands-1")?, EntryId(id)));
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// Reads an entry back and compares it with the key under which it was found.
fn sealed(key: &[u8], bytes: &[u8], audited: bool) -> Result<Sealed, DiskFault> {
    let (log, sequence, id) = split_entry_key(key).ok_or(DiskFault::Row { table: "entries-1" })?;
    let damaged = |what| DiskFault::Entry { log, sequence, what };
    let entry = Sealed::from_disk(bytes, audited)
        .map_err(|_| damaged("its bytes no longer have the shape of an entry"))?;
    if entry.id() != id {
        return Err(damaged("its bytes are not those that were signed"));
    }
    if entry.log() != log || entry.sequence() != sequence {
        return Err(damaged("it stands in the place of another"));
    }
    Ok(entry)
}
