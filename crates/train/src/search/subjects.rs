//! Searches for settings of each kind of model.

use std::fs;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value};
use vulnlens_evaluation::{Calibration, Example, PUBLISHED_TASKS, Part, evaluate};
use vulnlens_model::{Network as _, NgramModel};
use vulnlens_taxonomy::KnowledgeBase;

use super::driver::{Made, OnTheWay, SearchControl, SearchEnding, SearchSettings, Subject, run};
use super::folders::NGRAM;
use super::kinds::SearchKind;
use crate::description::Description;
use crate::encoder::{
    ClassifierSettings, Control, Ending, HierarchyEnding, HierarchyForm, HierarchySettings, Parents, Start,
    StartingPoint, evaluate_hierarchy, train_classifier, train_hierarchy, write_whole,
};
use crate::error::TrainError;
use crate::goal::Goal;
use crate::ngram::{self, Decisions, updates, work};

/// Searches for settings of [`train_classifier`] and writes trials, table and the best model into `out`.
///
/// `base` has the settings that are not varied, and the seed, which all trials share. The same data, settings, ranges
/// and beginning make the same trials with the same scores, however often the search was stopped and resumed.
///
/// # Errors
/// See [`TrainError`]. A trial whose loss is not a number, or whose settings do not fit the network, has failed, and
/// the search goes on.
pub fn search_encoder(
    examples: &[Example],
    kb: &KnowledgeBase,
    (base, how): (&ClassifierSettings, &SearchSettings),
    about: &Description,
    (start, out): (&Start, &Path),
    control: SearchControl<'_>,
) -> Result<SearchEnding, TrainError> {
    run(&Encoders { examples, kb, goal: base.goal, about, start }, (base, how), about, out, control)
}

/// Searches for settings of [`train_hierarchy`] as [`search_encoder`] does for those of a classifier.
///
/// A trial's score is that of the hierarchy as it is read, with the parents that it predicts. Of a shared hierarchy,
/// the evaluations on the way end bad trials early; the networks of a cascade are no such trials.
///
/// # Errors
/// As [`search_encoder`].
pub fn search_hierarchy(
    examples: &[Example],
    kb: &KnowledgeBase,
    (base, how): (&HierarchySettings, &SearchSettings),
    about: &Description,
    (start, out): (&Start, &Path),
    control: SearchControl<'_>,
) -> Result<SearchEnding, TrainError> {
    let (goal, form) = (base.classifier.goal, base.form);
    let subject = Hierarchies { models: Encoders { examples, kb, goal, about, start }, form };
    run(&subject, (base, how), about, out, control)
}

/// Searches for settings of [`ngram::train`] as [`search_encoder`] does for those of a classifier.
///
/// A trial's score is the mean of the goal over the published tasks, on the validation part, by rules that are fitted
/// to the same texts. No trial is ended early, and one that is stopped begins anew.
///
/// # Errors
/// As [`search_encoder`].
pub fn search_ngram(
    examples: &[Example],
    kb: &KnowledgeBase,
    (base, how, goal): (&ngram::Settings, &SearchSettings, Goal),
    about: &Description,
    out: &Path,
    control: SearchControl<'_>,
) -> Result<SearchEnding, TrainError> {
    run(&Ngrams { examples, kb, goal, about, control }, (base, how), about, out, control)
}

/// Classifiers of one data set, from one beginning.
struct Encoders<'a> {
    examples: &'a [Example],
    kb: &'a KnowledgeBase,
    goal: Goal,
    about: &'a Description,
    start: &'a Start,
}

impl Subject for Encoders<'_> {
    type Settings = ClassifierSettings;
    const KIND: SearchKind = SearchKind::Encoder;

    fn goal(&self) -> Goal {
        self.goal
    }

    fn on_the_way(&self) -> OnTheWay {
        OnTheWay::Scores
    }

    fn start(&self) -> Result<String, TrainError> {
        StartingPoint::open(self.start)?.hash(&Map::new())
    }

    fn make(
        &self,
        settings: &ClassifierSettings,
        folder: &Path,
        control: Control<'_>,
    ) -> Result<Made, TrainError> {
        let folders = (self.start, folder);
        let ending = train_classifier(self.examples, self.kb, settings, self.about, folders, control)?;
        Ok(match ending {
            Ending::Finished { .. } => Made::Finished { score: None, steps: None },
            Ending::Stopped { .. } => Made::Stopped,
        })
    }
}

