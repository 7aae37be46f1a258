//! The entries of the catalogues: weaknesses, groups of them, attack patterns, techniques, tactics.
//!
//! They hold names, ids and relations only, none of the catalogues' prose. Lists are sorted and
//! without duplicates once they stand in a knowledge base.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{AtlasMitigationId, AtlasTacticId, AtlasTechniqueId, CapecId, CweId, TacticId, TechniqueId};
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

/// MITRE ATLAS: what adversaries do to systems with artificial intelligence. Lists are in id order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Atlas {
    /// The release, like `5.6.0`.
    pub version: Option<String>,
    /// The day of the newest change to an entry, `YYYY-MM-DD`: the file does not say that of the release.
    pub date: Option<String>,
    /// Tactics.
    pub tactics: Vec<AtlasTactic>,
    /// Techniques and sub-techniques.
    pub techniques: Vec<AtlasTechnique>,
    /// Mitigations.
    pub mitigations: Vec<AtlasMitigation>,
}

/// A tactic of ATLAS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtlasTactic {
    /// Its id.
    pub id: AtlasTacticId,
    /// Its name.
    pub name: String,
    /// The tactic of ATT&CK that it corresponds to.
    pub attack: Option<TacticId>,
}

/// A technique or sub-technique of ATLAS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtlasTechnique {
    /// Its id.
    pub id: AtlasTechniqueId,
    /// Its own name, without the parent's.
    pub name: String,
    /// The tactics it serves; a sub-technique serves those of its parent.
    pub tactics: Vec<AtlasTacticId>,
    /// The technique it is a sub-technique of.
    pub parent: Option<AtlasTechniqueId>,
    /// The technique of ATT&CK that it corresponds to.
    pub attack: Option<TechniqueId>,
}

/// A mitigation of ATLAS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtlasMitigation {
    /// Its id.
    pub id: AtlasMitigationId,
    /// Its name.
    pub name: String,
    /// The techniques that it mitigates.
    pub techniques: Vec<AtlasTechniqueId>,
}

impl Atlas {
    /// The technique or sub-technique with this id.
    #[must_use]
    pub fn technique(&self, id: AtlasTechniqueId) -> Option<&AtlasTechnique> {
        self.techniques.binary_search_by_key(&id, |t| t.id).ok().and_then(|at| self.techniques.get(at))
    }

    /// The tactic with this id.
    #[must_use]
    pub fn tactic(&self, id: AtlasTacticId) -> Option<&AtlasTactic> {
        self.tactics.binary_search_by_key(&id, |t| t.id).ok().and_then(|at| self.tactics.get(at))
    }

    /// The mitigation with this id.
    #[must_use]
    pub fn mitigation(&self, id: AtlasMitigationId) -> Option<&AtlasMitigation> {
        self.mitigations.binary_search_by_key(&id, |m| m.id).ok().and_then(|at| self.mitigations.get(at))
    }

    /// The full name of a technique: a sub-technique's behind that of its parent.
    #[must_use]
    pub fn full_name(&self, id: AtlasTechniqueId) -> Option<String> {
        let technique = self.technique(id)?;
        let parent = technique.parent.and_then(|parent| self.technique(parent));
        Some(match parent {
            Some(parent) => format!("{}: {}", parent.name, technique.name),
            None => technique.name.clone(),
        })
    }

    /// The tactics of a technique: its own or, of a sub-technique without any, those of its parent.
    #[must_use]
    pub fn tactics_of(&self, id: AtlasTechniqueId) -> &[AtlasTacticId] {
        let Some(technique) = self.technique(id) else { return &[] };
        let parent = technique.parent.filter(|_| technique.tactics.is_empty());
        parent.and_then(|parent| self.technique(parent)).map_or(&technique.tactics, |parent| &parent.tactics)
    }

    /// The mitigations of a technique, in id order.
    pub fn mitigations_of(&self, id: AtlasTechniqueId) -> impl Iterator<Item = &AtlasMitigation> {
        self.mitigations.iter().filter(move |mitigation| mitigation.techniques.contains(&id))
    }

    /// The techniques that correspond to a technique of ATT&CK, in id order.
    pub fn of_attack(&self, id: TechniqueId) -> impl Iterator<Item = &AtlasTechnique> {
        self.techniques.iter().filter(move |technique| technique.attack == Some(id))
    }
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
