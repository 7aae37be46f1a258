//! Settings of a network in training.

use super::table::{Part, TensorSpec, Training};
use crate::kernels::Isa;

/// Settings that a network in training keeps from beginning to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainingSettings {
    /// The task.
    pub training: Training,
    /// Keeps only each layer's input in the forward pass and computes the rest anew in the backward pass: a third more time, for
    /// memory of one layer instead of all. Gradients are the same bits.
    pub recompute: bool,
    /// `Some(n)`: embeddings and the lowest `n` layers stay as they are; their gradients are zero.
    pub frozen_layers: Option<usize>,
    /// The instructions to use.
    pub isa: Isa,
}

impl TrainingSettings {
    /// Everything is trained, nothing computed anew, with the widest instructions that the machine has.
    #[must_use]
    pub fn new(training: Training) -> Self {
        Self { training, recompute: false, frozen_layers: None, isa: Isa::detected() }
    }

    /// True if a tensor is trained.
    #[must_use]
    pub fn is_trained(&self, tensor: &TensorSpec) -> bool {
        match (self.frozen_layers, tensor.part) {
            (None, _) | (_, Part::Head) => true,
            (Some(_), Part::Embeddings) => false,
            (Some(frozen), Part::Layer(number)) => number >= frozen,
        }
    }

    /// The tape that a layer writes: one for all where they are computed anew, and frozen layers, which have no backward pass,
    /// share that of the lowest trained one.
    pub(super) fn tape(&self, layer: usize) -> usize {
        if self.recompute { 0 } else { layer.saturating_sub(self.frozen_layers.unwrap_or(0)) }
    }
}
