//! The MAR as data: orders, days, boxes with every outcome, its letters and its history. Paper,
//! screens and the command line show this and work out nothing themselves.

use crate::due::{self, Due, DueState, Suspension};
use crate::fact::OutcomeRecorded;
use crate::ids::{AdministrationId, DeviceId, OrderId, ResidentId, StaffId, VersionId};
use crate::order::{State, Version};
use crate::outcome::Outcome;
use crate::picture::{
    Administration, OrderHistory, Picture, Recorded, ResidentPicture, VersionView,
};
use crate::quantity::Amount;
use crate::resident::{Allergies, Identity};
use crate::rules::{self, Finding};
use crate::schedule::Slot;
use crate::settings::Settings;
use crate::time::{Timestamp, day_span};
use crate::waiting::{Waiting, waiting};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One resident's chart over whole civil days.
#[derive(Debug, Clone)]
pub struct Chart<'p> {
    /// The resident.
    pub resident: ResidentId,
    /// Who.
    pub identity: &'p Identity,
    /// Allergies, joined where they were written apart.
    pub allergies: Allergies,
    /// Whether somebody in the home could be mistaken for this resident.
    pub similar_to: Vec<ResidentId>,
    /// The first day.
    pub from: NaiveDate,
    /// The last day, included.
    pub to: NaiveDate,
    /// The orders that were in force, or had anything recorded, in these days; stopped ones last.
    pub orders: Vec<ChartOrder<'p>>,
    /// What waits for a person: not to be given, and not to be left out.
    pub waiting: Vec<Waiting<'p>>,
    /// Whether something written for the resident cannot be read here, so that it may be missing
    /// from all of this (Y-11).
    pub needs_update: bool,
}

/// One order version on a chart.
#[derive(Debug, Clone)]
pub struct ChartOrder<'p> {
    /// The order.
    pub order: OrderId,
    /// Its state now.
    pub state: State,
    /// What the version says.
    pub version: &'p Version,
    /// The directions in words (O-05).
    pub directions: String,
    /// Who wrote it.
    pub written: &'p Arc<Recorded>,
    /// Who checked it; `None` while nobody has.
    pub checked: Option<&'p Arc<Recorded>>,
    /// From when it is in force; `None` for one that never was.
    pub from: Option<Timestamp>,
    /// Until when; `None` for "until stopped".
    pub to: Option<Timestamp>,
    /// Whether a later version or a stop ended it: it is ruled through.
    pub ended: bool,
    /// When and on whose word it was stopped.
    pub stopped: Option<(Timestamp, &'p str, &'p str)>,
    /// Whether versions were written apart.
    pub conflict: bool,
    /// The boxes, in order of due time; doses outside slots have none.
    pub cells: Vec<Cell<'p>>,
    /// Doses outside slots (when required, given elsewhere), in order of true time.
    pub unscheduled: Vec<Dose<'p>>,
}

/// One box of a chart.
#[derive(Debug, Clone)]
pub struct Cell<'p> {
    /// The slot.
    pub slot: Slot,
    /// Its state.
    pub state: DueState,
    /// Why nothing is expected of it; `None` when something is. That somebody is away or an order is
    /// held is told only of what is due by now: nobody knows how long it lasts (R-05, O-12).
    pub suspended: Option<Suspension>,
    /// The dose that stands in the box; `None` for an empty one.
    pub shown: Option<Dose<'p>>,
    /// All other outcomes recorded for the slot, in order: offers made again, and doses that two
    /// people recorded apart.
    pub others: Vec<Dose<'p>>,
    /// More than one of them was taken: POSSIBLE DOUBLE DOSE (Y-03).
    pub possible_double_dose: bool,
    /// Whether it is the first dose of an order that was checked after it fell due, wanted now.
    pub first_dose: bool,
}

