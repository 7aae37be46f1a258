//! The loop over trials.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::folders;
use super::importance::Importances;
use super::journal::{Journal, SearchIdentity};
use super::kinds::SearchKind;
use super::pruning::{MedianRule, Watch, six_digits};
use super::range::SettingRange;
use super::sampler::{Draw, Sampler};
use super::setting::Searchable;
use super::table::{best, markdown};
use super::trial::{Trial, TrialState};
use crate::description::Description;
use crate::encoder::{Control, FolderLock, Observer, write_whole};
use crate::error::TrainError;
use crate::goal::Goal;

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
    fn check(&self, base: &impl Searchable, about: &Description) -> Result<(), TrainError> {
        let varied: BTreeSet<&str> = self.ranges.iter().map(SettingRange::name).collect();
        let checks = [
            (
                !self.ranges.is_empty(),
                "there is no range to search over; give one, such as epochs=2..8 or batch=16,32,64",
            ),
            (varied.len() == self.ranges.len(), "two ranges are of the same setting"),
            ((1..=10_000).contains(&self.trials), "trials must be 1 to 10000"),
            (self.prune_after != Some(0), "pruning needs at least one finished trial to compare with"),
            (about.split != "all", "trials are judged by the validation part; give a split that has one"),
        ];
        let problem = checks.into_iter().find(|(fine, _)| !fine).map(|(_, problem)| problem);
        match problem.or_else(|| base.conflict(&varied)) {
            Some(problem) => Err(TrainError::Setting(problem.to_owned())),
            None => base.check(),
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
    /// The fit of an n-gram model has seen so many more texts, of so many in all.
    fn fitted(&self, _texts: u64, _of: u64) {}
    /// A trial ended.
    fn trial_ended(&self, _: &Trial) {}
}

/// The control of a search from outside.
#[derive(Clone, Copy)]
pub struct SearchControl<'a> {
    /// The watcher.
    pub observer: &'a dyn SearchObserver,
    /// Set to end the search after the current update, with a checkpoint where the kind of model has such.
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
    /// The importance of each setting; `None` where too few trials finished to tell.
    pub importances: Option<Importances>,
    /// True when it was asked to stop; it can be resumed.
    pub is_stopped: bool,
}

/// The models that a search makes trials of.
pub(crate) trait Subject {
    /// Their settings.
    type Settings: Searchable;
    /// Their kind.
    const KIND: SearchKind;

    /// The figure that makes one trial better than another.
    fn goal(&self) -> Goal;

    /// The relation of evaluations on the way to a trial's score.
    fn on_the_way(&self) -> OnTheWay;

    /// The SHA-256 of the checkpoint or tokenizer to begin with.
    fn start(&self) -> Result<String, TrainError>;

    /// Makes a model in a folder, or goes on with it.
    fn make(
        &self,
        settings: &Self::Settings,
        folder: &Path,
        control: Control<'_>,
    ) -> Result<Made, TrainError>;
}

/// Evaluations on the way to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnTheWay {
    /// There are none that compare trials.
    None,
    /// They compare trials, which are scored otherwise at the end.
    Compared,
    /// The best of them is the score of a trial.
    Scores,
}

/// A model that a trial made, or the break that it was left at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Made {
    /// The model is in the folder.
    Finished {
        /// Its score, where evaluations on the way are not.
        score: Option<f64>,
        /// Updates that it took, where they are not counted on the way.
        steps: Option<u64>,
    },
    /// It was asked to stop.
    Stopped,
}

/// Searches for settings and writes trials, table and the best model into `out`.
pub(crate) fn run<S: Subject>(
    subject: &S,
    (base, how): (&S::Settings, &SearchSettings),
    about: &Description,
    out: &Path,
    control: SearchControl<'_>,
) -> Result<SearchEnding, TrainError> {
    how.check(base, about)?;
    let identity = SearchIdentity {
        tool: format!("vulnlens {}, search 1", about.tool_version),
        kind: S::KIND,
        goal: subject.goal(),
        seed: base.seed(),
        search: how.words(base.seed()),
        ranges: how.ranges.iter().map(|range| range.text.clone()).collect(),
        settings: base.words(),
        data: format!("{} {}", about.data_sha256, about.split),
        start: subject.start()?,
    };
    let lock = FolderLock::take(out)?;
    let journal = Journal::open(out, identity, control.resume)?;
    let ending = Search { subject, base, how, about, out, control, journal }.all()?;
    lock.release()?;
    Ok(ending)
}

