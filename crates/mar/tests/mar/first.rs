//! Doses that fell due between an order's start and its second check.
//!
//! Fault: slots before the check did not exist, so that they stood as "not due" on the chart, in no
//! round and in no alert; a weekly dose was lost for a week because its check came three hours late.

use crate::giving::{
    all_alerts, because, due_between, give_prn, given, hold, record, rule, slot, stop, with_due,
};
use crate::happened::really;
use crate::home::{Home, at};
use crate::orders_of::{daily, named, only_on, paracetamol, plain};
use mar::alerts::{Cause, alerts};
use mar::command::{Ask, AskDose, AskOrder, Told};
use mar::due::{DueState, Suspension};
use mar::ids::{OrderId, ResidentId};
use mar::order::Content;
use mar::outcome::{Outcome, Practice};
use mar::schedule::{Schedule, SlotId, SlotKey};
use mar::time::Minutes;

/// A home with an order that was written at one time and checked at another, on or after Monday
/// 2 November 2026.
fn checked_late(content: Content, written: &str, checked: &str) -> (Home, (ResidentId, OrderId)) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    home.now = at(written);
    let order = home.drafted(resident, content).expect("written");
    home.now = at(checked);
    check(&mut home, (resident, order));
    (home, (resident, order))
}

#[track_caller]
fn check(home: &mut Home, (resident, order): (ResidentId, OrderId)) {
    let ask = AskOrder::Check { order, version: None };
    home.ask(0, "SC", Ask::Order(resident, ask)).expect("a check");
}

/// An order that starts on Monday.
fn from_monday(schedule: Schedule) -> Content {
    Content { start: at("2026-11-02T00:00"), ..plain(schedule) }
}

fn asked_for(home: &Home) -> usize {
    let found = alerts(home.picture(0), home.now);
    let slots = found
        .iter()
        .map(|alert| if let Cause::FirstDoses(slots) = &alert.cause { slots.len() } else { 0 });
    slots.sum()
}

const MONDAY: (&str, &str) = ("2026-11-02T00:00", "2026-11-03T00:00");

#[test]
fn the_dose_that_fell_due_before_the_check_is_given_as_the_first_dose_now() {
    let content = from_monday(daily(&["08:00"]));
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    let monday = due_between(&home, 0, whose.0, MONDAY);
    assert_eq!(monday.iter().map(|d| d.1).collect::<Vec<_>>(), [DueState::Late]);
    assert_eq!(asked_for(&home), 1);
    let first = with_due(&home, 0, whose, "2026-11-02T08:00", |d| d.first.clone()).expect("first");
    assert_eq!(first.spacing(home.now), Some(Minutes(21 * 60)));
    let open = |when| first.is_open_at(at(when));
    assert_eq!((open("2026-11-02T20:00"), open("2026-11-02T20:01")), (true, false));
    // That the check came late is reason enough.
    record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given()).expect("given");
    assert_eq!(asked_for(&home), 0);
    let monday = due_between(&home, 0, whose.0, MONDAY);
    assert_eq!(monday[0].1, DueState::Recorded);
    let again = record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given());
    assert_eq!(rule(&again), Some("D-06"));
}

#[test]
fn a_weekly_dose_is_not_lost_for_a_week_when_its_check_comes_three_hours_late() {
    let weekly = || from_monday(only_on(chrono::Weekday::Mon, &["08:00"]));
    for (checked, given_at, refused) in [
        ("2026-11-02T11:00", "2026-11-02T11:05", None),
        ("2026-11-02T11:00", "2026-11-04T08:00", None),
        ("2026-11-02T11:00", "2026-11-04T08:01", Some("W-11")),
        ("2026-11-05T09:00", "2026-11-05T09:05", Some("W-11")),
    ] {
        let (mut home, whose) = checked_late(weekly(), "2026-11-02T07:00", checked);
        home.now = at(given_at);
        assert_eq!(asked_for(&home), 1, "{given_at}");
        let answer = record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given());
        assert_eq!(rule(&answer), refused, "{given_at}");
        assert_eq!(asked_for(&home), usize::from(refused.is_some()), "{given_at}");
    }
}

