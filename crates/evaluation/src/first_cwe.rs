//! First-CWE accuracy: how often the first weakness that `classify` shows is right.

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

use crate::example::Example;

/// First-CWE accuracy on the labelled records of a part.
///
/// The first CWE of a record is the most probable one of the recommended label space, which is the first line that
/// `classify` shows, whether a decision rule answers with it or not; of equally probable ones it is that with the lowest
/// id. It is compared with the ids that the record was assigned, as they are: ids that may not be used for mapping can
/// therefore never be hit. A record to which a system gives no CWE counts as wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FirstCwe {
    /// Labelled records of the part.
    pub records: u64,
    /// Share of records whose first CWE is one of the assigned ids.
    pub exact: f64,
    /// Share of records whose first CWE is one of the assigned ids, or an ancestor or a descendant of one.
    pub related: f64,
}

/// Counts for [`FirstCwe`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FirstCweCounts {
    records: u64,
    exact: u64,
    related: u64,
}

impl FirstCweCounts {
    /// Counts a record with its first CWE.
    pub(crate) fn add(&mut self, kb: &KnowledgeBase, example: &Example, first: Option<CweId>) {
        let is_related = |first: CweId, id: CweId| {
            first == id || kb.ancestors(id).contains(&first) || kb.ancestors(first).contains(&id)
        };
        self.records += 1;
        if let Some(first) = first {
            self.exact += u64::from(example.cwes.contains(&first));
            self.related += u64::from(example.cwes.iter().any(|&id| is_related(first, id)));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.records += other.records;
        self.exact += other.exact;
        self.related += other.related;
    }

    pub(crate) fn finish(self) -> FirstCwe {
        let share = |count: u64| count as f64 / self.records.max(1) as f64;
        FirstCwe { records: self.records, exact: share(self.exact), related: share(self.related) }
    }
}

#[cfg(test)]
mod tests {
    use vulnlens_corpus::Part;
    use vulnlens_taxonomy::CveId;

    use super::*;

    #[test]
    fn ancestors_and_descendants_are_related_and_siblings_are_not() {
        let kb = KnowledgeBase::embedded();
        let cwes = vec![CweId(787)];
        let example = Example::record(CveId::new(2020, 1), String::new(), 2020, cwes, Part::Test);
        let mut counts = FirstCweCounts::default();
        // The id itself, an ancestor, a descendant, a sibling, and none.
        for first in [Some(787), Some(119), Some(121), Some(125), None] {
            counts.add(&kb, &example, first.map(CweId));
        }
        assert_eq!(counts.finish(), FirstCwe { records: 5, exact: 0.2, related: 0.6 });
    }
}
