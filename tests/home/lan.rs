//! The home's network with every frame and every fsync in our hand, and what a running device does
//! with its sessions.

use std::collections::{BTreeSet, VecDeque};

use mar::ids::EntryId;
use store::entry::{LogId, Sealed};
use store::heads::Heads;
use store::record::{NotTaken, Range};
use sync::frame::{Frame, Point, Refused};
use sync::session::{CloseReason, Effect, Found, Input, Notice, Read, Session, Ticket};

use crate::checks::{Broken, Outcome};
use crate::teeth::Plant;
use crate::world::World;

/// Something that a session waits for.
pub(crate) enum Job {
    Admit(Ticket, Vec<Sealed>),
    Read(Ticket, Read),
}

/// One end of a connection.
pub(crate) struct End {
    pub(crate) device: usize,
    session: Session,
    jobs: VecDeque<Job>,
    /// What is on the wire to it, with the step from which on it may arrive.
    inbox: VecDeque<(u64, Vec<u8>)>,
    pub(crate) sent: usize,
    pub(crate) level: Option<Notice>,
    pub(crate) closed: Option<CloseReason>,
}

/// A connection between two devices.
pub(crate) struct Connection {
    pub(crate) ends: [End; 2],
    /// A frame was changed on its way: what is said on it is not believed any more.
    pub(crate) doubted: bool,
}

impl World {
    fn end(&mut self, connection: u64, side: usize) -> Option<&mut End> {
        self.lan.get_mut(&connection).map(|connection| &mut connection.ends[side])
    }

    /// Whether a device serves another: one that is enrolled and not put out, as far as it knows.
    /// A device that is joining trusts the one that let it in until it holds its own enrolment: the
    /// founding log may arrive long before the log that says who that other device is.
    pub(crate) fn serves(&self, here: usize, there: usize) -> bool {
        let device = &self.devices[here];
        let Some(record) = &device.record else { return false };
        let home = &record.picture().home;
        let joined = home.devices().get(&device.id).is_some_and(|own| own.enrolment().is_some());
        if !joined && device.sponsor == Some(there) {
            return true;
        }
        let other = home.devices().get(&self.devices[there].id);
        other.is_some_and(|other| other.enrolment().is_some() && other.is_active())
    }

    /// Connects two devices if both are there, hear each other and serve each other.
    pub(crate) fn connect(&mut self, a: usize, b: usize) -> Outcome<bool> {
        let both = [(a, b), (b, a)];
        if a == b || both.iter().any(|pair| self.blocked.contains(pair)) {
            return Ok(false);
        }
        if !both.iter().all(|&(here, there)| self.serves(here, there)) {
            return Ok(false);
        }
        let home = self.devices[a].record().pinned().home;
        let end = |device| End {
            device,
            session: Session::new(home),
            jobs: VecDeque::new(),
            inbox: VecDeque::new(),
            sent: 0,
            level: None,
            closed: None,
        };
        self.next_connection += 1;
        let connection = self.next_connection;
        self.lan.insert(connection, Connection { ends: [end(a), end(b)], doubted: false });
        for (side, here) in [a, b].into_iter().enumerate() {
            let device = &self.devices[here];
            let heads = device.record().heads().clone();
            let wall_ms = device.now(self.time).0;
            let own_log = Some(device.own_log);
            self.feed(connection, side, Input::Started { heads, own_log, wall_ms })?;
        }
        Ok(true)
    }

    pub(crate) fn cut_all_of(&mut self, device: usize) {
        self.lan.retain(|_, connection| connection.ends.iter().all(|end| end.device != device));
    }

