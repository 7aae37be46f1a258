//! Linear layers: packed for both ways, and the gradients of their weights.

use rayon::prelude::*;

use super::gradients::Gradients;
use super::parameters::Parameters;
use super::table::Table;
use crate::forward::{LinearName, Share, padded};
use crate::kernels::lanes::fold;
use crate::kernels::{After, Factors, Isa, PackedF32, Rows, Vectorized, product, vectorized};

/// Longest inner dimension of a product in one piece: longer panels would not stay in a core's cache.
const INNER: usize = 2048;
/// Outputs that a thread transposes together.
const OUTS_AT_ONCE: usize = 32;

/// The places of a linear layer's tensors among the parameters, and its share of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinearIds {
    pub(super) weight: usize,
    pub(super) bias: Option<usize>,
    pub(super) share: Share,
    outs: usize,
}

impl LinearIds {
    pub(super) fn new(table: &Table, name: &LinearName) -> Self {
        let weight = table.id(&name.weight);
        let rows = table.tensors()[weight].shape.first().copied().unwrap_or_default();
        let bias = name.bias.as_ref().map(|bias| table.id(bias));
        Self { weight, bias, share: name.share, outs: rows / name.share.of }
    }
}

/// A linear layer, or several of the same input side by side, packed.
#[derive(Debug)]
pub(super) struct PackedLinear {
    ids: Vec<LinearIds>,
    isa: Isa,
    /// From inputs to outputs.
    forward: PackedF32,
    /// From gradients in the outputs to those in the inputs, in pieces along the outputs.
    backward: Vec<PackedF32>,
    /// Empty where there is none.
    bias: Vec<f32>,
    outs: usize,
}

impl PackedLinear {
    pub(super) fn new(isa: Isa, ids: &[LinearIds]) -> Self {
        let forward = PackedF32::with_room(isa, 0, 0);
        let outs = ids.iter().map(|ids| ids.outs).sum();
        Self { ids: ids.to_vec(), isa, forward, backward: Vec::new(), bias: Vec::new(), outs }
    }

    pub(super) fn ids(&self) -> &[LinearIds] {
        &self.ids
    }

    /// Outputs of all layers together.
    pub(super) fn outs(&self) -> usize {
        self.outs
    }

    /// Packs the parameters as they are now; for the backward pass only where it is asked for.
    pub(super) fn repack(&mut self, parameters: &Parameters, is_trained: bool) {
        self.bias.clear();
        let biases = self.ids.iter().filter_map(|ids| Some((ids.share, parameters.tensor(ids.bias?))));
        biases.for_each(|(share, bias)| self.bias.extend_from_slice(share.of_numbers(bias)));
        let parts: Vec<Rows<'_, f32>> = self.ids.iter().map(|ids| matrix(parameters, *ids)).collect();
        self.forward.repack_rows(&parts);
        if is_trained {
            let pieces: Vec<Vec<Rows<'_, f32>>> = match &parts[..] {
                [one] => (0..one.count)
                    .step_by(INNER)
                    .map(|from| vec![one.part(from, INNER.min(one.count - from))])
                    .collect(),
                _ => vec![parts],
            };
            self.backward.resize_with(pieces.len(), || PackedF32::with_room(self.isa, 0, 0));
            self.backward.iter_mut().zip(&pieces).for_each(|(packed, parts)| packed.repack_columns(parts));
        }
    }

    /// Writes the outputs to rows that are `stride` apart.
    pub(super) fn apply(&self, input: Rows<'_, f32>, out: &mut [f32], stride: usize) {
        let after = After { bias: (!self.bias.is_empty()).then_some(&self.bias[..]), ..After::default() };
        product(Factors { left: input, weights: &self.forward, after }, out, stride);
    }

    /// Writes, or adds, the gradients in the inputs to dense rows, from those in the outputs.
    pub(super) fn back(&self, gradient: Rows<'_, f32>, out: &mut [f32], adds: bool) {
        let inputs = self.backward.first().map_or(0, PackedF32::columns);
        self.back_to(gradient, (out, inputs), adds);
    }

    /// Writes the gradients in the inputs to rows that are `stride` apart.
    pub(super) fn back_strided(&self, gradient: Rows<'_, f32>, out: &mut [f32], stride: usize) {
        self.back_to(gradient, (out, stride), false);
    }

    fn back_to(&self, gradient: Rows<'_, f32>, (out, stride): (&mut [f32], usize), adds: bool) {
        let mut from = 0;
        for weights in &self.backward {
            let piece = columns(gradient, from, weights.inner());
            let after = After { adds: adds || from > 0, ..After::default() };
            product(Factors { left: piece, weights, after }, out, stride);
            from += weights.inner();
        }
    }
}

