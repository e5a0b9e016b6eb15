//! When: frequencies, times of day, days of the week.

use super::grammar::{Element, Frequency, FrequencyForm};
use super::phrase::{longest, phrase};
use super::reading::{Moment, OnDays, Times};
use super::tokens::{Kind, Number, Token};
use chrono::Weekday;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Hours(u16, Option<u16>),
    Days(u16),
    Weeks(u16),
    Months(u16),
}

const COUNTED: FrequencyForm = FrequencyForm::Counted;

/// Reads a frequency at the start.
pub(super) fn frequency(rest: &[Token]) -> Option<(Element, usize)> {
    latin(rest)
        .or_else(|| counted(rest))
        .or_else(|| {
            let (period, form, length) = period(rest)?;
            Some((of_period(period, form)?, length))
        })
        .or_else(|| bare_hourly(rest))
        .or_else(|| {
            let (days, times) = (OnDays::Once, Times::ADay(1));
            if let Some(one) = longest(rest, &["stat", "one dose only", "once only"]) {
                return Some((Frequency { days, times, form: COUNTED }, one.length));
            }
            let once = phrase(rest, "once")?;
            let form = FrequencyForm::Occasion;
            Some((Frequency { days, times, form }, once.length))
        })
        .map(|(frequency, length)| (Element::Frequency(frequency), length))
}

/// Latin, which is read and never written (O-06).
fn latin(rest: &[Token]) -> Option<(Frequency, usize)> {
    let every_day = |times| Frequency { days: OnDays::Every, times, form: COUNTED };
    if let Some(found) = phrase(rest, "q # h|hrs") {
        let hours = found.numbers.first()?;
        let times = Times::EveryHours(hours.whole().filter(|n| (1..=72).contains(n))?, None);
        return Some((every_day(times), found.length));
    }
    let times = match rest.first()?.word()? {
        "od" => Times::ADay(1),
        "bd" | "bid" => Times::ADay(2),
        "tds" | "tid" => Times::ADay(3),
        "qds" | "qid" => Times::ADay(4),
        "om" | "mane" => Times::At(vec![Moment::Morning]),
        "nocte" | "noct" => Times::At(vec![Moment::Night]),
        _ => return None,
    };
    Some((every_day(times), 1))
}

/// A number of times at the start: "once", "3 times", "up to four times".
fn times(rest: &[Token]) -> Option<(Times, usize)> {
    let up_to = longest(rest, &["up to", "upto", "up to a maximum of"]).map_or(0, |f| f.length);
    let after = &rest[up_to..];
    let words = [("once", 1), ("twice", 2), ("thrice", 3)];
    let word = words.iter().find(|(word, _)| phrase(after, word).is_some());
    let (times, length) = if let Some((_, n)) = word {
        (Times::ADay(*n), 1)
    } else {
        let found = longest(after, &["# times|time", "# x"])?;
        (number_of_times(found.numbers.first()?)?, found.length)
    };
    match (up_to, times) {
        (0, times) => Some((times, length)),
        (_, Times::ADay(n)) => Some((Times::UpTo(n), length + up_to)),
        _ => None,
    }
}

fn number_of_times(number: &Number) -> Option<Times> {
    if let Some(n) = number.whole() {
        return (1..=24).contains(&n).then_some(Times::ADay(n));
    }
    let ends = Number::one(number.low, number.written).whole();
    let high = Number::one(number.high?, number.written).whole();
    let (low, high) = ends.zip(high)?;
    (low >= 1 && high <= 24).then_some(Times::Between(low, high))
}

/// "twice a day", "once every 4 weeks", "three times a week".
fn counted(rest: &[Token]) -> Option<(Frequency, usize)> {
    let (times, length) = times(rest)?;
    let (period, _, more) = period(&rest[length..])?;
    let length = length + more;
    let (days, times) = match (period, times) {
        (Period::Days(1) | Period::Hours(24, None), times) => (OnDays::Every, times),
        (Period::Weeks(1) | Period::Days(7), Times::ADay(n)) if (2..=7).contains(&n) => {
            (OnDays::DaysAWeek(n), Times::ADay(1))
        }
        (period, Times::ADay(1)) => {
            let frequency = of_period(period, COUNTED)?;
            return Some((frequency, length));
        }
        _ => return None,
    };
    Some((Frequency { days, times, form: COUNTED }, length))
}

