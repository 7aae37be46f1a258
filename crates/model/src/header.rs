//! What a model file says of itself: label space, versions, decision rules, provenance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

use crate::decode::{DecisionRule, SpaceKind};

/// The newest version of the file's layout that this library writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// The feature scheme of [`crate::ngram::text`]; a model made with another one cannot be read.
pub const FEATURES: &str = "words-pairs-pieces4/1";

/// Versions of the catalogues that were used in training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxonomyVersions {
    /// CWE, such as `4.18`.
    pub cwe: String,
    /// CAPEC, such as `3.9`.
    pub capec: String,
    /// ATT&CK, such as `18.1`.
    pub attack: String,
}

impl TaxonomyVersions {
    /// The versions that a knowledge base was made from.
    #[must_use]
    pub fn of(kb: &KnowledgeBase) -> Self {
        let versions = kb.versions();
        Self { cwe: versions.cwe.clone(), capec: versions.capec.clone(), attack: versions.attack.clone() }
    }
}

/// From what and how a model was fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the data set file, without its folder.
    pub data: String,
    /// SHA-256 of the data set file, in hex.
    pub data_sha256: String,
    /// Texts that the fit saw: labelled ones, and others that took part in distillation.
    pub texts: u64,
    /// Texts with at least one CWE.
    pub labelled_texts: u64,
    /// Which rows were fitted on: `random`, `temporal` (their training parts) or `all`.
    pub split: String,
    /// The seed of every random choice.
    pub seed: u64,
    /// All settings of the fit by name.
    pub settings: BTreeMap<String, String>,
    /// Where the temperature and the decision rules were fitted.
    pub decisions_from: String,
    /// Version of the tool that fitted.
    pub tool_version: String,
}

/// The part of a model file that is not numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelHeader {
    /// Layout of the file.
    pub format_version: u32,
    /// `ngram`.
    pub kind: String,
    /// The model's name, as predictions state it.
    pub name: String,
    /// Feature scheme.
    pub features: String,
    /// Width of the hidden layer.
    pub dimensions: usize,
    /// The oldest year that the model tells apart.
    pub oldest_year: u16,
    /// The newest year that the model knows: the one asked for where a record has none.
    pub newest_year: u16,
    /// Divides the logits; fitted on validation.
    pub temperature: f32,
    /// The rule that says which labels are answered, for each label space.
    pub decisions: BTreeMap<SpaceKind, DecisionRule>,
    /// Catalogue versions at training time.
    pub taxonomies: TaxonomyVersions,
    /// Where the model comes from.
    pub provenance: Provenance,
    /// The CWE sets that the model tells apart, in the order of its outputs.
    pub sets: Vec<Vec<CweId>>,
}
