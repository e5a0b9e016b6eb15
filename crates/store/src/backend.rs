//! Where the store's bytes are: three files in a folder, or the same three in memory.
//!
//! redb writes through `Backend`, which puts a physical header of 4 KiB before redb's own bytes
//! and calls the seam of [`faults`] before each operation, so that tests decide which one fails.
//!
//! ```text
//! offset  bytes  physical header
//!      0     12  magic
//!     12      1  format, as in an entry
//!     13      1  kind of file: 1 log, 2 views, 3 local
//!     14      1  sealing of the blocks that follow: 0 plain
//!     15     16  database id, random
//!     31     32  BLAKE3 of the bytes before
//!   4096      -  redb's bytes
//! ```

pub mod faults;
mod file;
pub mod memory;
mod overlay;

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use redb::StorageBackend as _;

use crate::entry::FORMAT;
use faults::{Counts, Operation, Seam};
pub(crate) use file::Backend;
use file::Medium;
use memory::MemoryDisk;
pub(crate) use overlay::Overlay;

/// Bytes before redb's own.
pub(crate) const PHYSICAL_HEADER: u64 = 4096;
const MAGIC: &[u8; 12] = b"medround\r\n\x1a\n";
const PLAIN: u8 = 0;
const LOCK_FILE: &str = "medround.lock";

/// One of the store's three files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// The entries: precious.
    Log,
    /// What is folded from the entries: may be deleted at any time.
    Views,
    /// What belongs to this device alone: never copied, can be lost without loss of care.
    Local,
}

impl FileKind {
    /// Returns the file's name in its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log.redb",
            Self::Views => "views.redb",
            Self::Local => "local.redb",
        }
    }

    fn new_name(self) -> String {
        format!("{}.new", self.name())
    }

    fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Views => 2,
            Self::Local => 3,
        }
    }
}

/// Why the store, or one of its files, could not be opened or created.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// Another process holds the folder's lock.
    #[error(
        "Medround is already running on {folder}; use the one that is running, or close it first"
    )]
    AlreadyOpen {
        /// The folder.
        folder: String,
    },
    /// There is no log in the folder.
    #[error(
        "there is no home in {folder}: set one up there (medroundctl setup), join one (medroundctl join), or name the folder that holds one with --data DIR"
    )]
    NoHome {
        /// The folder.
        folder: String,
    },
    /// A device was in the folder, and its log is no longer there.
    #[error(
        "the record is gone from {folder}: log.redb is missing, and {left} of the same device is \
         there. Bring log.redb back to this folder. If it is lost, leave the folder as it is, take \
         this device out of the home on another one (medroundctl revoke DEVICE --reason TEXT), and join the home anew \
         in an empty folder"
    )]
    LogGone {
        /// The folder.
        folder: String,
        /// What is left in it.
        left: String,
    },
    /// A home was to be set up where one is.
    #[error("there is a home in {folder} already; choose an empty folder for a new one")]
    HomeExists {
        /// The folder.
        folder: String,
    },
    /// The file does not begin as a file of Medround does.
    #[error("{file} is not a file of Medround; move it away, or name another folder")]
    NotOurs {
        /// The file.
        file: &'static str,
    },
    /// Written before the first release, in a format that has changed since.
    #[error(
        "{file} is of development format {found}, which this version does not read (it reads \
         {FORMAT}); set the home up again in an empty folder"
    )]
    OlderFormat {
        /// The file.
        file: &'static str,
        /// Its format byte.
        found: u8,
    },
    /// Written by a later version.
    #[error(
        "{file} was written by a newer version of Medround (format {found}); update this device"
    )]
    NewerFormat {
        /// The file.
        file: &'static str,
        /// Its format byte.
        found: u8,
    },
    /// The file ends before its content does.
    #[error(
        "{file} is cut short. Nothing was changed. Restore it from a backup; or leave the folder as \
         it is, take this device out of the home on another one (medroundctl revoke DEVICE --reason TEXT), and join the \
         home anew in an empty folder"
    )]
    CutShort {
        /// The file.
        file: &'static str,
    },
    /// The file's content contradicts itself.
    #[error(
        "{file} is damaged ({what}). Nothing was changed. Restore it from a backup; or leave the \
         folder as it is, take this device out of the home on another one (medroundctl revoke DEVICE --reason TEXT), \
         and join the home anew in an empty folder"
    )]
    Damaged {
        /// The file.
        file: &'static str,
        /// What was found.
        what: String,
    },
    /// The folder or a file in it may not be written.
    #[error("{folder} may not be written by this user; change its permissions or name another")]
    NotWritable {
        /// The folder.
        folder: String,
    },
    /// What was named is a file, or lies where no folder can be made.
    #[error("{folder} is no folder, and none can be made there; name another one with --data")]
    NoFolder {
        /// What was named.
        folder: String,
    },
    /// There is no room left.
    #[error("the disk is full; free some room and start again, nothing was lost")]
    DiskFull,
    /// Anything else that the operating system says of a file.
    #[error(
        "{file} could not be read or written ({source}); nothing was lost. See that the disk is \
         well, and try again"
    )]
    Io {
        /// The file.
        file: &'static str,
        /// The operating system's words.
        source: io::Error,
    },
}

