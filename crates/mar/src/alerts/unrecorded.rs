//! Due doses that nobody recorded, and time-critical ones that are late (D-04, D-05, W-02).

use super::{Cause, Collector, Owner, Tier};
use crate::due::{self, DueState};
use crate::ids::OrderId;
use crate::picture::{OrderHistory, Picture};
use crate::schedule::{SlotId, SlotKind};
use crate::time::{CYCLE_DAYS, DAY, Minutes, Timestamp, at_civil, cycle_of};
use chrono::{Days, NaiveTime};
use std::collections::BTreeMap;

/// Unrecorded doses are told one by one for this long back, and older ones as one alert an order.
const ONE_BY_ONE: Minutes = Minutes(3 * 24 * 60);
/// A time-critical dose is told when it is this late (D-05, W-02).
const CRITICAL_AFTER: Minutes = Minutes(15);

/// This cycle and the one before are never longer, with the hour of a clock change.
const TWO_CYCLES: Minutes = Minutes((2 * 28 + 1) * 24 * 60);

impl Collector<'_> {
    pub(super) fn unrecorded(&mut self, picture: &Picture) {
        let one_by_one = self.now.minus(ONE_BY_ONE);
        let span = (looked_back_to(picture, self.now).min(one_by_one), self.now.plus(Minutes(1)));
        let mut older: BTreeMap<OrderId, (Timestamp, Vec<SlotId>)> = BTreeMap::new();
        for due in due::due(&picture.home, self.resident, span, self.now) {
            let critical = due.slot.kind == SlotKind::TimeCritical;
            let late = self.now >= due.slot.due.plus(CRITICAL_AFTER);
            let open = matches!(due.state, DueState::Due | DueState::Late);
            let since = due.slot.window.unrecorded_after;
            if due.state == DueState::Unrecorded && due.slot.due < one_by_one {
                let (_, slots) = older.entry(due.slot.order).or_insert_with(|| (since, Vec::new()));
                slots.push(due.slot.id);
            } else if due.state == DueState::Unrecorded {
                let tier = if critical { Tier::Red } else { Tier::Amber };
                self.add(tier, Cause::Unrecorded(due.slot.id), since, Owner::ShiftLead);
            } else if critical && open && late {
                let since = due.slot.due.plus(CRITICAL_AFTER);
                self.add(Tier::Red, Cause::CriticalLate(due.slot.id), since, Owner::ShiftLead);
            }
        }
        for (order, (since, slots)) in older {
            let cause = Cause::UnrecordedBefore(order, slots);
            self.add(Tier::Amber, cause, since, Owner::ShiftLead);
        }
    }
}

/// Returns from when on the unrecorded doses of an order are counted in
/// [`Cause::UnrecordedBefore`]; `None` where they are all that there are since the order came into
/// force.
#[must_use]
pub fn counted_from(picture: &Picture, order: &OrderHistory, now: Timestamp) -> Option<Timestamp> {
    let since = looked_back_to(picture, now);
    order.versions().iter().filter_map(|v| v.from).any(|from| from < since).then_some(since)
}

/// Unrecorded doses are looked for from the start of the cycle before this one: what was recorded
/// before it is not in the picture, so nobody could say that it was not. Older ones stand on the
/// charts of their cycles as ringed boxes.
fn looked_back_to(picture: &Picture, now: Timestamp) -> Timestamp {
    let Some(settings) = picture.home.settings_on(now.utc().date_naive()) else {
        return now.minus(DAY);
    };
    let today = now.civil(settings.zone).date();
    let (_, _, first) = cycle_of(settings.cycle_start, today);
    let cycle = Days::new(CYCLE_DAYS.unsigned_abs());
    let before = first.checked_sub_days(cycle).unwrap_or(first);
    // An instant beyond all dates must not make the span longer than it can be.
    at_civil(settings.zone, before, NaiveTime::MIN).max(now.minus(TWO_CYCLES))
}
