//! Products of quantised activations by quantised weights.
//!
//! A row `x` is written as bytes `b` with `x ≈ step · b + least`, a column's weights as `scale · w`. Then
//! `Σ x w ≈ step · scale · Σ b w + least · scale · Σ w`: one exact sum of integers, and a second one known beforehand.

#![expect(unsafe_code, reason = "tiles of one product are apart from each other")]

use rayon::prelude::*;

use super::disjoint::DisjointRows;
use super::dispatch::{Vectorized, tile_i8, vectorized};
use super::isa::Isa;
use super::packed::PackedI8;
use super::product::{After, Plan, activate};
use super::rows;
use super::tile::{MOST_COLUMNS, MOST_ROWS, Rows};

/// Activations as bytes.
#[derive(Debug, Default)]
pub(crate) struct QuantizedRows {
    bytes: Vec<u8>,
    /// The step of each row's bytes, and the value of the byte 0.
    steps: Vec<(f32, f32)>,
    stride: usize,
    inner: usize,
}

impl QuantizedRows {
    /// Writes rows as bytes, over whatever was here.
    pub(crate) fn fill(&mut self, isa: Isa, rows: Rows<'_, f32>) {
        self.inner = rows.inner.next_multiple_of(4);
        // A stride that is not a power of two spreads rows over the cache's sets.
        self.stride = self.inner.next_multiple_of(64) + 64;
        self.bytes.resize(rows.count * self.stride, 0);
        self.steps.resize(rows.count, (0.0, 0.0));
        let quantize = |(at, (bytes, steps)): (usize, (&mut [u8], &mut (f32, f32)))| {
            let row = rows.row(at);
            bytes[row.len()..].fill(0);
            *steps = rows::quantize(isa, row, &mut bytes[..row.len()]);
        };
        self.bytes
            .par_chunks_exact_mut(self.stride)
            .zip(&mut self.steps)
            .enumerate()
            .with_min_len(rows::AT_ONCE)
            .for_each(quantize);
    }

    fn rows(&self) -> Rows<'_, u8> {
        Rows::new(&self.bytes, self.stride, self.steps.len(), self.inner)
    }
}

/// A task: some rows by some panels.
struct ByteBlock<'a> {
    left: &'a QuantizedRows,
    weights: &'a PackedI8,
    after: After<'a>,
    rows: std::ops::Range<usize>,
    panels: std::ops::Range<usize>,
    out: DisjointRows<'a>,
}

/// Writes `after(left · weights)` to `out`, whose rows are `stride` apart.
///
/// # Panics
/// When shapes do not fit each other; they come from a checked model.
pub(crate) fn quantized_product(
    left: &QuantizedRows,
    weights: &PackedI8,
    after: After<'_>,
    out: &mut [f32],
    stride: usize,
) {
    assert_eq!(left.inner, weights.padded_inner(), "the inner dimensions of a product agree");
    assert!(after.bias.is_none_or(|bias| bias.len() == weights.columns()), "one bias a column");
    let rows = left.steps.len();
    let out = DisjointRows::new(out, rows, weights.columns(), stride);
    let panels = weights.columns().div_ceil(weights.width());
    // Bytes are four times as many a vector, hence four times as fast.
    let work = rows * left.inner * weights.columns() / 4;
    let plan = Plan::new(rows, left.inner, weights.isa().byte_tile_rows(), panels, work);
    plan.run(|rows, panels| {
        vectorized(weights.isa().of_bytes(), ByteBlock { left, weights, after, rows, panels, out })
    });
}

impl Vectorized for ByteBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { left, weights, after, .. } = self;
        let (isa, width) = (weights.isa(), weights.width());
        let most = isa.byte_tile_rows();
        let mut sums = [0; MOST_ROWS * MOST_COLUMNS];
        for panel in self.panels {
            let from = panel * width;
            let count = width.min(weights.columns() - from);
            let columns = from..from + count;
            let (scales, offsets) = (&weights.scales()[columns.clone()], &weights.offsets()[columns.clone()]);
            let bias = after.bias.map(|bias| &bias[columns]);
            let mut row = self.rows.start;
            while row < self.rows.end {
                let height = most.min(self.rows.end - row);
                tile_i8(isa, left.rows().part(row, height), weights.panel(panel), &mut sums);
                for (at, sums) in sums.chunks_exact(width).enumerate().take(height) {
                    // SAFETY: `Plan::run` gives every pair of a row and a panel to one task, once.
                    let out = unsafe { self.out.row(row + at, from, count) };
                    let (step, least) = left.steps[row + at];
                    for (((out, &sum), &scale), &offset) in out.iter_mut().zip(sums).zip(scales).zip(offsets)
                    {
                        *out = sum as f32 * (step * scale) + least * offset;
                    }
                    if let Some(bias) = bias {
                        out.iter_mut().zip(bias).for_each(|(out, bias)| *out += bias);
                    }
                    activate::<FUSED>(after.activation, out);
                }
                row += height;
            }
        }
    }
}
