//! What can be typed: sub-commands, options and their help.

mod care;
mod follow_up;
mod home;

pub(crate) use care::{
    Beside, Chart, Correct, Directions, Due, Effect, GivePrn, Import, Order, PrintWhat, Prn,
    Record, Resident, Round, Told,
};
pub(crate) use follow_up::FollowUp;
pub(crate) use home::{Demo, Home, Invite, Join, Revoke, Serve, Setup, Staff};

use clap::{Args as ClapArgs, Parser, Subcommand};
use std::path::PathBuf;

/// The medicines record of a care home, without a window.
///
/// Every sub-command has its own help: medroundctl record --help
#[derive(Debug, Parser)]
#[command(name = "medroundctl", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 2 the command is wrong, 3 refused by a rule, 4 input could not be read,
5 not saved, 6 no such resident, order or device, 7 wrong PIN or locked out, 8 no other device or
pairing failed, 9 verify found faults, 1 unexpected.

To begin with: medroundctl demo"
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every sub-command.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Everywhere {
    /// The data folder; one folder is one device
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Who acts: initials or id
    #[arg(long = "as", global = true, value_name = "STAFF")]
    pub(crate) acting: Option<String>,
    /// A file with the PIN of the person who acts; without it the PIN is asked for
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// The witness or second person: initials or id
    #[arg(long, global = true, value_name = "STAFF")]
    pub(crate) witness: Option<String>,
    /// A file with the PIN of the witness
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) witness_pin_file: Option<PathBuf>,
}

/// The sub-commands. Those that open a folder of their own come first.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set up a new home on this device
    Setup(Setup),
    /// Make a practice home and play a day on two devices
    Demo(Demo),
    /// Keep this device in step with the others, until stopped
    Serve(Serve),
    /// Join a home with the code that another device shows
    Join(Join),
    #[command(flatten)]
    OnDevice(OnDevice),
    /// Read directions in words
    #[command(subcommand)]
    Directions(Directions),
}

/// What is carried out on a device, by this process or by the one that runs it.
#[derive(Debug, Subcommand)]
pub(crate) enum OnDevice {
    /// Show a code with which one device joins
    Invite(Invite),
    /// Whether this device's clock can be believed, or the time typed from a watch
    #[command(after_help = "Examples:
  medroundctl clock
  medroundctl clock 08:03 --as NB               the watch shows 08:03, and the date is right
  medroundctl clock 2026-11-21T08:03 --as NB    the date is wrong as well
Any member of staff may say the time. It stands in the record with their name, and the manager is
told of it for a week. It holds until this computer is started again or its clock is set; set date
and time of the computer as soon as somebody can. A time of day alone is never one of tomorrow.")]
    Clock {
        /// What a watch shows; without it the clock is only looked at
        #[arg(value_name = "TIME")]
        time: Option<String>,
    },
    /// List the home's devices
    Devices,
    /// Take a device out of the home
    Revoke(Revoke),
    /// How this device stands
    Status,
    /// Check that nothing of the record was lost or changed
    Verify,
    /// The home's settings
    #[command(subcommand)]
    Home(Home),
    /// Who works here
    #[command(subcommand)]
    Staff(Staff),
    /// Who lives here
    #[command(subcommand)]
    Resident(Resident),
    /// What is prescribed
    #[command(subcommand)]
    Order(Order),
    /// Take in records of GPs, hospitals and pharmacies
    Import(Import),
    /// What is due
    Due(Due),
    /// One round: residents and their doses, in giving order
    Round(Round),
    /// Record what became of a due dose
    Record(Record),
    /// Give a when-required dose, or record that it was offered
    GivePrn(GivePrn),
    /// What to know before a when-required dose
    Prn(Prn),
    /// Note what a when-required dose did
    Effect(Effect),
    /// Correct a record; the original stays
    Correct(Correct),
    /// A resident's chart (MAR): each dose and what became of it
    Chart(Chart),
    /// What somebody has to look at
    Alerts,
    /// What was done while devices were apart and does not fit together
    Conflicts,
    /// What is to be done, who does it, and what became of it
    #[command(subcommand)]
    FollowUp(FollowUp),
    /// Print on paper
    #[command(subcommand)]
    Print(PrintWhat),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn no_option_stands_in_the_way_of_another() {
        Args::command().debug_assert();
    }

    /// A command as its words, quotes taken away: enough for the examples.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().expect("there is always a word").push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    fn examples(command: &clap::Command, found: &mut Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "this line is broken on a screen: {line}");
        }
        let whole = help.replace("\\\n", " ");
        let lines =
            whole.lines().filter_map(|line| line.find("medroundctl ").map(|at| &line[at..]));
        // Words beside a command stand apart from it, and a file takes what it says.
        let bare = |line: &str| {
            let end = [line.find("   "), line.find(" > ")].into_iter().flatten().min();
            line[..end.unwrap_or(line.len())].to_owned()
        };
        found.extend(lines.map(bare));
        command.get_subcommands().for_each(|sub| examples(sub, found));
    }

    #[test]
    fn every_example_of_the_manual_is_a_command_on_one_line() {
        let mut found = Vec::new();
        examples(&Args::command(), &mut found);
        assert!(found.len() > 20, "{found:?}");
        for line in found {
            if let Err(fault) = Args::try_parse_from(words(&line)) {
                panic!("{line}: {fault}");
            }
        }
    }

    #[test]
    fn who_acts_can_be_said_before_and_after_the_sub_command() {
        for line in [
            "medroundctl --as AM --json staff suspend NB --reason leave",
            "medroundctl staff suspend NB --reason leave --json --as AM",
        ] {
            let args = Args::try_parse_from(line.split(' ')).expect("a command");
            assert_eq!(args.everywhere.acting.as_deref(), Some("AM"), "{line}");
            assert!(args.everywhere.json, "{line}");
        }
    }
}
