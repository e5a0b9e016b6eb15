//! The changes log and the signatures of a chart (C2).

use super::page::local;
use crate::command::session::Session;
use ::mar::fact::{Fact, OrderFact};
use ::mar::ids::StaffId;
use ::mar::picture::{OrderHistory, Recorded, ResidentPicture, counting};
use ::mar::time::day_span;
use ::print::sheet::{Change, Signatory};
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// Returns what was changed of the orders in these days, oldest first.
pub(super) fn changes(
    session: &Session<'_>,
    resident: &ResidentPicture,
    (from, to): (NaiveDate, NaiveDate),
    people: &mut BTreeSet<StaffId>,
) -> Vec<Change> {
    let zone = session.zone();
    let (begin, _) = day_span(zone, from);
    let (_, end) = day_span(zone, to);
    let mut found: Vec<(&Recorded, Change)> = Vec::new();
    for history in resident.orders.values() {
        let all = history.entries().map(|e| (e.id, e.clone())).collect();
        for id in counting(&all).iter().map(|e| e.id) {
            let Some(entry) = history.entries().find(|e| e.id == id) else { continue };
            if (begin..end).contains(&entry.wall)
                && let Some(change) = change(session, history, entry, people)
            {
                found.push((entry, change));
            }
        }
    }
    found.sort_by_key(|(entry, _)| (entry.wall, entry.stamp));
    found.into_iter().map(|(_, change)| change).collect()
}

fn change(
    session: &Session<'_>,
    history: &OrderHistory,
    entry: &Recorded,
    people: &mut BTreeSet<StaffId>,
) -> Option<Change> {
    let Fact::Order(fact) = &entry.fact else { return None };
    let name = history.best_version(session.now).map_or_else(
        || history.proposal().map_or_else(String::new, |p| p.medicine.name.clone()),
        |v| v.content.medicine.name.clone(),
    );
    let (what, authorised_by) = match fact {
        OrderFact::Written(version) => {
            let first = history.versions().first().is_some_and(|v| v.version.id == version.id);
            let did = if first { "started" } else { "changed" };
            let words = ::mar::words::directions(&version.content, &session.settings());
            (format!("{}: {did}. {words}", version.content.medicine.name), None)
        }
        OrderFact::Held { reason, .. } => (format!("{name}: held. {reason}"), None),
        OrderFact::Resumed { reason, .. } => (format!("{name}: given again. {reason}"), None),
        OrderFact::Stopped { authorised_by, reason, .. } => {
            (format!("{name}: stopped. {reason}"), Some(authorised_by.clone()))
        }
        OrderFact::ActivatedAlone { reason, .. } => {
            (format!("{name}: activated by one person alone. {reason}"), None)
        }
        // A check stands beside what was checked; proposals and supplies are no change of care.
        OrderFact::Checked { .. }
        | OrderFact::Rejected { .. }
        | OrderFact::Proposed { .. }
        | OrderFact::Supplied(_) => return None,
    };
    let checked = match fact {
        OrderFact::Written(version) => {
            history.version(version.id).and_then(|v| v.checked).and_then(|w| w.staff())
        }
        OrderFact::Checked { .. }
        | OrderFact::Rejected { .. }
        | OrderFact::Proposed { .. }
        | OrderFact::Supplied(_)
        | OrderFact::Held { .. }
        | OrderFact::Resumed { .. }
        | OrderFact::Stopped { .. }
        | OrderFact::ActivatedAlone { .. } => None,
    };
    let mut signed = |id: StaffId| {
        people.insert(id);
        session.initials(Some(id))
    };
    Some(Change {
        at: local(entry.wall, session.zone()),
        what,
        authorised_by,
        written_by: entry.staff().map(&mut signed),
        checked_by: checked.map(&mut signed),
    })
}

/// Returns everybody whose initials stand on the chart, by name.
pub(super) fn signatures(session: &Session<'_>, people: &BTreeSet<StaffId>) -> Vec<Signatory> {
    let mut found: Vec<Signatory> = people
        .iter()
        .filter_map(|id| session.picture.home.person(*id))
        .map(|s| Signatory {
            name: s.name.clone(),
            role: s.role.word().to_owned(),
            initials: s.initials.clone(),
        })
        .collect();
    found.sort_by(|a, b| (&a.name, &a.initials).cmp(&(&b.name, &b.initials)));
    found
}
