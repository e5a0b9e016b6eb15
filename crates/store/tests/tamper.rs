//! Bytes that changed on the disk are found, and named; nothing wrong is shown in their place.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod home;

use home::{Device, GLADYS, START, look};
use mar::ids::EntryId;
use redb::{ReadableTable, StorageBackend, TableDefinition};
use store::backend::memory::MemoryDisk;
use store::record::Record;
use store::verify::Verification;

const ENTRIES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("entries-1");
const ROWS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("rows-1");

/// A store with some doses, closed.
fn store_with_doses() -> (Device, MemoryDisk, Vec<EntryId>) {
    let mut device = Device::set_up();
    let mut doses = Vec::new();
    for _ in 0..5 {
        doses.extend(device.give().unwrap().entries);
    }
    device.record.make_durable().unwrap();
    let disk = device.disk.copy();
    (device, disk, doses)
}

fn verify(disk: &MemoryDisk, device: &Device) -> Verification {
    let record = Record::open(look(disk, device.keys.path()), START).unwrap();
    record.reader().verify()
}

/// Changes rows of a table with redb itself, as somebody with the file could.
fn rewrite(
    disk: &MemoryDisk,
    file: &str,
    change: impl FnOnce(&mut redb::Table<'_, &'static [u8], &'static [u8]>),
    table: TableDefinition<'static, &'static [u8], &'static [u8]>,
) {
    let mut bytes = Vec::new();
    disk.damage(file, |of| bytes = of.clone());
    let inner = redb::backends::InMemoryBackend::new();
    inner.set_len((bytes.len() - 4096) as u64).unwrap();
    inner.write(0, &bytes[4096..]).unwrap();
    let shared = std::sync::Arc::new(inner);
    let db = redb::Builder::new().create_with_backend(Through(shared.clone())).unwrap();
    let transaction = db.begin_write().unwrap();
    change(&mut transaction.open_table(table).unwrap());
    transaction.commit().unwrap();
    drop(db);
    let mut after = vec![0; usize::try_from(shared.len().unwrap()).unwrap()];
    shared.read(0, &mut after).unwrap();
    disk.damage(file, |of| {
        of.truncate(4096);
        of.extend_from_slice(&after);
    });
}

#[derive(Debug)]
struct Through(std::sync::Arc<redb::backends::InMemoryBackend>);

impl StorageBackend for Through {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.0.write(offset, data)
    }
}

#[test]
fn an_untouched_store_is_clean() {
    let (device, disk, _) = store_with_doses();
    let found = verify(&disk, &device);
    assert!(found.is_clean(), "{:?}", found.faults);
    assert_eq!(found.entries, device.record.reader().count().unwrap());
    assert_eq!(found.rows, found.entries);
}

#[test]
fn a_flipped_byte_of_an_entry_is_named_and_never_shown() {
    let (device, _, doses) = store_with_doses();
    let entry = device.record.reader().entry(&doses[2]).unwrap().unwrap();
    let bytes = entry.bytes().to_vec();
    for at in (0..bytes.len()).step_by(3) {
        let disk = device.disk.copy();
        rewrite(
            &disk,
            "log.redb",
            |table| {
                let key = key_of(table, &bytes);
                let mut changed = bytes.clone();
                changed[at] ^= 4;
                table.insert(&key[..], &changed[..]).unwrap();
            },
            ENTRIES,
        );
        let record = Record::open(look(&disk, device.keys.path()), START).unwrap();
        let found = record.reader().verify();
        let named = found.faults.iter().any(|fault| {
            fault.log == Some(entry.log()) && fault.sequence == Some(entry.sequence())
        });
        assert!(named, "byte {at}: {:?}", found.faults);
        assert!(record.reader().entry(&doses[2]).is_err(), "byte {at} was shown");
    }
}

fn key_of(table: &impl ReadableTable<&'static [u8], &'static [u8]>, bytes: &[u8]) -> Vec<u8> {
    let row = table.iter().unwrap().map(Result::unwrap).find(|row| row.1.value() == bytes);
    row.unwrap().0.value().to_vec()
}

#[test]
fn two_swapped_entries_are_both_named() {
    let (device, disk, doses) = store_with_doses();
    let reader = device.record.reader();
    let entries = [1, 3].map(|at: usize| reader.entry(&doses[at]).unwrap().unwrap());
    rewrite(
        &disk,
        "log.redb",
        |table| {
            let keys = [key_of(table, entries[0].bytes()), key_of(table, entries[1].bytes())];
            table.insert(&keys[0][..], entries[1].bytes()).unwrap();
            table.insert(&keys[1][..], entries[0].bytes()).unwrap();
        },
        ENTRIES,
    );
    let found = verify(&disk, &device);
    for entry in entries {
        assert!(found.faults.iter().any(|fault| fault.sequence == Some(entry.sequence())));
    }
}

