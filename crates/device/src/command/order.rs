//! `order`: what is prescribed, from the first writing to the stop.

mod confirm;
mod show;
mod template;
mod unoffered;

pub use confirm::Confirm;
pub(super) use show::{grade_word, review_in_words};
pub(super) use unoffered::{
    next_in_words, steps as first_steps, tell_checked, to_json as unoffered_to_json,
};

use super::json::{OrderShape, Place, content_to_json, object, over, read, read_value, without};
use super::session::Session;
use super::{Fault, Given, Output};
use interop::dose_syntax::Start;
use mar::command::{Ask, AskOrder};
use mar::ids::{OrderId, ResidentId, VersionId};
use mar::order::{AsRead, Content, Dose, SameMeaning, State, Version};
use mar::quantity::Amount;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is asked about orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum OrderAsk {
    /// Write a new order.
    Add {
        /// The order in the shape of the manual.
        from: Given,
        /// What stands beside it.
        beside: Beside,
    },
    /// Write a new version of an order (O-03).
    Change {
        /// Which.
        order: String,
        /// The fields to change.
        from: Given,
        /// What stands beside it.
        beside: Beside,
    },
    /// List orders.
    List {
        /// One resident's only.
        resident: Option<String>,
        /// Stopped and rejected ones too.
        all: bool,
    },
    /// Show one.
    Show {
        /// Which.
        order: String,
    },
    /// Write the file that a person completes to confirm a proposal.
    Template {
        /// Which.
        order: String,
    },
    /// Make an imported proposal into an order that waits for its check.
    Confirm(Confirm),
    /// The second person's check (O-02).
    Check {
        /// Which.
        order: String,
    },
    /// Activate with nobody else there (W-09).
    ActivateAlone {
        /// Which.
        order: String,
        /// Why nobody else can check.
        reason: String,
    },
    /// Stop.
    Stop {
        /// Which.
        order: String,
        /// From when; `None` is now.
        at: Option<String>,
        /// Who authorised it.
        authorised_by: String,
        /// Why.
        reason: String,
    },
    /// Hold on advice.
    Hold {
        /// Which.
        order: String,
        /// Why and on whose advice.
        reason: String,
        /// When it is looked at again.
        review: Option<String>,
    },
    /// Give again.
    Resume {
        /// Which.
        order: String,
        /// Why.
        reason: String,
    },
    /// Turn a proposal or an unchecked version down.
    Reject {
        /// Which.
        order: String,
        /// The version; `None` for the proposal or the one that waits.
        version: Option<String>,
        /// Why.
        reason: String,
    },
}

/// What a person says beside an order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Beside {
    /// The label's or the sender's words mean the same (O-05).
    pub same_meaning: bool,
    /// They differ, and how.
    pub differs: Option<String>,
    /// What the prescriber decided about an allergy that matches (W-08).
    pub allergy_decided: Option<String>,
    /// Why the same medicine is meant to stand in another order too (O-08).
    pub intended: Option<String>,
}

impl Beside {
    fn meaning(&self) -> Result<Option<SameMeaning>, Fault> {
        match (self.same_meaning, &self.differs) {
            (true, Some(_)) => {
                Err(Fault::Wrong("say --same-meaning or --differs TEXT, not both".to_owned()))
            }
            (true, None) => Ok(Some(SameMeaning::Same)),
            (false, differs) => Ok(differs.clone().map(SameMeaning::Differs)),
        }
    }

    fn write(
        &self,
        order: OrderId,
        content: Content,
        label_read: Option<AsRead>,
    ) -> Result<AskOrder, Fault> {
        Ok(AskOrder::Write {
            order,
            content,
            same_meaning: self.meaning()?,
            allergy_decided: self.allergy_decided.clone(),
            intended: self.intended.clone(),
            label_read,
        })
    }
}

/// Returns what the label's words are read as, for the record to hold the order against (O-05).
fn label_read(session: &Session<'_>, content: &Content) -> Option<AsRead> {
    let (label, name) = (content.label.as_deref()?, content.medicine.name.as_str());
    let reading = interop::dose_syntax::read_for(label, name);
    let start = Start { date: session.today(), at: content.start };
    let unit = content.dose.unit();
    // "ONE" by itself says how many pieces, whatever they are called.
    let bare = || {
        let value = interop::dose_syntax::bare_number(label).filter(|_| unit.is_a_piece())?;
        Some(Dose::Fixed(Amount { value, unit: unit.clone() }))
    };
    Some(AsRead {
        dose: reading.dose_for(name).or_else(bare),
        schedule: reading.schedule_for(&session.settings().rounds, &start, name),
    })
}

