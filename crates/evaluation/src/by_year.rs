//! Micro-F1 by the years of the CVE ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vulnlens_metrics::RowView;

/// The decision figures of the records of a year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct YearF1 {
    /// Records of the year that count for the task.
    pub rows: u64,
    /// Micro-F1 of their answers.
    pub micro_f1: f64,
}

/// Counts for [`YearF1`], year by year.
#[derive(Debug, Clone, Default)]
pub(crate) struct YearCounts(BTreeMap<u16, Counts>);

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    rows: u64,
    hits: u64,
    /// Labels that apply, and labels that were answered.
    labels: u64,
}

impl YearCounts {
    /// Counts the answer to a record of a year.
    pub(crate) fn add(&mut self, year: u16, row: RowView<'_>) {
        let counts = self.0.entry(year).or_default();
        let is_hit = |label: &&u32| row.gold.binary_search(label).is_ok();
        counts.rows += 1;
        counts.hits += row.predicted.iter().filter(is_hit).count() as u64;
        counts.labels += (row.gold.len() + row.predicted.len()) as u64;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (&year, other) in &other.0 {
            let counts = self.0.entry(year).or_default();
            counts.rows += other.rows;
            counts.hits += other.hits;
            counts.labels += other.labels;
        }
    }

    pub(crate) fn finish(&self) -> BTreeMap<u16, YearF1> {
        let f1 = |counts: &Counts| YearF1 {
            rows: counts.rows,
            micro_f1: 2.0 * counts.hits as f64 / counts.labels.max(1) as f64,
        };
        self.0.iter().map(|(&year, counts)| (year, f1(counts))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_counted_apart() {
        let mut counts = YearCounts::default();
        let row = |gold, predicted| RowView { scores: &[], gold, predicted };
        counts.add(2020, row(&[0, 2], &[2]));
        let mut other = YearCounts::default();
        other.add(2020, row(&[1], &[]));
        other.add(2021, row(&[1], &[1]));
        counts.merge(&other);
        let found = counts.finish();
        assert_eq!(found[&2020], YearF1 { rows: 2, micro_f1: 0.5 });
        assert_eq!(found[&2021], YearF1 { rows: 1, micro_f1: 1.0 });
    }
}
