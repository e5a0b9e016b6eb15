//! A dose that has been given although a rule stands in the way: the record takes what is true.

use crate::giving::{Answer, because, causes, give_prn, given, hold, record, rule, slot, stop};
use crate::home::{Home, administration, at};
use crate::orders_of::{
    controlled, daily, flagged, one_or_two, only_on, paracetamol, plain, tablets, when_required,
};
use mar::command::{Ask, AskDose, Told};
use mar::fact::{Fact, FollowUpFact};
use mar::ids::{OrderId, ResidentId};
use mar::order::{Content, Flags};
use mar::outcome::{Outcome, Practice};

/// A home with one resident and one order, founded on Monday 2 November 2026.
pub(crate) fn home_with(content: Content) -> (Home, (ResidentId, OrderId)) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, content);
    (home, (resident, order))
}

/// Given at a time that is past, although something stands in the way.
pub(crate) fn really(told: Told, when: &str) -> Told {
    Told { given_at: Some(at(when)), already_given: Some("nobody had looked".into()), ..told }
}

pub(crate) fn four_hourly() -> Content {
    paracetamol("2", when_required(Some(240), Some("8")))
}

/// What the incident says that was opened with a dose.
#[track_caller]
pub(crate) fn incident(answer: &Answer) -> String {
    let entries = answer.as_ref().expect("it has happened");
    assert_eq!(entries.len(), 2, "the dose and its incident");
    let Fact::FollowUp(FollowUpFact::Opened { what, .. }) = &entries[1].fact else {
        panic!("no incident: {entries:?}");
    };
    what.clone()
}

#[test]
fn a_dose_given_inside_its_interval_is_recorded_as_it_happened_and_raised() {
    let (mut home, whose) = home_with(four_hourly());
    home.now = at("2026-11-03T08:00");
    give_prn(&mut home, (0, "CA"), whose, given()).expect("the first");
    home.now = at("2026-11-03T10:30");
    let second = || Told { given_at: Some(at("2026-11-03T10:00")), ..given() };
    let refused = give_prn(&mut home, (0, "CB"), whose, second());
    assert_eq!(rule(&refused), Some("P-02"));
    let words = refused.expect_err("refused").to_string();
    assert!(words.contains("--already-given"), "the way to tell the truth: {words}");
    let answer = give_prn(&mut home, (0, "CB"), whose, really(second(), "2026-11-03T10:00"));
    let what = incident(&answer);
    for word in ["Paracetamol", "Tue 3 Nov 2026 10:00", "too close", "nobody had looked"] {
        assert!(what.contains(word), "{word} is not in: {what}");
    }
    assert!(causes(&home, 0).contains(&"interval-breach"));
    assert!(!causes(&home, 0).contains(&"follow-up"), "one event, one line (A-01)");
    let id = administration(&answer.expect("recorded"));
    let told = home.resident(0, whose.0).incident_of(id).expect("the breach's line tells it");
    let close = mar::command::AskResident::CloseFollowUp {
        follow_up: told.id,
        outcome: "the GP was asked".into(),
        corrective_action: String::new(),
    };
    home.ask(0, "SC", Ask::Resident(whose.0, close)).expect("closed");
    assert!(home.resident(0, whose.0).incident_of(id).is_none(), "it is closed");
    let held = home.resident(0, whose.0).administration(id).expect("held");
    assert_eq!(held.effective().expect("it counts").timing_reason, "nobody had looked");
    assert_eq!(held.effective().expect("it counts").reason, "", "the symptom is the note's");
}

