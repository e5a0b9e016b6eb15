//! What to do about an alert: the commands, each on a line of its own, because a command is copied
//! whole and half of one is another command.

use super::{first_dose, incidents, unrecorded};
use crate::command::follow_up::close_with;
use crate::command::resident::status_command;
use crate::command::session::Session;
use mar::alerts::{Alert, Cause};
use mar::fact::BACK;
use mar::ids::{AdministrationId, FollowUpId, ResidentId};
use mar::picture::ResidentPicture;

/// Returns the lines that follow an alert: what answers its cause, then what closes the follow-ups
/// that it tells of (W-12). Empty where nothing on the command line answers it.
pub(super) fn steps(session: &Session<'_>, alert: &Alert) -> Vec<String> {
    let resident = alert.resident.and_then(|id| session.picture.resident(id));
    let told = incidents(resident.map(AsRef::as_ref), &alert.cause);
    let mut lines = answers(session, alert);
    lines.extend(told.into_iter().map(|follow_up| close_with(follow_up.id)));
    lines
}

fn answers(session: &Session<'_>, alert: &Alert) -> Vec<String> {
    let resident = alert.resident.map(|id| id.to_string()).unwrap_or_default();
    let change =
        || vec![format!("medroundctl resident change {resident} --from FILE --as INITIALS")];
    match &alert.cause {
        Cause::FirstDoses(_) => first_dose::steps(session, alert),
        Cause::CriticalLate(slot) => {
            vec![format!("medroundctl record {slot} --outcome OUTCOME --as INITIALS")]
        }
        Cause::Unrecorded(_) | Cause::UnrecordedBefore(..) => unrecorded::steps(session, alert),
        Cause::DoubleDose(slot, _) => vec![chart(&resident, slot.date)],
        Cause::IntervalBreach(id)
        | Cause::TotalBreach(id)
        | Cause::RescueOver(id)
        | Cause::AfterStop(id)
        | Cause::WhileHeld(id)
        | Cause::WhileAway(id)
        | Cause::AloneReview(id)
        | Cause::CorrectionConflict(id) => {
            let day = alert.resident.and_then(|of| day_of(session, of, *id));
            day.map(|day| chart(&resident, day)).into_iter().collect()
        }
        Cause::EffectDue(id) => {
            vec![format!("medroundctl effect {id} --effect EFFECT --as INITIALS")]
        }
        Cause::CheckOwed(order) => vec![format!("medroundctl order check {order} --as INITIALS")],
        Cause::HoldReview(order) => {
            vec![format!("medroundctl order resume {order} --reason TEXT --as INITIALS")]
        }
        Cause::OrdersWait(_) => vec![format!("medroundctl order list --resident {resident}")],
        Cause::OrderConflict(order) => vec![format!("medroundctl order show {order}")],
        Cause::SameMedicine(a, b) => vec![
            format!("medroundctl order stop {a} --authorised-by NAME --reason TEXT --as INITIALS"),
            format!("medroundctl order change {b} --from FILE --intended TEXT --as INITIALS"),
        ],
        Cause::SameNhsNumber(_)
        | Cause::IdentityConflict
        | Cause::AllergyConflict
        | Cause::AllergiesNotAsked => change(),
        Cause::WhereaboutsConflict => {
            alert.resident.map(|id| status_command(id, "WHERE", "TIME")).into_iter().collect()
        }
        Cause::FollowUp(id) => {
            let resident = alert.resident.and_then(|id| session.picture.resident(id));
            let mut lines: Vec<String> =
                resident.and_then(|r| find_out(r, *id)).into_iter().collect();
            lines.extend(resident.and_then(|r| while_away(session, r, *id)).into_iter().flatten());
            lines.push(close_with(*id));
            lines
        }
        Cause::Popped(_)
        | Cause::TimeTyped(_)
        | Cause::InDoubt(_)
        | Cause::CovertPlan(_)
        | Cause::NeedsUpdate
        | Cause::NextNear(..) => Vec::new(),
    }
}

/// The command that says what became of a dose of which nobody knew (W-04).
fn find_out(resident: &ResidentPicture, id: FollowUpId) -> Option<String> {
    let follow_up = resident.follow_ups().into_iter().find(|f| f.id == id)?;
    let dose = resident.handed(&follow_up)?.id()?;
    Some(format!(
        "medroundctl correct {dose} --outcome OUTCOME --given-at TIME --reason TEXT --as INITIALS"
    ))
}

/// The commands that list what fell due while a resident was away, and the orders as they stand
///
fn while_away(
    session: &Session<'_>,
    resident: &ResidentPicture,
    id: FollowUpId,
) -> Option<[String; 2]> {
    let follow_up = resident.follow_ups().into_iter().find(|f| f.id == id)?;
    let absence =
        resident.last_absence(session.now).filter(|_| follow_up.what.starts_with(BACK))?;
    let day = |at: mar::time::Timestamp| at.civil(session.zone()).date();
    let (id, from, to) = (resident.id, day(absence.from), day(absence.to).succ_opt()?);
    Some([
        format!("medroundctl due --resident {id} --from {from} --to {to}"),
        format!("medroundctl order list --resident {id}"),
    ])
}

/// The commands among the lines, for who reads them with a program.
pub(super) fn commands(lines: Vec<String>) -> Vec<String> {
    let trimmed = lines.into_iter().map(|line| line.trim().to_owned());
    trimmed.filter(|line| line.starts_with("medroundctl ")).collect()
}

fn chart(resident: &str, day: chrono::NaiveDate) -> String {
    format!("medroundctl chart {resident} --from {day} --to {day}")
}

/// The day on which a dose stands.
fn day_of(
    session: &Session<'_>,
    resident: ResidentId,
    dose: AdministrationId,
) -> Option<chrono::NaiveDate> {
    let found = session.picture.resident(resident)?.administration(dose)?;
    let (_, record) = found.record()?;
    let given = found.effective().unwrap_or(&record.recording).given_at;
    Some(record.slot.as_ref().map_or_else(|| given.civil(session.zone()).date(), |s| s.date))
}
