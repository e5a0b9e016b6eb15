//! What an imported proposal offers, what is missing in it, and the file that a person completes.

use super::with_resident;
use crate::command::import::UNNAMED;
use crate::command::json::{dose, medicine_to_json, schedule_to_json};
use crate::command::session::Session;
use crate::command::{Fault, Output};
use mar::ids::OrderId;
use mar::medicine::CdCategory;
use mar::order::{Flags, Grade, Proposal, Stated};
use mar::refusal::OrderRefusal;
use mar::schedule::Schedule;
use serde_json::{Value, json};

/// Writes the file that `order confirm --from` takes: what was read stands in it, what was not is
/// null.
///
/// # Errors
/// When there is no such order, or nobody sent it.
pub(super) fn run(session: &Session<'_>, order: &str, out: &mut Output<'_>) -> Result<(), Fault> {
    let (resident, history) = session.order(order)?;
    let Some(proposal) = history.proposal() else {
        let state = history.state(session.now);
        return Err(Fault::Refused(OrderRefusal::State(state.in_words()).into()));
    };
    out.document(&with_resident(offered(session, proposal), resident.id));
    Ok(())
}

/// What no sender of ours tells.
pub(super) const CATEGORY: &str = "controlled-drug category (cd_category)";

/// Returns what a person has to write before the proposal can be an order; empty when everything
/// was read.
pub(super) fn open_points(proposal: &Proposal) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    if proposal.medicine.name == UNNAMED {
        open.push("medicine");
    }
    if proposal.dose.is_none() {
        open.push("dose");
    }
    match &proposal.schedule {
        None => open.push("schedule"),
        Some(Schedule::WhenRequired(prn)) => {
            if matches!(&prn.min_interval, Stated::NotStated { asked } if asked.trim().is_empty()) {
                open.push("shortest time between doses");
            }
            if matches!(&prn.max_24h, Stated::NotStated { asked } if asked.trim().is_empty()) {
                open.push("most in 24 hours");
            }
            if prn.protocol.what_for.trim().is_empty() {
                open.push("indication");
            }
        }
        Some(
            Schedule::Times { .. }
            | Schedule::Rounds { .. }
            | Schedule::EveryDays { .. }
            | Schedule::EveryWeeks { .. }
            | Schedule::EveryHours { .. }
            | Schedule::Once { .. },
        ) => {}
    }
    if proposal.route.as_deref().is_none_or(|route| route.trim().is_empty()) {
        open.push("route");
    }
    let read_in_full = open.is_empty();
    if proposal.medicine.cd == CdCategory::Unknown {
        open.push(CATEGORY);
    }
    if read_in_full && proposal.grade != Grade::Clear {
        open.push("points that the remarks leave open");
    }
    open.into_iter().map(str::to_owned).collect()
}

/// Returns the commands that come next, for each grade of reading.
pub(super) fn next_steps(order: OrderId, proposal: &Proposal) -> Vec<String> {
    let open = open_points(proposal);
    let confirm = format!("medroundctl order confirm {order}");
    if open.is_empty() {
        return vec![
            "Next, if the words mean the same (else --differs TEXT):".to_owned(),
            format!("{confirm} --same-meaning --as INITIALS"),
        ];
    }
    if open == [CATEGORY] {
        return vec![
            format!("Next, with CODE one of {}:", CdCategory::choices()),
            format!("{confirm} --cd-category CODE --same-meaning --as INITIALS"),
        ];
    }
    vec![
        format!("Next, write the {} into a file:", mar::words::list(&open)),
        format!("medroundctl order template {order} > order.json"),
        "then confirm it:".to_owned(),
        format!("{confirm} --from order.json --same-meaning --as INITIALS"),
    ]
}

/// What a when-required medicine is for, where the words say so.
fn indication(proposal: &Proposal) -> Option<String> {
    let Some(Schedule::WhenRequired(prn)) = &proposal.schedule else { return None };
    let what_for = prn.protocol.what_for.trim();
    (!what_for.is_empty()).then(|| what_for.to_owned())
}

/// A dose that is counted in pieces names the form of the pieces.
fn form_in_dose(proposal: &Proposal) -> Option<&str> {
    const PIECES: [&str; 7] =
        ["tablet", "capsule", "caplet", "sachet", "patch", "suppository", "lozenge"];
    let unit = proposal.dose.as_ref()?.unit().as_str();
    PIECES.contains(&unit).then_some(unit)
}

/// What a proposal offers, in the shape of an order. What was not read is null.
pub(super) fn offered(session: &Session<'_>, proposal: &Proposal) -> Value {
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
        "indication": indication(proposal),
        "source": "gp-record",
        "label": (!words.trim().is_empty()).then_some(words),
    })
}
