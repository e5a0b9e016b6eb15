//! Giving on the home of these tests: what the screens and the command line would ask.

use crate::home::{Home, at};
use mar::alerts::{Alert, alerts};
use mar::command::{Ask, AskDose, AskOrder, Told};
use mar::due::{Due, due};
use mar::fact::PrnNote;
use mar::ids::{OrderId, ResidentId};
use mar::outcome::Outcome;
use mar::picture::Recorded;
use mar::refusal::Refusal;
use mar::schedule::SlotId;
use mar::time::{Minutes, Timestamp};
use std::sync::Arc;

pub(crate) type Answer = Result<Vec<Arc<Recorded>>, Refusal>;

pub(crate) fn given() -> Told {
    Told::of(Outcome::Given)
}

pub(crate) fn because(told: Told, reason: &str) -> Told {
    Told { reason: reason.into(), ..told }
}

pub(crate) fn note() -> PrnNote {
    PrnNote { reason: "headache".into(), score: None, asked: true, tried_first: String::new() }
}

/// The number of the rule that refused; `None` when nothing did.
pub(crate) fn rule<T>(answer: &Result<T, Refusal>) -> Option<&'static str> {
    answer.as_ref().err().map(Refusal::rule)
}

/// Everything due in a span on a device, with its state at the home's time.
pub(crate) fn due_between(
    home: &Home,
    device: usize,
    resident: ResidentId,
    (from, to): (&str, &str),
) -> Vec<(SlotId, mar::due::DueState)> {
    let picture = home.picture(device);
    let found = due(&picture.home, home.resident(device, resident), (at(from), at(to)), home.now);
    found.into_iter().map(|d| (d.slot.id, d.state)).collect()
}

/// The order's dose that is due at a civil time.
#[track_caller]
pub(crate) fn slot(
    home: &Home,
    device: usize,
    (resident, order): (ResidentId, OrderId),
    when: &str,
) -> SlotId {
    with_due(home, device, (resident, order), when, |d| d.slot.id.clone())
}

/// What is known of the order's dose that is due at a civil time.
#[track_caller]
pub(crate) fn with_due<T>(
    home: &Home,
    device: usize,
    (resident, order): (ResidentId, OrderId),
    when: &str,
    tell: impl FnOnce(&Due<'_>) -> T,
) -> T {
    let when = at(when);
    let picture = home.picture(device);
    let span = (when, Timestamp(when.0 + 1));
    let found = due(&picture.home, home.resident(device, resident), span, home.now);
    let found = found.iter().find(|d| d.slot.order == order).expect("a dose that is due then");
    tell(found)
}

/// Records what became of the dose that is due at `when`.
#[track_caller]
pub(crate) fn record(
    home: &mut Home,
    (device, by): (usize, &str),
    whose: (ResidentId, OrderId),
    when: &str,
    told: Told,
) -> Answer {
    let slot = slot(home, device, whose, when);
    let ask = AskDose::Record { slot, told };
    home.ask(device, by, Ask::Dose(whose.0, ask))
}

/// Gives a when-required dose now.
pub(crate) fn give_prn(
    home: &mut Home,
    (device, by): (usize, &str),
    (resident, order): (ResidentId, OrderId),
    told: Told,
) -> Answer {
    let ask = AskDose::Prn { order, told, note: note() };
    home.ask(device, by, Ask::Dose(resident, ask))
}

pub(crate) fn stop(
    home: &mut Home,
    device: usize,
    (resident, order): (ResidentId, OrderId),
    when: Timestamp,
) -> Answer {
    let ask = AskOrder::Stop {
        order,
        at: when,
        authorised_by: "Dr Bell".into(),
        reason: "side effects".into(),
    };
    home.ask(device, "NU", Ask::Order(resident, ask))
}

pub(crate) fn hold(home: &mut Home, device: usize, whose: (ResidentId, OrderId)) -> Answer {
    hold_as(home, (device, "NU"), whose)
}

pub(crate) fn hold_as(
    home: &mut Home,
    (device, by): (usize, &str),
    (resident, order): (ResidentId, OrderId),
) -> Answer {
    let ask = AskOrder::Hold { order, reason: "Dr Bell: bloods".into(), review: None };
    home.ask(device, by, Ask::Order(resident, ask))
}

pub(crate) fn resume(
    home: &mut Home,
    device: usize,
    (resident, order): (ResidentId, OrderId),
) -> Answer {
    let ask = AskOrder::Resume { order, reason: "Dr Bell: bloods are well".into() };
    home.ask(device, "NU", Ask::Order(resident, ask))
}

/// The words of the causes of all alerts on a device.
pub(crate) fn causes(home: &Home, device: usize) -> Vec<&'static str> {
    all_alerts(home, device).iter().map(|a| a.cause.word()).collect()
}

pub(crate) fn all_alerts(home: &Home, device: usize) -> Vec<Alert> {
    alerts(home.picture(device), home.now)
}

/// Lets time pass.
pub(crate) fn pass(home: &mut Home, minutes: u32) {
    home.now = home.now.plus(Minutes(minutes));
}
