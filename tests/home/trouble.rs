//! What goes wrong: the network, the power, disks, clocks, and copies that are put back.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use store::backend::faults::{Fault, Operation};
use store::backend::memory::MemoryDisk;

use crate::chance::Chance;
use crate::checks::{Broken, Outcome};
use crate::ledger::Ledger;
use crate::teeth::Plant;
use crate::world::{HOUR, MINUTE, World, YEAR};

impl World {
    pub(crate) fn trouble_on_the_network(&mut self) -> Outcome<()> {
        match self.chance.below(6) {
            0..2 => {
                if let Some((connection, _)) = self.any_end() {
                    self.note(format!("connection {connection} is cut"));
                    self.tally.cuts += 1;
                    self.lan.remove(&connection);
                }
            }
            2 => {
                // One device, or a group, cannot be heard; perhaps it can still hear.
                let alone = self.any_device();
                let one_way = self.chance.one_in(3);
                for other in 0..self.devices.len() {
                    if other != alone {
                        self.blocked.insert((alone, other));
                        if !one_way {
                            self.blocked.insert((other, alone));
                        }
                    }
                }
                self.tally.partitions += 1;
                self.note(format!("{alone} is apart{}", if one_way { ", one way" } else { "" }));
            }
            3 => {
                self.note("the network is whole again".to_owned());
                self.blocked.clear();
            }
            4 => {
                let ends = self.awaited();
                if let Some((connection, side)) = self.chance.pick(&ends).copied() {
                    self.note(format!("a byte flips on connection {connection} to end {side}"));
                    self.deliver_changed(connection, side)?;
                }
            }
            _ => {
                // A connection that is silent is given up.
                let blocked = self.blocked.clone();
                self.lan.retain(|_, c| {
                    let (a, b) = (c.ends[0].device, c.ends[1].device);
                    !blocked.contains(&(a, b)) && !blocked.contains(&(b, a))
                });
            }
        }
        Ok(())
    }

    pub(crate) fn trouble_with_the_power(&mut self) -> Outcome<()> {
        let Some(device) = self.any_that_is_on() else { return Ok(()) };
        match self.chance.below(5) {
            0 if self.devices[device].faulty => self.see_to(device)?,
            0 => {
                self.note(format!("{device} is switched off in order and on again"));
                self.cut_all_of(device);
                let views = self.chance.one_in(2);
                let before = self.devices[device].record().reader().published().state;
                self.devices[device].close();
                for (name, gone) in [("views.redb", views), ("local.redb", self.chance.one_in(3))] {
                    if gone {
                        self.devices[device].disk.delete(name);
                    }
                }
                self.tally.views_deleted += usize::from(views);
                self.start(device)?;
                let after = self.devices[device].record().reader().published().state;
                if before != after {
                    let what = format!("device {device} shows another home after a restart");
                    return Err(Broken::of(9, what));
                }
            }
            1 | 2 => {
                self.note(format!("{device} loses power"));
                self.tally.crashes += 1;
                self.cut_all_of(device);
                self.crash(device, None)?;
            }
            3 => self.power_fails_while(device, Self::somebody_asks_at)?,
            _ => self.power_fails_while(device, Self::work_at)?,
        }
        Ok(())
    }

    fn crash(&mut self, device: usize, image: Option<MemoryDisk>) -> Outcome<()> {
        match image {
            Some(image) => self.devices[device].run_on(image),
            None => self.devices[device].lose_power(&mut self.chance),
        }
        self.start(device)?;
        self.nothing_told_is_lost(device)
    }

    /// Starts a device that is off.
    pub(crate) fn start(&mut self, device: usize) -> Outcome<()> {
        let now = self.devices[device].now(self.time);
        match self.devices[device].try_open(&mut self.chance, now) {
            None => Ok(()),
            Some(fault) => {
                Err(Broken::of(2, format!("device {device} does not start again: {fault}")))
            }
        }
    }

    /// Cuts the power at some operation on the disk while something is being done.
    fn power_fails_while(
        &mut self,
        device: usize,
        act: fn(&mut Self, usize) -> Outcome<()>,
    ) -> Outcome<()> {
        if self.devices[device].faulty {
            return Ok(());
        }
        let image: Arc<Mutex<Option<MemoryDisk>>> = Arc::default();
        let (into, disk) = (Arc::clone(&image), self.devices[device].disk.clone());
        let mut left = self.chance.below(30);
        let mut inner = Chance::new(self.chance.next());
        let lies = self.plant == Some(Plant::DiskThatLies);
        self.devices[device].place.seam().plan(move |step| {
            if step.operation.changes() {
                let mut image = into.lock().unwrap();
                if left == 0 && image.is_none() {
                    *image = Some(disk.power_cut(&mut |n| inner.below(n)));
                }
                left = left.saturating_sub(1);
            }
            (lies && step.operation == Operation::Sync).then_some(Fault::Lost)
        });
        self.note(format!("{device} loses power while it writes"));
        self.tally.crashes_inside += 1;
        let high_water = self.devices[device].high_water();
        let told = self.ledger.clone();
        act(self, device)?;
        self.devices[device].place.seam().heal();
        let image = image.lock().unwrap().take();
        if image.is_some() {
            // Nobody was answered: the process ended inside.
            let now = std::mem::take(&mut self.ledger);
            if self.plant == Some(Plant::ToldBeforeTheFsync) {
                self.ledger = now;
            } else {
                self.ledger = Ledger { written: now.written, corrected: now.corrected, ..told };
            }
            self.devices[device].set_high_water(high_water.as_deref());
        }
        self.cut_all_of(device);
        self.crash(device, image)
    }

    fn work_at(&mut self, device: usize) -> Outcome<()> {
        for (connection, side) in self.ends_of(device) {
            self.work(connection, side)?;
        }
        Ok(())
    }

