//! The pages as other programs read them: `pdftotext` and `pdffonts` of poppler.
//!
//! A binary of its own, so that a missing program shows as ignored with the reason, never as
//! passed. The random charts' seed is printed, and `PRINT_SEED` sets it.

#![allow(
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a test may panic and measures points on a page"
)]

mod residents;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use print::{mar_chart, round_sheet};

use residents::{full_chart, morning_round, practice_chart, random_sheet};

/// Left edge of the first day's box and width of a box, in points.
const BOXES: f64 = 91.0 * 72.0 / 25.4;
const BOX: f64 = 7.0 * 72.0 / 25.4;

const MISSING: &str = "[ignored: pdftotext and pdffonts are not installed; Debian: apt-get install \
    poppler-utils]";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = !(installed("pdftotext") && installed("pdffonts"));
    let trial = |name: &str, test: fn() -> Result<(), Failed>| {
        let name = if missing { format!("{name} {MISSING}") } else { name.to_owned() };
        Trial::test(name, test).with_ignored_flag(missing)
    };
    let trials = vec![
        trial("names_come_back_in_reading_order", names_come_back_in_reading_order),
        trial("fonts_are_embedded_and_subset", fonts_are_embedded_and_subset),
        trial("the_words_of_a_chart_are_found_by_a_search", the_words_of_a_chart_are_found),
        trial(
            "every_outcome_stands_once_in_the_box_of_its_day_and_time",
            every_outcome_stands_once_in_its_box,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("-v").output().is_ok()
}

/// Runs a program of poppler on a file with these bytes and returns what it prints.
fn poppler(program: &str, options: &[&str], bytes: &[u8]) -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("print.pdf");
    std::fs::write(&file, bytes)?;
    run(program, options, &file)
}

fn run(program: &str, options: &[&str], file: &Path) -> Result<String, Failed> {
    let mut command = Command::new(program);
    command.args(options).arg(file);
    if program == "pdftotext" {
        command.arg("-");
    }
    let output = command.output()?;
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() || !complaints.is_empty() {
        return Err(format!("{program}: {complaints}").into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}

fn names_come_back_in_reading_order() -> Result<(), Failed> {
    let full = poppler("pdftotext", &["-layout"], &mar_chart(&full_chart())?)?;
    let practice = poppler("pdftotext", &["-layout"], &mar_chart(&practice_chart())?)?;
    let round = poppler("pdftotext", &[], &round_sheet(&morning_round())?)?;
    for (text, names) in [
        (&full, &["Zoë", "Siân", "Łukasiewicz", "Tom Szymański"][..]),
        (&practice, &["محمد", "علاء", "خان"][..]),
        (&round, &["Zoë", "Siân", "Łukasz", "محمد", "علاء"][..]),
    ] {
        for name in names {
            check(text.contains(name), || format!("{name} is not in:\n{text}"))?;
        }
    }
    Ok(())
}

fn fonts_are_embedded_and_subset() -> Result<(), Failed> {
    let mut files = vec![
        mar_chart(&full_chart())?,
        mar_chart(&practice_chart())?,
        round_sheet(&morning_round())?,
    ];
    files.push(mar_chart(&random_sheet(seed()).0)?);
    for file in files {
        let table = poppler("pdffonts", &[], &file)?;
        let fonts: Vec<&str> = table.lines().skip(2).collect();
        check(fonts.len() >= 2, || format!("too few fonts:\n{table}"))?;
        for font in fonts {
            check(font.contains(" yes yes yes "), || {
                format!("not embedded, subset and mapped to text:\n{table}")
            })?;
        }
    }
    Ok(())
}

fn the_words_of_a_chart_are_found() -> Result<(), Failed> {
    let text = poppler("pdftotext", &["-layout"], &mar_chart(&full_chart())?)?;
    for words in [
        "Co-careldopa 25 mg/100 mg",
        "Take ONE tablet by mouth at 07:00",
        "WEEKLY – SUNDAY",
        "Page 1 of ",
        "LATE ENTRY, typed Wed 4 Nov 14:20 by JO",
        "SUPERSEDED – DO NOT GIVE",
        "NO AUTOMATIC CHECKS",
        "Label: “One BD cc”",
    ] {
        check(text.contains(words), || format!("{words:?} is not in:\n{text}"))?;
    }
    Ok(())
}

/// One word as `pdftotext -bbox` places it, in points from the page's top left corner.
#[derive(Debug)]
struct Word {
    page: usize,
    x: f64,
    y: f64,
    text: String,
}

fn words(bytes: &[u8]) -> Result<Vec<Word>, Failed> {
    let xml = poppler("pdftotext", &["-bbox"], bytes)?;
    let mut words = Vec::new();
    let mut page = 0;
    for line in xml.lines().map(str::trim) {
        if line.starts_with("<page ") {
            page += 1;
        }
        let Some(rest) = line.strip_prefix("<word ") else { continue };
        let number = |key: &str| -> Result<f64, Failed> {
            let value = rest.split(&format!("{key}=\"")).nth(1).and_then(|v| v.split('"').next());
            Ok(value.ok_or("a word without a place")?.parse()?)
        };
        let text = rest.split('>').nth(1).and_then(|t| t.split('<').next()).unwrap_or("");
        words.push(Word {
            page,
            x: (number("xMin")? + number("xMax")?) / 2.0,
            y: (number("yMin")? + number("yMax")?) / 2.0,
            text: text.to_owned(),
        });
    }
    Ok(words)
}

fn every_outcome_stands_once_in_its_box() -> Result<(), Failed> {
    let first = seed();
    for seed in first..first + 6 {
        let (sheet, expected) = random_sheet(seed);
        let bytes = mar_chart(&sheet)?;
        let words = words(&bytes)?;
        let mut places: BTreeMap<&str, Vec<&Word>> = BTreeMap::new();
        for word in &words {
            places.entry(word.text.as_str()).or_default().push(word);
        }
        let once = |text: &str| -> Result<&Word, Failed> {
            match places.get(text).map(Vec::as_slice) {
                Some([word]) => Ok(word),
                found => Err(format!("seed {seed}: {text} stands at {found:?}").into()),
            }
        };
        for word in expected.lines.iter().chain(&expected.records).chain(&expected.waiting) {
            once(word)?;
        }
        for (initials, day, time) in &expected.marks {
            let (mark, row) = (once(initials)?, once(time)?);
            let column = (mark.x - BOXES) / BOX;
            let in_column = column > *day as f64 && column < (*day + 1) as f64;
            check(mark.page == row.page && in_column, || {
                format!("seed {seed}: {initials} of day {day} at {time}: {mark:?}, {row:?}")
            })?;
            // A row's time stands in its middle: no other time may stand between it and the mark.
            let (above, below) = (row.y.min(mark.y), row.y.max(mark.y));
            let between = expected
                .times
                .iter()
                .filter(|other| *other != time)
                .filter_map(|other| places.get(other.as_str()).and_then(|found| found.first()))
                .find(|other| other.page == row.page && other.y > above && other.y < below);
            check(between.is_none(), || {
                format!("seed {seed}: between {initials} and its time {time} stands {between:?}")
            })?;
        }
    }
    Ok(())
}

/// Returns the seed of the random charts and prints it.
fn seed() -> u64 {
    let set = std::env::var("PRINT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = set.unwrap_or_else(|| u64::from(std::process::id()));
    println!("PRINT_SEED={seed}");
    seed
}
