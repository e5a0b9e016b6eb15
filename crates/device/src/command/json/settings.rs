//! The home's settings as JSON.

use super::{Misfit, Place};
use mar::outcome::{OUTCOMES, Outcome};
use mar::schedule::TimeOfDay;
use mar::settings::{Round, Settings, Windows};
use mar::time::Minutes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The home's settings as `home show` gives them and `home set` takes them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsShape {
    from: String,
    name: String,
    address: String,
    zone: String,
    rounds: Vec<RoundShape>,
    windows: WindowsShape,
    letters: BTreeMap<String, String>,
    cycle_start: String,
    witness: BTreeMap<String, bool>,
    lone_worker: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundShape {
    id: String,
    name: String,
    start: String,
    cut_off: String,
}

/// All in minutes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowsShape {
    round_early: u32,
    round_alert: u32,
    clock: u32,
    clock_alert: u32,
    critical: u32,
    critical_alert: u32,
    late_entry: u32,
    future: u32,
}

/// Returns the settings as JSON. `letters` holds the letters of every outcome.
#[must_use]
pub fn settings_to_json(settings: &Settings) -> Value {
    let windows = &settings.windows;
    let shape = SettingsShape {
        from: settings.from.to_string(),
        name: settings.name.clone(),
        address: settings.address.clone(),
        zone: settings.zone.name().to_owned(),
        rounds: settings
            .rounds
            .iter()
            .map(|r| RoundShape {
                id: r.id.clone(),
                name: r.name.clone(),
                start: r.start.to_string(),
                cut_off: r.cut_off.to_string(),
            })
            .collect(),
        windows: WindowsShape {
            round_early: windows.round_early.0,
            round_alert: windows.round_alert.0,
            clock: windows.clock.0,
            clock_alert: windows.clock_alert.0,
            critical: windows.critical.0,
            critical_alert: windows.critical_alert.0,
            late_entry: windows.late_entry.0,
            future: windows.future.0,
        },
        letters: OUTCOMES
            .iter()
            .filter(|o| **o != Outcome::Given)
            .map(|o| (o.word().to_owned(), settings.letter(*o).to_owned()))
            .collect(),
        cycle_start: settings.cycle_start.to_string(),
        witness: settings.witness.clone(),
        lone_worker: settings.lone_worker,
    };
    serde_json::to_value(shape).unwrap_or(Value::Null)
}

impl SettingsShape {
    /// Returns the settings.
    ///
    /// # Errors
    /// With the field that does not fit.
    pub fn settings(&self, place: Place) -> Result<Settings, Misfit> {
        let date = |path: &str, text: &str| {
            text.parse().map_err(|_| Misfit::new(path, "a date was expected: 2026-11-21"))
        };
        let zone = self.zone.parse().map_err(|_| {
            Misfit::new(
                "zone",
                format!("`{}`: a zone such as {} was expected", self.zone, place.zone),
            )
        })?;
        let w = &self.windows;
        Ok(Settings {
            from: date("from", &self.from)?,
            name: self.name.trim().to_owned(),
            address: self.address.clone(),
            zone,
            rounds: self.rounds.iter().enumerate().map(round).collect::<Result<_, _>>()?,
            windows: Windows {
                round_early: Minutes(w.round_early),
                round_alert: Minutes(w.round_alert),
                clock: Minutes(w.clock),
                clock_alert: Minutes(w.clock_alert),
                critical: Minutes(w.critical),
                critical_alert: Minutes(w.critical_alert),
                late_entry: Minutes(w.late_entry),
                future: Minutes(w.future),
            },
            letters: self.letters()?,
            cycle_start: date("cycle_start", &self.cycle_start)?,
            witness: self.witness.clone(),
            lone_worker: self.lone_worker,
        })
    }

    /// Only letters that differ from the default are kept.
    fn letters(&self) -> Result<BTreeMap<Outcome, String>, Misfit> {
        let mut letters = BTreeMap::new();
        for (word, letter) in &self.letters {
            let path = || format!("letters.{word}");
            let outcome = Outcome::from_word(word)
                .filter(|o| *o != Outcome::Given)
                .ok_or_else(|| Misfit::new(path(), "there is no such outcome with letters"))?;
            if letter.trim().is_empty() || letter.chars().count() > 4 {
                return Err(Misfit::new(path(), "one to four letters were expected"));
            }
            if letter != outcome.letter() {
                letters.insert(outcome, letter.clone());
            }
        }
        Ok(letters)
    }
}

fn round((at, shape): (usize, &RoundShape)) -> Result<Round, Misfit> {
    let time = |field: &str, text: &str| {
        text.parse::<TimeOfDay>()
            .map_err(|fault| Misfit::new(format!("rounds[{at}].{field}"), fault))
    };
    Ok(Round {
        id: shape.id.clone(),
        name: shape.name.clone(),
        start: time("start", &shape.start)?,
        cut_off: time("cut_off", &shape.cut_off)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_read_back_from_what_show_gives() {
        let day = "2026-11-21".parse().unwrap();
        let mut settings = Settings::new("Willow House", day);
        settings.letters.insert(Outcome::Refused, "A".into());
        settings.witness.insert("0005".into(), true);
        let place = Place { zone: settings.zone, today: day };
        let shape: SettingsShape = serde_json::from_value(settings_to_json(&settings)).unwrap();
        assert_eq!(shape.settings(place).unwrap(), settings);
    }

    #[test]
    fn a_setting_that_does_not_fit_is_named() {
        let day = "2026-11-21".parse().unwrap();
        let settings = Settings::new("Willow House", day);
        let place = Place { zone: settings.zone, today: day };
        let check = |field: &str, value: Value| {
            let mut json = settings_to_json(&settings);
            json[field] = value;
            let shape: SettingsShape = serde_json::from_value(json).unwrap();
            shape.settings(place).unwrap_err().path
        };
        assert_eq!(check("zone", json!("Mars/Olympus")), "zone");
        assert_eq!(check("letters", json!({"missed": "M"})), "letters.missed");
        assert_eq!(check("cycle_start", json!("yesterday")), "cycle_start");
        let round = json!([{"id": "a", "name": "A", "start": "7", "cut_off": "08:00"}]);
        assert_eq!(check("rounds", round), "rounds[0].start");
    }
}
