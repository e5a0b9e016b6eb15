//! The bytes of each kind of fact, and nothing else in the project that knows bincode.
//!
//! A payload is bincode 2 with its standard configuration and a limit: one struct per kind and
//! version, made of integers, bytes, `String`, `Vec`, `Option` and enums that only ever grow at
//! their end. A payload that comes from a command begins with the frozen `Made1`. A struct that was
//! shipped is never edited; a new shape is a new version beside it, and the bytes in
//! `tests/golden` must decode for ever. The types of `mar` know nothing of this: every conversion
//! is written out by hand.

mod dose;
mod home;
mod made;
mod membership;
mod order;
mod parts;
mod resident;

use mar::fact::{DoseFact, Fact, HomeFact, Made, MembershipFact, OrderFact, ResidentFact};
use mar::ids::CommandId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entry::PAYLOAD_BYTES_MAX;

/// A payload with what its envelope says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The class, clinical bit included.
    pub class: u8,
    /// The kind.
    pub kind: u16,
    /// The version of the kind's shape.
    pub version: u16,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// A payload read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Who made it; `None` for what a device writes by itself.
    pub made: Option<Made>,
    /// What it says.
    pub fact: Fact,
}

/// Why a fact has no payload, or a payload no fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecFault {
    /// This program does not know the kind, or not this version of it.
    #[error("kind {kind}, version {version} is not known to this version of Medround")]
    Unknown {
        /// The kind.
        kind: u16,
        /// Its version.
        version: u16,
    },
    /// The bytes are not a payload of the kind they claim.
    #[error("the content of kind {kind}, version {version} cannot be read")]
    Malformed {
        /// The kind.
        kind: u16,
        /// Its version.
        version: u16,
    },
    /// More content than one entry holds.
    #[error("there is more to write than one entry holds; shorten the longest text")]
    TooLong,
    /// The fact comes from a command and does not say who made it, or the other way round.
    #[error("the fact does not say who made it")]
    Made,
}

/// The kinds and versions that [`decode`] reads, in order. What a device says it can read (W-08).
pub const READS: [(u16, u16); 29] = [
    (1, 1),
    (2, 1),
    (3, 1),
    (4, 1),
    (5, 1),
    (6, 1),
    (7, 1),
    (20, 1),
    (21, 1),
    (22, 1),
    (23, 1),
    (40, 1),
    (41, 1),
    (42, 1),
    (60, 1),
    (61, 1),
    (62, 1),
    (63, 1),
    (64, 1),
    (65, 1),
    (66, 1),
    (67, 1),
    (68, 1),
    (80, 1),
    (81, 1),
    (82, 1),
    (83, 1),
    (100, 1),
    (120, 1),
];

/// Writes a fact as the payload of its kind's newest version.
///
/// # Errors
///
/// Returns [`CodecFault::TooLong`] if it does not fit an entry, [`CodecFault::Made`] if it does not
/// say who made it although it comes from a command, and [`CodecFault::Unknown`] for
/// [`Fact::Unknown`], whose bytes only its own envelope has.
pub fn encode(made: Option<&Made>, fact: &Fact) -> Result<Encoded, CodecFault> {
    let Some(kind) = fact.kind() else {
        return Err(CodecFault::Unknown { kind: 0, version: 0 });
    };
    let mut payload = match (made, has_made(kind.number)) {
        (Some(made), true) => write(&made::Made1::of(made))?,
        (None, false) => Vec::new(),
        (Some(_), false) | (None, true) => return Err(CodecFault::Made),
    };
    payload.extend(body(fact)?);
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(CodecFault::TooLong);
    }
    Ok(Encoded { class: kind.class, kind: kind.number, version: 1, payload })
}

/// Reads a payload. Trailing bytes are an error.
///
/// # Errors
///
/// Returns [`CodecFault::Unknown`] for a kind or version that this program does not know, and
/// [`CodecFault::Malformed`] for bytes that are not what they claim to be.
pub fn decode(kind: u16, version: u16, payload: &[u8]) -> Result<Decoded, CodecFault> {
    if !READS.contains(&(kind, version)) {
        return Err(CodecFault::Unknown { kind, version });
    }
    let malformed = CodecFault::Malformed { kind, version };
    let mut rest = payload;
    let made = if has_made(kind) {
        let made: made::Made1 = read(&mut rest).ok_or(malformed)?;
        Some(made.read().ok_or(malformed)?)
    } else {
        None
    };
    let fact = fact(kind, &mut rest).ok_or(malformed)?;
    if rest.is_empty() { Ok(Decoded { made, fact }) } else { Err(malformed) }
}

