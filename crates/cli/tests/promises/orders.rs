//! Orders from draft to stop.

use super::{home, hourly, rule, slots};
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
    super::fails(&ran, 4, "unknown field `colour`");
    Ok(())
}

pub fn allergy() -> Result<(), Failed> {
    let (device, resident) = home();
    let mut order = hourly(&resident);
    order["medicine"] = json!({"name": "Amoxicillin 500mg capsules", "form": "capsule",
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
