//! Decisions about orders: written by one person, checked by another, held, stopped.

use super::{Decision, named};
use crate::command::AskOrder;
use crate::fact::{Draft, Fact, OrderFact};
use crate::ids::{EntryId, OrderId, ResidentId, VersionId};
use crate::medicine::CdCategory;
use crate::order::{AsRead, Content, Dose, Intended, Proposal, SameMeaning, State, Version};
use crate::picture::{OrderHistory, ResidentPicture, slots_of};
use crate::plausible;
use crate::quantity::Quantity;
use crate::refusal::{Missing, OrderRefusal, Refusal};
use crate::resident::Allergies;
use crate::rules;
use crate::schedule::{self, Schedule, Slot};
use crate::settings::Settings;
use crate::staff::Act;
use crate::time::{DAY, Minutes, Timestamp, Tz};

/// A version that somebody writes, with what they say beside it.
struct Writing<'w> {
    order: OrderId,
    content: &'w Content,
    same_meaning: Option<&'w SameMeaning>,
    allergy_decided: Option<&'w String>,
    intended: Option<&'w String>,
    label_read: Option<&'w AsRead>,
}

impl Decision<'_, '_, '_> {
    pub(super) fn order(&mut self, id: ResidentId, ask: &AskOrder) -> Result<Vec<Draft>, Refusal> {
        let resident = self.resident_picture(id)?.clone();
        let (authority, base, fact) = match ask {
            AskOrder::Propose { order, proposal } => {
                let (_, _, authority) = self.person(Act::WriteOrder)?;
                named(&proposal.medicine.name, "medicine")?;
                let base = resident.orders.get(order).map(OrderHistory::heads).unwrap_or_default();
                (authority, base, OrderFact::Proposed { order: *order, proposal: proposal.clone() })
            }
            AskOrder::Write {
                order,
                content,
                same_meaning,
                allergy_decided,
                intended,
                label_read,
            } => {
                let writing = Writing {
                    order: *order,
                    content,
                    same_meaning: same_meaning.as_ref(),
                    allergy_decided: allergy_decided.as_ref(),
                    intended: intended.as_ref(),
                    label_read: label_read.as_ref(),
                };
                self.write(&resident, &writing)?
            }
            AskOrder::Check { order, version } => self.check(&resident, *order, *version)?,
            AskOrder::ActivateAlone { order, reason } => {
                self.activate_alone(&resident, *order, reason)?
            }
            AskOrder::Reject { order, version, reason } => {
                let (_, _, authority) = self.person(Act::WriteOrder)?;
                named(reason, "reason")?;
                let history = history(&resident, *order)?;
                let version = rejectable(history, *version, self.now())?;
                (
                    authority,
                    history.heads(),
                    OrderFact::Rejected { order: *order, version, reason: reason.clone() },
                )
            }
            AskOrder::Hold { order, reason, review } => {
                named(reason, "reason and who advised it")?;
                let (authority, heads) =
                    self.in_state(history(&resident, *order)?, &[State::Active], Act::StopOrder)?;
                let (order, reason, review) = (*order, reason.clone(), *review);
                (authority, heads, OrderFact::Held { order, reason, review })
            }
            AskOrder::Resume { order, reason } => {
                named(reason, "reason")?;
                let (authority, heads) =
                    self.in_state(history(&resident, *order)?, &[State::Held], Act::WriteOrder)?;
                (authority, heads, OrderFact::Resumed { order: *order, reason: reason.clone() })
            }
            AskOrder::Stop { order, at, authorised_by, reason } => {
                self.stop(history(&resident, *order)?, *at, (authorised_by, reason))?
            }
            AskOrder::Supply(supply) => {
                let (_, _, authority) = self.person(Act::Give)?;
                named(&supply.product, "product")?;
                let history = history(&resident, supply.order)?;
                (authority, history.heads(), OrderFact::Supplied(supply.clone()))
            }
        };
        let made = self.made(authority, base)?;
        Ok(vec![Draft { subject: Some(id), made: Some(made), fact: Fact::Order(fact) }])
    }

    fn write(
        &mut self,
        resident: &ResidentPicture,
        writing: &Writing<'_>,
    ) -> Result<(EntryId, Vec<EntryId>, OrderFact), Refusal> {
        let Writing { order, content, same_meaning, .. } = *writing;
        let (_, _, authority) = self.person(Act::WriteOrder)?;
        let elsewhere = self.picture.resident_of_order(order).is_some_and(|r| r.id != resident.id);
        if elsewhere {
            return Err(Missing::Order(order).into());
        }
        complete(content)?;
        possible(content, self.settings()?)?;
        let allergy_decided = told(writing.allergy_decided);
        if allergy_decided.is_none() {
            no_allergy(resident, content)?;
        }
        let history = resident.orders.get(&order);
        if let Some(history) = history {
            // A stop is final; an order that reached its own end may be written on.
            if history.stopped_at().is_some_and(|at| at <= self.now()) {
                return Err(OrderRefusal::State("stopped").into());
            }
            if history.state(self.now()) == State::Rejected {
                return Err(OrderRefusal::State("rejected").into());
            }
        }
        let proposal = history.and_then(OrderHistory::proposal);
        let sent = proposal.is_some_and(|p| p.words.iter().any(|w| !w.trim().is_empty()));
        if sent && same_meaning.is_none() {
            return Err(OrderRefusal::SameMeaning.into());
        }
        as_read(content, (proposal, writing.label_read), same_meaning)?;
        usual(content, same_meaning, None)?;
        let twins = plausible::twins(resident, order, content, self.now());
        let reason = told(writing.intended);
        let intended = match (twins.is_empty(), reason) {
            (true, _) => None,
            (false, Some(reason)) => {
                Some(Intended { with: twins.iter().map(|h| h.id).collect(), reason })
            }
            (false, None) => return Err(self.twin(&twins, None)),
        };
        let version = Version {
            order,
            id: VersionId(self.fresh()),
            content: content.clone(),
            same_meaning: same_meaning.cloned(),
            allergy_decided,
            intended,
        };
        let base = history.map(OrderHistory::heads).unwrap_or_default();
        Ok((authority, base, OrderFact::Written(version)))
    }

    fn twin(&self, twins: &[&OrderHistory], checked: Option<OrderId>) -> Refusal {
        let now = self.now();
        let others = twins.iter().map(|history| {
            let name = history.best_version(now).map(|v| v.content.medicine.name.as_str());
            let waits = history.state(now) == State::AwaitingSecondCheck;
            let state = if waits { "awaiting its second check" } else { history.state(now).word() };
            format!("{}, {state} ({})", name.unwrap_or_default(), history.id)
        });
        OrderRefusal::Twin { others: others.collect(), checked }.into()
    }

    /// What was asked when it was written is asked again when it comes into force: another device
    /// may have checked its twin, and the sender may have changed the words, in between.
    fn still_plausible(
        &self,
        resident: &ResidentPicture,
        history: &OrderHistory,
        version: &Version,
    ) -> Result<(), Refusal> {
        fits_its_form(&version.content)?;
        usual(&version.content, version.same_meaning.as_ref(), Some(history.id))?;
        let differs = matches!(version.same_meaning, Some(SameMeaning::Differs(_)));
        let reading = history.proposal().map(Proposal::reading).filter(|_| !differs);
        let words = reading.map(|r| plausible::differences(&version.content, &r));
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            return Err(OrderRefusal::ChangedSince { order: history.id, words }.into());
        }
        let twins = plausible::twins(resident, history.id, &version.content, self.now());
        if twins.is_empty() { Ok(()) } else { Err(self.twin(&twins, Some(history.id))) }
    }

    fn check(
        &self,
        resident: &ResidentPicture,
        order: OrderId,
        version: Option<VersionId>,
    ) -> Result<(EntryId, Vec<EntryId>, OrderFact), Refusal> {
        let history = history(resident, order)?;
        let version = match version {
            Some(version) => version,
            None => waiting(history)?,
        };
        let (authority, content) = self.may_check(resident, history, version)?;
        limits_hold(own_limits(resident, &[(order, content)], self.settings()?, self.now()))?;
        Ok((authority, history.heads(), OrderFact::Checked { order, version }))
    }

    fn activate_alone(
        &self,
        resident: &ResidentPicture,
        order: OrderId,
        reason: &str,
    ) -> Result<(EntryId, Vec<EntryId>, OrderFact), Refusal> {
        let (_, _, authority) = self.person(Act::WriteOrder)?;
        named(reason, "reason why nobody else can check")?;
        let history = history(resident, order)?;
        let version = waiting(history)?;
        if history.stopped_at().is_some_and(|at| at <= self.now()) {
            return Err(OrderRefusal::State("stopped").into());
        }
        let view = history.version(version).ok_or(Missing::Order(order))?;
        self.still_plausible(resident, history, view.version)?;
        let content = view.version.content.clone();
        limits_hold(own_limits(resident, &[(order, content)], self.settings()?, self.now()))?;
        let fact = OrderFact::ActivatedAlone { order, version, reason: reason.to_owned() };
        Ok((authority, history.heads(), fact))
    }

    /// Whether the person who asks may check this version; with the fact they act under.
    pub(super) fn may_check(
        &self,
        resident: &ResidentPicture,
        history: &OrderHistory,
        version: VersionId,
    ) -> Result<(EntryId, Content), Refusal> {
        let (checker, _, authority) = self.person(Act::CheckOrder)?;
        let view = history.version(version).ok_or(Missing::Order(history.id))?;
        if view.conflict {
            return Err(OrderRefusal::Conflict.into());
        }
        if view.rejected {
            return Err(OrderRefusal::State("rejected").into());
        }
        if view.checked.is_some() {
            return Err(OrderRefusal::State("checked already").into());
        }
        if history.stopped_at().is_some_and(|at| at <= self.now()) {
            return Err(OrderRefusal::State("stopped").into());
        }
        if view.written.staff() == Some(checker) {
            return Err(OrderRefusal::SelfCheck.into());
        }
        self.still_plausible(resident, history, view.version)?;
        Ok((authority, view.version.content.clone()))
    }

    /// When a stop takes effect. One that is to hold from now on must not wait for the time of a
    /// clock that is ahead (W-06).
    fn stops_at(&self, history: &OrderHistory, at: Timestamp) -> Timestamp {
        let now = self.now();
        if at > now || !self.clock_is_red() {
            return at;
        }
        let known = || {
            let written = history.entries().map(|entry| entry.wall);
            written.filter(|wall| *wall <= at).max()
        };
        self.context.clock.earliest(now).or_else(known).map_or(at, |earliest| at.min(earliest))
    }

    fn stop(
        &self,
        history: &OrderHistory,
        at: Timestamp,
        (authorised_by, reason): (&str, &str),
    ) -> Result<(EntryId, Vec<EntryId>, OrderFact), Refusal> {
        if authorised_by.trim().is_empty() || reason.trim().is_empty() {
            return Err(OrderRefusal::StopReason.into());
        }
        let open = [State::Active, State::Held, State::AwaitingSecondCheck, State::Proposal];
        let (authority, heads) = self.in_state(history, &open, Act::StopOrder)?;
        let fact = OrderFact::Stopped {
            order: history.id,
            at: self.stops_at(history, at),
            authorised_by: authorised_by.to_owned(),
            reason: reason.to_owned(),
        };
        Ok((authority, heads, fact))
    }

    /// The right of the person to do this to an order that is in one of these states, and what they
    /// saw of it.
    fn in_state(
        &self,
        history: &OrderHistory,
        wanted: &[State],
        act: Act,
    ) -> Result<(EntryId, Vec<EntryId>), Refusal> {
        let state = history.state(self.now());
        if !wanted.contains(&state) {
            return Err(OrderRefusal::State(state.in_words()).into());
        }
        let (_, _, authority) = self.person(act)?;
        Ok((authority, history.heads()))
    }
}

