//! What one file comes to: what is asked of the record, and what is told to the person.

use super::Taken;
use super::fit::NAMELESS;
use super::person::{Known, Whose, doubtful_number, fill_in, grown};
use crate::command::session::Session;
use interop::dose_syntax::Start;
use interop::fhir::{Import, ProposedOrder, ProposedResident, Skipped, Status};
use mar::command::{Ask, AskOrder, AskResident};
use mar::fact::{Fact, OrderFact};
use mar::ids::{OrderId, ResidentId};
use mar::order::{Grade, Proposal, State};
use mar::picture::{OrderHistory, ResidentPicture};
use mar::resident::{Allergies, ExternalId};
use mar::time::Timestamp;
use std::collections::HashMap;

/// No proposal's words together are longer: an entry holds 16 KiB.
const WORDS_MAX: usize = 8_000;

/// How far a long file has come is told each time that so many residents are done.
const TOLD_EVERY: usize = 1_000;

/// What one file comes to.
pub(super) struct Plan {
    file: ExternalId,
    asks: Vec<Ask>,
    /// The allergies of whom the file has added to: it may hold the same person twice.
    grown: HashMap<ResidentId, Allergies>,
    taken: Taken,
}

impl Plan {
    /// Works out what a file comes to. Nothing is written.
    pub(super) fn of(
        session: &Session<'_>,
        import: &Import,
        file: ExternalId,
        tell: &mut dyn FnMut(&str),
    ) -> Self {
        let taken = Taken {
            residents: 0,
            left_out: 0,
            allergies: 0,
            orders: 0,
            written: 0,
            who: Vec::new(),
            skipped: Vec::new(),
            warnings: Vec::new(),
        };
        let picture = session.picture.clone();
        let mut known = Known::of(&picture, session.now);
        let mut plan = Self { file, asks: Vec::new(), grown: HashMap::new(), taken };
        for (done, sent) in import.residents.iter().enumerate() {
            if done % TOLD_EVERY == 0 && import.residents.len() > TOLD_EVERY {
                tell(&format!("{done} of {} residents compared", import.residents.len()));
            }
            plan.resident(session, &mut known, sent);
        }
        plan
    }

    /// Returns what is asked, and what is told.
    pub(super) fn into_parts(self) -> (Vec<Ask>, Taken) {
        (self.asks, self.taken)
    }

    fn warn(&mut self, place: &str, text: &str) {
        self.taken.warnings.push(format!("{place}: {text}"));
    }

    fn skip(&mut self, place: &str, what: &str, why: &str) {
        let (place, what, why) = (place.to_owned(), what.to_owned(), why.to_owned());
        self.taken.skipped.push(Skipped { place, what, why });
    }

    /// Asks one thing of the record. Returns whether its texts can be taken; where they cannot, what
    /// it is about is skipped and the rest of the file is taken all the same.
    fn ask(&mut self, place: &str, what: &str, ask: Ask) -> bool {
        let fault = ask.texts().iter().find_map(|text| text.check().err());
        if let Some(fault) = fault {
            self.skip(place, what, &fault.to_string());
            return false;
        }
        self.asks.push(ask);
        true
    }

    /// Takes one person of the file, or says why not: then nothing of them is taken.
    fn resident(&mut self, session: &Session<'_>, known: &mut Known<'_>, sent: &ProposedResident) {
        let mut identity = sent.identity();
        if identity.family.trim().is_empty() {
            NAMELESS.clone_into(&mut identity.family);
        }
        let what = sent.name().unwrap_or_else(|| "a person without a name".to_owned());
        let name = identity.list_name();
        let id = match known.whose(sent, &identity) {
            Whose::Nobody(why) => {
                self.taken.left_out += 1;
                return self.skip(&sent.place, &what, &why);
            }
            Whose::New => {
                if identity.family == NAMELESS {
                    self.warn(&sent.place, "the file does not name the person: write the name");
                }
                let id = ResidentId(session.device().fresh());
                let ask = Ask::Resident(id, AskResident::WriteIdentity(identity.clone()));
                if !self.ask(&sent.place, &what, ask) {
                    self.taken.left_out += 1;
                    return;
                }
                known.learn(id, identity);
                id
            }
            Whose::Known(id, warning) => {
                if let Some(warning) = warning {
                    self.warn(&sent.place, &warning);
                }
                if let Some(held) = known.identity(id) {
                    let mut filled = held.clone();
                    let warnings = fill_in(&mut filled, &identity);
                    let is_new = filled != *held;
                    for warning in warnings {
                        self.warn(&sent.place, &warning);
                    }
                    let ask = Ask::Resident(id, AskResident::WriteIdentity(filled.clone()));
                    if is_new && self.ask(&sent.place, &what, ask) {
                        known.learn(id, filled);
                    }
                }
                id
            }
        };
        if let Some(warning) = doubtful_number(sent) {
            self.warn(&sent.place, &warning);
        }
        self.taken.residents += 1;
        self.taken.who.push((id, name));
        let known = session.picture.resident(id);
        self.allergies(id, known.map(AsRef::as_ref), sent);
        for order in &sent.orders {
            self.order(session, (id, known.map(AsRef::as_ref)), order);
        }
    }