/// How the writer said that label and order differ; `None` where nobody said so.
fn differs(version: &Version) -> Option<&str> {
    match &version.same_meaning {
        Some(SameMeaning::Differs(how)) => Some(how),
        Some(SameMeaning::Same) | None => None,
    }
}

fn intended_to_json(version: &Version) -> Value {
    json!(version.intended.as_ref().map(|intended| json!({
        "with": intended.with.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reason": intended.reason,
    })))
}

/// What the writer said beside the order, which the second person weighs too.
fn notes(session: &Session<'_>, version: &Version) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(how) = differs(version) {
        notes.push(format!("DIFFERS from the words beside it, says the writer: “{how}”"));
    }
    if let Some(intended) = &version.intended {
        let names = intended.with.iter().map(|order| {
            let held = session.picture.resident_of_order(*order);
            let history = held.and_then(|r| r.orders.get(order));
            let version = history.and_then(|h| h.best_version(session.now));
            let name = version.map_or("another order", |v| v.content.medicine.name.as_str());
            format!("{name} ({order})")
        });
        let names = mar::words::list(&names.collect::<Vec<_>>());
        let why = &intended.reason;
        notes.push(format!("SAME MEDICINE as {names}, and meant so: “{why}”"));
    }
    if let Some(decided) = &version.allergy_decided {
        notes.push(format!("ALLERGY decided with the prescriber: “{decided}”"));
    }
    notes
}

/// What `order show` gives and nobody sets.
const SHOWN_ONLY: &[&str] = &[
    "id",
    "order",
    "state",
    "version",
    "directions",
    "written",
    "checked",
    "conflict",
    "held",
    "stopped",
    "versions",
    "proposal",
];

/// Carries out what is asked about orders.
///
/// # Errors
/// Why nothing was written.
pub fn run(session: &mut Session<'_>, ask: &OrderAsk, out: &mut Output<'_>) -> Result<(), Fault> {
    match ask {
        OrderAsk::Add { from, beside } => add(session, from, beside, out),
        OrderAsk::Change { order, from, beside } => change(session, order, from, beside, out),
        OrderAsk::List { resident, all } => show::list(session, resident.as_deref(), *all, out),
        OrderAsk::Show { order } => show::one(session, order, out),
        OrderAsk::Template { order } => template::run(session, order, out),
        OrderAsk::Confirm(ask) => confirm::run(session, ask, out),
        OrderAsk::Check { .. }
        | OrderAsk::ActivateAlone { .. }
        | OrderAsk::Stop { .. }
        | OrderAsk::Hold { .. }
        | OrderAsk::Resume { .. }
        | OrderAsk::Reject { .. } => step(session, ask, out),
    }
}

fn place(session: &Session<'_>) -> Place {
    Place { zone: session.zone(), today: session.today() }
}

fn add(
    session: &mut Session<'_>,
    from: &Given,
    beside: &Beside,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let shape: OrderShape = read(from)?;
    let content = shape.content(&from.name, place(session))?;
    let resident = session.resident(&shape.resident)?.id;
    let order = OrderId(session.device().fresh());
    let read = label_read(session, &content);
    let ask = beside.write(order, content, read)?;
    session.submit(Ask::Order(resident, ask))?;
    answer(session, order, out)
}

fn change(
    session: &mut Session<'_>,
    order: &str,
    from: &Given,
    beside: &Beside,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let (resident, history) = session.order(order)?;
    let (resident, order) = (resident.id, history.id);
    let held = history.best_version(session.now).ok_or_else(|| {
        Fault::Wrong("nobody has confirmed this proposal yet: use order confirm".to_owned())
    })?;
    let known = with_resident(content_to_json(&held.content, session.zone()), resident);
    let top = without(object(from)?, SHOWN_ONLY);
    let shape: OrderShape = read_value(&from.name, over(known, &top))?;
    same_resident(session, &shape, resident, &from.name)?;
    let content = shape.content(&from.name, place(session))?;
    // The label that stood there before is an older one: only a new one is held against the order.
    let read = top.get("label").and_then(|_| label_read(session, &content));
    let ask = beside.write(order, content, read)?;
    session.submit(Ask::Order(resident, ask))?;
    answer(session, order, out)
}

fn with_resident(mut content: Value, resident: ResidentId) -> Value {
    content["resident"] = json!(resident.to_string());
    content
}