fn history(resident: &ResidentPicture, order: OrderId) -> Result<&OrderHistory, Refusal> {
    Ok(resident.orders.get(&order).ok_or(Missing::Order(order))?)
}

/// The one version that waits for its check.
fn waiting(history: &OrderHistory) -> Result<VersionId, Refusal> {
    let versions = history.versions();
    if versions.iter().any(|v| v.conflict) {
        return Err(OrderRefusal::Conflict.into());
    }
    let last = versions.iter().rfind(|v| !v.rejected);
    match last {
        Some(view) if view.checked.is_none() => Ok(view.version.id),
        Some(_) => Err(OrderRefusal::State("checked already").into()),
        None => Err(OrderRefusal::State("not written yet: confirm the proposal first").into()),
    }
}

/// Which version a rejection is about: a named unchecked or conflicting one, or the proposal.
fn rejectable(
    history: &OrderHistory,
    version: Option<VersionId>,
    now: Timestamp,
) -> Result<Option<VersionId>, Refusal> {
    if let Some(id) = version {
        let view = history.version(id).ok_or(Missing::Order(history.id))?;
        let open = !view.rejected && (view.checked.is_none() || view.conflict);
        return if open {
            Ok(Some(id))
        } else {
            Err(OrderRefusal::State("in force: stop it instead").into())
        };
    }
    match history.state(now) {
        State::Proposal => Ok(None),
        State::AwaitingSecondCheck => waiting(history).map(Some),
        state @ (State::Active | State::Held | State::Stopped | State::Rejected) => {
            Err(OrderRefusal::State(state.in_words()).into())
        }
    }
}

