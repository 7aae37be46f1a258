//! A search as a table.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::range::SettingRange;
use super::trial::{Trial, TrialState};

/// Orders trials: those that finished before others, better ones before worse ones.
pub(crate) fn ranked(trials: &[Trial]) -> Vec<&Trial> {
    let mut ranked: Vec<&Trial> = trials.iter().collect();
    let score = |trial: &Trial| Reverse(trial.score.map(|score| (score * 1e6).round() as i64));
    ranked.sort_by_key(|trial| (trial.state, score(trial), trial.number));
    ranked
}

/// The best trial that finished.
pub(crate) fn best(trials: &[Trial]) -> Option<&Trial> {
    ranked(trials).first().copied().filter(|trial| trial.state == TrialState::Finished)
}

/// Markdown: a row for each trial.
pub(crate) fn markdown(ranges: &[SettingRange], trials: &[Trial]) -> String {
    let mut out = String::from("| trial |");
    ranges.iter().for_each(|range| out += &format!(" {} |", range.name()));
    out += " score | updates | seconds | state |\n|--:|";
    out += &"--:|".repeat(ranges.len() + 3);
    out += "---|\n";
    for trial in ranked(trials) {
        let _ = write!(out, "| {} |", trial.number);
        for range in ranges {
            let value = trial.settings.get(range.name()).map_or(String::new(), ToString::to_string);
            let _ = write!(out, " {value} |");
        }
        let score = trial.score.map_or(String::new(), |score| format!("{score:.4}"));
        let problem = trial.problem.as_ref().map_or(String::new(), |problem| format!(": {problem}"));
        let (steps, seconds, state) = (trial.steps, trial.seconds, trial.state.name());
        let problem = problem.replace('|', "\\|").replace('\n', " ");
        let _ = writeln!(out, " {score} | {steps} | {seconds:.0} | {state}{problem} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::setting::SettingValue;
    use super::*;
    use crate::encoder::ClassifierSettings;

    #[test]
    fn trials_stand_in_their_order() {
        let trial = |number, score, state| {
            let settings = BTreeMap::from([("rate".to_owned(), SettingValue::Number(5e-4))]);
            Trial { score, steps: 8, seconds: 2.4, ..Trial::began(number, settings) }.ended(state)
        };
        let trials = [
            trial(1, Some(0.5), TrialState::Finished),
            trial(2, Some(0.9), TrialState::Pruned),
            Trial { problem: Some("no | number".to_owned()), ..trial(3, None, TrialState::Failed) },
            trial(4, Some(0.75), TrialState::Finished),
        ];
        let table =
            markdown(&[SettingRange::read::<ClassifierSettings>("rate=1e-4..1e-3:log").unwrap()], &trials);
        let expected = "\
            | trial | rate | score | updates | seconds | state |\n\
            |--:|--:|--:|--:|--:|---|\n\
            | 4 | 5e-4 | 0.7500 | 8 | 2 | finished |\n\
            | 1 | 5e-4 | 0.5000 | 8 | 2 | finished |\n\
            | 2 | 5e-4 | 0.9000 | 8 | 2 | pruned |\n\
            | 3 | 5e-4 |  | 8 | 2 | failed: no \\| number |\n";
        assert_eq!(table, expected);
        assert_eq!(best(&trials).unwrap().number, 4);
        assert!(best(&trials[2..3]).is_none());
    }
}
