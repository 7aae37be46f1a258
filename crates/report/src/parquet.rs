//! Parquet: one row for each label of each record, with the model in the columns, so that files of several runs can
//! be read as one table.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use arrow_array::builder::{BooleanBuilder, Float32Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use vulnlens_model::{LabelSource, Labels, Prediction, Run, ScoredLabel, Tasks};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use crate::csv::NONE_OF_THEM;
use crate::label::{Label, OTHER, name_of_other};
use crate::mark::Mark;
use crate::record_key::RecordKey;

/// Rows that are gathered before they are encoded.
const BATCH_ROWS: usize = 8192;
/// Rows of a row group: what the writer holds in memory, and what a reader must read at least.
const GROUP_ROWS: usize = 1 << 19;

/// A table that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the Parquet table cannot be written: {message}")]
pub struct ParquetError {
    message: String,
    kind: Option<io::ErrorKind>,
}

impl ParquetError {
    /// What went wrong in the writer, if it was the writer that failed: a closed pipe is no fault of the table's.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        self.kind
    }
}

/// A writer that remembers why it failed, which the encoder's errors do not always say.
struct Watched<W> {
    inner: W,
    failed: Arc<OnceLock<io::ErrorKind>>,
}

impl<W> Watched<W> {
    fn remember(&self, error: &io::Error) {
        if error.kind() != io::ErrorKind::Interrupted {
            self.failed.get_or_init(|| error.kind());
        }
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes).inspect_err(|error| self.remember(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush().inspect_err(|error| self.remember(error))
    }
}

/// Writes predictions as a Parquet table with the columns `id`, `taxonomy`, `label`, `name`, `score`, `predicted`,
/// `model` and `revision`; those of a checkpoint with three more: `status` and `replaced_by`, null for a label in force,
/// and `derived`. The order of the rows is that of the records, and in a record that of the JSON Lines; ids and
/// the rows of taxonomies of which nothing is listed are those of [`Csv`](crate::Csv), with null for no id.
pub struct ParquetRows<'a, W: Write + Send> {
    kb: &'a KnowledgeBase,
    run: Run,
    schema: Arc<Schema>,
    writer: ArrowWriter<Watched<W>>,
    failed: Arc<OnceLock<io::ErrorKind>>,
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
    /// The columns that a checkpoint has more.
    marks: Option<MarkColumns>,
}

struct MarkColumns {
    status: StringBuilder,
    replaced_by: StringBuilder,
    derived: BooleanBuilder,
    /// The tasks whose labels follow by the chain.
    by_chain: Tasks,
}

impl<'a, W: Write + Send> ParquetRows<'a, W> {
    /// Begins a table in `out`.
    ///
    /// # Errors
    /// A failure to write.
    pub fn new(out: W, run: &Run, kb: &'a KnowledgeBase) -> Result<Self, ParquetError> {
        let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
        let mut fields = vec![
            text("id", true),
            text("taxonomy", false),
            text("label", false),
            text("name", false),
            Field::new("score", DataType::Float32, false),
            Field::new("predicted", DataType::Boolean, false),
            text("model", false),
            text("revision", false),
        ];
        let mut rows = Columns::default();
        if let LabelSource::Checkpoint { derived, .. } = run.labels {
            let derived_field = Field::new("derived", DataType::Boolean, false);
            fields.extend([text("status", true), text("replaced_by", true), derived_field]);
            rows.marks = Some(MarkColumns::new(derived));
        }
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by(format!("vulnlens {}", env!("CARGO_PKG_VERSION")))
            .build();
        let failed = Arc::new(OnceLock::new());
        let out = Watched { inner: out, failed: Arc::clone(&failed) };
        let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))
            .map_err(|error| told(&error, &failed))?;
        Ok(Self { kb, run: run.clone(), schema, writer, failed, rows })
    }

    /// Adds the rows of one record.
    ///
    /// # Errors
    /// A failure to write.
    pub fn push(&mut self, record: RecordKey<'_>, prediction: &Prediction) -> Result<(), ParquetError> {
        let id = record.text();
        let id = id.as_deref();
        self.rows.add::<CweId>(id, prediction, self.kb);
        self.rows.add::<CapecId>(id, prediction, self.kb);
        self.rows.add::<TechniqueId>(id, prediction, self.kb);
        self.rows.add_others(id, prediction, self.kb);
        if self.rows.count >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    /// Ends the table and gives the writer back.
    ///
    /// # Errors
    /// A failure to write.
    pub fn finish(mut self) -> Result<W, ParquetError> {
        self.flush()?;
        let Self { writer, failed, .. } = self;
        writer.into_inner().map(|out| out.inner).map_err(|error| told(&error, &failed))
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let count = std::mem::take(&mut self.rows.count);
        let repeated = |text: &str| {
            Arc::new(arrow_array::StringArray::from_iter_values(std::iter::repeat_n(text, count))) as ArrayRef
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.rows.id.finish()),
            Arc::new(self.rows.taxonomy.finish()),
            Arc::new(self.rows.label.finish()),
            Arc::new(self.rows.name.finish()),
            Arc::new(self.rows.score.finish()),
            Arc::new(self.rows.predicted.finish()),
            repeated(&self.run.model),
            repeated(&self.run.model_revision),
        ];
        columns.extend(self.rows.marks.iter_mut().flat_map(MarkColumns::finish));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|error| told(&error, &self.failed))?;
        self.writer.write(&batch).map_err(|error| told(&error, &self.failed))
    }
}