/// Returns the command that made an entry with this payload; `None` if none did, or if the kind is
/// not known here.
pub(crate) fn command(kind: u16, version: u16, payload: &[u8]) -> Option<CommandId> {
    if !READS.contains(&(kind, version)) || !has_made(kind) {
        return None;
    }
    let mut rest = payload;
    read::<made::Made1>(&mut rest).map(|made| made.command())
}

/// Only the start of a log and the founding are written by a device for nobody.
fn has_made(kind: u16) -> bool {
    !matches!(kind, 1 | 2)
}

fn body(fact: &Fact) -> Result<Vec<u8>, CodecFault> {
    match fact {
        Fact::Membership(fact) => match fact {
            MembershipFact::LogStarted(start) => write(&membership::LogStarted1::of(start)),
            MembershipFact::HomeFounded(founding) => write(&membership::HomeFounded1::of(founding)),
            MembershipFact::DeviceEnrolled(enrolled) => {
                write(&membership::DeviceEnrolled1::of(enrolled))
            }
            MembershipFact::DeviceRevoked(revoked) => {
                write(&membership::DeviceRevoked1::of(revoked))
            }
            MembershipFact::DeviceParked { device, parked } => {
                write(&membership::DeviceParked1 { device: device.0, parked: *parked })
            }
            MembershipFact::SecretSealed(secret) => write(&membership::SecretSealed1::of(secret)),
            MembershipFact::DeviceReads { device, program, accepts } => {
                write(&membership::DeviceReads1::of(device, program, accepts))
            }
        },
        Fact::Home(HomeFact::SettingsSet(settings)) => write(&home::SettingsSet1::of(settings)),
        Fact::Home(HomeFact::StaffWritten { staff, details, seen }) => {
            write(&home::StaffWritten1::of(staff, details, seen))
        }
        Fact::Home(HomeFact::PinSet { staff, generation, sealed }) => write(&home::PinSet1 {
            staff: staff.0,
            generation: *generation,
            sealed: sealed.clone(),
        }),
        Fact::Home(HomeFact::TimeTyped { showed, typed }) => {
            write(&home::TimeTyped1 { showed: showed.0, typed: typed.0 })
        }
        Fact::Resident(ResidentFact::IdentityWritten(identity)) => {
            write(&resident::IdentityWritten1::of(identity))
        }
        Fact::Resident(ResidentFact::AllergiesWritten(allergies)) => {
            write(&resident::AllergiesWritten1::of(allergies))
        }
        Fact::Resident(ResidentFact::StatusChanged(status)) => {
            write(&resident::StatusChanged1::of(status))
        }
        Fact::Order(fact) => order_body(fact),
        Fact::Dose(DoseFact::Popped(popped)) => write(&dose::Popped1::of(popped)),
        Fact::Dose(DoseFact::Recorded(recorded)) => write(&dose::OutcomeRecorded1::of(recorded)),
        Fact::Dose(DoseFact::Effect(effect)) => write(&dose::EffectRecorded1::of(effect)),
        Fact::Dose(DoseFact::Corrected(corrected)) => write(&dose::Corrected1::of(corrected)),
        Fact::FollowUp(fact) => write(&resident::FollowUp1::of(fact)),
        Fact::Access(access) => write(&resident::Access1::of(access)),
        Fact::Unknown => Err(CodecFault::Unknown { kind: 0, version: 0 }),
    }
}

