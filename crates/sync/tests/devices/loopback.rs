//! Real connections between real endpoints, on this computer's loopback and nowhere else.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use store::entry::DeviceId;
use store::heads::Head;
use sync::endpoint::{DialFault, Ended, Endpoint, EndpointConfig, Listen};
use sync::lan::{Known, Lan, LanConfig, Sighting};
use sync::session::Notice;
use tokio::sync::watch;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::shelf::chain;
use crate::shell::{Device, PATIENCE, address_of, endpoint, hears, loopback};

async fn two() -> (Arc<Device>, Arc<Device>) {
    let (a, b) = (Device::start(1, loopback()).await, Device::start(2, loopback()).await);
    a.allow(&[&b]);
    b.allow(&[&a]);
    (a, b)
}

async fn in_sync(device: &Device, other: &Device, notices: &mut Notices) {
    let same = |notice: &Notice| match notice {
        Notice::InSync { heads } => *heads == other.heads().hash(),
        _ => false,
    };
    hears(notices, same).await;
    assert_eq!(device.heads(), other.heads());
}

type Notices = tokio::sync::broadcast::Receiver<Notice>;

#[tokio::test]
async fn two_devices_connect_exchange_and_count_each_other_s_copies() {
    let (a, b) = two().await;
    a.write(vec![1]);
    b.write(vec![2]);
    b.serve();
    let (mut at_a, mut at_b) = (a.notices.subscribe(), b.notices.subscribe());
    a.dial(&b).await;
    in_sync(&a, &b, &mut at_a).await;
    in_sync(&b, &a, &mut at_b).await;
    let entry = a.write(vec![3]);
    let head = Head { sequence: 1, hash: entry.hash() };
    hears(&mut at_a, |notice| match notice {
        Notice::PeerHolds(heads) => {
            heads.get(&entry.log()).is_some_and(|held| held.heads().contains(&head))
        }
        _ => false,
    })
    .await;
    assert!(b.shelf.lock().unwrap().holds(&entry.log(), &head));
}

#[tokio::test]
async fn a_log_of_20_000_entries_crosses_while_the_other_way_is_used_too() {
    let (a, b) = two().await;
    a.shelf.lock().unwrap().admit(&chain(&a.key, 20_000)).unwrap();
    b.shelf.lock().unwrap().admit(&chain(&b.key, 5_000)).unwrap();
    b.serve();
    let (mut at_a, mut at_b) = (a.notices.subscribe(), b.notices.subscribe());
    a.dial(&b).await;
    in_sync(&a, &b, &mut at_a).await;
    in_sync(&b, &a, &mut at_b).await;
    assert_eq!(b.shelf.lock().unwrap().count(), 25_000);
}

#[tokio::test]
async fn a_device_that_is_not_enrolled_gets_nothing_beyond_the_handshake() {
    let (a, b) = two().await;
    b.endpoint.allow(BTreeSet::new());
    let address = address_of(&b.endpoint);
    // The client's handshake may be done before the answer is here; then the stream says it.
    match a.endpoint.dial(b.endpoint.id(), &[address]).await {
        Err(fault) => assert_eq!(fault, DialFault::NotEnrolled),
        Ok(mut connection) => {
            let heard = timeout(PATIENCE, connection.receiver.receive()).await.unwrap();
            assert_eq!(heard, Err(Ended::NotEnrolled));
        }
    }
    b.endpoint.close().await;
    assert!(b.endpoint.accept().await.is_none(), "nothing was handed on");
}

