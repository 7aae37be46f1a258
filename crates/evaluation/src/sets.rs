//! Systems that give distributions over CWE sets: everything else follows by the chain.

use vulnlens_metrics::RowView;
use vulnlens_model::Room;
use vulnlens_model::decode::{MarginalBuffer, SpaceKind, argmax};
use vulnlens_model::softmax::softmax;
use vulnlens_taxonomy::KnowledgeBase;

use crate::calibrate::Calibration;
use crate::error::EvaluationError;
use crate::example::Example;
use crate::scores::SetScores;
use crate::system::{System, Tally};
use crate::task_labels::TaskLabels;

/// Scores of CWE sets, with the temperature and the rules that make answers of them.
pub(crate) struct SetSystem<'a> {
    scores: &'a dyn SetScores,
    calibration: &'a Calibration,
    tasks: Vec<TaskLabels>,
    /// The label space of first CWEs, where they are asked for.
    recommended: Option<TaskLabels>,
}

impl<'a> SetSystem<'a> {
    pub(crate) fn new(
        scores: &'a dyn SetScores,
        calibration: &'a Calibration,
        kb: &KnowledgeBase,
        kinds: &[SpaceKind],
    ) -> Self {
        let tasks = kinds.iter().map(|&kind| TaskLabels::new(kind, scores.sets(), kb)).collect();
        Self { scores, calibration, tasks, recommended: None }
    }

    /// The same system, which also gives the first CWE of each row.
    pub(crate) fn with_first_cwe(self, kb: &KnowledgeBase) -> Self {
        let recommended = Some(TaskLabels::new(SpaceKind::RecommendedCwe, self.scores.sets(), kb));
        Self { recommended, ..self }
    }
}

/// Room of a block of rows.
#[derive(Default)]
pub(crate) struct SetRoom {
    room: Room,
    probabilities: Vec<f32>,
    marginals: MarginalBuffer,
    answered: Vec<bool>,
    predicted: Vec<u32>,
}

impl System for SetSystem<'_> {
    type Room = SetRoom;

    fn tasks(&self) -> &[TaskLabels] {
        &self.tasks
    }

    fn answer(
        &self,
        rows: &[&Example],
        room: &mut SetRoom,
        tally: &mut Tally<'_>,
    ) -> Result<(), EvaluationError> {
        let SetRoom { room: scoring, probabilities, marginals, answered, predicted } = room;
        let sets = self.scores.sets().len();
        self.scores.logits(rows, scoring, probabilities);
        for row in probabilities.chunks_exact_mut(sets) {
            row.iter_mut().for_each(|logit| *logit /= self.calibration.temperature);
            softmax(row);
        }
        for (number, task) in self.tasks.iter().enumerate() {
            let rule = self.calibration.rule(task.kind);
            for (example, row) in rows.iter().zip(probabilities.chunks_exact(sets)) {
                let Some(gold) = tally.gold(number, example) else { continue };
                let marginals = task.lists().marginals(row, marginals);
                rule.answer(&marginals, answered);
                predicted.clear();
                predicted.extend((0..answered.len() as u32).filter(|&label| answered[label as usize]));
                tally.add(number, RowView { scores: marginals.labels, gold: &gold.known, predicted })?;
            }
        }
        if let Some(task) = &self.recommended {
            for (example, row) in rows.iter().zip(probabilities.chunks_exact(sets)) {
                let scores = task.lists().marginals(row, marginals).labels;
                tally.add_first_cwe(example, argmax(scores).and_then(|label| task.cwe(label)));
            }
        }
        Ok(())
    }
}
