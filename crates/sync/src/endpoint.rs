//! Connections between the devices of a home: QUIC with the devices' own keys, on the local network
//! and nowhere else. Only this file has heard of iroh.
//!
//! An [`Endpoint`] dials and accepts. Who may connect is decided by the id that TLS has proved, in
//! a hook that runs before any stream exists; the set of allowed ids can change at any time, and a
//! connection whose id is taken out is closed at once. Its accept loop does nothing with a
//! connection but check it and hand it on, so that a panic in whoever serves it stays there.
//!
//! There is no relay, no look-up of addresses, no port mapping and no resumption of sessions, and
//! addresses outside the local network are neither dialled nor answered.

mod joining;

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use iroh::endpoint::{
    AfterHandshakeOutcome, BeforeConnectOutcome, ConnectError, ConnectWithOptsError,
    ConnectingError, ConnectionError, EndpointHooks, IdleTimeout, Incoming, IncomingAddr,
    NetReportConfig, PortmapperConfig, QuicTransportConfig, ReadError, ReadExactError, RecvStream,
    SendStream, Side, VarInt, WeakConnectionHandle, WriteError, presets,
};
use iroh::{EndpointAddr, PublicKey, RelayMode, SecretKey, TransportAddr};
use store::entry::DeviceId;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::frame::FRAME_BYTES_MAX;
pub use joining::{InviteEvent, JoinFault, JoinRequest, Joining, PairingEndpoint};

/// The UDP port of a home's devices. Fixed, so that a firewall rule and a typed address can name
/// it; where it is taken any other is used.
pub const PORT: u16 = 41761;
/// The UDP port of an open invite.
pub const PAIRING_PORT: u16 = 41762;
/// How long one try to reach a device may take.
pub const DIAL_TIME: Duration = Duration::from_secs(1);

/// How long a connection may be silent before it is dropped.
const SILENCE: Duration = Duration::from_secs(4);
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// How long a handshake may take. Whoever dials gives up after [`DIAL_TIME`]; a device that dials
/// an old address again and again must not use up the places of the others.
const HANDSHAKE_TIME: Duration = Duration::from_secs(2);
/// How long an enrolled device may take from its handshake to its first stream.
const STREAM_TIME: Duration = Duration::from_secs(10);
/// How many connections may be on their way through the handshake.
const HANDSHAKES_MAX: usize = 8;
const STREAMS_MAX: u32 = 32;
/// Connections that two devices dialled at once come within this time of each other.
const AT_ONCE: Duration = Duration::from_secs(2);
/// The first byte of a stream that carries a session. Others are kept for blobs.
const SESSION_STREAM: u8 = 0;
const EXPORTER_LABEL: &[u8] = b"medround pairing exporter 1";

const CLOSE_NOT_ENROLLED: u32 = 403;
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

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// One of the two is not, or no longer, enrolled with the other.
    #[error("the device is not enrolled in this home")]
    NotEnrolled,
    /// Another connection to the same device took its place.
    #[error("another connection to the device took its place")]
    Replaced,
    /// Nothing was heard for too long.
    #[error("the device fell silent")]
    Silent,
    /// The other side closed it.
    #[error("the device closed the connection ({code}): {reason}")]
    Closed {
        /// Its number.
        code: u32,
        /// Its words.
        reason: String,
    },
    /// This side closed it.
    #[error("the connection was closed here")]
    ClosedHere,
    /// The other side sent a length that no frame has.
    #[error("the device sent a frame of {0} bytes; at most 262144 are allowed")]
    BadFrame(u32),
    /// Something else.
    #[error("the connection broke: {0}")]
    Broken(String),
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
    live: Mutex<Vec<Live>>,
}

