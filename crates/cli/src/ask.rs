//! From what was typed to a request of `device::command`. Files and PINs are read here.

use crate::args::{
    self, Directions, Everywhere, Home, OnDevice, Order, PrintWhat, Resident, Staff,
};
use crate::terminal::{import_files, new_pin, pin, read};
use device::command::alerts::AlertsRequest;
use device::command::chart::ChartRequest;
use device::command::clock::ClockRequest;
use device::command::demo::DemoRequest;
use device::command::devices::Revoke;
use device::command::directions::DirectionsRequest;
use device::command::due::DueRequest;
use device::command::follow_up::{FollowUpAsk, Note};
use device::command::home::{HomeAsk, Set};
use device::command::import::ImportRequest;
use device::command::invite::InviteRequest;
use device::command::join::JoinRequest;
use device::command::order::{Beside, Confirm, OrderAsk};
use device::command::print::{PrintRequest, Sheet, Whose};
use device::command::record::{
    CorrectRequest, DoseAsk, EffectRequest, GivePrn, RecordRequest, Words,
};
use device::command::resident::{Move, ResidentAsk};
use device::command::round::RoundRequest;
use device::command::serve::ServeRequest;
use device::command::setup::SetupRequest;
use device::command::staff::{Add, StaffAsk};
use device::command::{Ask, Fault, Request, Who};
use std::path::Path;

pub(crate) fn setup(args: &args::Setup, everywhere: &Everywhere) -> Result<SetupRequest, Fault> {
    Ok(SetupRequest {
        home: args.home.clone(),
        device: args.device.clone(),
        manager: args.manager.clone(),
        initials: args.initials.clone(),
        pin: new_pin(everywhere.pin_file.as_deref(), &args.manager)?,
        practice: args.practice,
    })
}

pub(crate) fn demo(args: &args::Demo, everywhere: &Everywhere) -> Result<DemoRequest, Fault> {
    Ok(DemoRequest { folder: everywhere.data.clone(), days: args.days })
}

pub(crate) fn join(args: &args::Join) -> JoinRequest {
    JoinRequest {
        code: args.code.clone(),
        device: args.device.clone(),
        address: args.address.clone(),
        listen: args.network.listen.clone(),
        discovery: args.network.discovery == "on",
    }
}

pub(crate) fn serve(args: &args::Serve) -> ServeRequest {
    ServeRequest {
        listen: args.network.listen.clone(),
        discovery: args.network.discovery == "on",
        addresses: args.address.clone(),
    }
}

pub(crate) fn directions(args: &Directions) -> Result<DirectionsRequest, Fault> {
    let Directions::Read { medicine } = args;
    Ok(DirectionsRequest { lines: read(Path::new("-"))?, medicine: medicine.clone() })
}

/// Adds who acts, with their PINs.
pub(crate) fn request(ask: Ask, everywhere: &Everywhere) -> Result<Request, Fault> {
    let of = |staff: &Option<String>, file: &Option<std::path::PathBuf>| match staff {
        Some(staff) => pin(file.as_deref(), staff),
        None => Ok(None),
    };
    let who = Who {
        pin: of(&everywhere.acting, &everywhere.pin_file)?,
        witness_pin: of(&everywhere.witness, &everywhere.witness_pin_file)?,
        staff: everywhere.acting.clone(),
        witness: everywhere.witness.clone(),
    };
    Ok(Request { json: everywhere.json, who, ask })
}

