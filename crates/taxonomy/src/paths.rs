//! The ways the chain takes from a weakness to an attack pattern or a technique.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{CapecId, CweId, TechniqueId};
use crate::kb::KnowledgeBase;

/// The most paths that one question is answered with.
pub const MAX_PATHS: usize = 256;

/// One way of the chain, `CWE-79 ▸ CWE-74 ▸ CAPEC-267 ▸ T1027`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainPath {
    /// From the weakness asked for, up to the one that the attack pattern is related to; a single
    /// id where that is the weakness itself.
    pub cwe: Vec<CweId>,
    /// The attack pattern.
    pub capec: CapecId,
    /// The technique.
    pub technique: TechniqueId,
}

impl KnowledgeBase {
    /// The ways from `from` to `to`: for every pattern with that technique and every weakness at or
    /// above `from` that is related to it, the shortest ways up. The shortest come first, then by
    /// ids; at most [`MAX_PATHS`].
    #[must_use]
    pub fn paths(&self, from: CweId, to: TechniqueId) -> Vec<ChainPath> {
        let leads_on = |capec: &CapecId| self.pattern(*capec).is_some_and(|p| p.techniques.contains(&to));
        let ways = self.ways_up(from, leads_on).into_iter();
        ways.map(|(cwe, capec)| ChainPath { cwe, capec, technique: to }).collect()
    }

    /// The ways up from `from` to the weaknesses related to `to`, as in [`Self::paths`].
    #[must_use]
    pub fn paths_to_capec(&self, from: CweId, to: CapecId) -> Vec<Vec<CweId>> {
        self.ways_up(from, |&capec| capec == to).into_iter().map(|(cwe, _)| cwe).collect()
    }

    /// The weakness and all its ancestors with the steps up to each, the nearest first and of equally near ones by rising
    /// id.
    #[must_use]
    pub fn rise(&self, id: CweId) -> Vec<(usize, CweId)> {
        Rise::from(self, id).by_distance
    }

    /// The shortest ways up from `from` to every weakness with a related pattern that `wanted`
    /// accepts, once for each such pattern.
    fn ways_up(&self, from: CweId, wanted: impl Fn(&CapecId) -> bool) -> Vec<(Vec<CweId>, CapecId)> {
        let rise = Rise::from(self, from);
        let mut found = Vec::new();
        for &(_, carrier) in &rise.by_distance {
            let capecs = self.weakness(carrier).map_or(&[][..], |weakness| &weakness.capecs);
            let capecs: Vec<CapecId> = capecs.iter().copied().filter(&wanted).collect();
            if capecs.is_empty() {
                continue;
            }
            for way in rise.ways_to(carrier, MAX_PATHS.saturating_sub(found.len())) {
                found.extend(capecs.iter().map(|&capec| (way.clone(), capec)));
            }
            if found.len() >= MAX_PATHS {
                break;
            }
        }
        found.sort_by(|a, b| (a.0.len(), a).cmp(&(b.0.len(), b)));
        found.truncate(MAX_PATHS);
        found
    }
}

/// Everything at or above one weakness, by the number of steps up to it.
struct Rise {
    /// Steps and weakness, the nearest first.
    by_distance: Vec<(usize, CweId)>,
    /// For a weakness, those one step nearer from which it is reached.
    below: BTreeMap<CweId, Vec<CweId>>,
}

impl Rise {
    fn from(kb: &KnowledgeBase, start: CweId) -> Self {
        let mut by_distance = vec![(0, start)];
        let mut below: BTreeMap<CweId, Vec<CweId>> = BTreeMap::from([(start, Vec::new())]);
        let mut front = BTreeSet::from([start]);
        for distance in 1.. {
            let mut next: BTreeMap<CweId, Vec<CweId>> = BTreeMap::new();
            for &id in &front {
                for parent in kb.parents(id).iter().filter(|parent| !below.contains_key(parent)) {
                    next.entry(*parent).or_default().push(id);
                }
            }
            if next.is_empty() {
                break;
            }
            front = next.keys().copied().collect();
            by_distance.extend(front.iter().map(|&id| (distance, id)));
            below.append(&mut next);
        }
        Self { by_distance, below }
    }

    /// The shortest ways from the start to `top`, at most `limit`.
    fn ways_to(&self, top: CweId, limit: usize) -> Vec<Vec<CweId>> {
        let mut ways = Vec::new();
        let mut unfinished = vec![vec![top]];
        while let Some(way) = unfinished.pop() {
            let below = way.last().and_then(|lowest| self.below.get(lowest)).map_or(&[][..], Vec::as_slice);
            if below.is_empty() {
                ways.push(way.into_iter().rev().collect());
                if ways.len() >= limit {
                    break;
                }
                continue;
            }
            // Every weakness here leads down to the start, so no way is begun in vain.
            for &id in below.iter().rev() {
                let mut longer = way.clone();
                longer.push(id);
                unfinished.push(longer);
            }
        }
        ways
    }
}
