//! Failures that end the work.

use std::borrow::Cow;
use std::io;

use vulnlens_corpus::CorpusError;
use vulnlens_files::{Classified, ErrorKind};

/// A failure that ends the work; one bad finding does not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrichError {
    /// The input cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Read {
        /// Display name of the input.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Write(#[source] io::Error),
    /// The input is not in a format that is filled in.
    #[error("{file}: {problem}")]
    Format {
        /// Display name of the input.
        file: String,
        /// The problem, and what to do.
        problem: String,
    },
    /// A table that cannot be read.
    #[error(transparent)]
    Table(#[from] CorpusError),
    /// The model gave fewer answers than there were texts.
    #[error("the model stopped before all texts were answered")]
    Stopped,
}

impl Classified for EnrichError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { .. } | Self::Format { .. } => ErrorKind::Input,
            Self::Write(_) => ErrorKind::Output,
            Self::Table(error) => error.kind(),
            Self::Stopped => ErrorKind::Fault,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        if let Self::Table(error) = self { error.hint() } else { None }
    }
}
