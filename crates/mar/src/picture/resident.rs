//! One resident, folded.

mod whereabouts;

pub use whereabouts::Absence;

use super::{Administration, OrderHistory, Recorded, Writes, counting, heads};
use crate::fact::{
    CLINICAL, Contact, DoseFact, FIND_OUT, Fact, FollowUpFact, INCIDENT, Popped, ResidentFact,
};
use crate::ids::{AdministrationId, EntryId, FollowUpId, OrderId, ResidentId, StaffId};
use crate::outcome::{Outcome, Practice};
use crate::resident::{Allergies, Allergy, Identity, NhsNumber, Status};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One resident as the entries held tell it: identity, allergies, orders, outcomes of the months
/// that are loaded, open follow-ups.
#[derive(Debug, Clone)]
pub struct ResidentPicture {
    /// The resident.
    pub id: ResidentId,
    identity: Writes,
    allergies: Writes,
    status: Writes,
    /// The orders, by id.
    pub orders: BTreeMap<OrderId, OrderHistory>,
    /// The administrations of the months that are loaded, by id.
    pub administrations: BTreeMap<AdministrationId, Administration>,
    popped: Writes,
    follow_ups: BTreeMap<FollowUpId, Writes>,
    unknown: Writes,
}

/// A follow-up as it stands.
#[derive(Debug, Clone)]
pub struct FollowUp<'p> {
    /// Which.
    pub id: FollowUpId,
    /// What is to be done.
    pub what: &'p str,
    /// The order it is about; `None` for the resident as such.
    pub order: Option<OrderId>,
    /// Who owns it; `None` while nobody does.
    pub owner: Option<StaffId>,
    /// When it was opened, by the wall clock of the device.
    pub since: Timestamp,
    /// Who was contacted, in order.
    pub contacts: Vec<&'p Contact>,
    /// What became of it; `None` while it is open.
    pub closed: Option<&'p str>,
    /// Everything that was written of it, in order: who, when, the advice, what was changed.
    pub steps: Vec<(&'p Arc<Recorded>, &'p FollowUpFact)>,
}

impl ResidentPicture {
    /// A resident of whom nothing is held yet.
    #[must_use]
    pub const fn new(id: ResidentId) -> Self {
        Self {
            id,
            identity: Writes::new(),
            allergies: Writes::new(),
            status: Writes::new(),
            orders: BTreeMap::new(),
            administrations: BTreeMap::new(),
            popped: Writes::new(),
            follow_ups: BTreeMap::new(),
            unknown: Writes::new(),
        }
    }

    /// Takes one judged entry in. Taking it in again, or with another standing, replaces it.
    pub fn apply(&mut self, entry: &Arc<Recorded>) {
        match &entry.fact {
            Fact::Resident(ResidentFact::IdentityWritten(_)) => keep(&mut self.identity, entry),
            Fact::Resident(ResidentFact::AllergiesWritten(_)) => keep(&mut self.allergies, entry),
            Fact::Resident(ResidentFact::StatusChanged(_)) => keep(&mut self.status, entry),
            Fact::Order(fact) => {
                let id = fact.order();
                self.orders.entry(id).or_insert_with(|| OrderHistory::new(id)).apply(entry);
            }
            Fact::Dose(fact) => self.apply_dose(entry, fact),
            Fact::FollowUp(fact) => {
                keep(self.follow_ups.entry(fact.follow_up()).or_default(), entry)
            }
            // The access log is read from the stored views; the picture does without it.
            Fact::Access(_) => {}
            Fact::Unknown | Fact::Membership(_) | Fact::Home(_) => keep(&mut self.unknown, entry),
        }
    }

    fn apply_dose(&mut self, entry: &Arc<Recorded>, fact: &DoseFact) {
        let id = match fact {
            DoseFact::Popped(_) => return keep(&mut self.popped, entry),
            DoseFact::Recorded(recorded) => recorded.administration,
            DoseFact::Effect(effect) => effect.of.administration,
            DoseFact::Corrected(corrected) => corrected.of.administration,
        };
        self.administrations.entry(id).or_default().apply(entry, fact);
    }

