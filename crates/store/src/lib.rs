//! The only disk: the log of entries, its views, and what belongs to this device alone.

pub mod clock;
pub mod entry;
pub mod heads;

pub mod backend;
pub mod codec;
pub mod keys;
pub mod local;
mod log;
pub mod pins;
pub mod secrets;
mod tables;

pub use log::Pinned;
pub use tables::DiskFault;
