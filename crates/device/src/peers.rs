//! The home's other devices: dialled, accepted, and kept in step.
//!
//! A [`Network`] owns the threads on which this happens. Every device of the home that is not
//! connected is dialled each second at the addresses where it was last reached, was seen, or is
//! said to be. Each connection is carried out in a task of its own, so that whatever a peer sends,
//! at worst its own connection ends.

mod book;
mod search;
mod session;
mod typed;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mar::clock::ClockStanding;
use mar::command::AskHome;
use mar::decide::counted_devices;
use mar::fact::DeviceRole;
use mar::ids::{DeviceId, StaffId};
use sync::endpoint::{BindFault, Connection, DialFault, Endpoint, EndpointConfig, Listen};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::clock::{Clock, ClockWatch};
use crate::joining::{self, Invite, InviteFault};
use crate::running::Device;
use crate::writer::{Follower, Told, put_out_devices, served_devices, unattended};
use book::Book;
use typed::Typed;

/// How long after a clean end the other devices may take to say that they have it.
const PARK_WAIT: Duration = Duration::from_secs(2);
/// Every so many seconds it is kept what is known of the other devices.
const KEEP_EVERY: u32 = 10;
/// How long the network may take to end.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// How long a device is left alone that said that this one was put out.
const TURNED_AWAY_WAIT: Duration = Duration::from_secs(60);

const PUT_OUT: &str = "this device was taken out of the home: nothing can be recorded on it any \
more, and no other device speaks with it. Have a manager invite it, and join anew in an empty folder";

/// How to be on the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetworkOptions {
    /// Where to listen; `None` is the usual port on all interfaces.
    pub listen: Option<SocketAddr>,
    /// Whether devices are searched for by multicast.
    pub discovery: bool,
    /// Whether the loopback interface alone is used.
    pub loopback: bool,
}

impl NetworkOptions {
    pub(crate) fn listen(&self) -> Listen {
        match self.listen {
            Some(address) => Listen::At(address),
            None if self.loopback => Listen::At(SocketAddr::from(([127, 0, 0, 1], 0))),
            None => Listen::Usual,
        }
    }
}

/// Why the network could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NetworkFault {
    /// It cannot listen.
    #[error(transparent)]
    Bind(#[from] BindFault),
    /// The system gave no threads.
    #[error("the network could not be started: {0}")]
    Threads(#[from] std::io::Error),
}

/// Something happened on the network.
#[derive(Debug, Clone)]
pub enum NetworkEvent {
    /// It listens.
    Started {
        /// Here.
        addresses: Vec<SocketAddr>,
    },
    /// A device is connected.
    PeerUp(DeviceId),
    /// A device is no longer connected.
    PeerDown(DeviceId),
    /// Both devices hold the same.
    Synced {
        /// The other device.
        peer: DeviceId,
        /// Entries sent since it was last said.
        sent: u64,
        /// Entries received since it was last said.
        received: u64,
        /// The state hash here.
        state_hash: [u8; 32],
    },
    /// A clock was set, or differs from another device's by more than a minute (T-07).
    Clock {
        /// The other device; `None` when this device's own clock was set.
        peer: Option<DeviceId>,
        /// By how much, in milliseconds.
        by_ms: i64,
    },
    /// Whether this device's own clock can be believed has changed (T-07, T-08).
    ClockJudged(ClockStanding),
    /// Somebody should look at this.
    Alarm {
        /// In words.
        what: String,
    },
}

/// This device on the home's network.
#[derive(Debug)]
pub struct Network {
    net: Arc<Net>,
    runtime: Mutex<Option<Runtime>>,
}

/// What all tasks of the network share.
#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) device: Device,
    pub(crate) endpoint: Endpoint,
    pub(crate) options: NetworkOptions,
    pub(crate) practice: bool,
    events: Mutex<Sender<NetworkEvent>>,
    book: Mutex<Book>,
    /// The connections to each device that are carried out just now.
    connected: Mutex<BTreeMap<DeviceId, Connections>>,
    dialling: Mutex<BTreeSet<DeviceId>>,
    /// Addresses that a person typed: which device is there is not known before it is reached.
    typed: Mutex<Typed>,
    /// When a device said that this one was put out: it is not asked again at once.
    turned_away: Mutex<BTreeMap<DeviceId, Instant>>,
    /// A device that is believed before its enrolment is here: the one that let this one in.
    inviter: Option<DeviceId>,
    cut: AtomicBool,
    /// Something changed that makes dialling worth while at once.
    dial_now: Notify,
    followers: AtomicU64,
}

/// How many connections to one device there are.
#[derive(Debug, Default)]
struct Connections {
    standing: usize,
    /// Those on which the device has said something.
    heard: usize,
}

