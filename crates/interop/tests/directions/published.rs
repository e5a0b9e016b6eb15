//! What others published, counted: agreements are floors, a wrong reading fails.

use super::coded;
use super::shown::{same, shown};
use interop::dose_syntax::{
    Conflict, Grade, HowMuch, OnDays, ReadDose, Reading, Times, compare, read, weekly_only,
};
use libtest_mimic::Failed;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

type Test = fn(&Path) -> Result<(), Failed>;

pub(crate) const TESTS: &[(&str, Test)] = &[
    ("sentences_and_their_published_meaning_agree", sentences),
    ("parts_of_sentences_and_their_published_meaning_agree", elements),
    ("published_dosages_are_read_as_coded", coded_dosages),
    ("what_the_nhs_leaves_to_a_person_is_refused", left_to_a_person),
    ("scottish_fragments_agree_or_are_refused", fragments),
    ("free_text_of_practices_is_never_clear_where_it_is_open", practices),
    ("every_conflict_of_words_and_codes_is_found_and_no_other", conflicts),
    ("examples_of_the_standard_mean_what_their_codes_say", examples),
    ("coded_dosages_that_the_nhs_refuses_are_not_clear", refusals),
    ("texts_of_gp_records_are_graded", gp_texts),
];

fn cases(folder: &Path, name: &str) -> Result<Vec<Value>, Failed> {
    let text = std::fs::read_to_string(folder.join("vectors").join(name))?;
    let value: Value = serde_json::from_str(&text)?;
    Ok(value["cases"].as_array().cloned().unwrap_or_default())
}

fn with_op<'c>(cases: &'c [Value], op: &str) -> Vec<(&'c str, &'c Value)> {
    let of_op = cases.iter().filter(|case| case["op"] == *op);
    of_op.filter_map(|case| Some((case["input"].as_str()?, &case["expected"]))).collect()
}

/// Counts, and what to say when a count is wrong.
#[derive(Default)]
struct Count {
    agree: usize,
    /// Refused, or with words left over: for a person.
    refused: Vec<String>,
    differ: Vec<String>,
}

impl Count {
    fn compare(&mut self, input: &str, reading: &Reading, expected: &Reading) {
        if same(reading, expected) {
            self.agree += 1;
        } else if reading.grade == Grade::Refused || !reading.remainder.is_empty() {
            self.refused.push(input.to_owned());
        } else {
            self.differ.push(format!("{input}\n  {}\n  {}", shown(reading), shown(expected)));
        }
    }

    fn check(&self, floor: usize) -> Result<(), Failed> {
        if self.differ.is_empty() && self.agree >= floor {
            return Ok(());
        }
        let (differ, refused) = (self.differ.join("\n"), self.refused.join("\n"));
        let agree = self.agree;
        Err(format!("{agree} agree of {floor}\ndiffer:\n{differ}\nleft:\n{refused}").into())
    }
}

/// The published meaning is a sentence in fixed words, so it is read by the same reader; what is
/// measured is that every wording comes to the same as its fixed words.
fn sentences(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "nhse_dosage_free_text.json")?;
    let mut count = Count::default();
    for (input, expected) in with_op(&cases, "normalise_buckets") {
        let fixed = expected.as_str().unwrap_or_default().replace(" | ", "; ");
        count.compare(input, &read(input), &read(&fixed));
    }
    count.check(SENTENCES)
}

/// Floors: how many agree. The others are left to a person; none may differ.
const SENTENCES: usize = 52;
const ELEMENTS: usize = 26;
const FRAGMENTS: usize = 9;

/// A part alone is no direction, so each is put into a whole one.
fn elements(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "nhse_dosage_free_text.json")?;
    let carriers = [
        ("element.maxDosePerPeriod", "take 1 tablet when required *"),
        ("element.frequency", "take 1 tablet *"),
        ("element.period", "take 1 tablet *"),
        ("element.doseRange", "take * at night"),
        ("element.boundsDuration", "take 1 tablet at night *"),
        ("element.latin", "take 1 tablet *"),
        ("element.fractions", "*"),
    ];
    let mut count = Count::default();
    for (op, carrier) in carriers {
        for (input, expected) in with_op(&cases, op) {
            let fixed = expected.as_str().unwrap_or_default().trim_start_matches(". ");
            let whole = |part: &str| read(&carrier.replace('*', part));
            count.compare(input, &whole(input), &whole(fixed));
        }
    }
    count.check(ELEMENTS)
}

