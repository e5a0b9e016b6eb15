//! Logs, devices and the home's secrets.

use mar::fact::{
    Accepts, DeviceKeys, DeviceRole, EarlierHead, Enrolled, Founding, LogStart, MembershipFact,
    Revoked, SealedSecret,
};
use mar::ids::{DeviceId, EntryId, HomeId, LogId};
use mar::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::parts::codes;

#[derive(Serialize, Deserialize)]
pub(super) struct LogStarted1 {
    device: [u8; 32],
    incarnation: u32,
    earlier: Option<Head1>,
    /// The 64 bytes of a signature: serde knows arrays of up to 32.
    certificate: ([u8; 32], [u8; 32]),
}

#[derive(Serialize, Deserialize)]
struct Head1 {
    log: [u8; 32],
    sequence: u64,
    hash: [u8; 32],
}

impl LogStarted1 {
    pub(super) fn of(start: &LogStart) -> Self {
        let mut certificate = ([0; 32], [0; 32]);
        certificate.0.copy_from_slice(&start.certificate[..32]);
        certificate.1.copy_from_slice(&start.certificate[32..]);
        Self {
            device: start.device.0,
            incarnation: start.incarnation,
            earlier: start.earlier.map(|head| Head1 {
                log: head.log.0,
                sequence: head.sequence,
                hash: head.hash,
            }),
            certificate,
        }
    }

    pub(super) fn read(self) -> Option<MembershipFact> {
        Some(MembershipFact::LogStarted(LogStart {
            device: DeviceId(self.device),
            incarnation: self.incarnation,
            earlier: self.earlier.map(|head| EarlierHead {
                log: LogId(head.log),
                sequence: head.sequence,
                hash: head.hash,
            }),
            certificate: [self.certificate.0, self.certificate.1].concat().try_into().ok()?,
        }))
    }
}

#[derive(Serialize, Deserialize)]
struct Device1 {
    device: [u8; 32],
    recipient: String,
    name: String,
}

impl Device1 {
    fn of(keys: &DeviceKeys) -> Self {
        Self { device: keys.device.0, recipient: keys.recipient.clone(), name: keys.name.clone() }
    }

    fn read(self) -> DeviceKeys {
        DeviceKeys { device: DeviceId(self.device), recipient: self.recipient, name: self.name }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct HomeFounded1 {
    home: [u8; 32],
    name: String,
    practice: bool,
    device: Device1,
    recovery_recipient: String,
}

impl HomeFounded1 {
    pub(super) fn of(founding: &Founding) -> Self {
        Self {
            home: founding.home.0,
            name: founding.name.clone(),
            practice: founding.practice,
            device: Device1::of(&founding.device),
            recovery_recipient: founding.recovery_recipient.clone(),
        }
    }

    pub(super) fn read(self) -> MembershipFact {
        MembershipFact::HomeFounded(Founding {
            home: HomeId(self.home),
            name: self.name,
            practice: self.practice,
            device: self.device.read(),
            recovery_recipient: self.recovery_recipient,
        })
    }
}

codes!(DeviceRole, role_code, role_of: Member = 0, Observer = 1);

#[derive(Serialize, Deserialize)]
pub(super) struct DeviceEnrolled1 {
    device: Device1,
    role: u8,
}

impl DeviceEnrolled1 {
    pub(super) fn of(enrolled: &Enrolled) -> Self {
        Self { device: Device1::of(&enrolled.keys), role: role_code(enrolled.role) }
    }

    pub(super) fn read(self) -> Option<MembershipFact> {
        let role = role_of(self.role)?;
        Some(MembershipFact::DeviceEnrolled(Enrolled { keys: self.device.read(), role }))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DeviceRevoked1 {
    device: [u8; 32],
    last_valid: Vec<Head1>,
    reason: String,
    at: i64,
}

impl DeviceRevoked1 {
    pub(super) fn of(revoked: &Revoked) -> Self {
        Self {
            device: revoked.device.0,
            last_valid: revoked
                .last_valid
                .iter()
                .map(|(log, sequence, hash)| Head1 { log: log.0, sequence: *sequence, hash: *hash })
                .collect(),
            reason: revoked.reason.clone(),
            at: revoked.at.0,
        }
    }

    pub(super) fn read(self) -> MembershipFact {
        MembershipFact::DeviceRevoked(Revoked {
            device: DeviceId(self.device),
            last_valid: self
                .last_valid
                .into_iter()
                .map(|head| (LogId(head.log), head.sequence, head.hash))
                .collect(),
            reason: self.reason,
            at: Timestamp(self.at),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DeviceParked1 {
    pub(super) device: [u8; 32],
    pub(super) parked: bool,
}

impl DeviceParked1 {
    pub(super) fn read(self) -> MembershipFact {
        MembershipFact::DeviceParked { device: DeviceId(self.device), parked: self.parked }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SecretSealed1 {
    generation: u32,
    sealed: Vec<SealedFor1>,
    recovery: Vec<u8>,
    because: Option<[u8; 16]>,
}

#[derive(Serialize, Deserialize)]
struct SealedFor1 {
    device: [u8; 32],
    bytes: Vec<u8>,
}

impl SecretSealed1 {
    pub(super) fn of(secret: &SealedSecret) -> Self {
        Self {
            generation: secret.generation,
            sealed: secret
                .sealed
                .iter()
                .map(|(device, bytes)| SealedFor1 { device: device.0, bytes: bytes.clone() })
                .collect(),
            recovery: secret.recovery.clone(),
            because: secret.because.map(|id| id.0),
        }
    }

    pub(super) fn read(self) -> MembershipFact {
        MembershipFact::SecretSealed(SealedSecret {
            generation: self.generation,
            sealed: self
                .sealed
                .into_iter()
                .map(|sealed| (DeviceId(sealed.device), sealed.bytes))
                .collect(),
            recovery: self.recovery,
            because: self.because.map(EntryId),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DeviceReads1 {
    device: [u8; 32],
    program: String,
    accepts: Vec<Accepts1>,
}

#[derive(Serialize, Deserialize)]
struct Accepts1 {
    kind: u16,
    version: u16,
}

impl DeviceReads1 {
    pub(super) fn of(device: &DeviceId, program: &str, accepts: &[Accepts]) -> Self {
        Self {
            device: device.0,
            program: program.to_owned(),
            accepts: accepts
                .iter()
                .map(|accepts| Accepts1 { kind: accepts.kind, version: accepts.version })
                .collect(),
        }
    }

    pub(super) fn read(self) -> MembershipFact {
        MembershipFact::DeviceReads {
            device: DeviceId(self.device),
            program: self.program,
            accepts: self
                .accepts
                .into_iter()
                .map(|wire| Accepts { kind: wire.kind, version: wire.version })
                .collect(),
        }
    }
}
