//! When an order is due: schedule and calendar in, slots out.
//!
//! Slot generation is a pure function of (order version, dates, home settings): the same inputs
//! give the same slots on every device (S-01). A slot is (version, civil date, key) and never an
//! instant, so that no clock change creates or loses a dose.

use crate::ids::{OrderId, VersionId};
use crate::order::Version;
use crate::settings::Settings;
use crate::time::{Minutes, Timestamp, at_civil};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike, Weekday};
use std::fmt;
use std::str::FromStr;

/// When an order is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// At clock times, on the days named.
    Times {
        /// The times, ascending.
        times: Vec<TimeOfDay>,
        /// The weekdays; all of them for a daily medicine.
        days: Days,
    },
    /// In the home's named rounds, on the days named.
    Rounds {
        /// Ids of rounds, such as `morning`.
        rounds: Vec<String>,
        /// The weekdays.
        days: Days,
    },
    /// Every `n` days, counted from the anchor for ever (S-03).
    EveryDays {
        /// At least 1.
        n: u16,
        /// A date on which it is due.
        anchor: NaiveDate,
        /// The times on such a day.
        times: Vec<TimeOfDay>,
    },
    /// On weekdays of every `n`th week, counted from the week of the anchor.
    EveryWeeks {
        /// At least 1.
        n: u16,
        /// A date in a week in which it is due.
        anchor: NaiveDate,
        /// The weekdays.
        days: Days,
        /// The times on such a day.
        times: Vec<TimeOfDay>,
    },
    /// Every `n` hours of elapsed time from the anchor.
    EveryHours {
        /// At least 1.
        n: u16,
        /// The instant of interval 0.
        anchor: Timestamp,
    },
    /// Once.
    Once {
        /// When.
        at: Timestamp,
    },
    /// When required: no slots (P-01).
    WhenRequired(crate::order::Prn),
}

/// A civil time of day in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// A time of day; `None` when it is none.
    #[must_use]
    pub const fn new(hour: u8, minute: u8) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self(hour as u16 * 60 + minute as u16)) } else { None }
    }

    /// Returns the minutes since midnight, 0 to 1439.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// A time of minutes since midnight; `None` from 1440 on.
    #[must_use]
    pub const fn from_minutes(minutes: u16) -> Option<Self> {
        if minutes < 24 * 60 { Some(Self(minutes)) } else { None }
    }

    /// Returns chrono's type.
    #[must_use]
    pub fn naive(self) -> NaiveTime {
        NaiveTime::from_num_seconds_from_midnight_opt(u32::from(self.0) * 60, 0)
            .unwrap_or(NaiveTime::MIN)
    }
}

impl fmt::Display for TimeOfDay {
    /// 24-hour clock (T-05): `08:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A text that is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: write 08:00")]
pub struct TimeFault(pub String);

impl FromStr for TimeOfDay {
    type Err = TimeFault;
    fn from_str(text: &str) -> Result<Self, TimeFault> {
        let fault = || TimeFault(text.chars().take(20).collect());
        let (hour, minute) = text.split_once(':').ok_or_else(fault)?;
        let two = |t: &str| {
            (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit()))
                .then(|| t.parse().ok())
                .flatten()
        };
        let (hour, minute) = two(hour).zip(two(minute)).ok_or_else(fault)?;
        Self::new(hour, minute).ok_or_else(fault)
    }
}

/// A set of weekdays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Days(u8);

/// The weekdays with their words on the command line, Monday first.
pub const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "mon"),
    (Weekday::Tue, "tue"),
    (Weekday::Wed, "wed"),
    (Weekday::Thu, "thu"),
    (Weekday::Fri, "fri"),
    (Weekday::Sat, "sat"),
    (Weekday::Sun, "sun"),
];

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0x7f);

    /// The days given; every day when none is.
    #[must_use]
    pub fn of(days: &[Weekday]) -> Self {
        let bits = days.iter().fold(0, |bits, d| bits | (1 << d.num_days_from_monday()));
        if bits == 0 { Self::ALL } else { Self(bits) }
    }

    /// The days of a bit mask with Monday as bit 0; `None` for an empty or too large mask.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits == 0 || bits > 0x7f { None } else { Some(Self(bits)) }
    }

    /// Returns the bit mask with Monday as bit 0.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether `day` is among them.
    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day.num_days_from_monday()) != 0
    }

    /// Returns them from Monday to Sunday.
    pub fn iter(self) -> impl Iterator<Item = (Weekday, &'static str)> {
        WEEKDAYS.into_iter().filter(move |(d, _)| self.contains(*d))
    }
}

