//! What a command shows, and what it was given, as pieces that can cross a socket.
//!
//! [`Output`] is the one place through which words reach a terminal. Other devices and other
//! people's files may have brought characters that steer a screen: they are made visible here.

use super::Fault;
use mar::text::{Unfit, replaced, shown};
use mar::time::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;
use zeroize::Zeroize;

/// One piece of a command's answer, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// A line for standard output, without its line break.
    Stdout(String),
    /// A line for standard error, without its line break.
    Stderr(String),
    /// How far long work has come: for standard error where that is a terminal.
    Progress(String),
    /// A file that the caller writes.
    File {
        /// Its path as the caller gave it.
        path: String,
        /// What stands in it.
        contents: Contents,
        /// Lines for standard output once it is written.
        told: Vec<String>,
    },
}

/// The contents of a file: text where it is text, so that it crosses the socket as it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Contents {
    /// UTF-8 text.
    Text(String),
    /// Any other bytes.
    Bytes(Vec<u8>),
}

impl Contents {
    /// Takes bytes.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(other) => Self::Bytes(other.into_bytes()),
        }
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes.as_slice(),
        }
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.as_bytes().len())
    }
}

/// A file or standard input as the caller read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Given {
    /// Its name in messages: the path, or `standard input`.
    pub name: String,
    /// What stands in it.
    pub contents: Contents,
}

/// A PIN on its way to being checked. It is wiped when it is no longer needed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(String);

impl Pin {
    /// Takes what was typed or stood in a file, without the line break.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Returns the digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Where a command's answer goes.
pub struct Output<'s> {
    json: bool,
    sink: &'s mut dyn FnMut(Piece) -> bool,
    heard: bool,
    /// What a JSON document says of a clock that is in doubt.
    clock: Option<Value>,
    /// Whether something that belongs in the answer cannot be read here; `None` for an answer that
    /// does not depend on it.
    needs_update: Option<bool>,
}

impl<'s> Output<'s> {
    /// Makes an output. `sink` takes each piece at once and returns whether anybody still listens.
    pub fn new(json: bool, sink: &'s mut dyn FnMut(Piece) -> bool) -> Self {
        Self { json, sink, heard: true, clock: None, needs_update: None }
    }

    /// Whether JSON is wanted.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether anybody still listens.
    #[must_use]
    pub const fn is_heard(&self) -> bool {
        self.heard
    }

    /// Passes on a piece of another process's answer. Returns whether anybody still listens.
    pub fn pass(&mut self, piece: Piece) -> bool {
        self.send(piece);
        self.heard
    }

    fn send(&mut self, piece: Piece) {
        self.heard = self.heard && (self.sink)(piece);
    }

    /// Shows words for a person on standard output, wrapped to the width of a terminal.
    pub fn line(&mut self, text: impl Into<String>) {
        for line in super::page::fold(&shown(&text.into())) {
            self.send(Piece::Stdout(line));
        }
    }

    /// Shows words on standard error, wrapped in the same way.
    pub fn aside(&mut self, text: impl Into<String>) {
        for line in super::page::fold(&shown(&text.into())) {
            self.send(Piece::Stderr(line));
        }
    }

    /// Shows how far long work has come, where somebody is watching.
    pub fn progress(&mut self, text: impl Into<String>) {
        self.send(Piece::Progress(shown(&text.into()).into_owned()));
    }

    /// Has the caller write a file, and show a person these words once it is written.
    pub fn file(&mut self, path: &str, bytes: Vec<u8>, told: Option<String>) {
        let told = told.filter(|_| !self.json);
        let told = told.map_or_else(Vec::new, |words| super::page::fold(&shown(&words)));
        let contents = Contents::of(bytes);
        self.send(Piece::File { path: path.to_owned(), contents, told });
    }

    /// Says before anything else that the clock is in doubt: as the first line, or in the field
    /// `clock` of every document, and of every element where that is a list.
    pub fn doubt(&mut self, words: &str, clock: Value) {
        if self.json {
            self.aside(words);
            self.clock = Some(clock);
        } else {
            self.line(words);
        }
    }

    /// Says before anything else what cannot be read here: as the first lines, or in the field
    /// `needs_update` of the document. A list keeps its shape: there it stands on standard error.
    pub fn needs_update(&mut self, lines: Vec<String>) {
        self.needs_update = Some(!lines.is_empty());
        for line in lines {
            if self.json { self.aside(line) } else { self.line(line) }
        }
    }

