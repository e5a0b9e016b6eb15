//! Instants, civil dates and times, and the home's zone.
//!
//! Schedules are civil time in the home's zone; intervals are elapsed time (T-01, T-02).

use chrono::{
    DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc,
};
pub use chrono_tz::Tz;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. Whole milliseconds, so that what is
/// stored and what is compared are the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A length of elapsed time in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minutes(pub u32);

const MILLIS_PER_MINUTE: i64 = 60_000;
/// 0001-01-02T00:00:00Z.
const FIRST_MILLIS: i64 = -62_135_510_400_000;
/// 9999-12-30T23:59:59.999Z.
const LAST_MILLIS: i64 = 253_402_214_399_999;

impl Minutes {
    /// The same length in milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0 as i64 * MILLIS_PER_MINUTE
    }
}

/// Twenty-four hours of elapsed time, the span of rolling totals (P-03, P-04).
pub const DAY: Minutes = Minutes(24 * 60);

impl Timestamp {
    /// Returns the instant as chrono's type; instants outside the years 1 to 9999 become the first
    /// or last of them, so that no zone's offset leads out of chrono's range.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        let within = self.0.clamp(FIRST_MILLIS, LAST_MILLIS);
        DateTime::from_timestamp_millis(within).unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
    }

    /// Returns the instant `length` later.
    #[must_use]
    pub const fn plus(self, length: Minutes) -> Self {
        Self(self.0.saturating_add(length.millis()))
    }

    /// Returns the instant `length` earlier.
    #[must_use]
    pub const fn minus(self, length: Minutes) -> Self {
        Self(self.0.saturating_sub(length.millis()))
    }

    /// Returns the first whole minute at or after the instant: a time "from which" something is
    /// allowed is shown in whole minutes, and the one that is shown must be true.
    #[must_use]
    pub const fn up_to_minute(self) -> Self {
        match self.0.rem_euclid(MILLIS_PER_MINUTE) {
            0 => self,
            past => Self(self.0.saturating_add(MILLIS_PER_MINUTE - past)),
        }
    }

    /// Returns the civil date and time in `zone`.
    #[must_use]
    pub fn civil(self, zone: Tz) -> NaiveDateTime {
        self.utc().with_timezone(&zone).naive_local()
    }

    /// Returns the offset from UTC in `zone` at this instant, in minutes east.
    #[must_use]
    pub fn offset_minutes(self, zone: Tz) -> i16 {
        let seconds = self.utc().with_timezone(&zone).offset().fix().local_minus_utc();
        i16::try_from(seconds / 60).unwrap_or(0)
    }

    /// Returns the instant as RFC 3339 with the offset of `zone`, to the second (or to the
    /// millisecond where there are any).
    #[must_use]
    pub fn rfc3339(self, zone: Tz) -> String {
        self.utc().with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
    }

    /// Reads RFC 3339. `None` when the text is not an instant with an offset.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_millis()))
    }

    /// Returns the calendar month of the instant in UTC.
    #[must_use]
    pub fn month(self) -> Month {
        let utc = self.utc();
        Month(utc.year() * 12 + i32::try_from(utc.month0()).unwrap_or(0))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp_millis())
    }
}

/// A calendar month in UTC, counted as `year * 12 + month` with January as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i32);

/// Which stored view of a subject a fact belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// Kept with the subject for ever: identity, allergies, orders, open tasks.
    Lifelong,
    /// Belongs to the month of its true time.
    Month(Month),
}

/// Returns the instant of a civil date and time in `zone` (T-04).
///
/// A time that does not exist (the clocks go forward) is the first minute after the gap; a time
/// that happens twice is its first occurrence. There is always exactly one answer.
#[must_use]
pub fn at_civil(zone: Tz, date: NaiveDate, time: NaiveTime) -> Timestamp {
    let mut local = date.and_time(time);
    // The longest gap in the zone data base is a whole day (a date line move).
    for _ in 0..=(24 * 60) {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => {
                return t.with_timezone(&Utc).into();
            }
            LocalResult::None => {
                // Inside the gap: go to the next whole minute.
                let second = i64::from(chrono::Timelike::second(&local));
                match local.checked_add_signed(chrono::TimeDelta::seconds(60 - second)) {
                    Some(later) => local = later,
                    None => break,
                }
            }
        }
    }
    date.and_time(time).and_utc().into()
}

