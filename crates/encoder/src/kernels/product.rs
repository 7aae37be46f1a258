//! Products of activations by packed weights, and what is done with the sums while they are in the cache.

#![expect(unsafe_code, reason = "tiles of one product are apart from each other")]

use std::ops::Range;

use rayon::prelude::*;

use super::disjoint::DisjointRows;
use super::dispatch::{Vectorized, tile_f32, vectorized};
use super::lanes;
use super::packed::PackedF32;
use super::tile::{MOST_COLUMNS, MOST_ROWS, Rows};
use crate::config::Activation;

/// Bytes of the left matrix that a task goes over again for every panel: they should stay in a core's own cache.
const LEFT_BYTES: usize = 512 << 10;
/// Multiply-adds below which a product is not worth a second thread.
const SMALL: usize = 1 << 17;

/// The treatment of a product's sums: `activation(sums + bias)`, or the sums added to the output.
#[derive(Clone, Copy, Default)]
pub(crate) struct After<'a> {
    /// One number a column.
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) activation: Option<Activation>,
    /// Adds the sums, without bias or activation, to what stands in their place.
    pub(crate) adds: bool,
}

/// A product `left · weights`.
#[derive(Clone, Copy)]
pub(crate) struct Factors<'a> {
    pub(crate) left: Rows<'a, f32>,
    pub(crate) weights: &'a PackedF32,
    pub(crate) after: After<'a>,
}

/// A part of packed weights.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) inner: Range<usize>,
    /// They begin with a panel.
    pub(crate) columns: Range<usize>,
}

/// A task: some rows of the left matrix by some panels of the part of the weights that counts.
struct Block<'a> {
    factors: Factors<'a>,
    rows: Range<usize>,
    panels: Range<usize>,
    part: Part,
    out: DisjointRows<'a>,
}

/// Rows and panels of tasks.
pub(crate) struct Plan {
    rows: usize,
    row_step: usize,
    panels: usize,
    panel_step: usize,
}

impl Plan {
    /// Cuts a product of `rows × panels` tiles so that there are some tasks for each thread, each as square as the cache
    /// allows. How it is cut cannot change a bit of the result.
    pub(crate) fn new(rows: usize, row_bytes: usize, tile_rows: usize, panels: usize, work: usize) -> Self {
        let in_cache = (LEFT_BYTES / row_bytes.max(1)).max(tile_rows) / tile_rows * tile_rows;
        let blocks = rows.div_ceil(in_cache).max(1);
        let row_step = rows.div_ceil(blocks).next_multiple_of(tile_rows);
        let threads = rayon::current_num_threads();
        let wanted = if work < SMALL || threads == 1 { 1 } else { (threads * 4).div_ceil(blocks) };
        Self { rows, row_step, panels, panel_step: panels.div_ceil(wanted).max(1) }
    }

    /// Runs every task.
    pub(crate) fn run(&self, task: impl Fn(Range<usize>, Range<usize>) + Sync) {
        let across = self.panels.div_ceil(self.panel_step);
        let one = |number: usize| {
            let (row, panel) = (number / across * self.row_step, number % across * self.panel_step);
            let rows = row..(row + self.row_step).min(self.rows);
            task(rows, panel..(panel + self.panel_step).min(self.panels));
        };
        match self.rows.div_ceil(self.row_step.max(1)) * across {
            0 => {}
            1 => one(0),
            tasks => (0..tasks).into_par_iter().with_max_len(1).for_each(one),
        }
    }
}

/// Writes `after(left · weights)` to `out`, whose rows are `stride` apart.
///
/// # Panics
/// When shapes do not fit each other; they come from a checked model.
pub(crate) fn product(factors: Factors<'_>, out: &mut [f32], stride: usize) {
    let Factors { left, weights, after } = factors;
    assert_eq!(left.inner, weights.inner(), "the inner dimensions of a product agree");
    assert!(after.bias.is_none_or(|bias| bias.len() == weights.columns()), "one bias a column");
    let out = DisjointRows::new(out, left.count, weights.columns(), stride);
    let panels = weights.columns().div_ceil(weights.width());
    let work = left.count * left.inner * weights.columns();
    let plan = Plan::new(left.count, left.inner * 4, weights.isa().tile_rows(), panels, work);
    plan.run(|rows, panels| {
        let part = Part { inner: 0..left.inner, columns: 0..weights.columns() };
        vectorized(weights.isa(), Block { factors, rows, panels, part, out });
    });
}

