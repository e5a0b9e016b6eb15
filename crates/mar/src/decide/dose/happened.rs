//! A dose that has been given although a rule stands in the way (D-06, H-01).
//!
//! The record takes what is true, asks why, and opens an incident. It is no way to give one now: a
//! limit is a hard block, and only the prescriber moves it (P-06).

use super::{Asked, Decision};
use crate::command::Told;
use crate::fact::{DoseFact, Draft, FIND_OUT, Fact, FollowUpFact, INCIDENT, Made, Recording};
use crate::ids::{FollowUpId, OrderId, ResidentId};
use crate::outcome::Outcome;
use crate::picture::ResidentPicture;
use crate::refusal::{DoseRefusal, Refusal, moment};
use crate::schedule::Slot;
use crate::time::{Minutes, Timestamp, Tz};
use std::sync::Arc;

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

    /// The follow-up of "not known, handed to …": whoever it was handed to finds it, until another
    /// outcome says more (W-04, D-16). `None` where nothing was handed over.
    pub(super) fn hand_over(
        &mut self,
        resident: &Arc<ResidentPicture>,
        made: &Made,
        fact: &DoseFact,
        told: Option<&Told>,
    ) -> Result<Option<Draft>, Refusal> {
        let Some(told) = told else { return Ok(None) };
        let Some(owner) = told.handed_to else { return Ok(None) };
        let (slot, given_at) = match fact {
            DoseFact::Recorded(recorded) => (recorded.slot.as_ref(), recorded.recording.given_at),
            DoseFact::Corrected(corrected) => {
                let dose = resident.administration(corrected.of.administration);
                let record = dose.and_then(|a| a.record()).map(|(_, record)| record);
                let at =
                    corrected.instead.as_ref().map_or(corrected.of.filed_under, |r| r.given_at);
                (record.and_then(|r| r.slot.as_ref()), at)
            }
            DoseFact::Popped(_) | DoseFact::Effect(_) => return Ok(None),
        };
        let history = resident.orders.get(&fact.order());
        let version = history.and_then(|history| history.best_version(given_at));
        let medicine = version.map_or("a medicine", |v| v.content.medicine.name.as_str());
        let slot = slot.and_then(|slot| self.asked_slot(resident, slot).ok());
        let due = moment(slot.map_or(given_at, |(_, slot)| slot.due), self.settings()?.zone);
        let (order, what) = (Some(fact.order()), format!("{FIND_OUT}{medicine}, {due}"));
        let follow_up = FollowUpId(self.fresh());
        let fact = FollowUpFact::Opened { follow_up, what, order, owner: Some(owner) };
        let made = Made { base: Vec::new(), ..made.clone() };
        Ok(Some(Draft { subject: Some(resident.id), made: Some(made), fact: Fact::FollowUp(fact) }))
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