#[test]
fn nobody_gives_a_dose_now_by_saying_that_it_was_given() {
    let (mut home, whose) = home_with(four_hourly());
    home.now = at("2026-11-03T08:00");
    give_prn(&mut home, (0, "CA"), whose, given()).expect("the first");
    home.now = at("2026-11-03T10:00");
    let plain_refusal = give_prn(&mut home, (0, "CA"), whose, given()).expect_err("too soon");
    assert!(!plain_refusal.to_string().contains("--already-given"), "{plain_refusal}");
    let now = Told { given_at: None, ..really(given(), "2026-11-03T10:00") };
    assert_eq!(rule(&give_prn(&mut home, (0, "CA"), whose, now)), Some("P-06"));
    for when in ["2026-11-03T10:00", "2026-11-03T10:01"] {
        let answer = give_prn(&mut home, (0, "CA"), whose, really(given(), when));
        assert_eq!(rule(&answer), Some("P-06"), "{when}");
    }
    give_prn(&mut home, (0, "CA"), whose, really(given(), "2026-11-03T09:59")).expect("past");
}

#[test]
fn a_dose_of_the_night_entered_late_between_two_others_is_recorded_at_its_true_time() {
    let (mut home, whose) = home_with(four_hourly());
    for when in ["2026-11-03T00:00", "2026-11-03T06:00"] {
        home.now = at(when);
        give_prn(&mut home, (0, "CA"), whose, given()).expect("given");
    }
    home.now = at("2026-11-03T07:00");
    let night =
        || because(Told { given_at: Some(at("2026-11-03T03:00")), ..given() }, "no battery");
    assert_eq!(rule(&give_prn(&mut home, (0, "CB"), whose, night())), Some("P-02"));
    let answer = give_prn(&mut home, (0, "CB"), whose, really(night(), "2026-11-03T03:00"));
    incident(&answer);
    let breaches = causes(&home, 0).iter().filter(|c| **c == "interval-breach").count();
    assert_eq!(breaches, 2, "it was too soon, and the next was too soon after it");
}

#[test]
fn more_than_the_most_that_was_really_given_counts_and_is_raised() {
    let (mut home, whose) = home_with(paracetamol("2", when_required(None, Some("4"))));
    for when in ["2026-11-03T00:00", "2026-11-03T06:00"] {
        home.now = at(when);
        give_prn(&mut home, (0, "CA"), whose, given()).expect("given");
    }
    home.now = at("2026-11-03T13:00");
    let third = Told { given_at: Some(at("2026-11-03T12:00")), ..given() };
    assert_eq!(rule(&give_prn(&mut home, (0, "CB"), whose, third)), Some("P-03"));
    let answer = give_prn(&mut home, (0, "CB"), whose, really(given(), "2026-11-03T12:00"));
    assert!(incident(&answer).contains("too much"));
    assert!(causes(&home, 0).contains(&"total-breach"));
}

#[test]
fn more_at_once_than_is_prescribed_is_recorded_and_raised_for_any_order() {
    for prn in [true, false] {
        let schedule = if prn { when_required(None, None) } else { daily(&["08:00"]) };
        let (mut home, whose) = home_with(plain(schedule));
        home.now = at("2026-11-03T08:30");
        let ask = |home: &mut Home, told: Told| {
            let told = Told { amount: Some(tablets("3")), ..told };
            if prn {
                give_prn(home, (0, "CA"), whose, told)
            } else {
                record(home, (0, "CA"), whose, "2026-11-03T08:00", told)
            }
        };
        assert_eq!(rule(&ask(&mut home, given())), Some("S-08"));
        let answer = ask(&mut home, really(given(), "2026-11-03T08:05"));
        assert!(incident(&answer).contains("3 tablets is more than the prescribed dose, 1 tablet"));
        assert!(causes(&home, 0).contains(&"total-breach"));
        let uncounted = ask(&mut home, Told { amount: None, ..given() });
        assert!(uncounted.is_err(), "three are asked for again: {uncounted:?}");
    }
}

