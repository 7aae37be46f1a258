//! The columns of answers: one row for each row of the input.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, Float64Builder, Int16Builder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use vulnlens::report::Answer;
use vulnlens::{LabelSource, Labels, Prediction, Run, ScoredLabel, Task, Tasks, Via};

/// An answer, or the reason why there is none.
pub(crate) type Answered = Result<Arc<Answer>, String>;

/// The text between the entries of the column `via`, as in CSV and Parquet.
const BETWEEN_ENTRIES: &str = " > ";

/// The form of a table of answers.
pub(crate) struct Form {
    pub(crate) schema: SchemaRef,
    tasks: Vec<Task>,
    has_ids: bool,
    has_severity: bool,
    has_other: bool,
}

impl Form {
    /// The form of answers to these tasks; rows without ids have their number in the table, from 0.
    pub(crate) fn new(run: &Run, tasks: Tasks, has_ids: bool, has_severity: bool) -> Self {
        let has_other = matches!(run.labels, LabelSource::Checkpoint { other: true, .. });
        let first = if has_ids {
            Field::new("id", DataType::Utf8, true)
        } else {
            // Numbers have signs, as engines on the Java machine have no others.
            Field::new("row", DataType::Int64, false)
        };
        let mut fields = vec![first, Field::new("outcome", DataType::Utf8, true)];
        let tasks: Vec<Task> = tasks.iter().collect();
        let list = |name: &str, kind| {
            let item = Field::new("item", DataType::Struct(label_fields(kind)), false);
            Field::new(name, DataType::List(Arc::new(item)), true)
        };
        fields.extend(tasks.iter().map(|task| list(task.key(), Kind::of(*task))));
        if has_other {
            fields.push(list("other", Kind::Plain));
        }
        fields.push(Field::new("family", DataType::Struct(family_fields()), true));
        fields.push(Field::new("none", DataType::Struct(none_fields(&tasks)), true));
        if has_severity {
            fields.push(Field::new("severity", DataType::Struct(severity_fields()), true));
        }
        fields.push(Field::new("error", DataType::Utf8, true));
        let versions = &run.versions;
        let facts = [
            ("model", &run.model),
            ("model_revision", &run.model_revision),
            ("cwe", &versions.cwe),
            ("capec", &versions.capec),
            ("attack", &versions.attack),
        ];
        let facts: HashMap<String, String> =
            facts.into_iter().map(|(key, value)| (format!("vulnlens.{key}"), value.clone())).collect();
        let schema = Arc::new(Schema::new(fields).with_metadata(facts));
        Self { schema, tasks, has_ids, has_severity, has_other }
    }

    /// The rows of answers, the first of which is that of the row `first` of the table.
    pub(crate) fn batch(
        &self,
        first: i64,
        ids: Vec<Option<impl AsRef<str>>>,
        answers: &[Answered],
    ) -> Result<RecordBatch, ArrowError> {
        let predictions: Vec<Option<&Prediction>> =
            answers.iter().map(|answer| answer.as_ref().ok().map(|answer| &answer.prediction)).collect();
        let mut columns: Vec<ArrayRef> = vec![];
        columns.push(if self.has_ids {
            Arc::new(StringArray::from_iter(ids))
        } else {
            Arc::new(Int64Array::from_iter_values((first..).take(answers.len())))
        });
        let outcome =
            |prediction: &Option<&Prediction>| prediction.and_then(|p| p.said).map(|said| said.name());
        columns.push(Arc::new(StringArray::from_iter(predictions.iter().map(outcome))));
        for task in &self.tasks {
            columns.push(list_of_task(*task, &predictions)?);
        }
        if self.has_other {
            columns.push(list(Kind::Plain, predictions.iter().map(|p| p.map(|p| &p.other[..])))?);
        }
        columns.push(family(&predictions)?);
        columns.push(self.none(&predictions)?);
        if self.has_severity {
            columns.push(severity(&predictions)?);
        }
        let errors = answers.iter().map(|answer| answer.as_ref().err());
        columns.push(Arc::new(StringArray::from_iter(errors)));
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }

    /// The probabilities that no label of a task applies.
    fn none(&self, predictions: &[Option<&Prediction>]) -> Result<ArrayRef, ArrowError> {
        let column = |task: &Task| {
            let none = |prediction: &Option<&Prediction>| prediction.and_then(|p| none_of(*task, p));
            let mut column = Float32Builder::with_capacity(predictions.len());
            predictions.iter().for_each(|prediction| column.append_option(none(prediction)));
            Arc::new(column.finish()) as ArrayRef
        };
        structs(none_fields(&self.tasks), self.tasks.iter().map(column).collect(), known(predictions))
    }
}

/// The kinds of labels, by the fields that they have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Derived,
    Curated,
}

impl Kind {
    fn of(task: Task) -> Self {
        match task {
            Task::Capec | Task::Attack => Self::Derived,
            Task::AttackCurated => Self::Curated,
            _ => Self::Plain,
        }
    }
}

fn label_fields(kind: Kind) -> Fields {
    let mut fields = vec![
        Field::new("label", DataType::Utf8, false),
        Field::new("score", DataType::Float32, false),
        Field::new("predicted", DataType::Boolean, false),
    ];
    match kind {
        Kind::Plain => {}
        Kind::Derived => fields
            .extend([Field::new("via", DataType::Utf8, true), Field::new("distance", DataType::Int16, true)]),
        Kind::Curated => fields.push(Field::new("role", DataType::Utf8, true)),
    }
    fields.into()
}

fn family_fields() -> Fields {
    vec![Field::new("label", DataType::Utf8, false), Field::new("score", DataType::Float32, false)].into()
}

fn none_fields(tasks: &[Task]) -> Fields {
    tasks.iter().map(|task| Field::new(task.key(), DataType::Float32, true)).collect()
}

fn severity_fields() -> Fields {
    vec![
        Field::new("vector", DataType::Utf8, false),
        Field::new("score", DataType::Float64, false),
        Field::new("severity", DataType::Utf8, false),
        Field::new("confidence", DataType::Float32, false),
    ]
    .into()
}

fn none_of(task: Task, prediction: &Prediction) -> Option<f32> {
    match task {
        Task::Cwe => prediction.cwe.as_ref().map(|labels| labels.none),
        Task::Capec => prediction.capec.as_ref().map(|labels| labels.none),
        Task::Attack => prediction.attack.as_ref().map(|labels| labels.none),
        _ => prediction.attack_curated.as_ref().map(|labels| labels.none),
    }
}

fn list_of_task(task: Task, predictions: &[Option<&Prediction>]) -> Result<ArrayRef, ArrowError> {
    fn labels<L>(labels: Option<&Labels<L>>) -> Option<&[ScoredLabel<L>]> {
        labels.map(|labels| &labels.labels[..])
    }
    let (kind, rows) = (Kind::of(task), predictions.iter());
    match task {
        Task::Cwe => list(kind, rows.map(|p| p.and_then(|p| labels(p.cwe.as_ref())))),
        Task::Capec => list(kind, rows.map(|p| p.and_then(|p| labels(p.capec.as_ref())))),
        Task::Attack => list(kind, rows.map(|p| p.and_then(|p| labels(p.attack.as_ref())))),
        _ => list(kind, rows.map(|p| p.and_then(|p| labels(p.attack_curated.as_ref())))),
    }
}

