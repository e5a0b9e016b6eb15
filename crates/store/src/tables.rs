//! The tables of the three files, each with its key and its value spelled out.
//!
//! Every table maps bytes to bytes of our own encoding, integers big-endian, so that no change in
//! how redb encodes its types can strand a store.

use std::cell::Cell;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use redb::{Builder, Database, ReadTransaction, ReadableDatabase, StorageBackend, TableDefinition};

use crate::backend::{Backend, Disk, FileKind, OpenFault, Overlay, is_full};
use crate::entry::{EntryId, Hash, LogId};

/// A table of the store.
pub(crate) type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Entries: the log, and the only table that is not derived.
///
/// Key: log id 32, sequence 8, entry id 16. Value: the sealed entry, exact bytes. Never rewritten,
/// never removed.
pub(crate) const ENTRIES: Table = TableDefinition::new("entries-1");

/// Logs held, with the sequence from which each is gapless.
///
/// Key: log id 32. Value: anchor 8.
pub(crate) const LOGS: Table = TableDefinition::new("logs-1");

/// Heads: entries without a successor. Can be rebuilt from the entries.
///
/// Key: log id 32, sequence 8, full hash 32. Value: empty.
pub(crate) const HEADS: Table = TableDefinition::new("heads-1");

/// Where an entry stands. Can be rebuilt from the entries.
///
/// Key: entry id 16. Value: log id 32, sequence 8.
pub(crate) const IDS: Table = TableDefinition::new("ids-1");

/// The order in which this device took entries in, so that the views can catch up.
///
/// Key: counter 8, from 1. Value: the entry's key in `entries-1`.
pub(crate) const ARRIVALS: Table = TableDefinition::new("arrivals-1");

/// Which entries a command made. Can be rebuilt from the entries.
///
/// Key: command id 16, entry id 16. Value: the entry's sequence 8.
pub(crate) const COMMANDS: Table = TableDefinition::new("commands-1");

/// Entries whose own signature was not checked yet: they came inside a range.
///
/// Key: the entry's key in `entries-1`. Value: empty.
pub(crate) const UNAUDITED: Table = TableDefinition::new("unaudited-1");

/// What was settled when this copy of the record was begun.
///
/// Key: `home` or `founding`. Value: the home id 32; the founding entry's full hash 32.
pub(crate) const PINNED: Table = TableDefinition::new("pinned-1");

/// Facts as the fold judged them, one row per entry.
///
/// Key: subject 16, period 4 (0 for lifelong, else the month), entry id 16. Value: standing 1, hybrid
/// clock 8, log id 32, sequence 8, wall clock 8, class 1, kind 2, kind version 2, payload.
pub(crate) const ROWS: Table = TableDefinition::new("rows-1");

/// Wrapping sums of the hashes of a view's rows.
///
/// Key: subject 16, period 4. Value: sum 32.
pub(crate) const SUMS: Table = TableDefinition::new("sums-1");

/// Rows whose standing could not be told yet.
///
/// Key: the row's key. Value: empty.
pub(crate) const IN_DOUBT: Table = TableDefinition::new("in-doubt-1");

/// In which months doses of an order stand.
///
/// Key: subject 16, order id 16, period 4. Value: empty.
pub(crate) const DOSES: Table = TableDefinition::new("doses-1");

/// What the views stand for.
///
/// Key: `fold`, `arrival` or `state`. Value: version of the fold 8; number of the last arrival 8 and
/// that entry's key 56; wrapping sum 32.
pub(crate) const STANDS_FOR: Table = TableDefinition::new("stands-for-1");

/// Failed PIN entries: those of each person since the last right one, and the recent ones of all.
///
/// Key: staff id 16, value: count 8, seconds 8 of the last one. Key: the word `device`, value: the
/// seconds of each recent one, 8 each. Key: the word `boot`, value: which start of the machine the
/// seconds are counted from; empty for the program's own.
pub(crate) const PIN_FAILURES: Table = TableDefinition::new("pin-failures-1");

/// Where other devices were last reached.
///
/// Key: device id 32, address as text. Value: last success (milliseconds) 8.
pub(crate) const ADDRESSES: Table = TableDefinition::new("addresses-1");

/// When each device was last heard, and held all that it had.
///
/// Key: device id 32. Value: heard 8, complete to 8 (milliseconds; 0 for never).
pub(crate) const HEARD: Table = TableDefinition::new("heard-1");