#[test]
fn it_was_given_already_is_said_where_something_stands_in_the_way_and_nowhere_else() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:30");
    let ask = |home: &mut Home, told| record(home, (0, "CA"), whose, "2026-11-03T08:00", told);
    let first = ask(&mut home, really(given(), "2026-11-03T08:10"));
    assert_eq!(rule(&first), Some("D-06"), "the first dose of its slot is recorded as it is");
    let blank = Told { already_given: Some("  ".into()), ..really(given(), "2026-11-03T08:10") };
    assert_eq!(rule(&ask(&mut home, blank)), Some("D-06"));
    for outcome in [Outcome::Refused, Outcome::Practice(Practice::GivenElsewhere)] {
        let told = really(because(Told::of(outcome), "words"), "2026-11-03T08:10");
        assert_eq!(rule(&ask(&mut home, told)), Some("D-06"), "{}", outcome.word());
    }
    assert!(home.resident(0, whose.0).administrations.is_empty(), "nothing was recorded");
    // What no rule holds up needs no such words.
    let rescue = Flags { rescue: true, ..Flags::default() };
    let (mut home, whose) = home_with(flagged(rescue, plain(when_required(Some(600), Some("1")))));
    home.now = at("2026-11-03T08:00");
    give_prn(&mut home, (0, "CA"), whose, given()).expect("the first");
    home.now = at("2026-11-03T08:10");
    let needless = give_prn(&mut home, (0, "CA"), whose, really(given(), "2026-11-03T08:05"));
    assert_eq!(rule(&needless), Some("D-06"));
}

#[test]
fn a_weekly_dose_that_was_given_too_late_or_too_soon_is_recorded_and_raised() {
    let (mut home, whose) = home_with(plain(only_on(chrono::Weekday::Mon, &["08:00"])));
    home.now = at("2026-11-12T09:00");
    let late = because(Told { given_at: Some(at("2026-11-12T08:30")), ..given() }, "was away");
    let due = "2026-11-09T08:00";
    assert_eq!(rule(&record(&mut home, (0, "CA"), whose, due, late)), Some("W-11"));
    let told = really(given(), "2026-11-12T08:30");
    let answer = record(&mut home, (0, "CA"), whose, due, told);
    assert!(incident(&answer).contains("two days late"));
    home.now = at("2026-11-16T08:30");
    let told = really(given(), "2026-11-16T08:10");
    let answer = record(&mut home, (0, "CA"), whose, "2026-11-16T08:00", told);
    assert!(incident(&answer).contains("too close"), "four days after the last");
    assert!(causes(&home, 0).contains(&"interval-breach"));
}

#[test]
fn a_controlled_drug_takes_its_witness_however_it_was_given() {
    let (mut home, whose) = home_with(controlled(plain(when_required(Some(240), None))));
    home.witness = Some("CB");
    home.now = at("2026-11-03T08:00");
    give_prn(&mut home, (0, "CA"), whose, given()).expect("the first");
    home.now = at("2026-11-03T09:00");
    home.witness = None;
    let again = give_prn(&mut home, (0, "CA"), whose, really(given(), "2026-11-03T08:30"));
    assert_eq!(rule(&again), Some("C-03"));
    let words = again.expect_err("refused").to_string();
    assert!(words.contains("--witness") && words.contains("--alone"), "{words}");
    home.witness = Some("CB");
    incident(&give_prn(&mut home, (0, "CA"), whose, really(given(), "2026-11-03T08:30")));
}

