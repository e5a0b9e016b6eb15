//! The home's secrets: numbered generations, each sealed to every device that may have it and to
//! the recovery key.
//!
//! One generation is 32 random bytes. From them come, for different uses, the key with which
//! devices find each other, the pepper of the PINs, and the key that seals PIN verifiers. An
//! observer is given the first alone. A revocation makes a new generation.

use std::fmt;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
pub use age::secrecy::SecretString;
use mar::fact::{DeviceRole, SealedSecret};
use mar::ids::{DeviceId, EntryId};
use zeroize::Zeroizing;

use crate::keys::{KeyFault, random};

const WHOLE: u8 = 1;
const DISCOVERY_ONLY: u8 = 2;

/// Why a secret could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretFault {
    /// A device or the recovery key is named by a text that is no recipient.
    #[error("`{0}` is not a key to which anything can be sealed")]
    Recipient(String),
    /// The sealing failed.
    #[error("the secret could not be sealed: {0}")]
    Seal(age::EncryptError),
    /// It is not sealed to this key, or was changed.
    #[error("this secret cannot be opened with this key")]
    Open,
    /// The text is not a recovery key.
    #[error(
        "this is not a recovery key; it begins with AGE-SECRET-KEY-1 and is printed on the \
             sheet from the day the home was set up"
    )]
    RecoveryKey,
    /// The operating system gave no random bytes.
    #[error(transparent)]
    Random(#[from] KeyFault),
}

/// One generation of the home's secret, as far as this device may have it.
#[derive(Clone)]
pub struct HomeSecret {
    generation: u32,
    root: Option<Zeroizing<[u8; 32]>>,
    discovery: Zeroizing<[u8; 32]>,
}

impl HomeSecret {
    /// Makes a new generation.
    ///
    /// # Errors
    ///
    /// Returns [`KeyFault::Random`] if the operating system gives no random bytes.
    pub fn generate(generation: u32) -> Result<Self, KeyFault> {
        Ok(Self::of_root(generation, random()?))
    }

    fn of_root(generation: u32, root: Zeroizing<[u8; 32]>) -> Self {
        let discovery = derived("medround home discovery 1", &root);
        Self { generation, root: Some(root), discovery }
    }

    /// Returns its number, from 1.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns the key under which devices of the home recognise each other on the network.
    pub fn discovery(&self) -> &[u8; 32] {
        &self.discovery
    }

    /// Returns the pepper of the PINs; `None` on an observer, which never has it.
    pub fn pepper(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.root.as_ref().map(|root| derived("medround PIN pepper 1", root))
    }

    /// Returns the key that seals PIN verifiers; `None` on an observer.
    pub(crate) fn pin_sealing(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.root.as_ref().map(|root| derived("medround PIN sealing 1", root))
    }

    /// Seals this generation to devices and to the recovery key, as an entry carries it.
    ///
    /// `devices` are all that remain, each with its recipient and its role; an observer gets the
    /// discovery key only. `because` is the revocation that made it necessary.
    ///
    /// # Errors
    ///
    /// Returns [`SecretFault::Recipient`] for a device whose recipient is none, and
    /// [`SecretFault::Open`] if this device holds the discovery key only.
    pub fn seal(
        &self,
        devices: &[(DeviceId, String, DeviceRole)],
        recovery: &str,
        because: Option<EntryId>,
    ) -> Result<SealedSecret, SecretFault> {
        let root = self.root.as_ref().ok_or(SecretFault::Open)?;
        let whole = Zeroizing::new([&[WHOLE], &root[..]].concat());
        let discovery = Zeroizing::new([&[DISCOVERY_ONLY], &self.discovery[..]].concat());
        let mut sealed = Vec::with_capacity(devices.len());
        for (device, recipient, role) in devices {
            let content = match role {
                DeviceRole::Member => &whole,
                DeviceRole::Observer => &discovery,
            };
            sealed.push((*device, seal_to(recipient, content)?));
        }
        let recovery = seal_to(recovery, &whole)?;
        Ok(SealedSecret { generation: self.generation, sealed, recovery, because })
    }

    /// Opens what was sealed to this device; `None` if nothing was.
    ///
    /// # Errors
    ///
    /// Returns [`SecretFault::Open`] if it was changed or is sealed to another key.
    pub fn open(
        sealed: &SealedSecret,
        device: &DeviceId,
        identity: &age::x25519::Identity,
    ) -> Result<Option<Self>, SecretFault> {
        let Some((_, bytes)) = sealed.sealed.iter().find(|(to, _)| to == device) else {
            return Ok(None);
        };
        Self::open_bytes(sealed.generation, bytes, identity).map(Some)
    }

    /// Opens what was sealed to the recovery key.
    ///
    /// # Errors
    ///
    /// Returns [`SecretFault::Open`] if it is sealed to another key.
    pub fn recover(sealed: &SealedSecret, key: &RecoveryKey) -> Result<Self, SecretFault> {
        Self::open_bytes(sealed.generation, &sealed.recovery, &key.0)
    }

