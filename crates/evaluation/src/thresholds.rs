//! Thresholds that are fitted: the score from which on each label is answered.

use vulnlens_metrics::{MetricsError, ScoredRow, best_global_threshold, best_label_thresholds};

/// Positives that a label must have for a threshold of its own.
const POSITIVES_FOR_A_THRESHOLD: usize = 10;
/// A hierarchy gives 0 to what it rules out: that is never an answer.
const LEAST: f32 = 1e-6;
/// The threshold where nothing prefers one to another.
const USUAL: f32 = 0.5;

/// One threshold for all labels: that of the best micro-F1; 0.5 where no row has a label.
///
/// # Errors
/// That of the first bad row.
pub fn threshold_for_all(width: usize, rows: &[ScoredRow<'_>]) -> Result<f32, MetricsError> {
    let best = best_global_threshold(width, rows.len(), |row| rows[row])?;
    Ok(best.map_or(USUAL, |best| best.threshold).max(LEAST))
}

/// A threshold for each label: that of its best F1 where it has at least ten positives, and else that of the best micro-F1.
///
/// # Errors
/// That of the first bad row.
pub fn thresholds_for_each(width: usize, rows: &[ScoredRow<'_>]) -> Result<Vec<f32>, MetricsError> {
    let usual = threshold_for_all(width, rows)?;
    let mut positives = vec![0; width];
    rows.iter().flat_map(|row| row.gold).for_each(|&label| positives[label as usize] += 1);
    let own = best_label_thresholds(width, rows.len(), |row| rows[row])?;
    let chosen = own.into_iter().zip(positives).map(|(own, positives)| match own {
        Some(own) if positives >= POSITIVES_FOR_A_THRESHOLD => own.threshold,
        _ => usual,
    });
    Ok(chosen.map(|threshold| threshold.max(LEAST)).collect())
}

/// The labels whose scores reach their thresholds, by their places.
#[must_use]
pub fn answered(scores: &[f32], thresholds: &[f32]) -> Vec<u32> {
    let reached = (0..).zip(scores.iter().zip(thresholds));
    reached.filter(|(_, (score, threshold))| score >= threshold).map(|(label, _)| label).collect()
}
