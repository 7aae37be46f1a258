//! Problems of answers that are read back: the place, the problem and the cure.

use std::fmt;
use std::sync::Arc;

use vulnlens_files::{Classified, ErrorKind};

/// An answer that cannot be read back, or an input that holds none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{place}: {problem}")]
#[non_exhaustive]
pub struct SavedError {
    /// The input's name.
    pub file: Arc<str>,
    /// The place in it.
    pub place: SavedPlace,
    /// The problem, and what to do.
    pub problem: SavedProblem,
}

/// A place in an input of answers; every number counts from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SavedPlace {
    /// A line of JSON Lines.
    Line(u64),
    /// A row of a table.
    Row(u64),
    /// The input as a whole.
    Whole,
}

/// A reason why an answer, or a whole input, cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SavedProblem {
    /// The line is not JSON.
    #[error("malformed JSON: {0}; the answer is left out")]
    Json(String),
    /// The line is JSON, and not an answer.
    #[error("not an answer: {0}; the line is left out")]
    NotAnAnswer(&'static str),
    /// A field is missing, or holds something that it cannot mean.
    #[error("field {field} {problem}; the answer is left out")]
    Field {
        /// The field.
        field: String,
        /// The problem of it.
        problem: String,
    },
    /// The answer is of another version of record output.
    #[error(
        "field schema_version is {0}, and version 1 is read; use the release of vulnlens that wrote the answer"
    )]
    Version(u64),
    /// The line is longer than the limit; it was skipped without being held.
    #[error("longer than {0} bytes; the answer is left out")]
    TooLong(u64),
    /// The input holds no answers at all.
    #[error("holds no answers: {0}")]
    NoAnswers(&'static str),
    /// A column has another type than answers have.
    #[error(
        "column {column} is of the type {found}, and not {expected}; write the answers again by `classify`"
    )]
    Column {
        /// The column.
        column: &'static str,
        /// Its type.
        found: String,
        /// The type that it has in answers.
        expected: &'static str,
    },
    /// The input is damaged, or the system cannot read on.
    #[error("cannot be read: {0}; reading stopped")]
    Read(String),
}

impl SavedProblem {
    /// The problem of a field.
    pub(super) fn field(field: impl Into<String>, problem: impl ToString) -> Self {
        Self::Field { field: field.into(), problem: problem.to_string() }
    }
}

impl From<std::io::Error> for SavedProblem {
    fn from(error: std::io::Error) -> Self {
        Self::Read(error.to_string())
    }
}

impl fmt::Display for SavedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, ":{number}"),
            Self::Row(number) => write!(f, ": row {number}"),
            Self::Whole => Ok(()),
        }
    }
}

impl Classified for SavedError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}
