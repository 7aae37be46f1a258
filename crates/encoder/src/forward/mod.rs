//! The forward pass, over sequences that are packed end to end.
//!
//! There is no padding anywhere: a batch is one long list of tokens, products go over all of them at once, and attention
//! runs within each sequence. The last layer is only computed where the head reads it, at each sequence's first token.

mod attention;
mod buffers;
mod check;
mod distances;
mod embeddings;
mod head;
mod layer;
mod linear;
mod names;
mod network;
mod precision;
mod rotations;
mod sequences;

pub(crate) use buffers::Buffers;
pub(crate) use check::{check, is_bare};
#[cfg(feature = "training")]
pub(crate) use head::means;
#[cfg(feature = "training")]
pub(crate) use layer::padded;
pub(crate) use linear::{Loading, quantize, scale_name};
#[cfg(feature = "training")]
pub(crate) use names::{LayerNames, LinearName, MaskedNames, Names, Share};
pub(crate) use names::{TensorUse, expected_tensors};
pub(crate) use network::Network;
pub use precision::Precision;
#[cfg(feature = "training")]
pub(crate) use rotations::{Direction, Rotations};
pub(crate) use sequences::Sequences;
