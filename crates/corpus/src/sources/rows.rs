//! Rows of a plain table, whatever the file's format: shared by JSON Lines, CSV, Parquet, Arrow and plain text.

use std::borrow::Cow;
use std::sync::Arc;

use vulnlens_taxonomy::CveId;

use super::column_names::{Column, FIRST_VAGUE_ID, column_of};
use crate::date::When;
use crate::error::{CorpusError, RecordError};
use crate::place::Place;
use crate::problem::{BadRecord, Problem};
use crate::record::{Assigner, Record, clean};
use crate::record_id::RecordId;
use crate::sources::format::Settings;

/// Whoever assigned the weaknesses of a table, which does not say who.
pub(crate) const GIVEN: Assigner = Assigner { rank: 40, name: "given", added: false };

/// One row, lent by its reader, that takes in one cell after another. Of two cells for the same thing the one whose
/// column has the lower rank wins, and a blank one never does; a CVE id wins over any other id.
#[derive(Default)]
pub(crate) struct Row<'a> {
    id: Option<(u8, Cow<'a, str>)>,
    text: Option<(u8, Cow<'a, str>)>,
    published: Option<(u8, When)>,
    modified: Option<(u8, When)>,
    cwes: Vec<Cow<'a, str>>,
}

/// A reader of rows.
pub(crate) trait Rows {
    /// The next row and its place, or what is wrong with it.
    fn next_row(&mut self) -> Option<(Place, Result<Row<'_>, Problem>)>;
}

/// Refuses a table without a column that the reader of its records needs.
pub(crate) fn check_columns(file: &str, names: &[String], settings: &Settings) -> Result<(), CorpusError> {
    let missing = |column: String| {
        let (file, columns) = (file.to_owned(), names.to_vec());
        Err(CorpusError::MissingColumn { file, column, columns })
    };
    let named = &settings.columns;
    for wanted in [&named.text, &named.id, &named.date].into_iter().flatten() {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(wanted)) {
            return missing(wanted.clone());
        }
    }
    let has =
        |wanted| names.iter().any(|name| column_of(name, named).is_some_and(|(column, _)| column == wanted));
    if !has(Column::Text) {
        return missing("description or text".to_owned());
    }
    if settings.needs.cve && !has(Column::Id) {
        return missing("id".to_owned());
    }
    Ok(())
}

impl<'a> Row<'a> {
    /// A row that is nothing but a text.
    pub(crate) fn of_text(text: Cow<'a, str>) -> Self {
        Self { text: Some((0, text)), ..Self::default() }
    }

    /// Takes in an id.
    pub(crate) fn take_id(&mut self, rank: u8, id: Cow<'a, str>) {
        // A word such as `name` stands over an id only where it is one.
        if rank >= FIRST_VAGUE_ID && id.trim().parse::<CveId>().is_err() {
            return;
        }
        let order = |rank: u8, id: &str| (id.trim().parse::<CveId>().is_err(), id.trim().is_empty(), rank);
        if self.id.as_ref().is_none_or(|(held, held_id)| order(rank, &id) < order(*held, held_id)) {
            self.id = Some((rank, id));
        }
    }

    /// Takes in a text.
    pub(crate) fn take_text(&mut self, rank: u8, text: Cow<'a, str>) {
        let order = |rank: u8, text: &str| (text.trim().is_empty(), rank);
        if self.text.as_ref().is_none_or(|(held, held_text)| order(rank, &text) < order(*held, held_text)) {
            self.text = Some((rank, text));
        }
    }

    /// Takes in a date of publication or change.
    pub(crate) fn take_date(&mut self, column: Column, rank: u8, when: When) {
        let held = if column == Column::Modified { &mut self.modified } else { &mut self.published };
        if when != When::Unknown && held.is_none_or(|(before, _)| rank < before) {
            *held = Some((rank, when));
        }
    }

    /// Takes in weaknesses.
    pub(crate) fn take_cwes(&mut self, cwes: impl IntoIterator<Item = Cow<'a, str>>) {
        self.cwes.extend(cwes);
    }

    /// Takes in a cell of text in a column of any kind.
    pub(crate) fn take(&mut self, (column, rank): (Column, u8), cell: Cow<'a, str>) {
        match column {
            // An empty cell is a gap.
            Column::Id if cell.trim().is_empty() => {}
            Column::Id => self.take_id(rank, cell),
            Column::Text => self.take_text(rank, cell),
            Column::Published | Column::Modified => self.take_date(column, rank, When::read(&cell)),
            Column::Cwes => self.take_cwes([cell]),
        }
    }

    /// The record that the row is.
    pub(crate) fn into_record(self, settings: &Settings) -> Result<Record, BadRecord> {
        let id = self.id.map(|(_, id)| id);
        if settings.needs.cve {
            let id = id.as_ref().ok_or(Problem::MissingField("id"))?;
            if id.trim().parse::<CveId>().is_err() {
                return Err(BadRecord::not_a_cve("id", id));
            }
        }
        let mut record = Record::new(id.map(|id| RecordId::new(id.into_owned())), Problem::NoText);
        record.text = match self.text {
            None => Err(Problem::NoText),
            Some((_, text)) => {
                Some(without_nul(text)).filter(|text| !text.trim().is_empty()).ok_or(Problem::Blank)
            }
        };
        record.dates.published = self.published.map(|(_, when)| when).unwrap_or_default();
        record.dates.modified = self.modified.and_then(|(_, when)| when.day());
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
    pub(crate) settings: Settings,
    pub(crate) rows: R,
}

impl<R: Rows> Iterator for RowRecords<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, row) = self.rows.next_row()?;
        let record = row.map_err(BadRecord::from).and_then(|row| row.into_record(&self.settings));
        Some(match record {
            Ok(record) => Ok(Record { file: Arc::clone(&self.file), place, format: self.format, ..record }),
            Err(bad) => Err(bad.at(&self.file, place)),
        })
    }
}
