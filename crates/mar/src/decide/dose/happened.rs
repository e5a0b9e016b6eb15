//! A dose that has been given although a rule stands in the way (D-06, H-01).
//!
//! The record takes what is true, asks why, and opens an incident. It is no way to give one now: a
//! limit is a hard block, and only the prescriber moves it (P-06).

use super::{Asked, Decision};
use crate::command::Told;
use crate::fact::{Draft, Fact, FollowUpFact, INCIDENT, Made, Recording};
use crate::ids::{FollowUpId, OrderId, ResidentId};
use crate::outcome::Outcome;
use crate::refusal::{DoseRefusal, Refusal, moment};
use crate::schedule::Slot;
use crate::time::{Minutes, Timestamp, Tz};

/// What has been given lies at least this far back: times are typed to the minute.
const PAST: Minutes = Minutes(1);

/// What stood in the way of a dose that has been given all the same, and why it was given.
pub(super) struct Happened<'t> {
    /// `None` where nobody says so: then whatever stands in the way refuses.
    why: Option<&'t str>,
    /// The time that is spoken of is past: a refusal may name the way to tell it.
    past: bool,
    stood: Vec<DoseRefusal>,
}

impl<'t> Happened<'t> {
    /// Reads what was told of a dose.
    pub(super) fn told(told: &'t Told, now: Timestamp) -> Result<Self, Refusal> {
        let past = told.given_at.is_some_and(|at| at <= now.minus(PAST));
        let happened = Self::corrected(told)?;
        if happened.why.is_some() && !past {
            return Err(DoseRefusal::GivenNow.into());
        }
        Ok(Self { past: past && told.outcome.is_taken(), ..happened })
    }

    /// Reads what a correction tells: what it speaks of has been recorded, so it is past.
    pub(super) fn corrected(told: &'t Told) -> Result<Self, Refusal> {
        let why = told.already_given.as_deref().map(str::trim);
        if let Some(why) = why {
            if why.is_empty() {
                let words = "say in --already-given why it was given all the same";
                return Err(DoseRefusal::AlreadyGiven(words).into());
            }
            if !told.outcome.is_taken() {
                let words = "--already-given is for a dose that was given: leave it out";
                return Err(DoseRefusal::AlreadyGiven(words).into());
            }
        }
        Ok(Self { why, past: true, stood: Vec::new() })
    }

    /// There was no such dose, so nothing stands in its way.
    pub(super) const fn nothing() -> Self {
        Self { why: None, past: true, stood: Vec::new() }
    }

    /// Lets pass what cannot undo a dose that has been given, and keeps it for the incident.
    pub(super) fn pass(&mut self, check: Result<(), Refusal>) -> Result<(), Refusal> {
        match check {
            Err(Refusal::Dose(stood)) if stood.may_have_happened() => {
                if self.why.is_some() {
                    if !self.stood.contains(&stood) {
                        self.stood.push(stood);
                    }
                    return Ok(());
                }
                let named = self.past && !matches!(stood, DoseRefusal::AlreadyRecorded { .. });
                Err(if named { DoseRefusal::Happened(Box::new(stood)) } else { stood }.into())
            }
            other => other,
        }
    }

    /// Returns what the incident says after the medicine's name; `None` where nothing stood in the
    /// way and nobody said so.
    pub(super) fn incident(&self, at: Timestamp, zone: Tz) -> Result<Option<String>, Refusal> {
        let Some(why) = self.why else { return Ok(None) };
        if self.stood.is_empty() {
            let words = "nothing stands in the way of this dose: record it without --already-given";
            return Err(DoseRefusal::AlreadyGiven(words).into());
        }
        let stood: Vec<String> = self.stood.iter().map(|r| r.what_stood(zone)).collect();
        Ok(Some(format!("given {}: {}. Why: {why}", moment(at, zone), stood.join("; "))))
    }
}

impl Decision<'_, '_, '_> {
    /// The follow-up that an incident opens: the shift lead finds it, somebody closes it (W-12).
    pub(super) fn open_incident(
        &mut self,
        resident: ResidentId,
        made: &Made,
        order: OrderId,
        what: &str,
    ) -> Draft {
        let follow_up = FollowUpId(self.fresh());
        let what = format!("{INCIDENT}{what}");
        let fact = FollowUpFact::Opened { follow_up, what, order: Some(order), owner: None };
        let made = Made { base: Vec::new(), ..made.clone() };
        Draft { subject: Some(resident), made: Some(made), fact: Fact::FollowUp(fact) }
    }

    /// What the incident says of a dose that was left out in error (D-03); `None` for every other.
    pub(super) fn left_out(
        &self,
        asked: &Asked<'_>,
        slot: &Slot,
        recording: &Recording,
    ) -> Option<String> {
        let zone = self.settings().ok().filter(|_| recording.outcome == Outcome::OmittedInError)?;
        let due = moment(slot.due, zone.zone);
        let name = &asked.content().medicine.name;
        Some(format!("{name}, due {due}: left out in error. {}", recording.reason.trim()))
    }

    /// What the incident says that this dose opens; `None` where it opens none.
    pub(super) fn incident(
        &self,
        asked: &Asked<'_>,
        happened: &Happened<'_>,
        at: Timestamp,
    ) -> Result<Option<String>, Refusal> {
        let found = happened.incident(at, self.settings()?.zone)?;
        Ok(found.map(|words| format!("{}, {words}", asked.content().medicine.name)))
    }
}
