//! One newtype per identity, and the text a person or a script sees of it.
//!
//! Entity ids are 128 random bits handed to `decide` by the caller; nothing here makes randomness.
//! Text is lower-case Crockford base-32 (no `i`, `l`, `o`, `u`), the same on every device.

use std::fmt;
use std::str::FromStr;

/// The Crockford base-32 alphabet in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Why a text is not an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: {expected} letters and digits were expected")]
pub struct IdFault {
    /// What was given.
    pub text: String,
    /// How many characters an id of this kind has.
    pub expected: usize,
}

fn write_base32(bytes: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    let mut pending: u32 = 0;
    let mut bits = 0;
    for &byte in bytes {
        pending = (pending << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.write_char(char::from(ALPHABET[((pending >> bits) & 31) as usize]))?;
        }
    }
    if bits > 0 {
        out.write_char(char::from(ALPHABET[((pending << (5 - bits)) & 31) as usize]))?;
    }
    Ok(())
}

fn read_base32<const N: usize>(text: &str) -> Result<[u8; N], IdFault> {
    let expected = (N * 8).div_ceil(5);
    let fault = || IdFault { text: text.chars().take(80).collect(), expected };
    if text.len() != expected {
        return Err(fault());
    }
    let mut out = [0; N];
    let (mut pending, mut bits, mut at) = (0_u32, 0, 0);
    for byte in text.bytes() {
        let lower = byte.to_ascii_lowercase();
        let value = ALPHABET.iter().position(|&a| a == lower).ok_or_else(fault)?;
        pending = ((pending << 5) | u32::try_from(value).map_err(|_| fault())?) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out[at] = ((pending >> bits) & 0xff) as u8;
            at += 1;
        }
    }
    // Left-over bits must be zero, so that one id has one text.
    if pending & ((1 << bits) - 1) == 0 { Ok(out) } else { Err(fault()) }
}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_base32(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdFault;
            fn from_str(text: &str) -> Result<Self, IdFault> {
                read_base32(text).map(Self)
            }
        }
    };
}

identity!(
    /// The home: 32 random bytes made when it is founded.
    HomeId, 32
);
identity!(
    /// A device: its Ed25519 public key, which is also its network identity.
    DeviceId, 32
);
identity!(
    /// One log: the Ed25519 public key of one incarnation of one device.
    LogId, 32
);
identity!(
    /// An entry: the first 16 bytes of its hash.
    EntryId, 16
);
identity!(
    /// A resident.
    ResidentId, 16
);
identity!(
    /// A member of staff.
    StaffId, 16
);
identity!(
    /// An order, through all its versions.
    OrderId, 16
);
identity!(
    /// One version of an order; slots hang on versions, never on orders.
    VersionId, 16
);
identity!(
    /// What the pharmacy supplied under an order.
    SupplyId, 16
);
identity!(
    /// One administration or other recorded outcome.
    AdministrationId, 16
);
identity!(
    /// A task that stays open until a person closes it.
    FollowUpId, 16
);
identity!(
    /// A command: a retry with the same id gets the first answer.
    CommandId, 16
);

impl EntryId {
    /// The id of the entry with this hash: its first 16 bytes.
    #[must_use]
    pub fn of_hash(hash: &[u8; 32]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_reads_back_from_its_own_text(bytes in any::<[u8; 16]>(), long in any::<[u8; 32]>()) {
            prop_assert_eq!(ResidentId(bytes).to_string().parse::<ResidentId>(), Ok(ResidentId(bytes)));
            prop_assert_eq!(LogId(long).to_string().parse::<LogId>(), Ok(LogId(long)));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".*") {
            // Only the absence of a panic is asked here; most texts are refused.
            if let Ok(id) = text.parse::<OrderId>() {
                prop_assert_eq!(id.to_string(), text.to_ascii_lowercase());
            }
        }
    }
}
