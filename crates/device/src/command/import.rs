//! `import`: other people's files become proposals that one person confirms and a second checks.
//!
//! Each file is one transaction. Importing again changes nothing: residents, allergies and orders
//! are found again by the sender's identifiers, and nothing is raised from the dead.

mod fit;
mod person;
mod plan;

use super::session::Session;
use super::{Contents, Fault, Output};
use interop::fhir::Import;
use mar::ids::ResidentId;
use mar::refusal::Refusal;
use mar::resident::ExternalId;
use plan::Plan;
pub(super) use plan::UNNAMED;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A caller reads no more than this of one file; larger ones are refused by size.
pub const BYTES_MAX: usize = interop::fhir::BYTES_MAX + 1;

/// Told of a file that was read and has nothing for this home in it.
const NOBODY: &str = "the file holds no record of a resident: look whether it is the right file";

/// The name space of the files that proposals came from.
const IMPORT_FILE: &str = "medround-import-file";

/// What to import.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportRequest {
    /// The files, in order.
    pub files: Vec<ImportFile>,
    /// Say what would be taken, and write nothing.
    pub dry_run: bool,
}

/// One file as the caller found it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportFile {
    /// Its path as it was given.
    pub path: String,
    /// What stands in it; `None` when it could not be read.
    pub contents: Option<Contents>,
    /// Why it could not be read; empty when it could.
    pub fault: String,
}

/// What became of one file.
struct Report {
    path: String,
    outcome: Result<Taken, String>,
}

/// What was taken of one file.
struct Taken {
    residents: usize,
    /// People of whom nothing was taken; each stands among what was skipped, with the reason.
    left_out: usize,
    allergies: usize,
    orders: usize,
    written: usize,
    who: Vec<(ResidentId, String)>,
    skipped: Vec<interop::fhir::Skipped>,
    warnings: Vec<String>,
}

/// Imports the files.
///
/// # Errors
/// When nobody who may acts, when the disk does not take a file, or, after all others were taken,
/// when a file could not be read.
pub fn run(
    session: &mut Session<'_>,
    request: &ImportRequest,
    out: &mut Output<'_>,
) -> Result<(), Fault> {
    if !request.dry_run {
        session.person()?;
    }
    let mut reports = Vec::new();
    for (at, file) in request.files.iter().enumerate() {
        let which = if request.files.len() > 1 {
            format!("{} of {}: {}", at + 1, request.files.len(), file.path)
        } else {
            file.path.clone()
        };
        let mut tell = |what: &str| out.progress(format!("{which}: {what}"));
        let outcome = take(session, file, request.dry_run, &mut tell)?;
        reports.push(Report { path: file.path.clone(), outcome });
    }
    let bad: Vec<String> =
        reports.iter().filter(|r| r.outcome.is_err()).map(|r| r.path.clone()).collect();
    if out.is_json() {
        let files: Vec<Value> = reports.iter().map(to_json).collect();
        let left_out = left_out(&reports);
        out.document(&json!({
            "files": files, "dry_run": request.dry_run, "people_not_taken": left_out,
        }));
    } else {
        tell(&reports, request.dry_run, out);
    }
    let which = match bad.as_slice() {
        [] => return Ok(()),
        few @ ([_] | [_, _] | [_, _, _]) => mar::words::list(few),
        many => format!("{} files", many.len()),
    };
    let rest = match (reports.len() - bad.len(), request.dry_run) {
        (0, _) => "nothing was taken",
        (_, true) => "the other files can be taken",
        (_, false) => "the other files were taken",
    };
    Err(Fault::SomeUnreadable(format!("{which} could not be read: {rest}")))
}

/// Takes one file, whole or not at all. The inner error is the file's own.
fn take(
    session: &mut Session<'_>,
    file: &ImportFile,
    dry_run: bool,
    tell: &mut dyn FnMut(&str),
) -> Result<Result<Taken, String>, Fault> {
    let Some(contents) = &file.contents else {
        return Ok(Err(format!("{}: {}", file.path, file.fault)));
    };
    tell("reading");
    let import = match interop::fhir::read(&file.path, contents.as_bytes(), session.today()) {
        Ok(import) => import,
        Err(refused) => return Ok(Err(refused.to_string())),
    };
    let plan = Plan::of(session, &import, file_id(contents.as_bytes()), tell);
    let (asks, mut taken) = plan.into_parts();
    taken.collect(&import);
    if dry_run {
        taken.written = asks.len();
        return Ok(Ok(taken));
    }
    if !asks.is_empty() {
        tell(&format!("saving {}, all or none", super::page::count(asks.len(), "change")));
    }
    match session.submit_all(asks) {
        Ok(saved) => {
            taken.written = saved.iter().map(|s| s.entries.len()).sum();
            Ok(Ok(taken))
        }
        Err(fault @ Fault::Refused(Refusal::Who(_))) => Err(fault),
        Err(Fault::Refused(refusal)) => {
            Ok(Err(format!("{}: {}", file.path, refusal.words(session.zone()))))
        }
        Err(fault) => Err(fault),
    }
}