#[tokio::test]
async fn a_device_does_not_dial_whom_it_does_not_know_nor_itself_nor_outside_the_network() {
    let (a, b) = two().await;
    let address = address_of(&b.endpoint);
    a.endpoint.allow(BTreeSet::new());
    let fault = a.endpoint.dial(b.endpoint.id(), &[address]).await.unwrap_err();
    assert_eq!(fault, DialFault::NotEnrolled);
    a.endpoint.allow([a.endpoint.id(), b.endpoint.id()].into());
    let fault = a.endpoint.dial(a.endpoint.id(), &[address]).await.unwrap_err();
    assert_eq!(fault, DialFault::OwnDevice);
    let outside: SocketAddr = "93.184.216.34:41761".parse().unwrap();
    let fault = a.endpoint.dial(b.endpoint.id(), &[address, outside]).await.unwrap_err();
    assert_eq!(fault, DialFault::NotLocal(outside));
    let fault = a.endpoint.dial(b.endpoint.id(), &[]).await.unwrap_err();
    assert_eq!(fault, DialFault::NoAddress);
}

#[tokio::test]
async fn another_device_at_the_address_and_nobody_there_are_told_apart() {
    let (a, b) = two().await;
    let (c, gone) = (Device::start(3, loopback()).await, Device::start(4, loopback()).await);
    a.allow(&[&b, &c, &gone]);
    let elsewhere = address_of(&b.endpoint);
    let fault = a.endpoint.dial(c.endpoint.id(), &[elsewhere]).await.unwrap_err();
    assert_eq!(fault, DialFault::OtherDevice);
    let nobody = address_of(&gone.endpoint);
    gone.endpoint.close().await;
    let fault = a.endpoint.dial(gone.endpoint.id(), &[nobody]).await.unwrap_err();
    assert_eq!(fault, DialFault::Silent);
}

/// The transport remembers a device's old addresses for a minute and tries them beside the new one;
/// when the wrong device answers first the try fails. So it is the device with the new address that
/// makes the connection: nobody has moved where it dials.
#[tokio::test]
async fn devices_that_have_swapped_their_addresses_are_reached_all_the_same() {
    let (a, b) = two().await;
    let c = Device::start(3, loopback()).await;
    a.allow(&[&b, &c]);
    c.allow(&[&a]);
    let (at_b, at_c) = (address_of(&b.endpoint), address_of(&c.endpoint));
    for (device, address) in [(&b, at_b), (&c, at_c)] {
        let reached = a.endpoint.dial(device.endpoint.id(), &[address]).await.unwrap();
        reached.link.close(0, "done");
    }
    for device in [b, c] {
        device.endpoint.close().await;
    }
    let b = Device::start(2, Listen::At(at_c)).await;
    let c = Device::start(3, Listen::At(at_b)).await;
    for device in [&b, &c] {
        device.allow(&[&a]);
        match a.endpoint.dial(device.endpoint.id(), &[at_b, at_c]).await {
            Ok(_) => {}
            Err(missed) => {
                assert_eq!(missed, DialFault::OtherDevice);
                let address = address_of(&a.endpoint);
                let met = device.endpoint.dial(a.endpoint.id(), &[address]).await.unwrap();
                assert_eq!(met.link.device(), a.endpoint.id());
            }
        }
    }
}

#[tokio::test]
async fn a_live_connection_is_closed_when_its_device_is_revoked() {
    let (a, b) = two().await;
    let dialled = a.endpoint.dial(b.endpoint.id(), &[address_of(&b.endpoint)]).await.unwrap();
    let accepted = timeout(PATIENCE, b.endpoint.accept()).await.unwrap().unwrap();
    b.endpoint.allow(BTreeSet::new());
    let ended = timeout(PATIENCE, dialled.link.closed()).await.unwrap();
    assert_eq!(ended, Ended::NotEnrolled);
    assert_eq!(accepted.link.closed().await, Ended::ClosedHere);
    let mut again = a.endpoint.dial(b.endpoint.id(), &[address_of(&b.endpoint)]).await;
    if let Ok(connection) = &mut again {
        let heard = timeout(PATIENCE, connection.receiver.receive()).await.unwrap();
        assert_eq!(heard, Err(Ended::NotEnrolled));
    }
}

