//! This device's keys, where they are kept, and how a restored copy of them is noticed.
//!
//! A device has one identity for ever (its network key), one X25519 identity to which secrets are
//! sealed, and one log key per *incarnation*. Two copies of a folder would sign two different
//! entries at one place of one log. So a second, small file stands outside the data folder and
//! says how far the log was written: where it is missing, or is ahead of the data folder, the
//! folder is a copy, and the device begins a new log before it writes anything.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use mar::fact::{EarlierHead, LogStart};
use zeroize::Zeroizing;

use crate::entry::{DeviceId, Hash, HomeId, LogId, LogKey, signature_holds};

const FIRST_LINE: &str = "medround device keys 1";
const CERTIFICATE_DOMAIN: &[u8] = b"medround log certificate 1";

/// Why the keys could not be read, made or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// The file is not one of keys, or was cut or changed.
    #[error(
        "{path} is damaged: it holds this device's keys. Nothing was changed. Restore it from a \
         backup; or leave the folder as it is, take this device out of the home on another one \
         (medroundctl revoke DEVICE --reason TEXT), and join the home anew in an empty folder"
    )]
    Damaged {
        /// The file.
        path: String,
    },
    /// The file is not there.
    #[error(
        "{path} is missing: it holds this device's keys, and without them the record beside it is \
         not opened. Bring the file back. If it is lost, leave the folder as it is, take this \
         device out of the home on another one (medroundctl revoke DEVICE --reason TEXT), and join the home anew in an \
         empty folder"
    )]
    Missing {
        /// The file.
        path: String,
    },
    /// The file could not be read or written.
    #[error(
        "{path} could not be read or written ({source}): see that this user may, and try again"
    )]
    Io {
        /// The file.
        path: String,
        /// The operating system's words.
        source: io::Error,
    },
}

/// The secret keys of this device.
pub struct Keys {
    device: Zeroizing<[u8; 32]>,
    sealing: age::x25519::Identity,
    log: Zeroizing<[u8; 32]>,
    incarnation: u32,
    file: Option<PathBuf>,
    draws: Draws,
}

/// Where later random bytes come from.
enum Draws {
    System,
    Seeded { seed: Zeroizing<[u8; 32]>, count: u64 },
}

impl Draws {
    fn next(&mut self) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
        match self {
            Self::System => random(),
            Self::Seeded { seed, count } => {
                *count += 1;
                Ok(Zeroizing::new(blake3::keyed_hash(seed, &count.to_be_bytes()).into()))
            }
        }
    }
}

impl Keys {
    /// Makes new keys that are kept nowhere.
    ///
    /// # Errors
    ///
    /// Returns [`KeyFault::Random`] if the operating system gives no random bytes.
    pub fn generate() -> Result<Self, KeyFault> {
        Ok(Self {
            device: random()?,
            sealing: age::x25519::Identity::generate(),
            log: random()?,
            incarnation: 0,
            file: None,
            draws: Draws::System,
        })
    }

    /// Makes new keys and keeps them in a file that only this user may read.
    ///
    /// # Errors
    ///
    /// Returns why they could not be made or kept. A file that is there already is never written
    /// over.
    pub fn create(path: &Path) -> Result<Self, KeyFault> {
        if path.exists() {
            return Err(fault(path, io::ErrorKind::AlreadyExists.into()));
        }
        let mut keys = Self::generate()?;
        keys.file = Some(path.to_owned());
        keys.keep()?;
        Ok(keys)
    }

    /// Reads the keys from their file.
    ///
    /// # Errors
    ///
    /// Returns why they could not be read.
    pub fn load(path: &Path) -> Result<Self, KeyFault> {
        let mut text = Zeroizing::new(String::new());
        File::open(path)
            .and_then(|mut file| {
                only_this_user(&file)?;
                file.read_to_string(&mut text)
            })
            .map_err(|source| fault(path, source))?;
        let damaged = || KeyFault::Damaged { path: path.display().to_string() };
        let mut keys = Self::parse(&text).ok_or_else(damaged)?;
        keys.file = Some(path.to_owned());
        Ok(keys)
    }

    /// Returns the same keys, kept nowhere: for a look at a copy of the data, such as a backup that
    /// is tried out, which must not change the keys of the device.
    #[must_use]
    pub fn unkept(mut self) -> Self {
        self.file = None;
        self
    }

    /// Returns the same keys, which draw what comes later from a seed: the ids that a record makes
    /// and the log keys of later incarnations. It is for a home that is played through a second
    /// time and has to come out the same. Whoever knows the seed can write as this device, so no
    /// home of real people is run with it.
    #[must_use]
    pub fn drawing_from(mut self, seed: [u8; 32]) -> Self {
        self.draws = Draws::Seeded { seed: Zeroizing::new(seed), count: 0 };
        self
    }

