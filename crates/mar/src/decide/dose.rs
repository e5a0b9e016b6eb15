//! Decisions about doses: the order of checks is the order of the screen (D-01).

mod amount;
mod found;
mod happened;
mod later;
mod means;

use super::Decision;
use crate::clock::CLOCK_RED_MS;
use crate::command::{AskDose, Told};
use crate::due::{recorded_for, shown};
use crate::fact::{
    Check, DoseFact, Draft, Fact, Gap, OutcomeRecorded, Popped, PrnNote, Recording, SecondPerson,
};
use crate::first::{self, FirstDose};
use crate::ids::{AdministrationId, EntryId, OrderId, ResidentId};
use crate::order::{Content, State};
use crate::outcome::{Known, Outcome, Practice};
use crate::picture::{OrderHistory, ResidentPicture, VersionView};
use crate::quantity::Amount;
use crate::refusal::{DoseRefusal, Missing, Refusal, WhoRefusal};
use crate::resident::Whereabouts;
use crate::rules;
use crate::schedule::{Slot, SlotId};
use crate::settings::Settings;
use crate::staff::Act;
use crate::time::Timestamp;
use chrono::NaiveDate;
use happened::Happened;
use std::sync::Arc;

/// Why the first dose of an order was late, where nobody says more (W-11).
const FIRST_DOSE: &str = "first dose: it fell due before the order was checked";

/// What stands at the time of a rescue dose that was recorded with a clock that is red (W-05).
const CLOCK_DOUBTED: &str = "time in doubt: this device's clock was wrong";

/// A dose under decision: whose, of which order, which version of it.
struct Asked<'d> {
    resident: &'d Arc<ResidentPicture>,
    history: &'d OrderHistory,
    view: VersionView<'d>,
    authority: EntryId,
    /// The first dose of the order, where the dose under decision fell due before the check.
    unchecked: Option<Option<FirstDose>>,
    /// Why nobody was to give it: the version was not in force, or its dose no longer due.
    outside: Option<DoseRefusal>,
}

/// What was decided about a dose.
struct Decided {
    authority: EntryId,
    base: Vec<EntryId>,
    fact: DoseFact,
    /// What the incident says that it opens; `None` where it opens none.
    incident: Option<String>,
}

impl Decided {
    const fn quiet(authority: EntryId, base: Vec<EntryId>, fact: DoseFact) -> Self {
        Self { authority, base, fact, incident: None }
    }
}

/// What a person says in a correction.
struct Correction<'t> {
    instead: Option<&'t Told>,
    reason: &'t str,
    alone: bool,
}

impl Asked<'_> {
    fn content(&self) -> &Content {
        &self.view.version.content
    }

    /// From a stop on nothing comes of the order, whatever the outcome (O-11).
    fn not_stopped(&self, at: Timestamp) -> Result<(), DoseRefusal> {
        if self.history.stopped_at().is_some_and(|stopped| at >= stopped) {
            return Err(DoseRefusal::NotActive { state: State::Stopped.in_words() });
        }
        Ok(())
    }

    /// Whether the order is held at an instant (O-12). A hold that by its stamp begins after `now`
    /// was written by a clock that is ahead: it holds all the same.
    fn held_at(&self, at: Timestamp, now: Timestamp) -> bool {
        let spans = self.history.held_spans();
        let ahead = |from: Timestamp| from.0.saturating_sub(now.0) > CLOCK_RED_MS;
        spans.iter().any(|(from, to)| match to {
            None => at >= *from || ahead(*from),
            Some(to) => at >= *from && at < *to,
        })
    }

    fn rescue(&self) -> bool {
        self.content().flags.rescue
    }
}

