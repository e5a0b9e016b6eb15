//! What is shown before a when-required dose is prepared (P-05): on a screen, where it is read at
//! once, and on paper, where it is read later and must be true then too.

use super::prn::rescue_to_json;
use crate::command::json::amount;
use crate::command::order::review_in_words;
use crate::command::page::{clock, day, moment};
use crate::command::session::Session;
use crate::command::unheard;
use mar::ids::{OrderId, StaffId};
use mar::order::{Content, Prn};
use mar::picture::ResidentPicture;
use mar::rules::{Bar, LastGiven, PrnStatus, barred, prn_status, taken};
use mar::time::{DAY, Timestamp};
use mar::unread;
use serde_json::{Value, json};

/// The last dose of each order is held without limit in time.
pub(crate) const EVER: Timestamp = Timestamp(i64::MIN);

/// What is known of a when-required order at this moment.
pub(crate) struct Card<'s> {
    session: &'s Session<'s>,
    resident: &'s ResidentPicture,
    content: &'s Content,
    prn: &'s Prn,
    status: PrnStatus,
    /// What keeps it from being given, besides its limits; `None` for nothing.
    bar: Option<Bar>,
    /// When the hold is to be looked at again, in words; `None` where it is not held or nobody said.
    review: Option<String>,
}

/// Where the words are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    /// On a screen, now.
    Now,
    /// On paper, at any time after it was printed.
    Later,
}

impl<'s> Card<'s> {
    /// Looks at an order of a resident.
    pub(crate) fn of(
        session: &'s Session<'s>,
        resident: &'s ResidentPicture,
        (order, content, prn): (OrderId, &'s Content, &'s Prn),
    ) -> Self {
        let taken = taken(&session.picture.home, resident, EVER);
        let status = prn_status((order, content), prn, &taken, session.now);
        // By a clock that is in doubt nobody can say that an order has not begun (W-05, T-08).
        let doubted = !session.clock.times_hold();
        let bar = barred(resident, order, session.now)
            .filter(|bar| !(doubted && *bar == Bar::Order(mar::order::State::Active)));
        let history = resident.orders.get(&order);
        let held = history.filter(|_| bar == Some(Bar::Order(mar::order::State::Held)));
        let review = held.and_then(|history| review_in_words(session, history));
        Self { session, resident, content, prn, status, bar, review }
    }

    /// Returns the four lines of P-05 as they hold now; for a rescue medicine its count instead of
    /// what is left (W-05).
    pub(crate) fn on_screen(&self) -> Vec<String> {
        self.lines(Read::Now)
    }

    /// Returns what held when it was printed, for a sheet that says by itself when that was.
    pub(crate) fn when_printed(&self) -> Vec<String> {
        self.lines(Read::Later)
    }

    /// Returns what held when it was printed, with that time and with the limits: what was given
    /// since is not on the sheet, and whoever gives the next dose has to count it.
    pub(crate) fn on_paper(&self) -> String {
        let zone = self.session.zone();
        let now = self.session.now;
        let date = day(now.civil(zone).date());
        let said = self.lines(Read::Later).join(" ");
        let printed = format!("At {} on {date} (printed): {said}", clock(now, zone));
        if self.bar.is_some() {
            // Limits beside it would read as if it could be given once they are kept.
            return printed;
        }
        let limits = mar::words::limits(self.prn);
        format!("{printed} Count what was given since. {limits}")
    }

    fn lines(&self, read: Read) -> Vec<String> {
        let last = match &self.status.last {
            None => "Not given yet, as far as is known here.".to_owned(),
            Some(last) => {
                let by = self.session.initials(self.giver(last));
                let at = moment(last.at, self.session.zone());
                format!("Last given {}{}, {at}, by {by}.", last.amount, self.named(last))
            }
        };
        let back = self.back();
        [last, self.next(read), self.left()].into_iter().chain(self.week()).chain(back).collect()
    }

    /// For a day after a return: what was given away from here counts, and nobody may have told it
    ///
    fn back(&self) -> Option<String> {
        let absence = self.resident.last_absence(self.session.now)?;
        (self.session.now < absence.to.plus(DAY)).then(|| {
            format!(
                "Away until {}: what was given there is not known here unless somebody recorded \
                 it. Ask.",
                moment(absence.to, self.session.zone())
            )
        })
    }

    /// Whether a time can be said at all; with a clock in doubt nobody knows how long ago the last
    /// dose was.
    fn holds(&self) -> bool {
        self.session.clock.times_hold()
    }

