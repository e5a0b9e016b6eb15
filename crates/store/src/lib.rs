//! The only disk: the log of entries, its views, and what belongs to this device alone.

pub mod clock;
pub mod entry;
pub mod heads;

pub mod backend;
mod log;
mod tables;

pub use log::Pinned;
pub use tables::DiskFault;
