//! `order confirm`: a first person makes an imported proposal into an order that waits for its
//! check. What was read clearly is taken over; everything else is written by the person.

use super::{Beside, SHOWN_ONLY, answer, place, same_resident, with_resident};
use crate::command::import::UNNAMED;
use crate::command::json::{
    OrderShape, dose, medicine_to_json, object, over, read_value, schedule_to_json, without,
};
use crate::command::session::Session;
use crate::command::{Fault, Given, Output};
use mar::command::{Ask, AskOrder};
use mar::order::{Flags, Grade, Proposal, State};
use mar::refusal::OrderRefusal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which proposal to confirm, and what a person adds to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Confirm {
    /// The order.
    pub order: String,
    /// Fields that complete or replace what was read.
    pub from: Option<Given>,
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
        return Err(Fault::Refused(OrderRefusal::State(state.word()).into()));
    };
    let state = history.state(session.now);
    if matches!(state, State::Stopped | State::Rejected) {
        return Err(Fault::Refused(OrderRefusal::State(state.word()).into()));
    }
    if proposal.grade != Grade::Clear && ask.from.is_none() {
        return Err(Fault::Refused(OrderRefusal::Incomplete(unread(proposal)).into()));
    }
    let known = with_resident(offered(session, proposal), resident);
    let (name, whole) = match &ask.from {
        Some(given) => (given.name.as_str(), over(known, &without(object(given)?, SHOWN_ONLY))),
        None => ("the proposal", known),
    };
    if whole["medicine"]["name"] == UNNAMED {
        let what = "medicine: the sender does not name it, so write it in a file for --from";
        return Err(Fault::Refused(OrderRefusal::Incomplete(what).into()));
    }
    for field in ["dose", "schedule", "route"] {
        if whole.get(field).is_none_or(Value::is_null) {
            let what = match field {
                "dose" => "dose: it was not read, so write it in a file for --from",
                "schedule" => "schedule: it was not read, so write it in a file for --from",
                _ => "route: the sender did not say, so write it in a file for --from",
            };
            return Err(Fault::Refused(OrderRefusal::Incomplete(what).into()));
        }
    }
    let shape: OrderShape = read_value(name, whole)?;
    same_resident(session, &shape, resident, name)?;
    let write = AskOrder::Write {
        order,
        content: shape.content(name, place(session))?,
        same_meaning: ask.beside.meaning()?,
        allergy_decided: ask.beside.allergy_decided.clone(),
    };
    session.submit(Ask::Order(resident, write))?;
    answer(session, order, out)
}

const fn unread(proposal: &Proposal) -> &'static str {
    match proposal.grade {
        Grade::Refused => {
            "dose and schedule from a person: nothing was read from the sender's words; give them \
             with --from FILE"
        }
        Grade::Partial | Grade::Clear => {
            "open points decided by a person: the sender's words were read in part only; give the \
             rest with --from FILE"
        }
    }
}

/// A dose that is counted in pieces names the form of the pieces.
fn form_in_dose(proposal: &Proposal) -> Option<&str> {
    const PIECES: [&str; 7] =
        ["tablet", "capsule", "caplet", "sachet", "patch", "suppository", "lozenge"];
    let unit = proposal.dose.as_ref()?.unit().as_str();
    PIECES.contains(&unit).then_some(unit)
}

/// What a proposal offers, in the shape of an order.
fn offered(session: &Session<'_>, proposal: &Proposal) -> Value {
    let zone = session.zone();
    let flags = Flags::default();
    let words = proposal.words.join("\n");
    let mut medicine = medicine_to_json(&proposal.medicine);
    if medicine["form"].is_null() {
        medicine["form"] = json!(form_in_dose(proposal));
    }
    json!({
        "medicine": medicine,
        "route": proposal.route,
        "dose": proposal.dose.as_ref().map(dose),
        "schedule": proposal.schedule.as_ref().map(|s| schedule_to_json(s, flags, zone)),
        "start": proposal.start.unwrap_or(session.now).rfc3339(zone),
        "source": "gp-record",
        "label": (!words.trim().is_empty()).then_some(words),
    })
}
