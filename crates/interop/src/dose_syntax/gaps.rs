//! What an assembly leaves open, and the grade that follows.

use super::assembly::Assembly;
use super::grammar::{DoseWords, Element};
use super::reading::{Grade, ReadDose, Reading, Site, Times};
use super::why::{Choice, Doubt, Missing, Unread, Why};
use super::words::UnitKind;
use mar::quantity::Unit;
use mar::time::Minutes;

impl Assembly<'_> {
    pub(super) fn when_required(&mut self) {
        if self.reading.as_needed.is_none() {
            return;
        }
        self.because(Why::Choice(Choice::WhenRequired));
        if let Some(Times::EveryHours(hours, _)) = self.reading.schedule.as_ref().map(|s| &s.times)
        {
            let minutes = Minutes(u32::from(*hours) * 60);
            self.reading.min_interval.get_or_insert(minutes);
        }
        // Topicals and drops need no interval (W-06).
        let unlimited = match &self.reading.dose {
            Some(ReadDose::Application) => true,
            Some(ReadDose::Amount { unit, .. }) => *unit == Some(Unit::new("drop")),
            None => false,
        };
        if !unlimited && self.reading.min_interval.is_none() {
            self.because(Why::Missing(Missing::MinInterval));
        }
        if !unlimited && self.reading.max_24h.is_none() {
            self.because(Why::Missing(Missing::Maximum));
        }
    }

    pub(super) fn places(&mut self, dose: Option<&DoseWords>) {
        let mut sites = self.parts.iter().filter_map(|part| {
            if let Element::Site(site) = &part.element { Some((part, site)) } else { None }
        });
        let first = sites.next();
        let several = sites.next().is_some();
        let kind = dose.and_then(|dose| dose.unit);
        let Some((part, site)) = first else {
            let placed = matches!(kind, Some((_, UnitKind::Placed)));
            let applied = self.reading.dose == Some(ReadDose::Application);
            if (placed || applied) && self.reading.route.is_none() {
                self.because(Why::Missing(Missing::Site));
            }
            return;
        };
        let words = self.words_of(part);
        let open = !site.named || several;
        if let Some((form, UnitKind::Solid)) = kind
            && super::places::names_a_pair(&words)
        {
            let form = format!("a {form}");
            self.because(Why::Doubt(Doubt::FormAgainstSite { form, site: words.clone() }));
        }
        let count = if several { None } else { site.count };
        self.reading.site = Some(Site { words, count });
        if open {
            self.because(Why::Missing(Missing::WhichSite));
        }
    }

    pub(super) fn missing(&mut self, dose: Option<&DoseWords>) {
        let no_dose = dose.is_none() && self.reading.dose.is_none();
        if no_dose {
            self.because(Why::Missing(Missing::Dose));
            if !self.reading.remainder.is_empty() {
                self.because(Why::Unread(Unread::DoseAmongWords));
            }
            // "Take 1 - 2 times every day": one, twice a day; or once or twice.
            let times = self.reading.schedule.as_ref().map(|s| &s.times);
            if let Some(Times::Between(low, high)) = times {
                let words = format!("{low} - {high}");
                self.because(Why::Doubt(Doubt::DoseOrFrequency(words)));
            }
        }
        if self.reading.max_24h.is_some() && self.reading.as_needed.is_none() {
            self.because(Why::Choice(Choice::MaximumOfRegular));
        }
        let required = self.reading.as_needed.is_some();
        if self.reading.schedule.is_none() && (!required || no_dose) {
            self.because(Why::Missing(Missing::Frequency));
        }
    }
}

/// Sets the grade to the worst of the reasons. A refused reading proposes no schedule; it keeps a
/// dose that was read without doubt, for a person to see.
pub(super) fn graded(mut reading: Reading) -> Reading {
    let refusing = |why: &&Why| why.leaves() == Grade::Refused;
    reading.grade = reading.why.iter().map(Why::leaves).max().unwrap_or(Grade::Clear);
    let dose_is_sure = |why: &Why| {
        matches!(why, Why::Missing(Missing::Frequency) | Why::Doubt(Doubt::VolumeAndMass(_)))
    };
    if reading.grade == Grade::Refused {
        reading.schedule = None;
    }
    // Of "4 micrograms/kg/minute" the dose alone is no dose.
    let unread = reading.grade == Grade::Refused && !reading.remainder.is_empty();
    if unread || !reading.why.iter().filter(refusing).all(dose_is_sure) {
        reading.dose = None;
        reading.max_24h = None;
        reading.min_interval = None;
        reading.bounds = None;
    }
    reading
}
