//! Where a resident is, in words; and where devices that were apart say two things (Y-02).

use crate::command::page::moment;
use crate::command::session::Session;
use mar::picture::ResidentPicture;
use mar::resident::{Status, Whereabouts};
use serde_json::{Value, json};

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

/// Returns both words on where a resident is and what to do, where devices that were apart differ;
/// `None` where they do not (Y-02).
#[must_use]
pub fn apart_in_words(session: &Session<'_>, resident: &ResidentPicture) -> Option<String> {
    let found = resident.whereabouts_apart();
    let each = found.iter().map(|(entry, status)| {
        let from = moment(status.from, session.zone());
        let by = session.initials(entry.staff());
        format!("{} from {from} ({by})", whereabouts_in_words(status.whereabouts))
    });
    (!found.is_empty()).then(|| {
        format!(
            "WHERE THEY ARE WAS WRITTEN APART: {}. Ask, then say which is right: medroundctl \
             resident status {} WHERE --from TIME",
            mar::words::list(&each.collect::<Vec<_>>()),
            resident.id
        )
    })
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
