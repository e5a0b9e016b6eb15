//! Structured directions (FHIR `Dosage` and `Timing`) and what they say by themselves.

use super::grammar::{Frequency, FrequencyForm};
use super::merge::Timing;
use super::reading::{
    AsNeeded, Bounds, Ceiling, Grade, HowMuch, Moment, OnDays, ReadDose, Reading, Site, Span, Times,
};
use super::why::{Choice, Doubt, Missing, Unread, Why};
use super::words;
use chrono::{NaiveDate, Weekday};
use mar::quantity::{Quantity, Unit};
use mar::schedule::TimeOfDay;
use rust_decimal::Decimal;

/// A dosage as a sender coded it. Each field names its FHIR path; absent is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StructuredDosage {
    /// `doseAndRate.doseQuantity` or `doseRange` (STU3: `doseQuantity`, `doseRange`).
    pub dose: Option<StructuredDose>,
    /// Whether there is any `rate…`.
    pub rate: bool,
    /// `timing.repeat.frequency`.
    pub frequency: Option<u32>,
    /// `timing.repeat.frequencyMax`.
    pub frequency_max: Option<u32>,
    /// `timing.repeat.period`.
    pub period: Option<Decimal>,
    /// `timing.repeat.periodMax`.
    pub period_max: Option<Decimal>,
    /// `timing.repeat.periodUnit`.
    pub period_unit: Option<PeriodUnit>,
    /// `timing.repeat.when`.
    pub when: Vec<When>,
    /// `timing.repeat.offset`, in minutes.
    pub offset_minutes: Option<u32>,
    /// `timing.repeat.timeOfDay`.
    pub time_of_day: Vec<TimeOfDay>,
    /// `timing.repeat.dayOfWeek`.
    pub day_of_week: Vec<Weekday>,
    /// `timing.repeat.count`.
    pub count: Option<u32>,
    /// `timing.repeat.bounds[x]`.
    pub bounds: Option<StructuredBounds>,
    /// `asNeededBoolean` true, or `asNeededCodeableConcept` with its words.
    pub as_needed: Option<AsNeeded>,
    /// `maxDosePerPeriod`.
    pub max_per_period: Option<Ratio>,
    /// How many instants stand in `timing.event`.
    pub events: usize,
    /// `route`, in words.
    pub route: Option<String>,
    /// `site`, in words.
    pub site: Option<String>,
    /// What stands in the dosage and has no place above, or has a value that is not of its type:
    /// each with its path. It refuses the structure.
    pub unread: Vec<String>,
}

/// A dose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StructuredDose {
    /// `doseQuantity`.
    Quantity(DoseQuantity),
    /// `doseRange`.
    Range {
        /// `low`.
        low: Option<DoseQuantity>,
        /// `high`.
        high: Option<DoseQuantity>,
    },
}

/// A FHIR `Quantity`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DoseQuantity {
    /// `value`.
    pub value: Option<Decimal>,
    /// `unit`, else `code`.
    pub unit: Option<String>,
}

/// `maxDosePerPeriod`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ratio {
    /// `numerator`.
    pub most: DoseQuantity,
    /// `denominator.value`.
    pub period: Option<Decimal>,
    /// `denominator.unit` or `.code`.
    pub period_unit: Option<PeriodUnit>,
}

/// A unit of time, UCUM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodUnit {
    /// `s`.
    Second,
    /// `min`.
    Minute,
    /// `h`.
    Hour,
    /// `d`.
    Day,
    /// `wk`.
    Week,
    /// `mo`.
    Month,
    /// `a`.
    Year,
}

impl PeriodUnit {
    /// Reads a code or a word as senders write it: `d`, `day`, `days`; `None` for any other.
    /// `m`, which is a metre and may be a month or a minute, is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_lowercase().as_str() {
            "s" | "second" | "seconds" => Self::Second,
            "min" | "minute" | "minutes" => Self::Minute,
            "h" | "hour" | "hours" | "hr" => Self::Hour,
            "d" | "day" | "days" => Self::Day,
            "wk" | "week" | "weeks" => Self::Week,
            "mo" | "month" | "months" => Self::Month,
            "a" | "year" | "years" => Self::Year,
            _ => return None,
        })
    }
}

/// `bounds[x]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructuredBounds {
    /// `boundsDuration`.
    Duration(Decimal, PeriodUnit),
    /// `boundsRange`.
    Range(Option<Decimal>, Decimal, PeriodUnit),
    /// `boundsPeriod`.
    Period(Option<NaiveDate>, Option<NaiveDate>),
}

