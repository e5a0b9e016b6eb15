//! What the merged record finds of doses that were taken, beside their slots.

use crate::command::session::Session;
use mar::due::Due;
use mar::ids::{AdministrationId, ResidentId};
use mar::rules::{Finding, findings, taken};
use mar::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What is found of each dose of some residents, in the months that are loaded.
pub struct Found(BTreeMap<AdministrationId, BTreeSet<Finding>>);

impl Found {
    /// Looks at everything that these residents took.
    #[must_use]
    pub fn of(session: &Session<'_>, residents: &[ResidentId]) -> Self {
        let residents = residents.iter().filter_map(|id| session.picture.resident(*id));
        let of = |resident| {
            let all = taken(&session.picture.home, resident, Timestamp(i64::MIN));
            findings(resident, &all)
        };
        Self(residents.flat_map(|resident| of(resident)).collect())
    }

    /// Returns what is found of the doses of one slot; empty for nothing.
    pub(super) fn beside(&self, due: &Due<'_>) -> BTreeSet<Finding> {
        let doses = due.taken().filter_map(mar::picture::Administration::id);
        doses.filter_map(|id| self.0.get(&id)).flatten().copied().collect()
    }
}
