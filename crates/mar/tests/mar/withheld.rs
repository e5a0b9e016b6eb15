//! Doses that a stop took away, or that wait for the check of their order: they stand apart from what
//! is due, so that one that has been given all the same can be named (H-01, H-06).

use crate::giving::{due_between, given, stop};
use crate::happened::{home_with, incident, of_slot, really};
use crate::home::{Home, at};
use crate::orders_of::{daily, plain};
use mar::command::{Ask, AskOrder};
use mar::due::{DueState, Suspension, withheld};
use mar::ids::ResidentId;
use mar::order::Content;
use mar::round::{round_on, stops};
use mar::schedule::SlotId;
use mar::time::{DAY, Minutes, Timestamp};

type Line = (SlotId, Timestamp, Option<Suspension>, DueState);

fn listed(home: &Home, resident: ResidentId, to: &str, after: Option<Minutes>) -> Vec<Line> {
    let span = (at("2026-11-03T00:00"), at(to));
    let (home_picture, held) = (&home.picture(0).home, home.resident(0, resident));
    let found = withheld(home_picture, held, span, after, home.now);
    found.into_iter().map(|d| (d.slot.id.clone(), d.slot.due, d.suspended, d.state)).collect()
}

#[test]
fn what_a_stop_took_away_is_listed_for_a_day_and_for_whoever_asks_longer() {
    let (mut home, whose) = home_with(plain(daily(&["08:00", "18:00"])));
    home.now = at("2026-11-03T10:00");
    assert_eq!(listed(&home, whose.0, "2026-11-06T00:00", None), [], "it is in force");
    let now = home.now;
    stop(&mut home, 0, whose, now).expect("stopped");
    home.now = at("2026-11-03T18:10");
    let day = listed(&home, whose.0, "2026-11-06T00:00", Some(DAY));
    let times: Vec<Timestamp> = day.iter().map(|(_, due, ..)| *due).collect();
    assert_eq!(times, [at("2026-11-03T18:00"), at("2026-11-04T08:00")], "not what was due before");
    let stopped = (Some(Suspension::Stopped), DueState::NotDue);
    assert!(day.iter().all(|(_, _, why, state)| (*why, *state) == stopped), "{day:?}");
    let all = listed(&home, whose.0, "2026-11-06T00:00", None);
    assert_eq!(all.len(), 5);
    let later = all[3].0.clone();
    // It opens the door, and then it says what became of it.
    incident(&of_slot(whose.0, day[0].0.clone())(&mut home, really(given(), "2026-11-03T18:05")));
    let day = listed(&home, whose.0, "2026-11-04T00:00", Some(DAY));
    assert_eq!(day[0].3, DueState::Recorded);
    // However long ago the stop was: whoever missed it there would give it again.
    home.now = at("2026-11-05T09:00");
    incident(&of_slot(whose.0, later)(&mut home, really(given(), "2026-11-05T08:05")));
    let days = listed(&home, whose.0, "2026-11-06T00:00", Some(DAY));
    let told: Vec<_> = days.iter().map(|(_, due, _, state)| (*due, *state)).collect();
    assert_eq!(
        told[1..],
        [(at("2026-11-04T08:00"), DueState::NotDue), (at("2026-11-05T08:00"), DueState::Recorded),]
    );
    // Nothing of it is ever due, nor on a round.
    let due = due_between(&home, 0, whose.0, ("2026-11-03T10:00", "2026-11-06T00:00"));
    assert_eq!(due, []);
    let picture = home.picture(0);
    for round in ["tea", "bedtime"] {
        let date = "2026-11-03".parse().expect("a date");
        let span = round_on(&picture.home, date, round).expect("a round");
        let doses: usize =
            stops(picture, &span, None, home.now).iter().map(|s| s.doses.len()).sum();
        assert_eq!(doses, 0, "{round}");
    }
}

#[test]
fn what_waits_for_its_check_is_listed_until_it_is_checked_or_turned_down() {
    for (checked, left) in [(true, "checked"), (false, "turned down")] {
        let mut home = Home::founded("2026-11-02T05:00");
        let resident = home.admit("Shaw", "Gladys");
        home.now = at("2026-11-03T09:00");
        let start = at("2026-11-03T00:00");
        let content = Content { start, ..plain(daily(&["08:00", "18:00"])) };
        let order = home.drafted(resident, content).expect("a draft");
        let waits = listed(&home, resident, "2026-11-04T00:00", Some(DAY));
        let each = (Some(Suspension::WaitsForCheck), DueState::NotDue);
        assert_eq!(waits.len(), 2, "the one of this morning too");
        assert!(waits.iter().all(|(_, _, why, state)| (*why, *state) == each), "{waits:?}");
        let slot = waits[0].0.clone();
        incident(&of_slot(resident, slot)(&mut home, really(given(), "2026-11-03T08:05")));
        let ask = if checked {
            AskOrder::Check { order, version: None }
        } else {
            AskOrder::Reject { order, version: None, reason: "not his".into() }
        };
        let by = if checked { "SC" } else { "NU" };
        home.ask(0, by, Ask::Order(resident, ask)).expect(left);
        assert_eq!(listed(&home, resident, "2026-11-04T00:00", Some(DAY)), [], "{left}");
    }
}

#[test]
fn an_order_that_was_stopped_before_anybody_checked_it_is_listed_as_stopped() {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    home.now = at("2026-11-03T07:00");
    let order = home.drafted(resident, plain(daily(&["08:00"]))).expect("a draft");
    home.now = at("2026-11-03T09:00");
    let now = home.now;
    stop(&mut home, 0, (resident, order), now).expect("stopped");
    let found = listed(&home, resident, "2026-11-04T00:00", Some(DAY));
    assert_eq!(found.len(), 1, "the one of this morning, before the stop");
    assert_eq!(found[0].2, Some(Suspension::Stopped));
    incident(&of_slot(resident, found[0].0.clone())(
        &mut home,
        really(given(), "2026-11-03T08:05"),
    ));
}

#[test]
fn a_new_version_of_an_order_that_goes_on_being_given_is_not_listed_twice() {
    let (mut home, whose) = home_with(plain(daily(&["08:00"])));
    home.now = at("2026-11-03T07:00");
    home.rewritten(0, whose.0, whose.1, plain(daily(&["09:00"]))).expect("a new version");
    assert_eq!(listed(&home, whose.0, "2026-11-05T00:00", None), [], "the old one is given");
}
