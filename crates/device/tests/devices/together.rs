//! Two devices of one home: in step, apart, and together again.

use std::sync::mpsc;
use std::time::Duration;

use device::NetworkEvent;
use mar::alerts::Cause;
use mar::command::{Ask, AskResident};
use mar::fact::DeviceRole;
use mar::refusal::Refusal;
use mar::resident::Identity;
use mar::time::Minutes;
use store::backend::faults::Operation;
use store::backend::{Disk, FileKind};

use crate::home::{Home, NOON, PATIENCE, Place, command, dose, entry_of, until};

#[test]
fn what_is_written_on_either_device_is_on_both_and_counted_after_the_other_s_fsync() {
    let home = Home::of_two();
    let ward = home.with_a_medicine();
    let saved = home.office.ask(ward.nurse, dose(&ward, None));
    assert_eq!(saved.saved_on, 1);
    let entry = entry_of(&saved);
    assert_eq!(home.office.device().wait_saved_on(entry, 2, PATIENCE), 2);
    home.wait_level();
    home.trolley.clock.set(NOON.plus(Minutes(241)));
    home.office.clock.set(NOON.plus(Minutes(241)));
    let back = entry_of(&home.trolley.ask(ward.nurse, dose(&ward, None)));
    assert_eq!(home.trolley.device().wait_saved_on(back, 2, PATIENCE), 2);
    home.wait_level();
    assert!(home.office.device().verify().unwrap().faults.is_empty());
    assert!(home.trolley.device().verify().unwrap().faults.is_empty());
    let trolley = home.trolley.device().id();
    let events: Vec<NetworkEvent> = home.office.here().events.try_iter().collect();
    let up = |event: &NetworkEvent| matches!(event, NetworkEvent::PeerUp(id) if *id == trolley);
    assert!(events.iter().any(up), "{events:?}");
    let counted = events.iter().filter_map(|event| match event {
        NetworkEvent::Synced { peer, sent, received, .. } => Some((*peer, *sent, *received)),
        _ => None,
    });
    let (sent, received) =
        counted.fold((0, 0), |(s, r), (_, sent, received)| (s + sent, r + received));
    assert!(sent >= 8 && (1..=3).contains(&received), "{sent} sent, {received} received");
}

#[test]
fn a_peer_that_has_received_but_not_yet_synced_is_not_counted() {
    let mut home = Home::of_two();
    let ward = home.with_a_medicine();
    home.wait_level();
    home.trolley.close_at_once();
    let disk = Disk::folder(home.trolley.folders().data);
    home.trolley.open_on(disk.clone());
    home.trolley.dial(&home.office);
    home.wait_level();
    // The trolley's disk takes the bytes and then stands still before it syncs them.
    let (go, gate) = mpsc::channel::<()>();
    let (arrived, at_gate) = mpsc::channel();
    let mut shut = true;
    disk.seam().plan(move |step| {
        if shut && step.file == FileKind::Log && step.operation == Operation::Sync {
            shut = false;
            arrived.send(()).unwrap();
            gate.recv_timeout(PATIENCE).unwrap();
        }
        None
    });
    let entry = entry_of(&home.office.ask(ward.nurse, dose(&ward, None)));
    at_gate.recv_timeout(PATIENCE).unwrap();
    assert_eq!(home.office.device().wait_saved_on(entry, 2, Duration::from_millis(700)), 1);
    go.send(()).unwrap();
    assert_eq!(home.office.device().wait_saved_on(entry, 2, PATIENCE), 2);
}

#[test]
fn two_doses_given_apart_are_both_there_and_the_breach_is_raised_on_both() {
    let home = Home::of_two();
    let ward = home.with_a_medicine();
    home.wait_level();
    home.cut();
    until("the gap is noticed", || {
        let heard = |place: &Place| place.device().complete_to().1.is_empty();
        !heard(&home.office) && !heard(&home.trolley)
    });
    // While the other is unheard a dose takes a named check (W-16).
    let fault = home.office.device().submit(command(ward.nurse, dose(&ward, None))).unwrap_err();
    assert!(matches!(fault, device::SubmitFault::Refused(Refusal::Dose(_))), "{fault}");
    home.office.ask(ward.nurse, dose(&ward, Some("rang the Lounge: nothing given")));
    home.trolley.clock.set(NOON.plus(Minutes(30)));
    home.office.clock.set(NOON.plus(Minutes(30)));
    home.trolley.ask(ward.nurse, dose(&ward, Some("asked in the office")));
    home.heal();
    home.wait_level();
    for place in [&home.office, &home.trolley] {
        let picture = place.device().picture();
        let resident = picture.resident(ward.resident).unwrap();
        let raised = mar::alerts::alerts(&picture, place.device().now());
        assert!(
            raised.iter().any(|alert| alert.resident == Some(ward.resident)
                && matches!(alert.cause, Cause::IntervalBreach(_))),
            "{raised:?}"
        );
        assert_eq!(resident.administrations.len(), 2);
        assert!(place.device().verify().unwrap().faults.is_empty());
    }
}

