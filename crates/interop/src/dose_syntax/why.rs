//! Why a reading is not clear, each reason with the best grade that it leaves.

use mar::order::Grade;

/// Why a reading is not clear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Something could not be read at all.
    #[error("{0}")]
    Unread(Unread),
    /// The words can be meant in more than one way.
    #[error("{0}")]
    Doubt(Doubt),
    /// Something that an order needs is not said.
    #[error("{0}")]
    Missing(Missing),
    /// The words leave something to the person who gives.
    #[error("{0}")]
    Choice(Choice),
    /// The reading does not fit the medicine.
    #[error("{0}")]
    Medicine(Misfit),
}

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// There are no words.
    #[error("there are no directions")]
    Empty,
    /// It is longer than any direction.
    #[error("the text is longer than {limit} characters: a person has to read it")]
    TooLong {
        /// The longest text that is read.
        limit: usize,
    },
    /// It holds characters that do not show or that turn the order of the others.
    #[error("the text holds hidden characters, so what is shown may not be what is written")]
    HiddenCharacters,
    /// It holds tags.
    #[error("the text holds tags or codes instead of words alone")]
    Markup,
    /// Words that are not known.
    #[error("not understood: “{0}”")]
    Words(String),
    /// A number or a time that has no place.
    #[error("a number was not understood: “{0}”")]
    Number(String),
    /// No dose was read, and some words were not.
    #[error("the dose may be among the words that were not understood")]
    DoseAmongWords,
    /// A condition, a negation or a change.
    #[error("a condition, an exception or a change was not understood: “{0}”")]
    Condition(String),
}

/// What can be meant in more than one way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// More than one dose.
    #[error("there is more than one dose: {0}")]
    MoreThanOneDose(String),
    /// Frequencies that do not go together.
    #[error("there is more than one frequency: {0}")]
    MoreThanOneFrequency(String),
    /// Numbers beside each other.
    #[error("two numbers stand side by side: “{0}”")]
    NumbersSideBySide(String),
    /// "2 daily": two once a day, or one twice.
    #[error("“{0}” can be a dose or a frequency")]
    DoseOrFrequency(String),
    /// "Two each day": at once or divided.
    #[error("it does not say whether the whole amount is given at once or divided over the day")]
    OnceOrDivided,
    /// Two amounts for one dose.
    #[error("the dose is written in two ways, “{0}”: check it against the product")]
    TwoAmounts(String),
    /// "10 ml (500 mg)": right for one strength of the liquid only.
    #[error("“{0}” is right for one strength only: check it against the product")]
    VolumeAndMass(String),
    /// A strength where the number of tablets is missing.
    #[error("“{0}” can be a dose or a strength")]
    DoseOrStrength(String),
    /// "1/2", ".5", "1.000".
    #[error("the number “{0}” can be misread")]
    Number(String),
    /// Zero, or more than anybody takes.
    #[error("the dose {0} is not plausible")]
    Implausible(String),
    /// A tablet in an eye.
    #[error("{form} does not go with {site}")]
    FormAgainstSite {
        /// The form.
        form: String,
        /// The site.
        site: String,
    },
    /// "1 take every day".
    #[error("the words are not in an order that can be relied on: “{0}”")]
    WordOrder(String),
    /// "Once at night": every night, or one night only.
    #[error("“once” can mean once a day or one dose only")]
    OnceOnly,
    /// Hourly.
    #[error("every hour is unusual: check that no number is missing")]
    EveryHour,
}

