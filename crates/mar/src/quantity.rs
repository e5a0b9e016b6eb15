//! Exact amounts with their unit. No floats: half a tablet is half a tablet (S-12).

use rust_decimal::Decimal;
use std::fmt;
use std::str::FromStr;

/// An exact, non-negative decimal with at most three places (thousandths, S-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(Decimal);

/// Why a text or number is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityFault {
    /// It is no decimal number, or a trailing dot, sign or exponent stands in it.
    #[error("`{0}` is not an amount: write it in digits, such as 1, 0.5 or 2.5")]
    NotANumber(String),
    /// It is negative.
    #[error("an amount is never negative")]
    Negative,
    /// It has more than three decimal places.
    #[error("an amount has at most three decimal places")]
    TooFine,
    /// It is larger than any dose or pack.
    #[error("an amount above 1,000,000 is not accepted")]
    TooLarge,
}

/// The most places after the point that an amount may have (S-12).
const PLACES_MAX: u32 = 3;
const LARGEST: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

impl Quantity {
    /// No amount at all.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Makes a quantity of a decimal.
    ///
    /// # Errors
    /// When it is negative, has more than three places, or is above one million.
    pub fn new(value: Decimal) -> Result<Self, QuantityFault> {
        let value = value.normalize();
        if value.is_sign_negative() && !value.is_zero() {
            return Err(QuantityFault::Negative);
        }
        if value.scale() > PLACES_MAX {
            return Err(QuantityFault::TooFine);
        }
        if value > LARGEST {
            return Err(QuantityFault::TooLarge);
        }
        Ok(Self(if value.is_zero() { Decimal::ZERO } else { value }))
    }

    /// The whole number `value`.
    #[must_use]
    pub fn whole(value: u32) -> Self {
        Self(Decimal::from(value.min(1_000_000)))
    }

    /// Returns the decimal.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Returns the sum, without the ceiling of a single amount (totals may pass it).
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).normalize())
    }

    /// Returns what is left of `self` after `other`, and zero where nothing is left.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        if other.0 >= self.0 { Self::ZERO } else { Self((self.0 - other.0).normalize()) }
    }

    /// Returns the product, rounded up to thousandths (so that a limit is never under-counted).
    /// `None` when it is beyond any decimal.
    #[must_use]
    pub fn times(self, factor: Self) -> Option<Self> {
        let product = self.0.checked_mul(factor.0)?;
        let rounded = product
            .round_dp_with_strategy(PLACES_MAX, rust_decimal::RoundingStrategy::AwayFromZero);
        Some(Self(rounded.normalize()))
    }
}

impl FromStr for Quantity {
    type Err = QuantityFault;
    fn from_str(text: &str) -> Result<Self, QuantityFault> {
        let fault = || QuantityFault::NotANumber(text.chars().take(40).collect());
        let plain = text.len() <= 16
            && text.starts_with(|c: char| c.is_ascii_digit())
            && text.ends_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || c == '.');
        if !plain {
            return Err(fault());
        }
        Self::new(Decimal::from_str(text).map_err(|_| fault())?)
    }
}

impl fmt::Display for Quantity {
    /// Leading zero always, trailing zero never (O-06): `0.5`, `5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.normalize())
    }
}

/// The unit an amount is counted in, in the singular and in plain words: `tablet`, `ml`,
/// `micrograms`, `units`, `puff`. Compared without regard to case, plural or a full stop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(String);

/// Spellings that mean the same unit; the first of each row is the one shown.
/// `mcg`, `µg` and `IU` are read but never written (O-06).
const SAME_UNIT: &[&[&str]] = &[
    &["tablet", "tablets", "tab", "tabs", "tablet(s)"],
    &["capsule", "capsules", "cap", "caps", "capsule(s)"],
    &["caplet", "caplets"],
    &["ml", "millilitre", "millilitres", "mls", "milliliter"],
    &["mg", "milligram", "milligrams", "mgs"],
    &["microgram", "micrograms", "mcg", "µg", "μg", "ug"],
    &["g", "gram", "grams", "gm"],
    &["unit", "units", "iu", "international unit", "international units"],
    &["puff", "puffs", "actuation", "actuations", "inhalation", "inhalations"],
    &["drop", "drops"],
    &["spray", "sprays"],
    &["patch", "patches"],
    &["sachet", "sachets"],
    &["suppository", "suppositories"],
    &["pessary", "pessaries"],
    &["application", "applications"],
    &["ampoule", "ampoules"],
    &["dose", "doses"],
    &["lozenge", "lozenges"],
    &["nebule", "nebules"],
    &["scoop", "scoops"],
    &["enema", "enemas"],
    &["l", "litre", "litres"],
    &["spoonful", "spoonfuls"],
    &["bottle", "bottles"],
    &["carton", "cartons"],
    &["injection", "injections"],
];

