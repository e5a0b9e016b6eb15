//! Other people's files, and directions in words.

use super::{hashes, rule};
use crate::outside::device::{Outside, text};
use libtest_mimic::Failed;
use serde_json::{Value, json};

fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/fhir/");
    format!("{folder}{name}")
}

fn founded() -> Outside {
    let device = Outside::new();
    device.found();
    device
}

pub fn twice() -> Result<(), Failed> {
    let device = founded();
    let nurse = device.nurse();
    let empty = hashes(&device);
    let folder = fixture("");
    let tried = device.ok(&["import", "--dry-run", &folder]);
    assert!(tried["files"].as_array().is_some_and(|f| f.len() == 6), "{tried}");
    assert_eq!(hashes(&device), empty, "a dry run writes nothing");
    let first = device.ok_as(&nurse, &["import", &folder], "");
    let files = first["files"].as_array().expect("files");
    for file in files {
        for field in ["path", "format", "residents", "allergies", "orders", "skipped", "warnings"] {
            assert!(!file[field].is_null(), "{field}: {file}");
        }
    }
    let residents = device.ok(&["resident", "list"]);
    assert_eq!(residents.as_array().map(Vec::len), Some(5), "one person is one resident");
    let names = residents.to_string();
    for name in ["Zoë", "Siân", "Łukasz", "محمد"] {
        assert!(names.contains(name), "{name}");
    }
    let orders = device.ok(&["order", "list"]);
    // The discharge letter lies there twice, in JSON and in XML.
    let once = files.iter().filter(|f| !text(&f["path"]).ends_with(".xml"));
    let imported: u64 = once.filter_map(|f| f["orders"].as_u64()).sum();
    assert_eq!(orders.as_array().map(|o| o.len() as u64), Some(imported));
    assert!(orders.as_array().is_some_and(|o| o.iter().all(|o| o["state"] == "proposal")));
    let before = hashes(&device);
    let second = device.ok_as(&nurse, &["import", &folder], "");
    let written: Vec<&Value> =
        second["files"].as_array().expect("files").iter().map(|f| &f["written"]).collect();
    assert!(written.iter().all(|w| **w == json!(0)), "{written:?}");
    assert_eq!(hashes(&device), before, "importing again changes nothing");
    // A proposal that was turned down is not raised from the dead.
    let order = text(&orders[0]["order"]);
    device.ok_as(&nurse, &["order", "reject", &order, "--reason", "not taken any more"], "");
    device.ok_as(&nurse, &["import", &folder], "");
    assert_eq!(device.ok(&["order", "show", &order])["state"], json!("rejected"));
    Ok(())
}

/// A resident of whom everything was imported and nothing confirmed had an empty chart, an empty
/// round and no alert: "takes nothing".
pub fn shown_while_waiting() -> Result<(), Failed> {
    let device = founded();
    let nurse = device.nurse();
    device.ok_as(&nurse, &["import", &fixture("gp-connect-zoe.json")], "");
    let resident = text(&device.ok(&["resident", "list"])[0]["resident"]);
    let orders = device.ok(&["order", "list"]);
    let waiting = orders.as_array().expect("orders").len();
    assert!(waiting > 1);
    let of_step = |list: &Value, step: &str| {
        let list = list["waiting"].as_array().cloned().unwrap_or_default();
        list.iter().filter(|w| w["missing"] == step && !w["since"].is_null()).count()
    };
    let chart = device.ok(&["chart", &resident]);
    assert_eq!(of_step(&chart, "confirm"), waiting, "{chart}");
    assert!(chart["waiting"][0]["words"][0].as_str().is_some_and(|w| !w.is_empty()), "{chart}");
    let round = device.ok(&["round"]);
    assert_eq!(of_step(&round["residents"][0], "confirm"), waiting, "{round}");
    let alerts = || -> Vec<Value> {
        let found = device.ok(&["alerts"]);
        let list = found.as_array().expect("alerts").iter();
        list.filter(|a| a["cause"] == "orders-wait").cloned().collect()
    };
    let found = alerts();
    assert_eq!(found.len(), 1, "one for the resident: {found:?}");
    assert_eq!(found[0]["about"]["orders"].as_array().map(Vec::len), Some(waiting));
    for args in [&["round"][..], &["chart", &resident]] {
        let told = device.run(args).stdout;
        assert_eq!(told.matches("WAITING, DO NOT GIVE").count(), waiting, "{told}");
    }
    let due = device.run(&["due"]).stdout;
    assert!(due.contains(&format!("{waiting} orders wait for a check")), "{due}");
    let given = ["give-prn", &text(&orders[0]["order"]), "--amount", "1", "--reason", "pain"];
    let refused = device.run_as(&nurse, &given);
    assert_eq!(rule(&refused), "O-02");
    assert!(refused.stdout.contains("confirm it with its true start"), "{}", refused.stdout);
    let id = found[0]["id"].clone();
    let reject = ["order", "reject", &text(&orders[0]["order"]), "--reason", "not taken any more"];
    device.ok_as(&nurse, &reject, "");
    assert_eq!(alerts()[0]["id"], id, "it stays the same alert");
    assert_eq!(of_step(&device.ok(&["chart", &resident]), "confirm"), waiting - 1);
    Ok(())
}

