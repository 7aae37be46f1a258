//! What predicts a batch of texts, whatever kind of model it is.

use vulnlens_taxonomy::KnowledgeBase;

use crate::ngram::Scorer;
use crate::prediction::{Input, LabelSource, Prediction};
use crate::space::MarginalBuffer;

/// A model made ready to answer what some [`Options`](crate::Options) ask for.
pub trait Classifier: Send + Sync {
    /// The model's name.
    fn name(&self) -> &str;

    /// Which file or state of that name: 12 hexadecimal digits.
    fn revision(&self) -> &str;

    /// Where names, versions and the chain come from.
    fn knowledge_base(&self) -> &KnowledgeBase;

    /// Where the labels come from, and with it what their scores mean.
    fn label_source(&self) -> LabelSource;

    /// Classifies texts, in their order. A prediction depends on its text alone, not on the batch.
    fn predict_batch(&self, inputs: &[Input<'_>], buffers: &mut PredictBuffers) -> Vec<Prediction>;
}

/// Buffers of a classifier; reused, they save allocations.
#[derive(Debug, Default)]
pub struct PredictBuffers {
    pub(crate) scorer: Scorer,
    pub(crate) marginals: MarginalBuffer,
    pub(crate) answered: Vec<bool>,
    pub(crate) order: Vec<u32>,
    pub(crate) label_scores: Vec<f32>,
    pub(crate) by_output: Vec<bool>,
}
