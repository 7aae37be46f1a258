//! Label spaces over CWE sets: which labels a record with a set has.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::{CapecId, CweId, CweLevel, KnowledgeBase, TechniqueId};

use super::marginals::{LabelLists, NestedList};

/// A label space and the condition under which its probabilities hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpaceKind {
    /// CWE with ancestors and NVD's categories: the reference system's CWE task.
    ReferenceCwe,
    /// CWE with ancestors, given that every id of the record is a weakness of the catalogue.
    ReferenceWeaknesses,
    /// CAPEC, given that the chain reaches some.
    ReferenceCapec,
    /// ATT&CK ids as the chain writes them, given that it reaches some.
    ReferenceAttack,
    /// CWE as records assign them.
    AssignedCwe,
    /// CWE as assigned, where the catalogue allows the id for mapping; what falls on ids that it does
    /// not allow goes to their allowed descendants (see [`refinements`]).
    RecommendedCwe,
    /// CAPEC, unconditional.
    RecommendedCapec,
    /// Current ATT&CK ids (revoked ones replaced, withdrawn ones left out), unconditional.
    RecommendedAttack,
}

impl SpaceKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::ReferenceCwe,
        Self::ReferenceWeaknesses,
        Self::ReferenceCapec,
        Self::ReferenceAttack,
        Self::AssignedCwe,
        Self::RecommendedCwe,
        Self::RecommendedCapec,
        Self::RecommendedAttack,
    ];

    /// True where probabilities are given that the record has some label of the space.
    #[must_use]
    pub fn is_conditional(self) -> bool {
        matches!(
            self,
            Self::ReferenceCwe | Self::ReferenceWeaknesses | Self::ReferenceCapec | Self::ReferenceAttack
        )
    }

    /// The CWE labels of a record with these ids, sorted. For a kind of another taxonomy: none.
    #[must_use]
    pub fn cwe_labels(self, kb: &KnowledgeBase, cwes: &[CweId]) -> Vec<CweId> {
        match self {
            Self::ReferenceCwe => kb.cwe_at(CweLevel::WithAncestors, cwes),
            Self::ReferenceWeaknesses if cwes.iter().all(|&id| kb.is_weakness(id)) => {
                kb.cwe_at(CweLevel::WithAncestors, cwes)
            }
            Self::AssignedCwe => kb.cwe_at(CweLevel::Assigned, cwes),
            Self::RecommendedCwe => kb.cwe_at(CweLevel::Allowed, cwes),
            _ => vec![],
        }
    }

    /// The CAPEC labels of a record with these CWE ids, sorted.
    #[must_use]
    pub fn capec_labels(self, kb: &KnowledgeBase, cwes: &[CweId]) -> Vec<CapecId> {
        match self {
            Self::ReferenceCapec | Self::RecommendedCapec => kb.chain(cwes).capec,
            _ => vec![],
        }
    }

    /// The ATT&CK labels of a record with these CWE ids, sorted.
    #[must_use]
    pub fn attack_labels(self, kb: &KnowledgeBase, cwes: &[CweId]) -> Vec<TechniqueId> {
        match self {
            Self::ReferenceAttack => kb.chain(cwes).techniques,
            Self::RecommendedAttack => current_techniques(kb, &kb.chain(cwes).techniques),
            _ => vec![],
        }
    }
}

/// Revoked techniques replaced by their successors, withdrawn ones left out; sorted.
pub(crate) fn current_techniques(kb: &KnowledgeBase, techniques: &[TechniqueId]) -> Vec<TechniqueId> {
    let in_force = |id: &TechniqueId| kb.technique(*id).is_none_or(|t| !t.revoked && !t.deprecated);
    let mut current: Vec<_> = techniques.iter().map(|&id| kb.current(id)).filter(in_force).collect();
    current.sort_unstable();
    current.dedup();
    current
}

