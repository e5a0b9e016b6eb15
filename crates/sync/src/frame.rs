//! The wire format of protocol 1: what two devices of a home say to each other.
//!
//! A frame is one byte of type and a body; the connection puts a length of four bytes before it.
//! All integers are big-endian. A type that is not known is skipped, so that a newer device can say
//! more than an older one understands; everything else is strict: a frame that is too long, ends
//! early, goes on after its end or is out of order is refused and never repaired or clamped.
//!
//! ```text
//! type  frame        body
//!    1  hello        protocol from u16, to u16, home tag 16, hash of heads 32, wall clock i64
//!    2  heads        flags u8 (1 first part, 2 last part), lines
//!    3  heads wanted nothing
//!    4  want         id u32, log 32, base (see below), head, budget u32, direction u8
//!    5  entries      want u32 (0: pushed), flags u8 (1 last of this want), log 32, first u64,
//!                    previous 32 (absent if first is 0), count u16, each: length u16, entry
//!                    without log id, sequence and previous hash
//!    6  range end    want u32, reason u8
//!    7  receipt      lines: what is on this device's disk since its last fsync
//!    8  refused      log 32, reason u8
//!    9  hash at      question u32, log 32, head, count u16, each: sequence u64
//!   10  hashes at    question u32, count u16, each: point
//!   11  clock        wall clock i64, hash of heads 32
//! reserved, decoded and not yet answered:
//!   16  history      log 32, point below which, budget u32: entries below an anchor
//!   17  lease        at most 512 bytes that only devices read
//!   18  blob want    hash 32, offset u64
//!   19  blob part    hash 32, offset u64, length u32, bytes
//!   20  addresses    count u16, each: device 32, family u8 (4 or 6), address 4 or 16, port u16
//!
//! lines  count u16, each: log 32, anchor u64, count u16, heads in order
//! head   sequence u64, hash 32
//! point  sequence u64, entry id 16
//! base   0, or 1 and a point: from the anchor, or after that entry
//! ```

mod bytes;
mod reserved;
mod wire;

use std::fmt;

use store::entry::{EntryId, LogId, RangeStart, Sealed};
use store::heads::{Head, LogHeads};

pub use reserved::{KnownAddress, LEASE_BYTES_MAX};

/// The protocol spoken by this version, and the range it offers in its hello.
pub const PROTOCOL: u16 = 1;
/// The most bytes that a frame may have, its type included.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;
/// The most entries that a frame may carry.
pub const ENTRIES_MAX: usize = 4096;
/// The most bytes of an entry without what its range says once: 16 KiB less 72.
pub const SHORT_BYTES_MAX: usize = store::entry::ENTRY_BYTES_MAX - 72;
/// The most heads of one log that are named; an honest log has one.
pub const BRANCHES_MAX: usize = 1024;
/// The most sequences that one hash-at asks for.
pub const QUESTIONS_MAX: usize = 64;
/// The most bytes of lines in one frame; more heads are said in several.
pub(crate) const LINES_BYTES_MAX: usize = 192 * 1024;

/// Why bytes are not a frame of protocol 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// Longer than [`FRAME_BYTES_MAX`].
    #[error("the frame is {0} bytes long; at most 262144 are allowed")]
    TooLong(usize),
    /// The frame ends early or goes on after its end.
    #[error("the frame does not have the length that its content says")]
    Length,
    /// A count is zero where something is needed, or above its limit.
    #[error("the frame holds a count that is not allowed")]
    Count,
    /// Logs, heads or sequences are not in order.
    #[error("the frame is not in order")]
    Order,
    /// A flag, a reason or a direction that does not exist.
    #[error("the frame holds a value that is not defined")]
    Value,
    /// An entry is longer than an entry may be.
    #[error("the frame holds an entry that is too long")]
    Entry,
}

/// One entry on a branch: enough to name it, too little to forge its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// Its position in the log.
    pub sequence: u64,
    /// The first 16 bytes of its hash.
    pub entry: EntryId,
}

impl Point {
    /// Returns the point at which `head` stands.
    pub fn of(head: &Head) -> Self {
        Self { sequence: head.sequence, entry: head.hash.id() }
    }
}

/// What a device holds of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The log.
    pub log: LogId,
    /// The sequence of the earliest entry held.
    pub anchor: u64,
    /// Its entries without a successor, in order, at least one.
    pub heads: Vec<Head>,
}

impl Line {
    /// Returns the line for what `store` holds of a log.
    pub fn of(log: LogId, held: &LogHeads) -> Self {
        // An honest log has one head. Of one that was forked beyond all measure the latest are
        // named: the others are found once these are level.
        let skip = held.heads().len().saturating_sub(BRANCHES_MAX);
        Self { log, anchor: held.anchor(), heads: held.heads()[skip..].to_vec() }
    }
}

/// The first frame of each side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The oldest protocol that the device speaks.
    pub protocol_min: u16,
    /// The newest protocol that the device speaks.
    pub protocol_max: u16,
    /// Says which home without giving the home's id away.
    pub home: [u8; 16],
    /// The hash over all heads: equal hashes end the comparison at once.
    pub heads: [u8; 32],
    /// The device's wall clock in milliseconds since 1970. It informs and never orders.
    pub wall_ms: i64,
}

/// Which way a range is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the base up to the head.
    Up,
    /// From the head down to the base: for history below an anchor. Not yet served.
    Down,
}

