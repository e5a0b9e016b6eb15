//! `setup`: found a home on this device.

use super::{Fault, Output, Pin};
use crate::{Clock, Device, Folders, NewHome};
use serde_json::json;

/// What a new home is to be.
#[derive(Debug, Clone)]
pub struct SetupRequest {
    /// The home's name.
    pub home: String,
    /// This device's name.
    pub device: String,
    /// The first manager's name.
    pub manager: String,
    /// The first manager's initials.
    pub initials: String,
    /// The first manager's PIN.
    pub pin: Pin,
    /// Whether it is a practice home.
    pub practice: bool,
}

/// Founds a home. Returns the exit code.
pub fn run(folders: &Folders, request: &SetupRequest, clock: Clock, out: &mut Output<'_>) -> u8 {
    match set_up(folders, request, clock, out) {
        Ok(()) => 0,
        Err(fault) => super::session::tell(&fault, out),
    }
}

fn set_up(
    folders: &Folders,
    request: &SetupRequest,
    clock: Clock,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    for (text, what) in [
        (&request.home, "--home: the home's name"),
        (&request.device, "--device: a name for this device, such as Office"),
        (&request.manager, "--manager: the manager's name"),
        (&request.initials, "--initials: the manager's initials"),
    ] {
        if text.trim().is_empty() {
            return Err(Fault::Wrong(format!("{what} is needed")));
        }
    }
    let home = NewHome {
        name: request.home.trim().to_owned(),
        device: request.device.trim().to_owned(),
        practice: request.practice,
        manager: request.manager.trim().to_owned(),
        initials: request.initials.trim().to_owned(),
        pin: request.pin.digits().to_owned(),
    };
    let (device, founded) = Device::found(folders, home, clock)?;
    let key = store::secrets::expose(&founded.recovery_key);
    if out.is_json() {
        out.document(&json!({
            "home": founded.home.to_string(),
            "device": founded.device.to_string(),
            "staff": founded.staff.to_string(),
            "recovery_key": key,
        }));
    } else {
        tell(request, key, folders, out);
    }
    device.close();
    Ok(())
}

fn tell(request: &SetupRequest, key: &str, folders: &Folders, out: &mut Output<'_>) {
    let manager = &request.initials;
    let practice = if request.practice { "PRACTICE HOME. " } else { "" };
    for line in [
        format!("{practice}{} is set up on this device, {}.", request.home, request.device),
        format!("The record is in {}.", folders.data.display()),
        String::new(),
        "The recovery key. It is shown this once and kept nowhere. Write it down, and keep it in a"
            .to_owned(),
        "sealed envelope in the safe: without it a lost record cannot be opened again.".to_owned(),
        String::new(),
        format!("    {key}"),
        String::new(),
        "Next: add staff, take in residents, and let other devices join:".to_owned(),
        format!(
            "    medroundctl staff add --name NAME --initials INITIALS --role ROLE --as {manager}"
        ),
        format!("    medroundctl import FILE --as {manager}"),
        format!("    medroundctl resident add --from FILE --as {manager}"),
        format!("    medroundctl invite --as {manager}"),
    ] {
        out.line(line);
    }
}
