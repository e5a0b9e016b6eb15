//! A dose that nobody recorded is told until somebody answers for it or closes it (D-04).

use crate::giving::{all_alerts, because, given, record, stop};
use crate::home::{Home, at};
use crate::orders_of::{daily, plain};
use mar::alerts::{Cause, counted_from};
use mar::command::Told;
use mar::ids::{OrderId, ResidentId};
use mar::outcome::{Outcome, Practice};

fn home() -> (Home, (ResidentId, OrderId)) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    home.now = at("2026-11-03T09:00");
    let order = home.order(resident, plain(daily(&["08:00", "20:00"])));
    (home, (resident, order))
}

/// How many doses are told one by one, and how many stand in the one alert of the older ones.
fn unrecorded(home: &Home) -> (usize, Vec<usize>) {
    let alerts = all_alerts(home, 0);
    let one_by_one = alerts.iter().filter(|a| matches!(a.cause, Cause::Unrecorded(_))).count();
    let older = alerts.iter().filter_map(|a| {
        if let Cause::UnrecordedBefore(_, slots) = &a.cause { Some(slots.len()) } else { None }
    });
    (one_by_one, older.collect())
}

#[test]
fn an_unrecorded_dose_does_not_leave_the_alerts_with_time() {
    let (mut home, whose) = home();
    home.now = at("2026-11-04T23:00");
    assert_eq!(unrecorded(&home), (3, vec![]), "none from before the order was active");
    home.now = at("2026-11-08T23:00");
    assert_eq!(unrecorded(&home), (6, vec![5]), "what is older than three days is one alert");
    let oldest = all_alerts(&home, 0);
    let older = oldest.iter().find(|a| a.cause.word() == "unrecorded-before").expect("one");
    assert_eq!(older.since, at("2026-11-03T22:00"), "the age of the oldest");
    // Closing one honestly takes it off the list; so does an order's own end.
    let unknown = because(Told::of(Outcome::Practice(Practice::NotKnown)), "to Nia Bowen");
    let handed_to = Some(home.person("SC"));
    let closed = Told { given_at: Some(at("2026-11-03T20:00")), handed_to, ..unknown };
    record(&mut home, (0, "NU"), whose, "2026-11-03T20:00", closed).expect("closed");
    assert_eq!(unrecorded(&home), (6, vec![4]));
    let late = Told { given_at: Some(at("2026-11-04T08:00")), ..because(given(), "written later") };
    record(&mut home, (0, "NU"), whose, "2026-11-04T08:00", late).expect("answered");
    assert_eq!(unrecorded(&home), (6, vec![3]));
    let now = home.now;
    stop(&mut home, 0, whose, now).expect("stopped");
    home.now = at("2026-11-20T23:00");
    assert_eq!(unrecorded(&home), (0, vec![9]), "a stop answers for nothing before it");
}

#[test]
fn unrecorded_doses_are_looked_for_as_far_as_the_picture_reaches() {
    let (mut home, whose) = home();
    let now = at("2026-11-04T00:00");
    stop(&mut home, 0, whose, now).expect("stopped");
    // The first day of a cycle is the day before the home was founded: 1 November.
    let from = |home: &Home| {
        counted_from(home.picture(0), &home.resident(0, whose.0).orders[&whose.1], home.now)
    };
    assert_eq!(from(&home), None, "it is the count of all");
    home.now = at("2026-12-26T12:00");
    assert_eq!(unrecorded(&home), (0, vec![1]), "the cycle before this one");
    assert_eq!(from(&home), None, "still of all");
    home.now = at("2026-12-27T12:00");
    assert_eq!(unrecorded(&home), (0, vec![]), "two cycles ago: the chart has its ringed box");
    assert_eq!(from(&home), Some(at("2026-11-29T00:00")), "and the count says since when");
}
