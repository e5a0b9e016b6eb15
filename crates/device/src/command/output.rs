//! What a command shows, and what it was given, as pieces that can cross a socket.

use super::Fault;
use mar::time::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
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
}

impl<'s> Output<'s> {
    /// Makes an output. `sink` takes each piece at once and returns whether anybody still listens.
    pub fn new(json: bool, sink: &'s mut dyn FnMut(Piece) -> bool) -> Self {
        Self { json, sink, heard: true }
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
        for line in super::page::fold(&text.into()) {
            self.send(Piece::Stdout(line));
        }
    }

    /// Shows words on standard error, wrapped in the same way.
    pub fn aside(&mut self, text: impl Into<String>) {
        for line in super::page::fold(&text.into()) {
            self.send(Piece::Stderr(line));
        }
    }

    /// Shows how far long work has come, where somebody is watching.
    pub fn progress(&mut self, text: impl Into<String>) {
        self.send(Piece::Progress(text.into()));
    }

    /// Has the caller write a file.
    pub fn file(&mut self, path: &str, bytes: Vec<u8>) {
        self.send(Piece::File { path: path.to_owned(), contents: Contents::of(bytes) });
    }

    /// Shows the one JSON document of an answer.
    pub fn document(&mut self, value: &Value) {
        self.send(Piece::Stdout(format!("{value:#}")));
    }

    /// Shows one JSON line of an answer that goes on.
    pub fn json_line(&mut self, value: &Value) {
        self.send(Piece::Stdout(value.to_string()));
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
