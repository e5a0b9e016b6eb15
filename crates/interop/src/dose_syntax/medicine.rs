//! What a medicine's name says about its directions: strength, form, weekly only.

use super::reading::{Grade, OnDays, ReadDose, Reading};
use super::tokens::{self, Token};
use super::why::{Misfit, Why};
use super::words::{self, UnitKind};
use mar::quantity::Unit;
use rust_decimal::Decimal;

/// A medicine that is given at most once a week: words that its name holds, and words that it
/// does not. A list of ours after S-05, for the clinical lead to confirm.
const WEEKLY_ONLY: &[(&[&str], &[&str])] = &[
    (&["methotrexate"], &[]),
    (&["alendron", "70mg"], &[]),
    (&["fosamax once weekly"], &[]),
    (&["fosavance"], &[]),
    (&["risedronate", "35mg"], &[]),
    (&["actonel", "35mg"], &[]),
    (&["dulaglutide"], &[]),
    (&["trulicity"], &[]),
    (&["semaglutide"], &["tablet"]),
    (&["ozempic"], &[]),
    (&["wegovy"], &[]),
    (&["tirzepatide"], &[]),
    (&["mounjaro"], &[]),
    (&["bydureon"], &[]),
    (&["maxtrex"], &[]),
    (&["metoject"], &[]),
    (&["butec"], &[]),
    (&["butrans"], &[]),
    (&["sevodyne"], &[]),
    (&["panitaz"], &[]),
    (&["buprenorphine", "5microgram", "patch"], &["52.5microgram", "35microgram"]),
    (&["buprenorphine", "10microgram", "patch"], &[]),
    (&["buprenorphine", "15microgram", "patch"], &[]),
    (&["buprenorphine", "20microgram", "patch"], &[]),
    (&["buprenorphine", "7 day", "patch"], &[]),
    (&["buprenorphine", "seven day", "patch"], &[]),
];

/// Whether a medicine is given once a week or more seldom, and never every day (S-05).
///
/// It goes by the name, since a code can be re-issued or degraded; the strength decides where one
/// strength is weekly and another daily (alendronic acid 70 mg and 10 mg).
#[must_use]
pub fn weekly_only(medicine: &str) -> bool {
    let name = plain(medicine);
    WEEKLY_ONLY.iter().any(|(with, without)| {
        with.iter().all(|word| holds(&name, word)) && !without.iter().any(|word| holds(&name, word))
    })
}

/// The name in lower case with one way of writing a strength: `70 mg` and `70mg` are the same.
fn plain(medicine: &str) -> String {
    let lower =
        medicine.to_lowercase().replace("micrograms", "microgram").replace("mcg", "microgram");
    let mut name = String::with_capacity(lower.len());
    let mut rest = lower.chars().peekable();
    while let Some(c) = rest.next() {
        let joins = name.ends_with(|c: char| c.is_ascii_digit())
            && rest.peek().is_some_and(|next| matches!(next, 'm' | 'g'));
        if !(c.is_whitespace() && joins) {
            name.push(if c == '-' { ' ' } else { c });
        }
    }
    name
}

/// Whether a name holds a word; a strength must not go on to the left: `5mg` is not in `35mg`.
fn holds(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, _)| {
        let before = name[..at].chars().next_back();
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        !number || !before.is_some_and(|c| c.is_ascii_digit() || c == '.')
    })
}

/// The strength of one piece: `500 mg` of "Paracetamol 500mg tablets".
///
/// `None` when the medicine is not in pieces, or names two strengths.
pub(super) fn strength(medicine: &str) -> Option<(Decimal, &'static str)> {
    let tokens = tokens::tokens(medicine);
    let solid =
        |t: &Token| t.word().and_then(words::unit).is_some_and(|(_, kind)| kind == UnitKind::Solid);
    tokens.iter().any(solid).then_some(())?;
    let mut strengths = tokens.windows(2).filter_map(|pair| {
        let (unit, kind) = pair[1].word().and_then(words::unit)?;
        let number = pair[0].number()?;
        (kind == UnitKind::Mass).then_some((number.low, unit))
    });
    let first = strengths.next()?;
    strengths.next().is_none().then_some(first)
}

