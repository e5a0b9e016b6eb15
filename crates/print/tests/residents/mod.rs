//! Residents to print: some as a home has them, some drawn at random from a seed.
#![allow(dead_code, reason = "two test binaries share this file and use different parts of it")]

mod random;

use chrono::{Days, NaiveDate, NaiveTime};
use print::round::{RoundDose, RoundResident, RoundSheet};
use print::sheet::*;

pub(crate) use random::random_sheet;

/// Returns a date that exists.
pub(crate) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// Returns a time of day that exists.
pub(crate) fn time(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
}

/// Returns a moment in November, when the home's clock is on GMT.
pub(crate) fn moment(day: u32, hour: u32, minute: u32) -> LocalTime {
    LocalTime { date: date(2026, 11, day), time: time(hour, minute), zone: "GMT".into() }
}

pub(crate) fn home(practice: bool) -> Home {
    Home {
        name: "Rowan House Care Home".into(),
        unit: Some("Lavender".into()),
        practice,
        late_dose_number: Some("01632 960 411 (Rowan Pharmacy)".into()),
        out_of_hours_number: Some("111".into()),
    }
}

pub(crate) fn provenance() -> Provenance {
    Provenance {
        unread: None,
        sheet_id: "7K3F-0118".into(),
        replaces: Some("7K3F-0097".into()),
        fingerprint: "9f3a 11c0 7be2 40d1".into(),
        printed_at: moment(21, 21, 5),
        printed_utc: date(2026, 11, 21).and_hms_opt(21, 5, 0).unwrap(),
        complete_to: Some(moment(21, 20, 58)),
        unheard: vec![],
        clock_doubt: None,
    }
}

pub(crate) fn codes() -> Vec<CodeKey> {
    [
        ("P", "part given, how much"),
        ("SA", "self-administered"),
        ("PR", "prompted"),
        ("M", "made available"),
        ("R", "refused, not prepared"),
        ("E", "refused and destroyed"),
        ("V", "spat out or vomited"),
        ("S", "asleep"),
        ("NR", "not required"),
        ("H", "hospital"),
        ("L", "leave"),
        ("HA", "held on advice"),
        ("CR", "reading outside limit"),
        ("OS", "out of stock"),
        ("OE", "omitted in error"),
        ("F", "other, see back"),
        ("PC", "on paper chart"),
        ("NB", "nil by mouth, too drowsy"),
        ("VP", "visiting professional"),
        ("GE", "given elsewhere"),
        ("GC", "given, plan in force"),
        ("DR", "dropped and replaced"),
        ("NK", "not known, handed over"),
    ]
    .into_iter()
    .map(|(code, words)| CodeKey { code: code.into(), words: words.into() })
    .collect()
}

/// Zoë Łukasiewicz, with most things a chart has to show.
pub(crate) fn zoe() -> Resident {
    Resident {
        unread: None,
        surname: "Łukasiewicz".into(),
        forenames: "Zoë Siân".into(),
        known_as: Some("Zo".into()),
        title: Some("Mrs".into()),
        born: Some(date(1939, 3, 3)),
        age: Some(87),
        nhs_number: Some("943 476 5919".into()),
        room: Some("14, Lavender".into()),
        photograph: Photograph::None,
        similar_name: Some("SIMILAR NAME: Zofia Łukasiak, room 9".into()),
        allergies: Allergies::Recorded(vec![
            Allergy {
                substance: "Penicillin".into(),
                reaction: Some("swollen face, 2011".into()),
                kind: Some("allergy".into()),
            },
            Allergy {
                substance: "Codeine".into(),
                reaction: Some("confusion".into()),
                kind: Some("intolerance".into()),
            },
        ]),
        swallowing: Some("Level 2, mildly thick; tablets in thickened water only".into()),
        how_taken: Some("One at a time from a spoon, upright, with yoghurt".into()),
        covert_symbol: None,
        self_administration: None,
        time_critical: true,
        weight: Some("46.5 kg (Mon 2 Nov 2026)".into()),
        gp: Some("Dr A Okafor, Elm Surgery, 01632 960 322".into()),
        pharmacy: Some("Rowan Pharmacy, 01632 960 411".into()),
    }
}

pub(crate) fn block(medicine: &str, directions: &str, doses: Doses) -> Block {
    Block {
        medicine: medicine.into(),
        brand: None,
        directions: directions.into(),
        sender_words: None,
        route: Some("by mouth".into()),
        indication: None,
        warnings: vec![],
        tags: vec![],
        no_automatic_checks: false,
        start: date(2026, 10, 26),
        stop: None,
        review: None,
        notes: vec![],
        source: "Prescriber Dr A Okafor; from pharmacy label".into(),
        version: 1,
        written_by: Some("K. Brown".into()),
        checked_by: Some("M. Diaz".into()),
        supply: Some("pod".into()),
        standing: BlockStanding::Active,
        second_signature: false,
        amount_per_dose: false,
        carried_forward: None,
        doses,
        records: vec![],
    }
}

