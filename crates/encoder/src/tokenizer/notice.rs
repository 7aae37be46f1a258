//! Remarks on a checkpoint for its user.

use std::fmt;
use std::path::PathBuf;

/// A remark on a checkpoint, to be shown to its user once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The tokenizer was rebuilt from its older files.
    TokenizerRebuilt {
        /// The `tokenizer.json` that could not be used.
        file: PathBuf,
        /// Why it could not.
        reason: String,
        /// The files that were used instead.
        from: &'static str,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenizerRebuilt { file, reason, from } => {
                write!(f, "{} {reason}; the tokenizer was rebuilt from {from}", file.display())
            }
        }
    }
}
