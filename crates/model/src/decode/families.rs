//! Families: the nearest ancestor that is sure where no single weakness is.

use std::cmp::Reverse;

use vulnlens_taxonomy::{Abstraction, CweId, CweLevel, KnowledgeBase};

use super::marginals::{LANES, Sums};
use super::spaces::{LabelSpace, SpaceKind};
use crate::prediction::{Family, ScoredLabel};

/// The probability from which on a family is an answer: about nine in ten such answers are right on the records of a
/// year that the model has not seen (`evaluate` reports the curve).
const SURE: f32 = 0.7;
/// The least probability of a member that is listed.
const LEAST_MEMBER: f32 = 0.01;
/// Members that are listed at most.
const MOST_MEMBERS: usize = 8;

/// The weaknesses and classes that sets of CWE ids belong to, with their ancestors.
pub(super) struct Families {
    space: LabelSpace<CweId>,
    /// The number of ancestors of each label: a descendant has more than any of its ancestors.
    depth: Vec<usize>,
}

impl Families {
    pub(super) fn new(kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Self {
        // A pillar is a theme of weaknesses, which tells nobody anything.
        let tells = |id: &CweId| kb.weakness(*id).is_some_and(|w| w.abstraction != Abstraction::Pillar);
        let of_set = |set: &Vec<CweId>| {
            let mut ids = kb.cwe_at(CweLevel::WithAncestors, set);
            ids.retain(tells);
            ids
        };
        let lists: Vec<Vec<CweId>> = sets.iter().map(of_set).collect();
        let space = LabelSpace::new(SpaceKind::AssignedCwe, &lists);
        let depth = space.labels.iter().map(|&id| kb.ancestors(id).len()).collect();
        Self { space, depth }
    }

    /// Adds up the probabilities of some texts.
    pub(super) fn add_up(&self, probabilities: &[[f32; LANES]], sums: &mut Sums<LANES>) {
        self.space.lists().add_up(probabilities, sums);
    }

    /// The deepest weakness or class that is sure by the sums of a lane, with those of `members` (weaknesses with their
    /// probabilities) that belong to it.
    pub(super) fn family(
        &self,
        sums: &Sums<LANES>,
        lane: usize,
        members: (&[CweId], &[f32]),
        kb: &KnowledgeBase,
    ) -> Option<Family> {
        let sure = sums.labels_of(lane).enumerate().filter(|(_, probability)| *probability >= SURE);
        let key =
            |&(place, probability): &(usize, f32)| (self.depth[place], probability.to_bits(), Reverse(place));
        let (place, score) = sure.max_by_key(key)?;
        let label = self.space.labels[place];
        let belongs = |id: CweId| id == label || kb.ancestors(id).contains(&label);
        let listed =
            members.0.iter().zip(members.1).filter(|(id, score)| **score >= LEAST_MEMBER && belongs(**id));
        let mut members: Vec<_> = listed.map(|(&id, &score)| ScoredLabel::new(id, score, false)).collect();
        members.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.label.cmp(&b.label)));
        members.truncate(MOST_MEMBERS);
        Some(Family { label, score, members })
    }
}
