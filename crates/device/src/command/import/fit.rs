//! Whether what a file says of a person fits a resident. No identifier decides it alone: one that
//! was typed wrong would put a person's medicines into another's record (H-05, H-39).

use chrono::NaiveDate;
use interop::fhir::ProposedResident;
use mar::resident::Identity;
use std::collections::BTreeSet;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Stands where the file does not name the person, until somebody writes the name.
pub(super) const NAMELESS: &str = "Name not sent";

/// A shorter word is in too many names: `de`, `al`.
const WORD_MIN: usize = 3;

/// How what was sent of a person fits a resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The dates of birth agree, and the names agree at least in part or one was not sent.
    Same,
    /// The names agree; one of the two has no date of birth.
    NameOnly,
    /// The dates of birth differ.
    OtherBirth,
    /// The names have nothing in common.
    OtherName,
    /// One of the two says too little.
    TooLittle,
}

/// How two names fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The family name, and a given name where both have one.
    Same,
    /// Something of them, as after a marriage.
    Partly,
    /// Nothing of them.
    Other,
    /// One of the two has no name.
    NotSaid,
}

/// Returns how a person of a file fits a resident: `identity` is what `sent` comes to.
pub(super) fn fit(known: &Identity, sent: &ProposedResident, identity: &Identity) -> Fit {
    let names = match names(known, identity) {
        Names::Other if shares_a_former_name(known, sent) => Names::Partly,
        found @ (Names::Same | Names::Partly | Names::Other | Names::NotSaid) => found,
    };
    match (known.born.zip(identity.born).map(|(a, b)| a == b), names) {
        (Some(false), _) => Fit::OtherBirth,
        (_, Names::Other) => Fit::OtherName,
        (Some(true), Names::Same | Names::Partly | Names::NotSaid) => Fit::Same,
        (None, Names::Same) => Fit::NameOnly,
        (None, Names::Partly | Names::NotSaid) => Fit::TooLittle,
    }
}

/// Returns how the names of two people fit, case and accents folded.
pub(super) fn names(a: &Identity, b: &Identity) -> Names {
    if !is_named(a) || !is_named(b) {
        return Names::NotSaid;
    }
    let given = |i: &Identity| {
        words(&i.given).into_iter().chain(words(i.known_as.as_deref().unwrap_or_default()))
    };
    let (given_a, given_b): (BTreeSet<_>, BTreeSet<_>) = (given(a).collect(), given(b).collect());
    let given_fits = given_a.is_empty() || given_b.is_empty() || !given_a.is_disjoint(&given_b);
    let family_fits = folded(&a.family) == folded(&b.family);
    let all = |i: &Identity, given: BTreeSet<String>| -> BTreeSet<String> {
        let long = |word: &String| word.chars().count() >= WORD_MIN;
        given.into_iter().chain(words(&i.family)).filter(long).collect()
    };
    if (family_fits && given_fits) || is_whole_of(a, b) || is_whole_of(b, a) {
        Names::Same
    } else if family_fits || !all(a, given_a).is_disjoint(&all(b, given_b)) {
        Names::Partly
    } else {
        Names::Other
    }
}

/// Whether `whole` is a name in one piece, perhaps with a title, that holds the other's family and
/// given name.
fn is_whole_of(whole: &Identity, parts: &Identity) -> bool {
    let (whole_words, given) = (words(&whole.family), words(&parts.given));
    words(&whole.given).is_empty()
        && words(&parts.family).iter().all(|word| whole_words.contains(word))
        && given.iter().any(|word| whole_words.contains(word))
}

fn shares_a_former_name(known: &Identity, sent: &ProposedResident) -> bool {
    sent.names.iter().any(|name| {
        let whole = name.text.as_deref().unwrap_or_default();
        let former = if name.family.is_empty() { whole } else { &name.family };
        matches!(names(known, &Identity::named(former, &name.given)), Names::Same | Names::Partly)
    })
}

/// What tells a person from another where there is no number: `None` without a date of birth or a
/// name.
pub(super) fn name_key(identity: &Identity) -> Option<(NaiveDate, String, String)> {
    let born = identity.born.filter(|_| is_named(identity))?;
    Some((born, folded(&identity.family), folded(&identity.given)))
}

pub(super) fn is_named(identity: &Identity) -> bool {
    identity.family != NAMELESS && !folded(&identity.family).is_empty()
}

fn folded(name: &str) -> String {
    words(name).concat()
}

/// Returns the words of a name without case, accents and apostrophes.
fn words(name: &str) -> Vec<String> {
    let plain: String = name
        .nfd()
        .filter(|c| !is_combining_mark(*c) && !matches!(c, '\'' | '’' | '‘' | '`'))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ł' => 'l',
            'ø' => 'o',
            'đ' | 'ð' => 'd',
            'ı' => 'i',
            other => other,
        })
        .collect();
    let plain = plain.replace('ß', "ss").replace('æ', "ae").replace('œ', "oe");
    plain.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: (&str, &str), b: (&str, &str), expected: Names) {
        let (a, b) = (Identity::named(a.0, a.1), Identity::named(b.0, b.1));
        assert_eq!((names(&a, &b), names(&b, &a)), (expected, expected));
    }

    #[test]
    fn a_name_is_the_same_in_another_spelling_and_in_part_after_a_marriage() {
        check(("Shaw", "Gladys"), ("SHAW", "Gladys May"), Names::Same);
        check(("Wiśniewski", "Łukasz"), ("wisniewski", "Lukasz"), Names::Same);
        check(("O'Donnell", "Máire"), ("O Donnell", "Maire"), Names::Same);
        check(("Müller-Groß", "Zoë"), ("Muller Gross", ""), Names::Same);
        check(("Shaw", "Gladys"), ("MRS GLADYS SHAW", ""), Names::Same);
        check(("Shaw", "Gladys"), ("Mr George Shaw", ""), Names::Partly);
        check(("Shaw", "Gladys"), ("Tennant", "Gladys"), Names::Partly);
        check(("Shaw", "Gladys"), ("Shaw", "George"), Names::Partly);
        check(("Black", "Dora"), ("Grey", "Ernest"), Names::Other);
        check(("de Vries", "Ann"), ("de Jong", "Bob"), Names::Other);
        check(("Black", "Dora"), (NAMELESS, ""), Names::NotSaid);
    }
}