/// Returns a row that is signed until day 26 and open from then on.
pub(crate) fn row(time: &str, initials: &[&str]) -> Row {
    let cell = |day: usize| match day {
        0..26 => Cell::Told(vec![Mark {
            initials: Some(initials[day % initials.len()].into()),
            ..Mark::default()
        }]),
        _ => Cell::Due,
    };
    Row { time: time.into(), amount: None, cells: (0..28).map(cell).collect() }
}

pub(crate) fn code(code: &str, note: u32) -> Cell {
    Cell::Told(vec![Mark { code: Some(code.into()), note: Some(note), ..Mark::default() }])
}

fn record(note: u32, day: u64, outcome: (&str, &str), reason: &str) -> Record {
    Record {
        note: Some(note),
        date: date(2026, 10, 26).checked_add_days(Days::new(day)).unwrap(),
        time: "08:00".into(),
        dose: Some("1 tablet".into()),
        code: (!outcome.0.is_empty()).then(|| outcome.0.into()),
        outcome: outcome.1.into(),
        reason: (!reason.is_empty()).then(|| reason.into()),
        badges: vec![],
        by: Some("KB".into()),
        witness: None,
        struck: false,
    }
}

fn co_careldopa() -> Block {
    let mut sinemet = block(
        "Co-careldopa 25 mg/100 mg tablets",
        "Take ONE tablet by mouth at 07:00, 11:00, 15:00 and 19:00.",
        Doses::Scheduled(vec![
            row("07:00", &["KB", "MD"]),
            row("11:00", &["KB", "JO"]),
            row("15:00", &["TS"]),
            row("19:00", &["TS", "AW"]),
        ]),
    );
    sinemet.tags = vec!["TIME-CRITICAL".into()];
    sinemet.brand = Some("Sinemet".into());
    sinemet.indication = Some("Parkinson’s disease".into());
    sinemet.warnings = vec!["Do not stop suddenly.".into()];
    sinemet
}

fn metformin() -> Block {
    let mut metformin = block(
        "Metformin 500 mg tablets",
        "Take ONE tablet twice a day, with or just after food.",
        Doses::Scheduled(vec![row("08:00", &["KB", "MD"]), row("18:00", &["TS"])]),
    );
    metformin.sender_words = Some(SenderWords { from: "Label".into(), words: "One BD cc".into() });
    if let Doses::Scheduled(rows) = &mut metformin.doses {
        rows[0].cells[3] = code("R", 1);
        rows[0].cells[9] = Cell::Told(vec![Mark {
            initials: Some("KB".into()),
            note: Some(2),
            ..Mark::default()
        }]);
        rows[0].cells[14] = code("HA", 3);
        rows[0].cells[15] = Cell::Held;
        rows[1].cells[12] = Cell::Unrecorded;
        rows[1].cells[20] = Cell::Told(vec![
            Mark { initials: Some("KB".into()), note: Some(5), ..Mark::default() },
            Mark { initials: Some("TS".into()), note: Some(5), ..Mark::default() },
        ]);
        rows[0].cells[7] = Cell::Told(vec![Mark {
            code: Some("P".into()),
            initials: Some("MD".into()),
            note: Some(4),
            ..Mark::default()
        }]);
    }
    let mut late = record(2, 9, ("", "given at 08:05"), "tablet round was interrupted by a fall");
    late.badges = vec!["LATE ENTRY, typed Wed 4 Nov 14:20 by JO".into()];
    let mut first = record(5, 20, ("", "given at 18:02"), "given on the Lounge tablet while apart");
    first.badges = vec!["TWO DOSES RECORDED FOR ONE SLOT".into()];
    metformin.records = vec![
        record(
            1,
            3,
            ("R", "refused, not prepared"),
            "“I feel sick.” Offered again 09:10, refused.",
        ),
        late,
        record(3, 14, ("HA", "held on advice"), "Dr Okafor by telephone 07:40: hold until bloods."),
        record(4, 7, ("P", "part given"), "half taken, rest refused and destroyed"),
        first,
        Record {
            struck: true,
            ..record(6, 21, ("S", "asleep"), "wrong resident; corrected 08:31")
        },
    ];
    metformin
}

fn methotrexate() -> Block {
    let mut methotrexate = block(
        "Methotrexate 2.5 mg tablets",
        "Take FOUR tablets (10 mg) ONCE A WEEK, on Sunday, at 08:00.",
        Doses::Scheduled(vec![Row {
            time: "08:00".into(),
            amount: Some("4 tabs".into()),
            cells: (0..28).map(|day| if day % 7 == 6 { Cell::Due } else { Cell::NotDue }).collect(),
        }]),
    );
    methotrexate.tags = vec!["WEEKLY – SUNDAY".into(), "NOT IN PACK".into()];
    methotrexate.warnings = vec!["Avoid trimethoprim. Report a sore throat or fever.".into()];
    methotrexate
}

