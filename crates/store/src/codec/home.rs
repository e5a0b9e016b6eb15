//! The home's settings and its staff.

use std::collections::BTreeMap;

use mar::fact::HomeFact;
use mar::ids::{LogId, StaffId};
use mar::schedule::TimeOfDay;
use mar::settings::{Round, Settings, Windows};
use mar::staff::{Employment, Role, Staff};
use mar::time::{Minutes, Timestamp};
use serde::{Deserialize, Serialize};

use super::parts::{codes, date, date_of, outcome_code, outcome_of};

#[derive(Serialize, Deserialize)]
pub(super) struct SettingsSet1 {
    from: i32,
    name: String,
    address: String,
    zone: String,
    rounds: Vec<Round1>,
    windows: Windows1,
    letters: Vec<(u8, String)>,
    cycle_start: i32,
    witness: Vec<(String, bool)>,
    lone_worker: bool,
}

#[derive(Serialize, Deserialize)]
struct Round1 {
    id: String,
    name: String,
    start: u16,
    cut_off: u16,
}

/// All in minutes.
#[derive(Serialize, Deserialize)]
struct Windows1 {
    round_early: u32,
    round_alert: u32,
    clock: u32,
    clock_alert: u32,
    critical: u32,
    critical_alert: u32,
    late_entry: u32,
    future: u32,
}

impl SettingsSet1 {
    pub(super) fn of(settings: &Settings) -> Self {
        let round = |round: &Round| Round1 {
            id: round.id.clone(),
            name: round.name.clone(),
            start: round.start.minutes(),
            cut_off: round.cut_off.minutes(),
        };
        let letter = |(outcome, letter): (&_, &String)| (outcome_code(*outcome), letter.clone());
        Self {
            from: date(settings.from),
            name: settings.name.clone(),
            address: settings.address.clone(),
            zone: settings.zone.name().to_owned(),
            rounds: settings.rounds.iter().map(round).collect(),
            windows: Windows1::of(&settings.windows),
            letters: settings.letters.iter().map(letter).collect(),
            cycle_start: date(settings.cycle_start),
            witness: settings.witness.iter().map(|(cd, asked)| (cd.clone(), *asked)).collect(),
            lone_worker: settings.lone_worker,
        }
    }

    pub(super) fn read(self) -> Option<HomeFact> {
        let round = |wire: Round1| {
            Some(Round {
                id: wire.id,
                name: wire.name,
                start: TimeOfDay::from_minutes(wire.start)?,
                cut_off: TimeOfDay::from_minutes(wire.cut_off)?,
            })
        };
        let letter = |(code, letter)| Some((outcome_of(code)?, letter));
        Some(HomeFact::SettingsSet(Settings {
            from: date_of(self.from)?,
            name: self.name,
            address: self.address,
            zone: self.zone.parse().ok()?,
            rounds: self.rounds.into_iter().map(round).collect::<Option<_>>()?,
            windows: self.windows.read(),
            letters: self.letters.into_iter().map(letter).collect::<Option<BTreeMap<_, _>>>()?,
            cycle_start: date_of(self.cycle_start)?,
            witness: self.witness.into_iter().collect(),
            lone_worker: self.lone_worker,
        }))
    }
}

impl Windows1 {
    fn of(windows: &Windows) -> Self {
        Self {
            round_early: windows.round_early.0,
            round_alert: windows.round_alert.0,
            clock: windows.clock.0,
            clock_alert: windows.clock_alert.0,
            critical: windows.critical.0,
            critical_alert: windows.critical_alert.0,
            late_entry: windows.late_entry.0,
            future: windows.future.0,
        }
    }

    fn read(self) -> Windows {
        Windows {
            round_early: Minutes(self.round_early),
            round_alert: Minutes(self.round_alert),
            clock: Minutes(self.clock),
            clock_alert: Minutes(self.clock_alert),
            critical: Minutes(self.critical),
            critical_alert: Minutes(self.critical_alert),
            late_entry: Minutes(self.late_entry),
            future: Minutes(self.future),
        }
    }
}

codes!(Role, role_code, role_of:
    CarerTopical = 0, Carer = 1, Senior = 2, Nurse = 3, Manager = 4, Professional = 5,
    Inspector = 6, Administrator = 7,
);

#[derive(Serialize, Deserialize)]
pub(super) struct StaffWritten1 {
    staff: [u8; 16],
    name: String,
    initials: String,
    role: u8,
    may_witness: bool,
    standing: Employment1,
    seen: Vec<([u8; 32], u64)>,
}

#[derive(Serialize, Deserialize)]
enum Employment1 {
    Active,
    Suspended { reason: String },
}

impl StaffWritten1 {
    pub(super) fn of(staff: &StaffId, details: &Staff, seen: &[(LogId, u64)]) -> Self {
        Self {
            staff: staff.0,
            name: details.name.clone(),
            initials: details.initials.clone(),
            role: role_code(details.role),
            may_witness: details.may_witness,
            standing: match &details.standing {
                Employment::Active => Employment1::Active,
                Employment::Suspended { reason } => {
                    Employment1::Suspended { reason: reason.clone() }
                }
            },
            seen: seen.iter().map(|(log, sequence)| (log.0, *sequence)).collect(),
        }
    }

    pub(super) fn read(self) -> Option<HomeFact> {
        Some(HomeFact::StaffWritten {
            staff: StaffId(self.staff),
            details: Staff {
                name: self.name,
                initials: self.initials,
                role: role_of(self.role)?,
                may_witness: self.may_witness,
                standing: match self.standing {
                    Employment1::Active => Employment::Active,
                    Employment1::Suspended { reason } => Employment::Suspended { reason },
                },
            },
            seen: self.seen.into_iter().map(|(log, sequence)| (LogId(log), sequence)).collect(),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct TimeTyped1 {
    pub(super) showed: i64,
    pub(super) typed: i64,
}

impl TimeTyped1 {
    pub(super) fn read(self) -> HomeFact {
        HomeFact::TimeTyped { showed: Timestamp(self.showed), typed: Timestamp(self.typed) }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PinSet1 {
    pub(super) staff: [u8; 16],
    pub(super) generation: u32,
    pub(super) sealed: Vec<u8>,
}

impl PinSet1 {
    pub(super) fn read(self) -> HomeFact {
        HomeFact::PinSet {
            staff: StaffId(self.staff),
            generation: self.generation,
            sealed: self.sealed,
        }
    }
}
