//! One running device of the home.
//!
//! A [`Device`] holds the record open and carries out what is asked of it; a [`Network`] beside it
//! keeps it in step with the home's other devices. Both programs, the one with a window and the
//! one without, are a `Device`, perhaps a `Network`, and words.
//!
//! - Everything that is written goes through one thread, the writer: it decides, appends and
//!   answers after the fsync. Nothing is told to a person or to a peer before that.
//! - The clock is read in [`clock`] and nowhere else.
//! - What a peer sends can end its own connection and nothing more.
//!
//! Reading order: [`running`] is a device, [`founding`] and [`joining`] how one comes to be,
//! [`writer`] the one writer, [`peers`] the other devices, [`gap`] what is known of what is missing,
//! [`socket`] how a command reaches a device that runs already.

pub mod clock;
mod doubt;
mod pins;
pub mod running;

mod folder;
pub mod founding;
pub mod joining;
mod pages;
pub mod panics;

pub mod writer;

pub mod fit_for_use;
pub mod gap;
pub mod peers;
pub mod status;

pub mod command;
pub mod socket;

#[cfg(test)]
mod alone;

pub use clock::Clock;
pub use fit_for_use::PutOut;
pub use founding::{Founded, NewHome};
pub use joining::{Invite, InviteFault, InviteNews, JoinFault, JoinOptions, Joined, join};
pub use peers::{Network, NetworkEvent, NetworkFault, NetworkOptions};
pub use running::{Device, Folders, PinFault, ReadFault, StartFault};
pub use status::{PeerView, Status, Verified};
pub use writer::{Saved, SubmitFault};

/// What this program calls itself in the record (W-08).
pub(crate) const PROGRAM: &str = concat!("medround ", env!("CARGO_PKG_VERSION"));

/// What a command is carried out on: a device, and its network where it is up.
#[derive(Debug, Clone)]
pub struct Running {
    /// The device.
    pub device: Device,
    /// Its network; `None` for a command that runs by itself.
    pub network: Option<std::sync::Arc<Network>>,
}
