//! The inviter's side: an invite for one device, open for five minutes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use mar::command::AskHome;
use mar::fact::{DeviceKeys, DeviceRole};
use mar::ids::{DeviceId, StaffId};
use mar::refusal::{Missing, Refusal, WhoRefusal};
use mar::staff::{Act, Employment};
use store::keys::{KeyFault, random};
use sync::endpoint::{BindFault, InviteEvent, JoinRequest, Listen, PAIRING_PORT, PairingEndpoint};
use sync::lan::{Lan, LanConfig};
use sync::pairing::{INVITE_OPEN, InviteState, Offer, PairingCode, PairingKeys};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Introduction, Told, name_of};
use crate::peers::{Net, NetworkEvent};
use crate::pins;
use crate::running::{Device, by_person};
use crate::writer::SubmitFault;

/// How long the inviter waits for the joiner to have everything before it says that it joined.
const FIRST_COPY_TIME: Duration = Duration::from_secs(120);

/// What happened to an open invite.
#[derive(Debug)]
pub enum InviteNews {
    /// A wrong code was tried; this many more close the invite.
    WrongCode {
        /// How many more.
        left: u8,
    },
    /// A device joined, and holds everything.
    Joined(DeviceId),
    /// The invite is over.
    Over(InviteFault),
}

/// Why no device joined.
#[derive(Debug, thiserror::Error)]
pub enum InviteFault {
    /// The five minutes are over.
    #[error("nobody joined within five minutes: open a new invite")]
    Expired,
    /// Three wrong codes.
    #[error("three wrong codes were tried, so the invite was closed: find out who tried them")]
    Closed,
    /// The endpoint could not be opened.
    #[error(transparent)]
    Bind(#[from] BindFault),
    /// The home refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something else.
    #[error("{0}")]
    Failed(String),
}

/// An open invite. Dropping it closes it.
#[derive(Debug)]
pub struct Invite {
    /// The code as it is shown: three groups of four.
    pub code: String,
    /// The addresses to show beside it.
    pub addresses: Vec<SocketAddr>,
    news: Receiver<InviteNews>,
    _open: oneshot::Sender<()>,
}

impl Invite {
    /// Waits for what happens next, for as long as the invite is open.
    #[allow(
        clippy::should_implement_trait,
        reason = "it never ends by itself: it says that it is over"
    )]
    pub fn next(&mut self) -> InviteNews {
        let gone = || InviteFault::Failed("this device's network was closed".to_owned());
        self.news.recv().unwrap_or_else(|_| InviteNews::Over(gone()))
    }

    /// Waits until a device has joined, for five minutes at most.
    ///
    /// # Errors
    ///
    /// Returns why none did.
    pub fn wait(mut self) -> Result<DeviceId, InviteFault> {
        loop {
            match self.next() {
                InviteNews::WrongCode { left } => tracing::warn!(left, "a wrong code was tried"),
                InviteNews::Joined(device) => return Ok(device),
                InviteNews::Over(fault) => return Err(fault),
            }
        }
    }
}

/// Opens an invite on a running network.
pub(crate) fn invite(
    runtime: &Handle,
    net: &Arc<Net>,
    role: DeviceRole,
    manager: StaffId,
) -> Result<Invite, InviteFault> {
    may_invite(&net.device, manager)?;
    let failed = |fault: KeyFault| InviteFault::Failed(fault.to_string());
    let code = PairingCode::from_random(*random::<8>().map_err(failed)?);
    let keys = PairingKeys::grow(&code);
    let tag = keys.tag();
    let reader = net.device.reader().map_err(|fault| InviteFault::Failed(fault.to_string()))?;
    let pinned = reader.pinned();
    drop(reader);
    let told = Told { home: pinned.home.to_string(), addresses: net.endpoint.addresses() };
    let offer = Offer {
        device: net.device.id(),
        founding: pinned.founding,
        payload: serde_json::to_vec(&told).map_err(|e| InviteFault::Failed(e.to_string()))?,
    };
    let door = runtime.block_on(open_door(net, &keys, &offer))?;
    let addresses = door.addresses();
    let (sender, news) = mpsc::channel();
    let (open, closed) = oneshot::channel();
    let inviting =
        Inviting { net: Arc::clone(net), role, manager, news: sender, door: Arc::new(door) };
    runtime.spawn(inviting.run(tag, closed));
    Ok(Invite { code: code.to_string(), addresses, news, _open: open })
}

/// Opens the second endpoint on its usual port, or on any other where that is taken.
async fn open_door(
    net: &Net,
    keys: &PairingKeys,
    offer: &Offer,
) -> Result<PairingEndpoint, BindFault> {
    let open = |listen| PairingEndpoint::open(keys.clone(), offer.clone(), net.practice, listen);
    let Listen::At(address) = net.options.listen() else {
        return open(Listen::Usual).await;
    };
    let at = |port| Listen::At(SocketAddr::new(address.ip(), port));
    match open(at(PAIRING_PORT)).await {
        Err(BindFault::Listen { .. }) => open(at(0)).await,
        opened => opened,
    }
}

/// Says before a code is shown what would be refused when a device has typed it.
fn may_invite(device: &Device, manager: StaffId) -> Result<(), Refusal> {
    let picture = device.picture();
    let own = picture.home.devices().get(&device.id());
    let role = own.and_then(|own| own.enrolment()).map(|(_, role)| role);
    if role != Some(DeviceRole::Member) {
        return Err(WhoRefusal::Observer.into());
    }
    let person = picture.home.person(manager).ok_or(Missing::Staff)?;
    if person.standing != Employment::Active {
        return Err(WhoRefusal::NotActive.into());
    }
    let act = Act::KeepDevices;
    if !person.role.may(act) {
        return Err(WhoRefusal::Role { role: person.role, act }.into());
    }
    Ok(())
}

