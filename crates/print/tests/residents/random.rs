//! Charts drawn from a seed, each outcome with initials that occur nowhere else.

use chrono::Days;
use print::sheet::*;

use super::{block, codes, date, full_chart, time};

/// What must be found on the fronts of a random chart, each exactly once.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// The words that name each medicine.
    pub(crate) medicines: Vec<String>,
    /// Each outcome in the grid: its initials, the day's index and the row's time.
    pub(crate) marks: Vec<(String, usize, String)>,
    /// Each dose given when required: its initials.
    pub(crate) lines: Vec<String>,
    /// Each row overleaf: a word of its reason.
    pub(crate) records: Vec<String>,
    /// How many printed codes stand in the grid, by letters.
    pub(crate) codes: Vec<String>,
    /// Rows of boxes: their times, no two alike.
    pub(crate) times: Vec<String>,
    /// Each order that waits: a word of its name, and one of what its sender wrote.
    pub(crate) waiting: Vec<String>,
}

/// SplitMix64: small, and the same everywhere.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

struct Names {
    draw: Draw,
    initials: u32,
    minute: u32,
    word: u32,
}

impl Names {
    /// Two letters and a digit, so that no word of the page is mistaken for them.
    fn initials(&mut self) -> String {
        let n = self.initials;
        assert!(n < 6760, "initials are used up");
        self.initials += 1;
        let letter = |n: u32| char::from(b'A' + u8::try_from(n % 26).unwrap());
        format!("{}{}{}", letter(n / 260), letter(n / 10), n % 10)
    }

    fn clock(&mut self) -> String {
        self.minute += 1;
        format!("{:02}:{:02}", self.minute / 60 % 24, self.minute % 60)
    }

    fn word(&mut self, stem: &str) -> String {
        self.word += 1;
        format!("{stem}{}", self.word)
    }
}

/// Returns a chart drawn from `seed` and what must be found on it.
pub(crate) fn random_sheet(seed: u64) -> (MarSheet, Expected) {
    let mut names = Names { draw: Draw(seed), initials: 0, minute: 0, word: 0 };
    let mut expected = Expected::default();
    let mut blocks = Vec::new();
    for _ in 0..1 + names.draw.below(12) {
        blocks.push(random_block(&mut names, &mut expected));
    }
    let mut sheet = full_chart();
    // One resident in three has nothing but orders that wait.
    sheet.blocks = if names.draw.one_in(3) { Vec::new() } else { blocks };
    if sheet.blocks.is_empty() {
        expected = Expected::default();
    }
    let waiting = names.draw.below(24);
    sheet.waiting = (0..waiting).map(|_| random_waiting(&mut names, &mut expected)).collect();
    sheet.home.practice = names.draw.one_in(4);
    if names.draw.one_in(3) {
        sheet.resident = super::practice_chart().resident;
    }
    sheet.codes = codes();
    (sheet, expected)
}

fn random_block(names: &mut Names, expected: &mut Expected) -> Block {
    let medicine = names.word("Medicine");
    expected.medicines.push(medicine.clone());
    let length = usize::try_from(names.draw.below(200)).unwrap();
    let directions: String = "Take one as told. ".chars().cycle().take(length + 8).collect();
    let prn = names.draw.one_in(4);
    let doses = if prn { random_prn(names, expected) } else { Doses::Scheduled(Vec::new()) };
    let mut block = block(&format!("{medicine} 5 mg tablets"), &directions, doses);
    block.second_signature = names.draw.one_in(4);
    block.amount_per_dose = names.draw.one_in(6);
    if names.draw.one_in(6) {
        block.standing = BlockStanding::Superseded("Replaced.".into());
    }
    if !prn {
        let most = if names.draw.one_in(8) { 24 } else { 5 };
        let count = 1 + names.draw.below(most);
        let rows = (0..count).map(|_| random_row(names, expected, &mut block)).collect();
        block.doses = Doses::Scheduled(rows);
    }
    block
}

