//! `follow-up`: what is to be done, who does it, who was asked, and what became of it (W-12).

use super::page::{moment, wrap};
use super::session::Session;
use super::{Fault, Output};
use mar::command::{Ask, AskResident};
use mar::fact::{AccessKind, Contact, Fact, FollowUpFact};
use mar::ids::{FollowUpId, ResidentId, StaffId};
use mar::picture::{FollowUp, Recorded, ResidentPicture};
use mar::refusal::Missing;
use mar::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is asked about follow-ups.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum FollowUpAsk {
    /// List them.
    List {
        /// One resident's only.
        resident: Option<String>,
        /// Closed ones too.
        all: bool,
    },
    /// Open one.
    Open {
        /// Whose: id or NHS number.
        resident: String,
        /// What is to be done.
        what: String,
        /// The order it is about.
        order: Option<String>,
        /// Who does it: initials or id.
        owner: Option<String>,
    },
    /// Take one on.
    Take {
        /// Which.
        follow_up: String,
        /// Who does it: initials or id; `None` is the person who acts.
        owner: Option<String>,
    },
    /// Note who was contacted and what they advised.
    Note(Note),
    /// Close one.
    Close {
        /// Which.
        follow_up: String,
        /// What became of it.
        outcome: String,
        /// What was changed so that it does not happen again.
        action: String,
    },
}

/// Who was contacted, and what they advised.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    /// Which follow-up.
    pub follow_up: String,
    /// Who: `NAME, ROLE, ORGANISATION`.
    pub contact: Option<String>,
    /// When; `None` is now.
    pub at: Option<String>,
    /// What they advised.
    pub advice: String,
    /// The order that came of it.
    pub order: Option<String>,
}

/// Carries out what is asked about follow-ups.
///
/// # Errors
/// Why nothing was written.
pub fn run(
    session: &mut Session<'_>,
    ask: &FollowUpAsk,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let (resident, asked) = match ask {
        FollowUpAsk::List { resident, all } => {
            return list(session, resident.as_deref(), *all, out);
        }
        FollowUpAsk::Open { resident, what, order, owner } => {
            let id = session.resident(resident)?.id;
            let order = order.as_deref().map(|text| session.order(text)).transpose()?;
            let order = order.map(|(_, history)| history.id);
            let owner = owner.as_deref().map(|text| session.staff(text)).transpose()?;
            (id, AskResident::OpenFollowUp { what: what.clone(), order, owner })
        }
        FollowUpAsk::Take { follow_up, owner } => {
            let (resident, follow_up) = find(session, follow_up)?;
            let owner = match owner {
                Some(text) => session.staff(text)?,
                None => session.person()?,
            };
            (resident, on(follow_up, Some(owner)))
        }
        FollowUpAsk::Note(note) => noted(session, note)?,
        FollowUpAsk::Close { follow_up, outcome, action } => {
            let (resident, follow_up) = find(session, follow_up)?;
            let (outcome, corrective_action) = (outcome.clone(), action.clone());
            (resident, AskResident::CloseFollowUp { follow_up, outcome, corrective_action })
        }
    };
    let saved = session.submit(Ask::Resident(resident, asked))?;
    let written = saved.entries.iter().find_map(|entry| follow_up_of(&entry.fact));
    let written = written.ok_or_else(|| {
        Fault::Unexpected("the record answered with nothing about a follow-up".to_owned())
    })?;
    answer(session, resident, written, out)
}

fn follow_up_of(fact: &Fact) -> Option<FollowUpId> {
    if let Fact::FollowUp(fact) = fact { Some(fact.follow_up()) } else { None }
}

/// Taken on, with nothing else to say.
const fn on(follow_up: FollowUpId, owner: Option<StaffId>) -> AskResident {
    AskResident::ContinueFollowUp {
        follow_up,
        owner,
        contact: None,
        advice: String::new(),
        resulting_order: None,
    }
}

