//! Two models of CWE sets as one: the mean of their answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::CweId;

/// What is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mean {
    /// Probabilities: a set is probable if either model finds it so.
    Arithmetic,
    /// Their logarithms: a set is probable if neither rules it out.
    Geometric,
}

/// How the answers of two models are put together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    /// What is averaged.
    pub mean: Mean,
    /// The first model's weight; the second has the rest.
    pub first: f32,
}

impl Combination {
    /// What it is made of, in words.
    #[must_use]
    pub fn described(self, first: &str, second: &str) -> String {
        let of = match self.mean {
            Mean::Arithmetic => "probabilities",
            Mean::Geometric => "logarithms",
        };
        let (share, rest) = (self.first, 1.0 - self.first);
        format!("{first} × {share:.2} + {second} × {rest:.2} in {of}")
    }

    /// Logarithms of the combined probabilities, but for a constant.
    #[must_use]
    pub fn logits(self, first: &[f32], second: &[f32]) -> Vec<f32> {
        let (a, b) = (self.first, 1.0 - self.first);
        let pairs = first.iter().zip(second);
        match self.mean {
            Mean::Arithmetic => pairs.map(|(p, q)| (a * p + b * q).ln()).collect(),
            Mean::Geometric => pairs.map(|(p, q)| a * p.ln() + b * q.ln()).collect(),
        }
    }
}

/// The probability of a set that a model does not know; and no set has less.
const LEAST: f32 = 1e-7;

/// The CWE sets of two models: those of the first, then those that only the second has.
#[derive(Debug, Clone, PartialEq)]
pub struct SetUnion {
    sets: Vec<Vec<CweId>>,
    /// Where each of a model's sets stands among all.
    places: [Vec<usize>; 2],
}

impl SetUnion {
    /// The union of both models' sets.
    #[must_use]
    pub fn new(first: &[Vec<CweId>], second: &[Vec<CweId>]) -> Self {
        let mut number: BTreeMap<Vec<CweId>, usize> = BTreeMap::new();
        let mut sets = vec![];
        let places = [first, second].map(|of_model| {
            let place = |set: &Vec<CweId>| {
                *number.entry(set.clone()).or_insert_with(|| {
                    sets.push(set.clone());
                    sets.len() - 1
                })
            };
            of_model.iter().map(place).collect()
        });
        Self { sets, places }
    }

    /// All sets.
    #[must_use]
    pub fn sets(&self) -> &[Vec<CweId>] {
        &self.sets
    }

    /// The probabilities that a model (0 or 1) gives to its own sets, as probabilities of all sets.
    ///
    /// # Panics
    /// When there is no such model, or its sets are fewer than the probabilities.
    #[must_use]
    pub fn spread(&self, model: usize, own: &[f32]) -> Vec<f32> {
        let mut all = vec![LEAST; self.sets.len()];
        self.places[model].iter().zip(own).for_each(|(&place, p)| all[place] = p.max(LEAST));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(ids: &[u32]) -> Vec<Vec<CweId>> {
        ids.iter().map(|&id| vec![CweId(id)]).collect()
    }

    #[test]
    fn sets_are_matched_by_their_ids() {
        let union = SetUnion::new(&sets(&[79, 89]), &sets(&[89, 20]));
        assert_eq!(union.sets(), sets(&[79, 89, 20]));
        assert_eq!(union.spread(0, &[0.75, 0.25]), [0.75, 0.25, LEAST]);
        assert_eq!(union.spread(1, &[0.5, 0.0]), [LEAST, 0.5, LEAST]);
    }

    #[test]
    fn means_are_weighted() {
        let of = |mean, first| Combination { mean, first }.logits(&[0.8, 0.2], &[0.2, 0.8]);
        let near = |found: Vec<f32>, expected: [f32; 2]| {
            found.iter().zip(expected).all(|(found, expected)| (found - expected.ln()).abs() < 1e-6)
        };
        assert!(near(of(Mean::Arithmetic, 0.25), [0.35, 0.65]));
        assert!(near(of(Mean::Geometric, 0.5), [0.4, 0.4]));
    }
}
