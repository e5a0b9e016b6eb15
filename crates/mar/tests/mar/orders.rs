//! Orders: written by one, checked by another, held, stopped (O-01 to O-12, S-05, P-01, W-09).

use crate::giving::{give_prn, given, hold, pass, record, resume, rule, slot, stop};
use crate::home::{Home, at};
use crate::orders_of::{
    daily, named, one_or_two, only_on, paracetamol, plain, q, rounds, tablets, times, when_required,
};
use mar::command::{Ask, AskHome, AskOrder, AskResident};
use mar::ids::{OrderId, ResidentId};
use mar::medicine::Medicine;
use mar::order::{Content, Dose, Grade, Proposal, SameMeaning, State, Stated};
use mar::quantity::Amount;
use mar::resident::{Allergies, Allergy};
use mar::schedule::{Days, Schedule};
use mar::settings::Settings;
use mar::time::{Minutes, Timestamp};

fn home() -> (Home, ResidentId) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    (home, resident)
}

/// Whether an order with this content can be written, and by which rule not.
#[track_caller]
fn check_written(content: Content, refused: Option<&str>) {
    let (mut home, resident) = home();
    let answer = home.drafted(resident, content);
    assert_eq!(rule(&answer), refused, "{answer:?}");
}

fn state(home: &Home, device: usize, (resident, order): (ResidentId, OrderId)) -> State {
    home.resident(device, resident).orders[&order].state(home.now)
}

fn check_ask(order: OrderId) -> AskOrder {
    AskOrder::Check { order, version: None }
}

#[test]
fn an_order_without_a_mandatory_part_is_not_written() {
    let eight = || plain(daily(&["08:00"]));
    check_written(eight(), None);
    check_written(named(" ", eight()), Some("O-01"));
    check_written(Content { route: String::new(), ..eight() }, Some("O-01"));
    let no_unit = Dose::Fixed(Amount::new(q("1"), " "));
    check_written(Content { dose: no_unit, ..eight() }, Some("O-01"));
    check_written(Content { dose: Dose::Fixed(tablets("0")), ..eight() }, Some("O-01"));
    let coded = Medicine { dmd: Some("39113611000001102".into()), ..eight().medicine };
    check_written(Content { medicine: coded.clone(), ..eight() }, Some("O-01"));
    let with_form = Medicine { form: Some("tablet".into()), ..coded };
    check_written(Content { medicine: with_form, ..eight() }, None);
    let unit = mar::quantity::Unit::new("tablet");
    let upside_down = Dose::Range { from: q("2"), to: q("1"), unit };
    check_written(Content { dose: upside_down, ..eight() }, Some("O-01"));
    let no_reason = Content { indication: None, ..plain(when_required(Some(240), Some("8"))) };
    check_written(no_reason, Some("O-01"));
    check_written(Content { indication: None, ..eight() }, None);
}

#[test]
fn a_schedule_that_cannot_be_is_not_written() {
    let with = |schedule| plain(schedule);
    let anchor = "2026-11-02".parse().expect("a date");
    check_written(with(daily(&[])), Some("S-02"));
    check_written(with(rounds(&[])), Some("S-02"));
    check_written(with(rounds(&["elevenses"])), Some("S-02"));
    check_written(
        with(Schedule::EveryHours { n: 0, anchor: at("2026-11-02T08:00") }),
        Some("S-02"),
    );
    let every = |n, list: &[&str]| Schedule::EveryDays { n, anchor, times: times(list) };
    check_written(with(every(0, &["08:00"])), Some("S-02"));
    check_written(with(every(1, &[])), Some("S-02"));
    let begins = plain(daily(&["08:00"])).start;
    let ends = Content { stop: Some(begins), ..plain(daily(&["08:00"])) };
    check_written(ends, Some("S-02"));
}

