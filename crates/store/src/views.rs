//! The file `views.redb`: every fact as the fold judged it, kept so that start-up never replays the
//! log. It may be deleted at any time: it is made again from the log, with the same content.
//!
//! One row is one entry. Rows lie by subject and period, so that a resident's cycle is one scan.
//! Beside the rows stand their sums: a wrapping sum of hashes for each subject and period, and one
//! over all of those, which two devices compare to find that they show the same home.

use std::collections::{BTreeMap, BTreeSet};

use mar::fact::{DoseFact, Fact};
use mar::ids::{OrderId, ResidentId};
use mar::picture::{Recorded, Standing};
use mar::time::{Month, Period};
use redb::{Durability, ReadTransaction, ReadableTable};

use crate::backend::{Disk, FileKind, OpenFault};
use crate::entry::{EntryId, Sealed};
use crate::tables::{self, DOSES, DiskFault, IN_DOUBT, ROWS, STANDS_FOR, SUMS, number};

/// The version of the rows' shape together with the fold that judged them.
fn fold_version() -> u64 {
    (1 << 32) | u64::from(mar::picture::FOLD_VERSION)
}

/// Subject and period: the key of a view.
pub(crate) type ViewKey = [u8; 20];

/// Returns a view's key. The home stands under the zero subject.
pub(crate) fn view_key(subject: Option<ResidentId>, period: Period) -> ViewKey {
    let mut key = [0; 20];
    key[..16].copy_from_slice(&subject.map_or([0; 16], |subject| subject.0));
    key[16..].copy_from_slice(&period_number(period).to_be_bytes());
    key
}

fn period_number(period: Period) -> u32 {
    match period {
        Period::Lifelong => 0,
        Period::Month(month) => month_number(month),
    }
}

/// Months before the first year fall together with its first month, and never with `Lifelong`.
fn month_number(month: Month) -> u32 {
    u32::try_from(month.0).unwrap_or(0).max(1)
}

/// One entry as the fold judged it: the row's key, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) view: ViewKey,
    pub(crate) id: EntryId,
    /// Standing 1, hybrid clock 8, log id 32, sequence 8, wall clock 8, class 1, kind 2, kind
    /// version 2, payload.
    value: Vec<u8>,
}

/// The fixed part of a row's value, read back.
pub(crate) struct Fixed<'r> {
    pub(crate) standing: Standing,
    pub(crate) clock: u64,
    pub(crate) log: [u8; 32],
    pub(crate) sequence: u64,
    pub(crate) wall_ms: i64,
    pub(crate) class: u8,
    pub(crate) kind: u16,
    pub(crate) kind_version: u16,
    pub(crate) payload: &'r [u8],
}

impl Row {
    pub(crate) fn new(entry: &Sealed, period: Period, standing: Standing) -> Self {
        let mut value = Vec::with_capacity(62 + entry.payload().len());
        value.push(standing_code(standing));
        value.extend_from_slice(&entry.clock().to_bits().to_be_bytes());
        value.extend_from_slice(&entry.log().0);
        value.extend_from_slice(&entry.sequence().to_be_bytes());
        value.extend_from_slice(&entry.wall_ms().to_be_bytes());
        value.push(entry.class().0);
        value.extend_from_slice(&entry.kind().to_be_bytes());
        value.extend_from_slice(&entry.kind_version().to_be_bytes());
        value.extend_from_slice(entry.payload());
        let view = view_key(entry.subject().map(ResidentId), period);
        Self { view, id: entry.id(), value }
    }

    fn key(&self) -> [u8; 36] {
        let mut key = [0; 36];
        key[..20].copy_from_slice(&self.view);
        key[20..].copy_from_slice(&self.id.0);
        key
    }

