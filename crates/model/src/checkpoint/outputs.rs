//! From the scores of a checkpoint's outputs to the scores of labels.

/// A label, and the outputs of the checkpoint that speak for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Voiced<L> {
    pub(super) label: L,
    /// Rising and without duplicates.
    pub(super) outputs: Vec<u32>,
}

/// How the scores of several outputs that speak for one label become its score: the probability
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
    /// The score of what `outputs` speak for; `None` where all of them are ruled out.
    pub(super) fn score(self, outputs: &[u32], scores: &[Option<f32>]) -> Option<f32> {
        let given = outputs.iter().filter_map(|&output| scores.get(output as usize).copied().flatten());
        let score = match self {
            Self::Greatest => given.reduce(f32::max),
            Self::Sum => given.reduce(|sum, score| sum + score),
        };
        // What is no probability is taken for the nearest one, and NaN for 0.
        score.map(|score| if score.is_nan() { 0.0 } else { score.clamp(0.0, 1.0) })
    }

    /// The outputs that are answered, as flags in `answered`. Those that exclude each other answer
    /// with their best alone; each has to reach its threshold.
    pub(super) fn answer(self, scores: &[Option<f32>], thresholds: &[f32], answered: &mut Vec<bool>) {
        answered.clear();
        let reaches =
            |(score, threshold): (&Option<f32>, &f32)| score.is_some_and(|score| score >= *threshold);
        answered.extend(scores.iter().zip(thresholds).map(reaches));
        if self == Self::Sum {
            let best = best(scores);
            for (output, flag) in answered.iter_mut().enumerate() {
                *flag &= Some(output) == best;
            }
        }
    }
}

/// The output with the greatest score; of equals the first.
fn best(scores: &[Option<f32>]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (output, score) in scores.iter().enumerate() {
        if let Some(score) = *score
            && best.is_none_or(|(_, most)| score > most)
        {
            best = Some((output, score));
        }
    }
    best.map(|(output, _)| output)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [Option<f32>; 5] = [Some(0.5), None, Some(0.25), Some(0.5), Some(f32::NAN)];

    #[test]
    fn the_union_is_the_greatest_or_the_sum() {
        for (outputs, greatest, sum) in [
            (&[0, 2][..], Some(0.5), Some(0.75)),
            (&[0, 1, 2, 3], Some(0.5), Some(1.0)),
            (&[1], None, None),
            (&[1, 2], Some(0.25), Some(0.25)),
            (&[4], Some(0.0), Some(0.0)),
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
        Union::Greatest.answer(&SCORES, &[0.5; 5], &mut answered);
        assert_eq!(answered, [true, false, false, true, false]);
        Union::Sum.answer(&SCORES, &[0.0; 5], &mut answered);
        assert_eq!(answered, [true, false, false, false, false]);
        Union::Sum.answer(&SCORES, &[0.6; 5], &mut answered);
        assert_eq!(answered, [false; 5]);
    }
}
