//! The one choice of instructions: any loop over numbers, compiled for every instruction set, and the tiles of products.
//!
//! The `unsafe` here calls functions that are compiled for instructions which not every machine has. An [`Isa`] above
//! [`Isa::Portable`] is only ever made by [`Isa::detected`] and [`Isa::available`], which ask the processor.

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calls copies for instructions that were detected; see above")
)]

use super::isa::Isa;
use super::portable;
use super::tile::{Rows, Tile};
#[cfg(target_arch = "x86_64")]
use super::x86;

/// A loop with its arguments, which [`vectorized`] runs in the copy for the machine's instructions.
pub(crate) trait Vectorized {
    /// The loop's result.
    type Output;

    /// The loop; to be marked `#[inline(always)]`, as only inlined code is compiled anew. `FUSED` says whether the copy
    /// multiplies and adds in one instruction.
    fn run<const FUSED: bool>(self) -> Self::Output;
}

/// Runs a loop by the instructions of `isa`.
pub(crate) fn vectorized<T: Vectorized>(isa: Isa, task: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn avx2<T: Vectorized>(task: T) -> T::Output {
        task.run::<true>()
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
    fn avx512<T: Vectorized>(task: T) -> T::Output {
        task.run::<true>()
    }
    match isa {
        Isa::Portable => task.run::<false>(),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2, or the level could not have been made.
        Isa::Avx2 => unsafe { avx2(task) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above, of AVX-512.
        Isa::Avx512 | Isa::Avx512Vnni => unsafe { avx512(task) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => task.run::<false>(),
    }
}

/// The sums of some rows by a panel of `f32`.
#[inline]
pub(super) fn tile_f32(isa: Isa, rows: Rows<'_, f32>, panel: &[f32], out: &mut Tile<f32>) {
    match isa {
        Isa::Portable => portable::tile_f32(rows, panel, out),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2, or the level could not have been made.
        Isa::Avx2 => unsafe { x86::tile_f32_avx2(rows, panel, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above, of AVX-512.
        Isa::Avx512 | Isa::Avx512Vnni => unsafe { x86::tile_f32_avx512(rows, panel, out) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => portable::tile_f32(rows, panel, out),
    }
}

/// The exact sums of some rows by a panel of bytes.
#[inline]
pub(super) fn tile_i8(isa: Isa, rows: Rows<'_, u8>, panel: &[i8], out: &mut Tile<i32>) {
    match isa {
        Isa::Portable => portable::tile_i8(rows, panel, out),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2, or the level could not have been made.
        Isa::Avx2 | Isa::Avx512 => unsafe { x86::tile_i8_avx2(rows, panel, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above, of VNNI.
        Isa::Avx512Vnni => unsafe { x86::tile_i8_vnni(rows, panel, out) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => portable::tile_i8(rows, panel, out),
    }
}
