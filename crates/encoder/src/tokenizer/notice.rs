//! Remarks on a checkpoint for its user.

use std::fmt;
use std::path::PathBuf;

use crate::config::Problem;

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
    /// The configuration leaves open how scores are made of the network's numbers.
    ScoresAssumed {
        /// The `config.json` without a `problem_type`.
        file: PathBuf,
        /// The function that was taken.
        problem: Problem,
    },
    /// Scores are made in another way than the configuration says, as was asked for.
    ScoresOverruled {
        /// The `config.json`.
        file: PathBuf,
        /// The function that was asked for.
        problem: Problem,
    },
    /// An adapter beside the weights was merged into them.
    AdapterMerged {
        /// The adapter's configuration.
        file: PathBuf,
        /// The model that it was made for, as it says itself.
        base: String,
    },
}

impl Notice {
    /// True for a notice about scores, which is the same for every part of a hierarchy.
    #[must_use]
    pub fn is_about_scores(&self) -> bool {
        matches!(self, Self::ScoresAssumed { .. } | Self::ScoresOverruled { .. })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenizerRebuilt { file, reason, from } => {
                write!(f, "{} {reason}; the tokenizer was rebuilt from {from}", file.display())
            }
            Self::ScoresAssumed { file, problem } => write!(
                f,
                "{} has no `problem_type`: scores are taken by {}, as transformers takes them; `--scores` \
                 selects sigmoid or softmax",
                file.display(),
                problem.name()
            ),
            Self::ScoresOverruled { file, problem } => write!(
                f,
                "{} says otherwise by its `problem_type`; scores are taken by {}, as `--scores` says",
                file.display(),
                problem.name()
            ),
            Self::AdapterMerged { file, base } => write!(
                f,
                "{}: the adapter, made for `{base}`, was merged into the weights beside it",
                file.display()
            ),
        }
    }
}
