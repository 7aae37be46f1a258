//! Why a fit or an evaluation cannot be done.

use vulnlens_metrics::MetricsError;
use vulnlens_model::{MAX_SETS, ModelFileError};

/// An error of fitting or evaluating.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting is out of its bounds.
    #[error("setting: {0}")]
    Setting(&'static str),
    /// Nothing to fit on.
    #[error(
        "no labelled text in the training part ({texts} texts in all); label some, or choose another split"
    )]
    NoTrainingTexts {
        /// Texts that were given.
        texts: usize,
    },
    /// Nothing to choose thresholds on.
    #[error("no labelled text in the validation part; take the decision rules from another model's file")]
    NoValidationTexts,
    /// All labels alike.
    #[error("every training text has the same CWE set; there is nothing to tell apart")]
    OneSetOnly,
    /// More sets than a file can hold.
    #[error(
        "the training texts have {found} different CWE sets, more than the {MAX_SETS} that a model can hold"
    )]
    TooManySets {
        /// How many there are.
        found: usize,
    },
    /// No n-gram is frequent enough.
    #[error("none of the n-grams of {texts} texts occurs in {min_documents} of them; lower min_documents")]
    NoFeatures {
        /// Training texts.
        texts: usize,
        /// The setting.
        min_documents: u32,
    },
    /// The loss became infinite or not a number.
    #[error("the loss is {loss} at step {step}; lower the learning rates")]
    Diverged {
        /// The loss.
        loss: f32,
        /// Steps that were done.
        step: usize,
    },
    /// A metric refused its input.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A model file could not be made or read.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// A promise inside the library does not hold.
    #[error("internal inconsistency: {0}; please report it")]
    Inconsistent(String),
}
