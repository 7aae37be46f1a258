//! A linear layer, in either precision.

use rayon::prelude::*;

use super::names::LinearName;
use super::precision::Precision;
use crate::config::Activation;
use crate::dtype::Dtype;
use crate::error::EncoderError;
use crate::kernels::{
    After, Factors, Isa, PackedF32, PackedI8, QuantizedRows, Rows, WEIGHT_LIMIT, product, quantized_product,
};
use crate::weights::Weights;

/// `y = W x + b`, packed for the machine's products.
#[derive(Debug)]
pub(crate) struct Linear {
    weights: Packed,
    bias: Option<Vec<f32>>,
}

#[derive(Debug)]
enum Packed {
    F32(PackedF32),
    I8(PackedI8),
}

/// A weight matrix of `[out, in]` in eight bits: `weight ≈ scale of its row · value`.
pub(crate) struct Quantized {
    pub(crate) values: Vec<i8>,
    pub(crate) scales: Vec<f32>,
}

/// Arguments of loading a layer.
#[derive(Clone, Copy)]
pub(crate) struct Loading<'a> {
    pub(crate) weights: &'a Weights,
    pub(crate) precision: Precision,
    pub(crate) isa: Isa,
}

impl Linear {
    /// Several layers of the same input as one: their outputs stand side by side. All have biases, or none has.
    pub(crate) fn load(
        loading: Loading<'_>,
        names: &[LinearName],
        inner: usize,
        outs: usize,
    ) -> Result<Self, EncoderError> {
        let bias = names.iter().map(|name| load_bias(loading.weights, name, outs).transpose());
        let bias: Vec<Vec<f32>> = bias.flatten().collect::<Result<_, _>>()?;
        let bias = (!bias.is_empty()).then(|| bias.concat());
        let is_stored = names.iter().any(|name| loading.weights.dtype(&name.weight) == Some(Dtype::I8));
        let weights = if is_stored || loading.precision == Precision::Int8 {
            let parts =
                names.par_iter().map(|name| stored_or_quantized(loading.weights, name, [outs, inner]));
            let parts = parts.collect::<Result<Vec<_>, EncoderError>>()?;
            let parts: Vec<_> = parts.iter().map(|part| (&part.values[..], &part.scales[..])).collect();
            Packed::I8(PackedI8::new(loading.isa, inner, &parts))
        } else {
            let tensors =
                names.iter().map(|name| loading.weights.f32(&name.weight, &[outs * name.share.of, inner]));
            let tensors = tensors.collect::<Result<Vec<_>, _>>()?;
            let parts = names.iter().zip(&tensors).map(|(name, tensor)| name.share.of_numbers(tensor));
            let parts: Vec<&[f32]> = parts.collect();
            Packed::F32(PackedF32::new(loading.isa, inner, &parts))
        };
        Ok(Self { weights, bias })
    }

    /// Writes the layer's outputs, after an activation, to `out`, whose rows are `stride` apart. `bytes` is room that
    /// the quantised product needs.
    pub(crate) fn apply(
        &self,
        input: Rows<'_, f32>,
        activation: Option<Activation>,
        out: &mut [f32],
        stride: usize,
        bytes: &mut QuantizedRows,
    ) {
        let after = After { bias: self.bias.as_deref(), activation, ..After::default() };
        match &self.weights {
            Packed::F32(weights) => product(Factors { left: input, weights, after }, out, stride),
            Packed::I8(weights) => {
                bytes.fill(weights.isa(), input);
                quantized_product(bytes, weights, after, out, stride);
            }
        }
    }
}

/// The name of the scales of a stored quantised tensor.
pub(crate) fn scale_name(weight: &str) -> String {
    format!("{weight}_scale")
}

/// A layer's bias, if it has one.
fn load_bias(weights: &Weights, name: &LinearName, outs: usize) -> Result<Option<Vec<f32>>, EncoderError> {
    let Some(bias) = &name.bias else { return Ok(None) };
    let all = weights.f32(bias, &[outs * name.share.of])?;
    Ok(Some(name.share.of_numbers(&all).to_vec()))
}

/// A layer's matrix in eight bits, as the file has it or made from its numbers.
fn stored_or_quantized(
    weights: &Weights,
    name: &LinearName,
    [outs, inner]: [usize; 2],
) -> Result<Quantized, EncoderError> {
    let shape = [outs * name.share.of, inner];
    if weights.dtype(&name.weight) == Some(Dtype::I8) {
        let values = weights.i8(&name.weight, &shape)?;
        let scales = weights.f32(&scale_name(&name.weight), &shape[..1])?;
        // The kernels' exactness rests on seven bits; a hostile file must not break it.
        let values = name.share.of_numbers(&values).iter();
        let values = values.map(|value| (*value).clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT)).collect();
        return Ok(Quantized { values, scales: name.share.of_numbers(&scales).to_vec() });
    }
    let numbers = weights.f32(&name.weight, &shape)?;
    Ok(quantize(name.share.of_numbers(&numbers), inner, WEIGHT_LIMIT))
}

/// Rounds every row of a matrix to whole multiples of its own scale, at most `limit` of them.
pub(crate) fn quantize(matrix: &[f32], inner: usize, limit: i8) -> Quantized {
    let mut values = vec![0; matrix.len()];
    let mut scales = vec![0.0; matrix.len() / inner.max(1)];
    let rows = matrix.par_chunks_exact(inner.max(1)).zip(values.par_chunks_exact_mut(inner.max(1)));
    rows.zip(&mut scales).for_each(|((row, values), scale)| {
        let greatest = row.iter().fold(0.0_f32, |greatest, weight| greatest.max(weight.abs()));
        let inverse = if greatest > 0.0 { f32::from(limit) / greatest } else { 0.0 };
        *scale = greatest / f32::from(limit);
        for (value, weight) in values.iter_mut().zip(row) {
            // Magnitudes are at most the limit, so the cast is exact.
            *value = (weight * inverse).round() as i8;
        }
    });
    Quantized { values, scales }
}
