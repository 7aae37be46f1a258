//! A table whose records come with their bytes, for those who write it again.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::CsvRows;
use super::header::{LONGEST, declaration, delimiter, has_header};
use crate::error::{CorpusError, RecordError};
use crate::limits::Limits;
use crate::problem::BadRecord;
use crate::record::Record;
use crate::sources::column_names::{Column, column_of};
use crate::sources::format::{ColumnNames, Context, Settings};
use crate::sources::rows::Rows;

/// Tests whether a text begins as a table, by its header.
#[must_use]
pub fn is_table(head: &[u8], columns: &ColumnNames) -> bool {
    has_header(head, columns)
}

/// A CSV table that is read record by record.
pub struct CsvTable<R> {
    file: Arc<str>,
    settings: Settings,
    delimiter: u8,
    taken: Rc<RefCell<Vec<u8>>>,
    header: Vec<u8>,
    rows: CsvRows<Taking<R>>,
}

/// A record of a table.
pub struct CsvRecord {
    /// All bytes behind the record before it, up to its own end: its line end, or a part of it, may stand among those of
    /// the next one.
    pub bytes: Vec<u8>,
    /// The record, or what is wrong with it.
    pub record: Result<Record, RecordError>,
}

impl<R: BufRead> CsvTable<R> {
    /// Opens the table of `reader`. Its fields are separated by tabs if `is_tabs` and nothing in it tells otherwise.
    ///
    /// # Errors
    /// The header cannot be read, or names no column of texts.
    pub fn open(
        file: Arc<str>,
        mut reader: R,
        is_tabs: bool,
        columns: ColumnNames,
    ) -> Result<Self, CorpusError> {
        let failed = |source| CorpusError::Open { file: file.as_ref().to_owned(), source };
        let head = reader.fill_buf().map_err(failed)?;
        let mark = if head.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let head = head.get(mark..).unwrap_or_default();
        let (declared, header) = declaration(head.get(..head.len().min(LONGEST)).unwrap_or_default());
        let delimiter = declared.unwrap_or_else(|| delimiter(header, if is_tabs { b'\t' } else { b',' }));
        let skipped =
            if declared.is_some() { head.len().min(LONGEST).saturating_sub(header.len()) } else { 0 };
        let taken = Rc::new(RefCell::new(Vec::new()));
        let mut reader = Taking { reader, taken: Rc::clone(&taken) };
        let skipped = mark.saturating_add(skipped);
        io::copy(&mut Read::take(&mut reader, skipped as u64), &mut io::sink()).map_err(failed)?;
        let settings = Settings { columns, ..Settings::default() };
        let context = Context {
            settings: settings.clone(),
            limits: Limits::default(),
            is_forced: true,
            objects: vec![],
        };
        let first_line = if declared.is_some() { 2 } else { 1 };
        let rows = CsvRows::new(&file, reader, delimiter, first_line, &context)?;
        let header = std::mem::take(&mut *taken.borrow_mut());
        Ok(Self { file, settings, delimiter, taken, header, rows })
    }

    /// All bytes up to the end of the header.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The byte between fields.
    #[must_use]
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.rows.names
    }

    /// The first column of weaknesses.
    #[must_use]
    pub fn weaknesses(&self) -> Option<usize> {
        let is_of_weaknesses = |name: &String| {
            column_of(name, &self.settings.columns).is_some_and(|(column, _)| column == Column::Cwes)
        };
        self.names().iter().position(is_of_weaknesses)
    }

    /// The next record.
    pub fn next_record(&mut self) -> Option<CsvRecord> {
        let (place, row) = self.rows.next_row()?;
        let record = match row.map_err(BadRecord::from).and_then(|row| row.into_record(&self.settings)) {
            Ok(record) => Ok(Record { file: Arc::clone(&self.file), place, format: "csv", ..record }),
            Err(bad) => Err(bad.at(&self.file, place)),
        };
        Some(CsvRecord { bytes: std::mem::take(&mut *self.taken.borrow_mut()), record })
    }

    /// The bytes behind the last record.
    #[must_use]
    pub fn rest(&self) -> Vec<u8> {
        std::mem::take(&mut *self.taken.borrow_mut())
    }
}

/// The places of the fields of a record, whose bytes are `record`, behind any line ends before it.
#[must_use]
pub fn fields(record: &[u8], delimiter: u8) -> Vec<Range<usize>> {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let start = record.iter().position(|byte| !is_line_end(byte)).unwrap_or(record.len());
    let behind =
        record.iter().rposition(|byte| !is_line_end(byte)).map_or(start, |last| last.saturating_add(1));
    let (mut fields, mut begin, mut in_quotes) = (Vec::new(), start, false);
    for (at, byte) in record.iter().enumerate().take(behind).skip(start) {
        match byte {
            b'"' => in_quotes = !in_quotes,
            byte if *byte == delimiter && !in_quotes => {
                fields.push(begin..at);
                begin = at.saturating_add(1);
            }
            _ => {}
        }
    }
    fields.push(begin..behind);
    fields
}

/// Keeps the bytes that were consumed.
struct Taking<R> {
    reader: R,
    taken: Rc<RefCell<Vec<u8>>>,
}

impl<R: BufRead> Read for Taking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Taking<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        if let Ok(buffer) = self.reader.fill_buf() {
            self.taken.borrow_mut().extend_from_slice(buffer.get(..length).unwrap_or_default());
        }
        self.reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_with_a_record() {
        for text in [
            "id,description\n1,Flaw\n2,\"a\n\"\"b\"\"\"\n",
            "\u{feff}sep=;\r\nid;description;cwe\r\n\r\n1;Flaw;\r\n2;x\r\n3;\"y;z\";79",
            "id\tdescription\n",
        ] {
            let mut table =
                CsvTable::open("t".into(), text.as_bytes(), false, ColumnNames::default()).unwrap();
            let mut all = table.header().to_vec();
            while let Some(record) = table.next_record() {
                if record.record.is_ok() {
                    assert_eq!(fields(&record.bytes, table.delimiter()).len(), table.names().len());
                }
                all.extend(record.bytes);
            }
            all.extend(table.rest());
            assert_eq!(String::from_utf8(all).unwrap(), text);
        }
    }

    #[test]
    fn fields_are_found_by_quotes_and_delimiters() {
        let record = b"\n1,\"a,\"\"b\",,\r\n";
        let found: Vec<_> =
            fields(record, b',').into_iter().map(|at| std::str::from_utf8(&record[at]).unwrap()).collect();
        assert_eq!(found, ["1", "\"a,\"\"b\"", "", ""]);
    }
}
