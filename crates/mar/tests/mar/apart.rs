//! What happens when devices do not hear each other (W-16), and what the merged record then says
//! (Y-01 to Y-03, Y-09, Y-11).

use crate::giving::{
    all_alerts, because, causes, due_between, give_prn, given, hold, note, pass, record, resume,
    rule, slot, stop,
};
use crate::home::{Home, administration, at};
use crate::orders_of::{controlled, daily, flagged, plain, tablets, when_required};
use mar::alerts::Cause;
use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Told};
use mar::due::DueState;
use mar::fact::{Check, DeviceRole, DoseFact, Draft, Fact, Kind, SealedSecret, SecondPerson};
use mar::ids::{OrderId, ResidentId};
use mar::order::{Content, Dose, Flags, State};
use mar::outcome::Outcome;
use mar::picture::{Recorded, Standing};
use mar::resident::{Allergies, Allergy, Identity};
use mar::staff::Employment;
use mar::time::{Minutes, Timestamp};
use std::sync::Arc;

/// A home with so many devices, one resident and one order, at eight on Tuesday morning.
fn home_with(devices: usize, content: Content) -> (Home, (ResidentId, OrderId)) {
    let mut home = Home::founded("2026-11-02T05:00");
    for _ in 1..devices {
        home.enrol(DeviceRole::Member);
    }
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, content);
    home.now = at("2026-11-03T08:00");
    (home, (resident, order))
}

const EIGHT: &str = "2026-11-03T08:00";

fn checked(told: Told) -> Told {
    Told { checked: Some("rang the lounge".into()), ..told }
}

fn gap(entries: &[Arc<Recorded>]) -> Option<Check> {
    let Fact::Dose(DoseFact::Recorded(recorded)) = &entries[0].fact else {
        panic!("no outcome: {entries:?}");
    };
    recorded.gap.as_ref().map(|g| g.check)
}

fn suspended() -> Employment {
    Employment::Suspended { reason: "under investigation".into() }
}

// --- W-16 ---------------------------------------------------------------------------------------

#[test]
fn while_a_device_is_unheard_a_dose_in_its_window_takes_one_question() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.cut();
    let refused = record(&mut home, (0, "CA"), whose, EIGHT, given());
    assert_eq!(rule(&refused), Some("W-16"));
    let refusal = refused.expect_err("refused");
    assert_eq!(refusal.unheard(), [home.devices[1].id]);
    assert!(refusal.to_string().contains("Device 1"), "{refusal}");
    let told = checked(given());
    let entries = record(&mut home, (0, "CA"), whose, EIGHT, told).expect("asked");
    assert_eq!(gap(&entries), Some(Check::Question));
    assert!(!causes(&home, 0).contains(&"review-alone"));
}

#[test]
fn what_was_not_given_is_recorded_without_a_question() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.cut();
    record(&mut home, (0, "CA"), whose, EIGHT, Told::of(Outcome::Asleep)).expect("asleep");
}

#[test]
fn when_required_controlled_and_out_of_window_doses_take_a_named_check() {
    let check = |content: Content, when: &str, witness, expected| {
        let (mut home, whose) = home_with(2, content);
        home.cut();
        home.now = at(when);
        home.witness = witness;
        let told = || Told { alone: true, ..because(checked(given()), "late") };
        let prn = home.resident(0, whose.0).orders[&whose.1]
            .version_at(home.now)
            .is_some_and(|v| v.content.prn().is_some());
        let answer = if prn {
            give_prn(&mut home, (0, "CA"), whose, told())
        } else {
            record(&mut home, (0, "CA"), whose, EIGHT, told())
        };
        let colleague = witness.map(|w| SecondPerson::Colleague(home.person(w)));
        let second = colleague.unwrap_or(SecondPerson::OwnStatement);
        let expected = if expected { Check::Named(second) } else { Check::Question };
        assert_eq!(gap(&answer.expect("checked")), Some(expected), "{when} {witness:?}");
        let own = expected == Check::Named(SecondPerson::OwnStatement);
        assert_eq!(causes(&home, 0).contains(&"review-alone"), own);
    };
    let eight = || plain(daily(&["08:00"]));
    check(eight(), "2026-11-03T09:00", None, false);
    check(eight(), "2026-11-03T09:01", None, true);
    check(eight(), "2026-11-03T09:01", Some("CB"), true);
    check(plain(when_required(None, None)), EIGHT, None, true);
    check(plain(when_required(None, None)), EIGHT, Some("CB"), true);
    check(controlled(eight()), EIGHT, None, true);
    check(controlled(eight()), EIGHT, Some("CB"), true);
    let insulin = Flags { insulin: true, anticoagulant: true, ..Flags::default() };
    check(flagged(insulin, eight()), EIGHT, None, false);
}

