//! What a reader of the code can check, checked: arrows, purity, sizes, the clock ban, dead files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which of our crates each crate may use. A new arrow is a decision and edits this table.
const ARROWS: &[(&str, &[&str])] = &[
    ("mar", &[]),
    ("store", &["mar"]),
    ("print", &["mar"]),
    ("interop", &["mar"]),
    ("sync", &["store"]),
    ("device", &["mar", "store", "sync", "print", "interop"]),
    ("cli", &["device"]),
    ("medround", &["device", "mar", "print"]),
];

/// What `mar` may depend on: time, exact decimals, errors. Purity is held by this list.
const MAR_MAY_USE: &[&str] = &["chrono", "chrono-tz", "rust_decimal", "thiserror"];

const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "crates",
    "installer",
    "resources",
    "src",
    "target",
    "tests",
];

const FILE_LINES_MAX: usize = 800;
const FILE_LINES_P90: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(&path, found);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// Every Rust file of the project with its path from the root and its text.
fn sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    assert!(paths.len() > 50, "the walk finds the sources");
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source is text");
            let name = path
                .strip_prefix(root())
                .expect("below the root")
                .to_string_lossy()
                .replace('\\', "/");
            (name, text)
        })
        .collect()
}

/// The text without comments and without what is in string literals, so that words in prose do
/// not count as code.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut in_string = false;
        let mut previous = ' ';
        let chars: Vec<char> = line.chars().collect();
        for (at, &c) in chars.iter().enumerate() {
            if !in_string && c == '/' && chars.get(at + 1) == Some(&'/') {
                break;
            }
            if c == '"' && previous != '\\' && previous != '\'' {
                in_string = !in_string;
            }
            if !in_string {
                out.push(c);
            }
            previous = if previous == '\\' && c == '\\' { ' ' } else { c };
        }
        out.push('\n');
    }
    out
}

/// The names in a manifest's `[dependencies]`.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).expect("a manifest");
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]" || line.starts_with("[target.");
        } else if let (true, Some((name, _))) = (inside, line.split_once('=')) {
            found.insert(name.trim().split('.').next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[test]
fn every_arrow_between_our_crates_is_in_the_table() {
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in ARROWS {
        let folder = if *name == "medround" { root() } else { root().join("crates").join(name) };
        for dependency in dependencies(&folder.join("Cargo.toml")) {
            let is_ours = ours.contains(dependency.as_str());
            assert!(!is_ours || allowed.contains(&dependency.as_str()), "{name} uses {dependency}");
        }
    }
    let mut folders: Vec<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    for folder in folders {
        assert!(ours.contains(folder.as_str()), "the crate {folder} is not in the table of arrows");
    }
}

#[test]
fn mar_reads_no_clock_file_socket_or_random_number_and_holds_no_float_and_no_serde() {
    for dependency in dependencies(&root().join("crates/mar/Cargo.toml")) {
        assert!(MAR_MAY_USE.contains(&dependency.as_str()), "mar uses {dependency}");
    }
    let banned = [
        "f32",
        "f64",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::io",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "serde",
        "getrandom",
        "rand::",
        "tokio",
    ];
    for (path, text) in sources().iter().filter(|(p, _)| p.starts_with("crates/mar/src/")) {
        let code = code(text);
        for word in banned {
            assert!(!has_word(&code, word), "{path} names {word}");
        }
    }
}

fn has_word(code: &str, word: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !letter(before) && (word.ends_with(':') || !letter(after))
    })
}

/// A word may stand only in files whose path begins with one of these.
fn only_in(word: &str, allowed: &[&str]) {
    for (path, text) in sources() {
        let product = path.contains("/src/") || path.starts_with("src/");
        let may = allowed.iter().any(|a| path.starts_with(a));
        assert!(
            !product || may || !has_word(&code(&text), word),
            "{path} names {word}: {allowed:?} may"
        );
    }
}

#[test]
fn sync_moves_sealed_bytes_and_never_opens_an_entry() {
    for (path, text) in sources().iter().filter(|(p, _)| p.starts_with("crates/sync/src/")) {
        let code = code(text);
        for word in ["mar", "Record", "Fact", "codec"] {
            assert!(!has_word(&code, word), "{path} names {word}");
        }
    }
}

#[test]
fn each_library_that_is_to_be_known_in_one_place_is_known_there_only() {
    only_in("iroh", &["crates/sync/src/endpoint"]);
    only_in("mdns_sd", &["crates/sync/src/lan"]);
    only_in("bincode", &["crates/store/src/codec", "crates/store/src/keys"]);
    only_in("printpdf", &["crates/print/src/"]);
}

#[test]
fn the_clock_is_read_in_one_place() {
    for word in ["SystemTime::now", "Utc::now", "Local::now"] {
        only_in(word, &["crates/device/src/clock.rs"]);
    }
}

