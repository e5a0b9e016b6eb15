//! A dose that has been given to somebody who was recorded as away, or of an order that nobody had
//! confirmed: the record takes what is true (R-05, O-02, H-01).

use crate::giving::{Answer, causes, give_prn, given, hold, record, rule, slot, stop, with_due};
use crate::happened::{
    counted, four_hourly, home_with, incident, of_slot, really, told_and_raised,
};
use crate::home::{Home, at};
use crate::orders_of::{daily, plain};
use mar::command::{Ask, AskDose, AskOrder, AskResident, Told};
use mar::due::{DueState, Suspension};
use mar::fact::Professional;
use mar::ids::{OrderId, ResidentId};
use mar::medicine::Medicine;
use mar::order::{Content, Grade, Proposal, SameMeaning, State};
use mar::outcome::{Outcome, Practice};
use mar::resident::{Status, Whereabouts};
use mar::schedule::{SlotId, SlotKey};

/// Says where a resident is from a time on.
pub(crate) fn is_at(home: &mut Home, resident: ResidentId, whereabouts: Whereabouts, from: &str) {
    let second = Some(home.person("SC"));
    let status = Status { whereabouts, from: at(from), note: String::new(), second };
    let ask = Ask::Resident(resident, AskResident::ChangeStatus(status));
    home.ask(0, "NU", ask).expect("a change");
}

const AWAY: [(Whereabouts, &str); 5] = [
    (Whereabouts::Hospital, "in hospital"),
    (Whereabouts::DayLeave, "on leave"),
    (Whereabouts::OvernightLeave, "on leave"),
    (Whereabouts::Discharged, "discharged"),
    (Whereabouts::Deceased, "deceased"),
];

#[test]
fn a_dose_given_to_somebody_who_was_recorded_as_away_is_told_raised_and_counted() {
    for (whereabouts, words) in AWAY {
        let (mut home, whose) = home_with(plain(daily(&["08:00"])));
        home.now = at("2026-11-03T09:00");
        is_at(&mut home, whose.0, whereabouts, "2026-11-03T07:30");
        let morning = slot(&home, 0, whose, "2026-11-03T08:00");
        let pop = AskDose::Pop { slot: morning.clone(), amount: None };
        assert_eq!(rule(&home.ask(0, "CA", Ask::Dose(whose.0, pop))), Some("R-05"), "{words}");
        let mut ask = of_slot(whose.0, morning);
        let asked = ("R-05", "2026-11-03T08:05");
        let what = told_and_raised(&mut home, whose.0, asked, &mut ask);
        assert!(what.contains(&format!("the resident was recorded as {words}")), "{what}");
        let state = with_due(&home, 0, whose, "2026-11-03T08:00", |d| d.state);
        assert_eq!(state, DueState::Recorded, "it stands in its box: {words}");
    }
}

#[test]
fn a_when_required_dose_given_while_recorded_as_away_counts_for_the_next() {
    for (whereabouts, words) in AWAY {
        let (mut home, whose) = home_with(four_hourly());
        home.now = at("2026-11-03T09:00");
        is_at(&mut home, whose.0, whereabouts, "2026-11-03T07:30");
        let mut ask =
            |home: &mut Home, told: Told| -> Answer { give_prn(home, (0, "CA"), whose, told) };
        let what = told_and_raised(&mut home, whose.0, ("R-05", "2026-11-03T08:05"), &mut ask);
        assert!(what.contains(words), "{what}");
        is_at(&mut home, whose.0, Whereabouts::Present, "2026-11-03T09:00");
        let next = give_prn(&mut home, (0, "CA"), whose, given());
        assert_eq!(rule(&next), Some("P-02"), "no double dose: {words}");
    }
}

