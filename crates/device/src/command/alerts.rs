//! `alerts` and `conflicts`: what somebody has to look at.

mod first_dose;
mod next;
mod typed;
mod unrecorded;
mod words;

use super::page::{moment, wrap};
use super::session::{DAY_LOST, Session};
use super::unheard::{Unheard, unheard};
use super::{Fault, Output};
use mar::alerts::{Alert, Cause, Owner, Tier, alerts};
use mar::clock::ClockLevel;
use mar::fact::AccessKind;
use mar::ids::{AdministrationId, OrderId, ResidentId};
use mar::picture::{FollowUp, ResidentPicture};
use mar::schedule::SlotId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use words::words;

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
        "next": next::commands(next::steps(session, alert)),
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
        | Cause::AfterStop(id)
        | Cause::WhileHeld(id)
        | Cause::WhileAway(id)
        | Cause::EffectDue(id)
        | Cause::CorrectionConflict(id)
        | Cause::AloneReview(id) => vec![id.to_string()],
        Cause::Popped(entry) | Cause::InDoubt(entry) | Cause::TimeTyped(entry) => {
            vec![entry.to_string()]
        }
        // One alert for a resident: it stays the same one while its orders come and go.
        Cause::OrdersWait(_) => Vec::new(),
        Cause::CheckOwed(order)
        | Cause::OrderConflict(order)
        | Cause::CovertPlan(order)
        | Cause::HoldReview(order) => vec![order.to_string()],
        Cause::SameMedicine(a, b) => vec![a.to_string(), b.to_string()],
        Cause::SameNhsNumber(others) => others.iter().map(ToString::to_string).collect(),
        // The same alert while its doses are answered one after the other.
        Cause::UnrecordedBefore(order, _) => vec![order.to_string()],
        Cause::FollowUp(follow_up) => vec![follow_up.to_string()],
        Cause::IdentityConflict
        | Cause::AllergyConflict
        | Cause::WhereaboutsConflict
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
        | Cause::AfterStop(id)
        | Cause::WhileHeld(id)
        | Cause::WhileAway(id)
        | Cause::EffectDue(id)
        | Cause::CorrectionConflict(id)
        | Cause::AloneReview(id) => {
            about["administration"] = json!(id.to_string());
            order(&mut about, of_dose(*id));
        }
        Cause::Popped(entry) | Cause::InDoubt(entry) => about["entry"] = json!(entry.to_string()),
        Cause::TimeTyped(entry) => typed::about(session, *entry, &mut about),
        Cause::CheckOwed(id)
        | Cause::OrderConflict(id)
        | Cause::CovertPlan(id)
        | Cause::HoldReview(id) => order(&mut about, Some(*id)),
        Cause::SameMedicine(a, b) => {
            order(&mut about, Some(*a));
            about["orders"] = json!([a.to_string(), b.to_string()]);
        }
        Cause::UnrecordedBefore(id, slots) => {
            about["slots"] = json!(slots.iter().map(ToString::to_string).collect::<Vec<_>>());
            let from = resident.and_then(|r| unrecorded::from(session, r, *id));
            about["counted_from"] = json!(from.map(|date| date.to_string()));
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
        | Cause::WhereaboutsConflict
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

/// The open incidents that the line of a cause tells, so that each is told once.
fn incidents<'p>(resident: Option<&'p ResidentPicture>, cause: &Cause) -> Vec<FollowUp<'p>> {
    let doses = match cause {
        Cause::DoubleDose(_, doses) => doses.as_slice(),
        Cause::IntervalBreach(id)
        | Cause::TotalBreach(id)
        | Cause::RescueOver(id)
        | Cause::AfterStop(id)
        | Cause::WhileHeld(id)
        | Cause::WhileAway(id) => std::slice::from_ref(id),
        Cause::Unrecorded(_)
        | Cause::UnrecordedBefore(..)
        | Cause::CriticalLate(_)
        | Cause::EffectDue(_)
        | Cause::Popped(_)
        | Cause::CheckOwed(_)
        | Cause::HoldReview(_)
        | Cause::OrdersWait(_)
        | Cause::SameMedicine(..)
        | Cause::OrderConflict(_)
        | Cause::IdentityConflict
        | Cause::AllergyConflict
        | Cause::WhereaboutsConflict
        | Cause::CorrectionConflict(_)
        | Cause::AllergiesNotAsked
        | Cause::InDoubt(_)
        | Cause::AloneReview(_)
        | Cause::CovertPlan(_)
        | Cause::NeedsUpdate
        | Cause::FollowUp(_)
        | Cause::SameNhsNumber(_)
        | Cause::TimeTyped(_)
        | Cause::NextNear(..)
        | Cause::FirstDoses(_) => &[],
    };
    doses.iter().filter_map(|id| resident?.incident_of(*id)).collect()
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
        for line in next::steps(session, alert) {
            out.line(format!("       {line}"));
        }
    }
}
