//! Giving a dose: windows, reasons, amounts, witness, late entry, correction, the pot.

use crate::giving::{
    all_alerts, because, causes, due_between, give_prn, given, hold, note, pass, record, resume,
    rule, slot, with_due,
};
use crate::home::{Home, administration, at};
use crate::orders_of::{
    controlled, daily, flagged, one_or_two, only_on, paracetamol, plain, q, rounds, tablets,
    when_required,
};
use mar::alerts::{Cause, Tier};
use mar::clock::{ClockDoubt, ClockStanding};
use mar::command::{Ask, AskDose, AskResident, Told};
use mar::due::DueState;
use mar::fact::{Professional, Reading};
use mar::ids::{OrderId, ResidentId};
use mar::order::{Content, Flags};
use mar::outcome::{Effect, OUTCOMES, Outcome, Practice};
use mar::quantity::Amount;
use mar::resident::{Status, Whereabouts};
use mar::time::{Minutes, Timestamp};

/// A home with one resident and one order, founded on Monday 2 November 2026.
fn home_with(content: Content) -> (Home, (ResidentId, OrderId)) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, content);
    (home, (resident, order))
}

fn critical() -> Flags {
    Flags { time_critical: true, ..Flags::default() }
}

/// How a dose stands, so many milliseconds after an instant.
#[track_caller]
fn check_state(content: Content, (due, when, after): (&str, &str, i64), expected: DueState) {
    let (mut home, whose) = home_with(content);
    home.now = Timestamp(at(when).0 + after);
    assert_eq!(with_due(&home, 0, whose, due, |d| d.state), expected, "{when} + {after} ms");
}

#[test]
fn every_edge_of_a_window_is_included() {
    use DueState::{Due, Late, NotDue, Unrecorded};
    let eight = || plain(daily(&["08:00"]));
    let cases = [
        (plain(rounds(&["morning"])), "07:30", ["07:00", "10:30", "11:00"]),
        (eight(), "08:00", ["07:00", "09:00", "10:00"]),
        (flagged(critical(), eight()), "08:00", ["07:30", "08:30", "09:00"]),
    ];
    for (content, due, [from, to, told]) in cases {
        let day = |time: &str| format!("2026-11-03T{time}");
        let (due, from, to, told) = (day(due), day(from), day(to), day(told));
        check_state(content.clone(), (&due, &from, -1), NotDue);
        check_state(content.clone(), (&due, &from, 0), Due);
        check_state(content.clone(), (&due, &to, 0), Due);
        check_state(content.clone(), (&due, &to, 1), Late);
        check_state(content.clone(), (&due, &told, 0), Late);
        check_state(content.clone(), (&due, &told, 1), Unrecorded);
    }
}

/// Whether a dose that is due at 08:00 on 3 November may be recorded as given at `when`.
#[track_caller]
fn check_given(content: Content, when: &str, told: Told, refused: Option<&str>) {
    let (mut home, whose) = home_with(content);
    home.now = at(when);
    let answer = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", told);
    assert_eq!(rule(&answer), refused, "{when}: {answer:?}");
}

#[test]
fn outside_its_window_a_dose_takes_a_reason_and_nothing_more() {
    let eight = || plain(daily(&["08:00"]));
    check_given(eight(), "2026-11-03T06:59", given(), Some("W-02"));
    check_given(eight(), "2026-11-03T06:59", because(given(), "going out"), None);
    check_given(eight(), "2026-11-03T07:00", given(), None);
    check_given(eight(), "2026-11-03T09:00", given(), None);
    check_given(eight(), "2026-11-03T09:01", given(), Some("W-02"));
    check_given(eight(), "2026-11-03T09:01", because(given(), "was at breakfast"), None);
}

#[test]
fn the_dose_of_another_day_is_no_early_dose() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let early = record(&mut home, (0, "CA"), whose, "2026-11-05T08:00", because(given(), "early"));
    assert_eq!(rule(&early), Some("W-02"));
    home.now = at("2026-11-03T23:28");
    let evening_before = because(given(), "early");
    let early = record(&mut home, (0, "CA"), whose, "2026-11-04T08:00", evening_before);
    assert_eq!(rule(&early), Some("W-02"));
}

#[test]
fn a_dose_is_never_given_in_the_future() {
    let told = |ahead: i64| Told {
        given_at: Some(Timestamp(at("2026-11-03T08:00").0 + ahead)),
        ..given()
    };
    let eight = || plain(daily(&["08:00"]));
    check_given(eight(), "2026-11-03T08:00", told(2 * 60_000), None);
    check_given(eight(), "2026-11-03T08:00", told(2 * 60_000 + 1), Some("T-06"));
}

