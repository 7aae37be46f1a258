//! Opening Parquet files that others wrote, and their batches of rows.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use crate::error::CorpusError;
use crate::limits::Limits;
use crate::problem::Problem;

/// The types of a file's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Types {
    /// Those of its Parquet schema: pandas' categories and large strings are plain strings.
    OfParquet,
    /// The Arrow types of whoever wrote it.
    OfWriter,
}

/// Opens a file.
pub(crate) fn open(
    name: &str,
    file: File,
    limits: &Limits,
    types: Types,
) -> Result<ParquetRecordBatchReaderBuilder<File>, CorpusError> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(types == Types::OfParquet);
    let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new_with_options(file, options));
    let builder = builder.and_then(|builder| builder.map_err(|error| error.to_string()));
    let builder = builder.map_err(|message| unreadable(name, &message))?;
    let sizes = builder.metadata().row_groups().iter().map(|group| group.total_byte_size());
    let unpacked = sizes.fold(0u64, |sum, size| sum.saturating_add(u64::try_from(size).unwrap_or(u64::MAX)));
    if unpacked > limits.unpacked_bytes {
        let problem =
            format!("unpacks to more than {} bytes, as a decompression bomb would", limits.unpacked_bytes);
        return Err(CorpusError::Format { file: name.to_owned(), problem });
    }
    Ok(builder)
}

/// The batches of rows of a file; a damaged one ends it.
pub(crate) struct Batches {
    reader: ParquetRecordBatchReader,
    done: bool,
}

impl Batches {
    /// The batches that `builder` was set up for; `name` names the file in messages.
    pub(crate) fn new(
        name: &str,
        builder: ParquetRecordBatchReaderBuilder<File>,
    ) -> Result<Self, CorpusError> {
        let reader = guarded(|| builder.build()).and_then(|reader| reader.map_err(|error| error.to_string()));
        let reader = reader.map_err(|message| unreadable(name, &message))?;
        Ok(Self { reader, done: false })
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = match guarded(|| self.reader.next()) {
            Err(message) => Some(Err(message)),
            Ok(batch) => batch.map(|batch| batch.map_err(|error| error.to_string())),
        };
        self.done = !matches!(batch, Some(Ok(_)));
        batch.map(|batch| batch.map_err(Problem::Damaged))
    }
}

fn unreadable(name: &str, message: &str) -> CorpusError {
    let problem = format!(
        "is not a readable Parquet file: {message}; write it again, compressed with snappy or not at all"
    );
    CorpusError::Format { file: name.to_owned(), problem }
}

/// Runs a step of the Parquet decoder, which answers some damaged files with a panic.
fn guarded<T>(step: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| "the decoder gave up".to_owned())
}
