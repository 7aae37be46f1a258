//! Errors of a checkpoint: each names the file, the key or tensor, the expected value and the fix.

use std::io;
use std::path::{Path, PathBuf};

use vulnlens_files::{Classified, ErrorKind, FileError};

use crate::dtype::Dtype;

/// A reason why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// A file cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder lacks a file that every checkpoint has.
    #[error("{folder}: there is no {expected}; {fix}")]
    FileMissing {
        /// The folder that was looked through.
        folder: PathBuf,
        /// The file or files, any of which would do.
        expected: String,
        /// The fix.
        fix: String,
    },
    /// `config.json` has a value that cannot be run as transformers would run it.
    #[error("{file}: `{key}` {problem}; {fix}")]
    Config {
        /// The file.
        file: PathBuf,
        /// The key, as it stands in the file.
        key: String,
        /// The problem with its value.
        problem: String,
        /// The fix.
        fix: String,
    },
    /// The checkpoint is of a kind of network that this crate does not run.
    #[error("{file}: `model_type` is `{found}`, which is not supported; supported are {known}")]
    UnknownArchitecture {
        /// The configuration file.
        file: PathBuf,
        /// Its model type.
        found: String,
        /// The supported ones, comma-separated.
        known: String,
    },
    /// A file's outer form is broken: truncated, malformed, of another format, or hostile.
    #[error("{file}: {problem}; {fix}")]
    Format {
        /// The file.
        file: PathBuf,
        /// The problem, and its place.
        problem: String,
        /// The fix.
        fix: String,
    },
    /// A file of a repository that was cloned without its large files.
    #[error(
        "{file}: is a pointer of Git LFS, not the file itself; run `git lfs pull` in the repository, or download \
         the file"
    )]
    Pointer {
        /// The file.
        file: PathBuf,
    },
    /// The pickle of a PyTorch file describes more than tensors.
    #[error("{file}: pickle, byte {position}: {problem}; {fix}")]
    Pickle {
        /// The file.
        file: PathBuf,
        /// Offset in the pickle stream.
        position: usize,
        /// The problem.
        problem: String,
        /// The fix.
        fix: String,
    },
    /// A tensor that the architecture needs is not there.
    #[error("{file}: tensor `{tensor}` of shape {expected:?} is missing; {fix}")]
    TensorMissing {
        /// The weights file, or the folder of its shards.
        file: PathBuf,
        /// Its name.
        tensor: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// The fix.
        fix: String,
    },
    /// Tensors that the architecture has no place for.
    #[error("{file}: unknown tensors: {}; {fix}", list(tensors))]
    TensorsUnexpected {
        /// The weights file, or the folder of its shards.
        file: PathBuf,
        /// Their names, sorted.
        tensors: Vec<String>,
        /// The fix.
        fix: String,
    },
    /// A tensor's shape is not what `config.json` says.
    #[error(
        "{file}: tensor `{tensor}` has shape {found:?}, expected {expected:?} from config.json; \
         use the config.json that was published with these weights"
    )]
    TensorShape {
        /// The weights file.
        file: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor's numbers are of a type that cannot be used in its place.
    #[error(
        "{file}: tensor `{tensor}` holds {found}, expected {expected}; save the checkpoint anew in that type"
    )]
    TensorType {
        /// The weights file.
        file: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// The type that it has.
        found: Dtype,
        /// Accepted types.
        expected: &'static str,
    },
    /// A weight is infinite or not a number.
    #[error(
        "{file}: tensor `{tensor}`, element {index}: {value} is not a finite number; \
         the checkpoint is damaged: download or train it again"
    )]
    NonFinite {
        /// The weights file.
        file: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Row-major index.
        index: usize,
        /// The value.
        value: f32,
    },
    /// The tokenizer's files do not make a tokenizer that fits the model.
    #[error("{file}: {problem}; {fix}")]
    Tokenizer {
        /// The file or folder.
        file: PathBuf,
        /// The problem.
        problem: String,
        /// The fix.
        fix: String,
    },
    /// A folder is neither a checkpoint nor a hierarchy of checkpoints.
    #[error("{folder}: {problem}; {fix}")]
    Layout {
        /// The folder.
        folder: PathBuf,
        /// The problem.
        problem: String,
        /// The fix.
        fix: String,
    },
}

impl Classified for EncoderError {
    /// A checkpoint that cannot be used is not available, whatever is wrong with it; an output has its own kind.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::File(error) if error.kind() == ErrorKind::Output => ErrorKind::Output,
            _ => ErrorKind::Unavailable,
        }
    }
}

impl EncoderError {
    /// An adapter for `map_err`: reading `file` failed.
    pub(crate) fn io(file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { file: file.to_owned(), source }
    }

    /// A broken file, with what to do about it.
    pub(crate) fn format(file: &Path, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Format { file: file.to_owned(), problem: problem.into(), fix: fix.into() }
    }

    /// A pointer of Git LFS in the place of a file.
    pub(crate) fn pointer(file: &Path) -> Self {
        Self::Pointer { file: file.to_owned() }
    }

    /// Refuses the bytes of `file` if they are a pointer of Git LFS.
    pub(crate) fn refuse_pointer(bytes: &[u8], file: &Path) -> Result<(), Self> {
        if bytes.starts_with(b"version https://git-lfs") { Err(Self::pointer(file)) } else { Ok(()) }
    }

    /// A key of `config.json`, or of another configuration.
    pub(crate) fn config(file: &Path, key: &str, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Config { file: file.to_owned(), key: key.to_owned(), problem: problem.into(), fix: fix.into() }
    }
}

/// The fix for a file without the length or form that it announces.
pub(crate) const DOWNLOAD_AGAIN: &str = "download the file again";

/// The first few names, and how many more there are.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_names_is_cut_and_counted() {
        let names: Vec<String> = (0..7).map(|i| format!("t{i}")).collect();
        assert_eq!(list(&names), "`t0`, `t1`, `t2`, `t3`, `t4` and 2 more");
        assert_eq!(list(&names[..1]), "`t0`");
    }
}
