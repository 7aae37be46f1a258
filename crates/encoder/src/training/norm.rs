//! Layer normalisation with what stands around it: dropout and the residual before, dropout after.
//!
//! Forwards `y = drop(γ x̂ + β)` with `x̂` the normalised `drop(x) + residual`. Backwards, with `g = γ dy`,
//! `dx = (g − mean g − x̂ · mean(g x̂)) / σ`.

use rayon::prelude::*;

use super::gradients::Gradients;
use super::noise::{Mask, Place};
use super::parameters::Parameters;
use super::table::Table;
use crate::forward::{LinearName, Share};
use crate::kernels::lanes::{fold, multiply_add};
use crate::kernels::{Isa, Vectorized, vectorized};

/// Rows whose sums for the weights' gradients are one; also what a thread takes.
const AT_ONCE: usize = 32;

/// A normalisation's weights and what stands around it.
#[derive(Clone, Copy)]
pub(super) struct Norm<'a> {
    pub(super) isa: Isa,
    pub(super) weight: &'a [f32],
    pub(super) bias: Option<&'a [f32]>,
    pub(super) epsilon: f32,
    /// The place of each row, for dropout.
    pub(super) places: &'a [Place],
    pub(super) before: Option<Mask>,
    pub(super) after: Option<Mask>,
}

/// The places of a normalisation's tensors among the parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct NormIds {
    pub(super) weight: usize,
    pub(super) bias: Option<usize>,
}

impl NormIds {
    pub(super) fn new(table: &Table, name: &LinearName) -> Self {
        Self { weight: table.id(&name.weight), bias: name.bias.as_ref().map(|bias| table.id(bias)) }
    }

    /// The normalisation of rows at some places, without dropout.
    pub(super) fn norm<'a>(
        self,
        isa: Isa,
        parameters: &'a Parameters,
        epsilon: f32,
        places: &'a [Place],
    ) -> Norm<'a> {
        let bias = self.bias.map(|bias| parameters.tensor(bias));
        let weight = parameters.tensor(self.weight);
        Norm { isa, weight, bias, epsilon, places, before: None, after: None }
    }
}

/// Activations that the backward pass needs: the normalised rows, and `1 / σ` of each.
#[derive(Debug, Default)]
pub(super) struct NormTape {
    pub(super) normalized: Vec<f32>,
    scales: Vec<f32>,
}

/// Partial sums of the weights' gradients.
#[derive(Debug, Default)]
pub(super) struct NormRoom {
    partial: Vec<f32>,
}

impl Norm<'_> {
    /// Normalises the rows in `tape.normalized` in place, after dropout and adding the residual's, and writes the outputs.
    pub(super) fn apply(&self, tape: &mut NormTape, residual: Option<&[f32]>, out: &mut Vec<f32>) {
        let width = self.weight.len();
        let NormTape { normalized, scales } = tape;
        out.resize(normalized.len(), 0.0);
        scales.resize(normalized.len() / width, 0.0);
        let chunks = normalized.par_chunks_mut(AT_ONCE * width).zip(out.par_chunks_mut(AT_ONCE * width));
        chunks.zip(scales.par_chunks_mut(AT_ONCE)).enumerate().for_each(|(at, ((rows, out), scales))| {
            let from = at * AT_ONCE * width;
            let residual = residual.map(|residual| &residual[from..from + rows.len()]);
            vectorized(self.isa, Forward { norm: self, from: at * AT_ONCE, rows, residual, out, scales });
        });
    }

    /// Turns the gradients in the outputs into those in the sums that were normalised, in place, and writes those in what
    /// was summed with the residual, which differ by dropout, to `inner`.
    pub(super) fn back(
        &self,
        tape: &NormTape,
        gradient: &mut [f32],
        inner: Option<&mut Vec<f32>>,
        (room, ids, gradients): (&mut NormRoom, NormIds, &mut Gradients),
    ) {
        let width = self.weight.len();
        let count = gradient.len() / width;
        room.partial.clear();
        room.partial.resize(count.div_ceil(AT_ONCE) * 2 * width, 0.0);
        let mut none = Vec::new();
        let inner = inner.map_or(&mut none, |inner| {
            inner.resize(count * width, 0.0);
            inner
        });
        let mut inner: Vec<Option<&mut [f32]>> = inner.chunks_mut(AT_ONCE * width).map(Some).collect();
        inner.resize_with(count.div_ceil(AT_ONCE), || None);
        let chunks = gradient.par_chunks_mut(AT_ONCE * width).zip(room.partial.par_chunks_mut(2 * width));
        chunks.zip(inner).enumerate().for_each(|(at, ((gradient, partial), inner))| {
            vectorized(self.isa, Backward { norm: self, tape, from: at * AT_ONCE, gradient, inner, partial });
        });
        for partial in room.partial.chunks_exact(2 * width) {
            let (weight, bias) = partial.split_at(width);
            gradients.add(ids.weight, Share::WHOLE, weight);
            if let Some(id) = ids.bias {
                gradients.add(id, Share::WHOLE, bias);
            }
        }
    }
}

