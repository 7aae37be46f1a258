//! Functions of whole rows, by the instructions that the machine has, many rows at once.

use rayon::prelude::*;

use super::dispatch::{Vectorized, vectorized};
use super::isa::Isa;
use super::lanes;

/// Rows that are worth a thread of their own.
pub(crate) const AT_ONCE: usize = 16;

/// Defines a function of an [`Isa`] that runs a function of [`lanes`] in the copy for its instructions.
macro_rules! by_isa {
    ($(#[$about:meta])* $name:ident($($argument:ident: $type:ty),*) -> $result:ty) => {
        $(#[$about])*
        pub(crate) fn $name(isa: Isa, $($argument: $type),*) -> $result {
            struct Arguments<T>(T);
            impl Vectorized for Arguments<($($type,)*)> {
                type Output = $result;

                #[inline(always)]
                fn run<const FUSED: bool>(self) -> $result {
                    let ($($argument,)*) = self.0;
                    lanes::$name::<FUSED>($($argument),*)
                }
            }
            vectorized(isa, Arguments(($($argument,)*)))
        }
    };
}

by_isa! {
    /// Softmax of `scale · row`, in place.
    softmax(row: &mut [f32], scale: f32) -> ()
}
by_isa! {
    /// Layer normalisation of a row, in place.
    normalize_row(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) -> ()
}
by_isa! {
    /// A row as bytes; gives a byte's step and what the byte 0 stands for.
    quantize(row: &[f32], out: &mut [u8]) -> (f32, f32)
}
by_isa! {
    /// `tanh` of every number, in place.
    tanh_row(row: &mut [f32]) -> ()
}
by_isa! {
    /// `row += other`, then layer normalisation.
    add_normalize_row(row: &mut [f32], other: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) -> ()
}

/// The weights of a layer normalisation.
#[derive(Debug)]
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) epsilon: f32,
}

/// Layer normalisation of every row.
pub(crate) fn normalize(isa: Isa, rows: &mut [f32], norm: &Norm) {
    let each = |row: &mut [f32]| normalize_row(isa, row, &norm.weight, &norm.bias, norm.epsilon);
    rows.par_chunks_exact_mut(norm.weight.len()).with_min_len(AT_ONCE).for_each(each);
}

/// Adds `others` to `rows`, row by row, and normalises the sums.
pub(crate) fn add_normalize(isa: Isa, rows: &mut [f32], others: &[f32], norm: &Norm) {
    let width = norm.weight.len();
    let each = |(row, other): (&mut [f32], &[f32])| {
        add_normalize_row(isa, row, other, &norm.weight, &norm.bias, norm.epsilon);
    };
    let pairs = rows.par_chunks_exact_mut(width).zip(others.par_chunks_exact(width));
    pairs.with_min_len(AT_ONCE).for_each(each);
}
