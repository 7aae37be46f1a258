//! The loop over trials.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::Map;
use vulnlens_evaluation::Example;
use vulnlens_taxonomy::KnowledgeBase;

use super::folders;
use super::journal::{Journal, SearchIdentity};
use super::pruning::{MedianRule, Watch};
use super::range::SettingRange;
use super::sampler::{Draw, Sampler};
use super::setting::{LOSS, set};
use super::table::{best, markdown};
use super::trial::{Trial, TrialState};
use crate::description::Description;
use crate::encoder::classifier::{ClassifierSettings, train_classifier};
use crate::encoder::folder::{Start, StartingPoint};
use crate::encoder::labels::LabelKind;
use crate::encoder::run::{Control, Ending, FolderLock, Observer};
use crate::encoder::whole_file::write_whole;
use crate::error::TrainError;

/// The settings of a search.
#[derive(Debug, Clone)]
pub struct SearchSettings {
    /// The settings that are varied.
    pub ranges: Vec<SettingRange>,
    /// Trials in all, those of a resumed search included.
    pub trials: usize,
    /// The choice of a trial's settings.
    pub sampler: Sampler,
    /// Trials that are drawn evenly before the sampler learns from them.
    pub random_trials: usize,
    /// Trials that must have finished before others are ended early; `None`: none is.
    pub prune_after: Option<usize>,
}

impl SearchSettings {
    /// A search over ranges: 20 trials, the first ten drawn evenly; five must have finished before others are ended early.
    #[must_use]
    pub fn new(ranges: Vec<SettingRange>) -> Self {
        Self { ranges, trials: 20, sampler: Sampler::Tpe, random_trials: 10, prune_after: Some(5) }
    }

    /// Refuses settings that make no search.
    fn check(&self, base: &ClassifierSettings, about: &Description) -> Result<(), TrainError> {
        let varied: BTreeSet<&str> = self.ranges.iter().map(SettingRange::name).collect();
        let has = |setting| varied.contains(setting);
        let checks = [
            (
                !self.ranges.is_empty(),
                "there is no range to search over; give one, such as rate=1e-4..1e-3:log",
            ),
            (varied.len() == self.ranges.len(), "two ranges are of the same setting"),
            (
                !(has("batch") && has("batch-tokens")),
                "batch and batch-tokens exclude each other; give a range of one",
            ),
            (
                !has(LOSS) || base.labels != LabelKind::CweSets,
                "CWE sets have one loss; search over it with the objective multilabel",
            ),
            ((1..=10_000).contains(&self.trials), "trials must be 1 to 10000"),
            (self.prune_after != Some(0), "pruning needs at least one finished trial to compare with"),
            (about.split != "all", "trials are judged by the validation part; give a split that has one"),
        ];
        match checks.into_iter().find(|(fine, _)| !fine) {
            Some((_, problem)) => Err(TrainError::Setting(problem.to_owned())),
            None => base.fit.check(),
        }
    }

    /// Everything that decides the trials, in words.
    fn words(&self, seed: u64) -> String {
        let Self { sampler, random_trials, prune_after, .. } = self;
        let pruning = prune_after.map_or("none".to_owned(), |trials| format!("after {trials}"));
        format!("{}, {random_trials} random trials, seed {seed}, pruning {pruning}", sampler.name())
    }
}

/// A watcher of a search and its trials.
pub trait SearchObserver: Observer {
    /// A trial begins, or goes on; `trials` are to be made in all.
    fn trial_started(&self, _: &Trial, _trials: usize) {}
    /// A trial ended.
    fn trial_ended(&self, _: &Trial) {}
}

/// The control of a search from outside.
#[derive(Clone, Copy)]
pub struct SearchControl<'a> {
    /// The watcher.
    pub observer: &'a dyn SearchObserver,
    /// Set to end the search after the current update, with a checkpoint.
    pub stop: &'a AtomicBool,
    /// Goes on with the folder's search, if it has one.
    pub resume: bool,
}

/// The end of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchEnding {
    /// All trials, in their order.
    pub trials: Vec<Trial>,
    /// The number of the best, whose model is in the folder `best`; `None` where none finished.
    pub best: Option<usize>,
    /// The trials as Markdown, the best first.
    pub table: String,
    /// True when it was asked to stop; it can be resumed.
    pub is_stopped: bool,
}

/// Searches for settings of [`train_classifier`] and writes trials, table and the best model into `out`.
///
/// `base` has the settings that are not varied, and the seed, which all trials share. The same data, settings, ranges and
/// beginning make the same trials with the same scores, however often the search was stopped and resumed.
///
/// # Errors
/// See [`TrainError`]. A trial whose loss is not a number, or whose settings do not fit the network, has failed, and the search goes on.
pub fn search(
    examples: &[Example],
    kb: &KnowledgeBase,
    (base, how): (&ClassifierSettings, &SearchSettings),
    about: &Description,
    (start, out): (&Start, &Path),
    control: SearchControl<'_>,
) -> Result<SearchEnding, TrainError> {
    how.check(base, about)?;
    let identity = SearchIdentity {
        tool: format!("vulnlens {}, search 1", about.tool_version),
        search: how.words(base.fit.seed),
        ranges: how.ranges.iter().map(|range| range.text.clone()).collect(),
        settings: base.to_json().to_string(),
        data: format!("{} {}", about.data_sha256, about.split),
        start: StartingPoint::open(start)?.hash(&Map::new())?,
    };
    let lock = FolderLock::take(out)?;
    let journal = Journal::open(out, identity, control.resume)?;
    let run = |settings: &ClassifierSettings, folder: &Path, control: Control<'_>| {
        train_classifier(examples, kb, settings, about, (start, folder), control)
    };
    let ending = Search { base, how, about, out, control, journal, run }.all()?;
    lock.release()?;
    Ok(ending)
}