/// The unit in which a medicine is counted: `tablet` of "Paracetamol 500mg tablets".
///
/// `None` when its name has no form that is counted.
pub(super) fn piece(medicine: &str) -> Option<Unit> {
    let tokens = tokens::tokens(medicine);
    let mut forms = tokens.iter().filter_map(|t| {
        let (shown, kind) = t.word().and_then(words::unit)?;
        let counted = kind == UnitKind::Solid
            || ["patch", "sachet", "suppository", "pessary", "enema", "nebule"].contains(&shown);
        counted.then_some(shown)
    });
    // "inhalation powder capsules with device" and "granules sachets" end in their form.
    forms.next_back().map(Unit::new)
}

/// Forms that are measured and not counted.
const MEASURED: &[&str] = &[
    "solution",
    "suspension",
    "syrup",
    "liquid",
    "elixir",
    "cream",
    "ointment",
    "gel",
    "lotion",
    "shampoo",
    "drops",
    "emulsion",
    "linctus",
    "mouthwash",
    "inhaler",
    "spray",
];

impl Reading {
    /// Returns the reading with what does not fit the medicine added to its reasons.
    ///
    /// A weekly medicine more often than weekly is a hard stop: nothing is proposed (S-05).
    #[must_use]
    pub fn checked_against(mut self, medicine: &str) -> Self {
        let mut found = Vec::new();
        let too_often = self.schedule.as_ref().is_some_and(|schedule| match &schedule.days {
            OnDays::Every | OnDays::DaysAWeek(_) | OnDays::Cycle { .. } => true,
            OnDays::EveryDays(n) => *n < 7,
            OnDays::Weekdays(days) => days.len() > 1,
            OnDays::EveryWeeks(_) | OnDays::EveryMonths(_) | OnDays::Once => false,
        });
        if weekly_only(medicine) && too_often {
            found.push(Why::Medicine(Misfit::WeeklyOnly(medicine.to_owned())));
            self.dose = None;
            self.schedule = None;
        }
        found.extend(self.form_misfit(medicine).map(Why::Medicine));
        for why in found {
            self.grade = self.grade.max(why.leaves());
            self.why.push(why);
        }
        self
    }

    fn form_misfit(&self, medicine: &str) -> Option<Misfit> {
        let Some(ReadDose::Amount { how_much, unit }) = &self.dose else { return None };
        let named = piece(medicine);
        let Some(unit) = unit else {
            let name = medicine.to_lowercase();
            let measured = named.is_none() && MEASURED.iter().any(|form| name.contains(form));
            return measured.then(|| Misfit::NoUnit(how_much.to_string()));
        };
        let solid = |unit: &Unit| {
            words::unit(unit.as_str()).is_some_and(|(_, kind)| kind == UnitKind::Solid)
        };
        let named = named?;
        (solid(unit) && named != *unit).then(|| Misfit::Form {
            words: unit.as_str().to_owned(),
            medicine: medicine.to_owned(),
        })
    }

    /// Whether nothing may be proposed.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.grade == Grade::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekly_medicines_are_known_by_name_and_strength() {
        for name in [
            "Methotrexate 2.5mg tablets",
            "METHOTREXATE 10mg/0.2ml solution for injection pre-filled syringes",
            "Alendronic acid 70mg tablets",
            "Alendronic Acid 70 mg tablets",
            "Risedronate sodium 35mg tablets",
            "Buprenorphine 5micrograms/hour transdermal patches",
            "Butec 20micrograms/hour transdermal patches",
            "Ozempic 1mg/0.74ml solution for injection 3ml pre-filled disposable devices",
        ] {
            assert!(weekly_only(name), "{name}");
        }
        for name in [
            "Alendronic acid 10mg tablets",
            "Risedronate sodium 5mg tablets",
            "Buprenorphine 52.5micrograms/hour transdermal patches",
            "Buprenorphine 35micrograms/hour transdermal patches",
            "Semaglutide 7mg tablets",
            "Folic acid 5mg tablets",
        ] {
            assert!(!weekly_only(name), "{name}");
        }
    }

    #[test]
    fn strength_and_form_come_from_the_name() {
        assert_eq!(strength("Prednisolone 5mg tablets"), Some((Decimal::from(5), "mg")));
        assert_eq!(strength("Co-codamol 8mg/500mg tablets"), None);
        assert_eq!(strength("Morphine sulfate 10mg/5ml oral solution"), None);
        assert_eq!(piece("Gabapentin 300mg capsules"), Some(Unit::new("capsule")));
        assert_eq!(piece("Latanoprost 50micrograms/ml eye drops"), None);
    }
}
