//! Evidence: the words of a text that carried an n-gram model's answer.

use std::collections::HashMap;

use super::network::{INPUT_GAIN, NgramModel};
use super::room::NgramRoom;
use super::text::Feature;
use super::vocabulary::Entry;
use crate::evidence::WordEvidence;
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
    let mut room = NgramRoom::default();
    // As long as the text, so that spans are those of the text.
    let text = model.header.normalised(input.text);
    let mut occurrences: Vec<(u32, Feature)> = vec![];
    let entries = room.vectorizer.vectorize_with(&model.vocabulary, &text, |row, feature| {
        occurrences.push((row, feature));
    });
    let entries = entries.to_vec();
    let direction = direction(model, input, &entries, probabilities, first);
    let mut count_of = HashMap::new();
    for (row, _) in &occurrences {
        *count_of.entry(*row).or_insert(0u32) += 1;
    }
    let gain_of: HashMap<u32, f32> = entries
        .iter()
        .map(|entry| {
            let row = (0..direction.len()).map(|t| model.embedding.at(entry.row as usize, t) * direction[t]);
            (entry.row, INPUT_GAIN * entry.value * row.sum::<f32>() / count_of[&entry.row] as f32)
        })
        .collect();
    let spans = room.vectorizer.spans();
    let mut weights = vec![0.0f32; spans.len()];
    for (row, feature) in &occurrences {
        let gain = gain_of[row];
        match *feature {
            Feature::Word(i) | Feature::Number(i) | Feature::Piece(i) => weights[i as usize] += gain,
            Feature::Pair(i) => {
                weights[i as usize] += gain / 2.0;
                weights[i as usize + 1] += gain / 2.0;
            }
        }
    }
    let evidence = spans.iter().zip(weights).map(|(span, weight)| WordEvidence {
        text: input.text[span.clone()].to_owned(),
        start: span.start,
        end: span.end,
        weight,
    });
    evidence.collect()
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
