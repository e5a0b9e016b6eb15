//! Connections between the devices of a home: QUIC with the devices' own keys, on the local network
//! and nowhere else. Only this module has heard of iroh.
//!
//! An [`Endpoint`] dials and accepts. Who may connect is decided by the id that TLS has proved, in
//! a hook that runs before any stream exists; the set of allowed ids can change at any time, and a
//! connection whose id is taken out is closed at once. Its accept loop does nothing with a
//! connection but check it and hand it on, so that a panic in whoever serves it stays there.
//!
//! There is no relay, no look-up of addresses, no port mapping and no resumption of sessions, and
//! addresses outside the local network are neither dialled nor answered.

mod joining;
mod link;
mod socket;

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use iroh::endpoint::{
    AfterHandshakeOutcome, BeforeConnectOutcome, ConnectError, ConnectWithOptsError,
    ConnectingError, ConnectionError, EndpointHooks, Side, VarInt, WeakConnectionHandle,
};
use iroh::{EndpointAddr, PublicKey, SecretKey, TransportAddr};
use store::entry::DeviceId;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use joining::{InviteEvent, JoinFault, JoinRequest, Joining, PairingEndpoint};
pub use link::{Connection, Ended, FrameReceiver, FrameSender, Link};
use socket::{deepest, from_here, local_addresses, open, shake_hands};

/// The UDP port of a home's devices. Fixed, so that a firewall rule and a typed address can name
/// it; where it is taken any other is used.
pub const PORT: u16 = 41761;
/// The UDP port of an open invite.
pub const PAIRING_PORT: u16 = 41762;
/// How long one try to reach a device may take.
pub const DIAL_TIME: Duration = Duration::from_secs(1);

/// How long a handshake may take. Whoever dials gives up after [`DIAL_TIME`]; a device that dials
/// an old address again and again must not use up the places of the others.
const HANDSHAKE_TIME: Duration = Duration::from_secs(2);
/// How long an enrolled device may take from its handshake to its first stream.
const STREAM_TIME: Duration = Duration::from_secs(10);
/// How many connections may be on their way through the handshake.
const HANDSHAKES_MAX: usize = 8;
/// Connections that two devices dialled at once come within this time of each other.
const AT_ONCE: Duration = Duration::from_secs(2);

const CLOSE_NOT_ENROLLED: u32 = 403;
/// Said to a device that was put out of the home, and to no other: the one thing that it is told.
const CLOSE_PUT_OUT: u32 = 410;
const CLOSE_REPLACED: u32 = 409;
const CLOSE_BAD_FRAME: u32 = 460;

/// What a device's endpoint is made of. The secret is wiped when this goes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EndpointConfig {
    /// The device's secret key.
    pub secret: [u8; 32],
    /// Whether the home is a practice home: those speak only among themselves.
    #[zeroize(skip)]
    pub practice: bool,
    /// Where to listen.
    #[zeroize(skip)]
    pub listen: Listen,
}

impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointConfig")
            .field("practice", &self.practice)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// Where an endpoint listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// On all IPv4 interfaces: on the usual port, or on any other where that is taken.
    Usual,
    /// On this address and port and no other.
    At(SocketAddr),
}

/// Why an endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindFault {
    /// The address is not one of this computer's, or the port is taken.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
}

/// Why a device could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialFault {
    /// There is nowhere to dial.
    #[error("no address of the device is known; type one, or wait until it is found")]
    NoAddress,
    /// The address lies outside the local network.
    #[error("{0} is not an address of the home's network; nothing is sent outside it")]
    NotLocal(SocketAddr),
    /// The id is this device's own.
    #[error("this is the device's own address")]
    OwnDevice,
    /// The id is not one that was allowed.
    #[error("the device is not enrolled in this home")]
    NotEnrolled,
    /// The device says that this one was put out of the home.
    #[error("this device was put out of the home")]
    PutOut,
    /// The device dialled at the same time, and its connection is the one that is kept.
    #[error("the device is connected already")]
    Connected,
    /// Nobody answered.
    #[error("the device does not answer")]
    Silent,
    /// Whoever answered is another device.
    #[error("another device answers at this address")]
    OtherDevice,
    /// One is a practice home and the other is not.
    #[error("one device belongs to a practice home and the other does not; they never connect")]
    OtherKind,
    /// The endpoint was closed.
    #[error("this device's network was closed")]
    Closed,
    /// Something else.
    #[error("the device could not be reached: {0}")]
    Failed(String),
}