/// A code of `timing.repeat.when`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `MORN` and its parts.
    Morning,
    /// `NOON`.
    Noon,
    /// `AFT` and its parts.
    Afternoon,
    /// `EVE` and its parts.
    Evening,
    /// `NIGHT`.
    Night,
    /// `HS`.
    BeforeSleep,
    /// `WAKE`.
    Waking,
    /// `CM`, `ACM`, `PCM`.
    Breakfast,
    /// `CD`, `ACD`, `PCD`.
    Lunch,
    /// `CV`, `ACV`, `PCV`.
    EveningMeal,
    /// `C`, `AC`, `PC`: a meal that is not named.
    Meal,
}

impl When {
    /// Reads a code; `None` for one that is not known, among them `PHS`, after sleep has begun.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Some(match code {
            "MORN" | "MORN.early" | "MORN.late" => Self::Morning,
            "NOON" => Self::Noon,
            "AFT" | "AFT.early" | "AFT.late" => Self::Afternoon,
            "EVE" | "EVE.early" | "EVE.late" => Self::Evening,
            "NIGHT" => Self::Night,
            "HS" => Self::BeforeSleep,
            "WAKE" => Self::Waking,
            "CM" | "ACM" | "PCM" => Self::Breakfast,
            "CD" | "ACD" | "PCD" => Self::Lunch,
            "CV" | "ACV" | "PCV" => Self::EveningMeal,
            "C" | "AC" | "PC" => Self::Meal,
            _ => return None,
        })
    }

    const fn moment(self) -> Option<Moment> {
        match self {
            Self::Morning | Self::Waking | Self::Breakfast => Some(Moment::Morning),
            Self::Noon | Self::Lunch => Some(Moment::Midday),
            Self::Afternoon => Some(Moment::Afternoon),
            Self::Evening | Self::EveningMeal => Some(Moment::Evening),
            Self::Night | Self::BeforeSleep => Some(Moment::Night),
            Self::Meal => None,
        }
    }
}

