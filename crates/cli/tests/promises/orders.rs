//! Orders from draft to stop.

use super::{home, hourly, instant, rule, slots};
use crate::outside::device::text;
use libtest_mimic::Failed;
use serde_json::json;

pub fn life() -> Result<(), Failed> {
    let (device, resident) = home();
    let (nurse, senior) = (device.nurse(), device.senior());
    let added =
        device.ok_as(&nurse, &["order", "add", "--from", "-"], &hourly(&resident).to_string());
    assert_eq!(added["state"], json!("awaiting-second-check"));
    let order = text(&added["order"]);
    assert!(slots(&device, &resident).is_empty(), "a draft is never due");
    assert_eq!(rule(&device.run_as(&nurse, &["order", "check", &order])), "O-02");
    let checked = device.ok_as(&senior, &["order", "check", &order], "");
    assert_eq!(checked["state"], json!("active"));
    let state = |args: &[&str]| device.ok_as(&nurse, args, "")["state"].clone();
    assert_eq!(state(&["order", "hold", &order, "--reason", "Dr Patel: low pressure"]), "held");
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    let held = device.run_as(&nurse, &["record", &slot, "--outcome", "given"]);
    assert_eq!(rule(&held), "O-11");
    assert_eq!(rule(&device.run_as(&nurse, &["order", "hold", &order, "--reason", "x"])), "O-02");
    assert_eq!(state(&["order", "resume", &order, "--reason", "Dr Patel: better"]), "active");
    let stop = ["order", "stop", &order, "--authorised-by", "Dr Patel", "--reason", "cough"];
    assert_eq!(state(&stop), "stopped");
    assert_eq!(rule(&device.run_as(&nurse, &stop)), "O-02");
    let open = device.ok(&["order", "list", "--resident", &resident]);
    assert!(open.as_array().is_some_and(Vec::is_empty), "{open}");
    let all = device.ok(&["order", "list", "--resident", &resident, "--all"]);
    assert_eq!(all[0]["stopped"]["reason"], json!("cough"));
    Ok(())
}

pub fn versions() -> Result<(), Failed> {
    let (device, resident) = home();
    let order = device.order(&hourly(&resident));
    let shown = device.ok(&["order", "show", &order]);
    for field in ["resident", "medicine", "route", "dose", "schedule", "start", "source", "label"] {
        assert!(!shown[field].is_null(), "{field}: {shown}");
    }
    let change = json!({"dose": {"value": "2", "unit": "capsule"}}).to_string();
    device.ok_as(&device.nurse(), &["order", "change", &order, "--from", "-"], &change);
    let shown = device.ok(&["order", "show", &order]);
    assert_eq!(shown["state"], json!("active"), "the version before goes on until the check");
    assert_eq!(shown["dose"]["value"], json!("1"));
    assert_eq!(shown["versions"].as_array().map(Vec::len), Some(2));
    device.ok_as(&device.senior(), &["resident", "check", &resident], "");
    let shown = device.ok(&["order", "show", &order]);
    assert_eq!(shown["dose"]["value"], json!("2"));
    let other = json!({"colour": "red"}).to_string();
    let mut args = vec!["order", "change", &order, "--from", "-", "--json"];
    let nurse = device.nurse();
    args.extend(nurse.iter().map(String::as_str));
    let ran = device.run_with(&args, &other);
    super::fails(&ran, 4, "there is no field `colour`");
    Ok(())
}

pub fn allergy() -> Result<(), Failed> {
    let (device, resident) = home();
    let mut order = hourly(&resident);
    order["medicine"] = json!({"name": "Amoxicillin 500mg capsules", "form": "capsule",
        "cd_category": "0000",
        "ingredients": [{"name": "amoxicillin", "amount": "500", "unit": "mg", "per": "capsule"}]});
    let file = device.write("order.json", &order.to_string());
    let nurse = device.nurse();
    let refused = device.run_as(&nurse, &["order", "add", "--from", &file]);
    assert_eq!(rule(&refused), "O-09");
    let decided = [
        "order",
        "add",
        "--from",
        &file,
        "--allergy-decided",
        "Dr Patel by telephone: rash in 1962 was measles",
    ];
    device.ok_as(&nurse, &decided, "");
    Ok(())
}

