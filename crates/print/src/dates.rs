//! How dates and times look on paper: `Sat 21 Nov 2026`, 24 h clock (T-05).

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike, Weekday};

use crate::sheet::LocalTime;

/// Returns `Sat 21 Nov 2026`.
pub(crate) fn long(date: NaiveDate) -> String {
    format!("{} {}", weekday(date), day_month_year(date))
}

/// Returns `21 Nov 2026`.
pub(crate) fn day_month_year(date: NaiveDate) -> String {
    format!("{} {} {}", date.day(), month(date), date.year())
}

/// Returns `Sat 21 Nov`, for rows of a sheet that states its year.
pub(crate) fn short(date: NaiveDate) -> String {
    format!("{} {} {}", weekday(date), date.day(), month(date))
}

/// Returns `20:58`.
pub(crate) fn clock(time: NaiveTime) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Returns `Sat 21 Nov 2026 20:58 GMT`.
pub(crate) fn moment(at: &LocalTime) -> String {
    format!("{} {} {}", long(at.date), clock(at.time), at.zone)
}

/// Whether the column is shaded.
pub(crate) fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Returns `Nov`.
pub(crate) fn month(date: NaiveDate) -> &'static str {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let index = usize::try_from(date.month0()).expect("a month is one of twelve");
    MONTHS[index]
}

/// Returns `Sat`.
pub(crate) fn weekday(date: NaiveDate) -> &'static str {
    match date.weekday() {
        Weekday::Mon => "Mon",
        Weekday::Tue => "Tue",
        Weekday::Wed => "Wed",
        Weekday::Thu => "Thu",
        Weekday::Fri => "Fri",
        Weekday::Sat => "Sat",
        Weekday::Sun => "Sun",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_names_its_weekday_and_its_month() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        assert_eq!(long(date), "Sat 21 Nov 2026");
        assert_eq!(short(date), "Sat 21 Nov");
        assert!(is_weekend(date));
    }
}
