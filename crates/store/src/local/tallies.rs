//! Counters of wrong PINs, on the disk before a PIN is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use mar::ids::StaffId;
use redb::Durability;

use super::Local;
use crate::tables::{DiskFault, PIN_FAILURES};

/// Failures of one person before the first stop (T1).
const FREE_FAILURES: u32 = 5;
/// The stops after the fifth to the eighth failure (T1).
const STOPS: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
];
/// Failures of one person after which a manager has to help (T1).
const FAILURES_MAX: u32 = 10;
/// Failures of all persons together on this device, and within how long (T1).
const DEVICE_LIMITS: [(usize, Duration); 2] =
    [(10, Duration::from_secs(5 * 60)), (60, Duration::from_secs(60 * 60))];

/// How late a PIN is answered that could not be counted on the disk. Whoever starts the program anew
/// after each guess comes to 360 in an hour with it; one who stays is stopped as ever, and a carer
/// with the right PIN can wait that long for a dose that is needed now.
const ANSWERED_LATE: Duration = Duration::from_secs(10);

/// The key of the times of all recent failures on this device.
const DEVICE: &[u8] = b"device";
/// The key of the machine's start from which times are counted.
const BOOT: &[u8] = b"boot";

/// Why a PIN may not be tried now. Nothing was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttemptRefusal {
    /// This person has to wait.
    #[error("too many wrong PINs: wait {} and try again", minutes(*wait))]
    Wait {
        /// For how long.
        wait: Duration,
    },
    /// Everybody on this device has to wait.
    #[error("too many wrong PINs on this device: wait {} and try again", minutes(*wait))]
    DeviceWaits {
        /// For how long.
        wait: Duration,
    },
    /// A manager has to set a new PIN.
    #[error("too many wrong PINs: ask a manager to set a new one")]
    Locked,
}

/// Counters of wrong PINs. Time is that of a clock that nobody can set: since the machine started
/// ([`Local::resume`]), else since the program did, and then a restart begins every wait again. An
/// hour is added to it, so that failures before the start have a time as well.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// Which start of the machine the times are counted from; empty for the program's own.
    boot: String,
    staff: BTreeMap<StaffId, Tally>,
    /// When each recent failure on this device was.
    device: Vec<Duration>,
    /// Whose failures on the disk are not those in here, because it did not take them.
    unkept: BTreeSet<StaffId>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    failures: u32,
    last: Duration,
}

impl Local {
    /// Counts an attempt at a person's PIN before it is made: on the disk, or in memory where that
    /// takes nothing. Returns how long to wait before it is made: no time at all unless it is counted
    /// in memory only, which a new start of the program forgets.
    ///
    /// `running` is how long the program has been running, by a clock that cannot be set. Call
    /// [`Local::attempt_succeeded`] when the PIN was right; otherwise the attempt stays a failure.
    ///
    /// # Errors
    ///
    /// Returns [`AttemptRefusal`] if the person or everybody has to wait.
    pub fn begin_attempt(
        &self,
        staff: StaffId,
        running: Duration,
    ) -> Result<Duration, AttemptRefusal> {
        let running = running + DEVICE_LIMITS[1].1;
        let mut tallies = self.tallies();
        tallies.may_try(staff, running)?;
        tallies.device.retain(|at| running.saturating_sub(*at) < DEVICE_LIMITS[1].1);
        tallies.device.push(running);
        let tally = tallies.staff.entry(staff).or_default();
        *tally = Tally { failures: tally.failures.saturating_add(1), last: running };
        if let Err(fault) = self.keep_tallies(&mut tallies, staff) {
            tracing::warn!(%fault, "an attempt at a PIN is counted in memory only");
        }
        Ok(if self.are_pins_counted(&tallies) { Duration::ZERO } else { ANSWERED_LATE })
    }

    /// Returns whether every attempt at a PIN is counted on the disk: where it is not, each is
    /// answered late.
    #[must_use]
    pub fn counts_pins(&self) -> bool {
        self.are_pins_counted(&self.tallies())
    }

    fn are_pins_counted(&self, tallies: &Tallies) -> bool {
        self.on_disk && tallies.unkept.is_empty()
    }

