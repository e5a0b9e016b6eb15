//! Limits: the most in 24 hours, the shortest interval, for how long, dates.

use super::grammar::Element;
use super::phrase::{longest, phrase};
use super::reading::{Bounds, Ceiling, Span};
use super::tokens::{Kind, Number, Token, Written};
use super::words;
use mar::quantity::{Quantity, Unit};

const MAXIMUM_LEADS: &[&str] = &[
    "up to a? maximum|max|maximim dose? of?",
    "to? a? maximum|max|maximim daily|total? dose? of? is?",
    "no|not|never more than",
    "not to exceed",
    "not exceeding",
    "do not exceed more? than?",
    "do not take|use|give|have more than",
    "not to take more than",
];

/// Reads a maximum at the start. `None` inside the element stands for one over another time.
pub(super) fn maximum(rest: &[Token]) -> Option<(Element, usize)> {
    let (lead, loose) = match longest(rest, MAXIMUM_LEADS) {
        Some(lead) => (lead, false),
        None => (longest(rest, &["up to", "upto"])?, true),
    };
    let mut at = lead.length;
    let daily = rest[..at].iter().any(|t| t.word() == Some("daily"));
    if rest.get(at).is_some_and(|t| t.is_mark('.') || t.is_mark(':')) {
        at += 1;
    }
    let (ceiling, length) = ceiling(&rest[at..])?;
    at += length;
    // "up to 8 in 24 hours" is a maximum; "up to four times a day" is a frequency.
    if loose && rest.get(at).and_then(Token::word) != Some("in") {
        return None;
    }
    let day = longest(
        &rest[at..],
        &[
            "in|per|a|every|each|within any|a|each? # hour|hours|hrs|hr|h period?",
            "a|per|each|every|in day",
            "in a|any|one|each day",
            "in|per # day",
            "daily",
            "/ day",
            "/ # hours|hrs|h",
        ],
    );
    if let Some(found) = day {
        at += found.length;
        let in_days = rest.get(at - 1).and_then(Token::word) == Some("day");
        let number = found.numbers.first().map(Number::whole);
        let one_day = match number {
            None => true,
            Some(n) => n == Some(if in_days { 1 } else { 24 }),
        };
        return Some((Element::Maximum(one_day.then_some(ceiling)), at));
    }
    if daily {
        return Some((Element::Maximum(Some(ceiling)), at));
    }
    let other = longest(&rest[at..], &["in|per|every # days|weeks", "in|per|a|each week"])?;
    Some((Element::Maximum(None), at + other.length))
}

/// "8 tablets", "4 g", "4 doses", "three times", "once".
fn ceiling(rest: &[Token]) -> Option<(Ceiling, usize)> {
    for (word, n) in [("once", 1), ("twice", 2), ("one dose", 1)] {
        if let Some(found) = phrase(rest, word) {
            return Some((Ceiling::Doses(n), found.length));
        }
    }
    let number = rest.first()?.number()?;
    let sure = number.high.is_none() && matches!(number.written, Written::Digits | Written::Words);
    let amount = Quantity::new(number.low).ok().filter(|amount| sure && !amount.is_zero())?;
    if phrase(&rest[1..], "doses|dose|times").is_some() {
        return Some((Ceiling::Doses(number.whole()?), 2));
    }
    let unit = rest.get(1).and_then(Token::word).and_then(words::unit);
    let length = 1 + usize::from(unit.is_some());
    Some((Ceiling::Amount(amount, unit.map(|(shown, _)| Unit::new(shown))), length))
}

/// Reads the shortest interval at the start, in minutes.
pub(super) fn min_interval(rest: &[Token]) -> Option<(Element, usize)> {
    let patterns = [
        ("leave|wait? at least # hours|hrs|hour apart", 60),
        ("leave|wait? at least # hours|hrs|hour between each? dose|doses", 60),
        ("leave|wait? at least # minutes|mins between each? dose|doses", 1),
        ("with at least # hours|hrs|hour between each? dose|doses", 60),
        ("minimum of? # hours|hrs|hour between each? dose|doses", 60),
        ("minimum interval of? # hours|hrs|hour", 60),
        ("no|not more often|frequently? than every # hours|hrs", 60),
    ];
    patterns.iter().find_map(|(pattern, minutes)| {
        let found = phrase(rest, pattern)?;
        let number = found.numbers.first()?.whole().filter(|n| (1..=168).contains(n))?;
        Some((Element::MinInterval(u32::from(number) * minutes), found.length))
    })
}