    /// Returns 32 random bytes from where these keys draw.
    pub(crate) fn draw(&mut self) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
        self.draws.next()
    }

    /// Returns this device's identity: the public half of its network key.
    pub fn device(&self) -> DeviceId {
        DeviceId(LogKey::from_seed(&self.device).log().0)
    }

    /// Returns the 32 secret bytes of the network key.
    pub fn device_seed(&self) -> &[u8; 32] {
        &self.device
    }

    /// Returns the age recipient to which this device's secrets are sealed, as text.
    pub fn recipient(&self) -> String {
        self.sealing.to_public().to_string()
    }

    /// Returns the identity that opens what is sealed to [`Keys::recipient`].
    pub fn sealing(&self) -> &age::x25519::Identity {
        &self.sealing
    }

    /// Returns the key of the log that this incarnation writes.
    pub fn log_key(&self) -> LogKey {
        LogKey::from_seed(&self.log)
    }

    /// Returns which incarnation this is, from 0.
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// Begins the next incarnation with a log key of its own, and keeps it before anything is
    /// signed.
    ///
    /// # Errors
    ///
    /// Returns why the new key could not be made or kept; the old one stands then.
    pub(crate) fn reincarnate(&mut self) -> Result<(), KeyFault> {
        self.reincarnate_at(self.incarnation.saturating_add(1))
    }

    /// Begins an incarnation with this number, which is above all that are known.
    pub(crate) fn reincarnate_at(&mut self, incarnation: u32) -> Result<(), KeyFault> {
        let earlier = (self.log.clone(), self.incarnation);
        self.log = self.draw()?;
        self.incarnation = incarnation;
        self.keep().inspect_err(|_| (self.log, self.incarnation) = earlier)
    }

    /// Returns the certificate with which this device's log of this incarnation starts.
    pub fn start_log(&self, home: &HomeId, earlier: Option<EarlierHead>) -> LogStart {
        let mut start = LogStart {
            device: self.device(),
            incarnation: self.incarnation,
            earlier,
            certificate: [0; 64],
        };
        let message = certificate_message(home, &self.log_key().log(), &start);
        start.certificate = LogKey::from_seed(&self.device).sign(&message);
        start
    }

    fn keep(&self) -> Result<(), KeyFault> {
        let Some(path) = &self.file else { return Ok(()) };
        write_private(path, self.text().as_bytes()).map_err(|source| fault(path, source))
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!(
            "{FIRST_LINE}\ndevice {}\nsealing {}\nincarnation {}\nlog {}\n",
            *hex(&*self.device),
            self.sealing.to_string().expose_secret(),
            self.incarnation,
            *hex(&*self.log),
        ));
        let sum = check_sum(&text);
        text.push_str(&format!("sum {sum}\n"));
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let (body, sum) = text.rsplit_once("sum ")?;
        if sum.trim_end() != check_sum(body) {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        Some(Self {
            device: unhex(field("device")?)?,
            sealing: age::x25519::Identity::from_str(field("sealing")?).ok()?,
            incarnation: field("incarnation")?.parse().ok()?,
            log: unhex(field("log")?)?,
            file: None,
            draws: Draws::System,
        })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("device", &self.device())
            .field("incarnation", &self.incarnation)
            .finish_non_exhaustive()
    }
}

/// Returns whether a device's key vouches for a log in this home.
pub(crate) fn certificate_holds(home: &HomeId, log: &LogId, start: &LogStart) -> bool {
    let message = certificate_message(home, log, start);
    signature_holds(&start.device.0, &message, &start.certificate)
}

fn certificate_message(home: &HomeId, log: &LogId, start: &LogStart) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend_from_slice(CERTIFICATE_DOMAIN);
    message.extend_from_slice(&home.0);
    message.extend_from_slice(&log.0);
    message.extend_from_slice(&start.device.0);
    message.extend_from_slice(&start.incarnation.to_be_bytes());
    if let Some(earlier) = start.earlier {
        message.extend_from_slice(&earlier.log.0);
        message.extend_from_slice(&earlier.sequence.to_be_bytes());
        message.extend_from_slice(&earlier.hash);
    }
    message
}

/// How far this device wrote its log, as the file outside the data folder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HighWater {
    /// The incarnation.
    pub incarnation: u32,
    /// The last sequence written.
    pub sequence: u64,
    /// The hash of that entry.
    pub hash: Hash,
}

/// The small file outside the data folder, or nothing where there is none to be kept.
#[derive(Debug)]
pub struct StateFile(Option<PathBuf>);

