//! One NHS number, and for whom it stands.

use crate::giving::causes;
use crate::home::Home;
use mar::command::{Ask, AskResident};
use mar::fact::DeviceRole;
use mar::resident::Identity;

#[test]
fn one_nhs_number_that_was_given_to_two_people_apart_shows_at_both() {
    let mut home = Home::founded("2026-11-02T05:00");
    home.enrol(DeviceRole::Member);
    let one = home.admit("Shaw", "Gladys");
    let other = home.admit("Tennant", "George");
    home.cut();
    let write = |home: &mut Home, device, who, family: &str, number: Option<&str>| {
        let mut identity = Identity::named(family, "G");
        identity.nhs_number = number.map(|n| n.parse().expect("an NHS number"));
        let ask = AskResident::WriteIdentity(identity);
        home.ask(device, "NU", Ask::Resident(who, ask)).expect("an identity");
    };
    write(&mut home, 0, one, "Shaw", Some("943 476 5919"));
    write(&mut home, 1, other, "Tennant", Some("943 476 5919"));
    let count = |home: &Home, device| {
        causes(home, device).into_iter().filter(|c| *c == "same-nhs-number").count()
    };
    assert_eq!((count(&home, 0), count(&home, 1)), (0, 0));
    home.heal();
    assert_eq!((count(&home, 0), count(&home, 1)), (2, 2));
    write(&mut home, 0, other, "Tennant", None);
    assert_eq!((count(&home, 0), count(&home, 1)), (0, 0));
}
