//! What stands in a data folder: a device, nothing, or what is left of one.
//!
//! One folder is one device. A home is founded or joined only where no device was before: what an
//! earlier one left, without its log, is the trace of a record that may still be found.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use store::backend::{Disk, FileKind, FolderLock, OpenFault};

use crate::running::{Folders, StartFault};

/// Where a home or a copy of one is made before it is moved into place.
const MAKING: [&str; 2] = ["founding", "joining"];

/// What stands in a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No device was ever here, or one that was not finished.
    Free,
    /// The move of a finished device into its place was cut off: it was never told to anybody.
    HalfMoved,
    /// A device.
    Device,
    /// A device was here and its log is gone; these of its files are left.
    LogGone {
        /// Their names.
        left: String,
    },
}

/// Looks at a data folder. Touches nothing.
///
/// # Errors
///
/// Returns that the folder may not be looked at.
pub(crate) fn look(data: &Path) -> Result<Standing, OpenFault> {
    let there = |path: PathBuf| path.try_exists().map_err(|fault| open_fault(data, fault));
    if there(data.join(FileKind::Log.name()))? {
        return Ok(Standing::Device);
    }
    let mut left = Vec::new();
    for name in beside_the_log() {
        if there(data.join(&name))? {
            left.push(name);
        }
    }
    if left.is_empty() {
        return Ok(Standing::Free);
    }
    for making in MAKING {
        let inside = data.join(making);
        // The keys are moved first and the log last, so this log belongs to those keys.
        let moved = !there(Folders::keys_file(&inside))? && there(Folders::keys_file(data))?;
        if moved && there(inside.join(FileKind::Log.name()))? {
            return Ok(Standing::HalfMoved);
        }
    }
    let names: Vec<String> = left.iter().map(|name| name.display().to_string()).collect();
    Ok(Standing::LogGone { left: mar::words::list(&names) })
}

/// Returns that a folder holds no device that can be opened, if it does not.
pub(crate) fn must_hold_a_device(data: &Path) -> Result<(), OpenFault> {
    let folder = data.display().to_string();
    match look(data)? {
        Standing::Device => Ok(()),
        Standing::Free | Standing::HalfMoved => Err(OpenFault::NoHome { folder }),
        Standing::LogGone { left } => Err(OpenFault::LogGone { folder, left }),
    }
}

fn must_be_free(data: &Path) -> Result<(), OpenFault> {
    let folder = data.display().to_string();
    match look(data)? {
        Standing::Free | Standing::HalfMoved => Ok(()),
        Standing::Device => Err(OpenFault::HomeExists { folder }),
        Standing::LogGone { left } => Err(OpenFault::LogGone { folder, left }),
    }
}

/// The files of a device beside its log, in the order in which they are moved into place.
fn beside_the_log() -> [PathBuf; 3] {
    let keys = Folders::keys_file(Path::new(""));
    [keys, FileKind::Local.name().into(), FileKind::Views.name().into()]
}

/// A folder in which a home, or a copy of one, is made before it is moved into place. Nobody else
/// makes one in the same data folder meanwhile.
#[derive(Debug)]
pub(crate) struct Making {
    data: PathBuf,
    inside: PathBuf,
    _lock: FolderLock,
}

impl Making {
    /// Begins in a data folder that holds no home. What an earlier attempt left is cleared away,
    /// and so is what the state folder says of a device that was in this folder before.
    pub(crate) fn begin(folders: &Folders, name: &str) -> Result<Self, StartFault> {
        let data = &folders.data;
        must_be_free(data)?;
        let lock = Disk::folder(data).lock()?;
        must_be_free(data)?;
        let inside = data.join(name);
        let made = clear(data).and_then(|()| fs::create_dir(&inside));
        made.map_err(|fault| open_fault(data, fault))?;
        folders.forget_state().map_err(|fault| open_fault(&folders.state, fault))?;
        Ok(Self { data: data.to_owned(), inside, _lock: lock })
    }

    /// Returns the folders of the device that is being made.
    pub(crate) fn folders(&self, folders: &Folders) -> Folders {
        Folders { data: self.inside.clone(), ..folders.clone() }
    }

    /// Moves everything into place, the log last: from then on there is a home.
    pub(crate) fn settle(self) -> Result<(), OpenFault> {
        let log = PathBuf::from(FileKind::Log.name());
        let moved = beside_the_log().iter().chain([&log]).try_for_each(|name| {
            if *name == log {
                sync_folder(&self.data)?;
            }
            fs::rename(self.inside.join(name), self.data.join(name))
        });
        let moved = moved.and_then(|()| sync_folder(&self.data));
        moved.map_err(|fault| open_fault(&self.data, fault))?;
        self.abandon();
        Ok(())
    }

    /// Clears the folder away.
    pub(crate) fn abandon(self) {
        if let Err(fault) = fs::remove_dir_all(&self.inside) {
            tracing::warn!(%fault, "an unfinished folder is left behind");
        }
    }
}

/// Clears away what was begun in a folder and not finished. What was moved into place already goes
/// first, so that a cut in the midst of this is seen for what it is.
fn clear(data: &Path) -> io::Result<()> {
    let gone = |removed: io::Result<()>| match removed {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        Ok(()) | Err(_) => Ok(()),
    };
    for name in beside_the_log().iter().rev() {
        gone(fs::remove_file(data.join(name)))?;
    }
    sync_folder(data)?;
    MAKING.iter().try_for_each(|making| gone(fs::remove_dir_all(data.join(making))))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn open_fault(data: &Path, fault: io::Error) -> OpenFault {
    use io::ErrorKind::{
        AlreadyExists, NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    if [StorageFull, QuotaExceeded].contains(&fault.kind()) {
        OpenFault::DiskFull
    } else if [NotADirectory, AlreadyExists].contains(&fault.kind()) {
        OpenFault::NoFolder { folder: data.display().to_string() }
    } else if [PermissionDenied, ReadOnlyFilesystem].contains(&fault.kind()) {
        OpenFault::NotWritable { folder: data.display().to_string() }
    } else {
        OpenFault::Io { file: FileKind::Log.name(), source: fault }
    }
}
