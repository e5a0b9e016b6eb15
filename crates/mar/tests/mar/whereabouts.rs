//! Where a resident is said to be, by people on devices that hear each other or do not (R-05, Y-02).

use crate::dice::Dice;
use crate::giving::{all_alerts, causes, pass};
use crate::home::{Held, Home, at};
use crate::orders_of::{named, plain};
use mar::alerts::{Cause, Owner, Tier};
use mar::command::{Ask, AskResident};
use mar::fact::DeviceRole;
use mar::ids::ResidentId;
use mar::resident::{Status, Whereabouts};
use mar::schedule::Schedule;

fn home() -> (Home, ResidentId) {
    let mut home = Home::founded("2026-11-02T05:00");
    home.enrol(DeviceRole::Member);
    let resident = home.admit("Shaw", "Gladys");
    home.now = at("2026-11-03T15:00");
    (home, resident)
}

fn say(home: &mut Home, device: usize, resident: ResidentId, told: (Whereabouts, &str)) {
    let (whereabouts, from) = told;
    let second = Some(home.person("SC"));
    let status = Status { whereabouts, from: at(from), note: String::new(), second };
    let ask = Ask::Resident(resident, AskResident::ChangeStatus(status));
    home.ask(device, "NU", ask).expect("a change");
}

#[track_caller]
fn is(home: &Home, resident: ResidentId, when: &str, expected: Whereabouts) {
    for device in 0..2 {
        let found = home.resident(device, resident).whereabouts(at(when));
        assert_eq!(found, expected, "device {device} at {when}");
    }
}

#[test]
fn where_a_resident_was_is_told_by_the_times_and_not_by_the_order_of_entry() {
    let (mut home, resident) = home();
    home.cut();
    // Neither device knows of the other's word, and the later time arrives first.
    say(&mut home, 0, resident, (Whereabouts::Present, "2026-11-03T11:00"));
    pass(&mut home, 5);
    say(&mut home, 1, resident, (Whereabouts::Hospital, "2026-11-03T07:00"));
    home.heal();
    is(&home, resident, "2026-11-03T10:59", Whereabouts::Hospital);
    is(&home, resident, "2026-11-03T11:00", Whereabouts::Present);
    // A past absence that is entered late, in the order of its times.
    say(&mut home, 0, resident, (Whereabouts::DayLeave, "2026-11-03T12:00"));
    say(&mut home, 0, resident, (Whereabouts::Present, "2026-11-03T13:00"));
    is(&home, resident, "2026-11-03T10:59", Whereabouts::Hospital);
    is(&home, resident, "2026-11-03T11:30", Whereabouts::Present);
    is(&home, resident, "2026-11-03T12:30", Whereabouts::DayLeave);
    is(&home, resident, "2026-11-03T15:00", Whereabouts::Present);
}

#[test]
fn who_says_which_of_two_words_is_right_is_believed_whatever_the_clocks_say() {
    let (mut home, resident) = home();
    home.cut();
    say(&mut home, 0, resident, (Whereabouts::Hospital, "2026-11-03T14:06"));
    say(&mut home, 1, resident, (Whereabouts::Present, "2026-11-03T14:07"));
    home.heal();
    assert!(causes(&home, 0).contains(&"whereabouts-conflict"));
    say(&mut home, 0, resident, (Whereabouts::Hospital, "2026-11-03T14:06"));
    assert!(!causes(&home, 0).contains(&"whereabouts-conflict"));
    is(&home, resident, "2026-11-03T15:00", Whereabouts::Hospital);
    is(&home, resident, "2026-11-03T14:05", Whereabouts::Present);
}

#[test]
fn a_living_resident_who_was_written_down_as_deceased_is_back_in_the_list() {
    let (mut home, resident) = home();
    home.cut();
    say(&mut home, 0, resident, (Whereabouts::Deceased, "2026-11-03T06:00"));
    say(&mut home, 1, resident, (Whereabouts::Hospital, "2026-11-03T05:00"));
    home.heal();
    assert!(
        home.resident(0, resident).is_here(home.now),
        "nobody falls off while it is not decided"
    );
    say(&mut home, 1, resident, (Whereabouts::Present, "2026-11-03T04:00"));
    is(&home, resident, "2026-11-03T15:00", Whereabouts::Present);
    for device in 0..2 {
        assert!(home.resident(device, resident).is_here(home.now), "device {device}");
    }
}