fn noted(session: &Session<'_>, note: &Note) -> Result<(ResidentId, AskResident), Fault> {
    let (resident, follow_up) = find(session, &note.follow_up)?;
    let at = session.instant_of(note.at.as_deref())?;
    if note.contact.is_none() && at.is_some() {
        let words = "--at says when somebody was contacted: say who with --contact";
        return Err(Fault::Wrong(words.to_owned()));
    }
    let contact = note.contact.as_deref().map(|text| contact(text, at.unwrap_or(session.now)));
    let order = note.order.as_deref().map(|text| session.order(text)).transpose()?;
    let resulting_order = order.map(|(_, history)| history.id);
    let (contact, advice) = (contact.transpose()?, note.advice.clone());
    let ask =
        AskResident::ContinueFollowUp { follow_up, owner: None, contact, advice, resulting_order };
    Ok((resident, ask))
}

fn contact(text: &str, at: Timestamp) -> Result<Contact, Fault> {
    let mut parts = text.splitn(3, ',').map(|part| part.trim().to_owned());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(role), Some(organisation)) if !name.is_empty() => {
            Ok(Contact { name, role, organisation, at })
        }
        (_, _, _) => Err(Fault::Wrong("--contact is \"NAME, ROLE, ORGANISATION\"".to_owned())),
    }
}

/// Finds a follow-up and its resident.
fn find(session: &Session<'_>, text: &str) -> Result<(ResidentId, FollowUpId), Fault> {
    let missing = || {
        Fault::Missing(format!(
            "there is no follow-up {text}: take the id from `medroundctl follow-up list`"
        ))
    };
    let id: FollowUpId = text.parse().map_err(|_| missing())?;
    let has = |r: &&std::sync::Arc<ResidentPicture>| r.follow_ups().iter().any(|f| f.id == id);
    let resident = session.picture.residents.values().find(has).ok_or_else(missing)?;
    Ok((resident.id, id))
}

