//! The provenance of an answer that a text-generation model had a part in: the key `generated` of record output.

use serde::{Deserialize, Serialize};

/// The key of the provenance in record output.
pub(crate) const GENERATED: &str = "generated";

/// The part that a text-generation model had in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Generated {
    /// The outcome of asking.
    pub status: GeneratedStatus,
    /// The reason why there is no answer of the model, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The name of the text-generation model.
    pub model: String,
    /// SHA-256 of the template, in hex.
    pub template: String,
    /// The classifier whose labels are the candidates: its name and revision.
    pub candidates_of: String,
    /// The number of candidates, which are all that the model may answer.
    pub candidates: u64,
    /// The number of examples that the model was shown.
    pub examples: u64,
    /// Ids of the reply that are not among the candidates, and were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// True if another label is the first one now; of an answer that was to be ordered anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<bool>,
}

/// The outcome of asking a text-generation model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GeneratedStatus {
    /// It answered.
    Answered,
    /// It did not answer, or its reply could not be used.
    Failed,
    /// It was not asked: there are no candidates, or the classifier is sure enough.
    NotAsked,
}

impl Generated {
    /// The provenance of an answer by the model called `model`; everything else is set afterwards.
    #[must_use]
    pub fn new(status: GeneratedStatus, model: impl Into<String>) -> Self {
        Self {
            status,
            failure: None,
            model: model.into(),
            template: String::new(),
            candidates_of: String::new(),
            candidates: 0,
            examples: 0,
            refused: vec![],
            changed: None,
        }
    }

    /// Appends the key and the provenance, with a comma in front.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        // Texts, numbers and fixed words always become JSON.
        let json = serde_json::to_string(self).unwrap_or_else(|_| "null".to_owned());
        out.extend_from_slice(format!(",\"{GENERATED}\":{json}").as_bytes());
    }
}
