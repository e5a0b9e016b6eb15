//! Whether this device's clock can be believed: what `mar` is asked with, remembered (T-07, T-08).
//!
//! Remembered is the last reading that nothing spoke against, with the clock that nobody can set,
//! and what this device wrote last. While something speaks against the clock the memory stands
//! still, so that a look at the chart, or a second command, does not make a wrong clock right. The
//! first reading since the machine was started is remembered as well: a clock that is not known to
//! be right can still be seen to be set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mar::clock::{
    ClockEvidence, ClockLevel, ClockStanding, Started, judge_clock, others_doubt, tells_the_time,
};
use mar::decide::members;
use mar::ids::{DeviceId, LogId, StaffId};
use mar::picture::Picture;
use mar::time::Timestamp;
use store::DiskFault;
use store::heads::{Head, LogHeads};
use store::local::{Local, OwnClock, PeerClock, StartedClock, TypedClock};
use store::record::Reader;

use crate::clock::{Clock, Line, TypedTime};

/// A comparison of clocks is as good as new for this long: devices in touch compare every second.
const FRESH: Duration = Duration::from_secs(10);
/// An older one still counts for this long, while this device's clock was not set since.
const COUNTS: Duration = Duration::from_secs(24 * 60 * 60);
/// A person types minutes: one who says the same time within this says that the clock is right.
const TYPED_AGREES_MS: u64 = 2 * 60_000;
/// A wall clock that moved against the line by more than this was set (R12).
const SET_MS: u64 = 60_000;

/// So many entries of a log are looked at for the last one that tells the time.
const LOOKED_AT_MOST: usize = 64;

/// What is remembered of this device's clock.
#[derive(Debug, Default)]
pub(crate) struct ClockMemory(Mutex<Memory>);

/// What other devices say of the time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Others {
    /// By how many milliseconds the clocks of those that count are ahead of this one's.
    pub(crate) peers: BTreeMap<DeviceId, i64>,
    /// What the clock of each showed when it last wrote something people go by.
    pub(crate) written: BTreeMap<DeviceId, Timestamp>,
}

#[derive(Debug, Default)]
struct Memory {
    right: Option<(Timestamp, Line)>,
    /// The wall clock when it was first judged since the machine was started, and was not red.
    started: Option<(Timestamp, Line)>,
    own_last: Option<Timestamp>,
    typed: Option<(TypedTime, StaffId)>,
    /// What was shown when the last entry of each log was made, up to the head that was looked at.
    written: BTreeMap<LogId, (Head, Option<Timestamp>)>,
}

/// What was remembered before somebody typed the time.
#[derive(Debug)]
pub(crate) struct Remembered(Memory);

