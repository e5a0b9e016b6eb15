//! `demo`: a practice home in a fresh folder, with one day on two devices.
//!
//! Its history is made by passing past times to the record: nothing is written past the rules.

mod apart;
mod days;
mod medicines;
mod paper;
mod people;
mod play;

use super::folders::{folders, fresh_practice_folder};
use super::page::{count, day};
use super::{Fault, Output};
use crate::{Clock, Device, NewHome};
use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};
use mar::command::{Ask, AskHome};
use mar::fact::Actor;
use mar::ids::StaffId;
use mar::settings::Settings;
use mar::staff::{Employment, Staff};
use mar::time::{Timestamp, at_civil};
use people::{STAFF, Worker};
use play::Play;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What practice home to make.
#[derive(Debug, Clone)]
pub struct DemoRequest {
    /// The folder; `None` is a fresh one beside the usual data folder.
    pub folder: Option<PathBuf>,
    /// Days of history.
    pub days: u16,
}

/// What the story came to, for those who read JSON.
struct Told {
    folder: PathBuf,
    home: String,
    recovery_key: String,
    days: days::Tally,
    day: apart::Day,
    papers: Vec<String>,
    staff: Vec<(StaffId, Worker)>,
}

/// Makes the practice home. Returns the exit code.
pub fn run(request: &DemoRequest, clock: &Clock, out: &mut Output<'_>) -> u8 {
    let begun = clock.running();
    match make(request, clock, out) {
        Ok(told) => {
            let seconds = clock.running().saturating_sub(begun).as_secs();
            finish(&told, seconds, out);
            0
        }
        Err(fault) => super::session::tell(&fault, out),
    }
}

fn make(request: &DemoRequest, clock: &Clock, out: &mut Output<'_>) -> Result<Told, Fault> {
    let now = clock.checked()?;
    let folder = empty_folder(request.folder.as_deref())?;
    let zone = Settings::new("-", NaiveDate::default()).zone;
    let played = now.civil(zone).date() - Days::new(1);
    let first = played - Days::new(u64::from(request.days));
    let begin = at_civil(zone, first - Days::new(1), at(10, 0));
    let story = Clock::fixed(begin);

    say(out, "A practice home is being made. Nothing of it is ever taken for a real home.");
    let office = folders(Some(&folder.join("office")))?;
    let (device, founded) = Device::found(&office, new_home(), story.clone())?;
    let mut play = Play::new(device, story, zone, founded.staff);
    let staff = hire(&mut play, founded.staff)?;
    play.staff = staff.iter().map(|(id, _)| *id).collect();
    say(
        out,
        format!(
            "  {} with their PINs.",
            count(staff.len(), "member of staff").replace("member of staffs", "members of staff")
        ),
    );
    set_rounds(&mut play, begin)?;
    medicines::admit(&mut play, first, out)?;

    let mut tally = days::Tally::default();
    for number in 0..request.days {
        let date = first + Days::new(u64::from(number));
        let before = tally.doses;
        days::whole_day(&mut play, date, &mut tally)?;
        say(
            out,
            format!("  {}: {} given or told.", day(date), count(tally.doses - before, "dose")),
        );
    }
    let trolley = folders(Some(&folder.join("trolley")))?;
    let (mut day_told, pair) = apart::day(&mut play, &trolley, played, out)?;
    days::until(&mut play, played + Days::new(1), now, &mut tally)?;
    play.clock.set(now);
    apart::end(pair, &mut day_told, out)?;
    let papers = paper::print(&play.device, &folder, out)?;
    play.device.clone().close();
    Ok(Told {
        folder,
        home: founded.home.to_string(),
        recovery_key: store::secrets::expose(&founded.recovery_key).to_owned(),
        days: tally,
        day: day_told,
        papers,
        staff,
    })
}

/// A civil time of day.
fn at(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN)
}

fn say(out: &mut Output<'_>, words: impl Into<String>) {
    if out.is_json() {
        out.progress(words);
    } else {
        out.line(words);
    }
}

/// A practice home never goes where anything is already.
fn empty_folder(named: Option<&Path>) -> Result<PathBuf, Fault> {
    let Some(folder) = named else { return fresh_practice_folder() };
    let empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(fault) => fault.kind() == std::io::ErrorKind::NotFound,
    };
    if empty {
        return Ok(folder.to_owned());
    }
    Err(Fault::Wrong(format!(
        "{} is not an empty folder: name a new one with --data, and nothing in it is touched",
        folder.display()
    )))
}

