//! Set-up, a first round, the printed chart, a restart.

use super::{fails, hashes, home, hourly, slots};
use crate::outside::device::{Outside, text};
use libtest_mimic::Failed;
use serde_json::json;

pub fn first_day() -> Result<(), Failed> {
    let (device, resident) = home();
    device.order(&hourly(&resident));
    let due = slots(&device, &resident);
    assert_eq!(due.len(), 1, "{due:?}");
    for (field, expected) in [
        ("resident", json!(resident)),
        ("medicine", json!("Ramipril 2.5mg capsules")),
        ("state", json!("due")),
        ("kind", json!("regular")),
        ("dose", json!({"value": "1", "unit": "capsule"})),
    ] {
        assert_eq!(due[0][field], expected, "{}", due[0]);
    }
    assert!(due[0]["window"]["from"].is_string() && due[0]["directions"].is_string());
    let slot = text(&due[0]["slot"]);
    let nobody = device.run(&["record", &slot, "--outcome", "given", "--json"]);
    assert_eq!(super::rule(&nobody), "U-01");
    let given = device.ok_as(&device.nurse(), &["record", &slot, "--outcome", "given"], "");
    assert_eq!((&given["slot"], &given["saved_on"]), (&json!(slot), &json!(1)));
    assert!(given["entry"].is_string() && given["administration"].is_string());
    let again = device.run_as(&device.nurse(), &["record", &slot, "--outcome", "given"]);
    assert_eq!(super::rule(&again), "D-06");
    chart(&device, &resident, &slot, &text(&given["administration"]));
    assert_eq!(slots(&device, &resident)[0]["state"], json!("recorded"));
    paper(&device, &resident);
    let verified = device.ok(&["verify"]);
    assert_eq!((&verified["ok"], &verified["faults"]), (&json!(true), &json!([])));
    assert!(device.ok(&["alerts"]).as_array().is_some_and(Vec::is_empty));
    assert!(device.ok(&["conflicts"]).as_array().is_some_and(Vec::is_empty));
    Ok(())
}

fn chart(device: &Outside, resident: &str, slot: &str, administration: &str) {
    let from = super::instant("-1 day")[..10].to_owned();
    let to = super::instant("+1 day")[..10].to_owned();
    let chart = device.ok(&["chart", resident, "--from", &from, "--to", &to]);
    let cells: Vec<_> = chart["orders"][0]["days"]
        .as_array()
        .expect("days")
        .iter()
        .flat_map(|day| day["cells"].as_array().expect("cells"))
        .filter(|cell| cell["slot"] == slot)
        .collect();
    assert_eq!(cells.len(), 1, "{chart}");
    let cell = cells[0];
    for (field, expected) in [
        ("outcome", json!("given")),
        ("letter", json!("NB")),
        ("amount", json!({"value": "1", "unit": "capsule"})),
        ("administration", json!(administration)),
        ("witness", json!(null)),
        ("effective", json!(true)),
    ] {
        assert_eq!(cell[field], expected, "{field}: {cell}");
    }
    for field in ["due", "given_at", "recorded_at", "by", "device"] {
        assert!(cell[field].is_string(), "{field}: {cell}");
    }
    assert_eq!(cell["history"].as_array().map(Vec::len), Some(1));
}

fn paper(device: &Outside, resident: &str) {
    let file = |name: &str| device.file(name).to_string_lossy().into_owned();
    let (mar, round) = (file("mar.pdf"), file("round.pdf"));
    let printed = device.ok(&["print", "mar", "--resident", resident, "--out", &mar]);
    assert_eq!(printed["files"][0]["path"], json!(mar));
    device.ok(&["print", "round", "--out", &round]);
    for path in [mar, round] {
        let bytes = std::fs::read(&path).expect("the file was written");
        assert!(bytes.starts_with(b"%PDF") && bytes.len() > 10_000, "{path}");
    }
    let nowhere = device.file("manager.pin").join("mar.pdf");
    let ran =
        device.run(&["print", "mar", "--resident", resident, "--out", &nowhere.to_string_lossy()]);
    fails(&ran, 5, "was not written");
    let elsewhere = device.file("nowhere").join("mar.pdf");
    let ran = device.run(&[
        "print",
        "mar",
        "--resident",
        resident,
        "--out",
        &elsewhere.to_string_lossy(),
    ]);
    fails(&ran, 5, "there is no folder");
    assert!(!device.file("nowhere").exists(), "no folder is made without asking");
    let notes = file("notes.pdf");
    std::fs::write(&notes, "what the night told").expect("a note is written");
    let elsewhere = elsewhere.to_string_lossy().into_owned();
    for (path, json) in [(&notes, false), (&elsewhere, false), (&notes, true)] {
        let mut args = vec!["print", "mar", "--resident", resident, "--out", path];
        args.extend(json.then_some("--json"));
        let ran = device.run(&args);
        assert!(!ran.stdout.contains("sheet"), "nothing was printed: {}", ran.stdout);
        assert!(ran.code == 2 || ran.code == 5, "{}", ran.stderr);
    }
}

