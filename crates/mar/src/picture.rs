//! The picture: what the entries held come to.
//!
//! Every part of it is a set of entries keyed by their ids, so that applying them in any order,
//! twice, or in batches gives the same picture. What wins, what conflicts and what counts is worked
//! out when it is read, from that set alone.

mod administration;
mod home;
mod order;
mod resident;

pub use administration::Administration;
pub use home::{DeviceRecord, HomePicture, StaffRecord};
pub(crate) use order::slots_of;
pub use order::{OrderHistory, VersionView};
pub use resident::{Absence, FollowUp, ResidentPicture};

use crate::fact::{Actor, Fact, Kind, Made, ResidentFact};
use crate::ids::{DeviceId, EntryId, LogId, ResidentId};
use crate::resident::NhsNumber;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The version of the fold: views that another version made are rebuilt, and state hashes are
/// compared only between equal ones.
pub const FOLD_VERSION: u32 = 4;

/// Where an entry stands in the order of concurrent ones: hybrid clock, then log, then sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The hybrid clock: 48 bits of milliseconds, 16 of counter. It orders and is never shown.
    pub clock: u64,
    /// The log.
    pub log: LogId,
    /// The sequence in the log.
    pub sequence: u64,
}

/// Whether an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It counts.
    InForce,
    /// It counts, and a manager is to look at it.
    NeedsReview,
    /// It does not count; it is kept and shown.
    Quarantined,
    /// What it needs to be judged, or its kind, is not known here yet.
    Unknown,
}

impl Standing {
    /// Whether it counts.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::InForce | Self::NeedsReview)
    }
}

/// One entry as the fold sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub id: EntryId,
    /// Its place among concurrent ones.
    pub stamp: Stamp,
    /// The device whose log it is in; `None` while the log's start is not held.
    pub device: Option<DeviceId>,
    /// The wall clock of the device when it was written. It informs and never orders.
    pub wall: Timestamp,
    /// The kind in its envelope, known here or not.
    pub kind: Kind,
    /// The version of the kind.
    pub kind_version: u16,
    /// The resident it is about; `None` for the home.
    pub subject: Option<ResidentId>,
    /// Who made it; `None` for what a device writes by itself.
    pub made: Option<Made>,
    /// What it says.
    pub fact: Fact,
    /// Whether it counts.
    pub standing: Standing,
}

impl Recorded {
    /// Returns the staff member who did it; `None` for a device's own entry.
    #[must_use]
    pub fn staff(&self) -> Option<crate::ids::StaffId> {
        match self.made.as_ref().map(|m| m.actor) {
            Some(Actor::Staff(staff)) => Some(staff),
            Some(Actor::Device) | None => None,
        }
    }

    /// Whether this entry's writer had seen `other`, as far as the two entries themselves tell:
    /// it names it in its base, or stands later in the same log.
    #[must_use]
    pub fn saw(&self, other: &Self) -> bool {
        (self.stamp.log == other.stamp.log && self.stamp.sequence > other.stamp.sequence)
            || self.made.as_ref().is_some_and(|made| made.base.contains(&other.id))
    }
}

/// The entries about one thing, by id.
pub type Writes = BTreeMap<EntryId, Arc<Recorded>>;

/// Returns the counting writes that no other counting write saw, itself or by way of any of these
/// writes, in stamp order. The last one is
/// what is shown; more than one is a conflict.
#[must_use]
pub fn heads<'w>(writes: impl Iterator<Item = &'w Arc<Recorded>>) -> Vec<&'w Arc<Recorded>> {
    let all: Vec<_> = writes.collect();
    let counting: Vec<_> = all.iter().copied().filter(|w| w.standing.counts()).collect();
    unseen(&all, counting)
}

/// Returns the counting writes of a part of a thing's entries that no other of that part saw, also
/// by way of entries outside the part (a version, its check, the next version).
#[must_use]
pub fn heads_within<'w>(all: &'w Writes, part: &[&'w Arc<Recorded>]) -> Vec<&'w Arc<Recorded>> {
    let counting: Vec<_> = part.iter().copied().filter(|w| w.standing.counts()).collect();
    unseen(&all.values().collect::<Vec<_>>(), counting)
}

/// Returns those of `counting` that none of the others saw, itself or by way of any entry in `all`:
/// who saw what does not depend on what counts. In stamp order.
fn unseen<'w>(
    all: &[&'w Arc<Recorded>],
    mut counting: Vec<&'w Arc<Recorded>>,
) -> Vec<&'w Arc<Recorded>> {
    if counting.len() > 1 {
        let seen = seen_by(all, counting.iter().map(|w| &***w).collect());
        counting.retain(|w| !seen.contains(&w.id));
    }
    counting.sort_by_key(|w| (w.stamp, w.id));
    counting
}

