//! Whose record a file is: one person is one resident (H-39), and two are never one (H-05).

use super::fit::{Fit, Names, fit, is_named, name_key, names};
use chrono::NaiveDate;
use interop::fhir::{Deceased, ProposedOrder, ProposedResident, SentNhsNumber, is_nhs_number};
use mar::ids::ResidentId;
use mar::picture::Picture;
use mar::resident::{Allergies, Allergy, ExternalId, Identity, NhsNumber};
use mar::time::Timestamp;
use mar::words::date;
use std::collections::{BTreeSet, HashMap};

/// Whose record it is.
pub(super) enum Whose {
    /// This resident's; a warning where the match is weak.
    Known(ResidentId, Option<String>),
    /// Somebody's who is not in the record yet.
    New,
    /// Nobody's who can be named, or somebody's who cannot be told apart; why.
    Nobody(String),
}

/// Who is in the record, and who of the file was already taken, found by what the file says of a
/// person. It is made once for a file: a long one would otherwise look through the whole home for
/// each of its people.
pub(super) struct Known<'p> {
    /// Those who are here before those who left, then those of the file.
    people: Vec<Person>,
    places: HashMap<ResidentId, usize>,
    numbers: HashMap<NhsNumber, Vec<usize>>,
    /// By the sender's own identifiers of the person: the NHS number is none.
    external: HashMap<ExternalId, Vec<usize>>,
    /// By date of birth, family name and given name.
    names: HashMap<(NaiveDate, String, String), Vec<usize>>,
    /// By the sender's first identifier of an order: senders use one for two people's.
    orders: HashMap<&'p ExternalId, BTreeSet<ResidentId>>,
}

struct Person {
    id: ResidentId,
    identity: Identity,
    is_here: bool,
    /// Taken from this file, and not in the record before it.
    of_file: bool,
}

impl<'p> Known<'p> {
    /// Looks at every resident once.
    pub(super) fn of(picture: &'p Picture, now: Timestamp) -> Self {
        let mut known = Self {
            people: Vec::new(),
            places: HashMap::new(),
            numbers: HashMap::new(),
            external: HashMap::new(),
            names: HashMap::new(),
            orders: HashMap::new(),
        };
        let all = || picture.residents.values();
        let (here, gone): (Vec<_>, Vec<_>) = all().partition(|r| r.is_here(now));
        for resident in here.into_iter().chain(gone) {
            if let Some(identity) = resident.identity() {
                let (is_here, identity) = (resident.is_here(now), identity.clone());
                known.add(Person { id: resident.id, identity, is_here, of_file: false });
            }
        }
        for resident in all() {
            for history in resident.orders.values() {
                if let Some(key) = history.proposal().and_then(|p| p.external.first()) {
                    known.orders.entry(key).or_default().insert(resident.id);
                }
            }
        }
        known
    }

    /// Learns who somebody is after what was taken of this file: its next person may be the same.
    pub(super) fn learn(&mut self, id: ResidentId, identity: Identity) {
        match self.places.get(&id).copied() {
            Some(place) => {
                self.people[place].identity = identity;
                self.index(place);
            }
            None => self.add(Person { id, identity, is_here: true, of_file: true }),
        }
    }

    fn add(&mut self, person: Person) {
        self.places.insert(person.id, self.people.len());
        self.people.push(person);
        self.index(self.people.len() - 1);
    }

    fn index(&mut self, place: usize) {
        let put = |places: &mut Vec<usize>| {
            if !places.contains(&place) {
                places.push(place);
            }
        };
        let identity = &self.people[place].identity;
        if let Some(number) = identity.nhs_number {
            put(self.numbers.entry(number).or_default());
        }
        for external in identity.external.iter().filter(|id| is_own_id(id)) {
            put(self.external.entry(external.clone()).or_default());
        }
        if let Some(key) = name_key(identity) {
            put(self.names.entry(key).or_default());
        }
    }

