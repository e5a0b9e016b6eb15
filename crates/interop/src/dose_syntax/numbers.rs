//! Makes one number of several words: "one and a half", "twenty four", "one or two", "½".

use super::tokens::{Kind, Number, Token, Written};
use rust_decimal::Decimal;

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// Joins the pieces that are one number.
pub(super) fn join(tokens: Vec<Token>) -> Vec<Token> {
    ranges(parts(counts(tokens)))
}

fn number_token(tokens: &[Token], number: Number) -> Option<Token> {
    let (first, last) = (tokens.first()?, tokens.last()?);
    let kind = Kind::Number(number);
    Some(Token { kind, start: first.start, end: last.end, glued: first.glued })
}

/// "one" to "ninety nine".
fn counts(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let word = token.word().unwrap_or_default();
        let unit = |word: &str| UNITS.iter().position(|unit| *unit == word);
        let mut length = 1;
        let value = if let Some(tens) = TENS.iter().position(|tens| *tens == word) {
            let hyphen = usize::from(tokens.get(at + 1).is_some_and(|t| t.is_mark('-') && t.glued));
            let next = tokens.get(at + 1 + hyphen).and_then(Token::word).and_then(unit);
            let ones = next.filter(|n| (1..10).contains(n));
            if ones.is_some() {
                length = 2 + hyphen;
            }
            Some((tens + 2) * 10 + ones.unwrap_or(0))
        } else {
            unit(word)
        };
        let number = value.map(|n| Number::one(Decimal::from(n), Written::Words));
        let made = number.and_then(|number| number_token(&tokens[at..at + length], number));
        joined.push(made.unwrap_or_else(|| token.clone()));
        at += length;
    }
    joined
}

/// A part of one piece at the start: "half", "half a", "a quarter of a", "three quarters of a".
/// Returns the value and how many pieces it takes.
fn part(tokens: &[Token]) -> Option<(Decimal, usize)> {
    let word = |at: usize| tokens.get(at).and_then(Token::word);
    let lead = usize::from(matches!(word(0), Some("a")));
    let (value, mut length) = match (tokens.get(lead).map(|t| &t.kind)?, word(lead + 1)) {
        (Kind::Number(n), Some("quarters")) if lead == 0 => {
            let quarters = n.whole().filter(|n| (1..=3).contains(n))?;
            (Decimal::new(i64::from(quarters) * 25, 2), 2)
        }
        (Kind::Number(n), _) if lead == 0 && n.written == Written::Part => (n.low, 1),
        // "1/2 a tablet" can't be one to two tablets.
        (Kind::Number(n), Some("a" | "an")) if lead == 0 && n.written == Written::Slash => {
            (n.low, 1)
        }
        (Kind::Word(word), _) if word == "half" => (Decimal::new(5, 1), lead + 1),
        (Kind::Word(word), _) if word == "quarter" => (Decimal::new(25, 2), lead + 1),
        _ => return None,
    };
    // "half a tablet", "half of a tablet", "a quarter of one tablet"; never "half of two".
    let of = usize::from(word(length) == Some("of"));
    let one = match tokens.get(length + of).map(|t| &t.kind) {
        Some(Kind::Word(word)) => word == "a" || word == "an",
        Some(Kind::Number(n)) => of == 1 && n.written == Written::Words && n.whole() == Some(1),
        _ => false,
    };
    if one {
        length += of + 1;
    }
    Some((value, length))
}

/// "half a", "one and a half", "1½", "1 1/2 tablets".
fn parts(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = &tokens[at..];
        let (number, length) = if let Some((value, length)) = part(rest) {
            (Some(Number::one(value, Written::Part)), length)
        } else if let Some((value, length)) = whole_and_part(rest) {
            (Some(Number::one(value, Written::Words)), length)
        } else {
            (None, 1)
        };
        let made = number.and_then(|number| number_token(&rest[..length], number));
        joined.push(made.unwrap_or_else(|| token.clone()));
        at += length;
    }
    joined
}