#[test]
fn methotrexate_is_never_scheduled_more_often_than_weekly() {
    let monday = chrono::Weekday::Mon;
    let anchor = "2026-11-02".parse().expect("a date");
    let with = |schedule| named("Methotrexate 2.5mg tablets", plain(schedule));
    let every = |n| Schedule::EveryDays { n, anchor, times: times(&["08:00"]) };
    let weeks = |n, days| Schedule::EveryWeeks { n, anchor, days, times: times(&["08:00"]) };
    let two_days = Days::of(&[monday, chrono::Weekday::Thu]);
    check_written(with(daily(&["08:00"])), Some("S-05"));
    check_written(with(rounds(&["morning"])), Some("S-05"));
    check_written(with(only_on(monday, &["08:00", "20:00"])), Some("S-05"));
    check_written(with(every(6)), Some("S-05"));
    check_written(with(weeks(1, two_days)), Some("S-05"));
    check_written(with(when_required(Some(10_080), Some("1"))), Some("S-05"));
    check_written(
        with(Schedule::EveryHours { n: 167, anchor: at("2026-11-02T08:00") }),
        Some("S-05"),
    );
    check_written(with(only_on(monday, &["08:00"])), None);
    check_written(with(every(7)), None);
    check_written(with(weeks(1, Days::of(&[monday]))), None);
    check_written(with(Schedule::EveryHours { n: 168, anchor: at("2026-11-02T08:00") }), None);
    check_written(with(Schedule::Once { at: at("2026-11-03T08:00") }), None);
}

#[test]
fn a_when_required_order_states_its_limits_or_that_nobody_did() {
    let with = |change: fn(&mut mar::order::Prn)| {
        let mut content = one_or_two(plain(when_required(Some(240), Some("8"))));
        if let Schedule::WhenRequired(prn) = &mut content.schedule {
            change(prn);
        }
        content
    };
    check_written(with(|_| {}), None);
    check_written(with(|p| p.min_interval = Stated::As(Minutes(0))), Some("P-01"));
    check_written(with(|p| p.min_interval = Stated::NotStated { asked: " ".into() }), Some("P-01"));
    check_written(with(|p| p.min_interval = Stated::NotStated { asked: "asked".into() }), None);
    check_written(with(|p| p.max_24h = Stated::NotStated { asked: String::new() }), Some("P-01"));
    check_written(with(|p| p.max_24h = Stated::NotStated { asked: "asked".into() }), None);
    check_written(with(|p| p.max_24h = Stated::As(Amount::new(q("8"), "ml"))), Some("P-01"));
    check_written(with(|p| p.max_24h = Stated::As(tablets("0.5"))), Some("P-01"));
    check_written(with(|p| p.max_24h = Stated::As(tablets("1"))), None);
}

#[test]
fn without_a_stated_interval_a_dose_is_held_up_by_nothing_but_its_ingredient() {
    for (content, second) in [
        (plain(when_required(None, None)), None),
        (paracetamol("1", when_required(None, None)), Some("P-02")),
    ] {
        let (mut home, resident) = home();
        let order = home.order(resident, content);
        pass(&mut home, 60);
        give_prn(&mut home, (0, "CA"), (resident, order), given()).expect("the first");
        pass(&mut home, 1);
        let again = give_prn(&mut home, (0, "CA"), (resident, order), given());
        assert_eq!(rule(&again), second);
    }
}

#[test]
fn nobody_checks_their_own_order_on_any_device() {
    let (mut home, resident) = home();
    let tablet = home.enrol(mar::fact::DeviceRole::Member);
    let order = home.drafted(resident, plain(daily(&["08:00"]))).expect("written");
    assert_eq!(state(&home, 0, (resident, order)), State::AwaitingSecondCheck);
    for device in [0, tablet] {
        let own = home.ask(device, "NU", Ask::Order(resident, check_ask(order)));
        assert_eq!(rule(&own), Some("O-02"));
        let carer = home.ask(device, "CA", Ask::Order(resident, check_ask(order)));
        assert_eq!(rule(&carer), Some("U-01"));
    }
    // Even a check that another program let through does not count for the fold.
    let version = home.resident(0, resident).orders[&order].versions()[0].version.id;
    let authority = home.picture(0).home.staff()[&home.person("NU")].authority().expect("active");
    let made = mar::fact::Made {
        command: mar::ids::CommandId([9; 16]),
        actor: mar::fact::Actor::Staff(home.person("NU")),
        authority,
        witness: None,
        base: vec![],
    };
    let fact = mar::fact::OrderFact::Checked { order, version };
    home.write(tablet, Some(made), Some(resident), mar::fact::Fact::Order(fact));
    assert_eq!(state(&home, 0, (resident, order)), State::AwaitingSecondCheck);
    home.ask(tablet, "SC", Ask::Order(resident, check_ask(order))).expect("another's check");
    assert_eq!(state(&home, 0, (resident, order)), State::Active);
    let twice = home.ask(0, "MM", Ask::Order(resident, check_ask(order)));
    assert_eq!(rule(&twice), Some("O-02"));
}

