//! The labels of a system in a label space, whatever taxonomy they are of.

use std::collections::BTreeSet;

use vulnlens_model::LabelMap;
use vulnlens_model::decode::{LabelLists, LabelSpace, SpaceKind};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

/// The labels of a record in a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gold {
    /// Indices of the labels that the space has, rising.
    pub(crate) known: Vec<u32>,
    /// The number of labels outside the label space: no training text has them.
    pub(crate) unknown: usize,
}

/// A label space of one taxonomy.
#[derive(Debug)]
pub(crate) struct TaskLabels {
    pub(crate) kind: SpaceKind,
    space: Space,
}

#[derive(Debug)]
enum Space {
    Cwe(LabelSpace<CweId>),
    Capec(LabelSpace<CapecId>),
    Attack(LabelSpace<TechniqueId>),
}

/// The labels of each set, and a list of those that are answered.
fn lists<L: Ord>(of_sets: impl Iterator<Item = Vec<L>>, answered: impl Iterator<Item = L>) -> Vec<Vec<L>> {
    let answered: BTreeSet<L> = answered.collect();
    of_sets.chain([answered.into_iter().collect()]).collect()
}

impl TaskLabels {
    pub(crate) fn new(kind: SpaceKind, sets: &[Vec<CweId>], kb: &KnowledgeBase) -> Self {
        use SpaceKind::{RecommendedAttack, RecommendedCapec, ReferenceAttack, ReferenceCapec};
        let space = match kind {
            ReferenceCapec | RecommendedCapec => Space::Capec(LabelSpace::capec(kind, kb, sets)),
            ReferenceAttack | RecommendedAttack => Space::Attack(LabelSpace::attack(kind, kb, sets)),
            _ => Space::Cwe(LabelSpace::cwe(kind, kb, sets)),
        };
        Self { kind, space }
    }

    pub(crate) fn lists(&self) -> &LabelLists {
        match &self.space {
            Space::Cwe(space) => space.lists(),
            Space::Capec(space) => space.lists(),
            Space::Attack(space) => space.lists(),
        }
    }

    /// The labels that a system has of a kind, by themselves or by the chain; `None` if it has none.
    pub(crate) fn of_labels(kind: SpaceKind, map: &LabelMap, kb: &KnowledgeBase) -> Option<Self> {
        let space = match kind {
            SpaceKind::ReferenceCapec => Space::Capec(LabelSpace::new(kind, &[map.capec_answered(kb)])),
            SpaceKind::ReferenceAttack => Space::Attack(LabelSpace::new(kind, &[map.attack_answered(kb)])),
            SpaceKind::ReferenceWeaknesses => {
                let weaknesses = map.cwe().filter(|&id| kb.is_weakness(id)).collect();
                Space::Cwe(LabelSpace::new(kind, &[weaknesses]))
            }
            _ => Space::Cwe(LabelSpace::new(kind, &[map.cwe().collect()])),
        };
        let task = Self { kind, space };
        (task.lists().label_count() > 0).then_some(task)
    }

    /// The labels of CWE that some sets have, and those that are answered.
    pub(crate) fn of_cwe(
        kind: SpaceKind,
        of_sets: impl Iterator<Item = Vec<CweId>>,
        answered: impl Iterator<Item = CweId>,
    ) -> Self {
        Self { kind, space: Space::Cwe(LabelSpace::new(kind, &lists(of_sets, answered))) }
    }

    /// The patterns that some sets have, and those that are answered.
    pub(crate) fn of_capec(
        of_sets: impl Iterator<Item = Vec<CapecId>>,
        answered: impl Iterator<Item = CapecId>,
    ) -> Self {
        let kind = SpaceKind::ReferenceCapec;
        Self { kind, space: Space::Capec(LabelSpace::new(kind, &lists(of_sets, answered))) }
    }

    /// The techniques that some sets have, and those that are answered.
    pub(crate) fn of_attack(
        of_sets: impl Iterator<Item = Vec<TechniqueId>>,
        answered: impl Iterator<Item = TechniqueId>,
    ) -> Self {
        let kind = SpaceKind::ReferenceAttack;
        Self { kind, space: Space::Attack(LabelSpace::new(kind, &lists(of_sets, answered))) }
    }

    /// The place of a weakness among the labels.
    pub(crate) fn place_of_cwe(&self, id: CweId) -> Option<usize> {
        if let Space::Cwe(space) = &self.space { space.labels.binary_search(&id).ok() } else { None }
    }

    /// The place of a pattern among the labels.
    pub(crate) fn place_of_capec(&self, id: CapecId) -> Option<usize> {
        if let Space::Capec(space) = &self.space { space.labels.binary_search(&id).ok() } else { None }
    }

    /// The place of a technique among the labels.
    pub(crate) fn place_of_technique(&self, id: TechniqueId) -> Option<usize> {
        if let Space::Attack(space) = &self.space { space.labels.binary_search(&id).ok() } else { None }
    }

    /// The labels of a record with these CWE ids.
    pub(crate) fn gold(&self, kb: &KnowledgeBase, cwes: &[CweId]) -> Gold {
        let (known, unknown) = match &self.space {
            Space::Cwe(space) => space.locate(&self.kind.cwe_labels(kb, cwes)),
            Space::Capec(space) => space.locate(&self.kind.capec_labels(kb, cwes)),
            Space::Attack(space) => space.locate(&self.kind.attack_labels(kb, cwes)),
        };
        Gold { known, unknown }
    }

    /// The weakness that a label is.
    pub(crate) fn cwe(&self, index: usize) -> Option<CweId> {
        match &self.space {
            Space::Cwe(space) => space.labels.get(index).copied(),
            Space::Capec(_) | Space::Attack(_) => None,
        }
    }

    /// The id of a label, as it is written.
    pub(crate) fn label(&self, index: usize) -> Option<String> {
        match &self.space {
            Space::Cwe(space) => space.labels.get(index).map(ToString::to_string),
            Space::Capec(space) => space.labels.get(index).map(ToString::to_string),
            Space::Attack(space) => space.labels.get(index).map(ToString::to_string),
        }
    }
}
