//! Where other devices were reached, were seen, or are said to be.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use mar::ids::DeviceId;
use sync::endpoint::is_local;
use sync::frame::KnownAddress;

use crate::running::Device;
use crate::writer::served_devices;

/// The most addresses at which one device is dialled.
const ADDRESSES_MAX: usize = 8;
/// The most devices whose addresses are kept: more than any home has.
const DEVICES_MAX: usize = 256;

/// The addresses of each device, the likeliest first.
#[derive(Debug, Default)]
pub(super) struct Book {
    known: BTreeMap<DeviceId, Vec<SocketAddr>>,
}

impl Book {
    /// Reads where devices were reached before.
    pub(super) fn restore(device: &Device) -> Self {
        let mut book = Self::default();
        let Ok(reader) = device.reader() else { return book };
        for other in served_devices(&device.picture(), device.id()) {
            match reader.local().addresses(other) {
                Ok(known) => book.add(other, known.iter().rev().filter_map(|a| a.parse().ok())),
                Err(fault) => tracing::warn!(%fault, "addresses of other devices"),
            }
        }
        book
    }

    /// Puts addresses before those that are known. What lies outside the home's network is left
    /// out.
    pub(super) fn add(
        &mut self,
        device: DeviceId,
        addresses: impl IntoIterator<Item = SocketAddr>,
    ) {
        if self.known.len() >= DEVICES_MAX && !self.known.contains_key(&device) {
            return;
        }
        let known = self.known.entry(device).or_default();
        for address in addresses.into_iter().filter(|address| is_local(address.ip())) {
            known.retain(|other| *other != address);
            known.insert(0, address);
        }
        known.truncate(ADDRESSES_MAX);
    }

    /// Adds where a device was seen, behind where it was reached last. Anybody can repeat what a
    /// device announces with another address: the one that was reached is not lost by it.
    pub(super) fn add_seen(&mut self, device: DeviceId, address: SocketAddr) {
        let reached = self.known.get(&device).and_then(|known| known.first()).copied();
        if reached != Some(address) {
            self.add(device, [Some(address), reached].into_iter().flatten());
        }
    }

    /// Adds what another device says, behind what this one found itself.
    pub(super) fn add_told(&mut self, told: &[KnownAddress]) {
        for KnownAddress { device, address } in told {
            let room = self.known.len() < DEVICES_MAX || self.known.contains_key(device);
            if !room || !is_local(address.ip()) {
                continue;
            }
            let known = self.known.entry(*device).or_default();
            if known.len() < ADDRESSES_MAX && !known.contains(address) {
                known.push(*address);
            }
        }
    }

    pub(super) fn addresses(&self, device: &DeviceId) -> Vec<SocketAddr> {
        self.known.get(device).cloned().unwrap_or_default()
    }

    /// Returns the likeliest address of each device, to be passed on to `to`.
    pub(super) fn to_tell(&self, to: &DeviceId) -> Vec<KnownAddress> {
        let others = self.known.iter().filter(|(device, _)| *device != to);
        others
            .filter_map(|(device, known)| {
                Some(KnownAddress { device: *device, address: *known.first()? })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLET: DeviceId = DeviceId([7; 32]);

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_found_comes_before_what_is_said_and_nothing_outside_the_home_is_kept() {
        let mut book = Book::default();
        let said = |text| KnownAddress { device: TABLET, address: at(text) };
        book.add_told(&[said("10.0.0.9:1"), said("8.8.8.8:53")]);
        book.add(TABLET, [at("10.0.0.2:1"), at("1.1.1.1:443")]);
        book.add_told(&[said("10.0.0.2:1")]);
        assert_eq!(book.addresses(&TABLET), [at("10.0.0.2:1"), at("10.0.0.9:1")]);
        assert_eq!(book.to_tell(&TABLET), []);
        assert_eq!(book.to_tell(&DeviceId([8; 32])), [said("10.0.0.2:1")]);
    }

    /// Bug: eight announcements repeated by a stranger with other addresses pushed out the address
    /// at which a device was reached.
    /// Cause: where a device was seen came before where it was reached.
    /// Fix: it comes behind.
    #[test]
    fn a_stranger_that_repeats_announcements_does_not_push_out_where_a_device_was_reached() {
        let mut book = Book::default();
        book.add(TABLET, [at("10.0.0.2:1")]);
        for port in 1..50 {
            book.add_seen(TABLET, SocketAddr::from(([10, 0, 0, 66], port)));
        }
        let known = book.addresses(&TABLET);
        assert_eq!((known[0], known.len()), (at("10.0.0.2:1"), ADDRESSES_MAX));
        assert_eq!(known[1], at("10.0.0.66:49"), "and where it was seen last is tried, too");
    }

    #[test]
    fn a_device_that_names_thousands_of_addresses_fills_nothing() {
        let mut book = Book::default();
        for port in 1..5000 {
            let mut id = [0; 32];
            id[..2].copy_from_slice(&u16::to_be_bytes(port));
            let address = SocketAddr::from(([10, 0, 0, 1], port));
            book.add_told(&[KnownAddress { device: DeviceId(id), address }]);
            book.add_told(&[KnownAddress { device: TABLET, address }]);
        }
        assert!(book.known.len() <= DEVICES_MAX);
        assert!(book.known.values().all(|known| known.len() <= ADDRESSES_MAX));
    }
}
