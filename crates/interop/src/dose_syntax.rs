//! Directions in words, read into a dose and a schedule that a person confirms.
//!
//! The words are the instruction; what is read from them is a proposal (O-05). A reading is
//! *clear* when every word was understood and nothing is open, *partial* when something is left
//! for a person to add or decide, and *refused* when nothing may be proposed. A number, a
//! condition or a change that was not understood always refuses: no dose is ever guessed.
//!
//! The text is cut into pieces (`tokens`, `numbers`), the pieces into elements (`grammar` with
//! `amounts`, `when`, `limits`, `places`, from the tables of `words`), and the elements are put
//! together (`assembly`, `timing`, `merge`, `gaps`). `structured` reads a coded dosage in the
//! same terms, `compare` says where words and codes differ, and `proposal` makes an order's dose
//! and schedule.

mod amounts;
mod assembly;
mod gaps;
mod grammar;
mod limits;
mod medicine;
mod merge;
mod numbers;
mod phrase;
mod places;
mod proposal;
mod reading;
mod structured;
mod timing;
mod tokens;
mod when;
mod why;
mod words;

mod compare;

pub use compare::{Conflict, compare};
pub use medicine::weekly_only;
pub use proposal::Start;
pub use reading::{
    AsNeeded, Bounds, Ceiling, Grade, HowMuch, Moment, OnDays, ReadDose, ReadSchedule, Reading,
    Site, Span, Times,
};
pub use structured::{
    DoseQuantity, PeriodUnit, Ratio, StructuredBounds, StructuredDosage, StructuredDose, When,
};
pub use why::{Choice, Doubt, Misfit, Missing, Unread, Why};

use assembly::Assembly;
use mar::quantity::Quantity;

/// The longest text that is read, in characters; longer ones are for a person.
pub const TEXT_MAX: usize = 1_000;

/// Reads a direction.
///
/// Never fails: a text that can't be read is a refused reading that says why.
#[must_use]
pub fn read(text: &str) -> Reading {
    if let Some(unread) = unreadable(text) {
        return refused(text, Why::Unread(unread));
    }
    let tokens = numbers::join(tokens::tokens(text));
    let parts = grammar::parts(&tokens);
    let reading = empty(text);
    Assembly { text, tokens: &tokens, parts: &parts, reading }.finish()
}

/// Reads a direction of a medicine that is known by name: what does not fit the medicine counts
/// too, such as a weekly medicine every day (S-05).
#[must_use]
pub fn read_for(text: &str, medicine: &str) -> Reading {
    read(text).checked_against(medicine)
}

/// Returns the number of a text that is nothing but one number: "ONE", "2", "half." No direction,
/// but what stands on a label is still held against the dose. `None` for any other text.
#[must_use]
pub fn bare_number(text: &str) -> Option<Quantity> {
    if unreadable(text).is_some() {
        return None;
    }
    let tokens = numbers::join(tokens::tokens(text.trim().trim_end_matches('.')));
    let [only] = tokens.as_slice() else { return None };
    let number = only.number().filter(|number| number.high.is_none())?;
    Quantity::new(number.low).ok()
}

fn empty(text: &str) -> Reading {
    Reading {
        text: text.to_owned(),
        grade: Grade::Clear,
        dose: None,
        schedule: None,
        as_needed: None,
        max_24h: None,
        min_interval: None,
        bounds: None,
        site: None,
        route: None,
        method: None,
        extra: Vec::new(),
        remainder: String::new(),
        why: Vec::new(),
    }
}

fn refused(text: &str, why: Why) -> Reading {
    let remainder = text.to_owned();
    Reading { grade: Grade::Refused, remainder, why: vec![why], ..empty(text) }
}

fn unreadable(text: &str) -> Option<Unread> {
    if text.trim().is_empty() {
        return Some(Unread::Empty);
    }
    if text.chars().nth(TEXT_MAX).is_some() {
        return Some(Unread::TooLong { limit: TEXT_MAX });
    }
    if text.chars().any(is_hidden) {
        return Some(Unread::HiddenCharacters);
    }
    // A code such as "&lt;" or "&#49;".
    let coded = text.split('&').skip(1).any(|rest| {
        let name = rest.split(';').next().unwrap_or_default();
        let whole = name.len() < rest.len() && (1..=8).contains(&name.len());
        whole && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '#')
    });
    (coded || text.contains(['<', '>'])).then_some(Unread::Markup)
}

/// Control characters, and characters that turn, join or hide others.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{fff9}'
                ..='\u{fffb}' | '\u{200b}'
                ..='\u{200f}' | '\u{202a}'
                ..='\u{202e}' | '\u{2060}'
                ..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{fffd}' | '\u{fe00}'
                ..='\u{fe0f}' | '\u{e0000}'
                ..='\u{e0fff}'
        )
}

/// Returns what is open about a schedule, whoever wrote it.
fn weigh(schedule: &ReadSchedule) -> Vec<Why> {
    let mut why = Vec::new();
    match schedule.days {
        OnDays::EveryWeeks(_) | OnDays::DaysAWeek(_) => why.push(Why::Missing(Missing::Weekday)),
        OnDays::EveryMonths(_) => why.push(Why::Missing(Missing::DayOfMonth)),
        OnDays::Cycle { .. } => why.push(Why::Missing(Missing::CycleStart)),
        OnDays::Every | OnDays::EveryDays(_) | OnDays::Weekdays(_) | OnDays::Once => {}
    }
    match &schedule.times {
        // The home's four rounds hold up to four doses; more have no times of their own.
        Times::ADay(n) if *n > 4 => why.push(Why::Missing(Missing::Times)),
        Times::At(moments) if moments.contains(&Moment::Afternoon) => {
            why.push(Why::Missing(Missing::Times));
        }
        Times::ADay(_) | Times::At(_) => {}
        Times::Between(..) | Times::UpTo(_) => why.push(Why::Choice(Choice::FrequencyRange)),
        Times::EveryHours(_, Some(_)) => why.push(Why::Choice(Choice::IntervalRange)),
        Times::EveryHours(1, None) => why.push(Why::Doubt(Doubt::EveryHour)),
        Times::EveryHours(_, None) => {}
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_by_itself_is_known_and_nothing_else_is() {
        for (text, number) in [("ONE", "1"), ("Two.", "2"), (" 3 ", "3"), ("half", "0.5")] {
            assert_eq!(bare_number(text), number.parse().ok(), "{text}");
        }
        for text in ["", "one daily", "one or two", "1-2", "ONE tablet", "as directed"] {
            assert_eq!(bare_number(text), None, "{text}");
        }
    }
}
