//! One connection carried out: frames in and out, entries to and from the store, word of commits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mar::ids::{DeviceId, EntryId, LogId};
use mar::time::Timestamp;
use store::record::{Range, Reader};
use sync::endpoint::{Connection, Ended, FrameReceiver, FrameSender, Link};
use sync::frame::{Point, Refused};
use sync::session::{Effect, Found, Input, Notice, Read, Session, Telling, Ticket};
use sync::status::Reading;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{MissedTickBehavior, interval};

use super::{Net, NetworkEvent};
use crate::gap::parked_by;
use crate::writer::{Follower, Told};

/// Frames of the peer that wait here before it is held up.
const FRAMES_WAITING: usize = 16;
/// The most bytes of frames that wait for a peer that does not read them. An honest peer asks for a
/// few megabytes at one time.
const UNSENT_BYTES_MAX: usize = 16 << 20;
const CLOSE_UNREAD: u32 = 467;
/// Every so many seconds it is told where other devices are.
const TELL_ADDRESSES: u32 = 30;
/// A clock that differs by more than this is told to people (T-07).
const CLOCK_AMBER_MS: u64 = 60_000;

/// Carries a connection out until it ends.
pub(super) async fn carry_out(net: Arc<Net>, connection: Connection) {
    let Connection { link, sender, receiver } = connection;
    let peer = link.device();
    let up = Up::begin(&net, peer, net.new_follower());
    if let Some(address) = link.address() {
        net.book().add(peer, [address]);
        net.typed().found(address);
        remember(&net, peer, address.to_string());
    }
    let (to_wire, wire, unsent) = wire();
    let (frames_in, frames) = mpsc::channel(FRAMES_WAITING);
    let sending = tokio::spawn(send_all(sender, wire, unsent));
    let receiving = tokio::spawn(receive_all(receiver, frames_in));
    let (reads, found) = mpsc::unbounded_channel();
    let (told_by, told) = mpsc::unbounded_channel();
    net.device.writer().follow(up.follower, told_by);
    let Ok(reader) = net.device.reader() else { return };
    let exchange = Exchange {
        up,
        session: Session::new(reader.pinned().home),
        reader,
        net: Arc::clone(&net),
        link: link.clone(),
        peer,
        to_wire,
        reads,
        tally: Tally::default(),
        clock_told: false,
    };
    exchange.run(frames, told, found).await;
    receiving.abort();
    sending.abort();
    // Asked before it is closed here: afterwards that is all that it says.
    let put_out = link.ended() == Some(Ended::PutOut);
    link.close(0, "done");
    let ended = link.closed().await;
    tracing::debug!(%peer, %ended, "a connection ended");
    if put_out {
        net.told_put_out(peer);
    }
}

/// A connection, counted as long as it stands, however it ends.
struct Up {
    net: Arc<Net>,
    peer: DeviceId,
    follower: Follower,
    /// Whether the peer has said anything: before that it may yet turn this device away.
    heard: bool,
}

impl Up {
    fn begin(net: &Arc<Net>, peer: DeviceId, follower: Follower) -> Self {
        net.connected().entry(peer).or_default().standing += 1;
        Self { net: Arc::clone(net), peer, follower, heard: false }
    }

    fn hear(&mut self) {
        if std::mem::replace(&mut self.heard, true) {
            return;
        }
        let first = {
            let mut connected = self.net.connected();
            let count = connected.entry(self.peer).or_default();
            count.heard += 1;
            count.heard == 1
        };
        // Parked before it said anything on this connection: it runs again.
        let parked = parked_by(&self.net.device.picture(), self.peer);
        self.net.device.peers_known().set_connected(self.peer, true, parked);
        taken_in(&self.net, self.peer);
        if first {
            self.net.tell(NetworkEvent::PeerUp(self.peer));
        }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.net.device.writer().unfollow(self.follower);
        let last = {
            let mut connected = self.net.connected();
            let count = connected.entry(self.peer).or_default();
            count.standing = count.standing.saturating_sub(1);
            count.heard = count.heard.saturating_sub(usize::from(self.heard));
            let last = self.heard && count.heard == 0;
            if count.standing == 0 {
                connected.remove(&self.peer);
            }
            last
        };
        if last {
            self.net.device.peers_known().set_connected(self.peer, false, None);
            self.net.tell(NetworkEvent::PeerDown(self.peer));
        }
    }
}