fn list(
    session: &Session<'_>,
    resident: Option<&str>,
    all: bool,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let only = resident.map(|text| session.resident(text)).transpose()?.map(|r| r.id);
    let residents = session.picture.residents.values();
    let of = residents.filter(|r| only.is_none_or(|id| r.id == id));
    let mut found: Vec<(ResidentId, FollowUp<'_>)> =
        of.flat_map(|r| r.follow_ups().into_iter().map(|f| (r.id, f))).collect();
    found.retain(|(_, f)| all || f.closed.is_none());
    found.sort_by_key(|(_, f)| (f.since, f.id));
    if out.is_json() {
        let list = found.iter().map(|(id, f)| to_json(session, *id, f)).collect();
        out.document(&Value::Array(list));
    } else if found.is_empty() {
        out.line("No follow-up is open.");
    } else {
        for (id, follow_up) in &found {
            tell(session, *id, follow_up, out);
        }
    }
    let seen: BTreeSet<ResidentId> = found.iter().map(|(id, _)| *id).collect();
    session.note_access(&seen, AccessKind::Seen);
    Ok(())
}

fn answer(
    session: &Session<'_>,
    resident: ResidentId,
    id: FollowUpId,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let held = session.picture.residents.get(&resident);
    let follow_up = held.and_then(|r| r.follow_ups().into_iter().find(|f| f.id == id));
    let follow_up = follow_up.ok_or_else(|| Fault::Refused(Missing::FollowUp.into()))?;
    if out.is_json() {
        out.document(&to_json(session, resident, &follow_up));
    } else {
        tell(session, resident, &follow_up, out);
    }
    Ok(())
}

fn to_json(session: &Session<'_>, resident: ResidentId, follow_up: &FollowUp<'_>) -> Value {
    let zone = session.zone();
    let steps = follow_up.steps.iter().map(|(entry, fact)| step_to_json(session, entry, fact));
    json!({
        "follow_up": follow_up.id.to_string(),
        "resident": resident.to_string(),
        "order": follow_up.order.map(|id| id.to_string()),
        "what": follow_up.what,
        "owner": follow_up.owner.map(|id| id.to_string()),
        "since": follow_up.since.rfc3339(zone),
        "state": if follow_up.closed.is_some() { "closed" } else { "open" },
        "outcome": follow_up.closed,
        "history": steps.collect::<Vec<_>>(),
    })
}

fn step_to_json(session: &Session<'_>, entry: &Recorded, fact: &FollowUpFact) -> Value {
    let zone = session.zone();
    let mut shape = json!({
        "entry": entry.id.to_string(),
        "at": entry.wall.rfc3339(zone),
        "by": entry.staff().map(|id| id.to_string()),
    });
    match fact {
        FollowUpFact::Opened { what, owner, .. } => {
            shape["kind"] = json!("opened");
            shape["what"] = json!(what);
            shape["owner"] = json!(owner.map(|id| id.to_string()));
        }
        FollowUpFact::Continued { owner, contact, advice, resulting_order, .. } => {
            shape["kind"] = json!("continued");
            shape["owner"] = json!(owner.map(|id| id.to_string()));
            shape["contact"] = json!(contact.as_ref().map(|c| {
                json!({
                    "name": c.name, "role": c.role, "organisation": c.organisation,
                    "at": c.at.rfc3339(zone),
                })
            }));
            shape["advice"] = json!(advice);
            shape["order"] = json!(resulting_order.map(|id| id.to_string()));
        }
        FollowUpFact::Closed { outcome, corrective_action, .. } => {
            shape["kind"] = json!("closed");
            shape["outcome"] = json!(outcome);
            shape["corrective_action"] = json!(corrective_action);
        }
    }
    shape
}

fn tell(
    session: &Session<'_>,
    resident: ResidentId,
    follow_up: &FollowUp<'_>,
    out: &mut Output<'_>,
) {
    let name = super::resident::name(session, resident);
    let owner = follow_up.owner.map(|id| session.initials(Some(id)));
    let owner = owner.unwrap_or_else(|| "nobody yet".to_owned());
    for line in wrap(&format!("{name}: {}", follow_up.what), super::page::WIDTH) {
        out.line(line);
    }
    let since = moment(follow_up.since, session.zone());
    let closed = follow_up.steps.iter().rfind(|(_, f)| matches!(f, FollowUpFact::Closed { .. }));
    match closed.filter(|_| follow_up.closed.is_some()) {
        Some((entry, _)) => {
            let at = moment(entry.wall, session.zone());
            out.line(format!("    opened {since}, closed {at}, who did it: {owner}"));
        }
        None => out.line(format!("    open since {since}, who does it: {owner}")),
    }
    for (entry, fact) in &follow_up.steps {
        let Some(words) = step_in_words(session, fact) else { continue };
        let by = session.initials(entry.staff());
        let told = format!("{}, {by}: {words}", moment(entry.wall, session.zone()));
        for line in wrap(&told, super::page::WIDTH - 4) {
            out.line(format!("    {line}"));
        }
    }
    if follow_up.closed.is_none() {
        out.line(format!("    {}", close_with(follow_up.id)));
    } else {
        out.line(format!("    {}", follow_up.id));
    }
}

/// What was written after the opening; `None` for the opening itself, whose words stand above.
fn step_in_words(session: &Session<'_>, fact: &FollowUpFact) -> Option<String> {
    match fact {
        FollowUpFact::Opened { .. } => None,
        FollowUpFact::Continued { owner, contact, advice, resulting_order, .. } => {
            let mut parts = Vec::new();
            parts.extend(owner.map(|id| format!("{} does it", session.initials(Some(id)))));
            parts.extend(contact.as_ref().map(|c| {
                let at = moment(c.at, session.zone());
                format!("contacted {}, {}, {}, {at}", c.name, c.role, c.organisation)
            }));
            if !advice.trim().is_empty() {
                parts.push(format!("advice: {advice}"));
            }
            parts.extend(resulting_order.map(|id| format!("order {id}")));
            Some(parts.join("; "))
        }
        FollowUpFact::Closed { outcome, corrective_action, .. } => {
            let changed = corrective_action.trim();
            let changed = (!changed.is_empty()).then(|| format!("; changed: {changed}"));
            Some(format!("closed: {outcome}{}", changed.unwrap_or_default()))
        }
    }
}

/// Returns the command that closes a follow-up.
#[must_use]
pub(super) fn close_with(id: FollowUpId) -> String {
    format!("medroundctl follow-up close {id} --outcome \"WHAT BECAME OF IT\" --as INITIALS")
}