#[test]
fn only_devices_that_can_give_and_are_not_parked_count() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00", "09:00", "10:00"])));
    home.enrol(DeviceRole::Observer);
    home.devices[2].apart = true;
    record(&mut home, (0, "CA"), whose, EIGHT, given()).expect("an observer is not asked for");
    home.ask_as(1, mar::fact::Actor::Device, Ask::Home(AskHome::Park { parked: true }))
        .expect("parked");
    home.devices[1].apart = true;
    record(&mut home, (0, "CA"), whose, "2026-11-03T09:00", given()).expect("nor a parked one");
    // The parked device wakes and hears nobody: it must itself ask.
    let woken = record(&mut home, (1, "CB"), whose, "2026-11-03T09:00", given());
    assert_eq!(rule(&woken), Some("W-16"));
    home.ask_as(1, mar::fact::Actor::Device, Ask::Home(AskHome::Park { parked: false }))
        .expect("back");
    let refused = record(&mut home, (0, "CA"), whose, "2026-11-03T10:00", because(given(), "-"));
    assert!(refused.is_ok(), "it has not been heard to be back yet: {refused:?}");
}

#[test]
fn a_parked_device_that_wakes_alone_asks_even_when_all_others_are_parked() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    for device in [0, 1] {
        home.ask_as(device, mar::fact::Actor::Device, Ask::Home(AskHome::Park { parked: true }))
            .expect("parked");
    }
    home.cut();
    assert_eq!(rule(&record(&mut home, (0, "CA"), whose, EIGHT, given())), Some("W-16"));
    record(&mut home, (0, "CA"), whose, EIGHT, checked(given())).expect("asked");
}

#[test]
fn no_device_says_of_another_that_it_is_parked() {
    let (mut home, _) = home_with(2, plain(daily(&["08:00"])));
    let other = home.devices[1].id;
    let authority = home.picture(0).home.devices()[&home.devices[0].id].authority();
    let made = mar::fact::Made {
        command: mar::ids::CommandId([9; 16]),
        actor: mar::fact::Actor::Device,
        authority: authority.expect("the founding"),
        witness: None,
        base: vec![],
    };
    let parked = mar::fact::MembershipFact::DeviceParked { device: other, parked: true };
    let entry = home.write(0, Some(made), None, Fact::Membership(parked));
    assert_eq!(home.devices[1].held.standing(entry.id), Standing::Quarantined);
    assert!(!home.picture(0).home.devices()[&other].is_parked());
}

// --- what the merged record says -----------------------------------------------------------------

#[test]
fn a_second_device_giving_the_same_dose_shows_a_conflict_on_all() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00"])));
    home.cut();
    for (device, by) in [(0, "CA"), (1, "CB")] {
        record(&mut home, (device, by), whose, EIGHT, checked(given())).expect("apart");
        pass(&mut home, 3);
    }
    home.heal();
    for device in 0..3 {
        let found = all_alerts(&home, device);
        let doses = |cause: &Cause| {
            if let Cause::DoubleDose(_, doses) = cause { Some(doses.len()) } else { None }
        };
        let double = found.iter().find_map(|a| doses(&a.cause));
        assert_eq!(double, Some(2), "device {device}");
    }
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(home.picture(2), whose.0, (day, day), home.now).expect("a chart");
    let cell = &chart.orders[0].cells[0];
    assert!(cell.possible_double_dose);
    assert_eq!((cell.shown.is_some(), cell.others.len()), (true, 1), "both are kept");
}

#[test]
fn the_same_dose_from_two_versions_apart_is_a_possible_double_dose() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.now = at("2026-11-03T07:20");
    home.cut();
    let two = Content { dose: Dose::Fixed(tablets("2")), ..plain(daily(&["08:00"])) };
    home.rewritten(1, whose.0, whose.1, two).expect("a change on the other device");
    let check = AskOrder::Check { order: whose.1, version: None };
    home.ask(1, "SC", Ask::Order(whose.0, check)).expect("a check");
    pass(&mut home, 20);
    record(&mut home, (0, "CA"), whose, EIGHT, checked(given())).expect("from the old version");
    record(&mut home, (1, "CB"), whose, EIGHT, checked(given())).expect("from the new version");
    home.heal();
    for device in 0..2 {
        assert!(causes(&home, device).contains(&"possible-double-dose"));
    }
}

