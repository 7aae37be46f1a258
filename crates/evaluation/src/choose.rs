//! Two models together: the mean of their answers, with weights from the validation part.

use rayon::prelude::*;
use vulnlens_corpus::Part;
use vulnlens_model::softmax::{exp_non_positive, softmax};
use vulnlens_model::{Combination, Mean, Network, SetUnion};
use vulnlens_taxonomy::KnowledgeBase;

use crate::calibrate::{Calibration, calibrate};
use crate::error::EvaluationError;
use crate::example::{Example, judged_part};
use crate::recorded::RecordedLogits;
use crate::scores::{NetworkScores, SetScores, TargetIndex};
use crate::split::Split;

/// The weights that are tried.
const WEIGHTS: [f32; 17] =
    [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9];

/// A model's recorded logits with the temperature that makes probabilities of them.
type Tempered<'a> = (&'a RecordedLogits<'a>, f32);

/// The recorded logits of two models for the same records.
#[derive(Debug, Clone)]
pub struct RecordedPair {
    logits: [RecordedLogits<'static>; 2],
    temperatures: [f32; 2],
}

/// A combination of two models, with the temperature and the decision rules of their common answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ChosenCombination {
    /// The mean and its weights.
    pub way: Combination,
    /// Temperature and rules.
    pub calibration: Calibration,
}

impl RecordedPair {
    /// The logits of both models for these records.
    #[must_use]
    pub fn of(models: [NetworkScores<'_>; 2], records: &[&Example]) -> Self {
        Self {
            logits: models.map(|model| RecordedLogits::of(model, records)),
            temperatures: models.map(|model| model.outputs().temperature),
        }
    }

    /// Chooses the combination that makes the validation labels most likely, then its temperature and rules.
    ///
    /// # Errors
    /// No labelled text of the validation part was recorded.
    pub fn choose(
        &self,
        kb: &KnowledgeBase,
        examples: &[Example],
    ) -> Result<ChosenCombination, EvaluationError> {
        let [first, second] = self.tempered();
        let way = choose_combination(first, second, examples)?;
        Ok(ChosenCombination { way, calibration: calibrate(&self.combined(way), kb, examples)? })
    }

    /// The common answers to the records.
    #[must_use]
    pub fn combined(&self, way: Combination) -> RecordedLogits<'static> {
        let [first, second] = self.tempered();
        combined(way, first, second)
    }

    fn tempered(&self) -> [Tempered<'_>; 2] {
        [(&self.logits[0], self.temperatures[0]), (&self.logits[1], self.temperatures[1])]
    }
}

/// The split whose training part both networks were fitted on, if it has a validation part.
#[must_use]
pub fn common_split([first, second]: [&dyn Network; 2]) -> Option<Split> {
    let split = first.origin()?.split;
    Split::named(split)
        .filter(|known| known.has_test_part() && second.origin().is_some_and(|o| o.split == split))
}

/// Both models' probabilities over the same sets.
struct Pair<'a> {
    models: [Tempered<'a>; 2],
    union: SetUnion,
}

