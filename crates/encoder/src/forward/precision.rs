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

impl Precision {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::F32, Self::Int8];

    /// Its name in arguments.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Int8 => "int8",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::F32 => "As it was trained",
            Self::Int8 => "Weights and activations in eight bits: faster, and a little less exact",
        }
    }
}
