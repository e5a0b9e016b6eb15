//! `serve`: this device without a window. It syncs, and carries out other commands, until stopped.

use super::invite::{local_address, socket_address};
use super::{Fault, Output, page};
use crate::fit_for_use::damage_in_words;
use crate::pages::PageWatch;
use crate::{Clock, Device, Folders, Network, NetworkEvent, NetworkOptions, Running};
use mar::picture::Picture;
use mar::time::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeRequest {
    /// Where to listen; `None` is the usual port.
    pub listen: Option<String>,
    /// Whether to find other devices by multicast.
    pub discovery: bool,
    /// Where other devices may be, as somebody typed it.
    pub addresses: Vec<String>,
}

/// Between two looks at whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Serves until `stop` says so. Returns the exit code.
pub fn run(
    folders: &Folders,
    request: &ServeRequest,
    clock: Clock,
    stop: &dyn Fn() -> bool,
    out: &mut Output<'_>,
) -> u8 {
    match serve(folders, request, clock, stop, out) {
        Ok(()) => 0,
        Err(fault) => super::session::tell(&fault, out),
    }
}

fn serve(
    folders: &Folders,
    request: &ServeRequest,
    clock: Clock,
    stop: &dyn Fn() -> bool,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let listen = request.listen.as_deref().map(socket_address).transpose()?;
    let typed = request.addresses.iter().map(|text| local_address(text));
    let typed = typed.collect::<Result<Vec<_>, Fault>>()?;
    let device = Device::open(folders, clock)?;
    let options = NetworkOptions {
        listen,
        discovery: request.discovery,
        loopback: listen.is_some_and(|a| a.ip().is_loopback()),
    };
    let (sender, events) = channel();
    let network = Arc::new(Network::start(&device, options, sender)?);
    network.try_at(&typed);
    let running = Running { device: device.clone(), network: Some(network.clone()) };
    let socket =
        crate::socket::listen(running).map_err(|fault| Fault::Unexpected(fault.to_string()))?;
    let pages = PageWatch::start(&device).map_err(|fault| Fault::Unexpected(fault.to_string()))?;
    while !stop() {
        if let Some(damage) = pages.found() {
            tell(&device, &NetworkEvent::Alarm { what: damage_in_words(&damage) }, out);
        }
        match events.recv_timeout(LOOK) {
            Ok(event) => tell(&device, &event, out),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    drop(pages);
    drop(socket);
    if let Some(network) = Arc::into_inner(network) {
        network.stop();
    }
    device.close();
    Ok(())
}

/// Returns whether somebody asked this program to stop: Ctrl-C, or the system's own signal.
///
/// # Errors
/// When the system gives no thread for it.
pub fn asked_to_stop() -> std::io::Result<impl Fn() -> bool> {
    let asked = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&asked);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Err(fault) = runtime.block_on(one_signal()) {
            tracing::error!("this program cannot be stopped by a signal: {fault}");
            return;
        }
        heard.store(true, Ordering::SeqCst);
    })?;
    Ok(move || asked.load(Ordering::SeqCst))
}

#[cfg(unix)]
async fn one_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut ended = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = ended.recv() => Ok(()),
        _ = hung_up.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn one_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

fn tell(device: &Device, event: &NetworkEvent, out: &mut Output<'_>) {
    let picture = device.picture();
    if out.is_json() {
        out.json_line(&to_json(&picture, device.now(), event));
    } else {
        out.line(in_words(&picture, device.now(), event));
    }
}

fn to_json(picture: &Picture, now: Timestamp, event: &NetworkEvent) -> Value {
    match event {
        NetworkEvent::Started { addresses } => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            json!({ "event": "started", "addresses": addresses })
        }
        NetworkEvent::PeerUp(peer) => json!({ "event": "peer-up", "peer": peer.to_string() }),
        NetworkEvent::PeerDown(peer) => json!({ "event": "peer-down", "peer": peer.to_string() }),
        NetworkEvent::Synced { peer, sent, received, state_hash } => json!({
            "event": "synced", "peer": peer.to_string(), "sent": sent, "received": received,
            "state": super::status::hex(state_hash),
        }),
        NetworkEvent::Clock { peer, by_ms } => json!({
            "event": "clock", "peer": peer.map(|p| p.to_string()), "by_ms": by_ms,
        }),
        NetworkEvent::ClockJudged(standing) => {
            let mut shape = super::clock::to_json(standing, picture, now);
            shape["event"] = json!("clock");
            shape
        }
        NetworkEvent::Alarm { what } => json!({ "event": "alarm", "what": what }),
    }
}

fn in_words(picture: &Picture, now: Timestamp, event: &NetworkEvent) -> String {
    let name = |id| picture.home.device_name(id);
    match event {
        NetworkEvent::Started { addresses } => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("This device is up at {}. Stop it with Ctrl-C.", addresses.join(", "))
        }
        NetworkEvent::PeerUp(peer) => format!("{} is heard.", name(*peer)),
        NetworkEvent::PeerDown(peer) => format!("{} is no longer heard.", name(*peer)),
        NetworkEvent::Synced { peer, sent, received, .. } => format!(
            "In step with {}: {} sent, {} received.",
            name(*peer),
            page::entries(*sent),
            page::entries(*received)
        ),
        NetworkEvent::Clock { peer: Some(peer), by_ms } => format!(
            "The clock of {} differs from this one's by {} s: set the wrong one.",
            name(*peer),
            by_ms / 1000
        ),
        NetworkEvent::Clock { peer: None, by_ms } => {
            format!("This device's clock was moved by {} s: check date and time.", by_ms / 1000)
        }
        NetworkEvent::ClockJudged(standing) => super::clock::in_words(standing, picture, now)
            .unwrap_or_else(|| "This device's clock is right, as far as is known.".to_owned()),
        NetworkEvent::Alarm { what } => format!("LOOK: {what}"),
    }
}
