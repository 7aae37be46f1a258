//! Rows of Parquet and Arrow as answers: those of one record stand together.

use std::fs::File;
use std::io::BufRead;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::{Array, BooleanArray, Float32Array, RecordBatch, StringArray, UInt8Array};
use arrow_ipc::reader::StreamReader;
use arrow_schema::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use vulnlens_model::{
    Family, LabelMode, LabelSource, Labels, Prediction, Run, Said, ScoredLabel, Task, Tasks,
};
use vulnlens_taxonomy::{CweId, KnowledgeBase, Role, Versions};

use super::CLASSIFY_FIRST;
use super::error::SavedProblem;
use super::line::{ReadAnswer, via};
use crate::answer::{Answer, RecordKey};
use crate::label::{OTHER, SEVERITY};
use crate::rows::{BETWEEN_ENTRIES, FAMILY};

/// The columns that every table of answers has.
const REQUIRED: [&str; 6] = ["taxonomy", "label", "score", "predicted", "model", "revision"];
/// The columns that it may have, and that are read.
const OPTIONAL: [&str; 6] = ["id", "via", "distance", "outcome", "role", "derived"];

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, String>> + Send>;

/// The answers of a table.
pub(super) struct Table {
    batches: Batches,
    batch: Option<Columns>,
    /// The place of the next row in its batch.
    at: usize,
    /// The number of rows that were read.
    rows: u64,
    record: Option<Rows>,
    versions: Versions,
}

impl Table {
    /// The answers of a Parquet file. The Arrow types of its writer are not looked at, so that strings are strings.
    pub(super) fn of_parquet(file: File, kb: &KnowledgeBase) -> Result<Self, SavedProblem> {
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let opened = guarded(|| ParquetRecordBatchReaderBuilder::try_new_with_options(file, options))?;
        let builder = opened.map_err(|error| SavedProblem::Read(error.to_string()))?;
        check_names(builder.schema())?;
        let is_read = |name: &str| REQUIRED.contains(&name) || OPTIONAL.contains(&name);
        let columns = builder.parquet_schema().columns().iter().enumerate();
        let columns: Vec<usize> =
            columns.filter(|(_, column)| is_read(column.name())).map(|(at, _)| at).collect();
        let mask = ProjectionMask::leaves(builder.parquet_schema(), columns);
        let reader = guarded(|| builder.with_projection(mask).with_batch_size(BATCH_ROWS).build())?;
        let reader = reader.map_err(|error| SavedProblem::Read(error.to_string()))?;
        Ok(Self::of(Box::new(reader.map(|batch| batch.map_err(|error| error.to_string()))), kb))
    }

    /// The answers of a stream of Arrow.
    pub(super) fn of_arrow(
        reader: Box<dyn BufRead + Send>,
        kb: &KnowledgeBase,
    ) -> Result<Self, SavedProblem> {
        let opened = guarded(|| StreamReader::try_new(reader, None))?;
        let reader = opened.map_err(|error| SavedProblem::Read(error.to_string()))?;
        check_names(&reader.schema())?;
        Ok(Self::of(Box::new(reader.map(|batch| batch.map_err(|error| error.to_string()))), kb))
    }

    fn of(batches: Batches, kb: &KnowledgeBase) -> Self {
        Self { batches, batch: None, at: 0, rows: 0, record: None, versions: kb.versions().clone() }
    }

    /// The next answer, by its first row; of one that cannot be read, the row that is at fault.
    pub(super) fn next(&mut self, last: Option<&Arc<Run>>) -> Option<(u64, ReadAnswer)> {
        loop {
            match self.batch() {
                Ok(true) => {}
                Ok(false) => return Some(self.record.take()?.finish(&self.versions, last)),
                Err(problem) => {
                    self.record = None;
                    return Some((self.rows, Err(problem)));
                }
            }
            let Some(columns) = &self.batch else { continue };
            let row = columns.row(self.at);
            let is_next = self.record.as_ref().is_some_and(|record| !record.has(&row));
            if is_next && let Some(record) = self.record.take() {
                return Some(record.finish(&self.versions, last));
            }
            self.rows = self.rows.saturating_add(1);
            self.at = self.at.saturating_add(1);
            let rows = self.rows;
            self.record.get_or_insert_with(|| Rows::new(rows, &row)).add(rows, &row);
        }
    }

    /// Makes sure that a row is there; false at the end of the table.
    fn batch(&mut self) -> Result<bool, SavedProblem> {
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.rows) {
            let batches = &mut self.batches;
            let Some(batch) = guarded(|| batches.next())? else { return Ok(false) };
            self.batch = Some(Columns::of(&batch.map_err(SavedProblem::Read)?)?);
            self.at = 0;
        }
        Ok(true)
    }
}

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8192;

