//! Evidence: the parts of a text that carried an answer.

use std::collections::HashMap;
use std::ops::Range;

use crate::ngram::text::Feature;

/// The contribution of one word of a text to an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct WordEvidence {
    /// The word as written.
    pub text: String,
    /// First byte of the word in the text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The addition of the word to the log-odds of the answer, or to the score of a curated technique; positive for one
    /// that speaks for it. N-gram models know
    /// it (the word's share of pairs and pieces included, beyond its addition to other answers on average, weighted by
    /// their probabilities); of other models it is the fall of the log-odds when the word is left out.
    pub weight: f32,
}

/// The features of a text where they occur, for linear scores: a feature's part in a score is shared by its occurrences,
/// and that of a pair by both of its words.
pub(crate) struct Occurrences<'t> {
    text: &'t str,
    /// Byte ranges of the text's words.
    spans: Vec<Range<usize>>,
    /// The row of each feature that occurs, with the words that it stands for.
    features: Vec<(u32, Feature)>,
    /// The occurrences of each row.
    counts: HashMap<u32, u32>,
}

impl<'t> Occurrences<'t> {
    pub(crate) fn new(text: &'t str, spans: &[Range<usize>], features: Vec<(u32, Feature)>) -> Self {
        let mut counts = HashMap::new();
        features.iter().for_each(|(row, _)| *counts.entry(*row).or_insert(0) += 1);
        Self { text, spans: spans.to_vec(), features, counts }
    }

    /// The part of each word in a score, by the parts of the features.
    pub(crate) fn words(&self, gain: impl Fn(u32) -> f32) -> Vec<WordEvidence> {
        let mut weights = vec![0.0f32; self.spans.len()];
        let mut add = |word: u32, part: f32| {
            if let Some(weight) = weights.get_mut(word as usize) {
                *weight += part;
            }
        };
        for (row, feature) in &self.features {
            let count = self.counts.get(row).copied().unwrap_or(1);
            let part = gain(*row) / count as f32;
            match *feature {
                Feature::Word(word) | Feature::Number(word) | Feature::Piece(word) => add(word, part),
                Feature::Pair(word) => {
                    add(word, part / 2.0);
                    add(word + 1, part / 2.0);
                }
            }
        }
        let evidence = self.spans.iter().zip(weights).map(|(span, weight)| WordEvidence {
            text: self.text.get(span.clone()).unwrap_or_default().to_owned(),
            start: span.start,
            end: span.end,
            weight,
        });
        evidence.collect()
    }
}
