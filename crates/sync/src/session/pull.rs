//! Fetching what the peer has and this device lacks.
//!
//! Of each log one branch is fetched at a time, in requests of at most [`WANT_BYTES`], each after
//! the last entry that arrived. The peer keeps nothing between two requests. What was handed over
//! and is not on the disk yet counts against [`BUFFER_BYTES_MAX`]; beyond it nothing is asked for.

use std::collections::{BTreeMap, BTreeSet};

use store::entry::{LogId, Sealed};
use store::heads::{Head, Heads};

use super::{
    BUFFER_BYTES_MAX, CloseReason, Effect, FLOOD_BYTES_MAX, Found, Notice, Read, Session, Stage,
    Ticket, WANT_BYTES, WANTS_MAX,
};
use crate::frame::{
    Direction, Entries, FRAME_BYTES_MAX, Frame, Line, Point, RangeEnd, Refused, Want,
};

/// How often a log may fail to follow on before it is left alone.
const STRIKES_MAX: u8 = 3;
/// How many sequences one question asks for: four questions search a million entries.
const SPREAD: u64 = 32;

#[derive(Debug, Default)]
pub(super) struct Pulling {
    logs: BTreeMap<LogId, Log>,
    wants: BTreeMap<u32, Asked>,
    admits: BTreeMap<Ticket, (LogId, usize)>,
    lookups: BTreeMap<Ticket, LogId>,
    /// Bytes handed over and not answered for yet.
    unadmitted: usize,
    next_id: u32,
}

/// Where fetching stands in one log.
#[derive(Debug, Default)]
pub(super) struct Log {
    phase: Phase,
    /// The last entry handed over, while it is not known to be on the disk.
    tip: Option<Head>,
    admits: usize,
    strikes: u8,
    stopped: Option<Refused>,
    /// The peer could not send now: wait for its next word or the next tick.
    pub(super) paused: bool,
    /// A branch that leaves ours somewhere, to be searched for once nothing is under way.
    parted: Option<Head>,
    /// Heads of the peer that lie below heads of ours.
    held: BTreeSet<Head>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Idle,
    /// Looking up whether a head of the peer's lies below ours.
    Checking(Head),
    /// Searching where a branch leaves ours.
    Searching(Search),
    /// Known where to begin, waiting for room.
    Ready { after: Option<Point>, target: Head },
    /// Asked, and entries are arriving.
    Asking,
}

/// Entries of the branch below `next` are held, those above `high` are not.
#[derive(Debug)]
struct Search {
    target: Head,
    held: Option<Point>,
    next: u64,
    high: u64,
    question: u32,
    asked: Vec<u64>,
    answered: Vec<Point>,
}

/// A request in flight.
#[derive(Debug)]
struct Asked {
    log: LogId,
    target: Head,
    /// The entry before the next one to arrive; `None` if the range begins at the anchor.
    after: Option<Point>,
    received: usize,
}

impl Pulling {
    pub(super) fn log(&mut self, log: LogId) -> &mut Log {
        self.logs.entry(log).or_default()
    }

    /// Returns of how many logs anything is kept.
    pub(super) fn logs(&self) -> usize {
        self.logs.len()
    }

    pub(super) fn is_held(&self, log: &LogId, head: &Head) -> bool {
        self.logs.get(log).is_some_and(|log| log.held.contains(head))
    }

    pub(super) fn stopped(&self) -> Vec<LogId> {
        let stopped = self.logs.iter().filter(|(_, log)| log.stopped.is_some());
        stopped.map(|(log, _)| *log).collect()
    }

    /// Lets go of every pause, and of a disk that did not take entries.
    pub(super) fn ask_again(&mut self) {
        for log in self.logs.values_mut() {
            log.paused = false;
            if log.stopped == Some(Refused::NotSaved) {
                log.stopped = None;
            }
        }
    }

    fn has_room(&self) -> bool {
        self.wants.len() < WANTS_MAX
            && self.unadmitted + (self.wants.len() + 1) * WANT_BYTES <= BUFFER_BYTES_MAX
    }

    fn id(&mut self) -> u32 {
        // 0 stands for entries that were pushed.
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.next_id
    }

    /// Drops the requests of a log; what still arrives of them is passed over.
    fn cancel(&mut self, log: &LogId) {
        self.wants.retain(|_, asked| asked.log != *log);
        self.lookups.retain(|_, asked| asked != log);
        if let Some(log) = self.logs.get_mut(log) {
            log.phase = Phase::Idle;
            log.parted = None;
        }
    }
}

