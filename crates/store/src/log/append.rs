//! Appending to the log: one transaction, table after table.
//!
//! What is appended together goes into each table in one pass, in the order of its keys, so that a
//! page of the file is found and copied once for all of its rows and not once for each.

use std::ops::Bound;

use mar::ids::CommandId;
use redb::{CursorError, ReadableTable, WriteTransaction};

use super::{last_arrival, sealed};
use crate::entry::Sealed;
use crate::tables::{
    ARRIVALS, COMMANDS, DiskFault, ENTRIES, HEADS, IDS, LOGS, Table, UNAUDITED, entry_key, head_key,
};

/// An entry on its way to the disk.
#[derive(Debug, Clone)]
pub(crate) struct ToAppend {
    pub(crate) entry: Sealed,
    /// The command that made it; `None` for what a device writes by itself.
    pub(crate) command: Option<CommandId>,
}

/// The one transaction that appends to the log. Dropped without a commit it leaves no trace.
pub(crate) struct LogWrite(pub(super) WriteTransaction);

impl LogWrite {
    /// Appends entries, each after its predecessor; those that are held already are passed over. A
    /// second successor of the same entry is a fork and is kept like the first.
    pub(crate) fn append(&self, batch: &[ToAppend]) -> Result<(), DiskFault> {
        append(&self.0, batch)
    }

    /// Remembers that these entries' own signatures were checked.
    pub(crate) fn audited(&self, entries: &[Sealed]) -> Result<(), DiskFault> {
        let mut table = self.0.open_table(UNAUDITED)?;
        for entry in entries {
            table.remove(&key_of(entry)[..])?;
        }
        Ok(())
    }

    /// Makes everything appended safe. When it returns `Ok`, it is.
    pub(crate) fn commit(self) -> Result<(), DiskFault> {
        Ok(self.0.commit()?)
    }
}

pub(super) fn append(transaction: &WriteTransaction, batch: &[ToAppend]) -> Result<(), DiskFault> {
    let mut new = Vec::with_capacity(batch.len());
    let mut rest = batch;
    while !rest.is_empty() {
        let (run, tail) = rest.split_at(run_length(rest));
        new.extend(append_run(transaction, run)?);
        rest = tail;
    }
    let mut arrivals = transaction.open_table(ARRIVALS)?;
    let before = last_arrival(&arrivals)?;
    let numbers = (before + 1..).map(u64::to_be_bytes);
    insert_rising(&mut arrivals, numbers.zip(new.iter().map(|append| key_of(&append.entry))))?;
    insert_in_order(transaction, IDS, new.iter().map(id_row).collect())?;
    insert_in_order(transaction, COMMANDS, new.iter().filter_map(command_row).collect())?;
    let unaudited = new.iter().filter(|append| !append.entry.is_audited());
    let mut unaudited: Vec<[u8; 56]> = unaudited.map(|append| key_of(&append.entry)).collect();
    unaudited.sort_unstable();
    let rows = unaudited.into_iter().map(|key| (key, []));
    insert_rising(&mut transaction.open_table(UNAUDITED)?, rows)
}

fn id_row(append: &&ToAppend) -> ([u8; 16], [u8; 40]) {
    let mut place = [0; 40];
    place.copy_from_slice(&key_of(&append.entry)[..40]);
    (append.entry.id().0, place)
}

fn command_row(append: &&ToAppend) -> Option<([u8; 32], [u8; 8])> {
    let mut key = [0; 32];
    key[..16].copy_from_slice(&append.command?.0);
    key[16..].copy_from_slice(&append.entry.id().0);
    Some((key, append.entry.sequence().to_be_bytes()))
}

/// Returns how many entries from the first on follow each other in one log.
fn run_length(entries: &[ToAppend]) -> usize {
    let follows = |pair: &[ToAppend]| {
        let (before, entry) = (&pair[0].entry, &pair[1].entry);
        before.log() == entry.log()
            && before.sequence().checked_add(1) == Some(entry.sequence())
            && before.hash() == entry.previous()
    };
    1 + entries.windows(2).take_while(|pair| follows(pair)).count()
}

