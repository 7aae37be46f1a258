//! The way from a prediction and its text to the answers in addition.

use vulnlens_taxonomy::{AtlasTechniqueId, Domain, KnowledgeBase, TechniqueId};

use super::answer::{Additions, AtlasAnswer, AtlasLabel, DomainLabel, domain_name};
use super::countermeasures::countermeasures;
use super::gate::ai_words;
use super::similar::{self, Similar};
use crate::decimals::rounded;
use crate::network::Network;
use crate::prediction::{Basis, Labels, Prediction, TopK};
use crate::task::Task;

/// The basis of what follows from a technique that is answered.
const DERIVED: &str = "derived";

/// What is added to a model's answers, made ready.
pub(crate) struct AdditionDecoder {
    asked: Additions,
    atlas: Option<Similar<AtlasTechniqueId>>,
    /// One for each matrix.
    domains: Vec<(Domain, Similar<TechniqueId>)>,
}

impl AdditionDecoder {
    /// The decoder of what is asked for; none where that is nothing.
    pub(crate) fn new(asked: Additions, kb: &KnowledgeBase, network: &dyn Network) -> Option<Self> {
        let domains = asked.domains().into_iter();
        (asked != Additions::NOTHING).then(|| Self {
            asked,
            atlas: asked.atlas.then(|| similar::atlas(kb, network)),
            domains: domains.map(|domain| (domain, similar::attack(kb, network, &[domain]))).collect(),
        })
    }

    /// Adds what is asked for to the prediction of a text.
    pub(crate) fn add(
        &self,
        text: &str,
        prediction: &mut Prediction,
        kb: &KnowledgeBase,
        network: &dyn Network,
        most: TopK,
    ) {
        let tells_nothing = prediction.said.is_some_and(|said| said.rules_out_techniques());
        let opened_by = if self.asked.atlas && !tells_nothing { ai_words(text) } else { vec![] };
        let compares = !tells_nothing && (!self.domains.is_empty() || !opened_by.is_empty());
        let entries = if compares { network.entries(text) } else { vec![] };
        if let Some(similar) = &self.atlas {
            let techniques = if opened_by.is_empty() {
                vec![]
            } else {
                atlas_labels(prediction, similar.most_like(&entries, most), kb)
            };
            prediction.atlas = Some(AtlasAnswer { opened_by, techniques });
        }
        if !self.domains.is_empty() {
            let found = self.domains.iter().flat_map(|(domain, similar)| {
                let found = similar.most_like(&entries, most).into_iter();
                found.filter_map(|(id, cosine)| domain_label(id, *domain, cosine, kb))
            });
            prediction.other_domains = Some(found.collect());
        }
        if self.asked.d3fend {
            let found = kb.d3fend().filter(|_| !tells_nothing);
            let found = found.map(|d3fend| countermeasures(d3fend, prediction, most));
            prediction.d3fend = Some(found.unwrap_or_default());
        }
    }
}

impl Prediction {
    /// Cuts the answers in addition to the model's own to so many of each kind, the best.
    pub fn cut_additions(&mut self, most: TopK) {
        let (TopK::Best(most) | TopK::Predicted { and_best: most }) = most else { return };
        if let Some(atlas) = &mut self.atlas {
            let mut alike = 0usize;
            atlas.techniques.retain(|label| {
                alike = alike.saturating_add(usize::from(label.basis != DERIVED));
                label.basis == DERIVED || alike <= most
            });
        }
        if let Some(labels) = &mut self.other_domains {
            let mut counts = [0usize; 2];
            labels.retain(|label| {
                let [ics, mobile] = &mut counts;
                let count = if label.domain == domain_name(Domain::Ics) { ics } else { mobile };
                *count = count.saturating_add(1);
                *count <= most
            });
        }
        if let Some(d3fend) = &mut self.d3fend {
            d3fend.truncate(most);
        }
    }
}

/// The techniques of ATLAS that follow from what is answered, and behind them those that the text is like.
fn atlas_labels(
    prediction: &Prediction,
    like: Vec<(AtlasTechniqueId, f32)>,
    kb: &KnowledgeBase,
) -> Vec<AtlasLabel> {
    let Some(atlas) = kb.atlas() else { return vec![] };
    let mut derived: Vec<(AtlasTechniqueId, f32, TechniqueId, Task)> = vec![];
    let lists = [(&prediction.attack_curated, Task::AttackCurated), (&prediction.attack, Task::Attack)];
    for (labels, task) in lists {
        let answered = labels.iter().flat_map(|labels: &Labels<TechniqueId>| &labels.labels);
        for scored in answered.filter(|scored| scored.predicted) {
            for technique in atlas.of_attack(scored.label) {
                match derived.iter_mut().find(|(id, ..)| *id == technique.id) {
                    Some(known) if known.1 < scored.score => {
                        *known = (technique.id, scored.score, scored.label, task);
                    }
                    Some(_) => {}
                    None => derived.push((technique.id, scored.score, scored.label, task)),
                }
            }
        }
    }
    derived.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let similarity = |id| like.iter().find(|(of, _)| *of == id).map(|(_, cosine)| rounded(*cosine));
    let label = |id: AtlasTechniqueId, basis| AtlasLabel {
        label: id.to_string(),
        name: atlas.full_name(id).unwrap_or_default(),
        tactics: atlas.tactics_of(id).iter().filter_map(|id| Some(atlas.tactic(*id)?.name.clone())).collect(),
        basis,
        score: None,
        via: None,
        source: None,
        similarity: similarity(id),
    };
    let of_attack = derived.iter().map(|(id, score, via, task)| AtlasLabel {
        score: Some(rounded(*score)),
        via: Some(via.to_string()),
        source: Some(task.key()),
        ..label(*id, DERIVED)
    });
    let is_derived = |id: &AtlasTechniqueId| derived.iter().any(|(known, ..)| known == id);
    let alone = like.iter().map(|(id, _)| *id).filter(|id| !is_derived(id));
    of_attack.chain(alone.map(|id| label(id, Basis::Similarity.name()))).collect()
}

fn domain_label(id: TechniqueId, domain: Domain, cosine: f32, kb: &KnowledgeBase) -> Option<DomainLabel> {
    let technique = kb.technique(id)?;
    let parent = technique.parent.and_then(|parent| kb.technique(parent));
    let name = match parent {
        Some(parent) => format!("{}: {}", parent.name, technique.name),
        None => technique.name.clone(),
    };
    Some(DomainLabel {
        label: id.to_string(),
        name,
        tactics: technique.tactics.iter().filter_map(|id| Some(kb.tactic(*id)?.shortname.clone())).collect(),
        domain: domain_name(domain),
        basis: Basis::Similarity.name(),
        similarity: rounded(cosine),
    })
}
