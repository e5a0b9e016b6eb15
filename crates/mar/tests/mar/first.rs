//! Doses that fell due between an order's start and its second check.
//!
//! Fault: slots before the check did not exist, so that they stood as "not due" on the chart, in no
//! round and in no alert; a weekly dose was lost for a week because its check came three hours late.

use crate::giving::{
    all_alerts, because, due_between, give_prn, given, record, rule, slot, with_due,
};
use crate::home::{Home, at};
use crate::orders_of::{daily, only_on, paracetamol, plain};
use mar::alerts::{Cause, alerts};
use mar::command::{Ask, AskOrder, Told};
use mar::due::{DueState, Suspension};
use mar::ids::{OrderId, ResidentId};
use mar::order::Content;
use mar::outcome::{Outcome, Practice};
use mar::schedule::Schedule;
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
    assert_eq!(first.until, Some(at("2026-11-03T07:00")));
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
fn the_first_dose_closes_when_the_next_is_due_and_stays_on_the_chart() {
    let content = from_monday(daily(&["08:00", "20:00"]));
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T11:00");
    home.now = at("2026-11-02T18:59");
    let open = with_due(&home, 0, whose, "2026-11-02T08:00", |d| d.state);
    assert_eq!(open, DueState::Late);
    home.now = at("2026-11-02T19:00");
    let why = with_due(&home, 0, whose, "2026-11-02T08:00", |d| (d.state, d.suspended));
    assert_eq!(why, (DueState::NotDue, Some(Suspension::NotChecked)));
    let late = record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given());
    assert_eq!(rule(&late), Some("W-11"));
    // It is asked about until somebody answers, here with the dose that took its place.
    assert_eq!(asked_for(&home), 1);
    record(&mut home, (0, "CA"), whose, "2026-11-02T20:00", given()).expect("given");
    assert_eq!(asked_for(&home), 0);
    home.now = at("2026-12-01T08:00");
    let why = with_due(&home, 0, whose, "2026-11-02T08:00", |d| d.suspended);
    assert_eq!(why, Some(Suspension::NotChecked));
}

#[test]
fn the_shortest_gap_holds_between_the_first_dose_and_the_next() {
    let content = Content {
        start: at("2026-11-02T00:00"),
        ..paracetamol("1", daily(&["08:00", "12:00", "18:00", "22:00"]))
    };
    let (mut home, whose) = checked_late(content, "2026-11-02T07:00", "2026-11-02T10:15");
    record(&mut home, (0, "CA"), whose, "2026-11-02T08:00", given()).expect("given");
    let next = with_due(&home, 0, whose, "2026-11-02T12:00", |d| d.not_before);
    assert_eq!(next, Some(at("2026-11-02T14:15")));
    home.now = at("2026-11-02T12:30");
    let soon = record(&mut home, (0, "CA"), whose, "2026-11-02T12:00", given());
    assert_eq!(rule(&soon), Some("P-02"));
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
    assert!(all_alerts(&home, 0).iter().all(|a| !matches!(a.cause, Cause::FirstDoses(_))));
    let week = due_between(&home, 0, whose.0, ("2026-10-26T00:00", "2026-11-02T12:00"));
    assert!(week.is_empty(), "{week:?}");
    // The check asks about the last one only, and it can be given.
    let fallback = home.picture(0).home.settings_on(home.now.utc().date_naive()).expect("settings");
    let history = &home.resident(0, whose.0).orders[&whose.1];
    let view = history.versions().pop().expect("a version");
    let told = mar::first::unoffered(&view, &|_| fallback, home.now).expect("one");
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
