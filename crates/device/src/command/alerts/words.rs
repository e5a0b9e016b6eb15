//! What a person reads of an alert: what it is, of whom, and what to do.

use super::{first_dose, incidents, order_of_slot, unrecorded};
use crate::command::page::moment;
use crate::command::session::Session;
use crate::command::{due, resident};
use mar::alerts::{Alert, Cause};
use mar::ids::{AdministrationId, OrderId};
use mar::picture::ResidentPicture;
use mar::rules::{rescue_count, taken};
use mar::schedule::SlotId;
use mar::time::{DAY, Timestamp};
use mar::waiting::{Step, waiting};

/// What an alert speaks of, by name.
struct About<'s> {
    session: &'s Session<'s>,
    resident: Option<&'s ResidentPicture>,
}

impl About<'_> {
    fn medicine(&self, order: Option<OrderId>) -> String {
        let history = self.resident.zip(order).and_then(|(r, o)| r.orders.get(&o));
        let version = history.and_then(|h| h.best_version(self.session.now));
        version.map_or_else(|| "a medicine".to_owned(), |v| v.content.medicine.name.clone())
    }

    fn dose(&self, id: AdministrationId) -> String {
        let found = self.resident.and_then(|r| r.administration(id));
        let order = found.and_then(|a| a.record().map(|(_, o)| o.order));
        let at = found.and_then(|a| a.effective()).map(|r| moment(r.given_at, self.session.zone()));
        format!("{}, {}", self.medicine(order), at.unwrap_or_else(|| "struck out".to_owned()))
    }

    fn slot(&self, slot: &SlotId) -> String {
        let order = self.resident.and_then(|r| order_of_slot(r, slot));
        let due = self.resident.map(|r| due::slot_in_words(self.session, r, slot));
        format!("{}, {}", self.medicine(order), due.unwrap_or_default())
    }
}

