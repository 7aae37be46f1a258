//! ATT&CK's labels of answers at another level of detail, and by the ids of another release.
//!
//! Predictions are made in techniques and sub-techniques of the knowledge base; this is what is done with them before they are
//! written. The score of a label that stands for several is the highest of theirs: the probability that one of them applies
//! is that at least, and at most their sum.

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
    /// The view of `kb`'s own techniques at a level, so many of them. Predictions must list all that the threshold admits:
    /// their number is cut after the labels are put together.
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
            *list = list.take().map(|labels| self.renamed(labels));
        }
        if self.level == AttackLevel::Tactic {
            prediction.attack_tactics = prediction.attack.take().map(|labels| self.tactics(labels));
            let curated = prediction.attack_curated.take();
            prediction.attack_curated_tactics = curated.map(|labels| self.tactics(labels));
            return;
        }
        for list in [&mut prediction.attack, &mut prediction.attack_curated].into_iter().flatten() {
            if self.level == AttackLevel::Technique {
                let all = std::mem::take(&mut list.labels);
                list.labels = folded(all, |scored| vec![self.parent(scored)]);
            }
            cut(&mut list.labels, self.top_k);
        }
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
        Labels::new(folded(labels.labels, counterpart), labels.none)
    }

    /// The technique of a sub-technique, with its original where that has another technique.
    fn parent(&self, scored: &ScoredLabel<TechniqueId>) -> ScoredLabel<TechniqueId> {
        let label = self.kb.parent_technique(scored.label);
        let original = scored.original.map(TechniqueId::parent).filter(|original| *original != label);
        with_label(scored, label, original)
    }

    /// The tactics that techniques serve.
    fn tactics(&self, labels: Labels<TechniqueId>) -> Labels<TacticId> {
        let tactics = |scored: &ScoredLabel<TechniqueId>| {
            let served = self.kb.tactics_of(scored.label).iter();
            served.map(|tactic| with_label(scored, *tactic, None)).collect()
        };
        let mut folded = folded(labels.labels, tactics);
        cut(&mut folded, self.top_k);
        Labels::new(folded, labels.none)
    }
}

/// The facts of `scored` about another label.
fn with_label<A, B>(scored: &ScoredLabel<A>, label: B, original: Option<B>) -> ScoredLabel<B> {
    let mut other = ScoredLabel::new(label, scored.score, scored.predicted);
    (other.via, other.role, other.original) = (scored.via, scored.role, original);
    other
}

/// The labels that stand for others, each once: with the highest score, and with the way and the role of the first that is
/// predicted or, where none is, of the first. The order is that of answers: by rising distance, falling score, rising id.
fn folded<A, B: Copy + Ord>(
    labels: Vec<ScoredLabel<A>>,
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
    let distance = |scored: &ScoredLabel<B>| scored.via.map(|via| via.distance);
    folded.sort_by(|a, b| distance(a).cmp(&distance(b)).then(b.score.total_cmp(&a.score)));
    folded
}

/// Cuts a list to the labels that are asked for.
fn cut<L>(labels: &mut Vec<ScoredLabel<L>>, top_k: TopK) {
    match top_k {
        TopK::Best(number) => labels.truncate(number),
        TopK::Predicted { and_best } => {
            let mut place = 0;
            labels.retain(|scored| {
                place += 1;
                scored.predicted || place <= and_best
            });
        }
        _ => {}
    }
}
