//! What a durable dose costs, against its floor on the same disk in the same run; and what opening,
//! taking in and looking through 100,000 entries costs. `cargo bench -p store` prints the ratios at
//! its end.

#![allow(clippy::unwrap_used, clippy::float_arithmetic, unreachable_pub, reason = "a benchmark")]

#[path = "../tests/home/mod.rs"]
mod home;

#[path = "record/admission.rs"]
mod admission;

#[path = "record/ratio.rs"]
mod ratio;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use home::{Device, NURSE, dose, opening};
use mar::command::Command;
use mar::fact::Actor;
use mar::ids::{OrderId, ResidentId};
use ratio::ratio;
use store::backend::faults::{Fault, Operation};
use store::backend::{Disk, FileKind};
use store::record::Record;
use tempfile::TempDir;

/// Residents of the home, so that one resident's doses are as far apart as in life.
const RESIDENTS: u8 = 60;
/// The entries of the store that is opened.
const ENTRIES: u64 = 100_000;
/// One dose waits alone, or this many wait together.
const WAITING: usize = 8;

fn main() {
    let mut criterion = Criterion::default()
        .measurement_time(Duration::from_secs(8))
        .sample_size(40)
        .configure_from_args();
    let mut notes = Vec::new();
    for delay in [0, 5] {
        notes.push(durable_dose(&mut criterion, Duration::from_millis(delay)));
    }
    large_home(&mut criterion);
    criterion.final_summary();
    for delay in ["0", "5"] {
        let ratio = |of: &str, to: &str| ratio(&format!("dose_{delay}ms"), of, to);
        println!("{delay} ms a sync: one dose / raw append {}", ratio("one", "raw"));
        println!(
            "{delay} ms a sync: eight waiting / one by one {}",
            ratio("eight", "eight_one_by_one")
        );
    }
    for note in notes {
        println!("{note}");
    }
    println!("replay / BLAKE3 of the bytes {}", ratio("open_100k", "replay", "blake3"));
    println!("open / replay {}", ratio("open_100k", "open", "replay"));
    println!("a look at every page / open {}", ratio("open_100k", "pages", "open"));
    admission::tell();
}

fn ask(device: &mut Device, number: usize) -> Command {
    let resident = (number % usize::from(RESIDENTS)) as u8;
    device.command(Actor::Staff(NURSE), dose(person(resident), order(resident)))
}

fn person(number: u8) -> ResidentId {
    ResidentId([100 + number; 16])
}

fn order(number: u8) -> OrderId {
    OrderId([100 + number; 16])
}

fn home_in(folder: &Path) -> Device {
    let mut device = Device::set_up_in(folder);
    for number in 0..RESIDENTS {
        device.admit_resident(person(number), &format!("Resident{number}"), "Test");
        device.prescribe(person(number), order(number), "Medicine without limits");
    }
    device
}

/// Returns the syncs and writes of one commit, in words.
fn durable_dose(criterion: &mut Criterion, delay: Duration) -> String {
    let folder = TempDir::new().unwrap();
    let mut device = home_in(folder.path());
    let place = device.place.clone();
    if !delay.is_zero() {
        place.seam().plan(move |step| {
            (step.operation == Operation::Sync && step.file == FileKind::Log)
                .then_some(Fault::Slow(delay))
        });
    }
    let mut group = criterion.benchmark_group(format!("dose_{}ms", delay.as_millis()));
    group.throughput(Throughput::Elements(1));
    let mut number = 0;
    group.bench_function("one", |bencher| {
        bencher.iter(|| {
            number += 1;
            let command = ask(&mut device, number);
            assert!(device.submit_all(&[command]).answers[0].is_ok());
        });
    });
    let mut raw = RawAppend::new(folder.path(), delay);
    group.bench_function("raw", |bencher| bencher.iter(|| raw.append()));
    group.throughput(Throughput::Elements(WAITING as u64));
    group.bench_function("eight", |bencher| {
        bencher.iter(|| {
            let commands: Vec<Command> =
                (0..WAITING).map(|n| ask(&mut device, number + n)).collect();
            number += WAITING;
            assert!(device.submit_all(&commands).answers.iter().all(Result::is_ok));
        });
    });
    group.bench_function("eight_one_by_one", |bencher| {
        bencher.iter(|| {
            for _ in 0..WAITING {
                number += 1;
                let command = ask(&mut device, number);
                assert!(device.submit_all(&[command]).answers[0].is_ok());
            }
        });
    });
    group.finish();
    let before = place.counts(FileKind::Log);
    let commits = 200;
    for _ in 0..commits {
        number += 1;
        let command = ask(&mut device, number);
        assert!(device.submit_all(&[command]).answers[0].is_ok());
    }
    let after = place.counts(FileKind::Log);
    let per = |count: u64| count as f64 / f64::from(commits);
    format!(
        "{} ms: {:.2} syncs, {:.1} writes and {:.2} changes of length a commit, over {commits} commits",
        delay.as_millis(),
        per(after.syncs - before.syncs),
        per(after.writes - before.writes),
        per(after.set_lengths - before.set_lengths),
    )
}

