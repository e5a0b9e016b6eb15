//! From a reading to the dose and schedule of an order, with the home's rounds.

use super::medicine;
use super::reading::{Ceiling, HowMuch, Moment, OnDays, ReadDose, ReadSchedule, Reading, Times};
use super::words::{self, UnitKind};
use chrono::NaiveDate;
use mar::order::{Dose, Prn, Protocol, Stated};
use mar::quantity::{Amount, Quantity, Unit};
use mar::schedule::{Days, Schedule, TimeOfDay};
use mar::settings::Round;
use mar::time::Timestamp;

/// From when on a proposed order is to be given: the anchor of all that is counted from a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The first day.
    pub date: NaiveDate,
    /// The first dose of an order that counts hours, and the only one of a single dose.
    pub at: Timestamp,
}

impl Reading {
    /// Returns the dose of an order for this medicine: all that is used each time, so that "two
    /// sprays in each nostril" is four sprays.
    ///
    /// "One" gets the unit in which the medicine's name counts it. `None` when the dose is not
    /// read, has no unit, or has no least amount.
    #[must_use]
    pub fn dose_for(&self, medicine: &str) -> Option<Dose> {
        if self.is_refused() {
            return None;
        }
        let (how_much, unit) = self.administered()?;
        let unit = unit.or_else(|| medicine::piece(medicine))?;
        // The size of a spoon is not known from the words.
        if unit == Unit::new("spoonful") {
            return None;
        }
        match how_much {
            HowMuch::Exactly(value) => Some(Dose::Fixed(Amount { value, unit })),
            HowMuch::Between(from, to) => Some(Dose::Range { from, to, unit }),
            HowMuch::UpTo(_) => None,
        }
    }

    /// Returns the schedule of an order, with times from the home's rounds where the words name
    /// none: once a day in the morning round, twice in the morning and at tea, three times also
    /// at lunch, four times also at bedtime; "at night" at bedtime.
    ///
    /// `None` when nothing was read, or when the words leave the days or times open (a week with
    /// no weekday, more than four times a day, "two or three times"), or when the home has no
    /// such round.
    #[must_use]
    pub fn schedule_for(
        &self,
        rounds: &[Round],
        start: &Start,
        medicine: &str,
    ) -> Option<Schedule> {
        if self.is_refused() {
            return None;
        }
        if let Some(required) = &self.as_needed {
            let what_for = required.reason.clone().unwrap_or_default();
            return Some(Schedule::WhenRequired(Prn {
                min_interval: self.min_interval.map_or_else(not_stated, Stated::As),
                max_24h: self.ceiling_amount(medicine).map_or_else(not_stated, Stated::As),
                protocol: Protocol { what_for, ..Protocol::default() },
            }));
        }
        let ReadSchedule { days, times } = self.schedule.as_ref()?;
        match (days, times) {
            (OnDays::Once, _) => Some(Schedule::Once { at: start.at }),
            (OnDays::Every, Times::EveryHours(n, None)) => {
                Some(Schedule::EveryHours { n: *n, anchor: start.at })
            }
            (OnDays::Every, times) => on_weekdays(times, Days::ALL, rounds),
            (OnDays::Weekdays(days), times) => on_weekdays(times, Days::of(days), rounds),
            (OnDays::EveryDays(n), times) => {
                let times = clock_times(&moments(times)?, rounds)?;
                Some(Schedule::EveryDays { n: *n, anchor: start.date, times })
            }
            (
                OnDays::EveryWeeks(_)
                | OnDays::DaysAWeek(_)
                | OnDays::EveryMonths(_)
                | OnDays::Cycle { .. },
                _,
            ) => None,
        }
    }