#[test]
fn tablets_are_given_in_the_pieces_that_the_order_counts() {
    let of_no_form = || crate::orders_of::named("Ramipril", plain(when_required(None, None)));
    let check = |from: &str, to: &str, unit: &str, amount: &str, fits: bool| {
        let unit_of = mar::quantity::Unit::new(unit);
        let q = crate::orders_of::q;
        let dose = mar::order::Dose::Range { from: q(from), to: q(to), unit: unit_of };
        let (mut home, whose) = home_with(Content { dose, ..of_no_form() });
        home.now = at("2026-11-03T08:00");
        let amount = mar::quantity::Amount::new(q(amount), unit);
        let told = Told { amount: Some(amount.clone()), ..given() };
        let answer = give_prn(&mut home, (0, "CA"), whose, told);
        let expected = if fits { None } else { Some("S-08") };
        assert_eq!(rule(&answer), expected, "{amount} of {from} to {to}: {answer:?}");
    };
    check("1", "2", "tablet", "1.37", false);
    check("1", "2", "tablet", "1.5", false);
    check("1", "2", "tablet", "2", true);
    check("0.5", "1", "tablet", "0.5", true);
    check("0.5", "2", "tablet", "1.5", true);
    check("0.5", "1", "tablet", "0.75", false);
    check("0.25", "1", "tablet", "0.75", true);
    check("1", "2", "puff", "1.5", false);
    check("2.5", "5", "ml", "3.7", true);
    let (mut home, whose) = home_with(one_or_two(plain(daily(&["08:00"]))));
    home.now = at("2026-11-03T08:00");
    let part = |amount: Option<&str>| Told {
        amount: amount.map(tablets),
        ..because(Told::of(Outcome::PartGiven), "spat the rest out")
    };
    let ask = |home: &mut Home, told| record(home, (0, "CA"), whose, "2026-11-03T08:00", told);
    let unsaid = ask(&mut home, part(None)).expect_err("refused").to_string();
    assert!(unsaid.contains("--amount"), "{unsaid}");
    assert_eq!(rule(&ask(&mut home, part(Some("0.37")))), Some("S-08"));
    ask(&mut home, part(Some("1.25"))).expect("a quarter came back");
}

#[test]
fn what_was_given_after_a_stop_or_during_a_hold_is_told_and_counts() {
    for held in [false, true] {
        let (mut home, whose) = home_with(four_hourly());
        home.now = at("2026-11-03T08:00");
        if held {
            hold(&mut home, 0, whose).expect("held");
        } else {
            let now = home.now;
            stop(&mut home, 0, whose, now).expect("stopped");
        }
        home.now = at("2026-11-03T10:00");
        let now = give_prn(&mut home, (0, "CA"), whose, given());
        assert_eq!(rule(&now), Some("O-11"));
        let words = now.expect_err("refused").to_string();
        assert!(!words.contains("--already-given"), "no way to give it now: {words}");
        let past = Told { given_at: Some(at("2026-11-03T09:00")), ..given() };
        let unsaid = give_prn(&mut home, (0, "CA"), whose, past);
        assert_eq!(rule(&unsaid), Some("O-11"));
        assert!(unsaid.expect_err("refused").to_string().contains("--already-given"));
        let answer = give_prn(&mut home, (0, "CA"), whose, really(given(), "2026-11-03T09:00"));
        let state = if held { "held" } else { "stopped" };
        assert!(incident(&answer).contains(state), "{}", incident(&answer));
        let taken = mar::rules::taken(
            &home.picture(0).home,
            home.resident(0, whose.0),
            at("2026-11-03T00:00"),
        );
        assert_eq!(taken.len(), 1, "it counts for every limit");
        let administration = administration(&answer.expect("recorded"));
        let reason = "mistyped".to_owned();
        let alone = AskDose::Correct { administration, instead: None, reason, alone: false };
        assert_eq!(rule(&home.ask(0, "CA", Ask::Dose(whose.0, alone))), Some("D-13"));
    }
}

/// How many doses count for the limits of a resident.
pub(crate) fn counted(home: &Home, resident: ResidentId) -> usize {
    let since = at("2026-11-02T00:00");
    mar::rules::taken(&home.picture(0).home, home.resident(0, resident), since).len()
}