    pub(crate) fn fixed(&self) -> Option<Fixed<'_>> {
        let (standing, rest) = self.value.split_first()?;
        let (clock, rest) = rest.split_first_chunk::<8>()?;
        let (log, rest) = rest.split_first_chunk::<32>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (wall_ms, rest) = rest.split_first_chunk::<8>()?;
        let (class, rest) = rest.split_first()?;
        let (kind, rest) = rest.split_first_chunk::<2>()?;
        let (kind_version, payload) = rest.split_first_chunk::<2>()?;
        Some(Fixed {
            standing: standing_of(*standing)?,
            clock: u64::from_be_bytes(*clock),
            log: *log,
            sequence: u64::from_be_bytes(*sequence),
            wall_ms: i64::from_be_bytes(*wall_ms),
            class: *class,
            kind: u16::from_be_bytes(*kind),
            kind_version: u16::from_be_bytes(*kind_version),
            payload,
        })
    }

    fn hash(&self) -> Sum {
        let key = self.key();
        let mut hasher = blake3::Hasher::new_derive_key("medround view row 1");
        hasher.update(&key);
        hasher.update(&self.value);
        Sum::of(hasher.finalize().as_bytes())
    }

    fn read(key: &[u8], value: &[u8]) -> Result<Self, DiskFault> {
        let damaged = || DiskFault::Row { table: "rows-1" };
        let (view, id) = key.split_first_chunk::<20>().ok_or_else(damaged)?;
        let id = EntryId(id.try_into().map_err(|_| damaged())?);
        Ok(Self { view: *view, id, value: value.to_vec() })
    }
}

/// What must be written beside a row so that it is found again.
pub(crate) struct Indexed {
    pub(crate) row: Row,
    pub(crate) standing: Standing,
    /// The order a dose is about; `None` for all other facts.
    pub(crate) dose_of: Option<OrderId>,
}

impl Indexed {
    pub(crate) fn new(entry: &Sealed, judged: &Recorded) -> Self {
        Self {
            row: Row::new(entry, judged.fact.period(), judged.standing),
            standing: judged.standing,
            dose_of: match &judged.fact {
                Fact::Dose(DoseFact::Recorded(recorded)) => Some(recorded.order),
                Fact::Dose(DoseFact::Popped(_) | DoseFact::Effect(_) | DoseFact::Corrected(_))
                | Fact::Membership(_)
                | Fact::Home(_)
                | Fact::Resident(_)
                | Fact::Order(_)
                | Fact::FollowUp(_)
                | Fact::Access(_)
                | Fact::Unknown => None,
            },
        }
    }
}

/// How far the views have followed the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StandsFor {
    /// Number of the last arrival folded, 0 for none.
    pub(crate) arrival: u64,
    /// The key of the entry that arrived then; empty for none.
    pub(crate) key: Vec<u8>,
}

/// The file `views.redb`.
#[derive(Debug)]
pub(crate) struct Views {
    db: tables::Open,
}

impl Views {
    pub(crate) fn create(disk: &Disk, id: [u8; 16]) -> Result<Self, OpenFault> {
        tables::create(disk, FileKind::Views, id, |transaction| {
            let mut table = transaction.open_table(STANDS_FOR)?;
            table.insert(&b"fold"[..], &fold_version().to_be_bytes()[..])?;
            Ok(())
        })?;
        Self::open_any(disk)
    }

    /// Opens the file if it is there and was made by this program's fold; `None` means that it has
    /// to be made anew.
    pub(crate) fn open(disk: &Disk) -> Result<Option<Self>, OpenFault> {
        if !disk.exists(FileKind::Views) {
            return Ok(None);
        }
        let views = Self::open_any(disk)?;
        let made_by = tables::guarded(|| {
            let transaction = views.db.begin_read()?;
            match tables::read(&transaction, STANDS_FOR)?.get(&b"fold"[..])? {
                Some(value) => number(value.value(), "stands-for-1"),
                None => Ok(0),
            }
        })
        .map_err(|fault| tables::open_fault(disk, FileKind::Views, fault))?;
        Ok((made_by == fold_version()).then_some(views))
    }

    fn open_any(disk: &Disk) -> Result<Self, OpenFault> {
        Ok(Self { db: tables::open(disk, FileKind::Views)? })
    }

    pub(crate) fn read(&self) -> Result<ViewsRead, DiskFault> {
        Ok(ViewsRead(self.db.begin_read()?))
    }

