//! A day of two devices on a real network of our own, driven from outside.
//!
//! Two network namespaces hang on one bridge with a default route to nowhere. The cable is cut at
//! the bridge. Counters in each namespace show that nothing leaves the network.

mod outside;

use libtest_mimic::{Arguments, Failed, Trial};
use outside::device::{Outside, Serving, around_now, due_in, regular, text, until, when_required};
use outside::lan::{Lan, sent};
use outside::trace::Held;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn main() {
    let arguments = Arguments::from_args();
    let why = outside::no_namespaces();
    let held = why.clone().or_else(outside::trace::not_allowed);
    let mut trials = Vec::new();
    let mut add = |name: &str, why: Option<String>, test: fn() -> Result<(), Failed>| {
        if let Some(why) = &why {
            eprintln!("{name}: ignored: {why}");
        }
        trials.push(Trial::test(name, test).with_ignored_flag(why.is_some()));
    };
    add("a_day_on_two_devices_that_find_each_other", why.clone(), day_by_mdns);
    add("a_device_joins_by_address_where_discovery_is_off", why.clone(), join_by_address);
    add(
        "the_writer_never_shows_two_while_the_peer_has_not_synced_its_disk",
        held,
        no_early_receipt,
    );
    add("no_packet_leaves_the_network", why, no_packet_leaves);
    // One network at a time: the timings are of people, not of a crowded machine.
    let arguments = Arguments { test_threads: Some(1), ..arguments };
    libtest_mimic::run(&arguments, trials).exit();
}

/// Two devices of one home on one network.
struct Pair {
    lan: Lan,
    office: Outside,
    trolley: Outside,
    names: (String, String),
}

impl Pair {
    /// Founds the home on the first device. Nothing runs yet.
    fn new() -> Self {
        let mut lan = Lan::new();
        let names = (lan.plug_in(), lan.plug_in());
        let office = Outside::in_namespace(&names.0);
        let trolley = Outside::in_namespace(&names.1);
        office.found();
        trolley.pins();
        Self { lan, office, trolley, names }
    }

    /// Pairs the second device by code; `by_address` with discovery off on both.
    fn join(&self, by_address: bool) {
        let who = self.office.manager();
        let mut invite = vec!["invite", "--json"];
        invite.extend(who.iter().map(String::as_str));
        if by_address {
            invite.extend(["--discovery", "off"]);
        }
        let inviting = Serving::start(self.office.command(&invite));
        let first = inviting.next(Duration::from_secs(20)).expect("the code is shown at once");
        let code = text(&first["code"]);
        let address = text(&first["addresses"][0]);
        let mut join = vec!["join", &code, "--device", "Trolley"];
        if by_address {
            join.extend(["--discovery", "off", "--address", &address]);
        }
        self.trolley.ok(&join);
        let second = inviting.next(Duration::from_secs(20)).expect("the inviter says who joined");
        assert!(second["joined"].is_string(), "{second}");
        assert_eq!(inviting.ended(), 0);
    }

    fn hashes(&self) -> [(Value, Value); 2] {
        [&self.office, &self.trolley].map(|d| {
            let status = d.ok(&["status"]);
            (status["heads_hash"].clone(), status["state_hash"].clone())
        })
    }

    fn level(&self, within: Duration) -> Option<Duration> {
        until(within, || {
            let [a, b] = self.hashes();
            a == b && a.0.is_string()
        })
    }
}

fn give(device: &Outside, order: &str, extra: &[&str]) -> outside::device::Ran {
    let mut args = vec!["give-prn", order, "--amount", "2 tablet", "--reason", "pain in the knee"];
    args.extend(extra);
    device.run_as(&device.nurse(), &args)
}

/// A GP's record is taken in and confirmed in the office and checked on the trolley; returns the
/// resident.
fn taken_in(pair: &Pair) -> Result<String, Failed> {
    let record =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/fhir/gp-connect-zoe.json");
    pair.office.ok_as(&pair.office.nurse(), &["import", record], "");
    let orders = pair.office.ok(&["order", "list"]);
    let imported = orders.as_array().expect("a list").iter().find(|o| {
        o["medicine"]["name"].as_str().is_some_and(|name| name.starts_with("Amlodipine"))
    });
    let imported = imported.ok_or("the import brought no amlodipine")?;
    let order = text(&imported["order"]);
    let confirm = ["order", "confirm", &order, "--cd-category", "0000", "--same-meaning"];
    pair.office.ok_as(&pair.office.nurse(), &confirm, "");
    pair.level(Duration::from_secs(5)).ok_or("not level after the import")?;
    let own = pair.trolley.run_as(&pair.trolley.nurse(), &["order", "check", &order]);
    assert_eq!(own.code, 3, "nobody checks their own order, on no device: {}", own.stdout);
    pair.trolley.ok_as(&pair.trolley.senior(), &["order", "check", &order], "");
    pair.level(Duration::from_secs(5)).ok_or("not level after the check")?;
    let shown = pair.office.ok(&["order", "show", &order]);
    assert_eq!(shown["state"], json!("active"));
    Ok(text(&imported["resident"]))
}