/// A device that was put out learns that, whether it is connected or comes back later, and nothing
/// beside it; any other that may not connect learns nothing.
#[tokio::test]
async fn a_device_that_was_put_out_is_told_so_and_given_nothing() {
    let (a, b) = two().await;
    let c = Device::start(3, loopback()).await;
    c.allow(&[&b]);
    let dialled = a.endpoint.dial(b.endpoint.id(), &[address_of(&b.endpoint)]).await.unwrap();
    let accepted = timeout(PATIENCE, b.endpoint.accept()).await.unwrap().unwrap();
    b.endpoint.put_out([a.endpoint.id()].into());
    b.endpoint.allow(BTreeSet::new());
    let ended = timeout(PATIENCE, dialled.link.closed()).await.unwrap();
    assert_eq!(ended, Ended::PutOut);
    assert_eq!(accepted.link.closed().await, Ended::ClosedHere);
    for (device, fault, ended) in
        [(&a, DialFault::PutOut, Ended::PutOut), (&c, DialFault::NotEnrolled, Ended::NotEnrolled)]
    {
        match device.endpoint.dial(b.endpoint.id(), &[address_of(&b.endpoint)]).await {
            Err(told) => assert_eq!(told, fault),
            Ok(mut connection) => {
                let heard = timeout(PATIENCE, connection.receiver.receive()).await.unwrap();
                assert_eq!(heard, Err(ended));
            }
        }
    }
    b.endpoint.close().await;
    assert!(b.endpoint.accept().await.is_none(), "nothing was handed on");
}

#[tokio::test]
async fn a_panic_while_a_device_is_served_leaves_the_endpoint_up() {
    let (a, b) = two().await;
    let address = address_of(&b.endpoint);
    let first = a.endpoint.dial(b.endpoint.id(), &[address]).await.unwrap();
    let accepted = timeout(PATIENCE, b.endpoint.accept()).await.unwrap().unwrap();
    let served = tokio::spawn(async move {
        let _kept = accepted;
        panic!("whoever serves this connection has a fault");
    });
    assert!(served.await.unwrap_err().is_panic());
    timeout(PATIENCE, first.link.closed()).await.unwrap();
    let mut again = a.endpoint.dial(b.endpoint.id(), &[address]).await.unwrap();
    let mut accepted = timeout(PATIENCE, b.endpoint.accept()).await.unwrap().unwrap();
    again.sender.send(&[3]).await.unwrap();
    assert_eq!(accepted.receiver.receive().await, Ok(vec![3]));
}

#[tokio::test]
async fn a_device_that_starts_again_is_found_on_the_same_port() {
    let (a, b) = two().await;
    let address = address_of(&b.endpoint);
    let dialled = a.endpoint.dial(b.endpoint.id(), &[address]).await.unwrap();
    b.endpoint.close().await;
    timeout(PATIENCE, dialled.link.closed()).await.unwrap();
    drop(b);
    let b = Device::start(2, Listen::At(address)).await;
    b.allow(&[&a]);
    b.write(vec![1]);
    b.serve();
    let mut at_a = a.notices.subscribe();
    a.dial(&b).await;
    in_sync(&a, &b, &mut at_a).await;
}

