//! Looking at everything: every entry, every chain, every signature, every index, every view.
//!
//! Nothing is repaired and nothing is changed. What is found is named by log and sequence, so that
//! the entry can be fetched again from another device.

use std::collections::{BTreeMap, BTreeSet};

use mar::fact::{Fact, MembershipFact};
use mar::ids::{EntryId, LogId};

use crate::backend::FileKind;
use crate::codec;
use crate::entry::{Hash, Sealed};
use crate::fold::Folded;
use crate::heads::Heads;
use crate::keys::certificate_holds;
use crate::local::Damage;
use crate::log::{LogRead, Pinned};
use crate::record::Reader;
use crate::tables::{DiskFault, guarded, split_entry_key};
use crate::views::{Indexed, ViewsRead};

/// After so many faults the rest is not listed.
const FAULTS_MAX: usize = 1000;

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Entries looked at.
    pub entries: u64,
    /// Logs looked at.
    pub logs: usize,
    /// Rows of the views looked at.
    pub rows: u64,
    /// What is wrong; empty when nothing is.
    pub faults: Vec<Fault>,
}

impl Verification {
    /// Returns whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, at: Option<(LogId, u64)>, what: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            let (log, sequence) = at.unzip();
            self.faults.push(Fault { log, sequence, what: what.into() });
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The log of the entry; `None` when it is not about one entry.
    pub log: Option<LogId>,
    /// The entry's place in its log.
    pub sequence: Option<u64>,
    /// What is wrong, in plain words.
    pub what: String,
}

impl Fault {
    /// Returns what is wrong and where.
    fn place(&self) -> String {
        match (self.log, self.sequence) {
            (Some(log), Some(sequence)) => format!("entry {sequence} of log {log}: {}", self.what),
            (Some(log), None) => format!("log {log}: {}", self.what),
            (None, _) => self.what.clone(),
        }
    }
}

impl Reader {
    /// Looks at everything, as it stood at the last commit. It takes some seconds for each hundred
    /// thousand entries, and does not hold up the writer.
    pub fn verify(&self) -> Verification {
        let mut found = Verification::default();
        let pinned = self.pinned();
        match self.reads() {
            Ok((log, views)) => {
                let unread = guarded(|| verify_log(&pinned, &log, &mut found));
                let unread = unread.unwrap_or_else(|fault| {
                    found.fault(None, format!("the log could not be read to its end: {fault}"));
                    Vec::new()
                });
                let file = if found.is_clean() { FileKind::Views } else { FileKind::Log };
                let compared = guarded(|| verify_views(&pinned, &log, &views, &mut found));
                if let Err(fault) = compared {
                    found.fault(None, format!("the views could not be compared: {fault}"));
                }
                let first = found.faults.first();
                self.found(first.map(|fault| Damage { file: Some(file), what: fault.place() }));
                if let (true, Some(damage)) = (found.is_clean(), self.damage()) {
                    found.fault(None, format!("a page of the file is damaged: {}", damage.what));
                }
                // Nobody's file is damaged by what a device wrote: no copy would read better.
                for (at, what) in unread {
                    found.fault(Some(at), what);
                }
            }
            Err(fault) => found.fault(None, fault.to_string()),
        }
        found
    }
}

/// The place of an entry whose content cannot be read, and what is said of it.
type Unread = ((LogId, u64), String);

/// What one pass over the entries gathers for the next checks.
#[derive(Default)]
struct Seen {
    /// Every entry by log and sequence.
    hashes: BTreeMap<(LogId, u64), Vec<Hash>>,
    /// Who claims which predecessor.
    previous: Vec<((LogId, u64), Hash)>,
    ids: BTreeMap<EntryId, (LogId, u64)>,
    /// Whole entries of a known kind that do not say what their kind says.
    unread: Vec<Unread>,
}

/// Returns the entries whose content cannot be read. They are whole, and signed by whoever wrote
/// them: a fault, and no damage of the file.
fn verify_log(
    pinned: &Pinned,
    log: &LogRead,
    found: &mut Verification,
) -> Result<Vec<Unread>, DiskFault> {
    let mut seen = Seen::default();
    let read = guarded(|| {
        log.raw(|key, bytes| {
            found.entries += 1;
            match split_entry_key(key) {
                Some((id, sequence, entry)) => {
                    let at = (id, sequence);
                    if let Err(what) = verify_entry(pinned, at, entry, bytes, &mut seen) {
                        found.fault(Some(at), what);
                    }
                }
                None => found.fault(None, "an entry stands under a key that was never written"),
            }
        })
    });
    if let Err(fault) = read {
        found.fault(None, format!("the entries could not be read to their end: {fault}"));
    }
    verify_chain(pinned, log, &seen, found)?;
    verify_indexes(log, &seen, found)?;
    Ok(seen.unread)
}

fn verify_entry(
    pinned: &Pinned,
    at: (LogId, u64),
    id: EntryId,
    bytes: &[u8],
    seen: &mut Seen,
) -> Result<(), String> {
    let entry = Sealed::from_disk(bytes, false).map_err(|fault| fault.to_string())?;
    if entry.id() != id {
        return Err("its bytes are not those that were signed".to_owned());
    }
    if (entry.log(), entry.sequence()) != at {
        return Err("it stands in the place of another entry".to_owned());
    }
    if let Err(fault @ codec::CodecFault::Malformed { .. }) =
        codec::decode(entry.kind(), entry.kind_version(), entry.payload())
    {
        seen.unread.push((at, fault.to_string()));
    }
    seen.hashes.entry(at).or_default().push(entry.hash());
    seen.ids.insert(id, at);
    if entry.sequence() > 0 {
        seen.previous.push((at, entry.previous()));
    } else if !starts_its_log(pinned, &entry) {
        return Err("its log does not begin as a device's log does".to_owned());
    }
    let mut entry = entry;
    entry.audit(&pinned.home).map_err(|fault| fault.to_string())
}

