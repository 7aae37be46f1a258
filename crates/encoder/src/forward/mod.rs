//! The forward pass, over sequences that are packed end to end.
//!
//! There is no padding anywhere: a batch is one long list of tokens, products go over all of them at once, and attention
//! runs within each sequence. The last layer is only computed where the head reads it, at each sequence's first token.

mod attention;
mod embeddings;
mod head;
mod layer;
mod linear;
mod names;
mod network;

pub(crate) use layer::padded;
pub(crate) use linear::{Loading, quantize, scale_name};
pub(crate) use names::{LayerNames, LinearName, Names, TensorUse, expected_tensors, is_ignored};
pub(crate) use network::{Buffers, Network, Sequences};
