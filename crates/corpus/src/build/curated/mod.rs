//! Pairs of a CVE and a technique that people assigned: read from their files, brought to the techniques in force, and
//! kept by CVE until the rows are written.

mod files;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use vulnlens_taxonomy::{CveId, Domain, KnowledgeBase, Role, TechniqueId};

use super::options::BuildOptions;
use super::tally::Tally;
use crate::build_report::{CuratedReport, LeftOut, ReadAs};
use crate::curated::CuratedPair;
use crate::error::CorpusError;
use files::Entry;

/// Pairs by CVE.
#[derive(Default)]
pub(super) struct Curated {
    pairs: BTreeMap<CveId, Vec<CuratedPair>>,
    /// The CVEs that the files name, with a pair that is kept or without one.
    named: BTreeSet<CveId>,
    report: CuratedReport,
}

/// Reads the files that the options name, in their order; adds the counts of each file.
pub(super) fn read(
    kb: &KnowledgeBase,
    tallies: &mut Vec<Tally>,
    options: &BuildOptions,
) -> Result<Curated, CorpusError> {
    let mut curated = Curated::default();
    for path in &options.curated {
        let mut tally = Tally::of(path);
        files::read(path, &options.limits, &mut |entry| match entry {
            Ok(entry) => {
                tally.add_text();
                curated.take(entry, kb);
            }
            Err(error) => tally.add_error(&error, options.bad_records_shown),
        })?;
        tallies.push(tally);
    }
    Ok(curated)
}

impl Curated {
    /// The pairs of a CVE, by technique, role and source.
    pub(super) fn of(&self, cve: CveId) -> &[CuratedPair] {
        self.pairs.get(&cve).map_or(&[], Vec::as_slice)
    }

    /// The report of the pairs, of which those of `records` become part of the data set.
    pub(super) fn report(&self, records: &BTreeSet<CveId>) -> CuratedReport {
        let mut report = self.report.clone();
        report.cves = self.named.len() as u64;
        report.cves_without_text = self.named.difference(records).count() as u64;
        for (_, pairs) in self.pairs.iter().filter(|(cve, _)| records.contains(cve)) {
            add(&mut report.rows, 1);
            for pair in pairs {
                add(&mut report.pairs, 1);
                add(report.by_source.entry(pair.source.name.clone()).or_default(), 1);
            }
        }
        report
    }

    fn take(&mut self, entry: Entry, kb: &KnowledgeBase) {
        if entry.source.licence.is_empty() {
            add(&mut self.report.without_licence, entry.techniques.len().max(1) as u64);
            return;
        }
        self.named.insert(entry.cve);
        add(&mut self.report.without_technique, u64::from(entry.techniques.is_empty()));
        for (role, written) in &entry.techniques {
            match self.technique(written, kb) {
                Ok(technique) => self.insert(&entry, *role, technique),
                Err(reason) => {
                    let ids = self.report.left_out.entry(reason).or_default();
                    add(ids.entry(beginning(written)).or_default(), 1);
                }
            }
        }
    }

    /// The technique of Enterprise ATT&CK in force that an id means.
    fn technique(&mut self, written: &str, kb: &KnowledgeBase) -> Result<TechniqueId, LeftOut> {
        let id = written::technique(written).ok_or(LeftOut::Unreadable)?;
        if id.to_string() != written {
            add(&mut ReadAs::of(&mut self.report.mended, beginning(written), id).pairs, 1);
        }
        let current = kb.current(id);
        let technique = kb.technique(current).ok_or(LeftOut::Unknown)?;
        match technique.domain {
            Domain::Mobile => return Err(LeftOut::Mobile),
            Domain::Ics => return Err(LeftOut::Ics),
            Domain::Enterprise => {}
        }
        if technique.revoked || technique.deprecated {
            return Err(LeftOut::Withdrawn);
        }
        if current != id {
            add(&mut ReadAs::of(&mut self.report.revoked, id, current).pairs, 1);
        }
        Ok(current)
    }

    /// Keeps a pair, unless its source has it already.
    fn insert(&mut self, entry: &Entry, role: Role, technique: TechniqueId) {
        let Entry { cve, source, reason, .. } = entry;
        let pairs = self.pairs.entry(*cve).or_default();
        let order = |held: &CuratedPair| {
            let of_held = (held.technique, held.role, &held.source);
            of_held.cmp(&(technique, role, source))
        };
        match pairs.binary_search_by(order) {
            Ok(_) => add(&mut self.report.duplicates, 1),
            Err(at) => {
                let (source, reason) = (source.clone(), reason.clone());
                pairs.insert(at, CuratedPair { technique, role, source, reason });
            }
        }
    }
}

/// The beginning of an id for the report: a hostile cell may be megabytes long.
fn beginning(written: &str) -> String {
    written.chars().take(40).collect()
}

fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}
