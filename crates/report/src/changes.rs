//! The difference of two knowledge bases, as text and JSON.

use serde::Serialize;
use vulnlens_taxonomy::{
    AtlasTechniqueId, CweId, EntryChanges, KbDiff, KnowledgeBase, Move, Relation, Rename, TechniqueChange,
    TechniqueId, Versions, WeaknessRelationChange,
};

use crate::entry::EntryId;
use crate::label::Label;
use crate::layout::{ASIDE, HEADING};

/// One kind of change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The kind's name: `weaknesses added`, `chain`, …
    pub kind: &'static str,
    /// The changes of the kind, in id order.
    pub items: Vec<String>,
}

/// The difference of two knowledge bases, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The releases before.
    pub from: Versions,
    /// The releases after.
    pub to: Versions,
    /// The changes; kinds without any are left out.
    pub changes: Vec<Change>,
}

impl Changes {
    /// Puts `diff`, the difference from `old` to `new`, into words.
    #[must_use]
    pub fn new(diff: &KbDiff, old: &KnowledgeBase, new: &KnowledgeBase) -> Self {
        let mut changes = Vec::new();
        entries(
            ["weaknesses added", "weaknesses removed", "weaknesses renamed"],
            &diff.weaknesses,
            old,
            new,
            &mut changes,
        );
        entries(
            ["categories and views added", "categories and views removed", "categories and views renamed"],
            &diff.groupings,
            old,
            new,
            &mut changes,
        );
        let named = |id: &CweId| format!("{id} {}", id.name(new));
        let regrouped = diff.regrouped.iter().map(named).collect();
        changes.push(Change { kind: "categories and views with other members or status", items: regrouped });
        let usage = |u: &vulnlens_taxonomy::UsageChange| format!("{}: {} became {}", u.id, u.from, u.to);
        changes.push(Change { kind: "mapping usage", items: diff.usage.iter().map(usage).collect() });
        changes.push(Change { kind: "relations", items: diff.relations.iter().map(relations).collect() });
        entries(
            ["patterns added", "patterns removed", "patterns renamed"],
            &diff.patterns,
            old,
            new,
            &mut changes,
        );
        changes.push(Change {
            kind: "techniques of patterns",
            items: diff.pattern_techniques.iter().map(techniques).collect(),
        });
        entries(
            ["techniques added", "techniques removed", "techniques renamed"],
            &diff.techniques,
            old,
            new,
            &mut changes,
        );
        let revoked = diff.revoked.iter().map(|(id, by)| match by {
            Some(by) => format!("{id}: by {by} {}", by.name(new)),
            None => format!("{id}: without a successor"),
        });
        changes.push(Change { kind: "techniques revoked", items: revoked.collect() });
        let deprecated = diff.deprecated.iter().map(ToString::to_string);
        changes.push(Change { kind: "techniques deprecated", items: deprecated.collect() });
        changes.push(Change { kind: "techniques moved", items: diff.moved.iter().map(moved).collect() });
        entries(
            ["tactics added", "tactics removed", "tactics renamed"],
            &diff.tactics,
            old,
            new,
            &mut changes,
        );
        let renoted = diff.mapping_notes.iter().map(named).collect();
        changes.push(Change { kind: "mapping notes", items: renoted });
        changes.push(Change { kind: "chain", items: diff.chain.iter().map(techniques).collect() });
        named_entries(
            ["ATLAS techniques added", "ATLAS techniques removed", "ATLAS techniques renamed"],
            &diff.atlas_techniques,
            EntryId::AtlasTechnique,
            [old, new],
            &mut changes,
        );
        let ids =
            |ids: &[AtlasTechniqueId]| ids.iter().map(|id| EntryId::AtlasTechnique(*id)).collect::<Vec<_>>();
        let listed = |ids: Vec<EntryId>| ids.iter().map(|id| format!("{id} {}", id.name(new))).collect();
        changes.push(Change { kind: "ATLAS techniques moved", items: listed(ids(&diff.atlas_moved)) });
        named_entries(
            ["ATLAS tactics added", "ATLAS tactics removed", "ATLAS tactics renamed"],
            &diff.atlas_tactics,
            EntryId::AtlasTactic,
            [old, new],
            &mut changes,
        );
        named_entries(
            ["ATLAS mitigations added", "ATLAS mitigations removed", "ATLAS mitigations renamed"],
            &diff.atlas_mitigations,
            EntryId::AtlasMitigation,
            [old, new],
            &mut changes,
        );
        let remapped = diff.atlas_remapped.iter().map(|id| EntryId::AtlasMitigation(*id)).collect();
        changes.push(Change { kind: "ATLAS mitigations of other techniques", items: listed(remapped) });
        named_entries(
            ["countermeasures added", "countermeasures removed", "countermeasures renamed"],
            &diff.countermeasures,
            EntryId::Countermeasure,
            [old, new],
            &mut changes,
        );
        let countered = diff.countered.iter().map(|id| EntryId::Countermeasure(*id)).collect();
        changes.push(Change {
            kind: "countermeasures of another tactic or against others",
            items: listed(countered),
        });
        changes.retain(|change| !change.items.is_empty());
        Self { from: old.versions().clone(), to: new.versions().clone(), changes }
    }

