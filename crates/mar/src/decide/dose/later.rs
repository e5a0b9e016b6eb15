//! What is said of a dose later: its effect, a correction.

use super::{Asked, Decision, elsewhere};
use crate::command::Told;
use crate::fact::{Corrected, DoseFact, EffectRecorded, Recording};
use crate::ids::{AdministrationId, EntryId};
use crate::outcome::{Effect, Outcome};
use crate::picture::ResidentPicture;
use crate::quantity::Amount;
use crate::refusal::{DoseRefusal, Missing, Refusal};
use crate::staff::Act;
use std::sync::Arc;

impl<'d> Decision<'d, '_, '_> {
    pub(super) fn note_effect(
        &self,
        resident: &'d Arc<ResidentPicture>,
        id: AdministrationId,
        effect: Effect,
        note: &str,
    ) -> Result<(EntryId, Vec<EntryId>, DoseFact), Refusal> {
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
        super::super::resident::short(note, "note")?;
        let base = administration.history().iter().map(|w| w.id).collect();
        let fact = EffectRecorded { of, effect, at: self.now(), note: note.to_owned() };
        Ok((authority, base, DoseFact::Effect(fact)))
    }

    /// A correction tells what is true instead; the original stays (D-13). It is checked like the
    /// record it replaces, except that limits never refuse it: what happened has happened, and what
    /// it breaches is raised by the merged record (Y-09).
    pub(super) fn correct(
        &self,
        resident: &'d Arc<ResidentPicture>,
        id: AdministrationId,
        instead: Option<&Told>,
        reason: &str,
    ) -> Result<(EntryId, Vec<EntryId>, DoseFact), Refusal> {
        let administration = resident.administration(id).ok_or(Missing::Administration)?;
        let of = administration.reference().ok_or(Missing::Administration)?;
        let (_, record) = administration.record().ok_or(Missing::Administration)?;
        if reason.trim().is_empty() {
            return Err(DoseRefusal::TimingReason("corrected").into());
        }
        super::super::resident::short(reason, "reason")?;
        let history = resident.orders.get(&record.order).ok_or(Missing::Order(record.order))?;
        let view =
            history.version_as_written(record.version).ok_or(Missing::Order(record.order))?;
        let authority = self.giver(history, self.now())?;
        let asked = Asked { resident, history, view, authority, unchecked: None };
        let told = instead.map(|told| Told {
            given_at: told.given_at.or(administration.effective().map(|r| r.given_at)),
            reason: if told.reason.trim().is_empty() {
                reason.to_owned()
            } else {
                told.reason.clone()
            },
            ..told.clone()
        });
        let instead = told.as_ref().map(|told| self.what_is_true(&asked, told)).transpose()?;
        if let (Some(told), Some(instead)) = (&told, &instead)
            && instead.outcome.is_taken()
            && !elsewhere(instead.outcome)
        {
            self.witnessed(&asked, told, instead.outcome)?;
        }
        let base = administration.correction_heads();
        let fact = Corrected { of, instead, reason: reason.to_owned() };
        Ok((authority, base, DoseFact::Corrected(fact)))
    }

    /// A correction may tell of an amount that was not the prescribed one: three tablets that were
    /// given in error have to count as three.
    fn what_is_true(&self, asked: &Asked<'_>, told: &Told) -> Result<Recording, Refusal> {
        let taken = told.outcome.is_taken() && told.outcome != Outcome::PartGiven;
        let in_unit = |a: &&Amount| a.unit == *asked.content().dose.unit() && !a.value.is_zero();
        match told.amount.as_ref().filter(|_| taken).filter(in_unit) {
            Some(amount) => {
                Ok(Recording { amount: Some(amount.clone()), ..self.told(asked, told)? })
            }
            None => self.recording(asked, told),
        }
    }
}