/// Hierarchies of one data set, from one beginning.
struct Hierarchies<'a> {
    models: Encoders<'a>,
    form: HierarchyForm,
}

impl Subject for Hierarchies<'_> {
    type Settings = HierarchySettings;
    const KIND: SearchKind = SearchKind::Hierarchy;

    fn goal(&self) -> Goal {
        self.models.goal
    }

    fn on_the_way(&self) -> OnTheWay {
        match self.form {
            HierarchyForm::Shared => OnTheWay::Compared,
            HierarchyForm::Cascade => OnTheWay::None,
        }
    }

    fn start(&self) -> Result<String, TrainError> {
        self.models.start()
    }

    fn make(
        &self,
        settings: &HierarchySettings,
        folder: &Path,
        control: Control<'_>,
    ) -> Result<Made, TrainError> {
        let Encoders { examples, kb, about, start, .. } = self.models;
        let ending = train_hierarchy(examples, kb, settings, about, (start, folder), control)?;
        if let HierarchyEnding::Stopped { .. } = ending {
            return Ok(Made::Stopped);
        }
        let read_by = match self.form {
            HierarchyForm::Shared => Parents::Weighed,
            HierarchyForm::Cascade => Parents::Predicted,
        };
        let figures = evaluate_hierarchy(examples, kb, settings, about, (folder, None), Part::Validation)?;
        let as_read = figures.systems.iter().find(|figures| figures.parents == read_by);
        let score = as_read.map(|figures| match self.goal() {
            Goal::MicroF1 => figures.micro_f1,
            Goal::MacroF1 => figures.macro_f1,
            Goal::Lrap => figures.lrap,
        });
        Ok(Made::Finished { score, steps: Some(steps_of_networks(folder)?) })
    }
}

/// The updates of all networks of a hierarchy, as their states say: a resumed trial does not see those of finished
/// ones.
fn steps_of_networks(folder: &Path) -> Result<u64, TrainError> {
    let mut folders = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).map_err(TrainError::io(folder))? {
        let path = entry.map_err(TrainError::io(folder))?.path();
        folders.extend(path.is_dir().then_some(path));
    }
    let steps = |folder: &std::path::PathBuf| {
        let state = fs::read(folder.join("trainer_state.json")).ok()?;
        serde_json::from_slice::<Value>(&state).ok()?.get("global_step")?.as_u64()
    };
    Ok(folders.iter().filter_map(steps).sum())
}

/// N-gram models of one data set.
struct Ngrams<'a> {
    examples: &'a [Example],
    kb: &'a KnowledgeBase,
    goal: Goal,
    about: &'a Description,
    control: SearchControl<'a>,
}

impl Subject for Ngrams<'_> {
    type Settings = ngram::Settings;
    const KIND: SearchKind = SearchKind::Ngram;

    fn goal(&self) -> Goal {
        self.goal
    }

    fn on_the_way(&self) -> OnTheWay {
        OnTheWay::None
    }

    fn start(&self) -> Result<String, TrainError> {
        Ok(String::new())
    }

    fn make(
        &self,
        settings: &ngram::Settings,
        folder: &Path,
        control: Control<'_>,
    ) -> Result<Made, TrainError> {
        let Self { examples, kb, about, .. } = *self;
        let all = work(examples, settings);
        let tick = |texts: u64| {
            self.control.observer.fitted(texts, all);
            let is_stopped =
                control.stop.load(Ordering::Relaxed) || self.control.stop.load(Ordering::Relaxed);
            if is_stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let fitted = ngram::train(examples, kb, settings, about, &Decisions::Validation, &tick);
        let bytes = match fitted {
            Err(TrainError::Stopped) => return Ok(Made::Stopped),
            fitted => fitted?,
        };
        let model = NgramModel::from_bytes(&bytes)?;
        let calibration = model.outputs().cwe_sets().map(Calibration::of).ok_or_else(|| {
            TrainError::Inconsistent("an n-gram model has other outputs than CWE sets".to_owned())
        })?;
        let tasks = evaluate(&model, &calibration, kb, examples, Part::Validation, &PUBLISHED_TASKS)?;
        let sum: f64 = tasks.iter().map(|task| self.goal.of(&task.table)).sum();
        fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
        let path = folder.join(NGRAM);
        write_whole(folder, &path, |file| file.write_all(&bytes)).map_err(TrainError::io(&path))?;
        let score = sum / tasks.len().max(1) as f64;
        Ok(Made::Finished { score: Some(score), steps: Some(updates(examples, settings)) })
    }
}
