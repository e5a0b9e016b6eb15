//! What became of a dose, as told by the person who was there (D-03, W-04).
//!
//! There is no "missed": nobody records a miss. A dose whose window has closed without an outcome
//! is *unrecorded*, which means "not known", until a person closes it (D-04).

/// What became of one dose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Taken as prescribed.
    Given,
    /// Some was taken: more than nothing, less than was prescribed.
    PartGiven,
    /// The resident took it alone.
    SelfAdministered,
    /// The resident was prompted and took it.
    Prompted,
    /// Declined before it was prepared.
    Refused,
    /// Declined after it was prepared; destroyed.
    RefusedDestroyed,
    /// Spat out or vomited after it was given.
    Vomited,
    /// Asleep; offered again until cut-off.
    Asleep,
    /// A when-required medicine that was offered and not needed.
    NotRequired,
    /// In hospital.
    Hospital,
    /// On leave.
    Leave,
    /// Held on advice.
    Held,
    /// A reading was outside its limit.
    ClinicalReading,
    /// Out of stock, awaiting supply.
    OutOfStock,
    /// Left out in error.
    OmittedInError,
    /// Something else, told in words.
    Other,
    /// Recorded on a paper sheet.
    OnPaper,
    /// Outcomes that practice added.
    Practice(Practice),
}

/// The outcomes that W-04 adds to those of D-03, and `rescheduled` of S-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Practice {
    /// Nil by mouth, or too drowsy to swallow.
    NilByMouth,
    /// A visiting professional gave it (D-15).
    GivenByProfessional,
    /// Given elsewhere: hospital, ambulance, family.
    GivenElsewhere,
    /// Given covertly. The record holds no plan: that one is in force is the giver's word.
    GivenCovertly,
    /// Put out for the resident; later seen taken or not.
    MadeAvailable,
    /// Put out, and seen taken.
    SeenTaken,
    /// Put out, and seen not taken.
    SeenNotTaken,
    /// Dropped and replaced by another, which was taken.
    DroppedReplaced,
    /// Not known; handed to a named person.
    NotKnown,
    /// Moved by a new version of the order (S-10).
    Rescheduled,
}

/// Every outcome, in the order of the tables on screen and on paper.
pub const OUTCOMES: [Outcome; 27] = [
    Outcome::Given,
    Outcome::PartGiven,
    Outcome::SelfAdministered,
    Outcome::Prompted,
    Outcome::Refused,
    Outcome::RefusedDestroyed,
    Outcome::Vomited,
    Outcome::Asleep,
    Outcome::NotRequired,
    Outcome::Hospital,
    Outcome::Leave,
    Outcome::Held,
    Outcome::ClinicalReading,
    Outcome::OutOfStock,
    Outcome::OmittedInError,
    Outcome::Other,
    Outcome::OnPaper,
    Outcome::Practice(Practice::NilByMouth),
    Outcome::Practice(Practice::GivenByProfessional),
    Outcome::Practice(Practice::GivenElsewhere),
    Outcome::Practice(Practice::GivenCovertly),
    Outcome::Practice(Practice::MadeAvailable),
    Outcome::Practice(Practice::SeenTaken),
    Outcome::Practice(Practice::SeenNotTaken),
    Outcome::Practice(Practice::DroppedReplaced),
    Outcome::Practice(Practice::NotKnown),
    Outcome::Practice(Practice::Rescheduled),
];

/// How far ahead of its time an outcome can be known (D-06, W-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Something was taken: early on its own day at most, and then with a reason (W-02).
    Taken,
    /// Only whoever offered the dose can tell: not before its window opens.
    AtTheOffer,
    /// The resident is recorded as away when it is due.
    WhileAway,
    /// The order is recorded as held when it is due (O-12).
    WhileHeld,
    /// It can be known earlier in the day: nil by mouth before a procedure, a round on paper.
    OnItsDay,
}

/// The letters of a box whose dose fell due before the order's second check: no outcome, since nobody
/// could give it (S-09, O-02).
pub const NOT_CHECKED: &str = "NC";

/// One row of the outcome table.
struct Row {
    word: &'static str,
    letter: &'static str,
    label: &'static str,
    reason: bool,
}

const fn row(word: &'static str, letter: &'static str, label: &'static str, reason: bool) -> Row {
    Row { word, letter, label, reason }
}

