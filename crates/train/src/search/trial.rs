//! A trial of a search.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::setting::SettingValue;

/// One run of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number, from 1.
    #[serde(rename = "trial")]
    pub number: usize,
    /// The settings that the search chose, by the names of their arguments.
    pub settings: BTreeMap<String, SettingValue>,
    /// Its end.
    pub state: TrialState,
    /// The best evaluation's score, higher being better, if there was one.
    pub score: Option<f64>,
    /// Updates that were made.
    pub steps: u64,
    /// Seconds that it took, breaks left out.
    pub seconds: f64,
    /// Its evaluations: passes over the texts, and the score there.
    pub evaluations: Vec<(f64, f64)>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The end of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialState {
    /// It made all its updates, or there was no more gain.
    Finished,
    /// It was worse than most at the same point, and was ended.
    Pruned,
    /// It could not go on: its loss was no number, or its settings do not fit the network.
    Failed,
    /// The search was asked to stop; resumed, the trial goes on.
    Stopped,
}

impl TrialState {
    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Pruned => "pruned",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl Trial {
    /// A trial that nothing is known of but its settings.
    pub(crate) fn began(number: usize, settings: BTreeMap<String, SettingValue>) -> Self {
        Self {
            number,
            settings,
            state: TrialState::Stopped,
            score: None,
            steps: 0,
            seconds: 0.0,
            evaluations: Vec::new(),
            problem: None,
        }
    }

    #[cfg(test)]
    pub(crate) fn ended(self, state: TrialState) -> Self {
        Self { state, ..self }
    }

    /// The best score of the evaluations within so many passes.
    pub(crate) fn best_within(&self, passes: f64) -> Option<f64> {
        let within = self.evaluations.iter().filter(|(at, _)| *at <= passes);
        within.map(|(_, score)| *score).max_by(f64::total_cmp)
    }

    /// The folder of its run, within that of the search.
    #[must_use]
    pub fn folder(number: usize) -> String {
        format!("trial-{number:03}")
    }
}
