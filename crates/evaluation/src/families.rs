//! Answers with families: where the best weakness is not sure enough, the class above it may be.
//!
//! The probability of a weakness with its family is the sum over the CWE sets that have it or a descendant of it.
//! Pillars are not answers: they say too little to act on. At a level of probability, the answer is the deepest weakness
//! or class that reaches it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use vulnlens_metrics::{MetricsError, RiskCounts, RiskCoverage};
use vulnlens_model::decode::{LabelSpace, MarginalBuffer, SpaceKind};
use vulnlens_taxonomy::{Abstraction, CweId, CweLevel, KnowledgeBase};

use crate::risk::FamilyRisk;

/// The level of the curve by confidence: a probability at which an analyst would go on with the answer.
const LEVEL: f32 = 0.7;
/// The number of levels of the swept curve, from 0.99 down to 0.01.
const LEVELS: usize = 99;

/// The weaknesses and classes over the CWE sets of a system, with their depths.
pub(crate) struct Families {
    space: LabelSpace<CweId>,
    depths: Vec<u32>,
}

/// A possible answer: it is less probable and deeper than the one before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rung {
    label: CweId,
    probability: f32,
    depth: u32,
}

impl Families {
    pub(crate) fn new(sets: &[Vec<CweId>], kb: &KnowledgeBase) -> Self {
        let is_answer =
            |id: &CweId| kb.weakness(*id).is_some_and(|weakness| weakness.abstraction != Abstraction::Pillar);
        let with_ancestors = |set: &Vec<CweId>| {
            let mut labels = kb.cwe_at(CweLevel::WithAncestors, set);
            labels.retain(is_answer);
            labels
        };
        let lists: Vec<_> = sets.iter().map(with_ancestors).collect();
        // A kind whose probabilities are not conditional: sets of categories alone keep theirs.
        let space = LabelSpace::new(SpaceKind::AssignedCwe, &lists);
        let depth_of = depths(kb);
        let depths = space.labels.iter().map(|id| depth_of.get(id).copied().unwrap_or(0)).collect();
        Self { space, depths }
    }

    /// Finds the possible answers of a row of set probabilities, by falling probability and rising depth. Of equally
    /// deep ones the most probable is taken, of these that with the lowest id.
    pub(crate) fn ladder(&self, row: &[f32], marginals: &mut MarginalBuffer, ladder: &mut Vec<Rung>) {
        let probabilities = self.space.lists().marginals(row, marginals).labels;
        let rungs = self.space.labels.iter().zip(probabilities).zip(&self.depths);
        ladder.clear();
        ladder.extend(
            rungs
                .map(|((&label, &probability), &depth)| Rung { label, probability, depth })
                .filter(|rung| f64::from(rung.probability) >= level(1)),
        );
        // Probabilities are never negative, so their bits order as they do. A class is at least as probable as what
        // is below it: of equals the deeper one comes first.
        ladder.sort_unstable_by_key(|rung| {
            (Reverse(rung.probability.to_bits()), Reverse(rung.depth), rung.label)
        });
        let mut deepest = None;
        ladder.retain(|rung| {
            let is_deeper = deepest.is_none_or(|depth| rung.depth > depth);
            if is_deeper {
                deepest = Some(rung.depth);
            }
            is_deeper
        });
    }
}

/// The length of the longest way up from each weakness.
fn depths(kb: &KnowledgeBase) -> BTreeMap<CweId, u32> {
    let mut weaknesses: Vec<CweId> = kb.weaknesses().map(|weakness| weakness.id).collect();
    // Ancestors have fewer ancestors, so they come first.
    weaknesses.sort_by_key(|&id| kb.ancestors(id).len());
    let mut depths: BTreeMap<CweId, u32> = BTreeMap::new();
    for id in weaknesses {
        let above = kb.ancestors(id).iter().filter_map(|ancestor| depths.get(ancestor)).max();
        let depth = above.map_or(0, |above| above + 1);
        depths.insert(id, depth);
    }
    depths
}