fn starts_its_log(pinned: &Pinned, entry: &Sealed) -> bool {
    let decoded = codec::decode(entry.kind(), entry.kind_version(), entry.payload());
    decoded.is_ok_and(|decoded| match &decoded.fact {
        Fact::Membership(MembershipFact::LogStarted(start)) => {
            certificate_holds(&pinned.home, &entry.log(), start)
        }
        Fact::Membership(_)
        | Fact::Home(_)
        | Fact::Resident(_)
        | Fact::Order(_)
        | Fact::Dose(_)
        | Fact::FollowUp(_)
        | Fact::Access(_)
        | Fact::Unknown => false,
    })
}

/// Each entry's predecessor is there, each head is the end of a chain, and the log that was pinned
/// is the one that founded the home.
fn verify_chain(
    pinned: &Pinned,
    log: &LogRead,
    seen: &Seen,
    found: &mut Verification,
) -> Result<(), DiskFault> {
    let mut ends: BTreeSet<(LogId, u64, Hash)> = BTreeSet::new();
    for ((id, sequence), hashes) in &seen.hashes {
        ends.extend(hashes.iter().map(|hash| (*id, *sequence, *hash)));
    }
    for ((id, sequence), previous) in &seen.previous {
        let before = sequence - 1;
        let there = seen.hashes.get(&(*id, before)).is_some_and(|hashes| hashes.contains(previous));
        if !there {
            found.fault(Some((*id, before)), "it is missing, and a later entry follows it");
        }
        ends.remove(&(*id, before, *previous));
    }
    let heads: Heads = log.heads()?;
    found.logs = heads.len();
    let mut named: BTreeSet<(LogId, u64, Hash)> = BTreeSet::new();
    for (id, held) in heads.iter() {
        named.extend(held.heads().iter().map(|head| (*id, head.sequence, head.hash)));
    }
    for (id, sequence, _) in named.difference(&ends) {
        found.fault(Some((*id, *sequence)), "it is the end of its log, and it is missing");
    }
    for (id, sequence, _) in ends.difference(&named) {
        found.fault(Some((*id, *sequence)), "it is the end of its log, and is not named as that");
    }
    if !seen.hashes.is_empty() && !seen.ids.contains_key(&pinned.founding.id()) {
        found.fault(None, "the entry that founded the home is missing");
    }
    Ok(())
}

/// Every entry is found by its id and stands among the arrivals, and nothing else does.
fn verify_indexes(log: &LogRead, seen: &Seen, found: &mut Verification) -> Result<(), DiskFault> {
    for (id, at) in &seen.ids {
        if log.place(id)? != Some(*at) {
            found.fault(Some(*at), "it is not found by its id");
        }
    }
    let mut arrived = BTreeSet::new();
    for number in 1..=log.last_arrival()? {
        let Some(key) = log.arrival(number)? else {
            found.fault(None, format!("arrival {number} is missing"));
            continue;
        };
        match split_entry_key(&key) {
            Some((id, sequence, entry)) if !seen.ids.contains_key(&entry) => {
                found.fault(Some((id, sequence)), "it arrived here, and it is missing");
            }
            Some((_, _, entry)) => drop(arrived.insert(entry)),
            None => found.fault(None, format!("arrival {number} is damaged")),
        }
    }
    for (id, at) in &seen.ids {
        if !arrived.contains(id) {
            found.fault(Some(*at), "it is not among the arrivals");
        }
    }
    Ok(())
}

/// Folds every entry from nothing and compares the result with the rows and sums that are kept.
fn verify_views(
    pinned: &Pinned,
    log: &LogRead,
    views: &ViewsRead,
    found: &mut Verification,
) -> Result<(), DiskFault> {
    let folded = Folded::home_only(*pinned, log)?;
    let mut sums = crate::views::Sums::default();
    let mut expected: u64 = 0;
    let compared = log.raw_entries(|entry| {
        let judged = folded.judge_again(entry);
        let indexed = Indexed::new(entry, &judged);
        expected += 1;
        sums.add(&indexed.row);
        let at = Some((entry.log(), entry.sequence()));
        match views.row(indexed.row.view, indexed.row.id) {
            Ok(Some(row)) if row == indexed.row => {}
            Ok(Some(_)) => found.fault(at, "what is shown of it is not what it says"),
            Ok(None) => found.fault(at, "it is not among what is shown"),
            Err(fault) => found.fault(at, fault.to_string()),
        }
    });
    if let Err(fault) = compared {
        found.fault(None, format!("the entries could not be compared to their end: {fault}"));
    }
    let mut rows: u64 = 0;
    views.all(|_| {
        rows += 1;
        Ok(())
    })?;
    found.rows = rows;
    if rows != expected {
        found.fault(None, format!("{rows} facts are shown, and {expected} are in the log"));
    }
    if views.sums()? != sums.views() || views.state()? != sums.state() {
        found.fault(None, "the sums over what is shown do not fit it");
    }
    Ok(())
}
