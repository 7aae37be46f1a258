//! Searches for settings of n-gram models.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use vulnlens_model::{Network, NgramModel};
use vulnlens_train::encoder::Observer;
use vulnlens_train::ngram::Settings;
use vulnlens_train::search::{
    SearchControl, SearchEnding, SearchObserver, SearchSettings, SettingRange, Trial, TrialState,
    search_ngram,
};
use vulnlens_train::{Goal, TrainError};

use crate::made_up::{description, examples, kb, settings};

/// Stops a search after so many texts.
#[derive(Default)]
struct Sitting {
    texts: Option<u64>,
    seen: AtomicU64,
    stop: AtomicBool,
}

impl Observer for Sitting {}

impl SearchObserver for Sitting {
    fn fitted(&self, texts: u64, of: u64) {
        let seen = self.seen.fetch_add(texts, Ordering::Relaxed) + texts;
        assert!(texts <= of);
        if self.texts.is_some_and(|most| seen >= most) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn sit(out: &Path, goal: Goal, (texts, resume): (Option<u64>, bool)) -> Result<SearchEnding, TrainError> {
    let ranges = ["embedding-rate=1e-5..0.05:log", "teachers=0,1"];
    let ranges = ranges.iter().map(|text| SettingRange::read::<Settings>(text).unwrap()).collect();
    let how = SearchSettings { trials: 3, ..SearchSettings::new(ranges) };
    let sitting = Sitting { texts, ..Sitting::default() };
    let control = SearchControl { observer: &sitting, stop: &sitting.stop, resume };
    let base = Settings { epochs: 2, ..settings() };
    search_ngram(&examples(200), &kb(), (&base, &how, goal), &description(), out, control)
}

fn timeless(ending: &SearchEnding) -> Vec<Trial> {
    ending.trials.iter().map(|trial| Trial { seconds: 0.0, ..trial.clone() }).collect()
}

#[test]
fn a_search_leaves_its_best_model_and_breaks_change_no_trial() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    let expected = sit(&whole, Goal::MacroF1, (None, false)).unwrap();
    let best = expected.best.unwrap();
    let read = |number: usize| std::fs::read(whole.join(Trial::folder(number)).join("ngram.safetensors"));
    for trial in &expected.trials {
        assert_eq!((trial.state, trial.evaluations.len()), (TrialState::Finished, 0));
        assert_eq!(read(trial.number).is_ok(), trial.number == best, "{trial:?}");
        assert!(trial.steps >= 2 * 6 && trial.score.is_some(), "{trial:?}");
    }
    let bytes = std::fs::read(whole.join("best/ngram.safetensors")).unwrap();
    assert!(bytes == read(best).unwrap());
    assert_eq!(NgramModel::from_bytes(&bytes).unwrap().name(), "made-up");

    let stopped = sit(&broken, Goal::MacroF1, (Some(150), false)).unwrap();
    assert!(stopped.is_stopped && !broken.join("best").exists());
    let other = sit(&broken, Goal::Lrap, (None, true)).unwrap_err().to_string();
    assert!(other.contains("of a search with another goal"), "{other}");
    let found = sit(&broken, Goal::MacroF1, (None, true)).unwrap();
    assert_eq!(timeless(&found), timeless(&expected));
}
