//! Errors: of a whole input, or of one record of it.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;

use vulnlens_files::{Classified, ErrorKind, FileError, TooMuch, TrailingBytes};

use crate::build_report::BuildReport;
use crate::place::Place;
use crate::record_id::RecordId;

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
        /// The problem, and what to do about it.
        problem: String,
    },
    /// The input is in none of the formats that records are read from.
    #[error("{file}: is not a source of records; known are {expected}")]
    NotASource {
        /// Display name of the input.
        file: String,
        /// The names of the formats.
        expected: String,
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
        "{read} read ({} withdrawn, {} without an English description), {} without a CVE id, {} bad",
        report.rejected,
        report.without_description,
        report.without_cve(),
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
#[error("{file}{place}{}: {problem}", self.id_in_document())]
pub struct RecordError {
    /// Display name of the input.
    pub file: Arc<str>,
    /// The place in the input.
    pub place: Place,
    /// The record's id, where it was readable.
    pub id: Option<RecordId>,
    /// The problem, and what to do about it.
    pub problem: Problem,
}

impl Classified for RecordError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}

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
        /// What it should hold.
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

    /// What is wrong with `bytes`, which `error` refused: not UTF-8 at all, or not the JSON wanted.
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

impl RecordError {
    /// The id in brackets, where the place does not lead to the record: in a JSON document nobody counts to its number,
    /// and one line may be a report of many findings.
    fn id_in_document(&self) -> String {
        let is_of_finding = matches!(self.problem, Problem::NoDescription(_) | Problem::Json(_));
        let is_told = matches!(self.problem, Problem::BadField { .. });
        match self.id.as_ref().filter(|_| !is_told && (is_of_finding || self.place.is_in_document())) {
            Some(id) => format!(" ({})", RecordId::beginning(id.as_str())),
            None => String::new(),
        }
    }

    /// Tests whether the input cannot be read any further, so that later records are lost.
    #[must_use]
    pub fn ends_input(&self) -> bool {
        let fatal = matches!(
            self.problem,
            Problem::Truncated
                | Problem::TrailingBytes
                | Problem::Bomb(_)
                | Problem::Read(_)
                | Problem::Damaged(_)
                | Problem::NotADocument(_)
        );
        fatal && !matches!(self.place, Place::Entry(..))
    }

    /// Tests for a note about the input: nothing is bad, and something is worth knowing.
    #[must_use]
    pub fn is_note(&self) -> bool {
        self.problem.is_note()
    }

    /// Tests whether a record or file was passed over because nothing in it is to be answered, rather than bad.
    #[must_use]
    pub fn is_passed_over(&self) -> bool {
        matches!(self.problem, Problem::Withdrawn | Problem::NotASource)
    }
}

impl From<FileError> for CorpusError {
    /// The error of an output: inputs are opened by their readers.
    fn from(error: FileError) -> Self {
        Self::Write { file: error.path.display().to_string(), source: error.source }
    }
}

impl CorpusError {
    /// The same for a file that is one of many.
    pub(crate) fn into_record_error(self, path: &Path) -> RecordError {
        let file = path.display().to_string();
        let problem = self.into_problem(&file);
        RecordError { file: file.into(), place: Place::Whole, id: None, problem }
    }

    /// The problem without the file's name, for a file that is one of many.
    pub(crate) fn into_problem(self, file: &str) -> Problem {
        match self {
            Self::NotASource { .. } => Problem::NotASource,
            Self::Open { source, .. } => source.into(),
            Self::Record(error) => error.problem,
            other => {
                let text = other.to_string();
                let text = text.strip_prefix(file).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&text);
                Problem::Unreadable(text.to_owned())
            }
        }
    }
}