fn coded_dosages(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "nhse_dosage_free_text.json")?;
    let mut checked = 0;
    for (input, expected) in with_op(&cases, "text_to_fhir_stu3_dosage") {
        let reading = read(input);
        let mut faults = Vec::new();
        let amount = match &reading.dose {
            Some(ReadDose::Amount { how_much, .. }) => Some(*how_much),
            Some(ReadDose::Application) | None => None,
        };
        let decimal = |value: &Value| value.as_number().map(ToString::to_string);
        let quantity = &expected["doseQuantity"];
        if let Some(value) = decimal(&quantity["value"]) {
            let read = amount.map(|a| a.to_string());
            checked += 1;
            if read != Some(value) {
                faults.push("dose");
            }
        }
        if let Some(range) = expected.get("doseRange") {
            let ends = decimal(&range["low"]).zip(decimal(&range["high"]));
            let read = amount.and_then(|a| match a {
                HowMuch::Between(low, high) => Some((low.to_string(), high.to_string())),
                HowMuch::Exactly(_) | HowMuch::UpTo(_) => None,
            });
            checked += 1;
            if read != ends {
                faults.push("range");
            }
        }
        if let Some(repeat) =
            expected.get("timing.repeat").filter(|r| r.get("periodUnit").is_some())
        {
            let mut repeat = repeat.clone();
            // Where the source leaves out a period, it is one.
            let one = Value::from(1);
            repeat["period"] = repeat.get("period").cloned().unwrap_or(one);
            let coded = coded::repeat(&repeat);
            let conflicts = compare(&reading, &coded, "");
            checked += 1;
            let frequency = |c: &Conflict| matches!(c, Conflict::Frequency { .. });
            if reading.schedule.is_none() || conflicts.iter().any(frequency) {
                faults.push("timing");
            }
        }
        if expected["timing.repeat"]["count"] == 1 {
            checked += 1;
            if reading.schedule.as_ref().is_none_or(|s| s.days != OnDays::Once) {
                faults.push("count");
            }
        }
        if expected.get("asNeededCodeableConcept").is_some() {
            checked += 1;
            if reading.as_needed.as_ref().and_then(|n| n.reason.as_deref()) != Some("for pain") {
                faults.push("reason");
            }
        }
        if !faults.is_empty() {
            return Err(format!("{input}: {faults:?} in {}", shown(&reading)).into());
        }
    }
    expect(checked, CODED)
}

const CODED: usize = 12;

fn expect(found: usize, expected: usize) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("{found}, not {expected}").into()) }
}

fn left_to_a_person(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "nhse_dosage_free_text.json")?;
    let mut refused = 0;
    for (input, _) in with_op(&cases, "must_not_be_auto_structured") {
        let reading = read(input);
        if reading.grade != Grade::Refused || reading.schedule.is_some() {
            return Err(format!("{input}: {}", shown(&reading)).into());
        }
        refused += 1;
    }
    expect(refused, 30)
}

