//! Building the data set: sources in, one labelled, grouped and divided row a text out.

mod catalogue;
mod curated;
mod merge;
mod options;
mod ratings;
mod read;
mod spill;
mod tally;
mod texts;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use vulnlens_taxonomy::{BaseVector, ChainLabels, CveId, CweId, KnowledgeBase, Outcome};

pub use options::{BuildOptions, Progress};

use crate::build_report::BuildReport;
use crate::components::{Components, Member, Parts};
use crate::curated::CuratedPair;
use crate::dataset::schema;
use crate::dataset::writer::{FileWriter, NewRow, RowWriter, target, unwritable};
use crate::date::Date;
use crate::error::CorpusError;
use crate::groups::{GroupId, SplitOptions};
use crate::sources::rows::GIVEN;
use crate::text_kind::TextKind;
use curated::Curated;
use merge::{Effective, Entry, Index, Span};
use ratings::Ratings;
use read::Gathered;
use spill::SpillReader;
use texts::OtherText;

/// The versions of the knowledge base, as the column `kb_version` names them.
#[must_use]
pub fn kb_version(kb: &KnowledgeBase) -> String {
    let versions = kb.versions();
    format!("cwe-{} capec-{} attack-{}", versions.cwe, versions.capec, versions.attack)
}

/// Builds the data set of `sources` at `out`: merged by CVE, without the withdrawn and those without an English
/// description, and with the other texts, the curated techniques and the base vectors of CVSS that the options name; labelled by the chain of
/// `kb`, grouped and divided. The records come first, sorted by id.
///
/// The order of the sources counts: text and publication date are those of the first source that has one, and so
/// is each assigner's list of weaknesses (see [`crate::Assigner`]: NVD's count before the CNA's, these before a
/// plain table's; the ADPs' are added). A folder stands for the sources in it. The file appears when it is whole; after
/// a failure nothing is left behind. Memory holds the ids, lists of labels and groups, never the texts.
///
/// # Errors
/// A source that cannot be opened or is none, sources without one usable record ([`CorpusError::NoRecords`]), an
/// output that is no regular file, or a failure to write. What stood at `out` stays then. Bad records are counted in
/// the report instead.
pub fn build(
    sources: &[PathBuf],
    kb: &KnowledgeBase,
    out: &Path,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<BuildReport, CorpusError> {
    let out = &target(out)?;
    let Gathered { index, mut texts, mut tallies, ratings } = read::read(sources, out, options, progress)?;
    let mut others = texts::read(&mut texts, &mut tallies, out, options)?;
    if let Some(path) = &options.catalogue {
        let (rows, tally) = catalogue::read(path, &mut texts, out, options)?;
        others.extend(rows);
        tallies.push(tally);
    }
    let curated = curated::read(kb, &mut tallies, options)?;
    let mut texts = texts.finish().map_err(|source| unwritable(out, source))?;
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
    let records = kept(&index, &mut report);
    if records.is_empty() {
        return Err(CorpusError::NoRecords { report: Box::new(report) });
    }
    let ids: BTreeSet<CveId> = records.iter().map(|(id, ..)| *id).collect();
    report.curated = (!options.curated.is_empty()).then(|| curated.report(&ids));
    report.cvss = (!options.cvss.is_empty()).then(|| ratings.report(&ids));
    let assigned = Assigned { index: &index, curated: &curated, ratings: &ratings };
    let records = records.iter().map(|(id, entry, span)| Row::of_record(assigned, *id, entry, *span));
    let rows: Vec<Row<'_>> = records.chain(others.iter().map(Row::of_other)).collect();
    let parts = parts(&rows, &mut texts, &options.splits).map_err(|source| unwritable(out, source))?;
    count_rows(&rows, &mut report);
    let file = FileWriter::create(out, schema::metadata(&kb_version(kb), &options.splits))?;
    let mut writer = RowWriter::new(file, kb_version(kb));
    let mut chain = Chain { kb, derived: HashMap::new() };
    for (number, (row, parts)) in (0u64..).zip(rows.iter().zip(parts)) {
        let labels = row.labels(&index);
        chain.note_unknown(&labels.cwes, &mut report);
        report.labelled_rows = report.labelled_rows.saturating_add(u64::from(!labels.cwes.is_empty()));
        writer.push(&NewRow {
            name: &row.name,
            cve: row.cve,
            aliases: row.aliases,
            kind: row.kind,
            style: row.style,
            outcome: row.outcome,
            published: row.published,
            modified: row.modified,
            text: &texts.read(row.span).map_err(|source| unwritable(out, source))?,
            derived: chain.labels(&labels.cwes),
            cwes: &labels.cwes,
            cwe_sources: &labels.sources,
            curated: row.curated,
            cvss: row.cvss,
            group: row.span.group,
            parts,
        })?;
        if number % 4096 == 0 {
            progress(Progress::Write { rows: number, total: rows.len() as u64 });
        }
    }
    writer.finish()?;
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

/// A row before its text is read.
struct Row<'a> {
    name: Cow<'a, str>,
    cve: Option<CveId>,
    aliases: &'a [CveId],
    kind: TextKind,
    style: Option<&'a str>,
    outcome: Option<Outcome>,
    published: Option<Date>,
    modified: Option<Date>,
    span: Span,
    labels: Labels<'a>,
    curated: &'a [CuratedPair],
    cvss: Option<(BaseVector, &'static str)>,
}

/// The weaknesses, mappings and vectors that the sources give to CVEs.
#[derive(Clone, Copy)]
struct Assigned<'a> {
    index: &'a Index,
    curated: &'a Curated,
    ratings: &'a Ratings,
}

/// Where the weaknesses of a row stand.
enum Labels<'a> {
    Merged(&'a Entry),
    Given(&'a [CweId]),
}

impl<'a> Row<'a> {
    fn of_record(assigned: Assigned<'a>, id: CveId, entry: &'a Entry, span: Span) -> Self {
        let Assigned { index, curated, ratings } = assigned;
        let is_untold = index.is_untold(id) && !entry.is_labelled();
        Self {
            name: Cow::Owned(id.to_string()),
            cve: Some(id),
            aliases: &entry.aliases,
            kind: TextKind::Record,
            style: None,
            outcome: is_untold.then_some(Outcome::NotTold),
            published: entry.published(),
            modified: entry.modified(),
            span,
            labels: Labels::Merged(entry),
            curated: curated.of(id),
            cvss: ratings.of(id),
        }
    }

    fn of_other(text: &'a OtherText) -> Self {
        Self {
            name: Cow::Borrowed(&text.name),
            cve: text.cve,
            aliases: &text.aliases,
            kind: text.kind,
            style: text.style.as_deref(),
            outcome: text.outcome(),
            published: text.published,
            modified: None,
            span: text.span,
            labels: Labels::Given(&text.cwes),
            curated: &[],
            cvss: None,
        }
    }

    fn labels(&self, index: &Index) -> Effective {
        match self.labels {
            Labels::Merged(entry) => index.effective(entry),
            Labels::Given(cwes) => {
                let source = self.style.unwrap_or(GIVEN.name).to_owned();
                Effective { cwes: cwes.to_vec(), sources: vec![source; cwes.len()] }
            }
        }
    }
}

/// The parts of each row.
fn parts(rows: &[Row<'_>], texts: &mut SpillReader, splits: &SplitOptions) -> io::Result<Vec<Parts>> {
    let mut components = Components::default();
    for row in rows {
        components.add(&Member {
            kind: row.kind,
            outcome: row.outcome,
            cve: row.cve,
            aliases: row.aliases,
            published_year: row.published.map(Date::year),
            text: &texts.read(row.span)?,
            group: row.span.group,
        });
    }
    Ok(components.parts(splits))
}

/// Counts the rows, and those that share their text.
fn count_rows(rows: &[Row<'_>], report: &mut BuildReport) {
    report.rows = rows.len() as u64;
    let mut groups: HashMap<GroupId, u64> = HashMap::new();
    for row in rows {
        let members = groups.entry(row.span.group).or_default();
        *members = members.saturating_add(1);
        if row.kind != TextKind::Record {
            let count = report.other_rows.entry(row.kind).or_default();
            *count = count.saturating_add(1);
        }
        let is_untold = row.outcome == Some(Outcome::NotTold);
        report.not_told = report.not_told.saturating_add(u64::from(is_untold));
    }
    report.rows_sharing_text = groups.into_values().filter(|members| *members > 1).sum();
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
