//! The `ChildOf` graph of CWE's research view, with every weakness's ancestors worked out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::entries::Weakness;
use crate::ids::CweId;
use crate::terms::Nature;

/// The view whose `ChildOf` relations the chain follows: research concepts.
const RESEARCH_VIEW: u32 = 1000;

/// The most parent links that working out all ancestors may follow. CWE 4.18 needs under ten
/// thousand; a made-up catalogue of one long chain would need the square of its size.
const MAX_LINKS_FOLLOWED: usize = 4_000_000;

/// The relations of a catalogue are so tangled that its ancestors would not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the weaknesses' ChildOf relations are too many to work out all ancestors; no CWE catalogue is like that"
)]
pub struct TooTangled;

/// Parents and ancestors by the position of a weakness in the id-ordered list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    parents: Vec<Vec<CweId>>,
    ancestors: Vec<Vec<CweId>>,
}

impl Hierarchy {
    /// Works out the hierarchy of `weaknesses`, which are in id order. Cycles are harmless: a
    /// weakness is never its own ancestor.
    pub(crate) fn of(weaknesses: &[Weakness]) -> Result<Self, TooTangled> {
        let parents: Vec<_> = weaknesses.iter().map(parents_of).collect();
        let position: BTreeMap<CweId, usize> = weaknesses.iter().map(|w| w.id).zip(0..).collect();
        let mut budget = MAX_LINKS_FOLLOWED;
        let ancestors = weaknesses
            .iter()
            .map(|weakness| ancestors_of(weakness.id, &parents, &position, &mut budget))
            .collect::<Result<_, _>>()?;
        Ok(Self { parents, ancestors })
    }

    pub(crate) fn parents(&self, position: usize) -> &[CweId] {
        self.parents.get(position).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn ancestors(&self, position: usize) -> &[CweId] {
        self.ancestors.get(position).map_or(&[], Vec::as_slice)
    }
}

/// The weakness's parents in the research view, sorted.
fn parents_of(weakness: &Weakness) -> Vec<CweId> {
    let is_parent = |r: &&crate::entries::Relation| r.nature == Nature::ChildOf && r.view == RESEARCH_VIEW;
    let parents: BTreeSet<CweId> = weakness.relations.iter().filter(is_parent).map(|r| r.target).collect();
    parents.into_iter().collect()
}

fn ancestors_of(
    id: CweId,
    parents: &[Vec<CweId>],
    position: &BTreeMap<CweId, usize>,
    budget: &mut usize,
) -> Result<Vec<CweId>, TooTangled> {
    let mut found = BTreeSet::new();
    let mut queue = VecDeque::from([id]);
    while let Some(next) = queue.pop_front() {
        let above = position.get(&next).and_then(|&at| parents.get(at));
        for &parent in above.into_iter().flatten() {
            *budget = budget.checked_sub(1).ok_or(TooTangled)?;
            if parent != id && found.insert(parent) {
                queue.push_back(parent);
            }
        }
    }
    Ok(found.into_iter().collect())
}
