//! A device joins over a real pairing endpoint, on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

use store::entry::{DeviceId, Hash};
use sync::endpoint::{DialFault, Endpoint, InviteEvent, JoinFault, PairingEndpoint, public_half};
use sync::pairing::{InviteState, Offer, PairingCode, PairingFault, PairingKeys};
use tokio::time::timeout;

use crate::shell::{PATIENCE, endpoint, loopback};

const CODE: &str = "7K3M-9PQR-2ABC";

/// Growing keys is slow on purpose, so those of the right code are grown once.
fn keys(code: &str) -> PairingKeys {
    static RIGHT: OnceLock<PairingKeys> = OnceLock::new();
    let grow = |code: &str| PairingKeys::grow(&code.parse::<PairingCode>().unwrap());
    if code == CODE { RIGHT.get_or_init(|| grow(code)).clone() } else { grow(code) }
}

fn offer() -> Offer {
    Offer { device: public_half(&[1; 32]), founding: Hash([6; 32]), payload: b"addresses".into() }
}

async fn invite(practice: bool) -> (PairingEndpoint, SocketAddr) {
    let open = PairingEndpoint::open(keys(CODE), offer(), practice, loopback()).await.unwrap();
    let address = (Ipv4Addr::LOCALHOST, open.port().unwrap()).into();
    (open, address)
}

async fn next(invite: &PairingEndpoint) -> InviteEvent {
    timeout(PATIENCE, invite.next()).await.unwrap().unwrap()
}

/// Proves with keys that are wrong, as somebody would who knows the endpoint but not the code.
async fn guess(joiner: &Endpoint, address: SocketAddr) -> JoinFault {
    let dialled = joiner.dial_invite(keys(CODE).endpoint(), &[address]).await;
    let (mut connection, _) = match dialled {
        Ok(connected) => connected,
        Err(fault) => return fault,
    };
    connection.sender.send(&[&[1][..], &[0; 32]].concat()).await.unwrap();
    timeout(PATIENCE, connection.receiver.receive()).await.unwrap().unwrap_err().into()
}

#[tokio::test]
async fn a_device_with_the_code_and_an_address_joins() {
    let (invite, address) = invite(false).await;
    let joiner = endpoint(2, false, loopback()).await;
    let inviting = async {
        let InviteEvent::Joining(request) = next(&invite).await else { panic!("it joins") };
        assert_eq!(request.joiner, joiner.id());
        assert_eq!(request.details, b"Lounge tablet");
        request.enrolled(b"welcome").await.unwrap();
    };
    let joining = async {
        let joining = joiner.join(keys("7k3m 9pqr 2abc"), &[address]).await.unwrap();
        assert_eq!(joining.offer, offer());
        joining.introduce(b"Lounge tablet").await
    };
    let ((), answer) = tokio::join!(inviting, joining);
    assert_eq!(answer, Ok(b"welcome".to_vec()));
    assert_eq!(invite.state(), InviteState::Used);
    let again = joiner.join(keys(CODE), &[address]).await.unwrap_err();
    assert!(matches!(again, JoinFault::Dial(_) | JoinFault::Pairing(_)), "{again}");
}

#[tokio::test]
async fn a_device_that_is_declined_is_told_why() {
    let (invite, address) = invite(false).await;
    let joiner = endpoint(2, false, loopback()).await;
    let inviting = async {
        let InviteEvent::Joining(request) = next(&invite).await else { panic!("it joins") };
        request.decline("the disk is full; free some space and invite again").await.unwrap();
    };
    let joining = async {
        let joining = joiner.join(keys(CODE), &[address]).await.unwrap();
        joining.introduce(b"Lounge tablet").await
    };
    let ((), answer) = tokio::join!(inviting, joining);
    let why = "the disk is full; free some space and invite again";
    assert_eq!(answer, Err(JoinFault::Pairing(PairingFault::Declined(why.into()))));
}

#[tokio::test]
async fn a_mistyped_code_meets_nobody_and_does_not_use_up_the_invite() {
    let (invite, address) = invite(false).await;
    let joiner = endpoint(2, false, loopback()).await;
    for _ in 0..4 {
        let fault = joiner.join(keys("7K3M-9PQR-2ABD"), &[address]).await.unwrap_err();
        assert_eq!(fault, JoinFault::NotThisCode);
    }
    assert!(matches!(invite.state(), InviteState::Open(_)));
}

