//! `due`: what is due in a span of time.

mod found;

pub use found::Found;

use super::json::dose;
use super::page::{WIDTH, clock, count, day, moment, wrap};
use super::resident::{apart_in_words, status_command};
use super::session::Session;
use super::{Fault, Output};
use mar::due::{Due, DueState, Suspension, due, withheld};
use mar::fact::AccessKind;
use mar::first::FirstDose;
use mar::ids::ResidentId;
use mar::picture::ResidentPicture;
use mar::rules::{Finding, LOOK_BACK, PastMost, by_date, slot_of};
use mar::schedule::{SlotId, SlotKey, SlotKind};
use mar::settings::Settings;
use mar::time::{DAY, Timestamp, day_span};
use mar::unread;
use mar::waiting::waiting;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A span may be this long: a person who asks for more has mistyped a year, and the answer would
/// take the device's memory.
const SPAN_MAX: mar::time::Minutes = mar::time::Minutes(367 * 24 * 60);

/// Of whom, and when. Days are half-open: from ≤ due < to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DueRequest {
    /// One resident only.
    pub resident: Option<String>,
    /// From when; `None` is the start of today.
    pub from: Option<String>,
    /// Until when; `None` is the end of today, or of the day of `from` where that is later.
    pub to: Option<String>,
    /// In JSON, too, what is not to be given: whoever reads it for what is due must not meet it.
    pub withheld: bool,
}

/// Shows what is due.
///
/// # Errors
/// When a resident or a time is none, or older months could not be read.
pub fn run(
    session: &mut Session<'_>,
    request: &DueRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    if request.from.is_none() || request.to.is_none() {
        session.knows_the_day("medroundctl due --from 2026-11-21 --to 2026-11-22")?;
    }
    let (begin, end) = day_span(session.zone(), session.today());
    let from = session.instant_of(request.from.as_deref())?.unwrap_or(begin);
    // Whoever asks from tomorrow on is told of tomorrow, and not that nothing is due.
    let (_, end_of_day) = day_span(session.zone(), from.civil(session.zone()).date());
    let to = session.instant_of(request.to.as_deref())?.unwrap_or(end.max(end_of_day));
    if to < from {
        return Err(Fault::Wrong("--to lies before --from".to_owned()));
    }
    if to > from.plus(SPAN_MAX) {
        return Err(Fault::Wrong(
            "--from and --to may lie a year apart at most: ask for a shorter time".to_owned(),
        ));
    }
    let only = request.resident.as_deref();
    let residents: Vec<ResidentId> = match only {
        Some(text) => vec![session.resident(text)?.id],
        None => mar::round::in_trolley_order(&session.picture, session.now),
    };
    for id in &residents {
        session.load(*id, from.minus(LOOK_BACK))?;
    }
    let session = &*session;
    // Of a stopped order the doses of a day, so that no old one stands there for ever; whoever asks
    // for a resident and a time asks for all.
    let after = (only.is_none() || request.from.is_none()).then_some(DAY);
    let home = &session.picture.home;
    let mut found: Vec<Due<'_>> = residents
        .iter()
        .filter_map(|id| session.picture.resident(*id))
        .flat_map(|r| {
            let mut of = due(home, r, (from, to), session.now);
            // What was given all the same is always told: whoever looked for it and did not find it
            // would give it again.
            let told = |d: &Due<'_>| request.withheld || !out.is_json() || !d.recorded.is_empty();
            let not_due = withheld(home, r, (from, to), after, session.now);
            of.extend(not_due.into_iter().filter(told));
            of
        })
        .collect();
    found.sort_by_key(|d| d.slot.due);
    let marks = Found::of(session, &residents);
    if out.is_json() {
        let list: Vec<Value> = found.iter().map(|d| to_json(session, d, &marks)).collect();
        out.document(&Value::Array(list));
    } else {
        tell(session, (&residents, &found, &marks), (from, to), out);
    }
    let seen: BTreeSet<ResidentId> = found.iter().map(|d| d.resident).collect();
    session.note_access(&seen, AccessKind::Seen);
    Ok(())
}

