//! Outcomes of reading a text beside sets of weaknesses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An outcome of reading a text that is not a set of weaknesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The text describes no vulnerability.
    NotAVulnerability,
    /// The text describes a vulnerability and does not tell its weakness.
    NotTold,
}

impl Outcome {
    /// All outcomes, in order.
    pub const ALL: [Self; 2] = [Self::NotAVulnerability, Self::NotTold];

    /// Its name in files, answers and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAVulnerability => "not-a-vulnerability",
            Self::NotTold => "not-told",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_files() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::named(outcome.name()), Some(outcome));
            assert_eq!(serde_json::to_string(&outcome).unwrap(), format!("\"{outcome}\""));
        }
        assert_eq!(Outcome::named("told"), None);
    }
}
