//! Residents, what is to be followed up, and who looked.

use mar::fact::{Access, AccessKind, Contact, FollowUpFact, ResidentFact};
use mar::ids::{CommandId, FollowUpId, OrderId, StaffId};
use mar::resident::{Allergies, Allergy, AllergyKind, Identity, Status, Whereabouts};
use mar::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::parts::{External1, codes, date, date_of, external, external_of, optional};

#[derive(Serialize, Deserialize)]
pub(super) struct IdentityWritten1 {
    family: String,
    given: String,
    known_as: Option<String>,
    title: Option<String>,
    born: Option<i32>,
    nhs_number: Option<String>,
    no_nhs_number: Option<String>,
    room: String,
    unit: String,
    gp: String,
    pharmacy: String,
    how_i_take: String,
    thickener: Option<String>,
    external: Vec<External1>,
}

impl IdentityWritten1 {
    pub(super) fn of(identity: &Identity) -> Self {
        Self {
            family: identity.family.clone(),
            given: identity.given.clone(),
            known_as: identity.known_as.clone(),
            title: identity.title.clone(),
            born: identity.born.map(date),
            nhs_number: identity.nhs_number.map(|number| number.to_string()),
            no_nhs_number: identity.no_nhs_number.clone(),
            room: identity.room.clone(),
            unit: identity.unit.clone(),
            gp: identity.gp.clone(),
            pharmacy: identity.pharmacy.clone(),
            how_i_take: identity.how_i_take.clone(),
            thickener: identity.thickener.clone(),
            external: external(&identity.external),
        }
    }