/// Returns one due dose as JSON.
#[must_use]
pub fn to_json(session: &Session<'_>, due: &Due<'_>, marks: &Found) -> Value {
    let zone = session.zone();
    let content = &due.version.content;
    let window = due.slot.window;
    json!({
        "slot": due.slot.id.to_string(),
        "resident": due.resident.to_string(),
        "order": due.slot.order.to_string(),
        "medicine": content.medicine.name,
        "directions": mar::words::directions(content, &session.settings()),
        "due": due.slot.due.rfc3339(zone),
        "window": { "from": window.from.rfc3339(zone), "to": window.to.rfc3339(zone) },
        "dose": dose(&content.dose),
        "state": due.state.word(),
        "kind": kind_word(due.slot.kind),
        "suspended": due.suspended.map(suspension_word),
        "first_dose": due.first.is_some(),
        "needs_update": needs_update(session, due.resident),
        "too_near_dose_of": due.near.map(|at| at.rfc3339(zone)),
        "not_before": due.not_before.map(|at| at.rfc3339(zone)),
        "past_most": due.past_most.as_ref().map(past_most_to_json),
        "outcome": outcome(due),
        "findings": marks.beside(due).iter().map(|found| found.word()).collect::<Vec<_>>(),
        "possible_double_dose": due.is_possible_double_dose(),
        "given": due.taken().filter_map(|a| a.effective()).map(|told| {
            told.given_at.rfc3339(zone)
        }).collect::<Vec<_>>(),
    })
}

/// Whether something may be missing of a resident, because it cannot be read here (Y-11).
fn needs_update(session: &Session<'_>, resident: ResidentId) -> bool {
    let found = session.picture.resident(resident);
    unread::of_home(&session.picture).is_some()
        || found.is_some_and(|r| unread::of_resident(r).is_some())
}

fn outcome(due: &Due<'_>) -> Option<&'static str> {
    let shown = mar::due::shown(&due.recorded)?;
    shown.effective().map(|r| r.outcome.word())
}

/// Returns the word of a kind of slot.
#[must_use]
pub const fn kind_word(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Regular => "regular",
        SlotKind::TimeCritical => "time-critical",
    }
}

/// Returns the word of why nothing is expected of a slot.
#[must_use]
pub const fn suspension_word(suspension: Suspension) -> &'static str {
    match suspension {
        Suspension::Held => "held",
        Suspension::Hospital => "hospital",
        Suspension::Leave => "leave",
        Suspension::Gone => "gone",
        Suspension::CourseDone => "course-done",
        Suspension::NotChecked => "not-checked",
        Suspension::Stopped => "stopped",
        Suspension::WaitsForCheck => "waits-for-check",
    }
}

/// Returns what an ingredient comes to with a dose, past its most, as JSON.
#[must_use]
pub fn past_most_to_json(past: &PastMost) -> Value {
    json!({
        "ingredient": past.ingredient,
        "mg": past.mg.to_string(),
        "most_mg": past.most_mg.to_string(),
        "words": past.in_words(),
    })
}

/// When the hold of a dose's order is to be looked at again (O-12); `None` where nobody said.
fn review_of(session: &Session<'_>, due: &Due<'_>) -> Option<String> {
    let resident = session.picture.resident_of_order(due.version.order)?;
    super::order::review_in_words(session, resident.orders.get(&due.version.order)?)
}

/// Returns why a dose is not to be given, in capitals.
#[must_use]
pub const fn why_not(suspension: Suspension) -> &'static str {
    match suspension {
        Suspension::Held => "HELD",
        Suspension::Hospital => "IN HOSPITAL",
        Suspension::Leave => "ON LEAVE",
        Suspension::Gone => "NO LONGER IN THE HOME",
        Suspension::CourseDone => "COURSE DONE",
        Suspension::NotChecked => "NOT CHECKED IN TIME",
        Suspension::Stopped => "STOPPED",
        Suspension::WaitsForCheck => "WAITS FOR ITS CHECK",
    }
}