    /// Says that times are counted from the machine's start, which `boot` tells from every other
    /// start; `running` is the time since then. Waits go on where an earlier run of the program
    /// left them, and begin again after the machine was started anew: neither a kill nor a set
    /// clock gives a guess more (T1). Call it once, before the first attempt.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the file could not be read.
    pub fn resume(&self, boot: &str, running: Duration) -> Result<(), DiskFault> {
        let kept = self.rows(PIN_FAILURES, BOOT)?.into_iter().find(|(key, _)| key == BOOT);
        let same = kept.is_some_and(|(_, value)| value == boot.as_bytes());
        let mut tallies = self.tallies();
        boot.clone_into(&mut tallies.boot);
        if same {
            return Ok(());
        }
        let now = running + DEVICE_LIMITS[1].1;
        let newest = tallies.device.iter().max().copied().unwrap_or_default();
        for at in &mut tallies.device {
            *at = now.saturating_sub(newest.saturating_sub(*at));
        }
        for tally in tallies.staff.values_mut() {
            tally.last = now;
        }
        Ok(())
    }

    /// Forgets a person's failures after the right PIN.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if that could not be kept; the failures stand then after a restart. The
    /// PIN was right all the same.
    pub fn attempt_succeeded(&self, staff: StaffId) -> Result<(), DiskFault> {
        let mut tallies = self.tallies();
        tallies.staff.remove(&staff);
        tallies.device.pop();
        self.keep_tallies(&mut tallies, staff)
    }

    /// Forgets a person's failures because a manager set a new PIN.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if that could not be kept.
    pub fn unlock(&self, staff: StaffId) -> Result<(), DiskFault> {
        let mut tallies = self.tallies();
        tallies.staff.remove(&staff);
        self.keep_tallies(&mut tallies, staff)
    }

    pub(super) fn restore_tallies(&self) -> Result<(), DiskFault> {
        let mut tallies = self.tallies();
        for (key, value) in self.rows(PIN_FAILURES, &[])? {
            let (numbers, _) = value.as_chunks::<8>();
            let numbers: Vec<u64> = numbers.iter().map(|n| u64::from_be_bytes(*n)).collect();
            match (<[u8; 16]>::try_from(&key[..]), numbers.as_slice()) {
                (Ok(staff), [failures, last]) => {
                    let failures = u32::try_from(*failures).unwrap_or(u32::MAX);
                    let tally = Tally { failures, last: Duration::from_secs(*last) };
                    tallies.staff.insert(StaffId(staff), tally);
                }
                (Ok(_), _) => return Err(DiskFault::Row { table: "pin-failures-1" }),
                (Err(_), times) if key == DEVICE => {
                    tallies.device = times.iter().map(|at| Duration::from_secs(*at)).collect();
                }
                (Err(_), _) => {}
            }
        }
        // Without a clock that outlives the program every wait begins again.
        let hour = DEVICE_LIMITS[1].1;
        let kept = self.rows(PIN_FAILURES, BOOT)?;
        if kept.iter().all(|(key, value)| key != BOOT || value.is_empty()) {
            let newest = tallies.device.iter().max().copied().unwrap_or_default();
            for at in &mut tallies.device {
                *at = hour.saturating_sub(newest.saturating_sub(*at));
            }
            tallies.staff.values_mut().for_each(|tally| tally.last = hour);
        }
        Ok(())
    }

    /// Puts this person's failures on the disk, and those that it did not take before.
    fn keep_tallies(&self, tallies: &mut Tallies, staff: StaffId) -> Result<(), DiskFault> {
        tallies.unkept.insert(staff);
        self.write(Durability::Immediate, |transaction| {
            let mut table = transaction.open_table(PIN_FAILURES)?;
            for staff in &tallies.unkept {
                match tallies.staff.get(staff) {
                    Some(tally) => {
                        let numbers = [u64::from(tally.failures), tally.last.as_secs()];
                        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
                        table.insert(&staff.0[..], &bytes[..])?;
                    }
                    None => drop(table.remove(&staff.0[..])?),
                }
            }
            let times: Vec<u8> =
                tallies.device.iter().flat_map(|at| at.as_secs().to_be_bytes()).collect();
            table.insert(DEVICE, &times[..])?;
            table.insert(BOOT, tallies.boot.as_bytes())?;
            Ok(())
        })?;
        tallies.unkept.clear();
        Ok(())
    }

