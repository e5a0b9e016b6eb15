//! A store in memory: it keeps chains, and answers what a session asks. And a home in memory:
//! several such stores and the sessions between them, with every frame and every fsync in our hand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use store::clock::HybridClock;
use store::entry::{Class, Draft, Hash, HomeId, LogId, LogKey, Sealed};
use store::heads::{Head, Heads};
use sync::frame::{Frame, Line, Point, Refused};
use sync::session::{Effect, Found, Input, Notice, Read, Session, Ticket};

pub(crate) const HOME: HomeId = HomeId([7; 32]);

/// The kind that enrols the log named in its payload, in this store only.
pub(crate) const ENROLS: u16 = 7;

pub(crate) fn head_of(entry: &Sealed) -> Head {
    Head { sequence: entry.sequence(), hash: entry.hash() }
}

pub(crate) fn point_of(entry: &Sealed) -> Point {
    Point { sequence: entry.sequence(), entry: entry.id() }
}

/// Writes an entry after `before`, or the first of its log.
pub(crate) fn write(key: &LogKey, before: Option<&Sealed>, kind: u16, payload: Vec<u8>) -> Sealed {
    let draft = Draft {
        sequence: before.map_or(0, |entry| entry.sequence() + 1),
        previous: before.map_or(Hash::ZERO, Sealed::hash),
        clock: HybridClock::default(),
        wall_ms: 0,
        offset_minutes: 0,
        class: Class::OTHER,
        kind,
        kind_version: 1,
        subject: None,
        payload,
    };
    draft.seal(key, &HOME).unwrap()
}

/// Writes a whole log.
pub(crate) fn chain(key: &LogKey, entries: usize) -> Vec<Sealed> {
    let mut chain: Vec<Sealed> = Vec::new();
    for at in 0..entries {
        chain.push(write(key, chain.last(), 1, at.to_be_bytes().to_vec()));
    }
    chain
}

/// What one device has on its disk.
#[derive(Default)]
pub(crate) struct Shelf {
    entries: BTreeMap<LogId, BTreeMap<(u64, Hash), Sealed>>,
    pub(crate) heads: Heads,
    /// Logs whose entries are taken in; every log if there are none.
    pub(crate) enrolled: BTreeSet<LogId>,
}

impl Shelf {
    pub(crate) fn holds(&self, log: &LogId, head: &Head) -> bool {
        self.entries.get(log).is_some_and(|log| log.contains_key(&(head.sequence, head.hash)))
    }

    pub(crate) fn has_point(&self, log: &LogId, point: &Point) -> bool {
        let low = (point.sequence, Hash::ZERO);
        let high = (point.sequence, Hash([0xff; 32]));
        self.entries
            .get(log)
            .is_some_and(|log| log.range(low..=high).any(|(_, held)| held.id() == point.entry))
    }

    pub(crate) fn count(&self) -> usize {
        self.entries.values().map(BTreeMap::len).sum()
    }

    pub(crate) fn all(&self, log: &LogId) -> Vec<Sealed> {
        self.entries.get(log).map_or(Vec::new(), |log| log.values().cloned().collect())
    }

    /// Takes entries in, as a store does from a peer: all or none.
    pub(crate) fn admit(&mut self, entries: &[Sealed]) -> Result<(), Refused> {
        let mut added = Vec::new();
        for entry in entries {
            let log = entry.log();
            if !self.enrolled.is_empty() && !self.enrolled.contains(&log) {
                return Err(Refused::NotEnrolled);
            }
            let before = entry.sequence().checked_sub(1);
            let before = before.map(|sequence| Head { sequence, hash: entry.previous() });
            let follows = before.is_none_or(|before| {
                self.holds(&log, &before) || added.iter().any(|held| head_of(held) == before)
            });
            if !follows {
                return Err(Refused::OutOfChain);
            }
            added.push(entry.clone());
        }
        for entry in added {
            let key = (entry.sequence(), entry.hash());
            if entry.kind() == ENROLS {
                self.enrolled.insert(LogId(entry.payload().try_into().unwrap()));
            }
            let log = self.entries.entry(entry.log()).or_default();
            if log.insert(key, entry.clone()).is_none() {
                self.heads.extend(&entry);
            }
        }
        Ok(())
    }