    /// Writes rows and moves on what the views stand for. Not safe before
    /// [`Views::make_durable`]; after a power cut the rest is folded again.
    pub(crate) fn write(
        &self,
        rows: Vec<Indexed>,
        stands_for: &StandsFor,
    ) -> Result<(), DiskFault> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(Durability::None)?;
        write_rows(&transaction, rows)?;
        {
            let mut table = transaction.open_table(STANDS_FOR)?;
            let value = [&stands_for.arrival.to_be_bytes()[..], &stands_for.key].concat();
            table.insert(&b"arrival"[..], &value[..])?;
        }
        Ok(transaction.commit()?)
    }

    pub(crate) fn make_durable(&self) -> Result<(), DiskFault> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        transaction.set_quick_repair(true);
        Ok(transaction.commit()?)
    }
}

fn write_rows(
    transaction: &redb::WriteTransaction,
    mut indexed: Vec<Indexed>,
) -> Result<(), DiskFault> {
    // In the order of the keys, so that each page is found and copied once.
    indexed.sort_unstable_by_key(|indexed| indexed.row.key());
    let mut changes: BTreeMap<ViewKey, Sum> = BTreeMap::new();
    let mut dosed: BTreeSet<Vec<u8>> = BTreeSet::new();
    {
        let mut rows = transaction.open_table(ROWS)?;
        let mut in_doubt = transaction.open_table(IN_DOUBT)?;
        for Indexed { row, standing, dose_of } in &indexed {
            let key = row.key();
            let before = match rows.insert(&key[..], &row.value[..])? {
                Some(before) if before.value() == row.value => continue,
                Some(before) => Some(Row::read(&key, before.value())?.hash()),
                None => None,
            };
            if *standing == Standing::Unknown {
                in_doubt.insert(&key[..], &[][..])?;
            } else if before.is_some() {
                in_doubt.remove(&key[..])?;
            }
            let change = changes.entry(row.view).or_insert(Sum::ZERO);
            *change = change.plus(row.hash()).less(before.unwrap_or(Sum::ZERO));
            if let Some(order) = dose_of {
                dosed.insert([&row.view[..16], &order.0, &row.view[16..]].concat());
            }
        }
    }
    let mut doses = transaction.open_table(DOSES)?;
    for dose in &dosed {
        doses.insert(&dose[..], &[][..])?;
    }
    drop(doses);
    write_sums(transaction, &changes)
}

fn write_sums(
    transaction: &redb::WriteTransaction,
    changes: &BTreeMap<ViewKey, Sum>,
) -> Result<(), DiskFault> {
    let mut sums = transaction.open_table(SUMS)?;
    let mut stands_for = transaction.open_table(STANDS_FOR)?;
    let mut state = match stands_for.get(&b"state"[..])? {
        Some(value) => Sum::read(value.value(), "stands-for-1")?,
        None => Sum::ZERO,
    };
    for (view, change) in changes {
        let before = match sums.get(&view[..])? {
            Some(value) => Some(Sum::read(value.value(), "sums-1")?),
            None => None,
        };
        let after = before.unwrap_or(Sum::ZERO).plus(*change);
        if let Some(before) = before {
            state = state.less(view_hash(view, before));
        }
        state = state.plus(view_hash(view, after));
        sums.insert(&view[..], &after.bytes()[..])?;
    }
    stands_for.insert(&b"state"[..], &state.bytes()[..])?;
    Ok(())
}

fn view_hash(view: &ViewKey, sum: Sum) -> Sum {
    let bytes = [&view[..], &sum.bytes()].concat();
    Sum::of(&blake3::derive_key("medround view 1", &bytes))
}

/// The views as they stood at one moment.
pub(crate) struct ViewsRead(ReadTransaction);

impl ViewsRead {
    pub(crate) fn stands_for(&self) -> Result<StandsFor, DiskFault> {
        let table = tables::read(&self.0, STANDS_FOR)?;
        let Some(value) = table.get(&b"arrival"[..])? else { return Ok(StandsFor::default()) };
        let damaged = DiskFault::Row { table: "stands-for-1" };
        let (arrival, key) = value.value().split_first_chunk::<8>().ok_or(damaged)?;
        Ok(StandsFor { arrival: u64::from_be_bytes(*arrival), key: key.to_vec() })
    }

