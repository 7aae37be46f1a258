//! Changes from one knowledge base to another.

use std::collections::{BTreeMap, BTreeSet};

use crate::defences::D3fend;
use crate::entries::{Atlas, Grouping, Relation, Technique, Weakness};
use crate::ids::{
    AtlasMitigationId, AtlasTacticId, AtlasTechniqueId, CapecId, CountermeasureId, CweId, TacticId,
    TechniqueId,
};
use crate::kb::KnowledgeBase;
use crate::terms::Usage;

/// Everything that differs between two knowledge bases; every list is in id order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KbDiff {
    /// Weaknesses that came, went or were renamed.
    pub weaknesses: EntryChanges<CweId>,
    /// Categories and views that came, went or were renamed.
    pub groupings: EntryChanges<CweId>,
    /// Categories and views, in both, with another kind, status, mapping usage or other members.
    pub regrouped: Vec<CweId>,
    /// Weaknesses whose mapping usage changed.
    pub usage: Vec<UsageChange>,
    /// Weaknesses whose relations or attack patterns changed.
    pub relations: Vec<WeaknessRelationChange>,
    /// Attack patterns that came, went or were renamed.
    pub patterns: EntryChanges<CapecId>,
    /// Attack patterns that correspond to other techniques.
    pub pattern_techniques: Vec<TechniqueChange<CapecId>>,
    /// Techniques that came, went or were renamed.
    pub techniques: EntryChanges<TechniqueId>,
    /// Techniques revoked since, with what replaces them.
    pub revoked: Vec<(TechniqueId, Option<TechniqueId>)>,
    /// Techniques deprecated since.
    pub deprecated: Vec<TechniqueId>,
    /// Techniques, in both, that belong to another technique or serve other tactics.
    pub moved: Vec<Move>,
    /// Tactics that came, went or were renamed.
    pub tactics: EntryChanges<TacticId>,
    /// Weaknesses, categories and views with other mapping notes.
    pub mapping_notes: Vec<CweId>,
    /// Weaknesses from which the chain reaches other techniques.
    pub chain: Vec<TechniqueChange<CweId>>,
    /// Techniques of ATLAS that came, went or were renamed.
    pub atlas_techniques: EntryChanges<AtlasTechniqueId>,
    /// Techniques of ATLAS, in both, that serve other tactics, belong to or correspond to another technique.
    pub atlas_moved: Vec<AtlasTechniqueId>,
    /// Tactics of ATLAS that came, went or were renamed.
    pub atlas_tactics: EntryChanges<AtlasTacticId>,
    /// Mitigations of ATLAS that came, went or were renamed.
    pub atlas_mitigations: EntryChanges<AtlasMitigationId>,
    /// Mitigations of ATLAS, in both, of other techniques.
    pub atlas_remapped: Vec<AtlasMitigationId>,
    /// Countermeasures of D3FEND that came, went or were renamed.
    pub countermeasures: EntryChanges<CountermeasureId>,
    /// Countermeasures, in both, that serve another tactic or are against other techniques or weaknesses.
    pub countered: Vec<CountermeasureId>,
}

/// A technique, in both releases, at another place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The technique.
    pub id: TechniqueId,
    /// The techniques that it belonged to before and belongs to now, where they differ.
    pub parent: Option<(Option<TechniqueId>, Option<TechniqueId>)>,
    /// Tactics that it serves in the new release only.
    pub added: Vec<TacticId>,
    /// Tactics that it served in the old one only.
    pub removed: Vec<TacticId>,
}

/// The comings, goings and renamings in one catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryChanges<Id> {
    /// In the new one only.
    pub added: Vec<Id>,
    /// In the old one only.
    pub removed: Vec<Id>,
    /// In both, by different names.
    pub renamed: Vec<Rename<Id>>,
}

/// An entry with a new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename<Id> {
    /// The entry.
    pub id: Id,
    /// Its old name.
    pub from: String,
    /// Its new name.
    pub to: String,
}

/// A weakness with a new mapping usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageChange {
    /// The weakness.
    pub id: CweId,
    /// Its old usage.
    pub from: Usage,
    /// Its new usage.
    pub to: Usage,
}

/// A weakness, in both catalogues, with other relations or attack patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeaknessRelationChange {
    /// The weakness.
    pub id: CweId,
    /// Relations that came.
    pub added: Vec<Relation>,
    /// Relations that went.
    pub removed: Vec<Relation>,
    /// Related attack patterns that came.
    pub capecs_added: Vec<CapecId>,
    /// Related attack patterns that went.
    pub capecs_removed: Vec<CapecId>,
}

/// An entry that leads to other techniques.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TechniqueChange<Id> {
    /// The entry.
    pub id: Id,
    /// Techniques it leads to in the new knowledge base only.
    pub added: Vec<TechniqueId>,
    /// Techniques it led to in the old one only.
    pub removed: Vec<TechniqueId>,
}

