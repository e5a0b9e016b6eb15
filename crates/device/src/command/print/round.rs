//! The list of one round.

use super::block::weekday;
use super::page::{codes, home, provenance, resident};
use super::{PrintRequest, Printed, Whose, print_fault};
use crate::command::Fault;
use crate::command::due::why_not;
use crate::command::page::clock;
use crate::command::record::Card;
use crate::command::round::no_rounds;
use crate::command::session::{Session, date};
use crate::command::waiting;
use ::mar::due::{Due, DueState};
use ::mar::picture::ResidentPicture;
use ::mar::round::{RoundSpan, RoundStop, in_trolley_order, round_at, round_on, stops};
use ::mar::rules::LOOK_BACK;
use ::mar::schedule::SlotKind;
use ::mar::waiting::Waiting;
use ::print::round::{RoundDose, RoundResident, RoundSheet, RoundWaiting, RoundWithheld};
use std::collections::BTreeSet;

/// Returns the list of a round as a file.
pub(super) fn sheet(
    session: &mut Session<'_>,
    request: &PrintRequest,
    round: Option<&str>,
) -> Result<Printed, Fault> {
    let span = span(session, request, round)?;
    for id in in_trolley_order(&session.picture, session.now) {
        session.load(id, span.from.minus(LOOK_BACK))?;
    }
    let session = &*session;
    let (unit, only) = match &request.whose {
        Whose::Unit(unit) => (Some(unit.as_str()), None),
        Whose::Resident(text) => (None, Some(session.resident(text)?.id)),
        Whose::All => (None, None),
    };
    let found: Vec<RoundStop<'_>> = stops(&session.picture, &span, unit, session.now)
        .into_iter()
        .filter(|stop| only.is_none_or(|id| id == stop.resident.id))
        .collect();
    let settings = session.settings();
    let residents: Vec<RoundResident> = found
        .iter()
        .map(|stop| round_resident(session, stop))
        .collect::<Result<Vec<Option<RoundResident>>, Fault>>()?
        .into_iter()
        .flatten()
        .collect();
    let sheet = RoundSheet {
        home: home(session, &settings, unit.unwrap_or_default()),
        round: format!("{} round", span.round.name),
        date: span.date,
        window: format!("{} to {}", span.round.start, span.round.cut_off),
        provenance: provenance(session)?,
        codes: codes(&settings),
        residents,
    };
    let bytes = ::print::round_sheet(&sheet).map_err(|fault| print_fault(&fault))?;
    Ok(Printed {
        path: request.out.clone(),
        sheet: sheet.provenance.sheet_id,
        bytes,
        residents: found.iter().map(|s| s.resident.id).collect::<BTreeSet<_>>(),
    })
}

fn span(
    session: &Session<'_>,
    request: &PrintRequest,
    round: Option<&str>,
) -> Result<RoundSpan, Fault> {
    let home = &session.picture.home;
    let on = request.from.as_deref().map(date).transpose()?;
    if on.is_none() {
        session.knows_the_day("medroundctl print round --round morning --from 2026-11-21 ...")?;
    }
    match (round, on) {
        (Some(id), on) => {
            let on = on.unwrap_or_else(|| session.today());
            round_on(home, on, id).ok_or_else(|| {
                let ids: Vec<String> =
                    session.settings().rounds.iter().map(|r| r.id.clone()).collect();
                Fault::Missing(format!(
                    "this home has no round {id}: it has {}",
                    ::mar::words::list(&ids)
                ))
            })
        }
        (None, None) => round_at(home, session.now).ok_or_else(no_rounds),
        (None, Some(_)) => {
            Err(Fault::Wrong("say which round of that day: --round morning".to_owned()))
        }
    }
}

/// What is still to be given, what waits, and what cannot be read; a resident with none of these is
/// not on the list.
fn round_resident(
    session: &Session<'_>,
    stop: &RoundStop<'_>,
) -> Result<Option<RoundResident>, Fault> {
    let open = |d: &&Due<'_>| {
        d.suspended.is_none()
            && match d.state {
                DueState::Recorded | DueState::OnPaper => false,
                DueState::NotDue | DueState::Due | DueState::Late | DueState::Unrecorded => true,
            }
    };
    let doses: Vec<RoundDose> = stop.doses.iter().filter(open).map(|d| dose(session, d)).collect();
    let withheld: Vec<RoundWithheld> =
        stop.doses.iter().filter_map(|d| not_now(session, d)).collect();
    let nothing = doses.is_empty() && withheld.is_empty() && stop.waiting.is_empty();
    if nothing && !stop.needs_update {
        return Ok(None);
    }
    let waiting = stop.waiting.iter().map(|w| not_to_give(session, w)).collect();
    Ok(Some(RoundResident {
        resident: resident(session, stop.resident)?,
        doses,
        when_required: when_required(session, stop.resident),
        waiting,
        withheld,
    }))
}

/// A dose that the screen shows as held or away: paper that left it out would read as "takes
/// nothing" (R-05, O-12). `None` for every other, and for one that somebody recorded.
fn not_now(session: &Session<'_>, due: &Due<'_>) -> Option<RoundWithheld> {
    let why = due.suspended.filter(|why| why.may_end() && due.recorded.is_empty())?;
    Some(RoundWithheld {
        due: clock(due.slot.due, session.zone()),
        medicine: due.version.content.medicine.name.clone(),
        why: why_not(why).to_owned(),
    })
}

fn not_to_give(session: &Session<'_>, order: &Waiting<'_>) -> RoundWaiting {
    let meanwhile = if order.meanwhile { " Until then it is given as before." } else { "" };
    RoundWaiting {
        medicine: waiting::medicine(order),
        words: format!(
            "Since {}. Missing: {}.{meanwhile}",
            waiting::since(session, order),
            order.step.in_words()
        ),
    }
}

fn dose(session: &Session<'_>, due: &Due<'_>) -> RoundDose {
    let zone = session.zone();
    let content = &due.version.content;
    let window = due.slot.window;
    let mut tags: Vec<String> = weekday(&content.schedule).into_iter().collect();
    if content.medicine.cd.is_controlled() {
        tags.push("CD".to_owned());
    }
    if let Some(at) = due.not_before {
        tags.push(format!("NOT BEFORE {}", clock(at.up_to_minute(), zone)));
    }
    if let Some(past) = &due.past_most {
        let mg = ::mar::words::grouped(past.mg);
        let name = past.ingredient.to_uppercase();
        tags.push(format!("WITH THIS {mg} MG OF {name} IN 24 HOURS: ASK FIRST"));
    }
    RoundDose {
        due: clock(due.slot.due, zone),
        window: Some(format!("{} to {}", clock(window.from, zone), clock(window.to, zone))),
        medicine: content.medicine.name.clone(),
        amount: ::mar::words::dose(&content.dose),
        directions: ::mar::words::directions(content, &session.settings()),
        time_critical: due.slot.kind == SlotKind::TimeCritical,
        tags,
        no_automatic_checks: content.medicine.dmd.is_none(),
        second_signature: session.settings().witnessed(content.medicine.cd),
        amount_per_dose: matches!(content.dose, ::mar::order::Dose::Range { .. }),
    }
}

/// The review strip: what may be given when required, so that it is not forgotten (P-08).
fn when_required(session: &Session<'_>, resident: &ResidentPicture) -> Vec<String> {
    resident
        .orders
        .values()
        .filter_map(|history| {
            let content = &history.version_at(session.now)?.content;
            let card = Card::of(session, resident, (history.id, content, content.prn()?));
            Some(format!("{}. {}", content.medicine.name, card.on_paper()))
        })
        .collect()
}