/// Puts entries that follow each other behind what is held, and moves the head over all of them.
/// Returns those that are new.
fn append_run<'r>(
    transaction: &WriteTransaction,
    run: &'r [ToAppend],
) -> Result<&'r [ToAppend], DiskFault> {
    let mut entries = transaction.open_table(ENTRIES)?;
    // Nothing is held without what it follows, so those that are held stand first.
    let mut known = 0;
    while let Some(ToAppend { entry, .. }) = run.get(known)
        && entries.get(&key_of(entry)[..])?.is_some()
    {
        known += 1;
    }
    let new = &run[known..];
    let (Some(first), Some(last)) = (new.first(), new.last()) else { return Ok(new) };
    let (first, last) = (&first.entry, &last.entry);
    let mut heads = transaction.open_table(HEADS)?;
    if let Some(before) = first.sequence().checked_sub(1) {
        follows_what_is_held(&entries, first, before)?;
        let head = head_key(&first.log(), before, &first.previous());
        heads.remove(&head[..])?;
    } else {
        let mut logs = transaction.open_table(LOGS)?;
        if logs.get(&first.log().0[..])?.is_none() {
            logs.insert(&first.log().0[..], &0_u64.to_be_bytes()[..])?;
        }
    }
    let rows = new.iter().map(|append| (key_of(&append.entry), append.entry.bytes()));
    insert_rising(&mut entries, rows)?;
    let head = head_key(&last.log(), last.sequence(), &last.hash());
    heads.insert(&head[..], &[][..])?;
    Ok(new)
}

/// Looks that the entry before this one is held and is the one that it names.
fn follows_what_is_held(
    entries: &impl ReadableTable<&'static [u8], &'static [u8]>,
    entry: &Sealed,
    before: u64,
) -> Result<(), DiskFault> {
    let (log, sequence) = (entry.log(), entry.sequence());
    let previous = entry_key(&log, before, &entry.previous().id());
    let held = match entries.get(&previous[..])? {
        Some(held) => Some(sealed(&previous, held.value(), true)?.hash()),
        None => None,
    };
    if held == Some(entry.previous()) {
        return Ok(());
    }
    Err(DiskFault::Entry { log, sequence, what: "the entry before it is missing" })
}

type OpenTable<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

/// Puts rows with rising keys into a table that holds none of them: gap by gap, which is cheap where
/// many fall into one.
fn insert_rising(
    table: &mut OpenTable<'_>,
    rows: impl Iterator<Item = (impl AsRef<[u8]>, impl AsRef<[u8]>)>,
) -> Result<(), DiskFault> {
    let mut rows = rows.peekable();
    while let Some((first, _)) = rows.peek() {
        let mut gap = table.lower_bound_mut(Bound::Included(first.as_ref()))?;
        let mut fits = false;
        while let Some((key, value)) = rows.peek() {
            match gap.insert_before(key.as_ref(), value.as_ref()) {
                Ok(()) => fits = true,
                Err(CursorError::UnorderedKey) if fits => break,
                Err(fault) => return Err(fault.into()),
            }
            rows.next();
        }
        gap.close()?;
    }
    Ok(())
}

/// Puts rows into a table in the order of their keys.
fn insert_in_order<K: AsRef<[u8]> + Ord, V: AsRef<[u8]> + Ord>(
    transaction: &WriteTransaction,
    table: Table,
    mut rows: Vec<(K, V)>,
) -> Result<(), DiskFault> {
    rows.sort_unstable();
    let mut table = transaction.open_table(table)?;
    for (key, value) in rows {
        table.insert(key.as_ref(), value.as_ref())?;
    }
    Ok(())
}

fn key_of(entry: &Sealed) -> [u8; 56] {
    entry_key(&entry.log(), entry.sequence(), &entry.id())
}