#[test]
fn when_required_doses_inside_their_interval_are_a_breach_after_the_merge() {
    let (mut home, whose) = home_with(2, plain(when_required(Some(240), Some("3"))));
    home.cut();
    for (device, by) in [(0, "CA"), (1, "CB")] {
        give_prn(&mut home, (device, by), whose, checked(given())).expect("apart");
        pass(&mut home, 60);
    }
    assert!(!causes(&home, 0).contains(&"interval-breach"));
    home.heal();
    for device in 0..2 {
        assert!(causes(&home, device).contains(&"interval-breach"), "device {device}");
        assert!(!causes(&home, device).contains(&"total-breach"));
    }
    let status = home.resident(0, whose.0).administrations.len();
    assert_eq!(status, 2);
    let again = give_prn(&mut home, (0, "CA"), whose, given());
    let earliest = again.expect_err("too soon").earliest();
    assert_eq!(earliest, Some(at("2026-11-03T09:00").plus(Minutes(240))), "from the later one");
}

#[test]
fn a_total_that_only_the_merged_record_passes_is_raised() {
    let (mut home, whose) = home_with(2, plain(when_required(Some(1), Some("2"))));
    home.cut();
    for (device, by) in [(0, "CA"), (0, "CA"), (1, "CB"), (1, "CB")] {
        give_prn(&mut home, (device, by), whose, checked(given())).expect("apart");
        pass(&mut home, 60);
    }
    home.heal();
    let causes = causes(&home, 1);
    assert_eq!(causes.iter().filter(|c| **c == "total-breach").count(), 2);
}

#[test]
fn two_weekly_doses_given_apart_are_a_breach() {
    let (mut home, whose) =
        home_with(2, plain(crate::orders_of::only_on(chrono::Weekday::Tue, &["08:00"])));
    home.now = at("2026-11-05T07:00");
    home.cut();
    let late = || because(checked(given()), "was out");
    record(&mut home, (0, "CA"), whose, EIGHT, late()).expect("two days late");
    home.now = at("2026-11-10T08:00");
    record(&mut home, (1, "CB"), whose, "2026-11-10T08:00", late()).expect("it knows of none");
    home.heal();
    assert!(causes(&home, 0).contains(&"interval-breach"));
}

#[test]
fn the_earlier_of_two_stops_holds_and_a_stop_beats_a_change() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00"])));
    home.cut();
    let early = at("2026-11-03T09:00");
    stop(&mut home, 0, whose, at("2026-11-04T09:00")).expect("a stop");
    stop(&mut home, 1, whose, early).expect("another");
    let two = Content { dose: Dose::Fixed(tablets("2")), ..plain(daily(&["08:00"])) };
    home.rewritten(2, whose.0, whose.1, two).expect("a change");
    let check = AskOrder::Check { order: whose.1, version: None };
    home.ask(2, "SC", Ask::Order(whose.0, check)).expect("a check");
    home.heal();
    for device in 0..3 {
        let history = &home.resident(device, whose.0).orders[&whose.1];
        assert_eq!(history.stopped_at(), Some(early));
        assert_eq!(history.state(early), State::Stopped);
        assert!(history.version_at(early).is_none());
    }
}

#[test]
fn a_hold_beats_a_resume_that_did_not_see_it() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    hold(&mut home, 0, whose).expect("held");
    home.cut();
    resume(&mut home, 0, whose).expect("resumed here");
    pass(&mut home, 1);
    resume(&mut home, 1, whose).expect("resumed there");
    hold(&mut home, 1, whose).expect("and held again");
    // The clock of the first says that its resume came last.
    home.devices[0].ahead = 7_200_000;
    home.heal();
    for device in 0..2 {
        let history = &home.resident(device, whose.0).orders[&whose.1];
        assert_eq!(history.state(home.now), State::Held);
        assert_eq!(history.held_spans().last().map(|s| s.1), Some(None));
    }
    resume(&mut home, 1, whose).expect("seen and resumed");
    home.spread();
    let history = &home.resident(0, whose.0).orders[&whose.1];
    assert_eq!(history.state(home.now), State::Active);
}

#[test]
fn allergies_written_apart_are_joined_and_none_known_takes_none_away() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00"])));
    home.cut();
    let allergy = |substance: &str| Allergy {
        substance: substance.into(),
        code: None,
        reaction: None,
        kind: None,
    };
    let write = |home: &mut Home, device, allergies| {
        let ask = Ask::Resident(whose.0, AskResident::WriteAllergies(allergies));
        home.ask(device, "NU", ask).expect("allergies");
        pass(home, 1);
    };
    write(&mut home, 0, Allergies::Recorded(vec![allergy("penicillin")]));
    write(&mut home, 1, Allergies::Recorded(vec![allergy("latex")]));
    write(&mut home, 2, Allergies::NoneKnown { by: "daughter".into(), on: None });
    home.heal();
    for device in 0..3 {
        let Allergies::Recorded(list) = home.resident(device, whose.0).allergies() else {
            panic!("they are recorded");
        };
        let names: Vec<_> = list.iter().map(|a| a.substance.as_str()).collect();
        assert_eq!(names, ["penicillin", "latex"]);
        assert!(causes(&home, device).contains(&"allergy-conflict"));
    }
    write(&mut home, 1, Allergies::NoneKnown { by: "Dr Bell".into(), on: None });
    assert!(matches!(home.resident(0, whose.0).allergies(), Allergies::NoneKnown { .. }));
}

