//! The practice home on paper: everybody's MAR and the list of the next round.

use super::say;
use crate::command::page::count;
use crate::command::print::{PrintRequest, Sheet, Whose};
use crate::command::{Ask, Contents, Fault, Output, Piece, Request, Who};
use crate::{Device, Running};
use std::path::Path;

/// Prints, and returns the names of the files.
pub(super) fn print(
    device: &Device,
    folder: &Path,
    out: &mut Output<'_>,
) -> Result<Vec<String>, Fault> {
    let paper = folder.join("paper");
    std::fs::create_dir_all(&paper).map_err(|fault| {
        Fault::Unexpected(format!("{} could not be made: {fault}", paper.display()))
    })?;
    let name = |file: &str| paper.join(file).display().to_string();
    let mut files = Vec::new();
    for (what, file) in
        [(Sheet::Mar, name("mar.pdf")), (Sheet::Round { round: None }, name("round.pdf"))]
    {
        let request = PrintRequest { what, whose: Whose::All, from: None, out: file };
        files.extend(sheets(device, request)?);
    }
    let names: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
    for (path, contents) in files {
        out.file(&path, contents.as_bytes().to_vec(), None);
    }
    say(out, format!("  {} printed.", count(names.len(), "sheet file")));
    Ok(names)
}

fn sheets(device: &Device, request: PrintRequest) -> Result<Vec<(String, Contents)>, Fault> {
    let mut files = Vec::new();
    let mut words = Vec::new();
    let mut sink = |piece: Piece| {
        match piece {
            Piece::File { path, contents, .. } => files.push((path, contents)),
            Piece::Stderr(line) => words.push(line),
            Piece::Stdout(_) | Piece::Progress(_) => {}
        }
        true
    };
    let running = Running { device: device.clone(), network: None };
    let request = Request { json: false, who: Who::default(), ask: Ask::Print(request) };
    let code = crate::command::run(&running, request, &mut Output::new(false, &mut sink));
    if code == 0 { Ok(files) } else { Err(Fault::Unexpected(words.join(" "))) }
}
