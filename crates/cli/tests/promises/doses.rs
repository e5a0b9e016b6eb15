//! Doses: when required, controlled, corrected, in hospital.

use super::{fails, home, hourly, instant, rule, slots};
use crate::outside::device::{text, when_required};
use libtest_mimic::Failed;
use serde_json::{Value, json};

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
    assert!(after["last"]["by"].is_string(), "who gave it stands on the card (P-05)");
    let administration = text(&given["administration"]);
    let effect = ["effect", &administration, "--effect", "good", "--note", "walks again"];
    let noted = device.ok_as(&nurse, &effect, "");
    assert_eq!(noted["administration"], given["administration"]);
    assert_eq!(noted["effect"], json!("good"), "the answer says what was noted");
    let twice = device.run_as(&nurse, &["effect", &administration, "--effect", "none"]);
    assert_eq!(rule(&twice), "P-07");
    assert!(twice.stdout.contains("--note"), "{}", twice.stdout);
    let odd = device.run_as(&nurse, &["effect", &administration, "--effect", "great"]);
    fails(&odd, 2, "`great` is no effect");
    let unasked = device.run_as(&nurse, &["prn", &device.order(&hourly(&resident))]);
    assert_eq!(rule(&unasked), "D-03");
    Ok(())
}

/// The list of what is due said "[given 08:00]" of a slot that was given twice: whoever read it looked
/// no further.
pub fn given_twice() -> Result<(), Failed> {
    let (device, resident) = home();
    device.order(&hourly(&resident));
    let nurse = device.nurse();
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    device.ok_as(&nurse, &["record", &slot, "--outcome", "given"], "");
    let at = instant("-1 minute");
    let again = ["record", &slot, "--outcome", "given", "--given-at", &at];
    let again = [again.as_slice(), &["--already-given", "from two trolleys"]].concat();
    device.ok_as(&nurse, &again, "");
    let (from, to) = crate::outside::device::around_now(&device);
    let due = device.ok(&["due", "--from", &from, "--to", &to]);
    let found = due.as_array().expect("a list").iter().find(|d| d["slot"] == json!(slot));
    let found = found.expect("the slot");
    assert_eq!(found["possible_double_dose"], json!(true), "{found}");
    assert_eq!(found["given"].as_array().map(Vec::len), Some(2), "{found}");
    let told = device.run(&["due", "--from", &from, "--to", &to]).stdout;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("[GIVEN TWICE: ") && told.contains(" by NB and "), "{told}");
    // What an alert names as its next step is a command as it stands there, on one line.
    let alerts = device.ok(&["alerts"]);
    let double = alerts.as_array().expect("a list").iter();
    let double = double.filter(|a| a["cause"] == "possible-double-dose").collect::<Vec<_>>();
    assert_eq!(double.len(), 1, "{alerts}");
    let next = text(&double[0]["next"][0]);
    let words = device.run(&["alerts"]).stdout;
    assert!(words.lines().any(|line| line.trim() == next), "{next}: {words}");
    let args: Vec<&str> = next.split(' ').skip(1).collect();
    let chart = device.run(&args);
    assert_eq!(chart.code, 0, "{}", chart.stderr);
    assert!(chart.stdout.contains("POSSIBLE DOUBLE DOSE"), "{}", chart.stdout);
    Ok(())
}

