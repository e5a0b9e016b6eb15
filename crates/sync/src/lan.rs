//! Finding the home's devices on the local network, by multicast DNS. Only this file has heard of
//! mdns-sd.
//!
//! Discovery makes things quicker and nothing depends on it: addresses are remembered, devices tell
//! each other, and one can be typed. What is announced is readable by everybody on the network, so
//! it names nobody: a random instance name per start, a random nonce, and a tag that only somebody
//! who has the home's secret and knows the device can make or check.
//!
//! ```text
//! _medround._udp.local.        v = 1, n = nonce 16, t = tag 16: keyed hash of nonce and device id
//! _medround-pair._udp.local.   v = 1, t = tag 16: from the pairing code
//! ```
//!
//! Practice homes have service types of their own.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use store::entry::DeviceId;
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use crate::endpoint::is_local;

const VERSION: &str = "1";
/// The most announcements kept that no known device has made: one may be enrolled in a moment.
const STRANGERS_MAX: usize = 256;
/// How long to wait before looking again after the daemon has dropped us.
const AGAIN: Duration = Duration::from_secs(1);

/// Why the network cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum LanFault {
    /// The multicast socket could not be opened, or the service not be announced.
    #[error("devices cannot be found by themselves: {0}; type an address instead")]
    Multicast(#[from] mdns_sd::Error),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// How to search.
#[derive(Debug, Clone, Copy, Default)]
pub struct LanConfig {
    /// Whether the home is a practice home.
    pub practice: bool,
    /// Whether to use the loopback interface and no other: for tests and the demonstration.
    pub loopback_only: bool,
    /// A port other than that of multicast DNS: for tests, which then hear only each other.
    pub port: Option<u16>,
}

/// Which devices are looked for.
#[derive(Clone, Default)]
pub struct Known {
    /// The enrolled devices, without this one.
    pub devices: BTreeSet<DeviceId>,
    /// The home's secrets that are accepted: the current generation and the one before.
    pub secrets: Vec<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("devices", &self.devices).finish_non_exhaustive()
    }
}

/// A device that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// Which. It is a hint until the device has proved it by TLS.
    pub device: DeviceId,
    /// Where.
    pub address: SocketAddr,
}

/// The local network, as long as it is searched.
pub struct Lan {
    daemon: ServiceDaemon,
    config: LanConfig,
}

impl fmt::Debug for Lan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lan").field("config", &self.config).finish_non_exhaustive()
    }
}

/// An announcement, withdrawn when it goes.
pub struct Announced {
    daemon: ServiceDaemon,
    name: String,
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Announced").field(&self.name).finish()
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        if let Err(fault) = self.daemon.unregister(&self.name) {
            tracing::debug!(%fault, "an announcement was not withdrawn; it runs out by itself");
        }
    }
}

/// Returns what only the home's devices can make: who announces itself, under this nonce.
fn tag(secret: &[u8; 32], nonce: &[u8; 16], device: &DeviceId) -> [u8; 16] {
    let message = [&nonce[..], &device.0].concat();
    let mut tag = [0; 16];
    tag.copy_from_slice(&blake3::keyed_hash(secret, &message).as_bytes()[..16]);
    tag
}

/// Returns which known device made an announcement, if any did.
fn announcer(known: &Known, nonce: &[u8; 16], announced: &[u8; 16]) -> Option<DeviceId> {
    let made_by = |device: &&DeviceId| {
        known.secrets.iter().any(|secret| tag(secret, nonce, device) == *announced)
    };
    known.devices.iter().find(made_by).copied()
}

impl Lan {
    /// Begins to listen. Uses IPv4 on every interface but loopback, unless asked otherwise.
    ///
    /// # Errors
    ///
    /// Returns why multicast cannot be used.
    pub fn start(config: LanConfig) -> Result<Self, LanFault> {
        let daemon = match config.port {
            None => ServiceDaemon::new()?,
            Some(port) => ServiceDaemon::new_with_port(port)?,
        };
        if config.loopback_only {
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(IfKind::LoopbackV4)?;
        } else {
            let unused = vec![IfKind::IPv6, IfKind::LoopbackV4, IfKind::LoopbackV6];
            daemon.disable_interface(unused)?;
        }
        Ok(Self { daemon, config })
    }

