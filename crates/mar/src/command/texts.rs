//! Every text of a command, so that one place can look at all of them.
//!
//! Each struct is taken apart without `..`: a field that is added later does not compile until
//! somebody has decided what kind of text it is.

use super::{Ask, AskDose, AskHome, AskOrder, AskResident, Command, Told};
use crate::fact::{Contact, DeviceKeys, PrnNote, Professional, Prompt, Reading, SealedSecret};
use crate::medicine::{Ingredient, Medicine};
use crate::order::{Content, Dose, Prn, Proposal, Protocol, SameMeaning, Stated, Supply};
use crate::quantity::Amount;
use crate::resident::{Allergies, Allergy, ExternalId, Identity, Status};
use crate::schedule::{Schedule, SlotId, SlotKey};
use crate::settings::{Round, Settings};
use crate::staff::{Employment, Staff};
use crate::text::{Form, Text};

impl Command {
    /// Returns every text that the command would write, with its field in words.
    #[must_use]
    pub fn texts(&self) -> Vec<Text<'_>> {
        self.ask.texts()
    }
}

impl Ask {
    /// Returns every text in what is asked, with its field in words.
    #[must_use]
    pub fn texts(&self) -> Vec<Text<'_>> {
        let mut texts = Texts(Vec::new());
        match self {
            Self::Home(ask) => texts.home(ask),
            Self::Resident(_, ask) => texts.resident(ask),
            Self::Order(_, ask) => texts.order(ask),
            Self::Dose(_, ask) => texts.dose(ask),
        }
        texts.0
    }
}

/// The texts found so far.
struct Texts<'t>(Vec<Text<'t>>);

impl<'t> Texts<'t> {
    fn name(&mut self, field: &'static str, text: &'t str) {
        self.0.push(Text { field, text, form: Form::Name });
    }

    fn words(&mut self, field: &'static str, text: &'t str) {
        self.0.push(Text { field, text, form: Form::Words });
    }

    fn lines(&mut self, field: &'static str, text: &'t str) {
        self.0.push(Text { field, text, form: Form::Lines });
    }

    fn home(&mut self, ask: &'t AskHome) {
        match ask {
            AskHome::SetSettings(settings) => self.settings(settings),
            AskHome::WriteStaff { staff: _, details } => self.staff(details),
            AskHome::EnrolDevice { keys, role: _ } => {
                let DeviceKeys { device: _, recipient, name } = keys;
                self.name("name of the device", name);
                self.words("key of the device", recipient);
            }
            AskHome::RevokeDevice { device: _, last_valid: _, reason } => {
                self.words("reason", reason);
            }
            AskHome::TellReads { program } => self.name("version of the program", program),
            AskHome::SealSecret(SealedSecret { .. })
            | AskHome::SetPin { staff: _, generation: _, sealed: _ }
            | AskHome::TypeTime { showed: _, typed: _ }
            | AskHome::Park { parked: _ } => {}
        }
    }

    fn settings(&mut self, settings: &'t Settings) {
        let Settings {
            from: _,
            name,
            address,
            zone: _,
            rounds,
            windows: _,
            letters,
            cycle_start: _,
            witness,
            lone_worker: _,
        } = settings;
        self.name("name of the home", name);
        self.words("address of the home", address);
        for Round { id, name, start: _, cut_off: _ } in rounds {
            self.name("id of a round", id);
            self.name("name of a round", name);
        }
        letters.values().for_each(|letters| self.name("letters of an outcome", letters));
        witness.keys().for_each(|category| self.name("category of a controlled drug", category));
    }

    fn staff(&mut self, staff: &'t Staff) {
        let Staff { name, initials, role: _, may_witness: _, standing } = staff;
        self.name("name", name);
        self.name("initials", initials);
        match standing {
            Employment::Active => {}
            Employment::Suspended { reason } => self.words("reason", reason),
        }
    }

    fn resident(&mut self, ask: &'t AskResident) {
        match ask {
            AskResident::WriteIdentity(identity) => self.identity(identity),
            AskResident::WriteAllergies(allergies) => self.allergies(allergies),
            AskResident::ChangeStatus(status) => {
                let Status { whereabouts: _, from: _, note, second: _ } = status;
                self.words("note", note);
            }
            AskResident::CheckPage(_) | AskResident::NoteAccess { what: _, session: _ } => {}
            AskResident::OpenFollowUp { what, order: _, owner: _ } => self.words("follow-up", what),
            AskResident::ContinueFollowUp {
                follow_up: _,
                owner: _,
                contact,
                advice,
                resulting_order: _,
            } => {
                if let Some(Contact { name, role, organisation, at: _ }) = contact {
                    self.name("name of who was contacted", name);
                    self.name("role of who was contacted", role);
                    self.name("organisation of who was contacted", organisation);
                }
                self.words("advice", advice);
            }
            AskResident::CloseFollowUp { follow_up: _, outcome, corrective_action } => {
                self.words("outcome", outcome);
                self.words("words on what was changed", corrective_action);
            }
        }
    }

