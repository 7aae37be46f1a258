//! Arrow IPC with named columns: the stream format, and the file format (Feather of the second version).

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};

use super::batch_rows::{BatchRows, columns_of};
use crate::error::CorpusError;
use crate::input::{Content, Opened, spool};
use crate::magic;
use crate::problem::Problem;
use crate::records::Records;
use crate::sources::format::{Context, FileFormat, Settings};
use crate::sources::rows::RowRecords;

/// Arrow IPC.
pub(super) struct Arrow;

impl FileFormat for Arrow {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn about(&self) -> &'static str {
        "Apache Arrow IPC, a stream or a file"
    }

    fn recognises(&self, file: &Opened, _: &Settings) -> bool {
        matches!(file.content, Content::Arrow(_))
    }

    fn open(&self, file: Opened, context: &Context) -> Result<Records, CorpusError> {
        let problem = "is not Arrow IPC; leave out --input-format, so that the format is told by the file";
        let Content::Arrow(text) = file.content else { return Err(file.wrong(problem)) };
        let name = file.name;
        let failed = |message: String| CorpusError::Format {
            file: name.as_ref().to_owned(),
            problem: format!("is not readable Arrow IPC: {message}; write it again"),
        };
        let is_file = text.head().starts_with(magic::ARROW_FILE);
        let mut reader = text.into_reader();
        let (schema, batches): (SchemaRef, Source) = if is_file {
            let file = spool(&mut reader, &context.limits).map_err(|error| failed(error.to_string()))?;
            let reader = guarded(|| FileReader::try_new(file, None)).map_err(failed)?;
            (reader.schema(), Box::new(reader))
        } else {
            let reader: Box<dyn Read + Send> = Box::new(reader);
            let reader = guarded(|| StreamReader::try_new(reader, None)).map_err(failed)?;
            (reader.schema(), Box::new(reader))
        };
        let columns = columns_of(&name, &schema, &context.settings)?;
        let rows = BatchRows::new(Batches { source: batches, done: false }, columns);
        let (format, settings) = (self.name(), context.settings.clone());
        Ok(Records::new(RowRecords { file: name, format, settings, rows }))
    }
}

type Source = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// The batches of a file or stream; a damaged one ends them.
struct Batches {
    source: Source,
    done: bool,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = guarded(|| self.source.next().transpose()).transpose();
        self.done = !matches!(batch, Some(Ok(_)));
        batch.map(|batch| batch.map_err(Problem::Damaged))
    }
}

/// Runs a step of the decoder, which answers some damaged files with a panic.
fn guarded<T>(step: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, String> {
    let result = catch_unwind(AssertUnwindSafe(step)).map_err(|_| "the decoder gave up".to_owned())?;
    result.map_err(|error| error.to_string())
}
