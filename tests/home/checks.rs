//! What must hold when everything is connected again and quiet, whatever happened before. Each
//! check has a number, so that a planted bug can be told from another one.

use std::collections::{BTreeMap, BTreeSet};

use mar::alerts::{Cause, alerts};
use mar::chart::chart;
use mar::due;
use mar::ids::{AdministrationId, EntryId};
use mar::picture::{Picture, Standing};
use mar::time::{Minutes, Timestamp};
use store::entry::Sealed;
use store::record::{Range, Record};
use sync::session::Notice;

use crate::ledger::Given;
use crate::people::{PRN_INTERVAL, RESIDENTS, is_when_required};
use crate::teeth::Plant;
use crate::world::World;

/// What a reconnection of two devices that hold the same may cost, both ways together.
const RECONNECTION_BYTES_MAX: usize = 2_000;
/// Doses further away than this are in months that need not be in memory.
const WINDOW: Minutes = Minutes(20 * 24 * 60);

/// A promise that was not kept.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) check: u8,
    pub(crate) what: String,
}

pub(crate) type Outcome<T> = Result<T, Broken>;

impl Broken {
    pub(crate) fn of(check: u8, what: String) -> Self {
        Self { check, what }
    }
}

fn must(check: u8, holds: bool, what: impl FnOnce() -> String) -> Outcome<()> {
    if holds { Ok(()) } else { Err(Broken::of(check, what())) }
}

/// Every entry of a record, as a peer would be sent it.
pub(crate) fn all_entries(record: &Record) -> Vec<Sealed> {
    let reader = record.reader();
    let mut entries = Vec::new();
    for (log, held) in record.heads().iter() {
        for head in held.heads() {
            let mut after = None;
            while let Ok(Range::Entries(range)) = reader.range(log, after, head, 256 * 1024)
                && !range.is_empty()
            {
                after = range.last().map(|entry| (entry.sequence(), entry.id()));
                entries.extend(range);
            }
        }
    }
    entries
}

/// Everything that a person sees of the home, as text.
pub(crate) fn shown(picture: &Picture, now: Timestamp) -> String {
    let today = now.utc().date_naive();
    let days = (today - chrono::Days::new(3), today + chrono::Days::new(1));
    let mut text = format!("{:?}\n", alerts(picture, now));
    for resident in RESIDENTS {
        text.push_str(&format!("{:?}\n", chart(picture, resident, days, now)));
        if let Some(resident) = picture.resident(resident) {
            let span = (now.minus(Minutes(12 * 60)), now.plus(Minutes(12 * 60)));
            text.push_str(&format!("{:?}\n", due::due(&picture.home, resident, span, now)));
        }
    }
    text
}

impl World {
    /// Heals everything and waits until nobody has anything more to say.
    pub(crate) fn heal(&mut self) -> Outcome<()> {
        self.note("everything is mended".to_owned());
        self.blocked.clear();
        for device in 0..self.devices.len() {
            if self.devices[device].faulty {
                self.see_to(device)?;
            }
            self.devices[device].skew = 0;
        }
        // The device that was put out meets one of those that have not heard of it yet.
        for device in 0..self.devices.len() {
            if !self.active().contains(&device) && self.chance.one_in(2) {
                let other = self.chance.below(self.devices.len());
                self.connect(device, other)?;
                self.settle()?;
            }
        }
        self.lan.clear();
        let active = self.active();
        let mesh = self.chance.one_in(2);
        // A device that was let in last knows only who let it in, so nobody is left aside before
        // all have heard of it.
        for _ in 0..3 {
            for (at, a) in active.iter().enumerate() {
                for b in &active[at + 1..] {
                    let pair = |c: &crate::lan::Connection| {
                        c.ends.iter().all(|end| [*a, *b].contains(&end.device))
                    };
                    let near = mesh || b - a <= 2 || self.devices[*b].sponsor == Some(*a);
                    if near && !self.lan.values().any(pair) {
                        self.connect(*a, *b)?;
                    }
                }
            }
            self.settle()?;
            for device in &active {
                self.tick(*device)?;
            }
            self.settle()?;
        }
        Ok(())
    }

