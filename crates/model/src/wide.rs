//! Wide vectors: any loop over numbers, compiled once more for AVX2, and the one choice between the two.
//!
//! The copies differ in speed alone. Each number goes through the same additions and multiplications in the same order,
//! and none of these are fused: every machine gives the same bits.
//!
//! The `unsafe` here calls the copy for AVX2, after the processor was asked whether it has it.

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calls a copy for instructions that were detected; see above")
)]

/// A loop with its arguments.
pub(crate) trait Wide {
    /// The loop's result.
    type Output;

    /// The loop; to be marked `#[inline(always)]`, as only inlined code is compiled anew.
    fn run(self) -> Self::Output;
}

/// Runs a loop with the widest vectors that the machine has of those that it is compiled for.
#[cfg(target_arch = "x86_64")]
pub(crate) fn wide<T: Wide>(task: T) -> T::Output {
    #[target_feature(enable = "avx2")]
    fn avx2<T: Wide>(task: T) -> T::Output {
        task.run()
    }
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { avx2(task) };
    }
    task.run()
}

/// Runs a loop with the vectors that every machine of the architecture has.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn wide<T: Wide>(task: T) -> T::Output {
    task.run()
}