impl Outcome {
    const fn row(self) -> Row {
        match self {
            Self::Given => row("given", "", "Given", false),
            Self::PartGiven => row("part-given", "P", "Part given", true),
            Self::SelfAdministered => row("self-administered", "SA", "Self-administered", false),
            Self::Prompted => row("prompted", "PR", "Prompted", false),
            Self::Refused => row("refused", "R", "Refused, not prepared", true),
            Self::RefusedDestroyed => {
                row("refused-destroyed", "E", "Refused after preparing, destroyed", true)
            }
            Self::Vomited => row("vomited", "V", "Spat out or vomited", true),
            Self::Asleep => row("asleep", "S", "Asleep", false),
            Self::NotRequired => row("not-required", "NR", "Offered, not required", false),
            Self::Hospital => row("hospital", "H", "In hospital", false),
            Self::Leave => row("leave", "L", "On leave", false),
            Self::Held => row("held", "HA", "Held on advice", true),
            Self::ClinicalReading => {
                row("clinical-reading", "CR", "Clinical reading outside limit", false)
            }
            Self::OutOfStock => row("out-of-stock", "OS", "Out of stock", true),
            Self::OmittedInError => row("omitted-in-error", "OE", "Omitted in error", true),
            Self::Other => row("other", "O", "Other: see the reverse", true),
            Self::OnPaper => row("on-paper", "PC", "Recorded on a paper sheet", true),
            Self::Practice(practice) => practice.row(),
        }
    }

    /// Returns the outcome's word on the command line: `refused-destroyed`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.row().word
    }

    /// Returns the outcome of a word; `None` for any other text.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        OUTCOMES.into_iter().find(|o| o.word() == word)
    }

    /// Returns the letters printed by default (D-03); empty for *given*, where initials stand.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        self.row().letter
    }

    /// Returns the words of the code key on every sheet.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().label
    }

    /// Returns what a screen of the staff says of it. Paper, which the resident may read, keeps the
    /// letters (W-24). What was given covertly claims no plan that this record does not hold.
    #[must_use]
    pub const fn on_screen(self) -> &'static str {
        if let Self::Practice(Practice::GivenCovertly) = self {
            "Given covertly; no plan in this record"
        } else {
            self.label()
        }
    }

    /// Whether a reason in words is required.
    #[must_use]
    pub const fn needs_reason(self) -> bool {
        self.row().reason
    }

    /// Returns what the reason tells, in words after "say".
    #[must_use]
    pub const fn reason_tells(self) -> &'static str {
        match self {
            Self::PartGiven => "why the rest was not taken",
            Self::Refused => "what they said or showed",
            Self::RefusedDestroyed => "why, and how it was destroyed",
            Self::Vomited => "when it came up, and who was asked",
            Self::Held => "who advised it",
            Self::OutOfStock => "what was done about it",
            Self::OmittedInError | Self::Other => "what happened",
            Self::OnPaper => "on which sheet",
            Self::Practice(practice) => practice.reason_tells(),
            Self::Given
            | Self::SelfAdministered
            | Self::Prompted
            | Self::Asleep
            | Self::NotRequired
            | Self::Hospital
            | Self::Leave
            | Self::ClinicalReading => "why",
        }
    }

    /// Whether some of the medicine went into the resident, as far as anybody knows: such an
    /// outcome counts for intervals, totals and double doses. What was vomited counts too, and so
    /// does a part: the safe side for a limit.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        match self {
            Self::Given
            | Self::PartGiven
            | Self::SelfAdministered
            | Self::Prompted
            | Self::Vomited => true,
            Self::Practice(practice) => practice.is_taken(),
            Self::Refused
            | Self::RefusedDestroyed
            | Self::Asleep
            | Self::NotRequired
            | Self::Hospital
            | Self::Leave
            | Self::Held
            | Self::ClinicalReading
            | Self::OutOfStock
            | Self::OmittedInError
            | Self::Other
            | Self::OnPaper => false,
        }
    }

    /// Returns how far ahead of its time this outcome of a due dose can be known: nobody closes a
    /// dose that has not been offered.
    #[must_use]
    pub const fn known(self) -> Known {
        match self {
            Self::Hospital | Self::Leave => Known::WhileAway,
            Self::Held => Known::WhileHeld,
            Self::OnPaper | Self::Practice(Practice::NilByMouth) => Known::OnItsDay,
            Self::Given
            | Self::PartGiven
            | Self::SelfAdministered
            | Self::Prompted
            | Self::Vomited
            | Self::Practice(
                Practice::GivenByProfessional
                | Practice::GivenElsewhere
                | Practice::GivenCovertly
                | Practice::SeenTaken
                | Practice::DroppedReplaced,
            ) => Known::Taken,
            Self::Refused
            | Self::RefusedDestroyed
            | Self::Asleep
            | Self::NotRequired
            | Self::ClinicalReading
            | Self::OutOfStock
            | Self::OmittedInError
            | Self::Other
            | Self::Practice(
                Practice::MadeAvailable
                | Practice::SeenNotTaken
                | Practice::NotKnown
                | Practice::Rescheduled,
            ) => Known::AtTheOffer,
        }
    }

    /// Whether the slot stays open for another offer until its cut-off (D-08).
    #[must_use]
    pub const fn may_be_offered_again(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Asleep
                | Self::Practice(
                    Practice::MadeAvailable | Practice::SeenNotTaken | Practice::NotKnown
                )
        )
    }
}

