//! The orders that the tests write.

use crate::home::at;
use mar::medicine::{Ingredient, Medicine};
use mar::order::{Content, Dose, Flags, Prn, Protocol, Source, Stated};
use mar::quantity::{Amount, Quantity, Unit};
use mar::schedule::{Days, Schedule, TimeOfDay};
use mar::time::Minutes;

/// Reads an amount's number.
pub(crate) fn q(text: &str) -> Quantity {
    text.parse().expect("an amount")
}

pub(crate) fn tablets(text: &str) -> Amount {
    Amount::new(q(text), "tablet")
}

pub(crate) fn times(list: &[&str]) -> Vec<TimeOfDay> {
    list.iter().map(|t| t.parse().expect("a time")).collect()
}

/// Every day at these times.
pub(crate) fn daily(list: &[&str]) -> Schedule {
    Schedule::Times { times: times(list), days: Days::ALL }
}

pub(crate) fn rounds(list: &[&str]) -> Schedule {
    Schedule::Rounds { rounds: list.iter().map(|r| (*r).to_owned()).collect(), days: Days::ALL }
}

pub(crate) fn only_on(day: chrono::Weekday, list: &[&str]) -> Schedule {
    Schedule::Times { times: times(list), days: Days::of(&[day]) }
}

/// When required, with a shortest interval in minutes and a most in 24 hours in tablets.
pub(crate) fn when_required(interval: Option<u32>, most: Option<&str>) -> Schedule {
    let asked = || "asked on Mon 2 Nov 2026".to_owned();
    Schedule::WhenRequired(Prn {
        min_interval: interval
            .map_or_else(|| Stated::NotStated { asked: asked() }, |m| Stated::As(Minutes(m))),
        max_24h: most
            .map_or_else(|| Stated::NotStated { asked: asked() }, |m| Stated::As(tablets(m))),
        protocol: Protocol::default(),
    })
}

/// One tablet of something that no rule speaks of.
pub(crate) fn plain(schedule: Schedule) -> Content {
    Content {
        medicine: Medicine::uncoded("Ramipril 5mg tablets"),
        route: "oral".into(),
        dose: Dose::Fixed(tablets("1")),
        indication: Some("pain".into()),
        instruction: None,
        schedule,
        start: at("2026-01-01T00:00"),
        stop: None,
        course_doses: None,
        source: Source::Label,
        label: None,
        min_gap: None,
        flags: Flags::default(),
        limit_group: None,
    }
}

/// Paracetamol 500 mg tablets, so many at a time.
pub(crate) fn paracetamol(count: &str, schedule: Schedule) -> Content {
    let ingredient = Ingredient {
        name: "Paracetamol".into(),
        code: None,
        amount: Some(Amount::new(q("500"), "mg")),
        per: Some(Unit::new("tablet")),
    };
    let medicine = Medicine {
        ingredients: vec![ingredient],
        ..Medicine::uncoded("Paracetamol 500mg tablets")
    };
    Content { medicine, dose: Dose::Fixed(tablets(count)), ..plain(schedule) }
}

/// The same dose as a range: `1` to `2` tablets.
pub(crate) fn one_or_two(content: Content) -> Content {
    let unit = Unit::new("tablet");
    Content { dose: Dose::Range { from: q("1"), to: q("2"), unit }, ..content }
}

pub(crate) fn named(name: &str, content: Content) -> Content {
    Content { medicine: Medicine { name: name.into(), ..content.medicine.clone() }, ..content }
}

pub(crate) fn flagged(flags: Flags, content: Content) -> Content {
    Content { flags, ..content }
}

/// A controlled drug of dm+d's Schedule 2.
pub(crate) fn controlled(content: Content) -> Content {
    let cd = mar::medicine::CdCategory::Schedule2;
    Content { medicine: Medicine { cd, ..content.medicine.clone() }, ..content }
}
