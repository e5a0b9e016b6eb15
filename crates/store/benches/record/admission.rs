//! What 100,000 entries of another device cost to take in, against two floors: the same bytes put
//! into one table of the same database, as safely; and one signature checked for each of them.

use std::collections::BTreeMap;
use std::path::Path;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use mar::ids::LogId;
use redb::{Database, Durability, TableDefinition};
use store::backend::Disk;
use store::entry::Sealed;
use store::heads::Heads;
use store::record::Record;
use tempfile::TempDir;

use crate::home::{Device, missing, opening};
use crate::ratio::{forget_earlier_runs, median, ratio};

const GROUP: &str = "admit_100k";
const NAMES: [&str; 4] = ["admit", "check_ranges", "one_table", "signatures"];
/// The entries of one frame, and of one commit: what the sessions and the writer of a device take.
const IN_A_FRAME: usize = 700;
const IN_A_COMMIT: usize = 4096;
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

/// Measures all of it for what this device holds.
pub(crate) fn admission(criterion: &mut Criterion, device: &Device) {
    forget_earlier_runs(GROUP, &NAMES);
    let entries = missing(&device.record, &Heads::default());
    let pinned = device.record.pinned();
    let sent = Sent::new(&entries);
    let mut group = criterion.benchmark_group(GROUP);
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.throughput(Throughput::Elements(entries.len() as u64));
    group.bench_function("admit", |bencher| {
        let joined = || {
            let (folder, keys) = (TempDir::new().unwrap(), TempDir::new().unwrap());
            let opening = opening(&Disk::folder(folder.path()), keys.path());
            (Record::join(opening, device.now, &pinned).unwrap(), folder, keys)
        };
        bencher.iter_batched(
            joined,
            |(mut record, folder, keys)| {
                let checked = sent.check(&pinned.home);
                let mut added = 0;
                for part in checked.chunks(IN_A_COMMIT) {
                    added += record.admit(device.now, part).unwrap().added.len();
                }
                assert_eq!(added, entries.len());
                (record, folder, keys)
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("check_ranges", |bencher| bencher.iter(|| sent.check(&pinned.home)));
    group.bench_function("one_table", |bencher| {
        bencher.iter_batched(
            || TempDir::new().unwrap(),
            |folder| {
                insert(folder.path(), &entries);
                folder
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("signatures", |bencher| {
        bencher.iter(|| {
            let checked = entries.iter().map(|entry| Sealed::verify(entry.bytes(), &pinned.home));
            assert!(checked.into_iter().all(|entry| entry.is_ok()));
        });
    });
    group.finish();
}

/// Prints the ratios of this run.
pub(crate) fn tell() {
    for to in &NAMES[1..] {
        println!("100,000 entries, admission / {to} {}", ratio(GROUP, "admit", to));
    }
    if let (Some([table, ..]), Some([signatures, ..])) =
        (median(GROUP, "one_table"), median(GROUP, "signatures"))
        && let Some([admit, ..]) = median(GROUP, "admit")
    {
        println!("admission / (one table + signatures) {:.2}", admit / (table + signatures));
    }
}

/// Entries as they come over the network: ranges of one log, without what the chain repeats.
struct Sent(Vec<(store::entry::RangeStart, Vec<Vec<u8>>)>);

impl Sent {
    fn new(entries: &[Sealed]) -> Self {
        let mut logs: BTreeMap<LogId, Vec<&Sealed>> = BTreeMap::new();
        for entry in entries {
            logs.entry(entry.log()).or_default().push(entry);
        }
        let ranges = logs.values().flat_map(|log| log.chunks(IN_A_FRAME));
        let range = |range: &[&Sealed]| {
            (range[0].range_start(), range.iter().map(|entry| entry.short()).collect())
        };
        Self(ranges.map(range).collect())
    }

    fn check(&self, home: &mar::ids::HomeId) -> Vec<Sealed> {
        let check = |(start, shorts): &(store::entry::RangeStart, Vec<Vec<u8>>)| {
            Sealed::verify_range(start, shorts.iter().map(Vec::as_slice), home).unwrap()
        };
        self.0.iter().flat_map(check).collect()
    }
}

/// Puts the bytes under the keys of the log into one table, with the log's own durability.
fn insert(folder: &Path, entries: &[Sealed]) {
    let database = Database::create(folder.join("one.redb")).unwrap();
    for part in entries.chunks(IN_A_COMMIT) {
        let mut write = database.begin_write().unwrap();
        write.set_durability(Durability::Immediate).unwrap();
        write.set_quick_repair(true);
        {
            let mut table = write.open_table(TABLE).unwrap();
            for entry in part {
                let place = entry.sequence().to_be_bytes();
                let key = [&entry.log().0[..], &place, &entry.id().0].concat();
                table.insert(&key[..], entry.bytes()).unwrap();
            }
        }
        write.commit().unwrap();
    }
}
