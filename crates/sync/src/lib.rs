//! Sealed entries between the devices of one home, over the local network.
//!
//! Devices are apart most of the time that matters: a cable is pulled, a tablet is in a pocket. So
//! nothing here decides anything. Entries are copied until both hold the same, and what two people
//! did while apart is all there afterwards. What is promised:
//!
//! - Two devices that can exchange frames end with the same entries, whatever the order, the loss
//!   and the repeats, and say so; a log that one of them does not take in is named.
//! - A receipt is sent only for what the receiver's disk has, after its fsync.
//! - Only enrolled devices get a byte beyond the handshake; nothing leaves the local network.
//! - Bytes from a peer are checked against limits and never clamped, and no bytes bring a panic.
//!
//! Entries stay sealed: this crate checks chains and signatures and never reads what is inside.
//!
//! Reading order: [`frame`] is the wire format; [`session`] one exchange, a value without socket,
//! clock or disk; [`endpoint`] the connections; [`lan`] finding devices; [`pairing`] how one joins;
//! [`status`] what is known of a peer. Sessions are carried out by `device`, which has the store,
//! the clock and the list of peers: it dials, accepts, feeds each session and does what it says.
//! The test `loopback` has that loop in its smallest form.

pub mod frame;
pub mod session;

pub mod endpoint;
pub mod lan;
pub mod pairing;
pub mod status;