/// A device that speaks with this one takes back what it may have said before.
fn taken_in(net: &Net, peer: DeviceId) {
    let Ok(reader) = net.device.reader() else { return };
    drop(tokio::task::spawn_blocking(move || {
        let said = reader.local().said_put_out().unwrap_or_default();
        if said.iter().any(|(device, _)| *device == peer)
            && let Err(fault) = reader.local().taken_in_by(peer)
        {
            tracing::warn!(%fault, "that a device speaks with this one again was not kept");
        }
    }));
}

fn remember(net: &Net, peer: DeviceId, address: String) {
    let now = net.device.now();
    let Ok(reader) = net.device.reader() else { return };
    drop(tokio::task::spawn_blocking(move || {
        if let Err(fault) = reader.local().reached(peer, &address, now) {
            tracing::warn!(%fault, "an address was not kept");
        }
    }));
}

/// Frames on their way to the peer, with how many bytes of them wait.
struct Wire {
    frames: UnboundedSender<Vec<u8>>,
    unsent: Arc<AtomicUsize>,
}

fn wire() -> (Wire, UnboundedReceiver<Vec<u8>>, Arc<AtomicUsize>) {
    let (frames, waiting) = mpsc::unbounded_channel();
    let unsent = Arc::new(AtomicUsize::new(0));
    (Wire { frames, unsent: Arc::clone(&unsent) }, waiting, unsent)
}

impl Wire {
    /// Puts a frame behind the others. Returns `false` if the peer has left too much unread.
    fn send(&self, frame: Vec<u8>) -> bool {
        let bytes = frame.len();
        if self.unsent.fetch_add(bytes, Ordering::Relaxed) + bytes > UNSENT_BYTES_MAX {
            return false;
        }
        // The connection ends by itself when the wire is gone.
        drop(self.frames.send(frame));
        true
    }
}

async fn send_all(
    mut sender: FrameSender,
    mut wire: UnboundedReceiver<Vec<u8>>,
    unsent: Arc<AtomicUsize>,
) {
    while let Some(frame) = wire.recv().await {
        if sender.send(&frame).await.is_err() {
            return;
        }
        unsent.fetch_sub(frame.len(), Ordering::Relaxed);
    }
}

async fn receive_all(mut receiver: FrameReceiver, frames: mpsc::Sender<Vec<u8>>) {
    while let Ok(frame) = receiver.receive().await {
        if frames.send(frame).await.is_err() {
            return;
        }
    }
}

struct Exchange {
    up: Up,
    session: Session,
    reader: Reader,
    net: Arc<Net>,
    link: Link,
    peer: DeviceId,
    to_wire: Wire,
    reads: UnboundedSender<(Ticket, Found)>,
    tally: Tally,
    clock_told: bool,
}

impl Exchange {
    async fn run(
        mut self,
        mut frames: mpsc::Receiver<Vec<u8>>,
        mut told: UnboundedReceiver<Told>,
        mut found: UnboundedReceiver<(Ticket, Found)>,
    ) {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seconds = 0;
        loop {
            let input = tokio::select! {
                told = told.recv() => match told {
                    Some(told) => self.heard_of(told),
                    None => {
                        self.link.close(0, "the device was closed");
                        return;
                    }
                },
                frame = frames.recv() => match frame {
                    Some(frame) => Input::Frame(frame),
                    None => return,
                },
                Some((ticket, found)) = found.recv() => Input::ReadDone { ticket, found },
                _ = ticks.tick() => {
                    seconds += 1;
                    if seconds % TELL_ADDRESSES == 2 {
                        self.tell_addresses();
                    }
                    Input::Tick { wall_ms: self.net.device.now().0 }
                }
                _ = self.link.closed() => return,
            };
            if !self.handle(input) {
                return;
            }
        }
    }

    fn heard_of(&self, told: Told) -> Input {
        match told {
            Told::Started { heads, own_log } => {
                Input::Started { heads, own_log: Some(own_log), wall_ms: self.net.device.now().0 }
            }
            Told::Committed { entries, heads } => Input::Committed { entries, heads },
            Told::Admitted { ticket, heads } => Input::Admitted { ticket, heads },
            Told::NotAdmitted { ticket, why } => Input::AdmitRefused { ticket, why },
            Told::MembershipChanged => Input::MembershipChanged,
            Told::OwnLog(log) => Input::OwnLog(log),
        }
    }

