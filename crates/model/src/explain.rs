//! Why: which words carried an answer, and by which path it leads to ATT&CK.

use vulnlens_taxonomy::{ChainPath, CweId};

use crate::lens::Lens;
use crate::ngram::{INPUT_GAIN, NgramModel, Scorer};
use crate::prediction::{Input, Options};
use crate::softmax::softmax;
use crate::text::Feature;

/// A CWE set with its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAnswer {
    /// The ids, as records assign them.
    pub cwes: Vec<CweId>,
    /// Probability that the record's ids are exactly these.
    pub probability: f32,
}

/// What one word of the text contributed.
#[derive(Debug, Clone, PartialEq)]
pub struct WordEvidence {
    /// The word as written.
    pub text: String,
    /// First byte of the word in the text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What the word (its share of pairs and pieces included) adds to the logit of the first answer,
    /// beyond what it adds to the others on average, weighted by their probabilities. Positive: it
    /// speaks for the answer.
    pub weight: f32,
}

/// Why a text was answered as it was: about the CWE sets as records assign them, before any label
/// space makes another answer of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The most probable CWE sets, by falling probability.
    pub answers: Vec<SetAnswer>,
    /// The text's words in text order; those that the model does not know have the weight 0.
    pub words: Vec<WordEvidence>,
    /// The chain's paths from the first answer's ids to each technique that they reach.
    pub paths: Vec<ChainPath>,
}

/// How many sets an explanation lists.
const ANSWERS: usize = 5;

pub(crate) fn explain(lens: &Lens, input: Input<'_>, options: &Options) -> Explanation {
    let model = lens.model();
    let input = Input { year: options.as_of.or(input.year), ..input };
    let probabilities = model.score(&[input], &mut Scorer::default()).to_vec();
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let answers: Vec<SetAnswer> = order
        .iter()
        .take(ANSWERS)
        .map(|&set| SetAnswer { cwes: model.sets()[set].clone(), probability: probabilities[set] })
        .collect();
    let words = order.first().map_or(vec![], |&first| words(model, &input, &probabilities, first));
    let paths = answers.first().map_or(vec![], |answer| paths(lens, &answer.cwes));
    Explanation { answers, words, paths }
}

fn paths(lens: &Lens, cwes: &[CweId]) -> Vec<ChainPath> {
    let kb = lens.knowledge_base();
    let techniques = kb.chain(cwes).techniques;
    let pairs = techniques.iter().flat_map(|&technique| cwes.iter().map(move |&cwe| (cwe, technique)));
    pairs.flat_map(|(cwe, technique)| kb.paths(cwe, technique)).collect()
}

/// The network is linear once it is known which hidden units are on, so a feature's part in a logit
/// is its part in those units times their weights.
fn words(model: &NgramModel, input: &Input<'_>, probabilities: &[f32], first: usize) -> Vec<WordEvidence> {
    let mut scorer = Scorer::default();
    let mut occurrences: Vec<(u32, Feature)> = vec![];
    let entries = scorer.vectorizer.vectorize_with(&model.vocabulary, input.text, |row, feature| {
        occurrences.push((row, feature));
    });
    let entries = entries.to_vec();
    let direction = direction(model, input, &entries, probabilities, first);
    let mut count_of = std::collections::HashMap::new();
    for (row, _) in &occurrences {
        *count_of.entry(*row).or_insert(0u32) += 1;
    }
    let gain_of: std::collections::HashMap<u32, f32> = entries
        .iter()
        .map(|entry| {
            let row = (0..direction.len()).map(|t| model.embedding.at(entry.row as usize, t) * direction[t]);
            (entry.row, INPUT_GAIN * entry.value * row.sum::<f32>() / count_of[&entry.row] as f32)
        })
        .collect();
    let spans = scorer.vectorizer.spans();
    let mut weights = vec![0.0f32; spans.len()];
    for (row, feature) in &occurrences {
        let gain = gain_of[row];
        match *feature {
            Feature::Word(i) | Feature::Piece(i) => weights[i as usize] += gain,
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
    entries: &[crate::vocabulary::Entry],
    probabilities: &[f32],
    first: usize,
) -> Vec<f32> {
    let d = model.header.dimensions;
    let mut hidden = vec![0.0; d];
    model.hidden(entries, model.year_of(input), &mut hidden);
    let mut others: Vec<f32> = probabilities.iter().map(|p| p.max(1e-30).ln()).collect();
    others[first] = -1e30;
    softmax(&mut others);
    let scale = 1.0 / model.header.temperature;
    let weight = |set: usize, t: usize| model.output[set * d + t];
    let mean = |t: usize| others.iter().enumerate().map(|(set, p)| p * weight(set, t)).sum::<f32>();
    let on = |t: usize| if hidden[t] > 0.0 { (weight(first, t) - mean(t)) * scale } else { 0.0 };
    (0..d).map(on).collect()
}
