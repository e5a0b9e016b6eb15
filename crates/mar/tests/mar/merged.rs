//! What only the merged record finds, and what it then shows on every device, as long as it stands:
//! a dose after a stop, doses too near, two words on where somebody is (A-02, Y-02, Y-09).

use crate::away::is_at;
use crate::dice::Dice;
use crate::giving::{
    all_alerts, because, causes, give_prn, given, hold, pass, record, resume, rule, stop,
};
use crate::happened::{four_hourly, really};
use crate::home::{Held, Home, administration, at};
use crate::orders_of::{daily, flagged, plain};
use mar::alerts::alerts;
use mar::chart::chart;
use mar::command::{Ask, AskDose, AskResident, Told};
use mar::fact::DeviceRole;
use mar::ids::{AdministrationId, OrderId, ResidentId};
use mar::order::{Content, Flags};
use mar::outcome::{Outcome, Practice};
use mar::resident::Whereabouts;
use mar::round::{round_at, stops};
use mar::rules::Finding;
use std::collections::BTreeSet;

const EIGHT: &str = "2026-11-03T08:00";

fn home_with(devices: usize, content: Content) -> (Home, (ResidentId, OrderId)) {
    let mut home = Home::founded("2026-11-02T05:00");
    for _ in 1..devices {
        home.enrol(DeviceRole::Member);
    }
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, content);
    home.now = at(EIGHT);
    (home, (resident, order))
}

fn checked(told: Told) -> Told {
    Told { checked: Some("rang the lounge".into()), ..told }
}

/// What a device's chart of the day says of a dose.
#[track_caller]
fn marked(home: &Home, device: usize, resident: ResidentId, id: AdministrationId) -> Vec<Finding> {
    let day = "2026-11-03".parse().expect("a date");
    let chart = chart(home.picture(device), resident, (day, day), home.now).expect("a chart");
    let boxed = chart.orders.iter().flat_map(|o| &o.cells);
    let boxed = boxed.flat_map(|c| c.shown.iter().chain(&c.others));
    let mut all = boxed.chain(chart.orders.iter().flat_map(|o| &o.unscheduled));
    let dose = all.find(|d| d.administration == id).expect("the dose is on the chart");
    dose.findings.iter().copied().collect()
}

/// The alerts, whatever order the entries arrive in, one at a time.
fn same_in_any_order(home: &Home) {
    let expected = all_alerts(home, 0);
    for device in 1..home.devices.len() {
        assert_eq!(all_alerts(home, device), expected, "device {device}");
    }
    for seed in 0..24 {
        let mut entries: Vec<_> = home.devices[0].held.all().cloned().collect();
        Dice(seed).shuffle(&mut entries);
        let mut held = Held::default();
        for entry in entries {
            held.take(&[entry]);
        }
        assert_eq!(alerts(&held.picture, home.now), expected, "seed {seed}");
    }
}

#[test]
fn a_dose_given_after_a_stop_that_its_device_had_not_heard_of_is_raised_on_every_device() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00"])));
    home.cut();
    let now = home.now;
    stop(&mut home, 1, whose, now).expect("stopped on the other device");
    pass(&mut home, 10);
    let dose = record(&mut home, (0, "CA"), whose, EIGHT, checked(given())).expect("unheard of");
    assert!(!causes(&home, 0).contains(&"given-after-stop"), "it cannot know yet");
    home.heal();
    for device in 0..3 {
        assert_eq!(causes(&home, device).iter().filter(|c| **c == "given-after-stop").count(), 1);
        let findings = marked(&home, device, whose.0, administration(&dose));
        assert_eq!(findings, [Finding::AfterStop], "device {device}");
    }
    assert!(all_alerts(&home, 2).iter().any(|a| a.cause.is_conflict()), "conflicts lists it");
    same_in_any_order(&home);
}