fn morphine() -> Block {
    let mut morphine = block(
        "Morphine sulfate 10 mg modified-release capsules",
        "Take ONE capsule every 12 hours, at 08:00 and 20:00. Swallow whole.",
        Doses::Scheduled(vec![row("08:00", &["KB"]), row("20:00", &["TS"])]),
    );
    morphine.brand = Some("Zomorph".into());
    morphine.tags = vec!["CD".into(), "NOT IN PACK".into()];
    morphine.second_signature = true;
    if let Doses::Scheduled(rows) = &mut morphine.doses {
        for row in rows {
            for cell in &mut row.cells {
                if let Cell::Told(marks) = cell {
                    marks[0].witness = Some("JO".into());
                }
            }
        }
    }
    morphine
}

fn more_blocks() -> Vec<Block> {
    let mut old = block(
        "Furosemide 20 mg tablets",
        "Take ONE tablet in the morning.",
        Doses::Scheduled(vec![Row {
            time: "08:00".into(),
            amount: None,
            cells: (0..28)
                .map(|day| match day {
                    0..11 => row("", &["KB"]).cells[day].clone(),
                    _ => Cell::AfterEnd,
                })
                .collect(),
        }]),
    );
    old.standing = BlockStanding::Superseded("Replaced by version 2 on Fri 6 Nov 2026.".into());
    let mut new = block(
        "Furosemide 40 mg tablets",
        "Take ONE tablet in the morning.",
        Doses::Scheduled(vec![Row {
            time: "08:00".into(),
            amount: None,
            cells: (0..28)
                .map(|day| match day {
                    0..11 => Cell::BeforeStart,
                    _ => row("", &["MD"]).cells[day].clone(),
                })
                .collect(),
        }]),
    );
    new.version = 2;
    new.start = date(2026, 11, 6);
    new.checked_by = None;

    let mut cream = block(
        "Zerobase 11% cream (own supply, not in the dictionary)",
        "Apply to both legs twice a day.",
        Doses::Scheduled(vec![row("Morning", &["CA"]), row("Night", &["CA"])]),
    );
    cream.route = Some("on the skin".into());
    cream.no_automatic_checks = true;

    let mut lactulose = block(
        "Lactulose 3.1 g to 3.7 g/5 mL oral solution",
        "Take 10 mL to 15 mL twice a day; choose by stools (chart in room).",
        Doses::Scheduled(vec![row("08:00", &["KB"]), row("20:00", &["TS"])]),
    );
    lactulose.amount_per_dose = true;
    if let Doses::Scheduled(rows) = &mut lactulose.doses {
        for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
            if let Cell::Told(marks) = cell {
                marks[0].amount = Some("15 mL".into());
            }
        }
    }
    vec![old, new, cream, lactulose]
}

/// Returns a PRN block with `count` doses.
pub(crate) fn paracetamol(count: usize) -> Block {
    let line = |n: usize| PrnLine {
        date: date(2026, 10, 26).checked_add_days(Days::new(n as u64 % 27)).unwrap(),
        time: time(14, 5),
        amount: Some(if n.is_multiple_of(2) { "2 tablets" } else { "1 tablet" }.into()),
        code: (n % 7 == 6).then(|| "R".into()),
        reason: Some(
            "Hip pain, score 6 of 10; asked for it. Cushion and turning tried first.".into(),
        ),
        by: Some("KB".into()),
        witness: None,
        next_allowed: Some("18:05".into()),
        effect: Some("15:05 effective, score 2".into()),
        note: None,
        struck: n == 3,
    };
    let mut block = block(
        "Paracetamol 500 mg tablets",
        "Take ONE or TWO tablets when required for pain.",
        Doses::WhenRequired(WhenRequired {
            limits: vec![
                "At least 4 hours between doses.".into(),
                "No more than 6 tablets (3 g) in 24 hours, co-codamol counted.".into(),
            ],
            protocol: vec![
                "Can ask. Without words: rubs her hip, will not stand.".into(),
                "Two tablets when the score is 5 or more.".into(),
                "Call the GP after 3 days of use.".into(),
            ],
            at_printing: vec![
                "last given Fri 20 Nov 2026 14:05 (2 tablets);".into(),
                "next allowed 18:05;".into(),
                "left in 24 h: 4 tablets.".into(),
            ],
            lines: (0..count).map(line).collect(),
        }),
    );
    block.tags = vec!["PRN".into()];
    block
}