/// The same on the caller's thread alone, for products that are small and many.
///
/// # Panics
/// As [`product`].
#[cfg(any(test, feature = "training"))]
pub(crate) fn product_alone(factors: Factors<'_>, out: &mut [f32], stride: usize) {
    let Factors { left, weights, .. } = factors;
    let part = Part { inner: 0..weights.inner(), columns: 0..weights.columns() };
    assert_eq!(left.inner, weights.inner(), "the inner dimensions of a product agree");
    product_part(factors, part, out, stride);
}

/// The product by a part of the weights, on the caller's thread alone; the first of its columns is the first of the output.
///
/// # Panics
/// As [`product`], and when the part is not in the weights, or does not begin with a panel.
pub(crate) fn product_part(factors: Factors<'_>, part: Part, out: &mut [f32], stride: usize) {
    let Factors { left, weights, .. } = factors;
    let (isa, width) = (weights.isa(), weights.width());
    assert!(
        left.inner == part.inner.len() && part.inner.end <= weights.inner(),
        "the inner dimensions agree"
    );
    assert!(
        part.columns.start.is_multiple_of(width) && part.columns.end <= weights.columns(),
        "whole panels"
    );
    let out = DisjointRows::new(out, left.count, part.columns.len(), stride);
    let panels = part.columns.start / width..part.columns.end.div_ceil(width);
    vectorized(isa, Block { factors, rows: 0..left.count, panels, part, out });
}

impl Vectorized for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Factors { left, weights, after } = self.factors;
        let (isa, width) = (weights.isa(), weights.width());
        let Part { inner, columns } = self.part;
        let most = isa.tile_rows();
        let mut sums = [0.0; MOST_ROWS * MOST_COLUMNS];
        for panel in self.panels {
            let from = panel * width;
            let count = width.min(columns.end - from);
            let bias = after.bias.map(|bias| &bias[from..from + count]);
            let packed = &weights.panel(panel)[inner.start * width..inner.end * width];
            let mut row = self.rows.start;
            while row < self.rows.end {
                let height = most.min(self.rows.end - row);
                tile_f32(isa, left.part(row, height), packed, &mut sums);
                for (at, sums) in sums.chunks_exact(width).enumerate().take(height) {
                    // SAFETY: `Plan::run` gives every pair of a row and a panel to one task, once.
                    let out = unsafe { self.out.row(row + at, from - columns.start, count) };
                    if after.adds {
                        out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                    } else {
                        finish::<FUSED>(&sums[..count], bias, after.activation, out);
                    }
                }
                row += height;
            }
        }
    }
}

/// Bias and activation.
#[inline(always)]
fn finish<const FUSED: bool>(
    sums: &[f32],
    bias: Option<&[f32]>,
    activation: Option<Activation>,
    out: &mut [f32],
) {
    match bias {
        None => out.copy_from_slice(sums),
        Some(bias) => out.iter_mut().zip(sums).zip(bias).for_each(|((out, sum), bias)| *out = sum + bias),
    }
    activate::<FUSED>(activation, out);
}

/// An activation, in place.
#[inline(always)]
pub(crate) fn activate<const FUSED: bool>(activation: Option<Activation>, row: &mut [f32]) {
    match activation {
        None => {}
        Some(Activation::Gelu) => lanes::map(row, lanes::gelu::<FUSED>),
        Some(Activation::GeluTanh) => lanes::map(row, lanes::gelu_tanh::<FUSED>),
        Some(Activation::Relu) => lanes::map(row, |x| if x > 0.0 { x } else { 0.0 }),
        Some(Activation::Silu) => lanes::map(row, lanes::silu::<FUSED>),
    }
}
