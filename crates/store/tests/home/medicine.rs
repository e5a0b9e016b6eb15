//! What is given when required in the tests of the store, in those of the devices, and in the benches
//! of both.

use mar::fact::PrnNote;
use mar::medicine::Medicine;
use mar::order::{Content, Dose, Flags, Prn, Protocol, Source, Stated};
use mar::quantity::{Amount, Quantity};
use mar::schedule::Schedule;
use mar::time::{Minutes, Timestamp};

/// One tablet for pain, four hours apart and eight in a day: a rescue medicine is given beyond that.
pub(crate) fn when_required(name: &str, start: Timestamp, flags: Flags) -> Content {
    Content {
        medicine: Medicine::uncoded(name),
        route: "oral".to_owned(),
        dose: Dose::Fixed(Amount::new(Quantity::whole(1), "tablet")),
        indication: Some("pain".to_owned()),
        instruction: None,
        schedule: Schedule::WhenRequired(Prn {
            min_interval: Stated::As(Minutes(240)),
            max_24h: Stated::As(Amount::new(Quantity::whole(8), "tablet")),
            protocol: Protocol { what_for: "pain".to_owned(), ..Protocol::default() },
        }),
        start,
        stop: None,
        course_doses: None,
        source: Source::Label,
        label: None,
        min_gap: None,
        flags,
        limit_group: None,
    }
}

/// Why it was asked for; `score` is how bad it was, where that was asked.
pub(crate) fn headache(score: Option<u8>) -> PrnNote {
    PrnNote { reason: "headache".to_owned(), score, asked: true, tried_first: String::new() }
}