fn random_waiting(names: &mut Names, expected: &mut Expected) -> WaitingOrder {
    let (medicine, word) = (names.word("Waitamed"), names.word("wrote"));
    expected.waiting.extend([medicine.clone(), word.clone()]);
    let length = usize::try_from(names.draw.below(20)).unwrap();
    WaitingOrder {
        medicine: format!("{medicine} 5 mg tablets"),
        sent: vec![format!("Take {word} as told {}", "by us ".repeat(length))],
        directions: names.draw.one_in(2).then(|| "Take ONE tablet by mouth.".to_owned()),
        since: "Sat 21 Nov 2026 08:00".into(),
        missing: "another person’s check".into(),
        meanwhile: names.draw.one_in(4),
    }
}

fn random_row(names: &mut Names, expected: &mut Expected, block: &mut Block) -> Row {
    let time = names.clock();
    expected.times.push(time.clone());
    let cells = (0..28).map(|day| random_cell(names, expected, block, (day, &time))).collect();
    Row { time, amount: None, cells }
}

fn random_cell(
    names: &mut Names,
    expected: &mut Expected,
    block: &mut Block,
    (day, time): (usize, &str),
) -> Cell {
    match names.draw.below(16) {
        0 => Cell::NotDue,
        1 => Cell::BeforeStart,
        2 => Cell::AfterEnd,
        3 => Cell::Held,
        4 | 5 => Cell::Due,
        6 => Cell::Unrecorded,
        _ => {
            let several = names.draw.one_in(20);
            let count = if several { 2 } else { 1 };
            let mark = |_| random_mark(names, expected, block, (day, time));
            Cell::Told((0..count).map(mark).collect())
        }
    }
}

fn random_mark(
    names: &mut Names,
    expected: &mut Expected,
    block: &mut Block,
    (day, time): (usize, &str),
) -> Mark {
    let initials = names.initials();
    expected.marks.push((initials.clone(), day, time.to_owned()));
    let mut mark = Mark { initials: Some(initials), ..Mark::default() };
    if block.second_signature {
        let witness = names.initials();
        expected.marks.push((witness.clone(), day, time.to_owned()));
        mark.witness = Some(witness);
    }
    if block.amount_per_dose {
        mark.amount = Some("15 mL".into());
    }
    if names.draw.one_in(5) {
        let known = codes();
        let index = usize::try_from(names.draw.below(known.len() as u64)).unwrap();
        mark.code = Some(known[index].code.clone());
        expected.codes.push(known[index].code.clone());
    }
    if names.draw.one_in(6) {
        let note = u32::try_from(block.records.len() + 1).unwrap();
        mark.note = Some(note);
        block.records.push(random_record(names, expected, note));
    }
    mark
}

fn random_record(names: &mut Names, expected: &mut Expected, note: u32) -> Record {
    let word = names.word("because");
    expected.records.push(word.clone());
    Record {
        note: Some(note),
        date: date(2026, 10, 26),
        time: "08:00".into(),
        dose: None,
        code: None,
        outcome: "told".into(),
        reason: Some(format!("{word} of this")),
        badges: if names.draw.one_in(3) { vec!["LATE ENTRY".into()] } else { vec![] },
        by: None,
        witness: None,
        struck: names.draw.one_in(5),
    }
}

fn random_prn(names: &mut Names, expected: &mut Expected) -> Doses {
    let mut lines = Vec::new();
    for n in 0..names.draw.below(60) {
        let by = names.initials();
        expected.lines.push(by.clone());
        lines.push(PrnLine {
            date: date(2026, 10, 26).checked_add_days(Days::new(n % 28)).unwrap(),
            time: time(14, 5),
            amount: Some("2 tablets".into()),
            code: None,
            reason: Some("pain in the hip ".repeat(usize::try_from(names.draw.below(5)).unwrap())),
            by: Some(by),
            witness: None,
            next_allowed: None,
            effect: None,
            note: None,
            struck: false,
        });
    }
    let words = |text: &str| vec![text.to_owned()];
    Doses::WhenRequired(WhenRequired {
        limits: words("At least 4 hours between doses."),
        protocol: vec![],
        at_printing: vec![],
        lines,
    })
}
