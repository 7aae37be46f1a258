//! Gated activations, forwards and backwards: the function of the first half of a row times its second half.

use rayon::prelude::*;

use super::activation::{self, Backward};
use crate::config::HeadFunction;
use crate::kernels::{Isa, Vectorized, vectorized};

/// Rows that are worth a thread of their own.
const AT_ONCE: usize = 16;

/// Writes the gated values of rows of `2 · inner` numbers, `stride` apart, to the first `inner` of rows as far apart.
pub(super) fn apply(
    isa: Isa,
    function: HeadFunction,
    (before, stride): (&[f32], usize),
    inner: usize,
    after: &mut [f32],
) {
    let rows = before.par_chunks(stride).zip(after.par_chunks_mut(stride)).with_min_len(AT_ONCE);
    rows.for_each(|(before, after)| {
        let (values, gates) = before[..2 * inner].split_at(inner);
        activation::apply_alone(isa, function, values, &mut after[..inner]);
        after[..inner].iter_mut().zip(gates).for_each(|(after, gate)| *after *= gate);
    });
}

/// Turns the gradients in the gated values, the first `inner` of each row, into those in the rows that these are of, and
/// writes the values anew to `after`.
pub(super) fn back(
    isa: Isa,
    function: HeadFunction,
    (before, stride): (&[f32], usize),
    inner: usize,
    (gradient, after): (&mut [f32], &mut [f32]),
) {
    let rows = before.par_chunks(stride).zip(gradient.par_chunks_mut(stride));
    rows.zip(after.par_chunks_mut(stride)).with_min_len(AT_ONCE).for_each(|((before, gradient), after)| {
        let (values, gates) = before[..2 * inner].split_at(inner);
        let (gradient, of_gates) = gradient[..2 * inner].split_at_mut(inner);
        of_gates.copy_from_slice(gradient);
        gradient.iter_mut().zip(gates).for_each(|(gradient, gate)| *gradient *= gate);
        let after = &mut after[..inner];
        vectorized(isa, Backward { function, before: values, gradient, after });
        vectorized(isa, Gates { gates, of_gates, after });
    });
}

/// Multiplies the gradients of gates by what they were multiplied with, and that by the gates.
struct Gates<'a> {
    gates: &'a [f32],
    of_gates: &'a mut [f32],
    after: &'a mut [f32],
}

impl Vectorized for Gates<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for ((gate, of_gate), after) in self.gates.iter().zip(self.of_gates).zip(self.after) {
            *of_gate *= *after;
            *after *= gate;
        }
    }
}
