//! The people of the home and what they ask of the record, drawn from chance and from what the
//! device in their hands shows them.

use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Told};
use mar::due::{self, DueState};
use mar::fact::{AccessKind, Actor, PrnNote};
use mar::ids::{AdministrationId, CommandId, OrderId, ResidentId, StaffId};
use mar::medicine::{CdCategory, Medicine};
use mar::order::{Content, Dose, Flags, Prn, Protocol, Source, Stated};
use mar::outcome::{Effect, Outcome, Practice};
use mar::picture::{Picture, ResidentPicture};
use mar::quantity::{Amount, Quantity};
use mar::resident::{Allergies, Allergy, Identity, Status, Whereabouts};
use mar::schedule::{Days, Schedule, TimeOfDay};
use mar::settings::Settings;
use mar::staff::{Employment, Role, Staff};
use mar::time::{Minutes, Timestamp};

use crate::chance::Chance;

pub(crate) const MANAGER: StaffId = StaffId([1; 16]);
pub(crate) const NURSE: StaffId = StaffId([2; 16]);
pub(crate) const SENIOR: StaffId = StaffId([3; 16]);
pub(crate) const CARER: StaffId = StaffId([4; 16]);
const GIVERS: [StaffId; 3] = [NURSE, SENIOR, CARER];
const WRITERS: [StaffId; 2] = [NURSE, SENIOR];

pub(crate) const RESIDENTS: [ResidentId; 3] =
    [ResidentId([10; 16]), ResidentId([11; 16]), ResidentId([12; 16])];
const NAMES: [(&str, &str); 3] = [("Shaw", "Gladys"), ("Okafor", "Albert"), ("Jones", "Siân")];

/// The least time between two of the when-required doses of this home.
pub(crate) const PRN_INTERVAL: Minutes = Minutes(240);
/// Four orders for each resident: twice a day, once in a round, controlled, and when required.
const KINDS: u8 = 4;

pub(crate) fn order(resident: ResidentId, kind: u8) -> OrderId {
    OrderId([resident.0[0] * 10 + kind; 16])
}

/// Whether this order is the resident's when-required one.
pub(crate) fn is_when_required(id: OrderId) -> bool {
    id.0[0] % 10 == 3
}

pub(crate) fn person(name: &str, initials: &str, role: Role) -> Staff {
    Staff {
        name: name.to_owned(),
        initials: initials.to_owned(),
        role,
        may_witness: true,
        standing: Employment::Active,
    }
}

fn staff_of(id: StaffId) -> Staff {
    match id {
        MANAGER => person("Mary Manager", "MM", Role::Manager),
        NURSE => person("Ned Nurse", "NN", Role::Nurse),
        SENIOR => person("Sue Senior", "SS", Role::Senior),
        _ => person("Cal Carer", "CC", Role::Carer),
    }
}

/// What is asked while the home is set up, in order.
pub(crate) fn set_up(now: Timestamp) -> Vec<(Actor, Ask)> {
    let (device, manager, nurse) = (Actor::Device, Actor::Staff(MANAGER), Actor::Staff(NURSE));
    let write =
        |by, staff| (by, Ask::Home(AskHome::WriteStaff { staff, details: staff_of(staff) }));
    let settings = Settings::new("Willow House", now.utc().date_naive());
    let mut asks = vec![
        (device, Ask::Home(AskHome::SetSettings(settings))),
        write(device, MANAGER),
        write(manager, NURSE),
        write(manager, SENIOR),
        write(manager, CARER),
    ];
    for (resident, (family, given)) in RESIDENTS.into_iter().zip(NAMES) {
        let mut identity = Identity::named(family, given);
        identity.no_nhs_number = Some("not known yet".to_owned());
        asks.push((nurse, Ask::Resident(resident, AskResident::WriteIdentity(identity))));
        let none = Allergies::NoneKnown { by: "the daughter".to_owned(), on: None };
        asks.push((nurse, Ask::Resident(resident, AskResident::WriteAllergies(none))));
        for kind in 0..KINDS {
            let order = order(resident, kind);
            let start = Timestamp(now.0 - 6 * 3_600_000);
            let write = AskOrder::Write {
                order,
                content: content(kind, start),
                same_meaning: None,
                allergy_decided: None,
                intended: Some("both are meant".into()),
                label_read: None,
            };
            asks.push((nurse, Ask::Order(resident, write)));
            let check = AskOrder::Check { order, version: None };
            asks.push((Actor::Staff(SENIOR), Ask::Order(resident, check)));
        }
    }
    asks
}

