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
         that expand without end, and MITRE's own files have none; download the file again from its site"
    )]
    Doctype {
        /// The caller's name for the file.
        file: String,
        /// Where it stands.
        byte: u64,
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
    /// The file is not well-formed YAML.
    #[error("{file}: malformed YAML at line {line}, column {column}: {detail}; download the file again")]
    Yaml {
        /// The caller's name for the file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        detail: String,
    },
    /// The file is not well-formed Turtle.
    #[error("{file}: malformed Turtle at line {line}, column {column}: {detail}; download the file again")]
    Turtle {
        /// The caller's name for the file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: u64,
        /// What is wrong.
        detail: String,
    },
    /// The file is readable as far as it goes, but not the catalogue that was asked for, or not all of it.
    #[error("{file}: not {expected}: {detail}")]
    NotCatalogue {
        /// The caller's name for the file.
        file: String,
        /// The catalogue that the file should be.
        expected: &'static str,
        /// The contents that were found, or missed.
        detail: String,
    },
}

impl ParseError {
    pub(crate) fn not_catalogue(file: &str, expected: &'static str, detail: impl Into<String>) -> Self {
        Self::NotCatalogue { file: file.to_owned(), expected, detail: detail.into() }
    }

    /// For `map_err`: the reader of `file` failed.
    pub(crate) fn read(file: &str) -> impl Fn(std::io::Error) -> Self {
        |source| Self::Read { file: file.to_owned(), source }
    }
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
    /// The number among all entries, from 1 (CWE's REST API, in one file or many).
    Entry(usize),
    /// The line, from 1 (YAML).
    Line(usize),
    /// The number of the first statement about it, from 1 (Turtle: subject, predicate and object).
    Statement(usize),
}

/// One entry, or one field of it, that was left out of a catalogue while the rest was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIssue {
    /// The place of the entry.
    pub position: Position,
    /// The entry's id as the file writes it, or else the name of its file, where it could be read.
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
            Self::Entry(number) => write!(f, "entry {number}"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Statement(number) => write!(f, "statement {number}"),
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

/// A field of an entry that is missing or holds something else than it should.
#[derive(Debug)]
pub(crate) struct BadField {
    pub(crate) field: &'static str,
    pub(crate) problem: String,
}

/// The most characters of an outside text in a message.
const LONGEST_EXCERPT: usize = 160;

/// `text` short enough for a message, whatever an outside file put there; cut off after a whole word if it has several.
pub(crate) fn excerpt(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(LONGEST_EXCERPT) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or_default();
    let head = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{head} …")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_ends_with_a_whole_word() {
        assert_eq!(excerpt("`;` not found before the end"), "`;` not found before the end");
        let long = excerpt(&"four ".repeat(100));
        assert!(long.ends_with(" four …") && long.chars().count() <= LONGEST_EXCERPT + 2, "{long}");
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), LONGEST_EXCERPT + 2);
    }
}
