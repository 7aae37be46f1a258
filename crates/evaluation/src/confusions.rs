//! Confusions among siblings: first weaknesses that are not assigned, but have a parent in common with one that is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

use crate::example::Example;

/// Pairs that are kept: those of few records are chance.
const MOST_PAIRS: usize = 30;

/// Confusions among siblings on the labelled records of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confusions {
    /// Labelled records of the part.
    pub records: u64,
    /// Records whose first CWE is none of the assigned ids, but a sibling of one: both have a parent in common.
    pub siblings: u64,
    /// The most frequent pairs of an assigned id and a first CWE that is a sibling of it.
    pub pairs: Vec<Confusion>,
}

/// A pair of siblings that were confused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// The id that records were assigned.
    pub assigned: String,
    /// Their first CWE.
    pub answered: String,
    /// The number of these records.
    pub records: u64,
}

/// Counts for [`Confusions`].
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfusionCounts {
    records: u64,
    siblings: u64,
    pairs: BTreeMap<(CweId, CweId), u64>,
}

impl ConfusionCounts {
    /// Counts a record with its first CWE. One that has several siblings of it counts for each pair.
    pub(crate) fn add(&mut self, kb: &KnowledgeBase, example: &Example, first: Option<CweId>) {
        self.records += 1;
        let Some(first) = first.filter(|first| !example.cwes.contains(first)) else { return };
        let parents = kb.parents(first);
        let is_sibling = |id: &&CweId| kb.parents(**id).iter().any(|parent| parents.contains(parent));
        let mut is_any = false;
        for &assigned in example.cwes.iter().filter(is_sibling) {
            is_any = true;
            *self.pairs.entry((assigned, first)).or_default() += 1;
        }
        self.siblings += u64::from(is_any);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.siblings += other.siblings;
        for (&pair, count) in &other.pairs {
            *self.pairs.entry(pair).or_default() += count;
        }
    }

    pub(crate) fn finish(&self) -> Confusions {
        let mut pairs: Vec<((CweId, CweId), u64)> = self.pairs.iter().map(|(&pair, &n)| (pair, n)).collect();
        pairs.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let pair = |((assigned, answered), records): ((CweId, CweId), u64)| Confusion {
            assigned: assigned.to_string(),
            answered: answered.to_string(),
            records,
        };
        Confusions {
            records: self.records,
            siblings: self.siblings,
            pairs: pairs.into_iter().take(MOST_PAIRS).map(pair).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use vulnlens_corpus::Part;
    use vulnlens_taxonomy::CveId;

    use super::*;

    #[test]
    fn siblings_are_counted_and_others_are_not() {
        let kb = KnowledgeBase::embedded();
        let of = |cwes: &[u32], first: u32| {
            let cwes = cwes.iter().map(|id| CweId(*id)).collect();
            let example = Example::record(CveId::new(2020, 1), String::new(), 2020, cwes, Part::Test);
            let mut counts = ConfusionCounts::default();
            counts.add(&kb, &example, Some(CweId(first)));
            counts
        };
        // Out-of-bounds read and write lie below CWE-119, which is no sibling of theirs; the first of two assigned
        // ids is right, then.
        let mut all = ConfusionCounts::default();
        for counts in [of(&[125], 787), of(&[125], 787), of(&[787], 125), of(&[119], 787), of(&[79, 125], 79)]
        {
            all.merge(&counts);
        }
        all.add(&kb, &Example::record(CveId::new(2020, 1), String::new(), 2020, vec![], Part::Test), None);
        let found = all.finish();
        assert_eq!((found.records, found.siblings), (6, 3));
        let pair = |assigned: &str, answered: &str, records| Confusion {
            assigned: assigned.to_owned(),
            answered: answered.to_owned(),
            records,
        };
        assert_eq!(found.pairs, [pair("CWE-125", "CWE-787", 2), pair("CWE-787", "CWE-125", 1)]);
    }
}