impl Session {
    /// Goes on wherever something is lacking and there is room.
    pub(super) fn pump(&mut self) {
        if self.stage != Stage::Open {
            return;
        }
        let logs: Vec<LogId> = self.theirs.lines().map(|line| line.log).collect();
        for log in logs {
            self.pull(log);
        }
    }

    fn pull(&mut self, id: LogId) {
        let log = self.pulling.log(id);
        if log.stopped.is_some() || log.paused {
            return;
        }
        match &log.phase {
            Phase::Ready { after, target } => {
                let (after, target) = (*after, *target);
                self.ask(id, after, target);
            }
            Phase::Checking(_) | Phase::Searching(_) | Phase::Asking => {}
            Phase::Idle => self.choose(id),
        }
    }

    /// Decides what to fetch of a log next.
    fn choose(&mut self, id: LogId) {
        let (theirs, mine) = (self.theirs.heads(&id).to_vec(), self.mine.heads(&id).to_vec());
        let log = self.pulling.log(id);
        if let Some(tip) = log.tip {
            // The disk has not answered yet. Go on above; everything else waits for it.
            let above = theirs.iter().rev().find(|head| head.sequence > tip.sequence);
            if let (Some(target), None) = (above, log.parted) {
                log.phase = Phase::Ready { after: Some(Point::of(&tip)), target: *target };
                self.pull(id);
            }
            return;
        }
        log.held.retain(|head| theirs.contains(head));
        if let Some(target) = log.parted.take().filter(|target| theirs.contains(target)) {
            return self.search(id, target);
        }
        let lacking = |head: &&Head| !mine.contains(head) && !log.held.contains(head);
        let Some(target) = theirs.iter().rev().find(lacking).copied() else {
            return;
        };
        let after = match mine.last() {
            None => None,
            Some(latest) if latest.sequence < target.sequence => Some(Point::of(latest)),
            Some(_) => {
                log.phase = Phase::Checking(target);
                let points = vec![Point::of(&target)];
                return self.look_up(id, points);
            }
        };
        log.phase = Phase::Ready { after, target };
        self.pull(id);
    }

    fn look_up(&mut self, log: LogId, points: Vec<Point>) {
        let ticket = self.ticket();
        self.pulling.lookups.insert(ticket, log);
        self.out.push(Effect::Read { ticket, read: Read::Held { log, points } });
    }

    fn ask(&mut self, log: LogId, after: Option<Point>, target: Head) {
        if !self.pulling.has_room() {
            return;
        }
        let id = self.pulling.id();
        self.pulling.log(log).phase = Phase::Asking;
        self.pulling.wants.insert(id, Asked { log, target, after, received: 0 });
        self.send(&Frame::Want(Want {
            id,
            log,
            after,
            up_to: target,
            budget: u32::try_from(WANT_BYTES).unwrap_or(u32::MAX),
            direction: Direction::Up,
        }));
    }

    /// Takes in a frame of entries.
    pub(super) fn arrived(&mut self, entries: &Entries) {
        if entries.want == 0 {
            return self.pushed(entries);
        }
        // An answer to a request that was given up, or one that came twice.
        let Some(asked) = self.pulling.wants.get_mut(&entries.want) else {
            return;
        };
        let expected = asked.after.map(|after| after.sequence + 1);
        if expected.is_some_and(|expected| entries.start.sequence < expected) {
            return;
        }
        asked.received += entries.bytes();
        if asked.received > WANT_BYTES + FRAME_BYTES_MAX {
            return self.close(CloseReason::TooMuchSent);
        }
        let (log, target, after) = (asked.log, asked.target, asked.after);
        let start = entries.start;
        let follows = match after {
            Some(after) => Some(start.sequence) == expected && start.previous.id() == after.entry,
            None => self.theirs.get(&log).is_some_and(|line| line.anchor == start.sequence),
        };
        if start.log != log || !follows {
            return self.stop(log, Refused::Unsound);
        }
        let Ok(run) = Sealed::verify_range(&start, entries.shorts(), &self.home) else {
            return self.stop(log, Refused::Unsound);
        };
        let Some(head) = run.last().map(head_of) else {
            return;
        };
        let reached = head == target;
        // The peer promised one chain that ends in its head; this one passes it by.
        if !reached && head.sequence >= target.sequence {
            return self.stop(log, Refused::Unsound);
        }
        if reached || entries.last {
            self.pulling.wants.remove(&entries.want);
            self.pulling.log(log).phase = Phase::Idle;
        } else if let Some(asked) = self.pulling.wants.get_mut(&entries.want) {
            asked.after = Some(Point::of(&head));
        }
        self.hand_over(log, run, entries.bytes());
        self.pump();
    }

