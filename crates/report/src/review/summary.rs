//! Counts of reviews, by verdict and by assigner.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judge::Review;
use super::verdict::Verdict;

/// Assigners that are counted by name, so that memory stays bounded: more than there are CNAs.
const MOST_ASSIGNERS: usize = 2000;
/// The name under which all others are counted.
const OTHERS: &str = "(others)";

/// The numbers of mappings with each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerdictCounts([u64; Verdict::ALL.len()]);

impl VerdictCounts {
    /// The number of mappings with this verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.0.get(verdict as usize).copied().unwrap_or_default()
    }

    /// The number of all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn add(&mut self, verdict: Verdict) {
        if let Some(count) = self.0.get_mut(verdict as usize) {
            *count = count.saturating_add(1);
        }
    }
}

/// The reviews of many records, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReviewSummary {
    /// The records by the verdicts on their whole mappings.
    pub records: VerdictCounts,
    /// Records without a weakness, which are not reviewed.
    pub unmapped: u64,
    assigners: BTreeMap<Arc<str>, VerdictCounts>,
}

impl ReviewSummary {
    /// Counts a review.
    pub fn add(&mut self, review: &Review) {
        self.records.add(review.verdict);
        for (assigner, verdict) in &review.by_assigner {
            let is_named = self.assigners.len() < MOST_ASSIGNERS || self.assigners.contains_key(assigner);
            let name = if is_named { Arc::clone(assigner) } else { Arc::from(OTHERS) };
            self.assigners.entry(name).or_default().add(*verdict);
        }
    }

    /// Counts a record without a weakness.
    pub fn add_unmapped(&mut self) {
        self.unmapped = self.unmapped.saturating_add(1);
    }

    /// The assigners with the verdicts on their own mappings, those with the most mappings first.
    #[must_use]
    pub fn by_assigner(&self) -> Vec<(&str, VerdictCounts)> {
        let mut all: Vec<_> = self.assigners.iter().map(|(name, counts)| (name.as_ref(), *counts)).collect();
        all.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.total()));
        all
    }

    /// The counts in one line, for people.
    #[must_use]
    pub fn line(&self) -> String {
        let counted = Verdict::ALL.iter().filter(|verdict| self.records.of(**verdict) > 0);
        let parts: Vec<String> =
            counted.map(|verdict| format!("{} {}", self.records.of(*verdict), verdict.name())).collect();
        let verdicts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        let unmapped = match self.unmapped {
            0 => String::new(),
            count => format!("; {count} unmapped"),
        };
        format!("{} reviewed{verdicts}{unmapped}", self.records.total())
    }
}
