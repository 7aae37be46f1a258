//! The facts about a model that people ask for before they use it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::decode::{DecisionRule, SpaceKind};
use crate::header::Header;
use crate::labels::LabelCounts;
use crate::network::Network;
use crate::ngram::NgramModel;
use crate::outputs::Outputs;
use crate::task::Tasks;

/// The facts about a model.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// The model's name.
    pub name: String,
    /// Its revision.
    pub revision: String,
    /// `ngram`, `encoder` (of CWE sets), `checkpoint` or `hierarchy` (with labels of their own).
    pub kind: &'static str,
    /// Bytes of its file, or of a folder's weights.
    pub bytes: u64,
    /// Features that an n-gram model knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<usize>,
    /// CWE sets that it tells apart, with those of the model that it answers together with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwe_sets: Option<usize>,
    /// `single-label` (softmax) or `multi-label` (sigmoid); of a checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'static str>,
    /// Its labels by taxonomy; of a checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelCounts>,
    /// The tasks that follow from its labels by the chain; of a checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived: Option<Tasks>,
    /// Tokens that an encoder reads of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
    /// The encoders that it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<EncoderInfo>,
    /// The description in its file; none for a checkpoint that was published by others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
}

/// The facts about one encoder.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct EncoderInfo {
    /// Its folder; none in a packed model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The label that it refines, in a hierarchy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The architecture, as `config.json` names it.
    pub architecture: &'static str,
    /// Numbers in its tensors; of a checkpoint in a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Bytes of the tensors, by the type of their numbers; of a checkpoint in a folder.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bytes_by_type: BTreeMap<&'static str, u64>,
    /// Tokens of its vocabulary.
    pub vocabulary: usize,
    /// Width of a layer.
    pub hidden: usize,
    /// Layers.
    pub layers: usize,
    /// Attention heads of a layer.
    pub heads: usize,
    /// Width of the feed-forward part.
    pub intermediate: usize,
    /// Its labels.
    pub labels: usize,
    /// The file that its tokenizer comes from.
    pub tokenizer: String,
}

impl ModelInfo {
    /// The facts that every network has, of one whose file has so many bytes.
    #[must_use]
    pub fn of(network: &dyn Network, kind: &'static str, bytes: u64) -> Self {
        Self {
            name: network.name().to_owned(),
            revision: network.revision().to_owned(),
            kind,
            bytes,
            features: None,
            cwe_sets: network.outputs().cwe_sets().map(|outputs| outputs.sets.len()),
            problem: match network.outputs() {
                Outputs::Labels(labels) if labels.exclusive => Some("single-label"),
                Outputs::Labels(_) => Some("multi-label"),
                Outputs::CweSets(_) => None,
            },
            labels: None,
            derived: None,
            max_tokens: None,
            parts: vec![],
            header: network.header().cloned(),
        }
    }

    /// The facts about an n-gram model whose file has so many bytes.
    #[must_use]
    pub fn ngram(model: &NgramModel, bytes: u64) -> Self {
        Self { features: Some(model.features()), ..Self::of(model, "ngram", bytes) }
    }

    /// The divisor of the logits, the rules that answer, and the data that both were fitted on: of the pair, where the
    /// model answers together with another.
    #[must_use]
    pub fn decisions(&self) -> Option<Decisions<'_>> {
        let header = self.header.as_ref()?;
        if let Some(partner) = &header.combined_with {
            let (temperature, rules) = (partner.temperature, &partner.rules);
            return Some(Decisions { temperature, rules, fitted_on: &partner.fitted_on });
        }
        let head = header.heads.first()?;
        Some(Decisions { temperature: head.temperature, rules: &head.rules, fitted_on: &head.fitted_on })
    }
}

impl fmt::Display for EncoderInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { architecture, layers, hidden, vocabulary, .. } = self;
        write!(f, "{architecture}, {layers} layers of {hidden}, {vocabulary} tokens")
    }
}

/// A size as `7.14 MB`; a megabyte has 1,000,000 bytes.
#[must_use]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

/// The way from a model's scores to its answers.
#[derive(Debug, Clone, Copy)]
pub struct Decisions<'a> {
    /// The divisor of the logits.
    pub temperature: f32,
    /// The rule of each label space.
    pub rules: &'a BTreeMap<SpaceKind, DecisionRule>,
    /// The data that both were fitted on.
    pub fitted_on: &'a str,
}
