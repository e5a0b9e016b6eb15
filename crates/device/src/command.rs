//! What a person can ask on the command line: one file for each sub-command.
//!
//! A [`Request`] carries everything: what was typed, PINs, the contents of files. The caller reads
//! files and writes them, so that the same request can be carried out by the process that holds the
//! device already. [`Output`] takes what is to be shown; the exit code is the answer.
//!
//! Nothing clinical is decided here: `mar` decides, and a command words its answer.
//!
//! Reading order: [`output`], [`fault`], [`session`] are what every command stands on, [`json`] the
//! shapes of what goes in and out, [`page`] the words and tables for people; then one file a
//! command, in the order of the day.

pub mod fault;
pub mod folders;
pub mod output;
pub mod session;

pub mod json;
pub mod page;

pub mod demo;
pub mod invite;
pub mod join;
pub mod serve;
pub mod setup;

pub mod clock;
pub mod devices;
pub mod home;
pub mod status;
pub mod verify;

pub mod resident;
pub mod staff;

pub mod directions;
pub mod import;
pub mod order;

pub mod due;
mod newer;
pub mod record;
pub mod round;
mod unheard;
mod waiting;

pub mod alerts;
pub mod chart;
pub mod follow_up;
pub mod print;

pub use fault::Fault;
pub use mar::text::shown;
pub use output::{Contents, Given, Output, Piece, Pin, not_written};

use crate::Running;
use mar::clock::{ClockDoubt, ClockLevel};
use mar::refusal::Refusal;
use serde::{Deserialize, Serialize};
use session::Session;

/// One command with everything it needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Whether the answer is wanted as JSON.
    pub json: bool,
    /// Who acts.
    pub who: Who,
    /// What is asked.
    pub ask: Ask,
}

/// Who acts, and who witnesses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Who {
    /// Initials or id of the person who acts; `None` is the device itself.
    pub staff: Option<String>,
    /// Their PIN.
    pub pin: Option<Pin>,
    /// Initials or id of the witness or second person.
    pub witness: Option<String>,
    /// The witness's PIN.
    pub witness_pin: Option<Pin>,
}

/// What is asked of a running device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ask {
    /// How the device stands.
    Status,
    /// Check everything.
    Verify,
    /// Whether the clock can be believed, or the time that a person types.
    Clock(clock::ClockRequest),
    /// The home's devices.
    Devices,
    /// Put a device out.
    Revoke(devices::Revoke),
    /// Let a device join.
    Invite(invite::InviteRequest),
    /// The home's settings.
    Home(home::HomeAsk),
    /// Staff.
    Staff(staff::StaffAsk),
    /// Residents.
    Resident(resident::ResidentAsk),
    /// Orders.
    Order(order::OrderAsk),
    /// Other people's files.
    Import(import::ImportRequest),
    /// Directions in words.
    Directions(directions::DirectionsRequest),
    /// What is due.
    Due(due::DueRequest),
    /// One round.
    Round(round::RoundRequest),
    /// What became of a dose.
    Dose(record::DoseAsk),
    /// The MAR as data.
    Chart(chart::ChartRequest),
    /// What somebody has to look at.
    Alerts(alerts::AlertsRequest),
    /// What is to be done, and what became of it.
    FollowUp(follow_up::FollowUpAsk),
    /// Paper.
    Print(print::PrintRequest),
}

/// Tells a fault where no home is open. Returns its exit code.
pub fn tell(fault: &Fault, out: &mut Output<'_>) -> u8 {
    session::tell(fault, out)
}

/// Carries a request out on a running device. Returns the exit code; what is shown has gone to
/// `out`.
pub fn run(running: &Running, request: Request, out: &mut Output<'_>) -> u8 {
    let done = Session::begin(running, request.json, &request.who).and_then(|mut session| {
        doubt(&session, &request.ask, out);
        newer::tell(&session, &request.ask, out);
        let done = carry_out(&mut session, &request.ask, out);
        doubt_behind(&session, &request.ask, done.as_ref().err(), out);
        // `status` says it itself. What is met on the way is told behind.
        if !matches!(request.ask, Ask::Status | Ask::Verify) {
            session::not_to_be_relied_on(&session).into_iter().for_each(|line| out.aside(line));
        }
        done
    });
    match done {
        Ok(()) => 0,
        Err(fault) => {
            let picture = running.device.picture();
            let zone = session::zone_of(&picture, running.device.now());
            out.fault(&fault, zone);
            fault.exit_code()
        }
    }
}

/// Says first of all that the clock is in doubt, whatever is read (T-07). Where something is asked of
/// the record and the clock is red, the rules say it themselves if they refuse: then it is said behind.
fn doubt(session: &Session<'_>, ask: &Ask, out: &mut Output<'_>) {
    let standing = &session.clock;
    let Some(words) = clock::in_words(standing, &session.picture, session.now) else { return };
    match ask.reads() {
        Some(true) => out.doubt(&words, clock::to_json(standing, &session.picture, session.now)),
        Some(false) if standing.level() < ClockLevel::Red => out.aside(words),
        Some(false) | None => {}
    }
}

