//! What this program cannot read is said wherever it may be missing (Y-11).

use crate::giving::causes;
use crate::home::{Home, at};
use mar::fact::{DeviceRole, Draft, Fact, Kind};

const EIGHT: &str = "2026-11-03T08:00";

#[test]
fn whoever_has_only_what_cannot_be_read_is_part_of_every_round() {
    let mut home = Home::founded("2026-11-02T05:00");
    home.enrol(DeviceRole::Member);
    let ann = home.admit("Bell", "Ann");
    home.now = at(EIGHT);
    let stops = |home: &Home| {
        let picture = home.picture(0);
        let span = mar::round::round_at(&picture.home, home.now).expect("a round");
        let found = mar::round::stops(picture, &span, None, home.now);
        found.iter().map(|s| (s.resident.id, s.needs_update)).collect::<Vec<_>>()
    };
    assert_eq!(stops(&home), []);
    let tomorrow = Kind { class: 3 | mar::fact::CLINICAL, number: 700 };
    let draft = Draft { subject: Some(ann), made: None, fact: Fact::Unknown };
    home.write_kind(1, tomorrow, draft);
    assert_eq!(stops(&home), [(ann, true)]);
    assert_eq!(mar::unread::of_resident(home.resident(0, ann)), Some(mar::unread::FOR_RESIDENT));
    assert_eq!(mar::unread::of_home(home.picture(0)), None);
}

#[test]
fn several_entries_that_cannot_be_read_are_one_alert_since_the_first() {
    let mut home = Home::founded("2026-11-02T05:00");
    home.enrol(DeviceRole::Member);
    let ann = home.admit("Bell", "Ann");
    let tomorrow = Kind { class: 3 | mar::fact::CLINICAL, number: 700 };
    home.now = at(EIGHT);
    for _ in 0..3 {
        let draft = Draft { subject: Some(ann), made: None, fact: Fact::Unknown };
        home.write_kind(1, tomorrow, draft);
        home.now = home.now.plus(mar::time::Minutes(5));
    }
    let all = crate::giving::all_alerts(&home, 0);
    let of_update: Vec<_> =
        all.iter().filter(|a| a.cause == mar::alerts::Cause::NeedsUpdate).collect();
    assert_eq!(of_update.len(), 1, "{of_update:?}");
    assert_eq!((of_update[0].resident, of_update[0].since), (Some(ann), at(EIGHT)));
}

#[test]
fn what_cannot_be_read_of_the_home_is_said_of_the_home() {
    let mut home = Home::founded("2026-11-02T05:00");
    home.enrol(DeviceRole::Member);
    let said = |home: &Home| mar::unread::of_home(home.picture(0)).is_some();
    let draft = || Draft { subject: None, made: None, fact: Fact::Unknown };
    home.write_kind(1, Kind { class: 4, number: 701 }, draft());
    assert!(!said(&home), "a line of an access log is missed by nobody");
    home.write_kind(1, Kind { class: 2, number: 702 }, draft());
    assert!(said(&home), "settings of tomorrow are");
    assert!(causes(&home, 0).contains(&"update-this-device"));
}

#[test]
fn a_resident_whose_very_name_cannot_be_read_is_said_of_the_home() {
    let mut home = Home::founded("2026-11-02T05:00");
    home.enrol(DeviceRole::Member);
    let tomorrow = Kind { class: 3 | mar::fact::CLINICAL, number: 700 };
    let nobody = mar::ids::ResidentId([77; 16]);
    let draft = Draft { subject: Some(nobody), made: None, fact: Fact::Unknown };
    home.write_kind(1, tomorrow, draft);
    assert!(mar::unread::of_home(home.picture(0)).is_some());
}