    /// Returns the sum over all views: equal on devices that show the same.
    pub(crate) fn state(&self) -> Result<[u8; 32], DiskFault> {
        let table = tables::read(&self.0, STANDS_FOR)?;
        match table.get(&b"state"[..])? {
            Some(value) => Ok(Sum::read(value.value(), "stands-for-1")?.bytes()),
            None => Ok(Sum::ZERO.bytes()),
        }
    }

    /// Returns the sum of each view.
    pub(crate) fn sums(&self) -> Result<BTreeMap<ViewKey, [u8; 32]>, DiskFault> {
        let mut sums = BTreeMap::new();
        for row in tables::read(&self.0, SUMS)?.iter()? {
            let row = row?;
            let damaged = |_| DiskFault::Row { table: "sums-1" };
            let view = row.0.value().try_into().map_err(damaged)?;
            sums.insert(view, Sum::read(row.1.value(), "sums-1")?.bytes());
        }
        Ok(sums)
    }

    /// Returns the residents of whom anything is held.
    pub(crate) fn subjects(&self) -> Result<Vec<ResidentId>, DiskFault> {
        let mut subjects: Vec<ResidentId> = Vec::new();
        for view in self.sums()?.keys() {
            let mut subject = [0; 16];
            subject.copy_from_slice(&view[..16]);
            let subject = ResidentId(subject);
            if subject.0 != [0; 16] && subjects.last() != Some(&subject) {
                subjects.push(subject);
            }
        }
        Ok(subjects)
    }

    /// Returns the lifelong rows of one subject.
    pub(crate) fn lifelong(&self, subject: Option<ResidentId>) -> Result<Vec<Row>, DiskFault> {
        let view = view_key(subject, Period::Lifelong);
        self.rows(&view, &view)
    }

    /// Returns the rows of one subject from one month to another, both included.
    pub(crate) fn months(
        &self,
        subject: Option<ResidentId>,
        from: Month,
        to: Month,
    ) -> Result<Vec<Row>, DiskFault> {
        let low = view_key(subject, Period::Month(from));
        self.rows(&low, &view_key(subject, Period::Month(to)))
    }

    fn rows(&self, low: &ViewKey, high: &ViewKey) -> Result<Vec<Row>, DiskFault> {
        let table = tables::read(&self.0, ROWS)?;
        let (low, high) = ([&low[..], &[0; 16]].concat(), [&high[..], &[0xff; 16]].concat());
        let mut rows = Vec::new();
        for row in table.range::<&[u8]>(&low[..]..=&high[..])? {
            let row = row?;
            rows.push(Row::read(row.0.value(), row.1.value())?);
        }
        Ok(rows)
    }

    /// Returns one row, or `None` if the entry is not folded yet.
    pub(crate) fn row(&self, view: ViewKey, id: EntryId) -> Result<Option<Row>, DiskFault> {
        let key = [&view[..], &id.0].concat();
        let table = tables::read(&self.0, ROWS)?;
        match table.get(&key[..])? {
            Some(value) => Row::read(&key, value.value()).map(Some),
            None => Ok(None),
        }
    }

    /// Calls `each` with every row, in the order of their keys.
    pub(crate) fn all(
        &self,
        mut each: impl FnMut(Row) -> Result<(), DiskFault>,
    ) -> Result<(), DiskFault> {
        for row in tables::read(&self.0, ROWS)?.iter()? {
            let row = row?;
            each(Row::read(row.0.value(), row.1.value())?)?;
        }
        Ok(())
    }

    /// Returns the entries whose standing could not be told.
    pub(crate) fn in_doubt(&self) -> Result<Vec<EntryId>, DiskFault> {
        let mut ids = Vec::new();
        for row in tables::read(&self.0, IN_DOUBT)?.iter()? {
            let row = row?;
            let damaged = |_| DiskFault::Row { table: "in-doubt-1" };
            let key: [u8; 36] = row.0.value().try_into().map_err(damaged)?;
            let mut id = [0; 16];
            id.copy_from_slice(&key[20..]);
            ids.push(EntryId(id));
        }
        Ok(ids)
    }

