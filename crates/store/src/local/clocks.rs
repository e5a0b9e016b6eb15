//! How this device's clock stood, and how the clocks of others compared with it.

use std::collections::BTreeMap;
use std::time::Duration;

use mar::ids::{DeviceId, StaffId};
use mar::time::Timestamp;
use redb::Durability;

use super::Local;
use crate::tables::{CLOCKS, DiskFault, number};

/// The key of this device's own clock; earlier shapes of it had others.
const OWN: &[u8] = b"own-4";

/// What is known of this device's clock. Running times are those of the clock that nobody can set,
/// since the start of the machine that `boot` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnClock {
    /// Which start of the machine, of `right` and `typed`.
    pub boot: String,
    /// The first reading since the machine was started that was not red; `None` for none.
    pub started: Option<StartedClock>,
    /// The last reading that nothing spoke against, and when that was; `None` for none.
    pub right: Option<(Timestamp, Duration)>,
    /// What the clock showed when this device last wrote something; `None` for nothing.
    pub own_last: Option<Timestamp>,
    /// The time that a person typed; `None` where nobody did.
    pub typed: Option<TypedClock>,
}

/// The first reading of the clock since a start of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedClock {
    /// Which start.
    pub boot: String,
    /// What the machine's own clock showed.
    pub wall: Timestamp,
    /// When, by the clock that nobody can set.
    pub running: Duration,
}

/// A time that a person typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypedClock {
    /// What was typed.
    pub at: Timestamp,
    /// What the machine's own clock showed.
    pub wall: Timestamp,
    /// When, by the clock that nobody can set.
    pub running: Duration,
    /// Who typed it.
    pub by: StaffId,
    /// Whether the machine's own clock was in doubt then.
    pub doubted: bool,
}

/// How another device's clock compared with this one's when it was last heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerClock {
    /// Which start of the machine `running` is counted from.
    pub boot: String,
    /// By how many milliseconds it was ahead.
    pub ahead_ms: i64,
    /// When it was measured, by this device's clock.
    pub at: Timestamp,
    /// When, by the clock that nobody can set.
    pub running: Duration,
}

impl Local {
    /// Remembers how this device's clock stands.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be kept.
    pub fn set_own_clock(&self, clock: &OwnClock) -> Result<(), DiskFault> {
        let at = |at: Option<Timestamp>| at.map_or(i64::MIN, |at| at.0).to_be_bytes();
        let (right, right_running) = clock.right.unzip();
        let typed = clock.typed;
        let mut value = [at(right), at(clock.own_last), at(typed.map(|typed| typed.at))].concat();
        value.extend(at(typed.map(|typed| typed.wall)));
        let typed_running = typed.map_or(Duration::ZERO, |typed| typed.running);
        value.extend(millis(typed_running).to_be_bytes());
        value.extend(millis(right_running.unwrap_or_default()).to_be_bytes());
        value.extend(typed.map_or([0; 16], |typed| typed.by.0));
        value.push(u8::from(typed.is_some_and(|typed| typed.doubted)));
        let started = clock.started.as_ref();
        value.extend(at(started.map(|started| started.wall)));
        let running = started.map_or(Duration::ZERO, |started| started.running);
        value.extend(millis(running).to_be_bytes());
        // No system names a start with as many bytes.
        value.push(u8::try_from(clock.boot.len()).unwrap_or(0));
        value.extend(clock.boot.as_bytes());
        value.extend(started.map_or("", |started| &started.boot).as_bytes());
        self.write(Durability::None, |transaction| {
            transaction.open_table(CLOCKS)?.insert(OWN, &value[..])?;
            Ok(())
        })
    }

