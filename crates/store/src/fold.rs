//! From entries to what is shown: each is read, judged, kept as a row, and put into the picture.
//!
//! The order in which entries arrive leaves no trace. The home's entries decide which others
//! count, so all of them are judged together whenever one is added, always from the same start; a
//! change among them opens the others that it may touch to be judged again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use mar::fact::{DoseFact, Fact, Kind, MembershipFact};
use mar::ids::{DeviceId, LogId, OrderId, ResidentId};
use mar::picture::{HomePicture, Picture, Recorded, ResidentPicture, Stamp, Standing};
use mar::standing::{judge, reopened};
use mar::time::{Month, Period, Timestamp, cycle_of};

use crate::codec;
use crate::entry::{EntryId, Sealed};
use crate::log::{LogRead, Pinned};
use crate::tables::{DiskFault, guarded};
use crate::views::{Indexed, Row, StandsFor, Views, ViewsRead};

/// How many entries are folded at a time when the views follow behind.
const CHUNK: usize = 8192;
/// Judging the home's entries again settles after a few rounds; what two managers wrote against
/// each other may not, and is then left where this many rounds bring it, on every device alike.
const ROUNDS_MAX: usize = 16;
/// Days in one cycle of medicines (S-04).
const CYCLE: chrono::Days = chrono::Days::new(28);

/// Which parts of the picture changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Settings, staff, devices or secrets.
    pub home: bool,
    /// The residents whose picture changed.
    pub residents: BTreeSet<ResidentId>,
}

/// The picture with what is needed to keep it.
#[derive(Debug)]
pub(crate) struct Folded {
    pinned: Pinned,
    /// The home's entries as they were settled.
    home: BTreeMap<EntryId, Arc<Recorded>>,
    pub(crate) picture: Picture,
    /// For each forked log the first sequence at which it has two entries.
    forks: BTreeMap<LogId, u64>,
    /// Forked logs of which the views may not know that they are: while they follow the log.
    unfolded: BTreeSet<LogId>,
    /// The first month of which doses are held in memory.
    pub(crate) from: Month,
    /// Residents with doses in memory from before that month: the last ones of these orders.
    with_older: BTreeMap<ResidentId, BTreeSet<OrderId>>,
}

impl Folded {
    /// Folds what the views do not stand for yet, and reads the picture from them.
    pub(crate) fn load(
        pinned: Pinned,
        log: &LogRead,
        views: &Views,
        now: Timestamp,
    ) -> Result<Self, DiskFault> {
        let mut folded = Self {
            pinned,
            home: BTreeMap::new(),
            picture: Picture::default(),
            forks: forks(log)?,
            unfolded: BTreeSet::new(),
            from: now.month(),
            with_older: BTreeMap::new(),
        };
        let stands_for = views.read()?.stands_for()?;
        if stands_for.arrival == 0 {
            folded.make_views(log, views)?;
        } else {
            folded.load_home(&views.read()?)?;
            folded.unfolded = folded.forks.keys().copied().collect();
            folded.catch_up(log, views, stands_for.arrival)?;
            folded.unfolded.clear();
        }
        folded.load_residents(&views.read()?, now)?;
        Ok(folded)
    }

    /// Settles the home's entries from the log alone, to judge every other by: for a comparison.
    pub(crate) fn home_only(pinned: Pinned, log: &LogRead) -> Result<Self, DiskFault> {
        let mut folded = Self {
            pinned,
            home: BTreeMap::new(),
            picture: Picture::default(),
            forks: forks(log)?,
            unfolded: BTreeSet::new(),
            from: Month(0),
            with_older: BTreeMap::new(),
        };
        log.raw_entries(|entry| {
            folded.take_if_home(entry);
        })?;
        folded.settle();
        Ok(folded)
    }

    /// Reads and judges an entry.
    pub(crate) fn judge_again(&self, entry: &Sealed) -> Recorded {
        self.judged(self.read(entry))
    }

    /// Makes all rows from the log: the home's entries first, so that nothing is judged twice. What
    /// the views stand for is written with the last of them: before that they stand for nothing.
    fn make_views(&mut self, log: &LogRead, views: &Views) -> Result<(), DiskFault> {
        log.about_nobody(|entry| self.take_if_home(entry))?;
        self.settle();
        if !log.is_counted()? {
            return Err(DiskFault::Row { table: "arrivals-1" });
        }
        let arrival = log.last_arrival()?;
        let stands_for = StandsFor { arrival, key: log.arrival(arrival)?.unwrap_or_default() };
        let (rows, waiting) = sync_channel::<Vec<Indexed>>(1);
        let write =
            || waiting.into_iter().try_for_each(|rows| views.write(rows, &StandsFor::default()));
        let read = || {
            let rows = rows;
            log.in_order(CHUNK, |entries| {
                let judged = |entry: &Sealed| Indexed::new(entry, &self.judge_again(entry));
                rows.send(entries.iter().map(judged).collect()).map_err(|_| DiskFault::Closed)
            })
        };
        side_by_side(write, read)?;
        views.write(Vec::new(), &stands_for)
    }

