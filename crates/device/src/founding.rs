//! Founding a home: its first device, the recovery key, and the first manager.
//!
//! It is made in a folder inside the data folder and moved into place when it is complete, the log
//! last: a home that was not finished is none, and can be founded again.

use mar::command::AskHome;
use mar::ids::{DeviceId, HomeId, StaffId};
use mar::settings::Settings;
use mar::staff::{Employment, Role, Staff};
use store::backend::Disk;
use store::keys::{Keys, random};
use store::record::{self, Opening, Record};
use store::secrets::{HomeSecret, RecoveryKey, SecretString};
use zeroize::Zeroize;

use crate::clock::Clock;
use crate::folder::Making;
use crate::running::{Device, Folders, StartFault, by_person, fresh};
use crate::writer::{SubmitFault, unattended};

/// What a new home begins with.
#[derive(Debug, Clone)]
pub struct NewHome {
    /// The home's name.
    pub name: String,
    /// This device's name.
    pub device: String,
    /// Whether it is a practice home.
    pub practice: bool,
    /// The first manager's name.
    pub manager: String,
    /// The first manager's initials.
    pub initials: String,
    /// The first manager's PIN, six digits.
    pub pin: String,
}

impl Drop for NewHome {
    fn drop(&mut self) {
        self.pin.zeroize();
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Founded {
    /// The home.
    pub home: HomeId,
    /// This device.
    pub device: DeviceId,
    /// The first manager.
    pub staff: StaffId,
    /// The recovery key: shown once, kept nowhere.
    pub recovery_key: SecretString,
}

/// Founds a home in a folder that has none.
pub(crate) fn found(
    folders: &Folders,
    home: &NewHome,
    clock: &Clock,
) -> Result<Founded, StartFault> {
    clock.checked()?;
    store::pins::Pin::chosen(&home.pin).map_err(crate::pins::PinFault::from)?;
    let making = Making::begin(folders, "founding")?;
    match make(&making.folders(folders), folders, home, clock) {
        Ok(founded) => {
            making.settle()?;
            Ok(founded)
        }
        Err(fault) => {
            making.abandon();
            Err(fault)
        }
    }
}

fn make(
    inside: &Folders,
    folders: &Folders,
    home: &NewHome,
    clock: &Clock,
) -> Result<Founded, StartFault> {
    let keys = Keys::create(&Folders::keys_file(&inside.data))?;
    let recovery = RecoveryKey::generate();
    let id = HomeId(*random::<32>()?);
    let details = record::Founded {
        home: id,
        name: named(&home.name, "name for the home")?,
        practice: home.practice,
        device_name: named(&home.device, "name for the device")?,
        recovery_recipient: recovery.recipient(),
    };
    let opening = Opening { disk: Disk::folder(&inside.data), keys, state: folders.state_file() };
    let record = Record::found(opening, clock.now(), &details, |_| Vec::new())?;
    let device = Device::of_record(inside, record, clock.clone())?;
    let staff = set_up(&device, home, &recovery);
    let own = device.id();
    device.close();
    Ok(Founded { home: id, device: own, staff: staff?, recovery_key: recovery.printed() })
}

/// Writes the first settings, secret, manager and PIN: what the founding device may by itself.
fn set_up(device: &Device, home: &NewHome, recovery: &RecoveryKey) -> Result<StaffId, StartFault> {
    // Before the first settings the first ones hold too: the civil date need not be exact.
    let settings = Settings::new(home.name.trim(), device.now().utc().date_naive());
    let secret = HomeSecret::generate(1).map_err(store::secrets::SecretFault::from)?;
    let role = mar::fact::DeviceRole::Member;
    let own = (device.id(), device.keys().recipient(), role);
    let sealed = secret.seal(&[own], &recovery.recipient(), None)?;
    let staff = StaffId(fresh());
    let manager = Staff {
        name: named(&home.manager, "name")?,
        initials: named(&home.initials, "set of initials")?,
        role: Role::Manager,
        may_witness: true,
        standing: Employment::Active,
    };
    let first = vec![
        unattended(AskHome::SetSettings(settings)),
        unattended(AskHome::SealSecret(sealed)),
        unattended(AskHome::WriteStaff { staff, details: manager }),
        unattended(AskHome::TellReads { program: crate::PROGRAM.to_owned() }),
    ];
    device.submit_all(first).map_err(not_saved)?;
    let pin = device.pin_ask(staff, &home.pin)?;
    device.submit(by_person(staff, pin)).map_err(not_saved)?;
    Ok(staff)
}

fn named(text: &str, what: &'static str) -> Result<String, StartFault> {
    let text = text.trim();
    if text.is_empty() {
        let blank = mar::refusal::EntryRefusal::Blank(what);
        return Err(StartFault::Refused(blank.into()));
    }
    mar::text::check(what, text, mar::text::Form::Name)
        .map_err(|fault| StartFault::Refused(mar::refusal::EntryRefusal::from(fault).into()))?;
    Ok(text.to_owned())
}

fn not_saved(fault: SubmitFault) -> StartFault {
    match fault {
        SubmitFault::Refused(refusal) => StartFault::Refused(refusal),
        SubmitFault::Clock(fault) => StartFault::Clock(fault),
        SubmitFault::NotSaved { .. } | SubmitFault::ReadOnly { .. } | SubmitFault::Closed => {
            StartFault::NotSaved { why: fault.to_string() }
        }
    }
}
