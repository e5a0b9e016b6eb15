//! The home's settings: facts with a start date, so that past slots keep their due time.

use crate::outcome::Outcome;
use crate::schedule::TimeOfDay;
use crate::time::{Minutes, Tz};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// The home's settings from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The first civil date on which they hold.
    pub from: NaiveDate,
    /// The home's name.
    pub name: String,
    /// Address and telephone in words, for paper.
    pub address: String,
    /// The zone of all schedules.
    pub zone: Tz,
    /// The home's rounds, in the order of the day (S-11).
    pub rounds: Vec<Round>,
    /// How early and late doses may be (W-02).
    pub windows: Windows,
    /// Printed letters that differ from the default (D-03, W-23).
    pub letters: BTreeMap<Outcome, String>,
    /// Any first day of a 28-day cycle (S-04).
    pub cycle_start: NaiveDate,
    /// Witnessing that differs from the default, by dm+d category code (C-02).
    pub witness: BTreeMap<String, bool>,
    /// Whether a lone worker may give a controlled drug alone, reviewed next morning (C-03, W-13).
    pub lone_worker: bool,
}

/// One of the home's rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its id in orders and slots: `morning`.
    pub id: String,
    /// Its name on screen and paper: `Morning`.
    pub name: String,
    /// When it starts: the due time of its slots.
    pub start: TimeOfDay,
    /// Until when a dose of it is on time (W-02).
    pub cut_off: TimeOfDay,
}

/// How early and late a dose may be (W-02, D-05); all settings of the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    /// A round's doses are on time from this long before its start.
    pub round_early: Minutes,
    /// After a round's cut-off by this much, what is unrecorded is told.
    pub round_alert: Minutes,
    /// A clock-time dose is on time within this, on each side.
    pub clock: Minutes,
    /// After its window by this much, a clock-time dose is unrecorded.
    pub clock_alert: Minutes,
    /// A time-critical dose is on time within this, on each side.
    pub critical: Minutes,
    /// After its window by this much, a time-critical dose is unrecorded.
    pub critical_alert: Minutes,
    /// An entry within this of the true time is no late entry (W-02).
    pub late_entry: Minutes,
    /// A given time may be this far in the future (T-06).
    pub future: Minutes,
}

impl Default for Windows {
    /// W-02: a round from 30 min before its start to its cut-off, alert at cut-off + 30; clock
    /// times ±60 with the alert at +120 (D-05); time-critical ±30; late entry after 60; T-06: 2.
    fn default() -> Self {
        Self {
            round_early: Minutes(30),
            round_alert: Minutes(30),
            clock: Minutes(60),
            clock_alert: Minutes(60),
            critical: Minutes(30),
            critical_alert: Minutes(30),
            late_entry: Minutes(60),
            future: Minutes(2),
        }
    }
}

/// The rounds a new home starts with: id, name, start and cut-off in minutes of the day.
const FIRST_ROUNDS: [(&str, &str, u16, u16); 4] = [
    ("morning", "Morning", 7 * 60 + 30, 10 * 60 + 30),
    ("lunch", "Lunch", 12 * 60, 14 * 60),
    ("tea", "Tea", 16 * 60 + 30, 18 * 60 + 30),
    ("bedtime", "Bedtime", 21 * 60, 23 * 60 + 30),
];

impl Settings {
    /// The settings of a new home: London time, four rounds, the windows of W-02.
    #[must_use]
    pub fn new(name: &str, from: NaiveDate) -> Self {
        let round = |(id, title, start, cut_off): (&str, &str, u16, u16)| {
            Some(Round {
                id: id.to_owned(),
                name: title.to_owned(),
                start: TimeOfDay::from_minutes(start)?,
                cut_off: TimeOfDay::from_minutes(cut_off)?,
            })
        };
        Self {
            from,
            name: name.to_owned(),
            address: String::new(),
            zone: chrono_tz::Europe::London,
            rounds: FIRST_ROUNDS.into_iter().filter_map(round).collect(),
            windows: Windows::default(),
            letters: BTreeMap::new(),
            cycle_start: from,
            witness: BTreeMap::new(),
            lone_worker: true,
        }
    }

    /// Returns the letters printed for an outcome: the home's, else the default.
    #[must_use]
    pub fn letter(&self, outcome: Outcome) -> &str {
        self.letters.get(&outcome).map_or(outcome.letter(), String::as_str)
    }

    /// Whether giving a medicine of this category takes a witness here (C-02).
    #[must_use]
    pub fn witnessed(&self, category: crate::medicine::CdCategory) -> bool {
        self.witness
            .get(&category.to_string())
            .copied()
            .unwrap_or_else(|| category.witnessed_by_default())
    }

    /// Returns the round of this id.
    #[must_use]
    pub fn round(&self, id: &str) -> Option<&Round> {
        self.rounds.iter().find(|r| r.id == id)
    }

    /// Returns what is wrong with the settings, in words; `None` when they can be used.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        for (at, round) in self.rounds.iter().enumerate() {
            if !is_round_id(&round.id) {
                return Some(format!(
                    "`{}` is no id for a round: use lower-case letters, such as morning",
                    round.id
                ));
            }
            if round.cut_off <= round.start {
                return Some(format!("the round {} ends before it starts", round.name));
            }
            if self.rounds[..at].iter().any(|r| r.id == round.id) {
                return Some(format!("two rounds have the id {}", round.id));
            }
        }
        let mut seen = std::collections::BTreeSet::from([crate::outcome::NOT_CHECKED]);
        for outcome in crate::outcome::OUTCOMES {
            let letter = self.letter(outcome);
            if outcome != Outcome::Given && (letter.is_empty() || !seen.insert(letter)) {
                return Some(format!(
                    "the letters `{letter}` of {} are used twice or empty",
                    outcome.word()
                ));
            }
        }
        self.name.trim().is_empty().then(|| "the home needs a name".to_owned())
    }
}

/// Whether a text can be the id of a round: 1 to 24 lower-case letters, digits or hyphens, with a
/// letter first, so that it is never mistaken for a time or an interval in a slot's id.
#[must_use]
pub fn is_round_id(text: &str) -> bool {
    (1..=24).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_home_s_settings_have_no_fault() {
        let settings = Settings::new("Willow House", NaiveDate::default());
        assert_eq!(settings.fault(), None);
        assert_eq!(settings.rounds.len(), 4);
    }

    #[test]
    fn two_outcomes_never_share_their_letters() {
        let mut settings = Settings::new("Willow House", NaiveDate::default());
        settings.letters.insert(Outcome::Refused, "H".into());
        assert!(settings.fault().is_some());
    }
}