    fn catch_up(
        &mut self,
        log: &LogRead,
        views: &Views,
        mut arrival: u64,
    ) -> Result<(), DiskFault> {
        while let Some((last, entries)) = log.arrivals(arrival, CHUNK)? {
            arrival = last;
            self.take_in(log, views, &entries)?;
        }
        Ok(())
    }

    fn take_if_home(&mut self, entry: &Sealed) {
        if entry.subject().is_some() || self.home.contains_key(&entry.id()) {
            return;
        }
        let read = self.read(entry);
        if is_home(&read) {
            self.home.insert(read.id, Arc::new(read));
        }
    }

    fn load_home(&mut self, views: &ViewsRead) -> Result<(), DiskFault> {
        for row in views.lifelong(None)? {
            let recorded = recorded(&self.pinned, &self.picture.home, &row)?;
            self.home.insert(recorded.id, Arc::new(recorded));
        }
        self.name_devices();
        self.picture.home = self.home_picture();
        Ok(())
    }

    /// Says of each of the home's entries whose log it stands in.
    fn name_devices(&mut self) {
        let owners: BTreeMap<LogId, DeviceId> =
            self.home.values().filter_map(|held| owner_of(held)).collect();
        for held in self.home.values_mut() {
            let device = owners.get(&held.stamp.log).copied();
            if held.device != device {
                *held = Arc::new(Recorded { device, ..(**held).clone() });
            }
        }
    }

    fn home_picture(&self) -> Arc<HomePicture> {
        let mut picture = Picture::default();
        for held in self.home.values() {
            picture.apply(held);
        }
        picture.home
    }

    fn load_residents(&mut self, views: &ViewsRead, now: Timestamp) -> Result<(), DiskFault> {
        self.from = self.first_month(now);
        self.with_older.clear();
        self.picture.residents.clear();
        for subject in views.subjects()? {
            self.load_resident(views, subject)?;
        }
        Ok(())
    }

    fn load_resident(&mut self, views: &ViewsRead, id: ResidentId) -> Result<(), DiskFault> {
        let home = &self.picture.home;
        let (mut resident, older) = resident_from(&self.pinned, home, views, (id, self.from))?;
        if older.is_empty() {
            self.with_older.remove(&id);
        } else {
            resident.forget_before(self.from);
            self.with_older.insert(id, older);
        }
        self.picture.put(Arc::new(resident));
        Ok(())
    }

    /// Takes in entries that are on the disk already, and says what changed. Call it once for each
    /// batch; taking an entry in twice changes nothing.
    pub(crate) fn take_in(
        &mut self,
        log: &LogRead,
        views: &Views,
        entries: &[Sealed],
    ) -> Result<Changes, DiskFault> {
        let mut rows = Vec::new();
        let mut touched: Vec<Arc<Recorded>> = Vec::new();
        let mut open = self.note_forks(log, entries)?;
        let home_changes = self.take_in_home(entries, !open.is_empty());
        let mut unknown = false;
        for changed in &home_changes {
            let again = reopened(&self.picture.home, changed);
            unknown |= again.unknown;
            for (log, from) in again.logs {
                let known = open.entry(log).or_insert(from);
                *known = (*known).min(from);
            }
        }
        for entry in entries {
            let judged = self.judged(self.read(entry));
            rows.push(Indexed::new(entry, &judged));
            if !is_home(&judged) {
                touched.push(Arc::new(judged));
            }
        }
        let before = views.read()?;
        let new: BTreeSet<EntryId> = entries.iter().map(Sealed::id).collect();
        let mut changed: BTreeMap<EntryId, (Indexed, Recorded)> = BTreeMap::new();
        let mut judge_again = |entry: Sealed| -> Result<(), DiskFault> {
            if !new.contains(&entry.id()) {
                let judged = self.judged(self.read(&entry));
                let indexed = Indexed::new(&entry, &judged);
                let held = before.row(indexed.row.view, indexed.row.id)?;
                if held.is_some_and(|held| held != indexed.row) {
                    changed.insert(judged.id, (indexed, judged));
                }
            }
            Ok(())
        };
        for (id, from) in &open {
            log.each(id, *from, CHUNK, &mut judge_again)?;
        }
        let in_doubt = if unknown { before.in_doubt()? } else { Vec::new() };
        for id in home_changes.iter().map(|changed| changed.id).chain(in_doubt) {
            if let Some(entry) = log.entry(&id)? {
                judge_again(entry)?;
            }
        }
        for (indexed, judged) in changed.into_values() {
            rows.push(indexed);
            if !is_home(&judged) {
                touched.push(Arc::new(judged));
            }
        }
        drop(before);
        views.write(rows, &self.now_stands_for(log, views, entries)?)?;
        let mut changes = self.put_into_picture(&views.read()?, &touched, &new)?;
        changes.home = !home_changes.is_empty();
        Ok(changes)
    }

