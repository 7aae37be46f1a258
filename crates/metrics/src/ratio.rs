//! The one rule for ratios without a denominator.

/// `part / whole`, and 0 where `whole` is 0 (scikit-learn's `zero_division=0`).
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
