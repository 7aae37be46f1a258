//! Tiles in plain Rust: the innermost loops as any machine runs them.
//!
//! A tile is some rows of the left matrix times one panel of packed weights. Its sums are written to a small array,
//! row by row; what is done with them afterwards is the same for all instruction sets.

use super::lanes::multiply_add;

/// Rows that any tile has at most.
pub(crate) const MOST_ROWS: usize = 12;
/// Columns that any panel has at most.
pub(crate) const MOST_COLUMNS: usize = 32;
/// Room for the sums of any tile.
pub(crate) type Tile<T> = [T; MOST_ROWS * MOST_COLUMNS];

/// Columns of a panel here.
const COLUMNS: usize = 16;
/// Whether the machine that this is built for has a fused multiply-add: 64-bit Arm does.
const FUSED: bool = cfg!(target_arch = "aarch64");

/// Some rows of a left matrix: `count` rows of `inner` numbers, each `stride` behind the one before.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) stride: usize,
    pub(crate) count: usize,
    pub(crate) inner: usize,
}

impl<'a, T> Rows<'a, T> {
    /// Rows in a slice.
    ///
    /// # Panics
    /// When the slice is shorter than its shape.
    pub(crate) fn new(data: &'a [T], stride: usize, count: usize, inner: usize) -> Self {
        assert!(inner <= stride && (count == 0 || data.len() >= (count - 1) * stride + inner));
        Self { data, stride, count, inner }
    }

    /// `count` rows from row `from` on.
    pub(crate) fn part(&self, from: usize, count: usize) -> Self {
        Self::new(&self.data[from * self.stride..], self.stride, count, self.inner)
    }

    /// One row.
    pub(crate) fn row(&self, row: usize) -> &'a [T] {
        &self.data[row * self.stride..][..self.inner]
    }
}

/// The sums of some rows.
#[inline(always)]
pub(crate) fn tile_f32(rows: Rows<'_, f32>, panel: &[f32], tile: &mut Tile<f32>) {
    for (row, out) in tile.chunks_exact_mut(COLUMNS).enumerate().take(rows.count) {
        let mut sums = [0.0; COLUMNS];
        let (weights, _) = panel.as_chunks::<COLUMNS>();
        for (&x, weights) in rows.row(row).iter().zip(weights) {
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum = multiply_add::<FUSED>(x, weight, *sum);
            }
        }
        out.copy_from_slice(&sums);
    }
}

/// The exact sums of bytes times signed bytes; the panel has groups of four along the inner dimension, column by column.
#[inline(always)]
pub(crate) fn tile_i8(rows: Rows<'_, u8>, panel: &[i8], tile: &mut Tile<i32>) {
    for (row, out) in tile.chunks_exact_mut(COLUMNS).enumerate().take(rows.count) {
        let mut sums = [0_i32; COLUMNS];
        let (groups, _) = rows.row(row).as_chunks::<4>();
        let (weights, _) = panel.as_chunks::<{ 4 * COLUMNS }>();
        for (group, weights) in groups.iter().zip(weights) {
            let (columns, _) = weights.as_chunks::<4>();
            for (sum, column) in sums.iter_mut().zip(columns) {
                let products = group.iter().zip(column).map(|(&x, &weight)| i32::from(x) * i32::from(weight));
                *sum += products.sum::<i32>();
            }
        }
        out.copy_from_slice(&sums);
    }
}
