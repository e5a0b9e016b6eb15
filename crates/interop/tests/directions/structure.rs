//! Coded dosages, alone and beside words.

use super::shown::shown;
use interop::dose_syntax::{
    AsNeeded, Conflict, DoseQuantity, Grade, PeriodUnit, Ratio, StructuredBounds, StructuredDosage,
    StructuredDose, When, compare, read,
};
use rust_decimal::Decimal;
use std::str::FromStr;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("a_coded_dosage_alone_is_read_like_words", alone),
    ("a_coded_dosage_that_is_not_whole_is_refused", not_whole),
    ("words_and_codes_that_differ_conflict", differ),
    ("words_and_codes_that_agree_do_not", agree),
];

fn quantity(value: &str, unit: &str) -> DoseQuantity {
    let value = Some(Decimal::from_str(value).expect("a number"));
    DoseQuantity { value, unit: Some(unit.to_owned()) }
}

fn dose(value: &str, unit: &str) -> Option<StructuredDose> {
    Some(StructuredDose::Quantity(quantity(value, unit)))
}

fn every(frequency: u32, period: u32, unit: PeriodUnit) -> StructuredDosage {
    StructuredDosage {
        frequency: Some(frequency),
        period: Some(Decimal::from(period)),
        period_unit: Some(unit),
        ..StructuredDosage::default()
    }
}

fn tablets(frequency: u32, period: u32, unit: PeriodUnit) -> StructuredDosage {
    StructuredDosage { dose: dose("2", "tablet"), ..every(frequency, period, unit) }
}

#[track_caller]
fn says(dosage: &StructuredDosage, expected: &str) {
    let reading = dosage.reading();
    assert_eq!(shown(&reading), expected, "{:?}", reading.why);
}

fn alone() {
    use PeriodUnit::{Day, Hour, Month, Week};
    says(&tablets(3, 1, Day), "clear: 2 tablets, 3 times a day");
    says(&tablets(1, 8, Hour), "clear: 2 tablets, every 8 hours");
    says(&tablets(1, 24, Hour), "clear: 2 tablets, once a day");
    says(&tablets(1, 2, Day), "clear: 2 tablets, on alternate days");
    says(&tablets(1, 1, Week), "partial: 2 tablets, every week");
    says(&tablets(1, 3, Month), "partial: 2 tablets, every 3 months");
    let monday = vec![chrono::Weekday::Mon];
    says(
        &StructuredDosage { day_of_week: monday, ..tablets(1, 1, Week) },
        "clear: 2 tablets, on Monday",
    );
    let when = vec![When::Breakfast, When::BeforeSleep];
    says(
        &StructuredDosage { when, dose: dose("5", "mL"), ..StructuredDosage::default() },
        "clear: 5 ml, in the morning and at night",
    );
    let most = quantity("8", "tablet");
    let ratio = Ratio { most, period: Some(Decimal::from(24)), period_unit: Some(Hour) };
    let needed = Some(AsNeeded { reason: Some("pain".to_owned()) });
    says(
        &StructuredDosage {
            as_needed: needed,
            max_per_period: Some(ratio),
            period_max: Some(Decimal::from(6)),
            ..tablets(1, 4, Hour)
        },
        "partial: 2 tablets, every 4 to 6 hours, when required pain, at most 8 tablets in \
         24 hours, 240 min apart",
    );
    let once = StructuredDosage { count: Some(1), dose: dose("2", "TAB"), ..every(1, 1, Day) };
    assert_eq!(once.reading().grade, Grade::Clear);
}

fn not_whole() {
    use PeriodUnit::{Day, Week};
    let base = || tablets(2, 1, Day);
    let unitless =
        Some(StructuredDose::Quantity(DoseQuantity { unit: None, ..quantity("2", "x") }));
    let range = StructuredDose::Range { low: Some(quantity("1", "mg")), high: None };
    let refused = [
        StructuredDosage::default(),
        StructuredDosage { dose: unitless, ..base() },
        StructuredDosage { dose: Some(range), ..base() },
        StructuredDosage { dose: dose("-1", "mg"), ..base() },
        StructuredDosage { dose: dose("0", "tablet"), ..base() },
        StructuredDosage { period_unit: None, ..base() },
        StructuredDosage { period: Some(Decimal::ZERO), ..base() },
        StructuredDosage { period: None, ..base() },
        StructuredDosage { frequency: Some(0), ..base() },
        StructuredDosage { frequency: Some(25), ..base() },
        StructuredDosage { frequency: None, period_max: Some(Decimal::from(2)), ..base() },
        StructuredDosage { when: vec![When::Night], ..base() },
        StructuredDosage { day_of_week: vec![chrono::Weekday::Mon], ..tablets(2, 1, Week) },
        StructuredDosage { unread: vec!["timing.repeat.duration".to_owned()], ..base() },
        tablets(8, 1, Week),
        tablets(2, 3, Day),
    ];
    for dosage in refused {
        let reading = dosage.reading();
        assert_eq!(reading.grade, Grade::Refused, "{dosage:?}");
        assert!(!reading.why.is_empty());
    }
}

