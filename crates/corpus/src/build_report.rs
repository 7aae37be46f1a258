//! The report of a build, for its reader to judge the data by.

use std::collections::BTreeMap;

use serde::Serialize;
use vulnlens_taxonomy::{CweId, TechniqueId};

use crate::text_kind::TextKind;

/// Counts of one source.
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
    /// Records without a CVE id, by which the rows of a data set are known.
    #[serde(skip_serializing_if = "is_zero")]
    pub without_cve: u64,
    /// Records whose date of publication could not be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable_dates: u64,
    /// Files that hold no records.
    #[serde(skip_serializing_if = "is_zero")]
    pub passed_over: u64,
    /// Records that could not be read.
    pub bad_records: u64,
}

/// Counts of what most sources do not have are left out of the report.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The report of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Each source, in the order given.
    pub sources: Vec<SourceReport>,
    /// Rows written.
    pub rows: u64,
    /// Rows with at least one weakness.
    pub labelled_rows: u64,
    /// Rows that are not records, by the kind of their text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other_rows: BTreeMap<TextKind, u64>,
    /// Records whose text does not tell the weakness, by the word of a source.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_told: u64,
    /// CVEs left out because a source says that they are withdrawn.
    pub rejected: u64,
    /// CVEs left out because no source has an English description.
    pub without_description: u64,
    /// Rows that share their folded text with another row.
    pub rows_sharing_text: u64,
    /// Weaknesses assigned that the knowledge base does not know, with the number of rows; they stay as labels
    /// without ancestors (NVD's categories are among them if the catalogue given has none).
    pub unknown_cwes: BTreeMap<CweId, u64>,
    /// Texts in the place of a weakness's id that are not one, with the number of records; the first hundred kinds.
    pub unreadable_cwes: BTreeMap<String, u64>,
    /// The techniques that people assigned, where the options name files of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curated: Option<CuratedReport>,
    /// The base vectors of CVSS, where the options name sources of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvss: Option<CvssReport>,
    /// The first bad records of all sources, in their order, as messages.
    pub first_bad_records: Vec<String>,
    /// The first notes about the sources, as messages: encodings, pages that are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl BuildReport {
    /// Records that could not be read, over all sources.
    #[must_use]
    pub fn bad_records(&self) -> u64 {
        self.sources.iter().map(|source| source.bad_records).sum()
    }

    /// Records without a CVE id, over all sources.
    #[must_use]
    pub fn without_cve(&self) -> u64 {
        self.sources.iter().map(|source| source.without_cve).sum()
    }

    /// Records whose date could not be read, over all sources.
    #[must_use]
    pub fn unreadable_dates(&self) -> u64 {
        self.sources.iter().map(|source| source.unreadable_dates).sum()
    }

    /// Files that hold no records, over all sources.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.sources.iter().map(|source| source.passed_over).sum()
    }
}

/// Counts of the techniques that people assigned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CuratedReport {
    /// Pairs that rows have.
    pub pairs: u64,
    /// Rows that have a pair.
    pub rows: u64,
    /// The pairs that rows have, by the name of their source.
    pub by_source: BTreeMap<String, u64>,
    /// CVEs that the files name.
    pub cves: u64,
    /// CVEs that the files name and no record of the data set is about; their pairs are left out.
    pub cves_without_text: u64,
    /// Pairs that their source has more than once in the same role.
    pub duplicates: u64,
    /// Pairs left out because the file names no licence for them.
    pub without_licence: u64,
    /// Entries of the files that give no technique to their CVE.
    pub without_technique: u64,
    /// Misspelt ids, as they are written, with the ids that are meant.
    pub mended: BTreeMap<String, ReadAs>,
    /// Revoked techniques, with those that stand for them today.
    pub revoked: BTreeMap<TechniqueId, ReadAs>,
    /// Ids, as they are written, that are not techniques of Enterprise ATT&CK in force, with the number of pairs.
    pub left_out: BTreeMap<LeftOut, BTreeMap<String, u64>>,
}

/// Counts of the base vectors of CVSS 3.x.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CvssReport {
    /// CVEs that the sources have a vector of.
    pub cves: u64,
    /// Rows that have one.
    pub rows: u64,
    /// The rows that have one, by the assigner whose vector counts.
    pub by_source: BTreeMap<String, u64>,
    /// Texts in the place of a vector that are none, with their number; the first hundred kinds.
    pub unreadable: BTreeMap<String, u64>,
}

/// The technique that another id is read as, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReadAs {
    /// The technique.
    pub technique: TechniqueId,
    /// The number of pairs.
    pub pairs: u64,
}

impl ReadAs {
    /// The count of `id`, which is read as `technique`.
    pub(crate) fn of<Id: Ord>(counts: &mut BTreeMap<Id, Self>, id: Id, technique: TechniqueId) -> &mut Self {
        counts.entry(id).or_insert(Self { technique, pairs: 0 })
    }
}

/// The reasons for which a technique of a curated pair is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// A technique against mobile devices.
    Mobile,
    /// A technique against industrial control systems.
    Ics,
    /// A technique that was deprecated, or revoked without a successor.
    Withdrawn,
    /// An id that the knowledge base does not have.
    Unknown,
    /// A text that is not the id of a technique.
    Unreadable,
}
