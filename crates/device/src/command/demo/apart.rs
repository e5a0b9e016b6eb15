//! One day on two devices: paired by code, together in the morning, cut apart at midday, together
//! again in the evening. The connections are real ones, on this computer's loopback.

use super::days::{Tally, events, give_prn, tell};
use super::play::Play;
use super::{at, say};
use crate::command::page::{clock, count, day as date_words};
use crate::command::status::hex;
use crate::command::{Fault, Output};
use crate::{
    Device, Folders, InviteNews, JoinOptions, Network, NetworkEvent, NetworkOptions, Saved, Status,
    join,
};
use chrono::NaiveDate;
use mar::alerts::{Alert, alerts};
use mar::fact::{Actor, DeviceRole};
use mar::time::{Timestamp, at_civil};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// What the day came to.
pub(super) struct Day {
    pub(super) doses: usize,
    pub(super) refused: usize,
    pub(super) noticed_ms: u128,
    pub(super) healed_ms: u128,
    pub(super) conflicts: Vec<String>,
    pub(super) heads_hash: String,
    pub(super) state_hash: String,
    pub(super) same_entries: bool,
    pub(super) same_home: bool,
}

/// The longest that anything on loopback may take here.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two devices on the network.
pub(super) struct Pair {
    office: Play,
    trolley: Play,
    networks: [Network; 2],
    _events: [Receiver<NetworkEvent>; 2],
}

/// Plays the day. The office's device is that of `play`. Both devices are still up after it.
pub(super) fn day(
    play: &mut Play,
    folders: &Folders,
    date: NaiveDate,
    out: &mut Output<'_>,
) -> Result<(Day, Pair), Fault> {
    play.clock.set(at_civil(play.zone, date, at(6, 30)));
    say(out, format!("  {}: one day on two devices.", date_words(date)));
    let pair = pair(play, folders, out)?;
    let mut tally = Tally::default();
    together(&pair, date, &mut tally, out)?;
    let noticed = cut(&pair, date, &mut tally, out)?;
    let healed = heal(&pair, out)?;
    let conflicts = breaches(&pair, out);
    evening(&pair, date, &mut tally)?;
    let told = Day {
        doses: tally.doses,
        refused: tally.refused,
        noticed_ms: noticed.as_millis(),
        healed_ms: healed.as_millis(),
        conflicts,
        heads_hash: String::new(),
        state_hash: String::new(),
        same_entries: false,
        same_home: false,
    };
    Ok((told, pair))
}

/// Compares the two devices, and ends both: each says of itself that it ended cleanly.
pub(super) fn end(pair: Pair, told: &mut Day, out: &mut Output<'_>) -> Result<(), Fault> {
    in_step(&pair)?;
    let (office, trolley) = (status(&pair.office)?, status(&pair.trolley)?);
    told.heads_hash = hex(&office.heads_hash);
    told.state_hash = hex(&office.state_hash);
    told.same_entries = office.heads_hash == trolley.heads_hash;
    told.same_home = office.state_hash == trolley.state_hash;
    if !told.same_entries || !told.same_home {
        return Err(Fault::Unexpected("the two devices do not show the same home".to_owned()));
    }
    say(
        out,
        format!("  Both devices hold the same {} entries and show the same home.", office.entries),
    );
    say(out, format!("    Same entries {}", told.heads_hash));
    say(out, format!("    Same home    {}", told.state_hash));
    let [first, second] = pair.networks;
    second.stop();
    pair.trolley.device.close();
    first.stop();
    Ok(())
}

fn status(play: &Play) -> Result<Status, Fault> {
    Ok(play.device.status()?)
}

fn options() -> NetworkOptions {
    NetworkOptions {
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        discovery: false,
        loopback: true,
    }
}

