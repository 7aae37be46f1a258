//! Techniques by how similar a text is to their names and descriptions.

use vulnlens_taxonomy::{AtlasTechniqueId, Domain, KnowledgeBase, TechniqueId};

use crate::curated::SparseTexts;
use crate::network::Network;
use crate::prediction::TopK;

/// Least cosine of a technique that is listed.
const LEAST: f32 = 0.1;

/// Techniques, with the features of their names and descriptions.
pub(super) struct Similar<Id> {
    ids: Vec<Id>,
    texts: SparseTexts,
}

impl<Id: Copy> Similar<Id> {
    fn new(described: impl Iterator<Item = (Id, String)>, network: &dyn Network) -> Self {
        let (mut ids, mut texts) = (vec![], SparseTexts::default());
        for (id, text) in described {
            ids.push(id);
            texts.push(&network.entries(&text));
        }
        Self { ids, texts }
    }

    /// The techniques that a text is most like, the most alike first, with their cosines.
    pub(super) fn most_like(
        &self,
        entries: &[crate::ngram::vocabulary::Entry],
        most: TopK,
    ) -> Vec<(Id, f32)> {
        let cosines = self.texts.cosines(entries);
        let mut found: Vec<(Id, f32)> =
            self.ids.iter().copied().zip(cosines).filter(|(_, cosine)| *cosine >= LEAST).collect();
        // Techniques are in id order, and stay so where they are as alike.
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        match most {
            TopK::All => {}
            TopK::Best(most) | TopK::Predicted { and_best: most } => found.truncate(most),
        }
        found
    }
}

/// The techniques of ATLAS.
pub(super) fn atlas(kb: &KnowledgeBase, network: &dyn Network) -> Similar<AtlasTechniqueId> {
    let described = kb.descriptions().atlas.iter();
    let named =
        described.filter_map(|(id, text)| Some((*id, format!("{}. {text}", kb.atlas()?.full_name(*id)?))));
    Similar::new(named, network)
}

/// The techniques of matrices of ATT&CK other than Enterprise.
pub(super) fn attack(kb: &KnowledgeBase, network: &dyn Network, domains: &[Domain]) -> Similar<TechniqueId> {
    let described = kb.descriptions().attack.iter();
    let named = described.filter_map(|(id, text)| {
        let technique = kb.technique(*id).filter(|technique| domains.contains(&technique.domain))?;
        Some((*id, format!("{}. {text}", technique.name)))
    });
    Similar::new(named, network)
}
