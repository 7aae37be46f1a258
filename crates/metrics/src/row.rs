//! One sample as the metrics see it, and the checks it must pass before it is counted.

use crate::{LabelList, MetricsError};

/// One sample: what the model scored, what is true, what the model decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowView<'a> {
    /// One finite score per label, higher is more likely; any scale.
    pub scores: &'a [f32],
    /// Indices of the labels that apply, strictly increasing; may be empty.
    pub gold: &'a [u32],
    /// Indices of the labels that the model decided for, strictly increasing; may be empty.
    pub predicted: &'a [u32],
}

/// One sample before any decision is taken: what the model scored and what is true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredRow<'a> {
    /// One finite score per label, higher is more likely; any scale.
    pub scores: &'a [f32],
    /// Indices of the labels that apply, strictly increasing; may be empty.
    pub gold: &'a [u32],
}

impl RowView<'_> {
    /// Checks the row against `labels`; `row` is the number that an error names.
    pub(crate) fn check(&self, row: usize, labels: usize) -> Result<(), MetricsError> {
        ScoredRow { scores: self.scores, gold: self.gold }.check(row, labels)?;
        check_labels(row, labels, LabelList::Predicted, self.predicted)
    }
}

impl ScoredRow<'_> {
    /// Checks the row against `labels`; `row` is the number that an error names.
    pub(crate) fn check(&self, row: usize, labels: usize) -> Result<(), MetricsError> {
        check_scores(row, labels, self.scores)?;
        check_labels(row, labels, LabelList::Gold, self.gold)
    }
}

fn check_scores(row: usize, labels: usize, scores: &[f32]) -> Result<(), MetricsError> {
    if scores.len() != labels {
        return Err(MetricsError::ScoreCount { row, expected: labels, found: scores.len() });
    }
    // Without an early exit the loop is branch-free, and the compiler vectorises it.
    let all_finite = scores.iter().fold(true, |all, score| all & score.is_finite());
    if all_finite {
        return Ok(());
    }
    match scores.iter().enumerate().find(|(_, score)| !score.is_finite()) {
        Some((label, &score)) => Err(MetricsError::NonFiniteScore { row, label, score }),
        None => Ok(()),
    }
}

fn check_labels(row: usize, labels: usize, list: LabelList, indices: &[u32]) -> Result<(), MetricsError> {
    if let Some(pair) = indices.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(MetricsError::UnsortedLabels { row, list, label: pair[1] });
    }
    // The list is increasing, so its last index is its largest.
    match indices.last() {
        Some(&label) if label as usize >= labels => {
            Err(MetricsError::LabelOutOfRange { row, list, label, labels })
        }
        _ => Ok(()),
    }
}
