//! Parquet with named columns: `description` (or `text`) and, if known, `id`, `published`, `cwes`.

use std::borrow::Cow;
use std::fs::File;

use arrow_array::{Array, RecordBatch};
use parquet::arrow::ProjectionMask;

use super::rows::{CWES, Column, ID, MODIFIED, PUBLISHED, Row, Rows, TEXT, When};
use crate::columns;
use crate::error::{CorpusError, Place, Problem};
use crate::limits::Limits;
use crate::parquet_file::{self, Batches};

/// The rows of a Parquet file.
pub(crate) struct ParquetRows {
    batches: Batches,
    batch: Option<RecordBatch>,
    /// Row of `batch` that is read next.
    at: usize,
    number: u64,
    names: Names,
    columns: Vec<String>,
}

/// The columns' names, as far as they exist.
struct Names {
    id: Option<&'static str>,
    published: Option<&'static str>,
    modified: Option<&'static str>,
    text: &'static str,
    cwes: Option<&'static str>,
}

impl ParquetRows {
    /// Opens the file, and refuses one without a column of texts.
    pub(crate) fn new(file: &str, reader: File, limits: &Limits) -> Result<Self, CorpusError> {
        let builder = parquet_file::open(file, reader, limits)?;
        let fields = builder.schema().fields();
        let all: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let find =
            |column: Column| column.0.iter().copied().find(|name| all.iter().any(|other| other == name));
        let Some(text) = find(TEXT) else {
            let (file, column) = (file.to_owned(), TEXT.0.join(" or "));
            return Err(CorpusError::MissingColumn { file, column, columns: all });
        };
        let names = Names {
            id: find(ID),
            published: find(PUBLISHED),
            modified: find(MODIFIED),
            text,
            cwes: find(CWES),
        };
        let chosen = [names.id, names.published, names.modified, Some(text), names.cwes];
        let roots: Vec<usize> =
            chosen.iter().flatten().filter_map(|name| all.iter().position(|other| other == name)).collect();
        for (root, kinds) in
            roots.iter().filter_map(|root| Some((fields.get(*root)?, kinds(fields.get(*root)?.name()))))
        {
            columns::check(file, root, kinds)?;
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let batches = Batches::new(file, builder.with_projection(mask).with_batch_size(1024))?;
        Ok(Self { batches, batch: None, at: 0, number: 0, names, columns: all })
    }

    /// The names of all columns.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Makes `batch` one that has a row at `at`, unless the file has no more.
    fn fill(&mut self) -> Result<(), Problem> {
        while self.batch.as_ref().is_some_and(|batch| self.at >= batch.num_rows()) || self.batch.is_none() {
            self.at = 0;
            match self.batches.next() {
                Some(batch) => self.batch = Some(batch?),
                None => {
                    self.batch = None;
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// What a column may hold.
fn kinds(name: &str) -> columns::Kind {
    let one_of = |column: Column| column.0.contains(&name);
    match name {
        _ if one_of(PUBLISHED) || one_of(MODIFIED) => columns::Kind::Date,
        _ if one_of(CWES) => columns::Kind::List,
        _ => columns::Kind::Text,
    }
}

impl Rows for ParquetRows {
    fn next_row(&mut self) -> Option<Result<Row<'_>, (Place, Problem)>> {
        if let Err(problem) = self.fill() {
            return Some(Err((Place::Whole, problem)));
        }
        let batch = self.batch.as_ref()?;
        let at = self.at;
        self.at = self.at.saturating_add(1);
        self.number = self.number.saturating_add(1);
        let place = Place::Row(self.number);
        Some(row(batch, at, self.number, &self.names).map_err(|problem| (place, problem)))
    }

    fn place(&self, number: u64) -> Place {
        Place::Row(number)
    }
}

fn row<'a>(batch: &'a RecordBatch, at: usize, number: u64, names: &Names) -> Result<Row<'a>, Problem> {
    let column = |name: Option<&str>| {
        name.and_then(|name| batch.column_by_name(name)).map(|column| column as &dyn Array)
    };
    let text = |name| column(name).and_then(|column| columns::text(column, at));
    let when = |name| column(name).map_or(When::Unknown, |column| columns::when(column, at));
    Ok(Row {
        number,
        id: text(names.id).filter(|id| !id.trim().is_empty()),
        published: when(names.published),
        modified: when(names.modified).day(),
        text: text(Some(names.text)).or(Some(Cow::Borrowed(""))),
        cwes: column(names.cwes).map(|column| columns::list(column, at)).unwrap_or_default(),
    })
}