    /// Takes in entries that the peer wrote just now.
    fn pushed(&mut self, entries: &Entries) {
        let start = entries.start;
        let Ok(run) = Sealed::verify_range(&start, entries.shorts(), &self.home) else {
            return self.stop(start.log, Refused::Unsound);
        };
        let Some(head) = run.last().map(head_of) else {
            return;
        };
        // Pushed is only what is on the sender's disk.
        self.theirs.extend(&start, head);
        if let Some(line) = self.theirs.get(&start.log).cloned() {
            self.notice(Notice::PeerHolds(super::View::heads_of([&line])));
            self.look_at(&line);
        }
        let before = super::view::before(&start);
        let mine = self.mine.heads(&start.log);
        let log = self.pulling.logs.entry(start.log).or_default();
        let follows = match (before, log.tip) {
            (None, tip) => tip.is_none() && mine.is_empty(),
            (Some(before), Some(tip)) => before == tip,
            (Some(before), None) => mine.contains(&before),
        };
        let idle = matches!(log.phase, Phase::Idle) && log.stopped.is_none();
        if idle && follows {
            if self.pulling.unadmitted + entries.bytes() > FLOOD_BYTES_MAX {
                return self.close(CloseReason::TooMuchSent);
            }
            self.hand_over(start.log, run, entries.bytes());
        }
        // Whatever did not fit is asked for like everything else.
        self.pump();
    }

    fn hand_over(&mut self, id: LogId, entries: Vec<Sealed>, bytes: usize) {
        let ticket = self.ticket();
        self.pulling.unadmitted += bytes;
        self.pulling.admits.insert(ticket, (id, bytes));
        let log = self.pulling.log(id);
        log.tip = entries.last().map(head_of);
        log.admits += 1;
        self.out.push(Effect::Admit { ticket, log: id, entries });
    }

    pub(super) fn admitted(&mut self, ticket: Ticket, heads: &Heads) {
        let Some((id, bytes)) = self.pulling.admits.remove(&ticket) else {
            return;
        };
        self.pulling.unadmitted -= bytes;
        self.learn(heads);
        let mine = self.mine.latest(&id);
        let log = self.pulling.log(id);
        log.admits -= 1;
        if log.admits == 0
            && let Some(tip) = log.tip.take()
        {
            // A store that says yes and keeps nothing would be asked for ever.
            if mine.is_none_or(|mine| mine.sequence < tip.sequence) {
                log.strikes += 1;
            } else {
                log.strikes = 0;
            }
            if log.strikes >= STRIKES_MAX {
                self.stop(id, Refused::OutOfChain);
            }
        }
        self.tell_receipts();
        self.pump();
    }

    pub(super) fn admit_refused(&mut self, ticket: Ticket, why: Refused) {
        let Some((id, bytes)) = self.pulling.admits.remove(&ticket) else {
            return;
        };
        self.pulling.unadmitted -= bytes;
        self.pulling.cancel(&id);
        let log = self.pulling.log(id);
        log.admits -= 1;
        if log.admits == 0 {
            log.tip = None;
        }
        // What was handed over above a refused range cannot follow on; that says nothing new.
        match why {
            Refused::OutOfChain => {
                log.strikes += 1;
                if log.strikes >= STRIKES_MAX {
                    self.stop(id, why);
                }
            }
            Refused::NotEnrolled | Refused::Unsound | Refused::NotSaved => self.stop(id, why),
        }
        self.pump();
    }

    /// Leaves a log alone until something changes, and says so to the peer.
    fn stop(&mut self, id: LogId, why: Refused) {
        self.pulling.cancel(&id);
        let log = self.pulling.log(id);
        if log.stopped.is_none() {
            log.stopped = Some(why);
            self.send(&Frame::Refused { log: id, why });
            self.notice(Notice::Stopped { log: id, why });
        }
    }

    pub(super) fn ask_again_for_new_members(&mut self) {
        for log in self.pulling.logs.values_mut() {
            if matches!(log.stopped, Some(Refused::NotEnrolled | Refused::OutOfChain)) {
                log.stopped = None;
                log.strikes = 0;
            }
        }
        self.pump();
    }

    pub(super) fn range_ended(&mut self, want: u32, why: RangeEnd) {
        let Some(asked) = self.pulling.wants.remove(&want) else {
            return;
        };
        let log = self.pulling.log(asked.log);
        log.phase = Phase::Idle;
        match why {
            // Without a base there is nothing that could lie elsewhere: nonsense, so wait.
            RangeEnd::NotOnBranch if asked.after.is_some() => {
                log.parted = Some(asked.target);
                log.strikes += 1;
                if log.strikes >= STRIKES_MAX {
                    self.stop(asked.log, Refused::OutOfChain);
                }
            }
            RangeEnd::NotOnBranch | RangeEnd::NotHeld | RangeEnd::Later | RangeEnd::NotServed => {
                log.paused = true
            }
        }
        self.pump();
    }

