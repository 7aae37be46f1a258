//! A knowledge base, and a made-up prediction over it.

use std::collections::BTreeMap;

use vulnlens_model::{
    Classifier, CweSets, Input, LabelSource, Labels, Network, Options, Outputs, Prediction, Room, ScoredLabel,
};
use vulnlens_report::{Run, Setup};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, Outcome, Role, TechniqueId};

pub(crate) fn knowledge_base() -> KnowledgeBase {
    KnowledgeBase::embedded()
}

/// What formats are made ready with, for a model whose labels come from `labels`.
pub(crate) fn setup(labels: LabelSource) -> Setup {
    let kb = knowledge_base();
    Setup::new(Run::new("fast", "0123456789ab", kb.versions().clone(), labels), kb)
}

/// An answer of each kind.
pub(crate) fn answers() -> [Prediction; 6] {
    [injection(), curated(), family(), unsure(), recipe(), link()]
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

/// A network that gives every text the same probabilities of these CWE sets, and behind them of all outcomes.
struct Fixed {
    outputs: Outputs,
    probabilities: Vec<f32>,
}

impl Network for Fixed {
    fn name(&self) -> &str {
        "fast"
    }

    fn revision(&self) -> &str {
        "0123456789ab"
    }

    fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    fn reads_years(&self) -> bool {
        false
    }

    fn texts_at_once(&self) -> usize {
        1
    }

    fn score(&self, inputs: &[Input<'_>], _: &mut Room, scores: &mut Vec<f32>) {
        scores.clear();
        inputs.iter().for_each(|_| scores.extend(self.probabilities.iter().map(|p| p.ln())));
    }
}

/// The prediction for a text by a network that gives single weaknesses these probabilities, and that the text is not a
/// vulnerability and does not tell its weakness these.
pub(crate) fn predicted(text: &str, weaknesses: &[(u32, f32)], outcomes: [f32; 2]) -> Prediction {
    let mut sets: Vec<Vec<CweId>> = weaknesses.iter().map(|(id, _)| vec![CweId(*id)]).collect();
    sets.extend(Outcome::ALL.map(|_| vec![]));
    let outputs = CweSets {
        sets,
        outcomes: Outcome::ALL.to_vec(),
        catalogue_only: vec![],
        temperature: 1.0,
        rules: BTreeMap::default(),
    };
    let probabilities = weaknesses.iter().map(|(_, p)| *p).chain(outcomes).collect();
    let network = Fixed { outputs: Outputs::CweSets(outputs), probabilities };
    Classifier::new(network, knowledge_base()).predict(Input::text(text), &Options::default())
}

/// An answer with a single weakness.
pub(crate) fn injection() -> Prediction {
    predicted("SQL injection in a form.", &[(89, 0.9), (79, 0.07)], [0.02, 0.01])
}

/// The answer with a single weakness, by a model that knows what analysts assign.
pub(crate) fn curated() -> Prediction {
    let techniques = [
        (TechniqueId::technique(1190), 0.8, true, Role::Exploitation),
        (TechniqueId::technique(1059), 0.6, false, Role::PrimaryImpact),
        (TechniqueId::sub_technique(1574, 6), 0.2, true, Role::SecondaryImpact),
    ];
    let labels = techniques.map(|(label, score, predicted, role)| {
        let mut scored = scored(label, score, predicted);
        scored.role = Some(role);
        scored
    });
    let mut prediction = injection();
    prediction.attack_curated = Some(Labels::new(labels.to_vec(), 0.02));
    prediction
}

/// An answer with a family: improper authorization, which CWE discourages.
pub(crate) fn family() -> Prediction {
    predicted("Access control is missing.", &[(862, 0.4), (863, 0.35), (79, 0.2)], [0.02, 0.03])
}

/// An answer that may be one of two weaknesses of different families.
pub(crate) fn unsure() -> Prediction {
    predicted("Something is wrong.", &[(89, 0.35), (416, 0.35), (287, 0.2)], [0.05, 0.05])
}

/// The answer that a text describes no vulnerability.
pub(crate) fn recipe() -> Prediction {
    predicted("Stir the butter and the sugar.", &[(79, 0.01), (89, 0.01)], [0.97, 0.01])
}

/// The answer to a text that is not classified.
pub(crate) fn link() -> Prediction {
    predicted("https://example.org/", &[(79, 0.9)], [0.05, 0.05])
}
