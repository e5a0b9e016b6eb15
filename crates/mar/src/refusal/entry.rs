//! Refused because of an entry about the home, its staff, its devices or a resident.

use crate::outcome::Outcome;

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
    /// A follow-up lacks a word that tells the next person what it is about (W-12).
    #[error("a {0} is needed")]
    BlankFollowUp(&'static str),
    /// The follow-up was closed already (W-12).
    #[error(
        "this follow-up was closed: {0}. If there is still something to do, open a new one: \
         medroundctl follow-up open --resident RESIDENT --what TEXT --as INITIALS"
    )]
    FollowUpClosed(String),
    /// Somebody is said to have been contacted in the future (W-12).
    #[error("the time of the contact lies in the future")]
    ContactInFuture,
    /// The device cannot be revoked.
    #[error("{0}")]
    Device(&'static str),
}

impl EntryRefusal {
    pub(super) const fn rule(&self) -> &'static str {
        match self {
            Self::Blank(_) | Self::BornInFuture | Self::Text(_) | Self::TooLong => "R-02",
            Self::Initials(_) | Self::Letters { .. } => "W-23",
            Self::Settings(_) => "S-11",
            Self::SameNhsNumber(_) => "R-01",
            Self::SecondPerson => "R-06",
            Self::LastManager => "W-07",
            Self::BlankFollowUp(_) | Self::FollowUpClosed(_) | Self::ContactInFuture => "W-12",
            Self::Device(_) => "Y-07",
        }
    }
}
