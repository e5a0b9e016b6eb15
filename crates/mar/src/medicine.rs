//! What a product is. An order carries all of this itself and never looks it up later.

mod controlled;

pub use controlled::{CONTROLLED, Listed};

use crate::quantity::{Amount, Unit};
use std::fmt;

/// A medicine as it is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medicine {
    /// The full name as on the label or in dm+d: `Paracetamol 500mg tablets`. Never translated.
    pub name: String,
    /// The dose form in words: `tablet`. `None` when the source did not say.
    pub form: Option<String>,
    /// The strength in words: `500 mg`. `None` when the source did not say.
    pub strength: Option<String>,
    /// The dm+d code. `None` means "uncoded": no automatic checks (O-13).
    pub dmd: Option<String>,
    /// The dm+d release the code was taken from; `None` when not known.
    pub release: Option<String>,
    /// The active ingredients; empty when not known, and then no totals are made.
    pub ingredients: Vec<Ingredient>,
    /// The controlled-drug category as dm+d gives it; `Unknown` until a person states it.
    pub cd: CdCategory,
}

impl Medicine {
    /// An uncoded medicine with a name and nothing else, of which it is stated that it is no
    /// controlled drug.
    #[must_use]
    pub fn uncoded(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            form: None,
            strength: None,
            dmd: None,
            release: None,
            ingredients: Vec::new(),
            cd: CdCategory::None,
        }
    }

    /// Whether the name or an ingredient is one that is only ever given weekly (S-05).
    ///
    /// `mar::medicine::WEEKLY_ONLY` is the list; methotrexate by mouth is the one that kills (H-10).
    #[must_use]
    pub fn weekly_only(&self) -> bool {
        let name = self.name.to_lowercase();
        let matches =
            |text: &str| WEEKLY_ONLY.iter().any(|w| w.iter().all(|part| text.contains(part)));
        matches(&name) || self.ingredients.iter().any(|i| matches(&i.name.to_lowercase()))
    }

    /// Whether one of the ingredients is `name`, without regard to case.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.ingredients.iter().any(|i| i.name.eq_ignore_ascii_case(name))
    }
}

/// Medicines that can never be scheduled more often than weekly (S-05, H-10). All words of a row
/// must stand in the name. For the clinical lead: confirm the list with a pharmacist.
pub const WEEKLY_ONLY: &[&[&str]] = &[
    &["methotrexate"],
    &["alendronic acid", "70mg"],
    &["alendronic acid", "70 mg"],
    &["risedronate", "35mg"],
];

/// One active ingredient and how much of it one unit of the dose holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingredient {
    /// The ingredient's name: `paracetamol`.
    pub name: String,
    /// Its dm+d code; `None` when not known.
    pub code: Option<String>,
    /// How much one `per` holds: 500 mg. `None` when not known: then no total is made of it.
    pub amount: Option<Amount>,
    /// What the amount is in: one `tablet`, one `ml`. `None` when not known.
    pub per: Option<Unit>,
}

/// Controlled-drug category: dm+d's code list `CONTROL_DRUG_CATEGORY`, 0000 to 0010, or not stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CdCategory {
    /// 0000: no controlled drug status.
    None,
    /// 0001: Schedule 1 (CD Lic).
    Schedule1,
    /// 0002: Schedule 2.
    Schedule2,
    /// 0003: Schedule 2, exempt from safe custody.
    Schedule2ExemptCustody,
    /// 0004: Schedule 3, no register.
    Schedule3,
    /// 0005: Schedule 3, no register, exempt from safe custody.
    Schedule3ExemptCustody,
    /// 0006: Schedule 3, phenobarbital.
    Schedule3Phenobarbital,
    /// 0007: Schedule 3, temazepam.
    Schedule3Temazepam,
    /// 0008: Schedule 4, anabolic steroids.
    Schedule4Anabolic,
    /// 0009: Schedule 4, benzodiazepines.
    Schedule4Benzodiazepine,
    /// 0010: Schedule 5.
    Schedule5,
    /// Nobody stated one: never the same as none (C-02), and no order is written with it (O-01).
    Unknown,
}