    /// The most in 24 hours as an amount (P-03). A number of doses is an amount only where every
    /// dose is the same.
    fn ceiling_amount(&self, medicine: &str) -> Option<Amount> {
        let of_dose = self.dose_for(medicine);
        match self.max_24h.as_ref()? {
            Ceiling::Amount(value, Some(unit)) => {
                Some(Amount { value: *value, unit: unit.clone() })
            }
            Ceiling::Amount(value, None) => {
                let unit = match &self.dose {
                    Some(ReadDose::Amount { unit: Some(unit), .. }) => Some(unit.clone()),
                    _ => medicine::piece(medicine),
                }?;
                // "max 8" of "10 ml" can be 8 ml or 8 doses.
                let counted = words::unit(unit.as_str())
                    .is_some_and(|(_, kind)| !matches!(kind, UnitKind::Mass | UnitKind::Volume));
                counted.then_some(Amount { value: *value, unit })
            }
            Ceiling::Doses(n) => {
                let Dose::Fixed(dose) = of_dose? else { return None };
                let value = dose.value.times(Quantity::whole(u32::from(*n)))?;
                Some(Amount { value, unit: dose.unit })
            }
        }
    }
}

fn not_stated<T>() -> Stated<T> {
    Stated::NotStated { asked: String::new() }
}

fn on_weekdays(times: &Times, days: Days, rounds: &[Round]) -> Option<Schedule> {
    let moments = moments(times)?;
    if moments.iter().any(|moment| matches!(moment, Moment::Clock(_))) {
        return Some(Schedule::Times { times: clock_times(&moments, rounds)?, days });
    }
    let mut found: Vec<&Round> = Vec::new();
    for moment in &moments {
        let round = round_of(*moment, rounds)?;
        // Two doses in one round are one dose too few on the chart.
        if found.iter().any(|other| other.id == round.id) {
            return None;
        }
        found.push(round);
    }
    found.sort_by_key(|round| round.start);
    Some(Schedule::Rounds { rounds: found.into_iter().map(|r| r.id.clone()).collect(), days })
}

/// The times of the day that a number of doses stands for.
fn moments(times: &Times) -> Option<Vec<Moment>> {
    use Moment::{Evening, Midday, Morning, Night};
    match times {
        Times::At(moments) => Some(moments.clone()),
        Times::ADay(1) => Some(vec![Morning]),
        Times::ADay(2) => Some(vec![Morning, Evening]),
        Times::ADay(3) => Some(vec![Morning, Midday, Evening]),
        Times::ADay(4) => Some(vec![Morning, Midday, Evening, Night]),
        Times::ADay(_) | Times::Between(..) | Times::UpTo(_) | Times::EveryHours(..) => None,
    }
}

/// The home's round for a time of the day: the one so named, else the first that starts in that
/// part of the day.
fn round_of(moment: Moment, rounds: &[Round]) -> Option<&Round> {
    let (names, from, to): (&[&str], u16, u16) = match moment {
        Moment::Morning => (&["morning", "breakfast"], 5, 11),
        Moment::Midday => (&["lunch", "midday", "noon"], 11, 15),
        Moment::Evening => (&["tea", "teatime", "evening"], 15, 20),
        Moment::Night => (&["bedtime", "night", "bed"], 20, 24),
        Moment::Afternoon | Moment::Clock(_) => return None,
    };
    let named = rounds.iter().find(|round| names.contains(&round.id.as_str()));
    let hour = |round: &Round| round.start.minutes() / 60;
    let mut in_time: Vec<&Round> =
        rounds.iter().filter(|round| (from..to).contains(&hour(round))).collect();
    in_time.sort_by_key(|round| round.start);
    named.or_else(|| in_time.first().copied())
}

fn clock_times(moments: &[Moment], rounds: &[Round]) -> Option<Vec<TimeOfDay>> {
    let time = |moment: &Moment| match moment {
        Moment::Clock(time) => Some(*time),
        Moment::Morning | Moment::Midday | Moment::Afternoon | Moment::Evening | Moment::Night => {
            round_of(*moment, rounds).map(|round| round.start)
        }
    };
    let mut times: Vec<TimeOfDay> = moments.iter().map(time).collect::<Option<_>>()?;
    times.sort_unstable();
    let all = times.len();
    times.dedup();
    (times.len() == all).then_some(times)
}
