//! Frames to bytes and back.

use store::entry::{EntryId, Hash, LogId, RangeStart};
use store::heads::Head;

use super::bytes::{Reader, put_count};
use super::{
    BRANCHES_MAX, Direction, ENTRIES_MAX, Entries, FRAME_BYTES_MAX, Frame, FrameFault, Hello, Line,
    Point, QUESTIONS_MAX, RangeEnd, Refused, SHORT_BYTES_MAX, Want, reserved,
};

impl Frame {
    /// Returns the frame's bytes, its type first.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Hello(hello) => put_hello(&mut out, hello),
            Self::Heads { first, last, lines } => {
                out.extend([2, u8::from(*first) | (u8::from(*last) << 1)]);
                put_lines(&mut out, lines);
            }
            Self::HeadsWanted => out.push(3),
            Self::Want(want) => put_want(&mut out, want),
            Self::Entries(entries) => put_entries(&mut out, entries),
            Self::RangeEnd { want, why } => {
                out.push(6);
                out.extend(want.to_be_bytes());
                out.push(range_end_byte(*why));
            }
            Self::Receipt(lines) => {
                out.push(7);
                put_lines(&mut out, lines);
            }
            Self::Refused { log, why } => {
                out.push(8);
                out.extend(log.0);
                out.push(refused_byte(*why));
            }
            Self::HashAt { question, log, head, sequences } => {
                out.push(9);
                out.extend(question.to_be_bytes());
                out.extend(log.0);
                put_head(&mut out, head);
                put_count(&mut out, sequences.len());
                out.extend(sequences.iter().flat_map(|sequence| sequence.to_be_bytes()));
            }
            Self::HashesAt { question, points } => {
                out.push(10);
                out.extend(question.to_be_bytes());
                put_count(&mut out, points.len());
                points.iter().for_each(|point| put_point(&mut out, point));
            }
            Self::Clock { wall_ms, heads } => {
                out.push(11);
                out.extend(wall_ms.to_be_bytes());
                out.extend(heads);
            }
            Self::History { .. }
            | Self::Lease(_)
            | Self::BlobWant { .. }
            | Self::BlobPart { .. }
            | Self::Addresses(_) => reserved::put(&mut out, self),
        }
        out
    }

    /// Reads a frame. `None` is a type that this version does not know and skips.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, FrameFault> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameFault::TooLong(bytes.len()));
        }
        let mut body = Reader(bytes);
        let frame = match body.u8()? {
            1 => read_hello(&mut body)?,
            2 => read_heads(&mut body)?,
            3 => Self::HeadsWanted,
            4 => read_want(&mut body)?,
            5 => Self::Entries(read_entries(&mut body)?),
            6 => Self::RangeEnd { want: body.u32()?, why: read_range_end(&mut body)? },
            7 => Self::Receipt(read_lines(&mut body)?),
            8 => Self::Refused { log: LogId(body.take()?), why: read_refused(&mut body)? },
            9 => read_hash_at(&mut body)?,
            10 => read_hashes_at(&mut body)?,
            11 => Self::Clock { wall_ms: body.i64()?, heads: body.take()? },
            kind => match reserved::read(kind, &mut body)? {
                Some(frame) => frame,
                None => return Ok(None),
            },
        };
        body.end()?;
        Ok(Some(frame))
    }
}

fn put_hello(out: &mut Vec<u8>, hello: &Hello) {
    out.push(1);
    out.extend(hello.protocol_min.to_be_bytes());
    out.extend(hello.protocol_max.to_be_bytes());
    out.extend(hello.home);
    out.extend(hello.heads);
    out.extend(hello.wall_ms.to_be_bytes());
}