/// An endpoint that is open already, and the threads that it lives on.
pub(crate) struct Opened {
    pub(crate) runtime: Runtime,
    pub(crate) endpoint: Endpoint,
    /// Who let this device in, and where it was.
    pub(crate) inviter: Option<(DeviceId, Vec<SocketAddr>)>,
}

impl Network {
    /// Starts: listens, dials, and searches the network if asked to.
    ///
    /// # Errors
    ///
    /// Returns why it could not.
    pub fn start(
        device: &Device,
        options: NetworkOptions,
        events: Sender<NetworkEvent>,
    ) -> Result<Self, NetworkFault> {
        let runtime = runtime()?;
        let config = EndpointConfig {
            secret: *device.keys().device_seed(),
            practice: device.picture().home.is_practice(),
            listen: options.listen(),
        };
        let endpoint = runtime.block_on(Endpoint::bind(&config))?;
        let practice = config.practice;
        let opened = Opened { runtime, endpoint, inviter: None };
        Ok(Self::begin(device, options, events, (opened, practice)))
    }

    /// Starts on an endpoint that is open already.
    pub(crate) fn begin(
        device: &Device,
        options: NetworkOptions,
        events: Sender<NetworkEvent>,
        (opened, practice): (Opened, bool),
    ) -> Self {
        let Opened { runtime, endpoint, inviter } = opened;
        let mut book = Book::restore(device);
        if let Some((inviter, addresses)) = &inviter {
            book.add(*inviter, addresses.iter().copied());
        }
        let net = Arc::new(Net {
            device: device.clone(),
            endpoint,
            options,
            practice,
            events: Mutex::new(events),
            book: Mutex::new(book),
            connected: Mutex::default(),
            dialling: Mutex::default(),
            typed: Mutex::default(),
            turned_away: Mutex::default(),
            inviter: inviter.map(|(inviter, _)| inviter),
            cut: AtomicBool::new(false),
            dial_now: Notify::new(),
            followers: AtomicU64::new(0),
        });
        net.allow();
        net.tell(NetworkEvent::Started { addresses: net.endpoint.addresses() });
        runtime.spawn(accept_all(Arc::clone(&net)));
        runtime.spawn(dial_all(Arc::clone(&net)));
        runtime.spawn(follow_membership(Arc::clone(&net)));
        runtime.spawn(watch_clock(Arc::clone(&net)));
        if options.discovery {
            runtime.spawn(search::search(Arc::clone(&net)));
        }
        Self { net, runtime: Mutex::new(Some(runtime)) }
    }

    /// Returns the addresses at which other devices may reach this one.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.net.endpoint.addresses()
    }

    /// Dials a device at these addresses from now on, beside those that are known.
    pub fn dial(&self, device: DeviceId, addresses: Vec<SocketAddr>) {
        self.net.book().add(device, addresses);
        self.net.dial_now.notify_one();
    }

    /// Dials every device of the home that is not connected at these addresses, too: somebody typed
    /// them. Where a device is reached is remembered, so that it need not be typed again.
    pub fn try_at(&self, addresses: &[SocketAddr]) {
        self.net.typed().add(addresses);
        self.net.dial_now.notify_one();
    }

    /// Cuts this device off, as if its cable were pulled, until [`Network::heal`].
    pub fn cut(&self) {
        self.net.cut.store(true, Ordering::SeqCst);
        self.net.allow();
    }

    /// Puts the cable back.
    pub fn heal(&self) {
        self.net.cut.store(false, Ordering::SeqCst);
        self.net.allow();
        self.net.dial_now.notify_one();
    }

    /// Opens an invite for one device, for five minutes. The code and the addresses are to be
    /// shown; the invite is closed when it is dropped.
    ///
    /// # Errors
    ///
    /// Returns why it could not.
    pub fn invite(&self, role: DeviceRole, manager: StaffId) -> Result<Invite, InviteFault> {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = runtime
            .as_ref()
            .ok_or_else(|| InviteFault::Failed("this device's network was closed".to_owned()))?;
        joining::invite(runtime.handle(), &self.net, role, manager)
    }

    /// Returns whether a device holds the same as this one, as far as both have said.
    #[must_use]
    pub fn is_in_sync(&self, device: DeviceId) -> bool {
        self.net.device.peers_known().is_in_sync(&device)
    }

    /// Stops. A device on which nothing is prepared and whose entries are on another device's
    /// disk says that it ends cleanly, so that nobody has to ask for it (W-16).
    pub fn stop(&self) {
        self.net.park();
        self.end();
    }

    /// Stops without a word, as when the power goes.
    pub fn stop_at_once(&self) {
        self.end();
    }

    fn end(&self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            let closed = async { timeout(STOP_WAIT, self.net.endpoint.close()).await };
            if runtime.block_on(closed).is_err() {
                tracing::debug!("the endpoint takes longer to close");
            }
            runtime.shutdown_timeout(STOP_WAIT);
            self.net.keep();
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.end();
    }
}