    fn open_bytes(
        generation: u32,
        bytes: &[u8],
        identity: &age::x25519::Identity,
    ) -> Result<Self, SecretFault> {
        let content = Zeroizing::new(age::decrypt(identity, bytes).map_err(|_| SecretFault::Open)?);
        let (sort, secret) = content.split_first().ok_or(SecretFault::Open)?;
        let secret = Zeroizing::new(<[u8; 32]>::try_from(secret).map_err(|_| SecretFault::Open)?);
        match *sort {
            WHOLE => Ok(Self::of_root(generation, secret)),
            DISCOVERY_ONLY => Ok(Self { generation, root: None, discovery: secret }),
            _ => Err(SecretFault::Open),
        }
    }
}

impl fmt::Debug for HomeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HomeSecret of generation {}", self.generation)
    }
}

/// The key that is printed once when the home is set up, and opens what every device seals to it.
pub struct RecoveryKey(age::x25519::Identity);

impl RecoveryKey {
    /// Makes a new one.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Returns the text that is printed, once.
    pub fn printed(&self) -> SecretString {
        self.0.to_string()
    }

    /// Returns the recipient that stands in the founding entry.
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// Reads the key as it was printed; spaces, hyphens between groups and case do not matter.
    ///
    /// # Errors
    ///
    /// Returns [`SecretFault::RecoveryKey`] if the text is none.
    pub fn read(text: &str) -> Result<Self, SecretFault> {
        let plain: Zeroizing<String> = Zeroizing::new(
            text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect(),
        );
        age::x25519::Identity::from_str(&plain).map(Self).map_err(|_| SecretFault::RecoveryKey)
    }
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryKey for {}", self.recipient())
    }
}

/// Returns whether anything can be sealed to a key, given as text.
#[must_use]
pub fn is_recipient(text: &str) -> bool {
    age::x25519::Recipient::from_str(text).is_ok()
}

fn seal_to(recipient: &str, content: &[u8]) -> Result<Vec<u8>, SecretFault> {
    let to = age::x25519::Recipient::from_str(recipient)
        .map_err(|_| SecretFault::Recipient(recipient.chars().take(80).collect()))?;
    age::encrypt(&to, content).map_err(SecretFault::Seal)
}

fn derived(context: &str, root: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(blake3::derive_key(context, root))
}

/// Returns the text of a secret for the one moment in which it is printed.
pub fn expose(secret: &SecretString) -> &str {
    secret.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

    #[test]
    fn the_printed_recovery_key_opens_the_home_s_secret() {
        let recovery = RecoveryKey::generate();
        let printed = expose(&recovery.printed()).to_owned();
        let secret = HomeSecret::generate(1).unwrap();
        let sealed = secret.seal(&[], &recovery.recipient(), None).unwrap();

        let typed = RecoveryKey::read(&format!(" {}\n", printed.to_lowercase())).unwrap();
        let opened = HomeSecret::recover(&sealed, &typed).unwrap();
        assert_eq!(opened.discovery(), secret.discovery());
        assert_eq!(opened.pepper(), secret.pepper());
        assert!(matches!(RecoveryKey::read("hello"), Err(SecretFault::RecoveryKey)));
        let other = RecoveryKey::generate();
        assert!(matches!(HomeSecret::recover(&sealed, &other), Err(SecretFault::Open)));
    }

    #[test]
    fn a_member_gets_the_pepper_an_observer_only_finds_the_others_and_a_stranger_nothing() {
        let recovery = RecoveryKey::generate().recipient();
        let (member, observer, stranger) =
            (Keys::generate().unwrap(), Keys::generate().unwrap(), Keys::generate().unwrap());
        let devices = [
            (member.device(), member.recipient(), DeviceRole::Member),
            (observer.device(), observer.recipient(), DeviceRole::Observer),
        ];
        let secret = HomeSecret::generate(3).unwrap();
        let sealed = secret.seal(&devices, &recovery, None).unwrap();
        let open = |keys: &Keys| HomeSecret::open(&sealed, &keys.device(), keys.sealing());

        let of_member = open(&member).unwrap().unwrap();
        assert_eq!((of_member.generation(), of_member.pepper()), (3, secret.pepper()));
        let of_observer = open(&observer).unwrap().unwrap();
        assert_eq!(of_observer.discovery(), secret.discovery());
        assert_eq!(of_observer.pepper(), None);
        assert!(matches!(of_observer.seal(&[], &recovery, None), Err(SecretFault::Open)));
        assert!(open(&stranger).unwrap().is_none());
        let wrong = HomeSecret::open(&sealed, &member.device(), stranger.sealing());
        assert!(matches!(wrong, Err(SecretFault::Open)));
    }

    #[test]
    fn the_uses_of_a_secret_do_not_share_a_key() {
        let secret = HomeSecret::generate(1).unwrap();
        let pepper = secret.pepper().unwrap();
        let sealing = secret.pin_sealing().unwrap();
        assert_ne!(*pepper, *sealing);
        assert_ne!(*pepper, *secret.discovery());
    }
}
