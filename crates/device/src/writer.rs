//! The one writer: commands and entries of other devices in, commits out, answers back.
//!
//! What waits together is written in one commit. Nobody is answered before the fsync has returned:
//! no person, no peer. Whoever follows (a session with a peer, a screen) is told of commits in the
//! order in which they were made.

mod desk;

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use mar::command::{Ask, AskHome, Command};
use mar::fact::Actor;
use mar::ids::{CommandId, DeviceId, LogId};
use mar::picture::{Picture, Recorded};
use store::Changes;
use store::entry::Sealed;
use store::heads::{Head, Heads};
use store::record::{self, Record};
use sync::frame::Refused;
use sync::session::Ticket;
use tokio::sync::mpsc::UnboundedSender;

use crate::clock::{Clock, ClockFault};
use crate::doubt::ClockMemory;
use crate::gap::Peers;
use desk::Desk;

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
    #[error(
        "NOT SAVED: {0}. Or type what your watch shows: medroundctl clock 2026-11-21T08:03 --as \
         INITIALS. What is recorded stays; use another device, or paper, meanwhile. A rescue \
         medicine is given at once all the same, and recorded afterwards"
    )]
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

impl Job {
    /// Whether it is of a session with a peer: what it offers, and that it begins or ends.
    const fn is_of_peers(&self) -> bool {
        match self {
            Self::Admit(_) | Self::Follow(..) | Self::Unfollow(_) => true,
            Self::Submit { .. } | Self::HeldElsewhere(_) | Self::Close(_) => false,
        }
    }
}

struct Offered {
    from: Follower,
    peer: DeviceId,
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

/// What the writer looks at beside the record.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) peers: Arc<Peers>,
    pub(crate) memory: Arc<ClockMemory>,
}

/// The writer's thread, from outside.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Sender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
    peers: Arc<Peers>,
    pub(crate) shown: Arc<Shown>,
}

impl Writer {
    /// Gives the record to a thread of its own.
    pub(crate) fn start(record: Record, around: Surroundings) -> std::io::Result<Self> {
        let shown = Arc::new(Shown {
            picture: RwLock::new(Arc::new(record.picture().clone())),
            read_only: RwLock::new(record.fault().map(|fault| fault.why.clone())),
            watchers: Mutex::default(),
        });
        let (jobs, waiting) = mpsc::channel();
        let peers = Arc::clone(&around.peers);
        let desk = Desk::new(record, around, Arc::clone(&shown));
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || desk.work(&waiting))?;
        Ok(Self { jobs, thread: Mutex::new(Some(thread)), peers, shown })
    }

    /// Carries commands out, all of them or none, and returns after the fsync.
    pub(crate) fn submit(&self, commands: Vec<Command>) -> Answer {
        let (answer, answered) = mpsc::sync_channel(1);
        self.jobs.send(Job::Submit { commands, answer }).map_err(|_| SubmitFault::Closed)?;
        answered.recv().map_err(|_| SubmitFault::Closed)?
    }

    /// Offers entries of a peer, which is not heard until they are looked at. The answer comes as
    /// [`Told`].
    pub(crate) fn admit(
        &self,
        from: Follower,
        peer: DeviceId,
        ticket: Ticket,
        entries: Vec<Sealed>,
    ) {
        self.peers.offers(peer, entries.len() as u64);
        self.send(Job::Admit(Offered { from, peer, ticket, entries }));
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

impl From<record::SubmitFault> for SubmitFault {
    fn from(fault: record::SubmitFault) -> Self {
        match fault {
            record::SubmitFault::Refused(refusal) => Self::Refused(refusal),
            record::SubmitFault::TooLong(_) => {
                Self::Refused(mar::refusal::EntryRefusal::TooLong.into())
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

/// Returns the devices that were put out of the home.
pub(crate) fn put_out_devices(picture: &Picture) -> BTreeSet<DeviceId> {
    let devices = picture.home.devices().iter();
    devices
        .filter(|(_, device)| device.enrolment().is_some() && !device.is_active())
        .map(|(id, _)| *id)
        .collect()
}

/// Returns the devices whose connections are served: enrolled, not put out, and not this one.
pub(crate) fn served_devices(picture: &Picture, own: DeviceId) -> BTreeSet<DeviceId> {
    let devices = picture.home.devices().iter();
    devices
        .filter(|(id, device)| **id != own && device.enrolment().is_some() && device.is_active())
        .map(|(id, _)| *id)
        .collect()
}
