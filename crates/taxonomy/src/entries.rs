//! The entries of the catalogues: weaknesses, groups of them, attack patterns, techniques, tactics.
//!
//! They hold names, ids and relations only, none of the catalogues' prose. Lists are sorted and
//! without duplicates once they stand in a knowledge base.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{CapecId, CweId, TacticId, TechniqueId};
use crate::terms::{Abstraction, Domain, Nature, PatternAbstraction, Status, Usage};

/// A weakness of CWE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weakness {
    /// Its id.
    pub id: CweId,
    /// Its name.
    pub name: String,
    /// The level of abstraction.
    pub abstraction: Abstraction,
    /// The maturity of the entry.
    pub status: Status,
    /// The permission to map vulnerabilities to it.
    pub usage: Usage,
    /// Its relations to other weaknesses, in every view.
    pub relations: Vec<Relation>,
    /// Its `Related_Attack_Patterns`.
    pub capecs: Vec<CapecId>,
}

/// A relation of one weakness to another, valid in one view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Relation {
    /// The relation of the weakness to the target.
    pub nature: Nature,
    /// The other weakness.
    pub target: CweId,
    /// The view the relation belongs to: 1000 is the research view, 1003 NVD's simplified one.
    pub view: u32,
    /// True for the main parent in the view.
    pub primary: bool,
}

/// A category or a view of CWE: an id that records carry, but not a weakness and without parents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Grouping {
    /// Its id, from the same numbers as the weaknesses'.
    pub id: CweId,
    /// Its name.
    pub name: String,
    /// Category or view.
    pub kind: GroupingKind,
    /// The maturity of the entry.
    pub status: Status,
    /// The permission to map vulnerabilities to it: none, in releases that have mapping notes.
    pub usage: Usage,
    /// The weaknesses, categories and views that it lists; those below them are not listed again.
    pub members: Vec<CweId>,
}

impl Grouping {
    /// A category or view without members, of unstated status and usage.
    #[must_use]
    pub fn new(id: CweId, name: impl Into<String>, kind: GroupingKind) -> Self {
        let (status, usage) = (Status::Unstated, Usage::Unstated);
        Self { id, name: name.into(), kind, status, usage, members: Vec::new() }
    }
}

/// The kinds of [`Grouping`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum GroupingKind {
    /// A set of weaknesses that share a characteristic.
    Category,
    /// A perspective on the whole catalogue.
    View,
    /// A view whose members are those that a filter selects; the catalogue does not list them.
    ImplicitView,
}

impl fmt::Display for GroupingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Category => "category",
            Self::View => "view",
            Self::ImplicitView => "implicit view",
        })
    }
}

impl GroupingKind {
    /// The kind of a view of the type that the catalogue writes as `word`.
    pub(crate) fn of_view(word: Option<&str>) -> Self {
        if word == Some("Implicit") { Self::ImplicitView } else { Self::View }
    }
}

/// An attack pattern of CAPEC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackPattern {
    /// Its id.
    pub id: CapecId,
    /// Its name.
    pub name: String,
    /// The level of abstraction.
    pub abstraction: PatternAbstraction,
    /// The maturity of the entry.
    pub status: Status,
    /// The patterns it is a child of.
    pub parents: Vec<CapecId>,
    /// The weaknesses it exploits, as CAPEC lists them.
    pub cwes: Vec<CweId>,
    /// The ATT&CK techniques it corresponds to, as CAPEC lists them.
    pub techniques: Vec<TechniqueId>,
}

/// A technique or sub-technique of ATT&CK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Technique {
    /// Its id.
    pub id: TechniqueId,
    /// Its own name, without the parent's.
    pub name: String,
    /// The matrix it belongs to.
    pub domain: Domain,
    /// The tactics it serves.
    pub tactics: Vec<TacticId>,
    /// The technique it is a sub-technique of.
    pub parent: Option<TechniqueId>,
    /// Withdrawn, as a rule for another: see `revoked_by`.
    pub revoked: bool,
    /// Withdrawn without replacement.
    pub deprecated: bool,
    /// The id that replaces it.
    pub revoked_by: Option<TechniqueId>,
}

/// A tactic of ATT&CK: what an adversary wants to reach by a technique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tactic {
    /// Its id.
    pub id: TacticId,
    /// Its name.
    pub name: String,
    /// The name that techniques refer to it by; unique within a domain only.
    pub shortname: String,
    /// The matrix it belongs to.
    pub domain: Domain,
    /// Its column in the matrix, from 0; `None` where the file holds no matrix with it.
    pub column: Option<u16>,
}

/// The releases that a knowledge base was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// CWE's, like `4.18`.
    pub cwe: String,
    /// The day of that release, `YYYY-MM-DD`, where the file says it.
    pub cwe_date: Option<String>,
    /// The release of CWE's categories and views, where they are taken from another one than the weaknesses.
    pub cwe_categories: Option<String>,
    /// CAPEC's, like `3.9`.
    pub capec: String,
    /// ATT&CK's, like `18.1`.
    pub attack: String,
    /// The day of that release, `YYYY-MM-DD`, where the file says it.
    pub attack_date: Option<String>,
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CWE {}", self.cwe)?;
        if let Some(categories) = &self.cwe_categories {
            write!(f, " (categories and views {categories})")?;
        }
        write!(f, ", CAPEC {}, ATT&CK {}", self.capec, self.attack)
    }
}
