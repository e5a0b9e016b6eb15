//! A device by itself with a new home, for the tests in this crate.

use mar::ids::StaffId;
use mar::time::Timestamp;
use store::backend::Disk;
use tempfile::TempDir;

use crate::clock::Clock;
use crate::founding::NewHome;
use crate::running::{Device, Folders};

/// The manager's.
pub(crate) const PIN: &str = "402917";
/// Saturday 21 November 2026, 12:00 in London.
const NOON: Timestamp = Timestamp(1_795_262_400_000);

/// A device whose files lie in a folder that goes with it.
pub(crate) struct Alone {
    pub(crate) device: Device,
    pub(crate) manager: StaffId,
    folder: TempDir,
}

impl Alone {
    pub(crate) fn found() -> Self {
        let folder = TempDir::new().unwrap();
        let home = NewHome {
            name: "Willow House".to_owned(),
            device: "Office PC".to_owned(),
            practice: true,
            manager: "Mary Manager".to_owned(),
            initials: "MM".to_owned(),
            pin: PIN.to_owned(),
        };
        let (device, founded) =
            Device::found(&folders(&folder), home, Clock::machine(NOON)).unwrap();
        Self { device, manager: founded.staff, folder }
    }

    pub(crate) fn folders(&self) -> Folders {
        folders(&self.folder)
    }

    /// Closes the device and opens it on a disk with a seam, at which a test lets it fail.
    pub(crate) fn open_on(self, disk: impl FnOnce(Disk) -> Disk) -> Self {
        let Self { device, manager, folder } = self;
        device.close();
        let folders = folders(&folder);
        let disk = disk(Disk::folder(&folders.data));
        let device = Device::open_on(&folders, disk, Clock::machine(NOON)).unwrap();
        Self { device, manager, folder }
    }
}

fn folders(folder: &TempDir) -> Folders {
    let [data, state, runtime] = ["data", "state", "runtime"].map(|name| folder.path().join(name));
    Folders { data, state, runtime }
}