#[test]
fn an_entry_more_than_an_hour_after_the_dose_is_a_late_entry_and_says_why() {
    let told = || Told { given_at: Some(at("2026-11-03T08:00")), ..given() };
    let eight = || plain(daily(&["08:00"]));
    check_given(eight(), "2026-11-03T09:00", told(), None);
    check_given(eight(), "2026-11-03T09:01", told(), Some("W-02"));
    let (mut home, whose) = home_with(eight());
    home.now = at("2026-11-03T20:00");
    let told = Told { given_by: Some(home.person("CB")), ..because(told(), "no battery") };
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", told).expect("a late entry");
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(home.picture(0), whose.0, (day, day), home.now).expect("a chart");
    let shown = chart.orders[0].cells[0].shown.clone().expect("a dose");
    assert!(shown.late_entry);
    assert_eq!(shown.letter, "CB", "the giver's initials, not the typist's");
    assert_eq!(shown.effective.expect("it counts").given_at, at("2026-11-03T08:00"));
    assert_eq!(shown.effective.expect("it counts").timing_reason, "no battery");
}

#[test]
fn a_late_time_critical_dose_is_red_from_a_quarter_of_an_hour_on() {
    let (mut home, _) = home_with(flagged(critical(), plain(daily(&["08:00"]))));
    home.now = Timestamp(at("2026-11-02T08:15").0 - 1);
    assert!(!causes(&home, 0).contains(&"time-critical-late"));
    home.now = at("2026-11-02T08:15");
    let alerts = all_alerts(&home, 0);
    let found = alerts.iter().find(|a| matches!(a.cause, Cause::CriticalLate(_)));
    assert_eq!(found.map(|a| a.tier), Some(Tier::Red));
}

#[test]
fn four_times_a_day_with_natural_scatter_is_never_blocked_by_totals() {
    let (mut home, whose) =
        home_with(paracetamol("2", daily(&["08:00", "12:00", "18:00", "22:00"])));
    let mut scatter: u64 = 11;
    let mut blocked_by_gap = 0;
    for day in 3..17 {
        for time in ["08:00", "12:00", "18:00", "22:00"] {
            let due = format!("2026-11-{day:02}T{time}");
            scatter = scatter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let minutes = i64::try_from(scatter >> 33).expect("31 bits") % 41 - 20;
            home.now = Timestamp(at(&due).0 + minutes * 60_000);
            let answer = record(&mut home, (0, "CA"), whose, &due, given());
            if let Err(refusal) = answer {
                assert_eq!(refusal.rule(), "P-02", "only the gap: {refusal}");
                blocked_by_gap += 1;
                home.now = refusal.earliest().expect("a time");
                record(&mut home, (0, "CA"), whose, &due, given()).expect("after the gap");
            }
        }
    }
    assert!(blocked_by_gap > 0, "08:20 and 11:40 are too close");
    let early: Vec<_> = due_between(&home, 0, whose.0, ("2026-11-03T00:00", "2026-11-17T00:00"));
    assert_eq!(early.iter().filter(|(_, s)| *s == DueState::Recorded).count(), 14 * 4);
    assert!(!causes(&home, 0).contains(&"total-breach"));
    assert!(!causes(&home, 0).contains(&"interval-breach"));
}

#[test]
fn a_late_dose_moves_the_start_of_the_next_and_nothing_else() {
    let (mut home, whose) = home_with(paracetamol("2", daily(&["08:00", "12:00"])));
    home.now = at("2026-11-03T09:40");
    let late = because(given(), "at the hairdresser");
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", late).expect("late");
    let next = with_due(&home, 0, whose, "2026-11-03T12:00", |d| d.not_before);
    assert_eq!(next, Some(at("2026-11-03T13:40")));
    home.now = at("2026-11-03T13:39");
    let early = record(&mut home, (0, "CA"), whose, "2026-11-03T12:00", because(given(), "-"));
    assert_eq!(rule(&early), Some("P-02"));
    home.now = at("2026-11-03T13:40");
    record(&mut home, (0, "CA"), whose, "2026-11-03T12:00", because(given(), "late one before"))
        .expect("after the gap");
}

