//! Why an encoder cannot be trained.

use std::io;
use std::path::{Path, PathBuf};

use vulnlens_encoder::EncoderError;
use vulnlens_metrics::MetricsError;

use crate::error::TrainError;

/// An error of training an encoder or its tokenizer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A setting is out of its bounds.
    #[error("setting: {0}")]
    Setting(String),
    /// No text at all.
    #[error("there is no text to train on; give a data set with descriptions, or another split")]
    NoTexts,
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
        /// Why not.
        problem: String,
        /// What to do about it.
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
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        fix: String,
    },
    /// Another run writes to the folder.
    #[error("{folder}: another run writes here; wait for its end, or give another folder")]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// A loss or a gradient became infinite or not a number.
    #[error(
        "the {what} is {value} at step {step} (epoch {epoch}, batch {batch}, which begins with text {text}); {kept}; lower the learning rate"
    )]
    Diverged {
        /// Loss or gradient.
        what: &'static str,
        /// What it was.
        value: f64,
        /// Updates that were made before.
        step: u64,
        /// Passes over the data that were finished.
        epoch: u64,
        /// The batch of the pass, from 0.
        batch: usize,
        /// The batch's first text: its place among the texts that are trained on.
        text: usize,
        /// What is left of the run.
        kept: String,
    },
    /// A file cannot be read or written.
    #[error("{file}: {source}")]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
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
        /// What went wrong.
        problem: String,
        /// What is left of the run.
        kept: String,
    },
    /// The checkpoint to begin with cannot be used.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// Examples or settings that no model can be fitted to.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A metric refused its input.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

impl FitError {
    /// An adapter for `map_err`: work on `file` failed.
    pub(crate) fn io(file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { file: file.to_owned(), source }
    }

    pub(crate) fn refused(file: &Path, problem: impl Into<String>, fix: &str) -> Self {
        Self::Refused { file: file.to_owned(), problem: problem.into(), fix: fix.to_owned() }
    }
}
