//! The precision of a network's layers.

/// The number format of weights and activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// As transformers computes by default.
    #[default]
    F32,
    /// Weights in seven bits with a scale for each output, activations in eight with a scale for each row, exact sums.
    Int8,
}
