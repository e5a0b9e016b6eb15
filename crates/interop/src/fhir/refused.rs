//! Why a whole file was not taken, and where in it the fault stands.

use std::fmt;

/// Where in a file something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A position in the text, both counted from 1; the column counts bytes.
    Text {
        /// The line.
        line: usize,
        /// The byte within the line.
        column: usize,
    },
    /// A path in the record, such as `Bundle.entry[3].resource`; the same for JSON and XML.
    Path(String),
    /// The file as a whole.
    File,
}

impl Place {
    /// Returns the place of the byte at `offset` of `text`.
    pub(crate) fn of_offset(text: &[u8], offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        Self::Text { line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { line, column } => write!(f, "line {line}, column {column}"),
            Self::Path(path) => f.write_str(path),
            Self::File => f.write_str("whole file"),
        }
    }
}

/// A file that was not taken. Nothing of it was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {place}: {why}")]
pub struct Refused {
    /// The file as the caller named it.
    pub file: String,
    /// Where the fault stands.
    pub place: Place,
    /// What is wrong and what was expected.
    pub why: Why,
}

/// What is wrong with a file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is nothing in it.
    #[error("the file is empty; expected a FHIR record in JSON or XML")]
    Empty,
    /// It is larger than any record of a home's residents.
    #[error("the file has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest size that is read.
        limit: usize,
    },
    /// It holds more elements than memory should be given to.
    #[error("the file holds more than {limit} elements")]
    TooMany {
        /// The most elements that are read.
        limit: usize,
    },
    /// Its elements are nested deeper than any record's.
    #[error("elements are nested more than {limit} deep")]
    TooDeep {
        /// The deepest nesting that is read.
        limit: usize,
    },
    /// It is not UTF-8.
    #[error("this is not UTF-8 text; save the file as UTF-8")]
    NotUtf8,
    /// It begins like neither JSON nor XML.
    #[error("expected a FHIR record in JSON or XML, found `{found}`")]
    NeitherJsonNorXml {
        /// The first characters of the file.
        found: String,
    },
    /// It is not well-formed.
    #[error("this {syntax} cannot be read: {what}")]
    Malformed {
        /// The syntax it was read as.
        syntax: &'static str,
        /// The parser's words.
        what: String,
    },
    /// It is JSON or XML, but no FHIR resource that is known here.
    #[error("expected {expected}, found {found}")]
    NotFhir {
        /// What would have been read.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// It is FHIR R5.
    #[error("FHIR R5 is not supported: `{element}` is written as in R5; FHIR STU3 and R4 are read")]
    ReleaseFive {
        /// The element whose shape only R5 has.
        element: String,
    },
    /// The sender answered with an error.
    #[error("the sender sent an error instead of a record: {said}")]
    SenderFailed {
        /// What the sender said.
        said: String,
    },
}
