//! Decisions about follow-ups: opened, taken, asked about, closed (W-12).

use super::Decision;
use crate::fact::{Contact, Fact, FollowUpFact};
use crate::ids::{EntryId, FollowUpId, OrderId, ResidentId, StaffId};
use crate::picture::ResidentPicture;
use crate::refusal::{EntryRefusal, Missing, Refusal, WhoRefusal};
use crate::staff::Act;

type Decided = (EntryId, Vec<EntryId>, Fact);

/// What is said of a follow-up that goes on.
pub(super) struct Said<'s> {
    pub(super) owner: Option<StaffId>,
    pub(super) contact: Option<&'s Contact>,
    pub(super) advice: &'s str,
    /// The order that came of it.
    pub(super) order: Option<OrderId>,
}

impl Decision<'_, '_, '_> {
    pub(super) fn open_follow_up(
        &mut self,
        id: ResidentId,
        what: &str,
        order: Option<OrderId>,
        owner: Option<StaffId>,
    ) -> Result<Decided, Refusal> {
        let (_, _, authority) = self.person(Act::FollowUp)?;
        told(what, "word on what is to be done")?;
        self.may_own(owner)?;
        of_resident(self.resident_picture(id)?, order)?;
        let follow_up = FollowUpId(self.fresh());
        let fact = FollowUpFact::Opened { follow_up, what: what.to_owned(), order, owner };
        Ok((authority, Vec::new(), Fact::FollowUp(fact)))
    }

    pub(super) fn continue_follow_up(
        &self,
        id: ResidentId,
        follow_up: FollowUpId,
        said: &Said<'_>,
    ) -> Result<Decided, Refusal> {
        let (_, _, authority) = self.person(Act::FollowUp)?;
        let resident = self.resident_picture(id)?;
        let base = open(resident, follow_up)?;
        self.may_own(said.owner)?;
        of_resident(resident, said.order)?;
        if said.owner.is_none() && said.contact.is_none() && said.order.is_none() {
            told(said.advice, "word on who takes it, who was contacted or what they advised")?;
        }
        if let Some(contact) = said.contact {
            told(&contact.name, "name of who was contacted")?;
            if contact.at > self.now().plus(self.settings()?.windows.future) {
                return Err(EntryRefusal::ContactInFuture.into());
            }
        }
        let fact = FollowUpFact::Continued {
            follow_up,
            owner: said.owner,
            contact: said.contact.cloned(),
            advice: said.advice.to_owned(),
            resulting_order: said.order,
        };
        Ok((authority, base, Fact::FollowUp(fact)))
    }

    pub(super) fn close_follow_up(
        &self,
        id: ResidentId,
        follow_up: FollowUpId,
        outcome: &str,
        corrective_action: &str,
    ) -> Result<Decided, Refusal> {
        let (_, _, authority) = self.person(Act::FollowUp)?;
        let base = open(self.resident_picture(id)?, follow_up)?;
        told(outcome, "word on what became of it")?;
        let fact = FollowUpFact::Closed {
            follow_up,
            outcome: outcome.to_owned(),
            corrective_action: corrective_action.to_owned(),
        };
        Ok((authority, base, Fact::FollowUp(fact)))
    }

    /// Nobody is handed what they may not close, or does not work here.
    fn may_own(&self, owner: Option<StaffId>) -> Result<(), Refusal> {
        let Some(owner) = owner else { return Ok(()) };
        let (staff, _) = self.active(owner)?;
        if staff.role.may(Act::FollowUp) {
            return Ok(());
        }
        Err(WhoRefusal::Role { role: staff.role, act: Act::FollowUp }.into())
    }
}

/// What is written of a follow-up says something (W-12).
fn told(text: &str, what: &'static str) -> Result<(), Refusal> {
    let blank = text.trim().is_empty();
    if blank { Err(EntryRefusal::BlankFollowUp(what).into()) } else { Ok(()) }
}

/// The heads of a follow-up that is open.
fn open(resident: &ResidentPicture, id: FollowUpId) -> Result<Vec<EntryId>, Refusal> {
    let found = resident.follow_ups().into_iter().find(|f| f.id == id).ok_or(Missing::FollowUp)?;
    if let Some(outcome) = found.closed {
        return Err(EntryRefusal::FollowUpClosed(outcome.to_owned()).into());
    }
    Ok(resident.follow_up_heads(id))
}

fn of_resident(resident: &ResidentPicture, order: Option<OrderId>) -> Result<(), Refusal> {
    match order {
        Some(order) if !resident.orders.contains_key(&order) => Err(Missing::Order(order).into()),
        Some(_) | None => Ok(()),
    }
}