/// Returns which of `all` the writers of `next` had seen, themselves or by way of any of `all`.
fn seen_by<'w>(all: &[&'w Arc<Recorded>], mut next: Vec<&'w Recorded>) -> BTreeSet<EntryId> {
    let mut seen: BTreeSet<EntryId> = BTreeSet::new();
    while let Some(entry) = next.pop() {
        for other in all {
            if entry.saw(other) && seen.insert(other.id) {
                next.push(other);
            }
        }
    }
    seen
}

/// Returns the counting writes in stamp order.
#[must_use]
pub fn counting(writes: &Writes) -> Vec<&Arc<Recorded>> {
    let mut found: Vec<_> = writes.values().filter(|w| w.standing.counts()).collect();
    found.sort_by_key(|w| (w.stamp, w.id));
    found
}

/// The whole home as one device holds it.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The home, its staff and devices.
    pub home: Arc<HomePicture>,
    /// Its residents. A screen is told which of these changed. One is put in with
    /// [`Picture::put`], so that [`Picture::with_nhs_number`] finds them.
    pub residents: BTreeMap<ResidentId, Arc<ResidentPicture>>,
    /// Who was ever written with an NHS number: some have another by now. It is looked at for each
    /// resident of a long import, where looking at every resident would take minutes.
    numbers: Arc<BTreeMap<NhsNumber, BTreeSet<ResidentId>>>,
}

impl Picture {
    /// Takes one judged entry in. Taking it in again, or with another standing, replaces it.
    pub fn apply(&mut self, entry: &Arc<Recorded>) {
        match entry.subject {
            None => Arc::make_mut(&mut self.home).apply(entry),
            Some(id) => {
                let resident =
                    self.residents.entry(id).or_insert_with(|| Arc::new(ResidentPicture::new(id)));
                Arc::make_mut(resident).apply(entry);
                if let Fact::Resident(ResidentFact::IdentityWritten(identity)) = &entry.fact {
                    self.note_number(id, identity.nhs_number);
                }
            }
        }
    }

    /// Puts a resident in, in the place of what is held of them.
    pub fn put(&mut self, resident: Arc<ResidentPicture>) {
        for number in resident.nhs_numbers() {
            self.note_number(resident.id, Some(number));
        }
        self.residents.insert(resident.id, resident);
    }

    fn note_number(&mut self, id: ResidentId, number: Option<NhsNumber>) {
        let Some(number) = number else { return };
        if !self.numbers.get(&number).is_some_and(|held| held.contains(&id)) {
            Arc::make_mut(&mut self.numbers).entry(number).or_default().insert(id);
        }
    }

    /// Returns the residents, here or gone, who have this NHS number now.
    pub fn with_nhs_number(
        &self,
        number: NhsNumber,
    ) -> impl Iterator<Item = &Arc<ResidentPicture>> {
        let ever = self.numbers.get(&number).into_iter().flatten();
        ever.filter_map(|id| self.residents.get(id))
            .filter(move |r| r.identity().and_then(|i| i.nhs_number) == Some(number))
    }

    /// Returns a resident who was admitted; `None` when nothing but strays is held of that id.
    #[must_use]
    pub fn resident(&self, id: ResidentId) -> Option<&Arc<ResidentPicture>> {
        self.residents.get(&id).filter(|r| r.identity().is_some())
    }

    /// Returns the resident whose order this is.
    #[must_use]
    pub fn resident_of_order(&self, order: crate::ids::OrderId) -> Option<&Arc<ResidentPicture>> {
        self.residents.values().find(|r| r.orders.contains_key(&order))
    }

    /// Returns the residents who live here at `now` and whose names or birthdays could be mistaken
    /// for this one's.
    pub fn similar_to(
        &self,
        id: ResidentId,
        now: Timestamp,
    ) -> impl Iterator<Item = &Arc<ResidentPicture>> {
        let own = self.resident(id).and_then(|r| r.identity().cloned());
        self.residents.values().filter(move |other| {
            other.id != id
                && other.is_here(now)
                && own
                    .as_ref()
                    .zip(other.identity())
                    .is_some_and(|(a, b)| crate::resident::similar(a, b))
        })
    }
}
