//! The CWE answers of a system, counted: first CWE, hierarchical agreement, rare labels, risk against coverage.

use std::collections::BTreeMap;

use vulnlens_metrics::{
    Hierarchical, HierarchicalAccumulator, MetricsError, PLACES, RareRecall, RareRecallAccumulator,
    RiskCoverage,
};
use vulnlens_taxonomy::{CweId, CweLevel, KnowledgeBase};

use crate::confusions::{ConfusionCounts, Confusions};
use crate::example::Example;
use crate::families::{FamilyCounts, Rung};
use crate::first_cwe::{FirstCwe, FirstCweCounts};
use crate::risk::Risk;

/// The number of best CWEs that a system gives for a record.
pub(crate) const LISTED: usize = PLACES[PLACES.len() - 1];
/// The numbers of records in a part that make a label rare: below, a figure is chance; above, it is not rare.
const RARE: (u64, u64) = (3, 30);

/// The CWE answer to a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CweAnswer<'a> {
    /// The best weaknesses, at most [`LISTED`], by falling score.
    pub(crate) listed: &'a [(CweId, f32)],
    /// The weaknesses that are answered.
    pub(crate) predicted: &'a [CweId],
    /// The possible answers with families, of a system that has them.
    pub(crate) ladder: Option<&'a [Rung]>,
}

/// Counts of CWE answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct CweCounts {
    first: FirstCweCounts,
    by_year: BTreeMap<u16, FirstCweCounts>,
    hierarchical: HierarchicalAccumulator,
    confusions: ConfusionCounts,
    rare: RareRecallAccumulator<CweId>,
    /// The score of each first CWE, and whether the record was assigned it.
    scored: Vec<(f32, bool)>,
    unanswered: u64,
    families: Option<FamilyCounts>,
}

/// Figures of CWE answers.
pub(crate) struct CweFigures {
    pub(crate) first: FirstCwe,
    pub(crate) by_year: BTreeMap<u16, FirstCwe>,
    pub(crate) hierarchical: Hierarchical,
    pub(crate) confusions: Confusions,
    pub(crate) rare: RareRecall,
    pub(crate) risk: Risk,
}

impl CweCounts {
    /// Counts the answer to a record.
    pub(crate) fn add(&mut self, kb: &KnowledgeBase, example: &Example, answer: CweAnswer<'_>) {
        let first = answer.listed.first().copied();
        let label = first.map(|(label, _)| label);
        self.first.add(kb, example, label);
        self.confusions.add(kb, example, label);
        if let Some(cve) = example.cve {
            self.by_year.entry(cve.year()).or_default().add(kb, example, label);
        }
        let ancestors = |id| kb.ancestors(id).iter().copied();
        self.hierarchical.add(answer.predicted, &example.cwes, ancestors);
        let listed: Vec<CweId> = answer.listed.iter().map(|&(label, _)| label).collect();
        self.rare.add(&example.cwes, &listed);
        match first {
            Some((label, score)) => self.scored.push((score, example.cwes.contains(&label))),
            None => self.unanswered += 1,
        }
        if let Some(ladder) = answer.ladder {
            let right = kb.cwe_at(CweLevel::WithAncestors, &example.cwes);
            self.families.get_or_insert_default().add(ladder, &right);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.first.merge(other.first);
        for (&year, &counts) in &other.by_year {
            self.by_year.entry(year).or_default().merge(counts);
        }
        self.hierarchical.merge(&other.hierarchical);
        self.confusions.merge(&other.confusions);
        self.rare.merge(&other.rare);
        self.scored.extend_from_slice(&other.scored);
        self.unanswered += other.unanswered;
        if let Some(families) = &other.families {
            self.families.get_or_insert_default().merge(families);
        }
    }

    pub(crate) fn finish(&self) -> Result<CweFigures, MetricsError> {
        let (fewest, most) = RARE;
        Ok(CweFigures {
            first: self.first.finish(),
            by_year: self.by_year.iter().map(|(&year, counts)| (year, counts.finish())).collect(),
            hierarchical: self.hierarchical.finish(),
            confusions: self.confusions.finish(),
            rare: self.rare.finish(fewest, most),
            risk: Risk {
                first_cwe: RiskCoverage::of_answers(&self.scored, self.unanswered)?,
                families: self.families.as_ref().map(FamilyCounts::finish).transpose()?,
            },
        })
    }
}
