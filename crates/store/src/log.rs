//! The log of entries on disk: appending, and reading back by position, id, log and arrival.

mod append;

use std::ops::Bound;

use mar::ids::CommandId;
use redb::{Durability, ReadTransaction, ReadableTable};

pub(crate) use append::{LogWrite, ToAppend};

use crate::backend::{Disk, FileKind, OpenFault};
use crate::entry::{EntryId, Hash, HomeId, LogId, Sealed};
use crate::heads::{Head, Heads, LogHeads};
use crate::tables::{
    self, ARRIVALS, COMMANDS, DiskFault, ENTRIES, HEADS, IDS, LOGS, Lazy, PINNED, ReadTable,
    UNAUDITED, entry_key, head_key, number, position_key, split_entry_key, split_head_key,
};

/// What was settled when this copy of the record was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned {
    /// The home.
    pub home: HomeId,
    /// The full hash of its founding entry: the only root of authority.
    pub founding: Hash,
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
            let unattended = |entry: &Sealed| ToAppend { entry: entry.clone(), command: None };
            append::append(transaction, &entries.iter().map(unattended).collect::<Vec<_>>())
        })
    }

    pub(crate) fn open(disk: &Disk) -> Result<Self, OpenFault> {
        Ok(Self { db: tables::open(disk, FileKind::Log)? })
    }

    /// Opens what stands on the disk, whether or not it is open, to read it once.
    pub(crate) fn look(disk: &Disk) -> Result<Self, OpenFault> {
        Ok(Self { db: tables::look(disk, FileKind::Log)? })
    }

    pub(crate) fn read(&self) -> Result<LogRead, DiskFault> {
        Ok(LogRead {
            transaction: self.db.begin_read()?,
            entries: Lazy::new(ENTRIES),
            ids: Lazy::new(IDS),
            arrivals: Lazy::new(ARRIVALS),
            unaudited: Lazy::new(UNAUDITED),
        })
    }

    /// Lets the file go without closing it, because it is damaged.
    pub(crate) fn let_go(self) {
        self.db.let_go();
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
pub(crate) struct LogRead {
    transaction: ReadTransaction,
    entries: Lazy,
    ids: Lazy,
    arrivals: Lazy,
    unaudited: Lazy,
}

impl LogRead {
    fn entries(&self) -> Result<&ReadTable, DiskFault> {
        self.entries.read(&self.transaction)
    }

    fn ids(&self) -> Result<&ReadTable, DiskFault> {
        self.ids.read(&self.transaction)
    }

    fn arrivals_table(&self) -> Result<&ReadTable, DiskFault> {
        self.arrivals.read(&self.transaction)
    }

    fn unaudited_table(&self) -> Result<&ReadTable, DiskFault> {
        self.unaudited.read(&self.transaction)
    }

    pub(crate) fn pinned(&self) -> Result<Pinned, DiskFault> {
        let table = tables::read(&self.transaction, PINNED)?;
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
        let logs = tables::read(&self.transaction, LOGS)?;
        let mut heads = Heads::default();
        for row in tables::read(&self.transaction, HEADS)?.iter()? {
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
        let table = self.ids()?;
        let Some(place) = table.get(&id.0[..])? else {
            return Ok(None);
        };
        let key = [place.value(), &id.0].concat();
        let (log, sequence, _) = split_entry_key(&key).ok_or(DiskFault::Row { table: "ids-1" })?;
        Ok(Some((log, sequence)))
    }

    fn at(&self, key: &[u8; 56]) -> Result<Option<Sealed>, DiskFault> {
        let table = self.entries()?;
        let Some(value) = table.get(&key[..])? else {
            return Ok(None);
        };
        let audited = self.unaudited_table()?.get(&key[..])?.is_none();
        sealed(key, value.value(), audited).map(Some)
    }

    /// Returns the keys of one log from `first` to `last` inclusive, in order.
    fn keys(&self, log: &LogId, first: u64, last: u64) -> Result<Keys, DiskFault> {
        let table = self.entries()?;
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
        let table = self.entries()?;
        let unaudited = self.unaudited_table()?;
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
        let table = self.entries()?;
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

    /// Returns whether two entries of one log claim the same predecessor: it has two ends then.
    pub(crate) fn is_forked(&self, log: &LogId) -> Result<bool, DiskFault> {
        let mut heads = Heads::default();
        self.read_heads(log, &mut heads)?;
        Ok(heads.get(log).is_some_and(LogHeads::is_forked))
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
        let anchors = tables::read(&self.transaction, LOGS)?;
        let table = tables::read(&self.transaction, HEADS)?;
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
        for row in self.entries()?.iter()? {
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

    /// Reads every entry and compares it with its key.
    pub(crate) fn look_through(&self) -> Result<(), DiskFault> {
        let mut entries = 0;
        for row in self.entries()?.iter()? {
            let row = row?;
            sealed(row.0.value(), row.1.value(), true)?;
            entries += 1;
        }
        let told = self.count()?;
        if entries == told { Ok(()) } else { Err(DiskFault::Inconsistent) }
    }

    /// Returns how many entries are held.
    pub(crate) fn count(&self) -> Result<u64, DiskFault> {
        use redb::ReadableTableMetadata;
        Ok(self.entries()?.len()?)
    }

    /// Returns whether as many entries are held as have arrived.
    pub(crate) fn is_counted(&self) -> Result<bool, DiskFault> {
        use redb::ReadableTableMetadata;
        Ok(self.entries()?.len()? == self.arrivals_table()?.len()?)
    }

    /// Returns the number of the latest arrival, 0 if there is none.
    pub(crate) fn last_arrival(&self) -> Result<u64, DiskFault> {
        last_arrival(self.arrivals_table()?)
    }

    /// Returns the key of the entry that arrived at this number.
    pub(crate) fn arrival(&self, number: u64) -> Result<Option<Vec<u8>>, DiskFault> {
        let table = self.arrivals_table()?;
        Ok(table.get(&number.to_be_bytes()[..])?.map(|key| key.value().to_vec()))
    }

    /// Returns number and key of the last of the arrivals right after `after` that are `expected`;
    /// `None` if the first of them is not.
    pub(crate) fn arrivals_while(
        &self,
        after: u64,
        expected: impl Fn(&EntryId) -> bool,
    ) -> Result<Option<(u64, Vec<u8>)>, DiskFault> {
        let mut last = None;
        let first = (after + 1).to_be_bytes();
        let rows = self.arrivals_table()?.range::<&[u8]>(&first[..]..)?;
        for (next, row) in (after + 1..).zip(rows) {
            let row = row?;
            let key = row.1.value();
            let as_expected = split_entry_key(key).is_some_and(|(_, _, id)| expected(&id));
            if number(row.0.value(), "arrivals-1")? != next || !as_expected {
                break;
            }
            last = Some((next, key.to_vec()));
        }
        Ok(last)
    }

    /// Returns up to `most` entries that arrived after `after`, in order, and the number of the
    /// last one.
    pub(crate) fn arrivals(
        &self,
        after: u64,
        most: usize,
    ) -> Result<Option<(u64, Vec<Sealed>)>, DiskFault> {
        let table = self.arrivals_table()?;
        let from = after.to_be_bytes();
        let range = (Bound::Excluded(&from[..]), Bound::Unbounded);
        let mut entries = Vec::new();
        let mut last = None;
        for row in table.range::<&[u8]>(range)?.take(most) {
            let row = row?;
            let damaged = || DiskFault::Row { table: "arrivals-1" };
            let key: [u8; 56] = row.1.value().try_into().map_err(|_| damaged())?;
            entries.push(self.at(&key)?.ok_or_else(damaged)?);
            last = Some(number(row.0.value(), "arrivals-1")?);
        }
        Ok(last.map(|last| (last, entries)))
    }

    /// Calls `each` with every entry, log by log and in order, `most` of them at a time.
    pub(crate) fn in_order(
        &self,
        most: usize,
        mut each: impl FnMut(Vec<Sealed>) -> Result<(), DiskFault>,
    ) -> Result<(), DiskFault> {
        let mut entries = Vec::new();
        for row in self.entries()?.iter()? {
            let row = row?;
            entries.push(sealed(row.0.value(), row.1.value(), true)?);
            if entries.len() == most {
                each(std::mem::take(&mut entries))?;
            }
        }
        each(entries)
    }

    /// Calls `each` with every entry that names no resident.
    pub(crate) fn about_nobody(&self, mut each: impl FnMut(&Sealed)) -> Result<(), DiskFault> {
        for row in self.entries()?.iter()? {
            let row = row?;
            if Sealed::is_about_nobody(row.1.value()) {
                each(&sealed(row.0.value(), row.1.value(), true)?);
            }
        }
        Ok(())
    }

    /// Returns the entries that a command made, in the order in which it made them.
    pub(crate) fn command(&self, command: &CommandId) -> Result<Vec<EntryId>, DiskFault> {
        command_entries(&tables::read(&self.transaction, COMMANDS)?, command)
    }

    /// Returns up to `most` entries whose own signature was not checked yet, after this key.
    pub(crate) fn unaudited(
        &self,
        after: Option<&[u8; 56]>,
        most: usize,
    ) -> Result<Vec<Sealed>, DiskFault> {
        let entries = self.entries()?;
        let mut unaudited = Vec::new();
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(&key[..]));
        let rest = (from, Bound::Unbounded);
        for row in self.unaudited_table()?.range::<&[u8]>(rest)?.take(most) {
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
