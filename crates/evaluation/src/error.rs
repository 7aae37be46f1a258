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
    /// A metric refused its input.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

impl Classified for EvaluationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoValidationTexts => ErrorKind::Input,
            Self::NoKnownLabels { .. } => ErrorKind::Arguments,
            Self::Metrics(_) => ErrorKind::Fault,
        }
    }
}
