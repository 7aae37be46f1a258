//! Risk against coverage: how often the answers are right that are sure enough to be given.

use serde::{Deserialize, Serialize};

use crate::MetricsError;
use crate::ratio::ratio;
use crate::score_key::score_key;

/// The most points of a curve: enough for a drawing, and little beside the other figures in a file.
const MOST_POINTS: usize = 200;

/// The curve of risk against coverage (El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017).
///
/// The answers are given by falling confidence, those of equal confidence together. Coverage is the share of all rows
/// that are answered, risk the share of those answers that are wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskCoverage {
    /// Number of rows, those without an answer included.
    pub rows: u64,
    /// Number of rows with an answer.
    pub answered: u64,
    /// The greatest coverage at which at least nine tenths of the answers are right; 0 where there is none.
    pub coverage: f64,
    /// Area under the curve (AURC): the mean risk over all coverages. Rows without an answer come last and count as
    /// wrong answers. In [0, 1], lower is better.
    pub area: f64,
    /// At most 200 points of the curve, by rising coverage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<RiskPoint>,
}

/// A point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RiskPoint {
    /// Answers of at least this confidence are given.
    pub confidence: f32,
    /// The share of rows that are answered.
    pub coverage: f64,
    /// The share of answers that are right: 1 − risk.
    pub precision: f64,
}

/// Counts of answers at one confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RiskCounts {
    /// Number of answers.
    pub answered: u64,
    /// Number of those that are right.
    pub right: u64,
}

impl RiskCoverage {
    /// The curve of `answers`, each with its confidence and whether it is right, and of `unanswered` rows without one.
    ///
    /// # Errors
    /// [`MetricsError::NonFiniteConfidence`] for the first answer without a rank.
    pub fn of_answers(answers: &[(f32, bool)], unanswered: u64) -> Result<Self, MetricsError> {
        if let Some((pair, &(confidence, _))) = answers.iter().enumerate().find(|(_, a)| !a.0.is_finite()) {
            return Err(MetricsError::NonFiniteConfidence { pair, confidence });
        }
        let mut sorted = answers.to_vec();
        sorted.sort_unstable_by_key(|&(confidence, _)| std::cmp::Reverse(score_key(confidence)));
        let mut counts = RiskCounts::default();
        let levels = sorted.chunk_by(|a, b| a.0 == b.0).map(|tied| {
            counts.answered += tied.len() as u64;
            counts.right += tied.iter().filter(|(_, is_right)| *is_right).count() as u64;
            (tied[0].0, counts)
        });
        let levels: Vec<_> = levels.collect();
        Ok(Self::of_levels(&levels, answers.len() as u64 + unanswered))
    }

    /// The curve through `levels`, confidences in falling order with the counts of the answers that are given at each,
    /// of `rows` rows. Answers may change from level to level; their number must not fall.
    #[must_use]
    pub fn of_levels(levels: &[(f32, RiskCounts)], rows: u64) -> Self {
        let (mut area, mut before, mut coverage) = (0.0, 0, 0);
        let mut points = vec![];
        for &(confidence, counts) in levels.iter().filter(|(_, counts)| counts.answered > 0) {
            let precision = ratio(counts.right, counts.answered);
            let share = ratio(counts.answered.saturating_sub(before), rows);
            area += share * (1.0 - precision);
            before = counts.answered;
            // Compared as integers, so that nine of ten are enough.
            if counts.right * 10 >= counts.answered * 9 {
                coverage = counts.answered;
            }
            points.push(RiskPoint { confidence, coverage: ratio(counts.answered, rows), precision });
        }
        Self {
            rows,
            answered: before,
            coverage: ratio(coverage, rows),
            area: area + ratio(rows.saturating_sub(before), rows),
            points: thinned(points),
        }
    }
}

/// The last point, and of the others at most so many as there may be, evenly spread.
fn thinned(points: Vec<RiskPoint>) -> Vec<RiskPoint> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let last = points.len() - 1;
    (0..MOST_POINTS).map(|number| points[number * last / (MOST_POINTS - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_given_by_confidence_and_equal_ones_together() {
        // Risks 0, 1/3 (two together), 1/4, then a row without an answer.
        let answers = [(0.5, true), (0.9, true), (0.6, false), (0.6, true)];
        let curve = RiskCoverage::of_answers(&answers, 1).unwrap();
        assert_eq!((curve.rows, curve.answered), (5, 4));
        let coverages: Vec<f64> = curve.points.iter().map(|point| point.coverage).collect();
        assert_eq!(coverages, [0.2, 0.6, 0.8]);
        assert_eq!(curve.coverage, 0.2);
        let area = 0.2 * 0.0 + 0.4 * (1.0 / 3.0) + 0.2 * 0.25 + 0.2 * 1.0;
        assert!((curve.area - area).abs() < 1e-15);
    }

    #[test]
    fn nine_of_ten_are_enough_and_a_late_recovery_counts() {
        let answers: Vec<(f32, bool)> = (0..10).map(|n| (1.0 - n as f32 / 100.0, n != 0)).collect();
        let curve = RiskCoverage::of_answers(&answers, 10).unwrap();
        assert_eq!(curve.coverage, 0.5);
        assert_eq!(RiskCoverage::of_answers(&answers[..9], 10).unwrap().coverage, 0.0);
    }

    #[test]
    fn without_ties_the_area_is_the_mean_of_the_risks() {
        let right = [true, true, false, true, false];
        let answers: Vec<(f32, bool)> = (0..5_u8).map(|n| (-f32::from(n), right[usize::from(n)])).collect();
        let risks = [0.0, 0.0, 1.0 / 3.0, 0.25, 0.4];
        let curve = RiskCoverage::of_answers(&answers, 0).unwrap();
        assert!((curve.area - risks.iter().sum::<f64>() / 5.0).abs() < 1e-15);
    }

    #[test]
    fn curves_have_few_points_and_keep_both_ends() {
        let answers: Vec<(f32, bool)> = (0..5000_u16).map(|n| (f32::from(n), n % 2 == 0)).collect();
        let curve = RiskCoverage::of_answers(&answers, 0).unwrap();
        assert_eq!(curve.points.len(), MOST_POINTS);
        assert_eq!(curve.points[0].coverage, 1.0 / 5000.0);
        assert_eq!(curve.points[MOST_POINTS - 1].coverage, 1.0);
    }

    #[test]
    fn what_has_no_rank_is_refused_and_nothing_is_all_zero() {
        let error = RiskCoverage::of_answers(&[(0.5, true), (f32::NAN, true)], 0).unwrap_err();
        assert!(matches!(error, MetricsError::NonFiniteConfidence { pair: 1, .. }));
        let nothing = RiskCoverage::of_answers(&[], 0).unwrap();
        assert_eq!((nothing.area, nothing.coverage, nothing.rows), (0.0, 0.0, 0));
        assert_eq!(RiskCoverage::of_answers(&[], 3).unwrap().area, 1.0);
    }
}
