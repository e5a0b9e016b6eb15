//! Why the record would not accept a command. Nothing was written.
//!
//! The text is plain English. `Display` is for the logs, with times in UTC; [`Refusal::words`] is what
//! a person reads, with times in the home's zone. The window words the same variants itself.

use crate::clock::ClockRefusal;
use crate::ids::{DeviceId, OrderId, ResidentId};
use crate::order::State;
use crate::outcome::{Effect, Known, Outcome};
use crate::plausible::Unusual;
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
    /// The device's clock.
    #[error(transparent)]
    Clock(#[from] ClockRefusal),
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
            Self::Clock(clock) => clock.rule,
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
            Self::Who(_)
            | Self::Missing(_)
            | Self::Entry(_)
            | Self::Order(_)
            | Self::Dose(_)
            | Self::Clock(_) => None,
        }
    }

    /// Returns what a person reads, with times in the home's zone.
    #[must_use]
    pub fn words(&self, zone: Tz) -> String {
        match self {
            Self::Dose(dose) => dose.words(zone),
            Self::Who(_) | Self::Missing(_) | Self::Entry(_) | Self::Order(_) | Self::Clock(_) => {
                self.to_string()
            }
        }
    }

    /// Returns the lines of a page that cannot be checked; empty for other refusals.
    #[must_use]
    pub fn page_lines(&self) -> &[PageLine] {
        let Self::Order(OrderRefusal::Page { lines, .. }) = self else { return &[] };
        lines
    }

    /// Returns the unheard devices that the person is asked about (W-16); empty for other refusals.
    #[must_use]
    pub fn unheard(&self) -> &[DeviceId] {
        let Self::Dose(DoseRefusal::Unheard { devices, .. }) = self else { return &[] };
        devices
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
    #[error(
        "this device was taken out of the home: nothing can be recorded on it. Record on another device, or on paper. To use this one again, a manager invites it, and it joins anew in an empty folder"
    )]
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
    /// A text with a character that no text may hold, or too long.
    #[error(transparent)]
    Text(#[from] crate::text::TextFault),
    /// All texts together are more than one entry holds.
    #[error("what was typed is too long together: say it in fewer words")]
    TooLong,
    /// The device cannot be revoked.
    #[error("{0}")]
    Device(&'static str),
}

impl EntryRefusal {
    const fn rule(&self) -> &'static str {
        match self {
            Self::Blank(_) | Self::BornInFuture | Self::Text(_) | Self::TooLong => "R-02",
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
    /// The dose is counted in what the form is not counted in (O-01, H-31).
    #[error(
        "{medicine} is not counted in {unit}: write the dose in the unit of its form, or correct the form"
    )]
    Unit {
        /// The medicine.
        medicine: String,
        /// The unit.
        unit: String,
    },
    /// Nobody stated whether it is a controlled drug (O-01, C-02).
    #[error(
        "an order needs its controlled-drug category: state medicine.cd_category as one of {}",
        crate::medicine::CdCategory::choices()
    )]
    Category,
    /// Something that is hardly ever meant, and that the writer did not say is meant (S-08, C-02).
    #[error("{}", unusual_words(asked, *checked))]
    Unusual {
        /// What, each with the words that a reason names it by.
        asked: Vec<Unusual>,
        /// The order that is checked; `None` for one that is written.
        checked: Option<OrderId>,
    },
    /// What was read from the words and what the order says differ (O-05, H-08).
    #[error(
        "{}: correct the order, or say how and why it differs with --differs TEXT",
        words.join("; ")
    )]
    NotAsRead {
        /// What differs, in words.
        words: Vec<String>,
    },
    /// The sender's words were changed after the order was written (O-05).
    #[error(
        "the sender's words have changed since this was written: {}: write it again: medroundctl order change {order} --from FILE",
        words.join("; ")
    )]
    ChangedSince {
        /// The order.
        order: OrderId,
        /// What differs, in words.
        words: Vec<String>,
    },
    /// The same medicine stands in another order of this resident (O-08).
    #[error("the same medicine stands in another order: {}. {}", others.join(", "), twin_advice(*checked))]
    Twin {
        /// The other orders, each with its state and its id.
        others: Vec<String>,
        /// The order that is checked; `None` for one that is written.
        checked: Option<OrderId>,
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

fn twin_advice(checked: Option<OrderId>) -> String {
    match checked {
        None => "Change, stop or reject that one, or say why both are meant with --intended TEXT"
            .to_owned(),
        Some(order) => format!(
            "Reject or stop one of them. If both are meant, the writer says why: medroundctl order \
             change {order} --from FILE --intended TEXT (a file with {{}} changes nothing else)"
        ),
    }
}

fn unusual_words(asked: &[Unusual], checked: Option<OrderId>) -> String {
    let words: Vec<&str> = asked.iter().map(|a| a.words.as_str()).collect();
    let named: Vec<String> = asked.iter().map(|a| format!("“{}”", a.named)).collect();
    let (words, named) = (words.join("; "), named.join(" and "));
    let reason = format!("with --differs TEXT, and name {named} in it");
    match checked {
        None => format!("{words}. Correct the order, or say why it is meant {reason}"),
        Some(order) => format!(
            "{words}. Reject it, or the writer corrects it or says why it is meant {reason}: \
             medroundctl order change {order} --from FILE"
        ),
    }
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
            Self::Unusual { asked, .. } => asked.first().map_or("S-08", |asked| asked.rule),
            Self::Incomplete(_) | Self::Category | Self::Dose(_) | Self::Unit { .. } => "O-01",
            Self::NotAsRead { .. } | Self::ChangedSince { .. } => "O-05",
            Self::Twin { .. } => "O-08",
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
    /// Due only after the version had come to its end (O-03, O-11).
    #[error("the order was stopped or changed before this dose was due")]
    Ended,
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

    fn words(&self, zone: Tz) -> String {
        if let Self::Limit(limit) = self {
            limit_words(limit, zone)
        } else if let Self::NotYet { outcome, from } = self {
            not_yet(*outcome, *from, zone)
        } else if let Self::AlreadyRecorded { outcome, by, at } = self {
            let next = if outcome.is_taken() {
                "if a second one has really been given, say when with --given-at and why with \
                 --already-given"
            } else {
                "if that is wrong, correct it with `medroundctl correct`"
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

    const fn rule(&self) -> &'static str {
        match self {
            Self::Happened(stood) => stood.rule(),
            Self::GivenNow => "P-06",
            Self::AlreadyGiven(_) => "D-06",
            Self::SecondLook { controlled: true, .. } => "C-03",
            Self::SecondLook { controlled: false, .. } => "D-13",
            Self::NotActive { .. } => "O-11",
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
        state.word()
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
        "takes away what was raised: a possible double dose, or one too soon or too much"
    };
    format!("this correction {what}, so a second person looks too: {WITNESS}{}", if_alone(alone))
}

/// A time as a person reads it: `Sun 22 Nov 2026 08:40 GMT`.
pub(crate) fn moment(at: Timestamp, zone: Tz) -> String {
    let local = at.utc().with_timezone(&zone);
    format!("{} {}", crate::words::date(local.date_naive()), local.format("%H:%M %Z"))
}

fn already(outcome: Outcome, by: &str, at: Timestamp, zone: Tz) -> String {
    format!("this dose was already recorded as {} by {by}, {}", outcome.word(), moment(at, zone))
}

fn not_yet(outcome: Outcome, from: Timestamp, zone: Tz) -> String {
    let due = format!("this dose is not due before {}", moment(from, zone));
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