    /// Shows the one JSON document of an answer.
    pub fn document(&mut self, value: &Value) {
        let mut value = value.clone();
        if let (Value::Object(fields), Some(unread)) = (&mut value, self.needs_update) {
            let before = fields.get("needs_update").and_then(Value::as_bool).unwrap_or_default();
            fields.insert("needs_update".to_owned(), json!(unread || before));
        }
        if let Some(clock) = &self.clock {
            let put = |fields: &mut Map<String, Value>| {
                fields.insert("clock".to_owned(), clock.clone());
            };
            match &mut value {
                Value::Object(fields) => put(fields),
                Value::Array(list) => {
                    list.iter_mut().filter_map(Value::as_object_mut).for_each(put)
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        self.send(Piece::Stdout(escaped(&format!("{value:#}"))));
    }

    /// Shows one JSON line of an answer that goes on.
    pub fn json_line(&mut self, value: &Value) {
        self.send(Piece::Stdout(escaped(&value.to_string())));
    }

    /// Shows why a command was not carried out: the words on standard error, and a refusal with
    /// `--json` as a document with the rule's number.
    pub fn fault(&mut self, fault: &Fault, zone: Tz) {
        match fault.refusal(zone) {
            Some(refusal) if self.json => self.document(&json!({ "refused": refusal.to_json() })),
            Some(refusal) => {
                self.aside(format!("refused ({}): {}", refusal.rule, refusal.message));
            }
            None => self.aside(fault.to_string()),
        }
    }
}

/// Returns a document that names files with those taken out of `files` that were not written, and
/// named with the reason under `not_written`. `not` holds their paths and why. What is no such
/// document comes back empty: it would name what is not there.
#[must_use]
pub fn not_written(document: &str, not: &[(&str, &str)]) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(document) else {
        return String::new();
    };
    if let Some(files) = fields.get_mut("files").and_then(Value::as_array_mut) {
        files.retain(|file| !not.iter().any(|(path, _)| file["path"] == *path));
    }
    let list = not.iter().map(|(path, why)| json!({ "path": path, "why": why }));
    fields.insert("not_written".to_owned(), list.collect());
    escaped(&format!("{:#}", Value::Object(fields)))
}

/// Returns JSON in which every character that would steer a screen is escaped: it reads back as
/// the same value. What is below a space is escaped already, but for the breaks between the lines.
fn escaped(json: &str) -> String {
    let escape = |character: char, kind: Unfit, out: &mut String| match (kind, character) {
        (Unfit::LineBreak, '\n') => out.push('\n'),
        _ => {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    };
    replaced(json, escape).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the pieces of an answer come to on a terminal.
    fn said(json: bool, say: impl FnOnce(&mut Output<'_>)) -> Vec<String> {
        let mut lines = Vec::new();
        let mut sink = |piece| {
            match piece {
                Piece::Stdout(line) | Piece::Stderr(line) | Piece::Progress(line) => {
                    lines.push(line);
                }
                Piece::File { path, .. } => lines.push(path),
            }
            true
        };
        say(&mut Output::new(json, &mut sink));
        lines
    }

    /// A name that another device let in would forge a line, clear the screen or turn a dose
    /// round. Cause: words went to the terminal as they were. Fix: all go through `Output`.
    #[test]
    fn a_name_from_elsewhere_forges_no_line_and_steers_no_screen() {
        let name = "Shaw\nALERT: all is well\r\u{1b}[2J\u{9b}1;31m\u{202e}gm 01\u{2028}x\u{0}";
        let lines = said(false, |out| {
            out.line(format!("  {name}"));
            out.aside(name);
            out.progress(name);
            out.fault(&Fault::Missing(name.to_owned()), mar::time::Tz::UTC);
        });
        assert_eq!(lines.len(), 4, "{lines:?}");
        for line in &lines {
            assert_eq!(mar::text::flaw(line), None, "{line:?}");
            assert!(line.contains("Shaw ALERT: all is well[U+001B][2J[U+009B]"), "{line:?}");
            assert!(line.contains("[U+202E]gm 01"), "{line:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named_with_the_reason_and_the_others_as_they_are() {
        let both = json!({ "files": [{ "path": "a.pdf", "sheet": "1" }, { "path": "b\u{1b}.pdf" }],
            "not_written": [], "clock": null });
        let told = not_written(&both.to_string(), &[("b\u{1b}.pdf", "b\u{1b}.pdf: disk full")]);
        assert!(!told.contains('\u{1b}'), "{told}");
        let read: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(read["files"], json!([{ "path": "a.pdf", "sheet": "1" }]));
        assert_eq!(read["not_written"][0]["why"], json!("b\u{1b}.pdf: disk full"));
        assert_eq!(read["clock"], json!(null));
        assert_eq!(not_written("no document", &[]), "");
    }

    #[test]
    fn json_steers_no_screen_either_and_reads_back_as_it_was() {
        let value = json!({ "name": "Sh\n\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{e0001}aw محمد" });
        let lines = said(true, |out| {
            out.document(&value);
            out.json_line(&value);
        });
        assert_eq!(lines.len(), 2);
        for line in &lines {
            let plain = line.replace('\n', "");
            assert_eq!(mar::text::flaw(&plain), None, "{line:?}");
            assert!(line.contains("محمد"), "{line}");
            let read: Value = serde_json::from_str(line).unwrap();
            assert_eq!(read, value);
        }
    }
}
