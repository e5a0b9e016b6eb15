//! What is wrong, missing or unreadable, each with its exit code and a sentence.

use super::{fails, hashes, home, hourly};
use crate::outside::device::Outside;
use libtest_mimic::Failed;
use serde_json::json;
use std::io::Read;
use std::process::Stdio;

const NO_ID: &str = "00000000000000000000000000";

pub fn unknown() -> Result<(), Failed> {
    let (device, _) = home();
    let slot = format!("{NO_ID}.2026-11-21.0800");
    for args in [
        vec!["resident", "show", NO_ID],
        vec!["resident", "show", "Gladys"],
        vec!["resident", "status", NO_ID, "hospital"],
        vec!["order", "show", NO_ID],
        vec!["order", "list", "--resident", NO_ID],
        vec!["order", "check", NO_ID],
        vec!["order", "stop", NO_ID, "--authorised-by", "Dr Patel", "--reason", "rash"],
        vec!["due", "--resident", NO_ID],
        vec!["record", &slot, "--outcome", "given"],
        vec!["record", "not-a-slot", "--outcome", "given"],
        vec!["give-prn", NO_ID, "--amount", "1", "--reason", "pain"],
        vec!["prn", NO_ID],
        vec!["effect", NO_ID, "--effect", "good"],
        vec!["correct", NO_ID, "--reason", "wrong", "--never-happened"],
        vec!["chart", NO_ID],
        vec!["print", "mar", "--resident", NO_ID, "--out", "x.pdf"],
        vec!["print", "round", "--round", "supper", "--out", "x.pdf"],
        vec!["staff", "suspend", "ZZ", "--reason", "gone"],
        vec!["staff", "list", "--as", "ZZ"],
        vec!["revoke", "Lounge tablet", "--reason", "lost"],
    ] {
        let ran = if args.contains(&"--as") {
            device.run(&args)
        } else {
            device.run_as(&device.manager(), &args)
        };
        assert_eq!(ran.code, 6, "{args:?}: {}{}", ran.stdout, ran.stderr);
        let told = ran.stderr.contains("there is no") || ran.stderr.contains("is not a slot");
        assert!(told || ran.stderr.contains("has no round"), "{args:?}: {}", ran.stderr);
    }
    Ok(())
}

pub fn unreadable() -> Result<(), Failed> {
    let (device, resident) = home();
    let before = hashes(&device);
    let mut odd = hourly(&resident);
    odd["frequency"] = json!("daily");
    let mut bad_dose = hourly(&resident);
    bad_dose["dose"] = json!({"value": 1, "unit": "capsule"});
    let mut bad_time = hourly(&resident);
    bad_time["schedule"] = json!({"kind": "times", "times": ["8am"]});
    for (name, text, words) in [
        ("broken.json", "{\"resident\": ".to_owned(), "line 1"),
        ("list.json", "[]".to_owned(), "one group of fields was expected"),
        ("odd.json", odd.to_string(), "there is no field `frequency`"),
        ("dose.json", bad_dose.to_string(), "dose"),
        ("time.json", bad_time.to_string(), "schedule.times[0]"),
    ] {
        let file = device.write(name, &text);
        let ran = device.run_as(&device.nurse(), &["order", "add", "--from", &file]);
        fails(&ran, 4, words);
        assert!(ran.stderr.contains(name), "the file is named: {}", ran.stderr);
    }
    let gone = device.run_as(&device.nurse(), &["order", "add", "--from", "nowhere.json"]);
    fails(&gone, 4, "nowhere.json");
    let pin = device.run(&["resident", "list", "--as", "NB", "--pin-file", "nowhere.pin"]);
    fails(&pin, 4, "nowhere.pin");
    let mut later = hourly(&resident);
    later["schedule"] = json!({"kind": "monthly", "day": 31, "times": ["08:00"]});
    let file = device.write("later.json", &later.to_string());
    let refused = device.run_as(&device.nurse(), &["order", "add", "--from", &file]);
    assert_eq!(super::rule(&refused), "S-02");
    assert_eq!(hashes(&device), before, "nothing of it was written");
    Ok(())
}

pub fn wrong_commands() -> Result<(), Failed> {
    let (device, resident) = home();
    let nurse = device.nurse();
    for args in [
        vec!["frobnicate"],
        vec!["record"],
        vec!["due", "--from", "soon"],
        vec!["due", "--from", "2026-11-22", "--to", "2026-11-21"],
        vec!["chart", &resident, "--from", "21/11/2026"],
        vec!["resident", "status", &resident, "asleep"],
        vec!["print", "mar", "--out", "x.pdf"],
        vec!["home", "set", "--round", "morning"],
        vec!["invite", "--role", "boss"],
        vec!["serve", "--listen", "everywhere"],
    ] {
        let ran = device.run_as(&nurse, &args);
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(!ran.stderr.is_empty() && !ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    Ok(())
}

pub fn not_listed() -> Result<(), Failed> {
    let device = Outside::new();
    let help = device.run(&["--help"]);
    assert_eq!(help.code, 0);
    let listed: Vec<&str> = help
        .stdout
        .lines()
        .skip_while(|l| !l.starts_with("Commands:"))
        .filter_map(|l| l.strip_prefix("  "))
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    for later in
        ["register", "stock", "pack", "paper", "export", "audit", "backup", "restore", "medicine"]
    {
        assert!(!listed.contains(&later), "{later} is listed");
    }
    for now in [
        "setup",
        "demo",
        "serve",
        "invite",
        "join",
        "devices",
        "revoke",
        "status",
        "verify",
        "home",
        "staff",
        "resident",
        "order",
        "import",
        "directions",
        "due",
        "round",
        "record",
        "give-prn",
        "prn",
        "effect",
        "correct",
        "chart",
        "alerts",
        "conflicts",
        "follow-up",
        "print",
    ] {
        assert!(listed.contains(&now), "{now} is not listed: {listed:?}");
        let help = device.run(&[now, "--help"]);
        assert_eq!(help.code, 0, "{now}: {}", help.stderr);
    }
    Ok(())
}

pub fn closed_output() -> Result<(), Failed> {
    let device = Outside::new();
    let lines = device.write("lines.txt", &"One To Be Taken Each Morning\n".repeat(20_000));
    let mut child = device
        .command(&["directions", "read"])
        .stdin(std::fs::File::open(lines)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut out = child.stdout.take().ok_or("piped")?;
    let mut first = [0; 64];
    out.read_exact(&mut first)?;
    drop(out);
    let ended = child.wait_with_output()?;
    let words = String::from_utf8_lossy(&ended.stderr);
    assert!(!words.contains("panicked"), "{words}");
    assert_ne!(ended.status.code(), Some(101));
    Ok(())
}
