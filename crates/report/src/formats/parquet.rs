//! Parquet: one row for each label of each record, with the model in the columns, so that files of several runs can
//! be read as one table.

use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::answer::Answer;
use crate::format::Format;
use crate::rendering::{Document, FormatError, Setup};
use crate::row_batches::RowBatches;

pub(super) const FORMAT: Format =
    Format::document("parquet", "The same rows as Parquet", |setup| Ok(Box::new(ParquetTable::new(setup)?)))
        .endings(&["parquet"])
        .media("application/vnd.apache.parquet")
        .binary();

/// Rows of a row group: the part that the writer holds in memory, and that a reader must read at least.
const GROUP_ROWS: usize = 1 << 19;

/// Predictions as a Parquet table with the columns `id`, `taxonomy`, `label`, `name`, `score`, `predicted`, `model` and
/// `revision`; those of a checkpoint with three more: `status` and `replaced_by`, null for a label in force, and
/// `derived`. Behind them stand `via`, `distance`, `outcome` and `role`, null where those of [`Csv`](crate::Csv) are empty.
/// The order of the rows is that of the records, and in a record that of the JSON Lines; ids and the rows of tasks of which nothing is listed are those of [`Csv`](crate::Csv), with null for no id.
pub struct ParquetTable {
    rows: RowBatches,
    /// Its bytes are taken out as soon as they are written.
    writer: ArrowWriter<Vec<u8>>,
}

impl ParquetTable {
    /// The format made ready for a run.
    ///
    /// # Errors
    /// The table cannot be begun.
    pub fn new(setup: &Setup) -> Result<Self, FormatError> {
        let rows = RowBatches::new(setup);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by(format!("vulnlens {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer =
            ArrowWriter::try_new(Vec::new(), Arc::clone(rows.schema()), Some(properties)).map_err(failed)?;
        Ok(Self { rows, writer })
    }
}

impl Document for ParquetTable {
    fn push(&mut self, answer: &Answer, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if let Some(batch) = self.rows.add(answer).map_err(failed)? {
            self.writer.write(&batch).map_err(failed)?;
        }
        out.append(self.writer.inner_mut());
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if let Some(batch) = self.rows.rest().map_err(failed)? {
            self.writer.write(&batch).map_err(failed)?;
        }
        out.append(&mut self.writer.into_inner().map_err(failed)?);
        Ok(())
    }
}

fn failed(error: impl ToString) -> FormatError {
    FormatError::new("Parquet", &error)
}
