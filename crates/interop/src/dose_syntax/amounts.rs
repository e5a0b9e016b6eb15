//! Doses: "one", "2.5 ml", "one or two tablets", "one 5 ml spoonful", "EIGHT (8) tablets".

use super::grammar::{DoseDoubt, DoseWords};
use super::reading::HowMuch;
use super::tokens::{Kind, Number, Token, Written};
use super::words::{self, UnitKind};
use mar::quantity::Quantity;
use rust_decimal::Decimal;

type UnitWord = (&'static str, UnitKind);

/// Reads a dose at the start. A number that is no dose is left where it is.
pub(super) fn dose(rest: &[Token]) -> Option<(DoseWords, usize)> {
    let up_to = match (rest.first()?.word(), rest.get(1).and_then(Token::word)) {
        (Some("upto"), _) => 1,
        (Some("up"), Some("to")) => 2,
        _ => 0,
    };
    let (dose, length) = spoonfuls(&rest[up_to..])
        .or_else(|| strength_of_pieces(&rest[up_to..]))
        .or_else(|| two_units(&rest[up_to..]))
        .or_else(|| plain(&rest[up_to..]))?;
    if up_to == 0 {
        return Some((dose, length));
    }
    let HowMuch::Exactly(most) = dose.how_much else { return None };
    Some((DoseWords { how_much: HowMuch::UpTo(most), ..dose }, length + up_to))
}

fn unit_at(tokens: &[Token], at: usize) -> Option<UnitWord> {
    tokens.get(at).and_then(Token::word).and_then(words::unit)
}

fn number_at(tokens: &[Token], at: usize) -> Option<&Number> {
    tokens.get(at).and_then(Token::number)
}

fn is_word(tokens: &[Token], at: usize, word: &str) -> bool {
    tokens.get(at).and_then(Token::word) == Some(word)
}

fn how_much(number: &Number) -> Option<HowMuch> {
    let low = Quantity::new(number.low).ok()?;
    Some(match number.high {
        Some(high) => HowMuch::Between(low, Quantity::new(high).ok()?),
        None => HowMuch::Exactly(low),
    })
}

/// Returns the doubt of a number by the way it is written; `Err` when it can't be a dose.
fn doubt_of(number: &Number, unit_word: Option<&str>) -> Result<Option<DoseDoubt>, ()> {
    match number.written {
        Written::Digits | Written::Words | Written::Part => Ok(None),
        Written::NakedPoint => Ok(Some(DoseDoubt::NakedPoint)),
        // "1/2 tablet" is half of one; "1/2 tablets" and "1/2 tds" can be one or two.
        Written::Slash if unit_word.is_some_and(one_piece) => Ok(None),
        Written::Slash | Written::Doubtful => Err(()),
    }
}

/// Whether a word is the singular of something that is counted: `tablet`, not `tablets`.
fn one_piece(word: &str) -> bool {
    words::unit(word).is_some_and(|(shown, kind)| word == shown && kind == UnitKind::Solid)
}

/// "one", "2 tablets", "a tablet", "100 mg to 200 mg", "EIGHT (8) tablets", "10 ml (500 mg)".
fn plain(rest: &[Token]) -> Option<(DoseWords, usize)> {
    if is_word(rest, 0, "a") || is_word(rest, 0, "an") {
        let unit = unit_at(rest, 1)?;
        let how_much = HowMuch::Exactly(Quantity::whole(1));
        return Some((
            DoseWords { how_much, unit: Some(unit), bare_digits: false, doubt: None },
            2,
        ));
    }
    let number = number_at(rest, 0)?;
    let mut length = 1;
    if let Some(said_again) = in_brackets(rest, length, number) {
        length += said_again;
    }
    let unit = unit_at(rest, length);
    let mut doubt = doubt_of(number, rest.get(length).and_then(Token::word)).ok()?;
    let mut amount = how_much(number)?;
    if unit.is_some() {
        length += 1;
        if let Some((high, more)) = upper_end(rest, length, unit) {
            let HowMuch::Exactly(low) = amount else { return None };
            if high <= low {
                return None;
            }
            amount = HowMuch::Between(low, high);
            length += more;
        }
        if let Some(more) = second_amount(rest, length) {
            let volume = matches!(unit, Some((_, UnitKind::Volume)));
            doubt = Some(if volume { DoseDoubt::VolumeAndMass } else { DoseDoubt::SecondAmount });
            length += more;
        }
    }
    let bare_digits = unit.is_none() && number.written == Written::Digits;
    Some((DoseWords { how_much: amount, unit, bare_digits, doubt }, length))
}

/// "(8)" after "EIGHT", "(one)" after "1": the same number once more. Returns how many pieces it
/// takes.
fn in_brackets(rest: &[Token], at: usize, number: &Number) -> Option<usize> {
    let again = number_at(rest, at + 1)?;
    let brackets = rest.get(at)?.is_mark('(') && rest.get(at + 2)?.is_mark(')');
    let same = again.low == number.low && again.high == number.high;
    let sure = matches!(again.written, Written::Digits | Written::Words);
    (brackets && same && sure).then_some(3)
}

/// "to 200 mg" after "100 mg".
fn upper_end(rest: &[Token], at: usize, unit: Option<UnitWord>) -> Option<(Quantity, usize)> {
    let joint = rest.get(at)?;
    let joins = matches!(joint.word(), Some("to" | "or")) || joint.is_mark('-');
    let high = number_at(rest, at + 1).filter(|n| n.high.is_none())?;
    let fits = joins && unit_at(rest, at + 2) == unit && high.written == Written::Digits;
    fits.then(|| Quantity::new(high.low).ok().map(|high| (high, 3))).flatten()
}

/// "(500 mg)", "( = 500 mg )" after "10 ml". Returns how many pieces it takes.
fn second_amount(rest: &[Token], at: usize) -> Option<usize> {
    rest.get(at)?.is_mark('(').then_some(())?;
    let number = at + 1 + usize::from(rest.get(at + 1)?.is_mark('='));
    number_at(rest, number).filter(|n| n.written == Written::Digits && n.high.is_none())?;
    let (_, kind) = unit_at(rest, number + 1)?;
    let measured = matches!(kind, UnitKind::Mass | UnitKind::Volume);
    (measured && rest.get(number + 2)?.is_mark(')')).then_some(number + 3 - at)
}

/// "one 5 ml spoonful", "2 x 5 ml spoonfuls", "5 ml spoonful", "two spoonfuls".
fn spoonfuls(rest: &[Token]) -> Option<(DoseWords, usize)> {
    let spoon = |at: usize| {
        rest.get(at).and_then(Token::word).is_some_and(|word| words::SPOONS.contains(&word))
    };
    let number = number_at(rest, 0)?;
    let times = usize::from(is_word(rest, 1, "x"));
    let ml = |at: usize| unit_at(rest, at).is_some_and(|(shown, _)| shown == "ml");
    let sure = |n: &Number| doubt_of(n, None).is_ok_and(|doubt| doubt.is_none());
    let unit = Some(("ml", UnitKind::Volume));
    let made = |how_much, unit, doubt| DoseWords { how_much, unit, bare_digits: false, doubt };
    if !sure(number) {
        return None;
    }
    if spoon(1) {
        let spoons = Some(("spoonful", UnitKind::Volume));
        return Some((made(how_much(number)?, spoons, Some(DoseDoubt::Spoon)), 2));
    }
    if ml(1) && spoon(2) {
        return Some((made(how_much(number)?, unit, None), 3));
    }
    let size = number_at(rest, 1 + times).filter(|n| n.high.is_none() && sure(n))?;
    let known_size = [Decimal::new(25, 1), Decimal::from(5), Decimal::from(10)].contains(&size.low);
    if !known_size || !ml(2 + times) || !(spoon(3 + times) || times == 1) {
        return None;
    }
    let amount = how_much(number)?.times(Quantity::new(size.low).ok()?)?;
    // "2 x 5 ml" with no spoon: a person looks at it.
    let (doubt, length) =
        if spoon(3 + times) { (None, 4) } else { (Some(DoseDoubt::SecondAmount), 3) };
    Some((made(amount, unit, doubt), length + times))
}

/// "one 500 mg tablet", "one 25 microgram patch": the number of pieces, with their strength.
fn strength_of_pieces(rest: &[Token]) -> Option<(DoseWords, usize)> {
    let number = number_at(rest, 0)?;
    let in_words = matches!(number.written, Written::Words | Written::Part);
    let measured = unit_at(rest, 2).is_some_and(|(_, kind)| kind == UnitKind::Mass);
    let pieces =
        unit_at(rest, 3).filter(|(_, kind)| matches!(kind, UnitKind::Solid | UnitKind::Piece))?;
    number_at(rest, 1).filter(|n| n.high.is_none() && n.written == Written::Digits)?;
    if !in_words || !measured {
        return None;
    }
    let doubt = Some(DoseDoubt::SecondAmount);
    let how_much = how_much(number)?;
    Some((DoseWords { how_much, unit: Some(pieces), bare_digits: false, doubt }, 4))
}

/// "60 mg tablet": the strength of a tablet, or a dose.
fn two_units(rest: &[Token]) -> Option<(DoseWords, usize)> {
    let number = number_at(rest, 0)?;
    let unit = unit_at(rest, 1)?;
    let (_, second) = unit_at(rest, 2)?;
    let pieces = matches!(second, UnitKind::Solid | UnitKind::Piece | UnitKind::Placed);
    if !pieces || !matches!(unit.1, UnitKind::Mass | UnitKind::Volume) {
        return None;
    }
    let doubt = Some(DoseDoubt::Strength);
    Some((
        DoseWords { how_much: how_much(number)?, unit: Some(unit), bare_digits: false, doubt },
        3,
    ))
}

/// Whether a piece is a number of any sort: unread, it stops the reading.
pub(super) const fn is_numeric(token: &Token) -> bool {
    matches!(token.kind, Kind::Number(_) | Kind::Clock(_) | Kind::Date | Kind::Shorthand(..))
}
