//! Whether an order can be what was meant: against the words as they were read, against its form,
//! and against the resident's other orders.
//!
//! Faults: "One To Be Taken Twice A Day" could be confirmed to 50 tablets as the same meaning; a
//! tablet could be dosed in ml; the same medicine became active twice without a question.

use crate::giving::{causes, rule};
use crate::home::{Home, at};
use crate::orders_of::{daily, named, only_on, plain, rounds, tablets, when_required};
use mar::command::{Ask, AskOrder};
use mar::fact::DeviceRole;
use mar::ids::{OrderId, ResidentId};
use mar::medicine::{CdCategory, Medicine};
use mar::order::{AsRead, Content, Dose, Grade, Proposal, SameMeaning, State};
use mar::plausible::{differences, same_medicine, unit_fits};
use mar::quantity::{Amount, Unit};
use mar::schedule::Schedule;

const ORDER: OrderId = OrderId([70; 16]);

fn home() -> (Home, ResidentId) {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    (home, resident)
}

/// Asks to write an order with what somebody says beside it.
fn write(
    (resident, order): (ResidentId, OrderId),
    content: Content,
    same_meaning: Option<SameMeaning>,
    intended: Option<&str>,
) -> Ask {
    let ask = AskOrder::Write {
        order,
        content,
        same_meaning,
        allergy_decided: None,
        intended: intended.map(str::to_owned),
        label_read: None,
    };
    Ask::Order(resident, ask)
}

fn check(resident: ResidentId, order: OrderId) -> Ask {
    Ask::Order(resident, AskOrder::Check { order, version: None })
}

/// "One To Be Taken Twice A Day", as it was read.
fn twice_a_day() -> Proposal {
    Proposal {
        medicine: Medicine::uncoded("Apixaban 5mg tablets"),
        words: vec!["One To Be Taken Twice A Day".into()],
        grade: Grade::Clear,
        remarks: vec![],
        dose: Some(Dose::Fixed(tablets("1"))),
        schedule: Some(rounds(&["morning", "tea"])),
        route: Some("oral".into()),
        start: None,
        last_issued: None,
        external: vec![],
    }
}

fn proposed() -> (Home, ResidentId) {
    let (mut home, resident) = home();
    let ask = AskOrder::Propose { order: ORDER, proposal: twice_a_day() };
    home.ask(0, "NU", Ask::Order(resident, ask)).expect("kept");
    (home, resident)
}

fn apixaban(count: &str, schedule: Schedule) -> Content {
    let dose = Dose::Fixed(tablets(count));
    Content { dose, ..named("Apixaban 5mg tablets", plain(schedule)) }
}

#[test]
fn fifty_tablets_are_not_the_same_meaning_as_one() {
    let twice = || daily(&["08:00", "20:00"]);
    let litre = Dose::Fixed(Amount::new("1".parse().expect("one"), "capsule"));
    for (content, part) in [
        (apixaban("50", twice()), "ONE tablet, and this order says 50 tablets"),
        (Content { dose: litre, ..apixaban("1", twice()) }, "ONE capsule"),
        (apixaban("1", daily(&["08:00", "14:00", "20:00"])), "3 times a day"),
        (apixaban("1", daily(&["08:00"])), "once a day"),
        (apixaban("1", when_required(Some(240), Some("4"))), "when required"),
        (apixaban("1", only_on(chrono::Weekday::Mon, &["08:00", "20:00"])), "on Monday"),
    ] {
        let (mut home, resident) = proposed();
        let whose = (resident, ORDER);
        let same = write(whose, content.clone(), Some(SameMeaning::Same), None);
        let refusal = home.ask(0, "NU", same).expect_err(part);
        assert_eq!(refusal.rule(), "O-05");
        assert!(refusal.to_string().contains(part), "{part}: {refusal}");
        let blank = write(whose, content.clone(), Some(SameMeaning::Differs(" ".into())), None);
        assert_eq!(rule(&home.ask(0, "NU", blank)), Some("R-02"));
        let why = SameMeaning::Differs("Dr Bell, 2 Nov: changed to 50 tablets".into());
        let differs = write(whose, content, Some(why.clone()), None);
        home.ask(0, "NU", differs).expect("with its reason");
        // It is kept, and the second person's check stands on it.
        home.ask(0, "SC", check(resident, ORDER)).expect("checked");
        let history = &home.resident(0, resident).orders[&ORDER];
        assert_eq!(history.versions()[0].version.same_meaning, Some(why));
    }
}

