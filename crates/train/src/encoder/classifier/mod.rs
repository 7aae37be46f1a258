//! Training classifiers: from labelled examples to the folder of a model.

mod settings;

use std::path::Path;

use serde_json::{Value, json};
use vulnlens_encoder::Tokenizer;
use vulnlens_encoder::training::{Parameters, Part as NetworkPart, Training};
use vulnlens_evaluation::{
    EvaluationError, Example, Part, labelled_part, outcome_part, spread, training_part,
};
use vulnlens_model::TaxonomyVersions;
use vulnlens_taxonomy::KnowledgeBase;

pub use settings::ClassifierSettings;

use super::folder::{ClassifierFolder, ModelFolder, Start, StartingPoint};
use super::labels::LabelKind;
use super::objective::{Classification, Distillation, LabelledTexts};
use super::output_space::OutputSpace;
use super::run::{self, Control, Ending, Outcome, Run, Store, identity, merged};
use super::texts::TokenLists;
use crate::description::Description;
use crate::error::TrainError;
use crate::years::newest_year;

/// The labelled examples of the parts that training needs.
#[derive(Clone)]
pub(crate) struct TrainingParts<'a> {
    /// The examples to learn from.
    pub(crate) training: Vec<&'a Example>,
    /// The examples that choose among checkpoints and thresholds.
    pub(crate) validation: Vec<&'a Example>,
}

/// The outputs of a classifier, and the examples that it is trained on.
pub(crate) struct ClassifierTask<'a> {
    pub(crate) space: OutputSpace,
    pub(crate) examples: TrainingParts<'a>,
    /// Names and values that decide the result, beside the settings.
    pub(crate) extra: Value,
}

/// Fine-tunes a classifier on the training part, and writes it into `out`.
///
/// The same examples, settings and beginning give the same numbers, bit for bit, on any number of threads of the current
/// rayon pool, and however often the run was stopped and resumed.
///
/// # Errors
/// See [`TrainError`]; what was reached before is kept.
pub fn train_classifier(
    examples: &[Example],
    kb: &KnowledgeBase,
    settings: &ClassifierSettings,
    about: &Description,
    folders: (&Start, &Path),
    control: Control<'_>,
) -> Result<Ending, TrainError> {
    settings.fit.check()?;
    settings.check()?;
    if let Some(table) = &settings.table {
        let part = |part| table.part(examples, part);
        let parts = TrainingParts { training: part(Part::Train), validation: part(Part::Validation) };
        let space = OutputSpace::of_table(table, &parts.training, &parts.validation)?;
        let task = ClassifierTask { space, examples: parts, extra: json!({}) };
        return train(task, kb, settings, about, folders, control);
    }
    let mut parts = TrainingParts::of(examples, about)?;
    if settings.labels == LabelKind::CweSets {
        parts.training.extend(outcome_part(examples, Part::Train));
        parts.validation.extend(outcome_part(examples, Part::Validation));
    }
    let space = OutputSpace::new(settings.labels, kb, &parts.training, &parts.validation)?;
    if let Some(distillation) = &settings.distillation {
        parts.training.extend(distillation.unlabelled(examples));
    }
    train(ClassifierTask { space, examples: parts, extra: json!({}) }, kb, settings, about, folders, control)
}

impl<'a> TrainingParts<'a> {
    /// The labelled texts of the training part and the labelled records of the validation part.
    pub(crate) fn of(examples: &'a [Example], about: &Description) -> Result<Self, TrainError> {
        let (training, validation) = (training_part(examples), labelled_part(examples, Part::Validation));
        if validation.is_empty() && about.split != "all" {
            return Err(EvaluationError::NoValidationTexts.into());
        }
        Ok(Self { training, validation })
    }
}

