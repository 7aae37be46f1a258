//! The evaluation file: every published figure, with the data, the split and the seed it is of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vulnlens_metrics::{Hierarchical, RareRecall};
use vulnlens_model::TaxonomyVersions;

use crate::answers::Answers;
use crate::confusions::Confusions;
use crate::evaluate::TaskEvaluation;
use crate::first_cwe::FirstCwe;
use crate::risk::Risk;

/// The version of the file's layout.
pub const SCHEMA_VERSION: u32 = 1;

/// All runs of one evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Layout of the file.
    pub schema_version: u32,
    /// Version of the tool that evaluated.
    pub tool_version: String,
    /// File name of the data set.
    pub data: String,
    /// SHA-256 of the data set, in hex.
    pub data_sha256: String,
    /// Labelled rows of the data set.
    pub labelled_rows: u64,
    /// Catalogue versions that the labels come from.
    pub taxonomies: TaxonomyVersions,
    /// The runs: each system on each split, for each seed.
    pub runs: Vec<EvaluationRun>,
}

/// One system on one part of one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRun {
    /// The system: the name of a model, or of a peer.
    pub system: String,
    /// Revision of the model's file; none for a peer.
    pub revision: Option<String>,
    /// The parts of a combination of two models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combination: Option<String>,
    /// Seed of the fit, where it is known.
    pub seed: Option<u64>,
    /// `random` or `temporal`.
    pub split: String,
    /// `validation` or `test`.
    pub part: String,
    /// True when the model may have been fitted on rows that it is evaluated on (it was fitted on
    /// another split than this one): such figures prove nothing.
    pub seen_in_training: bool,
    /// The parents for which labels count, where the system is a hierarchy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parents: Option<ParentsTaken>,
    /// First-CWE accuracy; older files and systems without CWE labels lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_cwe: Option<FirstCwe>,
    /// First-CWE accuracy by the years of the CVE ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub first_cwe_by_year: BTreeMap<u16, FirstCwe>,
    /// The predicted CWEs against the assigned ones, both with their ancestors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchical: Option<Hierarchical>,
    /// Recall of assigned ids that few records of the part have, among the best CWEs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rare: Option<RareRecall>,
    /// Risk against coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Confusions of the first CWE among siblings; older files and systems without CWE labels lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusions: Option<Confusions>,
    /// Measures of the answers as `classify` shows them; combinations and peers lack them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
    /// The figures of each task.
    pub tasks: Vec<TaskEvaluation>,
}

/// The parents for which the labels of a hierarchy count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParentsTaken {
    /// Those that apply, as if somebody had said so: what the literature calls evaluation with gold parents.
    Gold,
    /// Those that the hierarchy answers; labels below others have no score. A cascade is read so.
    Predicted,
    /// All, and each label's score is multiplied by its parent's. A shared hierarchy is read so.
    Multiplied,
}

impl ParentsTaken {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gold, Self::Predicted, Self::Multiplied];

    /// Its name in tables.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Gold => "gold parents",
            Self::Predicted => "predicted parents",
            Self::Multiplied => "predicted, multiplied",
        }
    }
}

impl Evaluation {
    /// The same without the figures of single labels and the points of curves, which are most of the file.
    #[must_use]
    pub fn summary(mut self) -> Self {
        for run in &mut self.runs {
            for task in &mut run.tasks {
                task.table.per_label.clear();
                task.labels.clear();
                task.f1_curve.clear();
            }
            if let Some(risk) = &mut run.risk {
                risk.clear_points();
            }
        }
        self
    }
}
