//! The problems of records, each with what to do about it.

use std::io;
use std::sync::Arc;

use vulnlens_files::{TooMuch, TrailingBytes};

use crate::error::RecordError;
use crate::place::Place;
use crate::record_id::RecordId;

/// The problem with a record.
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
        /// The values that it may hold.
        expected: &'static str,
    },
    /// The text is empty or white space.
    #[error("the text is empty; give each record a description")]
    Blank,
    /// The record has neither of the fields that a text may stand in.
    #[error("the text is empty: the record has no field description or text; give it one")]
    NoText,
    /// The record has no English description.
    #[error("the record has no {0}; it is left out")]
    NoDescription(&'static str),
    /// A document of a known kind that holds no texts of vulnerabilities.
    #[error("{0}")]
    WithoutRecords(&'static str),
    /// A page holds fewer records than it says that there are.
    #[error("holds {held} of {total} records; fetch the other pages for the rest")]
    Partial {
        /// Records of the page.
        held: u64,
        /// Records that there are.
        total: u64,
    },
    /// Dates of publication that are not in a form that is read, counted from the first of them on.
    #[error(
        "{} cannot be read as a date, and counts as not given; write 2021-12-10", dates(*.0)
    )]
    UnreadableDates(u64),
    /// Something about the input that is worth knowing.
    #[error("{0}")]
    Note(String),
    /// The record was withdrawn by whoever issued it: no fault of the input.
    #[error("the record was withdrawn; it is passed over")]
    Withdrawn,
    /// A file of a folder or archive holds no records: no fault of the others.
    #[error("is not a source of records; it is passed over")]
    NotASource,
    /// A file of a folder or archive, or a part of a document, cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Something else follows where the next document should begin.
    #[error("{0} where a JSON document should begin; reading stopped there")]
    NotADocument(String),
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
    /// A CSV record over several lines in which a quote closes before its field ends.
    #[error(
        "a quote joins the lines up to {last_line} and closes within its field, so that it has another's partner: close it, \
         or double a quote that is part of a text; the record is left out"
    )]
    JoinedLines {
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
    #[error("bytes that are not gzip follow the packed data; all that stood before was read, these were not")]
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

fn dates(count: u64) -> String {
    if count == 1 {
        "the date of the record".to_owned()
    } else {
        format!("the date of {count} records, of which this is the first,")
    }
}

/// A record that cannot be read: its id, where that was readable, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct BadRecord {
    pub(crate) id: Option<RecordId>,
    pub(crate) problem: Problem,
}

impl From<Problem> for BadRecord {
    fn from(problem: Problem) -> Self {
        Self { id: None, problem }
    }
}

impl BadRecord {
    /// A record whose field `field` holds `id`, which is not a CVE id.
    pub(crate) fn not_a_cve(field: &'static str, id: &str) -> Self {
        let problem = Problem::bad_field(field, id, "a CVE id such as CVE-2021-44228");
        Self { id: Some(RecordId::beginning(id)), problem }
    }

    /// The error of the record at `place` of `file`.
    pub(crate) fn at(self, file: &Arc<str>, place: Place) -> RecordError {
        RecordError { file: Arc::clone(file), place, id: self.id, problem: self.problem }
    }
}

impl Problem {
    /// Tests for a note: nothing is bad, and something is worth knowing.
    #[must_use]
    pub fn is_note(&self) -> bool {
        matches!(self, Self::Note(_) | Self::Partial { .. } | Self::UnreadableDates(_))
    }

    /// A [`Problem::BadField`] with the beginning of `value`: a hostile one may be megabytes long.
    pub(crate) fn bad_field(field: &'static str, value: &str, expected: &'static str) -> Self {
        Self::BadField { field, value: value.chars().take(40).collect(), expected }
    }

    /// The problem of `bytes` that `error` refused: not UTF-8 at all, or not the JSON wanted.
    pub(crate) fn json(bytes: &[u8], error: &serde_json::Error) -> Self {
        match std::str::from_utf8(bytes) {
            Err(utf8) => Self::Utf8(utf8.valid_up_to().saturating_add(1)),
            // A record is one line, or says which: the line that serde counts within it would only confuse.
            Ok(_) => Self::Json(error.to_string().replace(" at line 1 column ", " at column ")),
        }
    }
}

impl From<TooMuch> for Problem {
    fn from(error: TooMuch) -> Self {
        Self::Bomb(match error {
            TooMuch::Length(bytes) | TooMuch::Unpacked(bytes) => format!("{bytes} bytes"),
            TooMuch::Ratio { ratio, .. } => format!("{ratio} times its packed size"),
        })
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        if let Some(bomb) = TooMuch::of(&error) {
            return bomb.into();
        }
        if error.get_ref().is_some_and(|inner| inner.is::<TrailingBytes>()) {
            return Self::TrailingBytes;
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Damaged(error.to_string()),
            _ => Self::Read(error.to_string()),
        }
    }
}