    /// Begins to search where the branch that ends in `target` leaves what is held.
    fn search(&mut self, id: LogId, target: Head) {
        self.fork_seen(id);
        if self.own_log == Some(id) {
            self.notice(Notice::PeerHoldsMoreOfMyLog(target));
        }
        let next = self.theirs.get(&id).map_or(0, |line: &Line| line.anchor);
        let mine = self.mine.latest(&id).map_or(0, |head| head.sequence);
        let high = target.sequence.saturating_sub(1).min(mine);
        self.ask_where(
            id,
            Search {
                target,
                held: None,
                next,
                high,
                question: 0,
                asked: Vec::new(),
                answered: Vec::new(),
            },
        );
    }

    fn ask_where(&mut self, id: LogId, mut search: Search) {
        if search.next > search.high || search.target.sequence == 0 {
            self.pulling.log(id).phase = Phase::Ready { after: search.held, target: search.target };
            return self.pull(id);
        }
        search.question = self.pulling.id();
        search.asked = spread(search.next, search.high);
        self.send(&Frame::HashAt {
            question: search.question,
            log: id,
            head: search.target,
            sequences: search.asked.clone(),
        });
        self.pulling.log(id).phase = Phase::Searching(search);
    }

    pub(super) fn hashes_told(&mut self, question: u32, points: Vec<Point>) {
        let found = self.pulling.logs.iter_mut().find_map(|(id, log)| match &mut log.phase {
            Phase::Searching(search) if search.question == question => Some((*id, search)),
            Phase::Searching(_)
            | Phase::Idle
            | Phase::Checking(_)
            | Phase::Ready { .. }
            | Phase::Asking => None,
        });
        let Some((id, search)) = found else { return };
        if points.is_empty() {
            let log = self.pulling.log(id);
            log.phase = Phase::Idle;
            log.paused = true;
            return;
        }
        if !points.iter().map(|point| point.sequence).eq(search.asked.iter().copied()) {
            return self.stop(id, Refused::Unsound);
        }
        // A question is answered once; a second answer finds none open.
        search.question = 0;
        search.answered = points.clone();
        self.look_up(id, points);
    }

    pub(super) fn looked_up(&mut self, ticket: Ticket, found: Found) {
        let Some(id) = self.pulling.lookups.remove(&ticket) else {
            return;
        };
        let log = self.pulling.log(id);
        let phase = std::mem::take(&mut log.phase);
        let Found::Held(held) = found else {
            log.paused = true;
            return;
        };
        match phase {
            Phase::Checking(target) => {
                if held == [true] {
                    log.held.insert(target);
                    self.pump();
                } else {
                    self.search(id, target);
                }
            }
            Phase::Searching(mut search) => {
                // A branch is held up to some entry and not above it.
                let known = held.iter().take_while(|held| **held).count();
                if let Some(last) = known.checked_sub(1).and_then(|at| search.answered.get(at)) {
                    search.held = Some(*last);
                    search.next = last.sequence + 1;
                }
                if let Some(first) = search.answered.get(known) {
                    search.high = first.sequence.saturating_sub(1);
                    if first.sequence == 0 {
                        search.next = 1;
                    }
                }
                self.ask_where(id, search);
            }
            Phase::Idle | Phase::Ready { .. } | Phase::Asking => log.phase = phase,
        }
    }
}

fn head_of(entry: &Sealed) -> Head {
    Head { sequence: entry.sequence(), hash: entry.hash() }
}

/// Returns up to [`SPREAD`] sequences, evenly from `low` to `high`, `high` among them.
fn spread(low: u64, high: u64) -> Vec<u64> {
    let width = high - low;
    let parts = width.saturating_add(1).min(SPREAD);
    let part = (width / parts).max(1);
    let mut sequences: Vec<u64> =
        (0..parts).map(|at| high - (parts - 1 - at).saturating_mul(part)).collect();
    sequences.dedup();
    sequences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_spread_over_the_whole_range_and_narrow_it() {
        assert_eq!(spread(5, 5), [5]);
        assert_eq!(spread(5, 7), [5, 6, 7]);
        assert_eq!(spread(0, 31).len(), 32);
        for (low, high) in [(0, 1_000_000), (17, 99), (3, 34), (0, u64::MAX - 1)] {
            let asked = spread(low, high);
            assert!(asked.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(asked[0] >= low && *asked.last().unwrap() == high);
        }
    }
}
