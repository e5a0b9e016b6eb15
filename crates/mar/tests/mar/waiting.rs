//! Orders that wait for a person stand wherever the resident's medicines stand (O-02, Y-01).

use crate::giving::{all_alerts, record, resume, rule, slot, stop};
use crate::home::{Home, at};
use crate::orders_of::{daily, named, plain};
use mar::alerts::{Cause, Tier};
use mar::command::{Ask, AskOrder};
use mar::fact::DeviceRole;
use mar::ids::{OrderId, ResidentId};
use mar::medicine::Medicine;
use mar::order::{Grade, Proposal, SameMeaning};
use mar::round::{round_at, stops};
use mar::waiting::{Step, waiting};

fn home() -> (Home, ResidentId) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    (home, resident)
}

fn proposal(words: &str) -> Proposal {
    Proposal {
        medicine: Medicine::uncoded("Ramipril 5mg tablets"),
        words: vec![words.into()],
        grade: Grade::Partial,
        remarks: vec![],
        dose: None,
        schedule: None,
        route: None,
        start: None,
        last_issued: None,
        external: vec![],
    }
}

fn propose(home: &mut Home, resident: ResidentId, order: OrderId, words: &str) {
    let ask = AskOrder::Propose { order, proposal: proposal(words) };
    home.ask(0, "NU", Ask::Order(resident, ask)).expect("kept");
}

fn confirm(home: &mut Home, resident: ResidentId, order: OrderId) {
    let ask = AskOrder::Write {
        order,
        content: plain(daily(&["08:00"])),
        same_meaning: Some(SameMeaning::Same),
        allergy_decided: None,
        intended: Some("both are meant".into()),
        label_read: None,
    };
    home.ask(0, "NU", Ask::Order(resident, ask)).expect("confirmed");
}

/// What waits on a device: the step, since when, and whether an earlier version goes on.
fn steps(home: &Home, device: usize, resident: ResidentId) -> Vec<(Step, String, bool)> {
    let found = waiting(home.resident(device, resident), home.now);
    let told = |w: &mar::waiting::Waiting<'_>| {
        (w.step, w.since.rfc3339(crate::home::ZONE)[..16].to_owned(), w.meanwhile)
    };
    found.iter().map(told).collect()
}

fn wait_alerts(home: &Home) -> Vec<Vec<OrderId>> {
    let of = |cause| if let Cause::OrdersWait(orders) = cause { Some(orders) } else { None };
    all_alerts(home, 0).into_iter().filter_map(|a| of(a.cause)).collect()
}

/// Whether the resident is on the round, the chart and the alerts as somebody with orders that wait.
fn shown(home: &Home, resident: ResidentId) -> (usize, usize, usize) {
    let picture = home.picture(0);
    let span = round_at(&picture.home, home.now).expect("a round");
    let on_round = stops(picture, &span, None, home.now);
    let day = home.now.civil(crate::home::ZONE).date();
    let chart = mar::chart::chart(picture, resident, (day, day), home.now).expect("a chart");
    let stop = on_round.iter().find(|s| s.resident.id == resident);
    let alerts = wait_alerts(home).iter().map(Vec::len).sum();
    (stop.map_or(0, |s| s.waiting.len()), chart.waiting.len(), alerts)
}

#[test]
fn a_proposal_is_shown_everywhere_until_two_people_have_seen_it() {
    let (mut home, resident) = home();
    let order = OrderId([5; 16]);
    assert_eq!(shown(&home, resident), (0, 0, 0));
    propose(&mut home, resident, order, "one in the morning");
    assert_eq!(steps(&home, 0, resident), [(Step::Confirm, "2026-11-02T05:00".into(), false)]);
    assert_eq!(shown(&home, resident), (1, 1, 1));
    home.now = at("2026-11-02T06:00");
    confirm(&mut home, resident, order);
    assert_eq!(steps(&home, 0, resident), [(Step::SecondCheck, "2026-11-02T06:00".into(), false)]);
    let held = home.resident(0, resident);
    let found = waiting(held, home.now);
    assert_eq!(found[0].sent_words(), ["one in the morning"]);
    assert_eq!(found[0].medicine().map(|m| m.name.as_str()), Some("Ramipril 5mg tablets"));
    assert_eq!(shown(&home, resident), (1, 1, 1));
    let check = AskOrder::Check { order, version: None };
    home.ask(0, "SC", Ask::Order(resident, check)).expect("checked");
    assert_eq!(shown(&home, resident), (0, 0, 0));
}

#[test]
fn one_alert_stands_for_all_orders_of_a_resident_with_the_age_of_the_oldest() {
    let (mut home, resident) = home();
    for (number, hour) in [(5, "05:00"), (6, "06:00"), (7, "07:00")] {
        home.now = at(&format!("2026-11-02T{hour}"));
        propose(&mut home, resident, OrderId([number; 16]), "one a day");
    }
    let alerts = all_alerts(&home, 0);
    let found: Vec<_> = alerts.iter().filter(|a| a.cause.word() == "orders-wait").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].since, at("2026-11-02T05:00"));
    assert_eq!(wait_alerts(&home)[0].len(), 3);
}

