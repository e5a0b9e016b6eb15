//! Devices of one home, with real folders and real connections on loopback.

#![allow(clippy::unwrap_used, reason = "a test says by a panic that something is wrong")]

mod beginnings;
mod home;
mod together;
