//! The standards' and the NHS's own published records, none of them written by us.
//!
//! They are not part of the project: `MEDROUND_DATA` names their folder, else it is looked for
//! beside the project. Where it is absent every test is shown as ignored.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::NaiveDate;
use interop::fhir::{self, Course, Flag, Import, Origin, Place, ProposedOrder, Refused, Status};
use libtest_mimic::{Arguments, Failed, Trial};
use mar::order::Grade;
use serde_json::Value;

type Test = fn(&Path) -> Result<(), Failed>;

const TESTS: &[(&str, Test)] = &[
    ("every_published_file_is_read_or_refused_with_its_place", every_file),
    ("a_current_medicine_of_a_gp_record_is_listed_once", oracle),
    ("importing_a_file_again_gives_the_same_proposals", again),
    ("words_and_codes_that_differ_are_found_in_the_files", conflicts),
    ("release_five_is_refused_by_name", release_five),
    ("a_file_cut_short_is_refused_with_its_place", cut_short),
    ("a_file_with_damaged_bytes_never_stops_the_program", damaged),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let named = std::env::var_os("MEDROUND_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = named.unwrap_or(beside);
    let present = folder.join("manifest.csv").is_file();
    let trial = |(name, test): &(&str, Test)| {
        let (test, folder) = (*test, folder.clone());
        let trial = Trial::test(*name, move || test(&folder));
        if present {
            return trial;
        }
        trial.with_kind("no published records here: set MEDROUND_DATA").with_ignored_flag(true)
    };
    libtest_mimic::run(&arguments, TESTS.iter().map(trial).collect()).exit_code()
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day")
}

fn read(path: &Path) -> Result<(Vec<u8>, Result<Import, Refused>), Failed> {
    let bytes = std::fs::read(path)?;
    let import = fhir::read(&path.display().to_string(), &bytes, today());
    Ok((bytes, import))
}

fn files(folder: &Path, family: &str) -> Result<Vec<PathBuf>, Failed> {
    let mut found = Vec::new();
    let mut open = vec![folder.join(family)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// What one family of files comes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    read: usize,
    refused: usize,
    residents: usize,
    orders: usize,
    allergies: usize,
}

const fn count(files: [usize; 2], proposals: [usize; 3]) -> Count {
    let ([read, refused], [residents, orders, allergies]) = (files, proposals);
    Count { read, refused, residents, orders, allergies }
}

/// As measured. One STU3 fixture is refused because `clinicalStatus` stands in it twice, once
/// "resolved" and once "active". Two files among those of R5 have the layout of R4.
const FAMILIES: &[(&str, Count)] = &[
    ("gp2gp-stu3", count([5, 0], [5, 133, 7])),
    ("gp2gp-stu3-unit", count([34, 1], [34, 25, 13])),
    ("pss-stu3", count([2, 0], [2, 103, 12])),
    ("gpconnect-structured-spec", count([2, 0], [2, 2, 4])),
    ("ukcore-r4", count([57, 0], [30, 11, 5])),
    ("eps", count([81, 0], [81, 111, 0])),
    ("eps-odd", count([1, 0], [1, 1, 0])),
    ("pfp", count([4, 0], [3, 6, 0])),
    ("hl7-r4", count([63, 0], [43, 37, 2])),
    ("hl7-r5", count([2, 23], [1, 1, 0])),
    ("dose-syntax-stu3", count([0, 33], [0, 0, 0])),
    ("fds-dosage-specs", count([0, 27], [0, 0, 0])),
    ("openehr-ripple", count([0, 4], [0, 0, 0])),
    ("dmd-xml-openprescribing", count([0, 16], [0, 0, 0])),
    ("dmd-codelists", count([0, 20], [0, 0, 0])),
];

fn every_file(folder: &Path) -> Result<(), Failed> {
    for (family, expected) in FAMILIES {
        let mut counted = Count::default();
        for path in files(folder, family)? {
            match read(&path)?.1 {
                Ok(import) => {
                    counted.read += 1;
                    counted.residents += import.residents.len();
                    counted.orders += import.order_count();
                    counted.allergies += import.allergy_count();
                    let says = import.residents.len() + import.skipped.len();
                    let empty = path.ends_with("success-empty.json");
                    assert!(says > 0 || empty, "{}: nothing is said of it", path.display());
                }
                Err(refused) => {
                    counted.refused += 1;
                    let said = refused.to_string();
                    assert!(said.starts_with(&path.display().to_string()), "{said}");
                    assert_ne!(refused.place, Place::File, "{said}");
                }
            }
        }
        assert_eq!(&counted, expected, "{family}");
    }
    Ok(())
}

/// Compares with a list of current medicines that was taken from the raw records by other means.
fn oracle(folder: &Path) -> Result<(), Failed> {
    let vector = std::fs::read(folder.join("vectors/gpconnect_active_medicines.json"))?;
    let vector: Value = serde_json::from_slice(&vector)?;
    let cases = vector["cases"].as_array().ok_or("no cases")?;
    assert_eq!(cases.len(), 9);
    for case in cases {
        let file = case["input"].as_str().ok_or("no input")?;
        let import = read(&folder.join(file))?.1?;
        check_counts(file, &import, &case["expected"]);
        check_active(file, &import, &case["expected"])?;
    }
    Ok(())
}

fn check_counts(file: &str, import: &Import, expected: &Value) {
    let people = import.residents.iter().filter(|resident| resident.in_file).count();
    assert_eq!(expected["patients"], people, "{file}");
    assert_eq!(import.residents.len(), people, "{file}: somebody is not in the file");
    assert_eq!(expected["allergies"], import.allergy_count(), "{file}");
    let orders: Vec<&ProposedOrder> = import.residents.iter().flat_map(|r| &r.orders).collect();
    assert_eq!(expected["medication_statements"], orders.len(), "{file}");
    assert!(orders.iter().all(|order| order.origin == Origin::Statement), "{file}");
    for word in ["active", "completed", "stopped"] {
        let count = orders.iter().filter(|order| order.status_as_sent == word).count();
        let expected = expected["statement_status"][word].as_u64().unwrap_or(0);
        assert_eq!(expected, count as u64, "{file}: {word}");
    }
    let has_plan = |order: &&&ProposedOrder| {
        order.identifiers.iter().any(|(origin, _)| *origin == Origin::Plan)
    };
    assert_eq!(expected["plans"], orders.iter().filter(has_plan).count(), "{file}");
    // An issue whose plan is not in the file is not an order, but it is said to be there.
    let apart = import.skipped.iter().filter(|row| row.what == "MedicationRequest").count();
    let issues: usize = orders.iter().map(|order| order.issues).sum();
    assert_eq!(expected["orders"], issues + apart, "{file}");
}

fn check_active(file: &str, import: &Import, expected: &Value) -> Result<(), Failed> {
    let mut left: Vec<&ProposedOrder> = import.residents.iter().flat_map(|r| r.active()).collect();
    assert_eq!(expected["active_medicines"], left.len(), "{file}");
    for medicine in expected["active"].as_array().ok_or("no list")? {
        let found = left.iter().position(|order| is(order, medicine));
        let found = found.unwrap_or_else(|| panic!("{file}: not listed: {medicine}"));
        left.swap_remove(found);
    }
    assert!(left.is_empty(), "{file}: listed beyond the expected: {left:?}");
    Ok(())
}

fn is(order: &ProposedOrder, medicine: &Value) -> bool {
    let codes = &order.medicine.codes;
    let same_medicine = match (medicine["drug"].as_str(), medicine["code"].as_str()) {
        (None, None) => codes.is_empty() && order.medicine.name.is_empty(),
        (drug, code) => codes.iter().any(|c| {
            c.display.as_deref() == drug && (!c.code.is_empty()).then_some(c.code.as_str()) == code
        }),
    };
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let sent: Vec<String> = order.dosages.iter().filter_map(|d| d.text.clone()).collect();
    let to_patient: Vec<String> =
        order.dosages.iter().filter_map(|d| d.patient_instruction.clone()).collect();
    let course = match &order.course {
        Course::Acute => "acute",
        Course::Repeat => "repeat",
        Course::RepeatDispensing => "repeat-dispensing",
        Course::Other(word) => word,
        Course::NotSaid => "",
    };
    let day = |date: &Option<fhir::SentDate>| date.as_ref().map(|d| d.as_sent[..10].to_owned());
    same_medicine
        && texts(&medicine["dose_text"]) == sent
        && texts(&medicine["patientInstruction"]) == to_patient
        && medicine["plan_prescription_type"].as_str().unwrap_or_default() == course
        && medicine["start"].as_str().map(str::to_owned) == day(&order.start)
        && medicine["end"].as_str().map(str::to_owned) == day(&order.end)
        && order.status == Status::Active
}

/// The families that are read, small files first in each.
fn readable(folder: &Path) -> Result<Vec<PathBuf>, Failed> {
    let mut paths = Vec::new();
    for (family, count) in FAMILIES {
        if count.read > 0 {
            paths.extend(files(folder, family)?);
        }
    }
    Ok(paths)
}

fn again(folder: &Path) -> Result<(), Failed> {
    for path in readable(folder)? {
        let (bytes, first) = read(&path)?;
        let second = fhir::read(&path.display().to_string(), &bytes, today());
        assert_eq!(first, second);
        let Ok(import) = first else { continue };
        for resident in &import.residents {
            let keys: BTreeSet<&str> = resident.orders.iter().map(|o| o.key.as_str()).collect();
            assert_eq!(keys.len(), resident.orders.len(), "{}", path.display());
        }
    }
    Ok(())
}

/// Labels set by hand for dosages of these files.
fn conflicts(folder: &Path) -> Result<(), Failed> {
    let vector = std::fs::read(folder.join("vectors/text_vs_structure_conflicts.json"))?;
    let vector: Value = serde_json::from_slice(&vector)?;
    let cases = vector["cases"].as_array().ok_or("no cases")?;
    assert_eq!(cases.len(), 14);
    for case in cases {
        let file = case["file"].as_str().ok_or("no file")?;
        let import = read(&folder.join(file))?.1?;
        let text = case["input"]["text"].as_str();
        let orders: Vec<_> = import.residents.iter().flat_map(|r| &r.orders).collect();
        let says = |order: &&&ProposedOrder| {
            order.dosages.iter().any(|dosage| dosage.text.as_deref() == text)
        };
        let order = orders.iter().find(says).ok_or("no such order")?;
        let dosage = order.dosages.iter().find(|dosage| dosage.text.as_deref() == text);
        let differ = dosage.is_some_and(|dosage| !dosage.conflicts.is_empty());
        assert_eq!(case["expected"]["conflict"], differ, "{file}: {text:?}");
        if differ {
            assert!(order.flags.contains(&Flag::WordsAndCodesDisagree), "{file}");
        }
        // Weekly methotrexate, sent as several times a day, in words, in codes or in both.
        if differ || case["expected"]["clinical_alert"].is_string() {
            assert_eq!(order.grade(), Grade::Refused, "{file}: {text:?}");
        }
    }
    Ok(())
}

fn release_five(folder: &Path) -> Result<(), Failed> {
    for path in files(folder, "hl7-r5")? {
        // Two of them are in the layout of R4, whatever folder they came from.
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tc-")) {
            continue;
        }
        let refused = read(&path)?.1.expect_err("refused").to_string();
        let says = "MedicationRequest.medication: FHIR R5 is not supported: `medication`";
        assert!(refused.contains(says), "{refused}");
    }
    Ok(())
}

fn cut_short(folder: &Path) -> Result<(), Failed> {
    for path in readable(folder)? {
        let bytes = std::fs::read(&path)?;
        let whole = bytes.trim_ascii_end().len();
        let cuts = if whole > 50_000 { 4 } else { 16 };
        for cut in (0..cuts).map(|i| whole * i / cuts) {
            let refused = fhir::read("cut", &bytes[..cut], today());
            let refused = refused.expect_err("half a record is no record");
            let in_text = matches!(refused.place, Place::Text { .. });
            assert!(in_text || bytes[..cut].trim_ascii().is_empty(), "{refused}");
        }
    }
    Ok(())
}

/// Numbers that only look random; the same seed gives the same damage.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % bound.max(1)
    }
}

