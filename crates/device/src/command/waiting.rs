//! Orders that wait for a person, as `chart`, `round`, `alerts` and the paper tell of them.

use super::json::medicine_to_json;
use super::page::moment;
use super::session::Session;
use mar::waiting::{Step, Waiting};
use serde_json::{Value, json};

/// Returns one order that waits as JSON.
#[must_use]
pub(super) fn to_json(session: &Session<'_>, waiting: &Waiting<'_>) -> Value {
    json!({
        "order": waiting.order.to_string(),
        "version": waiting.version.map(|v| v.id.to_string()),
        "medicine": waiting.medicine().map(medicine_to_json),
        "words": waiting.sent_words(),
        "directions": directions(session, waiting),
        "since": waiting.since.rfc3339(session.zone()),
        "by": waiting.written.staff().map(|id| id.to_string()),
        "missing": waiting.step.word(),
        "given_as_before": waiting.meanwhile,
    })
}

/// Returns the medicine by its name.
#[must_use]
pub(super) fn medicine(waiting: &Waiting<'_>) -> String {
    waiting.medicine().map(|m| m.name.clone()).unwrap_or_default()
}

/// Returns our directions in words; `None` while nobody has written any.
#[must_use]
pub(super) fn directions(session: &Session<'_>, waiting: &Waiting<'_>) -> Option<String> {
    let content = waiting.version.map(|v| &v.content)?;
    Some(mar::words::directions(content, &session.settings()))
}

/// Returns since when it waits and who sent or wrote it: `Sat 21 Nov 2026 08:00, written by KB`.
#[must_use]
pub(super) fn since(session: &Session<'_>, waiting: &Waiting<'_>) -> String {
    let at = moment(waiting.since, session.zone());
    let initials = waiting.written.staff().map(|id| session.initials(Some(id)));
    let how = if waiting.step == Step::Confirm { "imported" } else { "written" };
    match initials {
        Some(initials) => format!("{at}, {how} by {initials}"),
        None => format!("{at}, {how}"),
    }
}

/// Returns the lines for a person: what it is, what was sent or written, and what is missing.
#[must_use]
pub(super) fn lines(session: &Session<'_>, waiting: &Waiting<'_>) -> Vec<String> {
    let sent: Vec<String> = waiting.sent_words().iter().map(|w| format!("“{w}”")).collect();
    let said = directions(session, waiting).unwrap_or_else(|| sent.join(" "));
    let said = if said.is_empty() { said } else { format!(": {said}") };
    let meanwhile = if waiting.meanwhile { "; until then it is given as before" } else { "" };
    vec![
        format!("WAITING, DO NOT GIVE {}{said}", medicine(waiting)),
        format!(
            "    since {}; missing: {}{meanwhile}",
            since(session, waiting),
            waiting.step.in_words()
        ),
        format!("    medroundctl order show {}", waiting.order),
    ]
}
