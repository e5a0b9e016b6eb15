//! Which devices were not heard is said by every answer that depends on it (Y-04, W-16).

use device::Running;
use device::command::alerts::AlertsRequest;
use device::command::record::DoseAsk;
use device::command::{Ask, Output, Piece, Request, Who, run};
use serde_json::{Value, json};

use crate::home::{Home, Place, until};

/// What a device answers, as its lines and, with `json`, as one document.
fn told(place: &Place, json: bool, ask: Ask) -> String {
    let device = place.device().clone();
    let running = Running { device, network: None };
    let mut lines = Vec::new();
    let mut sink = |piece| {
        match piece {
            Piece::Stdout(line) | Piece::Stderr(line) => lines.push(line),
            Piece::Progress(_) | Piece::File { .. } => {}
        }
        true
    };
    let code = run(
        &running,
        Request { json, who: Who::default(), ask },
        &mut Output::new(json, &mut sink),
    );
    assert_eq!(code, 0, "{lines:?}");
    lines.join(if json { "\n" } else { " " })
}

fn document(place: &Place, ask: Ask) -> Value {
    serde_json::from_str(&told(place, true, ask)).unwrap()
}

#[test]
fn alerts_conflicts_and_the_card_say_which_device_was_not_heard() {
    let home = Home::of_two();
    let ward = home.with_a_medicine();
    home.wait_level();
    let alerts = || Ask::Alerts(AlertsRequest::All);
    let conflicts = || Ask::Alerts(AlertsRequest::Conflicts);
    let prn = || Ask::Dose(DoseAsk::Prn { order: ward.order.to_string() });
    for ask in [alerts(), conflicts(), prn()] {
        assert!(!told(&home.office, false, ask).contains("NOT HEARD"));
    }
    assert_eq!(document(&home.office, conflicts()), json!([]));
    home.cut();
    until("the gap is noticed", || !home.office.device().complete_to().1.is_empty());
    let trolley = home.trolley.device().id().to_string();
    for ask in [alerts(), conflicts(), prn()] {
        let words = told(&home.office, false, ask);
        assert!(words.contains("NOT HEARD: Trolley since "), "{words}");
    }
    for ask in [alerts(), conflicts()] {
        let list = document(&home.office, ask);
        let last = list.as_array().and_then(|all| all.last()).unwrap();
        assert_eq!(last["cause"], json!("not-heard"), "{list}");
        assert_eq!(last["about"]["device"], json!(trolley), "{list}");
        assert!(last["since"].is_string(), "{list}");
    }
    let card = document(&home.office, prn());
    assert_eq!(card["unheard"][0]["device"], json!(trolley), "{card}");
    assert!(card["unheard"][0]["last_heard"].is_string(), "{card}");
}
