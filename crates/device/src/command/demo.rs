//! `demo`: a practice home in a fresh folder, with one day on two devices.

use super::{Fault, Output};
use crate::Clock;
use std::path::PathBuf;

/// What practice home to make.
#[derive(Debug, Clone)]
pub struct DemoRequest {
    /// The folder; `None` is a fresh one beside the usual data folder.
    pub folder: Option<PathBuf>,
    /// Days of history.
    pub days: u16,
}

/// Makes the practice home. Returns the exit code.
pub fn run(request: &DemoRequest, clock: &Clock, out: &mut Output<'_>) -> u8 {
    let _ = (request, clock);
    super::session::tell(&Fault::Unexpected("not there".to_owned()), out)
}
