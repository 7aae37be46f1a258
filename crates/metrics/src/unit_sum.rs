//! Exact sums of fractions, so that no order of addition can change a result.

/// The scale of the fixed-point fractions: the largest power of two whose product with 1 still
/// fits `u64`.
const ONE: f64 = (1_u64 << 63) as f64;

/// A sum of numbers in [0, 1], each rounded to a multiple of 2⁻⁶³ before it is added.
///
/// Integer addition is associative, so partial sums of any chunks merge to the same bits, which no
/// sum in floating point gives. The rounding is at most 2⁻⁶⁴ a number, below what `f64` itself
/// loses for numbers above 2⁻¹¹. 2⁶⁴ numbers fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct UnitSum(u128);

impl UnitSum {
    /// Adds `value`; values outside [0, 1] are clamped, and NaN counts as 0.
    pub(crate) fn add(&mut self, value: f64) {
        self.0 += u128::from((value.clamp(0.0, 1.0) * ONE).round_ties_even() as u64);
    }

    /// Adds all that `other` holds.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }

    /// The sum divided by `count`; 0 where `count` is 0.
    pub(crate) fn mean(self, count: u64) -> f64 {
        if count == 0 { 0.0 } else { self.0 as f64 / ONE / count as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::UnitSum;

    fn sum(values: &[f64]) -> UnitSum {
        let mut sum = UnitSum::default();
        values.iter().for_each(|&value| sum.add(value));
        sum
    }

    #[test]
    fn ones_average_to_exactly_one() {
        assert_eq!(sum(&[1.0; 7]).mean(7), 1.0);
    }

    #[test]
    fn order_does_not_matter_where_floating_point_sums_differ() {
        assert_ne!((0.1 + 0.2) + 0.3, 0.1 + (0.2 + 0.3));
        assert_eq!(sum(&[0.1, 0.2, 0.3]), sum(&[0.3, 0.2, 0.1]));
    }

    #[test]
    fn nothing_averages_to_zero() {
        assert_eq!(UnitSum::default().mean(0), 0.0);
    }
}
