//! What people type is looked at wherever it stands: no command has a text that is forgotten.

use crate::home::Home;
use crate::orders_of::{daily, plain};
use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Told};
use mar::fact::{
    AccessKind, Contact, DeviceKeys, DeviceRole, PrnNote, Professional, Prompt, PromptAnswer,
    Reading, SealedSecret,
};
use mar::ids::{
    AdministrationId, CommandId, DeviceId, FollowUpId, OrderId, ResidentId, StaffId, SupplyId,
    VersionId,
};
use mar::medicine::{CdCategory, Ingredient, Medicine};
use mar::order::{
    Content, Dose, Flags, Grade, Prn, Proposal, Protocol, SameMeaning, Source, Stated, Supply,
};
use mar::outcome::{Effect, OUTCOMES, Outcome};
use mar::quantity::{Amount, Quantity, Unit};
use mar::refusal::{EntryRefusal, Refusal};
use mar::resident::{Allergies, Allergy, ExternalId, Identity, Status, Whereabouts};
use mar::schedule::{Days, Schedule, SlotId, SlotKey, TimeOfDay};
use mar::settings::{Round, Settings};
use mar::staff::{Employment, Role, Staff};
use mar::time::{Minutes, Timestamp};

/// Stands in every text; lower case, because a unit is.
const MARK: &str = "qzq";
const ORDER: OrderId = OrderId([1; 16]);
const WHO: StaffId = StaffId([2; 16]);
const WHOSE: ResidentId = ResidentId([3; 16]);
const WHEN: Timestamp = Timestamp(1_790_000_000_000);

fn mark() -> String {
    MARK.to_owned()
}

fn amount() -> Amount {
    Amount::new(Quantity::whole(1), MARK)
}

fn external() -> Vec<ExternalId> {
    vec![ExternalId { system: mark(), value: mark() }]
}

fn medicine() -> Medicine {
    let ingredient = Ingredient {
        name: mark(),
        code: Some(mark()),
        amount: Some(amount()),
        per: Some(Unit::new(MARK)),
    };
    Medicine {
        name: mark(),
        form: Some(mark()),
        strength: Some(mark()),
        dmd: Some(mark()),
        release: Some(mark()),
        ingredients: vec![ingredient],
        cd: CdCategory::None,
    }
}

fn schedules() -> Vec<Schedule> {
    let (days, n, anchor) = (Days::ALL, 1, WHEN.utc().date_naive());
    let times = vec![TimeOfDay::new(8, 0).expect("a time")];
    let protocol = Protocol {
        what_for: mark(),
        signs: mark(),
        can_ask: None,
        choose: mark(),
        expected_effect: mark(),
        check_after: None,
        try_first: mark(),
        call_prescriber_when: mark(),
        review: mark(),
    };
    let prn = |min_interval, max_24h| {
        Schedule::WhenRequired(Prn { min_interval, max_24h, protocol: protocol.clone() })
    };
    let not_stated = || Stated::NotStated { asked: mark() };
    vec![
        Schedule::Times { times: times.clone(), days },
        Schedule::Rounds { rounds: vec![mark()], days },
        Schedule::EveryDays { n, anchor, times: times.clone() },
        Schedule::EveryWeeks { n, anchor, days, times },
        Schedule::EveryHours { n, anchor: WHEN },
        Schedule::Once { at: WHEN },
        prn(Stated::As(Minutes(60)), Stated::NotStated { asked: mark() }),
        prn(not_stated(), Stated::As(amount())),
    ]
}

fn doses() -> [Dose; 2] {
    let one = Quantity::whole(1);
    [Dose::Fixed(amount()), Dose::Range { from: one, to: one, unit: Unit::new(MARK) }]
}

fn contents() -> Vec<Content> {
    let content = |dose, schedule| Content {
        medicine: medicine(),
        route: mark(),
        dose,
        indication: Some(mark()),
        instruction: Some(mark()),
        schedule,
        start: WHEN,
        stop: None,
        course_doses: None,
        source: Source::Label,
        label: Some(mark()),
        min_gap: None,
        flags: Flags::default(),
        limit_group: Some(mark()),
    };
    let dosed = doses().into_iter().cycle();
    schedules().into_iter().zip(dosed).map(|(schedule, dose)| content(dose, schedule)).collect()
}

