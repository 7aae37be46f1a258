//! Label spaces over CWE sets, and the marginals that the chain gives them.
//!
//! P(label) = Σ over CWE sets of P(set) · [label ∈ chain(set)].
//!
//! Many sets share one label list (some 500 technique lists for some 2,000 sets), so probabilities
//! are first added up by list and then handed to the list's labels.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::{CapecId, CweId, CweLevel, KnowledgeBase, TechniqueId};

use crate::softmax::sum;

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

    /// Whether probabilities are given that the record has some label of the space.
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
    let mut below: BTreeMap<CweId, Vec<u32>> = BTreeMap::new();
    let mut unusable = vec![];
    for (number, set) in (0u32..).zip(sets) {
        let allowed = kb.cwe_at(CweLevel::Allowed, set);
        if allowed.is_empty() {
            unusable.push(number);
        }
        for &ancestor in allowed.iter().flat_map(|&id| kb.ancestors(id)) {
            below.entry(ancestor).or_default().push(number);
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

/// How many times its own probability a refining set may get from sets that it refines: a guess that
/// the model hardly believes in must not become an answer.
const MOST_REFINED: f32 = 20.0;

/// The labels of a space and, for each CWE set of a model, its list of them.
#[derive(Debug, Clone)]
pub struct LabelSpace<L> {
    /// The labels in rising order; a label's index in here is what lists hold.
    pub labels: Vec<L>,
    outline: Outline,
}

/// The distinct label lists and which CWE set has which: a space without its ids.
#[derive(Debug, Clone)]
pub struct Outline {
    conditional: bool,
    label_count: usize,
    lists: Vec<Vec<u32>>,
    list_of_set: Vec<u32>,
    /// The list without a label, if some set has it.
    empty: Option<usize>,
    /// Sets whose probability goes to others first, with those.
    refined: Vec<(u32, Vec<u32>)>,
}

impl<L: Ord + Copy + Display> LabelSpace<L> {
    /// The space whose CWE sets have these labels.
    #[must_use]
    pub fn new(kind: SpaceKind, labels_of_sets: &[Vec<L>]) -> Self {
        let mut labels: Vec<L> = labels_of_sets.iter().flatten().copied().collect();
        labels.sort_unstable();
        labels.dedup();
        let mut number_of_list: BTreeMap<&[L], u32> = BTreeMap::new();
        let mut lists = vec![];
        let list_of_set = labels_of_sets.iter().map(|list| {
            *number_of_list.entry(list).or_insert_with(|| {
                lists.push(Self::indices(&labels, list));
                (lists.len() - 1) as u32
            })
        });
        let list_of_set = list_of_set.collect();
        let empty = lists.iter().position(Vec::is_empty);
        let outline = Outline {
            conditional: kind.is_conditional(),
            label_count: labels.len(),
            lists,
            list_of_set,
            empty,
            refined: vec![],
        };
        Self { labels, outline }
    }

    /// The space with the probability of some sets going to those that refine them.
    #[must_use]
    pub fn with_refinements(mut self, refinements: Vec<Vec<u32>>) -> Self {
        let numbered = (0..).zip(refinements);
        self.outline.refined = numbered.filter(|(_, by)| !by.is_empty()).collect();
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

    /// The space without its ids.
    #[must_use]
    pub fn outline(&self) -> &Outline {
        &self.outline
    }
}

impl LabelSpace<CweId> {
    /// The space of a CWE kind over these sets.
    #[must_use]
    pub fn cwe(kind: SpaceKind, kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Self {
        let space = Self::new(kind, &of_each(sets, |set| kind.cwe_labels(kb, set)));
        if kind == SpaceKind::RecommendedCwe { space.with_refinements(refinements(kb, sets)) } else { space }
    }
}

impl LabelSpace<CapecId> {
    /// The space of a CAPEC kind over these sets.
    #[must_use]
    pub fn capec(kind: SpaceKind, kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Self {
        Self::new(kind, &of_members(sets, |id| kind.capec_labels(kb, &[id])))
    }
}

impl LabelSpace<TechniqueId> {
    /// The space of an ATT&CK kind over these sets.
    #[must_use]
    pub fn attack(kind: SpaceKind, kb: &KnowledgeBase, sets: &[Vec<CweId>]) -> Self {
        Self::new(kind, &of_members(sets, |id| kind.attack_labels(kb, &[id])))
    }
}

fn of_each<L>(sets: &[Vec<CweId>], labels: impl Fn(&[CweId]) -> Vec<L>) -> Vec<Vec<L>> {
    sets.iter().map(|set| labels(set)).collect()
}

/// The labels of each set, where a set's are those of its ids together: the chain is followed once
/// for each id, of which there are far fewer than sets.
fn of_members<L: Ord + Copy>(sets: &[Vec<CweId>], labels: impl Fn(CweId) -> Vec<L>) -> Vec<Vec<L>> {
    let mut of_id: BTreeMap<CweId, Vec<L>> = BTreeMap::new();
    let mut of_set = |set: &Vec<CweId>| {
        let mut all = vec![];
        for &id in set {
            all.extend_from_slice(of_id.entry(id).or_insert_with(|| labels(id)));
        }
        if set.len() > 1 {
            all.sort_unstable();
            all.dedup();
        }
        all
    };
    sets.iter().map(&mut of_set).collect()
}

impl Outline {
    /// The label indices of a list, rising.
    #[must_use]
    pub fn list(&self, list: u32) -> &[u32] {
        self.lists.get(list as usize).map_or(&[], Vec::as_slice)
    }

    /// How many labels the space has.
    #[must_use]
    pub fn label_count(&self) -> usize {
        self.label_count
    }

    /// Adds the probabilities of the sets up to those of lists and labels.
    pub fn marginals<'a>(
        &'a self,
        set_probabilities: &[f32],
        buffer: &'a mut MarginalBuffer,
    ) -> Marginals<'a> {
        let MarginalBuffer { lists, labels } = buffer;
        lists.clear();
        lists.resize(self.lists.len(), 0.0);
        labels.clear();
        labels.resize(self.label_count, 0.0);
        for (&list, &probability) in self.list_of_set.iter().zip(set_probabilities) {
            lists[list as usize] += probability;
        }
        self.refine(set_probabilities, lists);
        let mut none = self.empty.map_or(0.0, |empty| lists[empty]);
        if self.conditional {
            if let Some(empty) = self.empty {
                lists[empty] = 0.0;
            }
            // Added up by itself: one minus the rest would be lost in rounding where little is left.
            let some = sum(lists);
            let scale = if some > 0.0 { 1.0 / some } else { 0.0 };
            lists.iter_mut().for_each(|probability| *probability *= scale);
            none = 0.0;
        }
        for (list, &probability) in self.lists.iter().zip(lists.iter()) {
            // Lists this improbable cannot change a figure that anybody is shown.
            if probability > 1e-8 {
                for &label in list {
                    labels[label as usize] += probability;
                }
            }
        }
        // Sums of many roundings may end a hair above one.
        labels.iter_mut().for_each(|probability| *probability = probability.min(1.0));
        Marginals { space: self, lists, labels, none: none.clamp(0.0, 1.0) }
    }
}

impl Outline {
    /// Moves the probability of refined sets to the lists of those that refine them, in proportion to
    /// what these have by themselves.
    fn refine(&self, set_probabilities: &[f32], lists: &mut [f32]) {
        for (set, by) in &self.refined {
            let probability = set_probabilities[*set as usize];
            // Most sets are this improbable for most texts.
            if probability < 1e-6 {
                continue;
            }
            let total: f32 = by.iter().map(|&t| set_probabilities[t as usize]).sum();
            if total <= 0.0 {
                continue;
            }
            let moved = probability.min(MOST_REFINED * total);
            lists[self.list_of_set[*set as usize] as usize] -= moved;
            for &t in by {
                lists[self.list_of_set[t as usize] as usize] += moved * set_probabilities[t as usize] / total;
            }
        }
        // Taking away what was added up in another order may leave a hair below zero.
        lists.iter_mut().for_each(|probability| *probability = probability.max(0.0));
    }
}

/// Buffers of [`Outline::marginals`].
#[derive(Debug, Clone, Default)]
pub struct MarginalBuffer {
    lists: Vec<f32>,
    labels: Vec<f32>,
}

/// Probabilities of the lists and the labels of a space for one text.
#[derive(Debug, Clone, Copy)]
pub struct Marginals<'a> {
    /// The space.
    pub space: &'a Outline,
    /// Probability of each list being the record's whole list.
    pub lists: &'a [f32],
    /// Probability of each label.
    pub labels: &'a [f32],
    /// Probability that no label applies; 0 in a conditional space.
    pub none: f32,
}

impl Marginals<'_> {
    /// The most probable list and its probability; of equals the first. In an unconditional space
    /// it may be the empty list, which means "none".
    #[must_use]
    pub fn best_list(&self) -> Option<(u32, f32)> {
        let mut best: Option<(u32, f32)> = None;
        for (list, &probability) in self.lists.iter().enumerate() {
            if best.is_none_or(|(_, most)| probability > most) {
                best = Some((list as u32, probability));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::DecisionRule;

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
        let m = space.outline().marginals(&[0.5, 0.125, 0.25, 0.125], &mut buffer);
        assert_eq!(m.labels, [0.5, 0.75]);
        assert_eq!(m.none, 0.25);
        assert_eq!(m.best_list().map(|(list, p)| (space.outline().list(list), p)), Some((&[0, 1][..], 0.5)));
    }

    #[test]
    fn a_conditional_space_leaves_the_empty_list_out() {
        let space = space(SpaceKind::ReferenceCwe);
        let mut buffer = MarginalBuffer::default();
        let m = space.outline().marginals(&[0.2, 0.1, 0.6, 0.1], &mut buffer);
        assert_eq!(m.none, 0.0);
        assert!((m.labels[0] - 0.5).abs() < 1e-6 && (m.labels[1] - 1.0).abs() < 1e-6);
        let nearly = space.outline().marginals(&[1e-7, 0.0, 1.0 - 1e-7, 0.0], &mut buffer);
        assert!((nearly.lists.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{nearly:?}");
        let sure = space.outline().marginals(&[0.0, 0.0, 1.0, 0.0], &mut buffer);
        assert!(sure.labels.iter().all(|&p| p == 0.0));
    }

    #[test]
    fn the_rule_answers_whole_lists_first_and_labels_else() {
        let space = space(SpaceKind::RecommendedCwe);
        let mut buffer = MarginalBuffer::default();
        let mut answered = vec![];
        let m = space.outline().marginals(&[0.45, 0.2, 0.15, 0.2], &mut buffer);
        DecisionRule { whole_list: 0.4, label: 0.5 }.answer(&m, &mut answered);
        assert_eq!(answered, [true, true]);
        DecisionRule { whole_list: 0.6, label: 0.5 }.answer(&m, &mut answered);
        assert_eq!(answered, [false, true]);
        let m = space.outline().marginals(&[0.1, 0.1, 0.7, 0.1], &mut buffer);
        DecisionRule { whole_list: 0.4, label: 0.05 }.answer(&m, &mut answered);
        assert_eq!(answered, [false, false], "none is an answer, too");
    }

    #[test]
    fn what_is_not_allowed_goes_to_its_refinements_within_bounds() {
        let sets = [ids(&[119]), ids(&[787]), ids(&[125]), ids(&[79])];
        let labels = [vec![], ids(&[787]), ids(&[125]), ids(&[79])];
        let space = LabelSpace::new(SpaceKind::RecommendedCwe, &labels).with_refinements(vec![
            vec![1, 2],
            vec![],
            vec![],
            vec![],
        ]);
        assert_eq!(space.labels, ids(&[79, 125, 787]), "for {sets:?}");
        let mut buffer = MarginalBuffer::default();
        let m = space.outline().marginals(&[0.5, 0.3, 0.1, 0.1], &mut buffer);
        for (got, expected) in m.labels.iter().zip([0.1, 0.225, 0.675]) {
            assert!((got - expected).abs() < 1e-6, "{:?}", m.labels);
        }
        assert!(m.none < 1e-6);
        let m = space.outline().marginals(&[0.9, 0.001, 0.0, 0.099], &mut buffer);
        assert!((m.labels[2] - 0.021).abs() < 1e-6 && (m.none - 0.88).abs() < 1e-6, "{m:?}");
    }

    #[test]
    fn a_set_reaches_what_its_ids_reach() {
        let kb = KnowledgeBase::from_bytes(include_bytes!("../../../assets/kb.bin")).unwrap();
        let sets = [ids(&[79, 89]), ids(&[79]), ids(&[119, 264, 352])];
        for kind in SpaceKind::ALL {
            let expected: Vec<_> = sets.iter().map(|set| kind.attack_labels(&kb, set)).collect();
            assert_eq!(of_members(&sets, |id| kind.attack_labels(&kb, &[id])), expected, "{kind:?}");
            let expected: Vec<_> = sets.iter().map(|set| kind.capec_labels(&kb, set)).collect();
            assert_eq!(of_members(&sets, |id| kind.capec_labels(&kb, &[id])), expected, "{kind:?}");
        }
    }

    #[test]
    fn only_sets_without_an_allowed_id_are_refined() {
        let kb = KnowledgeBase::from_bytes(include_bytes!("../../../assets/kb.bin")).unwrap();
        let sets = [ids(&[119]), ids(&[787]), ids(&[79]), ids(&[119, 79]), ids(&[264])];
        let by = refinements(&kb, &sets);
        assert_eq!(by, [vec![1], vec![], vec![], vec![], vec![]]);
    }

    #[test]
    fn labels_outside_the_space_are_counted() {
        assert_eq!(space(SpaceKind::ReferenceCwe).locate(&ids(&[2, 3])), (vec![1], 1));
    }
}
