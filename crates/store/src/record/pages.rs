//! Looking at every page of log and views, when the record is opened and while it is used.
//!
//! redb believes what it reads, and a changed byte would show another dose than was given.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use mar::time::Timestamp;

use super::{Reader, Shared};
use crate::backend::{Disk, FileKind, OpenFault};
use crate::local::{Damage, Local};
use crate::log::Log;
use crate::tables;

/// The files that are looked at. This device's own can be lost.
const FILES: [FileKind; 2] = [FileKind::Views, FileKind::Log];
/// Up to so many bytes every page is looked at whenever the record is opened.
const SMALL_BYTES: u64 = 16 << 20;
/// Up to so many it is looked at when that was not done within the hour. A home of 100,000 entries
/// has 154 MiB in both files: they are looked through in 0.12 s where the system still holds them in
/// memory (1.3 GiB a second; the bench `record` measures it), and in a second or two where a slow
/// disk has to read them. What opens the record waits for that.
const MIDDLING_BYTES: u64 = 256 << 20;
const HOUR_MS: i64 = 60 * 60 * 1000;
/// A larger one once a day: a device that serves looks each hour, while nobody waits.
const DAY_MS: i64 = 24 * HOUR_MS;

/// Why nothing is written to a log of which every entry is whole and a page is damaged. Such a page is
/// one by which redb finds its way when it writes: it would stumble there, and end the program.
pub(super) const UNSOUND: &str =
    "log.redb is damaged in a place that is needed to write to it. Every entry in it can be read";

/// Returns whether every entry on the disk is as it was written.
pub(super) fn entries_are_whole(disk: &Disk) -> bool {
    let Ok(log) = Log::look(disk) else { return false };
    let whole = tables::guarded(|| log.read()?.look_through()).is_ok();
    log.let_go();
    whole
}

/// Looks at every page before the record is opened: of a small record always, of a larger one once
/// an hour, of a very large one once a day, and of one that was not closed always. What is found is noted as damage. Returns whether
/// the log was found damaged.
pub(super) fn look_at_start(disk: &Disk, local: &Local, now: Timestamp) -> bool {
    let bytes = disk.length(FileKind::Log).saturating_add(disk.length(FileKind::Views));
    let every = if bytes <= MIDDLING_BYTES { HOUR_MS } else { DAY_MS };
    let last = local.checked().ok().flatten();
    let lately = last.is_some_and(|last| (0..every).contains(&now.0.saturating_sub(last.0)));
    // A program that stumbled over a damaged page left the file open.
    let closed = FILES.into_iter().all(|kind| tables::was_closed(disk, kind));
    let mut log_damaged = false;
    if lately && closed && bytes > SMALL_BYTES {
        return log_damaged;
    }
    for kind in FILES {
        let damage = match damage_in(disk, kind, &Arc::default()) {
            Ok(None) => continue,
            Ok(Some(damage)) => damage,
            Err(fault) => {
                tracing::warn!(%fault, "the pages were not looked at");
                return log_damaged;
            }
        };
        log_damaged |= kind == FileKind::Log;
        if let Err(fault) = local.set_damage(Some(&damage)) {
            tracing::warn!(%fault, "that the record is damaged was not kept");
        }
    }
    if !lately {
        looked(local, now);
    }
    log_damaged
}

/// Returns what is wrong with a file's pages; `None` when nothing is, or it is not there.
fn damage_in(
    disk: &Disk,
    kind: FileKind,
    stop: &Arc<AtomicBool>,
) -> Result<Option<Damage>, OpenFault> {
    if !disk.exists(kind) {
        return Ok(None);
    }
    match tables::check_pages(disk, kind, stop) {
        Ok(()) => Ok(None),
        Err(OpenFault::Damaged { what, .. }) => Ok(Some(Damage { file: Some(kind), what })),
        Err(fault) => Err(fault),
    }
}

fn looked(local: &Local, now: Timestamp) {
    if let Err(fault) = local.set_checked(now) {
        tracing::warn!(%fault, "that the pages were looked at was not kept");
    }
}

impl Reader {
    /// Looks at every page of log and views on the disk while the record is used. Returns what is
    /// wrong, which is remembered as well; `None` when nothing is. It reads both files, and does not
    /// hold the writer up unless it finds something: then it looks once more while nobody writes,
    /// because a page that is being written looks like one that is damaged. `stop` ends it early,
    /// with a fault.
    ///
    /// # Errors
    ///
    /// Returns [`OpenFault`] if a file could not be looked at. That is no damage.
    pub fn look_at_pages(
        &self,
        now: Timestamp,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<Damage>, OpenFault> {
        let shared = self.shared();
        let mut worst = None;
        for kind in FILES {
            let Some(damage) = shared.damage_in(kind, stop)? else { continue };
            if kind == FileKind::Log {
                shared.log_is_damaged();
            }
            shared.know(damage.clone());
            worst = Some(damage);
        }
        looked(&shared.local, now);
        Ok(worst)
    }
}

impl Shared {
    /// Nothing is written any more where the damage is in none of the entries.
    fn log_is_damaged(&self) {
        self.pages_damaged.store(true, Ordering::SeqCst);
        let _nobody_writes = self.stores.write().unwrap_or_else(PoisonError::into_inner);
        if entries_are_whole(&self.disk) {
            self.log_unsound.store(true, Ordering::SeqCst);
        }
    }

    fn damage_in(
        &self,
        kind: FileKind,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<Damage>, OpenFault> {
        if let Ok(None) = damage_in(&self.disk, kind, stop) {
            return Ok(None);
        }
        // Whoever writes does so under this lock.
        let _nobody_writes = self.stores.write().unwrap_or_else(PoisonError::into_inner);
        damage_in(&self.disk, kind, stop)
    }
}
