//! A time that somebody typed stands in the record, and the manager is told of it (W-08).

use crate::giving::rule;
use crate::home::{Home, at};
use mar::alerts::{Alert, Cause, Owner, Tier, alerts};
use mar::command::{Ask, AskHome};
use mar::fact::DeviceRole;
use mar::picture::Standing;
use mar::staff::Employment;

fn typed(showed: &str, typed: &str) -> Ask {
    Ask::Home(AskHome::TypeTime { showed: at(showed), typed: at(typed) })
}

fn told(home: &Home, device: usize) -> Vec<Alert> {
    let mut found = alerts(home.picture(device), home.now);
    found.retain(|alert| matches!(alert.cause, Cause::TimeTyped(_)));
    found
}

/// Fault: nothing was left of a typed time, and doses rested on it. Cause: only the device itself
/// remembered it. Fix: it is an entry.
#[test]
fn every_device_tells_the_manager_of_a_time_that_was_typed_for_a_week() {
    let mut home = Home::founded("2026-11-02T08:00");
    let trolley = home.enrol(DeviceRole::Member);
    home.ask(trolley, "CA", typed("2026-11-02T03:00", "2026-11-02T08:00")).expect("anybody may");
    for device in [0, trolley] {
        let [alert] = &told(&home, device)[..] else { panic!("one alert") };
        assert_eq!((alert.tier, alert.owner), (Tier::Amber, Owner::Manager));
        assert_eq!((alert.since, alert.resident), (at("2026-11-02T08:00"), None));
        let (entry, ..) = home.picture(device).home.typed_times().next().expect("it is held");
        assert_eq!(entry.staff(), Some(home.person("CA")));
        assert!(entry.device.is_some());
    }
    // Seven civil days after it, whatever the hour.
    home.now = at("2026-11-09T23:59");
    assert_eq!(told(&home, 0).len(), 1);
    home.now = at("2026-11-10T00:00");
    assert_eq!(told(&home, 0), []);
}

#[test]
fn a_typed_time_that_only_says_the_same_is_a_line_on_a_list() {
    let mut home = Home::founded("2026-11-02T08:00");
    home.ask(0, "NU", typed("2026-11-02T08:00", "2026-11-02T08:01")).expect("anybody may");
    assert_eq!(told(&home, 0)[0].tier, Tier::Grey);
}

#[test]
fn a_mistyped_month_is_not_hidden_from_the_manager() {
    let mut home = Home::founded("2026-11-02T08:00");
    let trolley = home.enrol(DeviceRole::Member);
    home.ask(trolley, "NU", typed("2019-01-01T00:00", "2026-10-02T08:00")).expect("anybody may");
    assert_eq!(told(&home, 0).len(), 1, "a month ago by itself, and new by what it follows");
    home.ask(trolley, "NU", typed("2026-11-02T08:00", "2026-12-02T08:00")).expect("anybody may");
    assert_eq!(told(&home, 0).len(), 2, "what lies ahead is told too");
}

#[test]
fn whoever_works_here_may_type_the_time_and_whoever_is_suspended_may_not() {
    let mut home = Home::founded("2026-11-02T08:00");
    let now = "2026-11-02T08:00";
    for who in ["MM", "NU", "CA"] {
        assert_eq!(rule(&home.ask(0, who, typed(now, now))), None, "{who}");
    }
    home.employ(0, "CA", Employment::Suspended { reason: "left".into() });
    assert_eq!(rule(&home.ask(0, "CA", typed(now, now))), Some("W-07"));
    // A device that only observes has a clock as well.
    let observer = home.enrol(DeviceRole::Observer);
    home.ask(observer, "NU", typed(now, now)).expect("anybody may");
    let standings: Vec<Standing> =
        home.picture(0).home.typed_times().map(|(written, ..)| written.standing).collect();
    assert_eq!(standings, [Standing::InForce; 4]);
}