impl<'d> Decision<'d, '_, '_> {
    pub(super) fn dose(&mut self, id: ResidentId, ask: &AskDose) -> Result<Vec<Draft>, Refusal> {
        let resident = self.resident_picture(id)?;
        let decided = match ask {
            AskDose::Pop { slot, amount } => self.pop(resident, slot, amount.as_ref())?,
            AskDose::Record { slot, told } => self.record(resident, slot, told)?,
            AskDose::Prn { order, told, note } => self.prn(resident, *order, told, note)?,
            AskDose::NoteEffect { administration, effect, note } => {
                self.note_effect(resident, *administration, *effect, note)?
            }
            AskDose::Correct { administration, instead, reason, alone } => {
                let words = Correction { instead: instead.as_ref(), reason, alone: *alone };
                self.correct(resident, *administration, &words)?
            }
        };
        let Decided { authority, base, fact, incident } = decided;
        let made = self.made(authority, base)?;
        let incident = incident.map(|what| self.open_incident(id, &made, fact.order(), &what));
        let handed = self.hand_over(resident, &made, &fact, told_in(ask))?;
        let dose = Draft { subject: Some(id), made: Some(made), fact: Fact::Dose(fact) };
        Ok(std::iter::once(dose).chain(incident).chain(handed).collect())
    }

    fn pop(
        &self,
        resident: &'d Arc<ResidentPicture>,
        slot: &SlotId,
        amount: Option<&Amount>,
    ) -> Result<Decided, Refusal> {
        let (asked, found) = self.asked_slot(resident, slot)?;
        self.may_be_given(&asked, self.now())?;
        if self.is_of_another_day(&found, self.now())? {
            return Err(DoseRefusal::OtherDay { due: found.due }.into());
        }
        let recorded = recorded_for(resident, slot);
        already(self, &recorded, &found, self.now())?;
        self.first_dose(&asked, &found, self.now())?;
        let popped = Popped {
            order: asked.history.id,
            slot: Some(slot.clone()),
            amount: amount.cloned().unwrap_or_else(|| asked.content().dose.most()),
            at: self.now(),
        };
        Ok(Decided::quiet(asked.authority, Vec::new(), DoseFact::Popped(popped)))
    }

    fn record(
        &mut self,
        resident: &'d Arc<ResidentPicture>,
        slot: &SlotId,
        told: &Told,
    ) -> Result<Decided, Refusal> {
        let (asked, found) = self.asked_slot(resident, slot)?;
        let mut happened = Happened::told(told, self.now())?;
        let mut recording = self.recording(&asked, told, &mut happened)?;
        let at = recording.given_at;
        self.role_fits(&asked)?;
        if recording.outcome.is_taken() {
            happened.pass(self.is_here(&asked, recording.outcome, at))?;
            happened.pass(self.may_be_taken(&asked, recording.outcome, at))?;
        } else if let Some(outside) = &asked.outside {
            asked.not_stopped(at)?;
            return Err(outside.clone().into());
        }
        let recorded = recorded_for(resident, slot);
        happened.pass(already(self, &recorded, &found, at))?;
        happened.pass(self.not_ahead(&asked, &found, &recording))?;
        let in_window = at >= found.window.from && at <= found.window.to;
        if recording.outcome.is_taken() && !elsewhere(recording.outcome) {
            happened.pass(self.first_dose(&asked, &found, at))?;
        }
        if recording.outcome.is_taken() && !asked.rescue() && !elsewhere(recording.outcome) {
            happened.pass(Self::on_time(&asked, &found, &recording))?;
            happened.pass(self.gap_holds(&asked, at))?;
        }
        if recording.outcome.is_taken() && !in_window && recording.timing_reason.is_empty() {
            recording.timing_reason.clone_from(&recording.reason);
            if asked.unchecked.is_some() && recording.timing_reason.trim().is_empty() {
                FIRST_DOSE.clone_into(&mut recording.timing_reason);
            }
        }
        self.witnessed(&asked, told, recording.outcome)?;
        let gap = self.gap(&asked, told, recording.outcome, in_window)?;
        let incident = self.incident(&asked, &happened, at)?;
        let fact = OutcomeRecorded {
            administration: AdministrationId(self.fresh()),
            order: asked.history.id,
            version: asked.view.version.id,
            slot: Some(slot.clone()),
            recording,
            prn: None,
            gap,
            prompts: told.prompts.clone(),
            second_dose_really: incident.is_some(),
        };
        // The outcomes of this slot that the writer saw: two records that name each other are an
        // offer made again, two that do not were made apart.
        let seen = recorded.iter().filter_map(|a| a.record().map(|(w, _)| w.id)).collect();
        let incident = incident.or_else(|| self.left_out(&asked, &found, &fact.recording));
        let (authority, fact) = (asked.authority, DoseFact::Recorded(fact));
        Ok(Decided { authority, base: seen, fact, incident })
    }