struct Forward<'a> {
    norm: &'a Norm<'a>,
    from: usize,
    rows: &'a mut [f32],
    residual: Option<&'a [f32]>,
    out: &'a mut [f32],
    scales: &'a mut [f32],
}

impl Vectorized for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Norm { weight, bias, epsilon, places, before, after, .. } = *self.norm;
        let width = weight.len();
        let rows = self.rows.chunks_exact_mut(width).zip(self.out.chunks_exact_mut(width)).zip(self.scales);
        for (at, ((row, out), scale)) in rows.enumerate() {
            if let Some(mask) = before {
                mask.row(places[self.from + at]).apply(row);
            }
            if let Some(residual) = self.residual {
                let residual = &residual[at * width..][..width];
                row.iter_mut().zip(residual).for_each(|(number, residual)| *number += residual);
            }
            *scale = normalize::<FUSED>(row, epsilon);
            let scaled = out.iter_mut().zip(&*row).zip(weight);
            match bias {
                Some(bias) => scaled.zip(bias).for_each(|(((out, &number), &weight), &bias)| {
                    *out = multiply_add::<FUSED>(number, weight, bias);
                }),
                None => scaled.for_each(|((out, number), weight)| *out = number * weight),
            }
            if let Some(mask) = after {
                mask.row(places[self.from + at]).apply(out);
            }
        }
    }
}

/// Takes the mean from a row and divides it by its deviation; gives what it was multiplied with.
#[inline(always)]
fn normalize<const FUSED: bool>(row: &mut [f32], epsilon: f32) -> f32 {
    let count = row.len() as f32;
    let plus = |a, b| a + b;
    let mean = fold(row, 0.0, plus, plus) / count;
    let squares = |sum, x: f32| multiply_add::<FUSED>(x - mean, x - mean, sum);
    let scale = 1.0 / (fold(row, 0.0, squares, plus) / count + epsilon).sqrt();
    row.iter_mut().for_each(|number| *number = (*number - mean) * scale);
    scale
}

struct Backward<'a> {
    norm: &'a Norm<'a>,
    tape: &'a NormTape,
    from: usize,
    gradient: &'a mut [f32],
    inner: Option<&'a mut [f32]>,
    /// Sums for the weight, then for the bias.
    partial: &'a mut [f32],
}

impl Vectorized for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Norm { weight, places, before, after, .. } = *self.norm;
        let width = weight.len();
        let (of_weight, of_bias) = self.partial.split_at_mut(width);
        let mut inner = self.inner.map(|inner| inner.chunks_exact_mut(width));
        for (at, row) in self.gradient.chunks_exact_mut(width).enumerate() {
            let number = self.from + at;
            if let Some(mask) = after {
                mask.row(places[number]).apply(row);
            }
            let normalized = &self.tape.normalized[number * width..][..width];
            for (((dy, &x), of_weight), of_bias) in
                row.iter_mut().zip(normalized).zip(&mut *of_weight).zip(&mut *of_bias)
            {
                *of_weight = multiply_add::<FUSED>(*dy, x, *of_weight);
                *of_bias += *dy;
            }
            denormalize::<FUSED>(row, normalized, weight, self.tape.scales[number]);
            if let Some(inner) = inner.as_mut().and_then(Iterator::next) {
                inner.copy_from_slice(row);
                if let Some(mask) = before {
                    mask.row(places[number]).apply(inner);
                }
            }
        }
    }
}

/// The gradients in what was normalised, of those in the outputs, in place.
#[inline(always)]
fn denormalize<const FUSED: bool>(row: &mut [f32], normalized: &[f32], weight: &[f32], scale: f32) {
    let count = row.len() as f32;
    row.iter_mut().zip(weight).for_each(|(number, weight)| *number *= weight);
    let plus = |a, b| a + b;
    let mean = fold(row, 0.0, plus, plus) / count;
    let along = dot::<FUSED>(row, normalized) / count;
    for (number, &x) in row.iter_mut().zip(normalized) {
        *number = (multiply_add::<FUSED>(-x, along, *number) - mean) * scale;
    }
}

/// A scalar product with sixteen accumulators.
#[inline(always)]
pub(super) fn dot<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane = multiply_add::<FUSED>(a, b, *lane);
        }
    }
    for ((lane, &a), &b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane = multiply_add::<FUSED>(a, b, *lane);
    }
    fold(&lanes, 0.0, |a, b| a + b, |a, b| a + b)
}
