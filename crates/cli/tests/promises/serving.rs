//! Beside a running `serve`, and the practice home.

use super::{fails, hashes, home, hourly, slots};
use crate::outside::device::{Outside, Serving, text};
use libtest_mimic::Failed;
use serde_json::json;
use std::time::Duration;

pub fn beside() -> Result<(), Failed> {
    let (device, resident) = home();
    device.order(&hourly(&resident));
    let alone = hashes(&device);
    let listen = ["serve", "--json", "--listen", "127.0.0.1:0", "--discovery", "off"];
    let serving = Serving::start(device.command(&listen));
    let started = serving.wait_for("started", Duration::from_secs(20));
    no_invite_there(&text(&started["addresses"][0]));
    let status = device.ok(&["status"]);
    assert_eq!(status["name"], json!("Willow House"));
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    let wrong = device.write("wrong.pin", "918273");
    let ran =
        device.run(&["record", &slot, "--outcome", "given", "--as", "NB", "--pin-file", &wrong]);
    fails(&ran, 7, "the PIN is wrong");
    let given = device.ok_as(&device.nurse(), &["record", &slot, "--outcome", "given"], "");
    assert_eq!(given["saved_on"], json!(1));
    let again = device.run_as(&device.nurse(), &["record", &slot, "--outcome", "given"]);
    assert_eq!(super::rule(&again), "D-06");
    let mar = device.file("beside.pdf");
    device.ok(&["print", "mar", "--resident", &resident, "--out", &mar.to_string_lossy()]);
    assert!(std::fs::read(&mar)?.starts_with(b"%PDF"), "the caller writes the file");
    // A page of ours is printed anew under its name; what somebody else wrote is never touched.
    device.ok(&["print", "mar", "--resident", &resident, "--out", &mar.to_string_lossy()]);
    let letters = device.write("letters.pdf", "%PDF-1.7 of somebody else");
    for theirs in [letters.as_str(), "/dev/null"] {
        let ran = device.run(&["print", "mar", "--resident", &resident, "--out", theirs]);
        fails(&ran, 2, "is there already");
    }
    assert_eq!(std::fs::read_to_string(&letters)?, "%PDF-1.7 of somebody else");
    fails(&device.run(&["resident", "show", "nobody"]), 6, "there is no resident");
    let pin = device.file("manager.pin").to_string_lossy().into_owned();
    let second = device.run(&[
        "setup",
        "--home",
        "Other",
        "--device",
        "Other",
        "--manager",
        "Other",
        "--initials",
        "OT",
        "--pin-file",
        &pin,
    ]);
    assert_ne!(second.code, 0, "{}", second.stdout);
    let during = hashes(&device);
    serving.stop();
    assert_ne!(during, alone);
    assert_eq!(device.ok(&["verify"])["ok"], json!(true));
    assert_eq!(slots(&device, &resident)[0]["state"], json!("recorded"));
    Ok(())
}

/// The joiner was told of a practice home. Cause: a device without an invite answers neither of the
/// two protocols of pairing. Fix: that is said, and what to do.
fn no_invite_there(address: &str) {
    let joiner = Outside::new();
    let code = "0000-0000-0000";
    let join = ["join", code, "--device", "Trolley", "--address", address, "--discovery", "off"];
    fails(&joiner.run(&join), 8, "no invite is open");
}

pub fn demo() -> Result<(), Failed> {
    let device = Outside::new();
    let told = device.ok(&["demo", "--days", "1"]);
    assert_eq!((&told["same_entries"], &told["same_home"]), (&json!(true), &json!(true)));
    assert_eq!(told["residents"], json!(12));
    assert!(told["conflicts"].to_string().contains("interval-breach"), "{told}");
    assert!(told["doses"].as_u64().is_some_and(|n| n > 60), "{told}");
    let papers = told["papers"].as_array().expect("papers");
    assert_eq!(papers.len(), 13, "twelve charts and a round");
    for paper in papers {
        assert!(std::fs::read(text(paper))?.starts_with(b"%PDF"), "{paper}");
    }
    for played in told["devices"].as_array().expect("devices") {
        let data = text(&played["data"]);
        let verified = device.ok(&["verify", "--data", &data]);
        assert_eq!(verified["ok"], json!(true), "{verified}");
        let status = device.ok(&["status", "--data", &data]);
        assert_eq!(status["practice"], json!(true));
        let conflicts = device.ok(&["conflicts", "--data", &data]);
        assert_eq!(conflicts[0]["cause"], json!("interval-breach"), "{conflicts}");
    }
    let nurse = device.write("demo.pin", &text(&told["staff"][1]["pin"]));
    let data = text(&told["devices"][0]["data"]);
    device.ok(&["resident", "list", "--data", &data, "--as", "NB", "--pin-file", &nurse]);
    let senior = device.write("demo-senior.pin", &text(&told["staff"][2]["pin"]));
    super::doses::answered_for(&device, &data, [&nurse, &senior]);
    super::doses::really_given(&device, &data, [&nurse, &senior]);
    fails(&device.run(&["demo"]), 2, "is not an empty folder");
    Ok(())
}