/// The part of a slot's identity that tells it from the others of its day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotKey {
    /// A clock time, written `0800`.
    Time(TimeOfDay),
    /// An interval of an every-N-hours order, counted from the version's anchor, written `#12`.
    Interval(u32),
    /// A round's id, written as it is.
    Round(String),
}

impl SlotKey {
    /// Returns when it is, as a person reads it: `08:00`, `morning round`, `dose 12`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Time(time) => time.to_string(),
            Self::Interval(number) => format!("dose {}", u64::from(*number) + 1),
            Self::Round(id) => format!("{id} round"),
        }
    }
}

impl fmt::Display for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{:02}{:02}", time.minutes() / 60, time.minutes() % 60),
            Self::Interval(n) => write!(f, "#{n}"),
            Self::Round(id) => f.write_str(id),
        }
    }
}

/// The identity of a slot: order version, civil date, key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId {
    /// The version it belongs to.
    pub version: VersionId,
    /// The civil date of the home on which it is due.
    pub date: NaiveDate,
    /// Which of that day.
    pub key: SlotKey,
}

impl fmt::Display for SlotId {
    /// `VERSION.2026-11-21.0800`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.version, self.date, self.key)
    }
}

/// A text that is no slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a slot: take it from `medroundctl due`")]
pub struct SlotFault(pub String);

impl FromStr for SlotId {
    type Err = SlotFault;
    fn from_str(text: &str) -> Result<Self, SlotFault> {
        let fault = || SlotFault(text.chars().take(80).collect());
        let mut parts = text.splitn(3, '.');
        let version = parts.next().and_then(|v| v.parse().ok()).ok_or_else(fault)?;
        let date = parts.next().and_then(|d| d.parse().ok()).ok_or_else(fault)?;
        let key = parts.next().and_then(read_key).ok_or_else(fault)?;
        Ok(Self { version, date, key })
    }
}

fn read_key(text: &str) -> Option<SlotKey> {
    if let Some(number) = text.strip_prefix('#') {
        return number.parse().ok().map(SlotKey::Interval);
    }
    if text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) {
        let number: u16 = text.parse().ok()?;
        let time =
            TimeOfDay::new(u8::try_from(number / 100).ok()?, u8::try_from(number % 100).ok()?)?;
        return Some(SlotKey::Time(time));
    }
    crate::settings::is_round_id(text).then(|| SlotKey::Round(text.to_owned()))
}

/// One due dose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its identity.
    pub id: SlotId,
    /// The order.
    pub order: OrderId,
    /// When it is due.
    pub due: Timestamp,
    /// When giving it is on time.
    pub window: Window,
    /// How it is to be looked after.
    pub kind: SlotKind,
}

/// The instants around a due dose (W-02). All ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// On time from here.
    pub from: Timestamp,
    /// On time until here.
    pub to: Timestamp,
    /// Late until here; then it is unrecorded and somebody is told.
    pub unrecorded_after: Timestamp,
}

/// How a slot is to be looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// Any time in its window.
    Regular,
    /// Within 30 minutes (W-02).
    TimeCritical,
}