/// Returns the half-open span of instants `[midnight of date, midnight of the next day)` in `zone`.
#[must_use]
pub fn day_span(zone: Tz, date: NaiveDate) -> (Timestamp, Timestamp) {
    let next = date.succ_opt().unwrap_or(date);
    (at_civil(zone, date, NaiveTime::MIN), at_civil(zone, next, NaiveTime::MIN))
}

/// The 28-day cycle of a date (S-04).
///
/// `start` is any first day of a cycle. Returns the cycle's number (1 is the one that begins on
/// `start`; earlier cycles are 0, -1, …), the day in it (1 to 28) and its first date.
#[must_use]
pub fn cycle_of(start: NaiveDate, date: NaiveDate) -> (i64, u32, NaiveDate) {
    let days = date.signed_duration_since(start).num_days();
    let number = days.div_euclid(CYCLE_DAYS);
    let day = days.rem_euclid(CYCLE_DAYS);
    let first = date.checked_sub_signed(chrono::TimeDelta::days(day)).unwrap_or(date);
    (number + 1, u32::try_from(day).unwrap_or(0) + 1, first)
}

/// Days in a supply cycle (S-04).
pub const CYCLE_DAYS: i64 = 28;

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::London;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }
    fn time(text: &str) -> NaiveTime {
        text.parse().expect("a time")
    }

    #[test]
    fn a_time_that_does_not_exist_is_the_first_minute_after_the_gap() {
        let due = at_civil(London, date("2027-03-28"), time("01:30:00"));
        assert_eq!(due.rfc3339(London), "2027-03-28T02:00:00+01:00");
    }

    #[test]
    fn a_time_that_happens_twice_is_due_once_at_its_first_occurrence() {
        let due = at_civil(London, date("2026-10-25"), time("01:30:00"));
        assert_eq!(due.rfc3339(London), "2026-10-25T01:30:00+01:00");
    }

    #[test]
    fn the_cycle_of_the_rule_s_own_dates_is_right() {
        let start = date("2026-09-28");
        assert_eq!(cycle_of(start, date("2026-10-25")), (1, 28, date("2026-09-28")));
        assert_eq!(cycle_of(start, date("2026-10-26")), (2, 1, date("2026-10-26")));
        assert_eq!(cycle_of(start, date("2026-11-21")), (2, 27, date("2026-10-26")));
        assert_eq!(cycle_of(start, date("2026-09-27")), (0, 28, date("2026-08-31")));
    }

    #[test]
    fn a_time_from_which_something_is_allowed_is_never_shown_too_early() {
        let up = |text: &str| {
            Timestamp::from_rfc3339(text).expect("an instant").up_to_minute().rfc3339(London)
        };
        assert_eq!(up("2026-11-21T14:05:40Z"), "2026-11-21T14:06:00+00:00");
        assert_eq!(up("2026-11-21T14:05:00.001Z"), "2026-11-21T14:06:00+00:00");
        assert_eq!(up("2026-11-21T14:05:00Z"), "2026-11-21T14:05:00+00:00");
        assert_eq!(Timestamp(i64::MAX).up_to_minute(), Timestamp(i64::MAX));
    }

    #[test]
    fn elapsed_time_ignores_the_clock_change() {
        let before = Timestamp::from_rfc3339("2026-10-25T00:30:00+01:00").expect("an instant");
        let after = Timestamp::from_rfc3339("2026-10-25T03:30:00+00:00").expect("an instant");
        assert_eq!(before.plus(Minutes(240)), after);
    }

    #[test]
    fn a_day_of_a_clock_change_has_23_or_25_hours() {
        let hours = |d| {
            let (from, to) = day_span(London, date(d));
            (to.0 - from.0) / 3_600_000
        };
        assert_eq!(hours("2027-03-28"), 23);
        assert_eq!(hours("2026-10-25"), 25);
        assert_eq!(hours("2026-11-21"), 24);
    }
}