fn told(outcome: Outcome) -> Told {
    Told {
        outcome,
        amount: Some(amount()),
        given_at: None,
        reason: mark(),
        readings: vec![Reading { name: mark(), value: mark() }],
        site: None,
        given_by: None,
        professional: Some(Professional { name: mark(), role: mark(), organisation: mark() }),
        checked: Some(mark()),
        alone: false,
        prompts: vec![Prompt { what: mark(), answer: PromptAnswer::Shown }],
        handed_to: None,
        already_given: Some(mark()),
    }
}

fn of_the_home() -> Vec<AskHome> {
    let settings = Settings {
        name: mark(),
        address: mark(),
        rounds: vec![Round {
            id: mark(),
            name: mark(),
            start: TimeOfDay::new(8, 0).expect("a time"),
            cut_off: TimeOfDay::new(9, 0).expect("a time"),
        }],
        letters: [(Outcome::Given, mark())].into(),
        witness: [(mark(), true)].into(),
        ..Settings::new(MARK, WHEN.utc().date_naive())
    };
    let details = |standing| Staff {
        name: mark(),
        initials: mark(),
        role: Role::Nurse,
        may_witness: false,
        standing,
    };
    let device = DeviceId([4; 32]);
    let keys = DeviceKeys { device, recipient: mark(), name: mark() };
    let secret = SealedSecret { generation: 1, sealed: vec![], recovery: vec![], because: None };
    vec![
        AskHome::SetSettings(settings),
        AskHome::WriteStaff { staff: WHO, details: details(Employment::Active) },
        AskHome::WriteStaff {
            staff: WHO,
            details: details(Employment::Suspended { reason: mark() }),
        },
        AskHome::SetPin { staff: WHO, generation: 1, sealed: vec![] },
        AskHome::EnrolDevice { keys, role: DeviceRole::Member },
        AskHome::RevokeDevice { device, last_valid: vec![], reason: mark() },
        AskHome::SealSecret(secret),
        AskHome::Park { parked: true },
        AskHome::TypeTime { showed: WHEN, typed: WHEN },
        AskHome::TellReads { program: mark() },
    ]
}

fn of_the_resident() -> Vec<AskResident> {
    let identity = Identity {
        family: mark(),
        given: mark(),
        known_as: Some(mark()),
        title: Some(mark()),
        born: None,
        nhs_number: None,
        no_nhs_number: Some(mark()),
        room: mark(),
        unit: mark(),
        gp: mark(),
        pharmacy: mark(),
        how_i_take: mark(),
        thickener: Some(mark()),
        external: external(),
    };
    let allergy =
        Allergy { substance: mark(), code: Some(mark()), reaction: Some(mark()), kind: None };
    let contact = Contact { name: mark(), role: mark(), organisation: mark(), at: WHEN };
    let status =
        Status { whereabouts: Whereabouts::Present, from: WHEN, note: mark(), second: None };
    let (follow_up, session) = (FollowUpId([5; 16]), CommandId([6; 16]));
    vec![
        AskResident::WriteIdentity(identity),
        AskResident::WriteAllergies(Allergies::Recorded(vec![allergy])),
        AskResident::WriteAllergies(Allergies::NoneKnown { by: mark(), on: None }),
        AskResident::WriteAllergies(Allergies::NotAsked),
        AskResident::ChangeStatus(status),
        AskResident::CheckPage(vec![(ORDER, VersionId([7; 16]))]),
        AskResident::NoteAccess { what: AccessKind::Seen, session },
        AskResident::OpenFollowUp { what: mark(), order: None, owner: None },
        AskResident::ContinueFollowUp {
            follow_up,
            owner: None,
            contact: Some(contact),
            advice: mark(),
            resulting_order: None,
        },
        AskResident::CloseFollowUp { follow_up, outcome: mark(), corrective_action: mark() },
    ]
}

fn of_the_order() -> Vec<AskOrder> {
    let order = ORDER;
    let proposal = |(dose, schedule)| AskOrder::Propose {
        order,
        proposal: Proposal {
            medicine: medicine(),
            words: vec![mark(), mark()],
            grade: Grade::Clear,
            remarks: vec![mark()],
            dose: Some(dose),
            schedule: Some(schedule),
            route: Some(mark()),
            start: None,
            last_issued: None,
            external: external(),
        },
    };
    let write = |content| AskOrder::Write {
        order,
        content,
        same_meaning: Some(SameMeaning::Differs(mark())),
        allergy_decided: Some(mark()),
        intended: None,
        label_read: None,
    };
    let supply = Supply {
        id: SupplyId([8; 16]),
        order,
        product: mark(),
        dmd: Some(mark()),
        pack: mark(),
        quantity: Some(amount()),
        notice: mark(),
        received: WHEN,
    };
    let others = [
        AskOrder::Check { order, version: None },
        AskOrder::ActivateAlone { order, reason: mark() },
        AskOrder::Reject { order, version: None, reason: mark() },
        AskOrder::Hold { order, reason: mark(), review: None },
        AskOrder::Resume { order, reason: mark() },
        AskOrder::Stop { order, at: WHEN, authorised_by: mark(), reason: mark() },
        AskOrder::Supply(supply),
    ];
    let proposed = doses().into_iter().cycle().zip(schedules()).map(proposal);
    proposed.chain(contents().into_iter().map(write)).chain(others).collect()
}

