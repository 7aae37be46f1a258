//! Errors of an official file: as a whole ([`ParseError`]) or in one entry
//! ([`ParseIssue`]).

use std::fmt;

use vulnlens_files::{Classified, ErrorKind};

/// A file that yields nothing: it cannot be read, is cut off, or is something else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The reader failed.
    #[error("{file}: cannot be read: {source}")]
    Read {
        /// The caller's name for the file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not well-formed XML.
    #[error("{file}: malformed XML at byte {byte}: {detail}; download the file again")]
    Xml {
        /// The caller's name for the file.
        file: String,
        /// Where the trouble begins.
        byte: u64,
        /// What is wrong.
        detail: String,
    },
    /// The file declares a document type, which may define entities that expand without end.
    #[error(
        "{file}: document type declaration (DOCTYPE) at byte {byte}: refused, because it can define entities \
         that expand without end, and CWE's own files have none; download the catalogue from https://cwe.mitre.org"
    )]
    Doctype {
        /// The caller's name for the file.
        file: String,
        /// Where it stands.
        byte: u64,
    },
    /// The XML is well-formed as far as it goes, but is no complete CWE catalogue.
    #[error("{file}: not a CWE catalogue: {detail}")]
    NotCwe {
        /// The caller's name for the file.
        file: String,
        /// What was found, or missed.
        detail: String,
    },
    /// The file is not well-formed JSON.
    #[error("{file}: malformed JSON at line {line}, column {column}: {detail}; download the file again")]
    Json {
        /// The caller's name for the file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        detail: String,
    },
    /// The JSON is well-formed, but not the bundle that was asked for.
    #[error("{file}: not {expected}: {detail}")]
    NotBundle {
        /// The caller's name for the file.
        file: String,
        /// What the file should have been.
        expected: &'static str,
        /// What was found, or missed.
        detail: &'static str,
    },
}

impl Classified for ParseError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}

/// The place of an entry in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// The byte at which the element's start tag ends (XML).
    Byte(u64),
    /// The index in the bundle's `objects`, from 0 (STIX).
    Object(usize),
}

/// One entry, or one field of it, that was left out of a catalogue while the rest was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIssue {
    /// The place of the entry.
    pub position: Position,
    /// The entry's id as the file writes it, where it could be read.
    pub id: Option<String>,
    /// The element, attribute or key in question.
    pub field: &'static str,
    /// The problem, and the way it was handled.
    pub problem: String,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(byte) => write!(f, "byte {byte}"),
            Self::Object(index) => write!(f, "objects[{index}]"),
        }
    }
}

impl fmt::Display for ParseIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.position)?;
        if let Some(id) = &self.id {
            write!(f, " ({id})")?;
        }
        write!(f, ", {}: {}", self.field, self.problem)
    }
}

/// `text` short enough for a message, whatever an outside file put there.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}