/// The encoder's error, with what the writer remembers of it.
fn told(error: &dyn std::error::Error, failed: &OnceLock<io::ErrorKind>) -> ParquetError {
    ParquetError { message: error.to_string(), kind: failed.get().copied() }
}

impl Columns {
    fn add<L: Label>(&mut self, id: Option<&str>, prediction: &Prediction, kb: &KnowledgeBase) {
        let Some(Labels { labels, none, .. }) = L::of(prediction) else { return };
        let is_derived = self.marks.as_ref().is_some_and(|marks| marks.by_chain.contains(L::TASK));
        for ScoredLabel { label, score, predicted, .. } in labels {
            self.add_row(id, [L::TASK.key(), &label.to_string(), &label.name(kb)], *score, *predicted);
            self.add_mark(|| Mark::of(label.standing(kb)), is_derived);
        }
        if labels.is_empty() {
            self.add_row(id, [L::TASK.key(), "", NONE_OF_THEM], *none, false);
            self.add_mark(|| None, is_derived);
        }
    }

    fn add_others(&mut self, id: Option<&str>, prediction: &Prediction, kb: &KnowledgeBase) {
        for ScoredLabel { label, score, predicted, .. } in &prediction.other {
            self.add_row(id, [OTHER, label, name_of_other(label, kb)], *score, *predicted);
            self.add_mark(|| None, false);
        }
    }

    fn add_row(&mut self, id: Option<&str>, [taxonomy, label, name]: [&str; 3], score: f32, predicted: bool) {
        self.id.append_option(id);
        self.taxonomy.append_value(taxonomy);
        self.label.append_value(label);
        self.name.append_value(name);
        self.score.append_value(score);
        self.predicted.append_value(predicted);
        self.count = self.count.saturating_add(1);
    }

    fn add_mark(&mut self, mark: impl FnOnce() -> Option<Mark>, is_derived: bool) {
        let Some(marks) = &mut self.marks else { return };
        let mark = mark();
        marks.status.append_option(mark.map(|mark| mark.status));
        marks.replaced_by.append_option(mark.and_then(|mark| mark.replaced_by).map(|id| id.to_string()));
        marks.derived.append_value(is_derived);
    }
}

impl MarkColumns {
    fn new(by_chain: Tasks) -> Self {
        Self {
            status: StringBuilder::new(),
            replaced_by: StringBuilder::new(),
            derived: BooleanBuilder::new(),
            by_chain,
        }
    }

    fn finish(&mut self) -> [ArrayRef; 3] {
        [Arc::new(self.status.finish()), Arc::new(self.replaced_by.finish()), Arc::new(self.derived.finish())]
    }
}