/// A text that somebody may say; blank is nothing said.
fn told(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).cloned()
}

/// The structure is held against what was read from the words that stand beside it: the sender's,
/// else the label's (O-05). A difference is told with its reason, never waved through.
fn as_read(
    content: &Content,
    (proposal, label): (Option<&Proposal>, Option<&AsRead>),
    same_meaning: Option<&SameMeaning>,
) -> Result<(), Refusal> {
    if let Some(SameMeaning::Differs(how)) = same_meaning {
        named(how, "word on how and why it differs")?;
        return Ok(());
    }
    let sent = proposal.map(Proposal::reading).unwrap_or_default();
    let label = label.cloned().unwrap_or_default();
    let reading =
        AsRead { dose: sent.dose.or(label.dose), schedule: sent.schedule.or(label.schedule) };
    let words = plausible::differences(content, &reading);
    if words.is_empty() { Ok(()) } else { Err(OrderRefusal::NotAsRead { words }.into()) }
}

/// What is hardly ever meant is not written and not checked until its writer says that it is.
fn usual(
    content: &Content,
    said: Option<&SameMeaning>,
    checked: Option<OrderId>,
) -> Result<(), Refusal> {
    let asked = plausible::unusual(content, said);
    if asked.is_empty() { Ok(()) } else { Err(OrderRefusal::Unusual { asked, checked }.into()) }
}

