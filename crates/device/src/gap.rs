//! What is known of the home's other devices, and so of what may be missing here.
//!
//! No system prevents a double dose across a cut cable. So it is always said how far this device's
//! data goes: which devices are heard, and when this one last held all that they had. Which of
//! them count is a rule of the field and is asked of `mar` (W-16).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mar::decide::{counted_devices, members};
use mar::ids::{DeviceId, EntryId, LogId};
use mar::picture::{Picture, counting};
use mar::time::Timestamp;
use store::DiskFault;
use store::heads::{Head, Heads, LogHeads};
use store::local::{Heard, Local, PeerClock};
use sync::session::Notice;
use sync::status::{Level, PeerStatus, Reading};

use crate::clock::{Clock, Line};
use crate::doubt::{ahead_now, is_fresh};

/// A device is heard while this device held all that it had no longer ago than this, on the
/// connection that stands. Devices in touch say so every second, and a connection that is silent
/// for four is dropped.
pub const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// The most logs of which a device's receipts are kept, and the most branches of one.
const RECEIPT_LOGS_MAX: usize = 2048;
const RECEIPT_BRANCHES_MAX: usize = 16;

/// What is known of one device.
#[derive(Debug, Default)]
struct Peer {
    /// Since this program started.
    status: PeerStatus,
    /// From earlier starts, by the wall clock.
    before: Heard,
    /// What it said is on its disk, by log.
    receipts: BTreeMap<LogId, LogHeads>,
    /// How its clock compared with this device's when it last said what it shows.
    clock: Option<PeerClock>,
    /// How many of its entries wait to be written here.
    waiting: u64,
    /// How many of its entries were written here since it was last compared with this device.
    brought: u64,
    /// The entry by which it was parked when it began to speak on the connection that stands.
    parked: Option<EntryId>,
    /// The entry by which it was parked and after which it was heard to run, so that it counts again
    /// until it says anew that it ends (W-16).
    ran_after: Option<EntryId>,
    /// Whether anything changed since it was last kept.
    changed: bool,
}

/// The home's other devices as they are known here.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    peers: Mutex<BTreeMap<DeviceId, Peer>>,
    receipted: Condvar,
    /// How many receipts came; it changes under the lock of `peers`.
    receipts: AtomicU64,
}

/// Who is heard, and since when not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hearing {
    /// The devices heard just now.
    pub(crate) heard: BTreeSet<DeviceId>,
    /// Those, and the devices of which something is on its way: they were level a few seconds ago.
    pub(crate) in_touch: BTreeSet<DeviceId>,
    /// When each device was last heard.
    pub(crate) last_heard: BTreeMap<DeviceId, Timestamp>,
    /// When this device last held all that each had.
    pub(crate) held_all: BTreeMap<DeviceId, Timestamp>,
}

/// One device for a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glance {
    pub(crate) device: DeviceId,
    pub(crate) connected: bool,
    pub(crate) last_heard: Option<Timestamp>,
    pub(crate) behind: Option<u64>,
    /// By how many milliseconds its clock was ahead, and when that was so.
    pub(crate) clock: Option<(i64, Timestamp)>,
}