#[test]
fn the_home_chooses_the_times_and_writes_the_same_dose_in_another_unit() {
    let reading = twice_a_day().reading();
    assert!(differences(&apixaban("1", daily(&["09:00", "21:00"])), &reading).is_empty());
    let every_12 = Schedule::EveryHours { n: 12, anchor: at("2026-11-02T08:00") };
    assert!(differences(&apixaban("1", every_12), &reading).is_empty());
    // "10 mg" of tablets of 500 mg each is no tablet, and 1,000 mg are two.
    let mg = |value: &str| AsRead {
        dose: Some(Dose::Fixed(Amount::new(value.parse().expect("mg"), "mg"))),
        schedule: None,
    };
    let two = crate::orders_of::paracetamol("2", daily(&["08:00"]));
    assert!(differences(&two, &mg("1000")).is_empty());
    assert_eq!(differences(&two, &mg("10")).len(), 1);
}

#[test]
fn words_that_the_sender_changed_after_the_confirmation_stop_the_check() {
    let (mut home, resident) = proposed();
    let content = apixaban("1", daily(&["08:00", "20:00"]));
    let confirm = write((resident, ORDER), content, Some(SameMeaning::Same), None);
    home.ask(0, "NU", confirm).expect("confirmed");
    let changed = Proposal {
        words: vec!["Two To Be Taken Twice A Day".into()],
        dose: Some(Dose::Fixed(tablets("2"))),
        ..twice_a_day()
    };
    let ask = AskOrder::Propose { order: ORDER, proposal: changed };
    home.ask(0, "NU", Ask::Order(resident, ask)).expect("sent again");
    let checked = home.ask(0, "SC", check(resident, ORDER));
    assert_eq!(rule(&checked), Some("O-05"));
}

#[test]
fn what_the_label_was_read_as_counts_where_nobody_sent_anything() {
    let (mut home, resident) = home();
    let ask = AskOrder::Write {
        order: ORDER,
        content: apixaban("4", daily(&["08:00", "20:00"])),
        same_meaning: None,
        allergy_decided: None,
        intended: None,
        label_read: Some(twice_a_day().reading()),
    };
    assert_eq!(rule(&home.ask(0, "NU", Ask::Order(resident, ask))), Some("O-05"));
}

#[test]
fn a_tablet_is_not_dosed_in_ml_and_a_syrup_not_in_tablets() {
    let fits = |name: &str, form: Option<&str>, unit: &str| {
        let medicine = Medicine { form: form.map(str::to_owned), ..Medicine::uncoded(name) };
        unit_fits(&medicine, &Unit::new(unit))
    };
    for (name, form, unit, expected) in [
        ("Apixaban 5mg tablets", Some("tablet"), "ml", false),
        ("Apixaban 5mg tablets", None, "ml", false),
        ("Apixaban 5mg tablets", None, "tablet", true),
        ("Ramipril 5mg capsules", Some("capsule"), "tablet", true),
        ("Ramipril 5mg capsules", Some("capsule"), "mg", true),
        ("Lactulose 3.1g/5ml oral solution", None, "tablet", false),
        ("Lactulose 3.1g/5ml oral solution", None, "ml", true),
        ("Fentanyl 12micrograms/hour transdermal patches", None, "tablet", false),
        ("Fentanyl 12micrograms/hour transdermal patches", None, "patch", true),
        ("Aspirin 75mg dispersible tablets", None, "ml", true),
        ("Macrogol compound oral powder sachets", None, "sachet", true),
        ("Insulin glargine 100units/ml solution for injection", None, "unit", true),
        ("Something new", Some("film"), "film", true),
        ("Salbutamol 100micrograms/dose inhaler", None, "puff", true),
    ] {
        assert_eq!(fits(name, form, unit), expected, "{name} in {unit}");
    }
    let (mut home, resident) = home();
    let ml = Dose::Fixed(Amount::new("5".parse().expect("five"), "ml"));
    let content = Content { dose: ml, ..plain(daily(&["08:00"])) };
    let refusal = home.drafted(resident, content).expect_err("a tablet in ml");
    assert_eq!(refusal.rule(), "O-01");
}

#[test]
fn the_same_medicine_is_known_by_code_ingredient_or_name() {
    let is_same = |a: &str, b: &str| same_medicine(&Medicine::uncoded(a), &Medicine::uncoded(b));
    assert!(is_same("Apixaban 5mg tablets", "APIXABAN 2.5mg tablets"));
    assert!(is_same("Levothyroxine sodium 25microgram tablets", "Levothyroxine 100mcg tablets"));
    assert!(!is_same("Sodium chloride 5% eye drops", "Sodium valproate 200mg tablets"));
    assert!(!is_same("Ramipril 5mg tablets", "Apixaban 5mg tablets"));
    let coded = |name: &str| Medicine { dmd: Some("1".into()), ..Medicine::uncoded(name) };
    assert!(same_medicine(&coded("Eliquis 5mg tablets"), &coded("Apixaban 5mg tablets")));
    let paracetamol = crate::orders_of::paracetamol("1", daily(&["08:00"])).medicine;
    assert!(same_medicine(&paracetamol, &Medicine::uncoded("Paracetamol 250mg/5ml suspension")));
}