pub fn bad_file() -> Result<(), Failed> {
    let device = founded();
    let nurse = device.nurse();
    let before = hashes(&device);
    let broken = device.write("broken.json", "{\"resourceType\": \"Bundle\",\n \"entry\": [");
    let other = device.write("letter.xml", "<letter><dear>Ann</dear></letter>");
    let ran = device.run_as(&nurse, &["import", &broken, &other, "nowhere.json"]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(hashes(&device), before, "a bad file writes nothing");
    let report = ran.json();
    for (at, words) in [(0, "line 2"), (1, "line 1"), (2, "nowhere.json")] {
        let why = text(&report["files"][at]["error"]);
        assert!(why.contains(words), "{why}");
    }
    let good = fixture("gp-connect-zoe.json");
    let ran = device.run_as(&nurse, &["import", &broken, &good]);
    assert_eq!(ran.code, 4);
    let found = device.ok(&["resident", "list"]);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "the good file was taken");
    assert!(ran.stderr.contains("the other files were taken"), "{}", ran.stderr);
    let nonsense = device.write("nonsense.json", "{nonsense}");
    let ran = device.run_as(&nurse, &["import", &nonsense]);
    let why = text(&ran.json()["files"][0]["error"]);
    assert!(why.contains("line 1, column 2: this JSON cannot be read: a name in quotes"), "{why}");
    assert!(ran.stderr.contains("nothing was taken"), "only this file was given: {}", ran.stderr);
    let empty = device.write("empty.json", "{\"resourceType\": \"Bundle\", \"entry\": []}");
    let nothing = device.ok_as(&nurse, &["import", &empty], "");
    let look = text(&nothing["files"][0]["warnings"][0]);
    assert!(look.contains("no record of a resident"), "{look}");
    let nobody = device.run(&["import", &good, "--json"]);
    assert_eq!(rule(&nobody), "U-01");
    Ok(())
}

