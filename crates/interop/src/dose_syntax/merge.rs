//! Makes one schedule of all the frequencies and times in a direction, or says why not.

use super::grammar::{Frequency, FrequencyForm};
use super::reading::{Moment, OnDays, ReadSchedule, Times};
use chrono::Weekday;

/// All that a direction says about when.
#[derive(Debug, Default)]
pub(super) struct Timing {
    pub(super) frequencies: Vec<Frequency>,
    pub(super) moments: Vec<Moment>,
    pub(super) weekdays: Vec<Weekday>,
    pub(super) when_required: bool,
    /// Whether times of the day stand apart from each other with nothing that joins them: "at
    /// night after the evening meal" can be one dose or two.
    pub(super) apart: bool,
    /// Whether the words contradict each other for a reason that the elements do not show.
    pub(super) contradicts: bool,
}

/// The schedule and what is to be known about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) schedule: ReadSchedule,
    /// Whether no number of times is said: "two each day".
    pub(super) loose: bool,
    /// "Once", which can stand for once a day.
    pub(super) once: bool,
    /// A number of times that limits an interval: "every 4 hours, up to 4 times a day".
    pub(super) at_most: Option<u16>,
}

/// The frequencies contradict each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

impl Timing {
    /// Returns the schedule; `None` when the words say nothing about when.
    pub(super) fn merged(mut self) -> Result<Option<Merged>, Contradiction> {
        if self.contradicts {
            return Err(Contradiction);
        }
        self.moments_of_frequencies();
        self.moments.sort_unstable();
        self.moments.dedup();
        self.weekdays.sort_unstable_by_key(Weekday::num_days_from_monday);
        self.weekdays.dedup();
        if self.frequencies.is_empty() && self.moments.is_empty() && self.weekdays.is_empty() {
            return Ok(None);
        }
        let once = self.frequencies.iter().any(|f| f.days == OnDays::Once);
        let days = self.days(once)?;
        let (times, at_most) = self.times()?;
        let counted = self.frequencies.iter().any(|f| f.form == FrequencyForm::Counted);
        let loose = !counted && self.moments.is_empty() && !once && times == Times::ADay(1);
        let days = if once && !self.moments.is_empty() { OnDays::Every } else { days };
        let once = self.frequencies.iter().any(|f| f.form == FrequencyForm::Occasion);
        Ok(Some(Merged { schedule: ReadSchedule { days, times }, loose, once, at_most }))
    }

    /// "Nocte" and "mane" are written as frequencies and are times of day.
    fn moments_of_frequencies(&mut self) {
        for frequency in &self.frequencies {
            if let Times::At(moments) = &frequency.times {
                self.moments.extend(moments);
            }
        }
        self.frequencies.retain(|f| !matches!(f.times, Times::At(_)));
    }

    fn days(&self, once: bool) -> Result<OnDays, Contradiction> {
        let mut named: Vec<&OnDays> =
            self.frequencies.iter().map(|f| &f.days).filter(|d| **d != OnDays::Every).collect();
        named.dedup();
        let every_day =
            |form| self.frequencies.iter().any(|f| f.days == OnDays::Every && f.form == form);
        let daily = every_day(FrequencyForm::Period) || every_day(FrequencyForm::Adverb);
        let hours = self.frequencies.iter().any(|f| matches!(f.times, Times::EveryHours(..)));
        let not_daily = !named.is_empty() || !self.weekdays.is_empty();
        // "Daily" and "on Mondays", "every 6 hours" and "weekly" contradict each other.
        if not_daily && (daily || hours) {
            return Err(Contradiction);
        }
        let counted = every_day(FrequencyForm::Counted);
        if once && named.len() == 1 && self.weekdays.is_empty() && !counted {
            return Ok(OnDays::Once);
        }
        match (named.as_slice(), self.weekdays.len()) {
            ([], 0) => Ok(OnDays::Every),
            ([], _) => Ok(OnDays::Weekdays(self.weekdays.clone())),
            ([one], 0) => {
                // "Once a day" and "once a week" can't both be.
                let days_apart = matches!(one, OnDays::EveryDays(_) | OnDays::DaysAWeek(_));
                if counted && !days_apart { Err(Contradiction) } else { Ok((*one).clone()) }
            }
            ([OnDays::EveryWeeks(1)], 1) => Ok(OnDays::Weekdays(self.weekdays.clone())),
            ([OnDays::DaysAWeek(n)], m) if usize::from(*n) == m => {
                Ok(OnDays::Weekdays(self.weekdays.clone()))
            }
            _ => Err(Contradiction),
        }
    }

    fn times(&self) -> Result<(Times, Option<u16>), Contradiction> {
        let mut said: Vec<Times> = self
            .frequencies
            .iter()
            .filter(|f| matches!(f.form, FrequencyForm::Counted | FrequencyForm::BareHourly))
            .filter(|f| f.days == OnDays::Every)
            .map(|f| f.times.clone())
            .collect();
        said.dedup();
        if self.moments.is_empty() {
            return match said.as_slice() {
                [] => Ok((Times::ADay(1), None)),
                [one] => Ok((one.clone(), None)),
                [one, two] => self.times_and_interval(one, two),
                _ => Err(Contradiction),
            };
        }
        let at = Times::At(self.moments.clone());
        match said.as_slice() {
            [] if !self.apart => Ok((at, None)),
            [Times::ADay(n)] if usize::from(*n) == self.moments.len() => Ok((at, None)),
            _ => Err(Contradiction),
        }
    }

    /// "Twice a day, every 12 hours"; "every 4 hours, up to four times a day".
    fn times_and_interval(
        &self,
        one: &Times,
        two: &Times,
    ) -> Result<(Times, Option<u16>), Contradiction> {
        let (count, every) = match (one, two) {
            (every @ Times::EveryHours(..), count) | (count, every @ Times::EveryHours(..)) => {
                (count, every)
            }
            _ => return Err(Contradiction),
        };
        let Times::EveryHours(hours, _) = *every else { return Err(Contradiction) };
        let fits = |n: u16| n.checked_mul(hours).is_some_and(|span| span <= 24);
        match *count {
            Times::UpTo(n) if fits(n) => Ok((every.clone(), Some(n))),
            Times::ADay(n) if n.checked_mul(hours) == Some(24) => Ok((every.clone(), None)),
            Times::ADay(n) if self.when_required && fits(n) => Ok((every.clone(), Some(n))),
            Times::ADay(_)
            | Times::Between(..)
            | Times::UpTo(_)
            | Times::At(_)
            | Times::EveryHours(..) => Err(Contradiction),
        }
    }
}