fn new_home() -> NewHome {
    let manager = &STAFF[0];
    NewHome {
        name: "Rowan Tree House".to_owned(),
        device: "Office".to_owned(),
        practice: true,
        manager: manager.name.to_owned(),
        initials: manager.initials.to_owned(),
        pin: manager.pin.to_owned(),
    }
}

/// Adds everybody but the manager, who set the home up.
fn hire(play: &mut Play, manager: StaffId) -> Result<Vec<(StaffId, Worker)>, Fault> {
    let mut hired = vec![(manager, STAFF[0])];
    for worker in &STAFF[1..] {
        let id = StaffId(play.device.fresh());
        let details = Staff {
            name: worker.name.to_owned(),
            initials: worker.initials.to_owned(),
            role: worker.role,
            may_witness: worker.may_witness,
            standing: Employment::Active,
        };
        let pin = play.device.pin_ask(id, worker.pin)?;
        play.ask_all(
            Actor::Staff(manager),
            vec![Ask::Home(AskHome::WriteStaff { staff: id, details }), Ask::Home(pin)],
        )?;
        hired.push((id, *worker));
    }
    Ok(hired)
}

/// The cycle began on the Monday before, so that the charts show the history.
fn set_rounds(play: &mut Play, begin: Timestamp) -> Result<(), Fault> {
    let today = begin.civil(play.zone).date();
    let held = play.device.picture().home.settings_on(today).cloned();
    let mut settings = held.unwrap_or_else(|| Settings::new("Rowan Tree House", today));
    let back = today.weekday().days_since(Weekday::Mon);
    settings.cycle_start = today - Days::new(u64::from(back));
    settings.address = "1 Rowan Lane, Practice Town, 01632 960 000".to_owned();
    let manager = Actor::Staff(play.staff[0]);
    play.ask_all(manager, vec![Ask::Home(AskHome::SetSettings(settings))])?;
    Ok(())
}

fn finish(told: &Told, seconds: u64, out: &mut Output<'_>) {
    if out.is_json() {
        out.document(&to_json(told, seconds));
        return;
    }
    let office = told.folder.join("office");
    let office = office.display();
    out.line("");
    out.line(format!("Done in {seconds} s. Where everything is:"));
    out.line(format!("  the office's record    {office}"));
    out.line(format!("  the trolley's record   {}", told.folder.join("trolley").display()));
    out.line(format!("  the paper              {}", told.folder.join("paper").display()));
    out.line("");
    out.line("Staff of the practice home, each with the PIN:");
    for (_, worker) in &told.staff {
        out.line(format!(
            "  {:<3} {}  {} ({})",
            worker.initials, worker.pin, worker.name, worker.role
        ));
    }
    out.line("");
    out.line(format!("The practice home's recovery key: {}", told.recovery_key));
    out.line("");
    out.line("Look around:");
    for command in
        ["status", "resident list", "round", "alerts", "conflicts", "due", "order list", "verify"]
    {
        out.line(format!("  medroundctl --data {office} {command}"));
    }
    out.line("Record a dose: take its slot from `round`, and the PIN of NB from above:");
    out.line(format!("  medroundctl --data {office} record SLOT --outcome given --as NB"));
    out.line("Both devices together, each in a terminal of its own; until then the trolley lacks what the office wrote last:");
    out.line(format!("  medroundctl --data {office} serve"));
    out.line(format!("  medroundctl --data {} serve", told.folder.join("trolley").display()));
}

fn to_json(told: &Told, seconds: u64) -> Value {
    let staff: Vec<Value> = told
        .staff
        .iter()
        .map(|(id, w)| {
            json!({
                "id": id.to_string(), "name": w.name, "initials": w.initials,
                "role": w.role.word(), "pin": w.pin,
            })
        })
        .collect();
    let day = &told.day;
    json!({
        "home": told.home,
        "practice": true,
        "folder": told.folder.display().to_string(),
        "devices": [
            { "name": "Office", "data": told.folder.join("office").display().to_string() },
            { "name": "Trolley", "data": told.folder.join("trolley").display().to_string() },
        ],
        "recovery_key": told.recovery_key,
        "staff": staff,
        "residents": people::RESIDENTS.len(),
        "doses": told.days.doses + day.doses,
        "refused": told.days.refused + day.refused,
        "cut": { "noticed_ms": day.noticed_ms, "healed_ms": day.healed_ms },
        "conflicts": day.conflicts,
        "heads_hash": day.heads_hash,
        "state_hash": day.state_hash,
        "same_entries": day.same_entries,
        "same_home": day.same_home,
        "papers": told.papers,
        "seconds": seconds,
    })
}
