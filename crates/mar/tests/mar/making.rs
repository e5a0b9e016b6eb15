//! A random history of a home: what people do on devices that come and go.

use crate::dice::Dice;
use crate::giving::note;
use crate::home::{Home, at};
use crate::orders_of::{controlled, daily, one_or_two, paracetamol, plain, tablets, when_required};
use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Told};
use mar::due::due;
use mar::fact::{Actor, DeviceRole, Draft, Fact, Kind};
use mar::ids::{OrderId, ResidentId, SupplyId};
use mar::medicine::Medicine;
use mar::order::{Content, Grade, Proposal, SameMeaning, Supply};
use mar::outcome::{EFFECTS, OUTCOMES, Outcome};
use mar::resident::{Allergies, Allergy, Identity, Status, Whereabouts};
use mar::staff::Employment;
use mar::time::{DAY, Minutes};

/// A home whose history is being made.
pub(crate) struct Making {
    pub(crate) home: Home,
    pub(crate) dice: Dice,
    residents: Vec<ResidentId>,
    /// What a device decided on and writes later, when others have gone on.
    pocket: Vec<(usize, Draft)>,
}

/// What may happen next.
const ACTS: [fn(&mut Making); 26] = [
    Making::identity,
    Making::allergies,
    Making::status,
    Making::propose,
    Making::write,
    Making::write,
    Making::check,
    Making::check,
    Making::activate_alone,
    Making::reject,
    Making::hold_or_resume,
    Making::stop,
    Making::supply,
    Making::pop,
    Making::record,
    Making::record,
    Making::record,
    Making::prn,
    Making::prn,
    Making::both,
    Making::both,
    Making::effect_or_correction,
    Making::follow_up,
    Making::home_or_staff,
    Making::devices,
    Making::unknown,
];

