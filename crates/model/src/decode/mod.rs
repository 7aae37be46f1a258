//! Decoding: from the scores of a network's outputs to the labels of a prediction.
//!
//! `SetDecoder` decodes distributions over CWE sets, `LabelDecoder` scores of a checkpoint's own labels.

mod curated;
mod families;
mod labels;
mod links;
mod listing;
mod marginals;
mod rules;
mod sets;
mod severity;
mod spaces;
mod unions;

pub(crate) use curated::{CuratedBuffers, CuratedDecoder};
pub(crate) use labels::LabelDecoder;
use marginals::{LANES, LaneBuffer, Sums};
pub use marginals::{LabelLists, MarginalBuffer, Marginals};
pub use rules::DecisionRule;
pub(crate) use sets::SetDecoder;
pub(crate) use severity::{SeverityDecodeBuffers, SeverityDecoder};
pub use spaces::{LabelSpace, SpaceKind, refinements};
pub use unions::argmax;

/// Buffers of decoding; reused, they save allocations.
#[derive(Debug, Default)]
pub(crate) struct DecodeBuffers {
    beside: Beside,
    lists: ListBuffers,
}

/// Some texts side by side: their probabilities by set, and what these add up to in each space.
#[derive(Debug, Default)]
struct Beside {
    probabilities: Vec<[f32; LANES]>,
    cwe: Sums<LANES>,
    capec: Sums<LANES>,
    attack: Sums<LANES>,
    families: Sums<LANES>,
    /// True once those of families are added up, which few texts need.
    has_families: bool,
}

/// Buffers of one list of labels.
#[derive(Debug, Default)]
struct ListBuffers {
    marginals: LaneBuffer,
    answered: Vec<bool>,
    order: Vec<u32>,
    label_scores: Vec<f32>,
    ranks: Vec<u8>,
    by_output: Vec<bool>,
}
