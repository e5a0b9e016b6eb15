//! Random facts of every kind, with every variant of every closed list.

use mar::fact::{
    Accepts, Access, AccessKind, Actor, AdministrationRef, Check, Contact, Corrected, DeviceKeys,
    DeviceRole, DoseFact, EarlierHead, EffectRecorded, Enrolled, Fact, FollowUpFact, Founding, Gap,
    HomeFact, LogStart, Made, MembershipFact, OrderFact, OutcomeRecorded, Popped, PrnNote,
    Professional, Prompt, PromptAnswer, Reading, Recording, ResidentFact, Revoked, SealedSecret,
    SecondPerson,
};
use mar::ids::{
    AdministrationId, CommandId, DeviceId, EntryId, FollowUpId, HomeId, LogId, OrderId, StaffId,
    SupplyId, VersionId,
};
use mar::medicine::{CD_CATEGORIES, Ingredient, Medicine};
use mar::order::{
    Content, Dose, Flags, Grade, Intended, Prn, Proposal, Protocol, SameMeaning, Source, Stated,
    Supply, Version,
};
use mar::outcome::{EFFECTS, OUTCOMES};
use mar::quantity::{Amount, Quantity, Unit};
use mar::resident::{Allergies, Allergy, AllergyKind, ExternalId, Identity, Status, Whereabouts};
use mar::schedule::{Days, Schedule, SlotId, SlotKey, TimeOfDay};
use mar::settings::Settings;
use mar::staff::{Employment, ROLES, Staff};
use mar::time::{Minutes, Timestamp};

use super::START;
use super::chance::Chance;

/// What facts may speak of, so that they speak of the same things.
#[derive(Clone, Default)]
pub struct World {
    pub staff: Vec<StaffId>,
    pub orders: Vec<OrderId>,
    pub versions: Vec<VersionId>,
    pub doses: Vec<AdministrationRef>,
    pub follow_ups: Vec<FollowUpId>,
    pub devices: Vec<DeviceId>,
    pub logs: Vec<LogId>,
    pub entries: Vec<EntryId>,
    /// Entries that can be acted under.
    pub authorities: Vec<EntryId>,
    /// People with the entry under which they rightly act.
    pub acting: Vec<(StaffId, EntryId)>,
}

/// Returns who made a fact.
pub fn made(c: &mut Chance, world: &World) -> Made {
    let rightly = !world.acting.is_empty() && !c.once_in(4);
    let (staff, authority) =
        if rightly { c.of(&world.acting) } else { (c.of(&world.staff), c.of(&world.authorities)) };
    let base = (0..c.below(4)).map(|_| c.of(&world.entries)).collect();
    Made {
        command: CommandId(c.bytes()),
        actor: if c.once_in(6) { Actor::Device } else { Actor::Staff(staff) },
        authority,
        witness: c.once_in(3).then(|| (c.of(&world.staff), c.of(&world.authorities))),
        base,
    }
}

/// Returns a fact of this kind.
pub fn fact(kind: u16, c: &mut Chance, world: &World) -> Fact {
    match kind {
        1..=7 => Fact::Membership(membership(kind, c, world)),
        20..=23 => Fact::Home(home(kind, c, world)),
        40..=42 => Fact::Resident(resident(kind, c, world)),
        60..=68 => Fact::Order(order(kind, c, world)),
        80..=83 => Fact::Dose(dose(kind, c, world)),
        100 => Fact::FollowUp(follow_up(c, world)),
        120 => Fact::Access(Access {
            what: c.of(&[AccessKind::Seen, AccessKind::Printed, AccessKind::Exported]),
            session: CommandId(c.bytes()),
            at: instant(c),
        }),
        other => panic!("no facts are made of kind {other}: teach this generator"),
    }
}

