//! Answering what the peer asks for.

use std::collections::{BTreeMap, VecDeque};

use store::entry::{HomeId, LogId, Sealed};
use store::heads::Head;

use super::{CloseReason, Effect, Found, Read, SERVED_MAX, Session, Ticket, WANT_BYTES};
use crate::frame::{Direction, Entries, Frame, Point, RangeEnd, Want};

/// The most bytes read from the store at once: what fits one frame.
const READ_BYTES: usize = 192 * 1024;

/// The peer's requests. The ranges take turns, one read at a time, so that a short one does not
/// wait behind a long one and no more than one read's bytes are held.
#[derive(Debug, Default)]
pub(super) struct Serving {
    queue: VecDeque<Served>,
    reading: Option<(Ticket, Served)>,
    questions: BTreeMap<Ticket, u32>,
}

#[derive(Debug)]
struct Served {
    want: u32,
    log: LogId,
    after: Option<Point>,
    up_to: Head,
    left: usize,
}

impl Serving {
    fn waiting(&self) -> usize {
        self.queue.len() + usize::from(self.reading.is_some()) + self.questions.len()
    }
}

impl Session {
    pub(super) fn wanted(&mut self, want: Want) {
        if self.serving.waiting() >= SERVED_MAX {
            return self.close(CloseReason::TooManyWants);
        }
        match want.direction {
            Direction::Down => {
                self.send(&Frame::RangeEnd { want: want.id, why: RangeEnd::NotServed });
            }
            Direction::Up => {
                self.pushing.wanted(&want.log);
                // The budget is the most that may be sent; less is always allowed.
                let budget = usize::try_from(want.budget).unwrap_or(usize::MAX);
                self.serving.queue.push_back(Served {
                    want: want.id,
                    log: want.log,
                    after: want.after,
                    up_to: want.up_to,
                    left: budget.min(WANT_BYTES),
                });
                self.read_next();
            }
        }
    }

    fn read_next(&mut self) {
        if self.serving.reading.is_some() {
            return;
        }
        let Some(served) = self.serving.queue.pop_front() else {
            return;
        };
        let ticket = self.ticket();
        let read = Read::Range {
            log: served.log,
            after: served.after,
            up_to: served.up_to,
            bytes_max: served.left.min(READ_BYTES),
        };
        self.serving.reading = Some((ticket, served));
        self.out.push(Effect::Read { ticket, read });
    }

    pub(super) fn hash_asked(
        &mut self,
        question: u32,
        log: LogId,
        head: Head,
        sequences: Vec<u64>,
    ) {
        if self.serving.waiting() >= SERVED_MAX {
            return self.close(CloseReason::TooManyWants);
        }
        let ticket = self.ticket();
        self.serving.questions.insert(ticket, question);
        self.out.push(Effect::Read { ticket, read: Read::Points { log, head, sequences } });
    }

    pub(super) fn read_done(&mut self, ticket: Ticket, found: Found) {
        if let Some(question) = self.serving.questions.remove(&ticket) {
            let points = match found {
                Found::Points(points) => points,
                // An empty answer says that the branch is not held.
                Found::Range(_)
                | Found::NotOnBranch
                | Found::NotHeld
                | Found::Held(_)
                | Found::Unavailable => Vec::new(),
            };
            return self.send(&Frame::HashesAt { question, points });
        }
        if self.serving.reading.as_ref().is_some_and(|(reading, _)| *reading == ticket) {
            if let Some((_, served)) = self.serving.reading.take() {
                self.serve(served, found);
            }
            return self.read_next();
        }
        self.looked_up(ticket, found);
    }

    fn serve(&mut self, served: Served, found: Found) {
        let why = match found {
            Found::Range(entries) => return self.serve_range(served, &entries),
            Found::NotOnBranch => RangeEnd::NotOnBranch,
            Found::NotHeld => RangeEnd::NotHeld,
            Found::Held(_) | Found::Points(_) | Found::Unavailable => RangeEnd::Later,
        };
        self.send(&Frame::RangeEnd { want: served.want, why });
    }

    fn serve_range(&mut self, mut served: Served, entries: &[Sealed]) {
        let mut rest = entries;
        let mut sent = false;
        while let Some(first) = rest.first() {
            let mut frame = Entries::new(served.want, first.range_start());
            let fits = rest.iter().take_while(|entry| frame.push(entry)).count();
            let (run, tail) = rest.split_at(fits);
            let Some(signed) = signed_prefix(run, &self.home) else {
                break;
            };
            if signed < run.len() {
                frame = Entries::new(served.want, first.range_start());
                run[..signed].iter().for_each(|entry| {
                    frame.push(entry);
                });
            }
            let last = &run[signed - 1];
            served.after = Some(Point { sequence: last.sequence(), entry: last.id() });
            served.left = served.left.saturating_sub(frame.bytes());
            let done = last.hash() == served.up_to.hash || served.left == 0;
            frame.last = done || signed < run.len();
            self.send(&Frame::Entries(frame.clone()));
            if frame.last {
                return;
            }
            sent = true;
            rest = tail;
        }
        if sent {
            self.serving.queue.push_back(served);
        } else {
            self.send(&Frame::RangeEnd { want: served.want, why: RangeEnd::Later });
        }
    }
}

/// Returns how many entries of the run may be passed on: up to the last whose own signature holds.
/// `None` if there is no such entry.
fn signed_prefix(run: &[Sealed], home: &HomeId) -> Option<usize> {
    run.iter().rposition(|entry| entry.clone().audit(home).is_ok()).map(|at| at + 1)
}