/// Records half of what is due now on each device; what is not due yet nobody can have offered.
fn half_each(pair: &Pair, resident: &str, checked: Option<&str>) -> usize {
    let (from, to) = around_now(&pair.office);
    let due = pair.office.ok(&["due", "--resident", resident, "--from", &from, "--to", &to]);
    let due = due.as_array().expect("a list");
    let in_state = |state: &str| -> Vec<String> {
        due.iter().filter(|d| d["state"] == state).map(|d| text(&d["slot"])).collect()
    };
    let record = |device: &Outside, slot: &str| {
        let mut args =
            vec!["record", slot, "--outcome", "refused", "--reason", "not now, thank you"];
        if let Some(words) = checked {
            args.extend(["--checked", words]);
        }
        device.run_as(&device.nurse(), &args)
    };
    let open = in_state("due");
    for (number, slot) in open.iter().enumerate() {
        let device = if number % 2 == 0 { &pair.office } else { &pair.trolley };
        let ran = record(device, slot);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
    for slot in in_state("not-due").iter().take(1) {
        let ran = record(&pair.office, slot);
        assert_eq!(ran.code, 3, "nobody has offered it: {}{}", ran.stdout, ran.stderr);
    }
    open.len()
}

fn day_by_mdns() -> Result<(), Failed> {
    let pair = Pair::new();
    let serving = pair.office.serve(&[]);
    pair.join(false);
    let second = pair.trolley.serve(&[]);
    let resident = pair.office.resident("Shaw", "Gladys");
    let tablets = pair.office.order(&when_required(&resident));
    pair.office.order(&regular(&resident, &["02:00", "08:00", "14:00", "20:00"]));
    for (minutes, name) in [(3, "Testamed A"), (8, "Testamed B"), (13, "Testamed C")] {
        pair.office.order(&due_in(&resident, minutes, name));
    }
    let took =
        pair.level(Duration::from_secs(10)).ok_or("the two devices are not level after 10 s")?;
    eprintln!("level after pairing and orders: {took:?}");
    let zoe = taken_in(&pair)?;
    let recorded = half_each(&pair, &resident, None);
    assert!(recorded >= 3, "{recorded} doses were due now");
    pair.level(Duration::from_secs(5)).ok_or("not level after the round")?;

    pair.lan.cut(&pair.names.1);
    let unheard = until(Duration::from_secs(15), || {
        !pair.office.ok(&["status"])["unheard"].as_array().is_none_or(Vec::is_empty)
    });
    eprintln!("the cut is noticed after {:?}", unheard.ok_or("the cut is never noticed")?);
    let refused = give(&pair.office, &tablets, &[]);
    assert_eq!(refused.code, 3, "without --checked: {}{}", refused.stdout, refused.stderr);
    assert!(format!("{}{}", refused.stdout, refused.stderr).contains("unheard"));
    for device in [&pair.office, &pair.trolley] {
        let given = give(device, &tablets, &["--checked", "asked Sam in the lounge"]);
        assert_eq!(given.code, 0, "{}{}", given.stdout, given.stderr);
    }
    let again = give(&pair.office, &tablets, &["--checked", "asked Sam"]);
    assert_eq!(again.code, 3, "inside its own interval: {}{}", again.stdout, again.stderr);

    pair.lan.heal(&pair.names.1);
    let healed = Instant::now();
    pair.level(Duration::from_secs(20)).ok_or("not level 20 s after the heal")?;
    let took = healed.elapsed();
    eprintln!("level {took:?} after the heal");
    assert!(took <= Duration::from_secs(3), "level only {took:?} after the heal (3 s asked)");
    for device in [&pair.office, &pair.trolley] {
        let conflicts = device.ok(&["conflicts"]);
        let causes: Vec<_> =
            conflicts.as_array().expect("a list").iter().map(|c| &c["cause"]).collect();
        assert!(causes.contains(&&json!("interval-breach")), "{conflicts}");
        let verified = device.ok(&["verify"]);
        assert_eq!(verified["ok"], json!(true), "{verified}");
    }
    for who in [&resident, &zoe] {
        let out = pair.trolley.file("mar.pdf").to_string_lossy().into_owned();
        pair.trolley.ok(&["print", "mar", "--resident", who, "--out", &out]);
        assert!(std::fs::read(&out)?.starts_with(b"%PDF"), "the MAR comes out on the trolley");
    }
    for name in [&pair.names.0, &pair.names.1] {
        let sent = sent(name);
        assert_eq!((sent.outside, sent.names), (0, 0), "{sent:?}");
        assert!(sent.inside > 0, "the counters count");
    }
    serving.stop();
    second.stop();
    Ok(())
}

fn join_by_address() -> Result<(), Failed> {
    let pair = Pair::new();
    let serving = pair.office.serve(&["--discovery", "off"]);
    pair.join(true);
    let second = pair.trolley.serve(&["--discovery", "off"]);
    pair.office.resident("Shaw", "Gladys");
    let took = pair.level(Duration::from_secs(10)).ok_or("the two devices are not level")?;
    eprintln!("level by address alone: {took:?}");
    serving.stop();
    second.stop();
    Ok(())
}

/// With the peer stopped between receive and fsync the writer never shows 2.
fn no_early_receipt() -> Result<(), Failed> {
    let pair = Pair::new();
    let _serving = pair.office.serve(&[]);
    pair.join(false);
    let second = pair.trolley.serve(&[]);
    let resident = pair.office.resident("Shaw", "Gladys");
    let tablets = pair.office.order(&when_required(&resident));
    pair.level(Duration::from_secs(10)).ok_or("the two devices are not level")?;
    let who = pair.office.nurse();
    let mut args = vec![
        "give-prn", &tablets, "--amount", "2 tablet", "--reason", "pain", "--wait", "3", "--json",
    ];
    args.extend(who.iter().map(String::as_str));
    let mut command = pair.office.command(&args);
    let (sender, answer) = std::sync::mpsc::channel();
    let held = Held::before_sync(second.pid(), &pair.trolley.data(), move || {
        let out = command.output().expect("the dose is recorded");
        drop(sender.send(out));
    })?;
    // The peer stands still before its sync: the writer waits its three seconds and tells the truth.
    let out =
        answer.recv_timeout(Duration::from_secs(15)).map_err(|_| "the writer did not answer")?;
    let told: Value = serde_json::from_slice(&out.stdout)?;
    held.let_go();
    assert_eq!(told["saved_on"], json!(1), "{told}");
    pair.level(Duration::from_secs(20)).ok_or("not level after the peer went on")?;
    Ok(())
}

/// One minute (`MEDROUND_WATCH_SECONDS` for longer) with doses, a join and a cut.
fn no_packet_leaves() -> Result<(), Failed> {
    let seconds = std::env::var("MEDROUND_WATCH_SECONDS").ok().and_then(|s| s.parse().ok());
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(60));
    let pair = Pair::new();
    let _serving = pair.office.serve(&[]);
    pair.join(false);
    let _second = pair.trolley.serve(&[]);
    let resident = pair.office.resident("Shaw", "Gladys");
    let mut order = when_required(&resident);
    order["schedule"]["min_interval_minutes"] = json!({"not_stated": "asked the surgery"});
    order["schedule"]["max_24h"] = json!({"not_stated": "asked the surgery"});
    order["medicine"] = json!({"name": "Carbomer eye drops", "form": "drops", "strength": "0.2%",
        "ingredients": [], "cd_category": "0000"});
    order["dose"] = json!({"value": "1", "unit": "drop"});
    let drops = pair.office.order(&order);
    pair.level(Duration::from_secs(10)).ok_or("the two devices are not level")?;
    let (mut doses, mut cut) = (0, false);
    while Instant::now() < until || doses < 200 {
        let device = if doses % 2 == 0 { &pair.office } else { &pair.trolley };
        let args =
            ["give-prn", &drops, "--amount", "1 drop", "--reason", "dry", "--checked", "Sam"];
        let ran = device.run_as(&device.nurse(), &args);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        doses += 1;
        if doses == 60 {
            pair.lan.cut(&pair.names.1);
            cut = true;
        }
        if doses == 120 && cut {
            pair.lan.heal(&pair.names.1);
        }
    }
    pair.level(Duration::from_secs(20)).ok_or("not level at the end")?;
    for name in [&pair.names.0, &pair.names.1] {
        let sent = sent(name);
        eprintln!("{name}: {sent:?} after {doses} doses");
        assert_eq!((sent.outside, sent.names), (0, 0), "{sent:?}");
        assert!(sent.inside > 0, "the counters count");
    }
    Ok(())
}
