//! Pairs of a CVE and an ATT&CK technique that people assigned.

use vulnlens_taxonomy::{Role, TechniqueId};

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