    /// Returns who somebody is by now; `None` when nobody has that id.
    pub(super) fn identity(&self, id: ResidentId) -> Option<&Identity> {
        self.places.get(&id).map(|place| &self.people[*place].identity)
    }

    /// Finds whose record it is: by NHS number, then by an identifier of the sender, each with the
    /// date of birth, then by name and date of birth with a warning.
    pub(super) fn whose(&self, sent: &ProposedResident, identity: &Identity) -> Whose {
        let found = self
            .by_number(sent, identity)
            .or_else(|| self.by_own_id(sent, identity))
            .or_else(|| self.by_name(identity));
        if let Some(whose) = found {
            return whose;
        }
        if !sent.in_file {
            return Whose::Nobody("the person is not in the file, and nobody here fits".to_owned());
        }
        let by_orders = self.by_orders(sent, identity);
        match by_orders.len() {
            0 => {}
            1 => return by_orders.first().map_or(Whose::New, |id| Whose::Known(*id, None)),
            n => return Whose::Nobody(several_fit(n)),
        }
        if let Deceased::Yes(_) = sent.deceased {
            return Whose::Nobody("the sender says that the person has died".to_owned());
        }
        if !is_found_again(sent, identity) {
            return Whose::Nobody(NOTHING_TO_FIND_BY.to_owned());
        }
        Whose::New
    }

    fn by_number(&self, sent: &ProposedResident, identity: &Identity) -> Option<Whose> {
        let number = identity.nhs_number?;
        let places = self.numbers.get(&number)?.iter().map(|place| &self.people[*place]);
        let mut with_number = places.filter(|p| p.identity.nhs_number == Some(number)).peekable();
        let first: &Person = with_number.peek()?;
        let by = format!("the NHS number {number}");
        let mut weak = None;
        for person in with_number {
            match fit(&person.identity, sent, identity) {
                Fit::Same => return Some(Whose::Known(person.id, None)),
                Fit::NameOnly => {
                    let warning = without_birth(person, &by);
                    weak = weak.or(Some(Whose::Known(person.id, Some(warning))));
                }
                Fit::TooLittle => {
                    let shares = |id: &ExternalId| person.identity.external.contains(id);
                    let own = identity.external.iter().filter(|id| is_own_id(id)).any(shares);
                    if own || self.by_orders(sent, identity).contains(&person.id) {
                        weak = weak.or(Some(Whose::Known(person.id, None)));
                    }
                }
                Fit::OtherBirth | Fit::OtherName => {}
            }
        }
        let nobody = || Whose::Nobody(not_the_same(first, sent, identity, &by));
        Some(weak.unwrap_or_else(nobody))
    }

    fn by_own_id(&self, sent: &ProposedResident, identity: &Identity) -> Option<Whose> {
        for external in identity.external.iter().filter(|id| is_own_id(id)) {
            for place in self.external.get(external).into_iter().flatten() {
                let person = &self.people[*place];
                let by = format!("the sender's identifier {}", external.value);
                let fits = fit(&person.identity, sent, identity);
                let names = names(&person.identity, identity);
                if fits == Fit::OtherBirth && names == Names::Other {
                    // Nothing but a number that two people were given: `1`, `UNKNOWN`.
                    continue;
                }
                if other_number(&person.identity, identity) {
                    let why = "its identifier is a resident's who has another NHS number";
                    return Some(Whose::Nobody(why.to_owned()));
                }
                let nameless = !is_named(&person.identity) && !is_named(identity);
                return Some(match fits {
                    Fit::Same => Whose::Known(person.id, None),
                    Fit::NameOnly => Whose::Known(person.id, Some(without_birth(person, &by))),
                    Fit::TooLittle
                        if nameless || self.by_orders(sent, identity).contains(&person.id) =>
                    {
                        Whose::Known(person.id, None)
                    }
                    Fit::TooLittle | Fit::OtherBirth | Fit::OtherName => {
                        Whose::Nobody(not_the_same(person, sent, identity, &by))
                    }
                });
            }
        }
        None
    }