fn damaged(folder: &Path) -> Result<(), Failed> {
    let given = std::env::var("MEDROUND_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one("damage") | 1
    });
    println!("MEDROUND_SEED={seed}");
    let mut dice = Dice(seed);
    let (mut taken, mut refused) = (0, 0);
    for path in readable(folder)? {
        let bytes = std::fs::read(&path)?;
        let tries = if bytes.len() > 50_000 { 4 } else { 30 };
        for _ in 0..tries {
            let bytes = damage(&mut dice, &bytes);
            match fhir::read("damaged", &bytes, today()) {
                Ok(_) => taken += 1,
                Err(said) => {
                    refused += 1;
                    assert!(!said.to_string().is_empty());
                }
            }
        }
    }
    // Damage that always or never leaves a record readable would show nothing.
    assert!(taken > 100 && refused > 100, "taken {taken}, refused {refused}");
    Ok(())
}

/// Values of every shape, put where a record had another.
const SHAPES: &[&str] = &[
    "null",
    "true",
    "-1.5e300",
    r#""""#,
    r#""\u0000""#,
    r#""\u202e2024-13-45""#,
    "[]",
    "{}",
    "[[1]]",
    r#"{"a": [null]}"#,
];

fn damage(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = dice.below(bytes.len());
    let end = (at + dice.below(200)).min(bytes.len());
    match dice.below(5) {
        0 => bytes[at] = u8::try_from(dice.below(256)).unwrap_or(0),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let span = bytes[at..end].to_vec();
            bytes.splice(at..at, span);
        }
        // Replace a whole text by a value of another shape: the file stays well-formed.
        _ => {
            let quote = |from: usize| {
                bytes[from..].iter().position(|&byte| byte == b'"').map(|found| from + found)
            };
            let open = bytes[at..].windows(3).position(|w| w == b": \"" || w == b":\"");
            let open = open.and_then(|found| quote(at + found));
            if let Some(open) = open
                && let Some(close) = quote(open + 1)
            {
                let shape = SHAPES[dice.below(SHAPES.len())].bytes();
                bytes.splice(open..=close, shape);
            }
        }
    }
    bytes
}
