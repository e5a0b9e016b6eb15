//! Times that people typed on the home's devices (W-08).

use super::{Alert, Cause, Owner, Tier};
use crate::clock::CLOCK_RED_MS;
use crate::picture::{Picture, Recorded};
use crate::settings::Settings;
use crate::time::Timestamp;
use chrono::NaiveDate;

/// The manager is told of a typed time on so many days after its own: a week has a working day in it
/// for everybody who manages a home.
const TOLD_DAYS: i64 = 7;

/// Returns an alert for each time that was typed in the last days: one that moved the clock of its
/// device is to be looked at, and one that only said the same is a line on a list.
pub(super) fn typed_times(picture: &Picture, now: Timestamp) -> Vec<Alert> {
    let today = now.utc().date_naive();
    let settings = picture.home.settings_on(today);
    let zone = settings.map_or_else(|| Settings::new("-", today).zone, |s| s.zone);
    let day = |at: Timestamp| at.civil(zone).date();
    let recent = |when: NaiveDate| day(now).signed_duration_since(when).num_days() <= TOLD_DAYS;
    let found = picture.home.typed_times().filter(|(entry, showed, typed)| {
        *typed > now || recent(day(latest(entry, *showed, *typed, now)))
    });
    let alert = |(entry, showed, typed): (&std::sync::Arc<Recorded>, Timestamp, Timestamp)| {
        let moved = typed.0.abs_diff(showed.0) > CLOCK_RED_MS.unsigned_abs();
        let tier = if moved { Tier::Amber } else { Tier::Grey };
        let cause = Cause::TimeTyped(entry.id);
        Alert { tier, cause, resident: None, since: typed, owner: Owner::Manager }
    };
    found.map(alert).collect()
}

/// When it was, as late as it may have been: what was typed may itself be wrong, and a month too
/// early would hide it from everybody.
fn latest(entry: &Recorded, showed: Timestamp, typed: Timestamp, now: Timestamp) -> Timestamp {
    let stamp = i64::try_from(entry.stamp.clock >> 16).map_or(typed, Timestamp);
    [showed, stamp].into_iter().filter(|at| *at <= now).fold(typed, Timestamp::max)
}
