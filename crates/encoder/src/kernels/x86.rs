//! The kernels for AVX2 and AVX-512, and the calls that choose between them.
//!
//! Two kinds of `unsafe` are here, and measured to matter (the portable tiles run at a sixth of the speed):
//! - functions compiled for instructions that not every machine has are called; an [`Isa`] above [`Isa::Portable`] is
//!   only ever made by [`Isa::detected`] and [`Isa::available`], which ask the processor;
//! - the tiles read rows and panels by pointers; [`Rows::new`] and the assertion at each tile's head bound them.

#![expect(unsafe_code, reason = "vector instructions; the file's head argues for both kinds of use")]

use std::arch::x86_64::*;

use super::dispatch::Vectorized;
use super::isa::Isa;
use super::lanes;
use super::product::{Block, block_f32 as block_of_f32};
use super::quantized::{ByteBlock, block_i8 as block_of_i8};
use super::tile::{Rows, Tile};

/// Defines a function of an [`Isa`] that calls its copy for AVX2 or for AVX-512.
macro_rules! copies {
    ($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?, $avx2:expr, $avx512:expr) => {
        pub(super) fn $name(isa: Isa, $($argument: $type),*) $(-> $result)? {
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $result)? { $avx2 }
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
            fn avx512($($argument: $type),*) $(-> $result)? { $avx512 }
            if isa >= Isa::Avx512 {
                // SAFETY: the processor has AVX-512, or the level could not have been made.
                unsafe { avx512($($argument),*) }
            } else {
                debug_assert!(isa == Isa::Avx2);
                // SAFETY: as above, of AVX2.
                unsafe { avx2($($argument),*) }
            }
        }
    };
}

copies!(softmax(row: &mut [f32], scale: f32),
    lanes::softmax::<true>(row, scale), lanes::softmax::<true>(row, scale));
copies!(normalize_row(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32),
    lanes::normalize_row::<true>(row, weight, bias, epsilon),
    lanes::normalize_row::<true>(row, weight, bias, epsilon));
copies!(add_normalize_row(row: &mut [f32], other: &[f32], weight: &[f32], bias: &[f32], epsilon: f32),
    lanes::add_normalize_row::<true>(row, other, weight, bias, epsilon),
    lanes::add_normalize_row::<true>(row, other, weight, bias, epsilon));
copies!(quantize(row: &[f32], out: &mut [u8]) -> (f32, f32),
    lanes::quantize::<true>(row, out), lanes::quantize::<true>(row, out));
copies!(tanh_row(row: &mut [f32]), lanes::tanh_row::<true>(row), lanes::tanh_row::<true>(row));
copies!(block_f32(block: &Block<'_>),
    block_of_f32::<true>(block, |rows, panel, out| tile_f32_avx2(rows, panel, out)),
    block_of_f32::<true>(block, |rows, panel, out| tile_f32_avx512(rows, panel, out)));

/// Any loop, in its copy for AVX2 or for AVX-512.
pub(super) fn vectorized<T: Vectorized>(isa: Isa, task: T) -> T::Output {
    #[target_feature(enable = "avx2,fma")]
    fn avx2<T: Vectorized>(task: T) -> T::Output {
        task.run::<true>()
    }
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
    fn avx512<T: Vectorized>(task: T) -> T::Output {
        task.run::<true>()
    }
    if isa >= Isa::Avx512 {
        // SAFETY: the processor has AVX-512, or the level could not have been made.
        unsafe { avx512(task) }
    } else {
        // SAFETY: every level above the portable one has AVX2.
        unsafe { avx2(task) }
    }
}

/// A task of bytes; of AVX-512 only VNNI brings anything for them.
pub(super) fn block_i8(isa: Isa, block: &ByteBlock<'_>) {
    #[target_feature(enable = "avx2,fma")]
    fn avx2(block: &ByteBlock<'_>) {
        block_of_i8::<true>(block, |rows, panel, out| tile_i8_avx2(rows, panel, out));
    }
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
    fn vnni(block: &ByteBlock<'_>) {
        block_of_i8::<true>(block, |rows, panel, out| tile_i8_vnni(rows, panel, out));
    }
    if isa == Isa::Avx512Vnni {
        // SAFETY: the processor has VNNI, or the level could not have been made.
        unsafe { vnni(block) }
    } else {
        // SAFETY: every level above the portable one has AVX2.
        unsafe { avx2(block) }
    }
}

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
fn tile_f32_avx512(rows: Rows<'_, f32>, panel: &[f32], out: &mut Tile<f32>) {
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
fn tile_f32_avx2(rows: Rows<'_, f32>, panel: &[f32], out: &mut Tile<f32>) {
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
fn tile_i8_vnni(rows: Rows<'_, u8>, panel: &[i8], out: &mut Tile<i32>) {
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
fn tile_i8_avx2(rows: Rows<'_, u8>, panel: &[i8], out: &mut Tile<i32>) {
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