/// The card of a held order said "May be given now", and so did the sheet of the round: only the
/// refusal asked whether the order is in force and the resident at home.
pub fn card_of_what_is_not_to_be_given() -> Result<(), Failed> {
    let (device, resident) = home();
    let order = device.order(&when_required(&resident));
    let nurse = device.nurse();
    let open = device.ok(&["prn", &order]);
    assert_eq!((&open["allowed_now"], &open["not_now"]), (&json!(true), &json!(null)));
    let check = |words: &str| {
        let card = device.ok(&["prn", &order]);
        assert_eq!((&card["allowed_now"], &card["not_now"]), (&json!(false), &json!(words)));
        let told = device.run(&["prn", &order]).stdout;
        assert!(told.contains(&format!("NOT TO BE GIVEN NOW: {words}.")), "{told}");
        assert!(!told.contains("May be given"), "{told}");
        let give = ["give-prn", &order, "--amount", "2", "--reason", "pain"];
        assert_eq!(device.run_as(&nurse, &give).code, 3);
    };
    let review = instant("-1 minute");
    let hold = ["order", "hold", &order, "--reason", "Dr Patel", "--review", &review];
    device.ok_as(&nurse, &hold, "");
    check("this order is held");
    assert!(device.ok(&["order", "show", &order])["held"]["review"].is_string());
    for look in [&["order", "show", &order][..], &["prn", &order]] {
        let told = device.run(look).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("is to be looked at again"), "{look:?}: {told}");
    }
    let alerts = device.ok(&["alerts"]).as_array().cloned().unwrap_or_default();
    let found = alerts.iter().find(|a| a["cause"] == "hold-review").expect("it is raised");
    let resume = format!("medroundctl order resume {order} --reason TEXT --as INITIALS");
    assert_eq!((&found["tier"], &found["next"]), (&json!("amber"), &json!([resume])), "{found}");
    device.ok_as(&nurse, &["order", "resume", &order, "--reason", "Dr Patel"], "");
    device.ok_as(&nurse, &["resident", "status", &resident, "hospital"], "");
    check("the resident is in hospital");
    device.ok_as(&nurse, &["resident", "status", &resident, "present"], "");
    let stop = ["order", "stop", &order, "--authorised-by", "Dr Patel", "--reason", "no pain"];
    device.ok_as(&nurse, &stop, "");
    check("this order is stopped");
    let asked = device.ok_as(
        &nurse,
        &["order", "add", "--from", "-"],
        &when_required(&resident).to_string(),
    );
    let unchecked = device.ok(&["prn", &text(&asked["order"])]);
    assert_eq!(unchecked["not_now"], json!("this order is awaiting its second check"));
    Ok(())
}

/// The count of a rescue medicine is said with each dose, and no number refuses one (W-05).
pub fn rescue() -> Result<(), Failed> {
    let (device, resident) = home();
    let mut spray = when_required(&resident);
    spray["medicine"] = json!({"name": "Glyceryl trinitrate 400micrograms/dose spray",
        "cd_category": "0000"});
    spray["route"] = json!("sublingual");
    spray["dose"] = json!({"value": "1", "unit": "spray"});
    spray["schedule"] = json!({"kind": "prn", "rescue": true, "min_interval_minutes": 5,
        "max_24h": {"value": "3", "unit": "spray"}});
    let order = device.order(&spray);
    let nurse = device.nurse();
    let words = |given: &str| format!("{given} (sprays, last 24 hours)");
    let status = device.ok(&["prn", &order]);
    assert_eq!(status["rescue"]["words"], json!(words("0 of 3 given, then 999")));
    assert_eq!(status["earliest_next"], json!(null));
    assert_eq!(status["unheard"], json!([]));
    for given in ["1 of 3 given, then 999", "2 of 3 given, then 999", "3 of 3 given: call 999"] {
        let give = ["give-prn", &order, "--amount", "1", "--reason", "chest pain"];
        let answer = device.ok_as(&nurse, &give, "");
        assert_eq!(answer["rescue"]["words"], json!(words(given)), "{answer}");
    }
    assert_eq!(device.ok(&["alerts"]).to_string().matches("rescue-over-most").count(), 0);
    let mut args = vec!["give-prn", &order, "--amount", "1", "--reason", "chest pain"];
    args.extend(nurse.iter().map(String::as_str));
    let told = device.run(&args).stdout;
    assert!(told.contains(&words("4 of 3 given: call 999")), "{told}");
    let card = device.run(&["prn", &order]).stdout;
    assert!(card.contains("Last given 1 spray, ") && card.contains(", by NB."), "{card}");
    assert!(card.contains(&words("4 of 3 given: call 999")), "{card}");
    assert_eq!(device.ok(&["alerts"]).to_string().matches("rescue-over-most").count(), 1);
    Ok(())
}