/// A list of labels for each row; null where there is none.
fn list<'a, L: Display + 'a>(
    kind: Kind,
    rows: impl Iterator<Item = Option<&'a [ScoredLabel<L>]>>,
) -> Result<ArrayRef, ArrowError> {
    let (mut labels, mut scores) = (StringBuilder::new(), Float32Builder::new());
    let (mut via, mut distance, mut role) = (StringBuilder::new(), Int16Builder::new(), StringBuilder::new());
    let (mut predicted, mut lengths, mut is_known) = (vec![], vec![], vec![]);
    for row in rows {
        is_known.push(row.is_some());
        lengths.push(row.map_or(0, <[_]>::len));
        for scored in row.into_iter().flatten() {
            append(&mut labels, &scored.label);
            scores.append_value(scored.score);
            predicted.push(scored.predicted);
            match kind {
                Kind::Plain => {}
                Kind::Derived => {
                    let entries = |via: Via| via.entries().collect::<Vec<_>>().join(BETWEEN_ENTRIES);
                    via.append_option(scored.via.map(entries));
                    distance.append_option(scored.via.map(|via| i16::from(via.distance)));
                }
                Kind::Curated => role.append_option(scored.role.map(|role| role.name())),
            }
        }
    }
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(labels.finish()), Arc::new(scores.finish()), Arc::new(BooleanArray::from(predicted))];
    match kind {
        Kind::Plain => {}
        Kind::Derived => columns.extend([Arc::new(via.finish()) as ArrayRef, Arc::new(distance.finish())]),
        Kind::Curated => columns.push(Arc::new(role.finish())),
    }
    let fields = label_fields(kind);
    let item: FieldRef = Arc::new(Field::new("item", DataType::Struct(fields.clone()), false));
    let values = structs(fields, columns, None)?;
    let list = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, Some(is_known.into()))?;
    Ok(Arc::new(list))
}

/// Appends what a value displays.
fn append(column: &mut StringBuilder, value: &impl Display) {
    // Writing into memory does not fail.
    let _ = write!(column, "{value}");
    column.append_value("");
}

fn family(predictions: &[Option<&Prediction>]) -> Result<ArrayRef, ArrowError> {
    let (mut labels, mut scores, mut is_known) = (StringBuilder::new(), Float32Builder::new(), vec![]);
    for prediction in predictions {
        let family = prediction.and_then(|prediction| prediction.family.as_ref());
        is_known.push(family.is_some());
        append(&mut labels, &family.map(|family| family.label.to_string()).unwrap_or_default());
        scores.append_value(family.map_or(0.0, |family| family.score));
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(labels.finish()), Arc::new(scores.finish())];
    structs(family_fields(), columns, Some(is_known.into()))
}

fn severity(predictions: &[Option<&Prediction>]) -> Result<ArrayRef, ArrowError> {
    let (mut vectors, mut scores) = (StringBuilder::new(), Float64Builder::new());
    let (mut bands, mut confidences, mut is_known) = (StringBuilder::new(), Float32Builder::new(), vec![]);
    for prediction in predictions {
        let severity = prediction.and_then(|prediction| prediction.severity.as_ref()?.as_ref());
        is_known.push(severity.is_some());
        append(&mut vectors, &severity.map(|severity| severity.vector.to_string()).unwrap_or_default());
        scores.append_value(severity.map_or(0.0, |severity| severity.score()));
        append(&mut bands, &severity.map(|severity| severity.band().to_string()).unwrap_or_default());
        confidences.append_value(severity.map_or(0.0, |severity| severity.confidence));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(vectors.finish()),
        Arc::new(scores.finish()),
        Arc::new(bands.finish()),
        Arc::new(confidences.finish()),
    ];
    structs(severity_fields(), columns, Some(is_known.into()))
}

/// The rows that were answered.
fn known(predictions: &[Option<&Prediction>]) -> Option<NullBuffer> {
    Some(predictions.iter().map(Option::is_some).collect::<Vec<_>>().into())
}

fn structs(
    fields: Fields,
    columns: Vec<ArrayRef>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    if columns.is_empty() {
        let length = nulls.as_ref().map_or(0, NullBuffer::len);
        return Ok(Arc::new(StructArray::new_empty_fields(length, nulls)));
    }
    Ok(Arc::new(StructArray::try_new(fields, columns, nulls)?))
}
