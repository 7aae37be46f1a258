//! What can go wrong: with a whole input, or with one record of it.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use vulnlens_files::{Classified, ErrorKind};

use crate::build::BuildReport;
use crate::gzip::TrailingBytes;
use crate::limits::TooMuch;

/// A failure that ends the operation; one bad record is a [`RecordError`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// The input cannot be opened or its first bytes cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Open {
        /// Display name of the input.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The output, or the temporary file beside it, cannot be written.
    #[error("{file}: cannot be written: {source}")]
    Write {
        /// Display name of the output.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The table lacks a column that the reader needs.
    #[error("{file}: has no column {column}; its columns are: {}", .columns.join(", "))]
    MissingColumn {
        /// Display name of the input.
        file: String,
        /// The column that is missing, with the names it may have.
        column: String,
        /// The columns that exist.
        columns: Vec<String>,
    },
    /// A column holds another type than the reader can use.
    #[error("{file}: column {column} holds {found}; expected {expected}")]
    ColumnType {
        /// Display name of the input.
        file: String,
        /// The column.
        column: String,
        /// The type that it has.
        found: String,
        /// The type that is needed.
        expected: &'static str,
    },
    /// The input is not in the format that it should have.
    #[error("{file}: {problem}")]
    Format {
        /// Display name of the input.
        file: String,
        /// What is wrong, and what to do about it.
        problem: String,
    },
    /// The sources of a data set hold not one record that could become a row.
    #[error("no usable record in the sources: {}", without_rows(.report))]
    NoRecords {
        /// What was read and left out; [`BuildReport::first_bad_records`] are the first that could not be read.
        report: Box<BuildReport>,
    },
    /// A record that no other can make up for is bad.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Classified for CorpusError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Write { .. } => ErrorKind::Output,
            _ => ErrorKind::Input,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::MissingColumn { .. } => Some("rename the column, or give a file that has it".into()),
            _ => None,
        }
    }
}

/// Why a build has no row, in a few words.
fn without_rows(report: &BuildReport) -> String {
    let read: u64 = report.sources.iter().map(|source| source.records).sum();
    let mut text = format!(
        "{read} read ({} withdrawn, {} without an English description), {} bad",
        report.rejected,
        report.without_description,
        report.bad_records()
    );
    if let Some(first) = report.first_bad_records.first() {
        text.push_str("; the first bad one: ");
        text.push_str(first);
    }
    text
}

/// One bad record: where it stands and what is wrong with it. The records around it are not affected,
/// unless [`RecordError::ends_input`] says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{place}: {problem}")]
pub struct RecordError {
    /// Display name of the input.
    pub file: Arc<str>,
    /// Where in the input.
    pub place: Place,
    /// The record's id, where it was readable.
    pub id: Option<String>,
    /// What is wrong, and what to do about it.
    pub problem: Problem,
}

impl Classified for RecordError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}

