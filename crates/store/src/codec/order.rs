//! Orders, their versions and what was supplied under them.

use mar::fact::OrderFact;
use mar::ids::{OrderId, SupplyId, VersionId};
use mar::order::{Content, Flags, Grade, Intended, Proposal, SameMeaning, Source, Supply, Version};
use mar::time::{Minutes, Timestamp};
use serde::{Deserialize, Serialize};

use super::parts::{
    Amount1, Dose1, External1, Medicine1, Schedule1, codes, external, external_of, optional,
};

#[derive(Serialize, Deserialize)]
pub(super) struct OrderProposed1 {
    order: [u8; 16],
    medicine: Medicine1,
    words: Vec<String>,
    grade: u8,
    remarks: Vec<String>,
    dose: Option<Dose1>,
    schedule: Option<Schedule1>,
    route: Option<String>,
    start: Option<i64>,
    last_issued: Option<i64>,
    external: Vec<External1>,
}

codes!(Grade, grade_code, grade_of: Clear = 0, Partial = 1, Refused = 2);

impl OrderProposed1 {
    pub(super) fn of(order: &OrderId, proposal: &Proposal) -> Self {
        Self {
            order: order.0,
            medicine: Medicine1::of(&proposal.medicine),
            words: proposal.words.clone(),
            grade: grade_code(proposal.grade),
            remarks: proposal.remarks.clone(),
            dose: proposal.dose.as_ref().map(Dose1::of),
            schedule: proposal.schedule.as_ref().map(Schedule1::of),
            route: proposal.route.clone(),
            start: proposal.start.map(|at| at.0),
            last_issued: proposal.last_issued.map(|at| at.0),
            external: external(&proposal.external),
        }
    }