#[test]
fn a_weekly_first_dose_stands_in_the_round_of_the_day_after() {
    let weekly = from_monday(only_on(chrono::Weekday::Mon, &["08:00"]));
    let (mut home, whose) = checked_late(weekly, "2026-11-02T07:00", "2026-11-02T11:00");
    home.now = at("2026-11-04T07:45");
    let picture = home.picture(0);
    let span = mar::round::round_at(&picture.home, home.now).expect("a round");
    let stops = mar::round::stops(picture, &span, None, home.now);
    assert_eq!(stops.len(), 1);
    assert!(stops[0].doses[0].first.is_some());
    record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given()).expect("given");
    let picture = home.picture(0);
    assert!(mar::round::stops(picture, &span, None, home.now).is_empty());
}

#[test]
fn a_patch_every_72_hours_waits_for_its_check_and_not_for_its_next_turn() {
    let every = Schedule::EveryHours { n: 72, anchor: at("2026-11-02T10:00") };
    let content = Content { start: at("2026-11-02T10:00"), ..plain(every) };
    let (mut home, whose) = checked_late(content, "2026-11-02T09:30", "2026-11-02T13:00");
    assert_eq!(asked_for(&home), 1);
    record(&mut home, (0, "CA"), whose, "2026-11-02T10:00", given()).expect("given");
}

#[test]
fn where_the_next_dose_is_due_already_it_is_the_first() {
    let content = from_monday(daily(&["08:00", "12:00", "18:00", "22:00"]));
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:30");
    assert_eq!(asked_for(&home), 0);
    let why = with_due(&home, 0, whose, "2026-11-02T08:00", |d| (d.state, d.suspended));
    assert_eq!(why, (DueState::NotDue, Some(Suspension::NotChecked)));
    let late = record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given());
    assert_eq!(rule(&late), Some("W-11"));
    record(&mut home, (0, "CA"), whose, "2026-11-02T12:00", given()).expect("given");
}

#[test]
fn the_first_dose_closes_when_it_comes_too_near_the_next_and_stays_on_the_chart() {
    let content = from_monday(daily(&["08:00", "20:00"]));
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    home.now = at("2026-11-02T14:00");
    let open = with_due(&home, 0, whose, "2026-11-02T08:00", |d| d.state);
    assert_eq!(open, DueState::Late);
    home.now = at("2026-11-02T14:01");
    let why = with_due(&home, 0, whose, "2026-11-02T08:00", |d| (d.state, d.suspended));
    assert_eq!(why, (DueState::NotDue, Some(Suspension::NotChecked)));
    let late = record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given());
    assert_eq!(rule(&late), Some("W-11"));
    // It is asked about until somebody answers, here with the dose that took its place.
    assert_eq!(asked_for(&home), 1);
    home.now = at("2026-11-02T19:00");
    record(&mut home, (0, "CA"), whose, "2026-11-02T20:00", given()).expect("given");
    assert_eq!(asked_for(&home), 0);
    home.now = at("2026-12-01T08:00");
    let why = with_due(&home, 0, whose, "2026-11-02T08:00", |d| d.suspended);
    assert_eq!(why, Some(Suspension::NotChecked));
}

/// Fault: the dose of 08:00 was offered at 10:00 with "the next is due 12:00", and when it was given
/// the gap swallowed the one of 12:00.
#[test]
fn a_first_dose_whose_gap_would_swallow_the_next_is_not_offered() {
    let content = Content {
        start: at("2026-11-02T00:00"),
        ..paracetamol("1", daily(&["08:00", "12:00", "18:00", "22:00"]))
    };
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T10:00");
    let first = with_due(&home, 0, whose, "2026-11-02T08:00", |d| d.first.is_some());
    assert!(!first);
    let near = record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given());
    assert_eq!(rule(&near), Some("W-11"));
    home.now = at("2026-11-02T12:00");
    record(&mut home, (0, "CA"), whose, "2026-11-02T12:00", given()).expect("the next, in time");
}

/// A daily medicine that was started two days back and elsewhere, written here at 07:45.
fn running_elsewhere(checked: &str) -> (Home, (ResidentId, OrderId)) {
    let content = Content { start: at("2026-11-02T00:00"), ..plain(daily(&["07:30"])) };
    let (home, whose) = checked_late(content, "2026-11-04T07:45", checked);
    (home, whose)
}

