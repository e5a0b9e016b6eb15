//! Who may do what: the table of the design written a second time, so that a change of it shows.

use crate::giving::{given, record, rule};
use crate::home::{Home, at};
use crate::orders_of::{daily, flagged, plain};
use mar::command::{Ask, AskHome, AskOrder, AskResident};
use mar::fact::{AccessKind, DeviceKeys, DeviceRole, Fact};
use mar::ids::{CommandId, DeviceId, OrderId, ResidentId, SupplyId};
use mar::order::{Flags, Supply};
use mar::picture::Standing;
use mar::resident::{Allergies, Identity};
use mar::settings::Settings;
use mar::staff::{ACTS, Act, Employment, ROLES, Role};

/// One row an act: who may, in the order topical carer, carer, senior, nurse, manager,
/// professional, inspector, administrator.
const TABLE: [(Act, &str); 14] = [
    (Act::Read, "yyyyyyyy"),
    (Act::GiveTopical, "yyyyy---"),
    (Act::Give, "-yyyy---"),
    (Act::Witness, "-yyyy---"),
    (Act::NoteEffect, "-yyyy---"),
    (Act::WriteOrder, "--yyy---"),
    (Act::CheckOrder, "--yyy---"),
    (Act::StopOrder, "--yyy---"),
    (Act::KeepResident, "--yyy---"),
    (Act::FollowUp, "-yyyy---"),
    (Act::KeepStaff, "----y---"),
    (Act::KeepHome, "----y--y"),
    (Act::KeepDevices, "----y--y"),
    (Act::Print, "-yyyyyy-"),
];

fn may(act: Act, role: Role) -> bool {
    let row = TABLE.iter().find(|(a, _)| *a == act).expect("every act has a row").1;
    let at = ROLES.iter().position(|r| *r == role).expect("every role has a column");
    row.as_bytes()[at] == b'y'
}

#[test]
fn the_table_of_roles_and_acts_is_the_design_s() {
    assert_eq!(TABLE.len(), ACTS.len());
    for act in ACTS {
        for role in ROLES {
            assert_eq!(role.may(act), may(act, role), "{role} to {}", act.words());
        }
    }
}

/// Initials of somebody of each role in [`crate::home::STAFF`].
const SOMEBODY: [(&str, Role); 8] = [
    ("CT", Role::CarerTopical),
    ("CA", Role::Carer),
    ("SC", Role::Senior),
    ("NU", Role::Nurse),
    ("MM", Role::Manager),
    ("PX", Role::Professional),
    ("IX", Role::Inspector),
    ("AX", Role::Administrator),
];

/// What is asked, and the right that the table asks for it.
fn asks(home: &Home, resident: ResidentId, order: OrderId) -> Vec<(Act, Ask)> {
    let supply = Supply {
        id: SupplyId([1; 16]),
        order,
        product: "Ramipril 5mg tablets (Teva)".into(),
        dmd: None,
        pack: "box of 28".into(),
        quantity: None,
        notice: String::new(),
        received: home.now,
    };
    let keys = DeviceKeys {
        device: DeviceId([77; 32]),
        recipient: "age".into(),
        name: "Trolley 9".into(),
    };
    let own = home.person("MM");
    let details = home.picture(0).home.person(own).expect("the manager").clone();
    let settings =
        Settings::new("Willow House", at("2026-11-02T05:00").civil(crate::home::ZONE).date());
    let follow_up = AskResident::OpenFollowUp { what: "call".into(), order: None, owner: None };
    let access = AskResident::NoteAccess { what: AccessKind::Seen, session: CommandId([3; 16]) };
    let hold = AskOrder::Hold { order, reason: "Dr Bell".into(), review: None };
    let stop = AskOrder::Stop {
        order,
        at: home.now,
        authorised_by: "Dr Bell".into(),
        reason: "why".into(),
    };
    let write = AskOrder::Write {
        order: OrderId([44; 16]),
        content: plain(daily(&["08:00"])),
        same_meaning: None,
        allergy_decided: None,
        intended: Some("both are meant".into()),
        label_read: None,
    };
    vec![
        (Act::WriteOrder, Ask::Order(resident, write)),
        (Act::StopOrder, Ask::Order(resident, hold)),
        (Act::StopOrder, Ask::Order(resident, stop)),
        (Act::Give, Ask::Order(resident, AskOrder::Supply(supply))),
        (
            Act::KeepResident,
            Ask::Resident(resident, AskResident::WriteAllergies(Allergies::NotAsked)),
        ),
        (
            Act::KeepResident,
            Ask::Resident(resident, AskResident::WriteIdentity(Identity::named("Shaw", "G"))),
        ),
        (Act::FollowUp, Ask::Resident(resident, follow_up)),
        (Act::Read, Ask::Resident(resident, access)),
        (Act::KeepStaff, Ask::Home(AskHome::WriteStaff { staff: own, details })),
        (Act::KeepHome, Ask::Home(AskHome::SetSettings(settings))),
        (Act::KeepDevices, Ask::Home(AskHome::EnrolDevice { keys, role: DeviceRole::Member })),
    ]
}