/// The inviter's side of one invite.
struct Inviting {
    net: Arc<Net>,
    role: DeviceRole,
    manager: StaffId,
    news: Sender<InviteNews>,
    door: Arc<PairingEndpoint>,
}

impl Inviting {
    async fn run(self, tag: [u8; 16], closed: oneshot::Receiver<()>) {
        let announced = self.announce(tag);
        let over = tokio::select! {
            over = self.wait() => over,
            _ = closed => None,
        };
        drop(announced);
        if let Some(news) = over {
            self.say(news);
        }
        if let Ok(door) = Arc::try_unwrap(self.door) {
            door.close().await;
        }
    }

    /// Nobody may be listening to the invite's news any more.
    fn say(&self, news: InviteNews) {
        if self.news.send(news).is_err() {
            tracing::debug!("nobody waits for the invite any more");
        }
    }

    fn announce(&self, tag: [u8; 16]) -> Option<(sync::lan::Announced, Lan)> {
        if !self.net.options.discovery {
            return None;
        }
        let config = LanConfig {
            practice: self.net.practice,
            loopback_only: self.net.options.loopback,
            port: None,
        };
        let announced = Lan::start(config).and_then(|lan| {
            let port = self.door.port().unwrap_or_default();
            Ok((lan.announce_invite(&tag, port)?, lan))
        });
        announced.inspect_err(|fault| tracing::warn!(%fault, "the invite is not announced")).ok()
    }

    async fn wait(&self) -> Option<InviteNews> {
        // Wrong codes and joiners are told by the door; that time runs out is not.
        let until = tokio::time::Instant::now() + INVITE_OPEN;
        loop {
            let event = tokio::select! {
                event = self.door.next() => event?,
                () = tokio::time::sleep_until(until) => {
                    if matches!(self.door.state(), InviteState::Used) {
                        continue;
                    }
                    return Some(InviteNews::Over(InviteFault::Expired));
                }
            };
            match event {
                InviteEvent::WrongCode { left } => self.say(InviteNews::WrongCode { left }),
                InviteEvent::Closed => {
                    self.net.tell(NetworkEvent::Alarm { what: InviteFault::Closed.to_string() });
                    return Some(InviteNews::Over(InviteFault::Closed));
                }
                InviteEvent::Joining(request) => return Some(self.let_in(request).await),
            }
        }
    }

    /// Enrols a device that knew the code, and waits until it holds everything.
    async fn let_in(&self, request: JoinRequest) -> InviteNews {
        let (net, role, manager) = (Arc::clone(&self.net), self.role, self.manager);
        let joiner = request.joiner;
        let details = request.details.clone();
        let enrolled = tokio::task::spawn_blocking(move || {
            enrol(&net.device, joiner, &details, role, manager)
        });
        match enrolled.await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => {
                if let Err(ended) = request.decline(&fault.to_string()).await {
                    tracing::debug!(%ended, "the device could not be told");
                }
                return InviteNews::Over(fault);
            }
            Err(fault) => return InviteNews::Over(InviteFault::Failed(fault.to_string())),
        }
        if let Err(ended) = request.enrolled(&[]).await {
            tracing::debug!(%ended, "the device could not be told that it is enrolled");
        }
        let waited = timeout(FIRST_COPY_TIME, self.has_everything(joiner)).await;
        if waited.is_err() {
            tracing::warn!("the device that joined does not have everything yet");
        }
        InviteNews::Joined(joiner)
    }

    /// Waits until a device has begun its log: it does so when it holds everything.
    async fn has_everything(&self, joiner: DeviceId) {
        let mut every = tokio::time::interval(Duration::from_millis(50));
        loop {
            every.tick().await;
            let picture = self.net.device.picture();
            if picture.home.logs().values().any(|(start, _)| start.device == joiner) {
                return;
            }
        }
    }
}

/// Writes a device's enrolment and what it may have of the home's secrets, in one commit.
fn enrol(
    device: &Device,
    joiner: DeviceId,
    details: &[u8],
    role: DeviceRole,
    manager: StaffId,
) -> Result<(), InviteFault> {
    let failed = |what: &str| InviteFault::Failed(what.to_owned());
    let Introduction { name, recipient } = serde_json::from_slice(details)
        .map_err(|_| failed("the device that wants to join runs another version of Medround"))?;
    let name = name_of(&name).map_err(Refusal::from)?.to_owned();
    let picture = device.picture();
    let same = |other: &str| other.trim().to_lowercase() == name.to_lowercase();
    let taken = picture.home.devices().iter().any(|(id, other)| {
        let named = other.enrolment().is_some_and(|(keys, _)| same(&keys.name));
        *id != joiner && other.is_active() && named
    });
    if taken {
        return Err(InviteFault::Failed(format!(
            "there is a device called {name} already: give this one another name"
        )));
    }
    let secrets = pins::for_joiner(device, &(joiner, recipient.clone(), role))
        .map_err(|fault| InviteFault::Failed(fault.to_string()))?;
    let keys = DeviceKeys { device: joiner, recipient, name };
    let asks = [AskHome::EnrolDevice { keys, role }]
        .into_iter()
        .chain(secrets.into_iter().map(AskHome::SealSecret));
    let commands = asks.map(|ask| by_person(manager, ask)).collect();
    match device.submit_all(commands) {
        Ok(_) => Ok(()),
        Err(SubmitFault::Refused(refusal)) => Err(refusal.into()),
        Err(fault) => Err(InviteFault::Failed(fault.to_string())),
    }
}