/// Fault: the check named the command that gave yesterday's daily dose 40 minutes before today's.
#[test]
fn nobody_gives_yesterdays_daily_dose_shortly_before_todays() {
    for checked in ["2026-11-04T06:25", "2026-11-03T20:00"] {
        let content = Content { start: at("2026-11-02T12:00"), ..plain(daily(&["07:30"])) };
        let (mut home, whose) = checked_late(content, "2026-11-02T13:00", checked);
        home.now = at("2026-11-04T06:29");
        let answer = record(&mut home, (0, "CA"), whose, "2026-11-03T07:30", given());
        assert_eq!(rule(&answer), Some("W-11"), "{checked}");
        let words = answer.expect_err("refused").words(mar::time::Tz::Europe__London);
        assert!(words.contains("too near the next dose"), "{words}");
        assert!(words.contains("07:30 GMT: give that one"), "{words}");
        let first = with_due(&home, 0, whose, "2026-11-03T07:30", |d| d.first.is_some());
        assert!(!first);
        // What became of it can be told.
        let told = because(Told::of(Outcome::Other), "not given: the order came too late");
        record(&mut home, (0, "CA"), whose, "2026-11-03T07:30", told).expect("told");
        home.now = at("2026-11-04T07:30");
        record(&mut home, (0, "CA"), whose, "2026-11-04T07:30", given()).expect("given");
    }
}

#[test]
fn half_of_the_usual_spacing_is_left_to_the_next_dose_or_the_stated_gap() {
    for (gap, when, refused) in [
        (None, "2026-11-02T20:00", None),
        (None, "2026-11-02T20:01", Some("W-11")),
        (Some(18 * 60), "2026-11-02T14:00", None),
        (Some(18 * 60), "2026-11-02T14:01", Some("W-11")),
        (Some(6 * 60), "2026-11-02T20:00", None),
        (Some(6 * 60), "2026-11-02T20:01", Some("W-11")),
    ] {
        let min_gap = gap.map(Minutes);
        let content = Content { min_gap, ..from_monday(daily(&["08:00"])) };
        let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
        home.now = at(when);
        let answer = record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given());
        assert_eq!(rule(&answer), refused, "{gap:?} {when}");
    }
}

#[test]
fn a_first_dose_taken_elsewhere_near_the_next_one_warns_before_that_is_given() {
    let content = from_monday(daily(&["08:00"]));
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    let near = |home: &Home| with_due(home, 0, whose, "2026-11-03T08:00", |d| d.near);
    let alerted = |home: &Home| {
        let found = all_alerts(home, 0);
        found.iter().filter(|a| matches!(a.cause, Cause::NextNear(..))).count()
    };
    home.now = at("2026-11-03T07:10");
    assert_eq!((near(&home), alerted(&home)), (None, 0));
    let elsewhere = Told::of(Outcome::Practice(Practice::GivenElsewhere));
    let elsewhere = because(elsewhere, "by the family");
    record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", elsewhere).expect("told");
    assert_eq!((near(&home), alerted(&home)), (Some(home.now), 1));
    // No gap is stated: the record warns, and a person decides (D-07).
    record(&mut home, (0, "CA"), whose, "2026-11-03T08:00", given()).expect("given");
    assert_eq!((near(&home), alerted(&home)), (None, 0));
}

/// Fault: whoever recorded a second dose of the slot was told to give another one.
#[test]
fn a_second_dose_that_was_given_on_the_slot_of_the_first_is_taken_and_raised() {
    let content = from_monday(daily(&["08:00"]));
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given()).expect("given");
    home.now = at("2026-11-02T22:00");
    let told = |why: Option<&str>| Told {
        given_at: Some(at("2026-11-02T21:00")),
        already_given: why.map(Into::into),
        ..because(given(), "not seen on the chart")
    };
    let plainly = record(&mut home, (0, "NU"), whose, "2026-11-02T08:00", told(None));
    assert_eq!(rule(&plainly), Some("D-06"));
    let twice = told(Some("two of us gave it"));
    record(&mut home, (0, "NU"), whose, "2026-11-02T08:00", twice).expect("taken");
    let found = all_alerts(&home, 0);
    assert!(found.iter().any(|a| matches!(a.cause, Cause::DoubleDose(..))), "{found:?}");
    // The incident stands in the same line and stays open.
    assert!(!found.iter().any(|a| matches!(a.cause, Cause::FollowUp(_))), "{found:?}");
    assert_eq!(home.resident(0, whose.0).follow_ups().len(), 1);
    // One that was given too near the next is taken as it happened, too.
    let content = from_monday(daily(&["08:00"]));
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    home.now = at("2026-11-03T06:50");
    let late = Told {
        given_at: Some(at("2026-11-03T06:40")),
        already_given: Some("given before anybody looked".into()),
        ..because(given(), "given late")
    };
    record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", late).expect("taken");
    let near = with_due(&home, 0, whose, "2026-11-03T08:00", |d| d.near);
    assert_eq!(near, Some(at("2026-11-03T06:40")));
}

