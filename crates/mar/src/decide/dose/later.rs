//! What is said of a dose later: its effect, a correction.

use super::happened::Happened;
use super::{Asked, Correction, Decided, Decision, elsewhere};
use crate::command::Told;
use crate::fact::{Corrected, DoseFact, EffectRecorded, Recording};
use crate::ids::AdministrationId;
use crate::outcome::Effect;
use crate::picture::ResidentPicture;
use crate::refusal::{DoseRefusal, Missing, Refusal, WhoRefusal};
use crate::staff::Act;
use std::sync::Arc;

impl<'d> Decision<'d, '_, '_> {
    pub(super) fn note_effect(
        &self,
        resident: &'d Arc<ResidentPicture>,
        id: AdministrationId,
        effect: Effect,
        note: &str,
    ) -> Result<Decided, Refusal> {
        let (_, _, authority) = self.person(Act::NoteEffect)?;
        let administration = resident.administration(id).ok_or(Missing::Administration)?;
        let of = administration.reference().ok_or(Missing::Administration)?;
        let (_, record) = administration.record().ok_or(Missing::Administration)?;
        if record.prn.is_none() {
            return Err(
                DoseRefusal::Effect("an effect is noted for when-required doses only").into()
            );
        }
        if administration.effective().is_none_or(|r| !r.outcome.is_taken()) {
            return Err(DoseRefusal::Effect(
                "nothing was taken of this dose: there is no effect to note",
            )
            .into());
        }
        let again = administration.effects().last().map(|(w, e)| (w.staff(), e.effect, e.at));
        if let Some((by, noted, at)) = again.filter(|(_, noted, _)| *noted != Effect::Asleep)
            && note.trim().is_empty()
        {
            let person = by.and_then(|id| self.picture.home.person(id));
            let by = person.map_or_else(|| "somebody".to_owned(), |s| s.name.clone());
            return Err(DoseRefusal::EffectNoted { effect: noted, by, at }.into());
        }
        let base = administration.history().iter().map(|w| w.id).collect();
        let fact = EffectRecorded { of, effect, at: self.now(), note: note.to_owned() };
        Ok(Decided::quiet(authority, base, DoseFact::Effect(fact)))
    }

    /// A correction tells what is true instead; the original stays (D-13). It is checked like the
    /// record it replaces. What has happened has happened: a limit refuses it only until somebody
    /// says that it was so (D-06). What takes a finding or a controlled drug's dose away is looked
    /// at by two (C-03), or by the manager next morning (W-13).
    pub(super) fn correct(
        &self,
        resident: &'d Arc<ResidentPicture>,
        id: AdministrationId,
        words: &Correction<'_>,
    ) -> Result<Decided, Refusal> {
        let administration = resident.administration(id).ok_or(Missing::Administration)?;
        let of = administration.reference().ok_or(Missing::Administration)?;
        let (_, record) = administration.record().ok_or(Missing::Administration)?;
        if words.reason.trim().is_empty() {
            return Err(DoseRefusal::TimingReason("corrected").into());
        }
        let history = resident.orders.get(&record.order).ok_or(Missing::Order(record.order))?;
        let view =
            history.version_as_written(record.version).ok_or(Missing::Order(record.order))?;
        let authority = self.giver(history, self.now())?;
        let asked = Asked { resident, history, view, authority, unchecked: None, outside: None };
        let before = administration.effective();
        let told = words.instead.map(|told| completed(told, before, words.reason));
        let mut happened = match &told {
            Some(told) => Happened::corrected(told)?,
            None => Happened::nothing(),
        };
        let mut instead = None;
        if let Some(told) = &told {
            let recording = self.what_is_true(&asked, told, before, &mut happened)?;
            if before.is_none_or(|b| (b.outcome, b.given_at) != (told.outcome, recording.given_at))
                && let Some(slot) = self.slot_of(&asked, record)
            {
                happened.pass(self.not_ahead(&asked, &slot, &recording))?;
            }
            if recording.outcome.is_taken() && !elsewhere(recording.outcome) {
                self.witnessed(&asked, told, recording.outcome)?;
            }
            instead = Some(recording);
        }
        let stood = self.found(&asked, record, before);
        let stands = self.found(&asked, record, instead.as_ref());
        let taken = |r: Option<&Recording>| r.is_some_and(|r| r.outcome.is_taken());
        let taken_back = taken(before) && !taken(instead.as_ref());
        let controlled = taken_back && self.settings()?.witnessed(asked.content().medicine.cd);
        let raised = taken_back && record.second_dose_really;
        if controlled || raised || stands.clears(&stood) {
            self.second_look(controlled, words.alone)?;
        }
        for refusal in self.comes_to_light(&stood, stands) {
            happened.pass(Err(refusal))?;
        }
        let at = instead.as_ref().map_or(of.filed_under, |r| r.given_at);
        let incident = self.incident(&asked, &happened, at)?;
        let base = administration.correction_heads();
        let fact = DoseFact::Corrected(Corrected { of, instead, reason: words.reason.to_owned() });
        Ok(Decided { authority, base, fact, incident })
    }

    /// What is true instead. What stays as it was is not asked about again.
    fn what_is_true(
        &self,
        asked: &Asked<'_>,
        told: &Told,
        before: Option<&Recording>,
        happened: &mut Happened<'_>,
    ) -> Result<Recording, Refusal> {
        let same = before.filter(|b| b.outcome == told.outcome && b.amount == told.amount);
        match same {
            Some(before) => {
                Ok(Recording { amount: before.amount.clone(), ..self.told(asked, told)? })
            }
            None => self.recording(asked, told, happened),
        }
    }

    /// A second person looks at a correction (D-13). The lone-worker exception wins (W-13).
    fn second_look(&self, controlled: bool, alone: bool) -> Result<(), Refusal> {
        let lone_worker = self.settings()?.lone_worker;
        match self.command.witness {
            Some(witness) if controlled && !self.may_witness(witness) => {
                Err(WhoRefusal::MayNotWitness.into())
            }
            Some(_) => self.witness().map(|_| ()),
            None if alone && lone_worker => Ok(()),
            None => Err(DoseRefusal::SecondLook { controlled, alone: lone_worker }.into()),
        }
    }
}

/// What is told, with what stays as it was: its time, and how much where some is still taken.
fn completed(told: &Told, before: Option<&Recording>, reason: &str) -> Told {
    let amount = before.filter(|_| told.outcome.is_taken()).and_then(|r| r.amount.clone());
    Told {
        amount: told.amount.clone().or(amount),
        given_at: told.given_at.or(before.map(|r| r.given_at)),
        reason: if told.reason.trim().is_empty() { reason.to_owned() } else { told.reason.clone() },
        ..told.clone()
    }
}