impl Making {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut home = Home::founded("2026-10-24T05:00");
        for _ in 0..=dice.below(3) {
            home.enrol(DeviceRole::Member);
        }
        for device in 1..home.devices.len() {
            let year = 365 * 86_400_000;
            home.devices[device].ahead = dice.of(&[0, 0, -300_000, 45_000, 4 * year]);
        }
        let residents: Vec<ResidentId> =
            ["Shaw", "Bell", "Shah"].iter().map(|family| home.admit(family, "Ann")).collect();
        for resident in &residents {
            home.order(*resident, plain(daily(&["00:30", "01:30", "06:00", "13:00", "20:00"])));
            home.order(*resident, paracetamol("1", when_required(Some(240), Some("8"))));
        }
        Self { home, dice, residents, pocket: Vec::new() }
    }

    pub(crate) fn step(&mut self) {
        self.home.now = self.home.now.plus(Minutes(self.dice.below(180) as u32));
        let devices = self.home.devices.len();
        if self.dice.once_in(5) {
            let device = self.dice.below(devices);
            self.home.devices[device].apart ^= true;
            self.home.spread();
        }
        if self.dice.once_in(8) && !self.pocket.is_empty() {
            let at = self.dice.below(self.pocket.len());
            let (device, draft) = self.pocket.swap_remove(at);
            let kind = draft.fact.kind().expect("a decided fact has a kind");
            self.home.write_kind(device, kind, draft);
        }
        let act = self.dice.of(&ACTS);
        act(self);
    }

    /// Asks on some device as somebody; most answers are written at once, some later or never.
    fn ask(&mut self, by: &[&'static str], ask: Ask) {
        let device = self.dice.below(self.home.devices.len());
        let actor = Actor::Staff(self.home.person(self.dice.of(by)));
        self.home.witness = self.dice.of(&[None, None, Some("CB")]);
        if self.dice.once_in(6) {
            if let Ok(drafts) = self.home.decide(device, actor, ask) {
                self.pocket.extend(drafts.into_iter().map(|d| (device, d)));
            }
            return;
        }
        // Most are refused by some rule: that is a history as well.
        let _refused = self.home.ask_as(device, actor, ask).is_err();
    }

    fn resident(&mut self) -> ResidentId {
        self.dice.of(&self.residents)
    }

    /// A resident and one of their orders, as some device knows them.
    fn whose(&mut self) -> Option<(ResidentId, OrderId)> {
        let resident = self.resident();
        let device = self.dice.below(self.home.devices.len());
        let held = self.home.picture(device).residents.get(&resident)?;
        let orders: Vec<OrderId> = held.orders.keys().copied().collect();
        self.dice.one(&orders).map(|order| (resident, *order))
    }

    fn content(&mut self) -> Content {
        let content = match self.dice.below(5) {
            0 => plain(daily(&["00:30", "01:30", "08:00", "13:00", "20:00"])),
            1 => paracetamol("1", daily(&["02:00", "08:00", "14:00", "20:00"])),
            2 => one_or_two(paracetamol("2", when_required(Some(240), Some("8")))),
            3 => controlled(plain(crate::orders_of::rounds(&["morning", "tea"]))),
            _ => plain(when_required(None, None)),
        };
        Content { start: at("2026-10-01T00:00"), ..content }
    }

    fn identity(&mut self) {
        let identity = Identity::named("Shaw", self.dice.of(&["Ann", "Anne", "Anna"]));
        let resident = self.resident();
        self.ask(&["NU", "CA"], Ask::Resident(resident, AskResident::WriteIdentity(identity)));
    }

    fn allergies(&mut self) {
        let substance = self.dice.of(&["latex", "penicillin", "nuts"]).to_owned();
        let allergy = Allergy { substance, code: None, reaction: None, kind: None };
        let allergies = match self.dice.below(3) {
            0 => Allergies::NotAsked,
            1 => Allergies::NoneKnown { by: "daughter".into(), on: None },
            _ => Allergies::Recorded(vec![allergy]),
        };
        let resident = self.resident();
        self.ask(&["NU", "SC"], Ask::Resident(resident, AskResident::WriteAllergies(allergies)));
    }

    fn status(&mut self) {
        let whereabouts =
            self.dice.of(&[Whereabouts::Present, Whereabouts::Present, Whereabouts::Hospital]);
        let from = self.home.now;
        let status = Status { whereabouts, from, note: String::new(), second: None };
        let resident = self.resident();
        self.ask(&["NU"], Ask::Resident(resident, AskResident::ChangeStatus(status)));
    }

    fn propose(&mut self) {
        let order = OrderId([self.dice.below(6) as u8; 16]);
        let proposal = Proposal {
            medicine: Medicine::uncoded("Ramipril 5mg tablets"),
            words: vec!["one in the morning".into()],
            grade: Grade::Clear,
            remarks: vec![],
            dose: None,
            schedule: None,
            route: None,
            start: None,
            last_issued: None,
            external: vec![],
        };
        let resident = self.residents[0];
        self.ask(&["NU"], Ask::Order(resident, AskOrder::Propose { order, proposal }));
    }

    fn write(&mut self) {
        let known = self.whose().filter(|_| self.dice.coin());
        let fresh = (self.resident(), OrderId([100 + self.dice.below(100) as u8; 16]));
        let (resident, order) = known.unwrap_or(fresh);
        let ask = AskOrder::Write {
            order,
            content: self.content(),
            same_meaning: Some(SameMeaning::Same),
            allergy_decided: None,
            intended: Some("both are meant".into()),
            label_read: None,
        };
        self.ask(&["NU", "SC"], Ask::Order(resident, ask));
    }

    fn check(&mut self) {
        let Some((resident, order)) = self.whose() else { return };
        let ask = Ask::Order(resident, AskOrder::Check { order, version: None });
        self.ask(&["NU", "SC", "MM"], ask);
    }

    fn activate_alone(&mut self) {
        let Some((resident, order)) = self.whose() else { return };
        let ask = AskOrder::ActivateAlone { order, reason: "night".into() };
        self.ask(&["NU"], Ask::Order(resident, ask));
    }

    fn reject(&mut self) {
        let Some((resident, order)) = self.whose() else { return };
        let history = &self.home.picture(0).residents[&resident].orders;
        let open = history.get(&order).map(|h| h.versions()).unwrap_or_default();
        let version = open.iter().find(|v| v.conflict).map(|v| v.version.id);
        let ask = AskOrder::Reject { order, version, reason: "not this".into() };
        self.ask(&["NU"], Ask::Order(resident, ask));
    }

    fn hold_or_resume(&mut self) {
        let Some((resident, order)) = self.whose() else { return };
        let reason = "Dr Bell".to_owned();
        let ask = if self.dice.coin() {
            AskOrder::Hold { order, reason, review: None }
        } else {
            AskOrder::Resume { order, reason }
        };
        self.ask(&["NU", "SC"], Ask::Order(resident, ask));
    }

    fn stop(&mut self) {
        let Some((resident, order)) = self.whose() else { return };
        let from = self.home.now;
        let at = self.dice.of(&[from, from.plus(DAY), from.minus(Minutes(90))]);
        let (by, reason) = ("Dr Bell".to_owned(), "side effects".to_owned());
        let ask = AskOrder::Stop { order, at, authorised_by: by, reason };
        self.ask(&["NU"], Ask::Order(resident, ask));
    }

    fn supply(&mut self) {
        let Some((resident, order)) = self.whose() else { return };
        let supply = Supply {
            id: SupplyId([self.dice.below(200) as u8; 16]),
            order,
            product: "Teva".into(),
            dmd: None,
            pack: "box of 28".into(),
            quantity: None,
            notice: String::new(),
            received: self.home.now,
        };
        self.ask(&["CA", "NU"], Ask::Order(resident, AskOrder::Supply(supply)));
    }

    fn slot(&mut self) -> Option<(ResidentId, mar::schedule::SlotId)> {
        let resident = self.resident();
        let device = self.dice.below(self.home.devices.len());
        let picture = self.home.picture(device);
        let held = picture.residents.get(&resident)?;
        let span = (self.home.now.minus(DAY), self.home.now.plus(Minutes(120)));
        let found = due(&picture.home, held, span, self.home.now);
        let slots: Vec<_> = found.into_iter().map(|d| d.slot.id).collect();
        self.dice.one(&slots).map(|slot| (resident, slot.clone()))
    }

    fn told(&mut self) -> Told {
        let outcome = self.dice.of(&OUTCOMES);
        let outcome = self.dice.of(&[Outcome::Given, Outcome::Given, outcome]);
        let now = self.home.now;
        let not_known = Outcome::Practice(mar::outcome::Practice::NotKnown);
        Told {
            amount: self.dice.of(&[None, Some(tablets("1")), Some(tablets("2"))]),
            given_at: self.dice.of(&[None, None, Some(now.minus(Minutes(100)))]),
            reason: "as told".into(),
            checked: Some("rang".into()),
            alone: self.dice.coin(),
            already_given: self.dice.once_in(4).then(|| "two were in the pot".into()),
            handed_to: (outcome == not_known).then(|| self.home.person("NU")),
            ..Told::of(outcome)
        }
    }

    fn pop(&mut self) {
        let Some((resident, slot)) = self.slot() else { return };
        self.ask(&["CA", "CB"], Ask::Dose(resident, AskDose::Pop { slot, amount: None }));
    }

    fn record(&mut self) {
        let Some((resident, slot)) = self.slot() else { return };
        let told = self.told();
        let ask = AskDose::Record { slot, told };
        self.ask(&["CA", "CB", "NU"], Ask::Dose(resident, ask));
    }

    fn prn(&mut self) {
        let Some((resident, order)) = self.whose() else { return };
        let ask = AskDose::Prn { order, told: self.told(), note: note() };
        self.ask(&["CA", "CB", "NU"], Ask::Dose(resident, ask));
    }

    /// Two people give the same on two devices that do not hear each other.
    fn both(&mut self) {
        let (slot, whose) = (self.slot(), self.whose());
        let told = || Told {
            reason: "as told".into(),
            checked: Some("rang".into()),
            alone: true,
            ..Told::of(Outcome::Given)
        };
        self.home.cut();
        self.home.witness = None;
        let slot = slot.filter(|_| self.dice.coin());
        for (device, by) in [(0, "CA"), (1, "CB")] {
            let ask = match (&slot, whose) {
                (Some((resident, slot)), _) => {
                    let (slot, told) = (slot.clone(), told());
                    Ask::Dose(*resident, AskDose::Record { slot, told })
                }
                (None, Some((resident, order))) => {
                    Ask::Dose(resident, AskDose::Prn { order, told: told(), note: note() })
                }
                (None, None) => return,
            };
            let _refused = self.home.ask(device, by, ask).is_err();
        }
    }

    fn effect_or_correction(&mut self) {
        let resident = self.resident();
        let device = self.dice.below(self.home.devices.len());
        let Some(held) = self.home.picture(device).residents.get(&resident) else { return };
        let ids: Vec<_> = held.administrations.keys().copied().collect();
        let Some(administration) = self.dice.one(&ids).copied() else { return };
        let ask = if self.dice.coin() {
            let effect = self.dice.of(&EFFECTS).0;
            AskDose::NoteEffect { administration, effect, note: String::new() }
        } else {
            let instead = self.dice.coin().then(|| self.told());
            let alone = self.dice.coin();
            AskDose::Correct { administration, instead, reason: "wrong".into(), alone }
        };
        self.ask(&["CA", "CB"], Ask::Dose(resident, ask));
    }

    fn follow_up(&mut self) {
        let resident = self.resident();
        let device = self.dice.below(self.home.devices.len());
        let Some(held) = self.home.picture(device).residents.get(&resident) else { return };
        let open: Vec<_> = held.follow_ups().iter().map(|f| f.id).collect();
        let ask = match (self.dice.one(&open).copied(), self.dice.below(3)) {
            (Some(follow_up), 1) => AskResident::ContinueFollowUp {
                follow_up,
                owner: Some(self.home.person("NU")),
                contact: None,
                advice: "wait".into(),
                resulting_order: None,
            },
            (Some(follow_up), 2) => AskResident::CloseFollowUp {
                follow_up,
                outcome: "well".into(),
                corrective_action: String::new(),
            },
            (_, _) => AskResident::OpenFollowUp { what: "call".into(), order: None, owner: None },
        };
        self.ask(&["CA", "NU"], Ask::Resident(resident, ask));
    }

    fn home_or_staff(&mut self) {
        let who = self.dice.of(&["CA", "CB", "NU"]);
        let staff = self.home.person(who);
        let known = self.home.picture(0).home.person(staff).expect("a known person").clone();
        let standing = if known.standing == Employment::Active {
            Employment::Suspended { reason: "why".into() }
        } else {
            Employment::Active
        };
        let ask = match self.dice.below(4) {
            0 => {
                let name = format!("{who} {}", self.dice.below(9));
                AskHome::WriteStaff { staff, details: mar::staff::Staff { name, ..known } }
            }
            1 | 2 => {
                AskHome::WriteStaff { staff, details: mar::staff::Staff { standing, ..known } }
            }
            _ => {
                let today = self.home.now.civil(crate::home::ZONE).date();
                let mut settings = mar::settings::Settings::new("Willow House", today);
                settings.windows.clock = Minutes(30 + self.dice.below(60) as u32);
                AskHome::SetSettings(settings)
            }
        };
        self.ask(&["MM"], Ask::Home(ask));
    }

    fn devices(&mut self) {
        self.home.witness = None;
        let device = self.dice.below(self.home.devices.len());
        match self.dice.below(6) {
            0 if self.home.devices.len() < 4 => {
                self.home.enrol(DeviceRole::Observer);
            }
            1 if device > 1 => {
                let on = self.dice.below(2);
                let out = self.home.devices[device].id;
                let record = &self.home.picture(on).home.devices().get(&out);
                if record.is_some_and(mar::picture::DeviceRecord::is_active) {
                    self.home.revoke(on, device);
                }
            }
            _ => {
                let ask = Ask::Home(AskHome::Park { parked: self.dice.coin() });
                let _refused = self.home.ask_as(device, Actor::Device, ask).is_err();
            }
        }
    }

    fn unknown(&mut self) {
        if !self.dice.once_in(4) {
            return;
        }
        let device = self.dice.below(self.home.devices.len());
        let class = self.dice.of(&[4, 3 | mar::fact::CLINICAL]);
        let subject = self.dice.of(&[None, self.residents.last().copied()]);
        let draft = Draft { subject, made: None, fact: Fact::Unknown };
        self.home.write_kind(device, Kind { class, number: 900 }, draft);
    }
}