    /// Lets go of the administrations filed under months before `month`, so that memory does not
    /// grow with the years; each order's last taken dose stays (it has no limit in time).
    pub fn forget_before(&mut self, month: crate::time::Month) {
        let last: std::collections::BTreeSet<AdministrationId> = self
            .orders
            .keys()
            .filter_map(|order| self.last_taken(*order).and_then(Administration::id))
            .collect();
        self.administrations.retain(|id, a| {
            last.contains(id) || a.reference().is_none_or(|r| r.filed_under.month() >= month)
        });
        self.popped.retain(|_, w| match &w.fact {
            Fact::Dose(fact) => fact.filed_under().month() >= month,
            Fact::Membership(_)
            | Fact::Home(_)
            | Fact::Resident(_)
            | Fact::Order(_)
            | Fact::FollowUp(_)
            | Fact::Access(_)
            | Fact::Unknown => true,
        });
    }

    /// Returns the identity; `None` before admission.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        heads(self.identity.values()).last().and_then(|w| identity_of(w))
    }

    /// Returns when the identity was written; `None` before admission.
    #[must_use]
    pub fn identity_written(&self) -> Option<Timestamp> {
        heads(self.identity.values()).last().map(|w| w.wall)
    }

    /// Returns every NHS number that was ever written of the resident.
    pub(super) fn nhs_numbers(&self) -> impl Iterator<Item = NhsNumber> + '_ {
        self.identity.values().filter_map(|w| identity_of(w).and_then(|i| i.nhs_number))
    }

    /// Returns the identities that were written apart, when there is more than one.
    #[must_use]
    pub fn identity_conflict(&self) -> Vec<(&Arc<Recorded>, &Identity)> {
        let found: Vec<_> = heads(self.identity.values())
            .into_iter()
            .filter_map(|w| identity_of(w).map(|i| (w, i)))
            .collect();
        if found.len() > 1 { found } else { Vec::new() }
    }

    /// Returns the allergies. Lists written apart are joined: an allergy added on one device is
    /// never taken away by another (Y-02). With nothing written it is "not asked".
    #[must_use]
    pub fn allergies(&self) -> Allergies {
        let heads = heads(self.allergies.values());
        let states: Vec<_> = heads.iter().filter_map(|w| allergies_of(w)).collect();
        let mut joined: Vec<Allergy> = Vec::new();
        for state in &states {
            if let Allergies::Recorded(list) = state {
                for allergy in list {
                    if !joined.contains(allergy) {
                        joined.push(allergy.clone());
                    }
                }
            }
        }
        if joined.is_empty() {
            states.last().map_or(Allergies::NotAsked, |s| (*s).clone())
        } else {
            Allergies::Recorded(joined)
        }
    }

    /// Returns when the allergies were last written; `None` when nobody has (R-03: by whom, when).
    #[must_use]
    pub fn allergies_written(&self) -> Option<Timestamp> {
        heads(self.allergies.values()).last().map(|w| w.wall)
    }

    /// Whether allergies were written apart and are joined here.
    #[must_use]
    pub fn has_allergy_conflict(&self) -> bool {
        heads(self.allergies.values()).len() > 1
    }

    /// Whether a clinical entry of a kind that this program does not know is held: then nothing may
    /// be given to this resident from here until the device is updated. An entry that is outside
    /// the record (a revoked device's, an observer's) stops nothing.
    #[must_use]
    pub fn needs_update(&self) -> bool {
        self.unknown
            .values()
            .any(|w| w.kind.class & CLINICAL != 0 && w.standing != super::Standing::Quarantined)
    }

    /// Returns the medicines that were popped and have no outcome yet, oldest first (W-03).
    #[must_use]
    pub fn pot(&self) -> Vec<(&Arc<Recorded>, &Popped)> {
        let done = |popped: &Popped, entry: &Recorded| {
            self.administrations.values().filter_map(Administration::record).any(|(w, o)| {
                w.standing.counts()
                    && o.order == popped.order
                    && o.slot == popped.slot
                    && w.stamp > entry.stamp
            })
        };
        counting(&self.popped)
            .into_iter()
            .filter_map(|w| {
                if let Fact::Dose(DoseFact::Popped(p)) = &w.fact { Some((w, p)) } else { None }
            })
            .filter(|(w, p)| !done(p, w))
            .collect()
    }

    /// Returns the administrations of one order.
    pub fn doses_of(&self, order: OrderId) -> impl Iterator<Item = &Administration> {
        self.administrations
            .values()
            .filter(move |a| a.record().is_some_and(|(_, o)| o.order == order))
    }

    /// Returns the last administration of an order of which something was taken.
    #[must_use]
    pub fn last_taken(&self, order: OrderId) -> Option<&Administration> {
        self.doses_of(order)
            .filter(|a| a.effective().is_some_and(|r| r.outcome.is_taken()))
            .max_by_key(|a| a.effective().map(|r| r.given_at))
    }

    /// Returns when the last dose of a course of `doses` doses was taken; `None` while some are
    /// left. A course ends on its count and not at midnight (W-11).
    #[must_use]
    pub fn course_ended(&self, order: OrderId, doses: u32) -> Option<Timestamp> {
        let mut taken: Vec<Timestamp> = self
            .doses_of(order)
            .filter_map(|a| a.effective().filter(|r| r.outcome.is_taken()).map(|r| r.given_at))
            .collect();
        taken.sort();
        let last = usize::try_from(doses).ok()?.checked_sub(1)?;
        taken.get(last).copied()
    }

    /// Returns an administration.
    #[must_use]
    pub fn administration(&self, id: AdministrationId) -> Option<&Administration> {
        self.administrations.get(&id)
    }

    /// Returns the follow-ups, oldest first.
    #[must_use]
    pub fn follow_ups(&self) -> Vec<FollowUp<'_>> {
        let mut found: Vec<_> =
            self.follow_ups.iter().filter_map(|(id, writes)| follow_up(*id, writes)).collect();
        found.sort_by_key(|f| (f.since, f.id));
        found
    }

    /// Returns the open incident that was written with a dose or a correction of it: the entry next
    /// to it in the same log (D-06). `None` for none, and once it is closed.
    #[must_use]
    pub fn incident_of(&self, id: AdministrationId) -> Option<FollowUp<'_>> {
        let dose = self.administration(id)?;
        let written: BTreeSet<_> =
            dose.history().iter().map(|w| (w.stamp.log, w.stamp.sequence + 1)).collect();
        let opened_with = |w: &Arc<Recorded>| {
            matches!(&w.fact, Fact::FollowUp(FollowUpFact::Opened { what, .. })
                if what.starts_with(INCIDENT))
                && written.contains(&(w.stamp.log, w.stamp.sequence))
        };
        let mut found =
            self.follow_ups.iter().filter(|(_, writes)| writes.values().any(opened_with));
        found.find_map(|(id, writes)| follow_up(*id, writes).filter(|f| f.closed.is_none()))
    }

    /// Returns the dose that a follow-up was opened with because nobody knew what became of it: the
    /// entry before it in the same log (W-04, D-16). `None` for every other follow-up.
    #[must_use]
    pub fn handed(&self, follow_up: &FollowUp<'_>) -> Option<&Administration> {
        let (opened, _) =
            follow_up.steps.first().filter(|_| follow_up.what.starts_with(FIND_OUT))?;
        let before = (opened.stamp.log, opened.stamp.sequence.checked_sub(1)?);
        let wrote = |a: &&Administration| {
            a.history().iter().any(|w| (w.stamp.log, w.stamp.sequence) == before)
        };
        self.administrations.values().find(wrote)
    }

    /// Whether more is known by now of a dose of which nobody knew what became of it: it was
    /// corrected, or another outcome stands on its slot.
    #[must_use]
    pub fn is_found_out(&self, follow_up: &FollowUp<'_>) -> bool {
        let unknown = |a: &Administration| {
            a.effective().is_some_and(|r| r.outcome == Outcome::Practice(Practice::NotKnown))
        };
        let Some(handed) = self.handed(follow_up) else { return false };
        let slot = handed.record().and_then(|(_, record)| record.slot.as_ref());
        let mut others = self.administrations.values().filter(|a| {
            slot.is_some() && a.record().and_then(|(_, record)| record.slot.as_ref()) == slot
        });
        !unknown(handed) || others.any(|a| a.effective().is_some() && !unknown(a))
    }

    /// Returns the heads that a new identity should name.
    #[must_use]
    pub fn identity_heads(&self) -> Vec<EntryId> {
        heads(self.identity.values()).iter().map(|w| w.id).collect()
    }

    /// Returns the heads that new allergies should name.
    #[must_use]
    pub fn allergy_heads(&self) -> Vec<EntryId> {
        heads(self.allergies.values()).iter().map(|w| w.id).collect()
    }

    /// Returns the heads of a follow-up.
    #[must_use]
    pub fn follow_up_heads(&self, id: FollowUpId) -> Vec<EntryId> {
        self.follow_ups
            .get(&id)
            .map(|w| heads(w.values()).iter().map(|w| w.id).collect())
            .unwrap_or_default()
    }

    /// Returns every entry that does not count or needs a look, in stamp order.
    #[must_use]
    pub fn in_doubt(&self) -> Vec<&Arc<Recorded>> {
        let orders = self.orders.values().flat_map(OrderHistory::entries);
        let doses = self.administrations.values().flat_map(Administration::history);
        let own = [&self.identity, &self.allergies, &self.status, &self.popped, &self.unknown];
        let mut found: Vec<_> = own
            .into_iter()
            .chain(self.follow_ups.values())
            .flat_map(BTreeMap::values)
            .chain(orders)
            .chain(doses)
            .filter(|w| w.standing != super::Standing::InForce)
            .collect();
        found.sort_by_key(|w| (w.stamp, w.id));
        found
    }
}