    pub(crate) fn trouble_with_a_disk(&mut self) -> Outcome<()> {
        let device = self.any_device();
        if !self.devices[device].is_on() {
            return Ok(());
        }
        if self.devices[device].faulty {
            return self.see_to(device);
        }
        let mut left = self.chance.below(40);
        let kind = *self.chance.pick(&[ErrorKind::Other, ErrorKind::StorageFull]).unwrap();
        let fault = match self.chance.below(4) {
            0 => Fault::FailsAfter(kind),
            1 => Fault::Torn(self.chance.below(4_096), kind),
            _ => Fault::Fails(kind),
        };
        let sticky = self.chance.one_in(2);
        self.tally.disk_faults += 1;
        self.note(format!(
            "the disk of {device} fails{} in {left} operations: {fault:?}",
            if sticky { " for good" } else { "" }
        ));
        self.devices[device].place.seam().plan(move |step| {
            if !step.operation.changes() {
                return None;
            }
            let hit = left == 0;
            if sticky || left > 0 {
                left = left.saturating_sub(1);
            } else {
                left = usize::MAX;
            }
            hit.then_some(fault)
        });
        self.devices[device].faulty = true;
        self.devices[device].doubtful = true;
        self.somebody_asks_at(device)
    }

    /// Somebody looks after a device whose disk failed.
    pub(crate) fn see_to(&mut self, device: usize) -> Outcome<()> {
        self.devices[device].place.seam().heal();
        self.devices[device].faulty = false;
        let now = self.devices[device].now(self.time);
        if self.devices[device].record().fault().is_some() {
            self.cut_all_of(device);
            if self.chance.one_in(2) {
                self.note(format!("{device} tries its disk again"));
                let again = self.devices[device].record_mut().try_again(now);
                if let Err(fault) = again {
                    let what = format!("a disk that works again is refused: {fault}");
                    return Err(Broken::of(2, what));
                }
                self.devices[device].own_log = self.devices[device].record().own_log();
            } else {
                self.note(format!("{device} is started again after its disk failed"));
                self.devices[device].close();
                self.start(device)?;
            }
        }
        self.nothing_told_is_lost(device)
    }

    pub(crate) fn trouble_with_a_clock(&mut self) -> Outcome<()> {
        let device = self.any_device();
        let skew = match self.chance.below(5) {
            0 => self.chance.between(-5, 5) * MINUTE,
            1 => self.chance.between(-3, 3) * HOUR,
            2 => self.chance.between(-10, 10) * YEAR,
            // The clock jumps back.
            3 => self.devices[device].skew - self.chance.between(1, 120) * MINUTE,
            _ => 0,
        };
        self.tally.clocks_set += 1;
        self.note(format!("the clock of {device} is {} minutes wrong", skew / MINUTE));
        self.devices[device].skew = skew;
        Ok(())
    }

    /// A copy of a device is made, or put back: the data folder alone or the whole machine.
    pub(crate) fn somebody_turns_back_time(&mut self) -> Outcome<()> {
        let device = self.any_device();
        if self.devices[device].faulty || !self.devices[device].is_on() {
            return Ok(());
        }
        if self.devices[device].image.is_none() || self.chance.one_in(3) {
            self.devices[device].image = Some(self.devices[device].take_image());
        }
        if self.chance.one_in(3) {
            return Ok(());
        }
        // The others hear of what comes after the copy, and then it is put back.
        self.somebody_asks_at(device)?;
        let other = self.any_device();
        self.connect(device, other)?;
        for _ in 0..12 {
            for (connection, side) in self.ends() {
                self.deliver(connection, side, true)?;
                self.work(connection, side)?;
            }
        }
        self.put_back(device)?;
        for _ in 0..self.chance.below(3) {
            self.somebody_asks_at(device)?;
        }
        Ok(())
    }

    fn put_back(&mut self, device: usize) -> Outcome<()> {
        // What nobody else holds would be gone with the disk, and no program can bring it back; and
        // who was let in here may be known to nobody else yet.
        let sure = |other: &usize| {
            *other != device && !self.is_out(*other) && self.devices[*other].sponsor != Some(device)
        };
        let alone = |saved: &&crate::ledger::Saved| {
            saved.holders.contains(&device) && !saved.holders.iter().any(sure)
        };
        if self.ledger.saved.iter().any(|saved| alone(&saved)) {
            return Ok(());
        }
        let Some(image) = self.devices[device].image.clone() else { return Ok(()) };
        let machine = self.chance.one_in(2);
        let what = if machine { "the machine" } else { "the data" };
        self.note(format!("{what} of {device} is put back to an earlier state"));
        self.cut_all_of(device);
        let before = self.devices[device].record().own_log();
        let more = self.own_entries(device);
        self.devices[device].put_back(&image, machine);
        self.start(device)?;
        self.tally.restored += 1;
        let same = self.devices[device].record().own_log() == before;
        if !machine && same && self.own_entries(device) < more {
            let what = format!("device {device} goes on in the log that it had written further");
            return Err(Broken::of(5, what));
        }
        self.forget_what_only_it_held(device);
        Ok(())
    }

    /// How many entries of the device's log it holds.
    fn own_entries(&self, device: usize) -> Option<u64> {
        let record = self.devices[device].record();
        record.heads().get(&record.own_log()).and_then(|held| held.latest()).map(|h| h.sequence)
    }

    fn forget_what_only_it_held(&mut self, device: usize) {
        let reader = self.devices[device].record().reader();
        for saved in &mut self.ledger.saved {
            if saved.holders.contains(&device) && !matches!(reader.entry(&saved.entry), Ok(Some(_)))
            {
                saved.holders.remove(&device);
            }
        }
    }
}