fn read_hello(body: &mut Reader<'_>) -> Result<Frame, FrameFault> {
    let hello = Hello {
        protocol_min: body.u16()?,
        protocol_max: body.u16()?,
        home: body.take()?,
        heads: body.take()?,
        wall_ms: body.i64()?,
    };
    if hello.protocol_min > hello.protocol_max {
        return Err(FrameFault::Value);
    }
    // A newer protocol may say more in its hello; that it speaks ours too is in its range.
    body.skip_rest();
    Ok(Frame::Hello(hello))
}

fn put_head(out: &mut Vec<u8>, head: &Head) {
    out.extend(head.sequence.to_be_bytes());
    out.extend(head.hash.0);
}

fn read_head(body: &mut Reader<'_>) -> Result<Head, FrameFault> {
    let head = Head { sequence: body.u64()?, hash: Hash(body.take()?) };
    if head.sequence == u64::MAX { Err(FrameFault::Value) } else { Ok(head) }
}

fn put_point(out: &mut Vec<u8>, point: &Point) {
    out.extend(point.sequence.to_be_bytes());
    out.extend(point.entry.0);
}

fn read_point(body: &mut Reader<'_>) -> Result<Point, FrameFault> {
    let point = Point { sequence: body.u64()?, entry: EntryId(body.take()?) };
    if point.sequence == u64::MAX { Err(FrameFault::Value) } else { Ok(point) }
}

fn put_lines(out: &mut Vec<u8>, lines: &[Line]) {
    put_count(out, lines.len());
    for line in lines {
        out.extend(line.log.0);
        out.extend(line.anchor.to_be_bytes());
        put_count(out, line.heads.len());
        line.heads.iter().for_each(|head| put_head(out, head));
    }
}

fn read_lines(body: &mut Reader<'_>) -> Result<Vec<Line>, FrameFault> {
    let mut lines: Vec<Line> = Vec::new();
    for _ in 0..body.u16()? {
        let log = LogId(body.take()?);
        if lines.last().is_some_and(|before| before.log >= log) {
            return Err(FrameFault::Order);
        }
        let anchor = body.u64()?;
        let mut heads: Vec<Head> = Vec::new();
        for _ in 0..body.count(1..=BRANCHES_MAX)? {
            let head = read_head(body)?;
            if head.sequence < anchor || heads.last().is_some_and(|before| *before >= head) {
                return Err(FrameFault::Order);
            }
            heads.push(head);
        }
        lines.push(Line { log, anchor, heads });
    }
    Ok(lines)
}

fn read_heads(body: &mut Reader<'_>) -> Result<Frame, FrameFault> {
    let flags = body.u8()?;
    if flags > 3 {
        return Err(FrameFault::Value);
    }
    let lines = read_lines(body)?;
    Ok(Frame::Heads { first: flags & 1 != 0, last: flags & 2 != 0, lines })
}

fn put_want(out: &mut Vec<u8>, want: &Want) {
    out.push(4);
    out.extend(want.id.to_be_bytes());
    out.extend(want.log.0);
    match &want.after {
        None => out.push(0),
        Some(point) => {
            out.push(1);
            put_point(out, point);
        }
    }
    put_head(out, &want.up_to);
    out.extend(want.budget.to_be_bytes());
    out.push(match want.direction {
        Direction::Up => 0,
        Direction::Down => 1,
    });
}

fn read_want(body: &mut Reader<'_>) -> Result<Frame, FrameFault> {
    let id = body.u32()?;
    let log = LogId(body.take()?);
    let after = match body.u8()? {
        0 => None,
        1 => Some(read_point(body)?),
        _ => return Err(FrameFault::Value),
    };
    let up_to = read_head(body)?;
    let budget = body.u32()?;
    let direction = match body.u8()? {
        0 => Direction::Up,
        1 => Direction::Down,
        _ => return Err(FrameFault::Value),
    };
    let empty = after.is_some_and(|point| point.sequence >= up_to.sequence);
    if id == 0 || empty {
        return Err(FrameFault::Value);
    }
    Ok(Frame::Want(Want { id, log, after, up_to, budget, direction }))
}

