//! PINs: which ones may be chosen, and the verifier by which one is recognised.
//!
//! A PIN has a million values, so everything rests on the pepper, which is a secret of the home
//! and not in the log, and on the limits in `local`. A PIN is never an encryption key.

use std::fmt;

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use mar::ids::{HomeId, StaffId};
use zeroize::Zeroizing;

use crate::keys::{KeyFault, random};
use crate::secrets::HomeSecret;

/// 64 MiB, 3 passes, 1 lane (K1).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;

const SALT: usize = 16;
const TAG: usize = 32;
const NONCE: usize = 24;

/// Why a PIN cannot be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinRefusal {
    /// It is not six digits.
    #[error("a PIN is six digits")]
    NotSixDigits,
    /// It is among those that are tried first.
    #[error("this PIN is too easy to guess; choose one that is no row, pattern or date")]
    Guessable,
}

/// Why a PIN could not be turned into a verifier, or checked against one.
#[derive(Debug, thiserror::Error)]
pub enum PinFault {
    /// This device is not given the pepper.
    #[error("this device may not check PINs: it observes the home and does not belong to it")]
    NoPepper,
    /// The verifier was sealed under another secret, or changed.
    #[error("the stored PIN of this person cannot be read; ask a manager to set a new one")]
    Unreadable,
    /// There was no memory for it, or the arithmetic was refused.
    #[error("the PIN could not be checked: {0}")]
    Argon2(argon2::Error),
    /// The operating system gave no random bytes.
    #[error(transparent)]
    Random(#[from] KeyFault),
}

/// Six digits that a person typed. They are wiped when they are no longer needed.
pub struct Pin(Zeroizing<[u8; 6]>);

impl Pin {
    /// Takes what was typed when signing in: any six digits.
    ///
    /// # Errors
    ///
    /// Returns [`PinRefusal::NotSixDigits`] for anything else.
    pub fn typed(text: &str) -> Result<Self, PinRefusal> {
        let digits: [u8; 6] = text.as_bytes().try_into().map_err(|_| PinRefusal::NotSixDigits)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(PinRefusal::NotSixDigits);
        }
        Ok(Self(Zeroizing::new(digits)))
    }

    /// Takes a PIN that a person wants to have: six digits that are not among the first guesses.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be had.
    pub fn chosen(text: &str) -> Result<Self, PinRefusal> {
        let pin = Self::typed(text)?;
        if is_guessable(&pin.0) { Err(PinRefusal::Guessable) } else { Ok(pin) }
    }

    /// Returns a PIN at random that could have been chosen.
    ///
    /// # Errors
    ///
    /// Returns [`KeyFault::Random`] if the operating system gives no random bytes.
    pub fn random() -> Result<Self, KeyFault> {
        loop {
            let bytes = random::<4>()?;
            // The largest multiple of a million in 32 bits: beyond it some PINs would be likelier.
            let number = u32::from_be_bytes(*bytes);
            if number < 4_294_000_000
                && let Ok(pin) = Self::chosen(&format!("{:06}", number % 1_000_000))
            {
                return Ok(pin);
            }
        }
    }

    /// Returns the digits, to be shown once.
    pub fn shown(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|digit| char::from(*digit)).collect())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

/// Makes the sealed verifier of a PIN, as the entry carries it.
///
/// # Errors
///
/// Returns [`PinFault::NoPepper`] on an observer.
pub fn seal_verifier(
    pin: &Pin,
    home: &HomeId,
    staff: &StaffId,
    secret: &HomeSecret,
) -> Result<Vec<u8>, PinFault> {
    let salt = random::<SALT>()?;
    let tag = tag(pin, &salt, home, staff, secret)?;
    let content = Zeroizing::new([&salt[..], &tag[..]].concat());
    let nonce = random::<NONCE>()?;
    let sealed = cipher(secret)?
        .encrypt(&XNonce::from(*nonce), Payload { msg: &content, aad: &sealed_for(home, staff) })
        .map_err(|_| PinFault::Unreadable)?;
    Ok([&nonce[..], &sealed].concat())
}

/// Returns whether the PIN is the one of this sealed verifier. Takes some tenths of a second, by
/// intent: not on the thread that draws.
///
/// # Errors
///
/// Returns [`PinFault::Unreadable`] for a verifier of another secret, person or home.
pub fn check(
    pin: &Pin,
    sealed: &[u8],
    home: &HomeId,
    staff: &StaffId,
    secret: &HomeSecret,
) -> Result<bool, PinFault> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(PinFault::Unreadable)?;
    let content = cipher(secret)?
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &sealed_for(home, staff) })
        .map_err(|_| PinFault::Unreadable)?;
    let content = Zeroizing::new(content);
    let (salt, expected) = content.split_first_chunk::<SALT>().ok_or(PinFault::Unreadable)?;
    let expected: [u8; TAG] = expected.try_into().map_err(|_| PinFault::Unreadable)?;
    let found = tag(pin, salt, home, staff, secret)?;
    // BLAKE3 compares its hashes in constant time.
    Ok(blake3::Hash::from_bytes(*found) == blake3::Hash::from_bytes(expected))
}

