//! Due doses gathered by round, room and resident: what one trolley goes through.

use crate::due::{self, Due, DueState};
use crate::first::{self, FirstDose};
use crate::ids::ResidentId;
use crate::picture::{HomePicture, Picture, ResidentPicture};
use crate::rules;
use crate::schedule::{SlotKey, SlotKind};
use crate::settings::{Round, Settings};
use crate::time::{DAY, Timestamp, at_civil};
use crate::waiting::{Waiting, waiting};
use chrono::NaiveDate;
use std::sync::Arc;

/// One round of one day, and the clock times that go with it: from the cut-off of the round before
/// to its own. So every due dose belongs to exactly one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundSpan {
    /// The round, as the home's settings of that day have it.
    pub round: Round,
    /// The civil date of its start.
    pub date: NaiveDate,
    /// The cut-off of the round before.
    pub from: Timestamp,
    /// Its own cut-off.
    pub to: Timestamp,
}

/// One resident's part of a round.
#[derive(Debug, Clone)]
pub struct RoundStop<'p> {
    /// The resident.
    pub resident: &'p Arc<ResidentPicture>,
    /// The doses, time-critical ones first, then by due time.
    pub doses: Vec<Due<'p>>,
    /// The orders that wait for a person: whoever has nothing else is part of the round all the
    /// same, so that nobody reads "takes nothing".
    pub waiting: Vec<Waiting<'p>>,
    /// Whether something written for the resident cannot be read here: then a dose may be missing,
    /// and whoever has nothing else is part of the round all the same (Y-11).
    pub needs_update: bool,
}

/// Returns the round that is on at `at`, or else the next one; `None` when the home has no rounds.
#[must_use]
pub fn round_at(home: &HomePicture, at: Timestamp) -> Option<RoundSpan> {
    let zone = home.settings_on(at.utc().date_naive())?.zone;
    let today = at.civil(zone).date();
    let later = [Some(today), today.succ_opt()].into_iter().flatten();
    later.flat_map(|date| spans(home, date)).find(|span| at < span.to)
}

/// Returns a round of a civil date by its id; `None` when the home has no such round on that day.
#[must_use]
pub fn round_on(home: &HomePicture, date: NaiveDate, id: &str) -> Option<RoundSpan> {
    spans(home, date).into_iter().find(|span| span.round.id == id)
}

/// The rounds of a day, by cut-off.
fn spans(home: &HomePicture, date: NaiveDate) -> Vec<RoundSpan> {
    let ends = |date: NaiveDate| -> Vec<(Timestamp, Round)> {
        let Some(settings) = home.settings_on(date) else { return Vec::new() };
        let mut ends: Vec<(Timestamp, Round)> = settings
            .rounds
            .iter()
            .map(|r| (at_civil(settings.zone, date, r.cut_off.naive()), r.clone()))
            .collect();
        ends.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        ends
    };
    let before = date.pred_opt().map(ends).and_then(|all| all.last().map(|(at, _)| *at));
    let mut from = before;
    let mut found = Vec::new();
    for (to, round) in ends(date) {
        found.push(RoundSpan { round, date, from: from.unwrap_or(to.minus(DAY)), to });
        from = Some(to);
    }
    found
}

/// Returns who has doses in a round, orders that wait, what cannot be read here, or two words on
/// where they are (Y-02), in giving order: by unit, room and name. `unit` narrows it to one unit.
/// Doses of the rounds before that may still be given are part of it.
#[must_use]
pub fn stops<'p>(
    picture: &'p Picture,
    span: &RoundSpan,
    unit: Option<&str>,
    now: Timestamp,
) -> Vec<RoundStop<'p>> {
    let here = |r: &&Arc<ResidentPicture>| r.is_here(now) && r.identity().is_some();
    let of_unit = |r: &&Arc<ResidentPicture>| {
        let own = r.identity().map_or("", |i| i.unit.as_str());
        unit.is_none_or(|unit| own.trim().eq_ignore_ascii_case(unit.trim()))
    };
    let residents = picture.residents.values().filter(here).filter(of_unit);
    let mut found: Vec<RoundStop<'p>> = residents
        .map(|resident| RoundStop {
            resident,
            doses: doses(&picture.home, resident, span, now),
            waiting: waiting(resident, now),
            needs_update: resident.needs_update(),
        })
        .filter(|s| {
            let asked = s.needs_update || !s.resident.whereabouts_apart().is_empty();
            !s.doses.is_empty() || !s.waiting.is_empty() || asked
        })
        .collect();
    found.sort_by_cached_key(|stop| place_on_trolley(stop.resident));
    found
}

fn doses<'p>(
    home: &HomePicture,
    resident: &'p ResidentPicture,
    span: &RoundSpan,
    now: Timestamp,
) -> Vec<Due<'p>> {
    let mut found = due::due(home, resident, (span.from.minus(DAY), span.to), now);
    found.extend(earlier_first(home, resident, span.from.minus(DAY), now));
    found.retain(|dose| belongs(dose, span));
    found.sort_by_key(|dose| (dose.slot.kind != SlotKind::TimeCritical, dose.slot.due));
    found
}