/// For each CWE set, the sets that refine it: none unless the catalogue allows none of its ids, and
/// then those that hold an allowed descendant of one of them.
///
/// Records of CWE-119 ("discouraged") mean CWE-787, CWE-125, CWE-120 or another kind of memory
/// error; only nobody said which. An analyst who may not use CWE-119 has to, and the model's own
/// opinion of those is the best guess at which.
#[must_use]
pub fn refinements(kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Vec<Vec<u32>> {
    let allowed: Vec<_> = sets.iter().map(|set| kb.cwe_at(CweLevel::Allowed, set)).collect();
    let unusable: Vec<u32> =
        (0u32..).zip(&allowed).filter(|(_, allowed)| allowed.is_empty()).map(|(number, _)| number).collect();
    let wanted = unusable.iter().flat_map(|&number| &sets[number as usize]);
    let mut below: BTreeMap<CweId, Vec<u32>> = wanted.map(|&id| (id, vec![])).collect();
    for (number, allowed) in (0u32..).zip(&allowed) {
        for ancestor in allowed.iter().flat_map(|&id| kb.ancestors(id)) {
            if let Some(numbers) = below.get_mut(ancestor) {
                numbers.push(number);
            }
        }
    }
    let mut refined = vec![vec![]; sets.len()];
    for number in unusable {
        let set = &sets[number as usize];
        let mut by: Vec<u32> = set.iter().filter_map(|id| below.get(id)).flatten().copied().collect();
        by.sort_unstable();
        by.dedup();
        refined[number as usize] = by;
    }
    refined
}

/// The labels of a space and, for each CWE set of a model, its list of them.
#[derive(Debug, Clone)]
pub struct LabelSpace<L> {
    /// The labels in rising order; a label's index in here is what lists hold.
    pub labels: Vec<L>,
    lists: LabelLists,
}

impl<L: Ord + Copy + Display> LabelSpace<L> {
    /// The space whose CWE sets have these labels.
    #[must_use]
    pub fn new(kind: SpaceKind, labels_of_sets: &[Vec<L>]) -> Self {
        let labels = distinct(labels_of_sets);
        let list = |list: &Vec<L>| NestedList { labels: Self::indices(&labels, list), above: None };
        let lists =
            LabelLists::new(labels_of_sets.iter().map(list).collect(), labels.len(), kind.is_conditional());
        Self { labels, lists }
    }

    /// The space whose CWE sets have the labels of their ids together, and those of the ids' ancestors: the chain is
    /// followed once for each id, of which there are far fewer than sets.
    fn of_members(
        kind: SpaceKind,
        kb: &KnowledgeBase,
        sets: &[Vec<CweId>],
        labels_of: impl Fn(CweId) -> Vec<L>,
    ) -> Self {
        let mut of_id: BTreeMap<CweId, Vec<L>> = BTreeMap::new();
        for &id in sets.iter().flatten().flat_map(|id| kb.ancestors(*id).iter().chain([id])) {
            of_id.entry(id).or_insert_with(|| labels_of(id));
        }
        let labels = distinct(sets.iter().flatten().filter_map(|id| of_id.get(id)));
        let indices = |(id, list): (_, Vec<L>)| (id, Self::indices(&labels, &list));
        let of_id: BTreeMap<CweId, Vec<u32>> = of_id.into_iter().map(indices).collect();
        let mut is_member = vec![false; labels.len()];
        let lists = sets.iter().map(|set| match set.as_slice() {
            [only] => nested(*only, kb, &of_id),
            ids => {
                let labels = union(ids.iter().filter_map(|id| of_id.get(id)), &mut is_member);
                let longest = longest(ids, &of_id);
                NestedList { labels, above: longest.map(|id| Box::new(nested(id, kb, &of_id))) }
            }
        });
        let lists = LabelLists::new(lists.collect(), labels.len(), kind.is_conditional());
        Self { labels, lists }
    }

    /// The space with the probability of some sets going to those that refine them.
    #[must_use]
    pub fn with_refinements(mut self, refinements: &[Vec<u32>]) -> Self {
        self.lists.refine_by(refinements);
        self
    }

    /// The indices of `list` in `labels`; labels outside the space are left out.
    fn indices(labels: &[L], list: &[L]) -> Vec<u32> {
        list.iter().filter_map(|label| labels.binary_search(label).ok()).map(|i| i as u32).collect()
    }

    /// The indices of these labels in the space, rising, and how many lie outside of it.
    #[must_use]
    pub fn locate(&self, labels: &[L]) -> (Vec<u32>, usize) {
        let found = Self::indices(&self.labels, labels);
        let outside = labels.len() - found.len();
        (found, outside)
    }

    /// The label lists of the sets.
    #[must_use]
    pub fn lists(&self) -> &LabelLists {
        &self.lists
    }
}

impl LabelSpace<CweId> {
    /// The space of a CWE kind over these sets.
    #[must_use]
    pub fn cwe(kind: SpaceKind, kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Self {
        let space = Self::new(kind, &of_each(sets, |set| kind.cwe_labels(kb, set)));
        if kind == SpaceKind::RecommendedCwe { space.with_refinements(&refinements(kb, sets)) } else { space }
    }
}

impl LabelSpace<CapecId> {
    /// The space of a CAPEC kind over these sets.
    #[must_use]
    pub fn capec(kind: SpaceKind, kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Self {
        Self::of_members(kind, kb, sets, |id| kind.capec_labels(kb, &[id]))
    }
}

impl LabelSpace<TechniqueId> {
    /// The space of an ATT&CK kind over these sets.
    #[must_use]
    pub fn attack(kind: SpaceKind, kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Self {
        Self::of_members(kind, kb, sets, |id| kind.attack_labels(kb, &[id]))
    }
}

/// The list of an id, below that of the parent with the longest one.
fn nested(id: CweId, kb: &KnowledgeBase, of_id: &BTreeMap<CweId, Vec<u32>>) -> NestedList {
    let labels = of_id.get(&id).cloned().unwrap_or_default();
    let above = longest(kb.parents(id), of_id).map(|parent| Box::new(nested(parent, kb, of_id)));
    NestedList { labels, above }
}

/// Of some ids the one with the longest list; of equally long ones the first.
fn longest(ids: &[CweId], of_id: &BTreeMap<CweId, Vec<u32>>) -> Option<CweId> {
    let length = |id: &CweId| of_id.get(id).map_or(0, Vec::len);
    ids.iter().copied().rev().max_by_key(length)
}

fn of_each<L>(sets: &[Vec<CweId>], labels: impl Fn(&[CweId]) -> Vec<L>) -> Vec<Vec<L>> {
    sets.iter().map(|set| labels(set)).collect()
}

/// All labels of the lists, rising.
fn distinct<'a, L: Ord + Copy + 'a>(lists: impl IntoIterator<Item = &'a Vec<L>>) -> Vec<L> {
    let mut labels: Vec<L> = lists.into_iter().flatten().copied().collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The indices in any of the lists, rising; `is_member` is false for each index before and after.
fn union<'a>(lists: impl Iterator<Item = &'a Vec<u32>>, is_member: &mut [bool]) -> Vec<u32> {
    let mut count = 0;
    for &index in lists.flatten() {
        count += usize::from(!std::mem::replace(&mut is_member[index as usize], true));
    }
    let mut all = Vec::with_capacity(count);
    all.extend(
        (0u32..).zip(is_member).filter_map(|(index, is_member)| std::mem::take(is_member).then_some(index)),
    );
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{DecisionRule, MarginalBuffer};

    fn ids(list: &[u32]) -> Vec<CweId> {
        list.iter().copied().map(CweId).collect()
    }

    /// Three sets: {1, 2}, {2}, and one without a label.
    fn space(kind: SpaceKind) -> LabelSpace<CweId> {
        LabelSpace::new(kind, &[ids(&[1, 2]), ids(&[2]), vec![], ids(&[2])])
    }

    #[test]
    fn marginals_add_up_over_sets() {
        let space = space(SpaceKind::RecommendedCwe);
        let mut buffer = MarginalBuffer::default();
        let m = space.lists().marginals(&[0.5, 0.125, 0.25, 0.125], &mut buffer);
        assert_eq!(m.labels, [0.5, 0.75]);
        assert_eq!(m.none, 0.25);
        assert_eq!(m.best_list().map(|(list, p)| (space.lists().list(list), p)), Some((&[0, 1][..], 0.5)));
    }

    #[test]
    fn a_conditional_space_leaves_the_empty_list_out() {
        let space = space(SpaceKind::ReferenceCwe);
        let mut buffer = MarginalBuffer::default();
        let m = space.lists().marginals(&[0.2, 0.1, 0.6, 0.1], &mut buffer);
        assert_eq!(m.none, 0.0);
        assert!((m.labels[0] - 0.5).abs() < 1e-6 && (m.labels[1] - 1.0).abs() < 1e-6);
        let nearly = space.lists().marginals(&[1e-7, 0.0, 1.0 - 1e-7, 0.0], &mut buffer);
        assert!((nearly.lists.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{nearly:?}");
        let sure = space.lists().marginals(&[0.0, 0.0, 1.0, 0.0], &mut buffer);
        assert!(sure.labels.iter().all(|&p| p == 0.0));
    }

    #[test]
    fn the_rule_answers_whole_lists_first_and_labels_else() {
        let space = space(SpaceKind::RecommendedCwe);
        let mut buffer = MarginalBuffer::default();
        let mut answered = vec![];
        let m = space.lists().marginals(&[0.45, 0.2, 0.15, 0.2], &mut buffer);
        DecisionRule { whole_list: 0.4, label: 0.5 }.answer(&m, &mut answered);
        assert_eq!(answered, [true, true]);
        DecisionRule { whole_list: 0.6, label: 0.5 }.answer(&m, &mut answered);
        assert_eq!(answered, [false, true]);
        let m = space.lists().marginals(&[0.1, 0.1, 0.7, 0.1], &mut buffer);
        DecisionRule { whole_list: 0.4, label: 0.05 }.answer(&m, &mut answered);
        assert_eq!(answered, [false, false], "none is an answer, too");
    }

    #[test]
    fn what_is_not_allowed_goes_to_its_refinements_within_bounds() {
        let sets = [ids(&[119]), ids(&[787]), ids(&[125]), ids(&[79])];
        let labels = [vec![], ids(&[787]), ids(&[125]), ids(&[79])];
        let space = LabelSpace::new(SpaceKind::RecommendedCwe, &labels).with_refinements(&[
            vec![1, 2],
            vec![],
            vec![],
            vec![],
        ]);
        assert_eq!(space.labels, ids(&[79, 125, 787]), "for {sets:?}");
        let mut buffer = MarginalBuffer::default();
        let m = space.lists().marginals(&[0.5, 0.3, 0.1, 0.1], &mut buffer);
        for (got, expected) in m.labels.iter().zip([0.1, 0.225, 0.675]) {
            assert!((got - expected).abs() < 1e-6, "{:?}", m.labels);
        }
        assert!(m.none < 1e-6);
        let m = space.lists().marginals(&[0.9, 0.001, 0.0, 0.099], &mut buffer);
        assert!((m.labels[2] - 0.021).abs() < 1e-6 && (m.none - 0.88).abs() < 1e-6, "{m:?}");
    }

    #[test]
    fn a_set_reaches_what_its_ids_reach() {
        let kb = KnowledgeBase::embedded();
        let sets = [ids(&[79, 89]), ids(&[79]), ids(&[119, 264, 352]), ids(&[264])];
        for kind in SpaceKind::ALL {
            let space = LabelSpace::attack(kind, &kb, &sets);
            let expected = of_each(&sets, |set| kind.attack_labels(&kb, set));
            assert_eq!(lists_of(&space, &sets), expected, "{kind:?}");
            let space = LabelSpace::capec(kind, &kb, &sets);
            let expected = of_each(&sets, |set| kind.capec_labels(&kb, set));
            assert_eq!(lists_of(&space, &sets), expected, "{kind:?}");
        }
    }

    /// The labels of each set, by the space.
    fn lists_of<L: Ord + Copy + Display>(space: &LabelSpace<L>, sets: &[Vec<CweId>]) -> Vec<Vec<L>> {
        let numbers = (0..sets.len()).map(|set| space.lists().list_of_set(set));
        numbers.map(|list| list.iter().map(|&index| space.labels[index as usize]).collect()).collect()
    }

    #[test]
    fn only_sets_without_an_allowed_id_are_refined() {
        let kb = KnowledgeBase::embedded();
        let sets = [ids(&[119]), ids(&[787]), ids(&[79]), ids(&[119, 79]), ids(&[264])];
        let by = refinements(&kb, &sets);
        assert_eq!(by, [vec![1], vec![], vec![], vec![], vec![]]);
    }

    #[test]
    fn labels_outside_the_space_are_counted() {
        assert_eq!(space(SpaceKind::ReferenceCwe).locate(&ids(&[2, 3])), (vec![1], 1));
    }
}
