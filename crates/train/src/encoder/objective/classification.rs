//! Classification: CWE sets that exclude each other, or labels that do not.

use vulnlens_encoder::training::{
    Batch, BinaryLoss, Gradients, Loss, MarginalLoss, TrainingNetwork, softmax_loss,
};
use vulnlens_evaluation::{
    Calibration, Example, PUBLISHED_TASKS, Part, RecordedLogits, TaskEvaluation, ThresholdRule, answered,
    calibrate, evaluate, thresholds,
};
use vulnlens_metrics::{Accumulator, RowView, ScoredRow, best_global_threshold};
use vulnlens_taxonomy::KnowledgeBase;

use crate::encoder::labels::LabelKind;
use crate::encoder::output_space::OutputSpace;
use crate::encoder::run::{Figures, MicroBatch, Objective, micro_batches};
use crate::encoder::texts::TokenLists;
use crate::error::TrainError;
use crate::goal::Goal;

/// Texts with the outputs that apply to them.
#[derive(Debug)]
pub(crate) struct LabelledTexts {
    pub(crate) lists: TokenLists,
    pub(crate) outputs: Vec<Vec<u32>>,
    /// The distributions over outputs that are learnt in place of `outputs`, if there are teachers.
    pub(crate) targets: Option<Vec<Vec<(u32, f32)>>>,
}

/// The objective of a classifier.
pub(crate) struct Classification<'a> {
    pub(crate) kb: &'a KnowledgeBase,
    pub(crate) space: &'a OutputSpace,
    /// The figure that evaluations during the run are compared by.
    pub(crate) goal: Goal,
    /// The loss of labels that do not exclude each other.
    pub(crate) binary: BinaryLoss,
    /// The loss of auxiliary labels, which is added to that of CWE sets.
    pub(crate) auxiliary: Option<MarginalLoss>,
    pub(crate) training: LabelledTexts,
    /// Labelled records of the validation part, and their texts.
    pub(crate) validation: Vec<Example>,
    pub(crate) validation_lists: TokenLists,
    /// The validation texts that evaluations during the run look at.
    pub(crate) sample: Vec<usize>,
}

/// The decisions of a finished model, fitted on the validation part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FittedDecisions {
    /// There was no validation part.
    Nothing,
    /// Temperature and rules of every label space.
    Rules(Calibration),
    /// A threshold for each label.
    Thresholds(Vec<f32>),
}

impl Objective for Classification<'_> {
    fn lengths(&self) -> &[usize] {
        self.training.lists.lengths()
    }

    fn cut(&self) -> usize {
        self.training.lists.cut()
    }

    fn validation_texts(&self) -> usize {
        self.sample.len()
    }

    fn rows(&self, texts: &[usize], _: u64) -> usize {
        texts.len()
    }

    fn learn(&self, network: &mut TrainingNetwork, part: MicroBatch<'_>, gradients: &mut Gradients) -> f64 {
        let ids: Vec<&[u32]> = part.texts.iter().map(|&text| self.training.lists.of(text)).collect();
        let outputs: Vec<&[u32]> =
            part.texts.iter().map(|&text| self.training.outputs[text].as_slice()).collect();
        let logits = network.forward(&Batch::new(&ids), part.noise);
        if let Some(targets) = &self.training.targets {
            let loss = self.loss_of_targets(&logits, part.texts.iter().map(|&text| targets[text].as_slice()));
            let loss = loss.scaled(part.texts.len() as f32 / part.rows as f32);
            network.backward(&loss.gradient, gradients);
            return loss.value;
        }
        let share = part.texts.len() as f32 / part.rows as f32;
        let loss = self.loss(&logits, &outputs).scaled(share);
        network.backward(&loss.gradient, gradients);
        loss.value
    }

    fn evaluate(&self, network: &mut TrainingNetwork) -> Result<Option<Figures>, TrainError> {
        if self.sample.is_empty() {
            return Ok(None);
        }
        let records: Vec<Example> = self.sample.iter().map(|&text| self.validation[text].clone()).collect();
        let logits = logits(network, &self.validation_lists, &self.sample);
        let mut figures = match self.space.labels {
            LabelKind::CweSets => self.figures_of_sets(&records, &logits)?,
            _ => self.figures_of_labels(&records, &logits)?,
        };
        let goal = figures.iter().find(|(name, _)| name == self.goal.figure());
        let score = goal.map_or(0.0, |(_, figure)| *figure);
        figures.push(("eval_loss".to_owned(), self.mean_loss(&records, &logits)));
        Ok(Some(Figures { score, texts: records.len(), figures }))
    }
}

