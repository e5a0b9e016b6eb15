//! When-required doses.

use super::card::{Card, EVER};
use super::{Answer, Words, answer, outcome, told};
use crate::command::json::amount;
use crate::command::session::Session;
use crate::command::{Fault, Output, unheard};
use mar::command::{Ask, AskDose};
use mar::fact::{AccessKind, PrnNote};
use mar::ids::{AdministrationId, ResidentId};
use mar::refusal::DoseRefusal;
use mar::rules::{LOOK_BACK, RescueCount, rescue_count, taken};
use mar::time::{DAY, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A when-required dose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivePrn {
    /// The order.
    pub order: String,
    /// The outcome's word: `given`, or what came of offering it.
    pub outcome: String,
    /// What was told; its reason is the symptom.
    pub told: Words,
    /// The score, where the protocol has one.
    pub score: Option<u8>,
    /// Whether the resident asked.
    pub asked: bool,
    /// What was tried first.
    pub tried_first: String,
    /// Wait up to this many seconds for another device to have saved it.
    pub wait: Option<u64>,
}

pub(super) fn give(
    session: &mut Session<'_>,
    ask: &GivePrn,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let (resident, history) = session.order(&ask.order)?;
    let (resident, order) = (resident.id, history.id);
    let Some(version) = history.best_version(session.now) else {
        let state = history.state(session.now);
        return Err(Fault::Refused(DoseRefusal::NoVersion { order, state }.into()));
    };
    let told = told(session, outcome(&ask.outcome)?, &ask.told, &version.content.dose)?;
    let note = PrnNote {
        reason: ask.told.reason.clone(),
        score: ask.score,
        asked: ask.asked,
        tried_first: ask.tried_first.clone(),
    };
    let saved = session.submit(Ask::Dose(resident, AskDose::Prn { order, told, note }))?;
    answer(session, &Answer::of(resident, &saved, ask.wait), out)
}

/// Returns the count of a rescue medicine after this dose: `2 of 3 given, then 999 …` (W-05).
/// `None` for every other medicine.
pub(super) fn rescue_of(
    session: &Session<'_>,
    resident: ResidentId,
    dose: AdministrationId,
) -> Option<RescueCount> {
    let found = session.picture.resident(resident)?;
    let administration = found.administration(dose)?;
    let order = administration.record().map(|(_, o)| o.order)?;
    let content = &found.orders.get(&order)?.best_version(session.now)?.content;
    let prn = content.prn().filter(|_| content.flags.rescue)?;
    let taken = taken(&session.picture.home, found, EVER);
    // The dose itself was decided a moment after this command began, and so may another's be.
    let span = (session.now.minus(DAY), Timestamp(i64::MAX));
    Some(rescue_count((order, content), prn, &taken, span))
}

/// Shows what is shown before a when-required dose is prepared (P-05).
pub(super) fn status(
    session: &mut Session<'_>,
    order: &str,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let (resident, _) = session.order(order)?;
    let id = resident.id;
    session.load(id, session.now.minus(LOOK_BACK))?;
    let session = &*session;
    let (resident, history) = session.order(order)?;
    let version = history.best_version(session.now);
    let asked = version.and_then(|v| v.content.prn().map(|prn| (&v.content, prn)));
    let Some((content, prn)) = asked else {
        return Err(Fault::Refused(
            DoseRefusal::Outcome("this order has due times: look at medroundctl due").into(),
        ));
    };
    let card = Card::of(session, resident, (history.id, content, prn));
    if out.is_json() {
        out.document(&card.to_json());
    } else {
        if let Some(line) = unheard::line(session) {
            out.line(line);
        }
        out.line(format!(
            "{}  {}",
            crate::command::resident::name(session, id),
            content.medicine.name
        ));
        out.line(mar::words::directions(content, &session.settings()));
        for line in card.on_screen() {
            out.line(line);
        }
    }
    session.note_access(&BTreeSet::from([id]), AccessKind::Seen);
    Ok(())
}

/// Returns the count of a rescue medicine as JSON.
pub(super) fn rescue_to_json(count: &RescueCount) -> Value {
    json!({
        "given_24h": amount(&count.given),
        "most_24h": count.most.as_ref().map(amount),
        "words": count.in_words(),
    })
}
