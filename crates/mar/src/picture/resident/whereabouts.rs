//! Where a resident is and was, as the changes that were written of it tell.

use super::{ResidentPicture, status_of};
use crate::ids::EntryId;
use crate::picture::{Recorded, counting, heads, seen_by};
use crate::resident::{Status, Whereabouts};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Time away from the home, and back again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// Where they last were.
    pub whereabouts: Whereabouts,
    /// From when they were away.
    pub from: Timestamp,
    /// Since when they are back.
    pub to: Timestamp,
}

impl ResidentPicture {
    /// Returns the time away that would end with a return at `back`; `None` where the resident was
    /// in the home before that, or recorded as deceased (which was then an error).
    #[must_use]
    pub fn absence_before(&self, back: Timestamp) -> Option<Absence> {
        let changes = self.changes();
        let before = changes.iter().map(|(_, status)| *status).filter(|s| s.from < back);
        let mut away: Option<Absence> = None;
        for status in before {
            away = match status.whereabouts {
                Whereabouts::Present | Whereabouts::Deceased => None,
                whereabouts @ (Whereabouts::DayLeave
                | Whereabouts::OvernightLeave
                | Whereabouts::Hospital
                | Whereabouts::Discharged) => {
                    let from = away.map_or(status.from, |away| away.from);
                    Some(Absence { whereabouts, from, to: back })
                }
            };
        }
        away
    }

    /// Returns the time away from which the resident last came back, as of `now`; `None` where they
    /// are away now, or never were.
    #[must_use]
    pub fn last_absence(&self, now: Timestamp) -> Option<Absence> {
        let changes = self.changes();
        let last = changes.iter().rfind(|(_, status)| status.from <= now);
        let (_, back) = last.filter(|(_, status)| status.whereabouts.is_present())?;
        self.absence_before(back.from)
    }

    /// Returns where the resident is at `now`: the last change that starts by then, and "in the
    /// home" before any.
    #[must_use]
    pub fn whereabouts(&self, now: Timestamp) -> Whereabouts {
        let changes = self.changes();
        let last = changes.into_iter().rfind(|(_, s)| s.from <= now);
        last.map_or(Whereabouts::Present, |(_, s)| s.whereabouts)
    }

    /// Returns the changes of where the resident is that hold, each with its entry, by the instant
    /// from which they do. Whoever writes one knew of those that their device held, and says where
    /// the resident is from its instant on: what was known and starts at that instant or later holds
    /// no longer, whatever the clocks say. What nobody knew of is told by the times alone.
    #[must_use]
    pub fn changes(&self) -> Vec<(&Arc<Recorded>, &Status)> {
        let written: Vec<_> = counting(&self.status)
            .into_iter()
            .filter_map(|w| status_of(w).map(|status| (w, status)))
            .collect();
        let mut ended: BTreeSet<EntryId> = BTreeSet::new();
        let mut latest: Option<Timestamp> = None;
        for (place, (entry, status)) in written.iter().enumerate() {
            // Only what stands earlier can have been seen, and it mostly starts earlier as well.
            if latest.is_some_and(|latest| latest >= status.from) {
                let starts_later = written[..place].iter().filter(|(_, s)| s.from >= status.from);
                let later: Vec<&Arc<Recorded>> = starts_later.map(|(w, _)| *w).collect();
                let first = later.iter().map(|w| w.stamp).min();
                let since = self.status.values().filter(|w| Some(w.stamp) >= first);
                let seen = seen_by(&since.collect::<Vec<_>>(), vec![entry]);
                ended.extend(later.iter().map(|w| w.id).filter(|id| seen.contains(id)));
            }
            latest = latest.max(Some(status.from));
        }
        let mut found = written;
        found.retain(|(w, _)| !ended.contains(&w.id));
        found.sort_by_key(|(_, s)| s.from);
        found
    }

    /// Returns the last word of each device on where the resident is, where they were written apart
    /// and differ: both are shown, and somebody asks (Y-02). Empty when they agree.
    #[must_use]
    pub fn whereabouts_apart(&self) -> Vec<(&Arc<Recorded>, &Status)> {
        let found: Vec<_> = heads(self.status.values())
            .into_iter()
            .filter_map(|w| status_of(w).map(|status| (w, status)))
            .collect();
        let differ = found.windows(2).any(|two| two[0].1.whereabouts != two[1].1.whereabouts);
        if differ { found } else { Vec::new() }
    }

    /// Whether the resident lives here at `now` as far as the last change that has begun says, or any
    /// of those that were written apart: nobody falls off the round while that is not decided (Y-02),
    /// nor before they leave.
    #[must_use]
    pub fn is_here(&self, now: Timestamp) -> bool {
        let gone =
            |s: &Status| matches!(s.whereabouts, Whereabouts::Discharged | Whereabouts::Deceased);
        let changes = self.changes();
        !changes.iter().rfind(|(_, s)| s.from <= now).is_some_and(|(_, s)| gone(s))
            || self.whereabouts_apart().iter().any(|(_, s)| !gone(s))
    }

    /// Returns the heads that a new change of where the resident is should name.
    #[must_use]
    pub fn status_heads(&self) -> Vec<EntryId> {
        heads(self.status.values()).iter().map(|w| w.id).collect()
    }
}
