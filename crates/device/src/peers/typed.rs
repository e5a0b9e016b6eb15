//! Addresses that a person typed: one of the home's devices is there, and which is found out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mar::ids::DeviceId;

/// The most addresses that are tried.
const ADDRESSES_MAX: usize = 8;
/// How long an address is not tried for a device after another one answered there. The transport
/// remembers a wrong address for a minute.
const OTHER_DEVICE_WAIT: Duration = Duration::from_secs(90);

/// The addresses, and which devices are known not to be there.
#[derive(Debug, Default)]
pub(super) struct Typed {
    addresses: Vec<SocketAddr>,
    not_there: BTreeMap<(DeviceId, SocketAddr), Instant>,
}

impl Typed {
    pub(super) fn add(&mut self, addresses: &[SocketAddr]) {
        for address in addresses {
            if !self.addresses.contains(address) && self.addresses.len() < ADDRESSES_MAX {
                self.addresses.push(*address);
            }
        }
    }

    /// Returns where a device is to be tried.
    pub(super) fn for_device(&self, device: &DeviceId) -> Vec<SocketAddr> {
        let lately = |address: &SocketAddr| {
            let at = self.not_there.get(&(*device, *address));
            at.is_some_and(|at| at.elapsed() < OTHER_DEVICE_WAIT)
        };
        self.addresses.iter().copied().filter(|address| !lately(address)).collect()
    }

    /// Another device answered there.
    pub(super) fn is_not(&mut self, device: DeviceId, address: SocketAddr) {
        self.not_there.insert((device, address), Instant::now());
    }

    /// A device was reached there: it is known from now on, and nobody else is looked for there.
    pub(super) fn found(&mut self, address: SocketAddr) {
        self.addresses.retain(|typed| *typed != address);
        self.not_there.retain(|(_, not_there), _| *not_there != address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_tried_for_every_device_until_one_is_found_there() {
        let (office, trolley) = (DeviceId([1; 32]), DeviceId([2; 32]));
        let at = SocketAddr::from(([10, 0, 0, 2], 41761));
        let mut typed = Typed::default();
        typed.add(&[at, at]);
        assert_eq!((typed.for_device(&office), typed.for_device(&trolley)), (vec![at], vec![at]));
        typed.is_not(office, at);
        assert_eq!((typed.for_device(&office), typed.for_device(&trolley)), (vec![], vec![at]));
        typed.found(at);
        assert_eq!(typed.for_device(&trolley), []);
    }
}