/// This device's clock when nothing spoke against it, and how the clocks of others compared.
///
/// Key: the word `own`. Value: last right 8, own last entry 8, typed 8, running then 8, running at
/// the last right 8 (milliseconds; the least number for none), staff id 16 of who typed, and which
/// start of the machine the running times are counted from. Key: device id 32. Value: ahead by 8,
/// measured at 8, running then 8, and the start of the machine.
pub(crate) const CLOCKS: Table = TableDefinition::new("clocks-1");

/// What other devices have said is on their disk.
///
/// Key: device id 32. Value: encoded heads.
pub(crate) const RECEIPTS: Table = TableDefinition::new("receipts-1");

/// Entries of logs that are not enrolled, or whose predecessor is not here.
///
/// Key: the entry's key in `entries-1`. Value: the sealed entry, exact bytes.
pub(crate) const SET_ASIDE: Table = TableDefinition::new("set-aside-1");

/// What this device has noticed of itself. Made when it is first written.
///
/// Key: `damage`, value: file 1 (0 not known, 1 log, 2 views), what was found as text. Key: `put-out `
/// and a device id 32, value: when that device said so (milliseconds) 8. Key: `checked`, value: when
/// every page of the files was looked at last (milliseconds) 8.
pub(crate) const NOTES: Table = TableDefinition::new("notes-1");

const LOG_TABLES: &[Table] = &[ENTRIES, LOGS, HEADS, IDS, ARRIVALS, COMMANDS, UNAUDITED, PINNED];
const VIEW_TABLES: &[Table] = &[ROWS, SUMS, IN_DOUBT, DOSES, STANDS_FOR];
const LOCAL_TABLES: &[Table] = &[PIN_FAILURES, ADDRESSES, HEARD, CLOCKS, RECEIPTS, SET_ASIDE];

/// Why a file of the store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DiskFault {
    /// There is no room left.
    #[error("the disk is full; free some room")]
    Full,
    /// The disk or the database on it failed.
    #[error("the disk failed: {0}")]
    Failed(Box<redb::Error>),
    /// An entry is not what was written. Nothing is shown in its place.
    #[error("entry {sequence} of log {log} is damaged: {what}")]
    Entry {
        /// The entry's log.
        log: LogId,
        /// Its position there.
        sequence: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// A row of another table has a shape that was never written.
    #[error("a row of {table} is damaged")]
    Row {
        /// The table.
        table: &'static str,
    },
    /// The database contradicts itself: its file was changed from outside, or the medium failed.
    #[error("the database contradicts itself")]
    Inconsistent,
    /// The store was closed by an earlier fault.
    #[error("the store is closed after a fault of the disk")]
    Closed,
}

macro_rules! disk_faults {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for DiskFault {
            fn from(error: redb::$error) -> Self {
                Self::from(redb::Error::from(error))
            }
        })*
    };
}

disk_faults!(
    TransactionError,
    TableError,
    StorageError,
    CommitError,
    CursorError,
    SetDurabilityError
);

impl From<redb::Error> for DiskFault {
    fn from(error: redb::Error) -> Self {
        if let redb::Error::Io(io) = &error
            && is_full(io.kind())
        {
            return Self::Full;
        }
        Self::Failed(Box::new(error))
    }
}

thread_local! {
    /// How many calls of [`guarded`] this thread is in.
    static GUARDED: Cell<u32> = const { Cell::new(0) };
}

/// Returns whether a panic on this thread is caught here and becomes a fault of the disk: it is
/// told as one, and its own words are for nobody.
#[must_use]
pub fn is_guarded() -> bool {
    GUARDED.get() > 0
}

/// Works with a database.
///
/// redb trusts the pages that it wrote and stops the thread at one that was changed from outside.
/// A carer must then be told which file is damaged, so what stops in here becomes a fault. The
/// database is dropped afterwards, and opened again or not at all.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, DiskFault>) -> Result<T, DiskFault> {
    GUARDED.set(GUARDED.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(GUARDED.get() - 1);
    done.unwrap_or_else(|_| {
        tracing::warn!("the database contradicts itself");
        Err(DiskFault::Inconsistent)
    })
}

/// An open database that is let go even when it cannot be closed in order.
#[derive(Debug)]
pub(crate) struct Open(Option<Database>);

impl Open {
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, DiskFault> {
        Ok(self.0.as_ref().ok_or(DiskFault::Closed)?.begin_read()?)
    }

    pub(crate) fn begin_write(&self) -> Result<redb::WriteTransaction, DiskFault> {
        Ok(self.0.as_ref().ok_or(DiskFault::Closed)?.begin_write()?)
    }