#[tokio::test]
async fn a_device_that_vanishes_is_dropped_after_four_seconds_of_silence() {
    let a = Device::start(1, loopback()).await;
    let elsewhere = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let b = elsewhere.spawn(Device::start(2, loopback())).await.unwrap();
    a.allow(&[&b]);
    b.allow(&[&a]);
    let dialled = a.endpoint.dial(b.endpoint.id(), &[address_of(&b.endpoint)]).await.unwrap();
    // The power goes: nothing of the device runs any more, and nobody says goodbye.
    std::mem::forget(b);
    elsewhere.shutdown_background();
    let gone = std::time::Instant::now();
    assert_eq!(timeout(PATIENCE, dialled.link.closed()).await.unwrap(), Ended::Silent);
    let silent = gone.elapsed().as_millis();
    assert!((3_000..6_000).contains(&silent), "{silent} ms");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_when_it_was_asked_for() {
    let a = endpoint(1, false, loopback()).await;
    let address = address_of(&a);
    let config = EndpointConfig { secret: [2; 32], practice: false, listen: Listen::At(address) };
    let fault = Endpoint::bind(&config).await.unwrap_err();
    assert!(fault.to_string().starts_with(&format!("cannot listen on {address}: ")), "{fault}");
}

#[tokio::test]
async fn two_devices_that_dial_at_once_keep_one_and_the_same_connection() {
    for _ in 0..5 {
        let (a, b) = two().await;
        let (to_a, to_b) = (address_of(&a.endpoint), address_of(&b.endpoint));
        let (from_a, from_b) = tokio::join!(
            a.endpoint.dial(b.endpoint.id(), std::slice::from_ref(&to_b)),
            b.endpoint.dial(a.endpoint.id(), std::slice::from_ref(&to_a)),
        );
        let (small, great) =
            if a.endpoint.id() < b.endpoint.id() { (from_a, from_b) } else { (from_b, from_a) };
        let accepting = if a.endpoint.id() < b.endpoint.id() { &b } else { &a };
        let mut kept = small.expect("the smaller id's connection stands");
        kept.sender.send(&[7]).await.unwrap();
        // The other side may have accepted only this one, or both and dropped its own.
        let heard = async {
            loop {
                let mut accepted = accepting.endpoint.accept().await.unwrap();
                if accepted.receiver.receive().await == Ok(vec![7]) {
                    return;
                }
            }
        };
        timeout(PATIENCE, heard).await.unwrap();
        if let Ok(dropped) = great {
            let ended = timeout(PATIENCE, dropped.link.closed()).await.unwrap();
            assert!(matches!(ended, Ended::Replaced | Ended::ClosedHere), "{ended}");
        }
        assert!(kept.link.rtt().is_some() && kept.link.address().is_some());
    }
}

#[tokio::test]
async fn a_practice_home_and_a_real_one_never_connect() {
    let real = endpoint(1, false, loopback()).await;
    let practice = endpoint(2, true, loopback()).await;
    real.allow([practice.id()].into());
    practice.allow([real.id()].into());
    let fault = real.dial(practice.id(), &[address_of(&practice)]).await.unwrap_err();
    assert_eq!(fault, DialFault::OtherKind);
    assert!(fault.to_string().contains("practice"));
}

/// Announcements on loopback only, on a port that nobody else listens to.
fn lan(port: u16) -> Lan {
    Lan::start(LanConfig { practice: false, loopback_only: true, port: Some(port) }).unwrap()
}

#[tokio::test]
async fn devices_of_a_home_find_each_other_and_a_stranger_is_passed_over() {
    let (here, there) = (lan(41_863), lan(41_863));
    let (friend, stranger) = (DeviceId([1; 32]), DeviceId([2; 32]));
    let _stranger = there.announce(&stranger, 7001, &[9; 32]).unwrap();
    let _friend = there.announce(&friend, 7002, &[8; 32]).unwrap();
    let (known, watched) = watch::channel(Known::default());
    let mut sightings = here.watch(watched);
    // The device is enrolled only after it was announced.
    known.send_replace(Known { devices: [friend].into(), secrets: vec![Zeroizing::new([8; 32])] });
    let seen = timeout(PATIENCE, sightings.recv()).await.unwrap().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 7002));
    assert_eq!(seen, Sighting { device: friend, address });
}

#[tokio::test]
async fn an_open_invite_is_found_by_the_tag_of_its_code() {
    let (here, there) = (lan(41_864), lan(41_864));
    let _other = there.announce_invite(&[4; 16], 7003).unwrap();
    let _ours = there.announce_invite(&[5; 16], 7004).unwrap();
    let mut found = here.find_invite([5; 16]);
    let address = timeout(PATIENCE, found.recv()).await.unwrap().unwrap();
    assert_eq!(address, SocketAddr::from((Ipv4Addr::LOCALHOST, 7004)));
}