impl Shared {
    fn allows(&self, device: &DeviceId) -> bool {
        self.allowed.read().unwrap_or_else(PoisonError::into_inner).contains(device)
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
                open.close(VarInt::from_u32(CLOSE_NOT_ENROLLED), b"not enrolled");
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
        if invited || self.shared.allows(&DeviceId(*connection.remote_id().as_bytes())) {
            AfterHandshakeOutcome::Accept
        } else {
            AfterHandshakeOutcome::Reject {
                error_code: VarInt::from_u32(CLOSE_NOT_ENROLLED),
                reason: b"not enrolled".to_vec(),
            }
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
            return Err(DialFault::Failed("it is connected already".into()));
        }
        let opened = Link(connection).open_stream().await;
        opened.map_err(|ended| DialFault::Failed(ended.to_string()))
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
            Ok(Err(fault)) => Err(dial_fault(fault)),
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

/// One connection to one device: what it is, and the two ends of its stream of frames.
#[derive(Debug)]
pub struct Connection {
    /// The connection itself.
    pub link: Link,
    /// Frames to the device.
    pub sender: FrameSender,
    /// Frames from the device.
    pub receiver: FrameReceiver,
}

impl Connection {
    fn new(link: Link, sender: SendStream, receiver: RecvStream) -> Self {
        Self {
            sender: FrameSender(sender),
            receiver: FrameReceiver { stream: receiver, link: link.clone() },
            link,
        }
    }
}

/// A connection, without its stream.
#[derive(Debug, Clone)]
pub struct Link(iroh::endpoint::Connection);

impl Link {
    /// Returns the other device's id, which TLS has proved.
    pub fn device(&self) -> DeviceId {
        DeviceId(*self.0.remote_id().as_bytes())
    }

    /// Returns whether this side dialled.
    pub fn dialled_here(&self) -> bool {
        self.0.side() == Side::Client
    }

    /// Returns the other device's address as it is now.
    pub fn address(&self) -> Option<SocketAddr> {
        let paths = self.0.paths();
        let path = paths.iter().find(|path| path.is_selected());
        match path.or_else(|| paths.iter().next())?.remote_addr() {
            TransportAddr::Ip(address) => Some(*address),
            _ => None,
        }
    }

    /// Returns how long a round trip takes at present.
    pub fn rtt(&self) -> Option<Duration> {
        self.0.paths().iter().map(|path| path.rtt()).min()
    }

    /// Closes the connection with a number and words for the other side.
    pub fn close(&self, code: u32, reason: &str) {
        self.0.close(VarInt::from_u32(code), reason.as_bytes());
    }

    /// Waits until the connection has ended, and returns why.
    pub async fn closed(&self) -> Ended {
        self.0.closed().await.into()
    }

    async fn open_stream(self) -> Result<Connection, Ended> {
        let (mut sender, receiver) = self.0.open_bi().await?;
        // The other side sees the stream only once something is written.
        sender.write_all(&[SESSION_STREAM]).await?;
        Ok(Connection::new(self, sender, receiver))
    }

    async fn accept_stream(self) -> Result<Connection, Ended> {
        let (sender, mut receiver) = self.0.accept_bi().await?;
        let mut kind = [0];
        receiver.read_exact(&mut kind).await?;
        if kind != [SESSION_STREAM] {
            self.close(CLOSE_BAD_FRAME, "no such stream");
            return Err(Ended::BadFrame(u32::from(kind[0])));
        }
        Ok(Connection::new(self, sender, receiver))
    }

    fn exporter(&self) -> Result<[u8; 32], Ended> {
        let mut exporter = [0; 32];
        self.0
            .export_keying_material(&mut exporter, EXPORTER_LABEL, b"")
            .map_err(|_| Ended::Broken("its TLS session gives no keying material".into()))?;
        Ok(exporter)
    }
}

/// Sends frames.
#[derive(Debug)]
pub struct FrameSender(SendStream);

impl FrameSender {
    /// Sends a frame. Returns when the connection has taken it, which it does as fast as the other
    /// side reads.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), Ended> {
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        if frame.is_empty() || frame.len() > FRAME_BYTES_MAX {
            return Err(Ended::BadFrame(length));
        }
        let whole = Bytes::from([&length.to_be_bytes(), frame].concat());
        Ok(self.0.write_chunk(whole).await?)
    }

    /// Says that nothing more comes, and waits until the other side has everything.
    pub async fn finish(mut self) {
        if self.0.finish().is_ok() {
            // Whether it was received or the connection is gone: there is nothing left to do.
            drop(self.0.stopped().await);
        }
    }
}

/// Receives frames.
#[derive(Debug)]
pub struct FrameReceiver {
    stream: RecvStream,
    link: Link,
}

impl FrameReceiver {
    /// Returns the next frame. Not to be dropped halfway: what was read of a frame would be lost.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended. A length that no frame has ends it here.
    pub async fn receive(&mut self) -> Result<Vec<u8>, Ended> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).await?;
        let length = u32::from_be_bytes(length);
        match usize::try_from(length) {
            Ok(bytes @ 1..=FRAME_BYTES_MAX) => {
                let mut frame = vec![0; bytes];
                self.stream.read_exact(&mut frame).await?;
                Ok(frame)
            }
            Ok(_) | Err(_) => {
                self.link.close(CLOSE_BAD_FRAME, "no frame has this length");
                Err(Ended::BadFrame(length))
            }
        }
    }
}

