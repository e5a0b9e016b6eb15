//! Sub-commands about the home, its devices and its staff.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Set up a new home on this device. The recovery key is shown once.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  medroundctl setup --home \"Willow House\" --device Office --manager \"Ann Marsh\" --initials AM")]
pub(crate) struct Setup {
    /// The home's name
    #[arg(long)]
    pub(crate) home: String,
    /// A name for this device, such as Office
    #[arg(long)]
    pub(crate) device: String,
    /// The first manager's name
    #[arg(long)]
    pub(crate) manager: String,
    /// The first manager's initials
    #[arg(long)]
    pub(crate) initials: String,
    /// A practice home: never taken for a real one
    #[arg(long)]
    pub(crate) practice: bool,
}

/// Make a practice home in a fresh folder: residents, staff, orders, days of history, and one day
/// on two devices of its own. Needs no screen and no network.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  medroundctl demo
  medroundctl demo --data ./practice --days 7")]
pub(crate) struct Demo {
    /// Days of history before the day on two devices
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=60))]
    pub(crate) days: u16,
}

/// Where and how to be on the network.
#[derive(Debug, Args)]
pub(crate) struct Network {
    /// Listen here instead of on the usual port
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Option<String>,
    /// Find other devices on the network by themselves
    #[arg(long, default_value = "on", value_parser = ["on", "off"])]
    pub(crate) discovery: String,
}

/// Keep this device in step with the others, and carry out other commands, until stopped.
#[derive(Debug, Args)]
#[command(
    after_help = "With --json, one line for each event: started, peer-up, peer-down, synced, clock, alarm.

Devices remember where they reached each other. Where two never met, because nothing is found by
itself on this network or a port was changed, name the other one's address once; `serve` on the
other device shows it. It is enough to do so on one of the two.

Example:
  medroundctl serve
  medroundctl serve --address 192.168.1.20:41761"
)]
pub(crate) struct Serve {
    /// Where another device of the home is, where it is not found by itself; again for another
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) address: Vec<String>,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// Show a code and wait for one device, five minutes at most. A manager does this.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  medroundctl invite --as AM")]
pub(crate) struct Invite {
    /// What the new device may do: a member records, an observer reads
    #[arg(long, default_value = "member", value_parser = ["member", "observer"])]
    pub(crate) role: String,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// Join a home with the code that another device shows.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  medroundctl join 7K3F-0118-ABCD --device \"Trolley 1\"
  medroundctl join 7K3F-0118-ABCD --device \"Trolley 1\" --address 192.168.1.20:7401")]
pub(crate) struct Join {
    /// The code
    pub(crate) code: String,
    /// A name for this device
    #[arg(long)]
    pub(crate) device: String,
    /// The other device's address, where it is not found by itself
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// Take a device out of the home. What it recorded until now stays.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The device: name or id
    pub(crate) device: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
}

/// The home's settings.
#[derive(Debug, Subcommand)]
pub(crate) enum Home {
    /// Show them
    Show,
    /// Change some; the others stay
    Set(HomeSet),
}

/// Change some of the home's settings.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  medroundctl home set --round morning=07:00-10:30 --letter refused=A --as AM")]
pub(crate) struct HomeSet {
    /// From which date on; today unless named
    #[arg(long, value_name = "DATE")]
    pub(crate) starting: Option<String>,
    /// Fields in the shape of `home show --json`; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The home's name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Address and telephone
    #[arg(long)]
    pub(crate) address: Option<String>,
    /// Move or add a round; again for another
    #[arg(long, value_name = "ID=START-CUTOFF")]
    pub(crate) round: Vec<String>,
    /// The letters printed for an outcome; again for another
    #[arg(long, value_name = "OUTCOME=LETTERS")]
    pub(crate) letter: Vec<String>,
    /// Whether a lone worker may give a controlled drug alone
    #[arg(long, value_parser = ["yes", "no"])]
    pub(crate) lone_worker: Option<String>,
}

/// Who works here.
#[derive(Debug, Subcommand)]
pub(crate) enum Staff {
    /// Add somebody
    #[command(
        after_help = "Roles: carer-topical, carer, senior, nurse, manager, professional, inspector, administrator.

Example:
  medroundctl staff add --name \"Nia Bowen\" --initials NB --role nurse --as AM"
    )]
    Add {
        /// Name in full
        #[arg(long)]
        name: String,
        /// Initials as they stand on the chart
        #[arg(long)]
        initials: String,
        /// What they are
        #[arg(long)]
        role: String,
        /// A file with their first PIN; without it the PIN is asked for
        #[arg(long, value_name = "FILE")]
        new_pin_file: Option<PathBuf>,
        /// Whether they may witness; yes for seniors, nurses and managers unless said
        #[arg(long, value_parser = ["yes", "no"])]
        may_witness: Option<String>,
    },
    /// List everybody
    List,
    /// Set a new PIN
    ResetPin {
        /// Whose: initials or id
        staff: String,
        /// A file with the new PIN; without it the PIN is asked for
        #[arg(long, value_name = "FILE")]
        new_pin_file: Option<PathBuf>,
    },
    /// Somebody may no longer act
    Suspend {
        /// Who: initials or id
        staff: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Somebody may act again
    Reinstate {
        /// Who: initials or id
        staff: String,
    },
}
