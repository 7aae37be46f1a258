//! Labels of any number of records, counted. Memory is that of the labels, whatever the number of records.

use std::collections::HashMap;

use vulnlens_model::Task;

use super::find::{AnswerLabel, FoundLabel};
use crate::score::rounded;

/// The records that have a label.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LabelCount {
    /// The list that the label stands in, by its key in record output.
    pub taxonomy: &'static str,
    /// The label.
    pub label: AnswerLabel,
    /// The number of records.
    pub records: u64,
    /// The greatest probability in any of them.
    pub greatest: f32,
}

/// The counts of labels.
#[derive(Debug, Default)]
pub struct LabelCounts {
    counts: HashMap<(&'static str, AnswerLabel), (u64, f32)>,
}

impl LabelCounts {
    /// Counts the labels of a record.
    pub fn add(&mut self, labels: Vec<FoundLabel>) {
        for FoundLabel { taxonomy, label, score, .. } in labels {
            let (records, greatest) = self.counts.entry((taxonomy, label)).or_default();
            *records = records.saturating_add(1);
            *greatest = greatest.max(score);
        }
    }

    /// True if no record has a label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The labels of each list, those that most records have first.
    #[must_use]
    pub fn sorted(self) -> Vec<LabelCount> {
        let count =
            |((taxonomy, label), (records, greatest))| LabelCount { taxonomy, label, records, greatest };
        let mut counts: Vec<LabelCount> = self.counts.into_iter().map(count).collect();
        counts.sort_unstable_by(|a, b| {
            place(a.taxonomy)
                .cmp(&place(b.taxonomy))
                .then(b.records.cmp(&a.records))
                .then(rounded(b.greatest).total_cmp(&rounded(a.greatest)))
                .then_with(|| a.label.cmp(&b.label))
        });
        counts
    }
}

/// The place of a list in an answer; labels of no taxonomy are behind all others.
fn place(taxonomy: &str) -> usize {
    Task::ALL.iter().position(|task| task.key() == taxonomy).unwrap_or(Task::ALL.len())
}