fn put_entries(out: &mut Vec<u8>, entries: &Entries) {
    out.reserve(80 + entries.shorts.len());
    out.push(5);
    out.extend(entries.want.to_be_bytes());
    out.push(u8::from(entries.last));
    out.extend(entries.start.log.0);
    out.extend(entries.start.sequence.to_be_bytes());
    if entries.start.sequence > 0 {
        out.extend(entries.start.previous.0);
    }
    out.extend(entries.count.to_be_bytes());
    out.extend_from_slice(&entries.shorts);
}

fn read_entries(body: &mut Reader<'_>) -> Result<Entries, FrameFault> {
    let want = body.u32()?;
    let flags = body.u8()?;
    let log = LogId(body.take()?);
    let sequence = body.u64()?;
    let previous = if sequence == 0 { Hash::ZERO } else { Hash(body.take()?) };
    let count = body.count(1..=ENTRIES_MAX)?;
    let fits = u64::try_from(count).ok().and_then(|count| sequence.checked_add(count));
    if flags > 1 || fits.is_none() {
        return Err(FrameFault::Value);
    }
    let shorts = body.0;
    for _ in 0..count {
        let length = usize::from(body.u16()?);
        if length == 0 || length > SHORT_BYTES_MAX {
            return Err(FrameFault::Entry);
        }
        body.slice(length)?;
    }
    Ok(Entries {
        want,
        last: flags == 1,
        start: RangeStart { log, sequence, previous },
        count: u16::try_from(count).map_err(|_| FrameFault::Count)?,
        shorts: shorts[..shorts.len() - body.0.len()].to_vec(),
    })
}

fn range_end_byte(why: RangeEnd) -> u8 {
    match why {
        RangeEnd::NotOnBranch => 1,
        RangeEnd::NotHeld => 2,
        RangeEnd::Later => 3,
        RangeEnd::NotServed => 4,
    }
}

fn read_range_end(body: &mut Reader<'_>) -> Result<RangeEnd, FrameFault> {
    Ok(match body.u8()? {
        1 => RangeEnd::NotOnBranch,
        2 => RangeEnd::NotHeld,
        3 => RangeEnd::Later,
        4 => RangeEnd::NotServed,
        _ => return Err(FrameFault::Value),
    })
}

fn refused_byte(why: Refused) -> u8 {
    match why {
        Refused::NotEnrolled => 1,
        Refused::OutOfChain => 2,
        Refused::Unsound => 3,
        Refused::NotSaved => 4,
    }
}

fn read_refused(body: &mut Reader<'_>) -> Result<Refused, FrameFault> {
    Ok(match body.u8()? {
        1 => Refused::NotEnrolled,
        2 => Refused::OutOfChain,
        3 => Refused::Unsound,
        4 => Refused::NotSaved,
        _ => return Err(FrameFault::Value),
    })
}

fn read_hash_at(body: &mut Reader<'_>) -> Result<Frame, FrameFault> {
    let question = body.u32()?;
    let log = LogId(body.take()?);
    let head = read_head(body)?;
    let mut sequences: Vec<u64> = Vec::new();
    for _ in 0..body.count(1..=QUESTIONS_MAX)? {
        let sequence = body.u64()?;
        let rises = sequences.last().is_none_or(|before| *before < sequence);
        if !rises || sequence > head.sequence {
            return Err(FrameFault::Order);
        }
        sequences.push(sequence);
    }
    Ok(Frame::HashAt { question, log, head, sequences })
}

fn read_hashes_at(body: &mut Reader<'_>) -> Result<Frame, FrameFault> {
    let question = body.u32()?;
    let mut points: Vec<Point> = Vec::new();
    for _ in 0..body.count(0..=QUESTIONS_MAX)? {
        let point = read_point(body)?;
        if points.last().is_some_and(|before| before.sequence >= point.sequence) {
            return Err(FrameFault::Order);
        }
        points.push(point);
    }
    Ok(Frame::HashesAt { question, points })
}