#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    Memory(MemoryDisk),
}

/// The place where a home's files are, with the seam through which tests make it fail.
///
/// Clones are the same place.
#[derive(Debug, Clone)]
pub struct Disk {
    place: Place,
    seam: Arc<Seam>,
    /// Pages whose sync failed: the system may show them and yet never write them.
    suspect: Arc<Mutex<Vec<Suspect>>>,
}

/// A file and pages of it.
type Suspect = (FileKind, BTreeSet<u64>);

impl Disk {
    /// Returns the place in this folder of the file system. Nothing is touched yet.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::at(Place::Folder(path.into()))
    }

    /// Returns the place in memory that tests cut the power of.
    pub fn memory(disk: &MemoryDisk) -> Self {
        Self::at(Place::Memory(disk.clone()))
    }

    fn at(place: Place) -> Self {
        Self { place, seam: Arc::default(), suspect: Arc::default() }
    }

    /// Returns the seam: what it counted so far, and where faults are planned.
    pub fn seam(&self) -> &Seam {
        &self.seam
    }

    /// Returns how many operations each file saw.
    pub fn counts(&self, kind: FileKind) -> Counts {
        self.seam.counts(kind)
    }

    /// Returns the place as a person would name it.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Folder(path) => path.display().to_string(),
            Place::Memory(_) => "memory".to_owned(),
        }
    }

    /// Makes the folder if it is not there, and takes its lock for as long as the result lives.
    ///
    /// # Errors
    ///
    /// Returns [`OpenFault::AlreadyOpen`] if another process has it, or why it cannot be had.
    pub fn lock(&self) -> Result<FolderLock, OpenFault> {
        match &self.place {
            Place::Memory(disk) => match disk.lock() {
                Some(lock) => Ok(FolderLock { _memory: Some(lock), _file: None }),
                None => Err(OpenFault::AlreadyOpen { folder: self.name() }),
            },
            Place::Folder(path) => {
                let fault = |source| self.fault(LOCK_FILE, source);
                std::fs::create_dir_all(path).map_err(fault)?;
                let file = OpenOptions::new()
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .open(path.join(LOCK_FILE))
                    .map_err(fault)?;
                match file.try_lock() {
                    Ok(()) => Ok(FolderLock { _memory: None, _file: Some(file) }),
                    Err(TryLockError::WouldBlock) => {
                        Err(OpenFault::AlreadyOpen { folder: self.name() })
                    }
                    Err(TryLockError::Error(source)) => Err(fault(source)),
                }
            }
        }
    }

    /// Returns whether the file is there under its final name.
    pub(crate) fn exists(&self, kind: FileKind) -> bool {
        match &self.place {
            Place::Folder(path) => path.join(kind.name()).exists(),
            Place::Memory(disk) => disk.open(kind.name()).is_some(),
        }
    }

    /// Returns how many bytes a file has, 0 when that cannot be told.
    pub(crate) fn length(&self, kind: FileKind) -> u64 {
        match &self.place {
            Place::Folder(path) => {
                std::fs::metadata(path.join(kind.name())).map_or(0, |file| file.len())
            }
            Place::Memory(disk) => disk.open(kind.name()).map_or(0, |file| file.len()),
        }
    }

    /// Returns that there is no log, and what there is of a device without one.
    pub(crate) fn without_log(&self) -> OpenFault {
        let left = [FileKind::Views, FileKind::Local].into_iter().filter(|kind| self.exists(*kind));
        let left: Vec<&str> = left.map(FileKind::name).collect();
        if left.is_empty() {
            OpenFault::NoHome { folder: self.name() }
        } else {
            OpenFault::LogGone { folder: self.name(), left: left.join(" and ") }
        }
    }

    /// Begins a file under a name that nobody opens; [`Disk::publish`] gives it its own.
    pub(crate) fn create(&self, kind: FileKind, id: [u8; 16]) -> Result<Backend, OpenFault> {
        let fault = |source| self.fault(kind.name(), source);
        self.seam.before(kind, Operation::Create).and_then(|step| step.plain()).map_err(fault)?;
        let medium = match &self.place {
            Place::Folder(path) => own_file()
                .open(path.join(kind.new_name()))
                .map(|file| Medium::File(Arc::new(file)))
                .map_err(fault)?,
            Place::Memory(disk) => Medium::Memory(disk.create(&kind.new_name())),
        };
        let backend = self.backend(kind, medium);
        backend.set_physical_len(PHYSICAL_HEADER).map_err(fault)?;
        backend.write_physical(0, &header(kind, id)).map_err(fault)?;
        backend.sync_data().map_err(fault)?;
        Ok(backend)
    }

    /// Gives a file that is complete and closed its own name, in place of any earlier one, and
    /// makes that durable.
    pub(crate) fn publish(&self, kind: FileKind) -> Result<(), OpenFault> {
        let fault = |source| self.fault(kind.name(), source);
        self.seam.before(kind, Operation::Rename).and_then(|step| step.plain()).map_err(fault)?;
        match &self.place {
            Place::Folder(path) => {
                std::fs::rename(path.join(kind.new_name()), path.join(kind.name()))
                    .map_err(fault)?;
            }
            Place::Memory(disk) => disk.rename(&kind.new_name(), kind.name()),
        }
        self.sync_folder(kind)
    }

    /// Removes a file that can be rebuilt, if it is there.
    pub(crate) fn remove(&self, kind: FileKind) -> Result<(), OpenFault> {
        assert!(kind != FileKind::Log, "the log is never removed");
        let fault = |source| self.fault(kind.name(), source);
        self.seam.before(kind, Operation::Remove).and_then(|step| step.plain()).map_err(fault)?;
        match &self.place {
            Place::Folder(path) => match std::fs::remove_file(path.join(kind.name())) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(fault(source));
                }
                Ok(()) | Err(_) => {}
            },
            Place::Memory(disk) => disk.remove(kind.name()),
        }
        self.sync_folder(kind)
    }

    fn sync_folder(&self, kind: FileKind) -> Result<(), OpenFault> {
        let fault = |source| self.fault(kind.name(), source);
        self.seam
            .before(kind, Operation::SyncFolder)
            .and_then(|step| step.plain())
            .map_err(fault)?;
        match &self.place {
            // Windows has no sync of folders: its renames are journalled.
            Place::Folder(path) if cfg!(unix) => {
                File::open(path).and_then(|folder| folder.sync_all()).map_err(fault)
            }
            Place::Folder(_) => Ok(()),
            Place::Memory(disk) => {
                disk.sync_folder();
                Ok(())
            }
        }
    }

    /// Opens a file under its own name after a look at its header.
    pub(crate) fn open(&self, kind: FileKind) -> Result<Backend, OpenFault> {
        let backend = self.look(kind)?;
        backend.rewrite_suspect().map_err(|source| self.fault(kind.name(), source))?;
        Ok(backend)
    }

    /// The same for one who only looks, while the file may be open: nothing is written.
    pub(crate) fn look(&self, kind: FileKind) -> Result<Backend, OpenFault> {
        let fault = |source| self.fault(kind.name(), source);
        let medium = match &self.place {
            Place::Folder(path) => OpenOptions::new()
                .read(true)
                .write(true)
                .open(path.join(kind.name()))
                .map(|file| Medium::File(Arc::new(file)))
                .map_err(fault)?,
            Place::Memory(disk) => match disk.open(kind.name()) {
                Some(file) => Medium::Memory(file),
                None => return Err(fault(io::ErrorKind::NotFound.into())),
            },
        };
        let backend = self.backend(kind, medium);
        self.check_header(&backend)?;
        Ok(backend)
    }

    fn check_header(&self, backend: &Backend) -> Result<(), OpenFault> {
        let file = backend.kind.name();
        let fault = |source| self.fault(file, source);
        let length = backend.physical_len().map_err(fault)?;
        let mut bytes = [0; 63];
        let at_hand = bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        backend.read_physical(0, &mut bytes[..at_hand]).map_err(fault)?;
        if at_hand == 0 {
            return Err(OpenFault::CutShort { file });
        }
        let magic = MAGIC.len().min(at_hand);
        if bytes[..magic] != MAGIC[..magic] {
            return Err(OpenFault::NotOurs { file });
        }
        if length <= PHYSICAL_HEADER {
            return Err(OpenFault::CutShort { file });
        }
        match bytes[12].cmp(&FORMAT) {
            std::cmp::Ordering::Less => {
                return Err(OpenFault::OlderFormat { file, found: bytes[12] });
            }
            std::cmp::Ordering::Greater => {
                return Err(OpenFault::NewerFormat { file, found: bytes[12] });
            }
            std::cmp::Ordering::Equal => {}
        }
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[15..31]);
        if bytes != header(backend.kind, id)[..63] {
            let what = "its first block does not fit its check sum or its name".to_owned();
            return Err(OpenFault::Damaged { file, what });
        }
        Ok(())
    }

    fn backend(&self, kind: FileKind, medium: Medium) -> Backend {
        Backend::new(kind, medium, self.clone())
    }

    /// Words what the operating system said of a file.
    pub(crate) fn fault(&self, file: &'static str, source: io::Error) -> OpenFault {
        let kind = source.kind();
        if is_full(kind) {
            OpenFault::DiskFull
        } else if [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem]
            .contains(&kind)
        {
            OpenFault::NotWritable { folder: self.name() }
        } else if [io::ErrorKind::NotADirectory, io::ErrorKind::AlreadyExists].contains(&kind)
            || kind == io::ErrorKind::NotFound && file == LOCK_FILE
        {
            OpenFault::NoFolder { folder: self.name() }
        } else if kind == io::ErrorKind::NotFound && file == FileKind::Log.name() {
            OpenFault::NoHome { folder: self.name() }
        } else {
            OpenFault::Io { file, source }
        }
    }
}

