//! Labels for a renderer, whatever their taxonomy: an id with a name and a standing.

use std::borrow::Cow;
use std::fmt::Display;

use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, Standing, TacticId, TechniqueId};

/// A label of one of the taxonomies.
pub(crate) trait Label: Copy + Ord + Display + Send + Sync + 'static {
    /// The label's name; empty for an id that the knowledge base does not name, such as most of NVD's categories.
    fn name(self, kb: &KnowledgeBase) -> Cow<'_, str>;

    /// The label's name for people, with a word for an id without a name.
    fn name_for_people(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        self.name(kb)
    }

    /// All labels that the knowledge base names, by rising id.
    fn all(kb: &KnowledgeBase) -> Vec<Self>;

    /// The label's standing in the knowledge base.
    fn standing(self, kb: &KnowledgeBase) -> Standing;

    /// The short names of the tactics that the label serves; none for labels of other kinds, and for unknown ones.
    fn tactics(self, _kb: &KnowledgeBase) -> Option<impl Iterator<Item = &str>> {
        None::<std::iter::Empty<&str>>
    }

    /// The parents or tactics of the label, for people.
    fn belongs_to(self, kb: &KnowledgeBase) -> String;
}

/// The key of labels without a taxonomy in every format.
pub(crate) const OTHER: &str = "other";

/// The key of the severity in record output, and its taxonomy in rows.
pub(crate) const SEVERITY: &str = "severity";

/// The keys of what is added to a model's answers in record output.
pub(crate) const ATLAS: &str = "atlas";
pub(crate) const D3FEND: &str = "d3fend";
pub(crate) const OTHER_DOMAINS: &str = "other_domains";

/// The name of a label without a taxonomy: that of a tactic, or none.
pub(crate) fn name_of_other<'k>(label: &str, kb: &'k KnowledgeBase) -> &'k str {
    let tactic = label.parse::<TacticId>().ok().and_then(|id| kb.tactic(id));
    tactic.map_or("", |tactic| &tactic.name)
}

fn children_of<L: Display>(parents: &[L]) -> String {
    let ids: Vec<String> = parents.iter().map(L::to_string).collect();
    if ids.is_empty() { String::new() } else { format!("child of {}", ids.join(", ")) }
}

impl Label for CweId {
    fn name(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        kb.name_of_cwe(self).unwrap_or_default().into()
    }

    fn name_for_people(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        kb.name_of_cwe(self).unwrap_or("(not in the knowledge base)").into()
    }

    fn all(kb: &KnowledgeBase) -> Vec<Self> {
        let mut ids: Vec<Self> = kb.weaknesses().map(|w| w.id).chain(kb.groupings().map(|g| g.id)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn standing(self, kb: &KnowledgeBase) -> Standing {
        kb.standing_of_cwe(self)
    }

    fn belongs_to(self, kb: &KnowledgeBase) -> String {
        children_of(kb.parents(self))
    }
}

impl Label for CapecId {
    fn name(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        kb.pattern(self).map(|pattern| pattern.name.as_str()).unwrap_or_default().into()
    }

    fn all(kb: &KnowledgeBase) -> Vec<Self> {
        kb.patterns().map(|pattern| pattern.id).collect()
    }

    fn standing(self, kb: &KnowledgeBase) -> Standing {
        kb.standing_of_capec(self)
    }

    fn belongs_to(self, kb: &KnowledgeBase) -> String {
        kb.pattern(self).map(|pattern| children_of(&pattern.parents)).unwrap_or_default()
    }
}

impl Label for TechniqueId {
    /// As MITRE writes it, a sub-technique's name follows its technique's: `Hijack Execution Flow: DLL`.
    fn name(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        let Some(technique) = kb.technique(self) else { return "".into() };
        match technique.parent.and_then(|parent| kb.technique(parent)) {
            Some(parent) => format!("{}: {}", parent.name, technique.name).into(),
            None => technique.name.as_str().into(),
        }
    }

    fn all(kb: &KnowledgeBase) -> Vec<Self> {
        kb.techniques().map(|technique| technique.id).collect()
    }

    fn standing(self, kb: &KnowledgeBase) -> Standing {
        kb.standing_of_technique(self)
    }

    fn tactics(self, kb: &KnowledgeBase) -> Option<impl Iterator<Item = &str>> {
        kb.technique(self)?;
        Some(kb.tactics_of(self).iter().filter_map(|id| Some(kb.tactic(*id)?.shortname.as_str())))
    }

    fn belongs_to(self, kb: &KnowledgeBase) -> String {
        let names = kb.tactics_of(self).iter().filter_map(|id| kb.tactic(*id));
        names.map(|tactic| tactic.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl Label for TacticId {
    fn name(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        kb.tactic(self).map(|tactic| tactic.name.as_str()).unwrap_or_default().into()
    }

    fn all(kb: &KnowledgeBase) -> Vec<Self> {
        kb.tactics().map(|tactic| tactic.id).collect()
    }

    fn standing(self, kb: &KnowledgeBase) -> Standing {
        if kb.tactic(self).is_some() { Standing::Current } else { Standing::Unknown }
    }

    fn belongs_to(self, _kb: &KnowledgeBase) -> String {
        String::new()
    }
}
