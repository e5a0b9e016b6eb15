//! One resident's 28-day MAR (C1).

use super::block::block;
use super::cells::SoFar;
use super::overleaf::{changes, signatures};
use super::page::{codes, home, provenance, resident};
use super::{PrintRequest, Printed, print_fault, residents};
use crate::command::Fault;
use crate::command::session::{Session, date};
use crate::command::waiting;
use ::mar::chart::{ChartOrder, chart};
use ::mar::due::Suspension;
use ::mar::ids::ResidentId;
use ::mar::outcome::NOT_CHECKED;
use ::mar::refusal::Missing;
use ::mar::time::{CYCLE_DAYS, cycle_of, day_span};
use ::mar::waiting::Waiting;
use ::print::sheet::{CodeKey, Cycle, MarSheet, WaitingOrder};
use chrono::{Days, NaiveDate};
use std::collections::BTreeSet;

/// Returns one file for each resident asked for.
pub(super) fn sheets(
    session: &mut Session<'_>,
    request: &PrintRequest,
) -> Result<Vec<Printed>, Fault> {
    let start = match &request.from {
        Some(text) => date(text)?,
        None => {
            session.knows_the_day("medroundctl print mar --from 2026-11-21 ...")?;
            cycle_of(session.settings().cycle_start, session.today()).2
        }
    };
    let whose = residents(session, &request.whose)?;
    let several = whose.len() > 1;
    let (begin, _) = day_span(session.zone(), start);
    let mut files = Vec::new();
    for (at, id) in whose.into_iter().enumerate() {
        session.load(id, begin.minus(::mar::rules::LOOK_BACK))?;
        let sheet = sheet(session, id, start)?;
        let bytes = ::print::mar_chart(&sheet).map_err(|fault| print_fault(&fault))?;
        let path = if several {
            numbered(&request.out, at + 1, &sheet.resident.surname, &sheet.resident.forenames)
        } else {
            request.out.clone()
        };
        files.push(Printed {
            path,
            sheet: sheet.provenance.sheet_id,
            bytes,
            residents: BTreeSet::from([id]),
        });
    }
    Ok(files)
}

/// One file for each resident beside the one that was named: `mar.pdf` is `mar-03-shaw-gladys.pdf`.
fn numbered(out: &str, number: usize, family: &str, given: &str) -> String {
    let plain = |text: &str| -> String {
        let letter = |c: char| if c.is_alphanumeric() { c } else { '-' };
        text.to_lowercase().chars().map(letter).take(40).collect()
    };
    let stem = out.strip_suffix(".pdf").unwrap_or(out);
    format!("{stem}-{number:02}-{}-{}.pdf", plain(family), plain(given))
}

fn sheet(session: &Session<'_>, id: ResidentId, start: NaiveDate) -> Result<MarSheet, Fault> {
    let days = u8::try_from(CYCLE_DAYS).unwrap_or(28);
    let last = start.checked_add_days(Days::new(u64::from(days) - 1)).unwrap_or(start);
    let missing = || Fault::Refused(Missing::Resident(id).into());
    let found = session.picture.resident(id).ok_or_else(missing)?;
    let chart = chart(&session.picture, id, (start, last), session.now).ok_or_else(missing)?;
    let settings = session.settings();
    let cycle = Cycle { start, days };
    let mut so_far = SoFar::new(session, found);
    let blocks =
        chart.orders.iter().map(|order| block(session, found, order, cycle, &mut so_far)).collect();
    let unchecked =
        |o: &ChartOrder<'_>| o.cells.iter().any(|c| c.suspended == Some(Suspension::NotChecked));
    let not_checked = chart.orders.iter().any(unchecked).then(|| CodeKey {
        code: NOT_CHECKED.to_owned(),
        words: "not yet checked: due before the second check".to_owned(),
    });
    let changes = changes(session, found, (start, last), &mut so_far.people);
    Ok(MarSheet {
        home: home(session, &settings, &chart.identity.unit),
        resident: resident(session, found)?,
        cycle,
        provenance: provenance(session)?,
        codes: codes(&settings).into_iter().chain(not_checked).collect(),
        blocks,
        waiting: chart.waiting.iter().map(|w| waiting_order(session, w)).collect(),
        changes,
        signatures: signatures(session, &so_far.people),
    })
}

/// An order that waits, with its sender's words beside ours.
fn waiting_order(session: &Session<'_>, order: &Waiting<'_>) -> WaitingOrder {
    let medicine = match order.medicine() {
        Some(found) => super::block::medicine(found),
        None => String::new(),
    };
    WaitingOrder {
        medicine,
        sent: order.sent_words().into_iter().map(str::to_owned).collect(),
        directions: waiting::directions(session, order),
        since: waiting::since(session, order),
        missing: order.step.in_words().to_owned(),
        meanwhile: order.meanwhile,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_several_residents_are_told_apart_by_number_and_name() {
        assert_eq!(numbered("out/mar.pdf", 3, "Shaw", "Gladys"), "out/mar-03-shaw-gladys.pdf");
        assert_eq!(numbered("mar", 12, "O’Neill/..", "Zoë"), "mar-12-o-neill----zoë.pdf");
    }
}