    /// Looks whether everything held.
    pub(crate) fn check(&mut self) -> Outcome<()> {
        self.sessions_ended_in_sync()?;
        self.all_hold_the_same()?;
        self.nothing_is_gone()?;
        self.nothing_strange_was_let_in()?;
        self.forks_are_kept_and_told()?;
        self.the_put_out_do_not_count()?;
        self.a_reconnection_is_cheap()?;
        self.a_restart_shows_the_same()?;
        self.what_was_done_apart_is_raised()
    }

    /// Check 8: a session ends in sync or says why not.
    fn sessions_ended_in_sync(&self) -> Outcome<()> {
        let active = self.active();
        for (id, connection) in &self.lan {
            for end in &connection.ends {
                let in_sync = matches!(end.level, Some(Notice::InSync { .. }));
                must(8, in_sync, || {
                    let (level, here) = (&end.level, end.device);
                    format!("device {here} is not in sync on connection {id}: {level:?}")
                })?;
            }
        }
        let alone = active.iter().find(|at| active.len() > 1 && self.ends_of(**at).is_empty());
        must(8, alone.is_none(), || format!("nobody talks to device {alone:?}"))
    }

    /// Check 1: all active devices hold and show the same home.
    fn all_hold_the_same(&self) -> Outcome<()> {
        let active = self.active();
        let first = self.devices[active[0]].record();
        let state = first.reader().published().state;
        for at in &active[1..] {
            let record = self.devices[*at].record();
            let heads = record.heads().hash() == first.heads().hash();
            must(1, heads, || format!("devices {} and {at} hold different entries", active[0]))?;
            let same = record.reader().published().state == state;
            must(1, same, || format!("devices {} and {at} differ in state", active[0]))?;
        }
        Ok(())
    }

    /// After a power cut: what a person was told is saved here, or what a peer was given a receipt
    /// for, is here.
    pub(crate) fn nothing_told_is_lost(&self, device: usize) -> Outcome<()> {
        let reader = self.devices[device].record().reader();
        for saved in self.ledger.saved.iter().filter(|saved| saved.holders.contains(&device)) {
            let there = matches!(reader.entry(&saved.entry), Ok(Some(_)));
            let check = if saved.writer == device { 2 } else { 3 };
            must(check, there, || {
                let (entry, writer) = (saved.entry, saved.writer);
                format!("device {device} lost {entry} of device {writer}, which was told as saved")
            })?;
        }
        Ok(())
    }

    /// Checks 2 and 3: what was told as saved is on every active device, and on the one that was
    /// put out where it got no further.
    fn nothing_is_gone(&self) -> Outcome<()> {
        let active = self.active();
        for device in 0..self.devices.len() {
            self.nothing_told_is_lost(device)?;
        }
        for saved in &self.ledger.saved {
            let somewhere = saved.holders.iter().any(|holder| active.contains(holder));
            if !somewhere {
                // Its last holder was put out: it is there, and with it.
                let held = |at: &crate::device::Device| {
                    matches!(at.record().reader().entry(&saved.entry), Ok(Some(_)))
                };
                must(2, self.devices.iter().any(held), || format!("{} is gone", saved.entry))?;
                continue;
            }
            for at in &active {
                let reader = self.devices[*at].record().reader();
                let there = matches!(reader.entry(&saved.entry), Ok(Some(_)));
                must(2, there, || format!("{} did not reach device {at}", saved.entry))?;
            }
        }
        Ok(())
    }

    /// Check 4: chains, signatures, indexes and views are whole, and nothing is held that no
    /// device of the home wrote.
    fn nothing_strange_was_let_in(&self) -> Outcome<()> {
        for (at, device) in self.devices.iter().enumerate() {
            let found = device.record().reader().verify();
            must(4, found.is_clean(), || format!("device {at}: {:?}", found.faults))?;
            let doubtful: BTreeSet<_> = self.devices.iter().filter(|d| d.doubtful).collect_ids();
            let home = &device.record().picture().home;
            for entry in all_entries(device.record()) {
                let known = self.ledger.written.contains(&entry.id());
                let owner = home.owner(entry.log());
                let unanswered = owner.is_some_and(|owner| doubtful.contains(&owner));
                must(4, known || unanswered, || {
                    format!("device {at} holds {}, which nobody wrote", entry.id())
                })?;
            }
        }
        Ok(())
    }

