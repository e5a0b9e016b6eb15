//! Pairing over real connections: the inviter's second endpoint, and the joiner's way through it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use store::entry::DeviceId;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::socket::{Door, shake_hands};
use super::{
    BindFault, Connection, DialFault, Ended, Endpoint, HANDSHAKE_TIME, HANDSHAKES_MAX, Link,
    Listen, names,
};
use crate::pairing::{
    Channel, Invite, InviteState, InviterSide, InviterStep, JoinerSide, JoinerStep, Offer,
    PairingFault, PairingKeys, STEP_TIME, declined, settled,
};

/// How long the joiner waits for a person at the inviter's end.
const ENROL_TIME: Duration = Duration::from_secs(120);

/// Something happened to an open invite.
#[derive(Debug)]
pub enum InviteEvent {
    /// A proof did not hold; this many more are allowed.
    WrongCode {
        /// How many more wrong proofs close the invite.
        left: u8,
    },
    /// The third wrong proof closed the invite. A manager should know.
    Closed,
    /// A device proved that it knows the code and says who it is.
    Joining(JoinRequest),
}

/// A device that waits to be enrolled.
#[derive(Debug)]
pub struct JoinRequest {
    /// The device's id, which TLS has proved.
    pub joiner: DeviceId,
    /// What it says of itself.
    pub details: Vec<u8>,
    connection: Connection,
}

impl JoinRequest {
    /// Tells the device that its enrolment is on the disk.
    ///
    /// # Errors
    ///
    /// Returns why it could not be told; it is enrolled all the same.
    pub async fn enrolled(self, payload: &[u8]) -> Result<(), Ended> {
        self.answer(&settled(payload)).await
    }

    /// Tells the device in a sentence why it is not enrolled.
    ///
    /// # Errors
    ///
    /// Returns why it could not be told.
    pub async fn decline(self, why: &str) -> Result<(), Ended> {
        self.answer(&declined(why)).await
    }

    async fn answer(self, message: &[u8]) -> Result<(), Ended> {
        let Connection { link, mut sender, receiver } = self.connection;
        sender.send(message).await?;
        let sent = timeout(STEP_TIME, sender.finish()).await;
        drop(receiver);
        link.close(0, "done");
        sent.map_err(|_| Ended::Silent)
    }
}

/// The endpoint on which an invite waits, open only as long as the invite. Its id follows from the
/// code, so a device that reaches it knows that it is the right one.
#[derive(Debug)]
pub struct PairingEndpoint {
    door: Door,
    waiting: Arc<Waiting>,
    events: tokio::sync::Mutex<mpsc::Receiver<InviteEvent>>,
}

/// The invite and the clock that it runs by.
#[derive(Debug)]
struct Waiting {
    invite: Mutex<Invite>,
    opened: Instant,
}

impl Waiting {
    fn now(&self) -> Duration {
        self.opened.elapsed()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Invite, Duration) -> T) -> T {
        let mut invite = self.invite.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut invite, self.now())
    }
}

/// Gives an unproven place back however its connection ends.
struct Place<'a> {
    waiting: &'a Waiting,
    side: InviterSide,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let side = &mut self.side;
        self.waiting.with(|invite, _| invite.leave(side));
    }
}

impl PairingEndpoint {
    /// Opens an invite and waits for a device.
    ///
    /// # Errors
    ///
    /// Returns why it cannot listen.
    pub async fn open(
        keys: PairingKeys,
        offer: Offer,
        practice: bool,
        listen: Listen,
    ) -> Result<Self, BindFault> {
        let door = Door::open(keys.secret(), practice, listen).await?;
        let opened = Instant::now();
        let invite = Mutex::new(Invite::open(keys, offer, Duration::ZERO));
        let waiting = Arc::new(Waiting { invite, opened });
        let (sender, receiver) = mpsc::channel(HANDSHAKES_MAX);
        tokio::spawn(wait(door.clone(), Arc::clone(&waiting), sender));
        Ok(Self { door, waiting, events: tokio::sync::Mutex::new(receiver) })
    }

    /// Returns the addresses to show beside the code.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.door.addresses()
    }

    /// Returns the port it listens on, `None` once it is closed.
    pub fn port(&self) -> Option<u16> {
        self.door.port()
    }

    /// Returns where the invite stands.
    pub fn state(&self) -> InviteState {
        self.waiting.with(|invite, now| invite.state(now))
    }

    /// Returns what happens next, `None` once the endpoint is closed.
    pub async fn next(&self) -> Option<InviteEvent> {
        self.events.lock().await.recv().await
    }

    /// Closes the endpoint. The invite's keys are wiped when the last connection is gone.
    pub async fn close(self) {
        self.door.close().await;
    }
}

async fn wait(door: Door, waiting: Arc<Waiting>, events: mpsc::Sender<InviteEvent>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    while let Some(incoming) = door.next().await {
        let open = matches!(waiting.with(|invite, now| invite.state(now)), InviteState::Open(_));
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        if !open {
            incoming.refuse();
            continue;
        }
        let (waiting, events) = (Arc::clone(&waiting), events.clone());
        tokio::spawn(async move {
            let arrived = timeout(HANDSHAKE_TIME, shake_hands(incoming)).await;
            drop(place);
            if let Ok(Ok(link)) = arrived
                && let Err(fault) = admit(&link, &waiting, &events).await
            {
                link.close(fault.code(), &fault.to_string());
                report(&fault, &waiting, &events).await;
            }
        });
    }
}

