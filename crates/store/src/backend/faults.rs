//! The seam through which tests make the disk fail, and which counts what it is asked to do.

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::FileKind;

/// What is about to be done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Bytes are read.
    Read,
    /// Bytes are written; they are not safe before the next sync.
    Write,
    /// The file is made longer or shorter.
    SetLength,
    /// What was written is made safe.
    Sync,
    /// A new file is begun.
    Create,
    /// A complete file is given its own name.
    Rename,
    /// A file that can be rebuilt is removed.
    Remove,
    /// Names are made safe.
    SyncFolder,
}

impl Operation {
    /// Returns whether the operation changes anything on the disk.
    pub fn changes(self) -> bool {
        self != Self::Read
    }
}

/// One operation, before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its number over all files since the place was made, from 1; reads are counted too.
    pub number: u64,
    /// The file.
    pub file: FileKind,
    /// What is about to be done.
    pub operation: Operation,
}

/// What goes wrong with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not done, and says so. A sync that fails loses what was waiting for it.
    Fails(io::ErrorKind),
    /// It is done, and yet says that it failed.
    FailsAfter(io::ErrorKind),
    /// Only this many bytes of a write are done, and it says that it failed.
    Torn(usize, io::ErrorKind),
    /// It is not done, and says that it was.
    Lost,
    /// It is done after this long.
    Slow(Duration),
}

/// How often a file was written and synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls that wrote bytes.
    pub writes: u64,
    /// Calls that made them safe.
    pub syncs: u64,
    /// Calls that changed the length.
    pub set_lengths: u64,
}

type Plan = Box<dyn FnMut(&Step) -> Option<Fault> + Send>;

#[derive(Default)]
struct State {
    steps: u64,
    counts: [Counts; 3],
    plan: Option<Plan>,
}

/// Counts operations and decides which of them fail. Without a plan none does.
#[derive(Default)]
pub struct Seam(Mutex<State>);

impl Seam {
    /// Asks `plan` before every operation from now on.
    pub fn plan(&self, plan: impl FnMut(&Step) -> Option<Fault> + Send + 'static) {
        self.state().plan = Some(Box::new(plan));
    }

    /// Lets the next operation of this sort fail, and every later one succeed.
    pub fn fail_once(&self, operation: Operation, kind: io::ErrorKind) {
        let mut armed = true;
        self.plan(move |step| {
            let hit = armed && step.operation == operation;
            armed &= !hit;
            hit.then_some(Fault::Fails(kind))
        });
    }

    /// Lets every operation succeed from now on.
    pub fn heal(&self) {
        self.state().plan = None;
    }

    /// Returns how many operations there were, over all files.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Returns how often one file was written and synced.
    pub fn counts(&self, file: FileKind) -> Counts {
        self.state().counts[index(file)]
    }

    pub(super) fn before(&self, file: FileKind, operation: Operation) -> io::Result<Allowed> {
        let fault = {
            let mut state = self.state();
            state.steps += 1;
            let counts = &mut state.counts[index(file)];
            match operation {
                Operation::Write => counts.writes += 1,
                Operation::Sync => counts.syncs += 1,
                Operation::SetLength => counts.set_lengths += 1,
                Operation::Read
                | Operation::Create
                | Operation::Rename
                | Operation::Remove
                | Operation::SyncFolder => {}
            }
            let step = Step { number: state.steps, file, operation };
            state.plan.as_mut().and_then(|plan| plan(&step))
        };
        match fault {
            Some(Fault::Fails(kind)) => Err(kind.into()),
            Some(Fault::Slow(delay)) => {
                std::thread::sleep(delay);
                Ok(Allowed(None))
            }
            other => Ok(Allowed(other)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seam").field("steps", &self.steps()).finish_non_exhaustive()
    }
}

fn index(file: FileKind) -> usize {
    match file {
        FileKind::Log => 0,
        FileKind::Views => 1,
        FileKind::Local => 2,
    }
}

/// An operation that may go ahead, with what is still to go wrong.
#[derive(Debug)]
pub(super) struct Allowed(Option<Fault>);

impl Allowed {
    /// Does the operation as far as the fault lets it; `done` is given how many bytes of a write
    /// get through, or `None` for all.
    pub(super) fn carry_out(
        self,
        done: impl FnOnce(Option<usize>) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.0 {
            Some(Fault::Lost) => Ok(()),
            Some(Fault::Torn(bytes, kind)) => done(Some(bytes)).and(Err(kind.into())),
            Some(Fault::FailsAfter(kind)) => done(None).and(Err(kind.into())),
            Some(Fault::Fails(_) | Fault::Slow(_)) | None => done(None),
        }
    }

    /// For operations that are done or not, with nothing in between.
    pub(super) fn plain(self) -> io::Result<()> {
        match self.0 {
            Some(Fault::Torn(_, kind) | Fault::FailsAfter(kind)) => Err(kind.into()),
            Some(Fault::Lost | Fault::Fails(_) | Fault::Slow(_)) | None => Ok(()),
        }
    }
}