pub fn confirmed() -> Result<(), Failed> {
    let device = founded();
    let (nurse, senior) = (device.nurse(), device.senior());
    device.ok_as(&nurse, &["import", &fixture("gp-connect-zoe.json")], "");
    let orders = device.ok(&["order", "list"]);
    let named = |name: &str| {
        let all = orders.as_array().expect("orders");
        let found = all.iter().find(|o| text(&o["medicine"]["name"]).starts_with(name));
        found.unwrap_or_else(|| panic!("{name} is not in {orders}")).clone()
    };
    let amlodipine = named("Amlodipine");
    assert_eq!(amlodipine["proposal"]["words"], json!(["One To Be Taken Each Day"]));
    let order = text(&amlodipine["order"]);
    let check = device.run_as(&senior, &["order", "check", &order]);
    assert_eq!(rule(&check), "O-02");
    // No sender tells whether it is a controlled drug, and unknown is never none.
    let template = device.ok(&["order", "template", &order]);
    assert!(template["medicine"]["cd_category"].is_null(), "{template}");
    let unstated = device.run_as(&nurse, &["order", "confirm", &order, "--same-meaning"]);
    assert_eq!(rule(&unstated), "O-01");
    let told = text(&unstated.json()["refused"]["message"]);
    assert!(told.contains("--cd-category") && told.contains("0002 (Schedule 2)"), "{told}");
    let file = device.write("template.json", &template.to_string());
    let open = ["order", "confirm", &order, "--from", &file, "--same-meaning"];
    let open = device.run_as(&nurse, &open);
    assert_eq!(rule(&open), "O-01");
    assert!(text(&open.json()["refused"]["message"]).contains("medicine.cd_category"));
    let none = ["order", "confirm", &order, "--cd-category", "0000"];
    let silent = device.run_as(&nurse, &none);
    assert_eq!(rule(&silent), "O-05", "somebody says whether the words mean the same");
    let confirm = ["order", "confirm", &order, "--cd-category", "0000", "--same-meaning"];
    let waiting = device.ok_as(&nurse, &confirm, "");
    assert_eq!(waiting["state"], json!("awaiting-second-check"));
    assert_eq!(rule(&device.run_as(&nurse, &["order", "check", &order])), "O-02");
    let active = device.ok_as(&senior, &["order", "check", &order], "");
    assert_eq!(active["state"], json!("active"));
    let shown = device.ok(&["order", "show", &order]);
    assert_eq!(shown["label"], json!("One To Be Taken Each Day"), "the sender's words stay");
    // What was not understood in full is never taken over by itself.
    let prn = text(&named("Paracetamol")["order"]);
    let open = device.run_as(&nurse, &["order", "confirm", &prn, "--same-meaning"]);
    assert_eq!(rule(&open), "O-01");
    let rest = json!({"medicine": {"cd_category": "0000"}, "schedule": {"min_interval_minutes": 240, "protocol": {"for": "pain"}},
        "indication": "pain"});
    let rest = device.write("rest.json", &rest.to_string());
    let written = ["order", "confirm", &prn, "--from", &rest, "--same-meaning"];
    device.ok_as(&nurse, &written, "");
    device.ok_as(&senior, &["resident", "check", &text(&amlodipine["resident"])], "");
    let shown = device.ok(&["order", "show", &prn]);
    assert_eq!(shown["schedule"]["max_24h"], json!({"value": "8", "unit": "tablet"}));
    assert_eq!(shown["schedule"]["min_interval_minutes"], json!(240));
    let again = device.ok_as(&nurse, &["import", &fixture("gp-connect-zoe.json")], "");
    assert_eq!(again["files"][0]["written"], json!(0));
    Ok(())
}

/// Fault: what was read from the sender's words could be confirmed to fifty times the dose as "the
/// same meaning", and the next command that was named could not be carried out.
pub fn not_as_read() -> Result<(), Failed> {
    let device = founded();
    let (nurse, senior) = (device.nurse(), device.senior());
    device.ok_as(&nurse, &["import", &fixture("gp-connect-zoe.json")], "");
    let orders = device.ok(&["order", "list"]);
    let all = orders.as_array().expect("orders");
    let named = |name: &str| {
        let found = all.iter().find(|o| text(&o["medicine"]["name"]).starts_with(name));
        text(&found.expect("an order of that name")["order"])
    };
    let (clear, open) = (named("Amlodipine"), named("Paracetamol"));
    let fifty = json!({"dose": {"value": "50", "unit": "tablet"},
        "medicine": {"cd_category": "0000"}});
    let fifty = device.write("fifty.json", &fifty.to_string());
    let confirm = ["order", "confirm", &clear, "--from", &fifty];
    let same = device.run_as(&nurse, &[&confirm[..], &["--same-meaning"]].concat());
    assert_eq!(rule(&same), "O-05");
    assert!(text(&same.json()["refused"]["message"]).contains("--differs"));
    let ml = json!({"dose": {"value": "5", "unit": "ml"}, "medicine": {"cd_category": "0000"}});
    let ml = device.write("ml.json", &ml.to_string());
    let ml = ["order", "confirm", &clear, "--from", &ml, "--differs", "a slip"];
    assert_eq!(rule(&device.run_as(&nurse, &ml)), "O-01");
    let torn = device.run_as(&nurse, &[&confirm[..], &["--differs", "Dr Patel: asked"]].concat());
    assert_eq!(rule(&torn), "S-08", "the amount is named");
    let why = "Dr Patel, 21 Nov: 50 tablets, asked for, and read back";
    device.ok_as(&nurse, &[&confirm[..], &["--differs", why]].concat(), "");
    let checked = device.ok_as(&senior, &["order", "check", &clear], "");
    assert_eq!(checked["differs"], json!(why), "the second person sees it");
    // Each grade of reading has its own next command.
    let shown = device.run(&["order", "show", &open]);
    let template = format!("order template {open}");
    assert!(shown.stdout.split_whitespace().collect::<Vec<_>>().join(" ").contains(&template));
    let blank = device.run_as(&nurse, &["order", "confirm", &open, "--same-meaning"]);
    assert_eq!(rule(&blank), "O-01");
    assert!(text(&blank.json()["refused"]["message"]).contains(&template));
    let mut file = device.ok(&["order", "template", &open]);
    assert!(!file["medicine"]["name"].is_null(), "{file}");
    file["indication"] = json!("pain");
    file["medicine"]["cd_category"] = json!("0000");
    file["schedule"]["min_interval_minutes"] = json!(240);
    let file = device.write("order.json", &file.to_string());
    let written = ["order", "confirm", &open, "--from", &file, "--same-meaning"];
    device.ok_as(&nurse, &written, "");
    Ok(())
}