fn fits_its_form(content: &Content) -> Result<(), Refusal> {
    let unit = content.dose.unit();
    if plausible::unit_fits(&content.medicine, unit) {
        return Ok(());
    }
    let (medicine, unit) = (content.medicine.name.clone(), unit.as_str().to_owned());
    Err(OrderRefusal::Unit { medicine, unit }.into())
}

/// O-01: what an order must have.
fn complete(content: &Content) -> Result<(), Refusal> {
    let needed = |missing: bool, what: &'static str| {
        if missing { Err(OrderRefusal::Incomplete(what)) } else { Ok(()) }
    };
    let blank = |text: &Option<String>| text.as_deref().is_none_or(|t| t.trim().is_empty());
    needed(content.medicine.name.trim().is_empty(), "medicine")?;
    needed(content.route.trim().is_empty(), "route")?;
    needed(content.dose.unit().as_str().is_empty(), "unit")?;
    if content.medicine.cd == CdCategory::Unknown {
        return Err(OrderRefusal::Category.into());
    }
    if content.medicine.dmd.is_some() {
        needed(blank(&content.medicine.form), "form")?;
    }
    needed(
        content.prn().is_some() && blank(&content.indication),
        "indication, since it is given when required",
    )?;
    Ok(())
}

/// The dose and the schedule must be possible (S-02, S-05, P-01).
fn possible(content: &Content, settings: &Settings) -> Result<(), Refusal> {
    match &content.dose {
        Dose::Fixed(amount) if amount.value.is_zero() => {
            return Err(OrderRefusal::Dose("it is zero").into());
        }
        Dose::Range { from, to, .. } if from >= to || from.is_zero() => {
            return Err(
                OrderRefusal::Dose("the range must go from a smaller to a larger amount").into()
            );
        }
        Dose::Fixed(_) | Dose::Range { .. } => {}
    }
    fits_its_form(content)?;
    if content.stop.is_some_and(|stop| stop <= content.start) {
        return Err(OrderRefusal::Schedule("it ends before it starts".to_owned()).into());
    }
    let none = |empty: bool| {
        if empty { Err(OrderRefusal::Schedule("no time is named".to_owned())) } else { Ok(()) }
    };
    match &content.schedule {
        Schedule::Times { times, .. } => none(times.is_empty())?,
        Schedule::EveryDays { n, times, .. } | Schedule::EveryWeeks { n, times, .. } => {
            none(times.is_empty() || *n == 0)?
        }
        Schedule::EveryHours { n, .. } => none(*n == 0)?,
        Schedule::Rounds { rounds, .. } => {
            none(rounds.is_empty())?;
            if let Some(unknown) = rounds.iter().find(|id| settings.round(id).is_none()) {
                return Err(
                    OrderRefusal::Schedule(format!("this home has no round `{unknown}`")).into()
                );
            }
        }
        Schedule::Once { .. } => {}
        Schedule::WhenRequired(prn) => stated(content, prn)?,
    }
    if content.medicine.weekly_only() && !weekly_enough(&content.schedule) {
        return Err(OrderRefusal::WeeklyOnly(content.medicine.name.clone()).into());
    }
    Ok(())
}

