//! What is known of one peer: when it was last heard, how far it is behind, how its clock stands.
//!
//! This is bookkeeping over the [`Notice`]s of its sessions. Whether a device counts, and what
//! follows from one that is silent, is not decided here.

use std::time::Duration;

use store::entry::LogId;

use crate::session::{Apart, Notice};

/// One reading of both clocks of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The monotonic clock: for ages, whatever happens to the wall clock.
    pub monotonic: Duration,
    /// The wall clock in milliseconds since 1970: for showing.
    pub wall_ms: i64,
}

/// How a peer's entries compare with those here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// Both hold the same.
    InSync,
    /// They differ.
    Apart(Apart),
}

/// What is known of one peer since this device started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerStatus {
    connected: bool,
    heard: Option<Reading>,
    held_all: Option<Reading>,
    level_here: Option<Reading>,
    level: Option<Level>,
    clock_offset_ms: Option<i64>,
    refused: Vec<LogId>,
}

impl PeerStatus {
    /// Notes that a connection to the peer stands, or that none does any more. To be called for
    /// each connection anew: what the peer did between two of them is not known before its heads
    /// have come on the new one.
    pub fn set_connected(&mut self, connected: bool) {
        self.connected = connected;
        self.level_here = None;
        if !connected {
            // What it holds now is not known; what was held when it was last heard still is.
            self.level = None;
            self.refused.clear();
        }
    }

    /// Takes in a notice of the peer's session. `round_trip` is that of the connection.
    pub fn note(&mut self, notice: &Notice, now: Reading, round_trip: Option<Duration>) {
        self.heard = Some(now);
        match notice {
            Notice::InSync { .. } => {
                self.hold_all(now);
                self.level = Some(Level::InSync);
            }
            Notice::Apart(apart) => {
                if apart.behind == 0 && apart.stopped.is_empty() {
                    self.hold_all(now);
                }
                self.level = Some(Level::Apart(apart.clone()));
            }
            Notice::PeerClock { wall_ms } => {
                let round_trip = round_trip.unwrap_or_default();
                let on_the_way = i64::try_from(round_trip.as_millis() / 2).unwrap_or(0);
                let theirs = wall_ms.saturating_add(on_the_way);
                self.clock_offset_ms = Some(theirs.saturating_sub(now.wall_ms));
            }
            Notice::PeerRefused { log, .. } => {
                if !self.refused.contains(log) {
                    self.refused.push(*log);
                }
            }
            Notice::PeerHolds(_)
            | Notice::PeerHoldsMoreOfMyLog(_)
            | Notice::Forked(_)
            | Notice::Stopped { .. }
            | Notice::Addresses(_)
            | Notice::Lease(_) => {}
        }
    }

    fn hold_all(&mut self, now: Reading) {
        self.held_all = Some(now);
        self.level_here = self.connected.then_some(now);
    }

    /// Returns whether a connection to the peer stands.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Returns when the peer was last heard; `None` if never since this device started.
    pub fn heard(&self) -> Option<Reading> {
        self.heard
    }

    /// Returns how long ago the peer was last heard; `None` if never since this device started.
    pub fn silent_for(&self, monotonic: Duration) -> Option<Duration> {
        self.heard.map(|heard| monotonic.saturating_sub(heard.monotonic))
    }

    /// Returns when this device last held all that the peer had, which is what *data complete to*
    /// is made of; `None` if never since this device started.
    pub fn held_all(&self) -> Option<Reading> {
        self.held_all
    }

    /// Returns when this device last held all that the peer had on the connection that stands;
    /// `None` while none stands, and on a new one until all of the peer's heads have come. Only
    /// then is a dose that was given over there sure to be known here.
    pub fn level_here(&self) -> Option<Reading> {
        self.level_here
    }

    /// Returns how the entries compare; `None` while no connection stands.
    pub fn level(&self) -> Option<&Level> {
        self.level.as_ref()
    }

    /// Returns by how many milliseconds the peer's wall clock is ahead of this device's, less than
    /// zero if it is behind; `None` before it said.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        self.clock_offset_ms
    }

    /// Returns the logs of which the peer did not take entries in.
    pub fn refused(&self) -> &[LogId] {
        &self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Reading {
        let wall_ms = 1_795_251_600_000 + i64::try_from(seconds).unwrap() * 1000;
        Reading { monotonic: Duration::from_secs(seconds), wall_ms }
    }

    #[test]
    fn data_are_complete_to_the_last_moment_at_which_all_of_the_peer_s_was_held() {
        let mut status = PeerStatus::default();
        status.set_connected(true);
        assert_eq!(status.held_all(), None);
        let apart = |behind| Notice::Apart(Apart { behind, ahead: 3, stopped: Vec::new() });
        status.note(&apart(2), at(10), None);
        assert_eq!((status.held_all(), status.heard()), (None, Some(at(10))));
        status.note(&apart(0), at(11), None);
        assert_eq!(status.held_all(), Some(at(11)));
        status.note(&Notice::InSync { heads: [0; 32] }, at(12), None);
        status.note(&apart(1), at(13), None);
        assert_eq!(status.held_all(), Some(at(12)));
        status.set_connected(false);
        assert_eq!((status.held_all(), status.level()), (Some(at(12)), None));
        assert_eq!(status.silent_for(Duration::from_secs(73)), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_log_that_was_not_taken_in_keeps_the_data_from_being_complete() {
        let mut status = PeerStatus::default();
        let stopped = vec![LogId([1; 32])];
        status.note(&Notice::Apart(Apart { behind: 0, ahead: 0, stopped }), at(1), None);
        assert_eq!(status.held_all(), None);
    }

    #[test]
    fn a_clock_is_compared_with_half_the_round_trip_taken_off() {
        let mut status = PeerStatus::default();
        let now = at(50);
        let notice = Notice::PeerClock { wall_ms: now.wall_ms - 100_000 };
        status.note(&notice, now, Some(Duration::from_millis(40)));
        assert_eq!(status.clock_offset_ms(), Some(-99_980));
        status.note(&Notice::PeerClock { wall_ms: i64::MIN }, now, None);
        assert_eq!(status.clock_offset_ms(), Some(i64::MIN));
    }
}
