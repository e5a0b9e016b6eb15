//! Facts about logs, devices and the home's secrets.

use crate::ids::{DeviceId, EntryId, HomeId, LogId};
use crate::staff::Act;
use crate::time::Timestamp;

/// Facts about which devices are the home's and what they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembershipFact {
    /// The first entry of every log.
    LogStarted(LogStart),
    /// The second entry of the first log: the only root of authority.
    HomeFounded(Founding),
    /// A device became one of the home's.
    DeviceEnrolled(Enrolled),
    /// A device was put out.
    DeviceRevoked(Revoked),
    /// A device ended cleanly (signed out, nothing prepared, everything receipted elsewhere) or
    /// came back from it (W-16).
    DeviceParked {
        /// Which.
        device: DeviceId,
        /// Whether it is parked from here on.
        parked: bool,
    },
    /// A numbered secret of the home, sealed to every device that may have it.
    SecretSealed(SealedSecret),
    /// What this version of the program can read on this device (W-08).
    DeviceReads {
        /// Which device.
        device: DeviceId,
        /// The program's version, for people.
        program: String,
        /// The kinds and versions it can read.
        accepts: Vec<Accepts>,
    },
}

impl MembershipFact {
    pub(super) const fn number(&self) -> u16 {
        match self {
            Self::LogStarted(_) => 1,
            Self::HomeFounded(_) => 2,
            Self::DeviceEnrolled(_) => 3,
            Self::DeviceRevoked(_) => 4,
            Self::DeviceParked { .. } => 5,
            Self::SecretSealed(_) => 6,
            Self::DeviceReads { .. } => 7,
        }
    }

    pub(super) const fn act(&self) -> Option<Act> {
        match self {
            Self::DeviceEnrolled(_) | Self::DeviceRevoked(_) | Self::SecretSealed(_) => {
                Some(Act::KeepDevices)
            }
            Self::LogStarted(_)
            | Self::HomeFounded(_)
            | Self::DeviceParked { .. }
            | Self::DeviceReads { .. } => None,
        }
    }
}

/// The start of a log: the device's identity key vouches for the log's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStart {
    /// Whose log it is.
    pub device: DeviceId,
    /// Counts the logs of this device from 0; a restored or cloned device starts the next.
    pub incarnation: u32,
    /// The head of the device's log before; `None` for the first.
    pub earlier: Option<EarlierHead>,
    /// The device key's signature over domain, home id, log id and the other fields.
    pub certificate: [u8; 64],
}

/// Where an earlier log of the same device stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierHead {
    /// The log.
    pub log: LogId,
    /// Its last sequence that the device knew.
    pub sequence: u64,
    /// That entry's full hash.
    pub hash: [u8; 32],
}

/// The founding of a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The home.
    pub home: HomeId,
    /// Its name when it was founded.
    pub name: String,
    /// Whether it is a practice home (H-34).
    pub practice: bool,
    /// The first device.
    pub device: DeviceKeys,
    /// The age recipient of the recovery key, as text.
    pub recovery_recipient: String,
}

/// A device with its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceKeys {
    /// Its identity.
    pub device: DeviceId,
    /// The age X25519 recipient that secrets are sealed to, as text.
    pub recipient: String,
    /// Its name in the home: `Trolley 1`.
    pub name: String,
}

/// What a device is in the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceRole {
    /// Records doses.
    Member,
    /// Holds the record; its log counts for its start and for access only.
    Observer,
}

/// The enrolment of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The device and its keys.
    pub keys: DeviceKeys,
    /// What it may do.
    pub role: DeviceRole,
}

/// The revocation of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Which.
    pub device: DeviceId,
    /// For each of its logs the last entry that is valid; none for a log not listed.
    pub last_valid: Vec<(LogId, u64, [u8; 32])>,
    /// Why.
    pub reason: String,
    /// When the manager did it.
    pub at: Timestamp,
}

/// A numbered secret of the home, sealed to each remaining device's recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// The generation, from 1.
    pub generation: u32,
    /// For whom it is sealed and the sealed bytes; observers get discovery secrets only.
    pub sealed: Vec<(DeviceId, Vec<u8>)>,
    /// The same, sealed to the home's recovery key.
    pub recovery: Vec<u8>,
    /// The revocation that made it necessary; `None` for the first, for one that was passed on,
    /// and where both were written in one commit.
    pub because: Option<EntryId>,
}

/// One kind that a device can read, up to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accepts {
    /// The kind's number.
    pub kind: u16,
    /// The highest version of it.
    pub version: u16,
}
