//! The one writer: commands and entries of other devices in, commits out, answers back.
//!
//! What waits together is written in one commit. Nobody is answered before the fsync has returned:
//! no person, no peer. Whoever follows (a session with a peer, a screen) is told of commits in the
//! order in which they were made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mar::command::{Ask, AskHome, Command};
use mar::fact::Actor;
use mar::ids::{CommandId, DeviceId, EntryId, LogId};
use mar::picture::{Picture, Recorded};
use store::Changes;
use store::entry::Sealed;
use store::heads::{Head, Heads};
use store::record::{self, Admission, Around, Batch, NotTaken, Reader, Record};
use sync::frame::Refused;
use sync::session::Ticket;
use tokio::sync::mpsc::UnboundedSender;

use crate::clock::{Clock, ClockFault};
use crate::gap::Peers;

/// The most that is put into one commit.
const TOGETHER_MAX: usize = 256;
/// How soon after a change the views are made safe.
const DURABLE_AFTER: Duration = Duration::from_secs(2);
/// Signatures inside ranges that are checked at one time when nothing else is to be done.
const AUDIT: usize = 512;

/// A command that was saved.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The entries it made, in order.
    pub entries: Vec<Arc<Recorded>>,
    /// On how many devices they were saved when this was answered: 1.
    pub saved_on: usize,
    /// Whether this is the first answer to a command that was asked again.
    pub repeated: bool,
}

/// Why a command was not saved. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum SubmitFault {
    /// A rule refuses it.
    #[error(transparent)]
    Refused(#[from] mar::refusal::Refusal),
    /// The clock cannot be right.
    #[error("NOT SAVED: {0}")]
    Clock(#[from] ClockFault),
    /// The disk did not take it.
    #[error("NOT SAVED: {why}. Keep what was typed, write it on paper, and see to this device")]
    NotSaved {
        /// What the disk says.
        why: String,
    },
    /// The disk failed twice: nothing is written any more until the program starts again.
    #[error(
        "NOT SAVED: this device only reads since its disk failed ({why}). Write it on paper or \
         record it on another device, and see to this one"
    )]
    ReadOnly {
        /// What the disk says.
        why: String,
    },
    /// The device was closed.
    #[error("NOT SAVED: the device was closed")]
    Closed,
}

/// One who is told of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Follower(pub(crate) u64);

/// What a follower is told, in the order of the commits.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// First of all: what is on the disk now.
    Started { heads: Heads, own_log: LogId },
    /// Entries are on the disk that this follower did not bring.
    Committed { entries: Vec<Sealed>, heads: Heads },
    /// Entries that this follower brought are on the disk.
    Admitted { ticket: Ticket, heads: Heads },
    /// Entries that this follower brought were not taken in.
    NotAdmitted { ticket: Ticket, why: Refused },
    /// Devices were enrolled, put out, or given secrets.
    MembershipChanged,
    /// This device writes another log from now on.
    OwnLog(LogId),
}

type Answer = Result<Vec<Saved>, SubmitFault>;

enum Job {
    /// Commands that are written together or not at all.
    Submit {
        commands: Vec<Command>,
        answer: SyncSender<Answer>,
    },
    Admit(Offered),
    /// A peer holds this entry of our own log.
    HeldElsewhere(Head),
    Follow(Follower, UnboundedSender<Told>),
    Unfollow(Follower),
    Close(SyncSender<()>),
}

struct Offered {
    from: Follower,
    ticket: Ticket,
    entries: Vec<Sealed>,
}

/// What the writer shows to everybody else.
#[derive(Debug)]
pub(crate) struct Shown {
    picture: RwLock<Arc<Picture>>,
    read_only: RwLock<Option<String>>,
    watchers: Mutex<Vec<Sender<Changes>>>,
}