    /// Returns the months before `before` in which doses of an order stand, latest first.
    pub(crate) fn dose_months(
        &self,
        subject: ResidentId,
        order: OrderId,
        before: Month,
    ) -> Result<Vec<Month>, DiskFault> {
        let table = tables::read(&self.0, DOSES)?;
        let low = [&subject.0[..], &order.0, &[0; 4]].concat();
        let high = [&subject.0[..], &order.0, &month_number(before).to_be_bytes()].concat();
        let mut months = Vec::new();
        for row in table.range::<&[u8]>(&low[..]..&high[..])?.rev() {
            let row = row?;
            let damaged = |_| DiskFault::Row { table: "doses-1" };
            let month: [u8; 4] = row.0.value()[32..].try_into().map_err(damaged)?;
            months.push(Month(i32::try_from(u32::from_be_bytes(month)).unwrap_or(i32::MAX)));
        }
        Ok(months)
    }
}

/// Sums made from nothing, to compare with those that are kept.
#[derive(Debug, Default)]
pub(crate) struct Sums(BTreeMap<ViewKey, Sum>);

impl Sums {
    pub(crate) fn add(&mut self, row: &Row) {
        let sum = self.0.entry(row.view).or_insert(Sum::ZERO);
        *sum = sum.plus(row.hash());
    }

    pub(crate) fn views(&self) -> BTreeMap<ViewKey, [u8; 32]> {
        self.0.iter().map(|(view, sum)| (*view, sum.bytes())).collect()
    }

    pub(crate) fn state(&self) -> [u8; 32] {
        let sum = |state: Sum, (view, sum): (&ViewKey, &Sum)| state.plus(view_hash(view, *sum));
        self.0.iter().fold(Sum::ZERO, sum).bytes()
    }
}

/// A number of 256 bits that wraps: adding and taking away in any order gives the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum([u64; 4]);

impl Sum {
    const ZERO: Self = Self([0; 4]);

    fn of(bytes: &[u8; 32]) -> Self {
        let mut limbs = [0; 4];
        let (chunks, _) = bytes.as_chunks::<8>();
        for (limb, chunk) in limbs.iter_mut().zip(chunks) {
            *limb = u64::from_le_bytes(*chunk);
        }
        Self(limbs)
    }

    fn read(bytes: &[u8], table: &'static str) -> Result<Self, DiskFault> {
        bytes.try_into().map(Self::of).map_err(|_| DiskFault::Row { table })
    }

    fn bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (at, limb) in self.0.iter().enumerate() {
            bytes[at * 8..at * 8 + 8].copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    fn plus(self, other: Self) -> Self {
        let mut carry = false;
        let mut limbs = [0; 4];
        for (at, limb) in limbs.iter_mut().enumerate() {
            let (sum, first) = self.0[at].overflowing_add(other.0[at]);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first || second;
        }
        Self(limbs)
    }

    fn less(self, other: Self) -> Self {
        let mut borrow = false;
        let mut limbs = [0; 4];
        for (at, limb) in limbs.iter_mut().enumerate() {
            let (rest, first) = self.0[at].overflowing_sub(other.0[at]);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            *limb = rest;
            borrow = first || second;
        }
        Self(limbs)
    }
}

fn standing_code(standing: Standing) -> u8 {
    match standing {
        Standing::InForce => 0,
        Standing::NeedsReview => 1,
        Standing::Quarantined => 2,
        Standing::Unknown => 3,
    }
}

fn standing_of(code: u8) -> Option<Standing> {
    match code {
        0 => Some(Standing::InForce),
        1 => Some(Standing::NeedsReview),
        2 => Some(Standing::Quarantined),
        3 => Some(Standing::Unknown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_added_and_taken_away_in_any_order_leaves_nothing(
            a in any::<[u8; 32]>(), b in any::<[u8; 32]>(), c in any::<[u8; 32]>()
        ) {
            let [a, b, c] = [a, b, c].map(|bytes| Sum::of(&bytes));
            let forth = Sum::ZERO.plus(a).plus(b).less(c);
            let back = Sum::ZERO.less(c).plus(b).plus(a);
            prop_assert_eq!(forth, back);
            prop_assert_eq!(forth.less(a).plus(c).less(b), Sum::ZERO);
            prop_assert_eq!(Sum::of(&a.bytes()), a);
        }
    }
}