    fn identity(&mut self, identity: &'t Identity) {
        let Identity {
            family,
            given,
            known_as,
            title,
            born: _,
            nhs_number: _,
            no_nhs_number,
            room,
            unit,
            gp,
            pharmacy,
            how_i_take,
            thickener,
            external,
        } = identity;
        self.name("family name", family);
        self.name("given name", given);
        known_as.iter().for_each(|text| self.name("name the resident goes by", text));
        title.iter().for_each(|text| self.name("title", text));
        no_nhs_number.iter().for_each(|text| self.words("reason for no NHS number", text));
        self.name("room", room);
        self.name("unit", unit);
        self.words("GP", gp);
        self.words("pharmacy", pharmacy);
        self.words("words on how medicines are taken", how_i_take);
        thickener.iter().for_each(|text| self.name("thickener level", text));
        self.external(external);
    }

    fn external(&mut self, external: &'t [ExternalId]) {
        for ExternalId { system, value } in external {
            self.words("name of the other system", system);
            self.words("identifier in the other system", value);
        }
    }

    fn allergies(&mut self, allergies: &'t Allergies) {
        match allergies {
            Allergies::Recorded(list) => {
                for Allergy { substance, code, reaction, kind: _ } in list {
                    self.words("substance of an allergy", substance);
                    code.iter().for_each(|text| self.name("code of an allergy", text));
                    reaction.iter().for_each(|text| self.words("reaction of an allergy", text));
                }
            }
            Allergies::NoneKnown { by, on: _ } => {
                self.words("name of who said that there are no allergies", by);
            }
            Allergies::NotAsked => {}
        }
    }

    fn order(&mut self, ask: &'t AskOrder) {
        match ask {
            AskOrder::Propose { order: _, proposal } => self.proposal(proposal),
            // What the label was read as is held against the order, and never written.
            AskOrder::Write {
                order: _,
                content,
                same_meaning,
                allergy_decided,
                intended,
                label_read: _,
            } => {
                self.content(content);
                match same_meaning {
                    Some(SameMeaning::Differs(how)) => self.words("words on what differs", how),
                    Some(SameMeaning::Same) | None => {}
                }
                let decided = "words on what was decided about the allergy";
                allergy_decided.iter().for_each(|text| self.words(decided, text));
                let both = "reason why both are meant";
                intended.iter().for_each(|text| self.words(both, text));
            }
            AskOrder::Check { order: _, version: _ } => {}
            AskOrder::ActivateAlone { order: _, reason }
            | AskOrder::Reject { order: _, version: _, reason }
            | AskOrder::Hold { order: _, reason, review: _ }
            | AskOrder::Resume { order: _, reason } => self.words("reason", reason),
            AskOrder::Stop { order: _, at: _, authorised_by, reason } => {
                self.words("name of who authorised it", authorised_by);
                self.words("reason", reason);
            }
            AskOrder::Supply(supply) => {
                let Supply { id: _, order: _, product, dmd, pack, quantity, notice, received: _ } =
                    supply;
                self.words("product", product);
                dmd.iter().for_each(|text| self.name("dm+d code", text));
                self.words("pack", pack);
                quantity.iter().for_each(|amount| self.amount(amount));
                self.words("notice", notice);
            }
        }
    }

    fn proposal(&mut self, proposal: &'t Proposal) {
        let Proposal {
            medicine,
            words,
            grade: _,
            remarks,
            dose,
            schedule,
            route,
            start: _,
            last_issued: _,
            external,
        } = proposal;
        self.medicine(medicine);
        words.iter().for_each(|text| self.lines("sender's directions", text));
        remarks.iter().for_each(|text| self.lines("remark", text));
        dose.iter().for_each(|dose| self.dose_of(dose));
        schedule.iter().for_each(|schedule| self.schedule(schedule));
        route.iter().for_each(|text| self.words("route", text));
        self.external(external);
    }

    fn content(&mut self, content: &'t Content) {
        let Content {
            medicine,
            route,
            dose,
            indication,
            instruction,
            schedule,
            start: _,
            stop: _,
            course_doses: _,
            source: _,
            label,
            min_gap: _,
            flags: _,
            limit_group,
        } = content;
        self.medicine(medicine);
        self.words("route", route);
        self.dose_of(dose);
        indication.iter().for_each(|text| self.words("indication", text));
        instruction.iter().for_each(|text| self.words("instruction", text));
        self.schedule(schedule);
        label.iter().for_each(|text| self.lines("label", text));
        limit_group.iter().for_each(|text| self.name("limit group", text));
    }