    fn allergies(
        &mut self,
        id: ResidentId,
        known: Option<&ResidentPicture>,
        sent: &ProposedResident,
    ) {
        let held = || known.map_or(Allergies::NotAsked, ResidentPicture::allergies);
        let before = self.grown.get(&id).cloned().unwrap_or_else(held);
        let (after, warning) = grown(&before, &sent.known_allergies());
        if let Some(warning) = warning {
            self.warn(&sent.place, &warning);
        }
        let asked = after.is_none_or(|after| {
            let ask = Ask::Resident(id, AskResident::WriteAllergies(after.clone()));
            let asked = self.ask(&sent.place, "the allergies", ask);
            if asked {
                self.grown.insert(id, after);
            }
            asked
        });
        if asked {
            self.taken.allergies += sent.allergies.listed.len();
        }
        for ended in &sent.allergies.apart {
            self.skip(
                &ended.place,
                &ended.substance,
                "the sender says that this allergy has ended",
            );
        }
    }

    fn order(
        &mut self,
        session: &Session<'_>,
        (id, known): (ResidentId, Option<&ResidentPicture>),
        sent: &ProposedOrder,
    ) {
        let name = &sent.medicine.name;
        let external = sent.external();
        let held = known.and_then(|r| {
            let is_same = |h: &&OrderHistory| {
                h.proposal().is_some_and(|p| p.external.first() == external.first())
            };
            r.orders.values().find(is_same)
        });
        if let Some(why) = ended(sent.status) {
            let open = held.map(|h| h.state(session.now)).filter(|s| {
                matches!(
                    s,
                    State::Proposal | State::AwaitingSecondCheck | State::Active | State::Held
                )
            });
            if open.is_some() {
                let text = format!("{name} is still open here, and {why}: ask the prescriber");
                self.warn(&sent.place, &text);
            }
            return self.skip(&sent.place, name, why);
        }
        let settings = session.settings();
        let start = Start { date: session.today(), at: session.now };
        let mut proposal = sent.proposal(&settings.rounds, settings.zone, &start);
        if let (None, Some(route)) = (&proposal.route, route_in_words(sent)) {
            proposal.remarks.push(format!("the route, {route}, is read from the words"));
            proposal.route = Some(route);
        }
        if sent.status != Status::Active {
            let status = &sent.status_as_sent;
            proposal.remarks.push(format!("the sender's status is “{status}”"));
        }
        if name.trim().is_empty() {
            // It is in use, so it is shown; who confirms it finds out what it is.
            UNNAMED.clone_into(&mut proposal.medicine.name);
            proposal.grade = Grade::Refused;
        }
        if length(&proposal) > WORDS_MAX {
            return self.skip(&sent.place, name, "its directions are too long: write it by hand");
        }
        proposal.external.push(self.file.clone());
        let order = match held {
            None => OrderId(session.device().fresh()),
            Some(history) => match self.news(history, &proposal, session.now) {
                News::Nothing => {
                    self.taken.orders += 1;
                    return;
                }
                News::Told(text) => {
                    self.taken.orders += 1;
                    return self.warn(&sent.place, &text);
                }
                News::Changed => history.id,
            },
        };
        let ask = Ask::Order(id, AskOrder::Propose { order, proposal });
        if self.ask(&sent.place, name, ask) {
            self.taken.orders += 1;
        }
    }

