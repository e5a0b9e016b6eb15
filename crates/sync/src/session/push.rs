//! Telling the peer what came onto the disk here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use store::entry::{LogId, RangeStart, Sealed};
use store::heads::{Head, Heads};

use super::view::{View, before};
use super::{Notice, PUSHED_BYTES_MAX, Session, Stage};
use crate::frame::{Entries, Frame, Line, Refused, parts};

/// What was pushed and not yet receipted.
#[derive(Debug, Default)]
pub(super) struct Pushing {
    unreceipted: BTreeMap<LogId, VecDeque<(Head, usize)>>,
    bytes: usize,
    /// Logs of which the peer did not take entries in.
    refused: BTreeSet<LogId>,
}

impl Pushing {
    /// Forgets what a line of the peer's says it has.
    pub(super) fn receipted(&mut self, line: &Line) {
        self.refused.remove(&line.log);
        let Some(latest) = line.heads.last() else {
            return;
        };
        if let Some(pushed) = self.unreceipted.get_mut(&line.log) {
            while pushed.front().is_some_and(|(head, _)| head.sequence <= latest.sequence) {
                self.bytes -= pushed.pop_front().map_or(0, |(_, bytes)| bytes);
            }
        }
    }

    /// Notes that the peer asks for entries of a log, so that it takes them in after all.
    pub(super) fn wanted(&mut self, log: &LogId) {
        self.refused.remove(log);
    }

    fn refuse(&mut self, log: LogId) {
        let dropped = self.unreceipted.remove(&log).unwrap_or_default();
        self.bytes -= dropped.iter().map(|(_, bytes)| bytes).sum::<usize>();
        self.refused.insert(log);
    }

    /// Returns where the peer will stand in a log once it has taken in what was pushed. `None` if
    /// it has nothing of it; `Some(None)` if it has more than one branch, where nothing is pushed.
    fn expected(&self, theirs: &View, log: &LogId) -> Option<Option<Head>> {
        if let Some((head, _)) = self.unreceipted.get(log).and_then(VecDeque::back) {
            return Some(Some(*head));
        }
        match theirs.heads(log) {
            [] => None,
            [head] => Some(Some(*head)),
            _ => Some(None),
        }
    }
}

impl Session {
    pub(super) fn committed(&mut self, entries: &[Sealed], heads: &Heads) {
        self.learn(heads);
        if self.stage != Stage::Open {
            // The heads that are about to be said, or a receipt after them, will tell.
            return;
        }
        let mut rest = entries;
        while let Some(first) = rest.first() {
            let linked = |pair: &[Sealed]| {
                pair[1].log() == pair[0].log() && pair[1].previous() == pair[0].hash()
            };
            let length = 1 + rest.windows(2).take_while(|pair| linked(pair)).count();
            let (run, tail) = rest.split_at(length);
            rest = tail;
            // Entries of others were pushed by whoever wrote them: their heads are enough.
            if self.own_log == Some(first.log()) {
                self.push(run);
            }
        }
        self.tell_receipts();
        self.pump();
    }

    /// Takes in heads of what is on the disk here.
    pub(super) fn learn(&mut self, heads: &Heads) {
        for (log, held) in heads.iter() {
            self.mine.set(Line::of(*log, held));
            if held.is_forked() {
                self.fork_seen(*log);
            }
        }
    }

    /// Pushes a run to a peer that stands right before it. Where that is not so nothing is sent:
    /// the heads are told, and the peer asks.
    fn push(&mut self, run: &[Sealed]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        let start: RangeStart = first.range_start();
        let log = start.log;
        let stands_before = match self.pushing.expected(&self.theirs, &log) {
            None => start.sequence == 0,
            Some(None) => false,
            Some(at) => at == before(&start),
        };
        if !stands_before || self.pushing.refused.contains(&log) {
            return;
        }
        let mut frame = Entries::new(0, start);
        let fits = run.iter().all(|entry| frame.push(entry));
        let signed = last.clone().audit(&self.home).is_ok();
        if !fits || !signed || self.pushing.bytes + frame.bytes() > PUSHED_BYTES_MAX {
            return;
        }
        frame.last = true;
        let head = Head { sequence: last.sequence(), hash: last.hash() };
        self.pushing.bytes += frame.bytes();
        self.pushing.unreceipted.entry(log).or_default().push_back((head, frame.bytes()));
        self.told.extend(&start, head);
        self.send(&Frame::Entries(frame));
    }

    /// Tells the peer the heads of every log that changed here since it was last told.
    pub(super) fn tell_receipts(&mut self) {
        let changed: Vec<Line> = self
            .mine
            .lines()
            .filter(|line| self.told.get(&line.log) != Some(line))
            .cloned()
            .collect();
        if changed.is_empty() {
            return;
        }
        changed.iter().for_each(|line| self.told.set(line.clone()));
        for lines in parts(changed) {
            self.send(&Frame::Receipt(lines));
        }
    }

    pub(super) fn refused(&mut self, log: LogId, why: Refused) {
        // Of a log that is not held here nothing was offered.
        if self.mine.get(&log).is_none() {
            return;
        }
        self.pushing.refuse(log);
        self.notice(Notice::PeerRefused { log, why });
    }
}
