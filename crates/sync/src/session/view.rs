//! What one side holds of every log, as heads.

use std::collections::BTreeMap;

use store::entry::{Hash, LogId, RangeStart};
use store::heads::{Head, Heads};

use super::{HEADS_MAX, LOGS_MAX};
use crate::frame::Line;

/// The heads of one side. Lines replace each other; nothing is merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    lines: BTreeMap<LogId, Line>,
    /// How many heads the lines have.
    named: usize,
}

impl View {
    pub(super) fn of(heads: &Heads) -> Self {
        let lines = heads.iter().map(|(log, held)| Line::of(*log, held));
        let mut view = Self::default();
        lines.for_each(|line| view.set(line));
        view
    }

    pub(super) fn set(&mut self, line: Line) {
        self.named += line.heads.len();
        let before = self.lines.insert(line.log, line);
        self.named -= before.map_or(0, |before| before.heads.len());
    }

    pub(super) fn get(&self, log: &LogId) -> Option<&Line> {
        self.lines.get(log)
    }

    /// Returns the heads of a log, in order; none if nothing is held of it.
    pub(super) fn heads(&self, log: &LogId) -> &[Head] {
        self.lines.get(log).map_or(&[], |line| line.heads.as_slice())
    }

    pub(super) fn latest(&self, log: &LogId) -> Option<Head> {
        self.heads(log).last().copied()
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }

    /// Whether it names more than any home has.
    pub(super) fn is_too_much(&self) -> bool {
        self.lines.len() > LOGS_MAX || self.named > HEADS_MAX
    }

    /// Moves the heads of a log over a run of entries that begins at `start` and ends with `end`.
    pub(super) fn extend(&mut self, start: &RangeStart, end: Head) {
        let line = self.lines.entry(start.log).or_insert_with(|| Line {
            log: start.log,
            anchor: start.sequence,
            heads: Vec::new(),
        });
        self.named -= line.heads.len();
        if let Some(before) = before(start) {
            line.heads.retain(|head| *head != before);
        }
        if let Err(at) = line.heads.binary_search(&end) {
            line.heads.insert(at, end);
        }
        self.named += line.heads.len();
    }

    /// Returns whether both hold the same entries. History below an anchor may follow later.
    pub(super) fn same_heads(&self, other: &Self) -> bool {
        self.lines.len() == other.lines.len()
            && self.lines().zip(other.lines()).all(|(a, b)| a.log == b.log && a.heads == b.heads)
    }

    pub(super) fn heads_of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Heads {
        let mut heads = Heads::default();
        for line in lines {
            line.heads.iter().for_each(|head| heads.insert(line.log, line.anchor, *head));
        }
        heads
    }

    pub(super) fn to_heads(&self) -> Heads {
        Self::heads_of(self.lines())
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        self.to_heads().hash()
    }
}

/// Returns the entry before a run, or `None` if the run begins its log.
pub(super) fn before(start: &RangeStart) -> Option<Head> {
    let sequence = start.sequence.checked_sub(1)?;
    (start.previous != Hash::ZERO).then_some(Head { sequence, hash: start.previous })
}