pub fn controlled() -> Result<(), Failed> {
    let (device, resident) = home();
    let mut order = hourly(&resident);
    order["medicine"] = json!({"name": "Morphine 10mg modified-release capsules", "form": "capsule",
        "strength": "10 mg", "cd_category": "0002"});
    device.order(&order);
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    let listed = device.run(&["due", "--from", &instant("-1 minute"), "--to", &instant("+1 hour")]);
    assert!(listed.stdout.contains(&slot), "it can be recorded from: {}", listed.stdout);
    let nurse = device.nurse();
    let alone = device.run_as(&nurse, &["record", &slot, "--outcome", "given"]);
    assert_eq!(rule(&alone), "C-03");
    assert!(alone.stdout.contains("--witness") && alone.stdout.contains("--alone"));
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
    let administration = text(&given.json()["administration"]);
    assert!(chart.to_string().contains(&administration));
    let taken_back = ["correct", &administration, "--reason", "wrong one", "--never-happened"];
    assert_eq!(rule(&device.run_as(&nurse, &taken_back)), "C-03", "one person is not enough");
    let mut by_two = taken_back.to_vec();
    by_two.extend(["--witness", "SC", "--witness-pin-file", &other]);
    let answer = device.ok_as(&nurse, &by_two, "");
    assert_eq!(answer["amount_taken_back"], json!({"value": "1", "unit": "capsule"}));
    Ok(())
}

pub fn meanings() -> Result<(), Failed> {
    let (device, resident) = home();
    device.order(&hourly(&resident));
    let nurse = device.nurse();
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    let record = |outcome: &str, extra: &[&str]| {
        let mut args = vec!["record", &slot, "--outcome", outcome];
        args.extend(extra);
        device.run_as(&nurse, &args)
    };
    for (outcome, flag) in [
        ("given-covertly", "--reason"),
        ("given-by-professional", "--professional"),
        ("given-elsewhere", "--reason"),
        ("not-known", "--handed-to"),
        ("clinical-reading", "--reading"),
        ("part-given", "--reason"),
    ] {
        let ran = record(outcome, &[]);
        assert_eq!(rule(&ran), "D-03", "{outcome}");
        assert!(ran.stdout.contains(flag), "{outcome} names {flag}: {}", ran.stdout);
    }
    assert_eq!(rule(&record("rescheduled", &["--reason", "Friday"])), "D-03");
    let part = record("part-given", &["--reason", "dropped the rest"]);
    assert_eq!(rule(&part), "S-08");
    assert!(part.stdout.contains("--amount"), "{}", part.stdout);
    let tomorrow = super::instant("+1 day");
    let of_tomorrow = device.ok(&["due", "--from", &tomorrow[..10]]);
    assert!(!of_tomorrow.as_array().expect("a list").is_empty(), "{of_tomorrow}");
    let late = device.ok(&["due", "--from", &super::instant("+150 minutes")]);
    let later = text(&late[0]["slot"]);
    let early = ["record", &later, "--outcome", "refused", "--reason", "not today"];
    assert_eq!(rule(&device.run_as(&nurse, &early)), "W-02", "nobody has offered it");
    let now = record("given", &["--already-given", "x"]);
    assert_eq!(rule(&now), "P-06");
    let handed = record("not-known", &["--handed-to", "SC"]);
    assert_eq!(handed.code, 0, "{}{}", handed.stdout, handed.stderr);
    let chart = device.ok(&["chart", &resident, "--to", &super::instant("+1 day")[..10]]);
    assert!(chart.to_string().contains("handed to Sam Cole (SC)"), "{chart}");
    // They find it until more is known of it, with the command that says so.
    let waits = || {
        let all = device.ok(&["alerts"]).as_array().cloned().unwrap_or_default().into_iter();
        let found = all.filter(|a| a["about"]["follow_up"] == handed.json()["follow_up"]);
        found.collect::<Vec<Value>>()
    };
    let dose = text(&handed.json()["administration"]);
    let found = waits();
    assert!(text(&found[0]["words"]).contains("find out what became of"), "{found:?}");
    assert!(
        text(&found[0]["next"][0]).starts_with(&format!("medroundctl correct {dose} --outcome"))
    );
    let correct = ["correct", &dose, "--outcome", "given", "--reason", "the pot was empty"];
    device.ok_as(&device.senior(), &correct, "");
    assert!(waits().is_empty(), "{:?}", waits());
    Ok(())
}

