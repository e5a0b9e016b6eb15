//! How a device joins a home: the invite on one side, the joining on the other.
//!
//! The inviter opens a second endpoint for five minutes. Whoever proves there that it knows the
//! code says its name and its keys; the manager's device then writes its enrolment and the home's
//! secrets sealed to it, and only after that fsync tells it so. Everything else goes over the
//! ordinary endpoint: the joiner takes in all entries under the founding that the inviter proved,
//! and begins its own log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use mar::command::AskHome;
use mar::fact::{DeviceKeys, DeviceRole};
use mar::ids::{DeviceId, HomeId, StaffId};
use mar::refusal::{Missing, Refusal, WhoRefusal};
use mar::staff::{Act, Employment};
use serde::{Deserialize, Serialize};
use store::Pinned;
use store::backend::Disk;
use store::entry::Hash;
use store::keys::{KeyFault, Keys, random};
use store::record::{Opening, Record};
use sync::endpoint::{
    BindFault, DialFault, Endpoint, EndpointConfig, InviteEvent, JoinRequest, Joining, Listen,
    PairingEndpoint,
};
use sync::lan::{Lan, LanConfig};
use sync::pairing::{CodeFault, INVITE_OPEN, InviteState, Offer, PairingCode, PairingKeys};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::clock::{Clock, ClockFault};
use crate::founding::Making;
use crate::peers::{self, Net, Network, NetworkEvent, NetworkOptions, Opened};
use crate::pins;
use crate::running::{Device, Folders, StartFault, by_person};
use crate::writer::{SubmitFault, unattended};

/// How long an invite is looked for on the network.
const FIND_TIME: Duration = Duration::from_secs(20);
/// How long the first copy may stand still before it is given up.
const STILL_TIME: Duration = Duration::from_secs(30);
/// How long the inviter waits for the joiner to have everything before it says that it joined.
const FIRST_COPY_TIME: Duration = Duration::from_secs(120);
/// How long the joiner waits for another device to have the start of its log.
const KNOWN_TIME: Duration = Duration::from_secs(5);
/// The most characters of a device's name.
const NAME_MAX: usize = 60;

/// What the inviter tells beside its proof.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    home: String,
    addresses: Vec<SocketAddr>,
}

/// What the joiner says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Introduction {
    name: String,
    recipient: String,
}

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
    let listen = match net.options.listen() {
        Listen::Usual => Listen::Usual,
        Listen::At(address) => Listen::At(SocketAddr::new(address.ip(), 0)),
    };
    let door = runtime.block_on(PairingEndpoint::open(keys, offer, net.practice, listen))?;
    let addresses = door.addresses();
    let (sender, news) = mpsc::channel();
    let (open, closed) = oneshot::channel();
    let inviting =
        Inviting { net: Arc::clone(net), role, manager, news: sender, door: Arc::new(door) };
    runtime.spawn(inviting.run(tag, closed));
    Ok(Invite { code: code.to_string(), addresses, news, _open: open })
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
    let name = name.trim().to_owned();
    if name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(failed("the device's name is too long: choose one of at most 60 letters"));
    }
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

/// How to join.
#[derive(Debug, Clone, Default)]
pub struct JoinOptions {
    /// The inviter's address, as its screen shows it; `None` finds it on the network.
    pub address: Option<SocketAddr>,
    /// Where to listen; `None` is the usual port.
    pub listen: Option<SocketAddr>,
    /// Whether to search the network.
    pub discovery: bool,
    /// Whether to use the loopback interface alone.
    pub loopback: bool,
}

/// What was joined.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The home.
    pub home: HomeId,
    /// This device.
    pub device: DeviceId,
}

