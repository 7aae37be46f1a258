//! What the three taxonomies' labels have in common for a renderer: a taxonomy's name, an id, a name.

use std::borrow::Cow;
use std::fmt::Display;

use vulnlens_model::{Labels, Prediction};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

/// A label of one of the taxonomies.
pub(crate) trait Label: Copy + Ord + Display {
    /// The taxonomy's key in every format.
    const TAXONOMY: &'static str;

    /// The label's name; empty for an id that the knowledge base does not name, such as most of NVD's categories.
    fn name(self, kb: &KnowledgeBase) -> Cow<'_, str>;

    /// The label's name for people, which says what an id without a name is.
    fn name_for_people(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        self.name(kb)
    }

    /// Every label that the knowledge base names, by rising id.
    fn all(kb: &KnowledgeBase) -> Vec<Self>;

    /// The prediction's labels of this taxonomy.
    fn of(prediction: &Prediction) -> Option<&Labels<Self>>;
}

impl Label for CweId {
    const TAXONOMY: &'static str = "cwe";

    fn name(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        kb.name_of_cwe(self).unwrap_or_default().into()
    }

    fn name_for_people(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        // Records have two kinds of CWE ids: weaknesses, and NVD's choice of categories.
        kb.name_of_cwe(self).unwrap_or("(NVD category)").into()
    }

    fn all(kb: &KnowledgeBase) -> Vec<Self> {
        let mut ids: Vec<Self> = kb.weaknesses().map(|w| w.id).chain(kb.groupings().map(|g| g.id)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn of(prediction: &Prediction) -> Option<&Labels<Self>> {
        prediction.cwe.as_ref()
    }
}

impl Label for CapecId {
    const TAXONOMY: &'static str = "capec";

    fn name(self, kb: &KnowledgeBase) -> Cow<'_, str> {
        kb.pattern(self).map(|pattern| pattern.name.as_str()).unwrap_or_default().into()
    }

    fn all(kb: &KnowledgeBase) -> Vec<Self> {
        kb.patterns().map(|pattern| pattern.id).collect()
    }

    fn of(prediction: &Prediction) -> Option<&Labels<Self>> {
        prediction.capec.as_ref()
    }
}

impl Label for TechniqueId {
    const TAXONOMY: &'static str = "attack";

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

    fn of(prediction: &Prediction) -> Option<&Labels<Self>> {
        prediction.attack.as_ref()
    }
}
