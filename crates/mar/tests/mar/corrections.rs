//! Corrections: what may be said instead, and what one person cannot take away alone (D-13).

use crate::giving::{Answer, because, causes, give_prn, given, pass, record, rule};
use crate::home::{Home, administration, at};
use crate::orders_of::{controlled, daily, paracetamol, plain, tablets, when_required};
use mar::command::{Ask, AskDose, Told};
use mar::ids::{AdministrationId, OrderId, ResidentId};
use mar::order::Content;
use mar::outcome::Outcome;

/// A home with one resident and one order, founded on Monday 2 November 2026.
fn home_with(content: Content) -> (Home, (ResidentId, OrderId)) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, content);
    (home, (resident, order))
}

fn correct(
    home: &mut Home,
    resident: ResidentId,
    administration: AdministrationId,
    (instead, alone): (Option<Told>, bool),
) -> Answer {
    let ask = AskDose::Correct { administration, instead, reason: "mistyped".into(), alone };
    home.ask(0, "CA", Ask::Dose(resident, ask))
}

fn declined() -> Told {
    because(Told::of(Outcome::Refused), "spat it out before")
}

/// Two people on two devices gave the same dose while apart: both administrations.
fn given_twice(
    content: Content,
    prn: bool,
) -> (Home, (ResidentId, OrderId), [AdministrationId; 2]) {
    let (mut home, whose) = home_with(content);
    home.enrol(mar::fact::DeviceRole::Member);
    home.now = at("2026-11-03T08:00");
    home.cut();
    let both = [(0, "CA"), (1, "CB")].map(|by| {
        let told = Told { checked: Some("rang".into()), alone: true, ..given() };
        let entries = if prn {
            give_prn(&mut home, by, whose, told)
        } else {
            record(&mut home, by, whose, "2026-11-03T08:00", told)
        };
        pass(&mut home, 10);
        administration(&entries.expect("given apart"))
    });
    home.heal();
    (home, whose, both)
}

#[test]
fn one_person_alone_clears_no_possible_double_dose() {
    for (content, prn, cause) in [
        (plain(daily(&["08:00"])), false, "possible-double-dose"),
        (paracetamol("2", when_required(Some(240), None)), true, "interval-breach"),
        (paracetamol("2", when_required(None, Some("2"))), true, "total-breach"),
    ] {
        for instead in [None, Some(declined())] {
            let (mut home, whose, both) = given_twice(content.clone(), prn);
            // No interval was stated: four hours hold for paracetamol.
            let cause = if causes(&home, 0).contains(&cause) { cause } else { "interval-breach" };
            assert!(causes(&home, 0).contains(&cause), "{cause}");
            for id in both {
                let answer = correct(&mut home, whose.0, id, (instead.clone(), false));
                assert_eq!(rule(&answer), Some("D-13"), "{cause}: {answer:?}");
                let words = answer.expect_err("refused").to_string();
                assert!(words.contains("--witness") && words.contains("--alone"), "{words}");
            }
            assert!(causes(&home, 0).contains(&cause), "{cause} still stands");
            home.witness = Some("SC");
            correct(&mut home, whose.0, both[1], (instead, false)).expect("two looked at it");
            assert!(!causes(&home, 0).contains(&cause));
            let held = home.resident(0, whose.0).administration(both[1]).expect("held");
            assert_eq!(held.history().len(), 2, "the original stays");
            assert!(held.corrections()[0].0.made.as_ref().is_some_and(|m| m.witness.is_some()));
        }
    }
}

#[test]
fn at_another_time_or_in_another_amount_a_finding_is_not_cleared_alone_either() {
    let (mut home, whose, both) =
        given_twice(paracetamol("2", when_required(Some(240), None)), true);
    let moved = Told { given_at: Some(at("2026-11-03T03:00")), amount: None, ..given() };
    let answer = correct(&mut home, whose.0, both[0], (Some(moved), false));
    assert_eq!(rule(&answer), Some("D-13"));
}

#[test]
fn whoever_is_alone_at_night_corrects_and_the_manager_sees_it() {
    let (mut home, whose, both) = given_twice(plain(daily(&["08:00"])), false);
    correct(&mut home, whose.0, both[1], (None, true)).expect("nobody else is on shift");
    assert!(causes(&home, 0).contains(&"review-alone"));
}

#[test]
fn a_dose_of_which_nothing_was_found_is_corrected_by_one_and_listed_for_the_manager() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let due = "2026-11-03T08:00";
    let id = administration(&record(&mut home, (0, "CA"), whose, due, given()).expect("given"));
    correct(&mut home, whose.0, id, (Some(declined()), false)).expect("by one");
    assert!(causes(&home, 0).contains(&"review-alone"), "a dose that stood as given is gone");
}

#[test]
fn a_dose_that_only_a_correction_said_was_given_is_taken_back_in_the_manager_s_sight() {
    for by_two in [false, true] {
        let (mut home, whose) = home_with(plain(daily(&["08:00"])));
        home.now = at("2026-11-03T08:00");
        let due = "2026-11-03T08:00";
        let first = record(&mut home, (0, "CA"), whose, due, declined()).expect("refused");
        let id = administration(&first);
        correct(&mut home, whose.0, id, (Some(given()), false)).expect("it was given");
        assert!(!causes(&home, 0).contains(&"review-alone"), "nothing was taken back");
        home.witness = by_two.then_some("SC");
        correct(&mut home, whose.0, id, (Some(declined()), false)).expect("taken back");
        assert_eq!(causes(&home, 0).contains(&"review-alone"), !by_two);
    }
}

