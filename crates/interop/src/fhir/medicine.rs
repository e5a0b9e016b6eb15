//! What a statement, request or dispense is of: `Medication` and `medicationCodeableConcept`.

use super::at::At;
use super::concept;
use super::proposal::{Code, Flag, ProposedMedicine};
use super::record::Record;

/// Codes that name no product: GP2GP's "transfer-degraded" entries, and "Medicinal product".
/// Five different medicines share the first in one published record: never merge by it.
const DEGRADED: &[&str] = &["196421000000109", "196461000000101", "196471000000108", "763158003"];

/// Returns whether a code names no product or substance.
pub(crate) fn is_degraded(code: &Code) -> bool {
    let display = code.display.as_deref().unwrap_or_default().to_lowercase();
    DEGRADED.contains(&code.code.as_str()) || display.starts_with("transfer-degraded")
}

/// Returns whether a code is of SNOMED CT, of which dm+d is a part. Senders misspell the address.
pub(crate) fn is_snomed(code: &Code) -> bool {
    code.system.contains("snomed.info") || code.system.contains("dmd.nhs.uk")
}

/// Returns the code by which a dictionary may be asked; `None` for an uncoded medicine.
pub(crate) fn product_code(medicine: &ProposedMedicine) -> Option<&str> {
    let usable = |code: &&Code| is_snomed(code) && !is_degraded(code) && !code.code.is_empty();
    medicine.codes.iter().find(usable).map(|code| code.code.as_str())
}

/// Reads what the resource `number` is of.
pub(crate) fn read(record: &Record<'_>, number: usize) -> ProposedMedicine {
    let at = record.at(number);
    if let Some(concept) = at.get("medicationCodeableConcept") {
        return of_concept(&concept);
    }
    let Some(reference) = at.get("medicationReference") else {
        return ProposedMedicine::default();
    };
    let found = reference.text("reference").and_then(|r| record.resolve(number, r));
    if let Some(found) = found
        && record.at(found).kind() == "Medication"
    {
        return of_medication(record.at(found));
    }
    reference.note("", "the medicine is not in this file");
    let name = reference.text("display").unwrap_or_default().to_owned();
    ProposedMedicine { name, ..ProposedMedicine::default() }
}

fn of_medication(at: &At<'_>) -> ProposedMedicine {
    let mut medicine = at.get("code").as_ref().map(of_concept).unwrap_or_default();
    medicine.form = at.get("form").as_ref().and_then(concept::words);
    medicine.ingredients = at.each("ingredient").iter().filter_map(ingredient).collect();
    if medicine.name.is_empty() {
        medicine.name = medicine.ingredients.join(" + ");
    }
    medicine
}

fn of_concept(at: &At<'_>) -> ProposedMedicine {
    let codes = concept::codes(at);
    let degraded = codes.iter().any(is_degraded);
    let name = concept::words(at).unwrap_or_default();
    ProposedMedicine { name, codes, degraded, form: None, ingredients: Vec::new() }
}

fn ingredient(at: &At<'_>) -> Option<String> {
    let name = at.get("itemCodeableConcept").as_ref().and_then(concept::words);
    let name = name.or_else(|| at.get("itemReference")?.text("display").map(str::to_owned))?;
    let strength = at.get("strength").and_then(|strength| {
        let part = |side: &str| quantity(&strength.get(side)?);
        let (top, bottom) = (part("numerator")?, part("denominator"));
        Some(bottom.map_or_else(|| top.clone(), |bottom| format!("{top}/{bottom}")))
    });
    Some(strength.map_or_else(|| name.clone(), |strength| format!("{name} {strength}")))
}

/// Returns a quantity in the sender's words: `500 mg`, `28 tablet`.
pub(crate) fn quantity(at: &At<'_>) -> Option<String> {
    let value = at.number("value");
    let unit = at.extension("MedicationQuantityText").and_then(|e| e.text("valueString"));
    let unit = unit.or_else(|| at.text("unit")).or_else(|| at.text("code"));
    concept::joined(value, unit.map(str::to_owned)).map(|words| words.replacen(", ", " ", 1))
}

/// Returns what a person must look at in a medicine as it was sent.
pub(crate) fn flags(medicine: &ProposedMedicine) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut flag_if = |holds: bool, flag: Flag| {
        if holds {
            flags.push(flag);
        }
    };
    flag_if(medicine.name.is_empty(), Flag::Unnamed);
    flag_if(medicine.degraded, Flag::Degraded);
    flag_if(product_code(medicine).is_none(), Flag::Uncoded);
    let invalid = |code: &Code| is_snomed(code) && !check_digit_fits(&code.code);
    flag_if(medicine.codes.iter().any(invalid), Flag::CodeInvalid);
    let displays = medicine.codes.iter().filter(|code| !is_degraded(code));
    let mut names = displays.filter_map(|code| code.display.as_deref());
    let differs = names.any(|name| names_disagree(name, &medicine.name));
    flag_if(differs, Flag::NameAndCodeDisagree);
    flag_if(is_no_medicine(&medicine.name), Flag::NotAMedicine);
    flags
}