/// Refused without the words, with the way to tell it; taken with them, raised and counted.
#[track_caller]
pub(crate) fn told_and_raised(
    home: &mut Home,
    resident: ResidentId,
    (refused, when): (&str, &str),
    ask: &mut dyn FnMut(&mut Home, Told) -> Answer,
) -> String {
    let before = counted(home, resident);
    let without = because(Told { given_at: Some(at(when)), ..given() }, "as usual");
    let answer = ask(home, without);
    assert_eq!(rule(&answer), Some(refused));
    let words = answer.expect_err("refused").to_string();
    assert!(words.contains("--already-given"), "the way to tell the truth: {words}");
    let now = ask(home, because(given(), "now"));
    assert_eq!(rule(&now), Some(refused), "nobody gives it now: {now:?}");
    let words = now.expect_err("refused").to_string();
    assert!(!words.contains("--already-given"), "no way to give it now: {words}");
    assert_eq!(counted(home, resident), before);
    let answer = ask(home, really(given(), when));
    let what = incident(&answer);
    assert_eq!(counted(home, resident), before + 1, "it counts");
    let words = ["follow-up", "given-after-stop", "given-while-held", "given-while-away"];
    let told = |c: &&str| words.contains(c);
    assert!(causes(home, 0).iter().any(told), "somebody has to close it");
    what
}

pub(crate) fn of_slot(
    resident: ResidentId,
    slot: mar::schedule::SlotId,
) -> impl FnMut(&mut Home, Told) -> Answer {
    move |home, told| {
        let ask = AskDose::Record { slot: slot.clone(), told };
        home.ask(0, "CA", Ask::Dose(resident, ask))
    }
}

#[test]
fn a_regular_dose_given_after_the_stop_is_recorded_on_its_slot_and_raised() {
    let (mut home, whose) = home_with(plain(daily(&["08:00", "18:00"])));
    let evening = slot(&home, 0, whose, "2026-11-03T18:00");
    home.now = at("2026-11-03T17:50");
    let now = home.now;
    stop(&mut home, 0, whose, now).expect("stopped");
    home.now = at("2026-11-03T18:10");
    let ask = AskDose::Pop { slot: evening.clone(), amount: None };
    assert_eq!(rule(&home.ask(0, "CA", Ask::Dose(whose.0, ask))), Some("O-11"));
    let not_taken = because(Told::of(Outcome::Refused), "did not want it");
    let mut ask = of_slot(whose.0, evening);
    // The same stop, the same words: whatever is told of the dose.
    let refused = ask(&mut home, not_taken);
    assert_eq!(rule(&refused), Some("O-11"), "it was not due");
    let at_once = ask(&mut home, given());
    let words = |answer: Answer| answer.expect_err("refused").to_string();
    assert_eq!(words(refused), words(at_once));
    let asked = ("O-11", "2026-11-03T18:05");
    let what = told_and_raised(&mut home, whose.0, asked, &mut ask);
    assert!(what.contains("stopped") && what.contains("18:05"), "{what}");
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(home.picture(0), whose.0, (day, day), home.now).expect("a chart");
    let outside: Vec<_> = chart.orders[0].unscheduled.iter().map(|dose| dose.due).collect();
    assert_eq!(outside, [Some(at("2026-11-03T18:00"))], "it stands on the chart, with its slot");
}

#[test]
fn a_regular_dose_given_early_and_stopped_before_its_time_is_recorded() {
    let (mut home, whose) = home_with(plain(daily(&["08:00", "18:00"])));
    let evening = slot(&home, 0, whose, "2026-11-03T18:00");
    home.now = at("2026-11-03T17:50");
    let now = home.now;
    stop(&mut home, 0, whose, now).expect("stopped");
    home.now = at("2026-11-03T18:10");
    let mut ask = of_slot(whose.0, evening);
    let answer = ask(&mut home, really(given(), "2026-11-03T17:45"));
    assert!(incident(&answer).contains("before this dose was due"), "{}", incident(&answer));
}