    pub(super) fn read(self) -> Option<ResidentFact> {
        Some(ResidentFact::IdentityWritten(Identity {
            family: self.family,
            given: self.given,
            known_as: self.known_as,
            title: self.title,
            born: optional(self.born, date_of)?,
            nhs_number: optional(self.nhs_number, |number| number.parse().ok())?,
            no_nhs_number: self.no_nhs_number,
            room: self.room,
            unit: self.unit,
            gp: self.gp,
            pharmacy: self.pharmacy,
            how_i_take: self.how_i_take,
            thickener: self.thickener,
            external: external_of(self.external),
        }))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) enum AllergiesWritten1 {
    Recorded(Vec<Allergy1>),
    NoneKnown { by: String, on: Option<i32> },
    NotAsked,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Allergy1 {
    substance: String,
    code: Option<String>,
    reaction: Option<String>,
    kind: Option<u8>,
}

codes!(AllergyKind, allergy_code, allergy_of: Allergy = 0, Intolerance = 1);

impl AllergiesWritten1 {
    pub(super) fn of(allergies: &Allergies) -> Self {
        let allergy = |allergy: &Allergy| Allergy1 {
            substance: allergy.substance.clone(),
            code: allergy.code.clone(),
            reaction: allergy.reaction.clone(),
            kind: allergy.kind.map(allergy_code),
        };
        match allergies {
            Allergies::Recorded(list) => Self::Recorded(list.iter().map(allergy).collect()),
            Allergies::NoneKnown { by, on } => Self::NoneKnown { by: by.clone(), on: on.map(date) },
            Allergies::NotAsked => Self::NotAsked,
        }
    }

    pub(super) fn read(self) -> Option<ResidentFact> {
        let allergy = |wire: Allergy1| {
            Some(Allergy {
                substance: wire.substance,
                code: wire.code,
                reaction: wire.reaction,
                kind: optional(wire.kind, allergy_of)?,
            })
        };
        Some(ResidentFact::AllergiesWritten(match self {
            Self::Recorded(list) => {
                Allergies::Recorded(list.into_iter().map(allergy).collect::<Option<_>>()?)
            }
            Self::NoneKnown { by, on } => Allergies::NoneKnown { by, on: optional(on, date_of)? },
            Self::NotAsked => Allergies::NotAsked,
        }))
    }
}

codes!(Whereabouts, whereabouts_code, whereabouts_of:
    Present = 0, DayLeave = 1, OvernightLeave = 2, Hospital = 3, Discharged = 4, Deceased = 5,
);

#[derive(Serialize, Deserialize)]
pub(super) struct StatusChanged1 {
    whereabouts: u8,
    from: i64,
    note: String,
    second: Option<[u8; 16]>,
}

impl StatusChanged1 {
    pub(super) fn of(status: &Status) -> Self {
        Self {
            whereabouts: whereabouts_code(status.whereabouts),
            from: status.from.0,
            note: status.note.clone(),
            second: status.second.map(|staff| staff.0),
        }
    }

    pub(super) fn read(self) -> Option<ResidentFact> {
        Some(ResidentFact::StatusChanged(Status {
            whereabouts: whereabouts_of(self.whereabouts)?,
            from: Timestamp(self.from),
            note: self.note,
            second: self.second.map(StaffId),
        }))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct FollowUp1 {
    follow_up: [u8; 16],
    step: FollowUpStep1,
}

#[derive(Serialize, Deserialize)]
enum FollowUpStep1 {
    Opened {
        what: String,
        order: Option<[u8; 16]>,
        owner: Option<[u8; 16]>,
    },
    Continued {
        owner: Option<[u8; 16]>,
        contact: Option<Contact1>,
        advice: String,
        resulting_order: Option<[u8; 16]>,
    },
    Closed {
        outcome: String,
        corrective_action: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Contact1 {
    name: String,
    role: String,
    organisation: String,
    at: i64,
}

impl FollowUp1 {
    pub(super) fn of(fact: &FollowUpFact) -> Self {
        let step = match fact {
            FollowUpFact::Opened { what, order, owner, .. } => FollowUpStep1::Opened {
                what: what.clone(),
                order: order.map(|order| order.0),
                owner: owner.map(|staff| staff.0),
            },
            FollowUpFact::Continued { owner, contact, advice, resulting_order, .. } => {
                FollowUpStep1::Continued {
                    owner: owner.map(|staff| staff.0),
                    contact: contact.as_ref().map(|contact| Contact1 {
                        name: contact.name.clone(),
                        role: contact.role.clone(),
                        organisation: contact.organisation.clone(),
                        at: contact.at.0,
                    }),
                    advice: advice.clone(),
                    resulting_order: resulting_order.map(|order| order.0),
                }
            }
            FollowUpFact::Closed { outcome, corrective_action, .. } => FollowUpStep1::Closed {
                outcome: outcome.clone(),
                corrective_action: corrective_action.clone(),
            },
        };
        Self { follow_up: fact.follow_up().0, step }
    }

    pub(super) fn read(self) -> FollowUpFact {
        let follow_up = FollowUpId(self.follow_up);
        match self.step {
            FollowUpStep1::Opened { what, order, owner } => FollowUpFact::Opened {
                follow_up,
                what,
                order: order.map(OrderId),
                owner: owner.map(StaffId),
            },
            FollowUpStep1::Continued { owner, contact, advice, resulting_order } => {
                FollowUpFact::Continued {
                    follow_up,
                    owner: owner.map(StaffId),
                    contact: contact.map(|contact| Contact {
                        name: contact.name,
                        role: contact.role,
                        organisation: contact.organisation,
                        at: Timestamp(contact.at),
                    }),
                    advice,
                    resulting_order: resulting_order.map(OrderId),
                }
            }
            FollowUpStep1::Closed { outcome, corrective_action } => {
                FollowUpFact::Closed { follow_up, outcome, corrective_action }
            }
        }
    }
}

codes!(AccessKind, access_code, access_of: Seen = 0, Printed = 1, Exported = 2);

#[derive(Serialize, Deserialize)]
pub(super) struct Access1 {
    what: u8,
    session: [u8; 16],
    at: i64,
}

impl Access1 {
    pub(super) fn of(access: &Access) -> Self {
        Self { what: access_code(access.what), session: access.session.0, at: access.at.0 }
    }

    pub(super) fn read(self) -> Option<Access> {
        Some(Access {
            what: access_of(self.what)?,
            session: CommandId(self.session),
            at: Timestamp(self.at),
        })
    }
}