    fn by_name(&self, identity: &Identity) -> Option<Whose> {
        let places = self.names.get(&name_key(identity)?)?.iter().map(|place| &self.people[*place]);
        let fitting = places.filter(|p| {
            name_key(&p.identity) == name_key(identity) && !other_number(&p.identity, identity)
        });
        let (here, gone): (Vec<_>, Vec<_>) = fitting.partition(|p| p.is_here);
        let person = match here.as_slice() {
            [] => *gone.first()?,
            [person] => *person,
            [..] => {
                let why = format!(
                    "{} residents have this name and this date of birth: nothing was taken. Write \
                     the NHS number with `medroundctl resident change RESIDENT --from FILE`, then import again",
                    here.len()
                );
                return Some(Whose::Nobody(why));
            }
        };
        let warning = format!(
            "{} was found by name and date of birth alone: look whether it is the same person",
            identity.list_name()
        );
        Some(Whose::Known(person.id, Some(warning)))
    }

    /// Somebody of whom the file says little is found again by the sender's own order identifiers,
    /// unless what it says is another's.
    fn by_orders(&self, sent: &ProposedResident, identity: &Identity) -> BTreeSet<ResidentId> {
        let little = sent.names.is_empty() || identity.born.is_none();
        let fits = |id: &ResidentId| {
            let Some(known) = self.identity(*id) else { return false };
            let by_name = match fit(known, sent, identity) {
                Fit::Same | Fit::NameOnly => true,
                Fit::TooLittle => sent.names.is_empty(),
                Fit::OtherBirth | Fit::OtherName => false,
            };
            little && by_name && !other_number(known, identity)
        };
        let keys = own_orders(sent).filter_map(|order| order.external().into_iter().next());
        let found = keys.filter_map(|key| self.orders.get(&key)).flatten();
        found.filter(|id| fits(id)).copied().collect()
    }
}

/// Told where the identifiers of the orders are those of several residents.
fn several_fit(residents: usize) -> String {
    format!(
        "the identifiers of these orders are those of {residents} residents, and the file says no \
         more of whose they are: nothing was taken. Ask the sender whose they are"
    )
}

/// Told of a person whom the next import would not find again, but write down a second time, and
/// whom nobody could tell from another of the same name.
const NOTHING_TO_FIND_BY: &str = "the file gives no date of birth with the name, no NHS number and \
    no identifier of the sender, so that nobody can tell whose it is: nothing of this person was \
    taken. Ask the sender for one of these, or write who it is by hand: medroundctl resident add \
    --from FILE";

/// Whether importing the same file again would find the person again (H-39).
fn is_found_again(sent: &ProposedResident, identity: &Identity) -> bool {
    identity.nhs_number.is_some()
        || name_key(identity).is_some()
        || identity.external.iter().any(is_own_id)
        || own_orders(sent).next().is_some()
}

/// The orders that bear an identifier of the sender: what two people were both prescribed in the
/// same words says nothing of who they are.
fn own_orders(sent: &ProposedResident) -> impl Iterator<Item = &ProposedOrder> {
    sent.orders.iter().filter(|order| !order.identifiers.is_empty())
}

fn other_number(known: &Identity, sent: &Identity) -> bool {
    known.nhs_number.zip(sent.nhs_number).is_some_and(|(a, b)| a != b)
}

/// Whether an identifier is the sender's own of the person. The NHS number's place is none, valid
/// or not, nor is one without a name space: those are given to many.
fn is_own_id(identifier: &ExternalId) -> bool {
    let system = identifier.system.trim();
    !system.is_empty() && system != "reference" && !is_nhs_number(identifier)
}

fn without_birth(person: &Person, by: &str) -> String {
    format!(
        "{} was found by {by} and the name, without a date of birth: look whether it is the same \
                     person",
        person.identity.list_name()
    )
}

