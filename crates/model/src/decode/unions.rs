//! Unions of outputs: the score of a label that several outputs of a checkpoint speak for.

/// The way from the scores of several outputs that speak for one label to its score: the probability
/// that any of their events holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Union {
    /// The greatest. For outputs that do not exclude each other, of whose dependence nothing is
    /// known, this is what the union is at least (and their sum, what it is at most). They are far
    /// from independent: a weakness comes with its ancestors, so the greatest is also near the
    /// truth, and it names the output that carried the answer.
    Greatest,
    /// The sum, which is exact for outputs of which one alone holds.
    Sum,
}

impl Union {
    /// The score of the label that `outputs` speak for; `None` where all of them are ruled out (NaN).
    pub(super) fn score(self, outputs: &[u32], scores: &[f32]) -> Option<f32> {
        let given = outputs.iter().filter_map(|&output| scores.get(output as usize).copied());
        let given = given.filter(|score| !score.is_nan());
        let score = match self {
            Self::Greatest => given.reduce(f32::max),
            Self::Sum => given.reduce(|sum, score| sum + score),
        };
        // Scores that are not probabilities are clamped to the nearest one.
        score.map(|score| score.clamp(0.0, 1.0))
    }

    /// The outputs that are answered, as flags in `answered`. Those that exclude each other answer
    /// with their best alone; each has to reach its threshold.
    pub(super) fn answer(self, scores: &[f32], thresholds: &[f32], answered: &mut Vec<bool>) {
        answered.clear();
        // NaN reaches no threshold.
        answered.extend(scores.iter().zip(thresholds).map(|(score, threshold)| score >= threshold));
        if self == Self::Sum {
            let best = argmax(scores);
            for (output, flag) in answered.iter_mut().enumerate() {
                *flag &= Some(output) == best;
            }
        }
    }
}

/// The index of the greatest score; of equals the first. NaN is never the greatest.
#[must_use]
pub fn argmax(scores: &[f32]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (output, &score) in scores.iter().enumerate() {
        if !score.is_nan() && best.is_none_or(|(_, most)| score > most) {
            best = Some((output, score));
        }
    }
    best.map(|(output, _)| output)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 4] = [0.5, f32::NAN, 0.25, 0.5];

    #[test]
    fn the_union_is_the_greatest_or_the_sum() {
        for (outputs, greatest, sum) in [
            (&[0, 2][..], Some(0.5), Some(0.75)),
            (&[0, 1, 2, 3], Some(0.5), Some(1.0)),
            (&[1], None, None),
            (&[1, 2], Some(0.25), Some(0.25)),
            (&[], None, None),
            (&[99], None, None),
        ] {
            assert_eq!(Union::Greatest.score(outputs, &SCORES), greatest, "{outputs:?}");
            assert_eq!(Union::Sum.score(outputs, &SCORES), sum, "{outputs:?}");
        }
    }

    #[test]
    fn outputs_that_exclude_each_other_answer_with_one() {
        let mut answered = vec![true];
        Union::Greatest.answer(&SCORES, &[0.5; 4], &mut answered);
        assert_eq!(answered, [true, false, false, true]);
        Union::Sum.answer(&SCORES, &[0.0; 4], &mut answered);
        assert_eq!(answered, [true, false, false, false]);
        Union::Sum.answer(&SCORES, &[0.6; 4], &mut answered);
        assert_eq!(answered, [false; 4]);
    }
}
