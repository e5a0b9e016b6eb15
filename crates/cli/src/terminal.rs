//! The terminal: files and PINs in, lines and files out.

use device::command::import::{BYTES_MAX, ImportFile};
use device::command::{Contents, Fault, Given, Piece, Pin};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

/// No other input is larger.
const INPUT_MAX: u64 = 16 << 20;
/// A PIN file holds six digits and a line break.
const PIN_FILE_MAX: u64 = 256;

/// Where the answer goes.
#[derive(Debug)]
pub(crate) struct Terminal {
    json: bool,
    written: usize,
    not_written: Vec<NotWritten>,
}

/// A file that was asked for and is not there.
#[derive(Debug)]
struct NotWritten {
    path: String,
    why: String,
    /// Something else stands there: the command names the wrong file, and no disk is at fault.
    in_the_way: bool,
}

impl Terminal {
    /// `json` says that the answer is one document.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json, written: 0, not_written: Vec::new() }
    }

    /// Shows one piece. Returns whether anybody still reads.
    pub(crate) fn show(&mut self, piece: Piece) -> bool {
        match piece {
            Piece::Stdout(line) if self.json && !self.not_written.is_empty() => {
                // It would name files that are not there.
                let list: Vec<(&str, &str)> =
                    self.not_written.iter().map(|n| (n.path.as_str(), n.why.as_str())).collect();
                put(&mut io::stdout().lock(), &device::command::not_written(&line, &list))
            }
            Piece::Stdout(line) => put(&mut io::stdout().lock(), &line),
            Piece::Stderr(line) => {
                // A closed standard error is no reason to stop.
                put(&mut io::stderr().lock(), &line);
                true
            }
            Piece::Progress(line) => {
                if io::stderr().is_terminal() {
                    put(&mut io::stderr().lock(), &line);
                }
                true
            }
            Piece::File { path, contents, told } => {
                match write(Path::new(&path), contents.as_bytes()) {
                    Ok(()) => {
                        self.written += 1;
                        told.iter().all(|line| put(&mut io::stdout().lock(), line))
                    }
                    Err((why, in_the_way)) => {
                        put(&mut io::stderr().lock(), &device::command::shown(&why));
                        self.not_written.push(NotWritten { path, why, in_the_way });
                        true
                    }
                }
            }
        }
    }

    /// Says how many of several files are there. Call it once, when all is shown.
    pub(crate) fn tell_how_many(&self) {
        let all = self.written + self.not_written.len();
        if all > 1 && !self.not_written.is_empty() {
            let words = format!(
                "{} of {all} files were written. Print the others again when that is put right",
                self.written
            );
            put(&mut io::stderr().lock(), &words);
        }
    }

    /// Returns the exit code: a file that could not be written is told by it too.
    pub(crate) fn exit_code(&self, code: u8) -> u8 {
        let disk = self.not_written.iter().any(|not| !not.in_the_way);
        match (code, self.not_written.is_empty()) {
            (0, false) if disk => 5,
            (0, false) => 2,
            (code, _) => code,
        }
    }
}

/// Writes a file, or says why it was not written and whether something else stands there.
fn write(path: &Path, bytes: &[u8]) -> Result<(), (String, bool)> {
    if let Some(words) = in_the_way(path) {
        return Err((words, true));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        let words = format!(
            "{} was not written: there is no folder {}. Make it, or give --out another name",
            path.display(),
            folder.display()
        );
        return Err((words, false));
    }
    let told = |fault| (format!("{} was not written: {fault}", path.display()), false);
    write_file(path, bytes).map_err(told)
}

fn put(to: &mut impl Write, line: &str) -> bool {
    to.write_all(line.as_bytes())
        .and_then(|()| to.write_all(b"\n"))
        .and_then(|()| to.flush())
        .is_ok()
}

/// Says why a file that stands there already is not replaced; `None` where nothing is lost: there is
/// none, or it is a page that this program printed.
fn in_the_way(path: &Path) -> Option<String> {
    let found = std::fs::metadata(path).ok()?;
    let is_ours = found.is_file()
        && std::fs::read(path).is_ok_and(|bytes| {
            bytes.starts_with(b"%PDF-") && bytes.windows(OWN_MARK.len()).any(|at| at == OWN_MARK)
        });
    (!is_ours).then(|| {
        format!(
            "{} is there already, and it is not a page that Medround printed. It was left as it \
             is: give --out another name",
            path.display()
        )
    })
}

/// Stands in every PDF that this program writes: that its producer is Medround, as PDF spells it.
const OWN_MARK: &[u8] = b"/Producer<FEFF004D006500640072006F0075006E0064>";

