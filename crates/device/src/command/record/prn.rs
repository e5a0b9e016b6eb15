//! When-required doses.

use super::{Answer, Words, answer, outcome, told};
use crate::command::json::amount;
use crate::command::page::moment;
use crate::command::session::Session;
use crate::command::{Fault, Output};
use mar::command::{Ask, AskDose};
use mar::fact::{AccessKind, PrnNote};
use mar::refusal::DoseRefusal;
use mar::rules::{LOOK_BACK, PrnStatus, prn_status, taken};
use mar::time::Timestamp;
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
        let state = history.state(session.now).word();
        return Err(Fault::Refused(DoseRefusal::NotActive { state }.into()));
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
    let taken = taken(&session.picture.home, resident, EVER);
    let status = prn_status((history.id, content), prn, &taken, session.now);
    if out.is_json() {
        out.document(&to_json(session, &status));
    } else {
        out.line(format!(
            "{}  {}",
            crate::command::resident::name(session, id),
            content.medicine.name
        ));
        out.line(mar::words::directions(content, &session.settings()));
        for line in in_words(session, &status) {
            out.line(line);
        }
    }
    session.note_access(&BTreeSet::from([id]), AccessKind::Seen);
    Ok(())
}

/// The last dose of each order is held without limit in time.
pub(crate) const EVER: Timestamp = Timestamp(i64::MIN);

/// Beyond any time: it never fits.
const fn never(at: Option<Timestamp>) -> bool {
    matches!(at, Some(Timestamp(i64::MAX)))
}

fn to_json(session: &Session<'_>, status: &PrnStatus) -> Value {
    let zone = session.zone();
    let earliest = status.earliest_next.filter(|_| !never(status.earliest_next));
    // With a clock in doubt nobody knows what time it is, and so not how long ago the last one was.
    let holds = session.clock.times_hold();
    json!({
        "last": status.last.as_ref().map(|(at, much)| {
            json!({ "at": at.rfc3339(zone), "amount": amount(much) })
        }),
        "earliest_next": earliest.map(|at| at.rfc3339(zone)),
        "allowed_now": holds.then_some(status.earliest_next.is_none()),
        "left_24h": status.left_24h.as_ref().filter(|_| holds).map(amount),
        "given_7d": status.given_7d,
    })
}

/// Returns the four lines of P-05.
#[must_use]
pub(crate) fn in_words(session: &Session<'_>, status: &PrnStatus) -> Vec<String> {
    let zone = session.zone();
    let last = status.last.as_ref().map_or_else(
        || "Not given yet, as far as is known here.".to_owned(),
        |(at, much)| format!("Last given {much}, {}.", moment(*at, zone)),
    );
    let holds = session.clock.times_hold();
    let next = match status.earliest_next {
        None if !holds => {
            "WHETHER IT MAY BE GIVEN NOW CANNOT BE SAID: this device's clock is in doubt. Look at a \
             watch, and at when it was last given."
                .to_owned()
        }
        None => "May be given now.".to_owned(),
        at if never(at) => "The smallest dose is more than the most in 24 hours.".to_owned(),
        Some(at) => format!("Earliest next {}.", moment(at, zone)),
    };
    let left = status.left_24h.as_ref().map_or_else(
        || "The most in 24 hours is not stated.".to_owned(),
        |left| {
            if holds {
                format!("Left in 24 hours: {left}.")
            } else {
                "What is left in 24 hours cannot be said either.".to_owned()
            }
        },
    );
    let week = holds.then(|| format!("Given {} in the last 7 days.", times(status.given_7d)));
    [last, next, left].into_iter().chain(week).collect()
}

fn times(n: usize) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}