fn content(kind: u8, start: Timestamp) -> Content {
    let time = |hour, minute| TimeOfDay::new(hour, minute).unwrap();
    let prn = Prn {
        min_interval: Stated::As(PRN_INTERVAL),
        max_24h: Stated::As(Amount::new(Quantity::whole(8), "tablet")),
        protocol: Protocol { what_for: "pain".to_owned(), ..Protocol::default() },
    };
    let (name, schedule) = match kind {
        0 => {
            let times = vec![time(10, 0), time(13, 0), time(20, 0)];
            ("Amlodipine 5 mg tablets", Schedule::Times { times, days: Days::ALL })
        }
        1 => {
            let rounds = vec!["morning".to_owned(), "bedtime".to_owned()];
            ("Levothyroxine 50 microgram tablets", Schedule::Rounds { rounds, days: Days::ALL })
        }
        2 => ("Morphine 10 mg tablets", Schedule::EveryHours { n: 6, anchor: start }),
        _ => ("Codeine 15 mg tablets", Schedule::WhenRequired(prn)),
    };
    let mut medicine = Medicine::uncoded(name);
    if kind == 2 {
        medicine.cd = CdCategory::Schedule2;
    }
    Content {
        medicine,
        route: "oral".to_owned(),
        dose: Dose::Fixed(Amount::new(Quantity::whole(1), "tablet")),
        indication: Some("pain".to_owned()),
        instruction: None,
        schedule,
        start,
        stop: None,
        course_doses: None,
        source: Source::Label,
        label: None,
        min_gap: None,
        flags: Flags { time_critical: kind == 1, ..Flags::default() },
        limit_group: None,
    }
}

/// What somebody asks, with the witness beside them.
pub(crate) struct Asked {
    pub(crate) actor: Actor,
    pub(crate) witness: Option<StaffId>,
    pub(crate) ask: Ask,
}

impl Asked {
    fn by(staff: StaffId, ask: Ask) -> Self {
        Self { actor: Actor::Staff(staff), witness: None, ask }
    }
}

/// Draws what somebody asks who looks at this picture at this time; `None` if nothing comes to
/// their mind.
pub(crate) fn draw(chance: &mut Chance, picture: &Picture, now: Timestamp) -> Option<Asked> {
    let resident = picture.resident(*chance.pick(&RESIDENTS)?)?;
    match chance.below(24) {
        0..10 => record_due(chance, picture, resident, now),
        10..14 => Some(when_required(chance, resident, now)),
        14..16 => correct(chance, resident, now),
        16 => note_effect(chance, resident),
        17..20 => Some(about_order(chance, resident, now)),
        20..22 => Some(about_resident(chance, resident, now)),
        22 => Some(about_staff(chance, picture)),
        _ => Some(about_home(chance, now)),
    }
}

fn minutes(chance: &mut Chance, least: u32, most: u32) -> Minutes {
    Minutes(u32::try_from(chance.between(least.into(), most.into())).unwrap())
}

fn told(chance: &mut Chance, outcome: Outcome, now: Timestamp) -> Told {
    let earlier = chance.one_in(4).then(|| now.minus(minutes(chance, 1, 170)));
    Told {
        reason: "as it was told".to_owned(),
        given_at: earlier,
        checked: Some("asked upstairs".to_owned()),
        alone: chance.one_in(2),
        ..Told::of(outcome)
    }
}

fn outcome(chance: &mut Chance) -> Outcome {
    *chance
        .pick(&[
            Outcome::Given,
            Outcome::Given,
            Outcome::Given,
            Outcome::Given,
            Outcome::Given,
            Outcome::SelfAdministered,
            Outcome::Refused,
            Outcome::Asleep,
            Outcome::OutOfStock,
            Outcome::Vomited,
            Outcome::Practice(Practice::GivenElsewhere),
        ])
        .unwrap()
}

fn record_due(
    chance: &mut Chance,
    picture: &Picture,
    resident: &ResidentPicture,
    now: Timestamp,
) -> Option<Asked> {
    let span = (now.minus(Minutes(8 * 60)), now.plus(Minutes(60)));
    let due = due::due(&picture.home, resident, span, now);
    let second = chance.one_in(20);
    let open: Vec<_> = due.iter().filter(|due| second || due.state != DueState::Recorded).collect();
    let slot = chance.pick(&open)?.slot.id.clone();
    let giver = *chance.pick(&GIVERS)?;
    let dose = if chance.one_in(8) {
        AskDose::Pop { slot, amount: None }
    } else {
        let outcome = outcome(chance);
        let told = told(chance, outcome, now);
        let already_given = second.then(|| "two of us had the trolley".to_owned());
        AskDose::Record { slot, told: Told { already_given, ..told } }
    };
    let witness = (giver != NURSE && !chance.one_in(6)).then_some(NURSE);
    Some(Asked { actor: Actor::Staff(giver), witness, ask: Ask::Dose(resident.id, dose) })
}

fn when_required(chance: &mut Chance, resident: &ResidentPicture, now: Timestamp) -> Asked {
    let note = PrnNote {
        reason: "headache".to_owned(),
        score: None,
        asked: true,
        tried_first: String::new(),
    };
    let order = order(resident.id, 3);
    let told = told(chance, Outcome::Given, now);
    Asked::by(NURSE, Ask::Dose(resident.id, AskDose::Prn { order, told, note }))
}

/// The administrations of a resident in an order that does not hang on their ids.
fn administrations(resident: &ResidentPicture) -> Vec<AdministrationId> {
    let mut all: Vec<_> = resident
        .administrations
        .values()
        .filter_map(|a| Some((a.record()?.0.stamp, a.id()?)))
        .collect();
    all.sort();
    all.into_iter().map(|(_, id)| id).collect()
}

