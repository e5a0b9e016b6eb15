//! The door for what people here ask.

use std::collections::{BTreeMap, BTreeSet};

use mar::clock::ClockStanding;
use mar::command::Command;
use mar::decide::{Context, decide};
use mar::fact::{Draft, MembershipFact};
use mar::ids::{CommandId, DeviceId, EntryId, LogId};
use mar::picture::{Picture, Recorded};
use mar::refusal::Refusal;
use mar::standing::judge;
use mar::time::Timestamp;

use super::open::{RecordFault, Writer, earlier_head, unattended};
use super::{Cursor, NotSaved, Record, id_of};
use crate::codec::CodecFault;
use crate::entry::Sealed;
use crate::fold::{self, Changes};
use crate::log::ToAppend;
use crate::tables::DiskFault;

/// What stands around a batch of commands and is not in the record.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The time, read once at the edge.
    pub now: Timestamp,
    /// The devices that are heard just now.
    pub heard: &'a BTreeSet<DeviceId>,
    /// The devices that were heard to run since they ended cleanly.
    pub awake: &'a BTreeSet<DeviceId>,
    /// When each device was last heard.
    pub last_heard: &'a BTreeMap<DeviceId, Timestamp>,
    /// Whether this device's clock can be believed.
    pub clock: &'a ClockStanding,
}

/// What became of one command: saved, or why not.
pub type Answer = Result<Saved, SubmitFault>;

/// The entries of a command, on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its entries, in the order in which it made them.
    pub entries: Vec<EntryId>,
    /// Whether the command had been answered before: a retry.
    pub again: bool,
}

/// Why a command left no trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitFault {
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is more to say than an entry holds.
    #[error(transparent)]
    TooLong(#[from] CodecFault),
    /// The disk failed.
    #[error(transparent)]
    NotSaved(#[from] NotSaved),
}

/// What became of commands that were carried out together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// One answer for each command, in order.
    pub answers: Vec<Answer>,
    /// The entries that are new, to be sent to the other devices.
    pub entries: Vec<Sealed>,
    /// What changed in the picture.
    pub changes: Changes,
}

/// A command that was decided and waits for the disk.
enum Decided {
    Known(Vec<EntryId>),
    Refused(SubmitFault),
    Entries(Vec<EntryId>),
}

impl Record {
    /// Carries out commands that waited together: each is decided against the picture and those
    /// before it, all are written in one commit, and only then are they answered.
    ///
    /// A command that was carried out before returns its first answer and writes nothing.
    pub fn submit(&mut self, around: &Around<'_>, commands: &[Command]) -> Batch {
        let mut door = Door::new(self);
        let decided: Result<Vec<Decided>, DiskFault> =
            commands.iter().map(|command| door.decide(self, around, command)).collect();
        let entries = door.entries;
        let decided = match decided {
            Ok(decided) => decided,
            Err(fault) => return self.not_saved(commands, &NotSaved { why: fault.to_string() }),
        };
        if let Err(fault) = self.commit(&entries, around.now) {
            return self.answer_without(&decided, &fault);
        }
        self.saved(decided, entries, around.now)
    }

    /// Carries out commands that belong together: either every one of them is written, in one
    /// commit, or none is.
    ///
    /// # Errors
    ///
    /// Returns why the first command that cannot be carried out cannot; nothing was written then.
    pub fn submit_whole(
        &mut self,
        around: &Around<'_>,
        commands: &[Command],
    ) -> Result<Batch, SubmitFault> {
        let mut door = Door::new(self);
        let mut decided = Vec::with_capacity(commands.len());
        for command in commands {
            match door.decide(self, around, command) {
                Ok(Decided::Refused(why)) => return Err(why),
                Ok(known) => decided.push(known),
                Err(fault) => return Err(NotSaved { why: fault.to_string() }.into()),
            }
        }
        let entries = door.entries;
        self.commit(&entries, around.now)?;
        Ok(self.saved(decided, entries, around.now))
    }

    /// Shows what is on the disk now, and answers.
    fn saved(&mut self, decided: Vec<Decided>, entries: Vec<ToAppend>, now: Timestamp) -> Batch {
        let new: Vec<Sealed> = entries.into_iter().map(|append| append.entry).collect();
        let changes = if new.is_empty() { Changes::default() } else { self.show(&new, now) };
        if !new.is_empty() {
            self.note_high_water();
        }
        let answers = decided.into_iter().map(Decided::answer).collect();
        Batch { answers, entries: new, changes }
    }

    fn not_saved(&self, commands: &[Command], fault: &NotSaved) -> Batch {
        let answer = |_| Err(SubmitFault::NotSaved(fault.clone()));
        Batch { answers: commands.iter().map(answer).collect(), ..Batch::default() }
    }

    /// Answers a batch whose entries could not be written: what was known or refused still is.
    fn answer_without(&self, decided: &[Decided], fault: &NotSaved) -> Batch {
        let answer = |decided: &Decided| match decided {
            Decided::Known(entries) => Ok(Saved { entries: entries.clone(), again: true }),
            Decided::Refused(why) => Err(why.clone()),
            Decided::Entries(_) => Err(SubmitFault::NotSaved(fault.clone())),
        };
        Batch { answers: decided.iter().map(answer).collect(), ..Batch::default() }
    }
}

impl Decided {
    fn answer(self) -> Answer {
        match self {
            Self::Known(entries) => Ok(Saved { entries, again: true }),
            Self::Refused(why) => Err(why),
            Self::Entries(entries) => Ok(Saved { entries, again: false }),
        }
    }
}

