//! What fell due of an order before its second check, told where it is written and checked (S-09,
//! W-11).

use crate::command::Output;
use crate::command::page::moment;
use crate::command::session::Session;
use mar::due::{recorded_for, shown};
use mar::first::{FirstDose, Unoffered, unoffered};
use mar::picture::{OrderHistory, ResidentPicture, VersionView};
use mar::rules::by_date;
use mar::schedule::SlotId;
use mar::settings::Settings;
use serde_json::{Value, json};
use std::sync::Arc;

/// Returns what fell due before the check, or until now while the order waits for it; `None` when
/// nothing did.
pub(super) fn of(session: &Session<'_>, history: &OrderHistory) -> Option<Unoffered> {
    let fallback = Settings::new("-", chrono::NaiveDate::default());
    let settings = by_date(&session.picture.home, &fallback);
    let versions = history.versions();
    let last: &VersionView<'_> = versions.iter().rfind(|v| !v.rejected && !v.conflict)?;
    unoffered(of_order(session, history)?, last, &settings, session.now)
}

fn of_order<'s>(session: &'s Session<'_>, history: &OrderHistory) -> Option<&'s ResidentPicture> {
    let residents = session.picture.residents.values();
    residents.map(Arc::as_ref).find(|r| r.orders.contains_key(&history.id))
}

/// What became of a dose that nobody could offer, where somebody recorded it all the same.
fn became(session: &Session<'_>, history: &OrderHistory, slot: &SlotId) -> Option<String> {
    let recorded = recorded_for(of_order(session, history)?, slot);
    let told = shown(&recorded)?.effective()?;
    let outcome = told.outcome.on_screen().to_lowercase();
    Some(format!("{outcome} {}", moment(told.given_at, session.zone())))
}

/// Whether the first dose may be given now: the check that was just written is not in the future.
fn is_open(session: &Session<'_>, first: &FirstDose) -> bool {
    first.is_open_at(session.now.max(first.from))
}

/// Returns it as JSON: every dose that nobody could offer, and the first dose where it may be
/// wanted now.
pub(in crate::command) fn to_json(session: &Session<'_>, history: &OrderHistory) -> (Value, Value) {
    let zone = session.zone();
    let Some(found) = of(session, history) else { return (json!([]), Value::Null) };
    let slots: Vec<Value> = found
        .slots
        .iter()
        .map(|s| {
            let recorded = became(session, history, &s.id).is_some();
            let (slot, due) = (s.id.to_string(), s.due.rfc3339(zone));
            json!({ "slot": slot, "due": due, "recorded": recorded })
        })
        .collect();
    let first = found.first.as_ref().map(|first| {
        json!({
            "slot": first.slot.id.to_string(),
            "due": first.slot.due.rfc3339(zone),
            "open": is_open(session, first),
            "until": first.until.map(|at| at.rfc3339(zone)),
            "next_due": first.next.as_ref().map(|next| next.due.rfc3339(zone)),
            "minutes_to_next": first.spacing(session.now).map(|m| m.0),
            "next_possible": first.next_from(session.now.max(first.from)).map(|at| at.rfc3339(zone)),
            "too_near_next": first.too_near(session.now.max(first.from)).is_some(),
            "given_elsewhere_before": !first.ours,
        })
    });
    (Value::Array(slots), json!(first))
}