#[test]
fn a_draft_cannot_be_given_and_slots_begin_with_the_check() {
    let (mut home, resident) = home();
    home.now = at("2026-11-03T08:30");
    let order = home.drafted(resident, plain(daily(&["08:00", "12:00"]))).expect("written");
    let span = ("2026-11-03T00:00", "2026-11-04T00:00");
    assert!(crate::giving::due_between(&home, 0, resident, span).is_empty());
    let prn = home.drafted(resident, plain(when_required(None, None))).expect("written");
    let draft = give_prn(&mut home, (0, "CA"), (resident, prn), given());
    assert_eq!(rule(&draft), Some("O-11"));
    home.ask(0, "SC", Ask::Order(resident, check_ask(order))).expect("a check");
    let due = crate::giving::due_between(&home, 0, resident, span);
    // The window of 08:00 was open at the check: whether it was given elsewhere is asked (W-11).
    let keys: Vec<String> = due.iter().map(|d| d.0.key.to_string()).collect();
    assert_eq!(keys, ["0800", "1200"]);
    home.now = at("2026-11-03T10:30");
    let state = |due: &[(mar::schedule::SlotId, mar::due::DueState)]| due[0].1;
    let due = crate::giving::due_between(&home, 0, resident, span);
    assert_eq!(state(&due), mar::due::DueState::NotDue, "too near 12:00: no longer to be given");
}

#[test]
fn activation_alone_is_owed_a_check_and_does_not_lapse() {
    let (mut home, resident) = home();
    let order = home.drafted(resident, plain(daily(&["08:00"]))).expect("written");
    let alone = |reason: &str| AskOrder::ActivateAlone { order, reason: reason.into() };
    assert_eq!(rule(&home.ask(0, "NU", Ask::Order(resident, alone("")))), Some("R-02"));
    home.ask(0, "NU", Ask::Order(resident, alone("night, nobody else"))).expect("alone");
    assert_eq!(state(&home, 0, (resident, order)), State::Active);
    assert!(crate::giving::causes(&home, 0).contains(&"check-owed"));
    pass(&mut home, 3 * 24 * 60);
    assert_eq!(state(&home, 0, (resident, order)), State::Active);
    home.ask(0, "SC", Ask::Order(resident, check_ask(order))).expect("the owed check");
    assert!(!crate::giving::causes(&home, 0).contains(&"check-owed"));
}

#[test]
fn a_whole_page_is_checked_in_one_sitting_or_not_at_all() {
    let (mut home, resident) = home();
    let mut page = Vec::new();
    for time in ["08:00", "12:00", "18:00"] {
        let order = home.drafted(resident, plain(daily(&[time]))).expect("written");
        let version = home.resident(0, resident).orders[&order].versions()[0].version.id;
        page.push((order, version));
    }
    let ask = |lines: &[(OrderId, mar::ids::VersionId)]| {
        Ask::Resident(resident, AskResident::CheckPage(lines.to_vec()))
    };
    let mut wrong = page.clone();
    wrong.push((page[0].0, mar::ids::VersionId([0; 16])));
    assert!(home.ask(0, "SC", ask(&wrong)).is_err());
    assert_eq!(state(&home, 0, (resident, page[0].0)), State::AwaitingSecondCheck);
    assert_eq!(rule(&home.ask(0, "NU", ask(&page))), Some("O-02"), "the writer herself");
    assert_eq!(home.ask(0, "SC", ask(&page)).expect("the page").len(), 3);
    for (order, _) in page {
        assert_eq!(state(&home, 0, (resident, order)), State::Active);
    }
}

