//! Evidence: the words of a text that carried an n-gram model's answer.

use std::collections::HashMap;

use vulnlens_taxonomy::TechniqueId;

use super::network::{INPUT_GAIN, NgramModel};
use super::text::Feature;
use super::vocabulary::{Entry, Vectorizer};
use crate::curated::{CuratedEvidence, CuratedHead, ReadText};
use crate::evidence::{Occurrences, WordEvidence};
use crate::prediction::Input;
use crate::softmax::softmax;

/// The network is linear once it is known which hidden units are on, so a feature's part in a logit
/// is its part in those units times their weights.
pub(super) fn word_evidence(
    model: &NgramModel,
    input: &Input<'_>,
    probabilities: &[f32],
    first: usize,
) -> Vec<WordEvidence> {
    let read = Read::of(model, input);
    let direction = direction(model, input, &read.entries, probabilities, first);
    let gain_of: HashMap<u32, f32> = read
        .entries
        .iter()
        .map(|entry| {
            let row = (0..direction.len()).map(|t| model.embedding.at(entry.row as usize, t) * direction[t]);
            (entry.row, INPUT_GAIN * entry.value * row.sum::<f32>())
        })
        .collect();
    read.occurrences.words(|row| gain_of.get(&row).copied().unwrap_or(0.0))
}

/// The reasons of the scores of curated techniques, given the probabilities of the weaknesses that the head reads.
pub(super) fn curated_evidence(
    model: &NgramModel,
    head: &CuratedHead,
    input: &Input<'_>,
    cwes: &[f32],
    techniques: &[TechniqueId],
) -> Vec<CuratedEvidence> {
    let Read { entries, occurrences } = &Read::of(model, input);
    head.evidence(&ReadText { entries, occurrences, year: input.year, cwes }, techniques)
}

/// A text as evidence is found in it.
struct Read<'t> {
    entries: Vec<Entry>,
    occurrences: Occurrences<'t>,
}

impl<'t> Read<'t> {
    fn of(model: &NgramModel, input: &Input<'t>) -> Self {
        let mut vectorizer = Vectorizer::default();
        // As long as the text, so that spans are those of the text.
        let text = model.header.normalised(input.text);
        let mut features: Vec<(u32, Feature)> = vec![];
        let entries = vectorizer
            .vectorize_with(&model.vocabulary, &text, |row, feature| features.push((row, feature)))
            .to_vec();
        Self { entries, occurrences: Occurrences::new(input.text, vectorizer.spans(), features) }
    }
}

/// For each hidden unit that is on: its weight for the first answer less its mean weight for the
/// other answers.
fn direction(
    model: &NgramModel,
    input: &Input<'_>,
    entries: &[Entry],
    probabilities: &[f32],
    first: usize,
) -> Vec<f32> {
    let d = model.dimensions;
    let mut hidden = vec![0.0; d];
    model.hidden(entries, model.year_of(input), &mut vec![], &mut hidden);
    let mut others: Vec<f32> = probabilities.iter().map(|p| p.max(1e-30).ln()).collect();
    others[first] = -1e30;
    softmax(&mut others);
    let scale = 1.0 / model.temperature();
    let sets = model.sets().len();
    let weight = |set: usize, t: usize| model.output[t * sets + set];
    let mean = |t: usize| others.iter().enumerate().map(|(set, p)| p * weight(set, t)).sum::<f32>();
    let on = |t: usize| if hidden[t] > 0.0 { (weight(first, t) - mean(t)) * scale } else { 0.0 };
    (0..d).map(on).collect()
}