/// An order never moves to another resident.
fn same_resident(
    session: &Session<'_>,
    shape: &OrderShape,
    resident: ResidentId,
    file: &str,
) -> Result<(), Fault> {
    if session.resident(&shape.resident)?.id == resident {
        return Ok(());
    }
    Err(Fault::unreadable(file, "resident: this order is another resident's: write a new one"))
}

/// Check, stop, hold, resume, reject: one question, one answer.
fn step(session: &mut Session<'_>, ask: &OrderAsk, out: &mut Output<'_>) -> Result<(), Fault> {
    let (OrderAsk::Check { order }
    | OrderAsk::ActivateAlone { order, .. }
    | OrderAsk::Stop { order, .. }
    | OrderAsk::Hold { order, .. }
    | OrderAsk::Resume { order, .. }
    | OrderAsk::Reject { order, .. }) = ask
    else {
        return Err(Fault::Unexpected("this is no step of an order".to_owned()));
    };
    let (resident, history) = session.order(order)?;
    let (resident, order) = (resident.id, history.id);
    let asked = match ask {
        OrderAsk::Check { .. } => AskOrder::Check { order, version: None },
        OrderAsk::ActivateAlone { reason, .. } => {
            AskOrder::ActivateAlone { order, reason: reason.clone() }
        }
        OrderAsk::Stop { at, authorised_by, reason, .. } => AskOrder::Stop {
            order,
            at: session.instant_of(at.as_deref())?.unwrap_or(session.now),
            authorised_by: authorised_by.clone(),
            reason: reason.clone(),
        },
        OrderAsk::Hold { reason, review, .. } => AskOrder::Hold {
            order,
            reason: reason.clone(),
            review: session.instant_of(review.as_deref())?,
        },
        OrderAsk::Resume { reason, .. } => AskOrder::Resume { order, reason: reason.clone() },
        OrderAsk::Reject { version, reason, .. } => AskOrder::Reject {
            order,
            version: version.as_deref().map(version_id).transpose()?,
            reason: reason.clone(),
        },
        OrderAsk::Add { .. }
        | OrderAsk::Change { .. }
        | OrderAsk::List { .. }
        | OrderAsk::Show { .. }
        | OrderAsk::Template { .. }
        | OrderAsk::Confirm(_) => return Err(Fault::Unexpected("not a step".to_owned())),
    };
    session.submit(Ask::Order(resident, asked))?;
    answer(session, order, out)
}

fn version_id(text: &str) -> Result<VersionId, Fault> {
    text.parse().map_err(|_| {
        Fault::Missing(format!(
            "there is no version {text}: look at `medroundctl order show ORDER`"
        ))
    })
}

/// What a command that writes answers: the order and its state.
fn answer(session: &Session<'_>, order: OrderId, out: &mut Output<'_>) -> Result<(), Fault> {
    let (_, history) = session.order(&order.to_string())?;
    let state = history.state(session.now);
    if out.is_json() {
        let versions = history.versions();
        let last = versions.last().map(|v| v.version);
        let version = last.map(|v| v.id.to_string());
        let (unoffered, first_dose) = unoffered::to_json(session, history);
        out.document(&json!({
            "order": order.to_string(), "state": state.word(), "version": version,
            "unoffered": unoffered, "first_dose": first_dose,
            "differs": last.and_then(differs),
            "allergy_decided": last.and_then(|v| v.allergy_decided.as_deref()),
            "intended": last.map(intended_to_json),
        }));
        return Ok(());
    }
    let versions = history.versions();
    let waits = versions.iter().rfind(|v| !v.rejected).filter(|v| v.checked.is_none());
    if let Some(last) = versions.last() {
        let content = &last.version.content;
        out.line(content.medicine.name.clone());
        out.line(format!("    {}", mar::words::directions(content, &session.settings())));
        if let Some(label) = &content.label {
            out.line(format!("    The label says: “{label}”"));
        }
        for note in notes(session, last.version) {
            out.line(format!("    {note}"));
        }
    }
    out.line(format!("This order is {}: {order}", state.in_words()));
    if matches!(state, State::Active | State::AwaitingSecondCheck) {
        unoffered::tell(session, history, out);
    }
    if waits.is_some() && history.stopped_at().is_none() {
        out.line("Next: a second person compares it with the label and checks it:");
        out.line(format!("medroundctl order check {order} --as INITIALS"));
    }
    Ok(())
}
