//! `order list` and `order show`.

use super::template::next_steps;
use crate::command::json::{content_to_json, dose, medicine_to_json, schedule_to_json};
use crate::command::page::{Table, day, moment};
use crate::command::resident::name;
use crate::command::session::Session;
use crate::command::{Fault, Output};
use mar::fact::AccessKind;
use mar::ids::ResidentId;
use mar::order::{Flags, Grade, Proposal, State};
use mar::picture::{OrderHistory, Recorded, VersionView};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Lists orders.
pub(super) fn list(
    session: &Session<'_>,
    resident: Option<&str>,
    all: bool,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let only = resident.map(|text| session.resident(text).map(|r| r.id)).transpose()?;
    let open = |h: &&OrderHistory| {
        all || !matches!(h.state(session.now), State::Stopped | State::Rejected)
    };
    let mut found: Vec<(ResidentId, &OrderHistory)> = Vec::new();
    let mut order: Vec<ResidentId> = mar::round::in_trolley_order(&session.picture, session.now);
    let gone = session.picture.residents.keys().filter(|id| !order.contains(id)).copied();
    let gone: Vec<ResidentId> = if all || only.is_some() { gone.collect() } else { Vec::new() };
    order.extend(gone);
    for id in order.into_iter().filter(|id| only.is_none_or(|o| o == *id)) {
        if let Some(resident) = session.picture.resident(id) {
            found.extend(resident.orders.values().filter(open).map(|h| (id, h)));
        }
    }
    if out.is_json() {
        let list: Vec<Value> = found.iter().map(|(id, h)| to_json(session, *id, h)).collect();
        out.document(&Value::Array(list));
    } else if found.is_empty() {
        out.line("No orders. Add one with: medroundctl order add --from FILE --as INITIALS");
    } else {
        tell_list(session, &found, out);
    }
    let seen: BTreeSet<ResidentId> = found.iter().map(|(id, _)| *id).collect();
    session.note_access(&seen, AccessKind::Seen);
    Ok(())
}

fn tell_list(session: &Session<'_>, found: &[(ResidentId, &OrderHistory)], out: &mut Output<'_>) {
    let mut last = None;
    let mut table = Table::new(&["State", "Medicine", "Directions", "Id"]);
    let flush = |table: &mut Table, out: &mut Output<'_>| {
        for line in table.indented() {
            out.line(line);
        }
        *table = Table::new(&["State", "Medicine", "Directions", "Id"]);
    };
    for (resident, history) in found {
        if last != Some(*resident) {
            if last.is_some() {
                flush(&mut table, out);
                out.line("");
            }
            out.line(name(session, *resident));
            last = Some(*resident);
        }
        table.row([
            history.state(session.now).in_words().to_owned(),
            medicine(session, history),
            directions(session, history),
            history.id.to_string(),
        ]);
    }
    flush(&mut table, out);
}

/// Shows one order.
pub(super) fn one(session: &Session<'_>, order: &str, out: &mut Output<'_>) -> Result<(), Fault> {
    let (resident, history) = session.order(order)?;
    if out.is_json() {
        out.document(&to_json(session, resident.id, history));
    } else {
        tell(session, resident.id, history, out);
    }
    session.note_access(&BTreeSet::from([resident.id]), AccessKind::Seen);
    Ok(())
}

fn medicine(session: &Session<'_>, history: &OrderHistory) -> String {
    let version = history.best_version(session.now).map(|v| &v.content.medicine);
    let found = version.or_else(|| history.proposal().map(|p| &p.medicine));
    found.map_or_else(String::new, |m| m.name.clone())
}

fn directions(session: &Session<'_>, history: &OrderHistory) -> String {
    match history.best_version(session.now) {
        Some(version) => mar::words::directions(&version.content, &session.settings()),
        None => history.proposal().map_or_else(String::new, |p| quoted(&p.words)),
    }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|w| format!("“{w}”")).collect::<Vec<_>>().join(" ")
}

fn to_json(session: &Session<'_>, resident: ResidentId, history: &OrderHistory) -> Value {
    let zone = session.zone();
    let mut shape = json!({
        "id": history.id.to_string(),
        "order": history.id.to_string(),
        "resident": resident.to_string(),
        "state": history.state(session.now).word(),
    });
    let versions = history.versions();
    let best = history.best_version(session.now);
    let content = match (best, history.proposal()) {
        (Some(version), _) => content_to_json(&version.content, zone),
        (None, Some(proposal)) => offered(session, proposal),
        (None, None) => json!({}),
    };
    if let (Some(all), Value::Object(fields)) = (shape.as_object_mut(), content) {
        all.extend(fields);
    }
    let view = best.and_then(|b| versions.iter().find(|v| v.version.id == b.id));
    shape["version"] = json!(view.map(|v| v.version.id.to_string()));
    shape["directions"] = json!(directions(session, history));
    shape["written"] = json!(view.map(|v| by(session, v.written)));
    shape["checked"] = json!(view.and_then(|v| v.checked).map(|w| by(session, w)));
    let unread = session.picture.resident(resident).and_then(|r| mar::unread::of_resident(r));
    shape["needs_update"] = json!(unread.is_some());
    shape["conflict"] = json!(history.has_conflict());
    shape["held"] = json!(history.hold().map(|(entry, why)| {
        let review = history.hold_review().map(|at| at.rfc3339(zone));
        json!({ "by": by(session, entry), "reason": why, "review": review })
    }));
    shape["stopped"] = json!(history.stop().map(|(at, entry, authorised_by, why)| {
        json!({
            "at": at.rfc3339(zone), "by": by(session, entry),
            "authorised_by": authorised_by, "reason": why,
        })
    }));
    shape["versions"] =
        Value::Array(versions.iter().map(|v| version_to_json(session, v)).collect());
    shape["proposal"] = json!(history.proposal().map(|p| proposal_to_json(session, p)));
    shape
}

