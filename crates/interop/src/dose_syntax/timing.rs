//! The frequencies and times of an assembly, and what is open about them.

use super::assembly::Assembly;
use super::grammar::{DoseWords, Element, FrequencyForm};
use super::merge::{Merged, Timing};
use super::reading::{Bounds, Ceiling, Moment, OnDays, Span, Times};
use super::why::{Doubt, Missing, Why};
use super::words::UnitKind;
use rust_decimal::Decimal;

impl Assembly<'_> {
    /// Reads when it is given, or says why that can't be told.
    pub(super) fn timing(&mut self, dose: Option<&DoseWords>) {
        let (timing, words) = self.gathered();
        self.hourly_alone();
        self.meals(&timing);
        match timing.merged() {
            Err(_) => self.because(Why::Doubt(Doubt::MoreThanOneFrequency(words.join(", ")))),
            Ok(None) => {}
            Ok(Some(merged)) => self.scheduled(merged, dose),
        }
        self.cycle();
    }

    fn gathered(&self) -> (Timing, Vec<String>) {
        let when_required = self.reading.as_needed.is_some();
        let mut timing = Timing { when_required, ..Timing::default() };
        let mut words = Vec::new();
        let mut lists: Vec<&[Moment]> = Vec::new();
        let mut after_bounds = false;
        for part in self.parts {
            let bounded = matches!(part.element, Element::Bounds(Bounds::For { .. }));
            if let Element::Frequency(frequency) = &part.element {
                // "For 5 days each week" is no length of a course.
                timing.contradicts |= after_bounds && frequency.days != OnDays::Every;
                timing.frequencies.push(frequency.clone());
            } else if let Element::Moments(moments) = &part.element {
                timing.moments.extend(moments);
                lists.push(moments);
            } else if let Element::Weekdays(days) = &part.element {
                timing.weekdays.extend(days);
            } else {
                after_bounds = bounded;
                continue;
            }
            after_bounds = false;
            words.push(self.words_of(part));
        }
        let subset = |list: &&[Moment]| timing.moments.iter().all(|m| list.contains(m));
        timing.apart = self.doses().len() < 2 && !lists.is_empty() && !lists.iter().any(subset);
        (timing, words)
    }

    /// "4 hourly" with no dose before it: four every hour, or every four hours.
    fn hourly_alone(&mut self) {
        let is_dose = |element: &Element| matches!(element, Element::Dose(_));
        let first = self.parts.iter().position(|part| is_dose(&part.element));
        let alone = self.parts.iter().enumerate().find(|(at, part)| {
            let hourly = matches!(&part.element, Element::Frequency(frequency)
                if frequency.form == FrequencyForm::BareHourly);
            hourly && first.is_none_or(|first| first > *at)
        });
        if let Some((_, part)) = alone {
            let words = self.words_of(part);
            self.because(Why::Doubt(Doubt::DoseOrFrequency(words)));
        }
    }

    /// "With meals" is a frequency of its own, unless a number of times is said.
    fn meals(&mut self, timing: &Timing) {
        let notes = self.parts.iter().filter(|part| part.element == Element::Note);
        let meals = notes.map(|part| self.words_of(part)).find(|words| {
            let lower = words.to_lowercase();
            lower.contains("meals") || lower.contains("each meal")
        });
        let counted = timing.frequencies.iter().any(|frequency| match frequency.times {
            Times::ADay(n) => n > 1,
            Times::Between(..) | Times::UpTo(_) | Times::EveryHours(..) => true,
            Times::At(_) => false,
        });
        if let Some(words) = meals
            && !counted
        {
            self.because(Why::Doubt(Doubt::MoreThanOneFrequency(words)));
        }
    }

    fn scheduled(&mut self, merged: Merged, dose: Option<&DoseWords>) {
        if let Some(n) = merged.at_most {
            self.reading.max_24h.get_or_insert(Ceiling::Doses(n));
        }
        if merged.once {
            self.because(Why::Doubt(Doubt::OnceOnly));
        }
        let at_once = self.parts.iter().any(|part| part.element == Element::AtOnce);
        if merged.loose && !at_once && dose.is_some_and(divisible) {
            self.because(Why::Doubt(Doubt::OnceOrDivided));
        }
        for why in super::weigh(&merged.schedule) {
            self.because(why);
        }
        self.reading.schedule = Some(merged.schedule);
    }

    /// "For 21 days; subsequent courses repeated after 7-day tablet free interval".
    fn cycle(&mut self) {
        let off = self
            .parts
            .iter()
            .find_map(|part| if let Element::Cycle(off) = part.element { Some(off) } else { None });
        let Some(off) = off else { return };
        let bounds = self.reading.bounds.take();
        let on = match bounds {
            Some(Bounds::For { least, most: None, up_to: false, span: Span::Day }) => Some(least),
            Some(Bounds::For { .. } | Bounds::UntilFinished) | None => None,
        };
        match (on, &mut self.reading.schedule) {
            (Some(on), Some(schedule)) if schedule.days == OnDays::Every => {
                schedule.days = OnDays::Cycle { on, off };
                self.because(Why::Missing(Missing::CycleStart));
            }
            _ => {
                let words = format!("{off} days off");
                self.because(Why::Doubt(Doubt::MoreThanOneFrequency(words)));
            }
        }
    }
}

/// Whether a day's amount could be given in parts: more than one piece, or anything measured.
fn divisible(dose: &DoseWords) -> bool {
    let measured = matches!(dose.unit, Some((_, UnitKind::Mass | UnitKind::Volume)));
    measured || dose.how_much.most().decimal() > Decimal::ONE
}
