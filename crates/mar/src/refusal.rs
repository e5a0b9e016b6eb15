//! Why the record would not accept a command. Nothing was written.
//!
//! The text is plain English. `Display` is for the logs, with times in UTC; [`Refusal::words`] is what
//! a person reads, with times in the home's zone. The window words the same variants itself.

use crate::ids::{DeviceId, OrderId, ResidentId};
use crate::outcome::{Known, Outcome};
use crate::rules::Limit;
use crate::staff::{Act, Role};
use crate::time::{Timestamp, Tz};

/// Why the record would not accept a command, by what it was about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Who asked.
    #[error(transparent)]
    Who(#[from] WhoRefusal),
    /// What is not there.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A resident, staff or settings entry that cannot be right.
    #[error(transparent)]
    Entry(#[from] EntryRefusal),
    /// An order.
    #[error(transparent)]
    Order(#[from] OrderRefusal),
    /// A dose.
    #[error(transparent)]
    Dose(#[from] DoseRefusal),
}

impl Refusal {
    /// Returns the number of the rule that refuses.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Who(who) => who.rule(),
            Self::Missing(_) => "U-01",
            Self::Entry(entry) => entry.rule(),
            Self::Order(order) => order.rule(),
            Self::Dose(dose) => dose.rule(),
        }
    }

    /// Returns from when the same command would be accepted; `None` when time does not help.
    #[must_use]
    pub const fn earliest(&self) -> Option<Timestamp> {
        match self {
            Self::Dose(DoseRefusal::Limit(Limit::Interval { earliest, .. })) => Some(*earliest),
            Self::Dose(DoseRefusal::Limit(
                Limit::Amount { earliest, .. } | Limit::Ingredient { earliest, .. },
            )) => *earliest,
            Self::Dose(DoseRefusal::NotYet { outcome, from })
                if matches!(outcome.known(), Known::AtTheOffer) =>
            {
                Some(*from)
            }
            Self::Who(_) | Self::Missing(_) | Self::Entry(_) | Self::Order(_) | Self::Dose(_) => {
                None
            }
        }
    }

    /// Returns what a person reads, with times in the home's zone.
    #[must_use]
    pub fn words(&self, zone: Tz) -> String {
        match self {
            Self::Dose(DoseRefusal::Limit(limit)) => limit_words(limit, zone),
            Self::Dose(DoseRefusal::AlreadyRecorded { outcome, by, at }) => {
                already(*outcome, by, *at, zone)
            }
            Self::Dose(DoseRefusal::NotYet { outcome, from }) => not_yet(*outcome, *from, zone),
            Self::Who(_) | Self::Missing(_) | Self::Entry(_) | Self::Order(_) | Self::Dose(_) => {
                self.to_string()
            }
        }
    }

    /// Returns the lines of a page that cannot be checked; empty for other refusals.
    #[must_use]
    pub fn page_lines(&self) -> &[PageLine] {
        match self {
            Self::Order(OrderRefusal::Page { lines, .. }) => lines,
            Self::Who(_) | Self::Missing(_) | Self::Entry(_) | Self::Order(_) | Self::Dose(_) => {
                &[]
            }
        }
    }

    /// Returns the unheard devices that the person is asked about (W-16); empty for other refusals.
    #[must_use]
    pub fn unheard(&self) -> &[DeviceId] {
        match self {
            Self::Dose(DoseRefusal::Unheard { devices, .. }) => devices,
            Self::Who(_) | Self::Missing(_) | Self::Entry(_) | Self::Order(_) | Self::Dose(_) => {
                &[]
            }
        }
    }
}

/// Refused because of who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhoRefusal {
    /// The role does not have the right.
    #[error("a {role} may not {}: ask somebody who may", act.words())]
    Role {
        /// Of the person.
        role: Role,
        /// What was asked.
        act: Act,
    },
    /// The person is not known or not active.
    #[error("this person is not active in this home: a manager can add or reinstate them")]
    NotActive,
    /// Only a member of staff may do it.
    #[error("this needs a person: say who with --as")]
    NeedsPerson,
    /// The witness lacks the competence.
    #[error("this person may not witness: ask somebody who is trained to")]
    MayNotWitness,
    /// The witness is the giver.
    #[error("the witness must be somebody else than the giver")]
    WitnessIsActor,
    /// This device may not record.
    #[error("this device only observes: record on a device that is a member")]
    Observer,
    /// This device was put out of the home.
    #[error("this device was taken out of the home: nothing can be recorded on it")]
    Revoked,
    /// A newer program wrote something here that this one cannot read.
    #[error(
        "update this device: a newer one has written about this resident what this one cannot read. Reading and printing still work"
    )]
    NeedsUpdate,
    /// Not every active device can read what this would write.
    #[error("not every device of the home can read this yet: update {0} first")]
    PeersNeedUpdate(String),
}