fn conflicts(text: &str, structure: &StructuredDosage) -> Vec<Conflict> {
    compare(&read(text), structure, "Examplol 5mg tablets")
}

#[track_caller]
fn one(text: &str, structure: &StructuredDosage, kind: fn(&Conflict) -> bool) {
    let found = conflicts(text, structure);
    assert!(found.len() == 1 && kind(&found[0]), "{text}: {found:?}");
}

fn differ() {
    use PeriodUnit::{Day, Hour};
    let twice = || tablets(2, 1, Day);
    one("two tablets once a day", &twice(), |c| matches!(c, Conflict::Frequency { .. }));
    one("two tablets once a week", &twice(), |c| matches!(c, Conflict::Frequency { .. }));
    one("two tablets every 8 hours", &twice(), |c| matches!(c, Conflict::Frequency { .. }));
    one("three tablets twice a day", &twice(), |c| matches!(c, Conflict::Dose { .. }));
    one("one or two twice a day", &twice(), |c| matches!(c, Conflict::Dose { .. }));
    one("two capsules twice a day", &twice(), |c| matches!(c, Conflict::Unit { .. }));
    one("two twice a day when required", &twice(), |c| matches!(c, Conflict::AsNeeded { .. }));
    one("two twice a day for 5 days", &twice(), |c| matches!(c, Conflict::Duration { .. }));
    let mass = StructuredDosage { dose: dose("5", "mg"), ..every(2, 1, Day) };
    one("two tablets twice a day", &mass, |c| matches!(c, Conflict::Dose { .. }));
    let grams = StructuredDosage { dose: dose("1", "g"), ..every(2, 1, Day) };
    one("100 mg twice a day", &grams, |c| matches!(c, Conflict::Dose { .. }));
    let ten = StructuredBounds::Duration(Decimal::from(10), Day);
    let bounded = StructuredDosage { bounds: Some(ten), ..twice() };
    one("two twice a day for 5 days", &bounded, |c| matches!(c, Conflict::Duration { .. }));
    let night = StructuredDosage {
        when: vec![When::Night],
        dose: dose("1", "tablet"),
        ..Default::default()
    };
    one("one in the morning", &night, |c| matches!(c, Conflict::Frequency { .. }));
    let left = StructuredDosage {
        site: Some("Left eye".to_owned()),
        dose: dose("1", "drop"),
        ..every(1, 12, Hour)
    };
    one("one drop in the right eye twice a day", &left, |c| matches!(c, Conflict::Site { .. }));
    // Eight at once are not one, eight times.
    let eight = StructuredDosage { dose: dose("5", "mg"), ..every(8, 1, Day) };
    assert_eq!(conflicts("EIGHT (8) tablets once daily", &eight).len(), 2);
}

fn agree() {
    use PeriodUnit::{Day, Hour, Week};
    let mass = |value: &str, unit: &str, rest| StructuredDosage { dose: dose(value, unit), ..rest };
    for (text, structure) in [
        ("two tablets twice a day", tablets(2, 1, Day)),
        ("two twice a day with food", tablets(2, 1, Day)),
        ("two tablets morning and night", tablets(2, 1, Day)),
        ("two tablets every 12 hours", tablets(2, 1, Day)),
        ("two tablets twice a day", mass("10", "mg", every(2, 1, Day))),
        ("two twice a day", mass("10", "milligram", every(2, 1, Day))),
        ("1 g twice a day", mass("1000", "mg", every(2, 1, Day))),
        ("half a tablet at night", mass("2.5", "mg", every(1, 24, Hour))),
        ("two tablets once a week", tablets(1, 7, Day)),
        ("two tablets on Mondays", tablets(1, 1, Week)),
        ("two tablets every 4 hours", tablets(1, 4, Hour)),
    ] {
        assert_eq!(conflicts(text, &structure), [], "{text}");
    }
    let ten = StructuredBounds::Duration(Decimal::from(1), PeriodUnit::Week);
    let bounded = StructuredDosage { bounds: Some(ten), ..tablets(2, 1, Day) };
    assert_eq!(conflicts("two twice a day for 7 days", &bounded), []);
}
