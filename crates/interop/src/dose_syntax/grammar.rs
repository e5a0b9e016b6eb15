//! Cuts a direction into its elements: doses, frequencies, times, limits, notes.
//!
//! Each element is recognised by itself, wherever it stands, since senders put them in any order.
//! Whether the elements go together is decided afterwards, in `assembly`.

use super::amounts;
use super::limits;
use super::phrase::{longest, phrase};
use super::places;
use super::reading::{Bounds, Ceiling, HowMuch, Moment, OnDays, Times};
use super::tokens::{Kind, Token};
use super::when;
use super::words::{self, UnitKind};
use chrono::Weekday;

/// A recognised part of a direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    Dose(DoseWords),
    Method(&'static str, MethodForm),
    Frequency(Frequency),
    Moments(Vec<Moment>),
    Weekdays(Vec<Weekday>),
    WhenRequired,
    AsDirected,
    Maximum(Option<Ceiling>),
    MinInterval(u32),
    Bounds(Bounds),
    Cycle(u16),
    Dates,
    Site(SiteWords),
    Route(&'static str),
    Note,
    AtOnce,
    Reason,
    Joint,
    Unread,
}

/// A dose as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DoseWords {
    pub(super) how_much: HowMuch,
    pub(super) unit: Option<(&'static str, UnitKind)>,
    /// Digits with no unit can run together with a number beside them.
    pub(super) bare_digits: bool,
    pub(super) doubt: Option<DoseDoubt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DoseDoubt {
    /// A spoon with no size.
    Spoon,
    /// A second amount in brackets, or a strength.
    SecondAmount,
    /// "10 ml (500 mg)".
    VolumeAndMass,
    /// ".5".
    NakedPoint,
    /// "60 mg tablet" with no number of tablets.
    Strength,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MethodForm {
    /// "take".
    Imperative,
    /// "to be taken".
    Passive,
}

/// How often, as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frequency {
    pub(super) days: OnDays,
    pub(super) times: Times,
    pub(super) form: FrequencyForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrequencyForm {
    /// "once a day", "three times a day", "bd".
    Counted,
    /// "each day", "a week": a period with no number of times.
    Period,
    /// "daily", "weekly": a period that can hold on to a number before it.
    Adverb,
    /// "6 hourly".
    BareHourly,
    /// "once" with no period.
    Occasion,
}

/// A place on the body as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SiteWords {
    pub(super) count: Option<u8>,
    /// Whether the place is named well enough to find it.
    pub(super) named: bool,
}

/// An element with the pieces it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) element: Element,
    /// The first piece.
    pub(super) from: usize,
    /// One past the last piece.
    pub(super) to: usize,
}

/// Cuts the pieces into elements. Every piece is in exactly one of them.
pub(super) fn parts(tokens: &[Token]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (element, length) = element(tokens, at, &parts);
        let length = length.max(1);
        parts.push(Part { element, from: at, to: at + length });
        at += length;
    }
    parts
}

fn element(tokens: &[Token], at: usize, before: &[Part]) -> (Element, usize) {
    let rest = &tokens[at..];
    let reason = |rest: &[Token]| {
        let after_required = before.last().is_some_and(|p| p.element == Element::WhenRequired);
        reason(rest, after_required).map(|length| (Element::Reason, length))
    };
    known(rest)
        .or_else(|| reason(rest))
        .or_else(|| amounts::dose(rest).map(|(dose, length)| (Element::Dose(dose), length)))
        .or_else(|| joint(rest))
        .unwrap_or((Element::Unread, 1))
}

/// All elements but doses, reasons and what joins them.
fn known(rest: &[Token]) -> Option<(Element, usize)> {
    limits::maximum(rest)
        .or_else(|| limits::min_interval(rest))
        .or_else(|| limits::cycle(rest))
        .or_else(|| limits::bounds(rest))
        .or_else(|| limits::dates(rest))
        .or_else(|| listed(rest, words::WHEN_REQUIRED, &Element::WhenRequired))
        .or_else(|| listed(rest, words::AS_DIRECTED, &Element::AsDirected))
        .or_else(|| listed(rest, words::AT_ONCE, &Element::AtOnce))
        .or_else(|| when::frequency(rest))
        .or_else(|| when::moments(rest))
        .or_else(|| when::weekdays(rest))
        .or_else(|| listed(rest, words::NOTES, &Element::Note))
        .or_else(|| method(rest))
        .or_else(|| places::site(rest))
        .or_else(|| route(rest))
}

fn listed(rest: &[Token], patterns: &[&str], element: &Element) -> Option<(Element, usize)> {
    longest(rest, patterns).map(|found| (element.clone(), found.length))
}

fn method(rest: &[Token]) -> Option<(Element, usize)> {
    for (shown, imperatives, participles) in words::METHODS {
        let participle = participles.join("|");
        let passive = [format!("to be {participle}"), format!("is|are to be {participle}")];
        if let Some(found) = passive.iter().find_map(|pattern| phrase(rest, pattern)) {
            return Some((Element::Method(shown, MethodForm::Passive), found.length));
        }
        if let Some(found) = phrase(rest, &imperatives.join("|")) {
            return Some((Element::Method(shown, MethodForm::Imperative), found.length));
        }
        if let Some(found) = phrase(rest, &participle) {
            return Some((Element::Method(shown, MethodForm::Passive), found.length));
        }
    }
    None
}

/// Returns the route that a structured dosage names in words, such as "Oral route".
pub(super) fn route_of(words: &str) -> Option<&'static str> {
    let tokens = super::tokens::tokens(words);
    match route(&tokens)? {
        (Element::Route(shown), _) => Some(shown),
        _ => None,
    }
}

fn route(rest: &[Token]) -> Option<(Element, usize)> {
    let all = words::ROUTES.iter().filter_map(|(shown, patterns)| {
        longest(rest, patterns).map(|found| (Element::Route(shown), found.length))
    });
    all.max_by_key(|(_, length)| *length)
}

/// "for pain", "to lower cholesterol". After "when required" any words will do: they are what it
/// is for, and a person reads them in any case.
fn reason(rest: &[Token], after_required: bool) -> Option<usize> {
    let lead = longest(rest, words::REASON_LEADS)?.length;
    let word = |at: usize| rest.get(at).and_then(Token::word);
    let mut length = lead;
    while let Some(next) = word(length) {
        let listed = words::REASON_WORDS.contains(&next);
        let free = after_required
            && length - lead < REASON_WORDS_MAX
            && !words::CHANGING.contains(&next)
            && known(&rest[length..]).is_none();
        if !listed && !free {
            break;
        }
        length += 1;
    }
    // "for the" alone is no reason, and the last "with" belongs to what follows.
    let hollow = ["for", "the", "your", "with", "and", "of", "high", "low"];
    while length > lead && word(length - 1).is_some_and(|last| hollow.contains(&last)) {
        length -= 1;
    }
    (length > lead).then_some(length)
}

/// The most words that a free reason has.
const REASON_WORDS_MAX: usize = 8;

fn joint(rest: &[Token]) -> Option<(Element, usize)> {
    let token = rest.first()?;
    let is = match &token.kind {
        Kind::Mark(mark) => {
            // A dash glued to the number after it can be a minus.
            let minus = *mark == '-'
                && !token.glued
                && rest.get(1).is_some_and(|next| next.glued && next.number().is_some());
            ",.;:-()".contains(*mark) && !minus
        }
        Kind::Word(word) => word == "and" || word == "please",
        Kind::Number(_) | Kind::Clock(_) | Kind::Date | Kind::Shorthand(..) => false,
    };
    is.then_some((Element::Joint, 1))
}
