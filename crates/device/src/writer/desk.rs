//! The writer at work.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use mar::clock::{ClockLevel, needs_the_time};
use mar::command::{Ask, AskHome, Command};
use mar::ids::{EntryId, LogId};
use store::Changes;
use store::entry::Sealed;
use store::heads::{Head, Heads};
use store::record::{self, Admission, Around, Batch, NotTaken, Reader, Record};
use sync::frame::Refused;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Answer, Follower, Job, Offered, Saved, Shown, SubmitFault, Surroundings, Told, unattended,
};
use crate::clock::Clock;
use crate::doubt::{ClockMemory, Others};
use crate::gap::Peers;

/// The most commands that are put into one commit.
const TOGETHER_MAX: usize = 256;
/// At so many entries of peers no more are put into the same commit: what a person here asks
/// meanwhile comes before the rest of a long copy, and waits some 50 ms for this part of it.
const ADMIT_ENOUGH: usize = 4096;
/// Up to so many entries of peers are written before what is asked here at the same time: a dose
/// that was given elsewhere must meet the one that is asked for. It costs one commit.
const ADMIT_FIRST: usize = 64;
/// How soon after a change the views are made safe.
const DURABLE_AFTER: Duration = Duration::from_secs(2);
/// The same where there is no quiet moment.
const DURABLE_AT_LAST: Duration = Duration::from_secs(5);
/// Signatures inside ranges that are checked at one time when nothing else is to be done.
const AUDIT: usize = 512;

/// The writer itself.
pub(super) struct Desk {
    record: Record,
    reader: Reader,
    own_log: LogId,
    clock: Clock,
    peers: Arc<Peers>,
    memory: Arc<ClockMemory>,
    shown: Arc<Shown>,
    followers: BTreeMap<Follower, UnboundedSender<Told>>,
    /// What peers have offered and is not looked at yet.
    offered: VecDeque<Offered>,
    dirty_since: Option<Instant>,
    audit_due: bool,
    /// Whether a new log was begun on the word of a peer since the start.
    believed_a_peer: bool,
}

impl Desk {
    pub(super) fn new(record: Record, around: Surroundings, shown: Arc<Shown>) -> Self {
        let Surroundings { clock, peers, memory } = around;
        Self {
            reader: record.reader(),
            own_log: record.own_log(),
            record,
            clock,
            peers,
            memory,
            shown,
            followers: BTreeMap::new(),
            offered: VecDeque::new(),
            dirty_since: None,
            audit_due: true,
            believed_a_peer: false,
        }
    }