/// Opens an iroh endpoint that stays on the local network.
async fn open<G: EndpointHooks + 'static>(
    secret: &[u8; 32],
    alpn: &[u8],
    listen: Listen,
    port: u16,
    gate: impl Fn() -> G,
) -> Result<iroh::Endpoint, BindFault> {
    let everywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let tries = match listen {
        Listen::Usual => vec![everywhere(port), everywhere(0)],
        Listen::At(address) => vec![address],
    };
    let mut fault = None;
    for address in tries {
        let failed = |reason: String| BindFault::Listen { address, reason };
        let builder = iroh::Endpoint::builder(presets::Minimal)
            .secret_key(SecretKey::from_bytes(secret))
            .alpns(vec![alpn.to_vec()])
            .relay_mode(RelayMode::Disabled)
            .clear_address_lookup()
            .portmapper_config(PortmapperConfig::Disabled)
            .net_report_config(NetReportConfig::minimal())
            .transport_config(transport())
            .hooks(gate())
            .clear_ip_transports()
            .bind_addr(address)
            .map_err(|e| failed(e.to_string()))?;
        match builder.bind().await {
            Ok(endpoint) => return Ok(endpoint),
            Err(e) => fault = Some(failed(deepest(&e))),
        }
    }
    let nowhere = || BindFault::Listen { address: everywhere(port), reason: "no address".into() };
    Err(fault.unwrap_or_else(nowhere))
}

/// Returns what the system said beneath the words of the layers above it.
fn deepest(fault: &dyn std::error::Error) -> String {
    let mut fault = fault;
    while let Some(source) = fault.source() {
        fault = source;
    }
    fault.to_string()
}

fn transport() -> QuicTransportConfig {
    let silence = u32::try_from(SILENCE.as_millis()).expect("four seconds are few milliseconds");
    QuicTransportConfig::builder()
        .initial_rtt(Duration::from_millis(50))
        .keep_alive_interval(KEEP_ALIVE)
        .default_path_keep_alive_interval(KEEP_ALIVE)
        .default_path_max_idle_timeout(SILENCE)
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(silence))))
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from_u32(2 << 20))
        .receive_window(VarInt::from_u32(8 << 20))
        .send_window(8 << 20)
        .build()
}

