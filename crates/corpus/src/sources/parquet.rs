//! Parquet with named columns, compressed in any of the usual ways.

use parquet::arrow::ProjectionMask;

use super::batch_rows::{BatchRows, columns_of};
use crate::error::CorpusError;
use crate::input::{Content, Opened};
use crate::parquet_file::{self, Batches};
use crate::records::Records;
use crate::sources::format::{Context, FileFormat, Settings};
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
        let builder = parquet_file::open(&file.name, reader, &context.limits)?;
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
