//! The settings of the next trial: drawn evenly, or by a tree of Parzen estimators.
//!
//! A trial's settings follow from the seed, its number and the trials before it alone, so a resumed search goes on as if it had
//! not been broken off.

use std::collections::BTreeMap;
use std::convert::Infallible;

use rand::TryRng;
use tpe::{TpeOptimizer, categorical_range, histogram_estimator, parzen_estimator, range};

use super::range::{SettingRange, Values};
use super::setting::SettingValue;
use super::trial::{Trial, TrialState};
use crate::error::TrainError;
use crate::random::Random;

/// The choice of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampler {
    /// Evenly from the ranges.
    Random,
    /// Where good trials are dense and bad ones are not (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011),
    /// each setting for itself; the first trials are drawn evenly.
    Tpe,
}

impl Sampler {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Tpe, Self::Random];

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Random => "Evenly from the ranges",
            Self::Tpe => "Tree of Parzen estimators: frequent in good trials, rare in bad ones",
        }
    }

    /// Its name in files and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Tpe => "tpe",
        }
    }
}

/// Settings by their names.
pub(crate) type Chosen = BTreeMap<String, SettingValue>;

/// What the sampler draws from.
pub(crate) struct Draw<'a> {
    pub(crate) ranges: &'a [SettingRange],
    pub(crate) sampler: Sampler,
    /// Trials that are drawn evenly before the estimators are asked.
    pub(crate) random_trials: usize,
    pub(crate) seed: u64,
}

/// The stream of the seed that a search draws from; batches and masks have others.
const SEARCH: u64 = 1 << 60;
/// Draws of the estimators, then even ones, before there seems to be nothing that was not tried.
const DRAWS: (usize, usize) = (20, 1000);

impl Draw<'_> {
    /// The settings of trial `number` after others; `None` where all were tried.
    pub(crate) fn next(&self, number: usize, before: &[Trial]) -> Result<Option<Chosen>, TrainError> {
        let mut random = Source(Random::new(self.seed, SEARCH | number as u64));
        let asks = self.sampler == Sampler::Tpe && before.len() >= self.random_trials;
        for draw in 0..DRAWS.0 + DRAWS.1 {
            let mut chosen = Chosen::new();
            for range in self.ranges {
                let place = if asks && draw < DRAWS.0 {
                    estimated(range, before, &mut random)?
                } else {
                    even(range, &mut random)
                };
                chosen.insert(range.name().to_owned(), range.at(place));
            }
            if before.iter().all(|trial| trial.settings != chosen) {
                return Ok(Some(chosen));
            }
        }
        Ok(None)
    }
}

fn even(range: &SettingRange, random: &mut Source) -> f64 {
    let most = match &range.values {
        Values::Between { .. } => 1.0,
        Values::OneOf(values) => values.len() as f64,
    };
    f64::from(random.0.uniform()) * most
}

fn estimated(setting: &SettingRange, before: &[Trial], random: &mut Source) -> Result<f64, TrainError> {
    let refused = |error: &dyn std::fmt::Display| TrainError::Setting(format!("{}: {error}", setting.text));
    let (estimator, places) = match &setting.values {
        Values::Between { .. } => (parzen_estimator(), range(0.0, 1.0)),
        Values::OneOf(values) => (histogram_estimator(), categorical_range(values.len())),
    };
    let places = places.map_err(|error| refused(&error))?;
    let mut optimizer = TpeOptimizer::new(estimator, places);
    for trial in before {
        let Some(place) = trial.settings.get(setting.name()).and_then(|value| setting.place(value)) else {
            continue;
        };
        optimizer.tell(place, trial.cost()).map_err(|error| refused(&error))?;
    }
    optimizer.ask(random).map_err(|error| refused(&error))
}

impl Trial {
    /// What the estimators are to make small.
    fn cost(&self) -> f64 {
        match (self.state, self.score) {
            (TrialState::Finished | TrialState::Pruned, Some(score)) => -score,
            _ => f64::INFINITY,
        }
    }
}

/// Our generator for the crate's functions.
struct Source(Random);

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for bytes in bytes.chunks_mut(8) {
            let word = self.0.next().to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::ClassifierSettings;

    /// A search for the greatest of a function of the settings.
    fn search(
        ranges: &[&str],
        sampler: Sampler,
        trials: usize,
        score: impl Fn(&Chosen) -> f64,
    ) -> Vec<Trial> {
        let ranges: Vec<SettingRange> =
            ranges.iter().map(|text| SettingRange::read::<ClassifierSettings>(text).unwrap()).collect();
        let draw = Draw { ranges: &ranges, sampler, random_trials: 10, seed: 5 };
        let mut before = Vec::new();
        for number in 1..=trials {
            let Some(settings) = draw.next(number, &before).unwrap() else { break };
            let score = Some(score(&settings));
            before.push(Trial { score, ..Trial::began(number, settings) }.ended(TrialState::Finished));
        }
        before
    }

    fn number(settings: &Chosen, name: &str) -> f64 {
        match &settings[name] {
            SettingValue::Number(number) => *number,
            SettingValue::Word(word) => panic!("{word}"),
        }
    }

    /// Best at a rate of 5e-4 and a batch of 32.
    fn hill(settings: &Chosen) -> f64 {
        let batch = if number(settings, "batch") == 32.0 { 0.0 } else { 1.0 };
        -(number(settings, "rate") / 5e-4).ln().powi(2) - batch
    }

    #[test]
    fn the_estimators_come_closer_than_chance() {
        let ranges = ["rate=1e-6..1e-1:log", "batch=8,16,32,64,128"];
        let last = |sampler| -> f64 {
            let trials = search(&ranges, sampler, 60, hill);
            trials[30..].iter().map(|trial| trial.score.unwrap()).sum::<f64>() / 30.0
        };
        let (random, tpe) = (last(Sampler::Random), last(Sampler::Tpe));
        assert!(tpe > random / 2.0, "the mean of the last half: {tpe} against {random}");
    }

    #[test]
    fn the_next_trial_follows_from_those_before() {
        let ranges = ["rate=1e-6..1e-1:log", "batch=8..128", "decay=linear,cosine"];
        let score = |settings: &Chosen| -number(settings, "rate");
        let all = search(&ranges, Sampler::Tpe, 15, score);
        assert_eq!(all, search(&ranges, Sampler::Tpe, 15, score));
        assert_eq!(all[..12], search(&ranges, Sampler::Tpe, 12, score));
    }

    #[test]
    fn nothing_is_tried_twice() {
        let trials = search(&["batch=8,16,32", "decay=linear,cosine"], Sampler::Tpe, 100, |_| 0.0);
        assert_eq!(trials.len(), 6);
    }
}
