//! A clock that is wrong, with the real program on a machine whose clock is faked. Whatever is read
//! says so first, nothing is recorded by it, and there is a way on (T-07, T-08, W-08).

mod outside;

use libtest_mimic::{Arguments, Failed, Trial};
use outside::device::{Outside, Ran, Serving, text, until, when_required};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

fn main() {
    let arguments = Arguments::from_args();
    let why = outside::missing(&[("faketime", "faketime")]);
    let mut trials = Vec::new();
    let mut add = |name: &str, test: fn() -> Result<(), Failed>| {
        if let Some(why) = &why {
            eprintln!("{name}: ignored: {why}");
        }
        trials.push(Trial::test(name, test).with_ignored_flag(why.is_some()));
    };
    add("a_wrong_clock_is_said_first_on_every_read_and_records_nothing", wrong_clocks);
    add("a_clock_set_forward_is_said_and_no_interval_is_called_safe", set_forward);
    add("a_nurse_types_what_her_watch_shows_and_records_by_it", typed);
    add("two_devices_whose_clocks_differ_both_ask_for_a_watch", two_clocks);
    libtest_mimic::run(&arguments, trials).exit();
}

/// The program on a machine whose clock is off by this much. It runs by itself and not below
/// `faketime`, which is asked for what it would set, so that it can be stopped.
fn off_by(device: &Outside, offset: &str, args: &[&str]) -> Command {
    let asked = Command::new("faketime").args(["-f", offset, "printenv", "LD_PRELOAD"]).output();
    let preload = String::from_utf8(asked.expect("faketime runs").stdout).expect("a path");
    let mut faked = device.command(args);
    faked.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME", offset);
    faked.env("LD_PRELOAD", preload.trim());
    faked
}

