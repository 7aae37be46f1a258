//! Systems that score labels of their own: published checkpoints, and what was trained label by label.
//!
//! They are judged as `classify` answers: an id that several outputs name is one label, patterns and techniques that the
//! system has no labels of follow by the chain, and the thresholds of the system answer (of outputs that exclude each
//! other the best one).

use vulnlens_metrics::RowView;
use vulnlens_model::decode::SpaceKind;
use vulnlens_model::{
    Classifier, Input, LabelMode, Labels, Options, PredictBuffers, Prediction, Prepared, ScoredLabel, Task,
    TopK,
};

use crate::cwe_answers::{CweAnswer, LISTED};
use crate::error::EvaluationError;
use crate::evaluate::{LabelRule, PUBLISHED_TASKS};
use crate::example::Example;
use crate::system::{System, Tally};
use crate::task_labels::TaskLabels;

/// A classifier that scores labels of its own.
pub(crate) struct LabelSystem {
    prepared: Prepared,
    tasks: Vec<TaskLabels>,
    has_cwe: bool,
}

impl LabelSystem {
    /// The system of a classifier; its tasks are those of the published ones that it has labels of.
    ///
    /// # Errors
    /// It has labels of none of them.
    pub(crate) fn new(classifier: &Classifier) -> Result<Self, EvaluationError> {
        let (map, kb) = (classifier.label_map(), classifier.knowledge_base());
        let task = |kind| TaskLabels::of_labels(kind, map, kb);
        let tasks: Vec<TaskLabels> = PUBLISHED_TASKS.into_iter().filter_map(task).collect();
        if tasks.is_empty() {
            return Err(EvaluationError::NoKnownLabels { name: classifier.network().name().to_owned() });
        }
        let asked = [Task::Cwe, Task::Capec, Task::Attack];
        let options = Options::default()
            .labels(LabelMode::Reference)
            .tasks(asked.into_iter().collect::<vulnlens_model::Tasks>())
            .top_k(TopK::All)
            .threshold(0.0);
        Ok(Self { prepared: classifier.prepare(&options), tasks, has_cwe: map.cwe().len() > 0 })
    }

    /// The rule that answers.
    pub(crate) fn rule(&self) -> LabelRule {
        let outputs = self.prepared.network().outputs().labels();
        if outputs.is_some_and(|outputs| outputs.exclusive) { LabelRule::Best } else { LabelRule::Thresholds }
    }
}

/// Room of a block of rows.
#[derive(Default)]
pub(crate) struct LabelRoom {
    buffers: PredictBuffers,
    scores: Vec<f32>,
    predicted: Vec<u32>,
}

impl System for LabelSystem {
    type Room = LabelRoom;

    fn tasks(&self) -> &[TaskLabels] {
        &self.tasks
    }

    fn computes_in_parallel(&self) -> bool {
        self.prepared.network().computes_in_parallel()
    }

    fn answer(
        &self,
        rows: &[&Example],
        room: &mut LabelRoom,
        tally: &mut Tally<'_>,
    ) -> Result<(), EvaluationError> {
        let inputs: Vec<Input<'_>> = rows.iter().map(|row| Input::text(&row.text).year(row.year)).collect();
        let predictions = self.prepared.predict_batch(&inputs, &mut room.buffers);
        for (example, prediction) in rows.iter().zip(&predictions) {
            for (number, task) in self.tasks.iter().enumerate() {
                let Some(gold) = tally.gold(number, example) else { continue };
                room.read(task, prediction);
                let (scores, predicted) = (&room.scores[..], &room.predicted[..]);
                tally.add(number, RowView { scores, gold: &gold.known, predicted })?;
            }
            if self.has_cwe {
                let labels = prediction.cwe.as_ref().map_or(&[][..], |cwe| &cwe.labels);
                let listed: Vec<_> =
                    labels.iter().take(LISTED).map(|scored| (scored.label, scored.score)).collect();
                let predicted: Vec<_> =
                    labels.iter().filter(|scored| scored.predicted).map(|scored| scored.label).collect();
                let (listed, predicted) = (&listed[..], &predicted[..]);
                tally.add_cwe(example, CweAnswer { listed, predicted, ladder: None });
            }
        }
        Ok(())
    }
}

impl LabelRoom {
    /// Reads scores and answers of the task's labels. A label that is ruled out, as a hierarchy does with those below
    /// parents that do not apply, has the score 0.
    fn read(&mut self, task: &TaskLabels, prediction: &Prediction) {
        self.scores.clear();
        self.scores.resize(task.lists().label_count(), 0.0);
        self.predicted.clear();
        match task.kind {
            SpaceKind::ReferenceCapec => {
                self.fill(prediction.capec.as_ref(), |scored| task.place_of_capec(scored.label));
            }
            SpaceKind::ReferenceAttack => {
                self.fill(prediction.attack.as_ref(), |scored| task.place_of_technique(scored.label));
            }
            _ => self.fill(prediction.cwe.as_ref(), |scored| task.place_of_cwe(scored.label)),
        }
        self.predicted.sort_unstable();
    }

    fn fill<L>(&mut self, labels: Option<&Labels<L>>, place: impl Fn(&ScoredLabel<L>) -> Option<usize>) {
        for scored in labels.into_iter().flat_map(|labels| &labels.labels) {
            let Some(place) = place(scored) else { continue };
            self.scores[place] = scored.score;
            if scored.predicted {
                self.predicted.push(place as u32);
            }
        }
    }
}