/// Published values that can be put beside a reading, by operation: `[least, most, unit]`.
fn fragments(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "phs_dose_text_fragments.json")?;
    let mut count = Count::default();
    let value =
        |reading: Option<String>, expected: String, input: &str, count: &mut Count| match reading {
            Some(read) if read == expected => count.agree += 1,
            Some(read) => count.differ.push(format!("{input}: {read}, not {expected}")),
            None => count.refused.push(input.to_owned()),
        };
    for (input, expected) in with_op(&cases, "get_duration_info") {
        let reading = read(&format!("take 1 tablet at night {input}"));
        let (least, most) = (expected[0].as_f64(), expected[1].as_f64());
        let unit = expected[2].as_str().unwrap_or_default().to_lowercase();
        let (Some(least), Some(most)) = (least, most) else { continue };
        let plural = if most > 1.0 { "s" } else { "" };
        let range = if least < most { format!("{least} to {most}") } else { most.to_string() };
        let expected = format!("for {range} {unit}{plural}");
        value(reading.bounds.map(|b| b.to_string()), expected, input, &mut count);
    }
    for op in ["get_number_of_times", "get_frequency_info", "get_hourly_adjusted_frequency"] {
        for (input, expected) in with_op(&cases, op) {
            let reading = read(&format!("take 1 tablet {input}"));
            let expected = frequency(expected);
            value(reading.schedule.as_ref().map(per_day), expected, input, &mut count);
        }
    }
    for op in ["dosage_info", "get_continuous_dose"] {
        for (input, expected) in with_op(&cases, op).into_iter().filter(|(_, e)| e[0].is_number()) {
            let reading = read(&format!("{input} at night"));
            let read = reading.dose.as_ref().map(ToString::to_string);
            let unit = expected[2].as_str().unwrap_or_default();
            let expected = format!("{} {unit}", expected[1]).replace(".0", "");
            value(read, expected, input, &mut count);
        }
    }
    for (input, expected) in with_op(&cases, "parse_whole") {
        let reading = read(input);
        let dose = reading.dose.as_ref().map(|dose| dose.to_string());
        let expected_dose = expected["dose"][1].to_string();
        let schedule = reading.schedule.as_ref().map(per_day);
        let read = dose.zip(schedule).map(|(dose, schedule)| {
            format!("{} {schedule}", dose.split(' ').next().unwrap_or_default())
        });
        value(read, format!("{expected_dose} {}", frequency(&expected["freq"])), input, &mut count);
    }
    count.check(FRAGMENTS)
}

/// `[3.0, 3.0, "Day"]` as "3 a Day".
fn frequency(expected: &Value) -> String {
    let number = |at: usize| expected[at].as_f64().unwrap_or_default();
    if let Some(n) = expected.as_f64() {
        return format!("{n} a Day");
    }
    format!("{} a {}", number(1), expected[2].as_str().unwrap_or_default())
}

fn per_day(schedule: &interop::dose_syntax::ReadSchedule) -> String {
    match (&schedule.days, &schedule.times) {
        (OnDays::Every, Times::ADay(n) | Times::UpTo(n) | Times::Between(_, n)) => {
            format!("{n} a Day")
        }
        (OnDays::Every, Times::At(moments)) => format!("{} a Day", moments.len()),
        (OnDays::Every, Times::EveryHours(n, _)) => format!("1 a {n} Hour"),
        (days, _) => format!("{days:?}"),
    }
}

/// Whole texts without published values: each must be clear only where every word is plain.
fn practices(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "doseminer_free_text_examples.json")?;
    let mut grades = [0usize; 3];
    for case in &cases {
        let text = case["input"].as_str().unwrap_or_default();
        let reading = read(text);
        grades[reading.grade as usize] += 1;
        let lower = text.to_lowercase();
        let open =
            ["required", "needed", "p.r.n", " or ", "1-2", "up to", "directed", "max", "week"]
                .iter()
                .any(|word| lower.contains(word));
        if open && reading.grade == Grade::Clear {
            return Err(format!("{text}: {}", shown(&reading)).into());
        }
    }
    if grades == PRACTICES { Ok(()) } else { Err(format!("{grades:?}").into()) }
}

/// Clear, partial, refused.
const PRACTICES: [usize; 3] = [13, 28, 14];

