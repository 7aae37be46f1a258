//! Outcomes of reading a text that are not weaknesses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An outcome of reading a text that is not a set of weaknesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The text does not describe a vulnerability.
    NotAVulnerability,
    /// The text describes a vulnerability and does not tell its weakness: what NVD calls `NVD-CWE-noinfo`.
    NotTold,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 2] = [Self::NotAVulnerability, Self::NotTold];

    /// The outcome's name in files and outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAVulnerability => "not-a-vulnerability",
            Self::NotTold => "not-told",
        }
    }

    /// The outcome with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