/// A search under way.
struct Search<'a, R> {
    base: &'a ClassifierSettings,
    how: &'a SearchSettings,
    about: &'a Description,
    out: &'a Path,
    control: SearchControl<'a>,
    journal: Journal,
    run: R,
}

impl<R: Fn(&ClassifierSettings, &Path, Control<'_>) -> Result<Ending, TrainError>> Search<'_, R> {
    fn all(mut self) -> Result<SearchEnding, TrainError> {
        let how = self.how;
        let (sampler, random_trials, seed) = (how.sampler, how.random_trials, self.base.fit.seed);
        let draw = Draw { ranges: &how.ranges, sampler, random_trials, seed };
        let mut is_stopped = false;
        self.tidy()?;
        while self.journal.ended().len() < how.trials && !is_stopped {
            let number = self.journal.ended().len() + 1;
            let Some(settings) = draw.next(number, self.journal.ended())? else { break };
            let before = self.journal.under_way().map_or(0.0, |trial| trial.seconds);
            let trial = Trial { seconds: before, ..Trial::began(number, settings) };
            self.control.observer.trial_started(&trial, how.trials);
            let trial = self.trial(trial)?;
            is_stopped = trial.state == TrialState::Stopped;
            self.journal.add(trial.clone())?;
            self.tidy()?;
            self.control.observer.trial_ended(&trial);
        }
        let best = best(self.journal.ended()).map(|trial| trial.number);
        if let Some(number) = best.filter(|_| !is_stopped) {
            folders::publish(self.out, number)?;
        }
        let trials = self.journal.trials().to_vec();
        let table = markdown(&how.ranges, &trials);
        Ok(SearchEnding { trials, best, table, is_stopped })
    }

    /// Removes what only an ended trial needed, and writes the table.
    fn tidy(&self) -> Result<(), TrainError> {
        let best = best(self.journal.ended()).map(|trial| trial.number);
        folders::keep_only(self.out, self.journal.ended(), best)?;
        let Description { data, split, .. } = self.about;
        let text = format!(
            "# Search for settings\n\n{} of {} trials on {data}, {split} split; {}. Scores are the best micro-F1 of the \
             validation part on the way: they compare trials, and are not for publishing.\n\n{}",
            self.journal.ended().len(),
            self.how.trials,
            self.how.words(self.base.fit.seed),
            markdown(&self.how.ranges, self.journal.trials()),
        );
        let path = self.out.join("search.md");
        write_whole(self.out, &path, |file| file.write_all(text.as_bytes())).map_err(TrainError::io(&path))
    }

    /// Makes a trial, or goes on with it.
    fn trial(&self, trial: Trial) -> Result<Trial, TrainError> {
        if self.control.stop.load(Ordering::Relaxed) {
            return Ok(trial);
        }
        let mut settings = self.base.clone();
        for (name, value) in &trial.settings {
            set(name, value, &mut settings)
                .map_err(|expected| TrainError::Setting(format!("{name}: {value} is not {expected}")))?;
        }
        let folder = self.out.join(Trial::folder(trial.number));
        folders::reopen(&folder)?;
        let rule = self.how.prune_after.map(|trials| MedianRule { before: self.journal.ended(), trials });
        let watch = Watch::new(self.control.observer, self.control.stop, rule);
        let began = Instant::now();
        let ending =
            (self.run)(&settings, &folder, Control { observer: &watch, stop: &watch.stop, resume: true });
        let seen = watch.seen();
        let (state, problem) = match ending {
            Ok(Ending::Finished { .. }) => (TrialState::Finished, None),
            Ok(Ending::Stopped { .. }) if seen.is_pruned => (TrialState::Pruned, None),
            Ok(Ending::Stopped { .. }) => (TrialState::Stopped, None),
            Err(TrainError::Diverged { what, value, step, .. }) => {
                (TrialState::Failed, Some(format!("the {what} is {value} at step {step}")))
            }
            Err(TrainError::Setting(problem)) => (TrialState::Failed, Some(problem)),
            Err(error) => return Err(error),
        };
        let seconds = trial.seconds + began.elapsed().as_secs_f64();
        let evaluations = seen.evaluations;
        let mut trial = Trial { state, problem, evaluations, steps: seen.steps, seconds, ..trial };
        trial.score = trial.best_within(f64::INFINITY);
        Ok(trial)
    }
}
