//! Memory that the layers of a forward pass share.

use crate::kernels::QuantizedRows;

/// Intermediate results of a layer, kept from layer to layer and from call to call.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) rows: Vec<f32>,
    pub(crate) normalized: Vec<f32>,
    pub(crate) projected: Vec<f32>,
    pub(crate) first: Vec<f32>,
    pub(crate) mixed: Vec<f32>,
    pub(crate) wide: Vec<f32>,
    pub(crate) narrow: Vec<f32>,
    pub(crate) bytes: QuantizedRows,
}