/// Rows whose dense targets are in memory at once.
const LOSS_ROWS: usize = 256;

impl Classification<'_> {
    fn loss_of_targets<'t>(&self, logits: &[f32], rows: impl Iterator<Item = &'t [(u32, f32)]>) -> Loss {
        let width = self.space.names.len();
        let mut targets = vec![0.0; logits.len()];
        for (row, target) in targets.chunks_exact_mut(width).zip(rows) {
            target.iter().for_each(|&(output, p)| row[output as usize] = p);
        }
        softmax_loss(logits, &targets, width)
    }

    fn loss(&self, logits: &[f32], outputs: &[&[u32]]) -> Loss {
        let width = self.space.names.len();
        let mut targets = vec![0.0; outputs.len() * width];
        for (row, outputs) in targets.chunks_exact_mut(width).zip(outputs) {
            outputs.iter().for_each(|&output| row[output as usize] = 1.0);
        }
        match self.space.labels {
            LabelKind::CweSets => {
                let mut loss = softmax_loss(logits, &targets, width);
                if let Some(auxiliary) = &self.auxiliary {
                    let truth: Vec<usize> =
                        outputs.iter().filter_map(|outputs| Some(*outputs.first()? as usize)).collect();
                    auxiliary.add_to(&mut loss, logits, &truth);
                }
                loss
            }
            _ => {
                let applies = |row: usize, parent: &usize| targets[row * width + parent] == 1.0;
                let counts = |row: usize, output: usize| {
                    let parents = self.space.conditions.parents(output);
                    parents.is_empty() || parents.iter().any(|parent| applies(row, parent))
                };
                self.binary.where_counted(logits, &targets, width, counts)
            }
        }
    }

    /// The mean loss of the records whose outputs are known.
    fn mean_loss(&self, records: &[Example], logits: &[f32]) -> f64 {
        let width = self.space.names.len();
        let (mut sum, mut count) = (0.0, 0);
        for (records, rows) in records.chunks(LOSS_ROWS).zip(logits.chunks(LOSS_ROWS * width)) {
            let known = records.iter().zip(rows.chunks_exact(width));
            let known: Vec<(&[u32], &[f32])> =
                known.filter_map(|(record, row)| Some((self.space.outputs(record)?, row))).collect();
            let outputs: Vec<&[u32]> = known.iter().map(|known| known.0).collect();
            let rows: Vec<f32> = known.iter().flat_map(|known| known.1).copied().collect();
            sum += self.loss(&rows, &outputs).value * outputs.len() as f64;
            count += outputs.len();
        }
        sum / count.max(1) as f64
    }

    /// The published tasks, by rules that are fitted to the same records: figures to compare steps by, not to publish.
    fn figures_of_sets(&self, records: &[Example], logits: &[f32]) -> Result<Vec<(String, f64)>, TrainError> {
        let scores = RecordedLogits::new((&self.space.sets, &self.space.outcomes), records, logits);
        let calibration = calibrate(&scores, self.kb, records)?;
        let tasks = evaluate(&scores, &calibration, self.kb, records, Part::Validation, &PUBLISHED_TASKS)?;
        let mean = |of: &dyn Fn(&TaskEvaluation) -> f64| {
            tasks.iter().map(of).sum::<f64>() / tasks.len().max(1) as f64
        };
        let of_goal = |goal: Goal| (goal.figure().to_owned(), mean(&|task| goal.of(&task.table)));
        let mut figures = Goal::ALL.map(of_goal).to_vec();
        for task in &tasks {
            let name = serde_json::to_value(task.task).ok();
            let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().replace('-', "_");
            figures.push((format!("eval_{name}_micro_f1"), task.table.micro_f1));
            figures.push((format!("eval_{name}_macro_f1"), task.table.macro_f1));
        }
        Ok(figures)
    }

    /// All labels from one threshold on, which is fitted to the same records.
    fn figures_of_labels(
        &self,
        records: &[Example],
        logits: &[f32],
    ) -> Result<Vec<(String, f64)>, TrainError> {
        let width = self.space.names.len();
        let scores = self.scores(logits);
        let rows = self.scored(records, &scores);
        let best = best_global_threshold(width, rows.len(), |row| rows[row])?;
        let threshold = best.map_or(0.5, |best| best.threshold);
        let mut accumulator = Accumulator::new(width);
        for row in &rows {
            let predicted = answered(row.scores, &vec![threshold; width]);
            accumulator.add(RowView { scores: row.scores, gold: row.gold, predicted: &predicted })?;
        }
        let table = accumulator.finish();
        let figures = Goal::ALL.map(|goal| (goal.figure().to_owned(), goal.of(&table))).into_iter();
        Ok(figures.chain([("eval_threshold".to_owned(), f64::from(threshold))]).collect())
    }

    fn scored<'s>(&'s self, records: &[Example], scores: &'s [f32]) -> Vec<ScoredRow<'s>> {
        let rows = records.iter().zip(scores.chunks_exact(self.space.names.len()));
        rows.map(|(record, scores)| ScoredRow {
            scores,
            gold: self.space.outputs(record).unwrap_or_default(),
        })
        .collect()
    }

    /// Chooses rules or thresholds on the whole validation part.
    pub(crate) fn choose(&self, network: &mut TrainingNetwork) -> Result<FittedDecisions, TrainError> {
        if self.validation.is_empty() {
            return Ok(FittedDecisions::Nothing);
        }
        let all: Vec<usize> = (0..self.validation.len()).collect();
        let logits = logits(network, &self.validation_lists, &all);
        if self.space.labels == LabelKind::CweSets {
            let scores =
                RecordedLogits::new((&self.space.sets, &self.space.outcomes), &self.validation, &logits);
            return Ok(FittedDecisions::Rules(calibrate(&scores, self.kb, &self.validation)?));
        }
        let scores = self.scores(&logits);
        let rows = self.scored(&self.validation, &scores);
        Ok(FittedDecisions::Thresholds(thresholds(self.space.names.len(), &rows, ThresholdRule::Each)?))
    }

    /// Scores of the outputs; those of conditional outputs are multiplied by their parents' scores.
    fn scores(&self, logits: &[f32]) -> Vec<f32> {
        let mut scores = sigmoids(logits);
        let rows = scores.chunks_exact_mut(self.space.names.len());
        rows.for_each(|row| self.space.conditions.weigh(row));
        scores
    }
}

/// Tokens that go through the network at once in evaluations.
const TOKENS_AT_ONCE: usize = 4096;

/// A row of logits for each of some texts, without dropout.
fn logits(network: &mut TrainingNetwork, lists: &TokenLists, texts: &[usize]) -> Vec<f32> {
    let mut all = Vec::with_capacity(texts.len() * network.config().labels.len());
    for part in micro_batches(texts, lists.lengths(), TOKENS_AT_ONCE) {
        let ids: Vec<&[u32]> = part.iter().map(|&text| lists.of(text)).collect();
        all.extend(network.forward(&Batch::new(&ids), None));
    }
    all
}

fn sigmoids(logits: &[f32]) -> Vec<f32> {
    logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()
}
