//! Doses that nobody is to give, because their order was stopped or waits for its check. They are
//! told so that one which has been given all the same can be named (H-01, H-06).

use super::{Day, Due, Recordings, Suspension};
use crate::picture::{HomePicture, OrderHistory, ResidentPicture, VersionView};
use crate::rules;
use crate::schedule;
use crate::settings::Settings;
use crate::time::{Minutes, Timestamp};
use chrono::NaiveDate;

/// Returns the doses of a resident in the half-open span `[from, to)` that would be due had their
/// order not been stopped, or had it been checked, in order of due time. Of a stopped order those
/// that fall due within `after` of the stop, and whatever was recorded; `None` is without an end.
#[must_use]
pub fn withheld<'p>(
    home: &HomePicture,
    resident: &'p ResidentPicture,
    (from, to): (Timestamp, Timestamp),
    after: Option<Minutes>,
    now: Timestamp,
) -> Vec<Due<'p>> {
    let fallback = Settings::new("-", NaiveDate::default());
    let settings = rules::by_date(home, &fallback);
    let recordings = Recordings::of(resident);
    let mut found = Vec::new();
    for history in resident.orders.values() {
        let day = Day { resident, history, held: Vec::new(), taken: &[], now };
        let versions = history.versions();
        let last = versions.iter().rfind(|v| !v.rejected).map(|v| v.version.id);
        for view in &versions {
            let Some((begins, why)) = because(history, view, last == Some(view.version.id)) else {
                continue;
            };
            let within = history.stopped_at().zip(after).map(|(stop, after)| stop.plus(after));
            let until = view.version.content.stop.map_or(to, |stop| stop.min(to));
            for slot in schedule::slots(view.version, &settings, from.max(begins), until) {
                let recorded = recordings.for_slot(slot.order, &slot.id);
                if recorded.is_empty() && within.is_some_and(|end| slot.due >= end) {
                    continue;
                }
                found.push(Due { suspended: Some(why), ..day.withheld(view, slot, recorded) });
            }
        }
    }
    found.sort_by(|a, b| (a.slot.due, &a.slot.id).cmp(&(b.slot.due, &b.slot.id)));
    found
}

/// From when on a version's doses are not to be given, and why; `None` for a version that another
/// one took over, or that is in force.
fn because(
    history: &OrderHistory,
    view: &VersionView<'_>,
    last: bool,
) -> Option<(Timestamp, Suspension)> {
    if view.rejected || view.conflict {
        return None;
    }
    match (view.from, history.stopped_at()) {
        (Some(from), Some(stop)) if view.to == Some(stop) => {
            Some((stop.max(from), Suspension::Stopped))
        }
        (Some(_), _) => None,
        (None, Some(_)) if last => Some((view.waited?.begins, Suspension::Stopped)),
        (None, None) if last && view.checked.is_none() && view.alone.is_none() => {
            Some((view.waited?.begins, Suspension::WaitsForCheck))
        }
        (None, _) => None,
    }
}
