//! The boxes of a chart, and what is told of a dose overleaf.

use crate::command::page::{clock, day};
use crate::command::record::EVER;
use crate::command::session::Session;
use ::mar::chart::{Cell as ChartCell, ChartOrder, Dose};
use ::mar::due::{DueState, Suspension};
use ::mar::fact::Recording;
use ::mar::ids::StaffId;
use ::mar::outcome::{NOT_CHECKED, Outcome};
use ::mar::picture::ResidentPicture;
use ::mar::rules::{Taken, prn_status, taken};
use ::mar::schedule::SlotKey;
use ::mar::time::{Timestamp, at_civil};
use ::print::sheet::{Cell, Cycle, Mark, PrnLine, Record, Row};
use chrono::{Days, NaiveDate, NaiveTime};
use std::collections::BTreeSet;

/// What a chart has gathered so far, over all its medicines.
pub(super) struct SoFar<'s> {
    /// How many notes stand overleaf.
    pub(super) notes: u32,
    /// Whose initials stand on the chart.
    pub(super) people: BTreeSet<StaffId>,
    /// Everything that was taken, for what was allowed after each dose.
    taken: Vec<Taken<'s>>,
}

impl<'s> SoFar<'s> {
    /// Begins a resident's chart.
    pub(super) fn new(session: &'s Session<'s>, resident: &'s ResidentPicture) -> Self {
        let taken = taken(&session.picture.home, resident, EVER);
        Self { notes: 0, people: BTreeSet::new(), taken }
    }
}

/// What is told of one medicine's doses.
pub(super) struct Told<'t, 's> {
    session: &'s Session<'s>,
    prn: bool,
    so_far: &'t mut SoFar<'s>,
    /// The lines overleaf.
    pub(super) records: Vec<Record>,
}

/// Whether a dose is told overleaf although its box says it all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overleaf {
    /// Only when there is more to tell than the box holds.
    IfMore,
    /// In any case: a box beside it holds another outcome of its slot.
    Unboxed,
    /// In any case: it stands in no box at all, or in one that was not to be signed.
    Outside,
}

/// One time of day across the cycle, while it is filled in.
struct Line {
    label: String,
    time: NaiveTime,
    cells: Vec<Option<Cell>>,
}

/// Returns one row for each time of day. Whatever does not stand in a box is told overleaf.
pub(super) fn rows<'s>(
    session: &'s Session<'s>,
    order: &ChartOrder<'_>,
    cycle: Cycle,
    told: &mut Told<'_, 's>,
) -> Vec<Row> {
    let days = usize::from(cycle.days);
    let mut lines: Vec<Line> = Vec::new();
    for cell in &order.cells {
        let date = cell.slot.due.civil(session.zone()).date();
        let Some(at) = usize::try_from(date.signed_duration_since(cycle.start).num_days())
            .ok()
            .filter(|at| *at < days)
        else {
            continue;
        };
        let (label, time) = label(session, (cell.slot.due, &cell.slot.id.key));
        let free = |l: &&mut Line| l.label == label && l.cells.get(at).is_some_and(Option::is_none);
        let drawn = told.cell(cell);
        match lines.iter_mut().find(free) {
            Some(line) => line.cells[at] = Some(drawn),
            None => {
                let mut cells = vec![None; days];
                cells[at] = Some(drawn);
                lines.push(Line { label, time, cells });
            }
        }
    }
    lines.sort_by_key(|l| l.time);
    let mut outside = BTreeSet::new();
    for dose in &order.unscheduled {
        let due = told.slot_time(dose);
        let note = told.overleaf(dose, &due, Overleaf::Outside);
        let Some((label, at)) = place(session, cycle, dose) else { continue };
        let Some(line) = lines.iter_mut().find(|l| l.label == label) else { continue };
        // Nobody signs there, such as after a stop: whoever looks at the box finds the note.
        let mark = told.plain_mark(dose, note);
        match &mut line.cells[at] {
            free @ None => {
                outside.insert((label, at));
                *free = Some(Cell::Told(vec![mark]));
            }
            Some(Cell::Told(marks)) if outside.contains(&(label, at)) => marks.push(mark),
            Some(_) => {}
        }
    }
    lines.into_iter().map(|line| finish(session, order, cycle, line)).collect()
}