#[test]
fn versions_written_apart_are_two_drafts_that_need_a_person() {
    let written = |home: &mut Home, whose: (ResidentId, OrderId)| {
        home.cut();
        for (device, count) in [(0, "2"), (1, "3")] {
            let dose = Dose::Fixed(tablets(count));
            let content = Content { dose, ..plain(daily(&["08:00"])) };
            home.rewritten(device, whose.0, whose.1, content).expect("a change");
            pass(home, 1);
        }
        home.heal();
        for device in 0..2 {
            let history = &home.resident(device, whose.0).orders[&whose.1];
            assert!(history.has_conflict());
            let followed = history.version_at(home.now).expect("the old one goes on");
            assert_eq!(followed.content.dose, Dose::Fixed(tablets("1")));
            assert!(causes(home, device).contains(&"order-conflict"));
        }
        let check = AskOrder::Check { order: whose.1, version: None };
        assert_eq!(rule(&home.ask(0, "SC", Ask::Order(whose.0, check))), Some("Y-01"));
    };
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    written(&mut home, whose);
    // A later version that saw both resolves it.
    let dose = Dose::Fixed(tablets("4"));
    let content = Content { dose, ..plain(daily(&["08:00"])) };
    home.rewritten(1, whose.0, whose.1, content).expect("decided");
    let check = || AskOrder::Check { order: whose.1, version: None };
    home.ask(0, "SC", Ask::Order(whose.0, check())).expect("a check");
    let history = &home.resident(1, whose.0).orders[&whose.1];
    assert!(!history.has_conflict());
    assert_eq!(
        history.version_at(home.now).map(|v| &v.content.dose),
        Some(&Dose::Fixed(tablets("4")))
    );

    // Or one of them is turned down.
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    written(&mut home, whose);
    let history = &home.resident(0, whose.0).orders[&whose.1];
    let third = history.versions().iter().find(|v| v.conflict).map(|v| v.version.id);
    let reject = AskOrder::Reject { order: whose.1, version: third, reason: "not this".into() };
    home.ask(0, "NU", Ask::Order(whose.0, reject)).expect("turned down");
    let check = AskOrder::Check { order: whose.1, version: None };
    home.ask(0, "SC", Ask::Order(whose.0, check)).expect("the other one");
    assert!(!home.resident(1, whose.0).orders[&whose.1].has_conflict());
}

#[test]
fn a_version_that_was_checked_apart_from_another_is_not_in_force_until_a_person_decides() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.cut();
    for (device, count) in [(0, "2"), (1, "3")] {
        let dose = Dose::Fixed(tablets(count));
        let content = Content { dose, ..plain(daily(&["08:00"])) };
        home.rewritten(device, whose.0, whose.1, content).expect("a change");
        let check = AskOrder::Check { order: whose.1, version: None };
        home.ask(device, "SC", Ask::Order(whose.0, check)).expect("checked on its device");
        pass(&mut home, 1);
    }
    home.heal();
    for device in 0..2 {
        let history = &home.resident(device, whose.0).orders[&whose.1];
        let followed = history.version_at(home.now).expect("the old one goes on");
        assert_eq!(followed.content.dose, Dose::Fixed(tablets("1")));
    }
}

#[test]
fn what_a_lost_device_wrote_between_two_others_makes_no_conflict_of_them() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00"])));
    for (device, given) in [(1, "First"), (2, "Second"), (0, "Third")] {
        let ask = AskResident::WriteIdentity(Identity::named("Shaw", given));
        home.ask(device, "NU", Ask::Resident(whose.0, ask)).expect("an identity");
    }
    let ask = AskHome::RevokeDevice {
        device: home.devices[2].id,
        last_valid: vec![],
        reason: "lost".into(),
    };
    home.ask(0, "MM", Ask::Home(ask)).expect("a revocation");
    let resident = home.resident(0, whose.0);
    assert_eq!(resident.identity().map(|i| i.given.as_str()), Some("Third"));
    assert!(resident.identity_conflict().is_empty());
}

