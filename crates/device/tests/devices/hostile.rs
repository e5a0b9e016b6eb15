//! A device of the home that means harm, on real connections: it can end its own, and no more.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use mar::ids::{DeviceId, LogId};
use store::heads::Head;
use store::keys::Keys;
use sync::endpoint::{Connection, Endpoint, EndpointConfig, Listen};
use sync::frame::{Frame, Line};
use sync::session::{Effect, Input, Session};
use tokio::time::timeout;

use crate::home::{Home, PATIENCE, Place, dose, entry_of};

/// The trolley's own id with somebody else's program behind it.
async fn thief(home: &Home) -> (Endpoint, Connection) {
    let keys = Keys::load(&home.trolley.folders().data.join("device.keys")).unwrap();
    let listen = Listen::At(SocketAddr::from(([127, 0, 0, 1], 0)));
    let config = EndpointConfig { secret: *keys.device_seed(), practice: true, listen };
    let endpoint = Endpoint::bind(&config).await.unwrap();
    let office = home.office.device().id();
    endpoint.allow(BTreeSet::from([office]));
    let connection = endpoint.dial(office, &home.office.network().addresses()).await.unwrap();
    (endpoint, connection)
}

fn logs_of(place: &Place, device: DeviceId) -> Vec<(u32, LogId)> {
    let picture = place.device().picture();
    let logs = picture.home.logs().iter();
    let mut own: Vec<_> = logs
        .filter(|(_, (start, _))| start.device == device)
        .map(|(log, (start, _))| (start.incarnation, *log))
        .collect();
    own.sort_unstable();
    own
}

/// Bug: a device that claimed to hold more of another's log made that one begin a new log, and
/// again after each dose.
/// Cause: the claim was believed each time, without proof.
/// Fix: it is believed once, as for a folder that was put back.
#[test]
fn a_device_that_claims_to_hold_more_of_another_s_log_costs_it_one_log() {
    let mut home = Home::of_two();
    let ward = home.with_a_medicine();
    home.wait_level();
    home.trolley.close_at_once();
    let office = home.office.device().id();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..4 {
        let (_, log) = *logs_of(&home.office, office).last().unwrap();
        let status = home.office.device().status().unwrap();
        let latest = status.heads.get(&log).unwrap().latest().unwrap();
        let claimed = Head { sequence: latest.sequence + 5, hash: store::entry::Hash([9; 32]) };
        let line = Line { log, anchor: 0, heads: vec![claimed] };
        runtime.block_on(async {
            let (endpoint, mut connection) = thief(&home).await;
            let started = Input::Started { heads: Default::default(), own_log: None, wall_ms: 0 };
            let mut effects = Session::new(status.home).handle(started);
            let Effect::Send(hello) = effects.remove(0) else { panic!("a hello comes first") };
            connection.sender.send(&hello).await.unwrap();
            timeout(PATIENCE, connection.receiver.receive()).await.unwrap().unwrap();
            let claim = Frame::Heads { first: true, last: true, lines: vec![line] };
            connection.sender.send(&claim.encode()).await.unwrap();
            // What is claimed is asked for, after it was noticed.
            loop {
                let frame = timeout(PATIENCE, connection.receiver.receive()).await.unwrap();
                if matches!(Frame::decode(&frame.unwrap()), Ok(Some(Frame::Want(_)))) {
                    break;
                }
            }
            endpoint.close().await;
        });
        let saved = home.office.ask(ward.nurse, dose(&ward, Some("the phone")));
        assert_eq!(home.office.device().saved_on(entry_of(&saved)), 1);
        home.office.clock.set(home.office.clock.now().plus(mar::time::Minutes(300)));
    }
    assert_eq!(logs_of(&home.office, office).len(), 2);
}
