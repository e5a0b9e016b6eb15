//! `invite`: let one device join.

use super::session::Session;
use super::{Fault, Output};
use crate::{Invite, InviteNews, Network, NetworkEvent, NetworkOptions};
use mar::fact::DeviceRole;
use mar::ids::DeviceId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Whom to let join.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InviteRequest {
    /// `member` or `observer`.
    pub role: String,
    /// Where to listen; `None` is the usual port.
    pub listen: Option<String>,
    /// Whether to be found by multicast.
    pub discovery: bool,
}

/// A device that joined is given this long to take over the record before this one ends.
const HAND_OVER: Duration = Duration::from_secs(120);

/// Shows a code and waits for one device, five minutes at most.
///
/// # Errors
/// Why no device joined.
pub fn run(
    session: &Session<'_>,
    request: &InviteRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let role = match request.role.as_str() {
        "member" => DeviceRole::Member,
        "observer" => DeviceRole::Observer,
        other => {
            return Err(Fault::Wrong(format!(
                "`{other}` is no role of a device: member or observer"
            )));
        }
    };
    let manager = session.person()?;
    if let Some(network) = session.network() {
        return await_joiner(network.invite(role, manager)?, out).map(|_| ());
    }
    let listen = request.listen.as_deref().map(socket_address).transpose()?;
    let options = NetworkOptions {
        listen,
        discovery: request.discovery,
        loopback: listen.is_some_and(|a| a.ip().is_loopback()),
    };
    let (sender, events) = channel();
    let network = Network::start(session.device(), options, sender)?;
    let joined = network
        .invite(role, manager)
        .map_err(Fault::from)
        .and_then(|invite| await_joiner(invite, out));
    if let Ok(joined) = joined {
        hand_over(&events, joined);
    }
    network.stop();
    joined.map(|_| ())
}

fn await_joiner(mut invite: Invite, out: &mut Output<'_>) -> Result<DeviceId, Fault> {
    let addresses: Vec<String> = invite.addresses.iter().map(ToString::to_string).collect();
    if out.is_json() {
        out.json_line(&json!({ "code": invite.code, "addresses": addresses }));
    } else {
        out.line(format!("The code: {}", invite.code));
        out.line("On the new device, within five minutes:");
        out.line(format!("    medroundctl join {} --device NAME", invite.code));
        out.line(format!(
            "Where it does not find this device, add --address and one of: {}",
            addresses.join(", ")
        ));
    }
    loop {
        match invite.next() {
            InviteNews::WrongCode { left } => {
                out.aside(format!("A wrong code was tried; {left} more and the invite closes."));
            }
            InviteNews::Joined(device) => {
                if out.is_json() {
                    out.json_line(&json!({ "joined": device.to_string() }));
                } else {
                    out.line("The device has joined.");
                }
                return Ok(device);
            }
            InviteNews::Over(fault) => return Err(fault.into()),
        }
    }
}

/// Stays until the new device holds what this one holds.
fn hand_over(events: &Receiver<NetworkEvent>, joined: DeviceId) {
    loop {
        match events.recv_timeout(HAND_OVER) {
            Ok(NetworkEvent::Synced { peer, .. } | NetworkEvent::PeerDown(peer))
                if peer == joined =>
            {
                return;
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// Reads an address of the home's network, with its port.
///
/// # Errors
/// When it is none, or lies outside the local network.
pub fn local_address(text: &str) -> Result<SocketAddr, Fault> {
    let address = socket_address(text)?;
    if sync::endpoint::is_local(address.ip()) {
        return Ok(address);
    }
    let fault = sync::endpoint::DialFault::NotLocal(address);
    Err(Fault::Wrong(format!("{fault}: type the address that the other device shows")))
}

/// Reads an address with its port.
///
/// # Errors
/// When it is none.
pub fn socket_address(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        Fault::Wrong(format!(
            "`{text}` is not an address: write IP:PORT, such as 192.168.1.20:7400"
        ))
    })
}