impl<Id> Default for EntryChanges<Id> {
    fn default() -> Self {
        Self { added: Vec::new(), removed: Vec::new(), renamed: Vec::new() }
    }
}

impl<Id> EntryChanges<Id> {
    /// True when nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.renamed.is_empty()
    }
}

impl KbDiff {
    /// True when nothing changed (the versions may still differ).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The changes from `old` to `new`.
#[must_use]
pub fn diff(old: &KnowledgeBase, new: &KnowledgeBase) -> KbDiff {
    let both: Vec<(&Weakness, &Weakness)> =
        old.weaknesses().filter_map(|before| Some((before, new.weakness(before.id)?))).collect();
    let (no_atlas, no_d3fend) = (Atlas::default(), D3fend::default());
    let atlas = [old, new].map(|kb| kb.atlas().unwrap_or(&no_atlas));
    let d3fend = [old, new].map(|kb| kb.d3fend().unwrap_or(&no_d3fend));
    KbDiff {
        weaknesses: entry_changes(
            old.weaknesses().map(|w| (w.id, w.name.as_str())),
            new.weaknesses().map(|w| (w.id, w.name.as_str())),
        ),
        groupings: entry_changes(
            old.groupings().map(|g| (g.id, g.name.as_str())),
            new.groupings().map(|g| (g.id, g.name.as_str())),
        ),
        regrouped: regrouped(old, new),
        usage: both.iter().filter_map(|(before, after)| usage_change(before, after)).collect(),
        relations: both.iter().filter_map(|(before, after)| relation_change(before, after)).collect(),
        patterns: entry_changes(
            old.patterns().map(|p| (p.id, p.name.as_str())),
            new.patterns().map(|p| (p.id, p.name.as_str())),
        ),
        pattern_techniques: pattern_changes(old, new),
        techniques: entry_changes(
            old.techniques().map(|t| (t.id, t.name.as_str())),
            new.techniques().map(|t| (t.id, t.name.as_str())),
        ),
        revoked: newly(old, new, |t| t.revoked).map(|t| (t.id, t.revoked_by)).collect(),
        deprecated: newly(old, new, |t| t.deprecated).map(|t| t.id).collect(),
        moved: moved(old, new),
        tactics: entry_changes(
            old.tactics().map(|t| (t.id, t.name.as_str())),
            new.tactics().map(|t| (t.id, t.name.as_str())),
        ),
        mapping_notes: renoted(old, new),
        chain: chain_changes(old, new),
        atlas_techniques: changes(atlas, |atlas| atlas.techniques.iter().map(|t| (t.id, &*t.name)).collect()),
        atlas_moved: atlas_moved(atlas),
        atlas_tactics: changes(atlas, |atlas| atlas.tactics.iter().map(|t| (t.id, &*t.name)).collect()),
        atlas_mitigations: changes(atlas, |atlas| {
            atlas.mitigations.iter().map(|m| (m.id, &*m.name)).collect()
        }),
        atlas_remapped: atlas_remapped(atlas),
        countermeasures: changes(d3fend, |d3fend| {
            d3fend.countermeasures.iter().map(|of| (of.id, &*of.name)).collect()
        }),
        countered: countered(d3fend),
    }
}

/// The comings, goings and renamings in lists of `old` and `new`.
fn changes<'a, T, Id: Ord + Copy>(
    [old, new]: [&'a T; 2],
    names: fn(&'a T) -> Vec<(Id, &'a str)>,
) -> EntryChanges<Id> {
    entry_changes(names(old).into_iter(), names(new).into_iter())
}

fn atlas_moved([old, new]: [&Atlas; 2]) -> Vec<AtlasTechniqueId> {
    let both = new.techniques.iter().filter_map(|after| Some((old.technique(after.id)?, after)));
    let is_moved = both.filter(|(before, after)| {
        (&before.tactics, before.parent, before.attack) != (&after.tactics, after.parent, after.attack)
    });
    is_moved.map(|(_, after)| after.id).collect()
}

fn atlas_remapped([old, new]: [&Atlas; 2]) -> Vec<AtlasMitigationId> {
    let both = new.mitigations.iter().filter_map(|after| Some((old.mitigation(after.id)?, after)));
    both.filter(|(before, after)| before.techniques != after.techniques).map(|(_, after)| after.id).collect()
}

fn countered([old, new]: [&D3fend; 2]) -> Vec<CountermeasureId> {
    if old == new {
        return vec![];
    }
    let both = new.countermeasures.iter().filter_map(|after| Some((old.countermeasure(after.id)?, after)));
    let differs = both.filter(|(before, after)| {
        before.tactic != after.tactic || old.threats(after.id) != new.threats(after.id)
    });
    differs.map(|(_, after)| after.id).collect()
}

/// The categories and views, in both, that differ in anything but the name.
fn regrouped(old: &KnowledgeBase, new: &KnowledgeBase) -> Vec<CweId> {
    let facts = |g: &Grouping| (g.kind, g.status, g.usage, g.members.clone());
    let both = old.groupings().filter_map(|before| Some((before, new.grouping(before.id)?)));
    both.filter(|(before, after)| facts(before) != facts(after)).map(|(_, after)| after.id).collect()
}

/// The techniques, in both, that belong to another technique or serve other tactics.
fn moved(old: &KnowledgeBase, new: &KnowledgeBase) -> Vec<Move> {
    let both = old.techniques().filter_map(|before| Some((before, new.technique(before.id)?)));
    let moves = both.map(|(before, after)| Move {
        id: after.id,
        parent: (before.parent != after.parent).then_some((before.parent, after.parent)),
        added: missing_from(&before.tactics, &after.tactics),
        removed: missing_from(&after.tactics, &before.tactics),
    });
    moves.filter(|of| of.parent.is_some() || !of.added.is_empty() || !of.removed.is_empty()).collect()
}

/// The entries, in both, whose mapping notes differ.
fn renoted(old: &KnowledgeBase, new: &KnowledgeBase) -> Vec<CweId> {
    let ids = old.weaknesses().map(|w| w.id).chain(old.groupings().map(|g| g.id));
    let both: BTreeSet<CweId> = ids.filter(|id| new.usage_of_cwe(*id).is_some()).collect();
    both.into_iter().filter(|id| old.mapping_notes(*id) != new.mapping_notes(*id)).collect()
}

/// Compares two lists of ids and names.
fn entry_changes<'a, Id: Ord + Copy>(
    old: impl Iterator<Item = (Id, &'a str)>,
    new: impl Iterator<Item = (Id, &'a str)>,
) -> EntryChanges<Id> {
    let old: BTreeMap<Id, &str> = old.collect();
    let new: BTreeMap<Id, &str> = new.collect();
    let renamed = old.iter().filter_map(|(&id, &from)| {
        let to = *new.get(&id)?;
        (from != to).then(|| Rename { id, from: from.to_owned(), to: to.to_owned() })
    });
    EntryChanges {
        added: new.keys().filter(|id| !old.contains_key(id)).copied().collect(),
        removed: old.keys().filter(|id| !new.contains_key(id)).copied().collect(),
        renamed: renamed.collect(),
    }
}

fn usage_change(before: &Weakness, after: &Weakness) -> Option<UsageChange> {
    let change = UsageChange { id: after.id, from: before.usage, to: after.usage };
    (change.from != change.to).then_some(change)
}

fn relation_change(before: &Weakness, after: &Weakness) -> Option<WeaknessRelationChange> {
    let unchanged = before.relations == after.relations && before.capecs == after.capecs;
    (!unchanged).then(|| WeaknessRelationChange {
        id: after.id,
        added: missing_from(&before.relations, &after.relations),
        removed: missing_from(&after.relations, &before.relations),
        capecs_added: missing_from(&before.capecs, &after.capecs),
        capecs_removed: missing_from(&after.capecs, &before.capecs),
    })
}

/// The new techniques with a property that their old selves, if any, lack.
fn newly<'a>(
    old: &'a KnowledgeBase,
    new: &'a KnowledgeBase,
    property: fn(&Technique) -> bool,
) -> impl Iterator<Item = &'a Technique> {
    new.techniques().filter(move |after| property(after) && !old.technique(after.id).is_some_and(property))
}

