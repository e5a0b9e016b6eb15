//! How a device joins: a code shown on one screen and typed on the other.
//!
//! The code has 60 random bits and works for five minutes, for one device. From it both sides grow
//! the same keys with Argon2id, so that even somebody who recorded everything would have to pay for
//! each guess. One key is the secret of the endpoint on which the inviter waits: dialling it proves
//! that whoever answers knows the code. The other proves, bound to this very connection, that the
//! joiner knows it too. Before that proof has held the inviter says nothing at all.
//!
//! ```text
//! joiner  -> inviter  1  proof 32
//! inviter -> joiner   2  proof 32, device 32, hash of the founding entry 32, what `device` adds
//! joiner  -> inviter  3  what `device` says of itself: name, keys
//! inviter -> joiner   4  the enrolment is on the disk, what `device` adds   or   5  a sentence
//! ```
//!
//! Nothing here sends or waits; [`crate::endpoint`] does. Times are of one monotonic clock that
//! the caller reads.

mod code;

use std::fmt;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use store::entry::{DeviceId, Hash};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::endpoint::public_half;
pub use code::{CodeFault, PairingCode};

/// How long an invite is open.
pub const INVITE_OPEN: Duration = Duration::from_secs(300);
/// How many wrong proofs close an invite.
pub const FAILURES_MAX: u8 = 3;
/// How many connections may stand open without a proof.
pub const UNPROVEN_MAX: u8 = 4;
/// How long a connection may stand without a proof, and how long each next step may take.
pub const STEP_TIME: Duration = Duration::from_secs(10);
/// The most bytes that `device` may add to one message.
pub const PAYLOAD_BYTES_MAX: usize = 32 * 1024;

const SALT: &[u8] = b"medround pairing 1";
const ENDPOINT_CONTEXT: &str = "medround pairing endpoint secret 1";
const PROOF_CONTEXT: &str = "medround pairing proof key 1";
const TAG_CONTEXT: &str = "medround pairing announced tag 1";

/// What both sides grow from the code. Wiped when it goes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PairingKeys {
    secret: [u8; 32],
    proof: [u8; 32],
    #[zeroize(skip)]
    endpoint: DeviceId,
}

impl PairingKeys {
    /// Grows the keys: Argon2id with 64 MiB and 3 passes. Takes a tenth of a second and more, so
    /// it does not belong on a thread that others wait for.
    pub fn grow(code: &PairingCode) -> Self {
        let params = Params::new(64 * 1024, 3, 1, Some(32)).expect("these costs are allowed");
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut grown = [0; 32];
        argon
            .hash_password_into(&code.0, SALT, &mut grown)
            .expect("code, salt and output have allowed lengths");
        let secret = blake3::derive_key(ENDPOINT_CONTEXT, &grown);
        let proof = blake3::derive_key(PROOF_CONTEXT, &grown);
        grown.zeroize();
        Self { secret, proof, endpoint: public_half(&secret) }
    }

    /// Returns the secret of the endpoint on which the inviter waits.
    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Returns the id of the endpoint on which the inviter waits.
    pub fn endpoint(&self) -> DeviceId {
        self.endpoint
    }

    /// Returns what the inviter announces on the network, and the joiner looks for.
    pub fn tag(&self) -> [u8; 16] {
        let mut tag = [0; 16];
        tag.copy_from_slice(&blake3::derive_key(TAG_CONTEXT, &self.endpoint.0)[..16]);
        tag
    }

    /// What the joiner proves with. All parts have fixed lengths.
    fn joiner_proof(&self, channel: &Channel) -> blake3::Hash {
        let parts: [&[u8]; 4] = [b"joiner", &channel.exporter, &channel.joiner.0, &self.endpoint.0];
        blake3::keyed_hash(&self.proof, &parts.concat())
    }

    /// What the inviter proves with.
    fn inviter_proof(&self, channel: &Channel, device: &DeviceId, founding: &Hash) -> blake3::Hash {
        let parts: [&[u8]; 5] =
            [b"inviter", &channel.exporter, &channel.joiner.0, &device.0, &founding.0];
        blake3::keyed_hash(&self.proof, &parts.concat())
    }
}

impl fmt::Debug for PairingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PairingKeys of {:?}", self.endpoint)
    }
}

/// The connection on which two devices pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// Bytes that only the two ends of this TLS session can know.
    pub exporter: [u8; 32],
    /// The joiner's real id, which TLS has proved.
    pub joiner: DeviceId,
}