/// One recorded outcome as a chart shows it.
#[derive(Debug, Clone)]
pub struct Dose<'p> {
    /// Which.
    pub administration: AdministrationId,
    /// When its slot is due, of a dose whose slot stands in none of the chart's boxes; `None` in a
    /// box, and for a dose outside slots.
    pub due: Option<Timestamp>,
    /// Its entry.
    pub entry: &'p Arc<Recorded>,
    /// Its first record.
    pub record: &'p OutcomeRecorded,
    /// What is now held to be true; `None` when it was corrected away.
    pub effective: Option<&'p crate::fact::Recording>,
    /// The letters in the box: the home's code, else the giver's initials.
    pub letter: String,
    /// How much was taken.
    pub amount: Option<Amount>,
    /// Who gave it; `None` when a device or nobody known did.
    pub by: Option<StaffId>,
    /// Who witnessed it.
    pub witness: Option<StaffId>,
    /// The device on which it was recorded.
    pub device: Option<DeviceId>,
    /// Whether it was corrected.
    pub corrected: bool,
    /// Whether it was entered more than the home's limit after it was given (D-12, W-02).
    pub late_entry: bool,
    /// What the merged record finds of it: too soon, too much, after a stop; empty for nothing.
    pub findings: BTreeSet<Finding>,
    /// All of it.
    pub history: &'p Administration,
}

/// Returns a resident's chart over the days from `from` to `to`, both included; `None` for a
/// resident who was never admitted. Only the months that are loaded have doses.
#[must_use]
pub fn chart<'p>(
    picture: &'p Picture,
    resident: ResidentId,
    (from, to): (NaiveDate, NaiveDate),
    now: Timestamp,
) -> Option<Chart<'p>> {
    let found = picture.resident(resident)?;
    let identity = found.identity()?;
    let fallback = Settings::new("-", NaiveDate::default());
    let settings = rules::by_date(&picture.home, &fallback);
    let (begin, _) = day_span(settings(from).zone, from);
    let (_, end) = day_span(settings(to).zone, to);
    let due = due::due(&picture.home, found, (begin, end), now);
    let taken = rules::taken(&picture.home, found, Timestamp(i64::MIN));
    let findings = rules::findings(found, &taken);
    let span = (begin, end);
    let page = Page { picture, resident: found, fallback: &fallback, findings, span, now };
    let mut orders: Vec<ChartOrder<'p>> =
        found.orders.values().flat_map(|history| page.orders(history, &due)).collect();
    orders.sort_by_key(|o| {
        (o.ended, o.version.content.prn().is_some(), o.from, o.order, o.written.stamp)
    });
    Some(Chart {
        resident,
        identity,
        allergies: found.allergies(),
        similar_to: picture.similar_to(resident, now).map(|r| r.id).collect(),
        from,
        to,
        orders,
        waiting: waiting(found, now),
        needs_update: found.needs_update(),
    })
}

struct Page<'p, 's> {
    picture: &'p Picture,
    resident: &'p ResidentPicture,
    fallback: &'s Settings,
    findings: BTreeMap<AdministrationId, BTreeSet<Finding>>,
    span: (Timestamp, Timestamp),
    now: Timestamp,
}

