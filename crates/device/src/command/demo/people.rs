//! Who works and who lives in the practice home. All of them are invented.

use mar::staff::Role;

/// Somebody who works in the practice home.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worker {
    pub(super) name: &'static str,
    pub(super) initials: &'static str,
    pub(super) role: Role,
    pub(super) may_witness: bool,
    pub(super) pin: &'static str,
}

const fn worker(
    name: &'static str,
    initials: &'static str,
    role: Role,
    may_witness: bool,
    pin: &'static str,
) -> Worker {
    Worker { name, initials, role, may_witness, pin }
}

/// The manager first, then a nurse, a senior, carers, and those who only read.
pub(super) const STAFF: [Worker; 7] = [
    worker("Ann Marsh", "AM", Role::Manager, true, "294716"),
    worker("Nia Bowen", "NB", Role::Nurse, true, "583047"),
    worker("Sam Cole", "SC", Role::Senior, true, "716402"),
    worker("Priya Nair", "PN", Role::Carer, true, "830159"),
    worker("Tom Okafor", "TO", Role::Carer, false, "461738"),
    worker("Jo Reid", "JR", Role::CarerTopical, false, "952083"),
    worker("Imran Sheikh", "IS", Role::Professional, false, "370625"),
];

/// Somebody who lives in the practice home.
#[derive(Debug)]
pub(super) struct Lodger {
    pub(super) family: &'static str,
    pub(super) given: &'static str,
    pub(super) known_as: Option<&'static str>,
    pub(super) title: &'static str,
    pub(super) born: &'static str,
    pub(super) nhs_number: &'static str,
    pub(super) unit: &'static str,
    pub(super) room: &'static str,
    pub(super) how_i_take: &'static str,
    pub(super) thickener: Option<&'static str>,
    /// Substance and reaction; empty is "none known".
    pub(super) allergies: &'static [(&'static str, &'static str)],
}

const PLAIN: Lodger = Lodger {
    family: "",
    given: "",
    known_as: None,
    title: "Mrs",
    born: "",
    nhs_number: "",
    unit: "Willow",
    room: "",
    how_i_take: "one at a time with water",
    thickener: None,
    allergies: &[],
};

/// The residents, in the order of the trolley. Their NHS numbers are of the range that is kept for
/// tests.
pub(super) const RESIDENTS: [Lodger; 12] = [
    Lodger {
        family: "Hartley",
        given: "Zoë Margaret",
        born: "1938-02-14",
        nhs_number: "999 100 0011",
        room: "1",
        allergies: &[("penicillin", "widespread rash, 2019")],
        ..PLAIN
    },
    Lodger {
        family: "Llewellyn",
        given: "Siân",
        born: "1941-09-30",
        nhs_number: "999 100 0186",
        room: "2",
        ..PLAIN
    },
    Lodger {
        family: "Wiśniewski",
        given: "Łukasz Jan",
        known_as: Some("Lukasz"),
        title: "Mr",
        born: "1945-12-06",
        nhs_number: "999 100 0356",
        room: "3",
        how_i_take: "on time to the minute, with a small glass of water",
        allergies: &[("metoclopramide", "worse Parkinson’s symptoms")],
        ..PLAIN
    },
    Lodger {
        family: "الأحمد",
        given: "محمد",
        known_as: Some("Mohammed"),
        title: "Mr",
        born: "1950-07-21",
        nhs_number: "999 100 0526",
        room: "4",
        ..PLAIN
    },
    Lodger {
        family: "Shaw",
        given: "Gladys",
        known_as: Some("Glad"),
        born: "1938-04-12",
        nhs_number: "999 100 0690",
        room: "5",
        allergies: &[("co-amoxiclav", "swollen face")],
        ..PLAIN
    },
    Lodger {
        family: "Shaw",
        given: "George",
        title: "Mr",
        born: "1936-11-03",
        nhs_number: "999 100 0860",
        room: "6",
        ..PLAIN
    },
    Lodger {
        family: "Pugh",
        given: "Bronwen",
        title: "Miss",
        born: "1933-05-27",
        nhs_number: "999 100 1034",
        unit: "Rowan",
        room: "7",
        how_i_take: "from a spoon, sitting upright",
        thickener: Some("IDDSI level 2, mildly thick"),
        ..PLAIN
    },
    Lodger {
        family: "Pendleton",
        given: "Arthur",
        title: "Mr",
        born: "1930-08-19",
        nhs_number: "999 100 1204",
        unit: "Rowan",
        room: "8",
        ..PLAIN
    },
    Lodger {
        family: "Adébáyò",
        given: "Ngozi Ann",
        born: "1947-05-03",
        nhs_number: "999 100 1379",
        unit: "Rowan",
        room: "9",
        allergies: &[("ibuprofen", "asthma")],
        ..PLAIN
    },
    Lodger {
        family: "O’Donnell",
        given: "Máire",
        born: "1939-01-25",
        nhs_number: "999 100 1549",
        unit: "Rowan",
        room: "10",
        ..PLAIN
    },
    Lodger {
        family: "Kaur",
        given: "Harjit",
        born: "1949-10-08",
        nhs_number: "999 100 1719",
        unit: "Rowan",
        room: "11",
        ..PLAIN
    },
    Lodger {
        family: "Zieliński",
        given: "Tomasz",
        title: "Mr",
        born: "1943-03-17",
        nhs_number: "999 100 1883",
        unit: "Rowan",
        room: "12",
        ..PLAIN
    },
];
