//! The directions reader, on sentences of ours and on published ones.
//!
//! The published ones are not part of the project: `MEDROUND_DATA` names their folder, else it is
//! looked for beside the project. Where it is absent the tests on them are shown as ignored.

mod any;
mod coded;
mod published;
mod sentences;
mod shown;
mod structure;

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Own = fn();
type OnData = fn(&Path) -> Result<(), Failed>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let own = |(name, test): &(&str, Own)| {
        let test = *test;
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    };
    let mut trials: Vec<Trial> = Vec::new();
    for tests in [sentences::TESTS, structure::TESTS, any::TESTS] {
        trials.extend(tests.iter().map(own));
    }
    let named = std::env::var_os("MEDROUND_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = named.unwrap_or(beside);
    let present = folder.join("manifest.csv").is_file();
    trials.extend(published::TESTS.iter().map(|(name, test): &(&str, OnData)| {
        let (test, folder) = (*test, folder.clone());
        let trial = Trial::test(*name, move || test(&folder));
        if present {
            return trial;
        }
        trial.with_kind("no published texts here: set MEDROUND_DATA").with_ignored_flag(true)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}