#[test]
fn a_device_that_is_put_out_is_cut_off_at_once_and_what_it_writes_then_does_not_count() {
    let mut home = Home::of_two();
    let ward = home.with_a_medicine();
    home.wait_level();
    let lost = home.trolley.device().id();
    home.office.device().revoke(lost, home.manager, "left in a taxi").unwrap();
    until("the trolley is cut off", || {
        let glance = |place: &Place| place.device().peers().iter().all(|peer| !peer.connected);
        glance(&home.office) && glance(&home.trolley)
    });
    let entries = home.office.device().status().unwrap().entries;
    // Whoever has it records on, and it never comes in again.
    home.trolley.close_at_once();
    home.trolley.open();
    let picture = home.trolley.device().picture();
    let knows = !picture.home.devices()[&lost].is_active();
    let written =
        home.trolley.device().submit(command(ward.nurse, dose(&ward, Some("nobody to ask"))));
    assert_eq!(written.is_err(), knows, "a device that knows that it is out records nothing");
    home.trolley.dial(&home.office);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(home.office.device().status().unwrap().entries, entries);
    let secrets = home.office.device().picture().home.secrets().len();
    assert!(secrets >= 2, "the others have a new secret");
}

#[test]
fn an_observer_has_everything_and_records_nothing() {
    let (mut office, mut watcher) = (Place::new(), Place::new());
    let manager = office.found();
    watcher.join(&office, "Head office", manager, DeviceRole::Observer);
    watcher.dial(&office);
    let home = Home { office, trolley: watcher, manager };
    let ward = home.with_a_medicine();
    home.wait_level();
    let refused = home.trolley.device().submit(command(ward.nurse, dose(&ward, None)));
    assert!(matches!(refused, Err(device::SubmitFault::Refused(_))), "{refused:?}");
    assert!(home.trolley.device().check_pin(manager, crate::home::PIN).is_err());
    let entry = entry_of(&home.office.ask(ward.nurse, dose(&ward, None)));
    assert_eq!(home.office.device().wait_saved_on(entry, 2, PATIENCE), 2);
}

#[test]
fn a_restart_keeps_everything_and_the_devices_find_each_other_by_what_they_remember() {
    let mut home = Home::of_two();
    let ward = home.with_a_medicine();
    home.wait_level();
    let before = home.office.device().status().unwrap();
    let address = home.office.network().addresses()[0];
    home.trolley.close_at_once();
    let entry = {
        let checked = dose(&ward, Some("the trolley is off"));
        until("the trolley is missed", || !home.office.device().complete_to().1.is_empty());
        entry_of(&home.office.ask(ward.nurse, checked))
    };
    // Nobody says where the office is: it was remembered.
    home.trolley.open();
    assert_eq!(home.trolley.device().status().unwrap().heads_hash, before.heads_hash);
    home.wait_level();
    assert_eq!(home.office.network().addresses()[0], address);
    assert_eq!(home.office.device().wait_saved_on(entry, 2, PATIENCE), 2);
    let logs = home.trolley.device().status().unwrap().heads.len();
    assert_eq!(logs, 2, "an ordinary restart begins no new log");
}

#[test]
fn a_folder_restored_from_an_old_copy_begins_a_new_log_and_loses_nothing() {
    let mut home = Home::of_two();
    let ward = home.with_a_medicine();
    home.wait_level();
    let folders = home.trolley.folders();
    home.trolley.close_at_once();
    let copy = home.trolley.dir.path().join("copy");
    copy_folder(&folders.data, &copy);
    home.trolley.open();
    home.trolley.dial(&home.office);
    home.wait_level();
    let lost = entry_of(&home.trolley.ask(ward.nurse, dose(&ward, None)));
    assert_eq!(home.trolley.device().wait_saved_on(lost, 2, PATIENCE), 2);
    home.trolley.close_at_once();
    // The disk died, and last night's copy is put back; the user's state folder went with it.
    std::fs::remove_dir_all(&folders.data).unwrap();
    std::fs::remove_dir_all(&folders.state).unwrap();
    copy_folder(&copy, &folders.data);
    home.trolley.open();
    home.trolley.dial(&home.office);
    home.wait_level();
    assert!(home.trolley.device().saved_on(lost) > 0, "it came back from the office");
    let named = Identity::named("Hill", "Zoë");
    let resident = mar::ids::ResidentId(crate::home::random());
    let saved =
        home.trolley.ask(home.manager, Ask::Resident(resident, AskResident::WriteIdentity(named)));
    assert_eq!(home.trolley.device().wait_saved_on(entry_of(&saved), 2, PATIENCE), 2);
    home.wait_level();
    let heads = home.office.device().status().unwrap().heads;
    assert_eq!(heads.len(), 3, "the office, the trolley, and the trolley after its restoration");
    assert!(heads.iter().all(|(_, held)| !held.is_forked()));
}

#[test]
fn a_device_that_ends_cleanly_is_not_missed_and_counts_again_from_its_next_dose() {
    let mut home = Home::of_two();
    let ward = home.with_a_medicine();
    home.wait_level();
    home.trolley.close();
    until("nobody is missed", || home.office.device().complete_to().1.is_empty());
    home.office.ask(ward.nurse, dose(&ward, None));
    home.trolley.open();
    home.trolley.dial(&home.office);
    home.wait_level();
    home.trolley.clock.set(NOON.plus(Minutes(241)));
    home.office.clock.set(NOON.plus(Minutes(241)));
    home.trolley.ask(ward.nurse, dose(&ward, None));
    home.wait_level();
    let picture = home.office.device().picture();
    assert!(!picture.home.devices()[&home.trolley.device().id()].is_parked());
    home.trolley.close_at_once();
    until("it is missed", || !home.office.device().complete_to().1.is_empty());
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
