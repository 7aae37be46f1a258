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
    /// A metric refused its input.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

impl Classified for EvaluationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoValidationTexts => ErrorKind::Input,
            Self::Metrics(_) => ErrorKind::Fault,
        }
    }
}
