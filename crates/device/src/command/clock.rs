//! `clock`: whether this device's clock can be believed, and the time typed by a person with a watch.

use super::page::moment;
use super::session::{Session, zone_of};
use super::{Fault, Output};
use mar::clock::{ClockStanding, nearest};
use mar::picture::Picture;
use mar::schedule::TimeOfDay;
use mar::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Nothing, or the time that a watch shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClockRequest {
    /// The time; `None` only looks.
    pub time: Option<String>,
}

/// Shows how the clock stands, or goes by the time that a person types (W-08).
///
/// # Errors
/// When nobody says who they are, or the time cannot be right.
pub fn run(
    session: &Session<'_>,
    request: &ClockRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    let device = session.device();
    let standing = match &request.time {
        None => device.clock_standing(),
        Some(text) => {
            let person = session.person()?;
            let at = typed(session, text)?;
            device.type_time(at, person)?
        }
    };
    let (picture, now) = (&device.picture(), device.now());
    let by = device.typed_time();
    if out.is_json() {
        let mut shape = to_json(&standing, picture, now);
        shape["typed"] = by.map_or(
            Value::Null,
            |(at, staff)| json!({ "at": at.rfc3339(session.zone()), "by": staff.to_string() }),
        );
        out.document(&shape);
        return Ok(());
    }
    out.line(format!("This device goes by {}.", moment(now, session.zone())));
    if let Some((at, staff)) = by {
        out.line(format!(
            "{} typed the time at {}; it holds until this computer is started again or its clock \
             is set. It stands in the record, and the manager sees it: medroundctl alerts",
            session.initials(Some(staff)),
            moment(at, session.zone())
        ));
    }
    out.line(match (in_words(&standing, picture, now), standing.vouched) {
        (Some(words), _) => words,
        (None, true) => "Nothing speaks against it, and others say the same.".to_owned(),
        (None, false) => {
            "Nothing speaks against it; there is no other clock to compare it with.".to_owned()
        }
    });
    Ok(())
}

/// Reads what a watch shows: an instant, or a time of day that is taken to be the nearest one, where
/// nobody can mean another day.
fn typed(session: &Session<'_>, text: &str) -> Result<Timestamp, Fault> {
    let Ok(time) = text.parse::<TimeOfDay>() else { return session.instant(text) };
    if !session.clock.day_holds() {
        return Err(Fault::Wrong(
            "the date of this device is in doubt as well: type it too, as 2026-11-21T08:03"
                .to_owned(),
        ));
    }
    nearest(time.naive(), session.now, &session.clock, session.zone()).ok_or_else(|| {
        Fault::Wrong(format!(
            "{text} of today, or of another day? This device shows {}: type the date too, as \
             2026-11-21T08:03",
            moment(session.now, session.zone())
        ))
    })
}

/// Returns how a clock stands in the shape of the command line.
#[must_use]
pub fn to_json(standing: &ClockStanding, picture: &Picture, now: Timestamp) -> Value {
    json!({
        "now": now.rfc3339(zone_of(picture, now)),
        "state": standing.level().word(),
        "believed": standing.times_hold(),
        "vouched": standing.vouched,
        "rule": standing.doubts.first().map(mar::clock::ClockDoubt::rule),
        "message": in_words(standing, picture, now),
    })
}

/// Returns the warning that a person reads; `None` while there is no doubt.
#[must_use]
pub fn in_words(standing: &ClockStanding, picture: &Picture, now: Timestamp) -> Option<String> {
    let words = standing.words(&picture.home, zone_of(picture, now))?;
    let what = if standing.is_right() { "Look" } else { "CLOCK" };
    Some(format!("{what}: {words}"))
}