    /// Lets a database go whose file is damaged, without closing it: redb writes when it closes, and
    /// what it stumbles over then may end the whole program. The file is as after a power cut.
    pub(crate) fn let_go(mut self) {
        std::mem::forget(self.0.take());
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let database = self.0.take();
        let closed = guarded(|| {
            drop(database);
            Ok(())
        });
        if let Err(fault) = closed {
            tracing::warn!(%fault, "a database was let go unclosed");
        }
    }
}

/// Makes a file with all its tables, lets `fill` write what belongs in it from the start, and
/// gives it its name only when it is complete.
pub(crate) fn create(
    disk: &Disk,
    kind: FileKind,
    id: [u8; 16],
    fill: impl FnOnce(&redb::WriteTransaction) -> Result<(), DiskFault>,
) -> Result<(), OpenFault> {
    let db = database(disk, kind, disk.create(kind, id)?)?;
    let written = guarded(|| {
        let mut transaction = db.begin_write()?;
        transaction.set_quick_repair(true);
        for table in tables(kind) {
            transaction.open_table(*table)?;
        }
        fill(&transaction)?;
        Ok(transaction.commit()?)
    });
    drop(db);
    written.map_err(|fault| open_fault(disk, kind, fault))?;
    disk.publish(kind)
}

/// Opens a file that is there.
pub(crate) fn open(disk: &Disk, kind: FileKind) -> Result<Open, OpenFault> {
    let db = database(disk, kind, disk.open(kind)?)?;
    // A look at each table finds now, with a sentence, what would otherwise stop a dose later.
    let looked = guarded(|| {
        let transaction = db.begin_read()?;
        for table in tables(kind) {
            transaction.open_table(*table)?;
        }
        Ok(())
    });
    match looked {
        Ok(()) => Ok(db),
        Err(fault) => {
            db.let_go();
            Err(open_fault(disk, kind, fault))
        }
    }
}

/// Looks whether every page of a file is what was written, and leaves the file as it is. Reads all
/// of it, and gives up with a fault of the disk when `stop` says so.
pub(crate) fn check_pages(
    disk: &Disk,
    kind: FileKind,
    stop: &Arc<AtomicBool>,
) -> Result<(), OpenFault> {
    let fault = |fault| disk.fault(kind.name(), fault);
    let backend = Overlay::on(disk.look(kind)?, Arc::clone(stop)).map_err(fault)?;
    let checked = guarded(|| {
        let mut database = looking().create_with_backend(backend).map_err(redb::Error::from)?;
        let checked = database.check_integrity().map_err(redb::Error::from);
        if matches!(checked, Ok(true)) {
            return Ok(());
        }
        // Closing it would work with the pages that are damaged.
        std::mem::forget(database);
        Err(checked.map_or_else(DiskFault::from, |_| DiskFault::Inconsistent))
    });
    checked.map_err(|fault| open_fault(disk, kind, fault))
}

/// How a file is opened by one who only looks.
fn looking() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(4 << 20);
    builder
}

/// Opens a file to read what stands on the disk, whether or not it is open; nothing is written.
pub(crate) fn look(disk: &Disk, kind: FileKind) -> Result<Open, OpenFault> {
    let overlay = Overlay::on(disk.look(kind)?, Arc::default());
    let backend = overlay.map_err(|fault| disk.fault(kind.name(), fault))?;
    let opened =
        guarded(|| Ok(looking().create_with_backend(backend).map_err(redb::Error::from)?));
    opened.map(|database| Open(Some(database))).map_err(|fault| open_fault(disk, kind, fault))
}

/// Returns whether redb has closed a file in order: else its tenth byte says that it is open, or was
/// when the power went.
pub(crate) fn was_closed(disk: &Disk, kind: FileKind) -> bool {
    const OPEN: u8 = 2;
    let mut first = [0; 10];
    let read = disk.look(kind).is_ok_and(|backend| backend.read(0, &mut first).is_ok());
    !read || first[9] & OPEN == 0
}

fn database(disk: &Disk, kind: FileKind, backend: Backend) -> Result<Open, OpenFault> {
    let cache = match kind {
        FileKind::Log => 16 << 20,
        FileKind::Views => 32 << 20,
        FileKind::Local => 1 << 20,
    };
    guarded(|| {
        let opened = Builder::new().set_cache_size(cache).create_with_backend(backend);
        match opened {
            Ok(database) => Ok(Open(Some(database))),
            Err(error) => Err(redb::Error::from(error).into()),
        }
    })
    .map_err(|fault| open_fault(disk, kind, fault))
}

