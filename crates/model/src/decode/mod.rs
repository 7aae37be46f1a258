//! Decoding: from the scores of a network's outputs to the labels of a prediction.
//!
//! `SetDecoder` decodes distributions over CWE sets, `LabelDecoder` scores of a checkpoint's own labels.

mod families;
mod labels;
mod links;
mod listing;
mod marginals;
mod rules;
mod sets;
mod spaces;
mod unions;

pub(crate) use labels::LabelDecoder;
pub use marginals::{LabelLists, MarginalBuffer, Marginals};
use marginals::{Sums, likely_sets};
pub use rules::DecisionRule;
pub(crate) use sets::SetDecoder;
pub use spaces::{LabelSpace, SpaceKind, refinements};
pub use unions::argmax;

/// Buffers of decoding; reused, they save allocations.
#[derive(Debug, Default)]
pub(crate) struct DecodeBuffers {
    /// The likely sets of the text, which all spaces share.
    likely: Vec<(u32, f32)>,
    sums: Sums,
    answered: Vec<bool>,
    order: Vec<u32>,
    label_scores: Vec<f32>,
    ranks: Vec<u8>,
    family_sums: Sums,
    by_output: Vec<bool>,
}
