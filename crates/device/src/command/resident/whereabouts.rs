//! Where a resident is, in words; and where devices that were apart say two things (Y-02).

use crate::command::page::{moment, wrap};
use crate::command::session::Session;
use mar::ids::ResidentId;
use mar::picture::ResidentPicture;
use mar::resident::{Status, Whereabouts};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Where somebody can be: as it is typed, and for a person.
pub(super) const WHEREABOUTS: [(Whereabouts, &str, &str); 6] = [
    (Whereabouts::Present, "present", "in the home"),
    (Whereabouts::DayLeave, "day-leave", "out for the day"),
    (Whereabouts::OvernightLeave, "overnight-leave", "away overnight"),
    (Whereabouts::Hospital, "hospital", "in hospital"),
    (Whereabouts::Discharged, "discharged", "discharged"),
    (Whereabouts::Deceased, "deceased", "deceased"),
];

/// Returns where a resident is, for a person.
#[must_use]
pub fn whereabouts_in_words(whereabouts: Whereabouts) -> &'static str {
    WHEREABOUTS.iter().find(|(w, ..)| *w == whereabouts).map_or("", |(.., words)| words)
}

/// Returns where a resident is, as it is typed.
pub(super) fn word(whereabouts: Whereabouts) -> &'static str {
    WHEREABOUTS.iter().find(|(w, ..)| *w == whereabouts).map_or("", |(_, word, _)| word)
}

/// Returns where a resident is who is away now and may come back, and since when in words; `None` for
/// everybody else.
#[must_use]
pub fn away_since(
    session: &Session<'_>,
    resident: &ResidentPicture,
) -> Option<(Whereabouts, String)> {
    let changes = resident.changes();
    let (_, last) = changes.into_iter().rfind(|(_, s)| s.from <= session.now)?;
    let away = match last.whereabouts {
        Whereabouts::Present | Whereabouts::Discharged | Whereabouts::Deceased => return None,
        Whereabouts::DayLeave | Whereabouts::OvernightLeave | Whereabouts::Hospital => {
            whereabouts_in_words(last.whereabouts)
        }
    };
    let since = moment(last.from, session.zone());
    let first = away.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let rest = away.get(1..).unwrap_or_default();
    Some((last.whereabouts, format!("{first}{rest} since {since}")))
}

/// Returns both words on where a resident is, where devices that were apart differ; `None` where
/// they do not (Y-02). What to do stands in [`status_command`].
#[must_use]
pub fn apart_in_words(session: &Session<'_>, resident: &ResidentPicture) -> Option<String> {
    let found = resident.whereabouts_apart();
    let each = found.iter().map(|(entry, status)| {
        format!("{} ({})", change_in_words(session, status), session.initials(entry.staff()))
    });
    (!found.is_empty()).then(|| {
        format!(
            "WHERE THEY ARE WAS WRITTEN APART: {}. Ask, then record where they are, and since when",
            mar::words::list(&each.collect::<Vec<_>>()),
        )
    })
}

/// Returns [`apart_in_words`] in lines of a width, and the command after them whole on its own line;
/// empty where devices agree.
#[must_use]
pub fn apart_lines(session: &Session<'_>, resident: &ResidentPicture, width: usize) -> Vec<String> {
    let Some(words) = apart_in_words(session, resident) else { return Vec::new() };
    let mut lines = wrap(&format!("{words}:"), width);
    lines.push(status_command(resident.id, "WHERE", "TIME"));
    lines
}

/// Returns the command that says where a resident is from a time on.
#[must_use]
pub fn status_command(resident: ResidentId, word: &str, from: &str) -> String {
    format!("medroundctl resident status {resident} {word} --from {from} --as INITIALS")
}

/// Returns `in hospital from 3 November 2026 08:00`.
fn change_in_words(session: &Session<'_>, status: &Status) -> String {
    let from = moment(status.from, session.zone());
    format!("{} from {from}", whereabouts_in_words(status.whereabouts))
}

/// What holds after a change of where a resident is was saved.
pub(super) struct Now {
    whereabouts: Whereabouts,
    /// What held before and does so no longer.
    ended: Vec<Status>,
}

impl Now {
    /// What holds now, where `before` is what held before the change.
    pub(super) fn of(session: &Session<'_>, id: ResidentId, before: &ResidentPicture) -> Self {
        let after = session.picture.resident(id).map_or(before, AsRef::as_ref);
        let still: BTreeSet<_> = after.changes().iter().map(|(entry, _)| entry.id).collect();
        let held = before.changes().into_iter();
        let ended = held.filter(|(entry, _)| !still.contains(&entry.id));
        Self {
            whereabouts: after.whereabouts(session.now),
            ended: ended.map(|(_, status)| status.clone()).collect(),
        }
    }

    /// Returns the lines after "… is in hospital from …": where they are now, where that is not
    /// what was just said, and what was said of a later time and holds no longer.
    pub(super) fn lines(&self, session: &Session<'_>, saved: (ResidentId, &Status)) -> Vec<String> {
        let (id, status) = saved;
        let mut lines = Vec::new();
        if status.from > session.now || self.whereabouts != status.whereabouts {
            let words = whereabouts_in_words(self.whereabouts);
            lines.push(format!("Now the record says: {words}."));
        }
        // What it was written instead of needs no second word.
        let differs = |ended: &&Status| ended.whereabouts != status.whereabouts;
        for ended in self.ended.iter().filter(differs) {
            let words = change_in_words(session, ended);
            lines.push(format!("It no longer says: {words}. If that is true, record it again:"));
            let from = ended.from.rfc3339(session.zone());
            lines.push(status_command(id, word(ended.whereabouts), &from));
        }
        lines
    }

    /// Adds the same to an answer: `now`, and `ended` as `[{status, from}]`.
    pub(super) fn tell(&self, session: &Session<'_>, answer: &mut Value) {
        let each = self.ended.iter().map(
            |s| json!({ "status": word(s.whereabouts), "from": s.from.rfc3339(session.zone()) }),
        );
        answer["ended"] = Value::Array(each.collect());
        answer["now"] = json!(word(self.whereabouts));
    }
}

/// Returns both words on where a resident is as JSON, `[{status, from, by}]`; empty where devices
/// agree.
#[must_use]
pub fn apart_to_json(session: &Session<'_>, resident: &ResidentPicture) -> Value {
    let told = |status: &Status| (word(status.whereabouts), status.from.rfc3339(session.zone()));
    let each = resident.whereabouts_apart().into_iter().map(|(entry, status)| {
        let (status, from) = told(status);
        json!({ "status": status, "from": from, "by": entry.staff().map(|id| id.to_string()) })
    });
    Value::Array(each.collect())
}
