//! Pairs of a CVE and an ATT&CK technique that people assigned.

use std::fmt;

use serde::Serialize;
use vulnlens_taxonomy::TechniqueId;

/// A technique that people assigned to a CVE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CuratedPair {
    /// The technique or sub-technique, as the knowledge base of the build has it today.
    pub technique: TechniqueId,
    /// The role of the technique in an attack by the CVE.
    pub role: Role,
    /// The origin of the pair.
    pub source: CuratedSource,
    /// The words that the pair was made with: an analyst's reason, a sentence of a report, the name of a rule.
    pub reason: Option<String>,
}

/// The origin of a pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CuratedSource {
    /// The name of the project: `ctid-kev`, `sigma`.
    pub name: String,
    /// The kind of work that made the pair: `mapping`, `procedure`, `detection`, `label`.
    pub kind: String,
    /// The licence, in the words of the file.
    pub licence: String,
}

/// The role of a technique in an attack by a CVE, in the terms of the Center for Threat-Informed Defense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

    /// Its name in the data set.
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