fn membership(kind: u16, c: &mut Chance, world: &World) -> MembershipFact {
    let keys = |c: &mut Chance| DeviceKeys {
        device: c.of(&world.devices),
        recipient: text(c),
        name: text(c),
    };
    match kind {
        1 => MembershipFact::LogStarted(LogStart {
            device: c.of(&world.devices),
            incarnation: u32::try_from(c.below(1_000_000)).unwrap(),
            earlier: c.once_in(2).then(|| EarlierHead {
                log: c.of(&world.logs),
                sequence: c.below(1_000_000) as u64,
                hash: c.bytes(),
            }),
            certificate: c.bytes(),
        }),
        2 => MembershipFact::HomeFounded(Founding {
            home: HomeId(c.bytes()),
            name: text(c),
            practice: c.once_in(2),
            device: keys(c),
            recovery_recipient: text(c),
        }),
        3 => MembershipFact::DeviceEnrolled(Enrolled {
            keys: keys(c),
            role: c.of(&[DeviceRole::Member, DeviceRole::Observer]),
        }),
        4 => MembershipFact::DeviceRevoked(Revoked {
            device: c.of(&world.devices),
            last_valid: (0..c.below(3))
                .map(|_| (c.of(&world.logs), c.below(20) as u64, c.bytes()))
                .collect(),
            reason: text(c),
            at: instant(c),
        }),
        5 => MembershipFact::DeviceParked { device: c.of(&world.devices), parked: c.once_in(2) },
        6 => MembershipFact::SecretSealed(SealedSecret {
            generation: u32::try_from(c.below(9)).unwrap(),
            sealed: (0..c.below(3)).map(|_| (c.of(&world.devices), bytes(c))).collect(),
            recovery: bytes(c),
            because: c.once_in(2).then(|| c.of(&world.entries)),
        }),
        _ => MembershipFact::DeviceReads {
            device: c.of(&world.devices),
            program: text(c),
            accepts: (0..c.below(3))
                .map(|_| Accepts { kind: 81, version: u16::try_from(c.below(3)).unwrap() })
                .collect(),
        },
    }
}

fn home(kind: u16, c: &mut Chance, world: &World) -> HomeFact {
    match kind {
        20 => {
            let mut settings = Settings::new(&text(c), day(c));
            settings.zone = c.of(&[mar::time::Tz::Europe__London, mar::time::Tz::Europe__Paris]);
            settings.cycle_start = day(c);
            settings.lone_worker = c.once_in(2);
            for _ in 0..c.below(4) {
                settings.letters.insert(c.of(&OUTCOMES), text(c));
                settings.witness.insert(c.of(&CD_CATEGORIES).to_string(), c.once_in(2));
            }
            HomeFact::SettingsSet(settings)
        }
        21 => HomeFact::StaffWritten {
            staff: c.of(&world.staff),
            details: Staff {
                name: text(c),
                initials: text(c),
                role: c.of(&ROLES),
                may_witness: c.once_in(2),
                standing: if c.once_in(4) {
                    Employment::Suspended { reason: text(c) }
                } else {
                    Employment::Active
                },
            },
            seen: (0..c.below(3)).map(|_| (c.of(&world.logs), c.below(20) as u64)).collect(),
        },
        23 => HomeFact::TimeTyped { showed: instant(c), typed: instant(c) },
        _ => HomeFact::PinSet {
            staff: c.of(&world.staff),
            generation: u32::try_from(c.below(9)).unwrap(),
            sealed: bytes(c),
        },
    }
}

fn resident(kind: u16, c: &mut Chance, world: &World) -> ResidentFact {
    match kind {
        40 => {
            let mut identity = Identity::named(&text(c), &text(c));
            identity.known_as = some(c, text);
            identity.title = some(c, text);
            identity.born = some(c, day);
            identity.nhs_number = c.once_in(2).then(|| "943 476 5919".parse().unwrap());
            identity.no_nhs_number = some(c, text);
            identity.thickener = some(c, text);
            identity.external = external(c);
            ResidentFact::IdentityWritten(identity)
        }
        41 => ResidentFact::AllergiesWritten(match c.below(3) {
            0 => Allergies::NotAsked,
            1 => Allergies::NoneKnown { by: text(c), on: some(c, day) },
            _ => Allergies::Recorded(
                (0..1 + c.below(3))
                    .map(|_| Allergy {
                        substance: text(c),
                        code: some(c, text),
                        reaction: some(c, text),
                        kind: some(c, |c| c.of(&[AllergyKind::Allergy, AllergyKind::Intolerance])),
                    })
                    .collect(),
            ),
        }),
        _ => ResidentFact::StatusChanged(Status {
            whereabouts: c.of(&[
                Whereabouts::Present,
                Whereabouts::DayLeave,
                Whereabouts::OvernightLeave,
                Whereabouts::Hospital,
                Whereabouts::Discharged,
                Whereabouts::Deceased,
            ]),
            from: instant(c),
            note: text(c),
            second: some(c, |c| c.of(&world.staff)),
        }),
    }
}

