//! The sub-command about follow-ups.

use clap::Subcommand;

/// What is to be done, and what became of it.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  medroundctl follow-up list
  medroundctl follow-up take ID --as NB
  medroundctl follow-up note ID --contact \"Dr Patel, GP, Bay Surgery\" --advice \"watch her\" --as NB
  medroundctl follow-up close ID --outcome \"no harm came of it\" --as NB")]
pub(crate) enum FollowUp {
    /// List what is open
    List {
        /// One resident's only: id or NHS number
        #[arg(long)]
        resident: Option<String>,
        /// Closed ones too
        #[arg(long)]
        all: bool,
    },
    /// Open one
    Open {
        /// Whose: id or NHS number
        #[arg(long)]
        resident: String,
        /// What is to be done
        #[arg(long, value_name = "TEXT")]
        what: String,
        /// The order it is about
        #[arg(long)]
        order: Option<String>,
        /// Who does it: initials or id
        #[arg(long, value_name = "STAFF")]
        owner: Option<String>,
    },
    /// Take one on, or hand it to somebody
    Take {
        /// The follow-up, as `alerts` and `follow-up list` give it
        follow_up: String,
        /// Who does it: initials or id; the person who acts unless named
        #[arg(long, value_name = "STAFF")]
        owner: Option<String>,
    },
    /// Note who was contacted, what they advised, and the order that came of it
    Note {
        /// The follow-up
        follow_up: String,
        /// Who was contacted
        #[arg(long, value_name = "NAME, ROLE, ORGANISATION")]
        contact: Option<String>,
        /// When they were contacted; now unless named
        #[arg(long, value_name = "T")]
        at: Option<String>,
        /// What they advised
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        advice: String,
        /// The order that came of it
        #[arg(long)]
        order: Option<String>,
    },
    /// Close one: say what became of it
    Close {
        /// The follow-up
        follow_up: String,
        /// What became of it
        #[arg(long, value_name = "TEXT")]
        outcome: String,
        /// What was changed so that it does not happen again
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        action: String,
    },
}