/// A batch while it is being decided.
struct Door {
    /// The picture with the commands decided so far.
    picture: Picture,
    /// What they wrote, to be put into months that a later one needs loaded.
    recorded: Vec<Recorded>,
    cursor: Cursor,
    entries: Vec<ToAppend>,
    commands: BTreeMap<CommandId, Vec<EntryId>>,
    held: Vec<(LogId, u64)>,
}

impl Door {
    fn new(record: &Record) -> Self {
        let own = record.heads.get(&record.own_log()).and_then(|held| held.latest());
        let cursor = match own {
            None => Cursor::start(record.clock),
            Some(head) => {
                Cursor { sequence: head.sequence + 1, previous: head.hash, clock: record.clock }
            }
        };
        let held = |(log, held): (&LogId, &crate::heads::LogHeads)| {
            held.latest().map(|head| (*log, head.sequence))
        };
        Self {
            picture: record.folded.picture.clone(),
            recorded: Vec::new(),
            cursor,
            entries: Vec::new(),
            commands: BTreeMap::new(),
            held: record.heads.iter().filter_map(held).collect(),
        }
    }

    fn decide(
        &mut self,
        record: &mut Record,
        around: &Around<'_>,
        command: &Command,
    ) -> Result<Decided, DiskFault> {
        if let Some(entries) = self.commands.get(&command.id) {
            // Asked twice in one batch: saved or not together with the first.
            return Ok(Decided::Entries(entries.clone()));
        }
        let known = record.shared.with(|stores| stores.log.read()?.command(&command.id))?;
        if !known.is_empty() {
            return Ok(Decided::Known(known));
        }
        self.load_needs(record, command, around.now)?;
        let mut fresh = || record.fresh.next();
        let mut context = Context {
            now: around.now,
            device: record.keys.device(),
            heard: around.heard,
            awake: around.awake,
            last_heard: around.last_heard,
            clock: around.clock,
            held: &self.held,
            fresh: &mut fresh,
        };
        let drafts = match decide(&self.picture, command, &mut context) {
            Ok(drafts) => drafts,
            Err(refusal) => return Ok(Decided::Refused(refusal.into())),
        };
        match self.seal(record, around.now, &drafts) {
            Ok(entries) => Ok(self.keep(record, command.id, entries)),
            Err(fault) => Ok(Decided::Refused(fault)),
        }
    }

    /// Seals a command's drafts, after the start of the log where it has none yet.
    fn seal(
        &mut self,
        record: &Record,
        now: Timestamp,
        drafts: &[Draft],
    ) -> Result<Vec<Sealed>, SubmitFault> {
        let key = record.keys.log_key();
        let today = now.utc().date_naive();
        let settings = self.picture.home.settings_on(today);
        let writer = Writer {
            key: &key,
            home: record.shared.pinned.home,
            now,
            offset_minutes: settings.map_or(0, |settings| now.offset_minutes(settings.zone)),
        };
        let mut cursor = self.cursor;
        let mut sealed = Vec::with_capacity(drafts.len() + 1);
        if cursor.sequence == 0 && !drafts.is_empty() {
            let earlier = earlier_head(&record.folded.picture.home, &record.heads, &record.keys);
            let start = record.keys.start_log(&record.shared.pinned.home, earlier);
            let draft = unattended(MembershipFact::LogStarted(start));
            sealed.push(writer.seal(&mut cursor, &draft).map_err(refused)?);
        }
        for draft in drafts {
            sealed.push(writer.seal(&mut cursor, draft).map_err(refused)?);
        }
        self.cursor = cursor;
        Ok(sealed)
    }

    fn keep(&mut self, record: &Record, command: CommandId, sealed: Vec<Sealed>) -> Decided {
        let mut entries = Vec::with_capacity(sealed.len());
        for entry in sealed {
            let mut read = fold::read(&record.shared.pinned, &entry);
            read.device = Some(record.keys.device());
            read.standing = judge(&self.picture.home, &read);
            self.picture.apply(&read.clone().into());
            let started = entry.sequence() == 0;
            let append = ToAppend { entry, command: (!started).then_some(command) };
            if !started {
                entries.push(id_of(&append));
            }
            self.entries.push(append);
            self.recorded.push(read);
        }
        self.commands.insert(command, entries.clone());
        Decided::Entries(entries)
    }

    /// Loads the older months that a command speaks of.
    fn load_needs(
        &mut self,
        record: &Record,
        command: &Command,
        now: Timestamp,
    ) -> Result<(), DiskFault> {
        let needs = command.needs(now);
        let (Some(id), Some(from)) = (needs.resident, needs.from) else { return Ok(()) };
        if from >= record.folded.from {
            return Ok(());
        }
        let home = &self.picture.home;
        let (mut resident, _) = record.shared.with(|stores| {
            fold::resident_from(&record.shared.pinned, home, &stores.views.read()?, (id, from))
        })?;
        for recorded in self.recorded.iter().filter(|recorded| recorded.subject == Some(id)) {
            resident.apply(&recorded.clone().into());
        }
        self.picture.put(resident.into());
        Ok(())
    }
}

fn refused(fault: RecordFault) -> SubmitFault {
    match fault {
        RecordFault::Codec(fault) => fault.into(),
        RecordFault::Entry(fault) => NotSaved { why: fault.to_string() }.into(),
        RecordFault::Open(fault) => NotSaved { why: fault.to_string() }.into(),
        RecordFault::Keys(fault) => NotSaved { why: fault.to_string() }.into(),
    }
}
