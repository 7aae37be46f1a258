//! Errors in the rows and pairs that a caller hands in.

use std::fmt;

/// The one of a row's two label lists that an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelList {
    /// The labels that apply, [`RowView::gold`](crate::RowView::gold).
    Gold,
    /// The labels that the model decided for, [`RowView::predicted`](crate::RowView::predicted).
    Predicted,
}

impl fmt::Display for LabelList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gold => "gold",
            Self::Predicted => "predicted",
        })
    }
}

/// Input that no metric is defined on. Rows and pairs are numbered from 0 in the order given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// A row has more or fewer scores than there are labels.
    #[error("row {row}: {found} scores, expected one for each of the {expected} labels")]
    ScoreCount {
        /// Number of the row.
        row: usize,
        /// Number of labels.
        expected: usize,
        /// Number of scores in the row.
        found: usize,
    },
    /// A score is NaN or infinite, so it has no rank.
    #[error("row {row}: the score of label {label} is {score}; scores must be finite")]
    NonFiniteScore {
        /// Number of the row.
        row: usize,
        /// Index of the label.
        label: usize,
        /// The score.
        score: f32,
    },
    /// A label list holds an index at or above the number of labels.
    #[error("row {row}: {list} label {label} is out of range; there are {labels} labels")]
    LabelOutOfRange {
        /// Number of the row.
        row: usize,
        /// The list that holds it.
        list: LabelList,
        /// The index.
        label: u32,
        /// Number of labels.
        labels: usize,
    },
    /// A label list is not strictly increasing.
    #[error(
        "row {row}: {list} label {label} stands after a label not below it; sort the list and drop repeats"
    )]
    UnsortedLabels {
        /// Number of the row.
        row: usize,
        /// The list that holds it.
        list: LabelList,
        /// The first index that is not above the one before it.
        label: u32,
    },
    /// Two accumulators for different numbers of labels were to be merged.
    #[error("cannot merge figures over {found} labels into figures over {expected} labels")]
    LabelCountsDiffer {
        /// Number of labels of the accumulator merged into.
        expected: usize,
        /// Number of labels of the other one.
        found: usize,
    },
    /// A probability is outside [0, 1] or NaN.
    #[error("pair {pair}: {probability} is not a probability; it must lie between 0 and 1")]
    NotAProbability {
        /// Number of the pair.
        pair: usize,
        /// The value.
        probability: f32,
    },
    /// The confidence of an answer is NaN or infinite, so it has no rank.
    #[error("answer {pair}: the confidence is {confidence}; confidences must be finite")]
    NonFiniteConfidence {
        /// Number of the answer.
        pair: usize,
        /// The confidence.
        confidence: f32,
    },
    /// A calibration with no bins was asked for.
    #[error("calibration needs at least one bin")]
    NoBins,
}

impl MetricsError {
    /// Number of the row (or pair) at fault, where one is.
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        match *self {
            Self::ScoreCount { row, .. }
            | Self::NonFiniteScore { row, .. }
            | Self::LabelOutOfRange { row, .. }
            | Self::UnsortedLabels { row, .. }
            | Self::NotAProbability { pair: row, .. }
            | Self::NonFiniteConfidence { pair: row, .. } => Some(row),
            Self::LabelCountsDiffer { .. } | Self::NoBins => None,
        }
    }
}
