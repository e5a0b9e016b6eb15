//! Days of rounds: who was given what, and what else became of it.

use super::at;
use super::play::Play;
use crate::command::Fault;
use chrono::NaiveDate;
use mar::command::{AskDose, Told};
use mar::due::{Due, DueState, due};
use mar::fact::{PrnNote, Reading};
use mar::ids::{OrderId, ResidentId, VersionId};
use mar::order::{Content, Dose};
use mar::outcome::{Effect, Outcome};
use mar::quantity::Amount;
use mar::schedule::{Schedule, SlotId, SlotKey};
use mar::time::{Minutes, Timestamp, at_civil, day_span};

/// What was played so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) doses: usize,
    pub(super) refused: usize,
}

/// One dose that is to be told of, with the minute at which it is.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) resident: ResidentId,
    /// The resident's place in the list.
    pub(super) number: usize,
    slot: SlotId,
    version: VersionId,
    order: OrderId,
}

/// Plays a whole day.
pub(super) fn whole_day(play: &mut Play, date: NaiveDate, tally: &mut Tally) -> Result<(), Fault> {
    let (from, to) = day_span(play.zone, date);
    for event in events(play, from, to) {
        tell(play, &event, None, tally)?;
    }
    when_required(play, date, tally)
}

/// Plays what was due from the start of `date` until shortly before `now`.
pub(super) fn until(
    play: &mut Play,
    date: NaiveDate,
    now: Timestamp,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let (from, _) = day_span(play.zone, date);
    let to = now.minus(Minutes(30));
    for event in events(play, from, to).into_iter().filter(|e| e.at <= now) {
        tell(play, &event, None, tally)?;
    }
    Ok(())
}

/// The due doses of a span, in the order in which a trolley comes to them.
pub(super) fn events(play: &Play, from: Timestamp, to: Timestamp) -> Vec<Event> {
    let picture = play.device.picture();
    let mut found = Vec::new();
    for (number, id) in play.residents.iter().enumerate() {
        let Some(resident) = picture.resident(*id) else { continue };
        for due in due(&picture.home, resident, (from, to), from) {
            if matches!(due.state, DueState::Recorded) || due.suspended.is_some() {
                continue;
            }
            found.push(event(&due, *id, number));
        }
    }
    found.sort_by_key(|e| (e.at, e.number));
    found
}

/// A round takes three minutes a resident; a clock time is met to the minute, or nearly.
fn event(due: &Due<'_>, resident: ResidentId, number: usize) -> Event {
    let minutes = u32::try_from(number).unwrap_or(0);
    let late = match due.slot.id.key {
        SlotKey::Round(_) => Minutes(5 + 3 * minutes),
        SlotKey::Time(_) | SlotKey::Interval(_) => Minutes(minutes % 7),
    };
    Event {
        at: due.slot.due.plus(late),
        resident,
        number,
        slot: due.slot.id.clone(),
        version: due.version.id,
        order: due.version.order,
    }
}

