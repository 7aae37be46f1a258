//! Functions of whole rows, by the instructions that the machine has, many rows at once.

use rayon::prelude::*;

use super::dispatch::{Vectorized, vectorized};
use super::isa::Isa;
use super::lanes;
use super::product::activate;
use crate::config::Activation;

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

by_isa! {
    /// Turns each head of a row by the angles of a position, of which `table` has the cosines and then the sines; back
    /// where `sign` is −1.
    rotate(row: &mut [f32], table: &[f32], sign: f32) -> ()
}
by_isa! {
    /// `out = row += other`.
    add_copy_row(row: &mut [f32], other: &[f32], out: &mut [f32]) -> ()
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

/// Layer normalisation of every row, into rows of their own.
pub(crate) fn normalize_to(isa: Isa, rows: &[f32], norm: &Norm, out: &mut [f32]) {
    let width = norm.weight.len();
    let each = |(row, out): (&[f32], &mut [f32])| {
        out.copy_from_slice(row);
        normalize_row(isa, out, &norm.weight, &norm.bias, norm.epsilon);
    };
    let pairs = rows.par_chunks_exact(width).zip(out.par_chunks_exact_mut(width));
    pairs.with_min_len(AT_ONCE).for_each(each);
}

/// Adds `others` to `rows`, row by row, and normalises the sums into rows of their own.
pub(crate) fn add_normalize_to(isa: Isa, rows: &mut [f32], others: &[f32], norm: &Norm, out: &mut [f32]) {
    let width = norm.weight.len();
    let each = |((row, other), out): ((&mut [f32], &[f32]), &mut [f32])| {
        add_copy_row(isa, row, other, out);
        normalize_row(isa, out, &norm.weight, &norm.bias, norm.epsilon);
    };
    let rows = rows.par_chunks_exact_mut(width).zip(others.par_chunks_exact(width));
    rows.zip(out.par_chunks_exact_mut(width)).with_min_len(AT_ONCE).for_each(each);
}

/// Adds `others` to `rows` of a width.
pub(crate) fn add(rows: &mut [f32], others: &[f32], width: usize) {
    let each = |(row, other): (&mut [f32], &[f32])| {
        row.iter_mut().zip(other).for_each(|(number, other)| *number += other);
    };
    let pairs = rows.par_chunks_exact_mut(width).zip(others.par_chunks_exact(width));
    pairs.with_min_len(AT_ONCE).for_each(each);
}

/// Multiplies the activated first half of the first `2 · inner` numbers of each row, `stride` apart, by the second.
pub(crate) fn gate(isa: Isa, rows: &mut [f32], stride: usize, inner: usize, activation: Activation) {
    let each = |row: &mut [f32]| {
        let (values, gates) = row[..2 * inner].split_at_mut(inner);
        vectorized(isa, Gate { values, gates, activation });
    };
    rows.par_chunks_mut(stride).with_min_len(AT_ONCE).for_each(each);
}

struct Gate<'a> {
    values: &'a mut [f32],
    gates: &'a [f32],
    activation: Activation,
}

impl Vectorized for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        activate::<FUSED>(Some(self.activation), self.values);
        self.values.iter_mut().zip(self.gates).for_each(|(value, gate)| *value *= gate);
    }
}
