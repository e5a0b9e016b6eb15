//! The one clock read of the program. Everything else is told the time.
//!
//! The wall clock informs: it is shown and written beside each entry, and orders nothing. What has
//! to last a certain while (a PIN's wait, an invite, a silence) runs by the monotonic clock, which
//! nobody can set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mar::time::Timestamp;

/// The first instant of the year 2020 in milliseconds: no clock of this program's time stands
/// before it, so one that does has lost its battery.
const YEAR_2020_MS: i64 = 1_577_836_800_000;

/// A wall clock that moves against the monotonic one by more than this was set (R12: 60 s).
const STEP: Duration = Duration::from_secs(60);

/// The device's clocks. Clones read the same one.
#[derive(Debug, Clone)]
pub struct Clock {
    wall: Wall,
    started: Instant,
    /// What a person typed because the wall clock is wrong.
    typed: Arc<Mutex<Option<TypedTime>>>,
}

/// A time that a person typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypedTime {
    /// What was typed.
    pub(crate) at: Timestamp,
    /// What the wall clock showed.
    pub(crate) wall: Timestamp,
    /// When, by the line.
    pub(crate) then: Line,
    /// Whether the wall clock was in doubt when it was first typed over.
    pub(crate) doubted: bool,
}

impl TypedTime {
    /// Returns the typed time as it stands at a later reading of the line, whatever the wall clock
    /// shows; `None` where the machine was started anew.
    pub(crate) fn carried(&self, line: &Line) -> Option<Timestamp> {
        let since = line.since(&self.then)?;
        Some(Timestamp(self.at.0.saturating_add(millis(since))))
    }

    /// Whether it still holds where the wall clock shows `wall`: until the machine is started anew,
    /// or somebody sets the wall clock.
    pub(crate) fn holds(&self, wall: Timestamp, line: &Line) -> bool {
        line.since(&self.then).is_some_and(|since| {
            let moved = wall.0.saturating_sub(self.wall.0).saturating_sub(millis(since));
            u128::from(moved.unsigned_abs()) <= STEP.as_millis()
        })
    }
}

#[derive(Debug, Clone)]
enum Wall {
    System,
    /// Stands where it was set: for histories that are made. Nobody judges it.
    Set(Arc<AtomicI64>),
    /// A machine of a test: its wall clock, and how long it has been running, in milliseconds.
    Machine(Arc<AtomicI64>, Arc<AtomicI64>),
}

/// A reading of the clock that nobody can set, and that also runs while the machine sleeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which start of the machine it is counted from.
    pub boot: String,
    /// How long ago that was.
    pub running: Duration,
}

/// Begins the name of a line that is this program's own and that no system keeps.
const PROGRAM: &str = "program ";

impl Line {
    /// Returns whether it may stand still while the machine sleeps.
    #[must_use]
    pub fn may_sleep(&self) -> bool {
        self.boot.starts_with(PROGRAM)
    }

    /// Returns how much time has passed since an earlier reading; `None` where the machine was
    /// started anew between the two.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Duration> {
        (self.boot == earlier.boot).then(|| self.running.saturating_sub(earlier.running))
    }
}

/// The clock cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this computer's clock stands at {}, which cannot be right: set date and time, then try again",
    date(*.0)
)]
pub struct ClockFault(pub Timestamp);

