//! How a device joins a home: the invite on one side, the joining on the other.
//!
//! The inviter opens a second endpoint for five minutes. Whoever proves there that it knows the
//! code says its name and its keys; the manager's device then writes its enrolment and the home's
//! secrets sealed to it, and only after that fsync tells it so. Everything else goes over the
//! ordinary endpoint: the joiner takes in all entries under the founding that the inviter proved,
//! and begins its own log.

mod invite;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use mar::command::AskHome;
use mar::ids::{DeviceId, HomeId};
use mar::refusal::EntryRefusal;
use mar::text::{Flaw, Form, TextFault};
use serde::{Deserialize, Serialize};
use store::Pinned;
use store::backend::Disk;
use store::entry::Hash;
use store::keys::Keys;
use store::record::{Opening, Record};
use sync::endpoint::{BindFault, DialFault, Endpoint, EndpointConfig, Joining};
use sync::lan::{Lan, LanConfig};
use sync::pairing::{CodeFault, Offer, PairingCode, PairingKeys};
use tokio::time::timeout;

use crate::clock::{Clock, ClockFault};
use crate::folder::Making;
use crate::peers::{self, Network, NetworkOptions, Opened};
use crate::running::{Device, Folders, StartFault};
use crate::writer::unattended;
pub(crate) use invite::invite;
pub use invite::{Invite, InviteFault, InviteNews};

/// How long an invite is looked for on the network.
const FIND_TIME: Duration = Duration::from_secs(20);
/// How long the first copy may stand still before it is given up.
const STILL_TIME: Duration = Duration::from_secs(30);
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
    /// The other device is there, and no invite is open on it.
    #[error(
        "no invite is open on the device at this address: run `medroundctl invite` there, then \
         type the code and the address that it shows"
    )]
    NoInvite,
    /// No address, and no search.
    #[error("where is the other device? Give the address that its screen shows: --address IP:PORT")]
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
    name_of(device).map_err(|refusal| StartFault::Refused(refusal.into()))?;
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

/// Returns a device's name as it is kept.
fn name_of(text: &str) -> Result<&str, EntryRefusal> {
    const FIELD: &str = "name of the device";
    let name = text.trim();
    if name.is_empty() {
        return Err(EntryRefusal::Blank("name for the device"));
    }
    mar::text::check(FIELD, name, Form::Name)?;
    let long = name.chars().count();
    if long > NAME_MAX {
        let flaw = Flaw::TooLong { long, longest: NAME_MAX };
        return Err(TextFault { field: FIELD, flaw, after: String::new() }.into());
    }
    Ok(name)
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
    let addresses = ordinary_addresses(told.addresses, options.address);
    let opened = Opened { runtime, endpoint, inviter: Some((offer.device, addresses)) };
    let network_options =
        NetworkOptions { listen: options.listen, discovery: false, loopback: options.loopback };
    let (events, _) = mpsc::channel();
    let network = Network::begin(&device, network_options, events, (opened, practice));
    let copied = first_copy(&device, &network, offer.device);
    network.stop_at_once();
    device.close();
    copied.map(|()| Joined { home, device: own })
}

/// Returns where the inviter's ordinary endpoint may be: where it says, and on the computer that
/// was typed, which was reached already.
fn ordinary_addresses(told: Vec<SocketAddr>, typed: Option<SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = told;
    if let (Some(typed), Some(first)) = (typed, addresses.first().copied()) {
        let reached = SocketAddr::new(typed.ip(), first.port());
        if !addresses.contains(&reached) {
            addresses.push(reached);
        }
    }
    addresses
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
    // Asked as a practice home and as any other, and neither is let in there: it takes entries of
    // its own home, and nobody has opened an invite.
    let neither =
        matches!(last, JoinFault::Pairing(sync::endpoint::JoinFault::Dial(DialFault::OtherKind)));
    Err(if neither { JoinFault::NoInvite } else { last })
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