/// Why a device did not join. Nothing is left in its folder then.
#[derive(Debug, thiserror::Error)]
pub enum JoinFault {
    /// The text is no code.
    #[error(transparent)]
    Code(#[from] CodeFault),
    /// The clock cannot be right.
    #[error(transparent)]
    Clock(#[from] ClockFault),
    /// The folder, the keys or the disk.
    #[error(transparent)]
    Start(#[from] StartFault),
    /// This device cannot listen.
    #[error(transparent)]
    Bind(#[from] BindFault),
    /// Nobody on the network waits for this code.
    #[error(
        "no device on this network waits for this code: see that the other screen still shows it \
         and that both are on the home's network, or type the address that it shows"
    )]
    NotFound,
    /// No address, and no search.
    #[error("where is the other device? Type the address that its screen shows")]
    NoAddress,
    /// The pairing did not go on.
    #[error(transparent)]
    Pairing(#[from] sync::endpoint::JoinFault),
    /// The first copy did not come to its end.
    #[error(
        "the home's record did not arrive: this device is enrolled, but the other one was not \
         reached any more. Ask for a new code and join again"
    )]
    Stalled,
    /// The other device is of another version.
    #[error("the other device runs another version of Medround: update the older one")]
    OtherVersion,
    /// Something that should not happen.
    #[error("{0}")]
    Failed(String),
}

/// Joins this device to a home and takes in its whole record. Afterwards the folder can be opened.
///
/// # Errors
///
/// Returns why it did not.
pub fn join(
    folders: &Folders,
    code: &str,
    device: &str,
    options: &JoinOptions,
    clock: Clock,
) -> Result<Joined, JoinFault> {
    let code: PairingCode = code.parse()?;
    clock.checked()?;
    if device.trim().is_empty() {
        let blank = mar::refusal::EntryRefusal::Blank("name for the device");
        return Err(StartFault::Refused(blank.into()).into());
    }
    if options.address.is_none() && !options.discovery {
        return Err(JoinFault::NoAddress);
    }
    let making = Making::begin(folders, "joining")?;
    match take_part(&making, folders, (&code, device.trim()), options, &clock) {
        Ok(joined) => {
            making.settle().map_err(StartFault::from)?;
            Ok(joined)
        }
        Err(fault) => {
            making.abandon();
            Err(fault)
        }
    }
}

fn take_part(
    making: &Making,
    folders: &Folders,
    (code, name): (&PairingCode, &str),
    options: &JoinOptions,
    clock: &Clock,
) -> Result<Joined, JoinFault> {
    let inside = making.folders(folders);
    let keys = Keys::create(&Folders::keys_file(&inside.data)).map_err(StartFault::from)?;
    let runtime = peers::runtime().map_err(|fault| JoinFault::Failed(fault.to_string()))?;
    let paired = runtime.block_on(pair(code, name, &keys, options))?;
    let Paired { endpoint, practice, offer } = paired;
    let told: Told = serde_json::from_slice(&offer.payload).map_err(|_| JoinFault::OtherVersion)?;
    let home: HomeId = told.home.parse().map_err(|_| JoinFault::OtherVersion)?;
    let own = keys.device();
    let opening = Opening { disk: Disk::folder(&inside.data), keys, state: folders.state_file() };
    let pinned = Pinned { home, founding: Hash(offer.founding.0) };
    let record = Record::join(opening, clock.now(), &pinned).map_err(StartFault::from)?;
    let device = Device::of_record(&inside, record, clock.clone())?;
    let opened = Opened { runtime, endpoint, inviter: Some((offer.device, told.addresses)) };
    let network_options =
        NetworkOptions { listen: options.listen, discovery: false, loopback: options.loopback };
    let (events, _) = mpsc::channel();
    let network = Network::begin(&device, network_options, events, (opened, practice));
    let copied = first_copy(&device, &network, offer.device);
    network.stop_at_once();
    device.close();
    copied.map(|()| Joined { home, device: own })
}

/// Waits until everything is here, then begins this device's own log.
fn first_copy(device: &Device, network: &Network, inviter: DeviceId) -> Result<(), JoinFault> {
    let changes = device.changes();
    let mut held = 0;
    let mut moved = Instant::now();
    while !(network.is_in_sync(inviter) && is_enrolled(device)) {
        match changes.recv_timeout(Duration::from_millis(50)) {
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(JoinFault::Stalled),
        }
        let now_held = device
            .reader()
            .map_err(|fault| JoinFault::Failed(fault.to_string()))?
            .heads()
            .iter()
            .filter_map(|(_, log)| log.latest())
            .map(|head| head.sequence + 1)
            .sum::<u64>();
        if now_held != held {
            (held, moved) = (now_held, Instant::now());
        } else if moved.elapsed() > STILL_TIME {
            return Err(JoinFault::Stalled);
        }
    }
    let reads = AskHome::TellReads { program: crate::PROGRAM.to_owned() };
    let saved =
        device.submit(unattended(reads)).map_err(|fault| JoinFault::Failed(fault.to_string()))?;
    if let Some(entry) = saved.entries.first() {
        let on = device.wait_saved_on(entry.id, 2, KNOWN_TIME);
        tracing::debug!(on, "this device's log has begun");
    }
    Ok(())
}

fn is_enrolled(device: &Device) -> bool {
    device.picture().home.devices().get(&device.id()).is_some_and(|own| own.is_active())
}

/// An inviter that was found and believed, and has enrolled this device.
struct Paired {
    endpoint: Endpoint,
    practice: bool,
    offer: Offer,
}

async fn pair(
    code: &PairingCode,
    name: &str,
    keys: &Keys,
    options: &JoinOptions,
) -> Result<Paired, JoinFault> {
    let grown = code.clone();
    let pairing = tokio::task::spawn_blocking(move || PairingKeys::grow(&grown))
        .await
        .map_err(|fault| JoinFault::Failed(fault.to_string()))?;
    let places = match options.address {
        // A practice home speaks under another name, and the joiner cannot know which it is.
        Some(address) => BTreeMap::from([(false, vec![address]), (true, vec![address])]),
        None => find(&pairing, options.loopback).await?,
    };
    let mut last = JoinFault::NotFound;
    for (practice, addresses) in places {
        let config = EndpointConfig {
            secret: *keys.device_seed(),
            practice,
            listen: NetworkOptions {
                listen: options.listen,
                discovery: false,
                loopback: options.loopback,
            }
            .listen(),
        };
        let endpoint = Endpoint::bind(&config).await?;
        match endpoint.join(pairing.clone(), &addresses).await {
            Ok(joining) => {
                let offer = introduce(joining, name, keys).await?;
                return Ok(Paired { endpoint, practice, offer });
            }
            Err(fault) => {
                endpoint.close().await;
                let other_kind =
                    matches!(fault, sync::endpoint::JoinFault::Dial(DialFault::OtherKind));
                if !other_kind {
                    return Err(fault.into());
                }
                last = fault.into();
            }
        }
    }
    Err(last)
}

async fn introduce(joining: Joining, name: &str, keys: &Keys) -> Result<Offer, JoinFault> {
    let offer = joining.offer.clone();
    let introduction = Introduction { name: name.to_owned(), recipient: keys.recipient() };
    let details =
        serde_json::to_vec(&introduction).map_err(|fault| JoinFault::Failed(fault.to_string()))?;
    joining.introduce(&details).await?;
    Ok(offer)
}

/// Looks for the invite on the network, among practice homes and others.
async fn find(
    keys: &PairingKeys,
    loopback: bool,
) -> Result<BTreeMap<bool, Vec<SocketAddr>>, JoinFault> {
    let lan = |practice| {
        let config = LanConfig { practice, loopback_only: loopback, port: None };
        Lan::start(config).map_err(|fault| JoinFault::Failed(fault.to_string()))
    };
    let (home, practice) = (lan(false)?, lan(true)?);
    let mut in_home = home.find_invite(keys.tag());
    let mut in_practice = practice.find_invite(keys.tag());
    let seen = timeout(FIND_TIME, async {
        tokio::select! {
            Some(address) = in_home.recv() => Some((false, address)),
            Some(address) = in_practice.recv() => Some((true, address)),
            else => None,
        }
    })
    .await;
    let Ok(Some((kind, first))) = seen else {
        home.stop();
        practice.stop();
        return Err(JoinFault::NotFound);
    };
    // The other addresses of the same announcement come right behind.
    let more = if kind { &mut in_practice } else { &mut in_home };
    let mut addresses = vec![first];
    while let Ok(Some(address)) = timeout(Duration::from_millis(100), more.recv()).await {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    home.stop();
    practice.stop();
    Ok(BTreeMap::from([(kind, addresses)]))
}
