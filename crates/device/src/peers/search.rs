//! Finding the home's devices on the network. It makes things quicker, and nothing depends on it.

use std::sync::Arc;

use sync::lan::{Announced, Known, Lan, LanConfig, LanFault};
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::{Net, NetworkEvent};
use crate::pins;
use crate::writer::{Told, served_devices};

/// How many generations of the home's secret are accepted: the current one and the one before.
const GENERATIONS: usize = 2;

/// Announces this device and looks for the others until the network ends.
pub(super) async fn search(net: Arc<Net>) {
    if let Err(fault) = search_until_end(&net).await {
        net.tell(NetworkEvent::Alarm { what: fault.to_string() });
    }
}

async fn search_until_end(net: &Arc<Net>) -> Result<(), LanFault> {
    let config =
        LanConfig { practice: net.practice, loopback_only: net.options.loopback, port: None };
    let lan = Lan::start(config)?;
    let (known, watched) = watch::channel(known(net));
    let mut sightings = lan.watch(watched);
    let mut announced = announce(net, &lan, &known.borrow())?;
    let (sender, mut told) = mpsc::unbounded_channel();
    net.device.writer().follow(net.new_follower(), sender);
    loop {
        tokio::select! {
            sighting = sightings.recv() => {
                let Some(sighting) = sighting else { break };
                net.book().add_seen(sighting.device, sighting.address);
                net.dial_now.notify_one();
            }
            told = told.recv() => match told {
                Some(Told::MembershipChanged) => {
                    let now = self::known(net);
                    let newer = now.secrets.first() != known.borrow().secrets.first();
                    known.send_replace(now);
                    if newer {
                        drop(announced.take());
                        announced = announce(net, &lan, &known.borrow())?;
                    }
                }
                Some(
                    Told::Started { .. }
                    | Told::Committed { .. }
                    | Told::Admitted { .. }
                    | Told::NotAdmitted { .. }
                    | Told::OwnLog(_),
                ) => {}
                None => break,
            },
        }
    }
    drop(announced);
    lan.stop();
    Ok(())
}

/// Announces this device under the newest secret; `None` while it has none.
fn announce(net: &Net, lan: &Lan, known: &Known) -> Result<Option<Announced>, LanFault> {
    let (Some(port), Some(secret)) = (net.endpoint.port(), known.secrets.first()) else {
        return Ok(None);
    };
    lan.announce(&net.device.id(), port, secret).map(Some)
}

/// Returns whom to look for, with the secrets newest first. The first is announced, so it is one
/// that no device that was put out has made; what came before it is still looked for, because a
/// device that was off announces that.
fn known(net: &Net) -> Known {
    let (picture, keys) = (net.device.picture(), net.device.keys());
    let newest = pins::secrets_to_use(&picture, keys).pop();
    let all = pins::secrets(&picture, keys);
    let mut secrets: Vec<Zeroizing<[u8; 32]>> = Vec::new();
    if let Some(newest) = newest {
        let before = all.iter().rev().filter(|one| one.generation() <= newest.generation());
        for secret in std::iter::once(&newest).chain(before) {
            let key = Zeroizing::new(*secret.discovery());
            if secrets.len() < GENERATIONS && !secrets.contains(&key) {
                secrets.push(key);
            }
        }
    }
    Known { devices: served_devices(&picture, net.device.id()), secrets }
}