/// Returns what a person reads of an alert.
pub(super) fn words(session: &Session<'_>, alert: &Alert) -> String {
    let who =
        alert.resident.map_or_else(|| session.settings().name, |id| resident::name(session, id));
    let resident = alert.resident.and_then(|id| session.picture.resident(id));
    let about = About { session, resident: resident.map(AsRef::as_ref) };
    let medicine = |order| about.medicine(order);
    let dose = |id| about.dose(id);
    let slot = |slot: &SlotId| about.slot(slot);
    let what = match &alert.cause {
        Cause::DoubleDose(id, doses) => {
            format!("POSSIBLE DOUBLE DOSE: {} was given {} times", slot(id), doses.len())
        }
        Cause::IntervalBreach(id) => format!("given TOO SOON after another dose: {}", dose(*id)),
        Cause::TotalBreach(id) => {
            format!("MORE THAN THE MOST at once or in 24 hours: {}", dose(*id))
        }
        Cause::RescueOver(id) => rescue_over(session, resident, *id, &dose(*id)),
        Cause::AfterStop(id) => after_stop(session, resident, *id, &dose(*id)),
        Cause::WhileHeld(id) => while_held(session, resident, *id, &dose(*id)),
        Cause::WhileAway(id) => while_away(resident.map(AsRef::as_ref), *id, &dose(*id)),
        Cause::Unrecorded(id) => unrecorded::words(&slot(id)),
        Cause::UnrecordedBefore(order, slots) => {
            let from = resident.and_then(|r| unrecorded::from(session, r, *order));
            unrecorded::older(&medicine(Some(*order)), slots, from)
        }
        Cause::CriticalLate(id) => format!("time-critical and late: {}", slot(id)),
        Cause::EffectDue(id) => {
            format!("look for the effect of {}: good, partly, none or asleep", dose(*id))
        }
        Cause::Popped(_) => "a medicine stands in the pot without an outcome".to_owned(),
        Cause::CheckOwed(id) => format!("the second check is owed: {}", medicine(Some(*id))),
        Cause::HoldReview(id) => {
            hold_review(resident.map(AsRef::as_ref), *id, &medicine(Some(*id)))
        }
        Cause::OrdersWait(orders) => orders_wait(session, resident, orders),
        Cause::SameMedicine(a, b) => {
            same_medicine((medicine(Some(*a)), *a), (medicine(Some(*b)), *b))
        }
        Cause::OrderConflict(id) => {
            format!("two versions were written apart: {}: reject one of them", medicine(Some(*id)))
        }
        Cause::IdentityConflict => "name or details were written apart: look at both".to_owned(),
        Cause::SameNhsNumber(others) => same_number(session, others),
        Cause::AllergyConflict => {
            "allergies were written apart and are shown together: look at both".to_owned()
        }
        Cause::WhereaboutsConflict => {
            resident.and_then(|r| resident::apart_in_words(session, r)).unwrap_or_default()
        }
        Cause::CorrectionConflict(id) => format!("corrected apart: {}", dose(*id)),
        Cause::AllergiesNotAsked => "ALLERGIES NOT RECORDED: ask".to_owned(),
        Cause::InDoubt(_) => "an entry does not count, or needs a manager's look".to_owned(),
        Cause::AloneReview(id) => alone(resident.map(AsRef::as_ref), *id, &dose(*id)),
        Cause::CovertPlan(id) => no_covert_plan(&medicine(Some(*id))),
        Cause::NeedsUpdate => NEEDS_UPDATE.to_owned(),
        Cause::FirstDoses(slots) => first_dose::words(&slots.iter().map(slot).collect::<Vec<_>>()),
        Cause::NextNear(id, last) => {
            first_dose::too_near(&slot(id), &moment(*last, session.zone()))
        }
        Cause::TimeTyped(entry) => super::typed::words(session, *entry),
        Cause::FollowUp(id) => {
            let found = resident.and_then(|r| r.follow_ups().into_iter().find(|f| f.id == *id));
            found.map_or_else(|| "a follow-up".to_owned(), |f| f.what.to_owned())
        }
    };
    let incidents = incidents(resident.map(AsRef::as_ref), &alert.cause);
    let opened: String = incidents.iter().map(|f| format!(". {}", f.what)).collect();
    format!("{who}: {what}{opened}")
}

/// A hold whose time to be looked at again has come, with why it is held (O-12).
fn hold_review(resident: Option<&ResidentPicture>, order: OrderId, medicine: &str) -> String {
    let why = resident.and_then(|r| r.orders.get(&order)?.hold()).map(|(_, why)| why);
    format!(
        "{medicine} is held ({}) and was to be looked at again by now: ask the prescriber, then \
         have it given again, held on or stopped",
        why.unwrap_or("no reason told")
    )
}

/// What one person alone did to a dose (C-03, D-13).
fn alone(resident: Option<&ResidentPicture>, id: AdministrationId, dose: &str) -> String {
    let now = resident.and_then(|r| r.administration(id)?.effective());
    let done = if now.is_some_and(|r| r.outcome.is_taken()) { "given" } else { "taken back" };
    format!("{done} by one person alone: {dose}")
}

/// A dose that was given when its order was stopped, with the stop.
fn after_stop(
    session: &Session<'_>,
    resident: Option<&std::sync::Arc<ResidentPicture>>,
    id: AdministrationId,
    dose: &str,
) -> String {
    let stop = resident.and_then(|r| {
        let (_, record) = r.administration(id)?.record()?;
        let (at, _, authorised_by, _) = r.orders.get(&record.order)?.stop()?;
        Some(format!("; stopped {} by {authorised_by}", moment(at, session.zone())))
    });
    format!(
        "GIVEN AFTER THE STOP: {dose}{}: ask the prescriber or pharmacist what to do",
        stop.unwrap_or_default()
    )
}