/// On a practice home with a history: what has been given inside an interval is told as it was.
pub fn really_given(device: &crate::outside::device::Outside, data: &str, pins: [&str; 2]) {
    let with = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--data", data, "--as", "NB", "--pin-file", pins[0]]);
        device.run(&all)
    };
    let orders = with(&["order", "list", "--json"]).json();
    let paracetamol = orders.as_array().expect("a list").iter().find(|o| {
        o["schedule"]["min_interval_minutes"] == json!(240)
            && o["medicine"]["name"].as_str().is_some_and(|n| n.starts_with("Paracetamol"))
    });
    let order = text(&paracetamol.expect("a when-required order")["order"]);
    let then = super::instant("-20 minutes");
    let give = |extra: &[&str]| {
        let mut args = vec!["give-prn", &order, "--amount", "1", "--reason", "pain"];
        args.extend(["--checked", "nobody else is on shift", "--json"]);
        args.extend(extra);
        with(&args)
    };
    let first = give(&[]);
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    let refused = give(&["--given-at", &then]);
    assert_eq!(rule(&refused), "P-02");
    assert!(refused.stdout.contains("--already-given"), "{}", refused.stdout);
    let why = "nobody had looked at the chart";
    let told = give(&["--given-at", &then, "--already-given", why]);
    assert_eq!(told.code, 0, "{}{}", told.stdout, told.stderr);
    assert!(told.json()["incident"].is_string(), "{}", told.stdout);
    let alerts = with(&["alerts", "--json"]).stdout;
    assert!(alerts.contains("interval-breach") && alerts.contains(why), "{alerts}");
    let id = text(&told.json()["administration"]);
    let clear = ["correct", &id, "--reason", "mistyped", "--never-happened", "--json"];
    assert_eq!(rule(&with(&clear)), "D-13");
    let mut by_two = clear.to_vec();
    by_two.extend(["--witness", "SC", "--witness-pin-file", pins[1]]);
    let cleared = with(&by_two);
    assert_eq!(cleared.code, 0, "{}{}", cleared.stdout, cleared.stderr);
}

