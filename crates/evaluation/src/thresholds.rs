//! Thresholds: the score from which on each label is answered.

use vulnlens_metrics::{MetricsError, ScoredRow, best_global_threshold, best_label_thresholds};

/// The way in which thresholds are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdRule {
    /// One for all labels: that of the best micro-F1.
    One,
    /// One for each label: that of its best F1 where it has enough positives, and else the one for all.
    Each,
}

/// Positives that a label must have for a threshold of its own.
const POSITIVES_FOR_A_THRESHOLD: usize = 10;
/// The least threshold. A hierarchy gives 0 to what it rules out: that is never an answer.
pub const LEAST_THRESHOLD: f32 = 1e-6;
/// The threshold of labels of which no text is known.
const USUAL: f32 = 0.5;

impl ThresholdRule {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::One, Self::Each];

    /// Its name in arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Each => "each",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::One => "One threshold for all labels: that of the best micro-F1",
            Self::Each => {
                "That of its best F1 for each label with ten positives, and the one for all for the others"
            }
        }
    }
}

/// Fits a threshold for each of `width` labels to rows.
///
/// # Errors
/// A row is not one of `width` labels, or a score is not a number.
pub fn thresholds(
    width: usize,
    rows: &[ScoredRow<'_>],
    rule: ThresholdRule,
) -> Result<Vec<f32>, MetricsError> {
    let common = best_global_threshold(width, rows.len(), |row| rows[row])?;
    let common = common.map_or(USUAL, |best| best.threshold).max(LEAST_THRESHOLD);
    if rule == ThresholdRule::One {
        return Ok(vec![common; width]);
    }
    let mut positives = vec![0_usize; width];
    for &label in rows.iter().flat_map(|row| row.gold) {
        positives.get_mut(label as usize).into_iter().for_each(|count| *count += 1);
    }
    let own = best_label_thresholds(width, rows.len(), |row| rows[row])?;
    let chosen = own.into_iter().zip(positives).map(|(own, positives)| match own {
        Some(own) if positives >= POSITIVES_FOR_A_THRESHOLD => own.threshold.max(LEAST_THRESHOLD),
        _ => common,
    });
    Ok(chosen.collect())
}

/// The labels whose scores reach their thresholds.
#[must_use]
pub fn answered(scores: &[f32], thresholds: &[f32]) -> Vec<u32> {
    let reached = (0..).zip(scores.iter().zip(thresholds));
    reached.filter(|(_, (score, threshold))| score >= threshold).map(|(label, _)| label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve rows of two labels: the first is right from 0.3 on and has its label in all, the second in two.
    fn rows() -> (Vec<[f32; 2]>, Vec<Vec<u32>>) {
        let scores = (0..12_u8).map(|row| [0.3 + f32::from(row) / 100.0, if row < 2 { 0.9 } else { 0.6 }]);
        let gold = (0..12).map(|row| if row < 2 { vec![0, 1] } else { vec![0] });
        (scores.collect(), gold.collect())
    }

    #[test]
    fn labels_with_few_positives_take_the_common_threshold() {
        let (scores, gold) = rows();
        let rows: Vec<ScoredRow<'_>> =
            scores.iter().zip(&gold).map(|(scores, gold)| ScoredRow { scores, gold }).collect();
        let one = thresholds(2, &rows, ThresholdRule::One).unwrap();
        assert_eq!(one, [0.3, 0.3], "the best micro-F1 has all of the first label");
        let each = thresholds(2, &rows, ThresholdRule::Each).unwrap();
        assert_eq!(each, [0.3, 0.3], "two positives are too few for a threshold of one's own");
        let many: Vec<ScoredRow<'_>> = (0..5).flat_map(|_| rows.clone()).collect();
        assert_eq!(thresholds(2, &many, ThresholdRule::Each).unwrap(), [0.3, 0.9]);
    }

    #[test]
    fn what_is_ruled_out_is_never_answered() {
        let rows = [ScoredRow { scores: &[0.0, 0.5], gold: &[0] }];
        let fitted = thresholds(2, &rows, ThresholdRule::One).unwrap();
        assert_eq!(fitted, [LEAST_THRESHOLD; 2]);
        assert_eq!(answered(&[0.0, 0.5], &fitted), [1]);
        assert_eq!(thresholds(1, &[], ThresholdRule::Each).unwrap(), [USUAL]);
    }
}
