//! `alerts` and `conflicts`: what somebody has to look at.

mod first_dose;

use super::page::{moment, wrap};
use super::session::{DAY_LOST, Session};
use super::unheard::{Unheard, unheard};
use super::{Fault, Output};
use mar::alerts::{Alert, Cause, Owner, Tier, alerts};
use mar::clock::ClockLevel;
use mar::fact::AccessKind;
use mar::ids::{AdministrationId, OrderId, ResidentId};
use mar::picture::{FollowUp, ResidentPicture};
use mar::rules::{rescue_count, taken};
use mar::schedule::SlotId;
use mar::time::{DAY, Timestamp};
use mar::waiting::{Step, waiting};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Which of them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum AlertsRequest {
    /// All.
    All,
    /// What was done while devices were apart.
    Conflicts,
}

/// Shows what somebody has to look at.
///
/// # Errors
/// None today; the list is always there.
pub fn run(
    session: &Session<'_>,
    request: &AlertsRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let mut found = alerts(&session.picture, session.now);
    if let AlertsRequest::Conflicts = request {
        found.retain(|a| a.cause.is_conflict());
    }
    if out.is_json() {
        let gaps = unheard(session).into_iter().map(|u| not_heard(session, &u));
        let first = clock_in_doubt(session).into_iter();
        let list: Vec<Value> =
            first.chain(found.iter().map(|a| to_json(session, a))).chain(gaps).collect();
        out.document(&Value::Array(list));
    } else {
        tell(session, &found, *request, out);
    }
    let seen: BTreeSet<ResidentId> = found.iter().filter_map(|a| a.resident).collect();
    session.note_access(&seen, AccessKind::Seen);
    Ok(())
}

/// A device that is not heard, in the shape of an alert: what it holds may be missing from the list.
fn not_heard(session: &Session<'_>, unheard: &Unheard) -> Value {
    let device = session.picture.home.devices().get(&unheard.device);
    let enrolled = device.and_then(|d| d.enrolled.values().map(|w| w.wall).min());
    let since = unheard.last_heard.or(enrolled).unwrap_or(session.now);
    json!({
        "id": alert_id("not-heard", None, &[unheard.device.to_string()]),
        "tier": Tier::Amber.word(),
        "cause": "not-heard",
        "about": {
            "resident": null, "device": unheard.device.to_string(), "name": unheard.name,
        },
        "since": since.rfc3339(session.zone()),
        "owner": "shift-lead",
        "state": "open",
        "words": format!(
            "NOT HEARD: {}. What was given there may be missing here.",
            unheard.in_words(session)
        ),
    })
}

/// This device's clock, in the shape of an alert while it is in doubt: the list rests on it, and an
/// empty one has no place for the words (T-07).
fn clock_in_doubt(session: &Session<'_>) -> Option<Value> {
    let words = super::clock::in_words(&session.clock, &session.picture, session.now)?;
    let tier = match session.clock.level() {
        ClockLevel::Red => Tier::Red,
        ClockLevel::Amber | ClockLevel::Right => Tier::Amber,
    };
    let device = session.device().id();
    Some(json!({
        "id": alert_id("clock", None, &[device.to_string()]),
        "tier": tier.word(),
        "cause": "clock",
        "about": {
            "resident": null,
            "device": device.to_string(),
            "name": session.picture.home.device_name(device),
        },
        "since": session.now.rfc3339(session.zone()),
        "owner": "shift-lead",
        "state": "open",
        "words": words,
    }))
}

fn to_json(session: &Session<'_>, alert: &Alert) -> Value {
    let owner = match alert.owner {
        Owner::Staff(id) => id.to_string(),
        Owner::ShiftLead => "shift-lead".to_owned(),
        Owner::Manager => "manager".to_owned(),
    };
    json!({
        "id": id(alert),
        "tier": alert.tier.word(),
        "cause": alert.cause.word(),
        "about": about(session, alert),
        "since": alert.since.rfc3339(session.zone()),
        "owner": owner,
        "state": "open",
        "words": words(session, alert),
    })
}

/// The same cause has the same id on every device: it is made of what it is about.
fn id(alert: &Alert) -> String {
    alert_id(alert.cause.word(), alert.resident, &parts(&alert.cause))
}

fn alert_id(cause: &str, resident: Option<ResidentId>, parts: &[String]) -> String {
    let mut text = blake3::Hasher::new_derive_key("medround alert id 1");
    text.update(cause.as_bytes());
    text.update(resident.map_or([0; 16], |r| r.0).as_slice());
    for part in parts {
        text.update(b"|");
        text.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&text.finalize().as_bytes()[..16]);
    mar::ids::FollowUpId(bytes).to_string()
}

