//! The devices of a home, and what reaches them over its network.

mod convergence;
mod frames;
mod hostile;
mod loopback;
mod pairing;
mod shelf;
mod shell;
