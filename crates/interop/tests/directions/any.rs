//! Texts that nobody would write, and changes to texts that are clear.

use interop::dose_syntax::{Grade, StructuredDosage, compare, read, read_for};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use std::hash::{BuildHasher, Hasher, RandomState};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("any_text_is_read_without_a_fault", any_text),
    ("words_of_directions_in_any_order_are_read_without_a_fault", any_words),
    ("a_clear_direction_with_anything_put_in_is_no_longer_clear", put_in),
    ("a_clear_direction_cut_short_never_gives_another_dose", cut_short),
];

const CLEAR: &[&str] = &[
    "take one tablet twice a day with food",
    "two capsules at night for 5 days",
    "5 ml every 6 hours",
    "one in the morning and one at night",
    "half a tablet on alternate days",
    "2 sprays in each nostril twice a day",
    "one tablet on Monday, Wednesday and Friday",
    "take 2 tablets at 08:00",
    "one patch every 72 hours",
    "apply thinly to the left arm three times a day",
    "one with breakfast, lunch and evening meal",
    "1.5 mg once daily before food",
];

const WORDS: &[&str] = &[
    "one",
    "two",
    "1",
    "2",
    "10",
    "0.5",
    "half",
    "a",
    "tablet",
    "ml",
    "mg",
    "puffs",
    "drops",
    "take",
    "apply",
    "to",
    "be",
    "taken",
    "once",
    "twice",
    "three",
    "times",
    "day",
    "each",
    "every",
    "daily",
    "weekly",
    "hours",
    "hourly",
    "at",
    "night",
    "in",
    "the",
    "morning",
    "with",
    "food",
    "meals",
    "when",
    "required",
    "prn",
    "bd",
    "max",
    "maximum",
    "up",
    "for",
    "days",
    "or",
    "and",
    "-",
    "(",
    ")",
    "/",
    ".",
    ",",
    "x",
    "5",
    "24",
    "left",
    "eye",
    "nostril",
    "on",
    "monday",
    "08:00",
    "8am",
    "alternate",
    "other",
    "then",
    "not",
    "½",
    "1/2",
    "5/7",
    "spoonful",
    "as",
    "directed",
];

/// What holds of every reading.
fn sound(text: &str) -> Result<(), TestCaseError> {
    let reading = read(text);
    prop_assert_eq!(&reading.text, text);
    let clear = reading.grade == Grade::Clear;
    prop_assert_eq!(clear, reading.why.is_empty());
    if clear {
        prop_assert!(reading.dose.is_some() && reading.schedule.is_some());
        prop_assert!(reading.remainder.is_empty() && reading.as_needed.is_none());
    }
    if reading.grade == Grade::Refused {
        prop_assert!(reading.schedule.is_none());
    }
    let medicine = "Methotrexate 2.5mg tablets";
    let checked = read_for(text, medicine);
    prop_assert!(checked.grade >= reading.grade);
    prop_assert!(compare(&checked, &StructuredDosage::default(), medicine).is_empty());
    Ok(())
}

fn run<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let seed = std::env::var("MEDROUND_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let rng_seed = RngSeed::Fixed(seed);
    let config = Config { cases, failure_persistence: None, rng_seed, ..Config::default() };
    if let Err(fault) = TestRunner::new(config).run(strategy, test) {
        panic!("MEDROUND_SEED={seed}: {fault}");
    }
}

fn any_text() {
    run(600, &any::<String>(), |text| sound(&text));
    run(400, &"[ -~½¼–×’\n]{0,80}", |text| sound(&text));
}

fn any_words() {
    let words = proptest::collection::vec(select(WORDS), 0..14);
    let joined = (words, select(vec![" ", "", "  ", "-"]));
    run(4_000, &joined, |(words, gap)| sound(&words.join(gap)));
}

fn put_in() {
    for text in CLEAR {
        assert_eq!(read(text).grade, Grade::Clear, "{text}");
    }
    let strange = select(vec![
        "7",
        "not",
        "then",
        "increasing",
        "zzyzx",
        "if",
        "or",
        "£",
        "double",
        "3.5",
        "until",
        "7mg",
        "except",
        "9/8",
        "<",
        "hundred",
    ]);
    let place = (select(CLEAR), 0usize..14, strange);
    run(3_000, &place, |(text, at, strange)| {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.insert(at.min(words.len()), strange);
        let changed = words.join(" ");
        prop_assert_ne!(read(&changed).grade, Grade::Clear, "{}", changed);
        sound(&changed)
    });
}

fn cut_short() {
    for text in CLEAR {
        let whole = read(text);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for at in places {
            let (start, end) = (&text[..at], &text[at..]);
            for part in [start, end] {
                sound(part).expect("a sound reading");
            }
            // A number that is cut is another number; words that are cut off must not make one.
            let digit = |c: char| c.is_ascii_digit() || c == '.';
            let in_number = start.ends_with(digit) || end.starts_with(digit);
            let reading = read(start);
            if reading.grade == Grade::Clear && !in_number {
                assert_eq!(reading.dose, whole.dose, "{start:?}");
            }
        }
    }
}
