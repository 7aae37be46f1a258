//! Rows of batches of Arrow columns, as Parquet and Arrow files hold them.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::columns;
use crate::error::CorpusError;
use crate::place::Place;
use crate::problem::Problem;
use crate::sources::column_names::{Column, column_of};
use crate::sources::format::Settings;
use crate::sources::rows::{Row, Rows, check_columns};

/// A column's place in its table, its meaning and its rank.
pub(super) type PlacedColumn = (usize, (Column, u8));

/// The rows of some batches.
pub(super) struct BatchRows<B> {
    batches: B,
    batch: Option<RecordBatch>,
    /// Row of `batch` that is read next.
    at: usize,
    number: u64,
    /// The columns of the batches that are read, with their meaning and rank.
    columns: Vec<PlacedColumn>,
}

/// The columns of a table that are read, by their place in it, with their meaning and rank.
///
/// # Errors
/// A table that lacks a column, or one of another type than is read.
pub(super) fn columns_of(
    file: &str,
    schema: &Schema,
    settings: &Settings,
) -> Result<Vec<PlacedColumn>, CorpusError> {
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    check_columns(file, &names, settings)?;
    let mut columns = Vec::new();
    for (place, field) in schema.fields().iter().enumerate() {
        let Some(column) = column_of(field.name(), &settings.columns) else { continue };
        let kind = match column.0 {
            Column::Published | Column::Modified => columns::Kind::Date,
            Column::Cwes => columns::Kind::List,
            Column::Id | Column::Text => columns::Kind::Text,
        };
        columns::check(file, field, kind)?;
        columns.push((place, column));
    }
    Ok(columns)
}

impl<B: Iterator<Item = Result<RecordBatch, Problem>>> BatchRows<B> {
    /// The rows of `batches`, of which `columns` are read.
    pub(super) fn new(batches: B, columns: Vec<PlacedColumn>) -> Self {
        Self { batches, batch: None, at: 0, number: 0, columns }
    }

    /// Makes `batch` one that has a row at `at`, unless there are no more.
    fn fill(&mut self) -> Result<(), Problem> {
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
            self.at = 0;
            self.batch = self.batches.next().transpose()?;
            if self.batch.is_none() {
                break;
            }
        }
        Ok(())
    }
}

impl<B: Iterator<Item = Result<RecordBatch, Problem>>> Rows for BatchRows<B> {
    fn next_row(&mut self) -> Option<(Place, Result<Row<'_>, Problem>)> {
        if let Err(problem) = self.fill() {
            return Some((Place::Whole, Err(problem)));
        }
        let batch = self.batch.as_ref()?;
        let at = self.at;
        self.at = self.at.saturating_add(1);
        self.number = self.number.saturating_add(1);
        Some((Place::Row(self.number), Ok(row(batch, at, &self.columns))))
    }
}

/// The row at a place of a batch.
pub(super) fn row<'a>(batch: &'a RecordBatch, at: usize, columns: &[PlacedColumn]) -> Row<'a> {
    let mut row = Row::default();
    for (place, (column, rank)) in columns {
        let Some(cells) = batch.columns().get(*place) else { continue };
        match column {
            Column::Id | Column::Text => {
                row.take((*column, *rank), columns::text(cells, at).unwrap_or_default());
            }
            Column::Published | Column::Modified => row.take_date(*column, *rank, columns::when(cells, at)),
            Column::Cwes => row.take_cwes(columns::list(cells, at)),
        }
    }
    row
}
