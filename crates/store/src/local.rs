//! What belongs to this device alone: it is never copied to another, and can be lost without loss
//! of care.

mod clocks;
mod notes;
mod tallies;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mar::ids::DeviceId;
use mar::time::Timestamp;
use redb::Durability;

use crate::backend::memory::MemoryDisk;
use crate::backend::{Disk, FileKind, OpenFault};
use crate::entry::{HomeId, Sealed};
use crate::heads::Heads;
pub use clocks::{OwnClock, PeerClock, StartedClock, TypedClock};
pub use notes::Damage;
pub use tallies::AttemptRefusal;
use tallies::Tallies;

use crate::tables::{
    self, ADDRESSES, DiskFault, HEARD, RECEIPTS, SET_ASIDE, Table, entry_key, number,
};

/// The most bytes of entries that are set aside; beyond it the newest are let go, and come again
/// when the peer is asked again.
const SET_ASIDE_BYTES_MAX: usize = 16 << 20;

/// What is known of another device's whereabouts and state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// When it was last heard; `None` for never.
    pub heard: Option<Timestamp>,
    /// When this device last held all that it had; `None` for never.
    pub complete_to: Option<Timestamp>,
}

/// A key and its value.
type OwnRow = (Vec<u8>, Vec<u8>);

/// The file `local.redb`. It may be used from several threads.
#[derive(Debug)]
pub struct Local {
    db: tables::Open,
    tallies: Mutex<Tallies>,
    /// Whether what is written outlives the program.
    on_disk: bool,
}

impl Local {
    /// Opens the file. One that is missing or cannot be read is begun anew: it can be lost.
    pub(crate) fn open(disk: &Disk, id: [u8; 16]) -> Result<Self, OpenFault> {
        let there = disk.exists(FileKind::Local);
        let opened = if there { Self::open_existing(disk) } else { Self::begin(disk, id) };
        match opened {
            Err(
                fault @ (OpenFault::CutShort { .. }
                | OpenFault::Damaged { .. }
                | OpenFault::NotOurs { .. }
                | OpenFault::OlderFormat { .. }),
            ) if there => {
                tracing::warn!(%fault, "what this device knew by itself is begun anew");
                Self::begin(disk, id)
            }
            opened => opened,
        }
    }

    /// The same; on a disk that takes nothing it is kept in memory, since no care depends on it.
    pub(crate) fn open_or_in_memory(disk: &Disk, id: [u8; 16]) -> Result<Self, OpenFault> {
        Self::open(disk, id).or_else(|fault| {
            tracing::warn!(%fault, "what this device knows by itself is kept in memory");
            let local = Self::open(&Disk::memory(&MemoryDisk::default()), id)?;
            Ok(Self { on_disk: false, ..local })
        })
    }

    fn begin(disk: &Disk, id: [u8; 16]) -> Result<Self, OpenFault> {
        tables::create(disk, FileKind::Local, id, |_| Ok(()))?;
        Self::open_existing(disk)
    }

    /// Every page is looked at first: it is small, and a page that is damaged could end the program
    /// when something is written.
    fn open_existing(disk: &Disk) -> Result<Self, OpenFault> {
        tables::check_pages(disk, FileKind::Local, &Arc::default())?;
        let db = tables::open(disk, FileKind::Local)?;
        let local = Self { db, tallies: Mutex::default(), on_disk: true };
        let restored = local.restore_tallies();
        restored.map_err(|fault| tables::open_fault(disk, FileKind::Local, fault))?;
        Ok(local)
    }

    /// Remembers an address at which a device was reached. At most the eight latest are kept.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be kept.
    pub fn reached(&self, device: DeviceId, address: &str, at: Timestamp) -> Result<(), DiskFault> {
        let mut known = self.addresses_with_times(device)?;
        known.retain(|(known, _)| known != address);
        known.insert(0, (address.to_owned(), at.0));
        self.write(Durability::None, |transaction| {
            let mut table = transaction.open_table(ADDRESSES)?;
            for (address, at) in known.iter().take(8) {
                let key = [&device.0[..], address.as_bytes()].concat();
                table.insert(&key[..], &at.to_be_bytes()[..])?;
            }
            for (address, _) in known.iter().skip(8) {
                let key = [&device.0[..], address.as_bytes()].concat();
                table.remove(&key[..])?;
            }
            Ok(())
        })
    }

