//! Rendering of records: streams, whose records stand for themselves, and documents, which have an end.

use std::sync::Arc;

use vulnlens_files::{Classified, ErrorKind};
use vulnlens_model::Run;
use vulnlens_taxonomy::KnowledgeBase;

use crate::answer::Answer;
use crate::layout::TableLayout;

/// A format that streams: threads may share it, each rendering records into a buffer of its own.
pub trait Records: Send + Sync {
    /// Appends the bytes before the first record.
    fn head(&self, _out: &mut Vec<u8>) {}

    /// Appends one record; nothing, where the format has no place for it.
    fn push(&self, answer: &Answer, out: &mut Vec<u8>);

    /// The bytes between two records.
    fn separator(&self) -> &'static [u8] {
        b""
    }

    /// Appends the bytes behind the last record.
    fn tail(&self, _out: &mut Vec<u8>) {}
}

/// A document of any number of records, which is whole at its end.
pub trait Document: Send {
    /// Adds one record, and appends the bytes of the document that are ready.
    ///
    /// # Errors
    /// The record cannot be encoded.
    fn push(&mut self, answer: &Answer, out: &mut Vec<u8>) -> Result<(), FormatError>;

    /// Ends the document, and appends the rest of its bytes.
    ///
    /// # Errors
    /// The document cannot be encoded.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<(), FormatError>;
}

/// A failure to encode a record or a document.
#[derive(Debug, thiserror::Error)]
#[error("the {format} output cannot be encoded: {problem}")]
pub struct FormatError {
    format: &'static str,
    problem: String,
}

impl Classified for FormatError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Output
    }
}

impl FormatError {
    /// A failure of `format`.
    pub(crate) fn new(format: &'static str, problem: &impl ToString) -> Self {
        Self { format, problem: problem.to_string() }
    }
}

/// The facts that a format is made ready with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Setup {
    /// The facts that all records have in common.
    pub run: Run,
    /// The source of names and ways.
    pub kb: Arc<KnowledgeBase>,
    /// The layout of text for people.
    pub layout: TableLayout,
    /// True if fields of CSV that a spreadsheet would take for formulas get a `'` in front.
    pub is_csv_safe: bool,
}

impl Setup {
    /// The setup for the records of `run`, with the names of `kb`.
    #[must_use]
    pub fn new(run: Run, kb: impl Into<Arc<KnowledgeBase>>) -> Self {
        Self { run, kb: kb.into(), layout: TableLayout::default(), is_csv_safe: false }
    }

    /// The setup with CSV in which a spreadsheet finds no formulas, or as the fields are.
    #[must_use]
    pub fn safe_csv(self, is_csv_safe: bool) -> Self {
        Self { is_csv_safe, ..self }
    }

    /// The setup with a layout of text for people.
    #[must_use]
    pub fn layout(self, layout: TableLayout) -> Self {
        Self { layout, ..self }
    }
}