fn conflicts(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "text_vs_structure_conflicts.json")?;
    let mut right = 0;
    for case in &cases {
        let input = &case["input"];
        let text = input["text"].as_str().unwrap_or_default();
        let medicine = input["medication"].as_str().unwrap_or_default();
        let mut coded = coded::repeat(&input["timing.repeat"]);
        let quantity = coded::quantity(&input["dose"]);
        coded.dose = Some(interop::dose_syntax::StructuredDose::Quantity(quantity));
        let found = compare(&read(text), &coded, medicine);
        let expected = case["expected"]["conflict"] == Value::Bool(true);
        if found.is_empty() == expected {
            return Err(format!("{text}: {found:?}").into());
        }
        // A weekly medicine coded more often stops, whether or not the words agree.
        let alert = case["expected"].get("clinical_alert").is_some();
        let checked = coded.reading().checked_against(medicine);
        if alert && !(weekly_only(medicine) && checked.is_refused()) {
            return Err(format!("{medicine} {text}: no stop").into());
        }
        right += 1;
    }
    expect(right, 14)
}

/// The examples, counted from 0, whose words do not mean what their codes say, by eye: coded as
/// required; no end, or another; a range; another route; another number of days.
const DIFFERENT: &[usize] = &[8, 9, 10, 27, 39, 52, 59];

fn examples(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "hl7_ukcore_structured_vs_human_text.json")?;
    let (mut agree, mut refused, mut differ) = (0, 0, 0);
    let mut wrong = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let text = case["human_text"].as_str().unwrap_or_default();
        let reading = read(text);
        let found = compare(&reading, &coded::dosage(&case["input"]), "");
        let meant = DIFFERENT.contains(&at);
        match (reading.grade == Grade::Refused, found.is_empty()) {
            (true, true) => refused += 1,
            (_, true) if !meant => agree += 1,
            (_, false) if meant => differ += 1,
            _ => wrong.push(format!("{at} {text}: {found:?} {}", shown(&reading))),
        }
    }
    if wrong.is_empty() && (agree, differ, refused) == EXAMPLES {
        return Ok(());
    }
    Err(format!("{agree} agree, {differ} differ, {refused} refused\n{}", wrong.join("\n")).into())
}

/// Agree, differ and are found, refused.
const EXAMPLES: (usize, usize, usize) = (30, 7, 24);

fn refusals(folder: &Path) -> Result<(), Failed> {
    let cases = cases(folder, "nhs_eps_dose_to_text.json")?;
    let mut refused = 0;
    let mut clear = Vec::new();
    for case in cases.iter().filter(|case| case["expected"].get("error").is_some()) {
        let reading = coded::dosage(&case["input"]).reading();
        if reading.grade == Grade::Clear {
            clear.push(case["name"].to_string());
        }
        refused += usize::from(reading.grade == Grade::Refused);
    }
    if clear.is_empty() { expect(refused, REFUSALS) } else { Err(clear.join("\n").into()) }
}

const REFUSALS: usize = 24;

fn gp_texts(folder: &Path) -> Result<(), Failed> {
    let mut texts = BTreeSet::new();
    for family in ["gp2gp-stu3", "pss-stu3"] {
        let mut open = vec![folder.join(family)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                for entry in std::fs::read_dir(&path)? {
                    open.push(entry?.path());
                }
            } else if path.extension().is_some_and(|e| e == "json") {
                gather(&serde_json::from_str(&std::fs::read_to_string(&path)?)?, &mut texts);
            }
        }
    }
    let mut grades = [0usize; 3];
    let mut shown_texts = Vec::new();
    for text in &texts {
        let reading = read(text);
        grades[reading.grade as usize] += 1;
        shown_texts.push(format!("{text}  =>  {}", shown(&reading)));
    }
    if grades == GP_TEXTS {
        return Ok(());
    }
    Err(format!("{grades:?} of {}\n{}", texts.len(), shown_texts.join("\n")).into())
}

/// Clear, partial, refused. The clear ones were read by eye: none is wrong.
const GP_TEXTS: [usize; 3] = [22, 15, 10];

fn gather(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "dosage" || name == "dosageInstruction" {
                    let all = field.as_array().map_or(&[][..], Vec::as_slice);
                    texts.extend(all.iter().filter_map(|d| d["text"].as_str().map(str::to_owned)));
                }
                gather(field, texts);
            }
        }
        Value::Array(all) => all.iter().for_each(|item| gather(item, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
