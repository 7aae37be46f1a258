//! The functions between linear layers, forwards and backwards.

use rayon::prelude::*;

use crate::config::{Activation, HeadFunction as Function};
use crate::kernels::lanes::{gelu, gelu_tanh, normal, silu, tanh};
use crate::kernels::{Isa, Vectorized, vectorized};

/// Numbers that are worth a thread of their own.
const AT_ONCE: usize = 8192;

/// Writes the function of every number of `before` to `after`.
pub(super) fn apply(isa: Isa, function: Function, before: &[f32], after: &mut [f32]) {
    let chunks = before.par_chunks(AT_ONCE).zip(after.par_chunks_mut(AT_ONCE));
    chunks.for_each(|(before, after)| apply_alone(isa, function, before, after));
}

/// The same on the caller's thread.
pub(super) fn apply_alone(isa: Isa, function: Function, before: &[f32], after: &mut [f32]) {
    vectorized(isa, Forward { function, before, after });
}

/// Multiplies the gradients in the function's values by its derivative, which makes them those in its arguments `before`.
/// Writes the values anew to `after`.
pub(super) fn back(isa: Isa, function: Function, before: &[f32], gradient: &mut [f32], after: &mut [f32]) {
    let chunks = before.par_chunks(AT_ONCE).zip(gradient.par_chunks_mut(AT_ONCE));
    chunks.zip(after.par_chunks_mut(AT_ONCE)).for_each(|((before, gradient), after)| {
        vectorized(isa, Backward { function, before, gradient, after });
    });
}

struct Forward<'a> {
    function: Function,
    before: &'a [f32],
    after: &'a mut [f32],
}

/// The backward pass of some numbers, on the caller's thread.
pub(super) struct Backward<'a> {
    pub(super) function: Function,
    pub(super) before: &'a [f32],
    pub(super) gradient: &'a mut [f32],
    pub(super) after: &'a mut [f32],
}

impl Vectorized for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        match self.function {
            Function::Tanh => self.each(tanh::<FUSED>),
            Function::Activation(Activation::Gelu) => self.each(gelu::<FUSED>),
            Function::Activation(Activation::GeluTanh) => self.each(gelu_tanh::<FUSED>),
            Function::Activation(Activation::Relu) => self.each(|x| if x > 0.0 { x } else { 0.0 }),
            Function::Activation(Activation::Silu) => self.each(silu::<FUSED>),
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    fn each(self, function: impl Fn(f32) -> f32) {
        self.after.iter_mut().zip(self.before).for_each(|(after, &before)| *after = function(before));
    }
}

impl Vectorized for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        match self.function {
            Function::Tanh => self.each(|x| {
                let y = tanh::<FUSED>(x);
                (y, 1.0 - y * y)
            }),
            Function::Activation(Activation::Gelu) => self.each(gelu_and_slope::<FUSED>),
            Function::Activation(Activation::GeluTanh) => self.each(gelu_tanh_and_slope::<FUSED>),
            Function::Activation(Activation::Relu) => {
                self.each(|x| if x > 0.0 { (x, 1.0) } else { (0.0, 0.0) })
            }
            Function::Activation(Activation::Silu) => self.each(silu_and_slope::<FUSED>),
        }
    }
}

impl Backward<'_> {
    #[inline(always)]
    fn each(self, function: impl Fn(f32) -> (f32, f32)) {
        for ((after, gradient), &before) in self.after.iter_mut().zip(self.gradient).zip(self.before) {
            let (value, slope) = function(before);
            (*after, *gradient) = (value, *gradient * slope);
        }
    }
}

/// `x Φ(x)` and `Φ(x) + x φ(x)`.
#[inline(always)]
fn gelu_and_slope<const FUSED: bool>(x: f32) -> (f32, f32) {
    /// 1 / √(2π)
    const DENSITY: f32 = 0.398_942_3;
    let (share, bell) = normal::<FUSED>(x);
    (x * share, share + x * bell * DENSITY)
}

#[inline(always)]
fn gelu_tanh_and_slope<const FUSED: bool>(x: f32) -> (f32, f32) {
    /// √(2/π)
    const SCALE: f32 = 0.797_884_6;
    const CUBE: f32 = 0.044_715;
    let y = tanh::<FUSED>(SCALE * (x + CUBE * x * x * x));
    let inner_slope = SCALE * (1.0 + 3.0 * CUBE * x * x);
    (0.5 * x * (1.0 + y), 0.5 * (1.0 + y) + 0.5 * x * (1.0 - y * y) * inner_slope)
}

/// `x σ(x)` and `σ(x) (1 + x (1 − σ(x)))`.
#[inline(always)]
fn silu_and_slope<const FUSED: bool>(x: f32) -> (f32, f32) {
    let value = silu::<FUSED>(x);
    let share = if x == 0.0 { 0.5 } else { value / x };
    (value, share * (1.0 + x * (1.0 - share)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_values() {
        let functions = [Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Silu];
        let functions = functions.map(Function::Activation).into_iter().chain([Function::Tanh]);
        let before: Vec<f32> = (-400..400).map(|i| i as f32 * 0.02 + 0.003).collect();
        let step = 0.01;
        for function in functions {
            let at = |shift: f32| {
                let shifted: Vec<f32> = before.iter().map(|x| x + shift).collect();
                let mut after = vec![0.0; before.len()];
                apply(Isa::detected(), function, &shifted, &mut after);
                after
            };
            let (mut slopes, mut values) = (vec![1.0; before.len()], vec![0.0; before.len()]);
            back(Isa::detected(), function, &before, &mut slopes, &mut values);
            for (found, expected) in values.iter().zip(at(0.0)) {
                assert!((found - expected).abs() < 2e-6, "{function:?}: {found} {expected}");
            }
            for (i, (above, below)) in at(step).into_iter().zip(at(-step)).enumerate() {
                let expected = (above - below) / (2.0 * step);
                let kink = function == Function::Activation(Activation::Relu) && before[i].abs() < 0.02;
                assert!(kink || (slopes[i] - expected).abs() < 2e-4, "{function:?} at {}", before[i]);
            }
        }
    }
}
