//! Who: names, date of birth, NHS number with its check digit, allergies, where they are.

use crate::ids::StaffId;
use crate::time::Timestamp;
use chrono::{Datelike, NaiveDate};
use std::fmt;
use std::str::FromStr;

/// Who a resident is, as every give screen and every printed page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Family name.
    pub family: String,
    /// Given names.
    pub given: String,
    /// The name the resident goes by; `None` when it is the given name.
    pub known_as: Option<String>,
    /// Mrs, Mr, Dr …; `None` when not told.
    pub title: Option<String>,
    /// Date of birth; `None` when the source had none, which is shown in words.
    pub born: Option<NaiveDate>,
    /// NHS number; `None` with `no_nhs_number` saying why.
    pub nhs_number: Option<NhsNumber>,
    /// Why there is no NHS number; `None` when there is one or nobody said.
    pub no_nhs_number: Option<String>,
    /// The room, as the home names it.
    pub room: String,
    /// The unit or floor; empty where the home has one unit.
    pub unit: String,
    /// GP, practice and telephone in words.
    pub gp: String,
    /// Supplying pharmacy and telephone in words.
    pub pharmacy: String,
    /// How the resident takes medicines, in words (W-27).
    pub how_i_take: String,
    /// Thickener level in words (`IDDSI level 2`); `None` when none is needed or nobody said.
    pub thickener: Option<String>,
    /// Identifiers in other systems, kept so that importing again finds the same resident.
    pub external: Vec<ExternalId>,
}

impl Identity {
    /// An identity with names and nothing else.
    #[must_use]
    pub fn named(family: &str, given: &str) -> Self {
        Self {
            family: family.to_owned(),
            given: given.to_owned(),
            known_as: None,
            title: None,
            born: None,
            nhs_number: None,
            no_nhs_number: None,
            room: String::new(),
            unit: String::new(),
            gp: String::new(),
            pharmacy: String::new(),
            how_i_take: String::new(),
            thickener: None,
            external: Vec::new(),
        }
    }

    /// Returns the name as a list shows it: `SHAW, Gladys (Glad)`.
    #[must_use]
    pub fn list_name(&self) -> String {
        let mut name = self.family.to_uppercase();
        if !self.given.trim().is_empty() {
            name.push_str(&format!(", {}", self.given));
        }
        if let Some(known_as) = &self.known_as {
            name.push_str(&format!(" ({known_as})"));
        }
        name
    }

    /// Returns the age in whole years on `day`; `None` without a date of birth or before it.
    #[must_use]
    pub fn age_on(&self, day: NaiveDate) -> Option<u32> {
        self.born.and_then(|born| day.years_since(born))
    }
}

/// An identifier that another system gave: its name space and its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId {
    /// The system's name or address, as the sender wrote it.
    pub system: String,
    /// The value in it.
    pub value: String,
}

/// An NHS number whose check digit is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NhsNumber([u8; 10]);

/// Why a text is not an NHS number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NhsNumberFault {
    /// It has not ten digits.
    #[error("an NHS number has ten digits")]
    NotTenDigits,
    /// Modulus 11 over the first nine digits does not give the tenth.
    #[error("the last digit of this NHS number does not fit the others: look at it again")]
    CheckDigit,
    /// All digits are the same: arithmetic passes, but nobody has it.
    #[error("an NHS number is not ten times the same digit")]
    AllSame,
}

impl FromStr for NhsNumber {
    type Err = NhsNumberFault;
    fn from_str(text: &str) -> Result<Self, NhsNumberFault> {
        let mut digits = [0; 10];
        let mut count = 0;
        for c in text.chars() {
            match c {
                '0'..='9' if count < 10 => {
                    digits[count] = c as u8 - b'0';
                    count += 1;
                }
                ' ' | '-' => {}
                _ => return Err(NhsNumberFault::NotTenDigits),
            }
        }
        if count != 10 {
            return Err(NhsNumberFault::NotTenDigits);
        }
        if digits.iter().all(|d| *d == digits[0]) {
            return Err(NhsNumberFault::AllSame);
        }
        let sum: u32 = digits[..9].iter().zip((2..=10).rev()).map(|(d, w)| u32::from(*d) * w).sum();
        let check = match 11 - sum % 11 {
            11 => 0,
            other => other,
        };
        if check == u32::from(digits[9]) {
            Ok(Self(digits))
        } else {
            Err(NhsNumberFault::CheckDigit)
        }
    }
}