fn pair(play: &Play, folders: &Folders, out: &mut Output<'_>) -> Result<Pair, Fault> {
    let (sender, office_events) = channel();
    let office = Network::start(&play.device, options(), sender)?;
    let Actor::Staff(manager) = play.staff.first().map_or(Actor::Device, |id| Actor::Staff(*id))
    else {
        return Err(Fault::Unexpected("the practice home has no manager".to_owned()));
    };
    let mut invite = office.invite(DeviceRole::Member, manager)?;
    say(out, format!("    The office shows the code {}; the trolley joins with it.", invite.code));
    let address = invite.addresses.first().copied();
    let options_join = JoinOptions {
        address,
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        discovery: false,
        loopback: true,
    };
    let (code, folder, story) = (invite.code.clone(), folders.clone(), play.clock.clone());
    let joining = std::thread::spawn(move || join(&folder, &code, "Trolley", &options_join, story));
    let joined = loop {
        match invite.next() {
            InviteNews::Joined(device) => break device,
            InviteNews::WrongCode { .. } => {}
            InviteNews::Over(fault) => return Err(fault.into()),
        }
    };
    let ended = joining.join().map_err(|_| Fault::Unexpected("joining ended badly".to_owned()))?;
    ended?;
    let device = Device::open(folders, play.clock.clone())?;
    let (sender, trolley_events) = channel();
    let trolley = Network::start(&device, options(), sender)?;
    office.dial(joined, trolley.addresses());
    trolley.dial(play.device.id(), office.addresses());
    let pair = Pair {
        office: play.on(play.device.clone()),
        trolley: play.on(device),
        networks: [office, trolley],
        _events: [office_events, trolley_events],
    };
    in_step(&pair)?;
    Ok(pair)
}

/// Waits until both hold the same entries and hear each other; says how long the first took.
fn in_step(pair: &Pair) -> Result<Duration, Fault> {
    let took = wait("the two devices did not come into step", || {
        Ok(status(&pair.office)?.heads_hash == status(&pair.trolley)?.heads_hash)
    })?;
    wait("the devices do not hear each other", || {
        let level = |play: &Play| play.device.peers().iter().any(|p| p.behind == Some(0));
        let heard = |play: &Play| play.device.complete_to().1.is_empty() && level(play);
        Ok(heard(&pair.office) && heard(&pair.trolley))
    })?;
    Ok(took)
}