#[test]
fn a_weekly_dose_may_be_two_days_late_and_never_within_six_of_the_last() {
    let weekly = || plain(only_on(chrono::Weekday::Mon, &["08:00"]));
    let check = |first: &str, second: Option<&str>, due: &str, refused: Option<&str>| {
        let (mut home, whose) = home_with(weekly());
        home.now = at(first);
        let answer = record(&mut home, (0, "CA"), whose, "2026-11-09T08:00", because(given(), "-"));
        let answer = match second {
            None => answer,
            Some(second) => {
                answer.expect("the first");
                home.now = at(second);
                record(&mut home, (0, "CA"), whose, due, because(given(), "-"))
            }
        };
        assert_eq!(rule(&answer), refused, "{first} {second:?}");
    };
    check("2026-11-11T08:00", None, "", None);
    check("2026-11-11T08:01", None, "", Some("W-11"));
    check("2026-11-11T08:00", Some("2026-11-16T08:00"), "2026-11-16T08:00", Some("P-02"));
    check("2026-11-10T08:00", Some("2026-11-16T07:59"), "2026-11-16T08:00", Some("P-02"));
    check("2026-11-10T08:00", Some("2026-11-16T08:00"), "2026-11-16T08:00", None);
}

#[test]
fn a_course_ends_on_its_count_of_doses_and_not_on_a_date() {
    let course = Content { course_doses: Some(2), ..plain(daily(&["08:00", "20:00"])) };
    let (mut home, whose) = home_with(course);
    let days = ["2026-11-03T08:00", "2026-11-03T20:00", "2026-11-04T08:00", "2026-11-04T20:00"];
    home.now = at(days[0]);
    let refused = because(Told::of(Outcome::Refused), "feels sick");
    assert_eq!(rule(&record(&mut home, (0, "CA"), whose, days[0], refused)), None);
    for when in &days[1..3] {
        home.now = at(when);
        assert_eq!(rule(&record(&mut home, (0, "CA"), whose, when, given())), None);
    }
    home.now = at(days[3]);
    let (state, why) = with_due(&home, 0, whose, days[3], |d| (d.state, d.suspended));
    assert_eq!((state, why), (DueState::NotDue, Some(mar::due::Suspension::CourseDone)));
    let answer = record(&mut home, (0, "CA"), whose, days[3], given());
    assert_eq!(rule(&answer), Some("O-11"), "{answer:?}");
}

#[test]
fn each_outcome_asks_for_its_reason_and_its_amount() {
    let moved = Outcome::Practice(Practice::Rescheduled);
    for outcome in OUTCOMES.into_iter().filter(|o| *o != moved) {
        let prn = outcome == Outcome::NotRequired;
        let schedule = if prn { when_required(None, None) } else { daily(&["08:00"]) };
        let (mut home, whose) = home_with(plain(schedule));
        home.now = at("2026-11-03T08:00");
        let nurse = home.person("NU");
        let told = |reason: &str| Told {
            amount: (outcome == Outcome::PartGiven).then(|| tablets("0.5")),
            readings: vec![Reading { name: "pulse".into(), value: "52".into() }],
            professional: Some(Professional {
                name: "Ann Bell".into(),
                role: "district nurse".into(),
                organisation: "Bay Trust".into(),
            }),
            handed_to: (outcome == Outcome::Practice(Practice::NotKnown)).then_some(nurse),
            ..because(Told::of(outcome), reason)
        };
        let ask = |home: &mut Home, told| {
            if prn {
                give_prn(home, (0, "CA"), whose, told)
            } else {
                record(home, (0, "CA"), whose, "2026-11-03T08:00", told)
            }
        };
        if outcome.needs_reason() {
            assert_eq!(rule(&ask(&mut home, told(" "))), Some("D-03"), "{}", outcome.word());
        }
        let entries = ask(&mut home, told("words")).expect("an outcome with its reason");
        let id = administration(&entries);
        let held = home.resident(0, whose.0).administration(id).expect("held");
        let recording = held.effective().expect("it counts");
        assert_eq!(recording.amount.is_some(), outcome.is_taken(), "{}", outcome.word());
    }
    check_given(
        plain(daily(&["08:00"])),
        "2026-11-03T08:00",
        Told::of(Outcome::NotRequired),
        Some("D-03"),
    );
}

