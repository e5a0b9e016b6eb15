//! `devices` and `revoke`: the home's devices.

use super::page::{Table, moment};
use super::session::Session;
use super::{Fault, Output};
use crate::PeerView;
use mar::fact::DeviceRole;
use mar::ids::DeviceId;
use mar::picture::{DeviceRecord, Picture, counting};
use mar::staff::{Employment, Role};
use mar::time::{Timestamp, Tz};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which device to put out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Revoke {
    /// Its id or name.
    pub device: String,
    /// Why.
    pub reason: String,
}

/// One line of the list.
struct Line {
    id: DeviceId,
    name: String,
    role: &'static str,
    enrolled: Option<Timestamp>,
    revoked: Option<Timestamp>,
    parked: bool,
    own: bool,
    peer: Option<PeerView>,
}

/// Lists the home's devices.
///
/// # Errors
/// None today; the list is always there.
pub fn list(session: &Session<'_>, out: &mut Output<'_>) -> Result<(), Fault> {
    let peers = session.device().peers();
    let own = session.device().id();
    let lines: Vec<Line> = session
        .picture
        .home
        .devices()
        .iter()
        .filter_map(|(id, record)| line(*id, record, own, &peers))
        .collect();
    if out.is_json() {
        let all: Vec<Value> = lines.iter().map(|l| to_json(session, l)).collect();
        out.document(&Value::Array(all));
    } else {
        tell(session, &lines, out);
    }
    Ok(())
}

fn line(id: DeviceId, record: &DeviceRecord, own: DeviceId, peers: &[PeerView]) -> Option<Line> {
    let (keys, role) = record.enrolment()?;
    Some(Line {
        id,
        name: keys.name.clone(),
        role: match role {
            DeviceRole::Member => "member",
            DeviceRole::Observer => "observer",
        },
        enrolled: counting(&record.enrolled).last().map(|w| w.wall),
        revoked: record.revocations().map(|(_, revoked)| revoked.at).min(),
        parked: record.is_parked(),
        own: id == own,
        peer: peers.iter().find(|p| p.device == id).cloned(),
    })
}

fn to_json(session: &Session<'_>, line: &Line) -> Value {
    let zone = session.zone();
    let at = |at: Option<Timestamp>| at.map(|at| at.rfc3339(zone));
    let peer = line.peer.as_ref();
    let last_heard = if line.own { Some(session.now) } else { peer.and_then(|p| p.last_heard) };
    json!({
        "id": line.id.to_string(),
        "name": line.name,
        "role": line.role,
        "enrolled": at(line.enrolled),
        "last_heard": at(last_heard),
        "behind": if line.own { Some(0) } else { peer.and_then(|p| p.behind) },
        "clock_offset_ms": if line.own { Some(0) } else { peer.and_then(|p| p.clock_offset_ms) },
        "clock_compared": at(peer.and_then(|p| p.clock_compared)),
        "revoked": line.revoked.is_some(),
        "revoked_at": at(line.revoked),
        "parked": line.parked,
        "address": peer.and_then(|p| p.address.clone()),
        "connected": line.own || peer.is_some_and(|p| p.connected),
        "this": line.own,
    })
}