/// A dose that was given while its order was held, with the hold that was in force then (O-12).
fn while_held(
    session: &Session<'_>,
    resident: Option<&std::sync::Arc<ResidentPicture>>,
    id: AdministrationId,
    dose: &str,
) -> String {
    let since = resident.and_then(|r| {
        let given = r.administration(id)?;
        let at = given.effective()?.given_at;
        let held = r.orders.get(&given.record()?.1.order)?.held_spans();
        let (from, _) = held.into_iter().rfind(|(from, _)| *from <= at)?;
        Some(format!("; held since {}", moment(from, session.zone())))
    });
    format!(
        "GIVEN WHILE THE ORDER WAS HELD: {dose}{}: ask the prescriber or pharmacist what to do",
        since.unwrap_or_default()
    )
}

/// A dose that was given here while the resident was recorded as out of the home.
fn while_away(resident: Option<&ResidentPicture>, id: AdministrationId, dose: &str) -> String {
    let recorded = resident.and_then(|r| {
        let at = r.administration(id)?.effective()?.given_at;
        Some(resident::whereabouts_in_words(r.whereabouts(at)))
    });
    format!(
        "given here while recorded as {}: {dose}: ask who had it, and correct the dose or where the \
         resident was",
        recorded.unwrap_or("away")
    )
}

/// A dose was given covertly and nothing in the record allows it (W-04).
fn no_covert_plan(medicine: &str) -> String {
    format!(
        "{medicine} was given covertly, and this record holds no plan for it: look at the plan on \
         paper, or have it given openly"
    )
}

/// Told where an entry is of a newer program (Y-11).
const NEEDS_UPDATE: &str = "update this device: a newer one has written what it cannot read";

/// One NHS number for several residents, and what to do.
fn same_number(session: &Session<'_>, others: &[mar::ids::ResidentId]) -> String {
    let names: Vec<String> = others.iter().map(|id| resident::name(session, *id)).collect();
    format!(
        "has the same NHS number as {}: look whether they are one person, and correct the wrong \
         number",
        mar::words::list(&names)
    )
}

/// The same medicine in force twice, and what to do (O-08).
fn same_medicine((one, a): (String, OrderId), (other, b): (String, OrderId)) -> String {
    format!(
        "THE SAME MEDICINE STANDS TWICE: {one} ({a}) and {other} ({b}): ask the prescriber and \
         stop one, or say that both are meant"
    )
}

/// How much of a rescue medicine was given in the 24 hours up to this dose.
fn rescue_over(
    session: &Session<'_>,
    resident: Option<&std::sync::Arc<ResidentPicture>>,
    id: AdministrationId,
    dose: &str,
) -> String {
    let count = resident.and_then(|r| {
        let taken = taken(&session.picture.home, r, Timestamp(i64::MIN));
        let of = taken.iter().find(|t| t.administration == id)?;
        Some(
            rescue_count(
                (of.order, of.content),
                of.content.prn()?,
                &taken,
                (of.at.minus(DAY), of.at),
            )
            .in_words(),
        )
    });
    let count = count.map(|words| format!(": {words}")).unwrap_or_default();
    format!("MORE RESCUE MEDICINE THAN ITS MOST: {dose}{count}")
}

/// How many orders wait for which step.
fn orders_wait(
    session: &Session<'_>,
    resident: Option<&std::sync::Arc<ResidentPicture>>,
    orders: &[OrderId],
) -> String {
    let found = resident.map(|r| waiting(r, session.now)).unwrap_or_default();
    let of = |step: Step| found.iter().filter(|w| w.step == step).count();
    let part = |n: usize, what: &str| (n > 0).then(|| format!("{n} to {what}"));
    let parts: Vec<String> =
        [part(of(Step::Confirm), "confirm"), part(of(Step::SecondCheck), "check")]
            .into_iter()
            .flatten()
            .collect();
    let wait =
        if orders.len() == 1 { "1 order waits" } else { &format!("{} orders wait", orders.len()) };
    format!("{wait}, not to be given: {}", mar::words::list(&parts))
}