    fn tallies(&self) -> MutexGuard<'_, Tallies> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tallies {
    fn may_try(&self, staff: StaffId, running: Duration) -> Result<(), AttemptRefusal> {
        for (most, within) in DEVICE_LIMITS {
            let recent: Vec<Duration> = self
                .device
                .iter()
                .copied()
                .filter(|at| running.saturating_sub(*at) < within)
                .collect();
            if recent.len() >= most {
                let frees = recent[recent.len() - most] + within;
                let wait = frees.saturating_sub(running);
                return Err(AttemptRefusal::DeviceWaits { wait });
            }
        }
        let Some(tally) = self.staff.get(&staff) else { return Ok(()) };
        if tally.failures >= FAILURES_MAX {
            return Err(AttemptRefusal::Locked);
        }
        let Some(stop) = tally.failures.checked_sub(FREE_FAILURES) else { return Ok(()) };
        let stop = STOPS[(stop as usize).min(STOPS.len() - 1)];
        let wait = (tally.last + stop).saturating_sub(running);
        if wait.is_zero() { Ok(()) } else { Err(AttemptRefusal::Wait { wait }) }
    }
}

fn minutes(wait: Duration) -> String {
    match wait.as_secs().div_ceil(60) {
        0 | 1 => "a minute".to_owned(),
        many => format!("{many} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::faults::Fault;
    use crate::backend::memory::MemoryDisk;
    use crate::backend::{Disk, FileKind};
    use std::io::ErrorKind;

    const ANN: StaffId = StaffId([1; 16]);
    const BOB: StaffId = StaffId([2; 16]);

    fn open(disk: &MemoryDisk) -> Local {
        Local::open(&Disk::memory(disk), [0; 16]).unwrap()
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wait_of(local: &Local, staff: StaffId, running: Duration) -> Option<AttemptRefusal> {
        local.begin_attempt(staff, running).err()
    }

    /// A disk that is full as far as this device's own file goes.
    fn full(disk: &MemoryDisk) -> Disk {
        let disk = Disk::memory(disk);
        disk.seam().plan(|step| {
            (step.file == FileKind::Local && step.operation.changes())
                .then_some(Fault::Fails(ErrorKind::StorageFull))
        });
        disk
    }

    #[test]
    fn five_wrong_pins_stop_one_person_and_a_colleague_can_still_work() {
        let local = open(&MemoryDisk::default());
        for _ in 0..5 {
            assert_eq!(wait_of(&local, ANN, at(0)), None);
        }
        assert_eq!(wait_of(&local, ANN, at(0)), Some(AttemptRefusal::Wait { wait: at(60) }));
        assert_eq!(wait_of(&local, BOB, at(1)), None);
        local.attempt_succeeded(BOB).unwrap();
        assert_eq!(wait_of(&local, ANN, at(59)), Some(AttemptRefusal::Wait { wait: at(1) }));
        assert_eq!(wait_of(&local, ANN, at(60)), None);
        assert_eq!(wait_of(&local, ANN, at(60)), Some(AttemptRefusal::Wait { wait: at(120) }));
    }

    #[test]
    fn ten_wrong_pins_need_a_manager() {
        let local = open(&MemoryDisk::default());
        for hour in 0..10 {
            assert_eq!(wait_of(&local, ANN, at(hour * 3600)), None);
        }
        assert_eq!(wait_of(&local, ANN, at(900_000)), Some(AttemptRefusal::Locked));
        local.unlock(ANN).unwrap();
        assert_eq!(wait_of(&local, ANN, at(900_000)), None);
    }

    #[test]
    fn killing_the_program_gives_no_extra_guess() {
        let disk = MemoryDisk::default();
        let local = open(&disk);
        for _ in 0..5 {
            assert_eq!(wait_of(&local, ANN, at(0)), None);
        }
        // The power goes: what was only in memory is lost, and the wait begins again.
        let local = open(&disk.power_cut(&mut |_| 0));
        assert_eq!(wait_of(&local, ANN, at(59)), Some(AttemptRefusal::Wait { wait: at(1) }));
    }

    /// Bug: after five wrong PINs nobody could wait a stop out with commands that run one by one.
    /// Cause: waits were counted from the program's start, and began again with every command.
    /// Fix: they are counted from the machine's start where that is known.
    #[test]
    fn a_wait_goes_on_over_commands_that_run_one_by_one() {
        let disk = MemoryDisk::default();
        for second in 0..5 {
            let local = open(&disk);
            local.resume("a start", at(9_000 + second)).unwrap();
            assert_eq!(wait_of(&local, ANN, at(9_000 + second)), None);
        }
        let later = |start: &str, seconds: u64| {
            let local = open(&disk.copy());
            local.resume(start, at(seconds)).unwrap();
            wait_of(&local, ANN, at(seconds))
        };
        assert_eq!(later("a start", 9_060), Some(AttemptRefusal::Wait { wait: at(4) }));
        assert_eq!(later("a start", 9_064), None);
        // The machine was started anew: nobody knows how long it was off, and the wait begins again.
        assert_eq!(later("another start", 7), Some(AttemptRefusal::Wait { wait: at(60) }));
    }

    #[test]
    fn guessing_on_everybody_s_account_stops_the_device() {
        let disk = MemoryDisk::default();
        let local = open(&disk);
        let mut guesses = 0;
        for second in 0..3_600 {
            let staff = StaffId([u8::try_from(second % 40).unwrap(); 16]);
            if wait_of(&local, staff, at(second)).is_none() {
                guesses += 1;
            }
        }
        assert!(guesses <= 60, "{guesses}");
        let local = open(&disk.copy());
        let refusal = wait_of(&local, StaffId([99; 16]), at(0));
        assert!(matches!(refusal, Some(AttemptRefusal::DeviceWaits { .. })));
    }

    /// Bug: on a full disk nobody could sign in, and who tried often enough needed a manager after.
    /// Cause: an attempt that could not be counted on the disk was refused, and yet counted.
    /// Fix: it is counted in memory, as strictly, and answered late.
    #[test]
    fn on_a_full_disk_a_guesser_is_stopped_as_ever_and_every_guess_takes_long() {
        let memory = MemoryDisk::default();
        drop(open(&memory));
        let disk = Disk::memory(&memory);
        let local = Local::open(&disk, [0; 16]).unwrap();
        assert_eq!(local.begin_attempt(ANN, at(0)), Ok(Duration::ZERO));
        disk.seam().plan(|step| {
            (step.file == FileKind::Local && step.operation.changes())
                .then_some(Fault::Fails(ErrorKind::StorageFull))
        });
        for _ in 1..5 {
            assert_eq!(local.begin_attempt(ANN, at(1)), Ok(ANSWERED_LATE));
        }
        assert!(!local.counts_pins());
        assert_eq!(wait_of(&local, ANN, at(1)), Some(AttemptRefusal::Wait { wait: at(60) }));
        for other in 5..10 {
            let staff = StaffId([other; 16]);
            assert_eq!(local.begin_attempt(staff, at(2)), Ok(ANSWERED_LATE));
        }
        let refusal = wait_of(&local, BOB, at(3));
        assert!(matches!(refusal, Some(AttemptRefusal::DeviceWaits { .. })), "{refusal:?}");
        assert_eq!(wait_of(&local, BOB, at(302)), None);
    }

    #[test]
    fn on_a_full_disk_the_right_pin_is_taken_each_time() {
        let memory = MemoryDisk::default();
        drop(open(&memory));
        let disk = Disk::memory(&memory);
        let local = Local::open(&disk, [0; 16]).unwrap();
        disk.seam()
            .plan(|step| step.operation.changes().then_some(Fault::Fails(ErrorKind::StorageFull)));
        for second in 0..30 {
            assert_eq!(local.begin_attempt(ANN, at(second)), Ok(ANSWERED_LATE));
            assert!(local.attempt_succeeded(ANN).is_err());
        }
        let local = open(&memory.copy());
        assert_eq!(
            local.begin_attempt(ANN, at(30)),
            Ok(Duration::ZERO),
            "nothing stands against her"
        );
    }

    #[test]
    fn a_start_on_a_disk_that_takes_nothing_gives_no_quick_guess() {
        let memory = MemoryDisk::default();
        let disk = full(&memory);
        let local = Local::open_or_in_memory(&disk, [0; 16]).unwrap();
        assert_eq!(local.begin_attempt(ANN, at(0)), Ok(ANSWERED_LATE));
        assert!(!local.counts_pins());
    }

    #[test]
    fn what_a_disk_did_not_take_is_on_it_once_it_takes_something_again() {
        let mut tallies = Tallies::default();
        let local = open(&MemoryDisk::default());
        tallies.staff.insert(BOB, Tally { failures: 7, last: at(5) });
        tallies.unkept.insert(BOB);
        local.keep_tallies(&mut tallies, ANN).unwrap();
        assert!(tallies.unkept.is_empty());
        local.restore_tallies().unwrap();
        assert_eq!(local.tallies().staff[&BOB].failures, 7);
    }
}