#[test]
fn identities_written_apart_are_both_shown() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.cut();
    for (device, given) in [(0, "Gladys Ann"), (1, "Gladys Mary")] {
        let ask = AskResident::WriteIdentity(Identity::named("Shaw", given));
        home.ask(device, "NU", Ask::Resident(whose.0, ask)).expect("an identity");
        pass(&mut home, 1);
    }
    home.heal();
    for device in 0..2 {
        assert_eq!(home.resident(device, whose.0).identity_conflict().len(), 2);
        assert!(causes(&home, device).contains(&"identity-conflict"));
    }
    let ask = AskResident::WriteIdentity(Identity::named("Shaw", "Gladys"));
    home.ask(1, "NU", Ask::Resident(whose.0, ask)).expect("resolved");
    assert!(home.resident(0, whose.0).identity_conflict().is_empty());
}

#[test]
fn who_saw_the_other_wins_over_a_clock_that_is_years_ahead() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.devices[0].ahead = 5 * 365 * 86_400_000;
    let write = |home: &mut Home, device, given: &str| {
        let ask = AskResident::WriteIdentity(Identity::named("Shaw", given));
        home.ask(device, "NU", Ask::Resident(whose.0, ask)).expect("an identity");
    };
    write(&mut home, 0, "From the future");
    write(&mut home, 1, "Gladys");
    for device in 0..2 {
        let identity = home.resident(device, whose.0).identity().expect("an identity");
        assert_eq!(identity.given, "Gladys", "device {device}");
        assert!(home.resident(device, whose.0).identity_conflict().is_empty());
    }
}

// --- who counts ----------------------------------------------------------------------------------

#[test]
fn a_dose_by_somebody_suspended_meanwhile_counts_and_is_looked_at() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.cut();
    home.employ(0, "CA", suspended());
    let told = checked(given());
    let entries = record(&mut home, (1, "CA"), whose, EIGHT, told).expect("it does not know");
    home.heal();
    for device in 0..2 {
        assert_eq!(home.devices[device].held.standing(entries[0].id), Standing::NeedsReview);
        assert!(causes(&home, device).contains(&"in-doubt"));
        let due = due_between(&home, device, whose.0, (EIGHT, "2026-11-03T08:01"));
        assert_eq!(due[0].1, DueState::Recorded);
    }
}

#[test]
fn what_was_done_before_a_suspension_is_untouched_by_it() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    let entries = record(&mut home, (1, "CA"), whose, EIGHT, given()).expect("given");
    let order = home.drafted(whose.0, plain(daily(&["09:00"]))).expect("written by NU");
    home.employ(0, "CA", suspended());
    home.employ(0, "NU", suspended());
    assert_eq!(home.devices[1].held.standing(entries[0].id), Standing::InForce);
    let written = home.resident(1, whose.0).orders[&order].versions()[0].written.standing;
    assert_eq!(written, Standing::InForce);
}

#[test]
fn whoever_acts_after_seeing_their_own_suspension_is_out_of_role() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    let nurse = home.person("NU");
    let authority = home.picture(0).home.staff()[&nurse].authority().expect("active");
    let slot = slot(&home, 0, whose, EIGHT);
    home.employ(0, "NU", suspended());
    let seen = home.picture(1).home.staff()[&nurse].heads();
    // A program that does not ask the rules: under the old authority, having seen the new.
    let made = || mar::fact::Made {
        command: mar::ids::CommandId([9; 16]),
        actor: mar::fact::Actor::Staff(nurse),
        authority,
        witness: None,
        base: seen.clone(),
    };
    let fact = mar::fact::OrderFact::Stopped {
        order: whose.1,
        at: home.now,
        authorised_by: "herself".into(),
        reason: "why".into(),
    };
    let stopped = home.write(1, Some(made()), Some(whose.0), Fact::Order(fact));
    assert_eq!(home.devices[0].held.standing(stopped.id), Standing::Quarantined);
    let state = home.resident(0, whose.0).orders[&whose.1].state(home.now);
    assert_eq!(state, State::Active, "an order that is out of role has no effect");
    let recording = mar::fact::Recording {
        outcome: Outcome::Given,
        amount: Some(tablets("1")),
        given_at: home.now,
        reason: String::new(),
        readings: vec![],
        site: None,
        given_by: None,
        professional: None,
        timing_reason: String::new(),
    };
    let dose = mar::fact::OutcomeRecorded {
        administration: mar::ids::AdministrationId([4; 16]),
        order: whose.1,
        version: slot.version,
        slot: Some(slot),
        recording,
        prn: Some(note()),
        gap: None,
        prompts: vec![],
        second_dose_really: false,
    };
    let dose = home.write(1, Some(made()), Some(whose.0), Fact::Dose(DoseFact::Recorded(dose)));
    assert_eq!(home.devices[0].held.standing(dose.id), Standing::NeedsReview);
    let due = due_between(&home, 0, whose.0, (EIGHT, "2026-11-03T08:01"));
    assert_eq!(due[0].1, DueState::Recorded, "a dose that is out of role counts and is flagged");
    assert!(causes(&home, 0).contains(&"in-doubt"));
    // Reinstated, the same person acts again.
    home.employ(0, "NU", Employment::Active);
    stop(&mut home, 1, whose, at("2026-11-03T20:00")).expect("in role again");
    assert!(home.resident(0, whose.0).orders[&whose.1].stopped_at().is_some());
}

