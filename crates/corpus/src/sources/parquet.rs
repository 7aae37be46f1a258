//! Parquet with named columns, compressed in any of the usual ways.

use std::fs::File;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ProjectionMask;

use super::batch_rows::{BatchRows, PlacedColumn, columns_of, row};
use crate::error::{CorpusError, RecordError};
use crate::input::{Content, Opened};
use crate::limits::Limits;
use crate::parquet_file::{self, Batches, Types};
use crate::place::Place;
use crate::record::Record;
use crate::records::Records;
use crate::sources::column_names::Column;
use crate::sources::format::{ColumnNames, Context, FileFormat, Settings};
use crate::sources::rows::RowRecords;

/// Parquet.
pub(super) struct Parquet;

impl FileFormat for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn about(&self) -> &'static str {
        "Apache Parquet"
    }

    fn recognises(&self, file: &Opened, _: &Settings) -> bool {
        matches!(file.content, Content::Parquet(_))
    }

    fn open(&self, file: Opened, context: &Context) -> Result<Records, CorpusError> {
        let problem =
            "is not a Parquet file; leave out --input-format, so that the format is told by the file";
        let Content::Parquet(reader) = file.content else { return Err(file.wrong(problem)) };
        let builder = parquet_file::open(&file.name, reader, &context.limits, Types::OfParquet)?;
        let columns = columns_of(&file.name, builder.schema(), &context.settings)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().map(|(place, _)| *place));
        let batches = Batches::new(&file.name, builder.with_projection(mask).with_batch_size(1024))?;
        // A projection keeps the order of the columns.
        let columns = columns.into_iter().map(|(_, column)| column).enumerate().collect();
        let (format, settings) = (self.name(), context.settings.clone());
        let rows = BatchRows::new(batches, columns);
        Ok(Records::new(RowRecords { file: file.name, format, settings, rows }))
    }
}

/// A Parquet table whose rows come with all their columns, for those who write it again.
pub struct ParquetTable {
    file: Arc<str>,
    settings: Settings,
    schema: SchemaRef,
    columns: Vec<PlacedColumn>,
    batches: Batches,
    /// Rows read so far.
    number: u64,
}

/// Rows with all their columns, and the records that they are.
pub type ParquetRows = (RecordBatch, Vec<Result<Record, RecordError>>);

impl ParquetTable {
    /// Opens the table in `file`, which messages call `name`.
    ///
    /// # Errors
    /// The file cannot be read, or has no column of texts.
    pub fn open(name: Arc<str>, file: File, columns: ColumnNames) -> Result<Self, CorpusError> {
        let settings = Settings { columns, ..Settings::default() };
        let builder = parquet_file::open(&name, file, &Limits::default(), Types::OfWriter)?;
        let schema = Arc::clone(builder.schema());
        let columns = columns_of(&name, &schema, &settings)?;
        let batches = Batches::new(&name, builder.with_batch_size(1024))?;
        Ok(Self { file: name, settings, schema, columns, batches, number: 0 })
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The first column of weaknesses.
    #[must_use]
    pub fn weaknesses(&self) -> Option<usize> {
        self.columns.iter().find(|(_, (column, _))| *column == Column::Cwes).map(|(place, _)| *place)
    }

    /// The next rows.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn next_rows(&mut self) -> Result<Option<ParquetRows>, RecordError> {
        let Some(batch) = self.batches.next() else { return Ok(None) };
        let damaged =
            |problem| RecordError { file: Arc::clone(&self.file), place: Place::Whole, id: None, problem };
        let batch = batch.map_err(damaged)?;
        let mut records = Vec::with_capacity(batch.num_rows());
        for at in 0..batch.num_rows() {
            self.number = self.number.saturating_add(1);
            let place = Place::Row(self.number);
            records.push(match row(&batch, at, &self.columns).into_record(&self.settings) {
                Ok(record) => Ok(Record { file: Arc::clone(&self.file), place, format: "parquet", ..record }),
                Err(bad) => Err(bad.at(&self.file, place)),
            });
        }
        Ok(Some((batch, records)))
    }
}