    /// Returns the branch that ends in `head`, from its first entry.
    fn branch(&self, log: &LogId, head: &Head) -> Option<Vec<&Sealed>> {
        let log = self.entries.get(log)?;
        let mut entry = log.get(&(head.sequence, head.hash))?;
        let mut branch = vec![entry];
        while let Some(sequence) = entry.sequence().checked_sub(1) {
            entry = &log[&(sequence, entry.previous())];
            branch.push(entry);
        }
        branch.reverse();
        Some(branch)
    }

    pub(crate) fn read(&self, read: &Read) -> Found {
        match read {
            Read::Range { log, after, up_to, bytes_max } => {
                let Some(branch) = self.branch(log, up_to) else {
                    return Found::NotHeld;
                };
                let from = match after {
                    None => 0,
                    Some(point) => match branch.iter().position(|held| point_of(held) == *point) {
                        None => return Found::NotOnBranch,
                        Some(at) => at + 1,
                    },
                };
                let mut bytes = 0;
                let fits = branch[from..].iter().take_while(|entry| {
                    let first = bytes == 0;
                    bytes += entry.bytes().len();
                    first || bytes <= *bytes_max
                });
                Found::Range(fits.map(|entry| (*entry).clone()).collect())
            }
            Read::Held { log, points } => {
                Found::Held(points.iter().map(|point| self.has_point(log, point)).collect())
            }
            Read::Points { log, head, sequences } => match self.branch(log, head) {
                None => Found::NotHeld,
                Some(branch) => Found::Points(
                    sequences
                        .iter()
                        .map(|sequence| point_of(branch[usize::try_from(*sequence).unwrap()]))
                        .collect(),
                ),
            },
        }
    }
}

/// Something a session waits for.
pub(crate) enum Job {
    Admit(Ticket, Vec<Sealed>),
    Read(Ticket, Read),
}

/// One end of a connection: the session, what it waits for, and what is on the wire to it.
pub(crate) struct End {
    pub(crate) session: Session,
    pub(crate) jobs: VecDeque<Job>,
    pub(crate) inbox: VecDeque<Vec<u8>>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) sent: usize,
    pub(crate) closed: bool,
}

impl End {
    fn new() -> Self {
        Self {
            session: Session::new(HOME),
            jobs: VecDeque::new(),
            inbox: VecDeque::new(),
            notices: Vec::new(),
            sent: 0,
            closed: false,
        }
    }

    pub(crate) fn level(&self) -> Option<&Notice> {
        let says = |notice: &&Notice| matches!(notice, Notice::InSync { .. } | Notice::Apart(_));
        self.notices.iter().rfind(says)
    }
}

/// A device: its key, its disk, and one end of each connection, by the other device.
pub(crate) struct Device {
    pub(crate) key: LogKey,
    pub(crate) shelf: Shelf,
    pub(crate) ends: BTreeMap<usize, End>,
}

pub(crate) struct Home {
    pub(crate) devices: Vec<Device>,
    writes: u64,
    /// Frames are being changed on their way: what a device is believed to have may be wrong.
    lies: bool,
}

impl Home {
    pub(crate) fn new(devices: usize) -> Self {
        let device = |at: usize| Device {
            key: LogKey::from_seed(&[u8::try_from(at + 1).unwrap(); 32]),
            shelf: Shelf::default(),
            ends: BTreeMap::new(),
        };
        Self { devices: (0..devices).map(device).collect(), writes: 0, lies: false }
    }

