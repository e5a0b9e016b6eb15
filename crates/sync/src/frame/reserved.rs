//! Frames that protocol 1 already has room for and that are not all answered yet.

use std::net::{IpAddr, SocketAddr};

use store::entry::{DeviceId, EntryId, LogId};

use super::bytes::{Reader, put_count};
use super::{Frame, FrameFault, Point};

/// The most bytes of a lease.
pub const LEASE_BYTES_MAX: usize = 512;
/// The most addresses in one frame.
const ADDRESSES_MAX: usize = 256;

/// Where a device of the home was last reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownAddress {
    /// The device.
    pub device: DeviceId,
    /// Its address on the home's network.
    pub address: SocketAddr,
}

/// Writes a reserved frame.
pub(super) fn put(out: &mut Vec<u8>, frame: &Frame) {
    match frame {
        Frame::History { log, below, budget } => {
            out.push(16);
            out.extend(log.0);
            out.extend(below.sequence.to_be_bytes());
            out.extend(below.entry.0);
            out.extend(budget.to_be_bytes());
        }
        Frame::Lease(bytes) => {
            out.push(17);
            put_count(out, bytes.len());
            out.extend_from_slice(bytes);
        }
        Frame::BlobWant { hash, offset } => {
            out.push(18);
            out.extend(hash);
            out.extend(offset.to_be_bytes());
        }
        Frame::BlobPart { hash, offset, bytes } => {
            let length = u32::try_from(bytes.len()).expect("a part is shorter than a frame");
            out.push(19);
            out.extend(hash);
            out.extend(offset.to_be_bytes());
            out.extend(length.to_be_bytes());
            out.extend_from_slice(bytes);
        }
        Frame::Addresses(addresses) => {
            out.push(20);
            put_count(out, addresses.len().min(ADDRESSES_MAX));
            addresses.iter().take(ADDRESSES_MAX).for_each(|known| put_address(out, known));
        }
        Frame::Hello(_)
        | Frame::Heads { .. }
        | Frame::HeadsWanted
        | Frame::Want(_)
        | Frame::Entries(_)
        | Frame::RangeEnd { .. }
        | Frame::Receipt(_)
        | Frame::Refused { .. }
        | Frame::HashAt { .. }
        | Frame::HashesAt { .. }
        | Frame::Clock { .. } => {}
    }
}

/// Reads a reserved frame; `None` if the type is not known.
pub(super) fn read(kind: u8, body: &mut Reader<'_>) -> Result<Option<Frame>, FrameFault> {
    Ok(Some(match kind {
        16 => Frame::History {
            log: LogId(body.take()?),
            below: Point { sequence: body.u64()?, entry: EntryId(body.take()?) },
            budget: body.u32()?,
        },
        17 => {
            let length = body.count(0..=LEASE_BYTES_MAX)?;
            Frame::Lease(body.slice(length)?.to_vec())
        }
        18 => Frame::BlobWant { hash: body.take()?, offset: body.u64()? },
        19 => {
            let (hash, offset) = (body.take()?, body.u64()?);
            let length = usize::try_from(body.u32()?).map_err(|_| FrameFault::Count)?;
            Frame::BlobPart { hash, offset, bytes: body.slice(length)?.to_vec() }
        }
        20 => {
            let count = body.count(0..=ADDRESSES_MAX)?;
            let addresses = (0..count).map(|_| read_address(body));
            Frame::Addresses(addresses.collect::<Result<_, _>>()?)
        }
        _ => return Ok(None),
    }))
}

fn put_address(out: &mut Vec<u8>, known: &KnownAddress) {
    out.extend(known.device.0);
    match known.address.ip() {
        IpAddr::V4(ip) => {
            out.push(4);
            out.extend(ip.octets());
        }
        IpAddr::V6(ip) => {
            out.push(6);
            out.extend(ip.octets());
        }
    }
    out.extend(known.address.port().to_be_bytes());
}

fn read_address(body: &mut Reader<'_>) -> Result<KnownAddress, FrameFault> {
    let device = DeviceId(body.take()?);
    let ip = match body.u8()? {
        4 => IpAddr::from(body.take::<4>()?),
        6 => IpAddr::from(body.take::<16>()?),
        _ => return Err(FrameFault::Value),
    };
    Ok(KnownAddress { device, address: SocketAddr::new(ip, body.u16()?) })
}