#[test]
fn a_dose_given_here_while_another_device_had_the_resident_away_asks_on_every_device() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00"])));
    home.cut();
    is_at(&mut home, whose.0, Whereabouts::Hospital, "2026-11-03T07:55");
    pass(&mut home, 10);
    let dose = record(&mut home, (1, "CA"), whose, EIGHT, checked(given())).expect("unheard of");
    assert!(!causes(&home, 1).contains(&"given-while-away"), "it cannot know yet");
    home.heal();
    for device in 0..3 {
        assert_eq!(causes(&home, device).iter().filter(|c| **c == "given-while-away").count(), 1);
        let findings = marked(&home, device, whose.0, administration(&dose));
        assert_eq!(findings, [Finding::WhileAway], "device {device}");
    }
    same_in_any_order(&home);
    // They left later than was written, and had the dose before.
    is_at(&mut home, whose.0, Whereabouts::Present, "2026-11-03T07:55");
    pass(&mut home, 60);
    is_at(&mut home, whose.0, Whereabouts::Hospital, "2026-11-03T09:00");
    assert!(!causes(&home, 0).contains(&"given-while-away"));
}

#[test]
fn a_dose_given_while_another_device_had_its_order_held_is_raised_on_every_device() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00", "09:00", "10:00"])));
    home.cut();
    let before = record(&mut home, (0, "CA"), whose, EIGHT, checked(given())).expect("before it");
    pass(&mut home, 55);
    hold(&mut home, 1, whose).expect("held on the other device");
    pass(&mut home, 10);
    let nine = "2026-11-03T09:00";
    let dose = record(&mut home, (0, "CA"), whose, nine, checked(given())).expect("unheard of");
    assert!(!causes(&home, 0).contains(&"given-while-held"), "it cannot know yet");
    home.heal();
    pass(&mut home, 30);
    resume(&mut home, 2, whose).expect("given again");
    pass(&mut home, 20);
    let ten = "2026-11-03T10:00";
    let after = record(&mut home, (0, "CA"), whose, ten, given()).expect("no longer held");
    for device in 0..3 {
        assert_eq!(causes(&home, device).iter().filter(|c| **c == "given-while-held").count(), 1);
        let of = |entries: &[_]| marked(&home, device, whose.0, administration(entries));
        assert_eq!(of(&dose), [Finding::WhileHeld], "device {device}");
        assert_eq!((of(&before), of(&after)), (vec![], vec![]), "device {device}");
    }
    assert!(all_alerts(&home, 2).iter().any(|a| a.cause.is_conflict()), "conflicts lists it");
    same_in_any_order(&home);
}

#[test]
fn a_hold_is_found_of_no_rescue_medicine_and_of_nothing_that_others_gave() {
    let elsewhere = Told::of(Outcome::Practice(Practice::GivenElsewhere));
    let rescue = flagged(Flags { rescue: true, ..Flags::default() }, plain(daily(&["08:00"])));
    for (content, told) in [(rescue, given()), (plain(daily(&["08:00"])), elsewhere)] {
        let (mut home, whose) = home_with(2, content);
        home.cut();
        hold(&mut home, 1, whose).expect("held on the other device");
        pass(&mut home, 10);
        let told = checked(because(told, "the ambulance"));
        record(&mut home, (0, "CA"), whose, EIGHT, told).expect("unheard of");
        home.heal();
        assert!(!causes(&home, 0).contains(&"given-while-held"), "{:?}", all_alerts(&home, 0));
    }
}

#[test]
fn a_dose_before_the_stop_and_one_taken_back_are_not_raised() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00", "09:00"])));
    home.cut();
    record(&mut home, (0, "CA"), whose, EIGHT, checked(given())).expect("before the stop");
    pass(&mut home, 30);
    let now = home.now;
    stop(&mut home, 1, whose, now).expect("stopped");
    pass(&mut home, 30);
    let after = record(&mut home, (0, "CA"), whose, "2026-11-03T09:00", checked(given()));
    home.heal();
    assert_eq!(causes(&home, 1).iter().filter(|c| **c == "given-after-stop").count(), 1);
    let administration = administration(&after.expect("given"));
    let reason = "it was not taken".to_owned();
    let correct = || {
        let reason = reason.clone();
        Ask::Dose(whose.0, AskDose::Correct { administration, instead: None, reason, alone: false })
    };
    assert_eq!(rule(&home.ask(1, "SC", correct())), Some("D-13"), "what was found takes two");
    home.witness = Some("CB");
    home.ask(1, "SC", correct()).expect("taken back");
    for device in 0..2 {
        assert!(!causes(&home, device).contains(&"given-after-stop"), "device {device}");
    }
    same_in_any_order(&home);
}

