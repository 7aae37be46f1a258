//! Arrow: the rows of Parquet as a stream of record batches (IPC), which another program reads while it is written.

use arrow_ipc::writer::StreamWriter;

use crate::answer::Answer;
use crate::format::Format;
use crate::rendering::{Document, FormatError, Setup};
use crate::row_batches::RowBatches;

pub(super) const FORMAT: Format =
    Format::document("arrow", "The same rows as a stream of Arrow's record batches (IPC)", |setup| {
        Ok(Box::new(ArrowStream::new(setup)?))
    })
    .endings(&["arrows"])
    .own_ending("arrows")
    .media("application/vnd.apache.arrow.stream")
    .binary();

/// Predictions as a stream of Arrow, with the columns of [`ParquetTable`](crate::ParquetTable).
struct ArrowStream {
    rows: RowBatches,
    /// Its bytes are taken out as soon as they are written.
    writer: StreamWriter<Vec<u8>>,
}

impl ArrowStream {
    fn new(setup: &Setup) -> Result<Self, FormatError> {
        let rows = RowBatches::new(setup);
        let writer = StreamWriter::try_new(Vec::new(), rows.schema()).map_err(failed)?;
        Ok(Self { rows, writer })
    }
}

impl Document for ArrowStream {
    fn push(&mut self, answer: &Answer, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if let Some(batch) = self.rows.add(answer).map_err(failed)? {
            self.writer.write(&batch).map_err(failed)?;
        }
        out.append(self.writer.get_mut());
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if let Some(batch) = self.rows.rest().map_err(failed)? {
            self.writer.write(&batch).map_err(failed)?;
        }
        self.writer.finish().map_err(failed)?;
        out.append(self.writer.get_mut());
        Ok(())
    }
}

fn failed(error: impl ToString) -> FormatError {
    FormatError::new("Arrow", &error)
}