/// Returns the id of the device with this secret key.
pub fn public_half(secret: &[u8; 32]) -> DeviceId {
    DeviceId(*SecretKey::from_bytes(secret).public().as_bytes())
}

/// Returns whether an address belongs to a local network: private, link-local or this computer.
pub fn is_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

/// Which of two connections that two devices dialled at once is kept: the one that the smaller id
/// dialled. Both sides come to the same answer.
fn keeps(own: DeviceId, remote: DeviceId, dialled_here: bool) -> bool {
    (own < remote) == dialled_here
}

#[derive(Debug)]
struct Live {
    device: DeviceId,
    dialled_here: bool,
    since: Instant,
    handle: WeakConnectionHandle,
}

/// What the endpoint, its hook and its accept loop share.
#[derive(Debug)]
struct Shared {
    own: DeviceId,
    allowed: RwLock<BTreeSet<DeviceId>>,
    put_out: RwLock<BTreeSet<DeviceId>>,
    live: Mutex<Vec<Live>>,
}

impl Shared {
    fn allows(&self, device: &DeviceId) -> bool {
        self.allowed.read().unwrap_or_else(PoisonError::into_inner).contains(device)
    }

    /// Returns what a device that may not connect is told: that it is not enrolled, or that it was
    /// put out. Its id was proved by TLS, so nobody else learns it.
    fn refusal(&self, device: &DeviceId) -> (VarInt, &'static [u8]) {
        if self.put_out.read().unwrap_or_else(PoisonError::into_inner).contains(device) {
            (VarInt::from_u32(CLOSE_PUT_OUT), b"put out of the home")
        } else {
            (VarInt::from_u32(CLOSE_NOT_ENROLLED), b"not enrolled")
        }
    }

    /// Enters a new connection. Returns `false` if an older one is kept instead.
    fn enter(&self, connection: &iroh::endpoint::Connection) -> bool {
        let device = DeviceId(*connection.remote_id().as_bytes());
        let dialled_here = connection.side() == Side::Client;
        let now = Instant::now();
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|live| live.handle.upgrade().is_some_and(|open| open.close_reason().is_none()));
        // Dialled at once: the rule decides. Otherwise the other side has lost the old one.
        let rivals = |live: &&Live| {
            live.device == device
                && live.dialled_here != dialled_here
                && now.duration_since(live.since) < AT_ONCE
        };
        if live.iter().any(|live| rivals(&live) && keeps(self.own, device, live.dialled_here)) {
            return false;
        }
        live.retain(|old| {
            if old.device == device
                && let Some(open) = old.handle.upgrade()
            {
                open.close(VarInt::from_u32(CLOSE_REPLACED), b"replaced");
            }
            old.device != device
        });
        live.push(Live { device, dialled_here, since: now, handle: connection.weak_handle() });
        true
    }

    /// Closes connections to devices that are no longer allowed.
    fn expel(&self) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|live| {
            let stays = self.allows(&live.device);
            if !stays && let Some(open) = live.handle.upgrade() {
                let (code, reason) = self.refusal(&live.device);
                open.close(code, reason);
            }
            stays
        });
    }
}

/// Lets connections through by the id that TLS has proved, before any stream.
#[derive(Debug)]
struct Gate {
    shared: Arc<Shared>,
    pairing: &'static [u8],
}

impl EndpointHooks for Gate {
    async fn before_connect<'a>(
        &'a self,
        remote: &'a EndpointAddr,
        alpn: &'a [u8],
    ) -> BeforeConnectOutcome {
        if alpn == self.pairing || self.shared.allows(&DeviceId(*remote.id.as_bytes())) {
            BeforeConnectOutcome::Accept
        } else {
            BeforeConnectOutcome::Reject
        }
    }

    async fn after_handshake<'a>(
        &'a self,
        connection: &'a iroh::endpoint::Connection,
    ) -> AfterHandshakeOutcome {
        let invited = connection.alpn() == self.pairing && connection.side() == Side::Client;
        let device = DeviceId(*connection.remote_id().as_bytes());
        if invited || self.shared.allows(&device) {
            AfterHandshakeOutcome::Accept
        } else {
            let (error_code, reason) = self.shared.refusal(&device);
            AfterHandshakeOutcome::Reject { error_code, reason: reason.to_vec() }
        }
    }
}

