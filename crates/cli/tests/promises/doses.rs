//! Doses: when required, controlled, corrected, in hospital.

use super::{fails, home, hourly, rule, slots};
use crate::outside::device::{text, when_required};
use libtest_mimic::Failed;
use serde_json::json;

pub fn when_required_dose() -> Result<(), Failed> {
    let (device, resident) = home();
    let order = device.order(&when_required(&resident));
    let nurse = device.nurse();
    let before = device.ok(&["prn", &order]);
    assert_eq!((&before["last"], &before["given_7d"]), (&json!(null), &json!(0)));
    assert_eq!(before["left_24h"], json!({"value": "8", "unit": "tablet"}));
    let silent = device.run_as(&nurse, &["give-prn", &order, "--amount", "2"]);
    assert_eq!(rule(&silent), "P-07");
    let too_much =
        device.run_as(&nurse, &["give-prn", &order, "--amount", "3", "--reason", "pain"]);
    assert_eq!(rule(&too_much), "S-08");
    let give = ["give-prn", &order, "--amount", "2 tablets", "--reason", "pain in the knee"];
    let given = device.ok_as(&nurse, &give, "");
    assert_eq!(given["slot"], json!(null));
    let soon = device.run_as(&nurse, &give);
    assert_eq!(rule(&soon), "P-02");
    let earliest = soon.json()["refused"]["earliest"].clone();
    let after = device.ok(&["prn", &order]);
    assert_eq!(after["earliest_next"], earliest, "the refusal and the status say the same");
    assert_eq!(after["left_24h"]["value"], json!("6"));
    assert_eq!(after["last"]["amount"]["value"], json!("2"));
    let administration = text(&given["administration"]);
    let effect = ["effect", &administration, "--effect", "good", "--note", "walks again"];
    let noted = device.ok_as(&nurse, &effect, "");
    assert_eq!(noted["administration"], given["administration"]);
    let odd = device.run_as(&nurse, &["effect", &administration, "--effect", "great"]);
    fails(&odd, 2, "`great` is no effect");
    let unasked = device.run_as(&nurse, &["prn", &device.order(&hourly(&resident))]);
    assert_eq!(rule(&unasked), "D-03");
    Ok(())
}

pub fn controlled() -> Result<(), Failed> {
    let (device, resident) = home();
    let mut order = hourly(&resident);
    order["medicine"] = json!({"name": "Morphine 10mg modified-release capsules", "form": "capsule",
        "strength": "10 mg", "cd_category": "0002"});
    device.order(&order);
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    let nurse = device.nurse();
    let alone = device.run_as(&nurse, &["record", &slot, "--outcome", "given"]);
    assert_eq!(rule(&alone), "C-03");
    let file = |name: &str| device.file(name).to_string_lossy().into_owned();
    let (own, other) = (file("NB.pin"), file("SC.pin"));
    let witnessed = |whose: &str, pin: &str| {
        device.run_as(
            &nurse,
            &["record", &slot, "--outcome", "given", "--witness", whose, "--witness-pin-file", pin],
        )
    };
    assert_eq!(rule(&witnessed("NB", &own)), "U-03");
    fails(&witnessed("SC", &own), 7, "the PIN is wrong");
    let given = witnessed("SC", &other);
    assert_eq!(given.code, 0, "{}{}", given.stdout, given.stderr);
    let chart = device.ok(&["chart", &resident, "--to", &super::instant("+1 day")[..10]]);
    assert!(chart.to_string().contains(&text(&given.json()["administration"])));
    Ok(())
}

pub fn corrected() -> Result<(), Failed> {
    let (device, resident) = home();
    let order = device.order(&when_required(&resident));
    let nurse = device.nurse();
    let mut ranged = when_required(&resident);
    ranged["dose"] = json!({"from": "1", "to": "2", "unit": "tablet"});
    let ranged = ranged.to_string();
    device.ok_as(
        &nurse,
        &["order", "change", &order, "--from", "-"],
        &json!({"dose": {"from": "1", "to": "2", "unit": "tablet"}}).to_string(),
    );
    assert!(ranged.contains("from"));
    device.ok_as(&device.senior(), &["order", "check", &order], "");
    let give = ["give-prn", &order, "--amount", "2", "--reason", "pain"];
    let id = text(&device.ok_as(&nurse, &give, "")["administration"]);
    let nothing = device.run_as(&nurse, &["correct", &id, "--reason", "typed 2 for 1"]);
    fails(&nothing, 2, "say what is true instead");
    device.ok_as(&nurse, &["correct", &id, "--reason", "typed 2 for 1", "--amount", "1"], "");
    let dose = |device: &crate::outside::device::Outside| {
        let chart = device.ok(&["chart", &resident]);
        let orders = chart["orders"].as_array().expect("orders").clone();
        let all = orders.iter().flat_map(|o| o["unscheduled"].as_array().expect("a list").clone());
        all.last().expect("the dose is on the chart")
    };
    let shown = dose(&device);
    assert_eq!(shown["amount"]["value"], json!("1"));
    assert_eq!(shown["reason"], json!("pain"), "the symptom stays");
    assert_eq!((&shown["effective"], &shown["corrected"]), (&json!(true), &json!(true)));
    let history = shown["history"].as_array().expect("a history");
    assert_eq!(history[0]["amount"]["value"], json!("2"), "the original stays");
    assert_eq!(history[1]["why"], json!("typed 2 for 1"));
    device.ok_as(&nurse, &["correct", &id, "--reason", "wrong resident", "--never-happened"], "");
    assert_eq!(dose(&device)["effective"], json!(false));
    assert_eq!(device.ok(&["prn", &order])["last"], json!(null), "it counts for no limit");
    Ok(())
}

pub fn hospital() -> Result<(), Failed> {
    let (device, resident) = home();
    device.order(&hourly(&resident));
    let nurse = device.nurse();
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    device.ok_as(&nurse, &["resident", "status", &resident, "hospital", "--note", "a fall"], "");
    assert_eq!(device.ok(&["resident", "show", &resident])["status"], json!("hospital"));
    let refused = device.run_as(&nurse, &["record", &slot, "--outcome", "given"]);
    assert_eq!(rule(&refused), "R-05");
    assert_eq!(slots(&device, &resident)[0]["suspended"], json!("hospital"));
    let discharged = device.run_as(&nurse, &["resident", "status", &resident, "discharged"]);
    assert_eq!(rule(&discharged), "R-06");
    device.ok_as(&nurse, &["resident", "status", &resident, "present"], "");
    device.ok_as(&nurse, &["record", &slot, "--outcome", "given"], "");
    Ok(())
}
