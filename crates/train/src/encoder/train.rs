//! From texts to a finished folder: pretraining, and what every run needs.

use std::path::Path;

use serde_json::{Map, Value, json};
use vulnlens_encoder::Config;
use vulnlens_encoder::training::{Parameters, Training, TrainingNetwork, TrainingSettings};
use vulnlens_evaluation::{Example, Part};

use super::fit::{Began, Control, Loop, LoopEnd};
use super::labels::Labels;
use super::masking::{MaskedLanguage, Masking};
use super::model_folder::ModelFolder;
use super::objective::Objective;
use super::settings::{FitSettings, MultiLabelLoss};
use super::start::{Begun, Start};
use super::state::{Identity, LogEntry, State};
use super::store::Store;
use super::teaching::Teaching;
use super::token_lists::TokenLists;
use crate::error::TrainError;
use crate::ngram::Description;

/// A classifier to be trained.
#[derive(Debug, Clone)]
pub struct ClassifierSettings {
    /// What it says.
    pub labels: Labels,
    /// What it minimises, where labels do not exclude each other.
    pub loss: MultiLabelLoss,
    /// What CWE sets are to get right beside being the record's own.
    pub beside: Option<LabelsBeside>,
    /// What other models say of the training texts; of CWE sets.
    pub teaching: Option<Teaching>,
    /// Whether texts begin with their record's year.
    pub year: bool,
    /// How it is trained.
    pub fit: FitSettings,
}

/// Labels whose cross-entropies are minimised together with that of CWE sets. A label is as probable as the sets that lead
/// to it together, so there are no outputs but the sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelsBeside {
    /// The labels.
    pub labels: Labels,
    /// What the sum of their cross-entropies is multiplied by, before it is added to that of the sets.
    pub weight: f32,
}

/// A language model to be trained.
#[derive(Debug, Clone)]
pub struct PretrainingSettings {
    /// Share of tokens that are to be predicted.
    pub masked: f32,
    /// Whether texts begin with their record's year.
    pub year: bool,
    /// How it is trained.
    pub fit: FitSettings,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The folder holds the model.
    Finished {
        /// Updates that were made.
        steps: u64,
        /// The evaluation that chose the parameters, if there was one.
        best: Option<LogEntry>,
    },
    /// It was asked to stop and can be resumed.
    Stopped {
        /// Updates that were made.
        step: u64,
        /// Updates in all.
        steps: u64,
    },
}

/// A text as a network reads it.
pub(super) fn text(example: &Example, year: bool) -> String {
    if year { format!("{} {}", example.year, example.text) } else { example.text.clone() }
}

pub(super) fn lists<'a>(
    examples: impl IntoIterator<Item = &'a Example>,
    (year, most): (bool, usize),
    tokenizer: &vulnlens_encoder::Tokenizer,
) -> TokenLists {
    let texts: Vec<String> = examples.into_iter().map(|example| text(example, year)).collect();
    TokenLists::new(&texts, tokenizer, most)
}

/// At most `most` numbers below `count`, evenly spread.
pub(super) fn spread(count: usize, most: usize) -> Vec<usize> {
    let taken = count.min(most);
    (0..taken).map(|number| number * count / taken).collect()
}