/// Reads the days off of a cycle at the start.
pub(super) fn cycle(rest: &[Token]) -> Option<(Element, usize)> {
    let patterns = [
        "subsequent courses repeated after a? # day tablet|capsule|pill|patch free interval|period",
        "followed by a? # day tablet|capsule|pill|patch free interval|period|break",
    ];
    let found = longest(rest, &patterns)?;
    let days = found.numbers.first()?.whole().filter(|n| (1..=90).contains(n))?;
    Some((Element::Cycle(days), found.length))
}

const SPANS: [(Span, &str); 4] = [
    (Span::Day, "day|days|night|nights"),
    (Span::Week, "week|weeks"),
    (Span::Month, "month|months"),
    (Span::Year, "year|years"),
];

/// Reads for how long at the start: "for 5 days", "for up to two weeks", "x 3 days", "for 5/7".
pub(super) fn bounds(rest: &[Token]) -> Option<(Element, usize)> {
    let finished = [
        "until finished|completed|complete",
        "until all? taken|gone|finished",
        "until the? course is? finished|completed|complete",
        "complete|finish the course",
    ];
    if let Some(found) = longest(rest, &finished) {
        return Some((Element::Bounds(Bounds::UntilFinished), found.length));
    }
    let up_to = ["for|x up to", "for a|the maximum|max of?"];
    let lead = longest(rest, &["for|x a|the? next|further|period? of?"])?.length;
    let longer = longest(rest, &up_to).map_or(0, |found| found.length);
    let (up_to, mut at) = (longer >= lead, lead.max(longer));
    if let Kind::Shorthand(n, below) = rest.get(at)?.kind {
        let span = match below {
            7 => Span::Day,
            52 => Span::Week,
            _ => Span::Month,
        };
        let bounds = Bounds::For { least: n, most: None, up_to, span };
        return (n > 0).then_some((Element::Bounds(bounds), at + 1));
    }
    let (least, most) = if let Some(number) = rest.get(at).and_then(Token::number) {
        at += 1;
        let most = match number.high {
            Some(high) => Some(Number::one(high, number.written).whole()?),
            None => None,
        };
        (Number::one(number.low, number.written).whole()?, most)
    } else if rest.get(at - 1)?.word() == Some("a") {
        (1, None)
    } else {
        return None;
    };
    let (span, found) =
        SPANS.iter().find_map(|(span, words)| Some((*span, phrase(&rest[at..], words)?)))?;
    let only = phrase(&rest[at + found.length..], "only").map_or(0, |found| found.length);
    let bounds = Bounds::For { least, most, up_to, span };
    (least > 0).then_some((Element::Bounds(bounds), at + found.length + only))
}

const MONTHS: &str = "january|february|march|april|may|june|july|august|september|october|november|\
    december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec";

/// Reads a named date at the start: "from 2.12.2024".
pub(super) fn dates(rest: &[Token]) -> Option<(Element, usize)> {
    let lead = longest(rest, &["from|starting|until|on from|on?"])?.length;
    if rest.get(lead)?.kind == Kind::Date {
        return Some((Element::Dates, lead + 1));
    }
    let rest = &rest[lead..];
    let patterns = [
        format!("{MONTHS} # st|nd|rd|th? ,? #"),
        format!("# st|nd|rd|th? {MONTHS} #"),
        format!("{MONTHS} # st|nd|rd|th?"),
        format!("# st|nd|rd|th? {MONTHS}"),
    ];
    let found = patterns.iter().filter_map(|pattern| phrase(rest, pattern));
    // "May 3 times a day": a number that starts something else is no day.
    let found = found.filter(|found| {
        found.numbers.iter().all(|n| n.whole().is_some())
            && phrase(&rest[found.length..], "times|time|tablets|tablet|a|x|ml|mg|hourly").is_none()
    });
    found.max_by_key(|found| found.length).map(|found| (Element::Dates, lead + found.length))
}