/// Returns the threads of a network.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("network")
        .enable_all()
        .build()
}

impl Net {
    pub(crate) fn tell(&self, event: NetworkEvent) {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.send(event).is_err() {
            tracing::trace!("nobody listens to what happens on the network");
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connected(&self) -> MutexGuard<'_, BTreeMap<DeviceId, Connections>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dialling(&self) -> MutexGuard<'_, BTreeSet<DeviceId>> {
        self.dialling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn typed(&self) -> MutexGuard<'_, Typed> {
        self.typed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that a device of the home turned this one away because it was put out.
    fn told_put_out(self: &Arc<Self>, by: DeviceId) {
        let now = Instant::now();
        self.turned_away.lock().unwrap_or_else(PoisonError::into_inner).insert(by, now);
        let (net, known) = (Arc::clone(self), self.device.put_out().is_some());
        drop(tokio::task::spawn_blocking(move || {
            let Ok(reader) = net.device.reader() else { return };
            if let Err(fault) = reader.local().put_out_by(by, net.device.now()) {
                tracing::warn!(%fault, "that this device was put out was not kept");
            }
            if !known && net.device.put_out().is_some() {
                net.tell(NetworkEvent::Alarm { what: PUT_OUT.to_owned() });
            }
        }));
    }

    /// Whether a device turned this one away a moment ago.
    fn waits_for(&self, device: &DeviceId) -> bool {
        let turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        turned_away.get(device).is_some_and(|at| at.elapsed() < TURNED_AWAY_WAIT)
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// Returns the devices that may connect as things stand. A device that was put out itself
    /// speaks with nobody any more.
    fn allowed(&self) -> BTreeSet<DeviceId> {
        if self.is_out() {
            return BTreeSet::new();
        }
        let picture = self.device.picture();
        let own = picture.home.devices().get(&self.device.id());
        let mut allowed = served_devices(&picture, self.device.id());
        // Until this device's own enrolment has arrived, whoever let it in is believed.
        if own.and_then(|own| own.enrolment()).is_none() {
            allowed.extend(self.inviter);
        }
        allowed
    }

    /// Lets in who may come in, and closes the connections of all others.
    fn allow(&self) {
        let allowed = if self.is_cut() { BTreeSet::new() } else { self.allowed() };
        self.endpoint.put_out(put_out_devices(&self.device.picture()));
        self.endpoint.allow(allowed);
    }

    fn new_follower(&self) -> Follower {
        Follower(self.followers.fetch_add(1, Ordering::Relaxed))
    }

    /// Keeps what is known of the other devices.
    fn keep(&self) {
        self.device.keep_clock();
        let Ok(reader) = self.device.reader() else { return };
        let kept = self.device.peers_known().keep(reader.local());
        // Without this the file would grow: pages are used again only after a safe commit.
        if let Err(fault) = kept.and_then(|()| reader.local().make_durable()) {
            tracing::warn!(%fault, "what is known of other devices was not kept");
        }
    }

    /// Returns whether this device was put out of the home.
    fn is_out(&self) -> bool {
        let picture = self.device.picture();
        let own = picture.home.devices().get(&self.device.id());
        own.is_some_and(|own| own.enrolment().is_some() && !own.is_active())
    }

    /// Says that this device ends cleanly, if it does.
    fn park(&self) {
        let device = &self.device;
        let picture = device.picture();
        let Some(own) = picture.home.devices().get(&device.id()) else { return };
        let hearing = device.peers_known().hearing(device.clock());
        let awake = device.peers_known().awake(&picture);
        let unheard = counted_devices(&picture, device.id(), &awake)
            .any(|other| !hearing.heard.contains(&other));
        // Whoever heard this device run counts it until it says once more that it ends.
        let said = own.is_parked() && hearing.in_touch.is_empty();
        let alone = served_devices(&picture, device.id()).is_empty();
        if alone || said || !own.is_active() || unheard {
            return;
        }
        let prepared = picture.residents.values().any(|resident| {
            resident.pot().iter().any(|popped| popped.0.device == Some(device.id()))
        });
        let elsewhere = device.reader().is_ok_and(|reader| {
            let heads = reader.heads();
            let own_logs = picture.home.logs().iter();
            own_logs
                .filter(|(_, (start, _))| start.device == device.id())
                .filter_map(|(log, _)| heads.get(log)?.latest())
                .all(|head| device.saved_on(head.hash.id()) > 1)
        });
        if prepared || !elsewhere {
            return;
        }
        match device.submit(unattended(AskHome::Park { parked: true })) {
            Ok(saved) => {
                if let Some(entry) = saved.entries.first() {
                    let on = device.wait_saved_on(entry.id, 2, PARK_WAIT);
                    tracing::debug!(on, "this device ends cleanly");
                }
            }
            Err(fault) => tracing::warn!(%fault, "that this device ends cleanly was not saved"),
        }
    }
}

async fn accept_all(net: Arc<Net>) {
    while let Some(connection) = net.endpoint.accept().await {
        if net.is_cut() {
            connection.link.close(0, "cut");
        } else {
            carry_out(&net, connection);
        }
    }
}

/// Carries a connection out in a task of its own: a panic there ends that connection alone.
fn carry_out(net: &Arc<Net>, connection: Connection) {
    tokio::spawn(session::carry_out(Arc::clone(net), connection));
}

async fn dial_all(net: Arc<Net>) {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = net.dial_now.notified() => {}
        }
        if net.is_cut() {
            continue;
        }
        for device in net.allowed() {
            let known = net.book().addresses(&device);
            let typed = net.typed().for_device(&device);
            if known.is_empty() && typed.is_empty()
                || net.connected().contains_key(&device)
                || net.waits_for(&device)
            {
                continue;
            }
            if net.dialling().insert(device) {
                tokio::spawn(dial(Arc::clone(&net), device, (known, typed)));
            }
        }
    }
}

/// Dials where the device is known to be; and where it may be, at one address after the other,
/// because a try with several fails when another device answers at one of them.
async fn dial(net: Arc<Net>, device: DeviceId, (known, typed): (Vec<SocketAddr>, Vec<SocketAddr>)) {
    let mut dialled = net.endpoint.dial(device, &known).await;
    for address in typed {
        let elsewhere = matches!(
            dialled,
            Err(DialFault::Silent
                | DialFault::Failed(_)
                | DialFault::NoAddress
                | DialFault::OtherDevice)
        );
        if !elsewhere {
            break;
        }
        dialled = net.endpoint.dial(device, &[address]).await;
        if matches!(dialled, Err(DialFault::OtherDevice)) {
            net.typed().is_not(device, address);
        }
    }
    net.dialling().remove(&device);
    match dialled {
        Ok(connection) if !net.is_cut() => carry_out(&net, connection),
        Ok(connection) => connection.link.close(0, "cut"),
        Err(fault @ (DialFault::Silent | DialFault::Failed(_) | DialFault::NoAddress)) => {
            tracing::trace!(%device, %fault, "not reached");
        }
        Err(DialFault::PutOut) => net.told_put_out(device),
        Err(fault) => tracing::debug!(%device, %fault, "not reached"),
    }
}

/// Follows who is enrolled and who was put out, and closes the connections of the latter at once.
async fn follow_membership(net: Arc<Net>) {
    let (sender, mut told) = mpsc::unbounded_channel();
    net.device.writer().follow(net.new_follower(), sender);
    let mut out = false;
    while let Some(told) = told.recv().await {
        match told {
            Told::Started { .. } | Told::MembershipChanged => {
                net.allow();
                net.dial_now.notify_one();
                if net.is_out() && !std::mem::replace(&mut out, true) {
                    net.tell(NetworkEvent::Alarm { what: PUT_OUT.to_owned() });
                }
            }
            Told::Committed { .. }
            | Told::Admitted { .. }
            | Told::NotAdmitted { .. }
            | Told::OwnLog(_) => {}
        }
    }
}

/// Notices that the clock was set, and whether it can be believed; and that the computer slept, when
/// every path is looked at again.
async fn watch_clock(net: Arc<Net>) {
    let clock = net.device.clock().clone();
    let since_start = |clock: &Clock| clock.line().map_or(clock.running(), |line| line.running);
    let mut awake = ClockWatch::new(clock.now(), clock.running());
    let mut set = ClockWatch::new(clock.now(), since_start(&clock));
    let mut told = ClockStanding::default();
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut since_kept = 0;
    loop {
        ticks.tick().await;
        if awake.look(clock.now(), clock.running()).is_some() {
            net.endpoint.network_changed().await;
            net.dial_now.notify_one();
        }
        if let Some(by_ms) = set.look(clock.now(), since_start(&clock)) {
            net.tell(NetworkEvent::Clock { peer: None, by_ms });
        }
        let standing = net.device.clock_standing();
        if !standing.is_like(&told) {
            told = standing.clone();
            net.tell(NetworkEvent::ClockJudged(standing));
        }
        since_kept += 1;
        if since_kept >= KEEP_EVERY {
            since_kept = 0;
            let net = Arc::clone(&net);
            drop(tokio::task::spawn_blocking(move || net.keep()).await);
        }
    }
}