/// What a cause is about, as texts that do not change.
fn parts(cause: &Cause) -> Vec<String> {
    match cause {
        Cause::DoubleDose(slot, _)
        | Cause::Unrecorded(slot)
        | Cause::NextNear(slot, _)
        | Cause::CriticalLate(slot) => vec![slot.to_string()],
        Cause::IntervalBreach(id)
        | Cause::TotalBreach(id)
        | Cause::RescueOver(id)
        | Cause::EffectDue(id)
        | Cause::CorrectionConflict(id)
        | Cause::AloneReview(id) => vec![id.to_string()],
        Cause::Popped(entry) | Cause::InDoubt(entry) => vec![entry.to_string()],
        // One alert for a resident: it stays the same one while its orders come and go.
        Cause::OrdersWait(_) => Vec::new(),
        Cause::CheckOwed(order) | Cause::OrderConflict(order) | Cause::CovertPlan(order) => {
            vec![order.to_string()]
        }
        Cause::SameMedicine(a, b) => vec![a.to_string(), b.to_string()],
        Cause::SameNhsNumber(others) => others.iter().map(ToString::to_string).collect(),
        // The same alert while its doses are answered one after the other.
        Cause::UnrecordedBefore(order, _) => vec![order.to_string()],
        Cause::FollowUp(follow_up) => vec![follow_up.to_string()],
        Cause::IdentityConflict
        | Cause::AllergyConflict
        | Cause::AllergiesNotAsked
        | Cause::FirstDoses(_)
        | Cause::NeedsUpdate => Vec::new(),
    }
}

