//! What must hold of every history of a home: any order, duplication and batching of the same
//! entries gives the same home, and nothing is left out.

use crate::dice::Dice;
use crate::home::{Held, Home, at};
use crate::making::Making;
use crate::tour::tour;
use mar::alerts::alerts;
use mar::due::due;
use mar::fact::{KINDS, Kind};
use mar::picture::Recorded;
use mar::time::{DAY, Minutes, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every entry that any device of a random history wrote, and the time at its end.
fn history(seed: u64, steps: usize) -> (Home, Vec<Arc<Recorded>>) {
    let mut making = Making::new(seed);
    let tour_at = making.dice.below(steps + 1);
    for step in 0..=steps {
        if step == tour_at {
            tour(&mut making.home);
        }
        making.step();
    }
    let mut all: BTreeMap<_, Arc<Recorded>> = BTreeMap::new();
    for device in &making.home.devices {
        all.extend(device.held.all().map(|e| (e.id, e.clone())));
    }
    let kinds: BTreeSet<Kind> = all.values().filter_map(|e| e.fact.kind()).collect();
    for (kind, name) in KINDS {
        assert!(kinds.contains(&kind), "the history holds no fact of the kind {name}");
    }
    (making.home, all.into_values().collect())
}

/// Everything that a person could see of what is held, as text.
fn shown(held: &Held, now: Timestamp) -> Vec<String> {
    let picture = &held.picture;
    let day = |t: Timestamp| t.civil(crate::home::ZONE).date();
    let span = (now.minus(Minutes(5 * 24 * 60)), now.plus(DAY));
    let mut lines: Vec<String> = held.all().map(|e| format!("{} {:?}", e.id, e.standing)).collect();
    lines.push(format!("{:?}", picture.home));
    for (id, resident) in &picture.residents {
        lines.push(format!("{resident:?}"));
        lines.push(format!("{:?}", due(&picture.home, resident, span, now)));
        let chart = mar::chart::chart(picture, *id, (day(span.0), day(span.1)), now);
        lines.push(format!("{chart:?}"));
        let states: Vec<_> = resident.orders.values().map(|o| (o.id, o.state(now))).collect();
        lines.push(format!("{states:?}"));
    }
    lines.extend(alerts(picture, now).iter().map(|a| format!("{a:?}")));
    lines
}

#[track_caller]
fn check_same(one: &[String], other: &[String], what: &str) {
    let differs = one.iter().zip(other).find(|(a, b)| a != b);
    assert!(one.len() == other.len() && differs.is_none(), "{what}: {differs:?}");
}

/// Hands the entries over in another order, in batches, some of them twice.
fn taken_in_some_order(entries: &[Arc<Recorded>], dice: &mut Dice) -> Held {
    let mut list: Vec<Arc<Recorded>> = entries.to_vec();
    for _ in 0..entries.len() / 4 {
        list.push(dice.of(entries));
    }
    dice.shuffle(&mut list);
    let mut held = Held::default();
    let batch = dice.of(&[1, 3, 17, 400]);
    for part in list.chunks(batch) {
        held.take(part);
    }
    held
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_repetition_of_the_same_entries_gives_the_same_home(
        seed in any::<u64>(),
        steps in 1..120_usize,
    ) {
        let (mut home, entries) = history(seed, steps);
        let now = home.now;
        let mut at_once = Held::default();
        at_once.take(&entries);
        let expected = shown(&at_once, now);
        let mut dice = Dice(seed ^ 1);
        for _ in 0..3 {
            let held = taken_in_some_order(&entries, &mut dice);
            check_same(&expected, &shown(&held, now), "another order");
        }
        home.heal();
        for device in &home.devices {
            check_same(&expected, &shown(&device.held, now), "a device of the home");
        }
        // What was judged as entries came in is what judging everything at the end gives.
        for entry in at_once.all() {
            prop_assert_eq!(
                entry.standing,
                mar::standing::judge(&at_once.picture.home, entry),
                "{:?}",
                entry
            );
        }
    }

    #[test]
    fn nothing_that_was_recorded_is_left_off_the_chart(
        seed in any::<u64>(),
        steps in 1..120_usize,
    ) {
        let (_, entries) = history(seed, steps);
        let mut held = Held::default();
        held.take(&entries);
        let now = at("2026-12-01T00:00");
        let days = ("2026-10-01".parse().expect("a date"), "2030-12-31".parse().expect("a date"));
        for (id, resident) in &held.picture.residents {
            let Some(chart) = mar::chart::chart(&held.picture, *id, days, now) else {
                continue;
            };
            let mut times: BTreeMap<_, usize> = BTreeMap::new();
            for order in &chart.orders {
                let boxed = order.cells.iter().flat_map(|c| c.shown.iter().chain(&c.others));
                for dose in boxed.chain(&order.unscheduled) {
                    *times.entry(dose.administration).or_default() += 1;
                }
            }
            for (administration, held) in &resident.administrations {
                if held.record().is_some() {
                    prop_assert_eq!(times.get(administration), Some(&1), "{:?}", held);
                }
            }
        }
    }
}

#[test]
fn the_devices_of_a_random_home_do_come_to_conflicts() {
    // A generator that never leads anywhere would pass every test above.
    let mut found: BTreeSet<&'static str> = BTreeSet::new();
    for seed in 0..60 {
        let (_, entries) = history(seed, 119);
        let mut held = Held::default();
        held.take(&entries);
        found.extend(alerts(&held.picture, at("2026-10-28T12:00")).iter().map(|a| a.cause.word()));
    }
    for word in [
        "possible-double-dose",
        "interval-breach",
        "order-conflict",
        "identity-conflict",
        "allergy-conflict",
        "in-doubt",
        "update-this-device",
        "unrecorded",
    ] {
        assert!(found.contains(word), "no history came to {word}: {found:?}");
    }
}