/// The row and the day of a slot whose dose stands in none of the chart's own boxes; `None` for a
/// dose that was struck out, or whose day is outside the cycle.
fn place(session: &Session<'_>, cycle: Cycle, dose: &Dose<'_>) -> Option<(String, usize)> {
    let (due, slot) = (dose.due?, dose.record.slot.as_ref()?);
    dose.effective?;
    let date = due.civil(session.zone()).date();
    let at = usize::try_from(date.signed_duration_since(cycle.start).num_days()).ok()?;
    let (label, _) = label(session, (due, &slot.key));
    (at < usize::from(cycle.days)).then_some((label, at))
}

fn label(session: &Session<'_>, (due, key): (Timestamp, &SlotKey)) -> (String, NaiveTime) {
    let civil = due.civil(session.zone());
    let time = civil.time();
    let text = match key {
        SlotKey::Round(id) => {
            let settings = session.picture.home.settings_on(civil.date());
            let name = settings.and_then(|s| s.round(id)).map(|r| r.name.clone());
            format!("{} {}", name.unwrap_or_else(|| id.clone()), time.format("%H:%M"))
        }
        SlotKey::Time(_) | SlotKey::Interval(_) => time.format("%H:%M").to_string(),
    };
    (text, time)
}

/// Boxes without a slot: before the start, after the end, or simply not due.
fn finish(session: &Session<'_>, order: &ChartOrder<'_>, cycle: Cycle, line: Line) -> Row {
    let zone = session.zone();
    let empty = |at: usize| {
        let date = cycle.start.checked_add_days(Days::new(at as u64)).unwrap_or(cycle.start);
        let due = at_civil(zone, date, line.time);
        if order.from.is_none_or(|from| due < from) {
            Cell::BeforeStart
        } else if order.to.is_some_and(|to| due >= to) {
            Cell::AfterEnd
        } else {
            Cell::NotDue
        }
    };
    let cells = line.cells.into_iter().enumerate();
    let cells = cells.map(|(at, cell)| cell.unwrap_or_else(|| empty(at))).collect();
    Row { time: line.label, amount: None, cells }
}

impl<'t, 's> Told<'t, 's> {
    /// Begins with nothing told.
    pub(super) fn new(
        session: &'s Session<'s>,
        order: &ChartOrder<'_>,
        so_far: &'t mut SoFar<'s>,
    ) -> Self {
        let prn = order.version.content.prn().is_some();
        Self { session, prn, so_far, records: Vec::new() }
    }

    fn cell(&mut self, cell: &ChartCell<'_>) -> Cell {
        let Some(shown) = &cell.shown else {
            return self.empty(cell);
        };
        let mut marks = vec![self.mark(shown, cell)];
        for other in &cell.others {
            // Two doses stand side by side; an earlier offer is told overleaf.
            let taken = other.effective.is_some_and(|r| r.outcome.is_taken());
            if taken {
                marks.push(self.mark(other, cell));
            } else {
                let due = self.due_time(cell);
                self.overleaf(other, &due, Overleaf::Unboxed);
            }
        }
        Cell::Told(marks)
    }

    fn empty(&self, cell: &ChartCell<'_>) -> Cell {
        match (cell.suspended, cell.state) {
            (Some(Suspension::Held), _) => Cell::Held,
            (Some(Suspension::NotChecked | Suspension::WaitsForCheck), _) => {
                let code = Some(NOT_CHECKED.to_owned());
                Cell::Told(vec![Mark { code, ..Mark::default() }])
            }
            (Some(Suspension::Gone | Suspension::CourseDone | Suspension::Stopped), _) => {
                Cell::AfterEnd
            }
            (Some(away @ (Suspension::Hospital | Suspension::Leave)), _) => {
                let code = away.outcome().map(|o| self.letter(o));
                Cell::Told(vec![Mark { code, ..Mark::default() }])
            }
            (None, DueState::Unrecorded) => Cell::Unrecorded,
            (
                None,
                DueState::NotDue
                | DueState::Due
                | DueState::Late
                | DueState::Recorded
                | DueState::OnPaper,
            ) => Cell::Due,
        }
    }

