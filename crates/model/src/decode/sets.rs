//! Decoding of distributions over CWE sets, by label spaces and decision rules.

use std::fmt::Display;

use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use super::DecodeBuffers;
use super::listing::Listing;
use super::rules::DecisionRule;
use super::spaces::{LabelSpace, SpaceKind};
use crate::outputs::CweSets;
use crate::prediction::{LabelMode, Labels, Options, Prediction};
use crate::softmax::temper;
use crate::task::Task;

/// The label spaces and rules of some options over a network's CWE sets.
pub(crate) struct SetDecoder {
    temperature: f32,
    cwe: Option<Space<CweId>>,
    capec: Option<Space<CapecId>>,
    attack: Option<Space<TechniqueId>>,
}

/// A label space with its decision rule.
struct Space<L> {
    labels: LabelSpace<L>,
    rule: DecisionRule,
}

impl SetDecoder {
    pub(crate) fn new(outputs: &CweSets, kb: &KnowledgeBase, options: &Options) -> Self {
        let (cwe, capec, attack) = kinds(options.labels);
        let (sets, asked) = (&outputs.sets, |task| options.tasks.contains(task));
        let rule = |kind| outputs.rule(kind);
        Self {
            temperature: outputs.temperature,
            cwe: asked(Task::Cwe).then(|| Space { labels: LabelSpace::cwe(cwe, kb, sets), rule: rule(cwe) }),
            capec: asked(Task::Capec)
                .then(|| Space { labels: LabelSpace::capec(capec, kb, sets), rule: rule(capec) }),
            attack: asked(Task::Attack)
                .then(|| Space { labels: LabelSpace::attack(attack, kb, sets), rule: rule(attack) }),
        }
    }

    /// The prediction for one row of logits, which become probabilities.
    pub(crate) fn decode(
        &self,
        logits: &mut [f32],
        options: &Options,
        buffers: &mut DecodeBuffers,
    ) -> Prediction {
        temper(logits, self.temperature);
        Prediction {
            cwe: self.cwe.as_ref().map(|space| space.list(logits, options, buffers)),
            capec: self.capec.as_ref().map(|space| space.list(logits, options, buffers)),
            attack: self.attack.as_ref().map(|space| space.list(logits, options, buffers)),
            ..Prediction::default()
        }
    }
}

/// The label spaces of a mode.
fn kinds(mode: LabelMode) -> (SpaceKind, SpaceKind, SpaceKind) {
    use SpaceKind::{
        AssignedCwe, RecommendedAttack, RecommendedCapec, RecommendedCwe, ReferenceAttack, ReferenceCapec,
        ReferenceCwe,
    };
    match mode {
        LabelMode::Recommended => (RecommendedCwe, RecommendedCapec, RecommendedAttack),
        LabelMode::Reference => (ReferenceCwe, ReferenceCapec, ReferenceAttack),
        LabelMode::Assigned => (AssignedCwe, RecommendedCapec, RecommendedAttack),
    }
}

impl<L: Ord + Copy + Display> Space<L> {
    fn list(&self, probabilities: &[f32], options: &Options, buffers: &mut DecodeBuffers) -> Labels<L> {
        let DecodeBuffers { marginals, answered, order, .. } = buffers;
        let marginals = self.labels.lists().marginals(probabilities, marginals);
        self.rule.answer(&marginals, answered);
        let listing = Listing { labels: &self.labels.labels, scores: marginals.labels, answered };
        Labels::new(listing.list(options, order), marginals.none)
    }
}