    fn devices(&self) -> &'static str {
        if self.config.practice { "_medround-prac._udp.local." } else { "_medround._udp.local." }
    }

    fn invites(&self) -> &'static str {
        if self.config.practice {
            "_medround-ppair._udp.local."
        } else {
            "_medround-pair._udp.local."
        }
    }

    /// Announces this device under the home's current secret, until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be announced.
    pub fn announce(
        &self,
        device: &DeviceId,
        port: u16,
        secret: &[u8; 32],
    ) -> Result<Announced, LanFault> {
        let nonce: [u8; 16] = random()?;
        let text =
            [("v", VERSION.into()), ("n", hex(&nonce)), ("t", hex(&tag(secret, &nonce, device)))];
        self.register(self.devices(), port, &text)
    }

    /// Announces an open invite, until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be announced.
    pub fn announce_invite(&self, tag: &[u8; 16], port: u16) -> Result<Announced, LanFault> {
        self.register(self.invites(), port, &[("v", VERSION.into()), ("t", hex(tag))])
    }

    fn register(
        &self,
        service: &str,
        port: u16,
        text: &[(&str, String)],
    ) -> Result<Announced, LanFault> {
        let instance = hex(&random::<8>()?);
        let host = format!("{instance}.local.");
        let mut info = ServiceInfo::new(service, &instance, &host, "", port, text)?;
        info = info.enable_addr_auto();
        if self.config.loopback_only {
            info.set_interfaces(vec![IfKind::LoopbackV4]);
        }
        let name = info.get_fullname().to_owned();
        self.daemon.register(info)?;
        Ok(Announced { daemon: self.daemon.clone(), name })
    }

    /// Looks for known devices until the receiver is dropped. A change of `known` is applied to
    /// what was seen before, too. Must be called within a Tokio runtime.
    pub fn watch(&self, mut known: watch::Receiver<Known>) -> mpsc::Receiver<Sighting> {
        let (sender, receiver) = mpsc::channel(64);
        let mut seen = self.search(self.devices());
        tokio::spawn(async move {
            let mut strangers: BTreeSet<Seen> = BTreeSet::new();
            loop {
                let found: Vec<Seen> = tokio::select! {
                    next = seen.recv() => match next {
                        Some(next) => vec![next],
                        None => return,
                    },
                    changed = known.changed() => match changed {
                        Ok(()) => strangers.iter().cloned().collect(),
                        Err(_) => return,
                    },
                    () = sender.closed() => return,
                };
                for seen in found {
                    let who = announcer(&known.borrow(), &seen.nonce, &seen.tag);
                    match who {
                        Some(device) => {
                            strangers.remove(&seen);
                            let sighting = Sighting { device, address: seen.address };
                            if sender.send(sighting).await.is_err() {
                                return;
                            }
                        }
                        None if strangers.len() < STRANGERS_MAX => {
                            strangers.insert(seen);
                        }
                        None => {}
                    }
                }
            }
        });
        receiver
    }

    /// Looks for an open invite with this tag until the receiver is dropped. Must be called within
    /// a Tokio runtime.
    pub fn find_invite(&self, tag: [u8; 16]) -> mpsc::Receiver<SocketAddr> {
        let (sender, receiver) = mpsc::channel(16);
        let mut seen = self.search(self.invites());
        tokio::spawn(async move {
            while let Some(seen) = seen.recv().await {
                if seen.tag == tag && sender.send(seen.address).await.is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// Passes on every announcement of a service, and begins again when the daemon drops us.
    fn search(&self, service: &'static str) -> mpsc::Receiver<Seen> {
        let (sender, receiver) = mpsc::channel(64);
        let daemon = self.daemon.clone();
        tokio::spawn(async move {
            while let Ok(events) = daemon.browse(service) {
                let passed_on = async {
                    while let Ok(event) = events.recv_async().await {
                        let ServiceEvent::ServiceResolved(service) = event else { continue };
                        for seen in read(&service) {
                            // The other side of the select sees that nobody listens any more.
                            drop(sender.send(seen).await);
                        }
                    }
                };
                tokio::select! {
                    () = passed_on => {}
                    () = sender.closed() => return,
                }
                // A reader that was too slow is dropped without a word.
                tokio::time::sleep(AGAIN).await;
            }
        });
        receiver
    }

    /// Stops searching and withdraws every announcement, as dropping it does.
    pub fn stop(self) {
        drop(self);
    }
}

/// The daemon has a thread and sockets of its own, which outlive its handle.
impl Drop for Lan {
    fn drop(&mut self) {
        if let Err(fault) = self.daemon.shutdown() {
            tracing::debug!(%fault, "the search of the network did not stop in order");
        }
    }
}

/// One address of one announcement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    nonce: [u8; 16],
    tag: [u8; 16],
    address: SocketAddr,
}

/// Reads an announcement that anybody may have made. What is not ours gives nothing.
fn read(service: &ResolvedService) -> Vec<Seen> {
    let text = |key| service.get_property_val_str(key);
    let bytes = |key| text(key).and_then(unhex);
    let (Some(VERSION), Some(tag)) = (text("v"), bytes("t")) else { return Vec::new() };
    let nonce = bytes("n").unwrap_or_default();
    let mut seen: Vec<Seen> = service
        .get_addresses_v4()
        .into_iter()
        .map(IpAddr::V4)
        .filter(|ip| is_local(*ip))
        .map(|ip| Seen { nonce, tag, address: SocketAddr::new(ip, service.get_port()) })
        .collect();
    seen.sort();
    seen.truncate(16);
    seen
}

fn random<const N: usize>() -> Result<[u8; N], LanFault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| LanFault::Random(e.to_string()))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(devices: &[u8], secrets: &[u8]) -> Known {
        Known {
            devices: devices.iter().map(|id| DeviceId([*id; 32])).collect(),
            secrets: secrets.iter().map(|secret| Zeroizing::new([*secret; 32])).collect(),
        }
    }

    #[test]
    fn a_device_is_known_by_its_tag_under_this_or_the_last_secret_and_by_no_other() {
        let nonce = [3; 16];
        let device = DeviceId([1; 32]);
        let made = |secret: u8| tag(&[secret; 32], &nonce, &device);
        let known = known(&[1, 2], &[8, 7]);
        assert_eq!(announcer(&known, &nonce, &made(8)), Some(device));
        assert_eq!(announcer(&known, &nonce, &made(7)), Some(device));
        assert_eq!(announcer(&known, &nonce, &made(6)), None, "two generations ago");
        assert_eq!(announcer(&known, &[4; 16], &made(8)), None, "another nonce");
        let stranger = tag(&[8; 32], &nonce, &DeviceId([9; 32]));
        assert_eq!(announcer(&known, &nonce, &stranger), None, "not enrolled");
    }

    #[test]
    fn an_announcement_says_nothing_that_stays_the_same_from_start_to_start() {
        let device = DeviceId([1; 32]);
        let tags: Vec<_> = [[1; 16], [2; 16]].map(|nonce| tag(&[8; 32], &nonce, &device)).into();
        assert_ne!(tags[0], tags[1]);
    }

    #[test]
    fn text_that_is_no_tag_is_passed_over() {
        assert_eq!(unhex(&hex(&[0xa5; 16])), Some([0xa5; 16]));
        for text in ["", "a5", &"zz".repeat(16), &"é".repeat(16), &"a5".repeat(17)] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