    /// Returns the addresses at which a device was reached, latest first.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if they could not be read.
    pub fn addresses(&self, device: DeviceId) -> Result<Vec<String>, DiskFault> {
        let known = self.addresses_with_times(device)?;
        Ok(known.into_iter().map(|(address, _)| address).collect())
    }

    fn addresses_with_times(&self, device: DeviceId) -> Result<Vec<(String, i64)>, DiskFault> {
        let mut known = Vec::new();
        for (key, value) in self.rows(ADDRESSES, &device.0)? {
            let damaged = |_| DiskFault::Row { table: "addresses-1" };
            let address = String::from_utf8(key[32..].to_vec()).map_err(|_| damaged(()))?;
            let at = number(&value, "addresses-1")?.cast_signed();
            known.push((address, at));
        }
        known.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
        Ok(known)
    }

    /// Remembers when a device was heard, and when this one held all that it had.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be kept.
    pub fn set_heard(&self, device: DeviceId, heard: Heard) -> Result<(), DiskFault> {
        let millis = |at: Option<Timestamp>| at.map_or(i64::MIN, |at| at.0).to_be_bytes();
        let value = [millis(heard.heard), millis(heard.complete_to)].concat();
        self.write(Durability::None, |transaction| {
            transaction.open_table(HEARD)?.insert(&device.0[..], &value[..])?;
            Ok(())
        })
    }

    /// Returns when each device was heard.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read.
    pub fn heard(&self) -> Result<BTreeMap<DeviceId, Heard>, DiskFault> {
        let mut all = BTreeMap::new();
        for (key, value) in self.rows(HEARD, &[])? {
            let damaged = || DiskFault::Row { table: "heard-1" };
            let device = key.try_into().map_err(|_| damaged())?;
            let (heard, complete_to) = value.split_at_checked(8).ok_or_else(damaged)?;
            let at = |bytes: &[u8]| -> Result<Option<Timestamp>, DiskFault> {
                let millis = number(bytes, "heard-1")?.cast_signed();
                Ok((millis != i64::MIN).then_some(Timestamp(millis)))
            };
            let heard = Heard { heard: at(heard)?, complete_to: at(complete_to)? };
            all.insert(DeviceId(device), heard);
        }
        Ok(all)
    }

    /// Remembers what a device said is on its disk.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be kept.
    pub fn set_receipt(&self, device: DeviceId, heads: &Heads) -> Result<(), DiskFault> {
        let value = heads.encode();
        self.write(Durability::None, |transaction| {
            transaction.open_table(RECEIPTS)?.insert(&device.0[..], &value[..])?;
            Ok(())
        })
    }

    /// Returns what each device said is on its disk. What cannot be read is left out: the device
    /// says it again.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read.
    pub fn receipts(&self) -> Result<BTreeMap<DeviceId, Heads>, DiskFault> {
        let mut all = BTreeMap::new();
        for (key, value) in self.rows(RECEIPTS, &[])? {
            match (key.try_into(), Heads::decode(&value)) {
                (Ok(device), Ok(heads)) => drop(all.insert(DeviceId(device), heads)),
                (Err(_), _) | (_, Err(_)) => tracing::warn!("a receipt cannot be read"),
            }
        }
        Ok(all)
    }

    /// Keeps exactly these entries aside, as many as there is room for.
    pub(crate) fn set_aside(&self, entries: &[Sealed]) -> Result<(), DiskFault> {
        self.write(Durability::None, |transaction| {
            let mut table = transaction.open_table(SET_ASIDE)?;
            table.retain(|_, _| false)?;
            let mut bytes = 0;
            for entry in entries {
                bytes += entry.bytes().len();
                if bytes > SET_ASIDE_BYTES_MAX {
                    break;
                }
                let key = entry_key(&entry.log(), entry.sequence(), &entry.id());
                table.insert(&key[..], entry.bytes())?;
            }
            Ok(())
        })
    }

    /// Returns the entries aside. Their signatures are checked again; what fails is let go.
    pub(crate) fn aside(&self, home: &HomeId) -> Result<Vec<Sealed>, DiskFault> {
        let rows = self.rows(SET_ASIDE, &[])?;
        Ok(rows.iter().filter_map(|(_, bytes)| Sealed::verify(bytes, home).ok()).collect())
    }

