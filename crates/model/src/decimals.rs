//! Probabilities in outputs, with six decimals.

/// A probability with six decimals, as all outputs have them. NaN is written as 0.
pub(crate) fn rounded(score: f32) -> f64 {
    let score = if score.is_nan() { 0.0 } else { f64::from(score) };
    (score.clamp(0.0, 1.0) * 1e6).round() / 1e6
}
