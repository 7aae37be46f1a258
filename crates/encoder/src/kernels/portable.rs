//! Tiles in plain Rust: the innermost loops as any machine runs them.

use super::lanes::multiply_add;
use super::tile::{Rows, Tile};

/// Columns of a panel.
const COLUMNS: usize = 16;
/// True if the target machine has a fused multiply-add: 64-bit Arm does.
const FUSED: bool = cfg!(target_arch = "aarch64");

/// The sums of some rows.
pub(super) fn tile_f32(rows: Rows<'_, f32>, panel: &[f32], tile: &mut Tile<f32>) {
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
pub(super) fn tile_i8(rows: Rows<'_, u8>, panel: &[i8], tile: &mut Tile<i32>) {
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