#[test]
fn a_page_that_cannot_be_checked_names_the_line_and_why() {
    let (mut home, resident) = home();
    let good = home.drafted(resident, plain(daily(&["08:00"]))).expect("written");
    let heavy = paracetamol("3", daily(&["08:00", "12:00", "18:00", "22:00"]));
    let heavy = home.drafted(resident, heavy).expect("written");
    let page = [good, heavy]
        .map(|order| (order, home.resident(0, resident).orders[&order].versions()[0].version.id));
    let ask = |lines: &[(OrderId, mar::ids::VersionId)]| {
        Ask::Resident(resident, AskResident::CheckPage(lines.to_vec()))
    };
    let refusal = home.ask(0, "SC", ask(&page)).expect_err("too much paracetamol");
    assert_eq!(refusal.rule(), "W-01");
    let lines = refusal.page_lines();
    assert_eq!(lines.iter().map(|l| l.order).collect::<Vec<_>>(), [heavy]);
    let words = refusal.to_string();
    for part in ["Paracetamol 500mg tablets", "4,000 mg", &format!("--order {good}")] {
        assert!(words.contains(part), "{part}: {words}");
    }
    home.ask(0, "SC", ask(&page[..1])).expect("the line that stands");
    assert_eq!(state(&home, 0, (resident, good)), State::Active);
}

#[test]
fn a_regular_order_s_own_limits_are_checked_however_it_is_activated() {
    let too_much = || paracetamol("3", daily(&["08:00", "12:00", "18:00", "22:00"]));
    let (mut home, resident) = home();
    let order = home.drafted(resident, too_much()).expect("written");
    let version = home.resident(0, resident).orders[&order].versions()[0].version.id;
    let asks = [
        Ask::Order(resident, check_ask(order)),
        Ask::Order(resident, AskOrder::ActivateAlone { order, reason: "night".into() }),
        Ask::Resident(resident, AskResident::CheckPage(vec![(order, version)])),
    ];
    for ask in asks {
        assert_eq!(rule(&home.ask(0, "SC", ask)), Some("W-01"));
    }
    // Two orders that are right alone and too much together, on one page.
    let mut page = Vec::new();
    for _ in 0..2 {
        let order = home
            .drafted(resident, paracetamol("2", daily(&["08:00", "13:00", "19:00"])))
            .expect("written");
        let version = home.resident(0, resident).orders[&order].versions()[0].version.id;
        page.push((order, version));
    }
    let both = Ask::Resident(resident, AskResident::CheckPage(page.clone()));
    assert_eq!(rule(&home.ask(0, "SC", both)), Some("W-01"));
    home.ask(0, "SC", Ask::Order(resident, check_ask(page[0].0))).expect("the first alone");
    let second = home.ask(0, "SC", Ask::Order(resident, check_ask(page[1].0)));
    assert_eq!(rule(&second), Some("W-01"));
}

#[test]
fn four_grams_a_day_may_be_checked_in_the_week_before_the_clocks_change() {
    for day in ["2027-03-24T09:00", "2026-10-21T09:00"] {
        let mut home = Home::founded(day);
        let resident = home.admit("Shaw", "Gladys");
        home.order(resident, paracetamol("2", daily(&["08:00", "12:00", "18:00", "22:00"])));
        home.order(resident, plain(daily(&["08:00"])));
    }
}

#[test]
fn times_closer_than_the_order_s_own_gap_could_never_be_given() {
    let (mut home, resident) = home();
    let order =
        home.drafted(resident, paracetamol("1", daily(&["08:00", "11:59"]))).expect("written");
    let answer = home.ask(0, "SC", Ask::Order(resident, check_ask(order)));
    assert_eq!(rule(&answer), Some("S-02"));
    home.order(resident, paracetamol("1", daily(&["08:00", "12:00"])));
}

#[test]
fn a_change_is_a_new_version_and_the_old_one_ends_where_it_begins() {
    let (mut home, resident) = home();
    let order = home.order(resident, plain(daily(&["08:00"])));
    home.now = at("2026-11-03T09:00");
    let two = Content { dose: Dose::Fixed(tablets("2")), ..plain(daily(&["08:00"])) };
    let from = at("2026-11-05T00:00");
    home.rewritten(0, resident, order, Content { start: from, ..two }).expect("a change");
    let version_at = |home: &Home, when: &str| {
        let history = &home.resident(0, resident).orders[&order];
        history.version_at(at(when)).map(|v| v.content.dose.clone())
    };
    let one = Some(Dose::Fixed(tablets("1")));
    assert_eq!(version_at(&home, "2026-11-06T08:00"), one, "unchecked: the old one holds");
    home.ask(0, "SC", Ask::Order(resident, check_ask(order))).expect("a check");
    assert_eq!(version_at(&home, "2026-11-04T23:59"), one);
    assert_eq!(version_at(&home, "2026-11-05T00:00"), Some(Dose::Fixed(tablets("2"))));
    let history = &home.resident(0, resident).orders[&order];
    let spans: Vec<_> = history.versions().iter().map(|v| (v.from.is_some(), v.to)).collect();
    assert_eq!(spans, [(true, Some(from)), (true, None)], "the old one stays, ruled through");
}

