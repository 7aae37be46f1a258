//! CSV with a header line (RFC 4180), with commas, semicolons, tabs or bars between its fields, as spreadsheets write it.
//! Columns: a text and, if known, an id, dates and weaknesses, under their usual names.

mod header;
pub(crate) mod records;
pub(super) mod table;

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::sync::Arc;

use header::{LONGEST, declaration, delimiter, has_header};
use records::Records;

use crate::encoding::{Lenient, OddBytes};
use crate::error::CorpusError;
use crate::input::{Content, Opened};
use crate::place::Place;
use crate::problem::Problem;
use crate::records::Records as SourceRecords;
use crate::sources::column_names::{Column, column_of};
use crate::sources::format::{Context, FileFormat, Settings};
use crate::sources::rows::{Row, RowRecords, Rows, check_columns};

/// CSV.
pub(super) struct Csv;

impl FileFormat for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "Values with a header, separated by commas, semicolons or tabs"
    }

    fn recognises(&self, file: &Opened, settings: &Settings) -> bool {
        let is_named = file.is_named(&["csv", "tsv", "tab"]);
        matches!(file.content, Content::Text(_)) && (is_named || has_header(file.head(), &settings.columns))
    }

    fn open(&self, file: Opened, context: &Context) -> Result<SourceRecords, CorpusError> {
        let is_tabs = file.is_named(&["tsv", "tab"]);
        let (file, mut text) = file.into_text()?;
        text.look_ahead(LONGEST, |head| memchr::memchr(b'\n', head).is_some());
        let (declared, header) = declaration(text.head());
        let usual = if is_tabs { b'\t' } else { b',' };
        let delimiter = declared.unwrap_or_else(|| delimiter(header, usual));
        let skipped = text.head().len().saturating_sub(header.len());
        let (odd, mut reader) = (OddBytes::default(), text.into_reader());
        skip(&mut reader, skipped)
            .map_err(|source| CorpusError::Open { file: file.as_ref().to_owned(), source })?;
        let reader = Lenient::new(reader, odd.clone());
        let first_line = if skipped == 0 { 1 } else { 2 };
        let rows = CsvRows::new(&file, reader, delimiter, first_line, context)?;
        let (format, settings) = (self.name(), context.settings.clone());
        let records = SourceRecords::new(RowRecords { file: Arc::clone(&file), format, settings, rows });
        Ok(records.with_note_of(file, odd))
    }
}

/// Passes over the first bytes.
fn skip(reader: &mut impl BufRead, bytes: usize) -> io::Result<()> {
    io::copy(&mut io::Read::take(reader, bytes as u64), &mut io::sink()).map(|_| ())
}

/// The rows of a CSV file.
struct CsvRows<R> {
    records: Records<R>,
    names: Vec<String>,
    /// The meaning of each column, and its rank.
    columns: Vec<Option<(Column, u8)>>,
}

impl<R: BufRead> CsvRows<R> {
    /// Reads the header, and refuses one that lacks a column.
    fn new(
        file: &str,
        reader: R,
        delimiter: u8,
        first_line: u64,
        context: &Context,
    ) -> Result<Self, CorpusError> {
        let mut records = Records::new(reader, delimiter, first_line, context.limits.record_bytes);
        if let Some((_, Err(problem))) = records.advance() {
            return Err(CorpusError::Format {
                file: file.to_owned(),
                problem: format!("header line: {problem}"),
            });
        }
        let header =
            |index| String::from_utf8_lossy(records.field(index).unwrap_or_default()).trim().to_owned();
        let names: Vec<String> = (0..records.fields).map(header).collect();
        check_columns(file, &names, &context.settings)?;
        let columns = names.iter().map(|name| column_of(name, &context.settings.columns)).collect();
        Ok(Self { records, names, columns })
    }

    fn row(&self, number: u64) -> Result<Row<'_>, Problem> {
        self.records.whole(number, self.columns.len())?;
        let mut row = Row::default();
        for (index, column) in self.columns.iter().enumerate() {
            if let Some(column) = column {
                let cell = std::str::from_utf8(self.records.field(index).unwrap_or_default());
                let cell = cell.map_err(|error| Problem::Utf8(error.valid_up_to().saturating_add(1)))?;
                row.take(*column, Cow::Borrowed(cell));
            }
        }
        Ok(row)
    }
}

impl<R: BufRead> Rows for CsvRows<R> {
    fn next_row(&mut self) -> Option<(Place, Result<Row<'_>, Problem>)> {
        let (number, read) = self.records.advance()?;
        Some((Place::Line(number), read.and_then(|()| self.row(number))))
    }
}
