//! A time that somebody typed, as the manager reads it (W-08).

use crate::command::page::moment;
use crate::command::session::Session;
use mar::clock::CLOCK_RED_MS;
use mar::ids::{DeviceId, EntryId};
use mar::picture::Recorded;
use mar::time::Timestamp;
use serde_json::{Value, json};

/// The entry, what its device showed, and what was typed; `None` where it is not held.
fn find<'s>(
    session: &'s Session<'_>,
    entry: EntryId,
) -> Option<(&'s Recorded, Timestamp, Timestamp)> {
    let mut found = session.picture.home.typed_times();
    found.find(|(w, ..)| w.id == entry).map(|(w, showed, typed)| (w.as_ref(), showed, typed))
}

fn name(session: &Session<'_>, device: Option<DeviceId>) -> String {
    device.map_or_else(|| "a device".to_owned(), |id| session.picture.home.device_name(id))
}

/// Adds what the alert is about, for programs.
pub(super) fn about(session: &Session<'_>, entry: EntryId, about: &mut Value) {
    about["entry"] = json!(entry.to_string());
    let Some((written, showed, typed)) = find(session, entry) else { return };
    about["device"] = json!(written.device.map(|id| id.to_string()));
    about["name"] = json!(name(session, written.device));
    about["by"] = json!(written.staff().map(|id| id.to_string()));
    about["showed"] = json!(showed.rfc3339(session.zone()));
    about["typed"] = json!(typed.rfc3339(session.zone()));
}

/// Returns who typed which time where, and what rests on it.
pub(super) fn words(session: &Session<'_>, entry: EntryId) -> String {
    let Some((written, showed, typed)) = find(session, entry) else {
        return "somebody typed the time".to_owned();
    };
    let (device, by) = (name(session, written.device), session.initials(written.staff()));
    let (showed_at, typed_at) = (moment(showed, session.zone()), moment(typed, session.zone()));
    if typed.0.abs_diff(showed.0) > CLOCK_RED_MS.unsigned_abs() {
        format!(
            "{by} typed the time on {device}: {typed_at}. Its clock showed {showed_at}. The times of \
             doses recorded on {device} since then rest on what {by} typed: ask {by}, look at these \
             doses, and set date and time of that computer"
        )
    } else {
        format!(
            "{by} typed the time on {device}: {typed_at}, within 5 minutes of what its clock \
             showed. The times of doses recorded on {device} since then rest on that clock and on {by}'s watch"
        )
    }
}
