//! Roles of techniques in an attack by a vulnerability.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The role of a technique in an attack by a CVE, in the terms of the Center for Threat-Informed Defense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The technique by which the vulnerability is exploited.
    Exploitation,
    /// The technique that the exploit makes possible at once.
    PrimaryImpact,
    /// A technique that the primary impact makes possible.
    SecondaryImpact,
    /// A technique whose role is not given.
    Uncategorised,
}

impl Role {
    /// All roles, in order.
    pub const ALL: [Self; 4] =
        [Self::Exploitation, Self::PrimaryImpact, Self::SecondaryImpact, Self::Uncategorised];

    /// Its name in files and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exploitation => "exploitation",
            Self::PrimaryImpact => "primary-impact",
            Self::SecondaryImpact => "secondary-impact",
            Self::Uncategorised => "uncategorised",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