impl StructuredDosage {
    /// Reads the structure alone, as `read` does the words: what it proposes and why it does not.
    /// The reading's text is empty.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let mut reading = super::empty("");
        for path in &self.unread {
            reading.why.push(Why::Unread(Unread::Number(path.clone())));
        }
        reading.as_needed.clone_from(&self.as_needed);
        self.read_dose(&mut reading);
        self.read_schedule(&mut reading);
        self.read_bounds(&mut reading);
        self.read_maximum(&mut reading);
        if self.rate || self.count.is_some_and(|n| n > 1) {
            reading.why.push(Why::Choice(Choice::MoreThanADose));
        }
        reading.site = self.site.as_deref().map(site);
        reading.route = self.route.as_deref().and_then(super::grammar::route_of);
        self.read_required(&mut reading);
        if reading.dose.is_none() && !reading.why.contains(&Why::Missing(Missing::Unit)) {
            reading.why.push(Why::Missing(Missing::Dose));
        }
        reading.grade = reading.why.iter().map(Why::leaves).max().unwrap_or(Grade::Clear);
        reading
    }

    fn read_dose(&self, reading: &mut Reading) {
        let how_much =
            |q: &DoseQuantity| Some((Quantity::new(q.value?).ok()?, unit(q.unit.as_deref()?)?));
        let dose = match &self.dose {
            None => return,
            Some(StructuredDose::Quantity(q)) => {
                how_much(q).map(|(value, unit)| (HowMuch::Exactly(value), unit))
            }
            Some(StructuredDose::Range { low, high }) => {
                let ends = low.as_ref().and_then(how_much).zip(high.as_ref().and_then(how_much));
                ends.filter(|((low, one), (high, two))| low < high && one == two)
                    .map(|((low, unit), (high, _))| (HowMuch::Between(low, high), unit))
            }
        };
        let Some((how_much, unit)) = dose else {
            return reading.why.push(Why::Missing(Missing::Unit));
        };
        if how_much.most().is_zero() {
            return reading.why.push(Why::Doubt(Doubt::Implausible("0".to_owned())));
        }
        if matches!(how_much, HowMuch::Between(..)) {
            reading.why.push(Why::Choice(Choice::DoseRange));
        }
        // "mg/kg": the dose depends on more than the order says.
        if unit.as_str().contains('/') {
            reading.why.push(Why::Choice(Choice::MoreThanADose));
        }
        reading.dose = Some(ReadDose::Amount { how_much, unit: Some(unit) });
    }

    fn read_schedule(&self, reading: &mut Reading) {
        let mut timing = Timing {
            moments: self.when.iter().filter_map(|when| when.moment()).collect(),
            weekdays: self.day_of_week.clone(),
            when_required: self.as_needed.is_some(),
            ..Timing::default()
        };
        timing.moments.extend(self.time_of_day.iter().map(|time| Moment::Clock(*time)));
        let once = self.frequency.is_none() && self.period.is_none();
        if once && (self.count == Some(1) || self.events == 1) && timing.moments.is_empty() {
            timing.frequencies.push(frequency(OnDays::Once, Times::ADay(1)));
        }
        if self.events > 0 {
            reading.why.push(Why::Choice(Choice::Dates));
        }
        match self.repeat() {
            Ok(found) => timing.frequencies.extend(found),
            Err(why) => return reading.why.push(why),
        }
        if self.offset_minutes.is_some() {
            reading.why.push(Why::Missing(Missing::Times));
        }
        match timing.merged() {
            Ok(Some(merged)) => {
                reading.why.extend(super::weigh(&merged.schedule));
                reading.schedule = Some(merged.schedule);
            }
            Ok(None) => {
                if self.as_needed.is_none() {
                    reading.why.push(Why::Missing(Missing::Frequency));
                }
            }
            Err(_) => {
                let words = "frequency, when, timeOfDay".to_owned();
                reading.why.push(Why::Doubt(Doubt::MoreThanOneFrequency(words)));
            }
        }
    }

    /// `frequency` and `period`; `None` when there are none.
    fn repeat(&self) -> Result<Option<Frequency>, Why> {
        let nothing = self.frequency.is_none()
            && self.frequency_max.is_none()
            && self.period.is_none()
            && self.period_max.is_none();
        if nothing {
            return Ok(None);
        }
        let no_unit = || Why::Missing(Missing::Unit);
        let (period, unit) = self.period.zip(self.period_unit).ok_or_else(no_unit)?;
        let whole = |n: Decimal| whole(n).filter(|n| *n > 0).ok_or_else(no_unit);
        let period = whole(period)?;
        let period_max = self.period_max.map(whole).transpose()?;
        if period_max.is_some_and(|most| most <= period || self.frequency.is_none()) {
            return Err(no_unit());
        }
        let times = self.times()?;
        repeat(times, period, period_max, unit).ok_or(Why::Missing(Missing::Frequency)).map(Some)
    }

    fn times(&self) -> Result<Times, Why> {
        let count = |n: u32| {
            let n = u16::try_from(n).ok().filter(|n| (1..=24).contains(n));
            n.ok_or(Why::Missing(Missing::Frequency))
        };
        match (self.frequency, self.frequency_max) {
            (None, None) => Ok(Times::ADay(1)),
            (Some(n), None) => Ok(Times::ADay(count(n)?)),
            (None, Some(most)) => Ok(Times::UpTo(count(most)?)),
            (Some(n), Some(most)) if n < most => Ok(Times::Between(count(n)?, count(most)?)),
            (Some(n), Some(most)) if n == most => Ok(Times::ADay(count(n)?)),
            (Some(_), Some(_)) => Err(Why::Missing(Missing::Frequency)),
        }
    }

    fn read_bounds(&self, reading: &mut Reading) {
        let span = |unit| match unit {
            PeriodUnit::Day => Some(Span::Day),
            PeriodUnit::Week => Some(Span::Week),
            PeriodUnit::Month => Some(Span::Month),
            PeriodUnit::Year => Some(Span::Year),
            PeriodUnit::Second | PeriodUnit::Minute | PeriodUnit::Hour => None,
        };
        let bounds = match self.bounds {
            None => return,
            Some(StructuredBounds::Period(..)) => {
                return reading.why.push(Why::Choice(Choice::Dates));
            }
            Some(StructuredBounds::Duration(n, unit)) => whole(n)
                .zip(span(unit))
                .map(|(least, span)| Bounds::For { least, most: None, up_to: false, span }),
            Some(StructuredBounds::Range(low, high, unit)) => {
                let ends = whole(high).zip(span(unit));
                ends.and_then(|(high, span)| match low {
                    Some(low) => {
                        let (least, most) = (whole(low)?, Some(high));
                        Some(Bounds::For { least, most, up_to: false, span })
                    }
                    None => Some(Bounds::For { least: high, most: None, up_to: true, span }),
                })
            }
        };
        if bounds.is_none() {
            reading.why.push(Why::Choice(Choice::MoreThanADose));
        }
        reading.bounds = bounds;
    }

    fn read_maximum(&self, reading: &mut Reading) {
        let Some(ratio) = &self.max_per_period else { return };
        let most = ratio.most.value.and_then(|value| Quantity::new(value).ok());
        let Some((most, (period, unit))) = most.zip(ratio.period.zip(ratio.period_unit)) else {
            return reading.why.push(Why::Missing(Missing::Unit));
        };
        let day = match unit {
            PeriodUnit::Hour => period == Decimal::from(24),
            PeriodUnit::Day => period == Decimal::ONE,
            PeriodUnit::Second
            | PeriodUnit::Minute
            | PeriodUnit::Week
            | PeriodUnit::Month
            | PeriodUnit::Year => false,
        };
        if !day {
            return reading.why.push(Why::Choice(Choice::OtherMaximum));
        }
        let of = ratio.most.unit.as_deref().and_then(self::unit);
        let doses = of == Some(Unit::new("dose"));
        reading.max_24h = match whole(most.decimal()) {
            Some(n) if doses => Some(Ceiling::Doses(n)),
            Some(_) | None => Some(Ceiling::Amount(most, of)),
        };
    }

    fn read_required(&self, reading: &mut Reading) {
        if reading.as_needed.is_none() {
            return;
        }
        reading.why.push(Why::Choice(Choice::WhenRequired));
        if let Some(Times::EveryHours(n, _)) = reading.schedule.as_ref().map(|s| &s.times) {
            reading.min_interval = Some(mar::time::Minutes(u32::from(*n) * 60));
        } else {
            reading.why.push(Why::Missing(Missing::MinInterval));
        }
        if reading.max_24h.is_none() {
            reading.why.push(Why::Missing(Missing::Maximum));
        }
    }
}