    fn tell_addresses(&mut self) {
        let known = self.net.book().to_tell(&self.peer);
        if !known.is_empty() {
            let telling = Input::Tell(Telling::Addresses(known));
            self.handle(telling);
        }
    }

    /// Gives the session an input and carries out what follows. Returns whether it goes on.
    fn handle(&mut self, input: Input) -> bool {
        for effect in self.session.handle(input) {
            match effect {
                Effect::Send(frame) => {
                    if !self.to_wire.send(frame) {
                        tracing::warn!(peer = %self.peer, "a device that does not read is left");
                        self.link.close(CLOSE_UNREAD, "too much is left unread");
                        return false;
                    }
                }
                Effect::Admit { ticket, log, entries } => {
                    self.tally.received(log, &entries);
                    self.net.device.writer().admit(self.up.follower, self.peer, ticket, entries);
                }
                Effect::Read { ticket, read } => self.look_up(ticket, read),
                Effect::Close(reason) => {
                    tracing::warn!(peer = %self.peer, %reason, "a connection is closed");
                    self.link.close(reason.code(), &reason.to_string());
                    return false;
                }
                Effect::Notice(notice) => self.note(&notice),
            }
        }
        true
    }

    /// Reads from the disk beside the network's own threads.
    fn look_up(&self, ticket: Ticket, read: Read) {
        let (reader, reads) = (self.reader.clone(), self.reads.clone());
        drop(tokio::task::spawn_blocking(move || {
            let found = found(&reader, &read);
            if reads.send((ticket, found)).is_err() {
                tracing::trace!("what was read is no longer wanted");
            }
        }));
    }

    fn note(&mut self, notice: &Notice) {
        self.up.hear();
        let device = &self.net.device;
        let now = Reading { monotonic: device.clock().running(), wall_ms: device.now().0 };
        let known = device.peers_known();
        known.note(self.peer, notice, now, self.link.rtt());
        if matches!(notice, Notice::PeerClock { .. })
            && let Some(line) = device.clock().line()
        {
            known.compared(self.peer, Timestamp(now.wall_ms), &line);
        }
        match notice {
            Notice::InSync { .. } => self.in_sync(),
            Notice::Apart(_) => self.tally.apart(),
            Notice::PeerHolds(heads) => self.tally.peer_holds(heads),
            Notice::PeerClock { wall_ms } => {
                self.look_at_clock(wall_ms.saturating_sub(now.wall_ms));
            }
            Notice::PeerHoldsMoreOfMyLog(head) => device.writer().held_elsewhere(*head),
            Notice::Addresses(told) => {
                self.net.book().add_told(told);
                self.net.dial_now.notify_one();
            }
            Notice::Forked(log) => self.alarm(format!(
                "the log {log} has two branches: a copy of a device has been written to. All of \
                 it is kept and marked for review"
            )),
            Notice::Stopped { log, why } => self.stopped(*log, *why),
            Notice::PeerRefused { log, why } => {
                tracing::debug!(peer = %self.peer, %log, ?why, "the device did not take entries in");
            }
            Notice::Lease(_) => {}
        }
    }

    fn in_sync(&mut self) {
        if let Some((sent, received)) = self.tally.in_sync() {
            let state_hash = self.reader.published().state;
            self.net.tell(NetworkEvent::Synced { peer: self.peer, sent, received, state_hash });
        }
    }

    fn look_at_clock(&mut self, by_ms: i64) {
        let amber = by_ms.unsigned_abs() > CLOCK_AMBER_MS;
        if amber && !self.clock_told {
            self.net.tell(NetworkEvent::Clock { peer: Some(self.peer), by_ms });
        }
        self.clock_told = amber;
    }

    fn stopped(&self, log: LogId, why: Refused) {
        match why {
            // It comes again when the device that the log belongs to is known.
            Refused::NotEnrolled | Refused::OutOfChain => {
                tracing::debug!(peer = %self.peer, %log, ?why, "entries are set aside");
            }
            Refused::Unsound => self.alarm(format!(
                "a device sent entries of the log {log} that are not what they claim to be"
            )),
            Refused::NotSaved => self.alarm(
                "NOT SAVED: entries of another device could not be written to this device's disk"
                    .to_owned(),
            ),
        }
    }

    fn alarm(&self, what: String) {
        self.net.tell(NetworkEvent::Alarm { what });
    }
}