/// Limits are stated, or it is stated that they are not (P-01, W-06); the most is in the dose's unit.
fn stated(content: &Content, prn: &crate::order::Prn) -> Result<(), Refusal> {
    use crate::order::Stated;
    match &prn.min_interval {
        Stated::As(interval) if interval.0 == 0 => {
            return Err(OrderRefusal::Limits("shortest interval").into());
        }
        Stated::NotStated { asked } if asked.trim().is_empty() => {
            return Err(OrderRefusal::Limits("shortest interval").into());
        }
        Stated::As(_) | Stated::NotStated { .. } => {}
    }
    match &prn.max_24h {
        Stated::As(most)
            if most.unit != *content.dose.unit() || most.value < content.dose.least().value =>
        {
            Err(OrderRefusal::Limits(
                "most in 24 hours, in the unit of the dose and not below one dose",
            )
            .into())
        }
        Stated::NotStated { asked } if asked.trim().is_empty() => {
            Err(OrderRefusal::Limits("most in 24 hours").into())
        }
        Stated::As(_) | Stated::NotStated { .. } => Ok(()),
    }
}

fn weekly_enough(schedule: &Schedule) -> bool {
    matches!(schedule, Schedule::Once { .. }) || rules::is_weekly(schedule)
}

/// An allergy match is decided once, at the order (O-09, W-08).
fn no_allergy(resident: &ResidentPicture, content: &Content) -> Result<(), Refusal> {
    let Allergies::Recorded(list) = resident.allergies() else {
        return Ok(());
    };
    let name = content.medicine.name.to_lowercase();
    let ingredients: Vec<String> =
        content.medicine.ingredients.iter().map(|i| i.name.to_lowercase()).collect();
    for allergy in list {
        let substance = allergy.substance.trim().to_lowercase();
        let matches = !substance.is_empty()
            && (name.contains(&substance)
                || ingredients.iter().any(|i| i.contains(&substance) || substance.contains(i)));
        if matches || rules::same_class(&substance, &name, &ingredients) {
            return Err(OrderRefusal::Allergy {
                medicine: content.medicine.name.clone(),
                substance: allergy.substance.clone(),
            }
            .into());
        }
    }
    Ok(())
}