#[test]
fn a_controlled_drug_s_dose_is_never_taken_back_by_one_person() {
    let (mut home, whose) = home_with(controlled(plain(daily(&["08:00"]))));
    home.now = at("2026-11-03T08:00");
    home.witness = Some("CB");
    let due = "2026-11-03T08:00";
    let id = administration(&record(&mut home, (0, "CA"), whose, due, given()).expect("given"));
    for instead in [None, Some(declined())] {
        home.witness = None;
        let answer = correct(&mut home, whose.0, id, (instead.clone(), false));
        assert_eq!(rule(&answer), Some("C-03"), "{answer:?}");
        home.witness = Some("CT");
        let answer = correct(&mut home, whose.0, id, (instead, false));
        assert_eq!(rule(&answer), Some("W-13"), "who may not witness is no second person");
    }
    home.witness = Some("CB");
    correct(&mut home, whose.0, id, (None, false)).expect("two looked at it");
    assert!(!causes(&home, 0).contains(&"review-alone"), "nobody was alone");
}

#[test]
fn an_amount_that_cannot_be_is_asked_about_and_raised_in_a_correction_too() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let due = "2026-11-03T08:00";
    let id = administration(&record(&mut home, (0, "CA"), whose, due, given()).expect("given"));
    let fifty = |why: Option<&str>| Told {
        amount: Some(tablets("50")),
        already_given: why.map(Into::into),
        ..given()
    };
    let answer = correct(&mut home, whose.0, id, (Some(fifty(None)), false));
    assert_eq!(rule(&answer), Some("S-08"), "{answer:?}");
    let half = Told { amount: Some(tablets("0.5")), ..given() };
    let answer = correct(&mut home, whose.0, id, (Some(half), false));
    assert_eq!(rule(&answer), Some("S-08"), "half of it is part-given");
    let told = fifty(Some("the bottle was emptied"));
    let entries = correct(&mut home, whose.0, id, (Some(told), false)).expect("so it was");
    assert_eq!(entries.len(), 2, "the correction and its incident");
    assert!(causes(&home, 0).contains(&"total-breach"));
    // Back to one: what was found is not cleared alone.
    let one = Told { amount: Some(tablets("1")), ..given() };
    let answer = correct(&mut home, whose.0, id, (Some(one.clone()), false));
    assert_eq!(rule(&answer), Some("D-13"));
    home.witness = Some("NU");
    correct(&mut home, whose.0, id, (Some(one), false)).expect("two looked at it");
    assert!(!causes(&home, 0).contains(&"total-breach"));
}

#[test]
fn the_amount_stays_with_what_was_taken_and_goes_with_what_was_not() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let half = || Told {
        amount: Some(tablets("0.5")),
        ..because(Told::of(Outcome::PartGiven), "spat the rest out")
    };
    let due = "2026-11-03T08:00";
    let id = administration(&record(&mut home, (0, "CA"), whose, due, half()).expect("half"));
    let amount = |home: &Home| {
        let held = home.resident(0, whose.0).administration(id).expect("held");
        held.effective().expect("it counts").amount.clone()
    };
    // In words only the outcome changes: half a tablet is no whole dose by itself.
    let whole = correct(&mut home, whose.0, id, (Some(given()), false));
    assert_eq!(rule(&whole), Some("S-08"), "{whole:?}");
    let other_words = because(Told::of(Outcome::PartGiven), "dropped the rest");
    correct(&mut home, whose.0, id, (Some(other_words), false)).expect("other words");
    assert_eq!(amount(&home), Some(tablets("0.5")));
    correct(&mut home, whose.0, id, (Some(declined()), false)).expect("nothing was taken");
    assert_eq!(amount(&home), None);
}

#[test]
fn a_correction_is_no_way_round_an_interval() {
    let (mut home, whose) = home_with(paracetamol("2", when_required(Some(240), None)));
    home.now = at("2026-11-03T08:00");
    give_prn(&mut home, (0, "CA"), whose, given()).expect("the first");
    home.now = at("2026-11-03T09:00");
    let offered = give_prn(&mut home, (0, "CA"), whose, declined()).expect("offered");
    let id = administration(&offered);
    let answer = correct(&mut home, whose.0, id, (Some(given()), false));
    assert_eq!(rule(&answer), Some("P-02"), "{answer:?}");
    let really = Told { already_given: Some("it went down after all".into()), ..given() };
    let entries = correct(&mut home, whose.0, id, (Some(really), false)).expect("so it was");
    assert_eq!(entries.len(), 2, "the correction and its incident");
    assert!(causes(&home, 0).contains(&"interval-breach"));
}

#[test]
fn a_correction_tells_no_outcome_ahead_of_its_time() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let due = "2026-11-03T08:00";
    let id = administration(&record(&mut home, (0, "CA"), whose, due, given()).expect("given"));
    let early = Told { given_at: Some(at("2026-11-03T05:30")), ..declined() };
    home.witness = Some("NU");
    let answer = correct(&mut home, whose.0, id, (Some(early), false));
    assert_eq!(rule(&answer), Some("W-02"), "{answer:?}");
}
