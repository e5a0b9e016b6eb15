//! One administration with everything that was later said of it.

use super::{Recorded, Writes, counting, heads};
use crate::fact::{
    AdministrationRef, Corrected, DoseFact, EffectRecorded, Fact, OutcomeRecorded, Recording,
};
use crate::ids::AdministrationId;
use std::sync::Arc;

/// One administration: its record, its effects, its corrections. Nothing of it is ever lost.
///
/// Clones share what was written: a resident's picture is cloned at each commit that changes it,
/// and holds the doses of two months.
#[derive(Debug, Clone, Default)]
pub struct Administration(Arc<Written>);

#[derive(Debug, Clone, Default)]
struct Written {
    recorded: Writes,
    effects: Writes,
    corrections: Writes,
}

impl Administration {
    pub(super) fn apply(&mut self, entry: &Arc<Recorded>, fact: &DoseFact) {
        let own = Arc::make_mut(&mut self.0);
        let writes = match fact {
            DoseFact::Recorded(_) => &mut own.recorded,
            DoseFact::Effect(_) => &mut own.effects,
            DoseFact::Corrected(_) => &mut own.corrections,
            DoseFact::Popped(_) => return,
        };
        writes.insert(entry.id, entry.clone());
    }

    /// Returns the first record of it; `None` while only later words on it are held.
    #[must_use]
    pub fn record(&self) -> Option<(&Arc<Recorded>, &OutcomeRecorded)> {
        let first = self.0.recorded.values().min_by_key(|w| (w.stamp, w.id))?;
        outcome(first).map(|o| (first, o))
    }

    /// Whether it counts at all: its record is in force or needs review.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.record().is_some_and(|(w, _)| w.standing.counts())
    }

    /// Returns what is now held to be true of it: the latest correction, else the record. `None`
    /// when it was corrected away, does not count, or is not held.
    #[must_use]
    pub fn effective(&self) -> Option<&Recording> {
        if !self.counts() {
            return None;
        }
        match heads(self.0.corrections.values()).last().and_then(|w| correction(w)) {
            Some(corrected) => corrected.instead.as_ref(),
            None => self.record().map(|(_, o)| &o.recording),
        }
    }

    /// Whether two people corrected it apart from each other.
    #[must_use]
    pub fn has_conflict(&self) -> bool {
        heads(self.0.corrections.values()).len() > 1
    }

    /// Returns how to name it in a later fact.
    #[must_use]
    pub fn reference(&self) -> Option<AdministrationRef> {
        self.record().map(|(_, o)| AdministrationRef {
            administration: o.administration,
            order: o.order,
            filed_under: o.recording.given_at,
        })
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> Option<AdministrationId> {
        self.record().map(|(_, o)| o.administration)
    }

    /// Returns the effects noted, in order.
    #[must_use]
    pub fn effects(&self) -> Vec<(&Arc<Recorded>, &EffectRecorded)> {
        counting(&self.0.effects)
            .into_iter()
            .filter_map(|w| {
                if let Fact::Dose(DoseFact::Effect(e)) = &w.fact { Some((w, e)) } else { None }
            })
            .collect()
    }

    /// Returns the corrections that count, in order.
    #[must_use]
    pub fn corrections(&self) -> Vec<(&Arc<Recorded>, &Corrected)> {
        counting(&self.0.corrections)
            .into_iter()
            .filter_map(|w| correction(w).map(|c| (w, c)))
            .collect()
    }

    /// Returns the heads that a correction should name.
    #[must_use]
    pub fn correction_heads(&self) -> Vec<crate::ids::EntryId> {
        let corrections = heads(self.0.corrections.values());
        if corrections.is_empty() {
            return self.0.recorded.keys().copied().collect();
        }
        corrections.iter().map(|w| w.id).collect()
    }

    /// Returns every entry about it, counting or not, in stamp order: its history.
    #[must_use]
    pub fn history(&self) -> Vec<&Arc<Recorded>> {
        let mut all: Vec<_> = self
            .0
            .recorded
            .values()
            .chain(self.0.effects.values())
            .chain(self.0.corrections.values())
            .collect();
        all.sort_by_key(|w| (w.stamp, w.id));
        all
    }
}

fn outcome(entry: &Recorded) -> Option<&OutcomeRecorded> {
    if let Fact::Dose(DoseFact::Recorded(outcome)) = &entry.fact { Some(outcome) } else { None }
}

fn correction(entry: &Recorded) -> Option<&Corrected> {
    if let Fact::Dose(DoseFact::Corrected(corrected)) = &entry.fact {
        Some(corrected)
    } else {
        None
    }
}