impl Shown {
    pub(crate) fn picture(&self) -> Arc<Picture> {
        Arc::clone(&self.picture.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn read_only(&self) -> Option<String> {
        self.read_only.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn watch(&self) -> Receiver<Changes> {
        let (sender, receiver) = mpsc::channel();
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }
}

/// The writer's thread, from outside.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Sender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) shown: Arc<Shown>,
}

impl Writer {
    /// Gives the record to a thread of its own.
    pub(crate) fn start(record: Record, clock: Clock, peers: Arc<Peers>) -> std::io::Result<Self> {
        let shown = Arc::new(Shown {
            picture: RwLock::new(Arc::new(record.picture().clone())),
            read_only: RwLock::default(),
            watchers: Mutex::default(),
        });
        let (jobs, waiting) = mpsc::channel();
        let desk = Desk {
            reader: record.reader(),
            own_log: record.own_log(),
            record,
            clock,
            peers,
            shown: Arc::clone(&shown),
            followers: BTreeMap::new(),
            dirty_since: None,
            audit_due: true,
        };
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || desk.work(&waiting))?;
        Ok(Self { jobs, thread: Mutex::new(Some(thread)), shown })
    }

    /// Carries commands out, all of them or none, and returns after the fsync.
    pub(crate) fn submit(&self, commands: Vec<Command>) -> Answer {
        let (answer, answered) = mpsc::sync_channel(1);
        self.jobs.send(Job::Submit { commands, answer }).map_err(|_| SubmitFault::Closed)?;
        answered.recv().map_err(|_| SubmitFault::Closed)?
    }

    /// Offers entries of a peer. The answer comes as [`Told`].
    pub(crate) fn admit(&self, from: Follower, ticket: Ticket, entries: Vec<Sealed>) {
        self.send(Job::Admit(Offered { from, ticket, entries }));
    }

    pub(crate) fn held_elsewhere(&self, head: Head) {
        self.send(Job::HeldElsewhere(head));
    }

    /// Begins to tell `follower` of commits, with what is on the disk now as the first word.
    pub(crate) fn follow(&self, follower: Follower, told: UnboundedSender<Told>) {
        self.send(Job::Follow(follower, told));
    }

    pub(crate) fn unfollow(&self, follower: Follower) {
        self.send(Job::Unfollow(follower));
    }

    /// Makes everything safe and closes the record.
    pub(crate) fn close(&self) {
        let (done, closed) = mpsc::sync_channel(1);
        if self.jobs.send(Job::Close(done)).is_ok() && closed.recv().is_err() {
            tracing::debug!("the writer had ended before");
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer ended in a panic; what was saved is on the disk");
        }
    }

    /// After the end of the writer there is nobody to hear: followers learn it by their channel.
    fn send(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::debug!("the writer has ended");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// The writer itself.
struct Desk {
    record: Record,
    reader: Reader,
    own_log: LogId,
    clock: Clock,
    peers: Arc<Peers>,
    shown: Arc<Shown>,
    followers: BTreeMap<Follower, UnboundedSender<Told>>,
    dirty_since: Option<Instant>,
    audit_due: bool,
}

impl Desk {
    fn work(mut self, jobs: &Receiver<Job>) {
        loop {
            let first = match jobs.recv_timeout(self.patience()) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    self.rest();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut together = vec![first];
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

    /// Carries out what waits, in order; like things next to each other share a commit. Returns
    /// whom to tell when it is time to end.
    fn carry_out(&mut self, jobs: Vec<Job>) -> Option<SyncSender<()>> {
        let mut single = Vec::new();
        let mut offered = Vec::new();
        for job in jobs {
            if !matches!(job, Job::Submit { .. }) {
                self.submit_singles(std::mem::take(&mut single));
            }
            if !matches!(job, Job::Admit(_)) {
                self.admit(std::mem::take(&mut offered));
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
                Job::Admit(admit) => offered.push(admit),
                Job::HeldElsewhere(head) => self.held_elsewhere(&head),
                Job::Follow(follower, told) => {
                    let heads = self.record.heads().clone();
                    if told.send(Told::Started { heads, own_log: self.own_log }).is_ok() {
                        self.followers.insert(follower, told);
                    }
                }
                Job::Unfollow(follower) => drop(self.followers.remove(&follower)),
                Job::Close(done) => return Some(done),
            }
        }
        self.submit_singles(single);
        self.admit(offered);
        None
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
            Ok(()) => self.around(|record, around| record.submit(around, &commands)),
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
            commands.push(Command {
                id: CommandId(crate::running::fresh()),
                actor: Actor::Device,
                witness: None,
                ask: Ask::Home(AskHome::Park { parked: false }),
            });
        }
        let outcome = self.may_write().and_then(|()| {
            let whole = self.around(|record, around| record.submit_whole(around, &commands));
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

    fn around<T>(&mut self, act: impl FnOnce(&mut Record, &Around<'_>) -> T) -> T {
        let hearing = self.peers.hearing(&self.clock);
        let around = Around {
            now: self.clock.now(),
            heard: &hearing.heard,
            last_heard: &hearing.last_heard,
        };
        act(&mut self.record, &around)
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
                for Offered { from, ticket, .. } in &offered {
                    let told = Told::NotAdmitted { ticket: *ticket, why: Refused::NotSaved };
                    self.tell(*from, told);
                }
            }
        }
    }

    fn admitted(&mut self, offered: &[Offered], admission: &Admission) {
        self.audit_due |= admission.added.iter().any(|entry| !entry.is_audited());
        self.committed(&admission.added, &admission.changes, offered);
        let not_taken: BTreeMap<EntryId, NotTaken> = admission.not_taken.iter().copied().collect();
        for Offered { from, ticket, entries } in offered {
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
            let class = store::entry::Class::MEMBERSHIP;
            if entries.iter().any(|entry| entry.class().plain() == class) {
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
    /// earlier state of itself: a new log begins before anything more is written.
    fn held_elsewhere(&mut self, head: &Head) {
        let log = self.own_log;
        match self.reader.held(&log, &[(head.sequence, head.hash.id())]) {
            Ok(held) if held == [true] => {}
            Ok(_) => match self.record.reincarnate() {
                Ok(()) => {
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

impl From<record::SubmitFault> for SubmitFault {
    fn from(fault: record::SubmitFault) -> Self {
        match fault {
            record::SubmitFault::Refused(refusal) => Self::Refused(refusal),
            record::SubmitFault::TooLong(_) => {
                Self::Refused(mar::refusal::EntryRefusal::TooLong("text that was typed").into())
            }
            record::SubmitFault::NotSaved(fault) => Self::NotSaved { why: fault.why },
        }
    }
}

/// Returns the command by which this device does something by itself.
pub(crate) fn unattended(ask: AskHome) -> Command {
    Command {
        id: CommandId(crate::running::fresh()),
        actor: Actor::Device,
        witness: None,
        ask: Ask::Home(ask),
    }
}

/// Returns the devices whose connections are served: enrolled, not put out, and not this one.
pub(crate) fn served_devices(picture: &Picture, own: DeviceId) -> BTreeSet<DeviceId> {
    let devices = picture.home.devices().iter();
    devices
        .filter(|(id, device)| **id != own && device.enrolment().is_some() && device.is_active())
        .map(|(id, _)| *id)
        .collect()
}
