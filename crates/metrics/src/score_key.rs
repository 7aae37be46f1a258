//! Scores as integers of the same order, which sort without branches.

const SIGN: u32 = 1 << 31;

/// The key of a finite score: `a < b` exactly where `score_key(a) < score_key(b)`, and the two
/// zeros share a key as they compare equal.
pub(crate) fn score_key(score: f32) -> u32 {
    // −0 + 0 is +0; every other score stays itself.
    let bits = (score + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The score that `key` was made from (+0 for either zero).
pub(crate) fn score_of_key(key: u32) -> f32 {
    f32::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::{score_key, score_of_key};

    #[test]
    fn keys_order_as_scores_do_and_lead_back_to_them() {
        let scores = [f32::MIN, -1.0, -f32::MIN_POSITIVE, -1e-45, 0.0, 1e-45, 0.5, 1.0, f32::MAX];
        for pair in scores.windows(2) {
            assert!(score_key(pair[0]) < score_key(pair[1]), "{pair:?}");
        }
        for score in scores {
            assert_eq!(score_of_key(score_key(score)), score);
        }
        assert_eq!(score_key(-0.0), score_key(0.0));
    }
}