fn whole_and_part(tokens: &[Token]) -> Option<(Decimal, usize)> {
    let whole = Decimal::from(tokens.first()?.number()?.whole()?);
    let next = tokens.get(1)?;
    if next.word() == Some("and") {
        let (value, length) = part(&tokens[2..])?;
        return Some((whole.checked_add(value)?, length + 2));
    }
    let part = next.number()?;
    // "1½" and "1 ½"; "1 1/2" only where a unit follows, since "1 1/2" can be two numbers.
    let sure = match part.written {
        Written::Part => part.low < Decimal::ONE,
        Written::Slash => tokens.get(2).is_some_and(|t| t.word().is_some()),
        Written::Digits | Written::Words | Written::NakedPoint | Written::Doubtful => false,
    };
    let glyph = next.end - next.start <= 3;
    (sure && glyph).then(|| whole.checked_add(part.low).map(|sum| (sum, 2))).flatten()
}

/// "one or two", "1-2", "1 to 2", "one/two". A chain such as "1 or 2 - 3" is no number.
fn ranges(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let Some(number) = token.number() else {
            joined.push(token.clone());
            at += 1;
            continue;
        };
        let mut last = at;
        let mut chain = vec![number.clone()];
        while let Some(next) = after_joint(&tokens, last) {
            let Some(number) = tokens[next].number() else { break };
            chain.push(number.clone());
            last = next;
        }
        let made = match chain.as_slice() {
            [one] => one.clone(),
            [low, high] => range(low, high),
            _ => Number::one(Decimal::ZERO, Written::Doubtful),
        };
        let made = number_token(&tokens[at..=last], made);
        joined.push(made.unwrap_or_else(|| token.clone()));
        at = last + 1;
    }
    joined
}

/// Returns the place after "to", "or", "-" or "/", where the second number of a range would be.
fn after_joint(tokens: &[Token], at: usize) -> Option<usize> {
    let joint = tokens.get(at + 1)?;
    let next = tokens.get(at + 2)?;
    next.number()?;
    let written = |t: &Token| t.number().map(|n| n.written);
    let in_words =
        written(&tokens[at]) == Some(Written::Words) && written(next) == Some(Written::Words);
    let joins = matches!(joint.word(), Some("to" | "or"))
        || joint.is_mark('-')
        || (joint.is_mark('/') && in_words);
    joins.then_some(at + 2)
}

fn range(low: &Number, high: &Number) -> Number {
    let doubtful = [low.written, high.written]
        .iter()
        .any(|w| matches!(w, Written::Doubtful | Written::NakedPoint | Written::Slash));
    if doubtful || low.low >= high.low {
        return Number::one(Decimal::ZERO, Written::Doubtful);
    }
    let digits = low.written == Written::Digits || high.written == Written::Digits;
    let written = if digits { Written::Digits } else { Written::Words };
    Number { low: low.low, high: Some(high.low), written }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn first(text: &str) -> (String, Option<String>, Written) {
        let joined = join(tokens(text));
        let number = joined.iter().find_map(Token::number).expect("a number");
        (number.low.normalize().to_string(), number.high.map(|n| n.to_string()), number.written)
    }

    #[test]
    fn words_and_parts_become_one_number() {
        assert_eq!(first("twenty four hours").0, "24");
        assert_eq!(first("twenty-four hours").0, "24");
        assert_eq!(first("half a tablet").0, "0.5");
        assert_eq!(first("one and a half tablets").0, "1.5");
        assert_eq!(first("2 and a half tablets").0, "2.5");
        assert_eq!(first("3 and 3 quarters of a tablet").0, "3.75");
        assert_eq!(first("1½ tablets").0, "1.5");
        assert_eq!(first("quarter of one tablet").0, "0.25");
    }

    #[test]
    fn a_half_of_two_is_not_one_number() {
        let joined = join(tokens("half of two tablets"));
        assert_eq!(joined.iter().filter(|t| t.number().is_some()).count(), 2);
    }

    #[test]
    fn ranges_join_and_chains_are_doubtful() {
        assert_eq!(first("one or two"), ("1".into(), Some("2".into()), Written::Words));
        assert_eq!(first("1-2"), ("1".into(), Some("2".into()), Written::Digits));
        assert_eq!(first("1 or 2 - 3 times").2, Written::Doubtful);
        assert_eq!(first("2-1").2, Written::Doubtful);
    }
}
