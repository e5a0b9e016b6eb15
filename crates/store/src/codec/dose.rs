//! Doses: popped, recorded, their effect, and corrections.

use mar::fact::{
    AdministrationRef, Check, Corrected, DoseFact, EffectRecorded, Gap, OutcomeRecorded, Popped,
    PrnNote, Professional, Prompt, PromptAnswer, Reading, Recording, SecondPerson,
};
use mar::ids::{AdministrationId, DeviceId, OrderId, StaffId, VersionId};
use mar::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::parts::{
    Amount1, Slot1, codes, effect_code, effect_of, optional, outcome_code, outcome_of,
};

#[derive(Serialize, Deserialize)]
pub(super) struct Popped1 {
    order: [u8; 16],
    slot: Option<Slot1>,
    amount: Amount1,
    at: i64,
}

impl Popped1 {
    pub(super) fn of(popped: &Popped) -> Self {
        Self {
            order: popped.order.0,
            slot: popped.slot.as_ref().map(Slot1::of),
            amount: Amount1::of(&popped.amount),
            at: popped.at.0,
        }
    }

    pub(super) fn read(self) -> Option<DoseFact> {
        Some(DoseFact::Popped(Popped {
            order: OrderId(self.order),
            slot: optional(self.slot, Slot1::read)?,
            amount: self.amount.read()?,
            at: Timestamp(self.at),
        }))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct OutcomeRecorded1 {
    administration: [u8; 16],
    order: [u8; 16],
    version: [u8; 16],
    slot: Option<Slot1>,
    recording: Recording1,
    prn: Option<PrnNote1>,
    gap: Option<Gap1>,
    prompts: Vec<Prompt1>,
    second_dose_really: bool,
}

#[derive(Serialize, Deserialize)]
struct Recording1 {
    outcome: u8,
    amount: Option<Amount1>,
    given_at: i64,
    reason: String,
    readings: Vec<Reading1>,
    site: Option<u8>,
    given_by: Option<[u8; 16]>,
    professional: Option<Professional1>,
    timing_reason: String,
}

#[derive(Serialize, Deserialize)]
struct Reading1 {
    name: String,
    value: String,
}

#[derive(Serialize, Deserialize)]
struct Professional1 {
    name: String,
    role: String,
    organisation: String,
}

#[derive(Serialize, Deserialize)]
struct PrnNote1 {
    reason: String,
    score: Option<u8>,
    asked: bool,
    tried_first: String,
}

#[derive(Serialize, Deserialize)]
struct Gap1 {
    unheard: Vec<[u8; 32]>,
    answer: String,
    check: Check1,
}

#[derive(Serialize, Deserialize)]
enum Check1 {
    Question,
    Colleague([u8; 16]),
    OwnStatement,
}

#[derive(Serialize, Deserialize)]
struct Prompt1 {
    what: String,
    answer: u8,
}

codes!(PromptAnswer, answer_code, answer_of: Shown = 0, Confirmed = 1, Skipped = 2);

impl OutcomeRecorded1 {
    pub(super) fn of(recorded: &OutcomeRecorded) -> Self {
        let prompt = |prompt: &Prompt| Prompt1 {
            what: prompt.what.clone(),
            answer: answer_code(prompt.answer),
        };
        Self {
            administration: recorded.administration.0,
            order: recorded.order.0,
            version: recorded.version.0,
            slot: recorded.slot.as_ref().map(Slot1::of),
            recording: Recording1::of(&recorded.recording),
            prn: recorded.prn.as_ref().map(PrnNote1::of),
            gap: recorded.gap.as_ref().map(Gap1::of),
            prompts: recorded.prompts.iter().map(prompt).collect(),
            second_dose_really: recorded.second_dose_really,
        }
    }

    pub(super) fn read(self) -> Option<DoseFact> {
        let prompt =
            |wire: Prompt1| Some(Prompt { what: wire.what, answer: answer_of(wire.answer)? });
        Some(DoseFact::Recorded(OutcomeRecorded {
            administration: AdministrationId(self.administration),
            order: OrderId(self.order),
            version: VersionId(self.version),
            slot: optional(self.slot, Slot1::read)?,
            recording: self.recording.read()?,
            prn: self.prn.map(PrnNote1::read),
            gap: self.gap.map(Gap1::read),
            prompts: self.prompts.into_iter().map(prompt).collect::<Option<_>>()?,
            second_dose_really: self.second_dose_really,
        }))
    }
}

impl Recording1 {
    fn of(recording: &Recording) -> Self {
        let reading = |reading: &Reading| Reading1 {
            name: reading.name.clone(),
            value: reading.value.clone(),
        };
        let professional = |professional: &Professional| Professional1 {
            name: professional.name.clone(),
            role: professional.role.clone(),
            organisation: professional.organisation.clone(),
        };
        Self {
            outcome: outcome_code(recording.outcome),
            amount: recording.amount.as_ref().map(Amount1::of),
            given_at: recording.given_at.0,
            reason: recording.reason.clone(),
            readings: recording.readings.iter().map(reading).collect(),
            site: recording.site,
            given_by: recording.given_by.map(|staff| staff.0),
            professional: recording.professional.as_ref().map(professional),
            timing_reason: recording.timing_reason.clone(),
        }
    }

    fn read(self) -> Option<Recording> {
        let reading = |wire: Reading1| Reading { name: wire.name, value: wire.value };
        let professional = |wire: Professional1| Professional {
            name: wire.name,
            role: wire.role,
            organisation: wire.organisation,
        };
        Some(Recording {
            outcome: outcome_of(self.outcome)?,
            amount: optional(self.amount, Amount1::read)?,
            given_at: Timestamp(self.given_at),
            reason: self.reason,
            readings: self.readings.into_iter().map(reading).collect(),
            site: self.site,
            given_by: self.given_by.map(StaffId),
            professional: self.professional.map(professional),
            timing_reason: self.timing_reason,
        })
    }
}

impl PrnNote1 {
    fn of(note: &PrnNote) -> Self {
        Self {
            reason: note.reason.clone(),
            score: note.score,
            asked: note.asked,
            tried_first: note.tried_first.clone(),
        }
    }

    fn read(self) -> PrnNote {
        PrnNote {
            reason: self.reason,
            score: self.score,
            asked: self.asked,
            tried_first: self.tried_first,
        }
    }
}

impl Gap1 {
    fn of(gap: &Gap) -> Self {
        Self {
            unheard: gap.unheard.iter().map(|device| device.0).collect(),
            answer: gap.answer.clone(),
            check: match gap.check {
                Check::Question => Check1::Question,
                Check::Named(SecondPerson::Colleague(staff)) => Check1::Colleague(staff.0),
                Check::Named(SecondPerson::OwnStatement) => Check1::OwnStatement,
            },
        }
    }

    fn read(self) -> Gap {
        Gap {
            unheard: self.unheard.into_iter().map(DeviceId).collect(),
            answer: self.answer,
            check: match self.check {
                Check1::Question => Check::Question,
                Check1::Colleague(staff) => Check::Named(SecondPerson::Colleague(StaffId(staff))),
                Check1::OwnStatement => Check::Named(SecondPerson::OwnStatement),
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Of1 {
    administration: [u8; 16],
    order: [u8; 16],
    filed_under: i64,
}

impl Of1 {
    fn of(of: &AdministrationRef) -> Self {
        Self {
            administration: of.administration.0,
            order: of.order.0,
            filed_under: of.filed_under.0,
        }
    }

    fn read(self) -> AdministrationRef {
        AdministrationRef {
            administration: AdministrationId(self.administration),
            order: OrderId(self.order),
            filed_under: Timestamp(self.filed_under),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct EffectRecorded1 {
    of: Of1,
    effect: u8,
    at: i64,
    note: String,
}

impl EffectRecorded1 {
    pub(super) fn of(effect: &EffectRecorded) -> Self {
        Self {
            of: Of1::of(&effect.of),
            effect: effect_code(effect.effect),
            at: effect.at.0,
            note: effect.note.clone(),
        }
    }

    pub(super) fn read(self) -> Option<DoseFact> {
        Some(DoseFact::Effect(EffectRecorded {
            of: self.of.read(),
            effect: effect_of(self.effect)?,
            at: Timestamp(self.at),
            note: self.note,
        }))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Corrected1 {
    of: Of1,
    instead: Option<Recording1>,
    reason: String,
}

impl Corrected1 {
    pub(super) fn of(corrected: &Corrected) -> Self {
        Self {
            of: Of1::of(&corrected.of),
            instead: corrected.instead.as_ref().map(Recording1::of),
            reason: corrected.reason.clone(),
        }
    }

    pub(super) fn read(self) -> Option<DoseFact> {
        Some(DoseFact::Corrected(Corrected {
            of: self.of.read(),
            instead: optional(self.instead, Recording1::read)?,
            reason: self.reason,
        }))
    }
}