#[test]
fn the_amount_is_the_prescribed_one_or_is_said() {
    let check = |content: Content, outcome: Outcome, amount: Option<Amount>, refused| {
        let told = Told { amount, ..because(Told::of(outcome), "words") };
        check_given(content, "2026-11-03T08:00", told, refused);
    };
    let fixed = || plain(daily(&["08:00"]));
    let range = || one_or_two(plain(daily(&["08:00"])));
    check(fixed(), Outcome::Given, Some(tablets("1")), None);
    check(fixed(), Outcome::Given, Some(tablets("2")), Some("S-08"));
    check(fixed(), Outcome::Given, Some(tablets("0.5")), Some("S-08"));
    check(fixed(), Outcome::Given, Some(Amount::new(q("1"), "ml")), Some("S-08"));
    check(fixed(), Outcome::PartGiven, None, Some("S-08"));
    check(fixed(), Outcome::PartGiven, Some(tablets("0")), Some("S-08"));
    check(fixed(), Outcome::PartGiven, Some(tablets("1")), Some("S-08"));
    check(fixed(), Outcome::PartGiven, Some(tablets("0.5")), None);
    check(range(), Outcome::Given, None, Some("S-08"));
    check(range(), Outcome::Given, Some(tablets("1")), None);
    check(range(), Outcome::Given, Some(tablets("1.5")), Some("S-08"));
    check(range(), Outcome::Given, Some(tablets("2")), None);
    check(range(), Outcome::Given, Some(tablets("2.5")), Some("S-08"));
    check(range(), Outcome::Refused, None, None);
    check(fixed(), Outcome::Refused, Some(tablets("1")), Some("S-08"));
}

