//! Micro-precision, recall and F1 as functions of one threshold for all labels.

use serde::{Deserialize, Serialize};

use crate::ratio::ratio;

/// The number of thresholds: 0.01, 0.02 … 0.99.
const THRESHOLDS: usize = 99;

/// The decision figures at one threshold: a label is predicted from this score on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct F1Point {
    /// The threshold.
    pub threshold: f64,
    /// Micro-precision.
    pub precision: f64,
    /// Micro-recall.
    pub recall: f64,
    /// Micro-F1.
    pub f1: f64,
}

/// Counts for the curve of F1 over the threshold, of scores in [0, 1]. Parts [merge](Self::merge) to the same bits in
/// whatever order.
#[derive(Debug, Clone)]
pub struct F1CurveAccumulator {
    /// Scores by the number of thresholds that they reach.
    all: [u64; THRESHOLDS + 1],
    /// Those of gold labels.
    gold: [u64; THRESHOLDS + 1],
}

impl Default for F1CurveAccumulator {
    fn default() -> Self {
        Self { all: [0; THRESHOLDS + 1], gold: [0; THRESHOLDS + 1] }
    }
}

impl F1CurveAccumulator {
    /// Counts a row: the scores of all labels, and the indices of the gold ones.
    pub fn add(&mut self, scores: &[f32], gold: &[u32]) {
        for &score in scores {
            self.all[reached(score)] += 1;
        }
        for &label in gold {
            let score = scores.get(label as usize).copied().unwrap_or(0.0);
            self.gold[reached(score)] += 1;
        }
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        self.all.iter_mut().zip(other.all).for_each(|(count, other)| *count += other);
        self.gold.iter_mut().zip(other.gold).for_each(|(count, other)| *count += other);
    }

    /// The points of the curve, by rising threshold.
    #[must_use]
    pub fn finish(&self) -> Vec<F1Point> {
        let support: u64 = self.gold.iter().sum();
        let point = |number: usize| {
            let predicted: u64 = self.all[number..].iter().sum();
            let hits: u64 = self.gold[number..].iter().sum();
            F1Point {
                threshold: number as f64 / (THRESHOLDS + 1) as f64,
                precision: ratio(hits, predicted),
                recall: ratio(hits, support),
                f1: ratio(2 * hits, predicted + support),
            }
        };
        (1..=THRESHOLDS).map(point).collect()
    }
}

/// The number of thresholds that a score reaches. In double precision, so that 0.29 as a single stays below 0.29.
fn reached(score: f32) -> usize {
    ((f64::from(score) * (THRESHOLDS + 1) as f64) as usize).min(THRESHOLDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_predicted_from_the_threshold_on() {
        let mut counts = F1CurveAccumulator::default();
        counts.add(&[0.5, 0.75, 0.25], &[0, 2]);
        let mut other = F1CurveAccumulator::default();
        other.add(&[1.0, 0.0, f32::NAN], &[0]);
        counts.merge(&other);
        let curve = counts.finish();
        let at = |hundredths: usize| {
            let point = curve[hundredths - 1];
            assert!((point.threshold - hundredths as f64 / 100.0).abs() < 1e-12);
            (point.precision, point.recall)
        };
        assert_eq!(curve.len(), THRESHOLDS);
        assert_eq!(at(25), (3.0 / 4.0, 1.0));
        assert_eq!(at(26), (2.0 / 3.0, 2.0 / 3.0));
        assert_eq!(at(50), (2.0 / 3.0, 2.0 / 3.0));
        assert_eq!(at(75), (1.0 / 2.0, 1.0 / 3.0));
        assert_eq!(at(99), (1.0, 1.0 / 3.0));
        assert_eq!(curve[98].f1, 0.5);
    }
}