#[test]
fn the_refusal_of_a_dose_given_while_away_names_what_else_may_be_true() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T09:00");
    is_at(&mut home, whose.0, Whereabouts::Hospital, "2026-11-03T07:30");
    let told = || Told { given_at: Some(at("2026-11-03T08:05")), ..given() };
    let refused = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", told());
    let words = refused.expect_err("refused").to_string();
    for way in ["resident status", "given-elsewhere", "--already-given"] {
        assert!(words.contains(way), "{way} is not in: {words}");
    }
    // Both are possible without any incident.
    let elsewhere = Outcome::Practice(Practice::GivenElsewhere);
    let ward = Told { outcome: elsewhere, reason: "ward 4".into(), ..told() };
    let entries = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", ward).expect("told");
    assert_eq!(entries.len(), 1);
    assert!(!causes(&home, 0).contains(&"follow-up"));
}

#[test]
fn a_dose_given_while_away_and_after_the_stop_says_both() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T07:00");
    let morning = slot(&home, 0, whose, "2026-11-03T08:00");
    let now = home.now;
    stop(&mut home, 0, whose, now).expect("stopped");
    is_at(&mut home, whose.0, Whereabouts::Hospital, "2026-11-03T07:30");
    home.now = at("2026-11-03T09:00");
    let what = incident(&of_slot(whose.0, morning)(&mut home, really(given(), "2026-11-03T08:05")));
    assert!(what.contains("in hospital") && what.contains("stopped"), "{what}");
}

#[test]
fn what_others_gave_after_the_stop_is_told_and_counts() {
    let (name, role, organisation) = ("Jan Hale", "nurse", "community team");
    let professional =
        Professional { name: name.into(), role: role.into(), organisation: organisation.into() };
    for practice in [Practice::GivenElsewhere, Practice::GivenByProfessional] {
        let (mut home, whose) = home_with(plain(daily(&["08:00"])));
        home.now = at("2026-11-03T07:00");
        let morning = slot(&home, 0, whose, "2026-11-03T08:00");
        let now = home.now;
        stop(&mut home, 0, whose, now).expect("stopped");
        home.now = at("2026-11-03T09:00");
        let told = Told {
            outcome: Outcome::Practice(practice),
            reason: "it had been prepared".into(),
            professional: Some(professional.clone()),
            ..given()
        };
        let ask = |home: &mut Home, told| of_slot(whose.0, morning.clone())(home, told);
        let refused =
            ask(&mut home, Told { given_at: Some(at("2026-11-03T08:05")), ..told.clone() });
        assert!(refused.expect_err("refused").to_string().contains("--already-given"));
        let what = incident(&ask(&mut home, really(told, "2026-11-03T08:05")));
        assert!(what.contains("stopped"), "{what}");
        assert_eq!(counted(&home, whose.0), 1);
    }
}

const PROPOSED: OrderId = OrderId([5; 16]);

/// A home with a proposal that nobody has confirmed.
fn proposed() -> (Home, ResidentId) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let proposal = Proposal {
        medicine: Medicine::uncoded("Ramipril 5mg tablets"),
        words: vec!["one in the morning".into()],
        grade: Grade::Clear,
        remarks: vec![],
        dose: None,
        schedule: None,
        route: None,
        start: None,
        last_issued: None,
        external: vec![],
    };
    let ask = AskOrder::Propose { order: PROPOSED, proposal };
    home.ask(0, "NU", Ask::Order(resident, ask)).expect("kept");
    home.now = at("2026-11-03T09:00");
    (home, resident)
}

/// Writes an order that began yesterday; nobody has checked it.
fn written(home: &mut Home, resident: ResidentId, order: OrderId) {
    let content = Content { start: at("2026-11-02T00:00"), ..plain(daily(&["08:00"])) };
    let ask = AskOrder::Write {
        order,
        content,
        same_meaning: Some(SameMeaning::Differs("read on the telephone".into())),
        allergy_decided: None,
        intended: None,
        label_read: None,
    };
    home.ask(0, "NU", Ask::Order(resident, ask)).expect("written");
}

/// Records this morning's dose of an order that waits, as given at five past eight.
fn told_of_the_morning(home: &mut Home, resident: ResidentId, order: OrderId) -> Answer {
    let version = home.resident(0, resident).orders[&order].versions()[0].version.id;
    let key = SlotKey::Time("08:00".parse().expect("a time"));
    let slot = SlotId { version, date: "2026-11-03".parse().expect("a date"), key };
    of_slot(resident, slot)(home, really(given(), "2026-11-03T08:05"))
}

