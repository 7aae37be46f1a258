//! Rows of predictions as Arrow's record batches: Parquet and Arrow hold the same.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float32Builder, StringBuilder, UInt8Builder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use vulnlens_model::{Run, Tasks, Via};
use vulnlens_taxonomy::KnowledgeBase;

use crate::answer::Answer;
use crate::rendering::Setup;
use crate::rows::{BETWEEN_ENTRIES, More, Row, derived, each_row};

/// Rows that are gathered before they are encoded.
const BATCH_ROWS: usize = 8192;

/// Rows of answers, gathered into batches. The order of the rows is that of the records, and in a record that of the JSON
/// Lines.
pub(crate) struct RowBatches {
    kb: Arc<KnowledgeBase>,
    run: Run,
    derived: Option<Tasks>,
    schema: Arc<Schema>,
    rows: Columns,
}

impl RowBatches {
    /// No rows yet of a run.
    pub(crate) fn new(setup: &Setup) -> Self {
        let derived = derived(setup.run.labels);
        let (kb, run) = (Arc::clone(&setup.kb), setup.run.clone());
        Self { kb, run, derived, schema: schema(derived.is_some()), rows: Columns::default() }
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Adds the rows of an answer; the result is a batch that is full.
    pub(crate) fn add(&mut self, answer: &Answer) -> Result<Option<RecordBatch>, ArrowError> {
        let id = answer.record.text();
        each_row(&answer.prediction, &self.kb, self.derived, |row| self.rows.add(id.as_deref(), &row));
        if self.rows.count >= BATCH_ROWS { self.rest() } else { Ok(None) }
    }

    /// The rows that are in no batch yet.
    pub(crate) fn rest(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let count = self.rows.count;
        if count == 0 {
            return Ok(None);
        }
        let repeated = |text: &str| {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, count))) as ArrayRef
        };
        let model = [repeated(&self.run.model), repeated(&self.run.model_revision)];
        let columns = self.rows.finish(model, self.derived.is_some());
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map(Some)
    }
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
