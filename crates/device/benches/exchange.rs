//! What the exchange between two devices costs, against its floor in the same run: one dose from
//! one device to the other, the first copy of 100,000 entries, and a meeting with nothing to
//! exchange. Real connections on loopback, real files. `cargo bench -p device` prints words at its
//! end.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::wildcard_enum_match_arm,
    reason = "a benchmark"
)]

#[path = "../tests/devices/home.rs"]
mod home;

#[path = "exchange/floor.rs"]
mod floor;

#[path = "../../store/benches/record/ratio.rs"]
mod ratio;

#[path = "exchange/ward.rs"]
mod ward;

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};
use device::{Clock, NetworkEvent};
use floor::{RawAppend, RawStream, frames};
use home::{PATIENCE, Place};
use mar::ids::ResidentId;
use mar::time::Minutes;
use ratio::{forget_earlier_runs, median, ratio};
use store::backend::faults::{Fault, Operation};
use store::backend::{Disk, FileKind};
use sync::session::{Effect, Input, Notice, Session};
use ward::{Ward, everything, member, ward};

/// The entries that a new device takes in.
const ENTRIES: usize = 100_000;
/// How many are written in one commit when they are made.
const TOGETHER: usize = 200;
/// Between two such commits: 2,400 doses a day are 60 residents with 10 medicines four times a day.
const BETWEEN: Minutes = Minutes(120);
/// How long both devices are left alone before each dose.
const IDLE: Duration = Duration::from_millis(20);
/// What a disk adds to each sync: this computer's own, and a slow one.
const DELAYS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(5)];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    forget_earlier_runs("exchange_100k", &["first_copy", "raw_stream"]);
    let doses = DELAYS.map(|delay| one_dose(&mut criterion, delay));
    let meeting = first_copy(&mut criterion);
    criterion.final_summary();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores carry both devices, the floor and the bench");
    doses.iter().for_each(|words| println!("{words}"));
    let slower = ratio("exchange_100k", "first_copy", "raw_stream");
    println!("100,000 entries, first copy / raw stream of the same bytes: {slower}");
    let rate = |name| median("exchange_100k", name).map(|[at, ..]| 1e9 / at);
    if let (Some(copy), Some(raw)) = (rate("first_copy"), rate("raw_stream")) {
        let (entries, part) = (copy * ENTRIES as f64, copy / raw);
        println!("{entries:.0} entries a second, {part:.3} of the raw stream (at least 0.3)");
    }
    println!("{meeting}");
}

/// How long one dose took, each time with the floor right after it.
struct Times {
    saved_here: Duration,
    visible: Duration,
    saved_on_2: Duration,
    floor: Duration,
}

/// Two devices that are in step and do nothing else.
struct Pair {
    office: Place,
    ward: Ward,
    seen: Receiver<(ResidentId, usize, Instant)>,
    appends: [RawAppend; 2],
    stream: RawStream,
    frame: Vec<u8>,
    times: Vec<Times>,
    _trolley: Place,
}

impl Pair {
    fn new(delay: Duration) -> Self {
        let (mut office, mut trolley) = (Place::new(), Place::new());
        (office.clock, trolley.clock) = (Clock::system(), Clock::system());
        let manager = office.found();
        let mut ward = ward(&office, manager);
        member(&mut trolley, &office, manager);
        ward.give(&office, 1);
        let dose = everything(&mut office).last().unwrap().clone();
        office.close_at_once();
        for place in [&mut office, &mut trolley] {
            place.open_on(slowed(place, delay));
        }
        trolley.dial(&office);
        let both = home::Home { office, trolley, manager };
        both.wait_level();
        let home::Home { office, trolley, .. } = both;
        let appends =
            [&office, &trolley].map(|place| RawAppend::new(place.dir.path(), &dose, delay));
        let seen = look_on(&trolley);
        let frame = frames(std::slice::from_ref(&dose)).remove(0);
        let stream = RawStream::echo();
        Self { office, ward, seen, appends, stream, frame, times: Vec::new(), _trolley: trolley }
    }

