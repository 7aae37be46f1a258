//! Building the data set: sources in, one labelled, grouped and divided row a CVE out.

mod merge;
mod options;
mod read;
mod spill;
mod tally;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use vulnlens_taxonomy::{ChainLabels, CveId, CweId, KnowledgeBase};

pub use options::{BuildOptions, Progress};

use crate::build_report::BuildReport;
use crate::dataset::schema;
use crate::dataset::writer::{FileWriter, NewRow, RowWriter, target, unwritable};
use crate::error::CorpusError;
use crate::groups::{GroupId, Part, SplitOptions};
use merge::{Entry, Index, Span};
use read::Gathered;

/// The versions of the knowledge base, as the column `kb_version` names them.
#[must_use]
pub fn kb_version(kb: &KnowledgeBase) -> String {
    let versions = kb.versions();
    format!("cwe-{} capec-{} attack-{}", versions.cwe, versions.capec, versions.attack)
}

/// Builds the data set of `sources` at `out`: merged by CVE, without the withdrawn and those without an English
/// description, labelled by the chain of `kb`, grouped and divided, sorted by id.
///
/// The order of the sources counts: text and publication date are those of the first source that has one, and so
/// is each assigner's list of weaknesses (see [`crate::Assigner`]: NVD's count before the CNA's, these before a
/// plain table's; the ADPs' are added). A folder stands for the sources in it. The file appears when it is whole; after a failure nothing is left behind.
/// Memory holds the ids, lists of labels and groups, never the texts.
///
/// # Errors
/// A source that cannot be opened or is none, sources without one usable record ([`CorpusError::NoRecords`]), an
/// output that is no regular file, or a failure to write. What stood at `out` stays then. Bad records are counted in the report instead.
pub fn build(
    sources: &[PathBuf],
    kb: &KnowledgeBase,
    out: &Path,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<BuildReport, CorpusError> {
    let out = &target(out)?;
    let Gathered { index, mut texts, tallies } = read::read(sources, out, options, progress)?;
    let mut report = BuildReport::default();
    for tally in tallies {
        report.sources.push(tally.report);
        report.first_bad_records.extend(tally.bad);
        report.notes.extend(tally.notes);
        for (label, count) in tally.unreadable {
            let sum = report.unreadable_cwes.entry(label).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    let rows = kept(&index, &mut report);
    if rows.is_empty() {
        return Err(CorpusError::NoRecords { report: Box::new(report) });
    }
    let parts = parts_of_groups(&rows, &options.splits, &mut report);
    let file = FileWriter::create(out, schema::metadata(&kb_version(kb), &options.splits))?;
    let mut writer = RowWriter::new(file, kb_version(kb));
    let mut chain = Chain { kb, derived: HashMap::new() };
    for (number, (id, entry, span)) in (0u64..).zip(&rows) {
        let effective = index.effective(entry);
        chain.note_unknown(&effective.cwes, &mut report);
        report.labelled_rows = report.labelled_rows.saturating_add(u64::from(!effective.cwes.is_empty()));
        writer.push(&NewRow {
            id: *id,
            published: entry.published(),
            modified: entry.modified(),
            text: &texts.read(*span).map_err(|source| unwritable(out, source))?,
            cwes: &effective.cwes,
            cwe_sources: &effective.sources,
            derived: chain.labels(&effective.cwes),
            group: span.group,
            random: options.splits.random(span.group),
            temporal: parts.get(&span.group).map_or(Part::Train, |(part, _)| *part),
        })?;
        if number % 4096 == 0 {
            progress(Progress::Write { rows: number, total: rows.len() as u64 });
        }
    }
    writer.finish()?;
    report.rows = rows.len() as u64;
    Ok(report)
}

/// The CVEs that become rows, by rising id.
fn kept<'a>(index: &'a Index, report: &mut BuildReport) -> Vec<(CveId, &'a Entry, Span)> {
    let mut rows = Vec::new();
    for (id, entry) in index.sorted() {
        match entry.text() {
            _ if entry.rejected => report.rejected = report.rejected.saturating_add(1),
            None => report.without_description = report.without_description.saturating_add(1),
            Some(span) => rows.push((id, entry, span)),
        }
    }
    rows
}

/// The part of each group in the temporal split, the earliest of its members', and the number of its members.
fn parts_of_groups(
    rows: &[(CveId, &Entry, Span)],
    splits: &SplitOptions,
    report: &mut BuildReport,
) -> HashMap<GroupId, (Part, u64)> {
    let mut parts: HashMap<GroupId, (Part, u64)> = HashMap::new();
    for (id, _, span) in rows {
        let part = splits.temporal(id.year());
        let (earliest, members) = parts.entry(span.group).or_insert((part, 0));
        *earliest = part.min(*earliest);
        *members = members.saturating_add(1);
    }
    report.rows_sharing_text =
        parts.values().map(|(_, members)| members).filter(|members| **members > 1).sum();
    parts
}

/// The chain, remembered: records share a few thousand lists of weaknesses.
struct Chain<'a> {
    kb: &'a KnowledgeBase,
    derived: HashMap<Vec<CweId>, ChainLabels>,
}

impl Chain<'_> {
    fn labels(&mut self, cwes: &[CweId]) -> &ChainLabels {
        self.derived.entry(cwes.to_vec()).or_insert_with(|| self.kb.chain(cwes))
    }

    fn note_unknown(&self, cwes: &[CweId], report: &mut BuildReport) {
        for cwe in cwes.iter().filter(|cwe| self.kb.name_of_cwe(**cwe).is_none()) {
            let count = report.unknown_cwes.entry(*cwe).or_default();
            *count = count.saturating_add(1);
        }
    }
}