impl ClockMemory {
    /// Reads what was known when the program last ran. Where nothing is, `own_last` is what the
    /// clock showed when this device last wrote something.
    pub(crate) fn restore(kept: Option<OwnClock>, own_last: Option<Timestamp>) -> Self {
        let Some(OwnClock { boot, started, right, own_last, typed }) = kept else {
            return Self(Mutex::new(Memory { own_last, ..Memory::default() }));
        };
        let line = |running| Line { boot: boot.clone(), running };
        Self(Mutex::new(Memory {
            right: right.map(|(at, running)| (at, line(running))),
            started: started
                .map(|StartedClock { boot, wall, running }| (wall, Line { boot, running })),
            own_last,
            typed: typed.map(|TypedClock { at, wall, running, by, doubted }| {
                (TypedTime { at, wall, then: line(running), doubted }, by)
            }),
            written: BTreeMap::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes by the time that a person typed since this machine was started, if one did.
    pub(crate) fn resume(&self, clock: &Clock) {
        let Some(line) = clock.line() else { return };
        let mut memory = self.lock();
        memory.typed.take_if(|(typed, _)| line.since(&typed.then).is_none());
        if let Some((typed, _)) = &memory.typed
            && !agrees(carried(typed.at, &typed.then, &line), clock.wall())
        {
            clock.go_by(typed.clone());
        }
    }

    /// Judges the clock, with the clocks of the devices that count.
    pub(crate) fn standing(&self, clock: &Clock, others: Others) -> ClockStanding {
        let Some(line) = clock.line() else { return ClockStanding::default() };
        let mut memory = self.lock();
        memory.end_typed(clock, &line);
        let now = clock.now();
        let evidence = memory.evidence(now, &line, others);
        let standing = judge_clock(&evidence);
        let of_this_start = |(_, then): &(Timestamp, Line)| line.since(then).is_some();
        if standing.level() != ClockLevel::Red
            && !memory.started.as_ref().is_some_and(of_this_start)
        {
            memory.started = Some((clock.wall(), line.clone()));
        }
        if standing.is_right() {
            if standing.vouched {
                // What others say now outweighs what was written with a clock that was wrong.
                memory.own_last = memory.own_last.map(|at| at.min(now));
            }
            memory.right = Some((now, line));
        }
        standing
    }

    /// Returns what the clock of each other device that can give showed when it last wrote something
    /// people go by that is held here.
    pub(crate) fn written(
        &self,
        reader: &Reader,
        picture: &Picture,
        own: DeviceId,
    ) -> BTreeMap<DeviceId, Timestamp> {
        let heads = reader.heads();
        let before = std::mem::take(&mut self.lock().written);
        let (mut all, mut now) = (BTreeMap::new(), BTreeMap::new());
        let others: BTreeSet<DeviceId> = members(picture, own).collect();
        for (log, (start, _)) in picture.home.logs() {
            let Some(head) = heads.get(log).and_then(LogHeads::latest) else { continue };
            if !others.contains(&start.device) {
                continue;
            }
            let known = before.get(log).filter(|(at, _)| *at == head).map(|(_, wall)| *wall);
            let wall = known.unwrap_or_else(|| last_timed(reader, &head));
            now.insert(*log, (head, wall));
            if let Some(wall) = wall {
                let last = all.entry(start.device).or_insert(wall);
                *last = wall.max(*last);
            }
        }
        self.lock().written = now;
        all
    }

    /// Notes that this device wrote something people go by, with a clock that was not red.
    pub(crate) fn wrote(&self, at: Timestamp) {
        self.lock().own_last = Some(at);
    }

    /// Whether a typed time corrects something: the machine's clock is in doubt, or was when a time
    /// was first typed that still holds.
    pub(crate) fn in_doubt(&self, clock: &Clock, others: &Others) -> bool {
        let standing = self.standing(clock, others.clone());
        match &self.lock().typed {
            None => !standing.times_hold(),
            Some((typed, _)) => {
                typed.doubted || others_doubt(clock.wall(), clock.now(), &others.peers)
            }
        }
    }

    /// Takes the time that a person typed as the time from now on; `doubted` says whether the
    /// machine's clock was in doubt.
    /// Returns what was known before; `None` where nobody judges the clock.
    pub(crate) fn type_in(
        &self,
        clock: &Clock,
        at: Timestamp,
        (staff, doubted): (StaffId, bool),
    ) -> Option<Remembered> {
        let line = clock.line()?;
        let wall = clock.wall();
        let now = if agrees(at, wall) { wall } else { at };
        let typed = TypedTime { at: now, wall, then: line.clone(), doubted };
        if now == wall {
            clock.go_by_wall();
        } else {
            clock.go_by(typed.clone());
        }
        let memory =
            Memory { right: Some((now, line)), typed: Some((typed, staff)), ..Memory::default() };
        Some(Remembered(std::mem::replace(&mut *self.lock(), memory)))
    }

    /// Takes a typed time back: it could not be written down.
    pub(crate) fn take_back(&self, clock: &Clock, before: Remembered) {
        *self.lock() = before.0;
        clock.go_by_wall();
        self.resume(clock);
    }

    /// Returns the time that a person typed, while it is gone by, and who did.
    pub(crate) fn typed(&self) -> Option<(Timestamp, StaffId)> {
        self.lock().typed.as_ref().map(|(typed, staff)| (typed.at, *staff))
    }

    /// Keeps what is known, so that it is known at the next start.
    pub(crate) fn keep(&self, local: &Local) -> Result<(), DiskFault> {
        let kept = {
            let memory = self.lock();
            if memory.right.is_none() && memory.started.is_none() {
                return Ok(());
            }
            let boot = memory.right.as_ref().map_or("", |(_, line)| &line.boot);
            let typed = memory.typed.as_ref().filter(|(typed, _)| typed.then.boot == boot);
            OwnClock {
                boot: boot.to_owned(),
                started: memory.started.as_ref().map(|(wall, line)| StartedClock {
                    boot: line.boot.clone(),
                    wall: *wall,
                    running: line.running,
                }),
                right: memory.right.as_ref().map(|(right, line)| (*right, line.running)),
                own_last: memory.own_last,
                typed: typed.map(|(typed, staff)| TypedClock {
                    at: typed.at,
                    wall: typed.wall,
                    running: typed.then.running,
                    by: *staff,
                    doubted: typed.doubted,
                }),
            }
        };
        local.set_own_clock(&kept)
    }
}

impl Memory {
    /// Ends a typed time once somebody has set the wall clock. If it shows what was typed, it was
    /// corrected and is right; if not, it is judged like any clock that was set.
    fn end_typed(&mut self, clock: &Clock, line: &Line) {
        let wall = clock.wall();
        let Some((typed, _)) = self.typed.take_if(|(typed, _)| !typed.holds(wall, line)) else {
            return;
        };
        clock.go_by_wall();
        if typed.carried(line).is_some_and(|at| agrees(at, wall)) {
            self.own_last = self.own_last.map(|at| at.min(wall));
            self.right = Some((wall, line.clone()));
        }
    }

    fn evidence(
        &mut self,
        now: Timestamp,
        line: &Line,
        Others { peers, written }: Others,
    ) -> ClockEvidence {
        let carried_on =
            |(at, then): &(Timestamp, Line)| line.since(then).map(|_| carried(*at, then, line));
        let carried = self.right.as_ref().and_then(carried_on);
        let started = self.started.as_ref().and_then(|begun| {
            let showed = begun.0;
            carried_on(begun).map(|carried| Started { showed, carried })
        });
        let was_set = carried.is_none_or(|at| now.0.abs_diff(at.0) > SET_MS);
        if was_set {
            self.typed = None;
        }
        ClockEvidence {
            now,
            carried,
            started,
            last_right: self.right.as_ref().map(|(at, _)| *at),
            own_last: self.own_last,
            peers,
            written,
            typed: self.typed.is_some(),
            sleeps: line.may_sleep(),
        }
    }
}

/// Reads what is known of this device's clock. It can be lost: then the device's last entry says
/// what the clock has shown.
pub(crate) fn restore(reader: &Reader, own: DeviceId) -> ClockMemory {
    let kept = reader.local().own_clock().unwrap_or_else(|fault| {
        tracing::warn!(%fault, "what was known of this device's clock is begun anew");
        None
    });
    let own_last = if kept.is_some() { None } else { last_entry(reader, own) };
    ClockMemory::restore(kept, own_last)
}

fn last_entry(reader: &Reader, device: DeviceId) -> Option<Timestamp> {
    let (heads, home) = (reader.heads(), reader.published().picture.home);
    let its_logs = home.logs().iter().filter(|(_, (start, _))| start.device == device);
    let last = its_logs.filter_map(|(log, _)| heads.get(log)?.latest());
    let wall = |head: Head| Some(Timestamp(reader.entry(&head.hash.id()).ok()??.wall_ms()));
    last.filter_map(wall).max()
}

/// Returns what a device's clock showed when it made the last entry of a log for which its clock was
/// not red. One that cannot be read says nothing.
fn last_timed(reader: &Reader, head: &Head) -> Option<Timestamp> {
    let mut id = head.hash.id();
    for _ in 0..LOOKED_AT_MOST {
        let entry = reader.entry(&id).ok()??;
        if tells_the_time(&reader.recorded(&id).ok()??.fact) {
            return Some(Timestamp(entry.wall_ms()));
        }
        id = entry.previous().id();
    }
    None
}

/// Where a clock that stood at `at` stands now if nobody set it.
fn carried(at: Timestamp, then: &Line, line: &Line) -> Timestamp {
    let passed = line.since(then).map_or(0, |since| since.as_millis());
    Timestamp(at.0.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX)))
}

fn agrees(at: Timestamp, other: Timestamp) -> bool {
    at.0.abs_diff(other.0) <= TYPED_AGREES_MS
}

/// Returns whether clocks were compared a moment ago.
pub(crate) fn is_fresh(compared: &PeerClock, line: &Line) -> bool {
    let then = Line { boot: compared.boot.clone(), running: compared.running };
    line.since(&then).is_some_and(|since| since <= FRESH)
}

/// Returns by how many milliseconds a clock that was compared is ahead now; `None` where that can
/// not be said any more: the machine was started anew, it is a day ago, or this device's clock was
/// set since and the other one is not in touch to be compared again.
pub(crate) fn ahead_now(compared: &PeerClock, now: Timestamp, line: &Line) -> Option<i64> {
    let then = Line { boot: compared.boot.clone(), running: compared.running };
    let since = line.since(&then)?;
    let set_by = now.0.saturating_sub(carried(compared.at, &then, line).0);
    if since <= FRESH {
        Some(compared.ahead_ms.saturating_sub(set_by))
    } else {
        (since <= COUNTS && set_by.unsigned_abs() <= SET_MS).then_some(compared.ahead_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mar::clock::{ClockDoubt, ClockLevel};

    /// Noon on 21 November 2026.
    const NOON: Timestamp = Timestamp(1_795_262_400_000);
    const HOUR: Duration = Duration::from_secs(3600);
    const TABLET: DeviceId = DeviceId([7; 32]);
    const ANN: StaffId = StaffId([1; 16]);

    fn later(hours: i64) -> Timestamp {
        Timestamp(NOON.0 + hours * 3_600_000)
    }

    /// What was kept when the machine was last on, at noon.
    fn before_the_restart() -> OwnClock {
        OwnClock {
            boot: "earlier".to_owned(),
            started: None,
            right: Some((NOON, HOUR)),
            own_last: Some(NOON),
            typed: None,
        }
    }

    fn alone(memory: &ClockMemory, clock: &Clock) -> ClockLevel {
        memory.standing(clock, Others::default()).level()
    }

    fn beside(memory: &ClockMemory, clock: &Clock, ahead_hours: i64) -> ClockLevel {
        let peers = BTreeMap::from([(TABLET, ahead_hours * 3_600_000)]);
        memory.standing(clock, Others { peers, ..Others::default() }).level()
    }

    #[test]
    fn a_clock_set_back_stays_red_however_often_it_is_looked_at() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
        memory.wrote(NOON);
        clock.pass(HOUR);
        clock.set(later(-1));
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        clock.set(later(1));
        assert_eq!(alone(&memory, &clock), ClockLevel::Right, "it was corrected");
    }

    #[test]
    fn a_clock_set_forward_stays_red_until_another_device_says_the_same() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
        clock.set(later(3));
        clock.pass(Duration::from_secs(600));
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        assert_eq!(beside(&memory, &clock, 0), ClockLevel::Right);
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
    }

    #[test]
    fn a_machine_that_slept_fourteen_hours_is_not_doubted() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
        clock.pass(HOUR * 14);
        assert_eq!(memory.standing(&clock, Others::default()), ClockStanding::default());
    }

    #[test]
    fn what_was_written_in_a_wrong_year_locks_nobody_out_once_others_say_the_time() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        memory.wrote(later(40_000));
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        assert_eq!(beside(&memory, &clock, 0), ClockLevel::Right);
        assert_eq!(alone(&memory, &clock), ClockLevel::Right, "and that is remembered");
    }

