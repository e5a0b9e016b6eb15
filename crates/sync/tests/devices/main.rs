//! The devices of a home, and what reaches them over its network.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]
#![allow(clippy::wildcard_enum_match_arm, reason = "tests look for one thing among many")]

mod convergence;
mod frames;
mod hostile;
mod loopback;
mod pairing;
mod shelf;
mod shell;
