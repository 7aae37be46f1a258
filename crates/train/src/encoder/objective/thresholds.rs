//! Thresholds: the score from which on each label is answered.

use vulnlens_metrics::{ScoredRow, best_global_threshold, best_label_thresholds};

use crate::error::TrainError;

/// Positives that a label must have for a threshold of its own.
const POSITIVES_FOR_A_THRESHOLD: usize = 10;
/// A hierarchy gives 0 to what it rules out: that is never an answer.
pub(crate) const LEAST: f32 = 1e-6;

/// A threshold for each label: that of its best F1 where it has enough positives, and else that of the best micro-F1.
pub(crate) fn thresholds(width: usize, rows: &[ScoredRow<'_>]) -> Result<Vec<f32>, TrainError> {
    let usual = best_global_threshold(width, rows.len(), |row| rows[row])?;
    let usual = usual.map_or(0.5, |best| best.threshold);
    let mut positives = vec![0; width];
    rows.iter().flat_map(|row| row.gold).for_each(|&label| positives[label as usize] += 1);
    let own = best_label_thresholds(width, rows.len(), |row| rows[row])?;
    let chosen = own.into_iter().zip(positives).map(|(own, positives)| match own {
        Some(own) if positives >= POSITIVES_FOR_A_THRESHOLD => own.threshold,
        _ => usual,
    });
    Ok(chosen.map(|threshold| threshold.max(LEAST)).collect())
}

/// The labels whose scores reach their thresholds.
pub(crate) fn answered(scores: &[f32], thresholds: &[f32]) -> Vec<u32> {
    let reached = (0..).zip(scores.iter().zip(thresholds));
    reached.filter(|(_, (score, threshold))| score >= threshold).map(|(label, _)| label).collect()
}
