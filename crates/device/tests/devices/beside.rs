//! A command beside a device that runs already.

use std::time::Duration;

use device::command::{Ask, Piece, Request, Who};
use device::socket::{Caller, Reached, listen, reach};
use device::{Device, Running};

use crate::home::Place;

fn status() -> Request {
    Request { json: true, who: Who::default(), ask: Ask::Status }
}

fn lines(caller: Caller, request: &Request) -> (u8, Vec<String>) {
    let mut lines = Vec::new();
    let code = caller
        .call(request, &mut |piece| {
            match piece {
                Piece::Stdout(line) | Piece::Stderr(line) => lines.push(line),
                Piece::File { path, .. } => lines.push(path),
                _ => {}
            }
            true
        })
        .unwrap();
    (code, lines)
}

fn running(place: &Place) -> Running {
    Running { device: place.device().clone(), network: None }
}

#[test]
fn a_command_beside_a_running_device_is_carried_out_by_it() {
    let mut office = Place::new();
    office.found();
    let listening = listen(running(&office)).unwrap();
    for _ in 0..3 {
        let Reached::There(caller) = reach(&office.folders(), &office.clock).unwrap() else {
            panic!("the folder is open here and nobody else may open it");
        };
        let (code, lines) = lines(caller, &status());
        assert_eq!(code, 0, "{lines:?}");
        let home = office.device().status().unwrap().home.to_string();
        assert!(lines.concat().contains(&home), "{lines:?}");
    }
    drop(listening);
    assert!(Caller::connect(&office.folders()).is_none(), "nobody listens any more");
}

#[cfg(unix)]
#[test]
fn the_socket_is_this_user_s_alone_and_a_dead_one_is_in_nobody_s_way() {
    use std::os::unix::fs::PermissionsExt;
    let mut office = Place::new();
    office.found();
    let folders = office.folders();
    std::mem::forget(listen(running(&office)).unwrap());
    let socket = std::fs::read_dir(&folders.runtime).unwrap().next().unwrap().unwrap();
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o077, 0);
    let folder = std::fs::metadata(&folders.runtime).unwrap();
    assert_eq!(folder.permissions().mode() & 0o077, 0);
    drop(std::os::unix::net::UnixListener::bind(folders.runtime.join("dead.sock")).unwrap());
    std::fs::rename(folders.runtime.join("dead.sock"), socket.path()).unwrap();
    assert!(Caller::connect(&folders).is_none());
    let _listening = listen(running(&office)).unwrap();
    assert!(Caller::connect(&folders).is_some());
}

#[test]
fn a_folder_that_a_command_holds_for_a_moment_is_waited_for() {
    let mut office = Place::new();
    office.found();
    office.close_at_once();
    let device = Device::open(&office.folders(), office.clock.clone()).unwrap();
    let (folders, clock) = (office.folders(), office.clock.clone());
    let waiting = std::thread::spawn(move || reach(&folders, &clock));
    std::thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    device.close();
    assert!(matches!(waiting.join().unwrap().unwrap(), Reached::Here(_)));
}
