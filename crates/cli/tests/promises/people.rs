//! PINs, roles, suspension.

use super::{fails, home, hourly, rule};
use crate::outside::device::Outside;
use libtest_mimic::Failed;
use serde_json::json;

pub fn wrong_pin() -> Result<(), Failed> {
    let (device, _) = home();
    let wrong = device.write("wrong.pin", "918273");
    let with = |file: &str| device.run(&["resident", "list", "--as", "NB", "--pin-file", file]);
    fails(&with(&wrong), 7, "the PIN is wrong");
    let none = device.run(&["resident", "list", "--as", "NB"]);
    fails(&none, 7, "a PIN is needed for NB");
    let mut tries = 1;
    let locked = loop {
        let ran = with(&wrong);
        tries += 1;
        assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
        if ran.stderr.contains("too many wrong PINs") {
            break ran;
        }
        assert!(tries < 20, "nobody is ever locked out");
    };
    assert!(locked.stderr.contains("wait") || locked.stderr.contains("manager"));
    // The right PIN does not help now, and the count survives the end of the program.
    let right = device.file("NB.pin").to_string_lossy().into_owned();
    fails(&with(&right), 7, "too many wrong PINs");
    // Nobody else is kept out.
    device.ok_as(&device.senior(), &["resident", "list"], "");
    Ok(())
}

pub fn letters() -> Result<(), Failed> {
    let (device, _) = home();
    let set = |letter: &str| device.run_as(&device.manager(), &["home", "set", "--letter", letter]);
    let taken = set("refused=NB");
    assert_eq!(rule(&taken), "W-23");
    assert!(taken.stdout.contains("Nia Bowen"), "{}", taken.stdout);
    assert_eq!(set("refused=A").code, 0);
    Ok(())
}

pub fn suspended() -> Result<(), Failed> {
    let (device, resident) = home();
    let order = hourly(&resident).to_string();
    device.ok_as(&device.manager(), &["staff", "suspend", "NB", "--reason", "under review"], "");
    let id = device.ok(&["staff", "list"]);
    let nurse = id.as_array().and_then(|l| l.iter().find(|s| s["initials"] == "NB")).cloned();
    let nurse = nurse.expect("the nurse is listed");
    assert_eq!(nurse["standing"], "suspended");
    let by_initials = device.run_as(&device.nurse(), &["order", "list"]);
    assert_eq!(by_initials.code, 6, "{}", by_initials.stderr);
    let pin = device.file("NB.pin").to_string_lossy().into_owned();
    let ids = [
        "--as".into(),
        nurse["id"].as_str().unwrap_or_default().to_owned(),
        "--pin-file".into(),
        pin,
    ];
    let file = device.write("order.json", &order);
    let refused = device.run_as(&ids, &["order", "add", "--from", &file]);
    assert_eq!(rule(&refused), "W-07");
    device.ok_as(&device.manager(), &["staff", "reinstate", "NB"], "");
    device.ok_as(&device.nurse(), &["order", "add", "--from", &file], "");
    Ok(())
}

pub fn roles() -> Result<(), Failed> {
    let (device, resident) = home();
    let pin = device.write("CA.pin", "640291");
    device.ok_as(
        &device.manager(),
        &[
            "staff",
            "add",
            "--name",
            "Cy Amos",
            "--initials",
            "CA",
            "--role",
            "carer",
            "--new-pin-file",
            &pin,
        ],
        "",
    );
    let carer = ["--as".into(), "CA".into(), "--pin-file".into(), pin.clone()];
    let file = device.write("order.json", &hourly(&resident).to_string());
    assert_eq!(rule(&device.run_as(&carer, &["order", "add", "--from", &file])), "U-01");
    let twice = [
        "staff",
        "add",
        "--name",
        "Cy Two",
        "--initials",
        "ca",
        "--role",
        "carer",
        "--new-pin-file",
        &pin,
    ];
    assert_eq!(rule(&device.run_as(&device.manager(), &twice)), "W-23");
    let code = [
        "staff",
        "add",
        "--name",
        "Hal",
        "--initials",
        "HA",
        "--role",
        "carer",
        "--new-pin-file",
        &pin,
    ];
    assert_eq!(rule(&device.run_as(&device.manager(), &code)), "W-23");
    let role = [
        "staff",
        "add",
        "--name",
        "X",
        "--initials",
        "XX",
        "--role",
        "boss",
        "--new-pin-file",
        &pin,
    ];
    fails(&device.run_as(&device.manager(), &role), 2, "`boss` is no role");
    Ok(())
}

/// A name with an escape character or a line break was taken and shown as it was. Cause: nothing
/// looked at it. Fix: it is refused where it comes in, and every answer is made safe to show.
pub fn names_that_steer_the_screen() -> Result<(), Failed> {
    let device = Outside::new();
    let pin = device.write("new.pin", "428613");
    let set_up = |home: &str, office: &str| {
        device.run(&[
            "setup",
            "--home",
            home,
            "--device",
            office,
            "--manager",
            "Ann Bell",
            "--initials",
            "AB",
            "--pin-file",
            &pin,
        ])
    };
    for (home, office, words) in [
        ("Quay\nHouse", "Office", "line break in the name for the home, after “Quay”"),
        ("Quay House", "Off\u{1b}[2Jice", "name for the device, after “Off” (U+001B)"),
    ] {
        let ran = set_up(home, office);
        assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    }
    device.found();
    let manager = device.manager();
    let long = "x".repeat(100_000);
    for name in ["Zo\u{202e}ë", &long] {
        let add = ["staff", "add", "--name", name, "--initials", "ZZ", "--role", "carer"];
        let new_pin = ["--new-pin-file", &pin];
        let ran = device.run_as(&manager, &[&add[..], &new_pin[..]].concat());
        assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("the name"), "{}", ran.stdout);
    }
    let odd = device.write("odd.json", &json!({ "family": "Shaw\nALERT none" }).to_string());
    let ran = device.run_as(&device.nurse(), &["resident", "add", "--from", &odd]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let file = device.run_as(&device.nurse(), &["import", "\u{1b}[2Jnowhere.json"]);
    assert_eq!(file.code, 4);
    assert!(!format!("{}{}", file.stdout, file.stderr).contains('\u{1b}'), "{:?}", file.stderr);
    for name in ["Zoë", "محمد", "Łukasz O'Brien"] {
        device.resident(name, "Siân");
    }
    Ok(())
}
