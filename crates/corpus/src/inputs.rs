//! Texts to classify, streamed from JSON Lines, CSV, Parquet or plain text in their order.

use crate::error::{CorpusError, RecordError};
use crate::input::{Content, Input, Opened, has_extension, is_binary, open};
use crate::limits::Limits;
use crate::record::InputRecord;
use crate::sources::csv::CsvRows;
use crate::sources::jsonl::JsonlRows;
use crate::sources::parquet::ParquetRows;
use crate::sources::plain::PlainRows;
use crate::sources::rows::{InputRows, Rows};

/// The format of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputFormat {
    /// Told by the first bytes and the name: Parquet by its magic number; `.jsonl`, `.ndjson`, `.json`, `.csv`,
    /// `.txt` (also with `.gz`) by name; else JSON Lines if the text begins with `{`, else plain text.
    #[default]
    Auto,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// One text a line.
    Plain,
}

/// The records of an input, in its order.
///
/// A bad record is an item like the others; after one with [`RecordError::ends_input`] no other follows.
pub struct Inputs {
    rows: InputRows,
    ended: bool,
}

impl Iterator for Inputs {
    type Item = Result<InputRecord, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.rows.next();
        self.ended = item.as_ref().is_none_or(|item| item.as_ref().is_err_and(RecordError::ends_input));
        item
    }
}

/// Streams the texts of `input`, unpacking gzip. Tables need a column (JSON Lines: a key) `description` or `text`,
/// and take `id` and `published`, which is a date or a year; anything else there counts as no date.
///
/// # Errors
/// An input that cannot be opened, is not in the given format, or lacks the column of texts.
pub fn open_inputs(input: Input, format: InputFormat, limits: &Limits) -> Result<Inputs, CorpusError> {
    let opened = open(input, limits)?;
    let file = opened.name.clone();
    let rows = table(opened, format, limits)?.rows;
    Ok(Inputs { rows: InputRows { file, rows }, ended: false })
}

/// A plain table, and the columns that its header names, where it has one.
pub(crate) struct Table {
    pub(crate) rows: Box<dyn Rows + Send>,
    pub(crate) columns: Option<Vec<String>>,
}

/// Opens the rows of a plain table.
pub(crate) fn table(opened: Opened, format: InputFormat, limits: &Limits) -> Result<Table, CorpusError> {
    let name = opened.name;
    let wrong = |problem: &str| {
        Err(CorpusError::Format { file: name.as_ref().to_owned(), problem: problem.to_owned() })
    };
    let (head, reader) = match (opened.content, format) {
        (Content::Parquet(file), InputFormat::Auto | InputFormat::Parquet) => {
            let rows = ParquetRows::new(&name, file, limits)?;
            return Ok(Table { columns: Some(rows.columns().to_vec()), rows: Box::new(rows) });
        }
        (Content::Parquet(_), _) => return wrong("is a Parquet file; ask for that format"),
        (Content::Zip(_), _) => return wrong("is a zip archive; unpack it and give the file inside"),
        (Content::Text { .. }, InputFormat::Parquet) => {
            return wrong(
                "is not a Parquet file; leave the format to be told, or make a data set with `vulnlens data build`",
            );
        }
        (Content::Text { head, reader }, _) => (head, reader),
    };
    let format = if format == InputFormat::Auto { guess(&name, &head) } else { format };
    let limit = limits.record_bytes;
    Ok(match format {
        InputFormat::Csv => {
            let rows = CsvRows::new(&name, reader, limit)?;
            Table { columns: Some(rows.columns().to_vec()), rows: Box::new(rows) }
        }
        InputFormat::Jsonl if is_array(&head) => {
            return wrong("this is a JSON array; give one object a line");
        }
        InputFormat::Jsonl if is_document(&head) => {
            return wrong(
                "is one JSON document over several lines; give one object a line, or, if it is a record or feed of \
                 NVD or of the CVE list, make a data set of it with `vulnlens data build`",
            );
        }
        InputFormat::Jsonl => Table { columns: None, rows: Box::new(JsonlRows::new(reader, limit)) },
        _ if has_extension(&name, "parquet") => {
            return wrong(
                "is named .parquet and is no Parquet file; make a data set with `vulnlens data build`",
            );
        }
        _ if is_binary(&head) => {
            return wrong("is binary, no UTF-8 text; give text, JSON Lines, CSV or Parquet");
        }
        _ => Table { columns: None, rows: Box::new(PlainRows::new(reader, limit)) },
    })
}

/// Whether a text begins with an array.
pub(crate) fn is_array(head: &[u8]) -> bool {
    head.trim_ascii_start().starts_with(b"[")
}

/// Whether a text begins with a line that only opens an object, as JSON written for the eye does.
fn is_document(head: &[u8]) -> bool {
    let mut lines = head.trim_ascii_start().split_inclusive(|byte| *byte == b'\n');
    lines.next().is_some_and(|line| line.ends_with(b"\n") && line.trim_ascii() == b"{")
}

/// Whether a text begins as an object does, or an array of objects: `[` alone may begin a sentence.
fn begins_json(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    head.strip_prefix(b"[").map_or(head, <[u8]>::trim_ascii_start).starts_with(b"{")
}

/// The format of a text by its name, else by its first character.
fn guess(name: &str, head: &[u8]) -> InputFormat {
    let named = |extensions: &[&str]| extensions.iter().any(|extension| has_extension(name, extension));
    if named(&["jsonl", "ndjson", "json"]) {
        InputFormat::Jsonl
    } else if named(&["csv"]) {
        InputFormat::Csv
    } else if !named(&["txt", "parquet"]) && begins_json(head) {
        InputFormat::Jsonl
    } else {
        InputFormat::Plain
    }
}
