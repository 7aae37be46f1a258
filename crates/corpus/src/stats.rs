//! The content of a data set: counts, label frequencies, lengths, duplicates and conflicts.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use vulnlens_taxonomy::{CapecId, ChainLabels, CveId, CweId, Outcome, TechniqueId};

use crate::dataset::{DataRow, DatasetReader};
use crate::error::CorpusError;
use crate::groups::{GroupId, Part};
use crate::text_kind::TextKind;

/// Conflicts that are shown.
const SHOWN: usize = 20;

/// Rows in each part of a split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PartCounts {
    /// Rows to train on.
    pub train: u64,
    /// Rows to validate on.
    pub validation: u64,
    /// Rows to test on.
    pub test: u64,
}

impl PartCounts {
    fn add(&mut self, part: Part) {
        let count = match part {
            Part::Train => &mut self.train,
            Part::Validation => &mut self.validation,
            Part::Test => &mut self.test,
        };
        *count = count.saturating_add(1);
    }
}

/// The number of rows with each label, at one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelStats<Id: Ord> {
    /// Rows with at least one label of the level: those that the task is scored on.
    pub rows: u64,
    /// Rows by label.
    pub labels: BTreeMap<Id, u64>,
}

impl<Id: Ord + Copy> LevelStats<Id> {
    fn new() -> Self {
        Self { rows: 0, labels: BTreeMap::new() }
    }

    fn add(&mut self, ids: &[Id]) {
        self.rows = self.rows.saturating_add(u64::from(!ids.is_empty()));
        for id in ids {
            let count = self.labels.entry(*id).or_default();
            *count = count.saturating_add(1);
        }
    }
}

/// Lengths of the descriptions in words (runs between white space). A quantile q is the least length that at
/// least the share q of the rows does not exceed (nearest rank).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LengthStats {
    /// The shortest.
    pub min: u64,
    /// Quantile 0.05.
    pub q05: u64,
    /// Quantile 0.25.
    pub q25: u64,
    /// The median.
    pub q50: u64,
    /// Quantile 0.75.
    pub q75: u64,
    /// Quantile 0.95.
    pub q95: u64,
    /// Quantile 0.99.
    pub q99: u64,
    /// The longest.
    pub max: u64,
}

/// Two labelled rows with the same folded text and different weaknesses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The name of the first row.
    pub first: String,
    /// Its weaknesses.
    pub first_cwes: Vec<CweId>,
    /// The name of the first row of the same group that differs from it.
    pub other: String,
    /// Its weaknesses.
    pub other_cwes: Vec<CweId>,
}

/// The content of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// All rows.
    pub rows: u64,
    /// Rows by the kind of their text.
    pub by_kind: BTreeMap<TextKind, u64>,
    /// Rows by their outcome, where that is known and no set of weaknesses.
    pub by_outcome: BTreeMap<Outcome, u64>,
    /// Rows by the year of their CVE id.
    pub by_cve_year: BTreeMap<u16, u64>,
    /// Parts of the random split.
    pub random: PartCounts,
    /// Parts of the temporal split.
    pub temporal: PartCounts,
    /// Weaknesses as assigned.
    pub cwe: LevelStats<CweId>,
    /// Weaknesses with all their ancestors.
    pub cwe_derived: LevelStats<CweId>,
    /// Attack patterns.
    pub capec: LevelStats<CapecId>,
    /// ATT&CK techniques.
    pub attack: LevelStats<TechniqueId>,
    /// Lengths of the descriptions.
    pub words: LengthStats,
    /// Groups of more than one row.
    pub shared_groups: u64,
    /// Rows in them.
    pub rows_sharing_text: u64,
    /// Groups with labelled rows that differ in their weaknesses.
    pub conflicting_groups: u64,
    /// The first of them, by id.
    pub conflicts: Vec<Conflict>,
}

/// Reads the whole data set once.
///
/// # Errors
/// A file that can no longer be read, or a damaged row.
pub fn stats(reader: &DatasetReader) -> Result<Stats, CorpusError> {
    let mut stats = Stats::new();
    let mut lengths = BTreeMap::new();
    let mut groups = Groups::default();
    for row in reader.labelled_rows()? {
        let (row, derived) = row?;
        stats.add(&row, &derived);
        let count: &mut u64 = lengths.entry(row.text.split_whitespace().count() as u64).or_default();
        *count = count.saturating_add(1);
        stats.conflicts.extend(groups.add(row).filter(|_| stats.conflicts.len() < SHOWN));
    }
    stats.words = length_stats(&lengths, stats.rows);
    groups.finish(&mut stats);
    Ok(stats)
}

