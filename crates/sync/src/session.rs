//! One exchange with one device, as a value: what comes in, and what is to be done about it.
//!
//! A [`Session`] knows no socket, no disk and no clock. Whoever owns these feeds it [`Input`]s and
//! carries out the [`Effect`]s in the order in which they are returned:
//!
//! 1. [`Input::Started`] comes first, with the heads that are on the disk. Both sides send a hello.
//!    If the hashes in the hellos are equal the devices are in sync after this one round trip.
//! 2. If they differ each side says its heads, and each asks for what it lacks, in ranges that are
//!    bounded in bytes. Every branch of a forked log is asked for; where two branches part is found
//!    by asking for hashes at a few sequences.
//! 3. [`Effect::Admit`] hands entries over whose chain and last signature hold. The receipt goes
//!    out when [`Input::Admitted`] comes back, and that must not happen before the fsync.
//! 4. [`Input::Committed`] tells of entries that came onto the disk in any other way. Own entries
//!    are pushed at once to a peer that is level in that log; others are made known by their
//!    heads, since their writer has pushed them already.
//! 5. [`Input::Tick`], about once a second, sends a sign of life with the hash of what is held, and
//!    asks again for what could not be had.
//!
//! Heads are given to a session in the order of the commits that made them. A connection that ends
//! takes its session with it: the next one begins anew from what is on the disk.

mod pull;
mod push;
mod serve;
mod speech;
mod view;

use std::collections::BTreeSet;

use store::entry::{HomeId, LogId};
use store::heads::{Head, Heads};

use crate::frame::{Frame, Hello, LEASE_BYTES_MAX, Line, PROTOCOL, parts};
pub use speech::{Apart, CloseReason, Effect, Found, Input, Notice, Read, Telling, Ticket};
use view::View;

/// The most bytes of entries that are asked for or handed over and not yet admitted.
pub const BUFFER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most bytes of unadmitted entries at which a peer that sends unasked is left.
pub const FLOOD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most bytes asked for at once.
pub const WANT_BYTES: usize = 1024 * 1024;
/// The most requests in flight, each for another log.
pub const WANTS_MAX: usize = 4;
/// The most requests of the peer that wait to be answered; more is against the protocol.
pub const SERVED_MAX: usize = 8;
/// The most bytes of pushed entries without a receipt; beyond it only heads are sent.
pub const PUSHED_BYTES_MAX: usize = 1024 * 1024;
/// The most logs that a peer may name.
pub const LOGS_MAX: usize = 65_536;
/// The most heads that a peer may name, over all its logs.
pub const HEADS_MAX: usize = 262_144;

const HOME_CONTEXT: &str = "medround home tag 1";

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing happened yet.
    Fresh,
    /// Our hello is out.
    Greeting,
    /// The hashes differed: the peer's heads are on their way.
    Comparing,
    /// Each side knows what the other holds.
    Open,
    /// The connection was given up.
    Closed,
}

/// The exchange with one device.
#[derive(Debug)]
pub struct Session {
    home: HomeId,
    own_log: Option<LogId>,
    stage: Stage,
    /// The peer's hello, if it came before the heads that are on the disk here.
    early: Option<Hello>,
    /// What is on the disk here.
    mine: View,
    /// What the peer was told of it.
    told: View,
    /// What the peer told of its own disk.
    theirs: View,
    /// Parts of the peer's heads, until the last has come.
    arriving: Option<View>,
    heads_asked: bool,
    pulling: pull::Pulling,
    serving: serve::Serving,
    pushing: push::Pushing,
    forked: BTreeSet<LogId>,
    said: Option<Notice>,
    next_ticket: u64,
    out: Vec<Effect>,
}

impl Session {
    /// Returns a session between two devices of `home`.
    pub fn new(home: HomeId) -> Self {
        Self {
            home,
            own_log: None,
            stage: Stage::Fresh,
            early: None,
            mine: View::default(),
            told: View::default(),
            theirs: View::default(),
            arriving: None,
            heads_asked: false,
            pulling: pull::Pulling::default(),
            serving: serve::Serving::default(),
            pushing: push::Pushing::default(),
            forked: BTreeSet::new(),
            said: None,
            next_ticket: 0,
            out: Vec::new(),
        }
    }

