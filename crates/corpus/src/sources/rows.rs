//! Rows of a plain table, whatever the file's format: shared by JSON Lines, CSV, Parquet and plain text.

use std::borrow::Cow;
use std::sync::Arc;

use vulnlens_taxonomy::CveId;

use crate::date::{Date, When};
use crate::error::{BadRecord, CorpusError, Problem, RecordError};
use crate::place::Place;
use crate::record::{Assigner, Record, clean};
use crate::record_id::RecordId;
use crate::sources::format::Needs;

/// Whoever assigned the weaknesses of a table, which does not say who.
pub(crate) const GIVEN: Assigner = Assigner { rank: 40, name: "given", added: false };

/// The names that a column may have, the usual one first.
pub(crate) struct Column(pub(crate) &'static [&'static str]);

pub(crate) const ID: Column = Column(&["id", "cve_id"]);
pub(crate) const PUBLISHED: Column = Column(&["published"]);
pub(crate) const MODIFIED: Column = Column(&["modified"]);
pub(crate) const TEXT: Column = Column(&["description", "text"]);
pub(crate) const CWES: Column = Column(&["cwes", "cwe_ids"]);

impl Column {
    /// Where in `names` the column stands: by the first of its names that is there.
    pub(crate) fn position<S: AsRef<str>>(&self, names: &[S]) -> Option<usize> {
        self.0.iter().find_map(|wanted| names.iter().position(|name| name.as_ref() == *wanted))
    }
}

/// One row, lent by its reader.
#[derive(Default)]
pub(crate) struct Row<'a> {
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) published: When,
    pub(crate) modified: Option<Date>,
    pub(crate) text: Option<Cow<'a, str>>,
    pub(crate) cwes: Vec<Cow<'a, str>>,
}

/// A reader of rows.
pub(crate) trait Rows {
    /// The next row and its place, or what is wrong with it.
    fn next_row(&mut self) -> Option<(Place, Result<Row<'_>, Problem>)>;
}

/// Refuses a table without a column that the reader of its records needs.
pub(crate) fn check_columns(file: &str, columns: &[String], needs: Needs) -> Result<(), CorpusError> {
    let needed = [(TEXT, true), (ID, needs.cve)].into_iter().filter(|(_, is_needed)| *is_needed);
    for (column, _) in needed {
        if column.position(columns).is_none() {
            let names = if column.0 == ID.0 { "id".to_owned() } else { column.0.join(" or ") };
            let (file, columns) = (file.to_owned(), columns.to_vec());
            return Err(CorpusError::MissingColumn { file, column: names, columns });
        }
    }
    Ok(())
}

/// The weaknesses that one cell lists: `CWE-79;CWE-89`, or the same with commas, bars, spaces, or as a JSON list.
pub(crate) fn split_cwes(cell: &str) -> Vec<Cow<'_, str>> {
    cell.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|part| !part.is_empty())
        .map(Cow::Borrowed)
        .collect()
}

impl Row<'_> {
    /// The record that the row is.
    pub(crate) fn into_record(self, needs: Needs) -> Result<Record, BadRecord> {
        if needs.cve {
            let id = self.id.as_ref().ok_or(Problem::MissingField("id"))?;
            if id.parse::<CveId>().is_err() {
                return Err(BadRecord::not_a_cve("id", id));
            }
        }
        let mut record = Record::new(self.id.map(|id| RecordId::new(id.into_owned())), Problem::NoText);
        record.text = match self.text {
            None => Err(Problem::NoText),
            Some(text) if text.trim().is_empty() => Err(Problem::Blank),
            Some(text) => Ok(without_nul(text)),
        };
        record.dates.published = self.published;
        record.dates.modified = self.modified;
        self.cwes.iter().for_each(|cwe| record.label(GIVEN, cwe));
        Ok(record)
    }
}

fn without_nul(text: Cow<'_, str>) -> String {
    if memchr::memchr(0, text.as_bytes()).is_some() { clean(&text) } else { text.into_owned() }
}

/// The records of a table's rows.
pub(crate) struct RowRecords<R> {
    pub(crate) file: Arc<str>,
    pub(crate) format: &'static str,
    pub(crate) needs: Needs,
    pub(crate) rows: R,
}

impl<R: Rows> Iterator for RowRecords<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, row) = self.rows.next_row()?;
        let record = row.map_err(BadRecord::from).and_then(|row| row.into_record(self.needs));
        Some(match record {
            Ok(record) => Ok(Record { file: Arc::clone(&self.file), place, format: self.format, ..record }),
            Err(bad) => Err(bad.at(&self.file, place)),
        })
    }
}