fn run_off(device: &Outside, offset: &str, args: &[&str]) -> Ran {
    let out = off_by(device, offset, args).output().expect("faketime runs");
    Ran {
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

fn as_nurse(device: &Outside, args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).chain(device.nurse()).collect()
}

fn give(order: &str) -> [&str; 6] {
    ["give-prn", order, "--amount", "2 tablet", "--reason", "pain"]
}

/// A home with one when-required order. Returns the resident and the order.
fn ward(device: &Outside) -> (String, String) {
    device.found();
    let resident = device.resident("Shaw", "Gladys");
    let order = device.order(&when_required(&resident));
    (resident, order)
}

fn wrong_clocks() -> Result<(), Failed> {
    let device = Outside::new();
    let (resident, order) = ward(&device);
    let paper = device.file("round.pdf").to_string_lossy().into_owned();
    let mar = device.file("mar.pdf").to_string_lossy().into_owned();
    // What asks about today has no answer where nobody knows which day it is.
    let of_today: [&[&str]; 4] = [
        &["round"],
        &["due"],
        &["print", "round", "--all", "--out", &paper],
        &["print", "mar", "--all", "--out", &mar],
    ];
    let reads: [&[&str]; 9] = [
        &["status"],
        &["devices"],
        &["alerts"],
        &["conflicts"],
        &["prn", &order],
        &["chart", &resident],
        &["order", "list"],
        &["round", "--at", "2026-11-21T08:00"],
        &["due", "--from", "2026-11-21", "--to", "2026-11-22"],
    ];
    for (offset, rule) in [("-1h", "T-08"), ("-7y", ""), ("+4y", "T-07")] {
        for args in reads.iter().chain(&of_today) {
            let ran = run_off(&device, offset, args);
            let lost = offset != "-1h" && of_today.contains(args);
            assert_eq!(ran.code, if lost { 3 } else { 0 }, "{offset} {args:?}: {}", ran.stderr);
            assert!(ran.stdout.starts_with("CLOCK: "), "{offset} {args:?}: {}", ran.stdout);
            assert!(ran.stdout.contains("medroundctl clock"), "what to do is said");
            if lost {
                assert!(ran.stderr.contains("what is due cannot be said"), "{}", ran.stderr);
                assert!(!ran.stdout.contains("Nobody has doses"), "{offset}: {}", ran.stdout);
            }
            let empty = offset != "-1h" && ran.stdout.contains("Nothing waits for anybody");
            assert!(!empty, "{offset} {args:?}: {}", ran.stdout);
        }
        let as_json = run_off(&device, offset, &["prn", &order, "--json"]).json();
        assert_eq!(as_json["clock"]["state"], json!("red"), "{as_json}");
        assert_eq!(as_json["allowed_now"], Value::Null, "nothing is called safe: {as_json}");
        let alerts = run_off(&device, offset, &["alerts", "--json"]).json();
        assert_eq!(
            (&alerts[0]["cause"], &alerts[0]["tier"]),
            (&json!("clock"), &json!("red")),
            "{alerts}"
        );
        let listed = run_off(&device, offset, &["devices", "--json"]).json();
        assert_eq!(listed[0]["clock"]["believed"], json!(false), "{listed}");
        let args = as_nurse(&device, &give(&order));
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.push("--json");
        let refused = run_off(&device, offset, &args);
        if rule.is_empty() {
            assert_eq!(refused.code, 5, "{}", refused.stderr);
            assert!(refused.stderr.contains("medroundctl clock"), "{}", refused.stderr);
            assert!(!refused.stderr.contains("CLOCK: "), "it is said once: {}", refused.stderr);
        } else {
            assert_eq!(refused.code, 3, "{offset}: {}{}", refused.stdout, refused.stderr);
            assert_eq!(refused.json()["refused"]["rule"], json!(rule));
        }
    }
    // Whatever was looked at meanwhile, the right clock is believed again.
    let status = device.ok(&["status"]);
    assert_eq!(status["clock"]["state"], json!("right"), "{status}");
    assert_eq!(device.ok(&["prn", &order])["allowed_now"], json!(true));
    device.ok_as(&device.nurse(), &give(&order), "");
    assert_eq!(device.ok(&["verify"])["ok"], json!(true));
    Ok(())
}

fn set_forward() -> Result<(), Failed> {
    let device = Outside::new();
    let (_, order) = ward(&device);
    let who = device.nurse();
    device.ok_as(&who, &give(&order), "");
    // The interval of four hours looks as if it had passed.
    for _ in 0..2 {
        let told = run_off(&device, "+5h", &["prn", &order]);
        assert!(told.stdout.starts_with("CLOCK: "), "{}", told.stdout);
        assert!(told.stdout.contains("was set forward by 5 hours"), "{}", told.stdout);
        assert!(told.stdout.contains("CANNOT BE SAID"), "{}", told.stdout);
        let as_json = run_off(&device, "+5h", &["prn", &order, "--json"]).json();
        assert_eq!(as_json["clock"]["state"], json!("red"), "{as_json}");
        assert_eq!(as_json["allowed_now"], Value::Null, "{as_json}");
    }
    let refused = run_off(&device, "+5h", &{
        let mut args: Vec<&str> = give(&order).to_vec();
        args.extend(who.iter().map(String::as_str));
        args.push("--json");
        args
    });
    assert_eq!(refused.json()["refused"]["rule"], json!("T-07"), "{}", refused.stdout);
    assert_eq!(device.ok(&["prn", &order])["allowed_now"], json!(false));
    Ok(())
}

/// A watch that is a little fast, so that it is never before the last second of this computer.
fn watch() -> Result<String, Failed> {
    let ahead = ["-u", "-d", "+1 minute", "+%Y-%m-%dT%H:%M:00Z"];
    let date = Command::new("date").args(ahead).output();
    Ok(String::from_utf8(date?.stdout)?.trim().to_owned())
}

fn typed() -> Result<(), Failed> {
    let device = Outside::new();
    let (_, order) = ward(&device);
    let run = |args: &[&str]| {
        let args = as_nurse(&device, args);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run_off(&device, "+4y", &args)
    };
    assert_eq!(run(&give(&order)).code, 3);
    let watch = watch()?;
    let time_alone = run(&["clock", "08:03"]);
    assert_eq!(time_alone.code, 2, "the date is wrong as well: {}", time_alone.stderr);
    let nobody = run_off(&device, "+4y", &["clock", &watch]);
    assert_eq!(nobody.code, 3, "somebody says it: {}", nobody.stderr);
    let typed = run(&["clock", &watch]);
    assert_eq!(typed.code, 0, "{}", typed.stderr);
    assert!(typed.stdout.contains("NB typed the time"), "{}", typed.stdout);
    // Fault: nothing was left of it, and the dose that follows rests on it.
    let alerts = run_off(&device, "+4y", &["alerts", "--json"]).json();
    let told = alerts.as_array().into_iter().flatten().find(|a| a["cause"] == "time-typed");
    let told = told.ok_or("the manager is told")?;
    assert_eq!((&told["owner"], &told["tier"]), (&json!("manager"), &json!("amber")));
    assert!(text(&told["about"]["typed"]).starts_with(&watch[..16]), "{told}");
    let words = text(&told["words"]);
    assert!(words.contains("NB typed the time on Office"), "{words}");
    assert!(words.contains("rest on what NB typed"), "{words}");
    let given = run(&give(&order));
    assert_eq!(given.code, 0, "{}{}", given.stdout, given.stderr);
    assert!(!given.stdout.contains("CLOCK"), "{}", given.stdout);
    let last = run(&["prn", &order, "--json"]).json()["last"]["at"].clone();
    assert_eq!(text(&last)[..10], watch[..10], "the dose stands on the day of the watch");
    assert_eq!(run(&["alerts"]).code, 0);
    // On the machine's right clock nothing is in doubt.
    assert_eq!(device.ok(&["status"])["clock"]["state"], json!("right"));
    // Fault: a typed time opened every interval while nothing spoke against the clock.
    let right = Outside::new();
    let (_, order) = ward(&right);
    let nurse = |args: &[&str]| {
        let args = as_nurse(&right, args);
        right.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(nurse(&give(&order)).code, 0);
    let later = Command::new("date").args(["-u", "-d", "+9 hours", "+%Y-%m-%dT%H:%M:00Z"]).output();
    let moved = nurse(&["clock", String::from_utf8(later?.stdout)?.trim()]);
    assert_eq!(moved.code, 3, "{}{}", moved.stdout, moved.stderr);
    assert!(moved.stderr.contains("nothing speaks against"), "{}", moved.stderr);
    // Nor does one that a watch has confirmed before.
    assert_eq!(nurse(&["clock", &watch]).code, 0);
    let later = Command::new("date").args(["-u", "-d", "+5 hours", "+%Y-%m-%dT%H:%M:00Z"]).output();
    let moved = nurse(&["clock", String::from_utf8(later?.stdout)?.trim()]);
    assert_eq!(moved.code, 3, "{}{}", moved.stdout, moved.stderr);
    let mut time = Command::new("date");
    time.env("TZ", "Europe/London").args(["-d", "+7 hours", "+%H:%M"]);
    let ahead = nurse(&["clock", String::from_utf8(time.output()?.stdout)?.trim()]);
    assert_eq!(ahead.code, 2, "{}{}", ahead.stdout, ahead.stderr);
    assert!(ahead.stderr.contains("type the date too"), "{}", ahead.stderr);
    assert_eq!(nurse(&give(&order)).code, 3, "the interval holds");
    Ok(())
}

/// The office's clock is right and the trolley's two hours ahead; nobody else can say.
fn two_clocks() -> Result<(), Failed> {
    let (office, trolley) = (Outside::new(), Outside::new());
    let (_, order) = ward(&office);
    let near = ["--listen", "127.0.0.1:0", "--discovery", "off"];
    let serving = office.serve(&near);
    let mut invite = vec!["invite", "--json"];
    let who = office.manager();
    invite.extend(who.iter().map(String::as_str));
    let inviting = Serving::start(office.command(&invite));
    let first = inviting.next(Duration::from_secs(20)).ok_or("no code")?;
    let (code, address) = (text(&first["code"]), text(&first["addresses"][0]));
    let mut join = vec!["join", &code, "--device", "Trolley", "--address", &address];
    join.extend(near);
    trolley.ok(&join);
    trolley.pins();
    let mut serve = vec!["serve", "--json"];
    serve.extend(near);
    // Fault: one clock that agreed was no reason against a watch, and whoever had typed the time
    // once could type any other.
    let beside = Serving::start(trolley.command(&serve));
    let agree = until(Duration::from_secs(20), || {
        office.ok(&["status"])["clock"]["vouched"] == json!(true)
    });
    assert!(agree.is_some(), "the clocks agree: {}", office.ok(&["status"]));
    let later = Command::new("date").args(["-u", "-d", "+9 hours", "+%Y-%m-%dT%H:%MZ"]).output();
    let later = String::from_utf8(later?.stdout)?;
    let moved = office.run_as(&office.nurse(), &["clock", later.trim()]);
    let why = &moved.json()["refused"];
    assert_eq!(why["rule"], json!("T-07"), "{}", moved.stdout);
    assert!(text(&why["message"]).contains("clock of Trolley agrees"), "{why}");
    drop(beside);
    let ahead = Serving::start(off_by(&trolley, "+2h", &serve));
    for (device, side, state) in [(&office, &serving, "red"), (&trolley, &ahead, "red")] {
        let told = side.wait_for("clock", Duration::from_secs(20));
        let so = until(Duration::from_secs(10), || {
            device.ok(&["status"])["clock"]["state"] == json!(state)
        });
        assert!(so.is_some(), "{state}: {told}");
        assert_eq!(device.ok(&["status"])["clock"]["believed"], json!(false), "a look at a watch");
    }
    // Of two nobody is the outlier: neither records, and what else is written says so as well.
    for device in [&office, &trolley] {
        let refused = device.run_as(&device.nurse(), &give(&order));
        assert_eq!(refused.json()["refused"]["rule"], json!("T-07"), "{}", refused.stdout);
        assert!(!refused.stderr.contains("CLOCK"), "it is said once: {}", refused.stderr);
    }
    let set = office.run_as(&who, &["home", "set", "--round", "late=22:00-23:30"]);
    assert_eq!(set.code, 0, "{}", set.stderr);
    assert!(set.stderr.contains("CLOCK: "), "{}", set.stderr);
    // The watch says that the office is right, and nobody need look again.
    let watch = watch()?;
    let typed = office.ok_as(&office.nurse(), &["clock", &watch], "");
    assert_eq!((&typed["state"], &typed["believed"]), (&json!("amber"), &json!(true)), "{typed}");
    assert!(text(&typed["message"]).contains("clock of Trolley"), "{typed}");
    office.ok_as(&office.nurse(), &give(&order), "");
    assert_eq!(trolley.run_as(&trolley.nurse(), &give(&order)).code, 3);
    ahead.stop();
    // Beside no serve the trolley still knows, and says when, how the clocks compared.
    let listed = run_off(&trolley, "+2h", &["devices", "--json"]).json();
    let office_there = listed.as_array().into_iter().flatten().find(|d| d["name"] == "Office");
    let ahead_ms = office_there.and_then(|d| d["clock_offset_ms"].as_i64()).ok_or("no offset")?;
    assert!((-7_260_000..-7_140_000).contains(&ahead_ms), "{listed}");
    assert!(office_there.is_some_and(|d| d["clock_compared"].is_string()), "{listed}");
    let alone = run_off(&trolley, "+2h", &["status", "--json"]).json();
    assert_eq!(alone["clock"]["state"], json!("red"), "{alone}");
    // Its clock is corrected, and nothing stands against it any more.
    let corrected = trolley.ok(&["status"]);
    assert_eq!(corrected["clock"]["state"], json!("right"), "{corrected}");
    serving.stop();
    Ok(())
}
