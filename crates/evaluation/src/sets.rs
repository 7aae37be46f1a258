//! Systems that give distributions over CWE sets: everything else follows by the chain.

use vulnlens_metrics::RowView;
use vulnlens_model::decode::{MarginalBuffer, SpaceKind};
use vulnlens_model::softmax::softmax;
use vulnlens_model::{DecisionRule, Room};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

use crate::calibrate::Calibration;
use crate::cwe_answers::{CweAnswer, LISTED};
use crate::error::EvaluationError;
use crate::example::Example;
use crate::families::{Families, Rung};
use crate::scores::SetScores;
use crate::system::{System, Tally};
use crate::task_labels::TaskLabels;

/// Scores of CWE sets, with the temperature and the rules that make answers of them.
pub(crate) struct SetSystem<'a> {
    scores: &'a dyn SetScores,
    calibration: &'a Calibration,
    tasks: Vec<TaskLabels>,
    /// The way to CWE answers, where they are asked for.
    recommended: Option<Recommended>,
}

/// The recommended label space of CWE with its rule, and the families.
struct Recommended {
    task: TaskLabels,
    rule: DecisionRule,
    families: Families,
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

    /// The same system, which also gives the CWE answer to each row.
    pub(crate) fn with_cwe_answers(self, kb: &KnowledgeBase) -> Self {
        let (kind, sets) = (SpaceKind::RecommendedCwe, self.scores.sets());
        let recommended = Recommended {
            task: TaskLabels::new(kind, sets, kb),
            rule: self.calibration.rule(kind),
            families: Families::new(sets, kb),
        };
        Self { recommended: Some(recommended), ..self }
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
    cwe: CweRoom,
}

/// Room of a row's CWE answer.
#[derive(Default)]
struct CweRoom {
    listed: Vec<(CweId, f32)>,
    predicted: Vec<CweId>,
    ladder: Vec<Rung>,
}

impl System for SetSystem<'_> {
    type Room = SetRoom;

    fn tasks(&self) -> &[TaskLabels] {
        &self.tasks
    }

    fn answer(
        &self,
        _: usize,
        rows: &[&Example],
        room: &mut SetRoom,
        tally: &mut Tally<'_>,
    ) -> Result<(), EvaluationError> {
        let SetRoom { room: scoring, probabilities, marginals, answered, predicted, cwe } = room;
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
        if let Some(recommended) = &self.recommended {
            for (example, row) in rows.iter().zip(probabilities.chunks_exact(sets)) {
                tally.add_cwe(example, recommended.answer(row, marginals, answered, cwe));
            }
        }
        Ok(())
    }
}

impl Recommended {
    fn answer<'r>(
        &self,
        row: &[f32],
        marginals: &mut MarginalBuffer,
        answered: &mut Vec<bool>,
        room: &'r mut CweRoom,
    ) -> CweAnswer<'r> {
        let CweRoom { listed, predicted, ladder } = room;
        let found = self.task.lists().marginals(row, marginals);
        self.rule.answer(&found, answered);
        listed.clear();
        listed.extend(best(found.labels).filter_map(|(label, score)| Some((self.task.cwe(label)?, score))));
        predicted.clear();
        let labels = answered.iter().enumerate().filter(|(_, is_answered)| **is_answered);
        predicted.extend(labels.filter_map(|(label, _)| self.task.cwe(label)));
        self.families.ladder(row, marginals, ladder);
        CweAnswer { listed, predicted, ladder: Some(ladder) }
    }
}

/// The best labels with their scores, by falling score; of equals the first one comes first.
fn best(scores: &[f32]) -> impl Iterator<Item = (usize, f32)> {
    let mut best: Vec<(usize, f32)> = Vec::with_capacity(LISTED + 1);
    for (label, &score) in scores.iter().enumerate() {
        let place = best.partition_point(|&(_, other)| other >= score);
        if place < LISTED {
            best.insert(place, (label, score));
            best.truncate(LISTED);
        }
    }
    best.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_labels_come_first_and_of_equals_the_lower() {
        let scores = [0.1, 0.4, 0.4, 0.0, 0.9, 0.2, 0.3];
        assert_eq!(best(&scores).map(|(label, _)| label).collect::<Vec<_>>(), [4, 1, 2, 6, 5]);
        assert_eq!(best(&[]).count(), 0);
    }
}
