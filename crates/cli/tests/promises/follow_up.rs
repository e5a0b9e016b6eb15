//! Follow-ups: found in the alerts, taken, asked about, closed (W-12).

use super::{fails, home, instant, rule};
use crate::outside::device::{text, when_required};
use libtest_mimic::Failed;
use serde_json::{Value, json};

pub fn closed() -> Result<(), Failed> {
    let (device, resident) = home();
    let nurse = device.nurse();
    let order = device.order(&when_required(&resident));
    let then = instant("-20 minutes");
    let give = ["give-prn", &order, "--amount", "2", "--reason", "pain", "--given-at", &then];
    let told = [&give[..], &["--already-given", "nobody had looked"]].concat();
    let id = text(&device.ok_as(&nurse, &told, "")["incident"]);
    let alert = || {
        let all = device.ok(&["alerts"]);
        let found = all.as_array().cloned().unwrap_or_default().into_iter();
        found.filter(|a| a["about"]["follow_up"] == json!(id)).collect::<Vec<Value>>()
    };
    assert_eq!((alert().len(), &alert()[0]["owner"]), (1, &json!("shift-lead")));
    let words = device.run(&["alerts"]).stdout;
    assert!(words.contains(&format!("medroundctl follow-up close {id} --outcome")), "{words}");
    // It is taken, somebody is asked, and it is closed.
    let senior = device.senior();
    let taken = device.ok_as(&senior, &["follow-up", "take", &id], "");
    assert_eq!(alert()[0]["owner"], taken["owner"], "the alert is theirs");
    let handed = ["follow-up", "take", &id, "--owner", "NB"];
    assert_ne!(device.ok_as(&senior, &handed, "")["owner"], taken["owner"]);
    let asked = [
        "follow-up",
        "note",
        &id,
        "--contact",
        "Dr Patel, GP, Bay Surgery",
        "--at",
        &then,
        "--advice",
        "no second dose before noon",
        "--order",
        &order,
    ];
    let noted = device.ok_as(&nurse, &asked, "");
    let contact = &noted["history"][3]["contact"];
    assert_eq!((&contact["name"], &contact["role"]), (&json!("Dr Patel"), &json!("GP")));
    assert_eq!(noted["history"][3]["order"], json!(order));
    let close = [
        "follow-up",
        "close",
        &id,
        "--outcome",
        "no harm came of it",
        "--action",
        "the chart is read first",
    ];
    let answer = device.ok_as(&nurse, &close, "");
    assert_eq!((&answer["state"], &answer["outcome"]), (&json!("closed"), &json!(close[4])));
    assert_eq!(answer["history"][4]["corrective_action"], json!(close[6]));
    assert!(alert().is_empty(), "it leaves the alerts");
    assert_eq!(device.ok(&["follow-up", "list"]), json!([]));
    let all = device.run(&["follow-up", "list", "--all", "--resident", &resident]).stdout;
    let all = all.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "nobody had looked",
        "contacted Dr Patel, GP, Bay Surgery",
        "NB does it",
        "advice: no second dose",
        "closed: no harm came of it; changed: the chart is read first",
    ] {
        assert!(all.contains(words), "{words} is not in: {all}");
    }
    let again = device.run_as(&nurse, &close);
    assert_eq!(rule(&again), "W-12");
    assert!(again.stdout.contains("was closed: no harm came of it"), "{}", again.stdout);
    let open = "medroundctl follow-up open --resident RESIDENT --what TEXT --as INITIALS";
    assert!(again.stdout.contains(open), "{}", again.stdout);
    let opened = all.contains("opened ") && all.contains(", closed ");
    assert!(opened && !all.contains("closed since"), "{all}");
    Ok(())
}

pub fn opened() -> Result<(), Failed> {
    let (device, resident) = home();
    let nurse = device.nurse();
    let open = |what: &str, extra: &[&str]| {
        let args = ["follow-up", "open", "--resident", &resident, "--what", what];
        device.run_as(&nurse, &[&args[..], extra].concat())
    };
    let opened = open("ask for a liquid", &["--owner", "SC"]);
    assert_eq!(opened.code, 0, "{}{}", opened.stdout, opened.stderr);
    let id = text(&opened.json()["follow_up"]);
    assert!(device.ok(&["alerts"]).to_string().contains("ask for a liquid"));
    assert_eq!(rule(&open("  ", &[])), "W-12");
    let says = |args: &[&str]| device.run_as(&nurse, &[&["follow-up"], args].concat());
    assert_eq!(rule(&says(&["close", &id, "--outcome", " "])), "W-12");
    assert_eq!(rule(&says(&["note", &id])), "W-12");
    let ahead = instant("+1 day");
    let contact = ["note", &id, "--contact", "Dr Patel, GP, Bay Surgery", "--at", &ahead];
    assert_eq!(rule(&says(&contact)), "W-12");
    fails(&says(&["note", &id, "--contact", "Dr Patel"]), 2, "NAME, ROLE, ORGANISATION");
    fails(&says(&["note", &id, "--advice", "wait", "--at", "08:00"]), 2, "say who with --contact");
    fails(&says(&["take", &id, "--owner", "ZZ"]), 6, "there is nobody with the initials");
    for unknown in ["nothing", &resident] {
        fails(&says(&["close", unknown, "--outcome", "done"]), 6, "follow-up list");
    }
    // Whoever only reads keeps none, and is handed none.
    let pin = device.write("IN.pin", "602915");
    let manager = device.manager();
    let add = [
        "staff",
        "add",
        "--name",
        "Ina North",
        "--initials",
        "IN",
        "--role",
        "inspector",
        "--new-pin-file",
        &pin,
    ];
    device.ok_as(&manager, &add, "");
    let inspector = ["--as".to_owned(), "IN".to_owned(), "--pin-file".to_owned(), pin];
    let close = ["follow-up", "close", &id, "--outcome", "seen"];
    assert_eq!(rule(&device.run_as(&inspector, &close)), "U-01");
    assert_eq!(rule(&says(&["take", &id, "--owner", "IN"])), "U-01");
    assert_eq!(rule(&device.run(&[&close[..], &["--json"]].concat())), "U-01", "nobody signed");
    assert_eq!(device.ok(&["follow-up", "list"])[0]["state"], json!("open"));
    Ok(())
}