    fn gap_holds(&self, asked: &Asked<'_>, at: Timestamp) -> Result<(), Refusal> {
        let order = (asked.history.id, asked.content());
        let since = at.minus(rules::look_back(asked.content()));
        let taken = rules::taken(&self.picture.home, asked.resident, since);
        rules::gap_allows(order, &taken, at).map_err(DoseRefusal::Limit)?;
        Ok(rules::weekly_allows(order, &taken, at).map_err(DoseRefusal::Limit)?)
    }

    /// P-02 to P-04 and P-07. What was given elsewhere counts, and nothing holds it up (W-01).
    fn limits_hold(
        &self,
        asked: &Asked<'_>,
        recording: &Recording,
        note: &PrnNote,
    ) -> Result<(), Refusal> {
        if note.reason.trim().is_empty() {
            return Err(DoseRefusal::PrnReason.into());
        }
        let Some(prn) = asked.content().prn().filter(|_| !elsewhere(recording.outcome)) else {
            return Ok(());
        };
        let (order, at) = ((asked.history.id, asked.content()), recording.given_at);
        let amount = recording.amount.clone().unwrap_or_else(|| asked.content().dose.most());
        let since = at.minus(rules::look_back(asked.content()));
        let taken = rules::taken(&self.picture.home, asked.resident, since);
        Ok(rules::allows(order, prn, &taken, &amount, at).map_err(DoseRefusal::Limit)?)
    }

    fn prn(
        &mut self,
        resident: &'d Arc<ResidentPicture>,
        order: OrderId,
        told: &Told,
        note: &PrnNote,
    ) -> Result<Decided, Refusal> {
        let at = told.given_at.unwrap_or(self.now());
        let history = resident.orders.get(&order).ok_or(Missing::Order(order))?;
        // By a clock that is behind no order may have begun: a rescue medicine does not wait (W-05).
        let doubted = self.clock_is_red()
            && history.best_version(at).is_some_and(|version| version.content.flags.rescue);
        let view = history
            .version_about(at)
            .ok_or_else(|| DoseRefusal::NoVersion { order, state: history.state(self.now()) })?;
        let authority = self.giver(history, at)?;
        let outside =
            (!doubted && history.version_at(at).is_none()).then(|| not_active(history, at));
        let asked = Asked { resident, history, view, authority, unchecked: None, outside };
        if asked.content().prn().is_none() {
            return Err(DoseRefusal::Outcome(
                "this order has due times: record the dose that is due",
            )
            .into());
        }
        let mut happened = Happened::told(told, self.now())?;
        let recording = self.recording(&asked, told, &mut happened)?;
        self.role_fits(&asked)?;
        if recording.outcome.is_taken() {
            happened.pass(self.is_here(&asked, recording.outcome, at))?;
            happened.pass(self.may_be_taken(&asked, recording.outcome, at))?;
            if !asked.rescue() {
                happened.pass(self.limits_hold(&asked, &recording, note))?;
            }
        } else if let Some(outside) = &asked.outside
            && history.stopped_at().is_none_or(|stopped| at < stopped)
        {
            return Err(outside.clone().into());
        }
        self.witnessed(&asked, told, recording.outcome)?;
        let gap = self.gap(&asked, told, recording.outcome, false)?;
        let incident = self.incident(&asked, &happened, at)?;
        let fact = OutcomeRecorded {
            administration: AdministrationId(self.fresh()),
            order,
            version: asked.view.version.id,
            slot: None,
            recording,
            prn: Some(note.clone()),
            gap,
            prompts: told.prompts.clone(),
            second_dose_really: incident.is_some(),
        };
        let (authority, fact) = (asked.authority, DoseFact::Recorded(fact));
        Ok(Decided { authority, base: Vec::new(), fact, incident })
    }