    /// Check 5: each branch of a forked log is everywhere, and somebody is told.
    fn forks_are_kept_and_told(&mut self) -> Outcome<()> {
        let first = self.active()[0];
        let record = self.devices[first].record();
        let forked: Vec<_> = record
            .heads()
            .iter()
            .filter(|(_, held)| held.is_forked())
            .map(|(log, held)| (*log, held.heads().to_vec()))
            .collect();
        for (log, heads) in &forked {
            let told = self.plant != Some(Plant::ForkKeptQuiet) && self.forks_told.contains(log);
            must(5, told, || format!("nobody was told that the log {log} is forked"))?;
            for head in heads {
                let recorded = record.reader().recorded(&head.hash.id());
                let standing = recorded.ok().flatten().map(|recorded| recorded.standing);
                let flagged = standing.is_some_and(|standing| standing != Standing::InForce);
                must(5, flagged, || {
                    format!("{} is on a branch, and stands as if it were not", head.hash.id())
                })?;
            }
        }
        self.tally.forks += forked.len();
        Ok(())
    }

    /// Check 6: what a device wrote after it was put out never counts, and what it wrote before
    /// does.
    fn the_put_out_do_not_count(&mut self) -> Outcome<()> {
        let mut cut_off = 0;
        let active = self.active();
        for at in active.iter().copied() {
            let reader = self.devices[at].record().reader();
            let is_held = |id: &EntryId| matches!(reader.entry(id), Ok(Some(_)));
            let held: BTreeSet<EntryId> =
                self.ledger.revocations.iter().map(|r| r.entry).filter(|id| is_held(id)).collect();
            for given in &self.ledger.given {
                // Whose guest was never heard of before it was put out is judged by nobody.
                let ours = |writer: &usize| active.contains(writer) || self.is_out(*writer);
                let Some(writer) = self.ledger.writer(&given.entry).filter(ours) else { continue };
                let Ok(Some(recorded)) = reader.recorded(&given.entry) else { continue };
                let standing = match (self.plant, recorded.standing) {
                    (Some(Plant::PutOutDosesCount), Standing::Quarantined) => Standing::InForce,
                    (_, standing) => standing,
                };
                let outside = self.ledger.is_cut_off(writer, given, &held);
                cut_off += usize::from(outside);
                must(6, outside != standing.counts(), || {
                    let entry = given.entry;
                    format!("{entry} of device {writer} is {standing:?} on {at}: {outside}")
                })?;
            }
        }
        self.tally.cut_off += cut_off;
        Ok(())
    }

    /// Check 8, too: who is in sync and connects again says so in a few bytes.
    fn a_reconnection_is_cheap(&mut self) -> Outcome<()> {
        let active = self.active();
        let (Some(a), Some(b)) = (active.first(), active.last()) else { return Ok(()) };
        self.lan.clear();
        if !self.connect(*a, *b)? {
            return Ok(());
        }
        self.settle()?;
        let bytes: usize = self.lan.values().flat_map(|c| &c.ends).map(|end| end.sent).sum();
        must(8, bytes < RECONNECTION_BYTES_MAX, || format!("a reconnection took {bytes} bytes"))?;
        self.sessions_ended_in_sync_of(*a, *b)
    }

    fn sessions_ended_in_sync_of(&self, a: usize, b: usize) -> Outcome<()> {
        let level = |end: &crate::lan::End| matches!(end.level, Some(Notice::InSync { .. }));
        let all = self.lan.values().flat_map(|c| &c.ends).all(level);
        must(8, all, || format!("{a} and {b} do not find that they are in sync"))
    }

    /// Checks 1 and 9: everything is the same after a restart, with views and without.
    fn a_restart_shows_the_same(&mut self) -> Outcome<()> {
        let active = self.active();
        let state = self.devices[active[0]].record().reader().published().state;
        let now = Timestamp(self.time);
        let mut same: Option<String> = None;
        for (turn, at) in active.iter().enumerate() {
            let before = shown(self.devices[*at].record().picture(), now);
            let from = self.devices[*at].record().reader().published().from;
            self.cut_all_of(*at);
            self.devices[*at].close();
            if turn % 2 == 0 {
                self.devices[*at].disk.delete("views.redb");
            }
            self.spoil(*at);
            self.start(*at)?;
            let record = self.devices[*at].record();
            must(9, record.reader().published().state == state, || {
                format!("the state of device {at} is another one after a restart")
            })?;
            let after = shown(record.picture(), now);
            let comparable = record.reader().published().from == from;
            must(9, !comparable || after == before, || {
                format!("device {at} shows another home after a restart")
            })?;
            must(1, same.as_ref().is_none_or(|same| *same == after), || {
                format!("device {at} shows another home than device {}", active[0])
            })?;
            same.get_or_insert(after);
        }
        self.nothing_strange_was_let_in()
    }