#[test]
fn a_change_of_role_apart_from_a_suspension_hides_none_of_it() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.cut();
    let carer = home.person("CA");
    home.employ(0, "CA", suspended());
    let known = home.picture(1).home.person(carer).expect("a carer").clone();
    let details = mar::staff::Staff { name: "CA Newname".into(), ..known };
    let ask = Ask::Home(AskHome::WriteStaff { staff: carer, details });
    home.ask(1, "MM", ask).expect("a new name");
    let told = checked(given());
    let entries = record(&mut home, (1, "CA"), whose, EIGHT, told).expect("under the new name");
    home.heal();
    assert_eq!(home.devices[0].held.standing(entries[0].id), Standing::NeedsReview);
    let person = home.picture(0).home.person(carer).expect("a carer");
    assert_ne!(person.standing, Employment::Active, "suspended in one of two is suspended");
}

#[test]
fn a_revoked_device_s_later_entries_do_not_count_and_its_earlier_do() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00", "09:00"])));
    let before = record(&mut home, (2, "CA"), whose, EIGHT, given()).expect("before");
    home.devices[2].apart = true;
    let (told, nine) = (checked(given()), "2026-11-03T09:00");
    home.revoke(0, 2);
    let after = record(&mut home, (2, "CA"), whose, nine, told).expect("it does not know");
    home.heal();
    for device in 0..3 {
        let held = &home.devices[device].held;
        assert_eq!(held.standing(before[0].id), Standing::InForce);
        assert_eq!(held.standing(after[0].id), Standing::Quarantined);
        let due = due_between(&home, device, whose.0, (nine, "2026-11-03T09:01"));
        assert_eq!(due[0].1, DueState::Due, "it is shown, and does not count");
        assert!(causes(&home, device).contains(&"in-doubt"));
    }
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(home.picture(0), whose.0, (day, day), home.now).expect("a chart");
    let id = administration(&after);
    let shown = chart.orders[0].unscheduled.iter().any(|d| d.administration == id);
    assert!(shown, "nothing recorded is left off the chart");
    let refused = record(&mut home, (2, "CA"), whose, nine, given());
    assert_eq!(rule(&refused), Some("Y-07"));
}

#[test]
fn who_acted_under_what_a_lost_device_wrote_is_judged_again() {
    let (mut home, whose) = home_with(3, plain(daily(&["08:00"])));
    let carer = home.person("CA");
    // A new name and nothing else: the same role, active as before.
    let known = home.picture(2).home.person(carer).expect("a carer").clone();
    let details = mar::staff::Staff { name: "CA Newname".into(), ..known };
    let ask = Ask::Home(AskHome::WriteStaff { staff: carer, details });
    home.ask(2, "MM", ask).expect("a new name");
    let entries = record(&mut home, (1, "CA"), whose, EIGHT, given()).expect("given");
    assert_eq!(home.devices[0].held.standing(entries[0].id), Standing::InForce);
    let ask = AskHome::RevokeDevice {
        device: home.devices[2].id,
        last_valid: vec![],
        reason: "lost".into(),
    };
    home.ask(0, "MM", Ask::Home(ask)).expect("a revocation");
    for device in 0..3 {
        let standing = home.devices[device].held.standing(entries[0].id);
        assert_eq!(standing, Standing::NeedsReview, "device {device}");
    }
}

#[test]
fn a_log_that_a_revocation_does_not_list_does_not_count_at_all() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    let entries = record(&mut home, (1, "CA"), whose, EIGHT, given()).expect("given");
    let ask = AskHome::RevokeDevice {
        device: home.devices[1].id,
        last_valid: vec![],
        reason: "cloned".into(),
    };
    home.ask(0, "MM", Ask::Home(ask)).expect("a revocation");
    assert_eq!(home.devices[0].held.standing(entries[0].id), Standing::Quarantined);
}