impl Peers {
    /// Reads what was known when the program last ran.
    pub(crate) fn restore(local: &Local) -> Result<Self, DiskFault> {
        let mut peers: BTreeMap<DeviceId, Peer> = BTreeMap::new();
        for (device, before) in local.heard()? {
            peers.entry(device).or_default().before = before;
        }
        for (device, heads) in local.receipts()? {
            let receipts = heads.iter().map(|(log, held)| (*log, held.clone()));
            peers.entry(device).or_default().receipts = receipts.collect();
        }
        for (device, clock) in local.clocks_of_others()? {
            peers.entry(device).or_default().clock = Some(clock);
        }
        for (device, parked) in local.ran_after()? {
            peers.entry(device).or_default().ran_after = Some(parked);
        }
        Ok(Self { peers: Mutex::new(peers), ..Self::default() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceId, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a connection stands, or that none does any more; `parked` is the entry by which the
    /// device is parked at that time.
    pub(crate) fn set_connected(&self, device: DeviceId, connected: bool, parked: Option<EntryId>) {
        let mut peers = self.lock();
        let peer = peers.entry(device).or_default();
        peer.status.set_connected(connected);
        peer.parked = parked;
        peer.changed = true;
    }

    /// Takes in what a session noticed.
    pub(crate) fn note(
        &self,
        device: DeviceId,
        notice: &Notice,
        now: Reading,
        round_trip: Option<Duration>,
    ) {
        let mut peers = self.lock();
        let peer = peers.entry(device).or_default();
        peer.status.note(notice, now, round_trip);
        if peer.status.level_here().is_some() {
            peer.ran_after = peer.parked.or(peer.ran_after);
        }
        if matches!(notice, Notice::InSync { .. } | Notice::Apart(_)) {
            peer.brought = 0;
        }
        peer.changed = true;
        if let Notice::PeerHolds(heads) = notice {
            for (log, held) in heads.iter() {
                peer.receipted(*log, held);
            }
            self.receipts.fetch_add(1, Ordering::SeqCst);
            self.receipted.notify_all();
        }
    }

    /// Notes that a device has sent so many entries, which wait to be written here.
    pub(crate) fn offers(&self, device: DeviceId, entries: u64) {
        let mut peers = self.lock();
        let peer = peers.entry(device).or_default();
        peer.waiting = peer.waiting.saturating_add(entries);
    }

    /// Notes that so many of the entries that a device has sent wait no more, and whether they are
    /// on the disk.
    pub(crate) fn looked_at(&self, device: DeviceId, entries: u64, written: bool) {
        let mut peers = self.lock();
        let peer = peers.entry(device).or_default();
        peer.waiting = peer.waiting.saturating_sub(entries);
        if written {
            peer.brought = peer.brought.saturating_add(entries);
        }
    }

    /// Notes how a device's clock compares with this one's, of which this is a reading.
    pub(crate) fn compared(&self, device: DeviceId, now: Timestamp, line: &Line) {
        let mut peers = self.lock();
        let peer = peers.entry(device).or_default();
        if let Some(ahead_ms) = peer.status.clock_offset_ms() {
            let Line { boot, running } = line.clone();
            peer.clock = Some(PeerClock { boot, ahead_ms, at: now, running });
        }
    }

    /// Returns by how many milliseconds the clocks of the devices that can give are ahead of this
    /// one's, as far as that can be said now. Whoever is in touch is compared, parked or not (T-07);
    /// of one that has ended cleanly an earlier comparison says nothing more.
    pub(crate) fn clocks(
        &self,
        picture: &Picture,
        own: DeviceId,
        clock: &Clock,
    ) -> BTreeMap<DeviceId, i64> {
        let Some(line) = clock.line() else { return BTreeMap::new() };
        let (now, peers) = (clock.now(), self.lock());
        let counted: BTreeSet<DeviceId> = counted_devices(picture, own, &BTreeSet::new()).collect();
        let ahead = |device: DeviceId| {
            let peer = peers.get(&device)?;
            let compared = peer.clock.as_ref()?;
            let asked = peer.status.is_connected() || counted.contains(&device);
            (asked || is_fresh(compared, &line)).then_some(())?;
            Some((device, ahead_now(compared, now, &line)?))
        };
        members(picture, own).filter_map(ahead).collect()
    }

    /// Returns the devices that were heard to run since they ended cleanly, though they have recorded
    /// nothing that says so.
    pub(crate) fn awake(&self, picture: &Picture) -> BTreeSet<DeviceId> {
        let peers = self.lock();
        let awake = peers.iter().filter(|(device, peer)| {
            peer.ran_after.is_some() && parked_by(picture, **device) == peer.ran_after
        });
        awake.map(|(device, _)| *device).collect()
    }

    /// Keeps what changed, so that it is known at the next start.
    pub(crate) fn keep(&self, local: &Local) -> Result<(), DiskFault> {
        let changed: Vec<(DeviceId, Heard, Heads, Option<PeerClock>)> = {
            let mut peers = self.lock();
            let changed = peers.iter_mut().filter_map(|(device, peer)| {
                std::mem::take(&mut peer.changed)
                    .then(|| (*device, peer.heard(), peer.heads(), peer.clock.clone()))
            });
            changed.collect()
        };
        for (device, heard, heads, clock) in changed {
            local.set_heard(device, heard)?;
            local.set_receipt(device, &heads)?;
            if let Some(clock) = clock {
                local.set_clock_of(device, &clock)?;
            }
        }
        let ran = |(device, peer): (&DeviceId, &Peer)| Some((*device, peer.ran_after?));
        let ran: Vec<(DeviceId, EntryId)> = self.lock().iter().filter_map(ran).collect();
        ran.into_iter().try_for_each(|(device, parked)| local.set_ran_after(device, parked))
    }

    /// Returns who is heard just now.
    pub(crate) fn hearing(&self, clock: &Clock) -> Hearing {
        let running = clock.running();
        let mut hearing = Hearing::default();
        for (device, peer) in self.lock().iter() {
            let Heard { heard, complete_to } = peer.heard();
            hearing.last_heard.extend(heard.map(|at| (*device, at)));
            hearing.held_all.extend(complete_to.map(|at| (*device, at)));
            if peer.is_heard(running) {
                hearing.heard.insert(*device);
            }
            if peer.is_in_touch(running) {
                hearing.in_touch.insert(*device);
            }
        }
        hearing
    }

    /// Returns the devices that hold an entry on their disks, by their own word after their fsync.
    /// `covers` says whether a head that a device told stands on the entry or on one after it.
    pub(crate) fn holders(
        &self,
        log: &LogId,
        covers: impl Fn(&Head) -> bool,
    ) -> BTreeSet<DeviceId> {
        let told: Vec<(DeviceId, LogHeads)> = {
            let peers = self.lock();
            let told = |(device, peer): (&DeviceId, &Peer)| {
                Some((*device, peer.receipts.get(log)?.clone()))
            };
            peers.iter().filter_map(told).collect()
        };
        // The disk is read without keeping anybody else from what is known here.
        let holds = |held: &LogHeads| held.heads().iter().any(&covers);
        told.into_iter().filter(|(_, held)| holds(held)).map(|(device, _)| device).collect()
    }

    /// Returns how many receipts came since the start, to be read before looking at them.
    pub(crate) fn receipts_told(&self) -> u64 {
        self.receipts.load(Ordering::SeqCst)
    }

    /// Waits until more receipts have come than were `told`, `until` at most. Returns whether they
    /// have; it looks up ten times a second, since who counts may change without a receipt.
    pub(crate) fn wait_for_receipt(&self, told: u64, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let (guard, waited) = self
            .receipted
            .wait_timeout_while(self.lock(), left.min(Duration::from_millis(100)), |_| {
                self.receipts_told() == told
            })
            .unwrap_or_else(PoisonError::into_inner);
        drop(guard);
        !waited.timed_out()
    }

    /// Returns every device that is known, for a list.
    pub(crate) fn glance(&self) -> Vec<Glance> {
        let peers = self.lock();
        let glance = |(device, peer): (&DeviceId, &Peer)| Glance {
            device: *device,
            connected: peer.status.is_connected(),
            last_heard: peer.heard().heard,
            behind: match peer.status.level() {
                Some(Level::InSync) => Some(0),
                Some(Level::Apart(apart)) => Some(apart.ahead),
                None => None,
            },
            clock: peer.clock.as_ref().map(|clock| (clock.ahead_ms, clock.at)),
        };
        peers.iter().map(glance).collect()
    }

    /// Returns whether this device and that one hold the same, as far as both have said.
    pub(crate) fn is_in_sync(&self, device: &DeviceId) -> bool {
        self.lock().get(device).is_some_and(|peer| peer.status.level() == Some(&Level::InSync))
    }
}

impl Peer {
    /// Keeps a receipt. No home has as many logs or branches as are passed over here; a device that
    /// names them counts for less, and fills nothing.
    fn receipted(&mut self, log: LogId, held: &LogHeads) {
        let room = self.receipts.len() < RECEIPT_LOGS_MAX || self.receipts.contains_key(&log);
        if room && held.heads().len() <= RECEIPT_BRANCHES_MAX {
            self.receipts.insert(log, held.clone());
        } else {
            // What it said before of this log no longer holds either.
            self.receipts.remove(&log);
        }
    }

    fn heard(&self) -> Heard {
        let at = |reading: Reading| Timestamp(reading.wall_ms);
        Heard {
            heard: self.status.heard().map(at).or(self.before.heard),
            complete_to: self.status.held_all().map(at).or(self.before.complete_to),
        }
    }

    fn heads(&self) -> Heads {
        let mut heads = Heads::default();
        for (log, held) in &self.receipts {
            held.heads().iter().for_each(|head| heads.insert(*log, held.anchor(), *head));
        }
        heads
    }

    /// Whether this device held all that the other had a few seconds ago, on the connection that
    /// stands. What was so on an earlier one says nothing: the other may have given a dose since.
    /// Nor is it heard while it is known to have more than is here (W-16).
    fn is_heard(&self, running: Duration) -> bool {
        self.is_in_touch(running) && !self.has_more()
    }

    /// Whether this device held all that the other had a few seconds ago, and whatever it lacks now
    /// is on its way.
    fn is_in_touch(&self, running: Duration) -> bool {
        let stopped = match self.status.level() {
            Some(Level::Apart(apart)) => !apart.stopped.is_empty(),
            Some(Level::InSync) | None => false,
        };
        let level = self.status.level_here();
        !stopped && level.is_some_and(|at| running.saturating_sub(at.monotonic) <= HEARD_WITHIN)
    }

    /// Whether the other is known to have entries that are not written here.
    fn has_more(&self) -> bool {
        let missing = match self.status.level() {
            // Some of what was missing may have been written since it was compared.
            Some(Level::Apart(apart)) => apart.behind > self.brought,
            Some(Level::InSync) | None => false,
        };
        missing || self.waiting > 0
    }
}

/// Returns the entry by which a device is parked; `None` while it is not.
pub(crate) fn parked_by(picture: &Picture, device: DeviceId) -> Option<EntryId> {
    let record = picture.home.devices().get(&device).filter(|record| record.is_parked())?;
    counting(&record.parked).last().map(|written| written.id)
}

/// Returns to when this device's data is complete: the earliest, over the devices that count, of
/// when it last held all they had; `now` where none counts, `None` where one was never heard. With
/// it the devices that count and are not in touch (W-16, Y-04).
pub(crate) fn complete_to(
    picture: &Picture,
    (own, awake): (DeviceId, &BTreeSet<DeviceId>),
    hearing: &Hearing,
    now: Timestamp,
) -> (Option<Timestamp>, Vec<DeviceId>) {
    let counted: Vec<DeviceId> = counted_devices(picture, own, awake).collect();
    let complete = counted
        .iter()
        .map(|device| hearing.held_all.get(device).copied())
        .try_fold(now, |earliest, at| at.map(|at| earliest.min(at)));
    let unheard = counted.into_iter().filter(|device| !hearing.in_touch.contains(device)).collect();
    (complete, unheard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::session::Apart;

    const TABLET: DeviceId = DeviceId([7; 32]);

    fn reading(seconds: u64) -> Reading {
        let wall_ms = i64::try_from(seconds).unwrap() * 1000;
        Reading { monotonic: Duration::from_secs(seconds), wall_ms }
    }

    #[test]
    fn a_device_that_sends_but_whose_entries_are_not_all_here_is_not_heard() {
        let peers = Peers::default();
        peers.set_connected(TABLET, true, None);
        let apart = Notice::Apart(Apart { behind: 3, ..Apart::default() });
        peers.note(TABLET, &apart, reading(0), None);
        let clock = Clock::fixed(Timestamp(0));
        let hearing = peers.hearing(&clock);
        assert!(hearing.heard.is_empty());
        assert_eq!(hearing.last_heard.get(&TABLET), Some(&Timestamp(0)));
        peers.note(TABLET, &Notice::InSync { heads: [0; 32] }, reading(0), None);
        assert!(peers.hearing(&clock).heard.contains(&TABLET));
    }

    /// Bug: right after a join, or a start within seconds of the last, a dose was given without
    /// the question of W-16 although no other device was connected.
    /// Cause: a device that was heard before the start counted as heard for five seconds.
    /// Fix: it is heard once all that it has is here on the connection that stands.
    #[test]
    fn a_device_that_was_heard_before_the_start_is_not_heard() {
        let peer = Peer {
            before: Heard { heard: None, complete_to: Some(Timestamp(10_000)) },
            ..Peer::default()
        };
        assert!(!peer.is_heard(Duration::ZERO));
        assert_eq!(peer.heard().complete_to, Some(Timestamp(10_000)), "but that is still shown");
    }

    #[test]
    fn a_device_is_heard_from_the_moment_it_is_level_until_its_connection_ends() {
        let peers = Peers::default();
        let heard = |peers: &Peers| peers.hearing(&Clock::fixed(Timestamp(0))).heard;
        let clock = Notice::PeerClock { wall_ms: 0 };
        let in_sync = Notice::InSync { heads: [0; 32] };
        peers.set_connected(TABLET, true, None);
        peers.note(TABLET, &clock, reading(0), None);
        assert!(heard(&peers).is_empty(), "it has only said hello");
        peers.note(TABLET, &in_sync, reading(0), None);
        assert!(heard(&peers).contains(&TABLET));
        peers.set_connected(TABLET, false, None);
        assert!(heard(&peers).is_empty(), "it went a moment ago");
        peers.set_connected(TABLET, true, None);
        peers.note(TABLET, &clock, reading(0), None);
        assert!(heard(&peers).is_empty(), "what it did meanwhile is not here yet");
        peers.note(TABLET, &in_sync, reading(0), None);
        assert!(heard(&peers).contains(&TABLET));
    }

    /// Bug: a device whose dose was on its way, or waited to be written, counted as heard.
    /// Cause: that it was level a moment ago held for five seconds whatever it said since.
    /// Fix: while it is known to have more than is here, it is not heard.
    #[test]
    fn a_device_that_is_known_to_have_more_is_not_heard() {
        let peers = Peers::default();
        let hearing = || peers.hearing(&Clock::fixed(Timestamp(0)));
        let heard = || hearing().heard.contains(&TABLET);
        let in_touch = || hearing().in_touch.contains(&TABLET);
        let note = |notice| peers.note(TABLET, &notice, reading(0), None);
        let apart = |behind| Notice::Apart(Apart { behind, ahead: 1, ..Apart::default() });
        peers.set_connected(TABLET, true, None);
        note(Notice::InSync { heads: [0; 32] });
        peers.offers(TABLET, 3);
        assert!(!heard(), "what it sent waits");
        peers.looked_at(TABLET, 2, true);
        assert!(!heard(), "one of them waits still");
        peers.looked_at(TABLET, 1, true);
        assert!(heard(), "all that it sent is written");
        note(apart(2));
        assert!(!heard() && in_touch(), "it says that it has two more, which are on their way");
        peers.offers(TABLET, 2);
        peers.looked_at(TABLET, 2, false);
        assert!(!heard(), "they were not written");
        note(apart(0));
        assert!(heard(), "it only lacks what was written here");
        note(Notice::Apart(Apart { stopped: vec![LogId([1; 32])], ..Apart::default() }));
        assert!(!heard() && !in_touch(), "something of it was not taken in");
    }

    #[test]
    fn a_device_that_goes_without_a_word_is_heard_for_five_seconds_at_most() {
        let mut peer = Peer::default();
        peer.status.set_connected(true);
        peer.status.note(&Notice::InSync { heads: [0; 32] }, reading(1), None);
        assert!(peer.is_heard(Duration::from_secs(6)));
        assert!(!peer.is_heard(Duration::from_millis(6_001)));
    }

    /// Bug: a device that named other logs at each connection filled the memory of the others.
    /// Cause: its receipts were kept for whatever log it named.
    /// Fix: they are kept for more logs than a home has, and no more.
    #[test]
    fn a_device_that_names_logs_without_end_fills_nothing() {
        let peers = Peers::default();
        let head = |sequence| Head { sequence, hash: store::entry::Hash([1; 32]) };
        for number in 0..10_000_u32 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            let mut heads = Heads::default();
            heads.insert(LogId(id), 0, head(7));
            peers.note(TABLET, &Notice::PeerHolds(heads), reading(0), None);
        }
        let mut heads = Heads::default();
        (0..1_000).for_each(|branch| heads.insert(LogId([0; 32]), 0, head(branch)));
        peers.note(TABLET, &Notice::PeerHolds(heads), reading(0), None);
        let known = peers.lock();
        assert_eq!(known[&TABLET].receipts.len(), RECEIPT_LOGS_MAX - 1);
    }

    /// Bug: that a dose was saved on two devices was now and then shown a tenth of a second late.
    /// Cause: a receipt that came between looking and waiting was not waited for any more.
    /// Fix: the receipts are counted, and one that came since they were looked at ends the wait.
    #[test]
    fn a_receipt_between_looking_and_waiting_is_not_waited_for() {
        let peers = Peers::default();
        let told = peers.receipts_told();
        peers.note(TABLET, &Notice::PeerHolds(Heads::default()), reading(0), None);
        let until = Instant::now() + Duration::from_secs(60);
        assert!(peers.wait_for_receipt(told, until));
        assert!(!peers.wait_for_receipt(peers.receipts_told(), until));
    }

    #[test]
    fn a_home_of_one_device_is_complete_now() {
        let now = Timestamp(5);
        let (complete, unheard) =
            complete_to(&Picture::default(), (TABLET, &BTreeSet::new()), &Hearing::default(), now);
        assert_eq!((complete, unheard), (Some(now), Vec::new()));
    }
}