#[test]
fn the_sender_s_words_are_compared_before_a_proposal_is_confirmed() {
    let (mut home, resident) = home();
    let order = OrderId([5; 16]);
    let proposal = Proposal {
        medicine: Medicine::uncoded("Ramipril 5mg tablets"),
        words: vec!["one in the morning".into()],
        grade: Grade::Clear,
        remarks: vec![],
        dose: None,
        schedule: None,
        route: None,
        start: None,
        last_issued: None,
        external: vec![],
    };
    home.ask(0, "NU", Ask::Order(resident, AskOrder::Propose { order, proposal })).expect("kept");
    assert_eq!(state(&home, 0, (resident, order)), State::Proposal);
    let confirm = |same_meaning| {
        let content = plain(daily(&["08:00"]));
        let ask = AskOrder::Write {
            order,
            content,
            same_meaning,
            allergy_decided: None,
            intended: Some("both are meant".into()),
            label_read: None,
        };
        Ask::Order(resident, ask)
    };
    assert_eq!(rule(&home.ask(0, "NU", confirm(None))), Some("O-05"));
    home.ask(0, "NU", confirm(Some(SameMeaning::Same))).expect("confirmed");
    assert_eq!(state(&home, 0, (resident, order)), State::AwaitingSecondCheck);
    let settings = Settings::new("Willow House", Default::default());
    let words = mar::words::directions(&plain(daily(&["08:00", "20:00"])), &settings);
    assert!(words.starts_with("Take ONE tablet by mouth at 08:00 and 20:00."), "{words}");
}

#[test]
fn after_a_stop_nothing_is_given_but_what_was_given_before_it_is_entered() {
    let (mut home, resident) = home();
    let order = home.order(resident, plain(daily(&["08:00", "12:00"])));
    let prn = home.order(resident, plain(when_required(Some(60), None)));
    home.now = at("2026-11-03T11:00");
    let noon = slot(&home, 0, (resident, order), "2026-11-03T12:00");
    for order in [order, prn] {
        stop(&mut home, 0, (resident, order), at("2026-11-03T10:00")).expect("stopped");
        assert_eq!(state(&home, 0, (resident, order)), State::Stopped);
    }
    let told = mar::command::AskDose::Record { slot: noon, told: given() };
    assert_eq!(rule(&home.ask(0, "CA", Ask::Dose(resident, told))), Some("O-11"));
    let now = give_prn(&mut home, (0, "CA"), (resident, prn), given());
    assert_eq!(rule(&now), Some("O-11"));
    let when = |text: &str| mar::command::Told {
        given_at: Some(at(text)),
        ..crate::giving::because(given(), "entered late")
    };
    let after = give_prn(&mut home, (0, "CA"), (resident, prn), when("2026-11-03T10:00"));
    assert_eq!(rule(&after), Some("O-11"));
    give_prn(&mut home, (0, "CA"), (resident, prn), when("2026-11-03T09:59")).expect("before");
    record(&mut home, (0, "CA"), (resident, order), "2026-11-03T08:00", when("2026-11-03T08:05"))
        .expect("before");
    let again = home.rewritten(0, resident, order, plain(daily(&["08:00"])));
    assert_eq!(rule(&again), Some("O-02"), "a stop is final");
}

#[test]
fn a_stop_and_a_hold_say_who_and_why() {
    let (mut home, resident) = home();
    let order = home.order(resident, plain(daily(&["08:00"])));
    let stop = |by: &str, reason: &str| AskOrder::Stop {
        order,
        at: Timestamp(0),
        authorised_by: by.into(),
        reason: reason.into(),
    };
    for ask in [stop("", "why"), stop("Dr Bell", " ")] {
        assert_eq!(rule(&home.ask(0, "NU", Ask::Order(resident, ask))), Some("O-11"));
    }
    let no_reason = AskOrder::Hold { order, reason: " ".into(), review: None };
    assert!(home.ask(0, "NU", Ask::Order(resident, no_reason)).is_err());
    assert_eq!(rule(&resume(&mut home, 0, (resident, order))), Some("O-02"), "it is not held");
    hold(&mut home, 0, (resident, order)).expect("held");
    assert_eq!(state(&home, 0, (resident, order)), State::Held);
    assert_eq!(rule(&hold(&mut home, 0, (resident, order))), Some("O-02"));
}