/// Tells what became of one dose. `checked` answers for the devices that are not heard.
pub(super) fn tell(
    play: &Play,
    event: &Event,
    checked: Option<&str>,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let picture = play.device.picture();
    let history = picture.resident(event.resident).and_then(|r| r.orders.get(&event.order));
    let Some(view) = history.and_then(|h| h.version(event.version)) else { return Ok(()) };
    let content = &view.version.content;
    let mut told = story(event, content);
    told.checked = checked.map(str::to_owned);
    let giver = play.on_duty(event.at);
    let controlled = content.medicine.cd.witnessed_by_default();
    let witness = if controlled { play.witness(giver) } else { None };
    play.clock.set(event.at);
    let ask = |told: Told| AskDose::Record { slot: event.slot.clone(), told };
    let asleep = told.outcome == Outcome::Asleep;
    let saved = play.dose(giver, witness, event.resident, ask(told));
    match saved {
        Ok(_) => tally.doses += 1,
        // Such as a gap that a late dose left: the next round has it.
        Err(Fault::Refused(_)) => {
            tally.refused += 1;
            return Ok(());
        }
        Err(fault) => return Err(fault),
    }
    if asleep {
        // Offered again before the round closes.
        play.clock.set(event.at.plus(Minutes(25)));
        let again = Told { checked: checked.map(str::to_owned), ..given(content) };
        match play.dose(giver, witness, event.resident, ask(again)) {
            Ok(_) | Err(Fault::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
        play.clock.set(event.at);
    }
    Ok(())
}

fn given(content: &Content) -> Told {
    let least = match &content.dose {
        Dose::Range { .. } => Some(content.dose.least()),
        Dose::Fixed(_) => None,
    };
    Told { amount: least, ..Told::of(Outcome::Given) }
}

/// A number that is the same for the same dose every time the story is told.
fn chance(event: &Event) -> usize {
    use chrono::Datelike;
    let day = usize::try_from(event.slot.date.ordinal()).unwrap_or(0);
    let key = event.slot.key.to_string().bytes().map(usize::from).sum::<usize>();
    (day * 31 + event.number * 17 + key * 7) % 29
}

/// What became of a dose: mostly it was given.
fn story(event: &Event, content: &Content) -> Told {
    let mut told = given(content);
    if let Schedule::EveryHours { .. } = content.schedule {
        told.site = Some(u8::try_from(event.number % 4).unwrap_or(0) + 1);
        return told;
    }
    if content.flags.time_critical || content.medicine.cd.is_controlled() {
        return told;
    }
    if content.medicine.name.starts_with("Digoxin") {
        told.readings = vec![Reading { name: "pulse".to_owned(), value: "72".to_owned() }];
    }
    match chance(event) {
        3 => refused("feels sick, offered again and declined"),
        9 => Told::of(Outcome::Asleep),
        17 if content.flags.topical => Told::of(Outcome::SelfAdministered),
        23 => refused("“not today, thank you”"),
        27 => out_of_stock(),
        13 => part(content).unwrap_or(told),
        _ => told,
    }
}

fn refused(reason: &str) -> Told {
    Told { reason: reason.to_owned(), ..Told::of(Outcome::Refused) }
}

fn out_of_stock() -> Told {
    let reason = "none left; the pharmacy brings it this afternoon".to_owned();
    Told { reason, ..Told::of(Outcome::OutOfStock) }
}

fn part(content: &Content) -> Option<Told> {
    let half: Amount = match &content.dose {
        Dose::Fixed(amount) => {
            let value = "0.5".parse().ok().and_then(|half| amount.value.times(half))?;
            Amount { value, unit: amount.unit.clone() }
        }
        Dose::Range { .. } => return None,
    };
    let reason = "spat the rest out".to_owned();
    Some(Told { amount: Some(half), reason, ..Told::of(Outcome::PartGiven) })
}

/// A few when-required doses a day, with their effect an hour later.
fn when_required(play: &Play, date: NaiveDate, tally: &mut Tally) -> Result<(), Fault> {
    use chrono::Datelike;
    let odd = date.ordinal() % 2 == 1;
    let (number, hour) = if odd { (3, 14) } else { (6, 15) };
    let at = at_civil(play.zone, date, at(hour, 20));
    give_prn(play, number, at, None, tally).map(|_| ())
}

/// Gives the when-required medicine of a resident; `None` where the record refuses it.
pub(super) fn give_prn(
    play: &Play,
    number: usize,
    at: Timestamp,
    checked: Option<&str>,
    tally: &mut Tally,
) -> Result<Option<String>, Fault> {
    let Some(resident) = play.residents.get(number).copied() else { return Ok(None) };
    let picture = play.device.picture();
    let found = picture.resident(resident).and_then(|r| {
        let prn = r.orders.values().find(|h| {
            h.version_at(at).is_some_and(|v| v.content.prn().is_some() && !v.content.flags.rescue)
        })?;
        prn.version_at(at).map(|v| (prn.id, v.content.clone()))
    });
    let Some((order, content)) = found else { return Ok(None) };
    play.clock.set(at);
    let giver = play.on_duty(at);
    let told = Told {
        amount: Some(content.dose.most()),
        checked: checked.map(str::to_owned),
        ..Told::of(Outcome::Given)
    };
    let note = PrnNote {
        reason: content.indication.clone().unwrap_or_else(|| "asked for it".to_owned()),
        score: Some(6),
        asked: true,
        tried_first: "a change of position".to_owned(),
    };
    let saved = match play.dose(giver, None, resident, AskDose::Prn { order, told, note }) {
        Ok(saved) => saved,
        Err(Fault::Refused(refusal)) => {
            tally.refused += 1;
            return Ok(Some(refusal.words(play.zone)));
        }
        Err(fault) => return Err(fault),
    };
    tally.doses += 1;
    let administration = saved.entries.iter().find_map(|entry| match &entry.fact {
        mar::fact::Fact::Dose(mar::fact::DoseFact::Recorded(o)) => Some(o.administration),
        mar::fact::Fact::Dose(_)
        | mar::fact::Fact::Membership(_)
        | mar::fact::Fact::Home(_)
        | mar::fact::Fact::Resident(_)
        | mar::fact::Fact::Order(_)
        | mar::fact::Fact::FollowUp(_)
        | mar::fact::Fact::Access(_)
        | mar::fact::Fact::Unknown => None,
    });
    if let Some(administration) = administration.filter(|_| checked.is_none()) {
        play.clock.set(at.plus(Minutes(60)));
        let effect = AskDose::NoteEffect {
            administration,
            effect: Effect::Good,
            note: "walks to the lounge".to_owned(),
        };
        play.dose(giver, None, resident, effect)?;
        play.clock.set(at);
    }
    Ok(None)
}
