//! Records and labels that are found, as JSON objects.

use serde::Serialize;
use vulnlens_taxonomy::KnowledgeBase;

use super::counts::LabelCount;
use super::find::FoundLabel;
use crate::answer::RecordKey;
use crate::score::rounded;

/// A record with the labels that were found in it.
#[derive(Serialize)]
pub(super) struct RecordItem<'a> {
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    file: &'a str,
    found: Vec<LabelItem>,
}

/// A label of a record.
#[derive(Serialize)]
struct LabelItem {
    taxonomy: &'static str,
    label: String,
    name: String,
    score: f64,
    predicted: bool,
}

/// A label with the number of its records.
#[derive(Serialize)]
pub(super) struct CountItem {
    taxonomy: &'static str,
    label: String,
    name: String,
    records: u64,
    greatest_score: f64,
}

impl<'a> RecordItem<'a> {
    pub(super) fn of(key: &'a RecordKey, file: &'a str, found: &[FoundLabel], kb: &KnowledgeBase) -> Self {
        let label = |found: &FoundLabel| LabelItem {
            taxonomy: found.taxonomy,
            label: found.label.to_string(),
            name: found.label.name(kb),
            score: rounded(found.score),
            predicted: found.predicted,
        };
        let line = key.line.filter(|_| key.id.is_none());
        Self { id: key.id.as_deref(), line, file, found: found.iter().map(label).collect() }
    }
}

impl CountItem {
    pub(super) fn of(count: &LabelCount, kb: &KnowledgeBase) -> Self {
        Self {
            taxonomy: count.taxonomy,
            label: count.label.to_string(),
            name: count.label.name(kb),
            records: count.records,
            greatest_score: rounded(count.greatest),
        }
    }
}
