//! What the merged record finds about a dose, as it stands and as a correction would leave it
//! (Y-03, Y-09, D-13).

use super::{Asked, Decision};
use crate::due::recorded_for;
use crate::fact::{OutcomeRecorded, Recording};
use crate::ids::{AdministrationId, StaffId};
use crate::order::State;
use crate::outcome::Outcome;
use crate::picture::Administration;
use crate::refusal::{DoseRefusal, Refusal};
use crate::rules::{self, BreachKind, Limit, Taken};
use crate::schedule::Slot;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The findings about a dose and those near it.
#[derive(Default)]
pub(super) struct Found {
    /// The other dose of its slot: a possible double dose.
    double: Option<Other>,
    /// It was taken when its order was stopped.
    after_stop: bool,
    breaches: BTreeMap<(AdministrationId, BreachKind), Limit>,
}

/// Another dose of the same slot.
#[derive(Clone, Copy)]
struct Other {
    outcome: Outcome,
    by: Option<StaffId>,
    at: Timestamp,
}

impl Found {
    /// Whether something that was found would no longer be.
    pub(super) fn clears(&self, before: &Self) -> bool {
        let gone = |key: &(AdministrationId, BreachKind)| !self.breaches.contains_key(key);
        (before.double.is_some() && self.double.is_none())
            || (before.after_stop && !self.after_stop)
            || before.breaches.keys().any(gone)
    }
}

impl Decision<'_, '_, '_> {
    /// What would be found if `recording` were what is true of this administration; `None` for a
    /// dose of which nothing was taken.
    pub(super) fn found(
        &self,
        asked: &Asked<'_>,
        record: &OutcomeRecorded,
        recording: Option<&Recording>,
    ) -> Found {
        let recording = recording.filter(|r| r.outcome.is_taken());
        let id = record.administration;
        let first = [recording.map(|r| r.given_at), Some(record.recording.given_at)];
        let first = first.into_iter().flatten().min().unwrap_or(record.recording.given_at);
        let home = &self.picture.home;
        let since = first.minus(rules::look_back(asked.content()));
        let mut taken = rules::taken(home, asked.resident, since);
        taken.retain(|t| t.administration != id);
        if let Some(recording) = recording {
            let slot = self.slot_of(asked, record);
            let in_window = slot.filter(|s| {
                recording.given_at >= s.window.from && recording.given_at <= s.window.to
            });
            taken.push(Taken {
                administration: id,
                order: asked.history.id,
                content: asked.content(),
                slot: record.slot.as_ref(),
                at: recording.given_at,
                counts_at: in_window.map_or(recording.given_at, |s| s.due),
                amount: recording.amount.clone().unwrap_or_else(|| asked.content().dose.most()),
            });
            taken.sort_by_key(|t| (t.at, t.administration));
        }
        let breaches = rules::breaches(&taken);
        let breaches = breaches.into_iter().map(|b| ((b.administration, b.kind), b.limit));
        let stop = asked.history.stopped_at();
        let after_stop = recording.zip(stop).is_some_and(|(r, stop)| r.given_at >= stop);
        let double = recording.and(other_dose(asked, record));
        Found { double, after_stop, breaches: breaches.collect() }
    }

    /// What the correction would bring to light that was not found before, as refusals.
    pub(super) fn comes_to_light(&self, before: &Found, after: Found) -> Vec<Refusal> {
        let mut new: Vec<Refusal> = Vec::new();
        if let (None, Some(Other { outcome, by, at })) = (before.double, after.double) {
            let name = by.and_then(|id| self.picture.home.person(id)).map(|s| s.name.clone());
            let by = name.unwrap_or_else(|| "somebody".to_owned());
            new.push(DoseRefusal::AlreadyRecorded { outcome, by, at }.into());
        }
        if after.after_stop && !before.after_stop {
            new.push(DoseRefusal::NotActive { state: State::Stopped.word() }.into());
        }
        for (key, limit) in after.breaches {
            if !before.breaches.contains_key(&key) {
                new.push(DoseRefusal::Limit(limit).into());
            }
        }
        new
    }

    /// The slot of a record, recomputed from the version that was followed; `None` for none.
    pub(super) fn slot_of(&self, asked: &Asked<'_>, record: &OutcomeRecorded) -> Option<Slot> {
        let fallback = crate::settings::Settings::new("-", chrono::NaiveDate::default());
        let settings = rules::by_date(&self.picture.home, &fallback);
        rules::slot_of(asked.view.version, record.slot.as_ref()?, &settings)
    }
}

/// Another dose that was taken of the same slot.
fn other_dose(asked: &Asked<'_>, record: &OutcomeRecorded) -> Option<Other> {
    let others = recorded_for(asked.resident, record.slot.as_ref()?);
    let tell = |a: &Administration| {
        let recording = a.effective().filter(|r| r.outcome.is_taken())?;
        let by = recording.given_by.or_else(|| a.record().and_then(|(w, _)| w.staff()));
        Some(Other { outcome: recording.outcome, by, at: recording.given_at })
    };
    others.into_iter().filter(|a| a.id() != Some(record.administration)).find_map(tell)
}
