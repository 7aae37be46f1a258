//! Functions of single numbers and of rows, written so that a compiler turns sixteen of them into a few instructions.
//!
//! Everything here is inlined into copies for each instruction set; `FUSED` says whether such a copy multiplies and
//! adds in one instruction with one rounding.

/// Accumulators of a reduction over a row.
const LANES: usize = 16;

/// `a · b + c`.
#[inline(always)]
pub(crate) fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// A polynomial by Horner's rule; the last coefficient is that of the highest power.
#[inline(always)]
fn polynomial<const FUSED: bool, const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = 0.0;
    let mut at = N;
    while at > 0 {
        at -= 1;
        sum = multiply_add::<FUSED>(sum, x, coefficients[at]);
    }
    sum
}

/// `eˣ`, to 2 units in the last place; below −87 it is 0 to within 1e-38, above 88 it stays at `e⁸⁸`.
///
/// `x = n ln 2 + r` with `|r| ≤ ln 2 / 2`; `eʳ` by its Taylor polynomial of degree 7, `2ⁿ` by the exponent bits.
#[inline(always)]
pub(crate) fn exp<const FUSED: bool>(x: f32) -> f32 {
    /// Adding and subtracting it rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first of few bits so that `n` times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = multiply_add::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = multiply_add::<FUSED>(n, -LN_2_HIGH, x);
    let r = multiply_add::<FUSED>(n, -LN_2_LOW, r);
    let taylor = [1.0, 1.0, 0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0];
    // `shifted` holds `n` in its low bits, as the constant's own are zeros there.
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    polynomial::<FUSED, 8>(r, taylor) * f32::from_bits(exponent)
}

/// `tanh x`, to 2e-7.
#[inline(always)]
pub(crate) fn tanh<const FUSED: bool>(x: f32) -> f32 {
    // At ±10 it rounds to ±1.
    let x = x.clamp(-10.0, 10.0);
    1.0 - 2.0 / (exp::<FUSED>(2.0 * x) + 1.0)
}

/// `Φ(x)`, the share of the standard normal distribution below `x`, and `exp(−x² / 2)`.
///
/// `Φ(−|x|) = erfc(z) / 2` with `z = |x| / √2` is small and exact, and `Φ(|x|)` is 1 less that.
/// `erfc(z) = exp(−z²) P(1 / (1 + p z))`, fitted by `tools/fit_gelu.py`.
#[inline(always)]
pub(crate) fn normal<const FUSED: bool>(x: f32) -> (f32, f32) {
    const SLOPE: f32 = 0.35;
    const P: [f32; 10] = [
        -0.000_149_832_43,
        0.200_318_34,
        0.173_430_35,
        0.303_279_97,
        -0.210_467_58,
        0.908_793_7,
        -1.009_138,
        1.032_369_1,
        -0.478_992_04,
        0.080_555_946,
    ];
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let u = 1.0 / multiply_add::<FUSED>(SLOPE, z, 1.0);
    let bell = exp::<FUSED>(-z * z);
    let tail = 0.5 * bell * polynomial::<FUSED, 10>(u, P);
    (if x < 0.0 { tail } else { 1.0 - tail }, bell)
}

/// GELU by the error function (Hendrycks & Gimpel, arXiv 1606.08415; `torch.nn.functional.gelu`), to 1e-7 of `|x|`:
/// `x Φ(x)`.
#[inline(always)]
pub(crate) fn gelu<const FUSED: bool>(x: f32) -> f32 {
    x * normal::<FUSED>(x).0
}

/// GELU by its approximation with `tanh` (`gelu(approximate="tanh")`).
#[inline(always)]
pub(crate) fn gelu_tanh<const FUSED: bool>(x: f32) -> f32 {
    /// √(2/π)
    const SCALE: f32 = 0.797_884_6;
    let inner = SCALE * multiply_add::<FUSED>(0.044_715 * x, x * x, x);
    0.5 * x * (1.0 + tanh::<FUSED>(inner))
}