    /// What the views stand for once these entries are folded: the arrivals follow each other, so
    /// it is as many more as are new.
    fn now_stands_for(
        &self,
        log: &LogRead,
        views: &Views,
        entries: &[Sealed],
    ) -> Result<StandsFor, DiskFault> {
        let before = views.read()?.stands_for()?;
        let new: BTreeSet<EntryId> = entries.iter().map(Sealed::id).collect();
        let last = log.arrivals_while(before.arrival, |id| new.contains(id))?;
        Ok(last.map_or(before, |(arrival, key)| StandsFor { arrival, key }))
    }

    /// Adds the home's entries among these and settles all of them; returns those that are new or
    /// stand differently than before.
    fn take_in_home(&mut self, entries: &[Sealed], forked: bool) -> Vec<Arc<Recorded>> {
        let before: BTreeMap<EntryId, Standing> =
            self.home.values().map(|held| (held.id, held.standing)).collect();
        entries.iter().for_each(|entry| self.take_if_home(entry));
        if self.home.len() == before.len() && !forked {
            return Vec::new();
        }
        self.settle();
        let changed =
            |held: &&Arc<Recorded>| before.get(&held.id).is_none_or(|was| *was != held.standing);
        self.home.values().filter(changed).cloned().collect()
    }

    /// Judges the home's entries together, always from the same start: as if all were in force.
    fn settle(&mut self) {
        self.name_devices();
        for held in self.home.values_mut() {
            if held.standing != Standing::InForce {
                let recorded = Recorded { standing: Standing::InForce, ..(**held).clone() };
                *held = Arc::new(recorded);
            }
        }
        for _ in 0..ROUNDS_MAX {
            self.picture.home = self.home_picture();
            let standings: Vec<Standing> =
                self.home.values().map(|held| self.standing(held)).collect();
            let mut settled = true;
            for (held, standing) in self.home.values_mut().zip(standings) {
                if held.standing != standing {
                    *held = Arc::new(Recorded { standing, ..(**held).clone() });
                    settled = false;
                }
            }
            if settled {
                return;
            }
        }
        self.picture.home = self.home_picture();
    }

    fn standing(&self, recorded: &Recorded) -> Standing {
        let judged = judge(&self.picture.home, recorded);
        let forked = self
            .forks
            .get(&recorded.stamp.log)
            .is_some_and(|first| recorded.stamp.sequence >= *first);
        // Every branch of a forked log is folded, and a person looks at it.
        if forked { judged.max(Standing::NeedsReview) } else { judged }
    }

    fn judged(&self, mut recorded: Recorded) -> Recorded {
        if let Some(held) = self.home.get(&recorded.id) {
            return (**held).clone();
        }
        recorded.device = self.picture.home.owner(recorded.stamp.log);
        recorded.standing = self.standing(&recorded);
        recorded
    }

    /// Remembers logs that these entries fork; returns those with the first sequence to judge
    /// again.
    fn note_forks(
        &mut self,
        log: &LogRead,
        entries: &[Sealed],
    ) -> Result<BTreeMap<LogId, u64>, DiskFault> {
        let mut forked = BTreeSet::new();
        for id in entries.iter().map(Sealed::log).collect::<BTreeSet<LogId>>() {
            if log.is_forked(&id)? {
                forked.insert(id);
            }
        }
        let mut open = BTreeMap::new();
        for entry in entries.iter().filter(|entry| forked.contains(&entry.log())) {
            let (id, sequence) = (entry.log(), entry.sequence());
            let known = self.forks.get(&id).copied();
            if let Some(first) = known.filter(|_| self.unfolded.remove(&id)) {
                open.insert(id, first);
            }
            let earlier = known.is_none_or(|first| sequence < first);
            if earlier && log.at_sequence(&id, sequence)? > 1 {
                self.forks.insert(id, sequence);
                open.insert(id, sequence);
            }
        }
        Ok(open)
    }

