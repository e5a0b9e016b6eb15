//! Why a command was not carried out, with its exit code.

use crate::clock::ClockFault;
use crate::{InviteFault, JoinFault, NetworkFault, PinFault, ReadFault, StartFault, SubmitFault};
use mar::refusal::{PageLine, Refusal};
use mar::time::Tz;
use serde_json::{Value, json};
use store::backend::OpenFault;

/// Why a command was not carried out. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The command is wrong.
    #[error("{0}")]
    Wrong(String),
    /// A rule of the record refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A rule that is not the record's own refuses it: the choice of a PIN.
    #[error("{message}")]
    Rule {
        /// The rule's number.
        rule: &'static str,
        /// In words.
        message: String,
    },
    /// A file or standard input could not be read.
    #[error("{file}: {what}")]
    Unreadable {
        /// Which, as the caller named it.
        file: String,
        /// Where in it, what stands there and what was expected.
        what: String,
    },
    /// Some files of an import could not be read; they were named already.
    #[error("{0}")]
    SomeUnreadable(String),
    /// The disk did not take it.
    #[error("{0}")]
    NotSaved(String),
    /// What was named is not there.
    #[error("{0}")]
    Missing(String),
    /// A PIN was not accepted.
    #[error("{0}")]
    Pin(String),
    /// No other device was reached, or pairing did not work.
    #[error("{0}")]
    Peer(String),
    /// `verify` found faults; they were listed already.
    #[error("{0}")]
    Faulty(String),
    /// Something that should not happen.
    #[error("{0}")]
    Unexpected(String),
}

/// A refusal as it is told.
pub struct Refused {
    /// The rule's number.
    pub rule: &'static str,
    /// In words, with times in the home's zone.
    pub message: String,
    earliest: Option<String>,
    unheard: Vec<String>,
    lines: Vec<Value>,
}

impl Refused {
    /// Returns the refusal in the shape of the command line.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut shape = json!({
            "rule": self.rule,
            "message": self.message,
            "earliest": self.earliest,
        });
        if !self.unheard.is_empty() {
            shape["unheard"] = json!(self.unheard);
        }
        if !self.lines.is_empty() {
            shape["orders"] = json!(self.lines);
        }
        shape
    }
}

impl Fault {
    /// Returns the exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Unexpected(_) => 1,
            Self::Wrong(_) => 2,
            Self::Refused(Refusal::Missing(_)) | Self::Missing(_) => 6,
            Self::Refused(
                Refusal::Who(_)
                | Refusal::Entry(_)
                | Refusal::Order(_)
                | Refusal::Dose(_)
                | Refusal::Clock(_),
            )
            | Self::Rule { .. } => 3,
            Self::Unreadable { .. } | Self::SomeUnreadable(_) => 4,
            Self::NotSaved(_) => 5,
            Self::Pin(_) => 7,
            Self::Peer(_) => 8,
            Self::Faulty(_) => 9,
        }
    }

    /// Returns the refusal, if a rule refuses; `None` for every other fault.
    #[must_use]
    pub fn refusal(&self, zone: Tz) -> Option<Refused> {
        if self.exit_code() != 3 {
            return None;
        }
        if let Self::Rule { rule, message } = self {
            let message = message.clone();
            return Some(Refused {
                rule,
                message,
                earliest: None,
                unheard: Vec::new(),
                lines: Vec::new(),
            });
        }
        let Self::Refused(refusal) = self else { return None };
        Some(Refused {
            rule: refusal.rule(),
            message: refusal.words(zone),
            earliest: refusal.earliest().map(|at| at.rfc3339(zone)),
            unheard: refusal.unheard().iter().map(ToString::to_string).collect(),
            lines: refusal.page_lines().iter().map(|l| page_line(l, zone)).collect(),
        })
    }

    /// A file whose contents are not what was expected.
    pub(super) fn unreadable(file: &str, what: impl ToString) -> Self {
        Self::Unreadable { file: file.to_owned(), what: what.to_string() }
    }
}