/// The names under which devices of one kind of home speak.
struct Names {
    session: &'static [u8],
    pairing: &'static [u8],
}

fn names(practice: bool) -> Names {
    if practice {
        Names { session: b"medround-practice/1", pairing: b"medround/practice-pair/1" }
    } else {
        Names { session: b"medround/1", pairing: b"medround/pair/1" }
    }
}

/// This device on the home's network.
#[derive(Debug)]
pub struct Endpoint {
    inner: iroh::Endpoint,
    shared: Arc<Shared>,
    practice: bool,
    arrivals: tokio::sync::Mutex<mpsc::Receiver<Connection>>,
    accepting: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Endpoint {
    /// Opens the endpoint and begins to accept. At first nobody is allowed in.
    ///
    /// # Errors
    ///
    /// Returns why it cannot listen.
    pub async fn bind(config: &EndpointConfig) -> Result<Self, BindFault> {
        let shared = Arc::new(Shared {
            own: public_half(&config.secret),
            allowed: RwLock::default(),
            put_out: RwLock::default(),
            live: Mutex::default(),
        });
        let names = names(config.practice);
        let gate = || Gate { shared: Arc::clone(&shared), pairing: names.pairing };
        let inner = open(&config.secret, names.session, config.listen, PORT, gate).await?;
        let (sender, receiver) = mpsc::channel(HANDSHAKES_MAX);
        let accepting = tokio::spawn(accept_all(inner.clone(), Arc::clone(&shared), sender));
        let arrivals = tokio::sync::Mutex::new(receiver);
        let accepting = tokio::sync::Mutex::new(Some(accepting));
        Ok(Self { inner, shared, practice: config.practice, arrivals, accepting })
    }

    /// Returns this device's id.
    pub fn id(&self) -> DeviceId {
        self.shared.own
    }

    /// Returns the port it listens on, `None` once it is closed.
    pub fn port(&self) -> Option<u16> {
        self.inner.bound_sockets().first().map(SocketAddr::port)
    }

    /// Returns the local addresses under which other devices may reach it.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        local_addresses(&self.inner)
    }

    /// Says which devices may connect. Connections to all others are closed at once.
    pub fn allow(&self, devices: BTreeSet<DeviceId>) {
        *self.shared.allowed.write().unwrap_or_else(PoisonError::into_inner) = devices;
        self.shared.expel();
    }

    /// Says which devices were put out of the home: they are told so when they are turned away.
    pub fn put_out(&self, devices: BTreeSet<DeviceId>) {
        *self.shared.put_out.write().unwrap_or_else(PoisonError::into_inner) = devices;
    }

    /// Connects to a device that is allowed. Takes at most [`DIAL_TIME`].
    ///
    /// # Errors
    ///
    /// Returns why it could not be reached.
    pub async fn dial(
        &self,
        device: DeviceId,
        addresses: &[SocketAddr],
    ) -> Result<Connection, DialFault> {
        let connection = self.connect(device, addresses, names(self.practice).session).await?;
        if !self.shared.enter(&connection) {
            connection.close(VarInt::from_u32(CLOSE_REPLACED), b"replaced");
            return Err(DialFault::Connected);
        }
        // The set may have changed between the hook and the entry.
        self.shared.expel();
        let opened = Link(connection).open_stream().await;
        opened.map_err(|ended| match ended {
            Ended::PutOut => DialFault::PutOut,
            Ended::NotEnrolled => DialFault::NotEnrolled,
            Ended::Replaced
            | Ended::Silent
            | Ended::Closed { .. }
            | Ended::ClosedHere
            | Ended::BadFrame(_)
            | Ended::Broken(_) => DialFault::Failed(ended.to_string()),
        })
    }

