//! Levels of detail: which CWE ids, and which ATT&CK entries, stand for the same facts.

use std::collections::BTreeSet;
use std::fmt;

use crate::chain::sorted;
use crate::ids::{CweId, TacticId, TechniqueId};
use crate::kb::KnowledgeBase;
use crate::terms::Abstraction;

/// The CWE ids that represent a record's weaknesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CweLevel {
    /// Those that were assigned.
    Assigned,
    /// Those, and all their ancestors in view 1000.
    WithAncestors,
    /// For each, the nearest of itself and its ancestors that NVD's simplified view 1003 holds (all
    /// of the nearest, where several are equally near); nothing where the view holds none.
    View1003,
    /// Those to which CWE lets vulnerabilities be mapped; categories and unknown ids are none.
    Allowed,
}

/// The entries of ATT&CK that represent a record's techniques.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttackLevel {
    /// Tactics.
    Tactic,
    /// Techniques: a sub-technique stands as its parent.
    Technique,
    /// Sub-techniques where they are given, else techniques.
    SubTechnique,
}

/// An entry of ATT&CK at some level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttackLabel {
    /// A tactic.
    Tactic(TacticId),
    /// A technique or sub-technique.
    Technique(TechniqueId),
}

impl fmt::Display for AttackLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tactic(id) => id.fmt(f),
            Self::Technique(id) => id.fmt(f),
        }
    }
}

impl AttackLevel {
    /// All levels, the most detailed first.
    pub const ALL: [Self; 3] = [Self::SubTechnique, Self::Technique, Self::Tactic];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tactic => "tactic",
            Self::Technique => "technique",
            Self::SubTechnique => "subtechnique",
        }
    }

    /// The level in one line, for people.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Tactic => "Tactics, as TA0001: each stands for its techniques",
            Self::Technique => "Techniques: a sub-technique stands as its technique",
            Self::SubTechnique => "Sub-techniques where the model answers them, otherwise techniques",
        }
    }
}

impl KnowledgeBase {
    /// The ids that stand for `assigned` at `level`, sorted and without duplicates.
    #[must_use]
    pub fn cwe_at(&self, level: CweLevel, assigned: &[CweId]) -> Vec<CweId> {
        let given = assigned.iter().copied();
        sorted(match level {
            CweLevel::Assigned => given.collect(),
            CweLevel::WithAncestors => {
                given.flat_map(|id| self.ancestors(id).iter().copied().chain([id])).collect()
            }
            CweLevel::View1003 => given.flat_map(|id| self.nearest_in_view_1003(id)).collect(),
            CweLevel::Allowed => given.filter(|&id| self.permits_mapping(id)).collect(),
        })
    }

    /// True when the weakness belongs to NVD's simplified view.
    #[must_use]
    pub fn is_in_view_1003(&self, id: CweId) -> bool {
        self.tables.view_1003.binary_search(&id).is_ok()
    }

    /// True when CWE lets vulnerabilities be mapped to `id`.
    #[must_use]
    pub fn permits_mapping(&self, id: CweId) -> bool {
        self.weakness(id).is_some_and(|weakness| weakness.usage.permits_mapping())
    }

    /// The classes that a weakness belongs to: the nearest of itself and its ancestors that are of the abstraction
    /// `Class`, all of the nearest where several are equally near; none for a pillar and for an id that is not a
    /// weakness.
    #[must_use]
    pub fn classes_of(&self, id: CweId) -> Vec<CweId> {
        let is_class =
            |id| self.weakness(id).is_some_and(|weakness| weakness.abstraction == Abstraction::Class);
        self.nearest(id, is_class).into_iter().collect()
    }

    fn nearest_in_view_1003(&self, id: CweId) -> BTreeSet<CweId> {
        self.nearest(id, |id| self.is_in_view_1003(id))
    }

    /// The nearest of a weakness and its ancestors that are `wanted`.
    fn nearest(&self, id: CweId, wanted: impl Fn(CweId) -> bool) -> BTreeSet<CweId> {
        let mut seen = BTreeSet::from([id]);
        let mut front = BTreeSet::from([id]);
        while !front.is_empty() {
            let found: BTreeSet<CweId> = front.iter().copied().filter(|&id| wanted(id)).collect();
            if !found.is_empty() {
                return found;
            }
            let above = front.iter().flat_map(|&id| self.parents(id)).copied();
            front = above.filter(|&parent| seen.insert(parent)).collect();
        }
        front
    }

    /// The entries that stand for `techniques` at `level`, sorted and without duplicates.
    #[must_use]
    pub fn attack_at(&self, level: AttackLevel, techniques: &[TechniqueId]) -> Vec<AttackLabel> {
        let labels: BTreeSet<AttackLabel> = match level {
            AttackLevel::Tactic => {
                self.lift_to_tactics(techniques).into_iter().map(AttackLabel::Tactic).collect()
            }
            AttackLevel::Technique => {
                self.lift_to_techniques(techniques).into_iter().map(AttackLabel::Technique).collect()
            }
            AttackLevel::SubTechnique => techniques.iter().copied().map(AttackLabel::Technique).collect(),
        };
        labels.into_iter().collect()
    }

    /// The techniques that `techniques` are or belong to, sorted and without duplicates.
    #[must_use]
    pub fn lift_to_techniques(&self, techniques: &[TechniqueId]) -> Vec<TechniqueId> {
        let lifted: BTreeSet<TechniqueId> = techniques.iter().map(|&id| self.parent_technique(id)).collect();
        lifted.into_iter().collect()
    }

    /// The tactics that `techniques` serve, sorted and without duplicates.
    #[must_use]
    pub fn lift_to_tactics(&self, techniques: &[TechniqueId]) -> Vec<TacticId> {
        let lifted: BTreeSet<TacticId> =
            techniques.iter().flat_map(|&id| self.tactics_of(id)).copied().collect();
        lifted.into_iter().collect()
    }

    /// The tactics that a technique serves, sorted; for a withdrawn one that has none, those of its
    /// replacement.
    #[must_use]
    pub fn tactics_of(&self, id: TechniqueId) -> &[TacticId] {
        let own = |id| self.technique(id).map_or(&[][..], |technique| &technique.tactics);
        match own(id) {
            [] => own(self.current(id)),
            tactics => tactics,
        }
    }

    /// The technique that a sub-technique belongs to, by the catalogue or else by its id; a
    /// technique is its own.
    #[must_use]
    pub fn parent_technique(&self, id: TechniqueId) -> TechniqueId {
        self.technique(id).and_then(|technique| technique.parent).unwrap_or_else(|| id.parent())
    }
}