fn page_line(line: &PageLine, zone: Tz) -> Value {
    json!({
        "order": line.order.to_string(),
        "medicine": line.medicine,
        "rule": line.why.rule(),
        "message": line.why.words(zone),
    })
}

impl From<SubmitFault> for Fault {
    fn from(fault: SubmitFault) -> Self {
        match fault {
            SubmitFault::Refused(refusal) => Self::Refused(refusal),
            SubmitFault::Clock(_)
            | SubmitFault::NotSaved { .. }
            | SubmitFault::ReadOnly { .. }
            | SubmitFault::Closed => Self::NotSaved(fault.to_string()),
        }
    }
}

impl From<ReadFault> for Fault {
    fn from(fault: ReadFault) -> Self {
        match fault {
            // What is damaged is told beside every answer, with what to do.
            ReadFault::Disk(fault) => Self::NotSaved(format!(
                "what was asked for could not be read: {fault}. Nothing was changed; use another \
                 device"
            )),
            ReadFault::Closed => Self::Unexpected(fault.to_string()),
        }
    }
}

impl From<ClockFault> for Fault {
    fn from(fault: ClockFault) -> Self {
        Self::NotSaved(fault.to_string())
    }
}

impl From<PinFault> for Fault {
    fn from(fault: PinFault) -> Self {
        match fault {
            PinFault::Wrong => Self::Pin(
                "the PIN is wrong; try again, or ask a manager for a new one (staff reset-pin)"
                    .to_owned(),
            ),
            PinFault::Choice(choice) => Self::Rule { rule: "U-04", message: choice.to_string() },
            PinFault::WrongAndLate
            | PinFault::Wait(_)
            | PinFault::None
            | PinFault::Unreadable(_) => Self::Pin(fault.to_string()),
            PinFault::Disk(_) => Self::NotSaved(format!("NOT SAVED: {fault}")),
        }
    }
}

impl From<StartFault> for Fault {
    fn from(fault: StartFault) -> Self {
        let words = fault.to_string();
        match fault {
            StartFault::Open(OpenFault::NoHome { .. }) => Self::Missing(words),
            StartFault::Open(OpenFault::HomeExists { .. }) => Self::Wrong(words),
            StartFault::Refused(refusal) => Self::Refused(refusal),
            StartFault::Pin(pin) => pin.into(),
            StartFault::Open(_)
            | StartFault::Keys(_)
            | StartFault::Clock(_)
            | StartFault::Secret(_)
            | StartFault::Disk(_)
            | StartFault::NotSaved { .. } => Self::NotSaved(words),
        }
    }
}

impl From<NetworkFault> for Fault {
    fn from(fault: NetworkFault) -> Self {
        Self::Peer(fault.to_string())
    }
}

impl From<InviteFault> for Fault {
    fn from(fault: InviteFault) -> Self {
        match fault {
            InviteFault::Refused(refusal) => Self::Refused(refusal),
            InviteFault::Expired
            | InviteFault::Closed
            | InviteFault::Bind(_)
            | InviteFault::Failed(_) => Self::Peer(fault.to_string()),
        }
    }
}

impl From<JoinFault> for Fault {
    fn from(fault: JoinFault) -> Self {
        let words = fault.to_string();
        match fault {
            JoinFault::Start(start) => start.into(),
            JoinFault::Clock(clock) => clock.into(),
            JoinFault::Pairing(_) => Self::Peer(format!(
                "{words}: see that the other screen still shows this code and this address, and \
                 that both devices are on the home's network; then try again"
            )),
            JoinFault::Code(_)
            | JoinFault::Bind(_)
            | JoinFault::NotFound
            | JoinFault::NoAddress
            | JoinFault::NoInvite
            | JoinFault::Stalled
            | JoinFault::OtherVersion
            | JoinFault::Failed(_) => Self::Peer(words),
        }
    }
}