#[test]
fn a_correction_that_puts_a_dose_after_the_stop_says_that_it_was_so() {
    let (mut home, whose) = home_with(1, plain(daily(&["08:00"])));
    let dose = record(&mut home, (0, "CA"), whose, EIGHT, given()).expect("given");
    pass(&mut home, 10);
    let now = home.now;
    stop(&mut home, 0, whose, now).expect("stopped");
    home.now = at("2026-11-03T09:00");
    let administration = administration(&dose);
    let mut correct = |told: Told| {
        let told = Told { given_at: Some(at("2026-11-03T08:30")), ..told };
        let (instead, reason) = (Some(told), "it was half past".to_owned());
        let ask = AskDose::Correct { administration, instead, reason, alone: false };
        home.ask(0, "CA", Ask::Dose(whose.0, ask))
    };
    let refused = correct(given());
    assert_eq!(rule(&refused), Some("O-11"));
    assert!(refused.expect_err("refused").to_string().contains("--already-given"));
    let entries = correct(really(given(), "2026-11-03T08:30")).expect("as it was");
    assert_eq!(entries.len(), 2, "with its incident");
    assert_eq!(causes(&home, 0).iter().filter(|c| **c == "given-after-stop").count(), 1);
    assert!(!causes(&home, 0).contains(&"follow-up"), "one event, one line (A-01)");
}

#[test]
fn doses_too_near_are_marked_on_the_chart_whoever_recorded_them() {
    // On one device with --already-given, by a correction, and on two that were apart.
    for way in ["already given", "corrected", "apart"] {
        let (mut home, whose) = home_with(2, four_hourly());
        if way == "apart" {
            home.cut();
            give_prn(&mut home, (1, "CA"), whose, checked(given())).expect("there");
        } else {
            give_prn(&mut home, (0, "CA"), whose, given()).expect("the first");
        }
        home.now = at("2026-11-03T13:00");
        let second = match way {
            "already given" => {
                give_prn(&mut home, (0, "CB"), whose, really(given(), "2026-11-03T10:00"))
            }
            "corrected" => {
                let second = give_prn(&mut home, (0, "CB"), whose, given()).expect("in time");
                let administration = administration(&second);
                let instead = Some(really(given(), "2026-11-03T10:00"));
                let reason = "it was ten".to_owned();
                let ask = AskDose::Correct { administration, instead, reason, alone: false };
                home.ask(0, "CB", Ask::Dose(whose.0, ask)).expect("corrected");
                Ok(second)
            }
            _ => {
                home.now = at("2026-11-03T10:00");
                give_prn(&mut home, (0, "CB"), whose, checked(given()))
            }
        };
        let second = administration(&second.expect("given"));
        home.heal();
        // Long after the interval has passed it still stands there.
        home.now = at("2026-11-20T12:00");
        for device in 0..2 {
            assert!(causes(&home, device).contains(&"interval-breach"), "{way}, device {device}");
            let findings = marked(&home, device, whose.0, second);
            assert_eq!(findings, [Finding::TooSoon], "{way}, device {device}");
        }
        same_in_any_order(&home);
    }
}

