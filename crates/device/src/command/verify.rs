//! `verify`: every chain, signature and view is checked.

use super::session::Session;
use super::{Fault, Output};
use crate::fit_for_use::damage_in_words;
use serde_json::{Value, json};

/// Checks everything.
///
/// # Errors
/// When there are faults, or when it could not be read.
pub fn run(session: &Session<'_>, out: &mut Output<'_>) -> Result<(), Fault> {
    let found = session.device().verify()?;
    let ok = found.faults.is_empty();
    if out.is_json() {
        let faults: Vec<Value> = found
            .faults
            .iter()
            .map(|f| {
                json!({
                    "log": f.log.map(|log| log.to_string()),
                    "sequence": f.sequence,
                    "what": f.what,
                })
            })
            .collect();
        out.document(&json!({
            "entries": found.entries, "logs": found.logs, "ok": ok, "faults": faults,
        }));
    } else {
        out.line(format!(
            "{} in {} checked: signatures, chains, and what is shown.",
            super::page::entries(found.entries),
            super::page::count(usize::try_from(found.logs).unwrap_or(usize::MAX), "log")
        ));
        for fault in &found.faults {
            let place = match (fault.log, fault.sequence) {
                (Some(log), Some(sequence)) => format!("log {log}, entry {sequence}: "),
                (Some(log), None) => format!("log {log}: "),
                (None, _) => String::new(),
            };
            out.line(format!("FAULT: {place}{}", fault.what));
        }
        if ok {
            out.line("No fault was found.");
        }
    }
    match session.device().damage() {
        None if ok => Ok(()),
        Some(damage) => Err(Fault::Faulty(damage_in_words(&damage))),
        None if found.entries > 0 => Err(Fault::Faulty(
            "every entry is whole, and some do not say what their kind says: what they were meant \
             to say is missing here; ask the supplier, and use paper for whom they are about"
                .to_owned(),
        )),
        None => Err(Fault::Faulty(
            "the record could not be looked through: start Medround on this device again, and \
             record on another one meanwhile"
                .to_owned(),
        )),
    }
}