/// Trains a masked-language model on all texts of the training part, labelled or not, and writes it into `out`.
///
/// Reproducible as [`train_classifier`](super::train_classifier) is.
///
/// # Errors
/// See [`TrainError`]; what was reached before is kept.
pub fn train_masked(
    examples: &[Example],
    settings: &PretrainingSettings,
    about: &Description,
    (start, out): (&Start, &Path),
    control: Control<'_>,
) -> Result<Ending, TrainError> {
    settings.fit.check()?;
    if !(settings.masked > 0.0 && settings.masked < 1.0) {
        return Err(TrainError::Setting("the masked share must be above 0 and below 1".to_owned()));
    }
    let of =
        |part| examples.iter().filter(move |example| example.part == part && !example.text.trim().is_empty());
    let (training, validation): (Vec<_>, Vec<_>) =
        (of(Part::Train).collect(), of(Part::Validation).collect());
    if training.is_empty() {
        return Err(TrainError::NoTexts);
    }
    let sample = spread(validation.len(), settings.fit.evaluation_texts);
    let begun = Begun::open(start)?;
    let (json, config) = begun.masked()?;
    let tokenizer = begun.tokenizer(&config)?;
    let (mask, special) = begun.special_tokens()?;
    let mut store = Store::open(out, control.resume)?;
    let words = json!({"masked": settings.masked.to_string(), "year": settings.year});
    let all_settings = merged(words, settings.fit.to_json());
    store.set_identity(identity(&all_settings, about, &begun, &json)?);
    let reading = (settings.year, settings.fit.max_tokens);
    let objective = MaskedLanguage {
        masking: Masking {
            seed: settings.fit.seed,
            share: settings.masked,
            mask,
            special,
            vocabulary: config.vocabulary,
        },
        training: lists(training.iter().copied(), reading, &tokenizer),
        validation: lists(sample.iter().map(|&text| validation[text]), reading, &tokenizer),
    };
    let (parameters, _) = begun.parameters(&config, Training::MaskedLanguage, settings.fit.seed)?;
    let max_tokens = settings.fit.max_tokens.min(tokenizer.max_tokens());
    let network = network(config, parameters, Training::MaskedLanguage, &settings.fit)?;
    let tell = Tell { cut: objective.training.cut(), validation: sample.len() };
    let mut fit = Loop::new(&objective, &settings.fit, network, &mut store, control)?;
    tell.began(&fit, &objective, control);
    if fit.run()? == LoopEnd::Stopped {
        return Ok(Ending::Stopped { step: fit.state.step, steps: fit.steps });
    }
    let (state, parameters) = (fit.state, fit.network.into_parameters());
    let best = best_entry(&state);
    let folder = ModelFolder {
        config: &json,
        tokenizer_files: &begun.tokenizer_files,
        // Whoever fine-tunes it may want longer texts.
        max_tokens: tokenizer.max_tokens().max(max_tokens),
        about,
        start: &begun.words,
        texts: training.len(),
        seed: settings.fit.seed,
        settings: &all_settings,
        figures: best.as_ref(),
        classifier: None,
    };
    folder.write(&store, &parameters)?;
    store.finish()?;
    Ok(Ending::Finished { steps: state.step, best })
}

pub(super) fn merged(first: Value, second: Value) -> Value {
    let maps = [first, second].into_iter().filter_map(|value| match value {
        Value::Object(map) => Some(map),
        _ => None,
    });
    Value::Object(maps.flatten().collect())
}

pub(super) fn identity(
    settings: &Value,
    about: &Description,
    begun: &Begun,
    config: &Map<String, Value>,
) -> Result<Identity, TrainError> {
    Ok(Identity {
        tool: format!("vulnlens {}, checkpoint 1", about.tool_version),
        settings: settings.to_string(),
        data: format!("{} {}", about.data_sha256, about.split),
        model: begun.hash(config)?,
    })
}

pub(super) fn network(
    config: Config,
    parameters: Parameters,
    training: Training,
    settings: &FitSettings,
) -> Result<TrainingNetwork, TrainError> {
    if settings.frozen_layers.is_some_and(|frozen| frozen > config.layers) {
        let problem = format!("frozen layers must be at most {}", config.layers);
        return Err(TrainError::Setting(problem));
    }
    let settings = TrainingSettings {
        recompute: settings.recompute,
        frozen_layers: settings.frozen_layers,
        ..TrainingSettings::new(training)
    };
    Ok(TrainingNetwork::new(config, parameters, settings))
}

pub(super) fn best_entry(state: &State) -> Option<LogEntry> {
    let best = state.best?;
    let is_of_best = |entry: &&LogEntry| {
        entry.get("step").and_then(Value::as_u64) == Some(best.step) && entry.contains_key("eval_loss")
    };
    state.log.iter().find(is_of_best).cloned()
}

/// What the observer is told at the beginning.
pub(super) struct Tell {
    pub(super) cut: usize,
    pub(super) validation: usize,
}

impl Tell {
    pub(super) fn began(&self, fit: &Loop<'_>, objective: &dyn Objective, control: Control<'_>) {
        let lengths = objective.lengths();
        control.observer.began(&Began {
            texts: lengths.len(),
            tokens: lengths.iter().sum(),
            cut: self.cut,
            validation_texts: self.validation,
            outputs: match fit.network.settings().training {
                Training::Classification => fit.network.config().labels.len(),
                Training::MaskedLanguage => fit.network.config().vocabulary,
            },
            parameters: fit.network.parameters().count(),
            step: fit.state.step,
            steps: fit.steps,
            evaluations: fit
                .state
                .log
                .iter()
                .filter(|entry| entry.contains_key("eval_loss"))
                .cloned()
                .collect(),
        });
    }
}
