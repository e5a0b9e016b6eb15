//! Puts the elements of a direction together and weighs what is doubtful or missing.

use super::amounts::is_numeric;
use super::grammar::{DoseDoubt, DoseWords, Element, FrequencyForm, MethodForm, Part};
use super::reading::{AsNeeded, Bounds, HowMuch, Moment, OnDays, ReadDose, Reading, Times};
use super::tokens::{Token, Written};
use super::why::{Choice, Doubt, Missing, Unread, Why};
use super::words::{self, UnitKind};
use mar::quantity::{Quantity, Unit};
use mar::time::Minutes;
use rust_decimal::Decimal;

/// A direction cut into elements, on the way to a reading.
pub(super) struct Assembly<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: &'t [Token],
    pub(super) parts: &'t [Part],
    pub(super) reading: Reading,
}

/// More of a solid form than anybody is given at once: a bound of ours that asks for a person.
const PIECES_MAX: u32 = 20;
/// More of anything measured than is given at once: a bound of ours that asks for a person.
const MEASURED_MAX: u32 = 10_000;

impl Assembly<'_> {
    /// Returns the finished reading.
    pub(super) fn finish(mut self) -> Reading {
        self.unread();
        self.side_by_side();
        self.notes();
        let dose = self.one_dose();
        self.timing(dose.as_ref());
        self.dose(dose.as_ref());
        self.when_required();
        self.places(dose.as_ref());
        self.missing(dose.as_ref());
        super::gaps::graded(self.reading)
    }

    pub(super) fn because(&mut self, why: Why) {
        if !self.reading.why.contains(&why) {
            self.reading.why.push(why);
        }
    }

    fn words(&self, from: usize, to: usize) -> String {
        let span = self.tokens.get(from).zip(self.tokens.get(to.wrapping_sub(1)));
        let words = span.and_then(|(first, last)| self.text.get(first.start..last.end));
        words.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(super) fn words_of(&self, part: &Part) -> String {
        self.words(part.from, part.to)
    }

    /// Gathers what was not understood. An unread number or condition stops the reading.
    fn unread(&mut self) {
        let mut groups: Vec<(usize, usize)> = Vec::new();
        for part in self.parts.iter().filter(|p| p.element == Element::Unread) {
            match groups.last_mut() {
                Some((_, to)) if *to == part.from => *to = part.to,
                _ => groups.push((part.from, part.to)),
            }
        }
        let all: Vec<String> = groups.iter().map(|(from, to)| self.words(*from, *to)).collect();
        for ((from, to), words) in groups.iter().zip(&all) {
            let tokens = &self.tokens[*from..*to];
            let changes = |t: &Token| t.word().is_some_and(|w| words::CHANGING.contains(&w));
            let words = words.clone();
            self.because(Why::Unread(if tokens.iter().any(is_numeric) {
                Unread::Number(words)
            } else if tokens.iter().any(changes) {
                Unread::Condition(words)
            } else {
                Unread::Words(words)
            }));
        }
        self.reading.remainder = all.join(" … ");
    }

    /// "2 4 times a day", "take 2. 5ml", "1 take every day".
    fn side_by_side(&mut self) {
        let digits = |t: &Token| t.number().is_some_and(|n| n.written == Written::Digits);
        let one_part = |a: usize, b: usize| {
            self.parts.iter().any(|p| (p.from..p.to).contains(&a) && (p.from..p.to).contains(&b))
        };
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            let point = self.tokens.get(at + 1).is_some_and(|t| t.is_mark('.') || t.is_mark(','));
            let next = at + 1 + usize::from(point);
            let both = digits(&self.tokens[at]) && self.tokens.get(next).is_some_and(digits);
            if both && !one_part(at, next) {
                found.push(self.words(at, next + 1));
            }
        }
        for words in found {
            self.because(Why::Doubt(Doubt::NumbersSideBySide(words)));
        }
        let orders: Vec<String> = self
            .parts
            .windows(2)
            .filter(|pair| {
                matches!(pair[0].element, Element::Dose(_))
                    && matches!(pair[1].element, Element::Method(_, MethodForm::Imperative))
            })
            .map(|pair| self.words(pair[0].from, pair[1].to))
            .collect();
        // "One, two or three times a day" names no dose.
        let lists = self.parts.windows(3).filter(|three| {
            let bare = matches!(&three[0].element, Element::Dose(dose) if dose.unit.is_none());
            let range = matches!(&three[2].element, Element::Frequency(f)
                if matches!(f.times, Times::Between(..)));
            bare && three[1].element == Element::Joint && range
        });
        let lists: Vec<String> =
            lists.map(|three| self.words(three[0].from, three[2].to)).collect();
        for words in orders.into_iter().chain(lists) {
            self.because(Why::Doubt(Doubt::WordOrder(words)));
        }
    }

    /// What is kept as it stands, and limits.
    fn notes(&mut self) {
        let required = self.parts.iter().any(|p| p.element == Element::WhenRequired);
        let mut reason = None;
        for part in self.parts {
            let words = self.words_of(part);
            match &part.element {
                Element::Note | Element::AtOnce => self.reading.extra.push(words),
                Element::Reason if required && reason.is_none() => reason = Some(words),
                Element::Reason => self.reading.extra.push(words),
                Element::Moments(_) if of_a_meal(&words) => self.reading.extra.push(words),
                Element::AsDirected => {
                    self.reading.extra.push(words);
                    self.because(Why::Choice(Choice::AsDirected));
                }
                Element::Dates => {
                    self.reading.extra.push(words);
                    self.because(Why::Choice(Choice::Dates));
                }
                Element::Maximum(Some(ceiling)) => self.reading.max_24h = Some(ceiling.clone()),
                Element::Maximum(None) => {
                    self.reading.extra.push(words);
                    self.because(Why::Choice(Choice::OtherMaximum));
                }
                Element::MinInterval(minutes) => {
                    self.reading.min_interval = Some(Minutes(*minutes));
                }
                Element::Bounds(bounds) => self.bounds(*bounds, words),
                Element::Method(shown, _) => {
                    self.reading.method.get_or_insert(shown);
                }
                Element::Route(shown) => {
                    self.reading.route.get_or_insert(shown);
                }
                Element::Dose(_)
                | Element::Frequency(_)
                | Element::Moments(_)
                | Element::Weekdays(_)
                | Element::WhenRequired
                | Element::Cycle(_)
                | Element::Site(_)
                | Element::Joint
                | Element::Unread => {}
            }
        }
        if required {
            self.reading.as_needed = Some(AsNeeded { reason });
        }
    }

    fn bounds(&mut self, bounds: Bounds, words: String) {
        if self.reading.bounds.is_some_and(|other| other != bounds) {
            // "For 5 days … for 2 weeks": several steps.
            self.because(Why::Doubt(Doubt::MoreThanOneFrequency(words)));
        }
        self.reading.bounds = Some(bounds);
    }

    pub(super) fn doses(&self) -> Vec<(usize, &DoseWords)> {
        let mut doses = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            if let Element::Dose(dose) = &part.element {
                doses.push((at, dose));
            }
        }
        doses
    }

    /// Returns the dose, when there is one, or the same one at several times of the day.
    fn one_dose(&mut self) -> Option<DoseWords> {
        let doses = self.doses();
        let (_, first) = *doses.first()?;
        let first = first.clone();
        if doses.len() == 1 {
            return Some(first);
        }
        let shown: Vec<String> =
            doses.iter().map(|(at, _)| format!("“{}”", self.words_of(&self.parts[*at]))).collect();
        let required = self.reading.as_needed.is_some();
        let same = doses.iter().all(|(_, dose)| same_dose(dose, &first));
        if same && !required && self.each_has_its_time(&doses) {
            return Some(first);
        }
        self.because(Why::Doubt(Doubt::MoreThanOneDose(shown.join(", "))));
        None
    }

    /// "One in the morning and one at night": after each dose stands a time of its own.
    fn each_has_its_time(&self, doses: &[(usize, &DoseWords)]) -> bool {
        let mut seen: Vec<Moment> = Vec::new();
        for (n, (at, _)) in doses.iter().enumerate() {
            let end = doses.get(n + 1).map_or(self.parts.len(), |(next, _)| *next);
            let mut own: Vec<Moment> = Vec::new();
            for part in &self.parts[*at..end] {
                if let Element::Moments(moments) = &part.element {
                    own.extend(moments);
                } else if matches!(part.element, Element::Frequency(_) | Element::Weekdays(_)) {
                    return false;
                }
            }
            if own.is_empty() || own.iter().any(|moment| seen.contains(moment)) {
                return false;
            }
            seen.extend(own);
        }
        !self.parts[..doses[0].0].iter().any(|p| matches!(p.element, Element::Frequency(_)))
    }

    fn dose(&mut self, dose: Option<&DoseWords>) {
        let Some(dose) = dose else {
            if self.reading.method == Some("apply") {
                self.reading.dose = Some(ReadDose::Application);
            }
            return;
        };
        let place = self.doses().first().map_or(0, |(at, _)| *at);
        let shown = self.words_of(&self.parts[place]);
        self.hanging_number(dose);
        if let Some(why) = implausible(dose, &shown) {
            self.because(why);
        }
        match dose.doubt {
            Some(DoseDoubt::Spoon) => self.because(Why::Missing(Missing::SpoonSize)),
            Some(DoseDoubt::SecondAmount) => {
                self.reading.extra.push(shown.clone());
                self.because(Why::Doubt(Doubt::TwoAmounts(shown)));
            }
            Some(DoseDoubt::VolumeAndMass) => {
                self.because(Why::Doubt(Doubt::VolumeAndMass(shown)));
            }
            Some(DoseDoubt::NakedPoint) => self.because(Why::Doubt(Doubt::Number(shown))),
            Some(DoseDoubt::Strength) => self.because(Why::Doubt(Doubt::DoseOrStrength(shown))),
            None => {}
        }
        // "Three times a day 7": a number at the end, with no unit, may be anything.
        let before = place.checked_sub(1).map(|before| &self.parts[before].element);
        let led = matches!(before, None | Some(Element::Method(..) | Element::Joint));
        if dose.unit.is_none() && !led {
            let words = self.words(self.parts[place].from.saturating_sub(1), self.parts[place].to);
            self.because(Why::Doubt(Doubt::WordOrder(words)));
        }
        // "Apply 7", "take 3.5", "one zzyzx": of what, is not said.
        let one = dose.how_much == HowMuch::Exactly(Quantity::whole(1));
        let applied = self.reading.method == Some("apply");
        let broken = dose.bare_digits && !dose.how_much.most().decimal().is_integer();
        let after = self.parts.get(place + 1).map(|part| &part.element);
        let unread = after == Some(&Element::Unread);
        if dose.unit.is_none() && (broken || unread || (applied && !one)) {
            self.because(Why::Missing(Missing::Unit));
        }
        // What is applied is a cream or a patch, and milligrams beside it are its strength.
        if applied && matches!(dose.unit, Some((_, UnitKind::Mass))) {
            let words = self.words_of(&self.parts[place]);
            self.because(Why::Doubt(Doubt::DoseOrStrength(words)));
        }
        if !matches!(dose.how_much, HowMuch::Exactly(_)) {
            self.because(Why::Choice(Choice::DoseRange));
        }
        // A number alone, with no verb and no frequency, is no dose.
        let alone = dose.unit.is_none()
            && self.reading.method.is_none()
            && self.reading.schedule.is_none()
            && self.reading.as_needed.is_none();
        if !alone {
            let unit = dose.unit.map(|(shown, _)| Unit::new(shown));
            self.reading.dose = Some(ReadDose::Amount { how_much: dose.how_much, unit });
        }
    }

    /// "2 daily", "take 4 weekly", "six monthly": a number that can belong to either side.
    fn hanging_number(&mut self, dose: &DoseWords) {
        let more_than_one = dose.how_much != HowMuch::Exactly(Quantity::whole(1));
        let part_of_one = dose.how_much.most().decimal() < Decimal::ONE;
        if dose.unit.is_some() || !more_than_one {
            return;
        }
        let hanging = self.parts.windows(2).find_map(|pair| {
            let Element::Frequency(frequency) = &pair[1].element else { return None };
            let dose = matches!(pair[0].element, Element::Dose(_));
            let hourly = frequency.times == Times::EveryHours(1, None);
            (dose && (hourly || frequency.form == FrequencyForm::Adverb)).then(|| {
                (frequency.days == OnDays::Every && frequency.times == Times::ADay(1), pair)
            })
        });
        if let Some((daily, pair)) = hanging
            && (!daily || (self.reading.method.is_none() && !part_of_one))
        {
            let words = self.words(pair[0].from, pair[1].to);
            self.because(Why::Doubt(Doubt::DoseOrFrequency(words)));
        }
    }
}

fn same_dose(one: &DoseWords, two: &DoseWords) -> bool {
    one.how_much == two.how_much
        && (one.unit == two.unit || two.unit.is_none() || one.unit.is_none())
}

fn of_a_meal(words: &str) -> bool {
    let lower = words.to_lowercase();
    ["with ", "before ", "after ", "waking"].iter().any(|word| lower.contains(word))
}

fn implausible(dose: &DoseWords, shown: &str) -> Option<Why> {
    let most = dose.how_much.most();
    let pieces = match dose.unit {
        None | Some((_, UnitKind::Solid)) => true,
        Some((_, UnitKind::Piece | UnitKind::Placed | UnitKind::Volume | UnitKind::Mass)) => false,
    };
    // "11" with no unit is as likely "1" typed twice.
    let two_digits = dose.bare_digits && most >= Quantity::whole(10);
    let bound = Quantity::whole(if pieces { PIECES_MAX } else { MEASURED_MAX });
    (most.is_zero() || most > bound || two_digits)
        .then(|| Why::Doubt(Doubt::Implausible(shown.to_owned())))
}
