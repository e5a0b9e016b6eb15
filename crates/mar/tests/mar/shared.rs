//! Which orders share their limits, and how much of an ingredient a dose holds.

use crate::home::at;
use crate::orders_of::{daily, flagged, paracetamol, plain, q, tablets, when_required};
use mar::ids::{AdministrationId, OrderId};
use mar::medicine::Ingredient;
use mar::order::{Content, Flags};
use mar::quantity::{Amount, Quantity};
use mar::rules::{BreachKind, Taken, breaches, ingredient_mg, share_limits};
use mar::schedule::SlotId;

const ONE: OrderId = OrderId([1; 16]);
const OTHER: OrderId = OrderId([2; 16]);

fn coded(name: &str, code: Option<&str>) -> Content {
    let mut order = paracetamol("1", daily(&["08:00"]));
    order.medicine.ingredients[0].name = name.into();
    order.medicine.ingredients[0].code = code.map(Into::into);
    order
}

fn share(a: &Content, b: &Content) -> bool {
    let found = share_limits((ONE, a), (OTHER, b));
    assert_eq!(found, share_limits((OTHER, b), (ONE, a)), "it holds both ways");
    found
}

#[test]
fn orders_share_their_limits_by_an_ingredient_s_name_or_code() {
    let here = coded("Paracetamol", None);
    assert!(share(&here, &coded("paracetamol", None)));
    assert!(!share(&here, &coded("Ibuprofen", None)), "no code is not the same code");
    assert!(share(&coded("Paracetamol", Some("387517004")), &coded("APAP", Some("387517004"))));
    assert!(!share(&coded("Morphine", Some("373529000")), &coded("Codeine", Some("387494007"))));
    assert!(!share(&coded("Morphine", Some("373529000")), &coded("Codeine", None)));
    assert!(!share(&plain(daily(&["08:00"])), &plain(daily(&["08:00"]))), "nothing is known of it");
    let order = plain(daily(&["08:00"]));
    assert!(share_limits((ONE, &order), (ONE, &order)), "an order shares its own");
}

#[test]
fn a_named_group_decides_before_the_ingredients_do() {
    let group = |name: &str, order: Content| Content { limit_group: Some(name.into()), ..order };
    let ingredient = || coded("Paracetamol", None);
    assert!(share(&group("pain", ingredient()), &group("pain", coded("Codeine", None))));
    assert!(!share(&group("pain", ingredient()), &group("fever", ingredient())));
    assert!(!share(&group("pain", ingredient()), &ingredient()));
}

#[test]
fn a_dose_s_ingredient_is_the_same_in_g_mg_and_microgram() {
    let holds = |amount: Amount, count: &str| {
        let mut order = paracetamol("1", daily(&["08:00"]));
        order.medicine.ingredients[0].amount = Some(amount);
        ingredient_mg(&order, "PARACETAMOL", &tablets(count))
    };
    assert_eq!(holds(Amount::new(q("1"), "g"), "2"), Some(Quantity::whole(2_000)));
    assert_eq!(holds(Amount::new(q("500"), "mg"), "1.5"), Some(Quantity::whole(750)));
    assert_eq!(holds(Amount::new(q("2500"), "microgram"), "2"), Some(Quantity::whole(5)));
    assert_eq!(holds(Amount::new(q("25"), "microgram"), "1"), Some(q("0.025")));
    assert_eq!(holds(Amount::new(q("5"), "unit"), "1"), None, "units are no mass");
}

#[test]
fn what_is_not_known_of_an_ingredient_makes_no_total() {
    let order = paracetamol("1", daily(&["08:00"]));
    assert_eq!(ingredient_mg(&order, "ibuprofen", &tablets("1")), None);
    assert_eq!(ingredient_mg(&order, "paracetamol", &Amount::new(q("5"), "ml")), None);
    let with = |change: fn(&mut Ingredient)| {
        let mut order = order.clone();
        change(&mut order.medicine.ingredients[0]);
        ingredient_mg(&order, "paracetamol", &tablets("1"))
    };
    assert_eq!(with(|i| i.amount = None), None);
    assert_eq!(with(|i| i.per = None), None);
}

/// Two tablets of an order at each time; a regular dose was given in its window.
fn two<'c>(
    order: OrderId,
    content: &'c Content,
    slot: Option<&'c SlotId>,
    when: &str,
) -> Taken<'c> {
    Taken {
        administration: AdministrationId(order.0),
        order,
        content,
        slot,
        at: at(when),
        counts_at: at(when),
        amount: tablets("2"),
    }
}

fn kinds(taken: &[Taken<'_>]) -> Vec<BreachKind> {
    breaches(taken).into_iter().map(|breach| breach.kind).collect()
}

#[test]
fn a_regular_dose_that_goes_past_four_grams_after_one_when_required_is_told() {
    let slot = |key: &str| -> SlotId {
        format!("rm81ae4q34dwkzzcsm87cn4nvg.2026-11-{key}").parse().expect("a slot")
    };
    let slots = ["21.1800", "21.2200", "22.0800", "22.1200"].map(slot);
    let regular = paracetamol("2", daily(&["08:00", "12:00", "18:00", "22:00"]));
    let prn = paracetamol("2", when_required(Some(240), Some("8")));
    let mut taken = vec![
        two(ONE, &regular, Some(&slots[0]), "2026-11-21T18:00"),
        two(ONE, &regular, Some(&slots[1]), "2026-11-21T22:00"),
        two(OTHER, &prn, None, "2026-11-22T02:00"),
        two(ONE, &regular, Some(&slots[2]), "2026-11-22T08:00"),
    ];
    assert_eq!(kinds(&taken), [], "4,000 mg in 24 hours");
    taken.push(two(ONE, &regular, Some(&slots[3]), "2026-11-22T12:00"));
    assert_eq!(kinds(&taken), [BreachKind::Total], "5,000 mg in 18 hours");
}

#[test]
fn regular_doses_alone_go_past_nothing_on_the_day_of_23_hours() {
    let regular = paracetamol("2", daily(&["08:00", "12:00", "18:00", "22:00"]));
    let times = ["28T22:00", "29T08:00", "29T12:00", "29T18:00", "29T22:00"];
    let slots = times.map(|time| -> SlotId {
        let key = time.replace('T', ".").replace(':', "");
        format!("rm81ae4q34dwkzzcsm87cn4nvg.2026-03-{key}").parse().expect("a slot")
    });
    let taken: Vec<_> = std::iter::zip(times, &slots)
        .map(|(time, slot)| two(ONE, &regular, Some(slot), &format!("2026-03-{time}")))
        .collect();
    assert_eq!(kinds(&taken), [], "23 hours pass between 22:00 and 22:00 that night");
}

#[test]
fn a_rescue_medicine_is_never_too_soon_and_past_its_most_it_is_told() {
    let rescue = Flags { rescue: true, ..Flags::default() };
    let order = flagged(rescue, paracetamol("2", when_required(Some(240), Some("4"))));
    let times = ["2026-11-21T08:00", "2026-11-21T08:05", "2026-11-21T08:10"];
    let taken = times.map(|time| two(ONE, &order, None, time));
    assert_eq!(kinds(&taken[..2]), []);
    assert_eq!(kinds(&taken), [BreachKind::Rescue]);
    let regular = flagged(rescue, paracetamol("2", daily(&["08:00"])));
    let taken = times.map(|time| two(ONE, &regular, None, time));
    assert_eq!(kinds(&taken), []);
}