#[test]
fn a_cut_tail_is_missed_by_the_arrivals_and_the_heads() {
    let (device, disk, doses) = store_with_doses();
    let last = device.record.reader().entry(&doses[4]).unwrap().unwrap();
    rewrite(
        &disk,
        "log.redb",
        |table| {
            let key = key_of(table, last.bytes());
            table.remove(&key[..]).unwrap();
        },
        ENTRIES,
    );
    let found = verify(&disk, &device);
    let missing = |fault: &&store::verify::Fault| fault.what.contains("missing");
    let named: Vec<_> = found.faults.iter().filter(missing).collect();
    assert!(named.iter().any(|fault| fault.sequence == Some(last.sequence())), "{named:?}");
}

#[test]
fn a_flipped_byte_of_a_view_is_found_and_named() {
    let (device, _, doses) = store_with_doses();
    let entry = device.record.reader().entry(&doses[2]).unwrap().unwrap();
    let length = 63 + entry.payload().len() - 1;
    for at in [0, 1, 20, 45, 55, 60, 62, length - 1] {
        let disk = device.disk.copy();
        rewrite(
            &disk,
            "views.redb",
            |table| {
                let row = table
                    .iter()
                    .unwrap()
                    .map(Result::unwrap)
                    .find(|row| row.0.value().ends_with(&doses[2].0))
                    .map(|row| (row.0.value().to_vec(), row.1.value().to_vec()));
                let (key, mut value) = row.unwrap();
                value[at] ^= 1;
                table.insert(&key[..], &value[..]).unwrap();
            },
            ROWS,
        );
        let found = verify(&disk, &device);
        assert!(
            found.faults.iter().any(|fault| fault.sequence == Some(entry.sequence())),
            "byte {at}: {:?}",
            found.faults
        );
    }
}

#[test]
fn a_store_that_was_cut_short_says_what_to_do() {
    let (device, disk, _) = store_with_doses();
    let mut length = 0;
    disk.damage("log.redb", |bytes| length = bytes.len());
    for keep in [0, 10, 4_095, 4_096, 4_200, 8_192, 40_000, length / 2, length - 4_096] {
        let disk = device.disk.copy();
        disk.damage("log.redb", |bytes| bytes.truncate(keep));
        let fault = Record::open(look(&disk, device.keys.path()), START).unwrap_err().to_string();
        assert!(fault.contains("Restore it from a backup"), "{keep}: {fault}");
    }
}

/// Any byte of the log's file may flip: the store then opens or says why not, and what it shows of
/// the doses is right.
#[test]
fn a_flipped_byte_anywhere_in_the_file_never_gives_a_wrong_answer() {
    let (device, _, doses) = store_with_doses();
    let true_doses: Vec<_> =
        doses.iter().map(|id| device.record.reader().entry(id).unwrap().unwrap()).collect();
    let mut length = 0;
    device.disk.damage("log.redb", |bytes| length = bytes.len());
    let (mut opened, mut refused) = (0, 0);
    for at in (0..length).step_by(307) {
        let disk = device.disk.copy();
        disk.damage("log.redb", |bytes| bytes[at] ^= 0x20);
        let look = look(&disk, device.keys.path());
        let outcome = std::panic::catch_unwind(|| match Record::open(look, START) {
            Err(fault) => Err(fault.to_string()),
            Ok(record) => {
                for dose in &true_doses {
                    if let Ok(Some(shown)) = record.reader().entry(&dose.id()) {
                        assert_eq!(shown.bytes(), dose.bytes(), "byte {at}");
                    }
                }
                Ok(record.picture().residents.get(&GLADYS).map(|held| held.administrations.len()))
            }
        });
        match outcome {
            Ok(Ok(count)) => {
                assert_eq!(count, Some(5), "byte {at}");
                opened += 1;
            }
            Ok(Err(fault)) => {
                assert!(!fault.is_empty());
                refused += 1;
            }
            Err(_) => panic!("byte {at}: a damaged file made the program stop"),
        }
    }
    println!("{opened} opened, {refused} refused");
    assert!(opened > 0);
}