fn keep(writes: &mut Writes, entry: &Arc<Recorded>) {
    writes.insert(entry.id, entry.clone());
}

fn identity_of(entry: &Recorded) -> Option<&Identity> {
    if let Fact::Resident(ResidentFact::IdentityWritten(identity)) = &entry.fact {
        Some(identity)
    } else {
        None
    }
}

fn status_of(entry: &Recorded) -> Option<&Status> {
    if let Fact::Resident(ResidentFact::StatusChanged(status)) = &entry.fact {
        Some(status)
    } else {
        None
    }
}

fn allergies_of(entry: &Recorded) -> Option<&Allergies> {
    if let Fact::Resident(ResidentFact::AllergiesWritten(allergies)) = &entry.fact {
        Some(allergies)
    } else {
        None
    }
}

fn follow_up(id: FollowUpId, writes: &Writes) -> Option<FollowUp<'_>> {
    let mut found: Option<FollowUp<'_>> = None;
    for entry in counting(writes) {
        let Fact::FollowUp(fact) = &entry.fact else {
            continue;
        };
        match (fact, &mut found) {
            (FollowUpFact::Opened { what, order, owner, .. }, None) => {
                found = Some(FollowUp {
                    id,
                    what,
                    order: *order,
                    owner: *owner,
                    since: entry.wall,
                    contacts: Vec::new(),
                    closed: None,
                    steps: Vec::new(),
                });
            }
            (FollowUpFact::Continued { owner, contact, .. }, Some(follow_up)) => {
                follow_up.owner = owner.or(follow_up.owner);
                follow_up.contacts.extend(contact.as_ref());
            }
            (FollowUpFact::Closed { outcome, .. }, Some(follow_up)) => {
                follow_up.closed = Some(outcome)
            }
            (FollowUpFact::Opened { .. }, Some(_))
            | (FollowUpFact::Continued { .. } | FollowUpFact::Closed { .. }, None) => {}
        }
        if let Some(follow_up) = &mut found {
            follow_up.steps.push((entry, fact));
        }
    }
    found
}
