//! Softmax with an exponential that is the same arithmetic on every machine.

use crate::wide::{Wide, wide};

/// `e^x` for `x ≤ 0`, within 3 units in the last place; results below about 1e-38 become the
/// smallest normal numbers. Plain arithmetic without branches, so that compilers vectorise it and
/// every machine gives the same bits.
#[must_use]
#[inline(always)]
pub fn exp_non_positive(x: f32) -> f32 {
    // Adding and taking away 1.5 · 2^23 rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, so that the reduction loses nothing (Cody and Waite).
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Unlike `f32::max` this keeps NaN, which must not pass for a probability.
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let power = rounded - ROUND;
    let r = (x - power * LN2_HIGH) - power * LN2_LOW;
    // The Taylor polynomial of degree 7 on |r| ≤ ln 2 / 2.
    let tail = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let polynomial = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * tail))));
    // The last bits of `rounded` are those of the whole number; a cast would not be vectorised.
    let exponent = rounded.to_bits() << 23;
    let power_of_e = f32::from_bits(polynomial.to_bits().wrapping_add(exponent));
    if x.is_nan() { x } else { power_of_e }
}

/// Turns logits into probabilities in place; an empty slice stays empty.
pub fn softmax(logits: &mut [f32]) {
    temper(logits, 1.0);
}

/// Turns logits into probabilities at a temperature, in place.
pub fn temper(logits: &mut [f32], temperature: f32) {
    wide(Temper { logits, scale: 1.0 / temperature });
}

/// The arguments of a softmax.
struct Temper<'l> {
    logits: &'l mut [f32],
    scale: f32,
}

impl Wide for Temper<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { logits, scale } = self;
        logits.iter_mut().for_each(|logit| *logit *= scale);
        let max = max(logits);
        logits.iter_mut().for_each(|x| *x = exp_non_positive(*x - max));
        let scale = 1.0 / sum(logits);
        logits.iter_mut().for_each(|x| *x *= scale);
    }
}

/// The number of interleaved parts of a sum or a maximum: a fixed order that compilers can vectorise.
const PARTS: usize = 8;

/// The sum in eight interleaved parts.
#[must_use]
#[inline(always)]
pub fn sum(values: &[f32]) -> f32 {
    let [sum] = sum_beside(values.as_chunks::<1>().0);
    sum
}

/// The sums of numbers that lie side by side, each in eight interleaved parts.
#[inline(always)]
pub(crate) fn sum_beside<const N: usize>(values: &[[f32; N]]) -> [f32; N] {
    fn add<const N: usize>(sums: &mut [f32; N], values: &[f32; N]) {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    let mut parts = [[0.0f32; N]; PARTS];
    let (chunks, rest) = values.as_chunks::<PARTS>();
    for chunk in chunks {
        parts.iter_mut().zip(chunk).for_each(|(part, values)| add(part, values));
    }
    let (mut sums, mut of_rest) = ([0.0; N], [0.0; N]);
    parts.iter().for_each(|part| add(&mut sums, part));
    rest.iter().for_each(|values| add(&mut of_rest, values));
    add(&mut sums, &of_rest);
    sums
}

/// The greatest of the numbers, NaN left out.
#[inline(always)]
fn max(values: &[f32]) -> f32 {
    let greater = |most: f32, x: f32| if x > most { x } else { most };
    let mut parts = [f32::NEG_INFINITY; PARTS];
    let (chunks, rest) = values.as_chunks::<PARTS>();
    for chunk in chunks {
        for (part, x) in parts.iter_mut().zip(chunk) {
            *part = greater(*part, *x);
        }
    }
    parts.iter().chain(rest).copied().fold(f32::NEG_INFINITY, greater)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_exact_value() {
        for i in 0..=870_000 {
            let x = -(i as f32) / 10_000.0;
            let (got, exact) = (f64::from(exp_non_positive(x)), f64::from(x).exp());
            assert!((got / exact - 1.0).abs() < 3e-7, "e^{x} = {exact}, got {got}");
        }
        assert!(exp_non_positive(-1e30) < 1e-37);
    }

    #[test]
    fn softmax_sums_to_one_and_keeps_the_order() {
        let mut p: Vec<f32> = (0..2000).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
        let logits = p.clone();
        softmax(&mut p);
        assert!((p.iter().map(|&x| f64::from(x)).sum::<f64>() - 1.0).abs() < 1e-5);
        for (a, b) in [(0, 1), (5, 900), (1999, 3)] {
            assert_eq!(logits[a] < logits[b], p[a] < p[b]);
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let mut p = [0.0, f32::NAN];
        softmax(&mut p);
        assert!(p.iter().all(|p| p.is_nan()));
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let mut p = [3.0e38, -3.0e38, 0.0];
        softmax(&mut p);
        assert_eq!(p[0], 1.0);
        softmax(&mut []);
    }
}
