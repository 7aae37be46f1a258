//! Tiles for AVX2 and AVX-512.
//!
//! They read rows and panels by pointers, and are measured to matter (the portable tiles run at a sixth of the speed):
//! [`Rows::new`] and the assertion at each tile's head bound every access.

#![expect(unsafe_code, reason = "vector loads by pointers; the file's head argues for them")]

use std::arch::x86_64::*;

use super::tile::{Rows, Tile};

/// Calls a tile for a number of rows that is known when it is compiled.
macro_rules! by_height {
    ($tile:ident, $rows:ident, $panel:ident, $out:ident, $($height:literal)*) => {
        match $rows.count {
            $($height => $tile::<$height>($rows, $panel, $out),)*
            _ => {}
        }
    };
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
pub(super) fn tile_f32_avx512(rows: Rows<'_, f32>, panel: &[f32], out: &mut Tile<f32>) {
    by_height!(tile_f32_avx512_of, rows, panel, out, 1 2 3 4 5 6 7 8 9 10 11 12);
}

/// `HEIGHT` rows by 32 columns: 24 of the 32 registers hold sums.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
fn tile_f32_avx512_of<const HEIGHT: usize>(rows: Rows<'_, f32>, panel: &[f32], out: &mut Tile<f32>) {
    assert!(rows.count == HEIGHT && panel.len() >= rows.inner * 32 && out.len() >= HEIGHT * 32);
    let mut sums = [[_mm512_setzero_ps(); 2]; HEIGHT];
    let (left, weights) = (rows.data.as_ptr(), panel.as_ptr());
    for at in 0..rows.inner {
        // SAFETY: `at` is below the inner dimension, so the assertion and `Rows::new` bound all three reads.
        let (first, second) =
            unsafe { (_mm512_loadu_ps(weights.add(at * 32)), _mm512_loadu_ps(weights.add(at * 32 + 16))) };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as above.
            let x = _mm512_set1_ps(unsafe { *left.add(row * rows.stride + at) });
            sums[0] = _mm512_fmadd_ps(x, first, sums[0]);
            sums[1] = _mm512_fmadd_ps(x, second, sums[1]);
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        // SAFETY: the assertion gives the tile room for `HEIGHT` rows of 32.
        unsafe {
            _mm512_storeu_ps(out.as_mut_ptr().add(row * 32), sums[0]);
            _mm512_storeu_ps(out.as_mut_ptr().add(row * 32 + 16), sums[1]);
        }
    }
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn tile_f32_avx2(rows: Rows<'_, f32>, panel: &[f32], out: &mut Tile<f32>) {
    by_height!(tile_f32_avx2_of, rows, panel, out, 1 2 3 4 5 6);
}

/// `HEIGHT` rows by 16 columns: 12 of the 16 registers hold sums.
#[target_feature(enable = "avx2,fma")]
fn tile_f32_avx2_of<const HEIGHT: usize>(rows: Rows<'_, f32>, panel: &[f32], out: &mut Tile<f32>) {
    assert!(rows.count == HEIGHT && panel.len() >= rows.inner * 16 && out.len() >= HEIGHT * 16);
    let mut sums = [[_mm256_setzero_ps(); 2]; HEIGHT];
    let (left, weights) = (rows.data.as_ptr(), panel.as_ptr());
    for at in 0..rows.inner {
        // SAFETY: `at` is below the inner dimension, so the assertion and `Rows::new` bound all three reads.
        let (first, second) =
            unsafe { (_mm256_loadu_ps(weights.add(at * 16)), _mm256_loadu_ps(weights.add(at * 16 + 8))) };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as above.
            let x = _mm256_set1_ps(unsafe { *left.add(row * rows.stride + at) });
            sums[0] = _mm256_fmadd_ps(x, first, sums[0]);
            sums[1] = _mm256_fmadd_ps(x, second, sums[1]);
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        // SAFETY: the assertion gives the tile room for `HEIGHT` rows of 16.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr().add(row * 16), sums[0]);
            _mm256_storeu_ps(out.as_mut_ptr().add(row * 16 + 8), sums[1]);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
pub(super) fn tile_i8_vnni(rows: Rows<'_, u8>, panel: &[i8], out: &mut Tile<i32>) {
    by_height!(tile_i8_vnni_of, rows, panel, out, 1 2 3 4 5 6 7 8 9 10 11 12);
}

/// `HEIGHT` rows by 32 columns, four inputs at a time.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
fn tile_i8_vnni_of<const HEIGHT: usize>(rows: Rows<'_, u8>, panel: &[i8], out: &mut Tile<i32>) {
    assert!(rows.count == HEIGHT && panel.len() >= rows.inner * 32 && out.len() >= HEIGHT * 32);
    let mut sums = [[_mm512_setzero_si512(); 2]; HEIGHT];
    let (left, weights) = (rows.data.as_ptr(), panel.as_ptr());
    for at in 0..rows.inner / 4 {
        // SAFETY: the four inputs from `4 · at` are below the inner dimension, so the assertion and `Rows::new` bound
        // all three reads.
        let (first, second) = unsafe {
            let line = weights.add(at * 128);
            (_mm512_loadu_si512(line.cast()), _mm512_loadu_si512(line.add(64).cast()))
        };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as above.
            let x = unsafe { left.add(row * rows.stride + at * 4).cast::<i32>().read_unaligned() };
            let x = _mm512_set1_epi32(x);
            sums[0] = _mm512_dpbusd_epi32(sums[0], x, first);
            sums[1] = _mm512_dpbusd_epi32(sums[1], x, second);
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        // SAFETY: the assertion gives the tile room for `HEIGHT` rows of 32.
        unsafe {
            _mm512_storeu_si512(out.as_mut_ptr().add(row * 32).cast(), sums[0]);
            _mm512_storeu_si512(out.as_mut_ptr().add(row * 32 + 16).cast(), sums[1]);
        }
    }
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn tile_i8_avx2(rows: Rows<'_, u8>, panel: &[i8], out: &mut Tile<i32>) {
    by_height!(tile_i8_avx2_of, rows, panel, out, 1 2 3 4 5 6);
}

/// `HEIGHT` rows by 16 columns, four inputs at a time. Two products of a byte and a weight of seven bits fit sixteen
/// bits, so `maddubs` is exact.
#[target_feature(enable = "avx2,fma")]
fn tile_i8_avx2_of<const HEIGHT: usize>(rows: Rows<'_, u8>, panel: &[i8], out: &mut Tile<i32>) {
    assert!(rows.count == HEIGHT && panel.len() >= rows.inner * 16 && out.len() >= HEIGHT * 16);
    let ones = _mm256_set1_epi16(1);
    let mut sums = [[_mm256_setzero_si256(); 2]; HEIGHT];
    let (left, weights) = (rows.data.as_ptr(), panel.as_ptr());
    for at in 0..rows.inner / 4 {
        // SAFETY: the four inputs from `4 · at` are below the inner dimension, so the assertion and `Rows::new` bound
        // all three reads.
        let (first, second) = unsafe {
            let line = weights.add(at * 64);
            (_mm256_loadu_si256(line.cast()), _mm256_loadu_si256(line.add(32).cast()))
        };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as above.
            let x = unsafe { left.add(row * rows.stride + at * 4).cast::<i32>().read_unaligned() };
            let x = _mm256_set1_epi32(x);
            let pairs = (_mm256_maddubs_epi16(x, first), _mm256_maddubs_epi16(x, second));
            sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(pairs.0, ones));
            sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(pairs.1, ones));
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        // SAFETY: the assertion gives the tile room for `HEIGHT` rows of 16.
        unsafe {
            _mm256_storeu_si256(out.as_mut_ptr().add(row * 16).cast(), sums[0]);
            _mm256_storeu_si256(out.as_mut_ptr().add(row * 16 + 8).cast(), sums[1]);
        }
    }
}