/// Returns the request of a sub-command that is carried out on a running device.
pub(crate) fn of(command: OnDevice, everywhere: &Everywhere) -> Result<Request, Fault> {
    let ask = match command {
        OnDevice::Invite(args) => Ask::Invite(InviteRequest {
            role: args.role,
            listen: args.network.listen,
            discovery: args.network.discovery == "on",
        }),
        OnDevice::Clock { time } => Ask::Clock(ClockRequest { time }),
        OnDevice::Devices => Ask::Devices,
        OnDevice::Revoke(args) => Ask::Revoke(Revoke { device: args.device, reason: args.reason }),
        OnDevice::Status => Ask::Status,
        OnDevice::Verify => Ask::Verify,
        OnDevice::Home(args) => Ask::Home(home(args)?),
        OnDevice::Staff(args) => Ask::Staff(staff(args)?),
        OnDevice::Resident(args) => Ask::Resident(resident(args)?),
        OnDevice::Order(args) => Ask::Order(order(args)?),
        OnDevice::Import(args) => {
            Ask::Import(ImportRequest { files: import_files(&args.paths), dry_run: args.dry_run })
        }
        OnDevice::Due(args) => Ask::Due(DueRequest {
            resident: args.resident,
            from: args.from,
            to: args.to,
            withheld: args.withheld,
        }),
        OnDevice::Round(args) => Ask::Round(RoundRequest { at: args.at, unit: args.unit }),
        OnDevice::Record(args) => Ask::Dose(record(args)),
        OnDevice::GivePrn(args) => Ask::Dose(give_prn(args)),
        OnDevice::Prn(args) => Ask::Dose(DoseAsk::Prn { order: args.order }),
        OnDevice::Effect(args) => Ask::Dose(DoseAsk::Effect(EffectRequest {
            administration: args.administration,
            effect: args.effect,
            note: args.note,
            wait: args.wait,
        })),
        OnDevice::Correct(args) => Ask::Dose(correct(args)),
        OnDevice::Chart(args) => {
            Ask::Chart(ChartRequest { resident: args.resident, from: args.from, to: args.to })
        }
        OnDevice::Alerts => Ask::Alerts(AlertsRequest::All),
        OnDevice::Conflicts => Ask::Alerts(AlertsRequest::Conflicts),
        OnDevice::FollowUp(args) => Ask::FollowUp(follow_up(args)),
        OnDevice::Print(args) => Ask::Print(print(args)?),
    };
    request(ask, everywhere)
}

fn home(args: Home) -> Result<HomeAsk, Fault> {
    Ok(match args {
        Home::Show => HomeAsk::Show,
        Home::Set(set) => HomeAsk::Set(Set {
            starting: set.starting,
            from: set.from.as_deref().map(read).transpose()?,
            name: set.name,
            address: set.address,
            rounds: set.round,
            letters: set.letter,
            lone_worker: set.lone_worker,
        }),
    })
}

fn staff(args: Staff) -> Result<StaffAsk, Fault> {
    Ok(match args {
        Staff::Add { name, initials, role, new_pin_file, may_witness } => StaffAsk::Add(Add {
            pin: new_pin(new_pin_file.as_deref(), &name)?,
            name,
            initials,
            role,
            may_witness: may_witness.map(|answer| answer == "yes"),
        }),
        Staff::List => StaffAsk::List,
        Staff::ResetPin { staff, new_pin_file } => {
            StaffAsk::ResetPin { pin: new_pin(new_pin_file.as_deref(), &staff)?, staff }
        }
        Staff::Suspend { staff, reason } => StaffAsk::Suspend { staff, reason },
        Staff::Reinstate { staff } => StaffAsk::Reinstate { staff },
    })
}

fn resident(args: Resident) -> Result<ResidentAsk, Fault> {
    Ok(match args {
        Resident::Add { from } => ResidentAsk::Add { from: read(&from)? },
        Resident::Change { resident, from } => ResidentAsk::Change { resident, from: read(&from)? },
        Resident::List { unit, all } => ResidentAsk::List { unit, all },
        Resident::Show { resident } => ResidentAsk::Show { resident },
        Resident::Status { resident, whereabouts, from, note } => {
            ResidentAsk::Status(Move { resident, whereabouts, from, note })
        }
        Resident::Check { resident, order } => ResidentAsk::Check { resident, orders: order },
    })
}

fn beside(args: args::Beside) -> Beside {
    Beside {
        same_meaning: args.same_meaning,
        differs: args.differs,
        allergy_decided: args.allergy_decided,
        intended: args.intended,
    }
}