fn order(kind: u16, c: &mut Chance, world: &World) -> OrderFact {
    let order = c.of(&world.orders);
    let version = c.of(&world.versions);
    match kind {
        60 => OrderFact::Proposed { order, proposal: proposal(c) },
        61 => OrderFact::Written(Version {
            order,
            id: version,
            content: content(c),
            same_meaning: some(c, |c| {
                if c.once_in(2) { SameMeaning::Same } else { SameMeaning::Differs(text(c)) }
            }),
            allergy_decided: some(c, text),
            intended: some(c, |c| Intended { with: vec![order], reason: text(c) }),
        }),
        62 => OrderFact::Checked { order, version },
        63 => OrderFact::ActivatedAlone { order, version, reason: text(c) },
        64 => OrderFact::Rejected { order, version: some(c, |_| version), reason: text(c) },
        65 => OrderFact::Held { order, reason: text(c), review: some(c, instant) },
        66 => OrderFact::Resumed { order, reason: text(c) },
        67 => OrderFact::Stopped { order, at: instant(c), authorised_by: text(c), reason: text(c) },
        _ => OrderFact::Supplied(Supply {
            id: SupplyId(c.bytes()),
            order,
            product: text(c),
            dmd: some(c, text),
            pack: text(c),
            quantity: some(c, amount),
            notice: text(c),
            received: instant(c),
        }),
    }
}

fn dose(kind: u16, c: &mut Chance, world: &World) -> DoseFact {
    match kind {
        80 => DoseFact::Popped(Popped {
            order: c.of(&world.orders),
            slot: some(c, |c| slot(c, world)),
            amount: amount(c),
            at: instant(c),
        }),
        81 => {
            let of = c.of(&world.doses);
            let mut recording = recording(c, world);
            recording.given_at = of.filed_under;
            DoseFact::Recorded(OutcomeRecorded {
                administration: of.administration,
                order: of.order,
                version: c.of(&world.versions),
                slot: some(c, |c| slot(c, world)),
                recording,
                prn: some(c, |c| PrnNote {
                    reason: text(c),
                    score: some(c, |c| u8::try_from(c.below(11)).unwrap()),
                    asked: c.once_in(2),
                    tried_first: text(c),
                }),
                gap: some(c, |c| gap(c, world)),
                prompts: (0..c.below(3))
                    .map(|_| Prompt {
                        what: text(c),
                        answer: c.of(&[
                            PromptAnswer::Shown,
                            PromptAnswer::Confirmed,
                            PromptAnswer::Skipped,
                        ]),
                    })
                    .collect(),
                second_dose_really: c.once_in(2),
            })
        }
        82 => DoseFact::Effect(EffectRecorded {
            of: c.of(&world.doses),
            effect: c.of(&EFFECTS).0,
            at: instant(c),
            note: text(c),
        }),
        _ => DoseFact::Corrected(Corrected {
            of: c.of(&world.doses),
            instead: some(c, |c| recording(c, world)),
            reason: text(c),
        }),
    }
}

fn gap(c: &mut Chance, world: &World) -> Gap {
    Gap {
        unheard: vec![c.of(&world.devices)],
        answer: text(c),
        check: match c.below(3) {
            0 => Check::Question,
            1 => Check::Named(SecondPerson::Colleague(c.of(&world.staff))),
            _ => Check::Named(SecondPerson::OwnStatement),
        },
    }
}

