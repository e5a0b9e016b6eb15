//! What is to be done when a resident comes back: what was given away from here, and what was
//! changed there, is found out for each medicine.

use super::Decision;
use crate::fact::{BACK, Fact, FollowUpFact};
use crate::ids::{FollowUpId, ResidentId};
use crate::picture::{Absence, ResidentPicture};
use crate::refusal::{Refusal, moment};
use crate::resident::{Status, Whereabouts};
use crate::rules;
use crate::schedule::{Schedule, Slot};
use crate::settings::Settings;
use crate::time::Minutes;
use chrono::NaiveDate;

/// So many rare doses are named; more are counted.
const NAMED: usize = 6;

/// The part of an absence whose rare doses are looked for: its last 92 days. After a longer one each
/// medicine is gone through anew, and a mistyped year costs no memory.
const LOOKED_AT: Minutes = Minutes(92 * 24 * 60);

impl Decision<'_, '_, '_> {
    /// The follow-up that a return opens; `None` where this status is none, and where one is open
    /// for it and only the time is corrected.
    pub(super) fn reconciliation(
        &mut self,
        id: ResidentId,
        status: &Status,
    ) -> Result<Option<Fact>, Refusal> {
        let resident = self.resident_picture(id)?.clone();
        if !status.whereabouts.is_present() {
            return Ok(None);
        }
        let Some(absence) = resident.absence_before(status.from) else { return Ok(None) };
        let asked =
            |f: &crate::picture::FollowUp<'_>| f.closed.is_none() && f.what.starts_with(BACK);
        let here = resident.whereabouts(self.now()).is_present();
        if here && resident.follow_ups().iter().any(asked) {
            return Ok(None);
        }
        let zone = self.settings()?.zone;
        let missed = self.rare_doses(&resident, &absence);
        let mut named: Vec<String> = missed
            .iter()
            .take(NAMED)
            .map(|(name, slot)| format!("{name}, {}", moment(slot.due, zone)))
            .collect();
        if missed.len() > NAMED {
            named.push(format!("{} more", missed.len() - NAMED));
        }
        let missed = if named.is_empty() {
            String::new()
        } else {
            format!(". NOT GIVEN EVERY DAY, and due while away: {}", crate::words::list(&named))
        };
        let what = format!(
            "{BACK}{} since {}: go through each medicine: what was given there, what was changed\
             {missed}",
            place(absence.whereabouts),
            moment(absence.to, zone)
        );
        let follow_up = FollowUpId(self.fresh());
        let fact = FollowUpFact::Opened { follow_up, what, order: None, owner: None };
        Ok(Some(Fact::FollowUp(fact)))
    }

    /// The doses that fell due in the absence of orders that are given less often than every day:
    /// the next one is days away, so nobody would miss one that was not given.
    fn rare_doses(&self, resident: &ResidentPicture, absence: &Absence) -> Vec<(String, Slot)> {
        let fallback = Settings::new("-", NaiveDate::default());
        let settings = rules::by_date(&self.picture.home, &fallback);
        let mut found = Vec::new();
        let from = absence.from.max(absence.to.minus(LOOKED_AT));
        for history in resident.orders.values() {
            for slot in history.slots(&settings, from, absence.to) {
                let Some(view) = history.version_as_written(slot.id.version) else { continue };
                let content = &view.version.content;
                if is_rare(&content.schedule) {
                    found.push((content.medicine.name.clone(), slot));
                }
            }
        }
        found.sort_by_key(|(_, slot)| slot.due);
        found
    }
}

/// Whether there are days without a dose.
fn is_rare(schedule: &Schedule) -> bool {
    match schedule {
        Schedule::Times { days, .. } | Schedule::Rounds { days, .. } => days.iter().count() < 7,
        Schedule::EveryDays { n, .. } => *n > 1,
        Schedule::EveryWeeks { n, days, .. } => *n > 1 || days.iter().count() < 7,
        Schedule::EveryHours { n, .. } => *n > 24,
        Schedule::Once { .. } => true,
        Schedule::WhenRequired(_) => false,
    }
}

const fn place(whereabouts: Whereabouts) -> &'static str {
    match whereabouts {
        Whereabouts::Hospital => "hospital",
        Whereabouts::DayLeave | Whereabouts::OvernightLeave => "leave",
        Whereabouts::Present | Whereabouts::Discharged | Whereabouts::Deceased => "elsewhere",
    }
}
