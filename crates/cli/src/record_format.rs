//! `--format`: how records are written, and what the workers do for it.

use std::io;

use clap::ValueEnum;
use vulnlens::model::Outputs;
use vulnlens::report::{Csv, JsonLines, ParquetError, ParquetRows, RecordKey, Run, Table, TableLayout};
use vulnlens::{
    Classifier, CweId, Input, KnowledgeBase, LabelMode, LabelSource, Options, PredictBuffers, Prediction,
    Prepared, ScoredLabel, Task,
};

use crate::failure::{Failure, Kind};
use crate::output::Output;

/// Weaknesses as assigned that a table knows of: the chain's ways begin with them.
const ASSIGNED: usize = 10;

/// Formats of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordFormat {
    /// A short table for people
    Table,
    /// One JSON object a record: record output, version 1
    Jsonl,
    /// One row for each label of each record
    Csv,
    /// The same rows as Parquet
    Parquet,
}

impl RecordFormat {
    /// The format that a file's name asks for.
    pub(crate) fn of_name(name: &std::path::Path) -> Option<Self> {
        match name.extension()?.to_str()? {
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Which record of the input an answer belongs to.
#[derive(Default)]
pub(crate) struct OwnedKey {
    pub(crate) id: Option<String>,
    /// None for what comes from no file and no stream.
    pub(crate) line: Option<u64>,
}

impl OwnedKey {
    pub(crate) fn borrowed(&self) -> RecordKey<'_> {
        RecordKey { id: self.id.as_deref(), line: self.line }
    }
}

/// A record's answer.
pub(crate) struct Answer {
    /// Whose answer it is.
    pub(crate) key: OwnedKey,
    /// What the model says.
    pub(crate) prediction: Prediction,
    /// For tables, the best weaknesses as records assign them.
    pub(crate) assigned: Vec<ScoredLabel<CweId>>,
}

/// Answers records in a format: tables also need what the weaknesses are as records assign them.
pub(crate) struct Answerer {
    prepared: Prepared,
    assigned: Assigned,
    buffers: PredictBuffers,
}

/// The source of the weaknesses as assigned.
#[derive(Clone)]
enum Assigned {
    /// Nobody asks for them.
    Unasked,
    /// Another label space of the same model.
    Space(Prepared),
    /// The checkpoint's own answer, which may not be asked for itself.
    Answer { asked: bool },
}

impl Answerer {
    pub(crate) fn new(classifier: &Classifier, options: &Options, format: RecordFormat) -> Self {
        let (mut options, mut assigned) = (*options, Assigned::Unasked);
        match classifier.network().outputs() {
            _ if format != RecordFormat::Table => {}
            Outputs::CweSets(_) => {
                let of_assigned = options.labels(LabelMode::Assigned).tasks(Task::Cwe).top_k(ASSIGNED);
                assigned = Assigned::Space(classifier.prepare(&of_assigned));
            }
            _ => {
                assigned = Assigned::Answer { asked: options.tasks.contains(Task::Cwe) };
                options.tasks = options.tasks.with(Task::Cwe);
            }
        }
        Self { prepared: classifier.prepare(&options), assigned, buffers: PredictBuffers::default() }
    }

    /// Another one for another thread, which shares all that was made ready.
    pub(crate) fn another(&self) -> Self {
        let (prepared, assigned) = (self.prepared.clone(), self.assigned.clone());
        Self { prepared, assigned, buffers: PredictBuffers::default() }
    }

    /// The number of texts that are longer than the model reads.
    pub(crate) fn count_cut(&self, inputs: &[Input<'_>]) -> u64 {
        inputs.iter().filter(|input| self.prepared.is_cut(input)).count() as u64
    }

    pub(crate) fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The answers of records, given as inputs and, one for each, keys.
    pub(crate) fn answer(
        &mut self,
        inputs: &[Input<'_>],
        keys: impl IntoIterator<Item = OwnedKey>,
    ) -> Vec<Answer> {
        let mut predictions = self.prepared.predict_batch(inputs, &mut self.buffers);
        let assigned: Vec<Vec<ScoredLabel<CweId>>> = match &self.assigned {
            Assigned::Unasked => Vec::new(),
            Assigned::Space(space) => {
                let assigned = space.predict_batch(inputs, &mut self.buffers).into_iter();
                assigned.map(|prediction| prediction.cwe.map_or(vec![], |cwe| cwe.labels)).collect()
            }
            Assigned::Answer { asked } => {
                predictions.iter_mut().map(|prediction| own_assigned(prediction, *asked)).collect()
            }
        };
        let cwes = assigned.into_iter().chain(std::iter::repeat_with(Vec::new));
        let answers = keys.into_iter().zip(predictions).zip(cwes);
        answers.map(|((key, prediction), assigned)| Answer { key, prediction, assigned }).collect()
    }
}

/// The best weaknesses of a checkpoint's own answer, which is dropped if it was not asked for.
fn own_assigned(prediction: &mut Prediction, asked: bool) -> Vec<ScoredLabel<CweId>> {
    let labels = prediction.cwe.iter().flat_map(|cwe| &cwe.labels);
    let best = labels.take(ASSIGNED).copied().collect();
    if !asked {
        prediction.cwe = None;
    }
    best
}

/// Answers on their way to the output.
pub(crate) enum Rendered {
    /// Bytes of the output, with ANSI styles in tables alone.
    Bytes(Vec<u8>),
    /// Answers for a format whose file is written in one piece.
    Answers(Vec<Answer>),
}

/// What turns answers into bytes; workers share it.
pub(crate) enum Renderer {
    Table(TableLayout, LabelSource),
    Jsonl(Box<JsonLines>),
    Csv(LabelSource),
    Parquet,
}

impl Renderer {
    pub(crate) fn new(format: RecordFormat, layout: TableLayout, run: &Run, kb: &KnowledgeBase) -> Self {
        match format {
            RecordFormat::Table => Self::Table(layout, run.labels),
            RecordFormat::Jsonl => Self::Jsonl(Box::new(JsonLines::new(run, kb))),
            RecordFormat::Csv => Self::Csv(run.labels),
            RecordFormat::Parquet => Self::Parquet,
        }
    }

    /// Renders answers, as far as they can be on their own.
    pub(crate) fn render(&self, kb: &KnowledgeBase, answers: Vec<Answer>) -> Rendered {
        let mut out = Vec::new();
        let records = answers.iter().map(|answer| (answer.key.borrowed(), &answer.prediction));
        match self {
            Self::Parquet => return Rendered::Answers(answers),
            Self::Jsonl(lines) => records.for_each(|(key, prediction)| lines.push(key, prediction, &mut out)),
            Self::Csv(source) => {
                let rows = Csv::new(kb).of(*source);
                records.for_each(|(key, prediction)| rows.push(key, prediction, &mut out));
            }
            Self::Table(layout, source) => {
                let table = Table::new(kb, *layout).of(*source);
                for Answer { key, prediction, assigned } in &answers {
                    table.push(key.borrowed(), prediction, assigned, &mut out);
                }
            }
        }
        Rendered::Bytes(out)
    }
}

/// The output of records in one format.
pub(crate) enum RecordOutput<'a> {
    Text(Output),
    Data(Output),
    Parquet(Box<ParquetRows<'a, Output>>),
}

impl<'a> RecordOutput<'a> {
    /// Begins the output.
    pub(crate) fn begin(
        format: RecordFormat,
        mut output: Output,
        run: &Run,
        kb: &'a KnowledgeBase,
    ) -> Result<Self, Failure> {
        match format {
            RecordFormat::Table => Ok(Self::Text(output)),
            RecordFormat::Jsonl => Ok(Self::Data(output)),
            RecordFormat::Csv => {
                output.data(Csv::new(kb).of(run.labels).header().as_bytes())?;
                Ok(Self::Data(output))
            }
            RecordFormat::Parquet => {
                let rows = ParquetRows::new(output, run, kb).map_err(failed)?;
                Ok(Self::Parquet(Box::new(rows)))
            }
        }
    }

    /// Writes answers.
    pub(crate) fn write(&mut self, rendered: Rendered) -> Result<(), Failure> {
        match (self, rendered) {
            (Self::Text(output), Rendered::Bytes(bytes)) => output.text(&bytes),
            (Self::Data(output), Rendered::Bytes(bytes)) => output.data(&bytes),
            (Self::Parquet(rows), Rendered::Answers(answers)) => {
                let mut answers = answers.iter();
                let pushed =
                    answers.try_for_each(|answer| rows.push(answer.key.borrowed(), &answer.prediction));
                pushed.map_err(failed)
            }
            _ => Err(Failure::new(Kind::Failed, "answers were rendered for another format")),
        }
    }

    /// Ends the output.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Text(output) | Self::Data(output) => output.finish(),
            Self::Parquet(rows) => rows.finish().map_err(failed)?.finish(),
        }
    }
}

fn failed(error: ParquetError) -> Failure {
    let closed = error.io_kind() == Some(io::ErrorKind::BrokenPipe);
    Failure::new(if closed { Kind::OutputClosed } else { Kind::Failed }, error.to_string())
}