    /// The order version and the slot that a slot's id names.
    fn asked_slot(
        &self,
        resident: &'d Arc<ResidentPicture>,
        slot: &SlotId,
    ) -> Result<(Asked<'d>, Slot), Refusal> {
        let fallback = Settings::new("-", NaiveDate::default());
        let settings = rules::by_date(&self.picture.home, &fallback);
        for history in resident.orders.values() {
            let Some(view) = history.version(slot.version) else {
                continue;
            };
            let mut found = rules::slot_of(view.version, slot, &settings).ok_or(Missing::Slot)?;
            let waited = view.waited.is_some_and(|waited| found.due >= waited.begins)
                && view.from.is_some_and(|from| found.due < from);
            let unchecked = waited.then(|| first::first_dose(&view, &settings));
            if let Some(Some(first)) = &unchecked
                && first.slot.id == found.id
            {
                found.window = first.slot.window;
            }
            let in_span = view.from.is_some_and(|from| found.due >= from)
                && view.to.is_none_or(|to| found.due < to);
            let outside = (!in_span && !waited).then(|| match view.from {
                None => not_active(history, self.now()),
                Some(from) if found.due < from => DoseRefusal::NotInForce,
                Some(_) if history.stopped_at().is_some_and(|stop| found.due >= stop) => {
                    DoseRefusal::AfterStop
                }
                Some(_) => DoseRefusal::Ended,
            });
            let authority = self.giver(history, self.now())?;
            return Ok((Asked { resident, history, view, authority, unchecked, outside }, found));
        }
        Err(Missing::Slot.into())
    }

    /// What fell due before the check is given only as the first dose of its order, and only while
    /// there is time before the next (S-09, W-11, D-07).
    fn first_dose(&self, asked: &Asked<'_>, slot: &Slot, at: Timestamp) -> Result<(), Refusal> {
        let Some(first) = &asked.unchecked else { return Ok(()) };
        let Some(first) = first.as_ref().filter(|first| first.slot.id == slot.id) else {
            return Err(DoseRefusal::BeforeCheck.into());
        };
        let late = at > slot.due.plus(rules::WEEKLY_LATE);
        if rules::is_weekly(&asked.content().schedule) && late {
            return Err(DoseRefusal::WeeklyTooLate.into());
        }
        let taken = rules::taken(&self.picture.home, asked.resident, slot.due);
        if first::overtaken(first, &taken) {
            return Err(DoseRefusal::BeforeCheck.into());
        }
        if first.is_open_at(at) {
            return Ok(());
        }
        let near = first.too_near(at).filter(|next| at < next.due);
        Err(near.map_or(DoseRefusal::BeforeCheck, |n| DoseRefusal::NearNext { next: n.due }).into())
    }

    fn giver(&self, history: &OrderHistory, at: Timestamp) -> Result<EntryId, Refusal> {
        let topical = history.best_version(at).is_some_and(|v| v.content.flags.topical);
        Ok(self.person(if topical { Act::GiveTopical } else { Act::Give })?.2)
    }

    fn role_fits(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let act = if asked.content().flags.topical { Act::GiveTopical } else { Act::Give };
        self.person(act).map(|_| ())
    }

    /// Whether anything may go into this resident from this order at `at`.
    fn may_be_given(&self, asked: &Asked<'_>, at: Timestamp) -> Result<(), Refusal> {
        self.is_here(asked, Outcome::Given, at)?;
        self.may_be_taken(asked, Outcome::Given, at)
    }