fn local_addresses(endpoint: &iroh::Endpoint) -> Vec<SocketAddr> {
    let addresses = endpoint.addr();
    let mut local: Vec<SocketAddr> =
        addresses.ip_addrs().filter(|address| is_local(address.ip())).copied().collect();
    if local.is_empty() {
        let bound = endpoint.bound_sockets();
        local.extend(bound.into_iter().filter(|address| is_local(address.ip())));
    }
    local.sort();
    local
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

/// Drops what comes from outside the local network without a word.
fn from_here(incoming: Incoming) -> Option<Incoming> {
    match incoming.remote_addr() {
        IncomingAddr::Ip(address) if is_local(address.ip()) => Some(incoming),
        _ => {
            incoming.ignore();
            None
        }
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

async fn shake_hands(incoming: Incoming) -> Result<Link, Ended> {
    incoming.await.map(Link).map_err(|e| Ended::Broken(deepest(&e)))
}

/// Lets in whoever dials an open invite, and dials nobody.
#[derive(Debug)]
struct InviteGate;

impl EndpointHooks for InviteGate {
    async fn before_connect<'a>(
        &'a self,
        _: &'a EndpointAddr,
        _: &'a [u8],
    ) -> BeforeConnectOutcome {
        BeforeConnectOutcome::Reject
    }
}

/// The bare endpoint of an open invite.
#[derive(Debug, Clone)]
struct Door(iroh::Endpoint);

impl Door {
    async fn open(secret: &[u8; 32], practice: bool, listen: Listen) -> Result<Self, BindFault> {
        let alpn = names(practice).pairing;
        open(secret, alpn, listen, PAIRING_PORT, || InviteGate).await.map(Self)
    }

    /// Returns the next connection from the local network, `None` once the door is closed.
    async fn next(&self) -> Option<Incoming> {
        loop {
            if let Some(incoming) = from_here(self.0.accept().await?) {
                return Some(incoming);
            }
        }
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        local_addresses(&self.0)
    }

    fn port(&self) -> Option<u16> {
        self.0.bound_sockets().first().map(SocketAddr::port)
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

fn dial_fault(fault: ConnectError) -> DialFault {
    let ended = match &fault {
        ConnectError::Connect { source, .. } => match source {
            ConnectWithOptsError::SelfConnect { .. } => return DialFault::OwnDevice,
            ConnectWithOptsError::LocallyRejected { .. } => return DialFault::NotEnrolled,
            ConnectWithOptsError::EndpointClosed { .. } => return DialFault::Closed,
            _ => None,
        },
        ConnectError::Connecting { source, .. } => match source {
            ConnectingError::ConnectionError { source, .. } => Some(source),
            ConnectingError::LocallyRejected { .. } => return DialFault::NotEnrolled,
            _ => None,
        },
        ConnectError::Connection { source, .. } => Some(source),
        _ => None,
    };
    /// QUIC's numbers for TLS alerts: 0x100 and the alert.
    const NO_COMMON_NAME: u64 = 0x100 + 120;
    match ended {
        Some(ConnectionError::TimedOut) => DialFault::Silent,
        Some(ConnectionError::ConnectionClosed(close))
            if u64::from(close.error_code) == NO_COMMON_NAME =>
        {
            DialFault::OtherKind
        }
        Some(ConnectionError::TransportError(error)) if u64::from(error.code) == NO_COMMON_NAME => {
            DialFault::OtherKind
        }
        Some(ConnectionError::TransportError(error))
            if (0x100..0x200).contains(&u64::from(error.code)) =>
        {
            DialFault::OtherDevice
        }
        Some(ConnectionError::ApplicationClosed(close))
            if close.error_code == VarInt::from_u32(CLOSE_NOT_ENROLLED) =>
        {
            DialFault::NotEnrolled
        }
        Some(_) | None => DialFault::Failed(deepest(&fault)),
    }
}

impl From<ConnectionError> for Ended {
    fn from(fault: ConnectionError) -> Self {
        match fault {
            ConnectionError::ApplicationClosed(close) => {
                match u32::try_from(close.error_code.into_inner()).unwrap_or(u32::MAX) {
                    CLOSE_NOT_ENROLLED => Self::NotEnrolled,
                    CLOSE_REPLACED => Self::Replaced,
                    code => Self::Closed {
                        code,
                        reason: String::from_utf8_lossy(&close.reason).into_owned(),
                    },
                }
            }
            ConnectionError::TimedOut => Self::Silent,
            ConnectionError::LocallyClosed => Self::ClosedHere,
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<WriteError> for Ended {
    fn from(fault: WriteError) -> Self {
        match fault {
            WriteError::ConnectionLost(fault) => fault.into(),
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<ReadExactError> for Ended {
    fn from(fault: ReadExactError) -> Self {
        match fault {
            ReadExactError::ReadError(ReadError::ConnectionLost(fault)) => fault.into(),
            other => Self::Broken(other.to_string()),
        }
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
}