#[test]
fn a_resume_on_a_device_whose_clock_is_behind_frees_the_order() {
    let (mut home, resident) = home();
    let tablet = home.enrol(mar::fact::DeviceRole::Member);
    let order = home.order(resident, plain(daily(&["12:00"])));
    home.now = at("2026-11-03T09:00");
    hold(&mut home, 0, (resident, order)).expect("held");
    home.devices[tablet].ahead = -10 * 60_000;
    pass(&mut home, 5);
    resume(&mut home, tablet, (resident, order)).expect("resumed five minutes later");
    assert_eq!(state(&home, 0, (resident, order)), State::Active);
    home.now = at("2026-11-03T12:00");
    record(&mut home, (0, "CA"), (resident, order), "2026-11-03T12:00", given()).expect("given");
}

#[test]
fn an_order_that_reached_its_own_end_is_over_and_may_be_written_on() {
    let (mut home, resident) = home();
    let ends = Content { stop: Some(at("2026-11-04T00:00")), ..plain(daily(&["08:00"])) };
    let order = home.order(resident, ends);
    home.now = Timestamp(at("2026-11-04T00:00").0 - 1);
    assert_eq!(state(&home, 0, (resident, order)), State::Active);
    home.now = at("2026-11-04T00:00");
    assert_eq!(state(&home, 0, (resident, order)), State::Stopped);
    home.rewritten(0, resident, order, plain(daily(&["08:00"]))).expect("the course is extended");
    home.ask(0, "SC", Ask::Order(resident, check_ask(order))).expect("a check");
    assert_eq!(state(&home, 0, (resident, order)), State::Active);
}

#[test]
fn an_allergy_is_decided_at_the_order_by_substance_or_class() {
    let check = |substance: &str, medicine: &str, refused: Option<&str>| {
        let (mut home, resident) = home();
        let allergy = Allergy {
            substance: substance.into(),
            code: None,
            reaction: Some("rash".into()),
            kind: None,
        };
        let list = AskResident::WriteAllergies(Allergies::Recorded(vec![allergy]));
        home.ask(0, "NU", Ask::Resident(resident, list)).expect("allergies");
        let content = named(medicine, plain(daily(&["08:00"])));
        let answer = home.drafted(resident, content.clone());
        assert_eq!(rule(&answer), refused, "{substance} and {medicine}");
        let ask = AskOrder::Write {
            order: OrderId([6; 16]),
            content,
            same_meaning: None,
            allergy_decided: Some("Dr Bell: mild, accepted".into()),
            intended: Some("both are meant".into()),
            label_read: None,
        };
        home.ask(0, "NU", Ask::Order(resident, ask)).expect("decided with the prescriber");
    };
    check("Penicillin", "Amoxicillin 500mg capsules", Some("O-09"));
    check("amoxicillin", "Flucloxacillin 250mg capsules", Some("O-09"));
    check("Penicillin", "Augmentin 625mg tablets", Some("O-09"));
    check("amoxicillin", "Magnapen 500mg capsules", Some("O-09"));
    check("Ramipril", "Ramipril 5mg tablets", Some("O-09"));
    check("Penicillin", "Paracetamol 500mg tablets", None);
}

#[test]
fn a_round_with_orders_in_it_cannot_go() {
    let (mut home, resident) = home();
    let order = home.order(resident, plain(rounds(&["tea"])));
    let today = home.now.civil(crate::home::ZONE).date();
    let mut settings = Settings::new("Willow House", today);
    settings.rounds.retain(|r| r.id != "tea");
    let set = Ask::Home(AskHome::SetSettings(settings));
    assert_eq!(rule(&home.ask(0, "MM", set.clone())), Some("S-11"));
    let now = home.now;
    stop(&mut home, 0, (resident, order), now).expect("stopped");
    home.ask(0, "MM", set).expect("nothing is due in it any more");
}
