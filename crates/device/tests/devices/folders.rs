//! What a data folder may hold, and what becomes of it at set-up, at a join and at a start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use device::{Clock, Device, Folders, JoinFault, StartFault};
use store::backend::OpenFault;
use store::keys::KeyFault;

use crate::home::{NOON, Place, new_home};

const FILES: [&str; 5] = ["log.redb", "views.redb", "local.redb", "device.keys", "medround.lock"];

type Files = BTreeMap<String, Vec<u8>>;

fn files(folder: &Path) -> Files {
    let Ok(there) = std::fs::read_dir(folder) else { return Files::new() };
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read(entry.path()).unwrap())
    };
    let read = there.map(|entry| file(entry.unwrap()));
    read.filter(|(name, _)| name != "medround.lock").collect()
}

/// A folder with these of a device's files.
fn with(place: &Place, whole: &Path, present: &[&str]) {
    let data = place.folders().data;
    std::fs::create_dir_all(&data).unwrap();
    for name in present {
        std::fs::copy(whole.join(name), data.join(name)).unwrap();
    }
}

fn found(place: &Place) -> Result<(), StartFault> {
    found_in(&place.folders())
}

fn found_in(folders: &Folders) -> Result<(), StartFault> {
    Device::found(folders, new_home(), Clock::fixed(NOON)).map(|(device, _)| device.close())
}

/// Joins at an address where nobody is: a folder that may be used is found out by that.
fn join(place: &Place) -> JoinFault {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    place.join_with("0000-0000-0000", "Trolley", nobody).unwrap_err()
}

fn start_of(fault: JoinFault) -> StartFault {
    match fault {
        JoinFault::Start(fault) => fault,
        other => panic!("{other}"),
    }
}

/// Bug: a home was founded over what was left of another in a folder whose log was moved away: its
/// keys were gone, and the log that was brought back could not be opened any more.
/// Cause: a folder was free for a home when it had no log.
/// Fix: it is free when it has none of a device's files.
#[test]
fn every_mixture_of_a_device_s_files_is_opened_refused_or_free() {
    let whole = Place::new();
    found(&whole).unwrap();
    let home = Device::open(&whole.folders(), Clock::fixed(NOON)).unwrap();
    let status = home.status().unwrap();
    home.close();
    for mixture in 0..1_u8 << FILES.len() {
        let present: Vec<&str> =
            (0..FILES.len()).filter(|at| mixture >> at & 1 == 1).map(|at| FILES[at]).collect();
        let has = |name: &str| present.contains(&name);
        let device_was_here = present.iter().any(|name| *name != "medround.lock");
        let place = Place::new();
        with(&place, &whole.folders().data, &present);
        let before = files(&place.folders().data);
        if has("log.redb") || device_was_here {
            for refused in [found(&place).unwrap_err(), start_of(join(&place))] {
                match refused {
                    StartFault::Open(OpenFault::HomeExists { .. }) if has("log.redb") => {}
                    StartFault::Open(OpenFault::LogGone { left, .. }) if !has("log.redb") => {
                        assert!(
                            present
                                .iter()
                                .all(|name| *name == "medround.lock" || left.contains(name)),
                            "{present:?}: {left}"
                        );
                    }
                    other => panic!("{present:?}: {other}"),
                }
            }
        }
        match Device::open(&place.folders(), Clock::fixed(NOON)) {
            Ok(device) => {
                assert!(has("log.redb") && has("device.keys"), "{present:?}");
                let again = device.status().unwrap();
                assert_eq!(
                    (again.heads_hash, again.state_hash),
                    (status.heads_hash, status.state_hash)
                );
                device.close();
                continue;
            }
            Err(StartFault::Keys(KeyFault::Missing { .. })) => {
                assert!(has("log.redb") && !has("device.keys"), "{present:?}");
            }
            Err(StartFault::Open(OpenFault::LogGone { .. })) => {
                assert!(!has("log.redb") && device_was_here, "{present:?}");
            }
            Err(StartFault::Open(OpenFault::NoHome { .. })) => {
                assert!(!device_was_here, "{present:?}");
            }
            Err(other) => panic!("{present:?}: {other}"),
        }
        assert_eq!(files(&place.folders().data), before, "{present:?}: something was changed");
        if !device_was_here {
            assert!(matches!(join(&place), JoinFault::Pairing(_)), "{present:?}");
            assert_eq!(files(&place.folders().data), before, "{present:?}: a join leaves nothing");
            found(&place).unwrap();
        }
    }
}

#[test]
fn a_log_that_is_brought_back_is_opened_as_if_nothing_had_been() {
    let place = Place::new();
    found(&place).unwrap();
    let (data, away) = (place.folders().data, place.dir.path().join("moved-away.redb"));
    std::fs::rename(data.join("log.redb"), &away).unwrap();
    let told = found(&place).unwrap_err().to_string();
    for words in
        ["log.redb is missing", "Bring log.redb back", "medroundctl revoke", "empty folder"]
    {
        assert!(told.contains(words), "{told}");
    }
    std::fs::rename(&away, data.join("log.redb")).unwrap();
    let device = Device::open(&place.folders(), Clock::fixed(NOON)).unwrap();
    assert!(device.verify().unwrap().faults.is_empty());
    device.close();
}

/// The power went while a finished home was moved into place: nobody was told of it, and its
/// recovery key was never shown.
#[test]
fn a_home_that_was_cut_off_on_its_way_into_place_is_none_and_can_be_founded_again() {
    for moved in 1..4 {
        let whole = Place::new();
        found(&whole).unwrap();
        let order = ["device.keys", "local.redb", "views.redb", "log.redb"];
        let place = Place::new();
        with(&place, &whole.folders().data, &order[..moved]);
        let inside = place.folders().data.join("founding");
        std::fs::create_dir(&inside).unwrap();
        for name in &order[moved..] {
            std::fs::copy(whole.folders().data.join(name), inside.join(name)).unwrap();
        }
        let fault = Device::open(&place.folders(), Clock::fixed(NOON)).unwrap_err();
        assert!(matches!(fault, StartFault::Open(OpenFault::NoHome { .. })), "{moved}: {fault}");
        found(&place).unwrap();
        let device = Device::open(&place.folders(), Clock::fixed(NOON)).unwrap();
        assert!(device.verify().unwrap().faults.is_empty());
        device.close();
        assert!(!inside.exists());
    }
}

#[test]
fn two_set_ups_at_once_in_one_folder_make_one_home() {
    let place = Place::new();
    let folders = place.folders();
    let ended: Vec<Result<(), StartFault>> = std::thread::scope(|scope| {
        let both = [0, 1].map(|_| scope.spawn(|| found_in(&folders)));
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(ended.iter().filter(|one| one.is_ok()).count(), 1, "{ended:?}");
    for fault in ended.iter().filter_map(|one| one.as_ref().err()) {
        let told = matches!(
            fault,
            StartFault::Open(OpenFault::AlreadyOpen { .. } | OpenFault::HomeExists { .. })
        );
        assert!(told, "{fault}");
    }
    let device = Device::open(&place.folders(), Clock::fixed(NOON)).unwrap();
    assert!(device.verify().unwrap().faults.is_empty());
}
