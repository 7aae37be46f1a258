//! A knowledge base, and a made-up prediction over it.

use vulnlens_model::{LabelSource, Labels, Prediction, ScoredLabel};
use vulnlens_report::{Run, Setup};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

pub(crate) fn knowledge_base() -> KnowledgeBase {
    KnowledgeBase::embedded()
}

/// What formats are made ready with, for a model whose labels come from `labels`.
pub(crate) fn setup(labels: LabelSource) -> Setup {
    let kb = knowledge_base();
    Setup::new(Run::new("fast", "0123456789ab", kb.versions().clone(), labels), kb)
}

fn scored<L>(label: L, score: f32, predicted: bool) -> ScoredLabel<L> {
    ScoredLabel::new(label, score, predicted)
}

pub(crate) fn prediction() -> Prediction {
    let mut prediction = Prediction::default();
    let cwe = vec![scored(CweId(79), 0.93, true), scored(CweId(264), 0.02, false)];
    prediction.cwe = Some(Labels::new(cwe, 0.01));
    let capec = vec![scored(CapecId(63), 0.7, true), scored(CapecId(267), 0.4, false)];
    prediction.capec = Some(Labels::new(capec, 0.25));
    let attack = vec![
        scored(TechniqueId::technique(1027), 0.5, true),
        scored(TechniqueId::sub_technique(1562, 3), 0.03, false),
    ];
    prediction.attack = Some(Labels::new(attack, 0.5));
    prediction
}