#[test]
fn each_role_is_let_and_refused_as_the_table_says_and_the_fold_agrees() {
    for (initials, role) in SOMEBODY {
        let mut home = Home::founded("2026-11-02T05:00");
        let resident = home.admit("Shaw", "Gladys");
        let order = home.order(resident, plain(daily(&["08:00"])));
        for (act, ask) in asks(&home, resident, order) {
            let mut other = home.clone();
            let answer = other.ask(0, initials, ask);
            if may(act, role) {
                let entries = answer.expect("the table lets them");
                // What the door let in counts for the fold as well.
                let standing = other.devices[0].held.standing(entries[0].id);
                assert_eq!(standing, Standing::InForce, "{role} to {}", act.words());
            } else {
                assert_eq!(rule(&answer), Some("U-01"), "{role} to {}", act.words());
            }
        }
    }
}

#[test]
fn creams_are_for_topical_carers_and_medicines_are_not() {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let tablets = home.order(resident, plain(daily(&["08:00"])));
    let topical = Flags { topical: true, ..Flags::default() };
    let cream = home.order(resident, flagged(topical, plain(daily(&["08:00"]))));
    home.now = at("2026-11-02T08:00");
    for (initials, role) in SOMEBODY {
        let mut home = home.clone();
        for (order, act) in [(tablets, Act::Give), (cream, Act::GiveTopical)] {
            let told = given();
            let answer =
                record(&mut home, (0, initials), (resident, order), "2026-11-02T08:00", told);
            assert_eq!(answer.is_ok(), may(act, role), "{role}");
        }
    }
}

#[test]
fn a_person_sets_their_own_pin_and_only_a_manager_another_s() {
    let mut home = Home::founded("2026-11-02T05:00");
    let pin = |staff| Ask::Home(AskHome::SetPin { staff, generation: 1, sealed: vec![1, 2, 3] });
    let (carer, nurse) = (home.person("CA"), home.person("NU"));
    home.ask(0, "CA", pin(carer)).expect("her own");
    assert!(home.picture(0).home.staff()[&carer].pin().is_some(), "and it counts");
    assert_eq!(rule(&home.ask(0, "CA", pin(nurse))), Some("U-01"));
    home.ask(0, "MM", pin(nurse)).expect("by the manager");
    assert!(home.picture(0).home.staff()[&nurse].pin().is_some());
}

