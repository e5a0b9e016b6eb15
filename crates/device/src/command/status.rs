//! `status`: how this device stands.

use super::page::moment;
use super::session::Session;
use super::{Fault, Output};
use crate::Status;
use crate::fit_for_use::damage_in_words;
use serde_json::{Value, json};

/// Shows how the device stands.
///
/// # Errors
/// When it could not be read.
pub fn run(session: &Session<'_>, out: &mut Output<'_>) -> Result<(), Fault> {
    let status = session.device().status()?;
    if out.is_json() {
        out.document(&to_json(session, &status));
    } else {
        tell(session, &status, out);
    }
    Ok(())
}

/// Returns a hash in hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

fn to_json(session: &Session<'_>, status: &Status) -> Value {
    let zone = session.zone();
    let home = &session.picture.home;
    let heads: Vec<Value> = status
        .heads
        .iter()
        .flat_map(|(log, heads)| {
            heads.heads().iter().map(|head| {
                json!({
                    "log": log.to_string(),
                    "device": home.owner(*log).map(|d| d.to_string()),
                    "sequence": head.sequence,
                    "hash": hex(&head.hash.0),
                })
            })
        })
        .collect();
    let unheard: Vec<String> = status.unheard.iter().map(ToString::to_string).collect();
    json!({
        "home": status.home.to_string(),
        "name": session.settings().name,
        "practice": home.is_practice(),
        "device": status.device.to_string(),
        "device_name": home.device_name(status.device),
        "entries": status.entries,
        "heads_hash": hex(&status.heads_hash),
        "state_hash": hex(&status.state_hash),
        "heads": heads,
        "complete_to": status.complete_to.map(|at| at.rfc3339(zone)),
        "unheard": unheard,
        "clock": super::clock::to_json(&session.clock, &session.picture, session.now),
        "history_from": Value::Null,
        "last_pack": Value::Null,
        "last_backup": Value::Null,
        "store": {
            "bytes": status.bytes,
            "ok": status.read_only.is_none() && status.damage.is_none(),
            "why": why(status),
        },
        "put_out": status.put_out.as_ref().map(|out| json!({
            "at": out.at.rfc3339(zone),
            "reason": out.reason,
            "said_by": out.said_by.map(|device| device.to_string()),
        })),
    })
}

/// Why the store is not well; `None` when it is.
fn why(status: &Status) -> Option<String> {
    status.read_only.clone().or_else(|| status.damage.as_ref().map(damage_in_words))
}

fn tell(session: &Session<'_>, status: &Status, out: &mut Output<'_>) {
    let home = &session.picture.home;
    let practice = if home.is_practice() { " (PRACTICE)" } else { "" };
    let name = session.settings().name;
    out.line(format!("{name}{practice}, device {}", home.device_name(status.device)));
    let unheard: Vec<String> = status.unheard.iter().map(|d| home.device_name(*d)).collect();
    for line in super::session::not_to_be_relied_on(session) {
        out.line(line);
    }
    let complete = match status.complete_to {
        Some(at) => format!("Complete to {}.", moment(at, session.zone())),
        None => "Not complete: a device was never heard.".to_owned(),
    };
    out.line(complete);
    if unheard.is_empty() {
        out.line("Every device that counts is heard.");
    } else {
        out.line(format!("Not heard: {}.", mar::words::list(&unheard)));
    }
    out.line(format!(
        "{} in {}, {} bytes.",
        super::page::entries(status.entries),
        super::page::count(status.heads.len(), "log"),
        status.bytes
    ));
    if let Some(why) = &status.read_only {
        out.line(format!("NOT SAVED: this device only reads, because its disk failed: {why}"));
        out.line("Use another device, and start this one again when its disk is well.");
    }
    out.line(format!("Same entries: {}", hex(&status.heads_hash)));
    out.line(format!("Same home:    {}", hex(&status.state_hash)));
}
