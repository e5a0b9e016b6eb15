//! What was read from a text: the parts of a direction, each with its doubts.

use super::why::Why;
use chrono::Weekday;
use mar::quantity::{Amount, Quantity, Unit};
use mar::schedule::TimeOfDay;
use mar::time::Minutes;
use std::fmt;

pub use mar::order::Grade;

/// What the reader made of one text. The sender's words stay beside it, whatever the grade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The sender's words, verbatim.
    pub text: String,
    /// How far they were understood: the worst of `why`.
    pub grade: Grade,
    /// How much each time, per site where `site` has several. `None` when it is not told or in
    /// doubt.
    pub dose: Option<ReadDose>,
    /// When. For a when-required medicine it is the frequency that the words name.
    /// `None` when it is not told or in doubt.
    pub schedule: Option<ReadSchedule>,
    /// Given when required. `None` for a regular medicine.
    pub as_needed: Option<AsNeeded>,
    /// The most in 24 hours, as the words say it; never worked out. `None` when not told.
    pub max_24h: Option<Ceiling>,
    /// The shortest time between two doses, as the words say it. `None` when not told.
    pub min_interval: Option<Minutes>,
    /// For how long. `None` when not told.
    pub bounds: Option<Bounds>,
    /// Where on the body. `None` when not told.
    pub site: Option<Site>,
    /// By which route, in plain words such as `by mouth`. `None` when not told.
    pub route: Option<&'static str>,
    /// The verb: `take`, `apply`. `None` when not told.
    pub method: Option<&'static str>,
    /// What else was understood and belongs on the chart: food, water, a reason.
    pub extra: Vec<String>,
    /// The words that were not understood; empty when all were.
    pub remainder: String,
    /// Why it is not clear; empty when it is.
    pub why: Vec<Why>,
}

/// How much is given each time, as the words say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadDose {
    /// An amount.
    Amount {
        /// How much.
        how_much: HowMuch,
        /// Of what. `None` for "one": the medicine's own unit, such as a tablet.
        unit: Option<Unit>,
    },
    /// A cream or the like is applied, no amount being named.
    Application,
}

/// An amount or a choice of amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowMuch {
    /// Always this.
    Exactly(Quantity),
    /// "One or two": both ends included.
    Between(Quantity, Quantity),
    /// "Up to five": no least amount is named.
    UpTo(Quantity),
}

impl HowMuch {
    /// Returns the most that is meant.
    #[must_use]
    pub const fn most(self) -> Quantity {
        match self {
            Self::Exactly(most) | Self::Between(_, most) | Self::UpTo(most) => most,
        }
    }

    /// Returns it multiplied. `None` when that is beyond any dose.
    #[must_use]
    pub fn times(self, factor: Quantity) -> Option<Self> {
        Some(match self {
            Self::Exactly(one) => Self::Exactly(one.times(factor)?),
            Self::Between(low, high) => Self::Between(low.times(factor)?, high.times(factor)?),
            Self::UpTo(most) => Self::UpTo(most.times(factor)?),
        })
    }
}

/// When it is given: on which days and when on such a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSchedule {
    /// On which days.
    pub days: OnDays,
    /// When on such a day.
    pub times: Times,
}

/// On which days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnDays {
    /// Every day.
    Every,
    /// Every `n` days, 2 or more: 2 is "alternate days". The first day is the order's start.
    EveryDays(u16),
    /// On these weekdays of every week.
    Weekdays(Vec<Weekday>),
    /// Every `n` weeks, the weekday not being named.
    EveryWeeks(u16),
    /// So many days a week, not being named.
    DaysAWeek(u16),
    /// Every `n` months.
    EveryMonths(u16),
    /// So many days on, then so many off.
    Cycle {
        /// Days on which it is given.
        on: u16,
        /// Days on which it is not.
        off: u16,
    },
    /// One occasion only.
    Once,
}

/// When on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// So many times, the home's rounds saying when.
    ADay(u16),
    /// Between so many and so many times.
    Between(u16, u16),
    /// At most so many times.
    UpTo(u16),
    /// At these times of the day.
    At(Vec<Moment>),
    /// Every so many hours; two numbers for "every 4 to 6 hours".
    EveryHours(u16, Option<u16>),
}

/// A time of the day as the words name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// In the morning, with breakfast, on waking.
    Morning,
    /// At midday, with lunch.
    Midday,
    /// In the afternoon: none of the usual rounds.
    Afternoon,
    /// At teatime, in the evening, with the evening meal.
    Evening,
    /// At night, at bedtime.
    Night,
    /// At a clock time.
    Clock(TimeOfDay),
}

/// Given when required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsNeeded {
    /// What it is for, in the sender's words. `None` when not told.
    pub reason: Option<String>,
}