const fn frequency(days: OnDays, times: Times) -> Frequency {
    Frequency { days, times, form: FrequencyForm::Counted }
}

fn repeat(times: Times, period: u16, most: Option<u16>, unit: PeriodUnit) -> Option<Frequency> {
    let once = times == Times::ADay(1);
    let every = |days| (once && most.is_none()).then(|| frequency(days, Times::ADay(1)));
    match (unit, period) {
        (PeriodUnit::Hour, 24) | (PeriodUnit::Day, 1) if most.is_none() => {
            Some(frequency(OnDays::Every, times))
        }
        (PeriodUnit::Hour, n) => once.then(|| frequency(OnDays::Every, Times::EveryHours(n, most))),
        (PeriodUnit::Minute, n) if n % 60 == 0 && most.is_none() => {
            once.then(|| frequency(OnDays::Every, Times::EveryHours(n / 60, None)))
        }
        (PeriodUnit::Day, n) => every(OnDays::EveryDays(n)),
        (PeriodUnit::Week, 1) => match times {
            Times::ADay(n) if (2..=7).contains(&n) && most.is_none() => {
                Some(frequency(OnDays::DaysAWeek(n), Times::ADay(1)))
            }
            Times::ADay(_)
            | Times::Between(..)
            | Times::UpTo(_)
            | Times::At(_)
            | Times::EveryHours(..) => every(OnDays::EveryWeeks(1)),
        },
        (PeriodUnit::Week, n) => every(OnDays::EveryWeeks(n)),
        (PeriodUnit::Month, n) => every(OnDays::EveryMonths(n)),
        (PeriodUnit::Second | PeriodUnit::Minute | PeriodUnit::Year, _) => None,
    }
}

fn whole(n: Decimal) -> Option<u16> {
    n.is_integer().then(|| u16::try_from(n).ok()).flatten()
}

/// A unit as senders write it, made one of ours where it is known. `None` for an empty one.
fn unit(text: &str) -> Option<Unit> {
    let plain = text.trim().to_lowercase();
    let known = match plain.as_str() {
        "" => return None,
        "u" | "[iu]" | "[iu" => Some("unit"),
        "[drp]" => Some("drop"),
        "ea" => Some("application"),
        other => words::unit(other).map(|(shown, _)| shown),
    };
    Some(Unit::new(known.unwrap_or(&plain)))
}

fn site(words: &str) -> Site {
    let lower = words.to_lowercase();
    let paired = super::places::names_a_pair(words);
    let count = if lower.contains("both") {
        Some(2)
    } else if paired && !lower.contains("left") && !lower.contains("right") {
        None
    } else {
        Some(1)
    };
    Site { words: words.to_owned(), count }
}
