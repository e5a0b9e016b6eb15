//! `order confirm`: a first person makes an imported proposal into an order that waits for its
//! check. What was read clearly is taken over; everything else is written by the person.

use super::template::{CATEGORY, next_steps, offered, open_points};
use super::{Beside, SHOWN_ONLY, answer, label_read, place, same_resident, with_resident};
use crate::command::import::UNNAMED;
use crate::command::json::{OrderShape, object, over, read_value, without};
use crate::command::session::Session;
use crate::command::{Fault, Given, Output};
use mar::command::Ask;
use mar::ids::OrderId;
use mar::order::State;
use mar::refusal::OrderRefusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which proposal to confirm, and what a person adds to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Confirm {
    /// The order.
    pub order: String,
    /// Fields that complete or replace what was read.
    pub from: Option<Given>,
    /// The controlled-drug category by its dm+d code; `None` where the file or the sender has it.
    pub cd_category: Option<String>,
    /// What stands beside it.
    pub beside: Beside,
}

/// Confirms a proposal.
///
/// # Errors
/// Why nothing was written.
pub(super) fn run(
    session: &mut Session<'_>,
    ask: &Confirm,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let (resident, history) = session.order(&ask.order)?;
    let (resident, order) = (resident.id, history.id);
    let Some(proposal) = history.proposal() else {
        let state = history.state(session.now);
        return Err(Fault::Refused(OrderRefusal::State(state.in_words()).into()));
    };
    let state = history.state(session.now);
    if matches!(state, State::Stopped | State::Rejected) {
        return Err(Fault::Refused(OrderRefusal::State(state.in_words()).into()));
    }
    let mut open = open_points(proposal);
    open.retain(|point| point != CATEGORY || ask.cd_category.is_none());
    if !open.is_empty() && ask.from.is_none() {
        let message = format!(
            "an order needs what was not read from the sender's words: {}. {}",
            mar::words::list(&open),
            next_steps(order, proposal).join(" ")
        );
        return Err(Fault::Rule { rule: "O-01", message });
    }
    let known = with_resident(offered(session, proposal), resident);
    let (name, mut whole) = match &ask.from {
        Some(given) => (given.name.as_str(), over(known, &without(object(given)?, SHOWN_ONLY))),
        None => ("the proposal", known),
    };
    if let Some(code) = &ask.cd_category {
        // Of a file whose medicine is no object the reader tells what is wrong.
        if let Some(medicine) = whole.get_mut("medicine").and_then(Value::as_object_mut) {
            medicine.insert("cd_category".to_owned(), Value::from(code.as_str()));
        }
    }
    if whole["medicine"]["name"] == UNNAMED {
        return Err(still_open("medicine", order));
    }
    for field in ["dose", "schedule", "route"] {
        if whole.get(field).is_none_or(Value::is_null) {
            return Err(still_open(field, order));
        }
    }
    let shape: OrderShape = read_value(name, whole)?;
    same_resident(session, &shape, resident, name)?;
    let content = shape.content(name, place(session))?;
    let read = label_read(session, &content);
    let write = ask.beside.write(order, content, read)?;
    session.submit(Ask::Order(resident, write))?;
    answer(session, order, out)
}

/// A field that neither the sender nor the file tells.
fn still_open(field: &str, order: OrderId) -> Fault {
    let message = format!(
        "an order needs its {field}: write it in the file of: medroundctl order template {order}"
    );
    Fault::Rule { rule: "O-01", message }
}