/// The floor: the same bytes appended to a file and made safe.
struct RawAppend {
    file: File,
    delay: Duration,
}

impl RawAppend {
    fn new(folder: &Path, delay: Duration) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(folder.join("raw")).unwrap();
        Self { file, delay }
    }

    fn append(&mut self) {
        self.file.write_all(&[7; 420]).unwrap();
        self.file.sync_data().unwrap();
        if !self.delay.is_zero() {
            std::thread::sleep(self.delay);
        }
    }
}

fn large_home(criterion: &mut Criterion) {
    let folder = TempDir::new().unwrap();
    let mut device = home_in(folder.path());
    let mut number = 0;
    let mut bytes = 0_u64;
    while number < ENTRIES as usize {
        let commands: Vec<Command> = (0..200).map(|n| ask(&mut device, number + n)).collect();
        number += commands.len();
        let batch = device.submit_all(&commands);
        assert!(batch.answers.iter().all(Result::is_ok));
        bytes += batch.entries.iter().map(|entry| entry.bytes().len() as u64).sum::<u64>();
    }
    device.record.make_durable().unwrap();
    admission::admission(criterion, &device);
    look_at_pages(criterion, &device, folder.path());
    open_and_replay(criterion, device, folder.path(), bytes);
}

/// While the record is used, as a device does it.
fn look_at_pages(criterion: &mut Criterion, device: &Device, folder: &Path) {
    let length = |kind: FileKind| std::fs::metadata(folder.join(kind.name())).unwrap().len();
    let bytes = length(FileKind::Log) + length(FileKind::Views);
    let reader = device.record.reader();
    let mut group = criterion.benchmark_group("open_100k");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("pages", |bencher| {
        bencher.iter(|| {
            assert_eq!(reader.look_at_pages(device.now, &Arc::default()).unwrap(), None);
        });
    });
    group.finish();
}

fn open_and_replay(criterion: &mut Criterion, device: Device, folder: &Path, bytes: u64) {
    let now = device.now;
    let keys = device.keys;
    drop(device.record);
    let open = || Record::open(opening(&Disk::folder(folder), keys.path()), now).unwrap();
    let mut group = criterion.benchmark_group("open_100k");
    group.sample_size(10);
    group.throughput(Throughput::Elements(ENTRIES));
    // One at a time: a folder is open in one place only.
    group.bench_function("open", |bencher| {
        bencher.iter_batched(|| (), |()| open(), BatchSize::PerIteration);
    });
    group.bench_function("replay", |bencher| {
        bencher.iter_batched(
            || std::fs::remove_file(folder.join(FileKind::Views.name())).unwrap(),
            |()| open(),
            BatchSize::PerIteration,
        );
    });
    let same = vec![7_u8; usize::try_from(bytes).unwrap()];
    group.bench_function("blake3", |bencher| bencher.iter(|| blake3::hash(&same)));
    group.finish();
}