    #[test]
    fn a_person_with_a_watch_makes_a_wrong_clock_one_to_record_by() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        memory.wrote(NOON);
        clock.set(later(-30_000));
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        memory.type_in(&clock, later(2), (ANN, true));
        assert_eq!(clock.now(), later(2));
        clock.pass(HOUR);
        assert_eq!(clock.now(), later(3), "it goes on by itself");
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
        assert_eq!(memory.typed().map(|(_, staff)| staff), Some(ANN));
        memory.wrote(clock.now());
        // The machine's own clock is corrected meanwhile, to within what a person types: it is gone
        // by from then on, and nothing is lost.
        clock.set(Timestamp(later(3).0 - 90_000));
        assert_eq!(clock.now(), Timestamp(later(3).0 - 90_000));
        assert_eq!((alone(&memory, &clock), memory.typed()), (ClockLevel::Right, None));
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
    }

    /// Fault: the machine's clock was put right, or set again, and the device went on by the time
    /// that was typed before. Cause: the typed time knew nothing of the wall clock. Fix: it ends
    /// with the wall clock of its typing.
    #[test]
    fn a_typed_time_ends_when_somebody_sets_the_machine_s_clock() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        memory.type_in(&clock, later(2), (ANN, true));
        clock.pass(HOUR);
        assert_eq!((clock.now(), alone(&memory, &clock)), (later(3), ClockLevel::Right));
        clock.set(later(9));
        assert_eq!(clock.now(), later(9), "at once, before anybody judges it");
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        assert_eq!(memory.typed(), None);
        // A small correction is none, and a person's word holds over it.
        memory.type_in(&clock, later(4), (ANN, true));
        clock.set(Timestamp(later(9).0 + 59_000));
        assert_eq!((clock.now(), alone(&memory, &clock)), (later(4), ClockLevel::Right));
        assert!(memory.typed().is_some());
    }

    #[test]
    fn a_typed_time_that_could_not_be_written_down_is_not_gone_by() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        memory.wrote(later(1));
        let before = memory.type_in(&clock, later(2), (ANN, true)).unwrap();
        memory.take_back(&clock, before);
        assert_eq!((clock.now(), alone(&memory, &clock)), (NOON, ClockLevel::Red));
        // One that was typed before, and is written down, holds on.
        memory.type_in(&clock, later(2), (ANN, true));
        let before = memory.type_in(&clock, later(5), (ANN, true)).unwrap();
        memory.take_back(&clock, before);
        assert_eq!((clock.now(), alone(&memory, &clock)), (later(2), ClockLevel::Right));
    }

    #[test]
    fn a_typed_time_does_not_come_back_where_the_clock_was_set_while_nothing_ran() {
        let kept = |wall| OwnClock {
            boot: String::new(),
            started: None,
            right: Some((NOON, Duration::ZERO)),
            own_last: None,
            typed: Some(TypedClock {
                at: NOON,
                wall,
                running: Duration::ZERO,
                by: ANN,
                doubted: true,
            }),
        };
        let clock = Clock::machine(later(-5));
        for (wall, now, level) in
            [(later(-5), NOON, ClockLevel::Right), (later(-9), later(-5), ClockLevel::Red)]
        {
            clock.go_by_wall();
            let memory = ClockMemory::restore(Some(kept(wall)), None);
            memory.resume(&clock);
            assert_eq!((clock.now(), alone(&memory, &clock)), (now, level));
        }
    }

    #[test]
    fn a_person_may_say_which_of_two_clocks_is_right() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        assert_eq!(beside(&memory, &clock, 2), ClockLevel::Red);
        memory.type_in(&clock, Timestamp(NOON.0 + 59_000), (ANN, true));
        assert_eq!(clock.now(), NOON, "the watch said the same minute");
        let peers = BTreeMap::from([(TABLET, 7_200_000)]);
        let standing = memory.standing(&clock, Others { peers, ..Others::default() });
        assert!(standing.is_right(), "{standing:?}");
        assert!(matches!(standing.doubts[..], [ClockDoubt::Other { device: TABLET, .. }]));
        // Whoever sets the clock afterwards takes the person's word away.
        clock.set(later(1));
        assert_eq!(beside(&memory, &clock, 1), ClockLevel::Red);
    }

    #[test]
    fn what_is_known_outlives_the_program_and_a_typed_time_ends_with_the_machine_s_start() {
        let boot = |running| OwnClock {
            boot: String::new(),
            started: None,
            right: Some((NOON, running)),
            own_last: Some(NOON),
            typed: Some(TypedClock { at: NOON, wall: later(-5), running, by: ANN, doubted: true }),
        };
        let clock = Clock::machine(later(-5));
        clock.pass(HOUR);
        let memory = ClockMemory::restore(Some(boot(Duration::ZERO)), None);
        memory.resume(&clock);
        assert_eq!(clock.now(), later(1));
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
        let other = OwnClock { boot: "earlier".to_owned(), ..boot(Duration::ZERO) };
        let clock = Clock::machine(later(-5));
        let memory = ClockMemory::restore(Some(other), None);
        memory.resume(&clock);
        assert_eq!(clock.now(), later(-5));
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        let nothing = ClockMemory::restore(None, Some(later(1)));
        assert_eq!(alone(&nothing, &Clock::machine(NOON)), ClockLevel::Red);
    }

    #[test]
    fn a_long_time_off_is_asked_about_until_a_person_or_another_device_says_the_time() {
        let anew = |hours| {
            let kept = OwnClock {
                boot: "earlier".to_owned(),
                started: None,
                right: Some((NOON, HOUR)),
                own_last: Some(NOON),
                typed: None,
            };
            (ClockMemory::restore(Some(kept), None), Clock::machine(later(hours)))
        };
        let (memory, clock) = anew(10);
        assert_eq!(alone(&memory, &clock), ClockLevel::Right, "a night");
        let (memory, clock) = anew(14);
        for _ in 0..2 {
            assert_eq!(alone(&memory, &clock), ClockLevel::Amber);
            memory.wrote(clock.now());
            clock.pass(HOUR);
        }
        assert_eq!(beside(&memory, &clock, 0), ClockLevel::Right);
        assert_eq!(alone(&memory, &clock), ClockLevel::Right, "and that is remembered");
        let (memory, clock) = anew(14);
        assert_eq!(alone(&memory, &clock), ClockLevel::Amber);
        memory.type_in(&clock, later(14), (ANN, true));
        clock.pass(HOUR);
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
    }

    /// Fault: whoever had typed the right time could type any other, and every interval was open.
    /// Cause: a clock that somebody had typed over once was taken for one in doubt. Fix: it is
    /// remembered whether it was.
    #[test]
    fn a_typed_time_that_only_agrees_puts_no_clock_in_doubt() {
        let (memory, clock) = (ClockMemory::default(), Clock::machine(NOON));
        let in_doubt = |peers: &[i64]| {
            let peers = (1..).map(|n| DeviceId([n; 32])).zip(peers.to_vec()).collect();
            memory.in_doubt(&clock, &Others { peers, ..Others::default() })
        };
        assert!(!in_doubt(&[]));
        memory.type_in(&clock, NOON, (ANN, false));
        assert!(!in_doubt(&[]), "the watch said the same");
        memory.type_in(&clock, Timestamp(NOON.0 + 295_000), (ANN, false));
        assert!(!in_doubt(&[]) && !in_doubt(&[-295_000]) && !in_doubt(&[-415_000]));
        memory.wrote(clock.now());
        assert!(!in_doubt(&[]), "nor what was written by it");
        assert!(in_doubt(&[7_200_000]), "one that another device speaks against");
        memory.type_in(&clock, later(2), (ANN, true));
        assert!(in_doubt(&[]), "a time that was mistyped is typed again");
    }

    /// Fault: in the hours after a long time off a clock that was set was not noticed, and every
    /// interval was open. Cause: only a reading that was right was remembered. Fix: the first one
    /// since the start is, too.
    #[test]
    fn a_clock_that_is_set_after_a_long_time_off_is_red_until_it_is_set_back() {
        let kept = before_the_restart();
        let (memory, clock) = (ClockMemory::restore(Some(kept), None), Clock::machine(later(15)));
        assert_eq!(alone(&memory, &clock), ClockLevel::Amber);
        memory.wrote(clock.now());
        clock.set(later(20));
        for _ in 0..2 {
            assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        }
        clock.set(later(15));
        assert_eq!(alone(&memory, &clock), ClockLevel::Amber);
        clock.pass(HOUR * 9_000);
        assert_eq!(alone(&memory, &clock), ClockLevel::Amber, "by itself it does not turn red");
    }

    /// A clock that was wrong when the machine was started is put right by setting it.
    #[test]
    fn a_clock_that_was_red_at_the_start_may_be_set_right() {
        let kept = before_the_restart();
        let (memory, clock) = (ClockMemory::restore(Some(kept), None), Clock::machine(later(-3)));
        assert_eq!(alone(&memory, &clock), ClockLevel::Red);
        clock.set(later(2));
        assert_eq!(alone(&memory, &clock), ClockLevel::Right);
    }

    #[test]
    fn a_clock_of_a_story_is_never_doubted() {
        let memory = ClockMemory::default();
        memory.wrote(later(9));
        let standing = memory.standing(&Clock::fixed(Timestamp(0)), Others::default());
        assert_eq!(standing, ClockStanding::default());
    }

    #[test]
    fn an_old_comparison_counts_while_nobody_set_this_clock() {
        let line = |seconds| Line { boot: String::new(), running: Duration::from_secs(seconds) };
        let at = |seconds: i64| Timestamp(NOON.0 + seconds * 1000);
        let compared = PeerClock {
            boot: String::new(),
            ahead_ms: 500,
            at: NOON,
            running: Duration::from_secs(100),
        };
        assert_eq!(ahead_now(&compared, at(5), &line(105)), Some(500));
        assert_eq!(ahead_now(&compared, at(-3595), &line(105)), Some(3_600_500), "set back");
        assert_eq!(ahead_now(&compared, at(3600), &line(3700)), Some(500));
        assert_eq!(ahead_now(&compared, at(0), &line(3700)), None, "set, and not in touch");
        assert_eq!(ahead_now(&compared, at(86_401), &line(86_501)), None, "a day ago");
        let anew = Line { boot: "another".to_owned(), running: Duration::from_secs(100) };
        assert_eq!(ahead_now(&compared, at(5), &anew), None);
    }
}