impl StateFile {
    /// Returns the file at this path; the folder is made when it is first written.
    pub fn at(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// Returns one that is never there: every start on a used folder is then a new incarnation.
    pub fn nowhere() -> Self {
        Self(None)
    }

    /// Returns what the file says, or `None` if it is missing or not whole.
    pub(crate) fn read(&self) -> Option<HighWater> {
        let bytes = std::fs::read(self.0.as_ref()?).ok()?;
        let (body, sum) = bytes.split_at_checked(44)?;
        if sum != &blake3::derive_key("medround high water 1", body)[..16] {
            return None;
        }
        Some(HighWater {
            incarnation: u32::from_be_bytes(body[..4].try_into().ok()?),
            sequence: u64::from_be_bytes(body[4..12].try_into().ok()?),
            hash: Hash(body[12..].try_into().ok()?),
        })
    }

    /// Writes how far the log goes. Not synced: after a power cut it may say less, which does no
    /// harm, and a copy of the data folder is not made in a power cut.
    pub(crate) fn write(&self, water: &HighWater) -> io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        let mut bytes = Vec::with_capacity(60);
        bytes.extend_from_slice(&water.incarnation.to_be_bytes());
        bytes.extend_from_slice(&water.sequence.to_be_bytes());
        bytes.extend_from_slice(&water.hash.0);
        let sum = blake3::derive_key("medround high water 1", &bytes);
        bytes.extend_from_slice(&sum[..16]);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        file.write_all(&bytes)
    }
}

/// Returns `N` random bytes from the operating system.
///
/// # Errors
///
/// Returns [`KeyFault::Random`] if it gives none.
pub fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeyFault> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(KeyFault::Random)?;
    Ok(bytes)
}

fn fault(path: &Path, source: io::Error) -> KeyFault {
    let path = path.display().to_string();
    if source.kind() == io::ErrorKind::NotFound {
        KeyFault::Missing { path }
    } else if source.kind() == io::ErrorKind::InvalidData {
        // Bytes that are no text were never written here.
        KeyFault::Damaged { path }
    } else {
        KeyFault::Io { path, source }
    }
}

/// Writes a file that only this user may read, whole or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    only_this_user(&file)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn only_this_user(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

/// On Windows a file in the user's own folder is the user's own.
#[cfg(not(unix))]
fn only_this_user(_file: &File) -> io::Result<()> {
    Ok(())
}

fn check_sum(text: &str) -> String {
    let sum = blake3::derive_key("medround device keys 1", text.as_bytes());
    sum[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn unhex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_come_back_from_a_file_that_only_this_user_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let mut made = Keys::create(&path).unwrap();
        made.reincarnate().unwrap();
        let read = Keys::load(&path).unwrap();
        assert_eq!(read.device(), made.device());
        assert_eq!(read.recipient(), made.recipient());
        assert_eq!(read.log_key().log(), made.log_key().log());
        assert_eq!(read.incarnation(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(matches!(Keys::create(&path), Err(KeyFault::Io { .. })));
    }

    #[test]
    fn a_file_of_keys_with_any_byte_changed_is_refused() {
        let text = Keys::generate().unwrap().text();
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                // A changed space or line end after the sum leaves the keys as they are.
                assert!(Keys::parse(&changed).is_none() || at == text.len() - 1, "byte {at}");
            }
        }
    }

    #[test]
    fn a_certificate_holds_for_its_log_its_device_and_its_home_only() {
        let home = HomeId([1; 32]);
        let keys = Keys::generate().unwrap();
        let log = keys.log_key().log();
        let earlier = EarlierHead { log: LogId([2; 32]), sequence: 9, hash: [3; 32] };
        let start = keys.start_log(&home, Some(earlier));
        assert!(certificate_holds(&home, &log, &start));
        assert!(!certificate_holds(&HomeId([2; 32]), &log, &start));
        assert!(!certificate_holds(&home, &LogId([9; 32]), &start));
        let mut other = start.clone();
        other.incarnation += 1;
        assert!(!certificate_holds(&home, &log, &other));
        let mut other = start.clone();
        other.earlier = None;
        assert!(!certificate_holds(&home, &log, &other));
        let mut other = start;
        other.device = Keys::generate().unwrap().device();
        assert!(!certificate_holds(&home, &log, &other));
    }

    #[test]
    fn the_high_water_mark_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state").join("high-water");
        let file = StateFile::at(path.clone());
        assert_eq!(file.read(), None);
        let water = HighWater { incarnation: 2, sequence: 77, hash: Hash([4; 32]) };
        file.write(&water).unwrap();
        assert_eq!(file.read(), Some(water));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[5] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(file.read(), None);
        assert_eq!(StateFile::nowhere().read(), None);
    }
}
