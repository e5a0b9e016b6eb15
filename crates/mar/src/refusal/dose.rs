//! Refused because of a dose.

use super::moment;
use crate::ids::{DeviceId, OrderId};
use crate::order::State;
use crate::outcome::{Effect, Known, Outcome};
use crate::rules::Limit;
use crate::time::{Timestamp, Tz};

/// Refused because of the dose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoseRefusal {
    /// The order may not be given (O-02, O-11, O-12).
    #[error("this order is {state}: nothing can be given from it")]
    NotActive {
        /// In words.
        state: &'static str,
    },
    /// Nobody has written an order of it: a proposal, or one that was turned down (O-02).
    #[error("{}", no_version(*order, *state))]
    NoVersion {
        /// The order.
        order: OrderId,
        /// Its state.
        state: State,
    },
    /// The resident is not in the home.
    #[error("the resident is recorded as {0}: change that first, or record it as given elsewhere")]
    Away(&'static str),
    /// The slot has an outcome already (D-06).
    #[error("{}", self.words(Tz::UTC))]
    AlreadyRecorded {
        /// What was recorded.
        outcome: Outcome,
        /// By whom.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// An interval, total or gap forbids it.
    #[error("{}", limit_words(.0, Tz::UTC))]
    Limit(Limit),
    /// A rule stands in the way of a dose of a time that is past: what has been given is recorded as
    /// it happened, and raised (D-06, H-01).
    #[error("{}", self.words(Tz::UTC))]
    Happened(Box<DoseRefusal>),
    /// "It has been given already" said of a dose that is given now (P-06).
    #[error(
        "--already-given is for a dose that has been given: say when with --given-at, a time that \
         is past. It lets nobody give one now: only the prescriber can change a limit"
    )]
    GivenNow,
    /// "It has been given already" where it says nothing.
    #[error("{0}")]
    AlreadyGiven(&'static str),
    /// A correction that takes away a dose of a controlled drug, or what was found (D-13, C-03).
    #[error("{}", second_look(*controlled, *alone))]
    SecondLook {
        /// It is a controlled drug.
        controlled: bool,
        /// Whether this home lets a lone worker go on alone (W-13).
        alone: bool,
    },
    /// The given time lies in the future (T-06).
    #[error("the given time lies in the future: look at the clock of this device")]
    Future,
    /// Given before the order began (S-09, O-02).
    #[error("this version of the order was not in force at that time")]
    NotInForce,
    /// Given before the order was checked (S-09, O-02).
    #[error("this order had not been checked at that time: nothing could be given from it")]
    NotChecked,
    /// Due only after another version had taken over (O-03).
    #[error("the order was changed before this dose was due")]
    Ended,
    /// Due only after the order was stopped (O-11).
    #[error("the order was stopped before this dose was due: it is not to be given")]
    AfterStop,
    /// Due before the order was checked, and not to be given now (S-09, W-11).
    #[error(
        "{}: do not give this one. {TELL_OLD}", self.what_stood(Tz::UTC)
    )]
    BeforeCheck,
    /// The first dose of an order, too near the next one (W-11, D-07).
    #[error("{}", self.words(Tz::UTC))]
    NearNext {
        /// When the next one is due.
        next: Timestamp,
    },
    /// Outside its window without a reason (W-02).
    #[error("this dose is {0}: say why with --reason")]
    TimingReason(&'static str),
    /// A day or more early.
    #[error("this dose is due on another day: choose the dose that is due now")]
    OtherDay {
        /// When it is due.
        due: Timestamp,
    },
    /// The outcome of a dose that nobody can have offered yet (D-06, W-02, R-05, O-12).
    #[error("{}", not_yet(*outcome, *from, Tz::UTC))]
    NotYet {
        /// What was to be recorded.
        outcome: Outcome,
        /// From when the dose is due.
        from: Timestamp,
    },
    /// More than two days late for a weekly dose (W-11).
    #[error(
        "this weekly dose is more than two days late: ask the prescriber and move its next due"
    )]
    WeeklyTooLate,
    /// The outcome asks for a reason (D-03).
    #[error("the outcome {} needs --reason: say {}", .0.word(), .0.reason_tells())]
    Reason(Outcome),
    /// The amount is missing or does not fit (S-08, D-03).
    #[error("{0}")]
    Amount(String),
    /// A controlled drug without its witness (C-03).
    #[error("{}", witness_missing(*alone))]
    WitnessMissing {
        /// Whether this home lets a lone worker give it alone (W-13).
        alone: bool,
    },
    /// A counted device is unheard and nobody was asked (W-16).
    #[error("{words}")]
    Unheard {
        /// Which.
        devices: Vec<DeviceId>,
        /// The question, with the devices' names.
        words: String,
    },
    /// The second person of a named check is missing (W-16).
    #[error(
        "this check needs a second person: name a colleague, or say that nobody else is on shift"
    )]
    SecondPerson,
    /// A when-required dose without its reason (P-07).
    #[error("say with --reason what this when-required dose is for")]
    PrnReason,
    /// The outcome does not fit the kind of order.
    #[error("{0}")]
    Outcome(&'static str),
    /// The effect was noted before; a second one says why (P-07).
    #[error("{}", self.words(Tz::UTC))]
    EffectNoted {
        /// What was noted.
        effect: Effect,
        /// By whom.
        by: String,
        /// When it was looked for.
        at: Timestamp,
    },
    /// The effect does not fit.
    #[error("{0}")]
    Effect(&'static str),
}

impl DoseRefusal {
    /// Whether it cannot undo a dose that has been given: then the record takes it all the same.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        if let Self::AlreadyRecorded { outcome, .. } = self {
            return outcome.is_taken();
        }
        matches!(
            self,
            Self::Limit(_)
                | Self::WeeklyTooLate
                | Self::NotActive { .. }
                | Self::Away(_)
                | Self::NotInForce
                | Self::NotChecked
                | Self::Ended
                | Self::AfterStop
                | Self::BeforeCheck
                | Self::OtherDay { .. }
                | Self::NearNext { .. }
        )
    }

    /// Returns what stood in the way, with times in the home's zone and no word on what to do.
    #[must_use]
    pub fn what_stood(&self, zone: Tz) -> String {
        if let Self::AlreadyRecorded { outcome, by, at } = self {
            already(*outcome, by, *at, zone)
        } else if let Self::Limit(Limit::Interval { last, interval, .. }) = self {
            format!(
                "too close to the dose of {}, at least {} between doses",
                moment(*last, zone),
                crate::words::length(*interval)
            )
        } else if let Self::Away(away) = self {
            format!("the resident was recorded as {away}")
        } else if let Self::WeeklyTooLate = self {
            "this weekly dose was more than two days late".to_owned()
        } else if let Self::BeforeCheck = self {
            "this dose fell due before the order was checked, and a later one takes its place"
                .to_owned()
        } else if let Self::OtherDay { due } = self {
            format!("this dose is due on another day, {}", moment(*due, zone))
        } else if let Self::NearNext { next } = self {
            format!("too near the next dose at {}", moment(*next, zone))
        } else {
            self.words(zone)
        }
    }

    pub(super) fn words(&self, zone: Tz) -> String {
        if let Self::Limit(limit) = self {
            limit_words(limit, zone)
        } else if let Self::NotYet { outcome, from } = self {
            not_yet(*outcome, *from, zone)
        } else if let Self::AlreadyRecorded { outcome, by, at } = self {
            let next = if outcome.is_taken() {
                "if a second one has really been given, say when with --given-at and why with \
                 --already-given"
            } else {
                "if that is wrong, correct it with `medroundctl correct ADMINISTRATION --reason TEXT`"
            };
            format!("{}; {next}", already(*outcome, by, *at, zone))
        } else if let Self::EffectNoted { effect, by, at } = self {
            format!(
                "the effect of this dose was noted already: {} by {by}, {}; if you looked again or \
                 that was wrong, say so with --note",
                effect.word(),
                moment(*at, zone)
            )
        } else if let Self::NearNext { .. } = self {
            format!("{}: give that one. {TELL_OLD}", self.what_stood(zone))
        } else if let Self::Happened(stood) = self {
            let other = if let Self::Away(_) = **stood { OTHERWISE_AWAY } else { "" };
            format!(
                "{}.{other} If it has been given all the same, say why with --already-given: it is \
                 recorded as it happened, and raised",
                stood.what_stood(zone)
            )
        } else {
            self.to_string()
        }
    }

    pub(super) const fn rule(&self) -> &'static str {
        match self {
            Self::Happened(stood) => stood.rule(),
            Self::GivenNow => "P-06",
            Self::AlreadyGiven(_) => "D-06",
            Self::SecondLook { controlled: true, .. } => "C-03",
            Self::SecondLook { controlled: false, .. } => "D-13",
            Self::NotActive { .. } | Self::AfterStop => "O-11",
            Self::NoVersion { .. } | Self::NotInForce | Self::NotChecked | Self::Ended => "O-02",
            Self::Away(_) => "R-05",
            Self::AlreadyRecorded { .. } => "D-06",
            Self::Limit(Limit::Interval { .. }) => "P-02",
            Self::Limit(Limit::Amount { .. }) => "P-03",
            Self::Limit(Limit::Ingredient { .. }) => "P-04",
            Self::Limit(Limit::Dose { .. }) => "S-08",
            Self::Future => "T-06",
            Self::TimingReason(_) | Self::OtherDay { .. } => "W-02",
            Self::NotYet { outcome, .. } => match outcome.known() {
                Known::WhileAway => "R-05",
                Known::WhileHeld => "O-12",
                Known::Taken | Known::AtTheOffer | Known::OnItsDay => "W-02",
            },
            Self::WeeklyTooLate | Self::BeforeCheck | Self::NearNext { .. } => "W-11",
            Self::Reason(_) | Self::Outcome(_) => "D-03",
            Self::Amount(_) => "S-08",
            Self::WitnessMissing { .. } => "C-03",
            Self::Unheard { .. } | Self::SecondPerson => "W-16",
            Self::PrnReason | Self::Effect(_) | Self::EffectNoted { .. } => "P-07",
        }
    }
}

