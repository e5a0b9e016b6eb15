//! The only disk: the log of entries, its views, and what belongs to this device alone.
//!
//! # What is promised
//!
//! - An answer from [`Record::submit`](record::Record::submit) or
//!   [`Record::admit`](record::Record::admit) comes after the fsync that makes the entries safe. A
//!   kill or a power cut at any moment afterwards loses none of them (`tests/crash.rs`).
//! - A batch is on the disk whole or not at all.
//! - A disk that fails once costs nothing: the store is opened again, looked into, and written once
//!   more. One that goes on failing makes the record read-only and every answer NOT SAVED; the
//!   charts stay to be looked at and printed.
//! - No entry is changed or removed by anything here. What changed on the disk is found when it is
//!   read, named, and not shown (`tests/tamper.rs`).
//! - Everything but the log can be deleted and is made again with the same content. Any order of
//!   the same entries shows the same home (`tests/fold.rs`).
//! - Bytes that were written once can be read for ever (`tests/golden.rs`).
//!
//! # Reading order
//!
//! [`entry`] has the frozen envelope and [`heads`] what a device holds in a few bytes; [`clock`]
//! orders entries. [`codec`] has the payloads. [`backend`] is where bytes go and tests make the
//! disk fail; `tables` spells out every key and value; `log` appends and reads back. `fold` judges
//! entries and keeps the picture, `views` its rows. [`record`] puts all of it behind two doors and
//! one writer, and [`verify`] looks at everything. [`keys`], [`secrets`], [`pins`] and [`local`]
//! hold what is this device's, the home's and its people's.

// In reading order.
pub mod clock;
pub mod entry;
pub mod heads;

pub mod codec;

pub mod backend;
mod tables;

mod log;

mod fold;
mod views;

pub mod record;
pub mod verify;

pub mod keys;
pub mod local;
pub mod pins;
pub mod secrets;

pub use fold::Changes;
pub use log::Pinned;
pub use tables::{DiskFault, is_guarded};