#[test]
fn a_regular_dose_given_before_the_second_check_is_recorded_and_raised() {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    home.now = at("2026-11-03T07:00");
    let order = home.drafted(resident, plain(daily(&["08:00", "20:00"]))).expect("a draft");
    home.now = at("2026-11-03T09:00");
    let check = mar::command::AskOrder::Check { order, version: None };
    home.ask(0, "SC", Ask::Order(resident, check)).expect("checked");
    home.now = at("2026-11-03T09:30");
    let morning = slot(&home, 0, (resident, order), "2026-11-03T08:00");
    let told = Told { given_at: Some(at("2026-11-03T08:05")), ..given() };
    let mut ask = of_slot(resident, morning);
    let refused = ask(&mut home, because(told, "as usual"));
    assert_eq!(rule(&refused), Some("O-02"));
    let words = refused.expect_err("refused").to_string();
    assert!(words.contains("had not been checked") && words.contains("--already-given"), "{words}");
    let what = incident(&ask(&mut home, really(given(), "2026-11-03T08:05")));
    assert!(what.contains("had not been checked"), "{what}");
    assert_eq!(counted(&home, resident), 1);
    let again = ask(&mut home, because(given(), "first dose"));
    assert_eq!(rule(&again), Some("D-06"), "and nobody gives it a second time");
}

#[test]
fn a_when_required_dose_given_before_the_second_check_is_recorded_and_counts() {
    // Still not checked, given before it was written, and checked meanwhile.
    for (checked, when, refused) in [
        (false, "2026-11-03T09:00", "O-11"),
        (false, "2026-11-03T07:30", "O-11"),
        (true, "2026-11-03T09:00", "O-02"),
        (true, "2026-11-03T07:30", "O-02"),
    ] {
        let mut home = Home::founded("2026-11-02T05:00");
        let resident = home.admit("Shaw", "Gladys");
        home.now = at("2026-11-03T08:00");
        let order = home.drafted(resident, four_hourly()).expect("a draft");
        if checked {
            home.now = at("2026-11-03T09:30");
            let check = mar::command::AskOrder::Check { order, version: None };
            home.ask(0, "SC", Ask::Order(resident, check)).expect("checked");
        }
        home.now = at("2026-11-03T10:00");
        let ask = |home: &mut Home, told| give_prn(home, (0, "CA"), (resident, order), told);
        let told = Told { given_at: Some(at(when)), ..given() };
        let unsaid = ask(&mut home, because(told, "no battery"));
        assert_eq!(rule(&unsaid), Some(refused), "{when}");
        let words = unsaid.expect_err("refused").to_string();
        assert!(words.contains("--already-given"), "{words}");
        incident(&ask(&mut home, really(given(), when)));
        assert_eq!(counted(&home, resident), 1, "it counts");
        let next = ask(&mut home, given());
        assert_eq!(rule(&next), Some(if checked { "P-02" } else { "O-11" }), "no double dose");
    }
}

#[test]
fn a_proposal_has_no_version_to_record_from() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T10:00");
    let nobody_s = OrderId([7; 16]);
    let told = really(given(), "2026-11-03T09:00");
    assert_eq!(rule(&give_prn(&mut home, (0, "CA"), (whose.0, nobody_s), told)), Some("U-01"));
}

#[test]
fn tomorrow_s_dose_taken_today_is_recorded_on_its_own_slot() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T20:00");
    let tomorrow = slot(&home, 0, whose, "2026-11-04T08:00");
    let mut ask = of_slot(whose.0, tomorrow);
    let asked = ("W-02", "2026-11-03T19:30");
    let what = told_and_raised(&mut home, whose.0, asked, &mut ask);
    assert!(what.contains("Wed 4 Nov 2026 08:00"), "when it was due: {what}");
    home.now = at("2026-11-04T08:00");
    let state = crate::giving::with_due(&home, 0, whose, "2026-11-04T08:00", |d| d.state);
    assert_eq!(state, mar::due::DueState::Recorded, "it is due no more");
    assert_eq!(rule(&ask(&mut home, given())), Some("D-06"));
}

#[test]
fn a_dose_that_was_left_out_in_error_opens_an_incident() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let told = because(Told::of(Outcome::OmittedInError), "the round was interrupted");
    let answer = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", told);
    let what = incident(&answer);
    assert!(what.contains("left out in error. the round was interrupted"), "{what}");
}