pub fn directions() -> Result<(), Failed> {
    let lines = "One To Be Taken Each Morning\nTake TWO every 4 hours when required, max 8 in 24 \
                 hours\nAs directed\n\nHalf or one, maybe, unless Tuesday\n";
    let nowhere = Outside::new();
    let home = founded();
    for device in [&nowhere, &home] {
        let ran = device
            .run_with(&["directions", "read", "--medicine", "Paracetamol 500mg tablets"], lines);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let read: Vec<Value> = ran
            .stdout
            .lines()
            .map(|l| serde_json::from_str(l).expect("a JSON line each"))
            .collect();
        assert_eq!(read.len(), 4, "{}", ran.stdout);
        for field in [
            "text",
            "grade",
            "dose",
            "schedule",
            "as_needed",
            "max_24h",
            "extra",
            "remainder",
            "why",
        ] {
            assert!(read.iter().all(|r| r.get(field).is_some()), "{field}");
        }
        assert_eq!(read[0]["grade"], json!("clear"));
        assert_eq!(read[0]["dose"], json!({"value": "1", "unit": "tablet"}));
        assert_eq!(read[0]["schedule"], json!({"kind": "rounds", "rounds": ["morning"]}));
        assert!(!read[1]["as_needed"].is_null() && read[1]["min_interval_minutes"] == json!(240));
        assert_eq!(read[1]["max_24h"]["value"], json!("8"));
        assert_ne!(read[2]["grade"], json!("clear"));
        assert_eq!(read[3]["grade"], json!("refused"));
        assert!(read[3]["why"].as_array().is_some_and(|w| !w.is_empty()));
    }
    let odd = nowhere
        .command(&["directions", "read"])
        .stdin(std::fs::File::open(nowhere.write("odd.txt", "x"))?)
        .output()?;
    assert!(odd.status.success());
    std::fs::write(nowhere.file("bytes.txt"), [0x4f, 0x6e, 0xff, 0xfe])?;
    let bytes = nowhere
        .command(&["directions", "read"])
        .stdin(std::fs::File::open(nowhere.file("bytes.txt"))?)
        .output()?;
    assert_eq!(bytes.status.code(), Some(4));
    Ok(())
}

/// A folder without a record in it gave no answer at all, and exit code 0.
pub fn empty_folder() -> Result<(), Failed> {
    let device = founded();
    let folder = device.file("records");
    std::fs::create_dir(&folder)?;
    let folder = folder.to_string_lossy().into_owned();
    let ran = device.run_as(&device.nurse(), &["import", &folder]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("holds no .json or .xml file"), "{}", ran.stdout);
    Ok(())
}
