//! `chart`: the MAR as data.

use super::json::{allergies_to_json, amount, content_to_json, medicine_to_json};
use super::page::{Table, clock, day, moment};
use super::print::held_since;
use super::resident::away_since;
use super::session::{Session, date};
use super::{Fault, Output, unheard, waiting};
use mar::chart::{Cell, Chart, ChartOrder, Dose, chart};
use mar::due::Suspension;
use mar::fact::{AccessKind, DoseFact, Fact, Recording};
use mar::picture::{Recorded, Standing};
use mar::refusal::Missing;
use mar::time::day_span;
use mar::unread;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Whose chart, and over which days, both included.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChartRequest {
    /// Id or NHS number.
    pub resident: String,
    /// The first day; `None` is today.
    pub from: Option<String>,
    /// The last day; `None` is today.
    pub to: Option<String>,
}

/// A chart is read for this many days at once.
const DAYS_MAX: i64 = 400;

/// Shows the chart.
///
/// # Errors
/// When the resident or a date is none, or older months could not be read.
pub fn run(
    session: &mut Session<'_>,
    request: &ChartRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let day_of = |text: &Option<String>| match text {
        Some(text) => date(text),
        None => Ok(session.today()),
    };
    let (from, to) = (day_of(&request.from)?, day_of(&request.to)?);
    let days = to.signed_duration_since(from).num_days();
    if !(0..DAYS_MAX).contains(&days) {
        return Err(Fault::Wrong(format!(
            "--to is the last day, on or after --from, {DAYS_MAX} days at most"
        )));
    }
    let id = session.resident(&request.resident)?.id;
    let (begin, _) = day_span(session.zone(), from);
    session.load(id, begin.minus(mar::rules::LOOK_BACK))?;
    let session = &*session;
    let found = chart(&session.picture, id, (from, to), session.now)
        .ok_or_else(|| Fault::Refused(Missing::Resident(id).into()))?;
    if out.is_json() {
        out.document(&to_json(session, &found));
    } else {
        tell(session, &found, out);
    }
    session.note_access(&BTreeSet::from([id]), AccessKind::Seen);
    Ok(())
}

fn to_json(session: &Session<'_>, chart: &Chart<'_>) -> Value {
    json!({
        "resident": chart.resident.to_string(),
        "name": chart.identity.list_name(),
        "allergies": allergies_to_json(&chart.allergies),
        "similar_to": chart.similar_to.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "from": chart.from.to_string(),
        "to": chart.to.to_string(),
        "away": session.picture.resident(chart.resident).and_then(|r| away_since(session, r))
            .map(|(_, since)| since),
        "unheard": unheard::to_json(session),
        "needs_update": needs_update(session, chart),
        "orders": chart.orders.iter().map(|o| order_to_json(session, o)).collect::<Vec<_>>(),
        "waiting":
            chart.waiting.iter().map(|w| waiting::to_json(session, w)).collect::<Vec<_>>(),
    })
}

/// Whether something that belongs on the chart may be missing, because it cannot be read here.
fn needs_update(session: &Session<'_>, chart: &Chart<'_>) -> bool {
    chart.needs_update || unread::of_home(&session.picture).is_some()
}

fn order_to_json(session: &Session<'_>, order: &ChartOrder<'_>) -> Value {
    let zone = session.zone();
    let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for cell in &order.cells {
        let day = cell.slot.id.date.to_string();
        days.entry(day).or_default().push(cell_to_json(session, cell));
    }
    let days: Vec<Value> =
        days.into_iter().map(|(date, cells)| json!({ "date": date, "cells": cells })).collect();
    let unscheduled: Vec<Value> =
        order.unscheduled.iter().map(|d| dose_to_json(session, d)).collect();
    let content = content_to_json(&order.version.content, zone);
    json!({
        "order": order.order.to_string(),
        "version": order.version.id.to_string(),
        "state": order.state.word(),
        "medicine": medicine_to_json(&order.version.content.medicine),
        "directions": order.directions,
        "schedule": content["schedule"],
        "dose": content["dose"],
        "written_by": order.written.staff().map(|id| id.to_string()),
        "checked_by": order.checked.and_then(|w| w.staff()).map(|id| id.to_string()),
        "from": order.from.map(|at| at.rfc3339(zone)),
        "to": order.to.map(|at| at.rfc3339(zone)),
        "ended": order.ended,
        "stopped": order.stopped.map(|(at, authorised_by, reason)| {
            json!({ "at": at.rfc3339(zone), "authorised_by": authorised_by, "reason": reason })
        }),
        "conflict": order.conflict,
        "days": days,
        "unscheduled": unscheduled,
    })
}