    fn dose(&mut self) -> &Times {
        sleep(IDLE);
        while self.seen.try_recv().is_ok() {}
        let given = self.ward.next();
        let device = self.office.device();
        let begun = Instant::now();
        let saved = device.submit(self.ward.dose(given)).unwrap();
        let saved_here = begun.elapsed();
        let visible = loop {
            let (resident, doses, at) = self.seen.recv_timeout(PATIENCE).unwrap();
            if resident == given.resident && doses == given.doses {
                break at - begun;
            }
        };
        let entry = home::entry_of(&saved);
        assert_eq!(device.wait_saved_on(entry, 2, PATIENCE), 2);
        let saved_on_2 = begun.elapsed();
        sleep(IDLE);
        let begun = Instant::now();
        self.appends[0].append();
        self.stream.round_trip(&self.frame);
        self.appends[1].append();
        let floor = begun.elapsed();
        self.times.push(Times { saved_here, visible, saved_on_2, floor });
        self.times.last().unwrap()
    }
}

/// Returns a device's own disk, whose log takes longer to sync.
fn slowed(place: &Place, delay: Duration) -> Disk {
    let disk = Disk::folder(place.folders().data);
    if !delay.is_zero() {
        disk.seam().plan(move |step| {
            (step.operation == Operation::Sync && step.file == FileKind::Log)
                .then_some(Fault::Slow(delay))
        });
    }
    disk
}

/// Follows what a device shows, as a screen does: whose doses are how many, and since when.
fn look_on(place: &Place) -> Receiver<(ResidentId, usize, Instant)> {
    let (sender, seen) = channel();
    let (device, changes) = (place.device().clone(), place.device().changes());
    std::thread::spawn(move || {
        for change in changes {
            let picture = device.picture();
            for id in change.residents {
                let doses = picture.resident(id).map_or(0, |shown| shown.administrations.len());
                if sender.send((id, doses, Instant::now())).is_err() {
                    return;
                }
            }
        }
    });
    seen
}

type Take = fn(&Times) -> Duration;

const TAKES: [(&str, Take); 4] = [
    ("saved_here", |times| times.saved_here),
    ("visible", |times| times.visible),
    ("saved_on_2", |times| times.saved_on_2),
    ("floor", |times| times.floor),
];

/// Returns what was found over all doses, in words.
fn one_dose(criterion: &mut Criterion, delay: Duration) -> String {
    let mut pair = Pair::new(delay);
    let mut group = criterion.benchmark_group(format!("exchange_dose_{}ms", delay.as_millis()));
    group.sampling_mode(SamplingMode::Flat).sample_size(100);
    group.warm_up_time(Duration::from_millis(50)).measurement_time(Duration::from_millis(100));
    group.throughput(Throughput::Elements(1));
    for (name, take) in TAKES {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| (0..count).map(|_| take(pair.dose())).sum());
        });
    }
    group.finish();
    let mut words = format!("{} ms a sync, {} doses:", delay.as_millis(), pair.times.len());
    for (name, take) in TAKES {
        let mut all: Vec<Duration> = pair.times.iter().map(take).collect();
        words += &format!(" {name} {};", percentiles(&mut all));
    }
    for (name, take) in &TAKES[1..3] {
        words += &format!(" {name} / floor {};", over_floor(&pair.times, *take));
    }
    words + " visible is to be at most 5 times the floor, 50 ms at p50 and 250 ms at p99"
}

/// Returns the median of the pairs' ratios with its 95 % interval, in words.
fn over_floor(times: &[Times], take: Take) -> String {
    let ratio = |times: &Times| take(times).as_secs_f64() / times.floor.as_secs_f64();
    let mut all: Vec<f64> = times.iter().map(ratio).collect();
    all.sort_by(f64::total_cmp);
    let half = all.len() as f64 / 2.0;
    let at = |place: f64| all.get(place.max(0.0) as usize).copied().unwrap_or(0.0);
    let spread = 0.98 * (half * 2.0).sqrt();
    format!("{:.2} ({:.2} to {:.2})", at(half), at(half - spread), at(half + spread))
}

