//! Sub-commands about residents, orders and doses.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Who lives here.
#[derive(Debug, Subcommand)]
pub(crate) enum Resident {
    /// Admit somebody
    #[command(after_help = "Example:
  echo '{\"family\": \"Shaw\", \"given\": \"Gladys\", \"dob\": \"1938-04-12\", \"room\": \"12\",
         \"allergies\": {\"state\": \"recorded\",
                       \"list\": [{\"substance\": \"penicillin\", \"reaction\": \"rash\"}]}}' |
    medroundctl resident add --from - --as NB")]
    Add {
        /// A file with its fields as JSON, in the shape that `show --json` gives; - is standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// Change what is known of somebody
    Change {
        /// Id or NHS number
        resident: String,
        /// A file with the fields to change as JSON; the others stay; - is standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// List those who live here
    List {
        /// One unit only
        #[arg(long)]
        unit: Option<String>,
        /// Those who left or died too
        #[arg(long)]
        all: bool,
    },
    /// Show one
    Show {
        /// Id or NHS number
        resident: String,
    },
    /// Say where somebody is from a time on
    #[command(after_help = "Example:
  medroundctl resident status ID hospital --from 14:20 --note \"999, fall\" --as NB")]
    Status {
        /// Id or NHS number
        resident: String,
        /// present, day-leave, overnight-leave, hospital, discharged or deceased
        whereabouts: String,
        /// From when; now unless named
        #[arg(long, value_name = "T")]
        from: Option<String>,
        /// Who told, and other words
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Check a resident's whole page as the second person
    Check {
        /// Id or NHS number
        resident: String,
        /// Only this order; again for another
        #[arg(long, value_name = "ORDER")]
        order: Vec<String>,
    },
}

/// Words beside an order.
#[derive(Debug, Args)]
pub(crate) struct Beside {
    /// The label's or sender's words mean the same as ours
    #[arg(long)]
    pub(crate) same_meaning: bool,
    /// They differ, and how
    #[arg(long, value_name = "TEXT", conflicts_with = "same_meaning")]
    pub(crate) differs: Option<String>,
    /// What the prescriber decided about an allergy that matches
    #[arg(long, value_name = "TEXT")]
    pub(crate) allergy_decided: Option<String>,
    /// Why the same medicine is meant to stand in another order too
    #[arg(long, value_name = "TEXT")]
    pub(crate) intended: Option<String>,
}

/// What is prescribed.
#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Write an order; a second person checks it before it can be given
    #[command(after_help = "Example:
  echo '{\"resident\": \"ID\", \"route\": \"oral\", \"dose\": {\"value\": \"1\", \"unit\": \"capsule\"},
         \"medicine\": {\"name\": \"Ramipril 2.5mg capsules\", \"form\": \"capsule\",
                      \"cd_category\": \"0000\"},
         \"start\": \"2026-11-21T00:00:00+00:00\", \"source\": \"label\",
         \"label\": \"Take ONE in the morning\",
         \"schedule\": {\"kind\": \"rounds\", \"rounds\": [\"morning\"]}}' |
    medroundctl order add --from - --as NB")]
    Add {
        /// A file with its fields as JSON, in the shape that `show --json` gives; - is standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        #[command(flatten)]
        beside: Beside,
    },
    /// Write a new version of an order
    Change(OrderChange),
    /// List orders
    List {
        /// One resident's only
        #[arg(long)]
        resident: Option<String>,
        /// Stopped and rejected ones too
        #[arg(long)]
        all: bool,
    },
    /// Show one with its versions
    Show {
        /// The order
        order: String,
    },
    /// Write the file that completes a proposal for `order confirm --from`
    #[command(after_help = "What was read stands in it; what was not is null.

Example:
  medroundctl order template ID > order.json")]
    Template {
        /// The order
        order: String,
    },
    /// Make an imported proposal into an order that waits for its check
    #[command(
        after_help = "What was understood clearly is taken over. Everything else is written in the file,
in the shape of `order add`; fields that are not named stay as they were read.

Example:
  medroundctl order confirm ID --cd-category 0000 --same-meaning --as NB
  medroundctl order template ID > rest.json
  medroundctl order confirm ID --from rest.json --differs \"label says 'as directed'\" --as NB"
    )]
    Confirm {
        /// The order
        order: String,
        /// A file of JSON that completes or replaces what was read; - is standard input
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// Whether it is a controlled drug: 0000 for none, 0002 for Schedule 2 ... 0010
        #[arg(long, value_name = "CODE")]
        cd_category: Option<String>,
        #[command(flatten)]
        beside: Beside,
    },
    /// The second person's check
    Check {
        /// The order
        order: String,
    },
    /// Activate with nobody else there; the check is owed
    ActivateAlone {
        /// The order
        order: String,
        /// Why nobody else can check
        #[arg(long)]
        reason: String,
    },
    /// Stop
    Stop {
        /// The order
        order: String,
        /// From when; now unless named
        #[arg(long, value_name = "T")]
        at: Option<String>,
        /// Who authorised it
        #[arg(long)]
        authorised_by: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Hold on advice
    Hold {
        /// The order
        order: String,
        /// Why and on whose advice
        #[arg(long)]
        reason: String,
        /// When it is looked at again
        #[arg(long, value_name = "T")]
        review: Option<String>,
    },
    /// Give again
    Resume {
        /// The order
        order: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Turn a proposal or an unchecked version down
    Reject {
        /// The order
        order: String,
        /// The version; the proposal or the one that waits unless named
        #[arg(long)]
        version: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// Write a new version of an order.
#[derive(Debug, Args)]
pub(crate) struct OrderChange {
    /// The order
    pub(crate) order: String,
    /// A file with the fields to change as JSON; the others stay; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) beside: Beside,
}

/// Take in records of GPs, hospitals and pharmacies as proposals. One person confirms each and a
/// second checks it. Importing again changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  medroundctl import --dry-run records/
  medroundctl import records/*.json --as NB")]
pub(crate) struct Import {
    /// Files, or folders with .json and .xml files
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The format of the files
    #[arg(long, default_value = "fhir", value_parser = ["fhir"])]
    pub(crate) format: String,
    /// Say what would be taken, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Directions in words.
#[derive(Debug, Subcommand)]
pub(crate) enum Directions {
    /// Read a line of free text each from standard input
    #[command(after_help = "Example:
  echo \"One To Be Taken Each Morning\" | medroundctl directions read")]
    Read {
        /// The medicine they are for: it says what "one" is of
        #[arg(long, value_name = "NAME")]
        medicine: Option<String>,
    },
}

/// What is due: from ≤ due < to. Today unless named.
///
/// Doses of an order that waits for its check, and for a day those of one that was stopped, are
/// listed and marked: they are not to be given. With --resident and --from, those that were stopped
/// at any time. In JSON they are listed with --withheld only.
#[derive(Debug, Args)]
pub(crate) struct Due {
    /// One resident only
    #[arg(long)]
    pub(crate) resident: Option<String>,
    /// From when
    #[arg(long, value_name = "T")]
    pub(crate) from: Option<String>,
    /// Until when
    #[arg(long, value_name = "T")]
    pub(crate) to: Option<String>,
    /// In JSON, too, what is not to be given: stopped, or waiting for its check
    #[arg(long)]
    pub(crate) withheld: bool,
}

/// Residents and their due doses, in giving order.
#[derive(Debug, Args)]
pub(crate) struct Round {
    /// The round that is on at this time, or else the next; now unless named
    #[arg(long, value_name = "T")]
    pub(crate) at: Option<String>,
    /// One unit only
    #[arg(long)]
    pub(crate) unit: Option<String>,
}

/// What is told of a dose.
#[derive(Debug, Args)]
pub(crate) struct Told {
    /// How much: 2, or "2 tablets"; unless named the dose, and in a correction what was recorded
    #[arg(long, value_name = "A")]
    pub(crate) amount: Option<String>,
    /// When it was given; unless named now, and in a correction what was recorded
    #[arg(long, value_name = "T")]
    pub(crate) given_at: Option<String>,
    /// A reading taken before, such as pulse=64; again for another
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) reading: Vec<String>,
    /// The site of a patch or an injection
    #[arg(long, value_name = "N")]
    pub(crate) site: Option<u8>,
    /// Who or what was asked while a device is not heard
    #[arg(long, value_name = "TEXT")]
    pub(crate) checked: Option<String>,
    /// Nobody else is on shift; the manager sees it next morning
    #[arg(long)]
    pub(crate) alone: bool,
    /// Who gave it, when that is not the person who acts: initials or id
    #[arg(long, value_name = "STAFF")]
    pub(crate) given_by: Option<String>,
    /// The visiting professional who gave it
    #[arg(long, value_name = "NAME, ROLE, ORGANISATION")]
    pub(crate) professional: Option<String>,
    /// A safety prompt and its answer, such as thickener=confirmed; again for another
    #[arg(long, value_name = "WHAT=ANSWER")]
    pub(crate) prompt: Vec<String>,
    /// Who finds out what became of it, for the outcome not-known: initials or id
    #[arg(long, value_name = "STAFF")]
    pub(crate) handed_to: Option<String>,
    /// It has been given already, although a limit, a stop, an absence or an earlier dose stands in
    /// the way, and why:
    /// recorded as it happened at --given-at, and raised as an incident. Never to give one now
    #[arg(long, value_name = "WHY", alias = "second-dose-given")]
    pub(crate) already_given: Option<String>,
    /// Wait up to so many seconds until another device has saved it too
    #[arg(long, value_name = "SECONDS")]
    pub(crate) wait: Option<u64>,
}

/// Record what became of a due dose.
#[derive(Debug, Args)]
#[command(
    after_help = "Outcomes: given, part-given, self-administered, prompted, refused, refused-destroyed, vomited,
asleep, not-required, hospital, leave, held, clinical-reading, out-of-stock, omitted-in-error,
other, on-paper, nil-by-mouth, given-by-professional, given-elsewhere, given-covertly,
made-available, seen-taken, seen-not-taken, dropped-replaced, not-known.

Example:
  medroundctl record SLOT --outcome given --as NB
  medroundctl record SLOT --outcome refused --reason \"feels sick\" --as NB
  medroundctl record SLOT --outcome given --given-at 08:05 --already-given \"we both did\" --as NB"
)]
pub(crate) struct Record {
    /// The slot, as `due` and `round` give it
    pub(crate) slot: String,
    /// What became of it
    #[arg(long)]
    pub(crate) outcome: String,
    /// Why, where the outcome or the time asks for it
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) told: Told,
}

/// Give a when-required dose, or record that it was offered.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  medroundctl give-prn ORDER --amount 2 --reason \"pain in the knee\" --as NB
  medroundctl give-prn ORDER --amount 2 --reason pain --given-at 02:10 \\
      --already-given \"nobody had looked at the chart\" --as NB")]
pub(crate) struct GivePrn {
    /// The order
    pub(crate) order: String,
    /// The symptom or reason
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    /// What became of it
    #[arg(long, default_value = "given")]
    pub(crate) outcome: String,
    #[command(flatten)]
    pub(crate) told: Told,
    /// The score, where the protocol has one
    #[arg(long)]
    pub(crate) score: Option<u8>,
    /// The resident asked for it
    #[arg(long)]
    pub(crate) asked: bool,
    /// What was tried first
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) tried_first: String,
}

/// Last given, earliest next, left in 24 hours, given in 7 days.
#[derive(Debug, Args)]
pub(crate) struct Prn {
    /// The order
    pub(crate) order: String,
}

/// Note what a when-required dose did.
#[derive(Debug, Args)]
pub(crate) struct Effect {
    /// The administration
    pub(crate) administration: String,
    /// good, partly, none or asleep
    #[arg(long)]
    pub(crate) effect: String,
    /// More words
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) note: String,
    /// Wait up to so many seconds until another device has saved it too
    #[arg(long, value_name = "SECONDS")]
    pub(crate) wait: Option<u64>,
}

/// Correct a record. The original stays, struck through.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  medroundctl correct ADMINISTRATION --reason \"typed 2 for 1\" --amount 1 --as NB
  medroundctl correct ADMINISTRATION --reason \"wrong resident\" --never-happened --as NB

A correction that takes away a controlled drug's dose, or what was found (a possible double dose,
one too soon or too much, one after a stop), takes a second person: --witness STAFF
--witness-pin-file FILE.")]
pub(crate) struct Correct {
    /// The administration
    pub(crate) administration: String,
    /// Why it was wrong
    #[arg(long)]
    pub(crate) reason: String,
    /// There was no such dose
    #[arg(long)]
    pub(crate) never_happened: bool,
    /// The right outcome
    #[arg(long)]
    pub(crate) outcome: Option<String>,
    #[command(flatten)]
    pub(crate) told: Told,
}

/// A resident's chart (MAR): each dose, what became of it, and its id.
#[derive(Debug, Args)]
pub(crate) struct Chart {
    /// Id or NHS number
    pub(crate) resident: String,
    /// The first day; today unless named
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// The last day, included; today unless named
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
}

/// What can be printed.
#[derive(Debug, Subcommand)]
pub(crate) enum PrintWhat {
    /// The 28-day MAR of a resident, a file for each
    #[command(after_help = "Example:
  medroundctl print mar --resident ID --out shaw.pdf
  medroundctl print mar --all --out mar.pdf        one file for each: mar-01-shaw-gladys.pdf …")]
    Mar(Print),
    /// The list of one round
    #[command(after_help = "Example:
  medroundctl print round --out round.pdf
  medroundctl print round --round morning --from 2026-11-22 --out morning.pdf")]
    Round {
        /// Which; the round that is on, or else the next, unless named
        #[arg(long, value_name = "ID")]
        round: Option<String>,
        #[command(flatten)]
        print: Print,
    },
}

/// Whose sheets, from when, and the file.
#[derive(Debug, Args)]
pub(crate) struct Print {
    /// One resident's
    #[arg(long, conflicts_with_all = ["unit", "all"])]
    pub(crate) resident: Option<String>,
    /// A unit's
    #[arg(long, conflicts_with = "all")]
    pub(crate) unit: Option<String>,
    /// Everybody's
    #[arg(long)]
    pub(crate) all: bool,
    /// The first day of a chart, or the day of a round; unless named the cycle that runs, or today
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// The file to write
    #[arg(long, value_name = "FILE.pdf")]
    pub(crate) out: PathBuf,
}
