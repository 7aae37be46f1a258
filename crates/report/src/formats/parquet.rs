//! Parquet: one row for each label of each record, with the model in the columns, so that files of several runs can
//! be read as one table.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float32Builder, StringBuilder, UInt8Builder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use vulnlens_model::{Run, Tasks, Via};
use vulnlens_taxonomy::KnowledgeBase;

use crate::answer::Answer;
use crate::format::Format;
use crate::rendering::{Document, FormatError, Setup};
use crate::rows::{BETWEEN_ENTRIES, More, Row, derived, each_row};

pub(super) const FORMAT: Format =
    Format::document("parquet", "The same rows as Parquet", |setup| Ok(Box::new(ParquetTable::new(setup)?)))
        .endings(&["parquet"])
        .binary();

/// Rows that are gathered before they are encoded.
const BATCH_ROWS: usize = 8192;
/// Rows of a row group: the part that the writer holds in memory, and that a reader must read at least.
const GROUP_ROWS: usize = 1 << 19;

/// Predictions as a Parquet table with the columns `id`, `taxonomy`, `label`, `name`, `score`, `predicted`, `model` and
/// `revision`; those of a checkpoint with three more: `status` and `replaced_by`, null for a label in force, and
/// `derived`. Behind them stand `via`, `distance`, `outcome` and `role`, null where those of [`Csv`](crate::Csv) are empty.
/// The order of the rows is that of the records, and in a record that of the JSON Lines; ids and the rows of tasks of which nothing is listed are those of [`Csv`](crate::Csv), with null for no id.
pub struct ParquetTable {
    kb: Arc<KnowledgeBase>,
    run: Run,
    derived: Option<Tasks>,
    schema: Arc<Schema>,
    /// Its bytes are taken out as soon as they are written.
    writer: ArrowWriter<Vec<u8>>,
    rows: Columns,
}

#[derive(Default)]
struct Columns {
    id: StringBuilder,
    texts: [StringBuilder; 3],
    score: Float32Builder,
    predicted: BooleanBuilder,
    count: usize,
    more: MoreColumns,
    via: StringBuilder,
    distance: UInt8Builder,
    outcome: StringBuilder,
    role: StringBuilder,
}

/// The columns that a checkpoint has more.
#[derive(Default)]
struct MoreColumns {
    status: StringBuilder,
    replaced_by: StringBuilder,
    derived: BooleanBuilder,
}

impl ParquetTable {
    /// The format made ready for a run.
    ///
    /// # Errors
    /// The table cannot be begun.
    pub fn new(setup: &Setup) -> Result<Self, FormatError> {
        let derived = derived(setup.run.labels);
        let schema = schema(derived.is_some());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by(format!("vulnlens {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer =
            ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties)).map_err(failed)?;
        let (kb, run) = (Arc::clone(&setup.kb), setup.run.clone());
        Ok(Self { kb, run, derived, schema, writer, rows: Columns::default() })
    }

    /// Encodes the rows gathered so far.
    fn encode(&mut self) -> Result<(), FormatError> {
        let count = self.rows.count;
        let repeated = |text: &str| {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, count))) as ArrayRef
        };
        let model = [repeated(&self.run.model), repeated(&self.run.model_revision)];
        let columns = self.rows.finish(model, self.derived.is_some());
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(failed)?;
        self.writer.write(&batch).map_err(failed)
    }
}

impl Document for ParquetTable {
    fn push(&mut self, answer: &Answer, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let id = answer.record.text();
        each_row(&answer.prediction, &self.kb, self.derived, |row| self.rows.add(id.as_deref(), &row));
        if self.rows.count >= BATCH_ROWS {
            self.encode()?;
        }
        out.append(self.writer.inner_mut());
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.encode()?;
        out.append(&mut self.writer.into_inner().map_err(failed)?);
        Ok(())
    }
}

fn failed(error: impl ToString) -> FormatError {
    FormatError::new("Parquet", &error)
}

fn schema(is_of_checkpoint: bool) -> Arc<Schema> {
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
    if is_of_checkpoint {
        let derived = Field::new("derived", DataType::Boolean, false);
        fields.extend([text("status", true), text("replaced_by", true), derived]);
    }
    fields.extend([text("via", true), Field::new("distance", DataType::UInt8, true)]);
    fields.extend([text("outcome", true), text("role", true)]);
    Arc::new(Schema::new(fields))
}

impl Columns {
    fn add(&mut self, id: Option<&str>, row: &Row<'_>) {
        self.id.append_option(id);
        for (column, text) in self.texts.iter_mut().zip(row.texts) {
            column.append_value(text);
        }
        self.score.append_value(row.score);
        self.predicted.append_value(row.predicted);
        self.count = self.count.saturating_add(1);
        if let Some(More { mark, derived }) = row.more {
            let by = mark.and_then(|mark| mark.replaced_by).map(|id| id.to_string());
            self.more.status.append_option(mark.map(|mark| mark.status));
            self.more.replaced_by.append_option(by);
            self.more.derived.append_value(derived);
        }
        let entries = |via: Via| via.entries().collect::<Vec<_>>().join(BETWEEN_ENTRIES);
        self.via.append_option(row.via.map(entries));
        self.distance.append_option(row.via.map(|via| via.distance));
        self.outcome.append_option(row.outcome);
        self.role.append_option(row.role);
    }

    /// The columns of the rows added so far, in the order of the schema, with those of the model.
    fn finish(&mut self, model: [ArrayRef; 2], is_of_checkpoint: bool) -> Vec<ArrayRef> {
        self.count = 0;
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.id.finish())];
        columns.extend(self.texts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend([Arc::new(self.score.finish()) as ArrayRef, Arc::new(self.predicted.finish())]);
        columns.extend(model);
        if is_of_checkpoint {
            let MoreColumns { status, replaced_by, derived } = &mut self.more;
            columns.extend([Arc::new(status.finish()) as ArrayRef, Arc::new(replaced_by.finish())]);
            columns.push(Arc::new(derived.finish()));
        }
        columns.extend([Arc::new(self.via.finish()) as ArrayRef, Arc::new(self.distance.finish())]);
        columns.extend([Arc::new(self.outcome.finish()) as ArrayRef, Arc::new(self.role.finish())]);
        columns
    }
}
