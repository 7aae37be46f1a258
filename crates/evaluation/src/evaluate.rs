//! The tables that a model is judged by.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vulnlens_metrics::{Accumulator, RowView, Table};
use vulnlens_model::decode::{MarginalBuffer, SpaceKind};
use vulnlens_model::softmax::softmax;
use vulnlens_model::{DecisionRule, Room};
use vulnlens_taxonomy::KnowledgeBase;

use crate::calibrate::Calibration;
use crate::error::EvaluationError;
use crate::example::{Example, Part};
use crate::scores::SetScores;
use crate::task::Task;

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
    /// Divided the logits.
    pub temperature: f32,
    /// The rule that answered.
    pub rule: DecisionRule,
    /// Records with labels of the task of which the training part has none: not in the table.
    pub rows_with_unseen_labels_only: u64,
    /// Occurrences of labels that the training part does not have: misses that the table leaves out.
    pub unseen_label_occurrences: u64,
    /// Micro-recall with those misses counted.
    pub micro_recall_with_unseen: f64,
    /// All figures.
    pub table: Table,
    /// The labels' ids, in the order of the table's rows.
    pub labels: Vec<String>,
}

/// Rows that a thread works on at once.
const BLOCK: usize = 256;

/// Evaluates on the labelled rows of one part.
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
    let rows: Vec<&Example> = examples.iter().filter(|e| e.part == part && e.is_labelled()).collect();
    let tasks: Vec<Task> = tasks.iter().map(|&kind| Task::new(kind, scores.sets(), kb)).collect();
    let parts: Vec<Vec<Tally>> = rows
        .par_chunks(BLOCK)
        .map_init(Buffers::default, |buffers, block| {
            evaluate_block(scores, calibration, kb, block, &tasks, buffers)
        })
        .collect::<Result<_, _>>()?;
    let mut totals: Vec<Tally> = tasks.iter().map(Tally::new).collect();
    for part in &parts {
        for (total, tally) in totals.iter_mut().zip(part) {
            total.merge(tally)?;
        }
    }
    Ok(tasks
        .iter()
        .zip(totals)
        .map(|(task, total)| total.finish(task, calibration.temperature, calibration.rule(task.kind)))
        .collect())
}

#[derive(Default)]
struct Buffers {
    room: Room,
    logits: Vec<f32>,
    marginals: MarginalBuffer,
    answered: Vec<bool>,
    predicted: Vec<u32>,
}

struct Tally {
    accumulator: Accumulator,
    unseen_only: u64,
    unseen: u64,
}

impl Tally {
    fn new(task: &Task) -> Self {
        Self { accumulator: Accumulator::new(task.lists().label_count()), unseen_only: 0, unseen: 0 }
    }

    fn merge(&mut self, other: &Self) -> Result<(), EvaluationError> {
        self.unseen_only += other.unseen_only;
        self.unseen += other.unseen;
        Ok(self.accumulator.merge(&other.accumulator)?)
    }

    fn finish(self, task: &Task, temperature: f32, rule: DecisionRule) -> TaskEvaluation {
        let table = self.accumulator.finish();
        let hits: u64 = table.per_label.iter().map(|row| row.true_positives).sum();
        let support: u64 = table.per_label.iter().map(|row| row.support).sum();
        TaskEvaluation {
            task: task.kind,
            temperature,
            rule,
            rows_with_unseen_labels_only: self.unseen_only,
            unseen_label_occurrences: self.unseen,
            micro_recall_with_unseen: hits as f64 / (support + self.unseen).max(1) as f64,
            labels: (0..table.per_label.len()).filter_map(|label| task.label(label)).collect(),
            table,
        }
    }
}

fn evaluate_block(
    scores: &dyn SetScores,
    calibration: &Calibration,
    kb: &KnowledgeBase,
    block: &[&Example],
    tasks: &[Task],
    buffers: &mut Buffers,
) -> Result<Vec<Tally>, EvaluationError> {
    let Buffers { room, logits, marginals, answered, predicted } = buffers;
    scores.logits(block, room, logits);
    for row in logits.chunks_exact_mut(scores.sets().len()) {
        row.iter_mut().for_each(|logit| *logit /= calibration.temperature);
        softmax(row);
    }
    let mut tallies: Vec<Tally> = tasks.iter().map(Tally::new).collect();
    for (task, tally) in tasks.iter().zip(&mut tallies) {
        let rule = calibration.rule(task.kind);
        for (example, row) in block.iter().zip(logits.chunks_exact(scores.sets().len())) {
            let gold = task.gold(kb, &example.cwes);
            tally.unseen += gold.unknown as u64;
            if gold.known.is_empty() {
                tally.unseen_only += u64::from(gold.unknown > 0);
                // Where "none" can be answered, records without a label are scored, too.
                if task.kind.is_conditional() || gold.unknown > 0 {
                    continue;
                }
            }
            let marginals = task.lists().marginals(row, marginals);
            rule.answer(&marginals, answered);
            predicted.clear();
            predicted.extend((0..answered.len() as u32).filter(|&i| answered[i as usize]));
            tally.accumulator.add(RowView { scores: marginals.labels, gold: &gold.known, predicted })?;
        }
    }
    Ok(tallies)
}
