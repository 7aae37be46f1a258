//! Another release of ATT&CK, and the ids that stand there for those of a knowledge base.

use std::collections::BTreeMap;

use crate::attack::AttackCatalog;
use crate::builder::{merge, objects};
use crate::compiled;
use crate::entries::{Tactic, Technique};
use crate::graph::TooTangled;
use crate::ids::TechniqueId;
use crate::kb::{KnowledgeBase, last_of};
use crate::stix_object::StixObject;

/// The techniques and tactics of a release of ATT&CK, older or newer than those of a knowledge base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttackRelease {
    version: String,
    techniques: BTreeMap<TechniqueId, Technique>,
    tactics: Vec<Tactic>,
    objects: BTreeMap<TechniqueId, StixObject>,
}

/// The id that stands in another release for one of a knowledge base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counterpart {
    /// The same.
    Same,
    /// One or more others: its successor there or, in an older release, the ids that were since revoked for it.
    Others(Vec<TechniqueId>),
    /// None that is in force there.
    None,
}

/// The counterparts of all ids of a knowledge base in another release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterparts(BTreeMap<TechniqueId, Counterpart>);

impl AttackRelease {
    /// The release of these bundles, an object that several hold being taken from the first; `version` names it where
    /// they do not.
    #[must_use]
    pub fn new(bundles: Vec<AttackCatalog>, version: &str) -> Self {
        let named = bundles.iter().find_map(|catalog| catalog.version.clone());
        let objects = objects(&bundles);
        let (techniques, tactics) = merge(bundles);
        let techniques = techniques.into_iter().map(|technique| (technique.id, technique)).collect();
        Self { version: named.unwrap_or_else(|| version.to_owned()), techniques, tactics, objects }
    }

    /// The release that a knowledge base was made of.
    #[must_use]
    pub fn of(kb: &KnowledgeBase) -> Self {
        Self {
            version: kb.versions().attack.clone(),
            techniques: kb.techniques().map(|technique| (technique.id, technique.clone())).collect(),
            tactics: kb.tactics().cloned().collect(),
            objects: kb.tables.stix.techniques.iter().copied().collect(),
        }
    }

    /// The name of the release, like `18.1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The counterparts of the ids of `kb` and of this release.
    ///
    /// Both releases' `revoked-by` relations are followed. An id that was revoked here has its successor, which may
    /// have been revoked, too. One that is not known here has the ids that `kb` says it has replaced, as far as they
    /// are in force here; or the counterpart of what has replaced it.
    #[must_use]
    pub fn counterparts(&self, kb: &KnowledgeBase) -> Counterparts {
        let mut replaced: BTreeMap<TechniqueId, Vec<TechniqueId>> = BTreeMap::new();
        for technique in kb.techniques() {
            let today = kb.current(technique.id);
            if today != technique.id && self.is_in_force(technique.id) {
                replaced.entry(today).or_default().push(technique.id);
            }
        }
        let of = |id: TechniqueId| match self.techniques.contains_key(&id) {
            true => self.counterpart_of_known(id, kb),
            false => match replaced.get(&id) {
                Some(older) => Counterpart::Others(older.clone()),
                None => Counterpart::None,
            },
        };
        let through_successor = |id: TechniqueId| match (of(id), kb.current(id)) {
            (Counterpart::None, today) if today != id => match of(today) {
                Counterpart::Same => Counterpart::Others(vec![today]),
                other => other,
            },
            (found, _) => found,
        };
        let ids = kb.techniques().map(|technique| technique.id).chain(self.techniques.keys().copied());
        Counterparts(ids.map(|id| (id, through_successor(id))).collect())
    }

    /// The counterpart of an id that this release has.
    fn counterpart_of_known(&self, id: TechniqueId, kb: &KnowledgeBase) -> Counterpart {
        let successor = last_of(id, |id| self.techniques.get(&id).and_then(|technique| technique.revoked_by));
        if self.is_in_force(id) {
            Counterpart::Same
        } else if successor != id && self.is_in_force(successor) {
            Counterpart::Others(vec![successor])
        } else if kb.technique(id).is_some_and(is_in_force) {
            Counterpart::None
        } else {
            // Withdrawn in both.
            Counterpart::Same
        }
    }

    fn is_in_force(&self, id: TechniqueId) -> bool {
        self.techniques.get(&id).is_some_and(is_in_force)
    }
}

fn is_in_force(technique: &Technique) -> bool {
    !technique.revoked && !technique.deprecated && technique.revoked_by.is_none()
}

impl Counterparts {
    /// The counterpart of an id; none of one that neither release knows.
    #[must_use]
    pub fn of(&self, id: TechniqueId) -> &Counterpart {
        self.0.get(&id).unwrap_or(&Counterpart::None)
    }
}

impl KnowledgeBase {
    /// The knowledge base with the names, tactics and relations of another release of ATT&CK; techniques and tactics
    /// that are in this one alone are kept. The chain stays what it is, as CAPEC's links do.
    ///
    /// # Errors
    /// None that a knowledge base can cause: its hierarchy stays the same.
    pub fn with_attack(&self, release: &AttackRelease) -> Result<Self, TooTangled> {
        let mut tables = self.tables.clone();
        let mut objects = release.objects.clone();
        tables.stix.techniques.iter().for_each(|(id, object)| {
            objects.entry(*id).or_insert(*object);
        });
        tables.stix.techniques = objects.into_iter().collect();
        let own = AttackCatalog {
            techniques: tables.techniques,
            tactics: tables.tactics,
            ..AttackCatalog::default()
        };
        let theirs = AttackCatalog {
            techniques: release.techniques.values().cloned().collect(),
            tactics: release.tactics.clone(),
            ..AttackCatalog::default()
        };
        (tables.techniques, tables.tactics) = merge(vec![theirs, own]);
        tables.versions.attack = release.version.clone();
        tables.versions.attack_date = None;
        let (supplement, descriptions) = (self.supplement.clone(), self.descriptions.clone());
        let content =
            compiled::content(&compiled::payload(&tables), supplement.bytes(), descriptions.bytes());
        Self::link(tables, supplement, descriptions, compiled::checksum(&content))
    }
}
