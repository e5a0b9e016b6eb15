//! Devices of one home, with real folders and real connections on loopback.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]
#![allow(clippy::wildcard_enum_match_arm, reason = "tests look for one thing among many")]

mod beginnings;
mod beside;
mod clocks;
mod folders;
mod home;
mod hostile;
mod together;
mod unheard;