/// Bug: the command that an alert of an unrecorded dose named lacked its outcome, and what a late
/// entry has to say. Fix: every one of them works when it is copied and what stands in capitals is
/// filled in.
pub fn answered_for(device: &crate::outside::device::Outside, data: &str, pins: [&str; 2]) {
    let as_nurse = ["--as", "NB", "--pin-file", pins[0], "--data", data, "--json"];
    let by_two = ["--witness", "SC", "--witness-pin-file", pins[1]];
    let day = instant("-1 day")[..10].to_owned();
    let (slot, mut id, time) = one_given(device, data, &day);
    let of_slot = || {
        let all = device.ok(&["alerts", "--data", data]);
        let all = all.as_array().cloned().unwrap_or_default();
        all.into_iter().find(|a| a["cause"] == "unrecorded" && a["about"]["slot"] == json!(slot))
    };
    for step in 0..3 {
        // Taken back, nobody has recorded it.
        let back = ["correct", &id, "--reason", "typed in a test", "--never-happened"];
        let ran = device.run(&[&back[..], &by_two, &as_nurse].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let command = text(&of_slot().expect("an alert")["next"][step]);
        let told = device.run(&["alerts", "--data", data]).stdout;
        assert!(told.lines().any(|line| line.trim() == command), "{told}");
        let filled = command
            .replace("TIME", &time)
            .replace("TEXT", "asked-the-night-staff")
            .replace("--handed-to STAFF", "--handed-to SC")
            .replace(" --as INITIALS", "");
        let args: Vec<&str> = filled.split(' ').skip(1).chain(as_nurse).collect();
        let ran = device.run(&args);
        assert_eq!(ran.code, 0, "{filled}: {}{}", ran.stdout, ran.stderr);
        assert!(of_slot().is_none(), "{filled}");
        id = text(&ran.json()["administration"]);
    }
}

/// A dose of the morning that was given and needs no witness and no amount: its slot, its
/// administration and its time.
fn one_given(
    device: &crate::outside::device::Outside,
    data: &str,
    day: &str,
) -> (String, String, String) {
    let residents = device.ok(&["resident", "list", "--data", data]);
    for resident in residents.as_array().expect("a list") {
        let id = text(&resident["resident"]);
        let args = ["chart", &id, "--from", day, "--to", day, "--data", data];
        let chart = device.ok(&args);
        for order in chart["orders"].as_array().expect("orders") {
            let plain =
                order["medicine"]["cd_category"] == "0000" && order["dose"]["value"] != json!(null);
            let days = order["days"].as_array().expect("days").iter();
            let cells = days.flat_map(|d| d["cells"].as_array().expect("cells").clone());
            let found = cells.into_iter().find(|cell| {
                let alone = cell["others"] == json!([]) && cell["corrected"] == json!(false);
                let morning = text(&cell["due"])[11..13].parse::<u8>().is_ok_and(|hour| hour < 12);
                plain && alone && morning && cell["outcome"] == "given"
            });
            if let Some(cell) = found {
                let told = |field: &str| text(&cell[field]);
                return (told("slot"), told("administration"), told("given_at"));
            }
        }
    }
    panic!("nothing was given in the morning of {day}");
}

/// A dose that no order let anybody give is told as it was: before the check, on another day, and
/// after a stop.
pub fn outside_the_order() -> Result<(), Failed> {
    let (device, resident) = home();
    let nurse = device.nurse();
    let then = instant("-20 minutes");
    let told = |args: &[&str], refused: &str| {
        let mut args = [args, &["--given-at", &then]].concat();
        let ran = device.run_as(&nurse, &args);
        assert_eq!(rule(&ran), refused, "{}", ran.stdout);
        assert!(ran.stdout.contains("--already-given"), "{}", ran.stdout);
        args.extend(["--already-given", "nobody had looked"]);
        let answer = device.ok_as(&nurse, &args, "");
        assert!(answer["incident"].is_string(), "{answer}");
    };
    let prn = device.order(&when_required(&resident));
    let give = ["give-prn", &prn, "--amount", "2", "--reason", "pain"];
    told(&give, "O-02");
    assert_eq!(rule(&device.run_as(&nurse, &give)), "P-02", "it counts");
    let order = device.order(&hourly(&resident));
    let due = device.ok(&["due", "--from", &instant("+1 day"), "--to", &instant("+25 hours")]);
    let tomorrow = text(&due[0]["slot"]);
    told(&["record", &tomorrow, "--outcome", "given", "--reason", "took it"], "O-02");
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    let stop = ["order", "stop", &order, "--authorised-by", "Dr Patel", "--reason", "cough"];
    device.ok_as(&nurse, &stop, "");
    // The slot that the stop took away can be found, and is marked.
    let span = ["--from", &instant("-1 minute"), "--to", &instant("+30 minutes")];
    let of = |why: &str| {
        let all = device.ok(&[&["due", "--withheld"], &span[..]].concat());
        let all = all.as_array().cloned().unwrap_or_default().into_iter();
        all.filter(|d| d["suspended"] == json!(why)).collect::<Vec<_>>()
    };
    assert!(slots(&device, &resident).is_empty(), "no program takes it for due");
    assert_eq!((&of("stopped")[0]["slot"], of("stopped").len()), (&json!(slot), 1));
    assert_eq!(of("stopped")[0]["state"], json!("not-due"));
    told(&["record", &slot, "--outcome", "given", "--reason", "took it"], "O-11");
    assert_eq!(of("stopped")[0]["state"], json!("recorded"));
    // So can that of an order that nobody has checked.
    let mut unchecked = hourly(&resident);
    unchecked["medicine"] = json!({"name": "Ramipril 5mg capsules", "cd_category": "0000"});
    let add = ["order", "add", "--from", "-"];
    device.ok_as(&nurse, &add, &unchecked.to_string());
    let waits = of("waits-for-check");
    let open = slots(&device, &resident).into_iter().any(|d| d["state"] != json!("recorded"));
    assert!(!open, "a draft is never due");
    let words = device.run(&[&["due"], &span[..]].concat()).stdout;
    for told in ["WAITS FOR ITS CHECK, DO NOT GIVE", "--already-given WHY"] {
        assert!(words.contains(told), "{told} is not in: {words}");
    }
    let waiting = text(&waits[0]["slot"]);
    told(&["record", &waiting, "--outcome", "given", "--reason", "took it"], "O-11");
    assert_eq!(device.ok(&["alerts"]).to_string().matches("nobody had looked").count(), 4);
    let (from, to) = (&then[..10], &super::instant("+1 day")[..10]);
    let chart = device.ok(&["chart", &resident, "--from", from, "--to", to]);
    let given = chart.to_string().matches("nobody had looked").count();
    assert!(given >= 3, "all three stand on the chart: {chart}");
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
    let span = ["--from", &instant("-1 minute"), "--to", &instant("+30 minutes")];
    for args in [&["round"][..], &[&["due"], &span[..]].concat()] {
        let told = device.run(args).stdout;
        assert!(told.contains("IN HOSPITAL, DO NOT GIVE"), "{told}");
        assert!(!told.contains("To record: "), "nobody is told how to give it: {told}");
        assert!(told.contains("--already-given WHY"), "{told}");
    }
    // Nobody knows for how long: no box to come says so.
    let day = instant("+2 days")[..10].to_owned();
    let to_come = device.run(&["chart", &resident, "--from", &day, "--to", &day]).stdout;
    let words = to_come.to_lowercase();
    assert!(words.contains("in hospital since") && words.contains("not due"), "{to_come}");
    assert_eq!(words.matches("hospital").count(), 1, "{to_come}");
    let prn = device.order(&when_required(&resident));
    let then = instant("-1 minute");
    let ten = instant("-10 minutes");
    device.ok_as(&nurse, &["resident", "status", &resident, "hospital", "--from", &ten], "");
    let give = ["give-prn", &prn, "--amount", "2", "--reason", "pain", "--given-at", &then];
    let past = device.run_as(&nurse, &give);
    assert_eq!(rule(&past), "R-05");
    assert!(past.stdout.contains("--already-given"), "{}", past.stdout);
    let all_the_same = [&give[..], &["--already-given", "the ambulance had not come yet"]].concat();
    let told = device.ok_as(&nurse, &all_the_same, "");
    assert!(told["incident"].is_string(), "{told}");
    assert!(device.ok(&["alerts"]).to_string().contains("recorded as in hospital"));
    let discharged = device.run_as(&nurse, &["resident", "status", &resident, "discharged"]);
    assert_eq!(rule(&discharged), "R-06");
    let back = device.ok_as(&nurse, &["resident", "status", &resident, "present"], "");
    let alerts = device.ok(&["alerts"]).as_array().cloned().unwrap_or_default();
    let opened = alerts.iter().find(|a| a["about"]["follow_up"] == back["follow_up"]);
    let opened = opened.expect("a return opens a follow-up");
    assert!(text(&opened["words"]).contains("back from hospital since"), "{opened}");
    let due = format!("medroundctl due --resident {resident} --from ");
    assert!(text(&opened["next"][0]).starts_with(&due), "{opened}");
    assert!(device.run(&["prn", &prn]).stdout.contains("Away until"));
    device.ok_as(&nurse, &["record", &slot, "--outcome", "given"], "");
    // What is said now of an earlier time holds, and the answer says what holds no longer.
    let hour = instant("-1 hour");
    let earlier = ["resident", "status", &resident, "hospital", "--from", &hour];
    let told = device.ok_as(&nurse, &earlier, "");
    assert_eq!(told["now"], json!("hospital"), "{told}");
    assert!(told["ended"].to_string().contains("\"present\""), "{told}");
    assert_eq!(device.ok(&["resident", "show", &resident])["status"], json!("hospital"));
    device.ok_as(&nurse, &["resident", "status", &resident, "present"], "");
    let said = [&earlier[..], &nurse.each_ref().map(String::as_str)[..]].concat();
    let told = device.run(&said).stdout;
    assert!(told.contains("It no longer says: in the home from"), "{told}");
    let again = format!("medroundctl resident status {resident} present --from ");
    assert!(told.lines().any(|line| line.starts_with(&again)), "{told}");
    Ok(())
}

/// Fault: a regular dose that took paracetamol past its most was told by `alerts` alone, afterwards.
pub fn past_the_most() -> Result<(), Failed> {
    let (device, resident) = home();
    let tablets = json!({"name": "Paracetamol 500mg tablets", "form": "tablet",
        "cd_category": "0000",
        "ingredients": [{"name": "paracetamol", "amount": "500", "unit": "mg", "per": "tablet"}]});
    let mut regular = hourly(&resident);
    regular["medicine"] = tablets;
    regular["label"] = json!(null);
    regular["start"] = json!(instant("-5 hours"));
    regular["dose"] = json!({"value": "4", "unit": "tablet"});
    regular["schedule"] =
        json!({"kind": "every", "n": 12, "unit": "hour", "anchor": instant("+2 minutes")});
    device.order(&regular);
    let nurse = device.nurse();
    let twin = ["order", "add", "--from", "-", "--intended", "one for the pain between"];
    let prn = device.ok_as(&nurse, &twin, &when_required(&resident).to_string());
    let prn = text(&prn["order"]);
    device.ok_as(&device.senior(), &["order", "check", &prn], "");
    for ago in ["-20 hours", "-15 hours", "-10 hours"] {
        let (then, why) = (instant(ago), "told at the handover");
        let give = ["give-prn", &prn, "--amount", "2", "--reason", "pain", "--given-at", &then];
        device.ok_as(&nurse, &[&give[..], &["--already-given", why]].concat(), "");
    }
    let due = slots(&device, &resident);
    assert_eq!(due[0]["past_most"]["mg"], json!("5000"), "{due:?}");
    let words = "with this dose 5,000 mg of paracetamol in 24 hours";
    for args in [&["round"][..], &["due", "--resident", &resident]] {
        let told = device.run(args).stdout;
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        if told.contains("Paracetamol") {
            assert!(told.contains(words) && told.contains("pharmacist first"), "{told}");
        }
    }
    let slot = text(&due[0]["slot"]);
    let record = ["record", &slot, "--outcome", "given"];
    let given = device.ok_as(&nurse, &record, "");
    assert_eq!(given["past_most"]["words"].as_str().map(|w| w.starts_with(words)), Some(true));
    Ok(())
}

/// Fault: a dose that had been given after the stop stood in `due` only for whoever asked for what is
/// withheld, and without a mark.
pub fn given_after_the_stop() -> Result<(), Failed> {
    let (device, resident) = home();
    let order = device.order(&hourly(&resident));
    let nurse = device.nurse();
    let slot = text(&slots(&device, &resident)[0]["slot"]);
    let stop = ["order", "stop", &order, "--authorised-by", "Dr Patel", "--reason", "cough"];
    let (ended, then) = (instant("-5 minutes"), instant("-2 minutes"));
    device.ok_as(&nurse, &[&stop[..], &["--at", &ended]].concat(), "");
    let record = ["record", &slot, "--outcome", "given", "--given-at", &then];
    let record = [&record[..], &["--already-given", "nobody had looked"]].concat();
    device.ok_as(&nurse, &record, "");
    let due = slots(&device, &resident);
    let told = (&due[0]["slot"], &due[0]["state"], &due[0]["findings"]);
    assert_eq!(told, (&json!(slot), &json!("recorded"), &json!(["after-the-stop"])));
    let span = ["--from", &instant("-1 minute"), "--to", &instant("+30 minutes")];
    let words = device.run(&[&["due"], &span[..]].concat()).stdout;
    assert!(words.contains("given") && words.contains("GIVEN AFTER THE STOP"), "{words}");
    // The chart says when it was due, and when it was given.
    let chart = device.ok(&["chart", &resident]);
    let outside = &chart["orders"][0]["unscheduled"][0];
    assert_eq!((&outside["slot"], &outside["due"]), (&json!(slot), &due[0]["due"]), "{chart}");
    assert_ne!(outside["due"], outside["given_at"]);
    Ok(())
}