/// SiLU, `x / (1 + e⁻ˣ)`.
#[inline(always)]
pub(crate) fn silu<const FUSED: bool>(x: f32) -> f32 {
    x / (1.0 + exp::<FUSED>(-x))
}

/// Applies `function` to every number.
#[inline(always)]
pub(crate) fn map(row: &mut [f32], function: impl Fn(f32) -> f32) {
    let (blocks, rest) = row.as_chunks_mut::<LANES>();
    for block in blocks {
        for number in block {
            *number = function(*number);
        }
    }
    for number in rest {
        *number = function(*number);
    }
}

/// Folds a row with sixteen accumulators, joined in a fixed order.
#[inline(always)]
pub(crate) fn fold(
    row: &[f32],
    start: f32,
    step: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &number) in lanes.iter_mut().zip(block) {
            *lane = step(*lane, number);
        }
    }
    for (lane, &number) in lanes.iter_mut().zip(rest) {
        *lane = step(*lane, number);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for at in 0..width {
            lanes[at] = join(lanes[at], lanes[at + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// The largest and the smallest of a row.
#[inline(always)]
pub(crate) fn maximum(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    fold(row, f32::NEG_INFINITY, larger, larger)
}

/// The smallest of a row.
#[inline(always)]
pub(crate) fn minimum(row: &[f32]) -> f32 {
    let smaller = |a: f32, b: f32| if a < b { a } else { b };
    fold(row, f32::INFINITY, smaller, smaller)
}

/// Layer normalisation (Ba et al., arXiv 1607.06450; `torch.nn.functional.layer_norm`) of a row, in place.
#[inline(always)]
pub(crate) fn normalize_row<const FUSED: bool>(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let count = row.len() as f32;
    let plus = |a, b| a + b;
    let mean = fold(row, 0.0, plus, plus) / count;
    let squares = |sum, x: f32| multiply_add::<FUSED>(x - mean, x - mean, sum);
    let variance = fold(row, 0.0, squares, plus) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((number, &weight), &bias) in row.iter_mut().zip(weight).zip(bias) {
        *number = multiply_add::<FUSED>((*number - mean) * scale, weight, bias);
    }
}

/// `row += other`, then layer normalisation.
#[inline(always)]
pub(crate) fn add_normalize_row<const FUSED: bool>(
    row: &mut [f32],
    other: &[f32],
    weight: &[f32],
    bias: &[f32],
    epsilon: f32,
) {
    row.iter_mut().zip(other).for_each(|(number, other)| *number += other);
    normalize_row::<FUSED>(row, weight, bias, epsilon);
}

/// `out = row += other`.
#[inline(always)]
pub(crate) fn add_copy_row<const FUSED: bool>(row: &mut [f32], other: &[f32], out: &mut [f32]) {
    for ((number, other), out) in row.iter_mut().zip(other).zip(out) {
        *number += other;
        *out = *number;
    }
}

/// Turns each head of a row by the angles whose cosines and then sines are given; back where `sign` is −1.
#[inline(always)]
pub(crate) fn rotate<const FUSED: bool>(row: &mut [f32], table: &[f32], sign: f32) {
    let half = table.len() / 2;
    let (cosines, sines) = table.split_at(half);
    for head in row.chunks_exact_mut((2 * half).max(1)) {
        let (first, second) = head.split_at_mut(half);
        for (((x, y), &cosine), &sine) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
            let sine = sine * sign;
            let turned = multiply_add::<FUSED>(*x, cosine, -*y * sine);
            *y = multiply_add::<FUSED>(*y, cosine, *x * sine);
            *x = turned;
        }
    }
}

/// `tanh` of every number, in place.
#[inline(always)]
pub(crate) fn tanh_row<const FUSED: bool>(row: &mut [f32]) {
    map(row, tanh::<FUSED>);
}

/// Softmax of `scale · row`, in place.
#[inline(always)]
pub(crate) fn softmax<const FUSED: bool>(row: &mut [f32], scale: f32) {
    let greatest = maximum(row) * scale;
    map(row, |x| exp::<FUSED>(multiply_add::<FUSED>(x, scale, -greatest)));
    let plus = |a, b| a + b;
    let share = 1.0 / fold(row, 0.0, plus, plus);
    map(row, |x| x * share);
}

/// Writes a row as bytes, `0..=255` from its smallest number to its largest, and gives the step and the smallest.
#[inline(always)]
pub(crate) fn quantize<const FUSED: bool>(row: &[f32], out: &mut [u8]) -> (f32, f32) {
    let least = minimum(row);
    let range = maximum(row) - least;
    let step = range / 255.0;
    let inverse = if range > 0.0 { 255.0 / range } else { 0.0 };
    for (byte, &number) in out.iter_mut().zip(row) {
        // Adding 2²³ rounds to the nearest whole number and leaves it in the low bits: a cast would saturate, slowly.
        let shifted = multiply_add::<FUSED>(number - least, inverse, 8_388_608.0);
        *byte = shifted.to_bits().to_le_bytes()[0];
    }
    (step, least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(range: std::ops::Range<i32>, ours: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        let errors = range.map(|i| {
            let x = i as f32 * 1e-3;
            (f64::from(ours(x)) - exact(f64::from(x))).abs() / exact(f64::from(x)).abs().max(1.0)
        });
        errors.fold(0.0, f64::max)
    }

    /// The error function by its Maclaurin series, in double precision.
    fn erf_exact(x: f64) -> f64 {
        let mut term = x;
        let mut sum = x;
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn functions_are_as_exact_as_they_say() {
        assert!(worst(-80_000..80_000, exp::<true>, f64::exp) < 3e-7);
        assert!(worst(-80_000..80_000, exp::<false>, f64::exp) < 3e-7);
        assert!(worst(-12_000..12_000, tanh::<true>, f64::tanh) < 3e-7);
        let gelu_exact = |x: f64| 0.5 * x * (1.0 + erf_exact(x / std::f64::consts::SQRT_2));
        assert!(worst(-5_000..5_000, gelu::<true>, gelu_exact) < 1.5e-7);
        assert!(worst(-5_000..5_000, gelu::<false>, gelu_exact) < 1.5e-7);
    }

    #[test]
    fn far_numbers_stay_finite() {
        for x in [-1e30_f32, -1e3, 0.0, 1e3, 1e30] {
            for y in [exp::<true>(x), tanh::<true>(x), gelu::<true>(x), gelu_tanh::<true>(x), silu::<true>(x)]
            {
                assert!(y.is_finite(), "{x} gives {y}");
            }
        }
        assert_eq!((tanh::<true>(-50.0), tanh::<true>(50.0)), (-1.0, 1.0));
    }

    #[test]
    fn a_softmax_sums_to_one_whatever_its_length() {
        for length in [1_usize, 2, 15, 16, 17, 100] {
            let mut row: Vec<f32> = (0..length).map(|i| (i as f32 * 1.7).sin() * 30.0).collect();
            softmax::<true>(&mut row, 0.5);
            let sum: f32 = row.iter().sum();
            assert!((sum - 1.0).abs() < 1e-5, "{length}: {sum}");
        }
    }

    #[test]
    fn bytes_reach_from_the_smallest_to_the_largest() {
        let row: Vec<f32> = (0..37).map(|i| (i as f32 * 0.9).cos() * 3.0).collect();
        let mut bytes = vec![0; row.len()];
        let (step, least) = quantize::<false>(&row, &mut bytes);
        assert!(bytes.contains(&0) && bytes.contains(&255));
        for (&byte, &number) in bytes.iter().zip(&row) {
            assert!((f32::from(byte) * step + least - number).abs() <= step * 0.501);
        }
        let mut flat = [9; 4];
        assert_eq!(quantize::<false>(&[2.5; 4], &mut flat), (0.0, 2.5));
        assert_eq!(flat, [0; 4]);
    }
}
