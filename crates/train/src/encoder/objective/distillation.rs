//! Distillation: the answers of other models to the training texts, as targets beside the records' own labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use vulnlens_evaluation::{Example, Part};
use vulnlens_model::softmax::temper;
use vulnlens_model::{Input, Network, NgramModel, Outputs, Room};
use vulnlens_taxonomy::{CweId, Outcome};

use crate::encoder::output_space::OutputSpace;

/// The mean of some models' distributions over CWE sets, for each text of a training part (Hinton, Vinyals and Dean,
/// "Distilling the Knowledge in a Neural Network", 2015).
///
/// The target of a labelled text is its label and, in part, the teachers' answer; that of a text without a label is
/// their answer alone.
#[derive(Debug, Clone)]
pub struct Distillation {
    /// The teachers' names and revisions.
    pub(crate) teachers: String,
    /// The teachers' share in the target of a labelled text.
    pub(crate) share: f32,
    /// By name and text: texts of several styles may be about one CVE.
    answers: Arc<BTreeMap<String, BTreeMap<String, Answer>>>,
}

/// A CWE set, or an outcome in its place.
type Target = (Vec<CweId>, Option<Outcome>);

/// Outputs with their probabilities.
type Answer = Vec<(Target, f32)>;

/// Probabilities of the outputs of models, as they add up.
type Sum<'s> = BTreeMap<(&'s [CweId], Option<Outcome>), f32>;

/// Texts that a thread works on at once.
const BLOCK: usize = 256;
/// Less probable sets are left out; what is left adds up to 1 again.
const LEAST: f32 = 0.002;

impl Distillation {
    /// Asks the models about the labelled texts and the unlabelled records of the training part.
    #[must_use]
    pub fn of(models: &[NgramModel], examples: &[Example], share: f32) -> Self {
        let is_asked = |e: &&Example| e.part == Part::Train && (e.is_labelled() || e.is_unlabelled_record());
        let texts: Vec<&Example> = examples.iter().filter(is_asked).collect();
        let answered: Vec<Vec<Answer>> = texts
            .par_chunks(BLOCK)
            .map_init(Room::default, |room, block| answers(models, block, room))
            .collect();
        let mut answers: BTreeMap<String, BTreeMap<String, Answer>> = BTreeMap::new();
        for (text, answer) in texts.iter().zip(answered.into_iter().flatten()) {
            answers.entry(text.name.clone()).or_default().insert(text.text.clone(), answer);
        }
        let names: Vec<String> =
            models.iter().map(|model| format!("{} {}", model.name(), model.revision())).collect();
        Self { teachers: names.join(", "), share, answers: Arc::new(answers) }
    }

    fn answer(&self, example: &Example) -> Option<&Answer> {
        self.answers.get(&example.name)?.get(&example.text)
    }

    /// Records of the training part that have no label, and that the teachers know.
    pub(crate) fn unlabelled<'e>(&self, examples: &'e [Example]) -> impl Iterator<Item = &'e Example> {
        examples.iter().filter(|example| {
            example.part == Part::Train
                && example.is_unlabelled_record()
                && !example.text.trim().is_empty()
                && self.answer(example).is_some()
        })
    }

    /// The target of a text over the space's outputs, the record's own being `gold`.
    pub(crate) fn target(&self, example: &Example, gold: &[u32], space: &OutputSpace) -> Vec<(u32, f32)> {
        let share = if gold.is_empty() { 1.0 } else { self.share };
        let mut target: BTreeMap<u32, f32> = BTreeMap::new();
        let answer = self.answer(example).map_or(&[][..], Vec::as_slice);
        let known: Vec<(u32, f32)> = answer
            .iter()
            .filter_map(|((set, outcome), p)| Some((space.output_of(set, *outcome)?, *p)))
            .collect();
        let mass: f32 = known.iter().map(|(_, p)| p).sum();
        if mass > 0.0 {
            known.iter().for_each(|&(output, p)| *target.entry(output).or_default() += share * p / mass);
        }
        let own = if mass > 0.0 { 1.0 - share } else { 1.0 };
        gold.iter().for_each(|&output| *target.entry(output).or_default() += own);
        target.into_iter().collect()
    }
}

fn answers(models: &[NgramModel], block: &[&Example], room: &mut Room) -> Vec<Answer> {
    let inputs: Vec<Input<'_>> = block.iter().map(|e| Input::text(&e.text).year(e.year)).collect();
    let mut scores = vec![];
    let mut sums: Vec<Sum<'_>> = vec![BTreeMap::new(); block.len()];
    for model in models {
        let Outputs::CweSets(outputs) = model.outputs() else { continue };
        model.score(&inputs, room, &mut scores);
        let rows = scores.chunks_exact_mut(outputs.sets.len().max(1));
        for (sum, row) in sums.iter_mut().zip(rows) {
            temper(row, outputs.temperature);
            let outcomes =
                outputs.weaknesses().iter().map(|_| None).chain(outputs.outcomes.iter().copied().map(Some));
            let named = outputs.sets.iter().zip(outcomes).zip(row.iter());
            for ((set, outcome), p) in named.filter(|(_, p)| **p >= LEAST) {
                *sum.entry((set, outcome)).or_default() += p / models.len() as f32;
            }
        }
    }
    let answer =
        |sum: Sum<'_>| sum.into_iter().map(|((set, outcome), p)| ((set.to_vec(), outcome), p)).collect();
    sums.into_iter().map(answer).collect()
}