/// The first doses of orders that fell due long ago and are still wanted: a weekly one may be two
/// days late (W-11).
fn earlier_first<'p>(
    home: &HomePicture,
    resident: &'p ResidentPicture,
    before: Timestamp,
    now: Timestamp,
) -> Vec<Due<'p>> {
    let fallback = Settings::new("-", NaiveDate::default());
    let settings = rules::by_date(home, &fallback);
    let first = |history| first::unanswered(resident, history, &settings, now);
    let earlier = resident.orders.values().filter_map(first).filter(|f| f.slot.due < before);
    let at = |first: &FirstDose| (first.slot.due, Timestamp(first.slot.due.0.saturating_add(1)));
    earlier
        .flat_map(|first| due::due(home, resident, at(&first), now))
        .filter(|dose| dose.first.is_some())
        .collect()
}

fn belongs(dose: &Due<'_>, span: &RoundSpan) -> bool {
    let own = match &dose.slot.id.key {
        SlotKey::Round(id) => *id == span.round.id && dose.slot.id.date == span.date,
        SlotKey::Time(_) | SlotKey::Interval(_) => dose.slot.due >= span.from,
    };
    let open = matches!(dose.state, DueState::Due | DueState::Late);
    own || (open && dose.slot.due < span.from)
}

/// A key by which residents stand in the order of the trolley: unit, room, name. Numbers in a room
/// count as numbers, so that room 9 comes before room 12.
#[must_use]
pub fn place_on_trolley(resident: &ResidentPicture) -> impl Ord + use<> {
    let identity = resident.identity();
    let text = |part: Option<&str>| part.unwrap_or_default().trim().to_lowercase();
    (
        text(identity.map(|i| i.unit.as_str())),
        room(identity.map_or("", |i| i.room.as_str())),
        text(identity.map(|i| i.family.as_str())),
        text(identity.map(|i| i.given.as_str())),
        resident.id,
    )
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RoomPart {
    Number(u64),
    Text(String),
}

fn room(text: &str) -> Vec<RoomPart> {
    let mut parts: Vec<RoomPart> = Vec::new();
    for c in text.trim().to_lowercase().chars() {
        match (c.to_digit(10), parts.last_mut()) {
            (Some(digit), Some(RoomPart::Number(number))) => {
                *number = number.saturating_mul(10).saturating_add(u64::from(digit));
            }
            (Some(digit), Some(RoomPart::Text(_)) | None) => {
                parts.push(RoomPart::Number(u64::from(digit)));
            }
            (None, Some(RoomPart::Text(words))) => words.push(c),
            (None, Some(RoomPart::Number(_)) | None) => parts.push(RoomPart::Text(c.to_string())),
        }
    }
    parts
}

/// Returns the residents who live in the home at `now`, in the order of the trolley.
#[must_use]
pub fn in_trolley_order(picture: &Picture, now: Timestamp) -> Vec<ResidentId> {
    let lives_here = |r: &&Arc<ResidentPicture>| r.identity().is_some() && r.is_here(now);
    let mut found: Vec<_> = picture.residents.values().filter(lives_here).collect();
    found.sort_by_cached_key(|r| place_on_trolley(r));
    found.into_iter().map(|r| r.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_nine_comes_before_room_twelve() {
        let mut rooms = ["12", "9", "G2", "G10", "9a", ""];
        rooms.sort_by_key(|r| room(r));
        assert_eq!(rooms, ["", "9", "9a", "12", "G2", "G10"]);
    }

    #[test]
    fn every_time_of_a_day_belongs_to_one_round() {
        let home = home();
        let zone = Settings::new("-", NaiveDate::default()).zone;
        let at = |text: &str| Timestamp::from_rfc3339(text).unwrap();
        for (now, id, date) in [
            ("2026-11-21T06:00:00Z", "morning", "2026-11-21"),
            ("2026-11-21T10:29:00Z", "morning", "2026-11-21"),
            ("2026-11-21T10:30:00Z", "lunch", "2026-11-21"),
            ("2026-11-21T23:29:00Z", "bedtime", "2026-11-21"),
            ("2026-11-21T23:30:00Z", "morning", "2026-11-22"),
        ] {
            let span = round_at(&home, at(now)).expect("a round");
            assert_eq!((span.round.id.as_str(), span.date.to_string().as_str()), (id, date));
            assert!(span.from <= at(now) && at(now) < span.to, "{now}");
        }
        let morning = round_on(&home, "2026-03-29".parse().unwrap(), "morning").unwrap();
        assert_eq!(morning.from.rfc3339(zone), "2026-03-28T23:30:00+00:00");
        assert_eq!(morning.to.rfc3339(zone), "2026-03-29T10:30:00+01:00");
        assert_eq!(round_on(&home, "2026-03-29".parse().unwrap(), "supper"), None);
    }

    fn home() -> HomePicture {
        use crate::fact::{Fact, HomeFact};
        use crate::ids::{EntryId, LogId};
        use crate::picture::{Recorded, Stamp, Standing};
        let settings = Settings::new("Willow House", "2026-01-01".parse().unwrap());
        let fact = Fact::Home(HomeFact::SettingsSet(settings));
        let entry = Recorded {
            id: EntryId([1; 16]),
            stamp: Stamp { clock: 1, log: LogId([1; 32]), sequence: 1 },
            device: None,
            wall: Timestamp(0),
            kind: fact.kind().expect("a known kind"),
            kind_version: 1,
            subject: None,
            made: None,
            fact,
            standing: Standing::InForce,
        };
        let mut picture = Picture::default();
        picture.apply(&Arc::new(entry));
        picture.home.as_ref().clone()
    }
}