    async fn connect(
        &self,
        device: DeviceId,
        addresses: &[SocketAddr],
        alpn: &[u8],
    ) -> Result<iroh::endpoint::Connection, DialFault> {
        if let Some(outside) = addresses.iter().find(|address| !is_local(address.ip())) {
            return Err(DialFault::NotLocal(*outside));
        }
        if addresses.is_empty() {
            return Err(DialFault::NoAddress);
        }
        let id = PublicKey::from_bytes(&device.0).map_err(|_| DialFault::OtherDevice)?;
        let ips = addresses.iter().map(|address| TransportAddr::Ip(*address));
        let address = EndpointAddr::from_parts(id, ips);
        match timeout(DIAL_TIME, self.inner.connect(address, alpn)).await {
            Err(_) => Err(DialFault::Silent),
            Ok(Err(fault)) => Err(dial_fault(&fault)),
            Ok(Ok(connection)) => Ok(connection),
        }
    }

    /// Returns the next device that connected, `None` once the endpoint is closed.
    pub async fn accept(&self) -> Option<Connection> {
        self.arrivals.lock().await.recv().await
    }

    /// Looks at the interfaces again, after sleep or a change of network.
    pub async fn network_changed(&self) {
        self.inner.network_change().await;
    }

    /// Closes all connections and the endpoint. Its port is free once it is dropped, too.
    pub async fn close(&self) {
        self.inner.close().await;
        if let Some(accepting) = self.accepting.lock().await.take()
            && let Err(fault) = accepting.await
        {
            tracing::error!(%fault, "accepting connections had ended before");
        }
    }
}

/// Takes in connections until the endpoint is closed. Each goes through its handshake in a task of
/// its own, so that neither a slow one nor one that panics holds up the others.
async fn accept_all(
    endpoint: iroh::Endpoint,
    shared: Arc<Shared>,
    arrivals: mpsc::Sender<Connection>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    while let Some(incoming) = endpoint.accept().await {
        let Some(incoming) = from_here(incoming) else { continue };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        let (shared, arrivals) = (Arc::clone(&shared), arrivals.clone());
        tokio::spawn(async move {
            let met = timeout(HANDSHAKE_TIME, shake_hands(incoming)).await;
            drop(place);
            let arrived = match met {
                Ok(Ok(link)) => timeout(STREAM_TIME, arrive(link, &shared)).await,
                Ok(Err(ended)) => Ok(Err(ended)),
                Err(slow) => Err(slow),
            };
            match arrived {
                Ok(Ok(connection)) => {
                    // Nobody is waiting any more when the endpoint is being dropped.
                    drop(arrivals.send(connection).await);
                }
                Ok(Err(ended)) => tracing::debug!(%ended, "a device did not connect"),
                Err(_) => tracing::debug!("a device took too long to connect"),
            }
        });
    }
}

async fn arrive(link: Link, shared: &Shared) -> Result<Connection, Ended> {
    if !shared.enter(&link.0) {
        link.close(CLOSE_REPLACED, "replaced");
        return Err(Ended::Replaced);
    }
    // The set may have changed between the hook and the entry.
    shared.expel();
    link.accept_stream().await
}

fn dial_fault(fault: &ConnectError) -> DialFault {
    if let ConnectError::Connect { source, .. } = fault {
        return match source {
            ConnectWithOptsError::SelfConnect { .. } => DialFault::OwnDevice,
            ConnectWithOptsError::LocallyRejected { .. } => DialFault::NotEnrolled,
            ConnectWithOptsError::EndpointClosed { .. } => DialFault::Closed,
            ConnectWithOptsError::NoAddress { .. }
            | ConnectWithOptsError::Noq { .. }
            | ConnectWithOptsError::InternalConsistencyError { .. }
            | ConnectWithOptsError::InvalidAlpn { .. }
            | _ => DialFault::Failed(deepest(source)),
        };
    }
    if let ConnectError::Connecting { source: ConnectingError::LocallyRejected { .. }, .. } = fault
    {
        return DialFault::NotEnrolled;
    }
    let ended = match fault {
        ConnectError::Connecting {
            source: ConnectingError::ConnectionError { source, .. },
            ..
        }
        | ConnectError::Connection { source, .. } => Some(source),
        ConnectError::Connecting { .. } | ConnectError::Connect { .. } | _ => None,
    };
    ended.and_then(ended_before_it_began).unwrap_or_else(|| DialFault::Failed(deepest(fault)))
}