impl<'p> Page<'p, '_> {
    fn settings(&self, day: NaiveDate) -> &Settings {
        self.picture.home.settings_on(day).unwrap_or(self.fallback)
    }

    fn orders(&self, history: &'p OrderHistory, due: &[Due<'p>]) -> Vec<ChartOrder<'p>> {
        let (begin, end) = self.span;
        let mut found = Vec::new();
        let due: Vec<&Due<'p>> = due.iter().filter(|d| d.slot.order == history.id).collect();
        let boxed: BTreeSet<AdministrationId> =
            due.iter().flat_map(|d| &d.recorded).filter_map(|a| a.id()).collect();
        for view in self.versions(history) {
            let cells: Vec<Cell<'p>> = due
                .iter()
                .filter(|d| d.slot.id.version == view.version.id)
                .map(|d| self.cell(d))
                .collect();
            let mut outside = self.outside(view.version, &boxed);
            outside.sort_by_key(|d| (d.effective.map(|r| r.given_at), d.administration));
            let in_force =
                view.from.is_some_and(|from| from < end) && view.to.is_none_or(|to| to > begin);
            if !in_force && cells.is_empty() && outside.is_empty() {
                continue;
            }
            let day = self.now.utc().date_naive();
            found.push(ChartOrder {
                order: history.id,
                state: history.state(self.now),
                version: view.version,
                directions: crate::words::directions(&view.version.content, self.settings(day)),
                written: view.written,
                checked: view.checked,
                from: view.from,
                to: view.to,
                ended: view.to.is_some_and(|to| to <= self.now),
                stopped: history.stop().map(|(at, _, by, why)| (at, by, why)),
                conflict: view.conflict,
                cells,
                unscheduled: outside,
            });
        }
        found
    }

    /// The versions that count, and those that do not but from which something was recorded.
    fn versions(&self, history: &'p OrderHistory) -> Vec<VersionView<'p>> {
        let mut versions = history.versions();
        let recorded: BTreeSet<VersionId> = self
            .resident
            .administrations
            .values()
            .filter_map(|a| a.record())
            .filter(|(_, o)| o.order == history.id)
            .map(|(_, o)| o.version)
            .filter(|id| versions.iter().all(|v| v.version.id != *id))
            .collect();
        versions.extend(recorded.into_iter().filter_map(|id| history.version_as_written(id)));
        versions
    }

    fn cell(&self, due: &Due<'p>) -> Cell<'p> {
        let shown = due::shown(&due.recorded);
        let taken = due
            .recorded
            .iter()
            .filter(|a| a.effective().is_some_and(|r| r.outcome.is_taken()))
            .count();
        let is_shown = |a: &Administration| shown.and_then(Administration::id) == a.id();
        Cell {
            slot: due.slot.clone(),
            state: due.state,
            suspended: due.suspended.filter(|why| due.slot.due <= self.now || !why.may_end()),
            shown: shown.and_then(|a| self.dose(a)),
            others: due
                .recorded
                .iter()
                .filter(|a| !is_shown(a))
                .filter_map(|a| self.dose(a))
                .collect(),
            possible_double_dose: taken > 1,
            first_dose: due.first.is_some(),
        }
    }

    /// Every outcome of this version in these days that stands in none of its boxes: doses outside
    /// slots, and outcomes of slots that are no longer there (the version was ended meanwhile, or
    /// the record was corrected away). Nothing recorded is ever left out (H-15).
    fn outside(&self, version: &Version, boxed: &BTreeSet<AdministrationId>) -> Vec<Dose<'p>> {
        let (begin, end) = self.span;
        let settings = rules::by_date(&self.picture.home, self.fallback);
        let due_of = |dose: &Dose<'p>| {
            let slot = dose.record.slot.as_ref()?;
            rules::slot_of(version, slot, &settings).map(|slot| slot.due)
        };
        self.resident
            .administrations
            .values()
            .filter(|a| {
                a.record().is_some_and(|(_, o)| {
                    o.version == version.id && !boxed.contains(&o.administration)
                })
            })
            .filter_map(|a| self.dose(a))
            .map(|dose| Dose { due: due_of(&dose), ..dose })
            .filter(|d| {
                let at = d.effective.map_or(d.record.recording.given_at, |r| r.given_at);
                at >= begin && at < end
            })
            .collect()
    }

    fn dose(&self, administration: &'p Administration) -> Option<Dose<'p>> {
        let (entry, record) = administration.record()?;
        let effective = administration.effective();
        let told = effective.unwrap_or(&record.recording);
        let day = told.given_at.utc().date_naive();
        let settings = self.settings(day);
        let by = told.given_by.or_else(|| entry.staff());
        let initials = by.and_then(|id| self.picture.home.person(id)).map(|s| s.initials.clone());
        let code = settings.letter(told.outcome);
        let letter = match (told.outcome, initials) {
            (Outcome::Given, Some(initials)) => initials,
            (Outcome::PartGiven, Some(initials)) => format!("{code} {initials}"),
            (Outcome::Given, None) => "?".to_owned(),
            (_, _) => code.to_owned(),
        };
        Some(Dose {
            administration: record.administration,
            due: None,
            entry,
            record,
            effective,
            letter,
            amount: told.amount.clone(),
            by,
            witness: entry.made.as_ref().and_then(|m| m.witness).map(|(id, _)| id),
            device: entry.device,
            corrected: !administration.corrections().is_empty(),
            late_entry: entry.wall > record.recording.given_at.plus(settings.windows.late_entry),
            findings: self.findings.get(&record.administration).cloned().unwrap_or_default(),
            history: administration,
        })
    }
}