/// Every category that can be stated, in the order of its dm+d code.
pub const CD_CATEGORIES: [CdCategory; 11] = [
    CdCategory::None,
    CdCategory::Schedule1,
    CdCategory::Schedule2,
    CdCategory::Schedule2ExemptCustody,
    CdCategory::Schedule3,
    CdCategory::Schedule3ExemptCustody,
    CdCategory::Schedule3Phenobarbital,
    CdCategory::Schedule3Temazepam,
    CdCategory::Schedule4Anabolic,
    CdCategory::Schedule4Benzodiazepine,
    CdCategory::Schedule5,
];

impl CdCategory {
    /// Returns the category of a dm+d code of four digits; `None` for any other text.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let number: usize = code.parse().ok().filter(|_| code.len() == 4)?;
        CD_CATEGORIES.get(number).copied()
    }

    /// Whether giving it takes a witness unless the home's policy says otherwise (C-02): Schedule 1
    /// and 2, of Schedule 3 what must be kept in the cupboard (buprenorphine, temazepam), and what
    /// nobody stated.
    #[must_use]
    pub fn witnessed_by_default(self) -> bool {
        match self {
            Self::Schedule1
            | Self::Schedule2
            | Self::Schedule2ExemptCustody
            | Self::Schedule3
            | Self::Schedule3Temazepam
            | Self::Unknown => true,
            Self::None
            | Self::Schedule3ExemptCustody
            | Self::Schedule3Phenobarbital
            | Self::Schedule4Anabolic
            | Self::Schedule4Benzodiazepine
            | Self::Schedule5 => false,
        }
    }

    /// Whether it is a controlled drug at all; what nobody stated counts as one.
    #[must_use]
    pub fn is_controlled(self) -> bool {
        self != Self::None
    }

    /// How strictly it is kept, the higher the stricter; what nobody stated is the lowest.
    pub(crate) fn strictness(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::None => 1,
            Self::Schedule5 => 2,
            Self::Schedule4Anabolic | Self::Schedule4Benzodiazepine => 3,
            Self::Schedule3ExemptCustody | Self::Schedule3Phenobarbital => 4,
            Self::Schedule3 | Self::Schedule3Temazepam => 5,
            Self::Schedule2ExemptCustody => 6,
            Self::Schedule2 => 7,
            Self::Schedule1 => 8,
        }
    }

    /// Returns its code with its meaning: `0002 (Schedule 2)`; `not stated` for unknown.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::None => "0000 (no controlled drug)",
            Self::Schedule1 => "0001 (Schedule 1)",
            Self::Schedule2 => "0002 (Schedule 2)",
            Self::Schedule2ExemptCustody => "0003 (Schedule 2, no safe custody)",
            Self::Schedule3 => "0004 (Schedule 3, such as buprenorphine)",
            Self::Schedule3ExemptCustody => {
                "0005 (Schedule 3, no safe custody, such as tramadol or pregabalin)"
            }
            Self::Schedule3Phenobarbital => "0006 (Schedule 3, phenobarbital)",
            Self::Schedule3Temazepam => "0007 (Schedule 3, temazepam)",
            Self::Schedule4Anabolic => "0008 (Schedule 4, anabolic steroids)",
            Self::Schedule4Benzodiazepine => "0009 (Schedule 4, benzodiazepines)",
            Self::Schedule5 => "0010 (Schedule 5)",
            Self::Unknown => "not stated",
        }
    }

    /// Returns every category that can be stated, each with its meaning, as one text.
    #[must_use]
    pub fn choices() -> String {
        CD_CATEGORIES.map(Self::in_words).join(", ")
    }
}

impl fmt::Display for CdCategory {
    /// The dm+d code: `0002`; `unknown` where nobody stated one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match CD_CATEGORIES.iter().position(|c| c == self) {
            Some(at) => write!(f, "{at:04}"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_reads_back_from_its_dmd_code() {
        for category in CD_CATEGORIES {
            assert_eq!(CdCategory::from_code(&category.to_string()), Some(category));
        }
        assert_eq!(CdCategory::from_code("0011"), None);
        assert_eq!(CdCategory::from_code("2"), None);
    }

    #[test]
    fn methotrexate_and_weekly_alendronic_acid_are_weekly_only() {
        assert!(Medicine::uncoded("Methotrexate 2.5mg tablets").weekly_only());
        assert!(Medicine::uncoded("Alendronic acid 70mg tablets").weekly_only());
        assert!(!Medicine::uncoded("Alendronic acid 10mg tablets").weekly_only());
        assert!(!Medicine::uncoded("Paracetamol 500mg tablets").weekly_only());
    }
}