/// What else may be true of a dose of a time at which the resident is recorded as away.
const OTHERWISE_AWAY: &str = " If they were here by then, say so first: medroundctl resident \
                              status; if hospital or family gave it: --outcome given-elsewhere.";

fn no_version(order: OrderId, state: State) -> String {
    let given = "If a dose of it has been given all the same,";
    let record = "and record the dose with --given-at and --already-given";
    if state == State::Proposal {
        return format!(
            "nobody has confirmed this order, so nothing can be given from it: medroundctl order \
             confirm {order}. {given} confirm it with its true start (\"start\" in the file of \
             --from), {record}"
        );
    }
    format!(
        "this order is {}, and nobody had confirmed it: nothing can be given from it. {given} write \
         it with its true start (medroundctl order add --from FILE), {record}; then reject or stop it",
        state.in_words()
    )
}

/// What can still be told of a dose that fell due before the check.
const TELL_OLD: &str = "Of this one write what became of it: --outcome given-elsewhere --given-at \
                        TIME --reason TEXT, or --outcome other --reason TEXT";

const WITNESS: &str = "--witness STAFF --witness-pin-file FILE";

fn if_alone(alone: bool) -> &'static str {
    if alone {
        ". Where nobody else is on shift: --alone; the manager looks at it next morning"
    } else {
        ""
    }
}