fn by(session: &Session<'_>, entry: &Recorded) -> Value {
    json!({
        "by": entry.staff().map(|id| id.to_string()),
        "initials": session.initials(entry.staff()),
        "at": entry.wall.rfc3339(session.zone()),
    })
}

fn version_to_json(session: &Session<'_>, view: &VersionView<'_>) -> Value {
    let zone = session.zone();
    json!({
        "version": view.version.id.to_string(),
        "written": by(session, view.written),
        "checked": view.checked.map(|w| by(session, w)),
        "activated_alone": view.alone.map(|w| by(session, w)),
        "rejected": view.rejected,
        "conflict": view.conflict,
        "from": view.from.map(|at| at.rfc3339(zone)),
        "to": view.to.map(|at| at.rfc3339(zone)),
        "directions": mar::words::directions(&view.version.content, &session.settings()),
        "differs": super::differs(view.version),
        "allergy_decided": view.version.allergy_decided,
        "intended": super::intended_to_json(view.version),
    })
}

/// Returns a grade's word.
#[must_use]
pub(crate) const fn grade_word(grade: Grade) -> &'static str {
    match grade {
        Grade::Clear => "clear",
        Grade::Partial => "partial",
        Grade::Refused => "refused",
    }
}

fn proposal_to_json(session: &Session<'_>, proposal: &Proposal) -> Value {
    let zone = session.zone();
    json!({
        "words": proposal.words,
        "grade": grade_word(proposal.grade),
        "remarks": proposal.remarks,
        "last_issued": proposal.last_issued.map(|at| at.rfc3339(zone)),
        "external": proposal.external.iter().map(|e| {
            json!({ "system": e.system, "value": e.value })
        }).collect::<Vec<_>>(),
    })
}

/// What a proposal says of the order it could be.
fn offered(session: &Session<'_>, proposal: &Proposal) -> Value {
    let zone = session.zone();
    let schedule = proposal.schedule.as_ref();
    json!({
        "medicine": medicine_to_json(&proposal.medicine),
        "route": proposal.route,
        "dose": proposal.dose.as_ref().map(dose),
        "schedule": schedule.map(|s| schedule_to_json(s, Flags::default(), zone)),
        "start": proposal.start.map(|at| at.rfc3339(zone)),
    })
}

fn tell(session: &Session<'_>, resident: ResidentId, history: &OrderHistory, out: &mut Output<'_>) {
    let zone = session.zone();
    out.line(format!("{}    {}", name(session, resident), history.id));
    out.line(medicine(session, history));
    let state = history.state(session.now);
    out.line(format!("This order is {}.", state.in_words()));
    if let Some((at, _, authorised_by, why)) = history.stop() {
        out.line(format!("Stopped from {}, {authorised_by}: {why}", moment(at, zone)));
    }
    if let Some((entry, why)) = history.hold() {
        out.line(format!("Held since {}: {why}", moment(entry.wall, zone)));
        if let Some(review) = review_in_words(session, history) {
            out.line(format!("This hold is to be {review}."));
        }
    }
    for view in history.versions() {
        let content = &view.version.content;
        out.line(String::new());
        out.line(mar::words::directions(content, &session.settings()));
        let until = content.stop.map_or_else(
            || "until stopped".to_owned(),
            |stop| format!("until {}", day(stop.civil(zone).date())),
        );
        out.line(format!("    From {}, {until}.", day(content.start.civil(zone).date())));
        if let Some(label) = &content.label {
            out.line(format!("    The label says: “{label}”"));
        }
        for note in super::notes(session, view.version) {
            out.line(format!("    {note}"));
        }
        let checked = match (view.checked, view.alone, view.rejected) {
            (_, _, true) => "turned down".to_owned(),
            (Some(w), ..) => {
                format!("checked by {}, {}", session.initials(w.staff()), moment(w.wall, zone))
            }
            (None, Some(w), _) => {
                format!("activated by {} alone, check owed", session.initials(w.staff()))
            }
            (None, None, _) => "waits for a second person's check".to_owned(),
        };
        let written = session.initials(view.written.staff());
        let at = moment(view.written.wall, zone);
        out.line(format!("    Written by {written}, {at}; {checked}.",));
        if view.conflict {
            out.line("    WRITTEN APART from another version. Turn one of them down:");
            out.line(format!(
                "    medroundctl order reject {} --version {} --reason TEXT --as INITIALS",
                history.id, view.version.id
            ));
        }
    }
    if let Some(proposal) = history.proposal() {
        tell_proposal(history, proposal, out);
    }
}

/// Returns `looked at again 3 November 2026 08:00` of a hold in force; `None` where nobody said when.
#[must_use]
pub(crate) fn review_in_words(session: &Session<'_>, history: &OrderHistory) -> Option<String> {
    let at = history.hold_review()?;
    Some(format!("looked at again {}", moment(at, session.zone())))
}

fn tell_proposal(history: &OrderHistory, proposal: &Proposal, out: &mut Output<'_>) {
    out.line(String::new());
    out.line(format!("The sender's words: {}", quoted(&proposal.words)));
    let grade = match proposal.grade {
        Grade::Clear => "They were understood.",
        Grade::Partial => "They were understood in part.",
        Grade::Refused => "Nothing was taken from them.",
    };
    out.line(grade);
    for remark in &proposal.remarks {
        out.line(format!("  - {remark}"));
    }
    if history.versions().is_empty() {
        for line in next_steps(history.id, proposal) {
            out.line(line);
        }
    }
}
