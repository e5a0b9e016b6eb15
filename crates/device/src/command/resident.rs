//! `resident`: who lives here.

mod whereabouts;

pub use whereabouts::{
    apart_in_words, apart_lines, apart_to_json, away_since, status_command, whereabouts_in_words,
};

use super::json::{ResidentShape, object, over, read, read_value, without};
use super::order::{tell_checked, unoffered_to_json};
use super::page::{Table, WIDTH, count, day, moment, wrap};
use super::session::Session;
use super::{Fault, Given, Output};
use mar::command::{Ask, AskResident};
use mar::fact::AccessKind;
use mar::ids::{OrderId, ResidentId, VersionId};
use mar::picture::ResidentPicture;
use mar::resident::{Allergies, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is asked about residents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ResidentAsk {
    /// Admit somebody.
    Add {
        /// The resident in the shape of the manual.
        from: Given,
    },
    /// Change what is known of somebody.
    Change {
        /// Whose id or NHS number.
        resident: String,
        /// The fields to change.
        from: Given,
    },
    /// List them.
    List {
        /// One unit only.
        unit: Option<String>,
        /// Those who left or died too.
        all: bool,
    },
    /// Show one.
    Show {
        /// Id or NHS number.
        resident: String,
    },
    /// Somewhere else from an instant on.
    Status(Move),
    /// The second person's check of a whole page (W-09).
    Check {
        /// Id or NHS number.
        resident: String,
        /// These lines only; empty is every line that waits.
        orders: Vec<String>,
    },
}

/// Where a resident is from an instant on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Move {
    /// Id or NHS number.
    pub resident: String,
    /// The word for where.
    pub whereabouts: String,
    /// From when; `None` is now.
    pub from: Option<String>,
    /// Who told, and other words.
    pub note: String,
}

/// What `resident show` gives and nobody sets.
const SHOWN_ONLY: &[&str] =
    &["id", "resident", "status", "whereabouts_apart", "similar_to", "conflict"];

/// Carries out what is asked about residents.
///
/// # Errors
/// Why nothing was written.
pub fn run(
    session: &mut Session<'_>,
    ask: &ResidentAsk,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    match ask {
        ResidentAsk::Add { from } => add(session, from, out),
        ResidentAsk::Change { resident, from } => change(session, resident, from, out),
        ResidentAsk::List { unit, all } => list(session, unit.as_deref(), *all, out),
        ResidentAsk::Show { resident } => show(session, resident, out),
        ResidentAsk::Status(to) => go(session, to, out),
        ResidentAsk::Check { resident, orders } => check(session, resident, orders, out),
    }
}

fn add(session: &mut Session<'_>, from: &Given, out: &mut Output<'_>) -> Result<(), Fault> {
    let shape: ResidentShape = read(from)?;
    let id = ResidentId(session.device().fresh());
    write(session, id, &shape, &from.name)?;
    if out.is_json() {
        out.document(&json!({ "resident": id.to_string() }));
        return Ok(());
    }
    out.line(format!("{} is a resident now: {id}", name(session, id)));
    if let Some(found) = session.picture.resident(id) {
        if found.allergies() == Allergies::NotAsked {
            out.line("ALLERGIES NOT RECORDED. Ask, then write them in a file:");
            out.line(format!("medroundctl resident change {id} --from FILE --as INITIALS"));
        }
        let similar = similar_names(session, id);
        if !similar.is_empty() {
            out.line(format!("SIMILAR NAME: {}", similar.join("; ")));
        }
    }
    out.line("Next: write what is prescribed, or take it from the GP's record:");
    out.line("medroundctl order add --from FILE --as INITIALS");
    out.line("medroundctl import FILE --as INITIALS");
    Ok(())
}

/// Identity and allergies, in one transaction.
fn write(
    session: &mut Session<'_>,
    id: ResidentId,
    shape: &ResidentShape,
    file: &str,
) -> Result<(), Fault> {
    let identity = shape.identity().map_err(|m| Fault::unreadable(file, m))?;
    let allergies = shape.allergies().map_err(|m| Fault::unreadable(file, m))?;
    let held = session.picture.resident(id);
    let same_identity = held.is_some_and(|r| r.identity() == Some(&identity));
    let before = held.map_or(Allergies::NotAsked, |r| r.allergies());
    let mut asks = Vec::new();
    if !same_identity {
        asks.push(Ask::Resident(id, AskResident::WriteIdentity(identity)));
    }
    if let Some(allergies) = allergies.filter(|a| *a != before) {
        asks.push(Ask::Resident(id, AskResident::WriteAllergies(allergies)));
    }
    session.submit_all(asks)?;
    Ok(())
}