#[test]
fn a_dose_given_of_a_proposal_is_recorded_once_somebody_confirms_what_it_was() {
    let (mut home, resident) = proposed();
    for told in [given(), really(given(), "2026-11-03T08:05")] {
        let refused = give_prn(&mut home, (0, "CA"), (resident, PROPOSED), told);
        assert_eq!(rule(&refused), Some("O-02"));
        let words = refused.expect_err("refused").to_string();
        for way in ["order confirm", "true start", "--given-at", "--already-given"] {
            assert!(words.contains(way), "{way} is not in: {words}");
        }
    }
    // What the refusal says to do, step by step, with nobody to check it yet.
    written(&mut home, resident, PROPOSED);
    let what = incident(&told_of_the_morning(&mut home, resident, PROPOSED));
    assert!(what.contains("awaiting its second check"), "{what}");
    assert_eq!(counted(&home, resident), 1);
    // The check that follows does not ask for the dose a second time.
    let check = AskOrder::Check { order: PROPOSED, version: None };
    home.ask(0, "SC", Ask::Order(resident, check)).expect("checked");
    let whose = (resident, PROPOSED);
    let state = with_due(&home, 0, whose, "2026-11-03T08:00", |d| (d.state, d.first.is_some()));
    assert_eq!(state, (DueState::Recorded, false));
}

#[test]
fn a_dose_given_of_a_proposal_that_was_turned_down_is_told_of_an_order_that_is_not_to_be_given() {
    let (mut home, resident) = proposed();
    let reject = |order| AskOrder::Reject { order, version: None, reason: "never his".into() };
    home.ask(0, "NU", Ask::Order(resident, reject(PROPOSED))).expect("turned down");
    let told = really(given(), "2026-11-03T08:05");
    let refused = give_prn(&mut home, (0, "CA"), (resident, PROPOSED), told);
    assert_eq!(rule(&refused), Some("O-02"));
    let words = refused.expect_err("refused").to_string();
    assert!(words.contains("order add") && words.contains("--already-given"), "{words}");
    let order = OrderId([6; 16]);
    written(&mut home, resident, order);
    incident(&told_of_the_morning(&mut home, resident, order));
    home.ask(0, "NU", Ask::Order(resident, reject(order))).expect("not to be given again");
    assert_eq!(home.resident(0, resident).orders[&order].state(home.now), State::Rejected);
    assert_eq!(counted(&home, resident), 1, "what was given was given");
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(home.picture(0), resident, (day, day), home.now).expect("one");
    assert_eq!(chart.orders.iter().map(|o| o.unscheduled.len()).sum::<usize>(), 1);
}

/// Fault: a chart printed while somebody was in hospital carried the letter in every box to the end
/// of the cycle, for days that had not been; the same while an order was held.
#[test]
fn away_and_held_are_told_of_what_is_due_by_now_and_of_no_day_to_come() {
    for why in [Suspension::Hospital, Suspension::Held] {
        let (mut home, whose) = home_with(plain(daily(&["08:00", "18:00"])));
        home.now = at("2026-11-03T07:45");
        if why == Suspension::Held {
            hold(&mut home, 0, whose).expect("held");
        } else {
            is_at(&mut home, whose.0, Whereabouts::Hospital, "2026-11-03T07:30");
        }
        home.now = at("2026-11-03T18:00");
        let days = ("2026-11-03".parse().expect("a day"), "2026-11-05".parse().expect("a day"));
        let chart = mar::chart::chart(home.picture(0), whose.0, days, home.now).expect("one");
        let told: Vec<_> = chart.orders[0].cells.iter().map(|c| c.suspended).collect();
        assert_eq!(told, [Some(why), Some(why), None, None, None, None]);
        let to_come = chart.orders[0].cells[2..].iter().all(|c| c.state == DueState::NotDue);
        assert!(to_come, "nobody is to give it now");
    }
}