/// A layer's weights as rows, one for each output.
fn matrix(parameters: &Parameters, ids: LinearIds) -> Rows<'_, f32> {
    let weight = ids.share.of_numbers(parameters.tensor(ids.weight));
    let inner = weight.len() / ids.outs;
    Rows::new(weight, inner, ids.outs, inner)
}

/// Some columns of rows.
fn columns(rows: Rows<'_, f32>, from: usize, count: usize) -> Rows<'_, f32> {
    Rows::new(rows.data.get(from..).unwrap_or_default(), rows.stride, rows.count, count)
}

/// Room for the gradients of weights.
#[derive(Debug)]
pub(super) struct WeightRoom {
    isa: Isa,
    transposed: Vec<f32>,
    inputs: PackedF32,
    sums: Vec<f32>,
}

impl WeightRoom {
    pub(super) fn new(isa: Isa) -> Self {
        let inputs = PackedF32::with_room(isa, 0, 0);
        Self { isa, transposed: Vec::new(), inputs, sums: Vec::new() }
    }

    /// Adds the gradients of layers that made rows of outputs side by side from `input`.
    pub(super) fn add(
        &mut self,
        gradient: Rows<'_, f32>,
        input: Rows<'_, f32>,
        ids: &[LinearIds],
        gradients: &mut Gradients,
    ) {
        for from in (0..input.count).step_by(INNER) {
            let count = INNER.min(input.count - from);
            self.add_piece(gradient.part(from, count), input.part(from, count), ids, gradients);
        }
    }

    /// The same of rows that are few enough to go at once.
    fn add_piece(
        &mut self,
        gradient: Rows<'_, f32>,
        input: Rows<'_, f32>,
        ids: &[LinearIds],
        gradients: &mut Gradients,
    ) {
        let stride = padded(input.count);
        self.inputs.repack_columns(&[input]);
        self.transpose(gradient, stride);
        let mut from = 0;
        for ids in ids {
            let outs = ids.outs;
            let left = Rows::new(&self.transposed[from * stride..], stride, outs, input.count);
            let (weight, adds) = gradients.target(ids.weight, ids.share);
            let after = After { adds, ..After::default() };
            product(Factors { left, weights: &self.inputs, after }, weight, input.inner);
            if let Some(bias) = ids.bias {
                gradients.add(bias, ids.share, &self.sums[from..from + outs]);
            }
            from += outs;
        }
    }

    /// Writes the transposed gradients and the sum of each output's.
    fn transpose(&mut self, gradient: Rows<'_, f32>, stride: usize) {
        self.transposed.resize(gradient.inner * stride, 0.0);
        self.sums.resize(gradient.inner, 0.0);
        let transposed = self.transposed.par_chunks_mut(OUTS_AT_ONCE * stride);
        let chunks = transposed.zip(self.sums.par_chunks_mut(OUTS_AT_ONCE)).enumerate();
        chunks.for_each(|(at, (out, sums))| {
            let gradient = columns(gradient, at * OUTS_AT_ONCE, sums.len());
            vectorized(self.isa, Transposition { rows: gradient, stride, out, sums });
        });
    }
}

/// Transposes rows and sums up their columns.
struct Transposition<'a> {
    rows: Rows<'a, f32>,
    stride: usize,
    out: &'a mut [f32],
    sums: &'a mut [f32],
}

impl Vectorized for Transposition<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        transpose(self.rows, self.out, self.stride);
        for (sum, column) in self.sums.iter_mut().zip(self.out.chunks(self.stride)) {
            *sum = fold(&column[..self.rows.count], 0.0, |a, b| a + b, |a, b| a + b);
        }
    }
}

/// Writes the columns of rows as rows `stride` apart.
#[inline(always)]
pub(super) fn transpose(rows: Rows<'_, f32>, out: &mut [f32], stride: usize) {
    /// Rows and columns of a piece: a cache line.
    const PIECE: usize = 16;
    for first in (0..rows.count).step_by(PIECE) {
        let count = PIECE.min(rows.count - first);
        for (at, out) in out.chunks_mut(stride).enumerate().take(rows.inner) {
            for (number, slot) in out[first..first + count].iter_mut().enumerate() {
                *slot = rows.data[(first + number) * rows.stride + at];
            }
        }
    }
}
