//! Systems under evaluation, and the tally of their answers.

use vulnlens_metrics::{Accumulator, F1CurveAccumulator, RowView, top_1};
use vulnlens_taxonomy::{CveId, KnowledgeBase};

use crate::by_year::YearCounts;
use crate::cwe_answers::{CweAnswer, CweCounts};
use crate::error::EvaluationError;
use crate::example::Example;
use crate::task_labels::{Gold, TaskLabels};

/// A system under evaluation: a model, or the recorded answers of a peer.
pub(crate) trait System: Sync {
    /// Room that is used again for each block of rows.
    type Room: Default + Send;

    /// The tasks that it answers, with their labels.
    fn tasks(&self) -> &[TaskLabels];

    /// Answers a block of rows, the first of which has this number among all.
    fn answer(
        &self,
        first: usize,
        rows: &[&Example],
        room: &mut Self::Room,
        tally: &mut Tally<'_>,
    ) -> Result<(), EvaluationError>;
}

/// The tally of a system's answers, task by task.
pub(crate) struct Tally<'a> {
    kb: &'a KnowledgeBase,
    tasks: &'a [TaskLabels],
    pub(crate) totals: Vec<TaskTotal>,
    /// The year in the id of the record that is being answered.
    year: Option<u16>,
    /// Counts of CWE answers, of a system that gives them.
    pub(crate) cwe: Option<CweCounts>,
}

/// The tally of one task.
pub(crate) struct TaskTotal {
    pub(crate) accumulator: Accumulator,
    pub(crate) f1_curve: F1CurveAccumulator,
    pub(crate) by_year: YearCounts,
    /// The probability of each row's best label, and whether it applies.
    pub(crate) best: Vec<(f32, bool)>,
    /// Rows all of whose labels are missing from the task.
    pub(crate) unseen_only: u64,
    /// Occurrences of labels that are missing from the task.
    pub(crate) unseen: u64,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(tasks: &'a [TaskLabels], kb: &'a KnowledgeBase) -> Self {
        let total = |task: &TaskLabels| TaskTotal {
            accumulator: Accumulator::new(task.lists().label_count()),
            f1_curve: F1CurveAccumulator::default(),
            by_year: YearCounts::default(),
            best: vec![],
            unseen_only: 0,
            unseen: 0,
        };
        Self { kb, tasks, totals: tasks.iter().map(total).collect(), year: None, cwe: None }
    }

    /// The labels of a row, where it counts for the task: it has a label of the task or, where "none" can be an answer,
    /// no label at all. Labels that are missing from the task are counted beside it. The answer that is counted next is
    /// to this row.
    pub(crate) fn gold(&mut self, task: usize, example: &Example) -> Option<Gold> {
        self.year = example.cve.map(CveId::year);
        let total = &mut self.totals[task];
        let task = &self.tasks[task];
        let gold = task.gold(self.kb, &example.cwes);
        total.unseen += gold.unknown as u64;
        if gold.known.is_empty() {
            total.unseen_only += u64::from(gold.unknown > 0);
            if task.kind.is_conditional() || gold.unknown > 0 {
                return None;
            }
        }
        Some(gold)
    }

    /// Counts the answer to a row.
    pub(crate) fn add(&mut self, task: usize, row: RowView<'_>) -> Result<(), EvaluationError> {
        let total = &mut self.totals[task];
        total.accumulator.add(row)?;
        total.f1_curve.add(row.scores, row.gold);
        total.best.extend(top_1(row.scores, row.gold));
        self.year.into_iter().for_each(|year| total.by_year.add(year, row));
        Ok(())
    }

    /// Counts the CWE answer to a row.
    pub(crate) fn add_cwe(&mut self, example: &Example, answer: CweAnswer<'_>) {
        self.cwe.get_or_insert_default().add(self.kb, example, answer);
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), EvaluationError> {
        for (total, other) in self.totals.iter_mut().zip(&other.totals) {
            total.unseen_only += other.unseen_only;
            total.unseen += other.unseen;
            total.accumulator.merge(&other.accumulator)?;
            total.f1_curve.merge(&other.f1_curve);
            total.by_year.merge(&other.by_year);
            total.best.extend_from_slice(&other.best);
        }
        if let Some(counts) = &other.cwe {
            self.cwe.get_or_insert_default().merge(counts);
        }
        Ok(())
    }
}