fn witness_missing(alone: bool) -> String {
    format!("a controlled drug needs a second person to witness it: {WITNESS}{}", if_alone(alone))
}

fn second_look(controlled: bool, alone: bool) -> String {
    let what = if controlled {
        "takes away a dose of a controlled drug"
    } else {
        "takes away what was raised: a possible double dose, one too soon or too much, or one \
         after a stop"
    };
    format!("this correction {what}, so a second person looks too: {WITNESS}{}", if_alone(alone))
}

fn already(outcome: Outcome, by: &str, at: Timestamp, zone: Tz) -> String {
    format!("this dose was already recorded as {} by {by}, {}", outcome.word(), moment(at, zone))
}

fn not_yet(outcome: Outcome, from: Timestamp, zone: Tz) -> String {
    let due = format!("this dose is not due before {}", moment(from, zone));
    match outcome.known() {
        Known::WhileAway => format!(
            "{due}, and the resident is not recorded as away then: record the absence with \
             `medroundctl resident status RESIDENT WHERE`, and its doses need no outcome"
        ),
        Known::WhileHeld => format!(
            "{due}, and its order is not held then: hold it with `medroundctl order hold ORDER --reason TEXT`, and \
             its doses need no outcome"
        ),
        Known::OnItsDay => format!("{due}, on another day: record it on its day"),
        Known::Taken | Known::AtTheOffer => {
            format!("{due}, so nobody has offered it: record then what became of it")
        }
    }
}

fn limit_words(limit: &Limit, zone: Tz) -> String {
    let from = |earliest: &Option<Timestamp>| {
        earliest.map_or_else(
            || "never in this amount".to_owned(),
            |t| format!("from {}", moment(t.up_to_minute(), zone)),
        )
    };
    match limit {
        Limit::Interval { last, interval, earliest } => format!(
            "too soon: given {}, at least {} between doses, next allowed from {}",
            moment(*last, zone),
            crate::words::length(*interval),
            moment(earliest.up_to_minute(), zone)
        ),
        Limit::Dose { most, given } => {
            format!("{given} is more than the prescribed dose, {most}")
        }
        Limit::Amount { most, taken, earliest } => {
            format!(
                "too much: {taken} of at most {most} in 24 hours are taken; this is allowed {}",
                from(earliest)
            )
        }
        Limit::Ingredient { name, most_mg, taken_mg, earliest } => format!(
            "too much {name}: {taken_mg} mg of at most {most_mg} mg in 24 hours are taken; this is allowed {}",
            from(earliest)
        ),
    }
}
