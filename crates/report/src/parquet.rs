//! Parquet: one row for each label of each record, with the model in the columns, so that files of several runs can
//! be read as one table.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float32Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use vulnlens_model::Prediction;
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use crate::label::Label;
use crate::run::Run;

/// Rows that are gathered before they are encoded.
const BATCH_ROWS: usize = 8192;
/// Rows of a row group: what the writer holds in memory, and what a reader must read at least.
const GROUP_ROWS: usize = 1 << 19;

/// A table that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the Parquet table cannot be written: {0}")]
pub struct ParquetError(String);

impl ParquetError {
    fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Writes predictions as a Parquet table with the columns `id`, `taxonomy`, `label`, `name`, `score`, `predicted`,
/// `model` and `revision`. The order of the rows is that of the records, and in a record that of the JSON Lines.
pub struct ParquetRows<'a, W: Write + Send> {
    kb: &'a KnowledgeBase,
    run: Run,
    schema: Arc<Schema>,
    writer: ArrowWriter<W>,
    rows: Columns,
}

#[derive(Default)]
struct Columns {
    id: StringBuilder,
    taxonomy: StringBuilder,
    label: StringBuilder,
    name: StringBuilder,
    score: Float32Builder,
    predicted: BooleanBuilder,
    count: usize,
}

impl<'a, W: Write + Send> ParquetRows<'a, W> {
    /// Begins a table in `out`.
    ///
    /// # Errors
    /// A failure to write.
    pub fn new(out: W, run: &Run, kb: &'a KnowledgeBase) -> Result<Self, ParquetError> {
        let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
        let schema = Arc::new(Schema::new(vec![
            text("id", true),
            text("taxonomy", false),
            text("label", false),
            text("name", false),
            Field::new("score", DataType::Float32, false),
            Field::new("predicted", DataType::Boolean, false),
            text("model", false),
            text("revision", false),
        ]));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by(format!("vulnlens {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer =
            ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties)).map_err(ParquetError::new)?;
        Ok(Self { kb, run: run.clone(), schema, writer, rows: Columns::default() })
    }

    /// Adds the rows of one record.
    ///
    /// # Errors
    /// A failure to write.
    pub fn push(&mut self, id: Option<&str>, prediction: &Prediction) -> Result<(), ParquetError> {
        self.rows.add::<CweId>(id, prediction, self.kb);
        self.rows.add::<CapecId>(id, prediction, self.kb);
        self.rows.add::<TechniqueId>(id, prediction, self.kb);
        if self.rows.count >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    /// Ends the table and gives the writer back.
    ///
    /// # Errors
    /// A failure to write.
    pub fn finish(mut self) -> Result<W, ParquetError> {
        self.flush()?;
        self.writer.into_inner().map_err(ParquetError::new)
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let count = std::mem::take(&mut self.rows.count);
        let repeated = |text: &str| {
            Arc::new(arrow_array::StringArray::from_iter_values(std::iter::repeat_n(text, count))) as ArrayRef
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.rows.id.finish()),
            Arc::new(self.rows.taxonomy.finish()),
            Arc::new(self.rows.label.finish()),
            Arc::new(self.rows.name.finish()),
            Arc::new(self.rows.score.finish()),
            Arc::new(self.rows.predicted.finish()),
            repeated(&self.run.model),
            repeated(&self.run.model_revision),
        ];
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(ParquetError::new)?;
        self.writer.write(&batch).map_err(ParquetError::new)
    }
}

impl Columns {
    fn add<L: Label>(&mut self, id: Option<&str>, prediction: &Prediction, kb: &KnowledgeBase) {
        for scored in L::of(prediction).into_iter().flat_map(|labels| &labels.labels) {
            self.id.append_option(id);
            self.taxonomy.append_value(L::TAXONOMY);
            self.label.append_value(scored.label.to_string());
            self.name.append_value(scored.label.name(kb));
            self.score.append_value(scored.score);
            self.predicted.append_value(scored.predicted);
            self.count = self.count.saturating_add(1);
        }
    }
}