fn tag(
    pin: &Pin,
    salt: &[u8; SALT],
    home: &HomeId,
    staff: &StaffId,
    secret: &HomeSecret,
) -> Result<Zeroizing<[u8; TAG]>, PinFault> {
    let pepper = secret.pepper().ok_or(PinFault::NoPepper)?;
    // Argon2 takes 32 bytes of associated data: the hash of what binds this PIN to its person.
    let bound = blake3::derive_key("medround/pin/1", &[&home.0[..], &staff.0].concat());
    let mut builder = ParamsBuilder::new();
    builder.m_cost(MEMORY_KIB).t_cost(PASSES).p_cost(LANES).output_len(TAG);
    builder.data(AssociatedData::new(&bound).map_err(PinFault::Argon2)?);
    let params = builder.build().map_err(PinFault::Argon2)?;
    let argon = Argon2::new_with_secret(&*pepper, Algorithm::Argon2id, Version::V0x13, params)
        .map_err(PinFault::Argon2)?;
    let mut tag = Zeroizing::new([0; TAG]);
    argon.hash_password_into(&*pin.0, salt, &mut *tag).map_err(PinFault::Argon2)?;
    Ok(tag)
}

fn cipher(secret: &HomeSecret) -> Result<XChaCha20Poly1305, PinFault> {
    let key = secret.pin_sealing().ok_or(PinFault::NoPepper)?;
    XChaCha20Poly1305::new_from_slice(&*key).map_err(|_| PinFault::Unreadable)
}

fn sealed_for(home: &HomeId, staff: &StaffId) -> Vec<u8> {
    [&b"medround PIN verifier 1"[..], &home.0, &staff.0].concat()
}

/// Returns whether a PIN is among those that people choose and others try first: rows, patterns of
/// two or three digits, pairs, dates.
fn is_guessable(pin: &[u8; 6]) -> bool {
    let d = pin.map(|digit| digit - b'0');
    let steps: Vec<u8> = d.windows(2).map(|pair| (pair[1] + 10 - pair[0]) % 10).collect();
    let row = steps.iter().all(|step| *step == steps[0]);
    let halves = d[..3] == d[3..];
    let thirds = d[..2] == d[2..4] && d[2..4] == d[4..];
    let pairs = d[0] == d[1] && d[2] == d[3] && d[4] == d[5];
    let blocks = d[0] == d[1] && d[1] == d[2] && d[3] == d[4] && d[4] == d[5];
    let mirrored = d[0] == d[5] && d[1] == d[4] && d[2] == d[3];
    let few = d.iter().collect::<std::collections::BTreeSet<_>>().len() <= 2;
    row || halves
        || thirds
        || pairs
        || blocks
        || mirrored
        || few
        || is_date(&d)
        || KEYPAD.contains(&&d)
}

/// Down, up and across the keys of a pad.
const KEYPAD: [&[u8; 6]; 8] = [
    &[1, 4, 7, 2, 5, 8],
    &[2, 5, 8, 3, 6, 9],
    &[1, 4, 7, 8, 9, 6],
    &[1, 5, 9, 3, 5, 7],
    &[7, 4, 1, 8, 5, 2],
    &[9, 6, 3, 8, 5, 2],
    &[1, 2, 3, 6, 5, 4],
    &[7, 8, 9, 4, 5, 6],
];

/// Whether the digits are a day, a month and the year of a birth, or a year twice over.
fn is_date(d: &[u8; 6]) -> bool {
    let pair = |at: usize| d[at] * 10 + d[at + 1];
    let day = |value: u8| (1..=31).contains(&value);
    let month = |value: u8| (1..=12).contains(&value);
    let day_month_year = day(pair(0)) && month(pair(2));
    let year = u16::from(pair(0)) * 100 + u16::from(pair(2));
    let year_first = (1900..=2030).contains(&year);
    let last = u16::from(pair(2)) * 100 + u16::from(pair(4));
    let year_last = (1900..=2030).contains(&last);
    day_month_year || year_first || year_last
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: HomeId = HomeId([1; 32]);
    const ANN: StaffId = StaffId([2; 16]);

    #[test]
    fn a_pin_is_recognised_and_no_other_is() {
        let secret = HomeSecret::generate(1).unwrap();
        let pin = Pin::chosen("739164").unwrap();
        let sealed = seal_verifier(&pin, &HOME, &ANN, &secret).unwrap();
        let check = |digits: &str, staff: &StaffId, secret: &HomeSecret| {
            check(&Pin::typed(digits).unwrap(), &sealed, &HOME, staff, secret)
        };
        assert!(check("739164", &ANN, &secret).unwrap());
        assert!(!check("739165", &ANN, &secret).unwrap());
        let bob = StaffId([3; 16]);
        assert!(matches!(check("739164", &bob, &secret), Err(PinFault::Unreadable)));
        let other = HomeSecret::generate(1).unwrap();
        assert!(matches!(check("739164", &ANN, &other), Err(PinFault::Unreadable)));
    }

    #[test]
    fn what_is_tried_first_cannot_be_chosen_and_most_can() {
        for digits in [
            "000000", "123456", "654321", "246802", "121212", "123123", "112233", "777111",
            "123321", "010280", "311299", "198412", "121984", "100001", "147258",
        ] {
            assert_eq!(Pin::chosen(digits).unwrap_err(), PinRefusal::Guessable, "{digits}");
        }
        for digits in ["739164", "582937", "904618"] {
            assert!(Pin::chosen(digits).is_ok(), "{digits}");
        }
        for text in ["", "12345", "1234567", "12345a", "１２", "12 456"] {
            assert_eq!(Pin::typed(text).unwrap_err(), PinRefusal::NotSixDigits, "{text}");
        }
        let guessable =
            (0..1_000_000).filter(|number| Pin::chosen(&format!("{number:06}")).is_err()).count();
        assert!((1_000..200_000).contains(&guessable), "{guessable}");
    }

    #[test]
    fn a_pin_at_random_could_have_been_chosen() {
        for _ in 0..100 {
            assert!(Pin::chosen(&Pin::random().unwrap().shown()).is_ok());
        }
    }
}