fn order(args: Order) -> Result<OrderAsk, Fault> {
    Ok(match args {
        Order::Add { from, beside: b } => OrderAsk::Add { from: read(&from)?, beside: beside(b) },
        Order::Change(change) => OrderAsk::Change {
            order: change.order,
            from: read(&change.from)?,
            beside: beside(change.beside),
        },
        Order::List { resident, all } => OrderAsk::List { resident, all },
        Order::Show { order } => OrderAsk::Show { order },
        Order::Template { order } => OrderAsk::Template { order },
        Order::Confirm { order, from, cd_category, beside: b } => OrderAsk::Confirm(Confirm {
            order,
            cd_category,
            from: from.as_deref().map(read).transpose()?,
            beside: beside(b),
        }),
        Order::Check { order } => OrderAsk::Check { order },
        Order::ActivateAlone { order, reason } => OrderAsk::ActivateAlone { order, reason },
        Order::Stop { order, at, authorised_by, reason } => {
            OrderAsk::Stop { order, at, authorised_by, reason }
        }
        Order::Hold { order, reason, review } => OrderAsk::Hold { order, reason, review },
        Order::Resume { order, reason } => OrderAsk::Resume { order, reason },
        Order::Reject { order, version, reason } => OrderAsk::Reject { order, version, reason },
    })
}

fn told(args: args::Told, reason: String) -> (Words, Option<u64>) {
    let words = Words {
        amount: args.amount,
        given_at: args.given_at,
        reason,
        readings: args.reading,
        site: args.site,
        checked: args.checked,
        alone: args.alone,
        given_by: args.given_by,
        professional: args.professional,
        prompts: args.prompt,
        handed_to: args.handed_to,
        already_given: args.already_given,
    };
    (words, args.wait)
}

fn record(args: args::Record) -> DoseAsk {
    let (told, wait) = told(args.told, args.reason);
    DoseAsk::Record(RecordRequest { slot: args.slot, outcome: args.outcome, told, wait })
}

fn give_prn(args: args::GivePrn) -> DoseAsk {
    let (told, wait) = told(args.told, args.reason);
    DoseAsk::GivePrn(GivePrn {
        order: args.order,
        outcome: args.outcome,
        told,
        score: args.score,
        asked: args.asked,
        tried_first: args.tried_first,
        wait,
    })
}

fn correct(args: args::Correct) -> DoseAsk {
    let (told, wait) = told(args.told, args.reason.clone());
    DoseAsk::Correct(CorrectRequest {
        administration: args.administration,
        reason: args.reason,
        never_happened: args.never_happened,
        outcome: args.outcome,
        told,
        wait,
    })
}

fn follow_up(args: args::FollowUp) -> FollowUpAsk {
    use args::FollowUp;
    match args {
        FollowUp::List { resident, all } => FollowUpAsk::List { resident, all },
        FollowUp::Open { resident, what, order, owner } => {
            FollowUpAsk::Open { resident, what, order, owner }
        }
        FollowUp::Take { follow_up, owner } => FollowUpAsk::Take { follow_up, owner },
        FollowUp::Note { follow_up, contact, at, advice, order } => {
            FollowUpAsk::Note(Note { follow_up, contact, at, advice, order })
        }
        FollowUp::Close { follow_up, outcome, action } => {
            FollowUpAsk::Close { follow_up, outcome, action }
        }
    }
}

fn print(args: PrintWhat) -> Result<PrintRequest, Fault> {
    let (what, print, whole_home) = match args {
        PrintWhat::Mar(print) => (Sheet::Mar, print, false),
        PrintWhat::Round { round, print } => (Sheet::Round { round }, print, true),
    };
    let whose = match (print.resident, print.unit, print.all || whole_home) {
        (Some(resident), _, _) => Whose::Resident(resident),
        (None, Some(unit), _) => Whose::Unit(unit),
        (None, None, true) => Whose::All,
        (None, None, false) => {
            return Err(Fault::Wrong("say whose: --resident R, --unit U or --all".to_owned()));
        }
    };
    let out = print.out.to_str().ok_or_else(|| {
        Fault::Wrong("the name of the file to write must be readable text".to_owned())
    })?;
    Ok(PrintRequest { what, whose, from: print.from, out: out.to_owned() })
}
