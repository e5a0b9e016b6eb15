//! Cuts a text into numbers, words, clock times, dates and marks.

use mar::schedule::TimeOfDay;
use rust_decimal::Decimal;
use std::str::FromStr;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Where it begins in the text, in bytes.
    pub(super) start: usize,
    /// Where it ends in the text, in bytes.
    pub(super) end: usize,
    /// Whether nothing stands between it and the piece before.
    pub(super) glued: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Number(Number),
    /// In lower case, without dots: `p.r.n.` is `prn`. A glued `(s)` stays: `tablet(s)`.
    Word(String),
    Clock(TimeOfDay),
    /// A calendar date; it is shown and never reckoned with.
    Date,
    /// `5/7`, `1/52`, `3/12`: days, weeks, months.
    Shorthand(u16, u8),
    Mark(char),
}

/// A number or a range of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) low: Decimal,
    /// The upper end of a range.
    pub(super) high: Option<Decimal>,
    pub(super) written: Written,
}

/// How a number is written, which decides what it can be mistaken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Digits,
    Words,
    /// `½`, `half`: a part of one piece.
    Part,
    /// `1/2`: a half, or one to two.
    Slash,
    /// `.5`: the point may be overlooked.
    NakedPoint,
    /// It can't be told what number it is.
    Doubtful,
}

impl Number {
    pub(super) const fn one(value: Decimal, written: Written) -> Self {
        Self { low: value, high: None, written }
    }

    /// Returns the whole number, for counts of times, days and hours.
    pub(super) fn whole(&self) -> Option<u16> {
        if self.high.is_some() || !self.low.is_integer() || self.written == Written::Doubtful {
            return None;
        }
        u16::try_from(self.low).ok()
    }
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        if let Kind::Word(word) = &self.kind { Some(word) } else { None }
    }

    pub(super) const fn number(&self) -> Option<&Number> {
        if let Kind::Number(number) = &self.kind { Some(number) } else { None }
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// Cuts the text. Whatever is no letter, digit or space becomes a mark, so that nothing is lost.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut cutter = Cutter { text, at: 0, found: Vec::new() };
    let mut last_end = None;
    while let Some(next) = cutter.rest().chars().next() {
        if next.is_whitespace() {
            cutter.at += next.len_utf8();
            continue;
        }
        let start = cutter.at;
        let kind = if next.is_ascii_digit() {
            cutter.number()
        } else if next.is_alphabetic() {
            cutter.word()
        } else {
            cutter.mark(next)
        };
        let glued = last_end == Some(start);
        last_end = Some(cutter.at);
        cutter.found.push(Token { kind, start, end: cutter.at, glued });
    }
    cutter.found
}

struct Cutter<'t> {
    text: &'t str,
    at: usize,
    found: Vec<Token>,
}

/// Returns the run of ASCII digits at the start.
fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

