//! Decisions about follow-ups: opened, taken, asked about, closed (W-12).

use super::{Decision, named};
use crate::command::AskResident;
use crate::fact::{Fact, FollowUpFact};
use crate::ids::{EntryId, FollowUpId, OrderId, ResidentId, StaffId};
use crate::picture::ResidentPicture;
use crate::refusal::{EntryRefusal, Missing, Refusal, WhoRefusal};
use crate::staff::Act;

type Decided = (EntryId, Vec<EntryId>, Fact);

impl Decision<'_, '_, '_> {
    pub(super) fn follow_up(
        &mut self,
        id: ResidentId,
        ask: &AskResident,
    ) -> Result<Decided, Refusal> {
        let (_, _, authority) = self.person(Act::FollowUp)?;
        let resident = self.resident_picture(id)?.clone();
        let (base, fact) = match ask {
            AskResident::ContinueFollowUp {
                follow_up,
                owner,
                contact,
                advice,
                resulting_order,
            } => {
                let base = open(&resident, *follow_up)?;
                self.may_own(*owner)?;
                of_resident(&resident, *resulting_order)?;
                if owner.is_none() && contact.is_none() && resulting_order.is_none() {
                    named(advice, "word on who takes it, who was contacted or what they advised")?;
                }
                if let Some(contact) = contact {
                    named(&contact.name, "name of who was contacted")?;
                    if contact.at > self.now().plus(self.settings()?.windows.future) {
                        return Err(EntryRefusal::ContactInFuture.into());
                    }
                }
                let fact = FollowUpFact::Continued {
                    follow_up: *follow_up,
                    owner: *owner,
                    contact: contact.clone(),
                    advice: advice.clone(),
                    resulting_order: *resulting_order,
                };
                (base, fact)
            }
            AskResident::CloseFollowUp { follow_up, outcome, corrective_action } => {
                let base = open(&resident, *follow_up)?;
                named(outcome, "word on what became of it")?;
                let fact = FollowUpFact::Closed {
                    follow_up: *follow_up,
                    outcome: outcome.clone(),
                    corrective_action: corrective_action.clone(),
                };
                (base, fact)
            }
            AskResident::OpenFollowUp { what, order, owner } => {
                named(what, "word on what is to be done")?;
                self.may_own(*owner)?;
                of_resident(&resident, *order)?;
                let follow_up = FollowUpId(self.fresh());
                let fact = FollowUpFact::Opened {
                    follow_up,
                    what: what.clone(),
                    order: *order,
                    owner: *owner,
                };
                (Vec::new(), fact)
            }
            AskResident::WriteIdentity(_)
            | AskResident::WriteAllergies(_)
            | AskResident::ChangeStatus(_)
            | AskResident::CheckPage(_)
            | AskResident::NoteAccess { .. } => return Err(Missing::FollowUp.into()),
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
