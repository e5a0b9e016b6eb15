//! What can be told of a dose, and from when on.

use crate::giving::{
    all_alerts, because, give_prn, given, hold, record, resume, rule, slot, with_due,
};
use crate::home::{Home, administration, at};
use crate::orders_of::{daily, plain, rounds, when_required};
use mar::alerts::{Cause, Owner, Tier};
use mar::command::{Ask, AskDose, AskResident, Told};
use mar::due::DueState;
use mar::fact::{Professional, Reading};
use mar::ids::{OrderId, ResidentId};
use mar::order::Content;
use mar::outcome::{Effect, Known, OUTCOMES, Outcome, Practice};
use mar::resident::{Status, Whereabouts};
use mar::staff::Employment;
use mar::time::Timestamp;

const NOT_KNOWN: Outcome = Outcome::Practice(Practice::NotKnown);

/// A home with one resident and one order, founded on Monday 2 November 2026.
fn home_with(content: Content) -> (Home, (ResidentId, OrderId)) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, content);
    (home, (resident, order))
}

fn whereabouts(home: &mut Home, resident: ResidentId, whereabouts: Whereabouts, from: &str) {
    let status = Status { whereabouts, from: at(from), note: String::new(), second: None };
    let ask = Ask::Resident(resident, AskResident::ChangeStatus(status));
    home.ask(0, "NU", ask).expect("a change of whereabouts");
}

#[test]
fn nobody_closes_a_dose_that_has_not_been_offered() {
    for outcome in OUTCOMES.into_iter().filter(|o| o.known() == Known::AtTheOffer) {
        if matches!(outcome, Outcome::NotRequired | Outcome::Practice(Practice::Rescheduled)) {
            continue;
        }
        let (mut home, whose) = home_with(plain(rounds(&["morning"])));
        let due = "2026-11-03T07:30";
        let nurse = home.person("NU");
        let told = || Told {
            readings: vec![Reading { name: "pulse".into(), value: "52".into() }],
            handed_to: (outcome == NOT_KNOWN).then_some(nurse),
            ..because(Told::of(outcome), "not now, thank you")
        };
        for early in ["2026-11-02T22:00", "2026-11-03T05:00"] {
            home.now = at(early);
            let answer = record(&mut home, (0, "CA"), whose, due, told());
            assert_eq!(rule(&answer), Some("W-02"), "{} at {early}", outcome.word());
            let refusal = answer.expect_err("refused");
            assert_eq!(refusal.earliest(), Some(at("2026-11-03T07:00")), "{refusal}");
        }
        home.now = Timestamp(at("2026-11-03T07:00").0 - 1);
        assert_eq!(rule(&record(&mut home, (0, "CA"), whose, due, told())), Some("W-02"));
        let state = with_due(&home, 0, whose, due, |d| d.state);
        assert_eq!(state, DueState::NotDue, "it is still to be offered");
        home.now = at("2026-11-03T07:00");
        record(&mut home, (0, "CA"), whose, due, told()).expect("from the start of its window");
    }
}

#[test]
fn away_and_held_are_told_ahead_as_far_as_the_record_says_so() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    let due = "2026-11-04T08:00";
    home.now = at("2026-11-03T14:00");
    let ask = |home: &mut Home, outcome| {
        record(home, (0, "NU"), whose, due, because(Told::of(outcome), "Dr Bell"))
    };
    assert_eq!(rule(&ask(&mut home, Outcome::Hospital)), Some("R-05"));
    assert_eq!(rule(&ask(&mut home, Outcome::Leave)), Some("R-05"));
    assert_eq!(rule(&ask(&mut home, Outcome::Held)), Some("O-12"));
    hold(&mut home, 0, whose).expect("held");
    whereabouts(&mut home, whose.0, Whereabouts::Hospital, "2026-11-03T14:00");
    assert_eq!(rule(&ask(&mut home, Outcome::Leave)), Some("R-05"));
    ask(&mut home, Outcome::Held).expect("its order is held then");
    ask(&mut home, Outcome::Hospital).expect("and the resident away");
}

#[test]
fn a_resident_who_is_back_early_is_given_what_was_told_ahead_as_away() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    let due = "2026-11-04T08:00";
    home.now = at("2026-11-03T14:00");
    whereabouts(&mut home, whose.0, Whereabouts::Hospital, "2026-11-03T14:00");
    record(&mut home, (0, "NU"), whose, due, Told::of(Outcome::Hospital)).expect("away then");
    home.now = at("2026-11-04T07:30");
    assert_eq!(with_due(&home, 0, whose, due, |d| d.state), DueState::Recorded);
    whereabouts(&mut home, whose.0, Whereabouts::Present, "2026-11-04T06:00");
    assert_eq!(with_due(&home, 0, whose, due, |d| d.state), DueState::Due);
    record(&mut home, (0, "CA"), whose, due, given()).expect("back in time for it");
    assert_eq!(with_due(&home, 0, whose, due, |d| d.state), DueState::Recorded);
    // The same for a hold that ended.
    let next = "2026-11-05T08:00";
    hold(&mut home, 0, whose).expect("held");
    let held = because(Told::of(Outcome::Held), "Dr Bell");
    record(&mut home, (0, "NU"), whose, next, held).expect("held then");
    resume(&mut home, 0, whose).expect("resumed");
    home.now = at("2026-11-05T08:00");
    assert_eq!(with_due(&home, 0, whose, next, |d| d.state), DueState::Due);
    record(&mut home, (0, "CA"), whose, next, given()).expect("given again");
}

