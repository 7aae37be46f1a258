//! A model and a knowledge base together: texts in, predictions out.

use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use crate::classifier::{Classifier, PredictBuffers};
use crate::decision::DecisionRule;
use crate::explain::{Explanation, explain};
use crate::listing::Listing;
use crate::ngram::NgramModel;
use crate::prediction::{Input, LabelMode, LabelSource, Labels, Options, Prediction};
use crate::set_model::SetModel;
use crate::space::{LabelSpace, MarginalBuffer, SpaceKind};
use crate::task::Task;

/// A classifier of vulnerability texts.
///
/// The model says how probable each CWE set is; the knowledge base says what follows from a set.
/// A newer knowledge base changes what follows, without a new model.
#[derive(Debug, Clone)]
pub struct Lens<M = NgramModel> {
    model: M,
    kb: KnowledgeBase,
}

impl Lens {
    /// Says which words carried the most probable CWE set, and by which paths it leads to ATT&CK. Of
    /// `options` only the year matters.
    #[must_use]
    pub fn explain(&self, input: Input<'_>, options: &Options) -> Explanation {
        explain(self, input, options)
    }
}

impl<M: SetModel> Lens<M> {
    /// A classifier by `model` and the chain of `kb`.
    #[must_use]
    pub fn new(model: M, kb: KnowledgeBase) -> Self {
        Self { model, kb }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The knowledge base.
    #[must_use]
    pub fn knowledge_base(&self) -> &KnowledgeBase {
        &self.kb
    }

    /// Prepares the label spaces that `options` ask for (a few milliseconds; reuse it).
    #[must_use]
    pub fn predictor(&self, options: &Options) -> Predictor<'_, M> {
        Predictor::new(self, *options)
    }

    /// Classifies one text. For more than one, make a [`predictor`](Self::predictor) and keep it.
    #[must_use]
    pub fn predict(&self, input: Input<'_>, options: &Options) -> Prediction {
        self.predictor(options).predict(input)
    }

    /// The space of one CWE kind over this model's sets.
    #[must_use]
    pub fn cwe_space(&self, kind: SpaceKind) -> LabelSpace<CweId> {
        LabelSpace::cwe(kind, &self.kb, self.model.sets())
    }

    /// The space of one CAPEC kind over this model's sets.
    #[must_use]
    pub fn capec_space(&self, kind: SpaceKind) -> LabelSpace<CapecId> {
        LabelSpace::capec(kind, &self.kb, self.model.sets())
    }

    /// The space of one ATT&CK kind over this model's sets.
    #[must_use]
    pub fn attack_space(&self, kind: SpaceKind) -> LabelSpace<TechniqueId> {
        LabelSpace::attack(kind, &self.kb, self.model.sets())
    }

    fn rule(&self, kind: SpaceKind) -> DecisionRule {
        self.model.decisions().get(&kind).copied().unwrap_or_default()
    }
}

/// A space with its decision rule.
struct Decoded<L> {
    space: LabelSpace<L>,
    rule: DecisionRule,
}

/// A [`Lens`] with the label spaces of some [`Options`] made ready.
pub struct Predictor<'a, M = NgramModel> {
    lens: &'a Lens<M>,
    options: Options,
    cwe: Option<Decoded<CweId>>,
    capec: Option<Decoded<CapecId>>,
    attack: Option<Decoded<TechniqueId>>,
}

impl<'a, M: SetModel> Predictor<'a, M> {
    fn new(lens: &'a Lens<M>, options: Options) -> Self {
        use SpaceKind::{
            AssignedCwe, RecommendedAttack, RecommendedCapec, RecommendedCwe, ReferenceAttack,
            ReferenceCapec, ReferenceCwe,
        };
        let (cwe, capec, attack) = match options.labels {
            LabelMode::Recommended => (RecommendedCwe, RecommendedCapec, RecommendedAttack),
            LabelMode::Reference => (ReferenceCwe, ReferenceCapec, ReferenceAttack),
            LabelMode::Assigned => (AssignedCwe, RecommendedCapec, RecommendedAttack),
        };
        let asked = options.tasks;
        Self {
            lens,
            options,
            cwe: asked
                .contains(Task::Cwe)
                .then(|| Decoded { space: lens.cwe_space(cwe), rule: lens.rule(cwe) }),
            capec: asked
                .contains(Task::Capec)
                .then(|| Decoded { space: lens.capec_space(capec), rule: lens.rule(capec) }),
            attack: asked
                .contains(Task::Attack)
                .then(|| Decoded { space: lens.attack_space(attack), rule: lens.rule(attack) }),
        }
    }

    /// The lens behind it.
    #[must_use]
    pub fn lens(&self) -> &'a Lens<M> {
        self.lens
    }

    /// What was asked for.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Classifies one text.
    #[must_use]
    pub fn predict(&self, input: Input<'_>) -> Prediction {
        let mut predictions = self.predict_batch(&[input], &mut PredictBuffers::default());
        predictions.pop().unwrap_or_default()
    }

    /// Classifies texts, in their order. A prediction depends on its text alone, not on the batch.
    pub fn predict_batch(&self, inputs: &[Input<'_>], buffers: &mut PredictBuffers) -> Vec<Prediction> {
        let PredictBuffers { scorer, marginals, answered, order, .. } = buffers;
        let sets = self.lens.model.sets().len();
        let mut predictions = Vec::with_capacity(inputs.len());
        for block in inputs.chunks(self.lens.model.texts_at_once().max(1)) {
            let asked: Vec<Input<'_>> = block.iter().map(|input| self.dated(*input)).collect();
            for probabilities in self.lens.model.score(&asked, scorer).chunks_exact(sets) {
                let mut lister = Lister { options: &self.options, marginals, answered, order };
                predictions.push(Prediction {
                    cwe: self.cwe.as_ref().map(|task| lister.list(task, probabilities)),
                    capec: self.capec.as_ref().map(|task| lister.list(task, probabilities)),
                    attack: self.attack.as_ref().map(|task| lister.list(task, probabilities)),
                    attack_curated: None,
                    other: vec![],
                });
            }
        }
        predictions
    }

    fn dated<'t>(&self, input: Input<'t>) -> Input<'t> {
        Input { year: self.options.as_of.or(input.year), ..input }
    }
}

impl<M: SetModel> Classifier for Predictor<'_, M> {
    fn name(&self) -> &str {
        self.lens.model.name()
    }

    fn revision(&self) -> &str {
        self.lens.model.revision()
    }

    fn knowledge_base(&self) -> &KnowledgeBase {
        &self.lens.kb
    }

    fn label_source(&self) -> LabelSource {
        LabelSource::Spaces(self.options.labels)
    }

    fn predict_batch(&self, inputs: &[Input<'_>], buffers: &mut PredictBuffers) -> Vec<Prediction> {
        Predictor::predict_batch(self, inputs, buffers)
    }
}

/// Makes the list of one taxonomy from the probabilities of the sets.
struct Lister<'b> {
    options: &'b Options,
    marginals: &'b mut MarginalBuffer,
    answered: &'b mut Vec<bool>,
    order: &'b mut Vec<u32>,
}

impl Lister<'_> {
    fn list<L: Ord + Copy + std::fmt::Display>(
        &mut self,
        task: &Decoded<L>,
        set_probabilities: &[f32],
    ) -> Labels<L> {
        let marginals = task.space.outline().marginals(set_probabilities, self.marginals);
        task.rule.answer(&marginals, self.answered);
        let listing =
            Listing { labels: &task.space.labels, scores: marginals.labels, answered: self.answered };
        Labels { labels: listing.list(self.options, self.order), none: marginals.none }
    }
}
