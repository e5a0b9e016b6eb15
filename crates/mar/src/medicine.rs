//! What a product is. An order carries all of this itself and never looks it up later.

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
    /// The controlled-drug category as dm+d gives it.
    pub cd: CdCategory,
}

impl Medicine {
    /// An uncoded medicine with a name and nothing else.
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

/// Controlled-drug category: dm+d's code list `CONTROL_DRUG_CATEGORY`, 0000 to 0010.
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
}

/// Every category in the order of its dm+d code.
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
    /// and 2, and of Schedule 3 what must be kept in the cupboard (buprenorphine, temazepam).
    #[must_use]
    pub fn witnessed_by_default(self) -> bool {
        match self {
            Self::Schedule1
            | Self::Schedule2
            | Self::Schedule2ExemptCustody
            | Self::Schedule3
            | Self::Schedule3Temazepam => true,
            Self::None
            | Self::Schedule3ExemptCustody
            | Self::Schedule3Phenobarbital
            | Self::Schedule4Anabolic
            | Self::Schedule4Benzodiazepine
            | Self::Schedule5 => false,
        }
    }

    /// Whether it is a controlled drug at all.
    #[must_use]
    pub fn is_controlled(self) -> bool {
        self != Self::None
    }
}

impl fmt::Display for CdCategory {
    /// The dm+d code: `0002`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = CD_CATEGORIES.iter().position(|c| c == self).unwrap_or(0);
        write!(f, "{at:04}")
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