/// The patterns, in both, whose techniques changed.
fn pattern_changes(old: &KnowledgeBase, new: &KnowledgeBase) -> Vec<TechniqueChange<CapecId>> {
    let both = old.patterns().filter_map(|before| Some((before, new.pattern(before.id)?)));
    both.filter_map(|(before, after)| technique_change(after.id, &before.techniques, &after.techniques))
        .collect()
}

fn chain_changes(old: &KnowledgeBase, new: &KnowledgeBase) -> Vec<TechniqueChange<CweId>> {
    let ids: BTreeSet<CweId> = old.weaknesses().chain(new.weaknesses()).map(|weakness| weakness.id).collect();
    let techniques = |kb: &KnowledgeBase, id| kb.chain(&[id]).techniques;
    ids.into_iter()
        .filter_map(|id| technique_change(id, &techniques(old, id), &techniques(new, id)))
        .collect()
}

fn technique_change<Id>(
    id: Id,
    before: &[TechniqueId],
    after: &[TechniqueId],
) -> Option<TechniqueChange<Id>> {
    let change =
        TechniqueChange { id, added: missing_from(before, after), removed: missing_from(after, before) };
    (before != after).then_some(change)
}

/// What of `these` does not stand in `others`, in its order.
fn missing_from<T: Ord + Copy>(others: &[T], these: &[T]) -> Vec<T> {
    let others: BTreeSet<T> = others.iter().copied().collect();
    these.iter().copied().filter(|this| !others.contains(this)).collect()
}