/// Fault: what fell due between an order's start and its second check vanished without a word.
pub fn first_dose() -> Result<(), Failed> {
    let (device, resident) = home();
    let (nurse, senior) = (device.nurse(), device.senior());
    let mut order = hourly(&resident);
    let start = instant("-3 hours");
    order["start"] = json!(start);
    order["schedule"] = json!({"kind": "every", "n": 8, "unit": "hour", "anchor": start});
    let added = device.ok_as(&nurse, &["order", "add", "--from", "-"], &order.to_string());
    assert_eq!(added["unoffered"].as_array().map(Vec::len), Some(1), "{added}");
    let order = text(&added["order"]);
    let checked = device.ok_as(&senior, &["order", "check", &order], "");
    let first = &checked["first_dose"];
    assert_eq!(first["open"], json!(true), "{checked}");
    assert!(first["minutes_to_next"].as_u64().is_some_and(|m| (295..=300).contains(&m)));
    let alerts = || device.ok(&["alerts"]).as_array().cloned().unwrap_or_default();
    let asked = |alerts: &[serde_json::Value]| alerts.iter().any(|a| a["cause"] == "first-dose");
    assert!(asked(&alerts()));
    let slot = text(&first["slot"]);
    device.ok_as(&nurse, &["record", &slot, "--outcome", "given"], "");
    assert!(!asked(&alerts()), "the first dose was given");
    Ok(())
}

/// Fault: the check told to give a dose that was on record already.
pub fn recorded_before_the_check() -> Result<(), Failed> {
    let nurse = |device: &crate::outside::device::Outside| device.nurse();
    for page in [false, true] {
        let (device, resident) = home();
        let mut order = hourly(&resident);
        let start = instant("-3 hours");
        order["start"] = json!(start);
        order["schedule"] = json!({"kind": "every", "n": 8, "unit": "hour", "anchor": start});
        let added =
            device.ok_as(&nurse(&device), &["order", "add", "--from", "-"], &order.to_string());
        let (order, slot) = (text(&added["order"]), text(&added["unoffered"][0]["slot"]));
        let (when, why) = (instant("-2 hours"), "nobody had checked it");
        let record = ["record", &slot, "--outcome", "given", "--given-at", &when];
        let record = [&record[..], &["--already-given", why]].concat();
        device.ok_as(&nurse(&device), &record, "");
        let check =
            if page { ["resident", "check", &resident] } else { ["order", "check", &order] };
        let who = device.senior();
        if page {
            let args: Vec<&str> = check.into_iter().chain(who.iter().map(String::as_str)).collect();
            let words = device.run(&args).stdout;
            assert!(
                words.contains("On record") && !words.contains("medroundctl record"),
                "{words}"
            );
        } else {
            let checked = device.ok_as(&who, &check, "");
            assert_eq!(checked["first_dose"], json!(null), "{checked}");
            assert_eq!(checked["unoffered"][0]["recorded"], json!(true), "{checked}");
        }
    }
    Ok(())
}

/// Fault: the check handed over the command that gave a dose of paracetamol shortly before the next
/// one, and that was refused then; the alert named neither the next dose nor a command.
pub fn near_dose() -> Result<(), Failed> {
    let (device, resident) = home();
    let (nurse, senior) = (device.nurse(), device.senior());
    let mut order = hourly(&resident);
    let start = instant("-5 hours");
    order["start"] = json!(start);
    order["schedule"] = json!({"kind": "every", "n": 8, "unit": "hour", "anchor": start});
    let added = device.ok_as(&nurse, &["order", "add", "--from", "-"], &order.to_string());
    let order = text(&added["order"]);
    let mut check = vec!["order", "check", &order];
    check.extend(senior.iter().map(String::as_str));
    let words = device.run(&check).stdout;
    assert!(words.contains("too near the next dose") && words.contains("give that one"), "{words}");
    assert!(!words.contains("--outcome given --as"), "{words}");
    let alerts = device.run(&["alerts"]).stdout;
    let commands: Vec<&str> =
        alerts.lines().map(str::trim).filter(|l| l.starts_with("medroundctl record")).collect();
    assert_eq!(commands.len(), 2, "{alerts}");
    let shown = device.ok(&["order", "show", &order]);
    assert_eq!(shown["state"], json!("active"));
    let slot = commands[0].split(' ').nth(2).unwrap_or_default();
    let given = device.run_as(&nurse, &["record", slot, "--outcome", "given"]);
    assert_eq!(rule(&given), "W-11");
    // The commands work as they stand, with the words in capitals filled in.
    let told = commands[0].replace("TIME", &instant("-5 hours")).replace("TEXT", "hospital");
    let told: Vec<&str> = told.split(' ').skip(1).take_while(|word| *word != "--as").collect();
    device.ok_as(&nurse, &told, "");
    let asked = device.ok(&["alerts"]);
    let mut asked = asked.as_array().into_iter().flatten();
    assert!(asked.all(|a| a["cause"] != "first-dose"), "it was answered");
    Ok(())
}

