//! What fell due of an order before its second check, told where it is written and checked (S-09,
//! W-11).

use crate::command::Output;
use crate::command::page::moment;
use crate::command::session::Session;
use mar::first::{FirstDose, Unoffered, unoffered};
use mar::picture::{OrderHistory, VersionView};
use mar::rules::by_date;
use mar::settings::Settings;
use serde_json::{Value, json};

/// Returns what fell due before the check, or until now while the order waits for it; `None` when
/// nothing did.
pub(super) fn of(session: &Session<'_>, history: &OrderHistory) -> Option<Unoffered> {
    let fallback = Settings::new("-", chrono::NaiveDate::default());
    let settings = by_date(&session.picture.home, &fallback);
    let versions = history.versions();
    let last: &VersionView<'_> = versions.iter().rfind(|v| !v.rejected && !v.conflict)?;
    unoffered(last, &settings, session.now)
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
        .map(|s| json!({ "slot": s.id.to_string(), "due": s.due.rfc3339(zone) }))
        .collect();
    let first = found.first.as_ref().map(|first| {
        json!({
            "slot": first.slot.id.to_string(),
            "due": first.slot.due.rfc3339(zone),
            "open": is_open(session, first),
            "until": first.until.map(|at| at.rfc3339(zone)),
            "next_due": first.next.as_ref().map(|next| next.due.rfc3339(zone)),
            "minutes_to_next": first.spacing(session.now).map(|m| m.0),
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
        if !checked {
            out.line("Nobody can give a dose before the check: let a second person check it now.");
            return;
        }
    }
    match &found.first {
        Some(first) if is_open(session, first) => tell_first(session, first, out),
        Some(first) => {
            out.line(format!(
                "The dose of {} is too late to be given by itself: ask the prescriber, then write \
                 what became of it: medroundctl record {} --outcome other --reason TEXT --as \
                 INITIALS",
                moment(first.slot.due, zone),
                first.slot.id
            ));
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

fn tell_first(session: &Session<'_>, first: &FirstDose, out: &mut Output<'_>) {
    let zone = session.zone();
    let slot = &first.slot.id;
    let due = moment(first.slot.due, zone);
    out.line(if first.ours {
        format!("FIRST DOSE NOW, instead of {due}: medroundctl record {slot} --outcome given --as INITIALS")
    } else {
        format!(
            "The dose of {due} was due before this home had the order. Only if it was not taken \
             elsewhere, give it now: medroundctl record {slot} --outcome given --as INITIALS"
        )
    });
    if let (Some(next), Some(spacing)) = (&first.next, first.spacing(session.now)) {
        let spacing = mar::words::apart(spacing);
        out.line(format!("    The next is due {}, {spacing} from now.", moment(next.due, zone)));
    }
    if let Some(until) = first.until {
        out.line(format!("    It can be given until {}.", moment(until, zone)));
    }
    out.line(format!(
        "    If it was given elsewhere: medroundctl record {slot} --outcome given-elsewhere \
         --given-at T --reason TEXT --as INITIALS"
    ));
    if first.ours {
        out.line("    If it is not to be given: the same with --outcome other --reason TEXT.");
    }
}
