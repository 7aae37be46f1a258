//! Errors of an evaluation.

use vulnlens_files::{Classified, ErrorKind};
use vulnlens_metrics::MetricsError;

/// An error of calibrating or evaluating.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// Nothing to choose thresholds on.
    #[error("no labelled text in the validation part; take the decision rules from another model's file")]
    NoValidationTexts,
    /// The labels of a model are of no taxonomy.
    #[error(
        "{name}: none of its labels is a weakness, a pattern or a technique, so there is nothing to compare them with"
    )]
    NoKnownLabels {
        /// The model.
        name: String,
    },
    /// No text of the validation part has a label of a model.
    #[error(
        "{name}: no text of the validation part has any of its labels; give a data set whose records have them"
    )]
    NoTextOfLabels {
        /// The model.
        name: String,
    },
    /// A model does not answer by thresholds.
    #[error("{name}: {problem}, so there are no thresholds to fit; {cure}")]
    NoThresholds {
        /// The model.
        name: String,
        /// The way in which it answers.
        problem: &'static str,
        /// The remedy.
        cure: &'static str,
    },
    /// A metric refused its input.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

impl Classified for EvaluationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoValidationTexts | Self::NoTextOfLabels { .. } => ErrorKind::Input,
            Self::NoKnownLabels { .. } | Self::NoThresholds { .. } => ErrorKind::Arguments,
            Self::Metrics(_) => ErrorKind::Fault,
        }
    }
}