impl<'a> Pair<'a> {
    fn new(models: [Tempered<'a>; 2]) -> Self {
        let union = SetUnion::new(models.map(|(model, _)| (model.sets(), model.outcomes())));
        Self { models, union }
    }

    /// The probabilities that each model gives to a record's sets; `None` if one has no answer.
    fn probabilities(&self, name: &str) -> Option<[Vec<f32>; 2]> {
        let of = |model: usize| {
            let (recorded, temperature) = self.models[model];
            let mut own: Vec<f32> = recorded.row(name)?.iter().map(|logit| logit / temperature).collect();
            softmax(&mut own);
            Some(self.union.spread(model, &own))
        };
        Some([of(0)?, of(1)?])
    }
}

/// The combination that makes the validation labels most likely.
fn choose_combination(
    first: Tempered<'_>,
    second: Tempered<'_>,
    examples: &[Example],
) -> Result<Combination, EvaluationError> {
    let pair = Pair::new([first, second]);
    let index = TargetIndex::of(pair.union.sets(), pair.union.outcomes());
    let rows = judged_part(examples, Part::Validation);
    let losses: Vec<Option<Vec<f64>>> = rows
        .par_iter()
        .map(|row| {
            let gold = index.of_example(row)?;
            let [a, b] = pair.probabilities(&row.name)?;
            Some(all().map(|way| -f64::from(log_probability(&way.logits(&a, &b), gold))).collect())
        })
        .collect();
    let losses: Vec<Vec<f64>> = losses.into_iter().flatten().collect();
    let total = |way: usize| losses.iter().map(|loss| loss[way]).sum::<f64>();
    let best = (0..all().count()).min_by(|&a, &b| total(a).total_cmp(&total(b)));
    best.filter(|_| !losses.is_empty())
        .and_then(|best| all().nth(best))
        .ok_or(EvaluationError::NoValidationTexts)
}

/// The combined answers to the records that both models answered, over the sets of both.
fn combined(way: Combination, first: Tempered<'_>, second: Tempered<'_>) -> RecordedLogits<'static> {
    let pair = Pair::new([first, second]);
    let names: Vec<String> =
        first.0.rows().keys().filter(|name| second.0.rows().contains_key(*name)).cloned().collect();
    let rows: Vec<Vec<f32>> = names
        .par_iter()
        .map(|name| pair.probabilities(name).map_or(vec![], |[a, b]| way.logits(&a, &b)))
        .collect();
    let union = (pair.union.sets().to_vec(), pair.union.outcomes().to_vec());
    RecordedLogits::owned(union, names.into_iter().zip(0..).collect(), rows.concat())
}

/// The logarithm of the probability of one set.
fn log_probability(logits: &[f32], set: usize) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = logits.iter().map(|logit| exp_non_positive(logit - max)).sum();
    logits[set] - max - total.ln()
}

/// All combinations that are tried.
fn all() -> impl Iterator<Item = Combination> {
    let of = |mean| WEIGHTS.into_iter().map(move |first| Combination { mean, first });
    [Mean::Arithmetic, Mean::Geometric].into_iter().flat_map(of)
}

#[cfg(test)]
mod tests {
    use vulnlens_taxonomy::{CveId, CweId};

    use super::*;

    fn example(number: u32, cwe: u32) -> Example {
        let cwes = vec![CweId(cwe)];
        Example::record(CveId::new(2020, number), String::new(), 2020, cwes, Part::Validation)
    }

    fn recorded(sets: &[u32], examples: &[Example], logits: &[f32]) -> RecordedLogits<'static> {
        let sets = sets.iter().map(|&id| vec![CweId(id)]).collect();
        let rows = examples.iter().map(|e| e.name.clone()).zip(0..).collect();
        RecordedLogits::owned((sets, vec![]), rows, logits.to_vec())
    }

    #[test]
    fn the_better_model_weighs_more_and_sets_are_matched_by_their_ids() {
        let examples: Vec<Example> = (0..40).map(|n| example(n, if n % 2 == 0 { 79 } else { 89 })).collect();
        let good: Vec<f32> = (0..40).flat_map(|n| if n % 2 == 0 { [3.0, 0.0] } else { [0.0, 3.0] }).collect();
        // The other one knows its sets in another order, one more, and nothing of the texts.
        let poor: Vec<f32> = (0..40).flat_map(|n| [0.0, (n % 3) as f32, 0.5]).collect();
        let good = recorded(&[79, 89], &examples, &good);
        let poor = recorded(&[89, 79, 20], &examples, &poor);
        let chosen = choose_combination((&good, 1.0), (&poor, 1.0), &examples).unwrap();
        assert_eq!(chosen.first, 0.9);
        let turned = choose_combination((&poor, 1.0), (&good, 1.0), &examples).unwrap();
        assert_eq!(turned.first, 0.1);
        let both = combined(chosen, (&good, 1.0), (&poor, 1.0));
        assert_eq!(both.sets(), [79, 89, 20].map(|id| vec![CweId(id)]));
        for example in &examples {
            let row = both.row(&example.name).unwrap();
            assert_eq!(row[0] > row[1], example.cwes == [CweId(79)]);
            assert!(row[2] < row[0].max(row[1]));
        }
    }

    #[test]
    fn nothing_answered_is_an_error() {
        let examples = [example(1, 79)];
        let none = recorded(&[79, 89], &[], &[]);
        assert!(choose_combination((&none, 1.0), (&none, 1.0), &examples).is_err());
    }
}