fn of_period(period: Period, form: FrequencyForm) -> Option<Frequency> {
    let once = Times::ADay(1);
    let (days, times) = match period {
        Period::Hours(n, to) => (OnDays::Every, Times::EveryHours(n, to)),
        Period::Days(1) => (OnDays::Every, once),
        Period::Days(n) => (OnDays::EveryDays(n), once),
        Period::Weeks(n) => (OnDays::EveryWeeks(n), once),
        Period::Months(n) => (OnDays::EveryMonths(n), once),
    };
    let form = if matches!(period, Period::Hours(..)) { COUNTED } else { form };
    Some(Frequency { days, times, form })
}

/// A period at the start: "a day", "daily", "every 4 to 6 hours", "on alternate days".
fn period(rest: &[Token]) -> Option<(Period, FrequencyForm, usize)> {
    let fixed: &[(&str, Period, FrequencyForm)] = &[
        ("a|per|each|every day", Period::Days(1), FrequencyForm::Period),
        ("each and every day", Period::Days(1), FrequencyForm::Period),
        ("/ day", Period::Days(1), FrequencyForm::Period),
        ("daily", Period::Days(1), FrequencyForm::Adverb),
        ("on? alternate|alternative days", Period::Days(2), COUNTED),
        ("on? every|each other|second|alternate day", Period::Days(2), COUNTED),
        ("every third day", Period::Days(3), COUNTED),
        ("a|per|each|every week", Period::Weeks(1), FrequencyForm::Period),
        ("weekly", Period::Weeks(1), FrequencyForm::Adverb),
        ("every other|second|alternate week", Period::Weeks(2), COUNTED),
        ("a|per|each|every fortnight", Period::Weeks(2), FrequencyForm::Period),
        ("fortnightly", Period::Weeks(2), FrequencyForm::Adverb),
        ("a|per|each|every month", Period::Months(1), FrequencyForm::Period),
        ("monthly", Period::Months(1), FrequencyForm::Adverb),
        ("an|per|each|every hour", Period::Hours(1, None), FrequencyForm::Period),
        ("hourly", Period::Hours(1, None), FrequencyForm::Adverb),
    ];
    let found = fixed.iter().filter_map(|(pattern, period, form)| {
        phrase(rest, pattern).map(|found| (*period, *form, found.length))
    });
    let numbered = numbered_period(rest).map(|(period, length)| (period, COUNTED, length));
    found.chain(numbered).max_by_key(|(_, _, length)| *length)
}

/// "every 4 hours", "every 4 to 6 hrs", "every two days", "per 4 weeks".
fn numbered_period(rest: &[Token]) -> Option<(Period, usize)> {
    let hours = "hours|hour|hrs|hr|h|hourly|hrly";
    if let Some(found) = phrase(rest, &format!("every|each # {hours}")) {
        let number = found.numbers.first()?;
        let low = Number::one(number.low, number.written).whole()?;
        let high = match number.high {
            Some(high) => Some(Number::one(high, number.written).whole()?),
            None => None,
        };
        let fits = low >= 1 && high.unwrap_or(low) <= 168;
        return fits.then_some((Period::Hours(low, high), found.length));
    }
    let whole = |pattern: &str, most: u16| {
        let found = phrase(rest, pattern)?;
        let n = found.numbers.first()?.whole().filter(|n| (1..=most).contains(n))?;
        Some((n, found.length))
    };
    let days = whole("every|each|per # days|day", 90).map(|(n, l)| (Period::Days(n), l));
    let weeks = || whole("every|each|per # weeks|week", 52).map(|(n, l)| (Period::Weeks(n), l));
    let months = || whole("every|each|per # months|month", 24).map(|(n, l)| (Period::Months(n), l));
    days.or_else(weeks).or_else(months)
}

/// "6 hourly": every six hours where a dose stands before it.
fn bare_hourly(rest: &[Token]) -> Option<(Frequency, usize)> {
    let found = phrase(rest, "# hourly|hrly|hrlys")?;
    let hours = found.numbers.first()?.whole().filter(|n| (2..=72).contains(n))?;
    let times = Times::EveryHours(hours, None);
    Some((Frequency { days: OnDays::Every, times, form: FrequencyForm::BareHourly }, found.length))
}

