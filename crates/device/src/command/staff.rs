//! `staff`: who works here and what they may do.

use super::page::Table;
use super::session::Session;
use super::{Fault, Output, Pin};
use mar::command::{Ask, AskHome};
use mar::ids::StaffId;
use mar::staff::{Act, Employment, ROLES, Role, Staff};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is asked about staff.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum StaffAsk {
    /// Add somebody.
    Add(Add),
    /// List everybody.
    List,
    /// Set a new PIN.
    ResetPin {
        /// Whose: initials or id.
        staff: String,
        /// The new PIN.
        pin: Pin,
    },
    /// Somebody may not act any more.
    Suspend {
        /// Who: initials or id.
        staff: String,
        /// Why.
        reason: String,
    },
    /// Somebody may act again.
    Reinstate {
        /// Who: initials or id.
        staff: String,
    },
}

/// Somebody new.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Add {
    /// Name in full.
    pub name: String,
    /// Initials as they stand on the chart.
    pub initials: String,
    /// The role's word.
    pub role: String,
    /// The first PIN.
    pub pin: Pin,
    /// Whether they may witness; `None` is yes for seniors, nurses and managers.
    pub may_witness: Option<bool>,
}

/// Carries out what is asked about staff.
///
/// # Errors
/// Why nothing was written.
pub fn run(session: &mut Session<'_>, ask: &StaffAsk, out: &mut Output<'_>) -> Result<(), Fault> {
    match ask {
        StaffAsk::Add(add) => self::add(session, add, out),
        StaffAsk::List => {
            list(session, out);
            Ok(())
        }
        StaffAsk::ResetPin { staff, pin } => {
            let id = session.staff(staff)?;
            let ask = session.device().pin_ask(id, pin.digits())?;
            session.submit(Ask::Home(ask))?;
            tell(session, id, "has a new PIN.", out);
            Ok(())
        }
        StaffAsk::Suspend { staff, reason } => {
            let id = session.staff(staff)?;
            if reason.trim().is_empty() {
                return Err(Fault::Wrong("--reason TEXT is needed".to_owned()));
            }
            write(session, id, Employment::Suspended { reason: reason.clone() })?;
            tell(session, id, "may no longer act in this home.", out);
            Ok(())
        }
        StaffAsk::Reinstate { staff } => {
            let id = session.staff(staff)?;
            write(session, id, Employment::Active)?;
            tell(session, id, "may act again.", out);
            Ok(())
        }
    }
}

fn add(session: &mut Session<'_>, add: &Add, out: &mut Output<'_>) -> Result<(), Fault> {
    let role = Role::from_word(&add.role).ok_or_else(|| {
        let words: Vec<&str> = ROLES.iter().map(|r| r.word()).collect();
        Fault::Wrong(format!("`{}` is no role: choose one of {}", add.role, words.join(", ")))
    })?;
    let id = StaffId(session.device().fresh());
    let details = Staff {
        name: add.name.trim().to_owned(),
        initials: add.initials.trim().to_owned(),
        role,
        may_witness: add.may_witness.unwrap_or_else(|| role.may(Act::CheckOrder)),
        standing: Employment::Active,
    };
    let pin = session.device().pin_ask(id, add.pin.digits())?;
    session
        .submit_all(vec![Ask::Home(AskHome::WriteStaff { staff: id, details }), Ask::Home(pin)])?;
    tell(session, id, "is one of the staff now.", out);
    Ok(())
}

fn write(session: &mut Session<'_>, id: StaffId, standing: Employment) -> Result<(), Fault> {
    let held = session.picture.home.person(id).cloned();
    let details = held.ok_or_else(|| Fault::Refused(mar::refusal::Missing::Staff.into()))?;
    let details = Staff { standing, ..details };
    session.submit(Ask::Home(AskHome::WriteStaff { staff: id, details }))?;
    Ok(())
}

fn tell(session: &Session<'_>, id: StaffId, words: &str, out: &mut Output<'_>) {
    if out.is_json() {
        out.document(&json!({ "staff": id.to_string() }));
    } else if let Some(staff) = session.picture.home.person(id) {
        out.line(format!("{} ({}) {words}", staff.name, staff.initials));
    }
}

fn list(session: &Session<'_>, out: &mut Output<'_>) {
    let home = &session.picture.home;
    let mut all: Vec<(StaffId, &Staff)> =
        home.staff().keys().filter_map(|id| home.person(*id).map(|s| (*id, s))).collect();
    all.sort_by(|(_, a), (_, b)| (&a.name, &a.initials).cmp(&(&b.name, &b.initials)));
    if out.is_json() {
        let list: Vec<Value> = all.iter().map(|(id, staff)| to_json(*id, staff)).collect();
        out.document(&Value::Array(list));
        return;
    }
    let mut table = Table::new(&["Name", "Initials", "Role", "May witness", "Standing"]);
    for (_, staff) in all {
        let standing = match &staff.standing {
            Employment::Active => "active".to_owned(),
            Employment::Suspended { reason } => format!("suspended: {reason}"),
        };
        let witness = if staff.may_witness { "yes" } else { "no" };
        table.row([
            staff.name.clone(),
            staff.initials.clone(),
            staff.role.word().to_owned(),
            witness.to_owned(),
            standing,
        ]);
    }
    for line in table.lines() {
        out.line(line);
    }
}

fn to_json(id: StaffId, staff: &Staff) -> Value {
    let (standing, reason) = match &staff.standing {
        Employment::Active => ("active", None),
        Employment::Suspended { reason } => ("suspended", Some(reason)),
    };
    json!({
        "id": id.to_string(),
        "staff": id.to_string(),
        "name": staff.name,
        "initials": staff.initials,
        "role": staff.role.word(),
        "may_witness": staff.may_witness,
        "standing": standing,
        "reason": reason,
    })
}
