//! One of every kind of fact that the record knows, on a resident and orders of its own.

use crate::giving::{hold_as, note, stop};
use crate::home::{Home, administration};
use crate::orders_of::{plain, when_required};
use mar::command::{Ask, AskDose, AskHome, AskOrder, AskResident, Told};
use mar::due::due;
use mar::fact::{AccessKind, DeviceKeys, DeviceRole, SealedSecret};
use mar::ids::{CommandId, DeviceId, OrderId, ResidentId, SupplyId};
use mar::medicine::Medicine;
use mar::order::{Grade, Proposal, Supply};
use mar::outcome::{Effect, Outcome};
use mar::resident::{Allergies, Status, Whereabouts};
use mar::schedule::Schedule;
use mar::time::{DAY, Minutes};

const PROPOSED: OrderId = OrderId([250; 16]);
const REGULAR: OrderId = OrderId([252; 16]);
const WHEN_REQUIRED: OrderId = OrderId([253; 16]);

/// Writes a fact of every kind on the first device.
pub(crate) fn tour(home: &mut Home) {
    home.devices[0].apart = false;
    home.witness = None;
    let whose = home.admit("Tour", "Ida");
    for ask in about_the_resident(home, whose).into_iter().chain(about_the_home(home)) {
        home.ask(0, "MM", ask).expect("a step of the tour");
    }
    orders(home, whose);
    doses(home, whose);
    hold_as(home, (0, "SC"), (whose, REGULAR)).expect("held");
    let resume = AskOrder::Resume { order: REGULAR, reason: "well".into() };
    home.ask(0, "SC", Ask::Order(whose, resume)).expect("resumed");
    // Whoever the history suspended, the nurse or another: a stop is written all the same.
    let now = home.now;
    if stop(home, 0, (whose, REGULAR), now).is_err() {
        let stop = AskOrder::Stop {
            order: REGULAR,
            at: now,
            authorised_by: "Dr Bell".into(),
            reason: "over".into(),
        };
        home.ask(0, "SC", Ask::Order(whose, stop)).expect("stopped");
    }
}

fn about_the_resident(home: &Home, whose: ResidentId) -> Vec<Ask> {
    let proposal = Proposal {
        medicine: Medicine::uncoded("Senna"),
        words: vec![],
        grade: Grade::Refused,
        remarks: vec![],
        dose: None,
        schedule: None,
        route: None,
        start: None,
        last_issued: None,
        external: vec![],
    };
    let here = Status {
        whereabouts: Whereabouts::Present,
        from: home.now,
        note: String::new(),
        second: None,
    };
    let access = AskResident::NoteAccess { what: AccessKind::Seen, session: CommandId([7; 16]) };
    let follow_up = AskResident::OpenFollowUp { what: "call".into(), order: None, owner: None };
    let reject = AskOrder::Reject { order: PROPOSED, version: None, reason: "no".into() };
    vec![
        Ask::Resident(whose, AskResident::WriteAllergies(Allergies::NotAsked)),
        Ask::Resident(whose, AskResident::ChangeStatus(here)),
        Ask::Resident(whose, access),
        Ask::Resident(whose, follow_up),
        Ask::Order(whose, AskOrder::Propose { order: PROPOSED, proposal }),
        Ask::Order(whose, reject),
    ]
}

fn about_the_home(home: &Home) -> Vec<Ask> {
    let secret = SealedSecret { generation: 2, sealed: vec![], recovery: vec![2], because: None };
    let spare = DeviceId([251; 32]);
    let keys = DeviceKeys { device: spare, recipient: "age".into(), name: "Spare".into() };
    let reason = "lost".to_owned();
    let asks = [
        AskHome::Park { parked: false },
        AskHome::TypeTime { showed: home.now, typed: home.now },
        AskHome::TellReads { program: "1.0".into() },
        AskHome::SetPin { staff: home.person("MM"), generation: 1, sealed: vec![1] },
        AskHome::SealSecret(secret),
        AskHome::EnrolDevice { keys, role: DeviceRole::Member },
        AskHome::RevokeDevice { device: spare, last_valid: vec![], reason },
    ];
    asks.into_iter().map(Ask::Home).collect()
}

fn orders(home: &mut Home, whose: ResidentId) {
    let once = Schedule::Once { at: home.now.plus(Minutes(5)) };
    for (order, content) in
        [(REGULAR, plain(once)), (WHEN_REQUIRED, plain(when_required(None, None)))]
    {
        let (same_meaning, allergy_decided) = (None, None);
        let (intended, label_read) = (Some("both are meant".into()), None);
        let ask =
            AskOrder::Write { order, content, same_meaning, allergy_decided, intended, label_read };
        home.ask(0, "MM", Ask::Order(whose, ask)).expect("an order of the tour");
    }
    let supply = Supply {
        id: SupplyId([1; 16]),
        order: REGULAR,
        product: "Teva".into(),
        dmd: None,
        pack: "pod".into(),
        quantity: None,
        notice: String::new(),
        received: home.now,
    };
    let alone = AskOrder::ActivateAlone { order: WHEN_REQUIRED, reason: "night".into() };
    for ask in [AskOrder::Check { order: REGULAR, version: None }, AskOrder::Supply(supply), alone]
    {
        home.ask(0, "SC", Ask::Order(whose, ask)).expect("a step of the tour");
    }
}

fn doses(home: &mut Home, whose: ResidentId) {
    let told = || Told { checked: Some("rang".into()), alone: true, ..Told::of(Outcome::Given) };
    let span = (home.now, home.now.plus(DAY));
    let picture = home.picture(0);
    let slot = due(&picture.home, home.resident(0, whose), span, home.now)[0].slot.id.clone();
    let ask = |home: &mut Home, ask| home.ask(0, "MM", Ask::Dose(whose, ask)).expect("a dose");
    ask(home, AskDose::Pop { slot: slot.clone(), amount: None });
    ask(home, AskDose::Record { slot, told: told() });
    let given = ask(home, AskDose::Prn { order: WHEN_REQUIRED, told: told(), note: note() });
    let administration = administration(&given);
    let (effect, note) = (Effect::Good, String::new());
    ask(home, AskDose::NoteEffect { administration, effect, note });
    ask(home, AskDose::Correct { administration, instead: None, reason: "no".into(), alone: true });
}