fn percentiles(all: &mut [Duration]) -> String {
    all.sort();
    let at = |hundredth: usize| {
        let place = (all.len() * hundredth).div_ceil(100).max(1) - 1;
        all.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    format!("p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms", at(50), at(99), at(100))
}

/// Returns what a meeting of devices that hold the same takes, in words.
fn first_copy(criterion: &mut Criterion) -> String {
    let (mut office, mut trolley) = (Place::new(), Place::new());
    let now = Clock::system().now();
    let batches = u32::try_from(ENTRIES / TOGETHER).unwrap();
    let mut at = now.minus(Minutes(BETWEEN.0 * (batches + 1)));
    (office.clock, trolley.clock) = (Clock::fixed(at), Clock::fixed(at));
    let manager = office.found();
    let mut ward = ward(&office, manager);
    member(&mut trolley, &office, manager);
    let before = everything(&mut office);
    for _ in 0..batches {
        at = at.plus(BETWEEN);
        office.clock.set(at);
        ward.give(&office, TOGETHER);
    }
    (office.clock, trolley.clock) = (Clock::system(), Clock::system());
    let all = everything(&mut office);
    assert_eq!(all.len() - before.len(), ENTRIES);
    let payload = frames(&all[before.len()..]);
    let bytes: usize = payload.iter().map(Vec::len).sum();
    let template = trolley.dir.path().join("template");
    copy_folder(&trolley.folders().data, &template);
    let mut group = criterion.benchmark_group("exchange_100k");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("first_copy", |bencher| {
        bencher.iter_custom(|count| {
            (0..count).map(|_| copy_once(&office, &mut trolley, &template)).sum()
        });
    });
    let mut stream = RawStream::sink();
    group.bench_function("raw_stream", |bencher| {
        bencher.iter_custom(|count| (0..count).map(|_| stream.send_all(&payload)).sum());
    });
    group.finish();
    format!(
        "they are {bytes} bytes on the wire, {} an entry. {}",
        bytes / ENTRIES,
        nothing_to_exchange(&mut office)
    )
}

/// Lets the trolley take in what it lacks. Returns how long it took from the connection until it
/// shows the same and both know it.
fn copy_once(office: &Place, trolley: &mut Place, template: &Path) -> Duration {
    let data = trolley.folders().data;
    fs::remove_dir_all(&data).unwrap();
    copy_folder(template, &data);
    let state = office.device().status().unwrap().state_hash;
    trolley.open();
    trolley.dial(office);
    let events = &trolley.here().events;
    let mut begun = None;
    let took = loop {
        match events.recv_timeout(PATIENCE * 6).unwrap() {
            NetworkEvent::PeerUp(_) => begun = Some(Instant::now()),
            NetworkEvent::Synced { state_hash, .. } if state_hash == state => {
                break begun.unwrap().elapsed();
            }
            _ => {}
        }
    };
    assert_eq!(trolley.device().status().unwrap().state_hash, state);
    trolley.close_at_once();
    took
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// Counts the bytes of the frames that two sessions with the same heads say until they are in
/// sync. What QUIC adds is not counted.
fn nothing_to_exchange(office: &mut Place) -> String {
    let (home, heads) = ward::heads(office);
    let mut sessions = [Session::new(home), Session::new(home)];
    let started = || Input::Started { heads: heads.clone(), own_log: None, wall_ms: 0 };
    let mut waiting: Vec<(usize, Effect)> = Vec::new();
    for (at, session) in sessions.iter_mut().enumerate() {
        waiting.extend(session.handle(started()).into_iter().map(|effect| (at, effect)));
    }
    let (mut bytes, mut frames, mut level) = ([0; 2], [0; 2], [false; 2]);
    while let Some((at, effect)) = waiting.pop() {
        match effect {
            Effect::Send(frame) => {
                bytes[at] += frame.len() + 4;
                frames[at] += 1;
                let other = 1 - at;
                let effects = sessions[other].handle(Input::Frame(frame));
                waiting.extend(effects.into_iter().map(|effect| (other, effect)));
            }
            Effect::Notice(Notice::InSync { .. }) => level[at] = true,
            _ => {}
        }
    }
    assert_eq!(level, [true; 2]);
    format!(
        "Two devices with nothing to exchange say {} bytes in {} frame each way, lengths included, \
         and are in sync after one round trip (at most 2,000)",
        bytes[0].max(bytes[1]),
        frames[0].max(frames[1])
    )
}