/// What the joiner learns of the home, and may believe once the inviter's proof has held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The inviter's real id.
    pub device: DeviceId,
    /// The full hash of the founding entry: the only root of authority.
    pub founding: Hash,
    /// What `device` adds: addresses. It comes over the connection that both proofs are bound to.
    pub payload: Vec<u8>,
}

/// Why a pairing does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairingFault {
    /// The five minutes are over.
    #[error("the code has run out; ask for a new one")]
    Expired,
    /// Too many wrong proofs.
    #[error("the invite was closed after three wrong codes; ask for a new one")]
    Closed,
    /// Another device has joined with this code.
    #[error("the code was used by another device; ask for a new one")]
    Used,
    /// Four connections are open that have proved nothing.
    #[error("too many devices are trying at once; try again in a few seconds")]
    Busy,
    /// The proof does not hold.
    #[error("the code is wrong")]
    WrongCode,
    /// A step took longer than ten seconds.
    #[error("the other device took too long")]
    TooSlow,
    /// A message that does not belong here.
    #[error("the other device sent something that is no pairing message")]
    Malformed,
    /// The inviter did not enrol this device.
    #[error("{0}")]
    Declined(String),
}

impl PairingFault {
    /// Returns the number under which a connection is closed for this.
    pub fn code(&self) -> u32 {
        match self {
            Self::Expired => 410,
            Self::Closed => 411,
            Self::Used => 412,
            Self::Busy => 413,
            Self::WrongCode => 414,
            Self::TooSlow => 415,
            Self::Malformed => 416,
            Self::Declined(_) => 417,
        }
    }

    /// Returns the fault for which the other side closed the connection under this number.
    pub fn of_code(code: u32) -> Option<Self> {
        Some(match code {
            410 => Self::Expired,
            411 => Self::Closed,
            412 => Self::Used,
            413 => Self::Busy,
            414 => Self::WrongCode,
            415 => Self::TooSlow,
            _ => return None,
        })
    }
}

/// Where an invite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteState {
    /// It waits, for this long yet.
    Open(Duration),
    /// The five minutes are over.
    Expired,
    /// Three wrong proofs closed it: a manager should know.
    Closed,
    /// A device has joined with it.
    Used,
}

/// An open invite, with what all its connections share. Dropping it wipes its keys.
#[derive(Debug)]
pub struct Invite {
    keys: PairingKeys,
    offer: Offer,
    opened: Duration,
    failures: u8,
    unproven: u8,
    used: bool,
}

impl Invite {
    /// Opens an invite at `now`.
    pub fn open(keys: PairingKeys, offer: Offer, now: Duration) -> Self {
        Self { keys, offer, opened: now, failures: 0, unproven: 0, used: false }
    }

    /// Returns the keys.
    pub fn keys(&self) -> &PairingKeys {
        &self.keys
    }

    /// Returns how many wrong proofs there were.
    pub fn failures(&self) -> u8 {
        self.failures
    }

    /// Returns where the invite stands.
    pub fn state(&self, now: Duration) -> InviteState {
        let open = now.saturating_sub(self.opened);
        if self.used {
            InviteState::Used
        } else if self.failures >= FAILURES_MAX {
            InviteState::Closed
        } else if open >= INVITE_OPEN {
            InviteState::Expired
        } else {
            InviteState::Open(INVITE_OPEN.saturating_sub(open))
        }
    }

    /// Takes in a connection. It must be given back with [`Invite::leave`] when it ends.
    ///
    /// # Errors
    ///
    /// Returns why there is no place for it.
    pub fn begin(&mut self, channel: Channel, now: Duration) -> Result<InviterSide, PairingFault> {
        self.check_open(now)?;
        if self.unproven >= UNPROVEN_MAX {
            return Err(PairingFault::Busy);
        }
        self.unproven += 1;
        Ok(InviterSide { channel, stage: InviterStage::Unproven, since: now })
    }

    /// Takes a connection back.
    pub fn leave(&mut self, side: &mut InviterSide) {
        if side.stage == InviterStage::Unproven {
            self.unproven = self.unproven.saturating_sub(1);
        }
        side.stage = InviterStage::Over;
    }

