//! The chain: CWE ▸ ancestors in view 1000 ▸ related CAPEC ▸ the CAPECs' ATT&CK entries.
//!
//! The links CWE ▸ CAPEC are those of CWE's `Related_Attack_Patterns`, as in CVE2CAPEC. CAPEC lists
//! the same links from its side (in the releases 4.18 and 3.9 they are equal), so adding them
//! would change nothing. Techniques are taken as CAPEC writes them: no parent is added to a
//! sub-technique, and a revoked one stays what it is.

use std::collections::BTreeSet;

use crate::entries::Weakness;
use crate::ids::{CapecId, CweId, TechniqueId};
use crate::kb::KnowledgeBase;

/// The labels that a set of weaknesses implies; every list is sorted and without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ChainLabels {
    /// The given ids, with their ancestors; categories and unknown ids are kept as given.
    pub cwe: Vec<CweId>,
    /// The attack patterns related to any of them.
    pub capec: Vec<CapecId>,
    /// The ATT&CK techniques that any of those patterns corresponds to.
    pub techniques: Vec<TechniqueId>,
}

impl KnowledgeBase {
    /// The labels that `assigned` implies: the ids and all their ancestors, the attack patterns related to any
    /// of these, and the patterns' techniques.
    #[must_use]
    pub fn chain(&self, assigned: &[CweId]) -> ChainLabels {
        let ancestors = assigned.iter().flat_map(|&id| self.ancestors(id));
        self.labels_of(assigned.iter().chain(ancestors).copied().collect())
    }

    /// The labels that `complete` implies if it holds all the ancestors already, as CVE2CAPEC's lists do:
    /// none are added, so a list made with another CWE release keeps that release's ancestors.
    #[must_use]
    pub fn chain_of_complete(&self, complete: &[CweId]) -> ChainLabels {
        self.labels_of(complete.to_vec())
    }

    fn labels_of(&self, cwe: Vec<CweId>) -> ChainLabels {
        let cwe = sorted(cwe);
        let capecs =
            cwe.iter().filter_map(|&id| self.weakness(id)).map(|weakness| weakness.capecs.as_slice());
        let capec = sorted(capecs.collect::<Vec<_>>().concat());
        let patterns = capec.iter().filter_map(|&id| self.pattern(id));
        let techniques = patterns.map(|pattern| pattern.techniques.as_slice());
        let techniques = sorted(techniques.collect::<Vec<_>>().concat());
        ChainLabels { cwe, capec, techniques }
    }

    /// Every weakness from which the chain reaches `technique`, through its ancestors too; sorted.
    #[must_use]
    pub fn cwes_reaching(&self, technique: TechniqueId) -> Vec<CweId> {
        self.cwes_with(|capec| self.pattern(capec).is_some_and(|p| p.techniques.contains(&technique)))
    }

    /// Every weakness from which the chain reaches `pattern`, through its ancestors too; sorted.
    #[must_use]
    pub fn cwes_reaching_capec(&self, pattern: CapecId) -> Vec<CweId> {
        self.cwes_with(|capec| capec == pattern)
    }

    /// Every weakness that is related to a pattern that `wanted` accepts, itself or by an ancestor; sorted.
    fn cwes_with(&self, wanted: impl Fn(CapecId) -> bool) -> Vec<CweId> {
        let has_wanted = |weakness: &&Weakness| weakness.capecs.iter().any(|&capec| wanted(capec));
        let direct: BTreeSet<CweId> =
            self.weaknesses().filter(has_wanted).map(|weakness| weakness.id).collect();
        self.weaknesses()
            .map(|weakness| weakness.id)
            .filter(|id| {
                direct.contains(id) || self.ancestors(*id).iter().any(|above| direct.contains(above))
            })
            .collect()
    }
}

/// The ids in rising order, each once.
pub(crate) fn sorted<T: Ord>(mut ids: Vec<T>) -> Vec<T> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
