//! Buffers of n-gram models.

use super::rows::WeightedRow;
use super::vocabulary::Vectorizer;

/// Buffers of n-gram models; reused, they allocate nothing.
#[derive(Debug, Default)]
pub(crate) struct NgramRoom {
    pub(crate) vectorizer: Vectorizer,
    pub(crate) weighted: Vec<WeightedRow>,
    pub(crate) hidden: Vec<f32>,
}
