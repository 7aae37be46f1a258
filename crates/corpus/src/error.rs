//! Errors: of a whole input, or of one record of it.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;

use vulnlens_files::{Classified, ErrorKind, FileError};

use crate::build_report::BuildReport;
use crate::place::Place;
use crate::problem::Problem;
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
            Self::MissingColumn { .. } => Some("rename the column, or name the one that holds it".into()),
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
