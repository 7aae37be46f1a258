//! Errors of fitting and training.

use std::io;
use std::path::{Path, PathBuf};

use vulnlens_encoder::EncoderError;
use vulnlens_evaluation::EvaluationError;
use vulnlens_files::{Classified, ErrorKind};
use vulnlens_metrics::MetricsError;
use vulnlens_model::MAX_SETS;
use vulnlens_model::ModelFileError;

/// An error of fitting an n-gram model, or of training an encoder or its tokenizer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting is out of its bounds.
    #[error("setting: {0}")]
    Setting(String),
    /// Nothing to fit on.
    #[error(
        "no labelled text in the training part ({texts} texts in all); label some, or choose another split"
    )]
    NoTrainingTexts {
        /// Texts that were given.
        texts: usize,
    },
    /// No text at all.
    #[error("there is no text to train on; give a data set with descriptions, or another split")]
    NoTexts,
    /// No techniques that people assigned.
    #[error("no text has techniques that a project of people assigned; build the data set with --curated")]
    NoCuratedPairs,
    /// No base vectors of CVSS.
    #[error("no text of the training part has a base vector of CVSS; build the data set with --cvss")]
    NoVectors,
    /// The numbers of a model's file do not hold what was fitted.
    #[error(
        "the head's scores change by {difference:.3} in the numbers of a model's file: this is a fault of vulnlens"
    )]
    RoundedAway {
        /// The greatest difference of a score.
        difference: f64,
    },
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
    /// Nothing to learn.
    #[error("the labels of {space} in the training part are {found}; at least two are needed to tell apart")]
    TooFewLabels {
        /// The label space.
        space: &'static str,
        /// Labels there.
        found: usize,
    },
    /// No hierarchy can be made of the labels.
    #[error("the labels of {space} {problem}; {fix}")]
    NoTree {
        /// The label space.
        space: &'static str,
        /// The reason.
        problem: String,
        /// The remedy.
        fix: &'static str,
    },
    /// The tokenizers crate refused.
    #[error("the tokenizer cannot be made: {0}")]
    Tokenizer(String),
    /// A file of a checkpoint or tokenizer does not go with the run.
    #[error("{file}: {problem}; {fix}")]
    Refused {
        /// The file or folder.
        file: PathBuf,
        /// The reason.
        problem: String,
        /// The remedy.
        fix: String,
    },
    /// The folder to write to holds something else.
    #[error("{folder}: {problem}; {fix}")]
    Taken {
        /// The folder, or the file in it that says so.
        folder: PathBuf,
        /// The content of the folder.
        problem: String,
        /// The remedy.
        fix: &'static str,
    },
    /// Another run writes to the folder.
    #[error("{folder}: another run writes here; wait for its end, or give another folder")]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The loss of an n-gram model became infinite or not a number.
    #[error("the loss is {loss} at step {step}; lower the learning rates")]
    LossDiverged {
        /// The loss.
        loss: f32,
        /// Steps that were done.
        step: usize,
    },
    /// A fit was ended from outside.
    #[error("the fit was ended before the model was finished; start it again")]
    Stopped,
    /// A loss or a gradient of an encoder became infinite or not a number.
    #[error(
        "the {what} is {value} at step {step} (epoch {epoch}, batch {batch}, which begins with text {text}); {kept}; lower the learning rate"
    )]
    Diverged {
        /// Loss or gradient.
        what: &'static str,
        /// Its value.
        value: f64,
        /// Updates that were made before.
        step: u64,
        /// Passes over the data that were finished.
        epoch: u64,
        /// The batch of the pass, from 0.
        batch: usize,
        /// The batch's first text: its place among the texts that are trained on.
        text: usize,
        /// The remains of the run, in words.
        kept: String,
    },
    /// A file cannot be read or written.
    #[error("{file}: {source}")]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A checkpoint cannot be written.
    #[error(
        "{file}: the checkpoint of step {step} cannot be written: {problem}; {kept}; make room, then resume"
    )]
    Save {
        /// The file.
        file: PathBuf,
        /// The step that it would have been of.
        step: u64,
        /// The reason.
        problem: String,
        /// The remains of the run, in words.
        kept: String,
    },
    /// The checkpoint to begin with cannot be used.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// Nothing to choose thresholds on, or scores that are not numbers.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
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

impl Classified for TrainError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Setting(_) | Self::Taken { .. } | Self::Diverged { .. } | Self::LossDiverged { .. } => {
                ErrorKind::Arguments
            }
            Self::NoTrainingTexts { .. }
            | Self::NoTexts
            | Self::NoCuratedPairs
            | Self::OneSetOnly
            | Self::TooManySets { .. }
            | Self::NoFeatures { .. }
            | Self::TooFewLabels { .. }
            | Self::NoTree { .. } => ErrorKind::Input,
            Self::Evaluation(error) => error.kind(),
            Self::Encoder(error) => error.kind(),
            Self::Refused { .. } => ErrorKind::Unavailable,
            Self::Save { .. } => ErrorKind::Output,
            _ => ErrorKind::Fault,
        }
    }
}

impl TrainError {
    /// An adapter for `map_err`: work on `file` failed.
    pub(crate) fn io(file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { file: file.to_owned(), source }
    }

    /// A folder to write to that holds something else.
    pub(crate) fn taken(folder: &Path, problem: impl Into<String>, fix: &'static str) -> Self {
        Self::Taken { folder: folder.to_owned(), problem: problem.into(), fix }
    }

    pub(crate) fn refused(file: &Path, problem: impl Into<String>, fix: &str) -> Self {
        Self::Refused { file: file.to_owned(), problem: problem.into(), fix: fix.to_owned() }
    }
}