    /// Takes in what happened and returns what is to be done, in order. After
    /// [`Effect::Close`] nothing is done any more.
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        if self.stage == Stage::Closed {
            return Vec::new();
        }
        match input {
            Input::Started { heads, own_log, wall_ms } => self.start(&heads, own_log, wall_ms),
            Input::Frame(bytes) => self.receive(&bytes),
            Input::Admitted { ticket, heads } => self.admitted(ticket, &heads),
            Input::AdmitRefused { ticket, why } => self.admit_refused(ticket, why),
            Input::ReadDone { ticket, found } => self.read_done(ticket, found),
            Input::Committed { entries, heads } => self.committed(&entries, &heads),
            Input::MembershipChanged => self.ask_again_for_new_members(),
            Input::OwnLog(log) => self.own_log = Some(log),
            Input::Tell(telling) => self.tell(telling),
            Input::Tick { wall_ms } => self.tick(wall_ms),
        }
        self.say_level();
        std::mem::take(&mut self.out)
    }

    fn start(&mut self, heads: &Heads, own_log: Option<LogId>, wall_ms: i64) {
        if self.stage != Stage::Fresh {
            return;
        }
        self.stage = Stage::Greeting;
        self.own_log = own_log;
        self.mine = View::of(heads);
        self.told = self.mine.clone();
        self.send(&Frame::Hello(Hello {
            protocol_min: PROTOCOL,
            protocol_max: PROTOCOL,
            home: home_tag(&self.home),
            heads: self.mine.hash(),
            wall_ms,
        }));
        if let Some(hello) = self.early.take() {
            self.greeted(&hello);
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let frame = match Frame::decode(bytes) {
            Ok(Some(frame)) => frame,
            // A newer device says something that this version does not know.
            Ok(None) => return,
            Err(fault) => return self.close(fault.into()),
        };
        match (&self.stage, frame) {
            (Stage::Fresh, Frame::Hello(hello)) => self.early = Some(hello),
            (_, Frame::Hello(hello)) => self.greeted(&hello),
            (Stage::Fresh | Stage::Greeting, _) => self.close(CloseReason::NoHello),
            (_, Frame::Heads { first, last, lines }) => self.heads_told(first, last, lines),
            (Stage::Open, frame) => self.open(frame),
            // Before its heads a peer has nothing to say that we could judge.
            (Stage::Comparing | Stage::Closed, _) => {}
        }
        if self.stage != Stage::Closed && self.is_too_much_named() {
            self.close(CloseReason::TooManyLogs);
        }
    }

    /// Whether the peer has named more, in whatever frames, than is kept of one peer.
    fn is_too_much_named(&self) -> bool {
        self.pulling.logs() > LOGS_MAX
            || self.theirs.is_too_much()
            || self.arriving.as_ref().is_some_and(View::is_too_much)
    }

    fn open(&mut self, frame: Frame) {
        match frame {
            Frame::Hello(_) | Frame::Heads { .. } => {}
            Frame::HeadsWanted => self.say_heads(),
            Frame::Want(want) => self.wanted(want),
            Frame::Entries(entries) => self.arrived(&entries),
            Frame::RangeEnd { want, why } => self.range_ended(want, why),
            Frame::Receipt(lines) => self.receipted(lines),
            Frame::Refused { log, why } => self.refused(log, why),
            Frame::HashAt { question, log, head, sequences } => {
                self.hash_asked(question, log, head, sequences);
            }
            Frame::HashesAt { question, points } => self.hashes_told(question, points),
            Frame::Clock { wall_ms, heads } => self.clock_told(wall_ms, heads),
            Frame::Lease(lease) => self.notice(Notice::Lease(lease)),
            Frame::Addresses(known) => self.notice(Notice::Addresses(known)),
            // Reserved: an older device may be asked for these and has none to give.
            Frame::History { .. } | Frame::BlobWant { .. } | Frame::BlobPart { .. } => {}
        }
    }

    fn greeted(&mut self, hello: &Hello) {
        if self.stage != Stage::Greeting {
            return;
        }
        if hello.home != home_tag(&self.home) {
            return self.close(CloseReason::OtherHome);
        }
        let (theirs_min, theirs_max) = (hello.protocol_min, hello.protocol_max);
        if !(theirs_min..=theirs_max).contains(&PROTOCOL) {
            return self.close(CloseReason::Protocol { theirs_min, theirs_max });
        }
        self.notice(Notice::PeerClock { wall_ms: hello.wall_ms });
        // Compared is what our hello said, so that both sides come to the same answer whatever
        // was committed since.
        if hello.heads == self.told.hash() {
            self.stage = Stage::Open;
            self.theirs = self.told.clone();
            self.notice(Notice::PeerHolds(self.theirs.to_heads()));
            self.tell_receipts();
        } else {
            self.stage = Stage::Comparing;
            self.say_heads();
        }
    }

    fn say_heads(&mut self) {
        self.told = self.mine.clone();
        let parts = parts(self.told.lines().cloned());
        let end = parts.len().saturating_sub(1);
        for (at, lines) in parts.into_iter().enumerate() {
            self.send(&Frame::Heads { first: at == 0, last: at == end, lines });
        }
    }

    fn heads_told(&mut self, first: bool, last: bool, lines: Vec<Line>) {
        if first {
            self.arriving = Some(View::default());
        }
        let Some(arriving) = &mut self.arriving else {
            return;
        };
        lines.into_iter().for_each(|line| arriving.set(line));
        if arriving.is_too_much() {
            return self.close(CloseReason::TooManyLogs);
        }
        if !last {
            return;
        }
        self.theirs = self.arriving.take().unwrap_or_default();
        self.stage = Stage::Open;
        self.heads_asked = false;
        self.notice(Notice::PeerHolds(self.theirs.to_heads()));
        let lines: Vec<Line> = self.theirs.lines().cloned().collect();
        lines.iter().for_each(|line| self.look_at(line));
        self.tell_receipts();
        self.pump();
    }

    fn receipted(&mut self, lines: Vec<Line>) {
        self.notice(Notice::PeerHolds(View::heads_of(&lines)));
        for line in lines {
            self.pushing.receipted(&line);
            self.pulling.log(line.log).paused = false;
            self.look_at(&line);
            self.theirs.set(line);
        }
        if self.theirs.is_too_much() {
            return self.close(CloseReason::TooManyLogs);
        }
        self.pump();
    }

    /// Notes what a line of the peer's says about forks and about our own log.
    fn look_at(&mut self, line: &Line) {
        if line.heads.len() > 1 {
            self.fork_seen(line.log);
        }
        let mine = self.mine.latest(&line.log);
        let theirs = line.heads.last().copied();
        if self.own_log == Some(line.log)
            && let Some(head) = theirs
            && mine.is_none_or(|mine| mine.sequence < head.sequence)
        {
            self.notice(Notice::PeerHoldsMoreOfMyLog(head));
        }
    }

    fn fork_seen(&mut self, log: LogId) {
        if self.forked.insert(log) {
            self.notice(Notice::Forked(log));
        }
    }

    fn clock_told(&mut self, wall_ms: i64, heads: [u8; 32]) {
        self.notice(Notice::PeerClock { wall_ms });
        if heads == self.theirs.hash() {
            // What we believe of the peer was confirmed just now: say the level again.
            self.said = None;
        } else if !self.heads_asked {
            self.heads_asked = true;
            self.send(&Frame::HeadsWanted);
        }
    }

    fn tell(&mut self, telling: Telling) {
        if self.stage != Stage::Open {
            return;
        }
        match telling {
            Telling::Addresses(known) => self.send(&Frame::Addresses(known)),
            Telling::Lease(lease) if lease.len() <= LEASE_BYTES_MAX => {
                self.send(&Frame::Lease(lease));
            }
            Telling::Lease(_) => {}
        }
    }

    fn tick(&mut self, wall_ms: i64) {
        if self.stage != Stage::Open {
            return;
        }
        self.heads_asked = false;
        self.send(&Frame::Clock { wall_ms, heads: self.mine.hash() });
        self.pulling.ask_again();
        self.pump();
    }

    /// Says how far the two are apart, if that changed or was confirmed.
    fn say_level(&mut self) {
        if self.stage != Stage::Open {
            return;
        }
        let level = if self.mine.same_heads(&self.theirs) {
            Notice::InSync { heads: self.mine.hash() }
        } else {
            Notice::Apart(self.apart())
        };
        if self.said.as_ref() != Some(&level) {
            self.said = Some(level.clone());
            self.notice(level);
        }
    }

    fn apart(&self) -> Apart {
        let mut apart = Apart { stopped: self.pulling.stopped(), ..Apart::default() };
        for line in self.theirs.lines() {
            let mine = self.mine.heads(&line.log);
            let lacking =
                |head: &&Head| !mine.contains(head) && !self.pulling.is_held(&line.log, head);
            if let Some(head) = line.heads.iter().rev().find(lacking) {
                apart.behind = apart.behind.saturating_add(missing(head, mine.last()));
            }
        }
        for line in self.mine.lines() {
            let theirs = self.theirs.heads(&line.log);
            let last = theirs.last();
            // What lies below the peer's head is most likely held there: it is on its way to us.
            let lacking = |head: &&Head| {
                !theirs.contains(head) && last.is_none_or(|last| last.sequence < head.sequence)
            };
            if let Some(head) = line.heads.iter().rev().find(lacking) {
                apart.ahead = apart.ahead.saturating_add(missing(head, last));
            }
        }
        apart
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    fn send(&mut self, frame: &Frame) {
        self.out.push(Effect::Send(frame.encode()));
    }

    fn notice(&mut self, notice: Notice) {
        self.out.push(Effect::Notice(notice));
    }

    fn close(&mut self, reason: CloseReason) {
        self.stage = Stage::Closed;
        self.out.push(Effect::Close(reason));
    }
}

/// Returns how many entries lie above `below` up to `head`, at least one.
fn missing(head: &Head, below: Option<&Head>) -> u64 {
    let from = below.map_or(0, |below| below.sequence.saturating_add(1));
    head.sequence.saturating_add(1).saturating_sub(from).max(1)
}

fn home_tag(home: &HomeId) -> [u8; 16] {
    let mut tag = [0; 16];
    tag.copy_from_slice(&blake3::derive_key(HOME_CONTEXT, &home.0)[..16]);
    tag
}
