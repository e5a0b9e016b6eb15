//! The record without a window: the `medroundctl` command.
//!
//! [`args`] is what can be typed, [`ask`] turns it into a request of `device::command`, and
//! [`terminal`] reads files and PINs and writes what comes back. Nothing is decided here.

mod args;
mod ask;
mod terminal;

use args::{Args, Command};
use clap::Parser;
use device::command::{self, Fault, Output, Piece};
use device::socket::{Reached, reach};
use device::{Clock, Folders, Running};
use std::process::ExitCode;
use terminal::Terminal;

fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MEDROUND_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error")),
        )
        .init();
    device::panics::install();
    let ended = std::panic::catch_unwind(|| {
        let mut terminal = Terminal::new(args.everywhere.json);
        let code = run(args, &mut terminal);
        terminal.tell_how_many();
        terminal.exit_code(code)
    });
    // What was said of a panic has gone to standard error.
    ExitCode::from(ended.unwrap_or(1))
}

fn run(args: Args, terminal: &mut Terminal) -> u8 {
    let json = args.everywhere.json;
    let mut sink = |piece: Piece| terminal.show(piece);
    let mut out = Output::new(json, &mut sink);
    match start(args, &mut out) {
        Ok(code) => code,
        Err(fault) => command::tell(&fault, &mut out),
    }
}

fn start(args: Args, out: &mut Output<'_>) -> Result<u8, Fault> {
    let folders = command::folders::folders(args.everywhere.data.as_deref())?;
    let clock = Clock::system();
    match args.command {
        Command::Setup(setup) => {
            let request = ask::setup(&setup, &args.everywhere)?;
            Ok(command::setup::run(&folders, &request, clock, out))
        }
        Command::Demo(demo) => {
            let request = ask::demo(&demo, &args.everywhere)?;
            Ok(command::demo::run(&request, &clock, out))
        }
        Command::Join(join) => Ok(command::join::run(&folders, &ask::join(&join), clock, out)),
        Command::Serve(serve) => {
            let stop = command::serve::asked_to_stop()
                .map_err(|fault| Fault::Unexpected(fault.to_string()))?;
            Ok(command::serve::run(&folders, &ask::serve(&serve), clock, &stop, out))
        }
        Command::Directions(directions) => {
            let request = ask::directions(&directions)?;
            if !folders.data.exists() {
                return Ok(command::directions::run_without_home(&request, clock.now(), out));
            }
            let ask = command::Ask::Directions(request);
            carry_out(&folders, &clock, ask::request(ask, &args.everywhere)?, out)
        }
        Command::OnDevice(command) => {
            let request = ask::of(command, &args.everywhere)?;
            carry_out(&folders, &clock, request, out)
        }
    }
}

/// Carries a request out here, or has the process do it that holds the folder.
fn carry_out(
    folders: &Folders,
    clock: &Clock,
    request: command::Request,
    out: &mut Output<'_>,
) -> Result<u8, Fault> {
    match reach(folders, clock)? {
        Reached::Here(device) => {
            let running = Running { device: device.clone(), network: None };
            let code = command::run(&running, request, out);
            drop(running);
            device.close();
            Ok(code)
        }
        Reached::There(caller) => {
            let code = caller.call(&request, &mut |piece| out.pass(piece));
            match code {
                Ok(code) => Ok(code),
                // Whoever read our output has gone away: there is nobody to tell.
                Err(_) if !out.is_heard() => Ok(0),
                Err(fault) => Err(Fault::Unexpected(fault.to_string())),
            }
        }
    }
}