/// What is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No dose.
    #[error("the dose is not stated")]
    Dose,
    /// The size of a spoon.
    #[error("the size of the spoon is not stated")]
    SpoonSize,
    /// No frequency.
    #[error("how often is not stated")]
    Frequency,
    /// Weekly, with no day.
    #[error("the day of the week is not stated")]
    Weekday,
    /// Monthly, with no date.
    #[error("the day of the month is not stated")]
    DayOfMonth,
    /// No place for a cream, a drop or a spray.
    #[error("where on the body is not stated")]
    Site,
    /// "The affected eye(s)".
    #[error("which of several places is not stated")]
    WhichSite,
    /// The first day of days on and off.
    #[error("the first day of the days on and off is not stated")]
    CycleStart,
    /// A time of day that is none of the usual rounds.
    #[error("the times of day have to be chosen")]
    Times,
    /// When required, with no shortest interval (P-01).
    #[error("the shortest time between doses is not stated")]
    MinInterval,
    /// When required, with no maximum (P-01).
    #[error("the most in 24 hours is not stated")]
    Maximum,
    /// A number without a unit, or a unit without a code, in a structured dosage.
    #[error("a number stands without its unit")]
    Unit,
}

/// What is left to the person who gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Choice {
    /// "One or two" (S-08).
    #[error("the dose is a range: how to choose has to be written down")]
    DoseRange,
    /// "Two or three times a day", "up to four times a day".
    #[error("how often is a range")]
    FrequencyRange,
    /// "Every four to six hours".
    #[error("the interval is a range")]
    IntervalRange,
    /// When required: the protocol is never in the words (P-01).
    #[error("when required: the protocol has to be written down")]
    WhenRequired,
    /// "As directed".
    #[error("“as directed”: the directions are somewhere else")]
    AsDirected,
    /// "Maximum 3 in 4 days".
    #[error("a maximum is stated for a time other than 24 hours")]
    OtherMaximum,
    /// A maximum without "when required".
    #[error("a maximum is stated, but not that it is given when required")]
    MaximumOfRegular,
    /// A date is named.
    #[error("a date is named: check the start and the end")]
    Dates,
    /// A step of several, or an infusion rate, in a structured dosage.
    #[error("a rate, a count or a step of several is stated")]
    MoreThanADose,
}

/// What does not fit the medicine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A weekly medicine more often than weekly (S-05): a hard stop.
    #[error("{0} is given once a week and never more often: ask the prescriber")]
    WeeklyOnly(String),
    /// "Tablet" for a capsule.
    #[error("the directions say {words}, the medicine is {medicine}")]
    Form {
        /// The form in the directions.
        words: String,
        /// The medicine.
        medicine: String,
    },
    /// "One" of a liquid.
    #[error("“{0}” has no unit, and the medicine is not counted in pieces")]
    NoUnit(String),
}

impl Why {
    /// Returns the best grade that a reading with this reason can have.
    #[must_use]
    pub const fn leaves(&self) -> Grade {
        match self {
            Self::Unread(Unread::Words(_)) | Self::Choice(_) => Grade::Partial,
            Self::Doubt(
                Doubt::OnceOrDivided
                | Doubt::TwoAmounts(_)
                | Doubt::EveryHour
                | Doubt::OnceOnly
                | Doubt::Number(_),
            )
            | Self::Medicine(Misfit::Form { .. } | Misfit::NoUnit(_))
            | Self::Missing(
                Missing::Dose
                | Missing::SpoonSize
                | Missing::Weekday
                | Missing::DayOfMonth
                | Missing::Site
                | Missing::WhichSite
                | Missing::CycleStart
                | Missing::Times
                | Missing::MinInterval
                | Missing::Maximum,
            ) => Grade::Partial,
            Self::Unread(
                Unread::Empty
                | Unread::TooLong { .. }
                | Unread::HiddenCharacters
                | Unread::Markup
                | Unread::Number(_)
                | Unread::DoseAmongWords
                | Unread::Condition(_),
            )
            | Self::Doubt(
                Doubt::MoreThanOneDose(_)
                | Doubt::MoreThanOneFrequency(_)
                | Doubt::NumbersSideBySide(_)
                | Doubt::DoseOrFrequency(_)
                | Doubt::VolumeAndMass(_)
                | Doubt::DoseOrStrength(_)
                | Doubt::Implausible(_)
                | Doubt::FormAgainstSite { .. }
                | Doubt::WordOrder(_),
            )
            | Self::Medicine(Misfit::WeeklyOnly(_))
            | Self::Missing(Missing::Frequency | Missing::Unit) => Grade::Refused,
        }
    }
}