/// Whether the operating system says that there is no room.
pub(crate) fn is_full(kind: io::ErrorKind) -> bool {
    [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded].contains(&kind)
}

/// Held for as long as a folder is open.
#[derive(Debug)]
pub struct FolderLock {
    _memory: Option<memory::MemoryLock>,
    _file: Option<File>,
}

/// How a file is made that only this user may read: it holds what is told of residents.
fn own_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn header(kind: FileKind, id: [u8; 16]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4096);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[FORMAT, kind.byte(), PLAIN]);
    bytes.extend_from_slice(&id);
    let sum = blake3::derive_key("medround file header 1", &bytes);
    bytes.extend_from_slice(&sum);
    bytes.resize(4096, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(log: &[u8]) -> (tempfile::TempDir, Disk) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("log.redb"), log).unwrap();
        let disk = Disk::folder(folder.path());
        (folder, disk)
    }

    fn says(log: &[u8], sentence: &str) {
        let (_folder, disk) = folder_with(log);
        let fault = disk.open(FileKind::Log).unwrap_err().to_string();
        assert!(fault.contains(sentence), "{fault}");
    }

    #[test]
    fn a_file_that_is_not_a_store_of_this_format_is_refused_with_what_to_do() {
        let mut good = header(FileKind::Log, [5; 16]);
        good.extend_from_slice(&[0; 4096]);
        says(b"SQLite format 3\0", "move it away");
        says(b"", "Restore it from a backup");
        says(&good[..4096], "Restore it from a backup");
        let mut older = good.clone();
        older[12] = 0;
        says(&older, "set the home up again");
        let mut newer = good.clone();
        newer[12] = FORMAT + 1;
        says(&newer, "update this device");
        let mut flipped = good.clone();
        flipped[20] ^= 1;
        says(&flipped, "damaged");
        let mut views = header(FileKind::Views, [5; 16]);
        views.resize(8192, 0);
        says(&views, "damaged");
        let (_folder, disk) = folder_with(&good);
        assert!(disk.open(FileKind::Log).is_ok());
    }

    #[test]
    fn a_second_start_on_the_same_folder_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::folder(folder.path());
        let first = disk.lock().unwrap();
        let second = Disk::folder(folder.path()).lock();
        assert!(matches!(second, Err(OpenFault::AlreadyOpen { .. })));
        drop(first);
        assert!(disk.lock().is_ok());
    }

    #[test]
    fn what_a_failed_sync_left_in_doubt_is_written_again_before_it_is_believed() {
        let memory = MemoryDisk::default();
        let disk = Disk::memory(&memory);
        let backend = disk.create(FileKind::Views, [1; 16]).unwrap();
        disk.publish(FileKind::Views).unwrap();
        backend.set_len(8192).unwrap();
        backend.sync_data().unwrap();
        backend.write(10, b"dose").unwrap();
        disk.seam().fail_once(Operation::Sync, io::ErrorKind::Other);
        assert!(backend.sync_data().is_err());
        let lost = memory.power_cut(&mut |_| 0);
        assert_eq!(read_dose(&Disk::memory(&lost).open(FileKind::Views).unwrap()), [0; 4]);

        disk.open(FileKind::Views).unwrap();
        let kept = memory.power_cut(&mut |_| 0);
        assert_eq!(read_dose(&Disk::memory(&kept).open(FileKind::Views).unwrap()), *b"dose");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_told_of_residents_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        drop(Disk::folder(folder.path()).create(FileKind::Log, [1; 16]).unwrap());
        let mode = std::fs::metadata(folder.path().join("log.redb.new")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    fn read_dose(backend: &Backend) -> [u8; 4] {
        let mut out = [0; 4];
        backend.read(10, &mut out).unwrap();
        out
    }
}