/// A level of the swept curve.
fn level(number: usize) -> f64 {
    number as f64 / (LEVELS + 1) as f64
}

/// Counts of answers with families.
#[derive(Debug, Clone)]
pub(crate) struct FamilyCounts {
    rows: u64,
    /// The answers at the fixed level, with their probabilities.
    fixed: Vec<(f32, bool)>,
    /// The answers at each level, the highest first.
    swept: [RiskCounts; LEVELS],
}

impl Default for FamilyCounts {
    fn default() -> Self {
        Self { rows: 0, fixed: vec![], swept: [RiskCounts::default(); LEVELS] }
    }
}

impl FamilyCounts {
    /// Counts a row by its possible answers; `right` are the assigned ids with their ancestors, sorted.
    pub(crate) fn add(&mut self, ladder: &[Rung], right: &[CweId]) {
        let is_right = |rung: &Rung| right.binary_search(&rung.label).is_ok();
        self.rows += 1;
        let fixed = ladder.iter().rev().find(|rung| rung.probability >= LEVEL);
        self.fixed.extend(fixed.map(|rung| (rung.probability, is_right(rung))));
        let (mut at, mut answer) = (0, None);
        for (counts, number) in self.swept.iter_mut().zip((1..=LEVELS).rev()) {
            while let Some(rung) = ladder.get(at).filter(|rung| f64::from(rung.probability) >= level(number))
            {
                answer = Some(is_right(rung));
                at += 1;
            }
            counts.answered += u64::from(answer.is_some());
            counts.right += u64::from(answer == Some(true));
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.fixed.extend_from_slice(&other.fixed);
        for (counts, other) in self.swept.iter_mut().zip(&other.swept) {
            counts.answered += other.answered;
            counts.right += other.right;
        }
    }

    pub(crate) fn finish(&self) -> Result<FamilyRisk, MetricsError> {
        let levels: Vec<_> = (1..=LEVELS).rev().map(|number| level(number) as f32).zip(self.swept).collect();
        Ok(FamilyRisk {
            level: LEVEL,
            fixed: RiskCoverage::of_answers(&self.fixed, self.rows - self.fixed.len() as u64)?,
            swept: RiskCoverage::of_levels(&levels, self.rows),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_answer_where_weaknesses_are_not_sure() {
        let kb = KnowledgeBase::embedded();
        // Out-of-bounds write and read are below CWE-119, which is below the pillar CWE-664.
        let sets = [vec![CweId(787)], vec![CweId(125)], vec![CweId(79)]];
        let families = Families::new(&sets, &kb);
        assert!(!families.space.labels.contains(&CweId(664)));
        let (mut marginals, mut ladder) = (MarginalBuffer::default(), vec![]);
        families.ladder(&[0.5, 0.25, 0.25], &mut marginals, &mut ladder);
        let labels: Vec<(u32, f32)> = ladder.iter().map(|rung| (rung.label.0, rung.probability)).collect();
        assert_eq!(labels.last(), Some(&(787, 0.5)));
        assert!(labels.contains(&(119, 0.75)), "{labels:?}");
        let mut counts = FamilyCounts::default();
        counts.add(&ladder, &kb.cwe_at(CweLevel::WithAncestors, &[CweId(125)]));
        let risk = counts.finish().unwrap();
        assert_eq!((risk.fixed.answered, risk.fixed.coverage), (1, 1.0), "CWE-119 is an ancestor");
        assert_eq!(risk.swept.coverage, 1.0);
        let at = |level: f32| {
            risk.swept.points.iter().find(|point| (point.confidence - level).abs() < 1e-6).unwrap().precision
        };
        assert_eq!((at(0.75), at(0.51), at(0.5)), (1.0, 1.0, 0.0));
    }

    #[test]
    fn descendants_are_deeper() {
        let kb = KnowledgeBase::embedded();
        let depths = depths(&kb);
        for weakness in kb.weaknesses() {
            for ancestor in kb.ancestors(weakness.id) {
                assert!(depths[ancestor] < depths[&weakness.id], "{ancestor} {}", weakness.id);
            }
        }
    }
}