fn about(session: &Session<'_>, alert: &Alert) -> Value {
    let mut about = json!({ "resident": alert.resident.map(|r| r.to_string()) });
    let resident = alert.resident.and_then(|id| session.picture.resident(id));
    let order = |about: &mut Value, id: Option<OrderId>| {
        if let Some(id) = id {
            about["order"] = json!(id.to_string());
        }
    };
    let of_dose = |id: AdministrationId| {
        resident.and_then(|r| r.administration(id)?.record().map(|(_, o)| o.order))
    };
    let of_slot = |slot: &SlotId| resident.and_then(|r| order_of_slot(r, slot));
    match &alert.cause {
        Cause::DoubleDose(slot, doses) => {
            about["slot"] = json!(slot.to_string());
            about["administrations"] =
                json!(doses.iter().map(ToString::to_string).collect::<Vec<_>>());
            order(&mut about, of_slot(slot));
        }
        Cause::Unrecorded(slot) | Cause::CriticalLate(slot) | Cause::NextNear(slot, _) => {
            about["slot"] = json!(slot.to_string());
            order(&mut about, of_slot(slot));
        }
        Cause::IntervalBreach(id)
        | Cause::TotalBreach(id)
        | Cause::RescueOver(id)
        | Cause::EffectDue(id)
        | Cause::CorrectionConflict(id)
        | Cause::AloneReview(id) => {
            about["administration"] = json!(id.to_string());
            order(&mut about, of_dose(*id));
        }
        Cause::Popped(entry) | Cause::InDoubt(entry) => about["entry"] = json!(entry.to_string()),
        Cause::CheckOwed(id) | Cause::OrderConflict(id) | Cause::CovertPlan(id) => {
            order(&mut about, Some(*id))
        }
        Cause::SameMedicine(a, b) => {
            order(&mut about, Some(*a));
            about["orders"] = json!([a.to_string(), b.to_string()]);
        }
        Cause::UnrecordedBefore(id, slots) => {
            about["slots"] = json!(slots.iter().map(ToString::to_string).collect::<Vec<_>>());
            order(&mut about, Some(*id));
        }
        Cause::OrdersWait(orders) => {
            about["orders"] = json!(orders.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        Cause::SameNhsNumber(others) => {
            about["residents"] = json!(others.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        Cause::FollowUp(follow_up) => about["follow_up"] = json!(follow_up.to_string()),
        Cause::FirstDoses(slots) => {
            about["slots"] = json!(slots.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        Cause::IdentityConflict
        | Cause::AllergyConflict
        | Cause::AllergiesNotAsked
        | Cause::NeedsUpdate => {}
    }
    if let [incident, ..] = incidents(resident.map(AsRef::as_ref), &alert.cause).as_slice() {
        about["follow_up"] = json!(incident.id.to_string());
    }
    about
}

fn order_of_slot(resident: &ResidentPicture, slot: &SlotId) -> Option<OrderId> {
    resident.orders.values().find(|h| h.version(slot.version).is_some()).map(|h| h.id)
}

/// Returns what a person reads of an alert.
fn words(session: &Session<'_>, alert: &Alert) -> String {
    let who = alert
        .resident
        .map_or_else(|| session.settings().name, |id| super::resident::name(session, id));
    let resident = alert.resident.and_then(|id| session.picture.resident(id));
    let medicine = |order: Option<OrderId>| {
        let history = resident.zip(order).and_then(|(r, o)| r.orders.get(&o));
        let version = history.and_then(|h| h.best_version(session.now));
        version.map_or_else(|| "a medicine".to_owned(), |v| v.content.medicine.name.clone())
    };
    let dose = |id: AdministrationId| {
        let found = resident.and_then(|r| r.administration(id));
        let order = found.and_then(|a| a.record().map(|(_, o)| o.order));
        let at = found.and_then(|a| a.effective()).map(|r| moment(r.given_at, session.zone()));
        format!("{}, {}", medicine(order), at.unwrap_or_else(|| "struck out".to_owned()))
    };
    let slot = |slot: &SlotId| {
        let order = resident.and_then(|r| order_of_slot(r, slot));
        let due = resident.map(|r| super::due::slot_in_words(session, r, slot)).unwrap_or_default();
        format!("{}, {due}", medicine(order))
    };
    let what = match &alert.cause {
        Cause::DoubleDose(id, doses) => {
            format!("POSSIBLE DOUBLE DOSE: {} was given {} times", slot(id), doses.len())
        }
        Cause::IntervalBreach(id) => format!("given TOO SOON after another dose: {}", dose(*id)),
        Cause::TotalBreach(id) => {
            format!("MORE THAN THE MOST at once or in 24 hours: {}", dose(*id))
        }
        Cause::RescueOver(id) => rescue_over(session, resident, *id, &dose(*id)),
        Cause::Unrecorded(id) => {
            let due = slot(id);
            format!("nobody recorded {due}: ask, then record or close it: medroundctl record {id}")
        }
        Cause::UnrecordedBefore(order, slots) => {
            older_unrecorded(alert, &medicine(Some(*order)), slots)
        }
        Cause::CriticalLate(id) => format!("time-critical and late: {}", slot(id)),
        Cause::EffectDue(id) => format!("look for the effect of {}", dose(*id)),
        Cause::Popped(_) => "a medicine stands in the pot without an outcome".to_owned(),
        Cause::CheckOwed(id) => format!("the second check is owed: {}", medicine(Some(*id))),
        Cause::OrdersWait(orders) => orders_wait(session, resident, orders),
        Cause::SameMedicine(a, b) => {
            same_medicine((medicine(Some(*a)), *a), (medicine(Some(*b)), *b))
        }
        Cause::OrderConflict(id) => {
            format!("two versions were written apart: {}: reject one", medicine(Some(*id)))
        }
        Cause::IdentityConflict => "name or details were written apart: look at both".to_owned(),
        Cause::SameNhsNumber(others) => same_number(session, others),
        Cause::AllergyConflict => {
            "allergies were written apart and are shown together: look at both".to_owned()
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
        Cause::FollowUp(id) => {
            let found = resident.and_then(|r| r.follow_ups().into_iter().find(|f| f.id == *id));
            found.map_or_else(|| "a follow-up".to_owned(), |f| f.what.to_owned())
        }
    };
    let incidents = incidents(resident.map(AsRef::as_ref), &alert.cause);
    let opened: String = incidents.iter().map(|f| format!(". {}", f.what)).collect();
    format!("{who}: {what}{opened}")
}

/// What one person alone did to a dose (C-03, D-13).
fn alone(resident: Option<&ResidentPicture>, id: AdministrationId, dose: &str) -> String {
    let now = resident.and_then(|r| r.administration(id)?.effective());
    let done = if now.is_some_and(|r| r.outcome.is_taken()) { "given" } else { "taken back" };
    format!("{done} by one person alone: {dose}")
}

/// A dose was given covertly and nothing in the record allows it (W-04).
fn no_covert_plan(medicine: &str) -> String {
    format!(
        "{medicine} was given covertly, and this record holds no plan for it: look at the plan on \
         paper, or have it given openly"
    )
}

/// The open incidents that the line of a cause tells, so that each is told once.
fn incidents<'p>(resident: Option<&'p ResidentPicture>, cause: &Cause) -> Vec<FollowUp<'p>> {
    let doses = match cause {
        Cause::DoubleDose(_, doses) => doses.as_slice(),
        Cause::IntervalBreach(id) | Cause::TotalBreach(id) | Cause::RescueOver(id) => {
            std::slice::from_ref(id)
        }
        Cause::Unrecorded(_)
        | Cause::UnrecordedBefore(..)
        | Cause::CriticalLate(_)
        | Cause::EffectDue(_)
        | Cause::Popped(_)
        | Cause::CheckOwed(_)
        | Cause::OrdersWait(_)
        | Cause::SameMedicine(..)
        | Cause::OrderConflict(_)
        | Cause::IdentityConflict
        | Cause::AllergyConflict
        | Cause::CorrectionConflict(_)
        | Cause::AllergiesNotAsked
        | Cause::InDoubt(_)
        | Cause::AloneReview(_)
        | Cause::CovertPlan(_)
        | Cause::NeedsUpdate
        | Cause::FollowUp(_)
        | Cause::SameNhsNumber(_)
        | Cause::NextNear(..)
        | Cause::FirstDoses(_) => &[],
    };
    doses.iter().filter_map(|id| resident?.incident_of(*id)).collect()
}

/// Told where an entry is of a newer program (Y-11).
const NEEDS_UPDATE: &str = "update this device: a newer one has written what it cannot read";

/// One NHS number for several residents, and what to do.
fn same_number(session: &Session<'_>, others: &[mar::ids::ResidentId]) -> String {
    let names: Vec<String> = others.iter().map(|id| super::resident::name(session, *id)).collect();
    format!(
        "has the same NHS number as {}: look whether they are one person, and correct the wrong \
         number: medroundctl resident change",
        mar::words::list(&names)
    )
}

/// The same medicine in force twice, and what to do (O-08).
fn same_medicine((one, a): (String, OrderId), (other, b): (String, OrderId)) -> String {
    format!(
        "THE SAME MEDICINE STANDS TWICE: {one} ({a}) and {other} ({b}): ask the prescriber and \
         stop one, or say that both are meant: medroundctl order change {b} --from FILE --intended \
         TEXT"
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

/// Older doses of one order that nobody recorded, with the command that lists their slots.
fn older_unrecorded(alert: &Alert, medicine: &str, slots: &[SlotId]) -> String {
    let doses = super::page::count(slots.len(), "older dose");
    let (first, last) = (slots.first().map(|s| s.date), slots.last().map(|s| s.date));
    let (Some(first), Some(last)) = (first, last) else { return String::new() };
    let resident = alert.resident.map(|id| id.to_string()).unwrap_or_default();
    let to = last.succ_opt().unwrap_or(last);
    let dates = if first == last {
        super::page::day(first)
    } else {
        format!("{} to {}", super::page::day(first), super::page::day(last))
    };
    format!(
        "nobody recorded {doses} of {medicine}, {dates}: ask, then record or close each: \
         medroundctl due --resident {resident} --from {first} --to {to}"
    )
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
    format!("{wait}, not to be given: {}: medroundctl order list", mar::words::list(&parts))
}

fn tell(session: &Session<'_>, found: &[Alert], request: AlertsRequest, out: &mut Output<'_>) {
    if let Some(line) = super::unheard::line(session) {
        out.line(line);
    }
    let is_lost = session.clock.day_is_lost() && matches!(request, AlertsRequest::All);
    if is_lost {
        out.line(format!("More may wait: {DAY_LOST}."));
    }
    if found.is_empty() {
        if is_lost {
            return;
        }
        out.line(match request {
            AlertsRequest::All => "Nothing waits for anybody.",
            AlertsRequest::Conflicts => "Nothing was done apart that does not fit together.",
        });
        return;
    }
    for alert in found {
        let tier = match alert.tier {
            Tier::Red => "RED  ",
            Tier::Amber => "amber",
            Tier::Grey => "grey ",
        };
        let owner = match alert.owner {
            Owner::Staff(id) => session.initials(Some(id)),
            Owner::ShiftLead => "shift lead".to_owned(),
            Owner::Manager => "manager".to_owned(),
        };
        let since = moment(alert.since, session.zone());
        let text = format!("{} [since {since}, {owner}]", words(session, alert));
        for (at, line) in wrap(&text, super::page::WIDTH - 7).into_iter().enumerate() {
            out.line(if at == 0 { format!("{tier}  {line}") } else { format!("       {line}") });
        }
        // A command stands on a line of its own: it is copied whole.
        for line in first_dose::steps(session, alert) {
            out.line(format!("       {line}"));
        }
    }
}