/// Answers a session's question from the store.
fn found(reader: &Reader, read: &Read) -> Found {
    let points = |points: Vec<(u64, EntryId)>| {
        points.into_iter().map(|(sequence, entry)| Point { sequence, entry }).collect()
    };
    let answer = match read {
        Read::Range { log, after, up_to, bytes_max } => {
            let after = after.map(|point| (point.sequence, point.entry));
            reader.range(log, after, up_to, *bytes_max).map(|range| match range {
                Range::Entries(entries) => Found::Range(entries),
                Range::NotOnBranch => Found::NotOnBranch,
                Range::NotHeld => Found::NotHeld,
            })
        }
        Read::Held { log, points } => {
            let points: Vec<(u64, EntryId)> =
                points.iter().map(|point| (point.sequence, point.entry)).collect();
            reader.held(log, &points).map(Found::Held)
        }
        Read::Points { log, head, sequences } => reader
            .points(log, head, sequences)
            .map(|held| held.map_or(Found::NotHeld, |held| Found::Points(points(held)))),
    };
    answer.unwrap_or_else(|fault| {
        tracing::error!(%fault, "what another device asked for could not be read");
        Found::Unavailable
    })
}

/// Counts what crossed, for people.
#[derive(Debug, Default)]
struct Tally {
    /// How many entries of each log the peer had when it was last said.
    before: BTreeMap<LogId, u64>,
    /// How many it has now.
    now: BTreeMap<LogId, u64>,
    /// How many of each log it brought since, beyond those it had.
    brought: BTreeMap<LogId, u64>,
    received: u64,
    begun: bool,
    level: bool,
}

impl Tally {
    fn received(&mut self, log: LogId, entries: &[store::entry::Sealed]) {
        self.received += entries.len() as u64;
        let had = self.before.get(&log).copied().unwrap_or(0);
        let beyond = entries.iter().filter(|entry| entry.sequence() >= had).count();
        *self.brought.entry(log).or_default() += beyond as u64;
    }

    fn peer_holds(&mut self, heads: &store::heads::Heads) {
        for (log, held) in heads.iter() {
            let count = held.latest().map_or(0, |head| head.sequence + 1);
            self.now.insert(*log, count);
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.before.clone_from(&self.now);
        }
    }

    fn apart(&mut self) {
        self.level = false;
    }

    /// Returns how many entries were sent and received if the two have just become level.
    fn in_sync(&mut self) -> Option<(u64, u64)> {
        if std::mem::replace(&mut self.level, true) {
            return None;
        }
        let sent = self
            .now
            .iter()
            .map(|(log, now)| {
                let grown = now.saturating_sub(self.before.get(log).copied().unwrap_or(0));
                grown.saturating_sub(self.brought.get(log).copied().unwrap_or(0))
            })
            .fold(0, u64::saturating_add);
        self.before.clone_from(&self.now);
        self.brought.clear();
        Some((sent, std::mem::take(&mut self.received)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bug: a device that asked and never read filled the memory of the one that answered.
    /// Cause: what was to be sent waited in a queue without an end.
    /// Fix: the bytes that wait are counted, and such a device is left.
    #[test]
    fn a_device_that_does_not_read_is_left_before_the_memory_is_full() {
        let (wire, _waiting, unsent) = wire();
        let frames = (0..100).take_while(|_| wire.send(vec![0; 1 << 20])).count();
        assert_eq!(frames, 16);
        unsent.store(0, Ordering::Relaxed);
        assert!(wire.send(vec![0; 1 << 20]), "once it has read it is served again");
    }

    /// Bug: heads at the end of all numbers, named and taken back, ended the connection in a panic.
    /// Cause: what was counted for people was added up without regard to the end of all numbers.
    /// Fix: the sum stays at its end.
    #[test]
    fn heads_at_the_end_of_all_numbers_are_counted_without_a_panic() {
        let mut tally = Tally::default();
        tally.peer_holds(&store::heads::Heads::default());
        let mut heads = store::heads::Heads::default();
        for log in 1..4 {
            let hash = store::entry::Hash([1; 32]);
            let head = store::heads::Head { sequence: u64::MAX - 1, hash };
            heads.insert(LogId([log; 32]), 0, head);
        }
        tally.peer_holds(&heads);
        assert_eq!(tally.in_sync(), Some((u64::MAX, 0)));
    }
}