fn recording(c: &mut Chance, world: &World) -> Recording {
    Recording {
        outcome: c.of(&OUTCOMES),
        amount: some(c, amount),
        given_at: instant(c),
        reason: text(c),
        readings: (0..c.below(2)).map(|_| Reading { name: text(c), value: text(c) }).collect(),
        site: some(c, |c| u8::try_from(c.below(9)).unwrap()),
        given_by: some(c, |c| c.of(&world.staff)),
        professional: some(c, |c| Professional {
            name: text(c),
            role: text(c),
            organisation: text(c),
        }),
        timing_reason: text(c),
    }
}

fn follow_up(c: &mut Chance, world: &World) -> FollowUpFact {
    let follow_up = c.of(&world.follow_ups);
    match c.below(3) {
        0 => FollowUpFact::Opened {
            follow_up,
            what: text(c),
            order: some(c, |c| c.of(&world.orders)),
            owner: some(c, |c| c.of(&world.staff)),
        },
        1 => FollowUpFact::Continued {
            follow_up,
            owner: some(c, |c| c.of(&world.staff)),
            contact: some(c, |c| Contact {
                name: text(c),
                role: text(c),
                organisation: text(c),
                at: instant(c),
            }),
            advice: text(c),
            resulting_order: some(c, |c| c.of(&world.orders)),
        },
        _ => FollowUpFact::Closed { follow_up, outcome: text(c), corrective_action: text(c) },
    }
}

fn proposal(c: &mut Chance) -> Proposal {
    Proposal {
        medicine: medicine(c),
        words: (0..c.below(3)).map(|_| text(c)).collect(),
        grade: c.of(&[Grade::Clear, Grade::Partial, Grade::Refused]),
        remarks: (0..c.below(3)).map(|_| text(c)).collect(),
        dose: some(c, dose_of),
        schedule: some(c, schedule),
        route: some(c, text),
        start: some(c, instant),
        last_issued: some(c, instant),
        external: external(c),
    }
}

fn content(c: &mut Chance) -> Content {
    let sources = [
        Source::Label,
        Source::DischargeLetter,
        Source::PrescriberMessage,
        Source::GpRecord,
        Source::Spoken,
    ];
    Content {
        medicine: medicine(c),
        route: text(c),
        dose: dose_of(c),
        indication: some(c, text),
        instruction: some(c, text),
        schedule: schedule(c),
        start: instant(c),
        stop: some(c, instant),
        course_doses: some(c, |c| u32::try_from(c.below(90)).unwrap()),
        source: c.of(&sources),
        label: some(c, text),
        min_gap: some(c, minutes),
        flags: Flags {
            time_critical: c.once_in(2),
            rescue: c.once_in(2),
            topical: c.once_in(2),
            anticoagulant: c.once_in(2),
            insulin: c.once_in(2),
        },
        limit_group: some(c, text),
    }
}

fn medicine(c: &mut Chance) -> Medicine {
    Medicine {
        name: text(c),
        form: some(c, text),
        strength: some(c, text),
        dmd: some(c, text),
        release: some(c, text),
        ingredients: (0..c.below(3))
            .map(|_| Ingredient {
                name: text(c),
                code: some(c, text),
                amount: some(c, amount),
                per: some(c, |_| Unit::new("tablet")),
            })
            .collect(),
        cd: c.of(&CD_CATEGORIES),
    }
}