#[tokio::test]
async fn three_wrong_proofs_close_the_invite_and_the_manager_hears_of_each() {
    let (invite, address) = invite(false).await;
    let joiner = endpoint(2, false, loopback()).await;
    for left in [2, 1] {
        let fault = guess(&joiner, address).await;
        assert_eq!(fault, JoinFault::Pairing(PairingFault::WrongCode));
        let InviteEvent::WrongCode { left: said } = next(&invite).await else { panic!() };
        assert_eq!(said, left);
    }
    guess(&joiner, address).await;
    assert!(matches!(next(&invite).await, InviteEvent::Closed));
    assert_eq!(invite.state(), InviteState::Closed);
    let fault = joiner.join(keys(CODE), &[address]).await.unwrap_err();
    assert!(matches!(fault, JoinFault::Dial(_) | JoinFault::Pairing(_)), "{fault}");
}

#[tokio::test]
async fn the_inviter_says_nothing_before_the_proof() {
    let (invite, address) = invite(false).await;
    let joiner = endpoint(2, false, loopback()).await;
    let (mut connection, _) = joiner.dial_invite(keys(CODE).endpoint(), &[address]).await.unwrap();
    // Nonsense instead of a proof: the only answer is the end, and it is not an attempt.
    connection.sender.send(b"\x03who are you?").await.unwrap();
    let heard = timeout(PATIENCE, connection.receiver.receive()).await.unwrap();
    assert!(heard.is_err());
    assert!(matches!(invite.state(), InviteState::Open(_)));
}

#[tokio::test]
async fn no_more_than_four_connections_wait_without_a_proof() {
    let (invite, address) = invite(false).await;
    let joiner = endpoint(2, false, loopback()).await;
    let endpoint = keys(CODE).endpoint();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(joiner.dial_invite(endpoint, &[address]).await.unwrap());
    }
    let turned_away = match joiner.dial_invite(endpoint, &[address]).await {
        Err(fault) => fault,
        Ok((mut fifth, _)) => {
            let heard = timeout(PATIENCE, fifth.receiver.receive()).await.unwrap();
            heard.unwrap_err().into()
        }
    };
    assert_eq!(turned_away, JoinFault::Pairing(PairingFault::Busy));
    // One of the four goes, and there is a place again.
    let (gone, _) = waiting.remove(0);
    gone.link.close(0, "gone");
    let inviting = async {
        let InviteEvent::Joining(request) = next(&invite).await else { panic!("it joins") };
        request.enrolled(b"").await.unwrap();
    };
    let joining = async {
        loop {
            match joiner.join(keys(CODE), &[address]).await {
                Ok(joining) => return joining.introduce(b"tablet").await,
                Err(fault) => assert_eq!(fault, JoinFault::Pairing(PairingFault::Busy)),
            }
        }
    };
    let ((), answer) = tokio::join!(inviting, async { timeout(PATIENCE, joining).await.unwrap() });
    assert_eq!(answer, Ok(Vec::new()));
}

#[tokio::test]
async fn pairing_across_a_practice_home_and_a_real_one_is_refused_with_a_sentence() {
    let (_invite, address) = invite(true).await;
    let joiner = endpoint(2, false, loopback()).await;
    let fault = joiner.join(keys(CODE), &[address]).await.unwrap_err();
    assert_eq!(fault, JoinFault::Dial(DialFault::OtherKind));
    assert!(fault.to_string().contains("practice home"));
}

#[tokio::test]
async fn the_pairing_endpoint_has_an_id_of_its_own() {
    let (_invite, address) = invite(false).await;
    let joiner = endpoint(2, false, loopback()).await;
    // The inviter's everyday id does not answer here.
    joiner.allow([offer().device].into());
    let fault = joiner.dial(offer().device, &[address]).await.unwrap_err();
    assert!(matches!(fault, DialFault::OtherKind | DialFault::OtherDevice), "{fault}");
    assert_ne!(keys(CODE).endpoint(), DeviceId([0; 32]));
}