/// Fault: of an order that runs already, the dose whose window was open at the check stood on no
/// round, and the last one before it in no list after the check's one answer.
#[test]
fn the_last_dose_before_the_check_of_an_order_that_runs_already_is_asked_about() {
    let (mut home, whose) = running_elsewhere("2026-11-04T08:00");
    home.now = at("2026-11-04T08:05");
    let (first, state) =
        with_due(&home, 0, whose, "2026-11-04T07:30", |d| (d.first.clone(), d.state));
    let first = first.expect("listed");
    assert!(first.open_at_check && state == DueState::Due, "{state:?}");
    let (mut home, whose) = running_elsewhere("2026-11-04T15:00");
    home.now = at("2026-11-05T06:29");
    assert_eq!(asked_for(&home), 1);
    home.now = at("2026-11-05T06:30");
    assert_eq!(asked_for(&home), 0, "the next one's window is open");
    home.now = at("2026-11-04T15:05");
    let elsewhere = Told {
        given_at: Some(at("2026-11-04T07:30")),
        ..because(Told::of(Outcome::Practice(Practice::GivenElsewhere)), "on the ward")
    };
    let ask = mar::command::AskDose::Record { slot: first_slot(&home), told: elsewhere };
    home.ask(0, "CA", Ask::Dose(whose.0, ask)).expect("told");
    assert_eq!(asked_for(&home), 0);
}

fn first_slot(home: &Home) -> mar::schedule::SlotId {
    let found = all_alerts(home, 0);
    let slots = found.iter().find_map(|alert| {
        if let Cause::FirstDoses(slots) = &alert.cause { slots.first() } else { None }
    });
    slots.expect("a first dose is asked for").clone()
}

#[test]
fn a_weekly_first_dose_given_two_days_late_tells_when_the_next_is_possible() {
    let weekly = from_monday(only_on(chrono::Weekday::Mon, &["08:00"]));
    let (mut home, whose) = checked_late(weekly, "2026-11-02T07:00", "2026-11-02T11:00");
    home.now = at("2026-11-04T08:00");
    let first = with_due(&home, 0, whose, "2026-11-02T08:00", |d| d.first.clone()).expect("first");
    assert_eq!(first.next_from(home.now), Some(at("2026-11-10T08:00")));
    record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given()).expect("given");
    let next = with_due(&home, 0, whose, "2026-11-09T08:00", |d| d.not_before);
    assert_eq!(next, Some(at("2026-11-10T08:00")));
}

#[test]
fn what_was_given_elsewhere_or_not_at_all_answers_for_the_first_dose() {
    let content = || from_monday(daily(&["08:00"]));
    let elsewhere = Told {
        given_at: Some(at("2026-11-02T08:10")),
        ..because(Told::of(Outcome::Practice(Practice::GivenElsewhere)), "on the ward")
    };
    let omitted = because(Told::of(Outcome::Other), "Dr Bell: begin tomorrow");
    for told in [elsewhere, omitted] {
        let (mut home, whose) = checked_late(content(), "2026-11-02T07:00", "2026-11-02T11:00");
        record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", told).expect("recorded");
        assert_eq!(asked_for(&home), 0);
    }
    // Given here before the check it cannot have been.
    let (mut home, whose) = checked_late(content(), "2026-11-02T07:00", "2026-11-02T11:00");
    let told = Told { given_at: Some(at("2026-11-02T08:10")), ..because(given(), "early") };
    let before = record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", told);
    assert_eq!(rule(&before), Some("O-02"));
}

#[test]
fn an_order_that_ran_elsewhere_for_years_has_no_missed_doses_here() {
    let years = || Content { start: at("2019-05-01T00:00"), ..plain(daily(&["08:00", "20:00"])) };
    let (home, whose) = checked_late(years(), "2026-11-02T09:00", "2026-11-02T11:00");
    assert_eq!(asked_for(&home), 1, "whether the last one was given elsewhere");
    let week = due_between(&home, 0, whose.0, ("2026-10-26T00:00", "2026-11-02T12:00"));
    assert!(week.is_empty(), "{week:?}");
    // The check asks about the last one only, and it can be given.
    let fallback = home.picture(0).home.settings_on(home.now.utc().date_naive()).expect("settings");
    let history = &home.resident(0, whose.0).orders[&whose.1];
    let view = history.versions().pop().expect("a version");
    let told = mar::first::unoffered(home.resident(0, whose.0), &view, &|_| fallback, home.now)
        .expect("one");
    assert!(told.slots.is_empty());
    let first = told.first.expect("the dose that might be wanted now");
    assert_eq!(first.slot.due, at("2026-11-02T08:00"));
    assert!(!first.ours);
}