fn change(
    session: &mut Session<'_>,
    resident: &str,
    from: &Given,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let found = session.resident(resident)?.clone();
    let identity = found
        .identity()
        .ok_or_else(|| Fault::Refused(mar::refusal::Missing::Resident(found.id).into()))?;
    let known = ResidentShape::of(identity, &found.allergies());
    let known = serde_json::to_value(known).map_err(|e| Fault::Unexpected(e.to_string()))?;
    let top = without(object(from)?, SHOWN_ONLY);
    let mut whole = over(known, &top);
    // Allergies are a list that is given as a whole, never mixed with the one before.
    if let Some(allergies) = top.get("allergies") {
        whole["allergies"] = allergies.clone();
    }
    let shape: ResidentShape = read_value(&from.name, whole)?;
    write(session, found.id, &shape, &from.name)?;
    if out.is_json() {
        out.document(&json!({ "resident": found.id.to_string() }));
    } else {
        out.line(format!("What is known of {} was changed.", name(session, found.id)));
    }
    Ok(())
}

fn list(
    session: &Session<'_>,
    unit: Option<&str>,
    all: bool,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let mut found: Vec<_> = session
        .picture
        .residents
        .values()
        .filter(|r| r.identity().is_some() && (all || r.is_here(session.now)))
        .filter(|r| {
            unit.is_none_or(|u| r.identity().is_some_and(|i| i.unit.eq_ignore_ascii_case(u)))
        })
        .collect();
    found.sort_by_cached_key(|r| mar::round::place_on_trolley(r));
    if out.is_json() {
        let list: Vec<Value> = found.iter().map(|r| to_json(session, r)).collect();
        out.document(&Value::Array(list));
    } else if found.is_empty() {
        out.line(match (unit, session.picture.residents.is_empty()) {
            (Some(_), false) => "Nobody lives in this unit. Everybody: medroundctl resident list",
            (None, false) => "Nobody lives here now. Who did: medroundctl resident list --all",
            (_, true) => "No residents yet. Add one, or take them from the GP's records:",
        });
        if session.picture.residents.is_empty() {
            out.line("medroundctl resident add --from FILE --as INITIALS");
            out.line("medroundctl import FILE --as INITIALS");
        }
    } else {
        let mut table = Table::new(&["Room", "Name", "Born", "Allergies", "Id"]);
        for resident in &found {
            table.row(row(session, resident));
        }
        for line in table.lines() {
            out.line(line);
        }
    }
    let seen: BTreeSet<ResidentId> = found.iter().map(|r| r.id).collect();
    session.note_access(&seen, AccessKind::Seen);
    Ok(())
}

fn row(session: &Session<'_>, resident: &ResidentPicture) -> [String; 5] {
    let identity = resident.identity();
    let room = identity.map_or_else(String::new, |i| format!("{} {}", i.unit, i.room));
    let born = identity.and_then(|i| i.born).map_or_else(|| "not recorded".to_owned(), day);
    let whereabouts = resident.whereabouts(session.now);
    let mut name = identity.map_or_else(String::new, |i| i.list_name());
    if !whereabouts.is_present() {
        name.push_str(&format!(" [{}]", whereabouts_in_words(whereabouts)));
    }
    [room, name, born, allergies_in_words(&resident.allergies()), resident.id.to_string()]
}

/// Returns what is known of allergies for a person; never blank.
#[must_use]
pub fn allergies_in_words(allergies: &Allergies) -> String {
    match allergies {
        Allergies::Recorded(list) => {
            let each = |a: &mar::resident::Allergy| match &a.reaction {
                Some(reaction) => format!("{} ({reaction})", a.substance),
                None => format!("{} (reaction not recorded)", a.substance),
            };
            list.iter().map(each).collect::<Vec<_>>().join("; ")
        }
        Allergies::NoneKnown { by, .. } => format!("none known ({by})"),
        Allergies::NotAsked => "NOT RECORDED: CHECK".to_owned(),
    }
}

