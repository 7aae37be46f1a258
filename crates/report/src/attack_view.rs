//! ATT&CK's labels of answers at another level of detail, and by the ids of another release.
//!
//! Predictions are made in techniques and sub-techniques of the knowledge base; this is what is done with them before
//! they are written. The score of a label that stands for several is the highest of theirs: the probability that one of
//! them applies is that at least, and at most their sum.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use vulnlens_model::{Labels, Prediction, ScoredLabel, TopK};
use vulnlens_taxonomy::{
    AttackLevel, AttackRelease, Counterpart, Counterparts, KnowledgeBase, TacticId, TechniqueId, TooTangled,
};

use crate::rendering::Setup;

/// The level and the release that ATT&CK's labels are written at.
#[derive(Debug, Clone)]
pub struct AttackView {
    kb: Arc<KnowledgeBase>,
    level: AttackLevel,
    counterparts: Option<Arc<Counterparts>>,
    top_k: TopK,
}

impl AttackView {
    /// The view of `kb`'s own techniques at a level, so many of them. Predictions must list all that the threshold
    /// admits: their number is cut after the labels are put together.
    #[must_use]
    pub fn new(kb: impl Into<Arc<KnowledgeBase>>, level: AttackLevel, top_k: TopK) -> Self {
        Self { kb: kb.into(), level, counterparts: None, top_k }
    }

    /// The view by the ids of another release.
    ///
    /// # Errors
    /// None that a knowledge base can cause.
    pub fn as_of(self, release: &AttackRelease) -> Result<Self, TooTangled> {
        let counterparts = Some(Arc::new(release.counterparts(&self.kb)));
        Ok(Self { counterparts, kb: Arc::new(self.kb.with_attack(release)?), ..self })
    }

    /// The setup with the names of the view's release.
    #[must_use]
    pub fn names(&self, mut setup: Setup) -> Setup {
        setup.run.versions.attack.clone_from(&self.kb.versions().attack);
        setup.kb = Arc::clone(&self.kb);
        setup
    }

    /// Brings a prediction to the view.
    pub fn apply(&self, prediction: &mut Prediction) {
        for list in [&mut prediction.attack, &mut prediction.attack_curated] {
            *list = list.take().map(|labels| self.renamed(labels)).map(|labels| match self.level {
                AttackLevel::Technique => with_labels(labels, |scored| vec![self.parent(scored)]),
                _ => labels,
            });
        }
        if self.level == AttackLevel::Tactic {
            let tactics = |labels| with_labels(labels, |scored| self.tactics(scored));
            prediction.attack_tactics = prediction.attack.take().map(tactics);
            prediction.attack_curated_tactics = prediction.attack_curated.take().map(tactics);
        }
        prediction.cwe.iter_mut().for_each(|list| cut(&mut list.labels, self.top_k));
        prediction.capec.iter_mut().for_each(|list| cut(&mut list.labels, self.top_k));
        let techniques = [&mut prediction.attack, &mut prediction.attack_curated];
        techniques.into_iter().flatten().for_each(|list| cut(&mut list.labels, self.top_k));
        let tactics = [&mut prediction.attack_tactics, &mut prediction.attack_curated_tactics];
        tactics.into_iter().flatten().for_each(|list| cut(&mut list.labels, self.top_k));
        cut(&mut prediction.other, self.top_k);
        prediction.cut_additions(self.top_k);
    }

    /// The labels by the ids of the release, where one is asked for.
    fn renamed(&self, labels: Labels<TechniqueId>) -> Labels<TechniqueId> {
        let Some(counterparts) = &self.counterparts else { return labels };
        let counterpart = |scored: &ScoredLabel<TechniqueId>| match counterparts.of(scored.label) {
            Counterpart::Same => vec![*scored],
            Counterpart::Others(ids) => {
                ids.iter().map(|id| with_label(scored, *id, Some(scored.label))).collect()
            }
            Counterpart::None => {
                let mut kept = *scored;
                kept.unmapped = true;
                vec![kept]
            }
        };
        with_labels(labels, counterpart)
    }

    /// The technique of a sub-technique, with its original where that has another technique.
    fn parent(&self, scored: &ScoredLabel<TechniqueId>) -> ScoredLabel<TechniqueId> {
        let label = self.kb.parent_technique(scored.label);
        let original = scored.original.map(TechniqueId::parent).filter(|original| *original != label);
        with_label(scored, label, original)
    }

    /// The tactics that a technique serves.
    fn tactics(&self, scored: &ScoredLabel<TechniqueId>) -> Vec<ScoredLabel<TacticId>> {
        let served = self.kb.tactics_of(scored.label).iter();
        served.map(|tactic| with_label(scored, *tactic, None)).collect()
    }
}

/// The list of the labels that stand for those of another.
fn with_labels<A, B: Copy + Ord>(
    labels: Labels<A>,
    stands: impl Fn(&ScoredLabel<A>) -> Vec<ScoredLabel<B>>,
) -> Labels<B> {
    Labels::new(folded(&labels.labels, stands), labels.none)
}

/// The facts of `scored` about another label.
fn with_label<A, B>(scored: &ScoredLabel<A>, label: B, original: Option<B>) -> ScoredLabel<B> {
    let mut other = ScoredLabel::new(label, scored.score, scored.predicted);
    (other.via, other.role, other.original) = (scored.via, scored.role, original);
    other
}

/// The labels that stand for others, each once: with the highest score, and with the way and the role of the first that
/// is predicted or, where none is, of the first. The order is that of the list: by falling score, or by rising distance
/// first; then by rising id.
fn folded<A, B: Copy + Ord>(
    labels: &[ScoredLabel<A>],
    stands: impl Fn(&ScoredLabel<A>) -> Vec<ScoredLabel<B>>,
) -> Vec<ScoredLabel<B>> {
    let mut found: BTreeMap<B, ScoredLabel<B>> = BTreeMap::new();
    for scored in labels.iter().flat_map(stands) {
        match found.entry(scored.label) {
            Entry::Vacant(entry) => {
                entry.insert(scored);
            }
            Entry::Occupied(mut entry) => {
                let score = entry.get().score.max(scored.score);
                if scored.predicted && !entry.get().predicted {
                    entry.insert(scored);
                }
                entry.get_mut().score = score;
            }
        }
    }
    let mut folded: Vec<ScoredLabel<B>> = found.into_values().collect();
    let is_by_score = labels.is_sorted_by(|a, b| a.score >= b.score);
    // Labels without a way stand behind those with one.
    let distance = |scored: &ScoredLabel<B>| match scored.via {
        Some(via) if !is_by_score => via.distance,
        _ => u8::MAX,
    };
    folded.sort_by(|a, b| distance(a).cmp(&distance(b)).then(b.score.total_cmp(&a.score)));
    folded
}

/// Cuts a list to the labels that are asked for.
fn cut<L>(labels: &mut Vec<ScoredLabel<L>>, top_k: TopK) {
    match top_k {
        TopK::Best(number) => labels.truncate(number),
        TopK::Predicted { and_best } => {
            let mut place = 0usize;
            labels.retain(|scored| {
                place = place.saturating_add(1);
                scored.predicted || place <= and_best
            });
        }
        _ => {}
    }
}