    fn letter(&self, outcome: Outcome) -> String {
        self.session.settings().letter(outcome).to_owned()
    }

    fn due_time(&self, cell: &ChartCell<'_>) -> String {
        clock(cell.slot.due, self.session.zone())
    }

    fn initials(&mut self, staff: Option<StaffId>) -> Option<String> {
        let id = staff?;
        self.so_far.people.insert(id);
        Some(self.session.initials(Some(id)))
    }

    /// When the slot of a dose outside the boxes is due, with its day where that is another one;
    /// empty for a dose outside slots.
    fn slot_time(&self, dose: &Dose<'_>) -> String {
        let Some(due) = dose.due else { return String::new() };
        let told = dose.effective.unwrap_or(&dose.record.recording);
        let zone = self.session.zone();
        let date = due.civil(zone).date();
        if date == told.given_at.civil(zone).date() {
            clock(due, zone)
        } else {
            format!("{} {}", day(date), clock(due, zone))
        }
    }

    fn mark(&mut self, dose: &Dose<'_>, cell: &ChartCell<'_>) -> Mark {
        let due = self.due_time(cell);
        let note = self.overleaf(dose, &due, Overleaf::IfMore);
        self.plain_mark(dose, note)
    }

    fn plain_mark(&mut self, dose: &Dose<'_>, note: Option<u32>) -> Mark {
        let told = dose.effective.unwrap_or(&dose.record.recording);
        Mark {
            code: code(self, told.outcome),
            initials: self.initials(dose.by),
            witness: self.initials(dose.witness),
            amount: dose.amount.as_ref().map(|a| a.value.to_string()),
            note,
        }
    }

    /// Tells a dose overleaf where a box cannot hold it; returns the note's number.
    fn overleaf(&mut self, dose: &Dose<'_>, due: &str, when: Overleaf) -> Option<u32> {
        let badges = self.badges(dose, when);
        let told = dose.effective.unwrap_or(&dose.record.recording);
        let reason = reason(dose, told);
        if badges.is_empty() && reason.is_none() && when == Overleaf::IfMore {
            return None;
        }
        self.so_far.notes += 1;
        let note = self.so_far.notes;
        let corrected = dose.corrected && dose.effective.is_some();
        if corrected {
            // The original stays, ruled through, beside what is now held to be true (D-13).
            let first = &dose.record.recording;
            let mut original = self.record(dose, first, due, note);
            original.reason = super::page::some(&first.reason);
            original.struck = true;
            self.records.push(original);
        }
        let mut record = self.record(dose, told, due, note);
        record.badges = badges;
        record.reason = reason;
        record.struck = dose.effective.is_none();
        self.records.push(record);
        Some(note)
    }

    fn record(&mut self, dose: &Dose<'_>, told: &Recording, due: &str, note: u32) -> Record {
        let zone = self.session.zone();
        let at = clock(told.given_at, zone);
        let time = if due.is_empty() || due == at { at } else { format!("{due}, at {at}") };
        let date: NaiveDate = told.given_at.civil(zone).date();
        Record {
            note: Some(note),
            date,
            time,
            dose: told.amount.as_ref().map(ToString::to_string),
            code: code(self, told.outcome),
            outcome: told.outcome.label().to_lowercase(),
            reason: None,
            badges: Vec::new(),
            by: self.initials(dose.by),
            witness: self.initials(dose.witness),
            struck: false,
        }
    }

    fn badges(&self, dose: &Dose<'_>, when: Overleaf) -> Vec<String> {
        let mut badges = Vec::new();
        let zone = self.session.zone();
        badges.extend(dose.findings.iter().map(|found| found.in_words().to_owned()));
        if when == Overleaf::Outside && !self.prn {
            badges.push("OUTSIDE THE BOXES".to_owned());
        }
        if dose.late_entry {
            let at: Timestamp = dose.entry.wall;
            badges.push(format!(
                "LATE ENTRY, typed {} {}",
                day(at.civil(zone).date()),
                clock(at, zone)
            ));
        }
        match dose.history.corrections().last() {
            Some((entry, _)) => {
                let by = self.session.initials(entry.staff());
                badges.push(format!(
                    "CORRECTED by {by}, {}",
                    crate::command::page::moment(entry.wall, zone)
                ));
            }
            None if !dose.entry.standing.counts() => badges.push("DOES NOT COUNT".to_owned()),
            None => {}
        }
        if let Some(gap) = &dose.record.gap {
            badges.push(format!("WHILE APART, asked: {}", gap.answer));
        }
        badges
    }

