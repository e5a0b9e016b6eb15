//! `join`: become a device of a home that is on another device already.

use super::{Fault, Output};
use crate::{Clock, Device, Folders, JoinOptions};
use serde_json::json;

/// What to join.
#[derive(Debug, Clone)]
pub struct JoinRequest {
    /// The code that the other device shows.
    pub code: String,
    /// A name for this device.
    pub device: String,
    /// The other device's address, as it shows it; `None` searches the network.
    pub address: Option<String>,
    /// Where to listen; `None` is the usual port.
    pub listen: Option<String>,
    /// Whether to search the network.
    pub discovery: bool,
}

/// Joins. Returns the exit code.
pub fn run(folders: &Folders, request: &JoinRequest, clock: Clock, out: &mut Output<'_>) -> u8 {
    match join(folders, request, clock, out) {
        Ok(()) => 0,
        Err(fault) => super::session::tell(&fault, out),
    }
}

fn join(
    folders: &Folders,
    request: &JoinRequest,
    clock: Clock,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    if request.device.trim().is_empty() {
        return Err(Fault::Wrong("--device: a name for this device is needed".to_owned()));
    }
    let address = request.address.as_deref().map(super::invite::local_address).transpose()?;
    let options = JoinOptions {
        address,
        listen: request.listen.as_deref().map(super::invite::socket_address).transpose()?,
        discovery: request.discovery,
        loopback: address.is_some_and(|a| a.ip().is_loopback()),
    };
    if !out.is_json() {
        out.aside("Looking for the other device …");
    }
    let joined =
        crate::join(folders, &request.code, request.device.trim(), &options, clock.clone())?;
    if out.is_json() {
        out.document(&json!({
            "home": joined.home.to_string(),
            "device": joined.device.to_string(),
        }));
        return Ok(());
    }
    let device = Device::open(folders, clock)?;
    let picture = device.picture();
    let name = picture.home.settings_on(device.now().utc().date_naive()).map(|s| s.name.clone());
    let residents = picture.residents.values().filter(|r| r.identity().is_some()).count();
    out.line(format!("This device, {}, is now one of {}'s.", request.device, or_home(name)));
    out.line(format!("It holds {} so far.", super::page::count(residents, "resident")));
    out.line("Next: keep it in step with the others: medroundctl serve");
    device.close();
    Ok(())
}

fn or_home(name: Option<String>) -> String {
    name.unwrap_or_else(|| "the home".to_owned())
}