/// Says why nothing of a person is taken, names both, and says what to do.
fn not_the_same(known: &Person, sent: &ProposedResident, identity: &Identity, by: &str) -> String {
    let born = |i: &Identity| {
        i.born.map_or_else(|| "no date of birth".to_owned(), |b| format!("born {}", date(b)))
    };
    let (whose, place) = if known.of_file {
        (known.identity.list_name(), " earlier in this file")
    } else {
        (known.identity.list_name(), " here")
    };
    let (here, there) = (born(&known.identity), born(identity));
    let name = if is_named(identity) { identity.list_name() } else { "no name".to_owned() };
    let name = name.trim_end_matches([',', ' ']);
    let (orders, allergies) = (sent.orders.len(), sent.allergies.listed.len());
    let mut left = Vec::new();
    if orders > 0 {
        left.push(crate::command::page::count(orders, "medicine"));
    }
    if allergies > 0 {
        let word = if allergies == 1 { "allergy" } else { "allergies" };
        left.push(format!("{allergies} {word}"));
    }
    let left = if left.is_empty() { String::new() } else { format!(" ({})", left.join(", ")) };
    let id = if known.of_file { "RESIDENT".to_owned() } else { known.id.to_string() };
    format!(
        "{by} is that of {whose}{place}, {here}; the file has it for {name}, {there}. These may be \
                     two people: nothing of this one was taken{left}. Find out who has the number. Correct who \
                     it is here with `medroundctl resident change {id} --from FILE`, or ask the sender to correct the \
                     record; then import again"
    )
}

/// Lays what was sent under what is known: the home's own words stay, what is missing is filled
/// in. Returns the warnings about what differs.
pub(super) fn fill_in(known: &mut Identity, sent: &Identity) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut differs = |what: &str, here: String, there: String| {
        if here != there {
            warnings.push(format!("{what} is {here} here and {there} in the file"));
        }
    };
    match (known.born, sent.born) {
        (None, there) => known.born = there,
        (Some(here), Some(there)) => {
            differs("the date of birth", here.to_string(), there.to_string());
        }
        (Some(_), None) => {}
    }
    match (known.nhs_number, sent.nhs_number) {
        (None, Some(there)) => {
            known.nhs_number = Some(there);
            known.no_nhs_number = None;
        }
        (None, None) => {
            known.no_nhs_number = known.no_nhs_number.take().or(sent.no_nhs_number.clone())
        }
        (Some(_), _) => {}
    }
    if matches!(names(known, sent), Names::Partly | Names::Other) {
        differs("the name", known.list_name(), sent.list_name());
    }
    if known.gp.trim().is_empty() {
        known.gp.clone_from(&sent.gp);
    }
    if known.pharmacy.trim().is_empty() {
        known.pharmacy.clone_from(&sent.pharmacy);
    }
    for identifier in &sent.external {
        if !known.external.contains(identifier) {
            known.external.push(identifier.clone());
        }
    }
    warnings
}

/// Returns the allergies after an import: what is known stays, what is new is added; `None` when
/// nothing changes. A file never takes an allergy away (Y-02).
pub(super) fn grown(known: &Allergies, sent: &Allergies) -> (Option<Allergies>, Option<String>) {
    let sent = match sent {
        Allergies::NotAsked => return (None, None),
        Allergies::Recorded(list) => list.iter().map(named).collect::<Vec<_>>(),
        Allergies::NoneKnown { .. } => {
            return match known {
                Allergies::NotAsked => (Some(sent.clone()), None),
                Allergies::NoneKnown { .. } => (None, None),
                Allergies::Recorded(_) => {
                    (None, Some("the sender knows of no allergies; those here stay".to_owned()))
                }
            };
        }
    };
    let before: Vec<Allergy> = match known {
        Allergies::Recorded(list) => list.clone(),
        Allergies::NoneKnown { .. } | Allergies::NotAsked => Vec::new(),
    };
    let mut after = before.clone();
    for allergy in sent {
        let same = |a: &&mut Allergy| {
            a.substance.trim().to_lowercase() == allergy.substance.to_lowercase()
        };
        match after.iter_mut().find(same) {
            Some(known) => {
                known.reaction = known.reaction.take().or(allergy.reaction);
                known.code = known.code.take().or(allergy.code);
                known.kind = known.kind.or(allergy.kind);
            }
            None => after.push(allergy),
        }
    }
    ((after != before).then_some(Allergies::Recorded(after)), None)
}