    fn put_into_picture(
        &mut self,
        views: &ViewsRead,
        touched: &[Arc<Recorded>],
        new: &BTreeSet<EntryId>,
    ) -> Result<Changes, DiskFault> {
        let mut changes = Changes::default();
        let mut from_disk = BTreeSet::new();
        for recorded in touched {
            let Some(resident) = recorded.subject else { continue };
            changes.residents.insert(resident);
            if !new.contains(&recorded.id) || self.touches_the_past(resident, recorded) {
                from_disk.insert(resident);
            } else {
                self.picture.apply(recorded);
            }
        }
        for resident in &changes.residents {
            if from_disk.contains(resident) {
                self.load_resident(views, *resident)?;
            }
        }
        Ok(changes)
    }

    /// Whether a fact may bring in or let go a dose from before the months in memory, as the last
    /// one of its order: then the resident is read from the disk.
    fn touches_the_past(&self, resident: ResidentId, recorded: &Recorded) -> bool {
        if matches!(recorded.fact.period(), Period::Month(month) if month < self.from) {
            return true;
        }
        let held = self.picture.residents.get(&resident);
        match &recorded.fact {
            Fact::Order(fact) => held.is_none_or(|held| !held.orders.contains_key(&fact.order())),
            Fact::Dose(DoseFact::Corrected(_)) => true,
            Fact::Dose(DoseFact::Recorded(dose)) => {
                let older = self.with_older.get(&resident);
                older.is_some_and(|orders| orders.contains(&dose.order))
                    || held
                        .is_some_and(|held| held.administrations.contains_key(&dose.administration))
            }
            Fact::Dose(DoseFact::Popped(_) | DoseFact::Effect(_))
            | Fact::Membership(_)
            | Fact::Home(_)
            | Fact::Resident(_)
            | Fact::FollowUp(_)
            | Fact::Access(_)
            | Fact::Unknown => false,
        }
    }

    /// Moves the months in memory on with the time. Returns whether anything was let go.
    pub(crate) fn move_on(&mut self, views: &ViewsRead, now: Timestamp) -> Result<bool, DiskFault> {
        if self.first_month(now) == self.from {
            return Ok(false);
        }
        self.load_residents(views, now)?;
        Ok(true)
    }

    /// Returns the month in which the cycle before this one began, or the one before where its
    /// first day may still be yesterday somewhere.
    fn first_month(&self, now: Timestamp) -> Month {
        let today = now.utc().date_naive();
        let Some(settings) = self.picture.home.settings_on(today) else { return now.month() };
        let (_, _, first) = cycle_of(settings.cycle_start, today);
        let before = first.checked_sub_days(CYCLE).and_then(|day| day.pred_opt()).unwrap_or(first);
        Timestamp(before.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()).month()
    }

    fn read(&self, entry: &Sealed) -> Recorded {
        read(&self.pinned, entry)
    }
}

/// Reads an entry; it is judged later.
pub(crate) fn read(pinned: &Pinned, entry: &Sealed) -> Recorded {
    let (made, fact) = content(
        pinned,
        entry.id(),
        entry.sequence(),
        (entry.kind(), entry.kind_version(), entry.payload()),
    );
    Recorded {
        id: entry.id(),
        stamp: Stamp {
            clock: entry.clock().to_bits(),
            log: entry.log(),
            sequence: entry.sequence(),
        },
        device: None,
        wall: Timestamp(entry.wall_ms()),
        kind: Kind { class: entry.class().0, number: entry.kind() },
        kind_version: entry.kind_version(),
        subject: entry.subject().map(ResidentId),
        made,
        fact,
        standing: Standing::Unknown,
    }
}

/// Reads a row back as it was judged.
pub(crate) fn recorded(
    pinned: &Pinned,
    home: &HomePicture,
    row: &Row,
) -> Result<Recorded, DiskFault> {
    let fixed = row.fixed().ok_or(DiskFault::Row { table: "rows-1" })?;
    let (made, fact) =
        content(pinned, row.id, fixed.sequence, (fixed.kind, fixed.kind_version, fixed.payload));
    let mut subject = [0; 16];
    subject.copy_from_slice(&row.view[..16]);
    let log = LogId(fixed.log);
    Ok(Recorded {
        id: row.id,
        stamp: Stamp { clock: fixed.clock, log, sequence: fixed.sequence },
        device: home.owner(log),
        wall: Timestamp(fixed.wall_ms),
        kind: Kind { class: fixed.class, number: fixed.kind },
        kind_version: fixed.kind_version,
        subject: (subject != [0; 16]).then_some(ResidentId(subject)),
        made,
        fact,
        standing: fixed.standing,
    })
}

