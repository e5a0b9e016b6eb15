//! Looking at the record from any thread.

use std::sync::{Arc, PoisonError};

use mar::fact::Fact;
use mar::ids::{EntryId, LogId, ResidentId};
use mar::picture::{HomePicture, Recorded, ResidentPicture};
use mar::time::Month;

use super::{Published, Shared};
use crate::entry::Sealed;
use crate::fold;
use crate::heads::{Head, Heads};
use crate::local::{Damage, Local};
use crate::log::{LogRead, Pinned};
use crate::tables::DiskFault;
use crate::views::{Indexed, ViewsRead};

/// What was found when entries of one branch were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// Entries that follow each other, the first right after where the question began. None at
    /// all when none after it may be passed on yet.
    Entries(Vec<Sealed>),
    /// The entry to begin after is not an ancestor of the end.
    NotOnBranch,
    /// The end of the branch is not held.
    NotHeld,
}

/// Looks at the record. Cheap to clone; holds up the writer only while it reads the disk.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Shared>);

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Returns the picture, the heads and the state as of the last commit.
    pub fn published(&self) -> Published {
        self.0.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The home as of the last commit. The residents are not copied: this is asked for each entry.
    fn home(&self) -> Arc<HomePicture> {
        self.0.published.read().unwrap_or_else(PoisonError::into_inner).picture.home.clone()
    }

    /// Returns which entries are held, as of the last commit.
    pub fn heads(&self) -> Heads {
        self.0.published.read().unwrap_or_else(PoisonError::into_inner).heads.clone()
    }

    /// Returns the home and the hash of its founding entry.
    pub fn pinned(&self) -> Pinned {
        self.0.pinned
    }

    /// Returns what belongs to this device alone.
    pub fn local(&self) -> &Local {
        &self.0.local
    }

    /// Returns what is known to be wrong with this device's copy of the record: met when something
    /// was read, or found by [`Reader::verify`] and not mended since. `None` when nothing is known.
    pub fn damage(&self) -> Option<Damage> {
        self.0.damage().clone()
    }

    /// Remembers what looking at everything has found.
    pub(crate) fn found(&self, damage: Option<Damage>) {
        match damage {
            Some(damage) => self.0.know(damage),
            None => self.0.is_whole(),
        }
    }

    /// Returns log and views as they stand now.
    pub(crate) fn reads(&self) -> Result<(LogRead, ViewsRead), DiskFault> {
        self.0.with(|stores| Ok((stores.log.read()?, stores.views.read()?)))
    }

    /// Returns the entry with this id, or `None` if it is not held.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read or is not what was written.
    pub fn entry(&self, id: &EntryId) -> Result<Option<Sealed>, DiskFault> {
        self.0.with(|stores| stores.log.read()?.entry(id))
    }

    /// Returns the entry with this id as the fold reads and judges it; `None` if it is not held.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if it could not be read or is not what was written.
    pub fn recorded(&self, id: &EntryId) -> Result<Option<Recorded>, DiskFault> {
        let Some(entry) = self.entry(id)? else { return Ok(None) };
        let home = self.home();
        let mut recorded = fold::read(&self.0.pinned, &entry);
        recorded.device = home.owner(entry.log());
        recorded.standing = mar::standing::judge(&home, &recorded);
        // The row is as the fold judged it, which knows of branches too.
        let view = Indexed::new(&entry, &recorded).row.view;
        let row = self.0.with(|stores| stores.views.read()?.row(view, *id))?;
        row.map_or(Ok(Some(recorded)), |row| fold::recorded(&self.0.pinned, &home, &row).map(Some))
    }

    /// Returns how many entries are held.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the log could not be read.
    pub fn count(&self) -> Result<u64, DiskFault> {
        self.0.with(|stores| stores.log.read()?.count())
    }

    /// Returns entries of one log, after `after` (or from the anchor) and on the branch that ends
    /// in `up_to`: about `bytes_max` bytes of them but at least one, and none after the last whose
    /// own signature was checked.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if they could not be read or are not what was written.
    pub fn range(
        &self,
        log: &LogId,
        after: Option<(u64, EntryId)>,
        up_to: &Head,
        bytes_max: usize,
    ) -> Result<Range, DiskFault> {
        self.0.with(|stores| {
            let read = stores.log.read()?;
            if read.place(&up_to.hash.id())? != Some((*log, up_to.sequence)) {
                return Ok(Range::NotHeld);
            }
            let Some((sequence, id)) = after else {
                return read.range(log, 0, up_to, bytes_max).map(Range::Entries);
            };
            let on_branch = sequence <= up_to.sequence
                && read.on_branch(log, up_to, &[sequence])?.first() == Some(&(sequence, id));
            if !on_branch {
                return Ok(Range::NotOnBranch);
            }
            if sequence == up_to.sequence {
                return Ok(Range::Entries(Vec::new()));
            }
            read.range(log, sequence + 1, up_to, bytes_max).map(Range::Entries)
        })
    }

    /// Returns for each of these entries of one log whether it is held, on any branch.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the log could not be read.
    pub fn held(&self, log: &LogId, points: &[(u64, EntryId)]) -> Result<Vec<bool>, DiskFault> {
        self.0.with(|stores| {
            let read = stores.log.read()?;
            points
                .iter()
                .map(|(sequence, id)| Ok(read.place(id)? == Some((*log, *sequence))))
                .collect()
        })
    }

    /// Returns the entries at these rising sequences on the branch that ends in `head`; `None` if
    /// the head is not held.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the log could not be read.
    pub fn points(
        &self,
        log: &LogId,
        head: &Head,
        sequences: &[u64],
    ) -> Result<Option<Vec<(u64, EntryId)>>, DiskFault> {
        self.0.with(|stores| {
            let read = stores.log.read()?;
            if read.place(&head.hash.id())? != Some((*log, head.sequence)) {
                return Ok(None);
            }
            read.on_branch(log, head, sequences).map(Some)
        })
    }

    /// Reads one resident with the doses of all months from `from` on, for a chart of the past.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the views could not be read.
    pub fn resident(&self, id: ResidentId, from: Month) -> Result<ResidentPicture, DiskFault> {
        let home = self.home();
        self.0.with(|stores| {
            let views = stores.views.read()?;
            let (resident, _) = fold::resident_from(&self.0.pinned, &home, &views, (id, from))?;
            Ok(resident)
        })
    }

    /// Returns the access log of one resident (or of the home) from one month to another, both
    /// included.
    ///
    /// # Errors
    ///
    /// Returns [`DiskFault`] if the views could not be read.
    pub fn accesses(
        &self,
        subject: Option<ResidentId>,
        from: Month,
        to: Month,
    ) -> Result<Vec<Recorded>, DiskFault> {
        let home = self.home();
        let mut found = Vec::new();
        self.0.with(|stores| {
            for row in stores.views.read()?.months(subject, from, to)? {
                let recorded = fold::recorded(&self.0.pinned, &home, &row)?;
                if matches!(recorded.fact, Fact::Access(_)) {
                    found.push(recorded);
                }
            }
            Ok(())
        })?;
        found.sort_by_key(|recorded| recorded.stamp);
        Ok(found)
    }
}