/// Returns a chart of eight regular medicines and two when required.
pub(crate) fn full_chart() -> MarSheet {
    let mut blocks = vec![co_careldopa(), metformin(), methotrexate(), morphine()];
    blocks.extend(more_blocks());
    blocks.push(paracetamol(9));
    MarSheet {
        home: home(false),
        resident: zoe(),
        cycle: Cycle { start: date(2026, 10, 26), days: 28 },
        provenance: provenance(),
        codes: codes(),
        blocks,
        waiting: Vec::new(),
        changes: vec![Change {
            at: moment(6, 11, 20),
            what: "Furosemide 20 mg once a day changed to 40 mg once a day".into(),
            authorised_by: Some("Dr A Okafor, letter seen".into()),
            written_by: Some("K. Brown".into()),
            checked_by: None,
        }],
        signatures: [("Kath Brown", "KB"), ("Maria Diaz", "MD"), ("Tom Szymański", "TS")]
            .into_iter()
            .map(|(name, initials)| Signatory {
                name: name.into(),
                role: "Senior carer".into(),
                initials: initials.into(),
            })
            .collect(),
    }
}

/// Returns the chart of a man whose name is Arabic, in a practice home, half of it unknown.
pub(crate) fn practice_chart() -> MarSheet {
    let resident = Resident {
        surname: "خان".into(),
        forenames: "محمد علاء".into(),
        known_as: Some("Mo".into()),
        title: Some("Mr".into()),
        born: None,
        age: None,
        nhs_number: None,
        room: Some("3".into()),
        similar_name: None,
        allergies: Allergies::NotRecorded,
        swallowing: None,
        how_taken: None,
        time_critical: false,
        weight: None,
        gp: None,
        pharmacy: None,
        ..zoe()
    };
    let long = "Take TWO capsules in the morning on an empty stomach with a full glass of water, \
        at least 30 minutes before food, other medicines or any other drink, and stay upright \
        for at least 30 minutes after taking it.";
    let mut blocks = vec![block(
        "Colecalciferol 400 unit with calcium carbonate 1.5 g and alendronic acid 70 mg \
         effervescent gluten-free sugar-free lemon-flavoured modified-release granules",
        long,
        Doses::Scheduled(vec![row("08:00", &["KBX"])]),
    )];
    blocks.push(paracetamol(30));
    let unheard = vec!["Lounge tablet since Sat 21 Nov 2026 17:40".into(), "Office PC".into()];
    MarSheet {
        home: home(true),
        resident,
        provenance: Provenance { unheard, complete_to: None, replaces: None, ..provenance() },
        blocks,
        ..full_chart()
    }
}

/// Returns a morning round of four residents.
pub(crate) fn morning_round() -> RoundSheet {
    let dose = |medicine: &str, critical: bool| RoundDose {
        due: if critical { "07:30" } else { "08:00" }.into(),
        window: Some(if critical { "07:00 to 08:00" } else { "07:00 to 10:30" }.into()),
        medicine: medicine.into(),
        amount: "ONE tablet.".into(),
        directions: "By mouth, with food.".into(),
        time_critical: critical,
        tags: vec![],
        no_automatic_checks: false,
        second_signature: medicine.starts_with("Morphine"),
        amount_per_dose: medicine.starts_with("Lactulose"),
    };
    let person = |resident: Resident, doses: Vec<RoundDose>| RoundResident {
        resident,
        doses,
        when_required: vec![
            "Paracetamol 500 mg tablets: last given Fri 20 Nov 2026 14:05, next allowed 18:05."
                .into(),
        ],
        waiting: Vec::new(),
        withheld: Vec::new(),
    };
    let plain = |surname: &str, forenames: &str, room: &str| Resident {
        surname: surname.into(),
        forenames: forenames.into(),
        room: Some(room.into()),
        known_as: None,
        similar_name: None,
        time_critical: false,
        allergies: Allergies::NoneKnown { by: "K. Brown".into(), on: date(2026, 1, 5) },
        ..zoe()
    };
    RoundSheet {
        home: home(false),
        round: "Morning round".into(),
        date: date(2026, 11, 22),
        window: "07:00 to 10:30".into(),
        provenance: provenance(),
        codes: codes(),
        residents: vec![
            person(
                zoe(),
                vec![
                    dose("Metformin 500 mg tablets", false),
                    dose("Morphine sulfate 10 mg modified-release capsules", false),
                    dose("Co-careldopa 25 mg/100 mg tablets", true),
                    dose("Lactulose 3.1 g to 3.7 g/5 mL oral solution", false),
                ],
            ),
            person(practice_chart().resident, vec![dose("Ramipril 5 mg capsules", false)]),
            person(plain("Dunn", "Łukasz", "5"), vec![dose("Apixaban 2.5 mg tablets", false)]),
            person(
                plain("Evans", "Siân", "6"),
                (0..9).map(|n| dose(&format!("Medicine {n} 5 mg tablets"), n == 8)).collect(),
            ),
        ],
    }
}
