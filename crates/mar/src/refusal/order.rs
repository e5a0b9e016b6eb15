//! Refused because of an order.

use super::Refusal;
use crate::ids::{OrderId, ResidentId};
use crate::plausible::Unusual;

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
    pub(super) fn rule(&self) -> &'static str {
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
