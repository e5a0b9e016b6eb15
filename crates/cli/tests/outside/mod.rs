//! Medround driven from outside: real programs, real networks of our own, real kills.
//!
//! Each test binary that needs this includes the folder as a module; not every one uses all of it.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

pub mod device;
pub mod draws;
pub mod lan;
pub mod trace;

use std::process::Command;

/// Returns why a test cannot run here, with how to get what is missing; `None` when it can.
pub fn missing(programs: &[(&str, &str)]) -> Option<String> {
    programs.iter().find_map(|(program, package)| {
        let there = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        let found = there.is_ok_and(|o| o.status.success());
        (!found).then(|| format!("`{program}` is missing: install Debian's package {package}"))
    })
}

/// Returns why network namespaces cannot be made here; `None` when they can.
pub fn no_namespaces() -> Option<String> {
    if let Some(why) = missing(&[("ip", "iproute2"), ("nft", "nftables")]) {
        return Some(why);
    }
    let name = format!("mr-probe-{}", std::process::id());
    let made = Command::new("ip").args(["netns", "add", &name]).output();
    if !made.is_ok_and(|o| o.status.success()) {
        return Some("network namespaces cannot be made: run as root".to_owned());
    }
    let ruled = Command::new("ip")
        .args(["netns", "exec", &name, "nft", "add", "table", "inet", "probe"])
        .output();
    drop(Command::new("ip").args(["netns", "del", &name]).output());
    if ruled.is_ok_and(|o| o.status.success()) {
        None
    } else {
        Some("nft cannot set rules in a namespace: run as root with nf_tables".to_owned())
    }
}
