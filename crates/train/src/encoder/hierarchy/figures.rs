//! Figures of hierarchies, and the table that shows them.

use std::fmt::Write as _;

use serde::Serialize;

/// The parents for which the labels below them count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Parents {
    /// There are none: a flat classifier.
    None,
    /// Those that apply, as if somebody had said so: what the literature calls evaluation with gold parents.
    Gold,
    /// Those that the master answers, with a score above 0.5; labels below others have no score. A cascade is read so.
    Predicted,
    /// All, and each label's score is multiplied by its parent's. A shared hierarchy is read so.
    Weighed,
}

/// The figures of one system, with parents of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HierarchyFigures {
    /// `flat`, `cascade` or `shared`.
    pub system: &'static str,
    /// Networks that it has.
    pub networks: usize,
    /// Numbers in all of them.
    pub parameters: u64,
    /// The parents that were taken.
    pub parents: Parents,
    /// Micro-F1 of the labels.
    pub micro_f1: f64,
    /// Macro-F1 over all labels.
    pub macro_f1: f64,
    /// Label-ranking average precision; what is ruled out has score 0.
    pub lrap: f64,
    /// Share of texts with exactly the right labels.
    pub subset_accuracy: f64,
}

/// The evaluation of a hierarchy, and of a flat classifier beside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HierarchyEvaluation {
    /// The form of the file: 1.
    pub format_version: u32,
    /// Name of the data set, without its folder.
    pub data: String,
    /// Its SHA-256.
    pub data_sha256: String,
    /// The split.
    pub split: String,
    /// The part that was evaluated on.
    pub part: &'static str,
    /// Texts of it that have a label.
    pub texts: usize,
    /// The label space.
    pub label_space: &'static str,
    /// Labels that count: those that are not parents.
    pub labels: usize,
    /// Levels, that of the labels included.
    pub levels: usize,
    /// Parents, and those of them with a part of their own.
    pub parents: usize,
    /// See `parents`.
    pub refined_parents: usize,
    /// Micro-F1 of the parents that the master answers.
    pub parents_micro_f1: f64,
    /// The texts that the threshold of each row is fitted to.
    pub threshold_from: String,
    /// One entry for each system and kind of parents.
    pub systems: Vec<HierarchyFigures>,
}

impl HierarchyEvaluation {
    /// The figures as a table in Markdown.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = format!(
            "{} texts of the {} part ({} split of {}), {} levels: {} labels ({}) below {} parents, {} of them with a part of their own. \
             Each row has its threshold from {}. Micro-F1 of the parents that are predicted: {:.4}.\n\n\
             | system | networks | million parameters | parents | micro-F1 | macro-F1 | LRAP | subset accuracy |\n\
             |---|--:|--:|---|--:|--:|--:|--:|\n",
            self.texts,
            self.part,
            self.split,
            self.data,
            self.levels,
            self.labels,
            self.label_space,
            self.parents,
            self.refined_parents,
            self.threshold_from,
            self.parents_micro_f1,
        );
        for row in &self.systems {
            let parents = match row.parents {
                Parents::None => "–",
                Parents::Gold => "gold",
                Parents::Predicted => "predicted, above 0.5",
                Parents::Weighed => "predicted, multiplied",
            };
            let _ = writeln!(
                out,
                "| {} | {} | {:.2} | {parents} | {:.4} | {:.4} | {:.4} | {:.4} |",
                row.system,
                row.networks,
                row.parameters as f64 / 1e6,
                row.micro_f1,
                row.macro_f1,
                row.lrap,
                row.subset_accuracy
            );
        }
        out
    }
}
