//! Any loop over numbers, compiled for every instruction set.

use super::isa::Isa;

/// A loop with its arguments, which [`vectorized`] runs in the copy for the machine's instructions.
pub(crate) trait Vectorized {
    /// What it gives.
    type Output;

    /// The loop; to be marked `#[inline(always)]`, as only what is inlined is compiled anew. `FUSED` says whether the copy
    /// multiplies and adds in one instruction.
    fn run<const FUSED: bool>(self) -> Self::Output;
}

/// Runs a loop by the instructions of `isa`.
pub(crate) fn vectorized<T: Vectorized>(isa: Isa, task: T) -> T::Output {
    match isa {
        Isa::Portable => task.run::<false>(),
        #[cfg(target_arch = "x86_64")]
        isa => super::x86::vectorized(isa, task),
        #[cfg(not(target_arch = "x86_64"))]
        _ => task.run::<false>(),
    }
}