/// The most in 24 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ceiling {
    /// An amount. A unit of `None` is the medicine's own.
    Amount(Quantity, Option<Unit>),
    /// A number of doses.
    Doses(u16),
}

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// For so long.
    For {
        /// The number: `5` of "for 5 days".
        least: u16,
        /// The second number of "for 2 to 3 weeks". `None` for one number.
        most: Option<u16>,
        /// Whether it is "up to".
        up_to: bool,
        /// Of what.
        span: Span,
    },
    /// Until the course is finished.
    UntilFinished,
}

/// A length of calendar time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

/// Where on the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The place in the sender's words: `the left eye`.
    pub words: String,
    /// How many sites get the dose, 2 for "each nostril". `None` when the words leave it open
    /// ("the affected eye(s)").
    pub count: Option<u8>,
}

impl Reading {
    /// Returns how much is used in all each time: "two sprays in each nostril" is four.
    ///
    /// `None` when no amount is told, or when the words leave the number of sites open.
    #[must_use]
    pub fn administered(&self) -> Option<(HowMuch, Option<Unit>)> {
        let ReadDose::Amount { how_much, unit } = self.dose.as_ref()? else { return None };
        let sites = match &self.site {
            Some(site) => site.count?,
            None => 1,
        };
        Some((how_much.times(Quantity::whole(u32::from(sites)))?, unit.clone()))
    }
}

impl fmt::Display for HowMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(one) => write!(f, "{one}"),
            Self::Between(low, high) => write!(f, "{low} to {high}"),
            Self::UpTo(most) => write!(f, "up to {most}"),
        }
    }
}

impl fmt::Display for ReadDose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amount { how_much, unit: Some(unit) } => {
                write!(f, "{how_much} {}", unit.beside(how_much.most()))
            }
            Self::Amount { how_much, unit: None } => write!(f, "{how_much}"),
            Self::Application => f.write_str("an application"),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Morning => f.write_str("in the morning"),
            Self::Midday => f.write_str("at midday"),
            Self::Afternoon => f.write_str("in the afternoon"),
            Self::Evening => f.write_str("in the evening"),
            Self::Night => f.write_str("at night"),
            Self::Clock(time) => write!(f, "at {time}"),
        }
    }
}

fn times_in_words(n: u16) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ADay(n) => write!(f, "{} a day", times_in_words(*n)),
            Self::Between(low, high) => write!(f, "{low} to {high} times a day"),
            Self::UpTo(n) => write!(f, "up to {} a day", times_in_words(*n)),
            Self::At(moments) => {
                let all: Vec<String> = moments.iter().map(ToString::to_string).collect();
                f.write_str(&all.join(" and "))
            }
            Self::EveryHours(1, None) => f.write_str("every hour"),
            Self::EveryHours(n, None) => write!(f, "every {n} hours"),
            Self::EveryHours(n, Some(to)) => write!(f, "every {n} to {to} hours"),
        }
    }
}

impl fmt::Display for OnDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("every day"),
            Self::EveryDays(2) => f.write_str("on alternate days"),
            Self::EveryDays(n) => write!(f, "every {n} days"),
            Self::Weekdays(days) => {
                let all: Vec<&str> = days.iter().copied().map(day_name).collect();
                write!(f, "on {}", all.join(", "))
            }
            Self::EveryWeeks(1) => f.write_str("every week"),
            Self::EveryWeeks(n) => write!(f, "every {n} weeks"),
            Self::DaysAWeek(n) => write!(f, "on {n} days a week"),
            Self::EveryMonths(1) => f.write_str("every month"),
            Self::EveryMonths(n) => write!(f, "every {n} months"),
            Self::Cycle { on, off } => write!(f, "{on} days on and {off} days off"),
            Self::Once => f.write_str("once only"),
        }
    }
}

impl fmt::Display for ReadSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.days, &self.times) {
            (OnDays::Every, times) => write!(f, "{times}"),
            (days, Times::ADay(1)) => write!(f, "{days}"),
            (days, times) => write!(f, "{days}, {times}"),
        }
    }
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amount(value, Some(unit)) => {
                write!(f, "{} in 24 hours", Amount { value: *value, unit: unit.clone() })
            }
            Self::Amount(value, None) => write!(f, "{value} in 24 hours"),
            Self::Doses(1) => f.write_str("1 dose in 24 hours"),
            Self::Doses(n) => write!(f, "{n} doses in 24 hours"),
        }
    }
}

impl Span {
    /// Returns the least number of days it can be; a month is at least 28.
    #[must_use]
    pub const fn days(self) -> u32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 28,
            Self::Year => 365,
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::For { least, most, up_to, span } = self else {
            return f.write_str("until finished");
        };
        let word = match span {
            Span::Day => "day",
            Span::Week => "week",
            Span::Month => "month",
            Span::Year => "year",
        };
        let lead = if *up_to { "for up to" } else { "for" };
        let plural = if *least == 1 && most.is_none() { "" } else { "s" };
        match most {
            Some(most) => write!(f, "{lead} {least} to {most} {word}{plural}"),
            None => write!(f, "{lead} {least} {word}{plural}"),
        }
    }
}

/// Returns the day's name in full.
pub(super) const fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}