    /// Makes what was written so far safe. Nothing of care depends on it.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the disk failed.
    pub fn make_durable(&self) -> Result<(), DiskFault> {
        self.write(Durability::Immediate, |_| Ok(()))
    }

    fn rows(&self, table: Table, prefix: &[u8]) -> Result<Vec<OwnRow>, DiskFault> {
        tables::guarded(|| {
            let transaction = self.db.begin_read()?;
            let table = tables::read(&transaction, table)?;
            let mut rows = Vec::new();
            for row in table.range::<&[u8]>(prefix..)? {
                let row = row?;
                if !row.0.value().starts_with(prefix) {
                    break;
                }
                rows.push((row.0.value().to_vec(), row.1.value().to_vec()));
            }
            Ok(rows)
        })
    }

    /// The same of a table that is made when it is first written.
    fn rows_if_any(&self, table: Table, prefix: &[u8]) -> Result<Vec<OwnRow>, DiskFault> {
        match self.rows(table, prefix) {
            Err(DiskFault::Failed(fault))
                if matches!(*fault, redb::Error::TableDoesNotExist(_)) =>
            {
                Ok(Vec::new())
            }
            other => other,
        }
    }

    fn write(
        &self,
        durability: Durability,
        change: impl FnOnce(&redb::WriteTransaction) -> Result<(), DiskFault>,
    ) -> Result<(), DiskFault> {
        tables::guarded(|| {
            let mut transaction = self.db.begin_write()?;
            transaction.set_durability(durability)?;
            transaction.set_quick_repair(matches!(durability, Durability::Immediate));
            change(&transaction)?;
            Ok(transaction.commit()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(disk: &MemoryDisk) -> Local {
        Local::open(&Disk::memory(disk), [0; 16]).unwrap()
    }

    #[test]
    fn addresses_times_and_receipts_come_back() {
        let disk = MemoryDisk::default();
        let local = open(&disk);
        let device = DeviceId([7; 32]);
        for port in 0..12 {
            local.reached(device, &format!("10.0.0.2:{port}"), Timestamp(port)).unwrap();
        }
        local.reached(device, "10.0.0.2:5", Timestamp(99)).unwrap();
        let heard = Heard { heard: Some(Timestamp(5)), complete_to: None };
        local.set_heard(device, heard).unwrap();
        local.set_receipt(device, &Heads::default()).unwrap();
        local.make_durable().unwrap();
        drop(local);
        let local = open(&disk.power_cut(&mut |_| 0));
        let addresses = local.addresses(device).unwrap();
        assert_eq!(addresses.len(), 8);
        assert_eq!(addresses[0], "10.0.0.2:5");
        assert_eq!(local.heard().unwrap()[&device], heard);
        assert_eq!(local.receipts().unwrap()[&device], Heads::default());
    }

    /// Bug: a device that named some thousand logs kept every other from starting again.
    /// Cause: its receipt was kept longer than it is read back, and that was a fault of the disk.
    /// Fix: a receipt that cannot be read is left out.
    #[test]
    fn a_receipt_too_long_to_be_read_back_keeps_nobody_from_starting() {
        let local = open(&MemoryDisk::default());
        let mut heads = Heads::default();
        for log in 0..3_000_u32 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&log.to_be_bytes());
            let head = crate::heads::Head { sequence: 0, hash: crate::entry::Hash([1; 32]) };
            heads.insert(crate::entry::LogId(id), 0, head);
        }
        local.set_receipt(DeviceId([1; 32]), &heads).unwrap();
        local.set_receipt(DeviceId([2; 32]), &Heads::default()).unwrap();
        let read = local.receipts().unwrap();
        assert_eq!(read.keys().copied().collect::<Vec<_>>(), [DeviceId([2; 32])]);
    }

    #[test]
    fn a_damaged_file_is_begun_anew_because_no_care_is_in_it() {
        let disk = MemoryDisk::default();
        drop(open(&disk));
        disk.damage("local.redb", |bytes| bytes.truncate(5_000));
        assert!(open(&disk).heard().unwrap().is_empty());
    }
}