    /// Whether the resident was in the home at `at`, and all that is written of them can be
    /// read (Y-11). What hospital or family gave has happened wherever that was (W-01), and a rescue
    /// medicine waits for no form and no update (W-05).
    fn is_here(&self, asked: &Asked<'_>, outcome: Outcome, at: Timestamp) -> Result<(), Refusal> {
        if asked.resident.needs_update() && !asked.rescue() {
            return Err(WhoRefusal::NeedsUpdate.into());
        }
        let given_elsewhere = outcome == Outcome::Practice(Practice::GivenElsewhere);
        let away = match asked.resident.whereabouts(at) {
            Whereabouts::Present => None,
            Whereabouts::DayLeave | Whereabouts::OvernightLeave | Whereabouts::Hospital
                if given_elsewhere || asked.rescue() =>
            {
                None
            }
            Whereabouts::DayLeave | Whereabouts::OvernightLeave => Some("on leave"),
            Whereabouts::Hospital => Some("in hospital"),
            Whereabouts::Discharged => Some("discharged"),
            Whereabouts::Deceased => Some("deceased"),
        };
        away.map_or(Ok(()), |words| Err(DoseRefusal::Away(words).into()))
    }

    /// Whether what was taken with this outcome at `at` could be given from this order.
    fn may_be_taken(
        &self,
        asked: &Asked<'_>,
        outcome: Outcome,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let given_elsewhere = outcome == Outcome::Practice(Practice::GivenElsewhere);
        asked.not_stopped(at)?;
        if asked.held_at(at, self.now()) && !asked.rescue() && !given_elsewhere {
            return Err(DoseRefusal::NotActive { state: State::Held.in_words() }.into());
        }
        if let Some(outside) = &asked.outside {
            return Err(outside.clone().into());
        }
        // What others gave before the check has happened, whoever had not checked the order here.
        let begun = asked.view.from.is_some_and(|from| at >= from)
            || (given_elsewhere && asked.unchecked.is_some())
            || (asked.rescue() && asked.view.from.is_some() && self.clock_is_red());
        if !begun {
            return Err(DoseRefusal::NotChecked.into());
        }
        let course = asked.content().course_doses;
        let ended = course.and_then(|n| asked.resident.course_ended(asked.history.id, n));
        if ended.is_some_and(|last| at > last) && !given_elsewhere {
            let state = "complete: every dose of the course was given";
            return Err(DoseRefusal::NotActive { state }.into());
        }
        Ok(())
    }

    /// What was told, completed and checked (D-03, S-08, T-06).
    fn recording(
        &self,
        asked: &Asked<'_>,
        told: &Told,
        happened: &mut Happened<'_>,
    ) -> Result<Recording, Refusal> {
        let recording = self.told(asked, told)?;
        let amount = amount::taken(&asked.content().dose, told, happened)?;
        Ok(Recording { amount, ..recording })
    }

    /// What was told, all but the amount.
    fn told(&self, asked: &Asked<'_>, told: &Told) -> Result<Recording, Refusal> {
        let settings = self.settings()?;
        let at = told.given_at.unwrap_or(self.now());
        if at > self.now().plus(settings.windows.future) {
            return Err(DoseRefusal::Future.into());
        }
        let reason = self.meaning(told)?;
        if told.outcome == Outcome::NotRequired && asked.content().prn().is_none() {
            return Err(DoseRefusal::Outcome(
                "\"not required\" is for when-required medicines only",
            )
            .into());
        }
        if let Some(other) = told.given_by {
            self.active(other)?;
        }
        let late = self.now() > at.plus(settings.windows.late_entry);
        // The reason of a rescue dose may follow (W-05).
        let why = told.already_given.as_deref().map(str::trim).unwrap_or_default();
        if late && reason.trim().is_empty() && why.is_empty() && !asked.rescue() {
            return Err(
                DoseRefusal::TimingReason("entered more than an hour after it was given").into()
            );
        }
        Ok(Recording {
            outcome: told.outcome,
            amount: None,
            given_at: at,
            timing_reason: match (why.is_empty(), late) {
                (false, _) => why.to_owned(),
                (true, true) => reason.clone(),
                (true, false) if self.clock_is_red() => CLOCK_DOUBTED.to_owned(),
                (true, false) => String::new(),
            },
            reason,
            readings: told.readings.clone(),
            site: told.site,
            given_by: told.given_by,
            professional: told.professional.clone(),
        })
    }