/// Returns a resident's name as lists show it.
#[must_use]
pub fn name(session: &Session<'_>, id: ResidentId) -> String {
    let identity = session.picture.resident(id).and_then(|r| r.identity());
    identity.map_or_else(|| id.to_string(), |i| i.list_name())
}

fn similar_names(session: &Session<'_>, id: ResidentId) -> Vec<String> {
    let of = |r: &std::sync::Arc<ResidentPicture>| r.identity().map(|i| i.list_name());
    session.picture.similar_to(id, session.now).filter_map(of).collect()
}

fn to_json(session: &Session<'_>, resident: &ResidentPicture) -> Value {
    let mut shape = json!({
        "id": resident.id.to_string(),
        "resident": resident.id.to_string(),
    });
    if let Some(identity) = resident.identity()
        && let Ok(Value::Object(fields)) =
            serde_json::to_value(ResidentShape::of(identity, &resident.allergies()))
        && let Some(all) = shape.as_object_mut()
    {
        all.extend(fields);
    }
    shape["status"] = json!(whereabouts::word(resident.whereabouts(session.now)));
    shape["whereabouts_apart"] = apart_to_json(session, resident);
    let similar: Vec<String> =
        session.picture.similar_to(resident.id, session.now).map(|r| r.id.to_string()).collect();
    shape["similar_to"] = json!(similar);
    shape["needs_update"] = json!(mar::unread::of_resident(resident).is_some());
    shape["conflict"] =
        json!(!resident.identity_conflict().is_empty() || resident.has_allergy_conflict());
    shape
}

fn show(session: &Session<'_>, resident: &str, out: &mut Output<'_>) -> Result<(), Fault> {
    let found = session.resident(resident)?;
    if out.is_json() {
        out.document(&to_json(session, found));
    } else {
        tell(session, found, out);
    }
    session.note_access(&BTreeSet::from([found.id]), AccessKind::Seen);
    Ok(())
}

fn tell(session: &Session<'_>, resident: &ResidentPicture, out: &mut Output<'_>) {
    let Some(identity) = resident.identity() else { return };
    let title = identity.title.as_deref().map(|t| format!(", {t}")).unwrap_or_default();
    out.line(format!("{}{title}    {}", identity.list_name(), resident.id));
    out.line(format!("ALLERGIES: {}", allergies_in_words(&resident.allergies())));
    let similar = similar_names(session, resident.id);
    if !similar.is_empty() {
        out.line(format!("SIMILAR NAME: {}", similar.join("; ")));
    }
    for line in apart_lines(session, resident, WIDTH) {
        out.line(line);
    }
    let born = identity.born.map_or_else(|| "not recorded".to_owned(), day);
    let age = identity.age_on(session.today()).map(|a| format!(", {a} years")).unwrap_or_default();
    let number = identity.nhs_number.map(|n| n.to_string());
    let no_number = || identity.no_nhs_number.clone().unwrap_or_else(|| "not recorded".to_owned());
    let thickener = identity.thickener.as_deref().unwrap_or("none recorded");
    for (what, words) in [
        ("Born", format!("{born}{age}")),
        ("NHS number", number.unwrap_or_else(no_number)),
        ("Room", format!("{} {}", identity.unit, identity.room)),
        ("Where", whereabouts_in_words(resident.whereabouts(session.now)).to_owned()),
        ("How I take", identity.how_i_take.clone()),
        ("Thickener", thickener.to_owned()),
        ("GP", identity.gp.clone()),
        ("Pharmacy", identity.pharmacy.clone()),
    ] {
        let words = if words.trim().is_empty() { "not recorded" } else { words.trim() };
        out.line(format!("{what:<12}{words}"));
    }
    let open = resident.orders.values().filter(|h| h.stopped_at().is_none()).count();
    out.line(format!(
        "{}: medroundctl order list --resident {}",
        count(open, "order"),
        resident.id
    ));
}