fn of_the_dose() -> Vec<AskDose> {
    let slot = |key| SlotId { version: VersionId([7; 16]), date: WHEN.utc().date_naive(), key };
    let note = PrnNote { reason: mark(), score: None, asked: true, tried_first: mark() };
    let administration = AdministrationId([9; 16]);
    let mut asks = vec![
        AskDose::Pop { slot: slot(SlotKey::Round(mark())), amount: Some(amount()) },
        AskDose::Prn { order: ORDER, told: told(Outcome::Given), note },
        AskDose::NoteEffect { administration, effect: Effect::Good, note: mark() },
        AskDose::Correct { administration, instead: None, reason: mark(), alone: false },
        AskDose::Correct {
            administration,
            instead: Some(told(Outcome::Refused)),
            reason: mark(),
            alone: false,
        },
    ];
    asks.extend(
        OUTCOMES.map(|outcome| AskDose::Record {
            slot: slot(SlotKey::Interval(1)),
            told: told(outcome),
        }),
    );
    asks
}

/// One of everything that can be asked, with the mark in every text of it.
fn everything() -> Vec<Ask> {
    let home = of_the_home().into_iter().map(Ask::Home);
    let resident = of_the_resident().into_iter().map(|ask| Ask::Resident(WHOSE, ask));
    let order = of_the_order().into_iter().map(|ask| Ask::Order(WHOSE, ask));
    let dose = of_the_dose().into_iter().map(|ask| Ask::Dose(WHOSE, ask));
    home.chain(resident).chain(order).chain(dose).collect()
}

/// `Debug` shows every text there is: what it shows and the check does not see was forgotten.
#[test]
fn every_text_of_every_command_is_looked_at() {
    for ask in everything() {
        let shown = format!("{ask:?}").matches(MARK).count();
        let seen = ask.texts();
        assert!(seen.iter().all(|t| t.text == MARK && t.check().is_ok()), "{ask:?}");
        assert_eq!(seen.len(), shown, "{ask:?}");
    }
}

#[track_caller]
fn refused(home: &mut Home, ask: Ask) -> String {
    let refusal = home.ask(0, "MM", ask).expect_err("refused");
    assert!(matches!(refusal, Refusal::Entry(EntryRefusal::Text(_))), "{refusal}");
    assert_eq!(refusal.rule(), "R-02");
    refusal.to_string()
}

/// A line break in a name forged a line of the alerts, and an escape character cleared the screen.
/// Cause: the record took every text that was not blank. Fix: `decide` looks at all of them.
#[test]
fn a_text_that_would_steer_the_screen_is_refused_and_its_field_is_named() {
    let mut home = Home::founded("2026-11-02T05:00");
    let whose = home.admit("Shaw", "Gladys");
    let named = |family: &str| {
        let identity = Identity::named(family, "Gladys");
        Ask::Resident(whose, AskResident::WriteIdentity(identity))
    };
    let said = refused(&mut home, named("Shaw\nALERT none"));
    assert!(said.contains("line break in the family name, after “Shaw”"), "{said}");
    let said = refused(&mut home, named("\u{1b}[2JShaw"));
    assert!(said.contains("the family name, at its beginning (U+001B)"), "{said}");
    let said = refused(&mut home, named(&"x".repeat(1 << 20)));
    assert!(said.contains("the family name is too long"), "{said}");
    let mut content = plain(daily(&["08:00"]));
    content.medicine.name = "Warfarin 5\u{202e}gm 01".to_owned();
    let write = AskOrder::Write {
        order: ORDER,
        content,
        same_meaning: None,
        allergy_decided: None,
        intended: None,
        label_read: None,
    };
    let said = refused(&mut home, Ask::Order(whose, write));
    assert!(said.contains("name of the medicine, after “Warfarin 5” (U+202E)"), "{said}");
    for family in ["Zoë", "Łukasz", "محمد", "O'Brien"] {
        home.ask(0, "MM", named(family)).expect("taken");
    }
}
