//! Matches a run of pieces with a pattern of words.

use super::tokens::{Kind, Number, Token};

/// What a pattern found: how many pieces, and the numbers that stand in it.
pub(super) struct Found {
    pub(super) length: usize,
    pub(super) numbers: Vec<Number>,
}

/// Matches the start of `tokens`.
///
/// A pattern is words with a space between them. `a|b` is either word, `a?` may be missing, `#` is
/// a number, `/` is that mark. A hyphen glued between two words counts as a space, and a full stop
/// after a shortened word (`max.`) is passed over where the pattern has `.?`.
pub(super) fn phrase(tokens: &[Token], pattern: &str) -> Option<Found> {
    let mut at = 0;
    let mut numbers = Vec::new();
    for slot in pattern.split(' ') {
        let (slot, may_miss) = slot.strip_suffix('?').map_or((slot, false), |slot| (slot, true));
        let here = at + usize::from(at > 0 && hyphen(tokens, at));
        let fits = tokens.get(here).is_some_and(|token| match &token.kind {
            Kind::Number(number) if slot == "#" => {
                numbers.push(number.clone());
                true
            }
            Kind::Word(word) => slot.split('|').any(|option| option == word),
            Kind::Mark(mark) => slot.len() == 1 && slot.starts_with(*mark),
            Kind::Number(_) | Kind::Clock(_) | Kind::Date | Kind::Shorthand(..) => false,
        });
        if fits {
            at = here + 1;
        } else if !may_miss {
            return None;
        }
    }
    (at > 0).then_some(Found { length: at, numbers })
}

fn hyphen(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|t| t.is_mark('-') && t.glued)
        && tokens.get(at + 1).is_some_and(|t| t.glued)
}

/// Matches the longest of several patterns.
pub(super) fn longest(tokens: &[Token], patterns: &[&str]) -> Option<Found> {
    let found = patterns.iter().filter_map(|pattern| phrase(tokens, pattern));
    found.max_by_key(|found| found.length)
}

#[cfg(test)]
mod tests {
    use super::super::{numbers, tokens};
    use super::*;

    fn length(text: &str, pattern: &str) -> Option<usize> {
        phrase(&numbers::join(tokens::tokens(text)), pattern).map(|found| found.length)
    }

    #[test]
    fn a_pattern_has_choices_numbers_and_words_that_may_be_missing() {
        assert_eq!(length("When needed for pain", "when|if|as needed|required"), Some(2));
        assert_eq!(length("for the next 5 days", "for the? next? # days"), Some(5));
        assert_eq!(length("for five days", "for the? next? # days"), Some(3));
        assert_eq!(length("for days", "for # days"), None);
        assert_eq!(length("7-day tablet-free interval", "# day tablet free interval"), Some(7));
    }
}