#[test]
fn nil_by_mouth_and_on_paper_are_told_on_the_day_and_not_the_day_before() {
    for outcome in [Outcome::Practice(Practice::NilByMouth), Outcome::OnPaper] {
        let (mut home, whose) = home_with(plain(daily(&["14:00"])));
        let due = "2026-11-04T14:00";
        let told = || because(Told::of(outcome), "scan at noon, sheet 118");
        home.now = at("2026-11-03T22:00");
        assert_eq!(rule(&record(&mut home, (0, "NU"), whose, due, told())), Some("W-02"));
        home.now = at("2026-11-04T06:00");
        record(&mut home, (0, "NU"), whose, due, told()).expect("known in the morning");
        // The scan was put off: the dose can still be given.
        home.now = at("2026-11-04T14:00");
        record(&mut home, (0, "CA"), whose, due, given()).expect("given all the same");
    }
}

#[test]
fn what_the_ward_gave_is_of_its_own_day_too() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let ward = because(Told::of(Outcome::Practice(Practice::GivenElsewhere)), "ward 4");
    let answer = record(&mut home, (0, "CA"), whose, "2026-11-04T08:00", ward);
    assert_eq!(rule(&answer), Some("W-02"));
}

#[test]
fn tomorrow_s_medicine_is_not_popped_today() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let slot = slot(&home, 0, whose, "2026-11-04T08:00");
    let pop = AskDose::Pop { slot, amount: None };
    assert_eq!(rule(&home.ask(0, "CA", Ask::Dose(whose.0, pop.clone()))), Some("W-02"));
    home.now = at("2026-11-04T06:30");
    home.ask(0, "CA", Ask::Dose(whose.0, pop)).expect("early on its day");
}

/// Asks for an outcome of a dose that is due and returns the refusal's words.
#[track_caller]
fn refused(told: Told) -> String {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let answer = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", told);
    assert_eq!(rule(&answer), Some("D-03"), "{answer:?}");
    answer.expect_err("refused").to_string()
}

#[test]
fn an_outcome_that_does_not_say_what_it_means_names_what_is_missing() {
    let words = |outcome| because(Told::of(outcome), "words");
    let practice = |practice| Told::of(Outcome::Practice(practice));
    let by_nobody = because(practice(Practice::GivenByProfessional), "the district nurse came");
    assert!(refused(by_nobody.clone()).contains("--professional"));
    let nameless = Professional {
        name: "Ann Bell".into(),
        role: String::new(),
        organisation: "Bay Trust".into(),
    };
    let by_nobody = Told { professional: Some(nameless), ..by_nobody };
    assert!(refused(by_nobody).contains("NAME, ROLE, ORGANISATION"));
    assert!(refused(because(practice(Practice::NotKnown), "sheet lost")).contains("--handed-to"));
    assert!(refused(words(Outcome::ClinicalReading)).contains("--reading"));
    let blank = Reading { name: "pulse".into(), value: " ".into() };
    let unread = Told { readings: vec![blank], ..words(Outcome::ClinicalReading) };
    assert!(refused(unread).contains("--reading"));
    assert!(refused(practice(Practice::GivenElsewhere)).contains("--reason: say where"));
    assert!(refused(practice(Practice::GivenCovertly)).contains("which plan is in force"));
    assert!(refused(because(practice(Practice::Rescheduled), "Friday")).contains("cannot move"));
    assert!(refused(Told::of(Outcome::Held)).contains("--reason: say who advised it"));
    let (home, _) = home_with(plain(daily(&["08:00"])));
    let given = Told { handed_to: Some(home.person("NU")), ..given() };
    assert!(refused(given).contains("--handed-to is for the outcome not-known"));
}

#[test]
fn what_is_not_known_is_handed_to_somebody_else_by_name() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let due = "2026-11-03T08:00";
    let to = |home: &Home, who| Told { handed_to: Some(home.person(who)), ..Told::of(NOT_KNOWN) };
    let own = to(&home, "CA");
    assert_eq!(rule(&record(&mut home, (0, "CA"), whose, due, own)), Some("D-03"));
    let left = Employment::Suspended { reason: "left".into() };
    home.employ(0, "SC", left);
    let gone = to(&home, "SC");
    assert_eq!(rule(&record(&mut home, (0, "CA"), whose, due, gone)), Some("W-07"));
    let told = because(to(&home, "NU"), "the pot was empty at nine");
    let entries = record(&mut home, (0, "CA"), whose, due, told).expect("honest");
    let held = home.resident(0, whose.0).administration(administration(&entries)).expect("held");
    let reason = &held.effective().expect("it counts").reason;
    assert_eq!(reason, "handed to NU Person (NU): the pot was empty at nine");
}