fn order_body(fact: &OrderFact) -> Result<Vec<u8>, CodecFault> {
    match fact {
        OrderFact::Proposed { order, proposal } => {
            write(&order::OrderProposed1::of(order, proposal))
        }
        OrderFact::Written(version) => write(&order::OrderWritten1::of(version)),
        OrderFact::Checked { order, version } => {
            write(&order::OrderChecked1 { order: order.0, version: version.0 })
        }
        OrderFact::ActivatedAlone { order, version, reason } => {
            write(&order::OrderActivatedAlone1 {
                order: order.0,
                version: version.0,
                reason: reason.clone(),
            })
        }
        OrderFact::Rejected { order, version, reason } => write(&order::OrderRejected1 {
            order: order.0,
            version: version.map(|version| version.0),
            reason: reason.clone(),
        }),
        OrderFact::Held { order, reason, review } => write(&order::OrderHeld1 {
            order: order.0,
            reason: reason.clone(),
            review: review.map(|review| review.0),
        }),
        OrderFact::Resumed { order, reason } => {
            write(&order::OrderResumed1 { order: order.0, reason: reason.clone() })
        }
        OrderFact::Stopped { order, at, authorised_by, reason } => write(&order::OrderStopped1 {
            order: order.0,
            at: at.0,
            authorised_by: authorised_by.clone(),
            reason: reason.clone(),
        }),
        OrderFact::Supplied(supply) => write(&order::SupplyReceived1::of(supply)),
    }
}

fn fact(kind: u16, rest: &mut &[u8]) -> Option<Fact> {
    let fact = match kind {
        1 => Fact::Membership(read::<membership::LogStarted1>(rest)?.read()?),
        2 => Fact::Membership(read::<membership::HomeFounded1>(rest)?.read()),
        3 => Fact::Membership(read::<membership::DeviceEnrolled1>(rest)?.read()?),
        4 => Fact::Membership(read::<membership::DeviceRevoked1>(rest)?.read()),
        5 => Fact::Membership(read::<membership::DeviceParked1>(rest)?.read()),
        6 => Fact::Membership(read::<membership::SecretSealed1>(rest)?.read()),
        7 => Fact::Membership(read::<membership::DeviceReads1>(rest)?.read()),
        20 => Fact::Home(read::<home::SettingsSet1>(rest)?.read()?),
        21 => Fact::Home(read::<home::StaffWritten1>(rest)?.read()?),
        22 => Fact::Home(read::<home::PinSet1>(rest)?.read()),
        23 => Fact::Home(read::<home::TimeTyped1>(rest)?.read()),
        40 => Fact::Resident(read::<resident::IdentityWritten1>(rest)?.read()?),
        41 => Fact::Resident(read::<resident::AllergiesWritten1>(rest)?.read()?),
        42 => Fact::Resident(read::<resident::StatusChanged1>(rest)?.read()?),
        60 => Fact::Order(read::<order::OrderProposed1>(rest)?.read()?),
        61 => Fact::Order(read::<order::OrderWritten1>(rest)?.read()?),
        62 => Fact::Order(read::<order::OrderChecked1>(rest)?.read()),
        63 => Fact::Order(read::<order::OrderActivatedAlone1>(rest)?.read()),
        64 => Fact::Order(read::<order::OrderRejected1>(rest)?.read()),
        65 => Fact::Order(read::<order::OrderHeld1>(rest)?.read()),
        66 => Fact::Order(read::<order::OrderResumed1>(rest)?.read()),
        67 => Fact::Order(read::<order::OrderStopped1>(rest)?.read()),
        68 => Fact::Order(read::<order::SupplyReceived1>(rest)?.read()?),
        80 => Fact::Dose(read::<dose::Popped1>(rest)?.read()?),
        81 => Fact::Dose(read::<dose::OutcomeRecorded1>(rest)?.read()?),
        82 => Fact::Dose(read::<dose::EffectRecorded1>(rest)?.read()?),
        83 => Fact::Dose(read::<dose::Corrected1>(rest)?.read()?),
        100 => Fact::FollowUp(read::<resident::FollowUp1>(rest)?.read()),
        120 => Fact::Access(read::<resident::Access1>(rest)?.read()?),
        _ => return None,
    };
    Some(fact)
}

const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<PAYLOAD_BYTES_MAX>,
> = bincode::config::standard().with_limit::<PAYLOAD_BYTES_MAX>();

fn write<T: Serialize>(wire: &T) -> Result<Vec<u8>, CodecFault> {
    bincode::serde::encode_to_vec(wire, CONFIG).map_err(|_| CodecFault::TooLong)
}

fn read<T: DeserializeOwned>(rest: &mut &[u8]) -> Option<T> {
    let (wire, used) = bincode::serde::decode_from_slice(rest, CONFIG).ok()?;
    *rest = rest.get(used..)?;
    Some(wire)
}