/// Words a fault of the database as one of opening its file.
pub(crate) fn open_fault(disk: &Disk, kind: FileKind, fault: DiskFault) -> OpenFault {
    let file = kind.name();
    let error = match fault {
        DiskFault::Full => return OpenFault::DiskFull,
        DiskFault::Failed(error) => *error,
        other @ (DiskFault::Entry { .. }
        | DiskFault::Row { .. }
        | DiskFault::Inconsistent
        | DiskFault::Closed) => {
            return OpenFault::Damaged { file, what: other.to_string() };
        }
    };
    if let redb::Error::Corrupted(what) = &error
        && what.contains("truncated")
    {
        return OpenFault::CutShort { file };
    }
    let redb::Error::Io(source) = error else {
        return OpenFault::Damaged { file, what: error.to_string() };
    };
    let kind = source.kind();
    if kind == ErrorKind::UnexpectedEof {
        OpenFault::CutShort { file }
    } else if kind == ErrorKind::InvalidData {
        OpenFault::Damaged { file, what: source.to_string() }
    } else {
        disk.fault(file, source)
    }
}

fn tables(kind: FileKind) -> &'static [Table] {
    match kind {
        FileKind::Log => LOG_TABLES,
        FileKind::Views => VIEW_TABLES,
        FileKind::Local => LOCAL_TABLES,
    }
}

/// A table open for reading.
pub(crate) type ReadTable = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Returns the file in which a table is; `None` for a name that is none.
pub(crate) fn file_of(table: &str) -> Option<FileKind> {
    use redb::TableHandle;
    let holds = |kind: &FileKind| tables(*kind).iter().any(|held| held.name() == table);
    let local = (table == NOTES.name()).then_some(FileKind::Local);
    local.or_else(|| [FileKind::Log, FileKind::Views, FileKind::Local].into_iter().find(holds))
}

/// Opens a table for reading.
pub(crate) fn read(transaction: &ReadTransaction, table: Table) -> Result<ReadTable, DiskFault> {
    Ok(transaction.open_table(table)?)
}

/// A table that is opened with the first look into it, and for all later ones of its transaction.
pub(crate) struct Lazy {
    table: Table,
    opened: OnceLock<ReadTable>,
}

impl Lazy {
    pub(crate) fn new(table: Table) -> Self {
        Self { table, opened: OnceLock::new() }
    }

    /// Returns the table as `transaction`, which is always the same one, sees it.
    pub(crate) fn read(&self, transaction: &ReadTransaction) -> Result<&ReadTable, DiskFault> {
        match self.opened.get() {
            Some(opened) => Ok(opened),
            None => {
                let opened = read(transaction, self.table)?;
                Ok(self.opened.get_or_init(|| opened))
            }
        }
    }
}

/// Returns an entry's key in `entries-1`.
pub(crate) fn entry_key(log: &LogId, sequence: u64, id: &EntryId) -> [u8; 56] {
    let mut key = [0; 56];
    key[..32].copy_from_slice(&log.0);
    key[32..40].copy_from_slice(&sequence.to_be_bytes());
    key[40..].copy_from_slice(&id.0);
    key
}

/// Returns the first or last key that an entry at this position can have.
pub(crate) fn position_key(log: &LogId, sequence: u64, fill: u8) -> [u8; 56] {
    entry_key(log, sequence, &EntryId([fill; 16]))
}

/// Reads an entry's key back.
pub(crate) fn split_entry_key(key: &[u8]) -> Option<(LogId, u64, EntryId)> {
    let (log, rest) = key.split_first_chunk::<32>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let id: [u8; 16] = rest.try_into().ok()?;
    Some((LogId(*log), u64::from_be_bytes(*sequence), EntryId(id)))
}

/// Returns a head's key in `heads-1`.
pub(crate) fn head_key(log: &LogId, sequence: u64, hash: &Hash) -> [u8; 72] {
    let mut key = [0; 72];
    key[..32].copy_from_slice(&log.0);
    key[32..40].copy_from_slice(&sequence.to_be_bytes());
    key[40..].copy_from_slice(&hash.0);
    key
}

/// Reads a head's key back.
pub(crate) fn split_head_key(key: &[u8]) -> Option<(LogId, u64, Hash)> {
    let (log, rest) = key.split_first_chunk::<32>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let hash: [u8; 32] = rest.try_into().ok()?;
    Some((LogId(*log), u64::from_be_bytes(*sequence), Hash(hash)))
}

/// Reads a big-endian number that is the whole of a value.
pub(crate) fn number(bytes: &[u8], table: &'static str) -> Result<u64, DiskFault> {
    bytes.try_into().map(u64::from_be_bytes).map_err(|_| DiskFault::Row { table })
}
