//! What the list says of doses that nobody recorded (D-04): which, how many, since when, and the
//! commands that answer for them.

use crate::command::page::{count, day};
use crate::command::session::Session;
use chrono::NaiveDate;
use mar::alerts::{Alert, Cause, counted_from};
use mar::ids::OrderId;
use mar::order::Dose;
use mar::picture::ResidentPicture;
use mar::schedule::SlotId;

/// One dose. The commands follow in [`steps`].
pub(super) fn words(slot: &str) -> String {
    format!("nobody recorded {slot}: ask, then say which of these is true")
}

/// The first day of which an order's unrecorded doses are counted; `None` where all are.
pub(super) fn from(
    session: &Session<'_>,
    resident: &ResidentPicture,
    order: OrderId,
) -> Option<NaiveDate> {
    let history = resident.orders.get(&order)?;
    let from = counted_from(&session.picture, history, session.now)?;
    Some(from.civil(session.zone()).date())
}

/// Older doses of one order, and what the count covers.
pub(super) fn older(medicine: &str, slots: &[SlotId], from: Option<NaiveDate>) -> String {
    let doses = count(slots.len(), "older dose");
    let (first, last) = (slots.first().map(|s| s.date), slots.last().map(|s| s.date));
    let (Some(first), Some(last)) = (first, last) else { return String::new() };
    let dates = if first == last { day(first) } else { format!("{} to {}", day(first), day(last)) };
    let covers = match from {
        None => "all since the order began".to_owned(),
        Some(from) => format!(
            "counted since {}; what is older stands on the charts as ringed boxes",
            day(from)
        ),
    };
    format!(
        "nobody recorded {doses} of {medicine}, {dates} ({covers}): list them, ask, then record or \
         close each"
    )
}

/// Returns the commands, with every flag that a late entry needs. What stands in capitals is filled
/// in by the person.
pub(super) fn steps(session: &Session<'_>, alert: &Alert) -> Vec<String> {
    let resident = alert.resident.and_then(|id| session.picture.resident(id));
    let Some(resident) = resident else { return Vec::new() };
    if let Cause::UnrecordedBefore(_, slots) = &alert.cause {
        let (first, last) = (slots.first().map(|s| s.date), slots.last().map(|s| s.date));
        let to = last.and_then(|last| last.succ_opt());
        let Some((first, to)) = first.zip(to) else { return Vec::new() };
        let id = resident.id;
        return vec![format!("medroundctl due --resident {id} --from {first} --to {to}")];
    }
    let Cause::Unrecorded(slot) = &alert.cause else { return Vec::new() };
    let given = given_with(session, resident, slot).unwrap_or_default();
    vec![
        format!(
            "medroundctl record {slot} --outcome given --given-at TIME --reason TEXT{given} --as \
             INITIALS"
        ),
        format!("medroundctl record {slot} --outcome omitted-in-error --reason TEXT --as INITIALS"),
        format!("medroundctl record {slot} --outcome not-known --handed-to STAFF --as INITIALS"),
    ]
}

/// What else has to be said of a dose of this slot that was given.
fn given_with(session: &Session<'_>, resident: &ResidentPicture, slot: &SlotId) -> Option<String> {
    let view = resident.orders.values().find_map(|history| history.version(slot.version))?;
    let content = &view.version.content;
    let amount = matches!(content.dose, Dose::Range { .. });
    let witness = session.settings().witnessed(content.medicine.cd) && !content.flags.rescue;
    let checked = !session.device().to_ask_for().is_empty() && !content.flags.rescue;
    let flags = [
        (amount, " --amount A"),
        (witness, " --witness STAFF --witness-pin-file FILE"),
        (checked, " --checked TEXT"),
    ];
    Some(flags.into_iter().filter(|(asked, _)| *asked).map(|(_, flag)| flag).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_older_doses_says_what_it_covers() {
        let slots: Vec<SlotId> = ["2026-11-03.0800", "2026-11-05.0800"]
            .iter()
            .map(|at| format!("rd34q9h8z2qydays4patfdgj1r.{at}").parse().expect("a slot"))
            .collect();
        let all = older("Ramipril", &slots, None);
        assert!(all.contains("2 older doses of Ramipril"), "{all}");
        assert!(
            all.contains("Tue 3 Nov 2026 to Thu 5 Nov 2026 (all since the order began)"),
            "{all}"
        );
        let some = older("Ramipril", &slots, "2026-11-01".parse().ok());
        assert!(some.contains("(counted since Sun 1 Nov 2026; what is older stands"), "{some}");
        assert!(!some.contains("all since"), "{some}");
    }
}