#[test]
fn a_slot_has_one_dose_and_a_second_one_that_was_really_given_is_raised() {
    let (mut home, whose) = home_with(paracetamol("2", daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", given()).expect("the first");
    pass(&mut home, 5);
    let again = record(&mut home, (0, "CB"), whose, "2026-11-03T08:00", given());
    assert_eq!(rule(&again), Some("D-06"));
    let words = again.expect_err("refused").to_string();
    assert!(words.contains("CA Person") && words.contains("--already-given"), "{words}");
    pass(&mut home, 5);
    let told = Told {
        given_at: Some(at("2026-11-03T08:05")),
        already_given: Some("two trolleys on one corridor".into()),
        ..given()
    };
    record(&mut home, (0, "CB"), whose, "2026-11-03T08:00", told).expect("it has happened");
    assert!(causes(&home, 0).contains(&"possible-double-dose"));
    assert!(causes(&home, 0).contains(&"interval-breach"));
}

#[test]
fn a_dose_taken_early_is_not_due_again_in_a_new_version() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T07:10");
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", given()).expect("early, on time");
    pass(&mut home, 10);
    let two = Content { dose: mar::order::Dose::Fixed(tablets("2")), ..plain(daily(&["08:00"])) };
    home.rewritten(0, whose.0, whose.1, two).expect("a change of dose");
    let check = mar::command::AskOrder::Check { order: whose.1, version: None };
    home.ask(0, "SC", Ask::Order(whose.0, check)).expect("a check");
    let span = ("2026-11-03T00:00", "2026-11-04T00:00");
    let states: Vec<_> = due_between(&home, 0, whose.0, span).into_iter().map(|d| d.1).collect();
    assert_eq!(states, [DueState::Recorded]);
    let again = record(&mut home, (0, "CB"), whose, "2026-11-03T08:00", given());
    assert_eq!(rule(&again), Some("D-06"));
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(home.picture(0), whose.0, (day, day), home.now).expect("a chart");
    let boxed: usize =
        chart.orders.iter().flat_map(|o| &o.cells).filter(|c| c.shown.is_some()).count();
    let outside: usize = chart.orders.iter().map(|o| o.unscheduled.len()).sum();
    assert_eq!((boxed, outside), (1, 0), "the dose stands on the chart once");
}

#[test]
fn what_was_refused_or_slept_through_is_offered_again_until_its_cut_off() {
    for outcome in [Outcome::Asleep, Outcome::Refused] {
        let (mut home, whose) = home_with(plain(rounds(&["morning"])));
        home.now = at("2026-11-03T07:30");
        let told = || because(Told::of(outcome), "words");
        let due = "2026-11-03T07:30";
        record(&mut home, (0, "CA"), whose, due, told()).expect("first offer");
        home.now = at("2026-11-03T11:00");
        record(&mut home, (0, "CA"), whose, due, told()).expect("second offer");
        home.now = at("2026-11-03T11:01");
        let late = record(&mut home, (0, "CA"), whose, due, because(given(), "late"));
        assert_eq!(rule(&late), Some("D-06"));
        let told = Told {
            given_at: Some(at("2026-11-03T10:00")),
            already_given: Some("really".into()),
            ..because(given(), "late")
        };
        let second = record(&mut home, (0, "CA"), whose, due, told);
        assert_eq!(rule(&second), Some("D-06"), "there was no first dose");
        let outcomes = with_due(&home, 0, whose, due, |d| d.recorded.len());
        assert_eq!(outcomes, 2, "each attempt is kept");
    }
}

#[test]
fn a_correction_leaves_the_original_and_changes_what_counts() {
    let (mut home, whose) = home_with(paracetamol("2", when_required(Some(240), Some("8"))));
    home.now = at("2026-11-03T08:00");
    let entries = give_prn(&mut home, (0, "CA"), whose, given()).expect("given");
    let id = administration(&entries);
    let correct = |home: &mut Home, instead: Option<Told>, reason: &str| {
        let ask =
            AskDose::Correct { administration: id, instead, reason: reason.into(), alone: true };
        home.ask(0, "CA", Ask::Dose(whose.0, ask))
    };
    assert_eq!(rule(&correct(&mut home, None, " ")), Some("W-02"));
    // Three tablets that were given in error count as three, although two are prescribed.
    let three = |why: Option<&str>| Told {
        amount: Some(tablets("3")),
        already_given: why.map(Into::into),
        ..given()
    };
    let unsaid = correct(&mut home, Some(three(None)), "three were in the pot");
    assert_eq!(rule(&unsaid), Some("S-08"));
    assert!(unsaid.expect_err("refused").to_string().contains("--already-given"));
    let three = three(Some("the pot was filled twice"));
    correct(&mut home, Some(three), "three were in the pot").expect("a correction");
    let status = |home: &Home| {
        let resident = home.resident(0, whose.0);
        let version = resident.orders[&whose.1].version_at(home.now).expect("in force");
        let taken = mar::rules::taken(&home.picture(0).home, resident, Timestamp(0));
        let prn = version.content.prn().expect("when required");
        mar::rules::prn_status((whose.1, &version.content), prn, &taken, home.now)
    };
    assert_eq!(status(&home).left_24h, Some(tablets("5")));
    // There was no such dose at all: nothing stands in the way of the next.
    correct(&mut home, None, "it was another resident's").expect("a correction");
    assert_eq!(status(&home).left_24h, Some(tablets("8")));
    assert_eq!(status(&home).last, None);
    give_prn(&mut home, (0, "CA"), whose, given()).expect("given");
    let held = home.resident(0, whose.0).administration(id).expect("held");
    assert_eq!(held.history().len(), 3, "record and two corrections");
    assert!(held.effective().is_none());
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(home.picture(0), whose.0, (day, day), home.now).expect("a chart");
    assert_eq!(chart.orders[0].unscheduled.len(), 2, "what was struck through still stands there");
}

#[test]
fn a_controlled_drug_takes_a_witness_who_may_and_who_did_not_give() {
    let check = |witness: Option<&'static str>, told: Told, by: &str, refused: Option<&str>| {
        let (mut home, whose) = home_with(controlled(plain(daily(&["08:00"]))));
        home.now = at("2026-11-03T08:00");
        home.witness = witness;
        let told = Told { given_by: told.given_by.map(|_| home.person("CB")), ..told };
        let answer = record(&mut home, (0, by), whose, "2026-11-03T08:00", told);
        assert_eq!(rule(&answer), refused, "{witness:?}: {answer:?}");
    };
    check(None, given(), "CA", Some("C-03"));
    check(Some("CB"), given(), "CA", None);
    check(Some("CA"), given(), "CB", Some("W-13"));
    check(Some("CB"), given(), "CB", Some("U-03"));
    let by_another = Told { given_by: Some(mar::ids::StaffId([0; 16])), ..given() };
    check(Some("CB"), by_another, "CA", Some("U-03"));
    check(None, Told::of(Outcome::Asleep), "CA", None);
    let destroyed = || because(Told::of(Outcome::RefusedDestroyed), "spat");
    check(None, destroyed(), "CA", Some("C-03"));
    check(Some("CB"), destroyed(), "CA", None);
    check(None, Told { alone: true, ..given() }, "CA", None);
}

