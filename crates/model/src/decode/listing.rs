//! From the scores of all labels to the list that is asked for.

use std::cmp::Reverse;

use crate::prediction::{Options, ScoredLabel};

/// Labels in rising order, each with its score and whether it is answered.
pub(crate) struct Listing<'l, L> {
    pub(crate) labels: &'l [L],
    /// Never negative; NaN for what is not to be listed.
    pub(crate) scores: &'l [f32],
    pub(crate) answered: &'l [bool],
}

impl<L: Clone> Listing<'_, L> {
    /// The labels from the threshold on, by falling score and then in their own order, at most as
    /// many as asked for.
    pub(crate) fn list(&self, options: &Options, order: &mut Vec<u32>) -> Vec<ScoredLabel<L>> {
        let scores = self.scores;
        order.clear();
        order.extend((0..scores.len() as u32).filter(|&i| scores[i as usize] >= options.threshold));
        // Scores are never negative or NaN here, so their bits order as they do.
        order.sort_unstable_by_key(|&i| (Reverse(scores[i as usize].to_bits()), i));
        order.truncate(options.top_k.unwrap_or(usize::MAX));
        let labels = order.iter().map(|&i| ScoredLabel {
            label: self.labels[i as usize].clone(),
            score: scores[i as usize],
            predicted: self.answered[i as usize],
        });
        labels.collect()
    }
}
