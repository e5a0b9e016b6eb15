//! The code that a person carries from one screen to the other.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SYMBOLS: usize = 12;

/// Why a typed text is no pairing code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// Too many or too few characters.
    #[error("the code has 12 letters and digits; {0} were typed")]
    Length(usize),
    /// A character that no code has.
    #[error("`{0}` is not in any code; look at the other screen again")]
    Character(char),
}

/// The code that a person carries from one screen to the other.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PairingCode(pub(super) [u8; SYMBOLS]);

impl PairingCode {
    /// Returns the code made of the first 60 of these random bits.
    pub fn from_random(random: [u8; 8]) -> Self {
        let bits = u64::from_be_bytes(random) >> 4;
        let symbol = |at: usize| ALPHABET[((bits >> (55 - 5 * at)) & 31) as usize];
        Self(std::array::from_fn(symbol))
    }
}

impl FromStr for PairingCode {
    type Err = CodeFault;

    /// Reads a code as people type it: in any case, with or without dashes and spaces, O for 0,
    /// I and L for 1.
    fn from_str(text: &str) -> Result<Self, CodeFault> {
        let mut code = [0; SYMBOLS];
        let mut length = 0;
        for typed in text.chars().filter(|typed| !typed.is_whitespace() && *typed != '-') {
            let symbol = match typed.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let known = ALPHABET.iter().find(|known| char::from(**known) == symbol);
            let known = known.ok_or(CodeFault::Character(typed))?;
            if let Some(place) = code.get_mut(length) {
                *place = *known;
            }
            length += 1;
        }
        if length == SYMBOLS { Ok(Self(code)) } else { Err(CodeFault::Length(length)) }
    }
}

impl fmt::Display for PairingCode {
    /// Writes the code as it is shown: three groups of four.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, symbol) in self.0.iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_shown_in_fours_and_read_as_people_type_it() {
        let code = PairingCode::from_random([0xff, 0x3a, 0x91, 0x04, 0x7c, 0xd2, 0x60, 0x1f]);
        let shown = code.to_string();
        assert_eq!(shown, "ZWX9-213W-T9G1");
        assert_eq!(shown.parse(), Ok(code.clone()));
        assert_eq!("zwx9 2I3w t9gl".parse(), Ok(code.clone()));
        assert_eq!("zwx92l3wt9gi".parse(), Ok(code));
        assert_eq!("ZWX9-213W-T9G".parse::<PairingCode>(), Err(CodeFault::Length(11)));
        assert_eq!("ZWX9-213W-T9G11".parse::<PairingCode>(), Err(CodeFault::Length(13)));
        assert_eq!("ZWX9-213U-T9G1".parse::<PairingCode>(), Err(CodeFault::Character('U')));
    }

    proptest! {
        #[test]
        fn every_code_reads_back_from_what_is_shown(random in any::<[u8; 8]>()) {
            let code = PairingCode::from_random(random);
            prop_assert_eq!(code.to_string().to_lowercase().parse(), Ok(code));
        }
    }
}