#[test]
fn a_lone_worker_s_controlled_drug_is_shown_to_the_manager_and_a_home_may_forbid_it() {
    let content = || controlled(plain(daily(&["08:00"])));
    let (mut home, whose) = home_with(content());
    home.now = at("2026-11-03T08:00");
    let alone = || Told { alone: true, ..given() };
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", alone()).expect("alone");
    assert!(causes(&home, 0).contains(&"review-alone"));

    let mut home = Home::founded_with("2026-11-02T05:00", |s| s.lone_worker = false);
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, content());
    home.now = at("2026-11-03T08:00");
    let answer = record(&mut home, (0, "CA"), (resident, order), "2026-11-03T08:00", alone());
    assert_eq!(rule(&answer), Some("C-03"));
}

#[test]
fn nothing_holds_up_a_rescue_medicine() {
    let rescue = Flags { rescue: true, ..Flags::default() };
    let content = controlled(plain(when_required(Some(600), Some("1"))));
    let (mut home, whose) = home_with(flagged(rescue, content));
    home.enrol(mar::fact::DeviceRole::Member);
    home.cut();
    home.now = at("2026-11-03T08:00");
    let ask = |home: &mut Home, told: Told| {
        let note = mar::fact::PrnNote { reason: String::new(), ..note() };
        let ask = AskDose::Prn { order: whose.1, told, note };
        home.ask(0, "CA", Ask::Dose(whose.0, ask))
    };
    ask(&mut home, given()).expect("no witness, no reason, nobody heard");
    pass(&mut home, 1);
    ask(&mut home, given()).expect("no interval, no most");
    hold(&mut home, 0, whose).expect("held");
    ask(&mut home, given()).expect("held or not");
    let away = Status {
        whereabouts: Whereabouts::Hospital,
        from: home.now,
        note: String::new(),
        second: None,
    };
    home.ask(0, "NU", Ask::Resident(whose.0, AskResident::ChangeStatus(away))).expect("away");
    ask(&mut home, given()).expect("whatever the list says");
    pass(&mut home, 200);
    let late = Told { given_at: Some(home.now.minus(Minutes(120))), ..given() };
    ask(&mut home, late).expect("the reason may follow");
    assert!(!causes(&home, 0).iter().any(|c| c.ends_with("breach")));
}

/// A clock that is red, and stands `days` ahead of the time.
fn wrong_clock(home: &mut Home, days: i64) {
    let by_ms = days * 86_400_000;
    home.devices[0].ahead = by_ms;
    let doubt = if days < 0 {
        ClockDoubt::BehindItself { by_ms: -by_ms }
    } else {
        ClockDoubt::Set { by_ms, or_slept: false }
    };
    home.clock = ClockStanding { doubts: vec![doubt], vouched: false };
}

#[test]
fn no_clock_holds_up_a_rescue_medicine() {
    for (days, rescue) in [(1, true), (30, true), (-200, true), (30, false), (-200, false)] {
        let flags = Flags { rescue, ..Flags::default() };
        let content = flagged(flags, plain(when_required(Some(600), Some("1"))));
        let (mut home, whose) = home_with(content);
        home.now = at("2026-11-03T08:00");
        wrong_clock(&mut home, days);
        let ask = AskDose::Prn { order: whose.1, told: given(), note: note() };
        let answer = home.ask(0, "CA", Ask::Dose(whose.0, ask));
        if !rescue {
            assert!(matches!(rule(&answer), Some("T-07" | "T-08")), "{answer:?}");
            continue;
        }
        let entries = answer.expect("a rescue medicine waits for no clock");
        let told = entries.iter().find_map(|entry| {
            let mar::fact::Fact::Dose(mar::fact::DoseFact::Recorded(told)) = &entry.fact else {
                return None;
            };
            Some(&told.recording)
        });
        let told = told.expect("it is recorded");
        assert!(told.timing_reason.starts_with("time in doubt"), "{told:?}");
    }
}

#[test]
fn a_stop_and_a_hold_by_a_wrong_clock_take_effect_at_once() {
    for days in [30, -200] {
        for stop in [true, false] {
            let (mut home, whose) = home_with(plain(when_required(Some(1), Some("9"))));
            home.now = at("2026-11-03T08:00");
            wrong_clock(&mut home, days);
            if stop {
                let shown = Timestamp(home.now.0 + days * 86_400_000);
                crate::giving::stop(&mut home, 0, whose, shown).expect("stopped");
            } else {
                hold(&mut home, 0, whose).expect("held");
            }
            home.clock = ClockStanding::default();
            home.devices[0].ahead = 0;
            pass(&mut home, 10);
            let ask = AskDose::Prn { order: whose.1, told: given(), note: note() };
            let answer = home.ask(0, "CA", Ask::Dose(whose.0, ask));
            assert!(answer.is_err(), "{days} {stop}: {answer:?}");
        }
    }
}

