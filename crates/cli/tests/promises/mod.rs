//! The tests of `day.rs`, by what they are about.
#![allow(unreachable_pub, reason = "one test binary in parts")]

pub mod apart;
pub mod apart_people;
pub mod doses;
pub mod first;
pub mod follow_up;
pub mod imported;
pub mod orders;
pub mod people;
pub mod serving;
pub mod wrong;

use crate::outside::device::{Outside, Ran, text};
use serde_json::{Value, json};
use std::process::Command;

/// A home with a manager, a nurse, a senior and one resident; with the resident's id.
pub fn home() -> (Outside, String) {
    let device = Outside::new();
    device.found();
    let resident = device.resident("Shaw", "Gladys");
    (device, resident)
}

/// An instant from now, such as `+2 minutes`, as RFC 3339.
pub fn instant(offset: &str) -> String {
    let out = Command::new("date").args(["-u", "-d", offset, "+%Y-%m-%dT%H:%M:00Z"]).output();
    String::from_utf8_lossy(&out.expect("date runs").stdout).trim().to_owned()
}

/// An order that is due every hour, first in two minutes, so that a dose is due whatever the time.
pub fn hourly(resident: &str) -> Value {
    let mut order = crate::outside::device::regular(resident, &[]);
    order["schedule"] =
        json!({"kind": "every", "n": 1, "unit": "hour", "anchor": instant("+2 minutes")});
    order
}

/// The slots that are due in the next minutes.
pub fn slots(device: &Outside, resident: &str) -> Vec<Value> {
    let to = instant("+30 minutes");
    let from = instant("-1 minute");
    let due = device.ok(&["due", "--resident", resident, "--from", &from, "--to", &to]);
    due.as_array().expect("a list").clone()
}

/// The rule that refused, with its exit code checked.
#[track_caller]
pub fn rule(ran: &Ran) -> String {
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let refused = ran.json();
    assert!(refused["refused"]["message"].as_str().is_some_and(|m| m.len() > 10), "{refused}");
    text(&refused["refused"]["rule"])
}

/// Expects an exit code and words on standard error.
#[track_caller]
pub fn fails(ran: &Ran, code: i32, words: &str) {
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(words), "`{words}` is not in: {told}");
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

/// The two hashes of a device.
pub fn hashes(device: &Outside) -> (Value, Value) {
    let status = device.ok(&["status"]);
    (status["heads_hash"].clone(), status["state_hash"].clone())
}
