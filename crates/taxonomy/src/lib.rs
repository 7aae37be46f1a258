//! Typed ids, parsers and the knowledge base of CWE, CAPEC and MITRE ATT&CK, with ATLAS and D3FEND.
//!
//! The official files go through the parsers ([`cwe`], [`capec`], [`attack`], [`atlas`], [`d3fend`]) into a
//! [`KnowledgeBaseBuilder`]; the [`KnowledgeBase`] it makes answers look-ups, follows the chain
//! CWE ▸ ancestors ▸ CAPEC ▸ ATT&CK both ways, and has a compiled form that loads in about a
//! millisecond. The parsers take readers and bytes; with the feature `folder`, the official files are found and unpacked in
//! a folder.
//!
//! ```
//! use vulnlens_taxonomy::{CweId, KnowledgeBase};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let kb = KnowledgeBase::embedded();
//! let labels = kb.chain(&[CweId(79)]);
//! assert!(labels.techniques.contains(&"T1027".parse()?));
//! # Ok(())
//! # }
//! ```

pub mod atlas;
pub mod attack;
pub mod capec;
pub mod cwe;
pub mod d3fend;
pub mod ids;

mod attack_release;
mod builder;
mod chain;
mod compiled;
mod cvss;
mod defences;
mod descriptions;
mod diff;
mod entries;
mod error;
#[cfg(feature = "folder")]
mod folder;
mod graph;
mod json;
mod kb;
mod levels;
mod mapping;
mod outcome;
mod paths;
mod role;
mod sections;
mod sniff;
mod standing;
mod stix;
mod stix_object;
mod terms;
mod timestamp;
mod xml;
mod yaml;

pub use attack_release::{AttackRelease, Counterpart, Counterparts};
pub use builder::{BuildError, KnowledgeBaseBuilder};
pub use chain::ChainLabels;
pub use compiled::{EMBEDDED_KNOWLEDGE_BASE, KbFormatError};
pub use cvss::{BASE_METRICS, BaseMetric, BaseVector, SeverityBand, VectorError};
pub use defences::{Counter, Countermeasure, D3fend, Threat};
pub use descriptions::{Descriptions, plain_description};
pub use diff::{
    EntryChanges, KbDiff, Move, Rename, TechniqueChange, UsageChange, WeaknessRelationChange, diff,
};
pub use entries::{
    Atlas, AtlasMitigation, AtlasTactic, AtlasTechnique, AttackPattern, Grouping, GroupingKind, Relation,
    Tactic, Technique, Versions, Weakness,
};
pub use error::{ParseError, ParseIssue, Position};
#[cfg(feature = "folder")]
pub use folder::{CatalogueDescriptions, CatalogueFiles, FolderError, FolderNote, technique_descriptions};
pub use graph::TooTangled;
pub use ids::{
    AtlasMitigationId, AtlasTacticId, AtlasTechniqueId, CapecId, CountermeasureId, CveId, CweId,
    ParseIdError, TacticId, TechniqueId,
};
pub use kb::{KnowledgeBase, Release};
pub use levels::{AttackLabel, AttackLevel, CweLevel};
pub use mapping::{MappingNotes, MappingSuggestion};
pub use outcome::Outcome;
pub use paths::{ChainPath, MAX_PATHS};
pub use role::Role;
pub use standing::Standing;
pub use stix_object::StixObject;
pub use terms::{Abstraction, DefensiveTactic, Domain, Nature, PatternAbstraction, Status, Usage};
pub use timestamp::{ParseTimestampError, Timestamp};