    fn check_open(&self, now: Duration) -> Result<(), PairingFault> {
        match self.state(now) {
            InviteState::Open(_) => Ok(()),
            InviteState::Expired => Err(PairingFault::Expired),
            InviteState::Closed => Err(PairingFault::Closed),
            InviteState::Used => Err(PairingFault::Used),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InviterStage {
    Unproven,
    Proven,
    Over,
}

/// One connection to an open invite.
#[derive(Debug)]
pub struct InviterSide {
    channel: Channel,
    stage: InviterStage,
    since: Duration,
}

/// What the inviter does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InviterStep {
    /// The proof held: send this.
    Answer(Vec<u8>),
    /// The joiner says this of itself: enrol it, then send [`settled`] or [`declined`].
    Joiner(Vec<u8>),
}

impl InviterSide {
    /// Returns when the joiner must have said the next thing.
    pub fn deadline(&self) -> Duration {
        self.since + STEP_TIME
    }

    /// Takes in a message of the joiner's.
    ///
    /// # Errors
    ///
    /// Returns why the pairing does not go on; the connection is over then.
    pub fn handle(
        &mut self,
        invite: &mut Invite,
        message: &[u8],
        now: Duration,
    ) -> Result<InviterStep, PairingFault> {
        let step = self.step(invite, message, now);
        if step.is_err() {
            invite.leave(self);
        }
        step
    }

    fn step(
        &mut self,
        invite: &mut Invite,
        message: &[u8],
        now: Duration,
    ) -> Result<InviterStep, PairingFault> {
        invite.check_open(now)?;
        if now > self.deadline() {
            return Err(PairingFault::TooSlow);
        }
        let (kind, body) = message.split_first().ok_or(PairingFault::Malformed)?;
        match (self.stage, kind) {
            (InviterStage::Unproven, 1) => {
                let proof = <[u8; 32]>::try_from(body).map_err(|_| PairingFault::Malformed)?;
                // Counted before it is checked, so that attempts side by side cannot be more.
                invite.failures += 1;
                // The comparison of two `blake3::Hash`es takes the same time wherever they differ.
                if invite.keys.joiner_proof(&self.channel) != blake3::Hash::from_bytes(proof) {
                    return Err(PairingFault::WrongCode);
                }
                invite.failures -= 1;
                invite.unproven = invite.unproven.saturating_sub(1);
                self.stage = InviterStage::Proven;
                self.since = now;
                Ok(InviterStep::Answer(answer(invite, &self.channel)))
            }
            (InviterStage::Proven, 3) if body.len() <= PAYLOAD_BYTES_MAX => {
                invite.used = true;
                self.stage = InviterStage::Over;
                Ok(InviterStep::Joiner(body.to_vec()))
            }
            _ => Err(PairingFault::Malformed),
        }
    }
}

fn answer(invite: &Invite, channel: &Channel) -> Vec<u8> {
    let Offer { device, founding, payload } = &invite.offer;
    let proof = invite.keys.inviter_proof(channel, device, founding);
    [&[2], proof.as_bytes().as_slice(), &device.0, &founding.0, payload].concat()
}

/// Returns the message that says that the enrolment is on the disk.
pub fn settled(payload: &[u8]) -> Vec<u8> {
    [&[4], payload].concat()
}

/// Returns the message that says in a sentence why the device was not enrolled.
pub fn declined(why: &str) -> Vec<u8> {
    [&[5], why.as_bytes()].concat()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JoinerStage {
    /// The proof is out.
    Proving,
    /// The inviter has proved itself.
    Trusting,
    /// The inviter knows who we are.
    Waiting,
    Over,
}

/// The joiner's end of the connection.
#[derive(Debug)]
pub struct JoinerSide {
    keys: PairingKeys,
    channel: Channel,
    stage: JoinerStage,
}

/// What the joiner learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinerStep {
    /// The inviter has proved itself: this may be believed. Introduce this device next.
    Trust(Offer),
    /// The enrolment is on the inviter's disk: everything else goes over the ordinary endpoint.
    Enrolled(Vec<u8>),
}

impl JoinerSide {
    /// Returns the joiner's end and its first message, the proof.
    pub fn begin(keys: PairingKeys, channel: Channel) -> (Self, Vec<u8>) {
        let proof = [&[1], keys.joiner_proof(&channel).as_bytes().as_slice()].concat();
        (Self { keys, channel, stage: JoinerStage::Proving }, proof)
    }

    /// Returns the message in which this device says who it is.
    ///
    /// # Errors
    ///
    /// Returns [`PairingFault::Malformed`] before the inviter has proved itself, and for more than
    /// [`PAYLOAD_BYTES_MAX`].
    pub fn introduce(&mut self, details: &[u8]) -> Result<Vec<u8>, PairingFault> {
        if self.stage != JoinerStage::Trusting || details.len() > PAYLOAD_BYTES_MAX {
            return Err(PairingFault::Malformed);
        }
        self.stage = JoinerStage::Waiting;
        Ok([&[3], details].concat())
    }

    /// Takes in a message of the inviter's.
    ///
    /// # Errors
    ///
    /// Returns why the pairing does not go on; nothing of what was said may be believed then.
    pub fn handle(&mut self, message: &[u8]) -> Result<JoinerStep, PairingFault> {
        let stage = std::mem::replace(&mut self.stage, JoinerStage::Over);
        let (kind, body) = message.split_first().ok_or(PairingFault::Malformed)?;
        match (stage, kind) {
            (JoinerStage::Proving, 2) => {
                let offer = self.believed(body)?;
                self.stage = JoinerStage::Trusting;
                Ok(JoinerStep::Trust(offer))
            }
            (JoinerStage::Waiting, 4) => Ok(JoinerStep::Enrolled(body.to_vec())),
            (JoinerStage::Waiting, 5) => {
                let why: String = String::from_utf8_lossy(body).chars().take(300).collect();
                Err(PairingFault::Declined(why))
            }
            _ => Err(PairingFault::Malformed),
        }
    }

    fn believed(&self, body: &[u8]) -> Result<Offer, PairingFault> {
        let (proof, body) = body.split_first_chunk::<32>().ok_or(PairingFault::Malformed)?;
        let (device, body) = body.split_first_chunk::<32>().ok_or(PairingFault::Malformed)?;
        let (founding, payload) = body.split_first_chunk::<32>().ok_or(PairingFault::Malformed)?;
        let (device, founding) = (DeviceId(*device), Hash(*founding));
        if self.keys.inviter_proof(&self.channel, &device, &founding)
            != blake3::Hash::from_bytes(*proof)
        {
            return Err(PairingFault::WrongCode);
        }
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(PairingFault::Malformed);
        }
        Ok(Offer { device, founding, payload: payload.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Duration = Duration::from_secs(1000);

    /// Keys without the cost of growing them, and what goes with them.
    fn keys(seed: u8) -> PairingKeys {
        PairingKeys { secret: [seed; 32], proof: [seed + 1; 32], endpoint: DeviceId([seed; 32]) }
    }

    fn offer() -> Offer {
        Offer { device: DeviceId([5; 32]), founding: Hash([6; 32]), payload: vec![1, 2] }
    }

    fn channel() -> Channel {
        Channel { exporter: [9; 32], joiner: DeviceId([8; 32]) }
    }

    fn invite() -> Invite {
        Invite::open(keys(1), offer(), START)
    }

    #[test]
    fn the_keys_of_a_code_stay_what_they_are_and_differ_from_each_other() {
        let code: PairingCode = "ZWX9-213W-T9G1".parse().unwrap();
        let grown = PairingKeys::grow(&code);
        let again = PairingKeys::grow(&code);
        assert_eq!((grown.secret, grown.proof), (again.secret, again.proof));
        assert_ne!(grown.secret, grown.proof);
        assert_eq!(grown.endpoint(), public_half(&grown.secret));
        let other = PairingKeys::grow(&"ZWX9-213W-T9G2".parse().unwrap());
        assert_ne!(grown.tag(), other.tag());
        assert!(!format!("{grown:?} {code:?}").contains("ZWX9"));
    }

    #[test]
    fn a_device_with_the_code_joins_and_the_invite_is_used_up() {
        let mut invite = invite();
        let mut side = invite.begin(channel(), START).unwrap();
        let (mut joiner, proof) = JoinerSide::begin(keys(1), channel());
        assert_eq!(joiner.introduce(b"early"), Err(PairingFault::Malformed));
        let Ok(InviterStep::Answer(answer)) = side.handle(&mut invite, &proof, START) else {
            panic!("the proof holds")
        };
        assert_eq!(joiner.handle(&answer), Ok(JoinerStep::Trust(offer())));
        let details = joiner.introduce(b"Lounge tablet").unwrap();
        let step = side.handle(&mut invite, &details, START);
        assert_eq!(step, Ok(InviterStep::Joiner(b"Lounge tablet".to_vec())));
        assert_eq!(joiner.handle(&settled(&[7])), Ok(JoinerStep::Enrolled(vec![7])));
        assert_eq!(invite.state(START), InviteState::Used);
        assert_eq!(invite.begin(channel(), START).unwrap_err(), PairingFault::Used);
    }

    #[test]
    fn three_wrong_proofs_close_the_invite_even_for_the_right_code() {
        let mut invite = invite();
        for attempt in 1..=3 {
            let mut side = invite.begin(channel(), START).unwrap();
            let (_, wrong) = JoinerSide::begin(keys(2), channel());
            let step = side.handle(&mut invite, &wrong, START);
            assert_eq!(step, Err(PairingFault::WrongCode));
            assert_eq!(invite.failures(), attempt);
            // One attempt a connection.
            let (_, right) = JoinerSide::begin(keys(1), channel());
            assert!(side.handle(&mut invite, &right, START).is_err());
        }
        assert_eq!(invite.state(START), InviteState::Closed);
        assert_eq!(invite.begin(channel(), START).unwrap_err(), PairingFault::Closed);
    }

    #[test]
    fn connections_side_by_side_get_no_more_than_three_attempts() {
        let mut invite = invite();
        let mut sides: Vec<_> =
            (0..UNPROVEN_MAX).map(|_| invite.begin(channel(), START).unwrap()).collect();
        assert_eq!(invite.begin(channel(), START).unwrap_err(), PairingFault::Busy);
        let (_, wrong) = JoinerSide::begin(keys(2), channel());
        for side in &mut sides[..3] {
            assert_eq!(side.handle(&mut invite, &wrong, START), Err(PairingFault::WrongCode));
        }
        let (_, right) = JoinerSide::begin(keys(1), channel());
        assert_eq!(sides[3].handle(&mut invite, &right, START), Err(PairingFault::Closed));
    }

    #[test]
    fn a_connection_that_goes_makes_room_for_another() {
        let mut invite = invite();
        let mut first = invite.begin(channel(), START).unwrap();
        let mut others: Vec<_> =
            (1..UNPROVEN_MAX).map(|_| invite.begin(channel(), START).unwrap()).collect();
        invite.leave(&mut first);
        invite.leave(&mut first);
        others.push(invite.begin(channel(), START).unwrap());
        assert_eq!(invite.begin(channel(), START).unwrap_err(), PairingFault::Busy);
    }

    #[test]
    fn a_proof_that_comes_late_or_after_five_minutes_does_not_count() {
        let (_, proof) = JoinerSide::begin(keys(1), channel());
        let mut invite = invite();
        let mut side = invite.begin(channel(), START).unwrap();
        let late = START + STEP_TIME + Duration::from_millis(1);
        assert_eq!(side.handle(&mut invite, &proof, late), Err(PairingFault::TooSlow));
        assert_eq!(invite.failures(), 0, "nobody guessed anything");
        let end = START + INVITE_OPEN;
        let mut side = invite.begin(channel(), end - Duration::from_secs(1)).unwrap();
        assert_eq!(side.handle(&mut invite, &proof, end), Err(PairingFault::Expired));
        assert_eq!(invite.state(end), InviteState::Expired);
    }

    #[test]
    fn a_proof_taken_from_another_connection_does_not_hold() {
        let mut invite = invite();
        let elsewhere = Channel { exporter: [10; 32], ..channel() };
        let (_, proof) = JoinerSide::begin(keys(1), elsewhere);
        let mut side = invite.begin(channel(), START).unwrap();
        assert_eq!(side.handle(&mut invite, &proof, START), Err(PairingFault::WrongCode));
        let other = Channel { joiner: DeviceId([7; 32]), ..channel() };
        let (_, proof) = JoinerSide::begin(keys(1), other);
        let mut side = invite.begin(channel(), START).unwrap();
        assert_eq!(side.handle(&mut invite, &proof, START), Err(PairingFault::WrongCode));
    }

    proptest! {
        #[test]
        fn the_joiner_believes_nothing_of_a_changed_answer(at in 1..97_usize, bit in 0..8_u8) {
            let mut invite = invite();
            let mut side = invite.begin(channel(), START).unwrap();
            let (mut joiner, proof) = JoinerSide::begin(keys(1), channel());
            let Ok(InviterStep::Answer(mut answer)) = side.handle(&mut invite, &proof, START)
            else { panic!("the proof holds") };
            answer[at] ^= 1 << bit;
            prop_assert_eq!(joiner.handle(&answer), Err(PairingFault::WrongCode));
            prop_assert!(joiner.introduce(b"name").is_err());
        }

        #[test]
        fn no_bytes_bring_either_side_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut invite = invite();
            let mut side = invite.begin(channel(), START).unwrap();
            prop_assert!(side.handle(&mut invite, &bytes, START).is_err());
            let (mut joiner, _) = JoinerSide::begin(keys(1), channel());
            prop_assert!(joiner.handle(&bytes).is_err());
        }
    }
}