/// Returns the slots of a version with due times in the half-open span `[from, to)`, in order.
///
/// `settings` gives the settings in force on a date, since a round's time is a fact with a start
/// date and past slots keep theirs. Only the version's own start and stop limit them here; which
/// version is in force is the order's history's business.
pub fn slots<'s>(
    version: &Version,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Slot> {
    let content = &version.content;
    let from = from.max(content.start);
    let to = content.stop.map_or(to, |stop| to.min(stop));
    if from >= to {
        return Vec::new();
    }
    let mut found = match &content.schedule {
        Schedule::EveryHours { n, anchor } => {
            every_hours(version, settings, (*n, *anchor), (from, to))
        }
        Schedule::Once { at } => once(version, settings, *at),
        Schedule::WhenRequired(_) => Vec::new(),
        Schedule::Times { .. }
        | Schedule::Rounds { .. }
        | Schedule::EveryDays { .. }
        | Schedule::EveryWeeks { .. } => daily(version, settings, from, to),
    };
    found.retain(|slot| slot.due >= from && slot.due < to);
    found.sort_by(|a, b| (a.due, &a.id).cmp(&(b.due, &b.id)));
    // A time that stands twice in an order is one dose.
    found.dedup_by(|a, b| a.id == b.id);
    found
}

/// Returns the slot of a version with this id; `None` when the version has no such slot. It is the
/// same slot that [`slots`] makes, without making the others.
pub fn slot_with_id<'s>(
    version: &Version,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    id: &SlotId,
) -> Option<Slot> {
    if id.version != version.id {
        return None;
    }
    let content = &version.content;
    let found = match &content.schedule {
        Schedule::EveryHours { n, anchor } => {
            let SlotKey::Interval(number) = id.key else {
                return None;
            };
            let due = nth_interval(*n, *anchor, i64::from(number));
            every_hours(version, settings, (*n, *anchor), (due, Timestamp(due.0.saturating_add(1))))
        }
        Schedule::Once { at } => once(version, settings, *at),
        Schedule::WhenRequired(_) => Vec::new(),
        Schedule::Times { .. }
        | Schedule::Rounds { .. }
        | Schedule::EveryDays { .. }
        | Schedule::EveryWeeks { .. } => on_day(version, settings(id.date), id.date),
    };
    let in_span =
        |due: Timestamp| due >= content.start && content.stop.is_none_or(|stop| due < stop);
    found.into_iter().find(|slot| slot.id == *id && in_span(slot.due))
}

fn nth_interval(n: u16, anchor: Timestamp, number: i64) -> Timestamp {
    let step = Minutes(u32::from(n.max(1)) * 60).millis();
    let at = i128::from(anchor.0) + i128::from(number) * i128::from(step);
    let end = if at < 0 { i64::MIN } else { i64::MAX };
    Timestamp(i64::try_from(at).unwrap_or(end))
}

fn zone_on<'s>(settings: &dyn Fn(NaiveDate) -> &'s Settings, at: Timestamp) -> crate::time::Tz {
    settings(at.utc().date_naive()).zone
}

/// The schedules that are made of days with times on them.
fn daily<'s>(
    version: &Version,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Slot> {
    // One day more on each side: the civil date depends on the zone in force.
    let first = from.civil(zone_on(settings, from)).date().pred_opt();
    let last = to.civil(zone_on(settings, to)).date().succ_opt();
    let (Some(first), Some(last)) = (first, last) else {
        return Vec::new();
    };
    first
        .iter_days()
        .take_while(|d| *d <= last)
        .flat_map(|date| on_day(version, settings(date), date))
        .collect()
}

/// The slots of one civil date of a schedule that is made of days with times on them.
fn on_day(version: &Version, on: &Settings, date: NaiveDate) -> Vec<Slot> {
    let at_times =
        |times: &[TimeOfDay]| times.iter().map(|t| at_time(version, on, date, *t)).collect();
    match &version.content.schedule {
        Schedule::Times { times, days } if days.contains(date.weekday()) => at_times(times),
        Schedule::Rounds { rounds, days } if days.contains(date.weekday()) => {
            rounds.iter().filter_map(|id| at_round(version, on, date, id)).collect()
        }
        Schedule::EveryDays { n, anchor, times } if falls_on(*n, *anchor, date) => at_times(times),
        Schedule::EveryWeeks { n, anchor, days, times }
            if days.contains(date.weekday()) && week_falls_on(*n, *anchor, date) =>
        {
            at_times(times)
        }
        Schedule::Times { .. }
        | Schedule::Rounds { .. }
        | Schedule::EveryDays { .. }
        | Schedule::EveryWeeks { .. }
        | Schedule::EveryHours { .. }
        | Schedule::Once { .. }
        | Schedule::WhenRequired(_) => Vec::new(),
    }
}