#[test]
fn a_new_version_waits_while_the_one_in_force_goes_on() {
    let (mut home, resident) = home();
    let order = home.order(resident, plain(daily(&["08:00"])));
    home.now = at("2026-11-02T08:00");
    home.rewritten(0, resident, order, plain(daily(&["20:00"]))).expect("a new version");
    assert_eq!(steps(&home, 0, resident), [(Step::SecondCheck, "2026-11-02T08:00".into(), true)]);
    let told = crate::giving::given();
    record(&mut home, (0, "CA"), (resident, order), "2026-11-02T08:00", told).expect("as before");
    // A third version takes the second one's place: only the last waits.
    home.now = at("2026-11-02T09:00");
    home.rewritten(0, resident, order, plain(daily(&["21:00"]))).expect("another version");
    assert_eq!(steps(&home, 0, resident), [(Step::SecondCheck, "2026-11-02T09:00".into(), true)]);
}

#[test]
fn versions_written_apart_both_wait_for_a_decision() {
    let (mut home, resident) = home();
    home.enrol(DeviceRole::Member);
    let order = home.order(resident, plain(daily(&["08:00"])));
    home.cut();
    home.rewritten(0, resident, order, plain(daily(&["12:00"]))).expect("on one");
    home.rewritten(1, resident, order, plain(daily(&["16:00"]))).expect("on the other");
    home.heal();
    let found: Vec<Step> = steps(&home, 0, resident).into_iter().map(|(step, ..)| step).collect();
    assert_eq!(found, [Step::Decide, Step::Decide]);
    assert!(wait_alerts(&home).is_empty(), "the conflict is an alert of its own");
}

#[test]
fn what_was_stopped_or_turned_down_waits_for_nobody() {
    let (mut home, resident) = home();
    let (stopped, rejected) = (OrderId([5; 16]), OrderId([6; 16]));
    for order in [stopped, rejected] {
        propose(&mut home, resident, order, "one a day");
    }
    let now = home.now;
    stop(&mut home, 0, (resident, stopped), now).expect("stopped");
    assert_eq!(steps(&home, 0, resident).len(), 1);
    let reject = |order| AskOrder::Reject { order, version: None, reason: "not taken".into() };
    home.ask(0, "NU", Ask::Order(resident, reject(rejected))).expect("turned down");
    assert_eq!(steps(&home, 0, resident), []);
    let drafted = home.drafted(resident, named("Senna", plain(daily(&["08:00"])))).expect("one");
    assert_eq!(steps(&home, 0, resident).len(), 1);
    home.ask(0, "SC", Ask::Order(resident, reject(drafted))).expect("turned down");
    assert_eq!(steps(&home, 0, resident), []);
}

#[test]
fn what_the_sender_changed_later_waits_although_the_order_is_in_force() {
    let (mut home, resident) = home();
    let order = OrderId([5; 16]);
    propose(&mut home, resident, order, "one in the morning");
    confirm(&mut home, resident, order);
    let check = AskOrder::Check { order, version: None };
    home.ask(0, "SC", Ask::Order(resident, check)).expect("checked");
    home.now = at("2026-11-03T05:00");
    propose(&mut home, resident, order, "two in the morning");
    assert_eq!(steps(&home, 0, resident), [(Step::Confirm, "2026-11-03T05:00".into(), true)]);
    let dose = slot(&home, 0, (resident, order), "2026-11-03T08:00");
    assert!(dose.to_string().ends_with("0800"), "the order goes on until somebody looked");
    confirm(&mut home, resident, order);
    assert_eq!(steps(&home, 0, resident), [(Step::SecondCheck, "2026-11-03T05:00".into(), true)]);
    let unknown = AskOrder::Check { order: OrderId([9; 16]), version: None };
    assert!(rule(&home.ask(0, "SC", Ask::Order(resident, unknown))).is_some());
}

#[test]
fn a_hold_is_raised_from_the_time_at_which_it_was_to_be_looked_at_again() {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, plain(daily(&["08:00"])));
    home.now = at("2026-11-03T09:00");
    let review = Some(at("2026-11-05T12:00"));
    let ask = AskOrder::Hold { order, reason: "Dr Bell: bloods".into(), review };
    home.ask(0, "NU", Ask::Order(resident, ask)).expect("held");
    let raised = |home: &Home| {
        let found = all_alerts(home, 0).into_iter().find(|a| a.cause == Cause::HoldReview(order));
        found.map(|alert| (alert.tier, alert.since))
    };
    home.now = at("2026-11-05T11:59");
    assert_eq!(raised(&home), None);
    home.now = at("2026-11-06T10:00");
    assert_eq!(raised(&home), Some((Tier::Amber, at("2026-11-05T12:00"))));
    resume(&mut home, 0, (resident, order)).expect("looked at");
    assert_eq!(raised(&home), None);
}