    /// When it may be given. The time that is shown must be true: never a minute too early.
    fn next(&self, read: Read) -> String {
        if let Some(bar) = self.bar {
            let why = bar.in_words();
            let review = self.review.as_ref().map(|words| format!(" It is to be {words}."));
            let review = review.unwrap_or_default();
            return match read {
                Read::Now => format!("NOT TO BE GIVEN NOW: {why}.{review}"),
                Read::Later => format!("NOT TO BE GIVEN: {why}.{review}"),
            };
        }
        match (self.status.earliest_next, read) {
            // A rescue medicine is held up by nothing, a clock least of all (W-05).
            (None, Read::Now) if !self.holds() && self.status.rescue.is_none() => {
                "WHETHER IT MAY BE GIVEN NOW CANNOT BE SAID: this device's clock is in doubt. Look \
                 at a watch, and at when it was last given."
                    .to_owned()
            }
            (None, Read::Later) if !self.holds() && self.status.rescue.is_none() => {
                "WHETHER IT MAY BE GIVEN CANNOT BE SAID: the clock of the device was in doubt. \
                 Look at a watch, and at when it was last given."
                    .to_owned()
            }
            (None, Read::Now) => "May be given now.".to_owned(),
            (None, Read::Later) => "Could be given at that time.".to_owned(),
            (Some(at), _) if never(at) => {
                "The smallest dose is more than the most in 24 hours.".to_owned()
            }
            (Some(at), _) => {
                format!("Earliest next {}.", moment(at.up_to_minute(), self.session.zone()))
            }
        }
    }

    fn left(&self) -> String {
        match (&self.status.rescue, &self.status.left_24h) {
            (Some(count), _) => format!("{}.", count.in_words()),
            (None, Some(_)) if !self.holds() => {
                "What is left in 24 hours cannot be said either.".to_owned()
            }
            (None, Some(left)) => format!("Left in 24 hours: {left}."),
            (None, None) => "The most in 24 hours is not stated.".to_owned(),
        }
    }

    /// How often it was given in the last week, with what other orders gave of the same: the limits
    /// count those too (P-03, P-04), and a count that leaves them out looks like room.
    fn week(&self) -> Option<String> {
        if !self.holds() {
            return None;
        }
        let all = times(self.status.given_7d);
        let others: Vec<String> = self
            .status
            .others_7d
            .iter()
            .map(|(order, n)| format!("{} as {}", times(*n), self.other(*order)))
            .collect();
        if others.is_empty() {
            return Some(format!("Given {all} in the last 7 days."));
        }
        let others = mar::words::list(&others);
        Some(format!("Given {all} in the last 7 days, of which {others}."))
    }

    /// An order that shares the limits, by the name of its medicine.
    fn other(&self, order: OrderId) -> String {
        let history = self.resident.orders.get(&order);
        let version = history.and_then(|h| h.best_version(self.session.now));
        let name = version.map_or("another order", |v| v.content.medicine.name.as_str());
        if name == self.content.medicine.name {
            format!("another order of {name}")
        } else {
            name.to_owned()
        }
    }

    /// Who gave a dose; `None` when nobody known did.
    fn giver(&self, last: &LastGiven) -> Option<StaffId> {
        let administration = self.resident.administration(last.administration)?;
        let (entry, _) = administration.record()?;
        administration.effective().and_then(|r| r.given_by).or_else(|| entry.staff())
    }

    /// ` of …` where the last dose was of another order, which shares the limits; else nothing.
    fn named(&self, last: &LastGiven) -> String {
        if last.of_another { format!(" of {}", self.other(last.order)) } else { String::new() }
    }

    /// Returns the card in the shape of the command line.
    pub(crate) fn to_json(&self) -> Value {
        let zone = self.session.zone();
        let (status, resident) = (&self.status, self.resident);
        let earliest = status.earliest_next.filter(|at| !never(*at));
        let known = self.holds() || status.rescue.is_some() || self.bar.is_some();
        let allowed = status.earliest_next.is_none() && self.bar.is_none();
        let others: Vec<Value> = status
            .others_7d
            .iter()
            .map(|(order, n)| {
                json!({ "order": order.to_string(), "medicine": self.other(*order), "given": n })
            })
            .collect();
        json!({
            "last": status.last.as_ref().map(|last| {
                json!({
                    "at": last.at.rfc3339(zone),
                    "amount": amount(&last.amount),
                    "by": self.giver(last).map(|id| id.to_string()),
                    "order": last.order.to_string(),
                    "administration": last.administration.to_string(),
                })
            }),
            "earliest_next": earliest.map(|at| at.rfc3339(zone)),
            "allowed_now": known.then_some(allowed),
            "not_now": self.bar.map(Bar::in_words),
            "left_24h": status.left_24h.as_ref().filter(|_| self.holds()).map(amount),
            "given_7d": status.given_7d,
            "given_7d_others": others,
            "rescue": status.rescue.as_ref().map(rescue_to_json),
            "unheard": unheard::to_json(self.session),
            "needs_update": unread::of_resident(resident).is_some()
                || unread::of_home(&self.session.picture).is_some(),
        })
    }
}

/// Beyond any time: it never fits.
const fn never(at: Timestamp) -> bool {
    at.0 == i64::MAX
}

fn times(n: usize) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}