impl fmt::Display for NhsNumber {
    /// Grouped 3-3-4: `943 476 5919`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, digit) in self.0.iter().enumerate() {
            if i == 3 || i == 6 {
                write!(f, " ")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// What is known of a resident's allergies. "Not asked" must never look like "none".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allergies {
    /// These are recorded.
    Recorded(Vec<Allergy>),
    /// Somebody asked and there are none.
    NoneKnown {
        /// Who said so, in words.
        by: String,
        /// When it was said; `None` when the source did not say.
        on: Option<NaiveDate>,
    },
    /// Nobody has asked yet.
    NotAsked,
}

/// One allergy or intolerance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allergy {
    /// The substance in words.
    pub substance: String,
    /// Its code in SNOMED CT; `None` when uncoded.
    pub code: Option<String>,
    /// What happens, in words; `None` when nobody said, which is shown.
    pub reaction: Option<String>,
    /// Allergy or intolerance; `None` when not told (W-08).
    pub kind: Option<AllergyKind>,
}

/// Whether a reaction is an allergy or an intolerance (W-08).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllergyKind {
    /// An allergy.
    Allergy,
    /// An intolerance.
    Intolerance,
}

/// Where a resident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// In the home.
    Present,
    /// Out for the day.
    DayLeave,
    /// Away overnight.
    OvernightLeave,
    /// In hospital.
    Hospital,
    /// Left the home.
    Discharged,
    /// Died.
    Deceased,
}

/// A change of where a resident is, from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where.
    pub whereabouts: Whereabouts,
    /// From when.
    pub from: Timestamp,
    /// Who told, and other words; may be empty.
    pub note: String,
    /// The second person for a discharge or a death.
    pub second: Option<StaffId>,
}

impl Whereabouts {
    /// Whether medicines are given in the home.
    #[must_use]
    pub fn is_present(self) -> bool {
        self == Self::Present
    }
}

/// Whether two residents could be mistaken for each other by name or birthday: the same
/// family name, or the same given name and family initial, or the same date of birth.
#[must_use]
pub fn similar(a: &Identity, b: &Identity) -> bool {
    let same = |x: &str, y: &str| {
        !x.trim().is_empty() && x.trim().to_lowercase() == y.trim().to_lowercase()
    };
    let initial =
        |x: &Identity| x.family.trim().chars().next().map(|c| c.to_lowercase().to_string());
    let born = match (a.born, b.born) {
        (Some(x), Some(y)) => (x.year(), x.ordinal()) == (y.year(), y.ordinal()),
        (None, _) | (_, None) => false,
    };
    same(&a.family, &b.family) || (same(&a.given, &b.given) && initial(a) == initial(b)) || born
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, NhsNumberFault>) {
        let read = text.parse::<NhsNumber>().map(|n| n.to_string());
        assert_eq!(read, expected.map(str::to_owned));
    }

    #[test]
    fn the_check_digit_of_the_nhs_number_is_the_rule_s() {
        check("943 476 5919", Ok("943 476 5919"));
        check("9434765919", Ok("943 476 5919"));
        check("943 476 5918", Err(NhsNumberFault::CheckDigit));
        check("999 000 0050", Ok("999 000 0050"));
        for last in 0..10 {
            check(&format!("999000014{last}"), Err(NhsNumberFault::CheckDigit));
        }
        check("000 000 0000", Err(NhsNumberFault::AllSame));
        check("9999999999", Err(NhsNumberFault::AllSame));
        check("943476591", Err(NhsNumberFault::NotTenDigits));
        check("94347659190", Err(NhsNumberFault::NotTenDigits));
        check("94347659l9", Err(NhsNumberFault::NotTenDigits));
    }

    #[test]
    fn residents_who_share_a_name_or_a_birthday_are_similar() {
        let mut gladys = Identity::named("Shaw", "Gladys");
        gladys.born = NaiveDate::from_ymd_opt(1938, 4, 12);
        let mut george = Identity::named("SHAW", "George");
        assert!(similar(&gladys, &george));
        george.family = "Tennant".into();
        assert!(!similar(&gladys, &george));
        george.born = gladys.born;
        assert!(similar(&gladys, &george));
        assert!(similar(&Identity::named("Bell", "Ann"), &Identity::named("Brown", "Ann")));
        assert!(!similar(&Identity::named("", "Ann"), &Identity::named("", "Bob")));
    }
}