impl<'t> Cutter<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn take(&mut self, length: usize) -> &'t str {
        let taken = &self.rest()[..length];
        self.at += length;
        taken
    }

    fn mark(&mut self, mark: char) -> Kind {
        let after = &self.rest()[mark.len_utf8()..];
        if mark == '.' && after.starts_with(|c: char| c.is_ascii_digit()) {
            let length = 1 + digits(after).len();
            let raw = self.take(length);
            let value = Decimal::from_str(&format!("0{raw}")).unwrap_or(Decimal::ZERO);
            // ".5" after a number that ended before it: "2 .5" has no sure reading.
            let alone = self.found.last().is_none_or(|token| token.number().is_none());
            let written = if alone { Written::NakedPoint } else { Written::Doubtful };
            return Kind::Number(Number::one(value, written));
        }
        self.at += mark.len_utf8();
        let part = match mark {
            '½' => Some((5, 1)),
            '¼' => Some((25, 2)),
            '¾' => Some((75, 2)),
            _ => None,
        };
        if let Some((units, scale)) = part {
            return Kind::Number(Number::one(Decimal::new(units, scale), Written::Part));
        }
        if mark.is_numeric() {
            return Kind::Number(Number::one(Decimal::ZERO, Written::Doubtful));
        }
        match mark {
            '–' | '—' | '‒' | '−' | '‐' | '‑' => Kind::Mark('-'),
            '×' => Kind::Word("x".to_owned()),
            other => Kind::Mark(other),
        }
    }

    fn word(&mut self) -> Kind {
        if let Some(word) = self.dotted() {
            return Kind::Word(word);
        }
        let is_part = |c: char| c.is_alphabetic() || c == '\'' || c == '’';
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let mut word = self.take(length).to_lowercase().replace('’', "'");
        let after = self.rest();
        if after.len() >= 3 && after.as_bytes()[..3].eq_ignore_ascii_case(b"(s)") {
            self.at += 3;
            word.push_str("(s)");
        } else if after.len() >= 4 && after.as_bytes()[..4].eq_ignore_ascii_case(b"(es)") {
            self.at += 4;
            word.push_str("(s)");
        }
        Kind::Word(word)
    }

    /// `q.d.s.`, `p.r.n`, `s/c`, `n/a`: single letters with dots or one stroke between them.
    fn dotted(&mut self) -> Option<String> {
        let bytes = self.rest().as_bytes();
        let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
        let mut word = String::new();
        let mut at = 0;
        let mut length = 0;
        while letter(at) && !letter(at + 1) && !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            word.push(char::from(bytes[at].to_ascii_lowercase()));
            length = at + 1;
            match bytes.get(at + 1) {
                Some(b'.') => length = at + 2,
                Some(b'/') if word.len() == 1 && letter(at + 2) => {}
                _ => break,
            }
            at += 2;
        }
        if word.len() < 2 {
            return None;
        }
        self.at += length;
        Some(word)
    }

    fn number(&mut self) -> Kind {
        if let Some(length) = date_length(self.rest()) {
            self.at += length;
            return Kind::Date;
        }
        if let Some((time, length)) = clock(self.rest()) {
            self.at += length;
            return Kind::Clock(time);
        }
        let whole = digits(self.rest());
        let after = &self.rest()[whole.len()..];
        if let Some(below) = after.strip_prefix('/').map(digits)
            && !below.is_empty()
            && let Some(kind) = stroke(whole, below)
        {
            self.at += whole.len() + 1 + below.len();
            return kind;
        }
        let raw = self.take(decimal_length(self.rest()));
        Kind::Number(decimal(raw))
    }
}

/// Returns the length of `2`, `2.5`, `1,000` or `1,000.5` at the start of the text.
fn decimal_length(text: &str) -> usize {
    let mut length = digits(text).len();
    let group = |at: usize| {
        let rest = text[at..].strip_prefix(',');
        rest.is_some_and(|rest| digits(rest).len() == 3)
    };
    if length <= 3 {
        while group(length) {
            length += 4;
        }
    }
    if let Some(rest) = text[length..].strip_prefix('.') {
        let places = digits(rest).len();
        if places > 0 {
            length += 1 + places;
        }
    }
    length
}

fn decimal(raw: &str) -> Number {
    let Ok(value) = Decimal::from_str(&raw.replace(',', "")) else {
        return Number::one(Decimal::ZERO, Written::Doubtful);
    };
    // "1.000" is one, or a thousand where a point groups digits: a factor of 1,000 apart. More
    // than three places are finer than any dose.
    let places = raw.split_once('.').map_or(0, |(_, places)| places.len());
    let grouped = places == 3 && !raw.starts_with('0');
    // "05" and "007" are no way to write a dose.
    let padded = raw.len() > 1 && raw.starts_with('0') && !raw.starts_with("0.");
    let odd = grouped || padded || places > 3;
    Number::one(value, if odd { Written::Doubtful } else { Written::Digits })
}

/// `1/2`, `1/4`, `3/4` are parts; `5/7`, `2/52`, `3/12` are days, weeks and months.
fn stroke(above: &str, below: &str) -> Option<Kind> {
    let count: u16 = above.parse().ok()?;
    match (count, below) {
        (1, "2") => Some(Kind::Number(Number::one(Decimal::new(5, 1), Written::Slash))),
        (1, "4") => Some(Kind::Number(Number::one(Decimal::new(25, 2), Written::Slash))),
        (3, "4") => Some(Kind::Number(Number::one(Decimal::new(75, 2), Written::Slash))),
        (_, "7") => Some(Kind::Shorthand(count, 7)),
        (_, "52") => Some(Kind::Shorthand(count, 52)),
        (_, "12") => Some(Kind::Shorthand(count, 12)),
        _ => None,
    }
}