pub fn page() -> Result<(), Failed> {
    let (device, resident) = home();
    let (nurse, senior) = (device.nurse(), device.senior());
    let add = |order: &serde_json::Value| {
        let added = device.ok_as(&nurse, &["order", "add", "--from", "-"], &order.to_string());
        text(&added["order"])
    };
    let good = add(&hourly(&resident));
    let mut heavy = crate::outside::device::regular(&resident, &["08:00", "12:00", "18:00"]);
    heavy["medicine"] = json!({"name": "Paracetamol 500mg tablets", "form": "tablet",
        "cd_category": "0000",
        "ingredients": [{"name": "paracetamol", "amount": "500", "unit": "mg", "per": "tablet"}]});
    heavy["dose"] = json!({"value": "4", "unit": "tablet"});
    heavy["label"] = json!(null);
    let heavy = add(&heavy);
    let refused = device.run_as(&senior, &["resident", "check", &resident]);
    assert_eq!(rule(&refused), "W-01");
    let told = refused.json()["refused"].clone();
    assert_eq!(told["orders"][0]["order"], json!(heavy));
    assert!(text(&told["message"]).contains(&format!("--order {good}")), "{told}");
    device.ok_as(&senior, &["resident", "check", &resident, "--order", &good], "");
    Ok(())
}

/// Fault: the same medicine could be active twice without a question.
pub fn twin() -> Result<(), Failed> {
    let (device, resident) = home();
    let nurse = device.nurse();
    let order = hourly(&resident).to_string();
    let first = device.ok_as(&nurse, &["order", "add", "--from", "-"], &order);
    let file = device.write("twin.json", &order);
    let again = ["order", "add", "--from", &file];
    let refused = device.run_as(&nurse, &again);
    assert_eq!(rule(&refused), "O-08");
    let message = text(&refused.json()["refused"]["message"]);
    assert!(
        message.contains(&text(&first["order"])) && message.contains("--intended"),
        "{message}"
    );
    let meant = [&again[..], &["--intended", "Dr Patel: two strengths"]].concat();
    let added = device.ok_as(&nurse, &meant, "");
    assert_eq!(added["intended"]["reason"], json!("Dr Patel: two strengths"));
    assert_eq!(added["intended"]["with"], json!([first["order"]]));
    Ok(())
}

/// Fault: a controlled drug was known as none, a strength typed as the dose was active, and a bare
/// number on the label was held against nothing.
pub fn hardly_meant() -> Result<(), Failed> {
    let (device, resident) = home();
    let (nurse, senior) = (device.nurse(), device.senior());
    let add =
        |name: &str, category: &serde_json::Value, count: &str, label: &str, beside: &[&str]| {
            let mut order = hourly(&resident);
            order["medicine"] = json!({"name": name, "form": "tablet", "cd_category": category});
            order["dose"] = json!({"value": count, "unit": "tablet"});
            order["label"] = json!(label);
            let file = device.write("order.json", &order.to_string());
            device.run_as(&nurse, &[&["order", "add", "--from", &file], beside].concat())
        };
    let none = json!("0000");
    let unknown = add("Senna 7.5mg tablets", &json!(null), "1", "", &[]);
    assert_eq!(rule(&unknown), "O-01");
    assert!(text(&unknown.json()["refused"]["message"]).contains("medicine.cd_category"));
    assert_eq!(rule(&add("Oxycodone 10mg tablets", &none, "1", "", &[])), "C-02");
    assert_eq!(rule(&add("Digoxin 125microgram tablets", &none, "125", "", &[])), "S-08");
    let bare = add("Senna 7.5mg tablets", &none, "3", "ONE", &[]);
    assert_eq!(rule(&bare), "O-05");
    assert!(text(&bare.json()["refused"]["message"]).contains("ONE tablet"));
    assert_eq!(rule(&add("Augmentin 625mg tablets", &none, "1", "", &[])), "O-09");
    let why = "Dr Patel, 21 Nov: 12 tablets, read back";
    let added = add("Prednisolone 5mg tablets", &none, "12", "", &["--differs", why]).json();
    let order = text(&added["order"]);
    let checked = device.ok_as(&senior, &["order", "check", &order], "");
    assert_eq!(checked["differs"], json!(why), "the second person sees it");
    Ok(())
}
