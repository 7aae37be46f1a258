//! Links: what the chain leads to from one weakness, and by which way.

use std::collections::BTreeSet;

use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use super::spaces::current_techniques;
use crate::prediction::Via;

/// The labels of two spaces that the chain leads to from a weakness, each with the shortest way there.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pub(super) capec: LinkedLabels,
    pub(super) attack: LinkedLabels,
}

/// Labels of a space by rising index, each with the shortest way to it; of equally short ones that through the ancestor
/// and the pattern with the lowest ids.
#[derive(Debug, Clone, Default)]
pub(super) struct LinkedLabels(Vec<(u32, Via)>);

impl LinkedLabels {
    /// The way to a label.
    pub(super) fn via(&self, label: u32) -> Option<Via> {
        let place = self.0.binary_search_by_key(&label, |(label, _)| *label).ok()?;
        self.0.get(place).map(|(_, via)| *via)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Via)> + '_ {
        self.0.iter().copied()
    }

    /// The distance of the nearest.
    pub(super) fn nearest(&self) -> Option<u8> {
        self.0.iter().map(|(_, via)| via.distance).min()
    }
}

impl Links {
    /// The links of `weakness` into the spaces of these labels, each in rising order.
    pub(super) fn of(weakness: CweId, kb: &KnowledgeBase, capec: &[CapecId], attack: &[TechniqueId]) -> Self {
        let mut links = Self::default();
        let mut taken: (BTreeSet<u32>, BTreeSet<u32>) = Default::default();
        for (distance, ancestor) in kb.rise(weakness) {
            let distance = u8::try_from(distance).unwrap_or(u8::MAX);
            let patterns = kb.weakness(ancestor).map_or(&[][..], |weakness| &weakness.capecs);
            for &pattern in patterns {
                let via = Via { weakness, ancestor, pattern: None, distance };
                if let Some(label) = place(capec, pattern).filter(|label| taken.0.insert(*label)) {
                    links.capec.0.push((label, via));
                }
                let techniques = kb.pattern(pattern).map_or(&[][..], |pattern| &pattern.techniques);
                for technique in current_techniques(kb, techniques) {
                    if let Some(label) = place(attack, technique).filter(|label| taken.1.insert(*label)) {
                        links.attack.0.push((label, Via { pattern: Some(pattern), ..via }));
                    }
                }
            }
        }
        links.capec.0.sort_unstable_by_key(|(label, _)| *label);
        links.attack.0.sort_unstable_by_key(|(label, _)| *label);
        links
    }
}

fn place<L: Ord>(labels: &[L], label: L) -> Option<u32> {
    labels.binary_search(&label).ok().map(|place| place as u32)
}