#[test]
fn whoever_is_suspended_does_nothing_and_the_last_manager_stays() {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let order = home.order(resident, plain(daily(&["08:00"])));
    let out = || Employment::Suspended { reason: "under investigation".into() };
    home.employ(0, "CA", out());
    home.now = at("2026-11-02T08:00");
    let answer = record(&mut home, (0, "CA"), (resident, order), "2026-11-02T08:00", given());
    assert_eq!(rule(&answer), Some("W-07"));
    home.employ(0, "CA", Employment::Active);
    record(&mut home, (0, "CA"), (resident, order), "2026-11-02T08:00", given()).expect("again");
    let manager = home.person("MM");
    let details = mar::staff::Staff {
        standing: out(),
        ..home.picture(0).home.person(manager).expect("the manager").clone()
    };
    let ask = Ask::Home(AskHome::WriteStaff { staff: manager, details });
    assert_eq!(rule(&home.ask(0, "MM", ask)), Some("W-07"));
}

#[test]
fn initials_are_nobody_else_s_and_never_a_code_of_the_chart() {
    let mut home = Home::founded("2026-11-02T05:00");
    let carer = home.person("CA");
    let known = home.picture(0).home.person(carer).expect("a carer").clone();
    for initials in ["nu", "SA", "h", "pr"] {
        let details = mar::staff::Staff { initials: initials.into(), ..known.clone() };
        let ask = Ask::Home(AskHome::WriteStaff { staff: carer, details });
        assert_eq!(rule(&home.ask(0, "MM", ask)), Some("W-23"), "{initials}");
    }
}

#[test]
fn a_code_of_the_chart_is_never_somebody_s_initials() {
    let mut home = Home::founded("2026-11-02T05:00");
    let today = home.now.civil(crate::home::ZONE).date();
    let set = |home: &mut Home, letters: &str| {
        let mut settings = Settings::new("Willow House", today);
        settings.letters.insert(mar::outcome::Outcome::Refused, letters.into());
        home.ask(0, "MM", Ask::Home(AskHome::SetSettings(settings)))
    };
    for letters in ["NU", "nu"] {
        let answer = set(&mut home, letters);
        assert_eq!(rule(&answer), Some("W-23"), "{letters}");
        let words = answer.expect_err("refused").to_string();
        assert!(words.contains("refused") && words.contains("NU Person"), "{words}");
    }
    set(&mut home, "A").expect("nobody's initials");
    // Whoever no longer signs leaves the letters free.
    home.employ(0, "NU", Employment::Suspended { reason: "left".into() });
    set(&mut home, "NU").expect("nobody's initials any more");
}

#[test]
fn rights_that_were_written_without_a_right_give_none() {
    let mut home = Home::founded("2026-11-02T05:00");
    let resident = home.admit("Shaw", "Gladys");
    let carer = home.person("CA");
    let authority = home.picture(0).home.staff()[&carer].authority().expect("active");
    let made = |home: &Home, authority| mar::fact::Made {
        command: CommandId([8; 16]),
        actor: mar::fact::Actor::Staff(home.person("CA")),
        authority,
        witness: None,
        base: vec![authority],
    };
    // A program that is not ours makes its carer a manager.
    let known = home.picture(0).home.person(carer).expect("a carer").clone();
    let details = mar::staff::Staff { role: Role::Manager, ..known };
    let fact =
        Fact::Home(mar::fact::HomeFact::StaffWritten { staff: carer, details, seen: vec![] });
    let first = made(&home, authority);
    let raised = home.write(0, Some(first), None, fact);
    assert_eq!(home.devices[0].held.standing(raised.id), Standing::Quarantined);
    let second = made(&home, raised.id);
    let settings =
        Settings::new("Elm House", at("2026-11-02T05:00").civil(crate::home::ZONE).date());
    let fact = Fact::Home(mar::fact::HomeFact::SettingsSet(settings));
    let entry = home.write(0, Some(second), None, fact);
    assert_eq!(home.devices[0].held.standing(entry.id), Standing::Quarantined);
    assert_eq!(home.picture(0).home.person(carer).expect("still there").role, Role::Carer);
    assert!(home.resident(0, resident).identity().is_some());
}