    /// Gives one session an input and carries out what needs no disk.
    pub(crate) fn feed(&mut self, connection: u64, side: usize, input: Input) -> Outcome<()> {
        let Some(end) = self.end(connection, side) else { return Ok(()) };
        let effects = end.session.handle(input);
        for effect in effects {
            match effect {
                Effect::Send(frame) => {
                    let ready = self.step + self.chance.next() % (self.ranges.delay + 1);
                    if let Some(end) = self.end(connection, side) {
                        end.sent += frame.len() + 4;
                    }
                    if let Some(other) = self.end(connection, 1 - side) {
                        other.inbox.push_back((ready, frame));
                    }
                }
                Effect::Admit { ticket, entries, .. } => {
                    self.receipt_too_early(connection, side, ticket, &entries)?;
                    if let Some(end) = self.end(connection, side) {
                        end.jobs.push_back(Job::Admit(ticket, entries));
                    }
                }
                Effect::Read { ticket, read } => {
                    if let Some(end) = self.end(connection, side) {
                        end.jobs.push_back(Job::Read(ticket, read));
                    }
                }
                Effect::Close(reason) => {
                    self.note(format!("connection {connection} closes: {reason}"));
                    self.tally.closed += 1;
                    if let Some(end) = self.end(connection, side) {
                        end.closed = Some(reason);
                    }
                }
                Effect::Notice(notice) => self.noticed(connection, side, notice)?,
            }
        }
        Ok(())
    }

    /// The planted bug of a device that gives its receipt before its fsync.
    fn receipt_too_early(
        &mut self,
        connection: u64,
        side: usize,
        ticket: Ticket,
        entries: &[Sealed],
    ) -> Outcome<()> {
        if self.plant != Some(Plant::ReceiptBeforeTheFsync) {
            return Ok(());
        }
        let Some(end) = self.end(connection, side) else { return Ok(()) };
        let here = end.device;
        let mut heads = self.devices[here].record().heads().clone();
        entries.iter().for_each(|entry| heads.extend(entry));
        self.feed(connection, side, Input::Admitted { ticket, heads })
    }

    fn noticed(&mut self, connection: u64, side: usize, notice: Notice) -> Outcome<()> {
        let Some(connected) = self.lan.get(&connection) else { return Ok(()) };
        let (here, there) = (connected.ends[side].device, connected.ends[1 - side].device);
        let doubted = connected.doubted;
        match notice {
            Notice::InSync { .. } | Notice::Apart(_) => {
                if let Some(end) = self.end(connection, side) {
                    end.level = Some(notice);
                }
            }
            Notice::PeerHolds(heads) if !doubted => self.receipt(here, there, &heads)?,
            Notice::PeerHoldsMoreOfMyLog(head) => {
                let device = &mut self.devices[here];
                let log = device.own_log;
                let held = device.record().reader().held(&log, &[(head.sequence, head.hash.id())]);
                if held.is_ok_and(|held| held != [true])
                    && device.record_mut().reincarnate().is_ok()
                {
                    self.tally.reincarnations += 1;
                    self.look_at_own_log(here)?;
                }
            }
            Notice::Forked(log) => drop(self.forks_told.insert(log)),
            Notice::PeerHolds(_)
            | Notice::PeerClock { .. }
            | Notice::Stopped { .. }
            | Notice::PeerRefused { .. }
            | Notice::Addresses(_)
            | Notice::Lease(_) => {}
        }
        Ok(())
    }

    /// Delivers the next frame to one end if it may arrive by now. Returns whether one did.
    pub(crate) fn deliver(&mut self, connection: u64, side: usize, hurry: bool) -> Outcome<bool> {
        let step = self.step;
        let Some(connected) = self.lan.get(&connection) else { return Ok(false) };
        let (here, there) = (connected.ends[side].device, connected.ends[1 - side].device);
        if self.blocked.contains(&(there, here)) {
            return Ok(false);
        }
        let Some(end) = self.end(connection, side) else { return Ok(false) };
        if end.inbox.front().is_none_or(|(ready, _)| *ready > step && !hurry) {
            return Ok(false);
        }
        let Some((_, frame)) = end.inbox.pop_front() else { return Ok(false) };
        if self.plant == Some(Plant::EndlessTalk)
            && matches!(Frame::decode(&frame), Ok(Some(Frame::Clock { .. })))
            && let Some(end) = self.end(connection, side)
        {
            end.inbox.push_back((step, frame.clone()));
        }
        self.tally.frames += 1;
        self.feed(connection, side, Input::Frame(frame))?;
        self.hang_up(connection);
        Ok(true)
    }