/// Reads times of the day at the start: "at night", "with breakfast, lunch and evening meal".
pub(super) fn moments(rest: &[Token]) -> Option<(Element, usize)> {
    let (first, led, mut length) = moment(rest)?;
    let mut found = vec![first];
    while let Some(gap) = joint(&rest[length..]) {
        let Some((next, _, more)) = moment(&rest[length + gap..]) else { break };
        found.push(next);
        length += gap + more;
    }
    // "morning" alone may be part of other words; "morning and night" is a list of times.
    (led || found.len() > 1).then_some((Element::Moments(found), length))
}

fn joint(rest: &[Token]) -> Option<usize> {
    let mark = rest.first().is_some_and(|t| t.is_mark(',') || t.is_mark('&') || t.is_mark('/'));
    let after = usize::from(mark);
    let and = rest.get(after).and_then(Token::word) == Some("and");
    let gap = after + usize::from(and);
    (gap > 0).then_some(gap)
}

/// One time of the day, whether a preposition or a plural makes it one, and its length.
fn moment(rest: &[Token]) -> Option<(Moment, bool, usize)> {
    let clock = phrase(rest, "at").map_or(0, |found| found.length);
    if let Kind::Clock(time) = rest.get(clock)?.kind {
        return Some((Moment::Clock(time), true, clock + 1));
    }
    let led: &[(&str, Moment)] = &[
        ("in|each|every the? morning", Moment::Morning),
        ("every|each single morning", Moment::Morning),
        ("first thing in the morning", Moment::Morning),
        ("mornings", Moment::Morning),
        ("with|at|before|after the? breakfast", Moment::Morning),
        ("on|upon waking", Moment::Morning),
        ("at midday|noon|lunchtime|lunch", Moment::Midday),
        ("at lunch time", Moment::Midday),
        ("at mid day", Moment::Midday),
        ("with|before|after the? lunch", Moment::Midday),
        ("in|each|every the? afternoon", Moment::Afternoon),
        ("in|each|every the? evening", Moment::Evening),
        ("evenings", Moment::Evening),
        ("at|each|every teatime", Moment::Evening),
        ("at tea time", Moment::Evening),
        ("with|at|before|after the? evening meal", Moment::Evening),
        ("at|each|every night", Moment::Night),
        ("at night time", Moment::Night),
        ("at|each|every night at bedtime", Moment::Night),
        ("last thing at night", Moment::Night),
        ("nightly", Moment::Night),
        ("at|before bedtime", Moment::Night),
        ("before bed", Moment::Night),
        ("before going to bed", Moment::Night),
    ];
    let bare: &[(&str, Moment)] = &[
        ("morning|breakfast|mane", Moment::Morning),
        ("noon|midday|lunch|lunchtime", Moment::Midday),
        ("teatime|evening", Moment::Evening),
        ("evening meal", Moment::Evening),
        ("night|bedtime|nocte", Moment::Night),
        ("the morning", Moment::Morning),
        ("the evening", Moment::Evening),
    ];
    let longest_of = |table: &[(&str, Moment)]| {
        let found = table.iter().filter_map(|(pattern, moment)| {
            phrase(rest, pattern).map(|found| (*moment, found.length))
        });
        found.max_by_key(|(_, length)| *length)
    };
    let of_led = longest_of(led).map(|(moment, length)| (moment, true, length));
    of_led.or_else(|| longest_of(bare).map(|(moment, length)| (moment, false, length)))
}

const DAY_WORDS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "monday|mondays|mon"),
    (Weekday::Tue, "tuesday|tuesdays|tue|tues"),
    (Weekday::Wed, "wednesday|wednesdays|wed"),
    (Weekday::Thu, "thursday|thursdays|thu|thur|thurs"),
    (Weekday::Fri, "friday|fridays|fri"),
    (Weekday::Sat, "saturday|saturdays|sat"),
    (Weekday::Sun, "sunday|sundays|sun"),
];

/// Reads weekdays at the start: "on Mondays", "every Monday, Wednesday and Friday".
pub(super) fn weekdays(rest: &[Token]) -> Option<(Element, usize)> {
    let mut length = longest(rest, &["on|each|every a?", "on"])?.length;
    let day = |at: usize| {
        let rest = rest.get(at..)?;
        DAY_WORDS.iter().find(|(_, words)| phrase(rest, words).is_some()).map(|(day, _)| *day)
    };
    let mut found = vec![day(length)?];
    length += 1;
    while let Some(gap) = joint(&rest[length..]) {
        let Some(next) = day(length + gap) else { break };
        found.push(next);
        length += gap + 1;
    }
    // "Monday to Friday" is not read: what is left of it stops the reading.
    Some((Element::Weekdays(found), length))
}