#[test]
fn more_of_a_rescue_medicine_than_its_most_is_told_and_never_refused() {
    let rescue = Flags { rescue: true, ..Flags::default() };
    let (mut home, whose) = home_with(flagged(rescue, plain(when_required(Some(5), Some("3")))));
    home.enrol(mar::fact::DeviceRole::Member);
    home.cut();
    let count = |home: &Home| {
        let resident = home.resident(0, whose.0);
        let content = &resident.orders[&whose.1].version_at(home.now).expect("in force").content;
        let taken = mar::rules::taken(&home.picture(0).home, resident, Timestamp(0));
        let prn = content.prn().expect("when required");
        let status = mar::rules::prn_status((whose.1, content), prn, &taken, home.now);
        assert_eq!(status.earliest_next, None, "nothing holds it up");
        status.rescue.expect("a rescue medicine").in_words()
    };
    home.now = at("2026-11-03T08:00");
    assert_eq!(count(&home), "0 of 3 given, then 999 (tablets, last 24 hours)");
    for device in [0, 1, 0, 1] {
        give_prn(&mut home, (device, "CA"), whose, given()).expect("never refused");
        pass(&mut home, 1);
    }
    assert_eq!(count(&home), "2 of 3 given, then 999 (tablets, last 24 hours)");
    let told = |home: &Home| causes(home, 0).iter().filter(|c| **c == "rescue-over-most").count();
    assert_eq!(told(&home), 0, "two on each device");
    home.heal();
    assert_eq!(count(&home), "4 of 3 given: call 999 (tablets, last 24 hours)");
    assert_eq!(told(&home), 1, "the fourth, on the merged record");
}

#[test]
fn the_pot_shows_what_was_popped_until_its_outcome() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T08:00");
    let slot = slot(&home, 0, whose, "2026-11-03T08:00");
    let pop = AskDose::Pop { slot, amount: None };
    home.ask(0, "CA", Ask::Dose(whose.0, pop.clone())).expect("popped");
    assert_eq!(home.resident(0, whose.0).pot().len(), 1);
    assert!(home.resident(0, whose.0).administrations.is_empty(), "nothing is given by popping");
    home.now = Timestamp(at("2026-11-03T08:30").0 - 1);
    assert!(!causes(&home, 0).contains(&"popped-without-outcome"));
    home.now = at("2026-11-03T08:30");
    assert!(causes(&home, 0).contains(&"popped-without-outcome"));
    record(&mut home, (0, "CB"), whose, "2026-11-03T08:00", given()).expect("watched");
    assert!(home.resident(0, whose.0).pot().is_empty());
    assert_eq!(rule(&home.ask(0, "CA", Ask::Dose(whose.0, pop))), Some("D-06"));
}

#[test]
fn the_effect_of_a_when_required_dose_is_asked_for_at_the_protocol_s_time() {
    let (mut home, whose) = home_with(plain(when_required(None, None)));
    home.now = at("2026-11-03T08:00");
    let id = administration(&give_prn(&mut home, (0, "CA"), whose, given()).expect("given"));
    home.now = Timestamp(at("2026-11-03T09:00").0 - 1);
    assert!(!causes(&home, 0).contains(&"effect-due"));
    home.now = at("2026-11-03T09:00");
    assert!(causes(&home, 0).contains(&"effect-due"));
    let effect =
        |of| AskDose::NoteEffect { administration: of, effect: Effect::Good, note: String::new() };
    home.ask(0, "CB", Ask::Dose(whose.0, effect(id))).expect("noted");
    assert!(!causes(&home, 0).contains(&"effect-due"));
    let refused = because(Told::of(Outcome::Refused), "did not want it");
    let id = administration(&give_prn(&mut home, (0, "CA"), whose, refused).expect("refused"));
    let nothing = home.ask(0, "CB", Ask::Dose(whose.0, effect(id)));
    assert_eq!(rule(&nothing), Some("P-07"));
    let ask = AskDose::Prn {
        order: whose.1,
        told: given(),
        note: mar::fact::PrnNote { reason: " ".into(), ..note() },
    };
    assert_eq!(rule(&home.ask(0, "CA", Ask::Dose(whose.0, ask))), Some("P-07"));
}