/// Returns what a connection that ended in its handshake says about whoever answered.
fn ended_before_it_began(ended: &ConnectionError) -> Option<DialFault> {
    /// QUIC's numbers for TLS alerts are 0x100 and the alert; 120 is "no application protocol".
    const ALERTS: std::ops::Range<u64> = 0x100..0x200;
    const NO_COMMON_NAME: u64 = 0x100 + 120;
    let (here, code) = match ended {
        ConnectionError::TransportError(error) => (true, u64::from(error.code)),
        ConnectionError::ConnectionClosed(close) => (false, u64::from(close.error_code)),
        ConnectionError::TimedOut => return Some(DialFault::Silent),
        ConnectionError::ApplicationClosed(close)
            if close.error_code == VarInt::from_u32(CLOSE_NOT_ENROLLED) =>
        {
            return Some(DialFault::NotEnrolled);
        }
        ConnectionError::ApplicationClosed(close)
            if close.error_code == VarInt::from_u32(CLOSE_PUT_OUT) =>
        {
            return Some(DialFault::PutOut);
        }
        ConnectionError::ApplicationClosed(_)
        | ConnectionError::VersionMismatch
        | ConnectionError::Reset
        | ConnectionError::LocallyClosed
        | ConnectionError::CidsExhausted => return None,
    };
    match code {
        NO_COMMON_NAME => Some(DialFault::OtherKind),
        // It is this side that finds the other's key to be a different one.
        alert if here && ALERTS.contains(&alert) => Some(DialFault::OtherDevice),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_a_local_network_are_local() {
        for local in ["10.1.2.3", "172.16.0.9", "192.168.1.5", "169.254.7.7", "127.0.0.1", "::1"] {
            assert!(is_local(local.parse().unwrap()), "{local}");
        }
        for outside in ["8.8.8.8", "172.32.0.1", "100.64.0.1", "0.0.0.0", "2001:db8::1"] {
            assert!(!is_local(outside.parse().unwrap()), "{outside}");
        }
        assert!(is_local("::ffff:192.168.1.5".parse().unwrap()));
        assert!(!is_local("::ffff:1.1.1.1".parse().unwrap()));
    }

    #[test]
    fn of_two_connections_dialled_at_once_both_sides_keep_the_same() {
        let (small, great) = (DeviceId([1; 32]), DeviceId([2; 32]));
        for dialled_by_small in [true, false] {
            let here = keeps(small, great, dialled_by_small);
            let there = keeps(great, small, !dialled_by_small);
            assert_eq!((here, there), (dialled_by_small, dialled_by_small));
        }
    }

    async fn two() -> (Endpoint, Endpoint, SocketAddr) {
        let listen = Listen::At(SocketAddr::from(([127, 0, 0, 1], 0)));
        let open = async |seed| {
            let config = EndpointConfig { secret: [seed; 32], practice: false, listen };
            Endpoint::bind(&config).await.unwrap()
        };
        let (here, there) = (open(1).await, open(2).await);
        here.allow([there.id()].into());
        there.allow([here.id()].into());
        let address = SocketAddr::from(([127, 0, 0, 1], there.port().unwrap()));
        (here, there, address)
    }

    #[tokio::test]
    async fn a_length_that_no_frame_has_ends_the_connection_before_memory_is_taken() {
        for length in [0, u32::MAX, 256 * 1024 + 1] {
            let (here, there, address) = two().await;
            let inner = here.connect(there.id(), &[address], names(false).session).await.unwrap();
            let (mut raw, _receiver) = inner.open_bi().await.unwrap();
            raw.write_all(&[0]).await.unwrap();
            let mut accepted = there.accept().await.unwrap();
            raw.write_all(&length.to_be_bytes()).await.unwrap();
            assert_eq!(accepted.receiver.receive().await, Err(Ended::BadFrame(length)));
            let ended = Ended::from(inner.closed().await);
            assert!(matches!(ended, Ended::Closed { code: CLOSE_BAD_FRAME, .. }), "{ended}");
        }
    }

    #[tokio::test]
    async fn a_stream_of_another_kind_is_not_taken_for_a_session() {
        let (here, there, address) = two().await;
        let inner = here.connect(there.id(), &[address], names(false).session).await.unwrap();
        let (mut raw, _receiver) = inner.open_bi().await.unwrap();
        raw.write_all(&[9]).await.unwrap();
        let ended = Ended::from(inner.closed().await);
        assert!(matches!(ended, Ended::Closed { code: CLOSE_BAD_FRAME, .. }), "{ended}");
    }
}
