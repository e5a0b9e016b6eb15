//! Places on the body: "each nostril", "the left eye", "the affected area".

use super::grammar::{Element, SiteWords};
use super::phrase::{longest, phrase};
use super::tokens::Token;

/// What leads to a place, with its articles.
const LEADS: &[&str] =
    &["in|into|to|on|onto|up|for? to? the|your?", "in|into|to|on|onto|up|for", "the|your"];
const EITHER_SIDE: &[&str] = &["each|both|every of? the|your?", "each|both|every"];
/// Organs of which there are two.
const PAIRED: &str = "eye|eyes|eye(s)|ear|ears|ear(s)|nostril|nostrils|nostril(s)";
const SIDED: &str = "left|right upper|lower? \
    arm|forearm|leg|thigh|knee|foot|hand|elbow|shoulder|hip|ankle|wrist|buttock|breast|cheek|side";
/// Places that are found by their names.
const NAMED: &str = "scalp|face|chin|forehead|nose|mouth|lips|tongue|gums|neck|back|\
    chest|abdomen|groin|sacrum|heels|feet|legs|arms|hands|elbows|knees|shoulders|buttocks";
/// Limbs, of which "both" names two places.
const LIMBS: &str = "arm|arms|leg|legs|foot|feet|hand|hands|knee|knees|elbow|elbows|heel|heels|\
    shoulder|shoulders|ankle|ankles|breast|breasts";
const AFFECTED: &str = "affected|infected|painful|inflamed|itchy|dry|sore";
const AREA: &str = "area|areas|area(s)|part|parts|skin|joint|joints|site|sites";

/// Whether a text names an eye, an ear or a nostril.
pub(super) fn names_a_pair(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.split_whitespace().any(|word| {
        let word = word.trim_end_matches([',', '.', ';']);
        PAIRED.split('|').any(|organ| organ == word)
    })
}

/// Reads a place at the start.
pub(super) fn site(rest: &[Token]) -> Option<(Element, usize)> {
    let lead = longest(rest, LEADS).map_or(0, |found| found.length);
    // "apply to left arm" and "left arm" are both a place.
    [lead, 0].into_iter().find_map(|lead| {
        // "For back pain" is a reason; "for the left eye" is a place.
        let led = lead > 0 && rest[0].word() != Some("for");
        let (site, length) = place(&rest[lead..], led)?;
        Some((Element::Site(site), lead + length))
    })
}

/// `led` is whether a preposition stands before it: "back" and "side" alone are no places.
fn place(rest: &[Token], led: bool) -> Option<(SiteWords, usize)> {
    paired(rest)
        .or_else(|| both_limbs(rest))
        .or_else(|| named(rest, led))
        .or_else(|| affected_area(rest))
}

fn paired(rest: &[Token]) -> Option<(SiteWords, usize)> {
    let both = longest(rest, EITHER_SIDE).map_or(0, |found| found.length);
    let affected = phrase(&rest[both..], AFFECTED).map_or(0, |found| found.length);
    let start = both + affected;
    let side = phrase(&rest[start..], "left|right").map_or(0, |found| found.length);
    let organ = phrase(&rest[start + side..], PAIRED)?;
    let length = start + side + organ.length;
    let word = rest.get(length - 1).and_then(Token::word)?;
    let open = affected > 0 || word.ends_with("(s)");
    let count = match (both > 0, side > 0) {
        (true, true) => return None,
        _ if open && side == 0 => None,
        (true, false) => Some(2),
        (false, true) => Some(1),
        (false, false) => None,
    };
    Some((SiteWords { count, named: count.is_some() }, length))
}

fn both_limbs(rest: &[Token]) -> Option<(SiteWords, usize)> {
    let both = longest(rest, EITHER_SIDE)?.length;
    let limb = phrase(&rest[both..], LIMBS)?;
    Some((SiteWords { count: Some(2), named: true }, both + limb.length))
}

fn named(rest: &[Token], led: bool) -> Option<(SiteWords, usize)> {
    let affected = phrase(rest, &format!("{AFFECTED} {AREA} of|on|in the|your?"))
        .or_else(|| phrase(rest, &format!("{AFFECTED} {AREA} of|on|in")))
        .map_or(0, |found| found.length);
    let rest = &rest[affected..];
    let found = phrase(rest, SIDED)
        .or_else(|| if led || affected > 0 { phrase(rest, NAMED) } else { None })?;
    Some((SiteWords { count: Some(1), named: true }, affected + found.length))
}

fn affected_area(rest: &[Token]) -> Option<(SiteWords, usize)> {
    let found = phrase(rest, &format!("{AFFECTED} {AREA}"))?;
    Some((SiteWords { count: None, named: false }, found.length))
}
