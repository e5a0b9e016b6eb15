//! What an outcome has to say to mean something (D-03, D-15, W-04).

use super::Decision;
use crate::command::Told;
use crate::fact::{Actor, Professional};
use crate::ids::StaffId;
use crate::outcome::{Outcome, Practice};
use crate::refusal::{DoseRefusal, Refusal};

impl Decision<'_, '_, '_> {
    /// Refuses an outcome that is told without what it means, naming what is missing. Returns the
    /// reason as it is kept.
    pub(super) fn meaning(&self, told: &Told) -> Result<String, Refusal> {
        let outcome = told.outcome;
        if outcome.needs_reason() && blank(&told.reason) {
            return Err(DoseRefusal::Reason(outcome).into());
        }
        let who = told.professional.as_ref();
        if outcome == Outcome::Practice(Practice::GivenByProfessional) && !who.is_some_and(is_whole)
        {
            return needs("say who gave it: --professional \"NAME, ROLE, ORGANISATION\"");
        }
        let read = !told.readings.is_empty() && told.readings.iter().all(|r| !blank(&r.value));
        if outcome == Outcome::ClinicalReading && !read {
            return needs("say what was read: --reading NAME=VALUE, such as pulse=52");
        }
        if outcome == Outcome::Practice(Practice::Rescheduled) {
            return needs(
                "this program cannot move the next due dose yet: record what became of this one, \
                 and have the order changed",
            );
        }
        match (outcome == Outcome::Practice(Practice::NotKnown), told.handed_to) {
            (true, Some(to)) => self.handed_over(to, told.reason.trim()),
            (true, None) => needs("say who finds out what became of it: --handed-to STAFF"),
            (false, Some(_)) => needs("--handed-to is for the outcome not-known: leave it out"),
            (false, None) => Ok(told.reason.clone()),
        }
    }

    /// A round can always close: "not known, handed to …" is honest, and names somebody (W-04).
    fn handed_over(&self, to: StaffId, reason: &str) -> Result<String, Refusal> {
        if self.command.actor == Actor::Staff(to) {
            return needs("--handed-to names somebody else, who finds out what became of it");
        }
        let (staff, _) = self.active(to)?;
        let handed = format!("handed to {} ({})", staff.name, staff.initials);
        Ok(if reason.is_empty() { handed } else { format!("{handed}: {reason}") })
    }
}

fn blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Name, role and organisation are all there (D-15).
fn is_whole(who: &Professional) -> bool {
    ![&who.name, &who.role, &who.organisation].into_iter().any(|text| blank(text))
}

fn needs<T>(words: &'static str) -> Result<T, Refusal> {
    Err(DoseRefusal::Outcome(words).into())
}
