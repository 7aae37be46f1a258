//! Watching a trial: what its evaluations were, and whether it is worth going on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::trial::{Trial, TrialState};
use crate::encoder::{LogEntry, Observer, RunPlan, StepReport};
use crate::goal::Goal;

/// Ends trials that are worse than the median of the finished ones.
///
/// The median stopping rule (Golovin et al., Google Vizier, 2017), on the best score so far of each, as after as many passes
/// over the texts: trials may differ in their updates a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MedianRule<'a> {
    pub(crate) before: &'a [Trial],
    /// Finished trials that there must be before any is ended.
    pub(crate) trials: usize,
}

impl MedianRule<'_> {
    /// Whether a trial is to be ended that has reached this score within so many passes.
    fn prunes(self, passes: f64, score: f64) -> bool {
        let finished: Vec<&Trial> =
            self.before.iter().filter(|trial| trial.state == TrialState::Finished).collect();
        let mut scores: Vec<f64> = finished.iter().filter_map(|trial| trial.best_within(passes)).collect();
        if finished.len() < self.trials || scores.is_empty() {
            return false;
        }
        scores.sort_by(f64::total_cmp);
        let middle = scores.len() / 2;
        let median = if scores.len().is_multiple_of(2) {
            f64::midpoint(scores[middle - 1], scores[middle])
        } else {
            scores[middle]
        };
        score < median
    }
}

/// The observer of one trial: hands on what it is told, and stops the run.
pub(crate) struct Watch<'a> {
    /// Whom the user watches by.
    observer: &'a dyn Observer,
    /// Set to stop the search.
    outer: &'a AtomicBool,
    /// The figure by which evaluations are compared; `None`: they are not of the whole trial, and do not count.
    goal: Option<Goal>,
    /// `None`: no trial is ended early.
    rule: Option<MedianRule<'a>>,
    /// Ends the trial after its update.
    pub(crate) stop: AtomicBool,
    seen: Mutex<Seen>,
}

/// What was seen of a trial.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) evaluations: Vec<(f64, f64)>,
    pub(crate) steps: u64,
    pub(crate) is_pruned: bool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        observer: &'a dyn Observer,
        outer: &'a AtomicBool,
        goal: Option<Goal>,
        rule: Option<MedianRule<'a>>,
    ) -> Self {
        let stop = AtomicBool::new(outer.load(Ordering::Relaxed));
        Self { observer, outer, goal, rule, stop, seen: Mutex::default() }
    }

    pub(crate) fn seen(self) -> Seen {
        self.seen.into_inner().unwrap_or_default()
    }

    /// Takes an evaluation into account.
    fn judge(&self, entry: &LogEntry) {
        let number = |name: &str| entry.get(name).and_then(Value::as_f64);
        let Some(goal) = self.goal else { return };
        let (Some(epoch), Some(score), Ok(mut seen)) =
            (number("epoch"), number(goal.figure()), self.seen.lock())
        else {
            return;
        };
        seen.evaluations.push((six_digits(epoch), six_digits(score)));
        let best = seen.evaluations.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
        if self.rule.is_some_and(|rule| rule.prunes(six_digits(epoch), best)) {
            seen.is_pruned = true;
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl Observer for Watch<'_> {
    fn network(&self, name: &str, number: usize, networks: usize) {
        self.observer.network(name, number, networks);
    }

    fn started(&self, plan: &RunPlan) {
        if let Ok(mut seen) = self.seen.lock() {
            seen.steps = plan.step;
        }
        // A run that was stopped just when it was to be ended must not go on.
        plan.evaluations.iter().for_each(|entry| self.judge(entry));
        self.observer.started(plan);
    }

    fn stepped(&self, stepped: &StepReport) {
        if let Ok(mut seen) = self.seen.lock() {
            seen.steps = stepped.step;
        }
        self.observer.stepped(stepped);
        if self.outer.load(Ordering::Relaxed) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn evaluated(&self, entry: &LogEntry) {
        self.judge(entry);
        self.observer.evaluated(entry);
    }
}

/// Rounded, so that a number is the same when the journal is read again.
pub(crate) fn six_digits(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn trial(state: TrialState, scores: &[f64]) -> Trial {
        let evaluations = (1..).map(f64::from).zip(scores.iter().copied()).collect();
        Trial { evaluations, ..Trial::began(1, BTreeMap::new()) }.ended(state)
    }

    #[test]
    fn what_is_below_the_median_is_ended() {
        use TrialState::{Finished, Pruned};
        let before = [
            trial(Finished, &[0.1, 0.4, 0.3]),
            trial(Finished, &[0.2, 0.3]),
            trial(Finished, &[0.3, 0.5, 0.6]),
            trial(Pruned, &[0.01]),
        ];
        let rule = MedianRule { before: &before, trials: 3 };
        // Best so far: 0.1, 0.2, 0.3; then 0.4, 0.3, 0.5; then 0.4, 0.3, 0.6.
        for (passes, score, ended) in [
            (1.0, 0.19, true),
            (1.0, 0.2, false),
            (2.0, 0.39, true),
            (2.5, 0.4, false),
            (3.0, 0.39, true),
            (9.0, 0.4, false),
            (0.5, 0.0, false),
        ] {
            assert_eq!(rule.prunes(passes, score), ended, "{passes} {score}");
        }
        let rule = MedianRule { trials: 4, ..rule };
        assert!(!rule.prunes(1.0, 0.0), "too few have finished");
        let two = MedianRule { before: &before[1..3], trials: 2 };
        assert!(two.prunes(1.0, 0.24) && !two.prunes(1.0, 0.25), "between two");
    }
}
