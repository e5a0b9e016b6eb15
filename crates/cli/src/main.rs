//! The record without a window: the `medroundctl` command.

fn main() {}
