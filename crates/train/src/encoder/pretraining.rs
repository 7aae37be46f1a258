//! Pretraining: a masked-language model of all texts, labelled or not.

use std::path::Path;

use serde_json::json;
use vulnlens_encoder::training::Training;
use vulnlens_evaluation::{Example, Part, spread};

use super::folder::{ModelFolder, Start, StartingPoint};
use super::objective::{MaskedLanguage, Masking};
use super::run::{self, Control, Ending, Outcome, Run, Store, identity, merged};
use super::settings::FitSettings;
use super::texts::TokenLists;
use crate::description::Description;
use crate::error::TrainError;

/// A language model to be trained.
#[derive(Debug, Clone)]
pub struct PretrainingSettings {
    /// Share of tokens that are to be predicted.
    pub masked: f32,
    /// True when texts begin with their record's year.
    pub year: bool,
    /// The settings of the run.
    pub fit: FitSettings,
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
    let start = StartingPoint::open(start)?;
    let (json, config) = start.masked()?;
    let tokenizer = start.tokenizer(&config)?;
    let (mask, special) = start.special_tokens()?;
    let words = json!({"masked": settings.masked.to_string(), "year": settings.year});
    let all_settings = merged(words, settings.fit.to_json());
    let identity = identity(&all_settings, about, start.hash(&json)?);
    let Some(mut store) = Store::open(out, control.resume, identity)? else {
        return Ok(Ending::Finished { steps: 0, best: None });
    };
    // A language model tells all years apart.
    let reading = (settings.year.then_some(u16::MAX), settings.fit.max_tokens);
    let objective = MaskedLanguage {
        masking: Masking {
            seed: settings.fit.seed,
            share: settings.masked,
            mask,
            special,
            vocabulary: config.vocabulary,
        },
        training: TokenLists::of_examples(training.iter().copied(), reading, &tokenizer),
        validation: TokenLists::of_examples(sample.iter().map(|&text| validation[text]), reading, &tokenizer),
    };
    let (parameters, _) = start.parameters(&config, Training::MaskedLanguage, settings.fit.seed)?;
    let run = Run {
        objective: &objective,
        settings: &settings.fit,
        config,
        parameters,
        training: Training::MaskedLanguage,
    };
    let (network, steps, best) = match run::train(run, &mut store, control)? {
        Outcome::Trained { network, steps, best } => (network, steps, best),
        Outcome::Stopped { step, steps } => return Ok(Ending::Stopped { step, steps }),
    };
    let folder = ModelFolder {
        config: &json,
        tokenizer_files: &start.tokenizer_files,
        // Longer texts than these were read here may be wanted by whoever fine-tunes it.
        max_tokens: tokenizer.max_tokens(),
        about,
        start: &start.words,
        texts: training.len(),
        seed: settings.fit.seed,
        settings: &all_settings,
        figures: best.as_ref(),
        classifier: None,
    };
    folder.write(&store, &network.into_parameters())?;
    store.finish()?;
    Ok(Ending::Finished { steps, best })
}
