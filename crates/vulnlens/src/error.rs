//! Reasons why a model cannot be opened.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use vulnlens_files::sealed::SealedError;
use vulnlens_files::{Classified, ErrorKind, FileError};
#[cfg(feature = "encoder")]
use vulnlens_model::HeaderError;
use vulnlens_model::ModelFileError;
#[cfg(feature = "encoder")]
use vulnlens_model::labels::ThresholdsError;

/// The reason why a model cannot be opened: the file, what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Neither a name that is known nor a file.
    #[error("there is no model {0:?}, and no such file")]
    NoSuchModel(String),
    /// A file that cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file of an n-gram model.
    #[error("{}: {source}", file.display())]
    Ngram {
        /// The file.
        file: PathBuf,
        /// The problem.
        source: ModelFileError,
    },
    /// A checkpoint.
    #[cfg(feature = "encoder")]
    #[error(transparent)]
    Encoder(#[from] vulnlens_encoder::EncoderError),
    /// The thresholds beside a checkpoint.
    #[cfg(feature = "encoder")]
    #[error("{}: {problem}", file.display())]
    Thresholds {
        /// The file.
        file: PathBuf,
        /// The problem.
        problem: ThresholdsError,
    },
    /// The labels of a checkpoint are not names, or not those that were given.
    #[cfg(feature = "encoder")]
    #[error("{}: {problem}; {fix}", file.display())]
    Labels {
        /// The file that names them.
        file: PathBuf,
        /// The problem.
        problem: String,
        /// The fix.
        fix: String,
    },
    /// The description of an encoder that was trained here.
    #[cfg(feature = "encoder")]
    #[error("{}: {problem}", file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// The problem.
        problem: HeaderError,
    },
    /// The description of an encoder does not fit the rest, or this program.
    #[cfg(feature = "encoder")]
    #[error("{}: {problem}", file.display())]
    Misfit {
        /// The file.
        file: PathBuf,
        /// The problem, and what to do.
        problem: String,
    },
    /// The Hugging Face hub.
    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] vulnlens_hub::HubError),
    /// Threads to compute on.
    #[error("threads: {0}")]
    Threads(String),
    /// A model of a kind that this build leaves out.
    #[error("{name}: this build of vulnlens has no {what}; build it with the feature `{feature}`")]
    NotBuilt {
        /// The model's name.
        name: String,
        /// The part that is missing.
        what: &'static str,
        /// The feature that brings it.
        feature: &'static str,
    },
}

impl Classified for OpenError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Threads(_) => ErrorKind::Fault,
            _ => ErrorKind::Unavailable,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::NoSuchModel(_) => Some(
                "give a model file, the folder of a checkpoint, an id of the hub as ORG/NAME, or `fast` or `accurate` for the models that are embedded".into(),
            ),
            Self::Ngram { source: ModelFileError::Sealed(SealedError::NotSealed(_)), .. } => {
                Some("of a checkpoint, give the folder, with its config.json and tokenizer".into())
            }
            _ => None,
        }
    }
}

impl OpenError {
    /// A file that cannot be read: of a model, whatever file it is.
    pub(crate) fn unreadable(error: FileError) -> Self {
        Self::Io { file: error.path, source: error.source }
    }
}
