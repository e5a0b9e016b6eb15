//! What this device has noticed of itself and is to be told again after a restart: that its record
//! is damaged, and that other devices say it was put out of the home.

use std::collections::BTreeMap;

use mar::ids::{DeviceId, EntryId};
use mar::time::Timestamp;
use redb::Durability;

use super::Local;
use crate::backend::FileKind;
use crate::tables::{DiskFault, NOTES, number};

/// The key of what is damaged.
const DAMAGE: &[u8] = b"damage";
/// Before the id of a device that says that this one was put out.
const PUT_OUT: &[u8] = b"put-out ";
/// Before the id of a device that was heard to run since it was parked.
const RAN: &[u8] = b"ran ";
/// The key of when every page was looked at last.
const CHECKED: &[u8] = b"checked";
/// The most characters that are kept of what was found.
const WHAT_MAX: usize = 400;

/// What is known to be wrong with this device's copy of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// In which file; `None` while that is not known.
    pub file: Option<FileKind>,
    /// What was found, in plain words.
    pub what: String,
}

impl Damage {
    /// Returns the damage that a fault tells of; `None` for a fault that is none: a full disk, a
    /// read that failed.
    pub(crate) fn of(fault: &DiskFault) -> Option<Self> {
        let file = match fault {
            DiskFault::Entry { .. } => Some(FileKind::Log),
            DiskFault::Row { table } => crate::tables::file_of(table),
            DiskFault::Inconsistent => None,
            DiskFault::Failed(error) if matches!(**error, redb::Error::Corrupted(_)) => None,
            DiskFault::Full | DiskFault::Failed(_) | DiskFault::Closed => return None,
        };
        (file != Some(FileKind::Local)).then(|| Self { file, what: fault.to_string() })
    }

    fn encode(&self) -> Vec<u8> {
        let file = match self.file {
            None => 0,
            Some(FileKind::Log) => 1,
            Some(FileKind::Views) => 2,
            Some(FileKind::Local) => 3,
        };
        let mut bytes = vec![file];
        let what: String = self.what.chars().take(WHAT_MAX).collect();
        bytes.extend_from_slice(what.as_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (file, what) = bytes.split_first()?;
        let file = match file {
            1 => Some(FileKind::Log),
            2 => Some(FileKind::Views),
            _ => None,
        };
        Some(Self { file, what: String::from_utf8_lossy(what).into_owned() })
    }
}

impl Local {
    /// Returns what is known to be wrong with the record; `None` when nothing is.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read.
    pub fn damage(&self) -> Result<Option<Damage>, DiskFault> {
        let kept = self.rows_if_any(NOTES, DAMAGE)?.into_iter().next();
        Ok(kept.and_then(|(_, value)| Damage::decode(&value)))
    }

    /// Keeps what is wrong with the record, `None` when it was looked through and nothing is.
    pub(crate) fn set_damage(&self, damage: Option<&Damage>) -> Result<(), DiskFault> {
        if damage.is_none() {
            self.note(CHECKED, None)?;
        }
        self.note(DAMAGE, damage.map(Damage::encode))
    }

    /// Returns when every page of the files was looked at last; `None` for never.
    pub(crate) fn checked(&self) -> Result<Option<Timestamp>, DiskFault> {
        let kept = self.rows_if_any(NOTES, CHECKED)?.into_iter().next();
        kept.map(|(_, value)| Ok(Timestamp(number(&value, "notes-1")?.cast_signed()))).transpose()
    }

    /// Keeps when every page was looked at.
    pub(crate) fn set_checked(&self, at: Timestamp) -> Result<(), DiskFault> {
        self.note(CHECKED, Some(at.0.to_be_bytes().to_vec()))
    }

    /// Keeps that another device of the home said that this one was put out.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be kept.
    pub fn put_out_by(&self, device: DeviceId, at: Timestamp) -> Result<(), DiskFault> {
        self.note(&[PUT_OUT, &device.0].concat(), Some(at.0.to_be_bytes().to_vec()))
    }

    /// Forgets that a device said so: it speaks with this one again.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if that could not be kept.
    pub fn taken_in_by(&self, device: DeviceId) -> Result<(), DiskFault> {
        self.note(&[PUT_OUT, &device.0].concat(), None)
    }

    /// Returns the devices that say that this one was put out, and when they said so.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read.
    pub fn said_put_out(&self) -> Result<Vec<(DeviceId, Timestamp)>, DiskFault> {
        let mut said = Vec::new();
        for (key, value) in self.rows_if_any(NOTES, PUT_OUT)? {
            let damaged = || DiskFault::Row { table: "notes-1" };
            let device = key[PUT_OUT.len()..].try_into().map_err(|_| damaged())?;
            let at = number(&value, "notes-1")?.cast_signed();
            said.push((DeviceId(device), Timestamp(at)));
        }
        Ok(said)
    }

    /// Keeps that a device was heard to run after the entry by which it was parked. It is written
    /// only where it is new.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be kept.
    pub fn set_ran_after(&self, device: DeviceId, parked: EntryId) -> Result<(), DiskFault> {
        if self.ran_after()?.get(&device) == Some(&parked) {
            return Ok(());
        }
        self.note(&[RAN, &device.0].concat(), Some(parked.0.to_vec()))
    }

    /// Returns the entry by which each device was parked and after which it was heard to run.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read.
    pub fn ran_after(&self) -> Result<BTreeMap<DeviceId, EntryId>, DiskFault> {
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let device = key[RAN.len()..].try_into().ok()?;
            Some((DeviceId(device), EntryId(value.try_into().ok()?)))
        };
        let rows = self.rows_if_any(NOTES, RAN)?;
        let damaged = || DiskFault::Row { table: "notes-1" };
        rows.into_iter().map(|row| read(row).ok_or_else(damaged)).collect()
    }

    fn note(&self, key: &[u8], value: Option<Vec<u8>>) -> Result<(), DiskFault> {
        self.write(Durability::Immediate, |transaction| {
            let mut table = transaction.open_table(NOTES)?;
            match value {
                Some(value) => drop(table.insert(key, &value[..])?),
                None => drop(table.remove(key)?),
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Disk;
    use crate::backend::memory::MemoryDisk;

    #[test]
    fn what_was_noticed_is_there_after_a_power_cut_and_gone_when_it_is_taken_back() {
        let disk = MemoryDisk::default();
        let open = |disk: &MemoryDisk| Local::open(&Disk::memory(disk), [0; 16]).unwrap();
        let local = open(&disk);
        assert_eq!(local.damage().unwrap(), None);
        assert_eq!(local.said_put_out().unwrap(), []);
        let damage = Damage { file: Some(FileKind::Log), what: "entry 5 is damaged".to_owned() };
        let office = DeviceId([7; 32]);
        local.set_damage(Some(&damage)).unwrap();
        local.put_out_by(office, Timestamp(9)).unwrap();
        local.set_ran_after(office, EntryId([5; 16])).unwrap();
        let local = open(&disk.power_cut(&mut |_| 0));
        assert_eq!(local.damage().unwrap(), Some(damage));
        assert_eq!(local.said_put_out().unwrap(), [(office, Timestamp(9))]);
        assert_eq!(local.ran_after().unwrap()[&office], EntryId([5; 16]));
        local.taken_in_by(office).unwrap();
        local.set_damage(None).unwrap();
        assert_eq!((local.damage().unwrap(), local.said_put_out().unwrap()), (None, Vec::new()));
    }
}