    /// One line of a when-required medicine.
    pub(super) fn prn_line(&mut self, order: &ChartOrder<'_>, dose: &Dose<'_>) -> PrnLine {
        let zone = self.session.zone();
        let note = self.overleaf_prn(dose);
        let told = dose.effective.unwrap_or(&dose.record.recording);
        let civil = told.given_at.civil(zone);
        let effect = dose.history.effects().last().map(|(_, e)| {
            let more = super::page::some(&e.note).map(|n| format!(": {n}")).unwrap_or_default();
            format!("{} {}{more}", clock(e.at, zone), e.effect.word())
        });
        PrnLine {
            date: civil.date(),
            time: civil.time(),
            amount: told.amount.as_ref().map(ToString::to_string),
            code: code(self, told.outcome),
            reason: prn_reason(dose, told),
            by: self.initials(dose.by),
            witness: self.initials(dose.witness),
            next_allowed: self.next_allowed(order, dose),
            effect,
            note,
            struck: dose.effective.is_none(),
        }
    }

    /// From when the next dose was allowed, given what had been taken by then.
    fn next_allowed(&self, order: &ChartOrder<'_>, dose: &Dose<'_>) -> Option<String> {
        let content = &order.version.content;
        let at = self.so_far.taken.iter().position(|t| t.administration == dose.administration)?;
        let (by_then, this) = (&self.so_far.taken[..=at], &self.so_far.taken[at]);
        let status = prn_status((order.order, content), content.prn()?, by_then, this.at);
        let next = status.earliest_next.filter(|next| *next != Timestamp(i64::MAX))?.up_to_minute();
        let zone = self.session.zone();
        let same_day = next.civil(zone).date() == this.at.civil(zone).date();
        Some(if same_day { clock(next, zone) } else { crate::command::page::moment(next, zone) })
    }

    /// A when-required dose has its reason on its line; only what is unusual goes overleaf, and why
    /// it was given or entered although something stood in the way.
    fn overleaf_prn(&mut self, dose: &Dose<'_>) -> Option<u32> {
        let told = dose.effective.unwrap_or(&dose.record.recording);
        if self.badges(dose, Overleaf::IfMore).is_empty() && told.timing_reason.trim().is_empty() {
            return None;
        }
        self.overleaf(dose, "", Overleaf::IfMore)
    }
}

fn code(told: &Told<'_, '_>, outcome: Outcome) -> Option<String> {
    (outcome != Outcome::Given).then(|| told.letter(outcome))
}

fn reason(dose: &Dose<'_>, told: &Recording) -> Option<String> {
    let mut parts: Vec<String> = super::page::some(&told.reason).into_iter().collect();
    if told.timing_reason != told.reason {
        parts.extend(super::page::some(&told.timing_reason));
    }
    for reading in &told.readings {
        parts.push(format!("{} {}", reading.name, reading.value));
    }
    if let Some(site) = told.site {
        parts.push(format!("site {site}"));
    }
    if let Some(who) = &told.professional {
        parts.push(format!("given by {}, {}, {}", who.name, who.role, who.organisation));
    }
    if let Some((_, corrected)) = dose.history.corrections().last()
        && corrected.reason != told.reason
    {
        parts.extend(super::page::some(&corrected.reason).map(|r| format!("corrected: {r}")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn prn_reason(dose: &Dose<'_>, told: &Recording) -> Option<String> {
    let note = dose.record.prn.as_ref();
    let mut parts: Vec<String> = Vec::new();
    let symptom = note.and_then(|n| super::page::some(&n.reason));
    parts.extend(symptom.or_else(|| super::page::some(&told.reason)));
    if let Some(score) = note.and_then(|n| n.score) {
        parts.push(format!("score {score}"));
    }
    if let Some(tried) = note.and_then(|n| super::page::some(&n.tried_first)) {
        parts.push(format!("tried first: {tried}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