fn wait(what: &str, mut done: impl FnMut() -> Result<bool, Fault>) -> Result<Duration, Fault> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if done()? {
            return Ok(begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(Fault::Peer(format!("{what} within {} s", PATIENCE.as_secs())))
}

/// The morning and lunch, half on each device.
fn together(
    pair: &Pair,
    date: NaiveDate,
    tally: &mut Tally,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let zone = pair.office.zone;
    let (from, to) = (at_civil(zone, date, at(0, 0)), at_civil(zone, date, at(11, 30)));
    let morning = events(&pair.office, from, to);
    for event in &morning {
        let device = if event.number < 6 { &pair.office } else { &pair.trolley };
        tell(device, event, None, tally)?;
    }
    let last = last_saved(pair, date)?;
    say(
        out,
        format!(
            "    Morning: {}, Willow from the office's device, Rowan from the trolley. The last is saved on {}.",
            count(morning.len(), "dose"),
            count(last, "device")
        ),
    );
    in_step(pair).map(|_| ())
}

/// A follow-up before lunch, and on how many devices it is safe.
fn last_saved(pair: &Pair, date: NaiveDate) -> Result<usize, Fault> {
    use mar::command::{Ask, AskResident};
    let play = &pair.trolley;
    play.clock.set(at_civil(play.zone, date, at(11, 40)));
    let Some(resident) = play.residents.get(7).copied() else { return Ok(0) };
    let ask = AskResident::OpenFollowUp {
        what: "ask the GP about the morning drowsiness".to_owned(),
        order: None,
        owner: None,
    };
    let saved: Vec<Saved> = play.ask_all(play.nurse(), vec![Ask::Resident(resident, ask)])?;
    let entry = saved.first().and_then(|s| s.entries.first()).map(|e| e.id);
    Ok(entry.map_or(0, |id| play.device.wait_saved_on(id, 2, Duration::from_secs(5))))
}

/// The cable is pulled: both go on, and each gives a when-required dose of the same medicine.
fn cut(
    pair: &Pair,
    date: NaiveDate,
    tally: &mut Tally,
    out: &mut Output<'_>,
) -> Result<Duration, Fault> {
    let zone = pair.office.zone;
    for network in &pair.networks {
        network.cut();
    }
    let noticed = wait("the cut was not noticed", || {
        let gap = |play: &Play| !play.device.complete_to().1.is_empty();
        Ok(gap(&pair.office) && gap(&pair.trolley))
    })?;
    say(
        out,
        format!("    The cable is pulled. Both devices say so after {} ms.", noticed.as_millis()),
    );
    let asked = "rang the other unit: nothing given there";
    let (from, to) = (at_civil(zone, date, at(11, 45)), at_civil(zone, date, at(14, 0)));
    for event in events(&pair.office, from, to) {
        let device = if event.number < 6 { &pair.office } else { &pair.trolley };
        tell(device, &event, Some(asked), tally)?;
    }
    let (first, second) = (at_civil(zone, date, at(13, 5)), at_civil(zone, date, at(14, 10)));
    if let Some(refused) = give_prn(&pair.office, 0, first, None, tally)? {
        say(out, format!("    A when-required dose without asking is refused: {refused}."));
    }
    let own = "my own statement: nobody else on shift could be reached";
    for (play, at, whose) in [(&pair.office, first, "office"), (&pair.trolley, second, "trolley")] {
        match give_prn(play, 0, at, Some(own), tally)? {
            None => say(
                out,
                format!(
                    "    {} on the {whose}'s device: paracetamol given, with a statement.",
                    clock(at, zone)
                ),
            ),
            Some(refused) => {
                say(out, format!("    On the {whose}'s device it is refused: {refused}."))
            }
        }
    }
    Ok(noticed)
}

fn heal(pair: &Pair, out: &mut Output<'_>) -> Result<Duration, Fault> {
    for network in &pair.networks {
        network.heal();
    }
    let healed = in_step(pair)?;
    say(out, format!("    The cable is back. Both hold the same after {} ms.", healed.as_millis()));
    Ok(healed)
}

/// What the merged record shows: two doses inside their interval, on both devices.
fn breaches(pair: &Pair, out: &mut Output<'_>) -> Vec<String> {
    let now: Timestamp = pair.office.device.now();
    let found = |play: &Play| -> Vec<Alert> {
        let all = alerts(&play.device.picture(), now);
        all.into_iter().filter(|a| a.cause.is_conflict()).collect()
    };
    let (office, trolley) = (found(&pair.office), found(&pair.trolley));
    for alert in &office {
        let also = if trolley.contains(alert) { "on both devices" } else { "on one device only" };
        let name = alert.resident.and_then(|id| {
            let picture = pair.office.device.picture();
            picture.resident(id).and_then(|r| r.identity().map(|i| i.list_name()))
        });
        let what = match alert.cause.word() {
            "interval-breach" => "two doses were given too close together",
            "total-breach" => "more than the most in 24 hours was given",
            other => other,
        };
        say(out, format!("    RED, {also}: {}: {what}.", name.unwrap_or_default()));
    }
    office.iter().map(|a| a.cause.word().to_owned()).collect()
}

fn evening(pair: &Pair, date: NaiveDate, tally: &mut Tally) -> Result<(), Fault> {
    let zone = pair.office.zone;
    let (_, end) = mar::time::day_span(zone, date);
    let from = at_civil(zone, date, at(14, 30));
    for event in events(&pair.trolley, from, end) {
        let device = if event.number % 2 == 0 { &pair.office } else { &pair.trolley };
        tell(device, &event, None, tally)?;
        // What one device has just given the other has to know before its next dose.
        if event.number == 11 {
            in_step(pair)?;
        }
    }
    Ok(())
}
