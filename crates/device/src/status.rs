//! How a device stands, and what checking it finds.

use std::collections::BTreeSet;

use mar::ids::{DeviceId, EntryId, HomeId, LogId};
use mar::time::Timestamp;
use store::backend::FileKind;
use store::heads::{Head, Heads};
use store::local::Damage;
use store::record::Reader;

use crate::fit_for_use::PutOut;
use crate::gap::Glance;
use crate::running::{Device, ReadFault};
use crate::writer::served_devices;

/// How a device stands.
#[derive(Debug, Clone)]
pub struct Status {
    /// The home.
    pub home: HomeId,
    /// This device.
    pub device: DeviceId,
    /// How many entries are held.
    pub entries: u64,
    /// Equal on devices that hold the same entries, and only there.
    pub heads_hash: [u8; 32],
    /// Equal on devices that show the same home, and only there.
    pub state_hash: [u8; 32],
    /// The logs and their heads.
    pub heads: Heads,
    /// To when the data is complete; `None` when a counted device was never heard.
    pub complete_to: Option<Timestamp>,
    /// Counted devices that are unheard.
    pub unheard: Vec<DeviceId>,
    /// Bytes on the disk.
    pub bytes: u64,
    /// Why nothing can be written; `None` when all is well.
    pub read_only: Option<String>,
    /// What is known to be wrong with the files; `None` when nothing is.
    pub damage: Option<Damage>,
    /// That this device was put out of the home; `None` while it is one of the home's.
    pub put_out: Option<PutOut>,
}

/// Another device as known here.
#[derive(Debug, Clone)]
pub struct PeerView {
    /// Which.
    pub device: DeviceId,
    /// Whether a connection to it stands.
    pub connected: bool,
    /// When it was last heard; `None` for never.
    pub last_heard: Option<Timestamp>,
    /// How many entries it lacks of those here; `None` when that is not known.
    pub behind: Option<u64>,
    /// By how many milliseconds its clock was ahead of this device's when the two were last
    /// compared; `None` when they never were.
    pub clock_offset_ms: Option<i64>,
    /// When that was; `None` when they never were.
    pub clock_compared: Option<Timestamp>,
    /// Where it was reached last; `None` for never.
    pub address: Option<String>,
}

/// What checking everything found.
#[derive(Debug, Clone)]
pub struct Verified {
    /// How many entries.
    pub entries: u64,
    /// How many logs.
    pub logs: u64,
    /// What is wrong; empty when all is well.
    pub faults: Vec<VerifyFault>,
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct VerifyFault {
    /// In which log.
    pub log: Option<LogId>,
    /// At which sequence.
    pub sequence: Option<u64>,
    /// What.
    pub what: String,
}

pub(crate) fn status(device: &Device) -> Result<Status, ReadFault> {
    let reader = device.reader()?;
    let published = reader.published();
    let (complete_to, unheard) = device.complete_to();
    Ok(Status {
        home: reader.pinned().home,
        device: device.id(),
        entries: reader.count()?,
        heads_hash: published.heads.hash(),
        state_hash: published.state,
        heads: published.heads,
        complete_to,
        unheard,
        bytes: bytes(device),
        read_only: device.read_only(),
        damage: reader.damage(),
        put_out: device.put_out(),
    })
}

fn bytes(device: &Device) -> u64 {
    let length = |kind: FileKind| {
        std::fs::metadata(device.folders().data.join(kind.name())).map_or(0, |file| file.len())
    };
    [FileKind::Log, FileKind::Views, FileKind::Local].into_iter().map(length).sum()
}

pub(crate) fn verify(device: &Device) -> Result<Verified, ReadFault> {
    let found = device.reader()?.verify();
    let fault = |fault: store::verify::Fault| VerifyFault {
        log: fault.log,
        sequence: fault.sequence,
        what: fault.what,
    };
    Ok(Verified {
        entries: found.entries,
        logs: u64::try_from(found.logs).unwrap_or(u64::MAX),
        faults: found.faults.into_iter().map(fault).collect(),
    })
}

pub(crate) fn peers(device: &Device) -> Vec<PeerView> {
    let reader = device.reader().ok();
    let address = |peer| reader.as_ref()?.local().addresses(peer).ok()?.into_iter().next();
    let view = |glance: Glance| PeerView {
        address: address(glance.device),
        device: glance.device,
        connected: glance.connected,
        last_heard: glance.last_heard,
        behind: glance.behind,
        clock_offset_ms: glance.clock.map(|(ahead_ms, _)| ahead_ms),
        clock_compared: glance.clock.map(|(_, at)| at),
    };
    device.peers_known().glance().into_iter().map(view).collect()
}

/// Returns on how many devices an entry is saved. A receipt counts when the head it names is held
/// here and the entry lies on its branch: a device that holds another branch holds another entry.
pub(crate) fn saved_on(device: &Device, id: &EntryId) -> Result<usize, ReadFault> {
    let reader = device.reader()?;
    let Some(entry) = reader.entry(id)? else { return Ok(0) };
    let (log, place) = (entry.log(), (entry.sequence(), entry.id()));
    let covers = |head: &Head| {
        head.hash.id() == place.1
            || (head.sequence > place.0 && lies_below(&reader, &log, head, place))
    };
    let holders = device.peers_known().holders(&log, covers);
    let serving: BTreeSet<DeviceId> = served_devices(&device.picture(), device.id());
    Ok(1 + holders.intersection(&serving).count())
}

fn lies_below(reader: &Reader, log: &LogId, head: &Head, place: (u64, EntryId)) -> bool {
    match reader.points(log, head, &[place.0]) {
        Ok(points) => points.is_some_and(|points| points == [place]),
        Err(fault) => {
            tracing::warn!(%fault, "a receipt could not be compared with the log");
            false
        }
    }
}
