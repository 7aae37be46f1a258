//! The splits of a data set, or no split at all.

use vulnlens_corpus::{DataRow, Part};

/// A way to divide a data set into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// By a hash of the text.
    Random,
    /// By the year of the CVE id.
    Temporal,
    /// The training parts of both have in common what is fitted on: no test text of either is seen.
    Both,
    /// Every row is fitted on; nothing is left to measure on.
    All,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Random, Self::Temporal, Self::Both, Self::All];

    /// Its name in files and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Temporal => "temporal",
            Self::Both => "both",
            Self::All => "all",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Random => "By a hash of the text",
            Self::Temporal => "By the year of the CVE id",
            Self::Both => {
                "The training parts of both have in common what is fitted on: no test text of either is seen"
            }
            Self::All => "Every row is fitted on; nothing is left to measure on",
        }
    }

    /// The split with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }

    /// True when it has a part of its own to evaluate on: `both` shares the test parts of the other two, `all` has none.
    #[must_use]
    pub fn has_test_part(self) -> bool {
        matches!(self, Self::Random | Self::Temporal)
    }

    /// The part that a row of the data set belongs to.
    pub(crate) fn part(self, row: &DataRow) -> Part {
        match self {
            Self::Random => row.random,
            Self::Temporal => row.temporal,
            Self::Both => match (row.random, row.temporal) {
                (Part::Train, Part::Train) => Part::Train,
                (Part::Test, _) | (_, Part::Test) => Part::Test,
                _ => Part::Validation,
            },
            Self::All => Part::Train,
        }
    }
}