    /// Check 7: double doses and breached intervals of people apart are raised on every device.
    fn what_was_done_apart_is_raised(&mut self) -> Outcome<()> {
        let now = Timestamp(self.time);
        let near = |given: &&Given| {
            given.at > now.minus(WINDOW)
                && given.at < now.plus(WINDOW)
                && !self.ledger.corrected.contains(&given.administration)
        };
        let given: Vec<&Given> = self.ledger.given.iter().filter(near).collect();
        let (mut doubles, mut breaches) = (0, 0);
        for at in self.active() {
            let record = self.devices[at].record();
            let picture = crate::teeth::merged(self.plant, record.picture());
            let counts = |given: &Given| {
                let recorded = record.reader().recorded(&given.entry).ok().flatten();
                recorded.is_some_and(|recorded| recorded.standing.counts())
            };
            let counting: Vec<&Given> = given.iter().copied().filter(|g| counts(g)).collect();
            let raised = Raised::of(&picture, now);
            doubles += raised.doubles_of(at, &counting)?;
            breaches += raised.breaches_of(at, &counting)?;
        }
        self.tally.doubles += doubles;
        self.tally.breaches += breaches;
        Ok(())
    }
}

/// What the alerts say of doses.
struct Raised {
    doubles: Vec<BTreeSet<AdministrationId>>,
    breaches: BTreeSet<AdministrationId>,
}

impl Raised {
    fn of(picture: &Picture, now: Timestamp) -> Self {
        let mut raised = Self { doubles: Vec::new(), breaches: BTreeSet::new() };
        for alert in alerts(picture, now) {
            match alert.cause {
                Cause::DoubleDose(_, doses) => raised.doubles.push(doses.into_iter().collect()),
                Cause::IntervalBreach(dose) | Cause::TotalBreach(dose) => {
                    raised.breaches.insert(dose);
                }
                _ => {}
            }
        }
        raised
    }

    /// Every dose that is due once and was given twice.
    fn doubles_of(&self, at: usize, given: &[&Given]) -> Outcome<usize> {
        let mut places: BTreeMap<_, BTreeSet<AdministrationId>> = BTreeMap::new();
        for given in given {
            if let Some(place) = given.place() {
                places.entry(place).or_default().insert(given.administration);
            }
        }
        let mut count = 0;
        for (place, doses) in places.iter().filter(|(_, doses)| doses.len() > 1) {
            count += 1;
            let told = self.doubles.iter().any(|raised| raised.is_superset(doses));
            must(7, told, || format!("device {at} does not raise {place:?}, given twice"))?;
        }
        Ok(count)
    }

    /// Every two doses of a when-required medicine that are too near each other.
    fn breaches_of(&self, at: usize, given: &[&Given]) -> Outcome<usize> {
        let when_required: Vec<_> = given.iter().filter(|g| is_when_required(g.order)).collect();
        let mut count = 0;
        for (index, a) in when_required.iter().enumerate() {
            for b in &when_required[index + 1..] {
                let near = (a.at.0 - b.at.0).abs() < i64::from(PRN_INTERVAL.0) * 60_000;
                if a.order != b.order || !near || a.administration == b.administration {
                    continue;
                }
                count += 1;
                let told = [a, b].iter().any(|g| self.breaches.contains(&g.administration));
                must(7, told, || {
                    let (a, b) = (a.administration, b.administration);
                    format!("device {at} does not raise that {a} and {b} are too near")
                })?;
            }
        }
        Ok(count)
    }
}

trait CollectIds {
    fn collect_ids(self) -> BTreeSet<mar::ids::DeviceId>;
}

impl<'d, I: Iterator<Item = &'d crate::device::Device>> CollectIds for I {
    fn collect_ids(self) -> BTreeSet<mar::ids::DeviceId> {
        self.map(|device| device.id).collect()
    }
}