/// Names a file by its contents: the very same file is never taken twice.
fn file_id(bytes: &[u8]) -> ExternalId {
    let hash = blake3::hash(bytes).to_hex();
    ExternalId { system: IMPORT_FILE.to_owned(), value: hash.as_str()[..32].to_owned() }
}

impl Taken {
    /// Adds what the reader itself skipped and warned of.
    fn collect(&mut self, import: &Import) {
        self.skipped.extend(import.skipped.iter().cloned());
        if import.residents.is_empty() {
            self.warnings.push(NOBODY.to_owned());
        }
        let warnings = import.warnings.iter().map(|w| format!("{}: {}", w.place, w.text));
        self.warnings.extend(warnings);
    }
}

fn to_json(report: &Report) -> Value {
    let mut shape = json!({ "path": report.path, "format": "fhir" });
    match &report.outcome {
        Ok(taken) => {
            shape["residents"] = json!(taken.residents);
            shape["allergies"] = json!(taken.allergies);
            shape["orders"] = json!(taken.orders);
            shape["written"] = json!(taken.written);
            shape["people_not_taken"] = json!(taken.left_out);
            shape["resident_ids"] =
                json!(taken.who.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>());
            let skipped: Vec<Value> = taken
                .skipped
                .iter()
                .map(|s| json!({ "where": s.place, "what": s.what, "why": s.why }))
                .collect();
            shape["skipped"] = Value::Array(skipped);
            shape["warnings"] = json!(taken.warnings);
        }
        Err(why) => {
            shape["residents"] = json!(0);
            shape["allergies"] = json!(0);
            shape["orders"] = json!(0);
            shape["written"] = json!(0);
            shape["skipped"] = json!([]);
            shape["warnings"] = json!([]);
            shape["error"] = json!(why);
        }
    }
    shape
}

/// How many people were left out of all files together.
fn left_out(reports: &[Report]) -> usize {
    reports.iter().filter_map(|r| r.outcome.as_ref().ok()).map(|taken| taken.left_out).sum()
}

fn tell(reports: &[Report], dry_run: bool, out: &mut Output<'_>) {
    use super::page::count;
    let mut proposals = false;
    for report in reports {
        let taken = match &report.outcome {
            Ok(taken) => taken,
            Err(why) => {
                out.line(format!("NOT TAKEN  {why}"));
                continue;
            }
        };
        let did = match (dry_run, taken.written) {
            (_, 0) if taken.residents == 0 => "nothing was taken",
            (true, _) => "would be taken",
            (false, 0) => "nothing new",
            (false, _) => "taken",
        };
        out.line(format!(
            "{}: {}, {}, {}: {did}",
            report.path,
            count(taken.residents, "resident"),
            if taken.allergies == 1 {
                "1 allergy".to_owned()
            } else {
                format!("{} allergies", taken.allergies)
            },
            count(taken.orders, "medicine"),
        ));
        proposals |= taken.orders > 0 && !dry_run;
        for (id, name) in &taken.who {
            let id = if dry_run { String::new() } else { format!("  {id}") };
            out.line(format!("    {name}{id}"));
        }
        for warning in &taken.warnings {
            out.line(format!("    look: {warning}"));
        }
        for skipped in &taken.skipped {
            out.line(format!(
                "    not taken: {} ({}): {}",
                skipped.what, skipped.place, skipped.why
            ));
        }
    }
    if dry_run && reports.len() > 1 {
        out.line(
            "Nothing was written. Each file was looked at by itself: where two speak of one person \
             or one medicine, the import itself may leave out more.",
        );
    }
    let would = if dry_run { "would not be taken in" } else { "was not taken in" };
    let would_all = if dry_run { "would not be taken in" } else { "were not taken in" };
    match left_out(reports) {
        0 => {}
        1 => out.line(format!("1 PERSON {would}: look at “not taken” above for who and why.")),
        n => {
            out.line(format!("{n} PEOPLE {would_all}: look at “not taken” above for who and why."));
        }
    }
    if proposals {
        out.line("Next, for each order: medroundctl order list");
        out.line("then one person:      medroundctl order confirm ORDER --as INITIALS");
        out.line("then another:         medroundctl order check ORDER --as INITIALS");
    }
}