#[test]
fn what_is_said_now_of_an_earlier_time_holds_from_then_on() {
    let (mut home, resident) = home();
    say(&mut home, 0, resident, (Whereabouts::DayLeave, "2026-11-03T09:00"));
    say(&mut home, 0, resident, (Whereabouts::Present, "2026-11-03T15:00"));
    pass(&mut home, 1);
    // A minute later somebody who saw this says that they went at two, on the other device.
    say(&mut home, 1, resident, (Whereabouts::Hospital, "2026-11-03T14:00"));
    is(&home, resident, "2026-11-03T15:01", Whereabouts::Hospital);
    is(&home, resident, "2026-11-03T13:59", Whereabouts::DayLeave);
    assert_eq!(home.resident(0, resident).changes().len(), 2, "the present of three is ended");
    // The same whatever order the entries arrive in.
    for seed in 0..24 {
        let mut entries: Vec<_> = home.devices[0].held.all().cloned().collect();
        Dice(seed).shuffle(&mut entries);
        let mut held = Held::default();
        for entry in entries {
            held.take(&[entry]);
        }
        let found = held.picture.residents[&resident].whereabouts(at("2026-11-03T15:01"));
        assert_eq!(found, Whereabouts::Hospital, "seed {seed}");
    }
}

#[test]
fn a_return_opens_what_is_to_be_found_out_and_names_what_is_not_given_every_day() {
    let (mut home, resident) = home();
    home.now = at("2026-11-02T06:00");
    for (name, n) in [("Furosemide 40mg tablets", 3), ("Ramipril 5mg tablets", 1)] {
        let anchor = "2026-11-01".parse().expect("a date");
        let times = vec!["10:00".parse().expect("a time")];
        let schedule = Schedule::EveryDays { n, anchor, times };
        home.order(resident, named(name, plain(schedule)));
    }
    home.now = at("2026-11-05T09:00");
    say(&mut home, 0, resident, (Whereabouts::Hospital, "2026-11-03T14:00"));
    assert!(home.resident(0, resident).follow_ups().is_empty(), "nothing yet");
    say(&mut home, 0, resident, (Whereabouts::Present, "2026-11-05T08:00"));
    let waits = |home: &Home, device: usize| {
        let all = all_alerts(home, device).into_iter();
        let found = all.filter(|a| matches!(a.cause, Cause::FollowUp(_)));
        found.map(|a| (a.tier, a.owner)).collect::<Vec<_>>()
    };
    assert_eq!(waits(&home, 1), [(Tier::Amber, Owner::ShiftLead)], "and on the other device");
    let what = home.resident(0, resident).follow_ups()[0].what.to_owned();
    assert!(what.starts_with("back from hospital since Thu 5 Nov 2026 08:00"), "{what}");
    assert!(what.contains("Furosemide 40mg tablets, Wed 4 Nov 2026 10:00"), "{what}");
    assert!(!what.contains("Ramipril"), "{what}");
    // The time of the same return is corrected: one return, one follow-up.
    say(&mut home, 0, resident, (Whereabouts::Present, "2026-11-05T07:30"));
    assert_eq!(waits(&home, 0).len(), 1);
    let follow_up = home.resident(0, resident).follow_ups()[0].id;
    let (outcome, corrective_action) = ("the ward changed it".to_owned(), String::new());
    let ask = AskResident::CloseFollowUp { follow_up, outcome, corrective_action };
    home.ask(0, "NU", Ask::Resident(resident, ask)).expect("closed");
    assert_eq!(waits(&home, 1), []);
    let absence = home.resident(0, resident).last_absence(home.now).expect("they were away");
    assert_eq!((absence.from, absence.to), (at("2026-11-03T14:00"), at("2026-11-05T07:30")));
    // Written down as away in error, and put right: nobody was away.
    say(&mut home, 0, resident, (Whereabouts::Hospital, "2026-11-05T08:30"));
    say(&mut home, 0, resident, (Whereabouts::Present, "2026-11-05T08:30"));
    assert_eq!(waits(&home, 0), []);
}

#[test]
fn whoever_leaves_tomorrow_is_on_the_list_and_the_round_until_then() {
    let (mut home, resident) = home();
    say(&mut home, 0, resident, (Whereabouts::Discharged, "2026-11-04T10:00"));
    for (when, listed) in
        [("2026-11-03T15:00", 1), ("2026-11-04T09:59", 1), ("2026-11-04T10:00", 0)]
    {
        let found = mar::round::in_trolley_order(home.picture(0), at(when));
        assert_eq!(found.len(), listed, "{when}");
    }
}
