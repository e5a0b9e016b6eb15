//! What a person must look at before an imported order is confirmed.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::medicine;
use super::proposal::{Course, Flag, Origin, ProposedOrder, ProposedResident, SentDate, Status};

/// Active, but started longer ago than this and not a repeat that is still issued. For the clinical lead: of 104 active medicines in
/// published records 72 started twelve years before, so the day is asked about.
const OLD_START_DAYS: u64 = 365;
/// Active, but not issued for this long: three cycles of 28 days. For the clinical lead.
const NO_ISSUE_DAYS: u64 = 84;

/// Sets the flags of every order of a person, and tells orders with one key apart.
pub(crate) fn set(resident: &mut ProposedResident, today: NaiveDate) {
    let twice = same_medicine_twice(&resident.orders);
    let in_file = resident.in_file;
    for (order, twice) in resident.orders.iter_mut().zip(twice) {
        let mut flags = std::mem::take(&mut order.flags);
        flags.extend(medicine::flags(&order.medicine));
        flags.extend(of_words(order));
        flags.extend(of_status(order, today));
        flags.extend(twice.then_some(Flag::SameMedicineTwice));
        flags.extend((!in_file).then_some(Flag::PersonNotInFile));
        flags.sort_unstable();
        flags.dedup();
        order.flags = flags;
    }
    tell_apart(&mut resident.orders);
}

fn chosen(flags: &[(bool, Flag)]) -> Vec<Flag> {
    flags.iter().filter(|(holds, _)| *holds).map(|(_, flag)| *flag).collect()
}

fn of_words(order: &ProposedOrder) -> Vec<Flag> {
    let no_words = order.dosages.iter().all(|dosage| dosage.words().is_empty());
    let coded: Vec<_> = order.dosages.iter().filter_map(|d| d.structured.as_ref()).collect();
    let not_read = coded.iter().any(|structured| !structured.unread.is_empty());
    let conflict = order.dosages.iter().any(|dosage| !dosage.conflicts.is_empty());
    chosen(&[
        (conflict, Flag::WordsAndCodesDisagree),
        (no_words && coded.is_empty(), Flag::NoDirections),
        (no_words && !coded.is_empty(), Flag::CodesOnly),
        (not_read, Flag::CodesNotRead),
        (!order.notes.is_empty(), Flag::HasNotes),
        (!order.labels.is_empty(), Flag::LabelDiffers),
        (!order.other_directions.is_empty(), Flag::DirectionsDiffer),
    ])
}

fn of_status(order: &ProposedOrder, today: NaiveDate) -> Vec<Flag> {
    let before = |date: &Option<SentDate>, days: u64| {
        let day = date.as_ref().and_then(|date| date.day);
        day.is_some_and(|day| {
            today.checked_sub_days(Days::new(days)).is_some_and(|limit| day < limit)
        })
    };
    let active = order.status == Status::Active;
    let issue_only = order.origin == Origin::Dispense;
    let no_recent_issue = match order.origin {
        Origin::Statement | Origin::Plan => {
            order.last_issue.is_none() || before(&order.last_issue, NO_ISSUE_DAYS)
        }
        // A request is itself an issue, as often as not without a date.
        Origin::Request | Origin::Dispense => before(&order.start, NO_ISSUE_DAYS),
    };
    // A repeat that is still issued is old and in use: nothing to ask about.
    let in_use = !no_recent_issue
        && matches!(order.course, Course::Repeat | Course::RepeatDispensing)
        && order.last_issue.is_some();
    chosen(&[
        (order.status == Status::Unknown, Flag::StatusUnclear),
        (order.plan_status.is_some_and(|plan| plan != order.status), Flag::StatusesDiffer),
        (active && before(&order.end, 0), Flag::EndPassed),
        (active && before(&order.start, OLD_START_DAYS) && !in_use, Flag::OldStart),
        (active && no_recent_issue, Flag::NoRecentIssue),
        (active && order.course == Course::Acute, Flag::Acute),
        (issue_only || order.based_on_missing, Flag::IssueOnly),
    ])
}

/// Returns for each order whether another active one has the same name or the same usable code.
fn same_medicine_twice(orders: &[ProposedOrder]) -> Vec<bool> {
    let ways = |order: &ProposedOrder| {
        let name = order.medicine.name.trim().to_lowercase();
        let name = (!name.is_empty()).then(|| format!("name {name}"));
        let code = medicine::product_code(&order.medicine).map(|code| format!("code {code}"));
        let active = order.status == Status::Active;
        name.into_iter().chain(code).filter(move |_| active)
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for way in orders.iter().flat_map(ways) {
        *counts.entry(way).or_insert(0) += 1;
    }
    orders.iter().map(|order| ways(order).any(|way| counts.get(&way) > Some(&1))).collect()
}

/// Numbers orders that came with the same key, in the order of the file, so that none is lost.
fn tell_apart(orders: &mut [ProposedOrder]) {
    let mut seen = BTreeMap::new();
    for order in orders {
        let count = seen.entry(order.key.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            order.key = format!("{}#{count}", order.key);
        }
    }
}