fn tell(session: &Session<'_>, lines: &[Line], out: &mut Output<'_>) {
    let zone = session.zone();
    let mut table = Table::new(&["Device", "Role", "Last heard", "Behind", "Clock", "Reached at"]);
    for line in lines {
        let peer = line.peer.as_ref();
        let heard = match (line.own, line.revoked, peer) {
            (true, ..) => "this device".to_owned(),
            (false, Some(at), _) => format!("taken out {}", moment(at, zone)),
            (false, None, Some(p)) if p.connected => "now".to_owned(),
            (false, None, Some(PeerView { last_heard: Some(at), .. })) => moment(*at, zone),
            (false, None, Some(_) | None) => "never".to_owned(),
        };
        let behind = peer.and_then(|p| p.behind).map_or_else(String::new, super::page::entries);
        let clock = peer.map_or_else(String::new, |p| clock_in_words(p, zone));
        table.row([
            line.name.clone(),
            line.role.to_owned(),
            heard,
            behind,
            clock,
            peer.and_then(|p| p.address.clone()).unwrap_or_default(),
        ]);
    }
    for line in table.lines() {
        out.line(line);
    }
    out.line("");
    let mut ids = Table::new(&["Device", "Id"]);
    for line in lines {
        ids.row([line.name.clone(), line.id.to_string()]);
    }
    for line in ids.lines() {
        out.line(line);
    }
    for line in lines.iter().filter(|line| never_heard(line)) {
        out.line(format!(
            "{} was never heard here. Until it is, every dose asks about it. If its joining did not \
             finish, take it out of the home and invite it anew:",
            line.name
        ));
        out.line(format!("medroundctl revoke {} --reason TEXT --as INITIALS", line.id));
    }
    if lines.len() == 1 {
        out.line("Add another device with: medroundctl invite --as INITIALS");
    }
}

/// Whether a device counts in the home and has never been heard by this one: it may be new, or its
/// joining may have stopped half-way.
fn never_heard(line: &Line) -> bool {
    let heard = line.peer.as_ref().is_some_and(|p| p.connected || p.last_heard.is_some());
    !line.own && line.revoked.is_none() && !line.parked && line.role == "member" && !heard
}

/// By how much a device's clock is ahead of this one's, and when that was so if it is not now.
fn clock_in_words(peer: &PeerView, zone: Tz) -> String {
    let Some(ms) = peer.clock_offset_ms else { return String::new() };
    let ahead = format!("{}{} s", if ms < 0 { "-" } else { "+" }, ms.unsigned_abs() / 1000);
    match peer.clock_compared {
        Some(at) if !peer.connected => format!("{ahead}, {}", moment(at, zone)),
        Some(_) | None => ahead,
    }
}

/// The initials of those whose PIN opens most: active managers and nurses.
fn with_much_power(picture: &Picture) -> Vec<String> {
    let home = &picture.home;
    let mut initials: Vec<String> = home
        .staff()
        .keys()
        .filter_map(|id| home.person(*id))
        .filter(|staff| staff.standing == Employment::Active)
        .filter(|staff| matches!(staff.role, Role::Manager | Role::Nurse))
        .map(|staff| staff.initials.clone())
        .collect();
    initials.sort();
    initials
}

/// Puts a device out of the home.
///
/// # Errors
/// Why nothing was written.
pub fn revoke(session: &Session<'_>, ask: &Revoke, out: &mut Output<'_>) -> Result<(), Fault> {
    let device = session.device_named(&ask.device)?;
    let manager = session.person()?;
    session.device().revoke(device, manager, &ask.reason)?;
    if out.is_json() {
        out.document(&json!({ "device": device.to_string(), "revoked": true }));
    } else {
        out.line(format!(
            "{} is no longer one of the home's devices. What it recorded until now stays.",
            session.picture.home.device_name(device)
        ));
        out.line("The home's secrets were changed. Everybody's PIN goes on working.");
        let known = with_much_power(&session.picture);
        if !known.is_empty() {
            out.line(format!(
                "Whoever has that device can try out everybody's PIN on it. So let all choose a \
                 new one, and these first, because theirs open most: {}.",
                mar::words::list(&known)
            ));
            out.line("Each by: medroundctl staff reset-pin INITIALS --as INITIALS");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trolley() -> Line {
        Line {
            id: DeviceId([7; 32]),
            name: "Trolley".to_owned(),
            role: "member",
            enrolled: Some(Timestamp(0)),
            revoked: None,
            parked: false,
            own: false,
            peer: None,
        }
    }

    #[test]
    fn a_device_whose_joining_stopped_half_way_is_pointed_out() {
        assert!(never_heard(&trolley()));
        assert!(!never_heard(&Line { own: true, ..trolley() }));
        assert!(!never_heard(&Line { revoked: Some(Timestamp(1)), ..trolley() }));
        assert!(!never_heard(&Line { parked: true, ..trolley() }));
    }
}
