//! `home show` and `home set`: the home's settings.

use super::json::{Place, SettingsShape, over, read_value, settings_to_json, without};
use super::page::{Table, day};
use super::session::Session;
use super::{Fault, Given, Output};
use mar::command::{Ask, AskHome};
use mar::settings::Settings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is asked of the home's settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum HomeAsk {
    /// Show them.
    Show,
    /// Change some of them.
    Set(Set),
}

/// What to change; what is not named stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Set {
    /// From which date on; `None` is today.
    pub starting: Option<String>,
    /// Fields in the shape of `home show --json`.
    pub from: Option<Given>,
    /// The home's name.
    pub name: Option<String>,
    /// Address and telephone.
    pub address: Option<String>,
    /// Rounds as `ID=START-CUTOFF`, such as `morning=07:00-10:30`.
    pub rounds: Vec<String>,
    /// Letters as `OUTCOME=LETTERS`, such as `refused=A`.
    pub letters: Vec<String>,
    /// Whether a lone worker may give a controlled drug alone: `yes` or `no`.
    pub lone_worker: Option<String>,
}

/// Shows or changes the settings.
///
/// # Errors
/// Why nothing was written.
pub fn run(session: &mut Session<'_>, ask: &HomeAsk, out: &mut Output<'_>) -> Result<(), Fault> {
    if let HomeAsk::Set(set) = ask {
        let settings = changed(session, set)?;
        session.submit(Ask::Home(AskHome::SetSettings(settings)))?;
    }
    show(session, out);
    Ok(())
}

fn changed(session: &Session<'_>, set: &Set) -> Result<Settings, Fault> {
    let place = Place { zone: session.zone(), today: session.today() };
    let starting = match &set.starting {
        Some(text) => super::session::date(text)?,
        None => place.today,
    };
    let held = session.picture.home.settings_on(starting).cloned();
    let base = settings_to_json(&held.unwrap_or_else(|| session.settings()));
    let mut new = match &set.from {
        Some(given) => over(base, &without(super::json::object(given)?, &["home", "practice"])),
        None => base,
    };
    new["from"] = json!(starting.to_string());
    for (field, text) in [("name", &set.name), ("address", &set.address)] {
        if let Some(text) = text {
            new[field] = json!(text);
        }
    }
    for round in &set.rounds {
        set_round(&mut new, round)?;
    }
    for letter in &set.letters {
        let (outcome, letters) = letter.split_once('=').ok_or_else(|| {
            Fault::Wrong(format!("`{letter}`: write OUTCOME=LETTERS, such as refused=A"))
        })?;
        new["letters"][outcome] = json!(letters);
    }
    match set.lone_worker.as_deref() {
        None => {}
        Some("yes") => new["lone_worker"] = json!(true),
        Some("no") => new["lone_worker"] = json!(false),
        Some(other) => {
            return Err(Fault::Wrong(format!("--lone-worker is yes or no, not `{other}`")));
        }
    }
    let name = set.from.as_ref().map_or("home set", |given| given.name.as_str());
    let shape: SettingsShape = read_value(name, new)?;
    shape.settings(place).map_err(|misfit| Fault::unreadable(name, misfit))
}

fn set_round(settings: &mut Value, text: &str) -> Result<(), Fault> {
    let wrong =
        || Fault::Wrong(format!("`{text}`: write ID=START-CUTOFF, such as morning=07:00-10:30"));
    let (id, times) = text.split_once('=').ok_or_else(wrong)?;
    let (start, cut_off) = times.split_once('-').ok_or_else(wrong)?;
    let Some(rounds) = settings["rounds"].as_array_mut() else { return Err(wrong()) };
    match rounds.iter_mut().find(|round| round["id"] == id) {
        Some(round) => {
            round["start"] = json!(start);
            round["cut_off"] = json!(cut_off);
        }
        None => {
            let mut name = id.to_owned();
            if let Some(first) = name.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            rounds.push(json!({ "id": id, "name": name, "start": start, "cut_off": cut_off }));
        }
    }
    Ok(())
}

fn show(session: &Session<'_>, out: &mut Output<'_>) {
    let settings = session.settings();
    let home = &session.picture.home;
    if out.is_json() {
        let mut shape = settings_to_json(&settings);
        shape["home"] = json!(home.founding().map(|f| f.home.to_string()));
        shape["practice"] = json!(home.is_practice());
        out.document(&shape);
        return;
    }
    let practice = if home.is_practice() { " (PRACTICE)" } else { "" };
    out.line(format!("{}{practice}", settings.name));
    if !settings.address.is_empty() {
        out.line(settings.address.clone());
    }
    out.line(format!("Settings since {}, times of {}.", day(settings.from), settings.zone.name()));
    out.line(format!("A 28-day cycle began on {}.", day(settings.cycle_start)));
    let mut rounds = Table::new(&["Round", "Starts", "Until", "Id"]);
    for round in &settings.rounds {
        rounds.row([
            round.name.clone(),
            round.start.to_string(),
            round.cut_off.to_string(),
            round.id.clone(),
        ]);
    }
    let mut letters = Table::new(&["Letters", "Outcome"]);
    for outcome in mar::outcome::OUTCOMES.iter().filter(|o| !o.letter().is_empty()) {
        letters.row([settings.letter(*outcome).to_owned(), outcome.label().to_owned()]);
    }
    for line in rounds.lines().into_iter().chain([String::new()]).chain(letters.lines()) {
        out.line(line);
    }
    out.line(if settings.lone_worker {
        "A lone worker may give a controlled drug alone; the manager sees it next morning."
    } else {
        "A controlled drug is never given without a witness."
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_moved_or_added() {
        let settings = Settings::new("Willow House", "2026-11-21".parse().unwrap());
        let mut json = settings_to_json(&settings);
        set_round(&mut json, "morning=07:00-10:00").unwrap();
        set_round(&mut json, "supper=19:00-20:00").unwrap();
        let rounds = json["rounds"].as_array().unwrap();
        assert_eq!(rounds[0]["start"], "07:00");
        assert_eq!(rounds[4]["name"], "Supper");
        for wrong in ["morning", "morning=07:00", ""] {
            assert!(set_round(&mut json, wrong).is_err(), "{wrong}");
        }
    }
}