/// Where in an input a record stands; every number counts from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file.
    Line(u64),
    /// A member of the JSON array that holds the records.
    Item(u64),
    /// A row of a table.
    Row(u64),
    /// A file of a folder or an archive.
    Entry(String),
    /// The input as a whole.
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, ":{number}"),
            Self::Item(number) => write!(f, ": record {number}"),
            Self::Row(number) => write!(f, ": row {number}"),
            Self::Entry(name) => write!(f, ": {name}"),
            Self::Whole => Ok(()),
        }
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The record is not the JSON that it should be.
    #[error("malformed JSON: {0}; the record is left out")]
    Json(String),
    /// The record holds bytes that are not UTF-8.
    #[error("byte {0} of the record is not UTF-8; convert the file to UTF-8")]
    Utf8(usize),
    /// The record is longer than the limit; it was skipped without being held.
    #[error("longer than {0} bytes; the record is left out")]
    TooLong(u64),
    /// The record lacks a field.
    #[error("field {0} is missing; the record is left out")]
    MissingField(&'static str),
    /// A field holds something that it cannot mean.
    #[error("field {field} is {value:?}; expected {expected}")]
    BadField {
        /// The field's name.
        field: &'static str,
        /// The beginning of what it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The text is empty or white space.
    #[error("the text is empty; give each record a description")]
    Blank,
    /// The record has neither of the fields that a text may stand in.
    #[error("the text is empty: the record has no field description or text; give it one")]
    NoText,
    /// The record is one of NVD's or of the CVE list, or a feed of them, where a text is expected.
    #[error(
        "this is a record or feed of NVD or of the CVE list; make a data set of the file with `vulnlens data build` \
         and give that"
    )]
    OfficialRecord,
    /// A CSV record with another number of fields than the header.
    #[error("{found} fields where the header has {expected}; quote fields that hold commas or line ends")]
    Fields {
        /// Fields of the record.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// A CSV record over several lines with another number of fields than the header.
    #[error(
        "{found} fields where the header has {expected}; a quote in it joins the lines up to {last_line}, which it \
         should not if it has no partner: close it, or double a quote that is part of a text"
    )]
    FieldsOfLines {
        /// Fields of the record.
        found: usize,
        /// Fields of the header.
        expected: usize,
        /// The line on which the record ends, from 1.
        last_line: u64,
    },
    /// A CSV file ends within quotes, which so took in all lines to the end.
    #[error(
        "the quote that opens on line {line} never closes; the lines from there to the end are left out: close it, or \
         double a quote that is part of a text"
    )]
    OpenQuote {
        /// The line on which the quote opens, from 1.
        line: u64,
    },
    /// The input ends in the middle.
    #[error("the file ends too early; what stood before was read, fetch the file again for the rest")]
    Truncated,
    /// Other bytes follow the gzip data.
    #[error("bytes that are no gzip follow the packed data; all that stood before was read, these were not")]
    TrailingBytes,
    /// The input unpacks to more than its limits allow.
    #[error("unpacks to more than {0}, as a decompression bomb would; reading stopped")]
    Bomb(String),
    /// The system could not read on.
    #[error("cannot be read: {0}; reading stopped")]
    Read(String),
    /// An archive or table is damaged.
    #[error("damaged: {0}; fetch the file again")]
    Damaged(String),
}

impl Problem {
    /// A [`Problem::BadField`] with the beginning of `value`: a hostile one may be megabytes long.
    pub(crate) fn bad_field(field: &'static str, value: &str, expected: &'static str) -> Self {
        Self::BadField { field, value: value.chars().take(40).collect(), expected }
    }

    /// What is wrong with `bytes`, which `error` refused: not UTF-8 at all, or not the JSON wanted.
    pub(crate) fn json(bytes: &[u8], error: &serde_json::Error) -> Self {
        match std::str::from_utf8(bytes) {
            Err(utf8) => Self::Utf8(utf8.valid_up_to().saturating_add(1)),
            // A record is one line, or says which: the line that serde counts within it would only confuse.
            Ok(_) => Self::Json(error.to_string().replace(" at line 1 column ", " at column ")),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        let bomb = error.get_ref().and_then(|inner| inner.downcast_ref::<TooMuch>());
        if error.get_ref().is_some_and(|inner| inner.is::<TrailingBytes>()) {
            return Self::TrailingBytes;
        }
        match (bomb, error.kind()) {
            (Some(bomb), _) => Self::Bomb(bomb.limit.clone()),
            (None, io::ErrorKind::UnexpectedEof) => Self::Truncated,
            (None, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
                Self::Damaged(error.to_string())
            }
            (None, _) => Self::Read(error.to_string()),
        }
    }
}

impl RecordError {
    /// Whether the input cannot be read any further, so that later records are lost.
    #[must_use]
    pub fn ends_input(&self) -> bool {
        let fatal = matches!(
            self.problem,
            Problem::Truncated
                | Problem::TrailingBytes
                | Problem::Bomb(_)
                | Problem::Read(_)
                | Problem::Damaged(_)
        );
        fatal && !matches!(self.place, Place::Entry(_))
    }
}
