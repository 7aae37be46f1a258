//! Recall of rare labels among the first places of a list.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ratio::ratio;
use crate::unit_sum::UnitSum;

/// The numbers of places that recall is given for.
pub const PLACES: [usize; 3] = [1, 3, 5];

/// Recall of the labels with few rows: how often the first places of a row's list have them.
///
/// Labels that no list can have count, too: they are among those never found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RareRecall {
    /// The fewest rows of a label that counts.
    pub fewest_rows: u64,
    /// The most rows of a label that counts.
    pub most_rows: u64,
    /// Number of labels with so many rows.
    pub labels: u64,
    /// Number of their (row, label) pairs.
    pub pairs: u64,
    /// Number of labels that the first 5 places have in none of their rows.
    pub never_found: u64,
    /// Share of pairs whose label is in the first place.
    pub recall_at_1: f64,
    /// Share of pairs whose label is among the first 3 places.
    pub recall_at_3: f64,
    /// Share of pairs whose label is among the first 5 places.
    pub recall_at_5: f64,
    /// Mean of the labels' shares in the first place.
    pub macro_recall_at_1: f64,
    /// Mean of the labels' shares among the first 3 places.
    pub macro_recall_at_3: f64,
    /// Mean of the labels' shares among the first 5 places.
    pub macro_recall_at_5: f64,
}

/// Counts for [`RareRecall`], label by label. Parts [merge](Self::merge) to the same bits in whatever order.
#[derive(Debug, Clone)]
pub struct RareRecallAccumulator<L> {
    labels: BTreeMap<L, LabelCounts>,
}

#[derive(Debug, Clone, Copy, Default)]
struct LabelCounts {
    rows: u64,
    hits: [u64; PLACES.len()],
}

impl<L> Default for RareRecallAccumulator<L> {
    fn default() -> Self {
        Self { labels: BTreeMap::new() }
    }
}

impl<L: Ord + Copy> RareRecallAccumulator<L> {
    /// Counts a row with its gold labels, each once, and the labels listed for it, the best first.
    pub fn add(&mut self, gold: &[L], listed: &[L]) {
        for &label in gold {
            let counts = self.labels.entry(label).or_default();
            counts.rows += 1;
            if let Some(place) = listed.iter().position(|&other| other == label) {
                for (hits, places) in counts.hits.iter_mut().zip(PLACES) {
                    *hits += u64::from(place < places);
                }
            }
        }
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        for (&label, other) in &other.labels {
            let counts = self.labels.entry(label).or_default();
            counts.rows += other.rows;
            counts.hits.iter_mut().zip(other.hits).for_each(|(hits, other)| *hits += other);
        }
    }

    /// The figures of the labels that have at least `fewest_rows` and at most `most_rows` rows.
    #[must_use]
    pub fn finish(&self, fewest_rows: u64, most_rows: u64) -> RareRecall {
        let rare = || self.labels.values().filter(|counts| (fewest_rows..=most_rows).contains(&counts.rows));
        let (labels, pairs) = (rare().count() as u64, rare().map(|counts| counts.rows).sum());
        let at = |place: usize| ratio(rare().map(|counts| counts.hits[place]).sum(), pairs);
        let macro_at = |place: usize| {
            let mut sum = UnitSum::default();
            rare().for_each(|counts| sum.add(ratio(counts.hits[place], counts.rows)));
            sum.mean(labels)
        };
        RareRecall {
            fewest_rows,
            most_rows,
            labels,
            pairs,
            never_found: rare().filter(|counts| counts.hits[PLACES.len() - 1] == 0).count() as u64,
            recall_at_1: at(0),
            recall_at_3: at(1),
            recall_at_5: at(2),
            macro_recall_at_1: macro_at(0),
            macro_recall_at_3: macro_at(1),
            macro_recall_at_5: macro_at(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Label 1 has 3 rows, 2 has 2, 3 has 1.
    const ROWS: [(&[u32], &[u32]); 4] =
        [(&[1], &[1, 9]), (&[1, 2], &[2, 8, 1]), (&[1], &[9]), (&[2, 3], &[4, 5, 6, 2, 7, 3])];

    fn of(rows: &[(&[u32], &[u32])]) -> RareRecallAccumulator<u32> {
        let mut counts = RareRecallAccumulator::default();
        rows.iter().for_each(|(gold, listed)| counts.add(gold, listed));
        counts
    }

    #[test]
    fn labels_are_chosen_by_their_rows_and_places_counted() {
        let all = of(&ROWS).finish(1, 3);
        assert_eq!((all.labels, all.pairs, all.never_found), (3, 6, 1), "3 stands in the sixth place");
        assert_eq!((all.recall_at_1, all.recall_at_3, all.recall_at_5), (2.0 / 6.0, 3.0 / 6.0, 4.0 / 6.0));
        assert!((all.macro_recall_at_5 - (2.0 / 3.0 + 1.0 + 0.0) / 3.0).abs() < 1e-15);
        let some = of(&ROWS).finish(2, 2);
        assert_eq!((some.labels, some.pairs, some.never_found), (1, 2, 0));
        assert_eq!((some.recall_at_1, some.macro_recall_at_1), (0.5, 0.5));
        assert_eq!(of(&ROWS).finish(7, 9).recall_at_5, 0.0);
    }

    #[test]
    fn parts_merge() {
        let mut merged = of(&ROWS[2..]);
        merged.merge(&of(&ROWS[..2]));
        assert_eq!(merged.finish(1, 3), of(&ROWS).finish(1, 3));
    }
}