    fn medicine(&mut self, medicine: &'t Medicine) {
        let Medicine { name, form, strength, dmd, release, ingredients, cd: _ } = medicine;
        self.words("name of the medicine", name);
        form.iter().for_each(|text| self.words("form", text));
        strength.iter().for_each(|text| self.words("strength", text));
        dmd.iter().for_each(|text| self.name("dm+d code", text));
        release.iter().for_each(|text| self.name("dm+d release", text));
        for Ingredient { name, code, amount, per } in ingredients {
            self.words("name of an ingredient", name);
            code.iter().for_each(|text| self.name("code of an ingredient", text));
            amount.iter().for_each(|amount| self.amount(amount));
            per.iter().for_each(|unit| self.name("unit", unit.as_str()));
        }
    }

    fn dose_of(&mut self, dose: &'t Dose) {
        match dose {
            Dose::Fixed(amount) => self.amount(amount),
            Dose::Range { from: _, to: _, unit } => self.name("unit", unit.as_str()),
        }
    }

    fn amount(&mut self, amount: &'t Amount) {
        let Amount { value: _, unit } = amount;
        self.name("unit", unit.as_str());
    }

    fn schedule(&mut self, schedule: &'t Schedule) {
        match schedule {
            Schedule::Rounds { rounds, days: _ } => {
                rounds.iter().for_each(|id| self.name("name of a round", id));
            }
            Schedule::WhenRequired(prn) => self.prn(prn),
            Schedule::Times { times: _, days: _ }
            | Schedule::EveryDays { n: _, anchor: _, times: _ }
            | Schedule::EveryWeeks { n: _, anchor: _, days: _, times: _ }
            | Schedule::EveryHours { n: _, anchor: _ }
            | Schedule::Once { at: _ } => {}
        }
    }

    fn prn(&mut self, prn: &'t Prn) {
        let Prn { min_interval, max_24h, protocol } = prn;
        let asked = "words on who was asked";
        match min_interval {
            Stated::As(_) => {}
            Stated::NotStated { asked: text } => self.words(asked, text),
        }
        match max_24h {
            Stated::As(amount) => self.amount(amount),
            Stated::NotStated { asked: text } => self.words(asked, text),
        }
        let Protocol {
            what_for,
            signs,
            can_ask: _,
            choose,
            expected_effect,
            check_after: _,
            try_first,
            call_prescriber_when,
            review,
        } = protocol;
        self.words("words on what it is for", what_for);
        self.words("signs", signs);
        self.words("words on how to choose the dose", choose);
        self.words("expected effect", expected_effect);
        self.words("words on what to try first", try_first);
        self.words("words on when to call the prescriber", call_prescriber_when);
        self.words("review", review);
    }

    fn dose(&mut self, ask: &'t AskDose) {
        match ask {
            AskDose::Pop { slot, amount } => {
                self.slot(slot);
                amount.iter().for_each(|amount| self.amount(amount));
            }
            AskDose::Record { slot, told } => {
                self.slot(slot);
                self.told(told);
            }
            AskDose::Prn { order: _, told, note } => {
                self.told(told);
                let PrnNote { reason, score: _, asked: _, tried_first } = note;
                self.words("reason", reason);
                self.words("words on what was tried first", tried_first);
            }
            AskDose::NoteEffect { administration: _, effect: _, note } => self.words("note", note),
            AskDose::Correct { administration: _, instead, reason, alone: _ } => {
                instead.iter().for_each(|told| self.told(told));
                self.words("reason", reason);
            }
        }
    }

    fn slot(&mut self, slot: &'t SlotId) {
        let SlotId { version: _, date: _, key } = slot;
        match key {
            SlotKey::Round(id) => self.name("slot", id),
            SlotKey::Time(_) | SlotKey::Interval(_) => {}
        }
    }

    fn told(&mut self, told: &'t Told) {
        let Told {
            outcome: _,
            amount,
            given_at: _,
            reason,
            readings,
            site: _,
            given_by: _,
            professional,
            checked,
            alone: _,
            prompts,
            handed_to: _,
            already_given,
        } = told;
        amount.iter().for_each(|amount| self.amount(amount));
        self.words("reason", reason);
        for Reading { name, value } in readings {
            self.name("name of a reading", name);
            self.words("value of a reading", value);
        }
        if let Some(Professional { name, role, organisation }) = professional {
            self.name("name of the professional", name);
            self.name("role of the professional", role);
            self.name("organisation of the professional", organisation);
        }
        already_given.iter().for_each(|text| self.words("reason", text));
        checked.iter().for_each(|text| self.words("words on what was checked", text));
        prompts.iter().for_each(|Prompt { what, answer: _ }| self.name("prompt", what));
    }
}
