//! What people were told, kept apart from every device, so that it can be held against them.

use std::collections::{BTreeMap, BTreeSet};

use mar::fact::{DoseFact, Fact};
use mar::ids::{AdministrationId, EntryId, LogId, OrderId};
use mar::picture::Recorded;
use mar::schedule::{SlotId, SlotKey};
use mar::time::Timestamp;

/// An entry of which a person was told that it is saved.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    pub(crate) entry: EntryId,
    pub(crate) log: LogId,
    pub(crate) sequence: u64,
    pub(crate) writer: usize,
    /// The writer, and the devices that gave it a receipt, less those whose disk was put back.
    pub(crate) holders: BTreeSet<usize>,
}

/// A dose that a person recorded as taken.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) administration: AdministrationId,
    pub(crate) entry: EntryId,
    pub(crate) log: LogId,
    pub(crate) sequence: u64,
    pub(crate) order: OrderId,
    pub(crate) slot: Option<SlotId>,
    pub(crate) at: Timestamp,
}

impl Given {
    pub(crate) fn of(recorded: &Recorded) -> Option<Self> {
        let Fact::Dose(DoseFact::Recorded(outcome)) = &recorded.fact else { return None };
        outcome.recording.outcome.is_taken().then(|| Self {
            administration: outcome.administration,
            entry: recorded.id,
            log: recorded.stamp.log,
            sequence: recorded.stamp.sequence,
            order: outcome.order,
            slot: outcome.slot.clone(),
            at: outcome.recording.given_at,
        })
    }

    /// The same clock time or round of the same order on the same day is one dose that is due,
    /// whatever version it stands in; `#n` is counted by each version anew.
    pub(crate) fn place(&self) -> Option<(OrderId, String)> {
        let slot = self.slot.as_ref()?;
        let version = match slot.key {
            SlotKey::Interval(_) => slot.version.to_string(),
            SlotKey::Time(_) | SlotKey::Round(_) => String::new(),
        };
        Some((self.order, format!("{} {} {version}", slot.date, slot.key)))
    }
}

/// A device that was put out.
#[derive(Debug, Clone)]
pub(crate) struct Revocation {
    pub(crate) device: usize,
    pub(crate) by: usize,
    pub(crate) entry: EntryId,
    pub(crate) last_valid: BTreeMap<LogId, (u64, [u8; 32])>,
}

/// What people were told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) saved: Vec<Saved>,
    pub(crate) given: Vec<Given>,
    pub(crate) corrected: BTreeSet<AdministrationId>,
    pub(crate) revocations: Vec<Revocation>,
    /// Every entry that a device of the home sealed.
    pub(crate) written: BTreeSet<EntryId>,
}

impl Ledger {
    pub(crate) fn save(&mut self, device: usize, recorded: &Recorded) {
        self.saved.push(Saved {
            entry: recorded.id,
            log: recorded.stamp.log,
            sequence: recorded.stamp.sequence,
            writer: device,
            holders: [device].into(),
        });
    }

    /// Returns the device that wrote an entry of which a person was told.
    pub(crate) fn writer(&self, entry: &EntryId) -> Option<usize> {
        self.saved.iter().find(|saved| saved.entry == *entry).map(|saved| saved.writer)
    }

    /// Whether one of the revocations that are held leaves a dose outside.
    pub(crate) fn is_cut_off(
        &self,
        device: usize,
        given: &Given,
        held: &BTreeSet<EntryId>,
    ) -> bool {
        let of_device = |r: &&Revocation| r.device == device && held.contains(&r.entry);
        self.revocations.iter().filter(of_device).any(|revocation| {
            revocation.last_valid.get(&given.log).is_none_or(|(last, hash)| {
                let other_branch = given.sequence == *last && EntryId::of_hash(hash) != given.entry;
                given.sequence > *last || other_branch
            })
        })
    }
}