#[test]
fn what_was_imported_yesterday_and_checked_today_asks_for_one_dose_and_not_for_all() {
    let years = Content { start: at("2019-05-01T00:00"), ..plain(daily(&["08:00", "20:00"])) };
    let (home, whose) = checked_late(years, "2026-11-03T09:00", "2026-11-05T11:00");
    assert_eq!(asked_for(&home), 1);
    let days = due_between(&home, 0, whose.0, ("2026-11-02T00:00", "2026-11-05T12:00"));
    let open = days.iter().filter(|d| d.1 == DueState::Late).count();
    assert_eq!((days.len(), open), (4, 1), "{days:?}");
}

#[test]
fn a_change_of_an_order_in_force_asks_for_no_first_dose() {
    let content = from_monday(daily(&["08:00"]));
    let (mut home, (resident, order)) =
        checked_late(content, "2026-11-02T06:00", "2026-11-02T07:00");
    home.now = at("2026-11-04T07:30");
    let changed = from_monday(daily(&["07:00"]));
    home.rewritten(0, resident, order, changed).expect("a new version");
    record(&mut home, (0, "CA"), (resident, order), "2026-11-04T08:00", given()).expect("given");
    home.now = at("2026-11-04T10:00");
    check(&mut home, (resident, order));
    assert_eq!(asked_for(&home), 0);
    let days = due_between(&home, 0, resident, ("2026-11-04T00:00", "2026-11-05T00:00"));
    assert_eq!(days.len(), 1, "{days:?}");
}

#[test]
fn a_dose_that_is_due_once_is_not_lost_by_a_late_check() {
    let once = from_monday(Schedule::Once { at: at("2026-11-02T08:00") });
    let (mut home, whose) = checked_late(once, "2026-11-02T07:00", "2026-11-02T15:00");
    assert_eq!(asked_for(&home), 1);
    home.now = at("2026-11-03T09:00");
    let id = slot(&home, 0, whose, "2026-11-02T08:00");
    assert_eq!(id.date.to_string(), "2026-11-02");
    record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given()).expect("given");
    assert_eq!(asked_for(&home), 0);
    assert!(give_prn(&mut home, (0, "CA"), whose, given()).is_err());
}

#[test]
fn a_first_dose_of_an_order_that_is_held_or_stopped_is_asked_of_nobody() {
    let content = from_monday(daily(&["08:00"]));
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    hold(&mut home, 0, whose).expect("held");
    assert_eq!(asked_for(&home), 0, "held");
    let resume = AskOrder::Resume { order: whose.1, reason: "Dr Bell rang".into() };
    home.ask(0, "NU", Ask::Order(whose.0, resume)).expect("given again");
    assert_eq!(asked_for(&home), 1);
    let now = home.now;
    stop(&mut home, 0, whose, now).expect("stopped");
    assert_eq!(asked_for(&home), 0, "stopped");
}

#[test]
fn a_dose_of_another_order_or_of_before_the_check_answers_for_no_first_dose() {
    let patch = Schedule::EveryHours { n: 72, anchor: at("2026-11-02T10:00") };
    let content = Content { start: at("2026-11-02T10:00"), ..plain(patch) };
    let (mut home, whose) = checked_late(content, "2026-11-02T09:30", "2026-11-02T13:00");
    let other = home.order(whose.0, named("Senna 7.5mg tablets", from_monday(daily(&["13:10"]))));
    home.now = at("2026-11-02T13:10");
    record(&mut home, (0, "CA"), (whose.0, other), "2026-11-02T13:10", given()).expect("given");
    assert_eq!(asked_for(&home), 1, "another order's");
}

