//! An NHS number finds its resident at once, however many live in the home.

use crate::home::Home;
use mar::command::{Ask, AskResident};
use mar::ids::ResidentId;
use mar::picture::Picture;
use mar::resident::{Identity, NhsNumber};

const NUMBERS: [&str; 2] = ["943 476 5919", "999 000 0050"];

fn number(at: usize) -> NhsNumber {
    NUMBERS[at].parse().expect("an NHS number")
}

fn found(picture: &Picture, at: usize) -> Vec<ResidentId> {
    picture.with_nhs_number(number(at)).map(|r| r.id).collect()
}

/// An import of 20,000 people took minutes. Cause: each looked through all others for a twin. Fix:
/// the picture knows who was ever written with a number.
#[test]
fn a_number_finds_who_has_it_now_and_not_who_had_it() {
    let mut home = Home::founded("2026-11-02T05:00");
    let (gladys, george) = (home.admit("Shaw", "Gladys"), home.admit("Shaw", "George"));
    let write = |home: &mut Home, who, at: Option<usize>| {
        let mut identity = Identity::named("Shaw", "G");
        identity.nhs_number = at.map(number);
        home.ask(0, "MM", Ask::Resident(who, AskResident::WriteIdentity(identity)))
    };
    write(&mut home, gladys, Some(0)).expect("written");
    assert_eq!(found(home.picture(0), 0), [gladys]);
    assert!(write(&mut home, george, Some(0)).is_err(), "one person is one resident");
    write(&mut home, gladys, Some(1)).expect("the number was typed wrong");
    assert_eq!(found(home.picture(0), 0), []);
    assert_eq!(found(home.picture(0), 1), [gladys]);
    write(&mut home, george, Some(0)).expect("the number is free");
    write(&mut home, gladys, None).expect("no number after all");
    assert_eq!(found(home.picture(0), 1), []);
    // A resident who is read from the disk is found like one who was written here.
    let mut read = Picture::default();
    for resident in home.picture(0).residents.values() {
        read.put(resident.clone());
    }
    assert_eq!(found(&read, 0), [george]);
    assert_eq!(found(&read, 1), []);
}