/// Asks for a range of one branch of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Names the request in its answers; never 0.
    pub id: u32,
    /// The log.
    pub log: LogId,
    /// The entry after which to begin; `None` begins at the sender's anchor.
    pub after: Option<Point>,
    /// The last entry of the range.
    pub up_to: Head,
    /// The most bytes of entries to send before the next request.
    pub budget: u32,
    /// Which way to read.
    pub direction: Direction,
}

/// Why a request brought no further entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeEnd {
    /// The base does not lie below the head: the logs part somewhere before it.
    NotOnBranch,
    /// The head is not held here.
    NotHeld,
    /// The entries are held and cannot be passed on now; ask again later.
    Later,
    /// This kind of request is not served.
    NotServed,
}

/// Why a device did not take in entries of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The log belongs to no enrolled device yet. The entries were set aside.
    NotEnrolled,
    /// The entries do not follow what is held.
    OutOfChain,
    /// Bytes that are no entry of this home: malformed, forged, or of another home.
    Unsound,
    /// The disk did not take them.
    NotSaved,
}

/// Consecutive entries of one log.
#[derive(Clone, PartialEq, Eq)]
pub struct Entries {
    /// The request that is answered, or 0 if the entries are pushed.
    pub want: u32,
    /// Whether the request is done with this frame.
    pub last: bool,
    /// Where the first entry stands.
    pub start: RangeStart,
    count: u16,
    shorts: Vec<u8>,
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries")
            .field("want", &self.want)
            .field("last", &self.last)
            .field("start", &self.start)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Entries {
    /// The most bytes that the entries of one frame may have with their lengths.
    const ROOM: usize = FRAME_BYTES_MAX - 80;

    /// Returns an empty frame that begins at `start`.
    pub fn new(want: u32, start: RangeStart) -> Self {
        Self { want, last: false, start, count: 0, shorts: Vec::new() }
    }

    /// Adds the next entry of the chain. Returns whether there was room for it.
    pub fn push(&mut self, entry: &Sealed) -> bool {
        let short = entry.short();
        let Ok(length) = u16::try_from(short.len()) else {
            return false;
        };
        let full = usize::from(self.count) == ENTRIES_MAX
            || self.shorts.len() + 2 + short.len() > Self::ROOM;
        if !full {
            self.shorts.extend_from_slice(&length.to_be_bytes());
            self.shorts.extend_from_slice(&short);
            self.count += 1;
        }
        !full
    }

    /// Returns the entries in order, each without what [`Entries::start`] and the chain say.
    pub fn shorts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.shorts.as_slice();
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<2>()?;
            let (short, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = tail;
            Some(short)
        })
    }

    /// Returns how many entries the frame carries.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Returns whether the frame carries none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns how many bytes the entries have.
    pub fn bytes(&self) -> usize {
        self.shorts.len()
    }
}

/// Everything that protocol 1 can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The first frame of each side.
    Hello(Hello),
    /// What is held, said only if the hashes of the hellos differ.
    Heads {
        /// Whether this part begins the list.
        first: bool,
        /// Whether this part ends it.
        last: bool,
        /// The logs of this part, in order over all parts.
        lines: Vec<Line>,
    },
    /// Asks for all heads again.
    HeadsWanted,
    /// Asks for entries.
    Want(Want),
    /// Entries, asked for or pushed.
    Entries(Entries),
    /// Ends a request that brought nothing.
    RangeEnd {
        /// The request.
        want: u32,
        /// Why.
        why: RangeEnd,
    },
    /// What is on the disk of these logs, said after the fsync.
    Receipt(Vec<Line>),
    /// Entries of this log were not taken in.
    Refused {
        /// The log.
        log: LogId,
        /// Why.
        why: Refused,
    },
    /// Asks which entries stand at some sequences of one branch, to find where it parts from ours.
    HashAt {
        /// Names the question in its answer.
        question: u32,
        /// The log.
        log: LogId,
        /// The end of the branch.
        head: Head,
        /// The sequences, rising.
        sequences: Vec<u64>,
    },
    /// Answers [`Frame::HashAt`]; empty if the branch is not held.
    HashesAt {
        /// The question.
        question: u32,
        /// The entries, rising.
        points: Vec<Point>,
    },
    /// A sign of life with the wall clock and the hash of what is held.
    Clock {
        /// The device's wall clock in milliseconds since 1970.
        wall_ms: i64,
        /// The hash over all heads.
        heads: [u8; 32],
    },
    /// Reserved: asks for entries below an anchor.
    History {
        /// The log.
        log: LogId,
        /// The earliest entry that the asker holds.
        below: Point,
        /// The most bytes to send.
        budget: u32,
    },
    /// Reserved: who is preparing which dose. Read by devices, not by `sync`.
    Lease(Vec<u8>),
    /// Reserved: asks for a sealed file from an offset.
    BlobWant {
        /// The hash of the whole file.
        hash: [u8; 32],
        /// Where to begin.
        offset: u64,
    },
    /// Reserved: a part of a sealed file.
    BlobPart {
        /// The hash of the whole file.
        hash: [u8; 32],
        /// Where the part begins.
        offset: u64,
        /// The part.
        bytes: Vec<u8>,
    },
    /// Where other devices of the home were last reached.
    Addresses(Vec<KnownAddress>),
}

/// Splits lines into as few lists as fit one frame each. There is always at least one.
pub(crate) fn parts(lines: impl IntoIterator<Item = Line>) -> Vec<Vec<Line>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for line in lines {
        let size = 42 + 40 * line.heads.len();
        if bytes > 0 && bytes + size > LINES_BYTES_MAX {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(line);
        }
    }
    parts
}