/// An allergy without a name is still an allergy.
fn named(sent: &Allergy) -> Allergy {
    let blank = sent.substance.trim().is_empty();
    let substance = if blank { "not named by the sender: ask" } else { sent.substance.trim() };
    Allergy { substance: substance.to_owned(), ..sent.clone() }
}

/// Whether the NHS number that was sent is not one.
pub(super) fn doubtful_number(sent: &ProposedResident) -> Option<String> {
    match &sent.nhs_number {
        SentNhsNumber::Doubtful { as_sent, fault } => {
            Some(format!("the NHS number `{as_sent}`: {fault}"))
        }
        SentNhsNumber::Missing | SentNhsNumber::Valid(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allergy(substance: &str, reaction: Option<&str>) -> Allergy {
        Allergy {
            substance: substance.into(),
            code: None,
            reaction: reaction.map(str::to_owned),
            kind: None,
        }
    }

    #[test]
    fn an_import_adds_allergies_and_never_takes_one_away() {
        let penicillin = Allergies::Recorded(vec![allergy("penicillin", None)]);
        let both =
            Allergies::Recorded(vec![allergy("Penicillin", Some("rash")), allergy("latex", None)]);
        let (after, _) = grown(&penicillin, &both);
        let expected =
            Allergies::Recorded(vec![allergy("penicillin", Some("rash")), allergy("latex", None)]);
        assert_eq!(after.as_ref(), Some(&expected));
        assert_eq!(grown(&expected, &both).0, None, "importing again changes nothing");
        let none = Allergies::NoneKnown { by: "imported".into(), on: None };
        let (after, warning) = grown(&penicillin, &none);
        assert_eq!(after, None);
        assert!(warning.is_some());
        assert_eq!(grown(&Allergies::NotAsked, &none).0, Some(none));
        assert_eq!(grown(&penicillin, &Allergies::NotAsked).0, None);
    }

    #[test]
    fn an_allergy_that_the_sender_does_not_name_is_kept() {
        let sent = Allergies::Recorded(vec![allergy(" ", Some("anaphylaxis"))]);
        let (after, _) = grown(&Allergies::NotAsked, &sent);
        let Some(Allergies::Recorded(list)) = after else { panic!("{after:?}") };
        assert_eq!(list[0].reaction.as_deref(), Some("anaphylaxis"));
        assert!(list[0].substance.contains("not named"));
    }

    #[test]
    fn what_the_home_wrote_stays_and_what_is_missing_is_filled_in() {
        let mut known = Identity::named("Shaw", "Gladys");
        known.room = "12".into();
        known.gp = "Dr Patel".into();
        let mut sent = Identity::named("Shaw", "Gladys May");
        sent.born = "1938-04-12".parse().ok();
        sent.nhs_number = "943 476 5919".parse().ok();
        sent.gp = "Another".into();
        assert_eq!(fill_in(&mut known, &sent), Vec::<String>::new());
        assert_eq!((known.gp.as_str(), known.room.as_str()), ("Dr Patel", "12"));
        assert_eq!(known.nhs_number, sent.nhs_number);
        let before = known.clone();
        fill_in(&mut known, &sent);
        assert_eq!(known, before);
        sent.born = "1939-04-12".parse().ok();
        assert_eq!(fill_in(&mut known, &sent).len(), 1);
        assert_eq!(known.born, before.born);
    }
}