fn correct(chance: &mut Chance, resident: &ResidentPicture, now: Timestamp) -> Option<Asked> {
    let administration = *chance.pick(&administrations(resident))?;
    let instead = if chance.one_in(3) {
        None
    } else {
        let outcome = outcome(chance);
        Some(told(chance, outcome, now))
    };
    let (reason, alone) = ("pressed the wrong one".to_owned(), chance.one_in(2));
    let dose = AskDose::Correct { administration, instead, reason, alone };
    Some(Asked::by(*chance.pick(&GIVERS)?, Ask::Dose(resident.id, dose)))
}

fn note_effect(chance: &mut Chance, resident: &ResidentPicture) -> Option<Asked> {
    let administration = *chance.pick(&administrations(resident))?;
    let effect = *chance.pick(&[Effect::Good, Effect::Partly, Effect::None])?;
    let dose = AskDose::NoteEffect { administration, effect, note: String::new() };
    Some(Asked::by(*chance.pick(&GIVERS)?, Ask::Dose(resident.id, dose)))
}

fn about_order(chance: &mut Chance, resident: &ResidentPicture, now: Timestamp) -> Asked {
    let kind = u8::try_from(chance.below(usize::from(KINDS))).unwrap();
    let order = order(resident.id, kind);
    let reason = "the GP said so".to_owned();
    let ask = match chance.below(12) {
        0..4 => AskOrder::Write {
            order,
            content: content(kind, Timestamp(now.0 - chance.between(0, 3) * 3_600_000)),
            same_meaning: None,
            allergy_decided: Some("talked over".to_owned()),
            intended: Some("both are meant".into()),
            label_read: None,
        },
        4..7 => AskOrder::Check { order, version: None },
        7 => AskOrder::ActivateAlone { order, reason },
        8 => AskOrder::Reject { order, version: None, reason },
        9 => AskOrder::Hold { order, reason, review: None },
        10 => AskOrder::Resume { order, reason },
        // Rare, or nothing would be left to give.
        _ if chance.one_in(5) => {
            AskOrder::Stop { order, at: now, authorised_by: "Dr Patel".to_owned(), reason }
        }
        _ => AskOrder::Resume { order, reason },
    };
    Asked::by(*chance.pick(&WRITERS).unwrap(), Ask::Order(resident.id, ask))
}

fn about_resident(chance: &mut Chance, resident: &ResidentPicture, now: Timestamp) -> Asked {
    let at = RESIDENTS.iter().position(|id| *id == resident.id).unwrap_or(0);
    let ask = match chance.below(6) {
        0 => {
            let mut identity = Identity::named(NAMES[at].0, NAMES[at].1);
            identity.no_nhs_number = Some("not known yet".to_owned());
            identity.room = chance.below(20).to_string();
            AskResident::WriteIdentity(identity)
        }
        1 => {
            let substance = chance.pick(&["penicillin", "latex", "nuts"]).unwrap();
            AskResident::WriteAllergies(Allergies::Recorded(vec![Allergy {
                substance: (*substance).to_owned(),
                code: None,
                reaction: None,
                kind: None,
            }]))
        }
        2 => {
            let where_to = [Whereabouts::Hospital, Whereabouts::DayLeave, Whereabouts::Present];
            let whereabouts = *chance.pick(&where_to).unwrap();
            let note = String::new();
            AskResident::ChangeStatus(Status { whereabouts, from: now, note, second: None })
        }
        3 => AskResident::ChangeStatus(Status {
            whereabouts: Whereabouts::Present,
            from: now,
            note: String::new(),
            second: None,
        }),
        4 => AskResident::OpenFollowUp { what: "ring the GP".to_owned(), order: None, owner: None },
        _ => {
            let session = CommandId(chance.seed()[..16].try_into().unwrap());
            AskResident::NoteAccess { what: AccessKind::Seen, session }
        }
    };
    Asked::by(*chance.pick(&WRITERS).unwrap(), Ask::Resident(resident.id, ask))
}

/// The manager suspends somebody, or takes them back.
fn about_staff(chance: &mut Chance, picture: &Picture) -> Asked {
    let staff = *chance.pick(&[SENIOR, CARER]).unwrap();
    let mut details = staff_of(staff);
    let active = picture.home.person(staff).is_none_or(|s| s.standing == Employment::Active);
    if active && chance.one_in(2) {
        details.standing = Employment::Suspended { reason: "an inquiry".to_owned() };
    }
    Asked::by(MANAGER, Ask::Home(AskHome::WriteStaff { staff, details }))
}

fn about_home(chance: &mut Chance, now: Timestamp) -> Asked {
    if chance.one_in(3) {
        let parked = chance.one_in(2);
        let ask = Ask::Home(AskHome::Park { parked });
        return Asked { actor: Actor::Device, witness: None, ask };
    }
    let mut settings = Settings::new("Willow House", now.utc().date_naive());
    settings.windows.clock = minutes(chance, 30, 90);
    Asked::by(MANAGER, Ask::Home(AskHome::SetSettings(settings)))
}