    pub(super) fn read(self) -> Option<OrderFact> {
        Some(OrderFact::Proposed {
            order: OrderId(self.order),
            proposal: Proposal {
                medicine: self.medicine.read()?,
                words: self.words,
                grade: grade_of(self.grade)?,
                remarks: self.remarks,
                dose: optional(self.dose, Dose1::read)?,
                schedule: optional(self.schedule, Schedule1::read)?,
                route: self.route,
                start: self.start.map(Timestamp),
                last_issued: self.last_issued.map(Timestamp),
                external: external_of(self.external),
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrderWritten1 {
    order: [u8; 16],
    version: [u8; 16],
    medicine: Medicine1,
    route: String,
    dose: Dose1,
    indication: Option<String>,
    instruction: Option<String>,
    schedule: Schedule1,
    start: i64,
    stop: Option<i64>,
    course_doses: Option<u32>,
    source: u8,
    label: Option<String>,
    min_gap_minutes: Option<u32>,
    flags: Flags1,
    limit_group: Option<String>,
    same_meaning: Option<SameMeaning1>,
    allergy_decided: Option<String>,
    intended: Option<Intended1>,
}

#[derive(Serialize, Deserialize)]
struct Intended1 {
    with: Vec<[u8; 16]>,
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Flags1 {
    time_critical: bool,
    rescue: bool,
    topical: bool,
    anticoagulant: bool,
    insulin: bool,
}

#[derive(Serialize, Deserialize)]
enum SameMeaning1 {
    Same,
    Differs(String),
}

codes!(Source, source_code, source_of:
    Label = 0, DischargeLetter = 1, PrescriberMessage = 2, GpRecord = 3, Spoken = 4,
);

impl OrderWritten1 {
    pub(super) fn of(version: &Version) -> Self {
        let content = &version.content;
        let flags = content.flags;
        Self {
            order: version.order.0,
            version: version.id.0,
            medicine: Medicine1::of(&content.medicine),
            route: content.route.clone(),
            dose: Dose1::of(&content.dose),
            indication: content.indication.clone(),
            instruction: content.instruction.clone(),
            schedule: Schedule1::of(&content.schedule),
            start: content.start.0,
            stop: content.stop.map(|at| at.0),
            course_doses: content.course_doses,
            source: source_code(content.source),
            label: content.label.clone(),
            min_gap_minutes: content.min_gap.map(|minutes| minutes.0),
            flags: Flags1 {
                time_critical: flags.time_critical,
                rescue: flags.rescue,
                topical: flags.topical,
                anticoagulant: flags.anticoagulant,
                insulin: flags.insulin,
            },
            limit_group: content.limit_group.clone(),
            same_meaning: version.same_meaning.as_ref().map(|meaning| match meaning {
                SameMeaning::Same => SameMeaning1::Same,
                SameMeaning::Differs(how) => SameMeaning1::Differs(how.clone()),
            }),
            allergy_decided: version.allergy_decided.clone(),
            intended: version.intended.as_ref().map(|intended| Intended1 {
                with: intended.with.iter().map(|order| order.0).collect(),
                reason: intended.reason.clone(),
            }),
        }
    }

    pub(super) fn read(self) -> Option<OrderFact> {
        Some(OrderFact::Written(Version {
            order: OrderId(self.order),
            id: VersionId(self.version),
            content: Content {
                medicine: self.medicine.read()?,
                route: self.route,
                dose: self.dose.read()?,
                indication: self.indication,
                instruction: self.instruction,
                schedule: self.schedule.read()?,
                start: Timestamp(self.start),
                stop: self.stop.map(Timestamp),
                course_doses: self.course_doses,
                source: source_of(self.source)?,
                label: self.label,
                min_gap: self.min_gap_minutes.map(Minutes),
                flags: Flags {
                    time_critical: self.flags.time_critical,
                    rescue: self.flags.rescue,
                    topical: self.flags.topical,
                    anticoagulant: self.flags.anticoagulant,
                    insulin: self.flags.insulin,
                },
                limit_group: self.limit_group,
            },
            same_meaning: self.same_meaning.map(|meaning| match meaning {
                SameMeaning1::Same => SameMeaning::Same,
                SameMeaning1::Differs(how) => SameMeaning::Differs(how),
            }),
            allergy_decided: self.allergy_decided,
            intended: self.intended.map(|intended| Intended {
                with: intended.with.into_iter().map(OrderId).collect(),
                reason: intended.reason,
            }),
        }))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrderChecked1 {
    pub(super) order: [u8; 16],
    pub(super) version: [u8; 16],
}

impl OrderChecked1 {
    pub(super) fn read(self) -> OrderFact {
        OrderFact::Checked { order: OrderId(self.order), version: VersionId(self.version) }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrderActivatedAlone1 {
    pub(super) order: [u8; 16],
    pub(super) version: [u8; 16],
    pub(super) reason: String,
}

impl OrderActivatedAlone1 {
    pub(super) fn read(self) -> OrderFact {
        OrderFact::ActivatedAlone {
            order: OrderId(self.order),
            version: VersionId(self.version),
            reason: self.reason,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrderRejected1 {
    pub(super) order: [u8; 16],
    pub(super) version: Option<[u8; 16]>,
    pub(super) reason: String,
}

impl OrderRejected1 {
    pub(super) fn read(self) -> OrderFact {
        OrderFact::Rejected {
            order: OrderId(self.order),
            version: self.version.map(VersionId),
            reason: self.reason,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrderHeld1 {
    pub(super) order: [u8; 16],
    pub(super) reason: String,
    pub(super) review: Option<i64>,
}

impl OrderHeld1 {
    pub(super) fn read(self) -> OrderFact {
        OrderFact::Held {
            order: OrderId(self.order),
            reason: self.reason,
            review: self.review.map(Timestamp),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrderResumed1 {
    pub(super) order: [u8; 16],
    pub(super) reason: String,
}

impl OrderResumed1 {
    pub(super) fn read(self) -> OrderFact {
        OrderFact::Resumed { order: OrderId(self.order), reason: self.reason }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrderStopped1 {
    pub(super) order: [u8; 16],
    pub(super) at: i64,
    pub(super) authorised_by: String,
    pub(super) reason: String,
}

impl OrderStopped1 {
    pub(super) fn read(self) -> OrderFact {
        OrderFact::Stopped {
            order: OrderId(self.order),
            at: Timestamp(self.at),
            authorised_by: self.authorised_by,
            reason: self.reason,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SupplyReceived1 {
    id: [u8; 16],
    order: [u8; 16],
    product: String,
    dmd: Option<String>,
    pack: String,
    quantity: Option<Amount1>,
    notice: String,
    received: i64,
}

impl SupplyReceived1 {
    pub(super) fn of(supply: &Supply) -> Self {
        Self {
            id: supply.id.0,
            order: supply.order.0,
            product: supply.product.clone(),
            dmd: supply.dmd.clone(),
            pack: supply.pack.clone(),
            quantity: supply.quantity.as_ref().map(Amount1::of),
            notice: supply.notice.clone(),
            received: supply.received.0,
        }
    }

    pub(super) fn read(self) -> Option<OrderFact> {
        Some(OrderFact::Supplied(Supply {
            id: SupplyId(self.id),
            order: OrderId(self.order),
            product: self.product,
            dmd: self.dmd,
            pack: self.pack,
            quantity: optional(self.quantity, Amount1::read)?,
            notice: self.notice,
            received: Timestamp(self.received),
        }))
    }
}