/// Things that are prescribed and are no medicine. A wrong hit costs one question.
const NO_MEDICINE: &[&str] = &[
    "tape",
    "strip",
    "needle",
    "lancet",
    "stoma",
    "dressing",
    "bandage",
    "hosiery",
    "stocking",
    "catheter",
    "sharps",
    "contraceptive jelly",
    "diaphragm",
    "spacer",
    "urine bag",
    "incontinence",
];

fn is_no_medicine(name: &str) -> bool {
    let words = name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), " ");
    let padded = format!(" {words} ");
    // Whole words only: `tape` also begins `tapentadol`. `ostomy` ends `colostomy`.
    padded.contains("ostomy ")
        || NO_MEDICINE.iter().any(|thing| {
            padded.contains(&format!(" {thing} ")) || padded.contains(&format!(" {thing}s "))
        })
}

/// Returns whether two names cannot be of the same product: neither begins with a word of the
/// other, or their numbers differ. `Aspirin 75mg` and `Aspirin 75 mg tablet` agree.
fn names_disagree(one: &str, two: &str) -> bool {
    let (one, two) = (one.to_lowercase(), two.to_lowercase());
    let first = |name: &str| {
        let mut words = name.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2);
        words.next().unwrap_or_default().to_owned()
    };
    let other_drug = !two.contains(&first(&one)) && !one.contains(&first(&two));
    let (in_one, in_two) = (numbers(&one), numbers(&two));
    let within = |a: &[String], b: &[String]| a.iter().all(|number| b.contains(number));
    let other_strength = !in_one.is_empty()
        && !in_two.is_empty()
        && !within(&in_one, &in_two)
        && !within(&in_two, &in_one);
    other_drug || other_strength
}

fn numbers(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|number| number.trim_matches('.'))
        .filter(|number| !number.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns whether a SNOMED CT identifier has its right check digit (Verhoeff's dihedral scheme,
/// SNOMED CT Release File Specification, "Check-digit").
fn check_digit_fits(code: &str) -> bool {
    if !(6..=18).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let mut check = 0;
    for (i, byte) in code.bytes().rev().enumerate() {
        let digit = usize::from(byte - b'0');
        check = product(check, permuted(i % 8, digit));
    }
    check == 0
}

/// Multiplies in the dihedral group of the pentagon, whose ten elements are the digits.
fn product(one: usize, two: usize) -> usize {
    match (one < 5, two < 5) {
        (true, true) => (one + two) % 5,
        (true, false) => 5 + (one + two) % 5,
        (false, true) => 5 + (one + 5 - two) % 5,
        (false, false) => (one + 5 - two % 5) % 5,
    }
}

fn permuted(times: usize, digit: usize) -> usize {
    const ONCE: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    (0..times).fold(digit, |digit, _| ONCE[digit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snomed_code_with_a_wrong_digit_is_found() {
        for right in ["319773006", "322236009", "39732411000001106", "196421000000109"] {
            assert!(check_digit_fits(right), "{right}");
        }
        for wrong in ["319773007", "322263009", "496811000001108", "99999999", "", "12", "abcdef"] {
            assert!(!check_digit_fits(wrong), "{wrong}");
        }
    }

    #[track_caller]
    fn check(one: &str, two: &str, disagree: bool) {
        assert_eq!(names_disagree(one, two), disagree);
        assert_eq!(names_disagree(two, one), disagree);
    }

    #[test]
    fn names_disagree_in_drug_or_strength_and_not_in_spelling() {
        check("Aspirin 75mg dispersible tablets", "Aspirin 75 mg orodispersible tablet", false);
        check("Metformin 500mg tablets", "Aspirin 75mg dispersible tablets", true);
        check("Ramipril 2.5mg capsules", "Ramipril 5 mg capsule", true);
        check("Furosemide", "Furosemide 40mg tablets", false);
    }

    #[test]
    fn a_dressing_is_no_medicine_and_a_patch_is_one() {
        assert!(is_no_medicine("Micropore tape 5cm (3M Health Care Ltd)"));
        assert!(is_no_medicine("Colostomy bags"));
        assert!(is_no_medicine("Glucose blood testing strips"));
        assert!(!is_no_medicine("Fentanyl 25micrograms/hour transdermal patches"));
        assert!(!is_no_medicine("Diclofenac 140mg medicated plasters"));
        assert!(!is_no_medicine("Tapentadol 50mg tablets"));
    }
}