/// Returns the state of a due dose for a person, with what is found of it, and with what is asked
/// before it is given.
#[must_use]
pub fn state_in_words(session: &Session<'_>, due: &Due<'_>, marks: &Found) -> String {
    let state = state_alone(session, due);
    // That it was given twice stands in its state, with the times.
    let found = marks.beside(due).into_iter().filter(|found| *found != Finding::DoubleDose);
    let found = found.map(|found| found.in_words().to_owned());
    let past = due.past_most.as_ref().map(|past| {
        format!("TOO MUCH: {}: ask the prescriber or pharmacist first", past.in_words())
    });
    let all = Some(state).into_iter().chain(found).chain(past);
    all.filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; ")
}

fn state_alone(session: &Session<'_>, due: &Due<'_>) -> String {
    let recorded = || mar::due::shown(&due.recorded).and_then(|a| a.effective());
    if due.is_possible_double_dose() {
        return given_twice(session, due);
    }
    if let Some(first) = &due.first {
        return first_in_words(session, first, due.not_before);
    }
    if let Some(last) = due.near {
        return format!(
            "TOO NEAR the dose of {}: ask the prescriber or pharmacist before you give this",
            clock(last, session.zone())
        );
    }
    match due.state {
        DueState::NotDue => match (due.suspended, due.not_before) {
            (Some(Suspension::NotChecked), _) => "not yet checked".to_owned(),
            (Some(suspension), _) => {
                let why = why_not(suspension);
                let review = review_of(session, due).filter(|_| suspension == Suspension::Held);
                let review = review.map(|words| format!(", to be {words}")).unwrap_or_default();
                format!("{why}, DO NOT GIVE{review}")
            }
            (None, Some(at)) => format!("not before {}", clock(at.up_to_minute(), session.zone())),
            (None, None) => String::new(),
        },
        DueState::Due => match due.not_before {
            Some(at) => format!("from {}", clock(at.up_to_minute(), session.zone())),
            None => "due now".to_owned(),
        },
        DueState::Late => "LATE".to_owned(),
        DueState::Unrecorded => "NOT RECORDED".to_owned(),
        DueState::OnPaper => "on paper".to_owned(),
        DueState::Recorded => recorded().map_or_else(String::new, |r| {
            format!(
                "{} {}",
                r.outcome.on_screen().to_lowercase(),
                clock(r.given_at, session.zone())
            )
        }),
    }
}

/// A slot that was given more than once, with when and by whom: to show the first alone would have
/// somebody look no further (Y-03).
fn given_twice(session: &Session<'_>, due: &Due<'_>) -> String {
    let doses: Vec<String> = due
        .taken()
        .filter_map(|administration| {
            let (entry, _) = administration.record()?;
            let told = administration.effective()?;
            let by = session.initials(told.given_by.or_else(|| entry.staff()));
            Some(format!("{} by {by}", clock(told.given_at, session.zone())))
        })
        .collect();
    let times = match doses.len() {
        2 => "TWICE".to_owned(),
        n => format!("{n} TIMES"),
    };
    format!("GIVEN {times}: {}", mar::words::list(&doses))
}

/// Returns the first dose of an order that was checked too late for it, with its spacing (W-11).
fn first_in_words(
    session: &Session<'_>,
    first: &FirstDose,
    not_before: Option<Timestamp>,
) -> String {
    let zone = session.zone();
    let held_back = not_before.filter(|at| *at > session.now);
    let from = held_back
        .map_or_else(|| "now".to_owned(), |at| format!("from {}", clock(at.up_to_minute(), zone)));
    let ask = if first.ours { "" } else { "ask whether it was given elsewhere; if not, " };
    let until = first.until.map(|at| format!(" Until {}.", moment(at, zone)));
    let next = super::order::next_in_words(session, first).map(|next| format!(" {next}"));
    format!(
        "{ask}FIRST DOSE {from}, checked after its time.{}{}",
        until.unwrap_or_default(),
        next.unwrap_or_default()
    )
}