fn cell_to_json(session: &Session<'_>, cell: &Cell<'_>) -> Value {
    let mut shape = match &cell.shown {
        Some(dose) => dose_to_json(session, dose),
        None => json!({
            "slot": null, "due": null, "outcome": null, "letter": "", "amount": null,
            "given_at": null, "recorded_at": null, "by": null, "witness": null, "device": null,
            "effective": false, "history": [],
        }),
    };
    let others: Vec<Value> = cell.others.iter().map(|d| dose_to_json(session, d)).collect();
    shape["slot"] = json!(cell.slot.id.to_string());
    shape["due"] = json!(cell.slot.due.rfc3339(session.zone()));
    shape["state"] = json!(cell.state.word());
    shape["kind"] = json!(super::due::kind_word(cell.slot.kind));
    shape["suspended"] = json!(cell.suspended.map(super::due::suspension_word));
    shape["first_dose"] = json!(cell.first_dose);
    shape["possible_double_dose"] = json!(cell.possible_double_dose);
    shape["others"] = Value::Array(others);
    shape
}

fn dose_to_json(session: &Session<'_>, dose: &Dose<'_>) -> Value {
    let zone = session.zone();
    let told = dose.effective.unwrap_or(&dose.record.recording);
    let history: Vec<Value> =
        dose.history.history().into_iter().map(|entry| entry_to_json(session, entry)).collect();
    json!({
        "slot": dose.record.slot.as_ref().map(ToString::to_string),
        "due": dose.due.map(|due| due.rfc3339(zone)),
        "administration": dose.administration.to_string(),
        "outcome": told.outcome.word(),
        "words": told.outcome.on_screen().to_lowercase(),
        "letter": dose.letter,
        "amount": dose.amount.as_ref().map(amount),
        "given_at": told.given_at.rfc3339(zone),
        "recorded_at": dose.entry.wall.rfc3339(zone),
        "by": dose.by.map(|id| id.to_string()),
        "witness": dose.witness.map(|id| id.to_string()),
        "device": dose.device.map(|id| id.to_string()),
        "effective": dose.effective.is_some(),
        "reason": reason_of(dose, told),
        "timing_reason": told.timing_reason,
        "late_entry": dose.late_entry,
        "corrected": dose.corrected,
        "checked": dose.record.gap.as_ref().map(|gap| gap.answer.as_str()),
        "effect": dose.history.effects().last().map(|(_, e)| e.effect.word()),
        "findings": dose.findings.iter().map(|found| found.word()).collect::<Vec<_>>(),
        "history": history,
    })
}

fn reason_of<'d>(dose: &'d Dose<'_>, told: &'d Recording) -> &'d str {
    let prn = dose.record.prn.as_ref().map(|note| note.reason.as_str());
    if told.reason.is_empty() { prn.unwrap_or_default() } else { &told.reason }
}

fn entry_to_json(session: &Session<'_>, entry: &Recorded) -> Value {
    let zone = session.zone();
    let mut shape = json!({
        "entry": entry.id.to_string(),
        "at": entry.wall.rfc3339(zone),
        "by": entry.staff().map(|id| id.to_string()),
        "witness": entry.made.as_ref().and_then(|m| m.witness).map(|(id, _)| id.to_string()),
        "device": entry.device.map(|id| id.to_string()),
        "standing": standing_word(entry.standing),
    });
    let recording = |shape: &mut Value, r: &Recording| {
        shape["outcome"] = json!(r.outcome.word());
        shape["amount"] = json!(r.amount.as_ref().map(amount));
        shape["given_at"] = json!(r.given_at.rfc3339(zone));
        shape["reason"] = json!(r.reason);
    };
    if let Fact::Dose(fact) = &entry.fact {
        match fact {
            DoseFact::Recorded(o) => {
                shape["kind"] = json!("recorded");
                recording(&mut shape, &o.recording);
            }
            DoseFact::Corrected(c) => {
                shape["kind"] = json!("corrected");
                shape["why"] = json!(c.reason);
                match &c.instead {
                    Some(instead) => recording(&mut shape, instead),
                    None => shape["never_happened"] = json!(true),
                }
            }
            DoseFact::Effect(e) => {
                shape["kind"] = json!("effect");
                shape["effect"] = json!(e.effect.word());
                shape["note"] = json!(e.note);
            }
            DoseFact::Popped(_) => shape["kind"] = json!("popped"),
        }
    }
    shape
}

const fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::InForce => "in-force",
        Standing::NeedsReview => "needs-review",
        Standing::Quarantined => "quarantined",
        Standing::Unknown => "unknown",
    }
}

fn tell(session: &Session<'_>, chart: &Chart<'_>, out: &mut Output<'_>) {
    let zone = session.zone();
    out.line(format!("{}   {} to {}", chart.identity.list_name(), day(chart.from), day(chart.to)));
    out.line(format!("ALLERGIES: {}", super::resident::allergies_in_words(&chart.allergies)));
    if let Some(line) = unheard::line(session) {
        out.line(line);
    }
    let resident = session.picture.resident(chart.resident);
    if let Some((_, since)) = resident.and_then(|r| away_since(session, r)) {
        out.line(format!("{since}."));
    }
    if chart.orders.is_empty() {
        out.line(if needs_update(session, chart) {
            "No order that can be read here was in force in these days."
        } else {
            "No order was in force in these days, and nothing was recorded."
        });
    }
    for order in &chart.orders {
        out.line("");
        let ended = if order.ended { "  (ENDED)" } else { "" };
        out.line(format!("{}{ended}", order.version.content.medicine.name));
        out.line(format!("    {}", order.directions));
        let history = resident.and_then(|r| r.orders.get(&order.order));
        if let Some(held) = held_since(session, order, history).filter(|_| !order.ended) {
            out.line(format!("    {held}"));
        }
        let mut table = Table::new(&["Due", "What", "By", "When", "Id", "Notes"]);
        for cell in &order.cells {
            table.row(cell_row(session, cell));
            for other in &cell.others {
                table.row(dose_row(session, "and".to_owned(), other));
            }
        }
        for dose in &order.unscheduled {
            let told = dose.effective.unwrap_or(&dose.record.recording);
            let due = dose.due.unwrap_or(told.given_at);
            table.row(dose_row(session, moment(due, zone), dose));
        }
        if !table.is_empty() {
            for line in table.indented() {
                out.line(line);
            }
        }
    }
    let cells = chart.orders.iter().flat_map(|o| &o.cells);
    if cells.into_iter().any(|c| c.suspended == Some(Suspension::NotChecked)) {
        out.line("");
        out.line("not yet checked = due before the second check: nobody could give it then");
    }
    for order in &chart.waiting {
        out.line("");
        for line in waiting::lines(session, order) {
            out.line(line);
        }
    }
}

fn cell_row(session: &Session<'_>, cell: &Cell<'_>) -> [String; 6] {
    let zone = session.zone();
    let due = moment(cell.slot.due, zone);
    let Some(dose) = &cell.shown else {
        let what = match cell.suspended {
            Some(Suspension::NotChecked) => "not yet checked".to_owned(),
            Some(suspension) => super::due::suspension_word(suspension).to_owned(),
            None if cell.first_dose => "FIRST DOSE wanted".to_owned(),
            None => cell.state.word().replace('-', " "),
        };
        return [due, what, String::new(), String::new(), String::new(), String::new()];
    };
    dose_row(session, due, dose)
}

fn dose_row(session: &Session<'_>, due: String, dose: &Dose<'_>) -> [String; 6] {
    let told = dose.effective.unwrap_or(&dose.record.recording);
    let label = told.outcome.on_screen().to_lowercase();
    let amount = dose.amount.as_ref().map(|a| format!(" {a}")).unwrap_or_default();
    let struck = if dose.effective.is_none() { "STRUCK OUT: " } else { "" };
    let mut notes: Vec<String> =
        dose.findings.iter().map(|found| found.in_words().to_owned()).collect();
    let reason = reason_of(dose, told);
    if !reason.is_empty() {
        notes.push(reason.to_owned());
    }
    if !told.timing_reason.is_empty() && told.timing_reason != reason {
        notes.push(told.timing_reason.clone());
    }
    if let Some((_, effect)) = dose.history.effects().last() {
        notes.push(format!("effect {}", effect.effect.word()));
    }
    if dose.late_entry {
        notes.push("late entry".to_owned());
    }
    if dose.corrected {
        notes.push("corrected".to_owned());
    }
    let by = session.initials(dose.by);
    let witness = dose.witness.map(|w| format!("/{}", session.initials(Some(w))));
    [
        due,
        format!("{struck}{label}{amount}"),
        format!("{by}{}", witness.unwrap_or_default()),
        clock(told.given_at, session.zone()),
        dose.administration.to_string(),
        notes.join("; "),
    ]
}
