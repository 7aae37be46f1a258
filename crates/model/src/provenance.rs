//! The origin of a model: catalogue versions, data and settings.

use std::fmt;

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::KnowledgeBase;

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

impl fmt::Display for TaxonomyVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CWE {}, CAPEC {}, ATT&CK {}", self.cwe, self.capec, self.attack)
    }
}

/// The data and the settings that a model was made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The weights that training began with; none if it began with nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Name of the data set file, without its folder.
    pub data: String,
    /// SHA-256 of the data set file, in hex.
    pub data_sha256: String,
    /// The rows that were learnt from: `random`, `temporal`, `both` (training parts) or `all`.
    pub split: String,
    /// Texts that training saw: labelled ones, and others that took part in distillation.
    pub texts: u64,
    /// Texts with a label.
    pub labelled_texts: u64,
    /// The seed of every random choice.
    pub seed: u64,
    /// All settings by name.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Version of the tool that trained.
    pub tool_version: String,
}