/// Tells it, and what to do.
pub(super) fn tell(session: &Session<'_>, history: &OrderHistory, out: &mut Output<'_>) {
    let Some(found) = of(session, history) else { return };
    let checked = history.versions().iter().any(|v| v.from.is_some());
    let zone = session.zone();
    if let (Some(one), Some(last)) = (found.slots.first(), found.slots.last()) {
        let (n, from, to) = (found.slots.len(), moment(one.due, zone), moment(last.due, zone));
        let which = if n == 1 {
            format!("1 dose fell due before the check: {from}.")
        } else {
            format!("{n} doses fell due before the check: {from} to {to}.")
        };
        out.line(which);
        for slot in &found.slots {
            if let Some(became) = became(session, history, &slot.id) {
                out.line(format!("On record, {}: {became}.", moment(slot.due, zone)));
            }
        }
        if !checked {
            out.line("Nobody can give a dose before the check: let a second person check it now.");
            return;
        }
    }
    match &found.first {
        Some(first) => {
            for line in steps(session, first) {
                out.line(line);
            }
        }
        None if found.answered => {
            out.line("A dose is on record already: do not give one in its place.");
        }
        None if checked => {
            if let Some(next) = &found.next {
                out.line(format!(
                    "The next dose, {}, takes their place: give that one.",
                    moment(next.due, zone)
                ));
            }
        }
        None => {}
    }
}

/// Tells it under the medicine's name, where several orders were checked at once.
pub(in crate::command) fn tell_checked(
    session: &Session<'_>,
    history: &OrderHistory,
    out: &mut Output<'_>,
) {
    let Some(version) = history.best_version(session.now) else { return };
    let notes = super::notes(session, version);
    if notes.is_empty() && of(session, history).is_none() {
        return;
    }
    out.line(format!("{}:", version.content.medicine.name));
    for note in notes {
        out.line(format!("    {note}"));
    }
    tell(session, history, out);
}

/// Returns what can be done about a first dose now: whether it may be given, what that means for
/// the next one, and what else can be told of it. A command stands on a line of its own.
pub(in crate::command) fn steps(session: &Session<'_>, first: &FirstDose) -> Vec<String> {
    let zone = session.zone();
    let (slot, due) = (&first.slot.id, moment(first.slot.due, zone));
    let at = session.now.max(first.from);
    let mut lines = Vec::new();
    if is_open(session, first) {
        lines.push(match (first.ours, first.open_at_check) {
            (true, _) => format!("FIRST DOSE NOW, instead of {due}:"),
            (false, true) => format!(
                "The dose of {due}: ask whether it was given elsewhere. If not, FIRST DOSE NOW:"
            ),
            (false, false) => format!(
                "The dose of {due} was due before this home had the order: ask whether it was \
                 given elsewhere. Only if not, give it now:"
            ),
        });
        lines.push(format!("    medroundctl record {slot} --outcome given --as INITIALS"));
        lines.extend(next_in_words(session, first).map(|next| format!("    {next}")));
        if let Some(until) = first.until {
            lines.push(format!("    It can be given until {}.", moment(until, zone)));
        }
    } else if let Some(next) = first.too_near(at) {
        lines.push(format!(
            "The dose of {due} is too near the next dose at {}: give that one.",
            moment(next.due, zone)
        ));
    } else {
        lines.push(format!(
            "The dose of {due} is too late to be given by itself: ask the prescriber, then write \
             what became of it."
        ));
    }
    lines.push("If it was given elsewhere:".to_owned());
    lines.push(format!(
        "    medroundctl record {slot} --outcome given-elsewhere --given-at TIME --reason TEXT \
         --as INITIALS"
    ));
    lines.push("If it is not given:".to_owned());
    lines
        .push(format!("    medroundctl record {slot} --outcome other --reason TEXT --as INITIALS"));
    lines
}

/// When the next dose can be given, if the first one is given now; `None` when none follows.
pub(in crate::command) fn next_in_words(
    session: &Session<'_>,
    first: &FirstDose,
) -> Option<String> {
    let (zone, at) = (session.zone(), session.now.max(first.from));
    let (next, from) = first.next.as_ref().zip(first.next_from(at))?;
    let due = moment(next.due, zone);
    let spacing = mar::words::apart(first.spacing(at)?);
    Some(if from > next.due {
        let from = moment(from.up_to_minute(), zone);
        format!("Given now, the next (due {due}) cannot be given before {from}.")
    } else {
        format!("The next is due {due}, {spacing} from now.")
    })
}
