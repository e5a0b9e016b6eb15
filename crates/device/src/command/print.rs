//! `print`: the MAR and the round list on paper. What stands on them is decided by `mar`; here it
//! is only put into the shape that `::print` takes.

mod block;
mod cells;
mod mar;
mod overleaf;
mod page;
mod round;

pub(in crate::command) use block::held_since;

use super::session::Session;
use super::{Fault, Output};
use ::mar::fact::AccessKind;
use ::mar::ids::ResidentId;
use ::mar::staff::Act;
use ::print::PrintFault;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

/// What to print.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrintRequest {
    /// Which sheet.
    pub what: Sheet,
    /// Whose.
    pub whose: Whose,
    /// The first day of a MAR, or the day of a round; `None` is the running cycle, or today.
    pub from: Option<String>,
    /// The file to write.
    pub out: String,
}

/// Which sheet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Sheet {
    /// A resident's 28-day chart.
    Mar,
    /// The list of one round.
    Round {
        /// Its id; `None` is the round that is on, or else the next.
        round: Option<String>,
    },
}

/// Whose sheets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Whose {
    /// One resident's.
    Resident(String),
    /// A unit's.
    Unit(String),
    /// Everybody's.
    All,
}

/// Prints.
///
/// # Errors
/// When the person may not print, when nobody fits, or when a page cannot hold what stands on it.
pub fn run(
    session: &mut Session<'_>,
    request: &PrintRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    may_print(session)?;
    let files = match &request.what {
        Sheet::Mar => mar::sheets(session, request)?,
        Sheet::Round { round } => vec![round::sheet(session, request, round.as_deref())?],
    };
    let mut printed = BTreeSet::new();
    let mut listed = Vec::new();
    for file in files {
        listed.push(json!({ "path": file.path, "sheet": file.sheet, "bytes": file.bytes.len() }));
        printed.extend(file.residents);
        let told = format!("{}   sheet {}", file.path, file.sheet);
        out.file(&file.path, file.bytes, Some(told));
    }
    if out.is_json() {
        out.document(&json!({ "files": listed, "not_written": [] }));
    }
    session.note_access(&printed, AccessKind::Printed);
    Ok(())
}

/// Without a person the device itself prints: a standing set needs nobody at the keyboard.
fn may_print(session: &Session<'_>) -> Result<(), Fault> {
    let ::mar::fact::Actor::Staff(id) = session.actor else { return Ok(()) };
    let role = session.picture.home.person(id).map(|s| s.role);
    match role {
        Some(role) if !role.may(Act::Print) => {
            Err(Fault::Refused(::mar::refusal::WhoRefusal::Role { role, act: Act::Print }.into()))
        }
        Some(_) | None => Ok(()),
    }
}

/// One printed file.
struct Printed {
    path: String,
    sheet: String,
    bytes: Vec<u8>,
    residents: BTreeSet<ResidentId>,
}

fn print_fault(fault: &PrintFault) -> Fault {
    Fault::Unexpected(fault.to_string())
}

/// Whom a request is about, in the order of the trolley.
fn residents(session: &Session<'_>, whose: &Whose) -> Result<Vec<ResidentId>, Fault> {
    let all = ::mar::round::in_trolley_order(&session.picture, session.now);
    let found: Vec<ResidentId> = match whose {
        Whose::Resident(text) => vec![session.resident(text)?.id],
        Whose::Unit(unit) => all
            .into_iter()
            .filter(|id| {
                let identity = session.picture.resident(*id).and_then(|r| r.identity());
                identity.is_some_and(|i| i.unit.trim().eq_ignore_ascii_case(unit.trim()))
            })
            .collect(),
        Whose::All => all,
    };
    if found.is_empty() {
        return Err(Fault::Missing(
            "there is nobody to print for: look at medroundctl resident list".to_owned(),
        ));
    }
    Ok(found)
}