    /// Nobody tells ahead of its time what became of a dose: an outcome closes it, and it has not
    /// been offered (D-06, W-02). Away and held are known ahead as far as the record says so
    /// (R-05, O-12).
    fn not_ahead(
        &self,
        asked: &Asked<'_>,
        slot: &Slot,
        recording: &Recording,
    ) -> Result<(), Refusal> {
        let (at, outcome) = (recording.given_at, recording.outcome);
        if at >= slot.window.from {
            return Ok(());
        }
        let another_day = self.is_of_another_day(slot, at)?;
        let known = match outcome.known() {
            // Tomorrow's dose is never an early one of today: a word must not bring it forward.
            Known::Taken if another_day => {
                return Err(DoseRefusal::OtherDay { due: slot.due }.into());
            }
            Known::Taken => true,
            Known::AtTheOffer => false,
            Known::OnItsDay => !another_day,
            Known::WhileAway => match asked.resident.whereabouts(slot.due) {
                Whereabouts::Hospital => outcome == Outcome::Hospital,
                Whereabouts::DayLeave | Whereabouts::OvernightLeave => outcome == Outcome::Leave,
                Whereabouts::Present | Whereabouts::Discharged | Whereabouts::Deceased => false,
            },
            Known::WhileHeld => asked.held_at(slot.due, self.now()),
        };
        if known {
            return Ok(());
        }
        Err(DoseRefusal::NotYet { outcome, from: slot.window.from }.into())
    }

    /// Whether the slot's window has not opened and its day has not come.
    fn is_of_another_day(&self, slot: &Slot, at: Timestamp) -> Result<bool, Refusal> {
        let today = at.civil(self.settings()?.zone).date();
        Ok(at < slot.window.from && slot.id.date > today)
    }

    /// Early and late (W-02, W-11): only the gap blocks, and the rest takes a reason.
    fn on_time(asked: &Asked<'_>, slot: &Slot, recording: &Recording) -> Result<(), Refusal> {
        let at = recording.given_at;
        let reason = !recording.reason.trim().is_empty() || !recording.timing_reason.is_empty();
        if at < slot.window.from && !reason {
            return Err(DoseRefusal::TimingReason("given before its time").into());
        }
        if at > slot.window.to {
            let weekly = rules::is_weekly(&asked.content().schedule);
            if weekly && at > slot.due.plus(rules::WEEKLY_LATE) {
                return Err(DoseRefusal::WeeklyTooLate.into());
            }
            // That the order was not checked in time is reason enough for its first dose.
            if !reason && asked.unchecked.is_none() {
                return Err(DoseRefusal::TimingReason("given after its time").into());
            }
        }
        Ok(())
    }

    /// C-03 with W-05 (rescue) and W-13 (the lone-worker exception wins, and is shown).
    fn witnessed(&self, asked: &Asked<'_>, told: &Told, outcome: Outcome) -> Result<(), Refusal> {
        let settings = self.settings()?;
        let controlled = settings.witnessed(asked.content().medicine.cd);
        let handled =
            outcome.is_taken() && !elsewhere(outcome) || outcome == Outcome::RefusedDestroyed;
        if told.given_by.is_some() && told.given_by == self.command.witness {
            return Err(WhoRefusal::WitnessIsActor.into());
        }
        match self.command.witness {
            Some(witness) if controlled && !self.may_witness(witness) => {
                Err(WhoRefusal::MayNotWitness.into())
            }
            Some(_) => self.witness().map(|_| ()),
            None if controlled
                && handled
                && !asked.rescue()
                && !(told.alone && settings.lone_worker) =>
            {
                Err(DoseRefusal::WitnessMissing { alone: settings.lone_worker }.into())
            }
            None => Ok(()),
        }
    }

