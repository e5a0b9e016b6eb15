//! Where a device keeps its things unless somebody says otherwise.

use super::Fault;
use crate::Folders;
use directories::ProjectDirs;
use std::path::{Path, PathBuf};

/// Returns the folders of a device: `data` where it was named, else the platform's own.
///
/// # Errors
/// When the system does not say where the user's folders are.
pub fn folders(data: Option<&Path>) -> Result<Folders, Fault> {
    let own = ProjectDirs::from("", "", "medround").ok_or_else(|| {
        Fault::Wrong(
            "this system does not say where your folders are: set HOME, and name one with --data"
                .to_owned(),
        )
    })?;
    let state = own.state_dir().map_or_else(|| own.data_local_dir().join("state"), Path::to_owned);
    let runtime = own.runtime_dir().map_or_else(|| state.join("run"), Path::to_owned);
    Ok(Folders {
        data: data.map_or_else(|| own.data_dir().to_owned(), Path::to_owned),
        state,
        runtime,
    })
}

/// Returns a folder beside the usual one that is not there yet, for a practice home.
///
/// # Errors
/// As [`folders`].
pub fn fresh_practice_folder() -> Result<PathBuf, Fault> {
    let usual = folders(None)?.data;
    let beside = usual.parent().map_or_else(|| usual.clone(), Path::to_owned);
    let name = |number: u32| match number {
        1 => beside.join("medround-practice"),
        n => beside.join(format!("medround-practice-{n}")),
    };
    let free = (1..10_000).map(name).find(|folder| !folder.exists());
    free.ok_or_else(|| Fault::Wrong("name an empty folder with --data".to_owned()))
}
