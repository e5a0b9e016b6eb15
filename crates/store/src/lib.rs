//! The only disk: the log of entries, its views, and what belongs to this device alone.

pub mod clock;
pub mod entry;
pub mod heads;

pub mod backend;
pub mod codec;
mod fold;
pub mod keys;
pub mod local;
mod log;
pub mod pins;
pub mod record;
pub mod secrets;
mod tables;
pub mod verify;
mod views;

pub use fold::Changes;
pub use log::Pinned;
pub use tables::DiskFault;