/// Returns when a slot is due as a person reads it: `Sat 21 Nov 2026 08:00`, with its round where it
/// has one. A slot that its version no longer has is told by its key.
#[must_use]
pub(super) fn slot_in_words(
    session: &Session<'_>,
    resident: &ResidentPicture,
    slot: &SlotId,
) -> String {
    let fallback = Settings::new("-", slot.date);
    let settings = by_date(&session.picture.home, &fallback);
    let view = resident.orders.values().find_map(|h| h.version_as_written(slot.version));
    let due = view.and_then(|v| slot_of(v.version, slot, &settings)).map(|found| found.due);
    match (due, &slot.key) {
        (Some(at), SlotKey::Round(_)) => {
            format!("{} ({})", moment(at, session.zone()), slot.key.in_words())
        }
        (Some(at), SlotKey::Time(_) | SlotKey::Interval(_)) => moment(at, session.zone()),
        (None, _) => format!("{} {}", day(slot.date), slot.key.in_words()),
    }
}

fn tell(
    session: &Session<'_>,
    (residents, found, marks): (&[ResidentId], &[Due<'_>], &Found),
    (from, to): (Timestamp, Timestamp),
    out: &mut Output<'_>,
) {
    let zone = session.zone();
    if let Some(line) = super::unheard::line(session) {
        out.line(line);
    }
    for id in residents {
        let apart = session.picture.resident(*id).and_then(|r| apart_in_words(session, r));
        if let Some(line) = apart {
            let line = format!("{}: {line}:", super::resident::name(session, *id));
            for line in wrap(&line, WIDTH) {
                out.line(line);
            }
            out.line(status_command(*id, "WHERE", "TIME"));
        }
    }
    if found.is_empty() {
        out.line(format!("Nothing is due from {} to {}.", moment(from, zone), moment(to, zone)));
        out.line("Orders are listed by: medroundctl order list");
        tell_waiting(session, residents, out);
        return;
    }
    let mut date = None;
    for due in found {
        let on = due.slot.due.civil(zone).date();
        if date != Some(on) {
            if date.is_some() {
                out.line("");
            }
            out.line(day(on));
            date = Some(on);
        }
        let content = &due.version.content;
        let state = state_in_words(session, due, marks);
        let state = if state.is_empty() { state } else { format!("  [{state}]") };
        out.line(format!(
            "  {}  {}: {}: {}{state}",
            clock(due.slot.due, zone),
            super::resident::name(session, due.resident),
            content.medicine.name,
            mar::words::dose(&content.dose),
        ));
        if !matches!(due.state, DueState::Recorded | DueState::OnPaper) {
            out.line(format!("         {}", due.slot.id));
        }
    }
    tell_waiting(session, residents, out);
    tell_how(found.iter(), out);
}

/// The commands for what is listed: nobody is told how to give what is not to be given.
pub(super) fn tell_how<'d>(found: impl Iterator<Item = &'d Due<'d>> + Clone, out: &mut Output<'_>) {
    let withheld = |d: &Due<'_>| d.suspended.is_some_and(|why| why != Suspension::NotChecked);
    out.line("");
    if found.clone().any(|d| !withheld(d)) {
        out.line("To record: medroundctl record SLOT --outcome given --as INITIALS");
    }
    if found.clone().any(|d| matches!(d.state, DueState::Late | DueState::Unrecorded)) {
        out.line("Given at another time than now: add --given-at TIME --reason TEXT");
    }
    if found.clone().any(|d| withheld(d) && d.recorded.is_empty()) {
        out.line("DO NOT GIVE what is marked so. If one has been given all the same:");
        out.line(
            "    medroundctl record SLOT --outcome given --given-at TIME --already-given WHY --as \
             INITIALS",
        );
    }
}

/// Nothing is due from an order that waits, and "nothing is due" must not read as "takes nothing".
fn tell_waiting(session: &Session<'_>, residents: &[ResidentId], out: &mut Output<'_>) {
    let of = |id: &ResidentId| {
        session.picture.resident(*id).map_or(0, |r| waiting(r, session.now).len())
    };
    let orders: usize = residents.iter().map(of).sum();
    if orders > 0 {
        let wait = if orders == 1 { "waits" } else { "wait" };
        out.line("");
        out.line(format!(
            "{} {wait} for a check and may not be given: medroundctl order list",
            count(orders, "order")
        ));
    }
}
