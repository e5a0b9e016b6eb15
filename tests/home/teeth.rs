//! Bugs that are planted here, in what stands around the product, to show that the checks bite.

use std::collections::BTreeMap;
use std::sync::Arc;

use mar::picture::Picture;
use store::entry::Sealed;

use crate::world::World;

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plant {
    /// A device gives its receipt when entries arrive.
    ReceiptBeforeTheFsync,
    /// A device drops one entry of those it takes in.
    AdmitSkipsOne,
    /// A disk says that it synced, and did not.
    DiskThatLies,
    /// A person is told "saved" while the write goes on.
    ToldBeforeTheFsync,
    /// Two devices answer each other for ever.
    EndlessTalk,
    /// A device keeps the first branch of a fork and drops the other.
    KeepsOneBranch,
    /// A fork is held and nobody hears of it.
    ForkKeptQuiet,
    /// A device takes no revocation in.
    DeafToRevocations,
    /// What a device wrote after it was put out counts.
    PutOutDosesCount,
    /// Of two doses of one slot the later record wins.
    LastWriterWins,
    /// A byte of an entry changes on a disk.
    BitRot,
    /// Somebody who is not of the home writes with a device's key.
    UnknownHand,
}

/// Every bug with the checks of which one has to find it.
pub(crate) const PLANTS: [(Plant, &[u8]); 12] = [
    (Plant::ReceiptBeforeTheFsync, &[3]),
    (Plant::AdmitSkipsOne, &[1, 8]),
    (Plant::DiskThatLies, &[2, 3]),
    (Plant::ToldBeforeTheFsync, &[2]),
    (Plant::EndlessTalk, &[8]),
    (Plant::KeepsOneBranch, &[1, 5, 8]),
    (Plant::ForkKeptQuiet, &[5]),
    (Plant::DeafToRevocations, &[1, 8]),
    (Plant::PutOutDosesCount, &[6]),
    (Plant::LastWriterWins, &[7]),
    (Plant::BitRot, &[2, 4]),
    (Plant::UnknownHand, &[4]),
];

impl World {
    /// Returns the entries that a device with the planted bug takes in.
    pub(crate) fn kept_by_the_plant(&self, here: usize, entries: &[Sealed]) -> Vec<Sealed> {
        let record = self.devices[here].record();
        let reader = record.reader();
        let mut kept = entries.to_vec();
        match self.plant {
            Some(Plant::AdmitSkipsOne) if here == 1 => {
                let skipped = kept.iter().position(|e| e.is_clinical() && e.sequence() % 5 == 0);
                skipped.map(|at| kept.remove(at));
            }
            Some(Plant::KeepsOneBranch) => kept.retain(|entry| {
                let Some(held) = record.heads().get(&entry.log()) else { return true };
                let Some(head) = held.latest().filter(|h| h.sequence >= entry.sequence()) else {
                    return true;
                };
                let points = reader.points(&entry.log(), &head, &[entry.sequence()]);
                let there = points.ok().flatten().and_then(|points| points.first().copied());
                there.is_none_or(|(_, id)| id == entry.id())
            }),
            Some(Plant::DeafToRevocations) if here == 0 => kept.retain(|entry| {
                entry.class().plain() != store::entry::Class::MEMBERSHIP || entry.kind() != 4
            }),
            _ => {}
        }
        kept
    }

    /// The planted rot of a disk, while its device is off.
    pub(crate) fn spoil(&self, device: usize) {
        if self.plant != Some(Plant::BitRot) {
            return;
        }
        let Some(saved) = self.ledger.saved.first() else { return };
        self.devices[device].disk.damage("log.redb", |bytes| {
            let at = bytes.windows(32).position(|window| window == saved.log.0);
            if let Some(at) = at {
                bytes[at + 60] ^= 4;
            }
        });
    }
}

/// The picture as the checks are shown it.
pub(crate) fn merged(plant: Option<Plant>, picture: &Picture) -> Picture {
    let mut picture = picture.clone();
    if plant != Some(Plant::LastWriterWins) {
        return picture;
    }
    for resident in picture.residents.values_mut() {
        let mut last: BTreeMap<_, _> = BTreeMap::new();
        for administration in resident.administrations.values() {
            if let Some((entry, outcome)) = administration.record()
                && let Some(slot) = &outcome.slot
            {
                let newest =
                    last.entry(slot.clone()).or_insert((entry.stamp, outcome.administration));
                *newest = (*newest).max((entry.stamp, outcome.administration));
            }
        }
        Arc::make_mut(resident).administrations.retain(|id, administration| {
            let slot = administration.record().and_then(|(_, outcome)| outcome.slot.clone());
            slot.is_none_or(|slot| last.get(&slot).is_some_and(|(_, kept)| kept == id))
        });
    }
    picture
}
