//! The devices that were not heard: what was given there may be missing from every answer (Y-04).

use super::page::moment;
use super::session::Session;
use mar::ids::DeviceId;
use mar::time::Timestamp;
use serde_json::{Value, json};

/// A counted device that is not heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unheard {
    /// Which.
    pub(super) device: DeviceId,
    /// Its name.
    pub(super) name: String,
    /// When it was last heard; `None` for never.
    pub(super) last_heard: Option<Timestamp>,
}

/// Returns the counted devices that are not heard now (W-16).
#[must_use]
pub(super) fn unheard(session: &Session<'_>) -> Vec<Unheard> {
    let (_, devices) = session.device().complete_to();
    if devices.is_empty() {
        return Vec::new();
    }
    let peers = session.device().peers();
    let heard = |device| peers.iter().find(|p| p.device == device).and_then(|p| p.last_heard);
    let found = devices.into_iter().map(|device| Unheard {
        device,
        name: session.picture.home.device_name(device),
        last_heard: heard(device),
    });
    found.collect()
}

impl Unheard {
    /// Returns the device with its time: `Lounge tablet since Sat 21 Nov 2026 17:40`.
    #[must_use]
    pub(super) fn in_words(&self, session: &Session<'_>) -> String {
        match self.last_heard {
            Some(at) => format!("{} since {}", self.name, moment(at, session.zone())),
            None => format!("{}, never heard", self.name),
        }
    }
}

/// Returns the line that every answer begins with while a device is not heard; `None` otherwise.
#[must_use]
pub(super) fn line(session: &Session<'_>) -> Option<String> {
    let found: Vec<String> = unheard(session).iter().map(|u| u.in_words(session)).collect();
    let names = found.join("; ");
    (!found.is_empty())
        .then(|| format!("NOT HEARD: {names}. What was given there may be missing here."))
}

/// Returns them as JSON: `[{device, name, last_heard}]`.
#[must_use]
pub(super) fn to_json(session: &Session<'_>) -> Value {
    let list = unheard(session).into_iter().map(|u| {
        json!({
            "device": u.device.to_string(),
            "name": u.name,
            "last_heard": u.last_heard.map(|at| at.rfc3339(session.zone())),
        })
    });
    Value::Array(list.collect())
}