#[test]
fn what_is_not_known_waits_for_the_person_it_was_handed_to_until_more_is_known() {
    for way in ["corrected", "offered again", "never happened"] {
        let (mut home, whose) = home_with(plain(daily(&["08:00"])));
        home.now = at("2026-11-03T08:00");
        let nurse = home.person("NU");
        let told = Told { handed_to: Some(nurse), ..Told::of(NOT_KNOWN) };
        let entries = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", told);
        let administration = administration(&entries.expect("honest"));
        let waiting = |home: &Home| {
            let all = all_alerts(home, 0).into_iter();
            let found = all.filter(|a| matches!(a.cause, Cause::FollowUp(_)));
            found.map(|a| (a.tier, a.owner)).collect::<Vec<_>>()
        };
        assert_eq!(waiting(&home), [(Tier::Amber, Owner::Staff(nurse))], "{way}");
        let what = home.resident(0, whose.0).follow_ups()[0].what.to_owned();
        assert!(what.starts_with("find out what became of Ramipril"), "{what}");
        assert!(what.contains("Tue 3 Nov 2026 08:00"), "{what}");
        home.now = at("2026-11-03T08:20");
        let instead = (way == "corrected").then(given);
        if way == "offered again" {
            let answer = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", given());
            answer.expect("it was there all the time");
        } else {
            let reason = "found in the pot".to_owned();
            let ask = AskDose::Correct { administration, instead, reason, alone: false };
            home.ask(0, "NU", Ask::Dose(whose.0, ask)).expect("found out");
        }
        assert_eq!(waiting(&home), [], "{way}");
    }
}

#[test]
fn a_visiting_professional_s_name_is_all_that_is_asked() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let who = Professional {
        name: "Ann Bell".into(),
        role: "district nurse".into(),
        organisation: "Bay Trust".into(),
    };
    let by = Outcome::Practice(Practice::GivenByProfessional);
    let told = Told { professional: Some(who), ..Told::of(by) };
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", told).expect("D-15");
}

#[test]
fn a_second_effect_of_a_dose_says_why_and_one_of_no_dose_is_refused() {
    let (mut home, whose) = home_with(plain(when_required(None, None)));
    home.now = at("2026-11-03T08:00");
    let give = |home: &mut Home| {
        administration(&give_prn(home, (0, "CA"), whose, given()).expect("given"))
    };
    let id = give(&mut home);
    let note = |home: &mut Home, administration, effect, note: &str| {
        let ask = AskDose::NoteEffect { administration, effect, note: note.into() };
        home.ask(0, "CB", Ask::Dose(whose.0, ask))
    };
    note(&mut home, id, Effect::Asleep, "").expect("asleep, so not known yet");
    note(&mut home, id, Effect::Good, "").expect("the first that says something");
    let silent = note(&mut home, id, Effect::None, "");
    assert_eq!(rule(&silent), Some("P-07"));
    let words = silent.expect_err("refused").to_string();
    assert!(words.contains("good by CB Person") && words.contains("--note"), "{words}");
    note(&mut home, id, Effect::None, "looked again at ten").expect("a second look");
    let held = home.resident(0, whose.0).administration(id).expect("held");
    assert_eq!(held.effects().len(), 3, "each stays");
    let never = give(&mut home);
    let ask = AskDose::Correct {
        administration: never,
        instead: None,
        reason: "another resident's".into(),
        alone: false,
    };
    home.ask(0, "CA", Ask::Dose(whose.0, ask)).expect("there was no such dose");
    assert_eq!(rule(&note(&mut home, never, Effect::Good, "")), Some("P-07"));
}

#[test]
fn what_was_given_covertly_claims_no_plan_and_the_manager_is_told() {
    let covert = Outcome::Practice(Practice::GivenCovertly);
    assert!(!covert.label().contains("plan") && !covert.label().contains("covert"), "paper");
    assert!(covert.on_screen().contains("no plan in this record"));
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, crate::orders_of::plain(crate::orders_of::daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    assert!(!crate::giving::causes(&home, 0).contains(&"covert-without-plan"));
    let told = crate::giving::because(mar::command::Told::of(covert), "in jam");
    let due = "2026-11-03T08:00";
    crate::giving::record(&mut home, (0, "CA"), (resident, order), due, told).expect("recorded");
    assert!(crate::giving::causes(&home, 0).contains(&"covert-without-plan"));
}