    /// Delivers the next frame with one byte changed, and then ends the connection, as a transport
    /// that checks what it carries would have.
    pub(crate) fn deliver_changed(&mut self, connection: u64, side: usize) -> Outcome<()> {
        let Some(end) = self.end(connection, side) else { return Ok(()) };
        let Some((_, mut frame)) = end.inbox.pop_front() else { return Ok(()) };
        let at = self.chance.below(frame.len());
        let bit = 1 << self.chance.below(8);
        frame[at] ^= bit;
        if let Some(connected) = self.lan.get_mut(&connection) {
            connected.doubted = true;
        }
        self.tally.flips += 1;
        self.feed(connection, side, Input::Frame(frame))?;
        for _ in 0..4 {
            self.work(connection, side)?;
            self.deliver(connection, side, true)?;
        }
        self.lan.remove(&connection);
        Ok(())
    }

    /// Ends a connection that one of its ends has given up.
    fn hang_up(&mut self, connection: u64) {
        let closed = |end: &End| end.closed.is_some();
        if self.lan.get(&connection).is_some_and(|both| both.ends.iter().any(closed)) {
            self.lan.remove(&connection);
        }
    }

    /// Does what the session at one end waits for next. Returns whether there was anything.
    pub(crate) fn work(&mut self, connection: u64, side: usize) -> Outcome<bool> {
        let Some(end) = self.end(connection, side) else { return Ok(false) };
        let here = end.device;
        let Some(job) = end.jobs.pop_front() else { return Ok(false) };
        match job {
            Job::Read(ticket, read) => {
                let found = self.read(here, &read);
                self.feed(connection, side, Input::ReadDone { ticket, found })?;
            }
            Job::Admit(ticket, entries) => self.admit(connection, side, ticket, entries)?,
        }
        self.hang_up(connection);
        Ok(true)
    }

    fn read(&self, here: usize, read: &Read) -> Found {
        let reader = self.devices[here].record().reader();
        let of = |points: &[Point]| -> Vec<(u64, EntryId)> {
            points.iter().map(|point| (point.sequence, point.entry)).collect()
        };
        match read {
            Read::Range { log, after, up_to, bytes_max } => {
                let after = after.map(|point| (point.sequence, point.entry));
                match reader.range(log, after, up_to, *bytes_max) {
                    Ok(Range::Entries(entries)) => Found::Range(entries),
                    Ok(Range::NotOnBranch) => Found::NotOnBranch,
                    Ok(Range::NotHeld) => Found::NotHeld,
                    Err(_) => Found::Unavailable,
                }
            }
            Read::Held { log, points } => {
                reader.held(log, &of(points)).map_or(Found::Unavailable, Found::Held)
            }
            Read::Points { log, head, sequences } => match reader.points(log, head, sequences) {
                Ok(Some(points)) => Found::Points(
                    points.into_iter().map(|(sequence, entry)| Point { sequence, entry }).collect(),
                ),
                Ok(None) => Found::NotHeld,
                Err(_) => Found::Unavailable,
            },
        }
    }

    fn admit(
        &mut self,
        connection: u64,
        side: usize,
        ticket: Ticket,
        entries: Vec<Sealed>,
    ) -> Outcome<()> {
        let Some(end) = self.end(connection, side) else { return Ok(()) };
        let here = end.device;
        let now = self.devices[here].now(self.time);
        let wanted = self.kept_by_the_plant(here, &entries);
        let device = &mut self.devices[here];
        let admission = match device.record_mut().admit(now, &wanted) {
            Ok(admission) => admission,
            Err(_) => {
                self.devices[here].faulty = true;
                let why = Refused::NotSaved;
                return self.feed(connection, side, Input::AdmitRefused { ticket, why });
            }
        };
        self.tally.admitted += admission.added.len();
        let brought: BTreeSet<EntryId> = entries.iter().map(Sealed::id).collect();
        self.announce(here, &admission.added, Some((connection, side, &brought)))?;
        let not_taken = admission.not_taken.iter().find(|(id, _)| brought.contains(id));
        let input = match not_taken {
            None => Input::Admitted { ticket, heads: self.heads_of(here, &entries) },
            Some((_, why)) => Input::AdmitRefused { ticket, why: refused(*why) },
        };
        self.feed(connection, side, input)?;
        if admission.membership {
            self.membership_changed(here)?;
        }
        self.look_at_own_log(here)
    }

