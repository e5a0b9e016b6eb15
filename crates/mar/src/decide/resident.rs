//! Decisions about who a resident is and where, and the check of a whole page.

use super::follow_up::Said;
use super::{Decision, named};
use crate::command::AskResident;
use crate::fact::{Access, Actor, Draft, Fact, Made, OrderFact, ResidentFact};
use crate::ids::{EntryId, OrderId, ResidentId, VersionId};
use crate::picture::OrderHistory;
use crate::refusal::{EntryRefusal, Missing, OrderRefusal, PageLine, Refusal};
use crate::resident::{Allergies, Identity, Status, Whereabouts};
use crate::staff::Act;
use crate::time::Timestamp;

impl Decision<'_, '_, '_> {
    pub(super) fn resident(
        &mut self,
        id: ResidentId,
        ask: &AskResident,
    ) -> Result<Vec<Draft>, Refusal> {
        if !matches!(ask, AskResident::WriteIdentity(_)) {
            self.resident_picture(id)?;
        }
        let back = match ask {
            AskResident::ChangeStatus(status) => self.reconciliation(id, status)?,
            AskResident::WriteIdentity(_)
            | AskResident::WriteAllergies(_)
            | AskResident::CheckPage(_)
            | AskResident::NoteAccess { .. }
            | AskResident::OpenFollowUp { .. }
            | AskResident::ContinueFollowUp { .. }
            | AskResident::CloseFollowUp { .. } => None,
        };
        let (authority, base, fact) = match ask {
            AskResident::WriteIdentity(identity) => self.write_identity(id, identity)?,
            AskResident::WriteAllergies(allergies) => self.write_allergies(id, allergies)?,
            AskResident::ChangeStatus(status) => self.change_status(id, status)?,
            AskResident::CheckPage(orders) => return self.check_page(id, orders),
            AskResident::NoteAccess { what, session } => {
                // A read without --as is the device's own, and the log says so.
                let authority = match self.command.actor {
                    Actor::Device => self.device_authority()?,
                    Actor::Staff(_) => self.person(Act::Read)?.2,
                };
                let fact = Access { what: *what, session: *session, at: self.now() };
                (authority, Vec::new(), Fact::Access(fact))
            }
            AskResident::OpenFollowUp { what, order, owner } => {
                self.open_follow_up(id, what, *order, *owner)?
            }
            AskResident::ContinueFollowUp {
                follow_up,
                owner,
                contact,
                advice,
                resulting_order,
            } => {
                let (owner, order, advice) = (*owner, *resulting_order, advice.as_str());
                let said = Said { owner, contact: contact.as_ref(), advice, order };
                self.continue_follow_up(id, *follow_up, &said)?
            }
            AskResident::CloseFollowUp { follow_up, outcome, corrective_action } => {
                self.close_follow_up(id, *follow_up, outcome, corrective_action)?
            }
        };
        let made = self.made(authority, base)?;
        let back = back.map(|fact| {
            let made = Made { base: Vec::new(), ..made.clone() };
            Draft { subject: Some(id), made: Some(made), fact }
        });
        let draft = Draft { subject: Some(id), made: Some(made), fact };
        Ok(std::iter::once(draft).chain(back).collect())
    }

    fn write_identity(
        &self,
        id: ResidentId,
        identity: &Identity,
    ) -> Result<(EntryId, Vec<EntryId>, Fact), Refusal> {
        let (_, _, authority) = self.person(Act::KeepResident)?;
        named(&identity.family, "family name")?;
        if identity.born.is_some_and(|born| born > self.now().utc().date_naive()) {
            return Err(EntryRefusal::BornInFuture.into());
        }
        // One person is one resident (H-39): the same NHS number is never admitted twice.
        let same = identity.nhs_number.into_iter().flat_map(|n| self.picture.with_nhs_number(n));
        let twin = same.filter(|r| r.id != id && r.is_here(self.now())).find_map(|r| r.identity());
        if let Some(twin) = twin {
            return Err(EntryRefusal::SameNhsNumber(twin.list_name()).into());
        }
        let base = self.picture.resident(id).map(|r| r.identity_heads()).unwrap_or_default();
        Ok((authority, base, Fact::Resident(ResidentFact::IdentityWritten(identity.clone()))))
    }

    fn write_allergies(
        &self,
        id: ResidentId,
        allergies: &Allergies,
    ) -> Result<(EntryId, Vec<EntryId>, Fact), Refusal> {
        let (_, _, authority) = self.person(Act::KeepResident)?;
        match allergies {
            Allergies::Recorded(list) => {
                if list.is_empty() {
                    return Err(EntryRefusal::Blank(
                        "substance, or \"none known\" with who said so",
                    )
                    .into());
                }
                for allergy in list {
                    named(&allergy.substance, "substance")?;
                }
            }
            Allergies::NoneKnown { by, .. } => named(by, "name of who said that there are none")?,
            Allergies::NotAsked => {}
        }
        let base = self.resident_picture(id)?.allergy_heads();
        Ok((authority, base, Fact::Resident(ResidentFact::AllergiesWritten(allergies.clone()))))
    }

    fn change_status(
        &self,
        id: ResidentId,
        status: &Status,
    ) -> Result<(EntryId, Vec<EntryId>, Fact), Refusal> {
        let (_, _, authority) = self.person(Act::KeepResident)?;
        let leaves = matches!(status.whereabouts, Whereabouts::Discharged | Whereabouts::Deceased);
        let second = status.second.or(self.command.witness);
        // One person stops all doses at once after a death; the second person follows (W-15).
        if leaves && second.is_none() && status.whereabouts != Whereabouts::Deceased {
            return Err(EntryRefusal::SecondPerson.into());
        }
        let status = Status { second, ..status.clone() };
        // What the writer saw: two changes that did not see each other were made apart (Y-02).
        let base = self.resident_picture(id)?.status_heads();
        Ok((authority, base, Fact::Resident(ResidentFact::StatusChanged(status))))
    }

    /// A resident's whole page in one sitting: a tick per line, one signature (W-09). All or none.
    fn check_page(
        &mut self,
        id: ResidentId,
        orders: &[(OrderId, VersionId)],
    ) -> Result<Vec<Draft>, Refusal> {
        if orders.is_empty() {
            return Err(OrderRefusal::State("not waiting for a check").into());
        }
        // Who may not check at all is told so, and not line by line.
        self.person(Act::CheckOrder)?;
        let resident = self.resident_picture(id)?.clone();
        let mut drafts = Vec::new();
        let mut page = Vec::new();
        let mut refused: Vec<PageLine> = Vec::new();
        for (order, version) in orders {
            let history = resident.orders.get(order).ok_or(Missing::Order(*order))?;
            match self.may_check(&resident, history, *version) {
                Ok((authority, content)) => {
                    page.push((*order, content));
                    let fact = Fact::Order(OrderFact::Checked { order: *order, version: *version });
                    let made = self.made(authority, history.heads())?;
                    drafts.push(Draft { subject: Some(id), made: Some(made), fact });
                }
                Err(why) => refused.push(page_line(history, self.now(), why)),
            }
        }
        // A tick per line: the lines are activated together, and come to one total (W-01).
        let limits = super::order::own_limits(&resident, &page, self.settings()?, self.now());
        for (order, why) in limits {
            let history = resident.orders.get(&order).ok_or(Missing::Order(order))?;
            refused.push(page_line(history, self.now(), why));
        }
        match (orders, refused.pop()) {
            (_, None) => Ok(drafts),
            ([_], Some(only)) => Err(*only.why),
            (_, Some(last)) => {
                refused.push(last);
                let stands = |order: &OrderId| refused.iter().all(|line| line.order != *order);
                let rest = orders.iter().map(|(order, _)| *order).filter(stands).collect();
                Err(OrderRefusal::Page { resident: id, lines: refused, rest }.into())
            }
        }
    }
}

fn page_line(history: &OrderHistory, now: Timestamp, why: Refusal) -> PageLine {
    let medicine = history.best_version(now).map(|v| v.content.medicine.name.clone());
    PageLine { order: history.id, medicine: medicine.unwrap_or_default(), why: Box::new(why) }
}
