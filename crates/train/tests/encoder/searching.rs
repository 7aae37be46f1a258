//! Searches for settings: what they leave, and that breaks change nothing.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use vulnlens_encoder::{Checkpoint, Encoder, LoadOptions};
use vulnlens_train::encoder::{
    ClassifierSettings, FitSettings, HierarchyForm, HierarchySettings, LabelKind, Observer, Start, StepReport,
};
use vulnlens_train::search::{
    Sampler, SearchControl, SearchEnding, SearchObserver, SearchSettings, SettingRange, Trial, TrialState,
    importances, search_encoder, search_hierarchy,
};
use vulnlens_train::{Goal, TrainError};

use crate::bad_input::blow_up;
use crate::made_up::{Bench, Stopper, about, fit_settings, kb, settings};

/// Stops a search after so many updates of this sitting, whatever trials they are of.
#[derive(Default)]
struct Sitting {
    updates: Option<usize>,
    made: AtomicUsize,
    stop: AtomicBool,
}

impl Observer for Sitting {
    fn stepped(&self, _: &StepReport) {
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        if self.updates == Some(made) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl SearchObserver for Sitting {}

fn sit(
    bench: &Bench,
    (base, how): (&ClassifierSettings, &SearchSettings),
    (start, out): (&Start, &Path),
    (updates, resume): (Option<usize>, bool),
) -> Result<SearchEnding, TrainError> {
    let sitting = Sitting { updates, ..Sitting::default() };
    let control = SearchControl { observer: &sitting, stop: &sitting.stop, resume };
    search_encoder(&bench.examples, &kb(), (base, how), &about(), (start, out), control)
}

fn how(ranges: &[&str], trials: usize) -> SearchSettings {
    let ranges = ranges.iter().map(|text| SettingRange::read::<ClassifierSettings>(text).unwrap()).collect();
    SearchSettings { trials, random_trials: 3, prune_after: Some(2), ..SearchSettings::new(ranges) }
}

/// Short runs: 12 or 6 updates a pass, 2 passes.
fn base() -> ClassifierSettings {
    ClassifierSettings { fit: FitSettings { epochs: 2, save_every: 1000, ..fit_settings() }, ..settings() }
}

/// Trials without their times.
fn timeless(ending: &SearchEnding) -> Vec<Trial> {
    ending.trials.iter().map(|trial| Trial { seconds: 0.0, ..trial.clone() }).collect()
}

fn parameters(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("model.safetensors")).unwrap()
}

#[test]
fn a_search_leaves_its_table_and_its_best_model() {
    let bench = Bench::new();
    let (start, out) = (bench.start(), bench.path("out"));
    let how = how(&["rate=1e-4..2e-2:log", "batch=8,16"], 5);
    let ending = sit(&bench, (&base(), &how), (&start, &out), (None, false)).unwrap();
    assert!(!ending.is_stopped);
    assert_eq!((ending.trials.len(), ending.table.lines().count()), (5, 7));
    let best = ending.best.unwrap();
    let score = |trial: &Trial| trial.score.unwrap();
    let finished = ending.trials.iter().filter(|trial| trial.state == TrialState::Finished);
    let greatest = finished.max_by(|a, b| score(a).total_cmp(&score(b))).unwrap();
    assert_eq!(score(&ending.trials[best - 1]), score(greatest));
    let table = fs::read_to_string(out.join("search.md")).unwrap();
    assert!(
        table.ends_with(&ending.table) && table.contains("5 of 5 trials on made-up.parquet, random split")
    );
    for trial in &ending.trials {
        let folder = out.join(Trial::folder(trial.number));
        assert_eq!(folder.join("model.safetensors").exists(), trial.number == best, "{trial:?}");
        assert!(folder.join("metrics.jsonl").exists() && !folder.join("run").exists());
    }
    assert!(parameters(&out.join("best")) == parameters(&out.join(Trial::folder(best))));
    let encoder = Encoder::open(&out.join("best"), &LoadOptions::default()).unwrap();
    assert_eq!(encoder.labels().len(), 4);
    assert!(!out.join("run").exists());

    // The same folder again: refused, then the same answer, then more trials after the same ones.
    let again = |how: &SearchSettings, resume| sit(&bench, (&base(), how), (&start, &out), (None, resume));
    assert!(again(&how, false).unwrap_err().to_string().contains("holds a search"));
    assert_eq!(again(&how, true).unwrap(), ending);
    let more = again(&SearchSettings { trials: 6, ..how.clone() }, true).unwrap();
    assert_eq!((more.trials.len(), &more.trials[..5]), (6, &ending.trials[..]));
    let other = SearchSettings { sampler: Sampler::Random, ..how.clone() };
    assert!(again(&other, true).unwrap_err().to_string().contains("another sampler, seed or pruning"));
}

#[test]
fn breaks_change_no_trial() {
    let bench = Bench::new();
    let start = bench.start();
    let (whole, broken) = (bench.path("whole"), bench.path("broken"));
    let how = how(&["rate=1e-5..2e-2:log", "dropout=0..0.3"], 6);
    let expected = sit(&bench, (&base(), &how), (&start, &whole), (None, false)).unwrap();
    let mut breaks = 0;
    let found = loop {
        // 24 updates a trial: within trials, at evaluations and at ends.
        let ending = sit(&bench, (&base(), &how), (&start, &broken), (Some(6), true)).unwrap();
        if !ending.is_stopped {
            break ending;
        }
        assert!(!broken.join("best").exists());
        breaks += 1;
        // As if the last trial had been finished but not written down.
        let last = broken.join(Trial::folder(ending.trials.len()));
        if breaks == 3 && last.is_dir() {
            fs::write(last.join("config.json"), "{}").unwrap();
        }
    };
    assert!(breaks > 8, "{breaks}");
    assert_eq!(timeless(&found), timeless(&expected));
    assert!(parameters(&whole.join("best")) == parameters(&broken.join("best")));
}

#[test]
fn bad_trials_are_ended_early() {
    let bench = Bench::new();
    let (start, out) = (bench.start(), bench.path("out"));
    let mut how = how(&["rate=1e-7,2e-7,5e-3,6e-3,7e-3"], 5);
    how.sampler = Sampler::Random;
    let base = ClassifierSettings { fit: FitSettings { epochs: 4, dropout: 0.0, ..base().fit }, ..base() };
    let ending = sit(&bench, (&base, &how), (&start, &out), (None, false)).unwrap();
    let pruned: Vec<&Trial> =
        ending.trials.iter().filter(|trial| trial.state == TrialState::Pruned).collect();
    assert!(!pruned.is_empty(), "{}", ending.table);
    for trial in pruned {
        assert!(trial.number > 2 && trial.steps < 48, "{trial:?}");
        assert!(trial.score.unwrap() < ending.trials[ending.best.unwrap() - 1].score.unwrap());
        assert!(!out.join(Trial::folder(trial.number)).join("run").exists());
    }
    let none = SearchSettings { prune_after: None, ..how };
    let ending = sit(&bench, (&base, &none), (&start, &bench.path("none")), (None, false)).unwrap();
    assert!(ending.trials.iter().all(|trial| trial.state == TrialState::Finished));
}

#[test]
fn a_trial_that_fails_does_not_end_the_search() {
    let bench = Bench::new();
    let (good, out) = (bench.path("good"), bench.path("out"));
    let freeze = how(&["freeze=0,2,7"], 3);
    let ending = sit(&bench, (&base(), &freeze), (&bench.start(), &out), (None, false)).unwrap();
    assert!(ending.best.is_some());
    assert!(ending.table.contains("failed: frozen layers must be at most 2"), "{}", ending.table);

    bench.train(&settings(), &good, (&Stopper::default(), false, 2)).unwrap();
    blow_up(&good, "classifier.out_proj.weight", 1e38);
    let (start, out) = (Start::Checkpoint(good), bench.path("blown"));
    let ending = sit(&bench, (&base(), &how(&["rate=1e-4,1e-3"], 2)), (&start, &out), (None, false)).unwrap();
    assert_eq!(ending.best, None);
    assert_eq!(ending.table.matches(" at step 0 |").count(), 2, "{}", ending.table);
    assert!(!out.join("best").exists());
}

#[test]
fn what_is_no_search_is_told() {
    let bench = Bench::new();
    let out = bench.path("out");
    let message = |how: &SearchSettings, base: &ClassifierSettings| {
        sit(&bench, (base, how), (&bench.start(), &out), (None, false)).unwrap_err().to_string()
    };
    let labels = ClassifierSettings { labels: LabelKind::Attack, ..base() };
    for (ranges, problem) in [
        (&[][..], "no range to search over"),
        (&["rate=1e-4,1e-3", "rate=1e-4..1e-3"], "two ranges are of the same setting"),
        (&["batch=8,16", "batch-tokens=100,200"], "exclude each other"),
        (&["loss=plain,focal"], "CWE sets have one loss"),
    ] {
        let text = message(&how(ranges, 3), &base());
        assert!(text.contains(problem), "{text}");
    }
    assert!(message(&how(&["loss=plain,focal"], 0), &labels).contains("trials must be"));
    assert!(!out.exists());
}

#[test]
fn a_search_says_how_much_each_setting_matters() {
    let bench = Bench::new();
    let (start, out) = (bench.start(), bench.path("out"));
    let how =
        SearchSettings { prune_after: None, ..how(&["rate=1e-7..1e-2:log", "weight-decay=0..0.01"], 9) };
    let base = ClassifierSettings { goal: Goal::Lrap, ..base() };
    let ending = sit(&bench, (&base, &how), (&start, &out), (None, false)).unwrap();
    let found = ending.importances.unwrap();
    let shares: f64 = found.settings.iter().map(|setting| setting.share).sum();
    assert_eq!((found.settings.len(), found.trials), (2, 9), "{found:?}");
    assert!((shares + found.together() - 1.0).abs() < 1e-9, "{found:?}");
    assert_eq!(importances(&out).unwrap(), found, "the journal has all that is needed");
    let text = fs::read_to_string(out.join("search.md")).unwrap();
    assert!(
        text.contains("Scores are the LRAP of the validation part") && text.contains(&found.table()),
        "{text}"
    );
    let trial = &ending.trials[0];
    let log = fs::read_to_string(out.join(Trial::folder(1)).join("metrics.jsonl")).unwrap();
    let lraps = log.lines().filter_map(|line| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        entry["eval_lrap"].as_f64()
    });
    let best = lraps.fold(0.0, f64::max);
    assert!((trial.score.unwrap() - best).abs() < 1e-6, "{trial:?}, {best}");
    assert!(importances(&bench.path("tokenizer")).is_err());
}