#[test]
fn the_same_medicine_a_second_time_asks_whether_it_is_intended() {
    let (mut home, resident) = home();
    let once = || apixaban("1", daily(&["08:00"]));
    let other = OrderId([71; 16]);
    home.ask(0, "NU", write((resident, ORDER), once(), None, None)).expect("the first");
    // Waiting, and then active: both ask.
    for _ in 0..2 {
        let twin = home.ask(0, "NU", write((resident, other), once(), None, None));
        let refusal = twin.expect_err("a twin");
        assert_eq!(refusal.rule(), "O-08");
        assert!(refusal.to_string().contains(&ORDER.to_string()), "{refusal}");
        if home.resident(0, resident).orders[&ORDER].state(home.now) != State::Active {
            home.ask(0, "SC", check(resident, ORDER)).expect("checked");
        }
    }
    let meant = write((resident, other), once(), None, Some("bridging, Dr Bell"));
    home.ask(0, "NU", meant).expect("intended");
    home.ask(0, "SC", check(resident, other)).expect("checked");
    let history = &home.resident(0, resident).orders[&other];
    let intended = history.versions()[0].version.intended.clone().expect("kept");
    assert_eq!((intended.with, intended.reason.as_str()), (vec![ORDER], "bridging, Dr Bell"));
    assert!(!causes(&home, 0).contains(&"same-medicine-twice"));
    // One course after another is no double.
    let third = OrderId([72; 16]);
    let later = Content { start: at("2027-01-01T00:00"), ..once() };
    let refused = home.ask(0, "NU", write((resident, third), later, None, None));
    assert_eq!(rule(&refused), Some("O-08"), "the others have no end");
}

#[test]
fn a_course_after_another_course_is_no_twin() {
    let (mut home, resident) = home();
    let end = at("2026-11-09T00:00");
    let first = Content { stop: Some(end), ..apixaban("1", daily(&["08:00"])) };
    let second = Content { start: end, ..apixaban("2", daily(&["08:00"])) };
    home.ask(0, "NU", write((resident, ORDER), first, None, None)).expect("the first");
    let after = write((resident, OrderId([71; 16])), second, None, None);
    home.ask(0, "NU", after).expect("the second");
}

#[test]
fn twins_written_apart_stop_each_other_s_check_and_checked_apart_are_raised() {
    let (mut home, resident) = home();
    let tablet = home.enrol(DeviceRole::Member);
    let twin = OrderId([71; 16]);
    let once = || apixaban("1", daily(&["08:00"]));
    home.cut();
    home.ask(0, "NU", write((resident, ORDER), once(), None, None)).expect("here");
    home.ask(tablet, "NU", write((resident, twin), once(), None, None)).expect("there");
    let mut healed = home.clone();
    healed.heal();
    for order in [ORDER, twin] {
        let checked = healed.ask(0, "SC", check(resident, order));
        assert_eq!(rule(&checked), Some("O-08"));
    }
    home.ask(0, "SC", check(resident, ORDER)).expect("checked here");
    home.ask(tablet, "SC", check(resident, twin)).expect("checked there");
    home.heal();
    for device in [0, tablet] {
        assert!(causes(&home, device).contains(&"same-medicine-twice"));
    }
    // Somebody who saw both says that they are meant.
    let meant = write((resident, twin), once(), None, Some("Dr Bell wants both"));
    home.ask(0, "NU", meant).expect("intended");
    assert!(!causes(&home, 0).contains(&"same-medicine-twice"));
}

fn of(name: &str, value: &str, unit: &str) -> Content {
    let dose = Dose::Fixed(Amount::new(value.parse().expect("an amount"), unit));
    Content { dose, ..named(name, plain(daily(&["08:00"]))) }
}