    /// Tells every other session of a device what is on its disk now.
    pub(crate) fn announce(
        &mut self,
        here: usize,
        entries: &[Sealed],
        by: Option<(u64, usize, &BTreeSet<EntryId>)>,
    ) -> Outcome<()> {
        if entries.is_empty() {
            return Ok(());
        }
        for (connection, side) in self.ends_of(here) {
            let brought = |entry: &&Sealed| {
                by.is_some_and(|(c, s, ids)| {
                    (c, s) == (connection, side) && ids.contains(&entry.id())
                })
            };
            let others: Vec<Sealed> =
                entries.iter().filter(|entry| !brought(entry)).cloned().collect();
            if !others.is_empty() {
                let heads = self.heads_of(here, &others);
                self.feed(connection, side, Input::Committed { entries: others, heads })?;
            }
        }
        Ok(())
    }

    fn heads_of(&self, here: usize, entries: &[Sealed]) -> Heads {
        let mut heads = Heads::default();
        for log in entries.iter().map(Sealed::log).collect::<BTreeSet<LogId>>() {
            if let Some(held) = self.devices[here].record().heads().get(&log) {
                held.heads().iter().for_each(|head| heads.insert(log, held.anchor(), *head));
            }
        }
        heads
    }

    pub(crate) fn membership_changed(&mut self, here: usize) -> Outcome<()> {
        for (connection, side) in self.ends_of(here) {
            self.feed(connection, side, Input::MembershipChanged)?;
            let there = self.lan.get(&connection).map(|both| both.ends[1 - side].device);
            if there.is_some_and(|there| !self.serves(here, there)) {
                self.lan.remove(&connection);
            }
        }
        Ok(())
    }

    pub(crate) fn look_at_own_log(&mut self, here: usize) -> Outcome<()> {
        let log = self.devices[here].record().own_log();
        if log != self.devices[here].own_log {
            self.devices[here].own_log = log;
            for (connection, side) in self.ends_of(here) {
                self.feed(connection, side, Input::OwnLog(log))?;
            }
        }
        Ok(())
    }

    pub(crate) fn ends_of(&self, device: usize) -> Vec<(u64, usize)> {
        self.ends().into_iter().filter(|(c, s)| self.lan[c].ends[*s].device == device).collect()
    }

    pub(crate) fn ends(&self) -> Vec<(u64, usize)> {
        self.lan.keys().flat_map(|connection| [(*connection, 0), (*connection, 1)]).collect()
    }

    /// The ends to which a frame is on its way.
    pub(crate) fn awaited(&self) -> Vec<(u64, usize)> {
        let waits = |(c, s): &(u64, usize)| !self.lan[c].ends[*s].inbox.is_empty();
        self.ends().into_iter().filter(waits).collect()
    }

    /// About once a second: a sign of life, and a look at signatures inside ranges.
    pub(crate) fn tick(&mut self, device: usize) -> Outcome<()> {
        if !self.devices[device].is_on() {
            return Ok(());
        }
        let audited = self.devices[device].record_mut().audit(512);
        if let Err(fault) = audited
            && !self.devices[device].faulty
        {
            return Err(Broken::of(4, format!("device {device} holds junk: {fault}")));
        }
        let wall_ms = self.devices[device].now(self.time).0;
        for (connection, side) in self.ends_of(device) {
            self.feed(connection, side, Input::Tick { wall_ms })?;
        }
        Ok(())
    }

    /// Lets everything happen that can; there is an end to it.
    pub(crate) fn settle(&mut self) -> Outcome<()> {
        for _ in 0..4_000 {
            self.step += 1;
            let mut moved = false;
            for (connection, side) in self.ends() {
                moved |= self.deliver(connection, side, true)?;
                moved |= self.work(connection, side)?;
            }
            if !moved {
                return Ok(());
            }
        }
        Err(Broken::of(8, "the devices talk without an end".to_owned()))
    }
}

fn refused(why: NotTaken) -> Refused {
    match why {
        NotTaken::NotEnrolled | NotTaken::NoRoom => Refused::NotEnrolled,
        NotTaken::NoPredecessor => Refused::OutOfChain,
        NotTaken::NoStart => Refused::Unsound,
    }
}
