//! The objective of a run, as the loop sees it: a loss to minimise, and an evaluation to choose checkpoints by.

use vulnlens_encoder::training::{Gradients, Noise, TrainingNetwork};

use crate::error::TrainError;

/// Texts that go through the network together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MicroBatch<'a> {
    /// Places of the texts among those that are trained on.
    pub(crate) texts: &'a [usize],
    /// The pass over the texts.
    pub(crate) epoch: u64,
    /// Dropout.
    pub(crate) noise: Option<&'a Noise>,
    /// Rows of the whole batch, whose mean its loss is.
    pub(crate) rows: usize,
}

/// The texts, the loss and the evaluation of a run.
pub(crate) trait Objective {
    /// Tokens of each text.
    fn lengths(&self) -> &[usize];

    /// How many of the texts have more tokens than are read.
    fn cut(&self) -> usize;

    /// How many texts an evaluation looks at.
    fn validation_texts(&self) -> usize;

    /// Rows of some texts, whose mean their loss is.
    fn rows(&self, texts: &[usize], epoch: u64) -> usize;

    /// Adds the gradients of a micro-batch, and gives its share of the batch's loss.
    fn learn(&self, network: &mut TrainingNetwork, part: MicroBatch<'_>, gradients: &mut Gradients) -> f64;

    /// Looks at validation texts, if there are any.
    fn evaluate(&self, network: &mut TrainingNetwork) -> Result<Option<Figures>, TrainError>;
}

/// The figures of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    /// The figure that chooses the checkpoint; higher is better.
    pub(crate) score: f64,
    /// Validation texts.
    pub(crate) texts: usize,
    /// By the names of the log.
    pub(crate) figures: Vec<(String, f64)>,
}
