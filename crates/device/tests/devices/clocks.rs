//! A time that somebody types is an entry of the record before anything is recorded by it (W-08).

use device::{Clock, SubmitFault};
use mar::clock::ClockLevel;
use mar::time::{Minutes, Timestamp};
use store::backend::faults::Fault;
use store::backend::{Disk, FileKind};

use crate::home::{Home, NOON, Place, command, dose, until, ward};

#[test]
fn a_typed_time_is_written_down_with_what_was_shown_and_the_time_itself() {
    let mut office = Place::new();
    let manager = office.found();
    let ward = ward(&office, manager);
    office.close_at_once();
    office.clock = Clock::machine(Timestamp(0));
    office.open();
    let typed = NOON.plus(Minutes(300));
    let standing = office.device().type_time(typed, ward.nurse).unwrap();
    assert!(standing.is_right(), "{standing:?}");
    let picture = office.device().picture();
    let (entry, showed, at) = picture.home.typed_times().next().unwrap();
    assert_eq!((showed, at), (Timestamp(0), typed));
    assert_eq!(entry.staff(), Some(ward.nurse));
    assert_eq!(entry.device, Some(office.device().id()));
    assert_eq!(entry.wall, typed, "the entry does not carry the time that was wrong");
    office.ask(ward.nurse, dose(&ward, None));
}

#[test]
fn a_typed_time_that_cannot_be_saved_is_not_gone_by() {
    let mut office = Place::new();
    let manager = office.found();
    let ward = ward(&office, manager);
    office.close_at_once();
    office.clock = Clock::machine(Timestamp(0));
    let disk = Disk::folder(office.folders().data);
    office.open_on(disk.clone());
    disk.seam().plan(|step| {
        (step.file == FileKind::Log && step.operation.changes())
            .then_some(Fault::Fails(std::io::ErrorKind::StorageFull))
    });
    let fault = office.device().type_time(NOON, ward.nurse).unwrap_err();
    assert!(matches!(fault, SubmitFault::NotSaved { .. }), "{fault}");
    assert_eq!((office.device().now(), office.device().typed_time()), (Timestamp(0), None));
    let fault = office.device().submit(command(ward.nurse, dose(&ward, None))).unwrap_err();
    assert!(matches!(fault, SubmitFault::Clock(_)), "{fault}");
    disk.seam().heal();
}

/// Fault: a time that only said the same, or a step of five minutes, was typed first, and then any
/// other time; every interval was open. Cause: a clock that was typed over counted as one in doubt.
/// Fix: what counts is whether the machine's own clock was in doubt (P-06, T-07).
#[test]
fn no_two_typed_times_open_an_interval_where_nothing_speaks_against_the_clock() {
    let mut office = Place::new();
    let manager = office.found();
    let ward = ward(&office, manager);
    office.close_at_once();
    let now = mar::time::Timestamp(office.clock.now().0 + 60_000);
    office.clock = Clock::machine(now);
    office.open();
    let step = |by_ms: i64| {
        let at = Timestamp(now.0 + by_ms);
        office.device().type_time(at, ward.nurse).map(drop).map_err(|fault| fault.to_string())
    };
    let refused = |by_ms| step(by_ms).unwrap_err().contains("nothing speaks against");
    assert!(refused(5 * 3_600_000));
    step(0).unwrap();
    assert!(refused(5 * 3_600_000), "the watch said the same before");
    step(295_000).unwrap();
    assert!(refused(5 * 3_600_000) && refused(590_000), "nor by steps");
    step(0).unwrap();
}

/// Fault: two devices were started again after a clean end, hours apart, and neither compared its
/// clock. Cause: a parked device was left out until it recorded something. Fix: whoever is connected
/// is compared; parking is about who is asked before a dose (T-07, W-16).
#[test]
fn a_device_that_has_recorded_nothing_since_a_clean_end_is_compared_while_it_is_connected() {
    let mut home = Home::of_two();
    home.wait_level();
    home.trolley.close();
    until("it is parked", || home.office.device().complete_to().1.is_empty());
    home.office.close();
    let now = home.office.clock.now().plus(Minutes(5));
    home.office.clock = Clock::machine(now);
    home.trolley.clock = Clock::machine(now.plus(Minutes(120)));
    home.office.open();
    home.trolley.open();
    home.trolley.dial(&home.office);
    until("the office sees that they differ", || {
        home.office.device().clock_standing().level() == ClockLevel::Red
    });
    until("the trolley sees it, too", || {
        home.trolley.device().clock_standing().level() == ClockLevel::Red
    });
}

/// Fault: both devices were eight hours back, the office was red by what it had recorded itself, and
/// the trolley recorded on: the office said the same time. Cause: whoever agreed vouched, and what
/// was held from others was not looked at. Fix: both are red, and a watch ends it on each (T-08).
#[test]
fn two_devices_that_are_both_set_back_do_not_vouch_for_each_other() {
    let mut home = Home::of_two();
    let ward = home.with_a_medicine();
    home.office.ask(ward.nurse, dose(&ward, None));
    home.wait_level();
    home.trolley.close_at_once();
    home.office.close_at_once();
    let back = Timestamp(home.office.clock.now().0 - 8 * 3_600_000);
    for place in [&mut home.office, &mut home.trolley] {
        place.clock = Clock::machine(back);
        place.open();
    }
    home.trolley.dial(&home.office);
    home.wait_level();
    for place in [&home.office, &home.trolley] {
        let standing = place.device().clock_standing();
        assert!(standing.level() == ClockLevel::Red && !standing.vouched, "{standing:?}");
    }
}