/// A regular order's own limits are checked when it is activated, on its nominal times (W-01): its
/// own gap, and paracetamol over all regular orders, in every 24 hours of the next week. `proposed`
/// are the orders that are activated together; the ones that may not be are returned, with why.
/// Nominal means that no clock change shortens a day:
/// an order that is right in the summer is right in the week before the clocks go forward.
pub(super) fn own_limits(
    resident: &ResidentPicture,
    proposed: &[(OrderId, Content)],
    settings: &Settings,
    now: Timestamp,
) -> Vec<(OrderId, Refusal)> {
    let mut refused = Vec::new();
    let nominal = Settings { zone: Tz::UTC, ..settings.clone() };
    let on = |_| &nominal;
    let slots = |order: OrderId, content: &Content, (from, to)| {
        let id = VersionId([0; 16]);
        let version = Version {
            order,
            id,
            content: content.clone(),
            same_meaning: None,
            allergy_decided: None,
            intended: None,
        };
        schedule::slots(&version, &on, from, to)
    };
    for (order, content) in proposed {
        let from = content.start.max(now);
        let span = (from.minus(DAY), from.plus(Minutes(8 * 24 * 60)));
        let own = slots(*order, content, (from, span.1));
        if let Err(why) = times_apart(content, &own) {
            refused.push((*order, why));
            continue;
        }
        let mut doses = paracetamol(content, &own);
        if doses.is_empty() {
            continue;
        }
        for (other, content) in proposed.iter().filter(|(other, _)| other != order) {
            doses.extend(paracetamol(content, &slots(*other, content, span)));
        }
        let standing =
            resident.orders.iter().filter(|(id, _)| proposed.iter().all(|(p, _)| p != *id));
        for view in standing.flat_map(|(_, history)| history.versions()) {
            let slots = slots_of(std::slice::from_ref(&view), &on, span);
            doses.extend(paracetamol(&view.version.content, &slots));
        }
        if let Err(why) = within_a_day(&doses) {
            refused.push((*order, why));
        }
    }
    refused
}

/// The first of what stands against an order that is activated by itself.
fn limits_hold(refused: Vec<(OrderId, Refusal)>) -> Result<(), Refusal> {
    refused.into_iter().next().map_or(Ok(()), |(_, why)| Err(why))
}

fn within_a_day(doses: &[(Timestamp, Quantity)]) -> Result<(), Refusal> {
    let most = Quantity::whole(rules::PARACETAMOL_MG_24H);
    for (end, _) in doses {
        let sum = doses
            .iter()
            .filter(|(t, _)| *t > end.minus(DAY) && t <= end)
            .fold(Quantity::ZERO, |sum, (_, mg)| sum.plus(*mg));
        if sum > most {
            return Err(OrderRefusal::TooMuch(sum.to_string()).into());
        }
    }
    Ok(())
}

/// Times that are closer than the order's own gap could never both be given.
fn times_apart(content: &Content, slots: &[Slot]) -> Result<(), Refusal> {
    let Some(gap) = rules::min_gap(content) else {
        return Ok(());
    };
    let close = slots.iter().zip(slots.iter().skip(1)).any(|(a, b)| b.due < a.due.plus(gap));
    if close {
        let gap = crate::words::length(gap);
        return Err(OrderRefusal::Schedule(format!(
            "its times are closer together than {gap}, the shortest gap between two doses"
        ))
        .into());
    }
    Ok(())
}

fn paracetamol(content: &Content, slots: &[Slot]) -> Vec<(Timestamp, Quantity)> {
    rules::ingredient_mg(content, "paracetamol", &content.dose.most())
        .map(|mg| slots.iter().map(|s| (s.due, mg)).collect())
        .unwrap_or_default()
}