#[test]
fn two_devices_that_revoke_each_other_come_to_one_answer() {
    let (mut home, _) = home_with(3, plain(daily(&["08:00"])));
    home.cut();
    home.revoke(1, 2);
    pass(&mut home, 1);
    home.revoke(2, 1);
    home.heal();
    for device in 0..3 {
        let devices = home.picture(device).home.devices();
        assert!(devices[&home.devices[1].id].is_active(), "the earlier revocation holds");
        assert!(!devices[&home.devices[2].id].is_active());
    }
}

/// Bug: a stolen device that was put out undid it by putting out, with an early time of its own
/// making, the device that had done it.
/// Cause: of two devices that revoke each other the earlier stamp won, and each writes its own.
/// Fix: the device nearer to the founding wins; only between two equally near ones the stamp does.
#[test]
fn a_stolen_device_does_not_put_out_the_one_that_enrolled_it_by_an_early_time() {
    let (mut home, _) = home_with(1, plain(daily(&["08:00"])));
    let trolley = home.enrol(DeviceRole::Member);
    let tablet = home.enrol_by(trolley, DeviceRole::Member);
    let steps =
        |home: &Home, d: usize| home.picture(0).home.steps_from_founding(home.devices[d].id);
    // It does not come nearer by enrolling itself anew.
    let own = home.devices[tablet].id;
    let keys = home.picture(0).home.devices()[&own].enrolment().expect("enrolled").0.clone();
    let ask = AskHome::EnrolDevice { keys, role: DeviceRole::Member };
    home.ask(tablet, "MM", Ask::Home(ask)).expect("an enrolment");
    assert_eq!([0, trolley, tablet].map(|d| steps(&home, d)), [Some(0), Some(1), Some(2)]);
    for (by, stolen) in [(trolley, tablet), (0, trolley)] {
        home.cut();
        // Its clock is an hour slow, and it does not hear of its own revocation.
        home.revoke(stolen, by);
        pass(&mut home, 60);
        home.revoke(by, stolen);
        home.heal();
        for device in 0..3 {
            let devices = home.picture(device).home.devices();
            assert!(devices[&home.devices[by].id].is_active(), "{by} stays, says {device}");
            assert!(!devices[&home.devices[stolen].id].is_active());
        }
    }
}

/// A secret as its maker seals it: to itself and to these; or as it is passed on, to these only.
fn secret(home: &Home, generation: u32, to: &[usize]) -> SealedSecret {
    let sealed = to.iter().map(|device| (home.devices[*device].id, vec![1])).collect();
    SealedSecret { generation, sealed, recovery: vec![1], because: None }
}

/// Bug: a device that sealed a secret of the greatest number knew the home's newest secret for
/// ever after it had been put out.
/// Cause: the greatest number was the newest, whoever had sealed it.
/// Fix: no number beyond a gap counts, and no secret of a device that was put out since is used.
#[test]
fn a_device_that_was_put_out_leaves_no_secret_that_is_used_afterwards() {
    let (mut home, _) = home_with(3, plain(daily(&["08:00"])));
    let seal = |home: &mut Home, by: usize, secret: SealedSecret| {
        home.ask(by, "MM", Ask::Home(AskHome::SealSecret(secret))).expect("a secret");
    };
    let used = |home: &Home| {
        let last = home.picture(1).home.secrets_to_use().last().map(|s| (*s).clone());
        last.expect("a secret to use")
    };
    for generation in [u32::MAX, 2, 4] {
        let stolen = secret(&home, generation, &[0, 1, 2]);
        seal(&mut home, 2, stolen);
    }
    assert_eq!(home.picture(1).home.last_generation(), 2);
    assert_eq!(used(&home).generation, 2, "it is one of the home's still");
    // The first device passes on what it holds to another, before anything is known.
    let passed_on = secret(&home, 2, &[1]);
    seal(&mut home, 0, passed_on);
    home.revoke(0, 2);
    assert_eq!(used(&home).generation, 1, "what is passed on is not known to be another");
    for generation in [3, 4] {
        let own = secret(&home, generation, &[0, 1]);
        seal(&mut home, 0, own.clone());
        assert_eq!(used(&home), own);
    }
    assert_eq!(home.picture(1).home.last_generation(), 4);
}

#[test]
fn an_observer_s_dose_does_not_count() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    let observer = home.enrol(DeviceRole::Observer);
    assert_eq!(rule(&record(&mut home, (observer, "CA"), whose, EIGHT, given())), Some("U-01"));
    // What a member would write, in an observer's log.
    let slot = slot(&home, 0, whose, EIGHT);
    let ask = AskDose::Record { slot, told: given() };
    let actor = mar::fact::Actor::Staff(home.person("CA"));
    let draft = home.decide(0, actor, Ask::Dose(whose.0, ask)).expect("a draft").remove(0);
    let entry = home.write(observer, draft.made, draft.subject, draft.fact);
    assert_eq!(home.devices[0].held.standing(entry.id), Standing::Quarantined);
    let due = due_between(&home, 0, whose.0, (EIGHT, "2026-11-03T08:01"));
    assert_eq!(due[0].1, DueState::Due);
}

