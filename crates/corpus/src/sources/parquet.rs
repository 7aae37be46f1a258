//! Parquet with named columns: `description` (or `text`) and, if known, `id`, `published`, `cwes`.

use std::borrow::Cow;
use std::fs::File;

use arrow_array::{Array, RecordBatch};
use parquet::arrow::ProjectionMask;

use crate::columns;
use crate::date::When;
use crate::error::{CorpusError, Problem};
use crate::input::{Content, Opened};
use crate::parquet_file::{self, Batches};
use crate::place::Place;
use crate::records::Records;
use crate::sources::format::{Context, FileFormat, Needs};
use crate::sources::rows::{
    CWES, Column, ID, MODIFIED, PUBLISHED, Row, RowRecords, Rows, TEXT, check_columns,
};

/// Parquet.
pub(super) struct Parquet;

impl FileFormat for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn about(&self) -> &'static str {
        "Apache Parquet"
    }

    fn recognises(&self, file: &Opened, _: Needs) -> bool {
        matches!(file.content, Content::Parquet(_))
    }

    fn open(&self, file: Opened, context: &Context) -> Result<Records, CorpusError> {
        let problem = "is not a Parquet file; leave the format to be told, or make a data set with `vulnlens data build`";
        let Content::Parquet(reader) = file.content else { return Err(file.wrong(problem)) };
        let rows = ParquetRows::new(&file.name, reader, context)?;
        let (format, needs) = (self.name(), context.needs);
        Ok(Records::new(RowRecords { file: file.name, format, needs, rows }))
    }
}

/// The rows of a Parquet file.
struct ParquetRows {
    batches: Batches,
    batch: Option<RecordBatch>,
    /// Row of `batch` that is read next.
    at: usize,
    number: u64,
    names: Names,
}

/// The columns' names, as far as they exist.
struct Names {
    id: Option<&'static str>,
    published: Option<&'static str>,
    modified: Option<&'static str>,
    text: Option<&'static str>,
    cwes: Option<&'static str>,
}

impl ParquetRows {
    /// Opens the file, and refuses one that lacks a column.
    fn new(file: &str, reader: File, context: &Context) -> Result<Self, CorpusError> {
        let builder = parquet_file::open(file, reader, &context.limits)?;
        let fields = builder.schema().fields();
        let all: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        check_columns(file, &all, context.needs)?;
        let find =
            |column: Column| column.0.iter().copied().find(|name| all.iter().any(|other| other == name));
        let names = Names {
            id: find(ID),
            published: find(PUBLISHED),
            modified: find(MODIFIED),
            text: find(TEXT),
            cwes: find(CWES),
        };
        let chosen = [names.id, names.published, names.modified, names.text, names.cwes];
        let roots: Vec<usize> =
            chosen.iter().flatten().filter_map(|name| all.iter().position(|other| other == name)).collect();
        for (root, kinds) in
            roots.iter().filter_map(|root| Some((fields.get(*root)?, kinds(fields.get(*root)?.name()))))
        {
            columns::check(file, root, kinds)?;
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let batches = Batches::new(file, builder.with_projection(mask).with_batch_size(1024))?;
        Ok(Self { batches, batch: None, at: 0, number: 0, names })
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

/// The kind of values that a column may hold.
fn kinds(name: &str) -> columns::Kind {
    let one_of = |column: Column| column.0.contains(&name);
    match name {
        _ if one_of(PUBLISHED) || one_of(MODIFIED) => columns::Kind::Date,
        _ if one_of(CWES) => columns::Kind::List,
        _ => columns::Kind::Text,
    }
}

impl Rows for ParquetRows {
    fn next_row(&mut self) -> Option<(Place, Result<Row<'_>, Problem>)> {
        if let Err(problem) = self.fill() {
            return Some((Place::Whole, Err(problem)));
        }
        let batch = self.batch.as_ref()?;
        let at = self.at;
        self.at = self.at.saturating_add(1);
        self.number = self.number.saturating_add(1);
        Some((Place::Row(self.number), Ok(row(batch, at, &self.names))))
    }
}

fn row<'a>(batch: &'a RecordBatch, at: usize, names: &Names) -> Row<'a> {
    let column = |name: Option<&str>| {
        name.and_then(|name| batch.column_by_name(name)).map(|column| column as &dyn Array)
    };
    let text = |name| column(name).and_then(|column| columns::text(column, at));
    let when = |name| column(name).map_or(When::Unknown, |column| columns::when(column, at));
    Row {
        id: text(names.id).filter(|id| !id.trim().is_empty()),
        published: when(names.published),
        modified: when(names.modified).day(),
        text: text(names.text).or(Some(Cow::Borrowed(""))),
        cwes: column(names.cwes).map(|column| columns::list(column, at)).unwrap_or_default(),
    }
}