/// Returns the length of `2.12.2024`, `02/12/24`, `2-12-2024` at the start of the text.
fn date_length(text: &str) -> Option<usize> {
    let day = digits(text).len();
    let separator = text[day..].chars().next().filter(|c| "./-".contains(*c))?;
    let month = digits(&text[day + 1..]).len();
    let rest = text[day + 1 + month..].strip_prefix(separator)?;
    let year = digits(rest).len();
    let fits = (1..=2).contains(&day) && (1..=2).contains(&month) && (year == 2 || year == 4);
    fits.then_some(day + month + year + 2)
}

/// Reads `08:00`, `8:30 pm`, `8.30am`, `8am`; plain `8` is none.
fn clock(text: &str) -> Option<(TimeOfDay, usize)> {
    let hour_digits = digits(text);
    let mut hour: u8 = hour_digits.parse().ok().filter(|_| hour_digits.len() <= 2)?;
    let mut length = hour_digits.len();
    let separator = text[length..].chars().next();
    let mut minute = 0;
    let colon = separator == Some(':');
    if (colon || separator == Some('.')) && digits(&text[length + 1..]).len() == 2 {
        minute = digits(&text[length + 1..]).parse().ok()?;
        length += 3;
        // "08:00:30" and "8.305" are no times of a dose.
        if text[length..].starts_with(|c: char| c == ':' || c.is_ascii_digit()) {
            return None;
        }
    } else if colon {
        return None;
    }
    let after = &text[length..];
    let gap = after.len() - after.trim_start_matches(' ').len();
    let half = half_of_day(&after[gap..]);
    if let Some((afternoon, half_length)) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if afternoon { 12 } else { 0 };
        length += gap + half_length;
    } else if !colon {
        return None;
    }
    Some((TimeOfDay::new(hour, minute)?, length))
}

/// Reads `am`, `p.m.`, not followed by another letter.
fn half_of_day(text: &str) -> Option<(bool, usize)> {
    for (spelling, afternoon) in [("am", false), ("a.m.", false), ("pm", true), ("p.m.", true)] {
        let Some(start) = text.get(..spelling.len()) else { continue };
        let next = text[spelling.len()..].chars().next();
        if start.eq_ignore_ascii_case(spelling) && !next.is_some_and(char::is_alphanumeric) {
            return Some((afternoon, spelling.len()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).into_iter().map(|token| token.kind).collect()
    }

    fn word(text: &str) -> Kind {
        Kind::Word(text.to_owned())
    }

    fn number(text: &str) -> Kind {
        Kind::Number(Number::one(Decimal::from_str(text).expect("a number"), Written::Digits))
    }

    #[test]
    fn letters_and_digits_are_cut_apart() {
        assert_eq!(kinds("2x5ml"), [number("2"), word("x"), number("5"), word("ml")]);
        assert_eq!(kinds("q.d.s. p.r.n."), [word("qds"), word("prn")]);
        assert_eq!(kinds("s/c n/a"), [word("sc"), word("na")]);
        assert_eq!(kinds("Tablet(s)"), [word("tablet(s)")]);
        assert_eq!(kinds("1,000mg"), [number("1000"), word("mg")]);
    }

    #[test]
    fn clock_times_dates_and_shorthand_are_told_apart_from_doses() {
        let at = |h, m| Kind::Clock(TimeOfDay::new(h, m).expect("a time"));
        assert_eq!(kinds("08:00 8pm 8.30 am 12am"), [at(8, 0), at(20, 0), at(8, 30), at(0, 0)]);
        assert_eq!(kinds("2.12.2024 5/7"), [Kind::Date, Kind::Shorthand(5, 7)]);
        assert_eq!(kinds("13pm"), [number("13"), word("pm")]);
    }

    #[test]
    fn numbers_that_can_be_misread_are_marked() {
        let written = |text: &str| tokens(text)[0].number().map(|n| n.written);
        assert_eq!(written("1.000"), Some(Written::Doubtful));
        assert_eq!(written("0.125"), Some(Written::Digits));
        assert_eq!(written(".5"), Some(Written::NakedPoint));
        assert_eq!(written("1/2"), Some(Written::Slash));
        assert_eq!(written("٣"), Some(Written::Doubtful));
        assert_eq!(written(&"9".repeat(60)), Some(Written::Doubtful));
    }
}