#[test]
fn a_later_dose_that_was_given_takes_the_first_one_s_place() {
    let patch = Schedule::EveryHours { n: 72, anchor: at("2026-11-02T10:00") };
    let content = Content { start: at("2026-11-02T10:00"), ..plain(patch) };
    let (mut home, whose) = checked_late(content, "2026-11-02T09:30", "2026-11-02T13:00");
    home.now = at("2026-11-02T13:30");
    let told = really(given(), "2026-11-02T13:20");
    record(&mut home, (0, "CA"), whose, "2026-11-05T10:00", told).expect("Thursday's, by mistake");
    home.now = at("2026-11-02T14:00");
    let first = record(&mut home, (0, "CA"), whose, "2026-11-02T10:00", given());
    assert_eq!(rule(&first), Some("W-11"), "one patch is on already");
}

#[test]
fn a_first_dose_is_not_lost_when_its_order_is_changed_before_it_is_given() {
    let content = from_monday(daily(&["08:00"]));
    let (mut home, (resident, order)) =
        checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    assert_eq!(asked_for(&home), 1);
    home.now = at("2026-11-02T11:10");
    let changed = Content { indication: Some("heart".into()), ..from_monday(daily(&["08:00"])) };
    home.rewritten(0, resident, order, changed).expect("a new version");
    home.now = at("2026-11-02T11:20");
    check(&mut home, (resident, order));
    assert_eq!(asked_for(&home), 1, "nobody has had it yet");
    let listed = |home: &Home| due_between(home, 0, resident, MONDAY).len();
    assert_eq!(listed(&home), 1, "once, of the version that is followed");
    // Changed once more, it is still that one dose, and it is given once.
    home.now = at("2026-11-02T11:30");
    home.rewritten(0, resident, order, from_monday(daily(&["08:00"]))).expect("a third version");
    check(&mut home, (resident, order));
    assert_eq!((asked_for(&home), listed(&home)), (1, 1));
    record(&mut home, (0, "CA"), (resident, order), "2026-11-02T08:00", given()).expect("given");
    assert_eq!((asked_for(&home), listed(&home)), (0, 1));
    home.now = at("2026-11-02T12:00");
    home.rewritten(0, resident, order, from_monday(daily(&["08:00"]))).expect("a fourth version");
    check(&mut home, (resident, order));
    assert_eq!((asked_for(&home), listed(&home)), (0, 1), "it was given");
}

#[test]
fn a_change_after_the_second_dose_asks_for_no_first_one() {
    let content = from_monday(daily(&["08:00", "20:00"]));
    let (mut home, (resident, order)) =
        checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    home.now = at("2026-11-02T20:10");
    home.rewritten(0, resident, order, from_monday(daily(&["08:00", "20:00"]))).expect("a change");
    home.now = at("2026-11-02T20:20");
    check(&mut home, (resident, order));
    assert_eq!(asked_for(&home), 0);
    let monday = due_between(&home, 0, resident, MONDAY);
    assert_eq!(monday.len(), 2, "{monday:?}");
}

/// Fault: the check handed over the command that gives a dose which was on record already.
#[test]
fn a_dose_recorded_before_the_check_is_not_asked_for_by_the_check() {
    let years = || Content { start: at("2019-05-01T00:00"), ..plain(daily(&["08:00", "20:00"])) };
    let new = || from_monday(daily(&["08:00"]));
    for (content, wanted) in [(years(), false), (years(), true), (new(), false), (new(), true)] {
        let mut home = Home::founded("2026-11-02T05:00");
        let resident = home.admit("Shaw", "Gladys");
        home.now = at("2026-11-02T07:00");
        let whose = (resident, home.drafted(resident, content).expect("written"));
        home.now = at("2026-11-02T09:00");
        let history = &home.resident(0, resident).orders[&whose.1];
        let version = history.versions().pop().expect("a version").version.id;
        let key = SlotKey::Time("08:00".parse().expect("a time"));
        let slot = SlotId { version, date: "2026-11-02".parse().expect("a date"), key };
        if !wanted {
            let told = really(given(), "2026-11-02T08:10");
            let ask = AskDose::Record { slot, told };
            home.ask(0, "CA", Ask::Dose(resident, ask)).expect("it has been given");
        }
        check(&mut home, whose);
        let fallback = mar::settings::Settings::new("-", chrono::NaiveDate::default());
        let held = home.resident(0, resident);
        let view = held.orders[&whose.1].versions().pop().expect("a version");
        let told = mar::first::unoffered(held, &view, &|_| &fallback, home.now).expect("one");
        assert_eq!((told.first.is_some(), told.answered), (wanted, !wanted));
    }
}
