//! What is said of a dose later: its effect, a correction.

use super::{Words, answer, outcome, told};
use crate::command::session::Session;
use crate::command::{Fault, Output};
use mar::command::{Ask, AskDose};
use mar::outcome::{EFFECTS, Effect};
use mar::refusal::Missing;
use serde::{Deserialize, Serialize};

/// What a when-required dose did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EffectRequest {
    /// Which dose.
    pub administration: String,
    /// The effect's word.
    pub effect: String,
    /// More words.
    pub note: String,
    /// Wait up to this many seconds for another device to have saved it.
    pub wait: Option<u64>,
}

/// What is true instead of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CorrectRequest {
    /// Which dose.
    pub administration: String,
    /// Why.
    pub reason: String,
    /// There was no such dose at all.
    pub never_happened: bool,
    /// The right outcome; `None` keeps it.
    pub outcome: Option<String>,
    /// What else is told instead.
    pub told: Words,
    /// Wait up to this many seconds for another device to have saved it.
    pub wait: Option<u64>,
}

pub(super) fn effect(
    session: &mut Session<'_>,
    ask: &EffectRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let effect = Effect::from_word(&ask.effect).ok_or_else(|| {
        let words: Vec<&str> = EFFECTS.iter().map(|(_, word)| *word).collect();
        Fault::Wrong(format!("`{}` is no effect: choose one of {}", ask.effect, words.join(", ")))
    })?;
    let (resident, administration, _) = session.administration(&ask.administration)?;
    let note = ask.note.clone();
    let ask_dose = AskDose::NoteEffect { administration, effect, note };
    let saved = session.submit(Ask::Dose(resident, ask_dose))?;
    answer(session, resident, &saved, ask.wait, out)
}

pub(super) fn correct(
    session: &mut Session<'_>,
    ask: &CorrectRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let (resident, administration, held) = session.administration(&ask.administration)?;
    let (_, record) =
        held.record().ok_or_else(|| Fault::Refused(Missing::Administration.into()))?;
    let before = held.effective().unwrap_or(&record.recording).clone();
    let order = record.order;
    let says_something = ask.outcome.is_some()
        || ask.told.amount.is_some()
        || ask.told.given_at.is_some()
        || ask.told.given_by.is_some()
        || !ask.told.readings.is_empty();
    let instead = match (ask.never_happened, says_something) {
        (true, false) => None,
        (false, true) => {
            let (_, history) = session.order(&order.to_string())?;
            let version = history.version(record.version);
            let dose = version.map(|v| v.version.content.dose.clone());
            let dose = dose.ok_or_else(|| Fault::Refused(Missing::Order(order).into()))?;
            let outcome = ask.outcome.as_deref().map(outcome).transpose()?;
            let mut told = told(session, outcome.unwrap_or(before.outcome), &ask.told, &dose)?;
            // What is not told again stays as it was.
            if ask.told.amount.is_none() && ask.outcome.is_none() {
                told.amount = before.amount;
            }
            if ask.outcome.is_none() {
                told.reason = before.reason;
            }
            told.given_at = told.given_at.or(Some(before.given_at));
            told.given_by = told.given_by.or(before.given_by);
            told.professional = told.professional.or(before.professional);
            told.site = told.site.or(before.site);
            Some(told)
        }
        (true, true) => {
            return Err(Fault::Wrong(
                "--never-happened says that there was no dose: tell nothing else of it".to_owned(),
            ));
        }
        (false, false) => {
            return Err(Fault::Wrong(
                "say what is true instead (--outcome, --amount, --given-at), or --never-happened"
                    .to_owned(),
            ));
        }
    };
    let reason = ask.reason.clone();
    let ask_dose = AskDose::Correct { administration, instead, reason };
    let saved = session.submit(Ask::Dose(resident, ask_dose))?;
    answer(session, resident, &saved, ask.wait, out)
}