/// Searches for settings of hierarchies.
fn sit_below_parents(
    bench: &Bench,
    form: HierarchyForm,
    out: &Path,
    (updates, resume): (Option<usize>, bool),
) -> Result<SearchEnding, TrainError> {
    let fit = FitSettings { epochs: 3, ..base().fit };
    let classifier =
        ClassifierSettings { fit, year: true, ..ClassifierSettings::new(LabelKind::CweWithAncestors) };
    let settings =
        HierarchySettings { classifier, form, fewest_texts: HierarchySettings::FEWEST_TEXTS, levels: 2 };
    let ranges = ["rate=1e-7,1e-3,6e-3", "fewest-texts=2,20"];
    let ranges = ranges.iter().map(|text| SettingRange::read::<HierarchySettings>(text).unwrap()).collect();
    let how = SearchSettings { trials: 3, prune_after: Some(1), ..SearchSettings::new(ranges) };
    let sitting = Sitting { updates, ..Sitting::default() };
    let control = SearchControl { observer: &sitting, stop: &sitting.stop, resume };
    let folders = (&bench.start(), out);
    search_hierarchy(&bench.examples, &kb(), (&settings, &how), &about(), folders, control)
}

#[test]
fn hierarchies_are_searched_as_they_are_read() {
    let bench = Bench::new();
    for form in [HierarchyForm::Cascade, HierarchyForm::Shared] {
        let (whole, broken) = (bench.path(&format!("{form:?}")), bench.path(&format!("{form:?} broken")));
        let expected = sit_below_parents(&bench, form, &whole, (None, false)).unwrap();
        assert_eq!(expected.trials.len(), 3);
        let checkpoint = Checkpoint::open(&whole.join("best"), &LoadOptions::default()).unwrap();
        assert!(checkpoint.labels().len() > 4, "{form:?}");
        let best = &expected.trials[expected.best.unwrap() - 1];
        assert!(best.score.is_some() && best.steps > 10, "{best:?}");
        if form == HierarchyForm::Cascade {
            let finished =
                |trial: &Trial| trial.state == TrialState::Finished && trial.evaluations.is_empty();
            assert!(expected.trials.iter().all(finished), "{}", expected.table);
            for number in (1..=3).filter(|number| Some(*number) != expected.best) {
                let master = whole.join(Trial::folder(number)).join("master");
                assert!(master.join("metrics.jsonl").exists() && !master.join("model.safetensors").exists());
            }
        }
        let mut found = sit_below_parents(&bench, form, &broken, (Some(20), false)).unwrap();
        while found.is_stopped {
            found = sit_below_parents(&bench, form, &broken, (Some(20), true)).unwrap();
        }
        assert_eq!(timeless(&found), timeless(&expected), "{form:?}");
    }
}
