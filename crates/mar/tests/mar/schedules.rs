//! When orders are due (T-02 to T-04, S-01 to S-04), also against a clock that walks every minute.

use crate::home::{ZONE, at};
use crate::orders_of::{daily, plain, rounds, times};
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use mar::ids::{OrderId, VersionId};
use mar::order::Version;
use mar::schedule::{self, Days, Schedule, Slot, TimeOfDay};
use mar::settings::Settings;
use mar::time::{Timestamp, cycle_of, day_span};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn settings() -> Settings {
    Settings::new("Willow House", date("2020-01-01"))
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn version(schedule: Schedule) -> Version {
    let mut content = plain(schedule);
    content.start = at("2019-01-01T00:00");
    Version {
        order: OrderId([1; 16]),
        id: VersionId([2; 16]),
        content,
        same_meaning: None,
        allergy_decided: None,
        intended: None,
    }
}

fn slots_of(schedule: &Schedule, from: Timestamp, to: Timestamp) -> Vec<Slot> {
    let settings = settings();
    schedule::slots(&version(schedule.clone()), &|_| &settings, from, to)
}

/// The due times of the civil days from one to another, both included.
#[track_caller]
fn check(schedule: Schedule, from: &str, to: &str, expected: &[&str]) {
    let (begin, _) = day_span(ZONE, date(from));
    let (_, end) = day_span(ZONE, date(to));
    let found = slots_of(&schedule, begin, end);
    let due: Vec<String> =
        found.iter().map(|s| s.due.rfc3339(ZONE)[.."2026-11-21T08:00".len()].to_owned()).collect();
    assert_eq!(due, expected);
    let ids: BTreeSet<_> = found.iter().map(|s| s.id.clone()).collect();
    assert_eq!(ids.len(), found.len(), "no slot stands twice");
    for slot in &found {
        assert_eq!(slot.id.to_string().parse(), Ok(slot.id.clone()));
        let settings = settings();
        let again = schedule::slot_with_id(&version(schedule.clone()), &|_| &settings, &slot.id);
        assert_eq!(again.as_ref(), Some(slot), "a slot is found again by its id alone");
    }
}

/// Fault: an order that began at the end of time and counted from its beginning took the memory of
/// the device.
#[test]
fn an_anchor_and_a_start_at_the_two_ends_of_time_make_no_more_doses_than_the_span_holds() {
    let (first, last) = (Timestamp(i64::MIN), Timestamp(i64::MAX - 1));
    let schedule = Schedule::EveryHours { n: u16::MAX, anchor: first };
    assert!(slots_of(&schedule, last, Timestamp(i64::MAX)).len() <= 1);
}

#[test]
fn alternate_days_run_on_across_months_and_years() {
    let every_other =
        |anchor| Schedule::EveryDays { n: 2, anchor: date(anchor), times: times(&["08:00"]) };
    check(
        every_other("2026-12-30"),
        "2026-12-28",
        "2027-01-05",
        &["2026-12-30T08:00", "2027-01-01T08:00", "2027-01-03T08:00", "2027-01-05T08:00"],
    );
    check(
        every_other("2026-10-29"),
        "2026-10-25",
        "2026-11-02",
        &["2026-10-29T08:00", "2026-10-31T08:00", "2026-11-02T08:00"],
    );
}

#[test]
fn on_the_night_the_clocks_go_forward_each_time_is_due_once() {
    check(
        daily(&["00:30", "01:00", "01:30", "02:00"]),
        "2027-03-28",
        "2027-03-28",
        &["2027-03-28T00:30", "2027-03-28T02:00", "2027-03-28T02:00", "2027-03-28T02:00"],
    );
}

#[test]
fn on_the_night_the_clocks_go_back_each_time_is_due_once_at_its_first_occurrence() {
    check(
        daily(&["00:30", "01:00", "01:30", "02:00"]),
        "2026-10-25",
        "2026-10-25",
        &["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"],
    );
    let slots = slots_of(&daily(&["01:30"]), at("2026-10-25T00:00"), at("2026-10-26T00:00"));
    assert_eq!(slots[0].due.rfc3339(ZONE), "2026-10-25T01:30:00+01:00");
}

#[test]
fn every_four_hours_is_elapsed_time_on_both_nights() {
    let every = |anchor| Schedule::EveryHours { n: 4, anchor: at(anchor) };
    check(
        every("2027-03-27T20:00"),
        "2027-03-28",
        "2027-03-28",
        &[
            "2027-03-28T00:00",
            "2027-03-28T05:00",
            "2027-03-28T09:00",
            "2027-03-28T13:00",
            "2027-03-28T17:00",
            "2027-03-28T21:00",
        ],
    );
    check(
        every("2026-10-24T20:00"),
        "2026-10-25",
        "2026-10-25",
        &[
            "2026-10-25T00:00",
            "2026-10-25T03:00",
            "2026-10-25T07:00",
            "2026-10-25T11:00",
            "2026-10-25T15:00",
            "2026-10-25T19:00",
            "2026-10-25T23:00",
        ],
    );
}

#[test]
fn rounds_keep_their_civil_time_on_both_sundays() {
    for day in ["2027-03-28", "2026-10-25"] {
        let expected: Vec<String> =
            ["07:30", "12:00", "16:30", "21:00"].iter().map(|t| format!("{day}T{t}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(rounds(&["morning", "lunch", "tea", "bedtime"]), day, day, &expected);
    }
}

#[test]
fn weekdays_of_every_second_week_are_counted_from_the_anchor_s_week() {
    let fortnightly = Schedule::EveryWeeks {
        n: 2,
        anchor: date("2026-12-24"),
        days: Days::of(&[chrono::Weekday::Mon, chrono::Weekday::Thu]),
        times: times(&["09:00"]),
    };
    check(
        fortnightly,
        "2026-12-21",
        "2027-01-10",
        &["2026-12-24T09:00", "2027-01-04T09:00", "2027-01-07T09:00"],
    );
}

#[test]
fn a_time_that_stands_twice_in_an_order_is_one_dose() {
    check(daily(&["08:00", "08:00"]), "2026-11-21", "2026-11-21", &["2026-11-21T08:00"]);
}

#[test]
fn a_span_holds_its_first_instant_and_not_its_last() {
    let eight = at("2026-11-21T08:00");
    let found = |from: i64, to: i64| {
        slots_of(&daily(&["08:00"]), Timestamp(eight.0 + from), Timestamp(eight.0 + to)).len()
    };
    assert_eq!(found(0, 1), 1);
    assert_eq!(found(-1, 0), 0);
    assert_eq!(found(1, 2), 0);
    assert_eq!(found(0, 0), 0);
}

#[test]
fn a_cycle_of_28_days_turns_over_on_the_rule_s_own_dates() {
    let start = date("2026-09-28");
    assert_eq!(cycle_of(start, date("2026-10-25")), (1, 28, start));
    assert_eq!(cycle_of(start, date("2026-10-26")).0, 2);
    assert_eq!(cycle_of(start, date("2026-11-21")), (2, 27, date("2026-10-26")));
    // A change-over resets no anchor (S-04).
    let every_third =
        Schedule::EveryDays { n: 3, anchor: date("2026-10-23"), times: times(&["08:00"]) };
    check(
        every_third,
        "2026-10-23",
        "2026-11-01",
        &["2026-10-23T08:00", "2026-10-26T08:00", "2026-10-29T08:00", "2026-11-01T08:00"],
    );
}

#[test]
fn the_clocks_change_on_the_last_sundays_of_march_and_october_at_one_o_clock_utc() {
    let list = ["2026-03-29", "2026-10-25", "2027-03-28", "2027-10-31", "2028-03-26", "2028-10-29"];
    for day in list {
        let change = Timestamp::from_rfc3339(&format!("{day}T01:00:00Z")).expect("an instant");
        let before = Timestamp(change.0 - 1).offset_minutes(ZONE);
        assert_ne!(before, change.offset_minutes(ZONE), "{day}");
    }
}

/// What a walk over every minute of the span finds due, without any of the program's own sums.
fn walked(schedule: &Schedule, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    const MINUTE: i64 = 60_000;
    let mut found = Vec::new();
    // Two hours before the span, so that a repeated hour is known as one.
    let mut latest: NaiveDateTime = Timestamp(from.0 - 120 * MINUTE).civil(ZONE);
    let mut instant = from.0 - 119 * MINUTE;
    while instant < to.0 {
        let now = Timestamp(instant);
        let civil = now.civil(ZONE);
        if let Schedule::EveryHours { n, anchor } = schedule {
            let elapsed = (instant - anchor.0) / MINUTE;
            if instant >= anchor.0 && elapsed % (i64::from(*n) * 60) == 0 && instant >= from.0 {
                found.push(now);
            }
        }
        // Every civil minute that is reached here for the first time.
        while latest < civil {
            latest += TimeDelta::minutes(1);
            if instant >= from.0 {
                found.extend((0..times_at(schedule, latest)).map(|_| now));
            }
        }
        instant += MINUTE;
    }
    found
}

/// How many doses a schedule of days with times names at a civil minute.
fn times_at(schedule: &Schedule, civil: NaiveDateTime) -> usize {
    let count = |times: &[TimeOfDay]| {
        times.iter().filter(|t| t.to_string() == civil.format("%H:%M").to_string()).count()
    };
    let day = civil.date();
    match schedule {
        Schedule::Times { times, days } if days.contains(day.weekday()) => count(times),
        Schedule::Rounds { rounds, days } if days.contains(day.weekday()) => {
            let settings = settings();
            let starts: Vec<TimeOfDay> =
                rounds.iter().filter_map(|id| settings.round(id)).map(|r| r.start).collect();
            count(&starts)
        }
        Schedule::EveryDays { n, anchor, times } => {
            let mut due = *anchor;
            while due < day {
                due += TimeDelta::days(i64::from(*n));
            }
            if due == day { count(times) } else { 0 }
        }
        Schedule::EveryWeeks { n, anchor, days, times } => {
            let mut week = *anchor;
            while week.weekday() != chrono::Weekday::Mon {
                week -= TimeDelta::days(1);
            }
            while week + TimeDelta::days(7) <= day {
                week += TimeDelta::days(7 * i64::from(*n));
            }
            let in_week = day >= week && day >= *anchor && days.contains(day.weekday());
            if in_week { count(times) } else { 0 }
        }
        Schedule::Times { .. }
        | Schedule::Rounds { .. }
        | Schedule::EveryHours { .. }
        | Schedule::Once { .. }
        | Schedule::WhenRequired(_) => 0,
    }
}

/// The Sundays on which London's clocks change, found by looking at every Sunday.
fn changes() -> Vec<NaiveDate> {
    let sundays = date("2020-01-05").iter_weeks().take_while(|d| d.year() <= 2045);
    let found: Vec<_> = sundays
        .filter(|d| {
            let (from, to) = day_span(ZONE, *d);
            to.0 - from.0 != 24 * 3_600_000
        })
        .collect();
    assert_eq!(found.len(), 52);
    found
}

fn time_of_day() -> impl Strategy<Value = TimeOfDay> {
    // Half of them lie in the hours in which the clocks change.
    prop_oneof![0..1440_u16, 0..181_u16]
        .prop_map(|m| TimeOfDay::from_minutes(m).expect("a time of day"))
}

fn some_schedule(near: NaiveDate) -> impl Strategy<Value = Schedule> {
    let list = || {
        prop::collection::btree_set(time_of_day(), 1..4)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>())
    };
    let days = || (1..128_u8).prop_map(|bits| Days::from_bits(bits).expect("some days"));
    let anchor = move || (0..40_i64).prop_map(move |back| near - TimeDelta::days(back - 2));
    let names = prop::sample::subsequence(vec!["morning", "lunch", "tea", "bedtime"], 1..=4)
        .prop_map(|names| names.into_iter().map(str::to_owned).collect());
    prop_oneof![
        (list(), days()).prop_map(|(times, days)| Schedule::Times { times, days }),
        (names, days()).prop_map(|(rounds, days)| Schedule::Rounds { rounds, days }),
        (1..9_u16, anchor(), list()).prop_map(|(n, anchor, times)| Schedule::EveryDays {
            n,
            anchor,
            times
        }),
        (1..4_u16, anchor(), days(), list()).prop_map(|(n, anchor, days, times)| {
            Schedule::EveryWeeks { n, anchor, days, times }
        }),
        (1..50_u16, anchor(), 0..1440_u32).prop_map(|(n, anchor, minute)| {
            let minutes = mar::time::Minutes(minute);
            Schedule::EveryHours { n, anchor: day_span(ZONE, anchor).0.plus(minutes) }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_over_every_minute_finds_the_same_doses(
        (day, schedule) in prop::sample::select(changes())
            .prop_flat_map(|day| (Just(day), some_schedule(day))),
        begin in -1440..1440_i64,
        length in 0..2880_i64,
    ) {
        let (midnight, _) = day_span(ZONE, day);
        let from = Timestamp(midnight.0 + begin * 60_000);
        let to = Timestamp(from.0 + length * 60_000);
        let found: Vec<Timestamp> =
            slots_of(&schedule, from, to).iter().map(|s| s.due).collect();
        prop_assert_eq!(&found, &walked(&schedule, from, to));
        // The same inputs give the same slots, also in two halves (S-01).
        let middle = Timestamp((from.0 + to.0) / 2);
        let mut halves = slots_of(&schedule, from, middle);
        halves.extend(slots_of(&schedule, middle, to));
        prop_assert_eq!(slots_of(&schedule, from, to), halves);
    }
}

#[test]
fn each_clock_change_from_2020_to_2045_has_every_dose_once() {
    let schedule = daily(&["00:30", "01:00", "01:30", "02:00", "08:00"]);
    for day in changes() {
        let (from, to) = day_span(ZONE, day);
        let found: Vec<Timestamp> = slots_of(&schedule, from, to).iter().map(|s| s.due).collect();
        assert_eq!(found.len(), 5, "{day}");
        assert_eq!(found, walked(&schedule, from, to), "{day}");
    }
}