/// Reads one resident with all months from `from` on, and with the months in which the last dose
/// of each order lies; also returns the orders for which a month before `from` was read.
pub(crate) fn resident_from(
    pinned: &Pinned,
    home: &HomePicture,
    views: &ViewsRead,
    (id, from): (ResidentId, Month),
) -> Result<(ResidentPicture, BTreeSet<OrderId>), DiskFault> {
    let mut resident = ResidentPicture::new(id);
    let mut rows = views.lifelong(Some(id))?;
    rows.extend(views.months(Some(id), from, Month(i32::MAX))?);
    for row in rows {
        resident.apply(&Arc::new(recorded(pinned, home, &row)?));
    }
    let mut loaded = BTreeSet::new();
    let mut older = BTreeSet::new();
    let orders: Vec<_> = resident.orders.keys().copied().collect();
    for order in orders {
        for month in views.dose_months(id, order, from)? {
            if resident.last_taken(order).is_some() {
                break;
            }
            older.insert(order);
            if loaded.insert(month) {
                for row in views.months(Some(id), month, month)? {
                    resident.apply(&Arc::new(recorded(pinned, home, &row)?));
                }
            }
        }
    }
    Ok((resident, older))
}

/// Reads a payload. What cannot be read is a fact that is not known here; so is a founding that is
/// not the one pinned, and a start of a log in the middle of one.
fn content(
    pinned: &Pinned,
    id: EntryId,
    sequence: u64,
    (kind, version, payload): (u16, u16, &[u8]),
) -> (Option<mar::fact::Made>, Fact) {
    let Ok(decoded) = codec::decode(kind, version, payload) else {
        return (None, Fact::Unknown);
    };
    match &decoded.fact {
        Fact::Membership(MembershipFact::HomeFounded(_)) if id != pinned.founding.id() => {
            (None, Fact::Unknown)
        }
        Fact::Membership(MembershipFact::LogStarted(_)) if sequence != 0 => (None, Fact::Unknown),
        Fact::Membership(_)
        | Fact::Home(_)
        | Fact::Resident(_)
        | Fact::Order(_)
        | Fact::Dose(_)
        | Fact::FollowUp(_)
        | Fact::Access(_)
        | Fact::Unknown => (decoded.made, decoded.fact),
    }
}

/// Whether an entry is one of the home's, which decide what counts.
fn is_home(recorded: &Recorded) -> bool {
    recorded.subject.is_none() && recorded.fact.period() == Period::Lifelong
}

fn owner_of(held: &Recorded) -> Option<(LogId, DeviceId)> {
    if let Fact::Membership(MembershipFact::LogStarted(start)) = &held.fact {
        Some((held.stamp.log, start.device))
    } else {
        None
    }
}

fn forks(log: &LogRead) -> Result<BTreeMap<LogId, u64>, DiskFault> {
    let mut forks = BTreeMap::new();
    for (id, held) in log.heads()?.iter().filter(|(_, held)| held.is_forked()) {
        if let Some(first) = log.first_fork(id, held.anchor())? {
            forks.insert(*id, first);
        }
    }
    Ok(forks)
}

/// Reads and judges on this thread, and writes on another. A damaged page that either meets is a
/// fault of the disk: each thread is guarded by itself.
fn side_by_side(
    write: impl FnOnce() -> Result<(), DiskFault> + Send,
    read: impl FnOnce() -> Result<(), DiskFault>,
) -> Result<(), DiskFault> {
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| guarded(write));
        let read = guarded(read);
        // What stopped the writing stopped the reading too.
        writing.join().unwrap_or(Err(DiskFault::Inconsistent)).and(read)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bug: a damaged page that was met while the views were made again was told as a mistake of
    /// this program, with the words of a panic.
    /// Cause: the thread that writes the rows was not guarded.
    /// Fix: both threads are.
    #[test]
    fn a_page_that_stops_either_thread_is_a_fault_of_the_disk() {
        for (write, read) in [(true, false), (false, true), (true, true)] {
            let guards = std::sync::Mutex::new(Vec::new());
            let work = |stops: bool| {
                guards.lock().unwrap().push(crate::is_guarded());
                assert!(!stops, "so the database stops where it contradicts itself");
                Ok(())
            };
            let done = side_by_side(|| work(write), || work(read));
            assert!(matches!(done, Err(DiskFault::Inconsistent)), "{done:?}");
            assert_eq!(guards.into_inner().unwrap(), [true, true], "both are guarded");
        }
    }
}