    /// The changes for a person at a terminal, with ANSI styles.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{HEADING}from{HEADING:#}  {}\n", self.from);
        text += &format!("{HEADING}to{HEADING:#}    {}\n", self.to);
        if self.changes.is_empty() {
            text += &format!("{ASIDE}nothing changed{ASIDE:#}\n");
        }
        for change in &self.changes {
            text += &format!("{HEADING}{}{HEADING:#} ({})\n", change.kind, change.items.len());
            text.extend(change.items.iter().map(|item| format!("  {item}\n")));
        }
        text
    }
}

fn entries<L: Label>(
    [added, removed, renamed]: [&'static str; 3],
    found: &EntryChanges<L>,
    old: &KnowledgeBase,
    new: &KnowledgeBase,
    changes: &mut Vec<Change>,
) {
    let named =
        |ids: &[L], kb: &KnowledgeBase| ids.iter().map(|id| format!("{id} {}", id.name(kb))).collect();
    let rename = |rename: &Rename<L>| format!("{}: {:?} became {:?}", rename.id, rename.from, rename.to);
    changes.push(Change { kind: added, items: named(&found.added, new) });
    changes.push(Change { kind: removed, items: named(&found.removed, old) });
    changes.push(Change { kind: renamed, items: found.renamed.iter().map(rename).collect() });
}

/// The same of entries that are no labels of a model.
fn named_entries<Id: Copy>(
    [added, removed, renamed]: [&'static str; 3],
    found: &EntryChanges<Id>,
    entry: fn(Id) -> EntryId,
    [old, new]: [&KnowledgeBase; 2],
    changes: &mut Vec<Change>,
) {
    let named = |ids: &[Id], kb: &KnowledgeBase| {
        ids.iter().map(|id| format!("{} {}", entry(*id), entry(*id).name(kb))).collect()
    };
    let rename =
        |rename: &Rename<Id>| format!("{}: {:?} became {:?}", entry(rename.id), rename.from, rename.to);
    changes.push(Change { kind: added, items: named(&found.added, new) });
    changes.push(Change { kind: removed, items: named(&found.removed, old) });
    changes.push(Change { kind: renamed, items: found.renamed.iter().map(rename).collect() });
}

fn relations(change: &WeaknessRelationChange) -> String {
    let relation =
        |sign: char| move |r: &Relation| format!("{sign}{} {} (view {})", r.nature, r.target, r.view);
    let signed = |sign: char, id: &dyn ToString| format!("{sign}{}", id.to_string());
    let parts: Vec<String> = (change.added.iter().map(relation('+')))
        .chain(change.removed.iter().map(relation('-')))
        .chain(change.capecs_added.iter().map(|id| signed('+', id)))
        .chain(change.capecs_removed.iter().map(|id| signed('-', id)))
        .collect();
    format!("{}: {}", change.id, parts.join(", "))
}

fn moved(of: &Move) -> String {
    let parent = |id: Option<TechniqueId>| id.map_or("no technique".to_owned(), |id| id.to_string());
    let from_to = of.parent.map(|(from, to)| format!("of {}, before of {}", parent(to), parent(from)));
    let added = of.added.iter().map(|id| format!("+{id}"));
    let removed = of.removed.iter().map(|id| format!("-{id}"));
    let parts: Vec<String> = from_to.into_iter().chain(added).chain(removed).collect();
    format!("{}: {}", of.id, parts.join(", "))
}

fn techniques<Id: ToString>(change: &TechniqueChange<Id>) -> String {
    let added = change.added.iter().map(|id| format!("+{id}"));
    let parts: Vec<String> = added.chain(change.removed.iter().map(|id| format!("-{id}"))).collect();
    format!("{}: {}", change.id.to_string(), parts.join(", "))
}