/// Whether an every-`n`-days order with this anchor is due on `date` (S-03): a count of days for
/// ever, across months and years. Nothing is due before the anchor.
fn falls_on(n: u16, anchor: NaiveDate, date: NaiveDate) -> bool {
    let days = date.signed_duration_since(anchor).num_days();
    days >= 0 && days % i64::from(n.max(1)) == 0
}

fn week_falls_on(n: u16, anchor: NaiveDate, date: NaiveDate) -> bool {
    // Counted in days of the common era, so that no date is too early to have a Monday.
    let monday = |d: NaiveDate| {
        i64::from(d.num_days_from_ce()) - i64::from(d.weekday().num_days_from_monday())
    };
    let weeks = (monday(date) - monday(anchor)) / 7;
    date >= anchor && weeks % i64::from(n.max(1)) == 0
}

fn at_time(version: &Version, on: &Settings, date: NaiveDate, time: TimeOfDay) -> Slot {
    let due = at_civil(on.zone, date, time.naive());
    slot(version, on, SlotId { version: version.id, date, key: SlotKey::Time(time) }, due)
}

fn at_round(version: &Version, on: &Settings, date: NaiveDate, id: &str) -> Option<Slot> {
    let round = on.rounds.iter().find(|r| r.id == id)?;
    let due = at_civil(on.zone, date, round.start.naive());
    let key = SlotKey::Round(id.to_owned());
    let mut slot = slot(version, on, SlotId { version: version.id, date, key }, due);
    if slot.kind == SlotKind::Regular {
        let cut_off = at_civil(on.zone, date, round.cut_off.naive());
        slot.window = Window {
            from: due.minus(on.windows.round_early),
            to: cut_off,
            unrecorded_after: cut_off.plus(on.windows.round_alert),
        };
    }
    Some(slot)
}

fn slot(version: &Version, on: &Settings, id: SlotId, due: Timestamp) -> Slot {
    let windows = &on.windows;
    let (kind, each_side, alert) = if version.content.flags.time_critical {
        (SlotKind::TimeCritical, windows.critical, windows.critical_alert)
    } else {
        (SlotKind::Regular, windows.clock, windows.clock_alert)
    };
    let to = due.plus(each_side);
    let window = Window { from: due.minus(each_side), to, unrecorded_after: to.plus(alert) };
    Slot { id, order: version.order, due, window, kind }
}

fn every_hours<'s>(
    version: &Version,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    (n, anchor): (u16, Timestamp),
    (from, to): (Timestamp, Timestamp),
) -> Vec<Slot> {
    let step = Minutes(u32::from(n.max(1)) * 60).millis();
    // Wider than an instant: an anchor at one end of time and a start at the other would make every
    // interval between them.
    let gone = (i128::from(from.0) - i128::from(anchor.0)).max(0);
    let Ok(first) = i64::try_from(gone.div_euclid(i128::from(step))) else { return Vec::new() };
    let mut found = Vec::new();
    for count in first.. {
        let due = nth_interval(n, anchor, count);
        let Ok(number) = u32::try_from(count) else {
            break;
        };
        if due >= to {
            break;
        }
        let date = due.civil(zone_on(settings, due)).date();
        let id = SlotId { version: version.id, date, key: SlotKey::Interval(number) };
        found.push(slot(version, settings(date), id, due));
    }
    found
}

fn once<'s>(
    version: &Version,
    settings: &dyn Fn(NaiveDate) -> &'s Settings,
    at: Timestamp,
) -> Vec<Slot> {
    let civil = at.civil(zone_on(settings, at));
    let minutes = u16::try_from(civil.hour() * 60 + civil.minute()).unwrap_or(0);
    let key = TimeOfDay::from_minutes(minutes).map_or(SlotKey::Interval(0), SlotKey::Time);
    let id = SlotId { version: version.id, date: civil.date(), key };
    vec![slot(version, settings(civil.date()), id, at)]
}