impl Clock {
    /// Returns the computer's own clocks.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Wall::System)
    }

    /// Returns a clock whose wall stands at `at` until [`Clock::set`] moves it. It is never doubted:
    /// a history is made with it, in whatever order.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self::of(Wall::Set(Arc::new(AtomicI64::new(at.0))))
    }

    /// Returns the clocks of a machine that has just been started, for tests: the wall stands at
    /// `at` until somebody sets it with [`Clock::set`], or time passes with [`Clock::pass`].
    #[must_use]
    pub fn machine(at: Timestamp) -> Self {
        let wall = Arc::new(AtomicI64::new(at.0));
        Self::of(Wall::Machine(wall, Arc::new(AtomicI64::new(0))))
    }

    fn of(wall: Wall) -> Self {
        Self { wall, started: Instant::now(), typed: Arc::default() }
    }

    /// Moves a fixed clock, or sets a test's. The system's own clock is never set from here:
    /// nothing happens then.
    pub fn set(&self, at: Timestamp) {
        match &self.wall {
            Wall::Set(wall) | Wall::Machine(wall, _) => wall.store(at.0, Ordering::SeqCst),
            Wall::System => {}
        }
    }

    /// Lets time pass on a test's machine, or moves a fixed clock on by as much.
    pub fn pass(&self, length: Duration) {
        let length = millis(length);
        match &self.wall {
            Wall::Set(wall) => drop(wall.fetch_add(length, Ordering::SeqCst)),
            Wall::Machine(wall, running) => {
                wall.fetch_add(length, Ordering::SeqCst);
                running.fetch_add(length, Ordering::SeqCst);
            }
            Wall::System => {}
        }
    }

    /// Returns the time: what a person typed since the machine was started and the wall clock was
    /// set, carried on by the clock that nobody can set; else the wall clock as it stands, right or
    /// wrong.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let wall = self.wall();
        let typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((typed, line)) = typed.as_ref().zip(self.line()) else { return wall };
        if typed.holds(wall, &line) { typed.carried(&line).unwrap_or(wall) } else { wall }
    }

    /// Returns the wall clock in milliseconds since 1970, as it stands, right or wrong.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        match &self.wall {
            Wall::System => system_now(),
            Wall::Set(wall) | Wall::Machine(wall, _) => Timestamp(wall.load(Ordering::SeqCst)),
        }
    }

    /// Goes by a time that a person typed, for as long as it holds.
    pub(crate) fn go_by(&self, typed: TypedTime) {
        *self.typed.lock().unwrap_or_else(PoisonError::into_inner) = Some(typed);
    }

    /// Goes by the wall clock again.
    pub(crate) fn go_by_wall(&self) {
        *self.typed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns the clock that nobody can set; `None` for one that a story sets, which nobody judges.
    /// Where the system has none that outlives a program it is this program's own.
    #[must_use]
    pub fn line(&self) -> Option<Line> {
        match &self.wall {
            Wall::System => Some(match since_boot() {
                Some((boot, running)) => Line { boot, running },
                None => Line {
                    boot: format!("{PROGRAM}{}", std::process::id()),
                    running: self.started.elapsed(),
                },
            }),
            Wall::Set(_) => None,
            Wall::Machine(_, running) => {
                let millis = u64::try_from(running.load(Ordering::SeqCst)).unwrap_or(0);
                Some(Line { boot: String::new(), running: Duration::from_millis(millis) })
            }
        }
    }

    /// Returns how long this clock has been running, by the monotonic clock.
    #[must_use]
    pub fn running(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns which start of the machine this is and how long ago it was, by a clock that nobody
    /// can set and that also runs while the machine sleeps. `None` where the system does not tell,
    /// and for a clock that a test or a story sets.
    #[must_use]
    pub fn since_boot(&self) -> Option<(String, Duration)> {
        match self.wall {
            Wall::System => since_boot(),
            Wall::Set(_) | Wall::Machine(..) => None,
        }
    }

    /// Returns the wall clock if it can be right.
    ///
    /// # Errors
    ///
    /// Returns [`ClockFault`] if it stands before the year 2020.
    pub fn checked(&self) -> Result<Timestamp, ClockFault> {
        let now = self.now();
        if now.0 < YEAR_2020_MS { Err(ClockFault(now)) } else { Ok(now) }
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place where the program reads the clock")]
fn system_now() -> Timestamp {
    Timestamp(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    })
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

fn date(at: Timestamp) -> String {
    at.utc().format("%-d %B %Y").to_string()
}

/// Watches for a wall clock that was set, and for sleep.
#[derive(Debug)]
pub struct ClockWatch {
    wall: Timestamp,
    running: Duration,
}

impl ClockWatch {
    /// Begins to watch with a reading of both clocks.
    #[must_use]
    pub const fn new(wall: Timestamp, running: Duration) -> Self {
        Self { wall, running }
    }

    /// Takes the next reading. Returns by how many milliseconds the wall clock moved beyond the
    /// time that has passed (less than zero: back) if that is more than a minute; `None` otherwise.
    /// A computer that slept shows as a step forward where the monotonic clock stops in sleep.
    pub fn look(&mut self, wall: Timestamp, running: Duration) -> Option<i64> {
        let passed = running.saturating_sub(self.running);
        let moved = wall.0.saturating_sub(self.wall.0).saturating_sub(millis(passed));
        (self.wall, self.running) = (wall, running);
        (u128::from(moved.unsigned_abs()) > STEP.as_millis()).then_some(moved)
    }
}

#[cfg(target_os = "linux")]
fn since_boot() -> Option<(String, Duration)> {
    /// It is the same as long as any program of this start runs.
    static BOOT: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let read = || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let boot = BOOT.get_or_init(read).as_deref()?;
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some((boot.trim().to_owned(), Duration::from_secs(seconds)))
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Option<(String, Duration)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_with_a_flat_battery_is_told_in_words() {
        let fault = Clock::fixed(Timestamp(0)).checked().unwrap_err();
        assert!(fault.to_string().contains("1 January 1970"), "{fault}");
        assert!(Clock::fixed(Timestamp(YEAR_2020_MS)).checked().is_ok());
    }

    #[test]
    fn a_history_is_made_by_moving_a_clock_that_stands() {
        let clock = Clock::fixed(Timestamp(YEAR_2020_MS));
        let copy = clock.clone();
        clock.set(Timestamp(YEAR_2020_MS + 5));
        assert_eq!(copy.now(), Timestamp(YEAR_2020_MS + 5));
    }

    #[test]
    fn a_clock_that_was_set_is_noticed_and_one_that_runs_is_not() {
        let second = Duration::from_secs(1);
        let mut watch = ClockWatch::new(Timestamp(0), Duration::ZERO);
        assert_eq!(watch.look(Timestamp(1_100), second), None);
        assert_eq!(watch.look(Timestamp(3_602_100), second * 2), Some(3_600_000));
        assert_eq!(watch.look(Timestamp(3_603_100), second * 3), None);
        assert_eq!(watch.look(Timestamp(104_100), second * 4), Some(-3_500_000));
    }
}
