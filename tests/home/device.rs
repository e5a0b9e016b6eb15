//! One device: its disk in memory, its keys in a folder, its clock that may be wrong.

use std::path::PathBuf;

use mar::fact::DeviceRole;
use mar::ids::{DeviceId, LogId};
use mar::time::Timestamp;
use store::Pinned;
use store::backend::Disk;
use store::backend::memory::MemoryDisk;
use store::keys::{Keys, StateFile};
use store::record::{Founded, Opening, Record};
use tempfile::TempDir;

use crate::chance::Chance;

/// No device believes that it is later than this (2100) or earlier than this (2020).
const CLOCK: (i64, i64) = (1_577_836_800_000, 4_102_444_800_000);

/// A device of the home.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) role: DeviceRole,
    pub(crate) disk: MemoryDisk,
    pub(crate) place: Disk,
    folder: TempDir,
    /// `None` while it is off.
    pub(crate) record: Option<Record>,
    /// The log that its sessions were told of.
    pub(crate) own_log: LogId,
    /// By how many milliseconds its clock is wrong.
    pub(crate) skew: i64,
    /// The device that let it in; the only one it talks to before it holds the founding.
    pub(crate) sponsor: Option<usize>,
    /// An earlier state of the whole machine.
    pub(crate) image: Option<Image>,
    /// Its disk fails until somebody sees to it.
    pub(crate) faulty: bool,
    /// Commits whose answer was NOT SAVED: what they sealed is not known to the harness.
    pub(crate) doubtful: bool,
}

/// A device as it once was.
#[derive(Clone)]
pub(crate) struct Image {
    disk: MemoryDisk,
    keys: Vec<u8>,
    high_water: Option<Vec<u8>>,
}

impl Device {
    /// A device with new keys that follow from the seed, and no record yet.
    fn unborn(chance: &mut Chance) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("keys");
        Keys::create(&path).unwrap();
        // The same keys for the same seed, in the words of the file.
        let text = std::fs::read_to_string(&path).unwrap();
        let field = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
        let hex = |seed: [u8; 32]| seed.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let body = format!(
            "medround device keys 1\ndevice {}\n{}\nincarnation 0\nlog {}\n",
            hex(chance.seed()),
            field("sealing "),
            hex(chance.seed()),
        );
        let sum = blake3::derive_key("medround device keys 1", body.as_bytes());
        let sum: String = sum[..16].iter().map(|b| format!("{b:02x}")).collect();
        std::fs::write(&path, format!("{body}sum {sum}\n")).unwrap();
        let keys = Keys::load(&path).unwrap();
        let disk = MemoryDisk::default();
        Self {
            id: keys.device(),
            role: DeviceRole::Member,
            place: Disk::memory(&disk),
            disk,
            folder,
            record: None,
            own_log: keys.log_key().log(),
            skew: 0,
            sponsor: None,
            image: None,
            faulty: false,
            doubtful: false,
        }
    }

    pub(crate) fn founding(chance: &mut Chance, now: Timestamp, founded: &Founded) -> Self {
        let mut device = Self::unborn(chance);
        let opening = device.opening(chance);
        device.record = Some(Record::found(opening, now, founded, |_| Vec::new()).unwrap());
        device
    }

    /// A device that is about to join; its record begins with [`Device::join`].
    pub(crate) fn joining(chance: &mut Chance, role: DeviceRole, sponsor: usize) -> Self {
        Self { role, sponsor: Some(sponsor), ..Self::unborn(chance) }
    }

    pub(crate) fn join(&mut self, chance: &mut Chance, now: Timestamp, pinned: &Pinned) {
        let opening = self.opening(chance);
        self.record = Some(Record::join(opening, now, pinned).unwrap());
    }

    /// The same device in another run: a copy of what it is now.
    pub(crate) fn copy(&self, chance: &mut Chance, now: Timestamp) -> Self {
        let (folder, disk) = (TempDir::new().unwrap(), MemoryDisk::default());
        let mut copy = Self {
            id: self.id,
            role: self.role,
            place: Disk::memory(&disk),
            disk,
            folder,
            record: None,
            own_log: self.own_log,
            skew: 0,
            sponsor: self.sponsor,
            image: None,
            faulty: false,
            doubtful: false,
        };
        copy.put_back(&self.take_image(), true);
        copy.open(chance, now);
        copy
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn opening(&self, chance: &mut Chance) -> Opening {
        let keys = Keys::load(&self.path("keys")).unwrap().drawing_from(chance.seed());
        let state = StateFile::at(self.path("high-water"));
        Opening { disk: self.place.clone(), keys, state }
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys::load(&self.path("keys")).unwrap()
    }

    pub(crate) fn record(&self) -> &Record {
        self.record.as_ref().expect("the device is on")
    }

    pub(crate) fn record_mut(&mut self) -> &mut Record {
        self.record.as_mut().expect("the device is on")
    }

    pub(crate) fn is_on(&self) -> bool {
        self.record.is_some()
    }

    /// What its own clock says.
    pub(crate) fn now(&self, time: i64) -> Timestamp {
        Timestamp((time + self.skew).clamp(CLOCK.0, CLOCK.1))
    }

    /// Starts from what is on the disk. Returns why it does not.
    pub(crate) fn try_open(&mut self, chance: &mut Chance, now: Timestamp) -> Option<String> {
        match Record::open(self.opening(chance), now) {
            Ok(record) => {
                self.own_log = record.own_log();
                self.record = Some(record);
                None
            }
            Err(fault) => Some(fault.to_string()),
        }
    }

    pub(crate) fn open(&mut self, chance: &mut Chance, now: Timestamp) {
        if let Some(fault) = self.try_open(chance, now) {
            panic!("the device does not start: {fault}");
        }
    }

    /// Ends in order.
    pub(crate) fn close(&mut self) {
        drop(self.record.take());
    }

    /// The power goes: the disk is what a cut leaves of it.
    pub(crate) fn lose_power(&mut self, chance: &mut Chance) {
        let after = self.disk.power_cut(&mut |n| chance.below(n));
        self.run_on(after);
    }

    /// Goes on with another disk; what the process had in memory is gone.
    pub(crate) fn run_on(&mut self, disk: MemoryDisk) {
        let old = self.place.clone();
        // The process is dead: whatever its memory does while it is dropped reaches nothing.
        old.seam()
            .plan(|step| step.operation.changes().then_some(store::backend::faults::Fault::Lost));
        self.record = None;
        self.place = Disk::memory(&disk);
        self.disk = disk;
        self.faulty = false;
    }

    pub(crate) fn take_image(&self) -> Image {
        Image {
            disk: self.disk.copy(),
            keys: std::fs::read(self.path("keys")).unwrap(),
            high_water: self.high_water(),
        }
    }

    pub(crate) fn high_water(&self) -> Option<Vec<u8>> {
        std::fs::read(self.path("high-water")).ok()
    }

    pub(crate) fn set_high_water(&self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => std::fs::write(self.path("high-water"), bytes).unwrap(),
            None => drop(std::fs::remove_file(self.path("high-water"))),
        }
    }

    /// Puts an earlier state back: the data folder alone, or the whole machine with the keys and
    /// the file outside the data folder.
    pub(crate) fn put_back(&mut self, image: &Image, machine: bool) {
        self.run_on(image.disk.copy());
        if machine {
            std::fs::write(self.path("keys"), &image.keys).unwrap();
            self.set_high_water(image.high_water.as_deref());
        }
    }
}
