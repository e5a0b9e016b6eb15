//! Whose record a file is: one person is one resident (H-39).

use chrono::NaiveDate;
use interop::fhir::{Deceased, ProposedResident, SentNhsNumber};
use mar::ids::ResidentId;
use mar::picture::Picture;
use mar::resident::{Allergies, Allergy, ExternalId, Identity, NhsNumber};
use std::collections::HashMap;

/// Whose record it is.
pub(super) enum Whose {
    /// This resident's; a warning where the match is weak.
    Known(ResidentId, Option<String>),
    /// Somebody's who is not in the record yet.
    New,
    /// Nobody's who can be named, or somebody's who cannot be told apart; why.
    Nobody(String),
}

/// Who is in the record, found by what a file says of a person. It is made once for a file: a long
/// one would otherwise look through the whole home for each of its people.
pub(super) struct Known<'p> {
    picture: &'p Picture,
    numbers: HashMap<NhsNumber, ResidentId>,
    /// With the place in the order in which residents are looked at.
    external: HashMap<&'p ExternalId, (usize, ResidentId)>,
    /// By date of birth, family name and given name.
    names: HashMap<(NaiveDate, String, String), ResidentId>,
    /// By the sender's first identifier of an order.
    orders: HashMap<&'p ExternalId, ResidentId>,
}

impl<'p> Known<'p> {
    /// Looks at every resident once: those who are here before those who left.
    pub(super) fn of(picture: &'p Picture) -> Self {
        let mut known = Self {
            picture,
            numbers: HashMap::new(),
            external: HashMap::new(),
            names: HashMap::new(),
            orders: HashMap::new(),
        };
        let all = || picture.residents.values();
        let in_order = all().filter(|r| r.is_here()).chain(all().filter(|r| !r.is_here()));
        for (at, resident) in in_order.enumerate() {
            let Some(identity) = resident.identity() else { continue };
            if let Some(number) = identity.nhs_number {
                known.numbers.entry(number).or_insert(resident.id);
            }
            for external in &identity.external {
                known.external.entry(external).or_insert((at, resident.id));
            }
            if let Some(name) = name_of(identity) {
                known.names.entry(name).or_insert(resident.id);
            }
        }
        for resident in all() {
            for history in resident.orders.values() {
                if let Some(key) = history.proposal().and_then(|p| p.external.first()) {
                    known.orders.entry(key).or_insert(resident.id);
                }
            }
        }
        known
    }

    /// Finds whose record it is: by NHS number, then by an identifier of the sender, then by name
    /// and date of birth with a warning.
    pub(super) fn whose(&self, sent: &ProposedResident, identity: &Identity) -> Whose {
        let number = identity.nhs_number;
        if let Some(id) = number.and_then(|number| self.numbers.get(&number)) {
            return Whose::Known(*id, None);
        }
        let other_number = |id: ResidentId| {
            let known = self.picture.resident(id).and_then(|r| r.identity());
            known.and_then(|k| k.nhs_number).zip(number).is_some_and(|(a, b)| a != b)
        };
        let shares = identity.external.iter().filter_map(|external| self.external.get(external));
        if let Some((_, id)) = shares.min() {
            return if other_number(*id) {
                Whose::Nobody(
                    "its identifier is a resident's who has another NHS number".to_owned(),
                )
            } else {
                Whose::Known(*id, None)
            };
        }
        let same_person = name_of(identity).and_then(|name| self.names.get(&name));
        if let Some(id) = same_person.filter(|id| !other_number(**id)) {
            let warning = format!(
                "{} was found by name and date of birth alone: look whether it is the same person",
                identity.list_name()
            );
            return Whose::Known(*id, Some(warning));
        }
        if !sent.in_file {
            return Whose::Nobody("the person is not in the file, and nobody here fits".to_owned());
        }
        if let Some(id) = self.by_orders(sent).filter(|_| sent.names.is_empty()) {
            return Whose::Known(id, None);
        }
        if let Deceased::Yes(_) = sent.deceased {
            return Whose::Nobody("the sender says that the person has died".to_owned());
        }
        Whose::New
    }

    /// Somebody whom the file does not name is found again by the sender's own order identifiers.
    fn by_orders(&self, sent: &ProposedResident) -> Option<ResidentId> {
        let keys = sent.orders.iter().filter_map(|order| order.external().into_iter().next());
        keys.filter_map(|key| self.orders.get(&key)).min().copied()
    }
}

/// What tells a person from another where there is no number: `None` without a date of birth.
fn name_of(identity: &Identity) -> Option<(NaiveDate, String, String)> {
    let plain = |name: &str| name.trim().to_lowercase();
    identity.born.map(|born| (born, plain(&identity.family), plain(&identity.given)))
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
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    if !sent.family.is_empty() && !same(&known.family, &sent.family) {
        differs("the family name", known.family.clone(), sent.family.clone());
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