#[test]
fn both_doses_of_a_slot_are_marked_even_when_the_slot_is_gone() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.cut();
    let mut doses = BTreeSet::new();
    for (device, by) in [(0, "CA"), (1, "CB")] {
        let entries = record(&mut home, (device, by), whose, EIGHT, checked(given()));
        doses.insert(administration(&entries.expect("apart")));
        pass(&mut home, 3);
    }
    stop(&mut home, 1, whose, at("2026-11-03T07:00")).expect("stopped as of seven");
    home.heal();
    for device in 0..2 {
        for dose in &doses {
            let findings = marked(&home, device, whose.0, *dose);
            assert_eq!(findings, [Finding::DoubleDose, Finding::AfterStop], "device {device}");
        }
    }
}

#[test]
fn two_words_on_where_somebody_is_are_both_shown_until_somebody_says_which_is_right() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    is_at(&mut home, whose.0, Whereabouts::DayLeave, "2026-11-03T07:00");
    home.cut();
    let away = |home: &mut Home, device, whereabouts, from: &str| {
        let second = Some(home.person("SC"));
        let status =
            mar::resident::Status { whereabouts, from: at(from), note: String::new(), second };
        home.ask(device, "NU", Ask::Resident(whose.0, AskResident::ChangeStatus(status)))
            .expect("a change");
    };
    away(&mut home, 0, Whereabouts::Present, "2026-11-03T07:40");
    pass(&mut home, 1);
    away(&mut home, 1, Whereabouts::Hospital, "2026-11-03T07:30");
    assert!(!causes(&home, 1).contains(&"whereabouts-conflict"));
    home.heal();
    for device in 0..2 {
        assert!(causes(&home, device).contains(&"whereabouts-conflict"), "device {device}");
        let both = home.resident(device, whose.0).whereabouts_apart();
        let both: Vec<_> = both.iter().map(|(_, s)| s.whereabouts).collect();
        assert_eq!(both, [Whereabouts::Present, Whereabouts::Hospital]);
    }
    same_in_any_order(&home);
    away(&mut home, 1, Whereabouts::Present, "2026-11-03T08:00");
    for device in 0..2 {
        assert!(!causes(&home, device).contains(&"whereabouts-conflict"), "device {device}");
    }
}

#[test]
fn devices_that_say_the_same_or_saw_each_other_make_no_conflict() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    // One after the other, on two devices that hear each other.
    is_at(&mut home, whose.0, Whereabouts::Hospital, "2026-11-03T06:00");
    let back = |whereabouts, from: &str| mar::resident::Status {
        whereabouts,
        from: at(from),
        note: String::new(),
        second: None,
    };
    let say = |home: &mut Home, device, whereabouts, from: &str| {
        let ask = AskResident::ChangeStatus(back(whereabouts, from));
        home.ask(device, "NU", Ask::Resident(whose.0, ask)).expect("a change");
    };
    say(&mut home, 1, Whereabouts::Present, "2026-11-03T07:00");
    assert!(!causes(&home, 0).contains(&"whereabouts-conflict"));
    home.cut();
    say(&mut home, 0, Whereabouts::Hospital, "2026-11-03T07:30");
    say(&mut home, 1, Whereabouts::Hospital, "2026-11-03T07:45");
    home.heal();
    assert!(!causes(&home, 0).contains(&"whereabouts-conflict"), "both say hospital");
}

#[test]
fn nobody_falls_off_the_round_while_one_device_says_discharged_and_another_present() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.cut();
    let second = Some(home.person("SC"));
    for (device, whereabouts, from) in [
        (0, Whereabouts::Hospital, "2026-11-03T06:00"),
        (1, Whereabouts::Discharged, "2026-11-03T07:00"),
    ] {
        let status =
            mar::resident::Status { whereabouts, from: at(from), note: String::new(), second };
        home.ask(device, "NU", Ask::Resident(whose.0, AskResident::ChangeStatus(status)))
            .expect("a change");
    }
    home.heal();
    for device in 0..2 {
        let picture = home.picture(device);
        let span = round_at(&picture.home, home.now).expect("a round");
        let found = stops(picture, &span, None, home.now);
        assert!(found.iter().any(|s| s.resident.id == whose.0), "device {device}");
    }
}
