//! What a run minimises and is judged by, as the loop sees it.

use vulnlens_encoder::training::{Gradients, Noise, TrainingNetwork};

use crate::error::TrainError;

/// Texts that go through the network together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartOfBatch<'a> {
    /// Places of the texts among those that are trained on.
    pub(crate) texts: &'a [usize],
    /// The pass over the texts.
    pub(crate) epoch: u64,
    /// Dropout.
    pub(crate) noise: Option<&'a Noise>,
    /// Rows of the whole batch, whose mean its loss is.
    pub(crate) rows: usize,
}

/// What a network is trained on.
pub(crate) trait Objective {
    /// Tokens of each text.
    fn lengths(&self) -> &[usize];

    /// Rows of some texts: what their loss is the mean of.
    fn rows(&self, texts: &[usize], epoch: u64) -> usize;

    /// Adds a part's gradients, and gives its share of the batch's loss.
    fn learn(&self, network: &mut TrainingNetwork, part: PartOfBatch<'_>, gradients: &mut Gradients) -> f64;

    /// Looks at validation texts, if there are any.
    fn evaluate(&self, network: &mut TrainingNetwork) -> Result<Option<Figures>, TrainError>;
}

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    /// Higher is better: what chooses the checkpoint.
    pub(crate) score: f64,
    /// Validation texts.
    pub(crate) texts: usize,
    /// By the names of the log.
    pub(crate) figures: Vec<(String, f64)>,
}