async fn report(fault: &PairingFault, waiting: &Waiting, events: &mpsc::Sender<InviteEvent>) {
    if *fault == PairingFault::WrongCode {
        let failures = waiting.with(|invite, _| invite.failures());
        let event = match crate::pairing::FAILURES_MAX.saturating_sub(failures) {
            0 => InviteEvent::Closed,
            left => InviteEvent::WrongCode { left },
        };
        // Nobody listens any more when the invite is being closed.
        drop(events.send(event).await);
    }
}

/// Serves one connection to the invite until the device has said who it is.
async fn admit(
    link: &Link,
    waiting: &Waiting,
    events: &mpsc::Sender<InviteEvent>,
) -> Result<(), PairingFault> {
    let exporter = link.exporter().map_err(|_| PairingFault::Malformed)?;
    let channel = Channel { exporter, joiner: link.device() };
    let side = waiting.with(|invite, now| invite.begin(channel, now))?;
    let mut place = Place { waiting, side };
    let connection = within(&place, link.clone().accept_stream()).await?;
    let mut connection = connection.map_err(|_| PairingFault::Malformed)?;
    let proof = within(&place, connection.receiver.receive()).await?;
    let proof = proof.map_err(|_| PairingFault::Malformed)?;
    let InviterStep::Answer(answer) = step(&mut place, &proof)? else {
        return Err(PairingFault::Malformed);
    };
    connection.sender.send(&answer).await.map_err(|_| PairingFault::Malformed)?;
    let details = within(&place, connection.receiver.receive()).await?;
    let details = details.map_err(|_| PairingFault::Malformed)?;
    let InviterStep::Joiner(details) = step(&mut place, &details)? else {
        return Err(PairingFault::Malformed);
    };
    let request = JoinRequest { joiner: link.device(), details, connection };
    events.send(InviteEvent::Joining(request)).await.map_err(|_| PairingFault::Expired)
}

fn step(place: &mut Place<'_>, message: &[u8]) -> Result<InviterStep, PairingFault> {
    let side = &mut place.side;
    place.waiting.with(|invite, now| side.handle(invite, message, now))
}

async fn within<T>(place: &Place<'_>, work: impl Future<Output = T>) -> Result<T, PairingFault> {
    let left = place.side.deadline().saturating_sub(place.waiting.now());
    timeout(left, work).await.map_err(|_| PairingFault::TooSlow)
}

/// Why a device could not join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinFault {
    /// The inviter could not be reached.
    #[error(transparent)]
    Dial(#[from] DialFault),
    /// Whoever waits at this address does not wait for this code.
    #[error("no device at this address waits for this code; check the code and the address")]
    NotThisCode,
    /// The pairing did not go on.
    #[error(transparent)]
    Pairing(#[from] PairingFault),
    /// The connection ended.
    #[error(transparent)]
    Ended(Ended),
}

impl From<Ended> for JoinFault {
    fn from(ended: Ended) -> Self {
        match &ended {
            Ended::Closed { code, .. } => match PairingFault::of_code(*code) {
                Some(fault) => Self::Pairing(fault),
                None => Self::Ended(ended),
            },
            Ended::NotEnrolled
            | Ended::PutOut
            | Ended::Replaced
            | Ended::Silent
            | Ended::ClosedHere
            | Ended::BadFrame(_)
            | Ended::Broken(_) => Self::Ended(ended),
        }
    }
}

/// A device that has found its inviter and believes it.
#[derive(Debug)]
pub struct Joining {
    /// What the inviter has proved.
    pub offer: Offer,
    side: JoinerSide,
    connection: Connection,
}

impl Joining {
    /// Says who this device is, and waits until it is enrolled. Returns what the inviter adds.
    ///
    /// # Errors
    ///
    /// Returns why it was not enrolled.
    pub async fn introduce(mut self, details: &[u8]) -> Result<Vec<u8>, JoinFault> {
        let message = self.side.introduce(details)?;
        self.connection.sender.send(&message).await?;
        let answer = timeout(ENROL_TIME, self.connection.receiver.receive()).await;
        match self.side.handle(&answer.map_err(|_| PairingFault::TooSlow)??)? {
            JoinerStep::Enrolled(payload) => Ok(payload),
            JoinerStep::Trust(_) => Err(PairingFault::Malformed.into()),
        }
    }
}

impl Endpoint {
    /// Dials an open invite with this device's own id, and checks that it knows the code too.
    ///
    /// # Errors
    ///
    /// Returns why there is nobody to believe.
    pub async fn join(
        &self,
        keys: PairingKeys,
        addresses: &[SocketAddr],
    ) -> Result<Joining, JoinFault> {
        let dialled = self.dial_invite(keys.endpoint(), addresses).await;
        if let Err(JoinFault::Dial(DialFault::OtherDevice)) = dialled {
            return Err(JoinFault::NotThisCode);
        }
        let (mut connection, channel) = dialled?;
        let (mut side, proof) = JoinerSide::begin(keys, channel);
        connection.sender.send(&proof).await?;
        let answer = timeout(STEP_TIME, connection.receiver.receive()).await;
        match side.handle(&answer.map_err(|_| PairingFault::TooSlow)??)? {
            JoinerStep::Trust(offer) => Ok(Joining { offer, side, connection }),
            JoinerStep::Enrolled(_) => Err(PairingFault::Malformed.into()),
        }
    }

    /// Dials the endpoint of an invite without saying anything yet.
    ///
    /// # Errors
    ///
    /// Returns why it could not be reached.
    pub async fn dial_invite(
        &self,
        invite: DeviceId,
        addresses: &[SocketAddr],
    ) -> Result<(Connection, Channel), JoinFault> {
        let link = Link(self.connect(invite, addresses, names(self.practice).pairing).await?);
        let channel = Channel { exporter: link.exporter()?, joiner: self.id() };
        Ok((link.open_stream().await?, channel))
    }
}
