//! What carries a session out: the loop that `device` has around each connection, here against a
//! store in memory.
//!
//! Three tasks belong to a connection. One reads frames, since a frame that is read halfway must
//! not be given up. One writes them, so that two devices that both send much never wait for each
//! other. Between them the loop below feeds the session and does what it says, in order. What the
//! session lets wait to be written is bounded by what the peer has asked for.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::entry::{DeviceId, LogId, LogKey, Sealed};
use store::heads::Heads;
use sync::endpoint::{Connection, Ended, Endpoint, EndpointConfig, Listen};
use sync::session::{Effect, Input, Notice, Session};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::shelf::{HOME, Shelf, write};

/// Longer than anything on loopback takes, so that a test that hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn loopback() -> Listen {
    Listen::At(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

pub(crate) async fn endpoint(seed: u8, practice: bool, listen: Listen) -> Endpoint {
    let config = EndpointConfig { secret: [seed; 32], practice, listen };
    let bound = async {
        loop {
            match Endpoint::bind(&config).await {
                Ok(endpoint) => return endpoint,
                // The tasks of an endpoint that was dropped a moment ago still hold the port.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    timeout(PATIENCE, bound).await.expect("the port becomes free")
}

pub(crate) fn address_of(endpoint: &Endpoint) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, endpoint.port().unwrap()).into()
}

/// Something that came onto the disk, and over which connection.
#[derive(Debug, Clone)]
struct Commit {
    from: Option<DeviceId>,
    entries: Vec<Sealed>,
    heads: Heads,
}

/// A device with an endpoint and a store in memory.
pub(crate) struct Device {
    pub(crate) endpoint: Endpoint,
    pub(crate) key: LogKey,
    pub(crate) shelf: Mutex<Shelf>,
    commits: broadcast::Sender<Commit>,
    pub(crate) notices: broadcast::Sender<Notice>,
}

impl Device {
    pub(crate) async fn start(seed: u8, listen: Listen) -> Arc<Self> {
        Arc::new(Self {
            endpoint: endpoint(seed, false, listen).await,
            key: LogKey::from_seed(&[seed; 32]),
            shelf: Mutex::default(),
            commits: broadcast::channel(1024).0,
            notices: broadcast::channel(65_536).0,
        })
    }

    pub(crate) fn allow(&self, others: &[&Self]) {
        let ids: BTreeSet<DeviceId> = others.iter().map(|other| other.endpoint.id()).collect();
        self.endpoint.allow(ids);
    }

    pub(crate) fn own_log(&self) -> LogId {
        self.key.log()
    }

    pub(crate) fn heads(&self) -> Heads {
        self.shelf.lock().unwrap().heads.clone()
    }

    pub(crate) fn write(&self, payload: Vec<u8>) -> Sealed {
        let mut shelf = self.shelf.lock().unwrap();
        let last = shelf.all(&self.key.log()).pop();
        let entry = write(&self.key, last.as_ref(), 1, payload);
        shelf.admit(std::slice::from_ref(&entry)).unwrap();
        let commit =
            Commit { from: None, entries: vec![entry.clone()], heads: shelf.heads.clone() };
        // Without a connection nobody listens.
        drop(self.commits.send(commit));
        entry
    }

    /// Serves connections as they come, each in a task of its own.
    pub(crate) fn serve(self: &Arc<Self>) {
        let device = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(connection) = device.endpoint.accept().await {
                let device = Arc::clone(&device);
                tokio::spawn(async move { device.exchange(connection).await });
            }
        });
    }

    /// Dials another device and exchanges until the connection ends.
    pub(crate) async fn dial(self: &Arc<Self>, other: &Self) {
        let address = address_of(&other.endpoint);
        let connection = self.endpoint.dial(other.endpoint.id(), &[address]).await.unwrap();
        let device = Arc::clone(self);
        tokio::spawn(async move { device.exchange(connection).await });
    }

    async fn exchange(self: Arc<Self>, connection: Connection) -> Ended {
        let Connection { link, mut sender, mut receiver } = connection;
        let (to_loop, mut frames) = mpsc::channel::<Vec<u8>>(16);
        tokio::spawn(async move {
            while let Ok(frame) = receiver.receive().await {
                if to_loop.send(frame).await.is_err() {
                    return;
                }
            }
        });
        let (to_wire, mut wire) = mpsc::unbounded_channel::<Vec<u8>>();
        tokio::spawn(async move {
            while let Some(frame) = wire.recv().await {
                if sender.send(&frame).await.is_err() {
                    return;
                }
            }
        });

        let mut session = Session::new(HOME);
        let mut commits = self.commits.subscribe();
        let (heads, own_log) = (self.heads(), Some(self.own_log()));
        let mut input = Input::Started { heads, own_log, wall_ms: 0 };
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut inputs = vec![input];
            while let Some(next) = inputs.pop() {
                for effect in session.handle(next) {
                    match effect {
                        Effect::Send(frame) => drop(to_wire.send(frame)),
                        Effect::Admit { ticket, entries, .. } => {
                            inputs.insert(
                                0,
                                match self.admit(&link.device(), entries) {
                                    Ok(heads) => Input::Admitted { ticket, heads },
                                    Err(why) => Input::AdmitRefused { ticket, why },
                                },
                            );
                        }
                        Effect::Read { ticket, read } => {
                            let found = self.shelf.lock().unwrap().read(&read);
                            inputs.insert(0, Input::ReadDone { ticket, found });
                        }
                        Effect::Close(reason) => link.close(reason.code(), &reason.to_string()),
                        Effect::Notice(notice) => drop(self.notices.send(notice)),
                    }
                }
            }
            input = tokio::select! {
                Some(frame) = frames.recv() => Input::Frame(frame),
                Ok(commit) = commits.recv() => {
                    if commit.from == Some(link.device()) {
                        // It came over this connection and was receipted already.
                        continue_with_nothing()
                    } else {
                        Input::Committed { entries: commit.entries, heads: commit.heads }
                    }
                }
                _ = ticks.tick() => Input::Tick { wall_ms: 0 },
                ended = link.closed() => return ended,
            };
        }
    }

    fn admit(&self, from: &DeviceId, entries: Vec<Sealed>) -> Result<Heads, sync::frame::Refused> {
        let mut shelf = self.shelf.lock().unwrap();
        shelf.admit(&entries)?;
        let heads = shelf.heads.clone();
        drop(self.commits.send(Commit { from: Some(*from), entries, heads: heads.clone() }));
        Ok(heads)
    }
}

fn continue_with_nothing() -> Input {
    Input::Committed { entries: Vec::new(), heads: Heads::default() }
}

/// Waits for a notice.
pub(crate) async fn hears(
    notices: &mut broadcast::Receiver<Notice>,
    wanted: impl Fn(&Notice) -> bool,
) -> Notice {
    let heard = async {
        loop {
            let notice = notices.recv().await.unwrap();
            if wanted(&notice) {
                return notice;
            }
        }
    };
    timeout(PATIENCE, heard).await.expect("the notice came in time")
}
