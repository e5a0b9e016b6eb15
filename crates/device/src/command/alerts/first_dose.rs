//! What the list says of first doses that wait for an answer (S-09, W-11).

use crate::command::order::first_steps;
use crate::command::session::Session;
use mar::alerts::{Alert, Cause};
use mar::first::{FirstDose, unanswered};
use mar::rules::by_date;
use mar::settings::Settings;

/// Returns what waits, in a sentence; what to do about each follows in [`steps`].
pub(super) fn words(slots: &[String]) -> String {
    let slots = mar::words::list(slots);
    format!("FIRST DOSE, due before the check and not answered for: {slots}")
}

/// Returns what to do about each of an alert's first doses, with the commands.
pub(super) fn steps(session: &Session<'_>, alert: &Alert) -> Vec<String> {
    let Cause::FirstDoses(slots) = &alert.cause else { return Vec::new() };
    let resident = alert.resident.and_then(|id| session.picture.resident(id));
    let Some(resident) = resident else { return Vec::new() };
    let fallback = Settings::new("-", chrono::NaiveDate::default());
    let settings = by_date(&session.picture.home, &fallback);
    let mut lines = Vec::new();
    for history in resident.orders.values() {
        let first = unanswered(resident, history, &settings, session.now);
        let first: Option<FirstDose> = first.filter(|first| slots.contains(&first.slot.id));
        if let (Some(first), Some(version)) = (first, history.best_version(session.now)) {
            if slots.len() > 1 {
                lines.push(format!("{}:", version.content.medicine.name));
            }
            lines.extend(first_steps(session, &first));
        }
    }
    lines
}

/// The next dose would come too soon after one that was given late (D-07).
pub(super) fn too_near(slot: &str, last: &str) -> String {
    format!(
        "TOO NEAR: the dose before {slot} was taken {last}: ask the prescriber or pharmacist before \
         it is given"
    )
}
