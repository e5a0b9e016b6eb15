//! When-required doses.

use super::{Answer, Words, answer, outcome, told};
use crate::command::json::amount;
use crate::command::page::moment;
use crate::command::session::Session;
use crate::command::{Fault, Output, unheard};
use mar::command::{Ask, AskDose};
use mar::fact::{AccessKind, PrnNote};
use mar::ids::{AdministrationId, ResidentId, StaffId};
use mar::picture::ResidentPicture;
use mar::refusal::DoseRefusal;
use mar::rules::{LOOK_BACK, LastGiven, PrnStatus, RescueCount, prn_status, rescue_count, taken};
use mar::time::{DAY, Timestamp};
use mar::unread;
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
    let taken = taken(&session.picture.home, resident, EVER);
    let status = prn_status((history.id, content), prn, &taken, session.now);
    if out.is_json() {
        out.document(&to_json(session, resident, &status));
    } else {
        if let Some(line) = unheard::line(session) {
            out.line(line);
        }
        let home = unread::of_home(&session.picture);
        for line in home.into_iter().chain(unread::of_resident(resident)) {
            out.line(line);
        }
        out.line(format!(
            "{}  {}",
            crate::command::resident::name(session, id),
            content.medicine.name
        ));
        out.line(mar::words::directions(content, &session.settings()));
        for line in in_words(session, resident, &status) {
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

/// Who gave a dose; `None` when nobody known did.
fn giver(resident: &ResidentPicture, last: &LastGiven) -> Option<StaffId> {
    let administration = resident.administration(last.administration)?;
    let (entry, _) = administration.record()?;
    administration.effective().and_then(|r| r.given_by).or_else(|| entry.staff())
}

fn to_json(session: &Session<'_>, resident: &ResidentPicture, status: &PrnStatus) -> Value {
    let zone = session.zone();
    let earliest = status.earliest_next.filter(|_| !never(status.earliest_next));
    // With a clock in doubt nobody knows what time it is, and so not how long ago the last one was.
    let holds = session.clock.times_hold();
    json!({
        "last": status.last.as_ref().map(|last| {
            json!({
                "at": last.at.rfc3339(zone),
                "amount": amount(&last.amount),
                "by": giver(resident, last).map(|id| id.to_string()),
                "order": last.order.to_string(),
                "administration": last.administration.to_string(),
            })
        }),
        "earliest_next": earliest.map(|at| at.rfc3339(zone)),
        "allowed_now": (holds || status.rescue.is_some()).then_some(status.earliest_next.is_none()),
        "left_24h": status.left_24h.as_ref().filter(|_| holds).map(amount),
        "given_7d": status.given_7d,
        "rescue": status.rescue.as_ref().map(rescue_to_json),
        "unheard": unheard::to_json(session),
        "needs_update": unread::of_resident(resident).is_some()
            || unread::of_home(&session.picture).is_some(),
    })
}

/// Returns the count of a rescue medicine as JSON.
pub(super) fn rescue_to_json(count: &RescueCount) -> Value {
    json!({
        "given_24h": amount(&count.given),
        "most_24h": count.most.as_ref().map(amount),
        "words": count.in_words(),
    })
}

/// Returns the four lines of P-05; for a rescue medicine its count instead of what is left (W-05).
#[must_use]
pub(crate) fn in_words(
    session: &Session<'_>,
    resident: &ResidentPicture,
    status: &PrnStatus,
) -> Vec<String> {
    let zone = session.zone();
    let last = match &status.last {
        None => "Not given yet, as far as is known here.".to_owned(),
        Some(last) => {
            let by = session.initials(giver(resident, last));
            let at = moment(last.at, zone);
            format!("Last given {}{}, {at}, by {by}.", last.amount, named(resident, last, session))
        }
    };
    let holds = session.clock.times_hold();
    let next = match status.earliest_next {
        // A rescue medicine is held up by nothing, a clock least of all (W-05).
        None if !holds && status.rescue.is_none() => {
            "WHETHER IT MAY BE GIVEN NOW CANNOT BE SAID: this device's clock is in doubt. Look at a \
             watch, and at when it was last given."
                .to_owned()
        }
        None => "May be given now.".to_owned(),
        at if never(at) => "The smallest dose is more than the most in 24 hours.".to_owned(),
        // The time that is shown must be true: never a minute too early.
        Some(at) => format!("Earliest next {}.", moment(at.up_to_minute(), zone)),
    };
    let left = match (&status.rescue, &status.left_24h) {
        (Some(count), _) => format!("{}.", count.in_words()),
        (None, Some(_)) if !holds => "What is left in 24 hours cannot be said either.".to_owned(),
        (None, Some(left)) => format!("Left in 24 hours: {left}."),
        (None, None) => "The most in 24 hours is not stated.".to_owned(),
    };
    let week = holds.then(|| format!("Given {} in the last 7 days.", times(status.given_7d)));
    [last, next, left].into_iter().chain(week).collect()
}

/// ` of …` where the last dose was of another order, which shares the limits; else nothing.
fn named(resident: &ResidentPicture, last: &LastGiven, session: &Session<'_>) -> String {
    let history = resident.orders.get(&last.order).filter(|_| last.of_another);
    let version = history.and_then(|h| h.best_version(session.now));
    version.map_or_else(String::new, |v| format!(" of {}", v.content.medicine.name))
}

fn times(n: usize) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}