fn schedule(c: &mut Chance) -> Schedule {
    let n = u16::try_from(1 + c.below(9)).unwrap();
    let days = Days::from_bits(u8::try_from(1 + c.below(0x7f)).unwrap()).unwrap();
    let times = |c: &mut Chance| (0..1 + c.below(3)).map(|_| time(c)).collect::<Vec<_>>();
    match c.below(7) {
        0 => Schedule::Times { times: times(c), days },
        1 => Schedule::Rounds { rounds: vec!["morning".to_owned()], days },
        2 => Schedule::EveryDays { n, anchor: day(c), times: times(c) },
        3 => Schedule::EveryWeeks { n, anchor: day(c), days, times: times(c) },
        4 => Schedule::EveryHours { n, anchor: instant(c) },
        5 => Schedule::Once { at: instant(c) },
        _ => Schedule::WhenRequired(Prn {
            min_interval: stated(c, minutes),
            max_24h: stated(c, amount),
            protocol: Protocol {
                what_for: text(c),
                signs: text(c),
                can_ask: some(c, |c| c.once_in(2)),
                choose: text(c),
                expected_effect: text(c),
                check_after: some(c, minutes),
                try_first: text(c),
                call_prescriber_when: text(c),
                review: text(c),
            },
        }),
    }
}

fn stated<T>(c: &mut Chance, make: impl FnOnce(&mut Chance) -> T) -> Stated<T> {
    if c.once_in(2) { Stated::As(make(c)) } else { Stated::NotStated { asked: text(c) } }
}

fn dose_of(c: &mut Chance) -> Dose {
    if c.once_in(2) {
        Dose::Fixed(amount(c))
    } else {
        Dose::Range { from: quantity(c), to: quantity(c), unit: Unit::new("ml") }
    }
}

fn slot(c: &mut Chance, world: &World) -> SlotId {
    let key = match c.below(3) {
        0 => SlotKey::Time(time(c)),
        1 => SlotKey::Interval(u32::try_from(c.below(100_000)).unwrap()),
        _ => SlotKey::Round("tea".to_owned()),
    };
    SlotId { version: c.of(&world.versions), date: day(c), key }
}

fn external(c: &mut Chance) -> Vec<ExternalId> {
    (0..c.below(3)).map(|_| ExternalId { system: text(c), value: text(c) }).collect()
}

fn some<T>(c: &mut Chance, make: impl FnOnce(&mut Chance) -> T) -> Option<T> {
    c.once_in(2).then(|| make(c))
}

/// Names as they are: short, long, empty, accented, in other scripts.
fn text(c: &mut Chance) -> String {
    let words = ["", "Zoë", "Siân", "Łukasz", "محمد", "2.5 mg", "Shaw", "with food", "ab\ncd"];
    c.of(&words).to_owned()
}

fn bytes(c: &mut Chance) -> Vec<u8> {
    (0..c.below(60)).map(|_| u8::try_from(c.below(256)).unwrap()).collect()
}

fn amount(c: &mut Chance) -> Amount {
    Amount { value: quantity(c), unit: Unit::new(c.of(&["tablet", "ml", "microgram"])) }
}

fn quantity(c: &mut Chance) -> Quantity {
    c.of(&["0", "0.5", "1", "2.5", "0.125", "1000000", "62.5"]).parse().unwrap()
}

fn minutes(c: &mut Chance) -> Minutes {
    Minutes(u32::try_from(c.below(2_000)).unwrap())
}

fn time(c: &mut Chance) -> TimeOfDay {
    TimeOfDay::from_minutes(u16::try_from(c.below(1_440)).unwrap()).unwrap()
}

fn day(c: &mut Chance) -> chrono::NaiveDate {
    instant(c).utc().date_naive()
}

/// An instant within four months before the tests' day, or a little after it.
pub fn instant(c: &mut Chance) -> Timestamp {
    let minutes = i64::try_from(c.below(130 * 24 * 60)).unwrap();
    Timestamp(START.0 + (5 * 24 * 60 - minutes) * 60_000)
}

/// A world of a few people and things.
pub fn world(c: &mut Chance) -> World {
    let mut world = World::default();
    for _ in 0..3 {
        world.staff.push(StaffId(c.bytes()));
        world.orders.push(OrderId(c.bytes()));
        world.versions.push(VersionId(c.bytes()));
        world.follow_ups.push(FollowUpId(c.bytes()));
    }
    for _ in 0..6 {
        world.doses.push(AdministrationRef {
            administration: AdministrationId(c.bytes()),
            order: c.of(&world.orders),
            filed_under: instant(c),
        });
    }
    world
}
