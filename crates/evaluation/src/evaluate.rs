//! The tables that a system is judged by.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vulnlens_corpus::Part;
use vulnlens_metrics::{Calibration as Reliability, F1Point, MetricsError, Table};
use vulnlens_model::DecisionRule;
use vulnlens_model::decode::SpaceKind;
use vulnlens_taxonomy::KnowledgeBase;

use crate::by_year::YearF1;
use crate::calibrate::Calibration;
use crate::cwe_answers::{CweCounts, CweFigures};
use crate::error::EvaluationError;
use crate::example::{Example, labelled_part};
use crate::scores::SetScores;
use crate::sets::SetSystem;
use crate::system::{System, Tally, TaskTotal};
use crate::task_labels::TaskLabels;

/// The four tasks of the published tables: those of the reference system, and CWE over the records
/// whose ids are all weaknesses.
pub const PUBLISHED_TASKS: [SpaceKind; 4] = [
    SpaceKind::ReferenceAttack,
    SpaceKind::ReferenceWeaknesses,
    SpaceKind::ReferenceCwe,
    SpaceKind::ReferenceCapec,
];

/// Figures of one task on one part of a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskEvaluation {
    /// The label space.
    pub task: SpaceKind,
    /// The divisor of the logits.
    pub temperature: f32,
    /// The rule that answered.
    pub rule: DecisionRule,
    /// The rule of a system that scores labels of its own, to which temperature and `rule` do not apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_rule: Option<LabelRule>,
    /// Records all of whose labels are missing from the system: not in the table.
    pub rows_with_unseen_labels_only: u64,
    /// Occurrences of labels that are missing from the system, because the training part does not have them: misses that
    /// the table leaves out.
    pub unseen_label_occurrences: u64,
    /// Micro-recall with those misses counted.
    pub micro_recall_with_unseen: f64,
    /// All figures.
    pub table: Table,
    /// The labels' ids, in the order of the table's rows.
    pub labels: Vec<String>,
    /// The agreement of each row's highest probability with how often that label applies; older files lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
    /// F1 over one threshold for all labels, in place of the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub f1_curve: Vec<F1Point>,
    /// Micro-F1 by the years of the CVE ids; older files lack it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_year: BTreeMap<u16, YearF1>,
}

/// The rule by which a system answers that scores labels of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelRule {
    /// Every label from its threshold on, 0.5 unless the system has others.
    Thresholds,
    /// The best label, of labels that exclude each other.
    Best,
    /// Every label from 0.5 on, whatever the system's own thresholds.
    Half,
    /// Every label from one threshold on, that of the best micro-F1 of the validation part.
    FittedForAll,
    /// Every label from its own threshold on, that of its best F1 on the validation part.
    FittedForEach,
    /// The labels that written answers mark as predicted.
    AsWritten,
}

impl LabelRule {
    /// Whether its thresholds are fitted to the validation part.
    pub(crate) fn is_fitted(self) -> bool {
        matches!(self, Self::FittedForAll | Self::FittedForEach)
    }

    /// Its name in tables.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Thresholds => "own thresholds",
            Self::Best => "best label",
            Self::Half => "threshold 0.5",
            Self::FittedForAll => "one fitted threshold",
            Self::FittedForEach => "fitted thresholds",
            Self::AsWritten => "as written",
        }
    }
}

/// Figures of a system.
pub(crate) struct Figures {
    pub(crate) tasks: Vec<TaskEvaluation>,
    pub(crate) cwe: Option<CweFigures>,
}

/// The bins of reliability: fifteen, as in Guo et al. 2017.
const BINS: usize = 15;
/// Rows that a thread works on at once.
const BLOCK: usize = 256;

/// Evaluates distributions over CWE sets on the labelled rows of one part.
///
/// A task is scored on the rows that have a label of it; where "none" can be an answer, on all
/// labelled rows. Labels that no training text has are left
/// out of the table and counted beside it.
///
/// # Errors
/// When a score is not a number.
pub fn evaluate(
    scores: &dyn SetScores,
    calibration: &Calibration,
    kb: &KnowledgeBase,
    examples: &[Example],
    part: Part,
    tasks: &[SpaceKind],
) -> Result<Vec<TaskEvaluation>, EvaluationError> {
    let rows = labelled_part(examples, part);
    let system = SetSystem::new(scores, calibration, kb, tasks);
    Ok(judge(&system, kb, &rows, |kind| (calibration.temperature, calibration.rule(kind)))?.tasks)
}

/// Evaluates a system on some rows. `rule` gives the temperature and the rule that the figures of a task state.
pub(crate) fn judge<S: System>(
    system: &S,
    kb: &KnowledgeBase,
    rows: &[&Example],
    rule: impl Fn(SpaceKind) -> (f32, DecisionRule),
) -> Result<Figures, EvaluationError> {
    let answer = |room: &mut S::Room, (number, block): (usize, &[&Example])| {
        let mut tally = Tally::new(system.tasks(), kb);
        system.answer(number * BLOCK, block, room, &mut tally).map(|()| tally)
    };
    let blocks = rows.par_chunks(BLOCK).enumerate();
    let tallies: Vec<Tally<'_>> = blocks.map_init(S::Room::default, answer).collect::<Result<_, _>>()?;
    let mut total = Tally::new(system.tasks(), kb);
    tallies.iter().try_for_each(|tally| total.merge(tally))?;
    let figures = |(task, total): (&TaskLabels, TaskTotal)| {
        let (temperature, rule) = rule(task.kind);
        finish(total, task, temperature, rule)
    };
    Ok(Figures {
        tasks: system.tasks().iter().zip(total.totals).map(figures).collect::<Result<_, _>>()?,
        cwe: total.cwe.as_ref().map(CweCounts::finish).transpose()?,
    })
}

fn finish(
    total: TaskTotal,
    task: &TaskLabels,
    temperature: f32,
    rule: DecisionRule,
) -> Result<TaskEvaluation, MetricsError> {
    let table = total.accumulator.finish();
    let hits: u64 = table.per_label.iter().map(|row| row.true_positives).sum();
    let support: u64 = table.per_label.iter().map(|row| row.support).sum();
    Ok(TaskEvaluation {
        task: task.kind,
        temperature,
        rule,
        label_rule: None,
        rows_with_unseen_labels_only: total.unseen_only,
        unseen_label_occurrences: total.unseen,
        micro_recall_with_unseen: hits as f64 / (support + total.unseen).max(1) as f64,
        labels: (0..table.per_label.len()).filter_map(|label| task.label(label)).collect(),
        table,
        reliability: Some(vulnlens_metrics::calibrate(BINS, total.best)?),
        f1_curve: total.f1_curve.finish(),
        by_year: total.by_year.finish(),
    })
}