#[test]
fn while_a_resident_is_away_nothing_is_given_here_and_what_others_gave_is_entered() {
    let (mut home, whose) = home_with(paracetamol("2", daily(&["08:00", "12:00"])));
    let status = |whereabouts, from: &str| {
        let status = Status { whereabouts, from: at(from), note: String::new(), second: None };
        Ask::Resident(whose.0, AskResident::ChangeStatus(status))
    };
    home.now = at("2026-11-03T09:00");
    let hospital = status(Whereabouts::Hospital, "2026-11-03T08:00");
    home.ask(0, "NU", hospital).expect("to hospital");
    let answer = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", given());
    assert_eq!(rule(&answer), Some("R-05"));
    let letter = with_due(&home, 0, whose, "2026-11-03T12:00", |d| d.suspended);
    assert_eq!(letter.and_then(mar::due::Suspension::outcome), Some(Outcome::Hospital));
    let elsewhere = Told {
        given_at: Some(at("2026-11-03T08:40")),
        ..because(Told::of(Outcome::Practice(Practice::GivenElsewhere)), "ward 4, by letter")
    };
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", elsewhere).expect("it counts");
    home.now = at("2026-11-03T12:00");
    home.ask(0, "NU", status(Whereabouts::Present, "2026-11-03T11:00")).expect("back");
    let early = record(&mut home, (0, "CA"), whose, "2026-11-03T12:00", given());
    assert_eq!(rule(&early), Some("P-02"), "four hours since the ward's dose at 08:40");
    home.now = at("2026-11-03T12:40");
    record(&mut home, (0, "CA"), whose, "2026-11-03T12:00", given()).expect("after the gap");
}

#[test]
fn a_held_order_gives_nothing_and_its_doses_are_held_and_not_missed() {
    let (mut home, whose) = home_with(plain(daily(&["08:00", "12:00"])));
    home.now = at("2026-11-03T07:30");
    hold(&mut home, 0, whose).expect("held");
    home.now = at("2026-11-03T08:00");
    let answer = record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", given());
    assert_eq!(rule(&answer), Some("O-11"));
    home.now = at("2026-11-03T10:30");
    resume(&mut home, 0, whose).expect("resumed");
    home.now = at("2026-11-03T12:00");
    let held = with_due(&home, 0, whose, "2026-11-03T08:00", |d| (d.state, d.suspended));
    assert_eq!(held, (DueState::NotDue, Some(mar::due::Suspension::Held)));
    record(&mut home, (0, "CA"), whose, "2026-11-03T12:00", given()).expect("given again");
}

#[test]
fn a_regular_dose_in_its_window_counts_at_its_slot_and_any_other_at_its_true_time() {
    let (mut home, whose) = home_with(plain(daily(&["08:00", "12:00"])));
    home.now = at("2026-11-03T08:59");
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", given()).expect("in its window");
    home.now = at("2026-11-03T13:01");
    let late = because(given(), "was out");
    record(&mut home, (0, "CA"), whose, "2026-11-03T12:00", late).expect("out of it");
    let resident = home.resident(0, whose.0);
    let taken = mar::rules::taken(&home.picture(0).home, resident, Timestamp(0));
    let times: Vec<_> = taken.iter().map(|t| (t.at, t.counts_at)).collect();
    let late = at("2026-11-03T13:01");
    assert_eq!(times, [(at("2026-11-03T08:59"), at("2026-11-03T08:00")), (late, late)]);
}

#[test]
fn what_was_given_before_a_hold_or_after_it_is_told_and_what_fell_in_it_is_refused() {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, plain(when_required(Some(10), Some("8"))));
    home.now = at("2026-11-03T08:00");
    hold(&mut home, 0, (resident, order)).expect("held");
    home.now = at("2026-11-03T09:00");
    resume(&mut home, 0, (resident, order)).expect("given again");
    home.now = at("2026-11-03T10:00");
    for (when, refused) in [
        ("2026-11-03T07:59", None),
        ("2026-11-03T08:15", Some("O-11")),
        ("2026-11-03T08:59", Some("O-11")),
        ("2026-11-03T09:00", None),
        ("2026-11-03T09:30", None),
    ] {
        let told = because(Told { given_at: Some(at(when)), ..given() }, "told late");
        let answer = give_prn(&mut home, (0, "CA"), (resident, order), told);
        assert_eq!(rule(&answer), refused, "{when}: {answer:?}");
    }
}