/// The units that count pieces.
const PIECES: [&str; 18] = [
    "tablet",
    "capsule",
    "caplet",
    "puff",
    "drop",
    "spray",
    "patch",
    "sachet",
    "suppository",
    "pessary",
    "ampoule",
    "lozenge",
    "nebule",
    "scoop",
    "enema",
    "bottle",
    "carton",
    "injection",
];

impl Unit {
    /// Makes a unit of a text; known spellings become one (`Tablets` is `tablet`, `mcg` is `microgram`).
    #[must_use]
    pub fn new(text: &str) -> Self {
        let plain = text.trim().trim_end_matches('.').to_lowercase();
        let known = SAME_UNIT.iter().find(|row| row.contains(&plain.as_str()));
        Self(known.map_or(plain, |row| row[0].to_owned()))
    }

    /// Returns the unit as it is shown for one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it counts pieces that are given whole, halved or quartered, and never measured out
    /// (S-12).
    #[must_use]
    pub fn is_a_piece(&self) -> bool {
        PIECES.contains(&self.0.as_str())
    }

    /// Returns the unit as it is shown beside `quantity`: `1 tablet`, `0 tablets`, `2 ml`.
    #[must_use]
    pub fn beside(&self, quantity: Quantity) -> String {
        let measures = ["ml", "mg", "g", "l"];
        let one_or_less = quantity.decimal() <= Decimal::ONE && !quantity.is_zero();
        if measures.contains(&self.0.as_str()) || one_or_less {
            return self.0.clone();
        }
        SAME_UNIT
            .iter()
            .find(|row| row[0] == self.0)
            .map_or_else(|| self.0.clone(), |row| row[1].to_owned())
    }
}

/// An amount: how much of which unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Amount {
    /// How much.
    pub value: Quantity,
    /// Of what.
    pub unit: Unit,
}

impl Amount {
    /// An amount of a quantity and a unit.
    #[must_use]
    pub fn new(value: Quantity, unit: &str) -> Self {
        Self { value, unit: Unit::new(unit) }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.unit.beside(self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_a_leading_zero_and_no_trailing_one() {
        let shown = |t: &str| t.parse::<Quantity>().expect("a quantity").to_string();
        assert_eq!(shown("0.5"), "0.5");
        assert_eq!(shown("5.0"), "5");
        assert_eq!(shown("0.125"), "0.125");
        assert_eq!(shown("10"), "10");
    }

    #[test]
    fn nothing_of_a_unit_is_told_in_the_plural() {
        for (value, shown) in [("0", "0 sprays"), ("0.5", "0.5 spray"), ("1", "1 spray")] {
            assert_eq!(Amount::new(value.parse().expect("an amount"), "spray").to_string(), shown);
        }
        assert_eq!(Amount::new(Quantity::ZERO, "ml").to_string(), "0 ml");
    }

    #[test]
    fn what_is_no_plain_amount_is_refused() {
        for text in ["", "-1", "+1", "1e3", ".5", "5.", "1,000", "0.1234", "1000001", "ten", "½"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }

    #[test]
    fn spellings_of_one_unit_are_one_unit() {
        assert_eq!(Unit::new("Tablets"), Unit::new("tab."));
        assert_eq!(Unit::new("mcg"), Unit::new("micrograms"));
        assert_ne!(Unit::new("mg"), Unit::new("microgram"));
        assert_eq!(Amount::new(Quantity::whole(2), "tablet").to_string(), "2 tablets");
        assert_eq!(Amount::new(Quantity::whole(10), "ml").to_string(), "10 ml");
    }

    #[test]
    fn a_product_is_never_rounded_down() {
        let third: Quantity = "0.333".parse().expect("a quantity");
        assert_eq!(third.times(third).expect("in range").to_string(), "0.111");
        let small: Quantity = "0.001".parse().expect("a quantity");
        assert_eq!(small.times(small).expect("in range").to_string(), "0.001");
    }
}
