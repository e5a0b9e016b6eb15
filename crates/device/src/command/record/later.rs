//! What is said of a dose later: its effect, a correction.

use super::{Answer, Words, answer, outcome, told};
use crate::command::json::amount;
use crate::command::session::Session;
use crate::command::{Fault, Output};
use mar::command::{Ask, AskDose};
use mar::outcome::{EFFECTS, Effect};
use mar::picture::Administration;
use mar::refusal::Missing;
use serde::{Deserialize, Serialize};
use serde_json::json;

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
    let line = format!("Effect noted: {}.", effect_words(effect));
    let told = Answer::of(resident, &saved, ask.wait);
    answer(session, &told.with(("effect", json!(effect.word())), line), out)
}

const fn effect_words(effect: Effect) -> &'static str {
    match effect {
        Effect::Good => "it helped",
        Effect::Partly => "it helped in part",
        Effect::None => "it did not help",
        Effect::Asleep => "the resident was asleep",
    }
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
            // What is not told again stays as it was; how much is taken stays with what was taken.
            if ask.outcome.is_none() {
                told.reason.clone_from(&before.reason);
            }
            told.given_at = told.given_at.or(Some(before.given_at));
            told.given_by = told.given_by.or(before.given_by);
            told.professional = told.professional.or(before.professional.clone());
            told.site = told.site.or(before.site);
            if told.readings.is_empty() {
                told.readings.clone_from(&before.readings);
            }
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
    let alone = ask.told.alone;
    let ask_dose = AskDose::Correct { administration, instead, reason, alone };
    let saved = session.submit(Ask::Dose(resident, ask_dose))?;
    let held = session.picture.resident(resident).and_then(|r| r.administration(administration));
    let now = held.and_then(Administration::effective).and_then(|r| r.amount.as_ref());
    let told = Answer::of(resident, &saved, ask.wait);
    let told = match before.amount.filter(|_| now.is_none()) {
        Some(was) => {
            let line = format!("No longer counted as taken: {was}.");
            told.with(("amount_taken_back", amount(&was)), line)
        }
        None => told,
    };
    answer(session, &told, out)
}