/// Trains a classifier on the examples to which any of its outputs apply, and writes the folder.
pub(crate) fn train(
    task: ClassifierTask<'_>,
    kb: &KnowledgeBase,
    settings: &ClassifierSettings,
    about: &Description,
    (start, out): (&Start, &Path),
    control: Control<'_>,
) -> Result<Ending, TrainError> {
    let ClassifierTask { space, examples, extra } = task;
    settings.check()?;
    // The same for all networks of a hierarchy, whichever of the texts they learn from.
    let newest = newest_year(&examples.training);
    let training = dated(&examples.training, &space, newest);
    let validation = dated(&examples.validation, &space, newest);
    let start = StartingPoint::open(start)?;
    let (json, config) = start.classifier(&space.names, problem_type(space.labels))?;
    let tokenizer = start.tokenizer(&config)?;
    let all_settings = merged(settings.to_json(), extra);
    let identity = identity(&all_settings, about, start.hash(&json)?);
    let Some(mut store) = Store::open(out, control.resume, identity)? else {
        return Ok(Ending::Finished { steps: 0, best: None });
    };
    let newest = settings.year.then_some(newest);
    let reading = (newest, settings.fit.max_tokens);
    let objective = Classification {
        kb,
        space: &space,
        goal: settings.goal,
        binary: settings.loss.binary(&space.counts, space.texts),
        auxiliary: settings.auxiliary.map(|auxiliary| space.auxiliary_loss(auxiliary, kb)),
        training: labelled(&training, &space, settings.distillation.as_ref(), reading, &tokenizer),
        sample: spread(validation.len(), settings.fit.evaluation_texts),
        validation_lists: TokenLists::of_examples(&validation, reading, &tokenizer),
        validation,
    };
    let (mut parameters, new) = start.parameters(&config, Training::Classification, settings.fit.seed)?;
    set_biases(&mut parameters, &new, &space.biases());
    start.carry_over(&mut parameters, &space.names)?;
    let run = Run {
        objective: &objective,
        settings: &settings.fit,
        config,
        parameters,
        training: Training::Classification,
    };
    let (mut network, steps, best) = match run::train(run, &mut store, control)? {
        Outcome::Trained { network, steps, best } => (network, steps, best),
        Outcome::Stopped { step, steps } => return Ok(Ending::Stopped { step, steps }),
    };
    let decisions = objective.choose(&mut network)?;
    let folder = ModelFolder {
        config: &json,
        tokenizer_files: &start.tokenizer_files,
        max_tokens: settings.fit.max_tokens.min(tokenizer.max_tokens()),
        about,
        start: &start.words,
        texts: training.len(),
        seed: settings.fit.seed,
        settings: &all_settings,
        figures: best.as_ref(),
        classifier: Some(ClassifierFolder {
            space: &space,
            decisions: &decisions,
            taxonomies: TaxonomyVersions::of(kb),
            newest_year: newest,
        }),
    };
    folder.write(&store, &network.into_parameters())?;
    store.finish()?;
    Ok(Ending::Finished { steps, best })
}

/// `problem_type` of `config.json`.
fn problem_type(labels: LabelKind) -> &'static str {
    match labels {
        LabelKind::CweSets => "single_label_classification",
        _ => "multi_label_classification",
    }
}

/// The examples to which outputs apply, of years up to the newest: later years are read as the newest that is known, when
/// the model is asked and when it learns.
fn dated(examples: &[&Example], space: &OutputSpace, newest: u16) -> Vec<Example> {
    let applies = |example: &&&Example| match space.labels {
        LabelKind::CweSets => true,
        _ => space.outputs(example).is_some_and(|outputs| !outputs.is_empty()),
    };
    let dated = |example: &&Example| Example { year: example.year.min(newest), ..(*example).clone() };
    examples.iter().filter(applies).map(dated).collect()
}

/// The training texts with their targets.
fn labelled(
    training: &[Example],
    space: &OutputSpace,
    distillation: Option<&Distillation>,
    reading: (Option<u16>, usize),
    tokenizer: &Tokenizer,
) -> LabelledTexts {
    let outputs: Vec<Vec<u32>> =
        training.iter().map(|example| space.outputs(example).unwrap_or_default().to_vec()).collect();
    let targets = |from: &Distillation| {
        training.iter().zip(&outputs).map(|(example, outputs)| from.target(example, outputs, space)).collect()
    };
    LabelledTexts {
        targets: distillation.map(targets),
        lists: TokenLists::of_examples(training, reading, tokenizer),
        outputs,
    }
}

/// Gives a new head biases that match the frequencies of the labels: the first updates need not learn them.
fn set_biases(parameters: &mut Parameters, new: &[String], biases: &[f32]) {
    let table = parameters.table().clone();
    let is_output = |name: &str| {
        table
            .tensors()
            .iter()
            .any(|t| t.name == name && t.part == NetworkPart::Head && t.shape == [biases.len()])
    };
    let outputs = ["classifier.out_proj.bias", "classifier.bias"].into_iter().filter(|name| is_output(name));
    for name in outputs.filter(|name| new.iter().any(|new| new == name)) {
        if let Some(numbers) = parameters.get_mut(name) {
            numbers.copy_from_slice(biases);
        }
    }
}