pub fn second_set_up() -> Result<(), Failed> {
    let (device, _) = home();
    let before = hashes(&device);
    let pin = device.file("manager.pin").to_string_lossy().into_owned();
    let again = device.run(&[
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
    fails(&again, 2, "there is a home in");
    assert_eq!(hashes(&device), before);
    Ok(())
}

pub fn no_folder() -> Result<(), Failed> {
    let device = Outside::new();
    let pin = device.write("manager.pin", crate::outside::device::MANAGER_PIN);
    let below_a_file = device.file("manager.pin").join("data").to_string_lossy().into_owned();
    let ran = device.run(&[
        "setup",
        "--home",
        "Home",
        "--device",
        "Office",
        "--manager",
        "Ann",
        "--initials",
        "AM",
        "--pin-file",
        &pin,
        "--data",
        &below_a_file,
    ]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    fails(&ran, 5, "is no folder, and none can be made there; name another one with --data");
    fails(&device.run(&["status", "--data", &pin]), 5, "is no folder");
    fails(&device.run(&["status"]), 6, "there is no home in");
    let weak = device.write("weak.pin", "123456");
    let ran = device.run(&[
        "setup",
        "--home",
        "Home",
        "--device",
        "Office",
        "--manager",
        "Ann",
        "--initials",
        "AM",
        "--pin-file",
        &weak,
    ]);
    fails(&ran, 3, "U-04");
    fails(&device.run(&["status"]), 6, "there is no home in");
    Ok(())
}

pub fn restart() -> Result<(), Failed> {
    let (device, resident) = home();
    device.order(&hourly(&resident));
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    device.ok_as(&device.nurse(), &["record", &slot, "--outcome", "given"], "");
    let shown = || {
        let chart = device.ok(&["chart", &resident]);
        let orders = device.ok(&["order", "list"]);
        (hashes(&device), chart["orders"].clone(), orders)
    };
    let before = shown();
    assert_eq!(shown(), before);
    std::fs::remove_file(device.data().join("views.redb"))?;
    assert_eq!(shown(), before, "the views are made again from the log");
    assert_eq!(device.ok(&["verify"])["ok"], json!(true));
    Ok(())
}

/// With `--json` one sheet of several that could not be written left no answer at all, although the
/// others were there.
pub fn one_sheet_of_several() -> Result<(), Failed> {
    let device = Outside::new();
    device.found();
    device.resident("Shaw", "Gladys");
    device.resident("Tennant", "Rose");
    let out = device.file("mar.pdf").to_string_lossy().into_owned();
    let other = device.file("mar-02-tennant-rose.pdf");
    std::fs::write(&other, "a letter")?;
    let ran = device.run(&["print", "mar", "--all", "--out", &out, "--json"]);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    let told = ran.json();
    let shaw = device.file("mar-01-shaw-gladys.pdf");
    assert_eq!(told["files"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told["files"][0]["path"], json!(shaw.to_string_lossy()), "{told}");
    assert_eq!(told["not_written"][0]["path"], json!(other.to_string_lossy()), "{told}");
    assert!(text(&told["not_written"][0]["why"]).contains("left as it is"), "{told}");
    assert!(shaw.exists() && std::fs::read(&other)? == b"a letter");
    assert!(ran.stderr.contains("1 of 2 files were written"), "{}", ran.stderr);
    let words = device.run(&["print", "mar", "--all", "--out", &out]);
    assert_eq!(words.code, 2, "{}", words.stderr);
    assert!(words.stdout.contains("mar-01-shaw-gladys.pdf"), "{}", words.stdout);
    assert!(!words.stdout.contains("tennant"), "{}", words.stdout);
    std::fs::remove_file(&other)?;
    let whole = device.ok(&["print", "mar", "--all", "--out", &out]);
    assert_eq!(whole["not_written"], json!([]), "{whole}");
    Ok(())
}
