//! What a build did, for its reader to judge the data by.

use std::collections::BTreeMap;

use serde::Serialize;
use vulnlens_taxonomy::CweId;

use crate::error::RecordError;

/// What came out of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    /// The source, as it was given.
    pub source: String,
    /// Records that could be read, withdrawn ones included.
    pub records: u64,
    /// Records that are withdrawn.
    pub rejected: u64,
    /// Records, not withdrawn, without an English description.
    pub without_description: u64,
    /// Records whose CVE stood in this source before.
    pub duplicates: u64,
    /// Records that could not be read.
    pub bad_records: u64,
}

/// What a build did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Each source, in the order given.
    pub sources: Vec<SourceReport>,
    /// Rows written.
    pub rows: u64,
    /// Rows with at least one weakness.
    pub labelled_rows: u64,
    /// CVEs left out because a source says that they are withdrawn.
    pub rejected: u64,
    /// CVEs left out because no source has an English description.
    pub without_description: u64,
    /// Rows that share their folded text with another row.
    pub rows_sharing_text: u64,
    /// Weaknesses assigned that the knowledge base does not know, with the number of rows; they stay as labels
    /// without ancestors (NVD's categories are among them if the catalogue given has none).
    pub unknown_cwes: BTreeMap<CweId, u64>,
    /// What stood where a weakness's id should and was none, with the number of records; the first hundred kinds.
    pub unreadable_cwes: BTreeMap<String, u64>,
    /// The first bad records of all sources, in their order, as messages.
    pub first_bad_records: Vec<String>,
}

impl BuildReport {
    /// Records that could not be read, over all sources.
    #[must_use]
    pub fn bad_records(&self) -> u64 {
        self.sources.iter().map(|source| source.bad_records).sum()
    }
}

/// The counts of one source while it is read, and its first bad records.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) report: SourceReport,
    pub(super) bad: Vec<String>,
    pub(super) unreadable: BTreeMap<String, u64>,
}

impl Tally {
    /// Distinct unreadable ids that are told apart.
    const KINDS: usize = 100;

    pub(super) fn bad(&mut self, error: &RecordError, shown: usize) {
        self.report.bad_records = self.report.bad_records.saturating_add(1);
        if self.bad.len() < shown {
            self.bad.push(error.to_string());
        }
    }

    pub(super) fn unreadable(&mut self, label: &str) {
        if self.unreadable.len() < Self::KINDS || self.unreadable.contains_key(label) {
            let count = self.unreadable.entry(label.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }
}