/// Writes a file beside its name first, so that the name never holds half of it.
fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // The name is this process's own, and what stands there already is never opened.
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let mut file = File::create_new(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written
        .and_then(|()| std::fs::rename(&beside, path))
        .inspect_err(|_| {
            // What was half written is of no use to anybody.
            drop(std::fs::remove_file(&beside));
        })
        .and_then(|()| sync_folder(folder_of(path)))
}

/// The folder in which a file stands.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a new name in a folder safe. Only some systems can; others do it by themselves.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Given, Fault> {
    let standard_input = path == Path::new("-");
    let name =
        if standard_input { "standard input".to_owned() } else { path.display().to_string() };
    let read = if standard_input {
        read_at_most(&mut io::stdin().lock(), INPUT_MAX)
    } else {
        File::open(path).and_then(|mut file| read_at_most(&mut file, INPUT_MAX))
    };
    let bytes = read.map_err(|fault| unreadable(&name, &fault))?;
    if bytes.len() as u64 > INPUT_MAX {
        let what = format!("is larger than {INPUT_MAX} bytes");
        return Err(Fault::Unreadable { file: name, what });
    }
    Ok(Given { name, contents: Contents::of(bytes) })
}

fn read_at_most(from: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &str, fault: &io::Error) -> Fault {
    Fault::Unreadable { file: name.to_owned(), what: format!("could not be read: {fault}") }
}

/// Reads the files of an import; folders give their .json and .xml files. A file that cannot be
/// read stops no other.
pub(crate) fn import_files(paths: &[PathBuf]) -> Vec<ImportFile> {
    let files = |path: &PathBuf| match inside(path) {
        // Nothing at all would read as if all had been taken.
        files if files.is_empty() => vec![ImportFile {
            path: path.display().to_string(),
            contents: None,
            fault: "this folder holds no .json or .xml file".to_owned(),
        }],
        files => files.iter().map(|path| import_file(path)).collect(),
    };
    paths.iter().flat_map(files).collect()
}

fn inside(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let is_record = |path: &PathBuf| {
        let extension = path.extension().and_then(|e| e.to_str());
        extension.is_some_and(|e| e.eq_ignore_ascii_case("json") || e.eq_ignore_ascii_case("xml"))
            && path.is_file()
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|e| e.path()).filter(is_record).collect();
    files.sort();
    files
}

fn import_file(path: &Path) -> ImportFile {
    let name = path.display().to_string();
    let most = BYTES_MAX as u64;
    match File::open(path).and_then(|mut file| read_at_most(&mut file, most)) {
        Ok(bytes) => {
            ImportFile { path: name, contents: Some(Contents::of(bytes)), fault: String::new() }
        }
        Err(fault) => {
            let fault = format!("could not be read: {fault}");
            ImportFile { path: name, contents: None, fault }
        }
    }
}

/// Returns a person's PIN from its file or from a prompt; `None` where there is nobody to ask.
pub(crate) fn pin(file: Option<&Path>, whose: &str) -> Result<Option<Pin>, Fault> {
    if let Some(file) = file {
        return pin_file(file).map(Some);
    }
    if io::stdin().is_terminal() {
        return prompt(&format!("PIN of {whose}: ")).map(Some);
    }
    Ok(None)
}

/// Returns a new PIN from its file or typed twice.
pub(crate) fn new_pin(file: Option<&Path>, whose: &str) -> Result<Pin, Fault> {
    if let Some(file) = file {
        return pin_file(file);
    }
    if !io::stdin().is_terminal() {
        return Err(Fault::Wrong(
            "a PIN of six digits is needed: name a file that holds it (--pin-file, or \
             --new-pin-file for somebody else's)"
                .to_owned(),
        ));
    }
    let first = prompt(&format!("New PIN for {whose}, six digits: "))?;
    let second = prompt("The same again: ")?;
    if first.digits() == second.digits() {
        Ok(first)
    } else {
        Err(Fault::Pin("the two PINs differ: try again".to_owned()))
    }
}

fn pin_file(path: &Path) -> Result<Pin, Fault> {
    let name = path.display().to_string();
    let bytes = File::open(path)
        .and_then(|mut file| read_at_most(&mut file, PIN_FILE_MAX))
        .map_err(|fault| unreadable(&name, &fault))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Pin::new(text)),
        Err(_) => Err(Fault::Unreadable { file: name, what: "a PIN was expected".to_owned() }),
    }
}

fn prompt(words: &str) -> Result<Pin, Fault> {
    rpassword::prompt_password(words)
        .map(|text| Pin::new(&text))
        .map_err(|fault| unreadable("the PIN", &fault))
}