#[test]
fn a_clinical_kind_that_is_not_known_stops_giving_for_its_resident_only() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    let other = home.admit("Bell", "Ann");
    let hers = home.order(other, plain(daily(&["09:00"])));
    home.now = at(EIGHT);
    let unknown = |class| Kind { class, number: 700 };
    let draft = Draft { subject: Some(whose.0), made: None, fact: Fact::Unknown };
    home.write_kind(1, unknown(4), draft.clone());
    assert!(!home.resident(0, whose.0).needs_update(), "a kind that is not clinical stops nothing");
    home.write_kind(1, unknown(3 | mar::fact::CLINICAL), draft);
    assert_eq!(rule(&record(&mut home, (0, "CA"), whose, EIGHT, given())), Some("Y-11"));
    let asleep = Told::of(Outcome::Asleep);
    record(&mut home, (0, "CA"), whose, EIGHT, asleep).expect("what is not giving goes on");
    let hers = (other, hers);
    home.now = at("2026-11-03T09:00");
    record(&mut home, (0, "CA"), hers, "2026-11-03T09:00", given()).expect("another resident");
    assert!(causes(&home, 0).contains(&"update-this-device"));
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(home.picture(0), whose.0, (day, day), home.now).expect("a chart");
    assert_eq!(chart.orders[0].cells.len(), 1, "everything is still shown");
    assert!(chart.needs_update, "and that something is not");
}

#[test]
fn an_unknown_kind_of_a_device_that_was_put_out_stops_nothing() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    home.devices[1].apart = true;
    home.revoke(0, 1);
    let draft = Draft { subject: Some(whose.0), made: None, fact: Fact::Unknown };
    home.write_kind(1, Kind { class: 3 | mar::fact::CLINICAL, number: 700 }, draft);
    home.heal();
    assert!(!home.resident(0, whose.0).needs_update());
    record(&mut home, (0, "CA"), whose, EIGHT, given()).expect("given");
}

#[test]
fn a_dose_from_an_order_that_does_not_count_is_counted_and_shown() {
    let (mut home, whose) = home_with(2, plain(when_required(Some(240), Some("8"))));
    home.cut();
    home.employ(0, "NU", suspended());
    let prn = crate::orders_of::paracetamol("2", when_required(None, None));
    let id = OrderId([6; 16]);
    home.rewritten(1, whose.0, id, prn.clone()).expect("written apart");
    home.ask(1, "SC", Ask::Order(whose.0, AskOrder::Check { order: id, version: None }))
        .expect("a check");
    let told = checked(given());
    give_prn(&mut home, (1, "CA"), (whose.0, id), told).expect("given there");
    // The device is lost, and what it wrote of orders is not to count; its doses were given.
    let log = home.devices[1].log;
    let order = home.resident(1, whose.0).orders[&id].versions()[0].written.clone();
    let mut held = home.devices[0].held.clone();
    held.take(&home.devices[1].held.all().cloned().collect::<Vec<_>>());
    let quarantined = Recorded { standing: Standing::Quarantined, ..(*order).clone() };
    assert_eq!(quarantined.stamp.log, log);
    held.picture.apply(&Arc::new(quarantined));
    let resident = &held.picture.residents[&whose.0];
    let taken = mar::rules::taken(&held.picture.home, resident, Timestamp(0));
    assert_eq!(taken.len(), 1, "what was taken counts whatever became of its order");
    let day = "2026-11-03".parse().expect("a date");
    let chart = mar::chart::chart(&held.picture, whose.0, (day, day), home.now).expect("a chart");
    let shown: usize = chart.orders.iter().map(|o| o.unscheduled.len()).sum();
    assert_eq!(shown, 1);
    assert_eq!(
        prn.medicine.name,
        chart.orders.iter().find(|o| o.order == id).expect("shown").version.content.medicine.name
    );
}

#[test]
fn a_dose_whose_order_is_not_held_yet_is_told() {
    let (mut home, whose) = home_with(2, plain(daily(&["08:00"])));
    let entries = record(&mut home, (0, "CA"), whose, EIGHT, given()).expect("given");
    let without: Vec<_> =
        home.devices[0].held.all().filter(|e| !matches!(e.fact, Fact::Order(_))).cloned().collect();
    let mut held = crate::home::Held::default();
    held.take(&without);
    let found = mar::alerts::alerts(&held.picture, home.now);
    assert!(found.iter().any(|a| a.cause == Cause::InDoubt(entries[0].id)));
}