/// Fault: with no label beside it, a strength or a pack typed as the dose was active and to be
/// given now.
#[test]
fn a_strength_typed_as_the_dose_is_asked_about_without_any_label() {
    for (name, value, unit, amount) in [
        ("Digoxin 125microgram tablets", "125", "tablet", "125 tablets"),
        ("Bisoprolol 5mg tablets", "10", "tablet", "10 tablets"),
        ("Insulin glargine 100units/ml solution for injection", "1000", "unit", "1000 units"),
        ("Lactulose 3.1g/5ml oral solution", "500", "ml", "500 ml"),
        ("Lactulose 3.1g/5ml oral solution", "0.5", "l", "0.5 l"),
        ("Rivastigmine 4.6mg/24hours transdermal patches", "4", "patch", "4 patches"),
        ("Salbutamol 100micrograms/dose inhaler", "100", "puff", "100 puffs"),
        ("Senna 7.5mg tablets", "2.5", "g", "2.5 g"),
    ] {
        let (mut home, resident) = home();
        let ask = |said: Option<&str>| {
            let said = said.map(|text| SameMeaning::Differs(text.into()));
            write((resident, ORDER), of(name, value, unit), said, None)
        };
        let refusal = home.ask(0, "NU", ask(None)).expect_err(name);
        assert_eq!(refusal.rule(), "S-08", "{name}: {refusal}");
        assert!(refusal.to_string().contains(amount), "{refusal}");
        // A reason for something else is none for this.
        let other = home.ask(0, "NU", ask(Some("the label is torn")));
        assert_eq!(rule(&other), Some("S-08"), "{name}");
        let more = home.ask(0, "NU", ask(Some(&format!("Dr Bell: 1{amount}"))));
        assert_eq!(rule(&more), Some("S-08"), "{name}");
        let meant = format!("Dr Bell, 2 Nov: {amount}, read back");
        home.ask(0, "NU", ask(Some(&meant))).expect("meant");
        home.ask(0, "SC", check(resident, ORDER)).expect("checked with the reason before them");
        let history = &home.resident(0, resident).orders[&ORDER];
        assert_eq!(history.versions()[0].version.same_meaning, Some(SameMeaning::Differs(meant)));
    }
}

#[test]
fn a_large_but_ordinary_dose_is_no_question() {
    for (name, value, unit) in [
        ("Prednisolone 5mg tablets", "8", "tablet"),
        ("Prednisolone 5mg tablets", "40", "mg"),
        ("Lactulose 3.1g/5ml oral solution", "30", "ml"),
        ("Insulin glargine 100units/ml solution for injection", "80", "unit"),
        ("Salbutamol 100micrograms/dose inhaler", "10", "puff"),
        ("Levothyroxine 100microgram tablets", "0.2", "mg"),
    ] {
        let (mut home, resident) = home();
        let ask = write((resident, ORDER), of(name, value, unit), None, None);
        home.ask(0, "NU", ask).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    }
}

#[test]
fn tablets_of_no_known_strength_are_not_dosed_by_mass() {
    let (mut home, resident) = home();
    let refused =
        home.ask(0, "NU", write((resident, ORDER), of("Senna tablets", "15", "mg"), None, None));
    assert_eq!(rule(&refused), Some("O-01"));
}

#[test]
fn more_doses_a_day_than_hours_are_asked_about() {
    let (mut home, resident) = home();
    let content = apixaban("1", when_required(Some(5), Some("30")));
    let refusal = home.ask(0, "NU", write((resident, ORDER), content, None, None));
    let refusal = refusal.expect_err("thirty doses a day");
    assert_eq!(refusal.rule(), "S-08");
    assert!(refusal.to_string().contains("30 doses"), "{refusal}");
}

/// Fault: an imported temazepam was no controlled drug, and one carer gave it.
#[test]
fn nobody_writes_an_order_before_it_is_stated_whether_it_is_a_controlled_drug() {
    let (mut home, resident) = home();
    let stated = |name: &str, cd: CdCategory| {
        let content = of(name, "1", "tablet");
        Content { medicine: Medicine { cd, ..content.medicine.clone() }, ..content }
    };
    let mut ask = |content: Content, said: Option<&str>| {
        let said = said.map(|text| SameMeaning::Differs(text.into()));
        home.ask(0, "NU", write((resident, ORDER), content, said, None)).map(|_| ())
    };
    let unknown = ask(stated("Senna 7.5mg tablets", CdCategory::Unknown), Some("0000"));
    let refusal = unknown.expect_err("not stated");
    assert_eq!(refusal.rule(), "O-01");
    let text = refusal.to_string();
    assert!(text.contains("medicine.cd_category") && text.contains("0002 (Schedule 2)"), "{text}");
    for name in ["Temazepam 10mg tablets", "Oxycodone 10mg tablets"] {
        let refusal = ask(stated(name, CdCategory::None), Some("torn")).expect_err(name);
        assert_eq!(refusal.rule(), "C-02", "{name}");
        assert!(refusal.to_string().contains("“0000”"), "{refusal}");
    }
    ask(stated("Temazepam 10mg tablets", CdCategory::Schedule3Temazepam), None).expect("stated");
    let why = Some("0000: the pharmacist says it is none here");
    ask(stated("Oxycodone 10mg tablets", CdCategory::None), why).expect("with its reason");
    assert!(CdCategory::Unknown.witnessed_by_default(), "unknown is never none");
}
