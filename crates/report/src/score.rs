//! Probabilities in decimal, with six digits after the point.

/// Appends `score` rounded to six decimals, without trailing zeros but never without a fraction: `0.93`, `0.0`, `1.0`.
/// Values are clamped to `0.0..=1.0`; NaN is written as 0.
pub(crate) fn push_score(out: &mut Vec<u8>, score: f32) {
    // The cast saturates, and takes NaN to 0.
    let millionths = (f64::from(score).clamp(0.0, 1.0) * 1e6).round() as u32;
    if millionths >= 1_000_000 {
        out.extend_from_slice(b"1.0");
        return;
    }
    let mut digits = *b"0.000000";
    let mut rest = millionths;
    for digit in digits.iter_mut().skip(2).rev() {
        *digit = b'0'.wrapping_add((rest % 10) as u8);
        rest /= 10;
    }
    let significant = digits.iter().rposition(|digit| *digit != b'0').unwrap_or_default().max(2);
    out.extend_from_slice(digits.get(..=significant).unwrap_or(&digits));
}

/// A probability with six decimals, as a number. NaN is 0.
pub(crate) fn rounded(score: f32) -> f64 {
    let score = if score.is_nan() { 0.0 } else { f64::from(score) };
    (score.clamp(0.0, 1.0) * 1e6).round() / 1e6
}

/// The least share that is not rounded to `0.0 %`, which would read as none.
const LEAST_PERCENT: f64 = 0.0005;

/// A share of 100 with one decimal: `93.1 %`, five figures wide; `<0.1 %` for what would be rounded to none.
pub(crate) fn percent(score: f32) -> String {
    if score > 0.0 && f64::from(score) < LEAST_PERCENT {
        return " <0.1 %".to_owned();
    }
    format!("{:5.1} %", f64::from(score) * 100.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(score: f32) -> String {
        let mut out = Vec::new();
        push_score(&mut out, score);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn scores_are_short_and_always_have_a_fraction() {
        for (score, want) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (0.93, "0.93"),
            (0.5, "0.5"),
            (1e-6, "0.000001"),
            (4e-7, "0.0"),
            (0.123_456_7, "0.123457"),
            (0.999_999_9, "1.0"),
            (0.1, "0.1"),
            (f32::NAN, "0.0"),
            (-0.5, "0.0"),
            (f32::INFINITY, "1.0"),
        ] {
            assert_eq!(text(score), want);
        }
    }

    #[test]
    fn what_is_little_is_not_none() {
        for (score, want) in [
            (0.0, "  0.0 %"),
            (1e-9, " <0.1 %"),
            (0.0004, " <0.1 %"),
            (0.0006, "  0.1 %"),
            (0.931, " 93.1 %"),
            (1.0, "100.0 %"),
        ] {
            assert_eq!(percent(score), want);
        }
    }

    proptest! {
        #[test]
        fn a_score_is_written_to_half_a_millionth(score in 0.0f32..=1.0) {
            let written: f64 = text(score).parse().unwrap();
            prop_assert!((written - f64::from(score)).abs() <= 0.500_000_1e-6);
            prop_assert_eq!(written, rounded(score));
        }
    }
}