    fn news(&self, history: &OrderHistory, proposal: &Proposal, now: Timestamp) -> News {
        let unchanged = history.proposal().is_some_and(|p| same(p, proposal));
        if unchanged || from_file(history, &self.file) {
            return News::Nothing;
        }
        let name = &proposal.medicine.name;
        // A file whose words were the latest when it was first read left no mark of itself: read
        // again, it must not set back what a later file changed.
        if proposals(history).any(|p| same(p, proposal)) {
            return News::Told(format!(
                "{name} stands here as a later file has it, and this one has it as it was before: \
                 ask the sender which is right: medroundctl order show {}",
                history.id
            ));
        }
        // A stop is final, and what was turned down stays so: a person decides.
        match history.state(now) {
            state @ (State::Stopped | State::Rejected) => News::Told(format!(
                "{name} was {} here, and the file has it changed",
                state.in_words()
            )),
            State::Proposal | State::AwaitingSecondCheck | State::Active | State::Held => {
                News::Changed
            }
        }
    }
}

/// What a file says of an order that is held already.
enum News {
    /// Nothing new.
    Nothing,
    /// Nothing is written, and a person is told why.
    Told(String),
    /// The sender has changed it.
    Changed,
}

/// Stands where the sender names no medicine, until somebody who confirms it does.
pub(crate) const UNNAMED: &str = "Medicine not named by the sender";

/// Whether one of the order's proposals came from this very file: a later one may have changed it,
/// and the old file does not change it back.
fn from_file(history: &OrderHistory, file: &ExternalId) -> bool {
    proposals(history).any(|proposal| proposal.external.contains(file))
}

/// Everything that was ever proposed for an order.
fn proposals(history: &OrderHistory) -> impl Iterator<Item = &Proposal> {
    history.entries().filter_map(|entry| match &entry.fact {
        Fact::Order(OrderFact::Proposed { proposal, .. }) => Some(proposal),
        Fact::Order(_)
        | Fact::Membership(_)
        | Fact::Home(_)
        | Fact::Resident(_)
        | Fact::Dose(_)
        | Fact::FollowUp(_)
        | Fact::Access(_)
        | Fact::Unknown => None,
    })
}

/// The route that the words themselves name: what is "taken" or swallowed goes by mouth.
fn route_in_words(sent: &ProposedOrder) -> Option<String> {
    let [dosage] = sent.dosages.as_slice() else { return None };
    let reading = dosage.reading.as_ref()?;
    let taken = matches!(reading.method, Some("take" | "swallow"));
    reading.route.or(taken.then_some("oral")).map(str::to_owned)
}

/// Why an order is not proposed at all; `None` when it may be in use.
const fn ended(status: Status) -> Option<&'static str> {
    match status {
        Status::Active | Status::OnHold | Status::NotYet | Status::Dispensed | Status::Unknown => {
            None
        }
        Status::Completed => Some("the sender says that it came to its end"),
        Status::Stopped => Some("the sender says that it was stopped"),
        Status::Cancelled => Some("the sender says that it was withdrawn"),
        Status::NotTaken => Some("the sender says that it is not taken"),
    }
}

/// Whether two proposals say the same. What depends on the day of the import is left out: remarks,
/// the last issue, and the day from which a schedule would be counted.
fn same(a: &Proposal, b: &Proposal) -> bool {
    let sent = |p: &'_ Proposal| -> Vec<ExternalId> {
        p.external.iter().filter(|e| e.system != super::IMPORT_FILE).cloned().collect()
    };
    (&a.medicine, &a.words, a.grade, &a.dose) == (&b.medicine, &b.words, b.grade, &b.dose)
        && (&a.route, a.start) == (&b.route, b.start)
        && sent(a) == sent(b)
}

fn length(proposal: &Proposal) -> usize {
    let external = proposal.external.iter().map(|e| e.system.len() + e.value.len());
    let texts = proposal.words.iter().chain(&proposal.remarks).map(String::len);
    texts.chain(external).sum::<usize>() + proposal.medicine.name.len()
}
