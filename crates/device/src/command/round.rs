//! `round`: residents and their due doses, in giving order.

use super::due::{Found, state_in_words, tell_how, to_json as due_to_json};
use super::page::{WIDTH, clock, day, wrap};
use super::resident::{apart_lines, apart_to_json};
use super::session::Session;
use super::{Fault, Output, unheard, waiting};
use mar::due::{Due, DueState};
use mar::fact::AccessKind;
use mar::ids::ResidentId;
use mar::round::{RoundSpan, RoundStop, round_at, stops};
use mar::schedule::SlotKind;
use mar::unread;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Which round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoundRequest {
    /// The round that is on at this time, or else the next; `None` is now.
    pub at: Option<String>,
    /// One unit only.
    pub unit: Option<String>,
}

/// Shows a round.
///
/// # Errors
/// When the time is none, or the home has no rounds.
pub fn run(
    session: &mut Session<'_>,
    request: &RoundRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let at = match session.instant_of(request.at.as_deref())? {
        Some(at) => at,
        None => {
            session.knows_the_day("medroundctl round --at 2026-11-21T08:00")?;
            session.now
        }
    };
    let span = round_at(&session.picture.home, at).ok_or_else(no_rounds)?;
    for id in mar::round::in_trolley_order(&session.picture, session.now) {
        session.load(id, span.from.minus(mar::rules::LOOK_BACK))?;
    }
    let session = &*session;
    let found = stops(&session.picture, &span, request.unit.as_deref(), at);
    if out.is_json() {
        out.document(&to_json(session, &span, &found));
    } else {
        tell(session, &span, &found, out);
    }
    let seen: BTreeSet<ResidentId> = found.iter().map(|s| s.resident.id).collect();
    session.note_access(&seen, AccessKind::Seen);
    Ok(())
}

/// The home has no rounds.
pub(super) fn no_rounds() -> Fault {
    Fault::Missing(
        "this home has no rounds: add one with medroundctl home set --round morning=07:30-10:30"
            .to_owned(),
    )
}

fn to_json(session: &Session<'_>, span: &RoundSpan, found: &[RoundStop<'_>]) -> Value {
    let zone = session.zone();
    let marks = marks(session, found);
    let residents: Vec<Value> = found
        .iter()
        .map(|stop| {
            let identity = stop.resident.identity();
            json!({
                "resident": stop.resident.id.to_string(),
                "name": identity.map(|i| i.list_name()),
                "unit": identity.map(|i| i.unit.as_str()),
                "room": identity.map(|i| i.room.as_str()),
                "allergies": super::json::allergies_to_json(&stop.resident.allergies()),
                "thickener": identity.and_then(|i| i.thickener.as_deref()),
                "how_i_take": identity.map(|i| i.how_i_take.as_str()),
                "needs_update": stop.needs_update,
                "whereabouts_apart": apart_to_json(session, stop.resident),
                "doses": stop.doses.iter().map(|d| due_to_json(session, d, &marks)).collect::<Vec<_>>(),
                "waiting":
                    stop.waiting.iter().map(|w| waiting::to_json(session, w)).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "round": span.round.id,
        "name": span.round.name,
        "date": span.date.to_string(),
        "start": span.round.start.to_string(),
        "cut_off": span.to.rfc3339(zone),
        "unheard": unheard::to_json(session),
        "needs_update": unread::of_home(&session.picture).is_some(),
        "residents": residents,
    })
}

fn tell(session: &Session<'_>, span: &RoundSpan, found: &[RoundStop<'_>], out: &mut Output<'_>) {
    let zone = session.zone();
    out.line(format!(
        "{} round, {}, from {} until {}",
        span.round.name,
        day(span.date),
        span.round.start,
        clock(span.to, zone)
    ));
    if let Some(line) = unheard::line(session) {
        out.line(line);
    }
    if found.is_empty() {
        out.line("Nobody has doses in this round, and no order waits.");
        return;
    }
    let marks = marks(session, found);
    for stop in found {
        let Some(identity) = stop.resident.identity() else { continue };
        out.line("");
        out.line(
            format!("{} {}  {}", identity.unit, identity.room, identity.list_name())
                .trim()
                .to_owned(),
        );
        if let Some(line) = unread::of_resident(stop.resident) {
            for line in wrap(line, WIDTH - 4) {
                out.line(format!("    {line}"));
            }
        }
        for line in apart_lines(session, stop.resident, WIDTH - 4) {
            out.line(format!("    {line}"));
        }
        out.line(format!(
            "    ALLERGIES: {}",
            super::resident::allergies_in_words(&stop.resident.allergies())
        ));
        let thickener = identity.thickener.as_deref().map(|t| format!("THICKENER {t}"));
        let taking: Vec<String> = thickener
            .into_iter()
            .chain((!identity.how_i_take.is_empty()).then(|| identity.how_i_take.clone()))
            .collect();
        if !taking.is_empty() {
            out.line(format!("    {}", taking.join(" · ")));
        }
        for dose in &stop.doses {
            tell_dose(session, dose, &marks, out);
        }
        for order in &stop.waiting {
            for line in waiting::lines(session, order) {
                out.line(format!("    {line}"));
            }
        }
    }
    tell_how(found.iter().flat_map(|stop| &stop.doses), out);
}

fn marks(session: &Session<'_>, found: &[RoundStop<'_>]) -> Found {
    let residents: Vec<ResidentId> = found.iter().map(|stop| stop.resident.id).collect();
    Found::of(session, &residents)
}

fn tell_dose(session: &Session<'_>, dose: &Due<'_>, marks: &Found, out: &mut Output<'_>) {
    let content = &dose.version.content;
    let critical = dose.slot.kind == SlotKind::TimeCritical;
    let state = state_in_words(session, dose, marks);
    let state = if state.is_empty() { state } else { format!("  [{state}]") };
    out.line(format!(
        "    {} {}{}: {}{state}",
        clock(dose.slot.due, session.zone()),
        if critical { "TIME-CRITICAL " } else { "" },
        content.medicine.name,
        mar::words::dose(&content.dose)
    ));
    out.line(format!("        {}", mar::words::directions(content, &session.settings())));
    if !matches!(dose.state, DueState::Recorded | DueState::OnPaper) {
        out.line(format!("        {}", dose.slot.id));
    }
}