    pub(super) fn work(mut self, jobs: &Receiver<Job>) {
        loop {
            let mut together = Vec::new();
            if self.offered.is_empty() {
                match jobs.recv_timeout(self.patience()) {
                    Ok(job) => together.push(job),
                    Err(RecvTimeoutError::Timeout) => {
                        self.rest();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            while together.len() < TOGETHER_MAX
                && let Ok(job) = jobs.try_recv()
            {
                together.push(job);
            }
            if let Some(done) = self.carry_out(together) {
                // The store is closed before whoever asked goes on.
                drop(self);
                if done.send(()).is_err() {
                    tracing::debug!("nobody waited for the end");
                }
                return;
            }
            self.admit_next(ADMIT_ENOUGH, true);
            // Where there is always more to do, what rests is done in between.
            if self.dirty_since.is_some_and(|since| since.elapsed() >= DURABLE_AT_LAST) {
                self.rest();
            }
        }
    }

    fn patience(&self) -> Duration {
        if self.audit_due {
            Duration::from_millis(20)
        } else if let Some(since) = self.dirty_since {
            DURABLE_AFTER.saturating_sub(since.elapsed())
        } else {
            Duration::from_secs(60)
        }
    }

    /// What is done when nobody waits.
    fn rest(&mut self) {
        if self.audit_due {
            match self.record.audit(AUDIT) {
                Ok(done) => self.audit_due = done == AUDIT,
                Err(fault) => {
                    tracing::error!(%fault, "an entry that came inside a range is junk");
                    self.audit_due = false;
                }
            }
        }
        if self.dirty_since.is_some_and(|since| since.elapsed() >= DURABLE_AFTER) {
            self.dirty_since = None;
            if let Err(fault) = self.record.make_durable() {
                tracing::warn!(%fault, "the views were not made safe; they are folded again");
            }
        }
        match self.record.move_on(self.clock.now()) {
            Ok(true) => self.show(&Changes {
                home: false,
                residents: self.record.picture().residents.keys().copied().collect(),
            }),
            Ok(false) => {}
            Err(fault) => tracing::warn!(%fault, "the months in memory were not moved on"),
        }
    }

    /// Carries out what waits, in order; commands next to each other share a commit. What peers
    /// offer comes before them where it is little, and after them where it is a long copy. Returns
    /// whom to tell when it is time to end.
    fn carry_out(&mut self, jobs: Vec<Job>) -> Option<SyncSender<()>> {
        let mut single = Vec::new();
        let (of_peers, asked): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(Job::is_of_peers);
        let peers_said = of_peers.len();
        for (at, job) in of_peers.into_iter().chain(asked).enumerate() {
            if at == peers_said {
                self.admit_next(ADMIT_FIRST, false);
            }
            if !matches!(job, Job::Submit { .. }) {
                self.submit_singles(std::mem::take(&mut single));
            }
            match job {
                Job::Submit { commands, answer } => match <[Command; 1]>::try_from(commands) {
                    Ok([command]) if !self.wakes(&command) => single.push((command, answer)),
                    Ok([command]) => {
                        self.submit_singles(std::mem::take(&mut single));
                        self.submit_whole(vec![command], &answer);
                    }
                    Err(commands) => {
                        self.submit_singles(std::mem::take(&mut single));
                        self.submit_whole(commands, &answer);
                    }
                },
                Job::Admit(offered) => self.offered.push_back(offered),
                Job::HeldElsewhere(head) => self.held_elsewhere(&head),
                Job::Follow(follower, told) => self.follow(follower, told),
                Job::Unfollow(follower) => drop(self.followers.remove(&follower)),
                Job::Close(done) => {
                    while !self.offered.is_empty() {
                        self.admit_next(ADMIT_ENOUGH, true);
                    }
                    return Some(done);
                }
            }
        }
        self.submit_singles(single);
        None
    }

    fn follow(&mut self, follower: Follower, told: UnboundedSender<Told>) {
        let heads = self.record.heads().clone();
        if told.send(Told::Started { heads, own_log: self.own_log }).is_ok() {
            self.followers.insert(follower, told);
        }
    }

    /// Takes in what peers have offered, in order, in one commit: `enough` entries at most, or up
    /// to the offer that reaches them where it is taken `whole`.
    fn admit_next(&mut self, enough: usize, whole: bool) {
        let mut entries = 0;
        let next = self.offered.iter().take_while(|offer| {
            let before = entries;
            entries += offer.entries.len();
            if whole { before < enough } else { entries <= enough }
        });
        let next = self.offered.drain(..next.count()).collect();
        self.admit(next);
    }

    /// Whether a dose is asked for on a device that had ended cleanly: it counts again from here
    /// on, and says so in the same commit (W-16).
    fn wakes(&self, command: &Command) -> bool {
        let own = self.record.device();
        let parked =
            self.record.picture().home.devices().get(&own).is_some_and(|own| own.is_parked());
        parked && matches!(command.ask, Ask::Dose(..))
    }

    fn submit_singles(&mut self, waiting: Vec<(Command, SyncSender<Answer>)>) {
        if waiting.is_empty() {
            return;
        }
        let (commands, answers): (Vec<Command>, Vec<SyncSender<Answer>>) =
            waiting.into_iter().unzip();
        let batch = match self.may_write() {
            Ok(()) => self.around(&commands, |record, around| record.submit(around, &commands)),
            Err(_) => {
                // Whoever waits is told the same fault; each asks for it anew.
                for answer in answers {
                    self.reply(&answer, self.may_write().map(|()| Vec::new()));
                }
                return;
            }
        };
        let Batch { answers: outcomes, entries, changes } = batch;
        self.committed(&entries, &changes, &[]);
        for (outcome, answer) in outcomes.into_iter().zip(answers) {
            let saved = outcome.map_err(Into::into).map(|saved| vec![self.saved(saved)]);
            self.reply(&answer, saved);
        }
    }

    fn submit_whole(&mut self, mut commands: Vec<Command>, answer: &SyncSender<Answer>) {
        let asked = commands.len();
        if commands.iter().any(|command| self.wakes(command)) {
            commands.push(unattended(AskHome::Park { parked: false }));
        }
        let outcome = self.may_write().and_then(|()| {
            let whole =
                self.around(&commands, |record, around| record.submit_whole(around, &commands));
            let Batch { answers, entries, changes } = whole?;
            self.committed(&entries, &changes, &[]);
            let mut saved = Vec::with_capacity(asked);
            for answer in answers.into_iter().take(asked) {
                saved.push(self.saved(answer?));
            }
            Ok(saved)
        });
        self.reply(answer, outcome);
    }

    fn may_write(&self) -> Result<(), SubmitFault> {
        self.clock.checked()?;
        match self.record.fault() {
            Some(fault) => Err(SubmitFault::ReadOnly { why: fault.why.clone() }),
            None => Ok(()),
        }
    }

    fn around<T>(
        &mut self,
        commands: &[Command],
        act: impl FnOnce(&mut Record, &Around<'_>) -> T,
    ) -> T {
        let hearing = self.peers.hearing(&self.clock);
        let own = self.record.device();
        let awake = self.peers.awake(self.record.picture());
        let peers = self.peers.clocks(self.record.picture(), own, &self.clock);
        let written = self.memory.written(&self.reader, self.record.picture(), own);
        let clock = self.memory.standing(&self.clock, Others { peers, written });
        let around = Around {
            now: self.clock.now(),
            heard: &hearing.heard,
            awake: &awake,
            last_heard: &hearing.last_heard,
            clock: &clock,
        };
        let timed = commands.iter().any(|command| needs_the_time(&command.ask));
        let before = self.own_head();
        let done = act(&mut self.record, &around);
        // What was refused left no trace, and a clock that is red none that is believed.
        if timed && clock.level() < ClockLevel::Red && self.own_head() != before {
            self.memory.wrote(around.now);
        }
        done
    }

    fn own_head(&self) -> Option<Head> {
        self.record.heads().get(&self.record.own_log())?.latest()
    }

    fn saved(&self, saved: record::Saved) -> Saved {
        let read = |id: &EntryId| match self.reader.recorded(id) {
            Ok(recorded) => recorded.map(Arc::new),
            Err(fault) => {
                tracing::warn!(%fault, "an entry that was saved could not be read back yet");
                None
            }
        };
        Saved {
            entries: saved.entries.iter().filter_map(read).collect(),
            saved_on: 1,
            repeated: saved.again,
        }
    }

    /// Whoever asked may have gone away; what was saved is saved.
    fn reply(&self, answer: &SyncSender<Answer>, saved: Answer) {
        if answer.send(saved).is_err() {
            tracing::debug!("nobody waited for the answer");
        }
    }

    fn admit(&mut self, offered: Vec<Offered>) {
        if offered.is_empty() {
            return;
        }
        let entries: Vec<Sealed> =
            offered.iter().flat_map(|offer| offer.entries.iter().cloned()).collect();
        match self.record.admit(self.clock.now(), &entries) {
            Ok(admission) => self.admitted(&offered, &admission),
            Err(fault) => {
                tracing::error!(%fault, "entries of another device could not be saved");
                self.show(&Changes::default());
                for Offered { from, peer, ticket, entries } in &offered {
                    self.peers.looked_at(*peer, entries.len() as u64, false);
                    let told = Told::NotAdmitted { ticket: *ticket, why: Refused::NotSaved };
                    self.tell(*from, told);
                }
            }
        }
    }

    fn admitted(&mut self, offered: &[Offered], admission: &Admission) {
        self.audit_due |= admission.added.iter().any(|entry| !entry.is_audited());
        let not_taken: BTreeMap<EntryId, NotTaken> = admission.not_taken.iter().copied().collect();
        for Offered { peer, entries, .. } in offered {
            let written = !entries.iter().any(|entry| not_taken.contains_key(&entry.id()));
            self.peers.looked_at(*peer, entries.len() as u64, written);
        }
        self.committed(&admission.added, &admission.changes, offered);
        for Offered { from, ticket, entries, .. } in offered {
            let left = entries.iter().find_map(|entry| not_taken.get(&entry.id()));
            let told = match left {
                None => {
                    let heads = self.heads_of(entries);
                    Told::Admitted { ticket: *ticket, heads }
                }
                Some(why) => Told::NotAdmitted { ticket: *ticket, why: refused(*why) },
            };
            self.tell(*from, told);
        }
        if admission.membership {
            self.tell_all(&Told::MembershipChanged);
        }
        self.look_at_own_log();
    }

    /// Shows entries that are on the disk now, and tells everybody but who brought them.
    fn committed(&mut self, entries: &[Sealed], changes: &Changes, offered: &[Offered]) {
        self.show(changes);
        if entries.is_empty() {
            return;
        }
        let heads = self.heads_of(entries);
        let followers: Vec<Follower> = self.followers.keys().copied().collect();
        for follower in followers {
            let brought: BTreeSet<EntryId> = offered
                .iter()
                .filter(|offer| offer.from == follower)
                .flat_map(|offer| offer.entries.iter().map(Sealed::id))
                .collect();
            let others: Vec<Sealed> =
                entries.iter().filter(|entry| !brought.contains(&entry.id())).cloned().collect();
            if !others.is_empty() {
                let heads = self.heads_of(&others);
                self.tell(follower, Told::Committed { entries: others, heads });
            }
        }
        if offered.is_empty() {
            if entries.iter().any(Sealed::is_membership) {
                self.tell_all(&Told::MembershipChanged);
            }
            self.look_at_own_log();
        }
        tracing::trace!(logs = heads.len(), entries = entries.len(), "committed");
    }

    /// The heads of the logs of these entries.
    fn heads_of(&self, entries: &[Sealed]) -> Heads {
        let mut heads = Heads::default();
        for log in entries.iter().map(Sealed::log).collect::<BTreeSet<LogId>>() {
            if let Some(held) = self.record.heads().get(&log) {
                held.heads().iter().for_each(|head| heads.insert(log, held.anchor(), *head));
            }
        }
        heads
    }

    fn show(&mut self, changes: &Changes) {
        self.dirty_since.get_or_insert_with(Instant::now);
        let shown = &self.shown;
        *shown.read_only.write().unwrap_or_else(PoisonError::into_inner) =
            self.record.fault().map(|fault| fault.why.clone());
        if !changes.home && changes.residents.is_empty() {
            return;
        }
        *shown.picture.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(self.record.picture().clone());
        let mut watchers = shown.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| watcher.send(changes.clone()).is_ok());
    }

    /// A peer says that it holds an entry of our own log. If it is not here, this folder is an
    /// earlier state of itself: a new log begins before anything more is written. It is a word
    /// without proof, and a folder is put back while nothing runs on it: it is believed once, or a
    /// device that means harm could ask for a new log at every dose.
    fn held_elsewhere(&mut self, head: &Head) {
        let log = self.own_log;
        match self.reader.held(&log, &[(head.sequence, head.hash.id())]) {
            Ok(held) if held == [true] => {}
            Ok(_) if self.believed_a_peer => {
                tracing::warn!("another device claims again to hold more of this device's log");
            }
            Ok(_) => match self.record.reincarnate() {
                Ok(()) => {
                    self.believed_a_peer = true;
                    tracing::warn!(
                        "another device holds more of this device's log; a new one begins"
                    );
                    self.look_at_own_log();
                }
                Err(fault) => tracing::error!(%fault, "no new log could be begun"),
            },
            Err(fault) => tracing::error!(%fault, "the log could not be read"),
        }
    }

    fn look_at_own_log(&mut self) {
        let log = self.record.own_log();
        if log != self.own_log {
            self.own_log = log;
            self.tell_all(&Told::OwnLog(log));
        }
    }

    fn tell(&mut self, follower: Follower, told: Told) {
        if let Some(sender) = self.followers.get(&follower)
            && sender.send(told).is_err()
        {
            self.followers.remove(&follower);
        }
    }

    fn tell_all(&mut self, told: &Told) {
        self.followers.retain(|_, sender| sender.send(told.clone()).is_ok());
    }
}

fn refused(why: NotTaken) -> Refused {
    match why {
        NotTaken::NotEnrolled | NotTaken::NoRoom => Refused::NotEnrolled,
        NotTaken::NoPredecessor => Refused::OutOfChain,
        NotTaken::NoStart => Refused::Unsound,
    }
}

#[cfg(test)]
mod tests;