/// A search under way.
struct Search<'a, S: Subject> {
    subject: &'a S,
    base: &'a S::Settings,
    how: &'a SearchSettings,
    about: &'a Description,
    out: &'a Path,
    control: SearchControl<'a>,
    journal: Journal,
}

impl<S: Subject> Search<'_, S> {
    fn all(mut self) -> Result<SearchEnding, TrainError> {
        let how = self.how;
        let (sampler, random_trials, seed) = (how.sampler, how.random_trials, self.base.seed());
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
        let importances = Importances::of(&how.ranges, &trials, seed);
        Ok(SearchEnding { trials, best, table, importances, is_stopped })
    }

    /// Removes what only an ended trial needed, and writes the tables.
    fn tidy(&self) -> Result<(), TrainError> {
        let trials = self.journal.ended();
        folders::keep_only(self.out, trials, best(trials).map(|trial| trial.number))?;
        let Description { data, split, .. } = self.about;
        let (ranges, seed) = (&self.how.ranges, self.base.seed());
        let way = match self.subject.on_the_way() {
            OnTheWay::Scores => "the best on the way",
            OnTheWay::None | OnTheWay::Compared => "that of the finished model",
        };
        let importances = Importances::of(ranges, trials, seed);
        let importances =
            importances.map_or_else(String::new, |importances| format!("\n{}", importances.section()));
        let text = format!(
            "# Search for settings\n\n{} of {} trials on {data}, {split} split; {}. Scores are the {} of the \
             validation part, {way}: they compare trials, and are not for publishing.\n\n{}{importances}",
            trials.len(),
            self.how.trials,
            self.how.words(seed),
            self.subject.goal().title(),
            markdown(ranges, self.journal.trials()),
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
            settings
                .set(name, value)
                .map_err(|expected| TrainError::Setting(format!("{name}: {value} is not {expected}")))?;
        }
        let folder = self.out.join(Trial::folder(trial.number));
        folders::reopen(&folder)?;
        let on_the_way = self.subject.on_the_way();
        let rule = self.how.prune_after.map(|trials| MedianRule { before: self.journal.ended(), trials });
        let compared = (on_the_way != OnTheWay::None).then(|| self.subject.goal());
        let watch = Watch::new(self.control.observer, self.control.stop, compared, rule);
        let began = Instant::now();
        let control = Control { observer: &watch, stop: &watch.stop, resume: true };
        let made = self.subject.make(&settings, &folder, control);
        let seen = watch.seen();
        let (state, problem, result) = match made {
            Ok(Made::Finished { score, steps }) => (TrialState::Finished, None, (score, steps)),
            Ok(Made::Stopped) if seen.is_pruned => (TrialState::Pruned, None, (None, None)),
            Ok(Made::Stopped) => (TrialState::Stopped, None, (None, None)),
            Err(error) => (TrialState::Failed, Some(of_settings(error)?), (None, None)),
        };
        let seconds = six_digits(trial.seconds + began.elapsed().as_secs_f64());
        let (score, steps) = (result.0, result.1.unwrap_or(seen.steps));
        let mut trial = Trial { state, problem, evaluations: seen.evaluations, steps, seconds, ..trial };
        let best = || trial.best_within(f64::INFINITY).filter(|_| on_the_way == OnTheWay::Scores);
        trial.score = score.map(six_digits).or_else(best);
        Ok(trial)
    }
}

/// The problem of a trial that failed by its settings.
///
/// # Errors
/// Any other error ends the search.
fn of_settings(error: TrainError) -> Result<String, TrainError> {
    match error {
        TrainError::Diverged { what, value, step, .. } => Ok(format!("the {what} is {value} at step {step}")),
        TrainError::LossDiverged { loss, step } => Ok(format!("the loss is {loss} at step {step}")),
        TrainError::Setting(problem) => Ok(problem),
        TrainError::NoFeatures { .. } | TrainError::NoTree { .. } => Ok(error.to_string()),
        error => Err(error),
    }
}