#[test]
fn no_table_but_the_log_is_a_source_and_nothing_removes_from_it() {
    // The table is named in one file, so that whoever writes it stands there.
    for (path, text) in sources().iter().filter(|(p, _)| p.contains("/src/")) {
        let names_it = has_word(&code(text), "ENTRIES");
        let may = path == "crates/store/src/tables.rs" || path.starts_with("crates/store/src/log");
        assert!(!names_it || may, "{path} names the table of entries");
    }
    let log: String = sources()
        .iter()
        .filter(|(p, _)| p.starts_with("crates/store/src/log"))
        .map(|(_, text)| code(text))
        .collect();
    assert!(!log.is_empty());
    for call in [
        "entries.remove",
        "entries.retain",
        "entries.drain",
        "entries.pop_first",
        "entries.pop_last",
        "delete_table(ENTRIES",
    ] {
        assert!(!log.contains(call), "the log calls {call}");
    }
}

#[test]
fn nothing_names_an_address_on_the_internet() {
    for (path, text) in sources() {
        // Name spaces of exchange formats are names and are never dialled.
        let formats = [
            "crates/interop/",
            "crates/print/",
            "crates/device/src/command/",
            "crates/cli/tests/",
            "tests/",
        ];
        if formats.iter().any(|f| path.starts_with(f)) {
            continue;
        }
        for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
            assert!(!line.contains("http://") && !line.contains("https://"), "{path}: {line}");
        }
    }
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, String)> =
        sources().into_iter().map(|(path, text)| (text.lines().count(), path)).collect();
    lengths.sort();
    let (longest, path) = lengths.last().unwrap();
    assert!(*longest <= FILE_LINES_MAX, "{path} has {longest} lines");
    let (p90, path) = &lengths[lengths.len() * 9 / 10];
    assert!(*p90 < FILE_LINES_P90, "the 90th percentile is {p90} lines ({path})");
}

#[test]
fn functions_are_short() {
    for (path, text) in sources() {
        let mut open: Vec<(usize, usize)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let start = line.trim_start();
            let is_fn =
                ["fn ", "pub fn ", "async fn ", "pub async fn ", "const fn ", "pub const fn "]
                    .iter()
                    .any(|p| start.starts_with(p))
                    || (start.starts_with("pub(") && start.contains(" fn "));
            if is_fn && !start.ends_with(';') && !start.ends_with('}') {
                open.push((indent, number));
            }
            if start == "}"
                && let Some((at, began)) = open.last().copied()
                && at == indent
            {
                open.pop();
                let lines = number - began + 1;
                // The signature and the braces are not the body.
                assert!(lines <= FUNCTION_LINES_MAX + 10, "{path}:{} has {lines} lines", began + 1);
            }
        }
    }
}

#[test]
fn no_file_is_dead() {
    let files: BTreeMap<String, String> = sources().into_iter().collect();
    for path in files.keys() {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.trim_end_matches(".rs");
        let is_root = matches!(name, "lib.rs" | "main.rs" | "build.rs")
            || folder.ends_with("/tests")
            || folder == "tests"
            || folder.ends_with("/benches")
            || folder.ends_with("/examples");
        if is_root || stem == "mod" {
            continue;
        }
        let parents = [
            format!("{folder}.rs"),
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
            format!("{folder}/mod.rs"),
        ];
        let declared = parents
            .iter()
            .filter_map(|p| files.get(p))
            .any(|text| has_word(&code(text), &format!("mod {stem}")));
        assert!(declared, "no module declares {path}");
    }
}

#[test]
fn no_name_says_nothing() {
    for (path, _) in sources() {
        for word in ["utils", "util", "common", "helper", "helpers", "manager", "misc", "types"] {
            assert!(
                !path.trim_end_matches(".rs").split('/').any(|part| part == word),
                "{path}: {word} says nothing"
            );
        }
    }
}

#[test]
fn every_crate_says_what_it_is_for() {
    for (path, text) in sources() {
        let is_root =
            (path.ends_with("/lib.rs") || path.ends_with("/main.rs") || path == "src/main.rs")
                && path.matches("/src/").count() + usize::from(path.starts_with("src/")) == 1;
        if is_root {
            assert!(text.starts_with("//! "), "{path} has no words on what it is for");
        }
    }
}

#[test]
fn nothing_lies_at_the_top_that_is_not_listed() {
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(
            name.starts_with('.') || TOP_LEVEL.contains(&name.as_str()),
            "{name} lies at the top"
        );
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(root().join(licence).exists(), "{licence} is missing");
    }
}

#[test]
fn no_path_of_a_machine_stands_in_the_project() {
    let here = root().to_string_lossy().into_owned();
    let home = std::env::var("HOME").unwrap_or_default();
    let paths = [here, home].into_iter().filter(|path| path.matches('/').count() > 1);
    for path in paths {
        for (source, text) in sources() {
            assert!(!text.contains(&path), "{source} names {path}");
        }
    }
}