fn go(session: &mut Session<'_>, to: &Move, out: &mut Output<'_>) -> Result<(), Fault> {
    let before = session.resident(&to.resident)?.clone();
    let id = before.id;
    let found = whereabouts::WHEREABOUTS.iter().find(|(_, word, _)| *word == to.whereabouts);
    let (whereabouts, word, words) = found.ok_or_else(|| {
        let all: Vec<&str> = whereabouts::WHEREABOUTS.iter().map(|(_, word, _)| *word).collect();
        Fault::Wrong(format!("`{}`: one of {} was expected", to.whereabouts, all.join(", ")))
    })?;
    let from = session.instant_of(to.from.as_deref())?.unwrap_or(session.now);
    let status =
        Status { whereabouts: *whereabouts, from, note: to.note.clone(), second: session.witness };
    let saved = session.submit(Ask::Resident(id, AskResident::ChangeStatus(status.clone())))?;
    let opened = super::record::opened(&saved);
    let now = whereabouts::Now::of(session, id, &before);
    if out.is_json() {
        let from = from.rfc3339(session.zone());
        let mut answer = json!({ "resident": id.to_string(), "status": word, "from": from });
        now.tell(session, &mut answer);
        answer["follow_up"] = json!(opened.map(|(follow_up, _)| follow_up.to_string()));
        out.document(&answer);
    } else {
        out.line(format!(
            "{} is {words} from {}.",
            name(session, id),
            moment(from, session.zone())
        ));
        for line in now.lines(session, (id, &status)) {
            out.line(line);
        }
        if let Some((follow_up, what)) = opened {
            for line in wrap(&format!("Opened: {what}"), WIDTH) {
                out.line(line);
            }
            out.line(super::follow_up::close_with(follow_up));
        }
    }
    Ok(())
}

/// The lines of a page that wait for a check.
fn waiting(resident: &ResidentPicture) -> Vec<(OrderId, VersionId, Option<mar::ids::StaffId>)> {
    resident
        .orders
        .values()
        .filter(|history| history.stopped_at().is_none())
        .filter_map(|history| {
            let versions = history.versions();
            let last = versions.iter().rfind(|v| !v.rejected)?;
            let waits = last.checked.is_none() && !last.conflict;
            waits.then(|| (history.id, last.version.id, last.written.staff()))
        })
        .collect()
}

fn check(
    session: &mut Session<'_>,
    resident: &str,
    orders: &[String],
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let found = session.resident(resident)?.clone();
    let checker = session.person()?;
    let all = waiting(&found);
    let lines: Vec<(OrderId, VersionId)> = if orders.is_empty() {
        // What the checker wrote waits for somebody else; with nothing else the record says so.
        let others: Vec<_> = all.iter().filter(|(.., writer)| *writer != Some(checker)).collect();
        let own = if others.is_empty() { all.iter().collect() } else { others };
        own.iter().map(|(order, version, _)| (*order, *version)).collect()
    } else {
        orders.iter().map(|text| line_of(session, text, &all)).collect::<Result<_, _>>()?
    };
    let ask = Ask::Resident(found.id, AskResident::CheckPage(lines.clone()));
    session.submit_all(vec![ask])?;
    let left = all.len().saturating_sub(lines.len());
    if out.is_json() {
        let checked: Vec<Value> = lines
            .iter()
            .map(|(order, _)| {
                let (_, history) = session.order(&order.to_string())?;
                let state = history.state(session.now).word();
                let (unoffered, first_dose) = unoffered_to_json(session, history);
                Ok::<_, Fault>(json!({
                    "order": order.to_string(), "state": state,
                    "unoffered": unoffered, "first_dose": first_dose,
                }))
            })
            .collect::<Result<_, _>>()?;
        out.document(&json!({
            "resident": found.id.to_string(), "checked": checked, "left": left,
            "whereabouts_apart": apart_to_json(session, &found),
        }));
        return Ok(());
    }
    out.line(format!("{} of {} checked.", count(lines.len(), "order"), name(session, found.id)));
    for (order, _) in &lines {
        let (_, history) = session.order(&order.to_string())?;
        tell_checked(session, history, out);
    }
    for line in apart_lines(session, &found, WIDTH) {
        out.line(line);
    }
    if left > 0 {
        out.line(format!("{} still waiting for somebody else.", count(left, "order")));
    }
    Ok(())
}

fn line_of(
    session: &Session<'_>,
    text: &str,
    all: &[(OrderId, VersionId, Option<mar::ids::StaffId>)],
) -> Result<(OrderId, VersionId), Fault> {
    let (_, history) = session.order(text)?;
    let found = all.iter().find(|(order, ..)| *order == history.id);
    found.map(|(order, version, _)| (*order, *version)).ok_or_else(|| {
        let state = history.state(session.now).in_words();
        Fault::Refused(mar::refusal::OrderRefusal::State(state).into())
    })
}
