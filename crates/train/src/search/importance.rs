//! The importance of each setting of a search: its share in the variance of the score.

use std::fmt::Write as _;
use std::path::Path;

use super::forest::{Forest, Points, TREES};
use super::journal::{JOURNAL, Journal};
use super::range::{SettingRange, Values};
use super::trial::{Trial, TrialState};
use crate::error::TrainError;

/// Trials that must have finished: fewer say nothing of several settings.
const FEWEST_TRIALS: usize = 8;

/// The importance of the settings of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Importances {
    /// The settings, the most important first.
    pub settings: Vec<Importance>,
    /// Trials that finished, by which it was found.
    pub trials: usize,
    /// The share of the variance of scores that the forest explains, of trials that its trees were not grown on; below
    /// 0 where it is worse than the mean.
    pub explained: f64,
}

/// The importance of a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The name of its argument.
    pub setting: String,
    /// Its share by itself in the variance of the score over all ranges, from 0 to 1; the rest is of settings together.
    pub share: f64,
    /// The standard deviation of the share over the trees of the forest.
    pub deviation: f64,
}

/// The importance of each setting of the search in a folder, by its journal.
///
/// # Errors
/// The folder has no journal of a search, or too few trials finished.
pub fn importances(folder: &Path) -> Result<Importances, TrainError> {
    if !folder.join(JOURNAL).exists() {
        return Err(TrainError::refused(folder, "holds no search", "give the folder of one"));
    }
    let (identity, trials) = Journal::read(folder)?;
    let ranges = identity.ranges.iter().map(|text| identity.kind.range(text));
    let ranges = ranges.collect::<Result<Vec<SettingRange>, _>>()?;
    Importances::of(&ranges, &trials, identity.seed).ok_or_else(|| {
        let problem =
            format!("fewer than {FEWEST_TRIALS} of its trials finished, or all of them with the same score");
        TrainError::refused(folder, problem, "resume the search with more trials")
    })
}

impl Importances {
    /// The importance of each setting by the trials that finished; `None` where they are too few, or all alike.
    pub(crate) fn of(ranges: &[SettingRange], trials: &[Trial], seed: u64) -> Option<Self> {
        let (places, values): (Vec<Vec<f64>>, Vec<f64>) =
            trials.iter().filter_map(|trial| Some((places(ranges, trial)?, trial.score?))).unzip();
        if values.len() < FEWEST_TRIALS {
            return None;
        }
        let points = Points { places: &places, values: &values };
        let forest = Forest::grow(ranges.len(), points, seed);
        let importance = |(range, share): (&SettingRange, super::forest::Share)| Importance {
            setting: range.name().to_owned(),
            share: share.mean,
            deviation: share.deviation,
        };
        let mut settings: Vec<Importance> = ranges.iter().zip(forest.shares()?).map(importance).collect();
        settings.sort_by(|a, b| b.share.total_cmp(&a.share));
        Some(Self { settings, trials: values.len(), explained: forest.explained(points) })
    }

    /// The share of settings together, beyond what each explains by itself.
    #[must_use]
    pub fn together(&self) -> f64 {
        (1.0 - self.settings.iter().map(|setting| setting.share).sum::<f64>()).max(0.0)
    }

    /// A table in Markdown.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = "| setting | share of the variance | ± |\n|---|--:|--:|\n".to_owned();
        for Importance { setting, share, deviation } in &self.settings {
            let _ = writeln!(out, "| {setting} | {:.1} % | {:.1} |", 100.0 * share, 100.0 * deviation);
        }
        let _ = writeln!(out, "| settings together | {:.1} % | |", 100.0 * self.together());
        out
    }

    /// The section of a search's report.
    pub(crate) fn section(&self) -> String {
        format!(
            "## Importance of the settings\n\nThe share of each setting by itself in the variance of the score over \
             all ranges: functional ANOVA (Hutter, Hoos, Leyton-Brown, 2014) over a forest of {TREES} regression \
             trees, grown on the {} trials that finished; ± is the standard deviation over the trees. Of trials that \
             its trees were not grown on, the forest explains {:.0} % of the variance: where that is little, more \
             trials are needed to tell.\n\n{}",
            self.trials,
            100.0 * self.explained,
            self.table()
        )
    }
}

/// The place of a finished trial in the unit cube of all ranges: a list is divided into equal parts, in its order.
fn places(ranges: &[SettingRange], trial: &Trial) -> Option<Vec<f64>> {
    let place = |range: &SettingRange| {
        let place = range.place(trial.settings.get(range.name())?)?;
        Some(match &range.values {
            Values::Between { .. } => place,
            Values::OneOf(values) => (place + 0.5) / values.len() as f64,
        })
    };
    (trial.state == TrialState::Finished).then(|| ranges.iter().map(place).collect())?
}

#[cfg(test)]
mod tests {
    use super::super::sampler::{Chosen, Draw, Sampler};
    use super::super::setting::SettingValue;
    use super::*;
    use crate::encoder::ClassifierSettings;

    fn trials(count: usize, score: impl Fn(&Chosen) -> f64) -> (Vec<SettingRange>, Vec<Trial>) {
        let ranges = ["rate=1e-5..1e-2:log", "decay=constant,linear,cosine", "dropout=0..0.3"];
        let ranges: Vec<SettingRange> =
            ranges.iter().map(|text| SettingRange::read::<ClassifierSettings>(text).unwrap()).collect();
        let draw = Draw { ranges: &ranges, sampler: Sampler::Random, random_trials: count, seed: 5 };
        let mut trials: Vec<Trial> = vec![];
        for number in 1..=count {
            let settings = draw.next(number, &trials).unwrap().unwrap();
            let score = Some(score(&settings));
            trials.push(Trial { score, ..Trial::began(number, settings) }.ended(TrialState::Finished));
        }
        (ranges, trials)
    }

    /// Good in the middle of the logarithms of the rate, and a little better with one decay.
    fn score(settings: &Chosen) -> f64 {
        let SettingValue::Number(rate) = settings["rate"] else { return 0.0 };
        let decay = if settings["decay"] == SettingValue::Word("cosine".to_owned()) { 0.05 } else { 0.0 };
        0.8 - 0.1 * (rate.log10() + 3.5).abs() + decay
    }

    #[test]
    fn the_setting_that_decides_comes_first() {
        let (ranges, trials) = trials(60, score);
        let found = Importances::of(&ranges, &trials, 1).unwrap();
        assert_eq!(found, Importances::of(&ranges, &trials, 1).unwrap(), "the same trials, the same shares");
        let names: Vec<&str> = found.settings.iter().map(|setting| setting.setting.as_str()).collect();
        assert_eq!(names, ["rate", "decay", "dropout"], "{found:?}");
        assert!(found.settings[0].share > 0.5 && found.settings[2].share < 0.1, "{found:?}");
        assert!(found.explained > 0.5 && found.together() < 0.3, "{found:?}");
        assert_eq!(found.table().lines().count(), 6);
        assert!(found.section().contains("60 trials that finished"));
    }

    #[test]
    fn too_few_trials_tell_nothing() {
        let (ranges, mut trials) = trials(FEWEST_TRIALS, score);
        assert!(Importances::of(&ranges, &trials, 1).is_some());
        trials[0].state = TrialState::Pruned;
        assert!(
            Importances::of(&ranges, &trials, 1).is_none(),
            "a trial that was ended early does not count"
        );
        let alike = self::trials(20, |_| 0.5);
        assert!(Importances::of(&alike.0, &alike.1, 1).is_none());
    }
}