/// Says behind what was written that the clock is red, unless that is why it was refused.
fn doubt_behind(session: &Session<'_>, ask: &Ask, fault: Option<&Fault>, out: &mut Output<'_>) {
    let standing = &session.clock;
    // In a year that cannot be nothing is saved, and that is said with the clock as its reason.
    let no_year = standing.doubts.iter().any(|doubt| matches!(doubt, ClockDoubt::Year(_)));
    let is_said = matches!(fault, Some(Fault::Refused(Refusal::Clock(_))))
        || (no_year && matches!(fault, Some(Fault::NotSaved(_))));
    if ask.reads() != Some(false) || standing.level() < ClockLevel::Red || is_said {
        return;
    }
    if let Some(words) = clock::in_words(standing, &session.picture, session.now) {
        out.aside(words);
    }
}

impl Ask {
    /// Whether this reads (`true`) or writes; `None` for what speaks of the clock by itself.
    const fn reads(&self) -> Option<bool> {
        match self {
            Self::Clock(_) => None,
            Self::Status
            | Self::Verify
            | Self::Devices
            | Self::Home(home::HomeAsk::Show)
            | Self::Staff(staff::StaffAsk::List)
            | Self::Directions(_)
            | Self::Due(_)
            | Self::Round(_)
            | Self::Dose(record::DoseAsk::Prn { .. })
            | Self::Chart(_)
            | Self::Alerts(_)
            | Self::FollowUp(follow_up::FollowUpAsk::List { .. })
            | Self::Print(_)
            | Self::Resident(
                resident::ResidentAsk::List { .. } | resident::ResidentAsk::Show { .. },
            )
            | Self::Order(order::OrderAsk::List { .. } | order::OrderAsk::Show { .. }) => {
                Some(true)
            }
            Self::Revoke(_)
            | Self::Invite(_)
            | Self::Home(_)
            | Self::Staff(_)
            | Self::Resident(_)
            | Self::Order(_)
            | Self::Import(_)
            | Self::FollowUp(_)
            | Self::Dose(_) => Some(false),
        }
    }
}

fn carry_out(session: &mut Session<'_>, ask: &Ask, out: &mut Output<'_>) -> Result<(), Fault> {
    match ask {
        Ask::Status => status::run(session, out),
        Ask::Verify => verify::run(session, out),
        Ask::Clock(ask) => clock::run(session, ask, out),
        Ask::Devices => devices::list(session, out),
        Ask::Revoke(ask) => devices::revoke(session, ask, out),
        Ask::Invite(ask) => invite::run(session, ask, out),
        Ask::Home(ask) => home::run(session, ask, out),
        Ask::Staff(ask) => staff::run(session, ask, out),
        Ask::Resident(ask) => resident::run(session, ask, out),
        Ask::Order(ask) => order::run(session, ask, out),
        Ask::Import(ask) => import::run(session, ask, out),
        Ask::Directions(ask) => directions::run(session, ask, out),
        Ask::Due(ask) => due::run(session, ask, out),
        Ask::Round(ask) => round::run(session, ask, out),
        Ask::Dose(ask) => record::run(session, ask, out),
        Ask::Chart(ask) => chart::run(session, ask, out),
        Ask::Alerts(ask) => alerts::run(session, ask, out),
        Ask::FollowUp(ask) => follow_up::run(session, ask, out),
        Ask::Print(ask) => print::run(session, ask, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_crosses_the_socket_as_it_is_and_its_pin_is_never_printed() {
        let file = import::ImportFile {
            path: "record.xml".into(),
            contents: Some(Contents::of(vec![0xff, 0x00, 0x41])),
            fault: String::new(),
        };
        let text = Given { name: "order.json".into(), contents: Contents::of(b"{}".to_vec()) };
        for ask in [
            Ask::Status,
            Ask::Import(import::ImportRequest { files: vec![file], dry_run: true }),
            Ask::Resident(resident::ResidentAsk::Add { from: text }),
            Ask::Dose(record::DoseAsk::Prn { order: "x".into() }),
            Ask::Alerts(alerts::AlertsRequest::Conflicts),
        ] {
            let who = Who { pin: Some(Pin::new("583047\n")), ..Who::default() };
            let request = Request { json: true, who, ask };
            let told = format!("{request:?}");
            assert!(!told.contains("583047"), "{told}");
            let sent = serde_json::to_vec(&request).unwrap();
            let there: Request = serde_json::from_slice(&sent).unwrap();
            assert_eq!(serde_json::to_vec(&there).unwrap(), sent);
            assert_eq!(there.who.pin.map(|pin| pin.digits().to_owned()).as_deref(), Some("583047"));
        }
    }
}