impl Practice {
    const fn row(self) -> Row {
        match self {
            Self::NilByMouth => row("nil-by-mouth", "N", "Nil by mouth or too drowsy", true),
            Self::GivenByProfessional => {
                row("given-by-professional", "VP", "Given by a visiting professional", false)
            }
            Self::GivenElsewhere => row("given-elsewhere", "GE", "Given elsewhere", true),
            Self::GivenCovertly => row("given-covertly", "GC", "Given: see the home's notes", true),
            Self::MadeAvailable => row("made-available", "M", "Made available", false),
            Self::SeenTaken => row("seen-taken", "MT", "Made available, seen taken", false),
            Self::SeenNotTaken => row("seen-not-taken", "MN", "Made available, not taken", true),
            Self::DroppedReplaced => row("dropped-replaced", "D", "Dropped and replaced", true),
            Self::NotKnown => row("not-known", "NK", "Not known, handed to a person", false),
            Self::Rescheduled => row("rescheduled", "RS", "Moved", true),
        }
    }

    const fn reason_tells(self) -> &'static str {
        match self {
            Self::NilByMouth => "why, and who said so",
            Self::GivenElsewhere => "where, and who told you",
            // Until the plan is a fact of its own the record can only say on whose word it rests.
            // It prints where the resident may read it: no word here says "covert" (W-24).
            Self::GivenCovertly => "which plan is in force: its date, and who authorised it",
            Self::SeenNotTaken => "what became of it",
            Self::DroppedReplaced => "what was dropped, and what became of it",
            Self::GivenByProfessional
            | Self::MadeAvailable
            | Self::SeenTaken
            | Self::NotKnown
            | Self::Rescheduled => "why",
        }
    }

    const fn is_taken(self) -> bool {
        match self {
            Self::GivenByProfessional
            | Self::GivenElsewhere
            | Self::GivenCovertly
            | Self::SeenTaken
            | Self::DroppedReplaced => true,
            Self::NilByMouth
            | Self::MadeAvailable
            | Self::SeenNotTaken
            | Self::NotKnown
            | Self::Rescheduled => false,
        }
    }
}

/// What a when-required dose did (P-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It helped.
    Good,
    /// It helped in part.
    Partly,
    /// It did not help.
    None,
    /// The resident was asleep.
    Asleep,
}

/// Every effect with its word on the command line.
pub const EFFECTS: [(Effect, &str); 4] = [
    (Effect::Good, "good"),
    (Effect::Partly, "partly"),
    (Effect::None, "none"),
    (Effect::Asleep, "asleep"),
];

impl Effect {
    /// Returns the effect's word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        EFFECTS.iter().find(|(e, _)| *e == self).map_or("", |(_, word)| word)
    }

    /// Returns the effect of a word; `None` for any other text.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        EFFECTS.iter().find(|(_, w)| *w == word).map(|(e, _)| *e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_and_letters_tell_all_outcomes_apart() {
        let words: BTreeSet<_> = OUTCOMES.iter().map(|o| o.word()).collect();
        let letters: BTreeSet<_> = OUTCOMES.iter().map(|o| o.letter()).collect();
        assert_eq!(words.len(), OUTCOMES.len());
        assert_eq!(letters.len(), OUTCOMES.len());
        for outcome in OUTCOMES {
            assert_eq!(Outcome::from_word(outcome.word()), Some(outcome));
        }
        assert_eq!(Outcome::from_word("missed"), None);
    }
}