    /// What W-16 asks while a counted device is unheard. Nothing is asked of a rescue medicine
    /// (W-05) or of what was not given.
    fn gap(
        &self,
        asked: &Asked<'_>,
        told: &Told,
        outcome: Outcome,
        in_window: bool,
    ) -> Result<Option<Gap>, Refusal> {
        let unheard = self.unheard();
        if unheard.is_empty() {
            return Ok(None);
        }
        let demanded = outcome.is_taken() && !asked.rescue();
        let answer = told.checked.as_deref().map(str::trim).filter(|a| !a.is_empty());
        let Some(answer) = answer else {
            return if demanded { Err(self.question(unheard)) } else { Ok(None) };
        };
        let controlled = self.settings()?.witnessed(asked.content().medicine.cd);
        let check = if in_window && !controlled && asked.content().prn().is_none() {
            Check::Question
        } else {
            Check::Named(match self.command.witness {
                Some(colleague) => SecondPerson::Colleague(colleague),
                // Nobody else on shift: the giver's own statement, reviewed next morning.
                None => SecondPerson::OwnStatement,
            })
        };
        Ok(Some(Gap { unheard, answer: answer.to_owned(), check }))
    }

    fn question(&self, devices: Vec<crate::ids::DeviceId>) -> Refusal {
        let names: Vec<String> =
            devices.iter().map(|d| self.picture.home.device_name(*d)).collect();
        let words = format!(
            "{} {} not heard: is it giving here? Ask, and say who or what you \
             checked: --checked TEXT",
            crate::words::list(&names),
            if names.len() == 1 { "is" } else { "are" }
        );
        DoseRefusal::Unheard { devices, words }.into()
    }
}

/// Given by somebody outside the home's round: its time and gap are not the giver's to answer for,
/// yet it counts for every total (W-01, W-04).
const fn elsewhere(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Practice(Practice::GivenElsewhere | Practice::GivenByProfessional))
}

fn not_active(history: &OrderHistory, at: Timestamp) -> DoseRefusal {
    match history.state(at) {
        // It is active by now, and was not at the time that is spoken of.
        State::Active => match history.version_about(at).map(|view| view.version.content.start) {
            Some(start) if at >= start => DoseRefusal::NotChecked,
            Some(_) | None => DoseRefusal::NotInForce,
        },
        state @ (State::Proposal
        | State::AwaitingSecondCheck
        | State::Held
        | State::Stopped
        | State::Rejected) => DoseRefusal::NotActive { state: state.in_words() },
    }
}

/// Whether the slot has an outcome that stands in the way (D-06, D-08).
/// What was told of a dose; `None` where nothing was.
const fn told_in(ask: &AskDose) -> Option<&Told> {
    match ask {
        AskDose::Record { told, .. } | AskDose::Prn { told, .. } => Some(told),
        AskDose::Correct { instead, .. } => instead.as_ref(),
        AskDose::Pop { .. } | AskDose::NoteEffect { .. } => None,
    }
}

fn already(
    decision: &Decision<'_, '_, '_>,
    recorded: &[&crate::picture::Administration],
    slot: &Slot,
    at: Timestamp,
) -> Result<(), Refusal> {
    let shown = shown(recorded).and_then(|a| a.effective().map(|r| (a, r)));
    let Some((shown, recording)) = shown else { return Ok(()) };
    let taken = recording.outcome.is_taken();
    // What was known ahead may have changed by the time the dose is due (R-05: stays editable).
    let ahead = recording.given_at < slot.window.from;
    let offered_again =
        (recording.outcome.may_be_offered_again() || ahead) && at <= slot.window.unrecorded_after;
    if !taken && offered_again {
        return Ok(());
    }
    let by = recording.given_by.or_else(|| shown.record().and_then(|(w, _)| w.staff()));
    let name = by.and_then(|id| decision.picture.home.person(id)).map(|s| s.name.clone());
    Err(DoseRefusal::AlreadyRecorded {
        outcome: recording.outcome,
        by: name.unwrap_or_else(|| "somebody".to_owned()),
        at: recording.given_at,
    }
    .into())
}
