//! The socket beneath an endpoint: iroh, kept on the local network.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use iroh::endpoint::{
    BeforeConnectOutcome, EndpointHooks, IdleTimeout, Incoming, IncomingAddr, NetReportConfig,
    PortmapperConfig, QuicTransportConfig, VarInt, presets,
};
use iroh::{EndpointAddr, RelayMode, SecretKey};

use super::{BindFault, Ended, Link, Listen, PAIRING_PORT, is_local, names};

/// How long a connection may be silent before it is dropped.
const SILENCE: Duration = Duration::from_secs(4);
const KEEP_ALIVE: Duration = Duration::from_secs(1);
const STREAMS_MAX: u32 = 32;

/// Opens an iroh endpoint that stays on the local network.
pub(super) async fn open<G: EndpointHooks + 'static>(
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
pub(super) fn deepest(fault: &dyn std::error::Error) -> String {
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

pub(super) fn local_addresses(endpoint: &iroh::Endpoint) -> Vec<SocketAddr> {
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

/// Drops what comes from outside the local network without a word.
pub(super) fn from_here(incoming: Incoming) -> Option<Incoming> {
    if let IncomingAddr::Ip(address) = incoming.remote_addr()
        && is_local(address.ip())
    {
        return Some(incoming);
    }
    incoming.ignore();
    None
}

pub(super) async fn shake_hands(incoming: Incoming) -> Result<Link, Ended> {
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
pub(super) struct Door(iroh::Endpoint);

impl Door {
    pub(super) async fn open(
        secret: &[u8; 32],
        practice: bool,
        listen: Listen,
    ) -> Result<Self, BindFault> {
        let alpn = names(practice).pairing;
        open(secret, alpn, listen, PAIRING_PORT, || InviteGate).await.map(Self)
    }

    /// Returns the next connection from the local network, `None` once the door is closed.
    pub(super) async fn next(&self) -> Option<Incoming> {
        loop {
            if let Some(incoming) = from_here(self.0.accept().await?) {
                return Some(incoming);
            }
        }
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        local_addresses(&self.0)
    }

    pub(super) fn port(&self) -> Option<u16> {
        self.0.bound_sockets().first().map(SocketAddr::port)
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}