    /// Returns how this device's clock stood; `None` where nothing is known.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read.
    pub fn own_clock(&self) -> Result<Option<OwnClock>, DiskFault> {
        let rows = self.rows(CLOCKS, OWN)?;
        let Some((_, value)) = rows.iter().find(|(key, _)| key == OWN) else { return Ok(None) };
        let damaged = || DiskFault::Row { table: "clocks-1" };
        let (numbers, rest) = value.split_at_checked(48).ok_or_else(damaged)?;
        let (staff, rest) = rest.split_at_checked(16).ok_or_else(damaged)?;
        let (doubted, rest) = rest.split_first().ok_or_else(damaged)?;
        let (start, rest) = rest.split_at_checked(16).ok_or_else(damaged)?;
        let (length, rest) = rest.split_first().ok_or_else(damaged)?;
        let (boot, start_boot) = rest.split_at_checked(usize::from(*length)).ok_or_else(damaged)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| damaged());
        let wall = number(&start[..8], "clocks-1")?.cast_signed();
        let started = StartedClock {
            boot: text(start_boot)?,
            wall: Timestamp(wall),
            running: Duration::from_millis(number(&start[8..], "clocks-1")?),
        };
        let field = |n: usize| number(&numbers[n * 8..n * 8 + 8], "clocks-1");
        let at = |n: usize| -> Result<Option<Timestamp>, DiskFault> {
            let millis = field(n)?.cast_signed();
            Ok((millis != i64::MIN).then_some(Timestamp(millis)))
        };
        let running = Duration::from_millis(field(4)?);
        let right_running = Duration::from_millis(field(5)?);
        let by = StaffId(staff.try_into().map_err(|_| damaged())?);
        let typed = at(2)?.zip(at(3)?);
        Ok(Some(OwnClock {
            boot: text(boot)?,
            started: (wall != i64::MIN).then_some(started),
            right: at(0)?.map(|at| (at, right_running)),
            own_last: at(1)?,
            typed: typed.map(|(at, wall)| TypedClock {
                at,
                wall,
                running,
                by,
                doubted: *doubted != 0,
            }),
        }))
    }

    /// Remembers how a device's clock compared with this one's.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be kept.
    pub fn set_clock_of(&self, device: DeviceId, clock: &PeerClock) -> Result<(), DiskFault> {
        let mut value = [clock.ahead_ms.to_be_bytes(), clock.at.0.to_be_bytes()].concat();
        value.extend(millis(clock.running).to_be_bytes());
        value.extend(clock.boot.as_bytes());
        self.write(Durability::None, |transaction| {
            transaction.open_table(CLOCKS)?.insert(&device.0[..], &value[..])?;
            Ok(())
        })
    }

    /// Returns how the clocks of other devices compared with this one's.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read.
    pub fn clocks_of_others(&self) -> Result<BTreeMap<DeviceId, PeerClock>, DiskFault> {
        let mut all = BTreeMap::new();
        for (key, value) in self.rows(CLOCKS, &[])? {
            let damaged = || DiskFault::Row { table: "clocks-1" };
            let Ok(device) = <[u8; 32]>::try_from(key) else { continue };
            let (numbers, boot) = value.split_at_checked(24).ok_or_else(damaged)?;
            let field = |n: usize| number(&numbers[n * 8..n * 8 + 8], "clocks-1");
            let clock = PeerClock {
                boot: String::from_utf8(boot.to_vec()).map_err(|_| damaged())?,
                ahead_ms: field(0)?.cast_signed(),
                at: Timestamp(field(1)?.cast_signed()),
                running: Duration::from_millis(field(2)?),
            };
            all.insert(DeviceId(device), clock);
        }
        Ok(all)
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Disk;
    use crate::backend::memory::MemoryDisk;

    #[test]
    fn what_is_known_of_clocks_comes_back() {
        let disk = MemoryDisk::default();
        let local = Local::open(&Disk::memory(&disk), [0; 16]).unwrap();
        assert_eq!(local.own_clock().unwrap(), None);
        let at = Duration::from_secs;
        let own = OwnClock {
            boot: "a start".to_owned(),
            started: Some(StartedClock {
                boot: "another".to_owned(),
                wall: Timestamp(78),
                running: at(9),
            }),
            right: Some((Timestamp(77), at(7))),
            own_last: None,
            typed: Some(TypedClock {
                at: Timestamp(-5),
                wall: Timestamp(9),
                running: at(8),
                by: StaffId([1; 16]),
                doubted: true,
            }),
        };
        local.set_own_clock(&own).unwrap();
        let device = DeviceId([7; 32]);
        let theirs =
            PeerClock { boot: String::new(), ahead_ms: -9, at: Timestamp(6), running: at(3) };
        local.set_clock_of(device, &theirs).unwrap();
        local.make_durable().unwrap();
        drop(local);
        let local = Local::open(&Disk::memory(&disk), [0; 16]).unwrap();
        assert_eq!(local.own_clock().unwrap(), Some(own));
        assert_eq!(local.clocks_of_others().unwrap(), BTreeMap::from([(device, theirs)]));
    }
}