    pub(crate) fn connect(&mut self, a: usize, b: usize) {
        self.cut(a, b);
        for (here, there) in [(a, b), (b, a)] {
            self.devices[here].ends.insert(there, End::new());
        }
        for (here, there) in [(a, b), (b, a)] {
            let device = &self.devices[here];
            let heads = device.shelf.heads.clone();
            let own_log = Some(device.key.log());
            self.feed(here, there, Input::Started { heads, own_log, wall_ms: 0 });
        }
    }

    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        self.devices[a].ends.remove(&b);
        self.devices[b].ends.remove(&a);
    }

    pub(crate) fn end(&self, here: usize, there: usize) -> &End {
        &self.devices[here].ends[&there]
    }

    /// Gives one session an input and carries out what needs no disk.
    pub(crate) fn feed(&mut self, here: usize, there: usize, input: Input) {
        let Some(end) = self.devices[here].ends.get_mut(&there) else {
            return;
        };
        let effects = end.session.handle(input);
        for effect in effects {
            match effect {
                Effect::Send(frame) => {
                    self.check_sent(here, &frame);
                    if let Some(end) = self.devices[here].ends.get_mut(&there) {
                        end.sent += frame.len() + 4;
                    }
                    if let Some(end) = self.devices[there].ends.get_mut(&here) {
                        end.inbox.push_back(frame);
                    }
                }
                Effect::Admit { ticket, log, entries } => {
                    assert!(entries.iter().all(|entry| entry.log() == log));
                    self.job(here, there, Job::Admit(ticket, entries));
                }
                Effect::Read { ticket, read } => self.job(here, there, Job::Read(ticket, read)),
                Effect::Close(_) => {
                    if let Some(end) = self.devices[here].ends.get_mut(&there) {
                        end.closed = true;
                    }
                }
                Effect::Notice(notice) => {
                    if let Notice::PeerHolds(heads) = &notice {
                        self.check_held(there, heads);
                    }
                    if let Some(end) = self.devices[here].ends.get_mut(&there) {
                        end.notices.push(notice);
                    }
                }
            }
        }
    }

    fn job(&mut self, here: usize, there: usize, job: Job) {
        if let Some(end) = self.devices[here].ends.get_mut(&there) {
            end.jobs.push_back(job);
        }
    }

    /// What a device says that it has must be on its disk at that moment.
    fn check_sent(&self, here: usize, frame: &[u8]) {
        let shelf = &self.devices[here].shelf;
        let holds = |line: &Line| line.heads.iter().all(|head| shelf.holds(&line.log, head));
        match Frame::decode(frame).unwrap().unwrap() {
            Frame::Heads { lines, .. } | Frame::Receipt(lines) => {
                assert!(lines.iter().all(holds), "a receipt went out before the fsync");
            }
            Frame::Entries(entries) => {
                let run = Sealed::verify_range(&entries.start, entries.shorts(), &HOME).unwrap();
                let held = run.iter().all(|entry| shelf.holds(&entry.log(), &head_of(entry)));
                assert!(held, "an entry was sent that is not on the disk");
            }
            _ => {}
        }
    }

    /// What a device is believed to have must be on its disk.
    fn check_held(&self, there: usize, heads: &Heads) {
        for (log, held) in heads.iter().filter(|_| !self.lies) {
            let shelf = &self.devices[there].shelf;
            assert!(held.heads().iter().all(|head| shelf.holds(log, head)), "counted too early");
        }
    }

    /// Delivers the next frame to one end, `times` over. Returns whether there was one.
    pub(crate) fn deliver(&mut self, here: usize, there: usize, times: usize) -> bool {
        let Some(end) = self.devices[here].ends.get_mut(&there) else {
            return false;
        };
        let Some(frame) = end.inbox.pop_front() else {
            return false;
        };
        for _ in 0..times {
            self.feed(here, there, Input::Frame(frame.clone()));
        }
        true
    }

    /// Delivers a frame that may have been changed on its way.
    pub(crate) fn deliver_lies(&mut self, here: usize, there: usize) {
        self.lies = true;
        self.deliver(here, there, 1);
        self.lies = false;
    }

    /// Does the next job of one end. Returns whether there was one.
    pub(crate) fn work(&mut self, here: usize, there: usize) -> bool {
        let Some(end) = self.devices[here].ends.get_mut(&there) else {
            return false;
        };
        let Some(job) = end.jobs.pop_front() else {
            return false;
        };
        match job {
            Job::Read(ticket, read) => {
                let found = self.devices[here].shelf.read(&read);
                self.feed(here, there, Input::ReadDone { ticket, found });
            }
            Job::Admit(ticket, entries) => match self.devices[here].shelf.admit(&entries) {
                Err(why) => self.feed(here, there, Input::AdmitRefused { ticket, why }),
                Ok(()) => {
                    let heads = self.devices[here].shelf.heads.clone();
                    self.feed(here, there, Input::Admitted { ticket, heads });
                    self.announce(here, Some(there), &entries);
                }
            },
        }
        true
    }

    fn announce(&mut self, here: usize, except: Option<usize>, entries: &[Sealed]) {
        let heads = self.devices[here].shelf.heads.clone();
        let others: Vec<usize> = self.devices[here].ends.keys().copied().collect();
        for there in others {
            if Some(there) != except {
                let (entries, heads) = (entries.to_vec(), heads.clone());
                self.feed(here, there, Input::Committed { entries, heads });
            }
            if entries.iter().any(|entry| entry.kind() == ENROLS) {
                self.feed(here, there, Input::MembershipChanged);
            }
        }
    }

    /// The device writes an entry of its own.
    pub(crate) fn write(&mut self, here: usize) -> Sealed {
        self.writes += 1;
        let payload = self.writes.to_be_bytes().to_vec();
        self.write_kind(here, 1, payload)
    }

    pub(crate) fn write_kind(&mut self, here: usize, kind: u16, payload: Vec<u8>) -> Sealed {
        let device = &mut self.devices[here];
        let last = device.shelf.all(&device.key.log()).pop();
        let entry = write(&device.key, last.as_ref(), kind, payload);
        self.commit(here, entry)
    }

    /// The device was restored: it writes over an entry that it wrote before.
    pub(crate) fn write_over(&mut self, here: usize, pick: usize) {
        self.writes += 1;
        let device = &mut self.devices[here];
        let own = device.shelf.all(&device.key.log());
        if own.is_empty() {
            return;
        }
        let entry =
            write(&device.key, own.get(pick % own.len()), 1, self.writes.to_be_bytes().to_vec());
        self.commit(here, entry);
    }

    pub(crate) fn commit(&mut self, here: usize, entry: Sealed) -> Sealed {
        let device = &mut self.devices[here];
        let log = device.key.log();
        let enrolled = std::mem::take(&mut device.shelf.enrolled);
        device.shelf.admit(std::slice::from_ref(&entry)).unwrap();
        device.shelf.enrolled.extend(enrolled);
        assert_eq!(entry.log(), log);
        self.announce(here, None, std::slice::from_ref(&entry));
        entry
    }

    pub(crate) fn ends(&self) -> Vec<(usize, usize)> {
        let ends = self.devices.iter().enumerate();
        ends.flat_map(|(here, device)| device.ends.keys().map(move |there| (here, *there)))
            .collect()
    }

    /// Lets everything happen that can, without any tick. Returns how many steps it took.
    pub(crate) fn settle(&mut self) -> usize {
        let mut steps = 0;
        loop {
            let mut moved = false;
            for (here, there) in self.ends() {
                moved |= self.deliver(here, there, 1);
                moved |= self.work(here, there);
            }
            if !moved {
                return steps;
            }
            steps += 1;
            assert!(steps < 20_000, "the devices go on for ever");
        }
    }

    pub(crate) fn tick(&mut self) {
        for (here, there) in self.ends() {
            self.feed(here, there, Input::Tick { wall_ms: 0 });
        }
    }

    #[track_caller]
    pub(crate) fn assert_level(&self) {
        let first = &self.devices[0].shelf;
        for device in &self.devices {
            assert_eq!(device.shelf.heads, first.heads);
            assert_eq!(device.shelf.heads.hash(), first.heads.hash());
            assert_eq!(device.shelf.count(), first.count());
        }
        for (here, there) in self.ends() {
            let end = self.end(here, there);
            assert!(!end.closed);
            let hash = first.heads.hash();
            assert_eq!(end.level(), Some(&Notice::InSync { heads: hash }), "{here} with {there}");
        }
    }
}