impl WhoRefusal {
    const fn rule(&self) -> &'static str {
        match self {
            Self::Role { .. } | Self::NeedsPerson | Self::Observer => "U-01",
            Self::NotActive => "W-07",
            Self::MayNotWitness => "W-13",
            Self::WitnessIsActor => "U-03",
            Self::Revoked => "Y-07",
            Self::NeedsUpdate => "Y-11",
            Self::PeersNeedUpdate(_) => "W-08",
        }
    }
}

/// Refused because what was named is not in the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No such resident.
    #[error("there is no resident {0}")]
    Resident(ResidentId),
    /// No such order.
    #[error("there is no order {0}")]
    Order(OrderId),
    /// No such slot.
    #[error("there is no such dose due: take the slot from `medroundctl due`")]
    Slot,
    /// No such administration.
    #[error("there is no such administration in the months that are held")]
    Administration,
    /// No such member of staff.
    #[error("there is no such member of staff")]
    Staff,
    /// No such device.
    #[error("there is no such device")]
    Device,
    /// No such follow-up.
    #[error("there is no such follow-up")]
    FollowUp,
    /// The home is not founded here yet.
    #[error(
        "this device does not hold its home yet: let it reach another device of the home first"
    )]
    Home,
}

/// Refused because an entry about the home, staff or a resident cannot be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryRefusal {
    /// A name is missing.
    #[error("a {0} is needed")]
    Blank(&'static str),
    /// Two people with the same initials, or initials that are a printed code (W-23).
    #[error("the initials {0} are taken, by a person or by a code on the chart: choose others")]
    Initials(String),
    /// A printed code that is somebody's initials (W-23).
    #[error("the letters {letters} for {} are {whose}'s initials: choose others", outcome.word())]
    Letters {
        /// The letters.
        letters: String,
        /// What they would stand for.
        outcome: Outcome,
        /// Whose initials they are.
        whose: String,
    },
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// A date of birth in the future.
    #[error("the date of birth lies in the future")]
    BornInFuture,
    /// The NHS number is another resident's.
    #[error("this NHS number is already {0}'s: look whether they are the same person")]
    SameNhsNumber(String),
    /// Discharge and death take a second person.
    #[error("a discharge or a death needs a second person")]
    SecondPerson,
    /// The last manager cannot be suspended.
    #[error("this is the last active manager: make another one first")]
    LastManager,
    /// Too long for one entry.
    #[error("this is too long for one entry: shorten the {0}")]
    TooLong(&'static str),
    /// The device cannot be revoked.
    #[error("{0}")]
    Device(&'static str),
}

impl EntryRefusal {
    const fn rule(&self) -> &'static str {
        match self {
            Self::Blank(_) | Self::BornInFuture | Self::TooLong(_) => "R-02",
            Self::Initials(_) | Self::Letters { .. } => "W-23",
            Self::Settings(_) => "S-11",
            Self::SameNhsNumber(_) => "R-01",
            Self::SecondPerson => "R-06",
            Self::LastManager => "W-07",
            Self::Device(_) => "Y-07",
        }
    }
}

/// Refused because of the order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// Something mandatory is missing (O-01).
    #[error("an order needs its {0}")]
    Incomplete(&'static str),
    /// The dose cannot be: zero, or a range upside down.
    #[error("the dose cannot be right: {0}")]
    Dose(&'static str),
    /// The schedule cannot be.
    #[error("the schedule cannot be right: {0}")]
    Schedule(String),
    /// A weekly-only medicine more often than weekly (S-05).
    #[error("{0} is only ever given once a week: this schedule is more often")]
    WeeklyOnly(String),
    /// A when-required order without its limits (P-01).
    #[error("a when-required order needs its {0}, or \"not stated, asked on …\"")]
    Limits(&'static str),
    /// The resident is allergic to it (O-09, W-08).
    #[error(
        "{medicine} matches the recorded allergy to {substance}: decide this with the prescriber and record it"
    )]
    Allergy {
        /// What was ordered.
        medicine: String,
        /// What the resident is allergic to.
        substance: String,
    },
    /// A regular order that is too much by itself (W-01).
    #[error("on these times it comes to {0} mg of paracetamol in 24 hours, above 4,000 mg")]
    TooMuch(String),
    /// One person cannot do both (O-02).
    #[error("the second check must be by somebody else than the writer")]
    SelfCheck,
    /// The order is in another state.
    #[error("this order is {0}: that cannot be done with it now")]
    State(&'static str),
    /// Two versions were written apart (Y-01).
    #[error("two versions of this order were written apart: reject one, or write a new one")]
    Conflict,
    /// Lines of a page that cannot be checked: which, and why (W-09). Nothing was checked.
    #[error("nothing was checked: {}", page_words(*resident, lines, rest))]
    Page {
        /// Whose page.
        resident: ResidentId,
        /// The lines that cannot be checked.
        lines: Vec<PageLine>,
        /// The lines that can.
        rest: Vec<OrderId>,
    },
    /// Nobody said what words and directions mean to each other (O-05).
    #[error("the sender's words differ from the directions: say whether they mean the same")]
    SameMeaning,
    /// Stop in the far past or without authority.
    #[error("a stop needs who authorised it and why")]
    StopReason,
    /// A schedule kind that is not there yet.
    #[error("this program cannot schedule {0} yet")]
    NotYet(&'static str),
}

/// One line of a resident's page that cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLine {
    /// The order.
    pub order: OrderId,
    /// Its medicine, as it is shown.
    pub medicine: String,
    /// Why it cannot be checked.
    pub why: Box<Refusal>,
}

fn page_words(resident: ResidentId, lines: &[PageLine], rest: &[OrderId]) -> String {
    let each: Vec<String> =
        lines.iter().map(|l| format!("{} ({}): {}", l.medicine, l.order, l.why)).collect();
    let each = each.join("; ");
    if rest.is_empty() {
        return each;
    }
    let rest: String = rest.iter().map(|order| format!(" --order {order}")).collect();
    format!("{each}. Check the others: medroundctl resident check {resident}{rest} --as INITIALS")
}

impl OrderRefusal {
    fn rule(&self) -> &'static str {
        match self {
            Self::Page { lines, .. } => lines.first().map_or("W-09", |line| line.why.rule()),
            Self::Incomplete(_) | Self::Dose(_) => "O-01",
            Self::Schedule(_) | Self::NotYet(_) => "S-02",
            Self::WeeklyOnly(_) => "S-05",
            Self::Limits(_) => "P-01",
            Self::Allergy { .. } => "O-09",
            Self::TooMuch(_) => "W-01",
            Self::SelfCheck | Self::State(_) => "O-02",
            Self::Conflict => "Y-01",
            Self::SameMeaning => "O-05",
            Self::StopReason => "O-11",
        }
    }
}

/// Refused because of the dose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoseRefusal {
    /// The order may not be given (O-02, O-11, O-12).
    #[error("this order is {state}: nothing can be given from it")]
    NotActive {
        /// In words.
        state: &'static str,
    },
    /// The resident is not in the home.
    #[error("the resident is recorded as {0}: change that first, or record it as given elsewhere")]
    Away(&'static str),
    /// The slot has an outcome already (D-06).
    #[error("{}", already(*outcome, by, *at, Tz::UTC))]
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
    /// The given time lies in the future (T-06).
    #[error("the given time lies in the future: look at the clock of this device")]
    Future,
    /// Given before the order began or before it was checked (S-09, O-02).
    #[error("this version of the order was not in force at that time")]
    NotInForce,
    /// Due before the order was checked, and not to be given now (S-09, W-11).
    #[error(
        "this dose fell due before the order was checked, and a later one has taken its place: give the one that is due next"
    )]
    BeforeCheck,
    /// Outside its window without a reason (W-02).
    #[error("this dose is {0}: say why")]
    TimingReason(&'static str),
    /// A day or more early.
    #[error("this dose is due on another day: choose the dose that is due now")]
    OtherDay,
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
    #[error("the outcome {} needs a reason", .0.word())]
    Reason(Outcome),
    /// The amount is missing or does not fit (S-08, D-03).
    #[error("{0}")]
    Amount(String),
    /// A controlled drug without its witness (C-03).
    #[error("a controlled drug needs a second person to witness it")]
    WitnessMissing,
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
    #[error("say what this when-required dose is for")]
    PrnReason,
    /// The outcome does not fit the kind of order.
    #[error("{0}")]
    Outcome(&'static str),
    /// The effect does not fit.
    #[error("{0}")]
    Effect(&'static str),
}

impl DoseRefusal {
    const fn rule(&self) -> &'static str {
        match self {
            Self::NotActive { .. } => "O-11",
            Self::NotInForce => "O-02",
            Self::Away(_) => "R-05",
            Self::AlreadyRecorded { .. } => "D-06",
            Self::Limit(Limit::Interval { .. }) => "P-02",
            Self::Limit(Limit::Amount { .. }) => "P-03",
            Self::Limit(Limit::Ingredient { .. }) => "P-04",
            Self::Future => "T-06",
            Self::TimingReason(_) | Self::OtherDay => "W-02",
            Self::NotYet { outcome, .. } => match outcome.known() {
                Known::WhileAway => "R-05",
                Known::WhileHeld => "O-12",
                Known::Taken | Known::AtTheOffer | Known::OnItsDay => "W-02",
            },
            Self::WeeklyTooLate | Self::BeforeCheck => "W-11",
            Self::Reason(_) | Self::Outcome(_) => "D-03",
            Self::Amount(_) => "S-08",
            Self::WitnessMissing => "C-03",
            Self::Unheard { .. } | Self::SecondPerson => "W-16",
            Self::PrnReason | Self::Effect(_) => "P-07",
        }
    }
}

fn clock(at: Timestamp, zone: Tz) -> String {
    let local = at.utc().with_timezone(&zone);
    format!("{} {}", crate::words::date(local.date_naive()), local.format("%H:%M %Z"))
}

fn already(outcome: Outcome, by: &str, at: Timestamp, zone: Tz) -> String {
    format!("this dose was already recorded as {} by {by}, {}", outcome.word(), clock(at, zone))
}

fn not_yet(outcome: Outcome, from: Timestamp, zone: Tz) -> String {
    let due = format!("this dose is not due before {}", clock(from, zone));
    match outcome.known() {
        Known::WhileAway => format!(
            "{due}, and the resident is not recorded as away then: record the absence with \
             `medroundctl resident status`, and its doses need no outcome"
        ),
        Known::WhileHeld => format!(
            "{due}, and its order is not held then: hold it with `medroundctl order hold`, and \
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
            |t| format!("from {}", clock(t, zone)),
        )
    };
    match limit {
        Limit::Interval { last, interval, earliest } => format!(
            "too soon: given {}, at least {} between doses, next allowed from {}",
            clock(*last, zone),
            crate::words::length(*interval),
            clock(*earliest, zone)
        ),
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