/// Runs a step of a decoder; some answer damaged files with a panic.
fn guarded<T>(step: impl FnOnce() -> T) -> Result<T, SavedProblem> {
    catch_unwind(AssertUnwindSafe(step))
        .map_err(|_| SavedProblem::Read("it is damaged, and the decoder gave up".to_owned()))
}

fn check_names(schema: &Schema) -> Result<(), SavedProblem> {
    let has = |name: &&str| schema.column_with_name(name).is_some();
    if REQUIRED.iter().all(has) { Ok(()) } else { Err(SavedProblem::NoAnswers(CLASSIFY_FIRST)) }
}

/// The columns of a batch.
struct Columns {
    rows: usize,
    id: Option<StringArray>,
    taxonomy: StringArray,
    label: StringArray,
    score: Float32Array,
    predicted: BooleanArray,
    model: StringArray,
    revision: StringArray,
    via: Option<StringArray>,
    distance: Option<UInt8Array>,
    outcome: Option<StringArray>,
    role: Option<StringArray>,
    derived: Option<BooleanArray>,
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, SavedProblem> {
        fn optional<A: Array + Clone + 'static>(
            batch: &RecordBatch,
            column: &'static str,
            expected: &'static str,
        ) -> Result<Option<A>, SavedProblem> {
            let Some(array) = batch.column_by_name(column) else { return Ok(None) };
            let found = || array.data_type().to_string();
            let typed = array.as_any().downcast_ref::<A>().cloned();
            typed.map(Some).ok_or_else(|| SavedProblem::Column { column, found: found(), expected })
        }
        fn required<A: Array + Clone + 'static>(
            batch: &RecordBatch,
            column: &'static str,
            expected: &'static str,
        ) -> Result<A, SavedProblem> {
            optional(batch, column, expected)?.ok_or(SavedProblem::NoAnswers(CLASSIFY_FIRST))
        }
        Ok(Self {
            rows: batch.num_rows(),
            id: optional(batch, "id", "Utf8")?,
            taxonomy: required(batch, "taxonomy", "Utf8")?,
            label: required(batch, "label", "Utf8")?,
            score: required(batch, "score", "Float32")?,
            predicted: required(batch, "predicted", "Boolean")?,
            model: required(batch, "model", "Utf8")?,
            revision: required(batch, "revision", "Utf8")?,
            via: optional(batch, "via", "Utf8")?,
            distance: optional(batch, "distance", "UInt8")?,
            outcome: optional(batch, "outcome", "Utf8")?,
            role: optional(batch, "role", "Utf8")?,
            derived: optional(batch, "derived", "Boolean")?,
        })
    }

    /// The row at a place that exists.
    fn row(&self, at: usize) -> Row<'_> {
        fn text(column: Option<&StringArray>, at: usize) -> Option<&str> {
            column.filter(|column| column.is_valid(at)).map(|column| column.value(at))
        }
        let flag = |column: &BooleanArray| column.is_valid(at) && column.value(at);
        Row {
            id: text(self.id.as_ref(), at),
            taxonomy: text(Some(&self.taxonomy), at).unwrap_or_default(),
            label: text(Some(&self.label), at).unwrap_or_default(),
            score: if self.score.is_valid(at) { self.score.value(at) } else { f32::NAN },
            predicted: flag(&self.predicted),
            model: text(Some(&self.model), at).unwrap_or_default(),
            revision: text(Some(&self.revision), at).unwrap_or_default(),
            via: text(self.via.as_ref(), at),
            distance: self.distance.as_ref().filter(|it| it.is_valid(at)).map_or(0, |it| it.value(at)),
            outcome: text(self.outcome.as_ref(), at),
            role: text(self.role.as_ref(), at),
            derived: self.derived.as_ref().map(flag),
        }
    }
}

/// A row.
struct Row<'a> {
    id: Option<&'a str>,
    taxonomy: &'a str,
    label: &'a str,
    score: f32,
    predicted: bool,
    model: &'a str,
    revision: &'a str,
    via: Option<&'a str>,
    distance: u8,
    outcome: Option<&'a str>,
    role: Option<&'a str>,
    derived: Option<bool>,
}

/// The taxonomies in the order of a record's rows.
const ORDER: [&str; 7] = ["cwe", FAMILY, "capec", "attack", "attack_curated", OTHER, SEVERITY];

impl Row<'_> {
    /// The place of the taxonomy in a record; those of later releases are behind all others.
    fn place(&self) -> usize {
        ORDER.iter().position(|known| *known == self.taxonomy).unwrap_or(ORDER.len())
    }
}

/// The rows of a record.
struct Rows {
    first: u64,
    id: Option<String>,
    model: String,
    revision: String,
    prediction: Prediction,
    /// The taxonomy of the last row, by its place.
    place: usize,
    /// The labels of the last row's taxonomy.
    labels: Vec<String>,
    derived: Option<Tasks>,
    problem: Option<(u64, SavedProblem)>,
}

