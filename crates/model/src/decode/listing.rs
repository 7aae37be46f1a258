//! From the scores of all labels to the list that is asked for.

use std::cmp::Reverse;

use crate::prediction::{Options, ScoredLabel, TopK};

/// Labels in rising order, each with its score and whether it is answered.
pub(crate) struct Listing<'l, L> {
    pub(crate) labels: &'l [L],
    /// Never negative; NaN for what is not to be listed.
    pub(crate) scores: &'l [f32],
    pub(crate) answered: &'l [bool],
    /// A rank for each label, which counts before its score; the same for all where there are none.
    pub(crate) ranks: Option<&'l [u8]>,
}

impl<L: Clone> Listing<'_, L> {
    /// The labels from the threshold on, by rising rank, then by falling score and then in their own order, as many as asked for.
    pub(crate) fn list(&self, options: &Options, order: &mut Vec<u32>) -> Vec<ScoredLabel<L>> {
        let scores = self.scores;
        order.clear();
        order.extend((0..scores.len() as u32).filter(|&i| scores[i as usize] >= options.threshold));
        // Scores are never negative or NaN here, so their bits order as they do.
        let rank = |i: u32| self.ranks.map_or(0, |ranks| ranks[i as usize]);
        let key = |&i: &u32| (rank(i), Reverse(scores[i as usize].to_bits()), i);
        let (best, and_predicted) = match options.top_k {
            TopK::All => (order.len(), false),
            TopK::Best(number) => (number, false),
            TopK::Predicted { and_best } => (and_best, true),
        };
        if best < order.len() {
            // Only what is listed needs an order.
            order.select_nth_unstable_by_key(best, key);
            let mut place = 0usize;
            order.retain(|&i| {
                place = place.saturating_add(1);
                place <= best || (and_predicted && self.answered.get(i as usize) == Some(&true))
            });
        }
        order.sort_unstable_by_key(key);
        let scored = |&i: &u32| {
            ScoredLabel::new(self.labels[i as usize].clone(), scores[i as usize], self.answered[i as usize])
        };
        order.iter().map(scored).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_predicted_is_listed_however_far_down() {
        let listing = Listing {
            labels: &['a', 'b', 'c', 'd', 'e'],
            scores: &[0.1, 0.9, 0.3, 0.2, 0.01],
            answered: &[true, false, false, false, true],
            ranks: None,
        };
        for (top_k, want) in [
            (TopK::All, "bcda"),
            (TopK::Best(2), "bc"),
            (TopK::Predicted { and_best: 1 }, "ba"),
            (TopK::Predicted { and_best: 0 }, "a"),
            (TopK::Predicted { and_best: 9 }, "bcda"),
        ] {
            let listed = listing.list(&Options::default().top_k(top_k), &mut Vec::new());
            assert_eq!(listed.iter().map(|scored| scored.label).collect::<String>(), want, "{top_k:?}");
        }
    }
}