impl Stats {
    fn new() -> Self {
        Self {
            rows: 0,
            by_kind: BTreeMap::new(),
            by_outcome: BTreeMap::new(),
            by_cve_year: BTreeMap::new(),
            random: PartCounts::default(),
            temporal: PartCounts::default(),
            cwe: LevelStats::new(),
            cwe_derived: LevelStats::new(),
            capec: LevelStats::new(),
            attack: LevelStats::new(),
            words: LengthStats::default(),
            shared_groups: 0,
            rows_sharing_text: 0,
            conflicting_groups: 0,
            conflicts: Vec::new(),
        }
    }

    fn add(&mut self, row: &DataRow, derived: &ChainLabels) {
        self.rows = self.rows.saturating_add(1);
        count(&mut self.by_kind, Some(row.kind));
        count(&mut self.by_outcome, row.outcome);
        count(&mut self.by_cve_year, row.cve.map(CveId::year));
        self.random.add(row.random);
        self.temporal.add(row.temporal);
        self.cwe.add(&row.cwes);
        self.cwe_derived.add(&derived.cwe);
        self.capec.add(&derived.capec);
        self.attack.add(&derived.techniques);
    }
}

/// Counts one more of `key`, if there is one.
fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: Option<K>) {
    if let Some(key) = key {
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
}

/// The quantiles of lengths, given how many rows have each.
fn length_stats(lengths: &BTreeMap<u64, u64>, rows: u64) -> LengthStats {
    let at = |hundredths: u64| {
        let wanted = rows.saturating_mul(hundredths).div_ceil(100).max(1);
        let reaches = |sum: &mut u64, (length, count): (&u64, &u64)| {
            *sum = sum.saturating_add(*count);
            Some((*length, *sum))
        };
        let found = lengths.iter().scan(0, reaches).find(|(_, sum)| *sum >= wanted);
        found.map_or(0, |(length, _)| length)
    };
    LengthStats {
        min: at(0),
        q05: at(5),
        q25: at(25),
        q50: at(50),
        q75: at(75),
        q95: at(95),
        q99: at(99),
        max: at(100),
    }
}

/// The groups seen so far.
#[derive(Default)]
struct Groups {
    groups: HashMap<GroupId, Group>,
    /// Distinct lists of weaknesses: rows share a few thousand.
    sets: Vec<Vec<CweId>>,
    numbers: HashMap<Vec<CweId>, usize>,
}

#[derive(Default)]
struct Group {
    rows: u64,
    /// The first labelled row and the number of its list of weaknesses.
    first: Option<(String, usize)>,
    conflicts: bool,
}

impl Groups {
    /// Takes in a row; gives the conflict that it is the first to show in its group.
    fn add(&mut self, row: DataRow) -> Option<Conflict> {
        let group = self.groups.entry(row.group).or_default();
        group.rows = group.rows.saturating_add(1);
        if row.cwes.is_empty() {
            return None;
        }
        let next = self.sets.len();
        let number = *self.numbers.entry(row.cwes.clone()).or_insert(next);
        if number == next {
            self.sets.push(row.cwes.clone());
        }
        let (first, set) = group.first.get_or_insert_with(|| (row.name.clone(), number));
        if *set == number || std::mem::replace(&mut group.conflicts, true) {
            return None;
        }
        let first_cwes = self.sets.get(*set).cloned().unwrap_or_default();
        Some(Conflict { first: first.clone(), first_cwes, other: row.name, other_cwes: row.cwes })
    }

    fn finish(self, stats: &mut Stats) {
        for group in self.groups.into_values() {
            stats.conflicting_groups = stats.conflicting_groups.saturating_add(u64::from(group.conflicts));
            if group.rows > 1 {
                stats.shared_groups = stats.shared_groups.saturating_add(1);
                stats.rows_sharing_text = stats.rows_sharing_text.saturating_add(group.rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_least_length_that_its_share_does_not_exceed() {
        // Lengths 1 to 10, once each.
        let lengths: BTreeMap<u64, u64> = (1..=10).map(|length| (length, 1)).collect();
        let words = length_stats(&lengths, 10);
        let got = [words.min, words.q05, words.q25, words.q50, words.q75, words.q95, words.q99, words.max];
        assert_eq!(got, [1, 1, 3, 5, 8, 10, 10, 10]);
        assert_eq!(length_stats(&BTreeMap::new(), 0), LengthStats::default());
    }
}