impl Rows {
    fn new(first: u64, row: &Row<'_>) -> Self {
        let mut prediction = Prediction::default();
        prediction.said = Said::ALL.into_iter().find(|said| Some(said.name()) == row.outcome);
        Self {
            first,
            id: row.id.map(str::to_owned),
            model: row.model.to_owned(),
            revision: row.revision.to_owned(),
            prediction,
            place: 0,
            labels: vec![],
            derived: row.derived.map(|_| Tasks::NONE),
            problem: None,
        }
    }

    /// True if a row belongs to the record: its list goes on, or another one that stands behind it begins.
    fn has(&self, row: &Row<'_>) -> bool {
        let goes_on = || {
            let is_again = self.labels.iter().any(|known| known.is_empty() || known == row.label);
            !is_again && ![FAMILY, SEVERITY].contains(&row.taxonomy)
        };
        let is_same =
            self.id.as_deref() == row.id && self.model == row.model && self.revision == row.revision;
        is_same && (row.place() > self.place || row.place() == self.place && goes_on())
    }

    fn add(&mut self, number: u64, row: &Row<'_>) {
        if row.place() != self.place {
            self.labels.clear();
        }
        self.place = row.place();
        self.labels.push(row.label.to_owned());
        if let Err(problem) = self.add_label(row) {
            self.problem.get_or_insert((number, problem));
        }
    }

    fn add_label(&mut self, row: &Row<'_>) -> Result<(), SavedProblem> {
        if !(0.0..=1.0).contains(&row.score) {
            return Err(SavedProblem::field("score", format!("is {}, not from 0 to 1", row.score)));
        }
        let task = Task::ALL.iter().copied().find(|task| task.key() == row.taxonomy);
        if let (Some(task), Some(derived), Some(true)) = (task, &mut self.derived, row.derived) {
            *derived = derived.with(task);
        }
        let prediction = &mut self.prediction;
        let is_tactic = row.label.starts_with("TA");
        match task {
            Some(Task::Cwe) => push(&mut prediction.cwe, row),
            Some(Task::Capec) => push(&mut prediction.capec, row),
            Some(Task::Attack) if is_tactic => push(&mut prediction.attack_tactics, row),
            Some(Task::Attack) => push(&mut prediction.attack, row),
            Some(Task::AttackCurated) if is_tactic => push(&mut prediction.attack_curated_tactics, row),
            Some(Task::AttackCurated) => push(&mut prediction.attack_curated, row),
            _ if row.taxonomy == FAMILY => {
                prediction.family = Some(Family::new(parsed::<CweId>(row)?, row.score, vec![]));
                Ok(())
            }
            _ if row.taxonomy == OTHER => {
                prediction.other.push(ScoredLabel::new(row.label.into(), row.score, row.predicted));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The answer, by its first row.
    fn finish(self, versions: &Versions, last: Option<&Arc<Run>>) -> (u64, ReadAnswer) {
        if let Some((row, problem)) = self.problem {
            return (row, Err(problem));
        }
        let labels = match self.derived {
            Some(derived) => LabelSource::Checkpoint { derived, other: !self.prediction.other.is_empty() },
            None => LabelSource::Spaces(LabelMode::default()),
        };
        let is_same = |run: &&Arc<Run>| {
            run.model == self.model && run.model_revision == self.revision && run.labels == labels
        };
        let new = || Arc::new(Run::new(&self.model, &self.revision, versions.clone(), labels));
        let run = last.filter(is_same).cloned().unwrap_or_else(new);
        (self.first, Ok((Answer::new(key(self.id), self.prediction), run)))
    }
}

/// The key of a record by its id in a table, where that of a record without one is its line: `#7`.
fn key(id: Option<String>) -> RecordKey {
    let line = id.as_deref().and_then(|id| id.strip_prefix('#')?.parse().ok());
    RecordKey { id: id.filter(|_| line.is_none()), line }
}

fn parsed<L: FromStr<Err: ToString>>(row: &Row<'_>) -> Result<L, SavedProblem> {
    let wrong = |error: L::Err| SavedProblem::field("label", format!("is wrong: {}", error.to_string()));
    row.label.parse().map_err(wrong)
}

/// Adds the label of a row; a row without one says that the list is empty.
fn push<L: FromStr<Err: ToString>>(list: &mut Option<Labels<L>>, row: &Row<'_>) -> Result<(), SavedProblem> {
    if row.label.is_empty() {
        list.get_or_insert_with(|| Labels::new(vec![], row.score));
        return Ok(());
    }
    let mut scored = ScoredLabel::new(parsed(row)?, row.score, row.predicted);
    if let Some(entries) = row.via {
        let way = via(entries.split(BETWEEN_ENTRIES), row.distance);
        scored.via = Some(way.ok_or_else(|| SavedProblem::field("via", "is not a way from a weakness"))?);
    }
    scored.role = row.role.and_then(Role::named);
    list.get_or_insert_with(|| Labels::new(vec![], 0.0)).labels.push(scored);
    Ok(())
}
